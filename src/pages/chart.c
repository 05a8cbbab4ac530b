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
