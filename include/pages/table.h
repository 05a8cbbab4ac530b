/* SPDX-License-Identifier: MIT */
/*
 * Lists of servers: which ones, in which order, in which parts, and the head and foot of the tables
 * that show them. Order and part stand in the query, so every choice is a link
 * (doc/pages.md#parameters).
 */
#ifndef TFT_TABLE_H
#define TFT_TABLE_H

#include "pages/view.h"

#define TABLE_PART_ROWS 200 /* of one part; more would make a page slow (doc/limits.md#budgets) */

/* A server on a list, with the number the list is ordered by (0 for orders by text). */
struct row {
	const struct server *server;
	double value;
};

/*
 * Fills `rows` (initialised here, freed by the caller) with one struct row for each of the first
 * `among` servers of the snapshot that the query lets through, in its order; absent values last,
 * ties by name (doc/rules.md#conventions). Returns their number. When memory ends there are none
 * and `out` fails.
 */
size_t table_rows(const struct view *view, size_t among, struct buf *rows, struct buf *out);

/* The part of a list that the query asks for: the rows [first, last) of `count`. */
struct part {
	size_t first, last, count;
};

/* A part behind the last one is the last one. */
struct part table_part(const struct query *query, size_t count);

struct column {
	const char *title;
	enum sort_key sort; /* SORT_KEYS: no order of its own */
	bool number;        /* its cells are numbers, aligned right */
};

#define TABLE_COLUMNS 13 /* at most */

struct table {
	const char *page; /* its name */
	const char *id;   /* of the section around it: links lead there; the table's is ID-table */
	const char *kind; /* class */
	struct column columns[TABLE_COLUMNS]; /* the first without title ends them */
};

/* To the start of <tbody>, and from its end on, with the links to the other parts. caption: ours,
 * not escaped. */
void table_begin(const struct table *table, const char *caption, const struct query *query,
		 struct buf *out);
void table_end(const struct table *table, const struct part *part, const struct query *query,
	       struct buf *out);

#endif
