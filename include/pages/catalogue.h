/* SPDX-License-Identifier: MIT */
/*
 * The catalogue: which function writes which page. It is above all pages, so that a page knows the
 * addresses of the others but none of their functions.
 *
 * A document is f(page, snapshot, condition, query): no clock, no host name, no user, so that every
 * host produces the same bytes. When there are data to show, the only part that depends on the
 * condition is the state: `div#state` of a page (doc/pages.md#states), the members "condition" and
 * "detail" of a JSON answer.
 */
#ifndef TFT_CATALOGUE_H
#define TFT_CATALOGUE_H

#include "pages/view.h"

/* The whole document. Errors stay in `out`. */
void page_render(const struct page *page, const struct view *view, struct buf *out);
/* Error document (doc/pages.md#documents-and-errors): the full shell and the constant text of the
 * status. hint: the valid values on 400, else what the program that refused said, or
 * NULL. path: the requested path; links are relative to
 * it. */
void page_error(const struct http_error *error, const char *hint, enum media media,
		struct span path, struct buf *out);
/* 404 for a moment that is not kept: says so, and links to the nearest ones and the live page. */
void page_no_moment(const struct http_error *error, const struct no_moment *none, enum media media,
		    struct buf *out);
/* 400 for a bad value in the query: names the parameter and its valid values, and shows the page's
 * form again with that field at its default. Invalid input is never echoed. */
void page_bad_value(const struct http_error *error, const struct bad_value *bad, enum media media,
		    struct buf *out);

#endif
