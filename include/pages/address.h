/* SPDX-License-Identifier: MIT */
/*
 * Addresses: what links, navigation, routes and cache keys need to know about a page or an API
 * route, one row each. The functions that write the documents are listed in catalogue.h.
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

/* What a page needs besides the snapshot; it is fetched before the page is rendered. */
enum page_need {
	PAGE_SERVER = 1,     /* the path is a prefix, followed by the name of a server (else 404) */
	PAGE_TOP_SERIES = 2, /* the forecasts of the first n servers that match the query */
	PAGE_HISTORY = 4,
	PAGE_DIAGNOSIS = 8,
	PAGE_INCIDENTS = 16,
	PAGE_SINCE = 32,      /* the moment that the shown one is compared with */
	PAGE_SINCE_NEAR = 64, /* or, where that is not kept, the nearest that is */
	PAGE_ACCURACY = 128,  /* the scores of forecasts, of the query's period */
	PAGE_NO_CALL = 256,   /* forecasts that are not there are not worth a call of the daemon */
	PAGE_WARNINGS = 512,  /* and which warnings came true */
	PAGE_FIND = 1024,     /* a search for the whole name of a server leads to its page */
	PAGE_WEEK = 2048,     /* PAGE_HISTORY of 7 days, whatever the query says */
};

struct page {
	const char *name;   /* <route> of the key, [a-z0-9-]{1,32} */
	const char *path;   /* exact path: /heatmap; with PAGE_SERVER the part before the name:
			       /server/; NULL: another format of a page, found by name */
	const char *suffix; /* the part after the name: .svg; NULL: none */
	const char *title;  /* NULL for API routes */
	enum media media;
	bool stored;      /* the default view is rendered at every refresh and kept in Redis */
	unsigned params;  /* QUERY_BITs */
	unsigned needs;   /* enum page_need, or-ed */
	const char *json; /* name of the API route that serves ?format=json, or NULL */
	const char *csv;  /* name of the row that serves ?format=csv, or NULL */
	bool standalone;  /* shown even without data */
	bool cursor;      /* it has drawings over time, in which one can point (cursor.js) */
};

extern const struct page page_table[];
extern const size_t page_count;

const struct page *page_find_name(const char *name);
const struct page *page_find_path(struct span path);
/* PAGE_SERVER: the server's name in a path that matches this page. */
struct span page_server_name(const struct page *page, struct span path);

#endif
