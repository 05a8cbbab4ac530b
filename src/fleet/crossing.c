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

/* The first step at which the median reaches the limit; 0: it never does. */
static uint8_t first_crossing(double limit, double now, const double *p50, size_t len)
{
	double before = now;

	for (size_t i = 0; i < len; i++) {
		if (p50[i] >= limit && !(before >= limit))
			return (uint8_t)(i + 1);
		before = p50[i];
	}
	return 0;
}

static struct crossing judge(const struct crossing_rule *rule, double now, const double *p50,
			     size_t len)
{
	struct crossing c = {.peak = NAN};

	if (len > CROSSING_STEPS)
		len = CROSSING_STEPS;
	for (size_t i = 0; i < len; i++)
		c.peak = fmax(c.peak, fmin(100, p50[i]));
	c.steps = first_crossing(rule->critical, now, p50, len);
	c.critical = c.steps > 0;
	if (!c.critical)
		c.steps = first_crossing(rule->warning, now, p50, len);
	return c;
}

void crossing_find(struct crossing crossings[CROSSINGS], enum metric metric, double now,
		   const double *p50, size_t len)
{
	for (int i = 0; i < CROSSINGS; i++)
		if (crossing_table[i].metric == metric)
			crossings[i] = judge(&crossing_table[i], now, p50, len);
}

unsigned crossing_count(const struct crossing crossings[CROSSINGS])
{
	unsigned n = 0;

	for (int i = 0; i < CROSSINGS; i++)
		n += crossings[i].steps > 0;
	return n;
}

static bool is_sooner(const struct crossing *a, const struct crossing *b)
{
	return a->steps != b->steps ? a->steps < b->steps : a->critical > b->critical;
}

enum crossing_index crossing_soonest(const struct crossing crossings[CROSSINGS])
{
	int first = CROSSINGS;

	for (int i = 0; i < CROSSINGS; i++)
		if (crossings[i].steps &&
		    (first == CROSSINGS || is_sooner(&crossings[i], &crossings[first])))
			first = i;
	return (enum crossing_index)first;
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
