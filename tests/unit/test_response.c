/* SPDX-License-Identifier: MIT */
/* Header blocks byte by byte where the order matters, else header by header. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/response.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define NOW       INT64_C(1764000000999) /* Mon, 24 Nov 2025 16:00:00.999 GMT */

#define SECURITY                                                                                   \
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "       \
	"img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "          \
	"frame-ancestors 'none'\r\n"                                                               \
	"X-Content-Type-Options: nosniff\r\n"                                                      \
	"Referrer-Policy: same-origin\r\n"                                                         \
	"Permissions-Policy: accelerometer=(), autoplay=(), camera=(), display-capture=(), "       \
	"geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), "      \
	"usb=()\r\n"                                                                               \
	"Cross-Origin-Opener-Policy: same-origin\r\n"                                              \
	"Cross-Origin-Resource-Policy: same-origin\r\n"

static char text[8192];

static const char *head_with_id(const struct response *r, const char *id)
{
	struct buf out;

	buf_init(&out, sizeof(text) - 1);
	response_head(r, "web1", span_str(id), NOW, &out);
	assert_true(buf_ok(&out));
	memcpy(text, out.data, out.len);
	text[out.len] = '\0';
	buf_free(&out);
	return text;
}

static const char *head(const struct response *r)
{
	return head_with_id(r, "abc-123");
}

/* Exactly one header of that name, with that value; value NULL: none. */
static void assert_header(const char *block, const char *name, const char *value)
{
	char start[64], line[512];
	const char *found;

	(void)snprintf(start, sizeof(start), "\r\n%s: ", name);
	found = strstr(block, start);
	if (!value) {
		if (found)
			fail_msg("%s is there:\n%s", name, block);
		return;
	}
	(void)snprintf(line, sizeof(line), "\r\n%s: %s\r\n", name, value);
	if (!strstr(block, line))
		fail_msg("no \"%s: %s\" in:\n%s", name, value, block);
	assert_null(strstr(found + 1, start));
}

static void test_a_live_page(void **state)
{
	struct response r;

	(void)state;
	response_init(&r, 200);
	r.body = SPAN("hello");
	r.gzip = true;
	(void)snprintf(r.etag, sizeof(r.etag), "W/\"0123456789abcdef\"");
	r.gen_ms = NOW - 12999;
	r.age_ms = 12999;
	r.max_age_s = 5;
	r.stale_ok_s = 48;
	r.l1 = true;
	(void)snprintf(r.cache_status, sizeof(r.cache_status), "tft-redis; hit; ttl=18");
	r.bucket = 58800000;
	r.redis_us = 349;
	r.render_us = 1200;
	assert_string_equal(head(&r), "Status: 200 OK\r\n"
				      "Content-Type: text/html; charset=utf-8\r\n"
				      "Content-Length: 5\r\n"
				      "Content-Encoding: gzip\r\n"
				      "ETag: W/\"0123456789abcdef\"\r\n"
				      "Age: 12\r\n"
				      "Cache-Control: stale-if-error=48\r\n"
				      "X-Accel-Expires: @1764000000\r\n"
				      "Cache-Control: max-age=5\r\n"
				      "Vary: Accept-Encoding\r\n"
				      "Cache-Status: tft-redis; hit; ttl=18\r\n"
				      "Server-Timing: redis;dur=0.3, render;dur=1.2\r\n"
				      "X-Request-Id: abc-123\r\n"
				      "X-TFT-Node: web1\r\n"
				      "X-TFT-Bucket: 58800000\r\n" SECURITY "\r\n");
}

static void test_a_bare_answer_has_only_what_every_answer_has(void **state)
{
	struct response r;

	(void)state;
	response_init(&r, 404);
	r.body = SPAN("{}");
	r.type = "application/problem+json";
	assert_string_equal(head(&r), "Status: 404 Not Found\r\n"
				      "Content-Type: application/problem+json\r\n"
				      "Content-Length: 2\r\n"
				      "X-Accel-Expires: 0\r\n"
				      "Cache-Control: no-store\r\n"
				      "X-Request-Id: abc-123\r\n"
				      "X-TFT-Node: web1\r\n" SECURITY "\r\n");
}

static void test_status_lines(void **state)
{
	static const struct {
		int status;
		const char *line;
	} rows[] = {
		{200, "Status: 200 OK\r\n"},
		{303, "Status: 303 See Other\r\n"},
		{304, "Status: 304 Not Modified\r\n"},
		{400, "Status: 400 Bad Request\r\n"},
		{405, "Status: 405 Method Not Allowed\r\n"},
		{413, "Status: 413 Content Too Large\r\n"},
		{414, "Status: 414 URI Too Long\r\n"},
		{415, "Status: 415 Unsupported Media Type\r\n"},
		{429, "Status: 429 Too Many Requests\r\n"},
		{500, "Status: 500 Internal Server Error\r\n"},
		{503, "Status: 503 Service Unavailable\r\n"},
	};
	struct response r;

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		response_init(&r, rows[i].status);
		assert_memory_equal(head(&r), rows[i].line, strlen(rows[i].line));
	}
}

static void test_cache_control(void **state)
{
	static const struct {
		int max_age_s;
		bool immutable, authenticated;
		const char *value, *vary;
	} rows[] = {
		/* clang-format off */
		{RESPONSE_NO_STORE, false, false, "no-store", NULL},
		{RESPONSE_NO_STORE, true, true, "no-store", NULL},
		{0, false, false, "max-age=0", "Accept-Encoding"},
		{3, false, false, "max-age=3", "Accept-Encoding"},
		{3, false, true, "max-age=3, private", "Accept-Encoding"},
		{86400, true, false, "max-age=86400, immutable", "Accept-Encoding"},
		{86400, true, true, "max-age=86400, immutable, private", "Accept-Encoding"},
		/* clang-format on */
	};
	struct response r;

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		response_init(&r, 200);
		r.max_age_s = rows[i].max_age_s;
		r.immutable = rows[i].immutable;
		r.authenticated = rows[i].authenticated;
		assert_header(head(&r), "Cache-Control", rows[i].value);
		assert_header(text, "Vary", rows[i].vary);
	}
}

static void test_age_is_whole_seconds_and_never_negative(void **state)
{
	static const struct {
		int64_t age_ms;
		const char *value;
	} rows[] = {
		{0, "0"}, {999, "0"}, {1000, "1"}, {95999, "95"}, {-1, "0"}, {-86400000, "0"},
	};
	struct response r;

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		response_init(&r, 200);
		r.gen_ms = NOW;
		r.age_ms = rows[i].age_ms;
		assert_header(head(&r), "Age", rows[i].value);
	}
}

static void test_server_timing(void **state)
{
	static const struct {
		int64_t redis_us, render_us;
		const char *value;
	} rows[] = {
		{-1, -1, NULL},
		{0, -1, "redis;dur=0.0"},
		{-1, 0, "render;dur=0.0"},
		{-1, 99, "render;dur=0.0"},
		{100999, 1050, "redis;dur=100.9, render;dur=1.0"},
		{0, 999999, "redis;dur=0.0, render;dur=999.9"},
	};
	struct response r;

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		response_init(&r, 200);
		r.redis_us = rows[i].redis_us;
		r.render_us = rows[i].render_us;
		assert_header(head(&r), "Server-Timing", rows[i].value);
	}
}

static void test_headers_of_some_answers(void **state)
{
	struct response r;

	(void)state;
	response_init(&r, 405);
	r.allow = "GET, HEAD";
	r.retry_after_s = 7;
	r.filename = "fleet.csv";
	r.bucket = 0;
	r.service_desc = "../openapi.json";
	r.location = span_str("advanced?notice=healthy");
	assert_header(head(&r), "Allow", "GET, HEAD");
	assert_header(text, "Link", "<../openapi.json>; rel=\"service-desc\"");
	assert_header(text, "Location", "advanced?notice=healthy");
	assert_header(text, "Retry-After", "7");
	assert_header(text, "Content-Disposition", "attachment; filename=\"fleet.csv\"");
	assert_header(text, "X-TFT-Bucket", "0");
}

static void test_a_deadline_that_has_passed_is_not_told(void **state)
{
	struct response r;

	(void)state;
	for (int s = -1; s <= 0; s++) {
		response_init(&r, 200);
		r.max_age_s = 0;
		r.stale_ok_s = s;
		assert_null(strstr(head(&r), "stale"));
	}
	r.max_age_s = RESPONSE_NO_STORE;
	r.stale_ok_s = 9;
	assert_null(strstr(head(&r), "stale"));
}

/* It is stored as expired, for those who come while nginx asks again. */
static void test_a_copy_that_is_ending(void **state)
{
	struct response r;

	(void)state;
	response_init(&r, 200);
	r.max_age_s = 0;
	r.stale_ok_s = 48;
	r.ending = true;
	assert_null(strstr(head(&r), "stale-while-revalidate"));
	r.l1 = true;
	assert_non_null(strstr(head(&r), "Cache-Control: stale-while-revalidate=1\r\n"
					 "Cache-Control: stale-if-error=48\r\n"
					 "X-Accel-Expires: @1763999999\r\n"));
}

static void test_asking_again_tells_nothing_else(void **state)
{
	struct response r;

	(void)state;
	response_init(&r, 200);
	r.retry_location = "@place";
	assert_string_equal(head(&r), "X-Accel-Redirect: @place\r\n\r\n");
}

static void test_not_modified_has_validators_but_no_content(void **state)
{
	struct response r;

	(void)state;
	response_init(&r, 304);
	(void)snprintf(r.etag, sizeof(r.etag), "W/\"1\"");
	r.max_age_s = 0;
	assert_header(head(&r), "ETag", "W/\"1\"");
	assert_header(text, "Cache-Control", "max-age=0");
	assert_header(text, "Vary", "Accept-Encoding");
	assert_header(text, "Content-Length", NULL);
	assert_header(text, "Content-Type", NULL);
}

static void test_a_hostile_request_id_is_dropped(void **state)
{
	static const char *const ids[] = {"",    "a b",  "a\r\nX-Accel-Redirect: /etc/passwd",
					  "a\n", "\x80", "a\"",
					  "a;b", "a_b"};
	struct response r;

	(void)state;
	response_init(&r, 200);
	for (size_t i = 0; i < LENGTH(ids); i++)
		assert_header(head_with_id(&r, ids[i]), "X-Request-Id", NULL);
	assert_header(head_with_id(&r, "AZaz09-"), "X-Request-Id", "AZaz09-");
}

static void test_one_origin_may_embed(void **state)
{
	struct response r;

	(void)state;
	response_init(&r, 200);
	r.frame_origin = "https://wiki.example";
	assert_non_null(strstr(head(&r), "base-uri 'none'; frame-ancestors https://wiki.example\r\n"
					 "X-Content-Type-Options: nosniff\r\n"));
	r.frame_origin = "";
	assert_non_null(strstr(head(&r), "; frame-ancestors 'none'\r\n"));
}

static void test_if_none_match(void **state)
{
	static const struct {
		const char *field, *etag;
		bool same;
	} rows[] = {
		{"W/\"abc\"", "W/\"abc\"", true},
		{"\"abc\"", "W/\"abc\"", true},
		{"W/\"abc\"", "\"abc\"", true},
		{"*", "W/\"abc\"", true},
		{"\"x\", W/\"abc\"", "W/\"abc\"", true},
		{"\"x\",\"abc\",\"y\"", "W/\"abc\"", true},
		{", ,\t\"abc\" ,", "W/\"abc\"", true},
		{"junk, \"abc\"", "W/\"abc\"", true},
		{"\"a,b\"", "W/\"a,b\"", true},
		{"W/\"abc-12\"", "W/\"abc-12\"", true},
		{"", "W/\"abc\"", false},
		{"\"abcd\"", "W/\"abc\"", false},
		{"\"ab\"", "W/\"abc\"", false},
		{"\"ABC\"", "W/\"abc\"", false},
		{"abc", "W/\"abc\"", false},
		{"w/\"abc\"", "W/\"abc\"", false},
		{"\"abc", "W/\"abc\"", false},
		{"\"x,\"abc\"", "W/\"abc\"", false},
		{"\"x\"\"abc\"", "W/\"abc\"", false},
		{"W/", "W/\"abc\"", false},
		{"\"", "W/\"abc\"", false},
		{"**", "W/\"abc\"", false},
		{"*", "", false},
		{"\"\"", "", false},
		{"", "", false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++)
		if (response_not_modified(rows[i].field, rows[i].etag) != rows[i].same)
			fail_msg("If-None-Match: %s with %s", rows[i].field, rows[i].etag);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_live_page),
		cmocka_unit_test(test_a_bare_answer_has_only_what_every_answer_has),
		cmocka_unit_test(test_status_lines),
		cmocka_unit_test(test_cache_control),
		cmocka_unit_test(test_age_is_whole_seconds_and_never_negative),
		cmocka_unit_test(test_server_timing),
		cmocka_unit_test(test_headers_of_some_answers),
		cmocka_unit_test(test_a_deadline_that_has_passed_is_not_told),
		cmocka_unit_test(test_a_copy_that_is_ending),
		cmocka_unit_test(test_asking_again_tells_nothing_else),
		cmocka_unit_test(test_not_modified_has_validators_but_no_content),
		cmocka_unit_test(test_a_hostile_request_id_is_dropped),
		cmocka_unit_test(test_one_origin_may_embed),
		cmocka_unit_test(test_if_none_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
