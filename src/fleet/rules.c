/* SPDX-License-Identifier: MIT */
/* The planning rules: all their numbers and words are in these tables, once. */
#include "config.h"
#include "fleet/rules.h"

#include <math.h>
#include <stdio.h>

#include "fleet/history.h"

#define AMOUNT_MAX  1e12
#define PERCENT_MIN 50
#define PERCENT_MAX 100

size_t rules_count(const struct snapshot *snap, int min_risk)
{
	size_t n = 0;

	while (n < snap->count && snap->servers[n].risk >= min_risk)
		n++;
	return n;
}

/* ---- cost avoidance ---- */

const struct cost_input_info cost_input_table[COST_INPUTS] = {
	[COST_PER_HOUR] = {"cost_per_hour", "Outage cost per hour", "$", "0 or more", 50000, 5000,
			   0, AMOUNT_MAX},
	[COST_HOURS] = {"avg_hours", "Mean length of an outage", "h", "0 or more", 2.5, 0.5, 0,
			AMOUNT_MAX},
	[COST_PREVENTION] = {"prevention_pct", "Incidents that are prevented", "%", "50 to 100", 85,
			     1, PERCENT_MIN, PERCENT_MAX},
	[COST_PROJECT] = {"project_cost", "Cost of the project", "$", "0 or more", 250000, 25000, 0,
			  AMOUNT_MAX},
};

const struct cost_figure_info cost_figure_table[COST_FIGURES] = {
	[COST_HIGH] = {"high_risk", "servers"},
	[COST_MEDIUM] = {"medium_risk", "servers"},
	[COST_PREVENTED] = {"incidents_prevented", "incidents"},
	[COST_PER_INCIDENT] = {"cost_per_incident", "USD"},
	[COST_DAILY] = {"daily", "USD"},
	[COST_MONTHLY] = {"monthly", "USD"},
	[COST_ANNUAL] = {"annual", "USD"},
	[COST_MONTHS] = {"months_to_roi", "months"},
	[COST_FIRST_YEAR] = {"first_year_net", "USD"},
};

/* Without savings there is no payback, not even for a project that costs nothing. */
static double months_to_return(double project, double monthly)
{
	return monthly > 0 ? project / monthly : (double)NAN;
}

#define FIGURE_END 1e15 /* beyond this no page has room, and a double soon loses single dollars */

static void leave_out_the_huge(double figure[COST_FIGURES])
{
	for (int i = 0; i < COST_FIGURES; i++)
		if (!(fabs(figure[i]) < FIGURE_END))
			figure[i] = NAN;
}

static void find_figures(double high, double medium, const double inputs[COST_INPUTS],
			 double figure[COST_FIGURES])
{
	/* Thousandths of an incident, an integer for whole servers and percentages, so only the
	 * division rounds. */
	double prevented = (10 * high + COST_MEDIUM_TENTHS * medium) * inputs[COST_PREVENTION];

	figure[COST_HIGH] = high;
	figure[COST_MEDIUM] = medium;
	figure[COST_PREVENTED] = prevented / 1000;
	figure[COST_PER_INCIDENT] = inputs[COST_PER_HOUR] * inputs[COST_HOURS];
	figure[COST_DAILY] = prevented * figure[COST_PER_INCIDENT] / 1000;
	figure[COST_MONTHLY] = figure[COST_DAILY] * COST_MONTH_DAYS;
	figure[COST_ANNUAL] = figure[COST_DAILY] * COST_YEAR_DAYS;
	figure[COST_MONTHS] = months_to_return(inputs[COST_PROJECT], figure[COST_MONTHLY]);
	figure[COST_FIRST_YEAR] =
		figure[COST_MONTHS] < 12 ? figure[COST_ANNUAL] - inputs[COST_PROJECT] : (double)NAN;
	leave_out_the_huge(figure);
}

void cost_of(const struct snapshot *snap, const double inputs[COST_INPUTS], struct cost *cost)
{
	size_t high = rules_count(snap, RISK_HIGH), medium = rules_count(snap, RISK_ALERT) - high;

	find_figures((double)high, (double)medium, inputs, cost->figure);
	cost->at_risk = high + (medium < COST_TABLE_MEDIUM ? medium : COST_TABLE_MEDIUM);
}

/* ---- the days before ---- */

#define HOUR_MS 3600000.0
#define DAY_MS  (24 * INT64_C(3600000))

/* Over the points of a day. */
struct day_sum {
	double points, high, medium;
};

static void add_point(struct day_sum *sum, const struct history_point *point)
{
	unsigned high = history_or_worse(point, LEVEL_DANGER);

	sum->points++;
	sum->high += high;
	sum->medium += history_or_worse(point, LEVEL_DEGRADING) - high;
}

static void end_day(struct cost_day *day, const struct day_sum *sum, const struct history *h,
		    const double inputs[COST_INPUTS])
{
	double points = fmax(1, sum->points);

	day->measured_h = sum->points * (double)h->interval_ms / HOUR_MS;
	find_figures(sum->high / points, sum->medium / points, inputs, day->figure);
}

static void rank_day(struct cost_days *days, const struct cost_day *day)
{
	double prevented = day->figure[COST_PREVENTED];

	if (day->measured_h < COST_DAY_HOURS)
		return;
	days->count++;
	if (!days->least || prevented < days->least->figure[COST_PREVENTED])
		days->least = day;
	if (!days->most || prevented > days->most->figure[COST_PREVENTED])
		days->most = day;
}

void cost_days(const struct history *h, const double inputs[COST_INPUTS], struct cost_days *days)
{
	const struct history_point *points = history_points(h);
	struct day_sum sums[COST_DAYS] = {{0}};

	*days = (struct cost_days){.count = 0};
	for (size_t i = 0; i < history_count(h); i++) {
		int64_t day = (h->to_ms - points[i].at_ms) / DAY_MS;

		if (day >= 0 && day < COST_DAYS)
			add_point(&sums[day], &points[i]);
	}
	for (int i = 0; i < COST_DAYS; i++) {
		days->day[i].to_ms = h->to_ms - i * DAY_MS;
		end_day(&days->day[i], &sums[i], h, inputs);
		rank_day(days, &days->day[i]);
	}
}

double cost_share(const struct server *server)
{
	return server->risk >= RISK_HIGH ? 1 : COST_MEDIUM_TENTHS / 10.0;
}

double cost_of_server(const struct cost *cost, const struct server *server)
{
	return cost->figure[COST_PER_INCIDENT] * cost_share(server);
}

const char *cost_class(const struct server *server)
{
	return server->risk >= RISK_HIGH ? "High" : "Medium";
}

/* ---- auto-remediation ---- */

#define ON_CALL_REVIEW                                                                             \
	{                                                                                          \
		"On-call team reviews", "PagerDuty API", "immediate", false                        \
	}

const struct remedy remedy_table[PROFILE_COUNT] = {
	[PROFILE_ML] = {"More compute, +2 vCPU", "Spectrum Conductor, POST /resources/scale",
			"2 min", true},
	[PROFILE_DATABASE] = {"Pool connections, more read replicas", "Database management API",
			      "5 min", true},
	[PROFILE_WEB] = {"Two more instances, limit request rate",
			 "Load balancer API, Kubernetes HPA", "3 min", true},
	[PROFILE_RISK] = {"Queue batch jobs, more compute", "Job scheduler API", "4 min", true},
	[PROFILE_CONDUCTOR] = ON_CALL_REVIEW,
	[PROFILE_ETL] = ON_CALL_REVIEW,
	[PROFILE_GENERIC] = ON_CALL_REVIEW,
};

const char *remedy_kind(const struct remedy *remedy)
{
	return remedy->autonomous ? "autonomous" : "manual";
}

void remedy_count(const struct snapshot *snap, struct remedy_count *count)
{
	size_t queued = rules_count(snap, RISK_HIGH);

	*count = (struct remedy_count){.queued = (unsigned)queued};
	for (size_t i = 0; i < queued; i++)
		count->autonomous += remedy_table[snap->servers[i].profile].autonomous;
	count->manual = count->queued - count->autonomous;
}

const struct approval approval_table[APPROVALS] = {
	{"below 50", "automatic, logged", RISK_ALERT - 1},
	{"50 to below 70", "automatic after 30 s unless stopped", RISK_HIGH - 1},
	{"70 to 85", "senior engineer", 850},
	{"above 85", "director, or automatic outside working hours", RISK_MAX},
};

const struct approval *approval_of(int risk)
{
	size_t i = 0;

	while (risk > approval_table[i].most)
		i++;
	return &approval_table[i];
}

/* ---- alerting ---- */

#define ON_CALL "on-call (PagerDuty)"

const struct alert_route alert_routes[LEVEL_COUNT] = {
	[LEVEL_IMMINENT] = {ON_CALL, "phone, SMS, app", "respond in 5 min", "5 min CTO"},
	[LEVEL_CRITICAL] = {ON_CALL, "phone, SMS, app", "respond in 15 min",
			    "15 min senior, 30 min director"},
	[LEVEL_DANGER] = {"server team lead (Slack)", "Slack, e-mail", "respond in 30 min",
			  "30 min on-call"},
	[LEVEL_WARNING] = {"server team (Slack)", "Slack, e-mail", "respond in 1 h",
			   "1 h team lead"},
	[LEVEL_DEGRADING] = {"engineering", "e-mail", "respond in 2 h", NULL},
	[LEVEL_WATCH] = {"dashboard", "log", "best effort", NULL},
};

const struct environment_alert environment_alerts[ENVIRONMENT_ALERTS] = {
	{LEVEL_CRITICAL,
	 false,
	 0.70,
	 {ON_CALL, "phone, SMS, push", "respond at once", "15 min senior, 30 min director"}},
	{LEVEL_DANGER,
	 false,
	 0.40,
	 {"engineering", "e-mail, Slack #ops-alerts", "watch", "30 min on-call"}},
	{LEVEL_WARNING, true, 0.50, {"engineering", "e-mail", "review", NULL}},
};

static double index_of(const struct snapshot *snap, const struct environment_alert *rule)
{
	return rule->eight_hours ? snap->prob_8h : snap->prob_30m;
}

/* NULL: none. An absent index is above no limit. */
static const struct environment_alert *find_environment(const struct snapshot *snap)
{
	for (size_t i = 0; i < ENVIRONMENT_ALERTS; i++)
		if (index_of(snap, &environment_alerts[i]) > environment_alerts[i].over)
			return &environment_alerts[i];
	return NULL;
}

bool alert_environment(const struct snapshot *snap, struct alert *alert)
{
	const struct environment_alert *rule = find_environment(snap);

	if (rule)
		*alert = (struct alert){rule->level, &rule->route, rule, NULL};
	return rule != NULL;
}

void alert_server(const struct server *server, struct alert *alert)
{
	enum level level = level_of(server->risk);

	*alert = (struct alert){level, &alert_routes[level], NULL, server};
}

bool alert_at(const struct snapshot *snap, size_t i, struct alert *alert)
{
	bool environment = alert_environment(snap, alert);

	if (environment && i == 0)
		return true;
	i -= environment;
	if (i >= snap->count || snap->servers[i].risk < RISK_HIGH)
		return false;
	alert_server(&snap->servers[i], alert);
	return true;
}

void alert_count(const struct snapshot *snap, unsigned count[LEVEL_COUNT])
{
	struct alert alert;

	for (int i = 0; i < LEVEL_COUNT; i++)
		count[i] = 0;
	for (size_t i = 0; alert_at(snap, i, &alert); i++)
		count[alert.level]++;
}

struct span alert_type(const struct alert *alert, char text[ALERT_TEXT])
{
	if (alert->environment)
		return SPAN("Environment");
	snprintf(text, ALERT_TEXT, "Server (%s)", profile_table[alert->server->profile].name);
	return span_str(text);
}

struct span alert_message(const struct snapshot *snap, const struct alert *alert,
			  char text[ALERT_TEXT])
{
	const struct environment_alert *rule = alert->environment;
	const struct server *s = alert->server;

	if (rule)
		snprintf(text, ALERT_TEXT, "Upstream index for %s is %.1f%%, above %.0f%%",
			 rule->eight_hours ? "8 hours" : "30 minutes", 100 * index_of(snap, rule),
			 100 * rule->over);
	else
		snprintf(text, ALERT_TEXT, "%.*s is at risk %d.%d", (int)s->name.len, s->name.ptr,
			 s->risk / 10, s->risk % 10);
	return span_str(text);
}
