/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "cache/key.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "cache/redis.h"

static const char *const group_names[CACHE_GROUPS] = {
	[CACHE_FLEET] = "fleet",
	[CACHE_STATUS] = "status",
	[CACHE_SCENARIO] = "scenario",
	[CACHE_ALERTS] = "alerts",
	[CACHE_ALERTMANAGER] = "alertmanager",
};

struct key key_make(const char *fmt, ...)
{
	struct key key;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(key.text, sizeof(key.text), fmt, ap);
	va_end(ap);
	return key;
}

/* Appends text while there is room; the hot keys are made without a format. */
static char *add(struct key *key, char *at, const char *text)
{
	while (*text && at < key->text + sizeof(key->text) - 1)
		*at++ = *text++;
	*at = '\0';
	return at;
}

/* <prefix><mark><what> */
static struct key make(const struct cache *cache, const char *mark, const char *what)
{
	struct key key;
	char *at = add(&key, key.text, cache->owner->prefix);

	at = add(&key, at, mark);
	(void)add(&key, at, what);
	return key;
}

struct key key_shared(const struct cache *cache, const char *what)
{
	return make(cache, ":", what);
}

struct key key_node(const struct cache *cache, const char *node)
{
	return make(cache, ":node:", node);
}

struct key key_history(const struct cache *cache, const char *stream)
{
	return make(cache, "hist:", stream);
}

struct key key_group(const struct cache *cache, const char *what, enum cache_group group)
{
	struct key key = make(cache, ":", what);
	char *at = add(&key, key.text + strlen(key.text), ":");

	(void)add(&key, at, group_names[group]);
	return key;
}

struct key key_entry(const struct cache *cache, const char *route, int64_t bucket)
{
	return key_make("%s:%s:%" PRId64, cache->owner->prefix, route, bucket);
}

struct key key_staged(const struct cache *cache, const struct claim *claim, const char *route)
{
	return key_make("%s:s:%s:%s", cache->owner->prefix, claim->token, route);
}

struct key key_decimal(int64_t n)
{
	return key_make("%" PRId64, n);
}

struct key key_lock(const struct claim *claim)
{
	return key_make("%s|%" PRId64 "|%s", claim->token, claim->bucket, claim->epoch);
}

struct span key_group_name(enum cache_group group)
{
	return span_str(group_names[group]);
}
