/* SPDX-License-Identifier: MIT */
/*
 * A connection is in one of three states, and only this file moves it:
 *
 *	CLOSED   there is none
 *	QUIET    the server owes nothing, and nothing that it sent is left over
 *	ASKING   a batch has been sent; one reply is due for each unanswered command
 *
 *	CLOSED -> QUIET   open_link: connected and authenticated, with or without a sentinel
 *	QUIET -> ASKING   exchange
 *	ASKING -> QUIET   exchange: the last reply has been read in full
 *	any -> CLOSED     close_link: whatever else happens to a connection, be it the deadline, a
 *	                  reply too large to be taken, or a byte that nobody has asked for
 *
 * So replies are read only in ASKING, and the next one always belongs to the first unanswered
 * command: no reply can be taken for that of another command, however late or strange.
 *
 * A batch ends with its run, whatever the result; the first command after that begins another. A
 * reply that is too large ends the connection, since what follows it could only be reached by
 * receiving it. The commands behind it are sent again on a new connection: they cost one round trip
 * more, and the giant harms no other reply. Each connection settles at least one command, and one
 * deadline covers the whole run.
 *
 * Sending and receiving are interleaved: a server may stop reading until its answers are taken, and
 * both sides would then wait for ever.
 */
#include "config.h"
#include "store/store.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "scripts.h"
#include "store/batch.h"
#include "store/resp.h"
#include "store/sentinel.h"
#include "store/transport.h"

#define RECEIVE_BYTES 65536 /* more than a line, and the replies to a hit */
#define BATCH_BYTES   (256u * 1024 * 1024)
#define COMMAND_BYTES 4096 /* of our own commands: authentication, sentinels */
#define LATE_MS                                                                                    \
	10 /* extra wait for a reply whose deadline passed while the worker was not running */

enum state { CLOSED, QUIET, ASKING };

struct store {
	const struct store_address *config;
	struct address address;
	const struct transport *transport;
	size_t turn; /* which sentinel is asked */

	enum state state;
	struct link link;
	struct resp resp;
	size_t from, to; /* of the bytes in `received` that have not been read */
	bool late;       /* this run has had its LATE_MS */

	struct reply_pool pool; /* holds the replies of both batches */
	struct batch batch;     /* the caller's */
	struct batch command;   /* one of our own, while a connection is opened */
	bool has_run;           /* the batch has: the next command begins another one */
	bool is_usable;         /* its replies may be read */

	size_t connections; /* opened so far */
	char sha[STORE_SCRIPTS][41];
	struct err err;
	char received[RECEIVE_BYTES];
};

static_assert(RECEIVE_BYTES > RESP_LINE_MAX, "a line that is not complete leaves room for more");

#define SCRIPT(text)                                                                               \
	{                                                                                          \
		(text), sizeof(text) - 1                                                           \
	}

static const struct span scripts[STORE_SCRIPTS] = {
	[STORE_CLAIM] = SCRIPT(script_claim),   [STORE_EXTEND] = SCRIPT(script_extend),
	[STORE_STAGE] = SCRIPT(script_stage),   [STORE_COMMIT] = SCRIPT(script_commit),
	[STORE_FAIL] = SCRIPT(script_fail),     [STORE_FLUSH] = SCRIPT(script_flush),
	[STORE_NOTE] = SCRIPT(script_note),     [STORE_COUNT] = SCRIPT(script_count),
	[STORE_REOPEN] = SCRIPT(script_reopen),
};

static const struct transport *const transports[ADDRESS_KINDS] = {
	[ADDRESS_UNIX] = &transport_unix,
	[ADDRESS_TCP] = &transport_tcp,
	[ADDRESS_TLS] = &transport_tls,
};

struct store *store_new(const struct store_address *config)
{
	struct store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->config = config;
	(void)address_parse(&store->address, config->where);
	store->transport = config->transport ? config->transport : transports[store->address.kind];
	assert(config->transport || (store->address.kind == ADDRESS_TLS) == (config->tls != NULL));
	store->link.tls = config->tls;
	reply_pool_init(&store->pool, STORE_REPLY_BYTES);
	batch_init(&store->batch, BATCH_BYTES);
	batch_init(&store->command, COMMAND_BYTES);
	return store;
}

static void close_link(struct store *store)
{
	if (store->state != CLOSED)
		store->transport->close(&store->link);
	store->state = CLOSED;
}

void store_close(struct store *store)
{
	assert(store->state != ASKING);
	close_link(store);
}

void store_free(struct store **store)
{
	if (!*store)
		return;
	store_close(*store);
	reply_pool_free(&(*store)->pool);
	batch_free(&(*store)->batch);
	batch_free(&(*store)->command);
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

/* --- the caller's batch --- */

static void begin_command(struct store *store, size_t argc)
{
	if (store->has_run) {
		batch_reset(&store->batch);
		reply_pool_reset(&store->pool);
		store->has_run = store->is_usable = false;
	}
	batch_command(&store->batch, argc);
}

void store_argv(struct store *store, size_t argc, const struct span *argv)
{
	begin_command(store, argc);
	batch_args(&store->batch, argc, argv);
}

const redisReply *store_reply(const struct store *store, size_t i)
{
	static const redisReply none = {.type = REDIS_REPLY_NIL};

	return store->is_usable && i < store->batch.answered ? store->batch.replies[i] : &none;
}

bool store_is_too_large(const struct store *store, size_t i)
{
	return batch_is_too_large(&store->batch, i);
}

/* --- bytes --- */

/* The time left, in ms. If the machine was suspended beyond the deadline, or the worker was
 * scheduled late, Redis is not to blame: each run waits LATE_MS more, once. */
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

static enum store_result wait_for(struct store *store, short events, int64_t deadline_ms)
{
	int64_t left = time_left(store, deadline_ms);
	int n = left > 0 ? store->transport->wait(&store->link, events, left, &store->err) : 0;

	if (n == 0)
		err_set(&store->err, "deadline passed");
	return n > 0 ? STORE_OK : STORE_DOWN;
}

/* Sends as much as the connection accepts without waiting. */
static enum store_result send_some(struct store *store, struct span *unsent)
{
	ssize_t n = store->transport->write(&store->link, unsent->ptr, unsent->len, &store->err);

	if (n < 0)
		return STORE_DOWN;
	unsent->ptr += n;
	unsent->len -= (size_t)n;
	return STORE_OK;
}

/* Receives the rest of a long string directly into its reply. */
static ssize_t receive_string(struct store *store, char *room, size_t len)
{
	ssize_t n = store->transport->read(&store->link, room, len, false, &store->err);

	if (n > 0)
		resp_received(&store->resp, (size_t)n);
	return n;
}

/* After what is left of earlier bytes, which is part of a line. */
static ssize_t receive_bytes(struct store *store, bool may_wait)
{
	size_t left = store->to - store->from;
	ssize_t n;

	assert(left <= RESP_LINE_MAX);
	memmove(store->received, store->received + store->from, left);
	store->from = 0;
	store->to = left;
	n = store->transport->read(&store->link, store->received + left, RECEIVE_BYTES - left,
				   may_wait, &store->err);
	if (n > 0)
		store->to += (size_t)n;
	return n;
}

static ssize_t receive(struct store *store, bool may_wait)
{
	size_t len = 0;
	char *room = resp_room(&store->resp, &len);

	return len > RECEIVE_BYTES ? receive_string(store, room, len)
				   : receive_bytes(store, may_wait);
}

/* What the reader cannot go on after. */
static enum store_result refuse(struct store *store, enum resp_result rc)
{
	if (rc == RESP_TOO_LARGE)
		return STORE_TOO_LARGE;
	err_set(&store->err, "%s",
		rc == RESP_NO_MEMORY ? "out of memory" : "protocol: not a reply of Redis");
	return STORE_DOWN;
}

/* Hands over the complete replies. */
static enum store_result take_replies(struct store *store, struct batch *batch)
{
	struct span input = {store->received + store->from, store->to - store->from};
	enum resp_result rc = RESP_REPLY;
	redisReply *reply;

	while (rc == RESP_REPLY && !batch_is_answered(batch)) {
		rc = resp_read(&store->resp, &input, &reply);
		if (rc == RESP_REPLY)
			batch_answer(batch, reply);
	}
	store->from = store->to - input.len;
	return rc == RESP_REPLY || rc == RESP_MORE ? STORE_OK : refuse(store, rc);
}

static enum store_result receive_some(struct store *store, struct batch *batch, bool may_wait)
{
	return receive(store, may_wait) < 0 ? STORE_DOWN : take_replies(store, batch);
}

/* One step: send what can be sent, then receive what can be received. At first the connection is
 * nearly always writable, and the replies nearly always arrive soon and together. So the first
 * attempt to receive waits in the read itself, which saves a system call. */
static enum store_result step(struct store *store, struct batch *batch, struct span *unsent,
			      bool is_first, int64_t deadline_ms)
{
	enum store_result rc = unsent->len ? send_some(store, unsent) : STORE_OK;

	if (rc != STORE_OK)
		return rc;
	if (is_first && !unsent->len && deadline_ms - clock_mono_ms() > TRANSPORT_PATIENCE_MS)
		return receive_some(store, batch, true);
	rc = wait_for(store, unsent->len ? POLLIN | POLLOUT : POLLIN, deadline_ms);
	return rc == STORE_OK ? receive_some(store, batch, false) : rc;
}

/* Sends the commands that have no reply yet. A reply that is too large is marked in its place. */
static enum store_result exchange(struct store *store, struct batch *batch, int64_t deadline_ms)
{
	struct span unsent = batch_unanswered(batch);
	enum store_result rc = STORE_OK;

	assert(store->state == QUIET && store->from == store->to);
	store->state = ASKING;
	for (bool is_first = true; rc == STORE_OK && !batch_is_answered(batch); is_first = false)
		rc = step(store, batch, &unsent, is_first, deadline_ms);
	if (rc == STORE_TOO_LARGE)
		batch_answer_too_large(batch);
	if (rc == STORE_OK)
		store->state = QUIET;
	else
		close_link(store);
	return rc;
}

/* --- connections --- */

/* Runs one command of ours and returns its reply; NULL, with the reason in store->err, on an error.
 * Invalidates the previous reply. */
static const redisReply *run_command(struct store *store, size_t argc, const struct span *argv,
				     int64_t deadline_ms)
{
	struct batch *command = &store->command;
	struct reply_mark mark = reply_pool_mark(&store->pool);
	enum store_result rc;

	batch_reset(command);
	batch_command(command, argc);
	batch_args(command, argc, argv);
	if (!batch_ok(command)) {
		err_set(&store->err, "out of memory");
		return NULL;
	}
	rc = exchange(store, command, deadline_ms);
	if (rc == STORE_OK && command->replies[0]->type != REDIS_REPLY_ERROR)
		return command->replies[0];
	/* The server's message may name the user but never contains the password. */
	if (rc == STORE_OK)
		err_set(&store->err, "%s", command->replies[0]->str);
	else if (rc == STORE_TOO_LARGE)
		err_set(&store->err, "reply too large");
	reply_pool_rewind(&store->pool, mark);
	return NULL;
}

/* The deadline for connecting: connect_ms, or the remaining time if that is less. */
static int64_t connect_by(const struct store *store, int64_t deadline_ms)
{
	int64_t by = clock_mono_ms() + store->config->connect_ms;

	return by < deadline_ms ? by : deadline_ms;
}

static enum store_result shake_hands(struct store *store, int64_t deadline_ms)
{
	enum store_result rc;
	int events = POLLOUT;

	do {
		rc = wait_for(store, (short)events, deadline_ms);
		if (rc == STORE_OK)
			events = store->transport->handshake(&store->link, &store->err);
	} while (rc == STORE_OK && events > 0);
	return events == 0 ? rc : STORE_DOWN;
}

static enum store_result open_link(struct store *store, const struct endpoint *to,
				   int64_t deadline_ms)
{
	assert(store->state == CLOSED);
	if (store->transport->open(&store->link, to, &store->err) != 0)
		return STORE_DOWN;
	store->state = QUIET;
	store->from = store->to = 0;
	resp_init(&store->resp, &store->pool);
	if (shake_hands(store, deadline_ms) == STORE_OK)
		return STORE_OK;
	close_link(store);
	return STORE_DOWN;
}

static enum store_result authenticate(struct store *store, struct span user, const char *password,
				      int64_t deadline_ms)
{
	const struct span auth[] = {SPAN("AUTH"), user, span_str(password)};
	const struct span old_auth[] = {SPAN("AUTH"), span_str(password)};
	const redisReply *reply;

	if (!*password)
		return STORE_OK;
	reply = user.len ? run_command(store, 3, auth, deadline_ms)
			 : run_command(store, 2, old_auth, deadline_ms);
	return reply ? STORE_OK : STORE_DOWN;
}

/* A new connection is in database 0. */
static enum store_result select_database(struct store *store, int64_t deadline_ms)
{
	char number[12];
	struct err why;

	if (store->address.database == 0)
		return STORE_OK;
	(void)snprintf(number, sizeof(number), "%d", store->address.database);
	if (run_command(store, 2, (struct span[]){SPAN("SELECT"), span_str(number)}, deadline_ms))
		return STORE_OK;
	why = store->err;
	err_set(&store->err, "database %s: %s", number, why.msg);
	return STORE_DOWN;
}

static enum store_result open_redis(struct store *store, const struct endpoint *to,
				    int64_t deadline_ms)
{
	const struct store_address *config = store->config;
	struct span user = store->address.user.len ? store->address.user : span_str(config->user);

	if (open_link(store, to, connect_by(store, deadline_ms)) != STORE_OK)
		return STORE_DOWN;
	if (authenticate(store, user, config->password, deadline_ms) != STORE_OK)
		return STORE_DOWN;
	return select_database(store, deadline_ms);
}

/* --- sentinels --- */

/* Asks a sentinel for the primary. The answer must come within the time of one connection attempt,
 * so that a hung sentinel leaves time to connect to the primary. */
static enum store_result find_primary(struct store *store, const struct endpoint *sentinel,
				      struct endpoint *primary, int64_t deadline_ms)
{
	const struct span command[] = {SPAN("SENTINEL"), SPAN("GET-MASTER-ADDR-BY-NAME"),
				       store->address.name};
	const redisReply *reply = NULL;
	enum store_result rc = STORE_DOWN;

	if (open_link(store, sentinel, deadline_ms) == STORE_OK &&
	    authenticate(store, SPAN(""), store->config->sentinel_password, deadline_ms) ==
		    STORE_OK)
		reply = run_command(store, 3, command, deadline_ms);
	if (reply && sentinel_primary(reply, primary))
		rc = STORE_OK;
	else if (reply)
		err_set(&store->err, "knows of no such primary");
	close_link(store);
	return rc;
}

/* A sentinel may be behind, and a replica answers reads like a primary. */
static enum store_result check_role(struct store *store, int64_t deadline_ms)
{
	const struct span command[] = {SPAN("ROLE")};
	const redisReply *reply = run_command(store, 1, command, deadline_ms);

	if (reply && sentinel_is_primary(reply))
		return STORE_OK;
	if (reply)
		err_set(&store->err, "not a primary");
	return STORE_DOWN;
}

/* A sentinel may be dead, isolated or out of date; another may know more. Each attempt tries one,
 * since each may take its whole time-out. */
static void blame_sentinel(struct store *store, const struct endpoint *sentinel,
			   const struct endpoint *primary)
{
	char who[ENDPOINT_TEXT_MAX], whom[ENDPOINT_TEXT_MAX] = "";
	struct err why = store->err;

	store->turn++;
	endpoint_text(sentinel, who);
	if (primary->port)
		endpoint_text(primary, whom);
	err_set(&store->err, "sentinel %s%s%s: %s", who, *whom ? " names " : "", whom, why.msg);
}

static enum store_result open_by_sentinel(struct store *store, int64_t deadline_ms)
{
	struct endpoint sentinel, primary = {.port = 0};

	if (!address_endpoint(&store->address, store->turn, &sentinel)) {
		store->turn = 0;
		(void)address_endpoint(&store->address, 0, &sentinel);
	}
	if (find_primary(store, &sentinel, &primary, connect_by(store, deadline_ms)) == STORE_OK &&
	    open_redis(store, &primary, deadline_ms) == STORE_OK &&
	    check_role(store, deadline_ms) == STORE_OK)
		return STORE_OK;
	blame_sentinel(store, &sentinel, &primary);
	return STORE_DOWN;
}

static enum store_result open_directly(struct store *store, int64_t deadline_ms)
{
	struct endpoint to;

	(void)address_endpoint(&store->address, 0, &to);
	return open_redis(store, &to, deadline_ms);
}

/* --- runs --- */

/* Between batches a healthy server sends nothing. Readable data mean the end of the connection (a
 * restart, a time-out, CLIENT KILL), which is found here before it costs a request, or bytes that
 * would be taken for the next reply. */
static bool is_spoilt(struct store *store)
{
	return store->from < store->to || !store->transport->is_quiet(&store->link);
}

/* A connection that is QUIET. */
static enum store_result connect_link(struct store *store, int64_t deadline_ms)
{
	struct reply_mark mark = reply_pool_mark(&store->pool);
	enum store_result rc;

	if (store->state == QUIET && is_spoilt(store))
		close_link(store);
	if (store->state == QUIET)
		return STORE_OK;
	rc = store->address.name.len ? open_by_sentinel(store, deadline_ms)
				     : open_directly(store, deadline_ms);
	reply_pool_rewind(&store->pool, mark);
	if (rc == STORE_OK)
		store->connections++;
	else
		close_link(store);
	return rc;
}

/* Repeats until each command has its answer or is known to have none. */
static enum store_result run(struct store *store, int64_t deadline_ms)
{
	enum store_result rc;

	do {
		rc = connect_link(store, deadline_ms);
		if (rc == STORE_OK)
			rc = exchange(store, &store->batch, deadline_ms);
	} while (rc == STORE_TOO_LARGE && !batch_is_answered(&store->batch));
	return rc == STORE_OK && store->batch.too_large ? STORE_TOO_LARGE : rc;
}

static bool is_deposed(const struct store *store)
{
	for (size_t i = 0; i < store->batch.answered; i++)
		if (sentinel_is_deposed(store->batch.replies[i]))
			return true;
	return false;
}

enum store_result store_run(struct store *store, int64_t ms)
{
	enum store_result rc = STORE_DOWN;

	store->late = false;
	store->has_run = true;
	if (batch_ok(&store->batch))
		rc = run(store, clock_mono_ms() + ms);
	else
		err_set(&store->err, "batch too large");
	store->is_usable = rc != STORE_DOWN;
	if (is_deposed(store))
		close_link(store);
	assert(store->state != ASKING);
	return rc;
}

/* --- scripts --- */

/* Afterwards its digest is known, or reply 0 says why not. */
static enum store_result load(struct store *store, enum store_script script, int64_t ms)
{
	const redisReply *reply;
	enum store_result rc;

	*store->sha[script] = '\0';
	store_cmd(store, SPAN("SCRIPT"), SPAN("LOAD"), scripts[script]);
	rc = store_run(store, ms);
	reply = store_reply(store, 0);
	if (rc == STORE_OK && reply->type == REDIS_REPLY_STRING && reply->len == 40)
		memcpy(store->sha[script], reply->str, sizeof(store->sha[script]));
	return rc;
}

static enum store_result eval_once(struct store *store, enum store_script script, size_t keys,
				   size_t argc, const struct span *argv, int64_t ms)
{
	char count[24];

	(void)snprintf(count, sizeof(count), "%zu", keys);
	begin_command(store, argc + 3);
	batch_args(&store->batch, 3,
		   (struct span[]){SPAN("EVALSHA"), {store->sha[script], 40}, span_str(count)});
	batch_args(&store->batch, argc, argv);
	return store_run(store, ms);
}

static enum store_result load_and_eval(struct store *store, enum store_script script, size_t keys,
				       size_t argc, const struct span *argv, int64_t ms)
{
	enum store_result rc = load(store, script, ms);

	return rc == STORE_OK && *store->sha[script]
		       ? eval_once(store, script, keys, argc, argv, ms)
		       : rc;
}

static bool is_noscript(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOSCRIPT", 8) == 0;
}

enum store_result store_eval(struct store *store, enum store_script script, size_t keys,
			     size_t argc, const struct span *argv, int64_t ms)
{
	enum store_result rc = *store->sha[script]
				       ? eval_once(store, script, keys, argc, argv, ms)
				       : load_and_eval(store, script, keys, argc, argv, ms);

	/* SCRIPT FLUSH, or a restarted server: load and try once more, never twice. */
	if (rc == STORE_OK && is_noscript(store_reply(store, 0)))
		rc = load_and_eval(store, script, keys, argc, argv, ms);
	return rc;
}
