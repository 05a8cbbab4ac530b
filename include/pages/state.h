/* SPDX-License-Identifier: MIT */
/* The state of what is shown (doc/pages.md#states): which one it is, and how a page tells it. */
#ifndef TFT_STATE_H
#define TFT_STATE_H

#include "pages/view.h"

/* Worst first, as doc/pages.md#states orders them. */
enum state {
	STATE_NO_DATA,
	STATE_VERY_STALE,
	STATE_STALE,
	STATE_COLD,
	STATE_WARMING,
	STATE_UPDATING,
	STATE_LIVE,
	STATE_COUNT
};

/* Whether there are numbers to show: false when cold, warming up without data, or too old. */
bool state_has_data(const struct view *view);
enum state state_of(const struct view *view);
/* The state slot: div#state, the only part of a page with data that depends on the condition. */
void state_put(const struct view *view, struct buf *out);
/* Full-page help when there is nothing to show: cold, warming up, no data since. */
void state_no_data(const struct view *view, struct buf *out);

/* With data: since when no new ones have reached the daemon, 0: they do. It keeps what servers sent
 * last and answers as if nothing were wrong. Its count of batches tells it at once; a daemon that
 * sends no count is found out by its values. */
int64_t state_silent_since(const struct view *view);

#endif
