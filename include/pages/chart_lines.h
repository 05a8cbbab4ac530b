/* SPDX-License-Identifier: MIT */
/*
 * Values over time as inline SVG: lines with gaps and envelopes, stacked areas, labelled marks.
 * Drawn in a box of 1000 x 1000 that is stretched to the plot, so that all coordinates are integers;
 * text stands outside of it and keeps its shape.
 *
 *	chart_begin(&frame, out);
 *	chart_line(&frame, &series, out);       // any number, also chart_area
 *	chart_end(&frame, marks, count, out);
 */
#ifndef TFT_CHART_LINES_H
#define TFT_CHART_LINES_H

#include <stdint.h>
#include "base/buf.h"

struct chart_frame {
	const char *title; /* ours, needs no escaping */
	struct span desc;  /* range, last value, maximum: the drawing in words; escaped here */
	int64_t from_ms, to_ms;
	double top;       /* values are 0..top, more is cut */
	const char *unit; /* "%" or "" */
};

struct chart_point {
	int64_t at_ms;
	double low, value, high;
	bool joined; /* by a line to the point before */
};

struct chart_series {
	const char *css;  /* class */
	const char *name; /* shown when pointed at */
	const struct chart_point *points;
	size_t count;
};

struct chart_mark {
	int64_t at_ms;
	struct span label; /* escaped here */
};

void chart_begin(const struct chart_frame *frame, struct buf *out);
/* The values, with the envelope of low and high behind them where they differ. A point without
 * neighbours is a dot. */
void chart_line(const struct chart_frame *frame, const struct chart_series *series,
		struct buf *out);
/* The area from 0 to the values, in steps: counts do not slope. A value holds from the point before
 * it. */
void chart_area(const struct chart_frame *frame, const struct chart_series *series,
		struct buf *out);
void chart_end(const struct chart_frame *frame, const struct chart_mark *marks, size_t count,
	       struct buf *out);
/* A sample of a line, for the legend. */
void chart_key(const char *css, struct buf *out);

#endif
