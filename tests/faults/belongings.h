/* SPDX-License-Identifier: MIT */

/* What a process has, to see that it has lost nothing on the way. */

#pragma once

#include <glib.h>
#include <string.h>

typedef struct
{
  guint threads;
  guint fds;
  guint mappings; /* of arrays, named or not */
} Belongings;

static inline guint
belongings_count_entries (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;

  return n;
}

static inline guint
belongings_count_lines (const char *text, const char *part)
{
  guint n = 0;

  for (const char *at = text; (at = strstr (at, part)) != NULL; at++)
    n++;

  return n;
}

static inline void
belongings_get (Belongings *self)
{
  g_autofree char *maps = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL));
  self->mappings =
      belongings_count_lines (maps, "/dev/shm/") + belongings_count_lines (maps, "/memfd:");
  self->fds = belongings_count_entries ("/proc/self/fd");
  self->threads = belongings_count_entries ("/proc/self/task");
}

/* Ends the program if something is missing, or left over. A thread that was joined may be listed
 * for a moment. */
static inline void
belongings_check (const Belongings *before, const char *whose)
{
  Belongings now;

  for (guint i = 0; i < 1000; i++)
    {
      belongings_get (&now);
      if (memcmp (before, &now, sizeof now) == 0)
        return;
      g_usleep (10000);
    }

  g_error ("%s: threads, descriptors, mappings: %u, %u, %u before, %u, %u, %u after", whose,
           before->threads, before->fds, before->mappings, now.threads, now.fds, now.mappings);
}
