/* SPDX-License-Identifier: MIT */
/*
 * Verdict and condition to answer. Nobody ever waits for the upstream: what a request has to fetch
 * is fetched by serve_after, when the request is finished.
 *
 *	serve_prefetch(serve, requests, count);       // where more than one have come
 *	serve_request(serve, &request, &response);    // body: of serve, or of the cache's last replies
 *	send(&response);                              // finish the request; the next one
 *	serve_after(serve);
 */
#ifndef TFT_SERVE_H
#define TFT_SERVE_H

#include "cache/cache.h"
#include "refresh/local.h"
#include "refresh/refresh.h"
#include "server/request.h"
#include "server/response.h"
#include "server/route.h"
#include "settings.h"

struct serve_config {
	const struct refresh *refresh;   /* cache, upstream, site */
	const struct settings *settings; /* who may act; shown on the advanced page */
	const struct cache_limits *limits;
	int64_t act_limit_ms;
	bool idle_tick;
};

struct serve;

/* Borrows everything for life. NULL when memory ends. */
struct serve *serve_new(const struct serve_config *config, struct local *local);
void serve_free(struct serve **serve);
/* Reads what these requests will ask of the cache in one round trip; before serve_request of each.
 */
void serve_prefetch(struct serve *serve, const struct request *const *requests, size_t count);
void serve_request(struct serve *serve, const struct request *request, struct response *response);
/* The constant answer to a request that could not be read (REQUEST_BAD and the like). */
void serve_refusal(struct serve *serve, const struct request *request, enum request_result why,
		   struct response *response);
/* Whether something is to be fetched, which takes as long as the upstream does. */
bool serve_due(const struct serve *serve);
void serve_after(struct serve *serve);
/* Idle work, to be followed by serve_after: the fleet is due if its bucket is not there yet.
 * Nothing before the time of it that serve_next_tick_ms has found last. */
void serve_tick(struct serve *serve);
/* Milliseconds until serve_tick and serve_after should be called although nobody asks, -1 never: at
 * the start of a bucket, and soon after a request for what it has counted. */
int64_t serve_next_tick_ms(struct serve *serve);

#endif
