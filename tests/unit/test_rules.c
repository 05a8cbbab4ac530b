/* SPDX-License-Identifier: MIT */
/* The planning rules (doc/rules.md#cost, doc/rules.md#remediation, doc/rules.md#alerting): every
 * edge, every input at 0, every row of the tables. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "fleet/rules.h"

/* A fleet of servers with these risks (the list ends with -1), named s00, s01 ... */
static struct snapshot *fleet_of(const int *risks)
{
	struct snapshot *snap = snapshot_new();
	char name[16];

	assert_non_null(snap);
	snap->prob_30m = snap->prob_8h = (double)NAN;
	for (int i = 0; risks[i] >= 0; i++) {
		(void)snprintf(name, sizeof(name), "s%02d", i);
		snapshot_add(snap, span_str(name))->risk = risks[i];
	}
	assert_int_equal(snapshot_seal(snap), 0);
	return snap;
}

static const double defaults[COST_INPUTS] = {50000, 2.5, 85, 250000};

static struct cost cost_with(const int *risks, const double inputs[COST_INPUTS])
{
	struct snapshot *snap = fleet_of(risks);
	struct cost cost;

	cost_of(snap, inputs, &cost);
	snapshot_free(&snap);
	return cost;
}

/* ---- cost ---- */

static void defaults_are_those_of_the_rules(void **unused)
{
	(void)unused;
	for (int i = 0; i < COST_INPUTS; i++)
		assert_true(cost_input_table[i].standard == defaults[i]);
}

/* Nobody can read 31 digits of dollars. */
static void figures_that_nobody_can_read_are_absent(void **unused)
{
	const struct cost cost = cost_with((const int[]){700, 700, -1},
					   (const double[COST_INPUTS]){1e12, 1e12, 100, 1e12});
	const struct server high = {.risk = 700};

	(void)unused;
	assert_true(cost.figure[COST_HIGH] == 2);
	assert_true(cost.figure[COST_PREVENTED] == 2);
	for (int i = COST_PER_INCIDENT; i <= COST_ANNUAL; i++)
		assert_true(isnan(cost.figure[i]));
	assert_true(isnan(cost.figure[COST_FIRST_YEAR]));
	assert_true(isnan(cost_of_server(&cost, &high)));
}

static void high_and_medium_are_cut_at_70_and_50(void **unused)
{
	const struct cost cost = cost_with((const int[]){700, 699, 500, 499, 0, -1}, defaults);

	(void)unused;
	assert_true(cost.figure[COST_HIGH] == 1);
	assert_true(cost.figure[COST_MEDIUM] == 2);
	assert_int_equal(cost.at_risk, 3);
}

static void figures_follow_from_the_counts(void **unused)
{
	const struct cost cost = cost_with((const int[]){800, 730, 571, 516, 496, -1}, defaults);
	const double *f = cost.figure;

	(void)unused;
	assert_true(fabs(f[COST_PREVENTED] - 2.21) < 1e-12);
	assert_true(f[COST_PER_INCIDENT] == 125000);
	assert_true(fabs(f[COST_DAILY] - 276250) < 1e-6);
	assert_true(fabs(f[COST_MONTHLY] - 8287500) < 1e-5);
	assert_true(fabs(f[COST_ANNUAL] - 100831250) < 1e-4);
	assert_true(fabs(f[COST_MONTHS] - 0.0302) < 5e-5);
	assert_true(fabs(f[COST_FIRST_YEAR] - 100581250) < 1e-4);
}

static void table_has_all_high_and_five_medium(void **unused)
{
	const struct cost cost =
		cost_with((const int[]){700, 700, 650, 640, 630, 620, 610, 600, 500, -1}, defaults);
	const struct server high = {.risk = 700}, medium = {.risk = 699};

	(void)unused;
	assert_int_equal(cost.at_risk, 7);
	assert_true(cost_of_server(&cost, &high) == 125000);
	assert_true(cost_of_server(&cost, &medium) == 37500);
	assert_string_equal(cost_class(&high), "High");
	assert_string_equal(cost_class(&medium), "Medium");
}

static void input_of_zero_is_zero(void **unused)
{
	static const int risks[] = {800, -1};
	double inputs[COST_INPUTS] = {0, 2.5, 85, 250000};
	struct cost cost = cost_with(risks, inputs);

	(void)unused;
	assert_true(cost.figure[COST_ANNUAL] == 0);
	assert_true(isnan(cost.figure[COST_MONTHS]));
	assert_true(isnan(cost.figure[COST_FIRST_YEAR]));
	inputs[COST_PER_HOUR] = 50000;
	inputs[COST_PROJECT] = 0;
	cost = cost_with(risks, inputs);
	assert_true(cost.figure[COST_MONTHS] == 0);
	assert_true(cost.figure[COST_FIRST_YEAR] == cost.figure[COST_ANNUAL]);
}

/* 1 high, 1 $ an hour, 1 h, 100 %: 30 $ a month, 365 $ a year. */
static void first_year_is_told_below_twelve_months(void **unused)
{
	double inputs[COST_INPUTS] = {1, 1, 100, 359};
	struct cost cost = cost_with((const int[]){700, -1}, inputs);

	(void)unused;
	assert_true(fabs(cost.figure[COST_FIRST_YEAR] - 6) < 1e-9);
	inputs[COST_PROJECT] = 360;
	cost = cost_with((const int[]){700, -1}, inputs);
	assert_true(cost.figure[COST_MONTHS] == 12);
	assert_true(isnan(cost.figure[COST_FIRST_YEAR]));
}

static void nobody_at_risk_costs_nothing(void **unused)
{
	const struct cost cost = cost_with((const int[]){399, 0, -1}, defaults);

	(void)unused;
	assert_int_equal(cost.at_risk, 0);
	assert_true(cost.figure[COST_DAILY] == 0);
	assert_true(isnan(cost.figure[COST_MONTHS]));
}

/* ---- remediation ---- */

static void every_profile_has_its_remedy(void **unused)
{
	static const struct {
		enum profile profile;
		const char *action, *integration, *time, *kind;
	} expected[] = {
		{PROFILE_ML, "More compute, +2 vCPU", "Spectrum Conductor, POST /resources/scale",
		 "2 min", "autonomous"},
		{PROFILE_DATABASE, "Pool connections, more read replicas",
		 "Database management API", "5 min", "autonomous"},
		{PROFILE_WEB, "Two more instances, limit request rate",
		 "Load balancer API, Kubernetes HPA", "3 min", "autonomous"},
		{PROFILE_RISK, "Queue batch jobs, more compute", "Job scheduler API", "4 min",
		 "autonomous"},
		{PROFILE_ETL, "On-call team reviews", "PagerDuty API", "immediate", "manual"},
		{PROFILE_CONDUCTOR, "On-call team reviews", "PagerDuty API", "immediate", "manual"},
		{PROFILE_GENERIC, "On-call team reviews", "PagerDuty API", "immediate", "manual"},
	};

	(void)unused;
	assert_int_equal(sizeof(expected) / sizeof(expected[0]), PROFILE_COUNT);
	for (size_t i = 0; i < PROFILE_COUNT; i++) {
		const struct remedy *remedy = &remedy_table[expected[i].profile];

		assert_string_equal(remedy->action, expected[i].action);
		assert_string_equal(remedy->integration, expected[i].integration);
		assert_string_equal(remedy->time, expected[i].time);
		assert_string_equal(remedy_kind(remedy), expected[i].kind);
	}
}

static void remedies_are_counted_by_kind_from_70_on(void **unused)
{
	struct snapshot *snap = fleet_of((const int[]){900, 800, 700, 699, -1});
	struct remedy_count count;

	(void)unused;
	snap->servers[0].profile = PROFILE_RISK;
	snap->servers[1].profile = PROFILE_ETL;
	snap->servers[2].profile = PROFILE_GENERIC;
	remedy_count(snap, &count);
	assert_int_equal(count.queued, 3);
	assert_int_equal(count.autonomous, 1);
	assert_int_equal(count.manual, 2);
	snapshot_free(&snap);
}

/* ---- alerting ---- */

#define NONE LEVEL_COUNT

/* The environment's row follows from the two values of the index. */
static void first_matching_index_decides(void **unused)
{
	static const struct {
		double prob_30m, prob_8h;
		enum level level;
		const char *message;
	} cases[] = {
		{0.701, 0, LEVEL_CRITICAL, "Upstream index for 30 minutes is 70.1%, above 70%"},
		{0.70, 0, LEVEL_DANGER, "Upstream index for 30 minutes is 70.0%, above 40%"},
		{0.40, 1, LEVEL_WARNING, "Upstream index for 8 hours is 100.0%, above 50%"},
		{0.40, 0.50, NONE, NULL},
		{NAN, 0.51, LEVEL_WARNING, "Upstream index for 8 hours is 51.0%, above 50%"},
		{NAN, NAN, NONE, NULL},
		{0.41, NAN, LEVEL_DANGER, "Upstream index for 30 minutes is 41.0%, above 40%"},
	};
	struct snapshot *snap = fleet_of((const int[]){699, -1});
	char text[ALERT_TEXT];
	struct alert alert;

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snap->prob_30m = cases[i].prob_30m;
		snap->prob_8h = cases[i].prob_8h;
		assert_int_equal(alert_at(snap, 0, &alert), cases[i].level != NONE);
		if (cases[i].level == NONE)
			continue;
		assert_int_equal(alert.level, cases[i].level);
		assert_true(span_is(alert_type(&alert, text), "Environment"));
		assert_true(span_is(alert_message(snap, &alert, text), cases[i].message));
		assert_false(alert_at(snap, 1, &alert));
	}
	snapshot_free(&snap);
}

static void servers_alert_from_danger_on_in_order(void **unused)
{
	struct snapshot *snap = fleet_of((const int[]){699, 700, 899, 1000, 800, -1});
	static const struct {
		const char *message;
		enum level level;
	} expected[] = {
		{"s03 is at risk 100.0", LEVEL_IMMINENT},
		{"s02 is at risk 89.9", LEVEL_CRITICAL},
		{"s04 is at risk 80.0", LEVEL_CRITICAL},
		{"s01 is at risk 70.0", LEVEL_DANGER},
	};
	unsigned count[LEVEL_COUNT];
	char text[ALERT_TEXT];
	struct alert alert;

	(void)unused;
	for (size_t i = 0; i < 4; i++) {
		assert_true(alert_at(snap, i, &alert));
		assert_int_equal(alert.level, expected[i].level);
		assert_true(span_is(alert_message(snap, &alert, text), expected[i].message));
		assert_true(span_is(alert_type(&alert, text), "Server (Generic)"));
	}
	assert_false(alert_at(snap, 4, &alert));
	alert_count(snap, count);
	assert_int_equal(count[LEVEL_IMMINENT], 1);
	assert_int_equal(count[LEVEL_CRITICAL], 2);
	assert_int_equal(count[LEVEL_DANGER], 1);
	assert_int_equal(count[LEVEL_WARNING], 0);
	snapshot_free(&snap);
}

static void environment_counts_under_its_own_word(void **unused)
{
	struct snapshot *snap = fleet_of((const int[]){1000, -1});
	unsigned count[LEVEL_COUNT];

	(void)unused;
	snap->prob_30m = 0.9;
	alert_count(snap, count);
	assert_int_equal(count[LEVEL_IMMINENT], 1);
	assert_int_equal(count[LEVEL_CRITICAL], 1);
	snapshot_free(&snap);
}

static void message_holds_the_longest_name(void **unused)
{
	struct snapshot *snap = snapshot_new();
	char name[SNAPSHOT_NAME_MAX], text[ALERT_TEXT];
	struct alert alert;
	struct span message;

	(void)unused;
	memset(name, 'x', sizeof(name));
	snapshot_add(snap, (struct span){name, sizeof(name)})->risk = 1000;
	assert_int_equal(snapshot_seal(snap), 0);
	snap->prob_30m = snap->prob_8h = 0;
	assert_true(alert_at(snap, 0, &alert));
	message = alert_message(snap, &alert, text);
	assert_int_equal(message.len, sizeof(name) + strlen(" is at risk 100.0"));
	snapshot_free(&snap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_those_of_the_rules),
		cmocka_unit_test(figures_that_nobody_can_read_are_absent),
		cmocka_unit_test(high_and_medium_are_cut_at_70_and_50),
		cmocka_unit_test(figures_follow_from_the_counts),
		cmocka_unit_test(table_has_all_high_and_five_medium),
		cmocka_unit_test(input_of_zero_is_zero),
		cmocka_unit_test(first_year_is_told_below_twelve_months),
		cmocka_unit_test(nobody_at_risk_costs_nothing),
		cmocka_unit_test(every_profile_has_its_remedy),
		cmocka_unit_test(remedies_are_counted_by_kind_from_70_on),
		cmocka_unit_test(first_matching_index_decides),
		cmocka_unit_test(servers_alert_from_danger_on_in_order),
		cmocka_unit_test(environment_counts_under_its_own_word),
		cmocka_unit_test(message_holds_the_longest_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
