/* SPDX-License-Identifier: MIT */

/* What tests need that receive frames, in C and of the elements. */

#pragma once

#include "support.h"

static inline ShndSubscriber *
new_subscriber (const char *path)
{
  g_autoptr (GError) error = NULL;
  ShndSubscriber *subscriber = shnd_subscriber_new (path, &error);

  g_assert_no_error (error);
  return subscriber;
}

/* Whatever is in it. */
static inline ShndFrame *
receive_any (ShndSubscriber *subscriber)
{
  g_autoptr (GError) error = NULL;
  ShndFrame *frame = shnd_subscriber_receive (subscriber, PATIENCE, NULL, &error);

  g_assert_no_error (error);
  return frame;
}
