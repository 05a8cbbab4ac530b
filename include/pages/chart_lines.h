/* SPDX-License-Identifier: MIT */
/*
 * Values over time as inline SVG: lines with gaps and envelopes, stacked areas, labelled marks.
 * They are drawn in a box of 1000 x 1000 that is stretched to the plot, so that all coordinates are
 * integers; text is outside the box, so that it is not stretched. cursor.js reads times and values out
 * of them.
 *
 *	chart_begin(&frame, out);
 *	chart_line(&frame, &series, out);       // any number, also chart_area
 *	chart_end(&frame, marks, count, out);
 */
#ifndef TFT_CHART_LINES_H
#define TFT_CHART_LINES_H

#include <stdint.h>
#include "base/buf.h"

/* The name of a line, written where it ends. */
struct chart_name {
	const char *text; /* a literal; NULL: none */
	double value;     /* its last one */
};

#define CHART_NAMES 2

struct chart_frame {
	const char *title; /* a literal that needs no escaping */
	struct span desc;  /* the drawing in words: range, last value, maximum; escaped here */
	int64_t from_ms, to_ms;
	double base, top; /* values are base..top; the others are cut off */
	const char *unit; /* "%" or "" */
	struct chart_name names[CHART_NAMES];
};

struct chart_point {
	int64_t at_ms;
	double low, value, high;
	bool joined; /* by a line to the previous point */
};

struct chart_series {
	const char *css;  /* class */
	const char *name; /* shown in the tooltip */
	const struct chart_point *points;
	size_t count;
};

struct chart_mark {
	int64_t at_ms;
	struct span label; /* escaped here */
};

struct chart_span {
	int64_t from_ms, to_ms;
};

void chart_begin(const struct chart_frame *frame, struct buf *out);
/* The values, with the envelope from low to high behind them where the two differ. A point without
 * neighbours is a dot. */
void chart_line(const struct chart_frame *frame, const struct chart_series *series,
		struct buf *out);
/* The area from 0 to the values, in steps, since counts do not slope. A value applies from the
 * previous point on. */
void chart_area(const struct chart_frame *frame, const struct chart_series *series,
		struct buf *out);
/* Times over the whole height, behind what is drawn after them. name: shown when pointed at. */
void chart_bands(const struct chart_frame *frame, const struct chart_span *spans, size_t count,
		 const char *name, struct buf *out);
void chart_end(const struct chart_frame *frame, const struct chart_mark *marks, size_t count,
	       struct buf *out);

#endif
