/* SPDX-License-Identifier: MIT */

#include "cli-statistics.h"

#include "cli-json.h"
#include "cli-text.h"

#include <math.h>
#include <string.h>

/* With as many digits as it takes to get the same number again. */
static char *
format_floating (gdouble value, gsize item_size)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  for (int n_digits = 1; n_digits <= 17; n_digits++)
    {
      char format[] = "%.00g";
      gdouble again;

      format[2] = '0' + n_digits / 10;
      format[3] = '0' + n_digits % 10;
      g_ascii_formatd (text, sizeof text, format, value);
      again = g_ascii_strtod (text, NULL);
      if (again == value || (item_size <= sizeof (gfloat) && (gfloat) again == (gfloat) value))
        break;
    }

  /* 20, and not 2e+01, as few digits may come out. */
  if (strchr (text, 'e') != NULL && fabs (value) >= 1 && fabs (value) < 1e15)
    g_ascii_formatd (text, sizeof text, "%.0f", value);

  return g_strdup (text);
}

static char *
format_any (const CliNumber *number, gsize item_size)
{
  switch (number->kind)
    {
    case SHND_DTYPE_KIND_INT:
      return g_strdup_printf ("%" G_GINT64_FORMAT, number->signed_integer);
    case SHND_DTYPE_KIND_UINT:
      return g_strdup_printf ("%" G_GUINT64_FORMAT, number->unsigned_integer);
    default:
      return format_floating (number->floating, item_size);
    }
}

/* "-" if there is none. */
static char *
format_number (const CliStatistics *statistics, const CliNumber *number, gsize item_size)
{
  return statistics->n_finite == 0 ? g_strdup ("-") : format_any (number, item_size);
}

static char *
format_double (const CliStatistics *statistics, gdouble value)
{
  const CliNumber number = { .kind = SHND_DTYPE_KIND_FLOAT, .floating = value };

  return format_number (statistics, &number, sizeof value);
}

static char *
format_mean (const CliStatistics *statistics)
{
  g_autofree char *real = format_double (statistics, statistics->mean);
  g_autofree char *imaginary = format_double (statistics, ABS (statistics->imaginary));

  if (statistics->kind != SHND_DTYPE_KIND_COMPLEX || statistics->n_finite == 0)
    return g_steal_pointer (&real);

  return g_strdup_printf ("%s%c%sj", real, statistics->imaginary < 0 ? '-' : '+', imaginary);
}

void
cli_statistics_print (const CliStatistics *statistics, gsize item_size)
{
  g_autofree char *min = format_number (statistics, &statistics->min, item_size);
  g_autofree char *max = format_number (statistics, &statistics->max, item_size);
  g_autofree char *mean = format_mean (statistics);
  g_autofree char *deviation = format_double (statistics, statistics->deviation);

  cli_text_print_row ("elements", "%" G_GUINT64_FORMAT, statistics->n);
  if (statistics->kind == SHND_DTYPE_KIND_BOOL)
    {
      cli_text_print_row ("true", "%" G_GUINT64_FORMAT, statistics->n - statistics->n_zero);
      cli_text_print_row ("false", "%" G_GUINT64_FORMAT, statistics->n_zero);
      return;
    }

  if (statistics->kind != SHND_DTYPE_KIND_COMPLEX)
    {
      cli_text_print_row ("min", "%s", min);
      cli_text_print_row ("max", "%s", max);
    }
  cli_text_print_row ("mean", "%s", mean);
  cli_text_print_row ("std", "%s", deviation);
  cli_text_print_row ("zeros", "%" G_GUINT64_FORMAT, statistics->n_zero);
  if (statistics->kind == SHND_DTYPE_KIND_FLOAT || statistics->kind == SHND_DTYPE_KIND_COMPLEX)
    {
      cli_text_print_row ("NaN", "%" G_GUINT64_FORMAT, statistics->n_nan);
      cli_text_print_row ("infinite", "%" G_GUINT64_FORMAT, statistics->n_infinite);
    }
}

static void
add_number (JsonBuilder *builder,
            const char *name,
            const CliStatistics *statistics,
            const CliNumber *number)
{
  if (statistics->n_finite == 0)
    cli_json_add_double (builder, name, NAN);
  else if (number->kind == SHND_DTYPE_KIND_FLOAT)
    cli_json_add_double (builder, name, number->floating);
  else if (number->kind == SHND_DTYPE_KIND_UINT)
    cli_json_add_uint (builder, name, number->unsigned_integer);
  else
    cli_json_add_int (builder, name, number->signed_integer);
}

void
cli_statistics_add_json (const CliStatistics *statistics, JsonBuilder *builder)
{
  json_builder_set_member_name (builder, "stats");
  json_builder_begin_object (builder);
  cli_json_add_int (builder, "elements", statistics->n);
  cli_json_add_int (builder, "finite", statistics->n_finite);
  if (statistics->kind != SHND_DTYPE_KIND_COMPLEX)
    {
      add_number (builder, "min", statistics, &statistics->min);
      add_number (builder, "max", statistics, &statistics->max);
    }
  cli_json_add_double (builder, "mean", statistics->mean);
  if (statistics->kind == SHND_DTYPE_KIND_COMPLEX)
    cli_json_add_double (builder, "mean_imaginary", statistics->imaginary);
  cli_json_add_double (builder, "std", statistics->deviation);
  cli_json_add_int (builder, "zeros", statistics->n_zero);
  cli_json_add_int (builder, "nan", statistics->n_nan);
  cli_json_add_int (builder, "infinite", statistics->n_infinite);
  json_builder_end_object (builder);
}
