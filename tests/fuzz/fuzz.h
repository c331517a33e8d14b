/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

/* libFuzzer's entry point; fuzz-regression.c calls it too. */
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);
