/* SPDX-License-Identifier: MIT */
/*
 * How much of a request has arrived, and the answer as FastCGI records in one write. libfcgi's
 * streams copy it through 8 KB and send each piece separately; if the worker is killed between two
 * of them, nginx 1.22 takes the half page for a whole one, and a client that knows the length waits
 * for the rest.
 */
#ifndef TFT_RECORDS_H
#define TFT_RECORDS_H

#include "base/span.h"

enum records_state {
	RECORDS_WHOLE, /* BEGIN_REQUEST, all PARAMS, all STDIN of one request to a responder */
	RECORDS_HALF,  /* so far; the rest has not come */
	RECORDS_BAD    /* anything else, or a length that goes beyond the parameters */
};

/* Examines what has arrived on a connection, from the first byte of a request. libfcgi believes
 * every length and exits when it cannot allocate it, and it blocks for what is missing. The bytes
 * of the parameters may be moved together. */
enum records_state records_check(char *bytes, size_t len);
/* Sends header block and body as the whole answer on a blocking socket, in one system call for up
 * to 1 MB; the kernel buffers about 200 KB without waiting for the reader. 0, or -1 with errno; in
 * either case nothing more may be sent on the connection. */
int records_send(int fd, int request_id, struct span head, struct span body);

#endif
