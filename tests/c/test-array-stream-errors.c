/* SPDX-License-Identifier: MIT */

#include "stream-support.h"

#include <sys/resource.h>

/* Streams through which no array comes or goes: broken, ended, full, too large. */

/* Fails, after having read so much. */
static void
assert_fails (GBytes *bytes, ShndCreateFlags flags, ShndError code, const char *part, goffset read)
{
  g_autofree char *name = get_name ();
  g_autoptr (GInputStream) stream = g_memory_input_stream_new_from_bytes (bytes);
  g_autoptr (GError) error = NULL;
  guint n_fds = count_fds ();

  g_assert_null (shnd_array_load_stream (name, stream, flags, NULL, NULL, NULL, &error));
  assert_message (error, code, part);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (stream)), ==, read);
  g_assert_cmpuint (count_fds (), ==, n_fds);
  assert_no_name (name);
}

static void
assert_text_fails (const char *header, ShndError code, const char *part)
{
  g_autoptr (GBytes) bytes = make_header (header);

  assert_fails (bytes, 0, code, part, 128);
}

static void
assert_start_fails (const char *start, gsize length, ShndError code, const char *part, goffset read)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (start, length);

  assert_fails (bytes, 0, code, part, read);
}

static void
test_stream_fails (void)
{
  g_autofree char *name = get_name ();
  g_autoptr (ShndArray) array = new_counting ("<i4", SHAPE (25));
  g_autoptr (ShndArray) taken G_GNUC_UNUSED = new_array (name, "|u1", SHAPE (3));
  g_autoptr (GBytes) bytes = save_to_bytes (array, NULL);
  g_autoptr (GInputStream) stream = g_memory_input_stream_new_from_bytes (bytes);
  g_autoptr (GError) error = NULL;
  ino_t inode = get_inode (name);

  /* Nothing is read for what cannot be. */
  assert_fails (bytes, SHND_CREATE_FORTRAN, SHND_ERROR_INVALID_ARGUMENT, "FORTRAN", 0);
  assert_fails (bytes, 0x40000000, SHND_ERROR_INVALID_ARGUMENT, "ShndCreateFlags", 0);
  g_assert_null (shnd_array_load_stream ("a/b", stream, 0, NULL, NULL, NULL, &error));
  assert_message (error, SHND_ERROR_INVALID_NAME, "a/b");
  g_clear_error (&error);
  g_assert_null (shnd_array_load_stream (name, stream, 0, NULL, NULL, NULL, &error));
  assert_message (error, SHND_ERROR_EXISTS, name);
  g_clear_error (&error);
  g_assert_cmpuint (get_inode (name), ==, inode);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (stream)), ==, 0);

  /* Each length at which it can end. */
  for (gsize length = 0; length < 228; length++)
    {
      g_autoptr (GBytes) start = g_bytes_new_from_bytes (bytes, 0, length);

      assert_fails (start, 0, length == 0 ? SHND_ERROR_END_OF_STREAM : SHND_ERROR_TOO_SMALL,
                    length == 0  ? "ended" :
                    length < 128 ? "inside the header" :
                                   "of the 100 bytes",
                    length);
    }

  assert_start_fails ("hello, world", 12, SHND_ERROR_INVALID_FORMAT, "the stream: Not a valid", 8);
  assert_start_fails ("hel", 3, SHND_ERROR_INVALID_FORMAT, "NUMPY", 3);
  assert_start_fails ("\x93NUMPI\1\0", 8, SHND_ERROR_INVALID_FORMAT, "NUMPY", 8);
  assert_start_fails ("\x93NUMPY\4\0\0\0\0\0", 12, SHND_ERROR_INVALID_FORMAT, "version 4.0", 8);
  assert_start_fails ("\x93NUMPY\2\0\0\0", 10, SHND_ERROR_TOO_SMALL, "10 bytes", 10);
  /* A header of 4 GiB. */
  assert_start_fails ("\x93NUMPY\3\0\xff\xff\xff\xff{}", 14, SHND_ERROR_INVALID_FORMAT,
                      "4294967295 bytes", 12);
  assert_text_fails ("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }",
                     SHND_ERROR_INVALID_FORMAT, "pointers");
  assert_text_fails ("{'descr': '<i4', 'fortran_order': 0, 'shape': (2,), }",
                     SHND_ERROR_INVALID_FORMAT, "fortran_order");
  assert_text_fails ("{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }",
                     SHND_ERROR_TOO_SMALL, "after 0 of the 4 bytes");
  assert_text_fails ("{'descr': '<i8', 'fortran_order': False, 'shape': (2305843009213693951,), }",
                     SHND_ERROR_INVALID_FORMAT, "stream");
  /* More than there is: nobody waits for it, nor makes room. */
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (GBytes) large =
          make_header ("{'descr': '<i8', 'fortran_order': False, 'shape': (1250000000000,), }");
      g_autoptr (GInputStream) input = g_memory_input_stream_new_from_bytes (large);
      g_autofree char *large_name = i / 2 == 0 ? get_name () : NULL;

      g_assert_null (shnd_array_load_stream (large_name, input,
                                             i % 2 == 0 ? SHND_CREATE_NONE : SHND_CREATE_SPARSE,
                                             NULL, NULL, NULL, &error));
      assert_message (error, SHND_ERROR_NO_SPACE, "10000000008192");
      g_clear_error (&error);
      g_assert_cmpint (g_seekable_tell (G_SEEKABLE (input)), ==, 128);
    }
}

/* What the stream itself has to say. */
static void
test_stream_errors (void)
{
  g_autoptr (ShndArray) array = new_counting ("<i4", SHAPE (30000));
  g_autoptr (GBytes) bytes = save_to_bytes (array, NULL);
  g_autoptr (GBytes) broken = NULL;
  g_autoptr (GError) error = NULL;
  int fds[2];

  {
    g_autoptr (GInputStream) input = g_memory_input_stream_new_from_bytes (bytes);
    g_autoptr (GOutputStream) output = g_memory_output_stream_new_resizable ();

    g_assert_true (g_input_stream_set_pending (input, NULL));
    g_assert_null (shnd_array_load_stream (NULL, input, 0, NULL, NULL, NULL, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
    g_clear_error (&error);
    g_input_stream_clear_pending (input);
    g_assert_true (g_input_stream_close (input, NULL, NULL));
    g_assert_null (shnd_array_load_stream (NULL, input, 0, NULL, NULL, NULL, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
    g_assert_true (g_str_has_prefix (error->message, "Cannot load the array from the stream: "));
    g_clear_error (&error);

    g_assert_true (g_output_stream_close (output, NULL, NULL));
    g_assert_false (shnd_array_save_stream (array, output, NULL, NULL, NULL, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
    g_assert_true (g_str_has_prefix (error->message, "Cannot save the array to the stream: "));
    g_clear_error (&error);
  }

  /* A pipe that is being written to. */
  {
    g_autoptr (ShndArray) small = new_counting ("<i4", SHAPE (50));
    g_autoptr (GOutputStream) output = NULL;

    make_pipe (fds);
    output = g_unix_output_stream_new (fds[1], TRUE);
    g_assert_true (g_output_stream_set_pending (output, NULL));
    g_assert_false (shnd_array_save_stream (small, output, NULL, NULL, NULL, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
    g_assert_true (g_str_has_prefix (error->message, "Cannot save the array to the stream: "));
    g_clear_error (&error);
    g_output_stream_clear_pending (output);
    shnd_array_save_stream (small, output, NULL, NULL, NULL, &error);
    g_assert_no_error (error);
    g_assert_false (g_output_stream_has_pending (output));
    close (fds[0]);
  }

  /* Compressed, and broken in the middle. */
  {
    g_autoptr (GConverter) compressor =
        G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1));
    g_autoptr (GOutputStream) base = g_memory_output_stream_new_resizable ();
    g_autoptr (GOutputStream) output = g_converter_output_stream_new (base, compressor);
    g_autofree guint8 *contents = NULL;
    gsize length;

    shnd_array_save_stream (array, output, NULL, NULL, NULL, &error);
    g_assert_no_error (error);
    g_assert_true (g_output_stream_close (output, NULL, NULL));
    broken = g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (base));
    for (guint i = 0; i < 2; i++)
      {
        g_autoptr (GConverter) decompressor =
            G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
        g_autoptr (GInputStream) compressed = g_memory_input_stream_new_from_bytes (broken);
        g_autoptr (GInputStream) input = g_converter_input_stream_new (compressed, decompressor);
        g_autoptr (ShndArray) loaded =
            shnd_array_load_stream (NULL, input, 0, NULL, NULL, NULL, &error);

        if (i == 0)
          {
            g_assert_no_error (error);
            assert_same (loaded, array);
            contents = g_bytes_unref_to_data (g_steal_pointer (&broken), &length);
            memset (contents + length / 2, 0xff, 100);
            broken = g_bytes_new (contents, length);
          }
        else
          {
            g_assert_null (loaded);
            g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
            g_assert_nonnull (strstr (error->message, "Cannot load the array from the stream: "));
            g_clear_error (&error);
          }
      }
  }

  /* Full: a device, and memory behind the header. */
  {
    g_autoptr (GOutputStream) output =
        g_unix_output_stream_new (open ("/dev/full", O_WRONLY | O_CLOEXEC), TRUE);
    guint8 room[1000];
    g_autoptr (GOutputStream) memory = g_memory_output_stream_new (room, sizeof room, NULL, NULL);

    g_assert_false (shnd_array_save_stream (array, output, NULL, NULL, NULL, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
    g_assert_nonnull (strstr (error->message, "Cannot save the array to the stream: "));
    g_clear_error (&error);
    g_assert_false (shnd_array_save_stream (array, memory, NULL, NULL, NULL, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
    g_clear_error (&error);
  }

  /* Not to be read, and nobody who reads. */
  {
    g_autoptr (GInputStream) input =
        g_unix_input_stream_new (open ("/dev", O_RDONLY | O_CLOEXEC), TRUE);
    g_autoptr (GOutputStream) output = NULL;

    g_assert_null (shnd_array_load_stream (NULL, input, 0, NULL, NULL, NULL, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY);
    g_clear_error (&error);

    make_pipe (fds);
    output = g_unix_output_stream_new (fds[1], TRUE);
    close (fds[0]);
    g_assert_false (shnd_array_save_stream (array, output, NULL, NULL, NULL, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
    g_clear_error (&error);
  }

  /* Closed handles have nothing to be saved. */
  {
    g_autoptr (GOutputStream) output = g_memory_output_stream_new_resizable ();

    shnd_array_close (array);
    g_assert_false (shnd_array_save_stream (array, output, NULL, NULL, NULL, &error));
    assert_message (error, SHND_ERROR_CLOSED, "");
    g_assert_cmpuint (g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (output)), ==,
                      0);
  }
}

/* Larger than a file may be: an error, where the kernel would send a signal. */
static void
test_stream_limit (void)
{
  g_autoptr (GBytes) header =
      make_header ("{'descr': '|u1', 'fortran_order': False, 'shape': (2097152,), }");
  struct rlimit before, limit;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  limit = before;
  limit.rlim_cur = MIB;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  assert_fails (header, 0, SHND_ERROR_NO_SPACE, "RLIMIT_FSIZE", 128);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  /* Nobody who reads shall be an error. */
  signal (SIGPIPE, SIG_IGN);

  g_test_add_func ("/array/stream/fails", test_stream_fails);
  g_test_add_func ("/array/stream/errors", test_stream_errors);
  g_test_add_func ("/array/stream/limit", test_stream_limit);

  return g_test_run ();
}
