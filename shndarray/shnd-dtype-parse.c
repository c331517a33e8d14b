/* SPDX-License-Identifier: MIT */

#include "config.h"

#include <string.h>

#include "shnd-dtype-parse-private.h"

#define MAX_DIMS G_N_ELEMENTS (((ShndDType *) NULL)->shape)

/* Levels of the canonical literal. Below the parser's own limit, so that a dtype which was accepted
 * can be written, put into a header's dict, and read again. */
#define MAX_DEPTH (SHND_LITERAL_MAX_DEPTH - 8)

static ShndDType *
new_from_literal (const ShndLiteral *literal, guint depth, ShndDTypeReport *report);

void
shnd_dtype_append_shape (GString *text, const gint64 *shape, guint n_dims)
{
  g_string_append_c (text, '(');
  for (guint i = 0; i < n_dims; i++)
    g_string_append_printf (text, i == 0 ? "%" G_GINT64_FORMAT : ", %" G_GINT64_FORMAT, shape[i]);
  g_string_append (text, n_dims == 1 ? ",)" : ")");
}

static void
append_padding (GString *text, gsize size)
{
  if (size > 0)
    g_string_append_printf (text, "%s('', '|V%" G_GSIZE_FORMAT "')", text->len > 1 ? ", " : "",
                            size);
}

static char *
describe_struct (ShndDType *self)
{
  GString *text = g_string_new ("[");
  gsize end = 0;

  for (guint i = 0; i < self->n_fields; i++)
    {
      const ShndField *field = &self->fields[i];

      append_padding (text, field->offset - end);
      g_string_append (text, text->len > 1 ? ", (" : "(");
      if (field->title != NULL)
        {
          g_string_append_c (text, '(');
          shnd_literal_append_string (text, field->title);
          g_string_append (text, ", ");
          shnd_literal_append_string (text, field->name);
          g_string_append_c (text, ')');
        }
      else
        shnd_literal_append_string (text, field->name);
      g_string_append (text, ", ");
      if (field->dtype->kind == SHND_DTYPE_KIND_SUBARRAY)
        {
          shnd_dtype_append_literal (field->dtype->base, text);
          g_string_append (text, ", ");
          shnd_dtype_append_shape (text, field->dtype->shape, field->dtype->n_dims);
        }
      else
        shnd_dtype_append_literal (field->dtype, text);
      g_string_append_c (text, ')');
      end = field->offset + field->dtype->item_size;
    }
  append_padding (text, self->item_size - end);
  g_string_append_c (text, ']');

  return g_string_free (text, FALSE);
}

static char *
describe_subarray (ShndDType *self)
{
  GString *text = g_string_new ("(");

  shnd_dtype_append_literal (self->base, text);
  g_string_append (text, ", ");
  shnd_dtype_append_shape (text, self->shape, self->n_dims);
  g_string_append_c (text, ')');

  return g_string_free (text, FALSE);
}

void
shnd_dtype_append_literal (ShndDType *self, GString *text)
{
  if (self->kind == SHND_DTYPE_KIND_STRUCT || self->kind == SHND_DTYPE_KIND_SUBARRAY)
    g_string_append (text, self->description);
  else
    shnd_literal_append_string (text, self->description);
}

static gboolean
check_depth (guint depth, ShndDTypeReport *report)
{
  if (depth <= MAX_DEPTH)
    return TRUE;

  shnd_dtype_report (
      report, "the dtype is nested too deeply: expected at most %d levels of brackets", MAX_DEPTH);
  return FALSE;
}

/* One dimension, by the limits that NumPy has. */
static gboolean
get_dim (const ShndLiteral *literal, gint64 *dim, ShndDTypeReport *report)
{
  report->position = (gssize) literal->position;

  if (literal->kind != SHND_LITERAL_INT)
    {
      shnd_dtype_report (report, "expected a whole number as dimension of the shape, found %s",
                         shnd_literal_describe (literal));
      return FALSE;
    }
  if (literal->integer < 0)
    {
      shnd_dtype_report (report, "a dimension of a shape cannot be negative: %" G_GINT64_FORMAT,
                         literal->integer);
      return FALSE;
    }
  if (literal->integer > G_MAXINT32)
    {
      shnd_dtype_report (report,
                         "a dimension of a sub-array cannot be larger than %d: %" G_GINT64_FORMAT,
                         G_MAXINT32, literal->integer);
      return FALSE;
    }

  *dim = literal->integer;
  return TRUE;
}

static gboolean
get_shape (const ShndLiteral *literal, gint64 *shape, guint *n_dims, ShndDTypeReport *report)
{
  if (literal->kind == SHND_LITERAL_INT)
    {
      *n_dims = 1;
      return get_dim (literal, shape, report);
    }

  report->position = (gssize) literal->position;
  if (literal->kind != SHND_LITERAL_TUPLE && literal->kind != SHND_LITERAL_LIST)
    {
      shnd_dtype_report (report, "expected a shape, such as (2, 3), found %s",
                         shnd_literal_describe (literal));
      return FALSE;
    }
  if (literal->n_items > MAX_DIMS)
    {
      shnd_dtype_report (report, "a sub-array has at most %d dimensions, this one has %u",
                         (int) MAX_DIMS, literal->n_items);
      return FALSE;
    }

  *n_dims = literal->n_items;
  for (guint i = 0; i < literal->n_items; i++)
    {
      if (!get_dim (literal->items[i], &shape[i], report))
        return FALSE;
    }

  return TRUE;
}

/* `base`, repeated to fill the shape. */
static ShndDType *
new_repeated (ShndDType *base, const ShndLiteral *literal, ShndDTypeReport *report)
{
  g_autoptr (ShndDType) self = NULL;
  gint64 shape[MAX_DIMS];
  guint n_dims;
  guint64 n = 1;
  gboolean fits = TRUE;

  if (!get_shape (literal, shape, &n_dims, report))
    return NULL;
  report->position = (gssize) literal->position;

  if (n_dims == 0)
    return shnd_dtype_ref (base);

  /* Here NumPy differs between a number and a tuple: ('f4', 1) is plain 'f4', and ('S', 5) is 'S5',
   * while it refuses ('S', (5,)). */
  if (literal->kind == SHND_LITERAL_INT)
    {
      if (base->item_size == 0 &&
          (base->kind == SHND_DTYPE_KIND_BYTES || base->kind == SHND_DTYPE_KIND_UNICODE ||
           base->kind == SHND_DTYPE_KIND_VOID))
        return shnd_dtype_new_flexible (base->kind, base->swapped, (guint64) shape[0], report);
      if (shape[0] == 1)
        return shnd_dtype_ref (base);
    }

  if (base->item_size == 0 && base->kind != SHND_DTYPE_KIND_STRUCT)
    {
      g_autofree char *quoted = shnd_dtype_quote (base->description);

      shnd_dtype_report (report, "a sub-array of elements without a size is not accepted: %s",
                         quoted);
      return NULL;
    }

  for (guint i = 0; i < n_dims && fits; i++)
    fits = g_uint64_checked_mul (&n, n, (guint64) shape[i]) && n <= G_MAXINT64;
  if (!fits || (base->item_size > 0 && n > SHND_DTYPE_MAX_ITEM_SIZE / base->item_size))
    {
      shnd_dtype_report (report, "the sub-array would take more than %" G_GSIZE_FORMAT " bytes",
                         SHND_DTYPE_MAX_ITEM_SIZE);
      return NULL;
    }

  self = shnd_dtype_alloc (SHND_DTYPE_KIND_SUBARRAY, (gsize) n * base->item_size, base->alignment);
  self->base = shnd_dtype_ref (base);
  self->n_dims = n_dims;
  memcpy (self->shape, shape, n_dims * sizeof shape[0]);
  self->description = describe_subarray (self);

  return g_steal_pointer (&self);
}

static ShndDType *
new_repeated_from_items (const ShndLiteral *type,
                         const ShndLiteral *shape,
                         guint depth,
                         ShndDTypeReport *report)
{
  g_autoptr (ShndDType) base = NULL;

  /* The shape is a tuple of its own when it is printed. */
  if (!check_depth (depth + 2, report))
    return NULL;

  base = new_from_literal (type, depth + 1, report);
  if (base == NULL)
    return NULL;

  return new_repeated (base, shape, report);
}

/* Takes a name or title, and refuses what the struct already has. Names are found by either, so
 * they have to differ from each other, too. */
static gboolean
claim_name (GHashTable *taken,
            const ShndLiteral *literal,
            const char *what,
            ShndDTypeReport *report)
{
  report->position = (gssize) literal->position;

  if (literal->kind != SHND_LITERAL_STRING)
    {
      shnd_dtype_report (report, "expected a string as %s of a field, found %s", what,
                         shnd_literal_describe (literal));
      return FALSE;
    }

  if (!g_hash_table_add (taken, literal->string))
    {
      g_autofree char *quoted = shnd_dtype_quote (literal->string);

      shnd_dtype_report (report,
                         "the %s %s is used twice: names and titles of fields have to differ", what,
                         quoted);
      return FALSE;
    }

  return TRUE;
}

static gboolean
parse_field_name (const ShndLiteral *literal,
                  GHashTable *taken,
                  ShndField *field,
                  ShndDTypeReport *report)
{
  const ShndLiteral *name = literal;
  const ShndLiteral *title = NULL;

  if (literal->kind == SHND_LITERAL_TUPLE)
    {
      if (literal->n_items != 2)
        {
          report->position = (gssize) literal->position;
          shnd_dtype_report (report,
                             "expected a name, or a tuple (title, name), found a tuple of %u",
                             literal->n_items);
          return FALSE;
        }
      name = literal->items[1];
      if (literal->items[0]->kind != SHND_LITERAL_NONE)
        title = literal->items[0];
    }

  if (!claim_name (taken, name, "name", report))
    return FALSE;
  field->name = g_strdup (name->string);

  if (title != NULL)
    {
      if (!claim_name (taken, title, "title", report))
        return FALSE;
      field->title = g_strdup (title->string);
    }

  return TRUE;
}

static gboolean
is_padding (const ShndLiteral *name, ShndDType *dtype)
{
  if (dtype->kind != SHND_DTYPE_KIND_VOID && dtype->kind != SHND_DTYPE_KIND_SUBARRAY)
    return FALSE;

  /* NumPy prints a field without title as its name alone, whichever way it was given. */
  if (name->kind == SHND_LITERAL_TUPLE && name->n_items == 2 &&
      name->items[0]->kind == SHND_LITERAL_NONE)
    name = name->items[1];

  return name->kind == SHND_LITERAL_STRING && name->string[0] == '\0';
}

static ShndDType *
new_struct (const ShndLiteral *literal, guint depth, ShndDTypeReport *report)
{
  g_autoptr (ShndDType) self = shnd_dtype_alloc (SHND_DTYPE_KIND_STRUCT, 0, 1);
  g_autoptr (GHashTable) taken = g_hash_table_new (g_str_hash, g_str_equal);

  /* A field is a tuple in this list. */
  if (!check_depth (depth + 2, report))
    return NULL;

  self->fields = g_new0 (ShndField, literal->n_items);
  for (guint i = 0; i < literal->n_items; i++)
    {
      const ShndLiteral *item = literal->items[i];
      g_autoptr (ShndDType) dtype = NULL;

      report->position = (gssize) item->position;
      if (item->kind != SHND_LITERAL_TUPLE)
        {
          shnd_dtype_report (
              report, "expected a field as a tuple (name, type) or (name, type, shape), found %s",
              shnd_literal_describe (item));
          return NULL;
        }
      if (item->n_items != 2 && item->n_items != 3)
        {
          shnd_dtype_report (
              report,
              "expected a field as a tuple (name, type) or (name, type, shape), found a "
              "tuple of %u",
              item->n_items);
          return NULL;
        }

      if (item->n_items == 2)
        dtype = new_from_literal (item->items[1], depth + 2, report);
      else
        dtype = new_repeated_from_items (item->items[1], item->items[2], depth + 2, report);
      if (dtype == NULL)
        return NULL;

      if (!is_padding (item->items[0], dtype))
        {
          ShndField *field = &self->fields[self->n_fields];

          field->dtype = shnd_dtype_ref (dtype);
          field->offset = self->item_size;
          self->n_fields++;
          if (!parse_field_name (item->items[0], taken, field, report))
            return NULL;
        }

      if (dtype->item_size > SHND_DTYPE_MAX_ITEM_SIZE - self->item_size)
        {
          report->position = (gssize) item->position;
          shnd_dtype_report (
              report, "up to this field the structure takes more than %" G_GSIZE_FORMAT " bytes",
              SHND_DTYPE_MAX_ITEM_SIZE);
          return NULL;
        }
      self->item_size += dtype->item_size;
    }

  self->description = describe_struct (self);

  return g_steal_pointer (&self);
}

static ShndDType *
new_from_literal (const ShndLiteral *literal, guint depth, ShndDTypeReport *report)
{
  report->position = (gssize) literal->position;

  switch (literal->kind)
    {
    case SHND_LITERAL_STRING:
      return shnd_dtype_parse_string (literal->string, report);
    case SHND_LITERAL_LIST:
      return new_struct (literal, depth, report);
    case SHND_LITERAL_TUPLE:
      if (literal->n_items == 2)
        return new_repeated_from_items (literal->items[0], literal->items[1], depth, report);
      shnd_dtype_report (report, "expected a tuple (type, shape), found a tuple of %u",
                         literal->n_items);
      return NULL;
    case SHND_LITERAL_DICT:
      return shnd_dtype_parse_string ("{", report);
    default:
      shnd_dtype_report (
          report,
          "expected a type: a string such as '<f4', a list of fields, or a tuple (type, "
          "shape); found %s",
          shnd_literal_describe (literal));
      return NULL;
    }
}

ShndDType *
shnd_dtype_new_from_literal (const ShndLiteral *literal, gint error_code, GError **error)
{
  ShndDTypeReport report = { -1, error_code, error };

  return new_from_literal (literal, 0, &report);
}
