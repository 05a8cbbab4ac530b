/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "server/health.h"

#include <stdlib.h>

#include "pages/api.h"
#include "build_id.h"
#include "base/json.h"
#include "cache/accuracy.h"
#include "cache/metrics.h"
#include "pages/fleet_metrics.h"
#include "text.h"

#define DAY_MS INT64_C(86400000)

static bool redis_answers(const struct sources *sources, const struct context *context)
{
	return context->read.state.verdict != CACHE_DOWN || cache_is_foreign(sources->cache);
}

static void put_status(struct sources *sources, struct buf *body, struct response *response)
{
	struct context context = {0};
	struct diagnosis diagnosis;
	struct api_status status;

	context_read(sources, &context, NULL, false);
	/* A request to these addresses alone does not trigger a refresh. */
	context.claim = CLAIM_FRESH;
	context_want_upstream_status(sources, &context);
	context_load_snapshot(sources, &context);
	context_load_upstream_status(sources, &context);
	context_diagnose(sources, &context, &diagnosis);
	status = (struct api_status){
		.site = sources->config->refresh->site,
		.snap = context.snap,
		.condition = &context.condition,
		.warmup = &context.upstream_status.warmup,
		.scenario = &context.upstream_status.scenario,
		.diagnosis = &diagnosis,
		.redis_up = redis_answers(sources, &context),
		.bucket = context.now_ms / sources->config->limits->group[CACHE_FLEET].interval_ms,
	};
	api_status(&status, body);
	response_json(response, 200, buf_span(body));
	response_etag(response, response->body);
	response->max_age_s = 0;
	response->l1 = true;
	context_free(&context);
}

/* A constant text: it changes only with the build. */
static void put_openapi(struct sources *sources, struct buf *body, struct response *response)
{
	(void)sources;
	buf_lit(body, TEXT_OPENAPI);
	response_json(response, 200, buf_span(body));
	response_etag(response, response->body);
	response->max_age_s = 0;
	response->stale_ok_s = 3600;
	response->l1 = true;
}

static void put_healthz(struct sources *sources, struct buf *body, struct response *response)
{
	(void)sources;
	buf_lit(body, "{\"status\":\"pass\"}");
	response_json(response, 200, buf_span(body));
}

/* Ready: there are data to act on, whatever their source. */
static void put_readyz(struct sources *sources, struct buf *body, struct response *response)
{
	struct context context = {0};
	const char *refuses;
	bool up, recent;
	struct json j;

	context_read(sources, &context, NULL, false);
	refuses = context.condition.cache_refuses;
	up = redis_answers(sources, &context) && !refuses;
	recent = context.condition.age < AGE_VERY_STALE;
	json_init(&j, body);
	json_object(&j, NULL);
	json_cstr(&j, "status", recent ? up ? "pass" : "warn" : "fail");
	json_object(&j, "checks");
	json_cstr(&j, "redis", up ? "pass" : "warn");
	json_cstr(&j, "data", recent ? "pass" : "fail");
	json_end(&j);
	if (refuses)
		json_cstr(&j, "output", refuses);
	json_end(&j);
	response_json(response, recent ? 200 : 503, buf_span(body));
}

static void put_gauge(struct buf *out, const char *name, const char *help, int64_t value)
{
	buf_addf(out,
		 "# HELP tft_dashboard_%s %s\n# TYPE tft_dashboard_%s gauge\ntft_dashboard_%s "
		 "%lld\n",
		 name, help, name, name, (long long)value);
}

static void put_gauges(const struct sources *sources, const struct context *context,
		       const struct diagnosis *diagnosis, struct buf *out)
{
	const struct cache_state *state = &context->read.state;

	buf_lit(out, "# HELP tft_dashboard_build_info Version and build id.\n"
		     "# TYPE tft_dashboard_build_info gauge\n"
		     "tft_dashboard_build_info{version=\"" PACKAGE_VERSION "\",build=\"" BUILD_ID
		     "\"} 1\n");
	put_gauge(out, "redis_up", "1 if Redis answers.", redis_answers(sources, context));
	put_gauge(out, "redis_writable", "1 if Redis answers and takes what a refresh stores.",
		  state->verdict != CACHE_DOWN && !context->condition.cache_refuses);
	put_gauge(out, "upstream_up", "1 if the last predictions call gave data.",
		  context->condition.reason == REASON_NONE);
	if (diagnosis->budget_left >= 0)
		put_gauge(out, "upstream_budget_left",
			  "Predictions calls that the current minute still has, over all hosts.",
			  diagnosis->budget_left);
	if (context->condition.age != AGE_NO_DATA)
		put_gauge(out, "snapshot_age_seconds", "Age of the data shown.",
			  (context->now_ms - context_gen_ms(context)) / 1000);
}

/* The shared data, not the copy that a worker may have while Redis is down. */
static void put_snapshot_bytes(struct cache *cache, const struct cache_state *state,
			       struct buf *out)
{
	struct cache_entry entry;

	if (state->data_bucket >= 0 && cache_read_more(cache, state, "fleet", false, &entry) == 0)
		put_gauge(out, "snapshot_bytes", "Size of the snapshot in Redis.",
			  (int64_t)entry.body.len);
}

/* Of the day before the data shown, as on pages; nothing where there are none. */
static void put_forecasts(struct cache *cache, const struct cache_state *state, struct buf *out)
{
	int64_t to_ms = state->data_bucket * cache_interval_ms(cache, CACHE_FLEET);
	struct accuracy *accuracy = state->data_bucket >= 0 ? malloc(sizeof(*accuracy)) : NULL;

	if (accuracy && accuracy_read(cache, to_ms, DAY_MS, accuracy) == 0)
		metrics_forecasts(accuracy, out);
	free(accuracy);
}

static void put_metrics(struct sources *sources, struct buf *body, struct response *response)
{
	struct context context = {0};
	struct diagnosis diagnosis;
	struct buf gauges;

	buf_init(&gauges, 16384);
	context_read(sources, &context, NULL, false);
	context_diagnose(sources, &context, &diagnosis);
	put_gauges(sources, &context, &diagnosis, &gauges);
	put_snapshot_bytes(sources->cache, &context.read.state, &gauges);
	put_forecasts(sources->cache, &context.read.state, &gauges);
	metrics_print(sources->config->refresh->metrics, sources->cache, buf_span(&gauges), body);
	buf_free(&gauges);
	response_json(response, 200, buf_span(body));
	response->type = "text/plain; version=0.0.4; charset=utf-8";
}

/* Who scrapes looks at the data, as a viewer does. */
static void put_fleet_metrics(struct sources *sources, struct buf *body, struct response *response)
{
	struct context context = {0};
	const struct cache_state *state = &context.read.state;

	context_read_snapshot(sources, &context);
	metrics_verdict(sources->config->refresh->metrics, state->verdict);
	context_claim(sources, &context);
	if (context.snap && context.condition.age < AGE_VERY_STALE)
		fleet_metrics_values(context.snap, body);
	if (context.snap || (state->verdict == CACHE_COLD && state->data_bucket >= 0))
		fleet_metrics_time(context_gen_ms(&context), body);
	response_json(response, 200, buf_span(body));
	response->type = "text/plain; version=0.0.4; charset=utf-8";
	context_free(&context);
}

typedef void (*put)(struct sources *, struct buf *, struct response *);

void health_answer(struct sources *sources, enum route_kind kind, struct buf *body,
		   struct response *response)
{
	static const put puts[] = {
		[ROUTE_STATUS] = put_status,   [ROUTE_OPENAPI] = put_openapi,
		[ROUTE_HEALTHZ] = put_healthz, [ROUTE_READYZ] = put_readyz,
		[ROUTE_METRICS] = put_metrics, [ROUTE_FLEET_METRICS] = put_fleet_metrics,
	};

	buf_reset(body);
	puts[kind](sources, body, response);
}
