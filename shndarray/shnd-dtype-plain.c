/* SPDX-License-Identifier: MIT */

#include "config.h"

#include <string.h>

#include "shnd-dtype-parse-private.h"
#include "shnd-error-private.h"

#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define NATIVE_ORDER '<'
#define SWAPPED_ORDER '>'
#define NATIVE "<"
#define SWAPPED ">"
#else
#define NATIVE_ORDER '>'
#define SWAPPED_ORDER '<'
#define NATIVE ">"
#define SWAPPED "<"
#endif

#if __SIZEOF_LONG_DOUBLE__ == 16
#define LONG_FLOAT "f16"
#define LONG_COMPLEX "c32"
#endif

#define PLAIN(kind_, size_, alignment_, description_)                                              \
  {                                                                                                \
    .ref_count = 1, .kind = SHND_DTYPE_KIND_##kind_, .item_size = (size_),                         \
    .alignment = (alignment_), .description = (char *) (description_)                              \
  }

#define ORDERED(kind_, type_, n_, letter_)                                                         \
  PLAIN (kind_, (n_) * sizeof (type_), _Alignof(type_), NATIVE letter_),                           \
  {                                                                                                \
    .ref_count = 1, .kind = SHND_DTYPE_KIND_##kind_, .swapped = TRUE,                              \
    .item_size = (n_) * sizeof (type_), .alignment = _Alignof(type_),                              \
    .description = (char *) SWAPPED letter_                                                        \
  }

/* The numbers, made once: they cost nothing to look up. The reference that is counted here is
 * nobody's, so they are never freed. */
static ShndDType plain_types[] = {
  PLAIN (BOOL, 1, 1, "|b1"),
  PLAIN (INT, 1, 1, "|i1"),
  PLAIN (UINT, 1, 1, "|u1"),
  ORDERED (INT, gint16, 1, "i2"),
  ORDERED (INT, gint32, 1, "i4"),
  ORDERED (INT, gint64, 1, "i8"),
  ORDERED (UINT, guint16, 1, "u2"),
  ORDERED (UINT, guint32, 1, "u4"),
  ORDERED (UINT, guint64, 1, "u8"),
  ORDERED (FLOAT, guint16, 1, "f2"),
  ORDERED (FLOAT, float, 1, "f4"),
  ORDERED (FLOAT, double, 1, "f8"),
  ORDERED (COMPLEX, float, 2, "c8"),
  ORDERED (COMPLEX, double, 2, "c16"),
#ifdef LONG_FLOAT
  ORDERED (FLOAT, long double, 1, LONG_FLOAT),
  ORDERED (COMPLEX, long double, 2, LONG_COMPLEX),
#endif
};

typedef struct
{
  const char *name;
  ShndDTypeKind kind;
  gsize size;
} Name;

#define OBJECT ((ShndDTypeKind) -1)

/* Sizes follow the C types of the platform, as NumPy's do. */
static const Name names[] = {
  { "bool", SHND_DTYPE_KIND_BOOL, 1 },
  { "bool_", SHND_DTYPE_KIND_BOOL, 1 },
  { "bool8", SHND_DTYPE_KIND_BOOL, 1 },
  { "int8", SHND_DTYPE_KIND_INT, 1 },
  { "int16", SHND_DTYPE_KIND_INT, 2 },
  { "int32", SHND_DTYPE_KIND_INT, 4 },
  { "int64", SHND_DTYPE_KIND_INT, 8 },
  { "uint8", SHND_DTYPE_KIND_UINT, 1 },
  { "uint16", SHND_DTYPE_KIND_UINT, 2 },
  { "uint32", SHND_DTYPE_KIND_UINT, 4 },
  { "uint64", SHND_DTYPE_KIND_UINT, 8 },
  { "float16", SHND_DTYPE_KIND_FLOAT, 2 },
  { "float32", SHND_DTYPE_KIND_FLOAT, 4 },
  { "float64", SHND_DTYPE_KIND_FLOAT, 8 },
  { "complex64", SHND_DTYPE_KIND_COMPLEX, 8 },
  { "complex128", SHND_DTYPE_KIND_COMPLEX, 16 },
#if __SIZEOF_LONG_DOUBLE__ == 16
  { "float128", SHND_DTYPE_KIND_FLOAT, 16 },
  { "complex256", SHND_DTYPE_KIND_COMPLEX, 32 },
#endif
  { "byte", SHND_DTYPE_KIND_INT, 1 },
  { "short", SHND_DTYPE_KIND_INT, sizeof (short) },
  { "intc", SHND_DTYPE_KIND_INT, sizeof (int) },
  { "int", SHND_DTYPE_KIND_INT, sizeof (long) },
  { "int_", SHND_DTYPE_KIND_INT, sizeof (long) },
  { "long", SHND_DTYPE_KIND_INT, sizeof (long) },
  { "longlong", SHND_DTYPE_KIND_INT, sizeof (long long) },
  { "intp", SHND_DTYPE_KIND_INT, sizeof (gpointer) },
  { "int0", SHND_DTYPE_KIND_INT, sizeof (gpointer) },
  { "ubyte", SHND_DTYPE_KIND_UINT, 1 },
  { "ushort", SHND_DTYPE_KIND_UINT, sizeof (short) },
  { "uintc", SHND_DTYPE_KIND_UINT, sizeof (int) },
  { "uint", SHND_DTYPE_KIND_UINT, sizeof (long) },
  { "ulong", SHND_DTYPE_KIND_UINT, sizeof (long) },
  { "ulonglong", SHND_DTYPE_KIND_UINT, sizeof (long long) },
  { "uintp", SHND_DTYPE_KIND_UINT, sizeof (gpointer) },
  { "uint0", SHND_DTYPE_KIND_UINT, sizeof (gpointer) },
  { "half", SHND_DTYPE_KIND_FLOAT, 2 },
  { "single", SHND_DTYPE_KIND_FLOAT, sizeof (float) },
  { "double", SHND_DTYPE_KIND_FLOAT, sizeof (double) },
  { "float", SHND_DTYPE_KIND_FLOAT, sizeof (double) },
  { "float_", SHND_DTYPE_KIND_FLOAT, sizeof (double) },
  { "longdouble", SHND_DTYPE_KIND_FLOAT, sizeof (long double) },
  { "longfloat", SHND_DTYPE_KIND_FLOAT, sizeof (long double) },
  { "csingle", SHND_DTYPE_KIND_COMPLEX, 2 * sizeof (float) },
  { "singlecomplex", SHND_DTYPE_KIND_COMPLEX, 2 * sizeof (float) },
  { "cdouble", SHND_DTYPE_KIND_COMPLEX, 2 * sizeof (double) },
  { "cfloat", SHND_DTYPE_KIND_COMPLEX, 2 * sizeof (double) },
  { "complex", SHND_DTYPE_KIND_COMPLEX, 2 * sizeof (double) },
  { "complex_", SHND_DTYPE_KIND_COMPLEX, 2 * sizeof (double) },
  { "clongdouble", SHND_DTYPE_KIND_COMPLEX, 2 * sizeof (long double) },
  { "clongfloat", SHND_DTYPE_KIND_COMPLEX, 2 * sizeof (long double) },
  { "longcomplex", SHND_DTYPE_KIND_COMPLEX, 2 * sizeof (long double) },
  { "str", SHND_DTYPE_KIND_UNICODE, 0 },
  { "str_", SHND_DTYPE_KIND_UNICODE, 0 },
  { "str0", SHND_DTYPE_KIND_UNICODE, 0 },
  { "unicode", SHND_DTYPE_KIND_UNICODE, 0 },
  { "unicode_", SHND_DTYPE_KIND_UNICODE, 0 },
  { "bytes", SHND_DTYPE_KIND_BYTES, 0 },
  { "bytes_", SHND_DTYPE_KIND_BYTES, 0 },
  { "bytes0", SHND_DTYPE_KIND_BYTES, 0 },
  { "string_", SHND_DTYPE_KIND_BYTES, 0 },
  { "void", SHND_DTYPE_KIND_VOID, 0 },
  { "void0", SHND_DTYPE_KIND_VOID, 0 },
  { "object", OBJECT, 0 },
  { "object_", OBJECT, 0 },
  { "object0", OBJECT, 0 },
};

/* One letter alone. */
static const Name letters[] = {
  { "?", SHND_DTYPE_KIND_BOOL, 1 },
  { "b", SHND_DTYPE_KIND_INT, 1 },
  { "h", SHND_DTYPE_KIND_INT, sizeof (short) },
  { "i", SHND_DTYPE_KIND_INT, sizeof (int) },
  { "l", SHND_DTYPE_KIND_INT, sizeof (long) },
  { "q", SHND_DTYPE_KIND_INT, sizeof (long long) },
  { "p", SHND_DTYPE_KIND_INT, sizeof (gpointer) },
  { "B", SHND_DTYPE_KIND_UINT, 1 },
  { "H", SHND_DTYPE_KIND_UINT, sizeof (short) },
  { "I", SHND_DTYPE_KIND_UINT, sizeof (int) },
  { "L", SHND_DTYPE_KIND_UINT, sizeof (long) },
  { "Q", SHND_DTYPE_KIND_UINT, sizeof (long long) },
  { "P", SHND_DTYPE_KIND_UINT, sizeof (gpointer) },
  { "e", SHND_DTYPE_KIND_FLOAT, 2 },
  { "f", SHND_DTYPE_KIND_FLOAT, sizeof (float) },
  { "d", SHND_DTYPE_KIND_FLOAT, sizeof (double) },
  { "g", SHND_DTYPE_KIND_FLOAT, sizeof (long double) },
  { "F", SHND_DTYPE_KIND_COMPLEX, 2 * sizeof (float) },
  { "D", SHND_DTYPE_KIND_COMPLEX, 2 * sizeof (double) },
  { "G", SHND_DTYPE_KIND_COMPLEX, 2 * sizeof (long double) },
  { "M", SHND_DTYPE_KIND_DATETIME, 8 },
  { "m", SHND_DTYPE_KIND_TIMEDELTA, 8 },
  { "S", SHND_DTYPE_KIND_BYTES, 0 },
  { "a", SHND_DTYPE_KIND_BYTES, 0 },
  { "c", SHND_DTYPE_KIND_BYTES, 1 },
  { "U", SHND_DTYPE_KIND_UNICODE, 0 },
  { "V", SHND_DTYPE_KIND_VOID, 0 },
  { "O", OBJECT, 0 },
};

/* One letter with a size behind it; here `size` is the factor from that number to bytes. */
static const Name sized_letters[] = {
  { "b", SHND_DTYPE_KIND_BOOL, 1 },      { "i", SHND_DTYPE_KIND_INT, 1 },
  { "u", SHND_DTYPE_KIND_UINT, 1 },      { "f", SHND_DTYPE_KIND_FLOAT, 1 },
  { "c", SHND_DTYPE_KIND_COMPLEX, 1 },   { "S", SHND_DTYPE_KIND_BYTES, 1 },
  { "a", SHND_DTYPE_KIND_BYTES, 1 },     { "U", SHND_DTYPE_KIND_UNICODE, 4 },
  { "V", SHND_DTYPE_KIND_VOID, 1 },      { "M", SHND_DTYPE_KIND_DATETIME, 1 },
  { "m", SHND_DTYPE_KIND_TIMEDELTA, 1 }, { "O", OBJECT, 1 },
};

static const struct
{
  const char *name;
  ShndUnit unit;
} units[] = {
  { "generic", SHND_UNIT_GENERIC },
  { "Y", SHND_UNIT_YEAR },
  { "M", SHND_UNIT_MONTH },
  { "W", SHND_UNIT_WEEK },
  { "D", SHND_UNIT_DAY },
  { "h", SHND_UNIT_HOUR },
  { "m", SHND_UNIT_MINUTE },
  { "s", SHND_UNIT_SECOND },
  { "ms", SHND_UNIT_MILLISECOND },
  { "us", SHND_UNIT_MICROSECOND },
  { "ns", SHND_UNIT_NANOSECOND },
  { "ps", SHND_UNIT_PICOSECOND },
  { "fs", SHND_UNIT_FEMTOSECOND },
  { "as", SHND_UNIT_ATTOSECOND },
  { "\316\274s", SHND_UNIT_MICROSECOND }, /* the Greek letter */
  { "\302\265s", SHND_UNIT_MICROSECOND }, /* the micro sign */
};

void
shnd_dtype_report (ShndDTypeReport *report, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);

  if (report->position >= 0)
    g_set_error (report->error, SHND_ERROR, report->error_code, "at byte %" G_GSSIZE_FORMAT ": %s",
                 report->position, message);
  else
    g_set_error_literal (report->error, SHND_ERROR, report->error_code, message);
}

char *
shnd_dtype_quote (const char *text)
{
  g_autofree char *shown = shnd_shorten (text);
  GString *quoted = g_string_new (NULL);

  shnd_literal_append_string (quoted, shown);

  return g_string_free (quoted, FALSE);
}

static const Name *
find_name (const Name *table, gsize n, const char *text, gsize length)
{
  for (gsize i = 0; i < n; i++)
    {
      if (table[i].name[0] == text[0] && strncmp (table[i].name, text, length) == 0 &&
          table[i].name[length] == '\0')
        return &table[i];
    }

  return NULL;
}

ShndDType *
shnd_dtype_alloc (ShndDTypeKind kind, gsize item_size, gsize alignment)
{
  ShndDType *self = g_new0 (ShndDType, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->kind = kind;
  self->item_size = item_size;
  self->alignment = alignment;

  return self;
}

ShndDType *
shnd_dtype_new_flexible (ShndDTypeKind kind, gboolean swapped, guint64 n, ShndDTypeReport *report)
{
  const gsize factor = kind == SHND_DTYPE_KIND_UNICODE ? 4 : 1;
  ShndDType *self;

  if (n > SHND_DTYPE_MAX_ITEM_SIZE / factor)
    {
      shnd_dtype_report (report, "an element would take more than %" G_GSIZE_FORMAT " bytes",
                         SHND_DTYPE_MAX_ITEM_SIZE);
      return NULL;
    }

  self =
      shnd_dtype_alloc (kind, n * factor, kind == SHND_DTYPE_KIND_UNICODE ? _Alignof(guint32) : 1);
  if (kind == SHND_DTYPE_KIND_UNICODE)
    {
      self->swapped = swapped;
      self->description =
          g_strdup_printf ("%cU%" G_GUINT64_FORMAT, swapped ? SWAPPED_ORDER : NATIVE_ORDER, n);
    }
  else
    self->description =
        g_strdup_printf ("|%c%" G_GUINT64_FORMAT, kind == SHND_DTYPE_KIND_BYTES ? 'S' : 'V', n);

  return self;
}

/* Reads digits, and nothing else. Too large a number becomes G_MAXUINT64. */
static gboolean
parse_digits (const char **text, guint64 *value)
{
  const char *p = *text;

  *value = 0;
  if (!g_ascii_isdigit (*p))
    return FALSE;

  for (; g_ascii_isdigit (*p); p++)
    {
      if (!g_uint64_checked_mul (value, *value, 10) ||
          !g_uint64_checked_add (value, *value, (guint64) (*p - '0')))
        *value = G_MAXUINT64;
    }
  *text = p;

  return TRUE;
}

/* `text` is what follows "M8": nothing, or a unit in brackets. */
static gboolean
parse_unit (const char *text, ShndUnit *unit, guint *multiple, ShndDTypeReport *report)
{
  static const char expected[] =
      "expected one in brackets, as in [ns] or [25s], of Y, M, W, D, h, m, s, ms, us, ns, ps, fs, "
      "as, generic";
  const char *whole = text;
  guint64 n;
  gsize length;

  *unit = SHND_UNIT_GENERIC;
  *multiple = 1;

  if (*text == '\0')
    return TRUE;

  if (*text == '[')
    {
      text++;
      if (!parse_digits (&text, &n))
        n = 1;
      if (n == 0 || n > G_MAXINT32)
        {
          shnd_dtype_report (report, "the multiple of a unit of time has to be from 1 to %d",
                             G_MAXINT32);
          return FALSE;
        }

      length = strcspn (text, "]/");
      if (text[length] == '/')
        {
          shnd_dtype_report (
              report, "a unit of time with a divisor is not accepted; write it as a multiple of a "
                      "smaller unit, as [100ms] instead of [s/10]");
          return FALSE;
        }
      if (text[length] == ']' && text[length + 1] == '\0')
        {
          for (gsize i = 0; i < G_N_ELEMENTS (units); i++)
            {
              if (strlen (units[i].name) == length && memcmp (units[i].name, text, length) == 0)
                {
                  *unit = units[i].unit;
                  if (*unit != SHND_UNIT_GENERIC)
                    *multiple = (guint) n;
                  return TRUE;
                }
            }
        }
    }

  g_autofree char *quoted = shnd_dtype_quote (whole);
  shnd_dtype_report (report, "unknown unit of time %s: %s", quoted, expected);
  return FALSE;
}

static ShndDType *
new_time (ShndDTypeKind kind, gboolean swapped, const char *text, ShndDTypeReport *report)
{
  ShndUnit unit;
  guint multiple;
  ShndDType *self;

  if (!parse_unit (text, &unit, &multiple, report))
    return NULL;

  self = shnd_dtype_alloc (kind, 8, _Alignof(gint64));
  self->swapped = swapped;
  self->unit = unit;
  self->multiple = multiple;
  if (unit != SHND_UNIT_GENERIC)
    {
      /* The table is in the order of the enum up to the two other names of us. */
      self->unit_name = multiple == 1 ? g_strdup (units[unit].name) :
                                        g_strdup_printf ("%u%s", multiple, units[unit].name);
      self->description =
          g_strdup_printf ("%c%c8[%s]", swapped ? SWAPPED_ORDER : NATIVE_ORDER,
                           kind == SHND_DTYPE_KIND_DATETIME ? 'M' : 'm', self->unit_name);
    }
  else
    self->description = g_strdup_printf ("%c%c8", swapped ? SWAPPED_ORDER : NATIVE_ORDER,
                                         kind == SHND_DTYPE_KIND_DATETIME ? 'M' : 'm');

  return self;
}

static ShndDType *
find_plain (ShndDTypeKind kind, guint64 size, gboolean swapped)
{
  swapped = swapped && size > 1;

  for (gsize i = 0; i < G_N_ELEMENTS (plain_types); i++)
    {
      ShndDType *type = &plain_types[i];

      if (type->kind == kind && type->item_size == size && type->swapped == swapped)
        return shnd_dtype_ref (type);
    }

  return NULL;
}

static ShndDType *
set_unknown_error (const char *text, ShndDTypeReport *report)
{
  g_autofree char *quoted = shnd_dtype_quote (text);

  if (*text == '{')
    shnd_dtype_report (report,
                       "a dict of names and formats is not accepted: expected a list of fields, as "
                       "in [('x', '<f4'), ('', 'V4'), ('y', '<f8')]");
  else if (strchr (text, ',') != NULL)
    shnd_dtype_report (
        report, "%s is not a dtype: expected fields as a list, as in [('x', '<i4'), ('y', '<f4')]",
        quoted);
  else if (g_ascii_isdigit (*text))
    shnd_dtype_report (
        report, "%s is not a dtype: expected a repetition as a tuple, as in ('<f4', (2,))", quoted);
  else
    shnd_dtype_report (
        report,
        "%s is not a dtype: expected a type such as '<f4', 'u1', 'S10', '<M8[ns]', a name "
        "such as 'float32' or 'bool', or a list of fields such as [('x', '<f4')]",
        quoted);

  return NULL;
}

static ShndDType *
set_object_error (ShndDTypeReport *report)
{
  shnd_dtype_report (
      report, "object dtypes cannot be shared: they hold pointers, which no other process can "
              "follow");
  return NULL;
}

static ShndDType *
new_of_name (const Name *name, gboolean swapped, ShndDTypeReport *report)
{
  if (name->kind == OBJECT)
    return set_object_error (report);

  switch (name->kind)
    {
    case SHND_DTYPE_KIND_BYTES:
    case SHND_DTYPE_KIND_UNICODE:
    case SHND_DTYPE_KIND_VOID:
      return shnd_dtype_new_flexible (name->kind, swapped, name->size, report);
    case SHND_DTYPE_KIND_DATETIME:
    case SHND_DTYPE_KIND_TIMEDELTA:
      return new_time (name->kind, swapped, "", report);
    default:
      return find_plain (name->kind, name->size, swapped);
    }
}

/* A letter and digits; `text` is what follows the byte order. `whole` is for messages. */
static ShndDType *
new_of_sized_letter (const char *text, gboolean swapped, const char *whole, ShndDTypeReport *report)
{
  const Name *letter = find_name (sized_letters, G_N_ELEMENTS (sized_letters), text, 1);
  const char *rest = text + 1;
  guint64 n;
  ShndDType *self;

  if (letter == NULL || !parse_digits (&rest, &n))
    return set_unknown_error (whole, report);

  if (letter->kind == SHND_DTYPE_KIND_DATETIME || letter->kind == SHND_DTYPE_KIND_TIMEDELTA)
    return n == 8 ? new_time (letter->kind, swapped, rest, report) :
                    set_unknown_error (whole, report);

  if (*rest != '\0')
    return set_unknown_error (whole, report);

  if (letter->kind == OBJECT)
    return set_object_error (report);

  switch (letter->kind)
    {
    case SHND_DTYPE_KIND_BYTES:
    case SHND_DTYPE_KIND_UNICODE:
    case SHND_DTYPE_KIND_VOID:
      return shnd_dtype_new_flexible (letter->kind, swapped, n, report);
    default:
      self = find_plain (letter->kind, n, swapped);
      return self != NULL ? self : set_unknown_error (whole, report);
    }
}

ShndDType *
shnd_dtype_parse_string (const char *text, ShndDTypeReport *report)
{
  const char *rest = text;
  gboolean swapped = FALSE;
  const Name *name = NULL;

  if (*rest == '<' || *rest == '>' || *rest == '=' || *rest == '|')
    {
      swapped = *rest == SWAPPED_ORDER;
      rest++;
    }

  if (rest[0] == '\0')
    return set_unknown_error (text, report);

  if (rest[1] == '\0')
    name = find_name (letters, G_N_ELEMENTS (letters), rest, 1);
  else if (g_ascii_isdigit (rest[1]))
    return new_of_sized_letter (rest, swapped, text, report);
  else if (g_str_has_prefix (rest, "datetime64"))
    return new_time (SHND_DTYPE_KIND_DATETIME, swapped, rest + strlen ("datetime64"), report);
  else if (g_str_has_prefix (rest, "timedelta64"))
    return new_time (SHND_DTYPE_KIND_TIMEDELTA, swapped, rest + strlen ("timedelta64"), report);
  else if (rest == text)
    name = find_name (names, G_N_ELEMENTS (names), rest, strlen (rest));

  return name != NULL ? new_of_name (name, swapped, report) : set_unknown_error (text, report);
}

ShndDType *
shnd_dtype_new_from_type_string (const char *text, gssize position, gint error_code, GError **error)
{
  ShndDTypeReport report = { position, error_code, error };

  return shnd_dtype_parse_string (text, &report);
}
