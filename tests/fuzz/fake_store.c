/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "fake_store.h"

#include "fuzz.h"
#include "base/hash.h"
#include "store/batch.h"
#include "store/resp.h"

#define REPAIR "repair" /* in place of a checksum: the right one, and the right length */

struct store {
	struct span input;
	struct reply_pool pool;
	struct resp resp;
	struct batch batch;
	bool has_run, asks_size; /* true: a size is answered without input */
};

struct store *fake_store_new(struct span replies)
{
	struct store *store = calloc(1, sizeof(*store));

	REQUIRE(store);
	store->input = replies;
	reply_pool_init(&store->pool, 1 << 24);
	resp_init(&store->resp, &store->pool);
	batch_init(&store->batch, 1 << 24);
	return store;
}

void fake_store_free(struct store **store)
{
	reply_pool_free(&(*store)->pool);
	batch_free(&(*store)->batch);
	free(*store);
	*store = NULL;
}

static bool is_string(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_STRING;
}

static void replace(struct store *store, redisReply *reply, const char *text)
{
	reply->len = strlen(text);
	reply->str = reply_pool_take(&store->pool, reply->len + 1);
	REQUIRE(reply->str);
	memcpy(reply->str, text, reply->len + 1);
}

/* No input would guess the checksum of a document that it changes. */
static void repair(struct store *store, const redisReply *reply)
{
	char text[32];
	const redisReply *body;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 10)
		return;
	body = reply->element[7];
	if (!is_string(body) || !is_string(reply->element[8]) || !is_string(reply->element[9]) ||
	    strcmp(reply->element[9]->str, REPAIR) != 0)
		return;
	(void)snprintf(text, sizeof(text), "%zu", body->len);
	replace(store, reply->element[8], text);
	hash_hex(hash_xxh64((struct span){body->str, body->len}), text);
	replace(store, reply->element[9], text);
}

void store_argv(struct store *store, size_t argc, const struct span *argv)
{
	if (store->has_run) {
		batch_reset(&store->batch);
		reply_pool_reset(&store->pool);
	}
	store->has_run = false;
	for (size_t i = 0; i < argc; i++)
		REQUIRE(argv[i].ptr || argv[i].len == 0);
	store->asks_size = span_is(argv[0], "HSTRLEN");
	batch_command(&store->batch, argc);
}

static const redisReply *next_reply(struct store *store)
{
	static const redisReply size = {.type = REDIS_REPLY_INTEGER};
	redisReply *reply;

	if (store->asks_size)
		return &size;
	if (!store->input.len || resp_read(&store->resp, &store->input, &reply) != RESP_REPLY)
		return NULL;
	repair(store, reply);
	return reply;
}

enum store_result store_run(struct store *store, int64_t ms)
{
	const redisReply *reply;

	(void)ms;
	store->has_run = true;
	while (batch_ok(&store->batch) && !batch_is_answered(&store->batch) &&
	       (reply = next_reply(store)))
		batch_answer(&store->batch, reply);
	if (batch_is_answered(&store->batch))
		return STORE_OK;
	store->input.len = 0;
	store->batch.answered = 0;
	return STORE_DOWN;
}

const redisReply *store_reply(const struct store *store, size_t i)
{
	static const redisReply none = {.type = REDIS_REPLY_NIL};

	return i < store->batch.answered ? store->batch.replies[i] : &none;
}

bool store_is_too_large(const struct store *store, size_t i)
{
	return batch_is_too_large(&store->batch, i);
}

enum store_result store_eval(struct store *store, enum store_script script, size_t keys,
			     size_t argc, const struct span *argv, int64_t ms)
{
	REQUIRE(script < STORE_SCRIPTS && keys <= argc);
	store_argv(store, argc, argv);
	return store_run(store, ms);
}

void store_close(struct store *store)
{
	(void)store;
}

size_t store_connections(const struct store *store)
{
	(void)store;
	return 1;
}

const char *store_error(const struct store *store)
{
	(void)store;
	return "no more input";
}
