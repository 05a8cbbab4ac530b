/* SPDX-License-Identifier: MIT */
/* A clock that a test moves, in place of base/clock.c. */
#ifndef TFT_FAKE_CLOCK_H
#define TFT_FAKE_CLOCK_H

#include "base/clock.h"

#define WALL_MS INT64_C(1764000000000) /* the wall clock at time 0 of the monotonic clock */

static int64_t clock_us = 5000000123;

int64_t clock_mono_ms(void)
{
	return clock_us / 1000;
}

int64_t clock_mono_us(void)
{
	return clock_us;
}

int64_t clock_wall_ms(void)
{
	return WALL_MS + clock_us / 1000;
}

static inline void pass_ms(int64_t ms)
{
	clock_us += ms * 1000;
}

#endif
