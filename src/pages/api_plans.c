/* SPDX-License-Identifier: MIT */
/* The plans as JSON (doc/pages.md#endpoints): the inputs, counters and rows of doc/rules.md#cost,
 * doc/rules.md#remediation and doc/rules.md#alerting. */
#include "config.h"
#include "pages/api.h"
#include "pages/contents.h"

#include "fleet/rules.h"
#include "pages/table.h"
#include "pages/pieces.h"

static void put_at_risk(const struct cost *cost, const struct server *s, struct json *j)
{
	json_object(j, NULL);
	json_str(j, "server", s->name);
	json_cstr(j, "class", cost_class(s));
	json_cstr(j, "level", level_table[level_of(s->risk)].name);
	json_tenths(j, "risk", s->risk);
	json_num(j, "potential_cost", cost_of_server(cost, s));
	json_end(j);
}

void api_cost(const struct view *view, struct buf *out)
{
	const double *inputs = view->query->cost;
	const struct row *row;
	struct buf rows;
	size_t count;
	struct cost cost;
	struct json j;

	cost_of(view->snap, inputs, &cost);
	count = table_rows(view, cost.at_risk, &rows, out);
	row = (const struct row *)rows.data;
	json_resume(&j, out);
	json_object(&j, "inputs");
	for (int i = 0; i < COST_INPUTS; i++)
		json_num(&j, cost_input_table[i].name, inputs[i]);
	json_end(&j);
	for (int i = 0; i < COST_FIGURES; i++)
		json_num(&j, cost_figure_table[i].name, cost.figure[i]);
	json_array(&j, "at_risk");
	for (size_t i = 0; i < count; i++)
		put_at_risk(&cost, row[i].server, &j);
	json_end(&j);
	buf_free(&rows);
}

static void put_remedy(const struct server *s, struct json *j)
{
	const struct remedy *remedy = &remedy_table[s->profile];

	json_object(j, NULL);
	json_str(j, "server", s->name);
	json_cstr(j, "profile", profile_table[s->profile].name);
	json_tenths(j, "risk", s->risk);
	json_num(j, "predicted_cpu", s->cpu.worst);
	json_cstr(j, "action", remedy->action);
	json_cstr(j, "integration_point", remedy->integration);
	json_cstr(j, "time_to_effect", remedy->time);
	json_cstr(j, "kind", remedy_kind(remedy));
	json_cstr(j, "status", REMEDY_STATUS);
	json_end(j);
}

void api_remediation(const struct view *view, struct buf *out)
{
	const struct snapshot *snap = view->snap;
	struct remedy_count n;
	struct buf rows;
	size_t count = table_rows(view, rules_count(snap, RISK_HIGH), &rows, out);
	const struct row *row = (const struct row *)rows.data;
	struct json j;

	remedy_count(snap, &n);
	json_resume(&j, out);
	json_object(&j, "counters");
	json_int(&j, "queued", n.queued);
	json_int(&j, "autonomous", n.autonomous);
	json_int(&j, "manual", n.manual);
	json_end(&j);
	json_array(&j, "rows");
	for (size_t i = 0; i < count; i++)
		put_remedy(row[i].server, &j);
	json_end(&j);
	buf_free(&rows);
}

static void put_alert(const struct snapshot *snap, const struct alert *alert, struct json *j)
{
	const struct alert_route *route = alert->route;
	char text[ALERT_TEXT];

	json_object(j, NULL);
	json_cstr(j, "severity", level_table[alert->level].name);
	json_str(j, "type", alert_type(alert, text));
	if (alert->server)
		json_str(j, "server", alert->server->name);
	else
		json_null(j, "server");
	json_str(j, "message", alert_message(snap, alert, text));
	json_cstr(j, "recipients", route->recipients);
	json_cstr(j, "delivery", route->delivery);
	json_cstr(j, "action", route->action);
	json_cstr(j, "escalation", route->escalation);
	json_end(j);
}

void api_alerting(const struct view *view, struct buf *out)
{
	unsigned counters[LEVEL_COUNT];
	struct buf list;
	size_t count = page_alerting_list(view, &list, out);
	const struct alert *alert = (const struct alert *)list.data;
	struct json j;

	alert_count(view->snap, counters);
	json_resume(&j, out);
	json_object(&j, "counters");
	for (int i = 0; i <= LEVEL_WARNING; i++)
		json_int(&j, level_table[i].name, counters[i]);
	json_end(&j);
	json_array(&j, "rows");
	for (size_t i = 0; i < count; i++)
		put_alert(view->snap, &alert[i], &j);
	json_end(&j);
	api_alertmanager(view, &j);
	buf_free(&list);
}
