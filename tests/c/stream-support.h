/* SPDX-License-Identifier: MIT */

/* What the tests of arrays that go through streams need. */

#pragma once

#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <shndarray/shndarray.h>
#include <signal.h>

#include "array-support.h"

#define MIB (1024 * 1024)

static inline GBytes *
make_header (const char *header)
{
  g_autofree char *text = g_strdup_printf ("%-117s\n", header);
  g_autoptr (GByteArray) contents = g_byte_array_new ();

  g_byte_array_append (contents, (const guint8 *) "\x93NUMPY\x01\x00\x76\x00", 10);
  g_byte_array_append (contents, (const guint8 *) text, strlen (text));
  g_assert_cmpuint (contents->len, ==, 128);

  return g_byte_array_free_to_bytes (g_steal_pointer (&contents));
}

static inline GBytes *
save_to_bytes (ShndArray *array, Progress *progress)
{
  g_autoptr (GOutputStream) stream = g_memory_output_stream_new_resizable ();
  g_autoptr (GError) error = NULL;

  shnd_array_save_stream (array, stream, NULL, progress != NULL ? progress_cb : NULL, progress,
                          &error);
  g_assert_no_error (error);
  g_assert_false (g_output_stream_is_closed (stream));
  g_assert_true (g_output_stream_close (stream, NULL, NULL));

  return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (stream));
}

static inline ShndArray *
new_counting (const char *description, const gint64 *shape, guint n_dims)
{
  ShndArray *array = new_array (NULL, description, shape, n_dims);
  guint8 *data = shnd_array_get_data (array);

  for (gsize i = 0; i < shnd_array_get_n_bytes (array); i++)
    data[i] = i * 7 + i / 251;

  return array;
}

static inline void
assert_same (ShndArray *array, ShndArray *expected)
{
  g_autoptr (GBytes) bytes = save_to_bytes (array, NULL);
  g_autoptr (GBytes) expected_bytes = save_to_bytes (expected, NULL);

  g_assert_true (shnd_dtype_equal (shnd_array_get_dtype (array), shnd_array_get_dtype (expected)));
  g_assert_true (g_bytes_equal (bytes, expected_bytes));
}

static inline void
make_pipe (int fds[2])
{
  g_assert_cmpint (pipe2 (fds, O_CLOEXEC), ==, 0);
}
