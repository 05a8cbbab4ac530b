/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "refresh/upstream_status.h"

#include "fleet/decode.h"
#include "base/log.h"

#define BODY_MAX 65536

/* What the two groups have in common, in one row each. */
static const struct {
	const char *route; /* of the key, and in the log */
	enum upstream_endpoint endpoint;
} sources[CACHE_GROUPS] = {
	[CACHE_STATUS] = {"status", UPSTREAM_STATUS},
	[CACHE_SCENARIO] = {"scenario", UPSTREAM_SCENARIO},
};

/* Whether the body was understood; the value goes to *upstream_status in any case. */
static bool decode_answer(enum cache_group group, struct span body, int64_t at_ms,
			  struct upstream_status *upstream_status)
{
	if (group == CACHE_STATUS) {
		decode_warmup(body, &upstream_status->warmup);
		upstream_status->warmup.at_ms = at_ms;
		return upstream_status->warmup.known;
	}
	decode_scenario(body, &upstream_status->scenario);
	upstream_status->scenario.at_ms = at_ms;
	return upstream_status->scenario.known;
}

static void decode_document(enum cache_group group, const struct cache_read *read,
			    struct upstream_status *upstream_status)
{
	(void)decode_answer(group, read->entry.body, read->state.gen_ms, upstream_status);
	if (group != CACHE_STATUS)
		return;
	decode_ticks(read->entry.body, &upstream_status->ticks);
	upstream_status->warmup.still_since_ms = ticks_still_since(&upstream_status->ticks);
}

/* Whether it is to be asked for again. */
static bool read_group(struct cache *cache, enum cache_group group,
		       struct upstream_status *upstream_status)
{
	struct cache_read read;
	enum cache_verdict verdict = cache_read(cache, group, sources[group].route, false, &read);

	if (group == CACHE_SCENARIO)
		upstream_status->scenario_reason = read.state.reason;
	if (read.found && read.state.reason == REASON_NONE &&
	    read.state.now_ms - read.state.gen_ms <= CACHE_DIGEST_MS)
		decode_document(group, &read, upstream_status);
	return verdict == CACHE_STALE || verdict == CACHE_COLD;
}

static void read_groups(struct cache *cache, bool scenario_configured,
			struct upstream_status *upstream_status, bool stale[CACHE_GROUPS])
{
	*upstream_status = (struct upstream_status){.scenario.configured = scenario_configured};
	stale[CACHE_STATUS] = read_group(cache, CACHE_STATUS, upstream_status);
	stale[CACHE_SCENARIO] =
		scenario_configured && read_group(cache, CACHE_SCENARIO, upstream_status);
}

void upstream_status_read(struct cache *cache, bool scenario_configured,
			  struct upstream_status *upstream_status)
{
	bool stale[CACHE_GROUPS];

	read_groups(cache, scenario_configured, upstream_status, stale);
}

/* --- what pages say of it --- */

/* Once a daemon has warmed up, pages do not show its number of records. */
static void put_warmup(const struct warmup *w, struct buf *out)
{
	buf_int(out, w->still_since_ms);
	if (w->done)
		return;
	buf_addf(out, " %d %d %d", w->progress_percent, w->current_size, w->required_size);
}

/* Of more than ten servers the generator names ten at random. */
static void put_scenario(const struct scenario *s, struct buf *out)
{
	buf_addf(out, "%s %d %d", s->name, s->affected, s->fleet_size);
	if (s->affected > s->name_count)
		return;
	for (int i = 0; i < s->name_count; i++)
		buf_addf(out, " %s", s->names[i]);
}

void upstream_status_digest(const struct upstream_status *upstream_status, enum cache_group group,
			    char digest[HASH_HEX])
{
	bool known = group == CACHE_STATUS ? upstream_status->warmup.known
					   : upstream_status->scenario.known;
	struct buf words;

	memcpy(digest, CACHE_UNKNOWN, sizeof(CACHE_UNKNOWN));
	if (!known)
		return;
	buf_init(&words, 4096);
	if (group == CACHE_STATUS)
		put_warmup(&upstream_status->warmup, &words);
	else
		put_scenario(&upstream_status->scenario, &words);
	hash_hex(hash_xxh64(buf_span(&words)), digest);
	buf_free(&words);
}

/* --- asking --- */

/* A question to one of the sources, and its answer. */
struct group_poll {
	enum cache_group group;
	struct claim claim;
	struct buf body;
};

static void publish_digest(struct cache *cache, const struct group_poll *q,
			   const struct upstream_status *upstream_status)
{
	char digest[HASH_HEX];

	upstream_status_digest(upstream_status, q->group, digest);
	cache_publish_digest(cache, &q->claim, digest);
}

static void store_document(struct cache *cache, const struct group_poll *q, struct span body,
			   const struct upstream_status *upstream_status)
{
	struct cache_document document = {.body = body, .type = "application/json"};
	const char *route = sources[q->group].route;
	enum commit_result rc = cache_commit_one(cache, &q->claim, route, &document);

	if (rc == COMMIT_OK)
		publish_digest(cache, q, upstream_status);
	else
		log_event(LOG_LEVEL_INFO, "commit_refused", LOG_STR("group", route),
			  LOG_STR("why", commit_names[rc]));
}

/* The daemon's answer, and what is seen of its count. */
static void store_status(struct cache *cache, const struct group_poll *q,
			 struct upstream_status *upstream_status)
{
	struct span body = buf_span(&q->body);
	struct ticks *ticks = &upstream_status->ticks;
	int64_t count = decode_tick_count(body);
	struct buf document;

	if (count < 0) {
		store_document(cache, q, body, upstream_status);
		return;
	}
	ticks_see(ticks, count, q->claim.now_ms, 2 * cache_interval_ms(cache, q->group));
	upstream_status->warmup.still_since_ms = ticks_still_since(ticks);
	buf_init(&document, BODY_MAX + 256);
	ticks_write(ticks, body, &document);
	if (buf_ok(&document))
		store_document(cache, q, buf_span(&document), upstream_status);
	buf_free(&document);
}

static void store_answer(struct cache *cache, const struct group_poll *q,
			 struct upstream_status *upstream_status)
{
	if (q->group == CACHE_STATUS)
		store_status(cache, q, upstream_status);
	else
		store_document(cache, q, buf_span(&q->body), upstream_status);
}

static void forget(enum cache_group group, struct upstream_status *upstream_status)
{
	if (group == CACHE_STATUS)
		upstream_status->warmup = (struct warmup){0};
	else
		upstream_status->scenario =
			(struct scenario){.configured = upstream_status->scenario.configured};
}

static void take_answer(struct cache *cache, struct group_poll *q, const struct upstream_call *call,
			struct upstream_status *upstream_status)
{
	/* During an inference the daemon answers nothing else: its silence is no fault, and the
	 * last answer stays. The lock expires by itself. */
	if (q->group == CACHE_STATUS && call->reason == REASON_TIMEOUT) {
		log_event(LOG_LEVEL_INFO, "refresh_failed", LOG_STR("group", "status"),
			  LOG_STR("result", reason_table[REASON_TIMEOUT].slug));
		return;
	}
	if (call->reason == REASON_NONE &&
	    decode_answer(q->group, buf_span(&q->body), q->claim.now_ms, upstream_status)) {
		store_answer(cache, q, upstream_status);
		if (q->group == CACHE_STATUS)
			cache_reopen(cache, CACHE_FLEET);
	} else {
		cache_fail(cache, &q->claim,
			   call->reason == REASON_NONE ? REASON_BAD : call->reason, 0);
		forget(q->group, upstream_status);
		publish_digest(cache, q, upstream_status);
	}
}

static void poll_groups(struct cache *cache, struct upstream *upstream,
			const bool stale[CACHE_GROUPS], struct upstream_status *upstream_status)
{
	struct group_poll polls[CACHE_GROUPS];
	struct upstream_call calls[CACHE_GROUPS];
	size_t n = 0;

	for (int g = CACHE_STATUS; g < CACHE_SAID_END; g++) {
		struct group_poll *q = &polls[n];

		if (!stale[g] || cache_claim(cache, (enum cache_group)g, &q->claim) != CLAIM_WON)
			continue;
		q->group = (enum cache_group)g;
		buf_init(&q->body, BODY_MAX);
		calls[n] = (struct upstream_call){
			.endpoint = sources[g].endpoint, .sink = upstream_keep, .ctx = &q->body};
		n++;
	}
	if (n == 0)
		return;
	upstream_run(upstream, calls, n, NULL, NULL);
	for (size_t i = 0; i < n; i++) {
		take_answer(cache, &polls[i], &calls[i], upstream_status);
		buf_free(&polls[i].body);
	}
}

void upstream_status_renew(struct cache *cache, struct upstream *upstream, bool scenario_configured,
			   struct upstream_status *upstream_status)
{
	bool stale[CACHE_GROUPS];

	read_groups(cache, scenario_configured, upstream_status, stale);
	poll_groups(cache, upstream, stale, upstream_status);
}

void upstream_status_confirm_scenario(struct cache *cache, struct upstream *upstream,
				      struct scenario *scenario)
{
	struct group_poll q = {.group = CACHE_SCENARIO};
	struct upstream_status upstream_status = {.scenario.configured = true};
	struct upstream_call call = {
		.endpoint = UPSTREAM_SCENARIO, .sink = upstream_keep, .ctx = &q.body};
	bool won;

	cache_outdate(cache, q.group);
	won = cache_claim(cache, q.group, &q.claim) == CLAIM_WON;
	buf_init(&q.body, BODY_MAX);
	upstream_run(upstream, &call, 1, NULL, NULL);
	if (won)
		take_answer(cache, &q, &call, &upstream_status);
	else if (call.reason == REASON_NONE)
		(void)decode_answer(q.group, buf_span(&q.body), 0, &upstream_status);
	buf_free(&q.body);
	*scenario = upstream_status.scenario;
}

void upstream_status_fetch(struct upstream *upstream, bool scenario_configured,
			   struct upstream_status *upstream_status)
{
	struct buf bodies[CACHE_GROUPS];
	struct upstream_call calls[CACHE_GROUPS];
	size_t n = scenario_configured ? 2 : 1;

	*upstream_status = (struct upstream_status){.scenario.configured = scenario_configured};
	for (size_t i = 0; i < n; i++) {
		buf_init(&bodies[i], BODY_MAX);
		calls[i] = (struct upstream_call){.endpoint = sources[CACHE_STATUS + i].endpoint,
						  .sink = upstream_keep,
						  .ctx = &bodies[i]};
	}
	upstream_run(upstream, calls, n, NULL, NULL);
	for (size_t i = 0; i < n; i++) {
		if (calls[i].reason == REASON_NONE)
			(void)decode_answer((enum cache_group)(CACHE_STATUS + i),
					    buf_span(&bodies[i]), 0, upstream_status);
		buf_free(&bodies[i]);
	}
}
