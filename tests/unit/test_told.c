/* SPDX-License-Identifier: MIT */
/* What an Alertmanager answers becomes a record, whatever it answers. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fleet/told.h"

#define NOW INT64_C(1764000000000) /* 2025-11-24T16:00:00Z */

#define STATUS                                                                                     \
	"{\"cluster\":{\"name\":\"01\",\"peers\":[{},{}],\"status\":\"ready\"},"                   \
	"\"config\":{\"original\":\"route: {}\"},\"versionInfo\":{\"version\":\"0.25.0\"}}"
#define PLAIN(label, value)                                                                        \
	"{\"name\":\"" label "\",\"value\":\"" value "\",\"isRegex\":false,\"isEqual\":true}"
#define SILENCE(id, until, matchers)                                                               \
	"{\"id\":\"" id                                                                            \
	"\",\"createdBy\":\"ann\",\"comment\":\"disk swap\",\"matchers\":[" matchers               \
	"],\"startsAt\":\"2025-11-24T15:00:00.000Z\",\"endsAt\":\"" until                          \
	"\",\"updatedAt\":\"2025-11-24T15:00:00.000Z\",\"status\":{\"state\":\"active\"}}"
#define LABELS(fleet, severity)                                                                    \
	"\"labels\":{\"alertname\":\"TftServerRisk\",\"fleet\":\"" fleet                           \
	"\",\"profile\":\"db\",\"server\":\"x\",\"severity\":\"" severity "\"}"
#define ALERT(labels, status)                                                                      \
	"{\"annotations\":{},\"endsAt\":\"2025-11-24T16:03:00.000Z\",\"fingerprint\":\"0\","       \
	"\"receivers\":[{\"name\":\"on-call\"},{\"name\":\"team\"}],"                              \
	"\"startsAt\":\"2025-11-24T15:30:00.123Z\",\"status\":" status                             \
	",\"updatedAt\":\"2025-11-24T15:59:00.000Z\",\"generatorURL\":\"\"," labels "}"
#define ACTIVE "{\"inhibitedBy\":[],\"silencedBy\":[],\"state\":\"active\"}"

/* The last answers. */
static struct {
	struct buf record;
	struct alertmanager is;
} told;

static int begin(void **state)
{
	(void)state;
	buf_init(&told.record, ALERTMANAGER_RECORD_MAX);
	told.is = (struct alertmanager){0};
	return 0;
}

static int end(void **state)
{
	(void)state;
	alertmanager_free(&told.is);
	buf_free(&told.record);
	return 0;
}

static enum reason tells(struct span silences, struct span alerts, const char *status)
{
	const struct told answers = {.alerts = alerts,
				     .silences = silences,
				     .status = span_str(status),
				     .fleet = SPAN("north"),
				     .now_ms = NOW};
	enum reason reason;

	alertmanager_free(&told.is);
	buf_reset(&told.record);
	reason = told_decode(&answers, &told.record);
	if (reason == REASON_NONE)
		alertmanager_read(buf_span(&told.record), &told.is);
	return reason;
}

static void has_silences(const char *silences)
{
	assert_int_equal(tells(span_str(silences), SPAN("[]"), STATUS), REASON_NONE);
	assert_int_equal(told.is.read_ms, NOW);
}

#define assert_text(span, text)                                                                    \
	do {                                                                                       \
		assert_int_equal((span).len, strlen(text));                                        \
		assert_memory_equal((span).ptr, text, strlen(text));                               \
	} while (0)

/* A recorded answer (0.25). */
static void load(const char *name, struct buf *text)
{
	char path[512];
	FILE *file;

	buf_init(text, 1 << 20);
	(void)snprintf(path, sizeof(path), "%s/tests/data/records/alertmanager-%s.json",
		       getenv("srcdir") ? getenv("srcdir") : ".", name);
	file = fopen(path, "r");
	assert_non_null(file);
	buf_grew(text, fread(buf_reserve(text, 65536), 1, 65536, file));
	(void)fclose(file);
}

/* ---- */

static void recorded_answers_are_understood(void **state)
{
	struct buf silences, alerts, status;
	struct told answers = {.fleet = SPAN("north"), .now_ms = INT64_C(1795913515000)};

	(void)state;
	load("silences", &silences);
	load("alerts", &alerts);
	load("status", &status);
	answers.silences = buf_span(&silences);
	answers.alerts = buf_span(&alerts);
	answers.status = buf_span(&status);
	assert_int_equal(told_decode(&answers, &told.record), REASON_NONE);
	alertmanager_read(buf_span(&told.record), &told.is);
	assert_int_equal(told.is.silences_left_out + told.is.alerts_left_out, 0);
	assert_text(told.is.version, "0.25.0");
	assert_int_equal(told.is.peers, 1);
	assert_int_equal(told.is.silences.count, 4); /* and one of others */
	assert_text(told.is.silences.list[0].comment, "regex");
	assert_false(told.is.silences.list[0].matchers[1].is_equal);
	assert_true(told.is.silences.list[1].is_ours);
	assert_text(told.is.silences.list[1].matchers[1].value, "ppml \"1\"");
	assert_int_equal(silence_state_at(&told.is.silences.list[2], answers.now_ms),
			 SILENCE_PENDING);
	assert_int_equal(silence_state_at(&told.is.silences.list[3], answers.now_ms),
			 SILENCE_ENDED);
	assert_int_equal(told.is.alert_count, 3);
	assert_int_equal(told.is.alerts[0].severity, LEVEL_CRITICAL);
	assert_text(told.is.alerts[0].receivers, "team, on-call");
	assert_ptr_equal(told.is.alerts[0].silence, &told.is.silences.list[0]);
	assert_true(told.is.alerts[1].is_inhibited);
	assert_text(told.is.alerts[2].metric, "mem_used_pct");
	buf_free(&silences);
	buf_free(&alerts);
	buf_free(&status);
}

static void an_alertmanager_without_anything(void **state)
{
	(void)state;
	has_silences("[]");
	assert_text(told.is.version, "0.25.0");
	assert_text(told.is.cluster, "ready");
	assert_int_equal(told.is.peers, 2);
	assert_int_equal(told.is.silences.count + told.is.alert_count, 0);
	assert_int_equal(told.is.silences_left_out + told.is.alerts_left_out, 0);
}

static void a_silence_is_kept_as_it_is(void **state)
{
	const struct silence *s;

	(void)state;
	has_silences(
		" [ " SILENCE("0a-1", "2025-11-24T17:00:00Z",
			      PLAIN("fleet", "north") "," PLAIN("server", "a \\\"b\\\\\\n")) " ] ");
	assert_int_equal(told.is.silences.count, 1);
	s = silences_by_id(&told.is.silences, SPAN("0a-1"));
	assert_non_null(s);
	assert_text(s->author, "ann");
	assert_text(s->comment, "disk swap");
	assert_int_equal(s->from_ms, NOW - 3600000);
	assert_int_equal(s->until_ms, NOW + 3600000);
	assert_true(s->is_ours);
	assert_int_equal(s->matcher_count, 2);
	assert_text(s->matchers[1].label, "server");
	assert_text(s->matchers[1].value, "a \"b\\\n");
	assert_true(s->matchers[1].is_equal && !s->matchers[1].is_regex);
}

static void only_silences_that_can_concern_us_are_kept(void **state)
{
	static const struct {
		const char *matchers;
		bool kept, ours;
	} rows[] = {
		{PLAIN("server", "x"), true, false},
		{PLAIN("fleet", "north"), true, true},
		{PLAIN("fleet", "south"), false, false},
		{PLAIN("server", "x") "," PLAIN("fleet", "south"), false, false},
		{PLAIN("instance", "x:9100"), false, false},
		{PLAIN("instance", ""), true, false}, /* ours have none */
		{PLAIN("alertname", "HostDown"), false, false},
		{PLAIN("alertname", "TftServerRisk"), true, false},
		/* isEqual is absent before 0.22 */
		{"{\"name\":\"fleet\",\"value\":\"north\",\"isRegex\":false}", true, true},
		{"{\"name\":\"fleet\",\"value\":\"south\",\"isRegex\":false,\"isEqual\":false}",
		 true, false},
		{"{\"name\":\"fleet\",\"value\":\"north\",\"isRegex\":false,\"isEqual\":false}",
		 false, false},
		{"{\"name\":\"fleet\",\"value\":\"n.*\",\"isRegex\":true,\"isEqual\":true}", true,
		 false},
		{"{\"name\":\"instance\",\"value\":\"x.*\",\"isRegex\":true}", true, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[1024];

		(void)snprintf(text, sizeof(text), "[%s%s%s]",
			       "{\"id\":\"1\",\"startsAt\":\"2025-11-24T15:00:00Z\",\"endsAt\":"
			       "\"2025-11-24T17:00:00Z\",\"matchers\":[",
			       rows[i].matchers, "]}");
		has_silences(text);
		assert_int_equal(told.is.silences_left_out, 0);
		assert_int_equal(told.is.silences.count, rows[i].kept);
		if (rows[i].kept)
			assert_int_equal(told.is.silences.list[0].is_ours, rows[i].ours);
	}
}

static void silences_that_ended_long_ago_are_gone(void **state)
{
	(void)state;
	has_silences("[" SILENCE("1", "2025-11-23T16:00:01Z", PLAIN("server", "x")) "," SILENCE(
		"2", "2025-11-23T15:59:59Z", PLAIN("server", "x")) "]");
	assert_int_equal(told.is.silences.count, 1);
	assert_text(told.is.silences.list[0].id, "1");
	assert_int_equal(told.is.silences_left_out, 0);
}

static void what_is_not_understood_is_counted(void **state)
{
	static const char *const strange[] = {
		"{}",
		SILENCE("", "2025-11-24T17:00:00Z", PLAIN("server", "x")),
		SILENCE("a/b", "2025-11-24T17:00:00Z", PLAIN("server", "x")),
		SILENCE("1", "tomorrow", PLAIN("server", "x")),
		SILENCE("1", "2025-11-24T17:00:00Z", ""),
		SILENCE("1", "2025-11-24T17:00:00Z", "{}"),
		SILENCE("1", "2025-11-24T17:00:00Z", "null"),
		SILENCE("1", "2025-11-24T17:00:00Z",
			"{\"name\":\"server\",\"value\":1,\"isRegex\":false}"),
		SILENCE("1", "2025-11-24T17:00:00Z", "{\"name\":\"server\",\"value\":\"x\"}"),
		SILENCE("1", "2025-11-24T17:00:00Z",
			"{\"name\":\"\",\"value\":\"x\",\"isRegex\":false}"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
		char text[2048];

		(void)snprintf(text, sizeof(text), "[%s,%s]", strange[i],
			       SILENCE("2", "2025-11-24T17:00:00Z", PLAIN("server", "x")));
		has_silences(text);
		assert_int_equal(told.is.silences_left_out, 1);
		assert_int_equal(told.is.silences.count, 1);
	}
	assert_int_equal(
		tells(SPAN("[]"), SPAN("[" ALERT(LABELS("north", "none"), ACTIVE) "]"), STATUS),
		REASON_NONE);
	assert_int_equal(told.is.alerts_left_out, 1);
	assert_int_equal(told.is.alert_count, 0);
}

static void alerts_name_their_receivers_and_their_silence(void **state)
{
	static const char silences[] =
		"[" SILENCE("1", "2025-11-24T17:00:00Z", PLAIN("server", "x")) "," SILENCE(
			"2", "2025-11-24T18:00:00Z",
			PLAIN("profile",
			      "db")) "," SILENCE("3", "2025-11-24T16:30:00Z",
						 PLAIN("server",
						       "y")) "," SILENCE("4",
									 "2025-11-24T16:20:00Z",
									 PLAIN("server", "z")) "]";
	static const char alerts[] = "[" ALERT(
		LABELS("north", "danger"),
		"{\"inhibitedBy\":[\"9\"],\"silencedBy\":[\"1\",\"2\",\"7\",\"3\"],\"state\":"
		"\"suppressed\"}") "," ALERT(LABELS("south", "danger"),
					     ACTIVE) "," ALERT(LABELS("north", "critical"),
							       ACTIVE) "]";
	const struct told_alert *a;

	(void)state;
	assert_int_equal(tells(span_str(silences), span_str(alerts), STATUS), REASON_NONE);
	assert_int_equal(told.is.alert_count, 2);
	assert_int_equal(told.is.alerts_left_out, 0);
	a = &told.is.alerts[0];
	assert_int_equal(a->severity, LEVEL_CRITICAL);
	assert_text(a->name, "TftServerRisk");
	assert_text(a->server, "x");
	assert_text(a->receivers, "on-call, team");
	assert_int_equal(a->from_ms, NOW - 1800000 + 123);
	assert_true(!a->is_silenced && !a->is_inhibited && !a->is_muted && !a->is_new);
	a = &told.is.alerts[1];
	assert_int_equal(a->severity, LEVEL_DANGER);
	assert_true(a->is_silenced && a->is_inhibited);
	assert_text(a->silence->id, "2");
}

/* Whatever the order in which they are told. */
static void the_most_severe_alert_comes_first_then_names_decide(void **state)
{
	static const struct {
		const char *severity, *name, *server, *metric;
	} rows[] = {
		{"critical", "TftB", "y", "m"}, {"danger", "TftA", "x", "m"},
		{"danger", "TftA", "x", "n"},   {"danger", "TftA", "y", "m"},
		{"danger", "TftB", "x", "m"},   {"warning", "TftA", "x", "m"},
	};
	const size_t count = sizeof(rows) / sizeof(rows[0]);
	struct buf text;

	(void)state;
	buf_init(&text, 4096);
	for (size_t first = 0; first < 2 * count; first++) {
		buf_reset(&text);
		for (size_t i = 0; i < count; i++) {
			size_t k = (first + (first < count ? i : count - i)) % count;

			buf_addf(&text,
				 "%s{\"receivers\":[],\"startsAt\":\"2025-11-24T15:30:00Z\","
				 "\"status\":" ACTIVE ",\"labels\":{\"alertname\":\"%s\","
				 "\"fleet\":\"north\",\"severity\":\"%s\",\"server\":\"%s\","
				 "\"metric\":\"%s\"}}",
				 i ? "," : "[", rows[k].name, rows[k].severity, rows[k].server,
				 rows[k].metric);
		}
		buf_char(&text, ']');
		assert_int_equal(tells(SPAN("[]"), buf_span(&text), STATUS), REASON_NONE);
		assert_int_equal(told.is.alert_count, count);
		for (size_t i = 0; i < count; i++) {
			assert_text(told.is.alerts[i].name, rows[i].name);
			assert_text(told.is.alerts[i].server, rows[i].server);
			assert_text(told.is.alerts[i].metric, rows[i].metric);
		}
	}
	buf_free(&text);
}

/* Names of n letters each; 0: none. */
static void add_receivers(struct buf *text, const size_t *letters, size_t count)
{
	buf_lit(text, "[{\"receivers\":[");
	for (size_t i = 0; i < count; i++) {
		buf_addf(text, "%s{\"name\":\"", i ? "," : "");
		for (size_t k = 0; k < letters[i]; k++)
			buf_char(text, (char)('a' + i));
		buf_lit(text, "\"}");
	}
	buf_lit(text, "],\"startsAt\":\"2025-11-24T15:30:00Z\",\"status\":" ACTIVE
		      "," LABELS("north", "danger") "}]");
}

static void of_its_receivers_an_alert_names_those_that_there_is_room_for(void **state)
{
	static const struct {
		size_t letters[3], len;
	} rows[] = {
		{{200, 1, 1}, 200},   {{201, 99, 99}, 200}, {{100, 98, 1}, 200},
		{{100, 99, 97}, 199}, {{98, 98, 1}, 198},
	};
	struct buf text;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_init(&text, 4096);
		add_receivers(&text, rows[i].letters, 3);
		assert_int_equal(tells(SPAN("[]"), buf_span(&text), STATUS), REASON_NONE);
		assert_int_equal(told.is.alerts[0].receivers.len, rows[i].len);
		buf_free(&text);
	}
}

static void a_silence_that_is_not_listed_still_silences(void **state)
{
	(void)state;
	assert_int_equal(tells(SPAN("[]"),
			       SPAN("[" ALERT(LABELS("north", "danger"),
					      "{\"silencedBy\":[\"7\"],\"mutedBy\":[\"night\"],"
					      "\"state\":\"suppressed\"}") "]"),
			       STATUS),
			 REASON_NONE);
	assert_true(told.is.alerts[0].is_silenced && told.is.alerts[0].is_muted);
	assert_null(told.is.alerts[0].silence);
}

static void another_clock_changes_nothing(void **state)
{
	static const struct {
		const char *from, *until, *state;
		enum silence_state is;
	} rows[] = {
		{"2025-11-24T16:00:10Z", "2025-11-24T17:00:00Z", "active", SILENCE_ACTIVE},
		{"2025-11-24T15:00:00Z", "2025-11-24T16:00:10Z", "expired", SILENCE_ENDED},
		{"2025-11-24T16:00:10Z", "2025-11-24T16:00:20Z", "expired", SILENCE_ENDED},
		{"2025-11-24T16:00:10Z", "2025-11-24T17:00:00Z", "pending", SILENCE_PENDING},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[1024];

		(void)snprintf(
			text, sizeof(text),
			"[{\"id\":\"1\",\"startsAt\":\"%s\",\"endsAt\":\"%s\",\"matchers\":[%s],"
			"\"status\":{\"state\":\"%s\"}}]",
			rows[i].from, rows[i].until, PLAIN("server", "x"), rows[i].state);
		has_silences(text);
		assert_int_equal(silence_state_at(&told.is.silences.list[0], NOW), rows[i].is);
	}
}

/* Long texts, of characters of three bytes. */
static void long_texts_are_cut_at_a_character(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, 1 << 16);
	buf_lit(&text,
		"[{\"id\":\"1\",\"startsAt\":\"2025-11-24T15:00:00Z\",\"endsAt\":"
		"\"2025-11-24T17:00:00Z\",\"matchers\":[" PLAIN("server", "x") "],"
									       "\"createdBy\":\"a");
	for (int i = 0; i < 200; i++)
		buf_lit(&text, "\xe2\x82\xac");
	buf_lit(&text, "\",\"comment\":\"\xff\xfe\"}]");
	assert_int_equal(tells(buf_span(&text), SPAN("[]"), STATUS), REASON_NONE);
	assert_int_equal(told.is.silences.list[0].author.len, 1 + 79 * 3);
	assert_text(told.is.silences.list[0].comment, "\xef\xbf\xbd\xef\xbf\xbd");
	buf_free(&text);
}

/* Not even one byte that is no UTF-8 costs more than its character. */
static void a_bad_byte_is_shown_as_such(void **state)
{
	(void)state;
	has_silences("[{\"id\":\"1\",\"startsAt\":\"2025-11-24T15:00:00Z\",\"endsAt\":"
		     "\"2025-11-24T17:00:00Z\",\"comment\":\"a\x80 z\",\"matchers\":[" PLAIN(
			     "server", "x") "]}]");
	assert_text(told.is.silences.list[0].comment, "a\xef\xbf\xbd z");
}

static void add_many(struct buf *text, int count, const char *element)
{
	buf_char(text, '[');
	for (int i = 0; i < count; i++) {
		if (i)
			buf_char(text, ',');
		buf_span_add(text, span_str(element));
	}
	buf_char(text, ']');
}

static void of_too_many_the_rest_is_counted(void **state)
{
	struct buf silences, alerts;

	(void)state;
	buf_init(&silences, 4 << 20);
	buf_init(&alerts, 4 << 20);
	add_many(&silences, 1003, SILENCE("1", "2025-11-24T17:00:00Z", PLAIN("server", "x")));
	add_many(&alerts, 1002, ALERT(LABELS("north", "danger"), ACTIVE));
	assert_int_equal(tells(buf_span(&silences), buf_span(&alerts), STATUS), REASON_NONE);
	assert_int_equal(told.is.silences.count, SILENCES_MAX);
	assert_int_equal(told.is.silences_left_out, 3);
	assert_int_equal(told.is.alert_count, ALERTMANAGER_ALERTS_MAX);
	assert_int_equal(told.is.alerts_left_out, 2);
	buf_free(&silences);
	buf_free(&alerts);
}

/* However long each of them is, the record fits. */
static void of_too_long_ones_the_rest_is_counted(void **state)
{
	char value[256], element[4096], matcher[512];
	struct buf silences;
	size_t len;

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	(void)snprintf(matcher, sizeof(matcher),
		       "{\"name\":\"server\",\"value\":\"%s\",\"isRegex\":false}", value);
	len = (size_t)snprintf(element, sizeof(element),
			       "{\"id\":\"1\",\"startsAt\":\"2025-11-24T15:00:00Z\",\"endsAt\":"
			       "\"2025-11-24T17:00:00Z\",\"matchers\":[%s",
			       matcher);
	for (int i = 1; i < SILENCE_MATCHERS; i++)
		len += (size_t)snprintf(element + len, sizeof(element) - len, ",%s", matcher);
	(void)snprintf(element + len, sizeof(element) - len, "]}");
	buf_init(&silences, 8 << 20);
	add_many(&silences, 1000, element);
	assert_int_equal(tells(buf_span(&silences), SPAN("[]"), STATUS), REASON_NONE);
	assert_int_equal(told.is.silences.count + told.is.silences_left_out, 1000);
	assert_in_range(told.is.silences.count, 200, 300);
	buf_free(&silences);
}

static void a_giant_element_is_left_out(void **state)
{
	struct buf silences;

	(void)state;
	buf_init(&silences, 1 << 20);
	buf_lit(&silences, "[{\"comment\":\"");
	for (int i = 0; i < TOLD_ELEMENT_MAX; i++)
		buf_char(&silences, '{');
	buf_lit(&silences, "\"}," SILENCE("2", "2025-11-24T17:00:00Z", PLAIN("server", "x")) "]");
	assert_int_equal(tells(buf_span(&silences), SPAN("[]"), STATUS), REASON_NONE);
	assert_int_equal(told.is.silences.count, 1);
	assert_int_equal(told.is.silences_left_out, 1);
	buf_free(&silences);
}

static void what_no_alertmanager_answers_is_refused(void **state)
{
	static const char *const lists[] = {"",
					    "null",
					    "{}",
					    "[",
					    "[{}",
					    "[{},]",
					    "[{} {}]",
					    "[1]",
					    "[null]",
					    "[[]]",
					    "[{\"a\"}]",
					    "[{]",
					    "[{}]x",
					    "\"[]\"",
					    "[{\"a\":[}]}]",
					    "[{\"a\":\"]",
					    "<html>"};
	static const char *const statuses[] = {
		"",
		"[]",
		"{}",
		"{\"versionInfo\":{\"version\":1},\"cluster\":{\"status\":\"ready\"}}",
		"{\"versionInfo\":{\"version\":\"1\"}}",
		"{"};
	struct buf deep;

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct span list = span_str(lists[i]);

		assert_int_equal(tells(list, SPAN("[]"), STATUS), REASON_BAD);
		assert_int_equal(tells(SPAN("[]"), list, STATUS), REASON_BAD);
	}
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		assert_int_equal(tells(SPAN("[]"), SPAN("[]"), statuses[i]), REASON_BAD);
	buf_init(&deep, 1 << 20);
	buf_lit(&deep, "[{\"a\":");
	for (int i = 0; i < 100000; i++)
		buf_char(&deep, '[');
	assert_int_equal(tells(buf_span(&deep), SPAN("[]"), STATUS), REASON_BAD);
	buf_free(&deep);
}

/* Of each prefix and of each changed byte of a record nothing is read, or what can be read. */
static void a_damaged_record_is_harmless(void **state)
{
	struct buf record;

	(void)state;
	assert_int_equal(
		tells(SPAN("[" SILENCE("1", "2025-11-24T17:00:00Z", PLAIN("server", "x")) "]"),
		      SPAN("[" ALERT(LABELS("north", "danger"), "{\"silencedBy\":[\"1\"]}") "]"),
		      STATUS),
		REASON_NONE);
	assert_int_equal(told.is.alert_count, 1);
	buf_init(&record, ALERTMANAGER_RECORD_MAX);
	buf_span_add(&record, buf_span(&told.record));
	for (size_t i = 0; i < record.len; i++) {
		struct alertmanager a;

		alertmanager_read((struct span){record.data, i}, &a);
		assert_int_equal(a.read_ms, 0);
		assert_null(a.silences.list);
		record.data[i] = (char)~record.data[i];
		alertmanager_read(buf_span(&record), &a);
		alertmanager_free(&a);
		record.data[i] = (char)~record.data[i];
	}
	buf_free(&record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(recorded_answers_are_understood, begin, end),
		cmocka_unit_test_setup_teardown(an_alertmanager_without_anything, begin, end),
		cmocka_unit_test_setup_teardown(a_silence_is_kept_as_it_is, begin, end),
		cmocka_unit_test_setup_teardown(only_silences_that_can_concern_us_are_kept, begin,
						end),
		cmocka_unit_test_setup_teardown(silences_that_ended_long_ago_are_gone, begin, end),
		cmocka_unit_test_setup_teardown(what_is_not_understood_is_counted, begin, end),
		cmocka_unit_test_setup_teardown(the_most_severe_alert_comes_first_then_names_decide,
						begin, end),
		cmocka_unit_test_setup_teardown(
			of_its_receivers_an_alert_names_those_that_there_is_room_for, begin, end),
		cmocka_unit_test_setup_teardown(alerts_name_their_receivers_and_their_silence,
						begin, end),
		cmocka_unit_test_setup_teardown(a_silence_that_is_not_listed_still_silences, begin,
						end),
		cmocka_unit_test_setup_teardown(another_clock_changes_nothing, begin, end),
		cmocka_unit_test_setup_teardown(long_texts_are_cut_at_a_character, begin, end),
		cmocka_unit_test_setup_teardown(a_bad_byte_is_shown_as_such, begin, end),
		cmocka_unit_test_setup_teardown(of_too_many_the_rest_is_counted, begin, end),
		cmocka_unit_test_setup_teardown(of_too_long_ones_the_rest_is_counted, begin, end),
		cmocka_unit_test_setup_teardown(a_giant_element_is_left_out, begin, end),
		cmocka_unit_test_setup_teardown(what_no_alertmanager_answers_is_refused, begin,
						end),
		cmocka_unit_test_setup_teardown(a_damaged_record_is_harmless, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
