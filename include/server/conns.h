/* SPDX-License-Identifier: MIT */
/*
 * The connections of nginx to one worker: new ones from the listen socket, which all workers share,
 * and those that nginx keeps for its next request.
 *
 * Only this worker can answer a request on a kept connection. So before work that takes longer than
 * an answer, the worker closes them, and nginx asks another worker; a request that was just sent is
 * repeated. nginx does not repeat a POST, which therefore always comes on a new connection.
 */
#ifndef TFT_CONNS_H
#define TFT_CONNS_H

#include <fcgiapp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

enum conns_event {
	CONNS_REQUEST, /* one or more; conns_done ends each */
	CONNS_QUIET,   /* time passed, or a signal came; also before its time */
	CONNS_NOTHING, /* a connection that ended, half a request, or another worker took it */
	CONNS_BROKEN   /* the listen socket cannot be used (any more); errno */
};

#define CONNS_TOGETHER 8 /* requests that are read before the first is answered */

struct conns;

/* Makes the listen socket non-blocking. NULL with errno. */
struct conns *conns_new(int listen_fd);
void conns_free(struct conns **conns);

/* Waits for up to `ms` (-1: for ever) under the signal mask `open`, which must block SIGALRM. The
 * requests that have arrived completely are in requests[0..*count). Their peer has 5 s to take the
 * answers. */
enum conns_event conns_next(struct conns *conns, int64_t ms, const sigset_t *open,
			    FCGX_Request *requests[CONNS_TOGETHER], size_t *count);
/* Whether all of the request has been read: a rest would be taken for the beginning of the next
 * one. Ask before the answer is sent: afterwards the next request may have arrived, and libfcgi,
 * which reads 8 KB at a time, would read into it. */
bool conns_is_read(FCGX_Request *request);
/* The request has been read and answered completely (`whole`), or never will be. Its connection is
 * kept if nginx wants that, else closed. */
void conns_done(struct conns *conns, FCGX_Request *request, bool whole);
/* Closes all kept connections and ends the time limit of the current one. */
void conns_drop(struct conns *conns);

#endif
