/* SPDX-License-Identifier: MIT */
/*
 * The two things that a user can do: refresh at once, and change the scenario of the metrics
 * generator (doc/pages.md#advanced). Who may do it, and from which page, is decided before anything
 * else is looked at (doc/limits.md#input).
 */
#ifndef TFT_ACTION_H
#define TFT_ACTION_H

#include "refresh/refresh.h"
#include "server/request.h"
#include "settings.h"

enum action { ACTION_REFRESH, ACTION_SCENARIO };

struct action_answer {
	const struct http_error *error; /* why nothing was done; NULL: it was */
	const char *hint;               /* of a 400: the valid values; else NULL */
	int retry_after_s;              /* of a 429 */
	enum notice notice;
	int status; /* for an API client, with the JSON that was written */
};

/* The user whom the web server has authenticated decides; without one, the setting for those. */
enum role action_role(const struct settings *settings, const struct request *request);
/* Why a POST must not act, or NULL: it comes from another site, its sender has not the role, or it
 * is no form. */
const struct http_error *action_refusal(const struct settings *settings,
					const struct request *request);
/* Does it, if it may be done, and tells the log. Without an error `json` gets what an API client is
 * told. Takes up to two time-outs of the generator. */
void action_run(enum action action, const struct refresh *refresh, const struct settings *settings,
		const struct request *request, struct action_answer *answer, struct buf *json);

#endif
