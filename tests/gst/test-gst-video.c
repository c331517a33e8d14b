/* SPDX-License-Identifier: MIT */

#include "layout-views.h"
#include "video-formats.h"

/* Whose name has the letter; the first if there are no names. */
static const View *
find_view (const Views *self, char letter, gint64 *index)
{
  for (guint i = 0; i < self->n_views; i++)
    {
      const char *name = self->views[i].name;
      const char *at = name != NULL ? strchr (name, letter) : NULL;

      *index = at != NULL ? at - name : 0;
      if (name == NULL || at != NULL)
        return &self->views[i];
    }

  g_assert_not_reached ();
}

static guint
get_item (const View *self, gint64 i, gint64 j, gint64 k, gint64 l, gint64 m)
{
  gint64 indices[5] = { i, j, k, l, m };
  const guint8 *item = self->data;

  for (guint d = 0; d < G_N_ELEMENTS (indices); d++)
    {
      if (d >= self->n_dims)
        {
          g_assert_cmpint (indices[d], ==, 0);
          continue;
        }
      g_assert_cmpint (indices[d], <, self->shape[d]);
      item += indices[d] * self->strides[d];
    }

  g_assert_true (item >= self->first && item + (self->dtype[2] - '0') <= self->last);
  if (g_str_equal (self->dtype, "|u1"))
    return *item;
  if (g_str_equal (self->dtype, "<u2"))
    return GST_READ_UINT16_LE (item);
  if (g_str_equal (self->dtype, ">u2"))
    return GST_READ_UINT16_BE (item);
  if (g_str_equal (self->dtype, "<u4"))
    return GST_READ_UINT32_LE (item);
  g_assert_cmpstr (self->dtype, ==, ">u4");
  return GST_READ_UINT32_BE (item);
}

/* Samples of video: what each kind of format says of the component at some pixel */

typedef struct
{
  const GstVideoFormatInfo *finfo;
  const VideoFormat *format;
  guint component;
  char letter;
  guint x, y;
} Pixel;

/* Which one of the letters of some pixels is that of the component. */
static guint
find_letter (const char *letters, char letter, guint n)
{
  for (guint i = 0; letters[i] != '\0'; i++)
    {
      if (letters[i] == letter && n-- == 0)
        return i;
    }

  g_assert_not_reached ();
}

static guint
count_letter (const char *letters, char letter)
{
  guint n = 0;

  for (; *letters != '\0'; letters++)
    n += *letters == letter;

  return n;
}

static guint
get_channel (const Views *views, const Pixel *pixel)
{
  const char *letters = pixel->format->elements;
  guint n_luma = MAX (count_letter (letters, 'Y'), 1);
  guint n_items = strlen (letters) / n_luma;
  guint nth = count_letter (letters, pixel->letter) == n_luma ? pixel->x % n_luma : 0;
  guint at = find_letter (letters, pixel->letter, nth);

  return get_item (&views->views[0], pixel->y, pixel->x / n_luma * n_luma + at / n_items,
                   at % n_items, 0, 0);
}

/* The bits, and how many there are. */
static guint
get_bits (const Views *views, const Pixel *pixel, guint *depth)
{
  g_auto (GStrv) fields = g_strsplit (pixel->format->elements, " ", -1);
  guint word = get_item (&views->views[0], pixel->y, pixel->x, 0, 0, 0);
  guint shift = 0;

  for (guint i = g_strv_length (fields); i > 0; i--)
    {
      guint n_bits = atoi (fields[i - 1] + 1);

      *depth = n_bits;
      if (fields[i - 1][0] == pixel->letter)
        return word >> shift & ((1u << n_bits) - 1);
      shift += n_bits;
    }

  g_assert_not_reached ();
}

/* The sample with this number in a row of groups. */
static guint
get_sample (const View *view, Kind kind, guint y, guint n)
{
  guint n_items = view->n_dims == 3 ? view->shape[2] : 1;
  guint value = 0;

  if (kind == GROUP_BYTES)
    return get_item (view, y, n / n_items, n % n_items, 0, 0);

  if (view->dtype[2] == '4')
    return get_item (view, y, n / 3 / n_items, n / 3 % n_items, 0, 0) >> n % 3 * 10 & 0x3ff;

  for (guint i = 0; i < 10; i++)
    {
      guint at = n * 10 + i;
      guint byte = get_item (view, y, at / 8 / n_items, at / 8 % n_items, 0, 0);

      if (kind == GROUP_LOW)
        value |= (byte >> at % 8 & 1) << i;
      else
        value = value << 1 | (byte >> (7 - at % 8) & 1);
    }

  return value;
}

static guint
get_grouped (const Views *views, const Pixel *pixel)
{
  const GstVideoFormatInfo *finfo = pixel->finfo;
  const char *letters = pixel->format->elements;
  guint x = pixel->x >> finfo->w_sub[pixel->component];
  guint y = pixel->y >> finfo->h_sub[pixel->component];
  gint64 index;
  const View *view = find_view (views, pixel->letter, &index);
  guint n, nth;

  if (view->name != NULL)
    return get_sample (view, pixel->format->kind, y, x * strlen (view->name) + index);

  n = count_letter (letters, pixel->letter);
  nth = find_letter (letters, pixel->letter, x % n);
  return get_sample (view, pixel->format->kind, y, x / n * strlen (letters) + nth);
}

static guint
get_tiled (const Views *views, const Pixel *pixel, const GstVideoFrame *frame)
{
  const GstVideoFormatInfo *finfo = pixel->finfo;
  guint plane = finfo->plane[pixel->component];
  guint x = pixel->x >> finfo->w_sub[pixel->component];
  guint y = pixel->y >> finfo->h_sub[pixel->component];
  gint64 index;
  const View *view = find_view (views, pixel->letter, &index);
  guint n = strlen (view->name);
  guint rows, columns, at;

  if (pixel->format->kind == TILES_HIGH)
    {
      guint value = 0;

      for (guint i = 0; i < 10; i++)
        {
          guint bit = (x * n + index) * 10 + i;
          guint column = bit / 8;

          value = value << 1 | (get_item (view, y / view->shape[2], column / view->shape[3],
                                          y % view->shape[2], column % view->shape[3], 0) >>
                                    (7 - bit % 8) &
                                1);
        }

      return value;
    }

  if (finfo->tile_mode == GST_VIDEO_TILE_MODE_LINEAR)
    return get_item (view, y / view->shape[2], x / view->shape[3], y % view->shape[2],
                     x % view->shape[3], index);

  rows = view->shape[1];
  columns = view->shape[2];
  at = gst_video_tile_get_index (finfo->tile_mode, x / columns, y / rows,
                                 GST_VIDEO_TILE_X_TILES (frame->info.stride[plane]),
                                 GST_VIDEO_TILE_Y_TILES (frame->info.stride[plane]));
  return get_item (view, at, y % rows, x % columns, index, 0);
}

static guint
get_planar (const Views *views, const Pixel *pixel)
{
  const GstVideoFormatInfo *finfo = pixel->finfo;
  gint64 index;
  const View *view = find_view (views, pixel->letter, &index);

  return get_item (view, pixel->y >> finfo->h_sub[pixel->component],
                   pixel->x >> finfo->w_sub[pixel->component], index, 0, 0);
}

static guint
get_colour (const Views *views, const Pixel *pixel)
{
  guint index = get_item (&views->views[0], pixel->y, pixel->x, 0, 0, 0);
  guint colour = get_item (&views->views[1], index, 0, 0, 0, 0);

  return colour >> (pixel->letter == 'A' ? 24 :
                    pixel->letter == 'R' ? 16 :
                    pixel->letter == 'G' ? 8 :
                                           0) &
         0xff;
}

/* With so many bits, the highest of which are the sample's. */
static guint
get_component (const Views *views, const Pixel *pixel, const GstVideoFrame *frame, guint n_bits)
{
  guint depth = pixel->finfo->depth[pixel->component];
  guint value;

  switch (pixel->format->kind)
    {
    case CHANNELS:
      value = get_channel (views, pixel);
      break;
    case CHANNELS_HIGH:
      value = get_channel (views, pixel) >> (16 - depth);
      break;
    case WORD:
      value = get_bits (views, pixel, &depth);
      break;
    case GROUP_LOW:
    case GROUP_HIGH:
    case GROUP_BYTES:
      value = get_grouped (views, pixel);
      break;
    case TILES:
    case TILES_HIGH:
      value = get_tiled (views, pixel, frame);
      break;
    case PALETTE:
      depth = 8;
      value = get_colour (views, pixel);
      break;
    case PLANES_HIGH:
      value = get_planar (views, pixel) >> (16 - depth);
      break;
    default:
      value = get_planar (views, pixel) & ((1u << depth) - 1);
      break;
    }

  return value << (n_bits - depth);
}

/* GStreamer unpacks a row into A Y U V or A R G B, and we look at the same pixels by the layout. */
static void
compare_row (const Views *views, const VideoFormat *format, const GstVideoFrame *frame, guint y)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;
  const GstVideoFormatInfo *unpacked = gst_video_format_get_info (finfo->unpack_format);
  gboolean is_rgb = GST_VIDEO_FORMAT_INFO_IS_RGB (unpacked);
  guint n_bits = unpacked->depth[0];
  guint width = frame->info.width;
  g_autofree guint8 *row = g_malloc0 (8 * (width + 64));

  finfo->unpack_func (finfo, GST_VIDEO_PACK_FLAG_TRUNCATE_RANGE, row, frame->data,
                      frame->info.stride, 0, y, width);

  for (guint x = 0; x < width; x++)
    {
      guint n_components = format->kind == PALETTE ? 4 : finfo->n_components;

      /* GStreamer unpacks this as UYVY. */
      if (format->format == GST_VIDEO_FORMAT_VYUY)
        n_components = 1;

      /* The rows of UYVP have no room for all of the last pixel, if they are odd. */
      if (format->kind == GROUP_HIGH && x == width - 1)
        n_components = 2;

      for (guint c = 0; c < n_components; c++)
        {
          Pixel pixel = { finfo, format, c, (is_rgb ? "RGBA" : "YUVA")[c], x, y };
          guint at = 4 * x + (c + 1) % 4;
          guint expected = n_bits == 8 ? row[at] : ((guint16 *) (gpointer) row)[at];
          guint mask =
              format->kind == PALETTE ? 0xff : ~0u << (n_bits - MIN (finfo->depth[c], n_bits));
          guint value = get_component (views, &pixel, frame, n_bits);

          if ((value & mask) != (expected & mask))
            g_error ("%s: %c of (%u, %u) is %x, not %x", finfo->name, pixel.letter, y, x, value,
                     expected);
        }
    }
}

static void
assert_names (const Views *views, const VideoFormat *format)
{
  g_autoptr (GString) names = g_string_new (NULL);

  if (views->n_views == 1)
    return;

  for (guint i = 0; i < views->n_views; i++)
    g_string_append_printf (names, i == 0 ? "%s" : " %s", views->views[i].name);
  g_assert_cmpstr (names->str, ==, format->elements);
}

static void
compare (const GstVideoInfo *info, GstBuffer *buffer)
{
  const VideoFormat *format = find_video_format (GST_VIDEO_INFO_FORMAT (info));
  g_autoptr (GstCaps) caps = gst_video_info_to_caps (info);
  GstShndFormat parsed;
  GstVideoFrame frame;
  Views views;

  g_assert_nonnull (format);
  gst_shnd_format_init (&parsed, caps);
  views_init (&views, &parsed, buffer);
  g_assert_true (gst_video_frame_map (&frame, info, buffer, GST_MAP_READ));

  assert_names (&views, format);
  for (gint y = 0; y < GST_VIDEO_INFO_FIELD_HEIGHT (info); y++)
    compare_row (&views, format, &frame, y);

  gst_video_frame_unmap (&frame);
  views_clear (&views);
  gst_shnd_format_clear (&parsed);
}

static void
test_video (void)
{
  static const guint sizes[][2] = { { 1, 1 }, { 2, 3 }, { 16, 8 }, { 17, 11 }, { 35, 70 } };
  guint n_formats;
  const GstVideoFormat *formats = gst_video_formats_raw (&n_formats);
  guint n_known = 0;

  for (guint i = 0; i < n_formats; i++)
    {
      if (find_video_format (formats[i]) == NULL)
        {
          g_test_message ("%s is newer", gst_video_format_to_string (formats[i]));
          continue;
        }

      n_known++;
      for (guint k = 0; k < G_N_ELEMENTS (sizes); k++)
        {
          g_autoptr (GstBuffer) buffer = NULL;
          GstVideoInfo info;

          g_assert_true (gst_video_info_set_format (&info, formats[i], sizes[k][0], sizes[k][1]));
          buffer = new_random_buffer (info.size);
          compare (&info, buffer);
        }
    }

  g_assert_cmpuint (n_known, ==, G_N_ELEMENTS (video_formats));
  g_assert_cmpuint (n_known, ==, 111);
}

/* Rows and planes that are not where they are by default. */
static void
test_video_meta (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (video_formats); i++)
    {
      GstVideoAlignment alignment = { 3, 5, 32, 7, { 15, 15, 15, 15 } };
      g_autoptr (GstBuffer) buffer = NULL;
      GstVideoInfo info, padded;

      gst_video_info_set_format (&info, video_formats[i].format, 17, 11);
      padded = info;
      if (GST_VIDEO_FORMAT_INFO_IS_COMPLEX (info.finfo))
        gst_video_info_set_format (&padded, video_formats[i].format, 170, 300);
      else
        g_assert_true (gst_video_info_align (&padded, &alignment));

      buffer = new_random_buffer (padded.size + 100);
      for (guint k = 0; k < info.finfo->n_planes; k++)
        padded.offset[k] += 100;
      gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, video_formats[i].format,
                                      17, 11, info.finfo->n_planes, padded.offset, padded.stride);
      compare (&info, buffer);
    }
}

static void
test_interlaced (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (video_formats); i++)
    {
      for (guint mode = GST_VIDEO_INTERLACE_MODE_INTERLEAVED;
           mode <= GST_VIDEO_INTERLACE_MODE_ALTERNATE; mode++)
        {
          g_autoptr (GstBuffer) buffer = NULL;
          GstVideoInfo info;

          gst_video_info_set_interlaced_format (&info, video_formats[i].format, mode, 17, 13);
          buffer = new_random_buffer (info.size);
          compare (&info, buffer);
        }
    }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/gst/video/default", test_video);
  g_test_add_func ("/gst/video/meta", test_video_meta);
  g_test_add_func ("/gst/video/interlaced", test_interlaced);

  return g_test_run ();
}
