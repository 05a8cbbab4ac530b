/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "loop.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "records.h"

/* Longest time for reading a request and sending its answer; nginx takes milliseconds. */
#define PEER_S 5
/* A busy worker looks so often whether it is to stop. */
#define LOOK_MS 100

/*
 * Signals are blocked everywhere but inside epoll_pwait: libfcgi takes EINTR for the end of a
 * connection, which would cut answers and parameters, and a TERM in its own polls makes it spin for
 * ever (reliability 8). The one exception makes use of that: libfcgi knows no time-out, so SIGALRM
 * ends the connection of a peer that sends half a request or does not read.
 */
static volatile sig_atomic_t stop;

static void on_stop(int sig)
{
	(void)sig;
	stop = 1;
}

static void on_alarm(int sig)
{
	(void)sig;
}

static const int stop_signals[] = {SIGTERM, SIGINT, SIGHUP};

/* Leaves the mask to be used while waiting in *open. */
static void set_signals(sigset_t *open)
{
	struct sigaction handler = {.sa_handler = on_stop}, ignore = {.sa_handler = SIG_IGN},
			 alarm = {.sa_handler = on_alarm};
	sigset_t blocked;

	(void)sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(stop_signals) / sizeof(stop_signals[0]); i++) {
		(void)sigaddset(&blocked, stop_signals[i]);
		(void)sigaction(stop_signals[i], &handler, NULL);
	}
	(void)sigaction(SIGALRM, &alarm, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)sigaction(SIGUSR1, &ignore, NULL);
	(void)sigprocmask(SIG_BLOCK, &blocked, open);
	for (size_t i = 0; i < sizeof(stop_signals) / sizeof(stop_signals[0]); i++)
		(void)sigdelset(open, stop_signals[i]);
}

/* epoll_pwait does not look at signals while connections wait: a busy worker would never hear that
 * it is to stop. */
static bool told_to_stop(const sigset_t *open)
{
	static int64_t looked_ms;
	int64_t now = clock_mono_ms();
	sigset_t blocked;

	if (now - looked_ms < LOOK_MS)
		return stop;
	looked_ms = now;
	(void)sigprocmask(SIG_SETMASK, open, &blocked);
	(void)sigprocmask(SIG_SETMASK, &blocked, NULL);
	return stop;
}

/* Again every second, in case that the first one came between two reads. 0 disarms. */
static void limit_peer(int seconds)
{
	const struct itimerval timer = {.it_value.tv_sec = seconds,
					.it_interval.tv_sec = seconds ? 1 : 0};

	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

/* true: a connection may be there; false: time passed or a signal came. */
static bool wait_for_request(int epoll, int64_t ms, const sigset_t *open)
{
	struct epoll_event event;

	return epoll_pwait(epoll, &event, 1, ms < INT_MAX ? (int)ms : INT_MAX, open) > 0;
}

/* The listen socket is shared by all workers. Without EPOLLEXCLUSIVE each connection would wake
 * every idle one of them, and all but one in vain. */
static int watch(int listen_fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE};
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, listen_fd, &event) != 0) {
		(void)close(epoll);
		return -1;
	}
	return epoll;
}

static const char *param(void *ctx, const char *name)
{
	return FCGX_GetParam(name, ((FCGX_Request *)ctx)->envp);
}

static size_t read_body(void *ctx, char *bytes, size_t len)
{
	int n = FCGX_GetStr(bytes, (int)len, ((FCGX_Request *)ctx)->in);

	return n > 0 ? (size_t)n : 0;
}

static void send_response(FCGX_Request *fcgi, const struct request *request,
			  const struct response *response, const char *node)
{
	struct span id = span_str(request->id), body = response->body;
	struct buf head;

	if (request->method == METHOD_HEAD)
		body.len = 0;
	buf_init(&head, 16384);
	response_head(response, node, id, clock_wall_ms(), &head);
	if (buf_ok(&head) && records_send(fcgi->ipcFd, fcgi->requestId, buf_span(&head), body) != 0)
		log_event(LOG_LEVEL_INFO, "client_gone", LOG_STR("path", request->path));
	buf_free(&head);
}

/* Parameters that were cut are no request and get no answer: nginx has gone, or asks another
 * worker. */
static void handle(struct serve *serve, FCGX_Request *fcgi, const char *node)
{
	static struct request request;
	struct response response;
	enum request_result rc = request_parse(&request, param, read_body, fcgi);

	if (rc == REQUEST_CUT || FCGX_GetError(fcgi->in) != 0)
		return;
	log_request(span_str(request.id));
	if (rc == REQUEST_OK)
		serve_request(serve, &request, &response);
	else
		serve_refusal(serve, rc, &response);
	send_response(fcgi, &request, &response, node);
}

/* Closes the connection without FCGX_Finish_r, which would send an end of its own and then wait
 * until nginx has closed its side. That protects the tail of an answer on TCP; here it would only
 * keep this worker from the next request. */
static void finish(FCGX_Request *fcgi)
{
	FCGX_Detach(fcgi);
	FCGX_Free(fcgi, 1);
}

/* A full table of descriptors passes: somebody else's connections end. */
static bool accept_again(int rc)
{
	static const struct timespec pause = {.tv_nsec = 50000000};

	if (rc == -EMFILE || rc == -ENFILE) {
		log_event(LOG_LEVEL_ERROR, "accept_fail",
			  LOG_STR("err", "no file descriptor left"));
		(void)nanosleep(&pause, NULL);
		return true;
	}
	return rc == -EAGAIN || rc == -EINTR || rc == -ECONNABORTED;
}

static enum loop_result loop(struct serve *serve, FCGX_Request *fcgi, int epoll, const char *node,
			     const sigset_t *open)
{
	while (!told_to_stop(open)) {
		int rc;

		if (!wait_for_request(epoll, serve_tick_in(serve), open)) {
			if (!stop)
				serve_tick(serve);
			continue;
		}
		limit_peer(PEER_S);
		rc = FCGX_Accept_r(fcgi);
		if (rc == 0) {
			handle(serve, fcgi, node);
			/* Finished before the refresh: nobody waits for it. */
			finish(fcgi);
		}
		limit_peer(0);
		if (rc < 0 && accept_again(rc))
			continue;
		if (rc < 0) {
			log_event(LOG_LEVEL_ERROR, "accept_fail", LOG_INT("code", rc));
			return LOOP_BROKEN;
		}
		serve_after(serve);
		log_request((struct span){NULL, 0});
	}
	return LOOP_STOPPED;
}

enum loop_result loop_run(struct serve *serve, int listen_fd, const char *node)
{
	FCGX_Request fcgi;
	sigset_t open;
	enum loop_result result;
	int epoll;

	set_signals(&open);
	/* A bound on silent peers of libfcgi; read by FCGX_Init. */
	(void)setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", "200", 0);
	if (FCGX_Init() != 0 || FCGX_InitRequest(&fcgi, listen_fd, 0) != 0 ||
	    fcntl(listen_fd, F_SETFL, fcntl(listen_fd, F_GETFL) | O_NONBLOCK) != 0)
		return LOOP_BROKEN;
	epoll = watch(listen_fd);
	if (epoll < 0)
		return LOOP_BROKEN;
	/* Before the first request, so that at a cold start somebody fetches at once. */
	serve_tick(serve);
	result = loop(serve, &fcgi, epoll, node, &open);
	FCGX_Free(&fcgi, 1);
	(void)close(epoll);
	return result;
}
