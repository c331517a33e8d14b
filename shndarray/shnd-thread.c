/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-thread-private.h"

#include "shnd-error.h"

#include <pthread.h>
#include <signal.h>
#ifdef HAVE_SYS_SINGLE_THREADED_H
#include <sys/single_threaded.h>
#endif

GThread *
shnd_thread_start (const char *name, GThreadFunc func, gpointer data, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  sigset_t all, old;
  GThread *thread;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &old);
  thread = g_thread_try_new (name, func, data, &local_error);
  pthread_sigmask (SIG_SETMASK, &old, NULL);

  if (thread == NULL)
    g_set_error (error, SHND_ERROR, SHND_ERROR_NO_SPACE, "Cannot start a thread: %s",
                 local_error->message);

  return thread;
}

gboolean
shnd_thread_is_alone (void)
{
#ifdef HAVE_SYS_SINGLE_THREADED_H
  return __libc_single_threaded;
#else
  return FALSE;
#endif
}
