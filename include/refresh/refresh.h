/* SPDX-License-Identifier: MIT */
/* The whole chain: fetch -> decode -> score -> render -> stage -> commit -> alerts. No other file knows it.
 * */
#ifndef TFT_REFRESH_H
#define TFT_REFRESH_H

#include "cache/cache.h"
#include "cache/metrics.h"
#include "pages/catalogue.h"
#include "refresh/alerts.h"
#include "refresh/upstream.h"

struct refresh {
	struct cache *cache;
	struct upstream *upstream;
	struct metrics *metrics;
	const struct site *site;
	bool scenario_configured;
	const struct alerting *alerting; /* NULL: no alerts */
};

/* Refreshes the fleet group under a won claim. Ends with a commit, with a failure recorded in the
 * breaker, or, if the claim is lost, with neither. */
void refresh_fleet(const struct refresh *refresh, struct claim *claim);

/* Makes one predictions call. REASON_NONE with a snapshot in *out (caller owns), else the reason.
 * `call` gets the figures. */
enum reason refresh_fetch(struct upstream *upstream, upstream_progress progress, void *ctx,
			  struct upstream_call *call, struct snapshot **out);

#endif
