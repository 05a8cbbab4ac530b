/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "base/utf8.h"

static size_t length_of(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead < 0xc2) /* a continuation byte, or C0/C1, which only overlong forms begin with */
		return 0;
	if (lead < 0xe0)
		return 2;
	if (lead < 0xf0)
		return 3;
	return lead < 0xf5 ? 4 : 0;
}

size_t utf8_next(struct span s, size_t at, uint32_t *codepoint)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)s.ptr + at;
	size_t len = length_of(p[0]);
	uint32_t c;

	if (len == 0 || len > s.len - at)
		return 0;
	c = len == 1 ? p[0] : p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[len] || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
		return 0;
	*codepoint = c;
	return len;
}

bool utf8_valid(struct span s)
{
	uint32_t c;
	size_t len;

	for (size_t at = 0; at < s.len; at += len) {
		len = utf8_next(s, at, &c);
		if (len == 0)
			return false;
	}
	return true;
}

bool utf8_is_hidden(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{0x0000, 0x001f}, {0x007f, 0x009f}, {0x061c, 0x061c}, {0x200e, 0x200f},
		{0x202a, 0x202e}, {0x2066, 0x2069}, {0xfffe, 0xffff},
	};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]) && c >= hidden[i].first; i++)
		if (c <= hidden[i].last)
			return true;
	return false;
}
