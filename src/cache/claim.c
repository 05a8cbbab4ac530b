/* SPDX-License-Identifier: MIT */
/* Who refreshes: claim and lease, and what makes a refresh due before its time. */
#include "config.h"
#include "cache/cache.h"

#include <inttypes.h>

#include "cache/redis.h"
#include "base/clock.h"
#include "cache/key.h"
#include "store/reply.h"

#define CLAIM_WAIT_MS 250 /* how long a refused claim is remembered at most */

static const struct {
	const char *name;
	enum claim_result result;
} claim_answers[] = {
	{"won", CLAIM_WON},   {"fresh", CLAIM_FRESH},   {"busy", CLAIM_BUSY},
	{"open", CLAIM_OPEN}, {"budget", CLAIM_BUDGET}, {"foreign", CLAIM_DOWN},
};

static enum claim_result claim_answer(const redisReply *reply)
{
	for (size_t i = 0; i < sizeof(claim_answers) / sizeof(claim_answers[0]); i++)
		if (span_is(reply_field(reply, 0), claim_answers[i].name))
			return claim_answers[i].result;
	return CLAIM_DOWN;
}

static enum claim_result run_claim(struct cache *cache, enum cache_group group, struct claim *claim,
				   int64_t *wait_ms)
{
	const struct cache_group_limits *limits = &cache->limits->group[group];
	struct key cur = key_group(cache, "cur", group), lock = key_group(cache, "lock", group),
		   brk = key_group(cache, "brk", group), budget = key_group(cache, "budget", group),
		   epoch = key_group(cache, "epoch", group), lease = key_decimal(limits->lease_ms),
		   interval = key_decimal(limits->interval_ms), calls = key_decimal(limits->calls),
		   window = key_decimal(PROTOCOL_WINDOW_MS),
		   longest = key_decimal(PROTOCOL_EPOCH_BYTES),
		   upstream = key_history(cache, CACHE_UPSTREAM),
		   fleet = key_group(cache, "cur", CACHE_FLEET), trial;
	const redisReply *reply;

	*claim = (struct claim){.group = group, .mono_ms = clock_mono_ms()};
	hash_token(claim->token);
	trial = key_staged(cache, claim, "trial");
	reply = CACHE_EVAL(cache, STORE_CLAIM, 8, cache->limits->batch_ms, KEY(cur), KEY(lock),
			   KEY(brk), KEY(budget), KEY(epoch), KEY(upstream), KEY(fleet), KEY(trial),
			   span_str(claim->token), KEY(lease), KEY(interval), KEY(calls),
			   KEY(window), KEY(longest), span_str(cache->owner->upstream));
	if (!reply || cache_note_foreign(cache, reply) ||
	    !reply_copy(claim->epoch, sizeof(claim->epoch), reply_field(reply, 3)))
		return CLAIM_DOWN;
	claim->bucket = reply_integer(reply, 1);
	claim->now_ms = reply_integer(reply, 2);
	claim->leased_ms = claim->mono_ms;
	*wait_ms = reply_integer(reply, 4); /* -1: none */
	return claim_answer(reply);
}

enum claim_result cache_claim(struct cache *cache, enum cache_group group, struct claim *claim)
{
	int64_t now = clock_mono_ms(), wait = CLAIM_WAIT_MS;
	enum claim_result result;

	if (now < cache->group[group].quiet_until_ms)
		return cache->group[group].refused;
	result = run_claim(cache, group, claim, &wait);
	if (result != CLAIM_WON && result != CLAIM_FRESH) {
		cache->group[group].refused = result;
		cache->group[group].quiet_until_ms =
			now + (wait < CLAIM_WAIT_MS ? wait : CLAIM_WAIT_MS);
	}
	return result;
}

bool cache_claim_in_time(const struct claim *claim)
{
	return clock_mono_ms() - claim->leased_ms < PROTOCOL_START_MS;
}

enum lease cache_extend(struct cache *cache, struct claim *claim)
{
	int64_t lease_ms = cache->limits->group[claim->group].lease_ms, now = clock_mono_ms();
	struct key lock = key_group(cache, "lock", claim->group), mine = key_lock(claim),
		   lease = key_decimal(lease_ms);
	const redisReply *reply;

	if (now - claim->mono_ms > lease_ms)
		return LEASE_KEPT;
	reply = CACHE_EVAL(cache, STORE_EXTEND, 1, cache->limits->batch_ms, KEY(lock), KEY(mine),
			   KEY(lease));
	if (!reply)
		return LEASE_KEPT;
	if (!span_is(reply_field(reply, 0), "ok"))
		return LEASE_LOST;
	claim->leased_ms = now;
	return LEASE_RENEWED;
}

enum flush_result cache_flush(struct cache *cache, int64_t *wait_ms)
{
	const redisReply *reply = CACHE_EVAL(cache, STORE_FLUSH, 0, cache->limits->batch_ms,
					     SPAN("all"), span_str(cache->owner->prefix));

	*wait_ms = 0;
	if (!reply)
		return FLUSH_DOWN;
	if (span_is(reply_field(reply, 0), "ok"))
		return FLUSH_OK;
	*wait_ms = reply_integer(reply, 1);
	return FLUSH_LIMITED;
}

void cache_outdate(struct cache *cache, enum cache_group group)
{
	/* Any new value will do; a time, as flush.lua uses, never repeats an old one. */
	struct key key = key_group(cache, "epoch", group), lock = key_group(cache, "lock", group),
		   epoch = key_make("%" PRId64 "%03d", clock_wall_ms(),
				    (int)(clock_mono_us() % 1000));

	if (cache_is_down(cache))
		return;
	store_cmd(cache->store, SPAN("SET"), KEY(key), KEY(epoch));
	/* A refresh in flight will be refused at its commit, so nobody has to wait for it. */
	store_cmd(cache->store, SPAN("DEL"), KEY(lock));
	cache->group[group].quiet_until_ms = 0;
	(void)cache_run(cache);
}
