/* SPDX-License-Identifier: MIT */
/* The pages as CSV (doc/pages.md#data-formats): the same rows as the page, in the same order, with
 * the same filters. */
#include "config.h"
#include "pages/contents.h"

#include "base/csv.h"
#include "fleet/rules.h"
#include "pages/table.h"
#include "pages/pieces.h"
#include "fleet/heat.h"

static void put_reading(struct csv *c, const struct reading *r)
{
	csv_num(c, r->now);
	csv_num(c, r->predicted);
	csv_num(c, r->change);
}

void csv_overview(const struct view *view, struct buf *out)
{
	const struct row *row;
	struct buf rows;
	size_t count = page_alerts(view, &rows, out);
	struct csv c;

	csv_init(
		&c, out,
		"priority,server,profile,risk,cpu_now,cpu_predicted_30m,cpu_delta,iowait_now,"
		"iowait_predicted_30m,iowait_delta,mem_now,mem_predicted_30m,mem_delta,since,time");
	row = (const struct row *)rows.data;
	for (size_t i = 0; i < count; i++) {
		const struct server *s = row[i].server;

		csv_str(&c, level_table[level_of(s->risk)].name);
		csv_text(&c, s->name);
		csv_str(&c, profile_table[s->profile].name);
		csv_tenths(&c, s->risk);
		put_reading(&c, &s->cpu);
		put_reading(&c, &s->iowait);
		put_reading(&c, &s->memory);
		csv_time(&c, server_level_since(s));
		csv_time(&c, snapshot_bucket_ms(view->snap));
		csv_end(&c);
	}
	buf_free(&rows);
}

void csv_heatmap(const struct view *view, struct buf *out)
{
	const struct query *q = view->query;
	const struct row *row;
	struct buf rows;
	size_t count = table_rows(view, view->snap->count, &rows, out);
	struct csv c;

	csv_init(&c, out, "server,profile,level,metric,value,time");
	row = (const struct row *)rows.data;
	for (size_t i = 0; i < count; i++) {
		const struct server *s = row[i].server;

		csv_text(&c, s->name);
		csv_str(&c, profile_table[s->profile].name);
		csv_str(&c, level_table[level_of(s->risk)].name);
		csv_str(&c, query_metric_name(q->metric));
		csv_num(&c, heat_value(s, q->metric));
		csv_time(&c, snapshot_bucket_ms(view->snap));
		csv_end(&c);
	}
	buf_free(&rows);
}

static void put_figure(struct csv *c, const char *name, double value, const char *unit)
{
	csv_str(c, name);
	csv_num(c, value);
	csv_str(c, unit);
	csv_end(c);
}

void csv_cost(const struct view *view, struct buf *out)
{
	struct cost cost;
	struct csv c;

	cost_of(view->snap, view->query->cost, &cost);
	csv_init(&c, out, "figure,value,unit");
	for (int i = 0; i < COST_INPUTS; i++)
		put_figure(&c, cost_input_table[i].name, view->query->cost[i],
			   cost_input_table[i].unit);
	for (int i = 0; i < COST_FIGURES; i++)
		put_figure(&c, cost_figure_table[i].name, cost.figure[i],
			   cost_figure_table[i].unit);
}

void csv_remediation(const struct view *view, struct buf *out)
{
	struct buf rows;
	size_t count = table_rows(view, rules_count(view->snap, RISK_HIGH), &rows, out);
	const struct row *row = (const struct row *)rows.data;
	struct csv c;

	csv_init(&c, out,
		 "server,profile,risk,predicted_cpu,action,integration_point,time_to_effect,status,"
		 "time");
	for (size_t i = 0; i < count; i++) {
		const struct server *s = row[i].server;
		const struct remedy *remedy = &remedy_table[s->profile];

		csv_text(&c, s->name);
		csv_str(&c, profile_table[s->profile].name);
		csv_tenths(&c, s->risk);
		csv_num(&c, s->cpu.worst);
		csv_str(&c, remedy->action);
		csv_str(&c, remedy->integration);
		csv_str(&c, remedy->time);
		csv_str(&c, REMEDY_STATUS);
		csv_time(&c, snapshot_bucket_ms(view->snap));
		csv_end(&c);
	}
	buf_free(&rows);
}

void csv_alerting(const struct view *view, struct buf *out)
{
	char text[ALERT_TEXT];
	struct buf list;
	size_t count = page_alerting_list(view, &list, out);
	const struct alert *alert = (const struct alert *)list.data;
	struct csv c;

	csv_init(&c, out, "severity,type,message,recipients,delivery,action,escalation");
	for (size_t i = 0; i < count; i++) {
		const struct alert_route *route = alert[i].route;

		csv_str(&c, level_table[alert[i].level].name);
		csv_text(&c, alert_type(&alert[i], text));
		csv_text(&c, alert_message(view->snap, &alert[i], text));
		csv_str(&c, route->recipients);
		csv_str(&c, route->delivery);
		csv_str(&c, route->action);
		csv_str(&c, route->escalation ? route->escalation : "");
		csv_end(&c);
	}
	buf_free(&list);
}
