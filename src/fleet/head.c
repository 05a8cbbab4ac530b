/* SPDX-License-Identifier: MIT */
/* Writer and reader of each part are next to each other, in the order of the bytes. */
#include "config.h"
#include "fleet/head.h"

#include <math.h>

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

/* The year 10889 in milliseconds: sums and differences of lower values cannot overflow. */
#define TIME_END (INT64_C(1) << 48)

int64_t head_get_time(struct bytes_reader *r)
{
	uint64_t ms = bytes_get_int(r, 8);

	r->bad |= ms >= TIME_END;
	return r->bad ? 0 : (int64_t)ms;
}

/* The time of the bucket must not overflow either. */
static void get_bucket(struct bytes_reader *r, struct snapshot *s)
{
	s->bucket = head_get_time(r);
	s->interval_ms = head_get_time(r);
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

double head_within(double value, double most)
{
	return value >= 0 && value <= most ? value : (double)NAN;
}

void head_put(struct buf *out, const struct snapshot *s)
{
	bytes_put_text(out, span_str(s->id));
	bytes_put_int(out, (uint64_t)s->bucket, 8);
	bytes_put_int(out, (uint64_t)s->interval_ms, 8);
	bytes_put_int(out, (uint64_t)s->gen_ms, 8);
	bytes_put_int(out, (uint64_t)s->watched_from_ms, 8);
	bytes_put_int(out, (uint64_t)s->fill_ms, 8);
	bytes_put_int(out, s->model, 1);
	bytes_put_text(out, span_str(s->prediction_time));
	bytes_put_double(out, head_within(s->prob_30m, 1));
	bytes_put_double(out, head_within(s->prob_8h, 1));
	put_state(out, s);
	put_served(out, &s->served);
	bytes_put_int(out, s->refused, 4);
	bytes_put_int(out, s->odd_values, 4);
}

void head_get(struct bytes_reader *r, struct snapshot *s)
{
	bytes_get_text(r, s->id, sizeof(s->id));
	get_bucket(r, s);
	s->gen_ms = head_get_time(r);
	s->watched_from_ms = head_get_time(r);
	s->fill_ms = head_get_time(r);
	s->model = (enum model_kind)bytes_get_upto(r, 1, MODEL_TFT);
	bytes_get_text(r, s->prediction_time, sizeof(s->prediction_time));
	s->prob_30m = head_within(bytes_get_double(r), 1);
	s->prob_8h = head_within(bytes_get_double(r), 1);
	get_state(r, s);
	get_served(r, &s->served);
	s->refused = (unsigned)bytes_get_int(r, 4);
	s->odd_values = (unsigned)bytes_get_int(r, 4);
}
