/* SPDX-License-Identifier: MIT */

/* What several of the tests need. */

#pragma once

#include <shndarray/shndarray.h>

/* For what is to happen: over, the test has failed. In microseconds. */
#define PATIENCE (60 * G_USEC_PER_SEC)

/* Fills memory that is to stay as it is. */
#define CANARY 0xa5

/* A shape and how many dimensions it has, as two arguments. */
#define SHAPE(...)                                                                                 \
  (const gint64[]){ __VA_ARGS__ }, sizeof ((const gint64[]){ __VA_ARGS__ }) / sizeof (gint64)

static inline ShndDType *
new_dtype (const char *description)
{
  g_autoptr (GError) error = NULL;
  ShndDType *dtype = shnd_dtype_new (description, &error);

  g_assert_no_error (error);
  g_assert_nonnull (dtype);
  return dtype;
}
