/* SPDX-License-Identifier: MIT */
/* The fixed scales: the seven levels (doc/rules.md#levels), the profiles
 * (doc/rules.md#profile), the environment status (doc/rules.md#environment), the metric marks
 * (doc/rules.md#marks). */
#ifndef TFT_LEVEL_H
#define TFT_LEVEL_H

#include "base/span.h"

/* Worst first: the order of every list of counts. */
enum level {
	LEVEL_IMMINENT,
	LEVEL_CRITICAL,
	LEVEL_DANGER,
	LEVEL_WARNING,
	LEVEL_DEGRADING,
	LEVEL_WATCH,
	LEVEL_HEALTHY,
	LEVEL_COUNT
};

#define RISK_MAX   1000 /* tenths */
#define RISK_HIGH  700  /* "high" in cost, remediation, alerting */
#define RISK_ALERT 500  /* in the alert table; a server below it counts as healthy */

struct level_info {
	const char *name; /* Imminent Failure */
	const char *slug; /* imminent: CSS class, query value */
	const char *code; /* IM */
	int from;         /* lowest risk of the level, tenths */
};

extern const struct level_info level_table[LEVEL_COUNT];
enum level level_of(int risk);

enum profile {
	PROFILE_ML,
	PROFILE_DATABASE,
	PROFILE_WEB,
	PROFILE_CONDUCTOR,
	PROFILE_ETL,
	PROFILE_RISK,
	PROFILE_GENERIC,
	PROFILE_COUNT
};

struct profile_info {
	const char *name; /* ML Compute */
	const char *slug; /* ml: query value */
};

extern const struct profile_info profile_table[PROFILE_COUNT];
/* In lower case; names with none of them are Generic. */
struct profile_prefix {
	const char *prefix;
	enum profile profile;
};

#define PROFILE_PREFIXES 11
extern const struct profile_prefix profile_prefixes[PROFILE_PREFIXES];
/* Longest matching prefix of the lower-cased name (doc/rules.md#profile). */
enum profile profile_of(struct span server_name);

/* Environment status and prediction card (doc/rules.md#index) share their words. */
enum status {
	STATUS_UNKNOWN,
	STATUS_HEALTHY,
	STATUS_CAUTION,
	STATUS_WARNING,
	STATUS_CRITICAL,
	STATUS_COUNT
};

struct status_info {
	const char *name;    /* Healthy */
	const char *capital; /* HEALTHY: the prediction card */
	const char *slug;    /* CSS class: sev-... of the level whose fill it uses */
	const char *code;    /* OK, DG, WN, CR, -- */
};

extern const struct status_info status_table[STATUS_COUNT];
/* The status if more than `over` tenths of the servers are at level `from` or worse; the first
 * matching rule decides. */
struct status_rule {
	enum status status;
	enum level from;
	unsigned over;
	const char *words; /* describes those servers: Critical or worse */
};

#define STATUS_RULES 5
extern const struct status_rule status_rules[STATUS_RULES];
/* or_worse: the servers at each level or a worse one. NULL: no rule matches. */
const struct status_rule *status_rule_of(unsigned total, const unsigned or_worse[LEVEL_COUNT]);
enum status status_of_fleet(unsigned total, const unsigned or_worse[LEVEL_COUNT]);
/* The card if either index is above its limit; first match. */
struct index_rule {
	enum status status;
	double over_30m, over_8h; /* 0..1 */
};

#define INDEX_RULES 3
extern const struct index_rule index_rules[INDEX_RULES];
/* The prediction card for the two indexes, 0..1; STATUS_UNKNOWN if either is NaN. */
enum status status_of_index(double prob_30m, double prob_8h);

/* Marks in front of a metric value (doc/rules.md#marks), worst last. */
enum mark { MARK_NONE, MARK_YELLOW, MARK_ORANGE, MARK_RED };

enum mark_kind {
	MARK_KIND_CPU,
	MARK_KIND_IOWAIT,
	MARK_KIND_MEMORY,
	MARK_KIND_MEMORY_DB,
	MARK_KIND_SWAP,
	MARK_KIND_LOAD,
	MARK_KINDS
};

struct mark_info {
	const char *label;
	double limit[MARK_RED + 1]; /* by mark; INFINITY: never */
	bool above;                 /* strictly above the limit, else at or above */
};

extern const struct mark_info mark_table[MARK_KINDS];

/* MARK_NONE for NaN. */
enum mark mark_of(enum mark_kind kind, double value);

#endif
