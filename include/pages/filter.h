/* SPDX-License-Identifier: MIT */
/* The filters of a list of servers: links and a form that choose a profile, a level or a name
 * (doc/pages.md#parameters), and the words for the choice. The rest of the query is kept, except
 * for the page number of the list. */
#ifndef TFT_FILTER_H
#define TFT_FILTER_H

#include "pages/view.h"

/* The servers of every profile that are at each level or a worse one, as links that show them; those
 * whose name is searched for. from: the level at which the list begins when none is chosen. id: of
 * the section with the list. */
void filter_matrix(const struct page *page, const char *id, enum level from,
		   const struct view *view, struct buf *out);
/* One profile or all. */
void filter_profiles(const struct page *page, const struct query *query, struct buf *out);
/* A range of days, and its words: "7 days". */
void filter_periods(const struct page *page, const struct query *query, struct buf *out);
const char *filter_period(enum period period);
/* The search for a part of a name and, where any filter is set, its description and a link that
 * clears it. id: of the section with the list. */
void filter_name(const struct page *page, const char *id, const struct query *query,
		 struct buf *out);
/* Both, and between them a level, or worse, or all. */
void filter_servers(const struct page *page, const char *id, const struct query *query,
		    struct buf *out);
/* The rest of the query as hidden fields, but for these keys: a form sends only its own fields. */
void filter_hidden(const struct query *query, unsigned but, struct buf *out);
/* In place of a list without rows: "No servers match profile=Database, severity=Danger." */
void filter_nothing(const struct query *query, struct buf *out);

#endif
