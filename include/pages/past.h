/* SPDX-License-Identifier: MIT */
/* Moving in time (doc/pages.md#past): what stands above the content of a page of the past. */
#ifndef TFT_PAST_H
#define TFT_PAST_H

#include "pages/view.h"

#define PAST_COLUMN_MS INT64_C(600000)
#define PAST_COLUMNS   144 /* of the strip: a day */

/* The end of the last column, the one that contains at_ms. */
static inline int64_t past_strip_end(int64_t at_ms)
{
	return (at_ms + PAST_COLUMN_MS - 1) / PAST_COLUMN_MS * PAST_COLUMN_MS;
}

/* Steps, a field for a time, and the strip of the day before. view->day spans the columns of the
 * strip. */
void past_put(const struct view *view, struct buf *out);

#endif
