/* SPDX-License-Identifier: MIT */

/* What peers do with arrays. */

#include "peer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static ShndArray *array;
static guint64 *words;
static guint32 next_slot;
static guint32 n_slots = G_MAXUINT32;

/* The library draws slots with this one. Whoever links against it finds ours first. */
guint32
g_random_int (void)
{
  guint32 number = next_slot;

  next_slot = 0;
  if (number == 0)
    syscall (SYS_getrandom, &number, sizeof number, 0);

  return number % n_slots;
}

void
peer_set_slots (guint n)
{
  n_slots = n + 1;
}

static void
keep (PeerReply *reply, ShndArray *opened, GError **error)
{
  if (!peer_report (reply, opened != NULL, error))
    return;

  g_clear_object (&array);
  array = opened;
  words = contents_get_words (array);
  reply->nonce = contents_check (array);
}

static void
take_lock (PeerReply *reply, gint64 timeout)
{
  GError *error = NULL;

  peer_report (reply, shnd_array_lock (array, timeout, NULL, &reply->recovered, &error), &error);
  if (reply->code != PEER_OK)
    return;

  reply->excluded =
      reply->recovered || (__atomic_load_n (&words[WORD_INSIDE], __ATOMIC_SEQ_CST) == 0 &&
                           words[WORD_FIRST] == words[WORD_SECOND]);
  words[WORD_FIRST]++;
  __atomic_store_n (&words[WORD_INSIDE], getpid (), __ATOMIC_SEQ_CST);
}

static void
leave (void)
{
  words[WORD_SECOND] = words[WORD_FIRST];
  __atomic_store_n (&words[WORD_INSIDE], 0, __ATOMIC_SEQ_CST);
}

static void
give_lock (PeerReply *reply)
{
  GError *error = NULL;

  leave ();
  peer_report (reply, shnd_array_unlock (array, &error), &error);
}

static void
reap (PeerReply *reply)
{
  GError *error = NULL;
  g_auto (GStrv) names = shnd_reap (&error);

  peer_report (reply, names != NULL, &error);
  for (char **name = names; name != NULL && *name != NULL; name++)
    reply->n += g_str_equal (*name, peer_name);
}

void
peer_obey (PeerCommand command, gint64 argument, PeerReply *reply)
{
  g_autofree char *descriptor = NULL;
  GError *error = NULL;

  switch (command)
    {
    case PEER_NEW:
    case PEER_NEW_PERSISTENT:
      keep (reply,
            contents_new (peer_name, argument,
                          command == PEER_NEW ? SHND_CREATE_NONE : SHND_CREATE_PERSISTENT, &error),
            &error);
      break;
    case PEER_OPEN:
      keep (reply, shnd_array_open (peer_name, SHND_ACCESS_READ_WRITE, &error), &error);
      break;
    case PEER_OPEN_READ:
      keep (reply, shnd_array_open (peer_name, SHND_ACCESS_READ, &error), &error);
      break;
    case PEER_OPEN_STALE:
      descriptor = g_strdup_printf ("shnd:%s?file=1.1", peer_name);
      g_assert_null (shnd_array_open_descriptor (descriptor, &error));
      peer_report (reply, FALSE, &error);
      break;
    case PEER_CLOSE:
      if (array != NULL && shnd_array_get_locked (array))
        leave ();
      g_clear_object (&array);
      reply->code = PEER_OK;
      break;
    case PEER_CHECK:
      reply->nonce = contents_check (array);
      reply->code = PEER_OK;
      break;
    case PEER_UNLINK:
      peer_report (reply, shnd_unlink (peer_name, &error), &error);
      break;
    case PEER_UNLINK_OWN:
      peer_report (reply, shnd_array_unlink (array, &error), &error);
      break;
    case PEER_REAP:
      reap (reply);
      break;
    case PEER_LOCK:
      take_lock (reply, argument);
      break;
    case PEER_UNLOCK:
      give_lock (reply);
      break;
    case PEER_SET_SLOT:
      next_slot = argument;
      reply->code = PEER_OK;
      break;
    case PEER_UPDATE:
      peer_report (reply, shnd_array_update (array, &error), &error);
      break;
    default:
      g_assert_not_reached ();
    }
}

/* ---- Without the library ---- */

static char *
get_path (void)
{
  return g_strconcat ("/dev/shm/", peer_name, NULL);
}

gboolean
peer_is_removing (void)
{
  struct flock lock = { .l_type = F_WRLCK, .l_start = PEER_BYTE_NAME, .l_len = 1 };
  g_autofree char *path = get_path ();
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

  if (fd < 0)
    return FALSE;

  g_assert_cmpint (fcntl (fd, F_OFD_GETLK, &lock), ==, 0);
  close (fd);

  return lock.l_type != F_UNLCK;
}

static gboolean
read_file (goffset offset, gsize size, void *target)
{
  g_autofree char *path = get_path ();
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct stat info;

  if (fd < 0 && errno == ENOENT)
    return FALSE;

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (fstat (fd, &info), ==, 0);
  if (offset < 0)
    offset += info.st_size;
  g_assert_cmpint (pread (fd, target, size, offset), ==, size);
  close (fd);

  return TRUE;
}

guint64
peer_get_named (void)
{
  guint64 nonce;

  return read_file (4096 + WORD_NONCE * sizeof nonce, sizeof nonce, &nonce) ?
             GUINT64_FROM_LE (nonce) :
             0;
}

guint32
peer_get_lock_word (void)
{
  guint32 word;

  return read_file (64 - 4096, sizeof word, &word) ? GUINT32_FROM_LE (word) : 0;
}
