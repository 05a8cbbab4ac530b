/* SPDX-License-Identifier: MIT */
/* What an Alertmanager does with the alerts (doc/pages.md#alerting). Without one, the plan
 * (doc/pages.md#plans, doc/rules.md#alerting): who would be alerted to what, and the routing
 * matrix. */
#include "config.h"
#include "pages/contents.h"

#include <stdint.h>

#include "base/html.h"
#include "pages/layout.h"
#include "fleet/rules.h"
#include "pages/table.h"
#include "text.h"
#include "pages/pieces.h"

#define COUNTED (LEVEL_WARNING + 1) /* levels with a counter, worst first */

static void put_counters(const struct snapshot *snap, struct buf *out)
{
	unsigned count[LEVEL_COUNT];

	alert_count(snap, count);
	html_lit(out, "<ul class=\"figures\" id=\"counters\">");
	for (int i = 0; i < COUNTED; i++)
		buf_addf(out, "<li><b>%u</b> %s</li>", count[i], level_table[i].name);
	html_lit(out, "</ul>");
}

static void put_route(const struct alert_route *route, struct buf *out)
{
	buf_addf(out,
		 "<td data-l=\"To\">%s</td><td data-l=\"By\">%s</td><td data-l=\"Action\">%s</td>"
		 "<td data-l=\"Escalation\">%s</td>",
		 route->recipients, route->delivery, route->action,
		 route->escalation ? route->escalation : "–");
}

static void put_id(const struct alert *alert, struct buf *out)
{
	if (alert->environment) {
		html_lit(out, "environment");
		return;
	}
	html_lit(out, "srv-");
	html_text(out, alert->server->name);
}

/* A message about a server begins with its name, which becomes a link. */
static void put_message(const struct view *view, const struct alert *alert, struct buf *out)
{
	char text[ALERT_TEXT];
	struct span message = alert_message(view->snap, alert, text);
	size_t name = alert->server ? alert->server->name.len : 0;

	if (alert->server)
		layout_server(view->query, alert->server->name, "server/", out);
	html_text(out, (struct span){message.ptr + name, message.len - name});
}

static void put_row(const struct view *view, const struct alert *alert, struct buf *out)
{
	char text[ALERT_TEXT];

	html_lit(out, "<tr id=\"");
	put_id(alert, out);
	html_lit(out, "\"><td>");
	layout_level(alert->level, out);
	html_lit(out, "</td><td>");
	html_text(out, alert_type(alert, text));
	html_lit(out, "</td><th scope=\"row\">");
	put_message(view, alert, out);
	html_lit(out, "</th>");
	put_route(alert->route, out);
	html_lit(out, "</tr>");
}

static const struct table alerting_table = {
	"alerting",
	"plan",
	"plan wide",
	{
		{"Severity", SORT_RISK, false},
		{"Type", SORT_PROFILE, false},
		{"Message", SORT_NAME, false},
		{"Recipients", SORT_KEYS, false},
		{"Delivery", SORT_KEYS, false},
		{"Action", SORT_KEYS, false},
		{"Escalation", SORT_KEYS, false},
	},
};

size_t page_alerting_list(const struct view *view, struct buf *list, struct buf *out)
{
	struct buf rows;
	size_t count = table_rows(view, rules_count(view->snap, RISK_HIGH), &rows, out);
	const struct row *row = (const struct row *)rows.data;
	struct alert alert;

	buf_init(list, (count + 1) * sizeof(alert));
	if (alert_environment(view->snap, &alert))
		buf_add(list, &alert, sizeof(alert));
	for (size_t i = 0; i < count; i++) {
		alert_server(row[i].server, &alert);
		buf_add(list, &alert, sizeof(alert));
	}
	if (!buf_ok(list))
		buf_fail(out);
	buf_free(&rows);
	return list->len / sizeof(alert);
}

static void put_alerts(const struct view *view, const struct alert *alert, size_t count,
		       struct buf *out)
{
	struct part part = table_part(view->query, count);

	table_begin(&alerting_table,
		    "The environment first, by the upstream incident index, then servers", view,
		    out);
	for (size_t i = part.first; i < part.last; i++)
		put_row(view, &alert[i], out);
	table_end(&alerting_table, &part, view->query, out);
}

/* ---- routing matrix ---- */

static void begin_matrix_row(enum level level, struct buf *out)
{
	html_lit(out, "<tr><th scope=\"row\">");
	layout_level(level, out);
	html_lit(out, "</th><td>");
}

static void end_matrix_row(const struct alert_route *route, struct buf *out)
{
	html_lit(out, "</td>");
	put_route(route, out);
	html_lit(out, "</tr>");
}

static void put_environment_rows(struct buf *out)
{
	for (size_t i = 0; i < ENVIRONMENT_ALERTS; i++) {
		const struct environment_alert *rule = &environment_alerts[i];

		begin_matrix_row(rule->level, out);
		buf_addf(out, "environment: index %s &gt; %.0f%%",
			 rule->eight_hours ? "8 h" : "30 min", 100 * rule->over);
		end_matrix_row(&rule->route, out);
	}
}

static void put_server_rows(struct buf *out)
{
	for (int i = 0; i < LEVEL_COUNT; i++) {
		if (!alert_routes[i].recipients)
			continue;
		begin_matrix_row((enum level)i, out);
		buf_addf(out, "server: risk ≥ %d", level_table[i].from / 10);
		end_matrix_row(&alert_routes[i], out);
	}
}

static void put_matrix(struct buf *out)
{
	buf_addf(out,
		 "<section class=\"panel\" id=\"matrix\"><h2>Routing</h2><div class=\"scroll\">"
		 "<table id=\"matrix-table\" class=\"plan wide\"><caption>First contact and "
		 "escalation by severity; "
		 "servers "
		 "alert "
		 "from risk %d on</caption><thead><tr><th scope=\"col\">Severity</th>"
		 "<th scope=\"col\">Threshold</th><th scope=\"col\">First contact</th>"
		 "<th scope=\"col\">By</th><th scope=\"col\">Response</th>"
		 "<th scope=\"col\">Escalation</th></tr></thead><tbody>",
		 RISK_HIGH / 10);
	put_environment_rows(out);
	put_server_rows(out);
	html_lit(out, "</tbody></table></div></section>");
}

static void put_head(const struct view *view, struct buf *out)
{
	html_lit(out, "<h1>Alerting plan</h1><p class=\"insight\">");
	if (view->site->sends_alerts)
		html_lit(out, "Alerts are sent to Alertmanager. What it did then is not kept: "
			      "this is a plan.</p>");
	else
		html_lit(out, "Nothing is sent: no Alertmanager is configured. Two lines of "
			      "tft-dashboard.conf change that: <code>[alert]</code> and "
			      "<code>alertmanager = http://127.0.0.1:9093</code>.</p>");
}

static void put_plan(const struct view *view, struct buf *out)
{
	struct buf list;
	size_t count = page_alerting_list(view, &list, out);

	put_head(view, out);
	html_lit(out, "<section class=\"panel\" id=\"plan\"><h2>Who would be told now</h2>");
	put_counters(view->snap, out);
	if (count)
		put_alerts(view, (const struct alert *)list.data, count, out);
	else
		html_lit(out, "<p class=\"calm\">Nobody would be told.</p>");
	layout_downloads(page_find_name("alerting"), view->query, out);
	html_lit(out, "</section>");
	put_matrix(out);
	html_lit(out, TEXT_ALERTING);
	buf_free(&list);
}

/* Nobody needs a plan beside what is. */
void page_alerting(const struct view *view, struct buf *out)
{
	if (!view->site->sends_alerts || view->at_ms) {
		put_plan(view, out);
		return;
	}
	html_lit(out, "<h1>Alerting</h1><p class=\"insight\">Alerts are sent to Alertmanager, "
		      "whose own routes decide who is told.</p>");
	page_alertmanager(view, out);
	layout_downloads(page_find_name("alerting"), view->query, out);
}
