/* SPDX-License-Identifier: MIT */
/*
 * A forecast of 8 hours as inline SVG: the median, the band of p10 to p90, labelled limits and the
 * 30-minute mark. The curves are drawn in whole units of a stretched box; the labels stand outside
 * of it and keep their shape.
 */
#ifndef TFT_CHART_BAND_H
#define TFT_CHART_BAND_H

#include "fleet/snapshot.h"

/* Steps of 5 minutes, the first one 5 minutes ahead. */
struct band {
	size_t len;       /* of the median; 0: nothing to draw */
	size_t range_len; /* of low and high, at most len */
	double low[FORECAST_STEPS], median[FORECAST_STEPS], high[FORECAST_STEPS];
	bool percent;
};

/* The forecast of one metric; percentages are clamped to 0..100, everything else to >= 0. */
void band_of_metric(struct band *band, const struct series *series, enum metric metric);
/* CPU used = 100 - idle, quantiles exchanged (doc/rules.md#top). */
void band_of_cpu(struct band *band, const struct series *series);

#define BAND_LIMITS 2

struct band_chart {
	const char *title;          /* ours: CPU used */
	const char *unit;           /* %, MB/s or empty */
	const char *provenance;     /* trend extrapolation */
	double limits[BAND_LIMITS]; /* NaN: none */
	const struct band *band;
};

/* The drawing and, folded, some of its numbers; a sentence when there is nothing to draw.
 */
void chart_band(const struct band_chart *chart, struct buf *out);
/* The medians as a line without axes. A decoration: the numbers stand beside it. */
void chart_spark(const struct band *band, struct buf *out);

#endif
