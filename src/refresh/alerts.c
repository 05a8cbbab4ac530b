/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "refresh/alerts.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "fleet/compact.h"
#include "pages/alert_json.h"
#include "refresh/fetch.h"
#include "refresh/readback.h"

#define ROUTE "alerts"

/* ---- the calls ---- */

static void tell(const struct alerting *a, const struct upstream_call *call, size_t count)
{
	bool good = call->reason == REASON_NONE;
	const char *result = good ? "ok" : reason_table[call->reason].slug;
	char labels[80];

	log_event(good ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, good ? "alerts" : "alerts_failed",
		  LOG_INT("alertmanager", (int64_t)call->member + 1), LOG_STR("result", result),
		  LOG_INT("status", call->status), LOG_INT("alerts", (int64_t)count),
		  LOG_INT("ms", call->took_ms));
	(void)snprintf(labels, sizeof(labels), "result=\"%s\"", result);
	metrics_count(a->metrics, METRICS_ALERT_POSTS, labels);
}

struct posted {
	size_t count; /* of alerts */
	size_t taker; /* the first Alertmanager that has taken them */
};

/* REASON_NONE: one of them has it, and passes it on to the others that it knows. */
static enum reason post_body(const struct alerting *a, struct span body, struct posted *posted)
{
	struct upstream_call calls[ALERTMANAGERS_MAX];
	size_t i = 0;

	for (; i < a->alertmanagers; i++)
		calls[i] = (struct upstream_call){
			.endpoint = UPSTREAM_ALERTS, .member = i, .body = body};
	upstream_run(a->upstream, calls, a->alertmanagers, NULL, NULL);
	for (i = 0; i < a->alertmanagers; i++)
		tell(a, &calls[i], posted->count);
	for (i = 0; i < a->alertmanagers && calls[i].reason != REASON_NONE; i++)
		;
	posted->taker = i;
	return i < a->alertmanagers ? REASON_NONE : calls[0].reason;
}

static enum reason post_alerts(const struct alerting *a, struct alert_post *post,
			       struct posted *posted)
{
	enum reason reason = REASON_INTERNAL;
	struct buf body;

	post->fleet = a->fleet;
	post->public_url = a->public_url;
	post->interval_ms = a->interval_ms;
	buf_init(&body, FETCH_POST_MAX);
	posted->count = alert_json(post, &body);
	if (buf_ok(&body) && buf_ok(&post->firings->list) && buf_ok(&post->firings->names))
		reason = post_body(a, buf_span(&body), posted);
	buf_free(&body);
	return reason;
}

/* ---- once per bucket ---- */

static void note_sent(const struct alerting *a, const struct claim *claim, size_t count)
{
	struct cache_document document = {.type = "application/json"};
	struct buf body;

	buf_init(&body, 4096);
	buf_addf(&body, "{\"sent\":%zu}", count);
	document.body = buf_span(&body);
	(void)cache_commit_one(a->cache, claim, ROUTE, &document);
	buf_free(&body);
}

static void post_as_winner(const struct alerting *a, const struct claim *claim,
			   struct alert_post *post)
{
	struct posted posted;
	enum reason reason;

	fault_point("before-alerts");
	/* After a long stop another worker may have sent newer ones. */
	if (!cache_claim_in_time(claim))
		return;
	reason = post_alerts(a, post, &posted);
	if (reason != REASON_NONE) {
		cache_fail(a->cache, claim, reason, 0);
		return;
	}
	note_sent(a, claim, posted.count);
	readback_take(a, posted.taker);
}

void alerts_send(const struct alerting *a, const struct snapshot *snap,
		 const struct accuracy *accuracy)
{
	struct firings firings;
	struct alert_post post = {
		.firings = &firings, .snap = snap, .accuracy = accuracy, .now_ms = snap->gen_ms};
	struct claim claim;

	if (!a->alertmanagers || cache_claim(a->cache, CACHE_ALERTS, &claim) != CLAIM_WON)
		return;
	firings_init(&firings);
	firings_read(&firings, buf_span(&snap->firing));
	post_as_winner(a, &claim, &post);
	firings_free(&firings);
}

/* Where there are no data at all, their absence counts from the first failure. */
static struct firing_outage outage_of(const struct cache_state *state)
{
	return (struct firing_outage){.data_ms = state->data_bucket >= 0 ? state->gen_ms
									 : state->since_ms,
				      .key_ms = state->reason == REASON_KEY ? state->since_ms : 0};
}

void alerts_repeat(const struct alerting *a)
{
	struct firings firings;
	struct alert_post post = {.firings = &firings};
	struct firing_outage outage;
	struct snapshot *last = NULL;
	struct cache_read read;
	struct claim claim;
	char fault[120];

	if (!a->alertmanagers || cache_claim(a->cache, CACHE_ALERTS, &claim) != CLAIM_WON)
		return;
	(void)cache_read(a->cache, CACHE_FLEET, "fleet", false, &read);
	if (read.found)
		last = compact_decode(read.entry.body);
	outage = outage_of(&read.state);
	(void)snprintf(fault, sizeof(fault), "prediction daemon: %s",
		       reason_table[read.state.reason].text);
	post.snap = last;
	post.fault = read.state.reason == REASON_NONE ? NULL : fault;
	post.now_ms = claim.now_ms;
	firings_init(&firings);
	firing_without_data(last, &a->rules, &outage, post.now_ms, &firings);
	post_as_winner(a, &claim, &post);
	firings_free(&firings);
	snapshot_free(&last);
}

/* ---- without Redis ---- */

static void drop_ended(struct firings *firings)
{
	struct firing *list = (struct firing *)(void *)firings->list.data;

	for (size_t i = 0; i < firings_count(firings); i++)
		if (list[i].phase == FIRING_OVER)
			list[i].phase = FIRING_PENDING;
}

void alerts_alone(const struct alerting *a, const struct snapshot *last, const char *why,
		  int64_t since_ms)
{
	static const struct firing_outage none;
	struct firings firings;
	char fault[120];
	struct alert_post post = {
		.firings = &firings, .snap = last, .fault = fault, .now_ms = clock_wall_ms()};
	struct posted posted;

	(void)snprintf(fault, sizeof(fault), "Redis %s", why);
	firings_init(&firings);
	firing_without_data(last, &a->rules, &none, post.now_ms, &firings);
	drop_ended(&firings);
	firing_add_own(&firings, FIRING_REDIS, since_ms);
	(void)post_alerts(a, &post, &posted);
	firings_free(&firings);
}
