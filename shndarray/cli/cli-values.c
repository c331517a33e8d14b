/* SPDX-License-Identifier: MIT */

#include "cli-values.h"

#include "cli-signals.h"
#include "cli-text.h"

#include <math.h>

/* In elements, if a single row is not more: few enough to stay in the processor's cache. */
#define BAND_SIZE 32768

/* Of how many elements all are looked at, which is done well below a second; and of how many in an array
 * with more: each can be in a page of its own, and a page that is only read takes memory, too. */
#define MOST_ELEMENTS (G_GUINT64_CONSTANT (1) << 24)
#define SAMPLE_SIZE (G_GUINT64_CONSTANT (1) << 16)

/* In columns, of a message: thousands of fields are no help. */
#define MOST_DTYPE_WIDTH 60

struct _CliValues
{
  ShndArray *array;
  ShndArray *band;     /* as many rows, as doubles or complex numbers */
  gdouble *magnitudes; /* of those, or NULL */
  gint64 n_rows;
  gint64 n_band_rows;
  gint64 next; /* row */
  gsize row_size;
};

static gboolean
is_complex (ShndArray *array)
{
  return shnd_dtype_get_kind (shnd_array_get_dtype (array)) == SHND_DTYPE_KIND_COMPLEX;
}

static gboolean
check_dtype (ShndArray *array, GError **error)
{
  ShndDType *dtype = shnd_array_get_dtype (array);
  g_autofree char *text = NULL;

  switch (shnd_dtype_get_kind (dtype))
    {
    case SHND_DTYPE_KIND_BOOL:
    case SHND_DTYPE_KIND_INT:
    case SHND_DTYPE_KIND_UINT:
    case SHND_DTYPE_KIND_FLOAT:
    case SHND_DTYPE_KIND_COMPLEX:
      return TRUE;
    case SHND_DTYPE_KIND_STRUCT:
      text = cli_text_shorten (shnd_dtype_to_string (dtype), MOST_DTYPE_WIDTH);
      g_set_error (error, SHND_ERROR, SHND_ERROR_TYPE_MISMATCH,
                   "The elements have fields, as the dtype %s says: expected a choice with --field",
                   text);
      return FALSE;
    default:
      g_set_error (error, SHND_ERROR, SHND_ERROR_TYPE_MISMATCH,
                   "The dtype %s cannot be drawn: expected numbers or truth values",
                   shnd_dtype_to_string (dtype));
      return FALSE;
    }
}

CliValues *
cli_values_new (ShndArray *array, GError **error)
{
  g_autoptr (CliValues) self = g_new0 (CliValues, 1);
  g_autoptr (ShndDType) dtype = NULL;
  gint64 shape[SHND_MAX_DIMS];
  const gint64 *array_shape;
  guint n_dims;

  if (!check_dtype (array, error))
    return NULL;

  /* A single element is a row of one. */
  if (shnd_array_get_n_dims (array) == 0)
    self->array = shnd_array_reshape (array, (const gint64[]){ 1 }, 1, error);
  else
    self->array = g_object_ref (array);
  if (self->array == NULL)
    return NULL;

  array_shape = shnd_array_get_shape (self->array, &n_dims);
  self->n_rows = array_shape[0];
  self->row_size = 1;
  for (guint i = 1; i < n_dims; i++)
    {
      shape[i] = array_shape[i];
      self->row_size *= shape[i];
    }

  if (self->n_rows == 0 || self->row_size == 0)
    {
      self->n_rows = 0;
      return g_steal_pointer (&self);
    }

  self->n_band_rows = CLAMP (BAND_SIZE / (gint64) self->row_size, 1, self->n_rows);
  shape[0] = self->n_band_rows;
  dtype = shnd_dtype_new (is_complex (array) ? "complex128" : "float64", error);
  if (dtype == NULL)
    return NULL;
  self->band = shnd_array_new (NULL, dtype, shape, n_dims, SHND_CREATE_NONE, error);
  if (self->band == NULL)
    return NULL;
  if (is_complex (array))
    {
      self->magnitudes = g_try_new (gdouble, self->n_band_rows * self->row_size);
      if (self->magnitudes == NULL)
        {
          g_set_error_literal (error, SHND_ERROR, SHND_ERROR_NO_SPACE,
                               "There is not enough memory for a row of the array");
          return NULL;
        }
    }

  return g_steal_pointer (&self);
}

void
cli_values_free (CliValues *self)
{
  g_clear_object (&self->array);
  g_clear_object (&self->band);
  g_free (self->magnitudes);
  g_free (self);
}

const gdouble *
cli_values_next (CliValues *self, gsize *n, GError **error)
{
  g_autoptr (ShndArray) rows = NULL;
  g_autoptr (ShndArray) target = NULL;
  gint64 n_rows = MIN (self->n_band_rows, self->n_rows - self->next);
  const gdouble *numbers;

  *n = 0;
  if (g_cancellable_set_error_if_cancelled (cli_signals_get_cancellable (), error) || n_rows <= 0)
    return NULL;

  rows = shnd_array_slice (self->array, 0, self->next, self->next + n_rows, 1, error);
  if (rows == NULL)
    return NULL;
  target = shnd_array_slice (self->band, 0, 0, n_rows, 1, error);
  if (target == NULL || !shnd_array_copy_from (target, rows, error))
    return NULL;

  self->next += n_rows;
  *n = n_rows * self->row_size;
  numbers = shnd_array_get_data (self->band);
  if (self->magnitudes == NULL)
    return numbers;

  for (gsize i = 0; i < *n; i++)
    self->magnitudes[i] = hypot (numbers[2 * i], numbers[2 * i + 1]);

  return self->magnitudes;
}

ShndArray *
cli_values_sample (ShndArray *array, gboolean *is_sample, GError **error)
{
  g_autoptr (ShndArray) sample = g_object_ref (array);
  guint64 size = shnd_array_get_size (array);

  *is_sample = size > MOST_ELEMENTS;

  /* The longest axis, until there are few enough. */
  while (*is_sample && size > SAMPLE_SIZE)
    {
      guint n_dims;
      const gint64 *shape = shnd_array_get_shape (sample, &n_dims);
      g_autoptr (ShndArray) next = NULL;
      guint longest = 0;
      gint64 step;

      for (guint i = 1; i < n_dims; i++)
        {
          if (shape[i] > shape[longest])
            longest = i;
        }

      step = MIN ((size + SAMPLE_SIZE - 1) / SAMPLE_SIZE, (guint64) shape[longest]);
      if (n_dims > 1)
        step = MIN (step, 2);
      next = shnd_array_slice (sample, longest, 0, shape[longest], step, error);
      if (next == NULL)
        return NULL;
      g_set_object (&sample, next);
      size = shnd_array_get_size (sample);
    }

  return g_steal_pointer (&sample);
}

gboolean
cli_values_get_range (ShndArray *array, gdouble *minimum, gdouble *maximum, GError **error)
{
  g_autoptr (CliValues) values = cli_values_new (array, error);
  g_autoptr (GError) local_error = NULL;
  gdouble smallest = INFINITY;
  gdouble largest = -INFINITY;
  const gdouble *numbers;
  gsize n;

  if (values == NULL)
    return FALSE;

  while ((numbers = cli_values_next (values, &n, &local_error)) != NULL)
    {
      for (gsize i = 0; i < n; i++)
        {
          if (!isfinite (numbers[i]))
            continue;
          smallest = MIN (smallest, numbers[i]);
          largest = MAX (largest, numbers[i]);
        }
    }
  if (local_error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }

  *minimum = smallest <= largest ? smallest : NAN;
  *maximum = smallest <= largest ? largest : NAN;

  return TRUE;
}

gdouble
cli_values_get_place (gdouble number, gdouble minimum, gdouble maximum)
{
  /* Halves, as the distance of two doubles can be more than the largest of them. */
  gdouble distance = maximum / 2 - minimum / 2;
  gdouble place;

  if (isnan (number) || !(distance > 0))
    return isnan (number) ? number : 0;

  place = (number / 2 - minimum / 2) / distance;

  return CLAMP (place, 0, 1);
}
