/* SPDX-License-Identifier: MIT */
#ifndef DEMO_SERVE_H
#define DEMO_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include <fcgiapp.h>

#include "state.h"
#include "text.h"

/* One request, one answer: routing, key, limiter, headers. The answers themselves are in
 * inference.c and generator.c. */

struct daemon;

struct request {
	const char *content_type; /* never NULL */
	struct text body;
};

struct reply {
	int status;
	struct text body;
};

/* False: no answer (told to stop, or the state file is gone); the connection is closed. */
typedef bool handler_fn(struct daemon *d, const struct request *rq, struct reply *rp);

struct route {
	const char *path;
	const char *method;
	bool protected;   /* requires the key */
	int limit_factor; /* times --rate-limit a minute; 0: never limited */
	handler_fn *answer;
};

struct quota {
	const struct route *route;
	char ip[46];
	int64_t since_ms;
	int calls;
};

struct daemon {
	const struct route *routes; /* ends with path NULL */
	const char *api_key;        /* NULL: no key is required */
	int state_fd;
	int latency_ms;
	int rate_limit; /* calls a minute, 0: none */
	struct quota quotas[64];
};

/* False: not answered, or not completely. */
bool serve_request(struct daemon *d, FCGX_Request *fcgi);

#endif
