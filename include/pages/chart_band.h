/* SPDX-License-Identifier: MIT */
/*
 * A forecast of 8 hours as inline SVG: the median, the band of p10 to p90, labelled limits and the
 * 30-minute mark. The curves are drawn in whole units of a stretched box; the labels stand outside
 * of it and keep their shape.
 */
#ifndef TFT_CHART_BAND_H
#define TFT_CHART_BAND_H

#include "fleet/band.h"

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
