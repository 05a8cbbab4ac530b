/* SPDX-License-Identifier: MIT */
/* The answer to a page request: the stored page, one rendered from the snapshot, or an error. */
#ifndef TFT_ANSWER_H
#define TFT_ANSWER_H

#include "server/context.h"
#include "server/response.h"
#include "server/route.h"

/* What is needed to make answers. Bodies live until the next request. */
struct answering {
	const struct serve_config *config;
	struct sources sources;
	struct buf body, packed; /* of the current answer */
	char filename[64];       /* the same */
	struct span path; /* of the current request: where the links of an error page lead from */
};

void answer_page(struct answering *a, const struct request *request, const struct route *route,
		 struct response *response);
/* Makes a->body the body of the answer, compressed if the client accepts that and it is worthwhile.
 * */
void answer_pack(struct answering *a, const struct request *request, struct response *response);

#endif
