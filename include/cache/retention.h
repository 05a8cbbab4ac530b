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

/* Bytes of the current records. */
struct retention_lengths {
	size_t full, thin, forecasts;
};

/* memory: bytes of Redis. All records are assumed to be as long as the current ones. A day of every
 * bucket is kept whatever the memory. */
struct retention retention_of(int64_t memory, int64_t interval_ms,
			      const struct retention_lengths *lengths);

#endif
