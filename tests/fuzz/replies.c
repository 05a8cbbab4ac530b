/* SPDX-License-Identifier: MIT */
/*
 * The wire of Redis, as a worker receives it: in pieces of any size, into memory with a ceiling.
 * The pieces change nothing, and whatever a reply is, all that is asked of it has an answer.
 */
#include "config.h"

#include "fuzz.h"
#include "store/reply.h"
#include "store/reply_pool.h"

#define POOL_MAX 65536

struct wire {
	struct reply_pool pool;
	redisReader *reader;
	struct buf text; /* what the replies say */
};

static void tell(const redisReply *reply, struct buf *out)
{
	struct span text = reply_text(reply);
	char copy[16];

	REQUIRE(!text.ptr || text.ptr[text.len] == '\0');
	REQUIRE(reply_copy(copy, sizeof(copy), text) == (text.len < sizeof(copy)));
	REQUIRE(reply_decimal(text) >= -1);
	buf_addf(out, "%d:%zu:%lld:", reply->type, text.len, reply->integer);
	buf_span_add(out, text);
	for (size_t i = 0; i <= reply->elements; i++)
		REQUIRE(reply_field(reply, i).ptr || reply_field(reply, i).len == 0);
	for (size_t i = 0; i < reply->elements; i++)
		tell(reply->element[i], out);
}

static void take(struct wire *wire)
{
	void *reply = NULL;

	while (redisReaderGetReply(wire->reader, &reply) == REDIS_OK && reply)
		tell(reply, &wire->text);
	REQUIRE(wire->pool.taken <= POOL_MAX);
}

static void read_in_pieces(struct wire *wire, struct span input, size_t piece)
{
	buf_init(&wire->text, 1 << 24);
	reply_pool_init(&wire->pool, POOL_MAX);
	wire->reader = reply_pool_reader(&wire->pool);
	REQUIRE(wire->reader);
	for (size_t at = 0; at < input.len; at += piece) {
		size_t left = input.len - at;

		(void)redisReaderFeed(wire->reader, input.ptr + at, left < piece ? left : piece);
		take(wire);
	}
	redisReaderFree(wire->reader);
	reply_pool_free(&wire->pool);
	REQUIRE(buf_ok(&wire->text));
}

/* The first byte is the size of the pieces. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = {(const char *)data, size};
	size_t piece = 1 + fuzz_byte(&input);
	struct wire whole, pieces;

	read_in_pieces(&whole, input, input.len + 1);
	read_in_pieces(&pieces, input, piece);
	REQUIRE(span_eq(buf_span(&whole.text), buf_span(&pieces.text)));
	buf_free(&whole.text);
	buf_free(&pieces.text);
	return 0;
}
