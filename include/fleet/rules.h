/* SPDX-License-Identifier: MIT */
/*
 * The planning rules as tables: cost avoidance (doc/rules.md#cost), auto-remediation
 * (doc/rules.md#remediation), alerting (doc/rules.md#alerting). Pure; nothing is executed or sent.
 * All these lists have the order of a snapshot's servers (risk descending, then name), so the
 * servers with at least a given risk come first.
 */
#ifndef TFT_RULES_H
#define TFT_RULES_H

#include "fleet/snapshot.h"

struct history;

/* The number of servers with at least this risk (tenths): the first ones of the snapshot. */
size_t rules_count(const struct snapshot *snap, int min_risk);

/* ---- cost avoidance ---- */

enum cost_input { COST_PER_HOUR, COST_HOURS, COST_PREVENTION, COST_PROJECT, COST_INPUTS };

/* Any decimal number in min..max with at most two decimals is allowed; `step` is what the arrow
 * buttons of the form add. */
struct cost_input_info {
	const char *name;  /* cost_per_hour */
	const char *label; /* Outage cost per hour */
	const char *unit;  /* $, h, % */
	const char *range; /* beside the field: 0 or more */
	double standard, step, min, max;
};

extern const struct cost_input_info cost_input_table[COST_INPUTS];

#define COST_DECIMALS 2
/* min and max in full, for the 400 page. */
#define COST_RANGE         "number from 0 to 1000000000000 with at most two decimals"
#define COST_RANGE_PERCENT "number from 50 to 100 with at most two decimals"

enum cost_figure {
	COST_HIGH,      /* servers at Danger or worse */
	COST_MEDIUM,    /* at Degrading or Warning */
	COST_PREVENTED, /* incidents a day */
	COST_PER_INCIDENT,
	COST_DAILY,
	COST_MONTHLY,
	COST_ANNUAL,
	COST_MONTHS,     /* until the project has paid for itself; NaN: never */
	COST_FIRST_YEAR, /* net; NaN if the payback takes a year or longer */
	COST_FIGURES
};

struct cost_figure_info {
	const char *name; /* in JSON and CSV: daily */
	const char *unit; /* servers, incidents, USD, months */
};

extern const struct cost_figure_info cost_figure_table[COST_FIGURES];

/* How much one server of each class counts. */
#define COST_MEDIUM_WEIGHT "0.3"
#define COST_MEDIUM_TENTHS 3 /* tenths of an incident a day; a high one counts 10 */
#define COST_MONTH_DAYS    30
#define COST_YEAR_DAYS     365
#define COST_TABLE_MEDIUM  5 /* medium servers in the at-risk table, at most */

struct cost {
	size_t at_risk; /* rows of the at-risk table: the first servers of the snapshot */
	double figure[COST_FIGURES];
};

/* A figure of 1e15 or more is absent. */
void cost_of(const struct snapshot *snap, const double inputs[COST_INPUTS], struct cost *cost);

#define COST_DAYS      7
#define COST_DAY_HOURS 12 /* a day of which less is measured is left out of the range */

/* Of 24 hours, with the means of what was measured of them. */
struct cost_day {
	int64_t to_ms;     /* its end */
	double measured_h; /* 0: nothing; then the figures are of no servers at risk */
	double figure[COST_FIGURES];
};

struct cost_days {
	struct cost_day day[COST_DAYS];      /* the latest one first */
	size_t count;                        /* days that the range is of */
	const struct cost_day *least, *most; /* by incidents a day; NULL: there is none */
};

/* h: of COST_DAYS days. */
void cost_days(const struct history *h, const double inputs[COST_INPUTS], struct cost_days *days);
/* The share of the cost of an incident, for a server in the at-risk table: 1, or that of a medium
 * one. */
double cost_share(const struct server *server);
/* Dollars that an incident of a server in the at-risk table would cost; its class is High or
 * Medium. */
double cost_of_server(const struct cost *cost, const struct server *server);
const char *cost_class(const struct server *server);

/* ---- auto-remediation: a plan for every server with risk >= RISK_HIGH ---- */

struct remedy {
	const char *action, *integration, *time;
	bool autonomous; /* otherwise a person decides */
};

extern const struct remedy remedy_table[PROFILE_COUNT];
const char *remedy_kind(const struct remedy *remedy); /* autonomous, manual */

#define REMEDY_STATUS         "would trigger"
#define REMEDY_REVERSIBLE_MIN 15 /* how long an action can be rolled back */
#define REMEDY_IMPROVE_MIN    10 /* when it is rolled back if nothing has improved */

struct remedy_count {
	unsigned queued, autonomous, manual;
};

void remedy_count(const struct snapshot *snap, struct remedy_count *count);

/* Who approves an action, by risk. */
struct approval {
	const char *risk, *who;
	int most; /* the highest risk, tenths */
};

#define APPROVALS 4
extern const struct approval approval_table[APPROVALS];
const struct approval *approval_of(int risk);

/* ---- alerting: the environment first, then every server with risk >= RISK_HIGH ---- */

/* Who receives an alert, how, and what they are to do. */
struct alert_route {
	const char *recipients, *delivery, *action;
	const char *escalation; /* NULL: none */
};

/* By level of a server; Healthy has none (recipients NULL). Levels below Danger appear only in the
 * matrix. */
extern const struct alert_route alert_routes[LEVEL_COUNT];

/* The environment, by the upstream incident index; first match. */
struct environment_alert {
	enum level level; /* the level that names it and counts it */
	bool eight_hours; /* the 8-hour index, else the 30-minute one */
	double over;      /* 0..1 */
	struct alert_route route;
};

#define ENVIRONMENT_ALERTS 3
extern const struct environment_alert environment_alerts[ENVIRONMENT_ALERTS];

struct alert {
	enum level level;
	const struct alert_route *route;
	const struct environment_alert *environment; /* NULL: an alert of a server */
	const struct server *server;                 /* NULL: an alert of the environment */
};

/* The alert of the environment; false if there is none. */
bool alert_environment(const struct snapshot *snap, struct alert *alert);
/* The alert of a server with risk >= RISK_HIGH. */
void alert_server(const struct server *server, struct alert *alert);
/* The i-th alert, from 0; false past the last one. */
bool alert_at(const struct snapshot *snap, size_t i, struct alert *alert);
/* Counts alerts by level. */
void alert_count(const struct snapshot *snap, unsigned count[LEVEL_COUNT]);
/* Plain text, not escaped. Type: Environment, Server (Database). */
#define ALERT_TEXT (SNAPSHOT_NAME_MAX + 64)
struct span alert_type(const struct alert *alert, char text[ALERT_TEXT]);
struct span alert_message(const struct snapshot *snap, const struct alert *alert,
			  char text[ALERT_TEXT]);

#endif
