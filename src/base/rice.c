/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "base/rice.h"

#define LOW_BITS_MAX 20
#define UNARY_MAX    24 /* as many ones announce a value of 32 bits */
#define WHOLE_BITS   32

static int32_t unfold(uint32_t folded)
{
	return (int32_t)(folded & 1 ? ~(folded >> 1) : folded >> 1);
}

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
