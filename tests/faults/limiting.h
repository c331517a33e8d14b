/* SPDX-License-Identifier: MIT */

/* Less of something than a process would have. */

#pragma once

#include <glib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Leaves so many descriptors. */
static inline void
leave_descriptors (guint n, struct rlimit *before)
{
  struct rlimit limit;
  int lowest[8];

  g_assert_cmpuint (n, <, G_N_ELEMENTS (lowest));
  for (guint i = 0; i <= n; i++)
    lowest[i] = dup (0);
  for (guint i = 0; i <= n; i++)
    close (lowest[i]);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, before), ==, 0);
  limit = *before;
  limit.rlim_cur = lowest[n];
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
}

/* Leaves so many bytes of address space. */
static inline void
leave_memory (gsize n_bytes, struct rlimit *before)
{
  g_autofree char *text = NULL;
  struct rlimit limit;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  g_assert_cmpint (getrlimit (RLIMIT_AS, before), ==, 0);
  limit = *before;
  limit.rlim_cur = g_ascii_strtoull (text, NULL, 10) * sysconf (_SC_PAGESIZE) + n_bytes;
  g_assert_cmpint (setrlimit (RLIMIT_AS, &limit), ==, 0);
}
