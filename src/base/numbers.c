/* SPDX-License-Identifier: MIT */
/*
 * The daemon writes up to 17 significant digits. Read as an integer over a power of ten and divided
 * with one rounding, they need none of strtod's long arithmetic. A text ends with a bracket, so
 * reading a number or space stops before its end.
 */
#include "config.h"
#include "base/numbers.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define DIGITS_MAX  19 /* any such number fits 64 bits */
#define INTEGER_MAX 18 /* digits of an integer that surely fits int64_t */

#define E3(n)  n, n##0, n##00
#define E12(n) E3(n), E3(n##000), E3(n##000000), E3(n##000000000)

static const uint64_t powers_of_10[DIGITS_MAX + 1] = {
	E12(1), E3(1000000000000), E3(1000000000000000), 1000000000000000000, 10000000000000000000u,
};

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 uint128;

/* digits / power, shifted so that the quotient has 62 or 63 bits. A last bit of 1 stands for all
 * that would follow, so that the conversion to 53 bits, the one rounding, sees on which side of a
 * half it is. */
static double divide(uint64_t digits, uint64_t power)
{
	int up = __builtin_clzll(digits), down = __builtin_clzll(power);
	uint128 n = (uint128)(digits << up) << 62;
	uint64_t d = power << down, quotient = (uint64_t)(n / d);

	quotient |= quotient * d != (uint64_t)n;
	return ldexp((double)(int64_t)quotient, down - up - 62);
}

static double decimal(uint64_t digits, size_t places, const char *text)
{
	(void)text;
	/* Both sides of the first division are exact. */
	if (digits < UINT64_C(1) << 53)
		return (double)digits / (double)powers_of_10[places];
	return divide(digits, powers_of_10[places]);
}
#else
static double decimal(uint64_t digits, size_t places, const char *text)
{
	(void)digits, (void)places;
	return strtod(text, NULL);
}
#endif

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads the digits at p and appends them to *digits; returns where they end. */
static const char *read_digits(const char *p, uint64_t *digits)
{
	uint64_t sum = *digits;
	unsigned digit;

	for (; (digit = (unsigned char)*p - (unsigned)'0') <= 9; p++)
		sum = sum * 10 + digit;
	*digits = sum;
	return p;
}

/* A number with an exponent or with too many digits; p is where the exponent would start. */
static const char *read_long(const char *text, const char *p, double *value)
{
	uint64_t ignored = 0;

	if (*p == 'e' || *p == 'E') {
		p += 1 + (p[1] == '+' || p[1] == '-');
		if (!is_digit(*p))
			return NULL;
		p = read_digits(p, &ignored);
	}
	*value = strtod(text, NULL);
	return isfinite(*value) ? p : NULL;
}

/* Past the number without sign at `text`, NULL if there is none. */
static const char *read_magnitude(const char *text, double *value)
{
	uint64_t digits = 0;
	const char *point = read_digits(text, &digits), *p = point;
	size_t whole = (size_t)(point - text), places = 0;

	if (whole == 0 || (whole > 1 && *text == '0'))
		return NULL;
	if (*p == '.') {
		p = read_digits(point + 1, &digits);
		places = (size_t)(p - point) - 1;
		if (places == 0)
			return NULL;
	}
	if (*p == 'e' || *p == 'E')
		return read_long(text, p, value);
	if (places == 0) {
		*value = (double)digits;
		return whole <= INTEGER_MAX ? p : NULL;
	}
	if (places + (*text == '0' ? 0 : whole) > DIGITS_MAX)
		return read_long(text, p, value);
	*value = decimal(digits, places, text);
	return p;
}

const char *numbers_read(const char *p, double *value)
{
	const char *text = p + 1;

	if (*p != '-')
		return read_magnitude(p, value);
	p = read_magnitude(text, value);
	if (!p)
		return NULL;
	/* One digit is an integer, of which zero has no sign. */
	*value = p - text == 1 ? 0 - *value : -*value;
	return p;
}

static const char *skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
		p++;
	return p;
}

/* Past the list whose opening bracket stands before p, NULL if it is another kind of array. */
static const char *read_list(const char *p, struct numbers_list *list)
{
	double value;

	list->len = 0;
	p = skip_space(p);
	if (*p == ']')
		return p + 1;
	for (;;) {
		p = numbers_read(p, &value);
		if (!p)
			return NULL;
		if (list->len < NUMBERS_KEPT)
			list->value[list->len] = value;
		list->len++;
		p = skip_space(p);
		if (*p != ',')
			return *p == ']' ? p + 1 : NULL;
		p = skip_space(p + 1);
	}
}

/* Past the string whose opening quote stands before p. */
static const char *skip_string(const char *p, const char *end)
{
	while (p < end && *p != '"')
		p += *p == '\\' ? 2 : 1;
	return p < end ? p + 1 : end;
}

bool numbers_take(struct span text, struct numbers *numbers, struct buf *rest)
{
	const char *p = text.ptr, *end = text.ptr + text.len, *copied = p;

	numbers->count = 0;
	buf_reset(rest);
	if (text.len == 0 || end[-1] != '}')
		return false;
	while (p < end) {
		char c = *p++;

		if (c == '"')
			p = skip_string(p, end);
		/* Some readers accept the other quote too, and would then see different strings
		 * than we do. */
		if (c == '\'' || (c == '[' && numbers->count == NUMBERS_LISTS))
			return false;
		if (c != '[')
			continue;
		buf_add(rest, copied, (size_t)(p - copied));
		p = read_list(p, &numbers->list[numbers->count]);
		if (!p)
			return false;
		buf_addf(rest, "%zu]", numbers->count++);
		copied = p;
	}
	buf_add(rest, copied, (size_t)(end - copied));
	return buf_ok(rest);
}
