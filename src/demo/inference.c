/* SPDX-License-Identifier: MIT */
/* Role inference: the answers of the October daemon without a model, byte for byte in its style. */
#include "config.h"
#include "inference.h"

#include <stdio.h>
#include <time.h>

#include "body.h"
#include "fleet.h"
#include "forecast.h"
#include "wait.h"

enum { WINDOW_RECORDS = 6000, RECORDS_NEEDED = 100, READY_RECORDS = 150 };

/* The fleet at one moment, and the data that the daemon has received about it. */
struct received {
	struct fleet fleet;
	int64_t tick;
	int64_t window, records_per_server;
	int ready;
};

static bool load_received(const struct daemon *d, struct received *r)
{
	struct state s;
	int64_t records;

	if (!state_read(d->state_fd, &s))
		return false;
	fleet_init(&r->fleet, &s);
	r->tick = state_tick(&s, wait_wall_ms());
	r->ready = 0;
	records = s.fed_records;
	for (int i = 0; i < r->fleet.size; i++) {
		int64_t sent = fleet_records(&r->fleet, i, r->tick);

		records += sent;
		r->ready += sent >= READY_RECORDS;
	}
	r->window = records < WINDOW_RECORDS ? records : WINDOW_RECORDS;
	r->records_per_server = records / r->fleet.size;
	return true;
}

static long long batches(const struct received *r)
{
	return r->tick + r->fleet.state.fed_batches;
}

/* Local time without a zone, as datetime.now().isoformat() writes it. */
static void put_now(struct text *t)
{
	char stamp[32];
	struct timespec ts;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	localtime_r(&ts.tv_sec, &tm);
	strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
	text_fmt(t, "%s.%06ld", stamp, ts.tv_nsec / 1000);
}

static void put_forecast(struct text *t, enum metric m, const struct forecast *c)
{
	text_fmt(t, "%s\"%s\":{\"p50\":", m ? "," : "", fleet_metric_name(m));
	text_nums(t, c->p50, STEPS);
	text_str(t, ",\"p10\":");
	text_nums(t, c->p10, STEPS);
	text_str(t, ",\"p90\":");
	text_nums(t, c->p90, STEPS);
	text_str(t, ",\"current\":");
	text_num(t, c->current);
	text_str(t, ",\"trend\":");
	text_num(t, c->trend);
	text_str(t, "}");
}

/*
 * One inference over the fleet; the forecasts are written to `out` unless it is NULL. False if told
 * to stop meanwhile. The first server changes from tick to tick, because clients must not rely on
 * the order of the objects.
 */
static bool infer(const struct received *r, struct outlook *o, struct text *out)
{
	struct forecast metrics[METRICS];
	int size = r->fleet.size;

	for (int i = 0; i < size; i++) {
		int server = (int)((r->tick * 7 + i) % size);

		if (!wait_go_on())
			return false;
		for (int m = 0; m < METRICS; m++)
			forecast_metric(&metrics[m], &r->fleet, server, (enum metric)m, r->tick);
		outlook_add(o, server, metrics);
		if (!out)
			continue;
		text_fmt(out, "%s\"%s\":{", i ? "," : "", r->fleet.name[server]);
		for (int m = 0; m < METRICS; m++)
			put_forecast(out, (enum metric)m, &metrics[m]);
		text_str(out, "}");
	}
	return true;
}

static void put_alert(struct text *t, const struct fleet *f, const struct alert *a, bool first)
{
	const char *name = f->name[a->server], *metric = fleet_metric_name(a->metric);

	text_fmt(t,
		 "%s{\"server\":\"%s\",\"metric\":\"%s\",\"severity\":\"%s\",\"predicted_value\":",
		 first ? "" : ",", name, metric, a->critical ? "critical" : "warning");
	text_num(t, a->value);
	text_fmt(t,
		 ",\"threshold\":%d,\"steps_ahead\":%d,\"minutes_ahead\":%d,"
		 "\"message\":\"%s: %s predicted to reach %.1f\"}",
		 a->threshold, a->step, a->step * STEP_MINUTES, name, metric, a->value);
}

/* Critical first, then by minutes, then in the order in which they were found. */
static void put_alerts(struct text *t, const struct fleet *f, const struct outlook *o)
{
	bool first = true;

	text_str(t, "[");
	for (int row = 0; row < 2 * STEPS_1H; row++) {
		bool critical = row < STEPS_1H;
		int step = row % STEPS_1H + 1;

		for (size_t i = 0; i < o->alert_count; i++) {
			if (o->alerts[i].critical != critical || o->alerts[i].step != step)
				continue;
			put_alert(t, f, &o->alerts[i], first);
			first = false;
		}
	}
	text_str(t, "]");
}

static void put_environment(struct text *t, const struct outlook *o, int size)
{
	double prob_30m = o->sum_30m / size, prob_8h = o->sum_8h / size;
	const char *health = prob_30m > 0.7 ? "critical" : prob_30m > 0.4 ? "warning" : "healthy";

	text_str(t, "{\"prob_30m\":");
	text_num(t, prob_30m);
	text_str(t, ",\"prob_8h\":");
	text_num(t, prob_8h);
	text_str(t, ",\"incident_probability_30m\":");
	text_num(t, prob_30m);
	text_str(t, ",\"incident_probability_8h\":");
	text_num(t, prob_8h);
	text_fmt(t, ",\"high_risk_servers\":%d,\"total_servers\":%d,\"fleet_health\":\"%s\"}",
		 o->high_risk, size, health);
}

static void put_metadata(struct text *t, const struct received *r)
{
	text_str(t, "{\"model_type\":\"TFT\",\"model_dir\":\"none\",\"prediction_time\":\"");
	put_now(t);
	text_fmt(t, "\",\"horizon_steps\":%d,\"input_points\":%lld,\"device\":\"cpu\"}", STEPS,
		 (long long)r->window);
}

static bool answer_predictions(struct daemon *d, const struct request *rq, struct reply *rp)
{
	struct outlook o = {0};
	struct received r;
	bool done = true;

	(void)rq;
	if (!wait_for(-1, 0, d->latency_ms) || !load_received(d, &r))
		return false;
	if (r.window < RECORDS_NEEDED) {
		text_fmt(&rp->body,
			 "{\"error\":\"insufficient_data\",\"message\":\"Need at least %d records, "
			 "have %lld\",\"predictions\":{}}",
			 RECORDS_NEEDED, (long long)r.window);
		return true;
	}
	text_str(&rp->body, "{\"predictions\":{");
	done = infer(&r, &o, &rp->body);
	text_str(&rp->body, "},\"alerts\":");
	put_alerts(&rp->body, &r.fleet, &o);
	text_str(&rp->body, ",\"environment\":");
	put_environment(&rp->body, &o, r.fleet.size);
	text_str(&rp->body, ",\"metadata\":");
	put_metadata(&rp->body, &r);
	text_str(&rp->body, "}");
	rp->body.failed |= o.failed;
	outlook_free(&o);
	return done;
}

static bool answer_alerts(struct daemon *d, const struct request *rq, struct reply *rp)
{
	struct outlook o = {0};
	struct received r;
	bool done = true;

	(void)rq;
	if (!wait_for(-1, 0, d->latency_ms) || !load_received(d, &r))
		return false;
	if (r.window >= RECORDS_NEEDED)
		done = infer(&r, &o, NULL);
	text_str(&rp->body, "{\"timestamp\":\"");
	put_now(&rp->body);
	text_fmt(&rp->body, "\",\"count\":%zu,\"alerts\":", o.alert_count);
	put_alerts(&rp->body, &r.fleet, &o);
	text_str(&rp->body, "}");
	rp->body.failed |= o.failed;
	outlook_free(&o);
	return done;
}

static void put_warmup_message(struct text *t, const struct received *r)
{
	if (r->window == 0)
		text_str(t, "Waiting for data...");
	else if (r->ready == r->fleet.size)
		text_str(t, "Model ready - using TFT predictions");
	else
		text_fmt(t, "Warming up: %d/%d servers ready", r->ready, r->fleet.size);
}

static bool answer_status(struct daemon *d, const struct request *rq, struct reply *rp)
{
	struct received r;

	(void)rq;
	if (!load_received(d, &r))
		return false;
	text_fmt(&rp->body,
		 "{\"running\":true,\"tick_count\":%lld,\"window_size\":%lld,\"warmup\":{"
		 "\"is_warmed_up\":%s,\"progress_percent\":%d,\"threshold\":%d,\"current_size\":%"
		 "lld,"
		 "\"required_size\":%d,\"message\":\"",
		 batches(&r), (long long)r.window, r.ready == r.fleet.size ? "true" : "false",
		 r.ready * 100 / r.fleet.size, READY_RECORDS, (long long)r.records_per_server,
		 READY_RECORDS);
	put_warmup_message(&rp->body, &r);
	text_str(&rp->body, "\"}}");
	return true;
}

static bool answer_health(struct daemon *d, const struct request *rq, struct reply *rp)
{
	(void)d;
	(void)rq;
	text_str(&rp->body,
		 "{\"status\":\"healthy\",\"service\":\"tft_inference_daemon\",\"running\":true}");
	return true;
}

static bool answer_root(struct daemon *d, const struct request *rq, struct reply *rp)
{
	(void)d;
	(void)rq;
	text_str(&rp->body,
		 "{\"service\":\"TFT Inference Daemon\",\"version\":\"2.0\",\"status\":\"running\","
		 "\"endpoints\":{\"feed\":\"POST /feed/data\","
		 "\"predictions\":\"GET /predictions/current\","
		 "\"alerts\":\"GET /alerts/active\",\"status\":\"GET /status\","
		 "\"health\":\"GET /health\"}}");
	return true;
}

/* The list of records, which must all be objects; NULL with a complete 422. */
static struct json_object *feed_records(struct json_object *body, struct reply *rp)
{
	struct json_object *records = body_field(body, "records", rp);
	char loc[48];

	if (!records)
		return NULL;
	if (!json_object_is_type(records, json_type_array)) {
		body_refuse(rp, ",\"records\"", "value is not a valid list", "type_error.list");
		return NULL;
	}
	for (size_t i = 0; i < json_object_array_length(records); i++) {
		struct json_object *record = json_object_array_get_idx(records, i);

		if (json_object_is_type(record, json_type_object))
			continue;
		snprintf(loc, sizeof loc, ",\"records\",%zu", i);
		body_refuse(rp, loc, "value is not a valid dict", "type_error.dict");
		return NULL;
	}
	return records;
}

/* Records sent are counted but not used: the fleet is simulated. */
static bool count_records(const struct daemon *d, size_t records)
{
	struct state s;

	if (!state_lock(d->state_fd, &s))
		return false;
	s.fed_batches++;
	s.fed_records += (int64_t)records;
	return state_save(d->state_fd, &s);
}

static bool accept_records(struct daemon *d, size_t count, struct reply *rp)
{
	struct received r;

	if (count == 0) {
		text_str(&rp->body, "{\"status\":\"ignored\",\"reason\":\"empty batch\"}");
		return true;
	}
	if (!count_records(d, count) || !load_received(d, &r))
		return false;
	text_fmt(&rp->body,
		 "{\"status\":\"accepted\",\"tick\":%lld,\"window_size\":%lld,\"servers_tracked\":%"
		 "d,"
		 "\"servers_ready\":%d,\"warmup_complete\":%s}",
		 batches(&r), (long long)r.window, r.fleet.size, r.ready,
		 r.ready == r.fleet.size ? "true" : "false");
	return true;
}

static bool answer_feed(struct daemon *d, const struct request *rq, struct reply *rp)
{
	struct json_object *body = body_object(rq, rp);
	struct json_object *records = body ? feed_records(body, rp) : NULL;
	bool done = true;

	if (records)
		done = accept_records(d, json_object_array_length(records), rp);
	json_object_put(body);
	return done;
}

/* clang-format off */
const struct route inference_routes[] = {
	{"/",                    "GET",  false, 0, answer_root},
	{"/health",              "GET",  false, 0, answer_health},
	{"/status",              "GET",  false, 0, answer_status},
	{"/predictions/current", "GET",  true,  1, answer_predictions},
	{"/alerts/active",       "GET",  true,  1, answer_alerts},
	{"/feed/data",           "POST", true,  2, answer_feed},
	{NULL,                   NULL,   false, 0, NULL},
};
/* clang-format on */
