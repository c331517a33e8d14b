/* SPDX-License-Identifier: MIT */

#include "config.h"

#include <string.h>

#include <shndarray/shnd-error.h>

#include "shnd-literal-private.h"

/* Words and numbers are quoted in messages up to this length. */
#define MAX_QUOTED 40

typedef struct
{
  const char *text;
  gsize length;
  gsize at;
  guint depth;
  gint error_code;
  GError **error;
} Parser;

static ShndLiteral *parse_value (Parser *parser, const char *expected);

G_GNUC_PRINTF (3, 4)
static void
set_error (Parser *parser, gsize position, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);

  g_set_error (parser->error, SHND_ERROR, parser->error_code, "at byte %" G_GSIZE_FORMAT ": %s",
               position, message);
}

static gboolean
is_word (char c)
{
  return g_ascii_isalnum (c) || c == '_';
}

static gboolean
is_printable (gunichar c)
{
  switch (g_unichar_type (c))
    {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
      return FALSE;
    case G_UNICODE_SPACE_SEPARATOR:
      return c == ' ';
    default:
      return TRUE;
    }
}

/* The character at hand, or '\0' at the end: the text itself holds no NUL. */
static char
peek (const Parser *parser)
{
  return parser->at < parser->length ? parser->text[parser->at] : '\0';
}

static char
peek_second (const Parser *parser)
{
  return parser->at + 1 < parser->length ? parser->text[parser->at + 1] : '\0';
}

static void
skip_space (Parser *parser)
{
  while (parser->at < parser->length &&
         (g_ascii_isspace (parser->text[parser->at]) || parser->text[parser->at] == '\v'))
    parser->at++;
}

/* The word at `start`, for a message. */
static char *
dup_word (const Parser *parser, gsize start)
{
  gsize end = start;

  while (end < parser->length && is_word (parser->text[end]))
    end++;

  if (end - start > MAX_QUOTED)
    return g_strdup_printf ("'%.*s...'", MAX_QUOTED, parser->text + start);

  return g_strdup_printf ("'%.*s'", (int) (end - start), parser->text + start);
}

static void
set_expected_error (Parser *parser, const char *expected)
{
  g_autofree char *found = NULL;
  gunichar c;

  if (parser->at >= parser->length)
    {
      set_error (parser, parser->at, "expected %s, found the end", expected);
      return;
    }

  c = g_utf8_get_char (parser->text + parser->at);
  if (c == '\'')
    found = g_strdup ("\"'\"");
  else if (c < 0x80 && is_word ((char) c))
    found = dup_word (parser, parser->at);
  else if (is_printable (c))
    found =
        g_strdup_printf ("'%.*s'", (int) g_unichar_to_utf8 (c, NULL), parser->text + parser->at);
  else
    found = g_strdup_printf ("U+%04X", c);

  set_error (parser, parser->at, "expected %s, found %s", expected, found);
}

static ShndLiteral *
literal_new (ShndLiteralKind kind, gsize position)
{
  ShndLiteral *self = g_new0 (ShndLiteral, 1);

  self->kind = kind;
  self->position = position;

  return self;
}

void
shnd_literal_free (ShndLiteral *self)
{
  for (guint i = 0; i < self->n_items; i++)
    shnd_literal_free (self->items[i]);
  g_free (self->items);
  g_free (self->string);
  g_free (self);
}

static gboolean
parse_hex (Parser *parser, guint n_digits, gunichar *value)
{
  gsize start = parser->at - 2;

  *value = 0;
  for (guint i = 0; i < n_digits; i++)
    {
      char c = peek (parser);

      if (!g_ascii_isxdigit (c))
        {
          set_error (parser, start, "expected %u hexadecimal digits after '\\%c'", n_digits,
                     parser->text[start + 1]);
          return FALSE;
        }
      *value = *value << 4 | (gunichar) g_ascii_xdigit_value (c);
      parser->at++;
    }

  return TRUE;
}

/* What follows a backslash, which has been read. */
static gboolean
parse_escape (Parser *parser, GString *string)
{
  gsize start = parser->at - 1;
  char letter = peek (parser);
  gunichar value = 0;

  /* The caller reports that the string has no end. */
  if (letter == '\0')
    return TRUE;

  parser->at++;
  switch (letter)
    {
    case '\\':
    case '\'':
    case '"':
      value = (gunichar) letter;
      break;
    case 'a':
      value = '\a';
      break;
    case 'b':
      value = '\b';
      break;
    case 'f':
      value = '\f';
      break;
    case 'n':
      value = '\n';
      break;
    case 'r':
      value = '\r';
      break;
    case 't':
      value = '\t';
      break;
    case 'v':
      value = '\v';
      break;

    case '\r':
      if (peek (parser) == '\n')
        parser->at++;
      return TRUE;
    case '\n':
      return TRUE;

    case 'x':
      if (!parse_hex (parser, 2, &value))
        return FALSE;
      break;
    case 'u':
      if (!parse_hex (parser, 4, &value))
        return FALSE;
      break;
    case 'U':
      if (!parse_hex (parser, 8, &value))
        return FALSE;
      break;

    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
      value = (gunichar) (letter - '0');
      for (guint i = 0; i < 2 && peek (parser) >= '0' && peek (parser) <= '7'; i++)
        value = value * 8 + (gunichar) (parser->text[parser->at++] - '0');
      break;

    case 'N':
      set_error (parser, start, "characters by name ('\\N{...}') are not accepted");
      return FALSE;

    default:
      /* Not an escape: Python keeps both characters. The second, which may be the first of several
       * bytes, is read as any other. */
      g_string_append_c (string, '\\');
      parser->at--;
      return TRUE;
    }

  if (value == 0)
    {
      set_error (parser, start, "a NUL character in a string is not accepted");
      return FALSE;
    }
  if (value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
    {
      set_error (parser, start, "U+%04X is not a character", value);
      return FALSE;
    }

  g_string_append_unichar (string, value);
  return TRUE;
}

/* The rest of a string without a backslash in it, as most are; NULL if it is another. */
static char *
parse_plain_string (Parser *parser, char quote)
{
  const char *start = parser->text + parser->at;
  const char *end = memchr (start, quote, parser->length - parser->at);
  gsize length = end != NULL ? (gsize) (end - start) : 0;

  if (end == NULL || memchr (start, '\\', length) != NULL || memchr (start, '\n', length) != NULL ||
      memchr (start, '\r', length) != NULL)
    return NULL;

  parser->at += length + 1;
  return g_strndup (start, length);
}

static ShndLiteral *
parse_string (Parser *parser, gsize start, gboolean raw)
{
  g_autoptr (GString) string = NULL;
  const char quote = parser->text[parser->at++];
  char *plain = parse_plain_string (parser, quote);
  ShndLiteral *self;

  if (plain != NULL)
    {
      self = literal_new (SHND_LITERAL_STRING, start);
      self->string = plain;
      return self;
    }

  string = g_string_new (NULL);

  while (TRUE)
    {
      gsize run = parser->at;
      char c;

      while ((c = peek (parser)) != '\0' && c != quote && c != '\\' && c != '\n' && c != '\r')
        parser->at++;
      g_string_append_len (string, parser->text + run, (gssize) (parser->at - run));

      if (c == quote)
        break;

      if (c != '\\')
        {
          set_error (parser, start, "this string has no closing quote before the end%s",
                     c == '\0' ? "" : " of the line");
          return NULL;
        }

      parser->at++;
      if (!raw)
        {
          if (!parse_escape (parser, string))
            return NULL;
        }
      else
        {
          g_string_append_c (string, '\\');
          if (peek (parser) == quote || peek (parser) == '\\')
            g_string_append_c (string, parser->text[parser->at++]);
          else if (peek (parser) == '\r' && peek_second (parser) == '\n')
            {
              /* Python reads every end of line as one '\n'. */
              g_string_append_c (string, '\n');
              parser->at += 2;
            }
          else if (peek (parser) == '\n' || peek (parser) == '\r')
            {
              g_string_append_c (string, '\n');
              parser->at++;
            }
        }
    }

  parser->at++;

  self = literal_new (SHND_LITERAL_STRING, start);
  self->string = g_string_free (g_steal_pointer (&string), FALSE);
  return self;
}

static ShndLiteral *
parse_integer (Parser *parser)
{
  gsize start = parser->at;
  gboolean negative = FALSE;
  guint64 limit = G_MAXINT64;
  guint64 value = 0;
  guint base = 10;
  gsize digits;
  gboolean digit_before = FALSE;
  gboolean leading_zero = FALSE;
  gboolean overflow = FALSE;

  if (peek (parser) == '-' || peek (parser) == '+')
    {
      negative = peek (parser) == '-';
      if (negative)
        limit++;
      parser->at++;
      skip_space (parser);
      if (!g_ascii_isdigit (peek (parser)))
        {
          set_expected_error (parser, "a digit");
          return NULL;
        }
    }

  digits = parser->at;
  if (peek (parser) == '0')
    {
      switch (peek_second (parser))
        {
        case 'x':
        case 'X':
          base = 16;
          break;
        case 'o':
        case 'O':
          base = 8;
          break;
        case 'b':
        case 'B':
          base = 2;
          break;
        default:
          leading_zero = TRUE;
        }

      if (base != 10)
        {
          parser->at += 2;
          /* "0x_1" is a number, "_1" is not. */
          digit_before = TRUE;
        }
    }

  while (TRUE)
    {
      char c = peek (parser);
      int digit = g_ascii_xdigit_value (c);

      if (c == '_' && digit_before)
        {
          digit_before = FALSE;
          parser->at++;
          continue;
        }
      if (digit < 0 || (guint) digit >= base)
        break;

      if (!overflow)
        overflow = !g_uint64_checked_mul (&value, value, base) ||
                   !g_uint64_checked_add (&value, value, (guint64) digit) || value > limit;
      digit_before = TRUE;
      parser->at++;
    }

  /* The letter that Python 2 put behind large numbers. */
  gsize end = parser->at;
  gboolean complete = digit_before && end > digits + (base == 10 ? 0 : 2);
  if (complete && (peek (parser) == 'L' || peek (parser) == 'l'))
    parser->at++;

  if (peek (parser) == '.')
    {
      set_error (parser, start, "expected a whole number, found a fraction");
      return NULL;
    }
  if (!complete || is_word (peek (parser)))
    {
      g_autofree char *word = dup_word (parser, digits);

      set_error (parser, start, "%s is not a whole number", word);
      return NULL;
    }
  /* Zeros alone may be many, as in Python. */
  if (leading_zero && (value != 0 || overflow))
    {
      set_error (parser, start, "leading zeros in a number are not accepted");
      return NULL;
    }
  if (overflow)
    {
      set_error (parser, start, "this number does not fit into 64 bits");
      return NULL;
    }

  ShndLiteral *self = literal_new (SHND_LITERAL_INT, start);
  self->integer = (gint64) (negative ? -value : value);
  return self;
}

static ShndLiteral *
parse_word (Parser *parser, const char *expected)
{
  gsize start = parser->at;
  gsize end = start;
  gsize length;
  const char *word = parser->text + start;
  ShndLiteral *self;

  while (end < parser->length && is_word (parser->text[end]))
    end++;
  length = end - start;

  if (end < parser->length && (parser->text[end] == '\'' || parser->text[end] == '"'))
    {
      if (length == 1 && strchr ("uUrR", word[0]) != NULL)
        {
          parser->at = end;
          return parse_string (parser, start, word[0] == 'r' || word[0] == 'R');
        }
      if (length <= 2 && (memchr (word, 'b', length) != NULL || memchr (word, 'B', length) != NULL))
        {
          set_error (parser, start, "a bytes literal is not accepted; expected a string");
          return NULL;
        }
    }

  if (length == 4 && memcmp (word, "None", 4) == 0)
    self = literal_new (SHND_LITERAL_NONE, start);
  else if ((length == 4 && memcmp (word, "True", 4) == 0) ||
           (length == 5 && memcmp (word, "False", 5) == 0))
    {
      self = literal_new (SHND_LITERAL_BOOL, start);
      self->integer = word[0] == 'T';
    }
  else
    {
      set_expected_error (parser, expected);
      return NULL;
    }

  parser->at = end;
  return self;
}

/* What is between the brackets of a tuple, list or dict, which the caller has opened, up to and
 * with the closing one. The items are put into `items`. */
static gboolean
parse_items (Parser *parser, ShndLiteralKind kind, GPtrArray *items, gboolean *trailing_comma)
{
  const char close = kind == SHND_LITERAL_TUPLE ? ')' : kind == SHND_LITERAL_LIST ? ']' : '}';

  *trailing_comma = FALSE;

  while (TRUE)
    {
      ShndLiteral *item;

      skip_space (parser);
      if (peek (parser) == close)
        break;

      item = parse_value (parser, close == ')' ? "a value or ')'" :
                                  close == ']' ? "a value or ']'" :
                                                 "a value or '}'");
      if (item == NULL)
        return FALSE;
      g_ptr_array_add (items, item);
      *trailing_comma = FALSE;

      skip_space (parser);
      if (kind == SHND_LITERAL_DICT)
        {
          if (peek (parser) != ':')
            {
              set_expected_error (parser, "':'");
              return FALSE;
            }
          parser->at++;
          skip_space (parser);
          item = parse_value (parser, "a value");
          if (item == NULL)
            return FALSE;
          g_ptr_array_add (items, item);
          skip_space (parser);
        }

      if (peek (parser) == close)
        break;
      if (peek (parser) != ',')
        {
          set_expected_error (parser, close == ')' ? "',' or ')'" :
                                      close == ']' ? "',' or ']'" :
                                                     "',' or '}'");
          return FALSE;
        }
      parser->at++;
      *trailing_comma = TRUE;
    }

  parser->at++;
  return TRUE;
}

static ShndLiteral *
parse_container (Parser *parser)
{
  g_autoptr (GPtrArray) items = NULL;
  gsize start = parser->at;
  gboolean trailing_comma;
  ShndLiteralKind kind;
  ShndLiteral *self;

  if (parser->depth == SHND_LITERAL_MAX_DEPTH)
    {
      set_error (parser, start, "more than %d levels of nesting", SHND_LITERAL_MAX_DEPTH);
      return NULL;
    }

  switch (parser->text[parser->at++])
    {
    case '(':
      kind = SHND_LITERAL_TUPLE;
      break;
    case '[':
      kind = SHND_LITERAL_LIST;
      break;
    default:
      kind = SHND_LITERAL_DICT;
    }

  items = g_ptr_array_new_with_free_func ((GDestroyNotify) shnd_literal_free);
  parser->depth++;
  if (!parse_items (parser, kind, items, &trailing_comma))
    return NULL;
  parser->depth--;

  if (kind == SHND_LITERAL_TUPLE && items->len == 1 && !trailing_comma)
    return g_ptr_array_steal_index (items, 0);

  self = literal_new (kind, start);
  self->n_items = items->len;
  self->items = (ShndLiteral **) g_ptr_array_steal (items, NULL);
  return self;
}

static ShndLiteral *
parse_value (Parser *parser, const char *expected)
{
  char c = peek (parser);

  switch (c)
    {
    case '\'':
    case '"':
      return parse_string (parser, parser->at, FALSE);
    case '(':
    case '[':
    case '{':
      return parse_container (parser);
    case '+':
    case '-':
      return parse_integer (parser);
    default:
      if (g_ascii_isdigit (c))
        return parse_integer (parser);
      if (is_word (c))
        return parse_word (parser, expected);
      set_expected_error (parser, expected);
      return NULL;
    }
}

ShndLiteral *
shnd_literal_parse (const char *text, gsize length, gint error_code, GError **error)
{
  Parser parser = { text, length, 0, 0, error_code, error };
  g_autoptr (ShndLiteral) literal = NULL;
  const char *end;

  /* Of valid UTF-8 without NUL every slice between ASCII characters can go into a message. */
  if (!g_utf8_validate_len (text, length, &end))
    {
      set_error (&parser, (gsize) (end - text),
                 *end == '\0' ? "a NUL byte is not accepted" : "the text is not valid UTF-8");
      return NULL;
    }
  if (length > G_MAXINT32)
    {
      set_error (&parser, G_MAXINT32, "the text is longer than any description needs to be");
      return NULL;
    }

  skip_space (&parser);
  literal = parse_value (&parser, "a value");
  if (literal == NULL)
    return NULL;

  skip_space (&parser);
  if (parser.at < length)
    {
      set_expected_error (&parser, "the end");
      return NULL;
    }

  return g_steal_pointer (&literal);
}

const char *
shnd_literal_describe (const ShndLiteral *self)
{
  switch (self->kind)
    {
    case SHND_LITERAL_NONE:
      return "None";
    case SHND_LITERAL_BOOL:
      return self->integer ? "True" : "False";
    case SHND_LITERAL_INT:
      return "a number";
    case SHND_LITERAL_STRING:
      return "a string";
    case SHND_LITERAL_TUPLE:
      return "a tuple";
    case SHND_LITERAL_LIST:
      return "a list";
    default:
      return "a dict";
    }
}

void
shnd_literal_append_string (GString *text, const char *string)
{
  const char quote = strchr (string, '\'') != NULL && strchr (string, '"') == NULL ? '"' : '\'';

  g_string_append_c (text, quote);
  for (const char *p = string; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (c == (gunichar) quote || c == '\\')
        {
          g_string_append_c (text, '\\');
          g_string_append_c (text, (char) c);
        }
      else if (c == '\n')
        g_string_append (text, "\\n");
      else if (c == '\r')
        g_string_append (text, "\\r");
      else if (c == '\t')
        g_string_append (text, "\\t");
      else if (is_printable (c))
        g_string_append_unichar (text, c);
      else if (c < 0x100)
        g_string_append_printf (text, "\\x%02x", c);
      else if (c < 0x10000)
        g_string_append_printf (text, "\\u%04x", c);
      else
        g_string_append_printf (text, "\\U%08x", c);
    }
  g_string_append_c (text, quote);
}
