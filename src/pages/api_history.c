/* SPDX-License-Identifier: MIT */
/* The history as JSON and CSV (doc/pages.md#endpoints, doc/pages.md#data-formats): every point
 * of the range, unrounded; absent values are null or an empty cell. */
#include "config.h"
#include "pages/api.h"
#include "pages/contents.h"

#include "base/csv.h"
#include "base/fmt.h"
#include "fleet/history.h"

/* By default the API returns the index. */
static enum history_metric one_metric(const struct query *query)
{
	return query->history == HISTORY_ALL ? HISTORY_PROB_30M : query->history;
}

/* Two metrics have more than a value: risk has the highest risk and its server, levels have the
 * seven counts. */
static void put_point(const struct history *h, const struct history_point *p,
		      enum history_metric metric, struct json *j)
{
	struct buf name;

	json_array(j, NULL);
	json_int(j, NULL, p->at_ms / 1000);
	json_num(j, NULL, history_value(p, metric));
	if (metric == HISTORY_RISK) {
		buf_init(&name, SNAPSHOT_NAME_MAX);
		history_name(h, p->worst, &name);
		json_num(j, NULL, p->highest);
		json_str(j, NULL, buf_span(&name));
		buf_free(&name);
	}
	if (metric == HISTORY_LEVELS)
		for (int level = 0; level < LEVEL_COUNT; level++)
			json_int(j, NULL, p->level[level]);
	json_end(j);
}

static void put_points(const struct history *h, enum history_metric metric, struct json *j)
{
	const struct history_point *p = history_points(h);

	json_array(j, "points");
	for (size_t i = 0; i < history_count(h); i++)
		put_point(h, &p[i], metric, j);
	json_end(j);
}

static void put_stats(const struct history *h, enum history_metric metric, struct json *j)
{
	struct history_stats stats;

	history_stats(h, metric, &stats);
	json_object(j, "stats");
	json_num(j, "current", stats.current);
	json_num(j, "average", stats.average);
	json_num(j, "min", stats.min);
	json_num(j, "max", stats.max);
	json_int(j, "points", (int64_t)stats.points);
	json_int(j, "gaps", (int64_t)stats.gaps);
	json_end(j);
}

void api_history(const struct view *view, struct buf *out)
{
	enum history_metric metric = one_metric(view->query);
	struct json j;

	json_resume(&j, out);
	json_cstr(&j, "metric", history_metric_words[metric]);
	json_cstr(&j, "range", history_range_words[view->query->range]);
	if (view->history) {
		put_points(view->history, metric, &j);
		put_stats(view->history, metric, &j);
	} else {
		/* The shared cache cannot be reached: null, since unknown is not none. */
		json_null(&j, "points");
		json_null(&j, "stats");
	}
}

static void put_row(const struct history *h, const struct history_point *p,
		    enum history_metric metric, struct csv *c, struct buf *text)
{
	csv_time(c, p->at_ms);
	csv_num(c, history_value(p, metric));
	if (metric == HISTORY_RISK) {
		buf_reset(text);
		history_name(h, p->worst, text);
		csv_num(c, p->highest);
		csv_text(c, buf_span(text));
	}
	if (metric == HISTORY_LEVELS)
		for (int level = 0; level < LEVEL_COUNT; level++)
			csv_num(c, p->level[level]);
	csv_end(c);
}

void csv_history(const struct view *view, struct buf *out)
{
	static const char *const headers[HISTORY_METRICS] = {
		[HISTORY_PROB_30M] = "timestamp,value",
		[HISTORY_PROB_8H] = "timestamp,value",
		[HISTORY_HEALTH] = "timestamp,value",
		[HISTORY_RISK] = "timestamp,value,highest,server",
		[HISTORY_LEVELS] =
			"timestamp,value,imminent,critical,danger,warning,degrading,watch,healthy",
	};
	enum history_metric metric = one_metric(view->query);
	const struct history *h = view->history;
	struct csv c;
	struct buf text;

	csv_init(&c, out, headers[metric]);
	buf_init(&text, SNAPSHOT_NAME_MAX);
	for (size_t i = 0; h && i < history_count(h); i++)
		put_row(h, &history_points(h)[i], metric, &c, &text);
	buf_free(&text);
}
