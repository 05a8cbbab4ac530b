/* SPDX-License-Identifier: MIT */
/* Which servers are silenced, and what depends on it. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fleet/compact.h"
#include "fleet/silenced.h"
#include "fleet/verdict.h"

#define NOW  INT64_C(1764000000000)
#define HOUR INT64_C(3600000)

/* What the Alertmanager has told. */
static struct {
	struct snapshot *snap;
	struct buf silences, alerts;
	struct alertmanager head;
} run;

static int begin(void **state)
{
	(void)state;
	memset(&run, 0, sizeof(run));
	run.snap = snapshot_new();
	run.snap->gen_ms = NOW;
	run.head.read_ms = NOW;
	buf_init(&run.silences, ALERTMANAGER_RECORD_MAX);
	buf_init(&run.alerts, ALERTMANAGER_RECORD_MAX);
	return run.snap ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	snapshot_free(&run.snap);
	buf_free(&run.silences);
	buf_free(&run.alerts);
	return 0;
}

static void has_server(const char *name, int risk)
{
	struct server *s = snapshot_add(run.snap, span_str(name));

	s->risk = risk;
	s->has_data = true;
}

static void has_silence(const char *id, int64_t until_ms, size_t count,
			const struct silence_matcher *matchers)
{
	struct silence s = {.id = span_str(id),
			    .author = SPAN("ann"),
			    .comment = SPAN("disk swap"),
			    .from_ms = NOW - HOUR,
			    .until_ms = until_ms,
			    .matcher_count = count};

	memcpy(s.matchers, matchers, count * sizeof(*matchers));
	silence_put(&s, &run.silences);
	run.head.silences.count++;
}

static void has_silence_of(const char *id, int64_t until_ms, const char *label, const char *value)
{
	const struct silence_matcher m = {span_str(label), span_str(value), false, true};

	has_silence(id, until_ms, 1, &m);
}

/* silence: the number of one, from 1. */
static void has_alert(const char *server, enum level severity, size_t silence)
{
	const struct told_alert alert = {.name = SPAN("TftServerRisk"),
					 .server = span_str(server),
					 .severity = severity,
					 .is_silenced = silence > 0};

	alertmanager_put_alert(&alert, silence, &run.alerts);
	run.head.alert_count++;
}

/* Stored and read again, as every worker sees it. */
static void mark(void)
{
	struct buf stored;

	buf_init(&stored, 1 << 20);
	alertmanager_put(&run.head, buf_span(&run.silences), buf_span(&run.alerts), &stored);
	assert_int_equal(snapshot_seal(run.snap), 0);
	silenced_take(run.snap, buf_span(&stored));
	silenced_mark(run.snap);
	buf_reset(&stored);
	compact_encode(run.snap, &stored);
	snapshot_free(&run.snap);
	run.snap = compact_decode(buf_span(&stored));
	assert_non_null(run.snap);
	buf_free(&stored);
}

/* NULL: not silenced. */
static void assert_silenced(const char *server, const char *id)
{
	const struct server *s = snapshot_find(run.snap, span_str(server));

	assert_non_null(s);
	assert_int_equal(s->silence != NULL, id != NULL);
	if (id)
		assert_true(span_is(s->silence->id, id));
}

/* ---- */

static void plain_matchers_are_decided_here(void **state)
{
	static const struct {
		struct silence_matcher matchers[2];
		bool covers; /* db1 at Danger */
	} rows[] = {
		{{{SPAN("server"), SPAN("db1"), false, true}}, true},
		{{{SPAN("server"), SPAN("db2"), false, true}}, false},
		{{{SPAN("server"), SPAN("db"), false, true}}, false},
		{{{SPAN("server"), SPAN("db2"), false, false}}, true},
		{{{SPAN("profile"), SPAN("db"), false, true}}, true},
		{{{SPAN("severity"), SPAN("danger"), false, true}}, true},
		{{{SPAN("severity"), SPAN("critical"), false, true}}, false},
		{{{SPAN("alertname"), SPAN("TftServerRisk"), false, true}}, true},
		{{{SPAN("alertname"), SPAN("TftServerSilent"), false, true}}, false},
		{{{SPAN("metric"), SPAN(""), false, true}}, true},
		{{{SPAN("metric"), SPAN("mem"), false, true}}, false},
		{{{SPAN("server"), SPAN("db1"), false, true},
		  {SPAN("severity"), SPAN("critical"), false, true}},
		 false},
		{{{SPAN("server"), SPAN("db.*"), true, true}}, false},
		{{{SPAN("server"), SPAN("db1"), false, true},
		  {SPAN("fleet"), SPAN("n.*"), true, true}},
		 false},
	};
	const struct silence_subject subject = {SPAN("db1"), PROFILE_DATABASE, LEVEL_DANGER};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct silence s = {.until_ms = NOW + 1,
				    .matcher_count = rows[i].matchers[1].label.len ? 2 : 1};
		const struct silences silences = {&s, 1};
		bool covers;

		memcpy(s.matchers, rows[i].matchers, sizeof(rows[i].matchers));
		covers = silences_covering(&silences, &subject, NOW) != NULL;
		if (covers != rows[i].covers)
			fail_msg("row %zu", i);
		assert_null(silences_covering(&silences, &subject, NOW + 1));
		assert_null(silences_covering(&silences, &subject, -1));
	}
}

static void a_silence_begins_and_ends(void **state)
{
	const struct silence s = {.from_ms = 10, .until_ms = 20};

	(void)state;
	assert_int_equal(silence_state_at(&s, 9), SILENCE_PENDING);
	assert_int_equal(silence_state_at(&s, 10), SILENCE_ACTIVE);
	assert_int_equal(silence_state_at(&s, 19), SILENCE_ACTIVE);
	assert_int_equal(silence_state_at(&s, 20), SILENCE_ENDED);
}

static void of_several_the_one_that_ends_last_is_told(void **state)
{
	(void)state;
	has_server("x", 800);
	has_silence_of("1", NOW + HOUR, "server", "x");
	has_silence_of("2", NOW + 3 * HOUR, "server", "x");
	has_silence_of("3", NOW + 2 * HOUR, "server", "x");
	has_silence_of("4", NOW, "server", "x");
	mark();
	assert_silenced("x", "2");
	assert_true(span_is(run.snap->servers[0].silence->comment, "disk swap"));
}

static void what_matches_by_expression_alertmanager_knows(void **state)
{
	const struct silence_matcher m = {SPAN("server"), SPAN("x|y|z"), true, true};

	(void)state;
	has_server("w", 710);
	has_server("x", 710);
	has_server("y", 910);
	has_server("z", 710);
	has_silence("1", NOW + HOUR, 1, &m);
	has_silence("2", NOW, 1, &m);
	has_alert("x", LEVEL_DANGER, 1);
	has_alert("y", LEVEL_DANGER, 1); /* which is not its level */
	has_alert("y", LEVEL_IMMINENT, 0);
	has_alert("z", LEVEL_DANGER, 2); /* which has ended */
	has_alert("gone", LEVEL_DANGER, 1);
	mark();
	assert_silenced("w", NULL);
	assert_silenced("x", "1");
	assert_silenced("y", NULL);
	assert_silenced("z", NULL);
}

static void silenced_servers_keep_their_place_and_do_not_lead(void **state)
{
	struct fleet_counts all, rest;

	(void)state;
	has_server("a", 910);
	has_server("b", 550);
	has_server("c", 100);
	has_server("d", RISK_ALERT);
	has_silence_of("1", NOW + HOUR, "server", "a");
	has_silence_of("2", NOW + HOUR, "server", "c");
	has_silence_of("3", NOW + HOUR, "server", "d");
	mark();
	assert_true(span_is(run.snap->servers[0].name, "a"));
	snapshot_count(run.snap, &all);
	assert_int_equal(verdict_of(&all).level, LEVEL_IMMINENT);
	assert_int_equal(all.silenced, 2); /* of those that need attention */
	assert_int_equal(all.or_worse[LEVEL_DEGRADING], 3);
	snapshot_count_unsilenced(run.snap, &rest);
	assert_int_equal(rest.total, 4);
	assert_int_equal(rest.healthy, 3);
	assert_int_equal(rest.or_worse[LEVEL_DEGRADING], 1);
	assert_int_equal(rest.level[LEVEL_IMMINENT], 0);
	assert_int_equal(rest.or_worse[LEVEL_HEALTHY], 4);
}

/* Where the stored snapshot ends: with the record and the only server that is silenced. */
struct ends {
	uint64_t untold, server, silence;
};

static void put_ends(const struct ends *ends, struct buf *stored)
{
	struct buf with;

	buf_init(&with, 1 << 20);
	stored->len -= 1 + 8 + 4 + run.snap->told.len + 4 + 4 + 2;
	bytes_put_int(&with, ends->untold, 1);
	bytes_put_int(&with, 0, 8);
	bytes_put_int(&with, run.snap->told.len, 4);
	buf_span_add(&with, buf_span(&run.snap->told));
	bytes_put_int(&with, 1, 4);
	bytes_put_int(&with, ends->server, 4);
	bytes_put_int(&with, ends->silence, 2);
	buf_span_add(stored, buf_span(&with));
	buf_free(&with);
}

static void only_what_is_there_can_be_silenced(void **state)
{
	static const struct {
		struct ends ends;
		bool is_read;
	} rows[] = {{{REASON_COUNT - 1, 1, 1}, true},
		    {{REASON_COUNT, 1, 1}, false},
		    {{REASON_NONE, 2, 1}, false},
		    {{REASON_NONE, 1, 2}, false}};
	struct snapshot *back;
	struct buf stored;

	(void)state;
	buf_init(&stored, 1 << 20);
	has_server("x", 800);
	has_server("y", 700);
	has_silence_of("1", NOW + HOUR, "server", "x");
	has_silence_of("2", NOW + HOUR, "server", "z");
	mark();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_reset(&stored);
		compact_encode(run.snap, &stored);
		put_ends(&rows[i].ends, &stored);
		back = compact_decode(buf_span(&stored));
		assert_int_equal(back != NULL, rows[i].is_read);
		if (back)
			assert_true(span_is(back->servers[1].silence->id, "2"));
		snapshot_free(&back);
	}
	buf_free(&stored);
}

static void a_damaged_record_silences_nobody(void **state)
{
	(void)state;
	has_server("x", 800);
	assert_int_equal(snapshot_seal(run.snap), 0);
	silenced_take(run.snap, SPAN("TFTr\1and so on"));
	silenced_mark(run.snap);
	assert_int_equal(run.snap->told.len, 0);
	assert_null(run.snap->servers[0].silence);
}

/* What a reader learns from a byte that is yes or no. */
static void yes_is_one(void **state)
{
	static const struct silence ours = {.id = SPAN("1"), .is_ours = true};
	struct silence back;
	struct buf stored;
	char *yes;

	(void)state;
	buf_init(&stored, 100);
	silence_put(&ours, &stored);
	yes = stored.data + stored.len - 2; /* before the number of matchers */
	for (*yes = 0; *yes <= 2; ++*yes) {
		struct bytes_reader r = {.rest = buf_span(&stored)};

		silence_get(&r, &back);
		assert_int_equal(r.bad, *yes > 1);
		assert_int_equal(back.is_ours, *yes == 1);
	}
	buf_free(&stored);
}

static void an_id_has_nothing_that_leads_elsewhere(void **state)
{
	char longest[SILENCE_ID_MAX + 1];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	assert_true(silence_is_id(SPAN("3b1f0c1e-90ab-4cde-8f00-AZaz09")));
	assert_true(silence_is_id((struct span){longest, SILENCE_ID_MAX}));
	assert_false(silence_is_id((struct span){longest, SILENCE_ID_MAX + 1}));
	assert_false(silence_is_id((struct span){NULL, 0}));
	for (const char *c = "./%?#\n @[`{:\xc3"; *c; c++)
		assert_false(silence_is_id((struct span){c, 1}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_matchers_are_decided_here),
		cmocka_unit_test(a_silence_begins_and_ends),
		cmocka_unit_test_setup_teardown(of_several_the_one_that_ends_last_is_told, begin,
						end),
		cmocka_unit_test_setup_teardown(what_matches_by_expression_alertmanager_knows,
						begin, end),
		cmocka_unit_test_setup_teardown(silenced_servers_keep_their_place_and_do_not_lead,
						begin, end),
		cmocka_unit_test_setup_teardown(only_what_is_there_can_be_silenced, begin, end),
		cmocka_unit_test_setup_teardown(a_damaged_record_silences_nobody, begin, end),
		cmocka_unit_test(yes_is_one),
		cmocka_unit_test(an_id_has_nothing_that_leads_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
