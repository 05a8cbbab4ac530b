/* SPDX-License-Identifier: MIT */
/* Requests and idle time of a worker: what it answers, what it asks Redis for, and which work it
 * leaves for later. */
#include "config.h"

#include "base/fmt.h"
#include "fleet/moment.h"
#include "alerting_fixture.h"
#include "serve_fixture.h"
#include "server/answer.h"

static struct request request;
static struct response response;

static void make_request(struct request *r, enum method method, const char *path, const char *query)
{
	*r = (struct request){.method = method, .came_us = clock_mono_us()};
	(void)snprintf(r->path, sizeof(r->path), "%s", path);
	(void)snprintf(r->query, sizeof(r->query), "%s", query);
	r->path_len = strlen(r->path);
	r->query_len = strlen(r->query);
}

static void get(const char *path, const char *query)
{
	make_request(&request, METHOD_GET, path, query);
	serve_request(serve, &request, &response);
}

static void assert_body(const char *part)
{
	if (!memmem(response.body.ptr, response.body.len, part, strlen(part)))
		fail_msg("no \"%s\" in\n%.*s", part,
			 (int)(response.body.len < 700 ? response.body.len : 700),
			 response.body.ptr);
}

static void assert_heard(const char *heard, const char *part)
{
	if (!strstr(heard, part))
		fail_msg("no \"%s\" in\n%.900s", part, heard);
}

/* --- pages with fresh data --- */

static void test_a_stored_page_is_answered_as_it_is(void **state)
{
	(void)state;
	get("/", "");
	assert_int_equal(response.status, 200);
	assert_true(span_is(response.body, "<p>stored</p>"));
	assert_string_equal(response.etag, "W/\"0123\"");
	assert_string_equal(response.cache_status, "tft-redis; hit; ttl=14; key=\"overview\"");
	assert_int_equal(response.bucket, BUCKET);
	assert_int_equal(response.gen_ms, GEN_MS);
	assert_int_equal(response.age_ms, 5000);
	assert_int_equal(response.max_age_s, 5);
	assert_true(response.l1);
	assert_false(response.authenticated);
	assert_string_equal(response.service_desc, "api/v1/openapi.json");
	assert_int_equal(response.redis_us, 0);
	assert_int_equal(response.render_us, -1);
	assert_null(response.frame_origin);
	make_request(&request, METHOD_GET, "/", "");
	(void)snprintf(request.if_none_match, sizeof(request.if_none_match), "%s", "W/\"0123\"");
	(void)snprintf(request.remote_user, sizeof(request.remote_user), "%s", "alice");
	serve_request(serve, &request, &response);
	assert_int_equal(response.status, 304);
	assert_int_equal(response.body.len, 0);
	assert_true(response.authenticated);
}

static void test_near_the_end_of_its_bucket_it_lives_for_less(void **state)
{
	(void)state;
	redis_on_time(NOW_MS + 12000); /* 2.877 s are left */
	get("/", "");
	assert_int_equal(response.max_age_s, 2);
	assert_string_equal(response.cache_status, "tft-redis; hit; ttl=2; key=\"overview\"");
	assert_false(response.ending);
	pass_ms(1000);
	redis_on_time(NOW_MS + 14800); /* 77 ms */
	get("/", "");
	assert_true(response.l1);
	assert_true(response.ending);
}

static void test_a_page_that_repeats_something_old_is_made_anew(void **state)
{
	(void)state;
	redis_on_array("HMGET tft:said", "1764000015000 abcd", NULL);
	get("/", "");
	assert_int_equal(response.status, 200);
	assert_body("<!DOCTYPE html>");
	assert_in_range(response.render_us, 0, 10000000);
	assert_int_equal(response.bucket, BUCKET);
}

static void test_parameters_are_answered_from_the_snapshot(void **state)
{
	(void)state;
	get("/", "q=ppml0001");
	assert_int_equal(response.status, 200);
	assert_body("ppml0001");
	assert_true(response.render_us >= 0);
	assert_int_equal(response.etag[0], 'W');
	get("/", "sort=nonsense");
	assert_int_equal(response.status, 400);
	assert_int_equal(response.max_age_s, RESPONSE_NO_STORE);
	assert_null(response.type);
	get("/", "sort=nonsense&format=json");
	assert_int_equal(response.status, 400);
	assert_string_equal(response.type, "application/problem+json");
}

/* A page has a script that marks old data; who reads the API sees what it says alone. */
static void test_pages_may_be_shown_for_longer_than_answers_of_the_api(void **state)
{
	int64_t page;

	(void)state;
	get("/", "");
	page = response.stale_ok_s;
	get("/api/v1/alerts", "");
	assert_true(response.stale_ok_s < page);
	assert_true(page > 500);
}

/* Pages say what holds now, the API what held when the snapshot was made. */
static void test_pages_alone_ask_for_what_is_newer(void **state)
{
	(void)state;
	get("/", "q=ppml0001");
	assert_heard(redis_heard(), "HMGET tft:cur:status");
	get("/api/v1/alerts", "q=ppml0001");
	assert_null(strstr(redis_heard(), "HMGET tft:cur:status"));
}

static void test_large_answers_are_packed(void **state)
{
	size_t plain;

	(void)state;
	get("/", "q=ppml0001");
	plain = response.body.len;
	assert_false(response.gzip);
	make_request(&request, METHOD_GET, "/", "q=ppml0001");
	request.gzip = true;
	serve_request(serve, &request, &response);
	assert_true(response.gzip);
	assert_true(response.body.len < plain / 2);
	make_request(&request, METHOD_GET, "/healthz", "");
	request.gzip = true;
	serve_request(serve, &request, &response);
	assert_false(response.gzip);
	assert_true(span_is(response.body, "{\"status\":\"pass\"}"));
}

static void test_a_server_and_one_that_is_not_there(void **state)
{
	(void)state;
	get("/server/ppml0001", "");
	assert_int_equal(response.status, 200);
	assert_body("ppml0001");
	assert_heard(redis_heard(), "XRANGE tfthist:risk ");
	get("/server/nobody", "");
	assert_int_equal(response.status, 404);
	assert_body("No such server in the current snapshot.");
	get("/api/v1/servers/nobody", "");
	assert_int_equal(response.status, 404);
	assert_string_equal(response.type, "application/problem+json");
	assert_string_equal(response.service_desc, "../openapi.json");
}

static void test_incidents_of_a_period(void **state)
{
	const char *heard;

	(void)state;
	get("/incidents", "");
	assert_int_equal(response.status, 200);
	heard = redis_heard();
	assert_heard(heard, "XRANGE tfthist:full 1764000000000 1764000000000\n");
	assert_heard(heard, "XRANGE tfthist:incidents 1763913600000 1764000000000\n");
	get("/incidents", "range=7d");
	assert_heard(redis_heard(), "XRANGE tfthist:incidents 1763395200000 1764000000000\n");
	get("/incidents", "range=30d");
	assert_heard(redis_heard(), "XRANGE tfthist:incidents 1761408000000 1764000000000\n");
	redis_on("XRANGE", "-ERR\r\n");
	get("/incidents", "");
	assert_int_equal(response.status, 200);
	assert_null(strstr(response.body.ptr, "No incident"));
}

static void test_a_spreadsheet_has_the_time_of_its_data(void **state)
{
	(void)state;
	get("/heatmap", "format=csv");
	assert_int_equal(response.status, 200);
	assert_string_equal(response.filename, "tft_heatmap_20251124_160010.csv");
	get("/api/v1/alerts", "");
	assert_int_equal(response.status, 200);
	assert_null(response.filename);
	assert_string_equal(response.service_desc, "openapi.json");
	redis_on_nothing();
	get("/heatmap", "format=csv");
	assert_int_equal(response.status, 503);
	assert_string_equal(response.type, "application/problem+json");
	assert_string_equal(response.cache_status, "tft-redis; fwd=miss; detail=WARMING");
	assert_null(response.filename);
	assert_body("There are no data that may be shown.");
	redis_on_array("HMGET tft:brk:fleet", "warming-up", "1764000000000", "1764000030000");
	get("/heatmap", "format=csv");
	assert_int_equal(response.status, 503);
	assert_body("The prediction daemon is warming up: there are no data yet.");
}

/* If the names of the dashboard are configured, no copy may answer for another name. */
static void test_only_its_own_host_names(void **state)
{
	(void)state;
	(void)snprintf(settings.hosts, sizeof(settings.hosts), "%s", "dash.example");
	make_request(&request, METHOD_GET, "/", "");
	(void)snprintf(request.host, sizeof(request.host), "%s", "evil.example");
	serve_request(serve, &request, &response);
	assert_int_equal(response.status, 421);
	assert_null(response.type);
	make_request(&request, METHOD_GET, "/api/v1/alerts", "");
	(void)snprintf(request.host, sizeof(request.host), "%s", "evil.example");
	serve_request(serve, &request, &response);
	assert_int_equal(response.status, 421);
	assert_string_equal(response.type, "application/problem+json");
	make_request(&request, METHOD_GET, "/", "");
	(void)snprintf(request.host, sizeof(request.host), "%s", "dash.example");
	serve_request(serve, &request, &response);
	assert_int_equal(response.status, 200);
	assert_false(response.l1);
	assert_int_equal(response.stale_ok_s, 0);
	settings.hosts[0] = '\0';
	serve_request(serve, &request, &response);
	assert_true(response.l1);
	assert_true(response.stale_ok_s > 0);
}

static void test_errors(void **state)
{
	(void)state;
	get("/nowhere", "");
	assert_int_equal(response.status, 404);
	assert_null(response.type);
	get("/api/v1/nowhere", "");
	assert_string_equal(response.type, "application/problem+json");
	make_request(&request, METHOD_GET, "/nowhere", "");
	request.l1 = true;
	serve_request(serve, &request, &response);
	assert_int_equal(response.status, 200);
	assert_string_equal(response.retry_location, "@tft_without_copy");
	make_request(&request, METHOD_POST, "/", "");
	serve_request(serve, &request, &response);
	assert_int_equal(response.status, 405);
	assert_string_equal(response.allow, "GET, HEAD");
	make_request(&request, METHOD_GET, "/", "");
	serve_refusal(serve, &request, REQUEST_TOO_LONG, &response);
	assert_int_equal(response.status, 414);
	assert_null(response.type);
	serve_refusal(serve, &request, REQUEST_TOO_LARGE, &response);
	assert_int_equal(response.status, 413);
	make_request(&request, METHOD_GET, "/", "format=json");
	serve_refusal(serve, &request, REQUEST_BAD, &response);
	assert_int_equal(response.status, 400);
	assert_string_equal(response.type, "application/problem+json");
	make_request(&request, METHOD_GET, "/api/v1/alerts", "");
	serve_refusal(serve, &request, REQUEST_BAD, &response);
	assert_string_equal(response.type, "application/problem+json");
}

/* --- old data, and none --- */

static void test_old_data_are_shown_and_told(void **state)
{
	(void)state;
	on_snapshot("58799999", NOW_MS - 40000);
	get("/", "");
	assert_int_equal(response.status, 200);
	/* It is not late yet. */
	assert_true(span_is(response.body, "<p>stored</p>"));
	assert_string_equal(response.cache_status, "tft-redis; hit; ttl=-16; detail=BUSY");
	assert_int_equal(response.max_age_s, 0);
	assert_true(response.l1);
	assert_true(response.ending); /* somebody fetches */
	assert_false(serve_due(serve));
	redis_on_array("EVALSHA 8", "won", "58800000", "1764000015123", "e1");
	pass_ms(1000);
	get("/", "");
	assert_string_equal(response.cache_status, "tft-redis; hit; ttl=-16; detail=REFRESH");
	assert_true(response.ending);
	assert_true(serve_due(serve));
	/* Another request that arrived with it. */
	get("/", "");
	assert_string_equal(response.cache_status, "tft-redis; hit; ttl=-16; detail=BUSY");
	fetch_orders();
	serve_after(serve);
	assert_non_null(strstr(fetch_orders(), "/predictions/current"));
	assert_false(serve_due(serve));
}

/* Its page is answered after the claim, whose reply takes the place of those before. */
static void test_a_stale_page_outlives_the_claim(void **state)
{
	static char long_word[16384];

	(void)state;
	memset(long_word, 'x', sizeof(long_word) - 1);
	on_snapshot("58799999", NOW_MS - 40000);
	redis_on_array("EVALSHA 8", "busy", "58800000", "1764000015123", "e1", "9000", long_word);
	get("/", "");
	assert_true(span_is(response.body, "<p>stored</p>"));
}

static void test_a_flush_is_told(void **state)
{
	(void)state;
	redis_on("GET tft:epoch:fleet", "$2\r\ne2\r\n");
	get("/", "");
	assert_string_equal(response.cache_status, "tft-redis; hit; ttl=14; detail=FLUSHED");
	assert_body("<!DOCTYPE html>");
	assert_int_equal(response.max_age_s, 0);
	pass_ms(1000);
	redis_on_array("EVALSHA 8", "won", "58800000", "1764000015123", "e2");
	get("/", "");
	assert_string_equal(response.cache_status, "tft-redis; hit; ttl=14; detail=REFRESH");
}

/* A refresh asks for the small groups itself. */
static void test_who_refreshes_asks_for_the_state_once(void **state)
{
	const char *orders, *status;

	(void)state;
	on_snapshot("58799999", NOW_MS - 40000);
	redis_on_array("EVALSHA 8", "won", "58800000", "1764000015123", "e1");
	get("/", "");
	fetch_orders();
	serve_after(serve);
	orders = fetch_orders();
	assert_non_null(strstr(orders, "/predictions/current "));
	status = strstr(orders, "/status ");
	assert_non_null(status);
	assert_null(strstr(status + 1, "/status "));
}

static void on_warm_status(void)
{
	redis_on_array("HMGET tft:cur:scenario", "882000007", "e1", "1764000014123", "-", "0");
	redis_on_entry(
		"HMGET tft:scenario:882000007", "scenario", "-",
		SPAN("{\"scenario\":\"critical\",\"affected_servers\":[],\"total_affected\":0,"
		     "\"fleet_size\":9}"),
		"");
	redis_on_array("HMGET tft:cur:status", "882000007", "e1", "1764000014123", "-", "0");
	redis_on("GET tft:epoch:", "$2\r\ne1\r\n");
	redis_on_entry(
		"HMGET tft:status:882000007", "status", "-",
		SPAN("{\"tick_count\":5,\"warmup\":{\"is_warmed_up\":true,"
		     "\"progress_percent\":100,\"current_size\":200,\"required_size\":150}}"),
		"");
}

/* Its own time is told unless fresh data say the same. */
static void test_the_state_of_warm_up_has_its_time(void **state)
{
	static const char told[] =
		"\"required_size\":150,\"asked_at\":\"2025-11-24T16:00:14.123Z\"}";

	(void)state;
	on_warm_status();
	get("/api/v1/status", "");
	assert_body("\"required_size\":150,\"asked_at\":null}");
	/* What it plays is not what the data say. */
	refresh.scenario_configured = true;
	get("/api/v1/status", "");
	assert_body("\"affected_servers\":[],\"asked_at\":\"2025-11-24T16:00:14.123Z\"}");
	refresh.scenario_configured = false;
	on_snapshot("58799999", NOW_MS - 700000);
	get("/api/v1/status", "");
	assert_body(told);
	redis_on_nothing();
	on_warm_status();
	get("/api/v1/status", "");
	assert_body(told);
}

/* Of the daemon; the data are those of the bucket before. */
static void on_open_breaker(void)
{
	on_snapshot("58799999", NOW_MS - 40000);
	redis_on_array("HMGET tft:brk:fleet", "connection-refused", "1764000000000",
		       "1764000030000");
	redis_on_array("EVALSHA 8", "open", "58800000", "1764000015123", "e1", "9000");
}

/* For a moment what Redis said last still holds. */
static void test_right_after_redis_went_its_last_word_is_told(void **state)
{
	(void)state;
	on_open_breaker();
	get("/", "");
	serve_after(serve); /* keeps the snapshot */
	redis_reset();
	get("/", "");
	assert_int_equal(response.status, 200);
	assert_body("connection refused");
}

/* Neither with a budget that is used up nor while the breaker is open. */
static void test_where_nothing_newer_will_come_the_page_is_not_ending(void **state)
{
	static const struct {
		const char *claim;
		bool ending;
	} rows[] = {{"busy", true}, {"budget", false}, {"open", false}};

	(void)state;
	on_snapshot("58799999", NOW_MS - 40000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pass_ms(20000);
		redis_on_array("EVALSHA 8", rows[i].claim, "58800000", "1764000015123", "e1",
			       "9000");
		get("/", "");
		assert_int_equal(response.ending, rows[i].ending);
	}
}

static void test_an_open_breaker_is_told(void **state)
{
	(void)state;
	on_open_breaker();
	get("/", "");
	assert_string_equal(response.cache_status, "tft-redis; hit; ttl=-16; detail=OPEN");
	assert_body("connection refused");
	assert_true(response.l1);
	assert_false(response.ending); /* nothing newer will come */
}

static void test_cold_is_503_and_warming_up_is_an_answer(void **state)
{
	(void)state;
	redis_on_nothing();
	get("/", "");
	assert_int_equal(response.status, 503);
	assert_int_equal(response.retry_after_s, 1);
	assert_int_equal(response.max_age_s, RESPONSE_NO_STORE);
	assert_int_equal(response.etag[0], '\0');
	assert_string_equal(response.cache_status, "tft-redis; fwd=miss; detail=WARMING");
	redis_on_array("HMGET tft:brk:fleet", "warming-up", "1764000000000", "1764000030000");
	get("/", "");
	assert_int_equal(response.status, 200);
	assert_int_equal(response.retry_after_s, 0);
}

/* The pointer has moved between the two reads, or its entry is gone. */
static void test_a_damaged_snapshot_is_the_one_before(void **state)
{
	(void)state;
	redis_on_entry("HMGET tft:fleet:58799999", "fleet", "s0", buf_span(&compact), "");
	redis_on_array("HMGET tft:fleet:58800000", NULL, NULL);
	get("/", "q=ppml0001");
	assert_int_equal(response.status, 200);
	assert_body("ppml0001");
	assert_int_equal(response.bucket, BUCKET - 1);
	redis_on_array("HMGET tft:fleet:58799999", NULL, NULL);
	get("/", "q=ppml0001");
	assert_int_equal(response.status, 503);
}

/* --- the past --- */

#define THEN_MS 1763999970000 /* 15:59:30, the bucket before that of now */

#define AT_THEN "at=2025-11-24T15:59:30Z"

static void on_moment_of(const char *begins, int64_t ms, const char *field)
{
	struct snapshot *snap = golden_snapshot("predictions_current-healthy-20");
	struct buf record;

	snap->bucket = ms / 30000;
	snap->interval_ms = 30000;
	snap->gen_ms = ms;
	buf_init(&record, 1 << 20);
	moment_encode(snap, &record);
	snapshot_free(&snap);
	redis_on_stream(begins, ms, field, buf_span(&record));
	buf_free(&record);
}

static void on_moment(int64_t ms)
{
	redis_on("XREVRANGE", "*0\r\n");
	on_moment_of("XREVRANGE tfthist:full", ms, "m");
}

static void test_a_moment_of_the_past_never_changes(void **state)
{
	(void)state;
	on_moment(THEN_MS);
	get("/heatmap", "at=2025-11-24T15:59:30Z");
	assert_int_equal(response.status, 200);
	assert_body("ppml0001");
	assert_null(strstr(redis_heard(), "EVALSHA 8")); /* nothing is claimed */
	assert_string_equal(response.cache_status, "tft-redis; hit; detail=PAST");
	assert_int_equal(response.bucket, BUCKET - 1);
	assert_true(response.immutable);
	assert_int_equal(response.max_age_s, 86400);
	assert_int_equal(response.etag[0], 'W');
	assert_in_range(response.redis_us, 0, 10000000);
	assert_in_range(response.render_us, 0, 10000000);
	assert_false(response.gzip);
	get("/api/v1/alerts", "at=2025-11-24T15:59:30Z");
	assert_string_equal(response.type, "application/json");
	get("/heatmap", "format=csv&at=2025-11-24T15:59:30Z");
	assert_int_equal(response.status, 200);
	assert_string_equal(response.filename, "tft_heatmap_20251124_155930.csv");
	assert_true(response.immutable);
}

static void test_the_day_before_a_moment(void **state)
{
	(void)state;
	on_moment(THEN_MS);
	get("/heatmap", AT_THEN);
	assert_body("No history is kept of the day before this moment.");
	redis_on_stream("XRANGE tfthist:hours", 1763917200000, "d",
			SPAN("1763917230030 1 0.5 0.5 0 1 0 0 0 0 1 900 850 ppdb001 healthy"));
	get("/heatmap", AT_THEN);
	assert_body("<svg id=\"strip\"");
}

static void test_a_moment_whose_bucket_is_not_over_may_still_change(void **state)
{
	(void)state;
	on_moment(THEN_MS + 30000);
	get("/heatmap", "at=2025-11-24T16:00:00Z");
	assert_int_equal(response.status, 200);
	assert_false(response.immutable);
	assert_int_equal(response.max_age_s, 0);
	redis_on_time(THEN_MS + 60000); /* the first moment of the next bucket */
	pass_ms(1000);
	get("/", "");
	get("/heatmap", "at=2025-11-24T16:00:00Z");
	assert_true(response.immutable);
}

static void test_a_comparison_in_the_past(void **state)
{
	(void)state;
	on_moment(THEN_MS);
	get("/changes", "since=1h&at=2025-11-24T15:59:30Z");
	assert_int_equal(response.status, 200);
	assert_true(response.immutable);
	assert_heard(redis_heard(), "XREVRANGE tfthist:full 1763996370000 ");
	/* With one whose bucket is not over. */
	get("/changes", "since=2025-11-24T16:00:00Z&at=2025-11-24T15:59:30Z");
	assert_int_equal(response.status, 200);
	assert_false(response.immutable);
	/* Nothing is kept of the moment that the CSV would compare with. */
	redis_on("XREVRANGE tfthist:full 1763996370000 ", "*0\r\n");
	redis_on("XREVRANGE tfthist:full 1763996400000 ", "*0\r\n");
	redis_on("XREVRANGE tfthist:thin", "*0\r\n");
	get("/changes", "since=1h&format=csv&at=2025-11-24T15:59:30Z");
	assert_int_equal(response.status, 404);
	get("/changes", "since=1h&format=csv");
	assert_int_equal(response.status, 404);
	assert_body("Nothing is kept of the moment to compare with.");
	assert_string_equal(response.type, "application/problem+json");
	redis_on("XREVRANGE", "-LOADING\r\n");
	get("/changes", "since=1h&format=csv");
	assert_int_equal(response.status, 503);
	assert_body("The shared cache cannot be reached.");
	get("/changes", "since=1h");
	assert_int_equal(response.status, 200);
}

static void test_a_page_of_the_past_is_one_round_trip(void **state)
{
	static const char *const pages[][2] = {
		{"/", AT_THEN},
		{"/heatmap", AT_THEN},
		{"/top", AT_THEN},
		{"/server/ppml0001", AT_THEN},
		{"/history", AT_THEN},
		{"/history", "range=7d&" AT_THEN},
		{"/history", "range=8h&" AT_THEN},
		{"/incidents", AT_THEN},
		{"/changes", AT_THEN},
		{"/cost", AT_THEN},
		{"/api/v1/history", AT_THEN},
		{"/api/v1/servers/ppml0001", AT_THEN},
		{"/api/v1/changes", "since=1h&" AT_THEN},
		{"/api/v1/incidents", AT_THEN},
	};

	(void)state;
	on_moment(THEN_MS);
	get("/", ""); /* tells the clock */
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		size_t before = redis.batches;

		get(pages[i][0], pages[i][1]);
		if (response.status != 200 || redis.batches - before != 1)
			fail_msg("%s: %d, %zu batches", pages[i][0], response.status,
				 redis.batches - before);
	}
}

/* Where one moment in five minutes is kept: what was read beside it ends too late, and is read again. */
static void test_the_history_of_an_older_moment_ends_with_it(void **state)
{
	const char *heard;

	(void)state;
	on_moment_of("XREVRANGE tfthist:thin", THEN_MS - 60000, "t");
	redis_on("XREVRANGE tfthist:full", "*0\r\n");
	get("/", "");
	redis_heard();
	get("/history", AT_THEN);
	assert_int_equal(response.status, 200);
	heard = redis_heard();
	assert_heard(heard, "XRANGE tfthist:fleet 1763998110000 1763999910000\n");
	assert_null(strstr(heard, "tfthist:forecasts")); /* nothing of a server */
}

static void test_a_view_of_the_past_has_one_address(void **state)
{
	(void)state;
	get("/heatmap", "at=2025-11-24T15:59:59.999Z&profile=ml");
	assert_int_equal(response.status, 302);
	assert_true(span_is(response.location, "?profile=ml&at=2025-11-24T15:59:30Z"));
	get("/changes", "since=2025-11-24T15:00:01Z&at=2025-11-24T15:59:30Z");
	assert_int_equal(response.status, 302);
	assert_true(
		span_is(response.location, "?since=2025-11-24T15:00:00Z&at=2025-11-24T15:59:30Z"));
	get("/heatmap", "view=compact&at=2025-11-24T15:59:31Z");
	assert_int_equal(response.status, 302);
	assert_string_equal(redis_heard(), "");
}

/* Redis gives them in the order of their ends. */
static void test_incidents_of_the_past_come_newest_first(void **state)
{
	const char *older, *newer;

	(void)state;
	on_moment(THEN_MS);
	redis_on("XRANGE tfthist:incidents",
		 "*2\r\n*2\r\n$15\r\n1763990100000-0\r\n*2\r\n$1\r\ni\r\n$48\r\n"
		 "1 s 1763990000000 60000 0 90000 1 800 0 0 older1\r\n"
		 "*2\r\n$15\r\n1763995100000-0\r\n*2\r\n$1\r\ni\r\n$48\r\n"
		 "1 s 1763995000000 60000 0 90000 1 800 0 0 newer1\r\n");
	get("/incidents", AT_THEN);
	assert_int_equal(response.status, 200);
	older = memmem(response.body.ptr, response.body.len, ">older1<", 8);
	newer = memmem(response.body.ptr, response.body.len, ">newer1<", 8);
	assert_true(older && newer && newer < older);
}

static void test_a_moment_that_is_not_there(void **state)
{
	(void)state;
	redis_on("XREVRANGE", "*0\r\n");
	get("/heatmap", "at=2025-11-24T15:59:30Z");
	assert_int_equal(response.status, 404);
	assert_body("Nothing is kept of the moment that was asked for.");
	assert_null(response.type);
	get("/heatmap", "at=2025-11-24T16:00:30Z");
	assert_int_equal(response.status, 404);
	assert_body("The moment that was asked for has not come yet.");
	get("/api/v1/alerts", "at=2025-11-24T15:59:30Z");
	assert_int_equal(response.status, 404);
	assert_string_equal(response.type, "application/problem+json");
	redis_on_time(THEN_MS + 60000);
	pass_ms(1000);
	get("/", "");
	get("/heatmap", "at=2025-11-24T16:00:30Z"); /* it is now */
	assert_body("Nothing is kept of the moment that was asked for.");
	on_moment(THEN_MS);
	get("/server/nobody", "at=2025-11-24T15:59:30Z");
	assert_int_equal(response.status, 404);
	assert_body("No such server at that moment.");
	assert_null(response.type);
	get("/api/v1/servers/nobody", "at=2025-11-24T15:59:30Z");
	assert_int_equal(response.status, 404);
	assert_string_equal(response.type, "application/problem+json");
	get("/server/ppml0001", "at=2025-11-24T15:59:30Z");
	assert_int_equal(response.status, 200);
	redis_reset();
	get("/heatmap", "at=2025-11-24T15:59:30Z");
	assert_int_equal(response.status, 503);
	assert_int_equal(response.retry_after_s, 1);
	assert_null(response.type);
	get("/api/v1/alerts", "at=2025-11-24T15:59:30Z");
	assert_int_equal(response.status, 503);
	assert_string_equal(response.type, "application/problem+json");
}

static void assert_incomplete(const char *path, const char *query)
{
	get(path, query);
	assert_int_equal(response.status, 200);
	assert_body("Part of what belongs to this moment cannot be read.");
	assert_false(response.immutable);
	assert_int_equal(response.max_age_s, 0);
}

/* Whatever is read beside the moment itself: the page shows all the rest, and nobody keeps it. */
static void test_what_redis_refuses_of_a_moment_costs_its_part_only(void **state)
{
	static const char *const refused[][3] = {
		{"XRANGE tfthist:hours", "/heatmap", AT_THEN},
		{"XRANGE tfthist:risk ", "/heatmap", AT_THEN},
		{"XRANGE tfthist:riskhours", "/server/ppml0001", AT_THEN},
		{"XREVRANGE tfthist:forecasts", "/server/ppml0001", AT_THEN},
		{"XRANGE tfthist:fleet", "/history", AT_THEN},
		{"XRANGE tfthist:incidents", "/incidents", AT_THEN},
		{"XRANGE tfthist:accuracy", "/accuracy", AT_THEN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		redis_on("XRANGE", "*0\r\n");
		on_moment(THEN_MS);
		get(refused[i][1], refused[i][2]);
		assert_int_equal(response.status, 200);
		assert_true(response.immutable);
		redis_on(refused[i][0], "-WRONGTYPE no stream\r\n");
		assert_incomplete(refused[i][1], refused[i][2]);
		redis_on(refused[i][0], "*0\r\n");
	}
	/* What no strip of a day stands beside. */
	redis_on("XRANGE tfthist:fleet", "-WRONGTYPE no stream\r\n");
	get("/api/v1/history", AT_THEN);
	assert_int_equal(response.status, 200);
	assert_false(response.immutable);
}

/* --- Redis away --- */

static void test_without_redis_the_last_snapshot_is_shown(void **state)
{
	(void)state;
	get("/", "");
	serve_after(serve); /* keeps the snapshot */
	redis_reset();
	get("/", "");
	assert_int_equal(response.status, 200);
	assert_string_equal(response.cache_status, "tft-local; hit; ttl=14");
	assert_int_equal(response.bucket, BUCKET);
	assert_int_equal(response.age_ms, 5100);
	assert_false(serve_due(serve));
	/* After a moment the page says so, and the worker fetches if the data are old. */
	pass_ms(40000);
	get("/", "");
	assert_int_equal(response.status, 200);
	assert_int_equal(response.max_age_s, 0);
	assert_true(serve_due(serve));
	fetch_orders();
	serve_after(serve);
	assert_non_null(strstr(fetch_orders(), "/predictions/current"));
	get("/", "");
	assert_in_range(response.age_ms, 0, 200);
}

/* Redis answers, and then does not, or what it has is spoilt. */
static void test_without_a_snapshot_in_redis_the_last_one_is_shown(void **state)
{
	(void)state;
	get("/", "");
	serve_after(serve); /* keeps the snapshot */
	redis_on_array("HMGET tft:fleet:58800000", NULL, NULL);
	get("/", "q=ppml0001");
	assert_int_equal(response.status, 200);
	assert_string_equal(response.cache_status, "tft-local; hit; ttl=14");
	assert_int_equal(response.bucket, BUCKET);
	assert_body("ppml0001");
}

/* Moments are only in Redis: after the grace period, a request for one makes a fetch due. */
static void test_without_redis_forecasts_are_fetched(void **state)
{
	(void)state;
	pass_ms(40000); /* it is this worker's turn */
	get("/", "");
	serve_after(serve);
	redis_reset();
	get("/server/ppml0001", "");
	assert_false(serve_due(serve));
	pass_ms(3000);
	get("/", "");
	assert_false(serve_due(serve));
	get("/server/ppml0001", "");
	assert_int_equal(response.status, 200);
	assert_true(serve_due(serve));
	get("/top", "");
	assert_true(serve_due(serve));
	get("/heatmap", "");
	assert_false(serve_due(serve));
}

/* After an outage the own snapshot is the best there is. */
static void test_a_redis_that_came_back_empty(void **state)
{
	(void)state;
	get("/", "");
	serve_after(serve);
	redis_reset();
	get("/", "");
	assert_string_equal(response.cache_status, "tft-local; hit; ttl=14");
	pass_ms(5000);
	redis_on_nothing();
	redis_on_array("EVALSHA 8", "busy", "58800000", "1764000015123", "e1", "9000");
	redis_on_time(NOW_MS + 5000);
	get("/", "");
	assert_int_equal(response.status, 200);
	assert_memory_equal(response.cache_status, "tft-local; hit; ttl=9", 21);
	assert_int_equal(response.bucket, BUCKET);
}

/* Whoever empties it on purpose sees no old data. */
static void test_a_redis_that_was_emptied(void **state)
{
	(void)state;
	get("/", "");
	serve_after(serve);
	redis_on_nothing();
	redis_on_array("EVALSHA 8", "busy", "58800000", "1764000015123", "e1", "9000");
	get("/", "");
	assert_int_equal(response.status, 503);
	assert_string_equal(response.cache_status, "tft-redis; fwd=miss; detail=WARMING");
	redis_reset();
	get("/", "");
	assert_int_equal(response.status, 503);
}

static void test_without_redis_and_a_snapshot(void **state)
{
	/* Those that need no snapshot. */
	static const struct {
		const char *path, *words;
	} standalone[] = {
		{"/docs", "id=\"word-limit\""},     {"/roadmap", "<h1>Roadmap"},
		{"/advanced", "<h1>Advanced</h1>"}, {"/badge/fleet.svg", "no data"},
		{"/badge/ppml0001.svg", "no data"},
	};

	(void)state;
	redis_reset();
	for (size_t i = 0; i < sizeof(standalone) / sizeof(standalone[0]); i++) {
		get(standalone[i].path, "");
		assert_body(standalone[i].words);
	}
	get("/", "");
	assert_int_equal(response.status, 503);
	assert_body("The shared cache cannot be reached.");
	get("/api/v1/alerts", "");
	assert_string_equal(response.type, "application/problem+json");
	pass_ms(2500);
	get("/", "");
	assert_body("The shared cache cannot be reached.");
	pass_ms(3000);
	get("/", "");
	assert_int_equal(response.status, 503);
	assert_null(memmem(response.body.ptr, response.body.len,
			   "The shared cache cannot be reached.", 34));
}

/* The worker has its snapshot; then Redis refuses writes. */
static void refuse_writes(void)
{
	get("/", "");
	serve_after(serve); /* keeps the snapshot */
	on_snapshot("58799999", NOW_MS - 40000);
	redis_on("EVALSHA", "-READONLY You can't write against a read only replica.\r\n");
	get("/", "");
	serve_after(serve);
}

/* It answers but refuses writes: after the grace period each worker fetches for itself. */
static void test_a_redis_that_takes_no_writes(void **state)
{
	(void)state;
	refuse_writes();
	pass_ms(2000);
	redis_on_time(NOW_MS + 2000);
	get("/", "");
	assert_string_equal(response.cache_status, "tft-redis; hit; ttl=-18; detail=BUSY");
	serve_after(serve);
	pass_ms(4000);
	redis_on_time(NOW_MS + 6000);
	get("/", "");
	/* Its own snapshot is newer than the one in Redis. */
	assert_string_equal(response.cache_status, "tft-local; hit; ttl=8");
	assert_int_equal(response.bucket, BUCKET);
	assert_body("<!DOCTYPE html>");
	pass_ms(30000);
	redis_on_time(NOW_MS + 36000);
	fetch_orders();
	get("/", "");
	assert_true(serve_due(serve));
	serve_after(serve);
	assert_non_null(strstr(fetch_orders(), "/predictions/current"));
	redis_on_array("EVALSHA", "ok");
	redis_on_array("EVALSHA 8", "busy", "58800001", "1764000015123", "e1", "9000");
	redis_on_pointer("58800001", "e1", NOW_MS + 36000, "s1");
	pass_ms(10000);
	get("/readyz", "");
	assert_int_equal(response.status, 200);
}

/* --- health --- */

static void test_readyz(void **state)
{
	(void)state;
	get("/readyz", "");
	assert_int_equal(response.status, 200);
	assert_body("{\"status\":\"pass\",\"checks\":{\"redis\":\"pass\",\"data\":\"pass\"}}");
	on_snapshot("58799999", NOW_MS - 700000);
	get("/readyz", "");
	assert_int_equal(response.status, 503);
	assert_body("{\"status\":\"fail\",\"checks\":{\"redis\":\"pass\",\"data\":\"fail\"}}");
	on_snapshot("58800000", GEN_MS);
	get("/", "");
	serve_after(serve);
	redis_reset();
	get("/readyz", "");
	assert_int_equal(response.status, 200);
	assert_body("{\"status\":\"warn\",\"checks\":{\"redis\":\"warn\",\"data\":\"pass\"}}");
}

/* It answers, though not for us, or takes nothing. */
static void test_the_health_of_a_redis_that_is_of_no_use(void **state)
{
	(void)state;
	redis_on("EVALSHA 8", "-READONLY You can't write against a read only replica.\r\n");
	on_snapshot("58799999", NOW_MS - 40000);
	get("/", "");
	get("/readyz", "");
	assert_int_equal(response.status, 200);
	assert_body("{\"status\":\"warn\",\"checks\":{\"redis\":\"warn\",\"data\":\"pass\"},"
		    "\"output\":\"");
	get("/metrics", "");
	assert_body("tft_dashboard_redis_up 1\n");
	assert_body("tft_dashboard_redis_writable 0\n");
	get("/api/v1/status", "");
	assert_body("\"refuses\"");
	redis_on_array("HMGET tft:cur:fleet", "58800000", "e1", "1764000010123", "s1", "600",
		       "fedcba9876543210");
	get("/readyz", "");
	assert_int_equal(response.status, 503);
	get("/metrics", "");
	assert_body("tft_dashboard_redis_up 1\n");
	assert_body("tft_dashboard_redis_writable 0\n");
}

#define CALL "1764000015000", /* its time */

static void test_metrics(void **state)
{
	(void)state;
	redis_on_array("LRANGE tft:budget:fleet", "1764000015000");
	redis_on("XRANGE tfthist:accuracy", "*0\r\n");
	get("/metrics", "");
	assert_int_equal(response.status, 200);
	assert_string_equal(response.type, "text/plain; version=0.0.4; charset=utf-8");
	assert_body("tft_dashboard_redis_up 1\n");
	assert_body("tft_dashboard_redis_writable 1\n");
	assert_body("tft_dashboard_upstream_up 1\n");
	assert_body("tft_dashboard_upstream_budget_left 25\n");
	assert_body("tft_dashboard_snapshot_age_seconds 5\n");
	assert_body("# TYPE tft_dashboard_snapshot_bytes gauge\ntft_dashboard_snapshot_bytes ");
	assert_body("# TYPE tft_forecast_skill gauge\n");
	assert_heard(redis_heard(), "XRANGE tfthist:accuracy ");
	redis_on_array("LRANGE tft:budget:fleet",
		       CALL CALL CALL CALL CALL CALL CALL CALL CALL CALL CALL CALL CALL CALL CALL
			       CALL CALL CALL CALL CALL CALL CALL CALL CALL CALL "1764000015000");
	get("/metrics", "");
	assert_body("tft_dashboard_upstream_budget_left 0\n");
	redis_reset();
	get("/metrics", "");
	assert_body("tft_dashboard_redis_up 0\n");
	assert_body("tft_dashboard_redis_writable 0\n");
	assert_null(memmem(response.body.ptr, response.body.len, "budget_left", 11));
	assert_null(memmem(response.body.ptr, response.body.len, "age_seconds", 11));
	assert_null(memmem(response.body.ptr, response.body.len, "snapshot_bytes", 14));
	assert_null(memmem(response.body.ptr, response.body.len, "tft_forecast", 12));
}

static bool has(const char *text)
{
	return memmem(response.body.ptr, response.body.len, text, strlen(text));
}

static void test_the_fleet_for_prometheus(void **state)
{
	char unknown[4096];
	size_t len, batches;

	(void)state;
	get("/metrics/flee", "");
	len = response.body.len;
	assert_true(len < sizeof(unknown));
	memcpy(unknown, response.body.ptr, len);
	get("/metrics/fleet", "");
	assert_int_equal(response.status, 404);
	assert_true(span_eq(response.body, (struct span){unknown, len}));
	settings.fleet_metrics = 1;
	get("/metrics/fleet", ""); /* tells where the pointer is */
	batches = redis.batches;
	get("/metrics/fleet", "");
	assert_int_equal(redis.batches, batches + 1);
	assert_int_equal(response.status, 200);
	assert_string_equal(response.type, "text/plain; version=0.0.4; charset=utf-8");
	assert_true(has("\ntft_server_risk{server=\"ppml0001\",profile=\"ml\"} "));
	assert_true(has("\ntft_snapshot_timestamp_seconds 1764000010.123\n"));
	settings.fleet_metrics = 0;
}

/* Nobody alerts on numbers that nobody should act on. */
static void test_old_data_for_prometheus_are_their_time_alone(void **state)
{
	static const int64_t ages[] = {700000, 3700000};

	(void)state;
	settings.fleet_metrics = 1;
	for (size_t i = 0; i < 2; i++) {
		on_snapshot("58799999", NOW_MS - ages[i]);
		get("/metrics/fleet", "");
		assert_int_equal(response.status, 200);
		assert_true(has("\ntft_snapshot_timestamp_seconds 17639"));
		assert_false(has("tft_server"));
		assert_false(has("tft_environment_status"));
	}
	redis_reset();
	get("/metrics/fleet", "");
	assert_int_equal(response.body.len, 0);
	settings.fleet_metrics = 0;
}

static void test_the_status_of_the_api(void **state)
{
	(void)state;
	get("/api/v1/status", "");
	assert_int_equal(response.status, 200);
	assert_body("\"bucket\":58800000");
	assert_body("\"next_bucket\":\"2025-11-24T16:00:30.000Z\"");
	assert_true(response.l1);
	assert_int_equal(response.max_age_s, 0);
	assert_string_equal(response.service_desc, "openapi.json");
	get("/api/v1/openapi.json", "");
	assert_int_equal(response.status, 200);
	assert_body("\"openapi\"");
	assert_int_equal(response.stale_ok_s, 3600);
	assert_true(response.l1);
}

/* --- actions and the page of operators --- */

static void post(const char *path, const char *query, const char *body)
{
	make_request(&request, METHOD_POST, path, query);
	(void)snprintf(request.fetch_site, sizeof(request.fetch_site), "%s", "same-origin");
	(void)snprintf(request.content_type, sizeof(request.content_type), "%s",
		       "application/x-www-form-urlencoded");
	(void)snprintf(request.body, sizeof(request.body), "%s", body);
	request.body_len = strlen(body);
	serve_request(serve, &request, &response);
}

static void test_a_refresh_at_once(void **state)
{
	(void)state;
	settings.anonymous = ROLE_OPERATOR;
	post("/refresh", "", "");
	assert_int_equal(response.status, 303);
	assert_true(span_is(response.location, "advanced?notice=refreshed"));
	assert_heard(redis_heard(), "tft:actions ");
	post("/refresh", "format=json", "");
	assert_int_equal(response.status, 200);
	assert_body("{\"action\":\"refresh\",\"result\":\"done\"}");
	redis_on_array("EVALSHA 0", "limited", "4001");
	post("/refresh", "", "");
	assert_int_equal(response.status, 429);
	assert_int_equal(response.retry_after_s, 5);
	redis_on_array("EVALSHA 0", "limited", "4000");
	post("/refresh", "", "");
	assert_int_equal(response.retry_after_s, 4);
	redis_on("EVALSHA 0", "-READONLY no\r\n");
	post("/refresh", "", "");
	assert_int_equal(response.status, 503);
	assert_int_equal(response.retry_after_s, 1);
	post("/refresh", "format=nonsense", "");
	assert_int_equal(response.status, 400);
	settings.anonymous = ROLE_VIEWER;
	post("/refresh", "", "");
	assert_int_equal(response.status, 403);
}

/* The generator answers that it plays this one. */
static void put_scenario(const char *name)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
		       "{\"scenario\":\"%s\",\"total_affected\":1,\"fleet_size\":2}", name);
	fetch_answers_text("scenario", "0 200", text);
}

static void test_a_change_of_the_scenario(void **state)
{
	(void)state;
	settings.anonymous = ROLE_OPERATOR;
	post("/scenario", "", "scenario=critical&confirm=1");
	assert_int_equal(response.status, 404);
	refresh.scenario_configured = true;
	fetch_says("set", "0 200 0 -");
	fetch_answers("scenario", "scenario_status-degrading-20.json");
	post("/scenario", "", "scenario=nonsense&confirm=1");
	assert_int_equal(response.status, 400);
	post("/scenario", "", "scenario=degrading");
	assert_int_equal(response.status, 400);
	post("/scenario", "", "scenario=degrading&confirm=11");
	assert_int_equal(response.status, 400);
	fetch_orders();
	on_warm_status();
	redis_heard();
	post("/scenario", "", "x=1&scenario=degrading&confirm=1");
	assert_heard(redis_heard(), " scenario.set done critical degrading ");
	assert_int_equal(response.status, 303);
	assert_true(span_is(response.location, "advanced?notice=degrading"));
	assert_non_null(
		strstr(fetch_orders(), "/scenario/set key= post={\"scenario\":\"degrading\"} "));
	post("/scenario", "format=json", "scenario=degrading&confirm=1");
	assert_int_equal(response.status, 200);
	assert_body("{\"action\":\"scenario.set\",\"result\":\"done\",\"scenario\":\"degrading\","
		    "\"total_affected\":4}");
	post("/scenario", "format=json", "scenario=critical&confirm=1");
	assert_int_equal(response.status, 502);
	assert_body("\"scenario\":\"degrading\"");
	/* What is no word would be two fields of the record. */
	put_scenario("two words");
	post("/scenario", "format=json", "scenario=degrading&confirm=1");
	assert_int_equal(response.status, 502);
	assert_heard(redis_heard(), " scenario.set unchanged critical - ");
	put_scenario("word~!");
	post("/scenario", "format=json", "scenario=degrading&confirm=1");
	assert_heard(redis_heard(), " scenario.set unchanged critical word~! ");
	fetch_forget();
	fetch_says("scenario", "2 0 0 -");
	post("/scenario", "format=json", "scenario=critical&confirm=1");
	assert_int_equal(response.status, 502);
	assert_body("\"scenario\":null,\"total_affected\":null}");
	assert_heard(redis_heard(), " scenario.set ");
}

/* ---- silences ---- */

#define SILENCE_ID "3b1f0c1e-90ab"

static void use_alertmanagers(const char *urls, size_t count)
{
	alerting_begin(&refresh, &upstream, urls, count);
	settings.anonymous = ROLE_OPERATOR;
}

static void test_a_silence_is_asked_for(void **state)
{
	const char *orders, *heard;

	(void)state;
	settings.anonymous = ROLE_OPERATOR;
	post("/silence", "", "server=ppweb001&hours=1&comment=x");
	assert_int_equal(response.status, 404);
	post("/silence-end", "", "id=" SILENCE_ID);
	assert_int_equal(response.status, 404);
	use_alertmanagers("http://a:9093,http://b:9093", 2);
	fetch_answers_text("silences", "0 200", "{\"silenceID\":\"" SILENCE_ID "\"}");
	fetch_orders();
	post("/silence", "", "server=a%2522%250A%25257B&hours=4&ends=&comment=disk+swap");
	assert_int_equal(response.status, 303);
	assert_true(span_is(response.location, "advanced?notice=silenced"));
	orders = fetch_orders();
	assert_non_null(strstr(orders, "http://a:9093/api/v2/silences "));
	assert_null(strstr(orders, "http://b:9093"));
	assert_non_null(strstr(orders, "\"server\",\"value\":\"a\\\"\\u000a%7B\""));
	assert_non_null(strstr(orders, "\"createdBy\":\"operator\",\"comment\":\"disk swap\""));
	heard = redis_heard();
	assert_heard(heard, " silence.set done - 20");
	assert_heard(heard, "SET tft:epoch:alertmanager "); /* so that it is read again */
	post("/silence", "format=json", "profile=db&q=Ab&ends=2025-11-25T00:00:00Z&comment=x");
	assert_int_equal(response.status, 200);
	assert_body("\"silence\":\"" SILENCE_ID "\",\"until\":\"2025-11-25T00:00:00Z\"}");
	orders = fetch_orders();
	assert_non_null(strstr(orders, "\"profile\",\"value\":\"db\""));
	assert_non_null(strstr(orders, "(?s).*[aA][bB].*"));
	post("/silence", "", "profile=ml&hours=1&comment=x");
	assert_non_null(strstr(fetch_orders(), "\"profile\",\"value\":\"ml\""));
	fetch_forget();
}

#define TENTH                                                                                      \
	"1234567890123456789012345678901234567890123456789012345678901234567890123456789012345"
#define LONG TENTH TENTH TENTH TENTH TENTH TENTH TENTH TENTH TENTH TENTH /* than any field */

static void test_an_incomplete_silence_is_not_asked_for(void **state)
{
	static const char *const forms[] = {
		"hours=1&comment=x",
		"server=&profile=&q=&hours=1&comment=x",
		"server=a&profile=db&hours=1&comment=x",
		"server=%25ff&hours=1&comment=x",
		"server=a%2500b&hours=1&comment=x",
		"profile=none&hours=1&comment=x",
		"server=a&comment=x",
		"server=a&hours=2&comment=x",
		"server=a&hours=01&comment=x",
		"server=a&hours=1&ends=tomorrow&comment=x",
		"server=a&ends=2025-11-24T16:00:00Z&comment=x",
		"server=a&ends=2025-12-26T00:00:00Z&comment=x",
		"server=" LONG "&profile=db&hours=1&comment=x",
		"server=a&hours=1&ends=" LONG "&comment=x",
		"server=a&hours=1",
		"server=a&hours=1&comment=++",
		"server=a&hours=1&comment=a%0Ab",
		"server=a&hours=1&comment=%ff",
	};
	char form[512];

	(void)state;
	use_alertmanagers("http://a:9093", 1);
	fetch_orders();
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		post("/silence", "", forms[i]);
		if (response.status != 400)
			fail_msg("%s: %d", forms[i], response.status);
		assert_body("Valid values: <code>");
	}
	(void)snprintf(form, sizeof(form), "server=a&hours=1&comment=%0241d", 7);
	post("/silence", "", form);
	assert_int_equal(response.status, 400);
	(void)snprintf(form, sizeof(form), "server=%0256d&hours=1&comment=x", 7);
	post("/silence", "", form);
	assert_int_equal(response.status, 400);
	(void)snprintf(form, sizeof(form), "server=a&hours=1&comment=%0241d", 7);
	post("/silence-end", "", "id=a/b");
	assert_int_equal(response.status, 400);
	assert_string_equal(fetch_orders(), "");
	form[strlen(form) - 1] = '\0';
	fetch_answers_text("silences", "0 200", "{\"silenceID\":\"a\"}");
	post("/silence", "", form);
	assert_int_equal(response.status, 303);
	fetch_forget();
}

static void test_what_an_alertmanager_says_is_shown_but_believed_in_nothing(void **state)
{
	static const char *const nonsense[] = {"", "[]", "{\"silenceID\":7}",
					       "{\"silenceID\":\"../x\"}"};
	const char *heard;

	(void)state;
	use_alertmanagers("http://a:9093,http://b:9093", 2);
	fetch_answers_text("silences", "12 400", "\"<script>bad\"\n");
	fetch_orders();
	post("/silence", "", "server=a&hours=1&comment=x");
	assert_int_equal(response.status, 502);
	assert_body("It said: <code>&lt;script&gt;bad</code>");
	assert_null(strstr(fetch_orders(), "http://b:9093"));
	heard = redis_heard();
	assert_heard(heard, " silence.set refused a 20");
	assert_null(strstr(heard, "SET tft:epoch:alertmanager "));
	post("/silence", "format=json", "server=a&hours=1&comment=x");
	assert_body("\"said\":\"\\u003cscript\\u003ebad\"");
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		fetch_answers_text("silences", "0 200", nonsense[i]);
		post("/silence", "", "server=a&hours=1&comment=x");
		assert_int_equal(response.status, 502);
	}
	fetch_forget();
}

static void test_a_gateway_is_no_alertmanager(void **state)
{
	static const struct {
		const char *result;
		bool answered;
	} rows[] = {
		{"11 500", true},  {"11 501", true},  {"11 502", false},
		{"11 503", false}, {"11 504", false}, {"11 505", true},
	};

	(void)state;
	use_alertmanagers("http://a:9093,http://b:9093", 2);
	fetch_orders();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *orders;

		fetch_answers_text("silences", rows[i].result, "busy");
		post("/silence", "", "server=a&hours=1&comment=x");
		assert_int_equal(response.status, 502);
		assert_int_equal(has("No Alertmanager answered"), !rows[i].answered);
		orders = fetch_orders();
		assert_non_null(strstr(orders, "http://a:9093"));
		assert_int_equal(strstr(orders, "http://b:9093") != NULL, !rows[i].answered);
		assert_heard(redis_heard(), rows[i].answered ? " silence.set refused a 20"
							     : " silence.set away a 20");
	}
	fetch_forget();
}

static void test_only_a_silence_of_this_fleet_is_ended(void **state)
{
	static const struct {
		const char *answer;
		int status;
	} rows[] = {
#define MATCHER(name, value, rest) "{\"name\":\"" name "\",\"value\":\"" value "\"" rest "}"
#define SILENCE(matchers)                                                                          \
	"{\"id\":\"" SILENCE_ID "\",\"startsAt\":\"2025-11-24T16:00:00Z\","                        \
	"\"endsAt\":\"2025-11-24T18:00:00Z\",\"matchers\":" matchers "}"
#define PLAIN ",\"isRegex\":false,\"isEqual\":true"
		{SILENCE("[" MATCHER("profile", "db", PLAIN) "," MATCHER("fleet", "north",
									 PLAIN) "]"),
		 303},
		{SILENCE("[" MATCHER("fleet", "north", ",\"isRegex\":false") "]"), 303},
		/* None of our alerts has that label. */
		{SILENCE("[" MATCHER("x", "y", PLAIN) "," MATCHER("fleet", "north", PLAIN) "]"),
		 403},
		{SILENCE("[" MATCHER("profile", "db", PLAIN) "]"), 403},
		{SILENCE("[" MATCHER("fleet", "north", ",\"isRegex\":true,\"isEqual\":true") "]"),
		 403},
		{SILENCE("[" MATCHER("fleet", "north", ",\"isRegex\":false,\"isEqual\":false") "]"),
		 403},
		{SILENCE("[" MATCHER("fleet", "south", PLAIN) "]"), 403},
		{SILENCE("{}"), 403},
		{"no JSON", 403},
	};

	(void)state;
	use_alertmanagers("http://a:9093", 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *orders;

		fetch_answers_text("silence", "0 200", rows[i].answer);
		fetch_orders();
		post("/silence-end", "", "id=" SILENCE_ID);
		orders = fetch_orders();
		if (response.status != rows[i].status)
			fail_msg("%s: %d", rows[i].answer, response.status);
		assert_int_equal(strstr(redis_heard(), "SET tft:epoch:alertmanager ") != NULL,
				 rows[i].status == 303);
		assert_int_equal(strstr(orders, "DELETE http://a:9093/api/v2/silence/" SILENCE_ID
						" ") != NULL,
				 rows[i].status == 303);
	}
	fetch_forget();
}

static void test_the_page_of_operators(void **state)
{
	(void)state;
	(void)snprintf(settings.node, sizeof(settings.node), "%s", "web-of-the-test");
	settings.anonymous = ROLE_OPERATOR;
	get("/advanced", "");
	assert_int_equal(response.status, 200);
	assert_body("web-of-the-test");
	assert_body("2025-11-24T16:00:30Z"); /* the next bucket */
	assert_body("Bucket now</dt><dd>58800000</dd>");
	assert_body("Bucket of the data</dt><dd>58800000</dd>");
	assert_int_equal(response.max_age_s, RESPONSE_NO_STORE);
	assert_int_equal(response.etag[0], '\0');
	alerting_begin(&refresh, &upstream, "http://a:9093", 1);
	get("/advanced", "");
	assert_false(has("connection refused"));
	redis_on_array("HMGET tft:brk:alerts", "connection-refused", "1764000000000",
		       "1764000030000");
	get("/advanced", "");
	assert_body("connection refused");
	assert_false(has("The generator does not answer"));
	refresh.scenario_configured = true;
	redis_on_array("HMGET tft:brk:scenario", "name-not-found", "1764000000000",
		       "1764000030000");
	get("/advanced", "");
	assert_body("The generator does not answer: ");
	refresh.scenario_configured = false;
	redis_on_nothing();
	get("/advanced", "");
	assert_int_equal(response.status, 200);
}

static void test_who_may_embed_a_page(void **state)
{
	(void)state;
	(void)snprintf(settings.frame_origin, sizeof(settings.frame_origin), "%s",
		       "https://wall.example");
	get("/", "view=compact");
	assert_string_equal(response.frame_origin, "https://wall.example");
	get("/", "");
	assert_null(response.frame_origin);
	get("/advanced", "view=compact");
	assert_null(response.frame_origin);
	settings.frame_origin[0] = '\0';
}

/* --- between requests --- */

static void test_requests_that_come_together(void **state)
{
	struct request a, b;
	const struct request *both[] = {&a, &b};
	const char *heard;

	(void)state;
	get("/", "");
	make_request(&a, METHOD_GET, "/", "");
	make_request(&b, METHOD_GET, "/", "");
	redis_heard();
	serve_prefetch(serve, both, 1);
	assert_string_equal(redis_heard(), "");
	serve_prefetch(serve, both, 2);
	heard = redis_heard();
	assert_heard(heard, "HMGET tft:overview:58800000"); /* once for both */
	assert_null(strstr(strstr(heard, "HMGET tft:overview") + 1, "HMGET tft:overview"));
	serve_request(serve, &a, &response);
	serve_request(serve, &b, &response);
	assert_true(span_is(response.body, "<p>stored</p>"));
	assert_string_equal(redis_heard(), "");
	/* A request with parameters reads no entry, nor does a POST. */
	serve_after(serve);
	make_request(&b, METHOD_GET, "/", "q=a");
	redis_heard();
	serve_prefetch(serve, both, 2);
	assert_string_equal(redis_heard(), "");
	make_request(&b, METHOD_GET, "/heatmap", "");
	serve_prefetch(serve, both, 2);
	assert_heard(redis_heard(), "HMGET tft:heatmap:58800000");
}

static void test_the_small_groups_are_asked_for_every_2_seconds(void **state)
{
	(void)state;
	get("/", "");
	assert_true(serve_due(serve));
	fetch_orders();
	serve_after(serve);
	assert_string_equal(fetch_orders(), ""); /* another worker has the claim */
	get("/", "");
	assert_false(serve_due(serve)); /* once per interval */
	redis_on_time(NOW_MS + 2000);
	redis_on_array("EVALSHA 8", "won", "882000008", "1764000017123", "e1");
	pass_ms(2000);
	get("/", "");
	assert_true(serve_due(serve));
	serve_after(serve);
	assert_non_null(strstr(fetch_orders(), "/status"));
	redis_on_time(NOW_MS + 4000);
	redis_on_array("HMGET tft:said", "1764000018500 abcd", NULL);
	pass_ms(2000);
	get("/", "");
	assert_false(serve_due(serve));
}

static void test_an_idle_worker_looks_at_each_bucket(void **state)
{
	int64_t ms;

	(void)state;
	assert_int_equal(serve_next_tick_ms(serve), 1000); /* Redis' clock is not known */
	pass_ms(1000);
	redis_heard();
	serve_tick(serve);
	assert_heard(redis_heard(), "HMGET tft:cur:fleet");
	serve_after(serve);
	/* It asks for the small groups every 10 s; the bucket has 14.877 s left. */
	ms = serve_next_tick_ms(serve);
	assert_int_equal(ms, 4877 + 3); /* spread over the workers */
	pass_ms(ms - 1);
	redis_heard();
	serve_tick(serve);
	assert_string_equal(redis_heard(), "");
	on_snapshot("58799999", NOW_MS - 40000);
	redis_on_array("EVALSHA 8", "won", "58800000", "1764000015123", "e1");
	pass_ms(1);
	serve_tick(serve);
	assert_true(serve_due(serve));
	/* Redis is down: the worker neither claims nor fetches. */
	serve_after(serve);
	redis_reset();
	for (int i = 0; i < 20; i++) {
		pass_ms(serve_next_tick_ms(serve));
		serve_tick(serve);
		assert_false(serve_due(serve));
	}
	config.idle_tick = false;
	assert_int_equal(serve_next_tick_ms(serve), -1);
	config.idle_tick = true;
}

static void test_counts_are_sent_soon(void **state)
{
	const char *heard;

	(void)state;
	make_request(&request, METHOD_GET, "/", "");
	pass_ms(7);
	serve_request(serve, &request, &response);
	get("/nowhere", "");
	assert_int_equal(serve_next_tick_ms(serve), 0);
	serve_after(serve);
	heard = redis_heard();
	assert_heard(heard,
		     "tft_dashboard_http_requests_total{route=\"overview\",code=\"200\"} 1 ");
	assert_heard(heard, "tft_dashboard_http_requests_total{route=\"none\",code=\"404\"} 1 ");
	assert_heard(heard, "tft_dashboard_cache_requests_total{result=\"fresh\"} 1 ");
	assert_heard(heard, "tft_dashboard_http_request_duration_seconds_bucket{le=\"0.01\"} 2 ");
	assert_heard(heard, "tft_dashboard_http_request_duration_seconds_sum 7000 ");
	get("/metrics", "");
	assert_int_equal(serve_next_tick_ms(serve), 1000);
}

/* --- the edges of times --- */

/* Requests at these times (ms) since the first one without Redis. Those after a failure are answered
 * without asking Redis again, so no time passes in them. */
static bool is_due_at(int64_t since, int64_t ms)
{
	pass_ms(since + ms - clock_mono_ms());
	get("/", "");
	return serve_due(serve);
}

static void test_the_grace_ends_after_3_seconds(void **state)
{
	int64_t since;

	(void)state;
	get("/", "");
	serve_after(serve); /* keeps the snapshot */
	pass_ms(35000);     /* it is old */
	redis_reset();
	get("/", "");
	since = clock_mono_ms();
	assert_false(is_due_at(since, 1500));
	assert_false(is_due_at(since, 2700));
	assert_false(is_due_at(since, 2999));
	assert_int_equal(clock_mono_ms(), since + 2999);
	assert_true(is_due_at(since, 3000));
}

/* A failure that could not be recorded is recorded as soon as Redis answers again, and no sooner. */
static void test_a_failure_is_recorded_when_redis_is_back(void **state)
{
	(void)state;
	on_snapshot("58799999", NOW_MS - 40000);
	redis_on_array("EVALSHA 8", "won", "58800000", "1764000015123", "e1");
	fetch_says("predictions", "15 429 4000 -");
	get("/", "");
	/* Redis goes away while the daemon answers. */
	redis_on_array("EVALSHA 1 tft:lock:fleet", "ok");
	redis_on("EVALSHA 2 tft:brk:fleet", "");
	serve_after(serve);
	get("/", "");
	redis_heard();
	serve_after(serve);
	assert_null(strstr(redis_heard(), "EVALSHA 2 tft:brk:fleet"));
	redis_on_array("EVALSHA 2 tft:brk:fleet", "ok");
	redis_on_array("EVALSHA 8", "busy", "58800000", "1764000015123", "e1", "9000");
	pass_ms(5000);
	get("/", "");
	redis_heard();
	serve_after(serve);
	assert_heard(redis_heard(), "EVALSHA 2 tft:brk:fleet tft:lock:fleet ");
	serve_after(serve);
	assert_null(strstr(redis_heard(), "EVALSHA 2 tft:brk:fleet"));
}

/* --- scores --- */

static void test_scores_that_cannot_be_read(void **state)
{
	const char *heard;

	(void)state;
	redis_heard();
	get("/accuracy", "");
	assert_int_equal(response.status, 200);
	assert_body("Not enough yet: 0 of 100 values");
	assert_heard(redis_heard(), "XRANGE tfthist:warnings ");
	get("/", "q=a"); /* its sentence is of forecasts alone */
	heard = redis_heard();
	assert_heard(heard, "XRANGE tfthist:accuracy ");
	assert_null(strstr(heard, "tfthist:warnings"));
	redis_on("XRANGE tfthist:accuracy", "-LOADING\r\n");
	get("/accuracy", "");
	assert_int_equal(response.status, 200);
	assert_body("Scores are kept in the shared cache, which cannot be reached.");
}

/* --- what changes between two reads --- */

/* A commit between reading the pointer and reading the snapshot has replaced the snapshot. */
static void test_a_snapshot_that_is_replaced_meanwhile(void **state)
{
	(void)state;
	redis_on_entry("HMGET tft:fleet:58800001", "fleet", "s2", buf_span(&compact), "");
	redis_on("HMGET tft:fleet:58800000", "*-1\r\n");
	redis_on_pointer("58800001", "e1", GEN_MS + 1000, "s2");
	redis_on_array("HMGET tft:cur:fleet", "58800000", "e1", "1764000010123", "s1", "600");
	redis_once();
	get("/", "q=ppml0001");
	assert_int_equal(response.status, 200);
	assert_int_equal(response.bucket, BUCKET + 1);
	assert_int_equal(response.gen_ms, GEN_MS + 1000);
	assert_body("ppml0001");
}

/* Warm-up and scenario are asked for if either is older than 2 s. */
static void test_the_scenario_is_asked_for_as_well(void **state)
{
	(void)state;
	refresh.scenario_configured = true;
	redis_on_array("HMGET tft:said", "1764000015000 abcd", "1764000015000 abcd");
	get("/", "");
	assert_false(serve_due(serve));
	redis_on_array("HMGET tft:said", "1764000015000 abcd", "1764000013999 abcd");
	get("/", "");
	assert_true(serve_due(serve));
	serve_after(serve);
	pass_ms(2000);
	redis_on_time(NOW_MS + 2000);
	redis_on_array("HMGET tft:said", "1764000015999 abcd", "1764000017000 abcd");
	get("/", "");
	assert_true(serve_due(serve));
}

static void test_only_failed_reads_count_as_failures(void **state)
{
	(void)state;
	get("/", "");
	serve_after(serve);
	pass_ms(2000);
	redis_on_time(NOW_MS + 2000);
	get("/", "");
	redis_heard();
	metrics_flush(metrics, cache);
	assert_null(strstr(redis_heard(), "redis_failures_total"));
	redis_on("HMGET tft:cur:fleet", "");
	get("/", "");
	pass_ms(5000);
	redis_on_pointer("58800000", "e1", GEN_MS, "s1");
	redis_on_time(NOW_MS + 7000);
	get("/", "");
	redis_heard();
	metrics_flush(metrics, cache);
	assert_heard(redis_heard(), "redis_failures_total{kind=\"read\"} 1");
}

/* Packing a small answer costs more than it saves. */
static void test_answers_are_packed_from_1_kb_on(void **state)
{
	(void)state;
	for (size_t len = 1023; len <= 1024; len++) {
		struct answering a = {0};
		char text[1024];

		memset(text, 'a', sizeof(text));
		buf_init(&a.body, 1 << 20);
		buf_init(&a.packed, 1 << 20);
		buf_add(&a.body, text, len);
		request.gzip = true;
		response_init(&response, 200);
		answer_pack(&a, &request, &response);
		assert_int_equal(response.gzip, len == 1024);
		assert_true((response.body.len == len) == (len == 1023));
		buf_free(&a.body);
		buf_free(&a.packed);
	}
}

/* --- what the head of an answer says --- */

/* Made 5 s ago. A page may be shown until it would be called stale for too long to act on it, an
 * answer of the API as long as what it says holds. */
static void test_for_how_long_a_copy_may_be_shown(void **state)
{
	(void)state;
	get("/", "");
	assert_int_equal(response.stale_ok_s, 600 - 5 - 12);
	get("/api/v1/alerts", "");
	assert_int_equal(response.stale_ok_s, 60 - 5 - 12);
	assert_true(response.l1);
}

/* The clock stands still: whatever is read, no time passes. */
static void test_the_time_of_redis_is_told(void **state)
{
	static const char *const pages[] = {"/history",       "/incidents", "/accuracy",
					    "/changes",       "/top",       "/server/ppml0001",
					    "/api/v1/history"};

	(void)state;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		get(pages[i], "");
		if (response.status != 200 || response.redis_us != 0 || response.render_us != 0)
			fail_msg("%s: %d, %lld, %lld", pages[i], response.status,
				 (long long)response.redis_us, (long long)response.render_us);
	}
}

/* Scores end with the hour before the moment that is shown. */
static void test_scores_of_the_past(void **state)
{
	(void)state;
	on_moment(THEN_MS);
	get("/accuracy", AT_THEN);
	assert_heard(redis_heard(), "XRANGE tfthist:accuracy 1763913600000 1763996399999\n");
	get("/accuracy", "");
	assert_heard(redis_heard(), "XRANGE tfthist:accuracy 1763917200000 1763999999999\n");
}

/* What is kept besides the snapshot is missing; a page says whether there is none, or nobody knows. */
static void test_what_is_kept_or_cannot_be_read(void **state)
{
	static const struct {
		const char *path, *none, *unknown;
	} rows[] = {
		{"/history", "No history yet.",
		 "History is kept in the shared cache, which cannot be reached."},
		{"/incidents", "<li>Open <b>0</b></li>", "cannot be reached. Nothing is lost."},
		{"/changes", "", "cannot be reached"},
	};

	(void)state;
	redis_on("XREVRANGE", "*0\r\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		get(rows[i].path, "");
		assert_body(rows[i].none);
		assert_null(memmem(response.body.ptr, response.body.len, rows[i].unknown,
				   strlen(rows[i].unknown)));
	}
	redis_on("XRANGE", "-LOADING\r\n");
	redis_on("XREVRANGE", "-LOADING\r\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		get(rows[i].path, "");
		assert_int_equal(response.status, 200);
		assert_body(rows[i].unknown);
	}
}

/* Where Redis refuses writes, the worker's own snapshot is shown only if it is newer. */
static void test_a_copy_of_what_redis_has_is_not_newer(void **state)
{
	(void)state;
	get("/", "");
	serve_after(serve); /* keeps the snapshot */
	redis_on("EVALSHA", "-READONLY You can't write against a read only replica.\r\n");
	pass_ms(20000);
	redis_on_time(NOW_MS + 20000);
	get("/", "");
	serve_after(serve);
	pass_ms(4000);
	redis_on_time(NOW_MS + 24000);
	get("/", "");
	assert_string_equal(response.cache_status, "tft-redis; hit; ttl=-10; detail=BUSY");
}

static void test_a_redis_that_refuses_is_given_3_seconds(void **state)
{
	int64_t refused;

	(void)state;
	get("/", "");
	serve_after(serve); /* keeps the snapshot */
	on_snapshot("58799999", NOW_MS - 40000);
	redis_on("EVALSHA", "-READONLY You can't write against a read only replica.\r\n");
	refused = clock_mono_ms();
	get("/", "");
	serve_after(serve);
	pass_ms(refused + 2999 - clock_mono_ms());
	redis_on_time(NOW_MS + 2999);
	get("/", "");
	assert_string_equal(response.cache_status, "tft-redis; hit; ttl=-19; detail=BUSY");
	pass_ms(refused + 3000 - clock_mono_ms());
	redis_on_time(NOW_MS + 3000);
	get("/", "");
	assert_string_equal(response.cache_status, "tft-local; hit; ttl=11");
}

/* The cache was emptied between the two reads: what the bucket before had may still be shown. */
static void test_a_pointer_that_vanishes_meanwhile(void **state)
{
	(void)state;
	redis_on_entry("HMGET tft:fleet:58799999", "fleet", "s0", buf_span(&compact), "");
	redis_on("HMGET tft:fleet:58800000", "*-1\r\n");
	redis_on_array("HMGET tft:cur:fleet", NULL, NULL, NULL, NULL, NULL);
	redis_on_array("HMGET tft:cur:fleet", "58800000", "e1", "1764000010123", "s1", "600");
	redis_once();
	get("/", "q=ppml0001");
	assert_int_equal(response.status, 200);
	assert_int_equal(response.bucket, BUCKET - 1);
	assert_body("ppml0001");
}

/* --- alerts --- */

static void has_alertmanager(void)
{
	alerting_begin(&refresh, &upstream, "http://a:9093", 1);
	fetch_says("alerts", "0 200 0 -");
	alerting_answers();
	fetch_orders();
}

/* After a page at this time. */
static const char *sent_at(int64_t ms)
{
	pass_ms(1000);
	redis_on_time(ms);
	get("/", "");
	serve_after(serve);
	return strstr(fetch_orders(), "/api/v2/alerts ");
}

/* Nobody refreshes: once in each bucket the alerts of the last data are sent again. */
static void test_alerts_are_repeated_once_a_bucket(void **state)
{
	static const struct {
		const char *claim;
		bool repeats;
	} rows[] = {{"busy", false}, {"open", true}, {"budget", true}};

	(void)state;
	on_snapshot("58799999", NOW_MS - 40000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t ms = NOW_MS + 60000 * (int64_t)i;

		redis_on_array("EVALSHA 8", rows[i].claim, "58800000", "1764000015123", "e1",
			       "100");
		redis_on_array("EVALSHA 8 tft:cur:alerts", "won", "58800000", "1764000015123",
			       "e1");
		refresh.alerting = NULL;
		assert_null(sent_at(ms));
		has_alertmanager();
		assert_int_equal(sent_at(ms + 1000) != NULL, rows[i].repeats);
		assert_null(sent_at(ms + 2000));
		assert_int_equal(sent_at(ms + 30000) != NULL, rows[i].repeats);
	}
	/* Data of this bucket: its alerts were sent with them. */
	redis_on_pointer("58800010", "e1", NOW_MS + 300000, "s1");
	assert_null(sent_at(NOW_MS + 300000));
}

/* Each host on its own: after the grace period, once in each interval. */
static void test_without_redis_a_host_tells_of_it(void **state)
{
	static const struct {
		int64_t after_ms;
		bool sent;
	} rows[] = {{1500, false}, {2700, false},  {2999, false},
		    {3000, true},  {32000, false}, {33200, true}};
	int64_t since;
	struct buf went;

	(void)state;
	has_alertmanager();
	get("/", "");
	serve_after(serve); /* keeps the snapshot */
	fetch_orders();
	redis_reset();
	get("/", "");
	since = clock_mono_ms();
	buf_init(&went, 64);
	buf_lit(&went, "\"startsAt\":\"");
	fmt_iso(&went, clock_wall_ms());
	buf_char(&went, '\0');
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *orders;

		pass_ms(since + rows[i].after_ms - clock_mono_ms());
		get("/", "");
		serve_after(serve);
		orders = strstr(fetch_orders(), "/api/v2/alerts ");
		if ((orders != NULL) != rows[i].sent)
			fail_msg("after %lld ms", (long long)rows[i].after_ms);
		if (!orders)
			continue;
		assert_heard(orders, "\"alertname\":\"TftCacheOff\"");
		assert_heard(orders, "\"cause\":\"Redis cannot be reached\"");
		assert_heard(strstr(orders, "\"alertname\":\"TftCacheOff\""), went.data);
	}
	buf_free(&went);
	/* It comes back empty; then it refuses what a refresh writes. */
	redis_on_nothing();
	redis_on("EVALSHA", "-READONLY You can't write against a read only replica.\r\n");
	pass_ms(40000);
	assert_null(sent_at(NOW_MS + 80000));
	pass_ms(3000);
	assert_heard(sent_at(NOW_MS + 84000), "\"cause\":\"Redis is a read-only replica\"");
}

/* --- edges --- */

/* Whole seconds until the bucket of the data ends, and whole seconds since, of which one has begun. */
static void test_the_end_of_a_bucket_in_whole_seconds(void **state)
{
	static const struct {
		int64_t left_ms;
		int ttl, max_age_s;
	} rows[] = {{6000, 6, 5}, {5999, 5, 5}, {1000, 1, 1},   {999, 0, 0},
		    {0, 0, 0},    {-1, -1, 0},  {-1000, -1, 0}, {-1001, -2, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *at;

		redis_on_time((BUCKET + 1) * INT64_C(30000) - rows[i].left_ms);
		pass_ms(1000);
		get("/", "");
		at = strstr(response.cache_status, "ttl=");
		assert_non_null(at);
		if (strtol(at + 4, NULL, 10) != rows[i].ttl ||
		    response.max_age_s != rows[i].max_age_s)
			fail_msg("%lld ms: %s, %d", (long long)rows[i].left_ms,
				 response.cache_status, response.max_age_s);
	}
}

/* nginx shows a copy for a second without asking a worker, so what holds for no longer is not kept. */
static void test_what_holds_for_a_second_is_not_kept(void **state)
{
	(void)state;
	redis_on_time(GEN_MS + 60000 - 1001);
	get("/api/v1/alerts", "");
	assert_true(response.l1);
	redis_on_time(GEN_MS + 60000 - 1000);
	pass_ms(1000);
	get("/api/v1/alerts", "");
	assert_false(response.l1);
	/* A page with data that nobody should act on says so itself, until they may not be shown. */
	on_snapshot("58799999", NOW_MS - 700000);
	redis_on_time(NOW_MS);
	pass_ms(1000);
	get("/", "");
	assert_int_equal(response.stale_ok_s, 3600 - 700 - 12);
	assert_true(response.l1);
}

/* A search for the whole name of a server leads to its page. */
static void test_a_search_for_a_whole_name(void **state)
{
	static const struct {
		const char *path, *query, *location;
	} rows[] = {
		{"/heatmap", "q=PPML0001", "server/ppml0001"},
		{"/heatmap", "q=ppml000", NULL},
		{"/heatmap", "q=pml0001", NULL},
		{"/heatmap", "q=nobody", NULL},
		{"/heatmap", "q=ppml0001&profile=ml", NULL},
		{"/heatmap", "profile=ml", NULL},
		{"/", "q=ppml0001", NULL},
		{"/api/v1/heatmap", "q=ppml0001", NULL},
		{"/heatmap", "q=ppml0001&" AT_THEN, "server/ppml0001?" AT_THEN},
		{"/heatmap", "q=ppml000&" AT_THEN, NULL},
	};

	(void)state;
	on_moment(THEN_MS);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		get(rows[i].path, rows[i].query);
		if (response.status != (rows[i].location ? 302 : 200))
			fail_msg("%s?%s: %d", rows[i].path, rows[i].query, response.status);
		if (rows[i].location)
			assert_true(span_is(response.location, rows[i].location));
	}
}

/* A page that compares two servers needs both. */
static void test_a_server_to_compare_with(void **state)
{
	static const struct {
		const char *query;
		int status;
		const char *words;
	} rows[] = {
		{"with=ppdb001", 200, "ppdb001"},
		{"with=nobody", 404, "No such server in the current snapshot to compare with."},
		{"with=ppdb001&" AT_THEN, 200, "ppdb001"},
		{"with=nobody&" AT_THEN, 404, "No such server to compare with at that moment."},
	};

	(void)state;
	on_moment(THEN_MS);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		get("/server/ppml0001", rows[i].query);
		assert_int_equal(response.status, rows[i].status);
		assert_body(rows[i].words);
		assert_int_equal(response.type == NULL, rows[i].status == 404); /* a page */
	}
}

/* What another worker has stored in this bucket is shown, though Redis takes nothing of ours. */
static void test_fresh_data_of_a_redis_that_refuses(void **state)
{
	(void)state;
	refuse_writes();
	pass_ms(4000);
	redis_on_time(NOW_MS + 4000);
	on_snapshot("58800000", GEN_MS - 5000);
	get("/", "");
	assert_string_equal(response.cache_status, "tft-redis; hit; ttl=10; key=\"overview\"");
	assert_true(span_is(response.body, "<p>stored</p>"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_serve, close_serve)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_a_stored_page_is_answered_as_it_is),
		TEST(test_near_the_end_of_its_bucket_it_lives_for_less),
		TEST(test_a_page_that_repeats_something_old_is_made_anew),
		TEST(test_parameters_are_answered_from_the_snapshot),
		TEST(test_pages_may_be_shown_for_longer_than_answers_of_the_api),
		TEST(test_pages_alone_ask_for_what_is_newer),
		TEST(test_large_answers_are_packed),
		TEST(test_a_server_and_one_that_is_not_there),
		TEST(test_incidents_of_a_period),
		TEST(test_incidents_of_the_past_come_newest_first),
		TEST(test_a_spreadsheet_has_the_time_of_its_data),
		TEST(test_only_its_own_host_names),
		TEST(test_errors),
		TEST(test_old_data_are_shown_and_told),
		TEST(test_a_stale_page_outlives_the_claim),
		TEST(test_a_flush_is_told),
		TEST(test_who_refreshes_asks_for_the_state_once),
		TEST(test_the_state_of_warm_up_has_its_time),
		TEST(test_right_after_redis_went_its_last_word_is_told),
		TEST(test_where_nothing_newer_will_come_the_page_is_not_ending),
		TEST(test_an_open_breaker_is_told),
		TEST(test_cold_is_503_and_warming_up_is_an_answer),
		TEST(test_a_damaged_snapshot_is_the_one_before),
		TEST(test_a_moment_of_the_past_never_changes),
		TEST(test_the_day_before_a_moment),
		TEST(test_a_moment_whose_bucket_is_not_over_may_still_change),
		TEST(test_a_comparison_in_the_past),
		TEST(test_a_view_of_the_past_has_one_address),
		TEST(test_a_moment_that_is_not_there),
		TEST(test_what_redis_refuses_of_a_moment_costs_its_part_only),
		TEST(test_without_redis_the_last_snapshot_is_shown),
		TEST(test_without_a_snapshot_in_redis_the_last_one_is_shown),
		TEST(test_without_redis_forecasts_are_fetched),
		TEST(test_a_redis_that_came_back_empty),
		TEST(test_a_redis_that_was_emptied),
		TEST(test_without_redis_and_a_snapshot),
		TEST(test_a_redis_that_takes_no_writes),
		TEST(test_readyz),
		TEST(test_the_health_of_a_redis_that_is_of_no_use),
		TEST(test_metrics),
		TEST(test_the_fleet_for_prometheus),
		TEST(test_old_data_for_prometheus_are_their_time_alone),
		TEST(test_the_status_of_the_api),
		TEST(test_a_refresh_at_once),
		TEST(test_a_change_of_the_scenario),
		TEST(test_a_silence_is_asked_for),
		TEST(test_an_incomplete_silence_is_not_asked_for),
		TEST(test_what_an_alertmanager_says_is_shown_but_believed_in_nothing),
		TEST(test_a_gateway_is_no_alertmanager),
		TEST(test_only_a_silence_of_this_fleet_is_ended),
		TEST(test_the_page_of_operators),
		TEST(test_who_may_embed_a_page),
		TEST(test_requests_that_come_together),
		TEST(test_a_page_of_the_past_is_one_round_trip),
		TEST(test_the_history_of_an_older_moment_ends_with_it),
		TEST(test_the_small_groups_are_asked_for_every_2_seconds),
		TEST(test_an_idle_worker_looks_at_each_bucket),
		TEST(test_counts_are_sent_soon),
		TEST(test_the_grace_ends_after_3_seconds),
		TEST(test_a_failure_is_recorded_when_redis_is_back),
		TEST(test_scores_that_cannot_be_read),
		TEST(test_a_snapshot_that_is_replaced_meanwhile),
		TEST(test_the_scenario_is_asked_for_as_well),
		TEST(test_only_failed_reads_count_as_failures),
		TEST(test_answers_are_packed_from_1_kb_on),
		TEST(test_for_how_long_a_copy_may_be_shown),
		TEST(test_the_time_of_redis_is_told),
		TEST(test_scores_of_the_past),
		TEST(test_what_is_kept_or_cannot_be_read),
		TEST(test_a_copy_of_what_redis_has_is_not_newer),
		TEST(test_a_redis_that_refuses_is_given_3_seconds),
		TEST(test_a_pointer_that_vanishes_meanwhile),
		TEST(test_alerts_are_repeated_once_a_bucket),
		TEST(test_without_redis_a_host_tells_of_it),
		TEST(test_the_end_of_a_bucket_in_whole_seconds),
		TEST(test_what_holds_for_a_second_is_not_kept),
		TEST(test_a_search_for_a_whole_name),
		TEST(test_a_server_to_compare_with),
		TEST(test_fresh_data_of_a_redis_that_refuses),
	};
	int failed;

	if (fake_fetch_runs(argc, argv))
		return 0;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(orders_path);
	return failed;
}
