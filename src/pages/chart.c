/* SPDX-License-Identifier: MIT */
/*
 * Inline SVG with units so small that every coordinate is an integer; the style sheet stretches most
 * drawings to their boxes.
 */
#include "config.h"
#include "pages/chart.h"
#include "base/html.h"
#include "fleet/outlook.h"

void chart_risk_bar(int risk, struct buf *out)
{
	buf_addf(out,
		 "<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" "
		 "aria-hidden=\"true\"><rect class=\"sev-%s\" width=\"%d\" height=\"10\"/><path "
		 "d=\"",
		 level_table[level_of(risk)].slug, risk);
	for (int i = LEVEL_COUNT - 2; i >= 0; i--)
		buf_addf(out, "M%d 0v10", level_table[i].from);
	html_lit(out, "\"/></svg>");
}

/* ---- the last hour ---- */

#define SLOT_X   3  /* a slot is so wide, and the drawing 60 */
#define RECENT_Y 10 /* height: 100 points */
#define SLOT_MS  (RECENT_MS / RECENT_SLOTS)

static int recent_y(uint8_t value)
{
	return RECENT_Y - (value - 1 + RECENT_Y / 2) / RECENT_Y;
}

/* Slots that may lie between two points that a line joins: 2.5 intervals, as in the history. */
static int joined_slots(int64_t interval_ms)
{
	int64_t slots = 5 * interval_ms / (2 * SLOT_MS);

	return slots < 1 ? 1 : slots < RECENT_SLOTS ? (int)slots : RECENT_SLOTS;
}

static void put_recent_line(const struct recent *recent, int joined, struct buf *out)
{
	int last = -1, x = 0, y = 0;

	for (int i = 0; i < RECENT_SLOTS; i++) {
		int to_y = recent_y(recent->most[i]), dx = SLOT_X * i - x, dy = to_y - y;

		if (!recent->most[i])
			continue;
		buf_addf(out, "%s%d%s%d", last < 0 || i - last > joined ? "m" : "l", dx,
			 dy < 0 ? "" : " ", dy);
		last = i;
		x += dx;
		y = to_y;
	}
}

static int known_slots(const struct recent *recent, int *most)
{
	int n = 0;

	*most = 0;
	for (int i = 0; i < RECENT_SLOTS; i++) {
		n += recent->most[i] > 0;
		if (recent->most[i] > *most)
			*most = recent->most[i];
	}
	return n;
}

void chart_recent(const struct server *server, int64_t interval_ms, struct buf *out)
{
	const struct recent *recent = &server->recent;
	int most;

	if (known_slots(recent, &most) < 2)
		return;
	buf_addf(out,
		 "<svg class=\"line\" viewBox=\"0 0 60 10\" role=\"img\" aria-label=\""
		 "risk over the last hour: %d to %d, now %d\"><path d=\"",
		 recent->least - 1, most - 1, server->risk / 10);
	put_recent_line(recent, joined_slots(interval_ms), out);
	html_lit(out, "\"/></svg>");
}

/* ---- the last hour and the next two ---- */

#define NOW_X      ((size_t)(RECENT_MS / 60000)) /* a minute is one wide */
#define STEP_X     5
#define OUTLOOK_X  (NOW_X + OUTLOOK_STEPS * STEP_X)
#define OUTLOOK_Y  50 /* height: 100 points */
#define POINT_SIZE 20 /* tenths of risk in a unit */

static int outlook_y(int risk)
{
	return OUTLOOK_Y - (risk + POINT_SIZE / 2) / POINT_SIZE;
}

static void put_known_hour(const struct server *server, int joined, struct buf *out)
{
	int last = -1;

	html_lit(out, "<path class=\"known\" d=\"");
	for (int i = 0; i < RECENT_SLOTS; i++) {
		uint8_t most = server->recent.most[i];

		if (!most)
			continue;
		buf_addf(out, "%c%d %d", last < 0 || i - last > joined ? 'M' : 'L',
			 (i + 1) * (int)(SLOT_MS / 60000),
			 i == RECENT_SLOTS - 1 ? outlook_y(server->risk)
					       : outlook_y(10 * (most - 1)));
		last = i;
	}
	html_lit(out, "\"/>");
}

static void put_edge(const int *risk, size_t from, size_t to, struct buf *out)
{
	for (size_t i = from; i < to; i++)
		buf_addf(out, "L%zu %d", NOW_X + (i + 1) * STEP_X, outlook_y(risk[i]));
}

/* Along the upper edge of the steps [from, to) and back along the lower one. Beyond `from` it begins
 * where the part before ended. */
static void put_range(const struct outlook *o, int now, size_t from, size_t to, const char *css,
		      struct buf *out)
{
	size_t first = from ? from - 1 : 0;

	if (from >= to)
		return;
	buf_addf(out, "<path class=\"%s\" d=\"M%zu %d", css, NOW_X + from * STEP_X,
		 outlook_y(from ? o->high[first] : now));
	put_edge(o->high, from, to, out);
	for (size_t i = to; i-- > from;)
		buf_addf(out, "L%zu %d", NOW_X + (i + 1) * STEP_X, outlook_y(o->low[i]));
	if (from)
		buf_addf(out, "L%zu %d", NOW_X + from * STEP_X, outlook_y(o->low[first]));
	html_lit(out, "z\"/>");
}

static void put_expected(const struct outlook *o, int now, struct buf *out)
{
	put_range(o, now, 0, o->sure, "range", out);
	put_range(o, now, o->sure, o->len, "range vague", out);
	buf_addf(out, "<path class=\"expected\" d=\"M%d %d", (int)NOW_X, outlook_y(now));
	put_edge(o->median, 0, o->sure, out);
	html_lit(out, "\"/>");
}

/* ", in 30 min 84 (50 to 100)" */
static void put_step_words(const struct outlook *o, size_t steps, const char *when, struct buf *out)
{
	if (o->sure >= steps)
		buf_addf(out, ", %s %d (%d to %d)", when, o->median[steps - 1] / 10,
			 o->low[steps - 1] / 10, o->high[steps - 1] / 10);
}

static void put_outlook_words(const struct server *server, const struct outlook *o, bool known,
			      int most, struct buf *out)
{
	html_lit(out, "risk");
	if (known)
		buf_addf(out, " over the last hour %d to %d,", server->recent.least - 1, most - 1);
	buf_addf(out, " now %d", server->risk / 10);
	if (!o->len)
		return;
	html_lit(out, "; by the forecast");
	put_step_words(o, FORECAST_30M, "in 30 min", out);
	put_step_words(o, 2 * FORECAST_30M, "in 1 h", out);
	put_step_words(o, OUTLOOK_STEPS, "in 2 h", out);
	if (o->sure < o->len)
		buf_addf(out, ", from %zu min on it says nothing", (o->sure + 1) * STEP_X);
}

void chart_outlook(const struct server *server, int64_t interval_ms, struct buf *out)
{
	struct outlook o;
	int most;
	bool known = known_slots(&server->recent, &most) >= 2;

	outlook_of(server, &o);
	if (!known && !o.len)
		return;
	buf_addf(out,
		 "<svg class=\"outlook\" viewBox=\"0 -2 %zu %d\" preserveAspectRatio=\"none\" "
		 "role=\"img\" aria-label=\"",
		 (size_t)OUTLOOK_X, OUTLOOK_Y + 4);
	put_outlook_words(server, &o, known, most, out);
	buf_addf(out, "\"><path d=\"M0 %dH%zuM%d 0V%d\"/>", outlook_y(RISK_ALERT),
		 (size_t)OUTLOOK_X, (int)NOW_X, OUTLOOK_Y);
	if (o.len)
		put_expected(&o, server->risk, out);
	if (known)
		put_known_hour(server, joined_slots(interval_ms), out);
	html_lit(out, "</svg>");
}

/* ---- all servers of a profile ---- */

#define CELL      10 /* a cell with its gap */
#define CELL_SIZE "8"
#define CELL_LINE 30 /* cells in a line */

/* The cells [from, to) of one level as one path. */
static void put_cells(enum level level, unsigned from, unsigned to, struct buf *out)
{
	buf_addf(out, "<path class=\"sev-%s\" d=\"", level_table[level].slug);
	for (unsigned i = from; i < to; i++)
		buf_addf(out, "M%u %uh" CELL_SIZE "v" CELL_SIZE "h-" CELL_SIZE "z",
			 i % CELL_LINE * CELL, i / CELL_LINE * CELL);
	html_lit(out, "\"/>");
}

void chart_cells(const unsigned level[LEVEL_COUNT], struct buf *out)
{
	unsigned all = 0, lines, at = 0;

	for (int i = 0; i < LEVEL_COUNT; i++)
		all += level[i];
	lines = (all + CELL_LINE - 1) / CELL_LINE;
	buf_addf(out,
		 "<svg class=\"cells\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\" "
		 "aria-hidden=\"true\">",
		 (lines > 1 ? CELL_LINE : all) * CELL, lines * CELL,
		 (lines > 1 ? CELL_LINE : all) * CELL, lines * CELL);
	for (int i = 0; i < LEVEL_COUNT; i++) {
		if (level[i])
			put_cells((enum level)i, at, at + level[i], out);
		at += level[i];
	}
	html_lit(out, "</svg>");
}
