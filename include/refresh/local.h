/* SPDX-License-Identifier: MIT */
/*
 * What one worker does while Redis is away (doc/cache.md#redis-down): it keeps a snapshot of its
 * own and fetches anew at most once per local interval, which is so long that all workers behind
 * one upstream address together stay within the call budget.
 */
#ifndef TFT_LOCAL_H
#define TFT_LOCAL_H

#include "fleet/condition.h"
#include "fleet/snapshot.h"
#include "refresh/upstream.h"

struct local_config {
	int64_t interval_ms; /* of the fleet group */
	int64_t workers;     /* behind one upstream client address */
	int64_t calls_per_minute;
	bool scenario_configured;
	int host_fd; /* a descriptor that all workers of this host share: the listen socket */
};

struct local;

struct local *local_new(const struct local_config *config);
void local_free(struct local **local);
/* Whether the next fetch is due. */
bool local_due(const struct local *local);
/* Fetches and keeps what came, unless another worker of this host is just doing so: were all to
 * fetch at once, nobody would be left to answer. */
void local_refresh(struct local *local, struct upstream *upstream);
/* The snapshot, or NULL; ours until the next refresh or drop. Its gen is of this host's clock. */
const struct snapshot *local_snapshot(const struct local *local);
/* The reason of the last attempt, since when, and the next try. */
void local_condition(const struct local *local, struct condition *condition);
/* Redis is back: forget. */
void local_drop(struct local *local);

#endif
