/* SPDX-License-Identifier: MIT */
/*
 * What is known when an answer is made, from the shared cache or, while Redis is away, from this
 * worker's own snapshot. Nothing here waits for the upstream: what has to be fetched is recorded in
 * `due_work` and done after the response.
 *
 *	context_read(sources, &context, "overview", gzip);  // one round trip: state and entry
 *	context_claim(sources, &context);
 *	context_load_snapshot(sources, &context);           // and whatever else the answer needs
 *	context_free(&context);
 */
#ifndef TFT_CONTEXT_H
#define TFT_CONTEXT_H

#include "cache/archive.h"
#include "cache/moments.h"
#include "fleet/accuracy.h"
#include "pages/catalogue.h"
#include "fleet/incidents.h"
#include "fleet/trail.h"
#include "fleet/warnings.h"
#include "server/request.h"
#include "server/serve.h"
#include "refresh/upstream_status.h"

/* Work to be done after the response. */
struct due_work {
	bool claimed; /* refresh the fleet */
	struct claim claim;
	bool upstream_status; /* ask for what is not of its present bucket */
	bool local;           /* fetch for this worker alone */
	bool repeat_alerts;   /* the bucket may remain without new data */
	/* Alerts by this host alone: why Redis cannot be used, to follow "Redis", and since when;
	 * NULL: it can. */
	const char *alone;
	int64_t alone_ms; /* epoch */
};

/* The sources of one worker, and what it remembers about them. */
struct sources {
	const struct serve_config *config;
	struct cache *cache;
	struct local *local;
	struct due_work due_work;
	int64_t status_bucket;   /* in which this worker last wanted to ask for the small groups */
	int64_t repeat_bucket;   /* in which it last wanted to repeat the alerts */
	struct cache_state seen; /* the last one that Redis told */
	int64_t down_since_ms;   /* monotonic; 0: Redis is up */
	bool was_down;           /* and has told of no data since */
	/* Of the server that the request is about, with its history: too large to be cleared for each
	 * request. */
	struct trail trail;
};

struct context {
	const struct request *request;
	const struct page *page;
	struct query query;
	struct cache_read read;
	struct condition condition;
	struct upstream_status upstream_status;
	struct snapshot *decoded; /* owned */
	struct history history;   /* owned */
	struct archive_has has;
	struct history day;         /* owned; of the past: the day before its moment */
	bool incomplete;            /* of the past: something of it cannot be read */
	struct incidents incidents; /* owned */
	bool has_incidents;
	struct moment then; /* PAGE_SINCE; owned */
	struct since since;
	bool has_since;
	struct accuracy *accuracy;         /* PAGE_ACCURACY; owned; NULL: not available */
	struct warnings *warnings;         /* PAGE_WARNINGS; the same */
	const struct diagnosis *diagnosis; /* PAGE_DIAGNOSIS */
	const struct snapshot *snap;       /* decoded, or the local one */
	bool own;                          /* the local one */
	struct span name;                  /* PAGE_SERVER: as the path has it */
	const struct server *server;       /* of that name */
	const struct server *with;         /* to compare it with; NULL: none */
	enum claim_result claim;
	int64_t now_ms;   /* the clock that gen belongs to */
	int64_t redis_us; /* since the request was read: it may have waited for others */
	int64_t render_us;
};

/* Reads the state, and the stored page of this route (NULL: none); fills read, condition, now_ms,
 * and snap where it is the worker's own. */
void context_read(struct sources *sources, struct context *context, const char *route, bool gzip);
/* Redis has been away only for a moment: no worker fetches on its own yet, and no page mentions it.
 * */
bool context_in_grace(const struct sources *sources);
/* A stale or cold reader tries to become the one who refreshes; it never waits for another one. */
void context_claim(struct sources *sources, struct context *context);
/* Loads the compact snapshot that the context's pointer names. Without it the worker's own is shown,
 * if it is not too old; else the data count as gone: no page is shown without its age. */
void context_load_snapshot(struct sources *sources, struct context *context);
/* Reads state and compact snapshot in one round trip; else as context_read and
 * context_load_snapshot. */
void context_read_snapshot(struct sources *sources, struct context *context);
/* Finds the server that the page is about, and loads forecasts if the page shows any. false: there
 * is no such server. */
bool context_load_server(struct sources *sources, struct context *context);
/* Whether the query names a server to compare with, and there is none of that name. */
bool context_lacks_other(const struct context *context);
/* Loads history or incidents if the page shows any. */
void context_load_history(struct sources *sources, struct context *context);
/* For a page of the past, instead of the functions above: loads the moment that the query asks for,
 * and all that its page needs; in one round trip, if every bucket is kept of that time. Reads
 * nothing of the present, and nothing becomes due. moment: as moments_read fills it; the context
 * owns the snapshot. */
enum moment_result context_load_moment(struct sources *sources, struct context *context,
				       struct moment *moment);
/* Loads the moment that the shown one is compared with, if the page shows changes, and in the same
 * round trip the scores of forecasts, if it shows any. */
void context_load_since(struct sources *sources, struct context *context);
/* Loads warm-up and scenario, the same for all pages at one moment. Their times are filled in only
 * where they differ from that of the data shown. */
void context_load_upstream_status(struct sources *sources, struct context *context);
/* Records that they are due, if they are. After context_claim. */
void context_want_upstream_status(struct sources *sources, const struct context *context);
/* Keeps a copy of the current snapshot for the case that Redis goes away; once per bucket. */
void context_keep(struct sources *sources);
/* Fills in what operators want to know about cache and calls. */
void context_diagnose(struct sources *sources, const struct context *context,
		      struct diagnosis *diagnosis);
/* When the refresh of the data was claimed, those of the shared cache or our own. */
int64_t context_gen_ms(const struct context *context);
/* For how many milliseconds an answer stays true about the age of its data: one that says nothing
 * is wrong, until the data are late; a page that shows their time, until nobody should act on them;
 * any answer, at most until the data are too old to be shown. */
int64_t context_holds_ms(const struct sources *sources, const struct context *context);
void context_free(struct context *context);

#endif
