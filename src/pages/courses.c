/* SPDX-License-Identifier: MIT */
/* The last and the next hours of one server (doc/pages.md#server): large those of which the risk is
 * made, over one axis of time, small the others. */
#include "config.h"
#include "pages/pieces.h"

#include <math.h>
#include <stddef.h>

#include "base/fmt.h"
#include "base/html.h"
#include "pages/chart_course.h"
#include "pages/layout.h"
#include "pages/quantity.h"

#define MINUTE_MS INT64_C(60000)

/* The daemon's own limits, the limits of the load marks, or none. */
static void find_limits(enum metric metric, double limits[COURSE_LIMITS])
{
	limits[0] = limits[1] = NAN;
	for (int i = 0; i < CROSSINGS; i++) {
		if (crossing_table[i].metric != metric)
			continue;
		limits[0] = crossing_table[i].critical;
		limits[1] = crossing_table[i].warning;
	}
	if (metric == METRIC_LOAD) {
		limits[0] = mark_table[MARK_KIND_LOAD].limit[MARK_RED];
		limits[1] = mark_table[MARK_KIND_LOAD].limit[MARK_ORANGE];
	}
}

/* The four that make the risk, by what is kept of them. */
static const struct main_metric {
	enum kept_metric kept;
	enum metric metric; /* METRIC_COUNT: CPU used, which no single metric is */
	const char *title;
} main_metrics[] = {
	{KEPT_CPU, METRIC_COUNT, "CPU used"},
	{KEPT_MEMORY, METRIC_MEM_USED, "Memory"},
	{KEPT_IOWAIT, METRIC_CPU_IOWAIT, "I/O wait"},
	{KEPT_LOAD, METRIC_LOAD, "Load"},
};

#define MAIN_METRICS (sizeof(main_metrics) / sizeof(main_metrics[0]))

static bool is_main(enum metric metric)
{
	return metric == METRIC_MEM_USED || metric == METRIC_CPU_IOWAIT || metric == METRIC_LOAD;
}

static const struct reading *reading_of(const struct server *s, enum kept_metric metric)
{
	static const size_t at[KEPT_METRICS] = {
		[KEPT_CPU] = offsetof(struct server, cpu),
		[KEPT_MEMORY] = offsetof(struct server, memory),
		[KEPT_IOWAIT] = offsetof(struct server, iowait),
		[KEPT_LOAD] = offsetof(struct server, load),
	};

	return (const struct reading *)(const void *)((const char *)s + at[metric]);
}

static const double *past_of(const struct view *view, int which, size_t row)
{
	return view->trail ? view->trail->of[which].values[row] : NULL;
}

static struct course_line main_line(const struct view *view, int which, const struct main_metric *m)
{
	const struct server *s = which ? view->with : view->server;
	struct course_line line = {.now = kept_now(s, m->kept),
				   .past = past_of(view, which, trail_row(m->kept))};

	if (!s->series)
		band_of_horizons(&line.forecast, s, m->kept);
	else if (m->kept == KEPT_CPU)
		band_of_cpu(&line.forecast, s->series);
	else
		band_of_metric(&line.forecast, s->series, m->metric);
	return line;
}

static enum mark mark_of_main(const struct server *s, const struct main_metric *m)
{
	double now = kept_now(s, m->kept);

	return m->kept == KEPT_CPU ? mark_of(MARK_KIND_CPU, now) : quantity_mark(s, m->metric, now);
}

static void put_main_value(const struct main_metric *m, double value, struct buf *out)
{
	if (m->kept == KEPT_LOAD)
		fmt_number(out, value, 1);
	else
		fmt_percent(out, value);
}

/* "reaches 90 at 12:31:05 UTC, in 25 min" */
static void put_reached(const struct view *view, const struct course *course, struct buf *out)
{
	for (int i = 0; i < COURSE_LIMITS; i++) {
		int minutes = course_reaches(&course->line, course->limits[i]);

		if (!minutes)
			continue;
		buf_addf(out, "<b class=\"reaches\">reaches %g%s at ", course->limits[i],
			 course->unit);
		fmt_time_element(out, view->snap->gen_ms + minutes * MINUTE_MS);
		html_lit(out, ", in ");
		fmt_duration(out, minutes * MINUTE_MS);
		html_lit(out, "</b>");
	}
}

/* Of this server; count 0: none is known. */
static struct trail_score own_score(const struct view *view, enum kept_metric metric)
{
	if (!view->trail)
		return (struct trail_score){0};
	return trail_score(&view->trail->of[0], metric, kept_now(view->server, metric));
}

/* Those of its profile; of all servers while these are too few. */
static void put_verdict(const struct view *view, enum kept_metric metric, struct buf *out)
{
	size_t group = view->server->profile;

	if (accuracy_verdict(accuracy_of(view->accuracy, ACCURACY_USUAL, metric, 0, group)) ==
	    ACCURACY_FEW)
		group = ACCURACY_ALL;
	page_trust(view, metric, 0, group, out);
	html_lit(out, ", last day");
}

/* How good the forecasts were, in one line, so that three charts fit a first screen. */
static void put_score(const struct view *view, const struct main_metric *m, struct buf *out)
{
	struct trail_score own = own_score(view, m->kept);

	if (!view->accuracy && !own.count)
		return;
	html_lit(out, "<small>30 min: ");
	if (view->accuracy)
		put_verdict(view, m->kept, out);
	if (own.count) {
		buf_addf(out, "%sthis server: %u of %u in 8 h, median error ",
			 view->accuracy ? "; " : "", own.held, own.count);
		put_main_value(m, own.error, out);
	}
	html_lit(out, "</small>");
}

static void put_main_caption(const struct view *view, const struct main_metric *m,
			     const struct course *course, struct buf *out)
{
	const struct reading *r = reading_of(view->server, m->kept);

	buf_addf(out, "<figcaption><b>%s</b> <b%s>", m->title,
		 layout_mark(mark_of_main(view->server, m)));
	put_main_value(m, r->now, out);
	html_lit(out, "</b> now");
	if (!isnan(r->predicted)) {
		html_lit(out, ", ");
		put_main_value(m, r->predicted, out);
		html_lit(out, " in 30 min (");
		fmt_delta(out, r->change, course->percent ? "%" : "");
		html_lit(out, ")");
	}
	if (course->with) {
		html_lit(out, "; <i>");
		html_text(out, view->with->name);
		html_lit(out, "</i> ");
		put_main_value(m, course->with->now, out);
	}
	put_reached(view, course, out);
	put_score(view, m, out);
	html_lit(out, "</figcaption>");
}

static void put_main(const struct view *view, const struct main_metric *m, enum course_size size,
		     struct buf *out)
{
	struct course_line with;
	struct course course = {.title = m->title,
				.unit = m->kept == KEPT_LOAD ? "" : "%",
				.percent = m->kept != KEPT_LOAD,
				.line = main_line(view, 0, m),
				.trail = view->trail,
				.kept = view->trail ? (int)m->kept : KEPT_METRICS};

	if (m->kept == KEPT_CPU) {
		course.limits[0] = 90;
		course.limits[1] = 70;
	} else {
		find_limits(m->metric, course.limits);
	}
	if (view->with) {
		with = main_line(view, 1, m);
		course.with = &with;
		course.with_name = view->with->name;
	}
	buf_addf(out, "<figure id=\"course-%s\">", accuracy_metric_table[m->kept].slug);
	put_main_caption(view, m, &course, out);
	chart_course(&course, size, out);
	html_lit(out, "</figure>");
}

static void put_course_note(const struct view *view, const struct server *s, struct buf *out)
{
	html_lit(out, "<p class=\"note\">");
	if (!s->series && !s->horizons) {
		page_no_forecast(view, s, out);
		html_lit(out, " ");
	} else {
		html_str(out, s->series ? "Forecasts: trend extrapolation. "
					: "Forecasts: trend extrapolation; kept once in 5 minutes, "
					  "for 30 min, 1, 2, 4 and 8 h. ");
	}
	html_str(out, view->trail
			      ? "Past values: every 5 minutes in the last hour, every 15 before. "
				"Thin lines: what was forecast 30 min, 1, 2, 4 and 8 h before."
			      : "The past is kept in the shared cache, which cannot be reached.");
	html_lit(out, "</p>");
}

void page_courses(const struct view *view, struct buf *out)
{
	html_lit(out,
		 "<section class=\"panel\" id=\"course\"><h2>Last 8 hours and next 8 hours</h2>");
	for (size_t i = 0; i < MAIN_METRICS; i++)
		put_main(view, &main_metrics[i],
			 i == 0                  ? COURSE_FIRST
			 : i + 1 == MAIN_METRICS ? COURSE_LAST
						 : COURSE_LARGE,
			 out);
	put_course_note(view, view->server, out);
	html_lit(out, "</section>");
}

/* ---- the other metrics ---- */

static bool is_other(const struct server *s, enum metric metric)
{
	return !is_main(metric) && metric != METRIC_CPU_IDLE && quantity_is_listed(s, metric);
}

static struct course_line other_line(const struct view *view, int which, enum metric metric)
{
	const struct server *s = which ? view->with : view->server;
	struct course_line line = {.now = quantity_now(s, metric),
				   .past = past_of(view, which, metric)};

	if (s->series)
		band_of_metric(&line.forecast, s->series, metric);
	return line;
}

static void put_other(const struct view *view, enum metric metric, struct buf *out)
{
	const struct metric_info *info = &metric_table[metric];
	const struct server *s = view->server;
	struct course_line with;
	struct course course = {.title = info->label,
				.unit = info->unit,
				.percent = info->percent,
				.line = other_line(view, 0, metric),
				.trail = view->trail,
				.kept = KEPT_METRICS};

	find_limits(metric, course.limits);
	if (view->with) {
		with = other_line(view, 1, metric);
		course.with = &with;
		course.with_name = view->with->name;
	}
	buf_addf(out, "<figure id=\"chart-%s\"><figcaption><b>%s</b> <b%s>", info->wire,
		 info->label, layout_mark(quantity_mark(s, metric, course.line.now)));
	quantity_put(metric, course.line.now, out);
	html_lit(out, "</b>");
	if (quantity_is_model(view->snap, metric))
		html_lit(out, " <small>TFT model</small>");
	html_lit(out, "</figcaption>");
	chart_course(&course, COURSE_SMALL, out);
	html_lit(out, "</figure>");
}

void page_other_courses(const struct view *view, struct buf *out)
{
	html_lit(out, "<section class=\"panel\" id=\"metrics\"><h2>Other metrics, last and next 8 "
		      "hours</h2><div class=\"multiples\">");
	for (int m = 0; m < METRIC_COUNT; m++)
		if (is_other(view->server, (enum metric)m))
			put_other(view, (enum metric)m, out);
	html_lit(out, "</div></section>");
}
