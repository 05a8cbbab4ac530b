/* SPDX-License-Identifier: MIT */
/*
 * Redis with Sentinel: what the answers of sentinels and servers say. No I/O; store.c connects.
 * Nothing here is trusted: the server that a sentinel names is the primary only if it says so
 * itself.
 */
#ifndef TFT_SENTINEL_H
#define TFT_SENTINEL_H

#include <hiredis/hiredis.h>
#include "store/address.h"

/* The primary from the reply to SENTINEL GET-MASTER-ADDR-BY-NAME; false when the sentinel knows of
 * none. */
bool sentinel_primary(const redisReply *reply, struct endpoint *primary);
/* What the reply to ROLE says. */
bool sentinel_is_primary(const redisReply *reply);
/* An error that an acting primary does not give: the sentinels may know of another one. */
bool sentinel_is_deposed(const redisReply *reply);

#endif
