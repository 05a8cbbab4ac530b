/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "base/range.h"

#include "base/rice.h"

#define MAGNITUDE_BITS 32 /* of INT32_MIN */
#define CODE_BYTES     4
#define TOP            (UINT32_C(1) << 24) /* a range below it gets another byte */
#define ONE_BITS       16
#define NOISE_BITS     8
#define SEEN_MOST      48 /* of more than these, the latest count most */

/* The probability of a 0, in 1/2^16, and how many bits it has seen, up to SEEN_MOST. */
struct chance {
	uint16_t zero;
	uint8_t seen;
};

/* What a column has taught. */
struct column {
	struct chance longer[MAGNITUDE_BITS + 1], sign;
	struct chance high[MAGNITUDE_BITS + 1]
			  [3]; /* the bit below the highest; the next, after a 0, a 1 */
};

static void column_init(struct column *c)
{
	struct chance *all = (struct chance *)c;

	for (size_t i = 0; i < sizeof(*c) / sizeof(*all); i++)
		all[i] = (struct chance){1 << (ONE_BITS - 1), 0};
}

/* 1/(n + 2) in 1/2^16, rounded down. */
static const uint16_t parts[SEEN_MOST + 1] = {
#define PART(n) (1 << ONE_BITS) / ((n) + 2)
#define PARTS_OF_7(n)                                                                              \
	PART(n), PART(n + 1), PART(n + 2), PART(n + 3), PART(n + 4), PART(n + 5), PART(n + 6)
	PARTS_OF_7(0),  PARTS_OF_7(7),  PARTS_OF_7(14), PARTS_OF_7(21),
	PARTS_OF_7(28), PARTS_OF_7(35), PARTS_OF_7(42)};

/* After n bits of one kind 1/(n + 1) of a half is left for the other. */
static inline void learn(struct chance *c, bool bit)
{
	uint32_t part = parts[c->seen];

	if (bit)
		c->zero = (uint16_t)(c->zero - (c->zero * part >> ONE_BITS));
	else
		c->zero = (uint16_t)(c->zero + ((UINT16_MAX - c->zero) * part >> ONE_BITS));
	c->seen += c->seen < SEEN_MOST;
}

/* The part of the range that a 0 takes, at least 1 and less than the range. */
static inline uint32_t part_of_zero(uint32_t range, const struct chance *c)
{
	uint32_t part = (range >> ONE_BITS) * c->zero;

	return part ? part : 1;
}

/* ---- writing ---- */

/* The highest byte can be written once no carry can reach it. */
static void shift_out(struct range_writer *w)
{
	uint8_t carry = (uint8_t)(w->low >> 32);

	if (w->low < UINT32_C(0xff000000) || carry) {
		if (w->begun)
			buf_char(w->out, (char)(w->held + carry));
		for (; w->behind; w->behind--)
			buf_char(w->out, (char)(0xff + carry));
		w->held = (uint8_t)(w->low >> 24);
		w->begun = true;
	} else {
		w->behind++;
	}
	w->low = (w->low & 0x00ffffff) << 8;
}

static inline void grow(struct range_writer *w)
{
	for (; w->range < TOP; w->range <<= 8)
		shift_out(w);
}

static inline void put_bit(struct range_writer *w, struct chance *c, bool bit)
{
	uint32_t zero = part_of_zero(w->range, c);

	if (bit) {
		w->low += zero;
		w->range -= zero;
	} else {
		w->range = zero;
	}
	learn(c, bit);
	grow(w);
}

/* Bits of equal chances, up to NOISE_BITS in one step. */
static void put_noise(struct range_writer *w, uint32_t bits, unsigned count)
{
	while (count > 0) {
		unsigned some = count < NOISE_BITS ? count : NOISE_BITS;

		count -= some;
		w->range >>= some;
		w->low += (uint64_t)w->range * (bits >> count & ((1u << some) - 1));
		grow(w);
	}
}

static unsigned bit_length(uint32_t value)
{
	return value ? 32 - (unsigned)__builtin_clz(value) : 0;
}

static void put_value(struct range_writer *w, struct column *c, int32_t value)
{
	uint32_t size = value < 0 ? 0 - (uint32_t)value : (uint32_t)value;
	unsigned len = bit_length(size), second;

	for (unsigned i = 0; i < len; i++)
		put_bit(w, &c->longer[i], true);
	if (len < MAGNITUDE_BITS)
		put_bit(w, &c->longer[len], false);
	if (len > 0)
		put_bit(w, &c->sign, value < 0);
	if (len < 2)
		return;
	second = size >> (len - 2) & 1;
	put_bit(w, &c->high[len][0], second);
	if (len < 3)
		return;
	put_bit(w, &c->high[len][1 + second], size >> (len - 3) & 1);
	put_noise(w, size, len - 3);
}

void range_begin(struct range_writer *w, struct buf *out)
{
	*w = (struct range_writer){.out = out, .range = UINT32_MAX};
}

void range_put(struct range_writer *w, const int32_t *values, size_t count)
{
	struct column c;

	column_init(&c);
	for (size_t i = 0; i < count; i++)
		put_value(w, &c, values[i]);
}

void range_end(struct range_writer *w)
{
	for (int i = 0; i <= CODE_BYTES; i++)
		shift_out(w);
}

/* ---- reading ---- */

static uint32_t next_byte(struct range_reader *in)
{
	return (uint32_t)bytes_get_int(in->r, 1);
}

void range_open(struct range_reader *in, struct bytes_reader *r)
{
	*in = (struct range_reader){.r = r, .range = UINT32_MAX};
	for (int i = 0; i < CODE_BYTES; i++)
		in->code = in->code << 8 | next_byte(in);
}

static inline void refill(struct range_reader *in)
{
	for (; in->range < TOP; in->range <<= 8)
		in->code = in->code << 8 | next_byte(in);
}

static inline bool get_bit(struct range_reader *in, struct chance *c)
{
	uint32_t zero = part_of_zero(in->range, c);
	bool bit = in->code >= zero;

	if (bit) {
		in->code -= zero;
		in->range -= zero;
	} else {
		in->range = zero;
	}
	learn(c, bit);
	refill(in);
	return bit;
}

static uint32_t get_noise(struct range_reader *in, unsigned count)
{
	uint32_t bits = 0;

	while (count > 0) {
		unsigned some = count < NOISE_BITS ? count : NOISE_BITS;
		uint32_t found, most = (1u << some) - 1;

		count -= some;
		in->range >>= some;
		found = in->code / in->range;
		found = found < most ? found : most;
		in->code -= found * in->range;
		bits = bits << some | found;
		refill(in);
	}
	return bits;
}

static int32_t get_value(struct range_reader *in, struct column *c)
{
	unsigned len = 0, second;
	uint32_t size;
	bool negative;

	while (len < MAGNITUDE_BITS && get_bit(in, &c->longer[len]))
		len++;
	if (len == 0)
		return 0;
	negative = get_bit(in, &c->sign);
	size = 1;
	if (len > 1) {
		second = get_bit(in, &c->high[len][0]);
		size = size << 1 | second;
		if (len > 2) {
			size = size << 1 | get_bit(in, &c->high[len][1 + second]);
			size = size << (len - 3) | get_noise(in, len - 3);
		}
	}
	return (int32_t)(negative ? 0 - size : size);
}

void range_get(struct range_reader *in, int32_t *values, size_t count)
{
	struct column c;

	if (in->rice) {
		rice_get(in->r, values, count);
		return;
	}
	column_init(&c);
	for (size_t i = 0; i < count; i++)
		values[i] = in->r->bad ? 0 : get_value(in, &c);
}
