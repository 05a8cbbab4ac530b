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
#include "refresh/upstream.h"

struct upstream_status {
	struct warmup warmup;
	struct scenario scenario;
	enum reason
		scenario_reason; /* by upstream_status_read: why the last call gave none, or none */
};

/* What is cached, whatever its age up to a minute; unknown where nothing is. stale[group] tells
 * which group wants a refresh. */
void upstream_status_read(struct cache *cache, bool scenario_configured,
			  struct upstream_status *upstream_status, bool stale[CACHE_GROUPS]);
/* Asks the upstreams side by side for the stale groups whose claim is won, stores what came and
 * puts it into *upstream_status. */
void upstream_status_refresh(struct cache *cache, struct upstream *upstream,
			     const bool stale[CACHE_GROUPS],
			     struct upstream_status *upstream_status);

/* The same without the shared cache: asks both directly. */
void upstream_status_ask(struct upstream *upstream, bool scenario_configured,
			 struct upstream_status *upstream_status);

/* Asks for the scenario now, whoever else asks at the same time. What was known before counts as
 * out of date, for all hosts. */
void upstream_status_confirm_scenario(struct cache *cache, struct upstream *upstream,
				      struct scenario *scenario);

#endif
