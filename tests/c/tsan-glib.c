/* SPDX-License-Identifier: MIT */

/* The sanitizer of threads does not see what GLib itself does to order them, as that is not compiled
 * with it: locks made of futexes, counters of references, and queues between threads. In a build with
 * it the tests of C have these functions in the place of GLib's, which tell it. */

#include <dlfcn.h>
#include <gio/gio.h>

void __tsan_acquire (void *address);
void __tsan_release (void *address);

#define REAL(name)                                                                                 \
  static __typeof__ (name) *real;                                                                  \
                                                                                                   \
  if (G_UNLIKELY (__atomic_load_n (&real, __ATOMIC_RELAXED) == NULL))                              \
  __atomic_store_n (&real, (__typeof__ (real)) dlsym (RTLD_NEXT, #name), __ATOMIC_RELAXED)

/* All that goes from one main context or thread pool to another. */
static int queues;

void
g_mutex_lock (GMutex *mutex)
{
  REAL (g_mutex_lock);

  real (mutex);
  __tsan_acquire (mutex);
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  REAL (g_mutex_trylock);

  if (!real (mutex))
    return FALSE;

  __tsan_acquire (mutex);
  return TRUE;
}

void
g_mutex_unlock (GMutex *mutex)
{
  REAL (g_mutex_unlock);

  __tsan_release (mutex);
  real (mutex);
}

#undef g_atomic_ref_count_inc
void
g_atomic_ref_count_inc (gatomicrefcount *count)
{
  REAL (g_atomic_ref_count_inc);

  real (count);
}

#undef g_atomic_ref_count_dec
gboolean
g_atomic_ref_count_dec (gatomicrefcount *count)
{
  gboolean is_last;

  REAL (g_atomic_ref_count_dec);

  __tsan_release (count);
  is_last = real (count);
  if (is_last)
    __tsan_acquire (count);
  return is_last;
}

void
g_object_unref (gpointer object)
{
  REAL (g_object_unref);

  __tsan_release (object);
  __tsan_acquire (object);
  real (object);
}

static GTaskThreadFunc task_func;

static void
run_task (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  __tsan_acquire (task);
  __atomic_load_n (&task_func, __ATOMIC_RELAXED) (task, source, data, cancellable);
}

/* The library has only one such function. */
void
g_task_run_in_thread (GTask *task, GTaskThreadFunc func)
{
  REAL (g_task_run_in_thread);

  __atomic_store_n (&task_func, func, __ATOMIC_RELAXED);
  __tsan_release (task);
  real (task, run_task);
}

void
g_task_return_boolean (GTask *task, gboolean result)
{
  REAL (g_task_return_boolean);

  __tsan_release (task);
  __tsan_release (&queues);
  real (task, result);
}

void
g_task_return_error (GTask *task, GError *error)
{
  REAL (g_task_return_error);

  __tsan_release (task);
  __tsan_release (&queues);
  real (task, error);
}

guint
g_source_attach (GSource *source, GMainContext *context)
{
  REAL (g_source_attach);

  __tsan_release (&queues);
  return real (source, context);
}

gboolean
g_main_context_iteration (GMainContext *context, gboolean may_block)
{
  gboolean result;

  REAL (g_main_context_iteration);

  __tsan_acquire (&queues);
  result = real (context, may_block);
  __tsan_acquire (&queues);
  return result;
}

/* A node of the queue of a pool of threads, which is GLib's alone. */
const char *__tsan_default_suppressions (void);

const char *
__tsan_default_suppressions (void)
{
  return "race:g_queue_pop_tail\n";
}
