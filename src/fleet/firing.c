/* SPDX-License-Identifier: MIT */
/* Which alerts fire: their record, and the step from one bucket to the next. */
#include "config.h"
#include "fleet/firing.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/utf8.h"

#define MAGIC      "TFTw"
#define FORMAT     1
#define TIME_BYTES 6 /* until the year 10889 */

/* The severity of the kinds that have only one. */
static const enum level severities[FIRING_KINDS] = {
	[FIRING_SILENT] = LEVEL_WARNING, [FIRING_FEED] = LEVEL_CRITICAL,
	[FIRING_DATA] = LEVEL_CRITICAL,  [FIRING_KEY] = LEVEL_CRITICAL,
	[FIRING_REDIS] = LEVEL_DANGER,
};

/* --- a list --- */

void firings_init(struct firings *firings)
{
	buf_init(&firings->list, FIRING_MAX * sizeof(struct firing));
	buf_init(&firings->names, FIRING_MAX * SNAPSHOT_NAME_MAX);
}

void firings_free(struct firings *firings)
{
	buf_free(&firings->list);
	buf_free(&firings->names);
}

size_t firings_count(const struct firings *firings)
{
	return firings->list.len / sizeof(struct firing);
}

const struct firing *firings_list(const struct firings *firings)
{
	return (const struct firing *)(const void *)firings->list.data;
}

struct span firing_name(const struct firings *firings, const struct firing *firing)
{
	const char *name = firing->name_len ? firings->names.data + firing->name_at : NULL;

	return (struct span){name, firing->name_len};
}

/* The worst servers come first: of too many alerts, the rest is left out. */
static void add(struct firings *firings, struct firing firing, struct span name)
{
	if (firings_count(firings) == FIRING_MAX)
		return;
	firing.name_at = (uint32_t)firings->names.len;
	firing.name_len = (uint32_t)name.len;
	buf_span_add(&firings->names, name);
	buf_add(&firings->list, &firing, sizeof(firing));
}

static bool is_about_server(enum firing_kind kind)
{
	return kind <= FIRING_SILENT;
}

static int compare(const struct firing *a, struct span a_name, const struct firing *b,
		   struct span b_name)
{
	int c = (a->kind > b->kind) - (a->kind < b->kind);

	c = c ? c : span_cmp(a_name, b_name);
	c = c ? c : (a->part > b->part) - (a->part < b->part);
	return c ? c : (a->severity > b->severity) - (a->severity < b->severity);
}

/* Of two with the same key, the one that is over comes last. */
static int by_key(const void *left, const void *right, void *firings)
{
	const struct firing *a = left, *b = right;
	int c = compare(a, firing_name(firings, a), b, firing_name(firings, b));

	return c ? c : (a->phase > b->phase) - (a->phase < b->phase);
}

static void sort(struct firings *firings)
{
	if (firings_count(firings) > 1)
		qsort_r(firings->list.data, firings_count(firings), sizeof(struct firing), by_key,
			firings);
}

/* --- the record --- */

static void put(const struct firing *f, struct span name, struct buf *out)
{
	if (!out->len)
		bytes_put_magic(out, MAGIC, FORMAT);
	bytes_put_int(out, f->kind, 1);
	bytes_put_int(out, f->severity, 1);
	bytes_put_int(out, f->part, 1);
	bytes_put_int(out, f->phase, 1);
	bytes_put_int(out, (uint64_t)f->from_ms, TIME_BYTES);
	bytes_put_int(out, (uint64_t)f->first_ms, TIME_BYTES);
	bytes_put_int(out, (uint64_t)f->to_ms, TIME_BYTES);
	bytes_put_text(out, name);
}

static void get(struct bytes_reader *r, struct firings *firings)
{
	struct firing f = {
		.kind = (enum firing_kind)bytes_get_upto(r, 1, FIRING_KINDS - 1),
		.severity = (enum level)bytes_get_upto(r, 1, LEVEL_WATCH),
		.part = (unsigned)bytes_get_upto(r, 1, CROSSINGS - 1),
		.phase = (enum firing_phase)bytes_get_upto(r, 1, FIRING_PHASES - 1),
	};
	struct span name;

	f.from_ms = (int64_t)bytes_get_int(r, TIME_BYTES);
	f.first_ms = (int64_t)bytes_get_int(r, TIME_BYTES);
	f.to_ms = (int64_t)bytes_get_int(r, TIME_BYTES);
	name = bytes_get(r, (size_t)bytes_get_int(r, 1));
	r->bad |= !utf8_valid(name) || is_about_server(f.kind) != (name.len > 0);
	if (!r->bad)
		add(firings, f, name);
}

void firings_read(struct firings *firings, struct span record)
{
	struct bytes_reader r = {.rest = record};

	if (!record.len)
		return;
	bytes_get_magic(&r, MAGIC, FORMAT);
	while (r.rest.len && !r.bad)
		get(&r, firings);
	if (r.bad) {
		buf_reset(&firings->list);
		buf_reset(&firings->names);
	}
}

/* --- what is there now --- */

static void add_risk(struct firings *now, const struct server *server, enum level from)
{
	for (int l = level_of(server->risk); l <= (int)from; l++)
		add(now,
		    (struct firing){.kind = FIRING_RISK,
				    .severity = (enum level)l,
				    .from_ms = server->level_since_ms[l]},
		    server->name);
}

static bool is_soon(const struct crossing *crossing)
{
	return crossing->steps && crossing_minutes(crossing) <= FIRING_SOON_MIN;
}

static void add_crossings(struct firings *now, const struct server *server)
{
	for (unsigned i = 0; i < CROSSINGS; i++) {
		const struct crossing *crossing = &server->crossings[i];
		struct firing firing = {
			.kind = FIRING_CROSSING, .part = i, .severity = LEVEL_WARNING};

		if (!is_soon(crossing))
			continue;
		add(now, firing, server->name);
		firing.severity = LEVEL_CRITICAL;
		if (crossing->critical)
			add(now, firing, server->name);
	}
}

static void add_one(struct firings *now, enum firing_kind kind, int64_t from_ms, struct span name)
{
	add(now, (struct firing){.kind = kind, .severity = severities[kind], .from_ms = from_ms},
	    name);
}

static void add_server(struct firings *now, const struct snapshot *snap,
		       const struct server *server, enum level from)
{
	add_risk(now, server, from);
	add_crossings(now, server);
	if (server_is_silent(server, snap->gen_ms))
		add_one(now, FIRING_SILENT, server->same_since_ms, server->name);
}

static void add_environment(struct firings *now, const struct snapshot *snap)
{
	struct firing firing = {.kind = FIRING_ENVIRONMENT, .severity = LEVEL_WARNING};
	struct fleet_counts counts;
	enum status status;

	snapshot_count(snap, &counts);
	status = status_of_fleet(counts.total, counts.or_worse);
	if (status >= STATUS_WARNING)
		add(now, firing, (struct span){NULL, 0});
	firing.severity = LEVEL_CRITICAL;
	if (status == STATUS_CRITICAL)
		add(now, firing, (struct span){NULL, 0});
}

static void add_feed(struct firings *now, const struct snapshot *snap)
{
	int64_t stopped_ms = snap->warmup.still_since_ms;

	if (!stopped_ms)
		stopped_ms = snapshot_silent_since(snap);
	if (stopped_ms)
		add_one(now, FIRING_FEED, stopped_ms, (struct span){NULL, 0});
}

static void find_now(struct firings *now, const struct snapshot *snap, enum level from)
{
	for (size_t i = 0; i < snap->count; i++)
		add_server(now, snap, &snap->servers[i], from);
	add_environment(now, snap);
	add_feed(now, snap);
	sort(now);
}

/* --- the step --- */

struct step {
	struct firings before, now;
	int64_t at_ms, lasts_ms; /* how long a change has to last */
	struct buf *out;
};

static bool is_own(enum firing_kind kind)
{
	return kind >= FIRING_DATA;
}

/* Whether what has been so since then counts. */
static bool has_lasted(const struct step *s, const struct firing *f, int64_t since_ms)
{
	return is_own(f->kind) || s->at_ms - since_ms >= s->lasts_ms;
}

static void appear(const struct step *s, const struct firing *is)
{
	struct firing f = *is;

	f.first_ms = s->at_ms;
	/* Since when is not known, or it is of a clock that was ahead. */
	if (f.from_ms <= 0 || f.from_ms > s->at_ms)
		f.from_ms = s->at_ms;
	f.phase = has_lasted(s, &f, s->at_ms) ? FIRING_ON : FIRING_PENDING;
	put(&f, firing_name(&s->now, is), s->out);
}

static void stay(const struct step *s, const struct firing *was, const struct firing *is)
{
	struct firing f = *was;

	if (was->phase == FIRING_OVER) {
		appear(s, is);
		return;
	}
	f.to_ms = 0;
	if (has_lasted(s, was, was->first_ms))
		f.phase = FIRING_ON;
	put(&f, firing_name(&s->before, was), s->out);
}

static void vanish(const struct step *s, const struct firing *was)
{
	struct firing f = *was;
	bool is_told = was->phase == FIRING_OVER;

	if (!f.to_ms)
		f.to_ms = s->at_ms;
	if (has_lasted(s, &f, f.to_ms))
		f.phase = FIRING_OVER;
	if (was->phase == FIRING_PENDING || (is_told && s->at_ms - f.to_ms >= FIRING_OVER_MS))
		return;
	put(&f, firing_name(&s->before, was), s->out);
}

/* Both are ordered. */
static void merge(const struct step *s)
{
	const struct firing *was = firings_list(&s->before), *is = firings_list(&s->now);
	size_t olds = firings_count(&s->before), news = firings_count(&s->now), o = 0, n = 0;

	while (o < olds || n < news) {
		int c = o == olds   ? 1
			: n == news ? -1
				    : compare(&was[o], firing_name(&s->before, &was[o]), &is[n],
					      firing_name(&s->now, &is[n]));

		if (c < 0)
			vanish(s, &was[o++]);
		else if (c > 0)
			appear(s, &is[n++]);
		else
			stay(s, &was[o++], &is[n++]);
	}
}

void firing_add_own(struct firings *firings, enum firing_kind kind, int64_t from_ms)
{
	add(firings,
	    (struct firing){.kind = kind,
			    .severity = severities[kind],
			    .phase = FIRING_ON,
			    .from_ms = from_ms,
			    .first_ms = from_ms},
	    (struct span){NULL, 0});
}

static void add_outage(struct firings *firings, const struct firing_rules *rules,
		       const struct firing_outage *outage, int64_t now_ms)
{
	if (outage->data_ms && now_ms - outage->data_ms >= rules->act_limit_ms)
		firing_add_own(firings, FIRING_DATA, outage->data_ms + rules->act_limit_ms);
	if (outage->key_ms)
		firing_add_own(firings, FIRING_KEY, outage->key_ms);
}

/* Keeps one of each key: an outage that begins again replaces the one whose end was told. Only a
 * record that somebody else wrote has one from the future. */
static void tidy(struct firings *before, int64_t at_ms)
{
	struct firings all = *before;
	const struct firing *last = NULL;

	firings_init(before);
	sort(&all);
	for (size_t i = 0; i < firings_count(&all); i++) {
		const struct firing *f = firings_list(&all) + i;
		struct span name = firing_name(&all, f);

		if (f->first_ms > at_ms || f->to_ms > at_ms ||
		    (last && compare(last, firing_name(&all, last), f, name) == 0))
			continue;
		last = f;
		add(before, *f, name);
	}
	firings_free(&all);
}

void firing_step(struct span before, const struct firing_rules *rules,
		 const struct firing_outage *outage, struct snapshot *snap)
{
	struct step s = {.at_ms = snapshot_bucket_ms(snap),
			 .lasts_ms = (rules->after - 1) * snap->interval_ms,
			 .out = &snap->firing};

	firings_init(&s.before);
	firings_init(&s.now);
	firings_read(&s.before, before);
	add_outage(&s.before, rules, outage, s.at_ms);
	tidy(&s.before, s.at_ms);
	find_now(&s.now, snap, rules->from);
	buf_reset(s.out);
	if (buf_ok(&s.before.list) && buf_ok(&s.now.list) && buf_ok(&s.now.names))
		merge(&s);
	firings_free(&s.before);
	firings_free(&s.now);
}

void firing_without_data(const struct snapshot *last, const struct firing_rules *rules,
			 const struct firing_outage *outage, int64_t now_ms,
			 struct firings *firings)
{
	if (last && now_ms - last->gen_ms < rules->act_limit_ms)
		firings_read(firings, buf_span(&last->firing));
	add_outage(firings, rules, outage, now_ms);
}
