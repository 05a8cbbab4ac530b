/* SPDX-License-Identifier: MIT */
/*
 * Where every bucket is kept, so are the moments of PROTOCOL_THIN_MS. So if there is a full moment
 * within that time before the requested one, the resolution there is an interval; otherwise it is
 * PROTOCOL_THIN_MS.
 */
#include "config.h"
#include "cache/moments.h"

#include "cache/archive.h"
#include "fleet/horizons.h"
#include "fleet/moment.h"

#define RISKS_FIELDS 6
#define RISKS_MAX    (8u << 20)

struct risks {
	int64_t at_ms; /* CLOSED: an hour */
	size_t count;
	struct span fields[RISKS_FIELDS];
};

#define CLOSED (-1)

static void take_risks(void *ctx, int64_t at_ms, const struct span *fields, size_t count)
{
	struct risks risks = {.at_ms = at_ms, .count = count < RISKS_FIELDS ? count : RISKS_FIELDS};

	memcpy(risks.fields, fields, risks.count * sizeof(*fields));
	buf_add(ctx, &risks, sizeof(risks));
}

static void take_closed_risks(void *ctx, int64_t hour_ms, const struct span *fields, size_t count)
{
	(void)hour_ms;
	take_risks(ctx, CLOSED, fields, count);
}

/* What else a record's entry has is not for moments. */
static void take_record(void *ctx, int64_t at_ms, const struct span *fields, size_t count)
{
	if (count >= 2)
		*(struct moment_record *)ctx = (struct moment_record){at_ms, fields[1]};
}

static void add_records(struct cache_batch *batch, int64_t from_ms, int64_t thin_from_ms,
			int64_t to_ms, enum cache_pick pick, struct moment_search *search)
{
	cache_batch_add(batch, (struct cache_stream){CACHE_MOMENTS, from_ms, to_ms, pick},
			take_record, &search->full);
	cache_batch_add(batch, (struct cache_stream){CACHE_MOMENTS_THIN, thin_from_ms, to_ms, pick},
			take_record, &search->thin);
}

void moments_add(struct cache_batch *batch, int64_t at_ms, unsigned with,
		 struct moment_search *search)
{
	int64_t from_ms = at_ms - PROTOCOL_THIN_MS + 1;
	bool *refused = batch->refused;

	*search = (struct moment_search){.at_ms = at_ms};
	buf_init(&search->risks, RISKS_MAX);
	/* What the oldest of these full ones may be beside is up to a window older. */
	add_records(batch, from_ms, from_ms - PROTOCOL_THIN_MS, at_ms, CACHE_NEWEST, search);
	batch->refused = &search->incomplete;
	if (with & MOMENT_FORECASTS)
		cache_batch_add(
			batch, (struct cache_stream){CACHE_FORECASTS, from_ms, at_ms, CACHE_NEWEST},
			take_record, &search->forecasts);
	if (with & MOMENT_LINES) {
		cache_batch_add(batch, archive_hour_closed(at_ms + 1), take_closed_risks,
				&search->risks);
		cache_batch_add(batch, archive_hour_stream(at_ms + 1), take_risks, &search->risks);
	}
	batch->refused = refused;
}

/* The lines of the servers; the snapshot decides which of the risks lie before it. */
static void draw_recent(struct snapshot *snap, const struct moment_search *search)
{
	const struct risks *risks = (const struct risks *)(const void *)search->risks.data;
	struct archive_hour hour = {.digest = {NULL, 0}};

	recent_begin(&hour.hour, snap);
	for (size_t i = 0; i < search->risks.len / sizeof(*risks); i++)
		if (risks[i].at_ms == CLOSED)
			archive_hour_take_closed(&hour, risks[i].fields, risks[i].count);
		else
			archive_hour_take(&hour, risks[i].at_ms, risks[i].fields, risks[i].count);
	recent_end(&hour.hour);
}

/* The thin moment that the record may have been written beside. It is the newest one before it. */
static struct span base_of(const struct moment_record *record, const struct moment_search *search)
{
	const struct moment_record *thin = &search->thin;
	bool same_window = thin->at_ms / PROTOCOL_THIN_MS == record->at_ms / PROTOCOL_THIN_MS;

	return same_window ? thin->bytes : (struct span){NULL, 0};
}

/* Of the first moment of a window only the thin stream has the record. */
static struct span bytes_of(const struct moment_record *record, const struct moment_search *search)
{
	if (record->bytes.len == 0 && search->thin.at_ms == record->at_ms)
		return search->thin.bytes;
	return record->bytes;
}

static int take_forecasts(const struct moment_search *search, struct snapshot *snap)
{
	struct span bytes = search->forecasts.bytes;

	if (horizons_decode(bytes, search->name, snap) != 0)
		return -1;
	return search->other.len ? horizons_decode(bytes, search->other, snap) : 0;
}

static struct snapshot *decode(const struct moment_record *record,
			       const struct moment_search *search)
{
	const struct moment_record *forecasts = &search->forecasts;
	struct snapshot *snap = moment_decode(bytes_of(record, search), base_of(record, search));

	if (!snap)
		archive_tell_damaged("moment", record->at_ms);
	else if (forecasts->at_ms && take_forecasts(search, snap) != 0)
		archive_tell_damaged("forecasts", forecasts->at_ms);
	if (snap)
		draw_recent(snap, search);
	return snap;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
	if (!a || !b)
		return a ? a : b;
	return a < b ? a : b;
}

/* Of a time of which nothing is kept: the newest until before_ms, the oldest after at_ms. */
static enum moment_result find_neighbours(struct cache *cache, int64_t before_ms, int64_t at_ms,
					  struct moment *moment)
{
	struct moment_search before = {0}, after = {0};
	struct cache_batch batch = {.count = 0};

	add_records(&batch, 0, 0, before_ms, CACHE_NEWEST, &before);
	add_records(&batch, at_ms + 1, at_ms + 1, INT64_MAX, CACHE_OLDEST, &after);
	if (cache_batch_read(cache, &batch) != 0)
		return MOMENT_DOWN;
	moment->before_ms = later(before.full.at_ms, before.thin.at_ms);
	moment->after_ms = sooner(after.full.at_ms, after.thin.at_ms);
	return MOMENT_NONE;
}

/* The record that counts for the time; NULL: none is kept of it. */
static const struct moment_record *choose(const struct cache *cache,
					  const struct moment_search *search)
{
	int64_t interval_ms = cache_interval_ms(cache, CACHE_FLEET);

	if (search->full.at_ms)
		return search->full.at_ms > search->at_ms - interval_ms ? &search->full : NULL;
	return search->thin.at_ms > search->at_ms - PROTOCOL_THIN_MS ? &search->thin : NULL;
}

enum moment_result moments_take(struct cache *cache, int rc, struct moment_search *search,
				struct moment *moment)
{
	const struct moment_record *record = rc == 0 ? choose(cache, search) : NULL;

	*moment = (struct moment){.incomplete = search->incomplete};
	if (record)
		moment->snap = decode(record, search);
	buf_free(&search->risks);
	if (rc != 0)
		return MOMENT_DOWN;
	if (moment->snap)
		return MOMENT_FOUND;
	/* A damaged one is no neighbour of itself. */
	return find_neighbours(cache, record ? record->at_ms - 1 : search->at_ms, search->at_ms,
			       moment);
}

enum moment_result moments_read(struct cache *cache, int64_t at_ms, bool forecasts,
				struct moment *moment)
{
	struct cache_batch batch = {.count = 0};
	struct moment_search search;

	moments_add(&batch, at_ms, forecasts ? MOMENT_FORECASTS : 0, &search);
	return moments_take(cache, cache_batch_read(cache, &batch), &search, moment);
}

/* 0: none. */
static int64_t nearest_of(const struct moment *none, int64_t at_ms, int64_t end_ms)
{
	int64_t before_ms = none->before_ms, after_ms = none->after_ms;

	if (after_ms >= end_ms)
		after_ms = 0;
	if (!before_ms || !after_ms)
		return before_ms ? before_ms : after_ms;
	return at_ms - before_ms < after_ms - at_ms ? before_ms : after_ms;
}

enum moment_result moments_take_near(struct cache *cache, int rc, int64_t end_ms,
				     struct moment_search *search, struct moment *moment)
{
	enum moment_result result = moments_take(cache, rc, search, moment);
	int64_t nearest_ms = result == MOMENT_NONE ? nearest_of(moment, search->at_ms, end_ms) : 0;

	return nearest_ms ? moments_read(cache, nearest_ms, false, moment) : result;
}
