/* SPDX-License-Identifier: MIT */
/* What an Alertmanager is asked to silence: whatever stands in a name, it means itself. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fleet/silencing.h"

#define FROM_MS  INT64_C(1764000000000)
#define UNTIL_MS INT64_C(1764003600500)

static struct buf out;

static int open_out(void **state)
{
	(void)state;
	buf_init(&out, 8192);
	return 0;
}

static int close_out(void **state)
{
	(void)state;
	buf_free(&out);
	return 0;
}

static void expect(const struct silencing *s, const char *matchers)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
		       "{\"matchers\":[{\"name\":\"fleet\",\"value\":\"north\",\"isRegex\":false,"
		       "\"isEqual\":true}%s],\"startsAt\":\"2025-11-24T16:00:00.000Z\","
		       "\"endsAt\":\"2025-11-24T17:00:00.500Z\",\"createdBy\":\"ann\","
		       "\"comment\":\"disk \\\"swap\\\"\"}",
		       matchers);
	buf_reset(&out);
	silencing_json(s, &out);
	assert_true(buf_ok(&out));
	buf_char(&out, '\0');
	assert_string_equal(out.data, text);
}

static const struct silencing base = {.fleet = SPAN("north"),
				      .author = SPAN("ann"),
				      .comment = SPAN("disk \"swap\""),
				      .from_ms = FROM_MS,
				      .until_ms = UNTIL_MS};

#define EQUAL(label, value)                                                                        \
	",{\"name\":\"" label "\",\"value\":\"" value "\",\"isRegex\":false,\"isEqual\":true}"
#define MATCHES(value)                                                                             \
	",{\"name\":\"server\",\"value\":\"" value "\",\"isRegex\":true,\"isEqual\":true}"

static void test_a_server_is_meant_exactly(void **state)
{
	static const struct {
		struct span name;
		const char *value;
	} rows[] = {
		{SPAN("ppweb001"), "ppweb001"},           {SPAN(".*"), ".*"},
		{SPAN("a\"b\\c{d}"), "a\\\"b\\\\c{d}"},   {SPAN("two\nlines"), "two\\u000alines"},
		{SPAN("m\xc3\xbcller"), "m\xc3\xbcller"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct silencing s = base;
		char matcher[256];

		s.server = rows[i].name;
		(void)snprintf(matcher, sizeof(matcher), EQUAL("server", "%s"), rows[i].value);
		expect(&s, matcher);
	}
}

static void test_a_part_of_a_name_is_no_expression(void **state)
{
	struct silencing s = base;

	(void)state;
	s.contains = SPAN("web");
	expect(&s, MATCHES("(?s).*[wW][eE][bB].*"));
	s.contains = SPAN("\\.+*?()|[]{}^$");
	expect(&s, MATCHES("(?s).*\\\\\\\\\\\\.\\\\+\\\\*\\\\?\\\\(\\\\)\\\\|\\\\[\\\\]\\\\{\\\\}"
			   "\\\\^\\\\$.*"));
	s.contains = SPAN("1-\xc3\xbc \"#");
	expect(&s, MATCHES("(?s).*1-\xc3\xbc \\\"#.*"));
}

static void test_a_profile_alone_and_with_a_part_of_a_name(void **state)
{
	struct silencing s = base;

	(void)state;
	s.profile = "db";
	expect(&s, EQUAL("profile", "db"));
	s.contains = SPAN("0");
	expect(&s, EQUAL("profile", "db") MATCHES("(?s).*0.*"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_server_is_meant_exactly),
		cmocka_unit_test(test_a_part_of_a_name_is_no_expression),
		cmocka_unit_test(test_a_profile_alone_and_with_a_part_of_a_name),
	};

	return cmocka_run_group_tests(tests, open_out, close_out);
}
