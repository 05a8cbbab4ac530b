/* SPDX-License-Identifier: MIT */
/*
 * From upstream text to typed values. json-c sees one object at a time, cut out and bounded by
 * scan; it takes more than JSON allows (NaN, doubled keys, saturated integers, overlong UTF-8), so
 * nothing it gives is used without our own check of type and range.
 */
#include "config.h"

#include "decode.h"

#include <float.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>

#include "risk.h"
#include "scan.h"
#include "utf8.h"

/* json-c counts the scalars inside the deepest container as one more level, and stops one short. */
#define TOKENER_DEPTH (SCAN_OBJECT_DEPTH + 2)

#define LINE_TOLERANCE 1e-6 /* domain-rules 18 */

struct decode {
	struct scan *scan;
	struct json_tokener *tokener;
	struct snapshot *snap;
	enum reason failed; /* not REASON_NONE: a callback stopped the scan because of this */
	bool has_predictions, has_error, is_warming;
	bool model_named, model_claimed; /* by metadata */
	bool model_seen;                 /* in a forecast that is no straight line */
	double prob_30m, prob_8h;
	char prediction_time[sizeof(((struct snapshot *)0)->prediction_time)];
};

/* ---- checked access to json-c ---- */

static struct json_object *parse(struct json_tokener *tokener, struct span text)
{
	struct json_object *object;

	json_tokener_reset(tokener);
	object = json_tokener_parse_ex(tokener, text.ptr, (int)text.len);
	if (json_tokener_get_error(tokener) == json_tokener_success &&
	    json_tokener_get_parse_end(tokener) == text.len)
		return object;
	json_object_put(object);
	return NULL;
}

static struct json_tokener *tokener_new(void)
{
	struct json_tokener *tokener = json_tokener_new_ex(TOKENER_DEPTH);

	if (tokener != NULL)
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	return tokener;
}

/* NULL when object is no object, has no such member, or the member is null. */
static struct json_object *member_of(const struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, key, &value);
	return value;
}

static struct span string_of(struct json_object *value)
{
	if (!json_object_is_type(value, json_type_string))
		return (struct span){NULL, 0};
	return (struct span){json_object_get_string(value),
			     (size_t)json_object_get_string_len(value)};
}

/* A finite number, else NaN. The ends of the integer range stand for everything beyond them. */
static double number_of(const struct json_object *value)
{
	double number = NAN;

	if (json_object_is_type(value, json_type_double)) {
		number = json_object_get_double(value);
	} else if (json_object_is_type(value, json_type_int)) {
		int64_t i = json_object_get_int64(value);

		if (i > INT64_MIN && i < INT64_MAX)
			number = (double)i;
	}
	return isfinite(number) ? number : NAN;
}

/* A whole number of 0..max, else -1. */
static int count_of(const struct json_object *value, int max)
{
	int64_t i;

	if (!json_object_is_type(value, json_type_int))
		return -1;
	i = json_object_get_int64(value);
	return i >= 0 && i <= max ? (int)i : -1;
}

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

/* The first entries of a forecast list: "30 minutes". */
struct window {
	size_t len; /* of the whole list; 0 absent */
	double mean, min, max;
};

struct forecast {
	double now;
	struct window p10, p50, p90;
};

struct list {
	size_t len;                   /* of the whole list; 0 absent */
	double value[FORECAST_STEPS]; /* the first ones */
};

static size_t kept(const struct list *list)
{
	return list->len < FORECAST_STEPS ? list->len : FORECAST_STEPS;
}

static double member_number(struct decode *d, const struct json_object *metric, const char *key)
{
	struct json_object *value = NULL;
	double number;

	if (!json_object_object_get_ex(metric, key, &value))
		return NAN;
	number = number_of(value);
	d->snap->odd_values += isnan(number) != 0;
	return number;
}

/* A list that holds anything but numbers is absent as a whole. */
static bool read_numbers(const struct json_object *array, struct list *list)
{
	size_t i, len;

	if (!json_object_is_type(array, json_type_array))
		return false;
	len = json_object_array_length(array);
	for (i = 0; i < len; i++) {
		double number = number_of(json_object_array_get_idx(array, i));

		if (isnan(number))
			return false;
		if (i < FORECAST_STEPS)
			list->value[i] = number;
	}
	list->len = len;
	return true;
}

static void member_list(struct decode *d, const struct json_object *metric, const char *key,
			struct list *list)
{
	struct json_object *value = NULL;

	list->len = 0;
	if (json_object_object_get_ex(metric, key, &value) && !read_numbers(value, list))
		d->snap->odd_values++;
}

static struct window window_of(const struct list *list)
{
	struct window w = {.len = list->len, .mean = NAN, .min = NAN, .max = NAN};
	size_t n = list->len < FORECAST_30M ? list->len : FORECAST_30M;
	double sum = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		sum += list->value[i];
		w.min = fmin(w.min, list->value[i]);
		w.max = fmax(w.max, list->value[i]);
	}
	if (n > 0)
		w.mean = sum / (double)n;
	return w;
}

/* Beyond the range of a float no chart can follow; the values that are compared and printed are not
 * touched. */
static float bounded(double value)
{
	return (float)fmax(-FLT_MAX / 4, fmin(FLT_MAX / 4, value));
}

static void pack(const struct list *list, struct series_list *out)
{
	size_t i, n = kept(list);
	float low = INFINITY, high = -INFINITY;

	*out = (struct series_list){.len = (uint16_t)n};
	if (n == 0)
		return;
	for (i = 0; i < n; i++) {
		low = fminf(low, bounded(list->value[i]));
		high = fmaxf(high, bounded(list->value[i]));
	}
	out->low = low;
	out->step = (high - low) / UINT16_MAX;
	for (i = 0; i < n && out->step > 0; i++) {
		double q = ((double)bounded(list->value[i]) - (double)low) / (double)out->step;

		out->q[i] = (uint16_t)fmin(UINT16_MAX, round(q));
	}
}

/* A forecast on the line current + trend * i comes from no model (domain-rules 18). */
static bool leaves_line(const struct list *p50, double current, double trend)
{
	size_t i, n = kept(p50);

	for (i = 0; i < n; i++) {
		double line = fmax(0, fmin(100, current + trend * (double)(i + 1)));

		if (fabs(p50->value[i] - line) > LINE_TOLERANCE)
			return true;
	}
	return false;
}

/* ---- one server ---- */

static double clamp_percent(double value)
{
	return isnan(value) ? value : fmax(0, fmin(100, value));
}

static double clamp_load(double value)
{
	return isnan(value) ? value : fmax(0, value);
}

static double or_else(double value, double other)
{
	return isnan(value) ? other : value;
}

/* The sum of what is present of the three parts of CPU use; absent when nothing is. */
static double sum_present(double user, double sys, double iowait)
{
	if (isnan(user) && isnan(sys) && isnan(iowait))
		return NAN;
	return or_else(user, 0) + or_else(sys, 0) + or_else(iowait, 0);
}

/* CPU used (domain-rules 2.2): idle quantiles swap sides, little idle is much used. */
static struct reading cpu_reading(const struct forecast *f)
{
	const struct forecast *idle = &f[METRIC_CPU_IDLE], *user = &f[METRIC_CPU_USER];
	const struct forecast *sys = &f[METRIC_CPU_SYS], *wait = &f[METRIC_CPU_IOWAIT];
	double now = sum_present(user->now, sys->now, wait->now);
	double p50 = sum_present(user->p50.mean, sys->p50.mean, wait->p50.mean);
	double p90 = sum_present(user->p90.mean, sys->p90.mean, wait->p90.mean);
	double p10 = sum_present(user->p10.mean, sys->p10.mean, wait->p10.mean);

	return (struct reading){
		.now = clamp_percent(or_else(100 - idle->now, now)),
		.predicted = clamp_percent(or_else(100 - idle->p50.mean, p50)),
		.worst = clamp_percent(or_else(100 - idle->p10.min, p90)),
		.best = clamp_percent(or_else(100 - idle->p90.max, p10)),
	};
}

/* Every other metric (domain-rules 2.3): a list too short for 30 minutes does not count. */
static struct reading plain_reading(const struct forecast *f, double (*clamp)(double))
{
	return (struct reading){
		.now = clamp(f->now),
		.predicted = clamp(f->p50.len >= FORECAST_30M ? f->p50.mean : f->now),
		.worst = clamp(f->p90.len >= FORECAST_30M ? f->p90.max : f->now),
		.best = NAN,
	};
}

/* The metric's object, or NULL; a known name with another kind of value is odd, one without numbers
 * to read is no metric. */
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
	struct list p10, p50, p90;

	series->current[m] = f->now = member_number(d, metric, "current");
	series->trend[m] = member_number(d, metric, "trend");
	member_list(d, metric, "p10", &p10);
	member_list(d, metric, "p50", &p50);
	member_list(d, metric, "p90", &p90);
	f->p10 = window_of(&p10);
	f->p50 = window_of(&p50);
	f->p90 = window_of(&p90);
	pack(&p10, &series->p10[m]);
	pack(&p50, &series->p50[m]);
	pack(&p90, &series->p90[m]);
	crossing_find(server->crossings, (enum metric)m, p50.value, kept(&p50));
	if (m == METRIC_CPU_USER && leaves_line(&p50, series->current[m], series->trend[m]))
		d->model_seen = true;
}

static struct series *series_new(void)
{
	struct series *series = calloc(1, sizeof(*series));
	int m;

	for (m = 0; series != NULL && m < METRIC_COUNT; m++)
		series->current[m] = series->trend[m] = NAN;
	return series;
}

/* Absent values were all given the same NaN, so equal bytes mean equal values. The optional
 * fifteenth metric stays out. */
static uint64_t fingerprint_of(const struct series *series)
{
	return hash_xxh64((struct span){(const char *)series->current,
					METRIC_CASCADE_IMPACT * sizeof(series->current[0])});
}

/* -1 when memory ended. A server without any known metric keeps no series: it costs an upstream
 * little to send many of them. */
static int read_metrics(struct decode *d, const struct json_object *object, struct server *server)
{
	static const struct window no_window = {0, NAN, NAN, NAN};
	struct forecast f[METRIC_COUNT];
	int m;

	for (m = 0; m < METRIC_COUNT; m++) {
		const struct json_object *metric = find_metric(d, object, m);

		f[m] = (struct forecast){NAN, no_window, no_window, no_window};
		if (metric == NULL)
			continue;
		if (server->series == NULL && (server->series = series_new()) == NULL)
			return -1;
		read_metric(d, metric, m, &f[m], server);
	}
	server->has_data = server->series != NULL;
	server->cpu = cpu_reading(f);
	server->iowait = plain_reading(&f[METRIC_CPU_IOWAIT], clamp_percent);
	server->memory = plain_reading(&f[METRIC_MEM_USED], clamp_percent);
	server->load = plain_reading(&f[METRIC_LOAD], clamp_load);
	server->swap_now = clamp_percent(f[METRIC_SWAP_USED].now);
	if (server->has_data)
		server->fingerprint = fingerprint_of(server->series);
	return 0;
}

static bool is_server_name(struct span name)
{
	return name.len > 0 && name.len <= SNAPSHOT_NAME_MAX &&
	       memchr(name.ptr, '\0', name.len) == NULL && utf8_valid(name);
}

/* The key as the JSON string it is, with its escapes decoded. Caller puts the object. */
static struct json_object *parse_key(struct decode *d, struct span key)
{
	char quoted[SCAN_KEY_MAX + 2];

	quoted[0] = quoted[key.len + 1] = '"';
	memcpy(quoted + 1, key.ptr, key.len);
	return parse(d->tokener, (struct span){quoted, key.len + 2});
}

/* Not 0: stop, for the reason in d->failed. */
static int add_server(struct decode *d, struct span name, const struct json_object *object)
{
	struct server *server;

	if (d->snap->count == SNAPSHOT_SERVERS) {
		d->failed = REASON_BAD;
		return -1;
	}
	server = snapshot_add(d->snap, name);
	if (server == NULL || read_metrics(d, object, server) != 0) {
		d->failed = REASON_INTERNAL;
		return -1;
	}
	risk_score(server);
	return 0;
}

static int take_server(struct decode *d, struct span key, struct span text)
{
	struct json_object *name = parse_key(d, key);
	struct json_object *object = parse(d->tokener, text);
	int rc = 0;

	if (object == NULL) {
		/* Brackets in order, but no JSON: then the whole answer is none. */
		d->failed = REASON_BAD;
		rc = -1;
	} else if (is_server_name(string_of(name))) {
		rc = add_server(d, string_of(name), object);
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
	/* Doubled: the last one counts, as in every reader that keeps a map. */
	snapshot_free(&d->snap);
	d->snap = snapshot_new();
	d->model_seen = false;
	d->has_predictions = is_object;
	if (d->snap == NULL)
		d->failed = REASON_INTERNAL;
	return d->snap == NULL ? -1 : 0;
}

static double index_of(const struct json_object *environment, const char *key, const char *fallback)
{
	const struct json_object *value = member_of(environment, key);
	double index;

	index = number_of(value != NULL ? value : member_of(environment, fallback));
	return index >= 0 && index <= 1 ? index : NAN;
}

static void take_environment(struct decode *d, const struct json_object *environment)
{
	d->prob_30m = index_of(environment, "prob_30m", "incident_probability_30m");
	d->prob_8h = index_of(environment, "prob_8h", "incident_probability_8h");
}

static void take_metadata(struct decode *d, const struct json_object *metadata)
{
	struct json_object *type = member_of(metadata, "model_type");
	struct json_object *dir = member_of(metadata, "model_dir");
	struct span dir_text = string_of(dir);

	d->model_named = type != NULL && dir != NULL;
	d->model_claimed =
		span_is(string_of(type), "TFT") && dir_text.len > 0 && !span_is(dir_text, "none");
	copy_text(d->prediction_time, sizeof(d->prediction_time),
		  string_of(member_of(metadata, "prediction_time")));
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
	object = parse(d->tokener, text);
	if (object == NULL) {
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

	if (d == NULL)
		return NULL;
	d->prob_30m = d->prob_8h = NAN;
	d->scan = scan_new(take_member, d);
	d->tokener = tokener_new();
	if (d->scan == NULL || d->tokener == NULL)
		decode_free(&d);
	return d;
}

void decode_free(struct decode **d)
{
	if (*d == NULL)
		return;
	scan_free(&(*d)->scan);
	if ((*d)->tokener != NULL)
		json_tokener_free((*d)->tokener);
	snapshot_free(&(*d)->snap);
	free(*d);
	*d = NULL;
}

int decode_feed(struct decode *d, const char *bytes, size_t len)
{
	return scan_feed(d->scan, bytes, len) == SCAN_OK ? 0 : -1;
}

/* The classes of contract 2.2, first match. */
static enum reason classify(const struct decode *d, enum scan_result scanned)
{
	if (d->failed != REASON_NONE)
		return d->failed;
	if (scanned != SCAN_OK)
		return scanned == SCAN_NO_MEMORY ? REASON_INTERNAL : REASON_BAD;
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
	struct json_tokener *tokener = tokener_new();
	struct json_object *object;

	if (tokener == NULL)
		return NULL;
	object = parse(tokener, body);
	json_tokener_free(tokener);
	return object;
}

void decode_warmup(struct span body, struct warmup *out)
{
	struct json_object *object = parse_small(body);
	const struct json_object *warmup = member_of(object, "warmup");
	const struct json_object *done = member_of(warmup, "is_warmed_up");

	out->done = json_object_get_boolean(done);
	out->progress_percent = count_of(member_of(warmup, "progress_percent"), 100);
	out->current_size = count_of(member_of(warmup, "current_size"), INT32_MAX);
	out->required_size = count_of(member_of(warmup, "required_size"), INT32_MAX);
	out->known = json_object_is_type(done, json_type_boolean) && out->progress_percent >= 0 &&
		     out->current_size >= 0 && out->required_size >= 0;
	if (!out->known)
		*out = (struct warmup){.known = false};
	json_object_put(object);
}

void decode_scenario(struct span body, struct scenario *out)
{
	struct json_object *object = parse_small(body);

	out->affected = count_of(member_of(object, "total_affected"), INT32_MAX);
	out->fleet_size = count_of(member_of(object, "fleet_size"), INT32_MAX);
	out->known =
		copy_text(out->name, sizeof(out->name), string_of(member_of(object, "scenario"))) &&
		out->affected >= 0 && out->fleet_size >= 0;
	if (!out->known)
		*out = (struct scenario){.configured = out->configured};
	json_object_put(object);
}
