/* SPDX-License-Identifier: MIT */
/* Records of hours: each is the one before and what was scored since, so the last one of an hour
 * tells all of it. */
#include "config.h"
#include "cache/accuracy.h"

#include <inttypes.h>

#include "cache/archive.h"

#define HOUR_MS INT64_C(3600000)

/* Names of the fields of the streams. */
#define SCORES    "a"
#define FORECASTS "f"

/* ---- reading ---- */

void accuracy_batch_take(struct accuracy_range *range)
{
	if (!range->record.len)
		return;
	if (accuracy_decode(range->record, &range->hour) == 0)
		accuracy_add(range->accuracy, &range->hour);
	else
		archive_tell_damaged("accuracy", range->at_ms);
}

/* A record is held back until one of another hour comes. */
static void take_hour(void *ctx, int64_t at_ms, const struct span *fields, size_t count)
{
	struct accuracy_range *range = ctx;

	if (count < 2 || !span_is(fields[0], SCORES))
		return;
	if (at_ms / HOUR_MS != range->at_ms / HOUR_MS)
		accuracy_batch_take(range);
	range->at_ms = at_ms;
	range->record = fields[1];
}

void accuracy_batch_add(struct cache_batch *batch, int64_t interval_ms, int64_t to_ms,
			int64_t range_ms, struct accuracy *accuracy, struct accuracy_range *range)
{
	accuracy_init(accuracy, to_ms, range_ms, interval_ms);
	*range = (struct accuracy_range){.accuracy = accuracy};
	cache_batch_add(
		batch,
		(struct cache_stream){CACHE_ACCURACY, accuracy->from_ms, to_ms - 1, CACHE_ALL},
		take_hour, range);
}

int accuracy_read(struct cache *cache, int64_t to_ms, int64_t range_ms, struct accuracy *accuracy)
{
	struct cache_batch batch = {.count = 0};
	struct accuracy_range range;
	int rc;

	accuracy_batch_add(&batch, cache_interval_ms(cache, CACHE_FLEET), to_ms, range_ms, accuracy,
			   &range);
	rc = cache_batch_read(cache, &batch);
	if (rc == 0)
		accuracy_batch_take(&range);
	return rc;
}

/* ---- scoring ---- */

struct step {
	const struct snapshot *snap;
	int64_t at_ms;
	struct accuracy_hour hour;
	bool scored;
};

/* The horizon after which forecasts made then are due now. */
static size_t horizon_due(int64_t made_ms, int64_t now_ms)
{
	size_t h = 0;

	while (h < HORIZONS && made_ms + horizon_ms(h) <= now_ms - ACCURACY_LATE_MS)
		h++;
	return h;
}

static void score(struct step *step, int64_t made_ms, struct span record)
{
	size_t horizon = horizon_due(made_ms, step->at_ms);
	struct forecasts made;

	if (horizon == HORIZONS)
		return;
	if (forecasts_decode(record, SPAN(""), horizon + 1, &made) != 0) {
		archive_tell_damaged("forecasts", made_ms);
		return;
	}
	accuracy_score(&step->hour, &made, horizon, step->snap);
	step->scored = true;
	forecasts_free(&made);
}

/* The hour comes first. */
static void take_due(void *ctx, int64_t at_ms, const struct span *fields, size_t count)
{
	struct step *step = ctx;

	if (count < 2)
		return;
	if (span_is(fields[0], FORECASTS))
		score(step, at_ms, fields[1]);
	else if (span_is(fields[0], SCORES) && accuracy_decode(fields[1], &step->hour) != 0)
		archive_tell_damaged("accuracy", at_ms);
}

static int64_t latest(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void accuracy_step(struct cache *cache, const struct snapshot *snap, int64_t seen_ms,
		   struct buf *record)
{
	struct step step = {.snap = snap, .at_ms = snapshot_bucket_ms(snap)};
	int64_t hour_ms = step.at_ms / HOUR_MS * HOUR_MS;
	int64_t after_ms = latest(seen_ms, step.at_ms - ACCURACY_LATE_MS);
	struct cache_stream streams[1 + HORIZONS] = {
		{CACHE_ACCURACY, hour_ms, step.at_ms, CACHE_NEWEST}};

	if (seen_ms <= 0 || after_ms >= step.at_ms)
		return;
	for (size_t h = 0; h < HORIZONS; h++)
		streams[1 + h] = (struct cache_stream){
			CACHE_FORECASTS, latest(0, after_ms + 1 - horizon_ms(h)),
			latest(0, step.at_ms - horizon_ms(h)), CACHE_NEWEST};
	if (cache_read_streams(cache, streams, 1 + HORIZONS, take_due, &step) != 0 || !step.scored)
		return;
	step.hour.at_ms = hour_ms;
	accuracy_encode(&step.hour, record);
}
