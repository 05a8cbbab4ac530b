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
	int64_t before_ms, after_ms; /* MOMENT_NONE: the nearest moments kept; 0: there is none */
};

/* The newest moment at or before at_ms (epoch), if it is not older than the resolution that is kept
 * there: an interval, or later PROTOCOL_THIN_MS. A damaged record counts as none, and is told in the
 * log. forecasts: the servers get their horizons, where they are kept. One round trip where it is
 * found. */
enum moment_result moments_read(struct cache *cache, int64_t at_ms, bool forecasts,
				struct moment *moment);

#endif
