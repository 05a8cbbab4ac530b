/* SPDX-License-Identifier: MIT */
/* The score: one table of components and steps, in integer tenths so that no rounding error
 * occurs. */
#include "config.h"

#include "fleet/risk.h"

#include <math.h>

#include "fleet/shown.h"

#define NOW       RISK_WEIGHT_NOW, false
#define PREDICTED RISK_WEIGHT_PREDICTED, true

static const struct risk_rule rules[COMPONENT_COUNT] = {
	[COMPONENT_CPU_NOW] = {"CPU now", NOW, false},
	[COMPONENT_CPU_PREDICTED] = {"CPU predicted", PREDICTED, false},
	[COMPONENT_IOWAIT_NOW] = {"I/O wait now", NOW, false},
	[COMPONENT_IOWAIT_PREDICTED] = {"I/O wait predicted", PREDICTED, false},
	[COMPONENT_MEMORY_NOW] = {"Memory now", NOW, false},
	[COMPONENT_MEMORY_PREDICTED] = {"Memory predicted", PREDICTED, false},
	[COMPONENT_LOAD_NOW] = {"Load now", NOW, true},
	[COMPONENT_LOAD_PREDICTED] = {"Load predicted", PREDICTED, true},
};

static const struct risk_step all[COMPONENT_COUNT][RISK_STEPS] = {
	[COMPONENT_CPU_NOW] = {{98, 60}, {95, 40}, {90, 20}},
	[COMPONENT_CPU_PREDICTED] = {{98, 30}, {95, 20}, {90, 10}},
	[COMPONENT_IOWAIT_NOW] = {{30, 50}, {20, 30}, {10, 15}, {5, 5}},
	[COMPONENT_IOWAIT_PREDICTED] = {{30, 25}, {20, 15}, {10, 8}},
	[COMPONENT_MEMORY_NOW] = {{98, 60}, {95, 40}, {90, 20}},
	[COMPONENT_MEMORY_PREDICTED] = {{98, 30}, {95, 20}},
	[COMPONENT_LOAD_NOW] = {{12, 25}, {8, 15}, {6, 5}},
	[COMPONENT_LOAD_PREDICTED] = {{12, 12}, {8, 8}},
};

/* Databases fill their memory with page cache on purpose. */
static const struct risk_step databases[COMPONENT_COUNT][RISK_STEPS] = {
	[COMPONENT_MEMORY_NOW] = {{98, 40}, {95, 15}},
	[COMPONENT_MEMORY_PREDICTED] = {{98, 20}},
};

const struct risk_rule *risk_rule(enum component component)
{
	return &rules[component];
}

const struct risk_step *risk_steps(enum component component, bool database)
{
	return database && databases[component][0].points ? databases[component] : all[component];
}

/* An absent value (NaN) reaches no step. */
static uint8_t points_of(const struct risk_step *steps, bool above, double value)
{
	for (size_t i = 0; i < RISK_STEPS; i++)
		if (value > steps[i].limit || (!above && value == steps[i].limit))
			return steps[i].points;
	return 0;
}

double risk_value(const struct server *server, enum component component)
{
	const double values[COMPONENT_COUNT] = {
		[COMPONENT_CPU_NOW] = server->cpu.now,
		[COMPONENT_CPU_PREDICTED] = server->cpu.worst,
		[COMPONENT_IOWAIT_NOW] = server->iowait.now,
		[COMPONENT_IOWAIT_PREDICTED] = server->iowait.worst,
		[COMPONENT_MEMORY_NOW] = server->memory.now,
		[COMPONENT_MEMORY_PREDICTED] = server->memory.worst,
		[COMPONENT_LOAD_NOW] = server->load.now,
		[COMPONENT_LOAD_PREDICTED] = server->load.worst,
	};

	return values[component];
}

void risk_score(struct server *server)
{
	bool database = server->profile == PROFILE_DATABASE;
	int c, risk = 0;

	for (c = 0; c < COMPONENT_COUNT; c++) {
		enum component component = (enum component)c;
		const struct risk_rule *rule = risk_rule(component);

		server->points[c] = points_of(risk_steps(component, database), rule->above,
					      risk_value(server, component));
		risk += rule->weight * server->points[c];
	}
	server->risk = risk < RISK_MAX ? risk : RISK_MAX;
}

enum component risk_top(const struct server *server)
{
	enum component top = COMPONENT_COUNT;
	int most = 0;

	for (int c = 0; c < COMPONENT_COUNT; c++) {
		int points = server->points[c] * risk_rule((enum component)c)->weight;

		if (points <= most)
			continue;
		most = points;
		top = (enum component)c;
	}
	return top;
}

static double shown_or_zero(double value)
{
	return isnan(value) ? 0 : shown(value);
}

double risk_activity(const struct server *server)
{
	return 0.30 * shown_or_zero(server->cpu.now) + 0.25 * shown_or_zero(server->memory.now) +
	       0.25 * shown_or_zero(server->iowait.now) + 0.10 * shown_or_zero(server->swap_now) +
	       0.10 * shown_or_zero(server->load.now);
}
