/* SPDX-License-Identifier: MIT */
/*
 * The result of the last call, since when, and how old the data are: three separate statements
 * (doc/rules.md#warm-up, doc/pages.md#states). The shared breaker stores the reason; everything
 * else about it is in one table.
 */
#ifndef TFT_CONDITION_H
#define TFT_CONDITION_H

#include <stdbool.h>
#include <stdint.h>
#include "base/span.h"

/* The value of `condition` in the API (doc/upstream.md#classes). */
enum condition_code {
	CONDITION_OK,
	CONDITION_WARMING,
	CONDITION_UPSTREAM_ERROR,
	CONDITION_REFUSED,
	CONDITION_RATE_LIMITED,
	CONDITION_BAD_ANSWER,
	CONDITION_NO_DATA, /* a state of the cache, not an answer */
	CONDITION_PAST,    /* what was asked for is not the present */
	CONDITION_CODES
};

extern const char *const condition_names[CONDITION_CODES];

/* Why the last attempt produced no new snapshot: the closed list of reasons
 * (doc/pages.md#states). */
enum reason {
	REASON_NONE, /* it did */
	REASON_WARMING,
	REASON_CONNECT, /* connection refused or unroutable */
	REASON_TIMEOUT,
	REASON_NAME,       /* host name not resolved */
	REASON_INCOMPLETE, /* transfer cut short or stalled */
	REASON_EMPTY,      /* connection closed before the first byte of an answer */
	REASON_NOT_HTTP,
	REASON_NOT_HTTPS,   /* the TLS handshake failed */
	REASON_CERTIFICATE, /* not signed by a trusted authority, or expired */
	REASON_CERTIFICATE_NAME,
	REASON_STATUS_5XX,
	REASON_STATUS, /* any other unexpected status */
	REASON_KEY,    /* 401, 403 */
	REASON_LIMIT,  /* 429 */
	REASON_BAD,    /* answer not understood */
	REASON_TOO_LARGE,
	REASON_REPORTED, /* 200 with an error member, or empty predictions */
	REASON_INTERNAL, /* our own fault: out of memory, rendering failed */
	REASON_COUNT
};

struct reason_info {
	const char *slug; /* in Redis, log and metrics: timed-out */
	const char *text; /* on screen, after "Prediction daemon: ": timed out */
	enum condition_code code;
};

extern const struct reason_info reason_table[REASON_COUNT];
/* REASON_INTERNAL for a slug that is not in the table (another version wrote it). */
enum reason reason_find(struct span slug);

/* Warming up is an answer without data, not a fault: the daemon is called again in the next
 * bucket. */
bool reason_is_fault(enum reason reason);

enum age_class { AGE_LIVE, AGE_UPDATING, AGE_STALE, AGE_VERY_STALE, AGE_NO_DATA };

struct condition {
	enum reason reason;
	int64_t since_ms; /* first failure with this reason, epoch; 0 when reason is REASON_NONE */
	int64_t next_try_ms; /* epoch; 0 unknown */
	enum age_class age;
	bool cache_off; /* Redis unreachable, own snapshot shown (doc/cache.md#redis-down) */
	const char *cache_refuses; /* why a reachable Redis cannot be used, to follow "Redis": "is a
				      read-only replica"; NULL: it can */
	bool flushed; /* the data were fetched before the last flush: shown, but marked */
};

/* Limits of the age classes, milliseconds. */
struct age_limits {
	int64_t interval_ms;
	int64_t act_limit_ms; /* from this age on: do not act on these numbers */
	int64_t max_stale_ms; /* from this age on nothing is shown */
};

/* Age class of data fetched age_ms ago that took fill_ms to produce (doc/pages.md#states): live
 * up to max(1.2 I, I + fill + 2 s), updating up to 2 I. */
enum age_class condition_age(const struct age_limits *limits, int64_t age_ms, int64_t fill_ms);
/* The age at which data leave this class. Live and updating count as one class, as both mean that
 * nothing is wrong. Milliseconds, at most max_stale_ms. */
int64_t condition_until(const struct age_limits *limits, enum age_class age, int64_t fill_ms);
/* Whether a stored page may be sent unchanged: data live or updating, and nothing to report. */
bool condition_is_plain(const struct condition *c);
/* The code of the reason; at AGE_NO_DATA it is CONDITION_NO_DATA, unless the daemon answered that
 * it is warming up (doc/pages.md#states). */
enum condition_code condition_code(const struct condition *c);

#endif
