/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "base/rice.h"

#define LOW_BITS_MAX 20
#define UNARY_MAX    24 /* as many ones announce a value of 32 bits */
#define WHOLE_BITS   32

static uint32_t fold(int32_t value)
{
	return value < 0 ? ~((uint32_t)value << 1) : (uint32_t)value << 1;
}

static int32_t unfold(uint32_t folded)
{
	return (int32_t)(folded & 1 ? ~(folded >> 1) : folded >> 1);
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

/* ---- writing ---- */

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

void rice_put(struct buf *out, const int32_t *values, size_t count)
{
	struct bit_writer w = {.out = out};
	unsigned low = best_low(values, count);

	bytes_put_int(out, low, 1);
	for (size_t i = 0; i < count; i++)
		put_value(&w, fold(values[i]), low);
	if (w.count)
		put_bits(&w, 0, 8 - w.count);
}

/* ---- reading ---- */

struct bit_reader {
	struct bytes_reader *r;
	uint64_t bits; /* the next ones, the first one highest; behind them zeros */
	unsigned count;
};

/* At least 57 bits, more than any value has, or all there are. */
static void refill(struct bit_reader *b)
{
	struct span *rest = &b->r->rest;

	for (; b->count <= 56 && rest->len > 0; b->count += 8, rest->ptr++, rest->len--)
		b->bits |= (uint64_t)(unsigned char)*rest->ptr << (56 - b->count);
}

/* At most 32. */
static uint32_t get_bits(struct bit_reader *b, unsigned count)
{
	uint32_t value = (uint32_t)(b->bits >> 1 >> (63 - count));

	if (count > b->count) {
		b->r->bad = true;
		return 0;
	}
	b->bits <<= count;
	b->count -= count;
	return value;
}

static uint32_t get_value(struct bit_reader *b, unsigned low)
{
	unsigned unary;

	refill(b);
	unary = b->bits == UINT64_MAX ? 64 : (unsigned)__builtin_clzll(~b->bits);
	if (unary >= UNARY_MAX) {
		(void)get_bits(b, UNARY_MAX);
		return get_bits(b, WHOLE_BITS);
	}
	(void)get_bits(b, unary + 1);
	return unary << low | get_bits(b, low);
}

/* What was read ahead. */
static void give_back(struct bit_reader *b)
{
	b->r->rest.ptr -= b->count / 8;
	b->r->rest.len += b->count / 8;
}

void rice_get(struct bytes_reader *r, int32_t *values, size_t count)
{
	struct bit_reader b = {.r = r};
	unsigned low = (unsigned)bytes_get_upto(r, 1, LOW_BITS_MAX);

	for (size_t i = 0; i < count; i++) {
		uint32_t folded = r->bad ? 0 : get_value(&b, low);

		values[i] = r->bad ? 0 : unfold(folded);
	}
	give_back(&b);
}
