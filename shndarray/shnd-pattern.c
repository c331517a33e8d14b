/* SPDX-License-Identifier: MIT */

#include "shnd-pattern-private.h"

#include <string.h>

/* How often a model may be of no use in succession, and then one in how many is tried. */
#define MAX_MISSES 8
#define INTERVAL 64

/* 0 for what is no number, and for booleans: these cannot be of any value. */
static gsize
get_size (char type)
{
  switch (type)
    {
    case G_VARIANT_CLASS_BYTE:
      return 1;
    case G_VARIANT_CLASS_INT16:
    case G_VARIANT_CLASS_UINT16:
      return 2;
    case G_VARIANT_CLASS_INT32:
    case G_VARIANT_CLASS_UINT32:
      return 4;
    case G_VARIANT_CLASS_INT64:
    case G_VARIANT_CLASS_UINT64:
    case G_VARIANT_CLASS_DOUBLE:
      return 8;
    default:
      return 0;
    }
}

void
shnd_pattern_clear (ShndPattern *self)
{
  g_clear_pointer (&self->model, g_variant_unref);
  g_clear_pointer (&self->numbers, g_array_unref);
  self->n_misses = 0;
}

gboolean
shnd_pattern_matches (ShndPattern *self, gconstpointer data, gsize size)
{
  const char *known, *given = data;
  gsize done = 0;

  if (self->model == NULL || g_variant_get_size (self->model) != size)
    return FALSE;

  known = g_variant_get_data (self->model);
  for (guint i = 0; i < self->numbers->len; i++)
    {
      const ShndPatternNumber *number = &g_array_index (self->numbers, ShndPatternNumber, i);

      if (memcmp (known + done, given + done, number->start - done) != 0)
        return FALSE;
      done = number->start + get_size (number->type);
    }

  if (memcmp (known + done, given + done, size - done) != 0)
    return FALSE;

  self->n_misses = 0;
  return TRUE;
}

static void
add_number (ShndPattern *self, const char *key, GVariant *value)
{
  const char *known = g_variant_get_data (self->model);
  const char *data = g_variant_get_data (value);
  const ShndPatternNumber number = {
    .key = key,
    .start = data - known,
    .type = g_variant_classify (value),
  };
  const gsize size = get_size (number.type);

  /* Otherwise it is one of the bytes that have to be the same. */
  if (size > 0 && data >= known && data + size <= known + g_variant_get_size (self->model))
    g_array_append_val (self->numbers, number);
}

gboolean
shnd_pattern_learn (ShndPattern *self, GVariant *metadata)
{
  GVariantIter iter;
  const char *key;
  GVariant *value;

  /* Without a byte to compare. */
  if (g_variant_get_size (metadata) == 0)
    return FALSE;

  self->n_misses++;
  if (self->n_misses > MAX_MISSES && self->n_misses % INTERVAL != 0)
    return FALSE;
  if (!g_variant_is_normal_form (metadata))
    return FALSE;

  g_clear_pointer (&self->model, g_variant_unref);
  g_clear_pointer (&self->numbers, g_array_unref);
  self->model = g_variant_ref (metadata);
  self->numbers = g_array_new (FALSE, FALSE, sizeof (ShndPatternNumber));

  /* Makes its values parts of its bytes. */
  g_variant_get_data (metadata);
  g_variant_iter_init (&iter, metadata);
  while (g_variant_iter_next (&iter, "{&sv}", &key, &value))
    {
      add_number (self, key, value);
      g_variant_unref (value);
    }

  return TRUE;
}
