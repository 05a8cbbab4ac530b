/* SPDX-License-Identifier: MIT */
/*
 * Counters in the Prometheus text format 0.0.4, summed per node over all its workers: a worker
 * counts in its memory and adds what it has to the node's hash in Redis (tft:node:<node>) about
 * once a second, after a response. The field names of that hash are the series as they are printed,
 * so a reader sorts and prints.
 */
#ifndef TFT_METRICS_H
#define TFT_METRICS_H

#include "base/buf.h"
#include "cache/cache.h"
#include "fleet/snapshot.h"

/* name (without the prefix tft_dashboard_), type, help. */
#define METRICS_TABLE(X)                                                                           \
	X(HTTP_REQUESTS, "http_requests_total", "counter", "Requests by route and status code.")   \
	X(HTTP_SECONDS, "http_request_duration_seconds", "histogram",                              \
	  "Time from request to response at the worker.")                                          \
	X(CACHE_REQUESTS, "cache_requests_total", "counter",                                       \
	  "Requests of viewers for data by what the shared cache had: "                            \
	  "fresh, stale, cold, down.")                                                             \
	X(CACHE_FILLS, "cache_fills_total", "counter", "Refreshes by group and result.")           \
	X(CACHE_FILL_SECONDS, "cache_fill_duration_seconds", "summary",                            \
	  "Time of refreshes by step: fetch, stage, commit.")                                      \
	X(UPSTREAM_REQUESTS, "upstream_requests_total", "counter",                                 \
	  "Calls of the upstream by endpoint and status code; "                                    \
	  "0 is no answer.")                                                                       \
	X(ACTIONS, "actions_total", "counter", "Actions of operators by their result.")            \
	X(WORKER_STARTS, "worker_starts_total", "counter", "Starts of workers by version.")        \
	X(REDIS_SECONDS, "redis_command_duration_seconds", "histogram",                            \
	  "Time of batches of commands at Redis, with that of connecting.")                        \
	X(REDIS_RECONNECTS, "redis_reconnects_total", "counter",                                   \
	  "Connections to Redis that workers had to open again.")                                  \
	X(REDIS_FAILURES, "redis_failures_total", "counter",                                       \
	  "Batches that Redis did not answer in time or refused.")

enum metrics_name {
#define X(id, name, type, help) METRICS_##id,
	METRICS_TABLE(X)
#undef X
		METRICS_NAMES
};

struct metrics;

/* node is borrowed. NULL when memory ends. */
struct metrics *metrics_new(const char *node);
void metrics_free(struct metrics **metrics);
/* Adds 1 to the series with these labels: text of the form `route="overview",code="200"`, words of
 * the program only; empty for none. */
void metrics_count(struct metrics *metrics, enum metrics_name name, const char *labels);
/* Counts what a viewer's request found in the shared cache: not what our own looks do, idle ticks and
 * probes. */
void metrics_verdict(struct metrics *metrics, enum cache_verdict verdict);
/* Adds one observation to the histogram of request durations. */
void metrics_time(struct metrics *metrics, int64_t us);
enum metrics_step { METRICS_FETCH, METRICS_STAGE, METRICS_COMMIT, METRICS_STEPS };
/* Adds how long a step of a refresh took. */
void metrics_step(struct metrics *metrics, enum metrics_step step, int64_t us);
/* For cache_watch, with the metrics as ctx: one batch at Redis. */
void metrics_batch(void *ctx, int64_t us, bool reconnected);
/* Milliseconds until there is something to hand over; -1: nothing has been counted. */
int64_t metrics_flush_in(const struct metrics *metrics);
/* Hands the counts over to Redis if the last time is a second ago. What Redis does not take is
 * kept. */
void metrics_flush(struct metrics *metrics, struct cache *cache);
/* The node's counters as a page for Prometheus, and `gauges` (complete lines) after them. */
void metrics_print(struct metrics *metrics, struct cache *cache, struct span gauges,
		   struct buf *out);
/* Fills in what this node's readers found so far. */
void metrics_diagnose(struct metrics *metrics, struct cache *cache, struct diagnosis *diagnosis);
/* Fills in what the readers of all nodes found so far, and how many predictions calls that took;
 * leaves all of it alone when nothing was counted. */
void metrics_served(struct cache *cache, struct served *served);

#endif
