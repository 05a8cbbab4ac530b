/* SPDX-License-Identifier: MIT */
/* The remediation plan (ui 4.6, domain-rules 14): what would be done about the servers in Danger or
 * worse. Nothing is executed. */
#include "config.h"
#include "pages.h"

#include "fmt.h"
#include "html.h"
#include "layout.h"
#include "rules.h"

static void put_counters(const struct remedy_count *n, struct buf *out)
{
	buf_addf(out,
		 "<ul class=\"figures\" id=\"counters\"><li><b>%u</b> queued</li>"
		 "<li><b>%u</b> autonomous</li><li><b>%u</b> manual</li></ul>",
		 n->queued, n->autonomous, n->manual);
}

static void put_row(const struct server *s, struct buf *out)
{
	const struct remedy *remedy = &remedy_table[s->profile];

	html_lit(out, "<tr id=\"srv-");
	html_text(out, s->name);
	html_lit(out, "\"><th scope=\"row\">");
	layout_server(s->name, "server/", out);
	buf_addf(out, "</th><td>%s</td><td class=\"num\">", profile_table[s->profile].name);
	fmt_tenths(out, s->risk);
	html_lit(out, "</td><td class=\"num\">");
	fmt_percent(out, s->cpu.worst);
	buf_addf(out, "</td><td>%s</td><td>%s</td><td>%s</td><td>" REMEDY_STATUS "</td></tr>",
		 remedy->action, remedy->integration, remedy->time);
}

static void put_plan(const struct snapshot *snap, unsigned queued, struct buf *out)
{
	html_lit(out,
		 "<div class=\"scroll\"><table class=\"plan wide\"><caption>Worst risk first; "
		 "predicted "
		 "CPU "
		 "is the worst case of the next 30 minutes, a trend extrapolation</caption>"
		 "<thead><tr><th scope=\"col\">Server</th><th scope=\"col\">Profile</th>"
		 "<th scope=\"col\" class=\"num\">Risk</th>"
		 "<th scope=\"col\" class=\"num\">Predicted CPU</th><th scope=\"col\">Action</th>"
		 "<th scope=\"col\">Integration point</th><th scope=\"col\">Time to effect</th>"
		 "<th scope=\"col\">Status</th></tr></thead><tbody>");
	for (unsigned i = 0; i < queued; i++)
		put_row(&snap->servers[i], out);
	html_lit(out, "</tbody></table></div>");
}

static void put_approval(struct buf *out)
{
	html_lit(out,
		 "<section class=\"panel\" id=\"approval\"><h2>Approval</h2><div class=\"scroll\">"
		 "<table class=\"plan\"><caption>Who would approve an action</caption><thead><tr>"
		 "<th scope=\"col\">Risk</th><th scope=\"col\">Approval</th></tr></thead><tbody>");
	for (size_t i = 0; i < APPROVALS; i++)
		buf_addf(out, "<tr><th scope=\"row\">%s</th><td>%s</td></tr>",
			 approval_table[i].risk, approval_table[i].who);
	buf_addf(out,
		 "</tbody></table></div><h3>Roll-back</h3><p>Every action is reversible for %d "
		 "min. It "
		 "is taken back automatically if the metrics have not improved after %d min.</p>"
		 "</section>",
		 REMEDY_REVERSIBLE_MIN, REMEDY_IMPROVE_MIN);
}

void page_remediation(const struct view *view, struct buf *out)
{
	struct remedy_count n;

	remedy_count(view->snap, &n);
	html_lit(out,
		 "<h1>Remediation plan</h1><p class=\"insight\">Plan only. This dashboard executes "
		 "nothing.</p><section class=\"panel\" id=\"plan\"><h2>Actions</h2>");
	put_counters(&n, out);
	if (n.queued)
		put_plan(view->snap, n.queued, out);
	else
		buf_addf(out,
			 "<p class=\"calm\">Nothing would trigger: no server is at risk %d or "
			 "above.</p>",
			 RISK_HIGH / 10);
	layout_downloads(page_find_name("remediation"), view->query, out);
	html_lit(out, "</section>");
	put_approval(out);
}
