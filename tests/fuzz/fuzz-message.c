/* SPDX-License-Identifier: MIT */

/* Any message, of either side: it is refused, or all that it says is inside of it, and what a frame
 * describes is inside of its slot. The first byte says which side sends it, and whether a descriptor
 * comes with it; and whether the size in its header is made the right one. */

#include <string.h>

#include <shndarray/shndarray.h>

#include "shnd-protocol-private.h"

#include "fuzz.h"

#define CAPACITY 65536

enum
{
  FROM_PUBLISHER = 1 << 0,
  HAS_FD = 1 << 1,
  FIX_SIZE = 1 << 2,
};

static void
check_inside (const guint8 *data, gsize size, gconstpointer part, gsize part_size)
{
  const guint8 *start = part;

  g_assert_true (start >= data && start <= data + size);
  g_assert_cmpuint (part_size, <=, size - (start - data));
}

static void
check_metadata (const guint8 *metadata, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (metadata, size);
  g_autoptr (GVariant) variant = NULL;

  variant = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, bytes, FALSE));
  if (g_variant_is_normal_form (variant))
    {
      g_autofree char *text = g_variant_print (variant, TRUE);

      g_assert_cmpuint (strlen (text), >, 0);
    }
}

/* The same that a subscriber does with it. */
static void
check_layout (const ShndMessage *message)
{
  const ShndMessageFrame *frame = message->frame;
  const gsize size = frame->n_dims * sizeof (gint64);
  g_autofree char *text = g_strndup (message->dtype, frame->dtype_size);
  g_autoptr (ShndDType) dtype = shnd_dtype_new (text, NULL);
  g_autoptr (GByteArray) again = g_byte_array_new ();
  ShndMessage parsed;
  ShndLayout layout;
  gint64 low, high;

  if (dtype == NULL ||
      !shnd_layout_init (&layout, dtype, message->shape, frame->n_dims, FALSE, NULL))
    return;
  if (layout.n_dims != frame->n_dims)
    return;

  memcpy (layout.strides, message->strides, size);
  if (!shnd_message_fits_slot (&layout, frame->offset, CAPACITY))
    return;

  g_assert_cmpuint (frame->offset, <=, CAPACITY);
  shnd_layout_get_span (&layout, &low, &high);
  g_assert_cmpint ((gint64) frame->offset + low, >=, 0);
  g_assert_cmpint ((gint64) frame->offset + high, <=, CAPACITY);

  shnd_message_build_frame (again, &layout, frame->offset, frame->timestamp, NULL);
  ((ShndMessageFrame *) (gpointer) again->data)->sequence = frame->sequence;
  g_assert_null (shnd_message_parse (&parsed, again->data, again->len, TRUE, FALSE));
  g_assert_cmpuint (parsed.frame->offset, ==, frame->offset);
  g_assert_cmpmem (parsed.shape, size, message->shape, size);
  g_assert_cmpmem (parsed.strides, size, message->strides, size);
  g_assert_cmpmem (parsed.dtype, parsed.frame->dtype_size, shnd_dtype_to_string (layout.dtype),
                   strlen (shnd_dtype_to_string (layout.dtype)));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree guint8 *copy = NULL;
  const char *problem;
  ShndMessage message;
  guint8 flags;

  if (size < 1 || size > SHND_MAX_MESSAGE)
    return 0;

  /* Exactly as long as the message, so that a sanitizer sees a read beyond the end; and aligned. */
  flags = *data++;
  size--;
  copy = g_malloc (MAX (size, 1));
  memcpy (copy, data, size);
  if ((flags & FIX_SIZE) != 0 && size >= sizeof (ShndMessageHeader))
    ((ShndMessageHeader *) (gpointer) copy)->size = size;

  problem = shnd_message_parse (&message, copy, size, (flags & FROM_PUBLISHER) != 0,
                                (flags & HAS_FD) != 0);
  if (problem != NULL)
    {
      g_assert_true (g_utf8_validate (problem, -1, NULL));
      return 0;
    }

  g_assert_cmpint (message.type >= SHND_MESSAGE_WELCOME, ==, (flags & FROM_PUBLISHER) != 0);
  if (message.slots != NULL)
    check_inside (copy, size, message.slots, message.n_slots * sizeof *message.slots);
  if (message.hello != NULL)
    check_inside (copy, size, message.hello, sizeof *message.hello);
  if (message.refused != NULL)
    g_assert_true (g_utf8_validate (message.refusal, -1, NULL));
  if (message.frame != NULL)
    {
      const gsize dims_size = message.frame->n_dims * sizeof (gint64);

      check_inside (copy, size, message.shape, dims_size);
      check_inside (copy, size, message.strides, dims_size);
      check_inside (copy, size, message.dtype, message.frame->dtype_size);
      check_inside (copy, size, message.metadata, message.frame->metadata_size);
      check_metadata (message.metadata, message.frame->metadata_size);
      check_layout (&message);
    }

  return 0;
}
