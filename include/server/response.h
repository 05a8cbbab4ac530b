/* SPDX-License-Identifier: MIT */
/*
 * One answer: status, headers, body (doc/pages.md#headers). The caller fills a struct response and
 * sends what response_head writes, then, but for a HEAD, the body. Content-Length is always sent,
 * so that a worker's death in mid-body is noticed; a HEAD has the headers of its GET.
 */
#ifndef TFT_RESPONSE_H
#define TFT_RESPONSE_H

#include <stdint.h>
#include "base/buf.h"

#define RESPONSE_NO_STORE (-1)

/* Every text here is the program's own, without CR and LF. */
struct response {
	int status;         /* one of the table in response.c */
	const char *type;   /* application/json; NULL: text/html; charset=utf-8 */
	struct span body;   /* borrowed */
	bool gzip;          /* body is gzip'd */
	char etag[64];      /* W/"..." or empty */
	int64_t gen_ms;     /* when the data were claimed, for Age; 0: none */
	int64_t age_ms;     /* below 0 counts as 0 */
	int max_age_s;      /* RESPONSE_NO_STORE, else max-age; then Vary is sent too */
	bool authenticated; /* adds private: no shared cache beyond our own nginx may keep it */
	int64_t stale_ok_s; /* stale-if-error: for how long a cache may serve its expired copy when
			       we fail; 0 and below: not at all */
	bool l1;            /* X-Accel-Expires: @<now>, under a second; else 0 */
	bool ending;        /* with l1: newer data may come at any moment. nginx asks again for each
			       request, but for those that come while it asks */
	char cache_status[96];       /* our member of Cache-Status (RFC 9211), or empty */
	int64_t bucket;              /* X-TFT-Bucket; -1: none */
	int retry_after_s;           /* 0: none */
	const char *retry_location;  /* the location in which nginx asks once more; else NULL */
	const char *allow;           /* 405 */
	bool immutable;              /* with max_age_s: the answer will never be another one */
	struct span location;        /* 302, 303: relative reference, borrowed; else empty */
	const char *filename;        /* Content-Disposition: attachment; NULL: none */
	const char *frame_origin;    /* whose pages may embed it; NULL or empty: nobody's */
	const char *service_desc;    /* reference to the description of the API; NULL: none */
	int64_t redis_us, render_us; /* Server-Timing; -1: not measured */
};

/* Initializes it: everything absent, no-store. */
void response_init(struct response *r, int status);
/* The same with a JSON body, borrowed. */
void response_json(struct response *r, int status, struct span body);
/* Sets the validator from this uncompressed body. */
void response_etag(struct response *r, struct span body);
/* The CGI header block, with the blank line. A 304 has neither type nor length (RFC 9110 15.4.5).
 * node: printable, without blanks. request_id: left out unless it is letters, digits and hyphens.
 * now_wall_ms: this host's clock, which nginx reads too. */
void response_head(const struct response *r, const char *node, struct span request_id,
		   int64_t now_wall_ms, struct buf *out);
/* Weak comparison of If-None-Match (RFC 9110 13.1.2) with our ETag; members that are no entity tag
 * count as absent. An empty etag matches nothing. */
bool response_not_modified(const char *if_none_match, const char *etag);

#endif
