/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "fleet/told.h"

#include "base/iso.h"
#include "base/text.h"
#include "base/utf8.h"
#include "fleet/dom.h"

#define TEXT_MAX  255 /* bytes_put_text */
#define DEPTH_MAX 8
#define MARKS_MAX 8192 /* { [ and , of one object, all of which cost memory */
/* Half of a record, less its head and what the last element may exceed. */
#define LIST_MAX (ALERTMANAGER_RECORD_MAX / 2 - 8192)

/* A silence that was taken: alerts name them. */
struct taken {
	char id[SILENCE_ID_MAX];
	size_t id_len;
	int64_t until_ms;
};

struct reader {
	const struct told *told;
	struct json_tokener *tokener;
	struct alertmanager all; /* without its lists, which are stored at once */
	struct buf silences, alerts;
	struct buf taken;     /* struct taken */
	struct buf receivers; /* of one alert */
};

/* ---- a list, object by object ---- */

static void skip(struct span *rest, size_t len)
{
	*rest = (struct span){rest->ptr + len, rest->len - len};
}

static void skip_spaces(struct span *rest)
{
	while (rest->len && memchr(" \n\r\t", *rest->ptr, 4))
		skip(rest, 1);
}

static bool take_char(struct span *rest, char c)
{
	skip_spaces(rest);
	if (!rest->len || *rest->ptr != c)
		return false;
	skip(rest, 1);
	return true;
}

/* The length of the object at the start; 0: there is none, or it is too much for the parser, which
 * checks the rest. */
static size_t object_length(struct span text)
{
	bool quoted = false;
	int depth = 0, marks = 0;

	if (!text.len || *text.ptr != '{')
		return 0;
	for (size_t i = 0; i < text.len && marks <= MARKS_MAX; i++) {
		char c = text.ptr[i];

		if (c == '"')
			quoted = !quoted;
		else if (quoted)
			i += c == '\\';
		else if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		marks += !quoted && (c == ',' || c == '{' || c == '[');
		if (!depth)
			return i + 1;
	}
	return 0;
}

enum taking { TAKEN, NOT_OURS, LEFT_OUT };
typedef enum taking (*take_fn)(struct reader *r, const struct json_object *object);

/* False: it is not JSON. */
static bool take_object(struct reader *r, struct span text, take_fn take, unsigned *left_out)
{
	struct json_object *object;

	if (text.len > TOLD_ELEMENT_MAX) {
		++*left_out;
		return true;
	}
	object = text.len ? dom_parse(r->tokener, text) : NULL;
	if (!object)
		return false;
	*left_out += take(r, object) == LEFT_OUT;
	json_object_put(object);
	return true;
}

static bool take_list(struct reader *r, struct span rest, take_fn take, unsigned *left_out)
{
	if (!take_char(&rest, '['))
		return false;
	if (!take_char(&rest, ']')) {
		do {
			size_t len;

			skip_spaces(&rest);
			len = object_length(rest);
			if (!take_object(r, (struct span){rest.ptr, len}, take, left_out))
				return false;
			skip(&rest, len);
		} while (take_char(&rest, ','));
		if (!take_char(&rest, ']'))
			return false;
	}
	skip_spaces(&rest);
	return !rest.len;
}

/* ---- texts ---- */

/* Whether it is a text, and short enough to be kept whole. */
static bool take_text(struct json_object *value, struct span *text)
{
	*text = dom_string(value);
	return text->ptr && text->len <= TEXT_MAX && utf8_valid(*text);
}

static bool take_optional(struct json_object *value, struct span *text)
{
	*text = (struct span){NULL, 0};
	return !value || take_text(value, text);
}

/* The beginning of it, in whole characters. */
static struct span cut(struct span text, size_t most)
{
	size_t len = 0, next;
	uint32_t c;

	while (len < text.len && (next = utf8_next(text, len, &c)) > 0 && len + next <= most)
		len += next;
	return (struct span){text.ptr, len};
}

static size_t count_of(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

/* ---- silences ---- */

static bool take_matcher(const struct json_object *from, struct silence_matcher *m)
{
	struct json_object *regex = dom_member(from, "isRegex"),
			   *equal = dom_member(from, "isEqual");

	m->is_regex = json_object_get_boolean(regex);
	m->is_equal = !equal || json_object_get_boolean(equal);
	return json_object_is_type(regex, json_type_boolean) &&
	       (!equal || json_object_is_type(equal, json_type_boolean)) &&
	       take_text(dom_member(from, "name"), &m->label) && m->label.len &&
	       take_text(dom_member(from, "value"), &m->value);
}

static bool take_matchers(struct json_object *list, struct silence *s)
{
	s->matcher_count = count_of(list);
	if (s->matcher_count < 1 || s->matcher_count > SILENCE_MATCHERS)
		return false;
	for (size_t i = 0; i < s->matcher_count; i++)
		if (!take_matcher(json_object_array_get_idx(list, i), &s->matchers[i]))
			return false;
	return true;
}

static bool take_id(struct json_object *value, struct span *id)
{
	*id = dom_string(value);
	return silence_is_id(*id);
}

static bool take_time(struct json_object *value, int64_t *at_ms)
{
	*at_ms = iso_parse(dom_string(value));
	return *at_ms >= 0;
}

static bool read_silence(const struct json_object *from, struct silence *s)
{
	s->author = cut(dom_string(dom_member(from, "createdBy")), SILENCE_TEXT_MAX);
	s->comment = cut(dom_string(dom_member(from, "comment")), SILENCE_TEXT_MAX);
	return take_id(dom_member(from, "id"), &s->id) &&
	       take_time(dom_member(from, "startsAt"), &s->from_ms) &&
	       take_time(dom_member(from, "endsAt"), &s->until_ms) &&
	       take_matchers(dom_member(from, "matchers"), s);
}

static bool is_our_label(struct span label)
{
	static const char *const labels[] = {"alertname", "severity", "fleet",
					     "server",    "profile",  "metric"};

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (span_is(label, labels[i]))
			return true;
	return false;
}

/* Whether there can be an alert of ours that it matches. Expressions are not looked into. */
static bool may_match(const struct silence_matcher *m, struct span fleet)
{
	if (m->is_regex)
		return true;
	if (span_is(m->label, "fleet"))
		return span_eq(m->value, fleet) == m->is_equal;
	if (!m->is_equal || !m->value.len)
		return true;
	if (span_is(m->label, "alertname"))
		return m->value.len > 3 && memcmp(m->value.ptr, "Tft", 3) == 0;
	return is_our_label(m->label);
}

static bool concerns_us(struct silence *s, struct span fleet)
{
	for (size_t i = 0; i < s->matcher_count; i++) {
		const struct silence_matcher *m = &s->matchers[i];

		if (!may_match(m, fleet))
			return false;
		s->is_ours |= span_is(m->label, "fleet") && m->is_equal && !m->is_regex;
	}
	return true;
}

bool told_is_ours(struct span silence, struct span fleet)
{
	struct json_tokener *tokener = dom_tokener(DEPTH_MAX);
	struct json_object *object = tokener ? dom_parse(tokener, silence) : NULL;
	struct silence s = {.is_ours = false};
	bool ours = object && read_silence(object, &s) && concerns_us(&s, fleet) && s.is_ours;

	json_object_put(object);
	if (tokener)
		json_tokener_free(tokener);
	return ours;
}

/* Its clock may differ from ours. What it says counts: it is active, or it has ended. */
static void set_clock(const struct json_object *object, int64_t now_ms, struct silence *s)
{
	struct span state = dom_string(dom_member(dom_member(object, "status"), "state"));
	bool has_ended = span_is(state, "expired");

	if ((has_ended || span_is(state, "active")) && s->from_ms > now_ms)
		s->from_ms = now_ms;
	if (has_ended && s->until_ms > now_ms)
		s->until_ms = now_ms;
}

static enum taking take_silence(struct reader *r, const struct json_object *object)
{
	struct silence s = {.is_ours = false};
	struct taken taken = {.id_len = 0};

	if (!read_silence(object, &s))
		return LEFT_OUT;
	set_clock(object, r->told->now_ms, &s);
	if (!concerns_us(&s, r->told->fleet) || r->told->now_ms - s.until_ms > TOLD_ENDED_MS)
		return NOT_OURS;
	if (r->all.silences.count == SILENCES_MAX || r->silences.len > LIST_MAX)
		return LEFT_OUT;
	silence_put(&s, &r->silences);
	memcpy(taken.id, s.id.ptr, s.id.len);
	taken.id_len = s.id.len;
	taken.until_ms = s.until_ms;
	buf_add(&r->taken, &taken, sizeof(taken));
	r->all.silences.count++;
	return TAKEN;
}

/* ---- alerts ---- */

/* Its number among those taken, from 1; 0: it is not among them. */
static size_t find_taken(const struct reader *r, struct span id)
{
	const struct taken *taken = (const struct taken *)(const void *)r->taken.data;

	for (size_t i = 0; i < r->all.silences.count; i++)
		if (span_eq((struct span){taken[i].id, taken[i].id_len}, id))
			return i + 1;
	return 0;
}

/* Of those that silence it the one that ends last. */
static size_t find_silence(const struct reader *r, struct json_object *ids)
{
	const struct taken *taken = (const struct taken *)(const void *)r->taken.data;
	size_t last = 0;

	for (size_t i = 0; i < count_of(ids); i++) {
		size_t n = find_taken(r, dom_string(json_object_array_get_idx(ids, i)));

		if (n && (!last || taken[n - 1].until_ms > taken[last - 1].until_ms))
			last = n;
	}
	return last;
}

static void take_receivers(struct json_object *list, struct buf *names)
{
	buf_reset(names);
	for (size_t i = 0; i < count_of(list); i++) {
		struct span comma = names->len ? SPAN(", ") : SPAN(""), name;

		if (!take_text(dom_member(json_object_array_get_idx(list, i), "name"), &name) ||
		    names->len + comma.len + name.len > TOLD_RECEIVERS_MAX)
			continue;
		buf_span_add(names, comma);
		buf_span_add(names, name);
	}
}

static bool take_severity(struct json_object *value, enum level *severity)
{
	int l = 0;

	while (l < LEVEL_COUNT && !span_is(dom_string(value), level_table[l].slug))
		l++;
	*severity = (enum level)l;
	return l < LEVEL_COUNT;
}

static bool read_alert(const struct json_object *from, struct told_alert *a)
{
	const struct json_object *labels = dom_member(from, "labels"),
				 *status = dom_member(from, "status");

	a->is_new = span_is(dom_string(dom_member(status, "state")), "unprocessed");
	a->is_silenced = count_of(dom_member(status, "silencedBy")) > 0;
	a->is_inhibited = count_of(dom_member(status, "inhibitedBy")) > 0;
	a->is_muted = count_of(dom_member(status, "mutedBy")) > 0;
	return take_text(dom_member(labels, "alertname"), &a->name) &&
	       take_severity(dom_member(labels, "severity"), &a->severity) &&
	       take_optional(dom_member(labels, "server"), &a->server) &&
	       take_optional(dom_member(labels, "metric"), &a->metric) &&
	       take_time(dom_member(from, "startsAt"), &a->from_ms);
}

static enum taking take_alert(struct reader *r, const struct json_object *object)
{
	const struct json_object *labels = dom_member(object, "labels");
	struct told_alert alert = {.is_new = false};

	if (!span_eq(dom_string(dom_member(labels, "fleet")), r->told->fleet))
		return NOT_OURS;
	if (!read_alert(object, &alert) || r->all.alert_count == ALERTMANAGER_ALERTS_MAX ||
	    r->alerts.len > LIST_MAX)
		return LEFT_OUT;
	take_receivers(dom_member(object, "receivers"), &r->receivers);
	alert.receivers = buf_span(&r->receivers);
	alertmanager_put_alert(
		&alert, find_silence(r, dom_member(dom_member(object, "status"), "silencedBy")),
		&r->alerts);
	r->all.alert_count++;
	return TAKEN;
}

/* ---- itself, and all of it ---- */

/* Writes the record while the answer that two of its texts point into is there. */
static bool take_status(struct reader *r, struct buf *record)
{
	struct span text = r->told->status;
	struct json_object *object, *cluster;
	bool good;

	skip_spaces(&text);
	text.len = object_length(text);
	object = text.len ? dom_parse(r->tokener, text) : NULL;
	cluster = dom_member(object, "cluster");
	r->all.peers = (unsigned)count_of(dom_member(cluster, "peers")) & UINT16_MAX;
	good = take_text(dom_member(dom_member(object, "versionInfo"), "version"),
			 &r->all.version) &&
	       take_text(dom_member(cluster, "status"), &r->all.cluster);
	if (good)
		alertmanager_put(&r->all, buf_span(&r->silences), buf_span(&r->alerts), record);
	json_object_put(object);
	return good;
}

static enum reason decode(struct reader *r, struct buf *record)
{
	bool good = take_list(r, r->told->silences, take_silence, &r->all.silences_left_out) &&
		    take_list(r, r->told->alerts, take_alert, &r->all.alerts_left_out) &&
		    take_status(r, record);

	if (!buf_ok(&r->silences) || !buf_ok(&r->alerts) || !buf_ok(&r->taken) || !buf_ok(record))
		return REASON_INTERNAL;
	return good ? REASON_NONE : REASON_BAD;
}

enum reason told_decode(const struct told *told, struct buf *record)
{
	struct reader r = {
		.told = told, .tokener = dom_tokener(DEPTH_MAX), .all = {.read_ms = told->now_ms}};
	enum reason reason;

	buf_init(&r.silences, ALERTMANAGER_RECORD_MAX);
	buf_init(&r.alerts, ALERTMANAGER_RECORD_MAX);
	buf_init(&r.taken, SILENCES_MAX * sizeof(struct taken));
	buf_init(&r.receivers, 2 * TOLD_RECEIVERS_MAX);
	reason = r.tokener ? decode(&r, record) : REASON_INTERNAL;
	buf_free(&r.silences);
	buf_free(&r.alerts);
	buf_free(&r.taken);
	buf_free(&r.receivers);
	if (r.tokener)
		json_tokener_free(r.tokener);
	return reason;
}
