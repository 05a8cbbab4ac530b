/* SPDX-License-Identifier: MIT */
/*
 * Between a worker and tft-fetch, the program that makes one call of a daemon for it. libcurl and
 * what it needs (33 libraries, 6 MB in each process) and foreign HTTP stay out of the workers.
 *
 * Both speak over one stream socket, which is the program's standard input and output. The worker
 * sends an order and the texts it counts. The program sends pieces of the body, each after its
 * length, then the length 0 and the outcome. A worker that closes its end, or dies, ends the call.
 * Both are of one build on one machine: numbers are as they lie in memory.
 */
#ifndef TFT_FETCH_H
#define TFT_FETCH_H

#include <stdint.h>

#define FETCH_VERSION  2    /* of what follows; a program of another one refuses the order */
#define FETCH_TEXT_MAX 8192 /* bytes of all texts of an order */
#define FETCH_TEXTS    4

struct fetch_order {
	uint32_t version;
	uint32_t url_len, key_len, post_len, ca_len; /* the texts, in this order */
	int64_t connect_ms, timeout_ms;
	int64_t max_body; /* bytes; a longer body is none */
};

/* Body bytes of a 200 answer of JSON type alone: that of an error says nothing that its status does
 * not. */
typedef uint32_t fetch_length;

struct fetch_outcome {
	int64_t reason;         /* enum reason */
	int64_t status;         /* 0: no answer */
	int64_t retry_after_ms; /* as in struct upstream_call */
	int64_t bytes;          /* of the body, of whatever kind */
};

#endif
