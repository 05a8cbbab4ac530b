/* SPDX-License-Identifier: MIT */
/* What a page is made of. A document is f(page, view): no clock, no host name, no user. */
#ifndef TFT_VIEW_H
#define TFT_VIEW_H

#include "fleet/condition.h"
#include "fleet/snapshot.h"
#include "pages/address.h"

struct incidents;
struct accuracy;
struct trail;
struct warnings;

/* What all pages of one deployment share. */
struct site {
	int64_t interval_ms;
	int64_t act_limit_ms;
	int64_t max_stale_ms;
	const char *asked_url;   /* of the prediction daemon, without the key, for the cold page */
	const char *runbook_url; /* with {server} and {profile}; NULL or empty: none */
	bool sends_alerts;       /* an Alertmanager is configured */
};

/* The moment that the shown one is compared with (doc/rules.md#changes). */
struct since {
	const struct snapshot *then; /* NULL: nothing is kept of it */
	int64_t asked_ms;            /* epoch */
	int64_t before_ms, after_ms; /* without then: the nearest moments kept; 0: there is none */
};

struct view {
	const struct site *site;
	const struct snapshot *snap; /* NULL: no data to show (cold, warming, too old) */
	const struct condition *condition;
	const struct query *query;
	int64_t at_ms; /* the requested moment of the past, the start of a bucket; 0: the present */
	const struct history *day; /* of the past: the points of the day before; else NULL */
	bool incomplete;           /* of the past: something of it cannot be read */
	/* From the two small cache groups; never NULL. */
	const struct warmup *warmup;
	const struct scenario *scenario;
	int64_t last_gen_ms; /* without a snapshot: gen_ms of the last one; 0: there was none */
	/* What the page's `needs` ask for; NULL where it is not available. */
	const struct server
		*server; /* PAGE_SERVER: of the snapshot, with its series where available */
	const struct history *history;     /* PAGE_HISTORY: the requested range */
	const struct server *with;         /* to compare it with; as `server` */
	const struct trail *trail;         /* PAGE_SERVER and PAGE_HISTORY */
	const struct diagnosis *diagnosis; /* PAGE_DIAGNOSIS */
	const struct incidents *incidents; /* PAGE_INCIDENTS: of the asked period, sorted */
	const struct since *since;         /* PAGE_SINCE */
	const struct accuracy *accuracy;   /* PAGE_ACCURACY: of the asked period */
	const struct warnings *warnings;   /* PAGE_WARNINGS: of the same period */
};

/* An error as a document shows it. */
struct http_error {
	int status;
	const char *title; /* Not found */
	const char *text;  /* one sentence, constant */
};
/* A moment of which nothing is kept. */
struct no_moment {
	const struct page *page;
	const struct query *query;
	int64_t before_ms, after_ms; /* the nearest that are kept; 0: there is none */
};
/* A value of the query that is not valid. */
struct bad_value {
	const struct page *page;
	const struct query *query; /* as query_parse left it */
	enum query_key key;
};

#endif
