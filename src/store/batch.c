/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "store/batch.h"

#include <assert.h>

#define COUNT_MAX 24 /* bytes of a length in RESP */

static const redisReply too_large = {.type = REDIS_REPLY_NIL};

void batch_init(struct batch *batch, size_t max_bytes)
{
	buf_init(&batch->out, max_bytes);
	batch_reset(batch);
}

void batch_free(struct batch *batch)
{
	buf_free(&batch->out);
}

void batch_reset(struct batch *batch)
{
	buf_reset(&batch->out);
	batch->commands = batch->answered = batch->too_large = 0;
}

/* "$12\r\n" and the like; at most COUNT_MAX bytes. */
static char *put_count(char *at, char kind, size_t n)
{
	char digits[COUNT_MAX], *p = digits + sizeof(digits);
	size_t len;

	*--p = '\n';
	*--p = '\r';
	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	*--p = kind;
	len = (size_t)(digits + sizeof(digits) - p);
	memcpy(at, p, len);
	return at + len;
}

static void add_arg(struct buf *out, struct span arg)
{
	char *from = buf_reserve(out, arg.len + COUNT_MAX + 2), *at;

	if (!from)
		return;
	at = put_count(from, '$', arg.len);
	if (arg.len)
		memcpy(at, arg.ptr, arg.len);
	at += arg.len;
	*at++ = '\r';
	*at++ = '\n';
	buf_grew(out, (size_t)(at - from));
}

void batch_command(struct batch *batch, size_t argc)
{
	char *at = buf_reserve(&batch->out, COUNT_MAX);

	if (batch->commands < BATCH_COMMANDS_MAX)
		batch->starts[batch->commands] = batch->out.len;
	batch->commands++;
	if (at)
		buf_grew(&batch->out, (size_t)(put_count(at, '*', argc) - at));
}

void batch_args(struct batch *batch, size_t argc, const struct span *argv)
{
	for (size_t i = 0; i < argc; i++)
		add_arg(&batch->out, argv[i]);
}

bool batch_ok(const struct batch *batch)
{
	return buf_ok(&batch->out) && batch->commands <= BATCH_COMMANDS_MAX;
}

struct span batch_unanswered(const struct batch *batch)
{
	size_t start = batch_is_answered(batch) ? batch->out.len : batch->starts[batch->answered];

	return (struct span){batch->out.data + start, batch->out.len - start};
}

bool batch_is_answered(const struct batch *batch)
{
	return batch->answered == batch->commands;
}

void batch_answer(struct batch *batch, const redisReply *reply)
{
	assert(batch->answered < batch->commands);
	batch->replies[batch->answered++] = reply;
}

void batch_answer_too_large(struct batch *batch)
{
	batch_answer(batch, &too_large);
	batch->too_large++;
}

bool batch_is_too_large(const struct batch *batch, size_t i)
{
	return i < batch->answered && batch->replies[i] == &too_large;
}
