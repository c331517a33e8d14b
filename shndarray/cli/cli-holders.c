/* SPDX-License-Identifier: MIT */

#include "cli-holders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void
holder_free (gpointer data)
{
  CliHolder *self = data;

  g_free (self->command);
  g_free (self);
}

/* Which file it is. Descriptors lead anywhere, and nobody is to be asked over a network for that. */
static gboolean
look (int directory, const char *path, struct statx *info)
{
  return statx (directory, path, AT_STATX_DONT_SYNC, STATX_INO, info) == 0;
}

static gboolean
is_same (const struct statx *a, const struct statx *b)
{
  return a->stx_ino == b->stx_ino && a->stx_dev_major == b->stx_dev_major &&
         a->stx_dev_minor == b->stx_dev_minor;
}

static gboolean
has_open (const char *pid, const struct statx *file, gboolean *some_unseen)
{
  g_autofree char *path = g_build_filename ("/proc", pid, "fd", NULL);
  DIR *dir = opendir (path);
  gboolean found = FALSE;
  const struct dirent *entry;
  struct statx info;

  if (dir == NULL)
    {
      /* The others are gone by now. */
      if (errno == EACCES || errno == EPERM)
        *some_unseen = TRUE;
      return FALSE;
    }

  while (!found && (entry = readdir (dir)) != NULL)
    found = entry->d_name[0] != '.' && look (dirfd (dir), entry->d_name, &info) &&
            is_same (&info, file);
  closedir (dir);

  return found;
}

static char *
read_file (const char *pid, const char *name, gsize *length)
{
  g_autofree char *path = g_build_filename ("/proc", pid, name, NULL);
  char *content = NULL;

  if (!g_file_get_contents (path, &content, length, NULL))
    *length = 0;

  return content;
}

/* The words have a NUL each at their end; who has none, has at least a name. */
static char *
read_command (const char *pid)
{
  g_autofree char *words = NULL;
  gsize length;

  words = read_file (pid, "cmdline", &length);
  while (length > 0 && words[length - 1] == '\0')
    length--;
  for (gsize i = 0; i < length; i++)
    {
      if (words[i] == '\0')
        words[i] = ' ';
    }

  if (length == 0)
    {
      g_free (words);
      words = read_file (pid, "comm", &length);
      if (length > 0 && words[length - 1] == '\n')
        words[length - 1] = '\0';
    }

  return words != NULL ? g_steal_pointer (&words) : g_strdup ("");
}

static gint
compare_holders (gconstpointer a, gconstpointer b)
{
  const CliHolder *holder_a = *(CliHolder *const *) a;
  const CliHolder *holder_b = *(CliHolder *const *) b;

  return (holder_a->pid > holder_b->pid) - (holder_a->pid < holder_b->pid);
}

GPtrArray *
cli_holders_find (const char *path, gboolean *some_unseen)
{
  GPtrArray *holders = g_ptr_array_new_with_free_func (holder_free);
  DIR *dir = opendir ("/proc");
  const struct dirent *entry;
  struct statx file;
  gboolean found = dir != NULL && look (AT_FDCWD, path, &file);

  *some_unseen = dir == NULL;
  while (found && (entry = readdir (dir)) != NULL)
    {
      int pid = atoi (entry->d_name);

      if (pid > 0 && pid != getpid () && has_open (entry->d_name, &file, some_unseen))
        {
          CliHolder *holder = g_new0 (CliHolder, 1);

          holder->pid = pid;
          holder->command = read_command (entry->d_name);
          g_ptr_array_add (holders, holder);
        }
    }
  if (dir != NULL)
    closedir (dir);
  g_ptr_array_sort (holders, compare_holders);

  return holders;
}
