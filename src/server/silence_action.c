/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "server/silence_action.h"

#include <stdio.h>
#include <string.h>

#include "base/fmt.h"
#include "base/iso.h"
#include "base/text.h"
#include "base/utf8.h"
#include "fleet/silencing.h"
#include "refresh/silence.h"
#include "server/audit.h"
#include "server/form.h"

#define HOUR_MS  INT64_C(3600000)
#define BODY_MAX 16384
/* An Alertmanager whose clock is behind ours would let it begin later; none lets it begin before it
 * was created. */
#define EARLY_MS INT64_C(300000)

struct wish {
	char server[SNAPSHOT_NAME_MAX + 1]; /* empty: those of the query */
	struct query query;
	char comment[SILENCE_TEXT_MAX + 1];
	int64_t now_ms, until_ms;
};

/* ---- the form ---- */

/* The name is percent-encoded in itself: browsers would change its line breaks. NUL is in no
 * name. */
static bool read_server(struct span form, struct wish *wish)
{
	char encoded[3 * SNAPSHOT_NAME_MAX + 1];
	struct span rest;
	size_t len = 0;

	if (!form_text(form, SPAN("server"), encoded, sizeof(encoded)))
		return false;
	for (rest = span_str(encoded); rest.len && len < SNAPSHOT_NAME_MAX; len++)
		wish->server[len] = text_take_encoded(&rest);
	wish->server[len] = '\0';
	return rest.len == 0 && strlen(wish->server) == len &&
	       utf8_valid((struct span){wish->server, len});
}

/* The parameters of a page that choose servers, as the page was asked for. */
static bool read_scope(struct span form, struct wish *wish)
{
	unsigned keys = QUERY_BIT(QUERY_PROFILE) | QUERY_BIT(QUERY_Q);
	enum query_key bad;

	query_init(&wish->query);
	return read_server(form, wish) && query_parse(&wish->query, form, keys, &bad) == 0 &&
	       (*wish->server != '\0') != (wish->query.given != 0);
}

static bool read_end(struct span form, struct wish *wish)
{
	struct span hours = form_value(form, SPAN("hours"));
	char until[40];

	if (!form_text(form, SPAN("ends"), until, sizeof(until)))
		return false;
	if (*until)
		wish->until_ms = iso_parse(span_str(until));
	else if (span_is(hours, "1") || span_is(hours, "4") || span_is(hours, "8") ||
		 span_is(hours, "24"))
		wish->until_ms = wish->now_ms + text_decimal(hours) * HOUR_MS;
	return wish->until_ms > wish->now_ms && wish->until_ms <= wish->now_ms + SILENCING_MAX_MS;
}

static bool read_comment(struct span form, struct wish *wish)
{
	bool blank = true;

	if (!form_text(form, SPAN("comment"), wish->comment, sizeof(wish->comment)) ||
	    !utf8_valid(span_str(wish->comment)))
		return false;
	for (const char *c = wish->comment; *c; c++) {
		if ((unsigned char)*c < 0x20)
			return false;
		blank = blank && *c == ' ';
	}
	return !blank;
}

/* What is wrong with the form; *hint gets the valid values. NULL: nothing, and *wish is filled. */
static const struct http_error *read_wish(struct span form, struct wish *wish, const char **hint)
{
	static const struct {
		bool (*read)(struct span form, struct wish *wish);
		struct http_error error;
		const char *hint;
	} parts[] = {
		{read_scope,
		 {400, "Bad request", "Which servers to silence is not clear."},
		 "server, a name, percent-encoded; or profile, q, or both, as on the overview"},
		{read_end,
		 {400, "Bad request", "A silence needs an end."},
		 "hours: 1, 4, 8, 24; or ends: a time of UTC as 2026-11-28T06:11:00Z in the next "
		 "31 days"},
		{read_comment,
		 {400, "Bad request", "A silence needs a comment."},
		 "comment: text of at most 240 bytes of UTF-8 in one line"},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		*hint = parts[i].hint;
		if (!parts[i].read(form, wish))
			return &parts[i].error;
	}
	*hint = NULL;
	return NULL;
}

/* ---- the answer ---- */

static const struct http_error absent = {404, "Not found", "No Alertmanager is configured."};

/* What went wrong, or NULL. */
static const struct http_error *error_of(enum silence_outcome outcome)
{
	static const struct http_error errors[] = {
		[SILENCE_REFUSED] = {502, "Refused",
				     "Alertmanager refused it: nothing has changed."},
		[SILENCE_FOREIGN] = {403, "Forbidden",
				     "This silence is not for alerts of this fleet alone. It can "
				     "be ended in Alertmanager."},
		[SILENCE_AWAY] = {502, "Not available",
				  "No Alertmanager answered: nothing has changed, as far as the "
				  "dashboard knows."},
	};

	return outcome == SILENCE_DONE ? NULL : &errors[outcome];
}

static const char *const outcome_names[] = {
	[SILENCE_DONE] = "done",
	[SILENCE_REFUSED] = "refused",
	[SILENCE_FOREIGN] = "foreign",
	[SILENCE_AWAY] = "away",
};

static void give_answer(const struct silence_result *result, enum notice notice,
			struct action_answer *answer, struct json *json)
{
	answer->notice = notice;
	answer->error = error_of(result->outcome);
	(void)snprintf(answer->said, sizeof(answer->said), "%s", result->said);
	answer->hint = *answer->said ? answer->said : NULL;
	json_cstr(json, "result", outcome_names[result->outcome]);
	json_cstr(json, "silence", result->id);
}

/* ---- create ---- */

static void create(const struct alerting *alerting, const struct request *request,
		   const struct wish *wish, struct silence_result *result)
{
	const struct query *query = &wish->query;
	struct silencing silencing = {
		.fleet = span_str(alerting->fleet),
		.server = span_str(wish->server),
		.profile = query->profile >= 0 ? profile_table[query->profile].slug : NULL,
		.contains = span_str(query->q),
		.author = span_str(*request->remote_user ? request->remote_user : "operator"),
		.comment = span_str(wish->comment),
		.from_ms = wish->now_ms - EARLY_MS,
		.until_ms = wish->until_ms,
	};
	struct buf body;

	*result = (struct silence_result){.outcome = SILENCE_AWAY};
	buf_init(&body, BODY_MAX);
	silencing_json(&silencing, &body);
	if (buf_ok(&body))
		silence_create(alerting, buf_span(&body), result);
	buf_free(&body);
}

static void tell_created(const struct refresh *refresh, const struct request *request,
			 const struct wish *wish, const struct silence_result *result,
			 struct json *json)
{
	struct diagnosis_action done = audit_begin("silence.set", request);
	const struct query *query = &wish->query;
	const char *profile = query->profile >= 0 ? profile_table[query->profile].slug : "";
	struct buf until;

	buf_init(&until, sizeof(done.to));
	fmt_iso_seconds(&until, wish->until_ms);
	buf_char(&until, '\0');
	if (buf_ok(&until))
		audit_word(done.to, sizeof(done.to), until.data);
	audit_word(done.from, sizeof(done.from), wish->server);
	audit_end(refresh, request, &done, outcome_names[result->outcome],
		  (const struct log_field[]){LOG_STR("server", wish->server),
					     LOG_STR("profile", profile),
					     LOG_STR("q", query->q),
					     LOG_STR("comment", wish->comment),
					     LOG_STR("silence", result->id),
					     {NULL, {NULL, 0}, 0}});
	json_cstr(json, "until", done.to);
	buf_free(&until);
}

void silence_action_create(const struct refresh *refresh, const struct request *request,
			   struct action_answer *answer, struct json *json)
{
	struct wish wish = {.now_ms = cache_now_ms(refresh->cache)};
	struct silence_result result;

	answer->error = refresh->alerting && refresh->alerting->alertmanagers
				? read_wish((struct span){request->body, request->body_len}, &wish,
					    &answer->hint)
				: &absent;
	if (answer->error)
		return;
	create(refresh->alerting, request, &wish, &result);
	give_answer(&result, NOTICE_SILENCED, answer, json);
	tell_created(refresh, request, &wish, &result, json);
}

/* ---- end ---- */

void silence_action_end(const struct refresh *refresh, const struct request *request,
			struct action_answer *answer, struct json *json)
{
	static const struct http_error unknown = {400, "Bad request", "There is no such silence."};
	struct span id = form_value((struct span){request->body, request->body_len}, SPAN("id"));
	struct diagnosis_action done = audit_begin("silence.end", request);
	struct silence_result result;

	if (!refresh->alerting || !refresh->alerting->alertmanagers) {
		answer->error = &absent;
	} else if (!silence_is_id(id)) {
		answer->error = &unknown;
		answer->hint = "id: letters, digits and hyphens";
	} else {
		silence_end(refresh->alerting, id, &result);
		give_answer(&result, NOTICE_SILENCE_ENDED, answer, json);
		audit_end(refresh, request, &done, outcome_names[result.outcome],
			  (const struct log_field[]){LOG_STR("silence", result.id),
						     {NULL, {NULL, 0}, 0}});
	}
}
