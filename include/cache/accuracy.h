/* SPDX-License-Identifier: MIT */
/* The scores of forecasts in the history of Redis (doc/cache.md#accuracy). */
#ifndef TFT_CACHE_ACCURACY_H
#define TFT_CACHE_ACCURACY_H

#include "cache/cache.h"
#include "fleet/accuracy.h"

/* Reads what was scored before to_ms, 1, 7 or 30 days back, in one round trip. A live page passes
 * the time of its snapshot's bucket, so that it does not contain the scores of its own commit, and
 * the refresh that renders it reads the same. A page of the past passes the start of its hour: of
 * older hours the last record alone is kept. 0, or -1 if the shared cache cannot be reached;
 * `accuracy` is initialised in any case. */
int accuracy_read(struct cache *cache, int64_t to_ms, int64_t range_ms, struct accuracy *accuracy);

/* The same as a part of a batch (cache_batch_read): */
struct accuracy_range {
	struct accuracy *accuracy;
	struct accuracy_hour hour; /* the last one that was decoded */
	int64_t at_ms;             /* of the record that is held back */
	struct span record;        /* empty: none */
};

/* range: lives until it is taken. */
void accuracy_batch_add(struct cache_batch *batch, int64_t interval_ms, int64_t to_ms,
			int64_t range_ms, struct accuracy *accuracy, struct accuracy_range *range);
/* When the batch has been read, before the next command. */
void accuracy_batch_take(struct accuracy_range *range);

/* For the refresh: scores the snapshot against the forecasts made one horizon ago that have come due
 * since seen_ms, the time of the last committed moment (0: none), and appends the record of its hour
 * to `record`; nothing if none is due. Two round trips at most. The record is one more step from
 * the hour as it was read after the last moment was, so the commit keeps it only if that is still
 * the last one. */
void accuracy_step(struct cache *cache, const struct snapshot *snap, int64_t seen_ms,
		   struct buf *record);

#endif
