/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "action.h"
#include "api.h"
#include "archive.h"
#include "build_id.h"
#include "clock.h"
#include "gzip.h"
#include "json.h"
#include "log.h"
#include "supply.h"
#include "metrics.h"
#include "text.h"
#include "vitals.h"

#define BODY_MAX       (32u * 1024 * 1024)
#define GRACE_MS       3000 /* Redis away for less: nginx shows its copies, nobody fetches alone yet */
#define LIVE_AGE_MAX_S 5
#define TICK_SPREAD_MS 200
#define GZIP_MIN       1024
#define GZIP_LEVEL     4 /* for what is rendered on request; stored pages are packed tighter */

struct serve {
	const struct serve_config *config;
	struct cache *cache;
	struct local *local;
	struct buf body, packed; /* of the current answer */
	char filename[64];       /* the same */
	struct claim claim;      /* of the fleet, won by the current request */
	struct span path; /* of the current request: where the links of an error page lead from */
	bool claimed, local_due;
	bool vitals_stale[CACHE_GROUPS];
	int64_t down_since_ms; /* monotonic; 0: Redis is up */
	int64_t tick_jitter_ms;
};

/* What is known when an answer is made: from the shared cache, or from this worker's own snapshot.
 */
struct scene {
	const struct request *request;
	const struct page *page;
	struct query query;
	struct cache_read read;
	struct condition condition;
	struct vitals vitals;
	struct snapshot *decoded; /* owned */
	struct history history;   /* owned */
	bool has_history;
	const struct diagnosis *diagnosis; /* PAGE_DIAGNOSIS */
	const struct snapshot *snap;       /* decoded, or the local one */
	struct span name;                  /* PAGE_SERVER: as the path has it */
	const struct server *server;       /* of that name */
	enum claim_result claim;
	int64_t now_ms; /* the clock that gen belongs to */
	int64_t redis_us, render_us;
};

struct serve *serve_new(const struct serve_config *config, struct local *local)
{
	struct serve *serve = calloc(1, sizeof(*serve));

	if (!serve)
		return NULL;
	serve->config = config;
	serve->cache = config->refresh->cache;
	serve->local = local;
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

static void put_error(struct serve *serve, const struct http_error *error, bool json,
		      const char *hint, struct response *response)
{
	buf_reset(&serve->body);
	page_error(error, hint, json ? MEDIA_JSON : MEDIA_HTML, serve->path, &serve->body);
	response_init(response, error->status);
	response->type = json ? "application/problem+json" : NULL;
	response->body = buf_span(&serve->body);
	response->max_age_s = RESPONSE_NO_STORE;
	response->retry_after_s = error->status == 503 ? 1 : 0;
}

static void answer_error(struct serve *serve, int status, bool json, const char *hint,
			 struct response *response)
{
	put_error(serve, find_error(status), json, hint, response);
}

/* The name is not repeated: anybody can put anything into an address. */
static void answer_no_server(struct serve *serve, bool json, struct response *response)
{
	static const struct http_error error = {404, "Not found",
						"No such server in the current snapshot."};

	put_error(serve, &error, json, NULL, response);
}

void serve_refusal(struct serve *serve, enum request_result why, struct response *response)
{
	serve->path = (struct span){NULL, 0};
	answer_error(serve,
		     why == REQUEST_TOO_LONG    ? 414
		     : why == REQUEST_TOO_LARGE ? 413
						: 400,
		     false, NULL, response);
}

/* --- the state of things --- */

static void judge_condition(const struct serve *serve, struct scene *scene, int64_t gen_ms,
			    int64_t fill_ms)
{
	struct age_limits limits = {
		.interval_ms = serve->config->limits->group[CACHE_FLEET].interval_ms,
		.act_limit_ms = serve->config->act_limit_ms,
		.max_stale_ms = serve->config->limits->max_stale_ms,
	};

	scene->condition.age = condition_age(&limits, scene->now_ms - gen_ms, fill_ms);
}

static void from_cache(const struct serve *serve, struct scene *scene)
{
	const struct cache_state *state = &scene->read.state;

	scene->now_ms = state->now_ms;
	scene->condition = (struct condition){.reason = state->reason,
					      .since_ms = state->since_ms,
					      .next_try_ms = state->next_try_ms,
					      .flushed = state->flushed};
	if (state->verdict == CACHE_COLD)
		scene->condition.age = AGE_NO_DATA;
	else
		judge_condition(serve, scene, state->gen_ms, state->fill_ms);
}

/* Redis is away: this worker's own snapshot, if it has one that may still be shown. */
static void from_local(struct serve *serve, struct scene *scene)
{
	scene->now_ms = clock_wall_ms();
	scene->snap = local_snapshot(serve->local);
	local_condition(serve->local, &scene->condition);
	if (scene->snap)
		judge_condition(serve, scene, scene->snap->gen_ms, scene->snap->fill_ms);
	else
		scene->condition.age = AGE_NO_DATA;
	if (scene->condition.age == AGE_NO_DATA)
		scene->snap = NULL;
}

static bool in_grace(const struct serve *serve)
{
	return clock_mono_ms() - serve->down_since_ms < GRACE_MS;
}

/* Keeps account of how long Redis has been away, and of what this worker does about it after the
 * request. */
static void note_redis(struct serve *serve, enum cache_verdict verdict)
{
	if (verdict != CACHE_DOWN) {
		/* A Redis that came back empty has nothing better yet. */
		if (verdict != CACHE_COLD)
			local_drop(serve->local);
		serve->down_since_ms = 0;
		return;
	}
	if (!serve->down_since_ms)
		serve->down_since_ms = clock_mono_ms();
	serve->local_due = !in_grace(serve) && local_due(serve->local);
}

static void look(struct serve *serve, struct scene *scene, const char *route, bool gzip)
{
	int64_t began = clock_mono_us();
	enum cache_verdict verdict =
		cache_read(serve->cache, CACHE_FLEET, route, gzip, &scene->read);

	metrics_verdict(serve->config->refresh->metrics, verdict);
	note_redis(serve, verdict);
	if (verdict == CACHE_DOWN || (verdict == CACHE_COLD && local_snapshot(serve->local)))
		from_local(serve, scene);
	else
		from_cache(serve, scene);
	scene->redis_us = clock_mono_us() - began;
}

/* A stale or cold reader tries to become the one who refreshes; it never waits for another one. */
static void claim_if_stale(struct serve *serve, struct scene *scene)
{
	enum cache_verdict verdict = scene->read.state.verdict;

	scene->claim = CLAIM_FRESH;
	if (verdict != CACHE_STALE && verdict != CACHE_COLD)
		return;
	scene->claim = cache_claim(serve->cache, CACHE_FLEET, &serve->claim);
	serve->claimed = scene->claim == CLAIM_WON;
}

/* --- headers --- */

static const char *stale_detail(const struct scene *scene)
{
	static const char *const details[] = {
		[CLAIM_WON] = "REFRESH", [CLAIM_FRESH] = "BUSY",    [CLAIM_BUSY] = "BUSY",
		[CLAIM_OPEN] = "OPEN",   [CLAIM_BUDGET] = "BUDGET", [CLAIM_DOWN] = "BUSY",
	};

	return scene->read.state.flushed && scene->claim != CLAIM_WON ? "FLUSHED"
								      : details[scene->claim];
}

/* Whole seconds until the bucket of the data ends; negative afterwards (RFC 9211 ttl). */
static int64_t ttl_s(const struct serve *serve, const struct scene *scene)
{
	int64_t interval = serve->config->limits->group[CACHE_FLEET].interval_ms;
	int64_t bucket =
		scene->condition.cache_off ? scene->snap->bucket : scene->read.state.data_bucket;
	int64_t left = (bucket + 1) * interval - scene->now_ms;

	return left >= 0 ? left / 1000 : -((-left + 999) / 1000);
}

static void put_cache_status(const struct serve *serve, const struct scene *scene,
			     struct response *response)
{
	char *out = response->cache_status;
	size_t size = sizeof(response->cache_status);
	enum cache_verdict verdict = scene->read.state.verdict;

	if (scene->condition.age == AGE_NO_DATA)
		(void)snprintf(out, size, "tft-redis; fwd=miss; detail=WARMING");
	else if (scene->condition.cache_off)
		(void)snprintf(out, size, "tft-local; hit; ttl=%lld",
			       (long long)ttl_s(serve, scene));
	else if (verdict == CACHE_FRESH)
		(void)snprintf(out, size, "tft-redis; hit; ttl=%lld; key=\"%s\"",
			       (long long)ttl_s(serve, scene), scene->page->name);
	else
		(void)snprintf(out, size, "tft-redis; hit; ttl=%lld; detail=%s",
			       (long long)ttl_s(serve, scene), stale_detail(scene));
}

static void put_lifetime(const struct serve *serve, const struct scene *scene,
			 struct response *response)
{
	bool live = scene->condition.age == AGE_LIVE && condition_is_plain(&scene->condition);
	int64_t left = live ? ttl_s(serve, scene) : 0;

	response->max_age_s = left <= 0 ? 0 : left < LIVE_AGE_MAX_S ? (int)left : LIVE_AGE_MAX_S;
	response->revalidate_ok = live && scene->page->media != MEDIA_HTML;
	response->interval_s = serve->config->limits->group[CACHE_FLEET].interval_ms / 1000;
	response->l1 = true;
}

static void put_headers(const struct serve *serve, const struct scene *scene,
			struct response *response)
{
	const struct cache_state *state = &scene->read.state;
	bool own = scene->condition.cache_off;

	put_cache_status(serve, scene, response);
	response->type = page_type(scene->page->media);
	response->redis_us = scene->redis_us;
	response->render_us = scene->render_us;
	if (scene->condition.age == AGE_NO_DATA) {
		response->max_age_s = RESPONSE_NO_STORE;
		return;
	}
	response->bucket = own ? scene->snap->bucket : state->data_bucket;
	response->gen_ms = own ? scene->snap->gen_ms : state->gen_ms;
	response->age_ms = scene->now_ms - response->gen_ms;
	put_lifetime(serve, scene, response);
}

/* tft_history_20261123_120000.csv; the time is that of the data. The row of a CSV form is named
 * like its page, with -csv. */
static void put_filename(struct serve *serve, const struct scene *scene, struct response *response)
{
	time_t seconds = response->gen_ms / 1000;
	const char *name = scene->page->name;
	char stamp[32];
	struct tm tm;

	if (scene->page->media != MEDIA_CSV)
		return;
	gmtime_r(&seconds, &tm);
	(void)strftime(stamp, sizeof(stamp), "%Y%m%d_%H%M%S", &tm);
	(void)snprintf(serve->filename, sizeof(serve->filename), "tft_%.*s_%s.csv",
		       (int)strcspn(name, "-"), name, stamp);
	response->filename = serve->filename;
}

/* --- bodies --- */

static void put_etag(struct response *response, struct span body)
{
	char hex[HASH_HEX];

	hash_hex(hash_xxh64(body), hex);
	(void)snprintf(response->etag, sizeof(response->etag), "W/\"%s\"", hex);
}

/* The stored page as it is: the way of nearly every request. */
static void answer_stored(struct serve *serve, const struct scene *scene, struct response *response)
{
	const struct cache_entry *entry = &scene->read.entry;

	response_init(response, 200);
	response->body = entry->body;
	response->gzip = entry->gzip;
	(void)snprintf(response->etag, sizeof(response->etag), "W/\"%s\"", entry->etag);
	put_headers(serve, scene, response);
}

/* false: it could not be made, and the answer says so. */
static bool render(struct serve *serve, struct scene *scene, struct response *response)
{
	struct view view = {
		.site = serve->config->refresh->site,
		.snap = scene->snap,
		.condition = &scene->condition,
		.query = &scene->query,
		.server = scene->server,
		.warmup = scene->snap ? &scene->snap->warmup : &scene->vitals.warmup,
		.last_gen_ms = scene->read.state.data_bucket >= 0 ? scene->read.state.gen_ms : 0,
		.history = scene->has_history ? &scene->history : NULL,
		.diagnosis = scene->diagnosis,
	};
	int64_t began = clock_mono_us();

	buf_reset(&serve->body);
	page_render(scene->page, &view, &serve->body);
	scene->render_us = clock_mono_us() - began;
	if (buf_ok(&serve->body))
		return true;
	log_event(LOG_LEVEL_ERROR, "render_failed", LOG_STR("page", scene->page->name));
	answer_error(serve, 500, scene->page->media == MEDIA_JSON, NULL, response);
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
static int status_without_data(const struct scene *scene)
{
	return scene->condition.reason == REASON_WARMING ? 200 : 503;
}

static void answer_rendered(struct serve *serve, struct scene *scene, struct response *response)
{
	if (!render(serve, scene, response))
		return;
	response_init(response, scene->snap ? 200 : status_without_data(scene));
	response->retry_after_s = response->status == 503 ? 1 : 0;
	if (scene->snap)
		put_etag(response, buf_span(&serve->body));
	put_headers(serve, scene, response);
	put_filename(serve, scene, response);
	pack(serve, scene->request, response);
}

/* The compact snapshot that the pointer of this scene names. Without it the data count as gone: a
 * page is never shown without its age. */
static void load_snapshot(struct serve *serve, struct scene *scene)
{
	struct cache_entry entry;

	if (scene->read.state.verdict == CACHE_DOWN || scene->condition.cache_off ||
	    scene->condition.age == AGE_NO_DATA)
		return;
	if (cache_read_more(serve->cache, &scene->read.state, "fleet", false, &entry) == 0)
		scene->decoded = snapshot_decode(entry.body);
	scene->snap = scene->decoded;
	if (!scene->snap)
		scene->condition.age = AGE_NO_DATA;
}

/* The server that the page is about, and forecasts where the page shows some. false: there is no
 * such server. */
static bool load_server(struct serve *serve, struct scene *scene)
{
	const struct cache_state *state = &scene->read.state;
	unsigned needs = scene->snap ? scene->page->needs : 0;

	if ((needs & PAGE_TOP_SERIES) && scene->decoded)
		supply_top(serve->cache, state, scene->decoded, &scene->query);
	if (!(needs & PAGE_SERVER))
		return true;
	scene->server = snapshot_find(scene->snap, scene->name);
	if (scene->server && scene->decoded)
		supply_server(serve->cache, state,
			      &scene->decoded->servers[scene->server - scene->snap->servers]);
	return scene->server;
}

/* Without the shared cache there is none, and the page says so. */
static void load_history(struct serve *serve, struct scene *scene)
{
	int64_t began = clock_mono_us();
	int rc;

	if (!scene->snap || !(scene->page->needs & PAGE_HISTORY) ||
	    scene->read.state.verdict == CACHE_DOWN)
		return;
	if (scene->server)
		rc = archive_server(serve->cache, scene->snap, scene->name, &scene->history);
	else
		rc = archive_fleet(serve->cache, scene->snap, scene->query.range, &scene->history);
	scene->has_history = rc == 0;
	scene->redis_us += clock_mono_us() - began;
}

/* Warm-up and scenario for a page that has no snapshot to take them from. */
static void load_vitals(struct serve *serve, struct scene *scene)
{
	bool configured = serve->config->refresh->scenario_configured;

	if (scene->read.state.verdict == CACHE_DOWN)
		scene->vitals.scenario.configured = configured;
	else
		vitals_read(serve->cache, configured, &scene->vitals, serve->vitals_stale);
}

/* --- pages --- */

/* What is read must not be lost to the claim's reply: the entry is copied before. */
static void keep_entry(struct serve *serve, struct scene *scene)
{
	struct cache_entry *entry = &scene->read.entry;

	if (!scene->read.found)
		return;
	buf_reset(&serve->packed);
	buf_span_add(&serve->packed, entry->body);
	scene->read.found = buf_ok(&serve->packed);
	entry->body = buf_span(&serve->packed);
}

static void answer_scene(struct serve *serve, struct scene *scene, struct response *response)
{
	if (scene->read.state.verdict == CACHE_STALE)
		keep_entry(serve, scene);
	claim_if_stale(serve, scene);
	if (scene->read.found && condition_is_plain(&scene->condition)) {
		answer_stored(serve, scene, response);
		return;
	}
	load_snapshot(serve, scene);
	if (!load_server(serve, scene)) {
		answer_no_server(serve, scene->page->media == MEDIA_JSON, response);
		return;
	}
	load_history(serve, scene);
	if (!scene->snap)
		load_vitals(serve, scene);
	answer_rendered(serve, scene, response);
}

static void diagnose(struct serve *serve, const struct scene *scene, struct diagnosis *diagnosis)
{
	int64_t interval = serve->config->limits->group[CACHE_FLEET].interval_ms;

	(void)cache_diagnose(serve->cache, CACHE_FLEET, diagnosis);
	metrics_diagnose(serve->config->refresh->metrics, serve->cache, diagnosis);
	diagnosis->next_bucket_ms = (scene->now_ms / interval + 1) * interval;
	if (scene->read.state.verdict == CACHE_DOWN)
		return;
	diagnosis->bucket = scene->read.state.bucket;
	diagnosis->data_bucket = scene->read.state.data_bucket;
}

/* The page that depends on who asks: made anew every time, without data too, and kept by nobody. */
static void answer_advanced(struct serve *serve, struct scene *scene, struct response *response)
{
	const struct settings *settings = serve->config->settings;
	struct diagnosis_setting rows[SETTINGS_MAX];
	struct diagnosis diagnosis;

	claim_if_stale(serve, scene);
	load_snapshot(serve, scene);
	load_vitals(serve, scene);
	diagnose(serve, scene, &diagnosis);
	diagnosis.node = settings->node;
	diagnosis.role = action_role(settings, scene->request);
	diagnosis.user = scene->request->remote_user;
	diagnosis.scenario = &scene->vitals.scenario;
	if (scene->vitals.scenario_reason != REASON_NONE)
		diagnosis.scenario_fault = reason_table[scene->vitals.scenario_reason].text;
	diagnosis.settings = rows;
	diagnosis.setting_count = settings_describe(settings, rows);
	scene->diagnosis = &diagnosis;
	/* A notice is of this one answer: no link of the page repeats it. */
	scene->query.given &= ~QUERY_BIT(QUERY_NOTICE);
	if (!render(serve, scene, response))
		return;
	response_init(response, 200);
	put_cache_status(serve, scene, response);
	response->redis_us = scene->redis_us;
	response->render_us = scene->render_us;
	pack(serve, scene->request, response);
}

static void answer_page(struct serve *serve, const struct request *request, const struct page *page,
			struct response *response)
{
	struct scene scene = {.request = request, .page = page, .redis_us = -1, .render_us = -1};
	struct span raw = {request->query, request->query_len};
	enum query_key bad;
	bool stored;

	if (page->needs & PAGE_SERVER)
		scene.name = span_str(request->path + strlen(page->path));
	query_init(&scene.query);
	if (query_parse(&scene.query, raw, page->params, &bad) != 0) {
		answer_error(serve, 400, page->media == MEDIA_JSON, query_key_values(bad),
			     response);
		return;
	}
	if (scene.query.format == FORMAT_JSON && page->json)
		scene.page = page_find_name(page->json);
	else if (scene.query.format == FORMAT_CSV && page->csv)
		scene.page = page_find_name(page->csv);
	stored = scene.page->stored && (scene.query.given & ~QUERY_BIT(QUERY_FORMAT)) == 0;
	look(serve, &scene, stored ? scene.page->name : NULL, request->gzip);
	if (scene.page->needs & PAGE_DIAGNOSIS)
		answer_advanced(serve, &scene, response);
	else if (scene.read.state.verdict == CACHE_DOWN && in_grace(serve) &&
		 !scene.page->standalone)
		answer_error(serve, 503, scene.page->media == MEDIA_JSON, NULL, response);
	else
		answer_scene(serve, &scene, response);
	history_free(&scene.history);
	snapshot_free(&scene.decoded);
}

/* --- status and health --- */

static void answer_json(struct serve *serve, int status, struct response *response)
{
	response_init(response, status);
	response->type = "application/json";
	response->body = buf_span(&serve->body);
	response->max_age_s = RESPONSE_NO_STORE;
}

static void answer_status(struct serve *serve, const struct request *request,
			  const struct page *page, struct response *response)
{
	struct scene scene = {.request = request};
	struct diagnosis diagnosis;
	struct api_status status;

	(void)page;
	look(serve, &scene, NULL, false);
	load_snapshot(serve, &scene);
	load_vitals(serve, &scene);
	diagnose(serve, &scene, &diagnosis);
	status = (struct api_status){
		.site = serve->config->refresh->site,
		.snap = scene.snap,
		.condition = &scene.condition,
		.warmup = &scene.vitals.warmup,
		.scenario = &scene.vitals.scenario,
		.diagnosis = &diagnosis,
		.redis_up = scene.read.state.verdict != CACHE_DOWN,
		.bucket = scene.now_ms / serve->config->limits->group[CACHE_FLEET].interval_ms,
	};
	buf_reset(&serve->body);
	api_status(&status, &serve->body);
	answer_json(serve, 200, response);
	put_etag(response, response->body);
	response->max_age_s = 0;
	response->l1 = true;
	snapshot_free(&scene.decoded);
}

/* A text of the program: the same in every state, and until another build. */
static void answer_openapi(struct serve *serve, const struct request *request,
			   const struct page *page, struct response *response)
{
	(void)page;
	buf_reset(&serve->body);
	buf_lit(&serve->body, TEXT_OPENAPI);
	answer_json(serve, 200, response);
	put_etag(response, response->body);
	response->max_age_s = 0;
	response->l1 = true;
	pack(serve, request, response);
}

static void answer_healthz(struct serve *serve, const struct request *request,
			   const struct page *page, struct response *response)
{
	(void)request;
	(void)page;
	buf_reset(&serve->body);
	buf_lit(&serve->body, "{\"status\":\"pass\"}");
	answer_json(serve, 200, response);
}

/* Ready: there are data that one may act on, wherever they come from. */
static void answer_readyz(struct serve *serve, const struct request *request,
			  const struct page *page, struct response *response)
{
	struct scene scene = {.request = request};
	bool up, recent;
	struct json j;

	(void)page;
	look(serve, &scene, NULL, false);
	up = scene.read.state.verdict != CACHE_DOWN;
	recent = scene.condition.age < AGE_VERY_STALE;
	buf_reset(&serve->body);
	json_init(&j, &serve->body);
	json_object(&j, NULL);
	json_cstr(&j, "status", recent ? up ? "pass" : "warn" : "fail");
	json_object(&j, "checks");
	json_cstr(&j, "redis", up ? "pass" : "warn");
	json_cstr(&j, "data", recent ? "pass" : "fail");
	json_end(&j);
	json_end(&j);
	answer_json(serve, recent ? 200 : 503, response);
}

static void put_gauge(struct buf *out, const char *name, const char *help, int64_t value)
{
	buf_addf(out,
		 "# HELP tft_dashboard_%s %s\n# TYPE tft_dashboard_%s gauge\ntft_dashboard_%s "
		 "%lld\n",
		 name, help, name, name, (long long)value);
}

static void put_gauges(const struct scene *scene, const struct diagnosis *diagnosis,
		       struct buf *out)
{
	const struct cache_state *state = &scene->read.state;

	buf_lit(out, "# HELP tft_dashboard_build_info Version and build id.\n"
		     "# TYPE tft_dashboard_build_info gauge\n"
		     "tft_dashboard_build_info{version=\"" PACKAGE_VERSION "\",build=\"" BUILD_ID
		     "\"} 1\n");
	put_gauge(out, "redis_up", "1 if Redis answers.", state->verdict != CACHE_DOWN);
	put_gauge(out, "upstream_up", "1 if the last predictions call gave data.",
		  scene->condition.reason == REASON_NONE);
	put_gauge(out, "upstream_budget_left",
		  "Predictions calls that the current minute still has, over all hosts.",
		  diagnosis->budget_left);
	if (scene->condition.age != AGE_NO_DATA)
		put_gauge(out, "snapshot_age_seconds", "Age of the data shown.",
			  (scene->now_ms - state->gen_ms) / 1000);
}

static void answer_metrics(struct serve *serve, const struct request *request,
			   const struct page *page, struct response *response)
{
	struct scene scene = {.request = request};
	struct diagnosis diagnosis;
	struct buf gauges;

	(void)page;
	buf_init(&gauges, 16384);
	look(serve, &scene, NULL, false);
	diagnose(serve, &scene, &diagnosis);
	put_gauges(&scene, &diagnosis, &gauges);
	buf_reset(&serve->body);
	metrics_print(serve->config->refresh->metrics, serve->cache, buf_span(&gauges),
		      &serve->body);
	buf_free(&gauges);
	answer_json(serve, 200, response);
	response->type = "text/plain; version=0.0.4; charset=utf-8";
}

/* --- actions --- */

/* A form goes on to the page that tells what came of it, so that a reload repeats nothing. */
static void see_notice(enum notice notice, struct response *response)
{
	response_init(response, 303);
	(void)snprintf(response->location, sizeof(response->location), "advanced?notice=%s",
		       query_notice_name(notice));
}

static void act(struct serve *serve, const struct request *request, enum action action,
		struct response *response)
{
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
		answer_json(serve, answer.status, response);
	} else {
		see_notice(answer.notice, response);
	}
}

static void answer_refresh(struct serve *serve, const struct request *request,
			   const struct page *page, struct response *response)
{
	(void)page;
	act(serve, request, ACTION_REFRESH, response);
}

static void answer_scenario(struct serve *serve, const struct request *request,
			    const struct page *page, struct response *response)
{
	(void)page;
	act(serve, request, ACTION_SCENARIO, response);
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

typedef void (*answer)(struct serve *, const struct request *, const struct page *,
		       struct response *);

void serve_request(struct serve *serve, const struct request *request, struct response *response)
{
	static const answer answers[] = {
		[ROUTE_PAGE] = answer_page,       [ROUTE_STATUS] = answer_status,
		[ROUTE_OPENAPI] = answer_openapi, [ROUTE_HEALTHZ] = answer_healthz,
		[ROUTE_READYZ] = answer_readyz,   [ROUTE_METRICS] = answer_metrics,
		[ROUTE_REFRESH] = answer_refresh, [ROUTE_SCENARIO] = answer_scenario,
	};
	struct route route =
		route_find(request->method, (struct span){request->path, request->path_len});
	int64_t began = clock_mono_us();

	/* A name of a server is one step of an address, whatever it holds. */
	serve->path = route.page ? span_str(route.page->path)
				 : (struct span){request->path, request->path_len};
	serve->claimed = serve->local_due = false;
	memset(serve->vitals_stale, 0, sizeof(serve->vitals_stale));
	if (route.kind == ROUTE_NOT_FOUND || route.kind == ROUTE_METHOD) {
		answer_error(serve, route.kind == ROUTE_METHOD ? 405 : 404, route.json, NULL,
			     response);
		response->allow = route.allow;
	} else {
		answers[route.kind](serve, request, route.page, response);
	}
	if (response->status == 200 &&
	    response_not_modified(request->if_none_match, response->etag)) {
		response->status = 304;
		response->body = (struct span){NULL, 0};
	}
	response->service_desc = service_desc(&route);
	count(serve, &route, response->status, clock_mono_us() - began);
}

static bool any(const bool flags[CACHE_GROUPS])
{
	return flags[CACHE_STATUS] || flags[CACHE_SCENARIO];
}

void serve_after(struct serve *serve)
{
	const struct refresh *refresh = serve->config->refresh;
	struct vitals vitals = {0};

	if (serve->claimed)
		refresh_fleet(refresh, &serve->claim);
	else if (any(serve->vitals_stale))
		vitals_refresh(refresh->cache, refresh->upstream, serve->vitals_stale, &vitals);
	else if (serve->local_due)
		local_refresh(serve->local, refresh->upstream);
	serve->claimed = serve->local_due = false;
	memset(serve->vitals_stale, 0, sizeof(serve->vitals_stale));
	metrics_flush(refresh->metrics, refresh->cache);
}

/* --- idle tick --- */

void serve_tick(struct serve *serve)
{
	struct scene scene = {0};

	look(serve, &scene, NULL, false);
	claim_if_stale(serve, &scene);
	/* While Redis is away only requests make a worker fetch on its own. */
	serve->local_due = false;
	serve_after(serve);
}

int64_t serve_tick_in(struct serve *serve)
{
	int64_t ms = serve->config->idle_tick ? cache_ms_to_bucket(serve->cache, CACHE_FLEET) : -1;

	if (!serve->config->idle_tick)
		return -1;
	/* Never seen Redis' clock: look again in a second. */
	return ms < 0 ? 1000 : ms + serve->tick_jitter_ms;
}
