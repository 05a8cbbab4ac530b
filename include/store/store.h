/* SPDX-License-Identifier: MIT */
/*
 * Redis: one connection, batches with one total deadline, scripts. No policy.
 *
 *	store_cmd(store, SPAN("GET"), key);            // any number
 *	if (store_run(store, 100) == STORE_OK)         // sends all, waits for all
 *		reply = store_reply(store, 0);         // never NULL; check its type
 *
 * Replies live until the next store_cmd after a run. Part of a batch may reach the server twice, so
 * its commands must be safe to repeat; scripts go alone and are sent once. After STORE_DOWN the
 * connection is gone, so that a late answer can never be taken for that of another command; the
 * next run connects again. What hiredis does here and what it does not:
 * doc/decisions/redis-client.md.
 */
#ifndef TFT_STORE_H
#define TFT_STORE_H

#include <stdint.h>
#include <hiredis/hiredis.h>
#include "base/err.h"
#include "base/span.h"

#define STORE_REPLY_BYTES (32u * 1024 * 1024) /* of memory, for the replies of one batch */

enum store_result {
	STORE_OK,
	STORE_TOO_LARGE, /* store_is_too_large tells which replies; all others are there */
	STORE_DOWN /* no connection, deadline passed, protocol error, out of memory; see store_error
		    */
};

enum store_script {
	STORE_CLAIM,
	STORE_EXTEND,
	STORE_STAGE,
	STORE_COMMIT,
	STORE_FAIL,
	STORE_FLUSH,
	STORE_NOTE,
	STORE_COUNT,
	STORE_REOPEN,
	STORE_SCRIPTS
};

struct tls;
struct transport;

struct store_address {
	const char *where;                 /* as in store/address.h; already validated */
	const char *user;                  /* empty: none; one in `where` comes first */
	const char *password;              /* empty: none */
	const char *sentinel_password;     /* of the sentinels, empty: none */
	const struct tls *tls;             /* for an address by TLS, else NULL */
	int64_t connect_ms;                /* and to shake hands */
	const struct transport *transport; /* NULL: that of the address; tests bring their own */
};

struct store;

/* Does not connect yet. The strings are borrowed for the store's life. NULL when memory ends. */
struct store *store_new(const struct store_address *address);
void store_free(struct store **store);

/* Adds a command of the batch; an empty span with NULL pointer is an empty argument. */
void store_argv(struct store *store, size_t argc, const struct span *argv);
#define store_cmd(store, ...)                                                                      \
	store_argv((store), sizeof((const struct span[]){__VA_ARGS__}) / sizeof(struct span),      \
		   (const struct span[]){__VA_ARGS__})
/* Sends the batch and reads every reply within `ms`. */
enum store_result store_run(struct store *store, int64_t ms);
/* Nil past the last one, and for one that was too large. */
const redisReply *store_reply(const struct store *store, size_t i);
/* Reply i would not have fitted into STORE_REPLY_BYTES: it was refused when its length was
 * announced. Also valid after STORE_DOWN, if that came later. */
bool store_is_too_large(const struct store *store, size_t i);
/* Runs one script alone: argv = keys, then arguments. Loads it first where the server does not know
 * it. The answer is reply 0. */
enum store_result store_eval(struct store *store, enum store_script script, size_t keys,
			     size_t argc, const struct span *argv, int64_t ms);
/* Closes a connection whose answers make no sense; the next run connects again. Replies stay valid.
 * */
void store_close(struct store *store);
/* Connections opened so far. */
size_t store_connections(const struct store *store);
/* Why the last run failed. */
const char *store_error(const struct store *store);

#endif
