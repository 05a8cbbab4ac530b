/* SPDX-License-Identifier: MIT */
/* Reads the history in Redis (redis/KEYS.md) into a struct history. It ends with the bucket of the
 * snapshot that is shown, so that all pages of one snapshot agree. */
#ifndef TFT_ARCHIVE_H
#define TFT_ARCHIVE_H

#include "cache/cache.h"
#include "fleet/history.h"

#define ARCHIVE_STREAMS 2

/* A long range, to be read with cache_read_streams together with something else: its streams end at
 * to_ms, and its entries, which come in their order, are given to archive_take. */
struct archive_range {
	struct history *h;
	int64_t points_from_ms;
};
void archive_streams(struct archive_range *range, int64_t to_ms,
		     struct cache_stream streams[ARCHIVE_STREAMS]);
void archive_take(struct archive_range *range, int64_t at_ms, struct span record);

/* 0, or -1 if the shared cache cannot be reached. `h` is initialised in either case; the caller
 * frees it. */
int archive_fleet(struct cache *cache, const struct snapshot *snap, enum history_range range,
		  struct history *h);
/* The risk of one server over a day, as points that have only `highest`. */
int archive_server(struct cache *cache, const struct snapshot *snap, struct span name,
		   struct history *h);

#endif
