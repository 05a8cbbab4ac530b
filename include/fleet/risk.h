/* SPDX-License-Identifier: MIT */
/* The score (doc/rules.md#risk) and the orders derived from it. Pure. */
#ifndef TFT_RISK_H
#define TFT_RISK_H

#include "fleet/snapshot.h"

/* One step of a component: from this value on (or above it, where `above` is set) it gives that
 * many points. */
struct risk_step {
	double limit;
	uint8_t points;
};

/* Tenths of risk for a point. */
#define RISK_WEIGHT_NOW       7
#define RISK_WEIGHT_PREDICTED 3

struct risk_rule {
	const char *label;         /* CPU now */
	int weight;                /* tenths of risk for a point */
	bool predicted;            /* judges the next 30 minutes, else now */
	bool above;                /* strictly above the limit (load), else at or above */
	struct risk_step steps[4]; /* highest first; points 0 ends the list */
};

/* Rules of a component for Databases and for all others; the docs page prints them. */
const struct risk_rule *risk_rule(enum component component, bool database);

/* Fills points and risk from profile and readings. */
void risk_score(struct server *server);

/* What a component's points were given for: the value now, or the worst of the next 30 minutes. */
double risk_value(const struct server *server, enum component component);

/* Activity of the busiest five (doc/rules.md#busiest-five): absent values count 0. */
double risk_activity(const struct server *server);

#endif
