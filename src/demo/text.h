/* SPDX-License-Identifier: MIT */
#ifndef DEMO_TEXT_H
#define DEMO_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A growing answer body. Start from `struct text t = {0}`, append, check `failed` once at the end,
 * call text_free.
 *
 * A failed allocation, or a body over TEXT_MAX, sets `failed`; later appends do nothing.
 * data is not NUL-terminated and belongs to the struct.
 */
struct text {
	char *data;
	size_t len, cap;
	bool failed;
};

enum { TEXT_MAX = 128 << 20 }; /* 1,000 servers need about 45 MB */

void text_add(struct text *t, const char *bytes, size_t n);
void text_str(struct text *t, const char *s);
void text_fmt(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A double as Python's repr: the shortest digits that read back equal, with ".0" for whole
 * values. */
void text_num(struct text *t, double v);

/* "[1.0,2.5]" */
void text_nums(struct text *t, const double *v, size_t n);

/* A quoted, escaped JSON string. */
void text_json(struct text *t, const char *s, size_t n);

void text_free(struct text *t);

#endif
