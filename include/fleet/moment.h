/* SPDX-License-Identifier: MIT */
/*
 * The record of a moment: the fleet of one bucket as pages showed it, in about 20 bytes per server
 * (`PREFIXhist:full`, `PREFIXhist:thin`; layout in doc/cache.md#moments). It is self-contained: no
 * other record is needed to read it.
 *
 * It keeps what pages print, to the printed decimal: a page rendered from a decoded moment has the
 * same numbers, words and order as the page rendered from the snapshot. A change is kept in
 * addition to its two values, because the difference of rounded values is a different number. A
 * value close to a whole number keeps the side it is on: risk and points are scored again, and the
 * limits of marks, shades and points are whole numbers. The rules of risk.h are therefore part of
 * the format: changing them requires a new one. Forecasts beyond 30 minutes and the best case of
 * the CPU are not kept.
 */
#ifndef TFT_MOMENT_H
#define TFT_MOMENT_H

#include "fleet/snapshot.h"

#define MOMENT_FORMAT 2 /* in the first bytes; another one cannot be read */

/* Appends the record; `out` fails if out of memory. */
void moment_encode(const struct snapshot *s, struct buf *out);
/* NULL if the bytes are not a complete record of this format, or if out of memory. Never trusts a
 * length. */
struct snapshot *moment_decode(struct span bytes);

#endif
