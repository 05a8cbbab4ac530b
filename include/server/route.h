/* SPDX-License-Identifier: MIT */
/* Path and method to what answers it; exact match in tables, so the number of cache keys is bounded
 * by them. */
#ifndef TFT_ROUTE_H
#define TFT_ROUTE_H

#include "pages/catalogue.h"
#include "server/request.h"

enum route_kind {
	ROUTE_PAGE,   /* a row of the page table */
	ROUTE_STATUS, /* /api/v1/status */
	ROUTE_OPENAPI,
	ROUTE_HEALTHZ,
	ROUTE_READYZ,
	ROUTE_METRICS,
	ROUTE_FLEET_METRICS,
	ROUTE_REFRESH, /* these four are POSTs, in the order of enum action */
	ROUTE_SCENARIO,
	ROUTE_SILENCE,
	ROUTE_SILENCE_END,
	ROUTE_NOT_FOUND,
	ROUTE_METHOD /* the path exists, the method is not allowed */
};

struct route {
	enum route_kind kind;
	const struct page *page; /* ROUTE_PAGE, else NULL */
	const char *allow;       /* ROUTE_METHOD: value of the Allow header, else NULL */
	bool json; /* errors of this path are application/problem+json: API, health, unknown below
		      /api/ */
};

struct route route_find(enum method method, struct span path);

#endif
