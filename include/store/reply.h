/* SPDX-License-Identifier: MIT */
/*
 * What a reply of Redis says. Anything but the expected type reads as absent: replies are untrusted
 * input, since anybody may have written to a key.
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
/* Copies it into a C string; false when it does not fit. */
bool reply_copy(char *to, size_t size, struct span from);

#endif
