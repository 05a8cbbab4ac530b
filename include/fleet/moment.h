/* SPDX-License-Identifier: MIT */
/*
 * The record of a moment: the fleet of one bucket as pages showed it, in 12 to 20 bytes per server
 * (`PREFIXhist:full`, `PREFIXhist:thin`; the layout stands in doc/cache.md#moments). It stands
 * alone: no other record is needed to read it.
 *
 * Kept is what is printed, to the decimal that is printed: a page that is made of a decoded moment
 * has the numbers, words and order of the page that was made of the snapshot. A change is kept
 * beside the two values that it lies between, since the difference of rounded values is another
 * number. A value next to a whole number keeps its side of it, so that marks, shades and points,
 * whose limits are whole numbers, stay what they were: risk and points are scored again. So the
 * rules of risk.h are a part of the format, and whoever changes them makes a new one. Forecasts
 * beyond 30 minutes and the best case of the CPU are not kept.
 */
#ifndef TFT_MOMENT_H
#define TFT_MOMENT_H

#include "fleet/snapshot.h"

#define MOMENT_FORMAT 1 /* in the first bytes; another one cannot be read */

/* Appends the record; `out` fails when memory ends. */
void moment_encode(const struct snapshot *s, struct buf *out);
/* NULL when the bytes are not a whole record of this format, or memory ended. Never trusts a
 * length. */
struct snapshot *moment_decode(struct span bytes);

#endif
