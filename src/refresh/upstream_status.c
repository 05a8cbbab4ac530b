/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "refresh/upstream_status.h"

#include "fleet/decode.h"
#include "base/log.h"

#define SHOWN_MS 60000 /* an answer older than this says nothing about now */

/* What the two groups have in common, in one row each. */
static const struct {
	const char *route; /* of the key, and in the log */
	enum upstream_endpoint endpoint;
} sources[CACHE_GROUPS] = {
	[CACHE_STATUS] = {"status", UPSTREAM_STATUS},
	[CACHE_SCENARIO] = {"scenario", UPSTREAM_SCENARIO},
};

/* Whether the body was understood; the value goes to *upstream_status in any case. */
static bool decode_vital(enum cache_group group, struct span body,
			 struct upstream_status *upstream_status)
{
	if (group == CACHE_STATUS) {
		decode_warmup(body, &upstream_status->warmup);
		return upstream_status->warmup.known;
	}
	decode_scenario(body, &upstream_status->scenario);
	return upstream_status->scenario.known;
}

static void read_group(struct cache *cache, enum cache_group group,
		       struct upstream_status *upstream_status, bool *stale)
{
	struct cache_read read;
	enum cache_verdict verdict = cache_read(cache, group, sources[group].route, false, &read);

	*stale = verdict == CACHE_STALE || verdict == CACHE_COLD;
	if (group == CACHE_SCENARIO)
		upstream_status->scenario_reason = read.state.reason;
	if (read.found && read.state.reason == REASON_NONE &&
	    read.state.now_ms - read.state.gen_ms <= SHOWN_MS)
		(void)decode_vital(group, read.entry.body, upstream_status);
}

void upstream_status_read(struct cache *cache, bool scenario_configured,
			  struct upstream_status *upstream_status, bool stale[CACHE_GROUPS])
{
	*upstream_status = (struct upstream_status){.scenario.configured = scenario_configured};
	stale[CACHE_FLEET] = stale[CACHE_SCENARIO] = false;
	read_group(cache, CACHE_STATUS, upstream_status, &stale[CACHE_STATUS]);
	if (scenario_configured)
		read_group(cache, CACHE_SCENARIO, upstream_status, &stale[CACHE_SCENARIO]);
}

static int collect(void *ctx, const char *bytes, size_t len)
{
	buf_add(ctx, bytes, len);
	return 0;
}

/* A question to one of the sources, and its answer. */
struct question {
	enum cache_group group;
	struct claim claim;
	struct buf body;
};

static void store_answer(struct cache *cache, const struct question *q, struct span body)
{
	struct cache_document document = {.body = body, .type = "application/json"};
	struct commit commit = {.snap = "-", .routes = {sources[q->group].route}, .count = 1};
	enum commit_result rc;

	rc = cache_stage(cache, &q->claim, commit.routes[0], commit.snap, &document) == 0
		     ? cache_commit(cache, &q->claim, &commit)
		     : COMMIT_DOWN;
	if (rc != COMMIT_OK)
		log_event(LOG_LEVEL_INFO, "commit_refused", LOG_STR("group", commit.routes[0]),
			  LOG_STR("why", commit_names[rc]));
}

static void take_answer(struct cache *cache, struct question *q, const struct upstream_call *call,
			struct upstream_status *upstream_status)
{
	bool understood = call->reason == REASON_NONE &&
			  decode_vital(q->group, buf_span(&q->body), upstream_status);

	if (understood) {
		store_answer(cache, q, buf_span(&q->body));
		if (q->group == CACHE_STATUS)
			cache_reopen(cache, CACHE_FLEET);
		return;
	}
	/* While the daemon infers it answers nothing else: its silence is no fault, and what was
	 * known stays. The lock runs out by itself. */
	if (q->group == CACHE_STATUS && call->reason == REASON_TIMEOUT) {
		log_event(LOG_LEVEL_INFO, "refresh_failed", LOG_STR("group", "status"),
			  LOG_STR("result", reason_table[REASON_TIMEOUT].slug));
		return;
	}
	cache_fail(cache, &q->claim, call->reason == REASON_NONE ? REASON_BAD : call->reason, 0);
	if (q->group == CACHE_STATUS)
		upstream_status->warmup.known = false;
	else
		upstream_status->scenario.known = false;
}

void upstream_status_refresh(struct cache *cache, struct upstream *upstream,
			     const bool stale[CACHE_GROUPS],
			     struct upstream_status *upstream_status)
{
	struct question questions[CACHE_GROUPS];
	struct upstream_call calls[CACHE_GROUPS];
	size_t n = 0;

	for (int g = CACHE_STATUS; g < CACHE_GROUPS; g++) {
		struct question *q = &questions[n];

		if (!stale[g] || cache_claim(cache, (enum cache_group)g, &q->claim) != CLAIM_WON)
			continue;
		q->group = (enum cache_group)g;
		buf_init(&q->body, 65536);
		calls[n] = (struct upstream_call){
			.endpoint = sources[g].endpoint, .sink = collect, .ctx = &q->body};
		n++;
	}
	if (n == 0)
		return;
	upstream_run(upstream, calls, n, NULL, NULL);
	for (size_t i = 0; i < n; i++) {
		take_answer(cache, &questions[i], &calls[i], upstream_status);
		buf_free(&questions[i].body);
	}
}

void upstream_status_confirm_scenario(struct cache *cache, struct upstream *upstream,
				      struct scenario *scenario)
{
	struct question q = {.group = CACHE_SCENARIO};
	struct upstream_status upstream_status = {.scenario.configured = true};
	struct upstream_call call = {
		.endpoint = UPSTREAM_SCENARIO, .sink = collect, .ctx = &q.body};
	bool won;

	cache_outdate(cache, q.group);
	won = cache_claim(cache, q.group, &q.claim) == CLAIM_WON;
	buf_init(&q.body, 65536);
	upstream_run(upstream, &call, 1, NULL, NULL);
	if (won)
		take_answer(cache, &q, &call, &upstream_status);
	else if (call.reason == REASON_NONE)
		(void)decode_vital(q.group, buf_span(&q.body), &upstream_status);
	buf_free(&q.body);
	*scenario = upstream_status.scenario;
}

void upstream_status_ask(struct upstream *upstream, bool scenario_configured,
			 struct upstream_status *upstream_status)
{
	struct buf bodies[CACHE_GROUPS];
	struct upstream_call calls[CACHE_GROUPS];
	size_t n = scenario_configured ? 2 : 1;

	*upstream_status = (struct upstream_status){.scenario.configured = scenario_configured};
	for (size_t i = 0; i < n; i++) {
		buf_init(&bodies[i], 65536);
		calls[i] = (struct upstream_call){.endpoint = sources[CACHE_STATUS + i].endpoint,
						  .sink = collect,
						  .ctx = &bodies[i]};
	}
	upstream_run(upstream, calls, n, NULL, NULL);
	for (size_t i = 0; i < n; i++) {
		if (calls[i].reason == REASON_NONE)
			(void)decode_vital((enum cache_group)(CACHE_STATUS + i),
					   buf_span(&bodies[i]), upstream_status);
		buf_free(&bodies[i]);
	}
}
