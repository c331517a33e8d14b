/* SPDX-License-Identifier: MIT */

/* Runs a fuzzer's function over a folder of seeds without libFuzzer: each as it is, cut at every
 * place, and with every byte changed in some ways. */

#include "fuzz.h"

static void
run (const guint8 *data, gsize size)
{
  g_autofree guint8 *copy = g_memdup2 (data, size);

  LLVMFuzzerTestOneInput (copy != NULL ? copy : (const guint8 *) "", size);
}

static guint
run_changed (guint8 *data, gsize size)
{
  static const guint8 replacements[] = { 0, '\n', '\'', ',', '0', '9', '(', ')', '[', '{', 0xff };
  guint n = 0;

  for (gsize i = 0; i < size; i++)
    {
      const guint8 byte = data[i];

      run (data, i);
      for (gsize k = 0; k < G_N_ELEMENTS (replacements); k++)
        {
          data[i] = replacements[k];
          run (data, size);
        }
      data[i] = byte ^ 1;
      run (data, size);
      data[i] = byte;
      n += 2 + G_N_ELEMENTS (replacements);
    }

  return n;
}

int
main (int argc, char *argv[])
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) folder = NULL;
  const char *name;
  guint n_seeds = 0;
  guint n_changed = 0;

  if (argc != 2)
    g_error ("Usage: %s FOLDER", argv[0]);

  folder = g_dir_open (argv[1], 0, &error);
  g_assert_no_error (error);

  while ((name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *path = g_build_filename (argv[1], name, NULL);
      g_autofree char *contents = NULL;
      gsize length;

      g_file_get_contents (path, &contents, &length, &error);
      g_assert_no_error (error);

      /* Shown only if the test fails: the last one is the culprit. */
      g_print ("%s\n", name);
      run ((const guint8 *) contents, length);
      /* The largest seeds are there for their size, not for each of their bytes. */
      if (length <= 1024)
        n_changed += run_changed ((guint8 *) contents, length);
      n_seeds++;
    }

  g_print ("%u seeds, %u changed\n", n_seeds, n_changed);
  g_assert_cmpuint (n_seeds, >, 0);

  return 0;
}
