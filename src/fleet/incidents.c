/* SPDX-License-Identifier: MIT */
/* Episodes: their records, and the step from one bucket to the next. */
#include "config.h"
#include "fleet/incidents.h"

#include <stdlib.h>

#include "base/html.h"
#include "base/text.h"
#include "base/utf8.h"
#include "fleet/risk.h"

#define FORMAT "1"
/* Of one record: every server and the environment. */
#define EPISODES_MAX (INCIDENTS_MAX + SNAPSHOT_SERVERS + 1)
#define FROM_MAX     INT64_C(1000000000000000) /* ms: in the year 33658 */

/* --- a list --- */

void incidents_init(struct incidents *incidents)
{
	buf_init(&incidents->list, EPISODES_MAX * sizeof(struct incident));
	buf_init(&incidents->names, EPISODES_MAX * SNAPSHOT_NAME_MAX);
}

void incidents_free(struct incidents *incidents)
{
	buf_free(&incidents->list);
	buf_free(&incidents->names);
}

size_t incidents_count(const struct incidents *incidents)
{
	return incidents->list.len / sizeof(struct incident);
}

const struct incident *incidents_list(const struct incidents *incidents)
{
	return (const struct incident *)(const void *)incidents->list.data;
}

struct span incident_name(const struct incidents *incidents, const struct incident *incident)
{
	/* The environment has no name, and may be alone. */
	const char *name = incident->name_len ? incidents->names.data + incident->name_at : NULL;

	return (struct span){name, incident->name_len};
}

enum level incident_level(const struct incident *incident)
{
	if (!incident->environment)
		return level_of(incident->risk);
	return incident->status == STATUS_CRITICAL ? LEVEL_CRITICAL : LEVEL_WARNING;
}

int64_t incident_duration_ms(const struct incident *incident, int64_t now_ms)
{
	return (incident->to_ms ? incident->to_ms : now_ms) - incident->from_ms;
}

/* --- reading --- */

/* The next number of a line and the blank after it; -1: there is none, or it is above the limit. */
static int64_t take_number(struct span *line, int64_t max)
{
	int64_t n = text_decimal(text_cut(line, ' '));

	return n <= max ? n : -1;
}

/* Appends the name; false: it is none. */
static bool take_name(struct incidents *incidents, struct span line, struct incident *incident)
{
	size_t at = incidents->names.len;

	while (line.len)
		buf_char(&incidents->names, text_take_encoded(&line));
	incident->name_at = (uint32_t)at;
	incident->name_len = (uint32_t)(incidents->names.len - at);
	return buf_ok(&incidents->names) && incident->name_len <= SNAPSHOT_NAME_MAX &&
	       utf8_valid(incident_name(incidents, incident)) &&
	       (incident->environment || incident->name_len);
}

/* Its times. The line counts them from the first. */
static bool take_times(struct span *line, struct incident *incident)
{
	int64_t from = take_number(line, FROM_MAX), last = take_number(line, FROM_MAX),
		peak = take_number(line, FROM_MAX), to = take_number(line, FROM_MAX);

	if (from < 0 || last < 0 || peak < 0 || peak > last || to < 0 || (to && to < last))
		return false;
	incident->from_ms = from;
	incident->last_ms = from + last;
	incident->peak_ms = from + peak;
	incident->to_ms = to ? from + to : 0;
	return true;
}

static bool take_peak(struct span *line, struct incident *incident)
{
	int64_t what = take_number(line,
				   incident->environment ? STATUS_CRITICAL : PROFILE_COUNT - 1),
		risk = take_number(line, RISK_MAX), rule = take_number(line, COMPONENT_COUNT),
		servers = take_number(line, SNAPSHOT_SERVERS);

	if (what < 0 || risk < 0 || rule < 0 || servers < 0)
		return false;
	if (incident->environment)
		incident->status = (enum status)what;
	else
		incident->profile = (enum profile)what;
	incident->risk = (int)risk;
	incident->rule = (enum component)rule;
	incident->servers = (unsigned)servers;
	return !incident->environment || incident->status >= STATUS_WARNING;
}

static bool take_line(struct incidents *incidents, struct span line, struct incident *incident)
{
	bool known = span_is(text_cut(&line, ' '), FORMAT);
	struct span kind = text_cut(&line, ' ');

	*incident = (struct incident){.environment = span_is(kind, "e")};
	return known && (incident->environment || span_is(kind, "s")) &&
	       take_times(&line, incident) && take_peak(&line, incident) &&
	       take_name(incidents, line, incident);
}

size_t incidents_add(struct incidents *incidents, struct span record)
{
	struct incident incident;
	size_t damaged = 0;

	while (record.len)
		if (take_line(incidents, text_cut(&record, '\n'), &incident))
			buf_add(&incidents->list, &incident, sizeof(incident));
		else
			damaged++;
	return damaged;
}

/* --- order --- */

/* The environment comes first: its name is that of a server. */
static int compare_names(const struct incidents *incidents, const struct incident *a,
			 const struct incident *b)
{
	if (a->environment != b->environment)
		return a->environment ? -1 : 1;
	return a->environment ? 0
			      : span_cmp(incident_name(incidents, a), incident_name(incidents, b));
}

static int by_name(const void *left, const void *right, void *incidents)
{
	const struct incident *a = left, *b = right;
	int c = compare_names(incidents, a, b);

	/* Of two records of one episode, the longer one comes first. */
	return c ? c : (a->from_ms > b->from_ms) - (a->from_ms < b->from_ms);
}

static int newest_first(int64_t a, int64_t b)
{
	return (a < b) - (a > b);
}

static int by_end(const void *left, const void *right, void *incidents)
{
	const struct incident *a = left, *b = right;
	int c = newest_first(a->to_ms ? a->to_ms : INT64_MAX, b->to_ms ? b->to_ms : INT64_MAX);

	c = c ? c : newest_first(a->from_ms, b->from_ms);
	return c ? c : compare_names(incidents, a, b);
}

/* A list of episodes whose names are those of `incidents`. */
static void sort(struct incidents *incidents, struct buf *list,
		 int (*compare)(const void *, const void *, void *))
{
	if (list->len > sizeof(struct incident))
		qsort_r(list->data, list->len / sizeof(struct incident), sizeof(struct incident),
			compare, incidents);
}

void incidents_sort(struct incidents *incidents)
{
	sort(incidents, &incidents->list, by_end);
}

/* --- writing --- */

static void put_number(int64_t n, struct buf *out)
{
	buf_char(out, ' ');
	buf_int(out, n);
}

static void put_line(const struct incidents *incidents, const struct incident *i, struct buf *out)
{
	if (out->len)
		buf_char(out, '\n');
	buf_span_add(out, i->environment ? SPAN(FORMAT " e") : SPAN(FORMAT " s"));
	put_number(i->from_ms, out);
	put_number(i->last_ms - i->from_ms, out);
	put_number(i->peak_ms - i->from_ms, out);
	put_number(i->to_ms ? i->to_ms - i->from_ms : 0, out);
	put_number(i->environment ? (int)i->status : (int)i->profile, out);
	put_number(i->risk, out);
	put_number(i->rule, out);
	put_number(i->servers, out);
	buf_char(out, ' ');
	html_url(out, incident_name(incidents, i));
}

/* --- what is open now --- */

static void add_now(struct incidents *now, struct incident incident, const struct server *server)
{
	incident.name_at = (uint32_t)now->names.len;
	if (server) {
		incident.risk = server->risk;
		incident.rule = risk_top(server);
		incident.profile = server->profile;
		incident.name_len = (uint32_t)server->name.len;
		buf_span_add(&now->names, server->name);
	}
	buf_add(&now->list, &incident, sizeof(incident));
}

/* Every episode of this bucket, as if it began here. */
static void find_now(const struct snapshot *snap, struct incidents *now)
{
	int64_t at = snapshot_bucket_ms(snap);
	struct incident begun = {
		.from_ms = at, .last_ms = at, .peak_ms = at, .rule = COMPONENT_COUNT};
	struct incident all = begun;
	struct fleet_counts counts;

	snapshot_count(snap, &counts);
	all.environment = true;
	all.status = status_of_fleet(counts.total, counts.or_worse);
	all.servers = counts.or_worse[LEVEL_CRITICAL];
	if (all.status >= STATUS_WARNING)
		add_now(now, all, snap->count ? &snap->servers[0] : NULL);
	/* The worst ones come first. */
	for (size_t i = 0; i < counts.or_worse[LEVEL_DANGER]; i++)
		add_now(now, begun, &snap->servers[i]);
	sort(now, &now->list, by_name);
}

/* --- the step --- */

struct step {
	struct incidents before, now;
	int64_t at_ms, interval_ms;
	struct buf *next, *closed;
};

static bool is_worse(const struct incident *a, const struct incident *b)
{
	if (a->status != b->status)
		return a->status > b->status;
	if (a->servers != b->servers)
		return a->servers > b->servers;
	return a->risk > b->risk;
}

static void close_episode(const struct step *s, const struct incident *was)
{
	struct incident ended = *was;

	ended.to_ms = was->last_ms + s->interval_ms;
	put_line(&s->before, &ended, s->closed);
}

/* It is at the level now: the same episode, or another one after too long a gap. */
static void go_on(const struct step *s, const struct incident *was, const struct incident *is)
{
	struct incident joined = is_worse(is, was) ? *is : *was;
	const struct incidents *whose = is_worse(is, was) ? &s->now : &s->before;

	if (s->at_ms - was->last_ms > (INCIDENTS_GAP + 1) * s->interval_ms) {
		close_episode(s, was);
		put_line(&s->now, is, s->next);
		return;
	}
	joined.from_ms = was->from_ms;
	joined.last_ms = s->at_ms;
	put_line(whose, &joined, s->next);
}

/* Not at the level now. */
static void wait_or_close(const struct step *s, const struct incident *was)
{
	if (s->at_ms - was->last_ms > INCIDENTS_GAP * s->interval_ms)
		close_episode(s, was);
	else
		put_line(&s->before, was, s->next);
}

static int compare_sides(const struct step *s, const struct incident *was,
			 const struct incident *is)
{
	if (was->environment != is->environment)
		return was->environment ? -1 : 1;
	return was->environment
		       ? 0
		       : span_cmp(incident_name(&s->before, was), incident_name(&s->now, is));
}

/* Both are ordered by name. */
static void merge(const struct step *s)
{
	const struct incident *was = incidents_list(&s->before), *is = incidents_list(&s->now);
	size_t olds = incidents_count(&s->before), news = incidents_count(&s->now), o = 0, n = 0;

	while (o < olds || n < news) {
		int c = o == olds ? 1 : n == news ? -1 : compare_sides(s, &was[o], &is[n]);

		if (c < 0)
			wait_or_close(s, &was[o++]);
		else if (c > 0)
			put_line(&s->now, &is[n++], s->next);
		else
			go_on(s, &was[o++], &is[n++]);
	}
}

/* Only a record that somebody else wrote has a name twice, an episode that ended, or one from the
 * future. */
static void tidy(struct incidents *before, int64_t at_ms)
{
	const struct incident *last = NULL;
	struct buf all = before->list;

	buf_init(&before->list, all.max);
	sort(before, &all, by_name);
	for (size_t i = 0; i < all.len / sizeof(*last); i++) {
		const struct incident *incident = (const struct incident *)(void *)all.data + i;

		if (incident->to_ms || incident->last_ms >= at_ms ||
		    (last && compare_names(before, last, incident) == 0))
			continue;
		last = incident;
		buf_add(&before->list, incident, sizeof(*incident));
	}
	buf_free(&all);
}

size_t incidents_step(struct span open, const struct snapshot *snap, struct buf *next,
		      struct buf *closed)
{
	size_t damaged;
	struct step s = {.at_ms = snapshot_bucket_ms(snap),
			 .interval_ms = snap->interval_ms,
			 .next = next,
			 .closed = closed};

	incidents_init(&s.before);
	incidents_init(&s.now);
	damaged = incidents_add(&s.before, open);
	tidy(&s.before, s.at_ms);
	find_now(snap, &s.now);
	merge(&s);
	if (!buf_ok(&s.before.list) || !buf_ok(&s.now.list) || !buf_ok(&s.now.names)) {
		buf_fail(next);
		buf_fail(closed);
	}
	incidents_free(&s.before);
	incidents_free(&s.now);
	return damaged;
}
