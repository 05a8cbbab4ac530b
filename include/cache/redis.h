/* SPDX-License-Identifier: MIT */
/*
 * Internals of the cache, for its own files: running one batch or script, and remembering failures.
 * After a failure Redis counts as down for about 100 ms. Each further failure doubles that, up to
 * about a second: a short stall is soon over, and a hung Redis stalls each worker once a second.
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
	int64_t retry_after_ms; /* requested by the upstream; 0: none */
};

/* Redis refuses something that a refresh needs. A claim that succeeds does not prove that pages can
 * be stored: the refusal lasts until what was refused succeeds. */
struct refusal {
	const char *words; /* NULL: none */
	int what;          /* enum store_script or REFUSED_... */
	int64_t since_ms, logged_ms;
};

#define REFUSED_READ    (-1)
#define REFUSED_HISTORY STORE_SCRIPTS /* reading it; new data do not depend on that */

/* Describes the replies in the store: the state of a group, then the entries of these lookups. */
struct batch_read {
	bool alive; /* prefetched, and no command has been sent since */
	bool timed; /* Redis' clock comes first */
	enum cache_group group;
	int64_t bucket; /* whose entries they are, -1: there are none */
	struct cache_lookup lookups[CACHE_LOOKUPS_MAX];
	size_t count;
};

/*
 * What a worker remembers between requests: where each group's pointer was, the offset of Redis'
 * clock, and how long to wait before asking again. It only saves round trips, so it may be lost or
 * wrong without harm.
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
	int64_t recheck_ms;     /* monotonic: when to check that again */
	int64_t foreign_logged_ms; /* monotonic: when the log was told of it */
	struct refusal refusal;
	struct batch_read last_batch;
	struct failure failure; /* the last one */
	bool is_behind;         /* Redis was down when `failure` was to be recorded */
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

/* Redis must not be used: it did not answer a moment ago, or holds another fleet's data. */
bool cache_is_down(const struct cache *cache);
/* It is too early even to check whether that has changed. */
bool cache_is_away(const struct cache *cache);
/* Redis holds the data of this other fleet. */
void cache_mark_foreign(struct cache *cache, struct span upstream);
/* Whether a script has answered that; if so, notes it. */
bool cache_note_foreign(struct cache *cache, const redisReply *reply);
void cache_mark_down(struct cache *cache, const char *why);
/* Why an unexpected reply cannot be used. */
const char *refusal_text(const redisReply *reply);
/* Redis has refused this (a script or REFUSED_...), or has done it. */
void cache_note_refusal(struct cache *cache, int what, const char *why);
void cache_note_done(struct cache *cache, int what);
/* Data of this age are published: whatever was refused before them has since succeeded somewhere.
 * */
void cache_note_data(struct cache *cache, int64_t age_ms);
/* Redis gave a valid answer: the next failure counts as the first one again. */
void cache_mark_up(struct cache *cache);
/* Runs the batch of store_cmd within `ms`. */
enum store_result cache_run_for(struct cache *cache, int64_t ms);
/* The same within limits->batch_ms. */
enum store_result cache_run(struct cache *cache);
/* Runs one script, unless Redis counts as down. NULL, and logged, if Redis cannot be reached or
 * refuses (OOM, READONLY, NOPERM ...). */
const redisReply *cache_eval(struct cache *cache, enum store_script script, size_t keys,
			     size_t argc, const struct span *argv, int64_t ms);
/* The same even if Redis has just missed a deadline, retrying for up to `ms` while it cannot be
 * reached: staging and committing keep no request waiting, and giving up would waste the call and
 * block the rest of the lease. Only for scripts that may run twice. */
const redisReply *cache_eval_anyway(struct cache *cache, enum store_script script, size_t keys,
				    size_t argc, const struct span *argv, int64_t ms);

#define CACHE_EVAL(cache, script, keys, ms, ...)                                                   \
	cache_eval((cache), (script), (keys),                                                      \
		   sizeof((const struct span[]){__VA_ARGS__}) / sizeof(struct span),               \
		   (const struct span[]){__VA_ARGS__}, (ms))

struct key;
/* Notes a key for cache_heal; cache_note_giant does so only if this reply of the last run was too
 * large. */
void cache_remove_later(struct cache *cache, struct key key);
void cache_note_giant(struct cache *cache, size_t reply, struct key key);

#endif
