/* SPDX-License-Identifier: MIT */
/*
 * Memory for the replies of one batch. hiredis takes and frees each reply and each of its elements
 * alone, a third of what a worker does for a page; here they lie side by side and go together. It
 * also believes an array of any announced length; here a batch has a ceiling.
 */
#ifndef TFT_REPLY_POOL_H
#define TFT_REPLY_POOL_H

#include <hiredis/hiredis.h>

struct reply_pool {
	struct reply_chunk *chunks; /* the newest first */
	size_t taken, max;          /* bytes */
};

void reply_pool_init(struct reply_pool *pool, size_t max);
/* A reader of hiredis whose replies live in the pool; NULL when memory ends. */
redisReader *reply_pool_reader(struct reply_pool *pool);
/* Ends the life of all replies; keeps a little memory for the next ones. */
void reply_pool_reset(struct reply_pool *pool);
void reply_pool_free(struct reply_pool *pool);

#endif
