/* SPDX-License-Identifier: MIT */
/*
 * The two small groups, `status` (warm-up of the daemon) and `scenario` (state of the generator).
 * Their documents are the upstream's answers, checked when stored and decoded when read
 * (doc/upstream.md#status, doc/upstream.md#scenario-status). A failure there shows as "unknown" and
 * never affects the fleet.
 */
#ifndef TFT_UPSTREAM_STATUS_H
#define TFT_UPSTREAM_STATUS_H

#include "cache/cache.h"
#include "fleet/snapshot.h"
#include "fleet/ticks.h"
#include "refresh/upstream.h"

struct upstream_status {
	struct warmup warmup;
	struct scenario scenario;
	struct ticks ticks;
	enum reason
		scenario_reason; /* by upstream_status_read: why the last call gave none, or none */
};

/* Reads the cached values up to CACHE_DIGEST_MS old; unknown where there are none. */
void upstream_status_read(struct cache *cache, bool scenario_configured,
			  struct upstream_status *upstream_status);
/* The same, after requesting, in parallel, each group that is older than the current bucket and
 * whose claim this worker wins. */
void upstream_status_renew(struct cache *cache, struct upstream *upstream, bool scenario_configured,
			   struct upstream_status *upstream_status);
/* A digest of what a page says about this group: equal digests mean equal words. CACHE_UNKNOWN if
 * the value is unknown. */
void upstream_status_digest(const struct upstream_status *upstream_status, enum cache_group group,
			    char digest[HASH_HEX]);

/* Without the shared cache: requests both directly. */
void upstream_status_fetch(struct upstream *upstream, bool scenario_configured,
			   struct upstream_status *upstream_status);

/* Requests the scenario now, even if another worker is doing so. Declares the previous value out of
 * date on all hosts. */
void upstream_status_confirm_scenario(struct cache *cache, struct upstream *upstream,
				      struct scenario *scenario);

#endif
