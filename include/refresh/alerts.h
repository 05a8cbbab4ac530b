/* SPDX-License-Identifier: MIT */
/*
 * Sends the alerts to the Alertmanagers (doc/rules.md#alerts), once per bucket over all hosts: who
 * wins the group CACHE_ALERTS sends all that fires and all that has just ended, to each of them.
 * What an Alertmanager has not taken is sent again in the next bucket. While Redis cannot be used,
 * each host sends once per interval.
 */
#ifndef TFT_ALERTS_H
#define TFT_ALERTS_H

#include "cache/cache.h"
#include "cache/metrics.h"
#include "fleet/accuracy.h"
#include "fleet/firing.h"
#include "refresh/upstream.h"

struct alerting {
	struct cache *cache;
	struct upstream *upstream;
	struct metrics *metrics;
	size_t alertmanagers; /* 0: nothing is sent */
	struct firing_rules rules;
	int64_t interval_ms;
	const char *fleet;      /* the label */
	const char *public_url; /* for links; may be empty */
};

/* After the commit of this snapshot. accuracy may be NULL. */
void alerts_send(const struct alerting *alerting, const struct snapshot *snap,
		 const struct accuracy *accuracy);
/* In a bucket that has no new data. */
void alerts_repeat(const struct alerting *alerting);
/* While Redis cannot be used, since then and for this reason. last: this worker's own snapshot, or
 * NULL. What has ended is not told: another worker may not know it yet. */
void alerts_alone(const struct alerting *alerting, const struct snapshot *last, const char *why,
		  int64_t since_ms);

#endif
