/* SPDX-License-Identifier: MIT */
/*
 * Little-endian numbers and short texts: written to a buffer, and read back from bytes that may be
 * anything, because Redis may hold anything. The reader's error is sticky; after it everything
 * reads as zero or empty, and one check at the end is enough.
 */
#ifndef TFT_BYTES_H
#define TFT_BYTES_H

#include <stdint.h>
#include "base/buf.h"

/* The lowest `bytes` bytes of the value, 1..8. */
void bytes_put_int(struct buf *out, uint64_t value, int bytes);
/* 7 bits a byte, the lowest first; the high bit: more follow. Signs are folded in: 0 -1 1 -2 2 ... */
void bytes_put_varint(struct buf *out, int64_t value);
void bytes_put_double(struct buf *out, double value);
void bytes_put_float(struct buf *out, float value);
/* A byte with the length, then the text: at most 255 bytes. */
void bytes_put_text(struct buf *out, struct span text);
/* Four letters and the number of the format: what every stored form begins with. */
void bytes_put_magic(struct buf *out, const char *magic, int format);

struct bytes_reader {
	struct span rest;
	bool bad;
};

/* The next len bytes, not copied. */
struct span bytes_get(struct bytes_reader *r, size_t len);
uint64_t bytes_get_int(struct bytes_reader *r, int bytes);
/* An integer in 0..max; any other is an error. */
int bytes_get_upto(struct bytes_reader *r, int bytes, uint64_t max);
/* At most 63 bits; longer ones are errors. */
int64_t bytes_get_varint(struct bytes_reader *r);
/* Finite or absent: every other value reads as the same NaN, so that nothing that was written is
 * refused. */
double bytes_get_double(struct bytes_reader *r);
/* Finite; anything else is an error. */
float bytes_get_float(struct bytes_reader *r);
/* Printable ASCII into a NUL-terminated array of this size; anything else is an error. */
void bytes_get_text(struct bytes_reader *r, char *text, size_t size);
/* As bytes_put_text wrote it, valid UTF-8, not copied; anything else is an error. */
struct span bytes_get_utf8(struct bytes_reader *r);
void bytes_get_magic(struct bytes_reader *r, const char *magic, int format);

#endif
