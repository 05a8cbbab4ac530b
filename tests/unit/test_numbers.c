/* SPDX-License-Identifier: MIT */
/* Lists of numbers: read exactly as strtod reads them, and left in place where anything is odd. */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/numbers.h"

static struct numbers numbers;

static bool take(const char *text, struct buf *rest)
{
	/* A copy of exactly this size, so that a sanitizer sees a read beyond it. */
	size_t len = strlen(text);
	char *copy = malloc(len + (len == 0));
	bool taken;

	assert_non_null(copy);
	memcpy(copy, text, len);
	taken = numbers_take((struct span){copy, len}, &numbers, rest);
	free(copy);
	return taken;
}

static void reads_as_strtod(const char *text)
{
	char object[200];
	double want = strtod(text, NULL);
	struct buf rest;

	buf_init(&rest, 200);
	(void)snprintf(object, sizeof(object), "{\"p50\":[%s]}", text);
	if (!take(object, &rest))
		fail_msg("%s was not taken", text);
	assert_int_equal(numbers.list[0].len, 1);
	if (memcmp(&numbers.list[0].value[0], &want, sizeof(want)) != 0)
		fail_msg("%s is %a, not %a", text, numbers.list[0].value[0], want);
	buf_free(&rest);
}

static void lists_are_taken_out_and_the_rest_stays(void **state)
{
	struct buf rest;

	(void)state;
	buf_init(&rest, 1000);
	assert_true(take(
		"{\"a\":{\"p50\":[1,2.5,-3e2],\"s\":\"[1,2\\\"]\"},\"b\":[ ] , \"c\":[ 7\t,\n8\r]}",
		&rest));
	assert_true(span_is(buf_span(&rest),
			    "{\"a\":{\"p50\":[0],\"s\":\"[1,2\\\"]\"},\"b\":[1] , \"c\":[2]}"));
	assert_int_equal(numbers.count, 3);
	assert_int_equal(numbers.list[0].len, 3);
	assert_true(numbers.list[0].value[0] == 1 && numbers.list[0].value[1] == 2.5 &&
		    numbers.list[0].value[2] == -300);
	assert_int_equal(numbers.list[1].len, 0);
	assert_int_equal(numbers.list[2].len, 2);
	buf_free(&rest);
}

static void what_is_no_list_of_numbers_is_left_alone(void **state)
{
	static const char *const odd[] = {
		"null",
		"1,null",
		"\"1\"",
		"true",
		"[1]",
		"{}",
		"1,",
		",1",
		"1 2",
		"NaN",
		"Infinity",
		"-Infinity",
		"-",
		"+1",
		"01",
		"-01",
		"1.",
		".5",
		"1.e5",
		"1e",
		"1e+",
		"0x10",
		"1e400",
		"-1e400",
		"'1'",
		"1;2",
		"1/2",
		"",
		"9223372036854775808",
		"1234567890123456789",
	};
	char text[100];
	struct buf rest;

	(void)state;
	buf_init(&rest, 1000);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		(void)snprintf(text, sizeof(text), "{\"a\":[1],\"b\":[%s%s]}", odd[i],
			       *odd[i] ? "" : "1}");
		if (take(text, &rest))
			fail_msg("%s was taken", text);
	}
	assert_false(take("", &rest));
	assert_false(take("[1]", &rest));
	assert_false(take("{\"a\":[1", &rest));
	assert_false(take("{'a':[1]}", &rest));
	buf_free(&rest);
}

static void a_list_may_be_longer_than_what_is_kept(void **state)
{
	struct buf text, rest;

	(void)state;
	buf_init(&text, 10000);
	buf_init(&rest, 10000);
	buf_lit(&text, "{\"a\":[0");
	for (int i = 1; i < 200; i++)
		buf_addf(&text, ",%d", i);
	buf_lit(&text, "]}");
	assert_true(numbers_take(buf_span(&text), &numbers, &rest));
	assert_int_equal(numbers.list[0].len, 200);
	assert_true(numbers.list[0].value[NUMBERS_KEPT - 1] == NUMBERS_KEPT - 1);
	buf_free(&text);
	buf_free(&rest);
}

static void no_more_lists_than_there_is_room_for(void **state)
{
	struct buf text, rest;

	(void)state;
	buf_init(&text, 10000);
	buf_init(&rest, 10000);
	buf_lit(&text, "{");
	for (int i = 0; i < NUMBERS_LISTS; i++)
		buf_addf(&text, "\"a%d\":[%d],", i, i);
	buf_lit(&text, "\"z\":0}");
	assert_true(numbers_take(buf_span(&text), &numbers, &rest));
	assert_int_equal(numbers.count, NUMBERS_LISTS);
	text.data[text.len - 2] = '[';
	buf_lit(&text, "]}");
	assert_false(numbers_take(buf_span(&text), &numbers, &rest));
	buf_free(&text);
	buf_free(&rest);
}

/* Half-way between two doubles, next to that, and at the limits of integers and fast paths. */
static void hard_numbers_read_as_strtod_reads_them(void **state)
{
	static const char *const hard[] = {
		"0",
		"0.0",
		"-0.0",
		"0.1",
		"0.3",
		"57.300000000000004",
		"99.99999999999999",
		"9007199254740991.0",
		"9007199254740992.0",
		"9007199254740993.0",
		"9007199254740993.1",
		"9007199254740992.9",
		"9007199254740995.0",
		"4503599627370496.5",
		"4503599627370497.5",
		"4503599627370497.4",
		"1125899906842624.125",
		"1125899906842624.375",
		"922337203685477580.7",
		"999999999999999999.9",
		"9.999999999999999999",
		"0.9999999999999999999",
		"0.0000000000000000001",
		"0.00000000000000000001",
		"0.1000000000000000055511151231257827021181583404541015625",
		"123456789012345678",
		"999999999999999999",
		"-999999999999999999",
		"4.27e-05",
		"1e22",
		"1e23",
		"8.98846567431158e307",
		"1.7976931348623157e308",
		"2.2250738585072011e-308",
		"5e-324",
		"1E-400",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hard) / sizeof(hard[0]); i++)
		reads_as_strtod(hard[i]);
}

/* For json-c this is an integer. */
static void minus_zero_without_a_point_is_zero(void **state)
{
	struct buf rest;

	(void)state;
	buf_init(&rest, 100);
	assert_true(take("{\"a\":[-0]}", &rest));
	assert_false(signbit(numbers.list[0].value[0]));
	buf_free(&rest);
}

static uint64_t random_bits(uint64_t seed, uint64_t i)
{
	const uint64_t bits[2] = {seed, i};

	return hash_xxh64((struct span){(const char *)bits, sizeof(bits)});
}

static void any_number_reads_as_strtod_reads_it(void **state)
{
	char text[64];

	(void)state;
	for (uint64_t i = 0; i < 100000; i++) {
		uint64_t bits = random_bits(1, i), places = bits % 20 + 1;
		uint64_t digits = random_bits(2, i) >> bits / 32 % 64;

		(void)snprintf(text, sizeof(text), "%s%" PRIu64 ".%0*" PRIu64,
			       bits >> 63 ? "-" : "", digits % 1000, (int)places, digits / 1000);
		reads_as_strtod(text);
	}
}

/* As the daemon writes them: the shortest text that reads back, for values from 0 to 1000. */
static void printed_doubles_read_back(void **state)
{
	char text[64];

	(void)state;
	for (uint64_t i = 0; i < 100000; i++) {
		double value = (double)(random_bits(3, i) >> 11) * 0x1p-53 * 1000;

		(void)snprintf(text, sizeof(text), "%.*g", (int)(15 + i % 3), value);
		reads_as_strtod(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_taken_out_and_the_rest_stays),
		cmocka_unit_test(what_is_no_list_of_numbers_is_left_alone),
		cmocka_unit_test(a_list_may_be_longer_than_what_is_kept),
		cmocka_unit_test(no_more_lists_than_there_is_room_for),
		cmocka_unit_test(minus_zero_without_a_point_is_zero),
		cmocka_unit_test(hard_numbers_read_as_strtod_reads_them),
		cmocka_unit_test(any_number_reads_as_strtod_reads_it),
		cmocka_unit_test(printed_doubles_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
