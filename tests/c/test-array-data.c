/* SPDX-License-Identifier: MIT */

#include <setjmp.h>
#include <shndarray/shndarray.h>
#include <signal.h>

#include "array-support.h"

/* The data of a ShndArray: who may write it, how long it is there, views of it, and copies. */

static sigjmp_buf fault_jump;

static void
fault_cb (int signum)
{
  siglongjmp (fault_jump, signum);
}

/* Whether a write to the address is refused by the memory itself. */
static gboolean
write_faults (gpointer address)
{
  struct sigaction action = { .sa_handler = fault_cb }, old;
  gboolean faults = TRUE;

  sigaction (SIGSEGV, &action, &old);
  if (sigsetjmp (fault_jump, 1) == 0)
    {
      *(volatile guint8 *) address = 1;
      faults = FALSE;
    }
  sigaction (SIGSEGV, &old, NULL);

  return faults;
}

static void
test_read_only (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) writer = new_array (name, "u1", SHAPE (4));
  g_autoptr (ShndArray) reader = open_array (name, SHND_ACCESS_READ);
  g_autoptr (ShndArray) view = shnd_array_slice (reader, 0, 0, 2, 1, NULL);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("abcd", 4);
  g_autoptr (GBytes) cow = NULL;
  g_autoptr (GError) error = NULL;

#define ASSERT_READ_ONLY(call)                                                                     \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_false (call);                                                                         \
    assert_message (error, SHND_ERROR_READ_ONLY, "READ_WRITE");                                    \
    g_clear_error (&error);                                                                        \
  }                                                                                                \
  G_STMT_END

  ASSERT_READ_ONLY (shnd_array_set_element (reader, SHAPE (0), g_variant_new_byte (1), &error));
  ASSERT_READ_ONLY (shnd_array_set_double (reader, SHAPE (0), 1, &error));
  ASSERT_READ_ONLY (shnd_array_set_int64 (view, SHAPE (0), 1, &error));
  ASSERT_READ_ONLY (shnd_array_write_bytes (reader, bytes, &error));
  ASSERT_READ_ONLY (shnd_array_copy_from (reader, writer, &error));
  ASSERT_READ_ONLY (shnd_array_fill (reader, g_variant_new_byte (1), &error));

  g_assert_true (write_faults (shnd_array_get_data (reader)));
  g_assert_false (write_faults (shnd_array_get_data (writer)));

  /* Copy on write: it shows what the others write until it is written to. */
  cow = shnd_array_get_cow_bytes (reader, &error);
  g_assert_no_error (error);
  g_assert_true (shnd_array_write_bytes (writer, bytes, &error));
  g_assert_cmpmem (g_bytes_get_data (cow, NULL), 4, "abcd", 4);
  g_assert_false (write_faults ((gpointer) g_bytes_get_data (cow, NULL)));
  g_assert_cmpmem (g_bytes_get_data (cow, NULL), 4, "\1bcd", 4);
  g_assert_cmpmem (shnd_array_get_data (reader), 4, "abcd", 4);
  unlink_name (name);
}

/* Views and bytes keep the memory, in whatever order all is dropped. */
static void
test_lifetime (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = new_array (name, "<i4", SHAPE (4, 4));
  g_autoptr (ShndArray) row = NULL;
  g_autoptr (ShndArray) element = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GBytes) memory = NULL;
  g_autoptr (GError) error = NULL;
  guint n_fds = count_fds ();
  ino_t inode = get_inode (name);
  gsize offset;

  g_assert_true (shnd_array_set_int64 (array, SHAPE (2, 3), 9, &error));
  row = shnd_array_index (array, 0, 2, &error);
  element = shnd_array_index (row, 0, 3, &error);
  bytes = shnd_array_get_bytes (row, &error);
  memory = shnd_array_get_memory (row, &offset, &error);
  g_assert_true (g_bytes_get_data (bytes, NULL) ==
                 (gpointer) ((gint32 *) shnd_array_get_data (array) + 8));
  unlink_name (name);

  shnd_array_close (array);
  shnd_array_close (array);
  g_assert_true (shnd_array_get_closed (array));
  g_assert_cmpstr (shnd_array_get_name (array), ==, name);
  g_assert_cmpint (shnd_array_get_shape (array, NULL)[1], ==, 4);
  g_assert_cmpint (shnd_array_get_int64 (element, NULL, 0, &error), ==, 9);
  g_assert_finalize_object (g_steal_pointer (&array));
  g_assert_finalize_object (g_steal_pointer (&row));
  g_assert_finalize_object (g_steal_pointer (&element));
  g_assert_cmpint (((const gint32 *) g_bytes_get_data (bytes, NULL))[3], ==, 9);
  g_clear_pointer (&memory, g_bytes_unref);
  g_assert_cmpint (((const gint32 *) g_bytes_get_data (bytes, NULL))[3], ==, 9);
  g_assert_cmpuint (count_mappings (inode), ==, 1);
  g_clear_pointer (&bytes, g_bytes_unref);
  g_assert_cmpuint (count_mappings (inode), ==, 0);
  g_assert_cmpuint (count_fds (), ==, n_fds - 1);
}

static gpointer
work_until_closed (gpointer data)
{
  ShndArray *array = data;
  g_autoptr (ShndArray) target = new_array (NULL, "<f4", SHAPE (64, 64));
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_double (1));
  GError *error = NULL;

  while (shnd_array_copy_from (target, array, &error) && shnd_array_fill (array, value, &error))
    shnd_array_get_double (array, SHAPE (3, 3), NULL);

  return error;
}

/* What works on an array finishes when another thread closes it. */
static void
test_close_threads (void)
{
  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (ShndArray) array = new_array (NULL, "<f8", SHAPE (64, 64));
      GThread *threads[2];

      for (guint j = 0; j < G_N_ELEMENTS (threads); j++)
        threads[j] = g_thread_new ("work", work_until_closed, array);
      g_usleep (i * 10);
      shnd_array_close (array);
      for (guint j = 0; j < G_N_ELEMENTS (threads); j++)
        {
          g_autoptr (GError) error = g_thread_join (threads[j]);

          assert_message (error, SHND_ERROR_CLOSED, "closed");
        }
    }
}

static void
test_views (void)
{
  g_autoptr (ShndArray) array = new_array (NULL, "<i2", SHAPE (3, 4));
  g_autoptr (ShndArray) record = new_array (NULL, "[('a', '<i4'), ('b', '<f4', (2,))]", SHAPE (2));
  g_autoptr (ShndArray) sliced = NULL;
  g_autoptr (ShndArray) reshaped = NULL;
  g_autoptr (ShndArray) transposed = NULL;
  g_autoptr (ShndArray) field = NULL;
  g_autoptr (GBytes) memory = NULL;
  g_autoptr (GError) error = NULL;
  gsize offset;

  for (gint16 i = 0; i < 12; i++)
    ((gint16 *) shnd_array_get_data (array))[i] = i;

  sliced = shnd_array_slice (array, 1, 3, -1, -2, &error);
  g_assert_no_error (error);
  g_assert_cmpint (shnd_array_get_int64 (sliced, SHAPE (1, 1), &error), ==, 5);
  g_assert_cmpint (shnd_array_get_order (sliced), ==, SHND_ORDER_STRIDED);
  g_assert_null (shnd_array_get_bytes (sliced, &error));
  assert_message (error, SHND_ERROR_NOT_CONTIGUOUS, "a copy");
  g_clear_error (&error);
  g_assert_null (shnd_array_get_cow_bytes (sliced, &error));
  assert_message (error, SHND_ERROR_NOT_CONTIGUOUS, "a copy");
  g_clear_error (&error);
  memory = shnd_array_get_memory (sliced, &offset, &error);
  g_assert_cmpuint (offset, ==, 4);
  g_assert_cmpuint (g_bytes_get_size (memory), ==, 2 * 8 + 4 + 2);
  g_assert_true ((guint8 *) g_bytes_get_data (memory, NULL) + offset ==
                 (guint8 *) shnd_array_get_data (sliced));

  transposed = shnd_array_transpose (array, NULL, 0, &error);
  g_assert_cmpint (shnd_array_get_int64 (transposed, SHAPE (3, 1), &error), ==, 7);
  reshaped = shnd_array_reshape (array, SHAPE (2, -1), &error);
  g_assert_cmpint (shnd_array_get_int64 (reshaped, SHAPE (1, 1), &error), ==, 7);
  field = shnd_array_field (record, "b", &error);
  g_assert_true (shnd_array_set_double (field, SHAPE (1, 1), 2.5, &error));
  g_assert_cmpfloat (((float *) shnd_array_get_data (record))[5], ==, 2.5f);
}

/* Elements without bytes can have huge sub-arrays. */
static void
test_views_without_bytes (void)
{
  g_autoptr (ShndArray) array =
      new_array (NULL, "[('a', [], (1662156, 11098049)), ('b', '<f4')]", SHAPE (1000003));
  g_autoptr (ShndArray) words = new_array (NULL, "[('a', '|S0'), ('b', '<f4')]", SHAPE (3));
  g_autoptr (ShndArray) nothing = shnd_array_field (words, "a", NULL);
  g_autoptr (ShndArray) copy = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (shnd_array_field (array, "a", &error));
  assert_message (error, SHND_ERROR_INVALID_SHAPE, "2^63");
  g_clear_error (&error);
  copy = shnd_array_dup (nothing, NULL, SHND_CREATE_NONE, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (shnd_array_get_size (copy), ==, 3);
  g_assert_cmpint (shnd_array_get_order (nothing), ==, SHND_ORDER_C);
  g_clear_object (&copy);
  copy = shnd_array_reshape (nothing, SHAPE (1, 3), &error);
  g_assert_no_error (error);
}

static void
test_write_bytes (void)
{
  g_autoptr (ShndArray) array = new_array (NULL, "u1", SHAPE (2, 4));
  g_autoptr (ShndArray) columns = shnd_array_slice (array, 1, 0, 4, 2, NULL);
  g_autoptr (GBytes) eight = g_bytes_new_static ("abcdefgh", 8);
  g_autoptr (GBytes) four = g_bytes_new_static ("1234", 4);
  g_autoptr (GBytes) own = NULL;
  g_autoptr (ShndArray) back = NULL;
  g_autoptr (ShndArray) view = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (shnd_array_write_bytes (array, eight, &error));
  g_assert_cmpmem (shnd_array_get_data (array), 8, "abcdefgh", 8);
  g_assert_true (shnd_array_write_bytes (columns, four, &error));
  g_assert_cmpmem (shnd_array_get_data (array), 8, "1b2d3f4h", 8);
  g_assert_false (shnd_array_write_bytes (array, four, &error));
  assert_message (error, SHND_ERROR_INVALID_ARGUMENT, "4 bytes for an array of 8");
  g_assert_cmpmem (shnd_array_get_data (array), 8, "1b2d3f4h", 8);

  /* Its own bytes, into itself backwards. */
  view = shnd_array_reshape (array, SHAPE (8), NULL);
  back = shnd_array_slice (view, 0, 7, -1, -1, NULL);
  own = shnd_array_get_bytes (array, NULL);
  g_assert_true (shnd_array_write_bytes (back, own, NULL));
  g_assert_cmpmem (shnd_array_get_data (array), 8, "h4f3d2b1", 8);
}

static void
test_copy_from (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) a = new_array (name, "<i4", SHAPE (6));
  g_autoptr (ShndArray) b = open_array (name, SHND_ACCESS_READ_WRITE);
  g_autoptr (ShndArray) floats = new_array (NULL, ">f8", SHAPE (2, 6));
  g_autoptr (ShndArray) text = new_array (NULL, "S4", SHAPE (6));
  g_autoptr (ShndArray) backwards = shnd_array_slice (b, 0, 5, -1, -1, NULL);
  g_autoptr (GError) error = NULL;
  gint32 *values = shnd_array_get_data (a);

  for (guint i = 0; i < 6; i++)
    values[i] = i;

  /* Two mappings of one file: the same memory, though not the same addresses. */
  g_assert_true (shnd_array_copy_from (a, backwards, &error));
  for (guint i = 0; i < 6; i++)
    g_assert_cmpint (values[i], ==, 5 - i);

  g_assert_true (shnd_array_copy_from (floats, a, &error));
  g_assert_cmpfloat (shnd_array_get_double (floats, SHAPE (1, 4), &error), ==, 1);

  g_assert_false (shnd_array_copy_from (a, floats, &error));
  assert_message (error, SHND_ERROR_INVALID_SHAPE, "(2, 6) cannot fill one of shape (6,)");
  g_clear_error (&error);
  g_assert_false (shnd_array_copy_from (a, text, &error));
  assert_message (error, SHND_ERROR_TYPE_MISMATCH, "|S4");
  unlink_name (name);
}

static void
test_fill_dup (void)
{
  g_autoptr (ShndArray) array = new_array (NULL, "<i4", SHAPE (2, 3));
  g_autoptr (ShndArray) column = shnd_array_index (array, 1, 1, NULL);
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) copy = NULL;
  g_autoptr (ShndArray) fortran = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (shnd_array_fill (array, g_variant_new_int32 (3), &error));
  g_assert_true (shnd_array_fill (column, g_variant_new_double (4), &error));
  g_assert_false (shnd_array_fill (column, g_variant_new_string ("x"), &error));
  assert_message (error, SHND_ERROR_TYPE_MISMATCH, "<i4");
  g_clear_error (&error);

  copy = shnd_array_dup (column, name, SHND_CREATE_NONE, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (shnd_array_get_name (copy), ==, name);
  g_assert_cmpint (shnd_array_get_strides (copy, NULL)[0], ==, 4);
  g_assert_true (shnd_array_fill (array, g_variant_new_int32 (0), &error));
  g_assert_cmpint (shnd_array_get_int64 (copy, SHAPE (1), &error), ==, 4);
  unlink_name (name);

  for (gint32 i = 0; i < 6; i++)
    ((gint32 *) shnd_array_get_data (array))[i] = i;
  fortran = shnd_array_dup (array, NULL, SHND_CREATE_FORTRAN, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (shnd_array_get_order (fortran), ==, SHND_ORDER_FORTRAN);
  for (gint64 i = 0; i < 2; i++)
    for (gint64 j = 0; j < 3; j++)
      g_assert_cmpint (shnd_array_get_int64 (fortran, SHAPE (i, j), NULL), ==, i * 3 + j);
}

static void
test_elements (void)
{
  g_autoptr (ShndArray) array = new_array (NULL, "<u2", SHAPE (2, 2));
  g_autoptr (GVariant) expected = g_variant_ref_sink (g_variant_new_uint16 (500));
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (shnd_array_set_element (array, SHAPE (1, 0), g_variant_new_int64 (500), &error));
  value = shnd_array_get_element (array, SHAPE (1, 0), &error);
  g_assert_cmpvariant (value, expected);
  g_assert_false (g_variant_is_floating (value));

  g_assert_null (shnd_array_get_element (array, SHAPE (2, 0), &error));
  assert_message (error, SHND_ERROR_OUT_OF_RANGE, "Index 2 on axis 0");
  g_clear_error (&error);
  g_assert_true (shnd_array_get_double (array, SHAPE (0, -1), &error) !=
                 shnd_array_get_double (array, SHAPE (0, -1), NULL));
  assert_message (error, SHND_ERROR_OUT_OF_RANGE, "Index -1 on axis 1");
  g_clear_error (&error);
  g_assert_cmpint (shnd_array_get_int64 (array, SHAPE (0), &error), ==, 0);
  assert_message (error, SHND_ERROR_OUT_OF_RANGE, "1 indices");
  g_clear_error (&error);
  g_assert_false (shnd_array_set_int64 (array, SHAPE (1, 0), 70000, &error));
  assert_message (error, SHND_ERROR_OUT_OF_RANGE, "70000");
  g_clear_error (&error);
  g_assert_false (shnd_array_set_double (array, SHAPE (1, 0), 0.5, &error));
  assert_message (error, SHND_ERROR_OUT_OF_RANGE, "0.5");
  g_assert_cmpint (shnd_array_get_int64 (array, SHAPE (1, 0), NULL), ==, 500);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/array/read-only", test_read_only);
  g_test_add_func ("/array/lifetime", test_lifetime);
  g_test_add_func ("/array/close/threads", test_close_threads);
  g_test_add_func ("/array/views", test_views);
  g_test_add_func ("/array/views/without-bytes", test_views_without_bytes);
  g_test_add_func ("/array/write-bytes", test_write_bytes);
  g_test_add_func ("/array/copy-from", test_copy_from);
  g_test_add_func ("/array/fill-dup", test_fill_dup);
  g_test_add_func ("/array/elements", test_elements);

  return g_test_run ();
}
