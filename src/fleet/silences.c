/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "fleet/silences.h"

#include <stdlib.h>

#include "base/text.h"
#include "base/utf8.h"

#define TIME_BYTES 6 /* until the year 10889 */

const char *const silence_state_names[] = {
	[SILENCE_PENDING] = "pending", [SILENCE_ACTIVE] = "active", [SILENCE_ENDED] = "ended"};

void silences_free(struct silences *silences)
{
	free(silences->list);
	*silences = (struct silences){NULL, 0};
}

enum silence_state silence_state_at(const struct silence *silence, int64_t at_ms)
{
	if (at_ms < silence->from_ms)
		return SILENCE_PENDING;
	return at_ms < silence->until_ms ? SILENCE_ACTIVE : SILENCE_ENDED;
}

static bool is_id_char(char c)
{
	return c == '-' || (c >= '0' && c <= '9') || (text_lower(c) >= 'a' && text_lower(c) <= 'z');
}

bool silence_is_id(struct span id)
{
	bool ok = id.len > 0 && id.len <= SILENCE_ID_MAX;

	for (size_t i = 0; ok && i < id.len; i++)
		ok = is_id_char(id.ptr[i]);
	return ok;
}

const struct silence *silences_by_id(const struct silences *silences, struct span id)
{
	for (size_t i = 0; i < silences->count; i++)
		if (span_eq(silences->list[i].id, id))
			return &silences->list[i];
	return NULL;
}

/* ---- whom it covers ---- */

/* A label that an alert does not have is like an empty one. That of the fleet is ours: of the
 * silences that demand another one, none is kept. */
static struct span label_of(const struct silence_subject *subject, struct span label)
{
	const struct {
		const char *label;
		struct span value;
	} labels[] = {
		{"alertname", SPAN(SILENCES_ALERT)},
		{"server", subject->server},
		{"profile", span_str(profile_table[subject->profile].slug)},
		{"severity", span_str(level_table[subject->severity].slug)},
	};

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (span_is(label, labels[i].label))
			return labels[i].value;
	return (struct span){NULL, 0};
}

static bool matches(const struct silence_matcher *m, const struct silence_subject *subject)
{
	if (m->is_regex)
		return false;
	return span_is(m->label, "fleet") ||
	       span_eq(label_of(subject, m->label), m->value) == m->is_equal;
}

static bool covers(const struct silence *silence, const struct silence_subject *subject)
{
	for (size_t i = 0; i < silence->matcher_count; i++)
		if (!matches(&silence->matchers[i], subject))
			return false;
	return true;
}

const struct silence *silences_covering(const struct silences *silences,
					const struct silence_subject *subject, int64_t at_ms)
{
	const struct silence *longest = NULL;

	for (size_t i = 0; i < silences->count; i++) {
		const struct silence *s = &silences->list[i];

		if (silence_state_at(s, at_ms) == SILENCE_ACTIVE && covers(s, subject) &&
		    (!longest || s->until_ms > longest->until_ms))
			longest = s;
	}
	return longest;
}

/* ---- the stored form ---- */

enum { MATCHER_REGEX = 1, MATCHER_EQUAL = 2, MATCHER_FLAGS = 3 };

static void put_matcher(const struct silence_matcher *m, struct buf *out)
{
	bytes_put_int(out, (m->is_regex ? MATCHER_REGEX : 0u) | (m->is_equal ? MATCHER_EQUAL : 0u),
		      1);
	bytes_put_text(out, m->label);
	bytes_put_text(out, m->value);
}

void silence_put(const struct silence *silence, struct buf *out)
{
	bytes_put_text(out, silence->id);
	bytes_put_text(out, silence->author);
	bytes_put_text(out, silence->comment);
	bytes_put_int(out, (uint64_t)silence->from_ms, TIME_BYTES);
	bytes_put_int(out, (uint64_t)silence->until_ms, TIME_BYTES);
	bytes_put_int(out, silence->is_ours, 1);
	bytes_put_int(out, silence->matcher_count, 1);
	for (size_t i = 0; i < silence->matcher_count; i++)
		put_matcher(&silence->matchers[i], out);
}

static void get_matcher(struct bytes_reader *r, struct silence_matcher *m)
{
	int flags = bytes_get_upto(r, 1, MATCHER_FLAGS);

	m->is_regex = flags & MATCHER_REGEX;
	m->is_equal = flags & MATCHER_EQUAL;
	m->label = bytes_get_utf8(r);
	m->value = bytes_get_utf8(r);
}

void silence_get(struct bytes_reader *r, struct silence *silence)
{
	*silence = (struct silence){.id = bytes_get_utf8(r)};
	silence->author = bytes_get_utf8(r);
	silence->comment = bytes_get_utf8(r);
	silence->from_ms = (int64_t)bytes_get_int(r, TIME_BYTES);
	silence->until_ms = (int64_t)bytes_get_int(r, TIME_BYTES);
	silence->is_ours = bytes_get_upto(r, 1, 1);
	silence->matcher_count = (size_t)bytes_get_upto(r, 1, SILENCE_MATCHERS);
	for (size_t i = 0; i < silence->matcher_count; i++)
		get_matcher(r, &silence->matchers[i]);
}
