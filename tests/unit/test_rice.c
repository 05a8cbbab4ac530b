/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/rice.h"

#define LOW_BITS_MAX 20
#define UNARY_MAX    24
#define WHOLE_BITS   32

/* As older versions wrote them. */

static uint32_t fold(int32_t value)
{
	return value < 0 ? ~((uint32_t)value << 1) : (uint32_t)value << 1;
}

static uint64_t cost(const int32_t *values, size_t count, unsigned low)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < count; i++) {
		uint32_t unary = fold(values[i]) >> low;

		bits += unary < UNARY_MAX ? unary + 1 + low : UNARY_MAX + WHOLE_BITS;
	}
	return bits;
}

static unsigned bit_length(uint32_t value)
{
	return value ? 32 - (unsigned)__builtin_clz(value) : 0;
}

/* About as many low bits as the values have on average, so that a few long values do not matter. */
static unsigned usual_low(const int32_t *values, size_t count)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < count; i++)
		bits += bit_length(fold(values[i]));
	return count ? (unsigned)(bits / count) : 0;
}

/* The best of those around the usual one. */
static unsigned best_low(const int32_t *values, size_t count)
{
	unsigned usual = usual_low(values, count), best = 0;
	uint64_t least = UINT64_MAX;

	for (unsigned low = usual > 3 ? usual - 3 : 0; low <= usual + 3 && low <= LOW_BITS_MAX;
	     low++) {
		uint64_t bits = cost(values, count, low);

		if (bits < least) {
			least = bits;
			best = low;
		}
	}
	return best;
}

struct bit_writer {
	struct buf *out;
	uint64_t bits; /* not yet written, the first one highest */
	unsigned count;
};

/* The lowest `count` bits of the value, at most 32, the highest first. */
static void put_bits(struct bit_writer *w, uint32_t value, unsigned count)
{
	w->bits = w->bits << count | value;
	w->count += count;
	for (; w->count >= 8; w->count -= 8)
		buf_char(w->out, (char)(w->bits >> (w->count - 8) & 0xff));
}

static void put_value(struct bit_writer *w, uint32_t folded, unsigned low)
{
	uint32_t unary = folded >> low;

	if (unary < UNARY_MAX) {
		put_bits(w, ((1u << unary) - 1) << 1, unary + 1);
		put_bits(w, folded & ((1u << low) - 1), low);
	} else {
		put_bits(w, (1u << UNARY_MAX) - 1, UNARY_MAX);
		put_bits(w, folded, WHOLE_BITS);
	}
}

static void rice_put(struct buf *out, const int32_t *values, size_t count)
{
	struct bit_writer w = {.out = out};
	unsigned low = best_low(values, count);

	bytes_put_int(out, low, 1);
	for (size_t i = 0; i < count; i++)
		put_value(&w, fold(values[i]), low);
	if (w.count)
		put_bits(&w, 0, 8 - w.count);
}

static size_t round_trip(const int32_t *values, size_t count)
{
	int32_t *back = calloc(count + 1, sizeof(*back));
	struct bytes_reader r;
	struct buf out;
	size_t len;

	assert_non_null(back);
	buf_init(&out, 1 << 20);
	rice_put(&out, values, count);
	rice_put(&out, values, count);
	len = out.len / 2;
	r = (struct bytes_reader){.rest = buf_span(&out)};
	for (int i = 0; i < 2; i++) {
		rice_get(&r, back, count);
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

/* A record of another version is read. */
static void bytes_are_those_of_the_format(void **state)
{
	static const int32_t values[] = {0, -1, 1, 2, -2, 23, -24, 100, -100, 5, 1000000, 3};
	struct buf out;

	(void)state;
	buf_init(&out, 64);
	rice_put(&out, values, sizeof(values) / sizeof(values[0]));
	assert_int_equal(hash_xxh64(buf_span(&out)), 0x557eff45a3658a56);
	buf_free(&out);
}

static void small_numbers_take_few_bits(void **state)
{
	int32_t values[800];

	(void)state;
	for (size_t i = 0; i < 800; i++)
		values[i] = 0;
	assert_int_equal(round_trip(values, 800), 1 + 100);
	for (size_t i = 0; i < 800; i++)
		values[i] = (int32_t)(i % 16) - 8;
	assert_in_range(round_trip(values, 800), 400, 600);
}

static void cut_or_foreign_bytes_are_an_error(void **state)
{
	static const int32_t values[] = {1000, -5, 12345678};
	int32_t back[3];
	struct buf out;

	(void)state;
	buf_init(&out, 64);
	rice_put(&out, values, 3);
	for (size_t len = 0; len < out.len; len++) {
		struct bytes_reader r = {.rest = {out.data, len}};

		rice_get(&r, back, 3);
		assert_true(r.bad);
	}
	out.data[0] = 21; /* low bits: more than there are */

	struct bytes_reader r = {.rest = buf_span(&out)};

	rice_get(&r, back, 3);
	assert_true(r.bad);
	assert_int_equal(back[2], 0);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_numbers_come_back),
		cmocka_unit_test(bytes_are_those_of_the_format),
		cmocka_unit_test(small_numbers_take_few_bits),
		cmocka_unit_test(cut_or_foreign_bytes_are_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
