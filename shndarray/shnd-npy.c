/* SPDX-License-Identifier: MIT */

/* The format is NumPy's: NEP 1, "A Simple File Format for NumPy Arrays", and the documentation of
 * numpy.lib.format. */

#include "config.h"

#include "shnd-npy-private.h"

#include "shnd-error-private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const guint8 magic[6] = { 0x93, 'N', 'U', 'M', 'P', 'Y' };

/* Magic and version. */
#define START_SIZE 8

/* NumPy leaves room in the header for the growing axis to become this long (its
 * GROWTH_AXIS_MAX_DIGITS), so that a file can be appended to. */
#define GROWTH_DIGITS 21

static gboolean invalid (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
invalid (GError **error, const char *format, ...)
{
  g_autofree char *problem = NULL;
  va_list args;

  va_start (args, format);
  problem = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_FORMAT, "Not a valid .npy file: %s", problem);

  return FALSE;
}

static gboolean
check_start (const guint8 *header, gsize size, GError **error)
{
  if (size < sizeof magic || memcmp (header, magic, sizeof magic) != 0)
    return invalid (error, "it does not begin with the bytes 93 4E 55 4D 50 59 (“\\x93NUMPY”)");
  if (size < START_SIZE)
    return invalid (error, "it ends after %" G_GSIZE_FORMAT " bytes, before its format version",
                    size);
  if (header[6] < 1 || header[6] > 3 || header[7] != 0)
    return invalid (error, "it has format version %u.%u: expected 1.0, 2.0 or 3.0", header[6],
                    header[7]);

  return TRUE;
}

/* The start and the length of the text, of a header whose start was checked. */
static gsize
get_prefix_size (const guint8 *header)
{
  return header[6] == 1 ? 10 : 12;
}

gsize
shnd_npy_get_header_size (const guint8 *header, gsize size, GError **error)
{
  gsize prefix_size, length;

  if (!check_start (header, size, error))
    return 0;

  prefix_size = get_prefix_size (header);
  if (size < prefix_size)
    {
      invalid (error, "it ends after %" G_GSIZE_FORMAT " bytes, inside the length of its header",
               size);
      return 0;
    }

  length = header[8] | (gsize) header[9] << 8;
  if (prefix_size == 12)
    length |= (gsize) header[10] << 16 | (gsize) header[11] << 24;
  if (length > SHND_NPY_MAX_HEADER)
    {
      invalid (error, "its header has %" G_GSIZE_FORMAT " bytes: expected at most %d", length,
               SHND_NPY_MAX_HEADER);
      return 0;
    }

  return prefix_size + length;
}

static gboolean
parse_shape (const ShndLiteral *literal, gint64 *shape, guint *n_dims, GError **error)
{
  if (literal->kind != SHND_LITERAL_TUPLE)
    return invalid (error, "“shape” is %s: expected a tuple of numbers",
                    shnd_literal_describe (literal));
  if (literal->n_items > SHND_MAX_DIMS)
    return invalid (error, "“shape” has %u dimensions: an array has at most %d", literal->n_items,
                    SHND_MAX_DIMS);

  *n_dims = literal->n_items;
  for (guint i = 0; i < literal->n_items; i++)
    {
      if (literal->items[i]->kind != SHND_LITERAL_INT)
        return invalid (error, "dimension %u of “shape” is %s: expected a number", i,
                        shnd_literal_describe (literal->items[i]));
      shape[i] = literal->items[i]->integer;
    }

  return TRUE;
}

/* The text between the prefix and the padding, as UTF-8: versions 1.0 and 2.0 are Latin-1. */
static char *
get_text (const guint8 *header, gsize size, gsize *length, GError **error)
{
  gsize prefix_size = get_prefix_size (header);
  const char *text = (const char *) header + prefix_size;
  gsize end = size - prefix_size;
  char spaces[128];
  gboolean ascii = TRUE;
  GString *utf8;

  /* Most of a header is padding. */
  memset (spaces, ' ', sizeof spaces);
  if (end > 0 && text[end - 1] == '\n')
    end--;
  while (end >= sizeof spaces && memcmp (text + end - sizeof spaces, spaces, sizeof spaces) == 0)
    end -= sizeof spaces;
  while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\n'))
    end--;

  for (gsize i = 0; i < end; i++)
    {
      if (text[i] == '\0')
        {
          invalid (error, "byte %" G_GSIZE_FORMAT " of its header is NUL", i);
          return NULL;
        }
      ascii = ascii && !(text[i] & 0x80);
    }

  *length = end;
  if (ascii)
    return g_strndup (text, end);

  if (header[6] == 3)
    {
      const char *bad;

      if (g_utf8_validate (text, end, &bad))
        return g_strndup (text, end);
      invalid (error, "byte %" G_GSIZE_FORMAT " of its header is not UTF-8, as version 3.0 has it",
               (gsize) (bad - text));
      return NULL;
    }

  utf8 = g_string_sized_new (end + end / 2);
  for (gsize i = 0; i < end; i++)
    g_string_append_unichar (utf8, (guint8) text[i]);
  *length = utf8->len;

  return g_string_free (utf8, FALSE);
}

/* The keys of a header, in the order of the array that get_entries() fills. */
static const char *const keys[] = { "descr", "fortran_order", "shape" };

static gboolean
get_entries (const ShndLiteral *dict, const ShndLiteral **entries, GError **error)
{
  if (dict->kind != SHND_LITERAL_DICT)
    return invalid (error, "its header is %s: expected a dict", shnd_literal_describe (dict));

  for (guint i = 0; i < dict->n_items; i += 2)
    {
      const ShndLiteral *key = dict->items[i];
      guint k = 0;

      if (key->kind != SHND_LITERAL_STRING)
        return invalid (error, "its header has %s as a key: expected strings",
                        shnd_literal_describe (key));
      while (k < G_N_ELEMENTS (keys) && strcmp (key->string, keys[k]) != 0)
        k++;
      if (k == G_N_ELEMENTS (keys))
        {
          g_autofree char *shown = shnd_shorten (key->string);

          return invalid (error,
                          "its header has the key “%s”: expected “descr”, “fortran_order” and "
                          "“shape”",
                          shown);
        }
      if (entries[k] != NULL)
        return invalid (error, "its header has the key “%s” twice", keys[k]);
      entries[k] = dict->items[i + 1];
    }

  for (guint k = 0; k < G_N_ELEMENTS (keys); k++)
    if (entries[k] == NULL)
      return invalid (error, "its header lacks the key “%s”", keys[k]);

  return TRUE;
}

gboolean
shnd_npy_parse_header (
    const guint8 *header, gsize size, ShndLayout *layout, ShndDType **dtype, GError **error)
{
  g_autoptr (ShndLiteral) dict = NULL;
  g_autoptr (ShndDType) type = NULL;
  g_autoptr (GError) local_error = NULL;
  g_autofree char *text = NULL;
  const ShndLiteral *entries[G_N_ELEMENTS (keys)] = { NULL };
  gint64 shape[SHND_MAX_DIMS];
  gsize length;
  guint n_dims = 0;

  text = get_text (header, size, &length, error);
  if (text == NULL)
    return FALSE;

  dict = shnd_literal_parse (text, length, SHND_ERROR_INVALID_FORMAT, error);
  if (dict == NULL)
    {
      g_prefix_error_literal (error, "Not a valid .npy file: its header cannot be read: ");
      return FALSE;
    }

  if (!get_entries (dict, entries, error))
    return FALSE;

  if (entries[1]->kind != SHND_LITERAL_BOOL)
    return invalid (error, "“fortran_order” is %s: expected True or False",
                    shnd_literal_describe (entries[1]));

  if (!parse_shape (entries[2], shape, &n_dims, error))
    return FALSE;

  type = shnd_dtype_new_from_literal (entries[0], SHND_ERROR_INVALID_FORMAT, error);
  if (type == NULL)
    {
      g_prefix_error_literal (error, "Not a .npy file that can be shared: ");
      return FALSE;
    }

  if (!shnd_layout_init (layout, type, shape, n_dims, entries[1]->integer != 0, &local_error))
    return invalid (error, "%s", local_error->message);

  *dtype = g_steal_pointer (&type);
  return TRUE;
}

/* Turns UTF-8 into Latin-1, if all its characters are in that. */
static gboolean
make_latin1 (GString *text)
{
  gsize length = 0;

  for (const char *p = text->str; *p != '\0'; p = g_utf8_next_char (p))
    if (g_utf8_get_char (p) > 0xff)
      return FALSE;

  for (const char *p = text->str; *p != '\0';)
    {
      gunichar c = g_utf8_get_char (p);

      /* Before what it looks at may be overwritten. */
      p = g_utf8_next_char (p);
      text->str[length++] = c;
    }
  g_string_truncate (text, length);

  return TRUE;
}

GByteArray *
shnd_npy_build_header (const ShndLayout *layout, gsize align, GError **error)
{
  gboolean fortran = shnd_layout_get_order (layout) == SHND_ORDER_FORTRAN;
  g_autofree char *shape = shnd_shape_to_string (layout->shape, layout->n_dims);
  GString *text = g_string_new ("{'descr': ");
  GByteArray *header = NULL;
  guint8 prefix[SHND_NPY_PREFIX_SIZE] = { 0 };
  gsize prefix_size = 10, length, total;
  gboolean latin1;

  shnd_dtype_append_literal (layout->dtype, text);
  g_string_append_printf (text, ", 'fortran_order': %s, 'shape': %s, }", fortran ? "True" : "False",
                          shape);

  if (layout->n_dims > 0)
    {
      char digits[24];
      gint64 dim = layout->shape[fortran ? layout->n_dims - 1 : 0];
      gint n_digits = g_snprintf (digits, sizeof digits, "%" G_GINT64_FORMAT, dim);

      for (gint i = n_digits; i < GROWTH_DIGITS; i++)
        g_string_append_c (text, ' ');
    }

  /* Version 1.0 if the text is Latin-1 and short, 2.0 if it is Latin-1, else 3.0. */
  latin1 = make_latin1 (text);

  total = prefix_size + text->len + 1;
  total += align - total % align;
  if (!latin1 || total - prefix_size > G_MAXUINT16)
    {
      prefix_size = 12;
      total = prefix_size + text->len + 1;
      total += align - total % align;
    }
  length = total - prefix_size;

  if (length > SHND_NPY_MAX_HEADER)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_DTYPE,
                   "The description of the dtype takes a header of %" G_GSIZE_FORMAT
                   " bytes: expected at most %d",
                   length, SHND_NPY_MAX_HEADER);
      g_string_free (text, TRUE);
      return NULL;
    }

  memcpy (prefix, magic, sizeof magic);
  prefix[6] = prefix_size == 10 ? 1 : latin1 ? 2 : 3;
  for (gsize i = 8; i < prefix_size; i++)
    prefix[i] = length >> (8 * (i - 8));

  header = g_byte_array_sized_new (total);
  g_byte_array_append (header, prefix, prefix_size);
  g_byte_array_append (header, (const guint8 *) text->str, text->len);
  g_byte_array_set_size (header, total);
  memset (header->data + prefix_size + text->len, ' ', length - text->len - 1);
  header->data[total - 1] = '\n';
  g_string_free (text, TRUE);

  return header;
}

/* Reads up to `length` bytes at the beginning of the file; fewer only at its end. */
static gssize
read_start (int fd, guint8 *buffer, gsize length)
{
  gsize done = 0;

  while (done < length)
    {
      gssize n = pread (fd, buffer + done, length - done, done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return -1;
      if (n == 0)
        break;
      done += n;
    }

  return done;
}

gboolean
shnd_npy_read_header (
    int fd, ShndLayout *layout, ShndDType **dtype, gsize *header_size, GError **error)
{
  guint8 start[SHND_NPY_SEGMENT_ALIGN];
  g_autofree guint8 *long_header = NULL;
  const guint8 *header = start;
  gssize n_read;

  n_read = read_start (fd, start, sizeof start);
  if (n_read < 0)
    {
      shnd_set_error_from_errno (error, errno, "Cannot read its header");
      return FALSE;
    }

  *header_size = shnd_npy_get_header_size (start, n_read, error);
  if (*header_size == 0)
    return FALSE;

  if (*header_size > sizeof start)
    {
      long_header = g_malloc (*header_size);
      header = long_header;
      n_read = read_start (fd, long_header, *header_size);
      if (n_read < 0)
        {
          shnd_set_error_from_errno (error, errno, "Cannot read its header");
          return FALSE;
        }
    }

  if ((gsize) n_read < *header_size)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_FORMAT,
                   "Not a valid .npy file: it ends after %" G_GSSIZE_FORMAT
                   " bytes, inside its header of %" G_GSIZE_FORMAT,
                   n_read, *header_size);
      return FALSE;
    }

  return shnd_npy_parse_header (header, *header_size, layout, dtype, error);
}

/* Reads on until `length` bytes are at hand, of which there are `*done` already. */
static gboolean
read_on (GInputStream *stream,
         guint8 *header,
         gsize length,
         gsize *done,
         GCancellable *cancellable,
         GError **error)
{
  gsize n_read;

  if (!g_input_stream_read_all (stream, header + *done, length - *done, &n_read, cancellable,
                                error))
    return FALSE;

  *done += n_read;
  if (*done == length)
    return TRUE;

  if (*done == 0)
    g_set_error_literal (error, SHND_ERROR, SHND_ERROR_END_OF_STREAM,
                         "It has ended: expected a .npy file");
  else if (memcmp (header, magic, MIN (*done, sizeof magic)) != 0)
    check_start (header, *done, error);
  else
    g_set_error (error, SHND_ERROR, SHND_ERROR_TOO_SMALL,
                 "It ended after %" G_GSIZE_FORMAT " bytes, inside the header of a .npy file",
                 *done);

  return FALSE;
}

gboolean
shnd_npy_read_header_from_stream (GInputStream *stream,
                                  ShndLayout *layout,
                                  ShndDType **dtype,
                                  GCancellable *cancellable,
                                  GError **error)
{
  guint8 prefix[SHND_NPY_PREFIX_SIZE];
  g_autofree guint8 *header = NULL;
  gsize size, prefix_size, done = 0;

  /* What is something else is not waited for any longer. */
  if (!read_on (stream, prefix, START_SIZE, &done, cancellable, error) ||
      !check_start (prefix, done, error))
    return FALSE;

  prefix_size = get_prefix_size (prefix);
  if (!read_on (stream, prefix, prefix_size, &done, cancellable, error))
    return FALSE;

  size = shnd_npy_get_header_size (prefix, done, error);
  if (size == 0)
    return FALSE;

  header = g_malloc (size);
  memcpy (header, prefix, prefix_size);

  return read_on (stream, header, size, &done, cancellable, error) &&
         shnd_npy_parse_header (header, size, layout, dtype, error);
}
