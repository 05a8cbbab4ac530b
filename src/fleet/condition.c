/* SPDX-License-Identifier: MIT */
/* The closed list of reasons, the age classes, and what they mean for a stored page. */
#include "config.h"

#include "fleet/condition.h"

const char *const condition_names[CONDITION_CODES] = {
	[CONDITION_OK] = "ok",
	[CONDITION_WARMING] = "warming",
	[CONDITION_UPSTREAM_ERROR] = "upstream-error",
	[CONDITION_REFUSED] = "refused",
	[CONDITION_RATE_LIMITED] = "rate-limited",
	[CONDITION_BAD_ANSWER] = "bad-answer",
	[CONDITION_NO_DATA] = "no-data",
	[CONDITION_PAST] = "past",
};

const struct reason_info reason_table[REASON_COUNT] = {
	[REASON_NONE] = {"none", "answers", CONDITION_OK},
	[REASON_WARMING] = {"warming-up", "is warming up", CONDITION_WARMING},
	[REASON_CONNECT] = {"connection-refused", "connection refused", CONDITION_UPSTREAM_ERROR},
	[REASON_TIMEOUT] = {"timed-out", "timed out", CONDITION_UPSTREAM_ERROR},
	[REASON_NAME] = {"name-not-found", "name not found", CONDITION_UPSTREAM_ERROR},
	[REASON_INCOMPLETE] = {"incomplete", "answer incomplete", CONDITION_UPSTREAM_ERROR},
	[REASON_EMPTY] = {"empty-answer", "empty answer", CONDITION_UPSTREAM_ERROR},
	[REASON_NOT_HTTP] = {"not-http", "does not speak HTTP", CONDITION_BAD_ANSWER},
	[REASON_NOT_HTTPS] = {"not-https", "does not speak HTTPS", CONDITION_UPSTREAM_ERROR},
	[REASON_CERTIFICATE] = {"certificate-not-trusted", "certificate is not trusted",
				CONDITION_UPSTREAM_ERROR},
	[REASON_CERTIFICATE_NAME] = {"certificate-name", "certificate is for another name",
				     CONDITION_UPSTREAM_ERROR},
	[REASON_STATUS_5XX] = {"status-5xx", "answered 5xx", CONDITION_UPSTREAM_ERROR},
	[REASON_STATUS] = {"status-unexpected", "answered an unexpected status",
			   CONDITION_UPSTREAM_ERROR},
	[REASON_KEY] = {"key-refused", "refuses our API key", CONDITION_REFUSED},
	[REASON_LIMIT] = {"rate-limited", "limits our calls", CONDITION_RATE_LIMITED},
	[REASON_BAD] = {"not-understood", "answer not understood", CONDITION_BAD_ANSWER},
	[REASON_TOO_LARGE] = {"too-large", "answer too large", CONDITION_BAD_ANSWER},
	[REASON_REPORTED] = {"error-reported", "reports an error", CONDITION_UPSTREAM_ERROR},
	[REASON_INTERNAL] = {"internal", "answer could not be processed here",
			     CONDITION_UPSTREAM_ERROR},
};

enum reason reason_find(struct span slug)
{
	int r;

	for (r = 0; r < REASON_COUNT; r++)
		if (span_is(slug, reason_table[r].slug))
			return (enum reason)r;
	return REASON_INTERNAL;
}

bool reason_is_fault(enum reason reason)
{
	return reason != REASON_NONE && reason != REASON_WARMING;
}

static int64_t min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t max(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* With a slow daemon, data get older than 1.2 I although nothing is wrong. */
static int64_t live_until(int64_t interval, int64_t fill_ms)
{
	return max(interval + interval / 5, interval + fill_ms + 2000);
}

int64_t condition_until(const struct age_limits *limits, enum age_class age, int64_t fill_ms)
{
	int64_t until = age >= AGE_VERY_STALE ? limits->max_stale_ms : limits->act_limit_ms;

	if (age < AGE_STALE)
		until = min(until,
			    max(live_until(limits->interval_ms, fill_ms), 2 * limits->interval_ms));
	return min(until, limits->max_stale_ms);
}

enum age_class condition_age(const struct age_limits *limits, int64_t age_ms, int64_t fill_ms)
{
	int64_t interval = limits->interval_ms, live = live_until(interval, fill_ms);

	if (age_ms >= limits->max_stale_ms)
		return AGE_NO_DATA;
	if (age_ms >= limits->act_limit_ms)
		return AGE_VERY_STALE;
	if (age_ms <= live)
		return AGE_LIVE;
	return age_ms <= 2 * interval ? AGE_UPDATING : AGE_STALE;
}

bool condition_is_plain(const struct condition *c)
{
	return c->age <= AGE_UPDATING && c->reason == REASON_NONE && !c->cache_off && !c->flushed;
}

enum condition_code condition_code(const struct condition *c)
{
	if (c->age == AGE_NO_DATA && c->reason != REASON_WARMING)
		return CONDITION_NO_DATA;
	return reason_table[c->reason].code;
}
