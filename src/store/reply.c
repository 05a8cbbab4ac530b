/* SPDX-License-Identifier: MIT */
/* Anything unexpected reads as absent: replies are untrusted input. */
#include "config.h"
#include "store/reply.h"

#include <string.h>

#include "base/text.h"

#define REPLY_DIGITS_MAX 18 /* below TEXT_DECIMAL_MAX */

struct span reply_text(const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_STRING && reply->type != REDIS_REPLY_STATUS)
		return (struct span){NULL, 0};
	return (struct span){reply->str, reply->len};
}

struct span reply_field(const redisReply *reply, size_t i)
{
	if (reply->type != REDIS_REPLY_ARRAY || i >= reply->elements)
		return (struct span){NULL, 0};
	return reply_text(reply->element[i]);
}

int64_t reply_decimal(struct span text)
{
	return text.len <= REPLY_DIGITS_MAX ? text_decimal(text) : -1;
}

int64_t reply_integer(const redisReply *reply, size_t i)
{
	if (i >= reply->elements)
		return -1;
	if (reply->element[i]->type == REDIS_REPLY_INTEGER)
		return reply->element[i]->integer;
	return reply_decimal(reply_text(reply->element[i]));
}

bool reply_copy(char *to, size_t size, struct span from)
{
	if (from.len >= size)
		return false;
	if (from.len)
		memcpy(to, from.ptr, from.len);
	to[from.len] = '\0';
	return true;
}
