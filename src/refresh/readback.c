/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "refresh/readback.h"

#include <stdio.h>

#include "base/html.h"
#include "base/log.h"
#include "fleet/told.h"

enum { ALERTS, SILENCES, STATUS, QUESTIONS };

static const enum upstream_endpoint questions[QUESTIONS] = {
	[ALERTS] = UPSTREAM_ALERTS_TOLD,
	[SILENCES] = UPSTREAM_SILENCES_TOLD,
	[STATUS] = UPSTREAM_ALERTMANAGER_STATUS,
};

/* Others may send alerts to it, too, and far more. Silences are all needed: they need not name the
 * fleet. */
static void put_filter(const char *fleet, struct buf *out)
{
	buf_lit(out, "?filter=fleet%3D%22");
	html_url(out, span_str(fleet));
	buf_lit(out, "%22");
}

static enum reason ask(const struct alerting *a, size_t member, struct buf answers[QUESTIONS])
{
	struct upstream_call calls[QUESTIONS];
	enum reason reason = REASON_NONE;
	struct buf filter;

	buf_init(&filter, 2048);
	put_filter(a->fleet, &filter);
	for (int i = 0; i < QUESTIONS; i++)
		calls[i] = (struct upstream_call){.endpoint = questions[i],
						  .member = member,
						  .sink = upstream_keep,
						  .ctx = &answers[i]};
	calls[ALERTS].rest = buf_span(&filter);
	upstream_run(a->upstream, calls, QUESTIONS, NULL, NULL);
	for (int i = 0; i < QUESTIONS && reason == REASON_NONE; i++)
		reason = buf_ok(&answers[i]) ? calls[i].reason : REASON_INTERNAL;
	buf_free(&filter);
	return reason;
}

static enum reason read_record(const struct alerting *a, size_t member, int64_t now_ms,
			       struct buf *record)
{
	struct buf answers[QUESTIONS];
	enum reason reason;

	for (int i = 0; i < QUESTIONS; i++)
		buf_init(&answers[i], READBACK_ANSWER_MAX);
	reason = ask(a, member, answers);
	if (reason == REASON_NONE)
		reason = told_decode(&(struct told){.alerts = buf_span(&answers[ALERTS]),
						    .silences = buf_span(&answers[SILENCES]),
						    .status = buf_span(&answers[STATUS]),
						    .fleet = span_str(a->fleet),
						    .now_ms = now_ms},
				     record);
	for (int i = 0; i < QUESTIONS; i++)
		buf_free(&answers[i]);
	return reason;
}

static void publish(const struct alerting *a, const struct claim *claim, struct span record)
{
	const struct cache_document document = {.body = record, .type = "application/octet-stream"};

	(void)cache_commit_one(a->cache, claim, READBACK_ROUTE, &document);
}

static void tell(const struct alerting *a, size_t member, enum reason reason)
{
	const char *result = reason == REASON_NONE ? "ok" : reason_table[reason].slug;
	char labels[80];

	if (reason != REASON_NONE)
		log_event(LOG_LEVEL_WARNING, "alertmanager_unread",
			  LOG_INT("alertmanager", (int64_t)member + 1), LOG_STR("result", result));
	(void)snprintf(labels, sizeof(labels), "result=\"%s\"", result);
	metrics_count(a->metrics, METRICS_ALERT_READS, labels);
}

void readback_take(const struct alerting *a, size_t member)
{
	enum reason reason;
	struct claim claim;
	struct buf record;

	if (cache_claim(a->cache, CACHE_ALERTMANAGER, &claim) != CLAIM_WON)
		return;
	buf_init(&record, ALERTMANAGER_RECORD_MAX);
	reason = read_record(a, member, claim.now_ms, &record);
	tell(a, member, reason);
	if (reason == REASON_NONE)
		publish(a, &claim, buf_span(&record));
	else
		cache_fail(a->cache, &claim, reason, 0);
	buf_free(&record);
}

void readback_again(const struct alerting *a, size_t member)
{
	cache_outdate(a->cache, CACHE_ALERTMANAGER);
	readback_take(a, member);
}
