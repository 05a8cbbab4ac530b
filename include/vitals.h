/* SPDX-License-Identifier: MIT */
/*
 * The two small groups, `status` (warm-up of the daemon) and `scenario` (state of the generator).
 * Their documents are the upstream's own answers, checked on the way in and decoded again on the
 * way out (contract 4, 10.1). A failure there says "unknown" and never touches the fleet.
 */
#ifndef TFT_VITALS_H
#define TFT_VITALS_H

#include "cache.h"
#include "snapshot.h"
#include "upstream.h"

struct vitals {
	struct warmup warmup;
	struct scenario scenario;
	enum reason scenario_reason; /* by vitals_read: why the last call gave none, or none */
};

/* What is cached, whatever its age up to a minute; unknown where nothing is. stale[group] tells
 * which group wants a refresh. */
void vitals_read(struct cache *cache, bool scenario_configured, struct vitals *vitals,
		 bool stale[CACHE_GROUPS]);
/* Asks the upstreams side by side for the stale groups whose claim is won, stores what came and
 * puts it into *vitals. */
void vitals_refresh(struct cache *cache, struct upstream *upstream, const bool stale[CACHE_GROUPS],
		    struct vitals *vitals);

/* The same without the shared cache: asks both directly. */
void vitals_ask(struct upstream *upstream, bool scenario_configured, struct vitals *vitals);

/* Asks for the scenario now, whoever else asks at the same time. What was known before counts as
 * out of date, for all hosts. */
void vitals_confirm_scenario(struct cache *cache, struct upstream *upstream,
			     struct scenario *scenario);

#endif
