/* SPDX-License-Identifier: MIT */
/* Names of the keys in Redis (redis/KEYS.md), and numbers as arguments of its commands. */
#ifndef TFT_KEY_H
#define TFT_KEY_H

#include "cache/cache.h"

struct key {
	char text[128];
};

#define KEY(k) span_str((k).text)

/* <prefix>:<what>:<group> */
struct key key_group(const struct cache *cache, const char *what, enum cache_group group);
/* <prefix>:<route>:<bucket> */
struct key key_entry(const struct cache *cache, const char *route, int64_t bucket);
/* <prefix>:s:<token>:<route> */
struct key key_staged(const struct cache *cache, const struct claim *claim, const char *route);
/* <prefix>:<what>: said, actions, nodes */
struct key key_shared(const struct cache *cache, const char *what);
/* <prefix>:node:<node> */
struct key key_node(const struct cache *cache, const char *node);
/* <prefix>hist:<stream>, or whose history it is: upstream */
struct key key_history(const struct cache *cache, const char *stream);

/* Any text, truncated to fit. */
struct key key_make(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
struct key key_decimal(int64_t n);
/* token|bucket|epoch: what the holder of this claim has in the lock. */
struct key key_lock(const struct claim *claim);
/* fleet, status, scenario, alerts */
struct span key_group_name(enum cache_group group);

#endif
