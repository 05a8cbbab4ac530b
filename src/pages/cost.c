/* SPDX-License-Identifier: MIT */
/* Cost avoidance (doc/pages.md#cost, doc/rules.md#cost): the figures beside their assumptions, the
 * days that they are of, a form, and the servers at risk. */
#include "config.h"
#include "pages/contents.h"

#include <math.h>
#include <stdio.h>

#include "base/fmt.h"
#include "base/html.h"
#include "base/json.h"
#include "pages/layout.h"
#include "fleet/history.h"
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

/* Two digits: the assumptions are no better. */
static double about(double value)
{
	double unit;

	if (!(fabs(value) >= 10))
		return value;
	unit = pow(10, floor(log10(fabs(value))) - 1);
	return round(value / unit) * unit;
}

static void put_count(double value, struct buf *out)
{
	fmt_number(out, value, 1);
}

static void put_dollars(double value, struct buf *out)
{
	fmt_money(out, about(value));
}

/* What the cards show: the days with the fewest and the most incidents, or now. */
struct shown_range {
	const double *now, *least, *most;
};

/* "11.3", "9.8 to 12.1" */
static void put_range(double least, double most, void (*put)(double value, struct buf *out),
		      struct buf *out)
{
	put(least, out);
	if (least >= most || isnan(most))
		return;
	html_lit(out, " to ");
	put(most, out);
}

static void card_incidents(const struct shown_range *range, const double *inputs, struct buf *out)
{
	const double *now = range->now;

	begin_card("incidents", "Incidents a day that might be prevented", out);
	put_range(range->least[COST_PREVENTED], range->most[COST_PREVENTED], put_count, out);
	html_lit(out, "</p><p class=\"note\">now ");
	fmt_number(out, now[COST_PREVENTED], 1);
	buf_addf(out, ": (%.0f high + 0.%d × %.0f medium) × ", now[COST_HIGH], COST_MEDIUM_TENTHS,
		 now[COST_MEDIUM]);
	put_input(inputs[COST_PREVENTION], out);
	html_lit(out, "%</p></div>");
}

static void card_daily(const struct shown_range *range, const double *inputs, struct buf *out)
{
	begin_card("daily", "Cost a day that might be avoided", out);
	put_range(range->least[COST_DAILY], range->most[COST_DAILY], put_dollars, out);
	html_lit(out, "</p><p class=\"note\">× ");
	fmt_money(out, range->now[COST_PER_INCIDENT]);
	html_lit(out, " per incident (");
	put_input(inputs[COST_HOURS], out);
	html_lit(out, " h at ");
	fmt_money(out, inputs[COST_PER_HOUR]);
	html_lit(out, ")</p></div>");
}

static void card_months(const struct shown_range *range, const double *inputs, struct buf *out)
{
	begin_card("months", "Months to return, if every day were so", out);
	if (isnan(range->most[COST_MONTHS]))
		html_lit(out, "no payback");
	else if (isnan(range->least[COST_MONTHS]))
		put_range(range->most[COST_MONTHS], NAN, put_count, out);
	else
		put_range(range->most[COST_MONTHS], range->least[COST_MONTHS], put_count, out);
	html_lit(out, "</p><p class=\"note\">project ");
	fmt_money(out, inputs[COST_PROJECT]);
	buf_addf(out, " / (%d × daily)</p></div>", COST_MONTH_DAYS);
}

/* What the figures are of. */
static void put_basis(const struct view *view, const struct cost_days *days, struct buf *out)
{
	html_lit(out,
		 "<p class=\"insight early\">Hypothetical: no outage was measured, and none was "
		 "prevented. ");
	if (days->count)
		buf_addf(out,
			 "The ranges are those of the %zu of the last %d days that were measured, "
			 "from the one with the fewest servers at risk to the one with the most.",
			 days->count, COST_DAYS);
	else if (view->history)
		buf_addf(
			out,
			"No day has been measured yet, which takes %d hours: the figures are those "
			"of now.",
			COST_DAY_HOURS);
	else
		html_lit(out, "The days before are in the shared cache, which cannot be reached: "
			      "the figures are those of now.");
	html_lit(out, "</p>");
}

static void put_figures(const struct shown_range *range, const double *inputs, struct buf *out)
{
	html_lit(out, "<section class=\"cards three\" aria-label=\"Figures\">");
	card_incidents(range, inputs, out);
	card_daily(range, inputs, out);
	card_months(range, inputs, out);
	html_lit(out, "</section>");
}

/* ---- the days ---- */

static void put_cell(const char *label, double value, void (*put)(double value, struct buf *out),
		     struct buf *out)
{
	buf_addf(out, "<td data-l=\"%s\" class=\"num\">", label);
	put(value, out);
	html_lit(out, "</td>");
}

static void put_day(const struct cost_day *day, struct buf *out)
{
	if (!(day->measured_h > 0))
		return;
	html_lit(out, "<tr><th scope=\"row\">24 h to ");
	fmt_date(out, day->to_ms);
	html_lit(out, "</th><td data-l=\"Measured\">");
	fmt_number(out, day->measured_h, 1);
	buf_addf(out, " h%s</td>", day->measured_h < COST_DAY_HOURS ? ", left out" : "");
	put_cell("High", day->figure[COST_HIGH], put_count, out);
	put_cell("Medium", day->figure[COST_MEDIUM], put_count, out);
	put_cell("Incidents", day->figure[COST_PREVENTED], put_count, out);
	put_cell("Cost", day->figure[COST_DAILY], put_dollars, out);
	html_lit(out, "</tr>");
}

static const struct table day_table = {
	"cost",
	"days",
	"plan wide",
	{
		{"Day", SORT_KEYS, false},
		{"Measured", SORT_KEYS, false},
		{"High, mean", SORT_KEYS, true},
		{"Medium, mean", SORT_KEYS, true},
		{"Incidents that might be prevented", SORT_KEYS, true},
		{"Cost that might be avoided", SORT_KEYS, true},
	},
};

static void put_days(const struct view *view, const struct cost_days *days, struct buf *out)
{
	struct part all = {0, COST_DAYS, COST_DAYS};

	if (!view->history || !history_count(view->history))
		return;
	html_lit(out, "<section class=\"panel\" id=\"days\"><h2>Measured days</h2>");
	table_begin(&day_table, "High: servers at Danger or worse. Medium: at Degrading or Warning",
		    view, out);
	for (size_t i = 0; i < COST_DAYS; i++)
		put_day(&days->day[i], out);
	table_end(&day_table, &all, view->query, out);
	html_lit(out, "</section>");
}

/* ---- servers at risk ---- */

static void put_row(const struct query *query, const struct server *s, struct buf *out)
{
	html_lit(out, "<tr id=\"srv-");
	html_text(out, s->name);
	html_lit(out, "\"><th scope=\"row\">");
	layout_server(query, s->name, "server/", out);
	buf_addf(out, "</th><td>%s</td><td>", cost_class(s));
	layout_level(level_of(s->risk), out);
	html_lit(out, "</td><td data-l=\"Risk\" class=\"num\">");
	fmt_tenths(out, s->risk);
	buf_addf(out, "</td><td data-l=\"Counts as\" class=\"num\">%s</td></tr>",
		 s->risk >= RISK_HIGH ? "1" : COST_MEDIUM_WEIGHT);
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
		{"Counts as, incidents a day", SORT_COST, true},
	},
};

static void put_table(const struct view *view, const struct cost *cost, struct buf *out)
{
	struct buf rows;
	struct part part = table_part(view->query, table_rows(view, cost->at_risk, &rows, out));
	const struct row *row = (const struct row *)rows.data;
	char caption[160];

	(void)snprintf(caption, sizeof(caption),
		       "All high (risk %d and above) and the %d highest medium (%d to below %d)",
		       RISK_HIGH / 10, COST_TABLE_MEDIUM, RISK_ALERT / 10, RISK_HIGH / 10);
	table_begin(&risk_table, caption, view, out);
	for (size_t i = part.first; i < part.last; i++)
		put_row(view->query, row[i].server, out);
	table_end(&risk_table, &part, view->query, out);
	buf_free(&rows);
}

void page_cost_form(const struct bad_value *bad, struct buf *out)
{
	put_form(bad->query, bad->key, out);
}

static void put_at_risk(const struct view *view, const struct cost *cost, struct buf *out)
{
	html_lit(out, "<section class=\"panel\" id=\"at-risk\"><h2>Servers at <a "
		      "href=\"docs#word-risk\">risk</a> now</h2>");
	if (cost->at_risk)
		put_table(view, cost, out);
	else
		buf_addf(out,
			 "<p class=\"calm\">No server is at risk %d or above; there is nothing to "
			 "prevent now.</p>",
			 RISK_ALERT / 10);
	layout_downloads(page_find_name("cost"), view->query, out);
	html_lit(out, "</section>");
}

void page_cost(const struct view *view, struct buf *out)
{
	const double *inputs = view->query->cost;
	struct cost_days days = {.count = 0};
	struct shown_range range;
	struct cost cost;

	cost_of(view->snap, inputs, &cost);
	if (view->history)
		cost_days(view->history, inputs, &days);
	range = (struct shown_range){cost.figure, days.least ? days.least->figure : cost.figure,
				     days.most ? days.most->figure : cost.figure};
	html_lit(out, "<h1>Cost, a calculation</h1>");
	put_basis(view, &days, out);
	put_figures(&range, inputs, out);
	put_days(view, &days, out);
	put_form(view->query, QUERY_KEYS, out);
	put_at_risk(view, &cost, out);
}
