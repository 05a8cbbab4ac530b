/* SPDX-License-Identifier: MIT */
/*
 * The stored forecasts (`tft:series:<bucket>`) that a page needs besides the snapshot, since the
 * compact form of a snapshot has none. Forecasts that cannot be read stay absent, and the page says
 * so.
 */
#ifndef TFT_FORECAST_STORE_H
#define TFT_FORECAST_STORE_H

#include "cache/cache.h"
#include "pages/query.h"
#include "fleet/snapshot.h"

#define FORECAST_STORE_ROUTE "series"

/* Of one server of a decoded snapshot, and of another one (NULL: none), in one batch. */
void forecast_store_servers(struct cache *cache, const struct cache_state *state,
			    struct snapshot *snap, const struct server *server,
			    const struct server *other);
/* Of the servers that the top page shows for this query, in one batch. */
void forecast_store_top(struct cache *cache, const struct cache_state *state, struct snapshot *snap,
			const struct query *query);

#endif
