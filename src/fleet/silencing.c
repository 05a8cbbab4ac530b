/* SPDX-License-Identifier: MIT */
/* Whatever can be is matched as it is. Only a part of a name needs an expression (RE2), for which
 * nothing in the name may have a meaning. */
#include "config.h"
#include "fleet/silencing.h"

#include <string.h>

#include "base/fmt.h"
#include "base/json.h"
#include "base/text.h"

#define TEXT_MAX  4096
#define RE2_MEANS "\\.+*?()|[]{}^$"

static void put_matcher(struct json *j, const char *label, struct span value, bool is_regex)
{
	json_object(j, NULL);
	json_cstr(j, "name", label);
	json_str(j, "value", value);
	json_bool(j, "isRegex", is_regex);
	json_bool(j, "isEqual", true);
	json_end(j);
}

/* Its flag i would find letters beyond ASCII too, which our own search does not. */
static void put_expression(struct span part, struct buf *out)
{
	buf_lit(out, "(?s).*");
	for (size_t i = 0; i < part.len; i++) {
		char c = part.ptr[i];

		if (c >= 'a' && c <= 'z')
			buf_addf(out, "[%c%c]", c, c - 'a' + 'A');
		else
			buf_addf(out, "%s%c", strchr(RE2_MEANS, c) ? "\\" : "", c);
	}
	buf_lit(out, ".*");
}

static void put_part(struct json *j, struct span part, struct buf *text)
{
	buf_reset(text);
	put_expression(part, text);
	put_matcher(j, "server", buf_span(text), true);
}

static void put_matchers(const struct silencing *s, struct json *j, struct buf *text)
{
	json_array(j, "matchers");
	put_matcher(j, "fleet", s->fleet, false);
	if (s->server.len)
		put_matcher(j, "server", s->server, false);
	if (s->profile)
		put_matcher(j, "profile", span_str(s->profile), false);
	if (s->contains.len)
		put_part(j, s->contains, text);
	json_end(j);
}

static void put_time(struct json *j, const char *key, int64_t at_ms, struct buf *text)
{
	buf_reset(text);
	fmt_iso(text, at_ms);
	json_str(j, key, buf_span(text));
}

void silencing_json(const struct silencing *s, struct buf *out)
{
	struct buf text;
	struct json j;

	buf_init(&text, TEXT_MAX);
	json_init(&j, out);
	json_object(&j, NULL);
	put_matchers(s, &j, &text);
	put_time(&j, "startsAt", s->from_ms, &text);
	put_time(&j, "endsAt", s->until_ms, &text);
	json_str(&j, "createdBy", s->author);
	json_str(&j, "comment", s->comment);
	json_end(&j);
	if (!buf_ok(&text))
		buf_fail(out);
	buf_free(&text);
}
