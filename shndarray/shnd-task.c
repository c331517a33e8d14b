/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "shnd-task-private.h"

typedef struct
{
  ShndWorkFunc work;
  gpointer data;
  GDestroyNotify free_data;
} Job;

static void
job_free (gpointer data)
{
  Job *self = data;

  self->free_data (self->data);
  g_free (self);
}

static void
run_in_thread (GTask *task, gpointer source_object, gpointer task_data, GCancellable *cancellable)
{
  Job *job = task_data;
  GError *error = NULL;

  if (job->work (job->data, cancellable, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

void
shnd_task_start (gpointer source_object,
                 gpointer source_tag,
                 ShndWorkFunc work,
                 gpointer data,
                 GDestroyNotify free_data,
                 GError *error,
                 GCancellable *cancellable,
                 GAsyncReadyCallback callback,
                 gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (source_object, cancellable, callback, user_data);
  Job *job;

  g_task_set_source_tag (task, source_tag);
  /* Cancelled when the work is done already, it has not failed. */
  g_task_set_check_cancellable (task, FALSE);

  if (error != NULL)
    {
      g_task_return_error (task, error);
      return;
    }

  job = g_new (Job, 1);
  job->work = work;
  job->data = data;
  job->free_data = free_data;
  g_task_set_task_data (task, job, job_free);
  g_task_run_in_thread (task, run_in_thread);
}

gpointer
shnd_task_get_data (GTask *task)
{
  Job *job = g_task_get_task_data (task);

  return job->data;
}
