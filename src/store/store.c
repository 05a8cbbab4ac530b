/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "store/store.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <hiredis/sds.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "store/reply_pool.h"
#include "scripts.h"
#include "store/sentinel.h"

#define COUNT_MAX   24 /* bytes of a length in RESP */
#define PATIENCE_MS 50 /* the kernel's limit for a wait in recv */
#define LATE_MS     10 /* for a reply when the deadline passed while nobody waited for it */

/*
 * A batch is formatted into `out`, sent, and its replies are read, all against one absolute
 * deadline. Sending and receiving go on side by side, as a server that stops reading until its own
 * answers are taken would otherwise stand still with us for ever.
 */
struct store {
	const struct store_address *address;
	struct sentinel sentinel; /* no name: the address is that of Redis itself */
	size_t turn;              /* which sentinel is asked */
	int fd;                   /* -1: not connected */
	redisReader *reader;
	struct reply_pool pool; /* holds the replies */
	struct buf out;
	redisReply *replies[STORE_BATCH_MAX];
	size_t commands, answered, received;
	bool late;          /* this batch has had its LATE_MS */
	size_t connections; /* opened so far */
	char sha[STORE_SCRIPTS][41];
	struct err err;
};

static const struct {
	const char *text;
	size_t len;
} scripts[STORE_SCRIPTS] = {
	[STORE_CLAIM] = {script_claim, sizeof(script_claim) - 1},
	[STORE_EXTEND] = {script_extend, sizeof(script_extend) - 1},
	[STORE_STAGE] = {script_stage, sizeof(script_stage) - 1},
	[STORE_COMMIT] = {script_commit, sizeof(script_commit) - 1},
	[STORE_FAIL] = {script_fail, sizeof(script_fail) - 1},
	[STORE_FLUSH] = {script_flush, sizeof(script_flush) - 1},
	[STORE_NOTE] = {script_note, sizeof(script_note) - 1},
	[STORE_COUNT] = {script_count, sizeof(script_count) - 1},
	[STORE_REOPEN] = {script_reopen, sizeof(script_reopen) - 1},
};

struct store *store_new(const struct store_address *address)
{
	struct store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->address = address;
	(void)sentinel_split(&store->sentinel, address->where);
	store->fd = -1;
	reply_pool_init(&store->pool, 2 * STORE_REPLY_BYTES);
	buf_init(&store->out, 256u * 1024 * 1024);
	return store;
}

static void drop_replies(struct store *store)
{
	reply_pool_reset(&store->pool);
	store->answered = store->commands = store->received = 0;
	buf_reset(&store->out);
}

void store_close(struct store *store)
{
	if (store->fd >= 0)
		close(store->fd);
	store->fd = -1;
	if (store->reader)
		redisReaderFree(store->reader);
	store->reader = NULL;
}

void store_free(struct store **store)
{
	if (!*store)
		return;
	drop_replies(*store);
	store_close(*store);
	reply_pool_free(&(*store)->pool);
	buf_free(&(*store)->out);
	free(*store);
	*store = NULL;
}

size_t store_connections(const struct store *store)
{
	return store->connections;
}

const char *store_error(const struct store *store)
{
	return store->err.msg;
}

/* What may still be waited for, in ms. A machine that stood still for longer than the deadline, or
 * a worker that got its turn late, must not hold that against Redis: once it waits all the same. */
static int64_t time_left(struct store *store, int64_t deadline_ms)
{
	int64_t left = deadline_ms - clock_mono_ms();

	if (left > 0)
		return left;
	if (store->late)
		return 0;
	store->late = true;
	return LATE_MS;
}

/* 0 when the events came, else -1 with the reason noted. */
static int wait_for(struct store *store, short events, int64_t deadline_ms)
{
	struct pollfd p = {.fd = store->fd, .events = events};
	int64_t left = time_left(store, deadline_ms);
	int n = left > 0 ? poll(&p, 1, (int)left) : 0;

	if (n > 0)
		return 0;
	if (n < 0 && errno == EINTR)
		return wait_for(store, events, deadline_ms);
	err_set(&store->err, "%s", n == 0 ? "deadline passed" : strerror(errno));
	return -1;
}

static int open_unix(const char *path, struct sockaddr_un *addr)
{
	addr->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(addr->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(addr->sun_path, path, strlen(path) + 1);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int connect_unix(const char *path)
{
	struct sockaddr_un addr = {0};
	int fd = open_unix(path, &addr);

	/* On a unix socket connect either succeeds at once or the backlog is full (EAGAIN): no
	 * waiting in either case. */
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Numeric addresses resolve without a name server; names block in getaddrinfo, which is why the
 * manual asks for an address. */
static int connect_tcp(const char *where)
{
	const char *colon = strrchr(where, ':');
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	char host[256];
	int fd = -1, one = 1;

	if (!colon || (size_t)(colon - where) >= sizeof(host)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(host, where, (size_t)(colon - where));
	host[colon - where] = '\0';
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0) {
		errno = EHOSTUNREACH;
		return -1;
	}
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0 &&
	    errno != EINPROGRESS) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	if (fd >= 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static int connect_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 ? errno : error;
}

/* From now on recv may wait, though not for long. */
static int be_patient(int fd)
{
	const struct timeval limit = {.tv_usec = PATIENCE_MS * 1000};
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0
		       ? -1
		       : setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

/* What connecting may take of the time that is left. */
static int64_t connect_by(const struct store *store, int64_t deadline_ms)
{
	int64_t by = clock_mono_ms() + store->address->connect_ms;

	return by < deadline_ms ? by : deadline_ms;
}

static enum store_result connect_to(struct store *store, const char *where, int64_t deadline_ms)
{
	int error;

	store->fd = strncmp(where, "unix:", 5) == 0 ? connect_unix(where + 5) : connect_tcp(where);
	if (store->fd < 0) {
		err_set(&store->err, "connect: %s", strerror(errno));
		return STORE_DOWN;
	}
	if (wait_for(store, POLLOUT, deadline_ms) != 0)
		return STORE_DOWN;
	error = connect_error(store->fd);
	if (error) {
		err_set(&store->err, "connect: %s", strerror(error));
		return STORE_DOWN;
	}
	if (be_patient(store->fd) != 0) {
		err_set(&store->err, "fcntl: %s", strerror(errno));
		return STORE_DOWN;
	}
	store->reader = reply_pool_reader(&store->pool);
	if (!store->reader) {
		err_set(&store->err, "out of memory");
		return STORE_DOWN;
	}
	store->reader->maxbuf = 0; /* see make_room */
	return STORE_OK;
}

/* "$12\r\n" and the like; at most COUNT_MAX bytes. */
static char *put_count(char *at, char kind, size_t n)
{
	char digits[COUNT_MAX], *p = digits + sizeof(digits);
	size_t len;

	*--p = '\n';
	*--p = '\r';
	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	*--p = kind;
	len = (size_t)(digits + sizeof(digits) - p);
	memcpy(at, p, len);
	return at + len;
}

static void add_arg(struct buf *out, struct span arg)
{
	char *from = buf_reserve(out, arg.len + COUNT_MAX + 2), *at;

	if (!from)
		return;
	at = put_count(from, '$', arg.len);
	if (arg.len)
		memcpy(at, arg.ptr, arg.len);
	at += arg.len;
	*at++ = '\r';
	*at++ = '\n';
	buf_grew(out, (size_t)(at - from));
}

static void format_args(struct store *store, size_t argc, const struct span *argv)
{
	for (size_t i = 0; i < argc; i++)
		add_arg(&store->out, argv[i]);
}

/* Opens a command of argc arguments; past the limit of a batch nothing is written and the run
 * refuses. */
static void begin_command(struct store *store, size_t argc)
{
	char *at;

	if (store->answered)
		drop_replies(store);
	if (store->commands++ >= STORE_BATCH_MAX)
		return;
	at = buf_reserve(&store->out, COUNT_MAX);
	if (at)
		buf_grew(&store->out, (size_t)(put_count(at, '*', argc) - at));
}

void store_argv(struct store *store, size_t argc, const struct span *argv)
{
	begin_command(store, argc);
	format_args(store, argc, argv);
}

/* Sends what the socket takes now. */
static enum store_result send_some(struct store *store, size_t *sent)
{
	ssize_t n = send(store->fd, store->out.data + *sent, store->out.len - *sent,
			 MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n >= 0) {
		*sent += (size_t)n;
		return STORE_OK;
	}
	if (errno == EAGAIN || errno == EINTR)
		return STORE_OK;
	err_set(&store->err, "send: %s", strerror(errno));
	return STORE_DOWN;
}

/* A value too large to be one of ours is not even received: of one that has just begun the reader
 * has taken the type and looks at the length. */
static bool is_too_large(const redisReader *reader)
{
	return reader->ridx >= 0 && reader->rstack[reader->ridx].type == REDIS_REPLY_STRING &&
	       reader->pos < reader->len &&
	       strtol(reader->buf + reader->pos, NULL, 10) > (long)STORE_REPLY_BYTES;
}

/* Takes the replies that are complete in the reader. */
static enum store_result take_replies(struct store *store)
{
	void *reply = NULL;

	while (store->answered < store->commands) {
		if (redisReaderGetReply(store->reader, &reply) != REDIS_OK) {
			err_set(&store->err, "protocol: %s", store->reader->errstr);
			return STORE_DOWN;
		}
		if (!reply)
			return is_too_large(store->reader) ? STORE_TOO_LARGE : STORE_OK;
		store->replies[store->answered++] = reply;
	}
	return STORE_OK;
}

/* Room for n more bytes in the reader, of which it keeps little while it is empty. redisReaderFeed
 * of 0.14 sees to both as well, but ends the process when memory does. */
static bool make_room(redisReader *reader, size_t n)
{
	sds room;

	if (reader->len == 0 && sdsavail(reader->buf) > REDIS_READER_MAX_BUF) {
		room = sdsempty();
		if (!room)
			return false;
		sdsfree(reader->buf);
		reader->buf = room;
		reader->pos = 0;
	}
	room = sdsMakeRoomFor(reader->buf, n);
	if (room)
		reader->buf = room;
	return room;
}

static enum store_result receive_some(struct store *store, int flags)
{
	char bytes[64 * 1024];
	ssize_t n = recv(store->fd, bytes, sizeof(bytes), flags);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return STORE_OK;
	if (n <= 0) {
		err_set(&store->err, "receive: %s", n == 0 ? "connection closed" : strerror(errno));
		return STORE_DOWN;
	}
	store->received += (size_t)n;
	if (store->received > STORE_REPLY_BYTES)
		return STORE_TOO_LARGE;
	if (!make_room(store->reader, (size_t)n) ||
	    redisReaderFeed(store->reader, bytes, (size_t)n) != REDIS_OK) {
		err_set(&store->err, "out of memory");
		return STORE_DOWN;
	}
	return take_replies(store);
}

/* The replies nearly always come at once and together: the first look waits for them in recv
 * itself, which is a system call less. */
static bool may_wait(const struct store *store, size_t sent, int64_t deadline_ms)
{
	return sent == store->out.len && !store->received &&
	       deadline_ms - clock_mono_ms() > PATIENCE_MS;
}

static enum store_result exchange(struct store *store, int64_t deadline_ms)
{
	size_t sent = 0;
	bool waited = false;
	enum store_result rc = STORE_OK;

	while (rc == STORE_OK && store->answered < store->commands) {
		/* The socket is nearly always writable at first: one system call saved for each
		 * batch. */
		if (sent < store->out.len) {
			rc = send_some(store, &sent);
			if (rc != STORE_OK)
				break;
		}
		if (!waited && may_wait(store, sent, deadline_ms)) {
			waited = true;
			rc = receive_some(store, 0);
			continue;
		}
		if (wait_for(store, sent < store->out.len ? POLLIN | POLLOUT : POLLIN,
			     deadline_ms) != 0)
			return STORE_DOWN;
		rc = receive_some(store, MSG_DONTWAIT);
	}
	return rc;
}

/* The reply to one command of our own; NULL, with the reason noted, when it is an error. Ends the
 * life of the reply before it. */
static const redisReply *ask(struct store *store, size_t argc, const struct span *argv,
			     int64_t deadline_ms)
{
	enum store_result rc;

	store_argv(store, argc, argv);
	rc = exchange(store, deadline_ms);
	if (rc == STORE_OK && store->replies[0]->type != REDIS_REPLY_ERROR)
		return store->replies[0];
	/* The server's words name the user at most; the password is in none of them. */
	if (rc == STORE_OK)
		err_set(&store->err, "%s", store->replies[0]->str);
	else if (rc == STORE_TOO_LARGE)
		err_set(&store->err, "reply too large");
	return NULL;
}

static enum store_result open_redis(struct store *store, const char *where, int64_t deadline_ms)
{
	const struct store_address *a = store->address;
	const struct span auth[] = {SPAN("AUTH"), span_str(a->user), span_str(a->password)};
	const struct span old_auth[] = {SPAN("AUTH"), span_str(a->password)};
	const redisReply *reply;

	if (connect_to(store, where, connect_by(store, deadline_ms)) != STORE_OK)
		return STORE_DOWN;
	if (!*a->password)
		return STORE_OK;
	reply = *a->user ? ask(store, 3, auth, deadline_ms) : ask(store, 2, old_auth, deadline_ms);
	return reply ? STORE_OK : STORE_DOWN;
}

/* Whom the sentinel names; it has the time of one attempt to connect for its answer as well, so
 * that a hung one leaves the primary its own. */
static enum store_result find_primary(struct store *store, const char *sentinel,
				      char primary[SENTINEL_HOST_MAX], int64_t deadline_ms)
{
	const struct span question[] = {SPAN("SENTINEL"), SPAN("GET-MASTER-ADDR-BY-NAME"),
					store->sentinel.name};
	const redisReply *reply = NULL;
	enum store_result rc = STORE_DOWN;

	if (connect_to(store, sentinel, deadline_ms) == STORE_OK)
		reply = ask(store, 3, question, deadline_ms);
	if (reply && sentinel_primary(reply, primary))
		rc = STORE_OK;
	else if (reply)
		err_set(&store->err, "knows of no such primary");
	store_close(store);
	return rc;
}

/* A sentinel may be behind, and a replica answers reads like a primary. */
static enum store_result check_role(struct store *store, int64_t deadline_ms)
{
	const struct span question[] = {SPAN("ROLE")};
	const redisReply *reply = ask(store, 1, question, deadline_ms);

	if (reply && sentinel_is_primary(reply))
		return STORE_OK;
	if (reply)
		err_set(&store->err, "not a primary");
	return STORE_DOWN;
}

static enum store_result open_by_sentinel(struct store *store, int64_t deadline_ms)
{
	char sentinel[SENTINEL_HOST_MAX] = "", primary[SENTINEL_HOST_MAX] = "";
	struct err why;

	if (!sentinel_host(&store->sentinel, store->turn, sentinel)) {
		store->turn = 0;
		(void)sentinel_host(&store->sentinel, 0, sentinel);
	}
	if (find_primary(store, sentinel, primary, connect_by(store, deadline_ms)) == STORE_OK &&
	    open_redis(store, primary, deadline_ms) == STORE_OK &&
	    check_role(store, deadline_ms) == STORE_OK)
		return STORE_OK;
	/* Dead, cut off or behind: another one may know more. One at a time, as each may take
	 * its whole time-out. */
	store->turn++;
	why = store->err;
	err_set(&store->err, "sentinel %s%s%s: %s", sentinel, *primary ? " names " : "", primary,
		why.msg);
	return STORE_DOWN;
}

/* Opening takes commands of our own; the caller's batch is kept aside meanwhile. */
static enum store_result open_connection(struct store *store, int64_t deadline_ms)
{
	struct buf batch = store->out;
	size_t commands = store->commands;
	enum store_result rc;

	buf_init(&store->out, 4096);
	store->commands = 0;
	rc = store->sentinel.name.len ? open_by_sentinel(store, deadline_ms)
				      : open_redis(store, store->address->where, deadline_ms);
	drop_replies(store);
	buf_free(&store->out);
	store->out = batch;
	store->commands = commands;
	return rc;
}

/* Between batches a sound server says nothing. Anything to read is the end of the connection (a
 * restart, a time-out, a CLIENT KILL), which then costs no request, or bytes that would be taken
 * for the next answer. */
static bool is_spoilt(const struct store *store)
{
	struct pollfd p = {.fd = store->fd, .events = POLLIN};

	return store->reader->pos < store->reader->len || poll(&p, 1, 0) != 0;
}

static enum store_result run(struct store *store, int64_t ms)
{
	int64_t deadline = clock_mono_ms() + ms;

	store->late = false;
	if (!buf_ok(&store->out) || store->commands > STORE_BATCH_MAX) {
		err_set(&store->err, "batch too large");
		return STORE_DOWN;
	}
	if (store->fd >= 0 && is_spoilt(store))
		store_close(store);
	if (store->fd < 0) {
		if (open_connection(store, deadline) != STORE_OK)
			return STORE_DOWN;
		store->connections++;
	}
	return exchange(store, deadline);
}

static bool is_deposed(const struct store *store)
{
	for (size_t i = 0; i < store->answered; i++)
		if (sentinel_is_deposed(store->replies[i]))
			return true;
	return false;
}

enum store_result store_run(struct store *store, int64_t ms)
{
	enum store_result rc = run(store, ms);

	if (rc == STORE_DOWN)
		drop_replies(store);
	if (rc != STORE_OK || is_deposed(store))
		store_close(store);
	return rc;
}

const redisReply *store_reply(const struct store *store, size_t i)
{
	static const redisReply none = {.type = REDIS_REPLY_NIL};

	return i < store->answered ? store->replies[i] : &none;
}

static enum store_result load(struct store *store, enum store_script script, int64_t ms)
{
	const redisReply *reply;
	enum store_result rc;

	store_cmd(store, SPAN("SCRIPT"), SPAN("LOAD"),
		  (struct span){scripts[script].text, scripts[script].len});
	rc = store_run(store, ms);
	reply = store_reply(store, 0);
	if (rc == STORE_OK && reply->type == REDIS_REPLY_STRING && reply->len == 40)
		memcpy(store->sha[script], reply->str, 41);
	return rc;
}

static enum store_result eval_once(struct store *store, enum store_script script, size_t keys,
				   size_t argc, const struct span *argv, int64_t ms)
{
	char count[24];

	(void)snprintf(count, sizeof(count), "%zu", keys);
	begin_command(store, argc + 3);
	format_args(store, 3,
		    (struct span[]){SPAN("EVALSHA"), {store->sha[script], 40}, span_str(count)});
	format_args(store, argc, argv);
	return store_run(store, ms);
}

static bool is_noscript(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOSCRIPT", 8) == 0;
}

enum store_result store_eval(struct store *store, enum store_script script, size_t keys,
			     size_t argc, const struct span *argv, int64_t ms)
{
	enum store_result rc = STORE_OK;

	if (!*store->sha[script])
		rc = load(store, script, ms);
	if (rc == STORE_OK)
		rc = eval_once(store, script, keys, argc, argv, ms);
	/* SCRIPT FLUSH, or a restarted server: load and try once more, never twice. */
	if (rc == STORE_OK && is_noscript(store_reply(store, 0)))
		rc = load(store, script, ms);
	else
		return rc;
	if (rc == STORE_OK)
		rc = eval_once(store, script, keys, argc, argv, ms);
	return rc;
}
