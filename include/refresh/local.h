/* SPDX-License-Identifier: MIT */
/*
 * What one worker does while Redis is away, or takes nothing (doc/cache.md#redis-down). It has the
 * last snapshot that it saw in the shared cache, and when that is older than an interval it fetches
 * one of its own, so seldom that all workers behind one upstream address together stay within the
 * call budget. Neither the snapshot nor the time of the next call is forgotten when Redis is back:
 * it may go again.
 */
#ifndef TFT_LOCAL_H
#define TFT_LOCAL_H

#include "fleet/condition.h"
#include "fleet/snapshot.h"
#include "refresh/upstream.h"

struct local_config {
	int64_t interval_ms;   /* of the fleet group */
	int64_t workers;       /* of this host */
	int64_t workers_total; /* behind one upstream client address, these among them */
	int64_t calls_per_minute;
	bool scenario_configured;
	int host_fd; /* a descriptor that all workers of this host share: the listen socket */
};

struct local;

struct local *local_new(const struct local_config *config);
void local_free(struct local **local);
/* Whether this snapshot of the shared cache is the last one that was kept. */
bool local_has(const struct local *local, const char *id);
/* Keeps a snapshot of the shared cache, given in its compact form and `age_ms` old, unless what we
 * have is newer. */
void local_keep(struct local *local, const char *id, struct span compact, int64_t age_ms);
/* Whether the next fetch is due: what we have is older than an interval, and it is our turn. */
bool local_due(const struct local *local);
/* The same where forecasts are wanted: a snapshot of the shared cache is kept without them. */
bool local_due_for_forecasts(const struct local *local);
/* Fetches and keeps what came, unless another worker of this host is just doing so, as were all to
 * fetch at once nobody would be left to answer, or this host has made its share of calls. */
void local_refresh(struct local *local, struct upstream *upstream);
/* The newest snapshot, or NULL; ours until the next refresh, keep or drop. */
const struct snapshot *local_snapshot(struct local *local);
/* How old it is. */
int64_t local_age_ms(const struct local *local);
/* The reason of the last attempt, since when, and the next try. */
void local_condition(const struct local *local, struct condition *condition);
/* Somebody has deleted what is cached: forget it. */
void local_drop(struct local *local);

#endif
