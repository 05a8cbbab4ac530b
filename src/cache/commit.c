/* SPDX-License-Identifier: MIT */
/* How new data become visible, all at once, or how a failure is published. */
#include "config.h"
#include "cache/cache.h"

#include <assert.h>
#include <inttypes.h>

#include "build_id.h"
#include "cache/redis.h"
#include "cache/key.h"
#include "cache/retention.h"
#include "base/log.h"
#include "fleet/accuracy.h"
#include "fleet/incidents.h"
#include "fleet/warnings.h"
#include "store/reply.h"

#define COMMIT_KEYS 17 /* beside those of the entries */
#define ACCURACY_MS (ACCURACY_DAYS * INT64_C(86400000))

const char *const commit_names[] = {
	[COMMIT_OK] = "ok",           [COMMIT_LOST] = "lost",       [COMMIT_FLUSHED] = "flushed",
	[COMMIT_OLD] = "old",         [COMMIT_MISSING] = "missing", [COMMIT_FOREIGN] = "foreign",
	[COMMIT_DOWN] = "redis-down",
};

int cache_stage(struct cache *cache, const struct claim *claim, const char *route, const char *snap,
		const struct cache_document *document)
{
	struct key staged = key_staged(cache, claim, route),
		   len = key_decimal((int64_t)document->body.len),
		   glen = key_decimal((int64_t)document->gzip.len),
		   gen = key_decimal(claim->now_ms), fmt = key_decimal(CACHE_FORMAT),
		   life = key_decimal(PROTOCOL_STAGED_MS);
	char crc[HASH_HEX], gcrc[HASH_HEX];

	hash_hex(hash_xxh64(document->body), crc);
	hash_hex(hash_xxh64(document->gzip), gcrc);

	const struct span argv[] = {
		KEY(staged),   KEY(life),
		SPAN("fmt"),   KEY(fmt),
		SPAN("build"), document->is_page ? SPAN(BUILD_ID) : SPAN(CACHE_DATA_BUILD),
		SPAN("snap"),  span_str(snap),
		SPAN("route"), span_str(route),
		SPAN("gen"),   KEY(gen),
		SPAN("type"),  span_str(document->type),
		SPAN("etag"),  span_str(crc),
		SPAN("says"),  document->digests,
		SPAN("body"),  document->body,
		SPAN("len"),   KEY(len),
		SPAN("crc"),   span_str(crc),
		SPAN("gzip"),  document->gzip,
		SPAN("glen"),  KEY(glen),
		SPAN("gcrc"),  span_str(gcrc),
	};
	/* The last six belong to the gzip form. */
	size_t argc = sizeof(argv) / sizeof(argv[0]) - (document->gzip.len ? 0 : 6);

	return cache_eval_anyway(cache, STORE_STAGE, 1, argc, argv, cache->limits->publish_ms) ? 0
											       : -1;
}

int cache_stage_fields(struct cache *cache, const struct claim *claim, const char *route,
		       size_t count, const struct span *pairs)
{
	struct key staged = key_staged(cache, claim, route), life = key_decimal(PROTOCOL_STAGED_MS);
	struct span argv[122] = {KEY(staged), KEY(life)};

	if (count > 120)
		return -1;
	memcpy(argv + 2, pairs, count * sizeof(*pairs));
	return cache_eval_anyway(cache, STORE_STAGE, 1, count + 2, argv, cache->limits->publish_ms)
		       ? 0
		       : -1;
}

void cache_publish_digest(struct cache *cache, const struct claim *claim, const char *digest)
{
	struct key digests = key_shared(cache, CACHE_DIGESTS),
		   text = key_make("%" PRId64 " %s", claim->now_ms, digest),
		   ttl = key_decimal(CACHE_DIGEST_MS);

	/* A key of another type is a stranger's. */
	if (!CACHE_EVAL(cache, STORE_STAGE, 1, cache->limits->batch_ms, KEY(digests), KEY(ttl),
			key_group_name(claim->group), KEY(text)) &&
	    !cache_is_down(cache)) {
		store_cmd(cache->store, SPAN("DEL"), KEY(digests));
		(void)cache_run(cache);
	}
}

static enum commit_result commit_answer(const redisReply *reply)
{
	for (int i = COMMIT_OK; i < COMMIT_DOWN; i++)
		if (span_is(reply_field(reply, 0), commit_names[i]))
			return (enum commit_result)i;
	return COMMIT_DOWN;
}

/* A commit whose reply was lost is refused when repeated, since the first one released the lock. */
static enum commit_result settle(struct cache *cache, const struct claim *claim,
				 const struct commit *commit, enum commit_result answer)
{
	struct cache_read read;

	if (answer != COMMIT_OLD && answer != COMMIT_LOST)
		return answer;
	(void)cache_read(cache, claim->group, NULL, false, &read);
	return strcmp(read.state.snap, commit->snap) == 0 ? COMMIT_OK : answer;
}

/* The keys of a commit: those of the group, those of the history, then each staged one and its
 * final one. */
static size_t commit_keys(const struct cache *cache, const struct claim *claim,
			  const struct commit *commit, struct key *keys)
{
	size_t n = 0;

	keys[n++] = key_group(cache, "cur", claim->group);
	keys[n++] = key_group(cache, "lock", claim->group);
	keys[n++] = key_group(cache, "brk", claim->group);
	keys[n++] = key_group(cache, "epoch", claim->group);
	keys[n++] = key_history(cache, CACHE_HISTORY);
	keys[n++] = key_history(cache, CACHE_HISTORY_HOURS);
	keys[n++] = key_history(cache, CACHE_HISTORY_SERVERS);
	keys[n++] = key_history(cache, CACHE_UPSTREAM);
	keys[n++] = key_history(cache, CACHE_MOMENTS);
	keys[n++] = key_history(cache, CACHE_MOMENTS_THIN);
	keys[n++] = key_history(cache, CACHE_FORECASTS);
	keys[n++] = key_history(cache, CACHE_INCIDENTS);
	keys[n++] = key_history(cache, CACHE_ACCURACY);
	keys[n++] = key_history(cache, CACHE_SERVERS_HOURS);
	keys[n++] = key_history(cache, CACHE_WARNINGS);
	keys[n++] = key_history(cache, CACHE_OUTCOMES);
	keys[n++] = key_history(cache, CACHE_WATCH);
	assert(n == COMMIT_KEYS);
	for (size_t i = 0; i < commit->count; i++)
		keys[n++] = key_staged(cache, claim, commit->routes[i]);
	for (size_t i = 0; i < commit->count; i++)
		keys[n++] = key_entry(cache, commit->routes[i], claim->bucket);
	return n;
}

static const redisReply *run_commit(struct cache *cache, const struct claim *claim,
				    const struct commit *commit)
{
	int64_t interval_ms = cache->limits->group[claim->group].interval_ms;
	struct retention retention =
		retention_of(cache->limits->history_memory, interval_ms,
			     &(struct retention_lengths){commit->beside.len + commit->open.len,
							 commit->moment.len + commit->open.len,
							 commit->forecasts.len});
	struct key entries = key_decimal((int64_t)commit->count), lock = key_lock(claim),
		   bucket = key_decimal(claim->bucket), gen = key_decimal(claim->now_ms),
		   interval = key_decimal(interval_ms),
		   ttl = key_decimal(cache->limits->max_stale_ms),
		   old_ttl = key_decimal(2 * interval_ms),
		   points = key_decimal(commit->history.len ? cache->limits->history_points : 0),
		   fill = key_decimal(commit->fill_ms), kept = key_decimal(retention.risks_ms),
		   bytes = key_decimal(retention.risks_bytes),
		   full = key_decimal(retention.full_ms), thin = key_decimal(retention.thin_ms),
		   window = key_decimal(PROTOCOL_THIN_MS), seen = key_decimal(commit->seen_ms),
		   beside = key_decimal(commit->beside_ms), ended = key_decimal(INCIDENTS_MAX),
		   scored = key_decimal(ACCURACY_MS), outcomes = key_decimal(WARNINGS_KEPT);
	const struct span args[] = {
		SPAN("entries"),   KEY(entries),
		SPAN("lock"),      KEY(lock),
		SPAN("bucket"),    KEY(bucket),
		SPAN("epoch"),     span_str(claim->epoch),
		SPAN("gen"),       KEY(gen),
		SPAN("snap"),      span_str(commit->snap),
		SPAN("interval"),  KEY(interval),
		SPAN("ttl"),       KEY(ttl),
		SPAN("old_ttl"),   KEY(old_ttl),
		SPAN("fill"),      KEY(fill),
		SPAN("record"),    commit->history,
		SPAN("points"),    KEY(points),
		SPAN("names"),     commit->names,
		SPAN("risks"),     commit->risks,
		SPAN("kept"),      KEY(kept),
		SPAN("bytes"),     KEY(bytes),
		SPAN("upstream"),  span_str(cache->owner->upstream),
		SPAN("seen"),      KEY(seen),
		SPAN("open"),      commit->open,
		SPAN("closed"),    commit->closed,
		SPAN("ended"),     KEY(ended),
		SPAN("accuracy"),  commit->accuracy,
		SPAN("scored"),    KEY(scored),
		SPAN("warnings"),  commit->warnings,
		SPAN("told"),      commit->told,
		SPAN("outcomes"),  KEY(outcomes),
		SPAN("watch"),     commit->watch,
		SPAN("moment"),    commit->moment,
		SPAN("beside"),    commit->beside,
		SPAN("beside_ms"), KEY(beside),
		SPAN("forecasts"), commit->forecasts,
		SPAN("full_kept"), KEY(full),
		SPAN("thin_kept"), KEY(thin),
		SPAN("window"),    KEY(window),
	};
	struct key keys[COMMIT_KEYS + 2 * CACHE_ROUTES_MAX];
	struct span argv[COMMIT_KEYS + 2 * CACHE_ROUTES_MAX + sizeof(args) / sizeof(args[0])];
	size_t n;

	assert(commit->count > 0 && commit->count <= CACHE_ROUTES_MAX);
	n = commit_keys(cache, claim, commit, keys);
	for (size_t i = 0; i < n; i++)
		argv[i] = KEY(keys[i]);
	memcpy(argv + n, args, sizeof(args));
	return cache_eval_anyway(cache, STORE_COMMIT, n, n + sizeof(args) / sizeof(args[0]), argv,
				 cache->limits->publish_ms);
}

/* What became of the history's point, where that is not as usual. */
static void tell_history(const struct claim *claim, struct span result, struct span why)
{
	if (span_is(result, "hist-dup"))
		log_event(LOG_LEVEL_INFO, "history_repeated", LOG_INT("bucket", claim->bucket));
	if (span_is(result, "hist-ahead"))
		log_event(LOG_LEVEL_WARNING, "history_ahead", LOG_INT("bucket", claim->bucket),
			  LOG_SPAN("newest", why));
	if (span_is(result, "hist-failed"))
		log_event(LOG_LEVEL_WARNING, "history_failed", LOG_INT("bucket", claim->bucket),
			  LOG_SPAN("err", why));
}

enum commit_result cache_commit(struct cache *cache, const struct claim *claim,
				const struct commit *commit)
{
	const redisReply *reply = run_commit(cache, claim, commit);

	if (!reply)
		return COMMIT_DOWN;
	if (cache_note_foreign(cache, reply))
		return COMMIT_FOREIGN;
	tell_history(claim, reply_field(reply, 2), reply_field(reply, 3));
	return settle(cache, claim, commit, commit_answer(reply));
}

/* An Alertmanager is called again in the next bucket, however often that has failed. */
static bool backs_off(const struct failure *failure)
{
	return failure->claim.group < CACHE_ALERTS && reason_is_fault(failure->reason);
}

static void tell_failure(struct cache *cache, const struct failure *failure, int64_t ms)
{
	const struct claim *claim = &failure->claim;
	struct key brk = key_group(cache, "brk", claim->group),
		   lock = key_group(cache, "lock", claim->group), mine = key_lock(claim),
		   interval = key_decimal(cache->limits->group[claim->group].interval_ms),
		   longest = key_decimal(PROTOCOL_BACKOFF_MS),
		   retry = key_decimal(failure->retry_after_ms);
	const redisReply *reply =
		CACHE_EVAL(cache, STORE_FAIL, 2, ms, KEY(brk), KEY(lock), KEY(mine), KEY(interval),
			   KEY(longest), KEY(retry), span_str(reason_table[failure->reason].slug),
			   backs_off(failure) ? SPAN("1") : SPAN("0"));

	cache->is_behind = !reply && cache_is_down(cache);
}

void cache_reopen(struct cache *cache, enum cache_group group)
{
	struct key brk = key_group(cache, "brk", group);

	(void)CACHE_EVAL(cache, STORE_REOPEN, 1, cache->limits->batch_ms, KEY(brk),
			 span_str(reason_table[REASON_CONNECT].slug),
			 span_str(reason_table[REASON_NAME].slug));
	cache->group[group].quiet_until_ms = 0;
}

void cache_fail(struct cache *cache, const struct claim *claim, enum reason reason,
		int64_t retry_after_ms)
{
	cache->failure = (struct failure){*claim, reason, retry_after_ms};
	tell_failure(cache, &cache->failure, cache->limits->publish_ms);
}

bool cache_is_behind(const struct cache *cache)
{
	return cache->is_behind;
}

void cache_catch_up(struct cache *cache)
{
	if (cache->is_behind)
		tell_failure(cache, &cache->failure, cache->limits->batch_ms);
}

enum commit_result cache_commit_one(struct cache *cache, const struct claim *claim,
				    const char *route, const struct cache_document *document)
{
	const struct commit commit = {.snap = "-", .routes = {route}, .count = 1};

	if (cache_stage(cache, claim, route, commit.snap, document) != 0)
		return COMMIT_DOWN;
	return cache_commit(cache, claim, &commit);
}
