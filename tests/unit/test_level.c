/* SPDX-License-Identifier: MIT */
/* Levels, profiles, status and marks at every edge of doc/rules.md#profile to
 * doc/rules.md#marks. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fleet/level.h"
#include "fleet/metric.h"

static void levels_begin_at_their_bounds(void **state)
{
	static const struct {
		int risk;
		const char *name;
	} cases[] = {
		{1000, "Imminent Failure"},
		{900, "Imminent Failure"},
		{899, "Critical"},
		{800, "Critical"},
		{799, "Danger"},
		{700, "Danger"},
		{699, "Warning"},
		{600, "Warning"},
		{599, "Degrading"},
		{500, "Degrading"},
		{499, "Watch"},
		{300, "Watch"},
		{299, "Healthy"},
		{0, "Healthy"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(level_table[level_of(cases[i].risk)].name, cases[i].name);
}

static void longest_prefix_of_the_lowered_name_gives_the_profile(void **state)
{
	static const struct {
		const char *name, *profile;
	} cases[] = {
		{"ppml0001", "ML Compute"},
		{"PPML0002", "ML Compute"},
		{"ppgpu1", "ML Compute"},
		{"ppdb001", "Database"},
		{"PpDb", "Database"},
		{"ppweb001", "Web API"},
		{"ppapi001", "Web API"},
		{"ppcon01", "Conductor Mgmt"},
		{"ppcond01", "Conductor Mgmt"},
		{"ppetl001", "ETL/Ingest"},
		{"ppdi001", "ETL/Ingest"},
		{"ppkafka01", "ETL/Ingest"},
		{"pprisk001", "Risk Analytics"},
		{"ppra001", "Risk Analytics"},
		{"ppgen001", "Generic"},
		{"ppsrv001", "Generic"},
		{"db-ppdb9", "Generic"},
		{"ppd", "Generic"},
		{"", "Generic"},
		{"x", "Generic"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(profile_table[profile_of(span_str(cases[i].name))].name,
				    cases[i].profile);
}

static void fleet_status_compares_shares_strictly(void **state)
{
	static const struct {
		unsigned total, c, u, d;
		const char *status;
	} cases[] = {
		{0, 0, 0, 0, "Unknown"},
		{1, 0, 0, 0, "Healthy"},
		{10, 3, 3, 3, "Warning"},
		{10, 4, 4, 4, "Critical"}, /* c = 30 % is not above 30 % */
		{10, 0, 5, 5, "Warning"},
		{10, 0, 6, 6, "Critical"}, /* u = 50 % */
		{10, 1, 1, 1, "Healthy"},
		{10, 2, 2, 2, "Warning"}, /* c = 10 % */
		{10, 0, 3, 3, "Caution"},
		{10, 0, 4, 4, "Warning"}, /* u = 30 % */
		{10, 0, 0, 1, "Healthy"},
		{10, 0, 0, 2, "Caution"}, /* d = 10 % */
		{10, 0, 0, 10, "Caution"},
		{90, 6, 10, 20, "Caution"},
		{4294967295u, 0, 0, 429496729u, "Healthy"},
		{4294967295u, 0, 0, 429496730u, "Caution"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const unsigned or_worse[LEVEL_COUNT] = {[LEVEL_CRITICAL] = cases[i].c,
							[LEVEL_WARNING] = cases[i].u,
							[LEVEL_DEGRADING] = cases[i].d};
		enum status status = status_of_fleet(cases[i].total, or_worse);

		assert_string_equal(status_table[status].name, cases[i].status);
	}
}

static void prediction_card_takes_the_worse_of_both_values(void **state)
{
	static const struct {
		double prob_30m, prob_8h;
		const char *card;
	} cases[] = {
		{0.70, 0.85, "WARNING"}, {0.71, 0, "CRITICAL"}, {0, 0.86, "CRITICAL"},
		{0.40, 0.60, "CAUTION"}, {0.41, 0, "WARNING"},  {0, 0.61, "WARNING"},
		{0.20, 0.40, "HEALTHY"}, {0.21, 0, "CAUTION"},  {0, 0.41, "CAUTION"},
		{0, 0, "HEALTHY"},       {1, 1, "CRITICAL"},    {NAN, 1, "UNKNOWN"},
		{1, NAN, "UNKNOWN"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(
			status_table[status_of_index(cases[i].prob_30m, cases[i].prob_8h)].capital,
			cases[i].card);
}

static void marks_change_at_their_limits(void **state)
{
	static const struct {
		enum mark_kind kind;
		double yellow, orange, red; /* the lowest value of each; NAN: never */
		double under;               /* how much less a value just below a limit is */
	} cases[] = {
		{MARK_KIND_CPU, 90, 95, 98, 1e-9},
		{MARK_KIND_IOWAIT, 10, 20, 30, 1e-9},
		{MARK_KIND_MEMORY, 90, 95, 98, 1e-9},
		{MARK_KIND_MEMORY_DB, 95, 98, NAN, 1e-9},
		{MARK_KIND_SWAP, 10, 30, 50, 1e-9},
		{MARK_KIND_LOAD, 6 + 1e-9, 8 + 1e-9, 12 + 1e-9, 1e-9}, /* strictly above */
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum mark_kind kind = cases[i].kind;

		assert_int_equal(mark_of(kind, NAN), MARK_NONE);
		assert_int_equal(mark_of(kind, 0), MARK_NONE);
		assert_int_equal(mark_of(kind, cases[i].yellow - cases[i].under), MARK_NONE);
		assert_int_equal(mark_of(kind, cases[i].yellow), MARK_YELLOW);
		assert_int_equal(mark_of(kind, cases[i].orange - cases[i].under), MARK_YELLOW);
		assert_int_equal(mark_of(kind, cases[i].orange), MARK_ORANGE);
		if (isnan(cases[i].red)) {
			assert_int_equal(mark_of(kind, 100), MARK_ORANGE);
			continue;
		}
		assert_int_equal(mark_of(kind, cases[i].red - cases[i].under), MARK_ORANGE);
		assert_int_equal(mark_of(kind, cases[i].red), MARK_RED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_begin_at_their_bounds),
		cmocka_unit_test(longest_prefix_of_the_lowered_name_gives_the_profile),
		cmocka_unit_test(fleet_status_compares_shares_strictly),
		cmocka_unit_test(prediction_card_takes_the_worse_of_both_values),
		cmocka_unit_test(marks_change_at_their_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
