/* SPDX-License-Identifier: MIT */
/*
 * Upstream JSON to typed values (doc/upstream.md, doc/rules.md#conventions). Nothing of the foreign
 * text survives but server names, the scenario's name and the prediction time, all checked.
 *
 *	d = decode_new();
 *	while (receive(&bytes, &len) && decode_feed(d, bytes, len) == 0)
 *		;                                  // not 0: the verdict is known, stop the transfer
 *	reason = decode_finish(d, &snapshot);
 *	decode_free(&d);
 */
#ifndef TFT_DECODE_H
#define TFT_DECODE_H

#include "fleet/condition.h"
#include "fleet/snapshot.h"
#include "fleet/ticks.h"

struct decode;

struct decode *decode_new(void);
void decode_free(struct decode **d);
/* 0, or -1 when no further byte can change the verdict. */
int decode_feed(struct decode *d, const char *bytes, size_t len);
/* The class of a complete 200 answer: REASON_NONE with a scored, sealed snapshot in *out (caller
 * owns), or REASON_WARMING, REASON_REPORTED, REASON_BAD, REASON_INTERNAL (memory) with *out NULL.
 * bucket, interval, gen, id, fill, warmup and scenario of the snapshot are left to the caller. */
enum reason decode_finish(struct decode *d, struct snapshot **out);

/* Answer of /status (doc/upstream.md#status). out->known tells whether it was understood; the times
 * in it are left to the caller. */
void decode_warmup(struct span body, struct warmup *out);
/* tick_count of the same answer; -1: it has none. */
int64_t decode_tick_count(struct span body);
/* What ticks_write has put there; all zero: nothing. */
void decode_ticks(struct span body, struct ticks *out);
/* Answer of the generator's /scenario/status (doc/upstream.md#scenario-status). Leaves
 * out->configured alone. */
void decode_scenario(struct span body, struct scenario *out);

#endif
