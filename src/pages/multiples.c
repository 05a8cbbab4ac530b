/* SPDX-License-Identifier: MIT */
/* All curves of the history, one below the other over one axis of time (doc/pages.md#history). */
#include "config.h"
#include "pages/pieces.h"

#include <math.h>

#include "base/fmt.h"
#include "base/html.h"
#include "fleet/incidents.h"
#include "pages/curve.h"
#include "pages/layout.h"

#define CURVE_COLUMNS 250
#define INCIDENTS     64 /* spans that are drawn; the newest */

static const char bands_name[] = "Environment at Warning or worse";

/* Small multiples: the same axis of time for all. */
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

/* When the environment was at Warning or worse. Gaps of INCIDENTS_GAP buckets do not split it. */
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

	frame->top = curve_top(columns, count, mildest);
	chart_begin(frame, out);
	chart_bands(frame, spans, incidents, bands_name, out);
	for (int level = mildest; level >= 0; level--)
		curve_area(level, columns, count, frame, out);
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
	curve_line(h, curve->metric, CURVE_COLUMNS, frame, "value", curve->title, out);
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
	curve_describe(h, curve->metric, curve->unit, &desc);
	frame.desc = buf_span(&desc);
	q.history = curve->link;
	query_give(&q, QUERY_HISTORY, true);
	query_give(&q, QUERY_SCALE, false);
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
	curve_cell(stats.current, curve->unit, out);
	curve_cell(stats.average, curve->unit, out);
	curve_cell(stats.min, curve->unit, out);
	curve_cell(stats.max, curve->unit, out);
	html_lit(out, "<td>");
	if (stats.peak)
		curve_time(h, stats.peak->at_ms, out);
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

void page_multiples(const struct view *view, struct buf *out)
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
