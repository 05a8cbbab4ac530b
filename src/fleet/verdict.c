/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "fleet/verdict.h"

/* The level that a status of the environment is as bad as. */
static const enum level levels[STATUS_COUNT] = {
	[STATUS_UNKNOWN] = LEVEL_HEALTHY,   [STATUS_HEALTHY] = LEVEL_HEALTHY,
	[STATUS_CAUTION] = LEVEL_DEGRADING, [STATUS_WARNING] = LEVEL_WARNING,
	[STATUS_CRITICAL] = LEVEL_CRITICAL,
};

static enum level worst_level(const struct fleet_counts *counts)
{
	int level = 0;

	while (level <= LEVEL_DEGRADING && !counts->level[level])
		level++;
	return level <= LEVEL_DEGRADING ? (enum level)level : LEVEL_HEALTHY;
}

struct verdict verdict_of(const struct fleet_counts *counts)
{
	const struct status_rule *rule = status_rule_of(counts->total, counts->or_worse);
	struct verdict v = {.level = worst_level(counts),
			    .alerts = counts->or_worse[LEVEL_DEGRADING],
			    .total = counts->total,
			    .status = status_of_fleet(counts->total, counts->or_worse)};

	v.count = counts->level[v.level];
	if (levels[v.status] >= v.level)
		return v;
	v.level = levels[v.status];
	v.share = rule;
	v.count = counts->or_worse[rule->from];
	return v;
}

const char *verdict_name(const struct verdict *verdict)
{
	return verdict->total ? level_table[verdict->level].name
			      : status_table[STATUS_UNKNOWN].name;
}

const char *verdict_slug(const struct verdict *verdict)
{
	return verdict->total ? level_table[verdict->level].slug
			      : status_table[STATUS_UNKNOWN].slug;
}
