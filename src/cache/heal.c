/* SPDX-License-Identifier: MIT */
/*
 * A value that is too large to be ours costs a reply and a connection each time it is met. Whoever
 * meets it removes the key: everything under the prefix is a cache. The key is removed after the
 * response, which still needs the replies at hand.
 */
#include "config.h"
#include "cache/cache.h"

#include "base/log.h"
#include "cache/key.h"
#include "cache/redis.h"
#include "store/reply.h"

void cache_remove_later(struct cache *cache, struct key key)
{
	(void)reply_copy(cache->giant, sizeof(cache->giant), KEY(key));
}

void cache_note_giant(struct cache *cache, size_t reply, struct key key)
{
	if (store_is_too_large(cache->store, reply))
		cache_remove_later(cache, key);
}

void cache_heal(struct cache *cache)
{
	if (!*cache->giant || cache_is_away(cache))
		return;
	store_cmd(cache->store, SPAN("UNLINK"), span_str(cache->giant));
	if (cache_run(cache) != STORE_OK)
		return;
	log_event(LOG_LEVEL_WARNING, "key_removed", LOG_STR("key", cache->giant),
		  LOG_STR("fault", "size"));
	*cache->giant = '\0';
}
