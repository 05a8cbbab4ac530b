/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "server/serve.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/action.h"
#include "server/answer.h"
#include "base/clock.h"
#include "server/health.h"
#include "server/refusal.h"
#include "base/log.h"
#include "cache/metrics.h"

#define BODY_MAX       (32u * 1024 * 1024)
#define TICK_SPREAD_MS 20
#define TICK_AGAIN_MS  1000
/* How often idle workers request warm-up and scenario; viewers' requests do so every 2 s. A stopped
 * feed is noticed within that time, and a dashboard without viewers costs almost nothing. */
#define IDLE_STATUS_MS 10000

struct serve {
	struct answering answering;
	int64_t tick_jitter_ms;
	int64_t tick_ms; /* monotonic: when to check the groups next without a request */
};

struct serve *serve_new(const struct serve_config *config, struct local *local)
{
	struct serve *serve = calloc(1, sizeof(*serve));

	if (!serve)
		return NULL;
	serve->answering.config = config;
	serve->answering.sources =
		(struct sources){.config = config, .cache = config->refresh->cache, .local = local};
	serve->tick_jitter_ms = clock_mono_us() % TICK_SPREAD_MS;
	buf_init(&serve->answering.body, BODY_MAX);
	buf_init(&serve->answering.packed, BODY_MAX);
	return serve;
}

void serve_free(struct serve **serve)
{
	if (!*serve)
		return;
	buf_free(&(*serve)->answering.body);
	buf_free(&(*serve)->answering.packed);
	free(*serve);
	*serve = NULL;
}

/* A request for JSON gets a problem document. If the address was too long, its beginning is known.
 * */
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

	serve->answering.path = (struct span){NULL, 0};
	refuse_status(&serve->answering, statuses[why], wants_json(request), NULL, response);
}

/* --- actions --- */

/* A form redirects to the page that shows the result, so that a reload repeats nothing. */
static void see_notice(struct answering *a, enum notice notice, struct response *response)
{
	buf_reset(&a->body);
	buf_addf(&a->body, "advanced?notice=%s", query_notice_name(notice));
	response_init(response, 303);
	response->location = buf_span(&a->body);
}

static void answer_action(struct serve *serve, const struct request *request,
			  const struct route *route, struct response *response)
{
	enum action action = (enum action)(route->kind - ROUTE_REFRESH);
	struct action_answer answer;
	struct query query;
	enum query_key bad;
	bool json;

	query_init(&query);
	if (query_parse(&query, (struct span){request->query, request->query_len},
			QUERY_BIT(QUERY_FORMAT), &bad) != 0) {
		refuse_status(&serve->answering, 400, false, query_key_values(bad), response);
		return;
	}
	json = query.format == FORMAT_JSON;
	buf_reset(&serve->answering.body);
	action_run(action, serve->answering.config->refresh, serve->answering.config->settings,
		   request, &answer, &serve->answering.body);
	if (answer.error) {
		refuse(&serve->answering, answer.error, json, answer.hint, response);
		if (answer.retry_after_s > 0)
			response->retry_after_s = answer.retry_after_s;
	} else if (json) {
		response_json(response, answer.status, buf_span(&serve->answering.body));
	} else {
		see_notice(&serve->answering, answer.notice, response);
	}
}

/* --- the request --- */

/* One label per kind of answer that is not a page; pages are counted under their names. */
static const char *route_name(const struct route *route)
{
	static const char *const names[] = {
		[ROUTE_STATUS] = "api-status", [ROUTE_OPENAPI] = "api-openapi",
		[ROUTE_HEALTHZ] = "healthz",   [ROUTE_READYZ] = "readyz",
		[ROUTE_METRICS] = "metrics",   [ROUTE_FLEET_METRICS] = "fleet-metrics",
		[ROUTE_REFRESH] = "refresh",   [ROUTE_SCENARIO] = "scenario",
		[ROUTE_SILENCE] = "silence",   [ROUTE_SILENCE_END] = "silence-end",
		[ROUTE_NOT_FOUND] = "none",    [ROUTE_METHOD] = "none",
	};

	return route->kind == ROUTE_PAGE ? route->page->name : names[route->kind];
}

static void count(struct serve *serve, const struct route *route, int status, int64_t us)
{
	struct metrics *metrics = serve->answering.config->refresh->metrics;
	char labels[80];

	(void)snprintf(labels, sizeof(labels), "route=\"%s\",code=\"%d\"", route_name(route),
		       status);
	metrics_count(metrics, METRICS_HTTP_REQUESTS, labels);
	metrics_time(metrics, us);
}

/* Reference to the description of the API, relative to the address of the answer. */
static const char *service_desc(const struct route *route)
{
	const struct page *page = route->page;

	if (route->kind == ROUTE_STATUS)
		return "openapi.json";
	if (page && page->media == MEDIA_JSON)
		return page->needs & PAGE_SERVER ? "../openapi.json" : "openapi.json";
	return page && page == page_find_name("overview") ? "api/v1/openapi.json" : NULL;
}

/* nginx looks copies up by path and parameters alone, and would serve them under any host name. So
 * a site that checks names has no copies. */
static void keep_from_l1(struct response *response)
{
	response->l1 = false;
	response->stale_ok_s = 0;
}

static void answer_route(struct serve *serve, const struct request *request,
			 const struct route *route, struct response *response)
{
	switch (route->kind) {
	case ROUTE_PAGE:
		answer_page(&serve->answering, request, route, response);
		break;
	case ROUTE_REFRESH:
	case ROUTE_SCENARIO:
	case ROUTE_SILENCE:
	case ROUTE_SILENCE_END:
		answer_action(serve, request, route, response);
		break;
	case ROUTE_NOT_FOUND:
	case ROUTE_METHOD:
		refuse_status(&serve->answering, route->kind == ROUTE_METHOD ? 405 : 404,
			      route->json, NULL, response);
		response->allow = route->allow;
		break;
	default:
		health_answer(&serve->answering.sources, route->kind, &serve->answering.body,
			      response);
		answer_pack(&serve->answering, request, response);
	}
}

/* The stored entry for a request without parameters; false: there is none. */
static bool find_lookup(const struct request *request, struct cache_lookup *lookup)
{
	struct route route =
		route_find(request->method, (struct span){request->path, request->path_len});

	if (route.kind != ROUTE_PAGE || !route.page->stored || request->query_len)
		return false;
	*lookup = (struct cache_lookup){route.page->name, request->gzip};
	return true;
}

/* Simultaneous requests are mostly for the same pages. */
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

	for (size_t i = 0; i < count; i++) {
		struct cache_lookup lookup;

		if (!find_lookup(requests[i], &lookup))
			continue;
		readers++;
		if (is_new(lookups, n, &lookup))
			lookups[n++] = lookup;
	}
	if (readers > 1)
		cache_prefetch(serve->answering.sources.cache, CACHE_FLEET, lookups, n);
}

/* While nginx may show a copy in place of an error, it would also show it in place of a 404. So the
 * request is repeated in a location without copies. */
static bool is_withdrawn(const struct request *request, const struct response *response)
{
	return response->status == 404 && request->l1;
}

/* An address that is switched off is like one that does not exist. */
static struct route find_route(const struct serve *serve, const struct request *request)
{
	struct span path = {request->path, request->path_len};
	struct route route = route_find(request->method, path);

	if (route.page || serve->answering.config->settings->fleet_metrics ||
	    route_find(METHOD_GET, path).kind != ROUTE_FLEET_METRICS)
		return route;
	return (struct route){.kind = ROUTE_NOT_FOUND};
}

void serve_request(struct serve *serve, const struct request *request, struct response *response)
{
	const char *hosts = serve->answering.config->settings->hosts;
	struct route route = find_route(serve, request);

	/* A server name is one path segment, whatever it contains. */
	serve->answering.path = route.page ? span_str(route.page->path)
					   : (struct span){request->path, request->path_len};
	if (request_is_ours(request, hosts))
		answer_route(serve, request, &route, response);
	else
		refuse_status(&serve->answering, 421, wants_json(request), NULL, response);
	if (*hosts)
		keep_from_l1(response);
	if (is_withdrawn(request, response)) {
		response_init(response, 200);
		response->retry_location = "@tft_without_copy";
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
	const struct due_work *due_work = &serve->answering.sources.due_work;

	return due_work->claimed || due_work->upstream_status || due_work->local ||
	       due_work->repeat_alerts || due_work->alone;
}

/* A refresh sends them itself. */
static void send_alerts(struct sources *sources)
{
	const struct due_work *due_work = &sources->due_work;
	const struct alerting *alerting = sources->config->refresh->alerting;

	if (due_work->claimed)
		return;
	if (due_work->repeat_alerts)
		alerts_repeat(alerting);
	if (due_work->alone && local_take_alerts(sources->local))
		alerts_alone(alerting, local_snapshot(sources->local), due_work->alone,
			     due_work->alone_ms);
}

void serve_after(struct serve *serve)
{
	const struct refresh *refresh = serve->answering.config->refresh;
	struct upstream_status upstream_status;

	cache_prefetch_end(refresh->cache);
	if (serve->answering.sources.due_work.claimed)
		refresh_fleet(refresh, &serve->answering.sources.due_work.claim);
	else if (serve->answering.sources.due_work.upstream_status)
		upstream_status_renew(refresh->cache, refresh->upstream,
				      refresh->scenario_configured, &upstream_status);
	if (!serve->answering.sources.due_work.claimed && serve->answering.sources.due_work.local)
		local_refresh(serve->answering.sources.local, refresh->upstream);
	send_alerts(&serve->answering.sources);
	serve->answering.sources.due_work = (struct due_work){0};
	if (!serve->answering.sources.down_since_ms)
		cache_catch_up(refresh->cache);
	cache_heal(refresh->cache);
	context_keep(&serve->answering.sources);
	metrics_flush(refresh->metrics, refresh->cache);
}

/* --- idle tick --- */

void serve_tick(struct serve *serve)
{
	struct context context = {0};

	if (clock_mono_ms() < serve->tick_ms)
		return;
	context_read(&serve->answering.sources, &context, NULL, false);
	context_claim(&serve->answering.sources, &context);
	context_want_upstream_status(&serve->answering.sources, &context);
	/* While Redis is down, only requests make a worker fetch on its own. */
	serve->answering.sources.due_work.local = false;
}

/* -1: never. */
static int64_t ms_to_tick(const struct serve *serve)
{
	const struct cache *cache = serve->answering.sources.cache;
	int64_t ms = cache_ms_to(cache, cache_interval_ms(cache, CACHE_FLEET)),
		status = cache_ms_to(cache, IDLE_STATUS_MS);

	if (!serve->answering.config->idle_tick)
		return -1;
	/* Redis' clock was never read, or a failure is not recorded: check again in a second. */
	if (ms < 0 || cache_is_behind(cache))
		return TICK_AGAIN_MS;
	return (status < ms ? status : ms) + serve->tick_jitter_ms;
}

int64_t serve_next_tick_ms(struct serve *serve)
{
	const struct metrics *metrics = serve->answering.config->refresh->metrics;
	int64_t tick = ms_to_tick(serve);
	int64_t counts = serve->answering.sources.down_since_ms ? -1 : metrics_flush_in(metrics);

	serve->tick_ms = tick < 0 ? INT64_MAX : clock_mono_ms() + tick;
	return counts >= 0 && (tick < 0 || counts < tick) ? counts : tick;
}
