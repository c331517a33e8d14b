/* SPDX-License-Identifier: MIT */

#include "cli-text.h"

#include "cli-error.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

/* Structured dtypes can be long; `shnd info` shows all. */
#define DTYPE_WIDTH 32

/* Of the first column of rows. */
#define LABEL_WIDTH 10

static void
append_escaped (GString *string, gunichar c)
{
  switch (c)
    {
    case '\n':
      g_string_append (string, "\\n");
      break;
    case '\r':
      g_string_append (string, "\\r");
      break;
    case '\t':
      g_string_append (string, "\\t");
      break;
    default:
      g_string_append_printf (string,
                              c < 0x100   ? "\\x%02x" :
                              c < 0x10000 ? "\\u%04x" :
                                            "\\U%08x",
                              c);
    }
}

static char *
escape (const char *text, gboolean exact)
{
  GString *string = g_string_new (NULL);

  while (*text != '\0')
    {
      gunichar c = g_utf8_get_char_validated (text, -1);

      if (c == (gunichar) -1 || c == (gunichar) -2)
        {
          append_escaped (string, (guint8) *text++);
          continue;
        }

      if (exact && c == '\\')
        g_string_append (string, "\\\\");
      else if (c == ' ' || (g_unichar_isprint (c) && !g_unichar_isspace (c)))
        g_string_append_unichar (string, c);
      else
        append_escaped (string, c);
      text = g_utf8_next_char (text);
    }

  return g_string_free (string, FALSE);
}

char *
cli_text_escape (const char *text)
{
  return escape (text, TRUE);
}

char *
cli_text_flatten (const char *text)
{
  return escape (text, FALSE);
}

static guint
get_char_width (gunichar c)
{
  return g_unichar_iszerowidth (c) ? 0 : g_unichar_iswide (c) ? 2 : 1;
}

gsize
cli_text_get_width (const char *text)
{
  gsize width = 0;

  for (; *text != '\0'; text = g_utf8_next_char (text))
    width += get_char_width (g_utf8_get_char (text));

  return width;
}

char *
cli_text_shorten (const char *text, gsize width)
{
  const char *c = text;
  gsize used = 0;

  if (cli_text_get_width (text) <= width)
    return g_strdup (text);
  if (width == 0)
    return g_strdup ("");

  for (; *c != '\0' && used + get_char_width (g_utf8_get_char (c)) < width;
       c = g_utf8_next_char (c))
    used += get_char_width (g_utf8_get_char (c));

  return g_strdup_printf ("%.*s…", (int) (c - text), text);
}

char *
cli_text_format_dtype (ShndDType *dtype)
{
  static const char *const names[] = {
    [SHND_DTYPE_KIND_BOOL] = "bool",
    [SHND_DTYPE_KIND_INT] = "int",
    [SHND_DTYPE_KIND_UINT] = "uint",
    [SHND_DTYPE_KIND_FLOAT] = "float",
    [SHND_DTYPE_KIND_COMPLEX] = "complex",
    [SHND_DTYPE_KIND_DATETIME] = "datetime64",
    [SHND_DTYPE_KIND_TIMEDELTA] = "timedelta64",
  };
  ShndDTypeKind kind = shnd_dtype_get_kind (dtype);
  const char *name = kind < G_N_ELEMENTS (names) ? names[kind] : NULL;
  const char *unit = shnd_dtype_get_unit (dtype);

  if (name == NULL || !shnd_dtype_is_native (dtype))
    return cli_text_escape (shnd_dtype_to_string (dtype));
  if (kind == SHND_DTYPE_KIND_BOOL)
    return g_strdup (name);
  if (kind == SHND_DTYPE_KIND_DATETIME || kind == SHND_DTYPE_KIND_TIMEDELTA)
    return unit == NULL ? g_strdup (name) : g_strdup_printf ("%s[%s]", name, unit);

  return g_strdup_printf ("%s%" G_GSIZE_FORMAT, name, 8 * shnd_dtype_get_item_size (dtype));
}

char *
cli_text_format_short_dtype (ShndDType *dtype)
{
  g_autofree char *text = cli_text_format_dtype (dtype);

  return cli_text_shorten (text, DTYPE_WIDTH);
}

char *
cli_text_format_shape (const gint64 *shape, guint n_dims)
{
  GString *string = g_string_new (n_dims == 0 ? "()" : NULL);

  for (guint i = 0; i < n_dims; i++)
    g_string_append_printf (string, "%s%" G_GINT64_FORMAT, i == 0 ? "" : "x", shape[i]);

  return g_string_free (string, FALSE);
}

/* Without the brackets, if there are any. NULL if there is but one of them. */
static char *
strip_brackets (const char *text)
{
  g_autofree char *stripped = g_strstrip (g_strdup (text));
  gsize length = strlen (stripped);
  const char *opening = length == 0 ? NULL : strchr ("([", stripped[0]);

  if (opening == NULL)
    return g_steal_pointer (&stripped);
  if (length < 2 || stripped[length - 1] != (*opening == '(' ? ')' : ']'))
    return NULL;

  return g_strstrip (g_strndup (stripped + 1, length - 2));
}

int
cli_text_parse_shape (const char *text, gint64 shape[SHND_MAX_DIMS], GError **error)
{
  g_autofree char *inner = strip_brackets (text);
  g_auto (GStrv) numbers = NULL;
  guint n_dims;

  if (inner == NULL || (*inner == '\0' && strpbrk (text, "([") == NULL))
    goto fail;

  /* (5,) is Python's way to write one dimension. */
  if (strpbrk (text, "([") != NULL && g_str_has_suffix (inner, ",") && strlen (inner) > 1)
    inner[strlen (inner) - 1] = '\0';

  numbers = g_strsplit_set (inner, strchr (inner, ',') != NULL ? "," : "x", -1);
  n_dims = g_strv_length (numbers);
  if (n_dims > SHND_MAX_DIMS)
    {
      cli_set_usage_error (error, "The shape “%s” has %u dimensions: expected at most %d", text,
                           n_dims, SHND_MAX_DIMS);
      return -1;
    }

  for (guint i = 0; i < n_dims; i++)
    {
      if (!g_ascii_string_to_signed (g_strstrip (numbers[i]), 10, 0, G_MAXINT64, &shape[i], NULL))
        goto fail;
    }

  return n_dims;

fail:
  cli_set_usage_error (error,
                       "“%s” is not a shape: expected numbers, as in 1080x1920x4 or 1080,1920,4; "
                       "() for none",
                       text);
  return -1;
}

static char *
format_bytes (GVariant *value)
{
  gsize length;
  const guint8 *bytes = g_variant_get_fixed_array (value, &length, 1);
  GString *string = g_string_new ("b'");

  for (gsize i = 0; i < length; i++)
    g_string_append_printf (string,
                            bytes[i] == '\'' || bytes[i] == '\\' ? "\\%c" :
                            g_ascii_isprint (bytes[i])           ? "%c" :
                                                                   "\\x%02x",
                            bytes[i]);
  g_string_append_c (string, '\'');

  return g_string_free (string, FALSE);
}

static char *
format_children (ShndDType *dtype, GVariant *value)
{
  gboolean is_struct = shnd_dtype_get_kind (dtype) == SHND_DTYPE_KIND_STRUCT &&
                       g_variant_is_of_type (value, G_VARIANT_TYPE_TUPLE);
  GString *string = g_string_new (is_struct ? "(" : "[");

  for (gsize i = 0; i < g_variant_n_children (value); i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (value, i);
      g_autofree char *text =
          cli_text_format_value (is_struct ? shnd_dtype_get_field_dtype (dtype, i) : dtype, child);

      g_string_append_printf (string, "%s%s", i == 0 ? "" : ", ", text);
    }
  g_string_append (string, is_struct ? ")" : "]");

  return g_string_free (string, FALSE);
}

char *
cli_text_format_value (ShndDType *dtype, GVariant *value)
{
  ShndDTypeKind kind = shnd_dtype_get_kind (dtype);
  g_autofree char *printed = NULL;

  if (kind == SHND_DTYPE_KIND_SUBARRAY)
    return cli_text_format_value (shnd_dtype_get_base (dtype), value);

  if ((kind == SHND_DTYPE_KIND_BYTES || kind == SHND_DTYPE_KIND_VOID) &&
      g_variant_is_of_type (value, G_VARIANT_TYPE_BYTESTRING))
    return format_bytes (value);
  if (kind == SHND_DTYPE_KIND_STRUCT || g_variant_is_of_type (value, G_VARIANT_TYPE_ARRAY))
    return format_children (dtype, value);

  /* Which would have it in hexadecimal. */
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_BYTE))
    return g_strdup_printf ("%u", g_variant_get_byte (value));

  printed = g_variant_print (value, FALSE);

  return cli_text_flatten (printed);
}

char *
cli_text_format_size (guint64 n_bytes)
{
  g_autofree char *size = g_format_size_full (n_bytes, G_FORMAT_SIZE_IEC_UNITS);
  GString *string = g_string_new (size);

  if (n_bytes < 1024)
    g_string_printf (string, "%" G_GUINT64_FORMAT " B", n_bytes);

  /* So that columns can be split at spaces. */
  g_string_replace (string, "\302\240", " ", 0);

  return g_string_free (string, FALSE);
}

const char *
cli_text_get_state (ShndArrayInfo *info)
{
  if (shnd_array_info_get_orphaned (info))
    return "orphaned";

  return shnd_array_info_get_held (info) ? "held" : "-";
}

const char *
cli_text_get_order (ShndOrder order)
{
  return order == SHND_ORDER_C ? "C" : order == SHND_ORDER_FORTRAN ? "Fortran" : "strided";
}

void
cli_text_print_row (const char *label, const char *format, ...)
{
  va_list arguments;

  printf ("%-*s  ", LABEL_WIDTH, label);
  va_start (arguments, format);
  vprintf (format, arguments);
  va_end (arguments);
  putchar ('\n');
}

gboolean
cli_text_matches (const char *text, char **patterns)
{
  if (*patterns == NULL)
    return TRUE;

  for (char **pattern = patterns; *pattern != NULL; pattern++)
    {
      if (fnmatch (*pattern, text, 0) == 0)
        return TRUE;
    }

  return FALSE;
}

gboolean
cli_text_flush (GError **error)
{
  if (fflush (stdout) == 0 && !ferror (stdout))
    return TRUE;

  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
               "Cannot write to the standard output: %s", g_strerror (errno));
  return FALSE;
}
