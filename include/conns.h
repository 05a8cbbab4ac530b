/* SPDX-License-Identifier: MIT */
/*
 * The connections of nginx to one worker: new ones from the listen socket, which all workers share,
 * and those that nginx keeps for its next request.
 *
 * A request on a kept connection can be answered by this worker alone. So whoever is going to be
 * busy for longer than with an answer drops them first, and nginx asks another worker: once more,
 * if it has just asked this one. It does not repeat a POST, which therefore comes on a new
 * connection.
 */
#ifndef TFT_CONNS_H
#define TFT_CONNS_H

#include <fcgiapp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

enum conns_event {
	CONNS_REQUEST, /* conns_done ends it */
	CONNS_QUIET,   /* time passed, or a signal came */
	CONNS_NOTHING, /* a connection that ended, or that another worker took */
	CONNS_BROKEN   /* the listen socket cannot be used (any more); errno */
};

struct conns;

/* Makes the listen socket non-blocking. NULL with errno. */
struct conns *conns_new(int listen_fd);
void conns_free(struct conns **conns);
/* Waits for up to `ms` (-1: for ever) under the signal mask `open`, which must block SIGALRM; the
 * next request, read up to its parameters, in *request. Its peer has 5 s for what is left of it and
 * for taking the answer. */
enum conns_event conns_next(struct conns *conns, int64_t ms, const sigset_t *open,
			    FCGX_Request **request);
/* Whether nothing of the request is left unread, which would be taken for the begin of the next
 * one. To be asked before its answer is sent: after that the next one may have come, and libfcgi,
 * which reads 8 KB at a time, would read into it. */
bool conns_is_read(FCGX_Request *request);
/* The request has been read and answered to their ends (`whole`), or never will be: its connection
 * is kept, if nginx wants that, or closed. */
void conns_done(struct conns *conns, FCGX_Request *request, bool whole);
/* Closes all that are kept, and ends the time limit of the one in hand. */
void conns_drop(struct conns *conns);

#endif
