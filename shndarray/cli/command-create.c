/* SPDX-License-Identifier: MIT */

#include "cli-command.h"

#include "cli-create.h"
#include "cli-error.h"
#include "cli-options.h"
#include "cli-signals.h"
#include "cli-text.h"

#include <errno.h>
#include <string.h>

/* In bytes: how much is filled between two looks at whether a signal has come. */
#define PART_SIZE (16 << 20)

static gboolean fortran, hold, sparse;
static char *fill_text;

static const GOptionEntry entries[] = {
  { "fill", 'F', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &fill_text,
    "Give all elements this value, instead of 0: a number, true, or text", "VALUE" },
  { "fortran", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &fortran,
    "Let the first index vary fastest", NULL },
  { "sparse", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &sparse,
    "Reserve no memory; who writes when there is none left is killed", NULL },
  { "hold", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &hold,
    "Do not end, but hold the array until a signal comes; then it goes with its last holder",
    NULL },
  G_OPTION_ENTRY_NULL
};

static const CliOptions options = {
  .operands = "NAME DTYPE SHAPE",
  .description = "Makes a shared array. The dtype is one of NumPy's, as float32, <u2 or "
                 "[('x', '<f8'), ('n', '<i4')];\nthe shape is written as 1080x1920x4 or "
                 "1080,1920,4, and () for a single element.",
  .notes = "The array is persistent, so that it is there when the command has ended: “shnd rm” "
           "removes it.",
  .entries = entries,
  .shared_entries = cli_create_entries,
  .min_operands = 3,
  .max_operands = 3,
};

/* GVariant's text format says of a number no more than that it is one of 32 bits, unless it is told. */
static GVariant *
parse_number (const char *text)
{
  const GVariantType *const types[] = { NULL, G_VARIANT_TYPE_INT64, G_VARIANT_TYPE_UINT64 };
  gdouble number;
  char *end;

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      GVariant *value = g_variant_parse (types[i], text, NULL, NULL, NULL);

      if (value != NULL)
        return value;
    }

  errno = 0;
  number = g_ascii_strtod (text, &end);
  if (end == text || *end != '\0' || errno == ERANGE)
    return NULL;

  return g_variant_ref_sink (g_variant_new_double (number));
}

/* The value of --fill: text is taken as it is, anything else as GVariant's text format says. */
static GVariant *
parse_fill (ShndDType *dtype, GError **error)
{
  GVariant *value;

  switch (shnd_dtype_get_kind (dtype))
    {
    case SHND_DTYPE_KIND_UNICODE:
      return g_variant_ref_sink (g_variant_new_string (fill_text));
    case SHND_DTYPE_KIND_BYTES:
      return g_variant_ref_sink (
          g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, fill_text, strlen (fill_text), 1));
    default:
      value = parse_number (fill_text);
      if (value == NULL)
        cli_set_usage_error (error, "--fill “%s”: expected a number, true or false", fill_text);
      return value;
    }
}

/* Part by part, so that a signal can end it. */
static gboolean
fill (ShndArray *array, GVariant *value, GError **error)
{
  const gint64 n_elements = shnd_array_get_size (array);
  const gint64 step = MAX (PART_SIZE / MAX (shnd_array_get_item_size (array), 1), 1);
  g_autoptr (ShndArray) elements = shnd_array_reshape (array, &n_elements, 1, error);
  gint64 start = 0;

  if (elements == NULL)
    return FALSE;

  do
    {
      gint64 stop = MIN (start + step, n_elements);
      g_autoptr (ShndArray) part = shnd_array_slice (elements, 0, start, stop, 1, error);

      if (part == NULL || !shnd_array_fill (part, value, error) ||
          g_cancellable_set_error_if_cancelled (cli_signals_get_cancellable (), error))
        return FALSE;
      start = stop;
    }
  while (start < n_elements);

  return TRUE;
}

/* The name appears when the elements have their value, not before. */
static ShndArray *
make_filled (const char *name,
             ShndDType *dtype,
             const gint64 *shape,
             guint n_dims,
             ShndCreateFlags flags,
             GError **error)
{
  g_autoptr (GVariant) value = parse_fill (dtype, error);
  g_autoptr (ShndArray) array = NULL;

  if (value == NULL)
    return NULL;

  array = shnd_array_new (NULL, dtype, shape, n_dims, SHND_CREATE_NONE, error);
  if (array == NULL || !fill (array, value, error))
    return NULL;

  return shnd_array_dup (array, name, flags, cli_signals_get_cancellable (), NULL, NULL, error);
}

int
cli_create_run (int argc, char **argv, GError **error)
{
  g_auto (GStrv) operands = cli_options_parse (&options, argc, argv, error);
  g_autoptr (ShndDType) dtype = NULL;
  g_autoptr (ShndArray) array = NULL;
  g_autoptr (GError) local_error = NULL;
  gint64 shape[SHND_MAX_DIMS];
  ShndCreateFlags flags;
  int n_dims;

  if (operands == NULL || !cli_create_get_flags (&flags, error))
    return CLI_EXIT_FAILURE;
  if (fortran)
    flags |= SHND_CREATE_FORTRAN;
  if (sparse)
    flags |= SHND_CREATE_SPARSE;
  if (hold)
    flags &= ~SHND_CREATE_PERSISTENT;

  dtype = shnd_dtype_new (operands[1], &local_error);
  if (dtype == NULL)
    {
      cli_set_usage_error (error, "%s", local_error->message);
      return CLI_EXIT_FAILURE;
    }

  n_dims = cli_text_parse_shape (operands[2], shape, error);
  if (n_dims < 0)
    return CLI_EXIT_FAILURE;

  array = fill_text != NULL ? make_filled (operands[0], dtype, shape, n_dims, flags, error) :
                              shnd_array_new (operands[0], dtype, shape, n_dims, flags, error);
  if (array == NULL)
    return CLI_EXIT_FAILURE;

  while (hold && cli_signals_sleep (G_USEC_PER_SEC))
    continue;

  return CLI_EXIT_SUCCESS;
}
