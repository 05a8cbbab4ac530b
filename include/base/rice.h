/* SPDX-License-Identifier: MIT */
/*
 * Columns of small signed integers in few bits: Rice codes (R. F. Rice, "Some practical universal
 * noiseless coding techniques", JPL Publication 79-22, 1979), as lossless audio formats have them.
 *
 * A column is a byte with the number of low bits k, then for each value, folded to an unsigned one
 * (0 -1 1 -2 2 ...): its part above k in unary, its low k bits. A value whose unary part would be
 * longer than 24 is 24 ones and 32 bits. The last byte is filled up with zeros.
 *
 *	rice_put(out, values, count);            // 12 bits where most are below 100
 *	rice_get(&reader, values, count);        // the reader's error is sticky (bytes.h)
 */
#ifndef TFT_RICE_H
#define TFT_RICE_H

#include "base/bytes.h"

void rice_put(struct buf *out, const int32_t *values, size_t count);
/* After an error the values are 0. */
void rice_get(struct bytes_reader *r, int32_t *values, size_t count);

/* What a column has in place of a value: its difference from a guess. Both wrap, so a value is read
 * as written whatever the guess is. */
static inline int32_t rice_residual(int32_t value, int32_t guess)
{
	return (int32_t)((uint32_t)value - (uint32_t)guess);
}

static inline int32_t rice_value(int32_t residual, int32_t guess)
{
	return (int32_t)((uint32_t)residual + (uint32_t)guess);
}

#endif
