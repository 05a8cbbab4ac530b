/* SPDX-License-Identifier: MIT */
/*
 * Whether data still reach the prediction daemon. Its /status counts the batches it has received
 * (tick_count, doc/upstream.md) but does not report the time of the last one, so that is derived
 * from how the count changes between answers. All times are the caller's.
 */
#ifndef TFT_TICKS_H
#define TFT_TICKS_H

#include <stdint.h>
#include "base/buf.h"

/* In milliseconds; all zero: no answer seen yet. */
struct ticks {
	int64_t count;     /* the latest one */
	int64_t since_ms;  /* epoch, when it was first seen; 0: it is the first count ever seen */
	int64_t seen_ms;   /* epoch, when it was last seen; 0: never */
	int64_t still_ms;  /* how long the daemon has been answering with it */
	int64_t period_ms; /* between batches, smoothed; 0: not known yet */
};

/* Records the count answered at now_ms. The time since the previous answer counts as at most
 * gap_max_ms: nothing is known about the time when the daemon was not called, or was too busy to
 * answer. */
void ticks_see(struct ticks *t, int64_t count, int64_t now_ms, int64_t gap_max_ms);
/* Since when no batch has arrived although one was due; 0: they arrive, or it is unknown. */
int64_t ticks_still_since(const struct ticks *t);
/* Writes the answer of /status, a JSON object, with these values as an additional member `ticks`.
 * decode_ticks reads it. */
void ticks_write(const struct ticks *t, struct span body, struct buf *out);

#endif
