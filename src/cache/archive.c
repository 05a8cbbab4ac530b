/* SPDX-License-Identifier: MIT */
/*
 * Up to 8 hours are read point by point. A longer range is read as complete hours, each one entry
 * with a line per point, and the points of the last two hours, of which the first may not have been
 * closed yet.
 */
#include "config.h"
#include "cache/archive.h"

#include "base/log.h"
#include "base/text.h"

#define HOUR_MS INT64_C(3600000)

static void init(const struct snapshot *snap, enum history_range range, struct history *h)
{
	history_init(h, snap->interval_ms, history_range_ms(range), snapshot_bucket_ms(snap));
	history_thin_out(h, range);
}

static void add_point(void *ctx, int64_t at_ms, const struct span *fields, size_t count)
{
	if (count >= 2)
		history_add(ctx, at_ms, fields[1]);
}

/* Cuts the time off a line of an hour; -1: not such a line. */
static int64_t cut_time(struct span *line)
{
	int64_t ms = text_take_decimal(line);

	if (ms < 0 || line->len == 0 || line->ptr[0] != ' ')
		return -1;
	*line = (struct span){line->ptr + 1, line->len - 1};
	return ms;
}

static void add_hour(struct history *h, struct span lines)
{
	while (lines.len) {
		struct span line = text_cut(&lines, '\n');
		int64_t at_ms = cut_time(&line);

		history_add(h, at_ms, line);
	}
}

void archive_streams(struct archive_range *range, int64_t to_ms,
		     struct cache_stream streams[ARCHIVE_STREAMS])
{
	int64_t from_ms = range->h->from_ms / HOUR_MS * HOUR_MS;

	range->points_from_ms = (to_ms / HOUR_MS - 1) * HOUR_MS;
	streams[0] = (struct cache_stream){CACHE_HISTORY_HOURS, from_ms, range->points_from_ms - 1,
					   CACHE_ALL};
	streams[1] = (struct cache_stream){CACHE_HISTORY, range->points_from_ms, to_ms, CACHE_ALL};
}

/* Hours and points arrive through one function: an hour is recognized by its time, which lies
 * before all single points. */
void archive_take(struct archive_range *range, int64_t at_ms, struct span record)
{
	if (at_ms < range->points_from_ms)
		add_hour(range->h, record);
	else
		history_add(range->h, at_ms, record);
}

static void add_hour_or_point(void *ctx, int64_t at_ms, const struct span *fields, size_t count)
{
	if (count >= 2)
		archive_take(ctx, at_ms, fields[1]);
}

int archive_fleet(struct cache *cache, const struct snapshot *snap, enum history_range range,
		  struct history *h)
{
	struct archive_range ctx = {.h = h};
	struct cache_stream streams[ARCHIVE_STREAMS];

	init(snap, range, h);
	if (range <= HISTORY_8H)
		return cache_read_streams(
			cache,
			&(struct cache_stream){CACHE_HISTORY, h->from_ms, h->to_ms, CACHE_ALL}, 1,
			add_point, h);
	archive_streams(&ctx, h->to_ms, streams);
	return cache_read_streams(cache, streams, ARCHIVE_STREAMS, add_hour_or_point, &ctx);
}

struct server_range {
	struct history *h;
	struct span name;
	struct span digest; /* of the names that `index` belongs to */
	int index;          /* -1: the server was not there */
};

/* Entries: s digest r risks, and n names where the names are not those of the entry before. */
static void add_server(void *ctx, int64_t at_ms, const struct span *fields, size_t count)
{
	struct server_range *range = ctx;

	if (count < 4)
		return;
	if (count >= 6) {
		range->digest = fields[1];
		range->index = history_find_server(fields[5], range->name);
	}
	if (range->index >= 0 && span_eq(fields[1], range->digest))
		history_add_server(range->h, at_ms, fields[3], (size_t)range->index);
}

int archive_server(struct cache *cache, const struct snapshot *snap, struct span name,
		   struct history *h)
{
	struct server_range range = {.h = h, .name = name, .index = -1};

	init(snap, HISTORY_1D, h);
	return cache_read_streams(
		cache,
		&(struct cache_stream){CACHE_HISTORY_SERVERS, h->from_ms, h->to_ms, CACHE_ALL}, 1,
		add_server, &range);
}

/* Entries as above. */
void archive_hour_take(struct archive_hour *hour, int64_t at_ms, const struct span *fields,
		       size_t count)
{
	if (count < 4)
		return;
	if (count >= 6 && !span_eq(fields[1], hour->digest)) {
		hour->digest = fields[1];
		recent_names(&hour->hour, fields[5]);
	}
	if (span_eq(fields[1], hour->digest))
		recent_add(&hour->hour, at_ms, fields[3]);
}

/* From the start of an hour on: there the names stand again. */
struct cache_stream archive_hour_stream(int64_t to_ms)
{
	return (struct cache_stream){CACHE_HISTORY_SERVERS, (to_ms - RECENT_MS) / HOUR_MS * HOUR_MS,
				     to_ms - 1, CACHE_ALL};
}

static void add_recent(void *ctx, int64_t at_ms, const struct span *fields, size_t count)
{
	archive_hour_take(ctx, at_ms, fields, count);
}

void archive_recent(struct cache *cache, struct snapshot *snap)
{
	struct cache_stream stream = archive_hour_stream(snapshot_bucket_ms(snap));
	struct archive_hour hour = {.digest = {NULL, 0}};

	recent_begin(&hour.hour, snap);
	(void)cache_read_streams(cache, &stream, 1, add_recent, &hour);
	recent_end(&hour.hour);
}

void archive_tell_damaged(const char *what, int64_t at_ms)
{
	log_event(LOG_LEVEL_WARNING, "moment_damaged", LOG_STR("record", what),
		  LOG_INT("at", at_ms));
}

/* Names of fields. */
#define OPEN  "o" /* of a moment */
#define ENDED "i"

/* An entry has at most two fields. */
static bool find_field(const char *name, const struct span *fields, size_t count,
		       struct span *value)
{
	for (size_t i = 0; i + 1 < count; i += 2) {
		if (!span_is(fields[i], name))
			continue;
		*value = fields[i + 1];
		return true;
	}
	return false;
}

/* The thin moment of a bucket comes after the full one, and has the same content. */
static void add_incidents(void *ctx, int64_t at_ms, const struct span *fields, size_t count)
{
	struct incidents *incidents = ctx;
	struct span record;

	if ((find_field(ENDED, fields, count, &record) ||
	     (!incidents_count(incidents) && find_field(OPEN, fields, count, &record))) &&
	    incidents_add(incidents, record) > 0)
		archive_tell_damaged("incidents", at_ms);
}

int archive_incidents(struct cache *cache, const struct snapshot *snap, int64_t range_ms,
		      struct incidents *incidents)
{
	int64_t at = snapshot_bucket_ms(snap);
	const struct cache_stream streams[] = {
		{CACHE_MOMENTS, at, at, CACHE_ALL},
		{CACHE_MOMENTS_THIN, at, at, CACHE_ALL},
		{CACHE_INCIDENTS, at - range_ms, at, CACHE_ALL},
	};
	int rc;

	incidents_init(incidents);
	rc = cache_read_streams(cache, streams, 3, add_incidents, incidents);
	incidents_sort(incidents);
	return rc;
}

struct last_moment {
	int64_t at_ms;
	struct buf *open;
};

static void take_last(void *ctx, int64_t at_ms, const struct span *fields, size_t count)
{
	struct last_moment *last = ctx;
	struct span record;

	last->at_ms = at_ms;
	if (find_field(OPEN, fields, count, &record))
		buf_span_add(last->open, record);
}

int64_t archive_open_incidents(struct cache *cache, struct buf *open)
{
	struct last_moment last = {0, open};
	const struct cache_stream newest = {CACHE_MOMENTS, 0, INT64_MAX, CACHE_NEWEST};

	return cache_read_streams(cache, &newest, 1, take_last, &last) == 0 ? last.at_ms : -1;
}
