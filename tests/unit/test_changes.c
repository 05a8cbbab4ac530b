/* SPDX-License-Identifier: MIT */
/* What changed between two moments (doc/rules.md#changes): each kind, the order, and groups. */
#include "config.h"

#include "fleet/changes.h"
#include "view_fixture.h"

/* Samples, named after what gives them their risk. */
#define CALM          {20, 20, 20}, {1, 1, 1}, {20, 20, 20}, {1, 1, 1}, 0 /* 0.0 */
#define CPU(now)      {now, now, now}, {1, 1, 1}, {20, 20, 20}, {1, 1, 1}, 0
#define IO(now)       {20, 20, 20}, {now, now, now}, {20, 20, 20}, {1, 1, 1}, 0
#define BOTH(cpu, io) {cpu, cpu, cpu}, {io, io, io}, {20, 20, 20}, {1, 1, 1}, 0

/* 51.0 by CPU; 42.5 by I/O wait; 93.5 by both. */
#define FULL 99
#define WAIT 35

struct moments {
	struct snapshot *then, *now;
	struct changes changes;
};

static void begin(struct moments *m)
{
	m->then = new_snapshot();
	m->now = new_snapshot();
	m->now->gen_ms += 900000;
	m->now->bucket += 30;
}

static void find_of(struct moments *m, change_match match, const void *ctx)
{
	assert_int_equal(snapshot_seal(m->then), 0);
	assert_int_equal(snapshot_seal(m->now), 0);
	assert_int_equal(changes_find(m->then, m->now, match, ctx, &m->changes), 0);
}

static void find(struct moments *m)
{
	find_of(m, NULL, NULL);
}

static void end(struct moments *m)
{
	changes_free(&m->changes);
	snapshot_free(&m->then);
	snapshot_free(&m->now);
}

static void put(struct snapshot *snap, const char *name, struct sample sample)
{
	sample.name = name;
	add_sample(snap, name, &sample);
}

#define SAMPLE(...) ((struct sample){"", __VA_ARGS__})

static void put_both(struct moments *m, const char *name, struct sample then, struct sample now)
{
	put(m->then, name, then);
	put(m->now, name, now);
}

/* The server that was added last. */
static void silence(struct snapshot *snap)
{
	struct server *last = &snap->servers[snap->count - 1];

	last->same_count = 9;
	last->same_since_ms = snap->gen_ms - 300000;
}

/* "entered:ppa,ppb moved:ppc" */
static const char *told(const struct moments *m)
{
	static char text[4096];
	size_t at = 0;

	text[0] = '\0';
	for (size_t l = 0; l < changes_lines(&m->changes); l++) {
		const struct change_line *line = changes_line(&m->changes, l);

		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", l ? " " : "",
				       change_table[line->kind].slug);
		for (size_t i = 0; i < line->count; i++) {
			const struct server *server =
				change_server(changes_of(&m->changes, line, i));

			if (server)
				at += (size_t)snprintf(text + at, sizeof(text) - at, "%c%.*s",
						       i ? ',' : ':', (int)server->name.len,
						       server->name.ptr);
		}
	}
	return text;
}

static void nothing_is_told_of_equal_moments(void **unused)
{
	struct moments m;

	(void)unused;
	begin(&m);
	put_both(&m, "ppdb01", SAMPLE(CPU(FULL)), SAMPLE(CPU(FULL)));
	put_both(&m, "ppdb02", SAMPLE(CALM), SAMPLE(CALM));
	find(&m);
	assert_string_equal(told(&m), "");
	end(&m);
}

static void nothing_is_told_of_two_empty_fleets(void **unused)
{
	struct moments m;

	(void)unused;
	begin(&m);
	find(&m);
	assert_string_equal(told(&m), "");
	end(&m);
}

/* One change of each kind, one server each, in the order of importance. */
static void kinds_come_in_the_order_of_importance(void **unused)
{
	struct moments m;

	(void)unused;
	begin(&m);
	(void)snprintf(m.now->scenario.name, sizeof(m.now->scenario.name), "cascade");
	/* From 17.0 to 25.5, without a change of level: by the CPU alone. */
	put_both(&m, "moved", SAMPLE(CALM), SAMPLE(CPU(91)));
	put(m.now, "appeared", SAMPLE(CALM));
	put(m.then, "back", SAMPLE(CALM));
	silence(m.then);
	put(m.now, "back", SAMPLE(CALM));
	put_both(&m, "fell", SAMPLE(IO(WAIT)), SAMPLE(CALM));
	put_both(&m, "left", SAMPLE(CPU(FULL)), SAMPLE(CALM));
	put(m.then, "vanished", SAMPLE(CPU(FULL)));
	put(m.then, "silent", SAMPLE(CPU(FULL)));
	put(m.now, "silent", SAMPLE(CPU(FULL)));
	silence(m.now);
	put_both(&m, "rose", SAMPLE(CALM), SAMPLE(IO(WAIT)));
	put_both(&m, "entered", SAMPLE(CALM), SAMPLE(BOTH(FULL, WAIT)));
	find(&m);
	assert_string_equal(told(&m), "environment scenario entered:entered rose:rose "
				      "silent:silent vanished:vanished left:left fell:fell "
				      "back:back appeared:appeared moved:moved");
	end(&m);
}

static void the_table_begins_with_50(void **unused)
{
	struct moments m;

	(void)unused;
	begin(&m);
	put_both(&m, "edge", SAMPLE(CALM), SAMPLE(CALM));
	m.now->servers[0].risk = RISK_ALERT;
	find(&m);
	assert_non_null(strstr(told(&m), "entered:edge"));
	end(&m);
}

/* However high their risk still is. */
static void the_greatest_improvement_comes_first(void **unused)
{
	struct moments m;

	(void)unused;
	begin(&m);
	put_both(&m, "much-left", SAMPLE(BOTH(FULL, WAIT)), SAMPLE(CALM));
	put_both(&m, "little-left", SAMPLE(CPU(FULL)), SAMPLE(CPU(91)));
	put_both(&m, "much-fell", SAMPLE(IO(WAIT)), SAMPLE(CALM));
	put_both(&m, "little-fell", SAMPLE(IO(WAIT)), SAMPLE(CPU(91)));
	find(&m);
	assert_string_equal(
		told(&m),
		"environment left:much-left left:little-left fell:much-fell fell:little-fell");
	end(&m);
}

static void a_server_has_its_most_important_change_only(void **unused)
{
	struct moments m;

	(void)unused;
	begin(&m);
	/* A new server that is in the alert table at once. */
	put(m.now, "new", SAMPLE(CPU(FULL)));
	/* In the table: a worse level, and 42.5 points more. */
	put_both(&m, "worse", SAMPLE(CPU(FULL)), SAMPLE(BOTH(FULL, WAIT)));
	/* It leaves the table, and its level is better. */
	put_both(&m, "better", SAMPLE(BOTH(FULL, WAIT)), SAMPLE(CALM));
	find(&m);
	assert_string_equal(told(&m), "entered:new rose:worse left:better");
	end(&m);
}

static void a_status_that_nobody_tells_does_not_change(void **unused)
{
	struct moments m;

	(void)unused;
	begin(&m);
	m.now->scenario = (struct scenario){.configured = true, .name = "other"};
	find(&m);
	assert_string_equal(told(&m), "");
	end(&m);

	begin(&m);
	m.now->scenario = (struct scenario){.known = true, .name = "other"};
	find(&m);
	assert_string_equal(told(&m), "");
	end(&m);

	begin(&m);
	m.then->scenario.known = false;
	m.now->scenario = (struct scenario){.configured = true, .known = true, .name = "other"};
	find(&m);
	assert_string_equal(told(&m), "");
	end(&m);
}

/* At a level, up or down. */
static void whoever_moved_by_five_points_is_told(void **unused)
{
	static const int by[] = {CHANGES_MOVED, CHANGES_MOVED - 1};
	struct moments m;

	(void)unused;
	begin(&m);
	for (int i = 0; i < 2; i++) {
		put_both(&m, i ? "up-less" : "up", SAMPLE(CALM), SAMPLE(CALM));
		m.now->servers[m.now->count - 1].risk = by[i];
		put_both(&m, i ? "down-less" : "down", SAMPLE(CALM), SAMPLE(CALM));
		m.then->servers[m.then->count - 1].risk = by[i];
	}
	find(&m);
	assert_string_equal(told(&m), "moved:down moved:up");
	end(&m);
}

/* What appears without a risk has no cause; nor has what is gone. */
static void what_did_not_grow_has_no_cause(void **unused)
{
	struct moments m;

	(void)unused;
	begin(&m);
	put(m.now, "new", SAMPLE(CALM));
	put(m.then, "old", SAMPLE(IO(WAIT)));
	find(&m);
	assert_string_equal(told(&m), "vanished:old appeared:new");
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(changes_of(&m.changes, changes_line(&m.changes, i), 0)->cause,
				 CAUSE_NONE);
	end(&m);
}

static void of_a_kind_the_largest_comes_first_then_the_name(void **unused)
{
	struct moments m;

	(void)unused;
	begin(&m);
	put_both(&m, "ppdb03", SAMPLE(CALM), SAMPLE(CPU(FULL)));
	put_both(&m, "ppml01", SAMPLE(CALM), SAMPLE(BOTH(FULL, WAIT)));
	find(&m);
	assert_string_equal(told(&m), "environment entered:ppml01 entered:ppdb03");
	end(&m);

	begin(&m);
	put_both(&m, "ppweb01", SAMPLE(CALM), SAMPLE(CPU(FULL)));
	put_both(&m, "ppdb03", SAMPLE(CALM), SAMPLE(CPU(FULL)));
	for (int i = 0; i < 20; i++)
		put_both(&m, (const char[]){'x', (char)('a' + i), '\0'}, SAMPLE(CALM),
			 SAMPLE(CALM));
	find(&m);
	assert_string_equal(told(&m), "entered:ppdb03 entered:ppweb01");
	end(&m);
}

/* At most ten servers, of those that moved by 5 points or more: here 8.5 and 3.5. */
static void ten_movers_are_told(void **unused)
{
	struct moments m;
	char name[16], wanted[256] = "";
	size_t at = 0;

	(void)unused;
	begin(&m);
	for (int i = 0; i < 12; i++) {
		(void)snprintf(name, sizeof(name), "x%02d", i);
		put_both(&m, name, SAMPLE(CALM), SAMPLE(CPU(91)));
		if (i < 10)
			at += (size_t)snprintf(wanted + at, sizeof(wanted) - at, "%smoved:%s",
					       i ? " " : "", name);
	}
	/* 3.5: I/O wait from 5 on. */
	put_both(&m, "a-little", SAMPLE(CALM), SAMPLE(IO(6)));
	find(&m);
	assert_string_equal(told(&m), wanted);
	end(&m);
}

/* ---- groups ---- */

static const struct change_line *line_at(const struct moments *m, size_t i)
{
	assert_true(i < changes_lines(&m->changes));
	return changes_line(&m->changes, i);
}

static void put_calm(struct moments *m)
{
	for (int i = 0; i < 40; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "calm%02d", i);
		put_both(m, name, SAMPLE(CALM), SAMPLE(CALM));
	}
}

static void what_rose_by_one_cause_is_one_line(void **unused)
{
	struct moments m;

	(void)unused;
	begin(&m);
	put_calm(&m);
	put_both(&m, "ppdb01", SAMPLE(CALM), SAMPLE(IO(WAIT)));
	put_both(&m, "ppdb02", SAMPLE(CPU(FULL)), SAMPLE(BOTH(FULL, WAIT)));
	put_both(&m, "ppweb01", SAMPLE(CALM), SAMPLE(IO(WAIT)));
	put_both(&m, "ppetl01", SAMPLE(CALM), SAMPLE(CPU(FULL)));
	find(&m);
	assert_string_equal(told(&m), "together:ppdb02,ppdb01,ppweb01 entered:ppetl01");
	assert_false(line_at(&m, 0)->by_profile);
	assert_int_equal(line_at(&m, 0)->cause, CAUSE_IOWAIT);
	assert_int_equal(line_at(&m, 0)->profile, PROFILE_DATABASE);
	assert_int_equal(line_at(&m, 0)->of_profile, 2);
	assert_int_equal(line_at(&m, 0)->of_cause, 3);
	end(&m);
}

/* It rose to its level so many seconds before the snapshot. */
static void put_rise(struct moments *m, const char *name, int64_t ago_s)
{
	struct server *last;

	put_both(m, name, SAMPLE(CALM), SAMPLE(IO(WAIT)));
	last = &m->now->servers[m->now->count - 1];
	server_note_level(last, level_of(last->risk), snapshot_bucket_ms(m->now) - ago_s * 1000);
}

static int64_t ago(const struct moments *m, int64_t at_ms)
{
	return (snapshot_bucket_ms(m->now) - at_ms) / 1000;
}

/* "24 hours" may have several events. Five minutes are within, one bucket more is not. */
static void what_rose_within_five_minutes_is_one_line(void **unused)
{
	struct moments m;

	(void)unused;
	begin(&m);
	m.now->watched_from_ms = 1;
	put_calm(&m);
	put_rise(&m, "a1", 840);
	put_rise(&m, "a2", 720);
	put_rise(&m, "a3", 540);
	put_rise(&m, "b1", 510);
	put_rise(&m, "b2", 300);
	put_rise(&m, "b3", 210);
	put_rise(&m, "b4", 210);
	find(&m);
	assert_string_equal(told(&m), "together:b1,b2,b3,b4 together:a1,a2,a3");
	assert_int_equal(ago(&m, line_at(&m, 0)->from_ms), 510);
	assert_int_equal(ago(&m, line_at(&m, 0)->to_ms), 210);
	assert_int_equal(ago(&m, line_at(&m, 1)->from_ms), 840);
	assert_int_equal(ago(&m, line_at(&m, 1)->to_ms), 540);
	end(&m);
}

static void what_rose_far_apart_is_told_one_by_one(void **unused)
{
	struct moments m;

	(void)unused;
	begin(&m);
	m.now->watched_from_ms = 1;
	put_calm(&m);
	put_rise(&m, "a", 840);
	put_rise(&m, "b", 600);
	put_rise(&m, "c", 510);
	put_rise(&m, "d", 150);
	find(&m);
	assert_string_equal(told(&m), "rose:a rose:b rose:c rose:d");
	assert_int_equal(ago(&m, line_at(&m, 0)->from_ms), 840);
	end(&m);
}

/* Those of whom nobody knows when they rose are together, and with no others. */
static void a_rise_of_an_unknown_time_is_with_its_like(void **unused)
{
	struct moments m;

	(void)unused;
	begin(&m);
	put_calm(&m);
	m.now->watched_from_ms = snapshot_bucket_ms(m.now) - 600000;
	put_rise(&m, "a", 600);
	put_rise(&m, "b", 600);
	put_rise(&m, "c", 570);
	put_rise(&m, "d", 570);
	put_both(&m, "e", SAMPLE(CALM), SAMPLE(IO(WAIT)));
	find(&m);
	assert_string_equal(told(&m), "together:a,b,e rose:c rose:d");
	assert_int_equal(line_at(&m, 0)->from_ms, 0);
	assert_int_equal(line_at(&m, 0)->to_ms, 0);
	end(&m);
}

static void two_are_not_told_together(void **unused)
{
	struct moments m;

	(void)unused;
	begin(&m);
	put_calm(&m);
	put_both(&m, "ppdb01", SAMPLE(CALM), SAMPLE(IO(WAIT)));
	put_both(&m, "ppweb01", SAMPLE(CALM), SAMPLE(IO(WAIT)));
	find(&m);
	assert_string_equal(told(&m), "rose:ppdb01 rose:ppweb01");
	end(&m);
}

static void what_rose_in_one_profile_is_one_line(void **unused)
{
	struct moments m;

	(void)unused;
	begin(&m);
	put_calm(&m);
	put_both(&m, "ppdb01", SAMPLE(CALM), SAMPLE(IO(WAIT)));
	put_both(&m, "ppdb02", SAMPLE(CALM), SAMPLE(CPU(FULL)));
	put_both(&m, "ppdb03", SAMPLE(CALM), SAMPLE(IO(WAIT)));
	find(&m);
	assert_string_equal(told(&m), "together:ppdb02,ppdb01,ppdb03");
	assert_true(line_at(&m, 0)->by_profile);
	assert_int_equal(line_at(&m, 0)->profile, PROFILE_DATABASE);
	assert_int_equal(line_at(&m, 0)->cause, CAUSE_IOWAIT);
	assert_int_equal(line_at(&m, 0)->of_cause, 2);
	end(&m);
}

/* One that rose later, of which there are fewer, does not come between them. */
static void a_profile_stays_one_line_whoever_rises_later(void **unused)
{
	struct moments m;
	struct server *last;

	(void)unused;
	begin(&m);
	m.now->watched_from_ms = 1;
	put_calm(&m);
	put_rise(&m, "ppdb01", 840);
	put_rise(&m, "ppdb02", 840);
	put_both(&m, "ppdb03", SAMPLE(CALM), SAMPLE(CPU(FULL)));
	last = &m.now->servers[m.now->count - 1];
	server_note_level(last, level_of(last->risk), snapshot_bucket_ms(m.now) - 840000);
	put_rise(&m, "ppweb01", 210);
	find(&m);
	assert_non_null(strstr(told(&m), "together:"));
	assert_true(line_at(&m, 0)->by_profile);
	assert_int_equal(line_at(&m, 0)->of_profile, 3);
	end(&m);
}

/* The larger group first; a server is in only one of them; equal sizes in order of the cause. */
static void groups_are_told_by_size(void **unused)
{
	struct moments m;

	(void)unused;
	begin(&m);
	put_calm(&m);
	for (int i = 1; i <= 3; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "ppml%02d", i);
		put_both(&m, name, SAMPLE(CALM), SAMPLE(CPU(FULL)));
		(void)snprintf(name, sizeof(name), "ppdb%02d", i);
		put_both(&m, name, SAMPLE(CALM), SAMPLE(IO(WAIT)));
	}
	put_both(&m, "ppml04", SAMPLE(CALM), SAMPLE(IO(WAIT)));
	find(&m);
	assert_string_equal(told(&m),
			    "together:ppdb01,ppdb02,ppdb03,ppml04 together:ppml01,ppml02,ppml03");
	assert_int_equal(line_at(&m, 1)->cause, CAUSE_CPU);
	assert_false(line_at(&m, 1)->by_profile);
	assert_int_equal(line_at(&m, 1)->of_profile, 3);
	end(&m);
}

static void others_of_a_kind_are_told_together_too(void **unused)
{
	struct moments m;
	static const char *const names[] = {"ppdb01", "ppdb02", "ppweb01"};

	(void)unused;
	begin(&m);
	put_calm(&m);
	for (size_t i = 0; i < 3; i++)
		put(m.then, names[i], SAMPLE(CALM));
	put(m.now, "new1", SAMPLE(CALM));
	put(m.now, "new2", SAMPLE(CALM));
	find(&m);
	assert_string_equal(told(&m), "vanished:ppdb01,ppdb02,ppweb01 appeared:new1 appeared:new2");
	assert_int_equal(line_at(&m, 0)->profile, PROFILE_DATABASE);
	assert_int_equal(line_at(&m, 0)->of_profile, 2);
	end(&m);
}

/* ---- filters ---- */

static bool is_database(const void *ctx, const struct server *server)
{
	(void)ctx;
	return server->profile == PROFILE_DATABASE;
}

static bool is_alert(const void *ctx, const struct server *server)
{
	(void)ctx;
	return server->risk >= RISK_ALERT;
}

static void a_choice_lets_through_what_was_or_is_so(void **unused)
{
	struct moments m;

	(void)unused;
	begin(&m);
	put_both(&m, "ppdb01", SAMPLE(CALM), SAMPLE(CPU(FULL)));
	put_both(&m, "ppweb01", SAMPLE(CALM), SAMPLE(CPU(FULL)));
	find_of(&m, is_database, NULL);
	assert_string_equal(told(&m), "entered:ppdb01");
	end(&m);

	begin(&m);
	put_both(&m, "fell", SAMPLE(CPU(FULL)), SAMPLE(CALM));
	put_both(&m, "rose", SAMPLE(CALM), SAMPLE(IO(WAIT)));
	find_of(&m, is_alert, NULL);
	assert_string_equal(told(&m), "left:fell");
	end(&m);
}

static void a_rise_has_the_cause_that_grew_most(void **unused)
{
	struct moments m;

	(void)unused;
	begin(&m);
	put_calm(&m);
	/* The CPU adds more points than the I/O wait, but it did so before. */
	put_both(&m, "a", SAMPLE(CPU(FULL)), SAMPLE(BOTH(FULL, WAIT)));
	put_both(&m, "b", SAMPLE(CPU(FULL)), SAMPLE(CALM));
	find(&m);
	assert_string_equal(told(&m), "rose:a left:b");
	assert_int_equal(changes_of(&m.changes, line_at(&m, 0), 0)->cause, CAUSE_IOWAIT);
	assert_int_equal(change_of_risk(changes_of(&m.changes, line_at(&m, 0), 0)), 425);
	assert_int_equal(changes_of(&m.changes, line_at(&m, 1), 0)->cause, CAUSE_NONE);
	end(&m);
}

static void of_two_causes_that_grew_alike_the_first_is_told(void **unused)
{
	struct moments m;
	struct server *now;

	(void)unused;
	begin(&m);
	put_calm(&m);
	put_both(&m, "a", SAMPLE(CALM), SAMPLE(CPU(FULL)));
	now = &m.now->servers[m.now->count - 1];
	memset(now->points, 0, sizeof(now->points));
	now->points[COMPONENT_CPU_NOW] = (uint8_t)risk_rule(COMPONENT_MEMORY_NOW)->weight;
	now->points[COMPONENT_MEMORY_NOW] = (uint8_t)risk_rule(COMPONENT_CPU_NOW)->weight;
	find(&m);
	assert_int_equal(changes_of(&m.changes, line_at(&m, 0), 0)->cause, CAUSE_CPU);
	end(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_told_of_equal_moments),
		cmocka_unit_test(nothing_is_told_of_two_empty_fleets),
		cmocka_unit_test(kinds_come_in_the_order_of_importance),
		cmocka_unit_test(the_table_begins_with_50),
		cmocka_unit_test(the_greatest_improvement_comes_first),
		cmocka_unit_test(a_server_has_its_most_important_change_only),
		cmocka_unit_test(a_status_that_nobody_tells_does_not_change),
		cmocka_unit_test(whoever_moved_by_five_points_is_told),
		cmocka_unit_test(what_did_not_grow_has_no_cause),
		cmocka_unit_test(of_a_kind_the_largest_comes_first_then_the_name),
		cmocka_unit_test(ten_movers_are_told),
		cmocka_unit_test(what_rose_by_one_cause_is_one_line),
		cmocka_unit_test(what_rose_within_five_minutes_is_one_line),
		cmocka_unit_test(what_rose_far_apart_is_told_one_by_one),
		cmocka_unit_test(a_rise_of_an_unknown_time_is_with_its_like),
		cmocka_unit_test(two_are_not_told_together),
		cmocka_unit_test(what_rose_in_one_profile_is_one_line),
		cmocka_unit_test(a_profile_stays_one_line_whoever_rises_later),
		cmocka_unit_test(groups_are_told_by_size),
		cmocka_unit_test(others_of_a_kind_are_told_together_too),
		cmocka_unit_test(a_choice_lets_through_what_was_or_is_so),
		cmocka_unit_test(a_rise_has_the_cause_that_grew_most),
		cmocka_unit_test(of_two_causes_that_grew_alike_the_first_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
