/* SPDX-License-Identifier: MIT */
/* Numbers and texts of stored forms: they read back as written, and what is cut or too long is bad. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"

/* The value, or -1 if it is bad. A sanitizer sees a read beyond the bytes. */
static int64_t varint_of(const char *bytes, size_t len)
{
	char *copy = malloc(len ? len : 1);
	struct bytes_reader r = {.rest = {copy, len}};
	int64_t value;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	value = bytes_get_varint(&r);
	free(copy);
	return r.bad ? -1 : value;
}

static void test_integers_read_back_as_written(void **state)
{
	static const int64_t values[] = {0,
					 1,
					 -1,
					 63,
					 64,
					 -64,
					 -65,
					 127,
					 128,
					 8191,
					 8192,
					 INT64_C(1) << 48,
					 -(INT64_C(1) << 48),
					 (INT64_C(1) << 61) - 1};
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct bytes_reader r;

		buf_reset(&out);
		bytes_put_varint(&out, values[i]);
		r = (struct bytes_reader){.rest = buf_span(&out)};
		assert_true(bytes_get_varint(&r) == values[i]);
		assert_false(r.bad);
		assert_int_equal(r.rest.len, 0);
		for (size_t len = 0; len < out.len; len++)
			assert_int_equal(varint_of(out.data, len), -1);
	}
	buf_free(&out);
}

static void test_an_integer_has_nine_bytes_at_most(void **state)
{
	static const char longest[] = "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01";

	(void)state;
	assert_int_equal(varint_of(longest + 1, 9), INT64_C(1) << 55);
	assert_int_equal(varint_of(longest, 10), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers_read_back_as_written),
		cmocka_unit_test(test_an_integer_has_nine_bytes_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
