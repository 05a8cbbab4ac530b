/* SPDX-License-Identifier: MIT */
/* What is remembered of calls and actions, and the counters of the nodes. */
#include "config.h"

#include "cache/metrics.h"
#include "cache_fixture.h"

#define CALLS "LRANGE tft:calls:fleet"

/* An array as Redis sends it, from rows like "176 200 5 7 9 ok". */
static void on_rows(const char *begins, const char *const *rows, size_t count)
{
	redis_on_texts(begins, rows, count);
}

static void test_a_call_is_noted(void **state)
{
	const struct diagnosis_call call = {"ok", 200, NOW_MS, 250, 900, 44000};

	(void)state;
	redis_on_array("EVALSHA 1", "ok");
	cache_note(cache, CACHE_FLEET, &call);
	assert_string_equal(
		redis_heard(),
		"EVALSHA 1 tft:calls:fleet 1764000015123 200 250 900 44000 ok 20 86400000\n");
}

static void test_an_action_is_noted(void **state)
{
	const struct diagnosis_action action = {NOW_MS,    "scenario.set", "done",
						"healthy", "critical",     "a b"};

	(void)state;
	redis_on_array("EVALSHA 1", "ok");
	cache_note_action(cache, &action);
	assert_string_equal(redis_heard(), "EVALSHA 1 tft:actions 1764000015123 scenario.set done "
					   "healthy critical a b 5 86400000\n");
}

static void test_calls_and_actions_are_read_back(void **state)
{
	struct diagnosis d;

	(void)state;
	cache_read(cache, CACHE_FLEET, NULL, false, &(struct cache_read){0});
	redis_heard();
	redis_on_array(CALLS, "1764000015123 200 250 900 44000 ok", "nonsense", "1 2 3 4", "",
		       "1764000010000 0 1000 1001 0 timed-out",
		       "1 200 1 1 1 12345678901234567890123456789012");
	redis_on_array("LRANGE tft:budget:fleet", "1764000015000", "1763999955124", "1763999955123",
		       "x");
	redis_on_array("LRANGE tft:actions", "5 scenario.set done - critical a b",
		       "6 refresh limited -", "7 refresh done - - -");
	redis_on("GET tft:epoch:fleet", "$2\r\ne1\r\n");
	assert_int_equal(cache_diagnose(cache, CACHE_FLEET, &d), 0);
	assert_string_equal(redis_heard(), "LRANGE tft:calls:fleet 0 19\n"
					   "LRANGE tft:budget:fleet 0 -1\n"
					   "LRANGE tft:actions 0 -1\n"
					   "GET tft:epoch:fleet\n");
	assert_int_equal(d.count, 2);
	assert_int_equal(d.calls[0].at_ms, 1764000015123);
	assert_int_equal(d.calls[0].status, 200);
	assert_int_equal(d.calls[0].fetch_ms, 250);
	assert_int_equal(d.calls[0].total_ms, 900);
	assert_int_equal(d.calls[0].bytes, 44000);
	assert_string_equal(d.calls[0].result, "ok");
	assert_string_equal(d.calls[1].result, "timed-out");
	/* A claim from a minute ago no longer counts. */
	assert_int_equal(d.budget_left, 24);
	assert_int_equal(d.action_count, 2);
	assert_int_equal(d.actions[0].at_ms, 5);
	assert_string_equal(d.actions[0].action, "scenario.set");
	assert_string_equal(d.actions[0].result, "done");
	assert_string_equal(d.actions[0].from, "-");
	assert_string_equal(d.actions[0].to, "critical");
	assert_string_equal(d.actions[0].user, "a b");
	assert_string_equal(d.actions[1].user, "-");
	assert_string_equal(d.epoch, "e1");
	assert_int_equal(d.bucket, -1);
	assert_int_equal(d.data_bucket, -1);
}

static void test_no_more_are_read_than_there_is_room_for(void **state)
{
	const char *rows[40];
	struct diagnosis d;

	(void)state;
	for (size_t i = 0; i < 40; i++)
		rows[i] = "1 200 3 4 5 ok";
	on_rows(CALLS, rows, 40);
	for (size_t i = 0; i < 40; i++)
		rows[i] = "5 refresh done - - -";
	on_rows("LRANGE tft:actions", rows, 40);
	for (size_t i = 0; i < 40; i++)
		rows[i] = "99999999999999999";
	on_rows("LRANGE tft:budget:fleet", rows, 40);
	assert_int_equal(cache_diagnose(cache, CACHE_FLEET, &d), 0);
	assert_int_equal(d.count, DIAGNOSIS_CALLS);
	assert_int_equal(d.action_count, DIAGNOSIS_ACTIONS);
	assert_int_equal(d.budget_left, 0);
	assert_int_equal(cache_fill_ms(cache, CACHE_FLEET), 100);
}

static void test_keys_of_another_type_say_nothing(void **state)
{
	struct diagnosis d;

	(void)state;
	redis_on("LRANGE", "-WRONGTYPE no list\r\n");
	assert_int_equal(cache_diagnose(cache, CACHE_FLEET, &d), 0);
	assert_int_equal(d.count, 0);
	assert_int_equal(d.action_count, 0);
	assert_int_equal(d.budget_left, 26);
	assert_string_equal(d.epoch, "");
	redis_on("LRANGE", "*1\r\n:5\r\n");
	assert_int_equal(cache_diagnose(cache, CACHE_FLEET, &d), 0);
	assert_int_equal(d.count, 0);
	assert_int_equal(d.action_count, 0);
	redis_reset();
	assert_int_equal(cache_diagnose(cache, CACHE_FLEET, &d), -1);
	assert_int_equal(d.budget_left, -1);
	redis_heard();
	assert_int_equal(cache_diagnose(cache, CACHE_FLEET, &d), -1);
	assert_string_equal(redis_heard(), "");
}

static void test_how_long_a_refresh_takes(void **state)
{
	static const char *const rows[] = {
		"1 200 1 500 1 ok",  "1 200 1 9000 1 lost", "1 200 1 100 1 ok", "1 200 1 300 1 ok",
		"1 200 1 200 1 ok",  "1 200 1 1001 1 ok",   "1 200 1 700 1 ok", "1 200 1 600 1 ok",
		"1 200 1 4000 1 ok", "1 200 1 400 1 ok",    "1 200 1 800 1 ok",
	};

	(void)state;
	on_rows(CALLS, rows, 11);
	/* From 100 200 300 400 500 600 700 800 1001 4000. */
	assert_int_equal(cache_fill_ms(cache, CACHE_FLEET), 1100);
	on_rows(CALLS, rows, 1);
	assert_int_equal(cache_fill_ms(cache, CACHE_FLEET), 500);
	on_rows(CALLS, rows + 1, 1);
	assert_int_equal(cache_fill_ms(cache, CACHE_FLEET), 0);
	on_rows(CALLS, rows, 0);
	assert_int_equal(cache_fill_ms(cache, CACHE_FLEET), 0);
	redis_on(CALLS, "");
	assert_int_equal(cache_fill_ms(cache, CACHE_FLEET), 0);
	redis_heard();
	assert_int_equal(cache_fill_ms(cache, CACHE_FLEET), 0);
	assert_string_equal(redis_heard(), "");
}

/* --- counters --- */

static void test_counters_of_a_node(void **state)
{
	const struct cache_counter counts[] = {{SPAN("a{x=\"1\"}"), 3}, {SPAN("b"), 12}};
	struct cache_counter read[3];

	(void)state;
	redis_on_array("EVALSHA 2", "ok");
	assert_int_equal(cache_count(cache, "web1", counts, 2), 0);
	assert_string_equal(redis_heard(), "EVALSHA 2 tft:node:web1 tft:nodes 86400000 "
					   "a{x=\"1\"} 3 b 12\n");
	redis_on("EVALSHA 2", "-OOM no\r\n");
	assert_int_equal(cache_count(cache, "web1", counts, 2), -1);
	redis_on_array("HGETALL tft:node:web1", "a", "1", "b", "22", "c", "3", "d", "4");
	assert_int_equal(cache_counters(cache, "web1", read, 3), 3);
	assert_string_equal(redis_heard(),
			    "EVALSHA 2 tft:node:web1 tft:nodes 86400000 a{x=\"1\"} 3 b 12\n"
			    "HGETALL tft:node:web1\n");
	assert_true(span_is(read[1].series, "b"));
	assert_int_equal(read[1].value, 22);
	assert_int_equal(read[2].value, 3);
	redis_on_array("HGETALL tft:nodes", "a", "1", "b");
	assert_int_equal(cache_counters(cache, NULL, read, 3), 1);
	redis_on("HGETALL", "-WRONGTYPE no hash\r\n");
	assert_int_equal(cache_counters(cache, NULL, read, 3), 0);
	redis_on("HGETALL", "");
	assert_int_equal(cache_counters(cache, NULL, read, 3), 0);
}

static void test_at_most_500_counts(void **state)
{
	static struct cache_counter counts[501];

	(void)state;
	for (size_t i = 0; i < 501; i++)
		counts[i] = (struct cache_counter){SPAN("a"), 1};
	redis_on_array("EVALSHA 2", "ok");
	assert_int_equal(cache_count(cache, "web1", counts, 500), 0);
	redis_heard();
	assert_int_equal(cache_count(cache, "web1", counts, 501), -1);
	assert_string_equal(redis_heard(), "");
}

#define P "tft_dashboard_"

static void test_counts_are_sent_once_a_second(void **state)
{
	struct metrics *metrics = metrics_new("web1");

	(void)state;
	redis_on_array("EVALSHA 2", "ok");
	assert_int_equal(metrics_flush_in(metrics), -1);
	metrics_flush(metrics, cache);
	assert_string_equal(redis_heard(), "");
	metrics_count(metrics, METRICS_HTTP_REQUESTS, "route=\"overview\"");
	metrics_count(metrics, METRICS_HTTP_REQUESTS, "route=\"alerts\"");
	metrics_count(metrics, METRICS_HTTP_REQUESTS, "route=\"overview\"");
	metrics_count(metrics, METRICS_REDIS_RECONNECTS, "");
	metrics_verdict(metrics, CACHE_STALE);
	metrics_flush(metrics, cache);
	assert_string_equal(redis_heard(), "EVALSHA 2 tft:node:web1 tft:nodes 86400000 " P
					   "http_requests_total{route=\"overview\"} 2 " P
					   "http_requests_total{route=\"alerts\"} 1 " P
					   "redis_reconnects_total 1 " P
					   "cache_requests_total{result=\"stale\"} 1\n");
	assert_int_equal(metrics_flush_in(metrics), -1);
	metrics_count(metrics, METRICS_REDIS_RECONNECTS, "");
	assert_int_equal(metrics_flush_in(metrics), 1000);
	pass_ms(999);
	assert_int_equal(metrics_flush_in(metrics), 1);
	metrics_flush(metrics, cache);
	assert_string_equal(redis_heard(), "");
	pass_ms(1);
	/* Refused: the counts are kept, and sent again a second later. */
	redis_on("EVALSHA 2", "-OOM no\r\n");
	metrics_flush(metrics, cache);
	assert_int_equal(metrics_flush_in(metrics), 1000);
	pass_ms(1500);
	assert_int_equal(metrics_flush_in(metrics), 0);
	redis_on_array("EVALSHA 2", "ok");
	redis_heard();
	metrics_flush(metrics, cache);
	assert_string_equal(redis_heard(), "EVALSHA 2 tft:node:web1 tft:nodes 86400000 " P
					   "redis_reconnects_total 1\n");
	metrics_free(&metrics);
}

static void test_durations_are_sent_as_histograms(void **state)
{
	struct metrics *metrics = metrics_new("web1");

	(void)state;
	redis_on_array("EVALSHA 2", "ok");
	metrics_time(metrics, 201);
	metrics_time(metrics, 1000);
	metrics_time(metrics, 300001);
	metrics_batch(metrics, 200, false);
	metrics_batch(metrics, 5000, true);
	metrics_step(metrics, METRICS_COMMIT, 70);
	metrics_step(metrics, METRICS_COMMIT, 30);
	metrics_flush(metrics, cache);
#define HTTP  P "http_request_duration_seconds"
#define REDIS P "redis_command_duration_seconds"
	assert_string_equal(redis_heard(),
			    "EVALSHA 2 tft:node:web1 tft:nodes 86400000 " P
			    "redis_reconnects_total 1 " HTTP "_bucket{le=\"0.001\"} 2 " HTTP
			    "_bucket{le=\"0.005\"} 2 " HTTP "_bucket{le=\"0.01\"} 2 " HTTP
			    "_bucket{le=\"0.05\"} 2 " HTTP "_bucket{le=\"0.1\"} 2 " HTTP
			    "_bucket{le=\"0.3\"} 2 " HTTP "_bucket{le=\"+Inf\"} 3 " HTTP
			    "_sum 301202 " HTTP "_count 3 " REDIS "_bucket{le=\"0.0002\"} 1 " REDIS
			    "_bucket{le=\"0.001\"} 1 " REDIS "_bucket{le=\"0.005\"} 2 " REDIS
			    "_bucket{le=\"0.01\"} 2 " REDIS "_bucket{le=\"0.05\"} 2 " REDIS
			    "_bucket{le=\"0.1\"} 2 " REDIS "_bucket{le=\"0.3\"} 2 " REDIS
			    "_bucket{le=\"+Inf\"} 2 " REDIS "_sum 5200 " REDIS "_count 2 " P
			    "cache_fill_duration_seconds_sum{step=\"commit\"} 100 " P
			    "cache_fill_duration_seconds_count{step=\"commit\"} 2\n");
	metrics_free(&metrics);
}

/* Series beyond the limit are not counted, nor are those whose name is too long. */
static void test_distinct_series_have_a_limit(void **state)
{
	struct metrics *metrics = metrics_new("web1");
	char labels[90];
	const char *heard;

	(void)state;
	redis_on_array("EVALSHA 2", "ok");
	for (int i = 0; i < 210; i++) {
		(void)snprintf(labels, sizeof(labels), "n=\"%d\"", i);
		metrics_count(metrics, METRICS_HTTP_REQUESTS, labels);
	}
	metrics_count(metrics, METRICS_HTTP_REQUESTS, "n=\"7\"");
	metrics_flush(metrics, cache);
	heard = redis_heard();
	assert_non_null(strstr(heard, "{n=\"199\"} 1"));
	assert_null(strstr(heard, "{n=\"200\"}"));
	assert_non_null(strstr(heard, "{n=\"7\"} 2"));
	memset(labels, 'x', sizeof(labels));
	labels[80] = '\0';
	metrics_count(metrics, METRICS_HTTP_REQUESTS, labels);
	labels[79] = '\0';
	metrics_count(metrics, METRICS_ACTIONS, labels);
	pass_ms(2000);
	metrics_flush(metrics, cache);
	heard = redis_heard();
	assert_null(strstr(heard, "http_requests"));
	assert_non_null(strstr(heard, "actions_total{xxx"));
	metrics_free(&metrics);
}

static void on_counters(const char *begins)
{
	redis_on_array(begins, HTTP "_count", "3", HTTP "_bucket{le=\"+Inf\"}", "3",
		       HTTP "_bucket{le=\"0.0002\"}", "1", HTTP "_bucket{le=\"0.01\"}", "2",
		       HTTP "_bucket{le=\"foreign\"}", "2", HTTP "_sum", "1000007",
		       P "http_requests_total{route=\"b\"}", "2",
		       P "http_requests_total{route=\"a\"}", "5", P "http_requests_totally", "9",
		       P "cache_requests_total{result=\"fresh\"}", "50",
		       P "cache_requests_total{result=\"stale\"}", "4",
		       P "cache_requests_total{result=\"cold\"}", "3",
		       P "cache_requests_total{result=\"down\"}", "2",
		       P "upstream_requests_total{endpoint=\"predictions\",code=\"200\"}", "7",
		       P "upstream_requests_total{endpoint=\"predictions\",code=\"0\"}", "1",
		       P "upstream_requests_total{endpoint=\"status\",code=\"200\"}", "99");
}

static void test_metrics_are_printed_in_order(void **state)
{
	struct metrics *metrics = metrics_new("web1");
	struct buf out;

	(void)state;
	on_counters("HGETALL tft:node:web1");
	buf_init(&out, 1 << 20);
	metrics_print(metrics, cache, SPAN("gauge 1\n"), &out);
	buf_char(&out, '\0');
	assert_string_equal(redis_heard(), "HGETALL tft:node:web1\n");
	assert_non_null(strstr(out.data, "# HELP " P "http_requests_total Requests by route and "
					 "status code.\n# TYPE " P "http_requests_total counter\n" P
					 "http_requests_total{route=\"a\"} 5\n" P
					 "http_requests_total{route=\"b\"} 2\n# HELP"));
	assert_non_null(strstr(out.data,
			       "# TYPE " HTTP " histogram\n" HTTP "_bucket{le=\"0.0002\"} 1\n" HTTP
			       "_bucket{le=\"0.01\"} 2\n" HTTP "_bucket{le=\"+Inf\"} 3\n" HTTP
			       "_bucket{le=\"foreign\"} 2\n" HTTP "_count 3\n" HTTP
			       "_sum 1.000007\n# HELP"));
	assert_null(strstr(out.data, "totally"));
	assert_non_null(strstr(out.data, "\ngauge 1\n"));
	buf_free(&out);
	metrics_free(&metrics);
}

static void set_score(struct accuracy *accuracy, enum kept_metric metric, size_t horizon,
		      struct accuracy_sums sums)
{
	accuracy->score[ACCURACY_USUAL][metric][horizon][ACCURACY_ALL].sums = sums;
}

#define COVERAGE "tft_forecast_coverage_ratio"
#define SKILL    "tft_forecast_skill"

static void test_forecasts_are_printed_where_there_are_enough(void **state)
{
	struct accuracy *accuracy = calloc(1, sizeof(*accuracy));
	struct buf out;

	(void)state;
	assert_non_null(accuracy);
	set_score(accuracy, KEPT_CPU, 0,
		  (struct accuracy_sums){
			  .n = 100, .below = 10, .above = 19, .error = 80, .naive = 100});
	set_score(accuracy, KEPT_CPU, 1, (struct accuracy_sums){.n = 99});
	set_score(accuracy, KEPT_CPU_USER, 4,
		  (struct accuracy_sums){.n = 300, .below = 100, .error = 3, .naive = 2});
	buf_init(&out, 65536);
	metrics_forecasts(accuracy, &out);
	buf_char(&out, '\0');
	assert_string_equal(out.data,
			    "# HELP " COVERAGE
			    " Share of the last day's values inside the forecast band, which "
			    "should hold 0.8.\n# TYPE " COVERAGE " gauge\n" COVERAGE
			    "{metric=\"cpu\",horizon=\"30m\"} 0.7100\n" COVERAGE
			    "{metric=\"cpu_user\",horizon=\"8h\"} 0.6667\n# HELP " SKILL
			    " 1 - error / error of the guess that nothing changes, over the last "
			    "day.\n# TYPE " SKILL " gauge\n" SKILL
			    "{metric=\"cpu\",horizon=\"30m\"} 0.2000\n" SKILL
			    "{metric=\"cpu_user\",horizon=\"8h\"} -0.5000\n");
	buf_free(&out);
	free(accuracy);
}

static void test_what_readers_found(void **state)
{
	struct metrics *metrics = metrics_new("web1");
	struct diagnosis d;
	struct served served = {.fresh = 1, .calls = 2};

	(void)state;
	on_counters("HGETALL tft:node:web1");
	metrics_diagnose(metrics, cache, &d);
	assert_int_equal(d.fresh, 50);
	assert_int_equal(d.stale, 4);
	assert_int_equal(d.cold, 3);
	assert_int_equal(d.down, 2);
	redis_on("HGETALL tft:nodes", "*0\r\n");
	metrics_served(cache, &served);
	assert_int_equal(served.fresh, 1);
	assert_int_equal(served.calls, 2);
	on_counters("HGETALL tft:nodes");
	metrics_served(cache, &served);
	assert_int_equal(served.fresh, 50);
	assert_int_equal(served.stale, 4);
	assert_int_equal(served.cold, 3);
	assert_int_equal(served.calls, 8);
	metrics_free(&metrics);
}

/* Another program has written more series than there is room for; those that fit are read. */
static void on_many_counters(const char *begins, size_t count)
{
	struct buf wire;
	char series[100];

	buf_init(&wire, 1 << 20);
	buf_addf(&wire, "*%zu\r\n", 2 * count);
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(series, sizeof(series), P "http_requests_total{route=\"r%03zu\"}",
			       i);
		put_string(&wire, span_str(series));
		put_string(&wire, SPAN("7"));
	}
	redis_on_span(begins, buf_span(&wire));
	buf_free(&wire);
}

static void test_more_series_than_there_is_room_for(void **state)
{
	struct metrics *metrics = metrics_new("web1");
	struct diagnosis d = {.fresh = 1};
	struct served served = {.fresh = 1, .calls = 2};
	struct buf out;

	(void)state;
	on_many_counters("HGETALL", 500);
	buf_init(&out, 1 << 20);
	metrics_print(metrics, cache, SPAN(""), &out);
	buf_char(&out, '\0');
	assert_non_null(strstr(out.data, "{route=\"r399\"} 7\n"));
	assert_null(strstr(out.data, "r400"));
	metrics_diagnose(metrics, cache, &d);
	assert_int_equal(d.fresh, 0);
	metrics_served(cache, &served);
	assert_int_equal(served.fresh, 0);
	assert_int_equal(served.calls, 0);
	buf_free(&out);
	metrics_free(&metrics);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_cache, close_cache)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_a_call_is_noted),
		TEST(test_an_action_is_noted),
		TEST(test_calls_and_actions_are_read_back),
		TEST(test_no_more_are_read_than_there_is_room_for),
		TEST(test_keys_of_another_type_say_nothing),
		TEST(test_how_long_a_refresh_takes),
		TEST(test_counters_of_a_node),
		TEST(test_at_most_500_counts),
		TEST(test_counts_are_sent_once_a_second),
		TEST(test_durations_are_sent_as_histograms),
		TEST(test_distinct_series_have_a_limit),
		TEST(test_metrics_are_printed_in_order),
		TEST(test_forecasts_are_printed_where_there_are_enough),
		TEST(test_what_readers_found),
		TEST(test_more_series_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
