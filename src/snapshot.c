/* SPDX-License-Identifier: MIT */
/*
 * The fleet at one moment: building, ordering, counting, and the two stored forms. Stored bytes are
 * read through one bounded reader with a sticky error, because Redis may hold anything.
 */
#include "config.h"

#include "snapshot.h"

#include <math.h>
#include <stdlib.h>

#include "utf8.h"

#define SNAPSHOT_MAGIC "TFTf"
#define SERIES_MAGIC   "TFTs"

/* Least bytes of a server in the compact form: bounds what a stored count can allocate. */
#define SERVER_BYTES_MIN 171
#define SILENT_COUNT     3
#define SILENT_MS        60000

/* ---- building ---- */

struct snapshot *snapshot_new(void)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->prob_30m = s->prob_8h = NAN;
	buf_init(&s->names, (size_t)SNAPSHOT_SERVERS * SNAPSHOT_NAME_MAX);
	return s;
}

void snapshot_free(struct snapshot **s)
{
	size_t i;

	if (*s == NULL)
		return;
	for (i = 0; i < (*s)->count; i++)
		free((*s)->servers[i].series);
	free((*s)->servers);
	buf_free(&(*s)->names);
	free(*s);
	*s = NULL;
}

/* Doubles the array when it is full, that is at every power of two. */
static int make_room(struct snapshot *s)
{
	struct server *servers;

	if (s->count >= SNAPSHOT_SERVERS)
		return -1;
	if ((s->count & (s->count - 1)) != 0)
		return 0;
	servers = realloc(s->servers, (s->count ? 2 * s->count : 1) * sizeof(*servers));
	if (servers == NULL)
		return -1;
	s->servers = servers;
	return 0;
}

struct server *snapshot_add(struct snapshot *s, struct span name)
{
	static const struct reading absent = {NAN, NAN, NAN, NAN};
	struct server *server;

	if (make_room(s) != 0)
		return NULL;
	buf_span_add(&s->names, name);
	if (!buf_ok(&s->names))
		return NULL;
	server = &s->servers[s->count++];
	*server = (struct server){
		.name = {NULL, name.len}, /* the store may still move: see fix_names */
		.profile = profile_of(name),
		.cpu = absent,
		.iowait = absent,
		.memory = absent,
		.load = absent,
		.swap_now = NAN,
	};
	return server;
}

/* The names lie one after the other, in the order of the servers. */
static void fix_names(struct snapshot *s)
{
	const char *at = s->names.data;
	size_t i;

	for (i = 0; i < s->count; i++) {
		s->servers[i].name.ptr = at;
		at += s->servers[i].name.len;
	}
}

/* By name; of two equal ones the later added, whose name lies further back, comes first. */
static int by_name(const void *a, const void *b)
{
	const struct server *x = a, *y = b;
	int c = span_cmp(x->name, y->name);

	return c ? c : (x->name.ptr < y->name.ptr) - (x->name.ptr > y->name.ptr);
}

static int by_rank(const void *a, const void *b)
{
	const struct server *x = a, *y = b;

	return x->risk != y->risk ? y->risk - x->risk : span_cmp(x->name, y->name);
}

static void drop_duplicates(struct snapshot *s)
{
	size_t i, kept = 0;

	for (i = 0; i < s->count; i++) {
		if (kept > 0 && span_eq(s->servers[kept - 1].name, s->servers[i].name))
			free(s->servers[i].series);
		else
			s->servers[kept++] = s->servers[i];
	}
	s->count = kept;
}

int snapshot_seal(struct snapshot *s)
{
	if (!buf_ok(&s->names))
		return -1;
	if (s->count == 0)
		return 0;
	fix_names(s);
	qsort(s->servers, s->count, sizeof(*s->servers), by_name);
	drop_duplicates(s);
	qsort(s->servers, s->count, sizeof(*s->servers), by_rank);
	return 0;
}

/* ---- reading ---- */

const struct server *snapshot_find(const struct snapshot *s, struct span name)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		if (span_eq(s->servers[i].name, name))
			return &s->servers[i];
	return NULL;
}

bool server_is_silent(const struct server *server, int64_t gen_ms)
{
	return server->has_data && server->same_count >= SILENT_COUNT &&
	       gen_ms - server->same_since_ms >= SILENT_MS;
}

int64_t snapshot_silent_since(const struct snapshot *s)
{
	int64_t since_ms = 0;
	size_t i;

	for (i = 0; i < s->count; i++) {
		const struct server *server = &s->servers[i];

		if (!server->has_data)
			continue;
		if (!server_is_silent(server, s->gen_ms))
			return 0;
		if (since_ms < server->same_since_ms)
			since_ms = server->same_since_ms;
	}
	return since_ms;
}

void snapshot_count(const struct snapshot *s, struct fleet_counts *counts)
{
	size_t i;

	*counts = (struct fleet_counts){.total = (unsigned)s->count};
	for (i = 0; i < s->count; i++) {
		const struct server *server = &s->servers[i];

		counts->level[level_of(server->risk)]++;
		counts->over_80 += server->risk >= level_table[LEVEL_CRITICAL].from;
		counts->over_60 += server->risk >= level_table[LEVEL_WARNING].from;
		counts->over_50 += server->risk >= RISK_ALERT;
		counts->silent += server_is_silent(server, s->gen_ms);
	}
	counts->healthy = counts->total - counts->over_50;
}

/* ---- silent servers ---- */

static int by_name_ptr(const void *a, const void *b)
{
	const struct server *const *x = a, *const *y = b;

	return span_cmp((*x)->name, (*y)->name);
}

/* The servers by name; NULL when there are none or memory ended. Caller frees. */
static const struct server **name_index(const struct snapshot *s)
{
	const struct server **index = NULL;
	size_t i;

	if (s != NULL && s->count > 0)
		index = malloc(s->count * sizeof(*index));
	if (index == NULL)
		return NULL;
	for (i = 0; i < s->count; i++)
		index[i] = &s->servers[i];
	qsort(index, s->count, sizeof(*index), by_name_ptr);
	return index;
}

void snapshot_carry(struct snapshot *s, const struct snapshot *previous)
{
	const struct server **index = name_index(previous);
	size_t i;

	for (i = 0; i < s->count; i++) {
		struct server *server = &s->servers[i];
		const struct server *key = server, *const *old = NULL;

		if (index != NULL)
			old = bsearch(&key, index, previous->count, sizeof(*index), by_name_ptr);
		server->same_since_ms = s->gen_ms;
		server->same_count = 1;
		if (old != NULL && (*old)->fingerprint == server->fingerprint) {
			server->same_since_ms = (*old)->same_since_ms;
			server->same_count = (*old)->same_count + ((*old)->same_count < UINT32_MAX);
		}
	}
	free(index);
}

/* ---- little-endian writer and reader ---- */

static void put_int(struct buf *out, uint64_t value, int bytes)
{
	char b[8];
	int i;

	for (i = 0; i < bytes; i++)
		b[i] = (char)(value >> 8 * i & 0xff);
	buf_add(out, b, (size_t)bytes);
}

static void put_double(struct buf *out, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	put_int(out, bits, 8);
}

static void put_float(struct buf *out, float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	put_int(out, bits, 4);
}

static void put_text(struct buf *out, struct span text)
{
	put_int(out, text.len, 1);
	buf_span_add(out, text);
}

struct reader {
	struct span rest;
	bool bad;
};

/* The next len bytes; on any failure an empty span, and everything after is empty too. */
static struct span get_bytes(struct reader *r, size_t len)
{
	struct span s = {r->rest.ptr, len};

	if (r->bad || len > r->rest.len) {
		r->bad = true;
		return (struct span){NULL, 0};
	}
	r->rest.ptr += len;
	r->rest.len -= len;
	return s;
}

static uint64_t get_int(struct reader *r, int bytes)
{
	struct span s = get_bytes(r, (size_t)bytes);
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < s.len; i++)
		value |= (uint64_t)(unsigned char)s.ptr[i] << 8 * i;
	return value;
}

/* An integer of 0..max. */
static int get_upto(struct reader *r, int bytes, uint64_t max)
{
	uint64_t value = get_int(r, bytes);

	r->bad |= value > max;
	return r->bad ? 0 : (int)value;
}

/* Finite or absent; every absent value reads back as the same NaN. */
static double get_double(struct reader *r)
{
	uint64_t bits = get_int(r, 8);
	double value;

	memcpy(&value, &bits, sizeof(value));
	r->bad |= isinf(value) != 0;
	return isfinite(value) ? value : NAN;
}

static float get_float(struct reader *r)
{
	uint32_t bits = (uint32_t)get_int(r, 4);
	float value;

	memcpy(&value, &bits, sizeof(value));
	r->bad |= !isfinite(value);
	return value;
}

/* Printable ASCII into a NUL-terminated array. */
static void get_text(struct reader *r, char *text, size_t size)
{
	struct span s = get_bytes(r, (size_t)get_upto(r, 1, size - 1));
	size_t i;

	for (i = 0; i < s.len; i++)
		r->bad |= s.ptr[i] < 0x20 || s.ptr[i] > 0x7e;
	if (s.len > 0)
		memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
}

static void put_magic(struct buf *out, const char *magic)
{
	buf_add(out, magic, 4);
	put_int(out, SNAPSHOT_FORMAT, 1);
}

static void get_magic(struct reader *r, const char *magic)
{
	r->bad |= !span_is(get_bytes(r, 4), magic);
	r->bad |= get_int(r, 1) != SNAPSHOT_FORMAT;
}

/* ---- the compact form ---- */

enum {
	WARMUP_KNOWN = 1,
	WARMUP_DONE = 2,
	SCENARIO_CONFIGURED = 4,
	SCENARIO_KNOWN = 8,
	STATE_FLAGS = 15
};

static void put_state(struct buf *out, const struct snapshot *s)
{
	const struct warmup *w = &s->warmup;
	const struct scenario *sc = &s->scenario;

	put_int(out,
		(w->known ? WARMUP_KNOWN : 0u) | (w->done ? WARMUP_DONE : 0u) |
			(sc->configured ? SCENARIO_CONFIGURED : 0u) |
			(sc->known ? SCENARIO_KNOWN : 0u),
		1);
	put_int(out, (uint32_t)w->progress_percent, 4);
	put_int(out, (uint32_t)w->current_size, 4);
	put_int(out, (uint32_t)w->required_size, 4);
	put_text(out, span_str(sc->name));
	put_int(out, (uint32_t)sc->affected, 4);
	put_int(out, (uint32_t)sc->fleet_size, 4);
}

static void get_state(struct reader *r, struct snapshot *s)
{
	int flags = get_upto(r, 1, STATE_FLAGS);

	s->warmup.known = flags & WARMUP_KNOWN;
	s->warmup.done = flags & WARMUP_DONE;
	s->warmup.progress_percent = get_upto(r, 4, 100);
	s->warmup.current_size = get_upto(r, 4, INT32_MAX);
	s->warmup.required_size = get_upto(r, 4, INT32_MAX);
	s->scenario.configured = flags & SCENARIO_CONFIGURED;
	s->scenario.known = flags & SCENARIO_KNOWN;
	get_text(r, s->scenario.name, sizeof(s->scenario.name));
	s->scenario.affected = get_upto(r, 4, INT32_MAX);
	s->scenario.fleet_size = get_upto(r, 4, INT32_MAX);
}

static void put_head(struct buf *out, const struct snapshot *s)
{
	put_text(out, span_str(s->id));
	put_int(out, (uint64_t)s->bucket, 8);
	put_int(out, (uint64_t)s->interval_ms, 8);
	put_int(out, (uint64_t)s->gen_ms, 8);
	put_int(out, (uint64_t)s->fill_ms, 8);
	put_int(out, s->model, 1);
	put_text(out, span_str(s->prediction_time));
	put_double(out, s->prob_30m);
	put_double(out, s->prob_8h);
	put_state(out, s);
	put_int(out, s->refused, 4);
	put_int(out, s->odd_values, 4);
}

static void get_head(struct reader *r, struct snapshot *s)
{
	get_text(r, s->id, sizeof(s->id));
	s->bucket = (int64_t)get_int(r, 8);
	s->interval_ms = (int64_t)get_int(r, 8);
	s->gen_ms = (int64_t)get_int(r, 8);
	s->fill_ms = (int64_t)get_int(r, 8);
	s->model = (enum model_kind)get_upto(r, 1, MODEL_TFT);
	get_text(r, s->prediction_time, sizeof(s->prediction_time));
	s->prob_30m = get_double(r);
	s->prob_8h = get_double(r);
	get_state(r, s);
	s->refused = (unsigned)get_int(r, 4);
	s->odd_values = (unsigned)get_int(r, 4);
}

static void put_reading(struct buf *out, const struct reading *reading)
{
	put_double(out, reading->now);
	put_double(out, reading->predicted);
	put_double(out, reading->worst);
	put_double(out, reading->best);
}

static void get_reading(struct reader *r, struct reading *reading)
{
	reading->now = get_double(r);
	reading->predicted = get_double(r);
	reading->worst = get_double(r);
	reading->best = get_double(r);
}

/* Their number, then for each its index, its steps and its peak. */
#define CROSSING_CRITICAL 0x80u /* in the steps */

static void put_crossings(struct buf *out, const struct server *server)
{
	put_int(out, crossing_count(server->crossings), 1);
	for (unsigned i = 0; i < CROSSINGS; i++) {
		const struct crossing *c = &server->crossings[i];

		if (!c->steps)
			continue;
		put_int(out, i, 1);
		put_int(out, c->steps | (c->critical ? CROSSING_CRITICAL : 0), 1);
		put_double(out, c->peak);
	}
}

static void get_crossings(struct reader *r, struct server *server)
{
	int count = get_upto(r, 1, CROSSINGS);

	while (count-- > 0) {
		struct crossing *c = &server->crossings[get_upto(r, 1, CROSSINGS - 1)];
		unsigned steps = (unsigned)get_int(r, 1);

		c->critical = steps & CROSSING_CRITICAL;
		c->steps = (uint8_t)(steps & ~CROSSING_CRITICAL);
		r->bad |= c->steps == 0 || c->steps > CROSSING_STEPS;
		c->peak = get_double(r);
	}
}

static void put_server(struct buf *out, const struct server *server)
{
	put_text(out, server->name);
	put_int(out, server->profile, 1);
	put_int(out, server->has_data, 1);
	put_int(out, (uint32_t)server->risk, 2);
	buf_add(out, server->points, sizeof(server->points));
	put_reading(out, &server->cpu);
	put_reading(out, &server->iowait);
	put_reading(out, &server->memory);
	put_reading(out, &server->load);
	put_double(out, server->swap_now);
	put_int(out, server->fingerprint, 8);
	put_int(out, (uint64_t)server->same_since_ms, 8);
	put_int(out, server->same_count, 4);
	put_crossings(out, server);
}

static void get_points(struct reader *r, struct server *server)
{
	struct span points = get_bytes(r, sizeof(server->points));

	if (points.len > 0)
		memcpy(server->points, points.ptr, points.len);
}

static void get_server(struct reader *r, struct snapshot *s)
{
	struct span name = get_bytes(r, (size_t)get_upto(r, 1, SNAPSHOT_NAME_MAX));
	struct server *server = snapshot_add(s, name);

	if (server == NULL || name.len == 0 || !utf8_valid(name)) {
		r->bad = true;
		return;
	}
	server->profile = (enum profile)get_upto(r, 1, PROFILE_COUNT - 1);
	server->has_data = get_upto(r, 1, 1);
	server->risk = get_upto(r, 2, RISK_MAX);
	get_points(r, server);
	get_reading(r, &server->cpu);
	get_reading(r, &server->iowait);
	get_reading(r, &server->memory);
	get_reading(r, &server->load);
	server->swap_now = get_double(r);
	server->fingerprint = get_int(r, 8);
	server->same_since_ms = (int64_t)get_int(r, 8);
	server->same_count = (uint32_t)get_int(r, 4);
	get_crossings(r, server);
}

void snapshot_encode(const struct snapshot *s, struct buf *out)
{
	size_t i;

	put_magic(out, SNAPSHOT_MAGIC);
	put_head(out, s);
	put_int(out, s->count, 4);
	for (i = 0; i < s->count; i++)
		put_server(out, &s->servers[i]);
}

/* Sealed snapshots only were stored, so anything out of order or double is damage. */
static bool is_ranked(const struct snapshot *s)
{
	size_t i;

	for (i = 1; i < s->count; i++)
		if (by_rank(&s->servers[i - 1], &s->servers[i]) >= 0)
			return false;
	return true;
}

struct snapshot *snapshot_decode(struct span bytes)
{
	struct reader r = {.rest = bytes};
	struct snapshot *s = snapshot_new();
	int count;

	if (s == NULL)
		return NULL;
	get_magic(&r, SNAPSHOT_MAGIC);
	get_head(&r, s);
	count = get_upto(&r, 4, r.rest.len / SERVER_BYTES_MIN);
	while (count-- > 0 && !r.bad)
		get_server(&r, s);
	if (!r.bad && r.rest.len == 0) {
		fix_names(s);
		if (is_ranked(s))
			return s;
	}
	snapshot_free(&s);
	return NULL;
}

/* ---- the series of one server ---- */

double series_round(double value)
{
	return round(value * 1000) / 1000;
}

static void put_list(struct buf *out, const struct series_list *list)
{
	size_t i;

	put_int(out, list->len, 2);
	if (list->len == 0)
		return;
	put_float(out, list->low);
	put_float(out, list->step);
	for (i = 0; i < list->len; i++)
		put_int(out, list->q[i], 2);
}

static void get_list(struct reader *r, struct series_list *list)
{
	size_t i;

	*list = (struct series_list){.len = (uint16_t)get_upto(r, 2, FORECAST_STEPS)};
	if (list->len == 0)
		return;
	list->low = get_float(r);
	list->step = get_float(r);
	for (i = 0; i < list->len; i++)
		list->q[i] = (uint16_t)get_int(r, 2);
}

void series_encode(const struct series *series, struct buf *out)
{
	int m;

	put_magic(out, SERIES_MAGIC);
	for (m = 0; m < METRIC_COUNT; m++) {
		put_double(out, series->current[m]);
		put_double(out, series->trend[m]);
		put_list(out, &series->p10[m]);
		put_list(out, &series->p50[m]);
		put_list(out, &series->p90[m]);
	}
}

int series_decode(struct span bytes, struct series *out)
{
	struct reader r = {.rest = bytes};
	int m;

	get_magic(&r, SERIES_MAGIC);
	for (m = 0; m < METRIC_COUNT; m++) {
		out->current[m] = get_double(&r);
		out->trend[m] = get_double(&r);
		get_list(&r, &out->p10[m]);
		get_list(&r, &out->p50[m]);
		get_list(&r, &out->p90[m]);
	}
	return r.bad || r.rest.len != 0 ? -1 : 0;
}
