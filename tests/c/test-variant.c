/* SPDX-License-Identifier: MIT */

#include "fd-support.h"

/* Arrays in variants with a list of file descriptors. */

static GVariant *
to_variant (ShndArray *array, GUnixFDList *fd_list)
{
  g_autoptr (GError) error = NULL;
  GVariant *variant = shnd_array_to_variant (array, fd_list, &error);

  g_assert_no_error (error);
  g_assert_false (g_variant_is_floating (variant));
  g_assert_cmpstr (g_variant_get_type_string (variant), ==, "(hsaxaxt)");
  return variant;
}

static void
check_round_trip (ShndArray *array, ShndAccess access)
{
  g_autoptr (GUnixFDList) fd_list = g_unix_fd_list_new ();
  g_autoptr (ShndArray) again = NULL;
  g_autoptr (ShndArray) once_more = NULL;
  g_autoptr (GVariant) variant = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gint32 handle;
  int fd, fd_again;

  /* It is not the only one there. */
  g_assert_cmpint (g_unix_fd_list_append (fd_list, 0, NULL), ==, 0);
  variant = to_variant (array, fd_list);
  g_assert_cmpint (g_unix_fd_list_get_length (fd_list), ==, 2);
  g_variant_get_child (variant, 0, "h", &handle);
  g_assert_cmpint (handle, ==, 1);
  assert_not_inherited ();

  again = shnd_array_new_from_variant (variant, fd_list, access, &error);
  g_assert_no_error (error);
  assert_same_elements (array, again);
  g_assert_null (shnd_array_get_name (again));
  g_assert_cmpint (shnd_array_get_access (again), ==, access & SHND_ACCESS_READ_WRITE);

  /* Who got all of it can hand it on as a whole. */
  fd = shnd_array_dup_fd (array, NULL);
  fd_again = shnd_array_dup_fd (again, NULL);
  g_assert_cmpint (fd_again >= 0, ==, fd >= 0);
  if (fd >= 0)
    {
      close (fd);
      close (fd_again);
    }

  /* Whatever way it has taken. */
  text = g_variant_print (variant, TRUE);
  g_clear_pointer (&variant, g_variant_unref);
  variant = g_variant_parse (G_VARIANT_TYPE ("(hsaxaxt)"), text, NULL, NULL, &error);
  g_assert_no_error (error);
  once_more = shnd_array_new_from_variant (variant, fd_list, access, &error);
  g_assert_no_error (error);
  assert_same_elements (array, once_more);
}

static void
test_round_trip (void)
{
  g_autoptr (ShndArray) array = new_array (NULL, "[('a','<i2'),('b','>f4')]", SHAPE (3, 4, 5));
  g_autoptr (ShndArray) point = new_array (NULL, "complex128", NULL, 0);
  g_autoptr (ShndArray) empty = new_array (NULL, "int16", SHAPE (2, 0));
  g_autoptr (ShndArray) sliced = shnd_array_slice (array, 1, 3, -1, -2, NULL);
  g_autoptr (ShndArray) index = shnd_array_index (sliced, 2, 4, NULL);
  g_autoptr (ShndArray) transposed = shnd_array_transpose (index, NULL, 0, NULL);
  g_autoptr (ShndArray) field = shnd_array_field (transposed, "b", NULL);
  g_autoptr (ShndArray) none = shnd_array_slice (array, 0, 2, 2, 1, NULL);
  ShndArray *arrays[] = { array, point, empty, sliced, index, transposed, field, none };
  guint8 *data = shnd_array_get_data (array);

  for (guint i = 0; i < shnd_array_get_n_bytes (array); i++)
    data[i] = i;
  for (guint i = 0; i < G_N_ELEMENTS (arrays); i++)
    {
      check_round_trip (arrays[i], SHND_ACCESS_READ_WRITE | SHND_ACCESS_UNSEALED);
      check_round_trip (arrays[i], SHND_ACCESS_READ | SHND_ACCESS_UNSEALED);
    }

  for (guint i = 0; i < 3; i++)
    g_assert_true (shnd_array_seal (arrays[i], NULL));
  for (guint i = 0; i < G_N_ELEMENTS (arrays); i++)
    check_round_trip (arrays[i], SHND_ACCESS_READ);
}

/* Memory without a header goes over as it is. */
static void
test_raw (void)
{
  g_autofree char *name = get_name ();
  g_autofree char *path = g_strconcat ("/dev/shm/", name, NULL);
  g_autoptr (ShndDType) dtype = new_dtype ("uint8");
  g_autoptr (ShndArray) array = NULL;
  g_autoptr (ShndArray) view = NULL;

  g_assert_true (g_file_set_contents (path, "0123456789", 10, NULL));
  array = shnd_array_open_segment (name, dtype, SHAPE (2, 4), 1, SHND_ACCESS_READ_WRITE, NULL);
  view = shnd_array_slice (array, 1, 3, -1, -1, NULL);
  check_round_trip (array, SHND_ACCESS_READ_WRITE | SHND_ACCESS_UNSEALED);
  check_round_trip (view, SHND_ACCESS_READ | SHND_ACCESS_UNSEALED);
  unlink (path);
}

static void
test_closed (void)
{
  g_autoptr (ShndArray) array = new_counting (4);
  g_autoptr (GUnixFDList) fd_list = g_unix_fd_list_new ();

  shnd_array_close (array);
  ASSERT_FAILS (shnd_array_to_variant (array, fd_list, failure), SHND_ERROR_CLOSED, "");
  g_assert_cmpint (g_unix_fd_list_get_length (fd_list), ==, 0);
}

/* What a variant may say that is not so. */
static void
test_wrong (void)
{
  const struct
  {
    const char *text;
    ShndError code;
    const char *part;
  } cases[] = {
    { "(handle -1, '<i4', [int64 10], [int64 4], uint64 4096)", SHND_ERROR_INVALID_ARGUMENT,
      "index -1" },
    { "(handle 1, '<i4', [int64 10], [int64 4], uint64 4096)", SHND_ERROR_INVALID_ARGUMENT,
      "index 1 is not in the list, which has 1" },
    { "(handle 0, 'nonsense', [int64 10], [int64 4], uint64 4096)", SHND_ERROR_INVALID_DTYPE, "" },
    { "(handle 0, '', [int64 10], [int64 4], uint64 4096)", SHND_ERROR_INVALID_DTYPE, "" },
    { "(handle 0, '|O', [int64 10], [int64 4], uint64 4096)", SHND_ERROR_INVALID_DTYPE, "" },
    { "(handle 0, '<i4', [int64 -1], [int64 4], uint64 4096)", SHND_ERROR_INVALID_SHAPE, "" },
    { "(handle 0, '<i4', [int64 4611686018427387904], [int64 0], uint64 4096)",
      SHND_ERROR_INVALID_SHAPE, "" },
    { "(handle 0, '<i4', [int64 "
      "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1], "
      "[int64 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1], uint64 4096)",
      SHND_ERROR_INVALID_SHAPE, "" },
    { "(handle 0, '<i4', [int64 10], @ax [], uint64 4096)", SHND_ERROR_INVALID_ARGUMENT,
      "as many strides" },
    { "(handle 0, \"('<i4', (2,))\", [int64 5], [int64 8], uint64 4096)",
      SHND_ERROR_INVALID_ARGUMENT, "as many strides" },
    { "(handle 0, '<i4', [int64 11], [int64 4], uint64 4096)", SHND_ERROR_TOO_SMALL, "4140" },
    { "(handle 0, '<i4', [int64 10], [int64 4], uint64 4097)", SHND_ERROR_TOO_SMALL, "4137" },
    { "(handle 0, '<i4', [int64 10], [int64 4], uint64 4095)", SHND_ERROR_TOO_SMALL, "4095" },
    { "(handle 0, '<i4', [int64 10], [int64 4], uint64 0)", SHND_ERROR_TOO_SMALL, "" },
    { "(handle 0, '<i4', [int64 10], [int64 -4], uint64 4096)", SHND_ERROR_TOO_SMALL, "4060" },
    { "(handle 0, '<i4', [int64 10], [int64 5], uint64 4096)", SHND_ERROR_TOO_SMALL, "" },
    { "(handle 0, '<i4', [int64 0], [int64 4], uint64 8192)", SHND_ERROR_TOO_SMALL, "" },
    { "(handle 0, '<i4', [int64 1], [int64 4], uint64 18446744073709551615)",
      SHND_ERROR_INVALID_ARGUMENT, "outside of any file" },
    { "(handle 0, '<i4', [int64 10], [int64 9223372036854775807], uint64 4096)",
      SHND_ERROR_INVALID_ARGUMENT, "outside of any file" },
    { "(handle 0, '<i4', [int64 10], [int64 -9223372036854775808], uint64 4096)",
      SHND_ERROR_INVALID_ARGUMENT, "outside of any file" },
    { "(handle 0, '<i4')", SHND_ERROR_INVALID_ARGUMENT, "(hsaxaxt)" },
    { "uint32 7", SHND_ERROR_INVALID_ARGUMENT, "(hsaxaxt)" },
  };
  g_autoptr (ShndArray) array = new_sealed (10);
  g_autoptr (GUnixFDList) fd_list = g_unix_fd_list_new ();
  g_autoptr (GVariant) good = to_variant (array, fd_list);
  guint n_fds = count_fds ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      GVariant *variant = g_variant_parse (NULL, cases[i].text, NULL, NULL, &error);

      g_assert_no_error (error);
      ASSERT_FAILS (shnd_array_new_from_variant (variant, fd_list, SHND_ACCESS_READ, failure),
                    cases[i].code, cases[i].part);
      g_variant_unref (variant);
    }

  ASSERT_FAILS (shnd_array_new_from_variant (good, NULL, SHND_ACCESS_READ, failure),
                SHND_ERROR_INVALID_ARGUMENT, "which has 0");
  ASSERT_FAILS (shnd_array_new_from_variant (good, fd_list, SHND_ACCESS_READ_WRITE, failure),
                SHND_ERROR_PERMISSION_DENIED, "FUTURE_WRITE");
  g_assert_cmpuint (count_fds (), ==, n_fds);
}

/* And what the descriptor may be. */
static void
test_hostile (void)
{
  const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE;
  const char *const text = "(handle 0, '|u1', [int64 1000], [int64 1], uint64 128)";
  const struct
  {
    int fd;
    ShndError code;
    const char *part;
  } cases[] = {
    { make_npy_memory (1000, 1128, 0), SHND_ERROR_PERMISSION_DENIED, "F_SEAL_SHRINK" },
    { make_npy_memory (1000, 1127, seals), SHND_ERROR_TOO_SMALL, "" },
    /* Its header says less than the variant. */
    { make_npy_memory (999, 1128, seals), SHND_ERROR_TOO_SMALL, "1127" },
    { make_memory ("garbage", 7, 1127, seals), SHND_ERROR_TOO_SMALL, "1127" },
    { make_memory ("", 0, 0, seals), SHND_ERROR_TOO_SMALL, "" },
    { open ("/", O_RDONLY | O_CLOEXEC), SHND_ERROR_INVALID_FORMAT, "regular file" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GUnixFDList) fd_list = g_unix_fd_list_new_from_array (&cases[i].fd, 1);

      ASSERT_FAILS (shnd_array_new_from_variant (g_variant_new_parsed (text), fd_list,
                                                 SHND_ACCESS_READ, failure),
                    cases[i].code, cases[i].part);
    }
}

static void
test_leaks (void)
{
  g_autoptr (ShndArray) array = new_sealed (4);
  guint n_fds = count_fds ();

  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (GUnixFDList) fd_list = g_unix_fd_list_new ();
      g_autoptr (GVariant) variant = to_variant (array, fd_list);
      g_autoptr (ShndArray) again =
          shnd_array_new_from_variant (variant, fd_list, SHND_ACCESS_READ, NULL);

      g_assert_nonnull (again);
      ASSERT_FAILS (shnd_array_new_from_variant (variant, fd_list, SHND_ACCESS_READ_WRITE, failure),
                    SHND_ERROR_PERMISSION_DENIED, "");
    }
  g_assert_cmpuint (count_fds (), ==, n_fds);
}

/* As the reply of a D-Bus method of which it is the one result. */
static void
test_reply (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GUnixFDList) fd_list = g_unix_fd_list_new ();
  g_autoptr (ShndDType) dtype = shnd_dtype_new ("int32", &error);
  g_autoptr (ShndArray) array =
      shnd_array_new (NULL, dtype, (gint64[]){ 3 }, 1, SHND_CREATE_NONE, &error);
  g_autoptr (ShndArray) opened = NULL;
  g_autoptr (GVariant) variant = NULL;

  g_assert_no_error (error);
  g_assert_true (shnd_array_seal (array, &error));
  variant = shnd_array_to_variant (array, fd_list, &error);
  g_assert_no_error (error);
  opened = shnd_array_new_from_variant (g_variant_new_tuple (&variant, 1), fd_list,
                                        SHND_ACCESS_READ, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (shnd_array_get_size (opened), ==, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/variant/round-trip", test_round_trip);
  g_test_add_func ("/variant/raw", test_raw);
  g_test_add_func ("/variant/closed", test_closed);
  g_test_add_func ("/variant/wrong", test_wrong);
  g_test_add_func ("/variant/hostile", test_hostile);
  g_test_add_func ("/variant/leaks", test_leaks);

  g_test_add_func ("/variant/reply", test_reply);

  return g_test_run ();
}
