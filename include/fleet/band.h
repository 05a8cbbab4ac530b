/* SPDX-License-Identifier: MIT */
/* The forecast of one metric of a server as it is shown: median and band, clamped. */
#ifndef TFT_BAND_H
#define TFT_BAND_H

#include "fleet/series.h"

/* Steps of 5 minutes, the first one 5 minutes ahead. */
struct band {
	size_t len;       /* of the median; 0: nothing to draw */
	size_t range_len; /* of low and high, at most len */
	double low[FORECAST_STEPS], median[FORECAST_STEPS], high[FORECAST_STEPS]; /* NaN beyond */
	bool percent;
};

/* NaN: absent. */
struct quantiles {
	double p10, p50, p90;
};

/* Those of step i, from 0; clamped like a band. */
struct quantiles quantiles_of_metric(const struct series *series, enum metric metric, size_t i);
struct quantiles quantiles_of_cpu(const struct series *series, size_t i);
/* The forecast of one metric; percentages are clamped to 0..100, everything else to >= 0. */
void band_of_metric(struct band *band, const struct series *series, enum metric metric);
/* From which step on the band takes 80 % of a plot of this height or more, for an hour or more until its
 * end: it says nothing there. Its length: it never does. */
size_t band_vague(const struct band *band, double height);
/* CPU used = 100 - idle, quantiles exchanged (doc/rules.md#top). */
void band_of_cpu(struct band *band, const struct series *series);

#endif
