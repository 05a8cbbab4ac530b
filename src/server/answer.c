/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "server/answer.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/gzip.h"
#include "base/html.h"
#include "base/log.h"
#include "cache/metrics.h"
#include "pages/catalogue.h"
#include "pages/layout.h"
#include "server/action.h"
#include "server/refusal.h"

#define LIVE_AGE_MAX_S 5
#define NGINX_WAIT_S   12    /* how long nginx may wait for a worker before it shows its copy */
#define L1_MS          1000  /* how long nginx shows a copy without asking a worker */
#define CLOCKS_MS      100   /* by how much nginx' clock may be ahead of Redis' */
#define PAST_S         86400 /* how long a viewer keeps what can never change */
#define GZIP_MIN       1024
#define GZIP_LEVEL     4 /* for pages rendered on request; stored pages are compressed harder */

/* --- headers --- */

static const char *stale_detail(const struct context *context)
{
	static const char *const details[] = {
		[CLAIM_WON] = "REFRESH", [CLAIM_FRESH] = "BUSY",    [CLAIM_BUSY] = "BUSY",
		[CLAIM_OPEN] = "OPEN",   [CLAIM_BUDGET] = "BUDGET", [CLAIM_DOWN] = "BUSY",
	};

	return context->read.state.flushed && context->claim != CLAIM_WON ? "FLUSHED"
									  : details[context->claim];
}

/* Until the bucket of the data ends; negative afterwards. */
static int64_t left_ms(const struct answering *a, const struct context *context)
{
	int64_t interval = a->config->limits->group[CACHE_FLEET].interval_ms;
	int64_t bucket = context->own ? context->snap->bucket : context->read.state.data_bucket;

	return (bucket + 1) * interval - context->now_ms;
}

/* In whole seconds (RFC 9211 ttl). */
static int64_t ttl_s(const struct answering *a, const struct context *context)
{
	int64_t left = left_ms(a, context);

	return left >= 0 ? left / 1000 : -((-left + 999) / 1000);
}

/* Whether newer data may be there before a second has passed: a refresh runs, or begins soon. */
static bool is_ending(const struct answering *a, const struct context *context)
{
	enum claim_result claim = context->claim;

	if (context->own || claim == CLAIM_OPEN || claim == CLAIM_BUDGET || claim == CLAIM_DOWN)
		return false;
	return context->read.state.verdict == CACHE_STALE || left_ms(a, context) < CLOCKS_MS;
}

static void put_cache_status(const struct answering *a, const struct context *context,
			     struct response *response)
{
	char *out = response->cache_status;
	size_t size = sizeof(response->cache_status);
	enum cache_verdict verdict = context->read.state.verdict;

	if (context->condition.age == AGE_NO_DATA)
		(void)snprintf(out, size, "tft-redis; fwd=miss; detail=WARMING");
	else if (context->own)
		(void)snprintf(out, size, "tft-local; hit; ttl=%lld", (long long)ttl_s(a, context));
	else if (verdict == CACHE_FRESH)
		(void)snprintf(out, size, "tft-redis; hit; ttl=%lld; key=\"%s\"",
			       (long long)ttl_s(a, context), context->page->name);
	else
		(void)snprintf(out, size, "tft-redis; hit; ttl=%lld; detail=%s",
			       (long long)ttl_s(a, context), stale_detail(context));
}

static void put_lifetime(const struct answering *a, const struct context *context,
			 struct response *response)
{
	bool live = context->condition.age == AGE_LIVE && condition_is_plain(&context->condition);
	int64_t left = live ? ttl_s(a, context) : 0;
	int64_t holds_ms = context_holds_ms(&a->sources, context);

	response->max_age_s = left <= 0 ? 0 : left < LIVE_AGE_MAX_S ? (int)left : LIVE_AGE_MAX_S;
	response->stale_ok_s = holds_ms / 1000 - NGINX_WAIT_S;
	response->l1 = holds_ms > L1_MS;
	response->ending = is_ending(a, context);
}

static void put_headers(const struct answering *a, const struct context *context,
			struct response *response)
{
	const struct cache_state *state = &context->read.state;
	bool own = context->own;

	put_cache_status(a, context, response);
	response->type = page_type(context->page->media);
	response->redis_us = context->redis_us;
	response->render_us = context->render_us;
	if (context->condition.age == AGE_NO_DATA) {
		response->max_age_s = RESPONSE_NO_STORE;
		return;
	}
	response->bucket = own ? context->snap->bucket : state->data_bucket;
	response->gen_ms = own ? context->snap->gen_ms : state->gen_ms;
	response->age_ms = context->now_ms - response->gen_ms;
	put_lifetime(a, context, response);
}

/* tft_history_20261123_120000.csv; the time is that of the data. The row of a CSV form is named
 * like its page, with -csv. */
static void put_filename(struct answering *a, const struct context *context,
			 struct response *response)
{
	const char *name = context->page->name;
	char stamp[32];
	time_t seconds;
	struct tm tm;

	if (context->page->media != MEDIA_CSV)
		return;
	seconds = context->snap->gen_ms / 1000;
	gmtime_r(&seconds, &tm);
	(void)strftime(stamp, sizeof(stamp), "%Y%m%d_%H%M%S", &tm);
	(void)snprintf(a->filename, sizeof(a->filename), "tft_%.*s_%s.csv", (int)strcspn(name, "-"),
		       name, stamp);
	response->filename = a->filename;
}

/* --- bodies --- */

/* Sends the stored page unchanged: the path of nearly every request. */
static void answer_stored(struct answering *a, const struct context *context,
			  struct response *response)
{
	const struct cache_entry *entry = &context->read.entry;

	response_init(response, 200);
	response->body = entry->body;
	response->gzip = entry->gzip;
	(void)snprintf(response->etag, sizeof(response->etag), "W/\"%s\"", entry->etag);
	put_headers(a, context, response);
}

/* false: rendering failed, and the response is an error. */
static bool render(struct answering *a, struct context *context, struct response *response)
{
	struct view view = {
		.site = a->config->refresh->site,
		.snap = context->snap,
		.condition = &context->condition,
		.query = &context->query,
		.server = context->server,
		.with = context->with,
		.warmup = &context->upstream_status.warmup,
		.scenario = &context->upstream_status.scenario,
		.last_gen_ms =
			context->read.state.data_bucket >= 0 ? context->read.state.gen_ms : 0,
		.history = context->has.history ? &context->history : NULL,
		.trail = context->has.trail ? &a->sources.trail : NULL,
		.diagnosis = context->diagnosis,
		.at_ms = context->query.at_ms,
		.day = context->query.at_ms ? &context->day : NULL,
		.incomplete = context->incomplete,
		.incidents = context->has_incidents ? &context->incidents : NULL,
		.since = context->has_since ? &context->since : NULL,
		.accuracy = context->accuracy,
		.warnings = context->warnings,
	};
	int64_t began = clock_mono_us();

	buf_reset(&a->body);
	page_render(context->page, &view, &a->body);
	context->render_us = clock_mono_us() - began;
	if (buf_ok(&a->body))
		return true;
	log_event(LOG_LEVEL_ERROR, "render_failed", LOG_STR("page", context->page->name));
	refuse_status(a, 500, context->page->media == MEDIA_JSON, NULL, response);
	return false;
}

void answer_pack(struct answering *a, const struct request *request, struct response *response)
{
	response->body = buf_span(&a->body);
	if (!request->gzip || response->body.len < GZIP_MIN)
		return;
	buf_reset(&a->packed);
	if (gzip_compress(response->body, GZIP_LEVEL, &a->packed) != 0)
		return;
	response->body = buf_span(&a->packed);
	response->gzip = true;
}

/* 503 when there are no data or they are too old, for pages that need none as well: all of them show
 * the state of the fleet. A daemon that is warming up has answered: 200. */
static int status_without_data(const struct context *context)
{
	return context->condition.reason == REASON_WARMING ? 200 : 503;
}

/* An empty spreadsheet could not say why it is empty. */
static void answer_no_rows(struct answering *a, const struct context *context,
			   struct response *response)
{
	static const struct http_error none = {503, "No data",
					       "There are no data that may be shown."};
	static const struct http_error warming = {
		503, "No data", "The prediction daemon is warming up: there are no data yet."};

	refuse(a, context->condition.reason == REASON_WARMING ? &warming : &none, true, NULL,
	       response);
	put_cache_status(a, context, response);
}

static void answer_rendered(struct answering *a, struct context *context, struct response *response)
{
	if (!render(a, context, response))
		return;
	response_init(response, context->snap ? 200 : status_without_data(context));
	response->retry_after_s = response->status == 503 ? 1 : 0;
	if (context->snap)
		response_etag(response, buf_span(&a->body));
	put_headers(a, context, response);
	put_filename(a, context, response);
	answer_pack(a, context->request, response);
}

/* True: it would compare with a moment that there is not. */
static bool refuse_comparison(struct answering *a, const struct context *context,
			      struct response *response)
{
	static const struct http_error none = {404, "No such moment",
					       "Nothing is kept of the moment to compare with."};
	static const struct http_error down = {503, "No data",
					       "The shared cache cannot be reached."};

	if (context->page->media != MEDIA_CSV || !(context->page->needs & PAGE_SINCE) ||
	    context->since.then)
		return false;
	refuse(a, context->has_since ? &none : &down, true, NULL, response);
	return true;
}

/* --- search --- */

/* NULL: no name is the text that was searched for. */
static const struct server *find_named(const struct snapshot *snap, const struct query *query)
{
	size_t len = strlen(query->q);

	for (size_t i = 0; i < snap->count; i++) {
		const struct server *s = &snap->servers[i];

		if (s->name.len == len && query_match(query, s) && layout_has_page(s->name))
			return s;
	}
	return NULL;
}

/* A search for the whole name of a server leads to its page. */
static bool redirect_found(struct answering *a, struct context *context, struct response *response)
{
	const struct query *query = &context->query;
	unsigned others = query->given & ~(QUERY_BIT(QUERY_Q) | QUERY_BIT(QUERY_AT));
	const struct server *server;

	if (!(context->page->needs & PAGE_FIND) || others || !query->q[0] || !context->snap)
		return false;
	server = find_named(context->snap, query);
	if (!server)
		return false;
	buf_reset(&a->body);
	buf_lit(&a->body, "server/");
	html_url(&a->body, server->name);
	layout_at(query, "?", &a->body);
	response_init(response, 302);
	response->location = buf_span(&a->body);
	return true;
}

/* --- pages --- */

/* The claim's reply will overwrite what was read, so copy the body first. */
static void keep_body(struct answering *a, struct context *context)
{
	struct cache_entry *entry = &context->read.entry;

	if (!context->read.found)
		return;
	buf_reset(&a->packed);
	buf_span_add(&a->packed, entry->body);
	context->read.found = buf_ok(&a->packed);
	entry->body = buf_span(&a->packed);
}

static void answer_context(struct answering *a, struct context *context, struct response *response)
{
	bool current = context->read.found && cache_entry_is_current(&context->read);

	if (context->read.state.verdict == CACHE_STALE)
		keep_body(a, context);
	context_claim(&a->sources, context);
	context_want_upstream_status(&a->sources, context);
	if (current && context->read.found && condition_is_plain(&context->condition)) {
		answer_stored(a, context, response);
		return;
	}
	context_load_snapshot(&a->sources, context);
	if (redirect_found(a, context, response))
		return;
	if (!context_load_server(&a->sources, context)) {
		refuse_server(a, context->page->media == MEDIA_JSON, false, response);
		return;
	}
	if (context_lacks_other(context)) {
		refuse_other(a, false, response);
		return;
	}
	if (context->page->media == MEDIA_CSV && !context->snap) {
		answer_no_rows(a, context, response);
		return;
	}
	context_load_history(&a->sources, context);
	context_load_since(&a->sources, context);
	if (refuse_comparison(a, context, response))
		return;
	if (context->page->media == MEDIA_HTML)
		context_load_upstream_status(&a->sources, context);
	answer_rendered(a, context, response);
}

/* --- the past --- */

/* A view of the past has one address: its moment is the start of a bucket, its query canonical.
 * True: the request has another address and is redirected to that one. */
static bool redirect_past(struct answering *a, struct context *context, struct response *response)
{
	const struct request *request = context->request;
	int64_t interval = a->config->limits->group[CACHE_FLEET].interval_ms;
	struct span asked = {request->query, request->query_len};

	context->query.at_ms -= context->query.at_ms % interval;
	context->query.since_at_ms -= context->query.since_at_ms % interval;
	buf_reset(&a->body);
	buf_char(&a->body, '?');
	query_write(&context->query, &a->body);
	if (!buf_ok(&a->body) || span_eq((struct span){a->body.data + 1, a->body.len - 1}, asked))
		return false;
	response_init(response, 302);
	response->location = buf_span(&a->body);
	return true;
}

/* All of it could be read, its bucket is over, and so is that which it is compared with. */
static bool is_settled(const struct answering *a, const struct context *context, int64_t now_ms)
{
	int64_t interval = a->config->limits->group[CACHE_FLEET].interval_ms;
	int64_t began_ms = now_ms - now_ms % interval;

	if (context->incomplete || context->query.at_ms >= began_ms)
		return false;
	return !(context->page->needs & PAGE_SINCE) ||
	       (context->has_since && context->since.asked_ms < began_ms);
}

static void answer_moment(struct answering *a, struct context *context, int64_t now_ms,
			  struct response *response)
{
	if (refuse_comparison(a, context, response) || !render(a, context, response))
		return;
	response_init(response, 200);
	response_etag(response, buf_span(&a->body));
	response->type = page_type(context->page->media);
	response->bucket = context->snap->bucket;
	response->redis_us = context->redis_us;
	response->render_us = context->render_us;
	response->immutable = is_settled(a, context, now_ms);
	response->max_age_s = response->immutable ? PAST_S : 0;
	(void)snprintf(response->cache_status, sizeof(response->cache_status),
		       "tft-redis; hit; detail=PAST");
	put_filename(a, context, response);
	answer_pack(a, context->request, response);
}

/* A requested moment does not depend on the present: nothing is claimed, nothing becomes due. */
static void answer_past(struct answering *a, struct context *context, struct response *response)
{
	enum media media = context->page->media;
	struct moment moment;

	if (redirect_past(a, context, response))
		return;
	switch (context_load_moment(&a->sources, context, &moment)) {
	case MOMENT_DOWN:
		refuse_status(a, 503, media != MEDIA_HTML, NULL, response);
		break;
	case MOMENT_NONE:
		refuse_moment(a,
			      &(struct no_moment){context->page, &context->query, moment.before_ms,
						  moment.after_ms},
			      context->query.at_ms > cache_now_ms(a->sources.cache), media,
			      response);
		break;
	case MOMENT_FOUND:
		if (redirect_found(a, context, response))
			return;
		if ((context->page->needs & PAGE_SERVER) && !context->server)
			refuse_server(a, media != MEDIA_HTML, true, response);
		else if (context_lacks_other(context))
			refuse_other(a, true, response);
		else
			answer_moment(a, context, cache_now_ms(a->sources.cache), response);
		break;
	}
}

/* This page depends on the user: it is rendered for each request, even without data, and never
 * stored. */
static void answer_advanced(struct answering *a, struct context *context, struct response *response)
{
	const struct settings *settings = a->config->settings;
	struct diagnosis_setting rows[SETTINGS_MAX];
	struct diagnosis diagnosis;

	context_claim(&a->sources, context);
	context_want_upstream_status(&a->sources, context);
	context_load_snapshot(&a->sources, context);
	context_load_upstream_status(&a->sources, context);
	context_diagnose(&a->sources, context, &diagnosis);
	diagnosis.node = settings->node;
	diagnosis.role = action_role(settings, context->request);
	diagnosis.user = context->request->remote_user;
	diagnosis.scenario = &context->upstream_status.scenario;
	if (context->upstream_status.scenario_reason != REASON_NONE)
		diagnosis.scenario_fault =
			reason_table[context->upstream_status.scenario_reason].text;
	diagnosis.settings = rows;
	diagnosis.setting_count = settings_describe(settings, rows);
	context->diagnosis = &diagnosis;
	/* The notice belongs to this answer alone: no link of the page repeats it. */
	query_give(&context->query, QUERY_NOTICE, false);
	if (!render(a, context, response))
		return;
	response_init(response, 200);
	put_cache_status(a, context, response);
	response->redis_us = context->redis_us;
	response->render_us = context->render_us;
	answer_pack(a, context->request, response);
}

/* A page inside a foreign frame must not have buttons that act. */
static const char *frame_origin(const struct answering *a, const struct context *context)
{
	bool forms = context->page->needs & PAGE_DIAGNOSIS;

	return context->query.view == VIEW_COMPACT && !forms ? a->config->settings->frame_origin
							     : NULL;
}

void answer_page(struct answering *a, const struct request *request, const struct route *route,
		 struct response *response)
{
	const struct page *page = route->page;
	struct context context = {
		.request = request, .page = page, .redis_us = -1, .render_us = -1};
	struct span raw = {request->query, request->query_len};
	enum query_key bad;
	bool stored;

	if (page->needs & PAGE_SERVER)
		context.name =
			page_server_name(page, (struct span){request->path, request->path_len});
	query_init(&context.query);
	if (query_parse(&context.query, raw, page->params, &bad) != 0) {
		refuse_value(a, &(struct bad_value){page, &context.query, bad}, response);
		return;
	}
	if (context.query.format == FORMAT_JSON && page->json)
		context.page = page_find_name(page->json);
	else if (context.query.format == FORMAT_CSV && page->csv)
		context.page = page_find_name(page->csv);
	if (context.query.at_ms) {
		answer_past(a, &context, response);
		response->frame_origin = frame_origin(a, &context);
		context_free(&context);
		return;
	}
	/* A page may have another order than its JSON has of its own. */
	stored = context.page->stored && (context.query.given & ~QUERY_BIT(QUERY_FORMAT)) == 0 &&
		 query_is_standard_order(&context.query, context.page->params);
	context_read(&a->sources, &context, stored ? context.page->name : NULL, request->gzip);
	metrics_verdict(a->config->refresh->metrics, context.read.state.verdict);
	if (context.page->needs & PAGE_DIAGNOSIS)
		answer_advanced(a, &context, response);
	else if (context.read.state.verdict == CACHE_DOWN && context_in_grace(&a->sources) &&
		 !context.snap && !context.page->standalone)
		refuse_status(a, 503, context.page->media == MEDIA_JSON, NULL, response);
	else
		answer_context(a, &context, response);
	response->frame_origin = frame_origin(a, &context);
	context_free(&context);
}
