/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Metadata of which only numbers change. Frame after frame comes with the same entries, but for times
 * and counters: to compare the bytes with those of the last ones takes a small part of the time that it
 * takes to look at them as a variant. */

/* An entry whose value is a number. */
typedef struct
{
  const char *key; /* in the model */
  guint start;     /* where the value is in the bytes */
  char type;       /* as a GVariantClass */
} ShndPatternNumber;

/* A value; zeros at first. */
typedef struct
{
  GVariant *model;
  GArray *numbers; /* of ShndPatternNumber, by `start` */
  guint n_misses;
} ShndPattern;

void shnd_pattern_clear (ShndPattern *self);

/* Whether the bytes are those of the model, but for its numbers. They are in normal form then. */
gboolean shnd_pattern_matches (ShndPattern *self, gconstpointer data, gsize size);

/* What was not matched may be the next model: an a{sv}. FALSE if it is not: to make one costs something,
 * and so that is tried less where nothing ever matches; and it has to be in normal form. */
gboolean shnd_pattern_learn (ShndPattern *self, GVariant *metadata);

G_END_DECLS
