/* SPDX-License-Identifier: MIT */
/*
 * The two small groups, `status` (warm-up of the daemon) and `scenario` (state of the generator).
 * Their documents are the upstream's own answers, checked on the way in and decoded again on the
 * way out (doc/upstream.md#status, doc/upstream.md#scenario-status). A failure there says "unknown"
 * and never touches the fleet.
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

/* What is cached, whatever its age up to CACHE_DIGEST_MS; unknown where nothing is. */
void upstream_status_read(struct cache *cache, bool scenario_configured,
			  struct upstream_status *upstream_status);
/* The same, and what is not of the present bucket is asked for first: side by side, by whoever wins
 * the claim. */
void upstream_status_renew(struct cache *cache, struct upstream *upstream, bool scenario_configured,
			   struct upstream_status *upstream_status);
/* What a page that is made of this says of it: equal digests, equal words. CACHE_UNKNOWN where it
 * is not known. */
void upstream_status_digest(const struct upstream_status *upstream_status, enum cache_group group,
			    char digest[HASH_HEX]);

/* The same without the shared cache: asks both directly. */
void upstream_status_fetch(struct upstream *upstream, bool scenario_configured,
			   struct upstream_status *upstream_status);

/* Asks for the scenario now, whoever else asks at the same time. What was known before counts as
 * out of date, for all hosts. */
void upstream_status_confirm_scenario(struct cache *cache, struct upstream *upstream,
				      struct scenario *scenario);

#endif
