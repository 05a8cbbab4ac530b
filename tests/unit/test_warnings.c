/* SPDX-License-Identifier: MIT */
/*
 * Outcomes of warnings. With an argument the program takes a step for each bucket that it reads
 * instead (tests/integration/test_t1730_warnings.py): a line for each server, in order of time,
 *
 *	<time, ms> <name> <now> <worst, 30 min> ... <now> <highest median, 1 h> ...
 *
 * of CPU used, I/O wait, memory, load, then of each metric of crossing_table; and prints the outcomes
 * and the counts of each hour.
 */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/pack.h"
#include "fleet/risk.h"
#include "fleet/watch.h"

#define SECOND   INT64_C(1000)
#define MINUTE   (60 * SECOND)
#define HOUR_MS  (60 * MINUTE)
#define INTERVAL (30 * SECOND)
#define START    (INT64_C(490000) * HOUR_MS)

enum { CPU, IOWAIT, MEMORY, LOAD, MEMORY_90 = 6, MEMORY_98 };

/* ---- a fleet from bucket to bucket ---- */

struct run {
	struct buf watch, told;
	struct warnings_hour hour;
	int64_t now_ms;
	struct snapshot *snap; /* the next one */
	int rc;
};

static void begin(struct run *r)
{
	memset(r, 0, sizeof(*r));
	r->now_ms = START;
	buf_init(&r->watch, 64u << 20);
	buf_init(&r->told, 64u << 20);
}

static void end(struct run *r)
{
	snapshot_free(&r->snap);
	buf_free(&r->watch);
	buf_free(&r->told);
}

/* Adds a server without any value to the next bucket. */
static struct server *has(struct run *r, const char *name)
{
	struct server *s;

	if (!r->snap)
		r->snap = snapshot_new();
	s = snapshot_add(r->snap, span_str(name));
	s->profile = profile_of(span_str(name));
	s->series = series_new();
	return s;
}

static void set_crossing(struct server *s, enum crossing_index index, double now, double peak)
{
	s->series->current[crossing_table[index].metric] = now;
	crossing_find(s->crossings, crossing_table[index].metric, now, &peak, isnan(peak) ? 0 : 1);
}

/* The next bucket, so long after the last one. */
static void step(struct run *r, int64_t after_ms)
{
	struct watch_step step = {.before = buf_span(&r->watch), .hour = &r->hour};
	struct buf told, after;

	if (!r->snap)
		r->snap = snapshot_new();
	r->now_ms += after_ms;
	r->snap->interval_ms = SECOND;
	r->snap->bucket = r->now_ms / SECOND;
	r->snap->gen_ms = r->now_ms;
	assert_int_equal(snapshot_seal(r->snap), 0);
	buf_init(&told, 1u << 20);
	buf_init(&after, r->watch.max);
	step.snap = r->snap;
	step.told = &told;
	step.after = &after;
	r->rc = watch_step(&step);
	assert_true(buf_ok(&told) && buf_ok(&after));
	buf_free(&r->watch);
	r->watch = after;
	if (r->told.len && told.len)
		buf_char(&r->told, '\n');
	buf_span_add(&r->told, buf_span(&told));
	buf_free(&told);
	snapshot_free(&r->snap);
}

/* A bucket with one server, of which only the CPU is known. */
static void one(struct run *r, int64_t after_ms, double now, double worst)
{
	struct server *s = has(r, "ppweb1");

	s->cpu.now = now;
	s->cpu.worst = worst;
	risk_score(s);
	step(r, after_ms);
}

static void assert_told(const struct run *r, const char *lines)
{
	char text[4096];

	(void)snprintf(text, sizeof(text), "%.*s", (int)r->told.len,
		       r->told.data ? r->told.data : "");
	assert_string_equal(text, lines);
}

static int64_t count(const struct run *r, enum warning_outcome outcome)
{
	return r->hour.sums[CPU][PROFILE_WEB].outcomes[outcome];
}

static void a_warning_comes_true_within_its_horizon(void **unused)
{
	struct run r;

	(void)unused;
	begin(&r);
	one(&r, 0, 50, 60);
	one(&r, INTERVAL, 60, 92);
	one(&r, 10 * MINUTE, 70, 92);
	one(&r, 150 * SECOND, 90, 95);
	assert_told(&r, "1 0 0 2 1764000030000 ppweb1");
	assert_int_equal(r.hour.sums[CPU][PROFILE_WEB].leads[12], 1);
	one(&r, INTERVAL, 95, 99);
	assert_int_equal(count(&r, WARNING_MISS), 0);
	end(&r);
}

static void one_that_does_not_is_a_false_alarm_and_another_one_may_begin(void **unused)
{
	struct run r;

	(void)unused;
	begin(&r);
	one(&r, 0, 60, 92);
	one(&r, 30 * MINUTE - SECOND, 60, 92);
	assert_told(&r, "");
	one(&r, SECOND, 60, 92);
	assert_told(&r, "1 2 0 2 1764000000000 ppweb1");
	one(&r, 29 * MINUTE, 91, 92);
	assert_told(&r, "1 2 0 2 1764000000000 ppweb1\n1 0 0 2 1764001800000 ppweb1");
	end(&r);
}

static void the_bucket_of_the_end_may_be_a_little_late(void **unused)
{
	struct run r;

	(void)unused;
	begin(&r);
	one(&r, 0, 60, 92);
	one(&r, 30 * MINUTE + 149 * SECOND, 91, 92);
	assert_int_equal(count(&r, WARNING_HIT), 1);
	assert_int_equal(r.hour.sums[CPU][PROFILE_WEB].leads[32], 1);
	one(&r, 6 * MINUTE, 60, 92);
	one(&r, 30 * MINUTE + 150 * SECOND, 91, 92);
	assert_int_equal(count(&r, WARNING_LOST), 1);
	assert_int_equal(count(&r, WARNING_HIT), 1);
	assert_int_equal(count(&r, WARNING_MISS), 0);
	end(&r);
}

static void a_limit_reached_without_a_warning_is_a_miss(void **unused)
{
	struct run r;

	(void)unused;
	begin(&r);
	one(&r, 0, 89.9, 89.9);
	one(&r, 30 * MINUTE, 90, 95);
	assert_told(&r, "1 1 0 2 0 ppweb1");
	/* Nothing could be known so long before. */
	one(&r, 6 * MINUTE, 50, 50);
	one(&r, 30 * MINUTE + SECOND, 95, 95);
	assert_int_equal(count(&r, WARNING_MISS), 1);
	end(&r);
}

static void a_server_that_appears_at_a_limit_has_not_reached_it(void **unused)
{
	struct run r;

	(void)unused;
	begin(&r);
	one(&r, 0, 95, 99);
	one(&r, 6 * MINUTE, 50, 50);
	step(&r, INTERVAL);
	one(&r, INTERVAL, 95, 99);
	assert_told(&r, "");
	end(&r);
}

static void a_value_that_jumps_about_its_limit_reaches_it_once(void **unused)
{
	struct run r;

	(void)unused;
	begin(&r);
	one(&r, 0, 80, 80);
	one(&r, INTERVAL, 91, 95);
	for (int i = 0; i < 5; i++) {
		one(&r, 5 * MINUTE - SECOND, 89, 95);
		one(&r, SECOND, 91, 95);
	}
	assert_told(&r, "1 1 0 2 0 ppweb1");
	one(&r, 5 * MINUTE, 89, 95);
	one(&r, SECOND, 91, 95);
	assert_told(&r, "1 1 0 2 0 ppweb1\n1 0 0 2 1764001830000 ppweb1");
	end(&r);
}

static void what_goes_silent_or_away_is_not_judged(void **unused)
{
	struct run r;
	struct server *s;

	(void)unused;
	begin(&r);
	one(&r, 0, 60, 92);
	step(&r, 10 * MINUTE);
	one(&r, MINUTE, 91, 92);
	assert_int_equal(count(&r, WARNING_HIT), 1);
	one(&r, 6 * MINUTE, 60, 92);
	s = has(&r, "ppweb1");
	s->cpu.now = 95;
	s->has_data = true;
	s->same_count = 3;
	s->same_since_ms = r.now_ms;
	step(&r, 32 * MINUTE);
	assert_int_equal(count(&r, WARNING_LOST), 0);
	step(&r, MINUTE);
	assert_int_equal(count(&r, WARNING_LOST), 1);
	assert_int_equal(count(&r, WARNING_HIT), 1);
	end(&r);
}

static void limits_are_those_of_the_profile(void **unused)
{
	struct run r;
	bool above;

	(void)unused;
	begin(&r);
	assert_int_equal(warning_limit_of(MEMORY, true, &above), 98);
	assert_int_equal(warning_limit_of(MEMORY, false, &above), 95);
	assert_false(above);
	assert_int_equal(warning_limit_of(LOAD, false, &above), 8);
	assert_true(above);
	for (int i = 0; i < 2; i++) {
		has(&r, "ppdb1")->memory.now = i ? 97 : 90;
		has(&r, "ppml1")->memory.now = i ? 97 : 90;
		has(&r, "ppml2")->load.now = 8;
		step(&r, INTERVAL);
	}
	assert_told(&r, "1 1 2 0 0 ppml1");
	end(&r);
}

static void a_crossing_of_the_worse_limit_warns_of_both(void **unused)
{
	struct run r;

	(void)unused;
	begin(&r);
	set_crossing(has(&r, "ppgen1"), CROSSING_MEM_USED, 80, 99);
	step(&r, 0);
	set_crossing(has(&r, "ppgen1"), CROSSING_MEM_USED, 92, 99);
	step(&r, 59 * MINUTE);
	set_crossing(has(&r, "ppgen1"), CROSSING_MEM_USED, 92, 92);
	step(&r, MINUTE);
	assert_told(&r, "1 0 6 6 1764000000000 ppgen1\n1 2 7 6 1764000000000 ppgen1");
	end(&r);
}

static void a_crossing_of_the_milder_limit_warns_of_that(void **unused)
{
	struct run r;

	(void)unused;
	begin(&r);
	set_crossing(has(&r, "ppgen1"), CROSSING_MEM_USED, 80, 92);
	step(&r, 0);
	set_crossing(has(&r, "ppgen1"), CROSSING_MEM_USED, 99, NAN);
	step(&r, MINUTE);
	assert_told(&r, "1 0 6 6 1764000000000 ppgen1\n1 1 7 6 0 ppgen1");
	end(&r);
}

static void what_is_reached_without_a_crossing_was_missed(void **unused)
{
	struct run r;

	(void)unused;
	begin(&r);
	set_crossing(has(&r, "ppgen1"), CROSSING_MEM_USED, 80, NAN);
	step(&r, 0);
	set_crossing(has(&r, "ppgen1"), CROSSING_MEM_USED, 92, NAN);
	step(&r, MINUTE);
	assert_told(&r, "1 1 6 6 0 ppgen1");
	end(&r);
}

static void of_very_many_outcomes_some_are_told(void **unused)
{
	struct run r;
	char name[16];
	size_t lines = 1;

	(void)unused;
	begin(&r);
	for (int bucket = 0; bucket < 2; bucket++) {
		for (int i = 0; i < 300; i++) {
			(void)snprintf(name, sizeof(name), "ppweb%03d", i);
			has(&r, name)->cpu.now = bucket ? 95 : 50;
		}
		step(&r, INTERVAL);
	}
	assert_int_equal(count(&r, WARNING_MISS), 300);
	for (size_t i = 0; i < r.told.len; i++)
		lines += r.told.data[i] == '\n';
	assert_int_equal(lines, WARNINGS_TOLD);
	end(&r);
}

/* ---- records ---- */

static void a_damaged_record_is_told_and_forgotten(void **unused)
{
	struct run r;

	(void)unused;
	begin(&r);
	one(&r, 0, 60, 92);
	r.watch.data[r.watch.len - 1] ^= 1;
	one(&r, INTERVAL, 95, 99);
	assert_int_equal(r.rc, -1);
	assert_told(&r, "");
	one(&r, INTERVAL, 95, 99);
	assert_int_equal(r.rc, 0);
	/* Of a clock that was ahead. */
	one(&r, 6 * MINUTE, 60, 92);
	r.now_ms -= HOUR_MS;
	one(&r, 0, 95, 92);
	assert_int_equal(r.rc, 0);
	assert_told(&r, "");
	end(&r);
}

/* A server of a record as another program may write it. */
struct forged {
	const char *name;
	unsigned known, warned, at; /* sets of limits */
	int64_t ago_ms;             /* of each limit in warned or at */
};

static void forge(struct run *r, int64_t last_ms, const struct forged *servers, size_t count)
{
	struct buf body;

	buf_init(&body, 4096);
	bytes_put_int(&body, (uint64_t)last_ms, 8);
	for (size_t i = 0; i < count; i++) {
		bytes_put_text(&body, span_str(servers[i].name));
		bytes_put_int(&body, servers[i].known, 2);
		bytes_put_int(&body, servers[i].warned, 2);
		bytes_put_int(&body, servers[i].at, 2);
		for (unsigned l = 0; l < 16; l++)
			if ((servers[i].warned | servers[i].at) >> l & 1)
				bytes_put_varint(&body, servers[i].ago_ms);
	}
	buf_reset(&r->watch);
	pack_seal("TFTo", WATCH_FORMAT, &body, &r->watch);
	buf_free(&body);
}

#define ALL ((1u << WARNING_LIMITS) - 1)

static void a_record_that_cannot_be_is_refused(void **unused)
{
	static const struct {
		int64_t last_ms;
		struct forged servers[2];
		size_t count;
		int rc;
	} rows[] = {
		{START, {{"a", 0, 0, 0, 0}}, 0, 0},
		{START, {{"a", ALL, ALL, 0, 0}}, 1, 0},
		{START, {{"a", ALL, 0, ALL, START}}, 1, 0},
		{START, {{"a", ALL + 1, 0, 0, 0}}, 1, -1},
		{START, {{"a", 1, 2, 0, 0}}, 1, -1},
		{START, {{"a", 1, 0, 2, 0}}, 1, -1},
		{START, {{"a", 1, 1, 1, 0}}, 1, -1},
		{START, {{"a", 1, 1, 0, -1}}, 1, -1},
		{START, {{"a", 1, 1, 0, START + 1}}, 1, -1},
		{START, {{"", 1, 0, 0, 0}}, 1, -1},
		{START, {{"a", 1, 0, 0, 0}, {"b", 1, 0, 0, 0}}, 2, 0},
		{START, {{"a", 1, 0, 0, 0}, {"a", 1, 0, 0, 0}}, 2, -1},
		{START, {{"b", 1, 0, 0, 0}, {"a", 1, 0, 0, 0}}, 2, -1},
		{-1, {{"a", 1, 0, 0, 0}}, 1, -1},
		{INT64_C(1000000000000000), {{"a", 1, 0, 0, 0}}, 1, 0},
		{INT64_C(1000000000000001), {{"a", 1, 0, 0, 0}}, 1, -1},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct run r;

		begin(&r);
		forge(&r, rows[i].last_ms, rows[i].servers, rows[i].count);
		one(&r, INTERVAL, 50, 60);
		if (r.rc != rows[i].rc)
			fail_msg("row %zu", i);
		end(&r);
	}
}

/* A bucket that is made once more does not go on from itself. */
static void a_record_of_this_bucket_is_of_no_use(void **unused)
{
	static const struct forged below[] = {{"ppweb1", 1, 0, 0, 0}};

	(void)unused;
	for (int64_t after_ms = 0; after_ms <= SECOND; after_ms += SECOND) {
		struct run r;

		begin(&r);
		forge(&r, START, below, 1);
		one(&r, after_ms, 95, 99);
		assert_int_equal(count(&r, WARNING_MISS), after_ms > 0);
		end(&r);
	}
}

/* A name that is new and comes before those that are known. */
static void a_new_server_takes_nothing_from_the_next_one(void **unused)
{
	static const struct forged below[] = {{"ppweb1", 1, 0, 0, 0}};
	struct run r;

	(void)unused;
	begin(&r);
	forge(&r, START, below, 1);
	(void)has(&r, "new");
	one(&r, SECOND, 95, 99);
	assert_int_equal(count(&r, WARNING_MISS), 1);
	end(&r);
}

static void the_counts_of_an_hour_come_back(void **unused)
{
	struct warnings_hour hour = {.at_ms = START}, again;
	struct buf record;

	(void)unused;
	hour.sums[MEMORY_98][PROFILE_DATABASE] =
		(struct warning_sums){{300, 2, 0, 1}, {[0] = 100, [62] = 200}};
	buf_init(&record, 1 << 16);
	warnings_encode(&hour, &record);
	assert_int_equal(warnings_decode(buf_span(&record), &again), 0);
	assert_memory_equal(&hour, &again, sizeof(hour));
	for (size_t i = 0; i < record.len; i++) {
		record.data[i] ^= 1;
		assert_int_equal(warnings_decode(buf_span(&record), &again), -1);
		assert_int_equal(again.at_ms, 0);
		record.data[i] ^= 1;
	}
	buf_free(&record);
}

/* Right in form, but no hour of ours. */
static void counts_that_cannot_be_are_refused(void **unused)
{
	static const struct {
		int64_t at_ms, miss, hit, lead;
		int rc;
	} rows[] = {
		{START, 3, 2, 2, 0},
		{0, 3, 2, 2, 0},
		{1, 3, 2, 2, -1},
		{-HOUR_MS, 3, 2, 2, -1},
		{INT64_C(277777778) * HOUR_MS, 3, 2, 2, -1}, /* the first after TIME_MAX */
		{START, -1, 2, 2, -1},
		{START, INT64_C(1) << 40, 2, 2, 0},
		{START, (INT64_C(1) << 40) + 1, 2, 2, -1},
		{START, 3, 2, 1, -1}, /* each hit has its lead */
	};
	struct warnings_hour hour, again;
	struct buf record;

	(void)unused;
	buf_init(&record, 1 << 16);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&hour, 0, sizeof(hour));
		hour.at_ms = rows[i].at_ms;
		hour.sums[WARNING_LIMITS - 1][PROFILE_COUNT - 1] = (struct warning_sums){
			{rows[i].hit, rows[i].miss, 0, 0}, {[WARNING_LEADS - 1] = rows[i].lead}};
		buf_reset(&record);
		warnings_encode(&hour, &record);
		if (warnings_decode(buf_span(&record), &again) != rows[i].rc)
			fail_msg("row %zu", i);
	}
	buf_free(&record);
}

static void hours_outside_of_the_range_do_not_count(void **unused)
{
	static const int64_t hours[] = {START - HOUR_MS, START, START + HOUR_MS,
					START + 2 * HOUR_MS};
	struct warnings *w = calloc(1, sizeof(*w));
	struct warnings_hour hour = {.at_ms = 0};

	(void)unused;
	assert_non_null(w);
	warnings_init(w, START, START + 2 * HOUR_MS);
	for (size_t i = 0; i < 4; i++) {
		hour.at_ms = hours[i];
		hour.sums[CPU][PROFILE_WEB] = (struct warning_sums){{1, 0, 0, 0}, {[5] = 1}};
		hour.sums[CPU][PROFILE_DATABASE].outcomes[WARNING_MISS] = 10;
		warnings_add_hour(w, &hour);
	}
	assert_int_equal(w->sums[CPU][PROFILE_WEB].outcomes[WARNING_HIT], 2);
	assert_int_equal(w->sums[CPU][WARNINGS_ALL].outcomes[WARNING_HIT], 2);
	assert_int_equal(w->sums[CPU][WARNINGS_ALL].outcomes[WARNING_MISS], 20);
	assert_int_equal(w->sums[CPU][WARNINGS_ALL].leads[5], 2);
	warnings_free(w);
	free(w);
}

static void damaged_lines_are_refused(void **unused)
{
	static const char *const bad[] = {
		"",
		"1 0 0 2 5 ",
		"2 0 0 2 5 a",
		"1 4 0 2 5 a",
		"1 0 14 2 5 a",
		"1 0 0 7 5 a",
		"1 0 0 2 101 a",
		"1 1 0 2 5 a",
		"1 0 0 2 0 a",
		"1 0 0 2 5 %ff",
	};
	struct warnings *w = calloc(1, sizeof(*w));

	(void)unused;
	assert_non_null(w);
	warnings_init(w, 0, HOUR_MS);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(warnings_add_line(w, 100, span_str(bad[i])), -1);
	assert_int_equal(warnings_count(w), 0);
	assert_int_equal(warnings_add_line(w, 100, span_str("1 2 13 6 5 a%20b")), 0);
	assert_int_equal(warnings_events(w)[0].limit, 13);
	assert_true(span_is(warning_name(w, warnings_events(w)), "a b"));
	assert_int_equal(warnings_add_line(w, 100, span_str("1 3 0 0 100 b")), 0);
	assert_int_equal(warnings_events(w)[1].warned_ms, 100);
	for (size_t extra = 0; extra < 2; extra++) { /* the longest name, and a longer one */
		char line[] = "1 0 0 0 5 ", name[SNAPSHOT_NAME_MAX + 2], whole[300];

		memset(name, 'n', sizeof(name));
		name[SNAPSHOT_NAME_MAX + extra] = '\0';
		(void)snprintf(whole, sizeof(whole), "%s%s", line, name);
		assert_int_equal(warnings_add_line(w, 100, span_str(whole)), extra ? -1 : 0);
	}
	warnings_free(w);
	free(w);
}

static void shares_and_the_median_follow_from_the_counts(void **unused)
{
	struct warning_sums sums = {{4, 2, 12, 9}, {[3] = 2, [7] = 1, [30] = 1}}, none = {{0}, {0}};

	(void)unused;
	assert_float_equal(warning_precision(&sums), 0.25, 1e-12);
	assert_float_equal(warning_recall(&sums), 4.0 / 6, 1e-12);
	assert_float_equal(warning_lead(&sums), 3, 0);
	sums.leads[7]++;
	sums.outcomes[WARNING_HIT]++;
	assert_float_equal(warning_lead(&sums), 7, 0);
	assert_true(isnan(warning_precision(&none)) && isnan(warning_recall(&none)) &&
		    isnan(warning_lead(&none)));
}

/* ---- buckets that are read ---- */

static bool read_server(struct run *r, const char *name, const double *v)
{
	struct server *s = has(r, name);
	struct reading *readings[] = {&s->cpu, &s->iowait, &s->memory, &s->load};

	for (int i = 0; i < 4; i++) {
		readings[i]->now = v[2 * i];
		readings[i]->worst = v[2 * i + 1];
	}
	risk_score(s);
	for (int i = 0; i < CROSSINGS; i++)
		set_crossing(s, (enum crossing_index)i, v[8 + 2 * i], v[9 + 2 * i]);
	return true;
}

static void print_told(struct run *r)
{
	if (r->told.len)
		printf("at %" PRId64 "\n%.*s\n", r->now_ms, (int)r->told.len, r->told.data);
	buf_reset(&r->told);
}

static void print_hour(const struct warnings_hour *hour)
{
	for (int l = 0; l < WARNING_LIMITS; l++)
		for (int p = 0; p < PROFILE_COUNT; p++) {
			const struct warning_sums *sums = &hour->sums[l][p];

			printf("hour %" PRId64 " %d %d", hour->at_ms, l, p);
			for (int i = 0; i < WARNING_OUTCOMES; i++)
				printf(" %" PRId64, sums->outcomes[i]);
			for (int i = 0; i < WARNING_LEADS; i++)
				if (sums->leads[i])
					printf(" %d:%" PRId64, i, sums->leads[i]);
			printf("\n");
		}
}

static void end_bucket(struct run *r, int64_t at_ms)
{
	int64_t hour_ms = at_ms / HOUR_MS * HOUR_MS;

	if (r->hour.at_ms && r->hour.at_ms != hour_ms) {
		print_hour(&r->hour);
		memset(&r->hour, 0, sizeof(r->hour));
	}
	r->hour.at_ms = hour_ms;
	step(r, at_ms - r->now_ms);
	print_told(r);
}

static int step_series(void)
{
	static char line[1024];
	int64_t last_ms = 0, at_ms;
	struct run r;

	begin(&r);
	while (fgets(line, sizeof(line), stdin)) {
		double v[18];
		char name[64], *rest = line;
		int n;

		if (sscanf(line, "%" SCNd64 " %63s%n", &at_ms, name, &n) != 2)
			return 1;
		rest += n;
		for (int i = 0; i < 18; i++)
			v[i] = strtod(rest, &rest);
		if (last_ms && at_ms != last_ms)
			end_bucket(&r, last_ms);
		last_ms = at_ms;
		read_server(&r, name, v);
	}
	end_bucket(&r, last_ms);
	print_hour(&r.hour);
	end(&r);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_warning_comes_true_within_its_horizon),
		cmocka_unit_test(one_that_does_not_is_a_false_alarm_and_another_one_may_begin),
		cmocka_unit_test(the_bucket_of_the_end_may_be_a_little_late),
		cmocka_unit_test(a_limit_reached_without_a_warning_is_a_miss),
		cmocka_unit_test(a_server_that_appears_at_a_limit_has_not_reached_it),
		cmocka_unit_test(a_value_that_jumps_about_its_limit_reaches_it_once),
		cmocka_unit_test(what_goes_silent_or_away_is_not_judged),
		cmocka_unit_test(limits_are_those_of_the_profile),
		cmocka_unit_test(a_crossing_of_the_worse_limit_warns_of_both),
		cmocka_unit_test(a_crossing_of_the_milder_limit_warns_of_that),
		cmocka_unit_test(what_is_reached_without_a_crossing_was_missed),
		cmocka_unit_test(of_very_many_outcomes_some_are_told),
		cmocka_unit_test(a_damaged_record_is_told_and_forgotten),
		cmocka_unit_test(a_record_that_cannot_be_is_refused),
		cmocka_unit_test(a_record_of_this_bucket_is_of_no_use),
		cmocka_unit_test(a_new_server_takes_nothing_from_the_next_one),
		cmocka_unit_test(the_counts_of_an_hour_come_back),
		cmocka_unit_test(counts_that_cannot_be_are_refused),
		cmocka_unit_test(hours_outside_of_the_range_do_not_count),
		cmocka_unit_test(damaged_lines_are_refused),
		cmocka_unit_test(shares_and_the_median_follow_from_the_counts),
	};

	(void)argv;
	if (argc == 2)
		return step_series();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
