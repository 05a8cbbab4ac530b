/* SPDX-License-Identifier: MIT */
/*
 * A request, copied out of the FastCGI parameters with bounds, so that nothing of libfcgi is needed
 * afterwards (doc/limits.md#input). Parameters come from nginx/tft-fastcgi.conf; the last one,
 * TFT_END, proves that none is missing.
 *
 * All texts are NUL-terminated and as the client sent them: any byte but NUL may be in them.
 */
#ifndef TFT_REQUEST_H
#define TFT_REQUEST_H

#include <stdint.h>
#include "base/span.h"

enum method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_OTHER };

#define REQUEST_PATH_MAX  512
#define REQUEST_QUERY_MAX 2048
#define REQUEST_BODY_MAX  4096

struct request {
	int64_t came_us; /* monotonic: when it was read */
	enum method method;
	char path[REQUEST_PATH_MAX + 1];   /* DOCUMENT_URI: decoded and merged by nginx */
	char query[REQUEST_QUERY_MAX + 1]; /* raw, without '?' */
	size_t path_len, query_len;
	bool gzip;               /* the client takes gzip (TFT_AE) */
	bool l1;                 /* nginx may have a copy of the answer (TFT_L1) */
	char if_none_match[256]; /* TFT_INM; longer: empty */
	char origin[256];        /* TFT_ORIGIN; longer: "null", which is never allowed */
	char fetch_site[32];     /* TFT_SFS; longer: "cross-site" */
	char content_type[80];   /* longer: "?", which is no type */
	char host[254]; /* TFT_HOST: without port, lower case; longer: "?", which is no name */
	char remote_addr[46];
	char remote_user[128];           /* longer: "?", which is nobody */
	char id[64];                     /* nginx' request id; longer: empty */
	char body[REQUEST_BODY_MAX + 1]; /* of a POST; a body of any other method is ignored */
	size_t body_len;
};

enum request_result {
	REQUEST_OK,
	REQUEST_CUT,       /* parameters incomplete: finish without an answer */
	REQUEST_TOO_LONG,  /* 414; path or query is cut where its room ends */
	REQUEST_TOO_LARGE, /* 413 */
	REQUEST_BAD /* 400: CONTENT_LENGTH absent, no number, or not what was sent; NUL in the body
		     */
};

/* One FastCGI parameter; NULL when absent. The result lives as long as the FastCGI request. */
typedef const char *(*request_param)(void *ctx, const char *name);
/* Reads up to len body bytes; the number read. Less than len only at the end of the body. */
typedef size_t (*request_read)(void *ctx, char *bytes, size_t len);

/* Fills all of *request. Method, id and headers are valid for every result but REQUEST_CUT. */
enum request_result request_parse(struct request *request, request_param param, request_read read,
				  void *ctx);

/* Whether it was sent to one of these host names (settings.hosts; empty: any). Addresses and
 * localhost are always accepted: no DNS answer can make a browser send those. */
bool request_is_ours(const struct request *request, const char *hosts);

#endif
