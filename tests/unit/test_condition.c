/* SPDX-License-Identifier: MIT */
/* Reasons, age classes and the condition of the API. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fleet/condition.h"

static const struct age_limits limits = {
	.interval_ms = 30000, .act_limit_ms = 600000, .max_stale_ms = 3600000};

static void age_classes_change_at_their_limits(void **state)
{
	static const struct {
		int64_t age_ms, fill_ms;
		enum age_class age;
	} cases[] = {
		{-5000, 0, AGE_LIVE},
		{0, 0, AGE_LIVE},
		{36000, 0, AGE_LIVE},
		{36001, 0, AGE_UPDATING}, /* 1.2 intervals */
		{40000, 8000, AGE_LIVE},
		{40001, 8000, AGE_UPDATING}, /* interval + fill + 2 s */
		{36000, 3900, AGE_LIVE},
		{36001, 3900, AGE_UPDATING}, /* whichever is larger */
		{60000, 0, AGE_UPDATING},
		{60001, 0, AGE_STALE},
		{599999, 0, AGE_STALE},
		{600000, 0, AGE_VERY_STALE},
		{3599999, 0, AGE_VERY_STALE},
		{3600000, 0, AGE_NO_DATA},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(condition_age(&limits, cases[i].age_ms, cases[i].fill_ms),
				 cases[i].age);
}

static void what_an_answer_says_of_its_age_holds_so_long(void **state)
{
	static const struct {
		struct age_limits limits;
		enum age_class age;
		int64_t fill_ms, until_ms;
	} cases[] = {
		{{30000, 600000, 3600000}, AGE_LIVE, 0, 60000},
		{{30000, 600000, 3600000}, AGE_UPDATING, 0, 60000},
		{{30000, 600000, 3600000}, AGE_LIVE, 40000, 72000},
		{{30000, 600000, 3600000}, AGE_STALE, 0, 600000},
		{{30000, 600000, 3600000}, AGE_VERY_STALE, 0, 3600000},
		{{300000, 60000, 60000}, AGE_LIVE, 0, 60000},
		{{30000, 60000, 60000}, AGE_STALE, 0, 60000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(condition_until(&cases[i].limits, cases[i].age, cases[i].fill_ms),
				 cases[i].until_ms);
}

static void every_reason_has_its_own_slug_and_a_code(void **state)
{
	int a, b;

	(void)state;
	for (a = 0; a < REASON_COUNT; a++) {
		assert_int_equal(reason_find(span_str(reason_table[a].slug)), a);
		assert_true(reason_table[a].text[0] != '\0');
		assert_true(reason_table[a].code < CONDITION_NO_DATA);
		assert_int_equal(reason_table[a].code == CONDITION_OK, a == REASON_NONE);
		for (b = 0; b < a; b++)
			assert_string_not_equal(reason_table[a].text, reason_table[b].text);
	}
	assert_int_equal(reason_find(SPAN("from-a-newer-version")), REASON_INTERNAL);
	assert_int_equal(reason_find(SPAN("")), REASON_INTERNAL);
}

static void a_page_goes_out_unchanged_only_when_there_is_nothing_to_tell(void **state)
{
	(void)state;
	assert_true(condition_is_plain(&(struct condition){.age = AGE_LIVE}));
	assert_true(condition_is_plain(&(struct condition){.age = AGE_UPDATING}));
	assert_false(condition_is_plain(&(struct condition){.age = AGE_STALE}));
	assert_false(
		condition_is_plain(&(struct condition){.age = AGE_LIVE, .reason = REASON_WARMING}));
	assert_false(
		condition_is_plain(&(struct condition){.age = AGE_LIVE, .reason = REASON_KEY}));
	assert_false(condition_is_plain(&(struct condition){.age = AGE_LIVE, .cache_off = true}));
	assert_false(condition_is_plain(&(struct condition){.age = AGE_LIVE, .flushed = true}));
}

static void the_code_tells_the_last_answer_unless_all_data_are_gone(void **state)
{
	static const struct {
		enum age_class age;
		enum reason reason;
		const char *name;
	} cases[] = {
		{AGE_LIVE, REASON_NONE, "ok"},
		{AGE_STALE, REASON_NONE, "ok"},
		{AGE_STALE, REASON_CONNECT, "upstream-error"},
		{AGE_STALE, REASON_REPORTED, "upstream-error"},
		{AGE_VERY_STALE, REASON_KEY, "refused"},
		{AGE_UPDATING, REASON_LIMIT, "rate-limited"},
		{AGE_STALE, REASON_TOO_LARGE, "bad-answer"},
		{AGE_STALE, REASON_WARMING, "warming"},
		{AGE_NO_DATA, REASON_NONE, "no-data"},
		{AGE_NO_DATA, REASON_TIMEOUT, "no-data"},
		{AGE_NO_DATA, REASON_WARMING, "warming"}, /* an answer: the warm-up page shows it */
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct condition c = {.age = cases[i].age, .reason = cases[i].reason};

		assert_string_equal(condition_names[condition_code(&c)], cases[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(age_classes_change_at_their_limits),
		cmocka_unit_test(what_an_answer_says_of_its_age_holds_so_long),
		cmocka_unit_test(every_reason_has_its_own_slug_and_a_code),
		cmocka_unit_test(a_page_goes_out_unchanged_only_when_there_is_nothing_to_tell),
		cmocka_unit_test(the_code_tells_the_last_answer_unless_all_data_are_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
