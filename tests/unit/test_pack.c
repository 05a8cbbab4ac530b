/* SPDX-License-Identifier: MIT */
/* Packed parts of stored records: they come back as they were, and what is damaged is bad. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pack.h"

#define PART_MAX 4096

static struct buf packed, part;

static int open_bufs(void **state)
{
	(void)state;
	buf_init(&packed, 65536);
	buf_init(&part, PART_MAX);
	return 0;
}

static int close_bufs(void **state)
{
	(void)state;
	buf_free(&packed);
	buf_free(&part);
	return 0;
}

/* What is no repetition of itself. */
static struct span noise(char *to, size_t len)
{
	uint32_t x = 1;

	for (size_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		to[i] = (char)(x >> 24);
	}
	return (struct span){to, len};
}

/* The part has a checksum of its own, or a base. */
typedef void (*put_fn)(struct span what, struct buf *out);
typedef void (*get_fn)(struct bytes_reader *r, struct buf *to);

static struct span base;

static void put_beside(struct span what, struct buf *out)
{
	pack_put_bare(what, base, out);
}

static void get_beside(struct bytes_reader *r, struct buf *to)
{
	pack_get_bare(r, base, to);
}

static const struct {
	put_fn put;
	get_fn get;
} kinds[] = {{pack_put, pack_get}, {put_beside, get_beside}};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Whether the bytes are good; then they have been read to their end. */
static bool read_back(size_t kind, struct span bytes)
{
	struct bytes_reader r = {.rest = bytes};

	buf_reset(&part);
	kinds[kind].get(&r, &part);
	assert_true(r.bad || r.rest.len == 0);
	return !r.bad;
}

static void pack(size_t kind, struct span what)
{
	buf_reset(&packed);
	kinds[kind].put(what, &packed);
	assert_true(buf_ok(&packed));
}

static void parts_come_back(void **state)
{
	static char bytes[PART_MAX];
	static const size_t lengths[] = {0, 1, 1000, PART_MAX};

	(void)state;
	base = SPAN("something else");
	for (size_t kind = 0; kind < KINDS; kind++)
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			struct span what = noise(bytes, lengths[i]);

			pack(kind, what);
			assert_true(read_back(kind, buf_span(&packed)));
			assert_true(span_eq(buf_span(&part), what));
		}
}

/* Of a long base the end counts, on both sides. */
static void what_repeats_its_base_takes_little_room(void **state)
{
	static char bytes[100000];
	struct span all = noise(bytes, sizeof(bytes));

	(void)state;
	base = all;
	pack(1, (struct span){bytes + sizeof(bytes) - 3000, 3000});
	assert_true(packed.len < 100);
	assert_true(read_back(1, buf_span(&packed)));
	assert_memory_equal(part.data, bytes + sizeof(bytes) - 3000, 3000);
	base = SPAN("another");
	assert_false(read_back(1, buf_span(&packed)));
}

static void what_is_cut_is_bad(void **state)
{
	(void)state;
	base = SPAN("");
	for (size_t kind = 0; kind < KINDS; kind++) {
		pack(kind, SPAN("what is kept, what is kept"));
		for (size_t len = 0; len < packed.len; len++)
			assert_false(read_back(kind, (struct span){packed.data, len}));
	}
}

/* Both lengths come first. Only they tell that a bare part is whole. */
static void a_wrong_length_of_a_bare_part_is_bad(void **state)
{
	(void)state;
	base = SPAN("");
	for (size_t at = 0; at < 6; at++) {
		pack(1, SPAN("what is kept, what is kept"));
		packed.data[at]++;
		assert_false(read_back(1, buf_span(&packed)));
		packed.data[at] -= 2;
		assert_false(read_back(1, buf_span(&packed)));
	}
}

static void what_is_damaged_is_bad(void **state)
{
	(void)state;
	pack(0, SPAN("what is kept, what is kept"));
	for (size_t at = 8; at < packed.len; at++) {
		packed.data[at] ^= 1;
		assert_false(read_back(0, buf_span(&packed)));
		packed.data[at] ^= 1;
	}
	assert_true(read_back(0, buf_span(&packed)));
}

static void no_part_is_longer_than_its_room(void **state)
{
	static char bytes[PART_MAX + 1];

	(void)state;
	base = SPAN("");
	for (size_t kind = 0; kind < KINDS; kind++) {
		pack(kind, (struct span){bytes, sizeof(bytes)});
		assert_false(read_back(kind, buf_span(&packed)));
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_bufs, close_bufs)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(parts_come_back),        TEST(what_repeats_its_base_takes_little_room),
		TEST(what_is_cut_is_bad),     TEST(a_wrong_length_of_a_bare_part_is_bad),
		TEST(what_is_damaged_is_bad), TEST(no_part_is_longer_than_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
