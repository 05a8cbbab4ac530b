/* SPDX-License-Identifier: MIT */
/* What earlier forecasts said about the values of one server now (doc/pages.md#server). */
#include "config.h"
#include "pages/pieces.h"

#include "base/fmt.h"
#include "base/html.h"
#include "fleet/accuracy.h"
#include "fleet/trail.h"
#include "pages/layout.h"

static const enum kept_metric metrics[] = {KEPT_CPU, KEPT_MEMORY, KEPT_IOWAIT, KEPT_LOAD};

static const char *const fits[] = {
	[TRAIL_ABSENT] = "–",
	[TRAIL_INSIDE] = "<span aria-hidden=\"true\">✓</span> inside",
	[TRAIL_BELOW] = "<span aria-hidden=\"true\">▼</span> below",
	[TRAIL_ABOVE] = "<span aria-hidden=\"true\">▲</span> above",
};

static void put_value(double value, const char *unit, struct buf *out)
{
	html_lit(out, "<td>");
	if (*unit)
		fmt_percent(out, value);
	else
		fmt_number(out, value, 1);
	html_lit(out, "</td>");
}

static void put_made(int64_t made_ms, struct buf *out)
{
	html_lit(out, "<td>");
	if (made_ms)
		fmt_time_element(out, made_ms);
	else
		html_lit(out, "–");
	html_lit(out, "</td>");
}

static void put_row(const struct trail *trail, enum kept_metric metric, size_t horizon, double now,
		    struct buf *out)
{
	const struct quantiles *q = &trail->of[0].made[horizon][horizon][metric];
	const char *unit = accuracy_metric_table[metric].unit;

	buf_addf(out, "<tr><th scope=\"row\">%s</th>", accuracy_horizon_table[horizon].name);
	put_made(trail->made_ms[trail_point(horizon)], out);
	put_value(q->p10, unit, out);
	put_value(q->p50, unit, out);
	put_value(q->p90, unit, out);
	put_value(now, unit, out);
	buf_addf(out, "<td>%s</td></tr>", fits[trail_fit(q, now)]);
}

static void put_table(const struct trail *trail, enum kept_metric metric, double now,
		      struct buf *out)
{
	buf_addf(out,
		 "<div><div class=\"scroll\" tabindex=\"0\"><table "
		 "class=\"numbers\"><caption>%s</caption>"
		 "<thead><tr><th scope=\"col\">Horizon</th><th scope=\"col\">Made at</th>"
		 "<th scope=\"col\">p10</th><th scope=\"col\">p50</th><th scope=\"col\">p90</th>"
		 "<th scope=\"col\">Now</th><th scope=\"col\">In the band</th></tr></thead><tbody>",
		 accuracy_metric_table[metric].name);
	for (size_t h = 0; h < HORIZONS; h++)
		put_row(trail, metric, h, now, out);
	html_lit(out, "</tbody></table></div></div>");
}

static void put_words(const struct view *view, struct buf *out)
{
	const struct profile_info *profile = &profile_table[view->server->profile];

	buf_addf(out,
		 "<p class=\"note\">Forecasts made earlier for this time, and the values now. "
		 "The band from p10 to p90 should hold %d%% of them. <a "
		 "href=\"../accuracy?profile=%s",
		 ACCURACY_NOMINAL, profile->slug);
	layout_at(view->query, "&amp;", out);
	buf_addf(out, "\">How good the forecasts of all %s servers are</a></p>", profile->name);
}

static bool is_empty(const struct trail *trail)
{
	for (size_t h = 0; h < HORIZONS; h++)
		if (trail->made_ms[trail_point(h)])
			return false;
	return true;
}

static void put_tables(const struct view *view, struct buf *out)
{
	html_lit(out, "<div class=\"columns\">");
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		put_table(view->trail, metrics[i], kept_now(view->server, metrics[i]), out);
	html_lit(out, "</div>");
}

void page_foretold(const struct view *view, struct buf *out)
{
	if (!view->trail)
		return;
	html_lit(out, "<details class=\"panel\" id=\"foretold\"><summary><h2>What was forecast for "
		      "now</h2></summary>");
	put_words(view, out);
	if (is_empty(view->trail))
		html_lit(out, "<p>No forecast for this time is kept.</p>");
	else
		put_tables(view, out);
	html_lit(out, "</details>");
}
