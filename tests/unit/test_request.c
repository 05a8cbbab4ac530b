/* SPDX-License-Identifier: MIT */
/* Parameters and bodies as sent by nginx, by a dying nginx, and by a hostile client. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/request.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* One parameter that differs from those of a plain GET of "/"; value NULL: it is absent. */
struct change {
	const char *name, *value;
};

/* A FastCGI request: the plain parameters with up to five changes, and a body. */
struct fake {
	struct change changes[5];
	const char *body;
	size_t body_len, read;
};

static const struct change plain[] = {
	{"REQUEST_METHOD", "GET"}, {"DOCUMENT_URI", "/"},
	{"QUERY_STRING", ""},      {"CONTENT_TYPE", ""},
	{"CONTENT_LENGTH", ""},    {"REMOTE_ADDR", "127.0.0.1"},
	{"REMOTE_USER", ""},       {"TFT_ORIGIN", ""},
	{"TFT_SFS", ""},           {"TFT_INM", ""},
	{"TFT_AE", "identity"},    {"TFT_RID", "0123456789abcdef0123456789abcdef"},
	{"TFT_HOST", NULL},        {"TFT_L1", NULL},
	{"TFT_END", "1"},
};

static const char *param(void *ctx, const char *name)
{
	const struct fake *fake = ctx;

	for (size_t i = 0; i < LENGTH(fake->changes); i++)
		if (fake->changes[i].name && strcmp(fake->changes[i].name, name) == 0)
			return fake->changes[i].value;
	for (size_t i = 0; i < LENGTH(plain); i++)
		if (strcmp(plain[i].name, name) == 0)
			return plain[i].value;
	fail_msg("nginx sends no parameter %s", name);
	return NULL;
}

static size_t read_body(void *ctx, char *bytes, size_t len)
{
	struct fake *fake = ctx;
	size_t n = fake->body_len - fake->read;

	if (n > len)
		n = len;
	memcpy(bytes, fake->body + fake->read, n);
	fake->read += n;
	return n;
}

static enum request_result parse(struct request *request, struct fake *fake)
{
	memset(request, 0x5a, sizeof(*request));
	return request_parse(request, param, read_body, fake);
}

/* n times 'x' in a static buffer. */
static const char *xs(size_t n)
{
	static char text[8192];

	assert_true(n < sizeof(text));
	memset(text, 'x', n);
	text[n] = '\0';
	return text;
}

static void test_everything_is_copied(void **state)
{
	struct fake fake = {{{"DOCUMENT_URI", "/heatmap"},
			     {"QUERY_STRING", "metric=cpu"},
			     {"TFT_AE", "gzip"},
			     {"TFT_L1", "1"},
			     {"TFT_INM", "W/\"1\""}},
			    "",
			    0,
			    0};
	struct request r;

	(void)state;
	assert_int_equal(parse(&r, &fake), REQUEST_OK);
	assert_int_equal(r.method, METHOD_GET);
	assert_string_equal(r.path, "/heatmap");
	assert_int_equal(r.path_len, 8);
	assert_string_equal(r.query, "metric=cpu");
	assert_int_equal(r.query_len, 10);
	assert_true(r.gzip && r.l1);
	assert_string_equal(r.if_none_match, "W/\"1\"");
	assert_string_equal(r.remote_addr, "127.0.0.1");
	assert_string_equal(r.id, "0123456789abcdef0123456789abcdef");
	assert_string_equal(r.origin, "");
	assert_int_equal(r.body_len, 0);
}

static void test_without_its_sentinel_a_request_is_cut(void **state)
{
	static const char *const ends[] = {NULL, "", "0", "11", " 1"};
	struct request r;

	(void)state;
	for (size_t i = 0; i < LENGTH(ends); i++) {
		struct fake fake = {{{"TFT_END", ends[i]}}, "", 0, 0};

		assert_int_equal(parse(&r, &fake), REQUEST_CUT);
	}
}

static void test_methods(void **state)
{
	static const struct {
		const char *text;
		enum method method;
	} rows[] = {
		{"GET", METHOD_GET},       {"HEAD", METHOD_HEAD},  {"POST", METHOD_POST},
		{"get", METHOD_OTHER},     {"GETX", METHOD_OTHER}, {"OPTIONS", METHOD_OTHER},
		{"FOO-BAR", METHOD_OTHER}, {"", METHOD_OTHER},     {NULL, METHOD_OTHER},
	};
	struct request r;

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct fake fake = {
			{{"REQUEST_METHOD", rows[i].text}, {"CONTENT_LENGTH", "0"}}, "", 0, 0};

		assert_int_equal(parse(&r, &fake), REQUEST_OK);
		assert_int_equal(r.method, rows[i].method);
	}
}

static void test_only_gzip_is_gzip(void **state)
{
	static const char *const others[] = {NULL, "", "identity", "GZIP", "gzip, br"};
	struct request r;

	(void)state;
	for (size_t i = 0; i < LENGTH(others); i++) {
		struct fake fake = {{{"TFT_AE", others[i]}}, "", 0, 0};

		assert_int_equal(parse(&r, &fake), REQUEST_OK);
		assert_false(r.gzip);
	}
}

static void test_path_and_query_have_a_limit(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		enum request_result result;
	} rows[] = {
		{"DOCUMENT_URI", REQUEST_PATH_MAX, REQUEST_OK},
		{"DOCUMENT_URI", REQUEST_PATH_MAX + 1, REQUEST_TOO_LONG},
		{"QUERY_STRING", REQUEST_QUERY_MAX, REQUEST_OK},
		{"QUERY_STRING", REQUEST_QUERY_MAX + 1, REQUEST_TOO_LONG},
		{"QUERY_STRING", 8000, REQUEST_TOO_LONG},
	};
	struct request r;

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct fake fake = {
			{{rows[i].name, xs(rows[i].len)}, {"REQUEST_METHOD", "HEAD"}}, "", 0, 0};

		assert_int_equal(parse(&r, &fake), rows[i].result);
		/* The refusal is also logged with its id, and has no body if the method is HEAD. */
		assert_int_equal(r.method, METHOD_HEAD);
		assert_string_equal(r.id, "0123456789abcdef0123456789abcdef");
	}
}

/* A header that is too long must neither change a page nor let a form of another site through. */
static void test_a_header_that_does_not_fit_gives_no_rights(void **state)
{
	static const struct {
		const char *name;
		size_t offset, fits;
		const char *instead;
	} rows[] = {
		{"TFT_INM", offsetof(struct request, if_none_match), 255, ""},
		{"TFT_ORIGIN", offsetof(struct request, origin), 255, "null"},
		{"TFT_SFS", offsetof(struct request, fetch_site), 31, "cross-site"},
		{"CONTENT_TYPE", offsetof(struct request, content_type), 79, "?"},
		{"REMOTE_USER", offsetof(struct request, remote_user), 127, "?"},
		{"TFT_HOST", offsetof(struct request, host), 253, "?"},
		{"REMOTE_ADDR", offsetof(struct request, remote_addr), 45, "?"},
		{"TFT_RID", offsetof(struct request, id), 63, ""},
	};
	struct request r;

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct fake fits = {{{rows[i].name, xs(rows[i].fits)}}, "", 0, 0};
		struct fake over = {{{rows[i].name, xs(rows[i].fits + 1)}}, "", 0, 0};

		(void)xs(rows[i].fits);
		assert_int_equal(parse(&r, &fits), REQUEST_OK);
		assert_string_equal((const char *)&r + rows[i].offset, xs(rows[i].fits));
		(void)xs(rows[i].fits + 1);
		assert_int_equal(parse(&r, &over), REQUEST_OK);
		assert_string_equal((const char *)&r + rows[i].offset, rows[i].instead);
	}
}

static void test_a_name_is_ours_when_it_is_listed(void **state)
{
	static const struct {
		const char *hosts, *host;
		bool ours;
	} rows[] = {
		{"", "evil.example", true},
		{"", NULL, true},
		{"dash.example,dash", "dash.example", true},
		{"dash.example,dash", "dash", true},
		{"dash.example,dash", "das", false},
		{"dash.example,dash", "dash.example,dash", false},
		{"dash.example,dash", "evil.dash.example", false},
		{"dash.example,dash", "", false},
		{"dash.example,dash", NULL, false},
		{"dash.example", "localhost", true},
		{"dash.example", "localhost.evil.example", false},
		{"dash.example", "192.0.2.7", true},
		{"dash.example", "192.0.2.7.evil.example", false},
		{"dash.example", "[2001:db8::1]", true},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct fake fake = {{{"TFT_HOST", rows[i].host}}, "", 0, 0};
		struct request r;

		assert_int_equal(parse(&r, &fake), REQUEST_OK);
		assert_int_equal(request_is_ours(&r, rows[i].hosts), rows[i].ours);
	}
}

static void test_absent_parameters_are_empty(void **state)
{
	struct fake fake = {{{"DOCUMENT_URI", NULL},
			     {"QUERY_STRING", NULL},
			     {"TFT_ORIGIN", NULL},
			     {"REMOTE_ADDR", NULL}},
			    "",
			    0,
			    0};
	struct request r;

	(void)state;
	assert_int_equal(parse(&r, &fake), REQUEST_OK);
	assert_int_equal(r.path_len, 0);
	assert_int_equal(r.query_len, 0);
	assert_string_equal(r.origin, "");
	assert_string_equal(r.remote_addr, "");
}

static void test_the_body_is_as_long_as_announced(void **state)
{
	static const struct {
		const char *length;
		size_t sent;
		enum request_result result;
	} rows[] = {
		{"17", 17, REQUEST_OK},
		{"0", 0, REQUEST_OK},
		{"4096", 4096, REQUEST_OK},
		{"0000000000000000000000017", 17, REQUEST_OK},
		{"17", 16, REQUEST_BAD},
		{"17", 18, REQUEST_BAD},
		{"0", 1, REQUEST_BAD},
		{"4096", 4097, REQUEST_BAD},
		{"4097", 4097, REQUEST_TOO_LARGE},
		{"9223372036854775808", 17, REQUEST_TOO_LARGE},
		{"18446744073709551633", 17, REQUEST_TOO_LARGE}, /* 2^64 + 17 */
		{"", 17, REQUEST_BAD},
		{NULL, 0, REQUEST_BAD},
		{"-1", 0, REQUEST_BAD},
		{"+17", 17, REQUEST_BAD},
		{" 17", 17, REQUEST_BAD},
		{"17 ", 17, REQUEST_BAD},
		{"0x11", 17, REQUEST_BAD},
		{"1/7", 97, REQUEST_BAD},
		{"1:", 17, REQUEST_BAD},
		{"17, 17", 17, REQUEST_BAD},
	};
	struct request r;

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct fake fake = {
			{{"REQUEST_METHOD", "POST"}, {"CONTENT_LENGTH", rows[i].length}},
			xs(rows[i].sent),
			rows[i].sent,
			0};
		enum request_result result = parse(&r, &fake);

		if (result != rows[i].result)
			fail_msg("length %s, sent %zu: %d",
				 rows[i].length ? rows[i].length : "absent", rows[i].sent, result);
		assert_int_equal(r.body_len, result == REQUEST_OK ? rows[i].sent : 0);
		if (result == REQUEST_OK)
			assert_string_equal(r.body, xs(rows[i].sent));
	}
}

static void test_a_body_with_nul_is_refused(void **state)
{
	struct fake fake = {{{"REQUEST_METHOD", "POST"}, {"CONTENT_LENGTH", "3"}}, "a\0b", 3, 0};
	struct request r;

	(void)state;
	assert_int_equal(parse(&r, &fake), REQUEST_BAD);
}

static void test_only_a_post_has_a_body(void **state)
{
	static const char *const methods[] = {"GET", "HEAD", "DELETE"};
	static const char *const lengths[] = {"5", "-1", "99999999", "x"};
	struct request r;

	(void)state;
	for (size_t i = 0; i < LENGTH(methods) * LENGTH(lengths); i++) {
		struct fake fake = {{{"REQUEST_METHOD", methods[i % LENGTH(methods)]},
				     {"CONTENT_LENGTH", lengths[i / LENGTH(methods)]}},
				    "hello",
				    5,
				    0};

		assert_int_equal(parse(&r, &fake), REQUEST_OK);
		assert_int_equal(r.body_len, 0);
		assert_int_equal(fake.read, 0);
	}
}

static void test_control_bytes_pass_unchanged(void **state)
{
	static const char hostile[] = "/\x1b[2J\r\nX-Accel-Redirect: /\xff";
	struct fake fake = {{{"DOCUMENT_URI", hostile}}, "", 0, 0};
	struct request r;

	(void)state;
	assert_int_equal(parse(&r, &fake), REQUEST_OK);
	assert_string_equal(r.path, hostile);
	assert_int_equal(r.path_len, sizeof(hostile) - 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_is_copied),
		cmocka_unit_test(test_without_its_sentinel_a_request_is_cut),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_only_gzip_is_gzip),
		cmocka_unit_test(test_path_and_query_have_a_limit),
		cmocka_unit_test(test_a_header_that_does_not_fit_gives_no_rights),
		cmocka_unit_test(test_a_name_is_ours_when_it_is_listed),
		cmocka_unit_test(test_absent_parameters_are_empty),
		cmocka_unit_test(test_the_body_is_as_long_as_announced),
		cmocka_unit_test(test_a_body_with_nul_is_refused),
		cmocka_unit_test(test_only_a_post_has_a_body),
		cmocka_unit_test(test_control_bytes_pass_unchanged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
