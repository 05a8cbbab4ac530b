/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "store/reply_pool.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

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

static size_t align(size_t len)
{
	return (len + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

static size_t chunk_size(size_t len)
{
	return len > CHUNK_SIZE ? len : CHUNK_SIZE;
}

static bool fits(const struct reply_chunk *chunk, size_t len)
{
	return chunk && len <= chunk->size - chunk->used;
}

bool reply_pool_has_room(const struct reply_pool *pool, size_t len)
{
	if (len > pool->max)
		return false;
	len = align(len);
	return fits(pool->chunks, len) ||
	       sizeof(struct reply_chunk) + chunk_size(len) <= pool->max - pool->taken;
}

static struct reply_chunk *add_chunk(struct reply_pool *pool, size_t size)
{
	struct reply_chunk *chunk = malloc(sizeof(*chunk) + size);

	if (!chunk)
		return NULL;
	*chunk = (struct reply_chunk){.next = pool->chunks, .size = size};
	pool->chunks = chunk;
	pool->taken += sizeof(*chunk) + size;
	assert(pool->taken <= pool->max);
	return chunk;
}

void *reply_pool_take(struct reply_pool *pool, size_t len)
{
	struct reply_chunk *chunk = pool->chunks;
	void *room;

	if (!reply_pool_has_room(pool, len))
		return NULL;
	len = align(len);
	if (!fits(chunk, len))
		chunk = add_chunk(pool, chunk_size(len));
	if (!chunk)
		return NULL;
	room = (char *)chunk->bytes + chunk->used;
	chunk->used += len;
	return room;
}

static void drop_chunk(struct reply_pool *pool)
{
	struct reply_chunk *chunk = pool->chunks;

	pool->chunks = chunk->next;
	pool->taken -= sizeof(*chunk) + chunk->size;
	free(chunk);
}

struct reply_mark reply_pool_mark(const struct reply_pool *pool)
{
	return (struct reply_mark){pool->chunks, pool->chunks ? pool->chunks->used : 0};
}

void reply_pool_rewind(struct reply_pool *pool, struct reply_mark mark)
{
	while (pool->chunks != mark.chunk)
		drop_chunk(pool);
	if (pool->chunks)
		pool->chunks->used = mark.used;
}

/* The first chunk is kept if it has the usual size. */
void reply_pool_reset(struct reply_pool *pool)
{
	while (pool->chunks && (pool->chunks->next || pool->chunks->size != CHUNK_SIZE))
		drop_chunk(pool);
	if (pool->chunks)
		pool->chunks->used = 0;
}

void reply_pool_free(struct reply_pool *pool)
{
	reply_pool_rewind(pool, (struct reply_mark){NULL, 0});
}
