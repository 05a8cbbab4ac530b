/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "base/text.h"

int64_t text_take_decimal(struct span *rest)
{
	int64_t n = 0;
	size_t i = 0;

	for (; i < rest->len && rest->ptr[i] >= '0' && rest->ptr[i] <= '9'; i++)
		n = n < TEXT_DECIMAL_MAX / 10 ? n * 10 + (rest->ptr[i] - '0') : TEXT_DECIMAL_MAX;
	if (i == 0)
		return -1;
	*rest = (struct span){rest->ptr + i, rest->len - i};
	return n;
}

int64_t text_decimal(struct span text)
{
	int64_t n = text_take_decimal(&text);

	return text.len == 0 ? n : -1;
}

struct span text_cut(struct span *rest, char mark)
{
	const char *end = rest->len ? memchr(rest->ptr, mark, rest->len) : NULL;
	struct span head = *rest;

	if (!end) {
		*rest = (struct span){NULL, 0};
		return head;
	}
	head.len = (size_t)(end - head.ptr);
	*rest = (struct span){end + 1, rest->len - head.len - 1};
	return head;
}

bool text_is_listed(const char *list, const char *member)
{
	size_t len = strlen(member);

	while (*list) {
		size_t n = strcspn(list, ",");

		if (n == len && memcmp(list, member, n) == 0)
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

char text_lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = text_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char text_take_encoded(struct span *rest)
{
	const char *at = rest->ptr;
	size_t taken = 1;
	char c = *at;

	if (c == '%' && rest->len > 2 && hex_digit(at[1]) >= 0 && hex_digit(at[2]) >= 0) {
		c = (char)(hex_digit(at[1]) << 4 | hex_digit(at[2]));
		taken = 3;
	}
	*rest = (struct span){at + taken, rest->len - taken};
	return c;
}
