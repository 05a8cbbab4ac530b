/* SPDX-License-Identifier: MIT */
/* The bytes a client of the API gets. */
#include "config.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guard.h"
#include "base/json.h"

#define BAD "\xef\xbf\xbd"

static void assert_content(struct buf *b, const char *expected)
{
	buf_char(b, '\0');
	assert_true(buf_ok(b));
	assert_string_equal(b->data, expected);
	buf_free(b);
}

static void test_scopes_and_commas(void **state)
{
	struct buf b;
	struct json j;

	(void)state;
	buf_init(&b, 1000);
	json_init(&j, &b);
	json_object(&j, NULL);
	json_num(&j, "risk", 80.0);
	json_array(&j, "empty");
	json_end(&j);
	json_array(&j, "servers");
	json_object(&j, NULL);
	json_cstr(&j, "name", "a");
	json_cstr(&j, "none", NULL);
	json_end(&j);
	json_object(&j, NULL);
	json_end(&j);
	json_null(&j, NULL);
	json_bool(&j, NULL, true);
	json_bool(&j, NULL, false);
	json_end(&j);
	json_int(&j, "least", INT64_MIN);
	json_end(&j);
	assert_content(&b, "{\"risk\":80,\"empty\":[],\"servers\":[{\"name\":\"a\",\"none\":null},{"
			   "},null,true,false],"
			   "\"least\":-9223372036854775808}");
}

static void test_a_value_alone(void **state)
{
	struct buf b;
	struct json j;

	(void)state;
	buf_init(&b, 100);
	json_init(&j, &b);
	json_str(&j, NULL, SPAN("x"));
	assert_content(&b, "\"x\"");
}

static void test_resumes_after_stored_members(void **state)
{
	struct buf b;
	struct json j;

	(void)state;
	buf_init(&b, 100);
	buf_lit(&b, "{\"stored\":1");
	json_resume(&j, &b);
	json_bool(&j, "live", true);
	json_object(&j, "detail");
	json_int(&j, "age", 3);
	json_end(&j);
	buf_char(&b, '}');
	assert_content(&b, "{\"stored\":1,\"live\":true,\"detail\":{\"age\":3}}");
}

static void test_fifteen_scopes_may_be_open(void **state)
{
	struct buf b;
	struct json j;

	(void)state;
	buf_init(&b, 100);
	json_init(&j, &b);
	for (int i = 0; i < 15; i++)
		json_array(&j, NULL);
	for (int i = 0; i < 15; i++)
		json_end(&j);
	assert_content(&b, "[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]");
}

static void test_strings(void **state)
{
	static const struct {
		struct span in;
		const char *out;
	} rows[] = {
		{{NULL, 0}, "\"\""},
		{{"ppdb001", 7}, "\"ppdb001\""},
		{{"a\"b\\c/d", 7}, "\"a\\\"b\\\\c/d\""},
		{{"</script>", 9}, "\"\\u003c/script\\u003e\""},
		{{"R&D'", 4}, "\"R\\u0026D'\""},
		{{"\0\t\r\n\x1f\x7f", 6}, "\"\\u0000\\u0009\\u000d\\u000a\\u001f\\u007f\""},
		{{"\xe2\x80\xa8\xe2\x80\xa9", 6}, "\"\\u2028\\u2029\""},
		{{"a\xe2\x80\xae"
		  "b",
		  5},
		 "\"a\\u202eb\""},
		{{"\xef\xbf\xbf", 3}, "\"\\uffff\""},
		{{"\xc3\xbc\xf0\x9f\x94\xa5", 6}, "\"\xc3\xbc\xf0\x9f\x94\xa5\""},
		{{"a\xff"
		  "b",
		  3},
		 "\"a" BAD "b\""},
		{{"\xc0\xa2", 2}, "\"" BAD BAD "\""}, /* overlong quote */
		{{"\xed\xa0\x80", 3}, "\"" BAD BAD BAD "\""},
		{{"\xc3\"", 2}, "\"" BAD "\\\"\""},
		{{"a\xf0\x9f\x94", 4}, "\"a" BAD BAD BAD "\""},
		{{"%s%n{{x}}", 9}, "\"%s%n{{x}}\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span in = guard_copy(rows[i].in);
		struct buf b;
		struct json j;

		buf_init(&b, 1000);
		json_init(&j, &b);
		json_str(&j, NULL, in);
		assert_content(&b, rows[i].out);
		guard_free(in);
	}
}

static void test_numbers(void **state)
{
	static const struct {
		double in;
		const char *out;
	} rows[] = {
		{0.0, "0"},
		{-0.0, "0"},
		{80.0, "80"},
		{-3.0, "-3"},
		{0.1, "0.1"},
		{0.1 + 0.2, "0.30000000000000004"},
		{1.0 / 3.0, "0.3333333333333333"},
		{-12.34, "-12.34"},
		{1e15, "1000000000000000"},
		{9007199254740991.0, "9007199254740991"},
		{9007199254740992.0, "9007199254740992"},
		{1e16, "1e+16"},
		{1e21, "1e+21"},
		{1e-7, "1e-07"},
		{5e-324, "4.94065645841247e-324"},
		{DBL_MAX, "1.7976931348623157e+308"},
		{NAN, "null"},
		{INFINITY, "null"},
		{-INFINITY, "null"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b;
		struct json j;

		buf_init(&b, 100);
		json_init(&j, &b);
		json_num(&j, NULL, rows[i].in);
		assert_content(&b, rows[i].out);
		if (isfinite(rows[i].in))
			assert_true(strtod(rows[i].out, NULL) == rows[i].in);
	}
}

static void test_tenths_always_have_one_decimal(void **state)
{
	static const struct {
		int in;
		const char *out;
	} rows[] = {{0, "0.0"},      {7, "0.7"},   {471, "47.1"},  {800, "80.0"},
		    {1000, "100.0"}, {-5, "-0.5"}, {-123, "-12.3"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b;
		struct json j;

		buf_init(&b, 100);
		json_init(&j, &b);
		json_tenths(&j, NULL, rows[i].in);
		assert_content(&b, rows[i].out);
	}
}

static void test_ceiling_is_left_to_the_buffer(void **state)
{
	struct buf b;
	struct json j;

	(void)state;
	buf_init(&b, 10);
	json_init(&j, &b);
	json_object(&j, NULL);
	json_cstr(&j, "name", "too long for ten bytes");
	json_end(&j);
	assert_false(buf_ok(&b));
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scopes_and_commas),
		cmocka_unit_test(test_a_value_alone),
		cmocka_unit_test(test_resumes_after_stored_members),
		cmocka_unit_test(test_fifteen_scopes_may_be_open),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_tenths_always_have_one_decimal),
		cmocka_unit_test(test_ceiling_is_left_to_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
