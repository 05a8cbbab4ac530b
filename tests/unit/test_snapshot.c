/* SPDX-License-Identifier: MIT */
/* Building, order, counts, silence, and the stored forms: they read back as written, and damage is
 * detected. */
#include "config.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "fleet/compact.h"
#include "fleet/snapshot.h"

static struct server *add(struct snapshot *s, const char *name, int risk)
{
	struct server *server = snapshot_add(s, span_str(name));

	assert_non_null(server);
	server->risk = risk;
	server->has_data = true;
	server->fingerprint = (uint64_t)risk;
	return server;
}

/* Three servers; all members of the head are set. */
static struct snapshot *sample(void)
{
	struct snapshot *s = snapshot_new();
	struct server *server;

	assert_non_null(s);
	add(s, "ppweb001", 300);
	server = add(s, "ppdb001", 1000);
	server->cpu = (struct reading){57.25, 59.5, 98, 12.125, 2.25};
	server->iowait = (struct reading){5, 6, 7, NAN, 1};
	server->swap_now = 3.5;
	server->points[COMPONENT_CPU_PREDICTED] = 30;
	server->same_since_ms = 1764000000000;
	server->same_count = 7;
	add(s, "pp\xc3\xa9", 300)->has_data = false;
	snprintf(s->id, sizeof(s->id), "0123456789abcdef");
	s->bucket = 59012345;
	s->interval_ms = 30000;
	s->gen_ms = 1764000123456;
	s->fill_ms = 900;
	s->model = MODEL_HEURISTIC;
	snprintf(s->prediction_time, sizeof(s->prediction_time), "2026-11-23T12:46:37");
	s->prob_30m = 0.97;
	s->warmup = (struct warmup){true, false, 35, 60, 150, 0, 0};
	s->scenario = (struct scenario){true, true, "degrading", 4, 20, 2, {"a", "b c"}, 0};
	s->served = (struct served){1234567, 8, 0, 60, 900, 22000000, -1};
	s->refused = 2;
	s->odd_values = 3;
	assert_int_equal(snapshot_seal(s), 0);
	return s;
}

static void check_order(const struct snapshot *s, const char *const *names, size_t count)
{
	size_t i;

	assert_int_equal(s->count, count);
	for (i = 0; i < count; i++)
		assert_true(span_is(s->servers[i].name, names[i]));
}

static void servers_come_by_risk_then_name(void **state)
{
	static const char *const order[] = {"z", "B", "a", "aa", "b", "c"};
	struct snapshot *s = snapshot_new();

	(void)state;
	add(s, "c", 10);
	add(s, "aa", 500);
	add(s, "b", 500);
	add(s, "z", 1000);
	add(s, "a", 500);
	add(s, "B", 500);
	assert_int_equal(snapshot_seal(s), 0);
	check_order(s, order, 6);
	assert_ptr_equal(snapshot_find(s, SPAN("aa")), &s->servers[3]);
	assert_null(snapshot_find(s, SPAN("A")));
	assert_null(snapshot_find(s, SPAN("")));
	snapshot_free(&s);
	assert_null(s);
	snapshot_free(&s);
}

static void the_last_of_equal_names_stays(void **state)
{
	static const char *const order[] = {"b", "a"};
	struct snapshot *s = snapshot_new();
	int i;

	(void)state;
	for (i = 0; i < 40; i++)
		add(s, "a", 900 - i)->series = calloc(1, sizeof(struct series));
	add(s, "b", 899);
	add(s, "a", 5);
	assert_int_equal(snapshot_seal(s), 0);
	check_order(s, order, 2);
	assert_int_equal(s->servers[1].risk, 5);
	assert_null(s->servers[1].series);
	snapshot_free(&s);
}

static void an_empty_fleet_is_sealed_and_counted(void **state)
{
	struct snapshot *s = snapshot_new();
	struct fleet_counts counts;

	(void)state;
	assert_int_equal(snapshot_seal(s), 0);
	snapshot_count(s, &counts);
	assert_int_equal(counts.total, 0);
	assert_int_equal(counts.healthy, 0);
	snapshot_free(&s);
}

static void counts_include_the_worse(void **state)
{
	static const int risks[] = {1000, 900, 899, 800, 799, 700, 600, 599, 500, 499, 300, 299, 0};
	static const unsigned levels[LEVEL_COUNT] = {2, 2, 2, 1, 2, 2, 2};
	struct snapshot *s = snapshot_new();
	struct fleet_counts counts;
	char name[8];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(risks) / sizeof(risks[0]); i++) {
		snprintf(name, sizeof(name), "s%zu", i);
		add(s, name, risks[i]);
	}
	assert_int_equal(snapshot_seal(s), 0);
	snapshot_count(s, &counts);
	assert_int_equal(counts.total, 13);
	assert_int_equal(counts.healthy, 4);
	assert_int_equal(counts.or_worse[LEVEL_CRITICAL], 4);
	assert_int_equal(counts.or_worse[LEVEL_WARNING], 7);
	assert_int_equal(counts.or_worse[LEVEL_DEGRADING], 9);
	assert_memory_equal(counts.level, levels, sizeof(levels));
	snapshot_free(&s);
}

static void no_more_servers_than_the_ceiling(void **state)
{
	struct snapshot *s = snapshot_new();
	char name[16];
	int i;

	(void)state;
	for (i = 0; i < SNAPSHOT_SERVERS; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		assert_non_null(snapshot_add(s, span_str(name)));
	}
	assert_null(snapshot_add(s, SPAN("one more")));
	assert_int_equal(snapshot_seal(s), 0);
	assert_int_equal(s->count, SNAPSHOT_SERVERS);
	snapshot_free(&s);
}

static void a_thousand_servers_fit_into_twelve_megabytes(void **state)
{
	(void)state;
	assert_true(1000 * sizeof(struct series) + 1024 * sizeof(struct server) < 12000000);
}

/* ---- silent servers ---- */

/* The snapshot after *s, taken at gen_ms, with fingerprint `print` for "a" and a changing one for
 * "b". */
static void step(struct snapshot **s, int64_t gen_ms, uint64_t print)
{
	struct snapshot *next = snapshot_new();

	next->gen_ms = gen_ms;
	add(next, "a", 10)->fingerprint = print;
	add(next, "b", 700)->fingerprint = (uint64_t)gen_ms;
	assert_int_equal(snapshot_seal(next), 0);
	snapshot_carry(next, *s);
	snapshot_free(s);
	*s = next;
}

static unsigned count_silent(const struct snapshot *s)
{
	struct fleet_counts counts;

	snapshot_count(s, &counts);
	return counts.silent;
}

static void three_equal_snapshots_over_a_minute_are_silence(void **state)
{
	struct snapshot *s = NULL;

	(void)state;
	step(&s, 1000, 5);
	assert_int_equal(count_silent(s), 0);
	step(&s, 61000, 5); /* after a minute, but only two */
	assert_int_equal(count_silent(s), 0);
	step(&s, 62000, 5);
	assert_int_equal(snapshot_find(s, SPAN("a"))->same_count, 3);
	assert_int_equal(count_silent(s), 1);
	assert_true(server_is_silent(snapshot_find(s, SPAN("a")), s->gen_ms));
	step(&s, 63000, 6); /* speaks again */
	assert_int_equal(count_silent(s), 0);
	step(&s, 64000, 6);
	step(&s, 65000, 6); /* three, but less than a minute */
	assert_int_equal(count_silent(s), 0);
	step(&s, 122999, 6);
	assert_int_equal(count_silent(s), 0);
	step(&s, 123000, 6);
	assert_int_equal(count_silent(s), 1);
	snapshot_free(&s);
}

/* ---- the compact form ---- */

static void same_number(double a, double b)
{
	assert_true(a == b || (isnan(a) && isnan(b)));
}

static void same_reading(const struct reading *a, const struct reading *b)
{
	same_number(a->now, b->now);
	same_number(a->predicted, b->predicted);
	same_number(a->worst, b->worst);
	same_number(a->best, b->best);
	same_number(a->change, b->change);
}

static void same_server(const struct server *a, const struct server *b)
{
	assert_true(span_eq(a->name, b->name));
	assert_int_equal(a->profile, b->profile);
	assert_int_equal(a->risk, b->risk);
	assert_memory_equal(a->points, b->points, sizeof(a->points));
	same_reading(&a->cpu, &b->cpu);
	same_reading(&a->iowait, &b->iowait);
	same_reading(&a->memory, &b->memory);
	same_reading(&a->load, &b->load);
	same_number(a->swap_now, b->swap_now);
	assert_int_equal(a->has_data, b->has_data);
	assert_int_equal(a->fingerprint, b->fingerprint);
	assert_int_equal(a->same_since_ms, b->same_since_ms);
	assert_int_equal(a->same_count, b->same_count);
}

static void the_compact_form_reads_back_as_written(void **state)
{
	struct snapshot *a = sample(), *b;
	struct buf bytes;
	size_t i;

	(void)state;
	buf_init(&bytes, 65536);
	compact_encode(a, &bytes);
	assert_true(buf_ok(&bytes));
	b = compact_decode(buf_span(&bytes));
	assert_non_null(b);
	assert_string_equal(a->id, b->id);
	assert_int_equal(a->bucket, b->bucket);
	assert_int_equal(a->interval_ms, b->interval_ms);
	assert_int_equal(a->gen_ms, b->gen_ms);
	assert_int_equal(a->fill_ms, b->fill_ms);
	assert_int_equal(a->model, b->model);
	assert_string_equal(a->prediction_time, b->prediction_time);
	same_number(a->prob_30m, b->prob_30m);
	same_number(a->prob_8h, b->prob_8h);
	assert_memory_equal(&a->warmup, &b->warmup, sizeof(a->warmup));
	assert_true(b->scenario.configured && b->scenario.known);
	assert_int_equal(b->scenario.name_count, 2);
	assert_string_equal(b->scenario.names[0], "a");
	assert_string_equal(b->scenario.names[1], "b c");
	assert_string_equal(a->scenario.name, b->scenario.name);
	assert_int_equal(a->scenario.affected, b->scenario.affected);
	assert_int_equal(a->scenario.fleet_size, b->scenario.fleet_size);
	assert_memory_equal(&a->served, &b->served, sizeof(a->served));
	assert_int_equal(a->refused, b->refused);
	assert_int_equal(a->odd_values, b->odd_values);
	assert_int_equal(a->count, b->count);
	for (i = 0; i < a->count; i++)
		same_server(&a->servers[i], &b->servers[i]);
	buf_free(&bytes);
	snapshot_free(&a);
	snapshot_free(&b);
}

static uint64_t random_bits(void)
{
	static uint64_t x = 88172645463325252u; /* xorshift64: the same numbers every time */

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

/* Any double at all, and often one of those that are trouble. */
static double any_double(void)
{
	static const double trouble[] = {NAN,  INFINITY, -INFINITY, DBL_MAX, -DBL_MAX, 0,
					 -0.0, 100,      100.1,     -1,      1e5,      5e-324};
	uint64_t bits = random_bits();
	double value;

	if (bits % 2)
		return trouble[bits / 2 % (sizeof(trouble) / sizeof(trouble[0]))];
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static struct reading any_reading(void)
{
	return (struct reading){any_double(), any_double(), any_double(), any_double(), NAN};
}

static bool is_percent(double value)
{
	return isnan(value) || (value >= 0 && value <= 100);
}

static void check_ranges(const struct server *server)
{
	const struct reading *readings[] = {&server->cpu, &server->iowait, &server->memory};

	for (size_t i = 0; i < 3; i++)
		assert_true(is_percent(readings[i]->now) && is_percent(readings[i]->predicted) &&
			    is_percent(readings[i]->worst) && is_percent(readings[i]->best));
	assert_true(is_percent(server->swap_now));
	assert_true(is_percent(server->crossings[CROSSING_CPU_USER].peak));
	assert_true(isnan(server->load.now) || (server->load.now >= 0 && server->load.now <= 1e5));
}

/* The writer accepts nothing that the reader refuses: one bad number would cost all pages. */
static void whatever_was_written_can_be_read(void **state)
{
	struct buf bytes;

	(void)state;
	buf_init(&bytes, 65536);
	for (int round = 0; round < 2000; round++) {
		struct snapshot *a = sample(), *b;

		a->prob_30m = any_double();
		a->prob_8h = any_double();
		for (size_t i = 0; i < a->count; i++) {
			struct server *server = &a->servers[i];

			server->cpu = any_reading();
			server->iowait = any_reading();
			server->memory = any_reading();
			server->load = any_reading();
			server->swap_now = any_double();
			server->crossings[CROSSING_CPU_USER] =
				(struct crossing){.steps = 3, .peak = any_double()};
		}
		buf_reset(&bytes);
		compact_encode(a, &bytes);
		b = compact_decode(buf_span(&bytes));
		assert_non_null(b);
		assert_true(isnan(b->prob_8h) || (b->prob_8h >= 0 && b->prob_8h <= 1));
		for (size_t i = 0; i < b->count; i++)
			check_ranges(&b->servers[i]);
		snapshot_free(&a);
		snapshot_free(&b);
	}
	buf_free(&bytes);
}

/* Replaces a number in the bytes of a snapshot, as nobody of ours would write it. */
static struct snapshot *forged(double from, double to)
{
	struct snapshot *s = sample(), *back;
	struct buf bytes, old, new;
	char *at;

	s->prob_30m = 0.123456;
	s->prob_8h = 0.654321;
	buf_init(&bytes, 65536);
	buf_init(&old, 8);
	buf_init(&new, 8);
	compact_encode(s, &bytes);
	bytes_put_double(&old, from);
	bytes_put_double(&new, to);
	at = memmem(bytes.data, bytes.len, old.data, old.len);
	assert_non_null(at);
	memcpy(at, new.data, new.len);
	back = compact_decode(buf_span(&bytes));
	assert_non_null(back);
	snapshot_free(&s);
	buf_free(&bytes);
	buf_free(&old);
	buf_free(&new);
	return back;
}

static void what_others_wrote_is_within_range(void **state)
{
	static const struct {
		double to, found;
	} rows[] = {{1, 1}, {1.5, NAN}, {0, 0}, {-0.5, NAN}, {INFINITY, NAN}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct snapshot *s = forged(0.123456, rows[i].to);

		same_number(s->prob_30m, rows[i].found);
		assert_true(s->prob_8h == 0.654321);
		snapshot_free(&s);
		s = forged(0.654321, rows[i].to);
		same_number(s->prob_8h, rows[i].found);
		snapshot_free(&s);
	}
}

static void any_list(struct series_list *list)
{
	double values[FORECAST_STEPS];
	size_t count = random_bits() % (FORECAST_STEPS + 1);

	for (size_t i = 0; i < count; i++)
		do
			values[i] = any_double();
		while (!isfinite(values[i]));
	series_pack(values, count, list);
}

static void whatever_series_was_written_can_be_read(void **state)
{
	struct series *a = series_new(), b;
	struct buf bytes;

	(void)state;
	assert_non_null(a);
	buf_init(&bytes, 65536);
	for (int round = 0; round < 500; round++) {
		for (int m = 0; m < METRIC_COUNT; m++) {
			a->current[m] = any_double();
			a->trend[m] = any_double();
			any_list(&a->p10[m]);
			any_list(&a->p50[m]);
			any_list(&a->p90[m]);
		}
		buf_reset(&bytes);
		series_encode(a, &bytes);
		assert_int_equal(series_decode(buf_span(&bytes), &b), 0);
		for (int m = 0; m < METRIC_COUNT; m++)
			assert_true(isnan(b.current[m]) ||
				    fabs(b.current[m]) <= metric_table[m].most);
	}
	free(a);
	buf_free(&bytes);
}

/* Two servers of one name: the dashboard never writes that, so another program did. */
static void a_doubled_stored_server_is_a_miss(void **state)
{
	struct snapshot *s = snapshot_new(), *back;
	struct buf bytes;
	char *second;

	(void)state;
	add(s, "aa", 300);
	add(s, "ab", 300);
	assert_int_equal(snapshot_seal(s), 0);
	buf_init(&bytes, 4096);
	compact_encode(s, &bytes);
	back = compact_decode(buf_span(&bytes));
	assert_non_null(back);
	snapshot_free(&back);
	second = memmem(bytes.data, bytes.len, "\2ab", 3);
	assert_non_null(second);
	second[2] = 'a';
	assert_null(compact_decode(buf_span(&bytes)));
	snapshot_free(&s);
	buf_free(&bytes);
}

/* Of the state of warm-up and scenario: each flag alone. */
static void each_flag_has_its_own_bit(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct snapshot *s = snapshot_new(), *back;
		struct buf bytes;

		s->warmup.known = i == 0;
		s->warmup.done = i == 1;
		s->scenario.configured = i == 2;
		s->scenario.known = i == 3;
		assert_int_equal(snapshot_seal(s), 0);
		buf_init(&bytes, 4096);
		compact_encode(s, &bytes);
		back = compact_decode(buf_span(&bytes));
		assert_non_null(back);
		assert_int_equal(back->warmup.known, i == 0);
		assert_int_equal(back->warmup.done, i == 1);
		assert_int_equal(back->scenario.configured, i == 2);
		assert_int_equal(back->scenario.known, i == 3);
		snapshot_free(&back);
		snapshot_free(&s);
		buf_free(&bytes);
	}
}

/* Of the state of warm-up and scenario. */
static void an_unknown_flag_is_a_miss(void **state)
{
	struct snapshot *s = snapshot_new(), *back;
	struct buf without, with;
	size_t at = 0;

	(void)state;
	assert_int_equal(snapshot_seal(s), 0);
	buf_init(&without, 4096);
	buf_init(&with, 4096);
	compact_encode(s, &without);
	s->warmup.known = true;
	compact_encode(s, &with);
	assert_int_equal(with.len, without.len);
	while (at < with.len && with.data[at] == without.data[at])
		at++;
	assert_in_range(at, 1, with.len - 1);
	with.data[at] = 15;
	back = compact_decode(buf_span(&with));
	assert_non_null(back);
	assert_true(back->warmup.done && back->scenario.known);
	snapshot_free(&back);
	with.data[at] = 16;
	assert_null(compact_decode(buf_span(&with)));
	snapshot_free(&s);
	buf_free(&without);
	buf_free(&with);
}

/* s has the largest of a byte's values, and nothing else that a new one has not. */
static void the_value_above_is_a_miss(struct snapshot *s)
{
	struct snapshot *without = snapshot_new(), *back;
	struct buf bytes, plain;
	size_t at = 0;

	assert_int_equal(snapshot_seal(s), 0);
	assert_int_equal(snapshot_seal(without), 0);
	buf_init(&bytes, 4096);
	buf_init(&plain, 4096);
	compact_encode(s, &bytes);
	compact_encode(without, &plain);
	while (bytes.data[at] == plain.data[at])
		at++;
	back = compact_decode(buf_span(&bytes));
	assert_non_null(back);
	snapshot_free(&back);
	bytes.data[at]++;
	assert_null(compact_decode(buf_span(&bytes)));
	buf_free(&bytes);
	buf_free(&plain);
	snapshot_free(&without);
	snapshot_free(&s);
}

/* What another version might write there. */
static void an_unknown_reason_or_model_is_a_miss(void **state)
{
	struct snapshot *unsent = snapshot_new(), *made = snapshot_new();

	(void)state;
	unsent->unsent = REASON_COUNT - 1;
	the_value_above_is_a_miss(unsent);
	made->model = MODEL_TFT;
	the_value_above_is_a_miss(made);
}

static void a_scenario_is_printable_or_a_miss(void **state)
{
	static const struct {
		const char *name;
		bool good;
	} rows[] = {{" a~", true}, {"a\x1f", false}, {"a\x7f", false}, {"a\xc3\xa9", false}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct snapshot *s = snapshot_new(), *back;
		struct buf bytes;

		(void)snprintf(s->scenario.name, sizeof(s->scenario.name), "%s", rows[i].name);
		assert_int_equal(snapshot_seal(s), 0);
		buf_init(&bytes, 4096);
		compact_encode(s, &bytes);
		back = compact_decode(buf_span(&bytes));
		assert_int_equal(back != NULL, rows[i].good);
		snapshot_free(&back);
		snapshot_free(&s);
		buf_free(&bytes);
	}
}

static void a_server_takes_about_two_hundred_and_forty_bytes(void **state)
{
	struct snapshot *s = snapshot_new();
	struct buf bytes;
	char name[32];
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "ppweb%05d", i);
		add(s, name, 0);
	}
	assert_int_equal(snapshot_seal(s), 0);
	buf_init(&bytes, 400 * 1000);
	compact_encode(s, &bytes);
	assert_true(buf_ok(&bytes));
	assert_true(bytes.len < 240 * 1000);
	buf_free(&bytes);
	snapshot_free(&s);
}

/* A copy of exactly that length, so that ASan sees a read beyond it. */
static struct snapshot *decode_copy(struct span bytes)
{
	char *copy = malloc(bytes.len ? bytes.len : 1);
	struct snapshot *s;

	assert_non_null(copy);
	memcpy(copy, bytes.ptr, bytes.len);
	s = compact_decode((struct span){copy, bytes.len});
	free(copy);
	return s;
}

static void a_cut_or_longer_compact_form_is_a_miss(void **state)
{
	struct snapshot *a = sample(), *b;
	struct buf bytes;
	size_t len;

	(void)state;
	buf_init(&bytes, 65536);
	compact_encode(a, &bytes);
	for (len = 0; len < bytes.len; len++)
		assert_null(decode_copy((struct span){bytes.data, len}));
	b = decode_copy(buf_span(&bytes));
	assert_non_null(b);
	buf_char(&bytes, '\0');
	assert_null(decode_copy(buf_span(&bytes)));
	buf_free(&bytes);
	snapshot_free(&a);
	snapshot_free(&b);
}

/* Far enough from the limits of the type that times can be subtracted. */
#define TIME_END (INT64_C(1) << 60)

/* Whatever is read from damaged bytes is within the ranges that pages rely on. */
static void damage_never_gives_values_out_of_range(void **state)
{
	struct snapshot *a = sample();
	struct buf bytes;
	size_t at, i;
	int bit;

	(void)state;
	buf_init(&bytes, 65536);
	compact_encode(a, &bytes);
	for (at = 0; at < bytes.len; at++) {
		for (bit = 0; bit < 8; bit++) {
			struct snapshot *s;

			bytes.data[at] = (char)(bytes.data[at] ^ 1 << bit);
			s = decode_copy(buf_span(&bytes));
			bytes.data[at] = (char)(bytes.data[at] ^ 1 << bit);
			if (s == NULL)
				continue;
			assert_true(at > 4); /* magic and format number */
			assert_in_range(s->model, MODEL_UNKNOWN, MODEL_TFT);
			assert_in_range(s->warmup.progress_percent, 0, 100);
			assert_in_range(s->bucket, 0, TIME_END);
			assert_in_range(s->interval_ms, 0, TIME_END);
			if (s->interval_ms)
				assert_true(s->bucket < TIME_END / s->interval_ms);
			assert_in_range(s->gen_ms, 0, TIME_END);
			assert_in_range(s->fill_ms, 0, TIME_END);
			assert_true(s->served.fresh < TIME_END && s->served.bytes < TIME_END);
			for (i = 0; i < s->count; i++) {
				assert_in_range(s->servers[i].profile, 0, PROFILE_COUNT - 1);
				assert_in_range(s->servers[i].risk, 0, RISK_MAX);
				assert_in_range(s->servers[i].name.len, 1, SNAPSHOT_NAME_MAX);
				assert_false(isinf(s->servers[i].cpu.now));
				assert_in_range(s->servers[i].same_since_ms, 0, TIME_END);
			}
			snapshot_free(&s);
		}
	}
	buf_free(&bytes);
	snapshot_free(&a);
}

static void a_server_without_a_name_is_damage(void **state)
{
	static const char name[] = "\x08ppweb001";
	struct snapshot *a = sample();
	struct buf bytes;
	char *at;

	(void)state;
	buf_init(&bytes, 65536);
	compact_encode(a, &bytes);
	at = memmem(bytes.data, bytes.len, name, sizeof(name) - 1);
	assert_non_null(at);
	at[0] = 0;
	memmove(at + 1, at + 9, (size_t)(bytes.data + bytes.len - (at + 9)));
	bytes.len -= 8;
	assert_null(decode_copy(buf_span(&bytes)));
	buf_free(&bytes);
	snapshot_free(&a);
}

static void foreign_bytes_are_a_miss(void **state)
{
	(void)state;
	assert_null(compact_decode((struct span){NULL, 0}));
	assert_null(compact_decode(SPAN("<!DOCTYPE html>")));
	assert_null(compact_decode(SPAN("TFTf\x02")));
}

/* ---- series ---- */

static struct series *sample_series(void)
{
	struct series *series = calloc(1, sizeof(*series));
	int m;

	assert_non_null(series);
	for (m = 0; m < METRIC_COUNT; m++) {
		series->current[m] = m == METRIC_LOAD ? NAN : m + 0.5;
		series->trend[m] = -m;
	}
	series->p50[METRIC_CPU_IDLE] =
		(struct series_list){.low = 1.5f, .step = 0.25f, .len = 3, .q = {0, 4, 65535}};
	series->p90[METRIC_CASCADE_IMPACT].len = FORECAST_STEPS;
	series->p90[METRIC_CASCADE_IMPACT].q[FORECAST_STEPS - 1] = 9;
	return series;
}

static void a_series_reads_back_as_written(void **state)
{
	struct series *a = sample_series(), *b = calloc(1, sizeof(*b));
	struct buf bytes, again;

	(void)state;
	assert_non_null(b);
	buf_init(&bytes, 65536);
	buf_init(&again, 65536);
	series_encode(a, &bytes);
	assert_int_equal(series_decode(buf_span(&bytes), b), 0);
	assert_true(series_value(&b->p50[METRIC_CPU_IDLE], 1) == 2.5);
	assert_int_equal(b->p50[METRIC_CPU_IDLE].len, 3);
	assert_int_equal(b->p10[METRIC_CPU_IDLE].len, 0);
	assert_true(isnan(b->current[METRIC_LOAD]));
	assert_true(b->trend[METRIC_LOAD] == -METRIC_LOAD);
	assert_int_equal(b->p90[METRIC_CASCADE_IMPACT].q[FORECAST_STEPS - 1], 9);
	series_encode(b, &again);
	assert_true(span_eq(buf_span(&bytes), buf_span(&again)));
	buf_free(&bytes);
	buf_free(&again);
	free(a);
	free(b);
}

static void a_cut_longer_or_foreign_series_is_refused(void **state)
{
	struct series *a = sample_series();
	struct buf bytes;
	size_t len;

	(void)state;
	buf_init(&bytes, 65536);
	series_encode(a, &bytes);
	for (len = 0; len < bytes.len; len++) {
		char *copy = malloc(len ? len : 1);

		memcpy(copy, bytes.data, len);
		assert_int_equal(series_decode((struct span){copy, len}, a), -1);
		free(copy);
	}
	buf_char(&bytes, '\0');
	assert_int_equal(series_decode(buf_span(&bytes), a), -1);
	bytes.data[0] = 'X';
	assert_int_equal(series_decode((struct span){bytes.data, bytes.len - 1}, a), -1);
	buf_free(&bytes);
	free(a);
}

static void a_series_list_beyond_96_is_refused(void **state)
{
	struct series *a = sample_series();
	struct buf bytes;

	(void)state;
	buf_init(&bytes, 65536);
	a->p10[0].len = FORECAST_STEPS;
	series_encode(a, &bytes);
	assert_int_equal(bytes.data[21], FORECAST_STEPS); /* after magic, format, current, trend */
	bytes.data[21]++;
	assert_int_equal(series_decode(buf_span(&bytes), a), -1);
	buf_free(&bytes);
	free(a);
}

/* Another program may write any byte: a crossing that there is not, or at no time of the forecast. */
static void a_forged_crossing_is_a_miss(void **state)
{
	static const struct {
		unsigned char index, steps;
		bool good;
	} rows[] = {{CROSSINGS - 1, 7, true},
		    {CROSSINGS, 7, false},
		    {CROSSINGS + 1, 7, false},
		    {0, 0, false},
		    {0, 1, true},
		    {0, CROSSING_STEPS, true},
		    {0, CROSSING_STEPS + 1, false}};
	const char written[] = {CROSSINGS - 1, 7};
	struct snapshot *s = snapshot_new(), *back;
	struct server *server = snapshot_add(s, SPAN("a"));
	struct buf bytes;
	char *at;

	(void)state;
	server->crossings[CROSSINGS - 1] = (struct crossing){.steps = 7, .peak = 99};
	assert_int_equal(snapshot_seal(s), 0);
	buf_init(&bytes, 1 << 20);
	compact_encode(s, &bytes);
	at = memmem(bytes.data, bytes.len, written, sizeof(written));
	assert_non_null(at);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		at[0] = (char)rows[i].index;
		at[1] = (char)rows[i].steps;
		back = compact_decode(buf_span(&bytes));
		if ((back != NULL) != rows[i].good)
			fail_msg("row %zu", i);
		snapshot_free(&back);
	}
	snapshot_free(&s);
	buf_free(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_come_by_risk_then_name),
		cmocka_unit_test(the_last_of_equal_names_stays),
		cmocka_unit_test(an_empty_fleet_is_sealed_and_counted),
		cmocka_unit_test(counts_include_the_worse),
		cmocka_unit_test(no_more_servers_than_the_ceiling),
		cmocka_unit_test(a_thousand_servers_fit_into_twelve_megabytes),
		cmocka_unit_test(three_equal_snapshots_over_a_minute_are_silence),
		cmocka_unit_test(the_compact_form_reads_back_as_written),
		cmocka_unit_test(whatever_was_written_can_be_read),
		cmocka_unit_test(what_others_wrote_is_within_range),
		cmocka_unit_test(whatever_series_was_written_can_be_read),
		cmocka_unit_test(a_doubled_stored_server_is_a_miss),
		cmocka_unit_test(each_flag_has_its_own_bit),
		cmocka_unit_test(an_unknown_flag_is_a_miss),
		cmocka_unit_test(an_unknown_reason_or_model_is_a_miss),
		cmocka_unit_test(a_scenario_is_printable_or_a_miss),
		cmocka_unit_test(a_server_takes_about_two_hundred_and_forty_bytes),
		cmocka_unit_test(a_cut_or_longer_compact_form_is_a_miss),
		cmocka_unit_test(damage_never_gives_values_out_of_range),
		cmocka_unit_test(a_server_without_a_name_is_damage),
		cmocka_unit_test(foreign_bytes_are_a_miss),
		cmocka_unit_test(a_series_reads_back_as_written),
		cmocka_unit_test(a_cut_longer_or_foreign_series_is_refused),
		cmocka_unit_test(a_series_list_beyond_96_is_refused),
		cmocka_unit_test(a_forged_crossing_is_a_miss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
