/* SPDX-License-Identifier: MIT */
#ifndef DEMO_FORECAST_H
#define DEMO_FORECAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fleet.h"

/* What the daemon computes without a model: straight lines (doc/upstream.md#servers), alerts
 * (doc/upstream.md#alerts), and the environment. */

enum { STEPS = 96, STEPS_30M = 6, STEPS_1H = 12, STEP_MINUTES = 5 };

struct forecast {
	double p50[STEPS], p10[STEPS], p90[STEPS]; /* one entry per 5 minutes ahead */
	double current;                            /* last sample */
	double trend;                              /* slope per 5-second tick, applied per step */
};

/* From the last 24 samples up to `tick`, or fewer if the fleet is younger. */
void forecast_metric(struct forecast *out, const struct fleet *f, int server, enum metric m,
		     int64_t tick);

struct alert {
	int server;
	enum metric metric;
	bool critical;
	int step; /* 1 ... STEPS_1H */
	double value;
	int threshold;
};

/* Collects the results of one inference over the whole fleet; release with outlook_free. */
struct outlook {
	struct alert *alerts; /* by server, metric, step */
	size_t alert_count, alert_cap;
	double sum_30m, sum_8h; /* of all servers' points */
	int high_risk;
	bool failed; /* out of memory */
};

/* Adds the METRICS forecasts of one server. */
void outlook_add(struct outlook *o, int server, const struct forecast *metrics);

void outlook_free(struct outlook *o);

#endif
