/* SPDX-License-Identifier: MIT */

/* The memory of frames, and the planes that their metadata tell of. */

#include "frames-support.h"

#define PLANES_TYPE "a(sstaxax)"

/* In the text of GVariant. */
static GVariant *
new_metadata (const char *planes)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strdup_printf ("{'planes': <%s>}", planes);
  GVariant *metadata = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error);

  g_assert_no_error (error);
  return metadata;
}

static void
set_planes (ShndFrame *frame, const char *planes)
{
  g_autoptr (GVariant) metadata = new_metadata (planes);
  g_autoptr (GError) error = NULL;

  shnd_frame_set_metadata (frame, metadata, &error);
  g_assert_no_error (error);
}

/* Lets the frame show some of its bytes, from 16 on. */
static void
show_part (ShndFrame *frame, gint64 n_bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ShndArray) view = NULL;

  view = shnd_array_slice (shnd_frame_get_array (frame), 0, 16, 16 + n_bytes, 1, &error);
  g_assert_no_error (error);
  shnd_frame_set_array (frame, view, &error);
  g_assert_no_error (error);
}

static ShndFrame *
pass_on (Stream *self, ShndFrame *frame)
{
  g_autoptr (GError) error = NULL;

  shnd_publisher_publish (self->publisher, frame, PATIENCE, NULL, &error);
  g_assert_no_error (error);
  return receive_any (self->subscriber);
}

static ShndArray *
get_plane (ShndFrame *frame, const char *name)
{
  g_autoptr (GError) error = NULL;
  ShndArray *plane = shnd_frame_get_plane (frame, name, &error);

  g_assert_no_error (error);
  return plane;
}

static void
assert_names (ShndFrame *frame, const char *expected)
{
  g_auto (GStrv) names = shnd_frame_list_planes (frame);
  g_autofree char *text = g_strjoinv (" ", names);

  g_assert_cmpstr (text, ==, expected);
}

/* ---- Memory ---- */

static void
test_memory (Stream *self, gconstpointer data)
{
  g_autoptr (ShndFrame) frame = acquire (self->publisher);
  g_autoptr (ShndFrame) received = NULL;
  g_autoptr (GBytes) memory = NULL;
  g_autoptr (GError) error = NULL;
  const guint8 *bytes;
  gsize offset, size;

  join (self);
  fill (frame, 1);
  show_part (frame, 4);
  memory = shnd_frame_get_memory (frame, &offset, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (offset, ==, 16);
  g_assert_cmpuint (g_bytes_get_size (memory), >=, N_BYTES);
  g_assert_true ((const guint8 *) g_bytes_get_data (memory, NULL) + offset ==
                 shnd_array_get_data (shnd_frame_get_array (frame)));
  g_clear_pointer (&memory, g_bytes_unref);

  received = pass_on (self, frame);
  ASSERT_FAILS (shnd_frame_get_memory (frame, &offset, failure), SHND_ERROR_CLOSED, "");
  g_assert_cmpuint (offset, ==, 0);
  memory = shnd_frame_get_memory (received, &offset, &error);
  g_assert_no_error (error);
  bytes = g_bytes_get_data (memory, &size);
  g_assert_cmpuint (offset, ==, 16);
  g_assert_cmpuint (size, >=, N_BYTES);
  g_assert_true (bytes + offset == shnd_array_get_data (shnd_frame_get_array (received)));
  for (guint i = 0; i < N_BYTES; i++)
    g_assert_cmpuint (bytes[i], ==, (guint8) (31 + i * 7));

  /* The frame is out as long as they are. */
  shnd_frame_release (received);
  g_assert_false (shnd_frame_get_released (received));
  ASSERT_FAILS (shnd_frame_get_memory (received, &offset, failure), SHND_ERROR_CLOSED, "");
  g_clear_pointer (&memory, g_bytes_unref);
  g_assert_true (shnd_frame_get_released (received));
}

/* ---- Planes ---- */

static void
test_planes (Stream *self, gconstpointer data)
{
  g_autoptr (ShndFrame) frame = acquire (self->publisher);
  g_autoptr (ShndFrame) received = NULL;
  g_autoptr (ShndArray) luma = NULL;
  g_autoptr (ShndArray) chroma = NULL;
  g_autoptr (GError) error = NULL;

  join (self);
  fill (frame, 0);
  assert_names (frame, "");
  set_planes (frame, "@" PLANES_TYPE " [('Y', '|u1', 0, [4, 6], [16, 1]),"
                     " ('UV', '>u2', 64, [2, 3, 2], [-16, 4, 2]), ('Y', '<f8', 0, [], [])]");
  assert_names (frame, "Y UV");

  /* What is in the frame, and as it begins, moves with the array. */
  show_part (frame, 4);
  luma = get_plane (frame, "Y");
  g_assert_cmpint (shnd_array_get_int64 (luma, SHAPE (3, 5), &error), ==,
                   (guint8) ((16 + 3 * 16 + 5) * 7));
  shnd_array_set_int64 (luma, SHAPE (3, 5), 99, &error);
  g_assert_no_error (error);
  g_clear_object (&luma);

  received = pass_on (self, frame);
  assert_names (frame, "Y UV");
  ASSERT_FAILS (shnd_frame_get_plane (frame, "Y", failure), SHND_ERROR_CLOSED, "closed");
  assert_names (received, "Y UV");
  luma = get_plane (received, "Y");
  g_assert_cmpstr (shnd_dtype_to_string (shnd_array_get_dtype (luma)), ==, "|u1");
  g_assert_cmpint (shnd_array_get_int64 (luma, SHAPE (3, 5), &error), ==, 99);
  ASSERT_FAILS (shnd_array_set_int64 (luma, SHAPE (3, 5), 1, failure), SHND_ERROR_READ_ONLY, "");
  chroma = get_plane (received, "UV");
  g_assert_cmpint (shnd_array_get_int64 (chroma, SHAPE (1, 2, 1), &error), ==,
                   ((guint8) (74 * 7) << 8) + (guint8) (75 * 7));
  ASSERT_FAILS (shnd_frame_get_plane (received, "y", failure), SHND_ERROR_NOT_FOUND, "“y”");

  shnd_frame_release (received);
  assert_names (received, "Y UV");
  ASSERT_FAILS (shnd_frame_get_plane (received, "Y", failure), SHND_ERROR_CLOSED, "closed");
  g_clear_object (&luma);
  g_assert_false (shnd_frame_get_released (received));
  g_clear_object (&chroma);
  g_assert_true (shnd_frame_get_released (received));
}

/* Nothing that metadata say gets out of the frame's memory. */
static void
test_hostile (Stream *self, gconstpointer data)
{
  const struct
  {
    const char *plane;
    ShndError code;
    const char *part;
  } cases[] = {
    { "'|u1', 18446744073709551615, @ax [], @ax []", SHND_ERROR_TOO_SMALL, "“x”" },
    { "'|u1', 9223372036854775807, @ax [], @ax []", SHND_ERROR_TOO_SMALL, "“x”" },
    { "'|u1', 9223372036854775808, [2], [-9223372036854775808]", SHND_ERROR_TOO_SMALL, "“x”" },
    { "'|u1', 1000000, @ax [], @ax []", SHND_ERROR_TOO_SMALL, "from -16 to" },
    { "'|u1', 0, [2, 2], [-9, -8]", SHND_ERROR_TOO_SMALL, "(-9, -8)" },
    { "'|u1', 0, [4611686018427387904], [4]", SHND_ERROR_TOO_SMALL, "" },
    { "'|u1', 0, [1000000000000], [1]", SHND_ERROR_TOO_SMALL, "" },
    { "'|V0', 0, [3], [1000000000000]", SHND_ERROR_TOO_SMALL, "" },
    { "'|u1', 0, [-1], [1]", SHND_ERROR_INVALID_SHAPE, "“x”" },
    { "'|u1', 0, [4294967296, 4294967296], [0, 0]", SHND_ERROR_INVALID_SHAPE, "“x”" },
    { "'|u1', 0, [2], [1, 1]", SHND_ERROR_INVALID_ARGUMENT, "2 strides" },
    { "'|u1', 0, [2], @ax []", SHND_ERROR_INVALID_ARGUMENT, "0 strides" },
    { "\"('|u1', (2,))\", 0, [2], [2]", SHND_ERROR_INVALID_ARGUMENT, "sub-array" },
    { "\"('|u1', (2,))\", 0, [2], [2, 1]", SHND_ERROR_INVALID_ARGUMENT, "sub-array" },
    { "'|O', 0, [2], [8]", SHND_ERROR_INVALID_DTYPE, "“x”" },
    { "'', 0, [2], [8]", SHND_ERROR_INVALID_DTYPE, "“x”" },
  };

  join (self);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *planes = g_strdup_printf ("@" PLANES_TYPE " [('x', %s)]", cases[i].plane);
      g_autoptr (ShndFrame) frame = acquire (self->publisher);
      g_autoptr (ShndFrame) received = NULL;

      show_part (frame, 100);
      set_planes (frame, planes);
      ASSERT_FAILS (shnd_frame_get_plane (frame, "x", failure), cases[i].code, cases[i].part);
      received = pass_on (self, frame);
      assert_names (received, "x");
      ASSERT_FAILS (shnd_frame_get_plane (received, "x", failure), cases[i].code, cases[i].part);
    }
}

/* The last plane that fits, in front and behind; and none more. */
static void
test_bounds (Stream *self, gconstpointer data)
{
  g_autoptr (ShndFrame) frame = acquire (self->publisher);
  g_autoptr (ShndArray) plane = NULL;
  g_autoptr (GBytes) memory = NULL;
  g_autoptr (GError) error = NULL;
  gsize offset;

  show_part (frame, 4);
  memory = shnd_frame_get_memory (frame, &offset, &error);
  g_assert_no_error (error);
  for (guint beyond = 0; beyond < 2; beyond++)
    {
      g_autofree char *planes = g_strdup_printf (
          "@" PLANES_TYPE " [('back', '|u1', 0, [%u], [-1]), ('front', '|u1', 0, [%u], [1])]",
          (guint) offset + 1 + beyond, (guint) (g_bytes_get_size (memory) - offset) + beyond);

      set_planes (frame, planes);
      for (guint i = 0; i < 2; i++)
        {
          const char *name = i == 0 ? "back" : "front";

          if (beyond == 0)
            g_object_unref (get_plane (frame, name));
          else
            ASSERT_FAILS (shnd_frame_get_plane (frame, name, failure), SHND_ERROR_TOO_SMALL, name);
        }
    }
}

static void
test_malformed (Stream *self, gconstpointer data)
{
  const char *values[] = {
    "5",
    "'Y'",
    "['Y']",
    "[('Y', '|u1')]",
    "{'Y': 0}",
    "[('Y', '|u1', 0, [2], [1])]", /* integers of other types */
    "<@" PLANES_TYPE " [('Y', '|u1', 0, [2], [1])]>",
  };
  g_autoptr (ShndFrame) frame = acquire (self->publisher);
  g_autoptr (ShndFrame) empty = g_object_new (SHND_TYPE_FRAME, NULL);
  gsize offset;

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      set_planes (frame, values[i]);
      assert_names (frame, "");
      ASSERT_FAILS (shnd_frame_get_plane (frame, "Y", failure), SHND_ERROR_NOT_FOUND, "“Y”");
    }

  assert_names (empty, "");
  ASSERT_FAILS (shnd_frame_get_plane (empty, "Y", failure), SHND_ERROR_NOT_FOUND, "“Y”");
  ASSERT_FAILS (shnd_frame_get_memory (empty, &offset, failure), SHND_ERROR_CLOSED, "");
}

/* As many as metadata can hold, each name twice. */
static void
test_many (Stream *self, gconstpointer data)
{
  g_autoptr (ShndFrame) frame = acquire (self->publisher);
  g_autoptr (ShndFrame) received = NULL;
  g_autoptr (GString) text = g_string_new ("@" PLANES_TYPE " [");
  g_auto (GStrv) names = NULL;

  join (self);
  for (guint i = 0; i < 1000; i++)
    g_string_append_printf (text, "%s('%u', '|u1', %u, @ax [], @ax [])", i > 0 ? "," : "", i % 500,
                            i);
  g_string_append_c (text, ']');
  fill (frame, 0);
  set_planes (frame, text->str);
  received = pass_on (self, frame);
  names = shnd_frame_list_planes (received);
  g_assert_cmpuint (g_strv_length (names), ==, 500);
  for (guint i = 0; i < 500; i += 100)
    {
      g_autoptr (ShndArray) plane = get_plane (received, names[i]);
      g_autoptr (GError) error = NULL;

      g_assert_cmpint (shnd_array_get_int64 (plane, NULL, 0, &error), ==, (guint8) (i * 7));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD_STREAM ("/planes/memory", test_memory);
  ADD_STREAM ("/planes/planes", test_planes);
  ADD_STREAM ("/planes/hostile", test_hostile);
  ADD_STREAM ("/planes/bounds", test_bounds);
  ADD_STREAM ("/planes/malformed", test_malformed);
  ADD_STREAM ("/planes/many", test_many);

  return g_test_run ();
}
