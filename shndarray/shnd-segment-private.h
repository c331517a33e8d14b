/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-control-private.h"
#include "shnd-layout-private.h"

G_BEGIN_DECLS

/* A file with the elements of an array, and this process's mapping of it. Reference-counted; the
 * mapping goes with the last reference, so whatever shows its memory to somebody holds one. */

typedef struct _ShndSegment ShndSegment;
typedef struct _ShndCowMapping ShndCowMapping;

struct _ShndSegment
{
  gatomicrefcount ref_count;
  GRefString *name; /* or NULL */
  char *path;       /* of a file that was opened by its path, absolute; or NULL */
  int fd;
  ShndAccess access;
  ShndFileInfo info;   /* which file it is: two segments of one file show the same bytes */
  guint8 *data;        /* where the first element is mapped; never NULL */
  guint64 data_offset; /* where it is in the file */
  guint64 data_size;   /* how many bytes of elements there are */
  gboolean raw;        /* whether it is the caller who said so, not a header */
  guint8 *mapping;     /* NULL where there is nothing to map */
  gsize mapping_length;

  ShndControlPage *control; /* where it is mapped, or NULL if there is none */
  gint adopted;             /* whether that page is of this file, not of one it was copied from */
  gboolean persistent;
  gint leased; /* whether this segment holds a lease */

  /* For shnd-lock.c: this process's part in the lock of the array. */
  struct
  {
    GMutex mutex;    /* held while one takes the lock over from a dead owner, and for `cow` */
    int fd;          /* a description of its own, or -1 */
    guint slot;      /* which it owns by a lock on that description; 0 if none */
    gpointer holder; /* which handle has the lock, of those that use this segment; NULL if none */
    gboolean recovered; /* with the lock: whether the last owner died with it */
  } lock;

  ShndCowMapping *cow; /* of a lender, or NULL; for shnd-segment-cow.c */

  /* Of a loan. */
  ShndSegment *lender;
  GDestroyNotify give_back;
  gpointer give_back_data;

  /* For shnd-process.c. */
  guint forks;
  ShndSegment *next;
  ShndSegment *previous;
};

/* Writes all elements of a new array into its file, at `offset`, as its layout says. Returns 0, an
 * errno with which the writing failed or ECANCELED, or -1 with an error that is set. */
typedef int (*ShndFillFunc) (int fd, guint64 offset, gpointer data, GError **error);

/* Makes a file for an array of this layout, named or anonymous. With `fill` it begins with what
 * that writes, else with zeros. Nobody sees the name before all is in place; on error nothing is
 * left behind. */
ShndSegment *shnd_segment_new (const char *name,
                               const ShndLayout *layout,
                               ShndFillFunc fill,
                               gpointer fill_data,
                               ShndCreateFlags flags,
                               GError **error);

/* The same for a path on any file system. */
ShndSegment *shnd_segment_new_path (const char *path,
                                    const ShndLayout *layout,
                                    ShndCreateFlags flags,
                                    GError **error);

/* Whether the name can be one, and is not taken now: to know early what shnd_segment_new() would find
 * out in the end. */
gboolean shnd_segment_check_name (const char *name, GError **error);

/* A file that was opened and looked at, but not yet mapped. */
typedef struct
{
  int fd;
  const char *name; /* the caller's, as `path`; one of the two, or neither */
  const char *path;
  ShndAccess access;
  ShndFileInfo info;
  gboolean held; /* whether others have a lease, and this descriptor, too */
} ShndFile;

/* Whether it is an access; `extra` is the flag that makes sense beside the two, and `name` what that
 * is called. */
gboolean
shnd_segment_check_access (ShndAccess access, ShndAccess extra, const char *name, GError **error);

/* Opens the file of a name, or a path, and looks at it. */
gboolean
shnd_segment_open_name (const char *name, ShndAccess access, ShndFile *file, GError **error);
gboolean
shnd_segment_open_path (const char *path, ShndAccess access, ShndFile *file, GError **error);

/* The same for a file that is open: `fd`, which stays the caller's. Its seals are checked before
 * its size is looked at: whether it can be trusted to keep that, as far as `access` asks for it. */
gboolean shnd_segment_open_fd (int fd, ShndAccess access, ShndFile *file, GError **error);

/* Closes a file that is not to be mapped after all. */
void shnd_segment_abandon (const ShndFile *file);

/* The same without a lease, for anybody's file, and only to look at it. */
gboolean shnd_segment_look_at_name (const char *name, ShndFile *file, GError **error);
gboolean shnd_segment_look_at_path (const char *path, ShndFile *file, GError **error);

/* How many bytes the elements take in our files, up to the control page. */
guint64 shnd_segment_round_up (guint64 n_bytes);

/* Whether the file has room for the elements, and behind them, at its very end, for a control
 * page. */
gboolean shnd_segment_check_size (const ShndFileInfo *info,
                                  guint64 data_offset,
                                  guint64 n_bytes,
                                  gboolean *has_control_room,
                                  GError **error);

/* Maps the `n_bytes` of elements at `data_offset` of a file. Takes the descriptor, also on error.
 * Fails if the file is too small, or an orphan; the message does not say which file that is. */
ShndSegment *
shnd_segment_map (const ShndFile *file, guint64 data_offset, guint64 n_bytes, GError **error);

/* The same memory for a time: `give_back` is called when the last reference is gone. There is
 * neither lock nor change counter. */
ShndSegment *
shnd_segment_new_loan (ShndSegment *lender, GDestroyNotify give_back, gpointer give_back_data);

ShndSegment *shnd_segment_ref (ShndSegment *self);
void shnd_segment_unref (ShndSegment *self);

/* Lets the segment use another description of its file, `fd`, which stays the caller's, and give up
 * its own; the memory stays where it is. To close its descriptor would not be enough, as the mapping
 * also keeps the description. */
void shnd_segment_move (ShndSegment *self, int fd);

/* Removes the name, if it still stands for this file. */
gboolean shnd_segment_unlink (ShndSegment *self, GError **error);

/* Seals the memory of an array without a name: from now on it keeps its size, and nobody who has not
 * mapped it for writing by now ever can. Does nothing if that is so already. */
gboolean shnd_segment_seal (ShndSegment *self, GError **error);
gboolean shnd_segment_is_sealed (ShndSegment *self);

/* A new descriptor of the file, with that access and without the lease, for somebody else. */
int shnd_segment_dup_fd (ShndSegment *self, ShndAccess access, GError **error);

/* A second, private mapping of some of the memory: writes to it stay there. */
GBytes *
shnd_segment_get_cow_bytes (ShndSegment *self, const guint8 *data, gsize n_bytes, GError **error);
void shnd_cow_mapping_unref (ShndCowMapping *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ShndSegment, shnd_segment_unref)

G_END_DECLS
