/* SPDX-License-Identifier: MIT */

#include "cli-statistics.h"

#include <math.h>

/* Elements that are looked at at a time: they stay in the cache meanwhile. */
#define BLOCK_SIZE 32768

/* Of real numbers, or of one part of complex ones. Wider than the numbers are, for their squares, and
 * for the sum of many. */
typedef struct
{
  guint64 n;
  long double mean;
  long double squares; /* of the differences from the mean, summed */
} Moments;

typedef struct
{
  CliStatistics *statistics;
  ShndArray *block; /* converted elements, in memory of this process */
  Moments parts[2]; /* the second is of imaginary parts */
  gdouble *finite;  /* numbers of a block, real parts before imaginary ones */
  guint64 n_done;
  GCancellable *cancellable;
  GFileProgressCallback progress_callback;
  gpointer progress_callback_data;
} Work;

/* What the elements are converted to: integers stay exact. */
static const char *
get_block_dtype (ShndDTypeKind kind)
{
  switch (kind)
    {
    case SHND_DTYPE_KIND_BOOL:
    case SHND_DTYPE_KIND_UINT:
      return "uint64";
    case SHND_DTYPE_KIND_INT:
      return "int64";
    case SHND_DTYPE_KIND_FLOAT:
      return "float64";
    case SHND_DTYPE_KIND_COMPLEX:
      return "complex128";
    default:
      return NULL;
    }
}

/* The mean is found first, so that what is squared is small; what is wrong with it then goes with the
 * sum of the differences. */
static void
add_moments (Moments *moments, const gdouble *values, gsize n)
{
  long double mean = 0, sum = 0, squares = 0, delta;
  guint64 total = moments->n + n;

  if (n == 0)
    return;

  for (gsize i = 0; i < n; i++)
    mean += values[i];
  mean /= n;
  for (gsize i = 0; i < n; i++)
    {
      long double difference = values[i] - mean;

      sum += difference;
      squares += difference * difference;
    }
  squares -= sum * sum / n;
  mean += sum / n;

  delta = mean - moments->mean;
  moments->mean += delta * n / total;
  moments->squares += squares + delta * delta * ((long double) moments->n * n / total);
  moments->n = total;
}

static void
add_signed (Work *work, const gint64 *values, gsize n)
{
  CliStatistics *statistics = work->statistics;
  gint64 min = values[0], max = values[0];

  for (gsize i = 0; i < n; i++)
    {
      statistics->n_zero += values[i] == 0;
      min = MIN (min, values[i]);
      max = MAX (max, values[i]);
      work->finite[i] = values[i];
    }
  if (statistics->n_finite == 0 || min < statistics->min.signed_integer)
    statistics->min.signed_integer = min;
  if (statistics->n_finite == 0 || max > statistics->max.signed_integer)
    statistics->max.signed_integer = max;
  statistics->n_finite += n;
  add_moments (&work->parts[0], work->finite, n);
}

static void
add_unsigned (Work *work, const guint64 *values, gsize n)
{
  CliStatistics *statistics = work->statistics;
  guint64 min = values[0], max = values[0];

  for (gsize i = 0; i < n; i++)
    {
      statistics->n_zero += values[i] == 0;
      min = MIN (min, values[i]);
      max = MAX (max, values[i]);
      work->finite[i] = values[i];
    }
  if (statistics->n_finite == 0 || min < statistics->min.unsigned_integer)
    statistics->min.unsigned_integer = min;
  if (statistics->n_finite == 0 || max > statistics->max.unsigned_integer)
    statistics->max.unsigned_integer = max;
  statistics->n_finite += n;
  add_moments (&work->parts[0], work->finite, n);
}

static void
add_floating (Work *work, const gdouble *values, gsize n)
{
  CliStatistics *statistics = work->statistics;
  gsize n_finite = 0;

  for (gsize i = 0; i < n; i++)
    {
      gdouble value = values[i];

      statistics->n_zero += value == 0;
      statistics->n_nan += isnan (value) != 0;
      statistics->n_infinite += isinf (value) != 0;
      if (!isfinite (value))
        continue;

      if (statistics->n_finite + n_finite == 0 || value < statistics->min.floating)
        statistics->min.floating = value;
      if (statistics->n_finite + n_finite == 0 || value > statistics->max.floating)
        statistics->max.floating = value;
      work->finite[n_finite++] = value;
    }
  statistics->n_finite += n_finite;
  add_moments (&work->parts[0], work->finite, n_finite);
}

/* One is NaN if a part is, else infinite if a part is. */
static void
add_complex (Work *work, const gdouble *values, gsize n)
{
  CliStatistics *statistics = work->statistics;
  gsize n_finite = 0;

  for (gsize i = 0; i < n; i++)
    {
      gdouble real = values[2 * i], imaginary = values[2 * i + 1];
      gboolean is_nan = isnan (real) || isnan (imaginary);

      statistics->n_zero += real == 0 && imaginary == 0;
      statistics->n_nan += is_nan;
      statistics->n_infinite += !is_nan && (isinf (real) || isinf (imaginary));
      if (!isfinite (real) || !isfinite (imaginary))
        continue;

      work->finite[n_finite] = real;
      work->finite[BLOCK_SIZE + n_finite++] = imaginary;
    }
  statistics->n_finite += n_finite;
  add_moments (&work->parts[0], work->finite, n_finite);
  add_moments (&work->parts[1], work->finite + BLOCK_SIZE, n_finite);
}

/* A part that fits in the block. */
static gboolean
add_part (Work *work, ShndArray *part, GError **error)
{
  gsize n = shnd_array_get_size (part);
  g_autoptr (ShndArray) line = shnd_array_slice (work->block, 0, 0, n, 1, error);
  g_autoptr (ShndArray) target = NULL;
  gconstpointer values;
  const gint64 *shape;
  guint n_dims;

  if (line == NULL)
    return FALSE;

  shape = shnd_array_get_shape (part, &n_dims);
  target = shnd_array_reshape (line, shape, n_dims, error);
  if (target == NULL || !shnd_array_copy_from (target, part, error))
    return FALSE;

  values = shnd_array_get_data (work->block);
  switch (work->statistics->kind)
    {
    case SHND_DTYPE_KIND_INT:
      add_signed (work, values, n);
      break;
    case SHND_DTYPE_KIND_FLOAT:
      add_floating (work, values, n);
      break;
    case SHND_DTYPE_KIND_COMPLEX:
      add_complex (work, values, n);
      break;
    default:
      add_unsigned (work, values, n);
    }

  work->n_done += n;
  if (work->progress_callback != NULL)
    work->progress_callback (work->n_done * shnd_array_get_item_size (part),
                             work->statistics->n * shnd_array_get_item_size (part),
                             work->progress_callback_data);

  return TRUE;
}

/* The axis that can be cut so that each half lies together in memory as well as it can. */
static guint
find_axis (ShndArray *array, gint64 *length)
{
  guint n_dims, axis = 0;
  const gint64 *shape = shnd_array_get_shape (array, &n_dims);
  const gint64 *strides = shnd_array_get_strides (array, &n_dims);

  for (guint i = 1; i < n_dims; i++)
    {
      if (shape[i] > 1 && (shape[axis] <= 1 || ABS (strides[i]) > ABS (strides[axis])))
        axis = i;
    }
  *length = shape[axis];

  return axis;
}

static gboolean
add_array (Work *work, ShndArray *array, GError **error)
{
  g_autoptr (ShndArray) first = NULL;
  g_autoptr (ShndArray) second = NULL;
  gint64 length;
  guint axis;

  if (g_cancellable_set_error_if_cancelled (work->cancellable, error))
    return FALSE;
  if (shnd_array_get_size (array) <= BLOCK_SIZE)
    return add_part (work, array, error);

  axis = find_axis (array, &length);
  first = shnd_array_slice (array, axis, 0, length / 2, 1, error);
  if (first == NULL || !add_array (work, first, error))
    return FALSE;

  second = shnd_array_slice (array, axis, length / 2, length, 1, error);

  return second != NULL && add_array (work, second, error);
}

static void
finish (const Work *work)
{
  CliStatistics *statistics = work->statistics;

  statistics->min.kind = statistics->max.kind =
      statistics->kind == SHND_DTYPE_KIND_BOOL ? SHND_DTYPE_KIND_UINT : statistics->kind;
  if (statistics->n_finite == 0)
    {
      statistics->mean = statistics->imaginary = statistics->deviation = NAN;
      return;
    }

  statistics->mean = work->parts[0].mean;
  statistics->imaginary = work->parts[1].mean;
  statistics->deviation =
      sqrtl ((work->parts[0].squares + work->parts[1].squares) / statistics->n_finite);
}

gboolean
cli_statistics_get (ShndArray *array,
                    CliStatistics *statistics,
                    GCancellable *cancellable,
                    GFileProgressCallback progress_callback,
                    gpointer progress_callback_data,
                    GError **error)
{
  const gint64 block_shape[] = { BLOCK_SIZE };
  g_autoptr (ShndDType) dtype = NULL;
  g_autoptr (ShndArray) block = NULL;
  g_autofree gdouble *finite = NULL;
  const char *block_dtype;
  Work work = {
    .statistics = statistics,
    .cancellable = cancellable,
    .progress_callback = progress_callback,
    .progress_callback_data = progress_callback_data,
  };

  *statistics = (CliStatistics){
    .kind = shnd_dtype_get_kind (shnd_array_get_dtype (array)),
    .n = shnd_array_get_size (array),
  };
  block_dtype = get_block_dtype (statistics->kind);
  if (block_dtype == NULL)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_TYPE_MISMATCH,
                   "There are no statistics of elements of dtype %s: expected numbers or truth "
                   "values%s",
                   shnd_dtype_to_string (shnd_array_get_dtype (array)),
                   statistics->kind == SHND_DTYPE_KIND_STRUCT ? ", as --field may give" : "");
      return FALSE;
    }

  dtype = shnd_dtype_new (block_dtype, error);
  block =
      dtype == NULL ? NULL : shnd_array_new (NULL, dtype, block_shape, 1, SHND_CREATE_NONE, error);
  if (block == NULL)
    return FALSE;

  finite = g_new (gdouble, 2 * BLOCK_SIZE);
  work.block = block;
  work.finite = finite;
  if (statistics->n > 0 && !add_array (&work, array, error))
    return FALSE;

  finish (&work);

  return TRUE;
}
