/* SPDX-License-Identifier: MIT */
/*
 * The daemon's arithmetic, quirks included: the slope is fitted per tick but applied per step, the
 * band is laid around the clipped line, and every metric adds to the incident index, whether a high
 * value is bad or not.
 */
#include "config.h"
#include "forecast.h"

#include <math.h>
#include <stdlib.h>

enum { WINDOW = 24 };

/* Upper bounds of the trend path (doc/upstream.md#metrics). */
/* clang-format off */
static const struct {
	double p50_max, p90_max;
	bool whole; /* p50 is cut to whole numbers */
} bounds[METRICS] = {
	[CPU_USER]         = {100, 100, false},
	[CPU_SYS]          = {100, 100, false},
	[CPU_IOWAIT]       = {100, 100, false},
	[CPU_IDLE]         = {100, 100, false},
	[JAVA_CPU]         = {100, 100, false},
	[MEM_USED]         = {100, 100, false},
	[SWAP_USED]        = {100, 100, false},
	[DISK_USAGE]       = {100, 100, false},
	[NET_IN]           = {200, 200, false},
	[NET_OUT]          = {200, 200, false},
	[BACK_CLOSE_WAIT]  = {HUGE_VAL, HUGE_VAL, true},
	[FRONT_CLOSE_WAIT] = {HUGE_VAL, HUGE_VAL, true},
	[LOAD_AVERAGE]     = {16, 16, false},
	[UPTIME_DAYS]      = {30, HUGE_VAL, true},
};
/* clang-format on */

/* The metrics that have alerts, in the order of the wire (doc/upstream.md#alerts). */
static const struct {
	enum metric metric;
	int warning, critical;
} limits[] = {
	{CPU_USER, 85, 95},  {CPU_IOWAIT, 20, 30}, {MEM_USED, 90, 98},
	{SWAP_USED, 25, 50}, {DISK_USAGE, 85, 95},
};

enum { LIMITS = sizeof limits / sizeof *limits };

static double mean(const double *v, int n)
{
	double sum = 0;

	for (int i = 0; i < n; i++)
		sum += v[i];
	return sum / n;
}

/* Least squares over x = 0 ... n-1. */
static double slope(const double *v, int n)
{
	double middle = (n - 1) / 2.0, level = mean(v, n);
	double xy = 0, xx = 0;

	for (int i = 0; i < n; i++) {
		xy += (i - middle) * (v[i] - level);
		xx += (i - middle) * (i - middle);
	}
	return n > 1 ? xy / xx : 0;
}

static double deviation(const double *v, int n)
{
	double level = mean(v, n), sum = 0;

	for (int i = 0; i < n; i++)
		sum += (v[i] - level) * (v[i] - level);
	return sqrt(sum / n);
}

void forecast_metric(struct forecast *out, const struct fleet *f, int server, enum metric m,
		     int64_t tick)
{
	double samples[WINDOW] = {0}, sigma;
	int n = tick < WINDOW ? (int)tick + 1 : WINDOW;

	for (int i = 0; i < n; i++)
		samples[i] = fleet_sample(f, server, m, tick - n + 1 + i);
	out->current = samples[n - 1];
	out->trend = slope(samples, n);
	sigma = deviation(samples, n);
	for (int i = 0; i < STEPS; i++) {
		double line = out->current + out->trend * (i + 1);
		double band = 1.28 * sigma * sqrt(i + 1);

		line = fmin(fmax(line, 0), bounds[m].p50_max);
		out->p50[i] = bounds[m].whole ? trunc(line) : line;
		out->p10[i] = fmax(out->p50[i] - band, 0);
		out->p90[i] = fmin(out->p50[i] + band, bounds[m].p90_max);
	}
}

static double highest(const double *v, int n)
{
	double top = v[0];

	for (int i = 1; i < n; i++)
		top = fmax(top, v[i]);
	return top;
}

static double points_30m(const struct forecast *c)
{
	double p50 = highest(c->p50, STEPS_30M), p90 = highest(c->p90, STEPS_30M);

	if (p50 > 90 || p90 > 98)
		return 0.35;
	return p50 > 85 || p90 > 95 ? 0.15 : 0;
}

static double points_8h(const struct forecast *c)
{
	double p50 = highest(c->p50, STEPS), p90 = highest(c->p90, STEPS);

	if (p50 > 88 || p90 > 96)
		return 0.25;
	return p50 > 82 || p90 > 92 ? 0.10 : 0;
}

static bool reserve_alerts(struct outlook *o, size_t more)
{
	size_t cap = o->alert_cap ? o->alert_cap * 2 : 512;
	struct alert *bigger;

	if (o->alert_count + more <= o->alert_cap)
		return true;
	bigger = realloc(o->alerts, cap * sizeof *bigger);
	if (!bigger) {
		o->failed = true;
		return false;
	}
	o->alerts = bigger;
	o->alert_cap = cap;
	return true;
}

/* One entry per step over the limit, up to twelve per metric. */
static void add_alerts(struct outlook *o, int server, const struct forecast *metrics)
{
	if (!reserve_alerts(o, LIMITS * STEPS_1H))
		return;
	for (size_t l = 0; l < LIMITS; l++) {
		const double *p50 = metrics[limits[l].metric].p50;

		for (int i = 0; i < STEPS_1H; i++) {
			bool critical = p50[i] >= limits[l].critical;

			if (p50[i] < limits[l].warning)
				continue;
			o->alerts[o->alert_count++] = (struct alert){
				.server = server,
				.metric = limits[l].metric,
				.critical = critical,
				.step = i + 1,
				.value = p50[i],
				.threshold = critical ? limits[l].critical : limits[l].warning,
			};
		}
	}
}

void outlook_add(struct outlook *o, int server, const struct forecast *metrics)
{
	double sum_30m = 0, sum_8h = 0;

	for (int m = 0; m < METRICS; m++) {
		sum_30m += points_30m(&metrics[m]);
		sum_8h += points_8h(&metrics[m]);
	}
	o->sum_30m += fmin(sum_30m, 1);
	o->sum_8h += fmin(sum_8h, 1);
	o->high_risk += fmin(sum_30m, 1) > 0.6;
	add_alerts(o, server, metrics);
}

void outlook_free(struct outlook *o)
{
	free(o->alerts);
	*o = (struct outlook){0};
}
