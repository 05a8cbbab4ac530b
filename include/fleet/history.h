/* SPDX-License-Identifier: MIT */
/*
 * History (doc/rules.md#history): one point per committed bucket. This header has its records, the
 * points of a range, and what is computed from them. Pure; archive.h reads the records from Redis.
 *
 *	history_init(&h, interval_ms, range_ms, end_ms);
 *	history_add(&h, at_ms, record);                 // any number, in order of time
 *	history_stats(&h, HISTORY_PROB_30M, &stats);
 *	history_free(&h);
 */
#ifndef TFT_HISTORY_H
#define TFT_HISTORY_H

#include "fleet/snapshot.h"

#define HISTORY_COLUMNS 500 /* of a drawing */

/* The metrics. The value of a point is in percent, except for HISTORY_LEVELS, where it is the
 * number of servers with risk >= 50. */
enum history_metric {
	HISTORY_ALL, /* of a query: none in particular */
	HISTORY_PROB_30M,
	HISTORY_PROB_8H,
	HISTORY_HEALTH, /* share with risk below 50 */
	HISTORY_RISK,   /* mean of the fleet */
	HISTORY_LEVELS,
	HISTORY_METRICS,
	HISTORY_HIGHEST = HISTORY_METRICS /* risk of the worst server, or of one server; shown with
					     HISTORY_RISK */
};

enum history_range {
	HISTORY_30M,
	HISTORY_1H,
	HISTORY_8H,
	HISTORY_1D,
	HISTORY_7D,
	HISTORY_30D,
	HISTORY_RANGES
};

/* The words of the query parameters. */
extern const char *const history_metric_words[HISTORY_METRICS];
extern const char *const history_range_words[HISTORY_RANGES];
int64_t history_range_ms(enum history_range range);

/* A name; equal names may have different positions. */
struct history_text {
	uint32_t at, len; /* in `texts`, percent-encoded; len 0: absent */
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
	int64_t step_ms;   /* at most one point in each; 0: all of them */
	struct buf points; /* owned; struct history_point, ascending */
	struct buf texts;  /* owned */
};

/*
 * The record of a snapshot, a line of text that can be read with XRANGE:
 *
 *	1 <prob_30m> <prob_8h> <seven level counts, worst first> <sum of risks, tenths>
 *	<highest risk, tenths> <its server> <scenario>
 *
 * 1 is the format. Absent numbers and names are "-"; names are percent-encoded.
 */
void history_encode(const struct snapshot *snap, struct buf *out);
/*
 * The risk of each server. `names`: percent-encoded, ascending, separated by spaces. `risks`: for
 * each of them two base-36 digits, in tenths, in the same order. The names are a separate text
 * because they hardly ever change.
 */
void history_encode_servers(const struct snapshot *snap, struct buf *names, struct buf *risks);

void history_init(struct history *h, int64_t interval_ms, int64_t range_ms, int64_t end_ms);
/* Before the first point: of 30 days only one point in 2 minutes is read. */
void history_thin_out(struct history *h, enum history_range range);
void history_free(struct history *h);
/* A record that cannot be read, is outside the range or is not later than the last one is skipped:
 * it becomes a gap. */
void history_add(struct history *h, int64_t at_ms, struct span record);
/* A point that has only `highest`: the risk of the server at `index`. */
void history_add_server(struct history *h, int64_t at_ms, struct span risks, size_t index);
/* The risk at `index` of `risks` in tenths, or -1. */
int history_risk(struct span risks, size_t index);
/* Index of a server in `names`, or -1. */
int history_find_server(struct span names, struct span name);

static inline size_t history_count(const struct history *h)
{
	return h->points.len / sizeof(struct history_point);
}

const struct history_point *history_points(const struct history *h);
/* Appends the decoded name. */
void history_name(const struct history *h, struct history_text text, struct buf *out);
/* Servers at this level or a worse one. */
unsigned history_or_worse(const struct history_point *point, enum level level);
/* NaN absent. */
double history_value(const struct history_point *point, enum history_metric metric);

struct history_stats {
	size_t points;  /* points with a value */
	size_t gaps;    /* breaks in the line */
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
		*peak; /* with the maximum; for HISTORY_LEVELS, with the worst counts */
	bool joined;   /* to the previous column: no gap between them */
};

/* Reduces the range to at most `count` columns of equal duration, none of them empty; returns their
 * number. Between two points with a value there is a gap if they are more than 2.5 intervals apart
 * or if a point without a value is between them. */
size_t history_thin(const struct history *h, enum history_metric metric,
		    struct history_column *columns, size_t count);

#endif
