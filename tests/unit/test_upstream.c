/* SPDX-License-Identifier: MIT */
/* Calls of the daemons, made by a fake tft-fetch that answers what the test wants. */
#include "config.h"

#include <errno.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/clock.h"
#include "fake_fetch.h"

static struct upstream_config config;
static struct upstream *upstream;
static struct buf body;
static char payload[] = "/tmp/tft-payload-XXXXXX";

static int take(void *ctx, const char *bytes, size_t len)
{
	buf_add(ctx, bytes, len);
	return 0;
}

static void body_of(const char *text)
{
	FILE *file = fopen(payload, "w");

	assert_non_null(file);
	(void)fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int open_upstream(void **state)
{
	(void)state;
	fetch_begin();
	config = fake_upstream;
	upstream = upstream_new(&config);
	buf_init(&body, 1 << 20);
	return upstream ? 0 : -1;
}

static int close_upstream(void **state)
{
	(void)state;
	/* Whatever happens to a program, none is left behind. */
	assert_int_equal(waitpid(-1, NULL, 0), -1);
	assert_int_equal(errno, ECHILD);
	upstream_free(&upstream);
	buf_free(&body);
	return 0;
}

static struct upstream_call ask(enum upstream_endpoint endpoint)
{
	struct upstream_call call = {.endpoint = endpoint, .sink = take, .ctx = &body};

	upstream_run(upstream, &call, 1, NULL, NULL);
	return call;
}

static void test_the_body_of_an_answer(void **state)
{
	struct upstream_call call;
	char script[100];

	(void)state;
	body_of("{\"a\":1}");
	(void)snprintf(script, sizeof(script), "0 200 0 %s", payload);
	fetch_says("status", script);
	call = ask(UPSTREAM_STATUS);
	assert_int_equal(call.reason, REASON_NONE);
	assert_int_equal(call.status, 200);
	assert_int_equal(call.bytes, 7);
	assert_int_equal(call.retry_after_ms, 0);
	assert_in_range(call.took_ms, 0, 5000);
	assert_true(span_is(buf_span(&body), "{\"a\":1}"));
}

/* In pieces, and longer than one read. */
static void test_a_long_body(void **state)
{
	static char text[200001];
	struct upstream_call call;
	char script[100];

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = (char)('a' + i % 23);
	body_of(text);
	(void)snprintf(script, sizeof(script), "0 200 0 %s", payload);
	fetch_says("predictions", script);
	call = ask(UPSTREAM_PREDICTIONS);
	assert_int_equal(call.bytes, 200000);
	assert_true(span_is(buf_span(&body), text));
}

static void test_the_order_of_each_endpoint(void **state)
{
	struct upstream_call set = {.endpoint = UPSTREAM_SCENARIO_SET, .body = SPAN("{\"s\":1}")};

	(void)state;
	fetch_says("predictions", "0 200 0 -");
	fetch_says("status", "0 200 0 -");
	fetch_says("scenario", "0 200 0 -");
	fetch_says("set", "0 200 0 -");
	ask(UPSTREAM_PREDICTIONS);
	ask(UPSTREAM_STATUS);
	ask(UPSTREAM_SCENARIO);
	upstream_run(upstream, &set, 1, NULL, NULL);
	assert_string_equal(
		fetch_orders(),
		"4 http://daemon:8000/predictions/current key=secret post= ca=/ca.pem 1000 15000 "
		"5000000\n"
		"4 http://daemon:8000/status key= post= ca=/ca.pem 1000 2000 60000\n"
		"4 http://generator:8001/scenario/status key= post= ca=/ca.pem 1000 1500 60001\n"
		"4 http://generator:8001/scenario/set key= post={\"s\":1} ca=/ca.pem 1000 1400 "
		"60002\n");
}

/* Each of them gets its own secret and authorities, and not those of the daemon. */
static void test_the_order_for_alertmanagers(void **state)
{
	struct upstream_call calls[] = {
		{.endpoint = UPSTREAM_ALERTS, .body = SPAN("[]")},
		{.endpoint = UPSTREAM_ALERTS, .body = SPAN("[]"), .member = 1}};
	const char *orders;

	(void)state;
	config.alertmanagers = "http://a:9093,http://b:9093/am";
	config.alert_auth = "anna:secret";
	config.alert_ca_file = "/am.pem";
	config.timeout_ms[UPSTREAM_ALERTS] = 2000;
	fetch_says("alerts", "0 200 0 -");
	upstream_run(upstream, &calls[0], 1, NULL, NULL);
	upstream_run(upstream, &calls[1], 1, NULL, NULL);
	orders = fetch_orders();
	assert_string_equal(orders, "4 http://a:9093/api/v2/alerts key= auth=anna:secret post=[] "
				    "ca=/am.pem 1000 2000 0\n"
				    "4 http://b:9093/am/api/v2/alerts key= auth=anna:secret "
				    "post=[] ca=/am.pem 1000 2000 0\n");
	assert_int_equal(calls[1].reason, REASON_NONE);
}

/* Longer than what a socket holds. */
static void test_a_long_post(void **state)
{
	static char text[900001];
	struct upstream_call call = {.endpoint = UPSTREAM_ALERTS};

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	call.body = span_str(text);
	config.alertmanagers = "http://a:9093";
	config.alert_auth = config.alert_ca_file = "";
	config.timeout_ms[UPSTREAM_ALERTS] = 20000;
	fetch_says("alerts", "0 200 0 -");
	upstream_run(upstream, &call, 1, NULL, NULL);
	assert_int_equal(call.reason, REASON_NONE);
	assert_int_equal(call.status, 200);
	fetch_says("alerts", "0 200 0 -");
	fetch_orders();
}

static void test_what_became_of_a_call(void **state)
{
	struct upstream_call call;

	(void)state;
	fetch_says("predictions", "15 429 4000 -");
	call = ask(UPSTREAM_PREDICTIONS);
	assert_int_equal(call.reason, 15);
	assert_int_equal(call.status, 429);
	assert_int_equal(call.retry_after_ms, 4000);
	fetch_says("predictions", "odd");
	assert_int_equal(ask(UPSTREAM_PREDICTIONS).reason, REASON_INTERNAL);
	fetch_says("predictions", "-1 0 0 -");
	assert_int_equal(ask(UPSTREAM_PREDICTIONS).reason, REASON_INTERNAL);
	fetch_says("predictions", "die");
	errno = EAGAIN; /* says nothing of an end */
	call = ask(UPSTREAM_PREDICTIONS);
	assert_int_equal(call.reason, REASON_INTERNAL);
	assert_true(call.took_ms < 1000);
	fetch_says("predictions", "half");
	call = ask(UPSTREAM_PREDICTIONS);
	assert_int_equal(call.reason, REASON_INTERNAL);
	assert_int_equal(call.bytes, 3);
	assert_int_equal(call.status, 0);
}

static void test_an_answer_may_come_in_parts(void **state)
{
	(void)state;
	for (int part = 1; part < 8; part++) {
		struct upstream_call call;
		char script[40];

		(void)snprintf(script, sizeof(script), "by %d half", part);
		fetch_says("predictions", script);
		assert_int_equal(ask(UPSTREAM_PREDICTIONS).bytes, 3);
		(void)snprintf(script, sizeof(script), "by %d 15 429 4000 -", part);
		fetch_says("predictions", script);
		call = ask(UPSTREAM_PREDICTIONS);
		assert_int_equal(call.reason, 15);
		assert_int_equal(call.status, 429);
		assert_int_equal(call.retry_after_ms, 4000);
	}
}

static int enough(void *ctx, const char *bytes, size_t len)
{
	buf_add(ctx, bytes, len);
	return 1;
}

static void test_a_reader_that_has_enough(void **state)
{
	struct upstream_call call = {
		.endpoint = UPSTREAM_PREDICTIONS, .sink = enough, .ctx = &body};

	(void)state;
	fetch_says("predictions", "forever");
	upstream_run(upstream, &call, 1, NULL, NULL);
	assert_int_equal(call.reason, REASON_NONE);
	assert_int_equal(call.status, 200);
	assert_true(span_is(buf_span(&body), "abc"));
}

static void test_a_program_that_hangs_is_ended_a_second_late(void **state)
{
	struct upstream_call call;

	(void)state;
	config.timeout_ms[UPSTREAM_STATUS] = 100;
	fetch_says("status", "hang");
	call = ask(UPSTREAM_STATUS);
	assert_int_equal(call.reason, REASON_TIMEOUT);
	assert_in_range(call.took_ms, 1100, 1900);
}

static bool not_wanted(void *ctx)
{
	return ++*(int *)ctx < 3;
}

static void test_who_waits_may_give_up(void **state)
{
	struct upstream_call call = {.endpoint = UPSTREAM_PREDICTIONS};
	int times = 0;

	(void)state;
	fetch_says("predictions", "hang");
	upstream_run(upstream, &call, 1, not_wanted, &times);
	assert_int_equal(times, 3);
	assert_int_equal(call.reason, REASON_INCOMPLETE);
	assert_in_range(call.took_ms, 400, 5000);
}

static void test_calls_run_side_by_side(void **state)
{
	struct upstream_call calls[] = {{.endpoint = UPSTREAM_STATUS},
					{.endpoint = UPSTREAM_SCENARIO}};

	(void)state;
	config.timeout_ms[UPSTREAM_STATUS] = 100;
	config.timeout_ms[UPSTREAM_SCENARIO] = 100;
	fetch_says("status", "hang");
	fetch_says("scenario", "hang");
	upstream_run(upstream, calls, 2, NULL, NULL);
	assert_in_range(calls[0].took_ms, 1100, 1900);
	assert_in_range(calls[1].took_ms, 1100, 1900);
}

static void test_a_program_that_is_not_there(void **state)
{
	(void)state;
	config.fetcher = "/nowhere/tft-fetch";
	assert_int_equal(ask(UPSTREAM_STATUS).reason, REASON_INTERNAL);
}

static void test_an_address_that_is_too_long(void **state)
{
	static char url[2048];
	struct upstream_call call;

	(void)state;
	memset(url, 'a', sizeof(url) - 1);
	config.daemon_url = url;
	fetch_says("status", "0 200 0 -");
	call = ask(UPSTREAM_STATUS);
	assert_int_equal(call.reason, REASON_INTERNAL);
	/* 2047 with the path. */
	url[sizeof(url) - 1 - strlen("/status")] = '\0';
	assert_int_equal(ask(UPSTREAM_STATUS).reason, REASON_NONE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_upstream, close_upstream)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_the_body_of_an_answer),
		TEST(test_a_long_body),
		TEST(test_the_order_of_each_endpoint),
		TEST(test_the_order_for_alertmanagers),
		TEST(test_a_long_post),
		TEST(test_what_became_of_a_call),
		TEST(test_an_answer_may_come_in_parts),
		TEST(test_a_reader_that_has_enough),
		TEST(test_a_program_that_hangs_is_ended_a_second_late),
		TEST(test_who_waits_may_give_up),
		TEST(test_calls_run_side_by_side),
		TEST(test_a_program_that_is_not_there),
		TEST(test_an_address_that_is_too_long),
	};
	int failed;

	if (fake_fetch_runs(argc, argv))
		return 0;
	assert_true(mkstemp(payload) >= 0);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(payload);
	(void)unlink(orders_path);
	return failed;
}
