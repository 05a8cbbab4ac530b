/* SPDX-License-Identifier: MIT */
/* Cost avoidance (doc/pages.md#cost, doc/rules.md#cost): a form, the figures beside their
 * assumptions, and the servers at risk. */
#include "config.h"
#include "pages/contents.h"

#include <math.h>
#include <stdio.h>

#include "base/fmt.h"
#include "base/html.h"
#include "base/json.h"
#include "pages/layout.h"
#include "fleet/rules.h"
#include "pages/table.h"

/* As a user would type it: 2.5, 50000. */
static void put_input(double value, struct buf *out)
{
	struct json number;

	json_init(&number, out);
	json_num(&number, NULL, value);
}

/* values: the valid values in words when the one that was sent is not valid; else NULL. */
static void put_field(enum cost_input input, double value, const char *values, struct buf *out)
{
	const struct cost_input_info *info = &cost_input_table[input];
	const char *name = info->name;

	buf_addf(out,
		 "<p><label for=\"%s\">%s, %s</label><input id=\"%s\" type=\"number\" name=\"%s\" "
		 "min=\"%.0f\" max=\"%.0f\" step=\"%g\" value=\"",
		 name, info->label, info->unit, name, name, info->min, info->max, info->step);
	put_input(value, out);
	if (values)
		buf_addf(out,
			 "\" aria-invalid=\"true\" aria-describedby=\"%s-error\"/>"
			 "<small class=\"error\" id=\"%s-error\">The value sent is not a "
			 "%s.</small></p>",
			 name, name, values);
	else
		buf_addf(out,
			 "\" aria-describedby=\"%s-range\"/><small id=\"%s-range\">%s</small></p>",
			 name, name, info->range);
}

/* The parameter of a field. */
static enum query_key field_key(int input)
{
	return (enum query_key)(QUERY_COST_PER_HOUR + input);
}

/* bad: the key whose value was not valid, or QUERY_KEYS. The server checks the range. The step is
 * only for the arrow buttons, so the browser must not enforce it: novalidate. */
static void put_form(const struct query *q, enum query_key bad, struct buf *out)
{
	html_lit(out, "<section class=\"panel\" id=\"assumptions\"><h2>Assumptions</h2>"
		      "<form class=\"inputs\" action=\"cost\" novalidate=\"novalidate\">");
	for (int i = 0; i < COST_INPUTS; i++)
		put_field((enum cost_input)i, q->cost[i],
			  bad == field_key(i) ? query_key_values(bad) : NULL, out);
	layout_hidden_at(q, out);
	html_lit(out, "<p><button>Calculate</button> <a href=\"cost");
	layout_at(q, "?", out);
	html_lit(out, "\">Defaults</a></p></form></section>");
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

static void put_row(const struct query *query, const struct cost *cost, const struct server *s,
		    struct buf *out)
{
	html_lit(out, "<tr id=\"srv-");
	html_text(out, s->name);
	html_lit(out, "\"><th scope=\"row\">");
	layout_server(query, s->name, "server/", out);
	buf_addf(out, "</th><td>%s</td><td>", cost_class(s));
	layout_level(level_of(s->risk), out);
	html_lit(out, "</td><td data-l=\"Risk\" class=\"num\">");
	fmt_tenths(out, s->risk);
	html_lit(out, "</td><td data-l=\"Potential cost\" class=\"num\">");
	fmt_money(out, cost_of_server(cost, s));
	html_lit(out, "</td></tr>");
}

static const struct table risk_table = {
	"cost",
	"at-risk",
	"plan wide",
	{
		{"Server", SORT_NAME, false},
		{"Class", SORT_KEYS, false},
		{"Level", SORT_KEYS, false},
		{"Risk", SORT_RISK, true},
		{"Potential cost", SORT_COST, true},
	},
};

static void put_table(const struct view *view, const struct cost *cost, struct buf *out)
{
	struct buf rows;
	struct part part = table_part(view->query, table_rows(view, cost->at_risk, &rows, out));
	const struct row *row = (const struct row *)rows.data;
	char caption[160];

	(void)snprintf(caption, sizeof(caption),
		       "All high (risk %d and above) and the %d highest medium (%d to below %d); a "
		       "medium one costs %g of an incident",
		       RISK_HIGH / 10, COST_TABLE_MEDIUM, RISK_MEDIUM / 10, RISK_HIGH / 10,
		       COST_MEDIUM_SHARE);
	table_begin(&risk_table, caption, view->query, out);
	for (size_t i = part.first; i < part.last; i++)
		put_row(view->query, cost, row[i].server, out);
	table_end(&risk_table, &part, view->query, out);
	buf_free(&rows);
}

void page_cost_form(const struct bad_value *bad, struct buf *out)
{
	put_form(bad->query, bad->key, out);
}

void page_cost(const struct view *view, struct buf *out)
{
	const double *inputs = view->query->cost;
	struct cost cost;

	cost_of(view->snap, inputs, &cost);
	html_lit(out, "<h1>Cost avoidance</h1>");
	put_figures(cost.figure, inputs, out);
	put_form(view->query, QUERY_KEYS, out);
	html_lit(out, "<section class=\"panel\" id=\"at-risk\"><h2>Servers at risk</h2>");
	if (cost.at_risk)
		put_table(view, &cost, out);
	else
		buf_addf(out,
			 "<p class=\"calm\">No server is at risk %d or above; nothing to prevent "
			 "today.</p>",
			 RISK_MEDIUM / 10);
	layout_downloads(page_find_name("cost"), view->query, out);
	html_lit(out, "</section>");
}
