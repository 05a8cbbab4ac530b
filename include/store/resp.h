/* SPDX-License-Identifier: MIT */
/*
 * Reads replies of Redis (RESP2) as they arrive, in pieces of any size. Announced lengths are
 * checked before anything is received: a string or array that does not fit the pool ends the reply
 * there. The reader is strict: a number is digits, a line ends with CR LF, arrays nest at most
 * RESP_DEPTH deep; anything else is not Redis. Why this is not hiredis' reader:
 * doc/decisions/redis-client.md.
 */
#ifndef TFT_RESP_H
#define TFT_RESP_H

#include <hiredis/hiredis.h>
#include "base/span.h"
#include "store/reply_pool.h"

#define RESP_DEPTH    7
#define RESP_LINE_MAX 16384 /* bytes of an error or a status */

enum resp_result {
	RESP_REPLY,     /* one is complete */
	RESP_MORE,      /* bytes are missing; what is left of the input comes again, before them */
	RESP_TOO_LARGE, /* more than the pool may hold */
	RESP_BAD,       /* not the protocol */
	RESP_NO_MEMORY
};

struct resp {
	struct reply_pool *pool;
	struct reply_mark mark; /* before the reply at hand */
	redisReply *whole;      /* the reply at hand, NULL: none has begun */
	struct {
		redisReply *array;
		size_t next; /* element */
	} open[RESP_DEPTH];  /* arrays that are not complete, the outermost first */
	size_t depth;
	redisReply *string; /* being received, NULL: none */
	size_t received;    /* bytes of it, and of the CR LF behind it */
};

void resp_init(struct resp *resp, struct reply_pool *pool);
/* Consumes the input of one reply. After any other result than RESP_REPLY and RESP_MORE the reply
 * is dropped, and nothing can be read until resp_init. */
enum resp_result resp_read(struct resp *resp, struct span *input, redisReply **reply);
/* The rest of the string being received: NULL, or where its next *len bytes may be put directly;
 * report them with resp_received. */
char *resp_room(const struct resp *resp, size_t *len);
void resp_received(struct resp *resp, size_t len);

#endif
