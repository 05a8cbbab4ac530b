/* SPDX-License-Identifier: MIT */
/* What came of an action. */
#ifndef TFT_ACTION_ANSWER_H
#define TFT_ACTION_ANSWER_H

#include "pages/view.h"
#include "refresh/silence.h"

struct action_answer {
	const struct http_error *error;  /* why nothing was done; NULL: it was */
	const char *hint;                /* of a 400: the valid values; of others `said` or NULL */
	char said[SILENCE_SAID_MAX + 1]; /* by the program that refused; foreign bytes */
	int retry_after_s;               /* of a 429 */
	enum notice notice;
	int status; /* for an API client, with the JSON that was written */
};

#endif
