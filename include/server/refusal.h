/* SPDX-License-Identifier: MIT */
/* Error answers: constant texts, as a page or a problem document (RFC 9457). They are never stored.
 * */
#ifndef TFT_REFUSAL_H
#define TFT_REFUSAL_H

#include "pages/view.h"
#include "server/answer.h"

/* hint: as page_error. 503 comes with Retry-After: 1. */
void refuse(struct answering *a, const struct http_error *error, bool json, const char *hint,
	    struct response *response);
/* The same with the standard words for the status. */
void refuse_status(struct answering *a, int status, bool json, const char *hint,
		   struct response *response);
/* 400, with the page's form where it has one. */
void refuse_value(struct answering *a, const struct bad_value *bad, struct response *response);
/* 404 for a moment that is not kept, or that has not come yet. */
void refuse_moment(struct answering *a, const struct no_moment *none, bool future, enum media media,
		   struct response *response);
/* 404 for a name that the snapshot does not have. The name is not repeated: anybody can put
 * anything into an address. */
void refuse_server(struct answering *a, bool json, bool past, struct response *response);
/* The same of the name of the server to compare with. */
void refuse_other(struct answering *a, bool past, struct response *response);

#endif
