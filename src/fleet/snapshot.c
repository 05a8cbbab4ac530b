/* SPDX-License-Identifier: MIT */
/* The fleet at one moment: building, ordering, counting, and which servers have gone silent. */
#include "config.h"

#include "fleet/snapshot.h"

#include <math.h>
#include <stdlib.h>

#define SILENT_COUNT 3
#define SILENT_MS    60000

/* ---- building ---- */

struct snapshot *snapshot_new(void)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->prob_30m = s->prob_8h = NAN;
	s->served = (struct served){-1, -1, -1, -1, -1, -1, -1};
	buf_init(&s->names, (size_t)SNAPSHOT_SERVERS * SNAPSHOT_NAME_MAX);
	buf_init(&s->firing, SNAPSHOT_FIRING_MAX);
	buf_init(&s->told, ALERTMANAGER_RECORD_MAX);
	return s;
}

void snapshot_drop_series(struct snapshot *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->servers[i].series);
		s->servers[i].series = NULL;
	}
}

void snapshot_free(struct snapshot **s)
{
	if (!*s)
		return;
	snapshot_drop_series(*s);
	for (size_t i = 0; i < (*s)->count; i++)
		free((*s)->servers[i].horizons);
	free((*s)->servers);
	buf_free(&(*s)->names);
	buf_free(&(*s)->firing);
	buf_free(&(*s)->told);
	alertmanager_free(&(*s)->alertmanager);
	free(*s);
	*s = NULL;
}

/* Doubles the array when it is full, which is at every power of two. */
static int make_room(struct snapshot *s)
{
	struct server *servers;

	if (s->count >= SNAPSHOT_SERVERS)
		return -1;
	if ((s->count & (s->count - 1)) != 0)
		return 0;
	servers = realloc(s->servers, (s->count ? 2 * s->count : 1) * sizeof(*servers));
	if (!servers)
		return -1;
	s->servers = servers;
	return 0;
}

struct server *snapshot_add(struct snapshot *s, struct span name)
{
	static const struct reading absent = {NAN, NAN, NAN, NAN, NAN};
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

/* The names are stored one after another, in the order of the servers. */
static void fix_names(struct snapshot *s)
{
	const char *at = s->names.data;
	size_t i;

	for (i = 0; i < s->count; i++) {
		s->servers[i].name.ptr = at;
		at += s->servers[i].name.len;
	}
}

/* By name; of two equal names the one added later, which is further back in the store, comes
 * first. */
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

int snapshot_reseal(struct snapshot *s)
{
	fix_names(s);
	for (size_t i = 1; i < s->count; i++)
		if (by_rank(&s->servers[i - 1], &s->servers[i]) >= 0)
			return -1;
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

void fleet_counts_add(struct fleet_counts *counts, const struct server *server, int64_t gen_ms)
{
	counts->total++;
	counts->level[level_of(server->risk)]++;
	counts->silent += server_is_silent(server, gen_ms);
	counts->silenced += server->silence && server->risk >= RISK_ALERT;
}

void fleet_counts_end(struct fleet_counts *counts)
{
	for (int l = 0; l < LEVEL_COUNT; l++)
		counts->or_worse[l] = counts->level[l] + (l ? counts->or_worse[l - 1] : 0);
	counts->healthy = counts->total - counts->or_worse[LEVEL_DEGRADING];
}

void snapshot_count(const struct snapshot *s, struct fleet_counts *counts)
{
	*counts = (struct fleet_counts){0};
	for (size_t i = 0; i < s->count; i++)
		fleet_counts_add(counts, &s->servers[i], s->gen_ms);
	fleet_counts_end(counts);
}

void snapshot_count_unsilenced(const struct snapshot *s, struct fleet_counts *counts)
{
	*counts = (struct fleet_counts){0};
	for (size_t i = 0; i < s->count; i++) {
		const struct server *server = &s->servers[i];

		fleet_counts_add(counts, server, s->gen_ms);
		if (!server->silence)
			continue;
		counts->level[level_of(server->risk)]--;
		counts->level[LEVEL_HEALTHY]++;
	}
	fleet_counts_end(counts);
}

/* ---- what lasts ---- */

static int by_name_ptr(const void *a, const void *b)
{
	const struct server *const *x = a, *const *y = b;

	return span_cmp((*x)->name, (*y)->name);
}

const struct server **snapshot_by_name(const struct snapshot *s)
{
	const struct server **index = NULL;
	size_t i;

	if (s && s->count > 0)
		index = malloc(s->count * sizeof(*index));
	if (!index)
		return NULL;
	for (i = 0; i < s->count; i++)
		index[i] = &s->servers[i];
	qsort(index, s->count, sizeof(*index), by_name_ptr);
	return index;
}

int64_t snapshot_bucket_ms(const struct snapshot *s)
{
	return s->bucket * s->interval_ms;
}

void server_note_level(struct server *server, enum level level, int64_t at_ms)
{
	for (int l = 0; l < LEVEL_HEALTHY; l++) {
		int64_t *since_ms = &server->level_since_ms[l];

		*since_ms = (int)level > l ? 0 : *since_ms ? *since_ms : at_ms;
	}
}

int64_t server_level_since(const struct server *server)
{
	enum level level = level_of(server->risk);

	return level == LEVEL_HEALTHY ? 0 : server->level_since_ms[level];
}

/* Times of another interval become those of a bucket of this one: a moment counts in buckets. */
static int64_t on_bucket(int64_t at_ms, const struct snapshot *s)
{
	return s->interval_ms ? at_ms - at_ms % s->interval_ms : at_ms;
}

static void carry_levels(struct server *server, const struct server *old, const struct snapshot *s,
			 const struct snapshot *previous)
{
	for (int l = 0; previous && l < LEVEL_HEALTHY; l++)
		server->level_since_ms[l] = old ? on_bucket(old->level_since_ms[l], s) : 0;
	server_note_level(server, level_of(server->risk), snapshot_bucket_ms(s));
}

void snapshot_carry(struct snapshot *s, const struct snapshot *previous)
{
	const struct server **index = snapshot_by_name(previous);
	size_t i;

	if (previous)
		s->watched_from_ms = on_bucket(previous->watched_from_ms, s);
	if (!s->watched_from_ms)
		s->watched_from_ms = snapshot_bucket_ms(s);
	for (i = 0; i < s->count; i++) {
		struct server *server = &s->servers[i];
		const struct server *key = server, *const *old = NULL;

		if (index)
			old = bsearch(&key, index, previous->count, sizeof(*index), by_name_ptr);
		carry_levels(server, old ? *old : NULL, s, previous);
		server->same_since_ms = s->gen_ms;
		server->same_count = 1;
		if (old && (*old)->fingerprint == server->fingerprint) {
			server->same_since_ms = (*old)->same_since_ms;
			server->same_count = (*old)->same_count + ((*old)->same_count < UINT32_MAX);
		}
	}
	free(index);
}

enum mark_kind server_memory_kind(const struct server *s)
{
	return s->profile == PROFILE_DATABASE ? MARK_KIND_MEMORY_DB : MARK_KIND_MEMORY;
}
