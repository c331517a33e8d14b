/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-cast-private.h"
#include "shnd-copy-private.h"

#include <string.h>

/* A run shorter than this costs more to start than to do. */
#define SHORT_RUN 16

/* Of a transposition, as many columns at a time as there are elements in a few cache lines: the
 * lines that one row has brought in are still there for the next. */
#define STRIP 64
#define FAR_STRIDE 64

typedef struct
{
  gint64 size;
  gint64 target_stride;
  gint64 source_stride;
} Dim;

/* Two blocks of memory of the same shape, walked through together. */
typedef struct
{
  guint n_dims;
  Dim dims[SHND_MAX_DIMS];
  guint8 *target;
  const guint8 *source;
  ShndDType *target_dtype; /* NULL: elements of `size` bytes are copied as they are */
  ShndDType *source_dtype;
  gsize size;
} Plan;

static void
append_dim (Plan *plan, gint64 size, gint64 target_stride, gint64 source_stride)
{
  if (size == 1)
    return;

  /* Forwards through the target. */
  if (target_stride < 0)
    {
      plan->target += (size - 1) * target_stride;
      plan->source += (size - 1) * source_stride;
      target_stride = -target_stride;
      source_stride = -source_stride;
    }
  plan->dims[plan->n_dims++] = (Dim){ size, target_stride, source_stride };
}

static gint64
get_distance (const Dim *dim)
{
  return dim->source_stride < 0 ? -dim->source_stride : dim->source_stride;
}

static void
swap_dims (Dim *a, Dim *b)
{
  Dim dim = *a;

  *a = *b;
  *b = dim;
}

static gboolean
belongs_inside (const Dim *a, const Dim *b)
{
  if (a->target_stride != b->target_stride)
    return a->target_stride < b->target_stride;
  return get_distance (a) < get_distance (b);
}

static void
sort_dims (Plan *plan)
{
  for (guint i = 1; i < plan->n_dims; i++)
    for (Dim *dim = &plan->dims[i]; dim > plan->dims && belongs_inside (dim - 1, dim); dim--)
      swap_dims (dim - 1, dim);
}

static void
coalesce_dims (Plan *plan)
{
  guint n_dims = 0;

  for (guint i = 0; i < plan->n_dims; i++)
    {
      Dim dim = plan->dims[i];
      Dim *outer = n_dims > 0 ? &plan->dims[n_dims - 1] : NULL;

      if (outer != NULL && outer->target_stride == dim.target_stride * dim.size &&
          outer->source_stride == dim.source_stride * dim.size)
        {
          dim.size *= outer->size;
          *outer = dim;
        }
      else
        plan->dims[n_dims++] = dim;
    }
  plan->n_dims = n_dims;
}

/* Of the last dimension only the `n` elements from `first` on. */
static void
copy_strip (const Plan *plan, gint64 first, gint64 n)
{
  gint64 indices[SHND_MAX_DIMS] = { 0 };
  guint last = plan->n_dims - 1;
  ShndRun run = {
    .target = plan->target + first * plan->dims[last].target_stride,
    .target_stride = plan->dims[last].target_stride,
    .source = plan->source + first * plan->dims[last].source_stride,
    .source_stride = plan->dims[last].source_stride,
    .n = n,
  };

  for (;;)
    {
      guint i = last;

      if (plan->target_dtype != NULL)
        shnd_cast (plan->target_dtype, plan->source_dtype, &run);
      else
        shnd_move (&run, plan->size);
      for (;;)
        {
          const Dim *dim;

          if (i == 0)
            return;
          dim = &plan->dims[--i];
          run.target += dim->target_stride;
          run.source += dim->source_stride;
          if (++indices[i] < dim->size)
            break;
          run.target -= dim->size * dim->target_stride;
          run.source -= dim->size * dim->source_stride;
          indices[i] = 0;
        }
    }
}

static void
execute (Plan *plan)
{
  gint64 strip;
  Dim *last;

  sort_dims (plan);
  coalesce_dims (plan);
  if (plan->n_dims == 0)
    plan->dims[plan->n_dims++] = (Dim){ .size = 1 };

  last = &plan->dims[plan->n_dims - 1];
  if (last > plan->dims && last->size < SHORT_RUN && last[-1].size > last->size)
    swap_dims (last - 1, last);

  strip = last->size;
  if (get_distance (last) >= FAR_STRIDE)
    for (Dim *dim = plan->dims; dim < last; dim++)
      if (get_distance (dim) < get_distance (last) && dim->source_stride != 0)
        strip = STRIP;

  for (gint64 first = 0; first < last->size; first += strip)
    copy_strip (plan, first, MIN (strip, last->size - first));
}

void
shnd_copy (const ShndLayout *target, const ShndLayout *source)
{
  Plan plan = {
    .target = target->data,
    .source = source->data,
    .target_dtype = target->dtype,
    .source_dtype = source->dtype,
  };

  g_return_if_fail (target->n_dims == source->n_dims);

  /* Without bytes there can be more elements than one can count. */
  if (target->dtype->item_size == 0)
    return;
  for (guint i = 0; i < target->n_dims; i++)
    if (target->shape[i] == 0)
      return;
  for (guint i = 0; i < target->n_dims; i++)
    append_dim (&plan, target->shape[i], target->strides[i], source->strides[i]);
  execute (&plan);
}

/* The dimensions from `dim` on, at `data`, between `packed` and there. */
typedef struct
{
  const ShndLayout *layout;
  gboolean gather;
  guint64 sizes[SHND_MAX_DIMS + 1]; /* elements in the dimensions from this one on */
} Transfer;

/* `n` whole entries of dimension `dim`. */
static void
transfer_box (const Transfer *self, guint dim, guint8 *data, guint64 n, guint8 *packed)
{
  const ShndLayout *layout = self->layout;
  gsize size = layout->dtype->item_size;
  Plan plan = {
    .target = self->gather ? packed : data,
    .source = self->gather ? data : packed,
    .size = size,
  };

  for (guint i = dim; i < layout->n_dims; i++)
    {
      gint64 packed_stride = self->sizes[i + 1] * size;
      gint64 stride = layout->strides[i];

      append_dim (&plan, i == dim ? (gint64) n : layout->shape[i],
                  self->gather ? packed_stride : stride, self->gather ? stride : packed_stride);
    }
  execute (&plan);
}

/* A range is the rest of one entry, whole entries, and the beginning of another. */
static void
transfer (const Transfer *self, guint dim, guint8 *data, guint64 first, guint64 n, guint8 *packed)
{
  const ShndLayout *layout = self->layout;

  while (n > 0)
    {
      guint64 entry_size = dim < layout->n_dims ? self->sizes[dim + 1] : 1;
      gint64 stride = dim < layout->n_dims ? layout->strides[dim] : 0;
      guint64 skipped = first % entry_size;
      guint8 *entry = data + (gint64) (first / entry_size) * stride;
      guint64 step;

      if (skipped == 0 && n >= entry_size)
        {
          step = n - n % entry_size;
          transfer_box (self, dim, entry, step / entry_size, packed);
        }
      else
        {
          step = MIN (n, entry_size - skipped);
          transfer (self, dim + 1, entry, skipped, step, packed);
        }
      first += step;
      n -= step;
      packed += step * layout->dtype->item_size;
    }
}

static void
transfer_range (const ShndLayout *layout, gboolean gather, guint64 first, guint64 n, guint8 *packed)
{
  Transfer self = { .layout = layout, .gather = gather };

  if (layout->dtype->item_size == 0)
    return;

  self.sizes[layout->n_dims] = 1;
  for (guint i = layout->n_dims; i > 0; i--)
    self.sizes[i - 1] = self.sizes[i] * layout->shape[i - 1];

  g_return_if_fail (first <= self.sizes[0] && n <= self.sizes[0] - first);

  transfer (&self, 0, layout->data, first, n, packed);
}

void
shnd_gather (const ShndLayout *source, guint64 first, guint64 n, guint8 *target)
{
  transfer_range (source, TRUE, first, n, target);
}

void
shnd_scatter (const ShndLayout *target, guint64 first, guint64 n, const guint8 *source)
{
  transfer_range (target, FALSE, first, n, (guint8 *) source);
}
