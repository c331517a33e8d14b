/* SPDX-License-Identifier: MIT */

#include "cli-json.h"

#include "cli-text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void
cli_json_add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

void
cli_json_add_int (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

void
cli_json_add_uint (JsonBuilder *builder, const char *name, guint64 value)
{
  if (value <= G_MAXINT64)
    cli_json_add_int (builder, name, value);
  else
    cli_json_add_double (builder, name, value);
}

void
cli_json_add_boolean (JsonBuilder *builder, const char *name, gboolean value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, value);
}

void
cli_json_add_double (JsonBuilder *builder, const char *name, gdouble value)
{
  json_builder_set_member_name (builder, name);
  if (isfinite (value))
    json_builder_add_double_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

void
cli_json_add_ints (JsonBuilder *builder, const char *name, const gint64 *values, guint n_values)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (guint i = 0; i < n_values; i++)
    json_builder_add_int_value (builder, values[i]);
  json_builder_end_array (builder);
}

void
cli_json_add_info (JsonBuilder *builder, ShndArrayInfo *info)
{
  g_autofree char *mode = g_strdup_printf ("%04o", shnd_array_info_get_mode (info));
  const gint64 *shape, *strides;
  guint n_dims;

  if (shnd_array_info_get_name (info) != NULL)
    cli_json_add_string (builder, "name", shnd_array_info_get_name (info));
  cli_json_add_string (builder, "dtype", shnd_dtype_to_string (shnd_array_info_get_dtype (info)));
  shape = shnd_array_info_get_shape (info, &n_dims);
  cli_json_add_ints (builder, "shape", shape, n_dims);
  strides = shnd_array_info_get_strides (info, &n_dims);
  cli_json_add_ints (builder, "strides", strides, n_dims);
  cli_json_add_string (builder, "order", cli_text_get_order (shnd_array_info_get_order (info)));
  cli_json_add_int (builder, "bytes", shnd_array_info_get_n_bytes (info));
  cli_json_add_int (builder, "data_offset", shnd_array_info_get_data_offset (info));
  cli_json_add_int (builder, "file_size", shnd_array_info_get_file_size (info));
  cli_json_add_int (builder, "uid", shnd_array_info_get_uid (info));
  cli_json_add_string (builder, "mode", mode);
  cli_json_add_boolean (builder, "persistent", shnd_array_info_get_persistent (info));
  cli_json_add_boolean (builder, "held", shnd_array_info_get_held (info));
  cli_json_add_boolean (builder, "orphaned", shnd_array_info_get_orphaned (info));
  cli_json_add_boolean (builder, "synchronizable", shnd_array_info_get_synchronizable (info));
  cli_json_add_uint (builder, "sequence", shnd_array_info_get_sequence (info));
  cli_json_add_boolean (builder, "locked", shnd_array_info_get_locked (info));
}

/* json-glib 1.6 writes 1e+22 as 1e+22.0, which no other reader takes. */
static void
mend_exponents (char *text)
{
  gboolean in_string = FALSE, in_exponent = FALSE;
  char *end = text;

  for (const char *c = text; *c != '\0'; c++)
    {
      if (in_string && *c == '\\')
        *end++ = *c++;
      else if (*c == '"')
        in_string = !in_string;

      if (in_exponent && *c == '.')
        {
          c++;
          continue;
        }
      in_exponent = !in_string && (*c == 'e' || (in_exponent && strchr ("+-0123456789", *c)));
      *end++ = *c;
    }
  *end = '\0';
}

void
cli_json_print (JsonBuilder *builder, gboolean on_one_line)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = json_to_string (root, !on_one_line);

  mend_exponents (text);
  puts (text);
}
