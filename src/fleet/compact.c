/* SPDX-License-Identifier: MIT */
/* Writer and reader of each part are next to each other, in the order of the bytes. */
#include "config.h"
#include "fleet/compact.h"

#include <math.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "fleet/head.h"
#include "fleet/silenced.h"

#define MAGIC "TFTf"
/* The fewest bytes a server can have: bounds what a stored count can allocate. */
#define SERVER_BYTES_MIN 192

#define PERCENT_MOST 100 /* of clamped values */

static void put_reading(struct buf *out, const struct reading *reading, double most)
{
	bytes_put_double(out, head_within(reading->now, most));
	bytes_put_double(out, head_within(reading->predicted, most));
	bytes_put_double(out, head_within(reading->worst, most));
	bytes_put_double(out, head_within(reading->best, most));
}

static void get_reading(struct bytes_reader *r, struct reading *reading, double most)
{
	reading->now = head_within(bytes_get_double(r), most);
	reading->predicted = head_within(bytes_get_double(r), most);
	reading->worst = head_within(bytes_get_double(r), most);
	reading->best = head_within(bytes_get_double(r), most);
	reading->change = reading->predicted - reading->now;
}

/* The number of crossings, then the index, steps and peak of each. */
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
		bytes_put_double(out, head_within(c->peak, PERCENT_MOST));
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
		c->peak = head_within(bytes_get_double(r), PERCENT_MOST);
	}
}

/* Of its level and the milder ones: at the worse ones it is not. */
static void put_levels(struct buf *out, const struct server *server)
{
	for (int l = level_of(server->risk); l < LEVEL_HEALTHY; l++)
		bytes_put_int(out, (uint64_t)server->level_since_ms[l], 8);
}

static void get_levels(struct bytes_reader *r, struct server *server)
{
	for (int l = level_of(server->risk); l < LEVEL_HEALTHY; l++)
		server->level_since_ms[l] = head_get_time(r);
}

static void put_recent(struct buf *out, const struct recent *recent)
{
	buf_add(out, recent->most, sizeof(recent->most));
	bytes_put_int(out, recent->least, 1);
}

static void get_recent(struct bytes_reader *r, struct recent *recent)
{
	for (int i = 0; i < RECENT_SLOTS; i++)
		recent->most[i] = (uint8_t)bytes_get_upto(r, 1, RISK_MAX / 10 + 1);
	recent->least = (uint8_t)bytes_get_upto(r, 1, RISK_MAX / 10 + 1);
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
	bytes_put_double(out, head_within(server->swap_now, PERCENT_MOST));
	bytes_put_int(out, server->fingerprint, 8);
	bytes_put_int(out, (uint64_t)server->same_since_ms, 8);
	bytes_put_int(out, server->same_count, 4);
	put_levels(out, server);
	put_recent(out, &server->recent);
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

	if (!server || name.len == 0 || !utf8_valid(name)) {
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
	server->swap_now = head_within(bytes_get_double(r), PERCENT_MOST);
	server->fingerprint = bytes_get_int(r, 8);
	server->same_since_ms = head_get_time(r);
	server->same_count = (uint32_t)bytes_get_int(r, 4);
	get_levels(r, server);
	get_recent(r, &server->recent);
	get_crossings(r, server);
}

static void put_alerts(struct buf *out, const struct snapshot *s)
{
	bytes_put_int(out, s->unsent, 1);
	bytes_put_int(out, (uint64_t)s->unsent_ms, 8);
	bytes_put_int(out, s->firing.len, 4);
	buf_span_add(out, buf_span(&s->firing));
}

static void get_alerts(struct bytes_reader *r, struct snapshot *s)
{
	s->unsent = (enum reason)bytes_get_upto(r, 1, REASON_COUNT - 1);
	s->unsent_ms = head_get_time(r);
	buf_span_add(&s->firing, bytes_get(r, (size_t)bytes_get_int(r, 4)));
	r->bad |= !buf_ok(&s->firing);
}

static size_t count_silenced(const struct snapshot *s)
{
	size_t count = 0;

	for (size_t i = 0; i < s->count; i++)
		count += s->servers[i].silence != NULL;
	return count;
}

/* The record of the Alertmanager, then the number of the server and of its silence for each that
 * is silenced. */
static void put_told(struct buf *out, const struct snapshot *s)
{
	bytes_put_int(out, s->untold, 1);
	bytes_put_int(out, (uint64_t)s->untold_ms, 8);
	bytes_put_int(out, s->told.len, 4);
	buf_span_add(out, buf_span(&s->told));
	bytes_put_int(out, count_silenced(s), 4);
	for (size_t i = 0; i < s->count; i++) {
		const struct silence *silence = s->servers[i].silence;

		if (!silence)
			continue;
		bytes_put_int(out, i, 4);
		bytes_put_int(out, (uint64_t)(silence - s->alertmanager.silences.list), 2);
	}
}

static void get_silenced(struct bytes_reader *r, struct snapshot *s)
{
	const struct silences *silences = &s->alertmanager.silences;
	uint64_t server = bytes_get_int(r, 4), silence = bytes_get_int(r, 2);

	r->bad |= server >= s->count || silence >= silences->count;
	if (!r->bad)
		s->servers[server].silence = &silences->list[silence];
}

static void get_told(struct bytes_reader *r, struct snapshot *s)
{
	s->untold = (enum reason)bytes_get_upto(r, 1, REASON_COUNT - 1);
	s->untold_ms = head_get_time(r);
	silenced_take(s, bytes_get(r, (size_t)bytes_get_int(r, 4)));
	for (uint64_t count = bytes_get_int(r, 4); count > 0 && !r->bad; count--)
		get_silenced(r, s);
}

void compact_encode(const struct snapshot *s, struct buf *out)
{
	size_t i;

	bytes_put_magic(out, MAGIC, COMPACT_FORMAT);
	head_put(out, s);
	bytes_put_int(out, s->count, 4);
	for (i = 0; i < s->count; i++)
		put_server(out, &s->servers[i]);
	put_alerts(out, s);
	put_told(out, s);
}

struct snapshot *compact_decode(struct span bytes)
{
	struct bytes_reader r = {.rest = bytes};
	struct snapshot *s = snapshot_new();
	int count;

	if (!s)
		return NULL;
	bytes_get_magic(&r, MAGIC, COMPACT_FORMAT);
	head_get(&r, s);
	count = bytes_get_upto(&r, 4, r.rest.len / SERVER_BYTES_MIN);
	while (count-- > 0 && !r.bad)
		get_server(&r, s);
	get_alerts(&r, s);
	get_told(&r, s);
	if (!r.bad && r.rest.len == 0 && snapshot_reseal(s) == 0)
		return s;
	snapshot_free(&s);
	return NULL;
}
