/* SPDX-License-Identifier: MIT */
/* The score: every step of every component, for Databases and others, and the sums. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fleet/risk.h"

#define ABSENT                                                                                     \
	{                                                                                          \
		NAN, NAN, NAN, NAN                                                                 \
	}

static struct server server_without_values(enum profile profile)
{
	return (struct server){.profile = profile,
			       .cpu = ABSENT,
			       .iowait = ABSENT,
			       .memory = ABSENT,
			       .load = ABSENT,
			       .swap_now = NAN};
}

static double *value_of(struct server *s, enum component component)
{
	double *const values[COMPONENT_COUNT] = {&s->cpu.now,      &s->cpu.worst,  &s->iowait.now,
						 &s->iowait.worst, &s->memory.now, &s->memory.worst,
						 &s->load.now,     &s->load.worst};

	return values[component];
}

/* One component alone: value, points. */
static const struct {
	enum component component;
	enum profile profile;
	double value;
	int points;
} steps[] = {
	{COMPONENT_CPU_NOW, PROFILE_ML, 98, 60},
	{COMPONENT_CPU_NOW, PROFILE_ML, 97.99, 40},
	{COMPONENT_CPU_NOW, PROFILE_ML, 95, 40},
	{COMPONENT_CPU_NOW, PROFILE_ML, 94.99, 20},
	{COMPONENT_CPU_NOW, PROFILE_ML, 90, 20},
	{COMPONENT_CPU_NOW, PROFILE_ML, 89.99, 0},
	{COMPONENT_CPU_PREDICTED, PROFILE_ML, 98, 30},
	{COMPONENT_CPU_PREDICTED, PROFILE_ML, 97.99, 20},
	{COMPONENT_CPU_PREDICTED, PROFILE_ML, 94.99, 10},
	{COMPONENT_CPU_PREDICTED, PROFILE_ML, 89.99, 0},
	{COMPONENT_IOWAIT_NOW, PROFILE_ML, 30, 50},
	{COMPONENT_IOWAIT_NOW, PROFILE_ML, 29.99, 30},
	{COMPONENT_IOWAIT_NOW, PROFILE_ML, 19.99, 15},
	{COMPONENT_IOWAIT_NOW, PROFILE_ML, 9.99, 5},
	{COMPONENT_IOWAIT_NOW, PROFILE_ML, 5, 5},
	{COMPONENT_IOWAIT_NOW, PROFILE_ML, 4.99, 0},
	{COMPONENT_IOWAIT_PREDICTED, PROFILE_ML, 30, 25},
	{COMPONENT_IOWAIT_PREDICTED, PROFILE_ML, 29.99, 15},
	{COMPONENT_IOWAIT_PREDICTED, PROFILE_ML, 19.99, 8},
	{COMPONENT_IOWAIT_PREDICTED, PROFILE_ML, 9.99, 0},
	{COMPONENT_MEMORY_NOW, PROFILE_ETL, 98, 60},
	{COMPONENT_MEMORY_NOW, PROFILE_ETL, 97.99, 40},
	{COMPONENT_MEMORY_NOW, PROFILE_ETL, 94.99, 20},
	{COMPONENT_MEMORY_NOW, PROFILE_ETL, 89.99, 0},
	{COMPONENT_MEMORY_PREDICTED, PROFILE_ETL, 98, 30},
	{COMPONENT_MEMORY_PREDICTED, PROFILE_ETL, 97.99, 20},
	{COMPONENT_MEMORY_PREDICTED, PROFILE_ETL, 94.99, 0},
	{COMPONENT_MEMORY_NOW, PROFILE_DATABASE, 98, 40},
	{COMPONENT_MEMORY_NOW, PROFILE_DATABASE, 97.99, 15},
	{COMPONENT_MEMORY_NOW, PROFILE_DATABASE, 95, 15},
	{COMPONENT_MEMORY_NOW, PROFILE_DATABASE, 94.99, 0},
	{COMPONENT_MEMORY_PREDICTED, PROFILE_DATABASE, 98, 20},
	{COMPONENT_MEMORY_PREDICTED, PROFILE_DATABASE, 97.99, 0},
	{COMPONENT_CPU_NOW, PROFILE_DATABASE, 98, 60}, /* they differ only in memory */
	{COMPONENT_LOAD_NOW, PROFILE_ML, 12.01, 25},
	{COMPONENT_LOAD_NOW, PROFILE_ML, 12, 15},
	{COMPONENT_LOAD_NOW, PROFILE_ML, 8, 5},
	{COMPONENT_LOAD_NOW, PROFILE_ML, 6, 0},
	{COMPONENT_LOAD_PREDICTED, PROFILE_ML, 12.01, 12},
	{COMPONENT_LOAD_PREDICTED, PROFILE_ML, 12, 8},
	{COMPONENT_LOAD_PREDICTED, PROFILE_ML, 8, 0},
};

static void each_component_gives_its_points(void **state)
{
	size_t i;
	int c;

	(void)state;
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct server s = server_without_values(steps[i].profile);
		enum component component = steps[i].component;

		*value_of(&s, component) = steps[i].value;
		risk_score(&s);
		for (c = 0; c < COMPONENT_COUNT; c++)
			assert_int_equal(s.points[c], c == (int)component ? steps[i].points : 0);
		assert_int_equal(s.risk, steps[i].points * (component % 2 ? 3 : 7));
	}
}

static void absent_values_give_no_points(void **state)
{
	struct server s = server_without_values(PROFILE_GENERIC);

	(void)state;
	s.risk = 77;
	s.points[COMPONENT_CPU_NOW] = 9;
	risk_score(&s);
	assert_int_equal(s.risk, 0);
	assert_int_equal(s.points[COMPONENT_CPU_NOW], 0);
}

static void the_score_ends_at_100(void **state)
{
	struct server s = server_without_values(PROFILE_ML);
	int c;

	(void)state;
	for (c = 0; c < COMPONENT_COUNT; c++)
		*value_of(&s, (enum component)c) = 100;
	risk_score(&s);
	assert_int_equal(s.risk, RISK_MAX);
	*value_of(&s, COMPONENT_MEMORY_NOW) = *value_of(&s, COMPONENT_CPU_NOW) = 0;
	risk_score(&s); /* 7 * 75 + 3 * 97 */
	assert_int_equal(s.risk, 816);
}

/* The docs page prints the rules: they must be those that the score uses. */
static void printed_rules_are_the_rules(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		const struct risk_step *printed =
			risk_steps(steps[i].component, steps[i].profile == PROFILE_DATABASE);
		bool above = risk_rule(steps[i].component)->above;
		size_t k = 0;

		while (k < RISK_STEPS && printed[k].points > 0 &&
		       !(steps[i].value > printed[k].limit ||
			 (!above && steps[i].value == printed[k].limit)))
			k++;
		assert_int_equal(k < RISK_STEPS ? printed[k].points : 0, steps[i].points);
	}
}

static void activity_counts_absent_values_as_nothing(void **state)
{
	struct server s = server_without_values(PROFILE_GENERIC);

	(void)state;
	assert_true(risk_activity(&s) == 0);
	s.cpu.now = 50;
	s.memory.now = 40;
	s.iowait.now = 20;
	s.load.now = 7;
	assert_true(fabs(risk_activity(&s) - 30.7) < 1e-9);
	s.swap_now = 3;
	assert_true(fabs(risk_activity(&s) - 31.0) < 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_component_gives_its_points),
		cmocka_unit_test(absent_values_give_no_points),
		cmocka_unit_test(the_score_ends_at_100),
		cmocka_unit_test(printed_rules_are_the_rules),
		cmocka_unit_test(activity_counts_absent_values_as_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
