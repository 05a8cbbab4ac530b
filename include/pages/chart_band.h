/* SPDX-License-Identifier: MIT */
/*
 * An 8-hour forecast as inline SVG: the median, the band from p10 to p90, labelled limits and the
 * 30-minute mark. The curves are drawn in whole units of a stretched box; the labels are outside
 * the box, so that they are not stretched.
 */
#ifndef TFT_CHART_BAND_H
#define TFT_CHART_BAND_H

#include "fleet/band.h"

#define BAND_LIMITS 2

struct band_chart {
	const char *title;          /* a literal, such as CPU used */
	const char *unit;           /* %, MB/s or empty */
	const char *provenance;     /* such as trend extrapolation */
	double limits[BAND_LIMITS]; /* NaN: none */
	const struct band *band;
};

/* The drawing and, collapsed, a table of some of its values; a sentence when there is nothing to
 * draw. */
void chart_band(const struct band_chart *chart, struct buf *out);
/* 1, 2 or 5 times a power of ten, not below `most`; 1 for what is not above 0. */
double chart_ceiling(double most);

#endif
