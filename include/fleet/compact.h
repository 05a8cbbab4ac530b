/* SPDX-License-Identifier: MIT */
/*
 * The stored form of a snapshot (`tft:fleet:<bucket>`), about 240 bytes per server: everything that
 * pages with parameters need, the alerts that the next refresh goes on from, and what an
 * Alertmanager told. The series of the
 * servers are stored separately.
 */
#ifndef TFT_COMPACT_H
#define TFT_COMPACT_H

#include "fleet/snapshot.h"

#define COMPACT_FORMAT 6 /* in the first bytes; another one is a miss */

void compact_encode(const struct snapshot *s, struct buf *out);
/* NULL if the bytes are not a complete compact snapshot of this format, or if out of memory. Never
 * trusts a length. */
struct snapshot *compact_decode(struct span bytes);

#endif
