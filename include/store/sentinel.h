/* SPDX-License-Identifier: MIT */
/*
 * Redis with Sentinel: how its address is written, what a sentinel is asked and what the answers
 * say. No I/O; store.c connects. Nothing here is trusted: whom a sentinel names is the primary only
 * if it says so itself.
 */
#ifndef TFT_SENTINEL_H
#define TFT_SENTINEL_H

#include <hiredis/hiredis.h>
#include "base/span.h"

#define SENTINEL_HOST_MAX 512 /* bytes of host:port with its NUL: an option has no more */

/* sentinel:host:port[,host:port...]/name; the parts are borrowed from the text. */
struct sentinel {
	struct span hosts; /* host:port, separated by single commas */
	struct span name;  /* of the primary, as the sentinels have it */
};

/* False when the text begins otherwise. Both parts may be anything, also empty. */
bool sentinel_split(struct sentinel *sentinel, const char *text);
/* The i-th host:port as a C string; false past the last one. */
bool sentinel_host(const struct sentinel *sentinel, size_t i, char host[SENTINEL_HOST_MAX]);
/* host:port of the primary from the reply to SENTINEL GET-MASTER-ADDR-BY-NAME; false when the
 * sentinel knows of none. */
bool sentinel_primary(const redisReply *reply, char host[SENTINEL_HOST_MAX]);
/* What the reply to ROLE says. */
bool sentinel_is_primary(const redisReply *reply);
/* An error that a primary in office does not give: the sentinels may know of another one. */
bool sentinel_is_deposed(const redisReply *reply);

#endif
