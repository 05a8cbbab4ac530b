/* SPDX-License-Identifier: MIT */
/* Unix and TCP. */
#include "config.h"
#include "store/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

/* hiredis does not set close-on-exec; the programs we start must not inherit it. */
int transport_connected(struct link *link, redisContext *redis, struct err *err)
{
	link->redis = redis;
	if (redis && !redis->err && fcntl(redis->fd, F_SETFD, FD_CLOEXEC) == 0)
		return 0;
	err_set(err, "connect: %s",
		!redis       ? "out of memory"
		: redis->err ? redis->errstr
			     : strerror(errno));
	transport_close(link);
	return -1;
}

/* A unix socket connects at once, or its queue is full: neither case waits. */
static int connect_unix(struct link *link, const struct endpoint *to, struct err *err)
{
	return transport_connected(link, redisConnectUnixNonBlock(to->host), err);
}

/* Numeric addresses need no name server; names block, which is why the manual asks for an address.
 * */
int transport_connect_tcp(struct link *link, const struct endpoint *to, struct err *err)
{
	return transport_connected(link, redisConnectNonBlock(to->host, to->port), err);
}

int transport_check(const struct link *link, struct err *err)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(link->redis->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error == 0)
		return 0;
	err_set(err, "connect: %s", strerror(error));
	return -1;
}

/* From now on a read may wait, though not for long. */
static int be_patient(struct link *link, struct err *err)
{
	const struct timeval limit = {.tv_usec = TRANSPORT_PATIENCE_MS * 1000};
	int fd = link->redis->fd, flags = fcntl(fd, F_GETFL);

	if (transport_check(link, err) != 0)
		return -1;
	if (flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0)
		return 0;
	err_set(err, "fcntl: %s", strerror(errno));
	return -1;
}

static bool is_passing(int error)
{
	return error == EAGAIN || error == EINTR;
}

static ssize_t receive(struct link *link, char *to, size_t len, bool may_wait, struct err *err)
{
	ssize_t n = recv(link->redis->fd, to, len, may_wait ? 0 : MSG_DONTWAIT);

	if (n > 0)
		return n;
	if (n < 0 && is_passing(errno))
		return 0;
	err_set(err, "receive: %s", n == 0 ? "connection closed" : strerror(errno));
	return -1;
}

static ssize_t transmit(struct link *link, const char *from, size_t len, struct err *err)
{
	ssize_t n = send(link->redis->fd, from, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n >= 0)
		return n;
	if (is_passing(errno))
		return 0;
	err_set(err, "send: %s", strerror(errno));
	return -1;
}

int transport_wait(struct link *link, short events, int64_t ms, struct err *err)
{
	struct pollfd p = {.fd = link->redis->fd, .events = events};
	int n = poll(&p, 1, (int)ms);

	if (n >= 0 || errno == EINTR)
		return n != 0;
	err_set(err, "poll: %s", strerror(errno));
	return -1;
}

static bool is_quiet(struct link *link)
{
	struct pollfd p = {.fd = link->redis->fd, .events = POLLIN};

	return poll(&p, 1, 0) == 0;
}

void transport_close(struct link *link)
{
	if (link->redis)
		redisFree(link->redis);
	link->redis = NULL;
}

const struct transport transport_unix = {
	connect_unix, be_patient, receive, transmit, transport_wait, is_quiet, transport_close,
};
const struct transport transport_tcp = {
	transport_connect_tcp, be_patient, receive,         transmit,
	transport_wait,        is_quiet,   transport_close,
};
