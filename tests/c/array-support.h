/* SPDX-License-Identifier: MIT */

/* What several of the tests of ShndArray need. */

#pragma once

#include <shndarray/shndarray.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

static inline ShndArray *
new_array (const char *name, const char *description, const gint64 *shape, guint n_dims)
{
  g_autoptr (ShndDType) dtype = new_dtype (description);
  g_autoptr (GError) error = NULL;
  ShndArray *array = shnd_array_new (name, dtype, shape, n_dims, SHND_CREATE_NONE, &error);

  g_assert_no_error (error);
  g_assert_nonnull (array);
  return array;
}

static inline ShndArray *
open_array (const char *name, ShndAccess access)
{
  g_autoptr (GError) error = NULL;
  ShndArray *array = shnd_array_open (name, access, &error);

  g_assert_no_error (error);
  return array;
}

/* A name for this test alone, not taken. */
static inline char *
get_name (void)
{
  static guint n;

  return g_strdup_printf ("shnd-test-%d-%u", (int) getpid (), n++);
}

static inline void
unlink_name (const char *name)
{
  g_autoptr (GError) error = NULL;

  shnd_unlink (name, &error);
  g_assert_no_error (error);
}

static inline gboolean
has_name (const char *name)
{
  g_autofree char *path = g_strconcat ("/dev/shm/", name, NULL);

  return access (path, F_OK) == 0;
}

static inline guint
count_fds (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static inline ino_t
get_inode (const char *name)
{
  g_autofree char *path = g_strconcat ("/dev/shm/", name, NULL);
  struct stat info;

  g_assert_cmpint (stat (path, &info), ==, 0);
  return info.st_ino;
}

/* How often this process has that file mapped. By inode, as its path is that of an unnamed file to
 * the process that made it. */
static inline guint
count_mappings (ino_t inode)
{
  g_autofree char *maps = NULL;
  g_auto (GStrv) lines = NULL;
  guint n = 0;

  g_assert_true (g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL));
  lines = g_strsplit (maps, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      unsigned long number;

      if (sscanf (lines[i], "%*s %*s %*s %*s %lu", &number) == 1 && number == inode &&
          strstr (lines[i], "/dev/shm/") != NULL)
        n++;
    }
  return n;
}

/* A folder for the files of one test, and its end: nothing may be left in it. */
static inline char *
make_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("shnd-test-XXXXXX", &error);

  g_assert_no_error (error);
  return folder;
}

static inline void
remove_folder (const char *folder)
{
  g_autoptr (GDir) left = g_dir_open (folder, 0, NULL);

  g_assert_cmpstr (g_dir_read_name (left), ==, NULL);
  g_assert_cmpint (rmdir (folder), ==, 0);
}

/* Nothing in shared memory has that name. */
static inline void
assert_no_name (const char *name)
{
  g_assert_false (has_name (name));
}

static inline void
assert_cancelled (GError *error)
{
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static inline void
assert_message (GError *error, ShndError code, const char *part)
{
  g_assert_error (error, SHND_ERROR, (gint) code);
  if (strstr (error->message, part) == NULL)
    g_error ("expected “%s” in “%s”", part, error->message);
}

/* What a GFileProgressCallback was told, and what it does to that. */
typedef struct
{
  goffset current;
  goffset total;
  guint n_calls;
  GCancellable *cancel;
  const char *cut; /* a file to be cut short */
} Progress;

static inline void
progress_cb (goffset current, goffset total, gpointer data)
{
  Progress *progress = data;

  g_assert_cmpint (current, >=, progress->current);
  progress->current = current;
  progress->total = total;
  progress->n_calls++;
  if (progress->cancel != NULL)
    g_cancellable_cancel (progress->cancel);
  if (progress->cut != NULL)
    g_assert_cmpint (truncate (progress->cut, current + 1000), ==, 0);
}

/* Of an asynchronous call whose result nobody asks for; `data` is the main loop. */
static inline void
ignored_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  g_main_loop_quit (data);
}
