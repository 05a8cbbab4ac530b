/* SPDX-License-Identifier: MIT */
/*
 * Columns of small signed integers in about as few bits as they are worth: an adaptive binary range
 * coder (G. N. N. Martin, "Range encoding", 1979; arithmetic as in LZMA). A value is the number of
 * bits of its magnitude, in unary, then its sign, then the magnitude below its highest bit. Of these
 * the length, the sign and the two highest bits adapt to the column; lower ones are noise and cost a
 * bit each. Each column begins anew.
 *
 *	range_begin(&w, out);
 *	range_put(&w, values, count);       // any number of columns
 *	range_end(&w);
 *
 *	range_open(&in, &reader);           // the reader's error is sticky (bytes.h)
 *	range_get(&in, values, count);      // the same columns
 */
#ifndef TFT_RANGE_H
#define TFT_RANGE_H

#include "base/bytes.h"

struct range_writer {
	struct buf *out;
	uint64_t low;
	uint32_t range;
	uint8_t held;  /* the last byte, to which a carry may still be added */
	size_t behind; /* bytes of 0xff after it */
	bool begun;    /* a byte is held */
};

struct range_reader {
	struct bytes_reader *r;
	uint32_t code, range;
	bool rice; /* an older record: columns of Rice codes (base/rice.h) */
};

void range_begin(struct range_writer *w, struct buf *out);
void range_put(struct range_writer *w, const int32_t *values, size_t count);
void range_end(struct range_writer *w);

void range_open(struct range_reader *in, struct bytes_reader *r);
/* After an error the values are 0. When all columns have been read, so have all bytes. */
void range_get(struct range_reader *in, int32_t *values, size_t count);

/* What a column has in place of a value: its difference from a guess. Both wrap, so a value is read
 * as written whatever the guess is. */
static inline int32_t range_residual(int32_t value, int32_t guess)
{
	return (int32_t)((uint32_t)value - (uint32_t)guess);
}

static inline int32_t range_value(int32_t residual, int32_t guess)
{
	return (int32_t)((uint32_t)residual + (uint32_t)guess);
}

#endif
