/* SPDX-License-Identifier: MIT */

#include "config.h"

#include <shndarray/shndarray.h>

#include "cast-support.h"

/* Dates and durations */

static const struct
{
  const char *target;
  const char *source;
  gint64 from;
  gint64 to;
} times[] = {
  /* What NumPy 1.24 makes of them. */
  { "M8[M]", "M8[Y]", 0, 0 },
  { "M8[D]", "M8[25Y]", 114, 1040941 },
  { "M8[100m]", "M8[Y]", -1187, -6243020 },
  { "M8[100ms]", "M8[7Y]", -48, -106030944000 },
  { "M8[100us]", "M8[Y]", 4066, 1283105664000000 },
  { "M8[100Y]", "M8[M]", -1, -1 },
  { "M8[3W]", "M8[M]", -124, -180 },
  { "M8[100h]", "M8[M]", -234, -1710 },
  { "M8[3m]", "M8[M]", 7952, 116176320 },
  { "M8[ms]", "M8[25M]", 0, 0 },
  { "M8[ns]", "M8[M]", -16, -42076800000000000 },
  { "M8[M]", "M8[W]", -1, -1 },
  { "M8[D]", "M8[W]", 319717, 2238019 },
  { "M8[3m]", "M8[W]", 356817, 1198905120 },
  { "M8[ms]", "M8[25W]", -2, -30240000000 },
  { "M8[100ns]", "M8[W]", -2, -12096000000000 },
  { "M8[Y]", "M8[D]", -1, -1 },
  { "M8[100W]", "M8[D]", 614895, 878 },
  { "M8[100h]", "M8[D]", -43, -11 },
  { "M8[s]", "M8[7D]", -26260, -15882048000 },
  { "M8[100ms]", "M8[D]", 0, 0 },
  { "M8[ns]", "M8[25D]", 0, 0 },
  { "M8[3M]", "M8[h]", -7280055, -3322 },
  { "M8[D]", "M8[h]", -15, -1 },
  { "M8[100h]", "M8[h]", 0, 0 },
  { "M8[3s]", "M8[h]", 0, 0 },
  { "M8[3us]", "M8[7h]", -63864, -536457600000000 },
  { "M8[100ps]", "M8[h]", -29, -1044000000000000 },
  { "M8[Y]", "M8[m]", -1, -1 },
  { "M8[100W]", "M8[m]", 0, 0 },
  { "M8[h]", "M8[m]", -17475, -292 },
  { "M8[3s]", "M8[m]", -8, -160 },
  { "M8[3ms]", "M8[m]", 0, 0 },
  { "M8[ns]", "M8[m]", 21849997, 1310999820000000000 },
  { "M8[fs]", "M8[m]", -3, -180000000000000000 },
  { "M8[M]", "M8[s]", -63515535697, -24153 },
  { "M8[W]", "M8[s]", 0, 0 },
  { "M8[h]", "M8[s]", 0, 0 },
  { "M8[ms]", "M8[7s]", -1, -7000 },
  { "M8[ns]", "M8[s]", -22026, -22026000000000 },
  { "M8[ps]", "M8[s]", 6149523, 6149523000000000000 },
  { "M8[3Y]", "M8[7ms]", 0, 0 },
  { "M8[W]", "M8[ms]", -116185, -1 },
  { "M8[h]", "M8[ms]", -30, -1 },
  { "M8[m]", "M8[7ms]", 0, 0 },
  { "M8[3us]", "M8[ms]", -1, -334 },
  { "M8[3ps]", "M8[7ms]", -6045480, -14106120000000000 },
  { "M8[3as]", "M8[7ms]", -130, -303333333333333334 },
  { "M8[100Y]", "M8[7us]", 24732753112042565, 54 },
  { "M8[3W]", "M8[25us]", -1, -1 },
  { "M8[h]", "M8[25us]", -4672263567027, -32447 },
  { "M8[s]", "M8[us]", -24354, -1 },
  { "M8[ms]", "M8[7us]", 9683559906099932, 67784919342699 },
  { "M8[3ps]", "M8[us]", 0, 0 },
  { "M8[as]", "M8[us]", -10350, -10350000000000000 },
  { "M8[3M]", "M8[ns]", -2656031051706, -1 },
  { "M8[3W]", "M8[ns]", -1, -1 },
  { "M8[h]", "M8[ns]", 0, 0 },
  { "M8[s]", "M8[ns]", -17415, -1 },
  { "M8[3us]", "M8[ns]", -74395561, -24799 },
  { "M8[ns]", "M8[7ns]", -1, -7 },
  { "M8[fs]", "M8[25ns]", 111992004947, 2799800123675000000 },
  { "M8[h]", "M8[7ps]", -16, -1 },
  { "M8[100s]", "M8[25ps]", -39265601, -1 },
  { "M8[ms]", "M8[25ps]", 301123267332010429, 7528081683 },
  { "M8[100ns]", "M8[ps]", -1, -1 },
  { "M8[fs]", "M8[7ps]", -234444, -1641108000 },
  { "M8[3m]", "M8[fs]", -12460, -1 },
  { "M8[3s]", "M8[7fs]", 480801791071251079, 1121 },
  { "M8[us]", "M8[7fs]", -1, -1 },
  { "M8[ps]", "M8[fs]", -1642931495492, -1642931496 },
  { "M8[as]", "M8[fs]", -64859, -64859000 },
  { "M8[3ms]", "M8[25as]", 5018193329724178, 41 },
  { "M8[100ns]", "M8[as]", 0, 0 },
  { "M8[fs]", "M8[as]", -103974033071, -103974034 },
  { "m8[M]", "m8[Y]", -12, -144 },
  { "m8[Y]", "m8[M]", -1, -1 },
  { "m8[D]", "m8[25W]", -1, -175 },
  { "m8[m]", "m8[7W]", 50790, 3583742400 },
  { "m8[ms]", "m8[W]", 0, 0 },
  { "m8[ns]", "m8[25W]", -2, -30240000000000000 },
  { "m8[3D]", "m8[D]", -655071, -218357 },
  { "m8[3h]", "m8[25D]", 0, 0 },
  { "m8[s]", "m8[25D]", -1, -2160000 },
  { "m8[us]", "m8[25D]", -380, -820800000000000 },
  { "m8[3W]", "m8[7h]", -2, -1 },
  { "m8[100D]", "m8[25h]", 767413, 7993 },
  { "m8[s]", "m8[7h]", -1, -25200 },
  { "m8[us]", "m8[25h]", -3488, -313920000000000 },
  { "m8[3ps]", "m8[7h]", -8, -67200000000000000 },
  { "m8[3W]", "m8[m]", 174597434, 5773 },
  { "m8[h]", "m8[7m]", 0, 0 },
  { "m8[s]", "m8[25m]", -22160893, -33241339500 },
  { "m8[3us]", "m8[m]", -17, -340000000 },
  { "m8[100ns]", "m8[m]", -1, -600000000 },
  { "m8[fs]", "m8[m]", 0, 0 },
  { "m8[D]", "m8[s]", -12090, -1 },
  { "m8[100m]", "m8[s]", -655, -1 },
  { "m8[3ms]", "m8[25s]", 0, 0 },
  { "m8[ps]", "m8[7s]", -16, -112000000000000 },
  { "m8[fs]", "m8[s]", 0, 0 },
  { "m8[D]", "m8[ms]", 0, 0 },
  { "m8[m]", "m8[ms]", -543433, -10 },
  { "m8[3ms]", "m8[ms]", -12912172355, -4304057452 },
  { "m8[us]", "m8[25ms]", 0, 0 },
  { "m8[3ps]", "m8[7ms]", -1, -2333333334 },
  { "m8[as]", "m8[ms]", -2678, -2678000000000000000 },
  { "m8[3D]", "m8[25us]", -226334546808, -22 },
  { "m8[100h]", "m8[us]", 179458591600507377, 498496 },
  { "m8[s]", "m8[7us]", 0, 0 },
  { "m8[3ns]", "m8[us]", -14, -4667 },
  { "m8[fs]", "m8[us]", -868, -868000000000 },
  { "m8[as]", "m8[us]", -1, -1000000000000 },
  { "m8[D]", "m8[25ns]", 270326467165335274, 78219 },
  { "m8[3m]", "m8[ns]", -1, -1 },
  { "m8[100ms]", "m8[25ns]", -1080328, -1 },
  { "m8[us]", "m8[ns]", 0, 0 },
  { "m8[ps]", "m8[25ns]", -1, -25000 },
  { "m8[as]", "m8[25ns]", -2221, -55525000000000 },
  { "m8[100m]", "m8[ps]", -160, -1 },
  { "m8[100s]", "m8[ps]", 2385977139740817638, 23859 },
  { "m8[us]", "m8[ps]", 0, 0 },
  { "m8[100ps]", "m8[ps]", -2136498454368920093, -21364984543689201 },
  { "m8[as]", "m8[ps]", -328220, -328220000000 },
  { "m8[m]", "m8[fs]", 0, 0 },
  { "m8[us]", "m8[25fs]", -113128408573915273, -2828210215 },
  { "m8[ns]", "m8[7fs]", 0, 0 },
  { "m8[100fs]", "m8[fs]", -1, -1 },
  { "m8[ms]", "m8[as]", -311, -1 },
  { "m8[ns]", "m8[7as]", -717568774308, -5023 },
  { "m8[100ps]", "m8[as]", -1, -1 },
  { "m8[100as]", "m8[7as]", 1030610976012111353, 72142768320847794 },
  { "M8[M]", "M8[D]", 1, 0 },
  { "M8[D]", "M8[M]", 1, 31 },
  { "M8[M]", "M8[D]", -11, -1 },
  { "M8[D]", "M8[M]", -11, -334 },
  { "M8[D]", "M8[M]", -1, -31 },
  { "M8[M]", "M8[D]", -1, -1 },
  { "M8[D]", "M8[M]", 11016, 335293 },
  { "M8[M]", "M8[D]", 11016, 361 },
  { "M8[D]", "M8[M]", 11015, 335262 },
  { "M8[M]", "M8[D]", 11015, 361 },
  { "M8[D]", "M8[Y]", -719528, -262802205 },
  { "M8[Y]", "M8[D]", -719528, -1970 },
  { "M8[D]", "M8[Y]", -719529, -262802570 },
  { "M8[Y]", "M8[D]", -719529, -1971 },
  { "M8[Y]", "M8[D]", -1970, -6 },
  { "M8[D]", "M8[Y]", -1970, -719528 },
  { "M8[Y]", "M8[D]", -70, -1 },
  { "M8[D]", "M8[Y]", -70, -25567 },
  { "M8[s]", "M8[M]", 951868799, 2503173166646400 },
  { "M8[M]", "M8[s]", 951868799, 361 },
  { "M8[s]", "M8[M]", 951868800, 2503173169324800 },
  { "M8[M]", "M8[s]", 951868800, 362 },
  { "M8[D]", "M8[W]", -1, -7 },
  { "M8[W]", "M8[D]", -1, -1 },
  { "M8[M]", "M8[W]", -1, -1 },
  { "M8[W]", "M8[M]", -1, -5 },
  { "M8[D]", "M8[4Y]", -1, -1461 },
  { "M8[4Y]", "M8[D]", -1, -1 },
  { "m8[h]", "m8[7D]", -1, -168 },
  { "m8[7D]", "m8[h]", -1, -1 },
  { "M8[s]", "M8", -5, -5 },
  { "m8[25s]", "m8", 9, 9 },
  /* Not a time. */
  { "M8[D]", "M8[Y]", G_MININT64, G_MININT64 },
  { "M8[Y]", "M8[s]", G_MININT64, G_MININT64 },
  { "m8[ms]", "m8[s]", G_MININT64, G_MININT64 },
  { "m8[s]", "m8[ms]", G_MININT64, G_MININT64 },
  { "m8[s]", "m8", G_MININT64, G_MININT64 },
  /* The last that fit, and the first that do not. */
  { "m8[ns]", "m8[s]", 9223372036, 9223372036000000000 },
  { "m8[ns]", "m8[s]", 9223372037, G_MININT64 },
  { "m8[ns]", "m8[s]", -9223372036, -9223372036000000000 },
  { "m8[ns]", "m8[s]", -9223372037, G_MININT64 },
  { "M8[ns]", "M8[D]", 106751, 9223286400000000000 },
  { "M8[ns]", "M8[D]", 106752, G_MININT64 },
  { "M8[ns]", "M8[Y]", 292, 9214646400000000000 },
  { "M8[ns]", "M8[Y]", 293, G_MININT64 },
  { "M8[D]", "M8[Y]", G_MAXINT64, G_MININT64 },
  { "M8[as]", "M8[Y]", G_MAXINT64, G_MININT64 },
  { "M8[M]", "M8[Y]", G_MAXINT64 / 12, G_MAXINT64 / 12 * 12 },
  { "M8[M]", "M8[Y]", G_MAXINT64 / 12 + 1, G_MININT64 },
  { "M8[as]", "M8[W]", G_MAXINT64, G_MININT64 },
  { "m8[as]", "m8[2147483647W]", G_MAXINT64, G_MININT64 },
  { "m8[2147483647D]", "m8[2147483647W]", 3, 21 },
  { "m8[2147483647W]", "m8[2147483647as]", -1, -1 },
  /* Needs more than 64 bits on the way. */
  { "m8[2s]", "m8[3s]", 6000000000000000001, 9000000000000000001 },
  { "m8[3500ms]", "m8[7s]", G_MAXINT64 / 2, G_MAXINT64 - 1 },
  { "M8[146097D]", "M8[400Y]", 63130000000000000, 63130000000000000 },
};

static void
test_times (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (times); i++)
    for (guint orders = 0; orders < 4; orders++)
      {
        g_autofree char *target_text =
            g_strdup_printf ("%c%s", orders & 1 ? '>' : '<', times[i].target);
        g_autofree char *source_text =
            g_strdup_printf ("%c%s", orders & 2 ? '>' : '<', times[i].source);
        g_autoptr (ShndDType) target = new_dtype (target_text);
        g_autoptr (ShndDType) source = new_dtype (source_text);
        gint64 from = times[i].from;
        gint64 to[2] = { 0, 0 };

        if (source->swapped)
          from = GUINT64_SWAP_LE_BE (from);
        g_assert_true (shnd_cast_check (target, source, NULL));
        shnd_cast (target, source, &(ShndRun){ (guint8 *) to, 8, (const guint8 *) &from, 0, 2 });
        if (target->swapped)
          to[0] = GUINT64_SWAP_LE_BE (to[0]);

        if (g_test_verbose ())
          g_test_message ("%s to %s", source_text, target_text);
        g_assert_cmpint (to[0], ==, times[i].to);
        g_assert_cmpint (target->swapped ? (gint64) GUINT64_SWAP_LE_BE (to[1]) : to[1], ==,
                         times[i].to);
      }
}

static gint64
convert_time (const char *target_text, const char *source_text, gint64 from)
{
  g_autoptr (ShndDType) target = new_dtype (target_text);
  g_autoptr (ShndDType) source = new_dtype (source_text);
  gint64 to;

  shnd_cast (target, source, &(ShndRun){ (guint8 *) &to, 8, (const guint8 *) &from, 8, 1 });
  return to;
}

/* Every month of 1200 years, counted from the lengths of the months. */
static void
test_calendar (void)
{
  static const guint lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
  gint64 day = -719528; /* 0000-01-01 */

  for (gint64 year = 0; year < 2401; year++)
    {
      gboolean is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

      /* two parts of the range suffice: around the beginning of the count, and before 0400 */
      if (year >= 400 && year < 1600)
        {
          day += 365 + is_leap;
          continue;
        }
      g_assert_cmpint (convert_time ("M8[D]", "M8[Y]", year - 1970), ==, day);
      for (guint month = 0; month < 12; month++)
        {
          gint64 count = (year - 1970) * 12 + month;
          gint64 last = day + lengths[month] + (month == 1 && is_leap) - 1;
          gint64 week = last / 7 - (last % 7 < 0);

          g_assert_cmpint (convert_time ("M8[D]", "M8[M]", count), ==, day);
          g_assert_cmpint (convert_time ("M8[M]", "M8[D]", day), ==, count);
          g_assert_cmpint (convert_time ("M8[M]", "M8[D]", last), ==, count);
          g_assert_cmpint (convert_time ("M8[Y]", "M8[D]", last), ==, year - 1970);
          /* the last week that begins in it */
          g_assert_cmpint (convert_time ("M8[M]", "M8[W]", week), ==, count);
          g_assert_cmpint (convert_time ("M8[W]", "M8[M]", count + 1), ==,
                           (last + 1) / 7 - ((last + 1) % 7 < 0));
          day = last + 1;
        }
    }
}

static void
test_counts (void)
{
  CHECK_BYTES ("<m8[s]", "i1", "\xfe\2", "\xfe\xff\xff\xff\xff\xff\xff\xff\2\0\0\0\0\0\0\0");
  CHECK_BYTES (">m8[25s]", "<u2", "\1\2", "\0\0\0\0\0\0\2\1");
  CHECK_BYTES ("<i8", ">m8[D]", "\1\2\3\4\5\6\7\x08", "\x08\7\6\5\4\3\2\1");
  CHECK_BYTES ("<i2", "<m8", "\1\2\3\4\5\6\7\x08", "\1\2");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/cast/times", test_times);
  g_test_add_func ("/cast/calendar", test_calendar);
  g_test_add_func ("/cast/counts", test_counts);

  return g_test_run ();
}
