/* SPDX-License-Identifier: MIT */
/* Levels, profiles, environment status and metric marks: every threshold, except those of the
 * score, is here, once. */
#include "config.h"

#include "fleet/level.h"

#include <math.h>

const struct level_info level_table[LEVEL_COUNT] = {
	[LEVEL_IMMINENT] = {"Imminent Failure", "imminent", "IM", 900},
	[LEVEL_CRITICAL] = {"Critical", "critical", "CR", 800},
	[LEVEL_DANGER] = {"Danger", "danger", "DN", 700},
	[LEVEL_WARNING] = {"Warning", "warning", "WN", 600},
	[LEVEL_DEGRADING] = {"Degrading", "degrading", "DG", 500},
	[LEVEL_WATCH] = {"Watch", "watch", "WT", 300},
	[LEVEL_HEALTHY] = {"Healthy", "healthy", "OK", 0},
};

enum level level_of(int risk)
{
	int l = 0;

	while (l < LEVEL_HEALTHY && risk < level_table[l].from)
		l++;
	return (enum level)l;
}

const struct profile_info profile_table[PROFILE_COUNT] = {
	[PROFILE_ML] = {"ML Compute", "ml"},
	[PROFILE_DATABASE] = {"Database", "db"},
	[PROFILE_WEB] = {"Web API", "web"},
	[PROFILE_CONDUCTOR] = {"Conductor Mgmt", "conductor"},
	[PROFILE_ETL] = {"ETL/Ingest", "etl"},
	[PROFILE_RISK] = {"Risk Analytics", "risk"},
	[PROFILE_GENERIC] = {"Generic", "generic"},
};

const struct profile_prefix profile_prefixes[PROFILE_PREFIXES] = {
	{"ppml", PROFILE_ML},     {"ppgpu", PROFILE_ML},  {"ppdb", PROFILE_DATABASE},
	{"ppweb", PROFILE_WEB},   {"ppapi", PROFILE_WEB}, {"ppcon", PROFILE_CONDUCTOR},
	{"ppetl", PROFILE_ETL},   {"ppdi", PROFILE_ETL},  {"ppkafka", PROFILE_ETL},
	{"pprisk", PROFILE_RISK}, {"ppra", PROFILE_RISK},
};

static bool has_prefix(struct span name, struct span lower)
{
	size_t i;

	if (name.len < lower.len)
		return false;
	for (i = 0; i < lower.len; i++) {
		char c = name.ptr[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c != lower.ptr[i])
			return false;
	}
	return true;
}

enum profile profile_of(struct span server_name)
{
	enum profile profile = PROFILE_GENERIC;
	size_t longest = 0, i;

	for (i = 0; i < PROFILE_PREFIXES; i++) {
		struct span prefix = span_str(profile_prefixes[i].prefix);

		if (prefix.len > longest && has_prefix(server_name, prefix)) {
			longest = prefix.len;
			profile = profile_prefixes[i].profile;
		}
	}
	return profile;
}

const struct status_info status_table[STATUS_COUNT] = {
	[STATUS_UNKNOWN] = {"Unknown", "UNKNOWN", "unknown", "--"},
	[STATUS_HEALTHY] = {"Healthy", "HEALTHY", "healthy", "OK"},
	[STATUS_CAUTION] = {"Caution", "CAUTION", "degrading", "DG"},
	[STATUS_WARNING] = {"Warning", "WARNING", "warning", "WN"},
	[STATUS_CRITICAL] = {"Critical", "CRITICAL", "critical", "CR"},
};

const struct status_rule status_rules[STATUS_RULES] = {
	{STATUS_CRITICAL, LEVEL_CRITICAL, 3, "Critical or worse"},
	{STATUS_CRITICAL, LEVEL_WARNING, 5, "at Warning or worse"},
	{STATUS_WARNING, LEVEL_CRITICAL, 1, "Critical or worse"},
	{STATUS_WARNING, LEVEL_WARNING, 3, "at Warning or worse"},
	{STATUS_CAUTION, LEVEL_DEGRADING, 1, "at risk 50 or above"},
};

const struct status_rule *status_rule_of(unsigned total, const unsigned or_worse[LEVEL_COUNT])
{
	for (size_t i = 0; i < STATUS_RULES; i++) {
		const struct status_rule *rule = &status_rules[i];

		/* In integers, so that exactly 30 % is not more than 30 %. */
		if (10ull * or_worse[rule->from] > (unsigned long long)rule->over * total)
			return rule;
	}
	return NULL;
}

enum status status_of_fleet(unsigned total, const unsigned or_worse[LEVEL_COUNT])
{
	const struct status_rule *rule = status_rule_of(total, or_worse);

	if (!total)
		return STATUS_UNKNOWN;
	return rule ? rule->status : STATUS_HEALTHY;
}

const struct index_rule index_rules[INDEX_RULES] = {
	{STATUS_CRITICAL, 0.70, 0.85},
	{STATUS_WARNING, 0.40, 0.60},
	{STATUS_CAUTION, 0.20, 0.40},
};

enum status status_of_index(double prob_30m, double prob_8h)
{
	size_t i;

	if (isnan(prob_30m) || isnan(prob_8h))
		return STATUS_UNKNOWN;
	for (i = 0; i < INDEX_RULES; i++)
		if (prob_30m > index_rules[i].over_30m || prob_8h > index_rules[i].over_8h)
			return index_rules[i].status;
	return STATUS_HEALTHY;
}

const struct mark_info mark_table[MARK_KINDS] = {
	[MARK_KIND_CPU] = {"CPU", {0, 90, 95, 98}, false},
	[MARK_KIND_IOWAIT] = {"I/O wait", {0, 10, 20, 30}, false},
	[MARK_KIND_MEMORY] = {"Memory, not Database", {0, 90, 95, 98}, false},
	/* page cache is not an emergency */
	[MARK_KIND_MEMORY_DB] = {"Memory, Database", {0, 95, 98, INFINITY}, false},
	[MARK_KIND_SWAP] = {"Swap", {0, 10, 30, 50}, false},
	[MARK_KIND_LOAD] = {"Load", {0, 6, 8, 12}, true},
};

enum mark mark_of(enum mark_kind kind, double value)
{
	int mark = MARK_RED;

	for (; mark > MARK_NONE; mark--) {
		double limit = mark_table[kind].limit[mark];

		if (value > limit || (!mark_table[kind].above && value == limit))
			break;
	}
	return (enum mark)mark;
}
