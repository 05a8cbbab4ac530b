/* SPDX-License-Identifier: MIT */
/*
 * From request to response. No request waits for the upstream: serve_after fetches what is due when
 * the response has been sent.
 *
 *	serve_prefetch(serve, requests, count);       // if more than one have arrived
 *	serve_request(serve, &request, &response);    // the cache or serve owns the body
 *	send(&response);                              // finish the request, then the next
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
/* Reads in one round trip what these requests, at most CACHE_LOOKUPS_MAX, need from the cache. Call
 * before serve_request for each of them. */
void serve_prefetch(struct serve *serve, const struct request *const *requests, size_t count);
void serve_request(struct serve *serve, const struct request *request, struct response *response);
/* The constant answer to a request that could not be read (REQUEST_BAD and the like). */
void serve_refusal(struct serve *serve, const struct request *request, enum request_result why,
		   struct response *response);
/* Whether something has to be fetched, which takes as long as the upstream does. */
bool serve_due(const struct serve *serve);
void serve_after(struct serve *serve);
/* Idle work, followed by serve_after: claims the fleet if the current bucket is missing. Does
 * nothing before the time that serve_next_tick_ms gave last. */
void serve_tick(struct serve *serve);
/* Milliseconds until serve_tick and serve_after should be called without a request; -1: never. That
 * is at the start of a bucket, and soon after a request whose counts are to be flushed. */
int64_t serve_next_tick_ms(struct serve *serve);

#endif
