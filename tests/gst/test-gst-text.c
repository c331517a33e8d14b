/* SPDX-License-Identifier: MIT */

/* Caps and structures as text: as GStreamer's own parser reads them, if they are right, and no more. */

#include <gst/video/video.h>
#include <malloc.h>
#include <string.h>

#include "gstshndinfo.h"
#include "gstshndtext.h"

/* ---- What is right ---- */

/* What is in lists, in structures, in lists; and as people write it. */
static void
test_read (void)
{
  g_autoptr (GstBuffer) bytes = gst_buffer_new_memdup ("\x01\xff", 2);
  g_autoptr (GstStructure) inner = gst_structure_new ("inner", "a", G_TYPE_STRING, "x, y=(int)\"{;",
                                                      "b", GST_TYPE_FRACTION, 30000, 1001, NULL);
  g_autoptr (GstStructure) outer = gst_structure_new (
      "x/y", "i", G_TYPE_INT, -5, "u", G_TYPE_UINT, 5, "l", G_TYPE_INT64, G_MININT64, "m",
      G_TYPE_UINT64, G_MAXUINT64, "d", G_TYPE_DOUBLE, 0.1, "f", G_TYPE_FLOAT, 2.5, "t",
      G_TYPE_BOOLEAN, TRUE, "s", G_TYPE_STRING, "ü \"\\ ;[{<", "e", G_TYPE_STRING, "", "n",
      G_TYPE_STRING, NULL, "c", GST_TYPE_FRACTION, 4, 3, "k", GST_TYPE_BITMASK,
      G_GUINT64_CONSTANT (3), "g", GST_TYPE_FLAG_SET, 5, 7, "h", GST_TYPE_VIDEO_MULTIVIEW_FLAGSET,
      1, 3, "b", GST_TYPE_BUFFER, bytes, "o", GST_TYPE_STRUCTURE, inner, "p", GST_TYPE_STATE,
      GST_STATE_PAUSED, "q", GST_TYPE_SEEK_FLAGS, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE,
      NULL);
  static const char *const lists[] = {
    "x/y,a=(int){1,2},b=(string)<a,\"b c\">,c=<>,d=<(int)1,(int)2>,e=<<1,2>,<3>>",
    "x/y, a = 5 , b=0.5,c=4/3,d=true,e=text,f=\"a\\ b\",g=( int ) 7 ;",
    "x/y(memory:SystemMemory, meta:Other), a=(int)1",
    "x/y;",
    "x/y",
  };
  g_autofree char *text = gst_structure_to_string (outer);
  g_autoptr (GstStructure) ours = gst_shnd_text_parse_structure (text);

  g_assert_nonnull (ours);
  g_assert_true (gst_structure_is_equal (ours, outer));
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      g_autoptr (GstCaps) theirs = gst_caps_from_string (lists[i]);
      g_autoptr (GstCaps) caps = gst_shnd_text_parse_caps (lists[i]);

      g_test_message ("%s", lists[i]);
      g_assert_nonnull (caps);
      g_assert_true (gst_caps_is_strictly_equal (caps, theirs));
    }
}

/* ---- What is not ---- */

/* Of so many lists in lists. */
static GstCaps *
parse_lists (guint n)
{
  g_autoptr (GString) text = g_string_new ("x/y, a=");

  for (guint i = 0; i < n; i++)
    g_string_append_c (text, '<');
  g_string_append_c (text, '1');
  for (guint i = 0; i < n; i++)
    g_string_append_c (text, '>');

  return gst_shnd_text_parse_caps (text->str);
}

/* Of so many structures in structures. */
static GstStructure *
parse_structures (guint n)
{
  g_autoptr (GstStructure) structure = gst_structure_new_empty ("x");
  g_autofree char *text = NULL;

  for (guint i = 0; i < n; i++)
    {
      GstStructure *outer = gst_structure_new ("x", "a", GST_TYPE_STRUCTURE, structure, NULL);

      gst_structure_free (structure);
      structure = outer;
    }
  text = gst_structure_to_string (structure);

  return gst_shnd_text_parse_structure (text);
}

/* Mistakes, what would be too much, and what there is no need for. */
static void
test_refused (void)
{
  static const char *const texts[] = {
    "",
    "-x/y",
    "1",
    "?",
    ";",
    "x/y{}",
    "x/y;-c",
    "x/y;a/b",
    "x/y,",
    "x/y, a",
    "x/y, a=",
    "x/y, a=(int)",
    "x/y, a=(int)b",
    "x/y, a=(int",
    "x/y, a=()1",
    "x/y, a=(no-type)1",
    "x/y, a=(int)1 b=(int)2",
    "x/y, a=\"b",
    "x/y, a=\"b\\",
    "x/y, a=\"b\\\"",
    "x/y, a=<",
    "x/y, a=<1",
    "x/y, a=<1,",
    "x/y, a=<1}",
    "x/y, a=<1 2>",
    "x/y, a=<1,a>",
    "x/y, a=<<1>,<a>>",
    "x/y, a=(int)<1,a>",
    "x/y, a=[1,2]",
    "x/y, a=(fraction)1/0",
    "x/y, a=(buffer)zz",
    "x/y, a=(buffer)123",
    "x/y, a=(structure)\"1\"",
    "x/y, a=(structure)\"b, c=<\"",
    "x/y, a=(structure)NULL",
    "x/y, a=(taglist)\"taglist\"",
    "taglist, title=\"\"",
    "x/y, a=(GstCaps)\"a/b\"",
    "x/y, a=(sample)\"None:None:None:None\"",
    "x/y, a=(GBytes)aGVsbG8=",
    "x/y, a=(GstValueList)1",
    "x/y, a=(GEnum)1",
    "x/y, a=(GFlags)1",
    "x/y, a=(gpointer)NULL",
    "x/y, a=(GObject)NULL",
    "x/y(), a=1",
    "x/y(memory), a=1",
    "x/y(memory:1), a=1",
    "x/y(memory:A, a=1",
    "x/y(memory:A,), a=1",
  };
  g_autoptr (GString) many = g_string_new ("x/y");
  g_autoptr (GstCaps) deep = parse_lists (16);
  g_autoptr (GstStructure) deep_structure = parse_structures (10);

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_test_message ("%s", texts[i]);
      g_assert_null (gst_shnd_text_parse_caps (texts[i]));
      g_assert_null (gst_shnd_text_parse_structure (texts[i]));
    }
  g_assert_null (gst_shnd_text_parse_caps ("ANY"));
  g_assert_null (gst_shnd_text_parse_caps ("EMPTY"));
  g_assert_null (gst_shnd_text_parse_caps ("NONE"));
  g_assert_null (gst_shnd_text_parse_structure ("x/y(memory:A)"));

  g_assert_nonnull (deep);
  g_assert_null (parse_lists (17));
  g_assert_null (parse_lists (30000));
  g_assert_nonnull (deep_structure);
  g_assert_null (parse_structures (18));
  for (guint i = 0; i < 2000; i++)
    g_string_append_printf (many, ",field%u=1", i);
  g_assert_null (gst_shnd_text_parse_caps (many->str));
}

/* ---- Whatever comes ---- */

#define N_TEXTS 3000

static char *
make_random_text (GRand *random)
{
  static const char *const tokens[] = {
    "x/y",
    ",",
    ",",
    ", a=",
    ", b=",
    "=",
    "(",
    ")",
    "(int)",
    "(string)",
    "(structure)",
    "(buffer)",
    "(GBytes)",
    "(GstCaps)",
    "(taglist)",
    "(GstValueList)",
    "(GstDateTime)",
    "(GstCapsFeatures)",
    "(fraction)",
    "(flagset)",
    "(GstStateChange)",
    "(GstSeekFlags)",
    "(bitmask)",
    "(GList)",
    "<",
    ">",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\\"",
    "\\",
    "\\012",
    "\\303",
    ";",
    "1",
    "-1",
    "0:1:",
    "1/2",
    "1/0",
    "0x",
    "aa",
    "zz",
    "NULL",
    "name",
    "taglist",
    "memory:A",
    " ",
    "ü",
    "true",
  };
  GString *text = g_string_new (g_rand_boolean (random) ? "x/y, a=" : "");

  for (guint i = g_rand_int_range (random, 0, 30); i > 0; i--)
    g_string_append (text, tokens[g_rand_int_range (random, 0, G_N_ELEMENTS (tokens))]);

  return g_string_free (text, FALSE);
}

static guint
parse_random_texts (guint32 seed)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  guint n_read = 0;

  for (guint i = 0; i < N_TEXTS; i++)
    {
      g_autofree char *text = make_random_text (random);
      g_autoptr (GstCaps) caps = gst_shnd_text_parse_caps (text);
      g_autoptr (GstStructure) structure = gst_shnd_text_parse_structure (text);

      if (structure != NULL)
        n_read++;
    }

  return n_read;
}

/* Nothing is lost of it. A sanitizer says that too, but has an allocator of its own. */
static void
test_random (void)
{
  guint32 seed = g_test_rand_int ();
  gsize before;

  g_assert_cmpuint (parse_random_texts (seed), >, 0);
  before = mallinfo2 ().uordblks;
  for (guint i = 0; i < 3; i++)
    parse_random_texts (seed);
  g_assert_cmpuint (mallinfo2 ().uordblks, <=, before + 4096);
}

/* ---- Names that are new ---- */

/* More than can be known. */
#define N_NAMES 20000

#define KNOWN                                                                                      \
  "video/x-raw(memory:DMABuf), width=(int)7, format=(string){ RGB, BGR }, colorimetry=2:4:16:4, "  \
  "multiview-flags=(GstVideoMultiviewFlagsSet)0:ffffffff:/right-view-first/left-flipped"

/* A megabyte of names is gone: texts with names that are known are read all the same. */
static void
assert_frugal (void)
{
  g_autoptr (GstCaps) known = gst_shnd_text_parse_caps (KNOWN);
  g_autoptr (GstStructure) unknown = gst_shnd_text_parse_structure ("x/y, never-seen=(int)1");

  g_assert_nonnull (known);
  g_assert_null (unknown);
  g_assert_cmpuint (g_quark_try_string ("never-seen"), ==, 0);
}

/* Strings are no names, nor are numbers. */
static void
test_no_names (void)
{
  for (guint i = 0; i < N_NAMES; i++)
    {
      g_autofree char *text = g_strdup_printf (
          "x/y, a=(string)\"b%u\\ \\=\\ c\", d=string%u, e=%u/7, f=(string)<memory:A%u>", i, i, i,
          i);
      g_autoptr (GstStructure) structure = gst_shnd_text_parse_structure (text);
      g_autofree char *string = g_strdup_printf ("string%u", i);

      g_assert_cmpstr (gst_structure_get_string (structure, "d"), ==, string);
      g_assert_cmpuint (g_quark_try_string (string), ==, 0);
    }
  g_assert_true (gst_shnd_text_can_be_known ("not-too-many-yet"));
}

static void
parse_names (const char *format)
{
  g_auto (GStrv) parts = g_strsplit (format, "%u", 2);

  for (guint i = 0; i < N_NAMES; i++)
    {
      g_autofree char *number = g_strdup_printf ("%u", i);
      g_autofree char *text = g_strjoinv (number, parts);
      g_autoptr (GstCaps) caps = gst_shnd_text_parse_caps (text);

      if (i == 0)
        g_assert_nonnull (caps);
      if (i == N_NAMES - 1)
        g_assert_null (caps);
    }
}

/* One for all, as a stream has. */
static GstShndInfoCache cache;

static gboolean
has_region (const char *type)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string ("video/x-raw,format=GRAY8,width=4,height=4");
  g_autoptr (GVariant) metadata = g_variant_ref_sink (
      g_variant_new_parsed ("{'metas': <[('GstVideoRegionOfInterestMeta',"
                            "<(%s, 1, 2, uint32 0, uint32 0, uint32 1, uint32 1, @as [])>)]>}",
                            type));
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 16, NULL);
  GstShndFormat format;
  GstShndInfo info;

  gst_shnd_format_init (&format, caps);
  gst_shnd_info_init (&info, &cache, metadata);
  gst_shnd_info_apply (&info, &format, buffer);
  gst_shnd_info_clear (&info);
  gst_shnd_format_clear (&format);

  return gst_buffer_get_video_region_of_interest_meta_id (buffer, 1) != NULL;
}

static void
add_regions (const char *format)
{
  for (guint i = 0; i < N_NAMES; i++)
    {
      g_autofree char *type = g_strdup_printf ("type%u", i);

      g_assert_true (has_region (type) || i > 0);
    }
  g_assert_true (has_region ("type0"));
  g_assert_false (has_region ("never-seen"));
}

/* Also of few names: so many bytes. */
static void
use_long_names (const char *format)
{
  g_autofree char *first = g_strnfill (1000000, 'a');
  g_autofree char *second = g_strnfill (1000000, 'b');

  g_assert_true (gst_shnd_text_can_be_known (first));
  g_assert_false (gst_shnd_text_can_be_known (second));
  parse_names ("x/y, name%u=(int)1");
}

typedef struct
{
  const char *path;
  void (*use) (const char *format);
  const char *format;
} Names;

/* Wherever they stand. */
static const Names names[] = {
  { "/gst/text/names/fields", parse_names, "x/y, name%u=(int)1" },
  { "/gst/text/names/structures", parse_names, "name%u, a=(int)1" },
  { "/gst/text/names/features", parse_names, "x/y(memory:name%u), a=(int)1" },
  { "/gst/text/names/nested-fields", parse_names, "x/y, a=(structure)\"b\\,\\ name%u\\=1\\;\"" },
  { "/gst/text/names/nested-structures", parse_names, "x/y, a=(structure)\"name%u\\;\"" },
  { "/gst/text/names/unquoted-structures", parse_names, "x/y, a=(structure)<name%u>" },
  { "/gst/text/names/hidden", parse_names, "x/y, a=(structure)\"b\\,\\ n\\141me%u\\=1\\;\"" },
  { "/gst/text/names/regions", add_regions, NULL },
  { "/gst/text/names/long", use_long_names, NULL },
};

/* In a process of its own, as it is that which keeps them. */
static void
test_names (gconstpointer data)
{
  const Names *self = data;

  if (g_test_subprocess ())
    {
      /* What everybody sends has come before. */
      gst_caps_unref (gst_shnd_text_parse_caps (KNOWN));
      self->use (self->format);
      assert_frugal ();
      return;
    }

  /* GLib leaves tables of names behind when it needs larger ones. */
  g_setenv ("ASAN_OPTIONS", "detect_leaks=0", TRUE);
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/gst/text/read", test_read);
  g_test_add_func ("/gst/text/refused", test_refused);
  g_test_add_func ("/gst/text/random", test_random);
  g_test_add_func ("/gst/text/no-names", test_no_names);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_test_add_data_func (names[i].path, &names[i], test_names);

  return g_test_run ();
}
