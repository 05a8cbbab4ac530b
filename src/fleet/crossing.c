/* SPDX-License-Identifier: MIT */
/* Five metrics with two limits each, as the daemon has them. */
#include "config.h"
#include "fleet/crossing.h"

#include <math.h>

const struct crossing_rule crossing_table[CROSSINGS] = {
	[CROSSING_CPU_USER] = {METRIC_CPU_USER, 85, 95},
	[CROSSING_MEM_USED] = {METRIC_MEM_USED, 90, 98},
	[CROSSING_IOWAIT] = {METRIC_CPU_IOWAIT, 20, 30},
	[CROSSING_SWAP_USED] = {METRIC_SWAP_USED, 25, 50},
	[CROSSING_DISK_USAGE] = {METRIC_DISK_USAGE, 85, 95},
};

static struct crossing judge(const struct crossing_rule *rule, const double *p50, size_t len)
{
	struct crossing c = {.peak = NAN};
	double limit;

	if (len > CROSSING_STEPS)
		len = CROSSING_STEPS;
	for (size_t i = 0; i < len; i++)
		c.peak = fmax(c.peak, p50[i]);
	c.critical = c.peak >= rule->critical;
	limit = c.critical ? rule->critical : rule->warning;
	for (size_t i = 0; i < len && !c.steps; i++)
		if (p50[i] >= limit)
			c.steps = (uint8_t)(i + 1);
	return c;
}

void crossing_find(struct crossing crossings[CROSSINGS], enum metric metric, const double *p50,
		   size_t len)
{
	for (int i = 0; i < CROSSINGS; i++)
		if (crossing_table[i].metric == metric)
			crossings[i] = judge(&crossing_table[i], p50, len);
}

unsigned crossing_count(const struct crossing crossings[CROSSINGS])
{
	unsigned n = 0;

	for (int i = 0; i < CROSSINGS; i++)
		n += crossings[i].steps > 0;
	return n;
}

double crossing_limit(const struct crossing *crossing, enum crossing_index index)
{
	const struct crossing_rule *rule = &crossing_table[index];

	return crossing->critical ? rule->critical : rule->warning;
}

int crossing_minutes(const struct crossing *crossing)
{
	return 5 * crossing->steps;
}
