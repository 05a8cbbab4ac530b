/* SPDX-License-Identifier: MIT */
/* Each call is made by its own process, tft-fetch; we receive the body as it arrives. */
#include "config.h"
#include "refresh/upstream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "refresh/fetch.h"
#include "base/log.h"

#define POLL_MS 200
/* tft-fetch keeps the time limits itself. One that hangs gets this much longer. */
#define LATE_MS 1000

extern char **environ;

struct upstream {
	const struct upstream_config *config;
	char bytes[64 * 1024]; /* what was read last */
};

/* One call under way. */
struct fetch_job {
	struct upstream_call *call;
	pid_t pid;
	int fd; /* -1: it has ended */
	int64_t started_ms, until_ms;
	fetch_length piece; /* bytes of it that are still to come */
	bool last;          /* the outcome follows */
	bool done;          /* and has come: the program is about to end */
	char record[sizeof(struct fetch_outcome)];
	size_t have; /* bytes of a length, or of the outcome */
};

static const char *const paths[UPSTREAM_ENDPOINTS] = {
	[UPSTREAM_PREDICTIONS] = "/predictions/current",
	[UPSTREAM_STATUS] = "/status",
	[UPSTREAM_SCENARIO] = "/scenario/status",
	[UPSTREAM_SCENARIO_SET] = "/scenario/set",
};

struct upstream *upstream_new(const struct upstream_config *config)
{
	struct upstream *u = calloc(1, sizeof(*u));

	if (u)
		u->config = config;
	return u;
}

void upstream_free(struct upstream **upstream)
{
	free(*upstream);
	*upstream = NULL;
}

/* TERM, HUP and INT stay blocked in it, SIGPIPE stays ignored: stopping the whole process group
 * lets a running refresh finish first. It ends when our end of the socket closes. */
static int spawn(const char *program, int fd, pid_t *pid)
{
	char *const argv[] = {(char *)(uintptr_t) "tft-fetch", NULL};
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc != 0)
		return rc;
	rc = posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
	if (rc == 0)
		rc = posix_spawn(pid, program, &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* The program at the other end of e->fd. */
static int start(const char *program, struct fetch_job *e)
{
	int ends[2], rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return errno;
	rc = spawn(program, ends[1], &e->pid);
	(void)close(ends[1]);
	if (rc == 0)
		e->fd = ends[0];
	else
		(void)close(ends[0]);
	return rc;
}

/* A new socket's buffer holds all of it at once. */
static int send_order(const struct upstream *u, const struct fetch_job *e)
{
	const struct upstream_config *config = u->config;
	const struct upstream_call *call = e->call;
	bool generator =
		call->endpoint == UPSTREAM_SCENARIO || call->endpoint == UPSTREAM_SCENARIO_SET;
	const char *key = call->endpoint == UPSTREAM_PREDICTIONS ? config->api_key : "";
	struct fetch_order order = {.version = FETCH_VERSION,
				    .key_len = (uint32_t)strlen(key),
				    .post_len = (uint32_t)call->body.len,
				    .ca_len = (uint32_t)strlen(config->ca_file),
				    .connect_ms = config->connect_ms,
				    .timeout_ms = config->timeout_ms[call->endpoint],
				    .max_body = config->max_body[call->endpoint]};
	size_t size = 0;
	char url[600];
	struct iovec pieces[] = {{&order, sizeof(order)},
				 {url, 0},
				 {(void *)(uintptr_t)key, order.key_len},
				 {(void *)(uintptr_t)call->body.ptr, call->body.len},
				 {(void *)(uintptr_t)config->ca_file, order.ca_len}};
	struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 1 + FETCH_TEXTS};
	int n = snprintf(url, sizeof(url), "%s%s",
			 generator ? config->generator_url : config->daemon_url,
			 paths[call->endpoint]);

	if (n < 0 || (size_t)n >= sizeof(url))
		return -1;
	order.url_len = (uint32_t)n;
	pieces[1].iov_len = (size_t)n;
	for (size_t i = 0; i < message.msg_iovlen; i++)
		size += pieces[i].iov_len;
	return sendmsg(e->fd, &message, MSG_NOSIGNAL) == (ssize_t)size ? 0 : -1;
}

static void end(struct fetch_job *e, enum reason reason)
{
	int status;

	if (e->fd < 0)
		return;
	(void)close(e->fd);
	e->fd = -1;
	e->call->reason = reason;
	e->call->took_ms = clock_mono_ms() - e->started_ms;
	/* It has nothing to lose and may not be reading its socket, so it is killed. */
	if (!e->done)
		(void)kill(e->pid, SIGKILL);
	while (waitpid(e->pid, &status, 0) < 0 && errno == EINTR)
		;
}

static void begin(const struct upstream *u, struct fetch_job *e, struct upstream_call *call)
{
	int rc;

	*e = (struct fetch_job){.call = call, .fd = -1, .started_ms = clock_mono_ms()};
	e->until_ms = e->started_ms + u->config->timeout_ms[call->endpoint] + LATE_MS;
	call->reason = REASON_INTERNAL;
	call->status = 0;
	call->bytes = call->retry_after_ms = call->took_ms = 0;
	rc = start(u->config->fetcher, e);
	if (rc != 0)
		log_event(LOG_LEVEL_ERROR, "fetch_failed", LOG_STR("err", strerror(rc)));
	else if (send_order(u, e) != 0)
		end(e, REASON_INTERNAL);
}

/* The first `len` bytes of *bytes, or all, are taken from it. */
static struct span take(struct span *bytes, size_t len)
{
	struct span taken = {bytes->ptr, len < bytes->len ? len : bytes->len};

	bytes->ptr += taken.len;
	bytes->len -= taken.len;
	return taken;
}

/* Whether a record of this size is whole now; it lies in e->record until the next one. */
static bool gather(struct fetch_job *e, size_t size, struct span *bytes)
{
	struct span more = take(bytes, size - e->have);

	memcpy(e->record + e->have, more.ptr, more.len);
	e->have += more.len;
	if (e->have < size)
		return false;
	e->have = 0;
	return true;
}

static void take_piece(struct fetch_job *e, struct span *bytes)
{
	struct span part = take(bytes, e->piece);
	struct upstream_call *call = e->call;

	e->piece -= (fetch_length)part.len;
	call->bytes += (int64_t)part.len;
	if (call->sink && call->sink(call->ctx, part.ptr, part.len) != 0) {
		call->status = 200;
		end(e, REASON_NONE);
	}
}

static void take_outcome(struct fetch_job *e)
{
	struct fetch_outcome outcome;

	memcpy(&outcome, e->record, sizeof(outcome));
	e->done = true;
	e->call->status = (long)outcome.status;
	e->call->retry_after_ms = outcome.retry_after_ms;
	e->call->bytes = outcome.bytes;
	end(e, outcome.reason >= 0 && outcome.reason < REASON_COUNT ? (enum reason)outcome.reason
								    : REASON_INTERNAL);
}

static void take_bytes(struct fetch_job *e, struct span bytes)
{
	while (bytes.len && e->fd >= 0) {
		if (e->piece) {
			take_piece(e, &bytes);
		} else if (e->last) {
			if (gather(e, sizeof(struct fetch_outcome), &bytes))
				take_outcome(e);
		} else if (gather(e, sizeof(e->piece), &bytes)) {
			memcpy(&e->piece, e->record, sizeof(e->piece));
			e->last = e->piece == 0;
		}
	}
}

/* The result of this call. A program that ended without an outcome was killed or could not start.
 * */
static void read_job(struct upstream *u, struct fetch_job *e)
{
	ssize_t n = recv(e->fd, u->bytes, sizeof(u->bytes), MSG_DONTWAIT);

	if (n > 0)
		take_bytes(e, (struct span){u->bytes, (size_t)n});
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		end(e, REASON_INTERNAL);
	else if (clock_mono_ms() >= e->until_ms)
		end(e, REASON_TIMEOUT);
}

/* Returns how many calls are still under way. */
static size_t wait_for(const struct fetch_job *jobs, size_t count)
{
	struct pollfd p[UPSTREAM_ENDPOINTS];
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (jobs[i].fd >= 0)
			p[n++] = (struct pollfd){.fd = jobs[i].fd, .events = POLLIN};
	if (n)
		(void)poll(p, n, POLL_MS);
	return n;
}

void upstream_run(struct upstream *u, struct upstream_call *calls, size_t count,
		  upstream_progress progress, void *ctx)
{
	struct fetch_job jobs[UPSTREAM_ENDPOINTS];
	bool wanted = true;

	for (size_t i = 0; i < count; i++)
		begin(u, &jobs[i], &calls[i]);
	while (wanted && wait_for(jobs, count) > 0) {
		for (size_t i = 0; i < count; i++)
			if (jobs[i].fd >= 0)
				read_job(u, &jobs[i]);
		wanted = !progress || progress(ctx);
	}
	for (size_t i = 0; i < count; i++)
		end(&jobs[i], REASON_INCOMPLETE);
}
