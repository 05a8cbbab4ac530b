/* SPDX-License-Identifier: MIT */
/*
 * Growable bytes with a ceiling and a sticky error.
 *
 *	struct buf b;
 *	buf_init(&b, 1 << 20);
 *	buf_add(&b, bytes, len);                  // any number, no checks
 *	buf_addf(&b, "%d", n);
 *	if (!buf_ok(&b))                          // one check at the end
 *		return -1;
 *	buf_free(&b);
 *
 * After the first failure (ceiling reached or out of memory) the content is dropped (len 0) and
 * every append is a no-op, until buf_reset. Anyone may read the members; buf.c alone writes them.
 */
#ifndef TFT_BUF_H
#define TFT_BUF_H

#include <stdint.h>
#include "base/span.h"

struct buf {
	char *data;  /* owned; not NUL-terminated; NULL until the first append */
	size_t len;  /* bytes in use */
	size_t size; /* bytes allocated */
	size_t max;  /* ceiling of len */
	bool failed;
};

void buf_init(struct buf *b, size_t max);
/* Releases the memory; the buffer may be used again with the same ceiling. */
void buf_free(struct buf *b);
/* Empties the buffer and clears the error; keeps the memory. */
void buf_reset(struct buf *b);
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_span_add(struct buf *b, struct span s);
void buf_char(struct buf *b, char c);
/* Decimal digits, cheaper than a format. */
void buf_int(struct buf *b, int64_t n);
/* At most 1023 bytes per call; longer text is a failure and is not cut. */
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Room for at least `len` more bytes at data + len, to be filled by the caller and claimed by
 * buf_grew. NULL on failure. */
char *buf_reserve(struct buf *b, size_t len);
/* Records a failure of the caller's own: what it wanted to append cannot be had. */
void buf_fail(struct buf *b);
void buf_grew(struct buf *b, size_t len);

static inline bool buf_ok(const struct buf *b)
{
	return !b->failed;
}

static inline struct span buf_span(const struct buf *b)
{
	return (struct span){b->data, b->len};
}

/* Appends a string literal. */
#define buf_lit(b, lit) buf_add((b), "" lit, sizeof(lit) - 1)

#endif
