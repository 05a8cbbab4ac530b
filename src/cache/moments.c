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

/* Names of the fields of the streams. */
#define FULL      "m"
#define THIN      "t"
#define FORECASTS "f"
#define POINTS    "d" /* of the history */
#define RISKS     "s"

/* What a read has found; the records live as long as the replies. */
struct found {
	int64_t full_ms, thin_ms, forecasts_ms; /* 0: none */
	struct span full, thin, forecasts;
	struct archive_range day; /* h NULL: not asked for */
	struct buf risks;         /* struct risks; of the hour before */
};

#define RISKS_FIELDS 6
#define RISKS_MAX    (8u << 20)

struct risks {
	int64_t at_ms;
	size_t count;
	struct span fields[RISKS_FIELDS];
};

static void take_risks(struct found *found, int64_t at_ms, const struct span *fields, size_t count)
{
	struct risks risks = {.at_ms = at_ms, .count = count < RISKS_FIELDS ? count : RISKS_FIELDS};

	memcpy(risks.fields, fields, risks.count * sizeof(*fields));
	buf_add(&found->risks, &risks, sizeof(risks));
}

static void take(void *ctx, int64_t at_ms, const struct span *fields, size_t count)
{
	struct found *found = ctx;

	if (count < 2)
		return;
	if (span_is(fields[0], FULL)) {
		found->full_ms = at_ms;
		found->full = fields[1];
	} else if (span_is(fields[0], THIN)) {
		found->thin_ms = at_ms;
		found->thin = fields[1];
	} else if (span_is(fields[0], FORECASTS)) {
		found->forecasts_ms = at_ms;
		found->forecasts = fields[1];
	} else if (span_is(fields[0], POINTS)) {
		archive_take(&found->day, at_ms, fields[1]);
	} else if (span_is(fields[0], RISKS)) {
		take_risks(found, at_ms, fields, count);
	}
}

#define STREAMS (4 + ARCHIVE_STREAMS)

/* forecasts: those as well; day: its points until to_ms. */
static int read_streams(struct cache *cache, int64_t from_ms, int64_t to_ms, enum cache_pick pick,
			bool forecasts, struct history *day, struct found *found)
{
	struct cache_stream streams[STREAMS] = {{CACHE_MOMENTS, from_ms, to_ms, pick},
						{CACHE_MOMENTS_THIN, from_ms, to_ms, pick}};
	size_t n = 2;

	*found = (struct found){.day = {.h = day}};
	buf_init(&found->risks, RISKS_MAX);
	if (forecasts)
		streams[n++] = (struct cache_stream){CACHE_FORECASTS, from_ms, to_ms, pick};
	if (day) {
		archive_streams(&found->day, to_ms, streams + n);
		n += ARCHIVE_STREAMS;
		streams[n++] = archive_hour_stream(to_ms + 1);
	}
	return cache_read_streams(cache, streams, n, take, found);
}

/* The lines of the servers; the snapshot decides which of the risks lie before it. */
static void draw_recent(struct snapshot *snap, const struct found *found)
{
	const struct risks *risks = (const struct risks *)(const void *)found->risks.data;
	struct archive_hour hour = {.digest = {NULL, 0}};

	recent_begin(&hour.hour, snap);
	for (size_t i = 0; i < found->risks.len / sizeof(*risks); i++)
		archive_hour_take(&hour, risks[i].at_ms, risks[i].fields, risks[i].count);
	recent_end(&hour.hour);
}

static struct snapshot *decode(int64_t at_ms, struct span record, const struct found *found)
{
	struct snapshot *snap = moment_decode(record);

	if (!snap)
		archive_tell_damaged("moment", at_ms);
	else if (found->forecasts_ms && horizons_decode(found->forecasts, snap) != 0)
		archive_tell_damaged("forecasts", found->forecasts_ms);
	if (snap)
		draw_recent(snap, found);
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

static enum moment_result find_neighbours(struct cache *cache, int64_t at_ms, struct moment *moment)
{
	struct found before, after;

	if (read_streams(cache, 0, at_ms, CACHE_NEWEST, false, NULL, &before) != 0 ||
	    read_streams(cache, at_ms + 1, INT64_MAX, CACHE_OLDEST, false, NULL, &after) != 0)
		return MOMENT_DOWN;
	moment->before_ms = later(before.full_ms, before.thin_ms);
	moment->after_ms = sooner(after.full_ms, after.thin_ms);
	return MOMENT_NONE;
}

enum moment_result moments_read_day(struct cache *cache, int64_t at_ms, bool forecasts,
				    struct history *day, struct moment *moment)
{
	struct found found;

	*moment = (struct moment){0};
	if (read_streams(cache, at_ms - PROTOCOL_THIN_MS + 1, at_ms, CACHE_NEWEST, forecasts, day,
			 &found) != 0) {
		buf_free(&found.risks);
		return MOMENT_DOWN;
	}
	if (found.full_ms > at_ms - cache_interval_ms(cache, CACHE_FLEET))
		moment->snap = decode(found.full_ms, found.full, &found);
	else if (!found.full_ms && found.thin_ms)
		moment->snap = decode(found.thin_ms, found.thin, &found);
	buf_free(&found.risks);
	return moment->snap ? MOMENT_FOUND : find_neighbours(cache, at_ms, moment);
}

enum moment_result moments_read(struct cache *cache, int64_t at_ms, bool forecasts,
				struct moment *moment)
{
	return moments_read_day(cache, at_ms, forecasts, NULL, moment);
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

enum moment_result moments_read_near(struct cache *cache, int64_t at_ms, int64_t end_ms,
				     struct moment *moment)
{
	enum moment_result result = moments_read(cache, at_ms, false, moment);
	int64_t nearest_ms = result == MOMENT_NONE ? nearest_of(moment, at_ms, end_ms) : 0;

	return nearest_ms ? moments_read(cache, nearest_ms, false, moment) : result;
}
