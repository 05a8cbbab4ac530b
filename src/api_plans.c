/* SPDX-License-Identifier: MIT */
/* The planning pages as JSON (design 7): the inputs, counters and rows of domain-rules 13, 14
 * and 15. */
#include "config.h"
#include "api.h"

#include "rules.h"

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
	struct cost cost;
	struct json j;

	cost_of(view->snap, inputs, &cost);
	json_resume(&j, out);
	json_object(&j, "inputs");
	for (int i = 0; i < COST_INPUTS; i++)
		json_num(&j, cost_input_table[i].name, inputs[i]);
	json_end(&j);
	for (int i = 0; i < COST_FIGURES; i++)
		json_num(&j, cost_figure_table[i].name, cost.figure[i]);
	json_array(&j, "at_risk");
	for (size_t i = 0; i < cost.at_risk; i++)
		put_at_risk(&cost, &view->snap->servers[i], &j);
	json_end(&j);
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
	struct remedy_count n;
	struct json j;

	remedy_count(view->snap, &n);
	json_resume(&j, out);
	json_object(&j, "counters");
	json_int(&j, "queued", n.queued);
	json_int(&j, "autonomous", n.autonomous);
	json_int(&j, "manual", n.manual);
	json_end(&j);
	json_array(&j, "rows");
	for (unsigned i = 0; i < n.queued; i++)
		put_remedy(&view->snap->servers[i], &j);
	json_end(&j);
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
	unsigned count[LEVEL_COUNT];
	struct alert alert;
	struct json j;

	alert_count(view->snap, count);
	json_resume(&j, out);
	json_object(&j, "counters");
	for (int i = 0; i <= LEVEL_WARNING; i++)
		json_int(&j, level_table[i].name, count[i]);
	json_end(&j);
	json_array(&j, "rows");
	for (size_t i = 0; alert_at(view->snap, i, &alert); i++)
		put_alert(view->snap, &alert, &j);
	json_end(&j);
}
