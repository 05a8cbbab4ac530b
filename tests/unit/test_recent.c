/* SPDX-License-Identifier: MIT */
/* Since when a server has been at its level, and the line of its last hour: the same on every host,
 * from the previous snapshot or from the history. */
#include "config.h"

#include "view_fixture.h"

#include "base/gzip.h"
#include "fleet/compact.h"
#include "fleet/moment.h"
#include "fleet/recent.h"
#include "golden.h"
#include "pages/chart.h"

#define INTERVAL 30000
#define END      1764000000000 /* a full hour */

static struct snapshot *fleet_of(int64_t at_ms, const int *risks, size_t count)
{
	struct snapshot *snap = new_snapshot();

	snap->bucket = at_ms / INTERVAL;
	snap->gen_ms = at_ms + 1234;
	for (size_t i = 0; i < count; i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "s%zu", i);
		snapshot_add(snap, span_str(name))->risk = risks[i];
	}
	assert_int_equal(snapshot_seal(snap), 0);
	return snap;
}

static int64_t since(const struct snapshot *snap, const char *name)
{
	return server_level_since(snapshot_find(snap, span_str(name)));
}

static void since_is_carried_for_every_level(void **state)
{
	/* Warning, Critical, Warning, Critical again, Healthy, Watch. */
	static const int risks[] = {600, 850, 650, 810, 100, 300};
	/* The step since which it has been at this level or worse. */
	static const int steps[] = {0, 1, 0, 3, -1, 5};
	struct snapshot *previous = NULL;

	(void)state;
	for (int i = 0; i < 6; i++) {
		struct snapshot *snap = fleet_of(END + i * INTERVAL, &risks[i], 1);

		snapshot_carry(snap, previous);
		assert_int_equal(since(snap, "s0"), steps[i] < 0 ? 0 : END + steps[i] * INTERVAL);
		assert_int_equal(snap->watched_from_ms, END);
		snapshot_free(&previous);
		previous = snap;
	}
	snapshot_free(&previous);
}

static void since_begins_where_a_server_appears(void **state)
{
	static const int risks[] = {900, 900};
	struct snapshot *first = fleet_of(END, risks, 1),
			*then = fleet_of(END + INTERVAL, risks, 2);

	(void)state;
	snapshot_carry(first, NULL);
	snapshot_carry(then, first);
	assert_int_equal(since(then, "s0"), END);
	assert_int_equal(since(then, "s1"), END + INTERVAL);
	snapshot_free(&first);
	snapshot_free(&then);
}

/* Another interval: the time moves to one of its buckets, so that a moment can be found there. */
static void since_stands_on_a_bucket_of_the_interval(void **state)
{
	static const int risk = 900;
	struct snapshot *first = fleet_of(END + INTERVAL, &risk, 1),
			*then = fleet_of(END + 4 * INTERVAL, &risk, 1);

	(void)state;
	snapshot_carry(first, NULL);
	then->interval_ms = 2 * INTERVAL;
	then->bucket /= 2;
	snapshot_carry(then, first);
	assert_int_equal(since(then, "s0"), END);
	snapshot_free(&first);
	snapshot_free(&then);
}

static void stored_forms_have_it(void **state)
{
	static const int risks[] = {0, 0, 0, 0};
	struct snapshot *snap = fleet_of(END, risks, 4), *back;
	struct buf bytes;

	(void)state;
	/* Values from which moments compute the risks again. */
	snap->servers[1].cpu.now = snap->servers[2].cpu.now = 99;
	snap->servers[2].memory.now = 99;
	for (size_t i = 0; i < 4; i++)
		risk_score(&snap->servers[i]);
	assert_int_equal(snapshot_seal(snap), 0);
	snapshot_carry(snap, NULL);
	snap->watched_from_ms = END - 50 * INTERVAL;
	snap->servers[0].level_since_ms[level_of(snap->servers[0].risk)] = END - 7 * INTERVAL;
	snap->servers[0].recent.most[3] = 78;
	snap->servers[0].recent.least = 12;
	buf_init(&bytes, 1 << 20);
	compact_encode(snap, &bytes);
	back = compact_decode(buf_span(&bytes));
	assert_non_null(back);
	assert_int_equal(back->watched_from_ms, END - 50 * INTERVAL);
	for (size_t i = 0; i < 4; i++) {
		assert_memory_equal(back->servers[i].level_since_ms,
				    snap->servers[i].level_since_ms,
				    sizeof(back->servers[i].level_since_ms));
		assert_memory_equal(&back->servers[i].recent, &snap->servers[i].recent,
				    sizeof(back->servers[i].recent));
	}
	snapshot_free(&back);
	buf_reset(&bytes);
	moment_encode(snap, &bytes);
	back = moment_decode(buf_span(&bytes), (struct span){NULL, 0});
	assert_non_null(back);
	assert_int_equal(back->watched_from_ms, END - 50 * INTERVAL);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(server_level_since(&back->servers[i]),
				 server_level_since(&snap->servers[i]));
	snapshot_free(&back);
	snapshot_free(&snap);
	buf_free(&bytes);
}

static void what_no_risk_can_be_is_a_miss(void **state)
{
	static const struct {
		int most, least;
		bool good;
	} rows[] = {
		{101, 101, true},
		{102, 101, false},
		{101, 102, false},
	};
	static const int risks[] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct snapshot *snap = fleet_of(END, risks, 1), *back;
		struct buf bytes;

		snap->servers[0].recent.most[RECENT_SLOTS - 1] = (uint8_t)rows[i].most;
		snap->servers[0].recent.least = (uint8_t)rows[i].least;
		buf_init(&bytes, 1 << 16);
		compact_encode(snap, &bytes);
		back = compact_decode(buf_span(&bytes));
		assert_int_equal(back != NULL, rows[i].good);
		snapshot_free(&back);
		snapshot_free(&snap);
		buf_free(&bytes);
	}
}

/* ---- from the history ---- */

static void the_history_tells_what_no_snapshot_does(void **state)
{
	static const int risks[] = {850, 650, 0, 900};
	struct snapshot *snap = fleet_of(END, risks, 4);
	struct recent_hour hour;

	(void)state;
	recent_begin(&hour, snap);
	/* s1 comes later, s3 never, another one goes; two base-36 digits: 620, 80, 990. */
	recent_names(&hour, SPAN("s0 s2 z%20"));
	recent_add(&hour, END - 4500000, SPAN("h828ri"));
	recent_add(&hour, END - 1800000, SPAN("28h8ri")); /* 80 and 620 */
	recent_names(&hour, SPAN("s0 s1 s2"));
	recent_add(&hour, END - 600000, SPAN("riri28"));
	recent_add(&hour, END - 30000, SPAN("h8h828"));
	recent_add(&hour, END, SPAN("000000")); /* the snapshot's own value */
	recent_end(&hour);
	snapshot_carry(snap, NULL);
	assert_int_equal(snap->watched_from_ms, END - 4500000);
	assert_int_equal(since(snap, "s0"), END); /* 620 is below Critical */
	assert_int_equal(since(snap, "s1"), END - 600000);
	assert_int_equal(since(snap, "s2"), 0);
	assert_int_equal(since(snap, "s3"), END);
	snapshot_free(&snap);
}

static void the_line_is_the_hour_in_slots(void **state)
{
	static const int risk = 765;
	struct snapshot *snap = fleet_of(END, &risk, 1);
	struct recent_hour hour;
	const struct recent *recent = &snap->servers[0].recent;

	(void)state;
	snapshot_carry(snap, NULL);
	recent_begin(&hour, snap);
	recent_names(&hour, SPAN("s0"));
	recent_add(&hour, END - RECENT_MS, SPAN("rs"));     /* before the hour */
	recent_add(&hour, END - RECENT_MS + 1, SPAN("28")); /* 80 */
	recent_add(&hour, END - 180000, SPAN("ri"));        /* 990 */
	recent_add(&hour, END - 30000, SPAN("28"));
	recent_add(&hour, END - 20000, SPAN("zz")); /* no risk */
	recent_add(&hour, END - 10000, SPAN("2"));
	recent_end(&hour);
	assert_int_equal(recent->most[0], 9);
	assert_int_equal(recent->most[1], 0);
	assert_int_equal(recent->most[RECENT_SLOTS - 2], 100);
	assert_int_equal(recent->most[RECENT_SLOTS - 1], 77);
	assert_int_equal(recent->least, 9);
	/* A snapshot that continues another one knows its levels. */
	assert_int_equal(since(snap, "s0"), END);
	snapshot_free(&snap);
}

/* ---- on pages ---- */

static size_t line(struct server *server, int64_t interval_ms, struct buf *out)
{
	buf_reset(out);
	chart_recent(server, interval_ms, out);
	buf_char(out, '\0');
	return out->len - 1;
}

static void a_line_is_short_and_has_words(void **state)
{
	struct server server = {.risk = 1000, .recent = {.least = 1}};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	server.recent.most[19] = 101;
	assert_int_equal(line(&server, INTERVAL, &out), 0);
	for (int i = 0; i < RECENT_SLOTS; i++)
		server.recent.most[i] = i % 2 ? 101 : 1;
	assert_in_range(line(&server, INTERVAL, &out), 100, 250);
	assert_has(out.data,
		   "role=\"img\" aria-label=\"risk over the last hour: 0 to 100, now 100\"");
	assert_has(out.data, "d=\"m0 10l3-10l3 10l3-10");
	/* A gap. */
	server.recent.most[1] = server.recent.most[2] = 0;
	assert_in_range(line(&server, INTERVAL, &out), 100, 250);
	assert_has(out.data, "d=\"m0 10m9-10l3 10");
	/* With an interval of 5 minutes this is not a gap. */
	assert_in_range(line(&server, 300000, &out), 100, 250);
	assert_has(out.data, "d=\"m0 10l9-10l3 10");
	buf_free(&out);
}

static void pages_say_since_when(void **state)
{
	struct fixture f;
	struct server *s;
	const char *page;

	(void)state;
	fixture_fleet(&f);
	snapshot_carry(f.snap, NULL);
	f.snap->watched_from_ms = 1763808960000;
	s = &f.snap->servers[1];
	s->level_since_ms[level_of(s->risk)] = 1763898540000;
	s->recent.least = s->recent.most[18] = 13;
	s->recent.most[19] = 77;
	f.snap->servers[0].level_since_ms[LEVEL_IMMINENT] = 1763808960000;
	page = render(&f, "overview", "");
	assert_has(page, "Danger <small>since 11:49:00 UTC, 12 min</small></td>");
	assert_has(page, "Imminent Failure <small>at least since 2025-11-22 10:56:00 UTC, 1 d 1 h");
	assert_has(page, "Degrading <small>since 12:01:00 UTC</small></td>");
	assert_has(page, "76.5</a><svg class=\"line\"");
	assert_int_equal(count_of(page, "class=\"line\""), 1);
	page = render(&f, "heatmap", "");
	assert_has(page, "<td>Danger <small>since 11:49:00 UTC, 12 min</small><svg");
	assert_has(page, "<td>Watch <small>since 12:01:00 UTC</small></td>");
	assert_has(page, "<td>Healthy</td>");
	f.view.server = s;
	page = render(&f, "server", "");
	assert_has(page, "<small>since 11:49:00 UTC, 12 min</small><svg class=\"line\"");
	page = render(&f, "api-alerts", "");
	assert_has(page, "\"level_since\":\"2025-11-23T11:49:00.000Z\","
			 "\"level_since_at_least\":false");
	assert_has(page, "\"level_since\":\"2025-11-22T10:56:00.000Z\","
			 "\"level_since_at_least\":true");
	page = render(&f, "api-fleet", "");
	assert_has(page, "\"level_since\":null,\"level_since_at_least\":false");
	fixture_free(&f);
}

/* Numbers without a pattern: the hardest to compress. */
static unsigned seed = 1;

static unsigned any_below(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

static struct snapshot *fleet_with_a_past(const char *answer)
{
	struct snapshot *snap = golden_snapshot(answer);

	snap->interval_ms = INTERVAL;
	snap->bucket = END / INTERVAL;
	snap->gen_ms = END + 1234;
	snapshot_carry(snap, NULL);
	snap->watched_from_ms = END - 400 * (int64_t)3600000;
	for (size_t i = 0; i < snap->count; i++) {
		struct server *s = &snap->servers[i];
		enum level level = level_of(s->risk);

		if (level < LEVEL_HEALTHY)
			s->level_since_ms[level] = END - any_below(2880) * (int64_t)INTERVAL;
		for (int slot = 0; slot < RECENT_SLOTS; slot++)
			s->recent.most[slot] = (uint8_t)(1 + any_below(101));
		s->recent.least = 1;
	}
	return snap;
}

static void an_overview_stays_within_its_budget(void **state)
{
	struct fixture f;
	struct buf packed;
	struct snapshot *snap;
	const char *page;

	(void)state;
	fixture_init(&f);
	buf_init(&packed, 1 << 20);
	f.view.snap = snap = fleet_with_a_past("predictions_current-critical-90");
	page = render(&f, "overview", "");
	assert_int_equal(gzip_compress(span_str(page), GZIP_STORED, &packed), 0);
	print_message("overview of 90: %zu, %zu packed\n", strlen(page), packed.len);
	assert_true(strlen(page) <= 48 * 1024);
	assert_true(packed.len <= 12 * 1024);
	snapshot_free(&snap);
	/* A full page of the table. */
	f.view.snap = snap = fleet_with_a_past("predictions_current-critical-500");
	page = render(&f, "overview", "sev=healthy");
	assert_int_equal(count_of(page, "id=\"srv-"), 100);
	assert_int_equal(count_of(page, "class=\"line\""), 50);
	page = render(&f, "overview", "sev=watch-up");
	assert_int_equal(count_of(page, "id=\"srv-"), 100);
	print_message("overview with 100 rows: %zu elements\n", count_elements(page));
	assert_true(count_elements(page) <= 3000);
	snapshot_free(&snap);
	buf_free(&packed);
	fixture_free(&f);
}

/* Each server has a different time. */
static void a_moment_grows_by_less_than_a_byte_for_a_server(void **state)
{
	static const char *const answers[] = {"predictions_current-healthy-90",
					      "predictions_current-critical-500"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct snapshot *snap = fleet_with_a_past(answers[i]);
		struct buf with, without;

		buf_init(&with, 1 << 20);
		buf_init(&without, 1 << 20);
		moment_encode(snap, &with);
		for (size_t k = 0; k < snap->count; k++)
			memset(snap->servers[k].level_since_ms, 0,
			       sizeof(snap->servers[k].level_since_ms));
		moment_encode(snap, &without);
		print_message("%s: %zu bytes more\n", answers[i], with.len - without.len);
		assert_true(with.len - without.len <= snap->count);
		buf_free(&with);
		buf_free(&without);
		snapshot_free(&snap);
	}
}

/* A risk of 0 is a value: the server was well then. */
static void a_risk_of_nothing_ends_a_level(void **state)
{
	static const int risks[] = {900};
	struct snapshot *snap = fleet_of(END, risks, 1);
	struct recent_hour hour;

	(void)state;
	recent_begin(&hour, snap);
	recent_names(&hour, SPAN("s0"));
	recent_add(&hour, END - 90000, SPAN("ri"));
	recent_add(&hour, END - 60000, SPAN("00"));
	recent_add(&hour, END - 30000, SPAN("ri"));
	recent_end(&hour);
	snapshot_carry(snap, NULL);
	assert_int_equal(since(snap, "s0"), END - 30000);
	snapshot_free(&snap);
}

/* Another program wrote a name that is longer than any. */
static void a_name_that_is_too_long_is_nobodys(void **state)
{
	static const int risks[] = {900};
	struct snapshot *snap = fleet_of(END, risks, 1);
	struct recent_hour hour;
	char names[600];

	(void)state;
	for (size_t len = 250; len < 300; len++) {
		memset(names, 'x', len);
		memcpy(names + len, " s0", 3);
		recent_begin(&hour, snap);
		recent_names(&hour, (struct span){names, len + 3});
		recent_add(&hour, END - 30000, SPAN("riri"));
		recent_end(&hour);
	}
	snapshot_free(&snap);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(since_is_carried_for_every_level),
		cmocka_unit_test(since_begins_where_a_server_appears),
		cmocka_unit_test(since_stands_on_a_bucket_of_the_interval),
		cmocka_unit_test(stored_forms_have_it),
		cmocka_unit_test(what_no_risk_can_be_is_a_miss),
		cmocka_unit_test(the_history_tells_what_no_snapshot_does),
		cmocka_unit_test(the_line_is_the_hour_in_slots),
		cmocka_unit_test(a_line_is_short_and_has_words),
		cmocka_unit_test(pages_say_since_when),
		cmocka_unit_test(an_overview_stays_within_its_budget),
		cmocka_unit_test(a_moment_grows_by_less_than_a_byte_for_a_server),
		cmocka_unit_test(a_risk_of_nothing_ends_a_level),
		cmocka_unit_test(a_name_that_is_too_long_is_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
