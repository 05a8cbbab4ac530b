/* SPDX-License-Identifier: MIT */
/*
 * The stored forecasts of one server: 14 or 15 metrics x 3 lists x 96 steps of 5 minutes, each
 * value in 16 bits. Each server is a field of `tft:series:<bucket>`.
 */
#ifndef TFT_SERIES_H
#define TFT_SERIES_H

#include <stdint.h>
#include "base/buf.h"
#include "fleet/metric.h"

#define SERIES_FORMAT  3
#define FORECAST_STEPS 96 /* 5-minute steps kept for charts */
#define FORECAST_30M   6  /* steps that make "30 minutes" */

/* Value = low + step * q. len 0: absent. */
struct series_list {
	float low, step;
	uint16_t len;
	uint16_t q[FORECAST_STEPS];
};

struct series {
	double current[METRIC_COUNT]; /* NaN absent */
	double trend[METRIC_COUNT];
	struct series_list p10[METRIC_COUNT], p50[METRIC_COUNT], p90[METRIC_COUNT];
};

/* Everything absent; freed by the caller. NULL if out of memory. */
struct series *series_new(void);
/* At most FORECAST_STEPS finite values, each rounded to a 65,535th of their range. */
void series_pack(const double *values, size_t count, struct series_list *out);
void series_encode(const struct series *series, struct buf *out);
/* 0, or -1 if the bytes are not a complete series of this format. */
int series_decode(struct span bytes, struct series *out);
/* The value rounded to the precision of 16 bits: more decimals would be meaningless. */
double series_round(double value);
static inline double series_value(const struct series_list *list, size_t i)
{
	return (double)list->low + (double)list->step * list->q[i];
}

#endif
