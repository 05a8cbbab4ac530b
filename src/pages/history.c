/* SPDX-License-Identifier: MIT */
/* The history (doc/pages.md#history, doc/rules.md#history): one metric over time as a chart, as
 * figures and as a table. */
#include "config.h"
#include "pages/contents.h"

#include "base/fmt.h"
#include "base/html.h"
#include "fleet/history.h"
#include "pages/chart_lines.h"
#include "pages/curve.h"
#include "pages/layout.h"
#include "pages/pieces.h"

#define POINT_ROWS 60

#define MARKS 12 /* scenario changes that can be told apart in a drawing */

static const struct {
	const char *link, *title;
	const char *unit;
} shown_table[HISTORY_METRICS] = {
	[HISTORY_ALL] = {"All", "History", ""},
	[HISTORY_PROB_30M] = {"Incident index 30 min", "Incident index (next 30 minutes)", "%"},
	[HISTORY_PROB_8H] = {"Incident index 8 h", "Incident index (next 8 hours)", "%"},
	[HISTORY_HEALTH] = {"Fleet health", "Share of healthy servers (risk below 50)", "%"},
	[HISTORY_RISK] = {"Risk", "Risk (mean of the fleet, highest server)", ""},
	[HISTORY_LEVELS] = {"Levels", "Servers by level", ""},
};

static const char *const range_titles[HISTORY_RANGES] = {
	[HISTORY_30M] = "30 minutes", [HISTORY_1H] = "1 hour", [HISTORY_8H] = "8 hours",
	[HISTORY_1D] = "1 day",       [HISTORY_7D] = "7 days", [HISTORY_30D] = "30 days",
};

/* ---- controls ---- */

static void put_metric_links(const struct view *view, const struct page *page, struct buf *out)
{
	struct query q = *view->query;

	html_lit(out, "<p><span>Metric</span>");
	for (int i = 0; i < HISTORY_METRICS; i++) {
		q.history = (enum history_metric)i;
		query_give(&q, QUERY_HISTORY, i != HISTORY_ALL);
		html_lit(out, " ");
		layout_link(page, &q, q.history == view->query->history, shown_table[i].link, out);
	}
	html_lit(out, "</p>");
}

static void put_range_links(const struct view *view, const struct page *page, struct buf *out)
{
	struct query q = *view->query;

	html_lit(out, "<p><span>Range</span>");
	for (int i = 0; i < HISTORY_RANGES; i++) {
		q.range = (enum history_range)i;
		query_give(&q, QUERY_RANGE, i != HISTORY_30M);
		html_lit(out, " ");
		layout_link(page, &q, q.range == view->query->range, range_titles[i], out);
	}
	html_lit(out, "</p>");
}

static void put_scale_links(const struct view *view, const struct page *page, struct buf *out)
{
	static const char *const titles[] = {"Fit the data", "0 to 100"};
	struct query q = *view->query;

	html_lit(out, "<p><span>Scale</span>");
	for (int i = SCALE_FIT; i <= SCALE_FULL; i++) {
		q.scale = (enum scale)i;
		query_give(&q, QUERY_SCALE, i != SCALE_FIT);
		html_lit(out, " ");
		layout_link(page, &q, q.scale == view->query->scale, titles[i], out);
	}
	html_lit(out, "</p>");
}

static void put_downloads(const struct view *view, const struct page *page, struct buf *out)
{
	struct query q = *view->query;

	query_give(&q, QUERY_FORMAT, true);
	query_give(&q, QUERY_REFRESH, false);
	query_give(&q, QUERY_VIEW, false);
	html_lit(out, "<p><span>Download</span> ");
	q.format = FORMAT_CSV;
	layout_link(page, &q, false, "CSV", out);
	html_lit(out, " ");
	q.format = FORMAT_JSON;
	layout_link(page, &q, false, "JSON", out);
	html_lit(out, "</p>");
}

static void put_controls(const struct view *view, struct buf *out)
{
	const struct page *page = page_find_name("history");

	html_lit(out, "<div class=\"filters\">");
	put_metric_links(view, page, out);
	put_range_links(view, page, out);
	if (view->query->history == HISTORY_ALL)
		put_scale_links(view, page, out);
	else
		put_downloads(view, page, out);
	html_lit(out, "</div>");
}

/* ---- words ---- */

static void put_name(const struct history *h, struct history_text name, struct buf *out)
{
	struct buf text;

	buf_init(&text, SNAPSHOT_NAME_MAX);
	history_name(h, name, &text);
	html_text(out, buf_span(&text));
	buf_free(&text);
}

static void put_figure(const char *name, double value, const char *unit, struct buf *out)
{
	buf_addf(out, "<li>%s <b>", name);
	curve_value(value, unit, out);
	html_lit(out, "</b></li>");
}

static void put_peak(const struct history *h, const char *name, enum history_metric metric,
		     const struct history_stats *stats, const char *unit, struct buf *out)
{
	if (!stats->peak)
		return;
	buf_addf(out, "<li>%s <b>", name);
	curve_value(stats->max, unit, out);
	html_lit(out, "</b> ");
	if (metric == HISTORY_HIGHEST) {
		put_name(h, stats->peak->worst, out);
		html_lit(out, " ");
	}
	html_lit(out, "at ");
	curve_time(h, stats->peak->at_ms, out);
	html_lit(out, "</li>");
}

static void put_statistics(const struct history *h, enum history_metric metric, struct buf *out)
{
	const char *unit = shown_table[metric].unit;
	struct history_stats stats, highest;

	history_stats(h, metric, &stats);
	html_lit(out, "<ul class=\"figures\" id=\"statistics\">");
	if (metric == HISTORY_RISK)
		html_lit(out, "<li>Mean of the fleet:</li>");
	if (metric == HISTORY_LEVELS)
		html_lit(out, "<li>Servers with risk 50 or more:</li>");
	put_figure("Current", stats.current, unit, out);
	put_figure("Average", stats.average, unit, out);
	put_figure("Minimum", stats.min, unit, out);
	put_peak(h, "Maximum", metric, &stats, unit, out);
	if (metric == HISTORY_RISK) {
		history_stats(h, HISTORY_HIGHEST, &highest);
		put_peak(h, "Highest server", HISTORY_HIGHEST, &highest, unit, out);
	}
	buf_addf(out, "<li>Points <b>%zu</b></li><li>Gaps <b>%zu</b></li></ul>", stats.points,
		 stats.gaps);
}

/* ---- the drawing ---- */

static bool same_text(const struct history *h, struct history_text a, struct history_text b)
{
	return span_eq((struct span){h->texts.data + a.at, a.len},
		       (struct span){h->texts.data + b.at, b.len});
}

/* The changes of the scenario; only the last ones when there are many. `text` holds the labels. */
static size_t find_marks(const struct history *h, struct chart_mark *marks, struct buf *text)
{
	const struct history_point *p = history_points(h);
	size_t found = 0;

	for (size_t i = history_count(h); i-- > 1 && found < MARKS;) {
		size_t at = text->len;

		if (!p[i].scenario.len || !p[i - 1].scenario.len ||
		    same_text(h, p[i].scenario, p[i - 1].scenario))
			continue;
		history_name(h, p[i].scenario, text);
		if (!buf_ok(text))
			return 0;
		marks[found++] = (struct chart_mark){p[i].at_ms, {text->data + at, text->len - at}};
	}
	return found;
}

static void end_chart(const struct history *h, const struct chart_frame *frame, struct buf *out)
{
	struct chart_mark marks[MARKS];
	struct buf text;
	size_t count;

	buf_init(&text, MARKS * SNAPSHOT_NAME_MAX);
	/* The labels point into the buffer, so it must not move: reserve all of it first. */
	count = buf_reserve(&text, MARKS * SNAPSHOT_NAME_MAX) ? find_marks(h, marks, &text) : 0;
	chart_end(frame, marks, count, out);
	buf_free(&text);
}

static void draw_lines(const struct history *h, enum history_metric metric,
		       const struct chart_frame *frame, struct buf *out)
{
	chart_begin(frame, out);
	if (metric == HISTORY_RISK)
		curve_line(h, HISTORY_HIGHEST, HISTORY_COLUMNS, frame, "peak", "Highest server",
			   out);
	curve_line(h, metric, HISTORY_COLUMNS, frame, "value", shown_table[metric].title, out);
	end_chart(h, frame, out);
}

/* At their last values. */
static void name_lines(const struct history *h, struct chart_frame *frame)
{
	struct history_stats mean, highest;

	history_stats(h, HISTORY_RISK, &mean);
	history_stats(h, HISTORY_HIGHEST, &highest);
	frame->names[0] = (struct chart_name){"highest server", highest.current};
	frame->names[1] = (struct chart_name){"mean of the fleet", mean.current};
}

static void put_level_legend(const struct history_point *last, struct buf *out)
{
	html_lit(out, "<ul class=\"legend\" id=\"levels\">");
	for (int level = 0; level < LEVEL_COUNT; level++)
		buf_addf(out, "<li><i class=\"chip sev-%s\">%s</i> %s <b>%u</b></li>",
			 level_table[level].slug, level_table[level].code, level_table[level].name,
			 last->level[level]);
	html_lit(out, "</ul>");
}

/* Each column shows its worst moment. The areas overlap, the worst level in front and so at the
 * bottom. */
static void draw_levels(const struct history *h, struct chart_frame *frame, struct buf *out)
{
	struct history_column columns[HISTORY_COLUMNS];
	size_t count = history_thin(h, HISTORY_LEVELS, columns, HISTORY_COLUMNS);

	frame->top = curve_top(columns, count, LEVEL_HEALTHY);
	chart_begin(frame, out);
	for (int level = LEVEL_COUNT - 1; level >= 0; level--)
		curve_area(level, columns, count, frame, out);
	end_chart(h, frame, out);
	put_level_legend(&history_points(h)[history_count(h) - 1], out);
}

static void put_chart(const struct history *h, enum history_metric metric, struct buf *out)
{
	struct chart_frame frame = {.title = shown_table[metric].title,
				    .from_ms = h->from_ms,
				    .to_ms = h->to_ms,
				    .top = 100,
				    .unit = shown_table[metric].unit};
	struct buf desc;

	buf_init(&desc, 1024);
	curve_describe(h, metric, frame.unit, &desc);
	frame.desc = buf_span(&desc);
	if (metric == HISTORY_RISK)
		name_lines(h, &frame);
	if (metric == HISTORY_LEVELS)
		draw_levels(h, &frame, out);
	else
		draw_lines(h, metric, &frame, out);
	buf_free(&desc);
}

/* ---- the data behind it ---- */

static void put_level_heads(struct buf *out)
{
	for (int level = 0; level < LEVEL_COUNT; level++)
		buf_addf(out, "<th scope=\"col\">%s</th>", level_table[level].name);
}

static void put_heads(enum history_metric metric, struct buf *out)
{
	html_lit(out, "<thead><tr><th scope=\"col\">Until</th>");
	if (metric == HISTORY_LEVELS)
		put_level_heads(out);
	else
		html_lit(out, "<th scope=\"col\">Minimum</th><th scope=\"col\">Mean</th><th "
			      "scope=\"col\">Maximum</th>");
	if (metric == HISTORY_RISK)
		html_lit(out, "<th scope=\"col\">Highest server</th>");
	html_lit(out, "</tr></thead>");
}

static void put_cells(const struct history_column *c, enum history_metric metric, struct buf *out)
{
	const char *unit = shown_table[metric].unit;

	if (metric == HISTORY_LEVELS) {
		for (int level = 0; level < LEVEL_COUNT; level++)
			buf_addf(out, "<td>%u</td>", c->peak->level[level]);
		return;
	}
	curve_cell(c->min, unit, out);
	curve_cell(c->mean, unit, out);
	curve_cell(c->max, unit, out);
}

/* The highest risk at the same times: both metrics have values at the same points. */
static void put_highest(const struct history *h, const struct history_column *c, struct buf *out)
{
	html_lit(out, "<td>");
	curve_value(c->max, "", out);
	html_lit(out, " ");
	put_name(h, c->peak->worst, out);
	html_lit(out, "</td>");
}

static void put_table(const struct history *h, enum history_metric metric, struct buf *out)
{
	struct history_column columns[POINT_ROWS], highest[TABLE_PART_ROWS];
	size_t count = history_thin(h, metric, columns, POINT_ROWS);

	history_thin(h, HISTORY_HIGHEST, highest, POINT_ROWS);
	buf_addf(out,
		 "<details id=\"data\"><summary>Data table</summary><div "
		 "class=\"scroll\"><table><caption>%s</caption>",
		 shown_table[metric].title);
	put_heads(metric, out);
	html_lit(out, "<tbody>");
	for (size_t i = count; i-- > 0;) {
		html_lit(out, "<tr><th scope=\"row\">");
		curve_time(h, columns[i].at_ms, out);
		html_lit(out, "</th>");
		put_cells(&columns[i], metric, out);
		if (metric == HISTORY_RISK)
			put_highest(h, &highest[i], out);
		html_lit(out, "</tr>");
	}
	html_lit(out, "</tbody></table></div></details>");
}

/* ---- the page ---- */

/* Says why there is nothing to draw; false when there is. */
static bool put_empty(const struct view *view, struct buf *out)
{
	struct history_stats stats = {0};

	if (view->history && view->query->history == HISTORY_ALL)
		stats.points = history_count(view->history);
	else if (view->history)
		history_stats(view->history, view->query->history, &stats);
	if (stats.points)
		return false;
	html_lit(out, "<p class=\"empty\">");
	if (!view->history)
		html_lit(out, "History is kept in the shared cache, which cannot be reached. "
			      "Nothing is lost.");
	else if (history_count(view->history))
		html_lit(out, "No value of this metric in this range.");
	else
		buf_addf(out,
			 "No history yet. One point is stored at every refresh (%d s), even when "
			 "nobody is looking.",
			 (int)(view->site->interval_ms / 1000));
	html_lit(out, "</p>");
	return true;
}

void page_history(const struct view *view, struct buf *out)
{
	const struct history *h = view->history;
	enum history_metric metric = view->query->history;

	html_lit(out, "<h1>History</h1>");
	put_controls(view, out);
	buf_addf(out, "<section class=\"panel\" id=\"history\"><h2>%s, last %s</h2>",
		 shown_table[metric].title, range_titles[view->query->range]);
	if (put_empty(view, out)) {
		html_lit(out, "</section>");
		return;
	}
	if (metric == HISTORY_ALL) {
		page_multiples(view, out);
	} else {
		put_statistics(h, metric, out);
		put_chart(h, metric, out);
		put_table(h, metric, out);
	}
	html_lit(out, "</section>");
}
void page_risk_history(const struct view *view, struct buf *out)
{
	struct chart_frame frame = {.title = "Risk over the last day", .top = 100, .unit = ""};
	struct buf desc;

	if (!view->history)
		return;
	frame.from_ms = view->history->from_ms;
	frame.to_ms = view->history->to_ms;
	buf_init(&desc, 1024);
	curve_describe(view->history, HISTORY_HIGHEST, "", &desc);
	frame.desc = buf_span(&desc);
	html_lit(out,
		 "<section class=\"panel\" id=\"risk-history\"><h2>Risk over the last day</h2>");
	chart_begin(&frame, out);
	curve_line(view->history, HISTORY_HIGHEST, HISTORY_COLUMNS, &frame, "value", "Risk", out);
	chart_end(&frame, NULL, 0, out);
	html_lit(out, "</section>");
	buf_free(&desc);
}
