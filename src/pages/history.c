/* SPDX-License-Identifier: MIT */
/* The history (doc/pages.md#history, doc/rules.md#history): one metric over time as a chart, as
 * figures and as a table. */
#include "config.h"
#include "pages/contents.h"

#include <math.h>
#include <stdio.h>

#include "base/fmt.h"
#include "base/html.h"
#include "fleet/history.h"
#include "fleet/incidents.h"
#include "pages/chart_lines.h"
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

static void set(struct query *q, enum query_key key, bool given)
{
	if (given)
		q->given |= QUERY_BIT(key);
	else
		q->given &= ~QUERY_BIT(key);
}

static void put_metric_links(const struct view *view, const struct page *page, struct buf *out)
{
	struct query q = *view->query;

	html_lit(out, "<p><span>Metric</span>");
	for (int i = 0; i < HISTORY_METRICS; i++) {
		q.history = (enum history_metric)i;
		set(&q, QUERY_HISTORY, i != HISTORY_ALL);
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
		set(&q, QUERY_RANGE, i != HISTORY_30M);
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
		set(&q, QUERY_SCALE, i != SCALE_FIT);
		html_lit(out, " ");
		layout_link(page, &q, q.scale == view->query->scale, titles[i], out);
	}
	html_lit(out, "</p>");
}

static void put_downloads(const struct view *view, const struct page *page, struct buf *out)
{
	struct query q = *view->query;

	set(&q, QUERY_FORMAT, true);
	set(&q, QUERY_REFRESH, false);
	set(&q, QUERY_VIEW, false);
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

static void put_value(double value, const char *unit, struct buf *out)
{
	fmt_number(out, value, 1);
	if (isfinite(value))
		html_str(out, unit);
}

static void put_name(const struct history *h, struct history_text name, struct buf *out)
{
	struct buf text;

	buf_init(&text, SNAPSHOT_NAME_MAX);
	history_name(h, name, &text);
	html_text(out, buf_span(&text));
	buf_free(&text);
}

/* Day and time for ranges of more than a day. */
static void put_time(const struct history *h, int64_t at_ms, struct buf *out)
{
	if (h->to_ms - h->from_ms < history_range_ms(HISTORY_1D))
		fmt_time_element(out, at_ms);
	else
		fmt_day_element(out, at_ms);
}

static void put_figure(const char *name, double value, const char *unit, struct buf *out)
{
	buf_addf(out, "<li>%s <b>", name);
	put_value(value, unit, out);
	html_lit(out, "</b></li>");
}

static void put_peak(const struct history *h, const char *name, enum history_metric metric,
		     const struct history_stats *stats, const char *unit, struct buf *out)
{
	if (!stats->peak)
		return;
	buf_addf(out, "<li>%s <b>", name);
	put_value(stats->max, unit, out);
	html_lit(out, "</b> ");
	if (metric == HISTORY_HIGHEST) {
		put_name(h, stats->peak->worst, out);
		html_lit(out, " ");
	}
	html_lit(out, "at ");
	put_time(h, stats->peak->at_ms, out);
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

static void describe_maximum(const char *words, const struct history_stats *stats, const char *unit,
			     struct buf *out)
{
	buf_addf(out, ", %s ", words);
	put_value(stats->max, unit, out);
	if (stats->peak) {
		buf_lit(out, " at ");
		fmt_time(out, stats->peak->at_ms);
	}
}

static void describe_line(const struct history *h, enum history_metric metric, const char *unit,
			  struct buf *out)
{
	struct history_stats stats;

	history_stats(h, metric, &stats);
	buf_lit(out, "last value ");
	put_value(stats.current, unit, out);
	describe_maximum("maximum", &stats, unit, out);
}

/* The areas end at the last counts, not at their sum. */
static void describe_levels(const struct history *h, struct buf *out)
{
	const struct history_point *last = &history_points(h)[history_count(h) - 1];
	struct history_stats stats;

	history_stats(h, HISTORY_LEVELS, &stats);
	for (int i = 0; i < LEVEL_COUNT; i++)
		buf_addf(out, "%s%u %s", i ? ", " : "at last ", last->level[i],
			 level_table[i].name);
	describe_maximum("most with risk 50 or more", &stats, "", out);
}

static void describe(const struct history *h, enum history_metric metric, const char *unit,
		     struct buf *out)
{
	fmt_iso_seconds(out, h->from_ms);
	buf_lit(out, " to ");
	fmt_iso_seconds(out, h->to_ms);
	buf_lit(out, "; ");
	if (metric == HISTORY_LEVELS) {
		describe_levels(h, out);
		return;
	}
	if (metric == HISTORY_RISK)
		buf_lit(out, "mean of the fleet: ");
	describe_line(h, metric, unit, out);
	if (metric == HISTORY_RISK) {
		buf_lit(out, "; highest server: ");
		describe_line(h, HISTORY_HIGHEST, unit, out);
	}
}

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

/* A column is drawn at its mean: one more point makes the line end at the last value. Returns the
 * number of points added. */
static size_t end_line(const struct history_column *columns, struct chart_point *points,
		       size_t count)
{
	double last;

	if (!count || points[count - 1].value == columns[count - 1].last)
		return 0;
	last = columns[count - 1].last;
	points[count] = (struct chart_point){columns[count - 1].at_ms, last, last, last, true};
	return 1;
}

/* most: columns, HISTORY_COLUMNS at most. */
static void put_line(const struct history *h, enum history_metric metric, size_t most,
		     const struct chart_frame *frame, const char *css, const char *name,
		     struct buf *out)
{
	struct history_column columns[HISTORY_COLUMNS];
	struct chart_point points[HISTORY_COLUMNS + 1];
	size_t count = history_thin(h, metric, columns, most);

	for (size_t i = 0; i < count; i++) {
		const struct history_column *c = &columns[i];

		points[i] = (struct chart_point){c->at_ms, c->min, c->mean, c->max, c->joined};
		/* The highest risk is a maximum already: a mean of it would hide the worst. */
		if (metric == HISTORY_HIGHEST)
			points[i].low = points[i].value = c->max;
	}
	count += end_line(columns, points, count);
	chart_line(frame, &(struct chart_series){css, name, points, count}, out);
}

static void draw_lines(const struct history *h, enum history_metric metric,
		       const struct chart_frame *frame, struct buf *out)
{
	chart_begin(frame, out);
	if (metric == HISTORY_RISK)
		put_line(h, HISTORY_HIGHEST, HISTORY_COLUMNS, frame, "peak", "Highest server", out);
	put_line(h, metric, HISTORY_COLUMNS, frame, "value", shown_table[metric].title, out);
	end_chart(h, frame, out);
	if (metric != HISTORY_RISK)
		return;
	html_lit(out, "<ul class=\"legend\"><li>");
	chart_key("value", out);
	html_lit(out, " mean of the fleet</li><li>");
	chart_key("peak", out);
	html_lit(out, " highest server</li></ul>");
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

static void put_area(int level, const struct history_column *columns, size_t count,
		     const struct chart_frame *frame, struct buf *out)
{
	struct chart_point points[HISTORY_COLUMNS];
	struct chart_series series = {NULL, level_table[level].name, points, count};
	char css[32];
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		double n = history_or_worse(columns[i].peak, level);

		points[i] = (struct chart_point){columns[i].at_ms, n, n, n, columns[i].joined};
		any = any || columns[i].peak->level[level];
	}
	if (!any)
		return;
	(void)snprintf(css, sizeof(css), "sev-%s", level_table[level].slug);
	series.css = css;
	chart_area(frame, &series, out);
}

/* The top of the scale: not below the largest fleet, in four steps of a round number. */
static double round_top(const struct history_column *columns, size_t count, int mildest)
{
	unsigned most = 0, step, unit;

	for (size_t i = 0; i < count; i++)
		if (history_or_worse(columns[i].peak, mildest) > most)
			most = history_or_worse(columns[i].peak, mildest);
	if (!most)
		return 4;
	step = most / 4 + (most % 4 > 0);
	unit = step > 100 ? 50 : step > 10 ? 5 : 1;
	return 4 * ((step + unit - 1) / unit * unit);
}

/* Each column shows its worst moment. The areas overlap, the worst level in front and so at the
 * bottom. */
static void draw_levels(const struct history *h, struct chart_frame *frame, struct buf *out)
{
	struct history_column columns[HISTORY_COLUMNS];
	size_t count = history_thin(h, HISTORY_LEVELS, columns, HISTORY_COLUMNS);

	frame->top = round_top(columns, count, LEVEL_HEALTHY);
	chart_begin(frame, out);
	for (int level = LEVEL_COUNT - 1; level >= 0; level--)
		put_area(level, columns, count, frame, out);
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
	describe(h, metric, frame.unit, &desc);
	frame.desc = buf_span(&desc);
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

static void put_cell(double value, const char *unit, struct buf *out)
{
	html_lit(out, "<td>");
	put_value(value, unit, out);
	html_lit(out, "</td>");
}

static void put_cells(const struct history_column *c, enum history_metric metric, struct buf *out)
{
	const char *unit = shown_table[metric].unit;

	if (metric == HISTORY_LEVELS) {
		for (int level = 0; level < LEVEL_COUNT; level++)
			buf_addf(out, "<td>%u</td>", c->peak->level[level]);
		return;
	}
	put_cell(c->min, unit, out);
	put_cell(c->mean, unit, out);
	put_cell(c->max, unit, out);
}

/* The highest risk at the same times: both metrics have values at the same points. */
static void put_highest(const struct history *h, const struct history_column *c, struct buf *out)
{
	html_lit(out, "<td>");
	put_value(c->max, "", out);
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
		put_time(h, columns[i].at_ms, out);
		html_lit(out, "</th>");
		put_cells(&columns[i], metric, out);
		if (metric == HISTORY_RISK)
			put_highest(h, &highest[i], out);
		html_lit(out, "</tr>");
	}
	html_lit(out, "</tbody></table></div></details>");
}

/* ---- all of them ---- */

#define CURVE_COLUMNS 250
#define INCIDENTS     64 /* spans that are drawn; the newest */

static const char bands_name[] = "Environment at Warning or worse";

/* Small multiples: one below the other over one axis of time. */
static const struct curve {
	enum history_metric metric;
	enum history_metric link; /* whose own page has it */
	const char *title, *unit;
} curves[] = {
	{HISTORY_PROB_30M, HISTORY_PROB_30M, "Incident index 30 min", "%"},
	{HISTORY_PROB_8H, HISTORY_PROB_8H, "Incident index 8 h", "%"},
	{HISTORY_HEALTH, HISTORY_HEALTH, "Fleet health", "%"},
	{HISTORY_LEVELS, HISTORY_LEVELS, "Servers by level", ""},
	{HISTORY_HIGHEST, HISTORY_RISK, "Risk of the worst server", ""},
};

#define CURVES (sizeof(curves) / sizeof(curves[0]))

static bool is_incident(const struct history_point *p)
{
	unsigned or_worse[LEVEL_COUNT];

	for (int level = 0; level < LEVEL_COUNT; level++)
		or_worse[level] = history_or_worse(p, (enum level)level);
	return status_of_fleet(or_worse[LEVEL_HEALTHY], or_worse) >= STATUS_WARNING;
}

/* When the environment was at Warning or worse. INCIDENTS_GAP buckets between two do not part them. */
static size_t find_incidents(const struct history *h, struct chart_span spans[INCIDENTS])
{
	const struct history_point *p = history_points(h);
	size_t n = 0;

	for (size_t i = history_count(h); i-- > 0 && n <= INCIDENTS;) {
		int64_t from_ms = p[i].at_ms - h->interval_ms;

		if (!is_incident(&p[i]))
			continue;
		if (n && spans[n - 1].from_ms - p[i].at_ms <= INCIDENTS_GAP * h->interval_ms)
			spans[n - 1].from_ms = from_ms;
		else if (n < INCIDENTS)
			spans[n++] = (struct chart_span){from_ms, p[i].at_ms};
		else
			break;
	}
	return n;
}

/* The smallest round scale of four steps that holds all values. */
static void fit_scale(const struct history_stats *stats, struct chart_frame *frame)
{
	static const double steps[] = {0.25, 0.5, 1, 2.5, 5, 10, 25};
	size_t i = 0;

	do {
		double step = steps[i];

		frame->base = floor(stats->min / step) * step;
		if (frame->base + 4 * step > 100)
			frame->base = 100 - 4 * step;
		frame->top = frame->base + 4 * step;
	} while (frame->top < stats->max && ++i < sizeof(steps) / sizeof(steps[0]));
}

/* The levels below Healthy alone; or all servers. */
static void draw_small_levels(const struct history *h, enum scale scale, struct chart_frame *frame,
			      const struct chart_span *spans, size_t incidents, struct buf *out)
{
	struct history_column columns[CURVE_COLUMNS];
	size_t count = history_thin(h, HISTORY_LEVELS, columns, CURVE_COLUMNS);
	int mildest = scale == SCALE_FIT ? LEVEL_WATCH : LEVEL_HEALTHY;

	frame->top = round_top(columns, count, mildest);
	chart_begin(frame, out);
	chart_bands(frame, spans, incidents, bands_name, out);
	for (int level = mildest; level >= 0; level--)
		put_area(level, columns, count, frame, out);
	chart_end(frame, NULL, 0, out);
}

static void draw_small_line(const struct history *h, const struct curve *curve, enum scale scale,
			    const struct history_stats *stats, struct chart_frame *frame,
			    const struct chart_span *spans, size_t incidents, struct buf *out)
{
	frame->top = 100;
	if (scale == SCALE_FIT)
		fit_scale(stats, frame);
	chart_begin(frame, out);
	chart_bands(frame, spans, incidents, bands_name, out);
	put_line(h, curve->metric, CURVE_COLUMNS, frame, "value", curve->title, out);
	chart_end(frame, NULL, 0, out);
}

static void put_curve(const struct view *view, const struct curve *curve,
		      const struct chart_span *spans, size_t incidents, struct buf *out)
{
	const struct history *h = view->history;
	struct chart_frame frame = {.title = curve->title,
				    .from_ms = h->from_ms,
				    .to_ms = h->to_ms,
				    .unit = curve->unit};
	struct query q = *view->query;
	struct history_stats stats;
	struct buf desc;

	buf_init(&desc, 1024);
	history_stats(h, curve->metric, &stats);
	describe(h, curve->metric, curve->unit, &desc);
	frame.desc = buf_span(&desc);
	q.history = curve->link;
	set(&q, QUERY_HISTORY, true);
	set(&q, QUERY_SCALE, false);
	html_lit(out, "<figure class=\"curve\"><figcaption>");
	layout_link(page_find_name("history"), &q, false, curve->title, out);
	html_lit(out, "</figcaption>");
	if (!stats.points)
		html_lit(out, "<p class=\"note\">No value in this range.</p>");
	else if (curve->metric == HISTORY_LEVELS)
		draw_small_levels(h, view->query->scale, &frame, spans, incidents, out);
	else
		draw_small_line(h, curve, view->query->scale, &stats, &frame, spans, incidents,
				out);
	html_lit(out, "</figure>");
	buf_free(&desc);
}

static void put_curve_row(const struct history *h, const struct curve *curve, struct buf *out)
{
	struct history_stats stats;

	history_stats(h, curve->metric, &stats);
	buf_addf(out, "<tr><th scope=\"row\">%s</th>",
		 curve->metric == HISTORY_LEVELS ? "Servers with risk 50 or more" : curve->title);
	put_cell(stats.current, curve->unit, out);
	put_cell(stats.average, curve->unit, out);
	put_cell(stats.min, curve->unit, out);
	put_cell(stats.max, curve->unit, out);
	html_lit(out, "<td>");
	if (stats.peak)
		put_time(h, stats.peak->at_ms, out);
	buf_addf(out, "</td><td>%zu</td><td>%zu</td></tr>", stats.points, stats.gaps);
}

static void put_curve_table(const struct history *h, struct buf *out)
{
	static const char *const columns[] = {"Curve", "Current", "Average", "Minimum", "Maximum",
					      "at",    "Points",  "Gaps",    NULL};

	html_lit(out, "<div id=\"statistics\">");
	layout_table_begin("Figures of the range; a curve's own page has its table, CSV and JSON",
			   columns, out);
	for (size_t i = 0; i < CURVES; i++)
		put_curve_row(h, &curves[i], out);
	layout_table_end(out);
	html_lit(out, "</div>");
}

static void put_curves(const struct view *view, struct buf *out)
{
	struct chart_span spans[INCIDENTS];
	size_t incidents = find_incidents(view->history, spans);

	buf_addf(out,
		 "<p class=\"note\">Bands: the environment was at Warning or worse (%zu time%s)%s."
		 "</p>",
		 incidents, fmt_plural((unsigned)incidents),
		 view->query->scale == SCALE_FIT ? "; each scale fits its data, Healthy servers "
						   "are not drawn"
						 : "");
	for (size_t i = 0; i < CURVES; i++)
		put_curve(view, &curves[i], spans, incidents, out);
	put_curve_table(view->history, out);
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
		put_curves(view, out);
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
	describe(view->history, HISTORY_HIGHEST, "", &desc);
	frame.desc = buf_span(&desc);
	html_lit(out,
		 "<section class=\"panel\" id=\"risk-history\"><h2>Risk over the last day</h2>");
	chart_begin(&frame, out);
	put_line(view->history, HISTORY_HIGHEST, HISTORY_COLUMNS, &frame, "value", "Risk", out);
	chart_end(&frame, NULL, 0, out);
	html_lit(out, "</section>");
	buf_free(&desc);
}
