/* SPDX-License-Identifier: MIT */
/*
 * Counters in the Prometheus text format 0.0.4, summed per node over all its workers. A worker
 * counts in memory and adds its counts to the node's hash in Redis (tft:node:<node>) about once a
 * second, after a response. The field names of that hash are the series names as printed, so a
 * reader only sorts and prints them.
 */
#ifndef TFT_METRICS_H
#define TFT_METRICS_H

#include "base/buf.h"
#include "cache/cache.h"
#include "fleet/accuracy.h"
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
	X(ALERT_POSTS, "alert_posts_total", "counter",                                             \
	  "Posts of alerts to an Alertmanager by their result.")                                   \
	X(ALERT_READS, "alert_reads_total", "counter",                                             \
	  "Reads of the state of an Alertmanager by their result.")                                \
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

/* node is borrowed. NULL: out of memory. */
struct metrics *metrics_new(const char *node);
void metrics_free(struct metrics **metrics);
/* Adds 1 to the series with these labels: text of the form `route="overview",code="200"`, words of
 * the program only; empty for none. */
void metrics_count(struct metrics *metrics, enum metrics_name name, const char *labels);
/* Counts what a viewer's request found in the shared cache. Idle ticks and probes are not counted.
 * */
void metrics_verdict(struct metrics *metrics, enum cache_verdict verdict);
/* Adds one observation to the histogram of request durations. */
void metrics_time(struct metrics *metrics, int64_t us);
enum metrics_step { METRICS_FETCH, METRICS_STAGE, METRICS_COMMIT, METRICS_STEPS };
/* Adds how long a step of a refresh took. */
void metrics_step(struct metrics *metrics, enum metrics_step step, int64_t us);
/* For cache_watch, with the metrics as ctx: one batch at Redis. */
void metrics_batch(void *ctx, int64_t us, bool reconnected);
/* Milliseconds until the counts should be flushed; -1: nothing has been counted. */
int64_t metrics_flush_in(const struct metrics *metrics);
/* Adds the counts to Redis, at most once a second. Counts that Redis does not accept are kept. */
void metrics_flush(struct metrics *metrics, struct cache *cache);
/* Prints the node's counters for Prometheus, followed by `gauges` (complete lines). */
void metrics_print(struct metrics *metrics, struct cache *cache, struct span gauges,
		   struct buf *out);
/* Prints for Prometheus how good the forecasts were: of each metric and horizon with ACCURACY_ENOUGH
 * values, of all profiles, while the scenario stayed. */
void metrics_forecasts(const struct accuracy *accuracy, struct buf *out);
/* Fills in what the requests to this node have found so far. */
void metrics_diagnose(struct metrics *metrics, struct cache *cache, struct diagnosis *diagnosis);
/* Fills in what the requests to all nodes have found so far, and how many predictions calls that
 * took. Changes nothing if nothing was counted. */
void metrics_served(struct cache *cache, struct served *served);

#endif
