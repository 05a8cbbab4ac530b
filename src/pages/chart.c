/* SPDX-License-Identifier: MIT */
/*
 * Inline SVG. One unit is one tenth of the risk or one thousandth of the fleet, so that every
 * coordinate is an integer; the style sheet stretches the drawing to its box.
 */
#include "config.h"
#include "pages/chart.h"
#include "base/html.h"

static void segment(enum level level, unsigned count, unsigned from, unsigned to, struct buf *out)
{
	const struct level_info *info = &level_table[level];

	buf_addf(out,
		 "<rect id=\"seg-%s\" class=\"sev-%s\" x=\"%u\" width=\"%u\" height=\"20\">"
		 "<title>%s: %u</title></rect>",
		 info->slug, info->slug, from, to - from, info->name, count);
}

void chart_levels(const struct fleet_counts *counts, struct buf *out)
{
	unsigned before = 0;

	if (!counts->total)
		return;
	html_lit(out, "<svg class=\"levels\" role=\"img\" viewBox=\"0 0 1000 20\" "
		      "preserveAspectRatio=\"none\"><title>Servers by level</title><desc>");
	for (int i = 0; i < LEVEL_COUNT; i++)
		buf_addf(out, "%s%u %s", i ? ", " : "", counts->level[i], level_table[i].name);
	html_lit(out, "</desc>");
	for (int i = 0; i < LEVEL_COUNT; i++) {
		unsigned after = before + counts->level[i];

		segment((enum level)i, counts->level[i], before * 1000 / counts->total,
			after * 1000 / counts->total, out);
		before = after;
	}
	html_lit(out, "</svg>");
}

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
