/* SPDX-License-Identifier: MIT */
/*
 * The stored forecasts (`tft:series:<bucket>`) that a page needs besides the snapshot: a snapshot
 * that was read back from its compact form has none. What cannot be read stays absent, and the page
 * says so.
 */
#ifndef TFT_SUPPLY_H
#define TFT_SUPPLY_H

#include "cache.h"
#include "query.h"
#include "snapshot.h"

#define SUPPLY_ROUTE "series"

/* Of one server of a decoded snapshot. */
void supply_server(struct cache *cache, const struct cache_state *state, struct server *server);
/* Of the servers that the top page shows for this query, in one batch. */
void supply_top(struct cache *cache, const struct cache_state *state, struct snapshot *snap,
		const struct query *query);

#endif
