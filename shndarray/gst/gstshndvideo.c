/* SPDX-License-Identifier: MIT */

#include "gstshndvideo.h"

#include <string.h>

#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define NATIVE_U4 "<u4"
#else
#define NATIVE_U4 ">u4"
#endif

/* Formats whose samples do not begin at bytes: groups of samples in some items. The infos of such
 * formats say nothing about that. */
typedef struct
{
  GstVideoFormat format;
  const char *dtype;
  guint item_size;
  guint n_samples;
  guint n_items;
} Group;

static const Group groups[] = {
  { GST_VIDEO_FORMAT_v210, "<u4", 4, 6, 4 },
  { GST_VIDEO_FORMAT_UYVP, "|u1", 1, 2, 5 },
  { GST_VIDEO_FORMAT_IYU1, "|u1", 1, 4, 6 },
  { GST_VIDEO_FORMAT_GRAY10_LE32, "<u4", 4, 3, 1 },
  { GST_VIDEO_FORMAT_NV12_10LE32, "<u4", 4, 3, 1 },
  { GST_VIDEO_FORMAT_NV16_10LE32, "<u4", 4, 3, 1 },
  { GST_VIDEO_FORMAT_NV12_10LE40, "|u1", 1, 4, 5 },
};

static const Group *
find_group (GstVideoFormat format)
{
  for (guint i = 0; i < G_N_ELEMENTS (groups); i++)
    {
      if (groups[i].format == format)
        return &groups[i];
    }

  return NULL;
}

/* These are always little-endian, but do not have the flag. */
static gboolean
is_little_endian (const GstVideoFormatInfo *finfo)
{
  switch (finfo->format)
    {
    case GST_VIDEO_FORMAT_v216:
    case GST_VIDEO_FORMAT_Y210:
    case GST_VIDEO_FORMAT_Y410:
      return TRUE;
    default:
      return GST_VIDEO_FORMAT_INFO_IS_LE (finfo);
    }
}

/* The components of a plane, in the order of the memory. */
static guint
find_components (const GstVideoFormatInfo *finfo, guint plane, guint *components)
{
  guint n = 0;

  for (guint c = 0; c < finfo->n_components; c++)
    {
      guint at;

      if (finfo->plane[c] != plane)
        continue;
      for (at = n; at > 0 && finfo->poffset[components[at - 1]] > finfo->poffset[c]; at--)
        components[at] = components[at - 1];
      components[at] = c;
      n++;
    }

  return n;
}

static void
set_name (GstShndPlane *self,
          const GstVideoFormatInfo *finfo,
          const guint *components,
          guint n_components)
{
  const char *letters = GST_VIDEO_FORMAT_INFO_IS_RGB (finfo) ? "RGBA" : "YUVA";

  for (guint i = 0; i < n_components; i++)
    self->name[i] = letters[components[i]];
  self->name[n_components] = '\0';
}

void
gst_shnd_plane_append_dim (GstShndPlane *self, gint64 length, gint64 stride)
{
  self->shape[self->n_dims] = length;
  self->strides[self->n_dims] = stride;
  self->n_dims++;
}

/* Strides of tiled planes are numbers of tiles. */
static void
set_tiles (GstShndPlane *self,
           const GstVideoFormatInfo *finfo,
           guint plane,
           gint stride,
           guint n_components)
{
  gint64 n_x = GST_VIDEO_TILE_X_TILES ((guint) stride);
  gint64 n_y = GST_VIDEO_TILE_Y_TILES ((guint) stride);
  gint64 size = GST_VIDEO_FORMAT_INFO_TILE_SIZE (finfo, plane);
  gint64 row = GST_VIDEO_FORMAT_INFO_TILE_STRIDE (finfo, plane);

  self->dtype = "|u1";
  if (finfo->tile_mode == GST_VIDEO_TILE_MODE_LINEAR)
    gst_shnd_plane_append_dim (self, n_y, n_x * size);
  gst_shnd_plane_append_dim (self, finfo->tile_mode == GST_VIDEO_TILE_MODE_LINEAR ? n_x : n_x * n_y,
                             size);
  gst_shnd_plane_append_dim (self, GST_VIDEO_FORMAT_INFO_TILE_HEIGHT (finfo, plane), row);

  if (n_components == 1 || finfo->bits != 8)
    {
      gst_shnd_plane_append_dim (self, row, 1);
      return;
    }
  gst_shnd_plane_append_dim (self, row / n_components, n_components);
  gst_shnd_plane_append_dim (self, n_components, 1);
}

/* Some formats have no room in a row for all of its last group. */
static void
set_groups (GstShndPlane *self, const Group *group, gint64 rows, gint64 n_samples, gint stride)
{
  gint64 size = group->n_items * group->item_size;
  gint64 n_groups = (n_samples + group->n_samples - 1) / group->n_samples;
  gint64 room = ABS ((gint64) stride);

  self->dtype = group->dtype;
  gst_shnd_plane_append_dim (self, rows, stride);
  if (n_groups * size > room && group->item_size == 1)
    {
      gst_shnd_plane_append_dim (self, room, 1);
      return;
    }
  gst_shnd_plane_append_dim (self, MIN (n_groups, room / size), size);
  if (group->n_items > 1)
    gst_shnd_plane_append_dim (self, group->n_items, group->item_size);
}

/* Whether the components are bits of one number. */
static gboolean
is_word (const GstVideoFormatInfo *finfo, const guint *components, guint n_components)
{
  if (n_components < 2 || finfo->pixel_stride[components[0]] > 4)
    return FALSE;

  for (guint i = 1; i < n_components; i++)
    {
      guint c = components[i];

      if (finfo->poffset[c] != finfo->poffset[components[0]] || finfo->w_sub[c] != 0)
        return FALSE;
    }

  return TRUE;
}

static const char *
find_dtype (gint item_size, gboolean little_endian)
{
  switch (item_size)
    {
    case 1:
      return "|u1";
    case 2:
      return little_endian ? "<u2" : ">u2";
    default:
      return little_endian ? "<u4" : ">u4";
    }
}

static void
set_samples (GstShndPlane *self,
             const GstVideoFormatInfo *finfo,
             const guint *components,
             guint n_components,
             guint width,
             gint64 rows,
             gint stride)
{
  gint pixel_stride = finfo->pixel_stride[components[0]];
  guint bits = 0;
  guint least_sub = finfo->w_sub[components[0]];
  guint most_sub = least_sub;
  gint item_size;
  gint64 columns;

  for (guint i = 0; i < n_components; i++)
    {
      guint c = components[i];

      pixel_stride = MIN (pixel_stride, finfo->pixel_stride[c]);
      bits = MAX (bits, finfo->depth[c] + finfo->shift[c]);
      least_sub = MIN (least_sub, finfo->w_sub[c]);
      most_sub = MAX (most_sub, finfo->w_sub[c]);
    }

  item_size = is_word (finfo, components, n_components) ? pixel_stride : (gint) (bits + 7) / 8;

  /* The last pixel of an odd row shares its colour with one that is not seen. */
  columns = GST_VIDEO_SUB_SCALE (least_sub, (gint64) width);
  columns = GST_ROUND_UP_N (columns, (gint64) 1 << (most_sub - least_sub));

  self->dtype = find_dtype (item_size, is_little_endian (finfo));
  gst_shnd_plane_append_dim (self, rows, stride);
  gst_shnd_plane_append_dim (self, columns, pixel_stride);
  if (pixel_stride > item_size)
    gst_shnd_plane_append_dim (self, pixel_stride / item_size, item_size);
}

static void
set_palette (GstShndPlane *self)
{
  strcpy (self->name, "palette");
  self->dtype = NATIVE_U4;
  gst_shnd_plane_append_dim (self, 256, 4);
}

static void
set_plane (GstShndPlane *self,
           const GstVideoFormatInfo *finfo,
           guint plane,
           guint width,
           guint height,
           gint stride)
{
  guint components[GST_VIDEO_MAX_COMPONENTS];
  guint n_components = find_components (finfo, plane, components);
  const Group *group = find_group (finfo->format);
  guint first = components[0];
  gint64 rows = GST_VIDEO_SUB_SCALE (finfo->h_sub[first], (gint64) height);
  gint64 columns = GST_VIDEO_SUB_SCALE (finfo->w_sub[first], (gint64) width);

  if (GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo) && plane == 1)
    {
      set_palette (self);
      return;
    }

  if (GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo))
    strcpy (self->name, "index");
  else
    set_name (self, finfo, components, n_components);

  if (GST_VIDEO_FORMAT_INFO_IS_TILED (finfo))
    set_tiles (self, finfo, plane, stride, n_components);
  else if (group != NULL && finfo->n_planes > 1)
    set_groups (self, group, rows, columns * n_components, stride);
  else if (group != NULL)
    set_groups (self, group, rows, width, stride);
  else
    set_samples (self, finfo, components, n_components, width, rows, stride);
}

guint
gst_shnd_video_get_planes (const GstVideoFormatInfo *finfo,
                           guint width,
                           guint height,
                           const gsize *offsets,
                           const gint *strides,
                           GstShndPlane *planes)
{
  for (guint i = 0; i < finfo->n_planes; i++)
    {
      planes[i] = (GstShndPlane){ .offset = offsets[i] };
      set_plane (&planes[i], finfo, i, width, height, strides[i]);
    }

  return finfo->n_planes;
}

void
gst_shnd_video_crop_planes (
    const GstVideoFormatInfo *finfo, guint x, guint y, GstShndPlane *planes, guint n_planes)
{
  if (GST_VIDEO_FORMAT_INFO_IS_COMPLEX (finfo) || GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo))
    return;

  for (guint c = 0; c < finfo->n_components; c++)
    {
      if (x % (1u << finfo->w_sub[c]) != 0 || y % (1u << finfo->h_sub[c]) != 0)
        return;
    }

  for (guint i = 0; i < n_planes; i++)
    {
      guint components[GST_VIDEO_MAX_COMPONENTS];
      guint n_components = find_components (finfo, i, components);
      guint w_sub = finfo->w_sub[components[0]];
      guint h_sub = finfo->h_sub[components[0]];

      for (guint k = 1; k < n_components; k++)
        w_sub = MIN (w_sub, finfo->w_sub[components[k]]);
      planes[i].offset += (gint64) (x >> w_sub) * planes[i].strides[1] +
                          (gint64) (y >> h_sub) * planes[i].strides[0];
    }
}

/* Lengths and strides have 32 bits, so that nothing here goes beyond 64. */
gboolean
gst_shnd_plane_is_inside (const GstShndPlane *self, gsize size)
{
  gint64 lowest, highest;

  if (self->offset > size || size > G_MAXINT64 / 4)
    return FALSE;

  lowest = self->offset;
  highest = self->offset;
  for (guint i = 0; i < self->n_dims; i++)
    {
      gint64 extent = (self->shape[i] - 1) * self->strides[i];

      if (self->shape[i] == 0)
        return TRUE;
      lowest += MIN (extent, 0);
      highest += MAX (extent, 0);
    }

  return lowest >= 0 && highest + (self->dtype[2] - '0') <= (gint64) size;
}

gboolean
gst_shnd_video_meta_is_default (const GstVideoMeta *meta, const GstVideoInfo *info)
{
  static const GstVideoAlignment none;

  if (info->finfo == NULL || meta->id != 0 || meta->flags != GST_VIDEO_FRAME_FLAG_NONE ||
      meta->format != GST_VIDEO_INFO_FORMAT (info) ||
      meta->width != (guint) GST_VIDEO_INFO_WIDTH (info) ||
      meta->height != (guint) GST_VIDEO_INFO_HEIGHT (info) ||
      memcmp (&meta->alignment, &none, sizeof none) != 0)
    return FALSE;

  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (info); i++)
    {
      if (meta->offset[i] != GST_VIDEO_INFO_PLANE_OFFSET (info, i) ||
          meta->stride[i] != GST_VIDEO_INFO_PLANE_STRIDE (info, i))
        return FALSE;
    }

  return TRUE;
}

gboolean
gst_shnd_video_meta_fits (const GstVideoMeta *meta, const GstVideoInfo *info)
{
  return meta->format == GST_VIDEO_INFO_FORMAT (info) &&
         meta->n_planes == GST_VIDEO_INFO_N_PLANES (info) && meta->width <= G_MAXINT &&
         meta->height < G_MAXINT && meta->width >= (guint) GST_VIDEO_INFO_WIDTH (info) &&
         meta->height >= (guint) GST_VIDEO_INFO_HEIGHT (info);
}

/* Whether a plane has tiles for all of the frame. */
static gboolean
has_tiles (const GstVideoMeta *meta, guint height, guint plane)
{
  const GstVideoFormatInfo *finfo = gst_video_format_get_info (meta->format);
  guint components[GST_VIDEO_MAX_COMPONENTS];
  guint n_components = find_components (finfo, plane, components);
  guint first = components[0];
  guint64 n_x = GST_VIDEO_TILE_X_TILES ((guint) meta->stride[plane]);
  guint64 n_y = GST_VIDEO_TILE_Y_TILES ((guint) meta->stride[plane]);
  guint64 rows = GST_VIDEO_SUB_SCALE (finfo->h_sub[first], (gint64) height);
  guint64 columns = GST_VIDEO_SUB_SCALE (finfo->w_sub[first], (gint64) meta->width);

  return meta->stride[plane] > 0 &&
         n_x * GST_VIDEO_FORMAT_INFO_TILE_STRIDE (finfo, plane) * 8 >=
             columns * n_components * finfo->bits &&
         n_y * GST_VIDEO_FORMAT_INFO_TILE_HEIGHT (finfo, plane) >= rows &&
         (finfo->tile_mode == GST_VIDEO_TILE_MODE_LINEAR || n_x % 2 == 0);
}

gboolean
gst_shnd_video_meta_is_inside (const GstVideoMeta *meta, const GstVideoInfo *info, gsize size)
{
  const GstVideoFormatInfo *finfo = info->finfo;
  GstVideoInfo full = *info;
  GstShndPlane planes[GST_VIDEO_MAX_PLANES];
  guint n_planes, height;
  GstVideoInfo usual;

  /* The meta of a buffer with one field has the height of the frame. */
  full.height = meta->height;
  height = GST_VIDEO_INFO_FIELD_HEIGHT (&full);
  if (!gst_video_info_set_format (&usual, meta->format, meta->width, height))
    return FALSE;

  n_planes =
      gst_shnd_video_get_planes (finfo, meta->width, height, meta->offset, meta->stride, planes);
  for (guint i = 0; i < n_planes; i++)
    {
      if (GST_VIDEO_FORMAT_INFO_IS_TILED (finfo) && !has_tiles (meta, height, i))
        return FALSE;

      /* Rows that are not of whole bytes a pixel are copied with what is after them, and never
       * from below. */
      if (find_group (finfo->format) != NULL)
        {
          if (meta->stride[i] < GST_VIDEO_INFO_PLANE_STRIDE (&usual, i))
            return FALSE;
          planes[i].dtype = "|u1";
          planes[i].n_dims = 2;
          planes[i].shape[1] = meta->stride[i];
          planes[i].strides[1] = 1;
        }

      if (!gst_shnd_plane_is_inside (&planes[i], size))
        return FALSE;
    }

  return TRUE;
}
