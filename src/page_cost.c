/* SPDX-License-Identifier: MIT */
/* Cost avoidance (ui 4.5, domain-rules 13): a form, the figures with their assumptions beside them,
 * the servers at risk. */
#include "config.h"
#include "pages.h"

#include <math.h>

#include "fmt.h"
#include "html.h"
#include "json.h"
#include "layout.h"
#include "rules.h"

/* As it was typed: 2.5, 50000. */
static void put_input(double value, struct buf *out)
{
	struct json number;

	json_init(&number, out);
	json_num(&number, NULL, value);
}

static void put_field(enum cost_input input, double value, struct buf *out)
{
	const struct cost_input_info *info = &cost_input_table[input];

	buf_addf(out,
		 "<p><label for=\"%s\">%s, %s</label><input id=\"%s\" type=\"number\" name=\"%s\" "
		 "min=\"%.0f\" max=\"%.0f\" step=\"%g\" value=\"",
		 info->name, info->label, info->unit, info->name, info->name, info->min, info->max,
		 info->step);
	put_input(value, out);
	buf_addf(out, "\" aria-describedby=\"%s-range\"/><small id=\"%s-range\">%s</small></p>",
		 info->name, info->name, info->range);
}

/* The server checks the range; the step is for the arrows only, so a browser must not insist on it:
 * novalidate. */
static void put_form(const struct query *q, struct buf *out)
{
	html_lit(out, "<section class=\"panel\" id=\"assumptions\"><h2>Assumptions</h2>"
		      "<form class=\"inputs\" action=\"cost\" novalidate=\"novalidate\">");
	for (int i = 0; i < COST_INPUTS; i++)
		put_field((enum cost_input)i, q->cost[i], out);
	html_lit(
		out,
		"<p><button>Calculate</button> <a href=\"cost\">Defaults</a></p></form></section>");
}

/* ---- figures ---- */

static void begin_card(const char *name, const char *title, struct buf *out)
{
	buf_addf(out, "<div id=\"cost-%s\" class=\"card\"><h2>%s</h2><p class=\"value\">", name,
		 title);
}

static void card_incidents(const double *figure, const double *inputs, struct buf *out)
{
	begin_card("incidents", "Incidents prevented a day", out);
	fmt_number(out, figure[COST_PREVENTED], 1);
	buf_addf(out, "</p><p class=\"note\">(%.0f high + 0.%d × %.0f medium) × ",
		 figure[COST_HIGH], COST_MEDIUM_TENTHS, figure[COST_MEDIUM]);
	put_input(inputs[COST_PREVENTION], out);
	html_lit(out, "%</p></div>");
}

static void card_daily(const double *figure, const double *inputs, struct buf *out)
{
	begin_card("daily", "Avoided cost, daily", out);
	fmt_money(out, figure[COST_DAILY]);
	html_lit(out, "</p><p class=\"note\">× ");
	fmt_money(out, figure[COST_PER_INCIDENT]);
	html_lit(out, " per incident (");
	put_input(inputs[COST_HOURS], out);
	html_lit(out, " h at ");
	fmt_money(out, inputs[COST_PER_HOUR]);
	html_lit(out, "); one day with today's fleet</p></div>");
}

static void card_days(const char *name, const char *title, double dollars, int days,
		      struct buf *out)
{
	begin_card(name, title, out);
	fmt_money(out, dollars);
	buf_addf(out, "</p><p class=\"note\">daily × %d</p></div>", days);
}

static void card_months(const double *figure, const double *inputs, struct buf *out)
{
	begin_card("months", "Months to return", out);
	if (isnan(figure[COST_MONTHS]))
		html_lit(out, "no payback");
	else
		fmt_number(out, figure[COST_MONTHS], 1);
	html_lit(out, "</p><p class=\"note\">project ");
	fmt_money(out, inputs[COST_PROJECT]);
	html_lit(out, " / monthly</p></div>");
}

static void card_first_year(const double *figure, struct buf *out)
{
	if (isnan(figure[COST_FIRST_YEAR]))
		return;
	begin_card("first-year", "First year, net", out);
	fmt_money(out, figure[COST_FIRST_YEAR]);
	html_lit(out, "</p><p class=\"note\">annual - project</p></div>");
}

static void put_figures(const double *figure, const double *inputs, struct buf *out)
{
	html_lit(out, "<section class=\"cards three\" aria-label=\"Figures\">");
	card_incidents(figure, inputs, out);
	card_daily(figure, inputs, out);
	card_days("monthly", "Avoided cost, monthly", figure[COST_MONTHLY], COST_MONTH_DAYS, out);
	card_days("annual", "Avoided cost, annual", figure[COST_ANNUAL], COST_YEAR_DAYS, out);
	card_months(figure, inputs, out);
	card_first_year(figure, out);
	html_lit(out, "</section>");
}

/* ---- servers at risk ---- */

static void put_row(const struct cost *cost, const struct server *s, struct buf *out)
{
	html_lit(out, "<tr id=\"srv-");
	html_text(out, s->name);
	html_lit(out, "\"><th scope=\"row\">");
	layout_server(s->name, "server/", out);
	buf_addf(out, "</th><td>%s</td><td>", cost_class(s));
	layout_level(level_of(s->risk), out);
	html_lit(out, "</td><td class=\"num\">");
	fmt_tenths(out, s->risk);
	html_lit(out, "</td><td class=\"num\">");
	fmt_money(out, cost_of_server(cost, s));
	html_lit(out, "</td></tr>");
}

static void put_table(const struct snapshot *snap, const struct cost *cost, struct buf *out)
{
	buf_addf(out,
		 "<div class=\"scroll\"><table class=\"plan wide\"><caption>All high (risk %d and "
		 "above), then "
		 "the %d highest medium (%d to below %d); a medium one costs %g of an "
		 "incident</caption><thead><tr><th scope=\"col\">Server</th>"
		 "<th scope=\"col\">Class</th><th scope=\"col\">Level</th>"
		 "<th scope=\"col\" class=\"num\">Risk</th>"
		 "<th scope=\"col\" class=\"num\">Potential cost</th></tr></thead><tbody>",
		 RISK_HIGH / 10, COST_TABLE_MEDIUM, RISK_MEDIUM / 10, RISK_HIGH / 10,
		 COST_MEDIUM_SHARE);
	for (size_t i = 0; i < cost->at_risk; i++)
		put_row(cost, &snap->servers[i], out);
	html_lit(out, "</tbody></table></div>");
}

void page_cost(const struct view *view, struct buf *out)
{
	const double *inputs = view->query->cost;
	struct cost cost;

	cost_of(view->snap, inputs, &cost);
	html_lit(out, "<h1>Cost avoidance</h1>");
	put_figures(cost.figure, inputs, out);
	put_form(view->query, out);
	html_lit(out, "<section class=\"panel\" id=\"at-risk\"><h2>Servers at risk</h2>");
	if (cost.at_risk)
		put_table(view->snap, &cost, out);
	else
		buf_addf(out,
			 "<p class=\"calm\">No server is at risk %d or above; nothing to prevent "
			 "today.</p>",
			 RISK_MEDIUM / 10);
	layout_downloads(page_find_name("cost"), view->query, out);
	html_lit(out, "</section>");
}
