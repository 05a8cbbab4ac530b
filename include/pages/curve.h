/* SPDX-License-Identifier: MIT */
/* What the drawings of the history share: values and times in words, lines, areas
 * (doc/pages.md#history). */
#ifndef TFT_CURVE_H
#define TFT_CURVE_H

#include "fleet/history.h"
#include "pages/chart_lines.h"

/* With one decimal and its unit; an en dash if absent. */
void curve_value(double value, const char *unit, struct buf *out);
void curve_cell(double value, const char *unit, struct buf *out);
/* Day and time where the range of the history is a day or more, else the time. */
void curve_time(const struct history *h, int64_t at_ms, struct buf *out);
/* The text alternative of a curve: its range, last value and maximum. */
void curve_describe(const struct history *h, enum history_metric metric, const char *unit,
		    struct buf *out);

/* A line of at most `most` (<= HISTORY_COLUMNS) columns. name: of the line, for readers of the
 * chart; css: its class. */
void curve_line(const struct history *h, enum history_metric metric, size_t most,
		const struct chart_frame *frame, const char *css, const char *name,
		struct buf *out);
/* The number of servers at a level or worse; nothing if no column has a server at the level. */
void curve_area(int level, const struct history_column *columns, size_t count,
		const struct chart_frame *frame, struct buf *out);
/* The top of a scale for such areas: not below the most servers at `mildest` or worse, in four
 * steps of a round number. */
double curve_top(const struct history_column *columns, size_t count, int mildest);

#endif
