/* SPDX-License-Identifier: MIT */
/*
 * What an operator does with silences (doc/pages.md#silences): the form `silence` creates one, for a
 * server or for those of a profile or whose name contains a text; the form `silence-end` ends one.
 */
#ifndef TFT_SILENCE_ACTION_H
#define TFT_SILENCE_ACTION_H

#include "base/json.h"
#include "refresh/refresh.h"
#include "server/action_answer.h"
#include "server/request.h"

/* As action_run, of a request that may act. */
void silence_action_create(const struct refresh *refresh, const struct request *request,
			   struct action_answer *answer, struct json *json);
void silence_action_end(const struct refresh *refresh, const struct request *request,
			struct action_answer *answer, struct json *json);

#endif
