/* SPDX-License-Identifier: MIT */
/* A cache over a scripted Redis, whose clock shows NOW_MS at the start of each test. */
#ifndef TFT_CACHE_FIXTURE_H
#define TFT_CACHE_FIXTURE_H

#include "build_id.h"
#include "cache/cache.h"
#include "scripted_redis.h"

#define NOW_S  1764000015
#define NOW_MS (NOW_S * INT64_C(1000) + 123)
#define BUCKET 58800000 /* of 30 s */
#define GEN_MS (NOW_MS - 5000)

static const struct cache_limits cache_limits = {
	.group = {{30000, 17000, 26},
		  {2000, 4000, 60},
		  {2000, 3000, 60},
		  {30000, 4000, 40},
		  {30000, 4000, 40}},
	.max_stale_ms = 3600000,
	.batch_ms = 100,
	.publish_ms = 2000,
	.history_points = 20160,
	.history_memory = 256 << 20,
};
static const struct cache_owner cache_owner = {"tft", "0123456789abcdef"};
static struct store *store;
static struct cache *cache;

static inline void redis_on_time(int64_t ms)
{
	char seconds[24], us[24];

	(void)snprintf(seconds, sizeof(seconds), "%lld", (long long)(ms / 1000));
	(void)snprintf(us, sizeof(us), "%lld", (long long)(ms % 1000 * 1000 + 999));
	redis_on_array("TIME", seconds, us);
}

/* An empty pointer and no breaker. */
static inline void redis_on_nothing(void)
{
	redis_on("", "$-1\r\n");
	redis_on("SCRIPT LOAD", "$40\r\n0123456789012345678901234567890123456789\r\n");
	redis_on_array("HMGET tft:cur:", NULL, NULL, NULL, NULL, NULL);
	redis_on_array("HMGET tft:brk:", NULL, NULL, NULL);
	redis_on_array("HMGET tft:said", NULL, NULL);
	redis_on_time(NOW_MS);
}

static inline void redis_on_pointer(const char *bucket, const char *epoch, int64_t gen_ms,
				    const char *snap)
{
	char gen[24];

	(void)snprintf(gen, sizeof(gen), "%lld", (long long)gen_ms);
	redis_on_array("HMGET tft:cur:fleet", bucket, epoch, gen, snap, "600");
	redis_on("GET tft:epoch:fleet", "$2\r\ne1\r\n");
}

/* An entry that passes all checks. */
static inline void redis_on_entry(const char *begins, const char *route, const char *snap,
				  struct span body, const char *says)
{
	char len[24], crc[HASH_HEX];

	(void)snprintf(len, sizeof(len), "%zu", body.len);
	hash_hex(hash_xxh64(body), crc);
	redis_on_spans(begins,
		       (const struct span[]){SPAN("1"), SPAN(BUILD_ID), span_str(snap),
					     span_str(route), SPAN("text/html"), SPAN("0123"),
					     span_str(says), body, span_str(len), span_str(crc)},
		       10);
}

/* The stream has one entry, at this time; 0: none. */
static inline void redis_on_stream(const char *begins, int64_t ms, const char *field,
				   struct span bytes)
{
	char id[32];
	struct buf wire;

	buf_init(&wire, 1 << 20);
	if (ms) {
		(void)snprintf(id, sizeof(id), "%lld-0", (long long)ms);
		buf_lit(&wire, "*1\r\n*2\r\n");
		put_string(&wire, span_str(id));
		buf_lit(&wire, "*2\r\n");
		put_string(&wire, span_str(field));
		put_string(&wire, bytes);
	} else {
		buf_lit(&wire, "*0\r\n");
	}
	redis_on_span(begins, buf_span(&wire));
	buf_free(&wire);
}

static inline int open_cache(void **state)
{
	(void)state;
	store = redis_store();
	cache = cache_new(store, &cache_limits, &cache_owner);
	redis_on_nothing();
	return cache ? 0 : -1;
}

static inline int close_cache(void **state)
{
	(void)state;
	cache_free(&cache);
	redis_free(&store);
	return 0;
}

#endif
