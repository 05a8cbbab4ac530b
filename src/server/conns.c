/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "server/conns.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/records.h"

/*
 * A connection has one of four states, which only this file changes:
 *
 *	FREE -- accepted --> HALF -- the rest comes --> BUSY -- conns_done --> KEPT or FREE
 *	KEPT -- something comes --> HALF or BUSY
 *
 * FREE: no descriptor. HALF: part of a request has arrived, or nothing; the bytes stay in the
 * socket, nobody waits for the rest, and after PEER_S the connection is closed. KEPT: the last
 * request was answered and nothing has arrived since. BUSY: libfcgi reads the request or the
 * caller answers it.
 *
 * Always true: a connection has a descriptor unless it is FREE. libfcgi reads a socket only once
 * the whole request is in it, so it never waits. HALF and KEPT are watched edge-triggered: bytes
 * left in the socket are not reported again. At most CONNS_TOGETHER are BUSY, so there is always
 * room for a new connection: the oldest HALF or KEPT is closed for it.
 */

/* More than one process of nginx keeps open. */
#define CONNS 128
/* Longest time for the rest of a request, and for taking its answer, give or take a second; nginx
 * takes milliseconds. */
#define PEER_S 5
/* For a new connection on which nothing arrives. */
#define SILENT_MS 20
/* A whole request: nginx' headers have at most 32 KB, and a path may appear in them twice. */
#define REQUEST_BYTES 65536

enum conn_state { CONN_FREE, CONN_HALF, CONN_KEPT, CONN_BUSY };

struct conn {
	FCGX_Request fcgi; /* first: outside of this file its address stands for the connection */
	bool watched;
	enum conn_state state;
	uint64_t turn;    /* of its last request; 0 while it is free */
	int64_t until_ms; /* monotonic: HALF ends then */
};

struct conns {
	struct conn conn[CONNS];
	int listen_fd, epoll;
	uint64_t turn;
	int64_t limited_ms; /* monotonic: when the timer was set; 0: it is not */
	int64_t half_ms;    /* monotonic: no HALF ends before; 0: there is none */
	char seen[REQUEST_BYTES];
};

static void on_alarm(int sig)
{
	(void)sig;
}

static void set_timer(int seconds)
{
	const struct itimerval timer = {.it_value.tv_sec = seconds,
					.it_interval.tv_sec = seconds ? 1 : 0};

	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

/* libfcgi has no time-out, but takes EINTR for the end of a connection: SIGALRM ends a connection
 * whose peer sends half a request or does not read. It repeats every second, in case the first one
 * came between two reads. A running timer is reused for the next request, which then has up to a
 * second less: that saves two system calls of ten. */
static void limit_peer(struct conns *conns)
{
	int64_t now = clock_mono_ms();

	if (conns->limited_ms && now - conns->limited_ms < 1000)
		return;
	conns->limited_ms = now;
	set_timer(PEER_S);
}

static void lift_limit(struct conns *conns)
{
	if (conns->limited_ms)
		set_timer(0);
	conns->limited_ms = 0;
}

static int watch(const struct conns *conns, int fd, uint32_t events, struct conn *conn)
{
	struct epoll_event event = {.events = events, .data.ptr = conn};

	return epoll_ctl(conns->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int prepare(struct conns *conns, int listen_fd)
{
	const struct sigaction alarm = {.sa_handler = on_alarm};
	int flags = fcntl(listen_fd, F_GETFL);

	conns->listen_fd = listen_fd;
	for (size_t i = 0; i < CONNS; i++)
		(void)FCGX_InitRequest(&conns->conn[i].fcgi, -1, 0);
	conns->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (conns->epoll < 0 || sigaction(SIGALRM, &alarm, NULL) != 0 || flags < 0 ||
	    fcntl(listen_fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return -1;
	/* Without EPOLLEXCLUSIVE each connection would wake every idle worker, all but one in vain.
	 */
	return watch(conns, listen_fd, EPOLLIN | EPOLLEXCLUSIVE, NULL);
}

struct conns *conns_new(int listen_fd)
{
	struct conns *conns = calloc(1, sizeof(*conns));

	if (conns && prepare(conns, listen_fd) != 0)
		conns_free(&conns);
	return conns;
}

/* Not by FCGX_Finish_r, which would send another end record and then wait until nginx has closed
 * its side. On TCP that protects the tail of an answer; here it would only delay the next request.
 * */
static void drop(struct conn *conn)
{
	FCGX_Detach(&conn->fcgi);
	FCGX_Free(&conn->fcgi, 1);
	conn->watched = false;
	conn->state = CONN_FREE;
	conn->turn = 0;
	assert(conn->fcgi.ipcFd < 0);
}

void conns_drop(struct conns *conns)
{
	for (size_t i = 0; i < CONNS; i++)
		if (conns->conn[i].state == CONN_KEPT)
			drop(&conns->conn[i]);
	lift_limit(conns);
}

/* Closes the connections whose time is up. */
static void end_halves(struct conns *conns, int64_t now)
{
	conns->half_ms = 0;
	for (struct conn *c = conns->conn; c < conns->conn + CONNS; c++) {
		if (c->state != CONN_HALF)
			continue;
		if (c->until_ms <= now)
			drop(c);
		else if (!conns->half_ms || c->until_ms < conns->half_ms)
			conns->half_ms = c->until_ms;
	}
}

void conns_free(struct conns **conns)
{
	if (!*conns)
		return;
	conns_drop(*conns);
	end_halves(*conns, INT64_MAX);
	if ((*conns)->epoll >= 0)
		(void)close((*conns)->epoll);
	free(*conns);
	*conns = NULL;
}

static_assert(CONNS > CONNS_TOGETHER, "not all connections can be busy");

/* A slot for a new connection: a free one, or that of the connection idle for longest. */
static struct conn *make_room(struct conns *conns)
{
	struct conn *found = conns->conn;

	for (struct conn *c = conns->conn; c < conns->conn + CONNS; c++)
		if (c->state != CONN_BUSY && (found->state == CONN_BUSY || c->turn < found->turn))
			found = c;
	assert(found->state != CONN_BUSY);
	if (found->state != CONN_FREE)
		drop(found);
	return found;
}

/* Running out of descriptors is temporary: other connections end. */
static enum conns_event refused(void)
{
	static const struct timespec pause = {.tv_nsec = 50000000};

	if (errno == EMFILE || errno == ENFILE) {
		log_event(LOG_LEVEL_ERROR, "accept_fail",
			  LOG_STR("err", "no file descriptor left"));
		(void)nanosleep(&pause, NULL);
		return CONNS_NOTHING;
	}
	return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ? CONNS_NOTHING
									  : CONNS_BROKEN;
}

/* nginx sends its request as soon as it is connected. */
static enum conns_event take_new(struct conns *conns, struct conn **conn)
{
	int fd = accept4(conns->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	struct pollfd silence = {.fd = fd, .events = POLLIN};

	if (fd < 0)
		return refused();
	(void)poll(&silence, 1, SILENT_MS);
	*conn = make_room(conns);
	(*conn)->fcgi.ipcFd = fd;
	return CONNS_REQUEST;
}

static bool read_request(struct conns *conns, struct conn *conn)
{
	conn->state = CONN_BUSY;
	conn->turn = ++conns->turn;
	/* Otherwise FCGX_Accept_r would begin by closing it. */
	conn->fcgi.keepConnection = 1;
	/* A connection that has ended is closed without waiting, see drop. */
	FCGX_Detach(&conn->fcgi);
	if (FCGX_Accept_r(&conn->fcgi) == 0)
		return true;
	conns_done(conns, &conn->fcgi, false);
	return false;
}

static bool watch_conn(const struct conns *conns, struct conn *conn)
{
	if (!conn->watched)
		conn->watched =
			watch(conns, conn->fcgi.ipcFd, EPOLLIN | EPOLLRDHUP | EPOLLET, conn) == 0;
	return conn->watched;
}

static bool wait_for_rest(struct conns *conns, struct conn *conn)
{
	if (conn->state != CONN_HALF) {
		conn->state = CONN_HALF;
		conn->turn = ++conns->turn;
		conn->until_ms = clock_mono_ms() + PEER_S * 1000;
	}
	if (!conns->half_ms)
		conns->half_ms = conn->until_ms;
	return watch_conn(conns, conn);
}

/* How much of a request has arrived. A kept connection without new bytes keeps its state. */
static enum records_state check_records(struct conns *conns, const struct conn *conn, bool *silent)
{
	ssize_t n = recv(conn->fcgi.ipcFd, conns->seen, REQUEST_BYTES, MSG_PEEK | MSG_DONTWAIT);
	enum records_state state = RECORDS_BAD;

	*silent = n < 0 && (errno == EAGAIN || errno == EINTR);
	if (n > 0)
		state = records_check(conns->seen, (size_t)n);
	if (*silent || (state == RECORDS_HALF && n < REQUEST_BYTES))
		return RECORDS_HALF;
	return state == RECORDS_WHOLE ? RECORDS_WHOLE : RECORDS_BAD;
}

/* True: there is a whole request. ended: the peer has closed its side. */
static bool take_up(struct conns *conns, struct conn *conn, bool ended)
{
	bool silent;
	enum records_state state = check_records(conns, conn, &silent);

	if (state == RECORDS_WHOLE)
		return read_request(conns, conn);
	if (state == RECORDS_HALF && !ended &&
	    ((silent && conn->state == CONN_KEPT) || wait_for_rest(conns, conn)))
		return false;
	drop(conn);
	return false;
}

/* An idle worker yields, so that a busy one takes the next connection: requests that come together
 * cost less (loop.c). */
static void give_way(void)
{
	static const struct timespec moment = {.tv_nsec = 100000};

	(void)nanosleep(&moment, NULL);
}

/* Kept connections first: a new one may need the slot of one of them. */
static enum conns_event read_all(struct conns *conns, const struct epoll_event *events, size_t n,
				 FCGX_Request **requests, size_t *count)
{
	struct conn *conn;
	enum conns_event what = CONNS_NOTHING;
	bool is_new = false;

	for (size_t i = 0; i < n; i++) {
		conn = events[i].data.ptr;
		if (!conn)
			is_new = true;
		else if (take_up(conns, conn, events[i].events & (EPOLLRDHUP | EPOLLHUP)))
			requests[(*count)++] = &conn->fcgi;
	}
	if (is_new)
		what = take_new(conns, &conn);
	if (what == CONNS_REQUEST && take_up(conns, conn, false))
		requests[(*count)++] = &conn->fcgi;
	return *count ? CONNS_REQUEST : what == CONNS_BROKEN ? what : CONNS_NOTHING;
}

/* Closes what is overdue. Returns how long to wait: `ms`, or less if a connection is due sooner. */
static int64_t time_to_wait(struct conns *conns, int64_t ms)
{
	int64_t now, left;

	if (!conns->half_ms)
		return ms;
	now = clock_mono_ms();
	end_halves(conns, now);
	left = conns->half_ms - now;
	return conns->half_ms && (ms < 0 || left < ms) ? left : ms;
}

enum conns_event conns_next(struct conns *conns, int64_t ms, const sigset_t *open,
			    FCGX_Request *requests[CONNS_TOGETHER], size_t *count)
{
	struct epoll_event events[CONNS_TOGETHER];
	int64_t wait = time_to_wait(conns, ms);
	int n = epoll_pwait(conns->epoll, events, CONNS_TOGETHER,
			    wait < INT_MAX ? (int)wait : INT_MAX, open);

	*count = 0;
	if (n <= 0) {
		lift_limit(conns);
		return CONNS_QUIET;
	}
	if (n == 1 && !events[0].data.ptr)
		give_way();
	limit_peer(conns);
	return read_all(conns, events, (size_t)n, requests, count);
}

bool conns_is_read(FCGX_Request *request)
{
	return FCGX_GetChar(request->in) < 0 && FCGX_GetError(request->in) == 0;
}

static bool keep(const struct conns *conns, struct conn *conn)
{
	if (watch_conn(conns, conn))
		conn->state = CONN_KEPT;
	return conn->watched;
}

void conns_done(struct conns *conns, FCGX_Request *request, bool whole)
{
	struct conn *conn = (struct conn *)request;

	assert(conn->state == CONN_BUSY);
	if (whole && request->keepConnection && keep(conns, conn))
		FCGX_Free(request, 0);
	else
		drop(conn);
}
