/* SPDX-License-Identifier: MIT */
/*
 * Takes the lists of numbers out of a JSON text. A predictions answer consists almost entirely of
 * them, and a general reader would make an object of every number. The small rest goes to that
 * reader.
 *
 *	if (numbers_take(text, &numbers, &rest))   // [0.5,1e3,7] becomes [0], the next list [1]
 *		read(rest);                     // every array in it is an index into numbers.list
 *	else
 *		read(text);
 */
#ifndef TFT_NUMBERS_H
#define TFT_NUMBERS_H

#include "base/buf.h"

#define NUMBERS_LISTS 64 /* in one text; a server has 42 to 45 */
#define NUMBERS_KEPT  96 /* of one list */

struct numbers_list {
	double value[NUMBERS_KEPT]; /* the first ones, finite, as strtod reads them */
	size_t len;                 /* of the whole list; 0: empty or absent */
};

struct numbers {
	size_t count;
	struct numbers_list list[NUMBERS_LISTS];
};

/* Whether every array of the object `text` is a list of JSON numbers (RFC 8259 6) within the range
 * of a double, integers within 18 digits; then `rest` (emptied first) is the text with their
 * indices. Everything else is copied unchanged and unchecked. */
bool numbers_take(struct span text, struct numbers *numbers, struct buf *rest);
/* Reads the JSON number at the start of a text, whose end is a byte that no number has, faster than
 * strtod and to the same value. Returns where it ends; NULL: there is none, or an integer beyond 18
 * digits. */
const char *numbers_read(const char *text, double *value);

#endif
