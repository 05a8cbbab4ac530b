/* SPDX-License-Identifier: MIT */
/*
 * Columns of small signed integers in few bits: Rice codes (R. F. Rice, "Some practical universal
 * noiseless coding techniques", JPL Publication 79-22, 1979), as lossless audio formats have them.
 *
 * A column is a byte with the number of low bits k, then for each value, folded to an unsigned one
 * (0 -1 1 -2 2 ...): its part above k in unary, its low k bits. A value whose unary part would be
 * longer than 24 is 24 ones and 32 bits. The last byte is filled up with zeros.
 *
 *	rice_get(&reader, values, count);        // the reader's error is sticky (bytes.h)
 *
 * Nothing is written so any more (base/range.h); records of an older format are read.
 */
#ifndef TFT_RICE_H
#define TFT_RICE_H

#include "base/bytes.h"

/* After an error the values are 0. */
void rice_get(struct bytes_reader *r, int32_t *values, size_t count);

#endif
