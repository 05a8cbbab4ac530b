/* SPDX-License-Identifier: MIT */
/*
 * Where Redis is, as an operator writes it:
 *
 *   unix:/path[/database]
 *   host:port[/database]
 *   sentinel:host:port[,host:port...]/name[/database]    of its primary the sentinels know
 *   rediss://[user@]host:port[/database]                  by TLS
 *   rediss-sentinel://[user@]host:port[,host:port...]/name[/database]
 *
 * host:port as in base/hostport.h; database: up to five digits, default 0. The server decides how
 * many databases it has.
 */
#ifndef TFT_STORE_ADDRESS_H
#define TFT_STORE_ADDRESS_H

#include "base/hostport.h"

#define ENDPOINT_HOST_MAX 256 /* bytes with the NUL; a socket's path has less */
#define ENDPOINT_TEXT_MAX (ENDPOINT_HOST_MAX + 9)

enum address_kind { ADDRESS_UNIX, ADDRESS_TCP, ADDRESS_TLS, ADDRESS_KINDS };

/* The parts are borrowed from the text. */
struct address {
	enum address_kind kind;
	struct span user;  /* empty: none is named */
	struct span hosts; /* separated by single commas; of a unix socket the path */
	struct span name;  /* of the primary; empty: the host is Redis itself */
	int database;
};

/* One server. */
struct endpoint {
	char host[ENDPOINT_HOST_MAX]; /* without brackets; or a path */
	int port;                     /* 0: a path */
};

/* False: none of the forms above, or a part of it is invalid. */
bool address_parse(struct address *address, const char *text);
/* The i-th server; false past the last one. */
bool address_endpoint(const struct address *address, size_t i, struct endpoint *to);
/* False: no host or port, or too long. */
bool endpoint_set(struct endpoint *to, struct span host, int port);
/* In the form used in an address. */
void endpoint_text(const struct endpoint *endpoint, char text[ENDPOINT_TEXT_MAX]);

#endif
