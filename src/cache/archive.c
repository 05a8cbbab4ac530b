/* SPDX-License-Identifier: MIT */
/*
 * Up to 8 hours of the fleet are read point by point. A longer range, and the risks of a server, are
 * read as complete hours, each one entry with a line per point, and the points of the last two hours,
 * of which the first may not have been closed yet.
 */
#include "config.h"
#include "cache/archive.h"

#include "base/log.h"
#include "base/text.h"

#define HOUR_MS INT64_C(3600000)

/* The start of the hour that contains the time. */
static int64_t hour_before(int64_t ms)
{
	return ms / HOUR_MS * HOUR_MS;
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

static void add_hour(void *ctx, int64_t hour_ms, const struct span *fields, size_t count)
{
	struct span lines = count >= 2 ? fields[1] : (struct span){NULL, 0};

	(void)hour_ms;
	while (lines.len) {
		struct span line = text_cut(&lines, '\n');
		int64_t at_ms = cut_time(&line);

		history_add(ctx, at_ms, line);
	}
}

void archive_add_long(struct cache_batch *batch, int64_t to_ms, struct history *h)
{
	int64_t from_ms = hour_before(h->from_ms);
	int64_t points_ms = hour_before(to_ms - HOUR_MS);

	cache_batch_add(
		batch,
		(struct cache_stream){CACHE_HISTORY_HOURS, from_ms, points_ms - 1, CACHE_ALL},
		add_hour, h);
	cache_batch_add(batch, (struct cache_stream){CACHE_HISTORY, points_ms, to_ms, CACHE_ALL},
			add_point, h);
}

void archive_add_fleet(struct cache_batch *batch, int64_t interval_ms, int64_t at_ms,
		       enum history_range range, struct history *h)
{
	history_init(h, interval_ms, history_range_ms(range), at_ms);
	history_thin_out(h, range);
	if (range > HISTORY_8H)
		archive_add_long(batch, at_ms, h);
	else
		cache_batch_add(batch,
				(struct cache_stream){CACHE_HISTORY, h->from_ms, at_ms, CACHE_ALL},
				add_point, h);
}

int archive_fleet(struct cache *cache, const struct snapshot *snap, enum history_range range,
		  struct history *h)
{
	struct cache_batch batch = {.count = 0};

	archive_add_fleet(&batch, snap->interval_ms, snapshot_bucket_ms(snap), range, h);
	return cache_batch_read(cache, &batch);
}

/* Finds the server where the names are others than before. False: it is not among them, or they are
 * not known. */
static bool find_server(struct archive_server *range, const struct span *fields, size_t count)
{
	if (count < 4)
		return false;
	if (count >= 6 && !span_eq(fields[1], range->digest)) {
		range->digest = fields[1];
		range->index = history_find_server(fields[5], range->name);
	}
	return range->index >= 0 && span_eq(fields[1], range->digest);
}

/* Entries: s digest r risks, and n names where the names are not those of the entry before. */
static void add_server(void *ctx, int64_t at_ms, const struct span *fields, size_t count)
{
	struct archive_server *range = ctx;

	if (find_server(range, fields, count))
		history_add_server(range->h, at_ms, fields[3], (size_t)range->index);
}

/* An hour: the same with a line for each bucket, and always with the names. */
static void add_server_hour(void *ctx, int64_t hour_ms, const struct span *fields, size_t count)
{
	struct archive_server *range = ctx;
	struct span lines = count >= 4 ? fields[3] : (struct span){NULL, 0};

	(void)hour_ms;
	if (!find_server(range, fields, count))
		return;
	while (lines.len) {
		struct span line = text_cut(&lines, '\n');
		int64_t at_ms = cut_time(&line);

		history_add_server(range->h, at_ms, line, (size_t)range->index);
	}
}

void archive_add_server(struct cache_batch *batch, int64_t interval_ms, int64_t at_ms,
			struct span name, struct archive_server *server, struct history *h)
{
	*server = (struct archive_server){.h = h, .name = name, .index = -1};
	history_init(h, interval_ms, history_range_ms(HISTORY_1D), at_ms);
	cache_batch_add(batch,
			(struct cache_stream){CACHE_SERVERS_HOURS, hour_before(h->from_ms), at_ms,
					      CACHE_ALL},
			add_server_hour, server);
	cache_batch_add(batch,
			(struct cache_stream){CACHE_HISTORY_SERVERS, hour_before(at_ms - HOUR_MS),
					      at_ms, CACHE_ALL},
			add_server, server);
}

static void take_made(void *ctx, int64_t at_ms, const struct span *fields, size_t count)
{
	if (count >= 2 && trail_take(ctx, at_ms, fields[1]) != 0)
		archive_tell_damaged("forecasts", at_ms);
}

static int64_t not_before_1970(int64_t ms)
{
	return ms > 0 ? ms : 0;
}

void archive_add_trail(struct cache_batch *batch, int64_t at_ms, struct span name,
		       struct span other, struct trail *trail)
{
	trail_init(trail, at_ms, name, other);
	for (size_t i = 0; i < TRAIL_POINTS; i++) {
		struct trail_period made = trail_period(trail, i);

		cache_batch_add(batch,
				(struct cache_stream){CACHE_FORECASTS,
						      not_before_1970(made.from_ms),
						      not_before_1970(made.to_ms), CACHE_NEWEST},
				take_made, trail);
	}
}

void archive_server(struct cache *cache, const struct snapshot *snap, struct span name,
		    struct span other, struct history *h, struct trail *trail,
		    struct archive_has *has)
{
	int64_t at_ms = snapshot_bucket_ms(snap);
	struct cache_batch batch = {.count = 0};
	bool no_history = false, no_trail = false;
	struct archive_server server;
	int rc;

	batch.refused = &no_history;
	archive_add_server(&batch, snap->interval_ms, at_ms, name, &server, h);
	batch.refused = &no_trail;
	archive_add_trail(&batch, at_ms, name, other, trail);
	rc = cache_batch_read(cache, &batch);
	*has = (struct archive_has){rc == 0 && !no_history, rc == 0 && !no_trail};
}

/* Entries as above. Those of an hour that has just been closed are there a second time. */
static void add_recent_risks(struct archive_hour *hour, int64_t at_ms, struct span risks)
{
	if (at_ms > hour->at_ms)
		recent_add(&hour->hour, at_ms, risks);
	hour->at_ms = at_ms > hour->at_ms ? at_ms : hour->at_ms;
}

static bool has_names(struct archive_hour *hour, const struct span *fields, size_t count)
{
	if (count < 4)
		return false;
	if (count >= 6 && !span_eq(fields[1], hour->digest)) {
		hour->digest = fields[1];
		recent_names(&hour->hour, fields[5]);
	}
	return span_eq(fields[1], hour->digest);
}

void archive_hour_take(struct archive_hour *hour, int64_t at_ms, const struct span *fields,
		       size_t count)
{
	if (has_names(hour, fields, count))
		add_recent_risks(hour, at_ms, fields[3]);
}

void archive_hour_take_closed(struct archive_hour *hour, const struct span *fields, size_t count)
{
	struct span lines = count >= 4 ? fields[3] : (struct span){NULL, 0};

	if (!has_names(hour, fields, count))
		return;
	while (lines.len) {
		struct span line = text_cut(&lines, '\n');
		int64_t at_ms = cut_time(&line);

		add_recent_risks(hour, at_ms, line);
	}
}

/* From the start of an hour on: there the names stand again. */
struct cache_stream archive_hour_stream(int64_t to_ms)
{
	return (struct cache_stream){CACHE_HISTORY_SERVERS, hour_before(to_ms - RECENT_MS),
				     to_ms - 1, CACHE_ALL};
}

struct cache_stream archive_hour_closed(int64_t to_ms)
{
	return (struct cache_stream){CACHE_SERVERS_HOURS, hour_before(to_ms - RECENT_MS), to_ms - 1,
				     CACHE_ALL};
}

static void add_recent(void *ctx, int64_t at_ms, const struct span *fields, size_t count)
{
	archive_hour_take(ctx, at_ms, fields, count);
}

void archive_add_hour(struct cache_batch *batch, struct snapshot *snap, struct archive_hour *hour)
{
	*hour = (struct archive_hour){.digest = {NULL, 0}};
	recent_begin(&hour->hour, snap);
	cache_batch_add(batch, archive_hour_stream(snapshot_bucket_ms(snap)), add_recent, hour);
}

void archive_tell_damaged(const char *what, int64_t at_ms)
{
	log_event(LOG_LEVEL_WARNING, "moment_damaged", LOG_STR("record", what),
		  LOG_INT("at", at_ms));
}

/* Names of fields. */
#define OPEN  "o" /* of a moment */
#define THIN  "t"
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

void archive_add_incidents(struct cache_batch *batch, int64_t at_ms, int64_t range_ms,
			   struct incidents *incidents)
{
	const struct cache_stream streams[] = {
		{CACHE_MOMENTS, at_ms, at_ms, CACHE_ALL},
		{CACHE_MOMENTS_THIN, at_ms, at_ms, CACHE_ALL},
		{CACHE_INCIDENTS, at_ms - range_ms, at_ms, CACHE_ALL},
	};

	incidents_init(incidents);
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
		cache_batch_add(batch, streams[i], add_incidents, incidents);
}

int archive_incidents(struct cache *cache, const struct snapshot *snap, int64_t range_ms,
		      struct incidents *incidents)
{
	struct cache_batch batch = {.count = 0};
	int rc;

	archive_add_incidents(&batch, snapshot_bucket_ms(snap), range_ms, incidents);
	rc = cache_batch_read(cache, &batch);
	incidents_sort(incidents);
	return rc;
}

static void take_last(void *ctx, int64_t at_ms, const struct span *fields, size_t count)
{
	struct archive_last *last = ctx;
	struct span record;

	last->at_ms = at_ms;
	if (find_field(OPEN, fields, count, &record))
		buf_span_add(&last->open, record);
}

void archive_add_last(struct cache_batch *batch, struct archive_last *last)
{
	cache_batch_add(batch, (struct cache_stream){CACHE_MOMENTS, 0, INT64_MAX, CACHE_NEWEST},
			take_last, last);
}

static void take_base(void *ctx, int64_t at_ms, const struct span *fields, size_t count)
{
	struct archive_base *base = ctx;
	struct span record;

	if (!find_field(THIN, fields, count, &record))
		return;
	base->at_ms = at_ms;
	buf_span_add(&base->record, record);
}

void archive_add_base(struct cache_batch *batch, int64_t at_ms, struct archive_base *base)
{
	int64_t window_ms = at_ms / PROTOCOL_THIN_MS * PROTOCOL_THIN_MS;

	cache_batch_add(
		batch,
		(struct cache_stream){CACHE_MOMENTS_THIN, window_ms, at_ms - 1, CACHE_NEWEST},
		take_base, base);
}
