/* SPDX-License-Identifier: MIT */

/* What the tests of leases, lock and change counter need: what doc/format.md says of the file. */

#pragma once

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "array-support.h"

#define BYTE_LEASE ((off_t) 1 << 62)
#define BYTE_NAME (BYTE_LEASE + 1)
#define BYTE_SLOTS (BYTE_LEASE + 0x10000)

#define SLOT_MASK ((1u << 30) - 1)
#define RECOVER (1u << 30)
#define WAITERS (1u << 31)

typedef struct
{
  char magic[8];
  guint32 version;
  guint32 flags;
  guint64 inode;
  guint64 birth;
  guint8 unused[32];
  guint32 lock;
  guint8 unused_2[60];
  guint64 sequence;
} ControlPage;

G_STATIC_ASSERT (G_STRUCT_OFFSET (ControlPage, lock) == 64);
G_STATIC_ASSERT (G_STRUCT_OFFSET (ControlPage, sequence) == 128);

/* A description of the file that knows nothing of the library. */
static inline int
open_file (const char *name)
{
  g_autofree char *path = g_strconcat ("/dev/shm/", name, NULL);
  int fd = open (path, O_RDWR | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

/* The control page of a file; stays mapped. */
static inline ControlPage *
map_control (const char *name)
{
  int fd = open_file (name);
  off_t end = lseek (fd, 0, SEEK_END);
  ControlPage *page = mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, end - 4096);

  g_assert_true (page != MAP_FAILED);
  close (fd);
  return page;
}

static inline guint32
get_word (const ControlPage *page)
{
  return GUINT32_FROM_LE (__atomic_load_n (&page->lock, __ATOMIC_SEQ_CST));
}

static inline void
set_word (ControlPage *page, guint32 value)
{
  __atomic_store_n (&page->lock, GUINT32_TO_LE (value), __ATOMIC_SEQ_CST);
}

/* Whether the description gets that lock. */
static inline gboolean
lock_byte (int fd, off_t byte, off_t n, short type)
{
  struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = n };

  if (fcntl (fd, F_OFD_SETLK, &lock) == 0)
    return TRUE;

  g_assert_true (errno == EAGAIN || errno == EACCES);
  return FALSE;
}

/* What lock others have on the byte. */
static inline short
get_byte (int fd, off_t byte)
{
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

  g_assert_cmpint (fcntl (fd, F_OFD_GETLK, &lock), ==, 0);
  return lock.l_type;
}

/* A pipe between a process and its child, by which they wait for each other. */
typedef struct
{
  int fds[2];
} Signal;

static inline void
signal_init (Signal *self)
{
  g_assert_cmpint (pipe2 (self->fds, O_CLOEXEC), ==, 0);
}

static inline void
signal_send (Signal *self)
{
  if (write (self->fds[1], "x", 1) != 1)
    abort ();
}

static inline void
signal_wait (Signal *self)
{
  char byte;

  if (read (self->fds[0], &byte, 1) != 1)
    abort ();
}

static inline void
signal_clear (Signal *self)
{
  close (self->fds[0]);
  close (self->fds[1]);
}

/* Ends a child at once, like _exit(), after which valgrind would miss what it has not freed. */
G_NORETURN static inline void
end_child (int status)
{
  if (g_getenv ("SHND_TEST_VALGRIND") != NULL)
    execl ("/bin/sh", "sh", "-c", "exit $0", (char[]){ (char) ('0' + status), '\0' }, NULL);

  _exit (status);
}

/* The child ends well. */
static inline void
wait_for_child (pid_t pid)
{
  int status;

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
}

static inline void
kill_child (pid_t pid)
{
  int status;

  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
}

/* The call fails, with `failure` as its error. */
#define ASSERT_FAILS(call, code, part)                                                             \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GError) failure_error = NULL;                                                       \
    GError **failure = &failure_error;                                                             \
                                                                                                   \
    g_assert_false (call);                                                                         \
    assert_message (failure_error, code, part);                                                    \
  }                                                                                                \
  G_STMT_END
