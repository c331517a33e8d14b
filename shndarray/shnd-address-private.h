/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Where publishers listen. An address is a name, which stands for a socket in the user's runtime
 * directory, or an absolute path. */

/* The path of an address; NULL if it is none. */
char *shnd_address_get_path (const char *address, GError **error);

/* A socket that listens, and a file beside it, "PATH.lock", whose lock says so for as long as this
 * process lives. */
typedef struct
{
  int fd;
  int lock_fd;
} ShndListener;

/* Listens at a path. What a dead publisher has left there is taken over; where one is alive, it
 * fails. No child of fork() gets the descriptors. */
gboolean shnd_address_listen (const char *path, ShndListener *listener, GError **error);

/* Stops, and removes both files. */
void shnd_address_stop (const char *path, ShndListener *listener);

/* Connects without waiting. Returns the descriptor, which no child of fork() gets, or -1 with
 * errno. */
int shnd_address_connect (const char *path);

G_END_DECLS
