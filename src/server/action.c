/* SPDX-License-Identifier: MIT */
/*
 * A POST passes four checks in this order: the page it was sent from, the role of its sender, the
 * type of its body, the value in it. Only then does it reach Redis, the generator or an Alertmanager.
 */
#include "config.h"
#include "server/action.h"

#include <stdio.h>
#include <strings.h>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "refresh/upstream_status.h"
#include "server/audit.h"
#include "server/form.h"
#include "server/silence_action.h"

/* --- who may act --- */

enum role action_role(const struct settings *settings, const struct request *request)
{
	if (*request->remote_user)
		return text_is_listed(settings->operators, request->remote_user) ? ROLE_OPERATOR
										 : ROLE_VIEWER;
	return (enum role)settings->anonymous;
}

static bool is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

/*
 * The same order as Go's http.CrossOriginProtection. Browsers send Sec-Fetch-Site only over https
 * and to their own host; over plain http they send Origin alone. A request with neither does not
 * come from a browser, so no browser can have been tricked into it. Such a client must still
 * authenticate or be on this host.
 */
static bool is_own_page(const struct settings *settings, const struct request *request)
{
	if (*request->fetch_site)
		return strcmp(request->fetch_site, "same-origin") == 0 ||
		       strcmp(request->fetch_site, "none") == 0;
	if (*request->origin)
		return *settings->origin && strcmp(request->origin, settings->origin) == 0;
	return *request->remote_user || is_loopback(request->remote_addr);
}

static bool is_form(const char *content_type)
{
	static const struct span form = SPAN("application/x-www-form-urlencoded");

	return strncasecmp(content_type, form.ptr, form.len) == 0 &&
	       (content_type[form.len] == '\0' || strchr("; \t", content_type[form.len]));
}

const struct http_error *action_refusal(const struct settings *settings,
					const struct request *request)
{
	static const struct http_error foreign = {403, "Forbidden",
						  "This form was not sent by a page of this "
						  "dashboard, as far as the dashboard knows its "
						  "own address (option auth.origin)."};
	static const struct http_error viewer = {403, "Forbidden", "This needs the operator role."};
	static const struct http_error type = {415, "Unsupported media type",
					       "The body must be an encoded form."};

	if (!is_own_page(settings, request))
		return &foreign;
	if (action_role(settings, request) != ROLE_OPERATOR)
		return &viewer;
	return is_form(request->content_type) ? NULL : &type;
}

/* --- refresh --- */

static void run_refresh(const struct refresh *refresh, const struct request *request,
			struct action_answer *answer, struct json *json)
{
	static const struct http_error limited = {
		429, "Too many requests",
		"Somebody refreshed a moment ago. Once in 5 seconds is enough."};
	static const struct http_error down = {
		503, "Not available",
		"The shared cache cannot be reached. Please try again in a few seconds."};
	static const char *const results[] = {
		[FLUSH_OK] = "done", [FLUSH_LIMITED] = "limited", [FLUSH_DOWN] = "down"};
	struct diagnosis_action done = audit_begin("refresh", request);
	int64_t wait_ms;
	enum flush_result result = cache_flush(refresh->cache, &wait_ms);

	audit_end(refresh, request, &done, results[result], NULL);
	if (result == FLUSH_OK) {
		answer->notice = NOTICE_REFRESHED;
		json_cstr(json, "result", done.result);
	} else {
		answer->error = result == FLUSH_LIMITED ? &limited : &down;
		answer->retry_after_s = (int)((wait_ms + 999) / 1000);
	}
}

/* --- scenario --- */

/* Its notice, or NOTICE_NONE. */
static enum notice find_scenario(struct span name)
{
	for (int i = NOTICE_SCENARIO_FIRST; i <= NOTICE_SCENARIO_LAST; i++)
		if (span_is(name, query_notice_name((enum notice)i)))
			return (enum notice)i;
	return NOTICE_NONE;
}

/*
 * The only place where a request waits for an upstream. The generator may answer 500 to a scenario
 * that it then plays, and 200 to a name that it does not know. So its answer is ignored, and the
 * state that it reports afterwards is the result. The POST is never repeated, since setting a
 * scenario again restarts it.
 */
static void set_scenario(const struct refresh *refresh, const char *name, struct scenario *after)
{
	char body[64];
	struct upstream_call call = {.endpoint = UPSTREAM_SCENARIO_SET};

	(void)snprintf(body, sizeof(body), "{\"scenario\":\"%s\"}", name);
	call.body = span_str(body);
	upstream_run(refresh->upstream, &call, 1, NULL, NULL);
	upstream_status_confirm_scenario(refresh->cache, refresh->upstream, after);
}

static void put_scenario(const struct scenario *after, const char *result, struct json *json)
{
	json_cstr(json, "result", result);
	json_cstr(json, "scenario", after->known ? after->name : NULL);
	if (after->known)
		json_int(json, "total_affected", after->affected);
	else
		json_null(json, "total_affected");
}

static void change_scenario(const struct refresh *refresh, const struct request *request,
			    enum notice wanted, struct action_answer *answer, struct json *json)
{
	struct diagnosis_action done = audit_begin("scenario.set", request);
	struct upstream_status before;
	struct scenario after;
	bool ok;

	upstream_status_read(refresh->cache, true, &before);
	audit_word(done.from, sizeof(done.from), before.scenario.name);
	set_scenario(refresh, query_notice_name(wanted), &after);
	audit_word(done.to, sizeof(done.to), after.name);
	ok = after.known && strcmp(after.name, query_notice_name(wanted)) == 0;
	answer->notice = ok ? wanted : after.known ? NOTICE_UNCHANGED : NOTICE_UNKNOWN;
	answer->status = ok ? 200 : 502;
	audit_end(refresh, request, &done, ok ? "done" : query_notice_name(answer->notice), NULL);
	put_scenario(&after, done.result, json);
}

static void run_scenario(const struct refresh *refresh, const struct request *request,
			 struct action_answer *answer, struct json *json)
{
	static const struct http_error unknown = {400, "Bad request", "There is no such scenario."};
	static const struct http_error unsure = {400, "Bad request",
						 "A change of the scenario has to be confirmed."};
	static const struct http_error absent = {404, "Not found",
						 "No metrics generator is configured."};
	struct span form = {request->body, request->body_len};
	enum notice wanted = find_scenario(form_value(form, SPAN("scenario")));

	if (!refresh->scenario_configured) {
		answer->error = &absent;
	} else if (wanted == NOTICE_NONE) {
		answer->error = &unknown;
		answer->hint = "healthy, degrading, critical, cascade";
	} else if (!span_is(form_value(form, SPAN("confirm")), "1")) {
		answer->error = &unsure;
		answer->hint = "confirm=1";
	} else {
		change_scenario(refresh, request, wanted, answer, json);
	}
}

static const struct {
	const char *name;
	void (*run)(const struct refresh *refresh, const struct request *request,
		    struct action_answer *answer, struct json *json);
} actions[ACTIONS] = {
	[ACTION_REFRESH] = {"refresh", run_refresh},
	[ACTION_SCENARIO] = {"scenario.set", run_scenario},
	[ACTION_SILENCE] = {"silence.set", silence_action_create},
	[ACTION_SILENCE_END] = {"silence.end", silence_action_end},
};

void action_run(enum action action, const struct refresh *refresh, const struct settings *settings,
		const struct request *request, struct action_answer *answer, struct buf *out)
{
	struct json json;

	*answer = (struct action_answer){.error = action_refusal(settings, request), .status = 200};
	if (answer->error) {
		/* Repeats are counted, not logged: other sites must not be able to fill the log. */
		log_event(LOG_LEVEL_WARNING, "action_refused",
			  LOG_STR("user", request->remote_user),
			  LOG_STR("action", actions[action].name),
			  LOG_STR("ip", request->remote_addr), LOG_STR("origin", request->origin),
			  LOG_STR("why", answer->error->text));
		return;
	}
	json_init(&json, out);
	json_object(&json, NULL);
	json_cstr(&json, "action", actions[action].name);
	actions[action].run(refresh, request, answer, &json);
	json_end(&json);
}
