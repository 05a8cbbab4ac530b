/* SPDX-License-Identifier: MIT */
/* The answers of sentinels and servers. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/resp.h"
#include "store/sentinel.h"

static struct reply_pool pool;

static int open_pool(void **state)
{
	(void)state;
	reply_pool_init(&pool, 1 << 20);
	return 0;
}

static int close_pool(void **state)
{
	(void)state;
	reply_pool_free(&pool);
	return 0;
}

static const redisReply *parse(const char *text)
{
	struct span input = span_str(text);
	struct resp resp;
	redisReply *reply;

	resp_init(&resp, &pool);
	assert_int_equal(resp_read(&resp, &input, &reply), RESP_REPLY);
	return reply;
}

static void test_primary(void **state)
{
	static const struct {
		const char *resp, *text; /* NULL: none */
	} rows[] = {
		{"*2\r\n$8\r\n10.0.0.7\r\n$4\r\n6379\r\n", "10.0.0.7:6379"},
		{"*2\r\n$3\r\n::1\r\n$4\r\n6379\r\n", "[::1]:6379"},
		{"*2\r\n$1\r\na\r\n$1\r\n1\r\n", "a:1"},
		{"*2\r\n$1\r\na\r\n$5\r\n65535\r\n", "a:65535"},
		{"*2\r\n$1\r\na\r\n$1\r\n0\r\n", NULL},
		{"*2\r\n$1\r\na\r\n$5\r\n65536\r\n", NULL},
		{"*-1\r\n", NULL}, /* no primary of that name */
		{"*0\r\n", NULL},
		{"*1\r\n$8\r\n10.0.0.7\r\n", NULL},
		{"*2\r\n$0\r\n\r\n$4\r\n6379\r\n", NULL},
		{"*2\r\n$8\r\n10.0.0.7\r\n$5\r\n6379x\r\n", NULL},
		{"*2\r\n*0\r\n:6379\r\n", NULL},
		{"$13\r\n10.0.0.7:6379\r\n", NULL},
		{":1\r\n", NULL},
	};
	char text[ENDPOINT_TEXT_MAX], resp[1024];
	struct endpoint primary;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (sentinel_primary(parse(rows[i].resp), &primary) != (rows[i].text != NULL))
			fail_msg("row %zu", i);
		if (!rows[i].text)
			continue;
		endpoint_text(&primary, text);
		assert_string_equal(text, rows[i].text);
	}
	/* One byte longer than the buffer. */
	(void)snprintf(resp, sizeof(resp), "*2\r\n$%d\r\n%0*d\r\n$4\r\n6379\r\n", ENDPOINT_HOST_MAX,
		       ENDPOINT_HOST_MAX, 0);
	assert_false(sentinel_primary(parse(resp), &primary));
	(void)snprintf(resp, sizeof(resp), "*2\r\n$%d\r\n%0*d\r\n$4\r\n6379\r\n",
		       ENDPOINT_HOST_MAX - 1, ENDPOINT_HOST_MAX - 1, 0);
	assert_true(sentinel_primary(parse(resp), &primary));
}

/* Which addresses there are stands in test_settings.c. */
static void test_the_parts_of_an_address(void **state)
{
	static const struct {
		const char *text;
		int database;
		const char *user, *name, *hosts[3];
	} rows[] = {
		{"unix:/run/redis.sock", 0, "", "", {"/run/redis.sock"}},
		{"unix:/run/redis.sock/15", 15, "", "", {"/run/redis.sock"}},
		{"unix:/run/9/redis.sock7", 0, "", "", {"/run/9/redis.sock7"}},
		{"10.0.0.5:6379/12345", 12345, "", "", {"10.0.0.5:6379"}},
		{"::1:6379/90", 90, "", "", {"[::1]:6379"}},
		{"rediss://tft@[::1]:65535/3", 3, "tft", "", {"[::1]:65535"}},
		{"sentinel:a:1,::1:2,b:3/my-primary/7",
		 7,
		 "",
		 "my-primary",
		 {"a:1", "[::1]:2", "b:3"}},
		{"sentinel:a:1/5", 0, "", "5", {"a:1"}},
		{"rediss-sentinel://u@a:1,b:2/p", 0, "u", "p", {"a:1", "b:2"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[ENDPOINT_TEXT_MAX];
		struct address address;
		struct endpoint to;
		size_t n = 0;

		assert_true(address_parse(&address, rows[i].text));
		assert_int_equal(address.database, rows[i].database);
		assert_true(span_is(address.user, rows[i].user));
		assert_true(span_is(address.name, rows[i].name));
		for (; n < 3 && rows[i].hosts[n]; n++) {
			assert_true(address_endpoint(&address, n, &to));
			endpoint_text(&to, text);
			assert_string_equal(text, rows[i].hosts[n]);
		}
		assert_false(address_endpoint(&address, n, &to));
	}
}

static void test_role(void **state)
{
	(void)state;
	assert_true(sentinel_is_primary(parse("*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n")));
	assert_false(sentinel_is_primary(parse("*1\r\n$5\r\nslave\r\n")));
	assert_false(sentinel_is_primary(parse("*1\r\n$8\r\nsentinel\r\n")));
	assert_false(sentinel_is_primary(parse("*0\r\n")));
	assert_false(sentinel_is_primary(parse("$6\r\nmaster\r\n")));
}

static void test_deposed(void **state)
{
	(void)state;
	assert_true(sentinel_is_deposed(
		parse("-READONLY You can't write against a read only replica.\r\n")));
	assert_true(
		sentinel_is_deposed(parse("-NOREPLICAS Not enough good replicas to write.\r\n")));
	assert_true(sentinel_is_deposed(parse("-MASTERDOWN Link with MASTER is down.\r\n")));
	assert_false(sentinel_is_deposed(parse("-OOM command not allowed\r\n")));
	assert_false(sentinel_is_deposed(parse("-READ\r\n")));
	assert_false(sentinel_is_deposed(parse("$9\r\nREADONLY \r\n")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_primary),
		cmocka_unit_test(test_the_parts_of_an_address),
		cmocka_unit_test(test_role),
		cmocka_unit_test(test_deposed),
	};

	return cmocka_run_group_tests_name("sentinel", tests, open_pool, close_pool);
}
