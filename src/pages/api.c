/* SPDX-License-Identifier: MIT */
/* The JSON routes. Keys are in the order of doc/pages.md#endpoints; absent numbers are null. */
#include "config.h"
#include "pages/api.h"
#include "pages/contents.h"

#include <math.h>

#include "base/fmt.h"
#include "fleet/verdict.h"
#include "pages/sentence.h"
#include "pages/state.h"
#include "pages/table.h"
#include "pages/pieces.h"
#include "fleet/heat.h"

void api_time(struct json *j, const char *key, int64_t epoch_ms)
{
	struct buf text;

	buf_init(&text, 64);
	if (epoch_ms)
		fmt_iso(&text, epoch_ms);
	if (text.len)
		json_str(j, key, buf_span(&text));
	else
		json_null(j, key);
	buf_free(&text);
}

static void put_condition(const struct condition *condition, bool has_data, struct json *j)
{
	enum condition_code code = condition_code(condition);

	/* Nothing has gone wrong yet, but without data the condition is not "ok". */
	if (code == CONDITION_OK && !has_data)
		code = CONDITION_NO_DATA;
	json_cstr(j, "condition", condition_names[code]);
	json_cstr(j, "detail",
		  condition->reason == REASON_NONE ? NULL : reason_table[condition->reason].text);
}

void api_common(const struct view *view, struct json *j)
{
	bool has_data = state_has_data(view);

	if (has_data)
		json_int(j, "bucket", view->snap->bucket);
	else
		json_null(j, "bucket");
	json_int(j, "interval_s", view->site->interval_ms / 1000);
	api_time(j, "generated_at", has_data ? view->snap->gen_ms : 0);
	api_time(j, "at", view->at_ms);
	if (view->at_ms) {
		json_cstr(j, "condition", condition_names[CONDITION_PAST]);
		json_null(j, "detail");
	} else {
		put_condition(view->condition, has_data, j);
	}
}

void api_error(const struct http_error *error, const char *parameter, const char *hint,
	       struct buf *out)
{
	struct json j;

	json_init(&j, out);
	json_object(&j, NULL);
	json_cstr(&j, "title", error->title);
	json_int(&j, "status", error->status);
	json_cstr(&j, "detail", error->text);
	if (parameter)
		json_cstr(&j, "parameter", parameter);
	if (hint)
		json_cstr(&j, error->status == 400 ? "valid_values" : "said", hint);
	json_end(&j);
}

void api_no_moment(const struct http_error *error, const struct no_moment *none, struct buf *out)
{
	struct json j;

	json_init(&j, out);
	json_object(&j, NULL);
	json_cstr(&j, "title", error->title);
	json_int(&j, "status", error->status);
	json_cstr(&j, "detail", error->text);
	api_time(&j, "before", none->before_ms);
	api_time(&j, "after", none->after_ms);
	json_end(&j);
}

static void put_environment(const struct snapshot *snap, const struct fleet_counts *n,
			    struct json *j)
{
	enum status status = status_of_fleet(n->total, n->or_worse);
	enum status card = status_of_index(snap->prob_30m, snap->prob_8h);

	json_object(j, "environment");
	json_cstr(j, "status", status_table[status].name);
	json_num(j, "prob_30m", snap->prob_30m);
	json_num(j, "prob_8h", snap->prob_8h);
	json_cstr(j, "predicted_status",
		  card == STATUS_UNKNOWN ? NULL : status_table[card].capital);
	json_end(j);
}

/* What leads on every page. */
static void put_verdict(const struct view *view, const struct fleet_counts *n, struct json *j)
{
	const struct verdict verdict = verdict_of(n);
	struct buf words;

	buf_init(&words, 4096);
	sentence_put(view, SENTENCE_TEXT, &words);
	json_cstr(j, "verdict", verdict_name(&verdict));
	if (buf_ok(&words))
		json_str(j, "sentence", buf_span(&words));
	else
		buf_fail(j->out);
	buf_free(&words);
}

static void put_counts(const struct fleet_counts *n, struct json *j)
{
	json_object(j, "fleet");
	json_int(j, "total", n->total);
	json_int(j, "healthy", n->healthy);
	json_object(j, "levels");
	for (int i = 0; i < LEVEL_COUNT; i++)
		json_int(j, level_table[i].name, n->level[i]);
	json_end(j);
	json_end(j);
}

static void put_now(struct json *j, const char *key, double now)
{
	json_object(j, key);
	json_num(j, "now", now);
	json_end(j);
}

static void put_reading(struct json *j, const char *key, const struct reading *r)
{
	json_object(j, key);
	json_num(j, "now", r->now);
	json_num(j, "p50_30m", r->predicted);
	json_end(j);
}

void api_silence(const struct server *s, int64_t gen_ms, struct json *j)
{
	api_time(j, "silent_since", server_is_silent(s, gen_ms) ? s->same_since_ms : 0);
}

void api_level_since(const struct server *s, const struct snapshot *snap, struct json *j)
{
	int64_t since_ms = server_level_since(s);

	api_time(j, "level_since", since_ms);
	json_bool(j, "level_since_at_least", since_ms && since_ms <= snap->watched_from_ms);
}

void api_server_members(const struct server *s, const struct snapshot *snap, struct json *j)
{
	json_str(j, "name", s->name);
	json_cstr(j, "profile", profile_table[s->profile].name);
	json_tenths(j, "risk", s->risk);
	json_cstr(j, "level", level_table[level_of(s->risk)].name);
	json_object(j, "cpu");
	json_num(j, "now", s->cpu.now);
	json_num(j, "p10_30m", s->cpu.best);
	json_num(j, "p50_30m", s->cpu.predicted);
	json_num(j, "p90_30m", s->cpu.worst);
	json_end(j);
	put_reading(j, "iowait", &s->iowait);
	put_reading(j, "memory", &s->memory);
	put_now(j, "swap", s->swap_now);
	put_now(j, "load", s->load.now);
	json_object(j, "heatmap");
	json_tenths(j, "risk", s->risk);
	json_num(j, "cpu", heat_value(s, HEAT_CPU));
	json_num(j, "memory", heat_value(s, HEAT_MEMORY));
	json_num(j, "load", heat_value(s, HEAT_LOAD));
	json_end(j);
	api_level_since(s, snap, j);
	api_silence(s, snap->gen_ms, j);
}

void api_fleet(const struct view *view, struct buf *out)
{
	static const char *const models[] = {
		[MODEL_UNKNOWN] = "unknown", [MODEL_HEURISTIC] = "heuristic", [MODEL_TFT] = "tft"};
	const struct snapshot *snap = view->snap;
	struct fleet_counts n;
	struct json j;

	snapshot_count(snap, &n);
	json_resume(&j, out);
	json_cstr(&j, "model", models[snap->model]);
	json_cstr(&j, "prediction_time", snap->prediction_time[0] ? snap->prediction_time : NULL);
	put_environment(snap, &n, &j);
	put_verdict(view, &n, &j);
	put_counts(&n, &j);
	json_array(&j, "servers");
	for (size_t i = 0; i < snap->count; i++) {
		json_object(&j, NULL);
		api_server_members(&snap->servers[i], snap, &j);
		json_end(&j);
	}
	json_end(&j);
}

void api_change(struct json *j, const char *key, const struct reading *r)
{
	json_object(j, key);
	json_num(j, "now", r->now);
	json_num(j, "predicted", r->predicted);
	json_num(j, "delta", r->change);
	json_end(j);
}

static void put_alert(const struct server *s, const struct snapshot *snap, struct json *j)
{
	json_object(j, NULL);
	json_str(j, "server", s->name);
	json_cstr(j, "profile", profile_table[s->profile].name);
	json_cstr(j, "level", level_table[level_of(s->risk)].name);
	json_tenths(j, "risk", s->risk);
	api_change(j, "cpu", &s->cpu);
	api_change(j, "iowait", &s->iowait);
	api_change(j, "memory", &s->memory);
	api_level_since(s, snap, j);
	api_silence(s, snap->gen_ms, j);
	api_time(j, "silenced_until", s->silence ? s->silence->until_ms : 0);
	json_end(j);
}

void api_alerts(const struct view *view, struct buf *out)
{
	const struct row *row;
	struct buf rows;
	size_t count = page_alerts(view, &rows, out);
	struct json j;

	json_resume(&j, out);
	json_int(&j, "count", (int64_t)count);
	json_array(&j, "alerts");
	row = (const struct row *)rows.data;
	for (size_t i = 0; i < count; i++)
		put_alert(row[i].server, view->snap, &j);
	json_end(&j);
	buf_free(&rows);
}

static void put_warmup(const struct warmup *w, struct json *j)
{
	json_object(j, "warmup");
	json_bool(j, "known", w->known);
	if (w->known) {
		json_bool(j, "is_warmed_up", w->done);
		json_int(j, "progress_percent", w->progress_percent);
		json_int(j, "current_size", w->current_size);
		json_int(j, "required_size", w->required_size);
		api_time(j, "asked_at", w->at_ms);
	}
	json_end(j);
}

static void put_scenario(const struct scenario *s, struct json *j)
{
	if (!s->known) {
		json_null(j, "scenario");
		return;
	}
	json_object(j, "scenario");
	json_cstr(j, "scenario", s->name);
	json_int(j, "total_affected", s->affected);
	json_int(j, "fleet_size", s->fleet_size);
	json_array(j, "affected_servers");
	for (int i = 0; i < s->name_count; i++)
		json_cstr(j, NULL, s->names[i]);
	json_end(j);
	api_time(j, "asked_at", s->at_ms);
	json_end(j);
}

/* The newest call: its duration and its result. */
static void put_last_call(const struct diagnosis *d, struct json *j)
{
	const struct diagnosis_call *call = &d->calls[0];

	if (d->count == 0) {
		json_null(j, "last_call");
		return;
	}
	json_object(j, "last_call");
	api_time(j, "at", call->at_ms);
	json_cstr(j, "result", call->result);
	json_int(j, "status", call->status);
	json_int(j, "fetch_ms", call->fetch_ms);
	json_int(j, "total_ms", call->total_ms);
	json_int(j, "bytes", call->bytes);
	json_end(j);
}

static void put_found(const struct diagnosis *d, struct json *j)
{
	json_object(j, "node_requests");
	json_int(j, "fresh", d->fresh);
	json_int(j, "stale", d->stale);
	json_int(j, "cold", d->cold);
	json_int(j, "down", d->down);
	json_end(j);
}

static void put_upstream(const struct view *view, const struct diagnosis *d, struct json *j)
{
	const struct condition *c = view->condition;
	bool has_data = state_has_data(view);

	json_object(j, "upstream");
	json_object(j, "fleet");
	put_condition(c, has_data, j);
	api_time(j, "since", c->since_ms);
	api_time(j, "next_try", c->next_try_ms);
	if (d->budget_left >= 0)
		json_int(j, "budget_left", d->budget_left);
	else
		json_null(j, "budget_left");
	put_last_call(d, j);
	json_end(j);
	json_object(j, "feed");
	api_time(j, "silent_since", has_data ? state_silent_since(view) : 0);
	json_end(j);
	json_end(j);
}

static const char *redis_state(const struct api_status *status)
{
	if (status->condition->cache_refuses)
		return "refuses";
	return status->redis_up ? "up" : "down";
}

void api_status(const struct api_status *status, struct buf *out)
{
	struct view view = {.site = status->site,
			    .snap = status->snap,
			    .condition = status->condition,
			    .warmup = status->warmup,
			    .scenario = status->scenario};
	struct json j;

	json_init(&j, out);
	json_object(&j, NULL);
	api_common(&view, &j);
	put_warmup(status->warmup, &j);
	put_scenario(status->scenario, &j);
	put_upstream(&view, status->diagnosis, &j);
	json_object(&j, "cache");
	json_cstr(&j, "redis", redis_state(status));
	json_int(&j, "bucket", status->bucket);
	json_int(&j, "interval_s", status->site->interval_ms / 1000);
	api_time(&j, "next_bucket", status->diagnosis->next_bucket_ms);
	put_found(status->diagnosis, &j);
	json_end(&j);
	json_end(&j);
}
