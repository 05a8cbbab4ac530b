/* SPDX-License-Identifier: MIT */
/* The fleet as it was: records of moments (fleet/moment.h) in the history of Redis
 * (doc/cache.md#moments). */
#ifndef TFT_MOMENTS_H
#define TFT_MOMENTS_H

#include "cache/cache.h"
#include "fleet/history.h"
#include "fleet/snapshot.h"

enum moment_result { MOMENT_FOUND, MOMENT_NONE, MOMENT_DOWN };

struct moment {
	struct snapshot *snap;       /* MOMENT_FOUND: the caller's; else NULL. Without series. */
	int64_t before_ms, after_ms; /* MOMENT_NONE: the nearest stored moments; 0: none */
};

/* Reads the newest moment at or before at_ms (epoch), unless it is older than the resolution stored
 * for that time: an interval, or PROTOCOL_THIN_MS for older times. A damaged record is logged and
 * counts as absent. forecasts: also fills in the servers' horizons, where stored. One round trip if
 * the moment is found. */
enum moment_result moments_read(struct cache *cache, int64_t at_ms, bool forecasts,
				struct moment *moment);
/* The same, and in the same round trip the points until at_ms of `day`, an initialised history of
 * more than two hours; NULL: none. */
enum moment_result moments_read_day(struct cache *cache, int64_t at_ms, bool forecasts,
				    struct history *day, struct moment *moment);
/* The same without forecasts or, where nothing is kept of it, the nearest moment before end_ms. */
enum moment_result moments_read_near(struct cache *cache, int64_t at_ms, int64_t end_ms,
				     struct moment *moment);

#endif
