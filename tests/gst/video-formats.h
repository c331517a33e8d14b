/* SPDX-License-Identifier: MIT */

/* What the elements of raw video are, as the specifications of the formats say. The planes of
 * formats that are not here are named by their components, whose samples are at the lower end of
 * an element. */

#pragma once

#include <gst/video/video.h>

typedef enum
{
  PLANES,      /* one plane each for "Y U V" */
  PLANES_HIGH, /* likewise, with the samples at the upper end */
  CHANNELS,    /* "RGBA", or of two pixels "YUYV" */
  CHANNELS_HIGH,
  WORD,       /* "R5 G6 B5", from the highest bit */
  GROUP_LOW,  /* samples of 10 bits, the first at the lowest bits */
  GROUP_HIGH, /* the first at the highest bits */
  GROUP_BYTES,
  TILES,
  TILES_HIGH, /* of 10 bits each, without regard to bytes */
  PALETTE,
} Kind;

typedef struct
{
  GstVideoFormat format;
  Kind kind;
  const char *elements;
} VideoFormat;

#define V(format) GST_VIDEO_FORMAT_##format

static const VideoFormat video_formats[] = {
  { V (GRAY8), CHANNELS, "Y" },
  { V (GRAY16_LE), CHANNELS, "Y" },
  { V (GRAY16_BE), CHANNELS, "Y" },
  { V (RGB), CHANNELS, "RGB" },
  { V (BGR), CHANNELS, "BGR" },
  { V (RGBA), CHANNELS, "RGBA" },
  { V (BGRA), CHANNELS, "BGRA" },
  { V (ARGB), CHANNELS, "ARGB" },
  { V (ABGR), CHANNELS, "ABGR" },
  { V (RGBx), CHANNELS, "RGBx" },
  { V (BGRx), CHANNELS, "BGRx" },
  { V (xRGB), CHANNELS, "xRGB" },
  { V (xBGR), CHANNELS, "xBGR" },
  { V (RGBA64_LE), CHANNELS, "RGBA" },
  { V (RGBA64_BE), CHANNELS, "RGBA" },
  { V (BGRA64_LE), CHANNELS, "BGRA" },
  { V (BGRA64_BE), CHANNELS, "BGRA" },
  { V (ARGB64), CHANNELS, "ARGB" },
  { V (ARGB64_LE), CHANNELS, "ARGB" },
  { V (ARGB64_BE), CHANNELS, "ARGB" },
  { V (ABGR64_LE), CHANNELS, "ABGR" },
  { V (ABGR64_BE), CHANNELS, "ABGR" },
  { V (v308), CHANNELS, "YUV" },
  { V (IYU2), CHANNELS, "UYV" },
  { V (AYUV), CHANNELS, "AYUV" },
  { V (VUYA), CHANNELS, "VUYA" },
  { V (AYUV64), CHANNELS, "AYUV" },
  { V (Y412_LE), CHANNELS_HIGH, "UYVA" },
  { V (Y412_BE), CHANNELS_HIGH, "UYVA" },
  { V (YUY2), CHANNELS, "YUYV" },
  { V (YVYU), CHANNELS, "YVYU" },
  { V (UYVY), CHANNELS, "UYVY" },
  { V (VYUY), CHANNELS, "VYUY" },
  { V (Y210), CHANNELS_HIGH, "YUYV" },
  { V (Y212_LE), CHANNELS_HIGH, "YUYV" },
  { V (Y212_BE), CHANNELS_HIGH, "YUYV" },
  { V (v216), CHANNELS, "UYVY" },

  { V (RGB15), WORD, "x1 R5 G5 B5" },
  { V (BGR15), WORD, "x1 B5 G5 R5" },
  { V (RGB16), WORD, "R5 G6 B5" },
  { V (BGR16), WORD, "B5 G6 R5" },
  { V (r210), WORD, "x2 R10 G10 B10" },
  { V (RGB10A2_LE), WORD, "A2 B10 G10 R10" },
  { V (BGR10A2_LE), WORD, "A2 R10 G10 B10" },
  { V (Y410), WORD, "A2 V10 Y10 U10" },

  { V (GRAY10_LE32), GROUP_LOW, "Y" },
  { V (v210), GROUP_LOW, "UYVY" },
  { V (UYVP), GROUP_HIGH, "UYVY" },
  { V (IYU1), GROUP_BYTES, "UYYVYY" },
  { V (NV12_10LE32), GROUP_LOW, "Y UV" },
  { V (NV16_10LE32), GROUP_LOW, "Y UV" },
  { V (NV12_10LE40), GROUP_LOW, "Y UV" },

  { V (RGB8P), PALETTE, "index palette" },

  { V (NV12), PLANES, "Y UV" },
  { V (NV21), PLANES, "Y VU" },
  { V (NV16), PLANES, "Y UV" },
  { V (NV61), PLANES, "Y VU" },
  { V (NV24), PLANES, "Y UV" },
  { V (AV12), PLANES, "Y UV A" },
  { V (P010_10LE), PLANES_HIGH, "Y UV" },
  { V (P010_10BE), PLANES_HIGH, "Y UV" },
  { V (P012_LE), PLANES_HIGH, "Y UV" },
  { V (P012_BE), PLANES_HIGH, "Y UV" },
  { V (P016_LE), PLANES_HIGH, "Y UV" },
  { V (P016_BE), PLANES_HIGH, "Y UV" },

  { V (I420), PLANES, "Y U V" },
  { V (YV12), PLANES, "Y V U" },
  { V (I420_10LE), PLANES, "Y U V" },
  { V (I420_10BE), PLANES, "Y U V" },
  { V (I420_12LE), PLANES, "Y U V" },
  { V (I420_12BE), PLANES, "Y U V" },
  { V (Y42B), PLANES, "Y U V" },
  { V (I422_10LE), PLANES, "Y U V" },
  { V (I422_10BE), PLANES, "Y U V" },
  { V (I422_12LE), PLANES, "Y U V" },
  { V (I422_12BE), PLANES, "Y U V" },
  { V (Y444), PLANES, "Y U V" },
  { V (Y444_10LE), PLANES, "Y U V" },
  { V (Y444_10BE), PLANES, "Y U V" },
  { V (Y444_12LE), PLANES, "Y U V" },
  { V (Y444_12BE), PLANES, "Y U V" },
  { V (Y444_16LE), PLANES, "Y U V" },
  { V (Y444_16BE), PLANES, "Y U V" },
  { V (Y41B), PLANES, "Y U V" },
  { V (YUV9), PLANES, "Y U V" },
  { V (YVU9), PLANES, "Y V U" },
  { V (A420), PLANES, "Y U V A" },
  { V (A420_10LE), PLANES, "Y U V A" },
  { V (A420_10BE), PLANES, "Y U V A" },
  { V (A422_10LE), PLANES, "Y U V A" },
  { V (A422_10BE), PLANES, "Y U V A" },
  { V (A444_10LE), PLANES, "Y U V A" },
  { V (A444_10BE), PLANES, "Y U V A" },
  { V (RGBP), PLANES, "R G B" },
  { V (BGRP), PLANES, "B G R" },
  { V (GBR), PLANES, "G B R" },
  { V (GBR_10LE), PLANES, "G B R" },
  { V (GBR_10BE), PLANES, "G B R" },
  { V (GBR_12LE), PLANES, "G B R" },
  { V (GBR_12BE), PLANES, "G B R" },
  { V (GBRA), PLANES, "G B R A" },
  { V (GBRA_10LE), PLANES, "G B R A" },
  { V (GBRA_10BE), PLANES, "G B R A" },
  { V (GBRA_12LE), PLANES, "G B R A" },
  { V (GBRA_12BE), PLANES, "G B R A" },

  { V (NV12_4L4), TILES, "Y UV" },
  { V (NV12_32L32), TILES, "Y UV" },
  { V (NV12_16L32S), TILES, "Y UV" },
  { V (NV12_8L128), TILES, "Y UV" },
  { V (NV12_64Z32), TILES, "Y UV" },
  { V (NV12_10BE_8L128), TILES_HIGH, "Y UV" },
};

#undef V

static inline const VideoFormat *
find_video_format (GstVideoFormat format)
{
  for (guint i = 0; i < G_N_ELEMENTS (video_formats); i++)
    {
      if (video_formats[i].format == format)
        return &video_formats[i];
    }

  return NULL;
}
