/* SPDX-License-Identifier: MIT */
/* The score (doc/rules.md#risk) and the orders derived from it. Pure. */
#ifndef TFT_RISK_H
#define TFT_RISK_H

#include "fleet/snapshot.h"

/* One step of a component: at this value or more (only above it if `above` is set), it adds that
 * many points. */
struct risk_step {
	double limit;
	uint8_t points;
};

/* Tenths of risk per point. */
#define RISK_WEIGHT_NOW       7
#define RISK_WEIGHT_PREDICTED 3

struct risk_rule {
	const char *label; /* CPU now */
	int weight;        /* tenths of risk per point */
	bool predicted;    /* about the next 30 minutes, else now */
	bool above;        /* strictly above the limit (load), else at or above */
};

#define RISK_STEPS 4

/* What the docs page prints. */
const struct risk_rule *risk_rule(enum component component);
/* RISK_STEPS of them, highest first, the unused ones with 0 points: for Databases, or for all
 * others. */
const struct risk_step *risk_steps(enum component component, bool database);

/* Sets points and risk from profile and readings. */
void risk_score(struct server *server);

/* The value that gave a component its points: the value now, or the worst of the next 30
 * minutes. */
double risk_value(const struct server *server, enum component component);

/* The component that adds most to the risk; of equal ones the first. COMPONENT_COUNT: none adds
 * anything. */
enum component risk_top(const struct server *server);

/* The activity that orders the busiest five (doc/rules.md#busiest-five); absent values count as
 * 0. */
double risk_activity(const struct server *server);

#endif
