/* SPDX-License-Identifier: MIT */
/*
 * host:port as RFC 3986 writes it, for daemons and Redis alike. A host is a name (underscores are
 * allowed, as in compose files), an IPv4 address, or an IPv6 address in brackets.
 */
#ifndef TFT_HOSTPORT_H
#define TFT_HOSTPORT_H

#include "base/span.h"

struct hostport {
	struct span host; /* borrowed; without brackets */
	int port;         /* 1 to 65535 */
};

/* Length of the host, brackets included, at the start of the text; 0: there is none. */
size_t hostport_host_len(struct span text);
/* 1 to 65535; 0 for anything else. */
int hostport_port(struct span text);
/* Parses the whole text, both parts. An IPv6 address may omit its brackets: ::1:6379. */
bool hostport_parse(struct hostport *to, struct span text);

#endif
