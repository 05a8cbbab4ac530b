/* SPDX-License-Identifier: MIT */
/*
 * What a worker does while Redis is down or refuses writes (doc/cache.md#redis-down). It shows the
 * last snapshot that it saw in the shared cache. When that is older than an interval, it fetches
 * another, so rarely that all workers behind one upstream address stay within the call budget. It
 * keeps the snapshot and the time of the next call when Redis returns, since Redis may fail again.
 */
#ifndef TFT_LOCAL_H
#define TFT_LOCAL_H

#include "fleet/condition.h"
#include "fleet/firing.h"
#include "fleet/snapshot.h"
#include "refresh/upstream.h"

struct local_config {
	int64_t interval_ms;   /* of the fleet group */
	int64_t workers;       /* of this host */
	int64_t workers_total; /* behind one upstream client address, these among them */
	int64_t calls_per_minute;
	bool scenario_configured;
	const struct firing_rules *firing_rules; /* NULL: alerts are sent to nobody */
	int host_fd; /* a descriptor that all workers of this host share: the listen socket */
};

struct local;

struct local *local_new(const struct local_config *config);
void local_free(struct local **local);
/* Whether this snapshot of the shared cache is the one kept last. */
bool local_has(const struct local *local, const char *id);
/* Keeps a snapshot of the shared cache, in compact form and `age_ms` old, unless ours is newer. */
void local_keep(struct local *local, const char *id, struct span compact, int64_t age_ms);
/* Whether the next fetch is due: our snapshot is older than an interval, and it is our turn. */
bool local_due(const struct local *local);
/* The same for a page with forecasts: snapshots of the shared cache are kept without them. */
bool local_due_for_forecasts(const struct local *local);
/* Fetches and keeps a snapshot, unless this host has used its share of calls or another of its
 * workers is fetching: if all fetched at once, none would be left to answer. */
void local_refresh(struct local *local, struct upstream *upstream);
/* Whether it is time to try to become the one of this host who sends alerts in this interval; and
 * whether this worker is that one. */
bool local_alerts_due(const struct local *local);
bool local_take_alerts(struct local *local);
/* The newest snapshot, or NULL; valid until the next refresh, keep or drop. */
const struct snapshot *local_snapshot(struct local *local);
/* Its age. */
int64_t local_age_ms(const struct local *local);
/* Why the last attempt failed, since when attempts fail, and when the next one is due. */
void local_condition(const struct local *local, struct condition *condition);
/* The cache was deleted on purpose: drop our snapshot too. */
void local_drop(struct local *local);

#endif
