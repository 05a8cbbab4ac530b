/* SPDX-License-Identifier: MIT */
/* What is written and what is read stand side by side, in the order of the bytes. */
#include "config.h"
#include "fleet/compact.h"

#include <math.h>

#include "base/bytes.h"
#include "base/utf8.h"

#define MAGIC "TFTf"
/* Least bytes of a server: bounds what a stored count can allocate. */
#define SERVER_BYTES_MIN 171

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

	bytes_put_int(out,
		      (w->known ? WARMUP_KNOWN : 0u) | (w->done ? WARMUP_DONE : 0u) |
			      (sc->configured ? SCENARIO_CONFIGURED : 0u) |
			      (sc->known ? SCENARIO_KNOWN : 0u),
		      1);
	bytes_put_int(out, (uint32_t)w->progress_percent, 4);
	bytes_put_int(out, (uint32_t)w->current_size, 4);
	bytes_put_int(out, (uint32_t)w->required_size, 4);
	bytes_put_text(out, span_str(sc->name));
	bytes_put_int(out, (uint32_t)sc->affected, 4);
	bytes_put_int(out, (uint32_t)sc->fleet_size, 4);
	bytes_put_int(out, (uint32_t)sc->name_count, 1);
	for (int i = 0; i < sc->name_count; i++)
		bytes_put_text(out, span_str(sc->names[i]));
}

static void get_state(struct bytes_reader *r, struct snapshot *s)
{
	int flags = bytes_get_upto(r, 1, STATE_FLAGS);

	s->warmup.known = flags & WARMUP_KNOWN;
	s->warmup.done = flags & WARMUP_DONE;
	s->warmup.progress_percent = bytes_get_upto(r, 4, 100);
	s->warmup.current_size = bytes_get_upto(r, 4, INT32_MAX);
	s->warmup.required_size = bytes_get_upto(r, 4, INT32_MAX);
	s->scenario.configured = flags & SCENARIO_CONFIGURED;
	s->scenario.known = flags & SCENARIO_KNOWN;
	bytes_get_text(r, s->scenario.name, sizeof(s->scenario.name));
	s->scenario.affected = bytes_get_upto(r, 4, INT32_MAX);
	s->scenario.fleet_size = bytes_get_upto(r, 4, INT32_MAX);
	s->scenario.name_count = bytes_get_upto(r, 1, SCENARIO_NAMES);
	for (int i = 0; i < s->scenario.name_count; i++)
		bytes_get_text(r, s->scenario.names[i], sizeof(s->scenario.names[i]));
}

static void put_served(struct buf *out, const struct served *served)
{
	bytes_put_int(out, (uint64_t)served->fresh, 8);
	bytes_put_int(out, (uint64_t)served->stale, 8);
	bytes_put_int(out, (uint64_t)served->cold, 8);
	bytes_put_int(out, (uint64_t)served->calls, 8);
	bytes_put_int(out, (uint64_t)served->fetch_ms, 8);
	bytes_put_int(out, (uint64_t)served->bytes, 8);
	bytes_put_int(out, (uint64_t)served->budget_left, 8);
}

/* The year 10889 in milliseconds: what is below can be added and subtracted without a thought. */
#define TIME_END (INT64_C(1) << 48)

static int64_t get_time(struct bytes_reader *r)
{
	uint64_t ms = bytes_get_int(r, 8);

	r->bad |= ms >= TIME_END;
	return r->bad ? 0 : (int64_t)ms;
}

/* The bucket's time can be computed too. */
static void get_bucket(struct bytes_reader *r, struct snapshot *s)
{
	s->bucket = get_time(r);
	s->interval_ms = get_time(r);
	r->bad |= s->interval_ms > 0 && s->bucket >= TIME_END / s->interval_ms;
}

/* A count, or -1 for unknown. */
static int64_t get_count(struct bytes_reader *r)
{
	int64_t count = (int64_t)bytes_get_int(r, 8);

	r->bad |= count < -1 || count >= TIME_END;
	return count;
}

static void get_served(struct bytes_reader *r, struct served *served)
{
	served->fresh = get_count(r);
	served->stale = get_count(r);
	served->cold = get_count(r);
	served->calls = get_count(r);
	served->fetch_ms = get_count(r);
	served->bytes = get_count(r);
	served->budget_left = get_count(r);
}

/* What is beyond the range is absent, on both sides: what was written can be read. */
static double within(double value, double most)
{
	return value >= 0 && value <= most ? value : (double)NAN;
}

static void put_head(struct buf *out, const struct snapshot *s)
{
	bytes_put_text(out, span_str(s->id));
	bytes_put_int(out, (uint64_t)s->bucket, 8);
	bytes_put_int(out, (uint64_t)s->interval_ms, 8);
	bytes_put_int(out, (uint64_t)s->gen_ms, 8);
	bytes_put_int(out, (uint64_t)s->fill_ms, 8);
	bytes_put_int(out, s->model, 1);
	bytes_put_text(out, span_str(s->prediction_time));
	bytes_put_double(out, within(s->prob_30m, 1));
	bytes_put_double(out, within(s->prob_8h, 1));
	put_state(out, s);
	put_served(out, &s->served);
	bytes_put_int(out, s->refused, 4);
	bytes_put_int(out, s->odd_values, 4);
}

static void get_head(struct bytes_reader *r, struct snapshot *s)
{
	bytes_get_text(r, s->id, sizeof(s->id));
	get_bucket(r, s);
	s->gen_ms = get_time(r);
	s->fill_ms = get_time(r);
	s->model = (enum model_kind)bytes_get_upto(r, 1, MODEL_TFT);
	bytes_get_text(r, s->prediction_time, sizeof(s->prediction_time));
	s->prob_30m = within(bytes_get_double(r), 1);
	s->prob_8h = within(bytes_get_double(r), 1);
	get_state(r, s);
	get_served(r, &s->served);
	s->refused = (unsigned)bytes_get_int(r, 4);
	s->odd_values = (unsigned)bytes_get_int(r, 4);
}

#define PERCENT_MOST 100 /* of what is clamped */

static void put_reading(struct buf *out, const struct reading *reading, double most)
{
	bytes_put_double(out, within(reading->now, most));
	bytes_put_double(out, within(reading->predicted, most));
	bytes_put_double(out, within(reading->worst, most));
	bytes_put_double(out, within(reading->best, most));
}

static void get_reading(struct bytes_reader *r, struct reading *reading, double most)
{
	reading->now = within(bytes_get_double(r), most);
	reading->predicted = within(bytes_get_double(r), most);
	reading->worst = within(bytes_get_double(r), most);
	reading->best = within(bytes_get_double(r), most);
}

/* Their number, then for each its index, its steps and its peak. */
#define CROSSING_CRITICAL 0x80u /* in the steps */

static void put_crossings(struct buf *out, const struct server *server)
{
	bytes_put_int(out, crossing_count(server->crossings), 1);
	for (unsigned i = 0; i < CROSSINGS; i++) {
		const struct crossing *c = &server->crossings[i];

		if (!c->steps)
			continue;
		bytes_put_int(out, i, 1);
		bytes_put_int(out, c->steps | (c->critical ? CROSSING_CRITICAL : 0), 1);
		bytes_put_double(out, within(c->peak, PERCENT_MOST));
	}
}

static void get_crossings(struct bytes_reader *r, struct server *server)
{
	int count = bytes_get_upto(r, 1, CROSSINGS);

	while (count-- > 0) {
		struct crossing *c = &server->crossings[bytes_get_upto(r, 1, CROSSINGS - 1)];
		unsigned steps = (unsigned)bytes_get_int(r, 1);

		c->critical = steps & CROSSING_CRITICAL;
		c->steps = (uint8_t)(steps & ~CROSSING_CRITICAL);
		r->bad |= c->steps == 0 || c->steps > CROSSING_STEPS;
		c->peak = within(bytes_get_double(r), PERCENT_MOST);
	}
}

static void put_server(struct buf *out, const struct server *server)
{
	bytes_put_text(out, server->name);
	bytes_put_int(out, server->profile, 1);
	bytes_put_int(out, server->has_data, 1);
	bytes_put_int(out, (uint32_t)server->risk, 2);
	buf_add(out, server->points, sizeof(server->points));
	put_reading(out, &server->cpu, PERCENT_MOST);
	put_reading(out, &server->iowait, PERCENT_MOST);
	put_reading(out, &server->memory, PERCENT_MOST);
	put_reading(out, &server->load, metric_table[METRIC_LOAD].most);
	bytes_put_double(out, within(server->swap_now, PERCENT_MOST));
	bytes_put_int(out, server->fingerprint, 8);
	bytes_put_int(out, (uint64_t)server->same_since_ms, 8);
	bytes_put_int(out, server->same_count, 4);
	put_crossings(out, server);
}

static void get_points(struct bytes_reader *r, struct server *server)
{
	struct span points = bytes_get(r, sizeof(server->points));

	if (points.len > 0)
		memcpy(server->points, points.ptr, points.len);
}

static void get_server(struct bytes_reader *r, struct snapshot *s)
{
	struct span name = bytes_get(r, (size_t)bytes_get_upto(r, 1, SNAPSHOT_NAME_MAX));
	struct server *server = snapshot_add(s, name);

	if (server == NULL || name.len == 0 || !utf8_valid(name)) {
		r->bad = true;
		return;
	}
	server->profile = (enum profile)bytes_get_upto(r, 1, PROFILE_COUNT - 1);
	server->has_data = bytes_get_upto(r, 1, 1);
	server->risk = bytes_get_upto(r, 2, RISK_MAX);
	get_points(r, server);
	get_reading(r, &server->cpu, PERCENT_MOST);
	get_reading(r, &server->iowait, PERCENT_MOST);
	get_reading(r, &server->memory, PERCENT_MOST);
	get_reading(r, &server->load, metric_table[METRIC_LOAD].most);
	server->swap_now = within(bytes_get_double(r), PERCENT_MOST);
	server->fingerprint = bytes_get_int(r, 8);
	server->same_since_ms = get_time(r);
	server->same_count = (uint32_t)bytes_get_int(r, 4);
	get_crossings(r, server);
}

void compact_encode(const struct snapshot *s, struct buf *out)
{
	size_t i;

	bytes_put_magic(out, MAGIC, COMPACT_FORMAT);
	put_head(out, s);
	bytes_put_int(out, s->count, 4);
	for (i = 0; i < s->count; i++)
		put_server(out, &s->servers[i]);
}

struct snapshot *compact_decode(struct span bytes)
{
	struct bytes_reader r = {.rest = bytes};
	struct snapshot *s = snapshot_new();
	int count;

	if (s == NULL)
		return NULL;
	bytes_get_magic(&r, MAGIC, COMPACT_FORMAT);
	get_head(&r, s);
	count = bytes_get_upto(&r, 4, r.rest.len / SERVER_BYTES_MIN);
	while (count-- > 0 && !r.bad)
		get_server(&r, s);
	if (!r.bad && r.rest.len == 0 && snapshot_reseal(s) == 0)
		return s;
	snapshot_free(&s);
	return NULL;
}
