/* SPDX-License-Identifier: MIT */
/*
 * Forecast limit crossings: the daemon's own limits (doc/upstream.md#alerts) on the medians of the
 * next hour. The daemon sends one alert per 5-minute step; here each metric of a server has at most
 * one. A limit is crossed when the value reaches it from below; a value that is above it already
 * crosses nothing. Pure.
 */
#ifndef TFT_CROSSING_H
#define TFT_CROSSING_H

#include <stdint.h>

#include "fleet/metric.h"

#define CROSSING_STEPS 12 /* steps of 5 minutes: one hour */

enum crossing_index {
	CROSSING_CPU_USER,
	CROSSING_MEM_USED,
	CROSSING_IOWAIT,
	CROSSING_SWAP_USED,
	CROSSING_DISK_USAGE,
	CROSSINGS
};

struct crossing_rule {
	enum metric metric;
	double warning, critical; /* crossed by a median at or above it */
};

extern const struct crossing_rule crossing_table[CROSSINGS];

/* The worse of the limits crossed within the hour. */
struct crossing {
	uint8_t steps; /* until the median reaches that limit, 1..12; 0: it never does */
	bool critical; /* otherwise warning */
	double peak;   /* highest median within the hour */
};

/* Sets the entry of this metric, if it has limits. now: the present value, or NaN. p50: the medians
 * from the first step on; len may be 0. */
void crossing_find(struct crossing crossings[CROSSINGS], enum metric metric, double now,
		   const double *p50, size_t len);
/* The number of metrics that cross a limit. */
unsigned crossing_count(const struct crossing crossings[CROSSINGS]);
/* The one that is reached first; of equal ones a critical limit, then the first of the table.
 * CROSSINGS: there is none. */
enum crossing_index crossing_soonest(const struct crossing crossings[CROSSINGS]);
double crossing_limit(const struct crossing *crossing, enum crossing_index index);
int crossing_minutes(const struct crossing *crossing);

#endif
