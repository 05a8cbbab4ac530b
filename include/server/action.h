/* SPDX-License-Identifier: MIT */
/*
 * What a user can do: refresh at once, change the scenario of the metrics generator
 * (doc/pages.md#advanced), create and end silences (doc/pages.md#silences). Who may act, and from which page, is decided before anything
 * else is examined (doc/limits.md#input).
 */
#ifndef TFT_ACTION_H
#define TFT_ACTION_H

#include "refresh/refresh.h"
#include "server/action_answer.h"
#include "server/request.h"
#include "settings.h"

enum action { ACTION_REFRESH, ACTION_SCENARIO, ACTION_SILENCE, ACTION_SILENCE_END, ACTIONS };

/* The role of the user whom the web server has authenticated, or of anonymous users. */
enum role action_role(const struct settings *settings, const struct request *request);
/* Why a POST must not act, or NULL: it comes from another site, its sender lacks the role, or it is
 * not a form. */
const struct http_error *action_refusal(const struct settings *settings,
					const struct request *request);
/* Performs the action if it is allowed, and logs it. Without an error `json` gets the answer for an
 * API client. Takes up to two time-outs of the generator or of each
 * Alertmanager. */
void action_run(enum action action, const struct refresh *refresh, const struct settings *settings,
		const struct request *request, struct action_answer *answer, struct buf *json);

#endif
