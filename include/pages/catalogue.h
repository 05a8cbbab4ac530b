/* SPDX-License-Identifier: MIT */
/*
 * The catalogue: which function writes which page. It stands above all pages, so that a page may
 * know the addresses of the others and none of their functions.
 *
 * A document is f(page, snapshot, condition, query): no clock, no host name, no user, so that every
 * host gives equal bytes. With data to show, the only part that depends on the condition is the
 * state: `div#state` of a page (doc/pages.md#states), the members "condition" and "detail" of a
 * JSON answer.
 */
#ifndef TFT_CATALOGUE_H
#define TFT_CATALOGUE_H

#include "pages/view.h"

/* The whole document. Errors stay in `out`. */
void page_render(const struct page *page, const struct view *view, struct buf *out);
/* Error document (doc/pages.md#documents-and-errors): full shell, constant text for the status;
 * `hint` names the valid values on 400, or NULL. path: what was asked for; the links lead from
 * there. */
void page_error(const struct http_error *error, const char *hint, enum media media,
		struct span path, struct buf *out);
/* 400 for a value of the query: names the parameter and its values, and shows the form of the page
 * again, with that one field at its default. Nothing is repeated of what was not understood. */
void page_bad_value(const struct http_error *error, const struct bad_value *bad, enum media media,
		    struct buf *out);

#endif
