/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "server/audit.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

void audit_word(char *to, size_t size, const char *text)
{
	bool is_word = *text && strlen(text) < size;

	for (const char *c = text; *c; c++)
		is_word = is_word && *c > 0x20 && *c < 0x7f;
	(void)snprintf(to, size, "%s", is_word ? text : "-");
}

struct diagnosis_action audit_begin(const char *action, const struct request *request)
{
	struct diagnosis_action done = {.at_ms = clock_wall_ms(), .from = "-", .to = "-"};

	(void)snprintf(done.action, sizeof(done.action), "%s", action);
	(void)snprintf(done.user, sizeof(done.user), "%.63s",
		       *request->remote_user ? request->remote_user : "-");
	return done;
}

static void put_line(const struct request *request, const struct diagnosis_action *done,
		     const struct log_field *details)
{
	struct log_field fields[7 + AUDIT_DETAILS_MAX + 1] = {
		LOG_STR("user", done->user),     LOG_STR("role", "operator"),
		LOG_STR("action", done->action), LOG_STR("from", done->from),
		LOG_STR("to", done->to),         LOG_STR("ip", request->remote_addr),
		LOG_STR("result", done->result)};

	for (size_t n = 7; details && details->key && n < 7 + AUDIT_DETAILS_MAX; n++)
		fields[n] = *details++;
	log_audit_fields(fields);
}

void audit_end(const struct refresh *refresh, const struct request *request,
	       struct diagnosis_action *done, const char *result, const struct log_field *details)
{
	char labels[80];

	(void)snprintf(done->result, sizeof(done->result), "%s", result);
	put_line(request, done, details);
	cache_note_action(refresh->cache, done);
	(void)snprintf(labels, sizeof(labels), "action=\"%s\",result=\"%s\"", done->action,
		       done->result);
	metrics_count(refresh->metrics, METRICS_ACTIONS, labels);
}
