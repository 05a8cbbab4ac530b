/* SPDX-License-Identifier: MIT */
/*
 * The shared cache in Redis: reading entries, claiming a refresh, publishing new data.
 * redis/KEYS.md lists the keys; doc/cache.md explains the protocol and the race that each step
 * answers.
 *
 * Reading, one round trip on a hit:
 *
 *	if (cache_read(cache, CACHE_FLEET, "overview", true, &read) == CACHE_FRESH && read.found)
 *		send(read.entry.body);
 *
 * Refreshing, by the one worker that wins the claim:
 *
 *	if (cache_claim(cache, group, &claim) == CLAIM_WON) {
 *		reason = fetch();                   // cache_extend(cache, &claim) now and then
 *		cache_stage(cache, &claim, "overview", snap, &document);  // any number
 *		if (reason == REASON_NONE)
 *			cache_commit(cache, &claim, &commit);
 *		else
 *			cache_fail(cache, &claim, reason, 0);
 *	}
 *
 * All times are by Redis' clock (doc/cache.md#time). What a read returns points into the last
 * replies and is valid until the next call of any function here.
 */
#ifndef TFT_CACHE_H
#define TFT_CACHE_H

#include "cache/protocol.h"
#include "fleet/condition.h"
#include "fleet/diagnosis.h"
#include "base/hash.h"
#include "store/store.h"

#define CACHE_FORMAT 1 /* of the entries; another one is a miss */

enum cache_group {
	CACHE_FLEET,
	CACHE_STATUS,
	CACHE_SCENARIO,
	CACHE_ALERTS,       /* what was sent to Alertmanagers */
	CACHE_ALERTMANAGER, /* what one of them told */
	CACHE_GROUPS
};

/* Pages say something about the groups from CACHE_STATUS up to here: they have a digest. */
#define CACHE_SAID_END CACHE_ALERTS

struct cache_group_limits {
	int64_t interval_ms;
	int64_t lease_ms; /* the longest call of a refresh and PROTOCOL_LEASE_REST_MS */
	int64_t calls;    /* budget in the sliding window */
};

struct cache_limits {
	struct cache_group_limits group[CACHE_GROUPS];
	int64_t max_stale_ms; /* expiry of entries */
	int64_t batch_ms;     /* deadline of a read or a claim */
	int64_t publish_ms;   /* deadline of each write of a refresh */
	int64_t history_points;
	int64_t history_memory; /* bytes of Redis' memory that moments and risks may take */
};

/* The fleet that the cache belongs to. Another fleet's data under the same prefix are neither read
 * nor written (doc/cache.md#fleets). Both strings are borrowed for the cache's life. */
struct cache_owner {
	const char *prefix;   /* of all keys, [a-z0-9-] */
	const char *upstream; /* fingerprint of the fleet's daemon, HASH_HEX - 1 hex digits */
};

struct cache;

struct cache *cache_new(struct store *store, const struct cache_limits *limits,
			const struct cache_owner *owner);
void cache_free(struct cache **cache);
/* Reports how long each batch or script took, and whether it had to reconnect. */
typedef void (*cache_batch_fn)(void *ctx, int64_t us, bool reconnected);
void cache_watch(struct cache *cache, cache_batch_fn batch, void *ctx);

enum cache_verdict {
	CACHE_FRESH, /* the pointer is of this bucket and epoch */
	CACHE_STALE, /* there is a pointer, but it is older, or flushed */
	CACHE_COLD,  /* no pointer, or older than max_stale */
	CACHE_DOWN   /* Redis did not answer in time, or holds another fleet's data */
};

/* A digest of a small group's last answer: enough to tell whether a stored page still agrees. */
struct cache_digest {
	int64_t at_ms; /* when it was requested; -1: no answer in the last CACHE_DIGEST_MS */
	char digest[HASH_HEX]; /* CACHE_UNKNOWN then, or after a failed call */
};

#define CACHE_UNKNOWN   "-"
#define CACHE_DIGEST_MS 60000 /* older answers do not count */

/* The state of a group, from one read. */
struct cache_state {
	enum cache_verdict verdict;
	int64_t now_ms;      /* Redis' clock, epoch */
	int64_t bucket;      /* the current bucket */
	int64_t data_bucket; /* of the pointer, -1: none */
	int64_t gen_ms, fill_ms;
	char snap[HASH_HEX];
	bool flushed;       /* the pointer is of another epoch */
	enum reason reason; /* of the breaker; REASON_NONE: closed */
	int64_t since_ms, next_try_ms;
	struct cache_digest digests[CACHE_GROUPS]; /* of the small groups */
};

/* A stored document whose checks have passed. */
struct cache_entry {
	struct span body; /* gzip'd if that was requested */
	bool gzip;
	struct span type;
	char etag[HASH_HEX];
	struct span digests; /* as staged */
};

struct cache_read {
	struct cache_state state;
	bool found; /* entry is filled */
	struct cache_entry entry;
};

#define CACHE_LOOKUPS_MAX 8

struct cache_lookup {
	const char *route; /* of the page table */
	bool gzip;
};

/* Reads at most CACHE_LOOKUPS_MAX entries for a set of pending requests in one round trip. Each
 * cache_read of the group is answered from it until another command goes to Redis, or until
 * cache_prefetch_end. */
void cache_prefetch(struct cache *cache, enum cache_group group, const struct cache_lookup *lookups,
		    size_t count);
void cache_prefetch_end(struct cache *cache);

/* Reads the state and the entry of a route; route NULL: the state alone. */
enum cache_verdict cache_read(struct cache *cache, enum cache_group group, const char *route,
			      bool gzip, struct cache_read *read);
/* Whether the entry that was found still agrees with the small groups. */
bool cache_entry_is_current(const struct cache_read *read);
/* Reads another route of the snapshot that an earlier read saw, so that one answer never mixes
 * snapshots. 0, or -1 if it is absent. */
int cache_read_more(struct cache *cache, const struct cache_state *state, const char *route,
		    bool gzip, struct cache_entry *entry);

/* Reads the route from the previous bucket, for when the current entry is damaged or gone. 0 with
 * *state describing that bucket, or -1. */
int cache_read_previous(struct cache *cache, struct cache_state *state, const char *route,
			struct cache_entry *entry);

enum claim_result { CLAIM_WON, CLAIM_FRESH, CLAIM_BUSY, CLAIM_OPEN, CLAIM_BUDGET, CLAIM_DOWN };

struct claim {
	enum cache_group group;
	char token[TOKEN_HEX];
	char epoch[PROTOCOL_EPOCH_BYTES + 1];
	int64_t bucket;
	int64_t now_ms;    /* Redis' clock at the claim: gen of the data */
	int64_t mono_ms;   /* our monotonic clock at the claim */
	int64_t leased_ms; /* our monotonic clock when the lease was last renewed */
};

/* After CLAIM_BUSY, CLAIM_OPEN, CLAIM_BUDGET or a refusal, repeats that result without a call to
 * Redis for up to 250 ms or until the data are fresh, so that many stale requests do not run many
 * scripts. */
enum claim_result cache_claim(struct cache *cache, enum cache_group group, struct claim *claim);
/* Whether the holder may still begin its call: false if it was stopped for so long that the call
 * could outlive the lease. */
bool cache_claim_in_time(const struct claim *claim);

enum lease {
	LEASE_RENEWED,
	LEASE_KEPT, /* unchanged: the claim has lasted a whole lease, or Redis is down; the commit
		       checks the lock anyway */
	LEASE_LOST  /* another worker holds the lock, or nobody does: stop */
};

/* Renews the lease, unless a whole lease has passed since the claim: no refresh takes longer than
 * twice the lease. */
enum lease cache_extend(struct cache *cache, struct claim *claim);

struct cache_document {
	struct span body, gzip; /* gzip empty: none */
	const char *type;
	bool is_page; /* rendered by this build's templates; other builds ignore it */
	struct span
		digests; /* digests of the small groups' answers that it contains, in their order,
			     separated by a blank; empty: none */
};

/* Stages a document for a route. 0, or -1 if Redis did not store it. */
int cache_stage(struct cache *cache, const struct claim *claim, const char *route, const char *snap,
		const struct cache_document *document);
/* Adds raw fields (one per server) to a staged hash: field-value pairs, at most 120 spans. */
int cache_stage_fields(struct cache *cache, const struct claim *claim, const char *route,
		       size_t count, const struct span *pairs);

enum commit_result {
	COMMIT_OK,
	COMMIT_LOST,
	COMMIT_FLUSHED,
	COMMIT_OLD,
	COMMIT_MISSING,
	COMMIT_FOREIGN,
	COMMIT_DOWN
};

extern const char *const commit_names[]; /* for the log, by enum commit_result */

#define CACHE_ROUTES_MAX 40

struct commit {
	const char *snap;
	const char *routes[CACHE_ROUTES_MAX]; /* every staged route */
	size_t count;
	int64_t fill_ms;          /* how long refreshes take, for the age classes */
	struct span history;      /* the record; empty: no point */
	struct span names, risks; /* of each server, for its own history */
	struct span moment;       /* the fleet as pages show it (fleet/moment.h) */
	/* The same beside the thin moment of beside_ms; it is kept if that is the one of its window.
	 * Without one, the same beside `moment`, whose length tells what later ones will take. */
	struct span beside;
	int64_t beside_ms;     /* 0: there was none */
	struct span forecasts; /* of its servers */
	/* Incidents (fleet/incidents.h), by a step from the moment of seen_ms (0: there was none);
	 * it counts only if that is still the last one. */
	int64_t seen_ms;
	struct span open, closed;
	/* By a step from the same moment; empty: as before. */
	struct span accuracy;    /* the hour's scores */
	struct span warnings;    /* its outcomes of warnings (cache/warnings.h) */
	struct span told, watch; /* those of this bucket, and what the next step continues from */
};

enum commit_result cache_commit(struct cache *cache, const struct claim *claim,
				const struct commit *commit);
/* Stages and commits the one document of a small group. */
enum commit_result cache_commit_one(struct cache *cache, const struct claim *claim,
				    const char *route, const struct cache_document *document);
/* Publishes the digest of a small group's latest answer, or CACHE_UNKNOWN, to all readers. */
void cache_publish_digest(struct cache *cache, const struct claim *claim, const char *digest);
/* Opens the breaker and releases the lock. retry_after_ms: requested by the upstream; 0: none. */
void cache_fail(struct cache *cache, const struct claim *claim, enum reason reason,
		int64_t retry_after_ms);
/* The group's daemon has just answered another call. A breaker that is open because the daemon
 * could not be reached lets one attempt through. */
void cache_reopen(struct cache *cache, enum cache_group group);
/* Why Redis answers but refuses a command that a refresh needs, in words that follow "Redis", and
 * for how long; NULL: it does not. The refusal ends when that command succeeds. */
const char *cache_refusal(const struct cache *cache, int64_t *for_ms);
/* Whether the cache was last seen to belong to another fleet; cache_read checks again. */
bool cache_is_foreign(const struct cache *cache);
/* Whether Redis was down when a failure was to be recorded. A lock that outlived a restart of Redis
 * would delay everyone for the rest of the lease. */
bool cache_is_behind(const struct cache *cache);
/* Removes a key whose value was found to be too large to be ours. */
void cache_heal(struct cache *cache);
/* Records that failure now, if there is one. */
void cache_catch_up(struct cache *cache);
/* Records an upstream call, for the status page and for cache_fill_ms. */
void cache_note(struct cache *cache, enum cache_group group, const struct diagnosis_call *call);
/* Records an operator's action, for the advanced page. */
void cache_note_action(struct cache *cache, const struct diagnosis_action *action);
/* Fills in the last calls and actions, the epoch and the remaining budget; everything else in
 * *diagnosis is zero or unknown. 0, or -1 if Redis does not answer. */
int cache_diagnose(struct cache *cache, enum cache_group group, struct diagnosis *diagnosis);
/* 90th percentile of the last refreshes' durations, rounded up to 100 ms; 0 when none is known. */
int64_t cache_fill_ms(struct cache *cache, enum cache_group group);

enum flush_result { FLUSH_OK, FLUSH_LIMITED, FLUSH_DOWN };

/* Declares the whole cache out of date (doc/cache.md#flush). FLUSH_LIMITED: the last flush was too
 * recent and nothing changed; *wait_ms is the time until the next one is allowed. */
enum flush_result cache_flush(struct cache *cache, int64_t *wait_ms);
/* The same for one small group, without the limit: the group has a separate budget. */
void cache_outdate(struct cache *cache, enum cache_group group);

int64_t cache_interval_ms(const struct cache *cache, enum cache_group group);
/* Time until the next period of this length begins, by Redis' clock as last read; -1: never read.
 * */
int64_t cache_ms_to(const struct cache *cache, int64_t period_ms);
/* Redis' clock as last seen; the host's where it was never seen. */
int64_t cache_now_ms(const struct cache *cache);
enum cache_pick { CACHE_ALL, CACHE_OLDEST, CACHE_NEWEST };

/* Part of a stream of the history: the entries of from_ms to to_ms, or one of them. */
struct cache_stream {
	const char *name; /* CACHE_HISTORY... */
	int64_t from_ms, to_ms;
	enum cache_pick pick;
};

#define CACHE_HISTORY         "fleet"
#define CACHE_HISTORY_HOURS   "hours"
#define CACHE_HISTORY_SERVERS "risk"
#define CACHE_SERVERS_HOURS   "riskhours" /* several entries of an hour have the same time */
#define CACHE_MOMENTS         "full"      /* every bucket */
#define CACHE_MOMENTS_THIN    "thin"      /* one in PROTOCOL_THIN_MS */
#define CACHE_FORECASTS       "forecasts"
#define CACHE_INCIDENTS       "incidents" /* those that ended; several may have the same time */
#define CACHE_ACCURACY        "accuracy"  /* of forecasts; the last one of an hour tells it all */
#define CACHE_WARNINGS        "warnings"  /* counts of their outcomes, in the same way */
#define CACHE_OUTCOMES        "outcomes"  /* one by one; several may have the same time */
#define CACHE_WATCH           "watch"     /* the last one alone */

/* One entry; fields: name, value, name, value ... */
typedef void (*cache_entry_fn)(void *ctx, int64_t at_ms, const struct span *fields, size_t count);
/* Passes all entries of the streams to `entry`, one stream after the other. 0, or -1 if Redis
 * cannot be reached or refuses. The fields live until the next command. */
int cache_read_streams(struct cache *cache, const struct cache_stream *streams, size_t count,
		       cache_entry_fn entry, void *ctx);

#define CACHE_BATCH_MAX 64

/* The same for streams that belong to several callers: each one adds its own and what takes their
 * entries, in the order in which they come. */
struct cache_batch {
	bool *refused; /* of the parts that are added from now on: set if Redis refuses one of them,
			  which the others do not notice; NULL: then the batch has failed */
	struct cache_batch_part {
		struct cache_stream stream;
		cache_entry_fn entry;
		void *ctx;
		bool *refused;
	} parts[CACHE_BATCH_MAX];
	size_t count;
};

void cache_batch_add(struct cache_batch *batch, struct cache_stream stream, cache_entry_fn entry,
		     void *ctx);
/* 0, or -1 as above; what `refused` points to is valid only after 0. */
int cache_batch_read(struct cache *cache, const struct cache_batch *batch);

#define CACHE_FIELDS_MAX 20

/* Reads raw fields of a hash of the state's bucket ("series": the forecasts of a server by its
 * name), with an empty span for each absent field. The field with the empty name holds the
 * snapshot's id; if that is another snapshot's, every field counts as absent. */
void cache_fields(struct cache *cache, const struct cache_state *state, const char *route,
		  size_t count, const struct span *names, struct span *values);

/* A counter of a node: its field in tft:node:<node>, and the value or what to add. */
struct cache_counter {
	struct span series;
	int64_t value;
};
/* Adds at most 500 counts to the node's totals and to those of all nodes. 0, or -1 if Redis did not
 * store them. */
int cache_count(struct cache *cache, const char *node, const struct cache_counter *counters,
		size_t count);
/* Reads the node's counters, or those of all nodes (NULL). Returns the number filled in, at most
 * max. */
size_t cache_counters(struct cache *cache, const char *node, struct cache_counter *counters,
		      size_t max);

#endif
