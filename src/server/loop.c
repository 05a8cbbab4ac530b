/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "server/loop.h"

#include <assert.h>
#include <errno.h>
#include <fcgiapp.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "server/conns.h"
#include "base/log.h"
#include "server/records.h"

/* How often a busy worker checks for a signal to stop. */
#define POLL_MS 100

/*
 * Signals are blocked everywhere except inside epoll_pwait: libfcgi takes EINTR for the end of a
 * connection, which would cut answers and parameters, and a TERM during its own polls makes it spin
 * for ever (doc/pitfalls.md#libfcgi). The timer in conns.c is the one exception and relies on this.
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

/* epoll_pwait does not deliver signals while connections are ready: a busy worker would never
 * notice that it should stop. */
static bool told_to_stop(const sigset_t *open)
{
	static int64_t polled_ms;
	int64_t now = clock_mono_ms();
	sigset_t blocked;

	if (now - polled_ms < POLL_MS)
		return stop;
	polled_ms = now;
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

/* A request that has come, read to its end. */
struct request_slot {
	FCGX_Request *fcgi;
	struct request request;
	enum request_result result;
	bool is_read;
};

static void take(struct request_slot *v, FCGX_Request *fcgi)
{
	v->fcgi = fcgi;
	v->result = request_parse(&v->request, param, read_body, fcgi);
	v->is_read = conns_is_read(fcgi);
	/* Truncated parameters get no answer: nginx has gone, or asks another worker. */
	if (FCGX_GetError(fcgi->in) != 0)
		v->result = REQUEST_CUT;
}

static_assert(CONNS_TOGETHER <= CACHE_LOOKUPS_MAX, "one round trip for all of them");

static void prefetch(struct serve *serve, const struct request_slot *slots, size_t count)
{
	const struct request *requests[CONNS_TOGETHER];
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (slots[i].result == REQUEST_OK)
			requests[n++] = &slots[i].request;
	serve_prefetch(serve, requests, n);
}

/* Whether the whole request was read and the whole answer sent. */
static bool answer(struct serve *serve, const struct request_slot *v, const char *node)
{
	struct response response;

	if (v->result == REQUEST_CUT)
		return false;
	log_request(span_str(v->request.id));
	if (v->result == REQUEST_OK)
		serve_request(serve, &v->request, &response);
	else
		serve_refusal(serve, &v->request, v->result, &response);
	return send_response(v->fcgi, &v->request, &response, node) && v->is_read;
}

/* Requests are finished before a refresh begins, so nobody waits for it. Actions come last, since
 * they may call the upstream before they are answered. */
static void answer_all(struct serve *serve, struct conns *conns, FCGX_Request **requests,
		       size_t count, const char *node)
{
	static struct request_slot slots[CONNS_TOGETHER];
	size_t posts = 0;

	for (size_t i = 0; i < count; i++)
		take(&slots[i], requests[i]);
	if (count > 1)
		prefetch(serve, slots, count);
	for (size_t i = 0; i < count; i++) {
		struct request_slot *v = &slots[i];

		if (v->request.method == METHOD_POST)
			slots[posts++] = *v;
		else
			conns_done(conns, v->fcgi, answer(serve, v, node));
	}
	if (posts)
		conns_drop(conns);
	for (size_t i = 0; i < posts; i++)
		conns_done(conns, slots[i].fcgi, answer(serve, &slots[i], node));
}

/* The fetch that follows takes as long as the upstream does. */
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
		FCGX_Request *requests[CONNS_TOGETHER];
		size_t count;
		enum conns_event event =
			conns_next(conns, serve_next_tick_ms(serve), open, requests, &count);

		if (event == CONNS_BROKEN) {
			log_event(LOG_LEVEL_ERROR, "accept_fail", LOG_STR("err", strerror(errno)));
			return LOOP_BROKEN;
		}
		if (event == CONNS_REQUEST)
			answer_all(serve, conns, requests, count, node);
		else
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
	/* Before the first request, so that a cold start fetches at once. */
	serve_tick(serve);
	fetch(serve, conns);
	result = loop(serve, conns, node, &open);
	conns_free(&conns);
	return result;
}
