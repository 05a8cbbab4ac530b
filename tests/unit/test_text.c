/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"

static void decimals_are_whole_and_fit(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
	} cases[] = {
		{"0", 0},
		{"007", 7},
		{"999999999999999999", INT64_C(999999999999999999)},
		{"1000000000000000000", TEXT_DECIMAL_MAX},
		{"99999999999999999999999", TEXT_DECIMAL_MAX},
		{"00000000000000000000000000017", 17},
		{"", -1},
		{"-1", -1},
		{"+1", -1},
		{" 1", -1},
		{"1 ", -1},
		{"1.0", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(text_decimal(span_str(cases[i].text)), cases[i].value);
}

static void digits_are_cut_off_the_beginning(void **state)
{
	struct span rest = SPAN("12 ms"), none = SPAN("ms");

	(void)state;
	assert_int_equal(text_take_decimal(&rest), 12);
	assert_true(span_is(rest, " ms"));
	assert_int_equal(text_take_decimal(&none), -1);
	assert_true(span_is(none, "ms"));
}

static void pieces_are_cut_at_the_mark(void **state)
{
	struct span rest = SPAN("a=b=c");

	(void)state;
	assert_true(span_is(text_cut(&rest, '='), "a"));
	assert_true(span_is(text_cut(&rest, '='), "b"));
	assert_true(span_is(text_cut(&rest, '='), "c"));
	assert_int_equal(rest.len, 0);
	assert_int_equal(text_cut(&rest, '=').len, 0);
}

static void percent_sequences_are_decoded_or_taken_as_they_are(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{"%41%2f", "A/"},
		{"%4", "%4"},
		{"%zz", "%zz"},
		{"%2F%", "/%"},
		{"a+b", "a+b"},
		/* The first and the last of the digits, and their neighbours. */
		{"%30%39", "09"},
		{"%6A%6a", "jj"},
		{"%6F%6f", "oo"},
		{"%4/", "%4/"},
		{"%4:", "%4:"},
		{"%4@", "%4@"},
		{"%4G", "%4G"},
		{"%4`", "%4`"},
		{"%4g", "%4g"},
		{"%g4", "%g4"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span rest = span_str(cases[i].from);
		char text[8] = "";
		size_t n = 0;

		while (rest.len)
			text[n++] = text_take_encoded(&rest);
		assert_string_equal(text, cases[i].to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decimals_are_whole_and_fit),
		cmocka_unit_test(digits_are_cut_off_the_beginning),
		cmocka_unit_test(pieces_are_cut_at_the_mark),
		cmocka_unit_test(percent_sequences_are_decoded_or_taken_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
