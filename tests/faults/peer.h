/* SPDX-License-Identifier: MIT */

/* Processes that do as they are told, with arrays of one name (peer-array.c) or with frames
 * (peer-frames.c), and that can be stopped and killed at any point of what they do. */

#pragma once

#include <shndarray/shndarray.h>
#include <sys/types.h>

#include "contents.h"

typedef enum
{
  PEER_NEW, /* the argument is the nonce */
  PEER_NEW_PERSISTENT,
  PEER_OPEN,
  PEER_OPEN_READ,
  PEER_OPEN_STALE, /* a descriptor of another file of that name: finds that nothing is there */
  PEER_CLOSE,
  PEER_CHECK, /* that the elements are as its maker left them */
  PEER_UNLINK,
  PEER_UNLINK_OWN,
  PEER_REAP,
  PEER_LOCK, /* the argument is the timeout */
  PEER_UNLOCK,
  PEER_SET_SLOT, /* which slot of a lock is the next to be drawn */
  PEER_UPDATE,

  PEER_PUBLISHER, /* makes one; the argument is its ShndOverflow */
  PEER_ACQUIRE,
  PEER_PUBLISH,    /* what was acquired; the argument is the timeout */
  PEER_CHECK_POOL, /* that nobody has a frame, and none is lost; the argument is how many subscribe */
  PEER_SUBSCRIBER,        /* makes one */
  PEER_RECEIVE,           /* the argument is the timeout */
  PEER_RELEASE,           /* what was received */
  PEER_LIMIT_DESCRIPTORS, /* to so many more; -1 for as many as before */
  PEER_LIMIT_MEMORY,      /* to so many bytes more */
  PEER_LOOK,              /* whether what was received is still as it was */
  PEER_CLOSE_SUBSCRIBER,  /* but not what it has received */
  PEER_CLOSE_FRAMES,      /* all; the argument is whether the frame comes last */

  PEER_FORK, /* the child keeps what it inherits, and does nothing */
  PEER_EXIT,
} PeerCommand;

/* The bytes of a file whose locks mean something, as doc/format.md has them. */
#define PEER_BYTE_LEASE ((goffset) 1 << 62)
#define PEER_BYTE_NAME (PEER_BYTE_LEASE + 1)
#define PEER_BYTE_ADOPT (PEER_BYTE_LEASE + 2)
#define PEER_BYTE_SLOTS (PEER_BYTE_LEASE + 0x10000)

/* Beside the codes of ShndError. */
#define PEER_OK -1

typedef struct
{
  gint code;
  guint64 nonce;      /* of the array that was made or opened; of frames, the sequence */
  gboolean recovered; /* of PEER_LOCK */
  gboolean excluded;  /* of PEER_LOCK: whether nobody else was there, as it ought to be */
  guint n;            /* of PEER_REAP: how many of that name; of PEER_CLOSE_FRAMES: descriptors */
} PeerReply;

typedef struct
{
  pid_t pid;
  pid_t traced; /* a thread of it, mostly the first */
  int socket;
  gboolean ended; /* by itself, and was waited for */
} Peer;

/* What all arrays here are called. */
extern const char *peer_name;

/* What the commands do but PEER_FORK and PEER_EXIT: each program has one of these. */
void peer_obey (PeerCommand command, gint64 argument, PeerReply *reply);

/* Puts the error, if it was one, into the reply. Returns `success`. */
gboolean peer_report (PeerReply *reply, gboolean success, GError **error);

/* First of all in main(). Lets the process have a /dev/shm of its own if possible, so that nothing
 * here disturbs others, or is disturbed by them. `rounds` is SHND_TEST_ROUNDS in the environment: how
 * much more than usual is to be done. */
void peer_init (char **argv, gboolean *isolated, guint *rounds);

/* Lets the library draw the slots of locks from so few that the same come again and again. */
void peer_set_slots (guint n);

/* Lets a child end with its parent. */
void peer_end_with (pid_t parent);

Peer *peer_new (void);

/* Tells the peer to do something, and waits for it. */
PeerReply peer_do (Peer *self, PeerCommand command, gint64 argument);

void peer_send (Peer *self, PeerCommand command, gint64 argument);
PeerReply peer_receive (Peer *self);

/* Whether the reply is there. `timeout` is in milliseconds. */
gboolean peer_is_done (Peer *self, int timeout);

/* SIGKILL, wherever it is, if it has not ended by itself. What it has forked lives on. */
void peer_kill (Peer *self);

/* That, and the end of what it has forked. */
void peer_free (Peer *self);

/* As peer_send(), but the peer is stopped before it begins. */
void peer_trace (Peer *self, PeerCommand command, gint64 argument);

/* Stops its second thread, not the first. */
void peer_trace_thread (Peer *self);

/* Lets that one run to its next system call, or to the end of that. Returns FALSE when it sleeps, and
 * the other peer has done what it was sent. */
gboolean peer_step_thread (Peer *self, Peer *served);

/* Lets it run to its next system call, or to the end of that; or for a single instruction. Returns
 * FALSE when the command is done: then peer_receive() has the reply, and the peer runs freely. */
gboolean peer_step (Peer *self, gboolean instruction);

/* The number of the system call that it is about to make, and the arguments of that; or -1. */
gint64 peer_get_call (Peer *self, guint64 arguments[6]);

/* Lets it run freely. */
void peer_release (Peer *self);

/* ---- Without the library ---- */

/* What the name stands for: the nonce of an array, 0 if there is no such name. */
guint64 peer_get_named (void);

/* Whether somebody holds the lock of those who are about to remove it. */
gboolean peer_is_removing (void);

/* The lock word of that array. */
guint32 peer_get_lock_word (void);
