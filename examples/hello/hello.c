/* SPDX-License-Identifier: MIT */

#include <shndarray/shndarray.h>

int
main (void)
{
  const gint64 shape[] = { 2, 3 }, last[] = { 1, 2 };
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndArray) opened = NULL;
  g_autoptr (ShndDType) dtype = shnd_dtype_new ("float32", &error);
  g_autoptr (ShndArray) made =
      shnd_array_new ("hello-c", dtype, shape, 2, SHND_CREATE_NONE, &error);

  if (made != NULL && shnd_array_set_double (made, last, 2, 42, &error))
    opened = shnd_array_open ("hello-c", SHND_ACCESS_READ, &error);
  if (opened == NULL)
    g_error ("%s", error->message);

  g_print ("%s: %g\n", shnd_array_get_name (opened), shnd_array_get_double (opened, last, 2, NULL));
  return 0;
}
