/* SPDX-License-Identifier: MIT */
/* The two clocks, in milliseconds. Buckets never come from here but from Redis (doc/cache.md#time).
 */
#ifndef TFT_CLOCK_H
#define TFT_CLOCK_H

#include <stdint.h>

int64_t clock_mono_ms(void); /* CLOCK_MONOTONIC: deadlines, durations */
int64_t clock_mono_us(void); /* the same in microseconds: Server-Timing */
int64_t clock_wall_ms(void); /* CLOCK_REALTIME: log stamps, X-Accel-Expires, and the data's age
				while Redis is down */

#endif
