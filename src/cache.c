/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "cache.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "build_id.h"
#include "clock.h"
#include "log.h"

#define DOWN_MS       1000 /* +- 20 %: how long Redis counts as down after a failure */
#define CLAIM_WAIT_MS 250  /* longest memory of a refused claim */
#define STAGED_MS     "30000"
#define WINDOW_MS     60000 /* of the call budget */
#define GROUP_WINDOW  "60000"
#define BACKOFF_MS    "60000"
#define KEEP_MS       "86400000" /* of diagnostics */
#define DAY_MS        INT64_C(86400000)
#define SERVERS_BYTES (16 * 1024 * 1024) /* of the risks of all servers */
#define DATA_BUILD    "-"                /* entries without templates in them suit every build */

/*
 * What a worker remembers between requests: where the pointer of each group was, how Redis' clock
 * stands to ours, and for how long not to ask again. All of it may be lost or wrong without harm:
 * it only saves round trips.
 */
struct cache {
	struct store *store;
	const struct cache_limits *limits;
	int64_t down_until_ms; /* monotonic */
	bool clock_known;
	int64_t clock_offset_ms; /* Redis' clock - monotonic clock */
	struct {
		int64_t bucket;         /* where the pointer was last, -1 unknown */
		int64_t quiet_until_ms; /* monotonic: claims are answered with `refused` until then
					 */
		enum claim_result refused;
	} group[CACHE_GROUPS];
};

static const char *const group_names[CACHE_GROUPS] = {
	[CACHE_FLEET] = "fleet",
	[CACHE_STATUS] = "status",
	[CACHE_SCENARIO] = "scenario",
};

const char *const commit_names[] = {
	[COMMIT_OK] = "ok",   [COMMIT_LOST] = "lost",       [COMMIT_FLUSHED] = "flushed",
	[COMMIT_OLD] = "old", [COMMIT_MISSING] = "missing", [COMMIT_DOWN] = "redis-down",
};

struct key {
	char text[128];
};

__attribute__((format(printf, 1, 2))) static struct key make_key(const char *fmt, ...)
{
	struct key key;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(key.text, sizeof(key.text), fmt, ap);
	va_end(ap);
	return key;
}

static struct key group_key(const char *what, enum cache_group group)
{
	return make_key("tft:%s:%s", what, group_names[group]);
}

static struct key entry_key(const char *route, int64_t bucket)
{
	return make_key("tft:%s:%" PRId64, route, bucket);
}

static struct key staged_key(const struct claim *claim, const char *route)
{
	return make_key("tft:s:%s:%s", claim->token, route);
}

static struct key decimal(int64_t n)
{
	return make_key("%" PRId64, n);
}

#define KEY(k) span_str((k).text)

struct cache *cache_new(struct store *store, const struct cache_limits *limits)
{
	struct cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	cache->store = store;
	cache->limits = limits;
	for (int g = 0; g < CACHE_GROUPS; g++)
		cache->group[g].bucket = -1;
	return cache;
}

void cache_free(struct cache **cache)
{
	free(*cache);
	*cache = NULL;
}

/* After a failure Redis counts as down for about a second, so that a hung one costs each worker one
 * stall a second at most. The jitter comes from the clock's low bits: workers fail at different
 * microseconds. */
static void mark_down(struct cache *cache, const char *why)
{
	int64_t jitter = clock_mono_us() % (2 * DOWN_MS / 5);

	cache->down_until_ms = clock_mono_ms() + DOWN_MS - DOWN_MS / 5 + jitter;
	log_event(LOG_LEVEL_WARNING, "redis_down", LOG_STR("err", why));
}

static bool is_down(const struct cache *cache)
{
	return clock_mono_ms() < cache->down_until_ms;
}

static enum store_result run(struct cache *cache)
{
	enum store_result rc = store_run(cache->store, cache->limits->batch_ms);

	if (rc != STORE_OK)
		mark_down(cache, store_error(cache->store));
	return rc;
}

/* One script call; NULL when Redis cannot be reached or refused it (OOM, READONLY, NOPERM ...),
 * which is logged. Asks even if Redis has just missed a deadline: who stages and commits keeps
 * nobody waiting, and giving up would cost the call and the rest of the lease. */
static const redisReply *eval_anyway(struct cache *cache, enum store_script script, size_t keys,
				     size_t argc, const struct span *argv, int64_t ms)
{
	const redisReply *reply;

	if (store_eval(cache->store, script, keys, argc, argv, ms) != STORE_OK) {
		mark_down(cache, store_error(cache->store));
		return NULL;
	}
	cache->down_until_ms = 0;
	reply = store_reply(cache->store, 0);
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements >= 1 &&
	    reply->element[0]->type == REDIS_REPLY_STRING)
		return reply;
	log_event(
		LOG_LEVEL_WARNING, "redis_refused",
		LOG_STR("err", reply->type == REDIS_REPLY_ERROR ? reply->str : "unexpected reply"));
	return NULL;
}

/* The same, unless Redis counts as down. */
static const redisReply *eval(struct cache *cache, enum store_script script, size_t keys,
			      size_t argc, const struct span *argv, int64_t ms)
{
	return is_down(cache) ? NULL : eval_anyway(cache, script, keys, argc, argv, ms);
}

#define EVAL(cache, script, keys, ms, ...)                                                         \
	eval((cache), (script), (keys),                                                            \
	     sizeof((const struct span[]){__VA_ARGS__}) / sizeof(struct span),                     \
	     (const struct span[]){__VA_ARGS__}, (ms))

/* --- replies --- */

static struct span text_of(const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_STRING && reply->type != REDIS_REPLY_STATUS)
		return (struct span){NULL, 0};
	return (struct span){reply->str, reply->len};
}

static struct span field_of(const redisReply *reply, size_t i)
{
	if (reply->type != REDIS_REPLY_ARRAY || i >= reply->elements)
		return (struct span){NULL, 0};
	return text_of(reply->element[i]);
}

/* A whole decimal number of up to 18 digits; -1 for anything else. */
static int64_t number_of(struct span text)
{
	int64_t n = 0;

	if (text.len == 0 || text.len > 18)
		return -1;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return -1;
		n = n * 10 + (text.ptr[i] - '0');
	}
	return n;
}

static int64_t integer_at(const redisReply *reply, size_t i)
{
	if (i >= reply->elements)
		return -1;
	if (reply->element[i]->type == REDIS_REPLY_INTEGER)
		return reply->element[i]->integer;
	return number_of(text_of(reply->element[i]));
}

static bool copy_text(char *to, size_t size, struct span from)
{
	if (from.len >= size)
		return false;
	if (from.len)
		memcpy(to, from.ptr, from.len);
	to[from.len] = '\0';
	return true;
}

/* --- reading --- */

enum {
	ENTRY_FMT,
	ENTRY_BUILD,
	ENTRY_SNAP,
	ENTRY_ROUTE,
	ENTRY_TYPE,
	ENTRY_ETAG,
	ENTRY_BODY,
	ENTRY_LEN,
	ENTRY_CRC
};

static void ask_entry(struct cache *cache, const char *route, int64_t bucket, bool gzip)
{
	struct key key = entry_key(route, bucket);

	store_cmd(cache->store, SPAN("HMGET"), KEY(key), SPAN("fmt"), SPAN("build"), SPAN("snap"),
		  SPAN("route"), SPAN("type"), SPAN("etag"), gzip ? SPAN("gzip") : SPAN("body"),
		  gzip ? SPAN("glen") : SPAN("len"), gzip ? SPAN("gcrc") : SPAN("crc"));
}

/* Why an entry cannot be used, or NULL. Anything wrong is a miss: never an error page, never
 * another route's body. */
static const char *entry_fault(const redisReply *reply, const char *route, const char *snap)
{
	struct span body = field_of(reply, ENTRY_BODY), build = field_of(reply, ENTRY_BUILD);
	char crc[HASH_HEX];

	if (number_of(field_of(reply, ENTRY_FMT)) != CACHE_FORMAT)
		return "format";
	if (!span_is(build, BUILD_ID) && !span_is(build, DATA_BUILD))
		return "build";
	if (!span_is(field_of(reply, ENTRY_SNAP), snap))
		return "snapshot";
	if (!span_is(field_of(reply, ENTRY_ROUTE), route))
		return "route";
	if (!body.ptr || number_of(field_of(reply, ENTRY_LEN)) != (int64_t)body.len)
		return "length";
	hash_hex(hash_xxh64(body), crc);
	return span_is(field_of(reply, ENTRY_CRC), crc) ? NULL : "checksum";
}

/* 0 and *entry filled, or -1. A gzip form that was never stored comes back as a miss too; callers
 * ask for the body then. */
static int take_entry(const redisReply *reply, const char *route, const char *snap, bool gzip,
		      struct cache_entry *entry)
{
	const char *fault;

	if (reply->type != REDIS_REPLY_ARRAY || !field_of(reply, ENTRY_FMT).ptr)
		return -1;
	fault = entry_fault(reply, route, snap);
	if (!fault && !copy_text(entry->etag, sizeof(entry->etag), field_of(reply, ENTRY_ETAG)))
		fault = "etag";
	if (fault) {
		log_event(LOG_LEVEL_WARNING, "entry_refused", LOG_STR("route", route),
			  LOG_STR("fault", fault));
		return -1;
	}
	entry->body = field_of(reply, ENTRY_BODY);
	entry->type = field_of(reply, ENTRY_TYPE);
	entry->gzip = gzip;
	return 0;
}

static void ask_state(struct cache *cache, enum cache_group group)
{
	struct key cur = group_key("cur", group), epoch = group_key("epoch", group),
		   brk = group_key("brk", group);

	store_cmd(cache->store, SPAN("TIME"));
	store_cmd(cache->store, SPAN("HMGET"), KEY(cur), SPAN("bucket"), SPAN("epoch"), SPAN("gen"),
		  SPAN("snap"), SPAN("fill"));
	store_cmd(cache->store, SPAN("GET"), KEY(epoch));
	store_cmd(cache->store, SPAN("HMGET"), KEY(brk), SPAN("code"), SPAN("since"),
		  SPAN("open_until"));
}

enum { REPLY_TIME, REPLY_POINTER, REPLY_EPOCH, REPLY_BREAKER, REPLY_ENTRY };

/* Why the state cannot be told from the replies, or NULL. A key of a wrong type is no reason: the
 * next claim heals it. */
static const char *state_fault(const struct cache *cache)
{
	const redisReply *time = store_reply(cache->store, REPLY_TIME);

	for (size_t i = REPLY_TIME; i <= REPLY_BREAKER; i++) {
		const redisReply *reply = store_reply(cache->store, i);

		if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "WRONGTYPE", 9) != 0)
			return reply->str;
	}
	return number_of(field_of(time, 0)) < 0 || number_of(field_of(time, 1)) < 0
		       ? "unexpected reply"
		       : NULL;
}

static int64_t take_time(const struct cache *cache)
{
	const redisReply *reply = store_reply(cache->store, REPLY_TIME);

	return number_of(field_of(reply, 0)) * 1000 + number_of(field_of(reply, 1)) / 1000;
}

static void take_breaker(const redisReply *reply, struct cache_state *state)
{
	struct span code = field_of(reply, 0);

	if (!code.ptr)
		return;
	state->reason = reason_find(code);
	state->since_ms = number_of(field_of(reply, 1));
	state->next_try_ms = number_of(field_of(reply, 2));
}

static enum cache_verdict judge(const struct cache_state *state, int64_t max_stale_ms)
{
	if (state->data_bucket < 0 || state->now_ms - state->gen_ms > max_stale_ms)
		return CACHE_COLD;
	return state->data_bucket == state->bucket && !state->flushed ? CACHE_FRESH : CACHE_STALE;
}

static enum cache_verdict take_state(struct cache *cache, enum cache_group group,
				     struct cache_state *state)
{
	const redisReply *pointer = store_reply(cache->store, REPLY_POINTER);
	struct span epoch = text_of(store_reply(cache->store, REPLY_EPOCH));
	const char *fault = state_fault(cache);

	/* LOADING, NOPERM, a stray answer ...: on a new connection it may be over. */
	if (fault) {
		mark_down(cache, fault);
		store_close(cache->store);
		return CACHE_DOWN;
	}
	state->now_ms = take_time(cache);
	cache->clock_offset_ms = state->now_ms - clock_mono_ms();
	cache->clock_known = true;
	state->bucket = state->now_ms / cache->limits->group[group].interval_ms;
	state->data_bucket = number_of(field_of(pointer, 0));
	state->gen_ms = number_of(field_of(pointer, 2));
	state->fill_ms = number_of(field_of(pointer, 4));
	/* Half a pointer is none. */
	if (state->gen_ms < 0 || !field_of(pointer, 3).ptr ||
	    !copy_text(state->snap, sizeof(state->snap), field_of(pointer, 3)))
		state->data_bucket = -1;
	state->flushed = !epoch.ptr || !span_eq(epoch, field_of(pointer, 1));
	take_breaker(store_reply(cache->store, REPLY_BREAKER), state);
	return judge(state, cache->limits->max_stale_ms);
}

enum cache_verdict cache_read(struct cache *cache, enum cache_group group, const char *route,
			      bool gzip, struct cache_read *read)
{
	struct cache_state *state = &read->state;
	int64_t guess = cache->group[group].bucket;

	*read = (struct cache_read){.state = {.verdict = CACHE_DOWN, .data_bucket = -1}};
	if (is_down(cache))
		return CACHE_DOWN;
	ask_state(cache, group);
	if (route && guess >= 0)
		ask_entry(cache, route, guess, gzip);
	if (run(cache) != STORE_OK)
		return CACHE_DOWN;
	state->verdict = take_state(cache, group, state);
	if (state->verdict == CACHE_DOWN || state->data_bucket < 0 || !route)
		return state->verdict;
	cache->group[group].bucket = state->data_bucket;
	/* The pointer moves once a bucket: only then is a second round trip needed. */
	if (guess == state->data_bucket)
		read->found = take_entry(store_reply(cache->store, REPLY_ENTRY), route, state->snap,
					 gzip, &read->entry) == 0;
	else
		read->found = cache_read_more(cache, state, route, gzip, &read->entry) == 0;
	return state->verdict;
}

int cache_read_more(struct cache *cache, const struct cache_state *state, const char *route,
		    bool gzip, struct cache_entry *entry)
{
	if (is_down(cache))
		return -1;
	ask_entry(cache, route, state->data_bucket, gzip);
	if (run(cache) != STORE_OK)
		return -1;
	return take_entry(store_reply(cache->store, 0), route, state->snap, gzip, entry);
}

void cache_fields(struct cache *cache, const struct cache_state *state, const char *route,
		  size_t count, const struct span *names, struct span *values)
{
	struct key key = entry_key(route, state->data_bucket);
	struct span argv[3 + CACHE_FIELDS_MAX] = {SPAN("HMGET"), KEY(key), SPAN("")};
	const redisReply *reply;

	assert(count <= CACHE_FIELDS_MAX);
	memset(values, 0, count * sizeof(*values));
	if (count == 0 || is_down(cache))
		return;
	memcpy(argv + 3, names, count * sizeof(*names));
	store_argv(cache->store, 3 + count, argv);
	if (run(cache) != STORE_OK)
		return;
	reply = store_reply(cache->store, 0);
	if (!span_is(field_of(reply, 0), state->snap))
		return;
	for (size_t i = 0; i < count; i++)
		values[i] = field_of(reply, i + 1);
}

/* --- history --- */

#define STREAM_FIELDS 8 /* names and values of one entry that are looked at */

static void take_stream_entry(const redisReply *reply, cache_entry_fn entry, void *ctx)
{
	struct span fields[STREAM_FIELDS], id = field_of(reply, 0);
	const redisReply *list;
	size_t n;

	if (id.len < 3 || reply->elements < 2)
		return;
	list = reply->element[1];
	for (n = 0; n < STREAM_FIELDS && field_of(list, n).ptr; n++)
		fields[n] = field_of(list, n);
	id.len -= 2; /* the sequence number, always -0 */
	entry(ctx, number_of(id), fields, n);
}

static int take_stream(const redisReply *reply, cache_entry_fn entry, void *ctx)
{
	if (reply->type != REDIS_REPLY_ARRAY) {
		log_event(LOG_LEVEL_WARNING, "redis_refused",
			  LOG_STR("err", reply->type == REDIS_REPLY_ERROR ? reply->str
									  : "unexpected reply"));
		return -1;
	}
	for (size_t i = 0; i < reply->elements; i++)
		take_stream_entry(reply->element[i], entry, ctx);
	return 0;
}

int cache_read_streams(struct cache *cache, const struct cache_stream *streams, size_t count,
		       cache_entry_fn entry, void *ctx)
{
	int rc = 0;

	if (is_down(cache))
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct key from = decimal(streams[i].from_ms), to = decimal(streams[i].to_ms);

		store_cmd(cache->store, SPAN("XRANGE"), span_str(streams[i].key), KEY(from),
			  KEY(to));
	}
	/* A day of a large fleet is some megabytes: more than the deadline of a page's batch was
	 * made for. */
	if (store_run(cache->store, 3 * cache->limits->batch_ms) != STORE_OK) {
		mark_down(cache, store_error(cache->store));
		return -1;
	}
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = take_stream(store_reply(cache->store, i), entry, ctx);
	return rc;
}

/* --- claim, extend --- */

static const struct {
	const char *name;
	enum claim_result result;
} claim_answers[] = {
	{"won", CLAIM_WON},   {"fresh", CLAIM_FRESH},   {"busy", CLAIM_BUSY},
	{"open", CLAIM_OPEN}, {"budget", CLAIM_BUDGET},
};

static enum claim_result claim_answer(const redisReply *reply)
{
	for (size_t i = 0; i < sizeof(claim_answers) / sizeof(claim_answers[0]); i++)
		if (span_is(field_of(reply, 0), claim_answers[i].name))
			return claim_answers[i].result;
	return CLAIM_DOWN;
}

static enum claim_result ask_claim(struct cache *cache, enum cache_group group, struct claim *claim,
				   int64_t *wait_ms)
{
	const struct cache_group_limits *limits = &cache->limits->group[group];
	struct key cur = group_key("cur", group), lock = group_key("lock", group),
		   brk = group_key("brk", group), budget = group_key("budget", group),
		   epoch = group_key("epoch", group), lease = decimal(limits->lease_ms),
		   interval = decimal(limits->interval_ms), calls = decimal(limits->calls);
	const redisReply *reply;

	*claim = (struct claim){.group = group, .mono_ms = clock_mono_ms()};
	hash_token(claim->token);
	reply = EVAL(cache, STORE_CLAIM, 5, cache->limits->batch_ms, KEY(cur), KEY(lock), KEY(brk),
		     KEY(budget), KEY(epoch), span_str(claim->token), KEY(lease), KEY(interval),
		     KEY(calls), SPAN(GROUP_WINDOW));
	if (!reply || !copy_text(claim->epoch, sizeof(claim->epoch), field_of(reply, 3)))
		return CLAIM_DOWN;
	claim->bucket = integer_at(reply, 1);
	claim->now_ms = integer_at(reply, 2);
	claim->leased_ms = claim->mono_ms;
	*wait_ms = reply->elements > 4 ? integer_at(reply, 4) : 0;
	return claim_answer(reply);
}

enum claim_result cache_claim(struct cache *cache, enum cache_group group, struct claim *claim)
{
	int64_t now = clock_mono_ms(), wait = CLAIM_WAIT_MS;
	enum claim_result result;

	if (now < cache->group[group].quiet_until_ms)
		return cache->group[group].refused;
	result = ask_claim(cache, group, claim, &wait);
	if (result != CLAIM_WON && result != CLAIM_FRESH) {
		cache->group[group].refused = result;
		cache->group[group].quiet_until_ms =
			now + (wait < CLAIM_WAIT_MS ? wait : CLAIM_WAIT_MS);
	}
	return result;
}

bool cache_claim_in_time(const struct claim *claim)
{
	/* The lease is the fetch's time-out and 2 s; a fetch that begins later than 1.8 s into it
	 * could outlive it. */
	return clock_mono_ms() - claim->leased_ms < 1800;
}

static struct key lock_value(const struct claim *claim)
{
	return make_key("%s|%" PRId64 "|%s", claim->token, claim->bucket, claim->epoch);
}

bool cache_extend(struct cache *cache, struct claim *claim)
{
	int64_t lease_ms = cache->limits->group[claim->group].lease_ms, now = clock_mono_ms();
	struct key lock = group_key("lock", claim->group), mine = lock_value(claim),
		   lease = decimal(lease_ms);
	const redisReply *reply;

	if (now - claim->mono_ms > lease_ms)
		return true;
	reply = EVAL(cache, STORE_EXTEND, 1, cache->limits->batch_ms, KEY(lock), KEY(mine),
		     KEY(lease));
	/* Redis unreachable decides nothing: the commit is fenced anyway. */
	if (!reply)
		return true;
	claim->leased_ms = now;
	return span_is(field_of(reply, 0), "ok");
}

/* --- stage, commit, fail --- */

int cache_stage(struct cache *cache, const struct claim *claim, const char *route, const char *snap,
		const struct cache_document *document)
{
	struct key staged = staged_key(claim, route), len = decimal((int64_t)document->body.len),
		   glen = decimal((int64_t)document->gzip.len), gen = decimal(claim->now_ms),
		   fmt = decimal(CACHE_FORMAT);
	char crc[HASH_HEX], gcrc[HASH_HEX];

	hash_hex(hash_xxh64(document->body), crc);
	hash_hex(hash_xxh64(document->gzip), gcrc);

	const struct span argv[] = {
		KEY(staged),   SPAN(STAGED_MS),
		SPAN("fmt"),   KEY(fmt),
		SPAN("build"), document->is_page ? SPAN(BUILD_ID) : SPAN(DATA_BUILD),
		SPAN("snap"),  span_str(snap),
		SPAN("route"), span_str(route),
		SPAN("gen"),   KEY(gen),
		SPAN("type"),  span_str(document->type),
		SPAN("etag"),  span_str(crc),
		SPAN("body"),  document->body,
		SPAN("len"),   KEY(len),
		SPAN("crc"),   span_str(crc),
		SPAN("gzip"),  document->gzip,
		SPAN("glen"),  KEY(glen),
		SPAN("gcrc"),  span_str(gcrc),
	};
	/* The last six belong to the gzip form. */
	size_t argc = sizeof(argv) / sizeof(argv[0]) - (document->gzip.len ? 0 : 6);

	return eval_anyway(cache, STORE_STAGE, 1, argc, argv, cache->limits->publish_ms) ? 0 : -1;
}

int cache_stage_fields(struct cache *cache, const struct claim *claim, const char *route,
		       size_t count, const struct span *pairs)
{
	struct key staged = staged_key(claim, route);
	struct span argv[122] = {KEY(staged), SPAN(STAGED_MS)};

	if (count > 120)
		return -1;
	memcpy(argv + 2, pairs, count * sizeof(*pairs));
	return eval_anyway(cache, STORE_STAGE, 1, count + 2, argv, cache->limits->publish_ms) ? 0
											      : -1;
}

static enum commit_result commit_answer(const redisReply *reply)
{
	for (int i = COMMIT_OK; i < COMMIT_DOWN; i++)
		if (span_is(field_of(reply, 0), commit_names[i]))
			return (enum commit_result)i;
	return COMMIT_DOWN;
}

/* A day, or less where the fleet is so large that its risks would fill the memory of Redis. */
static int64_t servers_kept_ms(int64_t interval_ms, size_t bytes)
{
	int64_t points = SERVERS_BYTES / (int64_t)(bytes + 1);

	return points < DAY_MS / interval_ms ? points * interval_ms : DAY_MS;
}

enum commit_result cache_commit(struct cache *cache, const struct claim *claim,
				const struct commit *commit)
{
	enum cache_group group = claim->group;
	int64_t interval_ms = cache->limits->group[group].interval_ms;
	struct key fixed[4] = {group_key("cur", group), group_key("lock", group),
			       group_key("brk", group), group_key("epoch", group)};
	struct key names[2 * CACHE_ROUTES_MAX];
	struct key bucket = decimal(claim->bucket), gen = decimal(claim->now_ms),
		   interval = decimal(interval_ms), ttl = decimal(cache->limits->max_stale_ms),
		   old_ttl = decimal(2 * interval_ms),
		   points = decimal(commit->history.len ? cache->limits->history_points : 0),
		   fill = decimal(commit->fill_ms),
		   kept = decimal(servers_kept_ms(interval_ms, commit->risks.len));
	struct span argv[7 + 2 * CACHE_ROUTES_MAX + 14];
	size_t n = 0;
	const redisReply *reply;

	for (int i = 0; i < 4; i++)
		argv[n++] = KEY(fixed[i]);
	argv[n++] = SPAN(CACHE_HISTORY);
	argv[n++] = SPAN(CACHE_HISTORY_HOURS);
	argv[n++] = SPAN(CACHE_HISTORY_SERVERS);
	for (size_t i = 0; i < commit->count; i++) {
		names[i] = staged_key(claim, commit->routes[i]);
		names[commit->count + i] = entry_key(commit->routes[i], claim->bucket);
	}
	for (size_t i = 0; i < 2 * commit->count; i++)
		argv[n++] = KEY(names[i]);
	memcpy(argv + n,
	       (const struct span[]){span_str(claim->token), KEY(bucket), span_str(claim->epoch),
				     KEY(gen), span_str(commit->snap), KEY(interval), KEY(ttl),
				     KEY(old_ttl), commit->history, KEY(points), KEY(fill),
				     commit->names, commit->risks, KEY(kept)},
	       14 * sizeof(struct span));
	reply = eval_anyway(cache, STORE_COMMIT, n, n + 14, argv, cache->limits->publish_ms);
	if (!reply)
		return COMMIT_DOWN;
	if (span_is(field_of(reply, 2), "hist-dup"))
		log_event(LOG_LEVEL_INFO, "history_repeated", LOG_INT("bucket", claim->bucket));
	if (span_is(field_of(reply, 2), "hist-failed"))
		log_event(LOG_LEVEL_WARNING, "history_failed", LOG_INT("bucket", claim->bucket));
	return commit_answer(reply);
}

void cache_fail(struct cache *cache, const struct claim *claim, enum reason reason,
		int64_t retry_after_ms)
{
	struct key brk = group_key("brk", claim->group), lock = group_key("lock", claim->group),
		   bucket = decimal(claim->bucket),
		   interval = decimal(cache->limits->group[claim->group].interval_ms),
		   retry = decimal(retry_after_ms);

	(void)EVAL(cache, STORE_FAIL, 2, cache->limits->publish_ms, KEY(brk), KEY(lock),
		   span_str(claim->token), KEY(bucket), span_str(claim->epoch), KEY(interval),
		   SPAN(BACKOFF_MS), KEY(retry), span_str(reason_table[reason].slug));
}

/* --- notes of the last calls --- */

void cache_note(struct cache *cache, enum cache_group group, const struct diagnosis_call *call)
{
	struct key key = group_key("calls", group), kept = decimal(DIAGNOSIS_CALLS);
	struct key record =
		make_key("%" PRId64 " %ld %" PRId64 " %" PRId64 " %" PRId64 " %s", call->at_ms,
			 call->status, call->fetch_ms, call->total_ms, call->bytes, call->result);

	(void)EVAL(cache, STORE_NOTE, 1, cache->limits->publish_ms, KEY(key), KEY(record),
		   KEY(kept), SPAN(KEEP_MS));
}

static bool parse_call(const redisReply *reply, struct diagnosis_call *call)
{
	int at = 0;

	if (reply->type != REDIS_REPLY_STRING || reply->len >= sizeof(struct key))
		return false;
	if (sscanf(reply->str, "%" SCNd64 " %ld %" SCNd64 " %" SCNd64 " %" SCNd64 " %n",
		   &call->at_ms, &call->status, &call->fetch_ms, &call->total_ms, &call->bytes,
		   &at) < 5 ||
	    at == 0)
		return false;
	return copy_text(call->result, sizeof(call->result),
			 (struct span){reply->str + at, reply->len - (size_t)at});
}

#define ACTIONS_KEY "tft:actions"

void cache_note_action(struct cache *cache, const struct diagnosis_action *action)
{
	struct key kept = decimal(DIAGNOSIS_ACTIONS);
	char record[256];

	/* The user's name is the only field that may hold blanks: it comes last. */
	(void)snprintf(record, sizeof(record), "%" PRId64 " %s %s %s %s %s", action->at_ms,
		       action->action, action->result, action->from, action->to, action->user);
	(void)EVAL(cache, STORE_NOTE, 1, cache->limits->batch_ms, SPAN(ACTIONS_KEY),
		   span_str(record), KEY(kept), SPAN(KEEP_MS));
}

static bool parse_action(const redisReply *reply, struct diagnosis_action *a)
{
	int at = 0;

	if (reply->type != REDIS_REPLY_STRING || reply->len >= 256)
		return false;
	if (sscanf(reply->str, "%" SCNd64 " %15s %15s %31s %31s %n", &a->at_ms, a->action,
		   a->result, a->from, a->to, &at) < 5 ||
	    at == 0)
		return false;
	return copy_text(a->user, sizeof(a->user),
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

static void ask_calls(struct cache *cache, enum cache_group group)
{
	struct key key = group_key("calls", group), last = decimal(DIAGNOSIS_CALLS - 1);

	store_cmd(cache->store, SPAN("LRANGE"), KEY(key), SPAN("0"), KEY(last));
}

/* Claims of the last minute, by Redis' clock as last seen. */
static int64_t take_budget(const struct cache *cache, enum cache_group group,
			   const redisReply *reply)
{
	int64_t now = clock_mono_ms() + cache->clock_offset_ms,
		left = cache->limits->group[group].calls;

	for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++)
		left -= now - number_of(text_of(reply->element[i])) < WINDOW_MS;
	return left > 0 ? left : 0;
}

int cache_diagnose(struct cache *cache, enum cache_group group, struct diagnosis *diagnosis)
{
	struct key budget = group_key("budget", group), epoch = group_key("epoch", group);

	*diagnosis = (struct diagnosis){.budget_left = -1, .bucket = -1, .data_bucket = -1};
	if (is_down(cache))
		return -1;
	ask_calls(cache, group);
	store_cmd(cache->store, SPAN("LRANGE"), KEY(budget), SPAN("0"), SPAN("-1"));
	store_cmd(cache->store, SPAN("LRANGE"), SPAN(ACTIONS_KEY), SPAN("0"), SPAN("-1"));
	store_cmd(cache->store, SPAN("GET"), KEY(epoch));
	if (run(cache) != STORE_OK)
		return -1;
	diagnosis->count = take_calls(store_reply(cache->store, 0), diagnosis->calls);
	diagnosis->budget_left = take_budget(cache, group, store_reply(cache->store, 1));
	diagnosis->action_count = take_actions(store_reply(cache->store, 2), diagnosis->actions);
	(void)copy_text(diagnosis->epoch, sizeof(diagnosis->epoch),
			text_of(store_reply(cache->store, 3)));
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

	if (is_down(cache))
		return 0;
	ask_calls(cache, group);
	if (run(cache) != STORE_OK)
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

/* --- flush --- */

enum flush_result cache_flush(struct cache *cache, int64_t *wait_ms)
{
	const redisReply *reply = eval(cache, STORE_FLUSH, 0, 0, NULL, cache->limits->batch_ms);

	*wait_ms = 0;
	if (!reply)
		return FLUSH_DOWN;
	if (span_is(field_of(reply, 0), "ok"))
		return FLUSH_OK;
	*wait_ms = integer_at(reply, 1);
	return FLUSH_LIMITED;
}

void cache_outdate(struct cache *cache, enum cache_group group)
{
	/* Any new value will do; a time, as of flush.lua, is never one of the past. */
	struct key key = group_key("epoch", group), lock = group_key("lock", group),
		   epoch = make_key("%" PRId64 "%03d", clock_wall_ms(),
				    (int)(clock_mono_us() % 1000));

	if (is_down(cache))
		return;
	store_cmd(cache->store, SPAN("SET"), KEY(key), KEY(epoch));
	/* Whoever refreshes at this moment will be refused: nobody has to wait for that. */
	store_cmd(cache->store, SPAN("DEL"), KEY(lock));
	cache->group[group].quiet_until_ms = 0;
	(void)run(cache);
}

int64_t cache_ms_to_bucket(const struct cache *cache, enum cache_group group)
{
	int64_t interval = cache->limits->group[group].interval_ms;

	if (!cache->clock_known)
		return -1;
	return interval - (clock_mono_ms() + cache->clock_offset_ms) % interval;
}

/* --- counters of a node --- */

#define COUNTS_MAX 500

int cache_count(struct cache *cache, const char *node, const struct cache_counter *counters,
		size_t count)
{
	struct key key = make_key("tft:node:%s", node), values[COUNTS_MAX];
	struct span argv[2 + 2 * COUNTS_MAX] = {KEY(key), SPAN(KEEP_MS)};

	if (count > COUNTS_MAX)
		return -1;
	for (size_t i = 0; i < count; i++) {
		values[i] = decimal(counters[i].value);
		argv[2 + 2 * i] = counters[i].series;
		argv[3 + 2 * i] = KEY(values[i]);
	}
	return eval(cache, STORE_COUNT, 1, 2 + 2 * count, argv, cache->limits->batch_ms) ? 0 : -1;
}

size_t cache_counters(struct cache *cache, const char *node, struct cache_counter *counters,
		      size_t max)
{
	struct key key = make_key("tft:node:%s", node);
	const redisReply *reply;
	size_t n = 0;

	if (is_down(cache))
		return 0;
	store_cmd(cache->store, SPAN("HGETALL"), KEY(key));
	if (run(cache) != STORE_OK)
		return 0;
	reply = store_reply(cache->store, 0);
	for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i + 1 < reply->elements && n < max;
	     i += 2)
		counters[n++] = (struct cache_counter){field_of(reply, i),
						       number_of(field_of(reply, i + 1))};
	return n;
}
