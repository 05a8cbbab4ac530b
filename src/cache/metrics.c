/* SPDX-License-Identifier: MIT */
/* Counting is a search in a short list of strings; only the flush once a second talks to Redis. */
#include "config.h"
#include "cache/metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fmt.h"

#define PREFIX     "tft_dashboard_"
#define SERIES     200 /* distinct series between two flushes; more are not counted */
#define FLUSH_MS   1000
#define FIELD_MAX  120
#define LABELS_MAX 80

static const struct {
	const char *name, *type, *help;
} names[METRICS_NAMES] = {
#define X(id, name, type, help) [METRICS_##id] = {PREFIX name, type, help},
	METRICS_TABLE(X)
#undef X
};

/* Upper bounds of the duration histograms, seconds as printed and in microseconds. */
static const struct {
	const char *le;
	int64_t us;
} bounds[] = {
	{"0.0002", 200}, {"0.001", 1000}, {"0.005", 5000}, {"0.01", 10000},
	{"0.05", 50000}, {"0.1", 100000}, {"0.3", 300000}, {"+Inf", INT64_MAX},
};

#define BOUNDS (sizeof(bounds) / sizeof(bounds[0]))

static const char *const steps[METRICS_STEPS] = {
	[METRICS_FETCH] = "fetch",
	[METRICS_STAGE] = "stage",
	[METRICS_COMMIT] = "commit",
};

/* Durations of one kind. */
struct durations {
	int64_t count, us;
	int64_t within[BOUNDS]; /* by the first bound that they keep */
};

/* Names are composed only at the flush: most requests count the same few series again. */
struct metrics {
	const char *node;
	int64_t flushed_ms;
	size_t count;
	struct {
		enum metrics_name name;
		char labels[LABELS_MAX];
		int64_t value;
	} series[SERIES];
	struct durations requests, batches, steps[METRICS_STEPS];
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

void metrics_count(struct metrics *metrics, enum metrics_name name, const char *labels)
{
	size_t i = 0, len = strlen(labels) + 1;

	if (len > LABELS_MAX)
		return;
	while (i < metrics->count && (metrics->series[i].name != name ||
				      memcmp(metrics->series[i].labels, labels, len) != 0))
		i++;
	if (i == SERIES)
		return;
	if (i == metrics->count) {
		metrics->series[i].name = name;
		memcpy(metrics->series[i].labels, labels, len);
		metrics->series[i].value = 0;
		metrics->count++;
	}
	metrics->series[i].value++;
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
}

static void observe(struct durations *durations, int64_t us)
{
	size_t i = 0;

	while (us > bounds[i].us)
		i++;
	durations->within[i]++;
	durations->count++;
	durations->us += us;
}

void metrics_time(struct metrics *metrics, int64_t us)
{
	observe(&metrics->requests, us);
}

void metrics_step(struct metrics *metrics, enum metrics_step step, int64_t us)
{
	observe(&metrics->steps[step], us);
}

void metrics_batch(void *ctx, int64_t us, bool reconnected)
{
	struct metrics *metrics = ctx;

	observe(&metrics->batches, us);
	if (reconnected)
		metrics_count(metrics, METRICS_REDIS_RECONNECTS, "");
}

/* What is flushed: series by name, with room for the names. */
#define HANDOVER_MAX (SERIES + 2 * (BOUNDS + 2) + 2 * METRICS_STEPS)
struct handover {
	size_t count;
	struct cache_counter counters[HANDOVER_MAX];
	char names[HANDOVER_MAX][FIELD_MAX];
};

__attribute__((format(printf, 3, 4))) static void add(struct handover *to, int64_t value,
						      const char *fmt, ...)
{
	char *name = to->names[to->count];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(name, FIELD_MAX, fmt, ap);
	va_end(ap);
	to->counters[to->count++] = (struct cache_counter){span_str(name), value};
}

/* A bucket counts all observations up to its bound, including those of smaller buckets. Sums are
 * microseconds in the hash, which holds integers, and seconds when printed. */
static void add_histogram(struct handover *to, const char *name, const struct durations *d)
{
	int64_t within = 0;

	if (d->count == 0)
		return;
	for (size_t i = 0; i < BOUNDS; i++) {
		within += d->within[i];
		if (within)
			add(to, within, "%s_bucket{le=\"%s\"}", name, bounds[i].le);
	}
	add(to, d->us, "%s_sum", name);
	add(to, d->count, "%s_count", name);
}

static void add_step(struct handover *to, const char *step, const struct durations *d)
{
	const char *name = names[METRICS_CACHE_FILL_SECONDS].name;

	if (d->count == 0)
		return;
	add(to, d->us, "%s_sum{step=\"%s\"}", name, step);
	add(to, d->count, "%s_count{step=\"%s\"}", name, step);
}

static void add_series(struct handover *to, enum metrics_name name, const char *labels,
		       int64_t value)
{
	if (*labels)
		add(to, value, "%s{%s}", names[name].name, labels);
	else
		add(to, value, "%s", names[name].name);
}

static int hand_over(const struct metrics *metrics, struct cache *cache)
{
	struct handover to;

	to.count = 0;
	for (size_t i = 0; i < metrics->count; i++)
		add_series(&to, metrics->series[i].name, metrics->series[i].labels,
			   metrics->series[i].value);
	add_histogram(&to, names[METRICS_HTTP_SECONDS].name, &metrics->requests);
	add_histogram(&to, names[METRICS_REDIS_SECONDS].name, &metrics->batches);
	for (size_t i = 0; i < METRICS_STEPS; i++)
		add_step(&to, steps[i], &metrics->steps[i]);
	return cache_count(cache, metrics->node, to.counters, to.count);
}

int64_t metrics_flush_in(const struct metrics *metrics)
{
	int64_t ms = metrics->flushed_ms + FLUSH_MS - clock_mono_ms();

	if (metrics->count == 0 && metrics->requests.count == 0)
		return -1;
	return ms > 0 ? ms : 0;
}

void metrics_flush(struct metrics *metrics, struct cache *cache)
{
	if (metrics_flush_in(metrics) != 0)
		return;
	metrics->flushed_ms = clock_mono_ms();
	/* The flush's own batch is counted only if it failed. */
	if (hand_over(metrics, cache) == 0)
		*metrics =
			(struct metrics){.node = metrics->node, .flushed_ms = metrics->flushed_ms};
}

/* --- printing --- */

/* The text, and the quote that ends it. */
static bool starts_with(struct span label, const char *text)
{
	size_t len = strlen(text);

	return label.len > len && memcmp(label.ptr, text, len) == 0 && label.ptr[len] == '"';
}

/* The index of a bucket's bound, past the last for an unknown one; *series is left without it. */
static size_t cut_bound(struct span *series)
{
	static const struct span le = SPAN("{le=\"");
	const char *at = memmem(series->ptr, series->len, le.ptr, le.len);
	struct span bound;
	size_t i = 0;

	if (!at)
		return 0;
	at += le.len;
	bound = (struct span){at, series->len - (size_t)(at - series->ptr)};
	series->len -= bound.len;
	while (i < BOUNDS && !starts_with(bound, bounds[i].le))
		i++;
	return i;
}

/* By text, except the buckets of a histogram, which are ordered by bound: ascending, +Inf last. */
static int by_series(const void *a, const void *b)
{
	const struct cache_counter *x = a, *y = b;
	struct span family = x->series, other = y->series;
	size_t bound = cut_bound(&family), other_bound = cut_bound(&other);
	int c = span_cmp(family, other);

	if (c)
		return c;
	return bound != other_bound ? (bound > other_bound) - (bound < other_bound)
				    : span_cmp(x->series, y->series);
}

static bool belongs(struct span series, const char *name)
{
	size_t len = strlen(name);

	return series.len >= len && memcmp(series.ptr, name, len) == 0 &&
	       (series.len == len || strchr("{_", series.ptr[len]));
}

static void print_value(struct buf *out, const struct cache_counter *c, const char *name)
{
	struct span rest = {c->series.ptr + strlen(name), c->series.len - strlen(name)};

	buf_span_add(out, c->series);
	if (rest.len >= 4 && memcmp(rest.ptr, "_sum", 4) == 0)
		buf_addf(out, " %" PRId64 ".%06" PRId64 "\n", c->value / 1000000,
			 c->value % 1000000);
	else
		buf_addf(out, " %" PRId64 "\n", c->value);
}

static void print_family(struct buf *out, enum metrics_name name,
			 const struct cache_counter *counters, size_t n)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", names[name].name, names[name].help,
		 names[name].name, names[name].type);
	for (size_t i = 0; i < n; i++)
		if (belongs(counters[i].series, names[name].name))
			print_value(out, &counters[i], names[name].name);
}

void metrics_print(struct metrics *metrics, struct cache *cache, struct span gauges,
		   struct buf *out)
{
	struct cache_counter counters[2 * SERIES];
	size_t n = cache_counters(cache, metrics->node, counters,
				  sizeof(counters) / sizeof(counters[0]));

	qsort(counters, n, sizeof(counters[0]), by_series);
	for (int name = 0; name < METRICS_NAMES; name++)
		print_family(out, (enum metrics_name)name, counters, n);
	buf_span_add(out, gauges);
}

static const struct {
	const char *name, *help;
	double (*value)(const struct accuracy_score *score);
} forecast_gauges[] = {
	{"tft_forecast_coverage_ratio",
	 "Share of the last day's values inside the forecast band, which should hold 0.8.",
	 accuracy_coverage},
	{"tft_forecast_skill",
	 "1 - error / error of the guess that nothing changes, over the last day.", accuracy_skill},
};

static void print_forecast(const struct accuracy *accuracy, size_t gauge, size_t metric,
			   size_t horizon, struct buf *out)
{
	const struct accuracy_score *score = accuracy_of(
		accuracy, ACCURACY_USUAL, (enum kept_metric)metric, horizon, ACCURACY_ALL);

	if (accuracy_verdict(score) == ACCURACY_FEW)
		return;
	buf_addf(out, "%s{metric=\"%s\",horizon=\"%s\"} ", forecast_gauges[gauge].name,
		 accuracy_metric_table[metric].slug, accuracy_horizon_table[horizon].slug);
	fmt_number(out, forecast_gauges[gauge].value(score), 4);
	buf_char(out, '\n');
}

void metrics_forecasts(const struct accuracy *accuracy, struct buf *out)
{
	for (size_t i = 0; i < sizeof(forecast_gauges) / sizeof(forecast_gauges[0]); i++) {
		buf_addf(out, "# HELP %s %s\n# TYPE %s gauge\n", forecast_gauges[i].name,
			 forecast_gauges[i].help, forecast_gauges[i].name);
		for (size_t m = 0; m < KEPT_METRICS; m++)
			for (size_t h = 0; h < HORIZONS; h++)
				print_forecast(accuracy, i, m, h, out);
	}
}

/* How often readers came to this verdict. */
static int64_t found(const struct cache_counter *counters, size_t n, enum cache_verdict verdict)
{
	char series[FIELD_MAX];

	(void)snprintf(series, sizeof(series), "%s{%s}", names[METRICS_CACHE_REQUESTS].name,
		       verdict_labels[verdict]);
	for (size_t i = 0; i < n; i++)
		if (span_is(counters[i].series, series))
			return counters[i].value;
	return 0;
}

void metrics_diagnose(struct metrics *metrics, struct cache *cache, struct diagnosis *diagnosis)
{
	struct cache_counter counters[2 * SERIES];
	size_t n = cache_counters(cache, metrics->node, counters,
				  sizeof(counters) / sizeof(counters[0]));

	diagnosis->fresh = found(counters, n, CACHE_FRESH);
	diagnosis->stale = found(counters, n, CACHE_STALE);
	diagnosis->cold = found(counters, n, CACHE_COLD);
	diagnosis->down = found(counters, n, CACHE_DOWN);
}

/* Predictions calls, whatever their result. */
static int64_t calls_made(const struct cache_counter *counters, size_t n)
{
	static const char series[] = PREFIX "upstream_requests_total{endpoint=\"predictions\",";
	int64_t calls = 0;

	for (size_t i = 0; i < n; i++)
		if (counters[i].series.len > sizeof(series) - 1 &&
		    memcmp(counters[i].series.ptr, series, sizeof(series) - 1) == 0)
			calls += counters[i].value;
	return calls;
}

void metrics_served(struct cache *cache, struct served *served)
{
	struct cache_counter counters[2 * SERIES];
	size_t n = cache_counters(cache, NULL, counters, sizeof(counters) / sizeof(counters[0]));

	if (n == 0)
		return;
	served->fresh = found(counters, n, CACHE_FRESH);
	served->stale = found(counters, n, CACHE_STALE);
	served->cold = found(counters, n, CACHE_COLD);
	served->calls = calls_made(counters, n);
}
