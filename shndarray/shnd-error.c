/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-error-private.h"

#include <errno.h>

/* Characters of somebody's text in a message. */
#define MAX_SHOWN 60

/**
 * shnd_error_quark:
 *
 * Gets the error domain of this library, which is [error@Error].
 *
 * Returns: the domain
 */
/* It takes the hyphens for minus signs. */
/* clang-format off */
G_DEFINE_QUARK (shnd-error-quark, shnd_error)
/* clang-format on */

static ShndError
get_code (int saved_errno)
{
  switch (saved_errno)
    {
    case ENOENT:
    case ENOTDIR:
      return SHND_ERROR_NOT_FOUND;
    case EEXIST:
      return SHND_ERROR_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
      return SHND_ERROR_PERMISSION_DENIED;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
      return SHND_ERROR_NO_SPACE;
    case ENAMETOOLONG:
      return SHND_ERROR_INVALID_NAME;
    case EOPNOTSUPP:
    case ENOSYS:
      return SHND_ERROR_UNSUPPORTED;
    default:
      return SHND_ERROR_FAILED;
    }
}

void
shnd_set_error_from_errno (GError **error, int saved_errno, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, SHND_ERROR, get_code (saved_errno), "%s: %s", what, g_strerror (saved_errno));
}

char *
shnd_shorten (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autofree char *start = NULL;

  if (g_utf8_strlen (valid, -1) <= MAX_SHOWN)
    return g_steal_pointer (&valid);

  start = g_utf8_substring (valid, 0, MAX_SHOWN);

  return g_strconcat (start, "…", NULL);
}
