/* SPDX-License-Identifier: MIT */
/* A borrowed piece of bytes: pointer and length, never NUL-terminated, never owned. */
#ifndef TFT_SPAN_H
#define TFT_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
	const char *ptr; /* may be NULL when len is 0 */
	size_t len;
};

/* A string literal as a span; its length is known to the compiler. */
#define SPAN(lit) ((struct span){"" lit, sizeof(lit) - 1})

static inline struct span span_str(const char *s)
{
	return (struct span){s, strlen(s)};
}

static inline bool span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool span_is(struct span a, const char *s)
{
	return span_eq(a, span_str(s));
}

/* strcmp order: bytes ascending, the shorter first. */
static inline int span_cmp(struct span a, struct span b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.ptr, b.ptr, n) : 0;

	return c ? c : (a.len > b.len) - (a.len < b.len);
}

#endif
