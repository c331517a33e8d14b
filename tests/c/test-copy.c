/* SPDX-License-Identifier: MIT */

#include "config.h"

#include <shndarray/shnd-error.h>
#include <shndarray/shndarray.h>
#include <string.h>
#include <sys/mman.h>

#include "shnd-cast-private.h"
#include "shnd-copy-private.h"
#include "support.h"

#define N_ROUNDS 2000

/* A layout somewhere in memory of its own. */
typedef struct
{
  ShndLayout layout;
  guint8 *memory;
  gsize length;
} Block;

static void
block_clear (Block *self)
{
  g_free (self->memory);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Block, block_clear)

/* Elements in a random order of the dimensions, forwards and backwards, with gaps. Where
 * `repeats`, some dimensions show the same elements over and over. */
static void
block_init (Block *self, ShndDType *dtype, const gint64 *shape, guint n_dims, gboolean repeats)
{
  guint order[SHND_MAX_DIMS];
  gint64 offset = 0;
  gint64 stride = dtype->item_size;

  self->layout = (ShndLayout){ .dtype = dtype, .n_dims = n_dims };
  for (guint i = 0; i < n_dims; i++)
    {
      guint other = g_test_rand_int_range (0, i + 1);

      order[i] = order[other];
      order[other] = i;
    }
  /* mostly as arrays are */
  if (g_test_rand_bit ())
    for (guint i = 0; i < n_dims; i++)
      order[i] = n_dims - 1 - i;

  for (guint i = 0; i < n_dims; i++)
    {
      guint dim = order[i];

      self->layout.shape[dim] = shape[dim];
      if (repeats && g_test_rand_int_range (0, 4) == 0)
        continue;
      if (g_test_rand_int_range (0, 3) == 0)
        stride += dtype->item_size + (g_test_rand_bit () ? 1 : 0);
      self->layout.strides[dim] = stride;
      if (g_test_rand_int_range (0, 3) == 0)
        {
          self->layout.strides[dim] = -stride;
          offset += (shape[dim] - 1) * stride;
        }
      stride *= MAX (shape[dim], 1);
    }

  self->length = stride + 64;
  self->memory = g_malloc (self->length);
  for (gsize i = 0; i < self->length; i++)
    self->memory[i] = g_test_rand_int_range (0, 256);
  self->layout.data = self->memory + MAX (offset, 0) + g_test_rand_int_range (0, 2);
}

static guint64
get_size (const gint64 *shape, guint n_dims)
{
  guint64 size = 1;

  for (guint i = 0; i < n_dims; i++)
    size *= shape[i];
  return size;
}

/* The element number `index` in C order. */
static guint8 *
get_element (const ShndLayout *layout, guint64 index)
{
  guint8 *element = layout->data;

  for (guint i = layout->n_dims; i > 0; i--)
    {
      element += (gint64) (index % layout->shape[i - 1]) * layout->strides[i - 1];
      index /= layout->shape[i - 1];
    }
  return element;
}

static guint
random_shape (gint64 *shape)
{
  guint n_dims = g_test_rand_int_range (0, 6);
  guint wide = g_test_rand_int_range (0, 6);

  for (guint i = 0; i < n_dims; i++)
    {
      shape[i] = g_test_rand_int_range (i > 2 ? 1 : 0, 5) + (g_test_rand_bit () ? 1 : 0);
      /* wide enough for whatever works in blocks */
      if (i == wide)
        shape[i] = g_test_rand_int_range (1, 200);
    }
  return n_dims;
}

static void
check_copy (ShndDType *target_dtype, ShndDType *source_dtype, const gint64 *shape, guint n_dims)
{
  g_auto (Block) target = { 0 };
  g_auto (Block) source = { 0 };
  g_autofree guint8 *before = NULL;
  g_autofree guint8 *after = NULL;
  guint64 size = get_size (shape, n_dims);

  block_init (&target, target_dtype, shape, n_dims, FALSE);
  block_init (&source, source_dtype, shape, n_dims, TRUE);

  before = g_memdup2 (target.memory, target.length);
  shnd_copy (&target.layout, &source.layout);
  after = g_memdup2 (target.memory, target.length);

  /* the same, one by one, from where it was before */
  memcpy (target.memory, before, target.length);
  for (guint64 i = 0; i < size; i++)
    shnd_cast (target_dtype, source_dtype,
               &(ShndRun){ .target = get_element (&target.layout, i),
                           .source = get_element (&source.layout, i),
                           .n = 1 });
  g_assert_cmpmem (after, target.length, target.memory, target.length);
}

static void
test_random (void)
{
  static const char *const pairs[][2] = {
    { "u1", "u1" },
    { "<i2", "<i2" },
    { "<f4", "<f4" },
    { "<f8", "<f8" },
    { "<c16", "<c16" },
    { "S3", "S3" },
    { ">i2", "<i2" },
    { "<f8", "u1" },
    { ">u2", "<i4" },
    { "S5", "S3" },
    { "<c8", ">u2" },
    { "M8[s]", "M8[D]" },
    { "[('a','u1'),('','V3'),('b','<i4')]", "[('a','u1'),('','V3'),('b','<i4')]" },
    { "[('a','>i2'),('b','<i8',(2,))]", "[('a','i1'),('b','<i4',(2,))]" },
  };

  for (guint round = 0; round < N_ROUNDS; round++)
    {
      guint pair = g_test_rand_int_range (0, G_N_ELEMENTS (pairs));
      g_autoptr (ShndDType) target = new_dtype (pairs[pair][0]);
      g_autoptr (ShndDType) source = new_dtype (pairs[pair][1]);
      gint64 shape[SHND_MAX_DIMS];
      guint n_dims = random_shape (shape);

      check_copy (target, source, shape, n_dims);
    }
}

static void
test_shapes (void)
{
  static const gint64 matrix[] = { 200, 300 };
  static const gint64 image[] = { 100, 120, 3 };
  static const gint64 planes[] = { 3, 120, 100 };
  static const gint64 none[] = { 4, 0, 5 };
  g_autoptr (ShndDType) byte = new_dtype ("u1");
  g_autoptr (ShndDType) real = new_dtype ("<f4");
  gint64 deep[SHND_MAX_DIMS];

  for (guint i = 0; i < SHND_MAX_DIMS; i++)
    deep[i] = i % 3 == 0 ? 2 : 1;

  for (guint round = 0; round < 20; round++)
    {
      check_copy (byte, byte, matrix, 2);
      check_copy (real, byte, matrix, 2);
      check_copy (byte, byte, image, 3);
      check_copy (real, real, planes, 3);
      check_copy (byte, byte, none, 3);
      check_copy (byte, real, NULL, 0);
      check_copy (real, real, deep, SHND_MAX_DIMS);
    }
}

static void
test_without_bytes (void)
{
  g_autoptr (ShndDType) dtype = new_dtype ("V0");
  ShndLayout layout = {
    .dtype = dtype,
    .n_dims = 2,
    .shape = { G_MAXINT32, G_MAXINT32 },
  };

  /* would take for ever */
  shnd_copy (&layout, &layout);
  shnd_gather (&layout, 0, G_MAXINT32, NULL);
  shnd_scatter (&layout, 0, G_MAXINT32, NULL);
}

static void
test_ranges (void)
{
  static const char *const types[] = {
    "u1", "<i2", "<f8", "S3", "[('a','u1'),('','V3'),('b','<i4')]",
  };

  for (guint round = 0; round < N_ROUNDS; round++)
    {
      g_autoptr (ShndDType) dtype =
          new_dtype (types[g_test_rand_int_range (0, G_N_ELEMENTS (types))]);
      g_auto (Block) block = { 0 };
      g_autofree guint8 *packed = NULL;
      g_autofree guint8 *before = NULL;
      gint64 shape[SHND_MAX_DIMS];
      guint n_dims = random_shape (shape);
      guint64 size = get_size (shape, n_dims);
      guint64 first = g_test_rand_int_range (0, size + 1);
      guint64 n = g_test_rand_int_range (0, size - first + 1);
      gsize item_size = dtype->item_size;
      gsize length = n * item_size;

      block_init (&block, dtype, shape, n_dims, FALSE);

      packed = g_malloc (length + 1);
      packed[length] = CANARY;
      shnd_gather (&block.layout, first, n, packed);
      for (guint64 i = 0; i < n; i++)
        g_assert_cmpmem (packed + i * item_size, item_size, get_element (&block.layout, first + i),
                         item_size);
      g_assert_cmphex (packed[length], ==, CANARY);

      for (gsize i = 0; i < length; i++)
        packed[i] = ~packed[i];
      before = g_memdup2 (block.memory, block.length);
      shnd_scatter (&block.layout, first, n, packed);
      for (guint64 i = 0; i < n; i++)
        {
          guint8 *element = get_element (&block.layout, first + i);

          g_assert_cmpmem (packed + i * item_size, item_size, element, item_size);
          for (gsize j = 0; j < item_size; j++)
            element[j] = ~element[j];
        }
      /* everything else is as it was */
      g_assert_cmpmem (block.memory, block.length, before, block.length);
    }
}

/* Distances and counts that 32 bits do not hold; of the memory only a few pages are ever
 * touched. */
static void
test_large (void)
{
  const gint64 far = G_GINT64_CONSTANT (3) << 30;
  g_autoptr (ShndDType) byte = new_dtype ("u1");
  g_autoptr (ShndDType) word = new_dtype (">u2");
  guint8 packed[8] = { 0 };
  guint8 *memory;
  ShndLayout sparse = { .dtype = byte, .n_dims = 2, .shape = { 3, 2 }, .strides = { far, 1 } };
  ShndLayout dense = { .dtype = word, .n_dims = 2, .shape = { 3, 2 }, .strides = { 4, 2 } };
  ShndLayout many = {
    .dtype = byte,
    .n_dims = 2,
    .shape = { G_GINT64_CONSTANT (1) << 33, 3 },
    .strides = { 0, 1 },
  };
  guint8 words[12];

  if (sizeof (gpointer) < 8)
    {
      g_test_skip ("needs 64-bit addresses");
      return;
    }

  memory = mmap (NULL, 3 * far, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
  if (memory == MAP_FAILED)
    {
      g_test_skip ("no address space");
      return;
    }

  for (guint i = 0; i < 6; i++)
    memory[i / 2 * far + i % 2] = 10 + i;

  sparse.data = memory;
  dense.data = words;
  shnd_copy (&dense, &sparse);
  g_assert_cmpmem (words, sizeof words, "\0\x0a\0\x0b\0\x0c\0\x0d\0\x0e\0\x0f", sizeof words);

  /* backwards */
  sparse.data = memory + 2 * far + 1;
  sparse.strides[0] = -far;
  sparse.strides[1] = -1;
  shnd_copy (&sparse, &dense);
  g_assert_cmpint (memory[0], ==, 15);
  g_assert_cmpint (memory[2 * far + 1], ==, 10);

  shnd_gather (&sparse, 1, 4, packed);
  g_assert_cmpmem (packed, 5, "\x0b\x0c\x0d\x0e\0", 5);

  many.data = packed;
  shnd_gather (&many, (G_GUINT64_CONSTANT (1) << 34) + 2, 4, words);
  /* 2^34 + 2 is a multiple of 3 */
  g_assert_cmpmem (words, 4, "\x0b\x0c\x0d\x0b", 4);

  munmap (memory, 3 * far);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/copy/random", test_random);
  g_test_add_func ("/copy/shapes", test_shapes);
  g_test_add_func ("/copy/without-bytes", test_without_bytes);
  g_test_add_func ("/copy/ranges", test_ranges);
  g_test_add_func ("/copy/large", test_large);

  return g_test_run ();
}
