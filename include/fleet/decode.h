/* SPDX-License-Identifier: MIT */
/*
 * Upstream JSON to typed values (contract 4, 5, 10; domain-rules 1, 2, 18). Nothing of the foreign
 *text survives but server names, the scenario's name and the prediction time, all checked.
 *
 *	d = decode_new();
 *	while (chunk) if (decode_feed(d, chunk, len) != 0) break;   stop the transfer: the verdict
 *is already known reason = decode_finish(d, &snapshot); decode_free(&d);
 */
#ifndef TFT_DECODE_H
#define TFT_DECODE_H

#include "fleet/condition.h"
#include "fleet/snapshot.h"

struct decode;

struct decode *decode_new(void);
void decode_free(struct decode **d);
/* 0, or -1 when no further byte can change the verdict. */
int decode_feed(struct decode *d, const char *bytes, size_t len);
/* The class of a complete 200 answer: REASON_NONE with a scored, sealed snapshot in *out (caller
 * owns), or REASON_WARMING, REASON_REPORTED, REASON_BAD, REASON_INTERNAL (memory) with *out NULL.
 * bucket, interval, gen, id, fill, warmup and scenario of the snapshot are left to the caller. */
enum reason decode_finish(struct decode *d, struct snapshot **out);

/* Answer of /status (contract 4). out->known tells whether it was understood. */
void decode_warmup(struct span body, struct warmup *out);
/* Answer of the generator's /scenario/status (contract 10.1). Leaves out->configured alone. */
void decode_scenario(struct span body, struct scenario *out);

#endif
