/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/range.h"

static void put_all(struct buf *out, const int32_t *values, size_t count)
{
	struct range_writer w;

	buf_init(out, 1 << 20);
	range_begin(&w, out);
	range_put(&w, values, count);
	range_put(&w, values, count);
	range_end(&w);
}

/* Two equal columns; the bytes of both. */
static size_t round_trip(const int32_t *values, size_t count)
{
	int32_t *back = calloc(count + 1, sizeof(*back));
	struct range_reader in;
	struct bytes_reader r;
	struct buf out;
	size_t len;

	assert_non_null(back);
	put_all(&out, values, count);
	len = out.len;
	r = (struct bytes_reader){.rest = buf_span(&out)};
	range_open(&in, &r);
	for (int i = 0; i < 2; i++) {
		range_get(&in, back, count);
		if (count)
			assert_memory_equal(values, back, count * sizeof(*values));
	}
	assert_false(r.bad);
	assert_int_equal(r.rest.len, 0);
	buf_free(&out);
	free(back);
	return len;
}

static void all_numbers_come_back(void **state)
{
	static const int32_t edges[] = {0,
					-1,
					1,
					23,
					-24,
					24,
					25,
					1000000,
					-1000000,
					INT32_MAX,
					INT32_MIN,
					-7,
					INT32_MIN + 1,
					4096,
					1048575,
					1048576,
					INT32_MAX - 1};
	int32_t values[1000];

	(void)state;
	for (size_t count = 0; count <= sizeof(edges) / sizeof(edges[0]); count++)
		round_trip(edges, count);
	for (int spread = 1; spread < 1 << 30; spread *= 2) {
		for (size_t i = 0; i < 1000; i++)
			values[i] = (int32_t)(i * 2654435761u % (unsigned)spread) - spread / 2;
		round_trip(values, 1000);
	}
}

/* Bytes of 0xff with a carry behind them, and without. */
static void a_carry_goes_through(void **state)
{
	int32_t values[64];

	(void)state;
	for (uint32_t seed = 1; seed < 20000; seed++) {
		uint32_t x = seed * 2654435761u;

		for (size_t i = 0; i < 64; i++, x = x * 1664525u + 1013904223u)
			values[i] = (int32_t)(x >> (x >> 27));
		round_trip(values, 64);
	}
}

/* A record of another version is read. */
static void bytes_are_those_of_the_format(void **state)
{
	static const int32_t values[] = {0, -1, 1, 2, -2, 23, -24, 100, -100, 5, 1000000, 3};
	struct buf out;

	(void)state;
	put_all(&out, values, sizeof(values) / sizeof(values[0]));
	assert_int_equal(hash_xxh64(buf_span(&out)), 0xd990db35b80b6b01);
	buf_free(&out);
}

static void small_numbers_take_few_bits(void **state)
{
	int32_t values[800];

	(void)state;
	for (size_t i = 0; i < 800; i++)
		values[i] = 0;
	assert_in_range(round_trip(values, 800), 4, 12);
	for (size_t i = 0; i < 800; i++)
		values[i] = (int32_t)(i * 7 % 16) - 8;
	assert_in_range(round_trip(values, 800), 750, 900);
	for (size_t i = 0; i < 800; i++)
		values[i] = i % 100 == 0;
	assert_in_range(round_trip(values, 800), 10, 30);
}

static void cut_bytes_are_an_error(void **state)
{
	static const int32_t values[] = {1000, -5, 12345678};
	int32_t back[3];
	struct buf out;

	(void)state;
	put_all(&out, values, 3);
	for (size_t len = 0; len < out.len; len++) {
		struct bytes_reader r = {.rest = {out.data, len}};
		struct range_reader in;

		range_open(&in, &r);
		range_get(&in, back, 3);
		range_get(&in, back, 3);
		assert_true(r.bad);
	}
	buf_free(&out);
}

/* Of anything something is read, or an error. */
static void foreign_bytes_do_no_harm(void **state)
{
	char bytes[64];
	int32_t back[1000];
	uint32_t x = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct bytes_reader r = {.rest = {bytes, sizeof(bytes)}};
		struct range_reader in;

		for (size_t i = 0; i < sizeof(bytes); i++, x = x * 1664525u + 1013904223u)
			bytes[i] = (char)(round % 3 == 0 ? 0xff : x >> 24);
		range_open(&in, &r);
		range_get(&in, back, 1000);
		assert_true(!r.bad || back[999] == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_numbers_come_back),
		cmocka_unit_test(a_carry_goes_through),
		cmocka_unit_test(bytes_are_those_of_the_format),
		cmocka_unit_test(small_numbers_take_few_bits),
		cmocka_unit_test(cut_bytes_are_an_error),
		cmocka_unit_test(foreign_bytes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
