/* SPDX-License-Identifier: MIT */
/* The heatmap (doc/pages.md#heatmap, doc/rules.md#heatmap): one tile per server, statistics, and
 * the same rows as a table. */
#include "config.h"
#include "pages/contents.h"

#include <math.h>

#include "pages/chart.h"
#include "pages/filter.h"
#include "base/fmt.h"
#include "base/html.h"
#include "pages/layout.h"
#include "pages/table.h"
#include "pages/pieces.h"
#include "fleet/heat.h"
#include "fleet/shown.h"

#define SMALL_TILES 300 /* with more servers than this, a tile has no room for text */
#define SHADES      4
#define LINE_ROWS   50 /* of the data table, with a line: more would be too many elements */

/* Metrics other than risk are shaded by value, not by level: darkest above the first limit, and so
 * on. */
static const struct {
	const char *name;
	double over[SHADES - 1];
} heat_table[HEAT_METRICS] = {
	[HEAT_RISK] = {"Risk", {0}},
	[HEAT_CPU] = {"CPU, worst 30 min", {90, 70, 50}},
	[HEAT_MEMORY] = {"Memory, worst 30 min", {90, 70, 50}},
	[HEAT_LOAD] = {"Load, worst 30 min", {12, 8, 6}},
};

static int shade_of(enum heat_metric metric, double value)
{
	int i = 0;

	while (i < SHADES - 1 && !(value > heat_table[metric].over[i]))
		i++;
	return SHADES - 1 - i;
}

static double heat(const struct view *view, const struct row *row)
{
	return heat_value(row->server, view->query->metric);
}

/* ---- controls ---- */

static void put_metric_links(const struct view *view, const struct page *page, struct buf *out)
{
	struct query q = *view->query;

	query_give(&q, QUERY_PAGE, false);
	html_lit(out, "<p><span>Metric</span>");
	for (int i = 0; i < HEAT_METRICS; i++) {
		q.metric = (enum heat_metric)i;
		query_give(&q, QUERY_METRIC, i != HEAT_RISK);
		html_lit(out, " ");
		layout_link(page, &q, q.metric == view->query->metric, heat_table[i].name, out);
	}
	html_lit(out, "</p>");
}

static void put_group_links(const struct view *view, const struct page *page, struct buf *out)
{
	struct query q = *view->query;
	bool grouped = q.group == GROUP_PROFILE;

	html_lit(out, "<p><span>Group</span> ");
	q.group = GROUP_NONE;
	query_give(&q, QUERY_PAGE, false);
	query_give(&q, QUERY_GROUP, false);
	layout_link(page, &q, !grouped, "None", out);
	q.group = GROUP_PROFILE;
	query_give(&q, QUERY_GROUP, true);
	html_lit(out, " ");
	layout_link(page, &q, grouped, "Profile", out);
	html_lit(out, "</p>");
}

static void put_sort_links(const struct view *view, const struct page *page, struct buf *out)
{
	static const struct {
		const char *text;
		enum sort_key sort;
		bool descending;
	} orders[] = {{"Value", SORT_VALUE, true}, {"Name", SORT_NAME, false}};

	html_lit(out, "<p><span>Sort</span>");
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct query q = *view->query;
		bool current =
			q.sort == orders[i].sort && q.sort_descending == orders[i].descending;

		query_give(&q, QUERY_PAGE, false);
		query_sort(&q, page->params, orders[i].sort, orders[i].descending);
		html_lit(out, " ");
		layout_link(page, &q, current, orders[i].text, out);
	}
	html_lit(out, "</p>");
}

static void put_controls(const struct view *view, struct buf *out)
{
	const struct page *page = page_find_name("heatmap");

	html_lit(out, "<div class=\"filters\">");
	put_metric_links(view, page, out);
	put_group_links(view, page, out);
	put_sort_links(view, page, out);
	filter_servers(page, "heat", view->query, out);
	html_lit(out, "</div>");
}

static void put_legend(enum heat_metric metric, struct buf *out)
{
	const double *over = heat_table[metric].over;

	html_lit(out, "<ul class=\"legend\">");
	if (metric == HEAT_RISK) {
		for (int i = 0; i < LEVEL_COUNT; i++)
			buf_addf(out, "<li><i class=\"chip sev-%s\">%s</i> %s</li>",
				 level_table[i].slug, level_table[i].code, level_table[i].name);
	} else {
		for (int i = 0; i < SHADES - 1; i++)
			buf_addf(out, "<li><i class=\"chip shade-%d\">&gt; %.0f</i></li>",
				 SHADES - 1 - i, over[i]);
		html_lit(out, "<li><i class=\"chip shade-0\">rest</i></li><li>shaded by value; the "
			      "code is "
			      "the risk level</li>");
	}
	html_lit(out, "</ul>");
}

/* ---- tiles ---- */

static void put_fill(const struct view *view, const struct row *row, struct buf *out)
{
	enum heat_metric metric = view->query->metric;

	if (isnan(heat(view, row)))
		html_lit(out, "sev-unknown");
	else if (metric == HEAT_RISK)
		buf_addf(out, "sev-%s", level_table[level_of(row->server->risk)].slug);
	else
		buf_addf(out, "shade-%d", shade_of(metric, heat(view, row)));
	if (server_is_silent(row->server, view->snap->gen_ms))
		html_lit(out, " silent");
}

/* Hidden text after the name of a small tile. */
static void put_label(const struct view *view, const struct row *row, struct buf *out)
{
	html_lit(out, " ");
	fmt_number(out, heat(view, row), 1);
	buf_addf(out, " %s", level_table[level_of(row->server->risk)].code);
	if (server_is_silent(row->server, view->snap->gen_ms))
		html_lit(out, " silent");
}

static void put_text(const struct view *view, const struct row *row, struct buf *out)
{
	layout_server(view->query, row->server->name, "server/", out);
	html_lit(out, "<b>");
	fmt_number(out, heat(view, row), 1);
	buf_addf(out, "</b><i>%s</i>", level_table[level_of(row->server->risk)].code);
	layout_silent(row->server, view->snap, out);
}

static void put_tile(const struct view *view, const struct row *row, bool small, struct buf *out)
{
	html_lit(out, "<li id=\"srv-");
	html_text(out, row->server->name);
	html_lit(out, "\" class=\"");
	put_fill(view, row, out);
	if (small) {
		html_lit(out, "\" title=\"");
		html_text(out, row->server->name);
		put_label(view, row, out);
		html_lit(out, "\">");
		layout_server(view->query, row->server->name, "server/", out);
		put_label(view, row, out);
	} else {
		html_lit(out, "\">");
		put_text(view, row, out);
	}
	html_lit(out, "</li>");
}

/* profile: the one to show, or PROFILE_COUNT for all. */
static void put_tiles(const struct view *view, const struct row *row, size_t count,
		      enum profile profile, struct buf *out)
{
	bool small = view->snap->count > SMALL_TILES;

	buf_addf(out, "<ul class=\"tiles%s\">", small ? " small" : "");
	for (size_t i = 0; i < count; i++)
		if (profile == PROFILE_COUNT || row[i].server->profile == profile)
			put_tile(view, &row[i], small, out);
	html_lit(out, "</ul>");
}

static bool has_profile(const struct row *row, size_t count, enum profile profile)
{
	for (size_t i = 0; i < count; i++)
		if (row[i].server->profile == profile)
			return true;
	return false;
}

static void put_groups(const struct view *view, const struct row *row, size_t count,
		       struct buf *out)
{
	if (view->query->group == GROUP_NONE) {
		put_tiles(view, row, count, PROFILE_COUNT, out);
		return;
	}
	for (int i = 0; i < PROFILE_COUNT; i++) {
		if (!has_profile(row, count, (enum profile)i))
			continue;
		buf_addf(out, "<h3>%s</h3>", profile_table[i].name);
		put_tiles(view, row, count, (enum profile)i, out);
	}
}

/* ---- statistics ---- */

static double exact_or_printed(const struct view *view, const struct row *row, bool exact)
{
	return exact ? heat(view, row) : shown(heat(view, row));
}

struct heat_stats page_heat_stats(const struct view *view, const struct row *row, size_t count,
				  bool exact)
{
	struct heat_stats s = {NULL, NULL, NAN, NAN};
	double sum = 0, squares = 0, n = 0, least = NAN, most = NAN;

	for (size_t i = 0; i < count; i++) {
		double value = exact_or_printed(view, &row[i], exact);

		if (isnan(value))
			continue;
		n++;
		sum += value;
		if (!s.least || value < least) {
			s.least = &row[i];
			least = value;
		}
		if (!s.most || value > most) {
			s.most = &row[i];
			most = value;
		}
	}
	if (n > 0)
		s.average = sum / n;
	for (size_t i = 0; i < count; i++) {
		double distance = exact_or_printed(view, &row[i], exact) - s.average;

		if (!isnan(distance))
			squares += distance * distance;
	}
	if (n > 1)
		s.deviation = sqrt(squares / (n - 1));
	return s;
}

static void put_statistics(const struct view *view, const struct row *row, size_t count,
			   struct buf *out)
{
	struct heat_stats s = page_heat_stats(view, row, count, false);

	if (!s.least)
		return;
	html_lit(out, "<ul class=\"figures\" id=\"statistics\"><li>Minimum <b>");
	fmt_number(out, heat(view, s.least), 1);
	html_lit(out, "</b></li><li>Average <b>");
	fmt_number(out, s.average, 1);
	html_lit(out, "</b></li><li>Maximum <b>");
	fmt_number(out, heat(view, s.most), 1);
	html_lit(out, "</b> ");
	html_text(out, s.most->server->name);
	html_lit(out, "</li><li>Standard deviation ");
	if (isnan(s.deviation)) {
		html_lit(out, "not defined for one server</li></ul>");
	} else {
		html_lit(out, "<b>");
		fmt_number(out, s.deviation, 1);
		html_lit(out, "</b></li></ul>");
	}
}

/* ---- the data behind it ---- */

static const struct table data_table = {
	"heatmap",
	"data",
	"heat",
	{{"Server", SORT_NAME, false}, {"Level", SORT_RISK, false}, {"Value", SORT_VALUE, false}},
};

/* Open when the address asks for an order or a part of the table. */
static void put_data(const struct view *view, const struct row *row, size_t count, struct buf *out)
{
	const struct query *q = view->query;
	struct part part = table_part(q, count);
	bool open = q->given & (QUERY_BIT(QUERY_SORT) | QUERY_BIT(QUERY_PAGE));

	buf_addf(out, "<details id=\"data\"%s><summary>Data table</summary>",
		 open ? " open=\"\"" : "");
	table_begin(&data_table, heat_table[q->metric].name, q, out);
	for (size_t i = part.first; i < part.last; i++) {
		html_lit(out, "<tr><th scope=\"row\">");
		html_text(out, row[i].server->name);
		buf_addf(out, "</th><td>%s", level_table[level_of(row[i].server->risk)].name);
		layout_since(row[i].server, view->snap, out);
		if (i - part.first < LINE_ROWS)
			chart_recent(row[i].server, view->snap->interval_ms, out);
		html_lit(out, "</td><td>");
		fmt_number(out, heat(view, &row[i]), 1);
		html_lit(out, "</td></tr>");
	}
	table_end(&data_table, &part, q, out);
	html_lit(out, "</details>");
}

void page_heatmap(const struct view *view, struct buf *out)
{
	const struct query *q = view->query;
	struct buf rows;
	size_t count = table_rows(view, view->snap->count, &rows, out);
	const struct row *row = (const struct row *)rows.data;

	buf_addf(out, "<h1>Heatmap</h1><section class=\"panel\" id=\"heat\"><h2>%s</h2>",
		 heat_table[q->metric].name);
	put_controls(view, out);
	if (count) {
		put_legend(q->metric, out);
		put_groups(view, row, count, out);
		put_statistics(view, row, count, out);
		if (q->metric != HEAT_RISK)
			html_lit(out, "<p class=\"note\">trend extrapolation</p>");
		put_data(view, row, count, out);
	} else {
		filter_nothing(q, out);
	}
	html_lit(out, "</section>");
	buf_free(&rows);
}
