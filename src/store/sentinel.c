/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "store/sentinel.h"

#include <stdio.h>

#include "store/reply.h"

bool sentinel_split(struct sentinel *sentinel, const char *text)
{
	static const struct span scheme = SPAN("sentinel:");
	const char *slash;

	if (strncmp(text, scheme.ptr, scheme.len) != 0)
		return false;
	text += scheme.len;
	slash = strchrnul(text, '/');
	sentinel->hosts = (struct span){text, (size_t)(slash - text)};
	sentinel->name = span_str(*slash ? slash + 1 : slash);
	return true;
}

bool sentinel_host(const struct sentinel *sentinel, size_t i, char host[SENTINEL_HOST_MAX])
{
	const char *from = sentinel->hosts.ptr, *end = from + sentinel->hosts.len, *comma;

	for (;; i--) {
		comma = memchr(from, ',', (size_t)(end - from));
		if (i == 0)
			break;
		if (!comma)
			return false;
		from = comma + 1;
	}
	return reply_copy(host, SENTINEL_HOST_MAX,
			  (struct span){from, (size_t)((comma ? comma : end) - from)});
}

bool sentinel_primary(const redisReply *reply, char host[SENTINEL_HOST_MAX])
{
	struct span address = reply_field(reply, 0), port = reply_field(reply, 1);
	int len;

	if (address.len == 0 || address.len >= SENTINEL_HOST_MAX || reply_decimal(port) < 0)
		return false;
	len = snprintf(host, SENTINEL_HOST_MAX, "%.*s:%.*s", (int)address.len, address.ptr,
		       (int)port.len, port.ptr);
	return len > 0 && len < SENTINEL_HOST_MAX;
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
		SPAN("NOREPLICAS "), /* all replicas may have gone over to a new primary */
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (reply->type == REDIS_REPLY_ERROR && reply->len >= words[i].len &&
		    memcmp(reply->str, words[i].ptr, words[i].len) == 0)
			return true;
	return false;
}
