/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "fleet/band.h"

#include <math.h>

static double clamp(double value, bool percent)
{
	value = fmax(0, value);
	return percent ? fmin(100, value) : value;
}

static void unpack(const struct series_list *list, double out[FORECAST_STEPS])
{
	for (size_t i = 0; i < list->len; i++)
		out[i] = series_value(list, i);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

void band_of_metric(struct band *band, const struct series *series, enum metric metric)
{
	const struct series_list *p10 = &series->p10[metric], *p50 = &series->p50[metric],
				 *p90 = &series->p90[metric];

	*band = (struct band){.len = p50->len, .percent = metric_table[metric].percent};
	band->range_len = least(p50->len, least(p10->len, p90->len));
	unpack(p10, band->low);
	unpack(p50, band->median);
	unpack(p90, band->high);
	for (size_t i = 0; i < FORECAST_STEPS; i++) {
		double low = clamp(band->low[i], band->percent);
		double high = clamp(band->high[i], band->percent);

		band->median[i] = clamp(band->median[i], band->percent);
		band->low[i] = fmin(low, high);
		band->high[i] = fmax(low, high);
	}
}

void band_of_cpu(struct band *band, const struct series *series)
{
	band_of_metric(band, series, METRIC_CPU_IDLE);
	for (size_t i = 0; i < FORECAST_STEPS; i++) {
		double idle_low = band->low[i];

		band->median[i] = 100 - band->median[i];
		band->low[i] = 100 - band->high[i];
		band->high[i] = 100 - idle_low;
	}
}
