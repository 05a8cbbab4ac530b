/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "pages/chart_course.h"

#include <math.h>

#include "base/fmt.h"
#include "base/html.h"
#include "fleet/shown.h"
#include "pages/chart_band.h"
#include "pages/pen.h"

#define STEP_MIN  5
#define SPAN_MIN  (FORECAST_STEPS * STEP_MIN) /* on each side of the moment */
#define HEIGHT    1000
#define TICK_MIN  120
#define MINUTE_MS INT64_C(60000)
#define GAP_MIN   30  /* points that are farther apart are not joined */
#define FINE_MIN  10  /* the same within the last hour */
#define COARSE    4   /* steps between the points of a small chart */
#define LABEL_MIN 120 /* for which there is room for the words */

/* ---- scale ---- */

static double most_of(const struct course_line *line)
{
	double most = isnan(line->now) ? 0 : line->now;

	for (size_t i = 0; line->past && i < TRAIL_POINTS; i++)
		most = fmax(most, line->past[i]);
	for (size_t i = 0; i < line->forecast.len; i++)
		most = fmax(most, line->forecast.median[i]);
	for (size_t i = 0; i < line->forecast.range_len; i++)
		most = fmax(most, line->forecast.high[i]);
	return most;
}

static double top_of(const struct course *course)
{
	double top = most_of(&course->line);

	if (course->percent)
		return 100;
	if (course->with)
		top = fmax(top, most_of(course->with));
	for (int i = 0; i < COURSE_LIMITS; i++)
		top = fmax(top, course->limits[i]);
	return chart_ceiling(top);
}

/* Of the printed value, so that a page of the past has the same drawing. */
static int y_of(double value, double top)
{
	return HEIGHT - (int)lround(fmin(1, shown(value) / top) * HEIGHT);
}

/* Minutes from the moment to percent of the width, in tenths. */
static int x_tenths(int minutes)
{
	return (minutes + SPAN_MIN) * 1000 / (2 * SPAN_MIN);
}

static size_t vague_from(const struct course *course)
{
	return band_vague(&course->line.forecast, top_of(course));
}

int course_reaches(const struct course_line *line, double limit)
{
	const struct band *band = &line->forecast;

	if (isnan(limit) || isnan(line->now) || shown(line->now) >= limit)
		return 0;
	for (size_t i = 0; i < band->len; i++)
		if (band->median[i] >= limit)
			return (int)(i + 1) * STEP_MIN;
	return 0;
}

/* ---- curves ---- */

/* The oldest record may be a little older than the plot. */
static int minutes_of(const struct trail *trail, int64_t at_ms)
{
	int64_t minutes = (at_ms - trail->at_ms) / MINUTE_MS;

	return minutes < -SPAN_MIN ? -SPAN_MIN : (int)minutes;
}

struct tracer {
	struct pen pen;
	double top;
	int x; /* of the last point */
	bool any;
};

/* Joined to the point before, unless that is too long ago. */
static void trace(struct tracer *t, int x, double value)
{
	int y = y_of(value, t->top);
	int gap = t->x < -60 ? GAP_MIN : FINE_MIN;

	if (t->any && x - t->x <= gap)
		pen_line(&t->pen, x, y);
	else
		pen_move(&t->pen, x, y);
	t->x = x;
	t->any = true;
}

static void end_curve(struct span name, struct buf *out)
{
	html_lit(out, "\"><title>");
	html_text(out, name);
	html_lit(out, "</title></path>");
}

static void put_past(const struct course *course, const struct course_line *line, const char *css,
		     struct span name, double top, struct buf *out)
{
	struct tracer t = {.pen = {.out = out}, .top = top};

	buf_addf(out, "<path class=\"%s\" d=\"", css);
	for (size_t i = TRAIL_POINTS; line->past && i-- > 0;)
		if (!isnan(line->past[i]))
			trace(&t, minutes_of(course->trail, course->trail->made_ms[i]),
			      line->past[i]);
	if (!isnan(line->now))
		trace(&t, 0, line->now);
	pen_lift(&t.pen);
	end_curve(name, out);
}

static void put_median(const struct course_line *line, const char *css, struct span name,
		       size_t step, double top, struct buf *out)
{
	const struct band *band = &line->forecast;
	struct pen pen = {.out = out};

	if (!band->len)
		return;
	buf_addf(out, "<path class=\"%s\" d=\"", css);
	if (isnan(line->now))
		pen_move(&pen, STEP_MIN, y_of(band->median[0], top));
	else
		pen_move(&pen, 0, y_of(line->now, top));
	for (size_t i = step - 1; i < band->len; i += step)
		pen_line(&pen, (int)(i + 1) * STEP_MIN, y_of(band->median[i], top));
	pen_lift(&pen);
	end_curve(name, out);
}

/* The band of the steps from..to, both included: along the upper edge and back along the lower. */
static void put_range(const struct band *band, size_t from, size_t to, size_t step, const char *css,
		      double top, struct buf *out)
{
	struct pen pen = {.out = out};

	if (to <= from || to >= band->range_len)
		return;
	buf_addf(out, "<path class=\"%s\" d=\"", css);
	pen_move(&pen, (int)(from + 1) * STEP_MIN, y_of(band->high[from], top));
	for (size_t i = from + step; i <= to; i += step)
		pen_line(&pen, (int)(i + 1) * STEP_MIN, y_of(band->high[i], top));
	for (size_t i = from + (to - from) / step * step;; i -= step) {
		pen_line(&pen, (int)(i + 1) * STEP_MIN, y_of(band->low[i], top));
		if (i < from + step)
			break;
	}
	pen_lift(&pen);
	buf_char(out, 'z');
	end_curve(SPAN("p10 to p90"), out);
}

static void put_band(const struct course *course, size_t step, double top, struct buf *out)
{
	const struct band *band = &course->line.forecast;
	size_t vague = vague_from(course);

	if (vague == band->range_len) {
		put_range(band, step - 1, band->range_len - 1, step, "envelope", top, out);
		return;
	}
	put_range(band, 0, vague, 1, "envelope", top, out);
	put_range(band, vague, band->range_len - 1, 1, "vague", top, out);
}

/* ---- earlier forecasts ---- */

static void put_made_lines(const struct course *course, double top, struct buf *out)
{
	const struct trail_server *server = &course->trail->of[0];
	struct pen pen = {.out = out};

	html_lit(out, "<path class=\"made\" d=\"");
	for (size_t h = 0; h < HORIZONS; h++) {
		size_t point = trail_point(h);
		int x = minutes_of(course->trail, course->trail->made_ms[point]);

		if (isnan(course->line.past[point]))
			continue;
		pen_move(&pen, x, y_of(course->line.past[point], top));
		for (size_t k = 0; k <= h; k++)
			if (!isnan(server->made[h][k][course->kept].p50))
				pen_line(&pen, x + (int)horizon_steps[k] * STEP_MIN,
					 y_of(server->made[h][k][course->kept].p50, top));
	}
	pen_lift(&pen);
	html_lit(out, "\"/>");
}

/* The band of one of them, which begins at the value of then. */
static void put_made_band(const struct course *course, size_t h, struct pen *pen, double top)
{
	const struct quantiles(*made)[KEPT_METRICS] = course->trail->of[0].made[h];
	size_t point = trail_point(h), k;
	int x = minutes_of(course->trail, course->trail->made_ms[point]);

	if (isnan(course->line.past[point]) || isnan(made[0][course->kept].p50))
		return;
	pen_move(pen, x, y_of(course->line.past[point], top));
	for (k = 0; k <= h && !isnan(made[k][course->kept].p50); k++)
		pen_line(pen, x + (int)horizon_steps[k] * STEP_MIN,
			 y_of(made[k][course->kept].p90, top));
	while (k-- > 0)
		pen_line(pen, x + (int)horizon_steps[k] * STEP_MIN,
			 y_of(made[k][course->kept].p10, top));
	pen_lift(pen);
	buf_char(pen->out, 'z');
}

static void put_made(const struct course *course, double top, struct buf *out)
{
	struct pen pen = {.out = out};

	if (course->kept == KEPT_METRICS || !course->line.past)
		return;
	html_lit(out, "<path class=\"made-band\" d=\"");
	for (size_t h = 0; h < HORIZONS; h++)
		put_made_band(course, h, &pen, top);
	html_lit(out, "\"/>");
	put_made_lines(course, top, out);
}

/* ---- frame, limits, words ---- */

static void put_grid(const struct course *course, double top, struct buf *out)
{
	html_lit(out, "<path class=\"grid\" d=\"");
	for (int x = TICK_MIN - SPAN_MIN; x < SPAN_MIN; x += TICK_MIN)
		if (x)
			buf_addf(out, "M%d 0v%d", x, HEIGHT);
	html_lit(out, "\"/><path class=\"peak\" d=\"");
	for (int i = 0; i < COURSE_LIMITS; i++)
		if (!isnan(course->limits[i]))
			buf_addf(out, "M-%d %dh%d", SPAN_MIN, y_of(course->limits[i], top),
				 2 * SPAN_MIN);
	html_lit(out, "\"/>");
}

static void put_crossings(const struct course *course, double top, struct buf *out)
{
	for (int i = 0; i < COURSE_LIMITS; i++) {
		int x = course_reaches(&course->line, course->limits[i]);

		if (x)
			buf_addf(out, "<path class=\"dot reached\" d=\"M%d %dh0\"/>", x,
				 y_of(course->limits[i], top));
	}
}

static void put_time(const char *css, int minutes, struct buf *out)
{
	int x = x_tenths(minutes);

	buf_addf(out, "<text class=\"time %s\" x=\"%d.%d%%\" y=\"100%%\">", css, x / 10, x % 10);
	if (minutes == 0)
		html_lit(out, "now");
	else
		buf_addf(out, "%s%d h", minutes < 0 ? "−" : "+",
			 minutes < 0 ? -minutes / 60 : minutes / 60);
	html_lit(out, "</text>");
}

static void put_times(struct buf *out)
{
	for (int x = -SPAN_MIN; x <= SPAN_MIN; x += TICK_MIN)
		put_time(x == -SPAN_MIN ? "" : x == SPAN_MIN ? "end" : "middle", x, out);
}

static void put_vague_words(const struct course *course, struct buf *out)
{
	const struct band *band = &course->line.forecast;
	size_t vague = vague_from(course);
	int from = (int)(vague + 1) * STEP_MIN, to = (int)band->range_len * STEP_MIN;
	int x = x_tenths((from + to) / 2);

	if (vague == band->range_len || to - from < LABEL_MIN)
		return;
	buf_addf(out,
		 "<text class=\"middle says\" x=\"%d.%d%%\" y=\"50%%\">the forecast says nothing "
		 "here</text>",
		 x / 10, x % 10);
}

/* On both sides of the moment. */
static void put_names(struct buf *out)
{
	html_lit(out, "<text class=\"end\" x=\"49.5%\" y=\"96%\">as it was</text>"
		      "<text x=\"50.5%\" y=\"96%\">median, p10 to p90</text>");
}

static void put_labels(const struct course *course, double top, struct buf *out)
{
	for (int i = 0; i < COURSE_LIMITS; i++) {
		int y = isnan(course->limits[i]) ? 0 : y_of(course->limits[i], top);

		if (isnan(course->limits[i]))
			continue;
		buf_addf(out, "<text class=\"end over\" x=\"100%%\" y=\"%d.%d%%\">", y / 10,
			 y % 10);
		fmt_scale(out, course->limits[i]);
		html_lit(out, "</text>");
	}
	html_lit(out, "<text class=\"top\" x=\"0\" y=\"0\">");
	fmt_scale(out, top);
	html_lit(out, "</text>");
	put_vague_words(course, out);
}

static void put_value(double value, const struct course *course, struct buf *out)
{
	fmt_number(out, value, 1);
	if (course->unit[0] && !isnan(value))
		buf_addf(out, "%s%s", course->percent ? "" : " ", course->unit);
}

static void describe_past(const struct course *course, struct buf *out)
{
	double least = course->line.now, most = course->line.now;

	for (size_t i = 0; course->line.past && i < TRAIL_POINTS; i++) {
		least = fmin(least, course->line.past[i]);
		most = fmax(most, course->line.past[i]);
	}
	put_value(course->line.now, course, out);
	html_lit(out, " now");
	if (isnan(least) || !course->line.past)
		return;
	html_lit(out, "; last 8 hours ");
	put_value(least, course, out);
	html_lit(out, " to ");
	put_value(most, course, out);
}

static void describe_forecast(const struct course *course, struct buf *out)
{
	const struct band *band = &course->line.forecast;
	size_t most = 0;

	if (!band->len)
		return;
	for (size_t i = 1; i < band->len; i++)
		if (band->median[i] > band->median[most])
			most = i;
	html_lit(out, "; median up to ");
	put_value(band->median[most], course, out);
	buf_addf(out, " in %zu min", (most + 1) * STEP_MIN);
	if (vague_from(course) < band->range_len)
		buf_addf(out, "; from %zu min on the band is as wide as the plot",
			 (vague_from(course) + 1) * STEP_MIN);
}

void chart_course(const struct course *course, enum course_size size, struct buf *out)
{
	double top = top_of(course);
	size_t step = size == COURSE_SMALL ? COARSE : 1;

	buf_addf(out,
		 "<svg class=\"lines course%s\" role=\"img\" data-top=\"%g\" data-unit=\"%s\">"
		 "<title>%s, last and next 8 hours</title><desc>",
		 size == COURSE_SMALL  ? " small"
		 : size == COURSE_LAST ? " last"
				       : "",
		 top, course->unit, course->title);
	describe_past(course, out);
	describe_forecast(course, out);
	buf_addf(out, "</desc><svg viewBox=\"-%d 0 %d %d\" preserveAspectRatio=\"none\">", SPAN_MIN,
		 2 * SPAN_MIN, HEIGHT);
	put_grid(course, top, out);
	put_made(course, top, out);
	put_band(course, step, top, out);
	if (course->with) {
		put_past(course, course->with, "other", course->with_name, top, out);
		put_median(course->with, "other ahead", course->with_name, step, top, out);
	}
	put_median(&course->line, "value ahead", SPAN("median"), step, top, out);
	put_past(course, &course->line, "value", SPAN("value"), top, out);
	if (size != COURSE_SMALL)
		put_crossings(course, top, out);
	buf_addf(out, "<line y2=\"%d\"/></svg>", HEIGHT);
	if (size != COURSE_SMALL)
		put_labels(course, top, out);
	if (size == COURSE_FIRST)
		put_names(out);
	if (size == COURSE_LAST)
		put_times(out);
	html_lit(out, "</svg>");
}
