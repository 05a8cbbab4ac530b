/* SPDX-License-Identifier: MIT */
/*
 * Inside of the cache, for its own files alone: one batch or script, and the memory of failure.
 * After a failure Redis counts as down for about 100 ms, and for twice as long after each further
 * one, up to about a second: a short stall is soon over, and a hung Redis costs each worker one
 * stall a second in the end.
 */
#ifndef TFT_CACHE_REDIS_H
#define TFT_CACHE_REDIS_H

#include "cache/cache.h"
#include "cache/key.h"

#define CACHE_DATA_BUILD "-" /* build of entries without templates: they suit every build */

#define CACHE_DIGESTS  "said"
#define CACHE_UPSTREAM "upstream" /* of the history, and with it of all that is cached */

struct failure {
	struct claim claim;
	enum reason reason;
	int64_t retry_after_ms; /* as asked by the upstream, 0 none */
};

/* Redis answers with an error where a refresh needs more. A claim that is granted does not mean that
 * pages can be stored: what was refused must be done before all is well. */
struct refusal {
	const char *words; /* NULL: none */
	int what;          /* enum store_script, or one of those below */
	int64_t since_ms, logged_ms;
};

#define REFUSED_READ    (-1)
#define REFUSED_HISTORY STORE_SCRIPTS /* reading it: of no concern to new data */

/* What the replies in the store are: the state of a group, then the entries of these lookups. */
struct batch_read {
	bool alive; /* for more than one cache_read, and nothing has been asked since */
	bool timed; /* Redis' clock comes first */
	enum cache_group group;
	int64_t bucket; /* whose entries they are, -1: there are none */
	struct cache_lookup lookups[CACHE_LOOKUPS_MAX];
	size_t count;
};

/*
 * What a worker remembers between requests: where the pointer of each group was, how Redis' clock
 * stands to ours, and for how long not to ask again. All of it may be lost or wrong without harm:
 * it only saves round trips.
 */
struct cache {
	struct store *store;
	const struct cache_limits *limits;
	const struct cache_owner *owner;
	cache_batch_fn batch; /* NULL: nobody watches */
	void *batch_ctx;
	char giant[128];        /* a key to be removed, "": none */
	bool was_late;          /* the last read got no answer */
	int64_t down_until_ms;  /* monotonic */
	int64_t down_ms;        /* how long Redis counts as down at present, 0: it answered last */
	int64_t down_logged_ms; /* monotonic: when the log was told of it */
	bool foreign;           /* what is in Redis belongs to another fleet */
	int64_t recheck_ms;     /* monotonic: when to see whether it still does */
	int64_t foreign_logged_ms; /* monotonic: when the log was told of it */
	struct refusal refusal;
	struct batch_read last_batch;
	struct failure failure; /* the last one */
	bool is_behind;         /* Redis was away when it was to be told of it */
	bool clock_known;
	int64_t clock_read_ms;   /* monotonic: when it was last read */
	int64_t clock_offset_ms; /* Redis' clock - monotonic clock */
	struct {
		int64_t bucket;         /* where the pointer was last, -1 unknown */
		int64_t quiet_until_ms; /* monotonic: claims are answered with `refused` until then
					 */
		enum claim_result refused;
	} group[CACHE_GROUPS];
};

/* Nothing may be asked of Redis: it did not answer a moment ago, or holds another fleet's data. */
bool cache_is_down(const struct cache *cache);
/* Not even whether that is still so. */
bool cache_is_away(const struct cache *cache);
/* Redis holds the data of this other fleet. */
void cache_mark_foreign(struct cache *cache, struct span upstream);
/* Whether that is what a script has answered; noted then. */
bool cache_note_foreign(struct cache *cache, const redisReply *reply);
void cache_mark_down(struct cache *cache, const char *why);
/* Why a reply that is not the expected one is none. */
const char *refusal_text(const redisReply *reply);
/* Redis has answered this (a script or REFUSED_...) with an error, or done it. */
void cache_note_refusal(struct cache *cache, int what, const char *why);
void cache_note_done(struct cache *cache, int what);
/* Data of this age are there: whatever was refused before was done by somebody since. */
void cache_note_data(struct cache *cache, int64_t age_ms);
/* Redis gave an answer that makes sense: the next failure is the first one again. */
void cache_mark_up(struct cache *cache);
/* Runs the batch of store_cmd within `ms`. */
enum store_result cache_run_for(struct cache *cache, int64_t ms);
/* The same within limits->batch_ms. */
enum store_result cache_run(struct cache *cache);
/* One script call, unless Redis counts as down; NULL when it cannot be reached or refused (OOM,
 * READONLY, NOPERM ...), which is logged. */
const redisReply *cache_eval(struct cache *cache, enum store_script script, size_t keys,
			     size_t argc, const struct span *argv, int64_t ms);
/* The same even if Redis has just missed a deadline, and again until `ms` have passed while it
 * cannot be reached: who stages and commits keeps nobody waiting, and giving up would cost the call
 * and the rest of the lease. Only for scripts that may run twice. */
const redisReply *cache_eval_anyway(struct cache *cache, enum store_script script, size_t keys,
				    size_t argc, const struct span *argv, int64_t ms);

#define CACHE_EVAL(cache, script, keys, ms, ...)                                                   \
	cache_eval((cache), (script), (keys),                                                      \
		   sizeof((const struct span[]){__VA_ARGS__}) / sizeof(struct span),               \
		   (const struct span[]){__VA_ARGS__}, (ms))

struct key;
/* Notes a key for cache_heal; the second one only if this reply of the last run was too large to be
 * taken. */
void cache_remove_later(struct cache *cache, struct key key);
void cache_note_giant(struct cache *cache, size_t reply, struct key key);

#endif
