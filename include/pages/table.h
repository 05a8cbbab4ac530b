/* SPDX-License-Identifier: MIT */
/*
 * Lists of servers: which servers, in which order, in which parts, and the head and foot of the
 * tables that show them. Order and part are in the query, so every choice is a link
 * (doc/pages.md#parameters).
 */
#ifndef TFT_TABLE_H
#define TFT_TABLE_H

#include "pages/view.h"

#define TABLE_PART_ROWS 100 /* more would make a page slow (doc/limits.md#budgets) */

/* A server in a list, with the number by which the list is ordered (0 for orders by text). */
struct row {
	const struct server *server;
	double value;
};

/*
 * Fills `rows` (initialised here, freed by the caller) with one struct row for each server that
 * matches the query among the first `among` servers of the snapshot. They are in the query's order,
 * absent values last, ties by name (doc/rules.md#conventions). Returns their number. Out of memory:
 * returns 0 and `out` fails.
 */
size_t table_rows(const struct view *view, size_t among, struct buf *rows, struct buf *out);

/* What a row is ordered by: a number, NAN if it is absent; where numbers are equal, a text. */
struct sort_value {
	double number;
	struct span text;
};

/* In the query's direction; what is absent comes last in both. 0: equal. */
int table_compare(const struct query *query, struct sort_value a, struct sort_value b);

/* The part of a list that the query asks for: the rows [first, last) of `count`. */
struct part {
	size_t first, last, count;
};

/* A part number past the end gives the last part. */
struct part table_part(const struct query *query, size_t count);

struct column {
	const char *title;
	enum sort_key sort; /* SORT_KEYS: cannot be sorted by */
	bool number;        /* its cells are numbers, right-aligned */
};

#define TABLE_COLUMNS 13 /* at most */

struct table {
	const char *page; /* name of the page */
	const char *id; /* of the enclosing section, the target of links; the table's is ID-table */
	const char *kind;                     /* class */
	struct column columns[TABLE_COLUMNS]; /* ended by one without a title */
};

/* Servers that match profile and name of the query, whatever their level. */
void table_count(const struct view *view, struct fleet_counts *counts);

/* Up to the start of <tbody>, with how far predicted columns can be trusted; and from its end on, with
 * the links to the other parts. caption: a literal, not escaped. */
void table_begin(const struct table *table, const char *caption, const struct view *view,
		 struct buf *out);
void table_end(const struct table *table, const struct part *part, const struct query *query,
	       struct buf *out);

/* Opens a cell with a number, under the name of its column where a narrow screen has no head. */
void table_number(const char *name, struct buf *out);
void table_put_count(const char *name, int64_t count, struct buf *out);
/* A share of 1 in percent, as printed; NAN, a dash: it cannot be told. */
double table_percent(double share);
void table_put_percent(double share, struct buf *out);

#endif
