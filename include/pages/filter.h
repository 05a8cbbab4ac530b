/* SPDX-License-Identifier: MIT */
/* What a list of servers shows: links and a form that choose a profile, a level, a name
 * (doc/pages.md#parameters), and the words for the choice. Everything else in the query stays,
 * but for the part of the list. */
#ifndef TFT_FILTER_H
#define TFT_FILTER_H

#include "pages/view.h"

/* One profile or all. */
void filter_profiles(const struct page *page, const struct query *query, struct buf *out);
/* One level or all. */
void filter_levels(const struct page *page, const struct query *query, struct buf *out);
/* A part of a name; and, where anything is chosen, what it is and a link that clears it. id: of the
 * section with the list. */
void filter_name(const struct page *page, const char *id, const struct query *query,
		 struct buf *out);
/* In place of a list without rows: "No servers match profile=Database, severity=Danger." */
void filter_nothing(const struct query *query, struct buf *out);

#endif
