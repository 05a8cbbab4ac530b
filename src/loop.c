/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "loop.h"

#include <errno.h>
#include <fcgiapp.h>
#include <signal.h>
#include <string.h>

#include "clock.h"
#include "conns.h"
#include "log.h"
#include "records.h"

/* A busy worker looks so often whether it is to stop. */
#define LOOK_MS 100

/*
 * Signals are blocked everywhere but inside epoll_pwait: libfcgi takes EINTR for the end of a
 * connection, which would cut answers and parameters, and a TERM in its own polls makes it spin for
 * ever (reliability 8). The one exception makes use of that: conns.c.
 */
static volatile sig_atomic_t stop;

static void on_stop(int sig)
{
	(void)sig;
	stop = 1;
}

static const int stop_signals[] = {SIGTERM, SIGINT, SIGHUP};

/* Leaves the mask to be used while waiting in *open. */
static void set_signals(sigset_t *open)
{
	struct sigaction handler = {.sa_handler = on_stop}, ignore = {.sa_handler = SIG_IGN};
	sigset_t blocked;

	(void)sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(stop_signals) / sizeof(stop_signals[0]); i++) {
		(void)sigaddset(&blocked, stop_signals[i]);
		(void)sigaction(stop_signals[i], &handler, NULL);
	}
	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)sigaction(SIGUSR1, &ignore, NULL);
	(void)sigprocmask(SIG_BLOCK, &blocked, open);
	for (size_t i = 0; i < sizeof(stop_signals) / sizeof(stop_signals[0]); i++)
		(void)sigdelset(open, stop_signals[i]);
	(void)sigaddset(open, SIGALRM);
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

static const char *param(void *ctx, const char *name)
{
	return FCGX_GetParam(name, ((FCGX_Request *)ctx)->envp);
}

static size_t read_body(void *ctx, char *bytes, size_t len)
{
	int n = FCGX_GetStr(bytes, (int)len, ((FCGX_Request *)ctx)->in);

	return n > 0 ? (size_t)n : 0;
}

static bool send_response(FCGX_Request *fcgi, const struct request *request,
			  const struct response *response, const char *node)
{
	struct span id = span_str(request->id), body = response->body;
	struct buf head;
	bool sent;

	if (request->method == METHOD_HEAD)
		body.len = 0;
	buf_init(&head, 16384);
	response_head(response, node, id, clock_wall_ms(), &head);
	sent = buf_ok(&head) &&
	       records_send(fcgi->ipcFd, fcgi->requestId, buf_span(&head), body) == 0;
	if (buf_ok(&head) && !sent)
		log_event(LOG_LEVEL_INFO, "client_gone", LOG_STR("path", request->path));
	buf_free(&head);
	return sent;
}

/* Whether the whole request was read and the whole answer sent. Parameters that were cut are no
 * request and get none: nginx has gone, or asks another worker. */
static bool answer(struct serve *serve, struct conns *conns, FCGX_Request *fcgi, const char *node)
{
	static struct request request;
	struct response response;
	enum request_result rc = request_parse(&request, param, read_body, fcgi);
	bool is_read = conns_is_read(fcgi);

	if (rc == REQUEST_CUT || FCGX_GetError(fcgi->in) != 0)
		return false;
	log_request(span_str(request.id));
	/* An action may ask the upstream before it is answered. */
	if (request.method == METHOD_POST)
		conns_drop(conns);
	if (rc == REQUEST_OK)
		serve_request(serve, &request, &response);
	else
		serve_refusal(serve, rc, &response);
	return send_response(fcgi, &request, &response, node) && is_read;
}

/* What is to be fetched now takes as long as the upstream does. */
static void fetch(struct serve *serve, struct conns *conns)
{
	if (serve_due(serve))
		conns_drop(conns);
	serve_after(serve);
	log_request((struct span){NULL, 0});
}

static enum loop_result loop(struct serve *serve, struct conns *conns, const char *node,
			     const sigset_t *open)
{
	while (!told_to_stop(open)) {
		FCGX_Request *fcgi;
		enum conns_event event = conns_next(conns, serve_tick_in(serve), open, &fcgi);

		if (event == CONNS_BROKEN) {
			log_event(LOG_LEVEL_ERROR, "accept_fail", LOG_STR("err", strerror(errno)));
			return LOOP_BROKEN;
		}
		/* Finished before the refresh: nobody waits for it. */
		if (event == CONNS_REQUEST)
			conns_done(conns, fcgi, answer(serve, conns, fcgi, node));
		else if (event == CONNS_QUIET && !stop)
			serve_tick(serve);
		fetch(serve, conns);
	}
	return LOOP_STOPPED;
}

enum loop_result loop_run(struct serve *serve, int listen_fd, const char *node)
{
	struct conns *conns;
	sigset_t open;
	enum loop_result result;

	set_signals(&open);
	conns = FCGX_Init() == 0 ? conns_new(listen_fd) : NULL;
	if (!conns)
		return LOOP_BROKEN;
	/* Before the first request, so that at a cold start somebody fetches at once. */
	serve_tick(serve);
	fetch(serve, conns);
	result = loop(serve, conns, node, &open);
	conns_free(&conns);
	return result;
}
