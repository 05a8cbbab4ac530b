/* SPDX-License-Identifier: MIT */
/* Records of hours, as those of scores: the last one of an hour tells all of it. */
#include "config.h"
#include "cache/warnings.h"

#include "cache/archive.h"
#include "fleet/watch.h"

#define HOUR_MS INT64_C(3600000)

/* Names of the fields of the streams. */
#define COUNTS  "w"
#define OUTCOME "l"
#define WATCH   "s"

static bool is_field(const char *name, const struct span *fields, size_t count)
{
	return count >= 2 && span_is(fields[0], name);
}

/* ---- a page ---- */

void warnings_batch_take(struct warnings_range *range)
{
	if (!range->record.len)
		return;
	if (warnings_decode(range->record, &range->hour) == 0)
		warnings_add_hour(range->warnings, &range->hour);
	else
		archive_tell_damaged("warnings", range->at_ms);
}

/* A record is held back until one of another hour comes. */
static void take_hour(void *ctx, int64_t at_ms, const struct span *fields, size_t count)
{
	struct warnings_range *range = ctx;

	if (!is_field(COUNTS, fields, count))
		return;
	if (at_ms / HOUR_MS != range->at_ms / HOUR_MS)
		warnings_batch_take(range);
	range->at_ms = at_ms;
	range->record = fields[1];
}

static void take_outcome(void *ctx, int64_t at_ms, const struct span *fields, size_t count)
{
	struct warnings_range *range = ctx;

	if (is_field(OUTCOME, fields, count) &&
	    warnings_add_line(range->warnings, at_ms, fields[1]) != 0)
		archive_tell_damaged("outcomes", at_ms);
}

void warnings_batch_add(struct cache_batch *batch, int64_t from_ms, int64_t to_ms,
			struct warnings *warnings, struct warnings_range *range)
{
	warnings_init(warnings, from_ms, to_ms);
	*range = (struct warnings_range){.warnings = warnings};
	cache_batch_add(batch, (struct cache_stream){CACHE_WARNINGS, from_ms, to_ms - 1, CACHE_ALL},
			take_hour, range);
	cache_batch_add(batch, (struct cache_stream){CACHE_OUTCOMES, from_ms, to_ms - 1, CACHE_ALL},
			take_outcome, range);
}

/* ---- a commit ---- */

static void take_last_hour(void *ctx, int64_t at_ms, const struct span *fields, size_t count)
{
	struct warnings_last *last = ctx;

	if (is_field(COUNTS, fields, count) && warnings_decode(fields[1], &last->hour) != 0)
		archive_tell_damaged("warnings", at_ms);
}

static void take_watch(void *ctx, int64_t at_ms, const struct span *fields, size_t count)
{
	struct warnings_last *last = ctx;

	(void)at_ms;
	if (is_field(WATCH, fields, count))
		buf_span_add(&last->watch, fields[1]);
}

void warnings_add_last(struct cache_batch *batch, int64_t now_ms, struct warnings_last *last)
{
	int64_t hour_ms = now_ms / HOUR_MS * HOUR_MS;

	cache_batch_add(batch, (struct cache_stream){CACHE_WARNINGS, hour_ms, now_ms, CACHE_NEWEST},
			take_last_hour, last);
	cache_batch_add(batch, (struct cache_stream){CACHE_WATCH, 0, INT64_MAX, CACHE_NEWEST},
			take_watch, last);
}

void warnings_step(struct warnings_last *last, const struct snapshot *snap,
		   struct warnings_records *records)
{
	struct watch_step step = {.before = buf_span(&last->watch),
				  .snap = snap,
				  .hour = &last->hour,
				  .told = &records->told,
				  .after = &records->watch};

	if (!buf_ok(&last->watch))
		buf_fail(&records->watch);
	if (watch_step(&step) != 0)
		archive_tell_damaged("watch", snapshot_bucket_ms(snap));
	last->hour.at_ms = snapshot_bucket_ms(snap) / HOUR_MS * HOUR_MS;
	if (step.outcomes)
		warnings_encode(&last->hour, &records->hour);
}
