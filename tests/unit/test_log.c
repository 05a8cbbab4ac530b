/* SPDX-License-Identifier: MIT */
/* The lines that an operator finds on stderr. The test supplies the clocks. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "captured.h"

static int64_t now_ms = 1000;

int64_t clock_mono_ms(void)
{
	return now_ms;
}

int64_t clock_mono_us(void)
{
	return now_ms * 1000;
}

int64_t clock_wall_ms(void)
{
	return 1795437065123;
}

static unsigned count_lines(const char *text)
{
	unsigned lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

/* Each test has its own time window, so that it does not see the events of another one. */
static int setup(void **state)
{
	(void)state;
	now_ms += 1000000;
	log_init(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, "web1");
	log_request((struct span){NULL, 0});
	return 0;
}

static void test_one_event_is_one_line(void **state)
{
	char expected[256];

	(void)state;
	snprintf(expected, sizeof(expected),
		 "ts=2026-11-23T12:31:05.123Z level=warning node=web1 pid=%ld req=4f2a "
		 "ev=upstream_fail"
		 " reason=timed-out ms=15000 low=-9223372036854775808\n",
		 (long)getpid());
	log_request(SPAN("4f2a"));
	capture_start();
	log_event(LOG_LEVEL_WARNING, "upstream_fail", LOG_STR("reason", "timed-out"),
		  LOG_INT("ms", 15000), LOG_INT("low", INT64_MIN));
	assert_string_equal(capture_end(), expected);
}

static void test_level_decides(void **state)
{
	const char *text;

	(void)state;
	capture_start();
	log_event(LOG_LEVEL_ERROR, "level_e", LOG_INT("n", 1));
	log_event(LOG_LEVEL_INFO, "level_i", LOG_INT("n", 1));
	log_event(LOG_LEVEL_DEBUG, "level_d", LOG_INT("n", 1));
	text = capture_end();
	assert_non_null(strstr(text, " level=error "));
	assert_non_null(strstr(text, " level=info "));
	assert_null(strstr(text, "level_d"));
}

static void test_foreign_text_cannot_forge(void **state)
{
	static const struct {
		struct span in;
		const char *out;
	} rows[] = {
		{{"plain-word/1.0", 14}, " v=plain-word/1.0\n"},
		{{"", 0}, " v=\"\"\n"},
		{{NULL, 0}, " v=\"\"\n"},
		{{"two words", 9}, " v=\"two words\"\n"},
		{{"x\" level=error \"", 16}, " v=\"x\\\" level=error \\\"\"\n"},
		{{"a=b", 3}, " v=\"a=b\"\n"},
		{{"a\\", 2}, " v=\"a\\\\\"\n"},
		{{"a\r\nts=0 ev=x", 12}, " v=\"a\\x0d\\x0ats=0 ev=x\"\n"},
		{{"\0\x1b[2J\x7f\xc3\xbc\xff", 9}, " v=\"\\x00\\x1b[2J\\x7f\\xc3\\xbc\\xff\"\n"},
		{{"%s%n", 4}, " v=%s%n\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *text;

		capture_start();
		log_event(LOG_LEVEL_INFO, "forge", LOG_SPAN("v", rows[i].in));
		text = capture_end();
		assert_int_equal(count_lines(text), 1);
		assert_non_null(strstr(text, " ev=forge"));
		assert_string_equal(strstr(text, " ev=forge") + strlen(" ev=forge"), rows[i].out);
	}
}

static void test_json_has_the_same_fields_and_cannot_be_forged(void **state)
{
	char expected[512];

	(void)state;
	snprintf(expected, sizeof(expected),
		 "{\"ts\":\"2026-11-23T12:31:05.123Z\",\"level\":\"warning\",\"node\":\"web1\","
		 "\"pid\":%ld,\"req\":\"4f2a\",\"ev\":\"in_json\",\"plain\":\"word\",\"none\":\"\","
		 "\"odd\":\"a\\\"}\\u000d\\u000a{\\\\\\u00c3\\u00bc\",\"ms\":-7}\n",
		 (long)getpid());
	log_init(LOG_LEVEL_INFO, LOG_FORMAT_JSON, "web1");
	log_request(SPAN("4f2a"));
	capture_start();
	log_event(LOG_LEVEL_WARNING, "in_json", LOG_STR("plain", "word"), LOG_STR("none", ""),
		  LOG_STR("odd", "a\"}\r\n{\\\xc3\xbc"), LOG_INT("ms", -7));
	assert_string_equal(capture_end(), expected);
}

static void test_long_values_are_cut(void **state)
{
	char value[10240];
	const char *text;

	(void)state;
	memset(value, '\x01', sizeof(value));
	capture_start();
	log_event(LOG_LEVEL_INFO, "long", LOG_SPAN("a", ((struct span){value, sizeof(value)})),
		  LOG_INT("after", 7));
	text = capture_end();
	assert_int_equal(count_lines(text), 1);
	assert_non_null(strstr(text, "\\x01\" after=7\n"));
	assert_true(strlen(text) < 512);
}

static void repeat(const char *event, int times)
{
	for (int i = 0; i < times; i++)
		log_event(LOG_LEVEL_INFO, event, LOG_INT("n", i));
}

static void test_repeats_are_counted(void **state)
{
	const char *text;

	(void)state;
	capture_start();
	repeat("often", 25);
	log_event(LOG_LEVEL_ERROR, "often", LOG_INT("n", 0)); /* another level has its own count */
	repeat("seldom", 1);
	now_ms += 59999;
	repeat("often", 1);
	text = capture_end();
	assert_int_equal(count_lines(text), 22);
	assert_null(strstr(text, "repeated="));
	assert_non_null(strstr(text, "level=error"));
	assert_non_null(strstr(text, "ev=seldom"));

	capture_start();
	now_ms++;
	repeat("often", 2);
	text = capture_end();
	assert_int_equal(count_lines(text), 2);
	assert_non_null(strstr(text, " ev=often n=0 repeated=6\n"));
	assert_non_null(strstr(text, " ev=often n=1\n"));
}

static void test_an_audit_is_always_written(void **state)
{
	const char *text;

	(void)state;
	log_init(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, "node1");
	capture_start();
	for (int i = 0; i < 25; i++)
		log_audit(LOG_STR("user", "a b"), LOG_INT("n", i));
	text = capture_end();
	log_init(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, "node1");
	assert_int_equal(count_lines(text), 25);
	assert_non_null(strstr(text, " level=info "));
	assert_non_null(strstr(text, " ev=audit user=\"a b\" n=24\n"));
}

static void test_more_events_than_the_table_holds(void **state)
{
	static char names[200][16];
	unsigned lines = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		snprintf(names[i], sizeof(names[i]), "ev%d", i);
		now_ms++;
		capture_start();
		repeat(names[i], 1);
		lines += count_lines(capture_end());
	}
	assert_int_equal(lines, 200);
}

static void test_broken_stderr_stops_nothing(void **state)
{
	const char *text;

	(void)state;
	signal(SIGPIPE, SIG_DFL);
	capture_start();
	dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), captured.ends[0]); /* the reader is gone */
	repeat("broken", 2);
	capture_end();

	capture_start();
	close(STDERR_FILENO);
	repeat("broken", 1);
	capture_end();

	capture_start();
	repeat("broken", 2);
	text = capture_end();
	assert_int_equal(count_lines(text), 2);
	assert_non_null(strstr(text, " n=0 dropped=3\n"));
	assert_non_null(strstr(text, " n=1\n"));
}

static void test_full_stderr_does_not_block(void **state)
{
	static const char page[4096];
	const char *text;

	(void)state;
	capture_start();
	fcntl(captured.ends[1], F_SETFL, O_NONBLOCK);
	while (write(captured.ends[1], page, sizeof(page)) > 0)
		;
	fcntl(captured.ends[1], F_SETFL, 0);
	alarm(10); /* a write that blocks fails the test */
	repeat("full", 3);
	alarm(0);
	capture_end();

	capture_start();
	repeat("full", 1);
	text = capture_end();
	assert_non_null(strstr(text, " ev=full n=0 dropped=3\n"));
}

static void test_errno_is_left_alone(void **state)
{
	(void)state;
	capture_start();
	dup2(open("/dev/full", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
	errno = ECONNREFUSED;
	log_event(LOG_LEVEL_ERROR, "errno", LOG_INT("n", 1));
	assert_int_equal(errno, ECONNREFUSED);
	capture_end();
}

/* There are fewer events than windows. If there were more, the oldest window is reused. */
static void test_the_oldest_window_is_reused(void **state)
{
	static char names[65][8];

	(void)state;
	now_ms += 1000000;
	for (int i = 0; i < 64; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "w%02d", i);
		capture_start();
		for (int n = 0; n < 21; n++)
			log_event(LOG_LEVEL_WARNING, names[i], LOG_INT("n", n));
		assert_int_equal(count_lines(capture_end()), 20);
		now_ms++;
	}
	(void)snprintf(names[64], sizeof(names[64]), "w64");
	capture_start();
	log_event(LOG_LEVEL_WARNING, names[64], LOG_INT("n", 1));
	log_event(LOG_LEVEL_WARNING, names[1], LOG_INT("n", 1));
	log_event(LOG_LEVEL_WARNING, names[63], LOG_INT("n", 1));
	assert_int_equal(count_lines(capture_end()), 1);
	/* Its count was forgotten; its line takes the place of w01. */
	capture_start();
	log_event(LOG_LEVEL_WARNING, names[0], LOG_INT("n", 1));
	log_event(LOG_LEVEL_WARNING, names[2], LOG_INT("n", 1));
	assert_int_equal(count_lines(capture_end()), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_one_event_is_one_line, setup),
		cmocka_unit_test_setup(test_level_decides, setup),
		cmocka_unit_test_setup(test_foreign_text_cannot_forge, setup),
		cmocka_unit_test_setup(test_json_has_the_same_fields_and_cannot_be_forged, setup),
		cmocka_unit_test_setup(test_long_values_are_cut, setup),
		cmocka_unit_test_setup(test_repeats_are_counted, setup),
		cmocka_unit_test_setup(test_an_audit_is_always_written, setup),
		cmocka_unit_test_setup(test_more_events_than_the_table_holds, setup),
		cmocka_unit_test_setup(test_broken_stderr_stops_nothing, setup),
		cmocka_unit_test_setup(test_full_stderr_does_not_block, setup),
		cmocka_unit_test_setup(test_errno_is_left_alone, setup),
		cmocka_unit_test_setup(test_the_oldest_window_is_reused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
