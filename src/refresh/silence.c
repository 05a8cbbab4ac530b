/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "refresh/silence.h"

#include <stdio.h>
#include <string.h>

#include "fleet/dom.h"
#include "fleet/told.h"
#include "refresh/readback.h"

#define ANSWER_MAX 65536
#define DEPTH      8

/* A gateway in front of it may answer in its place. */
static bool has_answered(const struct upstream_call *call)
{
	return call->status != 0 && call->reason != REASON_TIMEOUT &&
	       (call->status < 502 || call->status > 504);
}

/* Its words, a JSON string, without their quotation marks. */
static void take_words(struct span answer, struct silence_result *result)
{
	while (answer.len && strchr("\"\n", answer.ptr[answer.len - 1]))
		answer.len--;
	if (answer.len && *answer.ptr == '"')
		answer = (struct span){answer.ptr + 1, answer.len - 1};
	(void)snprintf(result->said, sizeof(result->said), "%.*s",
		       (int)(answer.len < SILENCE_SAID_MAX ? answer.len : SILENCE_SAID_MAX),
		       answer.len ? answer.ptr : "");
}

/* Runs the call at one after the other from `first` on, until one answers. *answer gets the body. */
static void ask(const struct alerting *a, size_t first, struct upstream_call *call,
		struct buf *answer, struct silence_result *result)
{
	*result = (struct silence_result){.outcome = SILENCE_AWAY};
	call->sink = upstream_keep;
	call->ctx = answer;
	for (size_t i = first; i < a->alertmanagers && result->outcome == SILENCE_AWAY; i++) {
		buf_reset(answer);
		call->member = result->member = i;
		upstream_run(a->upstream, call, 1, NULL, NULL);
		if (has_answered(call))
			result->outcome =
				call->reason == REASON_NONE ? SILENCE_DONE : SILENCE_REFUSED;
	}
	if (result->outcome == SILENCE_REFUSED)
		take_words(buf_span(answer), result);
}

/* ---- what it answers ---- */

/* The id in the answer to a POST; false: there is none. */
static bool read_id(struct span answer, char id[SILENCE_ID_MAX + 1])
{
	struct json_tokener *tokener = dom_tokener(DEPTH);
	struct json_object *object = tokener ? dom_parse(tokener, answer) : NULL;
	struct span found = dom_string(dom_member(object, "silenceID"));
	bool ok = silence_is_id(found);

	if (ok)
		memcpy(id, found.ptr, found.len);
	id[ok ? found.len : 0] = '\0';
	json_object_put(object);
	if (tokener)
		json_tokener_free(tokener);
	return ok;
}

/* ---- the calls ---- */

void silence_create(const struct alerting *a, struct span json, struct silence_result *result)
{
	struct upstream_call call = {.endpoint = UPSTREAM_SILENCE_CREATE, .body = json};
	struct buf answer;

	buf_init(&answer, ANSWER_MAX);
	ask(a, 0, &call, &answer, result);
	if (result->outcome == SILENCE_DONE && !read_id(buf_span(&answer), result->id))
		result->outcome = SILENCE_REFUSED;
	if (result->outcome == SILENCE_DONE)
		readback_again(a, result->member);
	buf_free(&answer);
}

void silence_end(const struct alerting *a, struct span id, struct silence_result *result)
{
	struct upstream_call call = {.endpoint = UPSTREAM_SILENCE, .rest = id};
	struct buf answer;

	buf_init(&answer, ANSWER_MAX);
	ask(a, 0, &call, &answer, result);
	if (result->outcome == SILENCE_DONE &&
	    !told_is_ours(buf_span(&answer), span_str(a->fleet))) {
		result->outcome = SILENCE_FOREIGN;
	} else if (result->outcome == SILENCE_DONE) {
		call.endpoint = UPSTREAM_SILENCE_END;
		ask(a, result->member, &call, &answer, result);
		if (result->outcome == SILENCE_DONE)
			readback_again(a, result->member);
	}
	(void)snprintf(result->id, sizeof(result->id), "%.*s", (int)id.len, id.ptr);
	buf_free(&answer);
}
