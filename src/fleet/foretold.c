/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "fleet/foretold.h"

#include <math.h>

#include "fleet/shown.h"

void foretold_init(struct foretold *foretold, int64_t at_ms, struct span name)
{
	static const struct quantiles absent = {NAN, NAN, NAN};

	*foretold = (struct foretold){.name = name, .at_ms = at_ms};
	for (size_t h = 0; h < HORIZONS; h++)
		for (size_t m = 0; m < KEPT_METRICS; m++)
			foretold->value[h][m] = absent;
}

struct foretold_period foretold_period(const struct foretold *foretold, size_t horizon)
{
	int64_t made_ms = foretold->at_ms - horizon_ms(horizon);

	return (struct foretold_period){made_ms - FORETOLD_NEAR_MS + 1, made_ms + FORETOLD_NEAR_MS};
}

static size_t horizon_of(const struct foretold *foretold, int64_t made_ms)
{
	for (size_t h = 0; h < HORIZONS; h++) {
		struct foretold_period span = foretold_period(foretold, h);

		if (made_ms >= span.from_ms && made_ms <= span.to_ms)
			return h;
	}
	return HORIZONS;
}

static void take_values(struct foretold *foretold, size_t horizon, const struct forecasts *made,
			size_t server)
{
	for (size_t m = 0; m < KEPT_METRICS; m++)
		foretold->value[horizon][m] =
			forecasts_quantiles(made, server, (enum kept_metric)m, horizon);
}

int foretold_take(struct foretold *foretold, int64_t made_ms, struct span record)
{
	size_t horizon = horizon_of(foretold, made_ms);
	const struct server *server;
	struct forecasts made;

	if (horizon == HORIZONS)
		return 0;
	if (forecasts_decode(record, horizon + 1, &made) != 0)
		return -1;
	foretold->made_ms[horizon] = made_ms;
	server = snapshot_find(made.names, foretold->name);
	if (server)
		take_values(foretold, horizon, &made, (size_t)(server - made.names->servers));
	forecasts_free(&made);
	return 0;
}

enum foretold_fit foretold_fit(const struct quantiles *band, double value)
{
	double printed = shown(value);

	if (isnan(band->p10 + band->p90 + value))
		return FORETOLD_ABSENT;
	if (printed < shown(band->p10))
		return FORETOLD_BELOW;
	return printed > shown(band->p90) ? FORETOLD_ABOVE : FORETOLD_INSIDE;
}
