/* SPDX-License-Identifier: MIT */
/* Each call is made by its own process, tft-fetch; we receive the body as it arrives. */
#include "config.h"
#include "refresh/upstream.h"

#include <assert.h>
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
#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"

#define POLL_MS 200
#define URL_MAX 2048 /* bytes */
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

static const struct {
	enum { DAEMON, GENERATOR, ALERTMANAGER } whose;
	const char *path;
	bool keyed, any_body;
} endpoints[UPSTREAM_ENDPOINTS] = {
	[UPSTREAM_PREDICTIONS] = {DAEMON, "/predictions/current", true, false},
	[UPSTREAM_STATUS] = {DAEMON, "/status", false, false},
	[UPSTREAM_SCENARIO] = {GENERATOR, "/scenario/status", false, false},
	[UPSTREAM_SCENARIO_SET] = {GENERATOR, "/scenario/set", false, false},
	[UPSTREAM_ALERTS] = {ALERTMANAGER, "/api/v2/alerts", false, true},
	[UPSTREAM_ALERTS_TOLD] = {ALERTMANAGER, "/api/v2/alerts", false, false},
	[UPSTREAM_SILENCES_TOLD] = {ALERTMANAGER, "/api/v2/silences", false, false},
	[UPSTREAM_ALERTMANAGER_STATUS] = {ALERTMANAGER, "/api/v2/status", false, false},
	[UPSTREAM_SILENCE_CREATE] = {ALERTMANAGER, "/api/v2/silences", false, true},
	[UPSTREAM_SILENCE] = {ALERTMANAGER, "/api/v2/silence/", false, true},
	[UPSTREAM_SILENCE_END] = {ALERTMANAGER, "/api/v2/silence/", false, true},
};

int upstream_keep(void *ctx, const char *bytes, size_t len)
{
	buf_add(ctx, bytes, len);
	return 0;
}

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
	static const struct timeval longest = {.tv_sec = LATE_MS / 1000};
	int ends[2], rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return errno;
	(void)setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof(longest));
	rc = spawn(program, ends[1], &e->pid);
	(void)close(ends[1]);
	if (rc == 0)
		e->fd = ends[0];
	else
		(void)close(ends[0]);
	return rc;
}

static struct span base_of(const struct upstream_config *config, const struct upstream_call *call)
{
	struct span rest = span_str(config->alertmanagers ? config->alertmanagers : "");

	if (endpoints[call->endpoint].whose == DAEMON)
		return span_str(config->daemon_url);
	if (endpoints[call->endpoint].whose == GENERATOR)
		return span_str(config->generator_url);
	for (size_t i = 0; i < call->member; i++)
		(void)text_cut(&rest, ',');
	return text_cut(&rest, ',');
}

/* Waits while the program, which reads all of it first, is starting. */
static bool send_text(int fd, struct span text)
{
	while (text.len) {
		ssize_t n = send(fd, text.ptr, text.len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			text = (struct span){text.ptr + n, text.len - (size_t)n};
	}
	return true;
}

static int send_order(const struct upstream *u, const struct fetch_job *e)
{
	const struct upstream_config *config = u->config;
	const struct upstream_call *call = e->call;
	bool alerts = endpoints[call->endpoint].whose == ALERTMANAGER;
	struct span base = base_of(config, call);
	char url[URL_MAX];
	int n = snprintf(url, sizeof(url), "%.*s%s%.*s", (int)base.len, base.ptr,
			 endpoints[call->endpoint].path, (int)call->rest.len, call->rest.ptr);
	const struct span texts[FETCH_TEXTS] = {
		{url, (size_t)n},
		span_str(endpoints[call->endpoint].keyed ? config->api_key : ""),
		span_str(alerts ? config->alert_auth : ""),
		span_str(alerts ? config->alert_ca_file : config->ca_file),
		call->body};
	struct fetch_order order = {.version = FETCH_VERSION,
				    .url_len = (uint32_t)texts[0].len,
				    .key_len = (uint32_t)texts[1].len,
				    .auth_len = (uint32_t)texts[2].len,
				    .ca_len = (uint32_t)texts[3].len,
				    .post_len = (uint32_t)texts[4].len,
				    .is_delete = call->endpoint == UPSTREAM_SILENCE_END,
				    .any_body = endpoints[call->endpoint].any_body,
				    .connect_ms = config->connect_ms,
				    .timeout_ms = config->timeout_ms[call->endpoint],
				    .max_body = config->max_body[call->endpoint]};

	if (n < 0 || (size_t)n >= sizeof(url) ||
	    !send_text(e->fd, (struct span){(const char *)&order, sizeof(order)}))
		return -1;
	for (size_t i = 0; i < FETCH_TEXTS; i++)
		if (!send_text(e->fd, texts[i]))
			return -1;
	return 0;
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
	struct pollfd p[UPSTREAM_CALLS_MAX];
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
	struct fetch_job jobs[UPSTREAM_CALLS_MAX];
	bool wanted = true;

	assert(count <= UPSTREAM_CALLS_MAX);
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
