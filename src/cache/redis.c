/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "cache/redis.h"

#include <poll.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/reply.h"

/* How long Redis counts as down after the first failure, and at most; both +- 20 %. */
#define DOWN_FIRST_MS 100
#define DOWN_MAX_MS   1000
#define RETRY_MS      50    /* between two attempts to publish */
#define LOG_AGAIN_MS  60000 /* how often a lasting condition is logged */
#define RECHECK_MS    1000 /* how often to check whether the cache still belongs to another fleet */

void cache_watch(struct cache *cache, cache_batch_fn batch, void *ctx)
{
	cache->batch = batch;
	cache->batch_ctx = ctx;
}

static bool is_to_be_logged(int64_t *logged_ms)
{
	int64_t now = clock_mono_ms();

	if (*logged_ms && now - *logged_ms < LOG_AGAIN_MS)
		return false;
	*logged_ms = now;
	return true;
}

/* The jitter comes from the clock's low bits: workers fail at different microseconds. */
void cache_mark_down(struct cache *cache, const char *why)
{
	int64_t ms = cache->down_ms ? 2 * cache->down_ms : DOWN_FIRST_MS;

	cache->down_ms = ms < DOWN_MAX_MS ? ms : DOWN_MAX_MS;
	cache->down_until_ms = clock_mono_ms() + cache->down_ms - cache->down_ms / 5 +
			       clock_mono_us() % (2 * cache->down_ms / 5);
	if (is_to_be_logged(&cache->down_logged_ms))
		log_event(LOG_LEVEL_WARNING, "redis_down", LOG_STR("err", why));
}

void cache_mark_up(struct cache *cache)
{
	cache->down_ms = 0;
	cache->down_until_ms = 0;
	cache->down_logged_ms = 0;
}

/* Recognised by the first words of an error; the rest is only logged. */
static const char *refusal_words(const char *why)
{
	static const struct {
		const char *code, *words;
	} table[] = {
		{"READONLY", "is a read-only replica"},
		{"MASTERDOWN", "is a replica without a primary"},
		{"NOREPLICAS", "has too few replicas"},
		{"OOM", "has no memory left"},
		{"MISCONF", "cannot write to its disk"},
		{"NOPERM", "does not permit it"},
		/* The same inside a script: of Redis 7.0, and of later ones and Valkey. */
		{"ERR The user executing the script", "does not permit it"},
		{"ERR ACL failure in script", "does not permit it"},
		{"ERR unknown command", "lacks a command that a refresh needs"},
		{"CROSSSLOT", "is a node of a cluster"},
		{"MOVED", "is a node of a cluster"},
		{"CLUSTERDOWN", "is a node of a cluster"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strncmp(why, table[i].code, strlen(table[i].code)) == 0)
			return table[i].words;
	return "refuses what a refresh needs";
}

const char *refusal_text(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR ? reply->str : "unexpected reply";
}

/* Whether this must succeed before new data can be seen. */
static bool is_needed(int what)
{
	return what <= STORE_COMMIT;
}

void cache_note_refusal(struct cache *cache, int what, const char *why)
{
	struct refusal *refusal = &cache->refusal;

	if (is_needed(what)) {
		if (!refusal->words)
			refusal->since_ms = clock_mono_ms();
		refusal->words = refusal_words(why);
		refusal->what = what;
	}
	if (is_to_be_logged(&refusal->logged_ms))
		log_event(LOG_LEVEL_WARNING, "redis_refused", LOG_STR("err", why));
}

void cache_note_done(struct cache *cache, int what)
{
	if (cache->refusal.words && cache->refusal.what == what)
		cache->refusal = (struct refusal){0};
}

void cache_note_data(struct cache *cache, int64_t age_ms)
{
	if (cache->refusal.words && clock_mono_ms() - age_ms > cache->refusal.since_ms)
		cache->refusal = (struct refusal){0};
}

const char *cache_refusal(const struct cache *cache, int64_t *for_ms)
{
	*for_ms = clock_mono_ms() - cache->refusal.since_ms;
	if (cache->foreign)
		return "holds the data of another fleet";
	return cache->refusal.words;
}

void cache_mark_foreign(struct cache *cache, struct span upstream)
{
	cache->foreign = true;
	cache->recheck_ms = clock_mono_ms() + RECHECK_MS;
	if (is_to_be_logged(&cache->foreign_logged_ms))
		log_event(LOG_LEVEL_WARNING, "cache_foreign",
			  LOG_STR("prefix", cache->owner->prefix),
			  LOG_STR("ours", cache->owner->upstream), LOG_SPAN("theirs", upstream));
}

bool cache_note_foreign(struct cache *cache, const redisReply *reply)
{
	bool foreign = span_is(reply_field(reply, 0), "foreign");

	if (foreign)
		cache_mark_foreign(cache, reply_field(reply, 1));
	return foreign;
}

bool cache_is_foreign(const struct cache *cache)
{
	return cache->foreign;
}

bool cache_is_down(const struct cache *cache)
{
	return cache->foreign || clock_mono_ms() < cache->down_until_ms;
}

bool cache_is_away(const struct cache *cache)
{
	int64_t now = clock_mono_ms();

	return now < cache->down_until_ms || (cache->foreign && now < cache->recheck_ms);
}

/* The observer's start time is taken before the batch. Its replies replace the earlier ones. */
struct watch {
	int64_t began_us;
	size_t connections;
};

static struct watch watch_begin(struct cache *cache)
{
	cache->last_batch.alive = false;
	return (struct watch){clock_mono_us(), store_connections(cache->store)};
}

/* A worker's first connection is not a reconnection. */
static void watch_end(const struct cache *cache, const struct watch *watch)
{
	size_t now = store_connections(cache->store);

	if (cache->batch)
		cache->batch(cache->batch_ctx, clock_mono_us() - watch->began_us,
			     watch->connections && now > watch->connections);
}

enum store_result cache_run_for(struct cache *cache, int64_t ms)
{
	struct watch watch = watch_begin(cache);
	enum store_result rc = store_run(cache->store, ms);

	watch_end(cache, &watch);
	if (rc == STORE_DOWN)
		cache_mark_down(cache, store_error(cache->store));
	else if (rc == STORE_TOO_LARGE)
		log_event(LOG_LEVEL_WARNING, "redis_refused", LOG_STR("err", "reply too large"));
	return rc;
}

enum store_result cache_run(struct cache *cache)
{
	return cache_run_for(cache, cache->limits->batch_ms);
}

/* One call of a script. NULL: Redis cannot be reached. */
static const redisReply *eval(struct cache *cache, enum store_script script, size_t keys,
			      size_t argc, const struct span *argv, int64_t ms)
{
	struct watch watch = watch_begin(cache);
	enum store_result rc = store_eval(cache->store, script, keys, argc, argv, ms);

	watch_end(cache, &watch);
	return rc == STORE_OK ? store_reply(cache->store, 0) : NULL;
}

/* Any other result (busy, lost ...) came before the script reached a forbidden command. */
static bool is_done(const redisReply *reply)
{
	return span_is(reply_field(reply, 0), "ok") || span_is(reply_field(reply, 0), "won");
}

/* The reply of a script that ran; else NULL, and the reason is logged. */
static const redisReply *check_eval(struct cache *cache, enum store_script script,
				    const redisReply *reply)
{
	if (!reply) {
		cache_mark_down(cache, store_error(cache->store));
		return NULL;
	}
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements >= 1 &&
	    reply->element[0]->type == REDIS_REPLY_STRING) {
		cache_mark_up(cache);
		if (is_done(reply))
			cache_note_done(cache, (int)script);
		return reply;
	}
	cache_note_refusal(cache, (int)script, refusal_text(reply));
	return NULL;
}

/* Redis may be restarting or still loading its file: it may be back in a moment. */
static bool is_starting(const redisReply *reply)
{
	return !reply ||
	       (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "LOADING", 7) == 0);
}

const redisReply *cache_eval_anyway(struct cache *cache, enum store_script script, size_t keys,
				    size_t argc, const struct span *argv, int64_t ms)
{
	int64_t deadline = clock_mono_ms() + ms, left = ms;
	const redisReply *reply = eval(cache, script, keys, argc, argv, ms);

	while (is_starting(reply) && (left = deadline - clock_mono_ms() - RETRY_MS) > 0) {
		(void)poll(NULL, 0, RETRY_MS);
		reply = eval(cache, script, keys, argc, argv, left);
	}
	return check_eval(cache, script, reply);
}

const redisReply *cache_eval(struct cache *cache, enum store_script script, size_t keys,
			     size_t argc, const struct span *argv, int64_t ms)
{
	if (cache_is_down(cache))
		return NULL;
	return check_eval(cache, script, eval(cache, script, keys, argc, argv, ms));
}
