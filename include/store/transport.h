/* SPDX-License-Identifier: MIT */
/*
 * What a connection to Redis runs over: one row of functions for each kind of address. hiredis
 * opens and closes connections; the caller keeps the deadlines. Tests may bring a row of their own.
 */
#ifndef TFT_TRANSPORT_H
#define TFT_TRANSPORT_H

#include <stdint.h>
#include <sys/types.h>
#include <hiredis/hiredis.h>
#include "base/err.h"
#include "store/address.h"

#define TRANSPORT_PATIENCE_MS 50 /* how long a read that may wait does so at most */

struct tls;

struct link {
	const struct tls *tls; /* for a transport that needs it */
	redisContext *redis;   /* NULL: closed */
	struct ssl_st *ssl;    /* NULL: none; owned by the transport */
};

struct transport {
	/* Begins to connect. 0, or -1 with the reason. */
	int (*open)(struct link *link, const struct endpoint *to, struct err *err);
	/* Called when the socket is writable, and again after each wait. 0: ready; POLLIN, POLLOUT:
	 * what to wait for; -1 with the reason. */
	int (*handshake)(struct link *link, struct err *err);
	/* Bytes read; 0: none at present; -1 with the reason: the connection has ended. */
	ssize_t (*read)(struct link *link, char *to, size_t len, bool may_wait, struct err *err);
	/* Bytes taken; 0: none at present, call again with the same ones; -1 as above. */
	ssize_t (*write)(struct link *link, const char *from, size_t len, struct err *err);
	/* 1: look again; 0: the time is up; -1 with the reason. */
	int (*wait)(struct link *link, short events, int64_t ms, struct err *err);
	/* Nothing has arrived, not even the end of the stream. */
	bool (*is_quiet)(struct link *link);
	void (*close)(struct link *link);
};

extern const struct transport transport_unix, transport_tcp, transport_tls;

/* What the rows have in common. */
int transport_connected(struct link *link, redisContext *redis, struct err *err);
int transport_connect_tcp(struct link *link, const struct endpoint *to, struct err *err);
int transport_check(const struct link *link, struct err *err); /* how connecting ended */
int transport_wait(struct link *link, short events, int64_t ms, struct err *err);
void transport_close(struct link *link);

#endif
