/* SPDX-License-Identifier: MIT */
/* Counting is a search in a short list of strings; only the hand-over once a second talks to Redis.
 */
#include "config.h"
#include "metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"

#define PREFIX    "tft_dashboard_"
#define SERIES    200 /* distinct ones between two hand-overs; more are not counted */
#define FLUSH_MS  1000
#define FIELD_MAX 120

struct metrics {
	const char *node;
	int64_t flushed_ms;
	size_t count;
	struct {
		char name[FIELD_MAX];
		int64_t value;
	} series[SERIES];
};

static const struct {
	const char *name, *help;
} names[METRICS_NAMES] = {
#define X(id, name, help) [METRICS_##id] = {PREFIX name, help},
	METRICS_TABLE(X)
#undef X
};

/* Upper bounds of the duration histogram, seconds as printed and in microseconds. */
static const struct {
	const char *le;
	int64_t us;
} bounds[] = {
	{"0.001", 1000}, {"0.005", 5000}, {"0.01", 10000},
	{"0.05", 50000}, {"0.3", 300000}, {"+Inf", INT64_MAX},
};

struct metrics *metrics_new(const char *node)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));

	if (metrics)
		metrics->node = node;
	return metrics;
}

void metrics_free(struct metrics **metrics)
{
	free(*metrics);
	*metrics = NULL;
}

static void add(struct metrics *metrics, const char *series, int64_t value)
{
	size_t i = 0;

	while (i < metrics->count && strcmp(metrics->series[i].name, series) != 0)
		i++;
	if (i == SERIES)
		return;
	if (i == metrics->count) {
		(void)snprintf(metrics->series[i].name, FIELD_MAX, "%s", series);
		metrics->series[i].value = 0;
		metrics->count++;
	}
	metrics->series[i].value += value;
}

void metrics_count(struct metrics *metrics, enum metrics_name name, const char *labels)
{
	char series[FIELD_MAX];

	(void)snprintf(series, sizeof(series), "%s{%s}", names[name].name, labels);
	add(metrics, series, 1);
}

static const char *const verdict_labels[] = {
	[CACHE_FRESH] = "result=\"fresh\"",
	[CACHE_STALE] = "result=\"stale\"",
	[CACHE_COLD] = "result=\"cold\"",
	[CACHE_DOWN] = "result=\"down\"",
};

void metrics_verdict(struct metrics *metrics, enum cache_verdict verdict)
{
	metrics_count(metrics, METRICS_CACHE_REQUESTS, verdict_labels[verdict]);
	if (verdict == CACHE_DOWN)
		metrics_count(metrics, METRICS_REDIS_FAILURES, "kind=\"read\"");
}

void metrics_time(struct metrics *metrics, int64_t us)
{
	const char *name = names[METRICS_HTTP_SECONDS].name;
	char series[FIELD_MAX];

	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		if (us > bounds[i].us)
			continue;
		(void)snprintf(series, sizeof(series), "%s_bucket{le=\"%s\"}", name, bounds[i].le);
		add(metrics, series, 1);
	}
	(void)snprintf(series, sizeof(series), "%s_sum", name);
	add(metrics, series,
	    us); /* microseconds in the hash, which counts whole numbers; seconds when printed */
	(void)snprintf(series, sizeof(series), "%s_count", name);
	add(metrics, series, 1);
}

void metrics_flush(struct metrics *metrics, struct cache *cache)
{
	struct cache_counter counters[SERIES];
	int64_t now = clock_mono_ms();

	if (metrics->count == 0 || now - metrics->flushed_ms < FLUSH_MS)
		return;
	metrics->flushed_ms = now;
	for (size_t i = 0; i < metrics->count; i++)
		counters[i] = (struct cache_counter){span_str(metrics->series[i].name),
						     metrics->series[i].value};
	if (cache_count(cache, metrics->node, counters, metrics->count) == 0)
		metrics->count = 0;
}

/* --- printing --- */

static int by_series(const void *a, const void *b)
{
	const struct cache_counter *x = a, *y = b;

	return span_cmp(x->series, y->series);
}

static bool belongs(struct span series, const char *name)
{
	size_t len = strlen(name);

	return series.len > len && memcmp(series.ptr, name, len) == 0 &&
	       strchr("{_", series.ptr[len]);
}

static void print_value(struct buf *out, const struct cache_counter *c, const char *name)
{
	struct span rest = {c->series.ptr + strlen(name), c->series.len - strlen(name)};

	buf_span_add(out, c->series);
	if (span_is(rest, "_sum"))
		buf_addf(out, " %" PRId64 ".%06" PRId64 "\n", c->value / 1000000,
			 c->value % 1000000);
	else
		buf_addf(out, " %" PRId64 "\n", c->value);
}

static void print_family(struct buf *out, enum metrics_name name,
			 const struct cache_counter *counters, size_t n)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", names[name].name, names[name].help,
		 names[name].name, name == METRICS_HTTP_SECONDS ? "histogram" : "counter");
	for (size_t i = 0; i < n; i++)
		if (belongs(counters[i].series, names[name].name))
			print_value(out, &counters[i], names[name].name);
}

void metrics_print(struct metrics *metrics, struct cache *cache, struct span gauges,
		   struct buf *out)
{
	struct cache_counter counters[2 * SERIES];
	size_t n = cache_counters(cache, metrics->node, counters, 2 * SERIES);

	qsort(counters, n, sizeof(counters[0]), by_series);
	for (int name = 0; name < METRICS_NAMES; name++)
		print_family(out, (enum metrics_name)name, counters, n);
	buf_span_add(out, gauges);
}

void metrics_diagnose(struct metrics *metrics, struct cache *cache, struct diagnosis *diagnosis)
{
	int64_t *const found[] = {
		[CACHE_FRESH] = &diagnosis->fresh,
		[CACHE_STALE] = &diagnosis->stale,
		[CACHE_COLD] = &diagnosis->cold,
		[CACHE_DOWN] = &diagnosis->down,
	};
	struct cache_counter counters[2 * SERIES];
	size_t n = cache_counters(cache, metrics->node, counters, 2 * SERIES);
	char series[FIELD_MAX];

	for (int v = CACHE_FRESH; v <= CACHE_DOWN; v++) {
		(void)snprintf(series, sizeof(series), "%s{%s}", names[METRICS_CACHE_REQUESTS].name,
			       verdict_labels[v]);
		for (size_t i = 0; i < n; i++)
			if (span_is(counters[i].series, series))
				*found[v] = counters[i].value;
	}
}
