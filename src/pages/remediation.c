/* SPDX-License-Identifier: MIT */
/* The remediation plan (doc/pages.md#plans, doc/rules.md#remediation): what would be done about
 * servers in Danger or worse. Nothing is executed. */
#include "config.h"
#include "pages/contents.h"

#include "base/fmt.h"
#include "base/html.h"
#include "pages/layout.h"
#include "fleet/rules.h"
#include "pages/pieces.h"

/* The actions that somebody would approve. */
static unsigned count_approvals(const struct snapshot *snap, const struct approval *approval)
{
	unsigned n = 0;

	for (size_t i = 0; i < snap->count && snap->servers[i].risk >= RISK_HIGH; i++)
		n += approval_of(snap->servers[i].risk) == approval;
	return n;
}

static void put_counters(const struct snapshot *snap, const struct remedy_count *n, struct buf *out)
{
	buf_addf(out,
		 "<ul class=\"figures\" id=\"counters\"><li><b>%u</b> action%s would be "
		 "proposed</li><li><b>%u</b> by software, once approved</li><li><b>%u</b> by "
		 "hand</li>",
		 n->queued, fmt_plural(n->queued), n->autonomous, n->manual);
	for (size_t i = 0; i < APPROVALS; i++) {
		unsigned count = count_approvals(snap, &approval_table[i]);

		if (count)
			buf_addf(out, "<li><b>%u</b> to be approved: %s</li>", count,
				 approval_table[i].who);
	}
	html_lit(out, "</ul>");
}

static void put_row(const struct query *query, const struct server *s, struct buf *out)
{
	const struct remedy *remedy = &remedy_table[s->profile];

	html_lit(out, "<tr id=\"srv-");
	html_text(out, s->name);
	html_lit(out, "\"><th scope=\"row\">");
	layout_server(query, s->name, "server/", out);
	buf_addf(out, "</th><td>%s</td><td data-l=\"Risk\" class=\"num\">",
		 profile_table[s->profile].name);
	fmt_tenths(out, s->risk);
	html_lit(out, "</td><td data-l=\"Predicted CPU\" class=\"num\">");
	fmt_percent(out, s->cpu.worst);
	buf_addf(out,
		 "</td><td data-l=\"Action\">%s</td><td data-l=\"Via\">%s</td>"
		 "<td data-l=\"Takes effect in\">%s</td><td data-l=\"Approval\">%s</td></tr>",
		 remedy->action, remedy->integration, remedy->time, approval_of(s->risk)->who);
}

static const struct table plan_table = {
	"remediation",
	"plan",
	"plan wide",
	{
		{"Server", SORT_NAME, false},
		{"Profile", SORT_PROFILE, false},
		{"Risk", SORT_RISK, true},
		{"Predicted CPU", SORT_CPU90, true},
		{"Action that might help", SORT_KEYS, false},
		{"Integration point", SORT_KEYS, false},
		{"Time to effect", SORT_KEYS, false},
		{"Approval", SORT_KEYS, false},
	},
};

static void put_plan(const struct view *view, struct buf *out)
{
	static const enum kept_metric predicted = KEPT_CPU;
	struct buf rows;
	size_t count = table_rows(view, rules_count(view->snap, RISK_HIGH), &rows, out);
	const struct row *row = (const struct row *)rows.data;
	struct part part = table_part(view->query, count);

	page_trust_line(view, &predicted, 1, out);
	table_begin(&plan_table,
		    "Predicted CPU is the worst case of the next 30 minutes, a trend extrapolation",
		    view, out);
	for (size_t i = part.first; i < part.last; i++)
		put_row(view->query, row[i].server, out);
	table_end(&plan_table, &part, view->query, out);
	buf_free(&rows);
}

static void put_approval(struct buf *out)
{
	html_lit(out,
		 "<section class=\"panel\" id=\"approval\"><h2>Approval</h2><div class=\"scroll\">"
		 "<table id=\"approval-table\" class=\"plan\"><caption>Who would approve an "
		 "action</caption><thead><tr>"
		 "<th scope=\"col\">Risk</th><th scope=\"col\">Approval</th></tr></thead><tbody>");
	for (size_t i = 0; i < APPROVALS; i++)
		buf_addf(out, "<tr><th scope=\"row\">%s</th><td>%s</td></tr>",
			 approval_table[i].risk, approval_table[i].who);
	buf_addf(out,
		 "</tbody></table></div><h3>Roll-back</h3><p>Every action would be reversible "
		 "for %d min, and would be taken back if the metrics had not improved after %d "
		 "min.</p>"
		 "</section>",
		 REMEDY_REVERSIBLE_MIN, REMEDY_IMPROVE_MIN);
}

void page_remediation(const struct view *view, struct buf *out)
{
	struct remedy_count n;

	remedy_count(view->snap, &n);
	html_lit(out,
		 "<h1>Remediation plan</h1><p class=\"insight\">Plan only. This dashboard executes "
		 "nothing. No action waits for an approval.</p><section class=\"panel\" "
		 "id=\"plan\"><h2>What would be proposed</h2>");
	put_counters(view->snap, &n, out);
	if (n.queued)
		put_plan(view, out);
	else
		buf_addf(out,
			 "<p class=\"calm\">Nothing would trigger: no server is at risk %d or "
			 "above.</p>",
			 RISK_HIGH / 10);
	layout_downloads(page_find_name("remediation"), view->query, out);
	html_lit(out, "</section>");
	put_approval(out);
}
