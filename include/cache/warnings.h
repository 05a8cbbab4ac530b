/* SPDX-License-Identifier: MIT */
/* The outcomes of warnings in the history of Redis (doc/cache.md#warnings). */
#ifndef TFT_CACHE_WARNINGS_H
#define TFT_CACHE_WARNINGS_H

#include "cache/cache.h"
#include "fleet/warnings.h"

/* What a page shows, as a part of a batch (cache_batch_read): */
struct warnings_range {
	struct warnings *warnings;
	struct warnings_hour hour; /* the last one that was decoded */
	int64_t at_ms;             /* of the record that is held back */
	struct span record;        /* empty: none */
};

/* What was settled from from_ms, the start of an hour, until before to_ms, with the meaning that it
 * has for accuracy_read. `warnings` is initialised here and freed by the caller. range: lives until
 * it is taken. */
void warnings_batch_add(struct cache_batch *batch, int64_t from_ms, int64_t to_ms,
			struct warnings *warnings, struct warnings_range *range);
/* When the batch has been read, before the next command. */
void warnings_batch_take(struct warnings_range *range);

/* What the refresh continues from. */
struct warnings_last {
	struct warnings_hour hour; /* of the running hour */
	struct buf watch;          /* fleet/watch.h; owned by the caller, who initialises it */
};

/* After archive_add_last: if another commit comes in between, the last moment is not the last one any
 * more, and the commit leaves this step out. */
void warnings_add_last(struct cache_batch *batch, int64_t now_ms, struct warnings_last *last);

/* What the commit stores. */
struct warnings_records {
	struct buf hour; /* empty: as before */
	struct buf told, watch;
};

/* Takes the step; the buffers are initialised by the caller. */
void warnings_step(struct warnings_last *last, const struct snapshot *snap,
		   struct warnings_records *records);

#endif
