/* SPDX-License-Identifier: MIT */
/*
 * What a reply of Redis says. Anything but the expected type reads as absent: a reply is input like
 * any other, and a key may hold whatever somebody has put there.
 */
#ifndef TFT_REPLY_H
#define TFT_REPLY_H

#include <stdint.h>
#include <hiredis/hiredis.h>
#include "base/span.h"

/* A string or a status; else a span with NULL pointer. Lives as long as the reply. */
struct span reply_text(const redisReply *reply);
/* The same of member i of an array. */
struct span reply_field(const redisReply *reply, size_t i);
/* A whole decimal number of up to 18 digits; -1 for anything else. */
int64_t reply_decimal(struct span text);
/* Member i of an array, an integer or its digits; -1 for anything else. */
int64_t reply_integer(const redisReply *reply, size_t i);
/* A C string of it; false when it has no room. */
bool reply_copy(char *to, size_t size, struct span from);

#endif
