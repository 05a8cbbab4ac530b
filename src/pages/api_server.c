/* SPDX-License-Identifier: MIT */
/* JSON of the heatmap, the highest risks, and one server with its forecasts
 * (doc/pages.md#endpoints). */
#include "config.h"
#include "pages/api.h"
#include "pages/contents.h"

#include <math.h>

#include "pages/chart_band.h"
#include "fleet/risk.h"
#include "pages/table.h"
#include "pages/pieces.h"
#include "fleet/heat.h"

/* ---- heatmap ---- */

static void put_tile(const struct view *view, const struct server *s, struct json *j)
{
	json_object(j, NULL);
	json_str(j, "server", s->name);
	json_cstr(j, "profile", profile_table[s->profile].name);
	json_cstr(j, "level", level_table[level_of(s->risk)].name);
	json_num(j, "value", heat_value(s, view->query->metric));
	api_silence(s, view->snap->gen_ms, j);
	json_end(j);
}

static void put_stats(const struct view *view, const struct row *row, size_t count, struct json *j)
{
	enum heat_metric metric = view->query->metric;
	struct heat_stats s = page_heat_stats(view, row, count, true);

	json_object(j, "stats");
	json_num(j, "min", s.least ? heat_value(s.least->server, metric) : NAN);
	json_num(j, "average", s.average);
	json_num(j, "max", s.most ? heat_value(s.most->server, metric) : NAN);
	json_num(j, "standard_deviation", s.deviation);
	json_end(j);
}

void api_heatmap(const struct view *view, struct buf *out)
{
	const struct query *q = view->query;
	const struct row *row;
	struct buf rows;
	size_t count = table_rows(view, view->snap->count, &rows, out);
	struct json j;

	row = (const struct row *)rows.data;
	json_resume(&j, out);
	json_cstr(&j, "metric", query_metric_name(q->metric));
	put_stats(view, row, count, &j);
	json_array(&j, "servers");
	for (size_t i = 0; i < count; i++)
		put_tile(view, row[i].server, &j);
	json_end(&j);
	buf_free(&rows);
}

/* ---- forecasts ---- */

static void put_numbers(struct json *j, const char *key, const double *values, size_t len)
{
	json_array(j, key);
	for (size_t i = 0; i < len; i++)
		json_num(j, NULL, series_round(values[i]));
	json_end(j);
}

static void put_list(struct json *j, const char *key, const struct series_list *list)
{
	double values[FORECAST_STEPS];

	for (size_t i = 0; i < list->len; i++)
		values[i] = series_value(list, i);
	put_numbers(j, key, values, list->len);
}

/* ---- the highest risks ---- */

static void put_why(const struct server *s, struct json *j)
{
	json_array(j, "why");
	for (int i = 0; i < COMPONENT_COUNT; i++) {
		enum component component = (enum component)i;
		const struct risk_rule *rule = risk_rule(component);

		if (!s->points[i])
			continue;
		json_object(j, NULL);
		json_cstr(j, "component", rule->label);
		json_num(j, "value", risk_value(s, component));
		json_int(j, "points", s->points[i]);
		json_tenths(j, "adds", rule->weight * s->points[i]);
		json_end(j);
	}
	json_end(j);
}

/* CPU used; empty lists where the forecast is absent. */
static void put_cpu_forecast(const struct server *s, struct json *j)
{
	struct band band = {0};

	if (s->series)
		band_of_cpu(&band, s->series);
	json_object(j, "cpu_8h");
	put_numbers(j, "p10", band.low, band.range_len);
	put_numbers(j, "p50", band.median, band.len);
	put_numbers(j, "p90", band.high, band.range_len);
	json_cstr(j, "provenance", "trend");
	json_end(j);
}

static void put_top(const struct server *s, size_t rank, int64_t gen_ms, struct json *j)
{
	json_object(j, NULL);
	json_int(j, "rank", (int64_t)rank);
	json_str(j, "server", s->name);
	json_cstr(j, "profile", profile_table[s->profile].name);
	json_tenths(j, "risk", s->risk);
	json_cstr(j, "level", level_table[level_of(s->risk)].name);
	put_why(s, j);
	api_change(j, "cpu", &s->cpu);
	api_change(j, "iowait", &s->iowait);
	api_change(j, "memory", &s->memory);
	api_change(j, "load", &s->load);
	put_cpu_forecast(s, j);
	api_silence(s, gen_ms, j);
	json_end(j);
}

void api_top(const struct view *view, struct buf *out)
{
	const struct snapshot *snap = view->snap;
	size_t rank = 0;
	struct json j;

	json_resume(&j, out);
	json_int(&j, "n", view->query->n);
	json_array(&j, "servers");
	for (size_t i = 0; i < snap->count && rank < (size_t)view->query->n; i++)
		if (query_match(view->query, &snap->servers[i]))
			put_top(&snap->servers[i], ++rank, snap->gen_ms, &j);
	json_end(&j);
}

/* ---- one server ---- */

static void put_crossing(const struct crossing *c, enum crossing_index index, struct json *j)
{
	json_object(j, NULL);
	json_cstr(j, "metric", metric_table[crossing_table[index].metric].wire);
	json_cstr(j, "severity", c->critical ? "critical" : "warning");
	json_num(j, "limit", crossing_limit(c, index));
	json_int(j, "minutes", crossing_minutes(c));
	json_num(j, "peak", c->peak);
	json_end(j);
}

static void put_crossings(const struct server *s, struct json *j)
{
	json_array(j, "crossings");
	for (int i = 0; i < CROSSINGS; i++)
		if (s->crossings[i].steps)
			put_crossing(&s->crossings[i], (enum crossing_index)i, j);
	json_end(j);
}

static void put_metric(const struct view *view, const struct series *series, enum metric m,
		       struct json *j)
{
	bool model = m == METRIC_CPU_USER && view->snap->model == MODEL_TFT;

	json_object(j, metric_table[m].wire);
	json_cstr(j, "unit", metric_table[m].unit);
	json_num(j, "current", series->current[m]);
	json_num(j, "trend", series->trend[m]);
	put_list(j, "p10", &series->p10[m]);
	put_list(j, "p50", &series->p50[m]);
	put_list(j, "p90", &series->p90[m]);
	json_cstr(j, "provenance", model ? "model" : "trend");
	json_end(j);
}

/* Metrics that the daemon did not send are omitted. */
static void put_metrics(const struct view *view, const struct series *series, struct json *j)
{
	json_object(j, "metrics");
	for (int m = 0; series && m < METRIC_COUNT; m++)
		if (!isnan(series->current[m]) || series->p50[m].len)
			put_metric(view, series, (enum metric)m, j);
	json_end(j);
}

static void put_neighbour(struct json *j, const char *key, const struct server *s)
{
	if (s)
		json_str(j, key, s->name);
	else
		json_cstr(j, key, NULL);
}

static void put_neighbours(const struct view *view, struct json *j)
{
	struct neighbours n = page_neighbours(view->snap, view->server);

	json_int(j, "rank", (int64_t)n.rank);
	json_int(j, "of", (int64_t)view->snap->count);
	json_object(j, "neighbours");
	put_neighbour(j, "worse", n.worse);
	put_neighbour(j, "better", n.better);
	put_neighbour(j, "previous", n.before);
	put_neighbour(j, "next", n.after);
	json_end(j);
}

void api_server(const struct view *view, struct buf *out)
{
	const struct server *s = view->server;
	struct json j;

	json_resume(&j, out);
	api_server_members(s, view->snap, &j);
	put_neighbours(view, &j);
	put_why(s, &j);
	put_crossings(s, &j);
	put_metrics(view, s->series, &j);
}
