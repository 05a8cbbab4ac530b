/* SPDX-License-Identifier: MIT */
/*
 * Addresses: what links, navigation, routes and cache keys need to know of a page or an API route.
 * One row each; who writes the document stands in catalogue.h, above the pages.
 */
#ifndef TFT_ADDRESS_H
#define TFT_ADDRESS_H

#include "base/span.h"
#include "pages/query.h"

enum media { MEDIA_HTML, MEDIA_JSON, MEDIA_CSV, MEDIA_SVG };

/* Content type of an answer. */
static inline const char *page_type(enum media media)
{
	static const char *const types[] = {
		[MEDIA_HTML] = "text/html; charset=utf-8",
		[MEDIA_JSON] = "application/json",
		[MEDIA_CSV] = "text/csv; charset=utf-8",
		[MEDIA_SVG] = "image/svg+xml",
	};

	return types[media];
}

/* What a page needs besides the snapshot; serve gets it before the page is rendered. */
enum page_need {
	PAGE_SERVER = 1,     /* the path is a prefix, what follows a server's name (else 404) */
	PAGE_TOP_SERIES = 2, /* the forecasts of the first n servers that the query lets through */
	PAGE_HISTORY = 4,
	PAGE_DIAGNOSIS = 8
};

struct page {
	const char *name;   /* <route> of the key, [a-z0-9-]{1,32} */
	const char *path;   /* exact path: /heatmap; with PAGE_SERVER what comes before the name:
			       /server/; NULL: a form of another page, found by name */
	const char *suffix; /* what comes behind the name: .svg; NULL: nothing */
	const char *title;  /* NULL for API routes */
	enum media media;
	bool stored;      /* the default view is rendered at every refresh and kept in Redis */
	unsigned params;  /* QUERY_BITs */
	unsigned needs;   /* enum page_need, or-ed */
	const char *json; /* name of the API route that ?format=json gives, or NULL */
	const char *csv;  /* name of the row that ?format=csv gives, or NULL */
	bool standalone;  /* shown without data too */
};

extern const struct page page_table[];
extern const size_t page_count;

const struct page *page_find_name(const char *name);
const struct page *page_find_path(struct span path);
/* PAGE_SERVER: the name in a path that leads to this page. */
struct span page_server_name(const struct page *page, struct span path);

#endif
