/* SPDX-License-Identifier: MIT */
/* A silence that an operator asks for, as an Alertmanager takes it (doc/rules.md#silencing). Pure. */
#ifndef TFT_SILENCING_H
#define TFT_SILENCING_H

#include <stdbool.h>

#include "base/buf.h"

#define SILENCING_MAX_MS (31 * INT64_C(86400000))

struct silencing {
	struct span fleet;    /* the label of our alerts */
	struct span server;   /* exactly this one; empty: those that the next two choose */
	const char *profile;  /* label; NULL: all */
	struct span contains; /* part of the name, ASCII letters in lower case; empty: any name */
	struct span author, comment;
	int64_t from_ms, until_ms;
};

/* The body of `POST /api/v2/silences`. */
void silencing_json(const struct silencing *silencing, struct buf *out);

#endif
