/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "fleet/forecast.h"

#include <math.h>

#define LINE_TOLERANCE 1e-6 /* doc/rules.md#provenance */

const struct forecast forecast_absent = {
	.now = NAN,
	.p10 = {0, NAN, NAN, NAN},
	.p50 = {0, NAN, NAN, NAN},
	.p90 = {0, NAN, NAN, NAN},
};

struct forecast_window forecast_window(const double *values, size_t len)
{
	struct forecast_window w = {.len = len, .mean = NAN, .min = NAN, .max = NAN};
	size_t n = len < FORECAST_30M ? len : FORECAST_30M;
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		sum += values[i];
		w.min = fmin(w.min, values[i]);
		w.max = fmax(w.max, values[i]);
	}
	if (n > 0)
		w.mean = sum / (double)n;
	return w;
}

bool forecast_leaves_line(const double *p50, size_t len, double current, double trend)
{
	for (size_t i = 0; i < len; i++) {
		double line = fmax(0, fmin(100, current + trend * (double)(i + 1)));

		if (fabs(p50[i] - line) > LINE_TOLERANCE)
			return true;
	}
	return false;
}

static double clamp_percent(double value)
{
	return isfinite(value) ? fmax(0, fmin(100, value)) : (double)NAN;
}

static double clamp_load(double value)
{
	return isnan(value) ? value : metric_gate(METRIC_LOAD, fmax(0, value));
}

static double or_else(double value, double other)
{
	return isnan(value) ? other : value;
}

/* The sum of the parts of CPU use that are present, of three; absent if none is. */
static double sum_present(double user, double sys, double iowait)
{
	if (isnan(user) && isnan(sys) && isnan(iowait))
		return NAN;
	return or_else(user, 0) + or_else(sys, 0) + or_else(iowait, 0);
}

/* CPU used (doc/rules.md#cpu-used): the idle quantiles swap sides, as low idle means high use. */
static struct reading cpu_reading(const struct forecast *f)
{
	const struct forecast *idle = &f[METRIC_CPU_IDLE], *user = &f[METRIC_CPU_USER];
	const struct forecast *sys = &f[METRIC_CPU_SYS], *wait = &f[METRIC_CPU_IOWAIT];
	double now = sum_present(user->now, sys->now, wait->now);
	double p50 = sum_present(user->p50.mean, sys->p50.mean, wait->p50.mean);
	double p90 = sum_present(user->p90.mean, sys->p90.mean, wait->p90.mean);
	double p10 = sum_present(user->p10.mean, sys->p10.mean, wait->p10.mean);

	return (struct reading){
		.now = clamp_percent(or_else(100 - idle->now, now)),
		.predicted = clamp_percent(or_else(100 - idle->p50.mean, p50)),
		.worst = clamp_percent(or_else(100 - idle->p10.min, p90)),
		.best = clamp_percent(or_else(100 - idle->p90.max, p10)),
	};
}

/* Every other metric (doc/rules.md#other-metrics): a list shorter than 30 minutes does not
 * count. */
static struct reading plain_reading(const struct forecast *f, double (*clamp)(double))
{
	return (struct reading){
		.now = clamp(f->now),
		.predicted = clamp(f->p50.len >= FORECAST_30M ? f->p50.mean : f->now),
		.worst = clamp(f->p90.len >= FORECAST_30M ? f->p90.max : f->now),
		.best = NAN,
	};
}

static struct reading with_change(struct reading reading)
{
	reading.change = reading.predicted - reading.now;
	return reading;
}

void forecast_readings(const struct forecast f[METRIC_COUNT], struct server *server)
{
	server->cpu = with_change(cpu_reading(f));
	server->iowait = with_change(plain_reading(&f[METRIC_CPU_IOWAIT], clamp_percent));
	server->memory = with_change(plain_reading(&f[METRIC_MEM_USED], clamp_percent));
	server->load = with_change(plain_reading(&f[METRIC_LOAD], clamp_load));
	server->swap_now = clamp_percent(f[METRIC_SWAP_USED].now);
}
