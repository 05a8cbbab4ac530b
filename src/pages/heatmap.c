/* SPDX-License-Identifier: MIT */
/* The heatmap (doc/pages.md#heatmap, doc/rules.md#heatmap): one tile per server, statistics, and
 * the same rows as a table. */
#include "config.h"
#include "pages/contents.h"

#include <math.h>
#include <stdint.h>

#include "pages/chart.h"
#include "pages/filter.h"
#include "base/fmt.h"
#include "base/html.h"
#include "pages/layout.h"
#include "pages/table.h"
#include "pages/pieces.h"
#include "fleet/heat.h"
#include "fleet/shown.h"

#define GROUPED_SERVERS 50 /* with more, tiles are grouped by profile */
#define CHANGED_SLOTS   5  /* of recent.h: 15 minutes */
#define SHADES          4
#define LINE_ROWS       50 /* of the data table, with a line: more would be too many elements */

/* Metrics other than risk are shaded by value, not by level: darkest above the first limit, and so
 * on. */
static const struct {
	const char *name;
	double over[SHADES - 1];
	enum kept_metric forecast;
} heat_table[HEAT_METRICS] = {
	[HEAT_RISK] = {"Risk", {0}, KEPT_METRICS},
	[HEAT_CPU] = {"CPU, worst 30 min", {90, 70, 50}, KEPT_CPU},
	[HEAT_MEMORY] = {"Memory, worst 30 min", {90, 70, 50}, KEPT_MEMORY},
	[HEAT_LOAD] = {"Load, worst 30 min", {12, 8, 6}, KEPT_LOAD},
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

static bool is_grouped(const struct view *view)
{
	return view->query->group == GROUP_AUTO ? view->snap->count > GROUPED_SERVERS
						: view->query->group == GROUP_PROFILE;
}

static void put_group_links(const struct view *view, const struct page *page, struct buf *out)
{
	bool grouped = is_grouped(view), standard = view->snap->count > GROUPED_SERVERS;
	struct query q = *view->query;

	html_lit(out, "<p><span>Group</span> ");
	q.group = GROUP_NONE;
	query_give(&q, QUERY_PAGE, false);
	query_give(&q, QUERY_GROUP, standard);
	layout_link(page, &q, !grouped, "None", out);
	q.group = GROUP_PROFILE;
	query_give(&q, QUERY_GROUP, !standard);
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
	} orders[] = {{"Name", SORT_NAME, false}, {"Value", SORT_VALUE, true}};

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

static void put_controls(const struct view *view, const struct page *page, struct buf *out)
{
	html_lit(out, "<div class=\"filters\">");
	put_metric_links(view, page, out);
	put_group_links(view, page, out);
	put_sort_links(view, page, out);
	html_lit(out, "</div>");
}

/* Below the tiles, which fill the window. */
static void put_filters(const struct view *view, const struct page *page, struct buf *out)
{
	html_lit(out, "<div class=\"pick\">");
	filter_matrix(page, "heat", LEVEL_HEALTHY, view, out);
	html_lit(out, "<div class=\"filters\">");
	filter_name(page, "heat", view->query, out);
	layout_downloads(page, view->query, out);
	html_lit(out, "</div></div>");
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
	html_lit(out,
		 "<li>outlined: its level has changed within 15 min (dashed: for the better)</li>"
		 "</ul>");
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

/* Its level 15 minutes ago; LEVEL_COUNT: unknown. */
static enum level level_before(const struct server *s)
{
	int then = s->recent.most[RECENT_SLOTS - 1 - CHANGED_SLOTS];

	return then ? level_of(10 * (then - 1)) : LEVEL_COUNT;
}

/* The class of a tile whose level has changed. */
static const char *changed(const struct server *s)
{
	enum level then = level_before(s), now = level_of(s->risk);

	if (then == LEVEL_COUNT || then == now)
		return "";
	return now < then ? " rose" : " fell";
}

/* Shown while the pointer or the focus is on the tile. */
static void put_tip(const struct view *view, const struct row *row, struct buf *out)
{
	const struct server *s = row->server;
	enum level then = level_before(s), now = level_of(s->risk);

	html_text(out, s->name);
	html_lit(out, " ");
	fmt_number(out, heat(view, row), 1);
	buf_addf(out, " %s, %s", level_table[now].name, profile_table[s->profile].name);
	if (then != LEVEL_COUNT && then != now)
		buf_addf(out, ", 15 min ago %s", level_table[then].name);
	if (server_is_silent(s, view->snap->gen_ms))
		html_lit(out, ", silent");
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
	html_lit(out, "<b>");
	fmt_number(out, heat(view, row), 1);
	buf_addf(out, "</b><i>%s</i>", level_table[level_of(row->server->risk)].code);
	layout_silent(row->server, view->snap, out);
}

/* Tiles are as large as the window allows for their number: columns and rows are in the style
 * sheet. A small one has room for the code of its level only. */
static const struct tile_size {
	size_t most; /* tiles */
	const char *css;
	bool small;
} tile_sizes[] = {
	{24, "n24", false},        {60, "n60", false},
	{84, "n84", false},        {108, "n108", false},
	{180, "n180", false},      {270, "small n270", true},
	{500, "small n500", true}, {SIZE_MAX, "small n1000", true},
};

static const struct tile_size *size_of(size_t count)
{
	const struct tile_size *size = tile_sizes;

	while (count > size->most)
		size++;
	return size;
}

static void put_tile(const struct view *view, const struct row *row, bool small, struct buf *out)
{
	enum level level = level_of(row->server->risk);

	html_lit(out, "<li id=\"srv-");
	html_text(out, row->server->name);
	html_lit(out, "\" class=\"");
	put_fill(view, row, out);
	buf_addf(out, "%s\" data-tip=\"", changed(row->server));
	put_tip(view, row, out);
	if (small && level < LEVEL_HEALTHY)
		buf_addf(out, "\" data-code=\"%s", level_table[level].code);
	html_lit(out, "\">");
	layout_server(view->query, row->server->name, "server/", out);
	if (small)
		put_label(view, row, out);
	else
		put_text(view, row, out);
	html_lit(out, "</li>");
}

/* profile: the one to show, or PROFILE_COUNT for all. */
static void put_tiles(const struct view *view, const struct row *row, size_t count,
		      enum profile profile, struct buf *out)
{
	bool small = size_of(count)->small;

	for (size_t i = 0; i < count; i++)
		if (profile == PROFILE_COUNT || row[i].server->profile == profile)
			put_tile(view, &row[i], small, out);
}

static unsigned count_profile(const struct row *row, size_t count, enum profile profile)
{
	unsigned n = 0;

	for (size_t i = 0; i < count; i++)
		n += row[i].server->profile == profile;
	return n;
}

/* A heading stands among the tiles, so that no line of them ends early. */
static void put_groups(const struct view *view, const struct row *row, size_t count,
		       struct buf *out)
{
	for (int i = 0; i < PROFILE_COUNT; i++) {
		unsigned n = count_profile(row, count, (enum profile)i);

		if (!n)
			continue;
		buf_addf(out, "<li class=\"group\"><h3>%s</h3>%u</li>", profile_table[i].name, n);
		put_tiles(view, row, count, (enum profile)i, out);
	}
}

static void put_map(const struct view *view, const struct row *row, size_t count, struct buf *out)
{
	buf_addf(out, "<ul class=\"tiles %s\">", size_of(count)->css);
	if (is_grouped(view))
		put_groups(view, row, count, out);
	else
		put_tiles(view, row, count, PROFILE_COUNT, out);
	html_lit(out, "</ul>");
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
	table_begin(&data_table, heat_table[q->metric].name, view, out);
	for (size_t i = part.first; i < part.last; i++) {
		html_lit(out, "<tr><th scope=\"row\">");
		layout_server(q, row[i].server->name, "server/", out);
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

static void put_provenance(const struct view *view, struct buf *out)
{
	html_lit(out, "<p class=\"note\">trend extrapolation</p>");
	page_trust_line(view, &heat_table[view->query->metric].forecast, 1, out);
}

void page_heatmap(const struct view *view, struct buf *out)
{
	const struct query *q = view->query;
	struct buf rows;
	const struct page *page = page_find_name("heatmap");
	size_t count = table_rows(view, view->snap->count, &rows, out);
	const struct row *row = (const struct row *)rows.data;

	buf_addf(out, "<h1>Heatmap</h1><section class=\"panel\" id=\"heat\"><h2>%s</h2>",
		 heat_table[q->metric].name);
	put_controls(view, page, out);
	if (count) {
		put_legend(q->metric, out);
		put_map(view, row, count, out);
		put_statistics(view, row, count, out);
		if (q->metric != HEAT_RISK)
			put_provenance(view, out);
		put_filters(view, page, out);
		put_data(view, row, count, out);
	} else {
		filter_nothing(q, out);
		put_filters(view, page, out);
	}
	html_lit(out, "</section>");
	buf_free(&rows);
}
