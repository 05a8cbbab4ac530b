/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "pages/chart_lines.h"

#include <inttypes.h>
#include <math.h>
#include <time.h>

#include "base/html.h"

#define SIZE      1000
#define PLOT      90 /* percent of the height; the rest is for the times */
#define GRID      4
#define EDGE      40 /* text centred closer to an edge would be cut off */
#define MARK_ROWS 3  /* labels of neighbouring marks are on different lines */
#define NAME_TOP  6  /* percent; a name above it would be cut off */
#define MINUTE_MS INT64_C(60000)

static int clamp(int64_t n)
{
	return n < 0 ? 0 : n > SIZE ? SIZE : (int)n;
}

static int x_of(const struct chart_frame *frame, int64_t at_ms)
{
	return clamp((at_ms - frame->from_ms) * SIZE / (frame->to_ms - frame->from_ms));
}

static int y_of(const struct chart_frame *frame, double value)
{
	return clamp(SIZE - llround((value - frame->base) / (frame->top - frame->base) * SIZE));
}

/* --- frame --- */

static void value_labels(const struct chart_frame *frame, struct buf *out)
{
	/* A base other than 0 has a label, in place of the one above it. */
	for (int i = frame->base > 0 ? 2 : 1; i <= GRID; i++)
		buf_addf(out, "<text y=\"%d%%\" dy=\"12\">%g%s</text>", PLOT * (GRID - i) / GRID,
			 frame->base + (frame->top - frame->base) * i / GRID, frame->unit);
	if (frame->base > 0)
		buf_addf(out, "<text y=\"%d%%\" dy=\"-3\">%g%s</text>", PLOT, frame->base,
			 frame->unit);
}

void chart_begin(const struct chart_frame *frame, struct buf *out)
{
	buf_addf(out,
		 "<svg class=\"lines\" role=\"img\" data-from=\"%" PRId64 "\" data-to=\"%" PRId64
		 "\" data-base=\"%g\" data-top=\"%g\" data-unit=\"%s\"><title>%s</title><desc>",
		 frame->from_ms, frame->to_ms, frame->base, frame->top, frame->unit, frame->title);
	html_text(out, frame->desc);
	buf_addf(out,
		 "</desc><svg width=\"100%%\" height=\"%d%%\" viewBox=\"0 0 %d %d\" "
		 "preserveAspectRatio=\"none\">"
		 "<path class=\"grid\" d=\"",
		 PLOT, SIZE, SIZE);
	for (int i = 0; i <= GRID; i++)
		buf_addf(out, "M0 %dh%d", SIZE * i / GRID, SIZE);
	html_lit(out, "\"/>");
}

/* The interval of the times below the plot: a round one that gives at most six or seven of them in
 * the ranges that there are. */
static int64_t tick_of(int64_t range_ms)
{
	static const int minutes[] = {5, 10, 120, 240, 1440, 7200};
	size_t i = 0;

	while (i + 1 < sizeof(minutes) / sizeof(minutes[0]) &&
	       range_ms > 7 * minutes[i] * MINUTE_MS)
		i++;
	return minutes[i] * MINUTE_MS;
}

/* x in tenths of a percent; text near an edge is kept inside. */
static void text_at(int x, const char *y, struct buf *out)
{
	buf_addf(out, "<text x=\"%d.%d%%\" y=\"%s\"%s>", x / 10, x % 10, y,
		 x < EDGE          ? ""
		 : x > SIZE - EDGE ? " class=\"end\""
				   : " class=\"middle\"");
}

static void time_labels(const struct chart_frame *frame, struct buf *out)
{
	int64_t tick = tick_of(frame->to_ms - frame->from_ms);

	for (int64_t at = frame->from_ms / tick * tick; at <= frame->to_ms; at += tick) {
		time_t seconds = at / 1000;
		int x = x_of(frame, at);
		struct tm tm;
		char text[16];

		/* Before the plot, or where its label would be moved away from its time, onto the
		 * next label. */
		if (x < EDGE)
			continue;
		gmtime_r(&seconds, &tm);
		text_at(x, "99%", out);
		buf_add(out, text,
			strftime(text, sizeof(text), tick >= 1440 * MINUTE_MS ? "%e %b" : "%H:%M",
				 &tm));
		html_lit(out, "</text>");
	}
}

static void put_mark(const struct chart_frame *frame, const struct chart_mark *mark, size_t i,
		     struct buf *out)
{
	static const char *const rows[MARK_ROWS] = {"6%", "13%", "20%"};
	int x = x_of(frame, mark->at_ms);

	buf_addf(out, "<line x1=\"%d.%d%%\" x2=\"%d.%d%%\" y2=\"%d%%\"/>", x / 10, x % 10, x / 10,
		 x % 10, PLOT);
	text_at(x, rows[i % MARK_ROWS], out);
	html_text(out, mark->label);
	html_lit(out, "</text>");
}

void chart_bands(const struct chart_frame *frame, const struct chart_span *spans, size_t count,
		 const char *name, struct buf *out)
{
	if (!count)
		return;
	html_lit(out, "<path class=\"incident\" d=\"");
	for (size_t i = 0; i < count; i++) {
		int from = x_of(frame, spans[i].from_ms), to = x_of(frame, spans[i].to_ms);

		buf_addf(out, "M%d 0H%dV%dH%dZ", from, to > from ? to : from + 1, SIZE, from);
	}
	buf_addf(out, "\"><title>%s</title></path>", name);
}

static bool is_below(const struct chart_name *name, const struct chart_name *other, bool last)
{
	return other->text &&
	       (name->value < other->value || (last && !(name->value > other->value)));
}

/* Above the higher line and below the lower one, so that they do not meet. */
static void put_names(const struct chart_frame *frame, struct buf *out)
{
	for (int i = 0; i < CHART_NAMES; i++) {
		const struct chart_name *name = &frame->names[i];
		int y = isnan(name->value) ? 0 : y_of(frame, name->value) * PLOT / SIZE;

		if (name->text && !isnan(name->value))
			buf_addf(out,
				 "<text class=\"end\" x=\"99%%\" y=\"%d%%\" dy=\"%d\">%s</text>",
				 y < NAME_TOP ? NAME_TOP : y,
				 is_below(name, &frame->names[1 - i], i > 0) ? 14 : -5, name->text);
	}
}

void chart_end(const struct chart_frame *frame, const struct chart_mark *marks, size_t count,
	       struct buf *out)
{
	html_lit(out, "</svg>");
	value_labels(frame, out);
	time_labels(frame, out);
	put_names(frame, out);
	for (size_t i = 0; i < count; i++)
		put_mark(frame, &marks[i], i, out);
	html_lit(out, "</svg>");
}

/* --- series --- */

static bool is_joined(const struct chart_series *s, size_t i)
{
	return i > 0 && s->points[i].joined;
}

/* The number of points, from `first` on, that one line joins. */
static size_t run_length(const struct chart_series *s, size_t first)
{
	size_t n = first + 1;

	while (n < s->count && is_joined(s, n))
		n++;
	return n - first;
}

static void begin_path(const struct chart_series *s, const char *css, struct buf *out)
{
	buf_addf(out, "<path class=\"%s%s\" d=\"", css, s->css);
}

static void end_path(const struct chart_series *s, struct buf *out)
{
	buf_addf(out, "\"><title>%s</title></path>", s->name);
}

static void put_xy(const struct chart_frame *frame, char letter, int64_t at_ms, double value,
		   struct buf *out)
{
	buf_addf(out, "%c%d %d", letter, x_of(frame, at_ms), y_of(frame, value));
}

static bool has_envelope(const struct chart_series *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->points[i].low < s->points[i].high)
			return true;
	return false;
}

static void put_envelope(const struct chart_frame *frame, const struct chart_series *s,
			 struct buf *out)
{
	begin_path(s, "envelope ", out);
	for (size_t first = 0, n; first < s->count; first += n) {
		const struct chart_point *p = s->points + first;

		n = run_length(s, first);
		for (size_t i = 0; i < n; i++)
			put_xy(frame, i ? 'L' : 'M', p[i].at_ms, p[i].high, out);
		for (size_t i = n; i-- > 0;)
			put_xy(frame, 'L', p[i].at_ms, p[i].low, out);
		buf_char(out, 'Z');
	}
	end_path(s, out);
}

static bool is_dot(const struct chart_series *s, size_t i)
{
	return !is_joined(s, i) && run_length(s, i) == 1;
}

/* A line of length zero shows only its round ends: a dot. */
static void put_dots(const struct chart_frame *frame, const struct chart_series *s, struct buf *out)
{
	bool any = false;

	for (size_t i = 0; i < s->count; i++) {
		if (!is_dot(s, i))
			continue;
		if (!any)
			begin_path(s, "dot ", out);
		any = true;
		put_xy(frame, 'M', s->points[i].at_ms, s->points[i].value, out);
		buf_lit(out, "h0");
	}
	if (any)
		end_path(s, out);
}

void chart_line(const struct chart_frame *frame, const struct chart_series *s, struct buf *out)
{
	if (has_envelope(s))
		put_envelope(frame, s, out);
	begin_path(s, "", out);
	for (size_t i = 0; i < s->count; i++)
		put_xy(frame, is_joined(s, i) ? 'L' : 'M', s->points[i].at_ms, s->points[i].value,
		       out);
	end_path(s, out);
	put_dots(frame, s, out);
}

/* One run. Consecutive equal values make one step. */
static void put_steps(const struct chart_frame *frame, const struct chart_point *p, size_t n,
		      struct buf *out)
{
	int from = x_of(frame, p->at_ms), y = y_of(frame, p->value);

	buf_addf(out, "M%d %dV%d", from > 2 ? from - 2 : 0, SIZE, y);
	for (size_t i = 1; i < n; i++) {
		int next = y_of(frame, p[i].value);

		if (next != y)
			buf_addf(out, "H%dV%d", x_of(frame, p[i - 1].at_ms), next);
		y = next;
	}
	buf_addf(out, "H%dV%dZ", x_of(frame, p[n - 1].at_ms), SIZE);
}

void chart_area(const struct chart_frame *frame, const struct chart_series *s, struct buf *out)
{
	begin_path(s, "", out);
	for (size_t first = 0, n; first < s->count; first += n) {
		n = run_length(s, first);
		put_steps(frame, s->points + first, n, out);
	}
	end_path(s, out);
}
