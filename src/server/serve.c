/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "server/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "server/action.h"
#include "pages/api.h"
#include "base/clock.h"
#include "base/gzip.h"
#include "server/health.h"
#include "base/log.h"
#include "cache/metrics.h"
#include "server/context.h"

#define BODY_MAX       (32u * 1024 * 1024)
#define LIVE_AGE_MAX_S 5
#define NGINX_WAIT_S   12   /* how long nginx may wait for a worker before it shows its copy */
#define L1_MS          1000 /* how long it shows one without asking */
#define TICK_SPREAD_MS 200
#define LOOK_AGAIN_MS  1000
/* How often idle workers ask for warm-up and scenario, where a request does so every 2 s: a feed that
 * stops is told within that time, and a dashboard that nobody looks at costs next to nothing. */
#define IDLE_STATUS_MS 10000
#define GZIP_MIN       1024
#define GZIP_LEVEL     4 /* for what is rendered on request; stored pages are packed tighter */

struct serve {
	const struct serve_config *config;
	struct sources sources;
	struct buf body, packed; /* of the current answer */
	char filename[64];       /* the same */
	struct span path; /* of the current request: where the links of an error page lead from */
	int64_t tick_jitter_ms;
	int64_t look_ms; /* monotonic: when to look at the groups next although nobody asks */
};

struct serve *serve_new(const struct serve_config *config, struct local *local)
{
	struct serve *serve = calloc(1, sizeof(*serve));

	if (!serve)
		return NULL;
	serve->config = config;
	serve->sources =
		(struct sources){.config = config, .cache = config->refresh->cache, .local = local};
	serve->tick_jitter_ms = clock_mono_us() % TICK_SPREAD_MS;
	buf_init(&serve->body, BODY_MAX);
	buf_init(&serve->packed, BODY_MAX);
	return serve;
}

void serve_free(struct serve **serve)
{
	if (!*serve)
		return;
	buf_free(&(*serve)->body);
	buf_free(&(*serve)->packed);
	free(*serve);
	*serve = NULL;
}

/* --- errors --- */

static const struct http_error errors[] = {
	{400, "Bad request", "This address has a parameter with a value that is not valid."},
	{404, "Not found", "There is no such page."},
	{405, "Method not allowed", "This address does not take that method."},
	{413, "Too large", "The request is too large."},
	{414, "Address too long", "The address is too long."},
	{500, "Internal error", "The page could not be made. The error is in the log."},
	{503, "Not available",
	 "The shared cache cannot be reached. Please try again in a few seconds."},
};

static const struct http_error *find_error(int status)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].status == status)
			return &errors[i];
	return find_error(500);
}

static void finish_error(struct serve *serve, int status, bool json, struct response *response)
{
	response_init(response, status);
	response->type = json ? "application/problem+json" : NULL;
	response->body = buf_span(&serve->body);
	response->max_age_s = RESPONSE_NO_STORE;
	response->retry_after_s = status == 503 ? 1 : 0;
}

static void put_error(struct serve *serve, const struct http_error *error, bool json,
		      const char *hint, struct response *response)
{
	buf_reset(&serve->body);
	page_error(error, hint, json ? MEDIA_JSON : MEDIA_HTML, serve->path, &serve->body);
	finish_error(serve, error->status, json, response);
}

static void answer_error(struct serve *serve, int status, bool json, const char *hint,
			 struct response *response)
{
	put_error(serve, find_error(status), json, hint, response);
}

static void answer_bad_value(struct serve *serve, const struct bad_value *bad,
			     struct response *response)
{
	bool json = bad->page->media == MEDIA_JSON || bad->query->format == FORMAT_JSON;

	buf_reset(&serve->body);
	page_bad_value(find_error(400), bad, json ? MEDIA_JSON : MEDIA_HTML, &serve->body);
	finish_error(serve, 400, json, response);
}

/* The name is not repeated: anybody can put anything into an address. */
static void answer_no_server(struct serve *serve, bool json, struct response *response)
{
	static const struct http_error error = {404, "Not found",
						"No such server in the current snapshot."};

	put_error(serve, &error, json, NULL, response);
}

/* Whoever asked for JSON gets a problem document. Of an address that was too long the beginning is
 * there. */
static bool wants_json(const struct request *request)
{
	struct query query;
	enum query_key bad;

	if (route_find(METHOD_GET, (struct span){request->path, request->path_len}).json)
		return true;
	query_init(&query);
	return query_parse(&query, (struct span){request->query, request->query_len},
			   QUERY_BIT(QUERY_FORMAT), &bad) == 0 &&
	       query.format == FORMAT_JSON;
}

void serve_refusal(struct serve *serve, const struct request *request, enum request_result why,
		   struct response *response)
{
	static const int statuses[] = {
		[REQUEST_TOO_LONG] = 414, [REQUEST_TOO_LARGE] = 413, [REQUEST_BAD] = 400};

	serve->path = (struct span){NULL, 0};
	answer_error(serve, statuses[why], wants_json(request), NULL, response);
}

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

/* Whole seconds until the bucket of the data ends; negative afterwards (RFC 9211 ttl). */
static int64_t ttl_s(const struct serve *serve, const struct context *context)
{
	int64_t interval = serve->config->limits->group[CACHE_FLEET].interval_ms;
	int64_t bucket = context->own ? context->snap->bucket : context->read.state.data_bucket;
	int64_t left = (bucket + 1) * interval - context->now_ms;

	return left >= 0 ? left / 1000 : -((-left + 999) / 1000);
}

static void put_cache_status(const struct serve *serve, const struct context *context,
			     struct response *response)
{
	char *out = response->cache_status;
	size_t size = sizeof(response->cache_status);
	enum cache_verdict verdict = context->read.state.verdict;

	if (context->condition.age == AGE_NO_DATA)
		(void)snprintf(out, size, "tft-redis; fwd=miss; detail=WARMING");
	else if (context->own)
		(void)snprintf(out, size, "tft-local; hit; ttl=%lld",
			       (long long)ttl_s(serve, context));
	else if (verdict == CACHE_FRESH)
		(void)snprintf(out, size, "tft-redis; hit; ttl=%lld; key=\"%s\"",
			       (long long)ttl_s(serve, context), context->page->name);
	else
		(void)snprintf(out, size, "tft-redis; hit; ttl=%lld; detail=%s",
			       (long long)ttl_s(serve, context), stale_detail(context));
}

static void put_lifetime(const struct serve *serve, const struct context *context,
			 struct response *response)
{
	bool live = context->condition.age == AGE_LIVE && condition_is_plain(&context->condition);
	int64_t left = live ? ttl_s(serve, context) : 0;
	int64_t holds_ms = context_holds_ms(&serve->sources, context);

	response->max_age_s = left <= 0 ? 0 : left < LIVE_AGE_MAX_S ? (int)left : LIVE_AGE_MAX_S;
	response->stale_ok_s = holds_ms / 1000 - NGINX_WAIT_S;
	response->l1 = holds_ms > L1_MS;
}

static void put_headers(const struct serve *serve, const struct context *context,
			struct response *response)
{
	const struct cache_state *state = &context->read.state;
	bool own = context->own;

	put_cache_status(serve, context, response);
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
	put_lifetime(serve, context, response);
}

/* tft_history_20261123_120000.csv; the time is that of the data. The row of a CSV form is named
 * like its page, with -csv. */
static void put_filename(struct serve *serve, const struct context *context,
			 struct response *response)
{
	time_t seconds = response->gen_ms / 1000;
	const char *name = context->page->name;
	char stamp[32];
	struct tm tm;

	if (context->page->media != MEDIA_CSV)
		return;
	gmtime_r(&seconds, &tm);
	(void)strftime(stamp, sizeof(stamp), "%Y%m%d_%H%M%S", &tm);
	(void)snprintf(serve->filename, sizeof(serve->filename), "tft_%.*s_%s.csv",
		       (int)strcspn(name, "-"), name, stamp);
	response->filename = serve->filename;
}

/* --- bodies --- */

/* The stored page as it is: the way of nearly every request. */
static void answer_stored(struct serve *serve, const struct context *context,
			  struct response *response)
{
	const struct cache_entry *entry = &context->read.entry;

	response_init(response, 200);
	response->body = entry->body;
	response->gzip = entry->gzip;
	(void)snprintf(response->etag, sizeof(response->etag), "W/\"%s\"", entry->etag);
	put_headers(serve, context, response);
}

/* false: it could not be made, and the answer says so. */
static bool render(struct serve *serve, struct context *context, struct response *response)
{
	struct view view = {
		.site = serve->config->refresh->site,
		.snap = context->snap,
		.condition = &context->condition,
		.query = &context->query,
		.server = context->server,
		.warmup = &context->upstream_status.warmup,
		.scenario = &context->upstream_status.scenario,
		.last_gen_ms =
			context->read.state.data_bucket >= 0 ? context->read.state.gen_ms : 0,
		.history = context->has_history ? &context->history : NULL,
		.diagnosis = context->diagnosis,
	};
	int64_t began = clock_mono_us();

	buf_reset(&serve->body);
	page_render(context->page, &view, &serve->body);
	context->render_us = clock_mono_us() - began;
	if (buf_ok(&serve->body))
		return true;
	log_event(LOG_LEVEL_ERROR, "render_failed", LOG_STR("page", context->page->name));
	answer_error(serve, 500, context->page->media == MEDIA_JSON, NULL, response);
	return false;
}

static void pack(struct serve *serve, const struct request *request, struct response *response)
{
	response->body = buf_span(&serve->body);
	if (!request->gzip || response->body.len < GZIP_MIN)
		return;
	buf_reset(&serve->packed);
	if (gzip_compress(response->body, GZIP_LEVEL, &serve->packed) != 0)
		return;
	response->body = buf_span(&serve->packed);
	response->gzip = true;
}

/* Cold and too old are 503, so that nginx prefers a copy of its own; a daemon that is warming up is
 * an answer, and so is a page that needs no data. */
static int status_without_data(const struct context *context)
{
	return context->condition.reason == REASON_WARMING ? 200 : 503;
}

/* A spreadsheet would be empty, and nobody reads in it why. */
static void answer_no_rows(struct serve *serve, const struct context *context,
			   struct response *response)
{
	static const struct http_error none = {503, "No data",
					       "There are no data that may be shown."};
	static const struct http_error warming = {
		503, "No data", "The prediction daemon is warming up: there are no data yet."};

	put_error(serve, context->condition.reason == REASON_WARMING ? &warming : &none, true, NULL,
		  response);
	put_cache_status(serve, context, response);
}

static void answer_rendered(struct serve *serve, struct context *context, struct response *response)
{
	if (!render(serve, context, response))
		return;
	response_init(response, context->snap ? 200 : status_without_data(context));
	response->retry_after_s = response->status == 503 ? 1 : 0;
	if (context->snap)
		response_etag(response, buf_span(&serve->body));
	put_headers(serve, context, response);
	put_filename(serve, context, response);
	pack(serve, context->request, response);
}

/* --- pages --- */

/* What is read must not be lost to the claim's reply: the entry is copied before. */
static void keep_entry(struct serve *serve, struct context *context)
{
	struct cache_entry *entry = &context->read.entry;

	if (!context->read.found)
		return;
	buf_reset(&serve->packed);
	buf_span_add(&serve->packed, entry->body);
	context->read.found = buf_ok(&serve->packed);
	entry->body = buf_span(&serve->packed);
}

static void answer_context(struct serve *serve, struct context *context, struct response *response)
{
	if (context->read.state.verdict == CACHE_STALE)
		keep_entry(serve, context);
	context_claim(&serve->sources, context);
	context_want_upstream_status(&serve->sources, context);
	if (context->read.found && condition_is_plain(&context->condition) &&
	    cache_says_so(&context->read)) {
		answer_stored(serve, context, response);
		return;
	}
	context_load_snapshot(&serve->sources, context);
	if (!context_load_server(&serve->sources, context)) {
		answer_no_server(serve, context->page->media == MEDIA_JSON, response);
		return;
	}
	if (context->page->media == MEDIA_CSV && !context->snap) {
		answer_no_rows(serve, context, response);
		return;
	}
	context_load_history(&serve->sources, context);
	if (context->page->media == MEDIA_HTML)
		context_load_upstream_status(&serve->sources, context);
	answer_rendered(serve, context, response);
}

/* The page that depends on who asks: made anew every time, without data too, and kept by nobody. */
static void answer_advanced(struct serve *serve, struct context *context, struct response *response)
{
	const struct settings *settings = serve->config->settings;
	struct diagnosis_setting rows[SETTINGS_MAX];
	struct diagnosis diagnosis;

	context_claim(&serve->sources, context);
	context_want_upstream_status(&serve->sources, context);
	context_load_snapshot(&serve->sources, context);
	context_load_upstream_status(&serve->sources, context);
	context_diagnose(&serve->sources, context, &diagnosis);
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
	/* A notice is of this one answer: no link of the page repeats it. */
	context->query.given &= ~QUERY_BIT(QUERY_NOTICE);
	if (!render(serve, context, response))
		return;
	response_init(response, 200);
	put_cache_status(serve, context, response);
	response->redis_us = context->redis_us;
	response->render_us = context->render_us;
	pack(serve, context->request, response);
}

/* A frame that somebody else holds must not have buttons that act. */
static const char *frame_origin(const struct serve *serve, const struct context *context)
{
	bool forms = context->page->needs & PAGE_DIAGNOSIS;

	return context->query.view == VIEW_COMPACT && !forms ? serve->config->settings->frame_origin
							     : NULL;
}

static void answer_page(struct serve *serve, const struct request *request,
			const struct route *route, struct response *response)
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
		answer_bad_value(serve, &(struct bad_value){page, &context.query, bad}, response);
		return;
	}
	if (context.query.format == FORMAT_JSON && page->json)
		context.page = page_find_name(page->json);
	else if (context.query.format == FORMAT_CSV && page->csv)
		context.page = page_find_name(page->csv);
	stored = context.page->stored && (context.query.given & ~QUERY_BIT(QUERY_FORMAT)) == 0;
	context_read(&serve->sources, &context, stored ? context.page->name : NULL, request->gzip);
	metrics_verdict(serve->config->refresh->metrics, context.read.state.verdict);
	if (context.page->needs & PAGE_DIAGNOSIS)
		answer_advanced(serve, &context, response);
	else if (context.read.state.verdict == CACHE_DOWN && context_in_grace(&serve->sources) &&
		 !context.snap && !context.page->standalone)
		answer_error(serve, 503, context.page->media == MEDIA_JSON, NULL, response);
	else
		answer_context(serve, &context, response);
	response->frame_origin = frame_origin(serve, &context);
	context_free(&context);
}

/* --- actions --- */

/* A form goes on to the page that tells what came of it, so that a reload repeats nothing. */
static void see_notice(enum notice notice, struct response *response)
{
	response_init(response, 303);
	(void)snprintf(response->location, sizeof(response->location), "advanced?notice=%s",
		       query_notice_name(notice));
}

static void answer_action(struct serve *serve, const struct request *request,
			  const struct route *route, struct response *response)
{
	enum action action = route->kind == ROUTE_REFRESH ? ACTION_REFRESH : ACTION_SCENARIO;
	struct action_answer answer;
	struct query query;
	enum query_key bad;
	bool json;

	query_init(&query);
	if (query_parse(&query, (struct span){request->query, request->query_len},
			QUERY_BIT(QUERY_FORMAT), &bad) != 0) {
		answer_error(serve, 400, false, query_key_values(bad), response);
		return;
	}
	json = query.format == FORMAT_JSON;
	buf_reset(&serve->body);
	action_run(action, serve->config->refresh, serve->config->settings, request, &answer,
		   &serve->body);
	if (answer.error) {
		put_error(serve, answer.error, json, answer.hint, response);
		if (answer.retry_after_s > 0)
			response->retry_after_s = answer.retry_after_s;
	} else if (json) {
		response_json(response, answer.status, buf_span(&serve->body));
	} else {
		see_notice(answer.notice, response);
	}
}

/* --- the request --- */

/* One word per kind of answer that is no page; pages are counted under their names. */
static const char *route_name(const struct route *route)
{
	static const char *const names[] = {
		[ROUTE_STATUS] = "api-status", [ROUTE_OPENAPI] = "api-openapi",
		[ROUTE_HEALTHZ] = "healthz",   [ROUTE_READYZ] = "readyz",
		[ROUTE_METRICS] = "metrics",   [ROUTE_REFRESH] = "refresh",
		[ROUTE_SCENARIO] = "scenario", [ROUTE_NOT_FOUND] = "none",
		[ROUTE_METHOD] = "none",
	};

	return route->kind == ROUTE_PAGE ? route->page->name : names[route->kind];
}

static void count(struct serve *serve, const struct route *route, int status, int64_t us)
{
	struct metrics *metrics = serve->config->refresh->metrics;
	char labels[80];

	(void)snprintf(labels, sizeof(labels), "route=\"%s\",code=\"%d\"", route_name(route),
		       status);
	metrics_count(metrics, METRICS_HTTP_REQUESTS, labels);
	metrics_time(metrics, us);
}

/* Where the API and the overview tell of its description, as seen from their own address. */
static const char *service_desc(const struct route *route)
{
	const struct page *page = route->page;

	if (route->kind == ROUTE_STATUS)
		return "openapi.json";
	if (page && page->media == MEDIA_JSON)
		return page->needs & PAGE_SERVER ? "../openapi.json" : "openapi.json";
	return page && page == page_find_name("overview") ? "api/v1/openapi.json" : NULL;
}

static void answer_route(struct serve *serve, const struct request *request,
			 const struct route *route, struct response *response)
{
	switch (route->kind) {
	case ROUTE_PAGE:
		answer_page(serve, request, route, response);
		break;
	case ROUTE_REFRESH:
	case ROUTE_SCENARIO:
		answer_action(serve, request, route, response);
		break;
	case ROUTE_NOT_FOUND:
	case ROUTE_METHOD:
		answer_error(serve, route->kind == ROUTE_METHOD ? 405 : 404, route->json, NULL,
			     response);
		response->allow = route->allow;
		break;
	default:
		health_answer(&serve->sources, route->kind, &serve->body, response);
		pack(serve, request, response);
	}
}

/* The stored entry that a request without parameters reads; false: none. */
static bool find_lookup(const struct request *request, struct cache_lookup *lookup)
{
	struct route route =
		route_find(request->method, (struct span){request->path, request->path_len});

	if (route.kind != ROUTE_PAGE || !route.page->stored || request->query_len)
		return false;
	*lookup = (struct cache_lookup){route.page->name, request->gzip};
	return true;
}

/* Viewers mostly want the same pages. */
static bool is_new(const struct cache_lookup *lookups, size_t count,
		   const struct cache_lookup *lookup)
{
	for (size_t i = 0; i < count; i++)
		if (lookups[i].gzip == lookup->gzip && lookups[i].route == lookup->route)
			return false;
	return true;
}

void serve_prefetch(struct serve *serve, const struct request *const *requests, size_t count)
{
	struct cache_lookup lookups[CACHE_LOOKUPS_MAX];
	size_t n = 0, readers = 0;

	for (size_t i = 0; i < count && n < CACHE_LOOKUPS_MAX; i++) {
		struct cache_lookup lookup;

		if (!find_lookup(requests[i], &lookup))
			continue;
		readers++;
		if (is_new(lookups, n, &lookup))
			lookups[n++] = lookup;
	}
	if (readers > 1)
		cache_prefetch(serve->sources.cache, CACHE_FLEET, lookups, n);
}

/* While a copy may still be shown in place of an error, nginx shows it in place of a 404 as well. So
 * it asks again where it has none. */
static bool is_withdrawn(const struct request *request, const struct response *response)
{
	return response->status == 404 && request->l1;
}

void serve_request(struct serve *serve, const struct request *request, struct response *response)
{
	struct route route =
		route_find(request->method, (struct span){request->path, request->path_len});

	/* A name of a server is one step of an address, whatever it holds. */
	serve->path = route.page ? span_str(route.page->path)
				 : (struct span){request->path, request->path_len};
	answer_route(serve, request, &route, response);
	if (is_withdrawn(request, response)) {
		response_init(response, 200);
		response->ask_again = "@tft_without_copy";
		return;
	}
	if (response->status == 200 &&
	    response_not_modified(request->if_none_match, response->etag)) {
		response->status = 304;
		response->body = (struct span){NULL, 0};
	}
	response->service_desc = service_desc(&route);
	response->authenticated = *request->remote_user != '\0';
	count(serve, &route, response->status, clock_mono_us() - request->came_us);
}

bool serve_due(const struct serve *serve)
{
	const struct due_work *due_work = &serve->sources.due_work;

	return due_work->claimed || due_work->upstream_status || due_work->local;
}

void serve_after(struct serve *serve)
{
	const struct refresh *refresh = serve->config->refresh;
	struct upstream_status upstream_status;

	cache_prefetch_end(refresh->cache);
	if (serve->sources.due_work.claimed)
		refresh_fleet(refresh, &serve->sources.due_work.claim);
	else if (serve->sources.due_work.upstream_status)
		upstream_status_renew(refresh->cache, refresh->upstream,
				      refresh->scenario_configured, &upstream_status);
	if (!serve->sources.due_work.claimed && serve->sources.due_work.local)
		local_refresh(serve->sources.local, refresh->upstream);
	serve->sources.due_work = (struct due_work){0};
	if (!serve->sources.down_since_ms)
		cache_catch_up(refresh->cache);
	context_keep(&serve->sources);
	metrics_flush(refresh->metrics, refresh->cache);
}

/* --- idle tick --- */

void serve_tick(struct serve *serve)
{
	struct context context = {0};

	if (clock_mono_ms() < serve->look_ms)
		return;
	context_read(&serve->sources, &context, NULL, false);
	context_claim(&serve->sources, &context);
	context_want_upstream_status(&serve->sources, &context);
	/* While Redis is away only requests make a worker fetch on its own. */
	serve->sources.due_work.local = false;
}

/* -1: never. */
static int64_t ms_to_look(const struct serve *serve)
{
	const struct cache *cache = serve->sources.cache;
	int64_t ms = cache_ms_to(cache, cache_interval_ms(cache, CACHE_FLEET)),
		status = cache_ms_to(cache, IDLE_STATUS_MS);

	if (!serve->config->idle_tick)
		return -1;
	/* Never seen Redis' clock, or something is left to be told: look again in a second. */
	if (ms < 0 || cache_is_behind(cache))
		return LOOK_AGAIN_MS;
	return (status < ms ? status : ms) + serve->tick_jitter_ms;
}

int64_t serve_next_tick_ms(struct serve *serve)
{
	const struct metrics *metrics = serve->config->refresh->metrics;
	int64_t look = ms_to_look(serve);
	int64_t counts = serve->sources.down_since_ms ? -1 : metrics_flush_in(metrics);

	serve->look_ms = look < 0 ? INT64_MAX : clock_mono_ms() + look;
	return counts >= 0 && (look < 0 || counts < look) ? counts : look;
}
