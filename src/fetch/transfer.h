/* SPDX-License-Identifier: MIT */
/*
 * One call by libcurl (doc/upstream.md#calls): its own connection, no redirect, no proxy, no
 * compression, no second try.
 */
#ifndef TFT_TRANSFER_H
#define TFT_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include "refresh/fetch.h"

/* The texts are NUL-terminated. */
struct transfer_order {
	const char *url;
	const char *key;     /* sent as X-API-Key; empty: none */
	const char *auth;    /* user:password, or "Bearer " and a token; empty: none */
	const char *post;    /* JSON; empty: a GET */
	const char *ca_file; /* PEM; empty: the authorities of the system */
	int64_t connect_ms, timeout_ms, max_body;
	bool is_delete; /* else a GET or a POST */
	bool any_body;  /* a 200 answer is good whatever its type; bodies of others are passed on */
};

/* Receives body bytes as they arrive. A result other than 0 ends the call. */
typedef int (*transfer_sink)(const char *bytes, size_t len);

/* Ends early when something can be read from `cancel_fd`, or its other end is closed. */
void transfer_run(const struct transfer_order *order, int cancel_fd, transfer_sink sink,
		  struct fetch_outcome *outcome);

#endif
