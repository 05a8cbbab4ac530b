/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "fleet/trail.h"

#include <math.h>

#include "fleet/shown.h"

#define MINUTE_MS  INT64_C(60000)
#define FINE       12 /* points of the last hour */
#define FINE_MIN   5
#define COARSE_MIN 15
#define HOUR_MIN   60

static const struct quantiles absent = {NAN, NAN, NAN};

int64_t trail_ago_ms(size_t point)
{
	int64_t i = (int64_t)point + 1;

	return MINUTE_MS * (i <= FINE ? i * FINE_MIN : HOUR_MIN + (i - FINE) * COARSE_MIN);
}

/* TRAIL_POINTS: there is none. */
static size_t point_ago(int64_t ago_ms)
{
	size_t i = 0;

	while (i < TRAIL_POINTS && trail_ago_ms(i) != ago_ms)
		i++;
	return i;
}

size_t trail_point(size_t horizon)
{
	return point_ago(horizon_ms(horizon));
}

/* The horizon that a point is; HORIZONS: none. */
static size_t horizon_of(size_t point)
{
	size_t h = 0;

	while (h < HORIZONS && trail_point(h) != point)
		h++;
	return h;
}

static void init_server(struct trail_server *server, struct span name)
{
	server->name = name;
	for (size_t i = 0; i < TRAIL_POINTS; i++) {
		for (size_t row = 0; row < TRAIL_ROWS; row++)
			server->values[row][i] = NAN;
		for (size_t m = 0; m < KEPT_METRICS; m++)
			server->soon[m][i] = absent;
	}
	for (size_t h = 0; h < HORIZONS; h++)
		for (size_t k = 0; k < HORIZONS; k++)
			for (size_t m = 0; m < KEPT_METRICS; m++)
				server->made[h][k][m] = absent;
}

void trail_init(struct trail *trail, int64_t at_ms, struct span name, struct span other)
{
	*trail = (struct trail){.at_ms = at_ms};
	init_server(&trail->of[0], name);
	init_server(&trail->of[1], other);
}

struct trail_period trail_period(const struct trail *trail, size_t point)
{
	int64_t made_ms = trail->at_ms - trail_ago_ms(point);

	return (struct trail_period){made_ms - TRAIL_NEAR_MS + 1, made_ms + TRAIL_NEAR_MS};
}

static size_t find_point(const struct trail *trail, int64_t made_ms)
{
	size_t i = 0;

	for (; i < TRAIL_POINTS; i++) {
		struct trail_period period = trail_period(trail, i);

		if (made_ms >= period.from_ms && made_ms <= period.to_ms)
			break;
	}
	return i;
}

size_t trail_row(enum kept_metric metric)
{
	static const size_t rows[KEPT_METRICS] = {[KEPT_CPU] = TRAIL_CPU_USED,
						  [KEPT_MEMORY] = METRIC_MEM_USED,
						  [KEPT_IOWAIT] = METRIC_CPU_IOWAIT,
						  [KEPT_LOAD] = METRIC_LOAD,
						  [KEPT_CPU_USER] = METRIC_CPU_USER};

	return rows[metric];
}

static void take_values(struct trail_server *server, size_t point, const struct forecasts *record,
			size_t i)
{
	for (int m = 0; m < KEPT_METRICS; m++) {
		enum kept_metric metric = (enum kept_metric)m;

		server->values[trail_row(metric)][point] = forecasts_now(record, i, metric);
		server->soon[m][point] = forecasts_quantiles(record, i, metric, 0);
	}
	for (size_t o = 0; o < OTHER_METRICS; o++)
		server->values[other_metrics[o]][point] = forecasts_other(record, i, o);
}

static void take_made(struct trail_server *server, size_t horizon, const struct forecasts *record,
		      size_t i)
{
	for (size_t k = 0; k <= horizon; k++)
		for (int m = 0; m < KEPT_METRICS; m++)
			server->made[horizon][k][m] =
				forecasts_quantiles(record, i, (enum kept_metric)m, k);
}

static void take_server(struct trail_server *server, size_t point, const struct forecasts *record)
{
	const struct server *found = snapshot_find(record->names, server->name);
	size_t horizon = horizon_of(point), i;

	if (!found)
		return;
	i = (size_t)(found - record->names->servers);
	take_values(server, point, record, i);
	if (horizon < HORIZONS)
		take_made(server, horizon, record, i);
}

int trail_take(struct trail *trail, int64_t made_ms, struct span record)
{
	size_t point = find_point(trail, made_ms), horizon;

	if (point == TRAIL_POINTS)
		return 0;
	horizon = horizon_of(point);
	for (size_t s = 0; s < TRAIL_SERVERS; s++) {
		struct trail_server *server = &trail->of[s];
		struct forecasts made;

		if (!server->name.len)
			continue;
		if (forecasts_decode(record, server->name, horizon < HORIZONS ? horizon + 1 : 1,
				     &made) != 0)
			return -1;
		take_server(server, point, &made);
		forecasts_free(&made);
	}
	trail->made_ms[point] = made_ms;
	return 0;
}

enum trail_fit trail_fit(const struct quantiles *band, double value)
{
	double printed = shown(value);

	if (isnan(band->p10 + band->p90 + value))
		return TRAIL_ABSENT;
	if (printed < shown(band->p10))
		return TRAIL_BELOW;
	return printed > shown(band->p90) ? TRAIL_ABOVE : TRAIL_INSIDE;
}

/* The value that a forecast was about; NaN: it is not known. */
static double came_true(const double *values, size_t point, double now)
{
	int64_t ago_ms = trail_ago_ms(point) - horizon_ms(0);
	size_t at = point_ago(ago_ms);

	if (ago_ms == 0)
		return now;
	return at < TRAIL_POINTS ? values[at] : (double)NAN;
}

struct trail_score trail_score(const struct trail_server *server, enum kept_metric metric,
			       double now)
{
	const double *values = server->values[trail_row(metric)];
	struct trail_score score = {.error = 0};

	for (size_t i = 0; i < TRAIL_POINTS; i++) {
		const struct quantiles *q = &server->soon[metric][i];
		double value = came_true(values, i, now);
		enum trail_fit fit = trail_fit(q, value);

		if (fit == TRAIL_ABSENT)
			continue;
		score.count++;
		score.held += fit == TRAIL_INSIDE;
		score.error += fabs(q->p50 - value);
	}
	score.error = score.count ? score.error / score.count : (double)NAN;
	return score;
}
