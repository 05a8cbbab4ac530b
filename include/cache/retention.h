/* SPDX-License-Identifier: MIT */
/* How long each part of the history is kept (doc/cache.md#moments), given its memory in Redis. */
#ifndef TFT_RETENTION_H
#define TFT_RETENTION_H

#include <stddef.h>
#include <stdint.h>

#define RETENTION_DAYS 30 /* the longest */

struct retention {
	int64_t full_ms;     /* moments of every bucket, and forecasts */
	int64_t thin_ms;     /* one moment in PROTOCOL_THIN_MS */
	int64_t risks_ms;    /* risk of each server */
	int64_t risks_bytes; /* at most */
};

/* memory: bytes of Redis. moment_len, forecasts_len: bytes of the current records; all others are
 * assumed to be as long. A day of every bucket is kept whatever the memory. */
struct retention retention_of(int64_t memory, int64_t interval_ms, size_t moment_len,
			      size_t forecasts_len);

#endif
