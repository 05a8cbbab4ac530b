/* SPDX-License-Identifier: MIT */
/*
 * A reply is a line, or a line and a string, or a line and other replies. Where we are in it:
 *
 *	nothing begun    whole is NULL
 *	in a string      string is set: bytes up to its length and CR LF are awaited
 *	in arrays        depth > 0: the next line is an element of the innermost
 *
 * Only resp_read moves from one to another. `string` is placed in its array as soon as its length
 * is known, so a complete one only has to be counted.
 */
#include "config.h"
#include "store/resp.h"

#include <assert.h>
#include <stdint.h>

void resp_init(struct resp *resp, struct reply_pool *pool)
{
	*resp = (struct resp){.pool = pool};
}

/* An optional minus and digits, within 64 bits. */
static bool parse_number(struct span text, long long *n)
{
	bool minus = text.len > 0 && text.ptr[0] == '-';
	size_t i = minus;

	if (i == text.len || (text.ptr[i] == '0' && text.len > 1))
		return false;
	for (*n = 0; i < text.len; i++) {
		int digit = text.ptr[i] - '0';

		if (digit < 0 || digit > 9 || __builtin_mul_overflow(*n, 10, n) ||
		    __builtin_sub_overflow(*n, digit, n))
			return false;
	}
	/* Accumulated downwards, since the smallest integer has no opposite. */
	return minus || !__builtin_sub_overflow(0, *n, n);
}

static enum resp_result place(struct resp *resp, redisReply *reply)
{
	if (resp->depth == 0) {
		resp->whole = reply;
	} else {
		redisReply *array = resp->open[resp->depth - 1].array;

		array->element[resp->open[resp->depth - 1].next++] = reply;
	}
	return RESP_REPLY;
}

/* A reply of this type, followed by `extra` bytes, in its place. */
static enum resp_result add(struct resp *resp, int type, size_t extra, redisReply **reply)
{
	size_t len = sizeof(**reply) + extra;

	if (!reply_pool_has_room(resp->pool, len))
		return RESP_TOO_LARGE;
	*reply = reply_pool_take(resp->pool, len);
	if (!*reply)
		return RESP_NO_MEMORY;
	memset(*reply, 0, sizeof(**reply));
	(*reply)->type = type;
	return place(resp, *reply);
}

static enum resp_result add_nil(struct resp *resp)
{
	redisReply *reply;

	return add(resp, REDIS_REPLY_NIL, 0, &reply);
}

/* A lone CR is not part of a line; hiredis refuses it, too, since 1.1. */
static enum resp_result add_line(struct resp *resp, int type, struct span text)
{
	redisReply *reply;
	enum resp_result rc =
		memchr(text.ptr, '\r', text.len) ? RESP_BAD : add(resp, type, text.len + 1, &reply);

	if (rc != RESP_REPLY)
		return rc;
	reply->str = (char *)(reply + 1);
	reply->len = text.len;
	memcpy(reply->str, text.ptr, text.len);
	reply->str[text.len] = '\0';
	return RESP_REPLY;
}

static enum resp_result add_integer(struct resp *resp, struct span text)
{
	redisReply *reply;
	long long n;
	enum resp_result rc =
		parse_number(text, &n) ? add(resp, REDIS_REPLY_INTEGER, 0, &reply) : RESP_BAD;

	if (rc == RESP_REPLY)
		reply->integer = n;
	return rc;
}

/* A length of strings and arrays; *nil: there is none. */
static bool parse_length(struct span text, size_t *len, bool *nil)
{
	long long n;

	if (!parse_number(text, &n) || n < -1)
		return false;
	*nil = n == -1;
	*len = *nil ? 0 : (size_t)n;
	return true;
}

static enum resp_result begin_string(struct resp *resp, struct span text)
{
	redisReply *reply;
	enum resp_result rc;
	size_t len;
	bool nil;

	if (!parse_length(text, &len, &nil))
		return RESP_BAD;
	if (nil)
		return add_nil(resp);
	if (len > resp->pool->max)
		return RESP_TOO_LARGE;
	rc = add(resp, REDIS_REPLY_STRING, len + 2, &reply);
	if (rc != RESP_REPLY)
		return rc;
	reply->str = (char *)(reply + 1);
	reply->len = len;
	resp->string = reply;
	resp->received = 0;
	return RESP_REPLY;
}

static enum resp_result begin_array(struct resp *resp, struct span text)
{
	redisReply *reply;
	enum resp_result rc;
	size_t count;
	bool nil;

	if (!parse_length(text, &count, &nil) || (count && resp->depth == RESP_DEPTH))
		return RESP_BAD;
	if (nil)
		return add_nil(resp);
	if (count > resp->pool->max / sizeof(redisReply *))
		return RESP_TOO_LARGE;
	rc = add(resp, REDIS_REPLY_ARRAY, count * sizeof(redisReply *), &reply);
	if (rc != RESP_REPLY)
		return rc;
	reply->elements = count;
	reply->element = (redisReply **)(reply + 1);
	if (count) {
		resp->open[resp->depth].array = reply;
		resp->open[resp->depth++].next = 0;
	}
	return RESP_REPLY;
}

static enum resp_result read_line(struct resp *resp, struct span *input)
{
	const char *end = memchr(input->ptr, '\n', input->len);
	struct span text;
	char type;

	if (!end)
		return input->len > RESP_LINE_MAX ? RESP_BAD : RESP_MORE;
	if (end - input->ptr < 2 || end[-1] != '\r')
		return RESP_BAD;
	type = input->ptr[0];
	text = (struct span){input->ptr + 1, (size_t)(end - input->ptr) - 2};
	input->len -= (size_t)(end + 1 - input->ptr);
	input->ptr = end + 1;
	switch (type) {
	case '$':
		return begin_string(resp, text);
	case '*':
		return begin_array(resp, text);
	case ':':
		return add_integer(resp, text);
	case '+':
		return add_line(resp, REDIS_REPLY_STATUS, text);
	case '-':
		return add_line(resp, REDIS_REPLY_ERROR, text);
	default:
		return RESP_BAD;
	}
}

char *resp_room(const struct resp *resp, size_t *len)
{
	if (!resp->string)
		return NULL;
	*len = resp->string->len + 2 - resp->received;
	return resp->string->str + resp->received;
}

void resp_received(struct resp *resp, size_t len)
{
	resp->received += len;
	assert(resp->received <= resp->string->len + 2);
}

static enum resp_result end_string(struct resp *resp)
{
	char *end = resp->string->str + resp->string->len;

	if (resp->received < resp->string->len + 2)
		return RESP_MORE;
	resp->string = NULL;
	if (end[0] != '\r' || end[1] != '\n')
		return RESP_BAD;
	*end = '\0';
	return RESP_REPLY;
}

static enum resp_result read_string(struct resp *resp, struct span *input)
{
	size_t len;
	char *room = resp_room(resp, &len);

	if (len > input->len)
		len = input->len;
	if (len)
		memcpy(room, input->ptr, len);
	resp_received(resp, len);
	input->ptr += len;
	input->len -= len;
	return end_string(resp);
}

/* A complete array may be the last element of the one around it. */
static bool is_whole(struct resp *resp)
{
	while (resp->depth &&
	       resp->open[resp->depth - 1].next == resp->open[resp->depth - 1].array->elements)
		resp->depth--;
	return resp->depth == 0;
}

/* A line, and the string that follows it, if any. */
static enum resp_result read_part(struct resp *resp, struct span *input)
{
	enum resp_result rc = resp->string || input->len ? RESP_REPLY : RESP_MORE;

	if (rc == RESP_REPLY && !resp->string)
		rc = read_line(resp, input);
	if (rc == RESP_REPLY && resp->string)
		rc = read_string(resp, input);
	return rc;
}

static void drop(struct resp *resp)
{
	reply_pool_rewind(resp->pool, resp->mark);
	resp->whole = resp->string = NULL;
	resp->depth = 0;
}

enum resp_result resp_read(struct resp *resp, struct span *input, redisReply **reply)
{
	enum resp_result rc;

	if (!resp->whole)
		resp->mark = reply_pool_mark(resp->pool);
	do
		rc = read_part(resp, input);
	while (rc == RESP_REPLY && !is_whole(resp));
	if (rc == RESP_REPLY) {
		*reply = resp->whole;
		resp->whole = NULL;
	} else if (rc != RESP_MORE) {
		drop(resp);
	}
	return rc;
}
