/* SPDX-License-Identifier: MIT */
/*
 * From upstream text to typed values. json-c sees one object at a time, cut out and bounded by
 * scan and without its lists of numbers.
 */
#include "config.h"

#include "fleet/decode.h"

#include <assert.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>

#include "fleet/dom.h"
#include "fleet/forecast.h"
#include "base/numbers.h"
#include "fleet/risk.h"
#include "fleet/scan.h"
#include "base/utf8.h"

struct decode {
	struct scan *scan;
	struct json_tokener *tokener;
	/* The current server: whether its lists were extracted, the lists, and the remaining
	 * text. */
	bool taken;
	struct numbers numbers;
	struct buf rest;
	struct snapshot *snap;
	enum reason failed; /* not REASON_NONE: a callback stopped the scan because of this */
	bool has_predictions, has_error, is_warming;
	bool model_named, model_claimed; /* by metadata */
	bool model_seen;                 /* a forecast that is not a straight line was seen */
	double prob_30m, prob_8h;
	char prediction_time[sizeof(((struct snapshot *)0)->prediction_time)];
};

/* Printable ASCII that fits, NUL-terminated; anything else leaves the text empty. */
static bool copy_text(char *out, size_t size, struct span text)
{
	size_t i;

	out[0] = '\0';
	if (text.len == 0 || text.len >= size)
		return false;
	for (i = 0; i < text.len; i++)
		if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7e)
			return false;
	memcpy(out, text.ptr, text.len);
	out[text.len] = '\0';
	return true;
}

/* ---- forecasts ---- */

static_assert(NUMBERS_KEPT == FORECAST_STEPS, "an extracted list is a forecast");

static size_t kept(const struct numbers_list *list)
{
	return list->len < FORECAST_STEPS ? list->len : FORECAST_STEPS;
}

static double member_number(struct decode *d, const struct json_object *metric, int m,
			    const char *key)
{
	struct json_object *value = NULL;
	double number;

	if (!json_object_object_get_ex(metric, key, &value))
		return NAN;
	number = metric_gate((enum metric)m, dom_number(value));
	d->snap->odd_values += isnan(number) != 0;
	return number;
}

/* Reads the array into *list, for a text whose lists could not be extracted. NULL if it holds
 * anything but numbers: such a list is absent as a whole. */
static const struct numbers_list *read_numbers(const struct json_object *array,
					       struct numbers_list *list)
{
	size_t i;

	list->len = json_object_array_length(array);
	for (i = 0; i < list->len; i++) {
		double number = dom_number(json_object_array_get_idx(array, i));

		if (isnan(number))
			return NULL;
		if (i < NUMBERS_KEPT)
			list->value[i] = number;
	}
	return list;
}

/* The list that was extracted in place of this array; NULL if the array was in the original
 * text. */
static const struct numbers_list *taken_list(const struct decode *d,
					     const struct json_object *array)
{
	int64_t i = json_object_get_int64(json_object_array_get_idx(array, 0));

	return i >= 0 && (size_t)i < d->numbers.count ? &d->numbers.list[i] : NULL;
}

static bool is_plausible(const struct numbers_list *list, int m)
{
	bool all = true;

	for (size_t i = 0; i < kept(list); i++)
		all &= !isnan(metric_gate((enum metric)m, list->value[i]));
	return all;
}

static const struct numbers_list *member_list(struct decode *d, const struct json_object *metric,
					      int m, const char *key, struct numbers_list *store)
{
	static const struct numbers_list absent;
	const struct numbers_list *list = NULL;
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(metric, key, &value))
		return &absent;
	if (json_object_is_type(value, json_type_array))
		list = d->taken ? taken_list(d, value) : read_numbers(value, store);
	if (list && is_plausible(list, m))
		return list;
	d->snap->odd_values++;
	return &absent;
}

/* ---- one server ---- */

/* The metric's object, or NULL. A known name with another kind of value counts as odd; one without
 * readable numbers is not a metric. */
static const struct json_object *find_metric(struct decode *d, const struct json_object *object,
					     int m)
{
	struct json_object *metric = NULL;

	if (!json_object_object_get_ex(object, metric_table[m].wire, &metric))
		return NULL;
	if (!json_object_is_type(metric, json_type_object)) {
		d->snap->odd_values++;
		return NULL;
	}
	if (!json_object_object_get_ex(metric, "current", NULL) &&
	    !json_object_object_get_ex(metric, "p50", NULL))
		return NULL;
	return metric;
}

static void read_metric(struct decode *d, const struct json_object *metric, int m,
			struct forecast *f, struct server *server)
{
	struct series *series = server->series;
	struct numbers_list stores[3];
	const struct numbers_list *p10 = member_list(d, metric, m, "p10", &stores[0]);
	const struct numbers_list *p50 = member_list(d, metric, m, "p50", &stores[1]);
	const struct numbers_list *p90 = member_list(d, metric, m, "p90", &stores[2]);

	series->current[m] = f->now = member_number(d, metric, m, "current");
	series->trend[m] = member_number(d, metric, m, "trend");
	f->p10 = forecast_window(p10->value, p10->len);
	f->p50 = forecast_window(p50->value, p50->len);
	f->p90 = forecast_window(p90->value, p90->len);
	series_pack(p10->value, kept(p10), &series->p10[m]);
	series_pack(p50->value, kept(p50), &series->p50[m]);
	series_pack(p90->value, kept(p90), &series->p90[m]);
	crossing_find(server->crossings, (enum metric)m, f->now, p50->value, kept(p50));
	if (m == METRIC_CPU_USER &&
	    forecast_leaves_line(p50->value, kept(p50), series->current[m], series->trend[m]))
		d->model_seen = true;
}

/* All absent values are the same NaN, so equal values have equal bytes. The optional fifteenth
 * metric is excluded. */
static uint64_t fingerprint_of(const struct series *series)
{
	return hash_xxh64((struct span){(const char *)series->current,
					METRIC_CASCADE_IMPACT * sizeof(series->current[0])});
}

/* -1 if out of memory. A server without any known metric keeps no series, because an upstream could
 * easily send very many of them. */
static int read_metrics(struct decode *d, const struct json_object *object, struct server *server)
{
	struct forecast f[METRIC_COUNT];
	int m;

	for (m = 0; m < METRIC_COUNT; m++) {
		const struct json_object *metric = find_metric(d, object, m);

		f[m] = forecast_absent;
		if (!metric)
			continue;
		if (!server->series && !(server->series = series_new()))
			return -1;
		read_metric(d, metric, m, &f[m], server);
	}
	server->has_data = server->series != NULL;
	forecast_readings(f, server);
	if (server->has_data)
		server->fingerprint = fingerprint_of(server->series);
	return 0;
}

static bool is_server_name(struct span name)
{
	return name.len > 0 && name.len <= SNAPSHOT_NAME_MAX && !memchr(name.ptr, '\0', name.len) &&
	       utf8_valid(name);
}

/* The key parsed as a JSON string, with its escapes decoded; NULL if it is not one. The caller
 * releases the object. */
static struct json_object *parse_key(struct decode *d, struct span key)
{
	char quoted[SCAN_KEY_MAX + 2];

	if (!utf8_valid(key))
		return NULL;
	quoted[0] = quoted[key.len + 1] = '"';
	memcpy(quoted + 1, key.ptr, key.len);
	return dom_parse(d->tokener, (struct span){quoted, key.len + 2});
}

/* Nonzero: stop, for the reason in d->failed. */
static int add_server(struct decode *d, struct span name, const struct json_object *object)
{
	struct server *server;

	if (d->snap->count == SNAPSHOT_SERVERS) {
		d->failed = REASON_BAD;
		return -1;
	}
	server = snapshot_add(d->snap, name);
	if (!server || read_metrics(d, object, server) != 0) {
		d->failed = REASON_INTERNAL;
		return -1;
	}
	risk_score(server);
	return 0;
}

/* json-c allocates an object per number, so it gets the lists only if one of them is not a plain
 * list of numbers. */
static struct json_object *parse_server(struct decode *d, struct span text)
{
	d->taken = numbers_take(text, &d->numbers, &d->rest);
	return dom_parse(d->tokener, d->taken ? buf_span(&d->rest) : text);
}

static int take_server(struct decode *d, struct span key, struct span text)
{
	struct json_object *name = parse_key(d, key);
	struct json_object *object = parse_server(d, text);
	int rc = 0;

	if (!object) {
		/* The brackets match, but it is not JSON, so the whole answer is not JSON
		 * either. */
		d->failed = REASON_BAD;
		rc = -1;
	} else if (is_server_name(dom_string(name))) {
		rc = add_server(d, dom_string(name), object);
	} else {
		d->snap->refused++;
	}
	json_object_put(object);
	json_object_put(name);
	return rc;
}

/* ---- the other members ---- */

static int take_predictions(struct decode *d, bool is_object)
{
	/* If repeated, the last one counts, as with every parser that keeps a map. */
	snapshot_free(&d->snap);
	d->snap = snapshot_new();
	d->model_seen = false;
	d->has_predictions = is_object;
	if (!d->snap)
		d->failed = REASON_INTERNAL;
	return d->snap ? 0 : -1;
}

static double index_of(const struct json_object *environment, const char *key, const char *fallback)
{
	const struct json_object *value = dom_member(environment, key);
	double index;

	index = dom_number(value ? value : dom_member(environment, fallback));
	return index >= 0 && index <= 1 ? index : NAN;
}

static void take_environment(struct decode *d, const struct json_object *environment)
{
	d->prob_30m = index_of(environment, "prob_30m", "incident_probability_30m");
	d->prob_8h = index_of(environment, "prob_8h", "incident_probability_8h");
}

static void take_metadata(struct decode *d, const struct json_object *metadata)
{
	struct json_object *type = dom_member(metadata, "model_type");
	struct json_object *dir = dom_member(metadata, "model_dir");
	struct span dir_text = dom_string(dir);

	d->model_named = type != NULL && dir != NULL;
	d->model_claimed =
		span_is(dom_string(type), "TFT") && dir_text.len > 0 && !span_is(dir_text, "none");
	copy_text(d->prediction_time, sizeof(d->prediction_time),
		  dom_string(dom_member(metadata, "prediction_time")));
}

static int take_top(struct decode *d, struct span key, struct span text)
{
	struct json_object *object;

	if (span_is(key, "error")) {
		d->has_error = true;
		d->is_warming = span_is(text, "\"insufficient_data\"");
		return 0;
	}
	if (text.ptr[0] != '{')
		return 0;
	object = dom_parse(d->tokener, text);
	if (!object) {
		d->failed = REASON_BAD;
		return -1;
	}
	if (span_is(key, "environment"))
		take_environment(d, object);
	else
		take_metadata(d, object);
	json_object_put(object);
	return 0;
}

static int take_member(void *ctx, enum scan_section section, struct span key, struct span text)
{
	struct decode *d = ctx;

	switch (section) {
	case SCAN_PREDICTIONS:
		return take_predictions(d, text.len > 0);
	case SCAN_SERVER:
		return take_server(d, key, text);
	case SCAN_REFUSED:
		d->snap->refused++;
		return 0;
	case SCAN_TOP:
		break;
	}
	return take_top(d, key, text);
}

/* ---- the whole answer ---- */

struct decode *decode_new(void)
{
	struct decode *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->prob_30m = d->prob_8h = NAN;
	buf_init(&d->rest, SCAN_OBJECT_MAX);
	d->scan = scan_new(take_member, d);
	d->tokener = dom_tokener(SCAN_OBJECT_DEPTH);
	if (!d->scan || !d->tokener)
		decode_free(&d);
	return d;
}

void decode_free(struct decode **d)
{
	if (!*d)
		return;
	scan_free(&(*d)->scan);
	if ((*d)->tokener)
		json_tokener_free((*d)->tokener);
	buf_free(&(*d)->rest);
	snapshot_free(&(*d)->snap);
	free(*d);
	*d = NULL;
}

int decode_feed(struct decode *d, const char *bytes, size_t len)
{
	return scan_feed(d->scan, bytes, len) == SCAN_OK ? 0 : -1;
}

/* The classes of doc/upstream.md#classes, first match. */
static enum reason classify(const struct decode *d, enum scan_result scanned)
{
	if (d->failed != REASON_NONE)
		return d->failed;
	if (scanned != SCAN_OK)
		return scanned == SCAN_STOPPED ? REASON_INTERNAL : REASON_BAD;
	if (!d->has_predictions || (d->snap->count == 0 && d->snap->refused > 0))
		return REASON_BAD;
	if (d->is_warming)
		return REASON_WARMING;
	return d->has_error || d->snap->count == 0 ? REASON_REPORTED : REASON_NONE;
}

static enum model_kind model_of(const struct decode *d)
{
	if (!d->model_named)
		return MODEL_UNKNOWN;
	return d->model_claimed && d->model_seen ? MODEL_TFT : MODEL_HEURISTIC;
}

enum reason decode_finish(struct decode *d, struct snapshot **out)
{
	enum reason reason = classify(d, scan_finish(d->scan));

	*out = NULL;
	if (reason != REASON_NONE)
		return reason;
	if (snapshot_seal(d->snap) != 0)
		return REASON_INTERNAL;
	d->snap->prob_30m = d->prob_30m;
	d->snap->prob_8h = d->prob_8h;
	d->snap->model = model_of(d);
	memcpy(d->snap->prediction_time, d->prediction_time, sizeof(d->prediction_time));
	*out = d->snap;
	d->snap = NULL;
	return REASON_NONE;
}

/* ---- the small answers ---- */

static struct json_object *parse_small(struct span body)
{
	struct json_tokener *tokener = dom_tokener(SCAN_OBJECT_DEPTH);
	struct json_object *object;

	if (!tokener)
		return NULL;
	object = dom_parse(tokener, body);
	json_tokener_free(tokener);
	return object;
}

void decode_warmup(struct span body, struct warmup *out)
{
	struct json_object *object = parse_small(body);
	const struct json_object *warmup = dom_member(object, "warmup");
	const struct json_object *done = dom_member(warmup, "is_warmed_up");

	out->done = json_object_get_boolean(done);
	out->progress_percent = dom_count(dom_member(warmup, "progress_percent"), 100);
	out->current_size = dom_count(dom_member(warmup, "current_size"), INT32_MAX);
	out->required_size = dom_count(dom_member(warmup, "required_size"), INT32_MAX);
	out->known = json_object_is_type(done, json_type_boolean) && out->progress_percent >= 0 &&
		     out->current_size >= 0 && out->required_size >= 0;
	if (!out->known)
		*out = (struct warmup){.known = false};
	json_object_put(object);
}

/* The limit of a count or a time: exact in a double, and sums cannot overflow. */
#define WHOLE_END 281474976710656.0

static int64_t take_whole(const struct json_object *value)
{
	double number = dom_number(value);

	return number >= 0 && number < WHOLE_END ? (int64_t)number : -1;
}

int64_t decode_tick_count(struct span body)
{
	struct json_object *object = parse_small(body);
	int64_t count = take_whole(dom_member(object, "tick_count"));

	json_object_put(object);
	return count;
}

void decode_ticks(struct span body, struct ticks *out)
{
	struct json_object *object = parse_small(body);
	const struct json_object *ticks = dom_member(object, "ticks");

	*out = (struct ticks){.count = take_whole(dom_member(object, "tick_count")),
			      .since_ms = take_whole(dom_member(ticks, "since")),
			      .seen_ms = take_whole(dom_member(ticks, "seen")),
			      .still_ms = take_whole(dom_member(ticks, "still")),
			      .period_ms = take_whole(dom_member(ticks, "period"))};
	if (out->count < 0 || out->since_ms < 0 || out->seen_ms < 0 || out->still_ms < 0 ||
	    out->period_ms < 0)
		*out = (struct ticks){0};
	json_object_put(object);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void take_names(const struct json_object *list, struct scenario *out)
{
	size_t sent =
		json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	out->name_count = 0;
	for (size_t i = 0; i < sent && out->name_count < SCENARIO_NAMES; i++) {
		struct span name = dom_string(json_object_array_get_idx(list, i));

		out->name_count +=
			copy_text(out->names[out->name_count], sizeof(out->names[0]), name);
	}
	qsort(out->names, (size_t)out->name_count, sizeof(out->names[0]), compare_names);
}

void decode_scenario(struct span body, struct scenario *out)
{
	struct json_object *object = parse_small(body);

	out->affected = dom_count(dom_member(object, "total_affected"), INT32_MAX);
	out->fleet_size = dom_count(dom_member(object, "fleet_size"), INT32_MAX);
	out->known = copy_text(out->name, sizeof(out->name),
			       dom_string(dom_member(object, "scenario"))) &&
		     out->affected >= 0 && out->fleet_size >= 0;
	take_names(dom_member(object, "affected_servers"), out);
	if (!out->known)
		*out = (struct scenario){.configured = out->configured};
	json_object_put(object);
}
