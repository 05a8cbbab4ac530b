/* SPDX-License-Identifier: MIT */
/* How an input becomes the history that entry.c checks and stored.c shows. */
#ifndef TFT_FUZZ_RECORDS_H
#define TFT_FUZZ_RECORDS_H

#include "fleet/history.h"

#define FUZZ_GEN_MS      1763899265123
#define FUZZ_INTERVAL_MS 30000

/* A line is a record; its first byte tells how many intervals after the one before. The caller
 * frees *h. */
void fuzz_read_history(struct history *h, unsigned choice, struct span input);
/* The first line has the names of the servers, each following one the risks of one point. */
void fuzz_read_risks(struct history *h, unsigned choice, struct span name, struct span input);

#endif
