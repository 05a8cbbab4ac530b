/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "store/sentinel.h"

#include "store/reply.h"

bool sentinel_primary(const redisReply *reply, struct endpoint *primary)
{
	return endpoint_set(primary, reply_field(reply, 0), hostport_port(reply_field(reply, 1)));
}

bool sentinel_is_primary(const redisReply *reply)
{
	return span_is(reply_field(reply, 0), "master");
}

bool sentinel_is_deposed(const redisReply *reply)
{
	static const struct span words[] = {
		SPAN("READONLY "),   /* a replica by now */
		SPAN("MASTERDOWN "), /* a replica that has lost its primary */
		SPAN("NOREPLICAS "), /* all replicas may have moved to a new primary */
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (reply->type == REDIS_REPLY_ERROR && reply->len >= words[i].len &&
		    memcmp(reply->str, words[i].ptr, words[i].len) == 0)
			return true;
	return false;
}
