/* SPDX-License-Identifier: MIT */

#pragma once

#include "shnd-file-private.h"

G_BEGIN_DECLS

/* The control page, at the very end of the files that we make. doc/format.md describes it. */
#define SHND_CONTROL_SIZE 4096
#define SHND_CONTROL_MAGIC "SHNDCTRL"
#define SHND_CONTROL_VERSION 1

/* In `flags`: the name stays until somebody removes it. */
#define SHND_CONTROL_PERSISTENT 1

/* All numbers are little-endian. The words that processes share are on cache lines of their own. */
typedef struct
{
  char magic[8];
  guint32 version;
  guint32 flags;
  guint64 inode;
  guint64 birth;
  guint8 unused_32[32];
  guint32 lock;
  guint8 unused_68[60];
  guint64 sequence;
} ShndControlPage;

typedef enum
{
  SHND_CONTROL_NONE,
  SHND_CONTROL_COPY, /* the page of another file, from which this one was copied */
  SHND_CONTROL_OWN,
} ShndControlState;

/* Writes the page of a new file of that size. Sets errno. */
gboolean shnd_control_write (int fd, const ShndFileInfo *info, guint64 file_size, guint32 flags);

/* Looks for the page at the end of a file; `flags` is for SHND_CONTROL_OWN. */
ShndControlState shnd_control_read (int fd, const ShndFileInfo *info, guint32 *flags);

/* The same, for all that is on the page, as it is there; without one nothing of it can be used. */
ShndControlState shnd_control_read_page (int fd, const ShndFileInfo *info, ShndControlPage *page);

/* Whether a page is of that file, and not of one from which it was copied. */
gboolean shnd_control_is_own (const ShndControlPage *page, const ShndFileInfo *info);

/* Makes the page of a copy that of the file itself, with a lock that is free; the file is then a
 * persistent array. `fd` is open for writing, `page` is mapped. Returns an errno. */
int shnd_control_adopt (int fd, const ShndFileInfo *info, ShndControlPage *page);

G_END_DECLS
