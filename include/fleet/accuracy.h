/* SPDX-License-Identifier: MIT */
/*
 * How good the forecasts were (doc/rules.md#accuracy): each kept forecast (horizons.h) is compared
 * with what came true 30 min, 1, 2, 4 and 8 h later, once. Values are compared as they are printed,
 * in tenths, so all sums are whole numbers: the order of adding does not matter. Pure;
 * cache/accuracy.h brings the records from Redis.
 *
 *	accuracy_score(&hour, &forecasts, horizon, snap);      // at a commit
 *	accuracy_encode(&hour, &record);
 *
 *	accuracy_init(&accuracy, to_ms, range_ms, interval_ms);       // on a page
 *	accuracy_add(&accuracy, &hour);                        // any number, in order of time
 *	score = accuracy_of(&accuracy, ACCURACY_USUAL, KEPT_CPU, 0, ACCURACY_ALL);
 *	verdict = accuracy_verdict(score);
 */
#ifndef TFT_ACCURACY_H
#define TFT_ACCURACY_H

#include "fleet/horizons.h"
#include "fleet/snapshot.h"

#define ACCURACY_FORMAT    1
#define ACCURACY_DAYS      30  /* kept */
#define ACCURACY_ENOUGH    100 /* values; fewer have no verdict */
#define ACCURACY_NOMINAL   80  /* percent of the values that the band from p10 to p90 should hold */
#define ACCURACY_SLOTS_MAX 30
/* A forecast is scored in the first bucket that is committed less than so long after its horizon. */
#define ACCURACY_LATE_MS 150000

enum accuracy_quantile { ACCURACY_P10, ACCURACY_P50, ACCURACY_P90, ACCURACY_QUANTILES };

/* Whether the generator named another scenario when a forecast was made than when it came true. */
enum accuracy_scenario { ACCURACY_USUAL, ACCURACY_CHANGED, ACCURACY_SCENARIOS };

#define ACCURACY_ALL    PROFILE_COUNT /* all profiles together */
#define ACCURACY_GROUPS (PROFILE_COUNT + 1)

struct accuracy_sums {
	int64_t n;                           /* values compared */
	int64_t below, above;                /* p10, p90 */
	int64_t error;                       /* of |p50 - value|; tenths */
	int64_t bias;                        /* of p50 - value; tenths */
	int64_t naive;                       /* of |value then - value|; tenths */
	int64_t pinball[ACCURACY_QUANTILES]; /* quantile losses; hundredths */
	int64_t silent, absent;              /* not compared: no news now; no value then or now */
};

/* ---- a commit ---- */

/* What was scored in one hour of the clock. */
struct accuracy_hour {
	int64_t at_ms;             /* its start */
	int64_t records[HORIZONS]; /* forecasts of the fleet that were scored */
	struct accuracy_sums sums[ACCURACY_SCENARIOS][KEPT_METRICS][HORIZONS][PROFILE_COUNT];
};

/* Adds the comparison of the forecasts made one horizon ago with the snapshot. */
void accuracy_score(struct accuracy_hour *hour, const struct forecasts *then, size_t horizon,
		    const struct snapshot *now);
/* Appends the record; `out` fails if out of memory. */
void accuracy_encode(const struct accuracy_hour *hour, struct buf *out);
/* -1 if the bytes are not a complete record of this format; then the hour is empty. */
int accuracy_decode(struct span bytes, struct accuracy_hour *hour);

/* ---- a range ---- */

/* One point of the line over time. */
struct accuracy_slot {
	int64_t n, inside;    /* the band */
	int64_t error, naive; /* tenths */
};

/* One cell: what the functions below compute from. */
struct accuracy_score {
	struct accuracy_sums sums;
	struct accuracy_slot slots[ACCURACY_SLOTS_MAX];
	/* Blocks of time for the interval; read by accuracy.c alone. */
	int64_t block, block_n, block_inside; /* the last one */
	double blocks, squares_n, squares_inside, products;
};

/* About 450 KB: not for the stack. */
struct accuracy {
	int64_t from_ms, to_ms; /* whole slots, of which the last one may not be over */
	int64_t slot_ms;        /* an hour, 6 hours or a day */
	size_t slots;
	int64_t expected;          /* forecasts that could have been scored, for each horizon */
	int64_t records[HORIZONS]; /* those that were */
	struct accuracy_score score[ACCURACY_SCENARIOS][KEPT_METRICS][HORIZONS][ACCURACY_GROUPS];
};

/* range_ms: 1, 7 or 30 days before to_ms. */
void accuracy_init(struct accuracy *accuracy, int64_t to_ms, int64_t range_ms, int64_t interval_ms);
/* Hours in order of time; those outside of the range are skipped. */
void accuracy_add(struct accuracy *accuracy, const struct accuracy_hour *hour);
/* group: a profile or ACCURACY_ALL. Never NULL; a cell without values has sums.n 0. */
const struct accuracy_score *accuracy_of(const struct accuracy *accuracy,
					 enum accuracy_scenario scenario, enum kept_metric metric,
					 size_t horizon, size_t group);

/* Share inside of the band, its limits included: 0..1; NaN without values. */
double accuracy_coverage(const struct accuracy_score *score);
double accuracy_slot_coverage(const struct accuracy_slot *slot);

struct accuracy_interval {
	double low, high; /* 0..1; NaN: less than two blocks of time, so nothing can be said */
};

/* 95 % interval of the coverage. All values of a block of time (an hour, or the horizon where that
 * is longer) count as dependent: doc/rules.md#accuracy. */
struct accuracy_interval accuracy_interval(const struct accuracy_score *score);
/* Means, in the unit of the metric; NaN without values. */
double accuracy_error(const struct accuracy_score *score); /* |p50 - value| */
double accuracy_bias(const struct accuracy_score *score);  /* positive: forecasts too high */
double accuracy_naive(const struct accuracy_score *score);
double accuracy_pinball(const struct accuracy_score *score, enum accuracy_quantile quantile);
/* 1 - error / naive error: the share of the error of "it stays as it is" that the forecast avoids.
 * 0 if both errors are 0; ACCURACY_SKILL_LEAST at least, as when the naive error alone is 0; NaN
 * without values. */
#define ACCURACY_SKILL_LEAST (-10.0)
double accuracy_skill(const struct accuracy_score *score);
/* A share or a skill in whole percent, as pages print it and as the verdict is decided;
 * ACCURACY_UNKNOWN for NaN. */
#define ACCURACY_UNKNOWN INT32_MIN
int accuracy_percent(double share);

/* Worst first. */
enum accuracy_verdict {
	ACCURACY_WORSE,  /* than naive: skill below 0 % */
	ACCURACY_NARROW, /* coverage below 70 % */
	ACCURACY_WIDE,   /* coverage above 90 % */
	ACCURACY_GOOD,
	ACCURACY_FEW, /* less than ACCURACY_ENOUGH values */
	ACCURACY_VERDICTS
};

struct accuracy_verdict_info {
	const char *name; /* on screen: too narrow */
	const char *slug; /* API, CSS: too-narrow */
	const char *glyph;
};

extern const struct accuracy_verdict_info accuracy_verdict_table[ACCURACY_VERDICTS];
enum accuracy_verdict accuracy_verdict(const struct accuracy_score *score);

struct accuracy_metric_info {
	const char *name;       /* on screen: CPU used */
	const char *slug;       /* API, parameter: cpu */
	const char *unit;       /* % or empty */
	const char *provenance; /* model or trend (doc/rules.md#provenance) */
};

extern const struct accuracy_metric_info accuracy_metric_table[KEPT_METRICS];

struct accuracy_horizon_info {
	const char *name; /* 30 min */
	const char *slug; /* 30m */
};

extern const struct accuracy_horizon_info accuracy_horizon_table[HORIZONS];

#endif
