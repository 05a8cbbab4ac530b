/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "pages/curve.h"

#include <math.h>
#include <stdio.h>

#include "base/fmt.h"
#include "base/html.h"

/* ---- words ---- */

void curve_value(double value, const char *unit, struct buf *out)
{
	fmt_number(out, value, 1);
	if (isfinite(value))
		html_str(out, unit);
}

void curve_time(const struct history *h, int64_t at_ms, struct buf *out)
{
	if (h->to_ms - h->from_ms < history_range_ms(HISTORY_1D))
		fmt_time_element(out, at_ms);
	else
		fmt_day_element(out, at_ms);
}

void curve_cell(double value, const char *unit, struct buf *out)
{
	html_lit(out, "<td>");
	curve_value(value, unit, out);
	html_lit(out, "</td>");
}

/* ---- descriptions ---- */

static void describe_maximum(const char *words, const struct history_stats *stats, const char *unit,
			     struct buf *out)
{
	buf_addf(out, ", %s ", words);
	curve_value(stats->max, unit, out);
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
	curve_value(stats.current, unit, out);
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

void curve_describe(const struct history *h, enum history_metric metric, const char *unit,
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

/* ---- lines and areas ---- */

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

void curve_line(const struct history *h, enum history_metric metric, size_t most,
		const struct chart_frame *frame, const char *css, const char *name, struct buf *out)
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

void curve_area(int level, const struct history_column *columns, size_t count,
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

double curve_top(const struct history_column *columns, size_t count, int mildest)
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
