/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "refresh/refresh.h"

#include <malloc.h>
#include <stdlib.h>

#include "base/clock.h"
#include "fleet/compact.h"
#include "fleet/decode.h"
#include "base/fault.h"
#include "base/gzip.h"
#include "fleet/history.h"
#include "fleet/horizons.h"
#include "fleet/moment.h"
#include "fleet/silenced.h"
#include "base/log.h"
#include "cache/accuracy.h"
#include "cache/archive.h"
#include "cache/forecast_store.h"
#include "cache/moments.h"
#include "cache/warnings.h"
#include "refresh/upstream_status.h"
#include "refresh/readback.h"

#define DOCUMENT_MAX (16u * 1024 * 1024)
#define DATA_TYPE    "application/octet-stream"
#define SERIES_PART  50 /* servers whose forecasts, 9 KB each, are staged in one step */
/* Forecasts of more servers would fill Redis within two buckets; the servers with the lowest risk
 * go without. */
#define SERIES_SERVERS 5000

/* --- fetch --- */

static int feed(void *ctx, const char *bytes, size_t len)
{
	return decode_feed(ctx, bytes, len);
}

enum reason refresh_fetch(struct upstream *upstream, upstream_progress progress, void *ctx,
			  struct upstream_call *call, struct snapshot **out)
{
	struct decode *decode = decode_new();

	*out = NULL;
	*call = (struct upstream_call){
		.endpoint = UPSTREAM_PREDICTIONS, .sink = feed, .ctx = decode};
	if (!decode)
		return REASON_INTERNAL;
	upstream_run(upstream, call, 1, progress, ctx);
	if (call->reason == REASON_NONE)
		call->reason = decode_finish(decode, out);
	decode_free(&decode);
	return call->reason;
}

/* --- one refresh --- */

struct work {
	const struct refresh *refresh;
	struct claim *claim;
	struct upstream_call call;
	struct upstream_status upstream_status;
	struct snapshot *snap;
	struct archive_last last;
	struct archive_base base;
	struct warnings_last warnings;
	struct moment then; /* what the overview is compared with */
	struct since since;
	bool has_since;            /* Redis has told */
	struct accuracy *accuracy; /* of the last day, which pages tell; NULL: not known */
	struct commit commit;
	int64_t leased_bytes;
	bool lost;
	bool called; /* the predictions call was made */
	bool committed;
	struct buf body, gzip; /* one document at a time */
	char digests[2 * HASH_HEX];
};

/* The lease begins anew only while bytes arrive, and once a second: a dead transfer must not hold
 * it. */
static bool on_progress(void *ctx)
{
	struct work *w = ctx;

	if (w->call.bytes > w->leased_bytes && clock_mono_ms() - w->claim->leased_ms >= 1000) {
		w->leased_bytes = w->call.bytes;
		w->lost = cache_extend(w->refresh->cache, w->claim) == LEASE_LOST;
	}
	return !w->lost;
}

/* What the Alertmanager told last, which may be of some buckets ago. */
static void take_told(struct work *w, const struct snapshot *previous)
{
	struct cache_read read;

	(void)cache_read(w->refresh->cache, CACHE_ALERTMANAGER, READBACK_ROUTE, false, &read);
	w->snap->untold = read.state.reason;
	w->snap->untold_ms = read.state.since_ms;
	if (read.found)
		silenced_take(w->snap, read.entry.body);
	else if (previous)
		silenced_take(w->snap, buf_span(&previous->told));
	silenced_mark(w->snap);
}

/* What was wrong until now, as the next step of the alerts has to know it. */
static void step_alerts(struct work *w, const struct cache_state *before,
			const struct snapshot *previous)
{
	const struct alerting *alerting = w->refresh->alerting;
	struct firing_outage outage = {.data_ms = previous ? previous->gen_ms : 0,
				       .key_ms =
					       before->reason == REASON_KEY ? before->since_ms : 0};
	struct cache_read read;

	if (!alerting)
		return;
	firing_step(previous ? buf_span(&previous->firing) : (struct span){NULL, 0},
		    &alerting->rules, &outage, w->snap);
	if (!alerting->alertmanagers)
		return;
	(void)cache_read(w->refresh->cache, CACHE_ALERTS, NULL, false, &read);
	w->snap->unsent = read.state.reason;
	w->snap->unsent_ms = read.state.since_ms;
	take_told(w, previous);
}

/* Silent servers are detected by comparison with the previous snapshot, whichever host made it. */
static void carry_over(struct work *w)
{
	struct cache_read read;
	struct cache_state before;
	struct snapshot *previous = NULL;

	(void)cache_read(w->refresh->cache, CACHE_FLEET, "fleet", false, &read);
	before = read.state;
	if (read.found)
		previous = compact_decode(read.entry.body);
	snapshot_carry(w->snap, previous);
	step_alerts(w, &before, previous);
	snapshot_free(&previous);
}

static void take_served(struct work *w)
{
	struct served *served = &w->snap->served;
	struct diagnosis diagnosis;

	if (cache_diagnose(w->refresh->cache, CACHE_FLEET, &diagnosis) == 0)
		served->budget_left = diagnosis.budget_left;
	metrics_served(w->refresh->cache, served);
	served->fetch_ms = w->call.took_ms;
	served->bytes = w->call.bytes;
}

/* How good the forecasts were, which pages tell. */
static void want_accuracy(struct work *w, struct cache_batch *batch, struct accuracy_range *range)
{
	w->accuracy = malloc(sizeof(*w->accuracy));
	if (w->accuracy)
		accuracy_batch_add(batch, w->snap->interval_ms, snapshot_bucket_ms(w->snap),
				   query_period_ms(PERIOD_1D), w->accuracy, range);
}

static void take_accuracy(struct work *w, bool is_read, struct accuracy_range *range)
{
	if (w->accuracy && is_read) {
		accuracy_batch_take(range);
		return;
	}
	free(w->accuracy);
	w->accuracy = NULL;
}

/* In one round trip: the last hour of the servers, the moment that the overview is compared with, the
 * one that this one is kept beside, the scores, and what incidents and warnings are continued from. */
static void read_past(struct work *w)
{
	int64_t now_ms = snapshot_bucket_ms(w->snap);
	struct cache_batch batch = {.count = 0};
	struct accuracy_range scores;
	struct moment_search then;
	bool no_hour = false, no_then = false, no_base = false, no_scores = false;
	struct archive_hour hour;
	int rc;

	batch.refused = &no_hour;
	archive_add_hour(&batch, w->snap, &hour);
	batch.refused = &no_then;
	moments_add(&batch, now_ms - QUERY_SINCE_MS, 0, &then);
	batch.refused = &no_base;
	archive_add_base(&batch, now_ms, &w->base);
	batch.refused = &no_scores;
	want_accuracy(w, &batch, &scores);
	batch.refused = NULL;
	archive_add_last(&batch, &w->last);
	warnings_add_last(&batch, now_ms, &w->warnings);
	rc = cache_batch_read(w->refresh->cache, &batch);
	recent_end(&hour.hour);
	take_accuracy(w, rc == 0 && !no_scores, &scores);
	w->commit.seen_ms = rc == 0 ? w->last.at_ms : -1;
	w->since.asked_ms = then.at_ms;
	w->has_since = moments_take_near(w->refresh->cache, no_then ? -1 : rc, now_ms, &then,
					 &w->then) != MOMENT_DOWN;
	w->since.then = w->then.snap;
}

static void complete_snapshot(struct work *w)
{
	struct snapshot *s = w->snap;

	/* The token is random: two snapshots never share an id. */
	memcpy(s->id, w->claim->token, HASH_HEX - 1);
	s->id[HASH_HEX - 1] = '\0';
	s->bucket = w->claim->bucket;
	s->interval_ms = w->refresh->site->interval_ms;
	s->gen_ms = w->claim->now_ms;
	s->fill_ms = cache_fill_ms(w->refresh->cache, CACHE_FLEET);
	s->warmup = w->upstream_status.warmup;
	s->scenario = w->upstream_status.scenario;
	s->warmup.at_ms = s->scenario.at_ms = 0;
	take_served(w);
	read_past(w);
	carry_over(w);
}

static int stage_document(struct work *w, const char *route, const char *type, bool is_page)
{
	struct cache_document document = {.body = buf_span(&w->body),
					  .gzip = buf_span(&w->gzip),
					  .type = type,
					  .is_page = is_page,
					  .digests = span_str(w->digests)};

	if (!buf_ok(&w->body) || !buf_ok(&w->gzip) || w->commit.count == CACHE_ROUTES_MAX)
		return -1;
	w->commit.routes[w->commit.count++] = route;
	return cache_stage(w->refresh->cache, w->claim, route, w->snap->id, &document);
}

/* Every HTML page mentions the warm-up, and the overview the scenario. */
static void put_says(struct work *w, const struct page *page)
{
	char status[HASH_HEX], scenario[HASH_HEX];

	w->digests[0] = '\0';
	if (page->media != MEDIA_HTML)
		return;
	upstream_status_digest(&w->upstream_status, CACHE_STATUS, status);
	upstream_status_digest(&w->upstream_status, CACHE_SCENARIO, scenario);
	(void)snprintf(w->digests, sizeof(w->digests), "%s %s", status, scenario);
}

static int stage_page(struct work *w, const struct page *page)
{
	static const struct condition plain;
	struct query query;
	struct view view = {.site = w->refresh->site,
			    .snap = w->snap,
			    .condition = &plain,
			    .query = &query,
			    .warmup = &w->snap->warmup,
			    .scenario = &w->snap->scenario,
			    .since = w->has_since ? &w->since : NULL,
			    .accuracy = w->accuracy};
	enum query_key bad;

	/* As for a request without parameters: defaults depend on the page. */
	query_init(&query);
	(void)query_parse(&query, (struct span){NULL, 0}, page->params, &bad);
	buf_reset(&w->body);
	buf_reset(&w->gzip);
	page_render(page, &view, &w->body);
	put_says(w, page);
	if (buf_ok(&w->body) && gzip_compress(buf_span(&w->body), GZIP_STORED, &w->gzip) != 0)
		return -1;
	return stage_document(w, page->name, page_type(page->media), true);
}

static int stage_pages(struct work *w)
{
	for (size_t i = 0; i < page_count; i++)
		if (page_table[i].stored && stage_page(w, &page_table[i]) != 0)
			return -1;
	return 0;
}

static int stage_snapshot(struct work *w)
{
	buf_reset(&w->body);
	buf_reset(&w->gzip);
	w->digests[0] = '\0';
	compact_encode(w->snap, &w->body);
	return stage_document(w, "fleet", DATA_TYPE, false);
}

/* The forecasts of servers [first, last), one field each. */
static int stage_series_part(struct work *w, size_t first, size_t last)
{
	struct span pairs[2 * (1 + SERIES_PART)] = {SPAN(""), span_str(w->snap->id)};
	size_t ends[SERIES_PART], at = 0, n = 2;

	buf_reset(&w->body);
	for (size_t i = first; i < last; i++) {
		if (w->snap->servers[i].series)
			series_encode(w->snap->servers[i].series, &w->body);
		ends[i - first] = w->body.len;
	}
	/* From here on the buffer no longer moves. */
	for (size_t i = first; i < last; at = ends[i++ - first]) {
		if (ends[i - first] == at)
			continue;
		pairs[n++] = w->snap->servers[i].name;
		pairs[n++] = (struct span){w->body.data + at, ends[i - first] - at};
	}
	if (!buf_ok(&w->body))
		return -1;
	return cache_stage_fields(w->refresh->cache, w->claim, FORECAST_STORE_ROUTE, n, pairs);
}

/* The snapshot's id goes into the field with the empty name: see cache_fields. */
static int stage_series(struct work *w)
{
	size_t count = w->snap->count < SERIES_SERVERS ? w->snap->count : SERIES_SERVERS;
	size_t first = 0;

	if (w->commit.count == CACHE_ROUTES_MAX)
		return -1;
	w->commit.routes[w->commit.count++] = FORECAST_STORE_ROUTE;
	do {
		size_t last = count - first > SERIES_PART ? first + SERIES_PART : count;

		if (stage_series_part(w, first, last) != 0)
			return -1;
		first = last;
	} while (first < count);
	return 0;
}

static int stage(struct work *w)
{
	if (stage_pages(w) != 0 || stage_series(w) != 0)
		return -1;
	return stage_snapshot(w);
}

/* What a commit keeps for later. */
struct records {
	struct buf history, names, risks, moment, beside, forecasts, open, closed, accuracy;
	struct warnings_records warnings;
};

static void free_records(struct records *r)
{
	buf_free(&r->history);
	buf_free(&r->names);
	buf_free(&r->risks);
	buf_free(&r->moment);
	buf_free(&r->beside);
	buf_free(&r->forecasts);
	buf_free(&r->open);
	buf_free(&r->closed);
	buf_free(&r->accuracy);
	buf_free(&r->warnings.hour);
	buf_free(&r->warnings.told);
	buf_free(&r->warnings.watch);
}

static void make_records(const struct snapshot *snap, const struct archive_base *base,
			 struct records *r)
{
	buf_init(&r->history, 65536);
	buf_init(&r->names, DOCUMENT_MAX);
	buf_init(&r->risks, DOCUMENT_MAX);
	buf_init(&r->moment, DOCUMENT_MAX);
	buf_init(&r->beside, DOCUMENT_MAX);
	buf_init(&r->forecasts, DOCUMENT_MAX);
	buf_init(&r->open, DOCUMENT_MAX);
	buf_init(&r->closed, DOCUMENT_MAX);
	buf_init(&r->accuracy, DOCUMENT_MAX);
	buf_init(&r->warnings.hour, DOCUMENT_MAX);
	buf_init(&r->warnings.told, DOCUMENT_MAX);
	buf_init(&r->warnings.watch, DOCUMENT_MAX);
	/* Without a base the second is made only to know how long those of later buckets will be. */
	moment_encode_both(snap, buf_span(&base->record), &r->moment, &r->beside);
	horizons_encode(snap, &r->forecasts);
	history_encode(snap, &r->history);
	history_encode_servers(snap, &r->names, &r->risks);
}

/* Continues those open at the last moment. Without an answer, the commit omits this step. */
static void step_incidents(struct work *w, struct records *r)
{
	const struct buf *before = &w->last.open;

	if (incidents_step(buf_span(before), w->snap, &r->open, &r->closed) > 0)
		archive_tell_damaged("incidents", w->commit.seen_ms);
	if (!buf_ok(before) || !buf_ok(&r->open) || !buf_ok(&r->closed))
		w->commit.seen_ms = -1;
}

static void step_warnings(struct work *w, struct records *r)
{
	warnings_step(&w->warnings, w->snap, &r->warnings);
	if (!buf_ok(&r->warnings.told) || !buf_ok(&r->warnings.watch))
		w->commit.seen_ms = -1;
}

static enum commit_result commit(struct work *w)
{
	struct records r;
	enum commit_result rc;

	make_records(w->snap, &w->base, &r);
	step_incidents(w, &r);
	step_warnings(w, &r);
	accuracy_step(w->refresh->cache, w->snap, w->commit.seen_ms, &r.accuracy);
	w->commit.snap = w->snap->id;
	w->commit.fill_ms = w->snap->fill_ms;
	w->commit.history = buf_span(&r.history);
	w->commit.names = buf_span(&r.names);
	w->commit.risks = buf_span(&r.risks);
	w->commit.moment = buf_span(&r.moment);
	w->commit.beside = buf_span(&r.beside);
	w->commit.beside_ms = w->base.record.len && r.beside.len ? w->base.at_ms : 0;
	w->commit.forecasts = buf_span(&r.forecasts);
	w->commit.open = buf_span(&r.open);
	w->commit.closed = buf_span(&r.closed);
	w->commit.accuracy = buf_span(&r.accuracy);
	w->commit.warnings = buf_span(&r.warnings.hour);
	w->commit.told = buf_span(&r.warnings.told);
	w->commit.watch = buf_span(&r.warnings.watch);
	fault_point("before-commit");
	rc = cache_commit(w->refresh->cache, w->claim, &w->commit);
	free_records(&r);
	return rc;
}

/* Everything after the fetch. Returns the word for the log. */
static const char *publish(struct work *w)
{
	int64_t began = clock_mono_us();
	enum commit_result result;
	int rc;

	complete_snapshot(w);
	fault_point("before-stage");
	rc = stage(w);
	metrics_step(w->refresh->metrics, METRICS_STAGE, clock_mono_us() - began);
	if (rc != 0) {
		cache_fail(w->refresh->cache, w->claim, REASON_INTERNAL, 0);
		return reason_table[REASON_INTERNAL].slug;
	}
	began = clock_mono_us();
	result = commit(w);
	metrics_step(w->refresh->metrics, METRICS_COMMIT, clock_mono_us() - began);
	w->committed = result == COMMIT_OK;
	/* If the commit succeeded after all, the lock is gone and this changes nothing. */
	if (result == COMMIT_DOWN)
		cache_fail(w->refresh->cache, w->claim, REASON_INTERNAL, 0);
	return commit_names[result];
}

static const char *fetch_and_publish(struct work *w)
{
	enum reason reason =
		refresh_fetch(w->refresh->upstream, on_progress, w, &w->call, &w->snap);

	w->called = true;
	fault_point("after-fetch");
	if (w->lost)
		return commit_names[COMMIT_LOST];
	if (reason == REASON_NONE)
		return publish(w);
	cache_fail(w->refresh->cache, w->claim, reason, w->call.retry_after_ms);
	return reason_table[reason].slug;
}

/* A process that was stopped for long must not begin a call that outlives its lease; the lease then
 * simply expires. */
static const char *fetch_in_time(struct work *w)
{
	if (w->lost)
		return commit_names[COMMIT_LOST];
	return cache_claim_in_time(w->claim) ? fetch_and_publish(w) : "too-late";
}

/* Every claim that was won ends here with a logged result. */
static void tell(const struct work *w, const char *result)
{
	struct diagnosis_call note = {
		.status = w->call.status,
		.at_ms = w->claim->now_ms,
		.fetch_ms = w->call.took_ms,
		.total_ms = clock_mono_ms() - w->claim->mono_ms,
		.bytes = w->call.bytes,
	};
	bool good = strcmp(result, commit_names[COMMIT_OK]) == 0;
	char labels[80];

	(void)snprintf(note.result, sizeof(note.result), "%s", result);
	log_event(good ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, good ? "refresh" : "refresh_failed",
		  LOG_INT("bucket", w->claim->bucket), LOG_STR("result", result),
		  LOG_INT("status", note.status), LOG_INT("bytes", note.bytes),
		  LOG_INT("fetch_ms", note.fetch_ms), LOG_INT("total_ms", note.total_ms),
		  LOG_INT("servers", w->snap ? (int64_t)w->snap->count : 0));
	cache_note(w->refresh->cache, CACHE_FLEET, &note);
	(void)snprintf(labels, sizeof(labels), "group=\"fleet\",result=\"%s\"", result);
	metrics_count(w->refresh->metrics, METRICS_CACHE_FILLS, labels);
	if (!w->called)
		return;
	metrics_step(w->refresh->metrics, METRICS_FETCH, w->call.took_ms * 1000);
	(void)snprintf(labels, sizeof(labels), "endpoint=\"predictions\",code=\"%ld\"",
		       note.status);
	metrics_count(w->refresh->metrics, METRICS_UPSTREAM_REQUESTS, labels);
}

/* After everything else, as it may take as long as the Alertmanagers do. */
static void send_alerts(const struct work *w)
{
	const struct alerting *alerting = w->refresh->alerting;

	if (alerting && w->committed)
		alerts_send(alerting, w->snap, w->accuracy);
	else if (alerting && w->call.reason != REASON_NONE)
		alerts_repeat(alerting);
}

/* Alerts of a large fleet are long, and need neither forecasts nor documents. */
static void free_what_was_committed(struct work *w)
{
	if (w->snap)
		snapshot_drop_series(w->snap);
	snapshot_free(&w->then.snap);
	buf_free(&w->body);
	buf_free(&w->gzip);
	buf_free(&w->last.open);
	buf_free(&w->base.record);
	buf_free(&w->warnings.watch);
}

void refresh_fleet(const struct refresh *refresh, struct claim *claim)
{
	struct work w = {.refresh = refresh, .claim = claim};

	buf_init(&w.body, DOCUMENT_MAX);
	buf_init(&w.gzip, DOCUMENT_MAX);
	buf_init(&w.last.open, DOCUMENT_MAX);
	buf_init(&w.base.record, DOCUMENT_MAX);
	buf_init(&w.warnings.watch, DOCUMENT_MAX);
	/* The daemon answers nothing else during an inference, so warm-up and scenario are asked
	 * for first. */
	upstream_status_renew(refresh->cache, refresh->upstream, refresh->scenario_configured,
			      &w.upstream_status);
	/* Those calls have used part of the lease. */
	w.lost = cache_extend(refresh->cache, claim) == LEASE_LOST;
	fault_point("before-fetch");
	tell(&w, fetch_in_time(&w));
	free_what_was_committed(&w);
	send_alerts(&w);
	snapshot_free(&w.snap);
	free(w.accuracy);
	/* The next refresh is probably another worker's: return the memory of this one. */
	(void)malloc_trim(0);
}
