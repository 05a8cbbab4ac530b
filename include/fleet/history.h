/* SPDX-License-Identifier: MIT */
/*
 * History (doc/rules.md#history): one point per committed bucket. Here are its records, the points
 * of a range, what is worked out of them. Pure; archive.h brings the records from Redis.
 *
 *	history_init(&h, interval_ms, range_ms, end_ms);
 *	history_add(&h, at_ms, record);                 // any number, in the order of time
 *	history_stats(&h, HISTORY_PROB_30M, &stats);
 *	history_free(&h);
 */
#ifndef TFT_HISTORY_H
#define TFT_HISTORY_H

#include "fleet/snapshot.h"

#define HISTORY_COLUMNS 500 /* of a drawing */

/* What can be shown. The value of a point is in percent, but for HISTORY_LEVELS, where it is the
 * number of servers with risk >= 50. */
enum history_metric {
	HISTORY_PROB_30M,
	HISTORY_PROB_8H,
	HISTORY_HEALTH, /* share with risk below 50 */
	HISTORY_RISK,   /* mean of the fleet */
	HISTORY_LEVELS,
	HISTORY_METRICS,
	HISTORY_HIGHEST = HISTORY_METRICS /* risk of the worst server, or of the one server; goes
					     with HISTORY_RISK */
};

enum history_range { HISTORY_30M, HISTORY_1H, HISTORY_8H, HISTORY_1D, HISTORY_7D, HISTORY_RANGES };

/* The words of the query parameters. */
extern const char *const history_metric_words[HISTORY_METRICS];
extern const char *const history_range_words[HISTORY_RANGES];
int64_t history_range_ms(enum history_range range);

/* A name; equal ones need not have equal places. */
struct history_text {
	uint32_t at, len; /* in the texts of the history, percent-encoded; len 0: absent */
};

struct history_point {
	int64_t at_ms;
	double prob_30m, prob_8h;    /* 0..1, NaN absent */
	unsigned level[LEVEL_COUNT]; /* servers, worst first */
	double mean, highest;        /* risk 0..100, NaN absent */
	struct history_text worst;   /* the server with the highest risk */
	struct history_text scenario;
};

/* The points of (from_ms, to_ms]. */
struct history {
	int64_t interval_ms, from_ms, to_ms;
	struct buf points; /* owned; struct history_point, ascending */
	struct buf texts;  /* owned */
};

/*
 * The record of a snapshot, a line of text that people can read with XRANGE:
 *
 *	1 <prob_30m> <prob_8h> <seven level counts, worst first> <sum of risks, tenths>
 *	<highest risk, tenths> <its server> <scenario>
 *
 * 1 is the format. Absent numbers and names are "-"; names are percent-encoded.
 */
void history_encode(const struct snapshot *snap, struct buf *out);
/*
 * The risk of each server: `names` percent-encoded, ascending, separated by spaces; `risks` two
 * base-36 digits of tenths for each, in the same order. The names are a text of their own because
 * they hardly ever change.
 */
void history_encode_servers(const struct snapshot *snap, struct buf *names, struct buf *risks);

void history_init(struct history *h, int64_t interval_ms, int64_t range_ms, int64_t end_ms);
void history_free(struct history *h);
/* A record that cannot be read, lies outside the range or is not later than the last one is left
 * out: it becomes a gap. */
void history_add(struct history *h, int64_t at_ms, struct span record);
/* A point with nothing but `highest`: the risk of the server at `index`. */
void history_add_server(struct history *h, int64_t at_ms, struct span risks, size_t index);
/* Index of a server in `names`; -1: it is not one of them. */
int history_find_server(struct span names, struct span name);

static inline size_t history_count(const struct history *h)
{
	return h->points.len / sizeof(struct history_point);
}

const struct history_point *history_points(const struct history *h);
/* Appends the name as it was. */
void history_name(const struct history *h, struct history_text text, struct buf *out);
/* NaN absent. */
double history_value(const struct history_point *point, enum history_metric metric);

struct history_stats {
	size_t points;  /* with a value */
	size_t gaps;    /* places where the line breaks */
	double current; /* of the last point, NaN absent */
	double average, min, max;
	const struct history_point *peak; /* the first with the maximum; NULL without points */
};

void history_stats(const struct history *h, enum history_metric metric,
		   struct history_stats *stats);

/* The points of one column of a drawing. */
struct history_column {
	int64_t at_ms; /* of its last point */
	double min, mean, max;
	double last; /* of that point */
	const struct history_point
		*peak; /* with the maximum; of HISTORY_LEVELS the one with the worst counts */
	bool joined;   /* with the column before: no gap between them */
};

/* Draws the range together to at most `count` columns of equal duration, none of them empty;
 * returns their number. Between two points with a value there is a gap when they are more than 2.5
 * intervals apart or a point without a value lies between them. */
size_t history_thin(const struct history *h, enum history_metric metric,
		    struct history_column *columns, size_t count);

#endif
