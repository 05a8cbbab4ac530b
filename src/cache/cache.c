/* SPDX-License-Identifier: MIT */
/*
 * The states of a group, as a reader sees it:
 *
 *	FRESH   the pointer is of this bucket and of the epoch that is in force
 *	STALE   there is a pointer, but of an older bucket, or of an epoch before the last flush
 *	COLD    there is no pointer, or its data are older than max_stale
 *	DOWN    Redis did not answer in time, or what it holds belongs to another fleet
 *
 *	COLD, STALE -> FRESH   commit.lua alone, for the worker whose lock it finds
 *	FRESH -> STALE         time passes, or flush.lua sets another epoch
 *	any -> COLD            time passes, or somebody deletes the pointer
 *
 * Readers change nothing. One that finds STALE or COLD may claim: claim.lua gives the lock to one
 * of them until its lease ends, and to nobody while the breaker is open or the budget is spent.
 * The holder extends the lease, stages what nobody reads, and ends with a commit or a failure.
 *
 * Always true: a page is made of the one snapshot that the pointer names; the pointer never goes
 * back but by a loss in Redis; an entry that is damaged, of another build or of another snapshot
 * is a miss; what a read returns lives until the next question to Redis.
 *
 * This file reads. Who may refresh is in claim.c, what becomes visible in commit.c.
 */
#include "config.h"
#include "cache/cache.h"

#include <assert.h>
#include <stdlib.h>

#include "build_id.h"
#include "cache/redis.h"
#include "base/clock.h"
#include "cache/key.h"
#include "base/log.h"
#include "store/reply.h"

#define CLOCK_MS 1000

struct cache *cache_new(struct store *store, const struct cache_limits *limits,
			const struct cache_owner *owner)
{
	struct cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	cache->store = store;
	cache->limits = limits;
	cache->owner = owner;
	for (int g = 0; g < CACHE_GROUPS; g++)
		cache->group[g].bucket = -1;
	return cache;
}

void cache_free(struct cache **cache)
{
	free(*cache);
	*cache = NULL;
}

int64_t cache_interval_ms(const struct cache *cache, enum cache_group group)
{
	return cache->limits->group[group].interval_ms;
}

int64_t cache_now_ms(const struct cache *cache)
{
	return cache->clock_known ? clock_mono_ms() + cache->clock_offset_ms : clock_wall_ms();
}

int64_t cache_ms_to(const struct cache *cache, int64_t period_ms)
{
	if (!cache->clock_known)
		return -1;
	return period_ms - (clock_mono_ms() + cache->clock_offset_ms) % period_ms;
}

enum {
	ENTRY_FMT,
	ENTRY_BUILD,
	ENTRY_SNAP,
	ENTRY_ROUTE,
	ENTRY_TYPE,
	ENTRY_ETAG,
	ENTRY_DIGESTS,
	ENTRY_BODY,
	ENTRY_LEN,
	ENTRY_CRC
};

static void queue_entry(struct cache *cache, const char *route, int64_t bucket, bool gzip)
{
	struct key key = key_entry(cache, route, bucket);

	store_cmd(cache->store, SPAN("HMGET"), KEY(key), SPAN("fmt"), SPAN("build"), SPAN("snap"),
		  SPAN("route"), SPAN("type"), SPAN("etag"), SPAN("says"),
		  gzip ? SPAN("gzip") : SPAN("body"), gzip ? SPAN("glen") : SPAN("len"),
		  gzip ? SPAN("gcrc") : SPAN("crc"));
}

/* Why an entry cannot be used, or NULL. Any fault is a miss: never an error page, never another
 * route's body. */
static const char *entry_fault(const redisReply *reply, const char *route, const char *snap)
{
	struct span body = reply_field(reply, ENTRY_BODY), build = reply_field(reply, ENTRY_BUILD);
	char crc[HASH_HEX];

	if (reply_decimal(reply_field(reply, ENTRY_FMT)) != CACHE_FORMAT)
		return "format";
	if (!span_is(build, BUILD_ID) && !span_is(build, CACHE_DATA_BUILD))
		return "build";
	if (!span_is(reply_field(reply, ENTRY_SNAP), snap))
		return "snapshot";
	if (!span_is(reply_field(reply, ENTRY_ROUTE), route))
		return "route";
	if (!body.ptr || reply_decimal(reply_field(reply, ENTRY_LEN)) != (int64_t)body.len)
		return "length";
	hash_hex(hash_xxh64(body), crc);
	return span_is(reply_field(reply, ENTRY_CRC), crc) ? NULL : "checksum";
}

/* 0 with *entry filled, or -1. A gzip form that was never stored is a miss too; callers then
 * request the body. */
static int take_entry(const redisReply *reply, const char *route, const char *snap, bool gzip,
		      struct cache_entry *entry)
{
	const char *fault;

	if (reply->type != REDIS_REPLY_ARRAY || !reply_field(reply, ENTRY_FMT).ptr)
		return -1;
	fault = entry_fault(reply, route, snap);
	if (!fault && !reply_copy(entry->etag, sizeof(entry->etag), reply_field(reply, ENTRY_ETAG)))
		fault = "etag";
	if (fault) {
		log_event(LOG_LEVEL_WARNING, "entry_refused", LOG_STR("route", route),
			  LOG_STR("fault", fault));
		return -1;
	}
	entry->body = reply_field(reply, ENTRY_BODY);
	entry->type = reply_field(reply, ENTRY_TYPE);
	entry->digests = reply_field(reply, ENTRY_DIGESTS);
	entry->gzip = gzip;
	return 0;
}

/* Between two readings of Redis' clock, our monotonic clock measures the time passed
 * (doc/cache.md#time). A step of Redis' clock is noticed within a second. */
static bool clock_is_due(const struct cache *cache, int64_t now_ms)
{
	return !cache->clock_known || now_ms - cache->clock_read_ms >= CLOCK_MS;
}

/* sent_ms: when the batch was sent, so that a worker that was suspended since then asks again. */
static bool take_time(struct cache *cache, int64_t sent_ms)
{
	const redisReply *reply = store_reply(cache->store, 0);
	int64_t seconds = reply_decimal(reply_field(reply, 0)),
		us = reply_decimal(reply_field(reply, 1));

	if (seconds < 0 || us < 0)
		return false;
	cache->clock_known = true;
	cache->clock_read_ms = sent_ms;
	cache->clock_offset_ms = seconds * 1000 + us / 1000 - clock_mono_ms();
	return true;
}

static void queue_state(struct cache *cache, enum cache_group group, bool timed)
{
	struct key cur = key_group(cache, "cur", group), epoch = key_group(cache, "epoch", group),
		   brk = key_group(cache, "brk", group), digests = key_shared(cache, CACHE_DIGESTS);

	if (timed)
		store_cmd(cache->store, SPAN("TIME"));
	store_cmd(cache->store, SPAN("HMGET"), KEY(cur), SPAN("bucket"), SPAN("epoch"), SPAN("gen"),
		  SPAN("snap"), SPAN("fill"), SPAN("upstream"));
	store_cmd(cache->store, SPAN("GET"), KEY(epoch));
	store_cmd(cache->store, SPAN("HMGET"), KEY(brk), SPAN("code"), SPAN("since"),
		  SPAN("open_until"));
	store_cmd(cache->store, SPAN("HMGET"), KEY(digests), SPAN("status"), SPAN("scenario"));
}

/* The replies with the state, in order; those with entries follow. */
enum { REPLY_POINTER, REPLY_EPOCH, REPLY_BREAKER, REPLY_DIGESTS, REPLY_ENTRY };

/* Why the replies do not give the state, or NULL. A key of the wrong type is no fault: the next
 * claim repairs it. */
static const char *state_fault(const struct cache *cache, size_t first)
{
	for (size_t i = 0; i < first + REPLY_ENTRY; i++) {
		const redisReply *reply = store_reply(cache->store, i);

		if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "WRONGTYPE", 9) != 0)
			return reply->str;
	}
	return NULL;
}

static void take_breaker(const redisReply *reply, struct cache_state *state)
{
	struct span code = reply_field(reply, 0);

	if (!code.ptr)
		return;
	state->reason = reason_find(code);
	state->since_ms = reply_decimal(reply_field(reply, 1));
	state->next_try_ms = reply_decimal(reply_field(reply, 2));
}

/* "<time> <digest>" of cache_publish_digest. */
static void take_digest(struct span text, int64_t now_ms, struct cache_digest *digest)
{
	const char *blank = text.len ? memchr(text.ptr, ' ', text.len) : NULL;
	size_t len = blank ? (size_t)(blank - text.ptr) : 0;
	int64_t at_ms = reply_decimal((struct span){text.ptr, len});

	*digest = (struct cache_digest){-1, CACHE_UNKNOWN};
	if (at_ms >= 0 && now_ms - at_ms <= CACHE_DIGEST_MS &&
	    reply_copy(digest->digest, sizeof(digest->digest),
		       (struct span){blank + 1, text.len - len - 1}))
		digest->at_ms = at_ms;
}

static enum cache_verdict judge(const struct cache_state *state, int64_t max_stale_ms)
{
	if (state->data_bucket < 0 || state->now_ms - state->gen_ms > max_stale_ms)
		return CACHE_COLD;
	return state->data_bucket == state->bucket && !state->flushed ? CACHE_FRESH : CACHE_STALE;
}

enum { POINTER_BUCKET, POINTER_EPOCH, POINTER_GEN, POINTER_SNAP, POINTER_FILL, POINTER_UPSTREAM };

static bool is_fingerprint(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!memchr("0123456789abcdef", text.ptr[i], 16))
			return false;
	return text.len == HASH_HEX - 1;
}

/* Whether a pointer belongs to another fleet. One without a fingerprint was written by an older
 * version. An invalid fingerprint was written by another program; the next claim repairs it. */
static bool is_foreign(const struct cache *cache, const redisReply *pointer)
{
	struct span upstream = reply_field(pointer, POINTER_UPSTREAM);

	return is_fingerprint(upstream) && !span_is(upstream, cache->owner->upstream);
}

static void take_pointer(const struct cache *cache, const redisReply *reply,
			 struct cache_state *state)
{
	struct span snap = reply_field(reply, POINTER_SNAP);

	state->data_bucket = reply_decimal(reply_field(reply, POINTER_BUCKET));
	state->gen_ms = reply_decimal(reply_field(reply, POINTER_GEN));
	state->fill_ms = reply_decimal(reply_field(reply, POINTER_FILL));
	/* An incomplete pointer counts as absent, and so does another fleet's. */
	if (state->gen_ms < 0 || !snap.ptr || is_foreign(cache, reply) ||
	    !reply_copy(state->snap, sizeof(state->snap), snap))
		state->data_bucket = -1;
}

static enum cache_verdict take_state(struct cache *cache, enum cache_group group, size_t first,
				     struct cache_state *state)
{
	const redisReply *pointer = store_reply(cache->store, first + REPLY_POINTER);
	struct span epoch = reply_text(store_reply(cache->store, first + REPLY_EPOCH));

	state->now_ms = clock_mono_ms() + cache->clock_offset_ms;
	state->bucket = state->now_ms / cache->limits->group[group].interval_ms;
	take_pointer(cache, pointer, state);
	state->flushed = !epoch.ptr || !span_eq(epoch, reply_field(pointer, POINTER_EPOCH));
	take_breaker(store_reply(cache->store, first + REPLY_BREAKER), state);
	for (int g = CACHE_STATUS; g < CACHE_SAID_END; g++)
		take_digest(reply_field(store_reply(cache->store, first + REPLY_DIGESTS),
					(size_t)(g - CACHE_STATUS)),
			    state->now_ms, &state->digests[g]);
	return judge(state, cache->limits->max_stale_ms);
}

/* The fleet's pointer shows which fleet the cache belongs to. */
static bool note_owner(struct cache *cache, const struct batch_read *batch)
{
	const redisReply *pointer = store_reply(cache->store, batch->timed + REPLY_POINTER);

	if (batch->group != CACHE_FLEET)
		return cache->foreign;
	cache->foreign = is_foreign(cache, pointer);
	if (cache->foreign)
		cache_mark_foreign(cache, reply_field(pointer, POINTER_UPSTREAM));
	return cache->foreign;
}

/* The index of this route's entry among the lookups; batch->count: it was not requested. */
static size_t find_lookup(const struct batch_read *batch, const char *route, bool gzip)
{
	size_t i = 0;

	while (i < batch->count &&
	       (batch->lookups[i].gzip != gzip || strcmp(batch->lookups[i].route, route) != 0))
		i++;
	return i;
}

static bool is_answered(const struct batch_read *batch, enum cache_group group, const char *route,
			bool gzip)
{
	return batch->alive && batch->group == group &&
	       (!route || find_lookup(batch, route, gzip) < batch->count);
}

static void queue_batch(struct cache *cache, const struct batch_read *batch)
{
	queue_state(cache, batch->group, batch->timed);
	/* The pointer is nearly always where it was last seen. */
	for (size_t i = 0; i < batch->count && batch->bucket >= 0; i++)
		queue_entry(cache, batch->lookups[i].route, batch->bucket, batch->lookups[i].gzip);
}

/* LOADING, NOPERM, a stray reply ...: a new connection may help. */
static void give_up(struct cache *cache, const char *fault)
{
	cache_note_refusal(cache, REFUSED_READ, fault);
	cache_mark_down(cache, fault);
	store_close(cache->store);
}

/* The key behind reply i of a batch, not counting the clock's. */
static struct key key_of_reply(const struct cache *cache, const struct batch_read *batch, size_t i)
{
	static const char *const names[] = {
		[REPLY_POINTER] = "cur", [REPLY_EPOCH] = "epoch", [REPLY_BREAKER] = "brk"};

	if (i == REPLY_DIGESTS)
		return key_shared(cache, CACHE_DIGESTS);
	if (i < REPLY_DIGESTS)
		return key_group(cache, names[i], batch->group);
	return key_entry(cache, batch->lookups[i - REPLY_ENTRY].route, batch->bucket);
}

static void note_giants(struct cache *cache, const struct batch_read *batch)
{
	for (size_t i = 0; i < REPLY_ENTRY + batch->count; i++)
		cache_note_giant(cache, batch->timed + i, key_of_reply(cache, batch, i));
}

/* If Redis did not answer in time, it may have been copying a giant value. It reports the size of a
 * value at once, so ask for the sizes first. */
static enum store_result measure_values(struct cache *cache, const struct batch_read *batch)
{
	size_t count = REPLY_ENTRY + (batch->bucket >= 0 ? batch->count : 0);
	enum store_result rc;

	for (size_t i = 0; i < count; i++) {
		struct key key = key_of_reply(cache, batch, i);

		store_cmd(cache->store, SPAN("MEMORY"), SPAN("USAGE"), KEY(key), SPAN("SAMPLES"),
			  SPAN("0"));
	}
	rc = cache_run(cache);
	for (size_t i = 0; i < count && rc == STORE_OK; i++)
		if (store_reply(cache->store, i)->integer > STORE_REPLY_BYTES)
			cache_remove_later(cache, key_of_reply(cache, batch, i));
	if (rc == STORE_OK)
		cache_heal(cache);
	cache->was_late = rc == STORE_DOWN;
	return rc;
}

/* Reads the state of the group and these entries in one round trip. Leaves out an entry that is too
 * large to be ours, and those after it. */
static enum store_result batch_read(struct cache *cache, enum cache_group group,
				    const struct cache_lookup *lookups, size_t count)
{
	struct batch_read batch = {
		.group = group, .count = count, .bucket = cache->group[group].bucket};
	int64_t began = clock_mono_ms();
	enum store_result rc;
	const char *fault;

	memcpy(batch.lookups, lookups, count * sizeof(*lookups));
	if (cache->was_late && measure_values(cache, &batch) == STORE_DOWN)
		return STORE_DOWN;
	batch.timed = clock_is_due(cache, began);
	queue_batch(cache, &batch);
	rc = cache_run(cache);
	cache->was_late = rc == STORE_DOWN;
	if (rc == STORE_DOWN)
		return STORE_DOWN;
	fault = state_fault(cache, batch.timed);
	if (!fault && batch.timed && !take_time(cache, began))
		fault = "unexpected reply";
	if (fault) {
		give_up(cache, fault);
		return STORE_DOWN;
	}
	cache_mark_up(cache);
	cache_note_done(cache, REFUSED_READ);
	cache->last_batch = batch;
	if (rc == STORE_TOO_LARGE)
		note_giants(cache, &batch);
	return rc;
}

void cache_prefetch(struct cache *cache, enum cache_group group, const struct cache_lookup *lookups,
		    size_t count)
{
	if (!cache_is_down(cache))
		cache->last_batch.alive = batch_read(cache, group, lookups, count) == STORE_OK;
}

void cache_prefetch_end(struct cache *cache)
{
	cache->last_batch.alive = false;
}

/* The pointer moves once a bucket: only then is a second round trip needed. */
static bool find_entry(struct cache *cache, const char *route, bool gzip, struct cache_read *read)
{
	const struct batch_read *batch = &cache->last_batch;
	const struct cache_state *state = &read->state;

	cache->group[batch->group].bucket = state->data_bucket;
	if (batch->bucket != state->data_bucket)
		return cache_read_more(cache, state, route, gzip, &read->entry) == 0;
	return take_entry(store_reply(cache->store,
				      batch->timed + REPLY_ENTRY + find_lookup(batch, route, gzip)),
			  route, state->snap, gzip, &read->entry) == 0;
}

enum cache_verdict cache_read(struct cache *cache, enum cache_group group, const char *route,
			      bool gzip, struct cache_read *read)
{
	const struct cache_lookup lookup = {route, gzip};
	struct cache_state *state = &read->state;

	*read = (struct cache_read){.state = {.verdict = CACHE_DOWN, .data_bucket = -1}};
	if (cache_is_away(cache))
		return CACHE_DOWN;
	if (!is_answered(&cache->last_batch, group, route, gzip) &&
	    batch_read(cache, group, &lookup, route != NULL) == STORE_DOWN)
		return CACHE_DOWN;
	if (note_owner(cache, &cache->last_batch))
		return CACHE_DOWN;
	state->verdict = take_state(cache, group, cache->last_batch.timed, state);
	assert(state->verdict != CACHE_FRESH || state->data_bucket == state->bucket);
	if (state->data_bucket >= 0)
		cache_note_data(cache, state->now_ms - state->gen_ms);
	/* Whatever made claims fail is over. */
	if (state->verdict == CACHE_FRESH)
		cache->group[group].quiet_until_ms = 0;
	if (state->data_bucket >= 0 && route)
		read->found = find_entry(cache, route, gzip, read);
	return state->verdict;
}

bool cache_entry_is_current(const struct cache_read *read)
{
	struct span digests = read->entry.digests;

	if (!digests.len)
		return true;
	for (int g = CACHE_STATUS; g < CACHE_SAID_END; g++) {
		struct span now = span_str(read->state.digests[g].digest);

		if (digests.len < now.len || memcmp(digests.ptr, now.ptr, now.len) != 0)
			return false;
		now.len += digests.len > now.len;
		digests = (struct span){digests.ptr + now.len, digests.len - now.len};
	}
	return !digests.len;
}

/* A giant value written by another program would keep Redis copying beyond every deadline. An entry
 * of unknown size is not read either. */
static bool is_giant(struct cache *cache, const char *route, int64_t bucket, bool gzip)
{
	struct key key = key_entry(cache, route, bucket);

	store_cmd(cache->store, SPAN("HSTRLEN"), KEY(key), gzip ? SPAN("gzip") : SPAN("body"));
	if (cache_run(cache) != STORE_OK)
		return true;
	if (store_reply(cache->store, 0)->integer <= STORE_REPLY_BYTES)
		return false;
	log_event(LOG_LEVEL_WARNING, "entry_refused", LOG_STR("route", route),
		  LOG_STR("fault", "size"));
	return true;
}

/* The entry in reply 0. */
static bool read_entry(struct cache *cache, const char *route, int64_t bucket, bool gzip)
{
	enum store_result rc;

	if (cache_is_down(cache) || is_giant(cache, route, bucket, gzip))
		return false;
	queue_entry(cache, route, bucket, gzip);
	rc = cache_run(cache);
	if (rc == STORE_TOO_LARGE)
		cache_note_giant(cache, 0, key_entry(cache, route, bucket));
	return rc == STORE_OK;
}

int cache_read_more(struct cache *cache, const struct cache_state *state, const char *route,
		    bool gzip, struct cache_entry *entry)
{
	if (!read_entry(cache, route, state->data_bucket, gzip))
		return -1;
	return take_entry(store_reply(cache->store, 0), route, state->snap, gzip, entry);
}

int cache_read_previous(struct cache *cache, struct cache_state *state, const char *route,
			struct cache_entry *entry)
{
	struct cache_state older = *state;
	struct span snap;
	const redisReply *reply;

	older.data_bucket--;
	if (!read_entry(cache, route, older.data_bucket, false))
		return -1;
	reply = store_reply(cache->store, 0);
	snap = reply_field(reply, ENTRY_SNAP);
	if (!snap.ptr || !reply_copy(older.snap, sizeof(older.snap), snap) ||
	    take_entry(reply, route, older.snap, false, entry) != 0)
		return -1;
	*state = older;
	return 0;
}

void cache_fields(struct cache *cache, const struct cache_state *state, const char *route,
		  size_t count, const struct span *names, struct span *values)
{
	struct key key = key_entry(cache, route, state->data_bucket);
	struct span argv[3 + CACHE_FIELDS_MAX] = {SPAN("HMGET"), KEY(key), SPAN("")};
	const redisReply *reply;
	enum store_result rc;

	assert(count <= CACHE_FIELDS_MAX);
	memset(values, 0, count * sizeof(*values));
	if (count == 0 || cache_is_down(cache))
		return;
	memcpy(argv + 3, names, count * sizeof(*names));
	store_argv(cache->store, 3 + count, argv);
	rc = cache_run(cache);
	if (rc == STORE_TOO_LARGE)
		cache_note_giant(cache, 0, key);
	if (rc != STORE_OK)
		return;
	reply = store_reply(cache->store, 0);
	if (!span_is(reply_field(reply, 0), state->snap))
		return;
	for (size_t i = 0; i < count; i++)
		values[i] = reply_field(reply, i + 1);
}
