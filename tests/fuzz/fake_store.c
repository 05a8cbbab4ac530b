/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "fake_store.h"

#include "fuzz.h"
#include "base/hash.h"

#define REPAIR "repair" /* instead of a checksum: the right one, and the right length */

struct store {
	redisReader *reader;
	redisReply *replies[STORE_BATCH_MAX];
	size_t commands, answered;
	bool asks_size; /* answered without input */
};

/* hiredis 0.14 takes the memory for as many elements as are announced, and looks at all of them. */
static bool has_huge_array(struct span replies)
{
	size_t digits = 0;

	for (size_t i = 0; i < replies.len && digits <= 6; i++)
		if (replies.ptr[i] == '*')
			digits = 1;
		else
			digits = digits && replies.ptr[i] >= '0' && replies.ptr[i] <= '9'
					 ? digits + 1
					 : 0;
	return digits > 6;
}

struct store *fake_store_new(struct span replies)
{
	struct store *store = calloc(1, sizeof(*store));

	REQUIRE(store);
	store->reader = redisReaderCreate();
	REQUIRE(store->reader);
	if (replies.len && !has_huge_array(replies))
		(void)redisReaderFeed(store->reader, replies.ptr, replies.len);
	return store;
}

static void drop(struct store *store)
{
	while (store->answered > 0)
		freeReplyObject(store->replies[--store->answered]);
	store->commands = 0;
}

void fake_store_free(struct store **store)
{
	drop(*store);
	redisReaderFree((*store)->reader);
	free(*store);
	*store = NULL;
}

static bool is_string(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_STRING;
}

static void replace(redisReply *reply, const char *text)
{
	free(reply->str);
	reply->len = strlen(text);
	reply->str = strdup(text);
	REQUIRE(reply->str);
}

/* No input would find the checksum of a document that it changes. */
static void repair(const redisReply *reply)
{
	char text[32];
	const redisReply *body;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 9)
		return;
	body = reply->element[6];
	if (!is_string(body) || !is_string(reply->element[7]) || !is_string(reply->element[8]) ||
	    strcmp(reply->element[8]->str, REPAIR) != 0)
		return;
	(void)snprintf(text, sizeof(text), "%zu", body->len);
	replace(reply->element[7], text);
	hash_hex(hash_xxh64((struct span){body->str, body->len}), text);
	replace(reply->element[8], text);
}

void store_argv(struct store *store, size_t argc, const struct span *argv)
{
	if (store->answered)
		drop(store);
	for (size_t i = 0; i < argc; i++)
		REQUIRE(argv[i].ptr || argv[i].len == 0);
	store->asks_size = span_is(argv[0], "HSTRLEN");
	store->commands++;
}

static void *next_reply(struct store *store)
{
	void *reply = NULL;

	if (store->asks_size)
		return calloc(1, sizeof(redisReply));
	return redisReaderGetReply(store->reader, &reply) == REDIS_OK ? reply : NULL;
}

enum store_result store_run(struct store *store, int64_t ms)
{
	(void)ms;
	while (store->answered < store->commands && store->commands <= STORE_BATCH_MAX) {
		void *reply = next_reply(store);

		if (!reply)
			break;
		repair(reply);
		store->replies[store->answered++] = reply;
	}
	if (store->answered == store->commands)
		return STORE_OK;
	drop(store);
	return STORE_DOWN;
}

const redisReply *store_reply(const struct store *store, size_t i)
{
	static const redisReply none = {.type = REDIS_REPLY_NIL};

	return i < store->answered ? store->replies[i] : &none;
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
