/* SPDX-License-Identifier: MIT */
/*
 * The body of an answer, completely in memory: every answer of the real daemon has a
 * Content-Length. Numbers are formatted here because json-c prints doubles with 17 digits.
 */
#include "config.h"
#include "text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct text *t, size_t n)
{
	size_t cap = t->cap ? t->cap : 4096;
	char *data;

	if (t->failed || n > TEXT_MAX - t->len) {
		t->failed = true;
		return false;
	}
	if (t->len + n <= t->cap)
		return true;
	while (cap < t->len + n)
		cap *= 2;
	data = realloc(t->data, cap);
	if (!data) {
		t->failed = true;
		return false;
	}
	t->data = data;
	t->cap = cap;
	return true;
}

void text_add(struct text *t, const char *bytes, size_t n)
{
	if (n == 0 || !reserve(t, n))
		return;
	memcpy(t->data + t->len, bytes, n);
	t->len += n;
}

void text_str(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void text_fmt(struct text *t, const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof line)
		t->failed = true;
	else
		text_add(t, line, (size_t)n);
}

void text_num(struct text *t, double v)
{
	char s[40];
	int n = 0;

	if (fabs(v) < 1e15 && v == trunc(v)) {
		n = snprintf(s, sizeof s, "%lld.0", (long long)v);
	} else {
		for (int digits = 15; digits <= 17; digits++) {
			n = snprintf(s, sizeof s, "%.*g", digits, v);
			if (strtod(s, NULL) == v)
				break;
		}
	}
	text_add(t, s, (size_t)n);
}

void text_nums(struct text *t, const double *v, size_t n)
{
	text_add(t, "[", 1);
	for (size_t i = 0; i < n; i++) {
		if (i)
			text_add(t, ",", 1);
		text_num(t, v[i]);
	}
	text_add(t, "]", 1);
}

void text_json(struct text *t, const char *s, size_t n)
{
	text_add(t, "\"", 1);
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)s[i] < 0x20) {
			text_fmt(t, "\\u%04x", (unsigned)(unsigned char)s[i]);
			continue;
		}
		if (s[i] == '"' || s[i] == '\\')
			text_add(t, "\\", 1);
		text_add(t, s + i, 1);
	}
	text_add(t, "\"", 1);
}

void text_free(struct text *t)
{
	free(t->data);
	*t = (struct text){0};
}
