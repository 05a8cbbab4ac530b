/* SPDX-License-Identifier: MIT */
/*
 * Memory for the replies of one batch, released together. What the pool takes from the heap, waste
 * included, never exceeds its ceiling, whatever a reply announces.
 */
#ifndef TFT_REPLY_POOL_H
#define TFT_REPLY_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct reply_pool {
	struct reply_chunk *chunks; /* the newest first */
	size_t taken, max;          /* bytes of the heap */
};

/* A moment in the life of a pool. */
struct reply_mark {
	struct reply_chunk *chunk;
	size_t used;
};

void reply_pool_init(struct reply_pool *pool, size_t max);
/* False: this many more bytes would exceed the ceiling. */
bool reply_pool_has_room(const struct reply_pool *pool, size_t len);
/* Aligned for anything, not cleared. NULL without room, or when memory ends. */
void *reply_pool_take(struct reply_pool *pool, size_t len);
struct reply_mark reply_pool_mark(const struct reply_pool *pool);
/* Releases what was allocated since then. */
void reply_pool_rewind(struct reply_pool *pool, struct reply_mark mark);
/* Releases everything, but keeps a little memory for the next replies. */
void reply_pool_reset(struct reply_pool *pool);
void reply_pool_free(struct reply_pool *pool);

#endif
