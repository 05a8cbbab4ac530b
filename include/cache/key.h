/* SPDX-License-Identifier: MIT */
/* Names of the keys in Redis (redis/KEYS.md), and numbers as arguments of its commands. */
#ifndef TFT_KEY_H
#define TFT_KEY_H

#include "cache/cache.h"

struct key {
	char text[128];
};

#define KEY(k) span_str((k).text)

struct key key_make(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* tft:<what>:<group> */
struct key key_group(const char *what, enum cache_group group);
/* tft:<route>:<bucket> */
struct key key_entry(const char *route, int64_t bucket);
struct key key_decimal(int64_t n);
/* token|bucket|epoch: what the holder of this claim has in the lock. */
struct key key_lock(const struct claim *claim);
/* fleet, status, scenario */
struct span key_group_name(enum cache_group group);

#endif
