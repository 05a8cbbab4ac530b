/* SPDX-License-Identifier: MIT */
/* A worker over a scripted Redis with a fresh snapshot, and a daemon that answers. */
#ifndef TFT_SERVE_FIXTURE_H
#define TFT_SERVE_FIXTURE_H

#include "cache_fixture.h"
#include "fake_fetch.h"
#include "fleet/compact.h"
#include "golden.h"
#include "server/serve.h"

static const struct site site = {30000, 600000, 3600000, "http://daemon:8000", NULL, false};
static struct settings settings;
static struct upstream *upstream;
static struct metrics *metrics;
static struct refresh refresh;
static struct local *local;
static struct local_config local_config = {.interval_ms = 30000,
					   .workers = 1,
					   .workers_total = 1,
					   .calls_per_minute = 26,
					   .host_fd = -1};
static struct serve_config config = {.refresh = &refresh,
				     .settings = &settings,
				     .limits = &cache_limits,
				     .act_limit_ms = 600000,
				     .idle_tick = true};
static struct serve *serve;
static struct buf compact;

static inline void on_snapshot(const char *bucket, int64_t gen_ms)
{
	static struct snapshot *snap;
	char entry[64];

	snapshot_free(&snap);
	snap = golden_snapshot("predictions_current-healthy-20");
	snap->bucket = gen_ms / 30000;
	snap->interval_ms = 30000;
	snap->gen_ms = gen_ms;
	snap->fill_ms = 600;
	snap->warmup = (struct warmup){true, true, 100, 200, 150, 0, 0};
	(void)snprintf(snap->id, sizeof(snap->id), "%s", "s1");
	buf_reset(&compact);
	compact_encode(snap, &compact);
	snapshot_free(&snap);
	redis_on_pointer(bucket, "e1", gen_ms, "s1");
	(void)snprintf(entry, sizeof(entry), "HMGET tft:fleet:%s", bucket);
	redis_on_entry(strcmp(bucket, "58800000") == 0 ? "HMGET tft:fleet:58800000"
						       : "HMGET tft:fleet:58799999",
		       "fleet", "s1", buf_span(&compact), "");
	redis_on_entry(strcmp(bucket, "58800000") == 0 ? "HMGET tft:overview:58800000"
						       : "HMGET tft:overview:58799999",
		       "overview", "s1", SPAN("<p>stored</p>"), "- -");
}

static inline int open_serve(void **state)
{
	if (open_cache(state) != 0)
		return -1;
	fetch_begin();
	fetch_answers("predictions", "predictions_current-healthy-20.json.gz");
	fetch_answers("status", "status-warmed_up-20.json");
	upstream = upstream_new(&fake_upstream);
	metrics = metrics_new("web1");
	refresh = (struct refresh){cache, upstream, metrics, &site, false, NULL};
	local = local_new(&local_config);
	serve = serve_new(&config, local);
	buf_init(&compact, 1 << 20);
	redis_on("HSTRLEN", ":100\r\n");
	redis_on_array("EVALSHA", "ok");
	redis_on_array("EVALSHA 8", "busy", "58800000", "1764000015123", "e1", "9000");
	redis_on("LRANGE", "*0\r\n");
	redis_on("HGETALL", "*0\r\n");
	redis_on("XRANGE", "*0\r\n");
	on_snapshot("58800000", GEN_MS);
	return 0;
}

static inline int close_serve(void **state)
{
	serve_free(&serve);
	local_free(&local);
	metrics_free(&metrics);
	upstream_free(&upstream);
	buf_free(&compact);
	return close_cache(state);
}

#endif
