/* SPDX-License-Identifier: MIT */
/* What operators want to know: the last calls and actions, and the counters of the nodes. */
#include "config.h"
#include "cache/cache.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cache/redis.h"
#include "base/clock.h"
#include "cache/key.h"
#include "store/reply.h"

#define KEEP_MS    "86400000"
#define ACTIONS    "actions"
#define ALL_NODES  "nodes"
#define COUNTS_MAX 500

/* --- notes of the last calls --- */

void cache_note(struct cache *cache, enum cache_group group, const struct diagnosis_call *call)
{
	struct key key = key_group(cache, "calls", group), kept = key_decimal(DIAGNOSIS_CALLS);
	struct key record =
		key_make("%" PRId64 " %ld %" PRId64 " %" PRId64 " %" PRId64 " %s", call->at_ms,
			 call->status, call->fetch_ms, call->total_ms, call->bytes, call->result);

	(void)CACHE_EVAL(cache, STORE_NOTE, 1, cache->limits->publish_ms, KEY(key), KEY(record),
			 KEY(kept), SPAN(KEEP_MS));
}

static bool parse_call(const redisReply *reply, struct diagnosis_call *call)
{
	int at = 0;

	if (reply->type != REDIS_REPLY_STRING ||
	    sscanf(reply->str, "%" SCNd64 " %ld %" SCNd64 " %" SCNd64 " %" SCNd64 " %n",
		   &call->at_ms, &call->status, &call->fetch_ms, &call->total_ms, &call->bytes,
		   &at) < 5)
		return false;
	return reply_copy(call->result, sizeof(call->result),
			  (struct span){reply->str + at, reply->len - (size_t)at});
}

void cache_note_action(struct cache *cache, const struct diagnosis_action *action)
{
	struct key key = key_shared(cache, ACTIONS), kept = key_decimal(DIAGNOSIS_ACTIONS);
	char record[256];

	/* The user's name comes last: no other field may contain blanks. */
	(void)snprintf(record, sizeof(record), "%" PRId64 " %s %s %s %s %s", action->at_ms,
		       action->action, action->result, action->from, action->to, action->user);
	(void)CACHE_EVAL(cache, STORE_NOTE, 1, cache->limits->batch_ms, KEY(key), span_str(record),
			 KEY(kept), SPAN(KEEP_MS));
}

static bool parse_action(const redisReply *reply, struct diagnosis_action *a)
{
	int at = 0;

	if (reply->type != REDIS_REPLY_STRING ||
	    sscanf(reply->str, "%" SCNd64 " %15s %15s %31s %31s %n", &a->at_ms, a->action,
		   a->result, a->from, a->to, &at) < 5)
		return false;
	return reply_copy(a->user, sizeof(a->user),
			  (struct span){reply->str + at, reply->len - (size_t)at});
}

static size_t take_actions(const redisReply *reply, struct diagnosis_action *actions)
{
	size_t n = 0;

	for (size_t i = 0;
	     reply->type == REDIS_REPLY_ARRAY && i < reply->elements && n < DIAGNOSIS_ACTIONS; i++)
		if (parse_action(reply->element[i], &actions[n]))
			n++;
	return n;
}

static size_t take_calls(const redisReply *reply, struct diagnosis_call *calls)
{
	size_t n = 0;

	for (size_t i = 0;
	     reply->type == REDIS_REPLY_ARRAY && i < reply->elements && n < DIAGNOSIS_CALLS; i++)
		if (parse_call(reply->element[i], &calls[n]))
			n++;
	return n;
}

static void queue_calls(struct cache *cache, enum cache_group group)
{
	struct key key = key_group(cache, "calls", group), last = key_decimal(DIAGNOSIS_CALLS - 1);

	store_cmd(cache->store, SPAN("LRANGE"), KEY(key), SPAN("0"), KEY(last));
}

/* Claims of the last minute, by Redis' clock as last seen. */
static int64_t take_budget(const struct cache *cache, enum cache_group group,
			   const redisReply *reply)
{
	int64_t now = clock_mono_ms() + cache->clock_offset_ms,
		left = cache->limits->group[group].calls;

	for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++)
		left -= now - reply_decimal(reply_text(reply->element[i])) < PROTOCOL_WINDOW_MS;
	return left > 0 ? left : 0;
}

int cache_diagnose(struct cache *cache, enum cache_group group, struct diagnosis *diagnosis)
{
	struct key budget = key_group(cache, "budget", group),
		   epoch = key_group(cache, "epoch", group), actions = key_shared(cache, ACTIONS);

	*diagnosis = (struct diagnosis){.budget_left = -1, .bucket = -1, .data_bucket = -1};
	if (cache_is_down(cache))
		return -1;
	queue_calls(cache, group);
	store_cmd(cache->store, SPAN("LRANGE"), KEY(budget), SPAN("0"), SPAN("-1"));
	store_cmd(cache->store, SPAN("LRANGE"), KEY(actions), SPAN("0"), SPAN("-1"));
	store_cmd(cache->store, SPAN("GET"), KEY(epoch));
	if (cache_run(cache) != STORE_OK)
		return -1;
	diagnosis->count = take_calls(store_reply(cache->store, 0), diagnosis->calls);
	diagnosis->budget_left = take_budget(cache, group, store_reply(cache->store, 1));
	diagnosis->action_count = take_actions(store_reply(cache->store, 2), diagnosis->actions);
	(void)reply_copy(diagnosis->epoch, sizeof(diagnosis->epoch),
			 reply_text(store_reply(cache->store, 3)));
	return 0;
}

static int by_total(const void *a, const void *b)
{
	const struct diagnosis_call *x = a, *y = b;

	return (x->total_ms > y->total_ms) - (x->total_ms < y->total_ms);
}

int64_t cache_fill_ms(struct cache *cache, enum cache_group group)
{
	struct diagnosis_call calls[DIAGNOSIS_CALLS];
	size_t n, good = 0;

	if (cache_is_down(cache))
		return 0;
	queue_calls(cache, group);
	if (cache_run(cache) != STORE_OK)
		return 0;
	n = take_calls(store_reply(cache->store, 0), calls);
	for (size_t i = 0; i < n; i++)
		if (strcmp(calls[i].result, commit_names[COMMIT_OK]) == 0)
			calls[good++] = calls[i];
	if (good == 0)
		return 0;
	qsort(calls, good, sizeof(calls[0]), by_total);
	return (calls[(good * 9 - 1) / 10].total_ms + 99) / 100 * 100;
}

/* --- counters of a node --- */

int cache_count(struct cache *cache, const char *node, const struct cache_counter *counters,
		size_t count)
{
	struct key key = key_node(cache, node), all = key_shared(cache, ALL_NODES),
		   values[COUNTS_MAX];
	struct span argv[3 + 2 * COUNTS_MAX] = {KEY(key), KEY(all), SPAN(KEEP_MS)};

	if (count > COUNTS_MAX)
		return -1;
	for (size_t i = 0; i < count; i++) {
		values[i] = key_decimal(counters[i].value);
		argv[3 + 2 * i] = counters[i].series;
		argv[4 + 2 * i] = KEY(values[i]);
	}
	return cache_eval(cache, STORE_COUNT, 2, 3 + 2 * count, argv, cache->limits->batch_ms) ? 0
											       : -1;
}

size_t cache_counters(struct cache *cache, const char *node, struct cache_counter *counters,
		      size_t max)
{
	struct key key = node ? key_node(cache, node) : key_shared(cache, ALL_NODES);
	const redisReply *reply;
	size_t n = 0;

	if (cache_is_down(cache))
		return 0;
	store_cmd(cache->store, SPAN("HGETALL"), KEY(key));
	if (cache_run(cache) != STORE_OK)
		return 0;
	reply = store_reply(cache->store, 0);
	for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i + 1 < reply->elements && n < max;
	     i += 2)
		counters[n++] = (struct cache_counter){reply_field(reply, i),
						       reply_decimal(reply_field(reply, i + 1))};
	return n;
}
