/* SPDX-License-Identifier: MIT */
/* For how long the history keeps what (doc/cache.md#moments), by what it takes of Redis' memory. */
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

/* memory: of Redis, bytes. moment_len, forecasts_len: bytes of the records of now; those of before
 * and after are taken to be as long. A day of every bucket is kept whatever the memory. */
struct retention retention_of(int64_t memory, int64_t interval_ms, size_t moment_len,
			      size_t forecasts_len);

#endif
