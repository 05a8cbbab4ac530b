/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "store/reply_pool.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE 32768 /* the replies to a hit fit in */

struct reply_chunk {
	struct reply_chunk *next;
	size_t used, size;
	max_align_t bytes[];
};

void reply_pool_init(struct reply_pool *pool, size_t max)
{
	*pool = (struct reply_pool){.max = max};
}

/* Room for len bytes more, in a new chunk. */
static struct reply_chunk *add_chunk(struct reply_pool *pool, size_t len)
{
	size_t size = len > CHUNK_SIZE ? len : CHUNK_SIZE;
	struct reply_chunk *chunk;

	if (len > pool->max - pool->taken)
		return NULL;
	chunk = malloc(sizeof(*chunk) + size);
	if (!chunk)
		return NULL;
	*chunk = (struct reply_chunk){.next = pool->chunks, .size = size};
	pool->chunks = chunk;
	pool->taken += len;
	return chunk;
}

static void *take(struct reply_pool *pool, size_t len)
{
	struct reply_chunk *chunk = pool->chunks;
	void *room;

	len = (len + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!chunk || len > chunk->size - chunk->used)
		chunk = add_chunk(pool, len);
	if (!chunk)
		return NULL;
	room = (char *)chunk->bytes + chunk->used;
	chunk->used += len;
	return room;
}

/* A reply of the task's type with `extra` bytes behind it, in its place in the array it is of. */
static redisReply *add_reply(const redisReadTask *task, size_t extra)
{
	redisReply *reply = take(task->privdata, sizeof(*reply) + extra);

	if (!reply)
		return NULL;
	memset(reply, 0, sizeof(*reply));
	reply->type = task->type;
	if (task->parent)
		((redisReply *)task->parent->obj)->element[task->idx] = reply;
	return reply;
}

static void *add_string(const redisReadTask *task, char *text, size_t len)
{
	redisReply *reply = add_reply(task, len + 1);

	if (!reply)
		return NULL;
	reply->str = (char *)(reply + 1);
	reply->len = len;
	memcpy(reply->str, text, len);
	reply->str[len] = '\0';
	return reply;
}

static void *add_array(const redisReadTask *task, int elements)
{
	size_t count = elements > 0 ? (size_t)elements : 0;
	redisReply *reply = add_reply(task, count * sizeof(redisReply *));

	if (!reply)
		return NULL;
	reply->elements = count;
	reply->element = (redisReply **)(reply + 1);
	memset(reply->element, 0, count * sizeof(redisReply *));
	return reply;
}

static void *add_integer(const redisReadTask *task, long long value)
{
	redisReply *reply = add_reply(task, 0);

	if (reply)
		reply->integer = value;
	return reply;
}

static void *add_nil(const redisReadTask *task)
{
	return add_reply(task, 0);
}

static void keep(void *reply)
{
	(void)reply;
}

redisReader *reply_pool_reader(struct reply_pool *pool)
{
	static redisReplyObjectFunctions functions = {add_string, add_array, add_integer, add_nil,
						      keep};
	redisReader *reader = redisReaderCreateWithFunctions(&functions);

	if (reader)
		reader->privdata = pool;
	return reader;
}

/* All chunks but one of the usual size, if there is one. */
static void drop(struct reply_pool *pool, bool all)
{
	struct reply_chunk *kept = NULL;

	while (pool->chunks) {
		struct reply_chunk *chunk = pool->chunks;

		pool->chunks = chunk->next;
		if (!all && !kept && chunk->size == CHUNK_SIZE)
			kept = chunk;
		else
			free(chunk);
	}
	if (kept) {
		kept->next = NULL;
		kept->used = 0;
	}
	pool->chunks = kept;
	pool->taken = 0;
}

void reply_pool_reset(struct reply_pool *pool)
{
	drop(pool, false);
}

void reply_pool_free(struct reply_pool *pool)
{
	drop(pool, true);
}
