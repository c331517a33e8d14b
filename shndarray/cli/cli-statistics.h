/* SPDX-License-Identifier: MIT */

#pragma once

#include <json-glib/json-glib.h>
#include <shndarray/shndarray.h>

G_BEGIN_DECLS

/* A number with all its digits. */
typedef struct
{
  ShndDTypeKind kind; /* INT, UINT or FLOAT says which of these */
  union
  {
    gint64 signed_integer;
    guint64 unsigned_integer;
    gdouble floating;
  };
} CliNumber;

/* What the elements of an array are like. */
typedef struct
{
  ShndDTypeKind kind; /* BOOL, INT, UINT, FLOAT or COMPLEX */
  guint64 n;
  guint64 n_zero;
  guint64 n_nan;
  guint64 n_infinite;

  /* Of those that are finite. */
  guint64 n_finite;
  CliNumber min, max; /* not of complex numbers; with n_finite > 0 */
  gdouble mean;       /* NaN if there is none, as for the next two */
  gdouble imaginary;  /* the mean's imaginary part */
  gdouble deviation;  /* the standard deviation, of the elements as a whole */
} CliStatistics;

/* Gets the statistics of an array of any order and byte order, with little memory, however large it
 * is. `progress_callback` as in shnd_array_save(). */
gboolean cli_statistics_get (ShndArray *array,
                             CliStatistics *statistics,
                             GCancellable *cancellable,
                             GFileProgressCallback progress_callback,
                             gpointer progress_callback_data,
                             GError **error);

/* Writes them as rows of text; elements are of so many bytes. */
void cli_statistics_print (const CliStatistics *statistics, gsize item_size);

/* Adds them to the object that is being built. */
void cli_statistics_add_json (const CliStatistics *statistics, JsonBuilder *builder);

G_END_DECLS
