/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "server/context.h"

#include <stdlib.h>

#include "cache/accuracy.h"
#include "cache/archive.h"
#include "base/clock.h"
#include "fleet/compact.h"
#include "cache/metrics.h"
#include "fleet/silenced.h"
#include "cache/forecast_store.h"
#include "cache/warnings.h"
#include "pages/past.h"
#include "refresh/readback.h"

#define HOUR_MS INT64_C(3600000)
#define GRACE_MS                                                                                   \
	3000 /* shorter outages of Redis: nginx shows its copies, no worker fetches on its own */

static struct age_limits limits_of(const struct sources *sources)
{
	return (struct age_limits){
		.interval_ms = sources->config->limits->group[CACHE_FLEET].interval_ms,
		.act_limit_ms = sources->config->act_limit_ms,
		.max_stale_ms = sources->config->limits->max_stale_ms,
	};
}

static void judge_condition(const struct sources *sources, struct context *context, int64_t gen_ms,
			    int64_t fill_ms)
{
	struct age_limits limits = limits_of(sources);

	context->condition.age = condition_age(&limits, context->now_ms - gen_ms, fill_ms);
}

static void from_cache(const struct sources *sources, struct context *context)
{
	const struct cache_state *state = &context->read.state;

	context->now_ms = state->now_ms;
	context->condition = (struct condition){.reason = state->reason,
						.since_ms = state->since_ms,
						.next_try_ms = state->next_try_ms,
						.flushed = state->flushed};
	if (state->verdict == CACHE_COLD)
		context->condition.age = AGE_NO_DATA;
	else
		judge_condition(sources, context, state->gen_ms, state->fill_ms);
}

/* Uses this worker's own snapshot, if it is not too old to be shown. */
static void from_local(struct sources *sources, struct context *context)
{
	const struct snapshot *snap = local_snapshot(sources->local);

	context->snap = snap;
	context->now_ms = snap ? snap->gen_ms + local_age_ms(sources->local) : clock_wall_ms();
	context->condition.age = AGE_NO_DATA;
	if (snap)
		judge_condition(sources, context, snap->gen_ms, snap->fill_ms);
	if (context->condition.age == AGE_NO_DATA)
		context->snap = NULL;
	context->own = context->snap;
}

/* Redis is down. During the grace period its last state still holds. */
static void from_outage(struct sources *sources, struct context *context)
{
	const struct cache_state *seen = &sources->seen;

	if (context_in_grace(sources))
		context->condition = (struct condition){.reason = seen->reason,
							.since_ms = seen->since_ms,
							.next_try_ms = seen->next_try_ms,
							.flushed = seen->flushed};
	else
		local_condition(sources->local, &context->condition);
	context->condition.cache_off = !context_in_grace(sources);
	from_local(sources, context);
}

bool context_in_grace(const struct sources *sources)
{
	return !cache_is_foreign(sources->cache) && sources->down_since_ms &&
	       clock_mono_ms() - sources->down_since_ms < GRACE_MS;
}

/* If Redis came back empty, our own snapshot is the best there is. If it was emptied on purpose, it
 * must stay empty. */
static void note_answer(struct sources *sources, const struct cache_state *state)
{
	if (state->verdict != CACHE_COLD)
		sources->was_down = false;
	else if (!sources->was_down)
		local_drop(sources->local);
	sources->seen = *state;
	sources->down_since_ms = 0;
	sources->due_work.local = false;
}

/* Tracks how long Redis has been down, and schedules this worker's own fetch after the request. */
static void note_redis(struct sources *sources, const struct cache_state *state)
{
	if (state->verdict != CACHE_DOWN) {
		note_answer(sources, state);
		return;
	}
	sources->was_down = true;
	if (!sources->down_since_ms)
		sources->down_since_ms = clock_mono_ms();
	sources->due_work.local = !context_in_grace(sources) && local_due(sources->local);
}

/* Redis refuses writes and its data are not of this bucket: after the grace period the worker
 * continues on its own, as if Redis were down. */
static void go_on_alone(struct sources *sources, struct context *context)
{
	const struct cache_state *state = &context->read.state;
	bool newer = local_snapshot(sources->local) &&
		     (state->verdict == CACHE_COLD ||
		      local_age_ms(sources->local) < state->now_ms - state->gen_ms);

	sources->due_work.local = local_due(sources->local);
	local_condition(sources->local, &context->condition);
	context->condition.cache_off = true;
	if (newer)
		from_local(sources, context);
}

static void note_refusal(struct sources *sources, struct context *context)
{
	enum cache_verdict verdict = context->read.state.verdict;
	int64_t for_ms;

	context->condition.cache_refuses = cache_refusal(sources->cache, &for_ms);
	if (context->condition.cache_refuses && for_ms >= GRACE_MS &&
	    (verdict == CACHE_STALE || verdict == CACHE_COLD))
		go_on_alone(sources, context);
}

static bool has_alertmanager(const struct sources *sources)
{
	const struct alerting *alerting = sources->config->refresh->alerting;

	return alerting && alerting->alertmanagers;
}

static void note_alone(struct sources *sources, const struct context *context)
{
	int64_t for_ms = 0;
	const char *why = cache_refusal(sources->cache, &for_ms);

	sources->due_work.alone = NULL;
	/* One that came back empty is neither away nor does it refuse. */
	if (!why && !sources->down_since_ms)
		return;
	if (!context->condition.cache_off || !has_alertmanager(sources) ||
	    !local_alerts_due(sources->local))
		return;
	if (sources->down_since_ms)
		for_ms = clock_mono_ms() - sources->down_since_ms;
	sources->due_work.alone = why ? why : "cannot be reached";
	sources->due_work.alone_ms = clock_wall_ms() - for_ms;
}

void context_read(struct sources *sources, struct context *context, const char *route, bool gzip)
{
	enum cache_verdict verdict =
		cache_read(sources->cache, CACHE_FLEET, route, gzip, &context->read);

	if (verdict == CACHE_DOWN)
		metrics_count(sources->config->refresh->metrics, METRICS_REDIS_FAILURES,
			      "kind=\"read\"");
	note_redis(sources, &context->read.state);
	if (verdict == CACHE_DOWN || (verdict == CACHE_COLD && local_snapshot(sources->local)))
		from_outage(sources, context);
	else
		from_cache(sources, context);
	note_refusal(sources, context);
	note_alone(sources, context);
	if (context->request)
		context->redis_us = clock_mono_us() - context->request->came_us;
}

void context_keep(struct sources *sources)
{
	const struct cache_state *seen = &sources->seen;
	struct cache_entry entry;

	if (sources->down_since_ms || seen->data_bucket < 0 || seen->verdict == CACHE_COLD ||
	    local_has(sources->local, seen->snap))
		return;
	if (cache_read_more(sources->cache, seen, "fleet", false, &entry) == 0)
		local_keep(sources->local, seen->snap, entry.body, seen->now_ms - seen->gen_ms);
}

/* Nobody refreshes before the breaker closes or the budget allows it. */
static void want_repeat(struct sources *sources, const struct context *context)
{
	int64_t bucket = context->read.state.bucket;

	if ((context->claim != CLAIM_OPEN && context->claim != CLAIM_BUDGET) ||
	    bucket == sources->repeat_bucket || !has_alertmanager(sources))
		return;
	sources->repeat_bucket = bucket;
	sources->due_work.repeat_alerts = true;
}

void context_claim(struct sources *sources, struct context *context)
{
	enum cache_verdict verdict = context->read.state.verdict;

	context->claim = CLAIM_FRESH;
	if (verdict != CACHE_STALE && verdict != CACHE_COLD)
		return;
	/* Already won for a request of the same batch. */
	if (sources->due_work.claimed) {
		context->claim = CLAIM_BUSY;
		return;
	}
	context->claim = cache_claim(sources->cache, CACHE_FLEET, &sources->due_work.claim);
	sources->due_work.claimed = context->claim == CLAIM_WON;
	want_repeat(sources, context);
}

/* The compact snapshot that the state names; NULL: none is usable. */
static struct snapshot *read_named(struct sources *sources, const struct cache_state *state)
{
	struct cache_entry entry;

	if (cache_read_more(sources->cache, state, "fleet", false, &entry) != 0)
		return NULL;
	return compact_decode(entry.body);
}

/* A commit between reading the pointer and reading the entry has replaced the entry. True: the
 * context now has the pointer that matches it. */
static bool reread_moved(struct sources *sources, struct context *context)
{
	struct cache_read again;
	enum cache_verdict verdict = cache_read(sources->cache, CACHE_FLEET, NULL, false, &again);

	if (verdict == CACHE_DOWN || verdict == CACHE_COLD ||
	    strcmp(again.state.snap, context->read.state.snap) == 0)
		return false;
	context->read.state = again.state;
	from_cache(sources, context);
	return true;
}

/* The previous bucket's snapshot, with its age. */
static struct snapshot *read_previous(struct sources *sources, struct context *context)
{
	struct cache_state *state = &context->read.state;
	struct cache_entry entry;
	struct snapshot *snap;

	if (cache_read_previous(sources->cache, state, "fleet", &entry) != 0)
		return NULL;
	snap = compact_decode(entry.body);
	if (!snap)
		return NULL;
	state->verdict = CACHE_STALE;
	state->gen_ms = snap->gen_ms;
	state->fill_ms = snap->fill_ms;
	judge_condition(sources, context, state->gen_ms, state->fill_ms);
	return snap;
}

static struct snapshot *read_snapshot(struct sources *sources, struct context *context)
{
	struct snapshot *snap = read_named(sources, &context->read.state);

	if (!snap && reread_moved(sources, context))
		snap = read_named(sources, &context->read.state);
	return snap ? snap : read_previous(sources, context);
}

/* While the daemon sends no data, the Alertmanager is read all the same. */
static void renew_told(struct sources *sources, struct snapshot *snap)
{
	struct cache_read read;

	(void)cache_read(sources->cache, CACHE_ALERTMANAGER, READBACK_ROUTE, false, &read);
	snap->untold = read.state.reason;
	snap->untold_ms = read.state.since_ms;
	if (!read.found)
		return;
	silenced_take(snap, read.entry.body);
	silenced_mark(snap);
}

void context_load_snapshot(struct sources *sources, struct context *context)
{
	if (context->read.state.verdict == CACHE_DOWN || context->own ||
	    context->condition.age == AGE_NO_DATA)
		return;
	context->decoded = read_snapshot(sources, context);
	if (context->decoded && context->condition.reason != REASON_NONE &&
	    has_alertmanager(sources))
		renew_told(sources, context->decoded);
	context->snap = context->decoded;
	/* Redis answered and then did not, or what it has is spoilt: our own may still be shown. */
	if (!context->snap)
		from_local(sources, context);
}

void context_read_snapshot(struct sources *sources, struct context *context)
{
	context_read(sources, context, "fleet", false);
	if (context->read.found && !context->own && context->condition.age != AGE_NO_DATA)
		context->decoded = compact_decode(context->read.entry.body);
	if (context->decoded)
		context->snap = context->decoded;
	else
		context_load_snapshot(sources, context);
}

static void find_servers(struct context *context)
{
	context->server = snapshot_find(context->snap, context->name);
	if (context->page->params & QUERY_BIT(QUERY_WITH))
		context->with = snapshot_find(context->snap, query_with(&context->query));
}

bool context_lacks_other(const struct context *context)
{
	return context->snap && context->page->params & QUERY_BIT(QUERY_WITH) &&
	       query_with(&context->query).len && !context->with;
}

bool context_load_server(struct sources *sources, struct context *context)
{
	const struct cache_state *state = &context->read.state;
	unsigned needs = context->snap ? context->page->needs : 0;

	if ((needs & (PAGE_SERVER | PAGE_TOP_SERIES)) && !(needs & PAGE_NO_CALL) && context->own &&
	    !context_in_grace(sources))
		sources->due_work.local |= local_due_for_forecasts(sources->local);
	if ((needs & PAGE_TOP_SERIES) && context->decoded)
		forecast_store_top(sources->cache, state, context->decoded, &context->query);
	if (!(needs & PAGE_SERVER))
		return true;
	find_servers(context);
	if (context->server && context->decoded)
		forecast_store_servers(sources->cache, state, context->decoded, context->server,
				       context->with);
	return context->server;
}

static void load_incidents(struct sources *sources, struct context *context)
{
	int64_t range_ms = query_period_ms(context->query.period);

	context->has_incidents = archive_incidents(sources->cache, context->snap, range_ms,
						   &context->incidents) == 0;
}

static enum history_range range_of(const struct context *context)
{
	return context->page->needs & PAGE_WEEK ? HISTORY_7D : context->query.range;
}

static void load_history(struct sources *sources, struct context *context)
{
	if (context->server)
		archive_server(sources->cache, context->snap, context->name,
			       query_with(&context->query), &context->history, &sources->trail,
			       &context->has);
	else
		context->has.history = archive_fleet(sources->cache, context->snap,
						     range_of(context), &context->history) == 0;
}

/* Without the shared cache there is no history, and the page says so. */
void context_load_history(struct sources *sources, struct context *context)
{
	int64_t began = clock_mono_us();

	if (!context->snap || context->read.state.verdict == CACHE_DOWN)
		return;
	if (context->page->needs & PAGE_HISTORY)
		load_history(sources, context);
	if (context->page->needs & PAGE_INCIDENTS)
		load_incidents(sources, context);
	context->redis_us += clock_mono_us() - began;
}

/* Whose the cache is, and its clock, are known from the first read on. */
static bool is_known(struct sources *sources)
{
	struct cache_read read;

	if (cache_ms_to(sources->cache, 1000) >= 0 && !cache_is_foreign(sources->cache))
		return true;
	return cache_read(sources->cache, CACHE_FLEET, NULL, false, &read) != CACHE_DOWN;
}

static void take_since(struct sources *sources, struct context *context, bool is_read,
		       struct moment_search *search)
{
	int rc = is_read ? 0 : -1;
	struct since *since = &context->since;
	struct moment *then = &context->then;
	enum moment_result result;

	if (context->page->needs & PAGE_SINCE_NEAR)
		result = moments_take_near(sources->cache, rc, snapshot_bucket_ms(context->snap),
					   search, then);
	else
		result = moments_take(sources->cache, rc, search, then);
	*since = (struct since){.then = then->snap,
				.asked_ms = search->at_ms,
				.before_ms = then->before_ms,
				.after_ms = then->after_ms};
	context->has_since = result != MOMENT_DOWN;
}

/* What a live page may read: accuracy_read says why. */
static int64_t scored_until(const struct context *context)
{
	int64_t at_ms = context->query.at_ms;

	return at_ms ? at_ms - at_ms % HOUR_MS : snapshot_bucket_ms(context->snap);
}

static void drop_accuracy(struct context *context)
{
	if (context->warnings)
		warnings_free(context->warnings);
	free(context->warnings);
	free(context->accuracy);
	context->warnings = NULL;
	context->accuracy = NULL;
}

struct accuracy_read {
	struct accuracy_range scores;
	struct warnings_range warnings;
};

/* Of the same range. */
static void want_warnings(struct context *context, struct cache_batch *batch,
			  struct accuracy_read *read)
{
	if (!(context->page->needs & PAGE_WARNINGS))
		return;
	context->warnings = malloc(sizeof(*context->warnings));
	if (context->warnings)
		warnings_batch_add(batch, context->accuracy->from_ms, scored_until(context),
				   context->warnings, &read->warnings);
}

static void want_accuracy(const struct sources *sources, struct context *context,
			  struct cache_batch *batch, struct accuracy_read *read)
{
	if (!(context->page->needs & PAGE_ACCURACY))
		return;
	drop_accuracy(context);
	context->accuracy = malloc(sizeof(*context->accuracy));
	if (!context->accuracy)
		return;
	accuracy_batch_add(batch, cache_interval_ms(sources->cache, CACHE_FLEET),
			   scored_until(context), query_period_ms(context->query.period),
			   context->accuracy, &read->scores);
	want_warnings(context, batch, read);
}

static void take_accuracy(struct context *context, bool is_read, struct accuracy_read *read)
{
	if (!is_read) {
		drop_accuracy(context);
		return;
	}
	if (context->accuracy)
		accuracy_batch_take(&read->scores);
	if (context->warnings)
		warnings_batch_take(&read->warnings);
}

/* Without the shared cache there is none, and the page says so. */
void context_load_since(struct sources *sources, struct context *context)
{
	unsigned needs = context->snap ? context->page->needs : 0;
	struct cache_batch batch = {.count = 0};
	bool no_since = false, no_accuracy = false;
	struct accuracy_read read;
	struct moment_search search;
	int rc;
	int64_t began = clock_mono_us();

	if (!(needs & (PAGE_SINCE | PAGE_ACCURACY)) || context->read.state.verdict == CACHE_DOWN)
		return;
	batch.refused = &no_since;
	if (needs & PAGE_SINCE)
		moments_add(&batch,
			    query_since_ms(&context->query, snapshot_bucket_ms(context->snap)), 0,
			    &search);
	batch.refused = &no_accuracy;
	want_accuracy(sources, context, &batch, &read);
	rc = cache_batch_read(sources->cache, &batch);
	take_accuracy(context, rc == 0 && !no_accuracy, &read);
	if (needs & PAGE_SINCE)
		take_since(sources, context, rc == 0 && !no_since, &search);
	context->redis_us += clock_mono_us() - began;
}

/* What a page of the past needs, in one round trip. */
struct past_read {
	struct cache_batch batch;
	struct moment_search moment, then;
	struct archive_server server;
	struct accuracy_read accuracy;
	/* What Redis refuses is missing on the page, which says so. */
	struct {
		bool day, history, trail, incidents, since, accuracy;
	} no;
};

/* The day's columns end where those of the clock do, its points at the moment. */
static void want_moment(const struct sources *sources, struct context *context,
			struct past_read *past)
{
	int64_t interval = cache_interval_ms(sources->cache, CACHE_FLEET);
	int64_t at_ms = context->query.at_ms;
	bool forecasts = context->page->needs & (PAGE_SERVER | PAGE_TOP_SERIES);
	bool html = context->page->media == MEDIA_HTML;

	moments_add(&past->batch, at_ms,
		    (forecasts ? MOMENT_FORECASTS : 0) | (html ? MOMENT_LINES : 0), &past->moment);
	past->moment.name = context->name;
	past->moment.other = query_with(&context->query);
	history_init(&context->day, interval, PAST_COLUMNS * PAST_COLUMN_MS, past_strip_end(at_ms));
	past->batch.refused = &past->no.day;
	if (html)
		archive_add_long(&past->batch, at_ms, &context->day);
}

/* Of a moment that is one of every bucket, whose time is the one that was asked for. */
static void want_rest(struct sources *sources, struct context *context, struct past_read *past)
{
	int64_t interval = cache_interval_ms(sources->cache, CACHE_FLEET);
	int64_t at_ms = context->query.at_ms;
	unsigned needs = context->page->needs;

	past->batch.refused = &past->no.history;
	if ((needs & PAGE_HISTORY) && (needs & PAGE_SERVER)) {
		archive_add_server(&past->batch, interval, at_ms, context->name, &past->server,
				   &context->history);
		past->batch.refused = &past->no.trail;
		archive_add_trail(&past->batch, at_ms, context->name, query_with(&context->query),
				  &sources->trail);
	} else if (needs & PAGE_HISTORY) {
		archive_add_fleet(&past->batch, interval, at_ms, range_of(context),
				  &context->history);
	}
	past->batch.refused = &past->no.incidents;
	if (needs & PAGE_INCIDENTS)
		archive_add_incidents(&past->batch, at_ms, query_period_ms(context->query.period),
				      &context->incidents);
	past->batch.refused = &past->no.since;
	if (needs & PAGE_SINCE)
		moments_add(&past->batch, query_since_ms(&context->query, at_ms), 0, &past->then);
	past->batch.refused = &past->no.accuracy;
	want_accuracy(sources, context, &past->batch, &past->accuracy);
}

static bool is_as_asked(const struct sources *sources, const struct context *context)
{
	return context->snap && snapshot_bucket_ms(context->snap) == context->query.at_ms &&
	       context->snap->interval_ms == cache_interval_ms(sources->cache, CACHE_FLEET);
}

static void take_rest(struct sources *sources, struct context *context, struct past_read *past)
{
	unsigned needs = context->page->needs;

	context->has.history = (needs & PAGE_HISTORY) && !past->no.history;
	context->has.trail = (needs & PAGE_HISTORY) && context->server && !past->no.trail;
	context->has_incidents = (needs & PAGE_INCIDENTS) && !past->no.incidents;
	if (context->has_incidents)
		incidents_sort(&context->incidents);
	take_accuracy(context, !past->no.accuracy, &past->accuracy);
	if (needs & PAGE_SINCE)
		take_since(sources, context, !past->no.since, &past->then);
}

static bool lacks_something(const struct context *context)
{
	unsigned needs = context->page->needs;

	return ((needs & PAGE_HISTORY) && !context->has.history) ||
	       ((needs & PAGE_HISTORY) && context->server && !context->has.trail) ||
	       ((needs & PAGE_INCIDENTS) && !context->has_incidents) ||
	       ((needs & PAGE_SINCE) && !context->has_since) ||
	       ((needs & PAGE_ACCURACY) && !context->accuracy);
}

/* The moment is another one, and what was read beside it is not of it. */
static void read_rest(struct sources *sources, struct context *context)
{
	history_free(&context->history);
	incidents_free(&context->incidents);
	context_load_history(sources, context);
	context_load_since(sources, context);
}

static void take_moment(struct sources *sources, struct context *context, struct snapshot *snap,
			struct past_read *past)
{
	context->decoded = snap;
	context->snap = snap;
	context->upstream_status.warmup = context->snap->warmup;
	context->upstream_status.scenario = context->snap->scenario;
	if (context->page->needs & PAGE_SERVER)
		find_servers(context);
	if ((context->page->needs & PAGE_SERVER) && !context->server)
		return;
	if (is_as_asked(sources, context))
		take_rest(sources, context, past);
	else
		read_rest(sources, context);
	context->incomplete = past->no.day || past->moment.incomplete || lacks_something(context);
}

enum moment_result context_load_moment(struct sources *sources, struct context *context,
				       struct moment *moment)
{
	int64_t began = clock_mono_us();
	struct past_read past = {.batch = {.count = 0}};
	enum moment_result result;
	int rc;

	*moment = (struct moment){0};
	if (!is_known(sources))
		return MOMENT_DOWN;
	want_moment(sources, context, &past);
	want_rest(sources, context, &past);
	rc = cache_batch_read(sources->cache, &past.batch);
	result = moments_take(sources->cache, rc, &past.moment, moment);
	if (result == MOMENT_FOUND)
		take_moment(sources, context, moment->snap, &past);
	context->redis_us = clock_mono_us() - began;
	return result;
}

/* If page and snapshot agree, no separate time is shown. */
static bool is_of_snapshot(const struct context *context, enum cache_group group)
{
	struct upstream_status then = {0}, now = context->upstream_status;
	char digests[2][HASH_HEX];

	if (!context->snap || !condition_is_plain(&context->condition))
		return false;
	then.warmup = context->snap->warmup;
	then.scenario = context->snap->scenario;
	now.warmup.still_since_ms = 0; /* has a time of its own */
	upstream_status_digest(&then, group, digests[0]);
	upstream_status_digest(&now, group, digests[1]);
	return strcmp(digests[0], digests[1]) == 0;
}

void context_load_upstream_status(struct sources *sources, struct context *context)
{
	struct upstream_status *upstream_status = &context->upstream_status;
	bool configured = sources->config->refresh->scenario_configured;

	if (context->read.state.verdict != CACHE_DOWN && !context->condition.cache_off) {
		upstream_status_read(sources->cache, configured, upstream_status);
		if (is_of_snapshot(context, CACHE_STATUS))
			upstream_status->warmup.at_ms = 0;
		if (is_of_snapshot(context, CACHE_SCENARIO))
			upstream_status->scenario.at_ms = 0;
		return;
	}
	upstream_status->scenario.configured = configured;
	if (!context->snap)
		return;
	upstream_status->warmup = context->snap->warmup;
	upstream_status->scenario = context->snap->scenario;
}

/* While the daemon computes predictions it answers nothing else, and a refresh requests these
 * groups before it requests the predictions. */
void context_want_upstream_status(struct sources *sources, const struct context *context)
{
	const struct cache_state *state = &context->read.state;
	int64_t interval = cache_interval_ms(sources->cache, CACHE_STATUS);
	int64_t bucket = state->now_ms / interval;
	bool wanted = state->digests[CACHE_STATUS].at_ms / interval < bucket;

	if (sources->config->refresh->scenario_configured)
		wanted |= state->digests[CACHE_SCENARIO].at_ms / interval < bucket;
	if (state->verdict == CACHE_DOWN || context->claim == CLAIM_WON ||
	    context->claim == CLAIM_BUSY || bucket == sources->status_bucket || !wanted)
		return;
	sources->status_bucket = bucket;
	sources->due_work.upstream_status = true;
}

static void diagnose_alerts(const struct sources *sources, struct diagnosis *diagnosis)
{
	struct cache_read read;

	diagnosis->has_alertmanager = has_alertmanager(sources);
	if (!diagnosis->has_alertmanager ||
	    cache_read(sources->cache, CACHE_ALERTS, NULL, false, &read) == CACHE_DOWN)
		return;
	diagnosis->alerts_ms = read.state.data_bucket >= 0 ? read.state.gen_ms : 0;
	if (read.state.reason == REASON_NONE)
		return;
	diagnosis->alerts_fault = reason_table[read.state.reason].text;
	diagnosis->alerts_fault_ms = read.state.since_ms;
}

void context_diagnose(struct sources *sources, const struct context *context,
		      struct diagnosis *diagnosis)
{
	int64_t interval = sources->config->limits->group[CACHE_FLEET].interval_ms;

	(void)cache_diagnose(sources->cache, CACHE_FLEET, diagnosis);
	metrics_diagnose(sources->config->refresh->metrics, sources->cache, diagnosis);
	diagnose_alerts(sources, diagnosis);
	diagnosis->next_bucket_ms = (context->now_ms / interval + 1) * interval;
	if (context->read.state.verdict == CACHE_DOWN)
		return;
	diagnosis->bucket = context->read.state.bucket;
	diagnosis->data_bucket = context->read.state.data_bucket;
}

int64_t context_gen_ms(const struct context *context)
{
	return context->own ? context->snap->gen_ms : context->read.state.gen_ms;
}

int64_t context_holds_ms(const struct sources *sources, const struct context *context)
{
	int64_t gen = context_gen_ms(context);
	int64_t fill = context->own ? context->snap->fill_ms : context->read.state.fill_ms;
	enum age_class age = context->condition.age;
	struct age_limits limits = limits_of(sources);

	/* A page shows the time of its data, and its script marks them when they are late. */
	if (context->page->media == MEDIA_HTML && age < AGE_STALE)
		age = AGE_STALE;
	return gen + condition_until(&limits, age, fill) - context->now_ms;
}

void context_free(struct context *context)
{
	history_free(&context->history);
	history_free(&context->day);
	incidents_free(&context->incidents);
	drop_accuracy(context);
	snapshot_free(&context->then.snap);
	snapshot_free(&context->decoded);
}
