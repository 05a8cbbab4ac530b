/* SPDX-License-Identifier: MIT */
/* Requests and idle time of a worker: what it answers, what it asks Redis for, and which work it
 * leaves for later. */
#include "config.h"

#include "fleet/moment.h"
#include "serve_fixture.h"

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
	assert_false(serve_due(serve));
	redis_on_array("EVALSHA 8", "won", "58800000", "1764000015123", "e1");
	pass_ms(1000);
	get("/", "");
	assert_string_equal(response.cache_status, "tft-redis; hit; ttl=-16; detail=REFRESH");
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

static void test_an_open_breaker_is_told(void **state)
{
	(void)state;
	on_snapshot("58799999", NOW_MS - 40000);
	redis_on_array("HMGET tft:brk:fleet", "connection-refused", "1764000000000",
		       "1764000030000");
	redis_on_array("EVALSHA 8", "open", "58800000", "1764000015123", "e1", "9000");
	get("/", "");
	assert_string_equal(response.cache_status, "tft-redis; hit; ttl=-16; detail=OPEN");
	assert_body("connection refused");
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
	(void)state;
	on_moment_of("XREVRANGE tfthist:thin", THEN_MS - 60000, "t");
	redis_on("XREVRANGE tfthist:full", "*0\r\n");
	get("/", "");
	redis_heard();
	get("/history", AT_THEN);
	assert_int_equal(response.status, 200);
	assert_heard(redis_heard(), "XRANGE tfthist:fleet 1763998110000 1763999910000\n");
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
	on_moment(THEN_MS);
	get("/server/nobody", "at=2025-11-24T15:59:30Z");
	assert_int_equal(response.status, 404);
	assert_body("No such server at that moment.");
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
	(void)state;
	redis_reset();
	get("/", "");
	assert_int_equal(response.status, 503);
	assert_body("The shared cache cannot be reached.");
	get("/api/v1/alerts", "");
	assert_string_equal(response.type, "application/problem+json");
	get("/docs", ""); /* needs no snapshot */
	assert_body("<h2");
	pass_ms(2500);
	get("/", "");
	assert_body("The shared cache cannot be reached.");
	pass_ms(3000);
	get("/", "");
	assert_int_equal(response.status, 503);
	assert_null(memmem(response.body.ptr, response.body.len,
			   "The shared cache cannot be reached.", 34));
}

/* It answers but refuses writes: after the grace period each worker fetches for itself. */
static void test_a_redis_that_takes_no_writes(void **state)
{
	(void)state;
	get("/", "");
	serve_after(serve); /* keeps the snapshot */
	on_snapshot("58799999", NOW_MS - 40000);
	redis_on("EVALSHA", "-READONLY You can't write against a read only replica.\r\n");
	get("/", "");
	serve_after(serve);
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
	redis_reset();
	get("/metrics", "");
	assert_body("tft_dashboard_redis_up 0\n");
	assert_body("tft_dashboard_redis_writable 0\n");
	assert_null(memmem(response.body.ptr, response.body.len, "budget_left", 11));
	assert_null(memmem(response.body.ptr, response.body.len, "age_seconds", 11));
	assert_null(memmem(response.body.ptr, response.body.len, "snapshot_bytes", 14));
	assert_null(memmem(response.body.ptr, response.body.len, "tft_forecast", 12));
}

static void test_the_status_of_the_api(void **state)
{
	(void)state;
	get("/api/v1/status", "");
	assert_int_equal(response.status, 200);
	assert_body("\"bucket\":58800000");
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
	redis_on_array("EVALSHA 0", "limited", "4200");
	post("/refresh", "", "");
	assert_int_equal(response.status, 429);
	assert_int_equal(response.retry_after_s, 5);
	redis_on("EVALSHA 0", "-READONLY no\r\n");
	post("/refresh", "", "");
	assert_int_equal(response.status, 503);
	post("/refresh", "format=nonsense", "");
	assert_int_equal(response.status, 400);
	settings.anonymous = ROLE_VIEWER;
	post("/refresh", "", "");
	assert_int_equal(response.status, 403);
}

static char scenario_path[64];

/* The generator answers that it plays this one. */
static void put_scenario(const char *name)
{
	char says[96];
	FILE *file;

	(void)snprintf(scenario_path, sizeof(scenario_path), "/tmp/tft-scenario.%d", (int)getpid());
	(void)snprintf(says, sizeof(says), "0 200 0 %s", scenario_path);
	file = fopen(scenario_path, "w");
	assert_non_null(file);
	(void)fprintf(file, "{\"scenario\":\"%s\",\"total_affected\":1,\"fleet_size\":2}", name);
	assert_int_equal(fclose(file), 0);
	fetch_says("scenario", says);
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
	post("/scenario", "", "x=1&scenario=degrading&confirm=1");
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
	assert_heard(redis_heard(), " scenario.set unchanged - - ");
	put_scenario("word~!");
	post("/scenario", "format=json", "scenario=degrading&confirm=1");
	assert_heard(redis_heard(), " scenario.set unchanged - word~! ");
	(void)unlink(scenario_path);
	fetch_says("scenario", "2 0 0 -");
	post("/scenario", "format=json", "scenario=critical&confirm=1");
	assert_int_equal(response.status, 502);
	assert_body("\"scenario\":null,\"total_affected\":null}");
	assert_heard(redis_heard(), " scenario.set ");
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
	assert_int_equal(response.max_age_s, RESPONSE_NO_STORE);
	assert_int_equal(response.etag[0], '\0');
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

	(void)state;
	get("/", "");
	make_request(&a, METHOD_GET, "/", "");
	make_request(&b, METHOD_GET, "/", "");
	redis_heard();
	serve_prefetch(serve, both, 1);
	assert_string_equal(redis_heard(), "");
	serve_prefetch(serve, both, 2);
	assert_heard(redis_heard(), "HMGET tft:overview:58800000");
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
	assert_int_equal(ms, 4877 + 123); /* spread over the workers */
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
		TEST(test_a_spreadsheet_has_the_time_of_its_data),
		TEST(test_only_its_own_host_names),
		TEST(test_errors),
		TEST(test_old_data_are_shown_and_told),
		TEST(test_a_stale_page_outlives_the_claim),
		TEST(test_a_flush_is_told),
		TEST(test_an_open_breaker_is_told),
		TEST(test_cold_is_503_and_warming_up_is_an_answer),
		TEST(test_a_damaged_snapshot_is_the_one_before),
		TEST(test_a_moment_of_the_past_never_changes),
		TEST(test_a_moment_whose_bucket_is_not_over_may_still_change),
		TEST(test_a_comparison_in_the_past),
		TEST(test_a_view_of_the_past_has_one_address),
		TEST(test_a_moment_that_is_not_there),
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
		TEST(test_the_status_of_the_api),
		TEST(test_a_refresh_at_once),
		TEST(test_a_change_of_the_scenario),
		TEST(test_the_page_of_operators),
		TEST(test_who_may_embed_a_page),
		TEST(test_requests_that_come_together),
		TEST(test_a_page_of_the_past_is_one_round_trip),
		TEST(test_the_history_of_an_older_moment_ends_with_it),
		TEST(test_the_small_groups_are_asked_for_every_2_seconds),
		TEST(test_an_idle_worker_looks_at_each_bucket),
		TEST(test_counts_are_sent_soon),
	};
	int failed;

	if (fake_fetch_runs(argc, argv))
		return 0;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(orders_path);
	return failed;
}
