/* SPDX-License-Identifier: MIT */

/* What the tests of arrays without a name need. */

#pragma once

#include <stdlib.h>

#include "sync-support.h"

/* A file in memory with these bytes, of that size and with these seals. */
static inline int
make_memory (gconstpointer data, gsize length, goffset size, int seals)
{
  int fd = memfd_create ("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (ftruncate (fd, size), ==, 0);
  g_assert_cmpint (pwrite (fd, data, length, 0), ==, (gssize) length);
  g_assert_cmpint (fcntl (fd, F_ADD_SEALS, seals), ==, 0);
  return fd;
}

/* The same with a .npy header for that many bytes, and what it really has of them. */
static inline int
make_npy_memory (guint n_bytes, goffset size, int seals)
{
  char header[129] = { 0 };
  g_autofree char *text =
      g_strdup_printf ("{'descr': '|u1', 'fortran_order': False, 'shape': (%u,), }", n_bytes);

  g_snprintf (header, sizeof header, "%s%-117s\n", "\x93NUMPY\x01", text);
  memmove (header + 10, header + 7, 118);
  header[7] = 0;
  header[8] = 118;
  header[9] = 0;
  return make_memory (header, MIN (size, 128), size, seals);
}

/* An array of int32 that counts from 0, without a name. */
static inline ShndArray *
new_counting (guint n)
{
  const gint64 shape[] = { n };
  ShndArray *array = new_array (NULL, "int32", shape, 1);
  gint32 *data = shnd_array_get_data (array);

  for (guint i = 0; i < n; i++)
    data[i] = i;
  return array;
}

static inline ShndArray *
new_sealed (guint n)
{
  g_autoptr (GError) error = NULL;
  ShndArray *array = new_counting (n);

  shnd_array_seal (array, &error);
  g_assert_no_error (error);
  return array;
}

static inline int
dup_fd (ShndArray *array)
{
  g_autoptr (GError) error = NULL;
  int fd = shnd_array_dup_fd (array, &error);

  g_assert_no_error (error);
  g_assert_cmpint (fd, >=, 0);
  return fd;
}

/* No program that this process executes gets a descriptor of an array. */
static inline void
assert_not_inherited (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename ("/proc/self/fd", name, NULL);
      g_autofree char *target = g_file_read_link (path, NULL);

      if (target != NULL && g_str_has_prefix (target, "/memfd:shndarray"))
        g_assert_cmpint (fcntl (atoi (name), F_GETFD), ==, FD_CLOEXEC);
    }
}

static inline gint64
get_int (ShndArray *array, gint64 index)
{
  g_autoptr (GError) error = NULL;
  gint64 value = shnd_array_get_int64 (array, &index, 1, &error);

  g_assert_no_error (error);
  return value;
}

/* The same elements, of the same kind, in the same order. */
static inline void
assert_same_elements (ShndArray *a, ShndArray *b)
{
  guint n_dims, n_dims_b;
  const gint64 *shape = shnd_array_get_shape (a, &n_dims);
  const gint64 *strides = shnd_array_get_strides (a, NULL);
  g_autoptr (ShndArray) copy_a = shnd_array_dup (a, NULL, SHND_CREATE_NONE, NULL, NULL, NULL, NULL);
  g_autoptr (ShndArray) copy_b = shnd_array_dup (b, NULL, SHND_CREATE_NONE, NULL, NULL, NULL, NULL);
  g_autoptr (GBytes) bytes_a = shnd_array_get_bytes (copy_a, NULL);
  g_autoptr (GBytes) bytes_b = shnd_array_get_bytes (copy_b, NULL);

  g_assert_cmpmem (shape, n_dims * sizeof *shape, shnd_array_get_shape (b, &n_dims_b),
                   n_dims_b * sizeof *shape);
  g_assert_cmpmem (strides, n_dims * sizeof *strides, shnd_array_get_strides (b, NULL),
                   n_dims * sizeof *strides);
  g_assert_true (shnd_dtype_equal (shnd_array_get_dtype (a), shnd_array_get_dtype (b)));
  g_assert_true (g_bytes_equal (bytes_a, bytes_b));
}
