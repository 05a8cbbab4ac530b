/* SPDX-License-Identifier: MIT */
/* Numbers and times as the pages show them (doc/rules.md#conventions). */
#include "config.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/fmt.h"

#define ABSENT "\xe2\x80\x93"

static struct buf out;

static void assert_text(const char *expected)
{
	buf_char(&out, '\0');
	assert_true(buf_ok(&out));
	assert_string_equal(out.data, expected);
	buf_reset(&out);
}

static void test_numbers(void **state)
{
	static const struct {
		double in;
		int decimals;
		const char *number, *percent;
	} rows[] = {
		{57.26, 1, "57.3", "57.3%"},
		{13.9, 2, "13.90", "13.9%"},
		{100, 0, "100", "100.0%"},
		{0.25, 1, "0.2", "0.2%"}, /* printf rounds an exact half to even */
		{0.0, 1, "0.0", "0.0%"},
		{-0.0, 1, "0.0", "0.0%"},
		{-0.04, 1, "0.0", "0.0%"},
		{-0.5, 0, "0", "-0.5%"},
		{-1.26, 1, "-1.3", "-1.3%"},
		{NAN, 1, ABSENT, ABSENT},
		{INFINITY, 1, ABSENT, ABSENT},
		{-INFINITY, 1, ABSENT, ABSENT},
		/* Values that no metric can have. */
		{1e15, 1, ABSENT, ABSENT},
		{-DBL_MAX, 6, ABSENT, ABSENT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fmt_number(&out, rows[i].in, rows[i].decimals);
		assert_text(rows[i].number);
		fmt_percent(&out, rows[i].in);
		assert_text(rows[i].percent);
	}
	fmt_number(&out, -999999999999999.0, 6);
	assert_text("-999999999999999.000000");
}

static void test_scales(void **state)
{
	static const struct {
		double in;
		const char *out;
	} rows[] = {{7.5, "7.5"}, {8, "8"}, {0.25, "0.2"}, {10, "10"}, {10.5, "10"}, {250, "250"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fmt_scale(&out, rows[i].in);
		assert_text(rows[i].out);
	}
}

static void test_deltas(void **state)
{
	static const struct {
		double in;
		const char *unit, *out;
	} rows[] = {
		{2.34, "%", "+2.3%"},  {-1.0, "%", "-1.0%"}, {-1.0, "", "-1.0"},
		{0.0, "%", "0.0%"},    {-0.0, "", "0.0"},    {0.0499, "", "0.0"},
		{-0.0499, "", "0.0"},  {0.05, "", "+0.1"},   {-0.05, "", "-0.1"},
		{100, "%", "+100.0%"}, {NAN, "%", ABSENT},   {-DBL_MAX, "%", ABSENT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fmt_delta(&out, rows[i].in, rows[i].unit);
		assert_text(rows[i].out);
	}
}

static void test_tenths(void **state)
{
	(void)state;
	fmt_tenths(&out, 800);
	assert_text("80.0");
	fmt_tenths(&out, 1000);
	assert_text("100.0");
	fmt_tenths(&out, 9);
	assert_text("0.9");
}

static void test_money(void **state)
{
	static const struct {
		double in;
		const char *out;
	} rows[] = {
		{0, "$0"},
		{-0.4, "$0"},
		{999, "$999"},
		{999.5, "$1,000"},
		{1000, "$1,000"},
		{12345, "$12,345"},
		{1264375, "$1,264,375"},
		{-1234, "-$1,234"},
		{-123, "-$123"},
		{1e12, "$1,000,000,000,000"},
		{NAN, ABSENT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fmt_money(&out, rows[i].in);
		assert_text(rows[i].out);
	}
}

static void test_times(void **state)
{
	static const struct {
		int64_t ms;
		const char *time, *iso, *seconds;
	} rows[] = {
		{0, "00:00:00 UTC", "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z"},
		{-1, "23:59:59 UTC", "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59Z"},
		{1795437065123, "12:31:05 UTC", "2026-11-23T12:31:05.123Z", "2026-11-23T12:31:05Z"},
		{1709164799999, "23:59:59 UTC", "2024-02-28T23:59:59.999Z", "2024-02-28T23:59:59Z"},
		{1709164800000, "00:00:00 UTC", "2024-02-29T00:00:00.000Z", "2024-02-29T00:00:00Z"},
	};

	(void)state;
	setenv("TZ", "Asia/Kathmandu", 1); /* the host's time zone has no influence */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fmt_time(&out, rows[i].ms);
		assert_text(rows[i].time);
		fmt_iso(&out, rows[i].ms);
		assert_text(rows[i].iso);
		fmt_iso_seconds(&out, rows[i].ms);
		assert_text(rows[i].seconds);
	}
	fmt_time_before(&out, 1709164799999, 1709164799999 + 86399999);
	assert_text("23:59:59 UTC");
	fmt_time_before(&out, 1709164799999, 1709164799999 + 86400000);
	assert_text("2024-02-28 23:59:59 UTC");
	fmt_time_element(&out, 1795437065123);
	assert_text("<time datetime=\"2026-11-23T12:31:05Z\">12:31:05 UTC</time>");
	fmt_iso(&out, INT64_MAX);
	fmt_iso(&out, INT64_MIN);
	assert_true(buf_ok(&out));
	buf_reset(&out);
}

static int setup(void **state)
{
	(void)state;
	buf_init(&out, 4096);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_free(&out);
	return 0;
}

static void test_durations(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{0, "0 s"},
		{999, "0 s"},
		{59999, "59 s"},
		{60000, "1 min"},
		{3599999, "59 min"},
		{3600000, "1 h 0 min"},
		{86399999, "23 h 59 min"},
		{86400000, "1 d 0 h"},
		{90000000, "1 d 1 h"},
		{INT64_C(25) * 86400000 + 82800000, "25 d 23 h"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fmt_duration(&out, rows[i].ms);
		assert_text(rows[i].text);
	}
}

static void test_dates(void **state)
{
	(void)state;
	fmt_date(&out, 1763899265123);
	assert_text("23 November 2025");
	fmt_date(&out, 0);
	assert_text("1 January 1970");
	fmt_date(&out, -1);
	assert_text("31 December 1969");
	fmt_minute(&out, 1763899265123);
	assert_text("12:01");
	fmt_day_element(&out, 1763899265123);
	assert_text("<time datetime=\"2025-11-23T12:01:05Z\">2025-11-23 12:01:05 UTC</time>");
	fmt_asked(&out, 1763899265123);
	assert_text(" (asked at <time datetime=\"2025-11-23T12:01:05Z\">12:01:05 UTC</time>)");
	fmt_asked(&out, 0);
	assert_text("");
	assert_string_equal(fmt_plural(0), "s");
	assert_string_equal(fmt_plural(1), "");
	assert_string_equal(fmt_plural(2), "s");
}

static void test_changes_have_an_arrow_unless_they_are_printed_as_none(void **state)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {{0.05, "↑ +0.1%"},  {0.049, "0.0%"},  {0, "0.0%"},
		    {-0.05, "↓ -0.1%"}, {-0.049, "0.0%"}, {12.34, "↑ +12.3%"}};
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_reset(&b);
		fmt_change(&b, rows[i].value, "%");
		assert_int_equal(b.len, strlen(rows[i].text));
		assert_memory_equal(b.data, rows[i].text, b.len);
	}
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes_have_an_arrow_unless_they_are_printed_as_none),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_scales),
		cmocka_unit_test(test_deltas),
		cmocka_unit_test(test_tenths),
		cmocka_unit_test(test_money),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_dates),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
