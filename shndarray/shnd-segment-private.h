/* SPDX-License-Identifier: MIT */

#pragma once

#include <sys/stat.h>

#include "shnd-layout-private.h"

G_BEGIN_DECLS

/* A file with the elements of an array, and this process's mapping of it. Reference-counted; the
 * mapping goes with the last reference, so whatever shows its memory to somebody holds one. */

/* The control page, at the very end of the files that we make. doc/format.md describes it. */
#define SHND_CONTROL_SIZE 4096
#define SHND_CONTROL_MAGIC "SHNDCTRL"
#define SHND_CONTROL_VERSION 1

typedef struct
{
  char magic[8];
  guint32 version;
  guint32 flags;
  guint64 inode;
} ShndControlPage;

typedef struct
{
  gatomicrefcount ref_count;
  GRefString *name; /* or NULL */
  int fd;
  ShndAccess access;
  dev_t device; /* which file it is: two handles on one file see the same bytes */
  ino_t inode;
  guint8 *data;        /* where the first element is mapped; never NULL */
  guint64 data_offset; /* where it is in the file */
  guint8 *mapping;     /* NULL where there is nothing to map */
  gsize mapping_length;
} ShndSegment;

/* Makes a file for an array of this layout, named or anonymous. With `contents`, which has the same
 * shape and dtype, it is filled with those elements. Nobody sees the name before all is in place;
 * on error nothing is left behind. */
ShndSegment *shnd_segment_new (const char *name,
                               const ShndLayout *layout,
                               const ShndLayout *contents,
                               ShndCreateFlags flags,
                               GError **error);

/* Opens the file of a name, or a path, and looks at it. Returns -1 on error. */
int shnd_segment_open_name (const char *name, ShndAccess access, struct stat *info, GError **error);
int shnd_segment_open_path (const char *path, ShndAccess access, struct stat *info, GError **error);

/* Maps the `n_bytes` of elements at `data_offset` of a file. Takes `fd`, also on error.
 * The caller has seen that `info` is of this file. Fails if the file is too small; the
 * message does not say which file that is. */
ShndSegment *shnd_segment_map (int fd,
                               const struct stat *info,
                               const char *name,
                               guint64 data_offset,
                               guint64 n_bytes,
                               ShndAccess access,
                               GError **error);

ShndSegment *shnd_segment_ref (ShndSegment *self);
void shnd_segment_unref (ShndSegment *self);

/* Removes the name, if it still stands for this file. */
gboolean shnd_segment_unlink (ShndSegment *self, GError **error);

/* A second, private mapping of some of the memory: writes to it stay there. */
GBytes *
shnd_segment_get_cow_bytes (ShndSegment *self, const guint8 *data, gsize n_bytes, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ShndSegment, shnd_segment_unref)

G_END_DECLS
