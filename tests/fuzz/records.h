/* SPDX-License-Identifier: MIT */
/* How an input becomes the records that entry.c checks and stored.c shows. */
#ifndef TFT_FUZZ_RECORDS_H
#define TFT_FUZZ_RECORDS_H

#include "fleet/history.h"

#define FUZZ_GEN_MS      1763899265123
#define FUZZ_INTERVAL_MS 30000

/* Each line is a record; its first byte is the number of intervals since the previous one. The
 * caller frees *h. */
void fuzz_read_history(struct history *h, unsigned choice, struct span input);
/* The first line has the names of the servers, each following line their risks at one point. */
void fuzz_read_risks(struct history *h, unsigned choice, struct span name, struct span input);
/* A sealed record of these: kind (two bits) and length of the packed part, that part as it is before
 * packing, and the columns. NULL or -1: it cannot be read. */
struct snapshot *fuzz_read_moment(struct span input);
int fuzz_read_horizons(struct span input, struct snapshot *snap);

#endif
