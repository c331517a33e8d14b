/* SPDX-License-Identifier: MIT */

/* Adds to a tally that other processes add to as well: worker NAME ROUNDS. */

#include <shndarray/shndarray.h>
#include <stdlib.h>

/* Counts twice; who dies in between leaves the two numbers unequal. */
static gboolean
count (ShndArray *tally, guint *n_recovered, GError **error)
{
  gint32 *numbers = shnd_array_get_data (tally);
  gboolean recovered;

  if (!shnd_array_lock (tally, 10 * G_USEC_PER_SEC, NULL, &recovered, error))
    return FALSE;

  if (recovered)
    {
      numbers[1] = numbers[0];
      ++*n_recovered;
    }
  g_assert_cmpint (numbers[0], ==, numbers[1]);
  numbers[0]++;
  numbers[1]++;

  return shnd_array_update (tally, error) && shnd_array_unlock (tally, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndArray) tally = NULL;
  guint n_recovered = 0;

  tally = shnd_array_open_wait (argv[1], SHND_ACCESS_READ_WRITE, 10 * G_USEC_PER_SEC, NULL, &error);
  if (tally == NULL)
    g_error ("%s", error->message);

  for (int i = atoi (argv[2]); i > 0; i--)
    {
      if (!count (tally, &n_recovered, &error))
        g_error ("%s", error->message);
    }

  g_print ("C: done, recovered %u\n", n_recovered);
  return 0;
}
