/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "base/bytes.h"

#include <math.h>

#include "base/utf8.h"

void bytes_put_int(struct buf *out, uint64_t value, int bytes)
{
	char b[8];

	for (int i = 0; i < bytes; i++)
		b[i] = (char)(value >> 8 * i & 0xff);
	buf_add(out, b, (size_t)bytes);
}

void bytes_put_double(struct buf *out, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	bytes_put_int(out, bits, 8);
}

void bytes_put_float(struct buf *out, float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	bytes_put_int(out, bits, 4);
}

void bytes_put_varint(struct buf *out, int64_t value)
{
	uint64_t rest = (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);

	for (; rest > 0x7f; rest >>= 7)
		buf_char(out, (char)(rest | 0x80));
	buf_char(out, (char)rest);
}

void bytes_put_text(struct buf *out, struct span text)
{
	bytes_put_int(out, text.len, 1);
	buf_span_add(out, text);
}

void bytes_put_magic(struct buf *out, const char *magic, int format)
{
	buf_add(out, magic, 4);
	bytes_put_int(out, (uint64_t)format, 1);
}

struct span bytes_get(struct bytes_reader *r, size_t len)
{
	struct span s = {r->rest.ptr, len};

	if (r->bad || len > r->rest.len) {
		r->bad = true;
		return (struct span){NULL, 0};
	}
	r->rest.ptr += len;
	r->rest.len -= len;
	return s;
}

uint64_t bytes_get_int(struct bytes_reader *r, int bytes)
{
	struct span s = bytes_get(r, (size_t)bytes);
	uint64_t value = 0;

	for (size_t i = 0; i < s.len; i++)
		value |= (uint64_t)(unsigned char)s.ptr[i] << 8 * i;
	return value;
}

int64_t bytes_get_varint(struct bytes_reader *r)
{
	uint64_t folded = 0;
	unsigned char byte = 0x80;

	for (int shift = 0; byte & 0x80; shift += 7) {
		r->bad |= shift > 56 || r->rest.len == 0;
		if (r->bad)
			return 0;
		byte = (unsigned char)*r->rest.ptr++;
		r->rest.len--;
		folded |= (uint64_t)(byte & 0x7f) << shift;
	}
	return (int64_t)(folded >> 1 ^ (folded & 1 ? UINT64_MAX : 0));
}

int bytes_get_upto(struct bytes_reader *r, int bytes, uint64_t max)
{
	uint64_t value = bytes_get_int(r, bytes);

	r->bad |= value > max;
	return r->bad ? 0 : (int)value;
}

double bytes_get_double(struct bytes_reader *r)
{
	uint64_t bits = bytes_get_int(r, 8);
	double value;

	memcpy(&value, &bits, sizeof(value));
	return isfinite(value) ? value : (double)NAN;
}

float bytes_get_float(struct bytes_reader *r)
{
	uint32_t bits = (uint32_t)bytes_get_int(r, 4);
	float value;

	memcpy(&value, &bits, sizeof(value));
	r->bad |= !isfinite(value);
	return value;
}

void bytes_get_text(struct bytes_reader *r, char *text, size_t size)
{
	struct span s = bytes_get(r, (size_t)bytes_get_upto(r, 1, size - 1));

	for (size_t i = 0; i < s.len; i++)
		r->bad |= s.ptr[i] < 0x20 || s.ptr[i] > 0x7e;
	if (s.len > 0)
		memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
}

struct span bytes_get_utf8(struct bytes_reader *r)
{
	struct span text = bytes_get(r, (size_t)bytes_get_int(r, 1));

	r->bad |= !utf8_valid(text);
	return text;
}

void bytes_get_magic(struct bytes_reader *r, const char *magic, int format)
{
	r->bad |= !span_is(bytes_get(r, 4), magic);
	r->bad |= bytes_get_int(r, 1) != (uint64_t)format;
}
