/* SPDX-License-Identifier: MIT */
/*
 * The wire of Redis as a worker receives it: in pieces of any size, into memory with a ceiling. The
 * pieces make no difference, every accessor answers for any reply, and hiredis reads the same from
 * it.
 */
#include "config.h"

#include <malloc.h>

#include "fuzz.h"
#include "store/reply.h"
#include "store/resp.h"

#define POOL_MAX 65536

/* In the sanitizer's allocator, which mallinfo does not know. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t heap(void)
{
	struct mallinfo2 info;

	if (__sanitizer_get_current_allocated_bytes)
		return __sanitizer_get_current_allocated_bytes();
	info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

struct wire {
	struct reply_pool pool;
	struct resp resp;
	struct buf text; /* what the replies say */
	redisReader *hiredis;
};

static void compare(const redisReply *ours, const redisReply *theirs)
{
	REQUIRE(ours->type == theirs->type && ours->elements == theirs->elements);
	REQUIRE(ours->integer == theirs->integer && ours->len == theirs->len);
	REQUIRE(ours->len == 0 || memcmp(ours->str, theirs->str, ours->len) == 0);
	for (size_t i = 0; i < ours->elements; i++)
		compare(ours->element[i], theirs->element[i]);
}

/* hiredis reads the bytes of one reply that we accept. */
static void ask_hiredis(struct wire *wire, const redisReply *ours, struct span bytes)
{
	void *theirs = NULL;

	REQUIRE(redisReaderFeed(wire->hiredis, bytes.ptr, bytes.len) == REDIS_OK);
	REQUIRE(redisReaderGetReply(wire->hiredis, &theirs) == REDIS_OK && theirs);
	compare(ours, theirs);
	freeReplyObject(theirs);
}

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

/* Reads the complete replies; false when no more can follow. */
static bool take(struct wire *wire, struct span *rest, const char **begin, bool compared)
{
	enum resp_result rc;
	redisReply *reply;

	while ((rc = resp_read(&wire->resp, rest, &reply)) == RESP_REPLY) {
		tell(reply, &wire->text);
		if (compared)
			ask_hiredis(wire, reply,
				    (struct span){*begin, (size_t)(rest->ptr - *begin)});
		*begin = rest->ptr;
	}
	if (rc != RESP_MORE)
		buf_addf(&wire->text, "end %d", (int)rc);
	return rc == RESP_MORE;
}

static void open_wire(struct wire *wire)
{
	buf_init(&wire->text, 1 << 24);
	wire->hiredis = redisReaderCreate();
	REQUIRE(wire->hiredis);
	reply_pool_init(&wire->pool, POOL_MAX);
	resp_init(&wire->resp, &wire->pool);
}

static void close_wire(struct wire *wire)
{
	REQUIRE(buf_ok(&wire->text));
	redisReaderFree(wire->hiredis);
	reply_pool_free(&wire->pool);
	REQUIRE(wire->pool.taken == 0);
}

static void read_in_pieces(struct wire *wire, struct span input, size_t piece, bool compared)
{
	struct span rest = {input.ptr, 0};
	const char *begin = input.ptr;
	bool more = true;

	open_wire(wire);
	for (size_t at = 0; more && at < input.len; at += piece) {
		size_t left = input.len - at;

		rest.len += left < piece ? left : piece;
		more = take(wire, &rest, &begin, compared);
	}
	close_wire(wire);
}

/* Only the pool allocates memory, and no more than its ceiling. */
static void measure(struct span input)
{
	struct reply_pool pool;
	struct resp resp;
	redisReply *reply;
	size_t before = heap();

	reply_pool_init(&pool, POOL_MAX);
	resp_init(&resp, &pool);
	while (resp_read(&resp, &input, &reply) == RESP_REPLY)
		;
	REQUIRE(heap() - before <= POOL_MAX + 4096);
	reply_pool_free(&pool);
}

/* The first byte is the size of the pieces. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = {(const char *)data, size};
	size_t piece = 1 + fuzz_byte(&input);
	struct wire whole, pieces;

	measure(input);
	read_in_pieces(&whole, input, input.len + 1, true);
	read_in_pieces(&pieces, input, piece, false);
	REQUIRE(span_eq(buf_span(&whole.text), buf_span(&pieces.text)));
	buf_free(&whole.text);
	buf_free(&pieces.text);
	return 0;
}
