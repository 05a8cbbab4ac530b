/* SPDX-License-Identifier: MIT */
/*
 * The last 8 hours of a metric and the next 8 over one axis of time, as inline SVG: what was, what
 * earlier forecasts said of it, the forecast with its band, limits and where they are reached. x is
 * in minutes from the moment, y in thousandths of the plot from its top, so cursor.js can read
 * values out of the drawing, and their names out of the titles of the curves.
 */
#ifndef TFT_CHART_COURSE_H
#define TFT_CHART_COURSE_H

#include "fleet/band.h"
#include "fleet/trail.h"

#define COURSE_LIMITS 2

/* The values of one server. */
struct course_line {
	double now;           /* NaN: absent */
	const double *past;   /* TRAIL_POINTS; NULL: nothing is known */
	struct band forecast; /* len 0: none */
};

struct course {
	const char *title, *unit; /* literals: Memory, % */
	bool percent;
	struct course_line line;
	const struct course_line *with; /* of another server; NULL: none */
	struct span with_name;          /* escaped here */
	double limits[COURSE_LIMITS];   /* NaN: none */
	const struct trail *trail;      /* when the past values were; NULL: there are none */
	int kept; /* enum kept_metric whose earlier forecasts are drawn; KEPT_METRICS: none */
};

enum course_size {
	COURSE_FIRST, /* its curves have names */
	COURSE_LARGE,
	COURSE_LAST, /* with the axis of time */
	COURSE_SMALL
};

/* The drawing. */
void chart_course(const struct course *course, enum course_size size, struct buf *out);
/* In how many minutes the median first reaches a limit that the value is below; 0: it does not. */
int course_reaches(const struct course_line *line, double limit);

#endif
