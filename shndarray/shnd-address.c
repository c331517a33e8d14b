/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-address-private.h"

#include "shnd-error-private.h"
#include "shnd-file-private.h"
#include "shnd-names-private.h"
#include "shnd-process-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define RUNTIME_FOLDER "shndarray"
#define LOCK_SUFFIX ".lock"

/* The byte of the lock file whose lock a publisher has. */
#define LOCK_BYTE 0

/* How often a lock file is opened that its last owner removes at that moment. */
#define MAX_TRIES 100

#define BACKLOG 128

static gboolean
set_socket_path (struct sockaddr_un *address, const char *path)
{
  *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
  if (strlen (path) >= sizeof address->sun_path)
    return FALSE;

  strcpy (address->sun_path, path);
  return TRUE;
}

char *
shnd_address_get_path (const char *address, GError **error)
{
  g_autofree char *path = NULL;
  struct sockaddr_un socket_address;

  if (address[0] == '/')
    {
      path = g_canonicalize_filename (address, NULL);
    }
  else if (shnd_name_check (address, error))
    {
      g_autofree char *folder = g_build_filename (g_get_user_runtime_dir (), RUNTIME_FOLDER, NULL);

      path = g_canonicalize_filename (address, folder);
    }
  else
    {
      g_prefix_error (error, "Not an address, which is a name or an absolute path: ");
      return NULL;
    }

  if (g_str_has_suffix (path, LOCK_SUFFIX))
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_NAME,
                   "“%s” is not an address: what ends in “" LOCK_SUFFIX "” is the lock file of "
                   "another one",
                   address);
      return NULL;
    }

  if (!set_socket_path (&socket_address, path))
    {
      g_autofree char *shown = shnd_shorten (path);

      g_set_error (error, SHND_ERROR, SHND_ERROR_INVALID_NAME,
                   "The path “%s” of a socket has %" G_GSIZE_FORMAT
                   " bytes: expected at most %" G_GSIZE_FORMAT,
                   shown, strlen (path), sizeof socket_address.sun_path - 1);
      return NULL;
    }

  return g_steal_pointer (&path);
}

/* Until another thread could fork, the descriptor must be known. */
static int
make_socket (void)
{
  int fd;

  shnd_process_begin ();
  fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0)
    shnd_process_own_locked (fd);
  shnd_process_end ();

  return fd;
}

int
shnd_address_connect (const char *path)
{
  struct sockaddr_un address;
  int fd;

  if (!set_socket_path (&address, path))
    {
      errno = ENAMETOOLONG;
      return -1;
    }

  fd = make_socket ();
  if (fd < 0)
    return -1;

  if (connect (fd, (struct sockaddr *) &address, sizeof address) != 0)
    {
      int saved_errno = errno;

      shnd_process_close (fd);
      errno = saved_errno;
      return -1;
    }

  return fd;
}

static void
set_in_use (const char *path, GError **error)
{
  g_autofree char *display = g_filename_display_name (path);

  g_set_error (error, SHND_ERROR, SHND_ERROR_EXISTS,
               "Another publisher is at “%s”: expected an address that is free", display);
}

/* Whether a path names the file that is open. */
static gboolean
is_at (int fd, const char *path)
{
  struct stat opened, named;

  return fstat (fd, &opened) == 0 && lstat (path, &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

/* Opens the lock file and takes its lock. Returns -1 with an error. */
static int
take_lock (const char *path, GError **error)
{
  g_autofree char *lock_path = g_strconcat (path, LOCK_SUFFIX, NULL);
  g_autofree char *display = g_filename_display_name (lock_path);

  for (guint i = 0; i < MAX_TRIES; i++)
    {
      int saved_errno, result;
      int fd;

      shnd_process_begin ();
      fd = open (lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                 S_IRUSR | S_IWUSR);
      saved_errno = errno;
      if (fd >= 0)
        shnd_process_own_locked (fd);
      shnd_process_end ();
      if (fd < 0)
        {
          if (saved_errno == ENXIO || saved_errno == EISDIR || saved_errno == ELOOP)
            g_set_error (error, SHND_ERROR, SHND_ERROR_EXISTS,
                         "There is something at “%s” that is not a lock file: expected an address "
                         "that is free",
                         display);
          else
            shnd_set_error_from_errno (error, saved_errno, "Cannot make the lock file “%s”",
                                       display);
          return -1;
        }

      result = shnd_file_lock (fd, LOCK_BYTE, F_WRLCK);
      if (result != 0)
        {
          shnd_process_close (fd);
          if (result == EAGAIN)
            set_in_use (path, error);
          else
            shnd_set_error_from_errno (error, result, "Cannot lock “%s”", display);
          return -1;
        }

      /* Its last owner may have removed it in between. */
      if (is_at (fd, lock_path))
        return fd;

      shnd_process_close (fd);
    }

  set_in_use (path, error);
  return -1;
}

/* Removes a socket at which nobody listens any more. */
static gboolean
remove_stale (const char *path, GError **error)
{
  g_autofree char *display = g_filename_display_name (path);
  struct stat info;
  int fd;

  if (lstat (path, &info) != 0)
    return TRUE;

  if (!S_ISSOCK (info.st_mode))
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_EXISTS,
                   "There is a file at “%s” that is not a socket: expected an address that is free",
                   display);
      return FALSE;
    }

  /* Something else than this library may listen there. */
  fd = shnd_address_connect (path);
  if (fd >= 0)
    shnd_process_close (fd);
  if (fd < 0 && errno == EPROTOTYPE)
    {
      g_set_error (error, SHND_ERROR, SHND_ERROR_EXISTS,
                   "Something else than a publisher listens at “%s”: expected an address that is "
                   "free",
                   display);
      return FALSE;
    }
  if (fd >= 0 || (errno != ECONNREFUSED && errno != ENOENT))
    {
      set_in_use (path, error);
      return FALSE;
    }

  if (unlink (path) != 0 && errno != ENOENT)
    {
      shnd_set_error_from_errno (error, errno, "Cannot remove the stale socket “%s”", display);
      return FALSE;
    }

  return TRUE;
}

/* Only the user's own folder is made; others have to be there. */
static gboolean
make_runtime_folder (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *own = g_build_filename (g_get_user_runtime_dir (), RUNTIME_FOLDER, NULL);
  g_autofree char *display = g_filename_display_name (folder);

  if (!g_str_equal (folder, own) || g_mkdir_with_parents (folder, S_IRWXU) == 0)
    return TRUE;

  shnd_set_error_from_errno (error, errno, "Cannot make the folder “%s”", display);
  return FALSE;
}

gboolean
shnd_address_listen (const char *path, ShndListener *listener, GError **error)
{
  g_autofree char *display = g_filename_display_name (path);
  struct sockaddr_un address;
  int saved_errno, fd;

  listener->fd = -1;
  listener->lock_fd = -1;
  if (!make_runtime_folder (path, error))
    return FALSE;

  listener->lock_fd = take_lock (path, error);
  if (listener->lock_fd < 0)
    return FALSE;

  if (!remove_stale (path, error))
    {
      shnd_address_stop (path, listener);
      return FALSE;
    }

  fd = make_socket ();
  set_socket_path (&address, path);
  /* The mode of the socket becomes that of its file: who may write to that may connect. */
  if (fd >= 0 && fchmod (fd, S_IRUSR | S_IWUSR) == 0 &&
      bind (fd, (struct sockaddr *) &address, sizeof address) == 0)
    listener->fd = fd;
  if (listener->fd >= 0 && listen (fd, BACKLOG) == 0)
    return TRUE;

  saved_errno = errno;
  if (fd >= 0 && listener->fd < 0)
    shnd_process_close (fd);
  shnd_address_stop (path, listener);
  shnd_set_error_from_errno (error, saved_errno, "Cannot listen at “%s”", display);
  return FALSE;
}

void
shnd_address_stop (const char *path, ShndListener *listener)
{
  g_autofree char *lock_path = g_strconcat (path, LOCK_SUFFIX, NULL);

  /* If somebody has removed the lock file, the address may be another publisher's by now. */
  if (is_at (listener->lock_fd, lock_path))
    {
      if (listener->fd >= 0)
        unlink (path);
      unlink (lock_path);
    }

  if (listener->fd >= 0)
    shnd_process_close (listener->fd);
  if (listener->lock_fd >= 0)
    shnd_process_close (listener->lock_fd);
  listener->fd = -1;
  listener->lock_fd = -1;
}

/* Whether a publisher listens at a path. Nobody notices the question: who becomes the publisher at this
 * moment can have the lock. Returns an errno. */
static int
look_for_publisher (const char *path, gboolean *is_there)
{
  g_autofree char *lock_path = g_strconcat (path, LOCK_SUFFIX, NULL);
  struct stat info;
  int fd;

  *is_there = FALSE;
  if (lstat (path, &info) != 0 || !S_ISSOCK (info.st_mode))
    return 0;

  fd = open (lock_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0)
    return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? errno : 0;

  *is_there = shnd_file_get_lock (fd, LOCK_BYTE) != F_UNLCK;
  close (fd);

  return 0;
}

/**
 * shnd_list_addresses:
 * @error: return location for an error
 *
 * Lists the publishers that run in the user's runtime directory: those whose address is a name.
 *
 * Nobody is disturbed by it. What a publisher that was killed has left is not listed.
 *
 * Where nobody has published yet, and there is no such directory, the list is empty. Fails with
 * %SHND_ERROR_PERMISSION_DENIED if the directory cannot be read, and with %SHND_ERROR_NO_SPACE if there
 * is no descriptor left.
 *
 * Returns: (transfer full) (array zero-terminated=1): the names, in order
 */
char **
shnd_list_addresses (GError **error)
{
  g_autofree char *folder = g_build_filename (g_get_user_runtime_dir (), RUNTIME_FOLDER, NULL);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autoptr (GError) local_error = NULL;
  g_auto (GStrv) names = shnd_names_read (folder, &local_error);

  if (names == NULL && !g_error_matches (local_error, SHND_ERROR, SHND_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }

  for (char **name = names; name != NULL && *name != NULL; name++)
    {
      g_autofree char *path = g_build_filename (folder, *name, NULL);
      gboolean is_there;
      int result;

      /* Where there are lock files, there are no addresses. */
      if (g_str_has_suffix (*name, LOCK_SUFFIX))
        continue;

      result = look_for_publisher (path, &is_there);
      if (result != 0)
        {
          shnd_set_error_from_errno (error, result, "Cannot look who publishes at “%s”", *name);
          return NULL;
        }
      if (is_there)
        g_strv_builder_add (builder, *name);
    }

  return g_strv_builder_end (builder);
}
