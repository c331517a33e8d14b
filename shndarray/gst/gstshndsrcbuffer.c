/* SPDX-License-Identifier: MIT */

#include "gstshndsrcbuffer.h"

#include "gstshndarray.h"
#include "gstshndlayout.h"
#include "gstshndmetas.h"
#include "gstshndpicture.h"

#include <string.h>

/* ---- Memory that holds a frame ---- */

typedef struct
{
  GBytes *bytes;
  gint *held;
} Lease;

gint *
gst_shnd_held_new (void)
{
  return g_atomic_rc_box_new0 (gint);
}

void
gst_shnd_held_unref (gint *held)
{
  g_atomic_rc_box_release (held);
}

static void
lease_free (Lease *self)
{
  g_bytes_unref (self->bytes);
  g_atomic_int_add (self->held, -1);
  gst_shnd_held_unref (self->held);
  g_free (self);
}

static GstBuffer *
wrap (GBytes *bytes, gsize offset, gsize size, gint *held)
{
  const guint8 *data = g_bytes_get_data (bytes, NULL);
  GstBuffer *buffer = gst_buffer_new ();
  Lease *lease;

  if (size == 0)
    return buffer;

  lease = g_new (Lease, 1);
  lease->bytes = g_bytes_ref (bytes);
  lease->held = g_atomic_rc_box_acquire (held);
  g_atomic_int_add (held, 1);
  gst_buffer_append_memory (
      buffer, gst_memory_new_wrapped (GST_MEMORY_FLAG_READONLY, (gpointer) (data + offset), size, 0,
                                      size, lease, (GDestroyNotify) lease_free));

  return buffer;
}

/* ---- Where the bytes of the buffer are ---- */

/* The memory of a frame, and where in it the first element of the array is. */
typedef struct
{
  ShndArray *array;
  GBytes *bytes;
  gsize offset;
} Source;

static void
set_mismatch (GError **error, const GstShndFormat *format, ShndArray *array, const char *expected)
{
  g_autofree char *given = gst_shnd_array_describe (array);

  g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
               "The publisher has sent %s: expected %s, as the caps are “%s”", given, expected,
               format->text);
}

/* The elements as they are in memory if they have no gaps, and a copy without if they have. */
static GstBuffer *
new_packed (const Source *source, ShndArray *array, gint *held, GError **error)
{
  gsize run;

  if (gst_shnd_array_get_run (array, &run) == shnd_array_get_n_dims (array))
    return wrap (source->bytes, source->offset, run, held);

  /* Else a frame of some bytes could stand for more than there is memory. */
  if (shnd_array_get_n_bytes (array) > g_bytes_get_size (source->bytes))
    {
      g_autofree char *given = gst_shnd_array_describe (array);

      g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
                   "The publisher has sent %s, whose elements overlap: expected no more bytes than "
                   "the frame has, %" G_GSIZE_FORMAT,
                   given, g_bytes_get_size (source->bytes));
      return NULL;
    }

  return gst_shnd_array_copy (array, (const guint8 *) g_bytes_get_data (source->bytes, NULL) +
                                         source->offset);
}

static GstBuffer *
new_picture (const Source *source,
             const GstShndBufferParams *params,
             GstShndPicture *picture,
             GError **error)
{
  const GstVideoInfo *info = &params->format->video;
  gsize room = g_bytes_get_size (source->bytes) - source->offset;
  g_autofree char *expected = NULL;
  gboolean packed;

  if (gst_shnd_picture_init_for_array (picture, info, source->array, room, &packed))
    return packed ? new_packed (source, source->array, params->held, error) :
                    wrap (source->bytes, source->offset, picture->size, params->held);

  expected = gst_shnd_picture_describe (info);
  set_mismatch (error, params->format, source->array, expected);
  return NULL;
}

static GstBuffer *
new_samples (const Source *source, const GstShndBufferParams *params, GError **error)
{
  const GstAudioInfo *info = &params->format->audio;
  g_autoptr (ShndArray) transposed = NULL;
  g_autofree char *expected = NULL;
  guint n_dims;
  const gint64 *shape = shnd_array_get_shape (source->array, &n_dims);

  if (shnd_array_get_n_bytes (source->array) % GST_AUDIO_INFO_BPF (info) != 0 || n_dims > 3 ||
      (n_dims > 1 && shape[1] != GST_AUDIO_INFO_CHANNELS (info)))
    {
      expected = g_strdup_printf ("samples of %d channels with %d bytes each",
                                  GST_AUDIO_INFO_CHANNELS (info), GST_AUDIO_INFO_BPS (info));
      set_mismatch (error, params->format, source->array, expected);
      return NULL;
    }

  if (GST_AUDIO_INFO_LAYOUT (info) != GST_AUDIO_LAYOUT_NON_INTERLEAVED || n_dims < 2)
    return new_packed (source, source->array, params->held, error);

  transposed = shnd_array_transpose (source->array, (const gint64[]){ 1, 0, 2 }, n_dims, error);
  return transposed != NULL ? new_packed (source, transposed, params->held, error) : NULL;
}

static GstBuffer *
new_elements (const Source *source, const GstShndBufferParams *params, GError **error)
{
  const GstShndFormat *format = params->format;

  if (format->dtype != NULL)
    {
      gsize size = shnd_dtype_get_item_size (format->dtype);
      gboolean fits = TRUE;

      for (guint i = 0; i < format->n_dims; i++)
        fits = fits && g_size_checked_mul (&size, size, format->shape[i]);
      if (!fits || size != shnd_array_get_n_bytes (source->array))
        {
          g_autofree char *expected =
              fits ? g_strdup_printf ("%" G_GSIZE_FORMAT " bytes", size) : g_strdup ("more bytes");

          set_mismatch (error, format, source->array, expected);
          return NULL;
        }
    }

  return new_packed (source, source->array, params->held, error);
}

/* The bytes that the publisher says are the buffer. */
static GstBuffer *
new_span (const Source *source, const GstShndInfo *info, gint *held, GError **error)
{
  const gsize room = g_bytes_get_size (source->bytes);
  gint64 start;

  if (__builtin_add_overflow ((gint64) source->offset, info->start, &start) ||
      (guint64) start > room || info->size > room - start)
    {
      g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
                   "The publisher says that the buffer are %" G_GUINT64_FORMAT
                   " bytes at %" G_GINT64_FORMAT " from the first element: expected some of the "
                   "frame, which has %" G_GSIZE_FORMAT " bytes from %" G_GINT64_FORMAT " on",
                   info->size, info->start, room, -(gint64) source->offset);
      return NULL;
    }

  return wrap (source->bytes, start, info->size, held);
}

/* ---- What is said about them ---- */

static void
drop_metas (GstBuffer *buffer, GType api)
{
  GstMeta *meta;

  while ((meta = gst_buffer_get_meta (buffer, api)) != NULL)
    gst_buffer_remove_meta (buffer, meta);
}

/* The array itself says what is where, and not what its publisher says. */
static void
set_array_metas (GstBuffer *buffer, const GstShndFormat *format, GstShndPicture *picture)
{
  drop_metas (buffer, GST_VIDEO_META_API_TYPE);
  drop_metas (buffer, GST_AUDIO_META_API_TYPE);

  if (format->video.finfo != NULL)
    gst_shnd_picture_set_meta (picture, &format->video, buffer);
  gst_shnd_metas_complete (format, buffer);
}

static gboolean
has_whole_samples (const GstAudioInfo *info, GstBuffer *buffer)
{
  return info->finfo == NULL || GST_AUDIO_INFO_LAYOUT (info) != GST_AUDIO_LAYOUT_INTERLEAVED ||
         gst_buffer_get_size (buffer) % GST_AUDIO_INFO_BPF (info) == 0;
}

/* Elements downstream believe that a buffer has all that its caps and metas promise. */
static gboolean
check_layout (GstBuffer *buffer, const GstShndFormat *format, GError **error)
{
  gboolean fits;

  if (format->video.finfo != NULL)
    fits = gst_shnd_picture_is_inside (&format->video, buffer);
  else
    {
      GstShndLayout layout;

      fits = gst_shnd_layout_init (&layout, format, buffer) &&
             has_whole_samples (&format->audio, buffer);
      gst_shnd_layout_clear (&layout);
    }
  if (fits)
    return TRUE;

  g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
               "The publisher has sent a buffer of %" G_GSIZE_FORMAT
               " bytes: expected all that the caps and the metadata promise, “%s”",
               gst_buffer_get_size (buffer), format->text);
  return FALSE;
}

/* Whether these are the caps that the publisher has laid its buffer out for. */
static gboolean
is_as_said (const GstVideoInfo *video, const GstShndInfo *info)
{
  return info->format == NULL || !info->has_width || !info->has_height ||
         (strcmp (info->format, GST_VIDEO_INFO_NAME (video)) == 0 &&
          info->width == GST_VIDEO_INFO_WIDTH (video) &&
          info->height == GST_VIDEO_INFO_FIELD_HEIGHT (video));
}

/* Other video than the publisher's is no part of its buffer, but all of it. */
static gboolean
check_size (const Source *source,
            const GstShndInfo *info,
            GstBuffer *buffer,
            const GstShndFormat *format,
            GError **error)
{
  const GstVideoInfo *video = &format->video;
  g_autofree char *expected = NULL;

  if (video->finfo == NULL || gst_buffer_get_size (buffer) == GST_VIDEO_INFO_SIZE (video) ||
      is_as_said (video, info))
    return TRUE;

  expected = gst_shnd_picture_describe (video);
  set_mismatch (error, format, source->array, expected);
  return FALSE;
}

/* ---- */

static GstBuffer *
new_from_source (const Source *source,
                 const GstShndInfo *info,
                 const GstShndBufferParams *params,
                 GstShndPicture *picture,
                 GError **error)
{
  if (info->has_span)
    return new_span (source, info, params->held, error);
  if (params->format->video.finfo != NULL)
    return new_picture (source, params, picture, error);
  if (params->format->audio.finfo != NULL)
    return new_samples (source, params, error);
  return new_elements (source, params, error);
}

static gboolean
holds_frame (GstBuffer *buffer)
{
  return gst_buffer_n_memory (buffer) > 0 &&
         GST_MEMORY_IS_READONLY (gst_buffer_peek_memory (buffer, 0));
}

GstBuffer *
gst_shnd_buffer_new (ShndFrame *frame,
                     const GstShndInfo *info,
                     const GstShndBufferParams *params,
                     gboolean *is_copy,
                     GError **error)
{
  const GstShndFormat *format = params->format;
  Source source = { .array = shnd_frame_get_array (frame) };
  g_autoptr (GBytes) bytes = shnd_frame_get_memory (frame, &source.offset, error);
  g_autoptr (GstBuffer) buffer = NULL;
  GstShndPicture picture;
  GstBuffer *copy;

  source.bytes = bytes;
  if (bytes != NULL)
    buffer = new_from_source (&source, info, params, &picture, error);
  if (buffer == NULL)
    return NULL;

  gst_shnd_info_apply (info, format, buffer);
  if (!info->has_span)
    set_array_metas (buffer, format, &picture);
  else if (format->video.finfo != NULL)
    gst_shnd_picture_complete_meta (&format->video, buffer);
  if (!check_layout (buffer, format, error) ||
      (info->has_span && !check_size (&source, info, buffer, format, error)))
    return NULL;

  *is_copy = !holds_frame (buffer);
  if (!params->takes_video_meta && format->video.finfo != NULL &&
      gst_shnd_picture_needs_meta (&format->video, buffer))
    copy = gst_shnd_picture_copy (&format->video, buffer);
  else if (!params->may_hold && !*is_copy)
    copy = gst_buffer_copy_deep (buffer);
  else
    return g_steal_pointer (&buffer);

  *is_copy = TRUE;
  if (copy == NULL)
    g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
                 "Cannot copy a buffer of %" G_GSIZE_FORMAT " bytes with the caps “%s”",
                 gst_buffer_get_size (buffer), format->text);
  return copy;
}
