/* SPDX-License-Identifier: MIT */

/* The rows of the benchmarks that are about C. Each round prints "sample ROW OURS THEIRS", the
 * nanoseconds that one operation took on either side. */

#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUNDS 11

/* Each round goes from one side to the other this often, so that what else the machine does meets
 * both, and takes the median, so that a few of such meetings do not count. */
#define SLICES 15

#define MEGABYTE (1024 * 1024)

/* Where the elements of an array of one plain dtype begin. */
#define DATA_OFFSET 4096

static char *small_name;
static char *medium_name;
static char *huge_name;
static char *new_name;
static char *raw_path;
static char *raw_new_path;

static volatile guint8 touched;

ShndArray *
bench_make (const char *name, gint64 n_bytes, ShndCreateFlags flags)
{
  g_autoptr (ShndDType) dtype = shnd_dtype_new ("uint8", NULL);
  g_autoptr (GError) error = NULL;
  ShndArray *array = shnd_array_new (name, dtype, &n_bytes, 1, flags, &error);

  if (array == NULL)
    bench_fail ("%s", error->message);

  return array;
}

static void
open_and_touch (const char *name)
{
  g_autoptr (GError) error = NULL;
  ShndArray *array = shnd_array_open (name, SHND_ACCESS_READ_WRITE, &error);

  if (array == NULL)
    bench_fail ("%s", error->message);
  touched = *(guint8 *) shnd_array_get_data (array);
  g_object_unref (array);
}

static void
open_small (void)
{
  open_and_touch (small_name);
}

static void
open_medium (void)
{
  open_and_touch (medium_name);
}

static void
open_huge (void)
{
  open_and_touch (huge_name);
}

static void
open_raw (void)
{
  int fd = shm_open (raw_path, O_RDWR, 0);
  struct stat info;
  guint8 *mapping;

  if (fd < 0 || fstat (fd, &info) != 0)
    bench_fail ("%s: %s", raw_path, g_strerror (errno));
  mapping = mmap (NULL, info.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapping == MAP_FAILED)
    bench_fail ("%s: %s", raw_path, g_strerror (errno));
  touched = mapping[DATA_OFFSET];
  munmap (mapping, info.st_size);
  close (fd);
}

static void
create (void)
{
  static ShndDType *dtype;
  static const gint64 shape[] = { MEGABYTE };
  g_autoptr (GError) error = NULL;
  ShndArray *array;

  if (dtype == NULL)
    dtype = shnd_dtype_new ("uint8", NULL);
  array = shnd_array_new (new_name, dtype, shape, 1, SHND_CREATE_NONE, &error);
  if (array == NULL || !shnd_array_unlink (array, &error))
    bench_fail ("%s", error->message);
  g_object_unref (array);
}

static void
create_raw (void)
{
  int fd = shm_open (raw_new_path, O_CREAT | O_EXCL | O_RDWR, 0600);
  int result;
  guint8 *mapping;

  if (fd < 0)
    bench_fail ("%s: %s", raw_new_path, g_strerror (errno));
  result = posix_fallocate (fd, 0, MEGABYTE);
  if (result != 0)
    bench_fail ("%s: %s", raw_new_path, g_strerror (result));
  mapping = mmap (NULL, MEGABYTE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapping == MAP_FAILED || shm_unlink (raw_new_path) != 0)
    bench_fail ("%s: %s", raw_new_path, g_strerror (errno));
  munmap (mapping, MEGABYTE);
  close (fd);
}

static gint64
measure (void (*operation) (void), guint n)
{
  gint64 start = bench_get_time (CLOCK_MONOTONIC);

  for (guint i = 0; i < n; i++)
    operation ();

  return bench_get_time (CLOCK_MONOTONIC) - start;
}

void
bench_compare (
    const char *row, void (*ours) (void), void (*theirs) (void), guint n_calls, guint n_per_call)
{
  /* The first round only warms up. */
  for (guint round = 0; round <= ROUNDS; round++)
    {
      gint64 times[2][SLICES];
      gdouble n = (gdouble) n_calls * n_per_call;

      for (guint slice = 0; slice < SLICES; slice++)
        {
          times[0][slice] = measure (ours, n_calls);
          times[1][slice] = measure (theirs, n_calls);
        }

      if (round > 0)
        printf ("sample %s %.1f %.1f\n", row, bench_get_quantile (times[0], SLICES, 0.5) / n,
                bench_get_quantile (times[1], SLICES, 0.5) / n);
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (ShndArray) small = NULL;
  g_autoptr (ShndArray) medium = NULL;
  g_autoptr (ShndArray) huge = NULL;

  if (argc != 2)
    bench_fail ("usage: %s PREFIX", argv[0]);

  /* First, as it forks. */
  bench_sync (argv[1]);

  small_name = g_strconcat (argv[1], "small", NULL);
  medium_name = g_strconcat (argv[1], "medium", NULL);
  huge_name = g_strconcat (argv[1], "huge", NULL);
  new_name = g_strconcat (argv[1], "new", NULL);
  raw_path = g_strconcat ("/", medium_name, NULL);
  raw_new_path = g_strconcat ("/", argv[1], "raw", NULL);

  small = bench_make (small_name, 1024, SHND_CREATE_NONE);
  medium = bench_make (medium_name, MEGABYTE, SHND_CREATE_NONE);
  huge = bench_make (huge_name, G_GINT64_CONSTANT (8) << 30, SHND_CREATE_SPARSE);

  bench_compare ("c-open", open_medium, open_raw, 500, 1);
  bench_compare ("c-create", create, create_raw, 40, 1);
  bench_compare ("c-size", open_huge, open_small, 500, 1);

  /* What is left after a failure the caller removes. */
  shnd_array_unlink (small, NULL);
  shnd_array_unlink (medium, NULL);
  shnd_array_unlink (huge, NULL);
  g_free (small_name);
  g_free (medium_name);
  g_free (huge_name);
  g_free (new_name);
  g_free (raw_path);
  g_free (raw_new_path);

  return EXIT_SUCCESS;
}
