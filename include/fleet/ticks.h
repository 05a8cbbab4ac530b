/* SPDX-License-Identifier: MIT */
/*
 * Whether data still reach the prediction daemon. Its /status counts the batches that it has taken
 * (tick_count, doc/upstream.md) but tells no time of the last one: what is seen of the count from
 * one answer to the next says it. All times are the caller's.
 */
#ifndef TFT_TICKS_H
#define TFT_TICKS_H

#include <stdint.h>
#include "base/buf.h"

/* In milliseconds; all zero: nothing has been seen. */
struct ticks {
	int64_t count;    /* the newest one */
	int64_t since_ms; /* epoch, when it was first seen; 0: it was the first one that was seen */
	int64_t seen_ms;  /* epoch, when it was last seen; 0: never */
	int64_t still_ms; /* for how long the daemon has answered with it */
	int64_t period_ms; /* of a batch, smoothed; 0: not known yet */
};

/* The answer to a question of now_ms. A gap since the answer before counts as gap_max_ms at most:
 * of the time in which the daemon was not asked, or was busy and silent, nobody knows. */
void ticks_see(struct ticks *t, int64_t count, int64_t now_ms, int64_t gap_max_ms);
/* Since when no batch has come although one was due; 0: they come, or it cannot be told. */
int64_t ticks_still_since(const struct ticks *t);
/* The answer of /status, a JSON object, with these as one more member, `ticks`. decode_ticks reads
 * it. */
void ticks_write(const struct ticks *t, struct span body, struct buf *out);

#endif
