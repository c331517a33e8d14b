/* SPDX-License-Identifier: MIT */

#pragma once

#define SHND_INSIDE

#include <shndarray/shnd-version.h>
#include <shndarray/shnd-error.h>
#include <shndarray/shnd-enums.h>
#include <shndarray/shnd-enum-types.h>
#include <shndarray/shnd-dtype.h>
#include <shndarray/shnd-array.h>
#include <shndarray/shnd-array-info.h>
#include <shndarray/shnd-frame.h>
#include <shndarray/shnd-publisher.h>
#include <shndarray/shnd-subscriber.h>
#include <shndarray/shnd-names.h>

#undef SHND_INSIDE
