/* SPDX-License-Identifier: MIT */

/* What is kept from one frame to the next makes no difference, however much or little the buffers of
 * a stream have in common. */

#include <string.h>

#include "gstshndinfo.h"
#include "gstshndmetadata.h"

#define N_BUFFERS 4000

static const char *const all_caps[] = {
  "video/x-raw,format=RGB,width=8,height=6",
  "video/x-raw,format=I420,width=8,height=6",
  "audio/x-raw,format=S16LE,rate=48000,channels=2,layout=interleaved",
  "audio/x-raw,format=S16LE,rate=48000,channels=2,layout=non-interleaved",
  "image/png",
};

/* A stream of buffers, each of which is like the one before but for something. */
typedef struct
{
  const char *caps;
  gsize size;
  guint flags;
  guint64 times[5];
  GstClockTime latency;
  gint stride; /* 0 without a GstVideoMeta */
  guint crop;
  gboolean region;
  gboolean parent;
  gboolean timestamp;
} Recipe;

static guint
random_below (guint n)
{
  return g_test_rand_int_range (0, n);
}

static void
count_on (Recipe *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->times); i++)
    {
      if (self->times[i] != GST_CLOCK_TIME_NONE)
        self->times[i] += 1 + random_below (1000);
    }
}

static void
mutate (Recipe *self)
{
  guint64 *time = &self->times[random_below (G_N_ELEMENTS (self->times))];

  switch (random_below (10))
    {
    case 0:
      self->caps = all_caps[random_below (G_N_ELEMENTS (all_caps))];
      break;
    case 1:
      self->size = 1024 + 4 * random_below (4);
      break;
    case 2:
      self->flags ^= random_below (2) ? GST_BUFFER_FLAG_DELTA_UNIT : GST_BUFFER_FLAG_TAG_MEMORY;
      break;
    case 3:
      *time = *time == GST_CLOCK_TIME_NONE ? random_below (1000) : GST_CLOCK_TIME_NONE;
      break;
    case 4:
      self->latency = random_below (3) == 0 ? GST_CLOCK_TIME_NONE : random_below (3);
      break;
    case 5:
      self->stride = random_below (2) * (32 + 4 * (gint) random_below (3));
      break;
    case 6:
      self->crop = random_below (4) == 0;
      break;
    case 7:
      self->region = random_below (4) == 0;
      break;
    case 8:
      self->parent = !self->parent;
      break;
    default:
      self->timestamp = random_below (4) == 0;
    }
}

static void
add_video_meta (const Recipe *self, const GstShndFormat *format, GstBuffer *buffer)
{
  gsize offsets[4] = { 0, 8 * (gsize) self->stride, 12 * (gsize) self->stride };
  gint strides[4] = { self->stride, self->stride, self->stride };
  GstVideoCropMeta *crop;

  gst_buffer_add_video_meta_full (buffer, 0, GST_VIDEO_INFO_FORMAT (&format->video), 10, 8,
                                  GST_VIDEO_INFO_N_PLANES (&format->video), offsets, strides);
  if (self->crop == 0)
    return;

  crop = gst_buffer_add_video_crop_meta (buffer);
  crop->x = crop->y = self->crop;
  crop->width = 8;
  crop->height = 6;
}

static GstBuffer *
make_buffer (const Recipe *self, const GstShndFormat *format)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, self->size, NULL);

  GST_BUFFER_FLAG_SET (buffer, self->flags);
  GST_BUFFER_PTS (buffer) = self->times[0];
  GST_BUFFER_DTS (buffer) = self->times[1];
  GST_BUFFER_DURATION (buffer) = self->times[2];
  GST_BUFFER_OFFSET (buffer) = self->times[3];
  GST_BUFFER_OFFSET_END (buffer) = self->times[4];
  if (self->parent)
    {
      g_autoptr (GstBuffer) parent = gst_buffer_new ();

      gst_buffer_add_parent_buffer_meta (buffer, parent);
    }
  if (self->stride != 0 && format->video.finfo != NULL)
    add_video_meta (self, format, buffer);
  if (self->region)
    gst_buffer_add_video_region_of_interest_meta (buffer, "face", 1, 2, 3, 4);
  if (self->timestamp)
    {
      g_autoptr (GstCaps) reference = gst_caps_new_empty_simple ("timestamp/x-unix");

      gst_buffer_add_reference_timestamp_meta (buffer, reference, 1, 2);
    }

  return buffer;
}

static void
assert_same_layouts (const GstShndLayout *a, const GstShndLayout *b)
{
  g_assert_true (shnd_dtype_equal (a->dtype, b->dtype));
  g_assert_cmpmem (a->shape, a->n_dims * sizeof *a->shape, b->shape, b->n_dims * sizeof *b->shape);
  g_assert_cmpmem (a->strides, a->n_dims * sizeof *a->strides, b->strides,
                   b->n_dims * sizeof *b->strides);
  g_assert_cmpuint (a->offset, ==, b->offset);
  g_assert_true ((a->planes == NULL) == (b->planes == NULL));
  if (a->planes != NULL)
    g_assert_true (g_variant_equal (a->planes, b->planes));
}

static void
assert_same_infos (const GstShndInfo *a, const GstShndInfo *b)
{
  g_assert_cmpstr (a->caps, ==, b->caps);
  g_assert_cmpstr (a->format, ==, b->format);
  g_assert_cmpint (a->has_width, ==, b->has_width);
  g_assert_cmpint (a->has_height, ==, b->has_height);
  g_assert_cmpint (a->width, ==, b->width);
  g_assert_cmpint (a->height, ==, b->height);
  g_assert_cmpuint (a->pts, ==, b->pts);
  g_assert_cmpuint (a->dts, ==, b->dts);
  g_assert_cmpuint (a->duration, ==, b->duration);
  g_assert_cmpuint (a->latency, ==, b->latency);
  g_assert_cmpuint (a->offset, ==, b->offset);
  g_assert_cmpuint (a->offset_end, ==, b->offset_end);
  g_assert_cmpint (a->has_flags, ==, b->has_flags);
  g_assert_cmpuint (a->flags, ==, b->flags);
  g_assert_cmpint (a->has_span, ==, b->has_span);
  g_assert_cmpint (a->start, ==, b->start);
  g_assert_cmpuint (a->size, ==, b->size);
  g_assert_true ((a->metas == NULL) == (b->metas == NULL));
  if (a->metas != NULL)
    g_assert_true (g_variant_equal (a->metas, b->metas));
}

/* It belongs to the metadata, whatever becomes of the cache. */
static void
assert_inside (GVariant *metadata, const char *text)
{
  const char *data = g_variant_get_data (metadata);

  if (text != NULL)
    g_assert_true (text > data && text < data + g_variant_get_size (metadata));
}

/* Both sides, each against one that knows of nothing before. */
static void
check (GstShndDescription *description,
       GstShndInfoCache *cache,
       const GstShndFormat *format,
       const Recipe *recipe)
{
  g_autoptr (GstBuffer) buffer = make_buffer (recipe, format);
  g_autoptr (GVariant) metadata =
      gst_shnd_description_update (description, format, buffer, recipe->latency);
  g_autoptr (GVariant) expected = NULL;
  GstShndInfoCache empty = { 0 };
  GstShndInfo info, expected_info;
  GstShndLayout layout;

  g_assert_cmpint (description->fits, ==, gst_shnd_layout_init (&layout, format, buffer));
  assert_same_layouts (&description->layout, &layout);
  expected = g_variant_ref_sink (gst_shnd_metadata_new (format, &layout, buffer, recipe->latency));
  g_assert_cmpvariant (metadata, expected);
  g_assert_true (g_variant_is_normal_form (metadata));
  gst_shnd_layout_clear (&layout);

  gst_shnd_info_init (&info, cache, metadata);
  gst_shnd_info_init (&expected_info, &empty, metadata);
  assert_same_infos (&info, &expected_info);
  assert_inside (metadata, info.caps);
  assert_inside (metadata, info.format);
  gst_shnd_info_clear (&info);
  gst_shnd_info_clear (&expected_info);
  gst_shnd_info_cache_clear (&empty);
}

static void
init_format (GstShndFormat *format, const char *text)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);

  gst_shnd_format_init (format, caps);
}

static void
test_random (void)
{
  GstShndDescription description = { { 0 } };
  GstShndInfoCache cache = { { 0 } };
  Recipe recipe = { .caps = all_caps[0], .size = 1024 };
  const char *caps = recipe.caps;
  GstShndFormat format;
  guint n_kept = 0;

  init_format (&format, caps);
  for (guint i = 0; i < N_BUFFERS; i++)
    {
      const GVariant *model = description.pattern.model;

      count_on (&recipe);
      if (random_below (3) == 0)
        mutate (&recipe);
      if (recipe.caps != caps)
        {
          gst_shnd_description_clear (&description);
          gst_shnd_format_clear (&format);
          init_format (&format, recipe.caps);
          caps = recipe.caps;
        }
      check (&description, &cache, &format, &recipe);
      n_kept += model != NULL && model == description.pattern.model &&
                model == cache.pattern.model && description.has_model;
    }
  g_assert_cmpuint (n_kept, >, 0);

  gst_shnd_description_clear (&description);
  gst_shnd_info_cache_clear (&cache);
  gst_shnd_format_clear (&format);
}

/* A stream in which nothing changes but times is described and read once. */
static void
test_once (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (all_caps); i++)
    {
      GstShndDescription description = { { 0 } };
      GstShndInfoCache cache = { { 0 } };
      Recipe recipe = { .caps = all_caps[i], .size = 1024, .stride = 32, .parent = TRUE };
      GstShndFormat format;
      const GVariant *said = NULL, *read = NULL;

      init_format (&format, recipe.caps);
      for (guint k = 0; k < 20; k++)
        {
          check (&description, &cache, &format, &recipe);
          count_on (&recipe);
          if (k == 0)
            {
              said = description.pattern.model;
              read = cache.pattern.model;
            }
          g_assert_nonnull (said);
          g_assert_true (said == description.pattern.model);
          g_assert_true (read == cache.pattern.model);
        }

      gst_shnd_description_clear (&description);
      gst_shnd_info_cache_clear (&cache);
      gst_shnd_format_clear (&format);
    }
}

/* Alike but for ids, of which that of the last one is the given one. */
static GstBuffer *
make_videos (GstVideoMeta video, guint n)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 1024, NULL);

  for (guint i = n; i > 0; i--)
    {
      GstVideoMeta *meta =
          gst_buffer_add_video_meta_full (buffer, video.flags, video.format, video.width,
                                          video.height, video.n_planes, video.offset, video.stride);

      meta->id = video.id + (gint) (i - 1);
      meta->alignment = video.alignment;
    }

  return buffer;
}

/* A buffer after one with nothing but a GstVideoMeta, which this one has otherwise. */
static void
check_videos (const GstShndFormat *format,
              const GstVideoMeta *before,
              const GstVideoMeta *video,
              guint n)
{
  GstShndDescription description = { { 0 } };
  g_autoptr (GstBuffer) first = make_videos (*before, 1);
  g_autoptr (GstBuffer) second = make_videos (*video, n);
  g_autoptr (GVariant) said =
      gst_shnd_description_update (&description, format, first, GST_CLOCK_TIME_NONE);
  g_autoptr (GVariant) metadata =
      gst_shnd_description_update (&description, format, second, GST_CLOCK_TIME_NONE);
  g_autoptr (GVariant) expected = NULL;
  GstShndLayout layout;

  g_assert_cmpint (description.fits, ==, gst_shnd_layout_init (&layout, format, second));
  assert_same_layouts (&description.layout, &layout);
  expected =
      g_variant_ref_sink (gst_shnd_metadata_new (format, &layout, second, GST_CLOCK_TIME_NONE));
  g_assert_cmpvariant (metadata, expected);
  g_assert_false (g_variant_equal (metadata, said));
  gst_shnd_layout_clear (&layout);
  gst_shnd_description_clear (&description);
}

/* Whatever is another in a GstVideoMeta is said. */
static void
test_video (void)
{
  const GstVideoMeta plain = {
    .format = GST_VIDEO_FORMAT_RGB,
    .width = 10,
    .height = 8,
    .n_planes = 1,
    .stride = { 32 },
  };
  GstVideoMeta others[8];
  GstShndFormat format;

  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    others[i] = plain;
  others[0].flags = GST_VIDEO_FRAME_FLAG_INTERLACED;
  others[1].format = GST_VIDEO_FORMAT_BGR;
  others[2].id = 1;
  others[3].width++;
  others[4].height++;
  others[5].offset[0] = 4;
  others[6].stride[0] += 4;
  others[7].alignment.padding_left = 1;

  init_format (&format, all_caps[0]);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    check_videos (&format, &plain, &others[i], 1);
  check_videos (&format, &plain, &plain, 0);
  check_videos (&format, &plain, &plain, 2);
  gst_shnd_format_clear (&format);
}

/* What has been of use once is worth another one. */
static void
test_changes (void)
{
  GstShndDescription description = { { 0 } };
  GstShndInfoCache cache = { { 0 } };
  Recipe recipe = { .caps = all_caps[2] };
  GstShndFormat format;

  init_format (&format, recipe.caps);
  for (guint i = 0; i < 100; i++)
    {
      recipe.size = 4 * (i + 1);
      for (guint k = 0; k < 3; k++)
        {
          check (&description, &cache, &format, &recipe);
          count_on (&recipe);
          g_assert_true (description.has_model);
        }
    }

  gst_shnd_description_clear (&description);
  gst_shnd_info_cache_clear (&cache);
  gst_shnd_format_clear (&format);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/gst/alike/random", test_random);
  g_test_add_func ("/gst/alike/once", test_once);
  g_test_add_func ("/gst/alike/video", test_video);
  g_test_add_func ("/gst/alike/changes", test_changes);

  return g_test_run ();
}
