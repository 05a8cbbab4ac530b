/* SPDX-License-Identifier: MIT */
/* Turns the lists of a forecast into the readings of the next 30 minutes (doc/rules.md#cpu-used,
 * doc/rules.md#other-metrics). */
#ifndef TFT_FORECAST_H
#define TFT_FORECAST_H

#include "fleet/snapshot.h"

/* The first FORECAST_30M entries of a list; NaN where there are none. */
struct forecast_window {
	size_t len; /* of the whole list; 0 absent */
	double mean, min, max;
};

struct forecast {
	double now;
	struct forecast_window p10, p50, p90;
};

extern const struct forecast forecast_absent;

struct forecast_window forecast_window(const double *values, size_t len);
/* Sets the readings of the server from the forecasts of its metrics. */
void forecast_readings(const struct forecast f[METRIC_COUNT], struct server *server);
/* Whether the forecast is the line current + trend * i, clamped to 0..100: then it does not come
 * from a model (doc/rules.md#provenance). */
bool forecast_leaves_line(const double *p50, size_t len, double current, double trend);

#endif
