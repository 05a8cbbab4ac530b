/* SPDX-License-Identifier: MIT */
/* Ceiling, sticky error, and memory that runs out: buf.c is compiled in with a realloc that fails
 * on request. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

static bool memory_is_out;

static void *scarce_realloc(void *old, size_t size)
{
	return memory_is_out ? NULL : realloc(old, size);
}

#define realloc scarce_realloc
#include "../../src/base/buf.c"
#undef realloc

#include <cmocka.h>

static void assert_content(const struct buf *b, const char *expected)
{
	assert_true(buf_ok(b));
	assert_int_equal(b->len, strlen(expected));
	assert_memory_equal(b->data, expected, b->len);
}

static void test_appends_in_order(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_true(buf_ok(&b));
	assert_int_equal(buf_span(&b).len, 0);
	buf_add(&b, NULL, 0);
	buf_lit(&b, "one ");
	buf_span_add(&b, SPAN("two "));
	buf_span_add(&b, (struct span){NULL, 0});
	buf_char(&b, '3');
	buf_addf(&b, " %s %d", "four", 5);
	assert_content(&b, "one two 3 four 5");
	buf_free(&b);
}

static void test_grows_over_many_sizes(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100000);
	for (int i = 0; i < 100000; i++)
		buf_char(&b, (char)('a' + i % 26));
	assert_true(buf_ok(&b));
	assert_int_equal(b.len, 100000);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(b.data[i], 'a' + i % 26);
	buf_free(&b);
}

static void test_ceiling_is_reached_but_not_passed(void **state)
{
	static const size_t ceilings[] = {0, 1, 255, 256, 257, 4096};

	(void)state;
	for (size_t i = 0; i < sizeof(ceilings) / sizeof(ceilings[0]); i++) {
		struct buf b;

		buf_init(&b, ceilings[i]);
		for (size_t n = 0; n < ceilings[i]; n++)
			buf_char(&b, 'x');
		assert_true(buf_ok(&b));
		assert_int_equal(b.len, ceilings[i]);
		buf_char(&b, 'x');
		assert_false(buf_ok(&b));
		assert_int_equal(b.len, 0);
		buf_free(&b);
	}
}

static void test_error_sticks_until_reset(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_lit(&b, "abcde");
	buf_char(&b, 'a');
	buf_addf(&b, "%d", 1);
	buf_lit(&b, "");
	assert_null(buf_reserve(&b, 1));
	buf_grew(&b, 1);
	assert_false(buf_ok(&b));
	assert_int_equal(b.len, 0);
	buf_reset(&b);
	buf_lit(&b, "abcd");
	assert_content(&b, "abcd");
	buf_free(&b);
	buf_lit(&b, "abcde");
	assert_false(buf_ok(&b)); /* the ceiling outlives buf_free */
	buf_free(&b);
}

static void test_length_that_would_overflow_fails(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	buf_lit(&b, "x");
	assert_null(buf_reserve(&b, SIZE_MAX));
	assert_false(buf_ok(&b));
	buf_free(&b);
}

static void test_formatted_text_longer_than_1023_fails_whole(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10000);
	buf_addf(&b, "%1023s", "x");
	assert_true(buf_ok(&b));
	assert_int_equal(b.len, 1023);
	buf_addf(&b, "%1024s", "x");
	assert_false(buf_ok(&b));
	buf_free(&b);
}

static void test_short_formatted_text_fits_below_a_small_ceiling(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 3);
	buf_addf(&b, "%d", 123);
	assert_content(&b, "123");
	buf_free(&b);
}

static void test_reserved_room_is_claimed_in_parts(void **state)
{
	struct buf b;
	char *room;

	(void)state;
	buf_init(&b, 1000);
	buf_lit(&b, "ab");
	room = buf_reserve(&b, 998);
	assert_non_null(room);
	memset(room, 'z', 998);
	buf_grew(&b, 3);
	assert_content(&b, "abzzz");
	buf_free(&b);
}

static void test_numbers_are_decimal(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 64);
	buf_int(&b, INT64_MIN);
	buf_int(&b, 0);
	buf_int(&b, -10);
	buf_int(&b, INT64_MAX);
	assert_content(&b, "-92233720368547758080-109223372036854775807");
	buf_free(&b);
}

static void test_no_memory_is_an_ordinary_failure(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	buf_lit(&b, "kept until memory ends");
	memory_is_out = true;
	for (int i = 0; i < 1000; i++)
		buf_char(&b, 'x');
	memory_is_out = false;
	assert_false(buf_ok(&b));
	assert_int_equal(b.len, 0);
	buf_lit(&b, "x");
	assert_false(buf_ok(&b));
	buf_reset(&b);
	buf_lit(&b, "again");
	assert_content(&b, "again");
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_appends_in_order),
		cmocka_unit_test(test_grows_over_many_sizes),
		cmocka_unit_test(test_ceiling_is_reached_but_not_passed),
		cmocka_unit_test(test_error_sticks_until_reset),
		cmocka_unit_test(test_length_that_would_overflow_fails),
		cmocka_unit_test(test_formatted_text_longer_than_1023_fails_whole),
		cmocka_unit_test(test_short_formatted_text_fits_below_a_small_ceiling),
		cmocka_unit_test(test_reserved_room_is_claimed_in_parts),
		cmocka_unit_test(test_numbers_are_decimal),
		cmocka_unit_test(test_no_memory_is_an_ordinary_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
