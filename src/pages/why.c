/* SPDX-License-Identifier: MIT */
/* What the pages of a server and of the highest risks both show: why a server has its risk, its
 * readings, its CPU forecast. */
#include "config.h"
#include "pages/pieces.h"

#include <math.h>

#include "base/fmt.h"
#include "base/html.h"
#include "fleet/horizons.h"
#include "fleet/risk.h"
#include "pages/chart_band.h"
#include "pages/layout.h"

#define TREND_MIN  0.05 /* the smallest difference that is a rise */
#define RISING_MIN 2    /* rising metrics that trigger the note */

static const char extrapolated[] = "trend extrapolation";
/* Once in five minutes, so they may be a little older than the moment. */
static const char kept[] =
	"trend extrapolation; kept once in 5 minutes, for 30 min, 1, 2, 4 and 8 h";

static void put_value(enum component component, double value, struct buf *out)
{
	if (component == COMPONENT_LOAD_NOW || component == COMPONENT_LOAD_PREDICTED)
		fmt_number(out, value, 1);
	else
		fmt_percent(out, value);
}

/* A step of the waterfall, in tenths of risk; what is beyond the highest risk is cut off. */
static void put_step(int from, int to, const char *css, struct buf *out)
{
	from = from < RISK_MAX ? from : RISK_MAX;
	to = to < RISK_MAX ? to : RISK_MAX;
	buf_addf(out,
		 "<td class=\"step\"><svg viewBox=\"0 0 %d 10\" preserveAspectRatio=\"none\" "
		 "aria-hidden=\"true\"><rect class=\"%s\" x=\"%d\" width=\"%d\" "
		 "height=\"10\"/></svg></td>",
		 RISK_MAX, css, from, to - from);
}

/* before: what the rules above it add. Returns what it adds. */
static int put_rule(const struct server *s, enum component component, int before, bool steps,
		    struct buf *out)
{
	const struct risk_rule *rule = risk_rule(component);
	int adds = rule->weight * s->points[component];

	buf_addf(out, "<tr><th scope=\"row\">%s</th><td>", rule->label);
	put_value(component, risk_value(s, component), out);
	buf_addf(out, "</td><td>%d</td><td>", s->points[component]);
	fmt_tenths(out, adds);
	html_lit(out, "</td>");
	if (steps)
		put_step(before, before + adds, rule->predicted ? "predicted" : "", out);
	html_lit(out, "</tr>");
	return adds;
}

void page_why(const struct server *s, bool steps, struct buf *out)
{
	int points[2] = {0}; /* now, predicted */
	int sum = 0;

	for (int i = 0; i < COMPONENT_COUNT; i++)
		points[risk_rule((enum component)i)->predicted] += s->points[i];
	if (!points[0] && !points[1]) {
		html_lit(out, "<p class=\"note\">No rule adds to its risk.</p>");
		return;
	}
	html_lit(out,
		 "<div class=\"scroll\" tabindex=\"0\"><table class=\"numbers\"><caption>Why: the "
		 "rules that add "
		 "to its risk; predicted is the worst of the next 30 minutes</caption><thead><tr>"
		 "<th scope=\"col\">Rule</th><th scope=\"col\">Value</th>"
		 "<th scope=\"col\">Points</th><th "
		 "scope=\"col\">Adds</th>");
	if (steps)
		html_lit(out, "<td></td>");
	html_lit(out, "</tr></thead><tbody>");
	for (int i = 0; i < COMPONENT_COUNT; i++)
		if (s->points[i])
			sum += put_rule(s, (enum component)i, sum, steps, out);
	buf_addf(out,
		 "</tbody><tfoot><tr><th scope=\"row\">Risk</th>"
		 "<td colspan=\"2\">0.%d × %d + 0.%d × %d%s</td><td>",
		 RISK_WEIGHT_NOW, points[0], RISK_WEIGHT_PREDICTED, points[1],
		 RISK_WEIGHT_NOW * points[0] + RISK_WEIGHT_PREDICTED * points[1] > RISK_MAX
			 ? ", at most 100"
			 : "");
	fmt_tenths(out, s->risk);
	html_lit(out, "</td>");
	if (steps)
		put_step(0, s->risk, "total", out);
	html_lit(out, "</tr></tfoot></table></div>");
}

static void put_reading(const char *label, enum mark_kind kind, const struct reading *r,
			struct buf *out)
{
	const double values[] = {r->now, r->predicted};

	buf_addf(out, "<tr><th scope=\"row\">%s</th>", label);
	for (int i = 0; i < 2; i++) {
		buf_addf(out, "<td%s>", layout_mark(mark_of(kind, values[i])));
		if (kind == MARK_KIND_LOAD)
			fmt_number(out, values[i], 1);
		else
			fmt_percent(out, values[i]);
		html_lit(out, "</td>");
	}
	html_lit(out, "<td>");
	fmt_delta(out, r->change, kind == MARK_KIND_LOAD ? "" : "%");
	html_lit(out, "</td></tr>");
}

/* Absent differences are NaN and compare false. */
static int count_rising(const struct server *s)
{
	const struct reading *readings[] = {&s->cpu, &s->iowait, &s->memory, &s->load};
	int n = 0;

	for (int i = 0; i < 4; i++)
		n += readings[i]->change >= TREND_MIN;
	return n;
}

void page_readings(const struct server *s, struct buf *out)
{
	int rising = count_rising(s);

	html_lit(out, "<div class=\"scroll\"><table class=\"numbers\"><caption>Now and in 30 "
		      "minutes; trend extrapolation"
		      "</caption><thead><tr><th scope=\"col\">Metric</th><th scope=\"col\">Now</th>"
		      "<th scope=\"col\">Predicted (30m)</th><th "
		      "scope=\"col\">Δ</th></tr></thead><tbody>");
	put_reading("CPU used", MARK_KIND_CPU, &s->cpu, out);
	put_reading("I/O wait", MARK_KIND_IOWAIT, &s->iowait, out);
	put_reading("Memory", server_memory_kind(s), &s->memory, out);
	put_reading("Load", MARK_KIND_LOAD, &s->load, out);
	html_lit(out, "</tbody></table></div>");
	if (rising >= RISING_MIN)
		buf_addf(out, "<p class=\"rising\">%d metrics predicted to rise</p>", rising);
}

void page_no_forecast(const struct view *view, const struct server *s, struct buf *out)
{
	if (!s->has_data)
		html_lit(out, "This server sends no data.");
	else if (view->at_ms)
		html_lit(out, "No forecast is kept of this moment.");
	else
		html_lit(out, "The stored forecast of this server cannot be read.");
}

void page_cpu_forecast(const struct view *view, const struct server *s, struct buf *out)
{
	struct band band;
	struct band_chart chart = {
		"CPU used", "%", s->series ? extrapolated : kept, {90, 70}, &band};

	if (!s->series && !s->horizons) {
		html_lit(out, "<p class=\"note\">");
		page_no_forecast(view, s, out);
		html_lit(out, "</p>");
		return;
	}
	if (s->series)
		band_of_cpu(&band, s->series);
	else
		band_of_horizons(&band, s, KEPT_CPU);
	chart_band(&chart, out);
}
