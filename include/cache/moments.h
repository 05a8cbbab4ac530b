/* SPDX-License-Identifier: MIT */
/* The fleet as it was: records of moments (fleet/moment.h) in the history of Redis
 * (doc/cache.md#moments). */
#ifndef TFT_MOMENTS_H
#define TFT_MOMENTS_H

#include "cache/cache.h"
#include "fleet/snapshot.h"

enum moment_result { MOMENT_FOUND, MOMENT_NONE, MOMENT_DOWN };

struct moment {
	struct snapshot *snap;       /* MOMENT_FOUND: the caller's; else NULL. Without series. */
	int64_t before_ms, after_ms; /* MOMENT_NONE: the nearest stored moments; 0: none */
	bool incomplete;             /* Redis has refused the forecasts or the lines */
};

/* Reads the newest moment at or before at_ms (epoch), unless it is older than the resolution stored
 * for that time: an interval, or PROTOCOL_THIN_MS for older times. A damaged record is logged and
 * counts as absent. forecasts: also fills in the servers' horizons, where stored. One round trip if
 * the moment is found. */
enum moment_result moments_read(struct cache *cache, int64_t at_ms, bool forecasts,
				struct moment *moment);

/* A record of a stream. It lives until the next command. */
struct moment_record {
	int64_t at_ms; /* 0: none */
	struct span bytes;
};

/* The same in one round trip with what else a batch reads:
 *
 *	moments_add(&batch, at_ms, MOMENT_LINES, &search);
 *	rc = cache_batch_read(cache, &batch);
 *	result = moments_take(cache, rc, &search, &moment);   // always; before the next command
 */
struct moment_search {
	int64_t at_ms;
	struct moment_record full, thin, forecasts;
	struct buf risks; /* of the hour before, entry by entry */
	bool incomplete;
	/* Set between the two by a page of one server or of two, which needs no other forecasts;
	 * empty: all. */
	struct span name, other;
};

enum { MOMENT_FORECASTS = 1, MOMENT_LINES = 2 /* the servers' risk over the last hour */ };

/* with: the above, or-ed. search: lives until it is taken. */
void moments_add(struct cache_batch *batch, int64_t at_ms, unsigned with,
		 struct moment_search *search);
/* rc: of the batch. Neighbours are one more round trip. */
enum moment_result moments_take(struct cache *cache, int rc, struct moment_search *search,
				struct moment *moment);
/* The same or, where nothing is kept of that time, the nearest moment before end_ms; it is one more. */
enum moment_result moments_take_near(struct cache *cache, int rc, int64_t end_ms,
				     struct moment_search *search, struct moment *moment);

#endif
