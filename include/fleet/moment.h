/* SPDX-License-Identifier: MIT */
/*
 * The record of a moment: the fleet of one bucket as pages showed it, in about 20 bytes per server
 * (`PREFIXhist:full`, `PREFIXhist:thin`; layout in doc/cache.md#moments). Those of thin moments need no
 * other record; those of full ones may be written beside that of the thin moment of their window, which
 * has the names already.
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

#define MOMENT_FORMAT        3 /* in the first bytes */
#define MOMENT_FORMAT_BEFORE 2 /* can be read; no other can */

/* Appends the record; `out` fails if out of memory. */
void moment_encode(const struct snapshot *s, struct buf *out);
/* Appends to `alone` what moment_encode appends, and to `beside` the same in fewer bytes, beside a
 * record of moment_encode; nothing if that cannot be read. record: empty: the one alone. */
void moment_encode_both(const struct snapshot *s, struct span record, struct buf *alone,
			struct buf *beside);
/* beside: the record that it may have been written beside; empty: there is none. NULL if the bytes are
 * not a complete record, or beside another one, or if out of memory. Never trusts a length. */
struct snapshot *moment_decode(struct span bytes, struct span beside);

#endif
