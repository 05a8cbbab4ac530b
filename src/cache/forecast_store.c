/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "cache/forecast_store.h"

#include <assert.h>
#include <stdlib.h>

static_assert(QUERY_N_MAX <= CACHE_FIELDS_MAX, "the top page must fit into one batch");

/* NULL when the bytes are no series, or memory ended. */
static struct series *decode(struct span bytes)
{
	struct series *series = bytes.len ? malloc(sizeof(*series)) : NULL;

	if (series && series_decode(bytes, series) != 0) {
		free(series);
		series = NULL;
	}
	return series;
}

static void load_series(struct cache *cache, const struct cache_state *state,
			struct server **servers, size_t count)
{
	struct span names[CACHE_FIELDS_MAX] = {0}, values[CACHE_FIELDS_MAX];

	for (size_t i = 0; i < count; i++)
		names[i] = servers[i]->name;
	cache_fields(cache, state, FORECAST_STORE_ROUTE, count, names, values);
	for (size_t i = 0; i < count; i++) {
		free(servers[i]->series);
		servers[i]->series = decode(values[i]);
	}
}

void forecast_store_servers(struct cache *cache, const struct cache_state *state,
			    struct snapshot *snap, const struct server *server,
			    const struct server *other)
{
	struct server *servers[2] = {&snap->servers[server - snap->servers]};
	size_t count = 1;

	if (other && other != server)
		servers[count++] = &snap->servers[other - snap->servers];
	load_series(cache, state, servers, count);
}

void forecast_store_top(struct cache *cache, const struct cache_state *state, struct snapshot *snap,
			const struct query *query)
{
	struct server *servers[QUERY_N_MAX];
	size_t count = 0;

	for (size_t i = 0; i < snap->count && count < (size_t)query->n; i++)
		if (query_match(query, &snap->servers[i]))
			servers[count++] = &snap->servers[i];
	load_series(cache, state, servers, count);
}
