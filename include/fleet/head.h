/* SPDX-License-Identifier: MIT */
/*
 * The part of a stored snapshot about the whole fleet. Both stored forms begin with it (compact.h,
 * moment.h). The reader may hold any bytes; its error is sticky (base/bytes.h).
 */
#ifndef TFT_HEAD_H
#define TFT_HEAD_H

#include "base/bytes.h"
#include "fleet/snapshot.h"

void head_put(struct buf *out, const struct snapshot *s);
void head_get(struct bytes_reader *r, struct snapshot *s);
/* Epoch ms, below 2^48. */
int64_t head_get_time(struct bytes_reader *r);
/* The value if it is in 0..most, else NaN. Writer and reader both use it, so that everything
 * written can be read. */
double head_within(double value, double most);

#endif
