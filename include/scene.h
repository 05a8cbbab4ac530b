/* SPDX-License-Identifier: MIT */
/*
 * What is known when an answer is made: from the shared cache, or, while Redis is away, from this
 * worker's own snapshot. Nothing here waits for the upstream; what has to be fetched is noted in
 * the dues and done when the request is finished.
 *
 *	scene_look(sources, &scene, "overview", gzip);        one round trip: state, condition,
 *entry scene_claim(sources, &scene); scene_load_...(sources, &scene);                      what the
 *answer needs scene_free(&scene);
 */
#ifndef TFT_SCENE_H
#define TFT_SCENE_H

#include "pages.h"
#include "request.h"
#include "serve.h"
#include "vitals.h"

/* Work to be done after the response. */
struct dues {
	bool claimed; /* refresh the fleet */
	struct claim claim;
	bool vitals[CACHE_GROUPS]; /* ask for these small groups */
	bool local;                /* fetch for this worker alone */
};

/* What one worker looks at. */
struct sources {
	const struct serve_config *config;
	struct cache *cache;
	struct local *local;
	struct dues dues;
	int64_t down_since_ms; /* monotonic; 0: Redis is up */
};

struct scene {
	const struct request *request;
	const struct page *page;
	struct query query;
	struct cache_read read;
	struct condition condition;
	struct vitals vitals;
	struct snapshot *decoded; /* owned */
	struct history history;   /* owned */
	bool has_history;
	const struct diagnosis *diagnosis; /* PAGE_DIAGNOSIS */
	const struct snapshot *snap;       /* decoded, or the local one */
	struct span name;                  /* PAGE_SERVER: as the path has it */
	const struct server *server;       /* of that name */
	enum claim_result claim;
	int64_t now_ms;   /* the clock that gen belongs to */
	int64_t redis_us; /* since the request was read: it may have waited for others */
	int64_t render_us;
};

/* Reads the state, and the stored page of this route (NULL: none); fills read, condition, now_ms,
 * and snap where it is the worker's own. */
void scene_look(struct sources *sources, struct scene *scene, const char *route, bool gzip);
/* Redis has been away for a moment only: nginx shows its copies, nobody fetches alone yet. */
bool scene_in_grace(const struct sources *sources);
/* A stale or cold reader tries to become the one who refreshes; it never waits for another one. */
void scene_claim(struct sources *sources, struct scene *scene);
/* The compact snapshot that the pointer of this scene names. Without it the data count as gone: a
 * page is never shown without its age. */
void scene_load_snapshot(struct sources *sources, struct scene *scene);
/* The server that the page is about, and forecasts where the page shows some. false: there is no
 * such server. */
bool scene_load_server(struct sources *sources, struct scene *scene);
/* History where the page shows some. */
void scene_load_history(struct sources *sources, struct scene *scene);
/* Warm-up and scenario for a page that has no snapshot to take them from. */
void scene_load_vitals(struct sources *sources, struct scene *scene);
/* What operators want to know about cache and calls. */
void scene_diagnose(struct sources *sources, const struct scene *scene,
		    struct diagnosis *diagnosis);
void scene_free(struct scene *scene);

#endif
