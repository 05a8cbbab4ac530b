/* SPDX-License-Identifier: MIT */
/* Addresses with sentinels, and answers, which are read as hiredis gives them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/reply_pool.h"
#include "store/sentinel.h"

static struct reply_pool pool;
static redisReader *reader;

static int open_reader(void **state)
{
	(void)state;
	reply_pool_init(&pool, 1 << 20);
	reader = reply_pool_reader(&pool);
	return reader ? 0 : -1;
}

static int close_reader(void **state)
{
	(void)state;
	redisReaderFree(reader);
	reply_pool_free(&pool);
	return 0;
}

static const redisReply *parse(const char *resp)
{
	void *reply = NULL;

	assert_int_equal(redisReaderFeed(reader, resp, strlen(resp)), REDIS_OK);
	assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
	assert_non_null(reply);
	return reply;
}

static void test_address(void **state)
{
	struct sentinel sentinel;
	char host[SENTINEL_HOST_MAX];

	(void)state;
	assert_true(sentinel_split(&sentinel, "sentinel:10.0.0.1:26379,::1:26380,c:1/tft"));
	assert_true(span_is(sentinel.name, "tft"));
	assert_true(sentinel_host(&sentinel, 0, host));
	assert_string_equal(host, "10.0.0.1:26379");
	assert_true(sentinel_host(&sentinel, 1, host));
	assert_string_equal(host, "::1:26380");
	assert_true(sentinel_host(&sentinel, 2, host));
	assert_string_equal(host, "c:1");
	assert_false(sentinel_host(&sentinel, 3, host));
	assert_false(sentinel_host(&sentinel, SIZE_MAX, host));
	assert_true(sentinel_split(&sentinel, "sentinel:10.0.0.1:26379"));
	assert_int_equal(sentinel.name.len, 0);
}

static void test_addresses_without_sentinels(void **state)
{
	static const char *const rows[] = {"", "127.0.0.1:6379", "unix:/run/sentinel:/tft",
					   "sentinel.example:6379", "Sentinel:127.0.0.1:1/tft"};
	struct sentinel sentinel;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (sentinel_split(&sentinel, rows[i]))
			fail_msg("%s", rows[i]);
}

static void test_primary(void **state)
{
	static const struct {
		const char *resp, *host; /* NULL: none */
	} rows[] = {
		{"*2\r\n$8\r\n10.0.0.7\r\n$4\r\n6379\r\n", "10.0.0.7:6379"},
		{"*2\r\n$3\r\n::1\r\n$4\r\n6379\r\n", "::1:6379"},
		{"*-1\r\n", NULL}, /* no primary of that name */
		{"*0\r\n", NULL},
		{"*1\r\n$8\r\n10.0.0.7\r\n", NULL},
		{"*2\r\n$0\r\n\r\n$4\r\n6379\r\n", NULL},
		{"*2\r\n$8\r\n10.0.0.7\r\n$5\r\n6379x\r\n", NULL},
		{"*2\r\n*0\r\n:6379\r\n", NULL},
		{"$13\r\n10.0.0.7:6379\r\n", NULL},
		{":1\r\n", NULL},
	};
	char host[SENTINEL_HOST_MAX], resp[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (sentinel_primary(parse(rows[i].resp), host) != (rows[i].host != NULL))
			fail_msg("row %zu", i);
		if (rows[i].host)
			assert_string_equal(host, rows[i].host);
	}
	/* One byte less than would do for its port as well. */
	(void)snprintf(resp, sizeof(resp), "*2\r\n$%d\r\n%0*d\r\n$4\r\n6379\r\n",
		       SENTINEL_HOST_MAX - 5, SENTINEL_HOST_MAX - 5, 0);
	assert_false(sentinel_primary(parse(resp), host));
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
		cmocka_unit_test(test_address), cmocka_unit_test(test_addresses_without_sentinels),
		cmocka_unit_test(test_primary), cmocka_unit_test(test_role),
		cmocka_unit_test(test_deposed),
	};

	return cmocka_run_group_tests_name("sentinel", tests, open_reader, close_reader);
}
