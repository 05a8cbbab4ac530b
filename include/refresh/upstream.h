/* SPDX-License-Identifier: MIT */
/*
 * Calls to the two Python daemons (doc/upstream.md#calls) and to Alertmanagers. Each runs in a separate, short-lived
 * process, tft-fetch. No call is ever repeated here.
 */
#ifndef TFT_UPSTREAM_H
#define TFT_UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "fleet/condition.h"
#include "base/span.h"

enum upstream_endpoint {
	UPSTREAM_PREDICTIONS,
	UPSTREAM_STATUS,
	UPSTREAM_SCENARIO,
	UPSTREAM_SCENARIO_SET, /* a POST (doc/upstream.md#scenario-set) */
	UPSTREAM_ALERTS,       /* a POST to an Alertmanager; what it answers does not matter */
	/* Questions to an Alertmanager (doc/upstream.md#alertmanager). */
	UPSTREAM_ALERTS_TOLD,
	UPSTREAM_SILENCES_TOLD,
	UPSTREAM_ALERTMANAGER_STATUS,
	/* An Alertmanager's silences; all that it answers is passed on. */
	UPSTREAM_SILENCE_CREATE, /* a POST */
	UPSTREAM_SILENCE,        /* `rest` is its id */
	UPSTREAM_SILENCE_END,    /* a DELETE; the same */
	UPSTREAM_ENDPOINTS
};

struct upstream_config {
	const char *fetcher;                    /* path of tft-fetch */
	const char *daemon_url, *generator_url; /* base URLs without a slash at the end */
	const char *api_key;       /* empty: none; sent to the predictions endpoint only */
	const char *ca_file;       /* of https URLs; empty: the authorities of the system */
	const char *alertmanagers; /* base URLs, separated by commas */
	const char *alert_auth;    /* user:password, or "Bearer " and a token; empty: none */
	const char *alert_ca_file; /* as ca_file */
	int64_t connect_ms;
	int64_t timeout_ms[UPSTREAM_ENDPOINTS];
	int64_t max_body[UPSTREAM_ENDPOINTS];
};

#define UPSTREAM_CALLS_MAX 4 /* at once */
#define ALERTMANAGERS_MAX  UPSTREAM_CALLS_MAX

/* Receives the body of a 200 answer of JSON type as it arrives, of silences that of any answer. Nonzero stops the transfer. */
typedef int (*upstream_sink)(void *ctx, const char *bytes, size_t len);

/* A sink that appends them to ctx, a struct buf, whose ceiling bounds them. */
int upstream_keep(void *ctx, const char *bytes, size_t len);

struct upstream_call {
	enum upstream_endpoint endpoint;
	size_t member;      /* of an Alertmanager: which, from 0 */
	struct span rest;   /* appended to the path, percent-encoded; borrowed */
	upstream_sink sink; /* NULL: the body is discarded */
	void *ctx;
	struct span body; /* JSON that a POST sends; borrowed */
	/* filled by upstream_run */
	enum reason reason; /* REASON_NONE: a complete 200 answer of JSON type, or one that the sink
			       stopped */
	long status;        /* 0: no answer */
	int64_t retry_after_ms; /* of 429 (60 s where the header is absent or nonsense, at most 300
				   s) and 401/403 (60 s); else 0 */
	int64_t bytes, took_ms;
};

/* Called a few times a second while transfers run; false stops them all. May be NULL. */
typedef bool (*upstream_progress)(void *ctx);

struct upstream;

/* The config is borrowed for life. NULL: out of memory. */
struct upstream *upstream_new(const struct upstream_config *config);
void upstream_free(struct upstream **upstream);
/* Runs up to UPSTREAM_CALLS_MAX calls in parallel until the last one has ended. */
void upstream_run(struct upstream *upstream, struct upstream_call *calls, size_t count,
		  upstream_progress progress, void *ctx);

#endif
