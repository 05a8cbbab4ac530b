/* SPDX-License-Identifier: MIT */
/*
 * The protocol between a worker and tft-fetch, the program that makes one upstream call for it.
 * This keeps libcurl with its dependencies (33 libraries, 6 MB per process) and foreign HTTP out
 * of the workers.
 *
 * Both use one stream socket, which is the program's standard input and output. The worker sends
 * an order, then the texts whose lengths it gives. The program sends pieces of the body, each
 * preceded by its length, then the length 0 and the outcome. The call ends when the worker closes
 * its end or dies. Both come from one build on one machine, so numbers are sent as they are in
 * memory.
 */
#ifndef TFT_FETCH_H
#define TFT_FETCH_H

#include <stdint.h>

#define FETCH_VERSION  4    /* of this protocol; a program of another version refuses the order */
#define FETCH_TEXT_MAX 8192 /* bytes of all texts of an order but the post */
#define FETCH_POST_MAX (32u << 20)
#define FETCH_TEXTS    5

struct fetch_order {
	uint32_t version;
	uint32_t url_len, key_len, auth_len, ca_len, post_len; /* the texts, in this order */
	uint32_t is_delete;                                    /* 1: a DELETE */
	uint32_t any_body; /* 1: a 200 answer of any type is good; bodies of others are sent, too */
	int64_t connect_ms, timeout_ms;
	int64_t max_body; /* bytes; a longer body is an error */
};

/* Without any_body bytes are sent only for a 200 answer of JSON type: an error's status says
 * enough. */
typedef uint32_t fetch_length;

struct fetch_outcome {
	int64_t reason;         /* enum reason */
	int64_t status;         /* 0: no answer */
	int64_t retry_after_ms; /* as in struct upstream_call */
	int64_t bytes;          /* of the body, of whatever kind */
};

#endif
