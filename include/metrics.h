/* SPDX-License-Identifier: MIT */
/*
 * Counters in the Prometheus text format 0.0.4, summed per node over all its workers: a worker
 * counts in its memory and adds what it has to the node's hash in Redis (tft:node:<node>) about
 * once a second, after a response. The field names of that hash are the series as they are printed,
 * so a reader sorts and prints.
 */
#ifndef TFT_METRICS_H
#define TFT_METRICS_H

#include "buf.h"
#include "cache.h"

/* name (without the prefix tft_dashboard_), help; all are counters. */
#define METRICS_TABLE(X)                                                                           \
	X(HTTP_REQUESTS, "http_requests_total", "Requests by route and status code.")              \
	X(HTTP_SECONDS, "http_request_duration_seconds",                                           \
	  "Time from request to response at the worker.")                                          \
	X(CACHE_REQUESTS, "cache_requests_total",                                                  \
	  "Requests for data by what the shared cache had: "                                       \
	  "fresh, stale, cold, down.")                                                             \
	X(CACHE_FILLS, "cache_fills_total", "Refreshes by group and result.")                      \
	X(UPSTREAM_REQUESTS, "upstream_requests_total",                                            \
	  "Calls of the upstream by endpoint and status code; "                                    \
	  "0 is no answer.")                                                                       \
	X(ACTIONS, "actions_total", "Actions of operators by their result.")                       \
	X(REDIS_FAILURES, "redis_failures_total",                                                  \
	  "Batches that Redis did not answer in time or refused.")

enum metrics_name {
#define X(id, name, help) METRICS_##id,
	METRICS_TABLE(X)
#undef X
		METRICS_NAMES
};

struct metrics;

/* node is borrowed. NULL when memory ends. */
struct metrics *metrics_new(const char *node);
void metrics_free(struct metrics **metrics);
/* Adds 1 to the series with these labels: text of the form `route="overview",code="200"`, words of
 * the program only. */
void metrics_count(struct metrics *metrics, enum metrics_name name, const char *labels);
/* Counts what a reader found in the shared cache. */
void metrics_verdict(struct metrics *metrics, enum cache_verdict verdict);
/* Adds one observation to the histogram of request durations. */
void metrics_time(struct metrics *metrics, int64_t us);
/* Hands the counts over to Redis if the last time is a second ago. What Redis does not take is
 * kept. */
void metrics_flush(struct metrics *metrics, struct cache *cache);
/* The node's counters as a page for Prometheus, and `gauges` (complete lines) after them. */
void metrics_print(struct metrics *metrics, struct cache *cache, struct span gauges,
		   struct buf *out);
/* Fills in what this node's readers found so far. */
void metrics_diagnose(struct metrics *metrics, struct cache *cache, struct diagnosis *diagnosis);

#endif
