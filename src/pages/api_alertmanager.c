/* SPDX-License-Identifier: MIT */
/* What an Alertmanager told, as JSON (doc/pages.md#alerting). */
#include "config.h"
#include "pages/api.h"

#include "fleet/silenced.h"

static const char *state_of_alert(const struct told_alert *alert)
{
	if (alert->is_silenced)
		return "silenced";
	if (alert->is_inhibited)
		return "inhibited";
	if (alert->is_muted)
		return "muted";
	return alert->is_new ? "unprocessed" : "active";
}

/* null instead of an empty one. */
static void put_text(struct json *j, const char *key, struct span text)
{
	if (text.len)
		json_str(j, key, text);
	else
		json_null(j, key);
}

static void put_alert(const struct told_alert *alert, struct json *j)
{
	json_object(j, NULL);
	json_str(j, "alertname", alert->name);
	json_cstr(j, "severity", level_table[alert->severity].name);
	put_text(j, "server", alert->server);
	put_text(j, "metric", alert->metric);
	api_time(j, "since", alert->from_ms);
	json_str(j, "receivers", alert->receivers);
	json_cstr(j, "state", state_of_alert(alert));
	put_text(j, "silence", alert->silence ? alert->silence->id : (struct span){NULL, 0});
	json_end(j);
}

static void put_matcher(const struct silence_matcher *m, struct json *j)
{
	json_object(j, NULL);
	json_str(j, "label", m->label);
	json_str(j, "value", m->value);
	json_bool(j, "is_regex", m->is_regex);
	json_bool(j, "is_equal", m->is_equal);
	json_end(j);
}

static void put_silence(const struct silence *s, int64_t now_ms, struct json *j)
{
	json_object(j, NULL);
	json_str(j, "id", s->id);
	json_cstr(j, "state", silence_state_names[silence_state_at(s, now_ms)]);
	api_time(j, "from", s->from_ms);
	api_time(j, "until", s->until_ms);
	json_str(j, "author", s->author);
	json_str(j, "comment", s->comment);
	json_bool(j, "is_ours", s->is_ours);
	json_array(j, "matchers");
	for (size_t i = 0; i < s->matcher_count; i++)
		put_matcher(&s->matchers[i], j);
	json_end(j);
	json_end(j);
}

static void put_itself(const struct snapshot *snap, struct json *j)
{
	const struct alertmanager *a = &snap->alertmanager;
	bool is_told = snap->untold == REASON_NONE;

	api_time(j, "read_at", a->read_ms);
	json_cstr(j, "fault", is_told ? NULL : reason_table[snap->untold].text);
	api_time(j, "fault_since", is_told ? 0 : snap->untold_ms);
	put_text(j, "version", a->version);
	put_text(j, "cluster", a->cluster);
	json_int(j, "peers", a->peers);
}

void api_alertmanager(const struct view *view, struct json *j)
{
	const struct alertmanager *a = &view->snap->alertmanager;

	if (!view->site->sends_alerts || view->at_ms) {
		json_null(j, "alertmanager");
		return;
	}
	json_object(j, "alertmanager");
	put_itself(view->snap, j);
	json_array(j, "alerts");
	for (size_t i = 0; i < a->alert_count; i++)
		put_alert(&a->alerts[i], j);
	json_end(j);
	json_int(j, "alerts_left_out", a->alerts_left_out);
	json_array(j, "silences");
	for (size_t i = 0; i < a->silences.count; i++)
		put_silence(&a->silences.list[i], silenced_at(view->snap), j);
	json_end(j);
	json_int(j, "silences_left_out", a->silences_left_out);
	json_end(j);
}
