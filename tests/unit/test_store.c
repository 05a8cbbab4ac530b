/* SPDX-License-Identifier: MIT */
/*
 * The store against a scripted server: on each connection it waits for given commands, then sends
 * given bytes. It takes the place of a transport, so no test depends on a clock: a wait without an
 * answer ends at once.
 */
#include "config.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "store/batch.h"
#include "store/reply.h"
#include "store/resp.h"
#include "store/store.h"
#include "store/transport.h"

#define LENGTH(a)   (sizeof(a) / sizeof((a)[0]))
#define DEADLINE_MS 1000

/* A request and the bytes that answer it. */
struct turn {
	const char
		*asked; /* words, commands ending with ";"; NULL: ends the turns of a connection */
	const char *answer; /* then silence */
	enum { OPEN, ENDS } then;
	const char *stray; /* sent after the answer has been read; NULL: nothing */
};

/* --- the server --- */

static struct {
	struct turn script[8];    /* of all connections */
	const struct turn *turns; /* what is left of it */
	size_t piece;             /* bytes per read */
	size_t opened, closed;
	const char *refusal; /* connecting fails */
	const char *broken;  /* waiting fails */
	int handshakes;      /* rounds of a handshake */
	struct buf written;  /* of this turn */
	struct span unread;
	bool answered, ended, is_open;
	int64_t waited_ms[64]; /* without an answer */
	size_t waits;
	char where[ENDPOINT_TEXT_MAX]; /* connected last */
} server;

static int server_open(struct link *link, const struct endpoint *to, struct err *err)
{
	(void)link;
	endpoint_text(to, server.where);
	if (server.refusal) {
		err_set(err, "connect: %s", server.refusal);
		return -1;
	}
	assert_false(server.is_open);
	server.is_open = true;
	server.opened++;
	server.answered = server.ended = false;
	server.unread = (struct span){NULL, 0};
	buf_reset(&server.written);
	return 0;
}

static int server_handshake(struct link *link, struct err *err)
{
	(void)link;
	(void)err;
	return server.handshakes-- > 0 ? POLLIN : 0;
}

/* "GET a;" from "*2\r\n$3\r\nGET\r\n$1\r\na\r\n"; an incomplete command is omitted. */
static void tell_commands(struct span wire, struct buf *out)
{
	struct reply_pool pool;
	struct resp resp;
	redisReply *command;

	reply_pool_init(&pool, 64 << 20);
	resp_init(&resp, &pool);
	while (resp_read(&resp, &wire, &command) == RESP_REPLY) {
		for (size_t i = 0; i < command->elements; i++) {
			struct span word = reply_field(command, i);

			buf_span_add(out, word.len > 50 ? SPAN("(long)") : word);
			buf_char(out, i + 1 < command->elements ? ' ' : ';');
		}
	}
	reply_pool_free(&pool);
}

/* What a hit takes is not allocated anew; what a large reply took does not stay. */
static void test_a_pool_keeps_a_usual_chunk_and_nothing_else(void **state)
{
	struct reply_pool pool;
	const void *first;
	size_t usual;

	(void)state;
	reply_pool_init(&pool, 64 << 20);
	first = reply_pool_take(&pool, 100);
	usual = pool.taken;
	reply_pool_reset(&pool);
	assert_int_equal(pool.taken, usual);
	assert_ptr_equal(reply_pool_take(&pool, 100), first);
	assert_non_null(reply_pool_take(&pool, 1 << 20));
	reply_pool_reset(&pool);
	assert_int_equal(pool.taken, usual);
	reply_pool_free(&pool);
	assert_non_null(reply_pool_take(&pool, 1 << 20));
	reply_pool_reset(&pool);
	assert_int_equal(pool.taken, 0);
	reply_pool_free(&pool);
}

static void answer(void)
{
	struct buf asked;

	buf_init(&asked, 1 << 26);
	tell_commands(buf_span(&server.written), &asked);
	if (server.turns->asked && span_is(buf_span(&asked), server.turns->asked)) {
		server.unread = span_str(server.turns->answer);
		server.ended = server.turns->then == ENDS;
		server.answered = true;
	}
	buf_free(&asked);
}

static ssize_t server_write(struct link *link, const char *from, size_t len, struct err *err)
{
	(void)link;
	(void)err;
	assert_true(server.is_open);
	if (server.answered) { /* the next turn of this connection */
		assert_int_equal(server.unread.len, 0);
		server.turns++;
		server.answered = false;
		buf_reset(&server.written);
	}
	buf_add(&server.written, from, len);
	answer();
	return (ssize_t)len;
}

static bool has_bytes(void)
{
	if (server.answered && !server.unread.len && server.turns->stray) {
		server.unread = span_str(server.turns->stray);
		return true;
	}
	return server.unread.len || server.ended;
}

static ssize_t server_read(struct link *link, char *to, size_t len, bool may_wait, struct err *err)
{
	size_t n = server.unread.len < len ? server.unread.len : len;

	(void)link;
	(void)may_wait;
	if (n == 0 && server.ended) {
		err_set(err, "receive: connection closed");
		return -1;
	}
	if (n > server.piece)
		n = server.piece;
	if (n)
		memcpy(to, server.unread.ptr, n);
	server.unread.ptr += n;
	server.unread.len -= n;
	return (ssize_t)n;
}

static int server_wait(struct link *link, short events, int64_t ms, struct err *err)
{
	(void)link;
	if (server.broken) {
		err_set(err, "poll: %s", server.broken);
		return -1;
	}
	if ((events & POLLOUT) || server.unread.len || server.ended || server.handshakes >= 0)
		return 1;
	assert_true(server.waits < LENGTH(server.waited_ms));
	server.waited_ms[server.waits++] = ms;
	return 0;
}

static bool server_is_quiet(struct link *link)
{
	(void)link;
	return !has_bytes();
}

static void server_close(struct link *link)
{
	(void)link;
	assert_true(server.is_open);
	server.is_open = false;
	server.closed++;
	/* Turns of this connection that were not played are skipped. */
	while (server.turns->asked)
		server.turns++;
	server.turns++;
}

static const struct transport scripted = {
	server_open, server_handshake, server_read,  server_write,
	server_wait, server_is_quiet,  server_close,
};

/* --- helpers --- */

static struct store_address address;
static struct store *store;

static int open_store(void **state)
{
	(void)state;
	memset(&server, 0, sizeof(server));
	server.piece = SIZE_MAX;
	server.handshakes = -1;
	buf_init(&server.written, 1 << 26);
	address = (struct store_address){.where = "127.0.0.1:6379",
					 .user = "",
					 .password = "",
					 .sentinel_password = "",
					 .connect_ms = 50,
					 .transport = &scripted};
	store = store_new(&address);
	return store ? 0 : -1;
}

static int close_store(void **state)
{
	(void)state;
	store_free(&store);
	assert_int_equal(server.opened, server.closed);
	buf_free(&server.written);
	return 0;
}

static void play_turns(const struct turn *turns, size_t count)
{
	assert_true(count <= LENGTH(server.script));
	memcpy(server.script, turns, count * sizeof(*turns));
	server.turns = server.script;
}

#define play(turns) play_turns((turns), LENGTH(turns))

static void get(const char *key)
{
	store_cmd(store, SPAN("GET"), span_str(key));
}

static void assert_result(enum store_result expected)
{
	enum store_result rc = store_run(store, DEADLINE_MS);

	if (rc != expected)
		fail_msg("%d instead of %d: %s", rc, expected, store_error(store));
}

static void assert_text(size_t i, const char *text)
{
	struct span found = reply_text(store_reply(store, i));

	if (!span_is(found, text))
		fail_msg("reply %zu: \"%.*s\" instead of \"%s\"", i, (int)found.len, found.ptr,
			 text);
}

static void assert_nil(size_t i)
{
	assert_int_equal(store_reply(store, i)->type, REDIS_REPLY_NIL);
}

static void assert_error(const char *text)
{
	assert_string_equal(store_error(store), text);
}

/* --- batches --- */

static void test_a_batch_has_its_replies_in_order(void **state)
{
	static const struct turn turns[] = {
		{"GET a;GET b;", "+first\r\n$6\r\nsecond\r\n", OPEN, NULL},
		{"GET c;", "-ERR no\r\n", OPEN, NULL},
		{NULL},
	};

	(void)state;
	play(turns);
	get("a");
	get("b");
	assert_result(STORE_OK);
	assert_text(0, "first");
	assert_text(1, "second");
	assert_nil(2);
	get("c");
	assert_result(STORE_OK);
	assert_int_equal(store_reply(store, 0)->type, REDIS_REPLY_ERROR);
	assert_string_equal(store_reply(store, 0)->str, "ERR no");
	assert_nil(1);
	assert_int_equal(store_connections(store), 1);
}

static void test_pieces_of_any_size(void **state)
{
	static const struct turn turns[] = {
		{"GET a;GET b;", "*2\r\n$3\r\none\r\n:2\r\n$-1\r\n", OPEN, NULL},
		{NULL},
	};

	for (size_t piece = 1; piece < 30; piece++) {
		play(turns);
		server.piece = piece;
		get("a");
		get("b");
		assert_result(STORE_OK);
		assert_true(span_is(reply_field(store_reply(store, 0), 0), "one"));
		assert_int_equal(reply_integer(store_reply(store, 0), 1), 2);
		assert_nil(1);
		store_close(store);
		close_store(state);
		open_store(state);
	}
}

/* Longer than one read: the rest is received in its final place. */
static void test_a_long_string(void **state)
{
	static char text[300000], wire[sizeof(text) + 40];
	const struct turn turns[] = {{"GET a;GET b;", wire, OPEN, NULL}, {NULL}};
	static const size_t pieces[] = {1000, 65536, SIZE_MAX};

	for (size_t i = 0; i + 1 < sizeof(text); i++)
		text[i] = (char)('a' + i % 23);
	(void)snprintf(wire, sizeof(wire), "$%zu\r\n%s\r\n+after\r\n", strlen(text), text);
	for (size_t i = 0; i < LENGTH(pieces); i++) {
		play(turns);
		server.piece = pieces[i];
		get("a");
		get("b");
		assert_result(STORE_OK);
		assert_text(0, text);
		assert_text(1, "after");
		close_store(state);
		open_store(state);
	}
}

static void test_more_commands_than_a_batch_has(void **state)
{
	struct turn turns[] = {{.then = OPEN}, {NULL}};
	struct buf asked, replies;

	(void)state;
	buf_init(&asked, 4096);
	buf_init(&replies, 4096);
	for (int i = 0; i < BATCH_COMMANDS_MAX; i++) {
		buf_lit(&asked, "GET b;");
		buf_addf(&replies, "+%d\r\n", i);
	}
	buf_char(&asked, '\0');
	buf_char(&replies, '\0');
	turns[0].asked = asked.data;
	turns[0].answer = replies.data;
	play(turns);
	for (int i = 0; i <= BATCH_COMMANDS_MAX; i++)
		get("a");
	assert_result(STORE_DOWN);
	assert_error("batch too large");
	assert_int_equal(server.opened, 0);
	for (int i = 0; i < BATCH_COMMANDS_MAX; i++)
		get("b");
	assert_result(STORE_OK);
	assert_text(0, "0");
	assert_text(BATCH_COMMANDS_MAX - 1, "127");
	buf_free(&asked);
	buf_free(&replies);
}

/* --- what ends a connection --- */

static void test_what_is_cut_or_no_reply(void **state)
{
	static const struct {
		const char *answer;
		int then;
		const char *error;
	} rows[] = {
		{"", ENDS, "receive: connection closed"},
		{"+a\r\n$5\r\nab", ENDS, "receive: connection closed"},
		{"HTTP/1.1 400 Bad Request\r\n\r\n", OPEN, "protocol: not a reply of Redis"},
		{"+a\r\n$2\r\nabc\r\n", OPEN, "protocol: not a reply of Redis"},
		{"+a\r\n%1\r\n", OPEN, "protocol: not a reply of Redis"}, /* RESP3 */
		{"+a\rb\r\n", OPEN, "protocol: not a reply of Redis"},
		{"+a\r\n$-2\r\n", OPEN, "protocol: not a reply of Redis"},
		{"+a\r\n:1x\r\n", OPEN, "protocol: not a reply of Redis"},
		{"+a\r\n", OPEN, "deadline passed"},
		{"+a\r\n$5\r\nab", OPEN, "deadline passed"},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		const struct turn turns[] = {
			{"GET a;GET b;", rows[i].answer, rows[i].then, NULL},
			{NULL},
			{"GET c;", "+c\r\n", OPEN, NULL},
			{NULL},
		};

		play(turns);
		get("a");
		get("b");
		assert_result(STORE_DOWN);
		assert_error(rows[i].error);
		assert_nil(0); /* half a batch is none */
		assert_false(store_is_too_large(store, 0));
		assert_false(server.is_open);
		get("c");
		assert_result(STORE_OK);
		assert_text(0, "c");
		assert_nil(1);
		close_store(state);
		open_store(state);
	}
}

/* Its answer may still arrive, but on a connection that nobody reads. */
static void test_a_late_reply_is_nobodys(void **state)
{
	static const struct turn turns[] = {
		{"GET a;", "", OPEN, NULL},
		{NULL},
		{"GET b;", "+b\r\n", OPEN, NULL},
		{NULL},
	};

	(void)state;
	play(turns);
	get("a");
	assert_result(STORE_DOWN);
	server.unread = SPAN("+a\r\n");
	get("b");
	assert_result(STORE_OK);
	assert_text(0, "b");
	assert_int_equal(store_connections(store), 2);
}

static void test_a_connection_spoilt_between_batches_costs_nothing(void **state)
{
	static const struct {
		int then;
		const char *stray;
	} rows[] = {{ENDS, NULL}, {OPEN, "+stray\r\n"}, {OPEN, "x"}};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		const struct turn turns[] = {
			{"GET a;", "+a\r\n", rows[i].then, rows[i].stray},
			{NULL},
			{"GET b;", "+b\r\n", OPEN, NULL},
			{NULL},
		};

		play(turns);
		get("a");
		assert_result(STORE_OK);
		get("b");
		assert_result(STORE_OK);
		assert_text(0, "b");
		close_store(state);
		open_store(state);
	}
}

static void test_a_stray_reply_behind_the_last_one(void **state)
{
	static const struct turn turns[] = {
		{"GET a;", "+a\r\n+stray\r\n", OPEN, NULL},
		{NULL},
		{"GET b;", "+b\r\n", OPEN, NULL},
		{NULL},
	};

	(void)state;
	play(turns);
	get("a");
	assert_result(STORE_OK);
	get("b");
	assert_result(STORE_OK);
	assert_text(0, "b");
}

static void test_a_server_that_is_not_there(void **state)
{
	static const struct turn turns[] = {{"GET a;", "+a\r\n", OPEN, NULL}, {NULL}};

	(void)state;
	play(turns);
	server.refusal = "Connection refused";
	get("a");
	assert_result(STORE_DOWN);
	assert_error("connect: Connection refused");
	server.refusal = NULL;
	get("a");
	assert_result(STORE_OK);
}

/* --- replies too large to be taken --- */

#define GIANT "$64000000\r\nxxxx"

static void test_a_giant_costs_its_own_reply(void **state)
{
	static const struct turn turns[] = {
		{"GET a;GET b;GET c;GET d;", "+a\r\n*3\r\n+part\r\n" GIANT, OPEN, NULL},
		{NULL},
		{"GET c;GET d;", "+c\r\n" GIANT, OPEN, NULL},
		{NULL},
		{"GET e;", "+e\r\n", OPEN, NULL},
		{NULL},
	};

	(void)state;
	play(turns);
	get("a");
	get("b");
	get("c");
	get("d");
	assert_result(STORE_TOO_LARGE);
	assert_text(0, "a");
	assert_nil(1);
	assert_text(2, "c");
	assert_nil(3);
	assert_false(store_is_too_large(store, 0));
	assert_true(store_is_too_large(store, 1));
	assert_false(store_is_too_large(store, 2));
	assert_true(store_is_too_large(store, 3));
	assert_false(store_is_too_large(store, 4));
	get("e");
	assert_result(STORE_OK);
	assert_text(0, "e");
	assert_false(store_is_too_large(store, 1));
}

/* No reply of the batch precedes it. */
static void test_what_comes_after_a_giant_alone_has_its_own_answer(void **state)
{
	static const struct turn turns[] = {
		{"GET a;", GIANT, OPEN, NULL},
		{NULL},
		{"GET b;", "+b\r\n", OPEN, NULL},
		{NULL},
	};

	(void)state;
	play(turns);
	get("a");
	assert_result(STORE_TOO_LARGE);
	assert_true(store_is_too_large(store, 0));
	get("b");
	assert_result(STORE_OK);
	assert_text(0, "b");
	assert_nil(1);
}

static void test_a_giant_is_known_though_the_server_is_gone_then(void **state)
{
	static const struct turn turns[] = {
		{"GET a;GET b;", GIANT, OPEN, NULL},
		{NULL},
		{"GET b;", "", ENDS, NULL},
		{NULL},
	};

	(void)state;
	play(turns);
	get("a");
	get("b");
	assert_result(STORE_DOWN);
	assert_true(store_is_too_large(store, 0));
	assert_false(store_is_too_large(store, 1));
}

/* Its memory has been released: the next reply has all the room. */
static void test_a_giant_leaves_no_trace_in_the_limit(void **state)
{
	static const struct turn turns[] = {
		{"GET a;GET b;", "*2\r\n*3000000\r\n*2000000\r\n", OPEN, NULL},
		{NULL},
		{"GET b;", "*3000000\r\n", OPEN, NULL},
		{NULL},
	};

	(void)state;
	play(turns);
	get("a");
	get("b");
	assert_result(STORE_DOWN);
	assert_error("deadline passed");
	assert_true(store_is_too_large(store, 0));
	assert_false(store_is_too_large(store, 1));
}

/* The limit itself: a reply that fits is waited for; one that does not is refused when its length
 * arrives. */
static void test_where_the_limit_is(void **state)
{
	static const struct {
		const char *answer;
		enum store_result rc;
	} rows[] = {
		{"$33553000\r\n", STORE_DOWN}, /* never arrives: the script does not contain more */
		{"$33554432\r\n", STORE_TOO_LARGE},
		{"$9223372036854775807\r\n", STORE_TOO_LARGE},
		{"$9223372036854775808\r\n", STORE_DOWN}, /* no number */
		{"*4190000\r\n", STORE_DOWN},
		{"*4194304\r\n", STORE_TOO_LARGE},
		{"*9223372036854775807\r\n", STORE_TOO_LARGE},
		{"*2\r\n$20000000\r\n", STORE_DOWN},
		{"*2\r\n*2000000\r\n*2300000\r\n", STORE_TOO_LARGE}, /* one within the other */
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		const struct turn turns[] = {{"GET a;", rows[i].answer, OPEN, NULL}, {NULL}};
		enum store_result rc;

		play(turns);
		get("a");
		rc = store_run(store, DEADLINE_MS);
		if (rc != rows[i].rc)
			fail_msg("%s: %d, %s", rows[i].answer, rc, store_error(store));
		close_store(state);
		open_store(state);
	}
}

/* All replies of a batch share the limit; the next batch has all of it again. */
static void test_the_limit_is_that_of_a_batch(void **state)
{
	enum { EACH = 12 * 1024 * 1024 };
	static char two[2 * (EACH + 20) + 20];
	const struct turn turns[] = {
		{"GET a;GET b;GET c;", two, OPEN, NULL},
		{NULL},
		{"GET a;GET b;GET c;", two, OPEN, NULL},
		{NULL},
	};
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 2; i++) {
		len += (size_t)snprintf(two + len, sizeof(two) - len, "$%d\r\n", EACH);
		memset(two + len, 'x', EACH);
		len += EACH;
		len += (size_t)snprintf(two + len, sizeof(two) - len, "\r\n");
	}
	(void)snprintf(two + len, sizeof(two) - len, "$%d\r\n", EACH);
	play(turns);
	for (int i = 0; i < 2; i++) {
		get("a");
		get("b");
		get("c");
		assert_result(STORE_TOO_LARGE);
		assert_int_equal(store_reply(store, 1)->len, EACH);
		assert_false(store_is_too_large(store, 1));
		assert_true(store_is_too_large(store, 2));
	}
}

/* --- time --- */

static void test_a_wait_that_fails_says_why(void **state)
{
	static const struct turn turns[] = {
		{"GET a;", "+a\r\n", OPEN, NULL}, {"GET a;", "", OPEN, NULL}, {NULL}};

	(void)state;
	play(turns);
	get("a");
	assert_result(STORE_OK);
	assert_error("");
	server.broken = "no descriptor";
	get("a");
	assert_result(STORE_DOWN);
	assert_error("poll: no descriptor");
}

static void test_a_run_waits_no_longer_than_it_may(void **state)
{
	static const struct turn turns[] = {{"GET a;", "", OPEN, NULL}, {NULL}};

	(void)state;
	play(turns);
	get("a");
	assert_int_equal(store_run(store, 100), STORE_DOWN);
	assert_error("deadline passed");
	assert_int_equal(server.waits, 1);
	assert_in_range(server.waited_ms[0], 1, 100);
}

/* The deadline passed while the worker did not run: it waits 10 ms more, once per run. */
static void test_who_comes_late_waits_a_moment_once(void **state)
{
	static const struct turn turns[] = {
		{"GET a;", "+a\r\n", OPEN, NULL},
		{"GET b;", "", OPEN, NULL},
		{NULL},
		{"GET c;", "", OPEN, NULL},
		{NULL},
	};

	(void)state;
	play(turns);
	get("a");
	assert_result(STORE_OK);
	for (size_t i = 0; i < 2; i++) {
		get(i ? "c" : "b");
		assert_int_equal(store_run(store, 0), STORE_DOWN);
		/* In the second run, connecting has used them up. */
		assert_int_equal(server.waits, 1);
		assert_int_equal(server.waited_ms[0], 10);
	}
}

static void test_a_handshake_of_several_rounds(void **state)
{
	static const struct turn turns[] = {{"GET a;", "+a\r\n", OPEN, NULL}, {NULL}};

	(void)state;
	play(turns);
	server.handshakes = 3;
	get("a");
	assert_result(STORE_OK);
	assert_int_equal(server.handshakes, -1);
}

/* --- authentication --- */

static void test_the_password_comes_first(void **state)
{
	static const struct {
		const char *where, *user, *asked;
	} rows[] = {
		{"127.0.0.1:6379", "", "AUTH secret;"},
		{"127.0.0.1:6379", "tft", "AUTH tft secret;"},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		const struct turn turns[] = {
			{rows[i].asked, "+OK\r\n", OPEN, NULL},
			{"GET a;", "+a\r\n", OPEN, NULL},
			{"GET b;", "+b\r\n", OPEN, NULL},
			{NULL},
		};

		play(turns);
		store_free(&store);
		address.where = rows[i].where;
		address.user = rows[i].user;
		address.password = "secret";
		store = store_new(&address);
		get("a");
		assert_result(STORE_OK);
		assert_text(0, "a");
		get("b");
		assert_result(STORE_OK);
		assert_text(0, "b");
		close_store(state);
		open_store(state);
	}
}

static void test_a_database_is_chosen_after_the_password(void **state)
{
	static const struct turn turns[] = {
		{"AUTH secret;", "+OK\r\n", OPEN, NULL},
		{"SELECT 3;", "+OK\r\n", OPEN, NULL},
		{"GET a;", "+x\r\n", OPEN, NULL},
		{NULL},
	};
	static const struct turn refused[] = {
		{"SELECT 3;", "-ERR DB index is out of range\r\n", OPEN, NULL},
		{NULL},
	};

	(void)state;
	address.where = "127.0.0.1:6379/3";
	address.password = "secret";
	store_free(&store);
	store = store_new(&address);
	play(turns);
	get("a");
	assert_result(STORE_OK);
	assert_text(0, "x");
	address.password = "";
	store_free(&store);
	store = store_new(&address);
	play(refused);
	get("a");
	assert_result(STORE_DOWN);
	assert_error("database 3: ERR DB index is out of range");
}

static void test_a_refused_password_is_told(void **state)
{
	static const struct turn turns[] = {
		{"AUTH secret;", "-WRONGPASS invalid username-password pair\r\n", OPEN, NULL},
		{NULL},
		{"AUTH secret;", GIANT, OPEN, NULL},
		{NULL},
	};

	(void)state;
	play(turns);
	address.password = "secret";
	get("a");
	assert_result(STORE_DOWN);
	assert_error("WRONGPASS invalid username-password pair");
	assert_false(server.is_open);
	get("a");
	assert_result(STORE_DOWN);
	assert_error("reply too large");
	assert_int_equal(store_connections(store), 0);
}

/* --- scripts --- */

#define SHA    "0123456789012345678901234567890123456789"
#define LOADED "$40\r\n" SHA "\r\n"

static enum store_result extend(void)
{
	return store_eval(store, STORE_EXTEND, 1, 2,
			  (const struct span[]){SPAN("key"), SPAN("arg")}, DEADLINE_MS);
}

static void test_a_script_is_loaded_once(void **state)
{
	static const struct turn turns[] = {
		{"SCRIPT LOAD (long);", LOADED, OPEN, NULL},
		{"EVALSHA " SHA " 1 key arg;", "+one\r\n", OPEN, NULL},
		{"EVALSHA " SHA " 1 key arg;", "+two\r\n", OPEN, NULL},
		{NULL},
	};

	(void)state;
	play(turns);
	assert_int_equal(extend(), STORE_OK);
	assert_text(0, "one");
	assert_int_equal(extend(), STORE_OK);
	assert_text(0, "two");
}

static void test_a_script_that_the_server_has_forgotten(void **state)
{
	static const struct turn turns[] = {
		{"SCRIPT LOAD (long);", LOADED, OPEN, NULL},
		{"EVALSHA " SHA " 1 key arg;", "-NOSCRIPT No matching script.\r\n", OPEN, NULL},
		{"SCRIPT LOAD (long);", LOADED, OPEN, NULL},
		{"EVALSHA " SHA " 1 key arg;", "-NOSCRIPT No matching script.\r\n", OPEN, NULL},
		{"EVALSHA " SHA " 1 key arg;", "+done\r\n", OPEN, NULL},
		{NULL},
	};

	(void)state;
	play(turns);
	/* It is loaded once more, never twice. */
	assert_int_equal(extend(), STORE_OK);
	assert_string_equal(store_reply(store, 0)->str, "NOSCRIPT No matching script.");
	assert_int_equal(extend(), STORE_OK);
	assert_text(0, "done");
}

/* Only an unknown script is a reason to send it again. */
static void test_a_script_that_may_not_be_loaded(void **state)
{
	static const struct turn turns[] = {
		{"SCRIPT LOAD (long);", "-NOPERM no\r\n", OPEN, NULL},
		{"SCRIPT LOAD (long);", LOADED, OPEN, NULL},
		{"EVALSHA " SHA " 1 key arg;", "-NOSCRIPT No matching script.\r\n", OPEN, NULL},
		{"SCRIPT LOAD (long);", "-ERR unknown command\r\n", OPEN, NULL},
		{NULL},
	};

	(void)state;
	play(turns);
	assert_int_equal(extend(), STORE_OK);
	assert_string_equal(store_reply(store, 0)->str, "NOPERM no");
	assert_int_equal(extend(), STORE_OK);
	assert_string_equal(store_reply(store, 0)->str, "ERR unknown command");
}

/* The effect of a script must not happen twice. */
static void test_a_script_whose_reply_is_a_giant_is_not_sent_again(void **state)
{
	static const struct turn turns[] = {
		{"SCRIPT LOAD (long);", LOADED, OPEN, NULL},
		{"EVALSHA " SHA " 1 key arg;", GIANT, OPEN, NULL},
		{NULL},
	};

	(void)state;
	play(turns);
	assert_int_equal(extend(), STORE_TOO_LARGE);
	assert_int_equal(server.opened, 1);
}

/* --- sentinels --- */

#define QUESTION "SENTINEL GET-MASTER-ADDR-BY-NAME tft;"
#define NAMES    "*2\r\n$9\r\n127.0.0.2\r\n$4\r\n6379\r\n"

static void ask_sentinels(const char *where, const char *password)
{
	store_free(&store);
	address.where = where;
	address.sentinel_password = password;
	store = store_new(&address);
	get("a");
}

static void test_the_sentinel_names_the_primary(void **state)
{
	static const struct turn turns[] = {
		{"AUTH of-sentinels;", "+OK\r\n", OPEN, NULL},
		{QUESTION, NAMES, OPEN, NULL},
		{NULL},
		{"ROLE;", "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n", OPEN, NULL},
		{"GET a;", "+a\r\n", OPEN, NULL},
		{"GET b;", "-READONLY You can't write against a read only replica.\r\n", OPEN,
		 NULL},
		{NULL},
	};

	(void)state;
	play(turns);
	ask_sentinels("sentinel:[::1]:26379/tft", "of-sentinels");
	assert_result(STORE_OK);
	assert_text(0, "a");
	assert_string_equal(server.where, "127.0.0.2:6379");
	get("b");
	assert_result(STORE_OK);
	assert_false(server.is_open); /* the sentinels may know a new one */
}

static void test_what_sentinels_say_is_not_trusted(void **state)
{
	static const struct turn turns[] = {
		{QUESTION, NAMES, OPEN, NULL},
		{NULL},
		{"ROLE;", "*1\r\n$5\r\nslave\r\n", OPEN, NULL},
		{NULL},
		{QUESTION, "*-1\r\n", OPEN, NULL},
		{NULL},
		{QUESTION, "-NOAUTH Authentication required.\r\n", OPEN, NULL},
		{NULL},
	};

	(void)state;
	play(turns);
	ask_sentinels("sentinel:a:1,[::1]:2/tft", "");
	assert_result(STORE_DOWN);
	assert_error("sentinel a:1 names 127.0.0.2:6379: not a primary");
	get("a");
	assert_result(STORE_DOWN);
	assert_error("sentinel [::1]:2: knows of no such primary");
	get("a");
	assert_result(STORE_DOWN);
	assert_error("sentinel a:1: NOAUTH Authentication required.");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, close_store)

static void test_a_decimal_of_a_reply_has_at_most_18_digits(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
	} cases[] = {
		{"0", 0},
		{"999999999999999999", INT64_C(999999999999999999)},
		{"1000000000000000000", -1},
		{"0000000000000000001", -1},
		{"", -1},
		{"-1", -1},
		{"1 ", -1},
		{"12x", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(reply_decimal(span_str(cases[i].text)), cases[i].value);
	assert_int_equal(reply_decimal((struct span){NULL, 0}), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_decimal_of_a_reply_has_at_most_18_digits),
		cmocka_unit_test(test_a_pool_keeps_a_usual_chunk_and_nothing_else),
		TEST(test_a_batch_has_its_replies_in_order),
		TEST(test_pieces_of_any_size),
		TEST(test_a_long_string),
		TEST(test_more_commands_than_a_batch_has),
		TEST(test_what_is_cut_or_no_reply),
		TEST(test_a_late_reply_is_nobodys),
		TEST(test_a_connection_spoilt_between_batches_costs_nothing),
		TEST(test_a_stray_reply_behind_the_last_one),
		TEST(test_a_server_that_is_not_there),
		TEST(test_a_giant_costs_its_own_reply),
		TEST(test_what_comes_after_a_giant_alone_has_its_own_answer),
		TEST(test_a_giant_is_known_though_the_server_is_gone_then),
		TEST(test_a_giant_leaves_no_trace_in_the_limit),
		TEST(test_where_the_limit_is),
		TEST(test_the_limit_is_that_of_a_batch),
		TEST(test_a_wait_that_fails_says_why),
		TEST(test_a_run_waits_no_longer_than_it_may),
		TEST(test_who_comes_late_waits_a_moment_once),
		TEST(test_a_handshake_of_several_rounds),
		TEST(test_the_password_comes_first),
		TEST(test_a_database_is_chosen_after_the_password),
		TEST(test_a_refused_password_is_told),
		TEST(test_a_script_is_loaded_once),
		TEST(test_a_script_that_the_server_has_forgotten),
		TEST(test_a_script_that_may_not_be_loaded),
		TEST(test_a_script_whose_reply_is_a_giant_is_not_sent_again),
		TEST(test_the_sentinel_names_the_primary),
		TEST(test_what_sentinels_say_is_not_trusted),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
