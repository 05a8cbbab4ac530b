/* SPDX-License-Identifier: MIT */
/*
 * A Redis that answers by rules, in place of a transport, over a clock that only the test moves.
 *
 *	redis_on_array("HMGET tft:cur:fleet", "59", "e", "1770000", "s", "0");
 *	cache_read(...);
 *	assert_string_equal(redis_heard(), "...");   // since the last call, one command a line
 *
 * The newest rule that is a prefix of a command answers it; after redis_once, only the first such
 * command. If there is none, Redis is silent, and
 * the clock moves to the deadline at once. The digest and the text of a script are omitted:
 * "EVALSHA 1 key".
 */
#ifndef TFT_SCRIPTED_REDIS_H
#define TFT_SCRIPTED_REDIS_H

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
#include "fake_clock.h"
#include "store/reply.h"
#include "store/resp.h"
#include "store/store.h"
#include "store/transport.h"

#define REDIS_RULES_MAX 64

static struct {
	struct {
		const char *begins;
		struct buf wire;
		bool once;
	} rules[REDIS_RULES_MAX];
	size_t count;
	struct buf written, unread, heard;
	size_t read, connections, batches;
} redis;

/* --- answers --- */

static inline void redis_on_span(const char *begins, struct span wire)
{
	struct buf *b;

	assert_true(redis.count < REDIS_RULES_MAX);
	redis.rules[redis.count].begins = begins;
	redis.rules[redis.count].once = false;
	b = &redis.rules[redis.count++].wire;
	buf_init(b, 64u << 20);
	buf_span_add(b, wire);
}

/* The last rule answers one command. */
static inline void redis_once(void)
{
	redis.rules[redis.count - 1].once = true;
}

static inline void redis_on(const char *begins, const char *wire)
{
	redis_on_span(begins, span_str(wire));
}

static inline void put_string(struct buf *out, struct span text)
{
	if (!text.ptr) {
		buf_lit(out, "$-1\r\n");
		return;
	}
	buf_addf(out, "$%zu\r\n", text.len);
	buf_span_add(out, text);
	buf_lit(out, "\r\n");
}

/* An array of strings; a NULL pointer is nil. */
static inline void redis_on_spans(const char *begins, const struct span *texts, size_t count)
{
	struct buf wire;

	buf_init(&wire, 64u << 20);
	buf_addf(&wire, "*%zu\r\n", count);
	for (size_t i = 0; i < count; i++)
		put_string(&wire, texts[i]);
	redis_on_span(begins, buf_span(&wire));
	buf_free(&wire);
}

static inline void redis_on_texts(const char *begins, const char *const *texts, size_t count)
{
	struct span spans[64];

	assert_true(count <= 64);
	for (size_t i = 0; i < count; i++)
		spans[i] = texts[i] ? span_str(texts[i]) : (struct span){NULL, 0};
	redis_on_spans(begins, spans, count);
}

/* redis_on_array("HMGET a", "x", NULL, "y") */
#define redis_on_array(begins, ...)                                                                \
	redis_on_texts((begins), (const char *const[]){__VA_ARGS__},                               \
		       sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* --- received commands --- */

static inline const char *redis_heard(void)
{
	static struct buf told = {.max = 64u << 20};

	buf_reset(&told);
	buf_span_add(&told, buf_span(&redis.heard));
	for (size_t i = 0; i < told.len; i++)
		if (!told.data[i])
			told.data[i] = '.'; /* of packed bytes */
	buf_char(&told, '\0');
	buf_reset(&redis.heard);
	return told.data;
}

/* --- the transport --- */

static inline void tell_command(const redisReply *command, struct buf *out)
{
	bool script = span_is(reply_field(command, 0), "EVALSHA");

	for (size_t i = 0; i < command->elements; i++) {
		if (script && i == 1)
			continue;
		if (i)
			buf_char(out, ' ');
		buf_span_add(out, reply_field(command, i));
	}
}

static inline void answer_command(const redisReply *command)
{
	struct buf text;

	buf_init(&text, 64u << 20);
	tell_command(command, &text);
	for (size_t i = redis.count; i-- > 0;) {
		size_t len = strlen(redis.rules[i].begins);

		if (text.len >= len && memcmp(text.data, redis.rules[i].begins, len) == 0) {
			buf_span_add(&redis.unread, buf_span(&redis.rules[i].wire));
			if (redis.rules[i].once)
				redis.rules[i].begins = "(used)";
			break;
		}
	}
	if (!span_is(reply_field(command, 0), "SCRIPT")) {
		buf_span_add(&redis.heard, buf_span(&text));
		buf_char(&redis.heard, '\n');
	}
	buf_free(&text);
}

static inline int redis_open(struct link *link, const struct endpoint *to, struct err *err)
{
	(void)link;
	(void)to;
	(void)err;
	redis.connections++;
	buf_reset(&redis.written);
	buf_reset(&redis.unread);
	redis.read = 0;
	return 0;
}

static inline int redis_handshake(struct link *link, struct err *err)
{
	(void)link;
	(void)err;
	return 0;
}

static inline ssize_t redis_write(struct link *link, const char *from, size_t len, struct err *err)
{
	struct reply_pool pool;
	struct resp resp;
	redisReply *command;
	struct span rest;

	(void)link;
	(void)err;
	redis.batches++;
	buf_add(&redis.written, from, len);
	rest = buf_span(&redis.written);
	reply_pool_init(&pool, 64 << 20);
	resp_init(&resp, &pool);
	while (resp_read(&resp, &rest, &command) == RESP_REPLY)
		answer_command(command);
	assert_int_equal(rest.len, 0); /* the store writes whole batches */
	reply_pool_free(&pool);
	buf_reset(&redis.written);
	return (ssize_t)len;
}

static inline ssize_t redis_read(struct link *link, char *to, size_t len, bool may_wait,
				 struct err *err)
{
	size_t n = redis.unread.len - redis.read;

	(void)link;
	(void)may_wait;
	(void)err;
	if (n > len)
		n = len;
	if (n)
		memcpy(to, redis.unread.data + redis.read, n);
	redis.read += n;
	return (ssize_t)n;
}

static inline int redis_wait(struct link *link, short events, int64_t ms, struct err *err)
{
	(void)link;
	(void)err;
	if ((events & POLLOUT) || redis.read < redis.unread.len)
		return 1;
	pass_ms(ms);
	return 0;
}

static inline bool redis_is_quiet(struct link *link)
{
	(void)link;
	return redis.read == redis.unread.len;
}

static inline void redis_close(struct link *link)
{
	(void)link;
}

static const struct transport scripted_redis = {
	redis_open, redis_handshake, redis_read,  redis_write,
	redis_wait, redis_is_quiet,  redis_close,
};

/* --- a store over it --- */

/* Forgets all rules and all received commands. */
static inline void redis_reset(void)
{
	while (redis.count)
		buf_free(&redis.rules[--redis.count].wire);
	buf_reset(&redis.heard);
}

static inline struct store *redis_store(void)
{
	static const struct store_address address = {.where = "127.0.0.1:6379",
						     .user = "",
						     .password = "",
						     .sentinel_password = "",
						     .connect_ms = 50,
						     .transport = &scripted_redis};

	redis_reset();
	buf_init(&redis.written, 64u << 20);
	buf_init(&redis.unread, 64u << 20);
	buf_init(&redis.heard, 64u << 20);
	redis.read = redis.connections = redis.batches = 0;
	return store_new(&address);
}

static inline void redis_free(struct store **store)
{
	store_free(store);
	redis_reset();
	buf_free(&redis.written);
	buf_free(&redis.unread);
	buf_free(&redis.heard);
}

#endif
