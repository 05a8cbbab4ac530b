/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "fleet/band.h"

#include <math.h>

static double clamp(double value, bool percent)
{
	value = fmax(0, value);
	return percent ? fmin(100, value) : value;
}

static size_t range_len(const struct series *series, enum metric metric)
{
	size_t len = series->p50[metric].len;

	len = series->p10[metric].len < len ? series->p10[metric].len : len;
	return series->p90[metric].len < len ? series->p90[metric].len : len;
}

struct quantiles quantiles_of_metric(const struct series *series, enum metric metric, size_t i)
{
	bool percent = metric_table[metric].percent;
	struct quantiles q = {NAN, NAN, NAN};

	if (i < series->p50[metric].len)
		q.p50 = clamp(series_value(&series->p50[metric], i), percent);
	if (i < range_len(series, metric)) {
		double a = clamp(series_value(&series->p10[metric], i), percent);
		double b = clamp(series_value(&series->p90[metric], i), percent);

		q.p10 = fmin(a, b);
		q.p90 = fmax(a, b);
	}
	return q;
}

struct quantiles quantiles_of_cpu(const struct series *series, size_t i)
{
	struct quantiles idle = quantiles_of_metric(series, METRIC_CPU_IDLE, i);

	return (struct quantiles){100 - idle.p90, 100 - idle.p50, 100 - idle.p10};
}

static void put(struct band *band, size_t i, struct quantiles q)
{
	band->low[i] = q.p10;
	band->median[i] = q.p50;
	band->high[i] = q.p90;
}

static struct band empty_band(const struct series *series, enum metric metric)
{
	return (struct band){.len = series->p50[metric].len,
			     .range_len = range_len(series, metric),
			     .percent = metric_table[metric].percent};
}

void band_of_metric(struct band *band, const struct series *series, enum metric metric)
{
	*band = empty_band(series, metric);
	for (size_t i = 0; i < FORECAST_STEPS; i++)
		put(band, i, quantiles_of_metric(series, metric, i));
}

void band_of_cpu(struct band *band, const struct series *series)
{
	*band = empty_band(series, METRIC_CPU_IDLE);
	for (size_t i = 0; i < FORECAST_STEPS; i++)
		put(band, i, quantiles_of_cpu(series, i));
}

#define VAGUE_SHARE 0.8
#define VAGUE_LEN   12 /* steps */

size_t band_vague(const struct band *band, double height)
{
	size_t i = band->range_len;

	while (i > 0 && band->high[i - 1] - band->low[i - 1] >= VAGUE_SHARE * height)
		i--;
	return band->range_len - i < VAGUE_LEN ? band->range_len : i;
}
