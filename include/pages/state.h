/* SPDX-License-Identifier: MIT */
/* The state of the data shown (doc/pages.md#states): which one it is, and how a page shows it. */
#ifndef TFT_STATE_H
#define TFT_STATE_H

#include "pages/view.h"

/* Worst first, in the order of doc/pages.md#states. */
enum state {
	STATE_NO_DATA,
	STATE_VERY_STALE,
	STATE_STALE,
	STATE_COLD,
	STATE_WARMING,
	STATE_UPDATING,
	STATE_LIVE,
	STATE_PAST, /* a moment that was asked for */
	STATE_COUNT
};

/* Whether there are numbers to show: false when cold, warming up without data, or too old. */
bool state_has_data(const struct view *view);
enum state state_of(const struct view *view);
/* The state slot: div#state, the only part of a page with data that depends on the condition. root:
 * "../" for every level of the page's address; live: the URL of the live page, escaped; used by a page
 * of the past. */
void state_put(const struct view *view, const char *root, struct span live, struct buf *out);
/* The help shown instead of a page when there are no data: cold, warming up, no data since. */
void state_no_data(const struct view *view, struct buf *out);

/* Requires data. Since when no new data have reached the daemon, or 0 while they do. Such a daemon
 * keeps the last values of every server and answers as if nothing were wrong. Its count of batches
 * reveals that at once; without a count, the unchanged values do. */
int64_t state_silent_since(const struct view *view);

#endif
