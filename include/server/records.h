/* SPDX-License-Identifier: MIT */
/*
 * What of a request has come, and the answer as FastCGI records, written at once. The streams of libfcgi copy it through 8 KB and
 * send each piece alone; of a worker killed between two of them nginx 1.22 takes the half page for
 * a whole one, and a client that knows its length waits for the rest.
 */
#ifndef TFT_RECORDS_H
#define TFT_RECORDS_H

#include "base/span.h"

enum records_state {
	RECORDS_WHOLE, /* BEGIN_REQUEST, all PARAMS, all STDIN of one request to a responder */
	RECORDS_HALF,  /* so far; the rest has not come */
	RECORDS_BAD    /* anything else, or a length that goes beyond the parameters */
};

/* What has come on a connection, from the first byte of a request. libfcgi believes every length, and
 * ends the program where there is no memory for it; and it waits for what is missing. The bytes of
 * the parameters may be moved together. */
enum records_state records_check(char *bytes, size_t len);
/* Sends header block and body as the whole answer to this request on a blocking socket, in one
 * system call up to 1 MB; the kernel takes about 200 KB of it without waiting for the reader.
 * 0, or -1 with errno; nothing must follow on the connection in either case. */
int records_send(int fd, int request_id, struct span head, struct span body);

#endif
