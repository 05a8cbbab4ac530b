/* SPDX-License-Identifier: MIT */
/*
 * Upstream JSON to typed values (doc/upstream.md, doc/rules.md#conventions). Of the foreign text,
 * only server names, the name of the scenario and the prediction time are kept, all of them
 * checked.
 *
 *	d = decode_new();
 *	while (receive(&bytes, &len) && decode_feed(d, bytes, len) == 0)
 *		;                                  // not 0: the result is known, stop reading
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
/* 0, or -1 when further bytes cannot change the verdict. */
int decode_feed(struct decode *d, const char *bytes, size_t len);
/* The class of a complete 200 answer: REASON_NONE with a scored, sealed snapshot in *out (owned by
 * the caller), or REASON_WARMING, REASON_REPORTED, REASON_BAD, REASON_INTERNAL (out of memory) with
 * *out NULL. The caller sets bucket, interval, gen, id, fill, warmup and scenario of the
 * snapshot. */
enum reason decode_finish(struct decode *d, struct snapshot **out);

/* The answer of /status (doc/upstream.md#status). out->known: whether it was understood. The caller
 * sets the times. */
void decode_warmup(struct span body, struct warmup *out);
/* tick_count of the same answer; -1 if it has none. */
int64_t decode_tick_count(struct span body);
/* The member that ticks_write added; all zero if there is none. */
void decode_ticks(struct span body, struct ticks *out);
/* The answer of the generator's /scenario/status (doc/upstream.md#scenario-status). Does not set
 * out->configured. */
void decode_scenario(struct span body, struct scenario *out);

#endif
