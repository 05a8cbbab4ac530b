/* SPDX-License-Identifier: MIT */
/* The incidents as JSON and CSV (doc/pages.md#endpoints, doc/pages.md#data-formats). */
#include "config.h"
#include "pages/contents.h"

#include <math.h>

#include "base/csv.h"
#include "base/json.h"
#include "fleet/incidents.h"
#include "pages/api.h"
#include "pages/pieces.h"

static int64_t duration_s(const struct view *view, const struct incident *i)
{
	return incident_duration_ms(i, snapshot_bucket_ms(view->snap)) / 1000;
}

static const char *level_name(const struct incident *i)
{
	return level_table[incident_level(i)].name;
}

static void put_name(struct json *j, const char *key, struct span name)
{
	if (name.len)
		json_str(j, key, name);
	else
		json_null(j, key);
}

static void put_peak(struct json *j, const struct incident *i, struct span name)
{
	json_object(j, "peak");
	api_time(j, "at", i->peak_ms);
	json_cstr(j, "level", level_name(i));
	json_tenths(j, "risk", i->risk);
	json_cstr(j, "reason", page_incident_reason(i));
	put_name(j, "server", name);
	if (i->environment)
		json_int(j, "critical_or_worse", i->servers);
	else
		json_null(j, "critical_or_worse");
	json_end(j);
}

static void put_incident(const struct view *view, const struct incident *i, struct json *j)
{
	struct span name = incident_name(view->incidents, i);

	json_object(j, NULL);
	json_cstr(j, "kind", i->environment ? "environment" : "server");
	put_name(j, "server", i->environment ? (struct span){"", 0} : name);
	json_cstr(j, "profile", i->environment ? NULL : profile_table[i->profile].name);
	api_time(j, "from", i->from_ms);
	api_time(j, "to", i->to_ms);
	json_int(j, "duration_s", duration_s(view, i));
	put_peak(j, i, name);
	json_end(j);
}

void api_incidents(const struct view *view, struct buf *out)
{
	const struct incident *const *incident;
	struct buf list;
	struct json j;
	size_t count;

	json_resume(&j, out);
	json_cstr(&j, "range", query_period_name(view->query->period));
	/* Not known is not the same as none. */
	if (!view->incidents) {
		json_null(&j, "incidents");
		return;
	}
	count = page_incident_list(view, &list, out);
	incident = (const struct incident *const *)(const void *)list.data;
	json_array(&j, "incidents");
	for (size_t i = 0; i < count; i++)
		put_incident(view, incident[i], &j);
	json_end(&j);
	buf_free(&list);
}

static void put_row(const struct view *view, const struct incident *i, struct csv *c)
{
	const char *reason = page_incident_reason(i);
	struct span name = incident_name(view->incidents, i);

	csv_str(c, i->environment ? "environment" : "server");
	csv_text(c, i->environment ? (struct span){"", 0} : name);
	csv_str(c, i->environment ? "" : profile_table[i->profile].name);
	csv_time(c, i->from_ms);
	csv_time(c, i->to_ms);
	csv_num(c, (double)duration_s(view, i));
	csv_str(c, level_name(i));
	csv_tenths(c, i->risk);
	csv_time(c, i->peak_ms);
	csv_str(c, reason ? reason : "");
	csv_text(c, name);
	csv_num(c, i->environment ? (double)i->servers : (double)NAN);
	csv_end(c);
}

void csv_incidents(const struct view *view, struct buf *out)
{
	const struct incident *const *incident;
	struct buf list;
	size_t count;
	struct csv c;

	csv_init(&c, out,
		 "kind,server,profile,from,to,duration_s,level,risk,peak_at,reason,worst,"
		 "critical_or_worse");
	if (!view->incidents)
		return;
	count = page_incident_list(view, &list, out);
	incident = (const struct incident *const *)(const void *)list.data;
	for (size_t i = 0; i < count; i++)
		put_row(view, incident[i], &c);
	buf_free(&list);
}
