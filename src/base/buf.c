/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_SIZE 256
#define ADDF_SIZE  1024 /* with the NUL */

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void buf_free(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

/* Incomplete content must not be mistaken for the whole: a failure drops all of it. */
void buf_fail(struct buf *b)
{
	b->len = 0;
	b->failed = true;
}

static bool grow(struct buf *b, size_t need)
{
	size_t size = b->size < b->max / 2 ? 2 * b->size : b->max;
	char *data;

	if (size < FIRST_SIZE)
		size = FIRST_SIZE;
	if (size < need)
		size = need;
	data = realloc(b->data, size);
	if (!data)
		return false;
	b->data = data;
	b->size = size;
	return true;
}

char *buf_reserve(struct buf *b, size_t len)
{
	if (b->failed)
		return NULL;
	if (len > b->max - b->len) {
		buf_fail(b);
		return NULL;
	}
	if ((!b->data || len > b->size - b->len) && !grow(b, b->len + len)) {
		buf_fail(b);
		return NULL;
	}
	return b->data + b->len;
}

void buf_grew(struct buf *b, size_t len)
{
	if (b->failed)
		return;
	assert(len <= b->size - b->len && len <= b->max - b->len);
	b->len += len;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	char *to;

	if (len == 0)
		return;
	to = buf_reserve(b, len);
	if (!to)
		return;
	memcpy(to, bytes, len);
	b->len += len;
}

void buf_span_add(struct buf *b, struct span s)
{
	buf_add(b, s.ptr, s.len);
}

void buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_int(struct buf *b, int64_t n)
{
	char digits[20], *end = digits + sizeof(digits), *p = end;
	uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

	do
		*--p = (char)('0' + left % 10);
	while (left /= 10);
	if (n < 0)
		*--p = '-';
	buf_add(b, p, (size_t)(end - p));
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	char text[ADDF_SIZE];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(text))
		buf_fail(b);
	else
		buf_add(b, text, (size_t)len);
}
