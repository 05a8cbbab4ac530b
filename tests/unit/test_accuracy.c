/* SPDX-License-Identifier: MIT */
/*
 * Scores of forecasts. With a range in days as its argument the program scores what it reads instead
 * (tests/integration/test_t1700_accuracy.py): a line for each forecast that came true, in order of
 * time,
 *
 *	<time, ms> <horizon, 0..4> <server> <p10> <p50> <p90> <value then> <value>
 *
 * and prints a line for each horizon with values.
 */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/pack.h"
#include "fleet/accuracy.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)
#define HOUR    (INT64_C(490000) * HOUR_MS)

/* ---- one server ---- */

/* Memory alone, through a record. */
static struct forecasts made_for(const char *name, struct quantiles q, double then)
{
	struct snapshot *snap = snapshot_new();
	struct server *server = snapshot_add(snap, span_str(name));
	double low[FORECAST_STEPS], median[FORECAST_STEPS], high[FORECAST_STEPS];
	struct forecasts made;
	struct buf record;

	for (size_t i = 0; i < FORECAST_STEPS; i++) {
		low[i] = q.p10;
		median[i] = q.p50;
		high[i] = q.p90;
	}
	server->series = series_new();
	server->memory.now = then;
	if (!isnan(q.p10 + q.p50 + q.p90)) {
		series_pack(low, FORECAST_STEPS, &server->series->p10[METRIC_MEM_USED]);
		series_pack(median, FORECAST_STEPS, &server->series->p50[METRIC_MEM_USED]);
		series_pack(high, FORECAST_STEPS, &server->series->p90[METRIC_MEM_USED]);
	}
	assert_int_equal(snapshot_seal(snap), 0);
	buf_init(&record, 1 << 20);
	horizons_encode(snap, &record);
	assert_int_equal(forecasts_decode(buf_span(&record), SPAN(""), HORIZONS, &made), 0);
	buf_free(&record);
	snapshot_free(&snap);
	return made;
}

static struct snapshot *now_of(const char *name, double value)
{
	struct snapshot *snap = snapshot_new();
	struct server *server = snapshot_add(snap, span_str(name));

	server->memory.now = value;
	server->has_data = true;
	snap->gen_ms = HOUR;
	assert_int_equal(snapshot_seal(snap), 0);
	return snap;
}

static void score_one(struct accuracy_hour *hour, size_t horizon, const char *name,
		      struct quantiles q, double then, double value)
{
	struct forecasts made = made_for(name, q, then);
	struct snapshot *snap = now_of(name, value);

	accuracy_score(hour, &made, horizon, snap);
	forecasts_free(&made);
	snapshot_free(&snap);
}

static const struct accuracy_sums *sums_of(const struct accuracy_hour *hour,
					   enum accuracy_scenario scenario)
{
	return &hour->sums[scenario][KEPT_MEMORY][1][PROFILE_WEB];
}

static struct accuracy_hour *new_hour(int64_t at_ms)
{
	struct accuracy_hour *hour = calloc(1, sizeof(*hour));

	assert_non_null(hour);
	hour->at_ms = at_ms;
	return hour;
}

static void values_are_compared_as_printed(void **state)
{
	struct accuracy_hour *hour = new_hour(HOUR);
	const struct accuracy_sums *sums = sums_of(hour, ACCURACY_USUAL);

	(void)state;
	/* 41.26 is printed as 41.3. */
	score_one(hour, 1, "ppweb1", (struct quantiles){30, 40, 50}, 44.5, 41.26);
	assert_int_equal(sums->n, 1);
	assert_int_equal(sums->below + sums->above, 0);
	assert_int_equal(sums->error, 13);
	assert_int_equal(sums->bias, -13);
	assert_int_equal(sums->naive, 32);
	assert_int_equal(sums->pinball[ACCURACY_P10], 113);
	assert_int_equal(sums->pinball[ACCURACY_P50], 65);
	assert_int_equal(sums->pinball[ACCURACY_P90], 87);
	assert_int_equal(hour->records[1], 1);
	/* The limits belong to the band. */
	score_one(hour, 1, "ppweb1", (struct quantiles){30, 40, 50}, 44.5, 30.04);
	score_one(hour, 1, "ppweb1", (struct quantiles){30, 40, 50}, 44.5, 49.96);
	assert_int_equal(sums->below + sums->above, 0);
	score_one(hour, 1, "ppweb1", (struct quantiles){30, 40, 50}, 44.5, 29.94);
	score_one(hour, 1, "ppweb1", (struct quantiles){30, 40, 50}, 44.5, 50.06);
	assert_int_equal(sums->below, 1);
	assert_int_equal(sums->above, 1);
	assert_int_equal(sums->n, 5);
	assert_int_equal(hour->sums[0][KEPT_CPU][1][PROFILE_WEB].absent, 5);
	assert_int_equal(hour->sums[0][KEPT_CPU_USER][1][PROFILE_WEB].absent, 0);
	free(hour);
}

static void what_cannot_be_compared_is_counted(void **state)
{
	struct quantiles q = {30, 40, 50}, none = {NAN, NAN, NAN};
	struct accuracy_hour *hour = new_hour(HOUR);
	const struct accuracy_sums *sums = sums_of(hour, ACCURACY_USUAL);
	struct forecasts made = made_for("ppweb1", q, 40);
	struct snapshot *snap = now_of("ppweb1", 40), *other = now_of("ppweb2", 40),
			*before = now_of("ppweb0", 40);

	(void)state;
	score_one(hour, 1, "ppweb1", none, 40, 40);
	score_one(hour, 1, "ppweb1", q, NAN, 40);
	score_one(hour, 1, "ppweb1", q, 40, NAN);
	accuracy_score(hour, &made, 1, other);
	accuracy_score(hour, &made, 1, before);
	assert_int_equal(sums->absent, 5);
	snap->servers[0].same_count = 10;
	accuracy_score(hour, &made, 1, snap);
	assert_int_equal(sums->silent, 1);
	assert_int_equal(sums->n, 0);
	snap->servers[0].same_count = 1;
	(void)snprintf(made.scenario, sizeof(made.scenario), "healthy");
	accuracy_score(hour, &made, 1, snap);
	assert_int_equal(sums->n, 1); /* not told now */
	snap->scenario.known = true;
	(void)snprintf(snap->scenario.name, sizeof(snap->scenario.name), "critical");
	accuracy_score(hour, &made, 1, snap);
	assert_int_equal(sums->n, 1);
	assert_int_equal(sums_of(hour, ACCURACY_CHANGED)->n, 1);
	(void)snprintf(snap->scenario.name, sizeof(snap->scenario.name), "healthy");
	accuracy_score(hour, &made, 1, snap);
	assert_int_equal(sums->n, 2);
	forecasts_free(&made);
	snapshot_free(&before);
	snapshot_free(&snap);
	snapshot_free(&other);
	free(hour);
}

/* ---- the record ---- */

/* The record of an hour with one cell. */
static int decode_cell(size_t number)
{
	struct accuracy_hour *hour = new_hour(0);
	struct buf body, record;
	int rc;

	buf_init(&body, 4096);
	buf_init(&record, 4096);
	bytes_put_int(&body, (uint64_t)HOUR, 8);
	for (int h = 0; h < HORIZONS; h++)
		bytes_put_varint(&body, 1);
	bytes_put_int(&body, number, 2);
	for (size_t k = 0; k < sizeof(struct accuracy_sums) / sizeof(int64_t); k++)
		bytes_put_varint(&body, 0);
	pack_seal("TFTa", ACCURACY_FORMAT, &body, &record);
	rc = accuracy_decode(buf_span(&record), hour);
	buf_free(&body);
	buf_free(&record);
	free(hour);
	return rc;
}

static void a_cell_that_is_none_is_refused(void **state)
{
	size_t cells = sizeof(((struct accuracy_hour *)NULL)->sums) / sizeof(struct accuracy_sums);

	(void)state;
	assert_int_equal(decode_cell(cells - 1), 0);
	assert_int_equal(decode_cell(cells), -1);
}

static void a_record_comes_back(void **state)
{
	struct accuracy_hour *hour = new_hour(HOUR), *back = new_hour(0);
	struct buf record;

	(void)state;
	buf_init(&record, 1 << 20);
	score_one(hour, 4, "ppdb1", (struct quantiles){30, 40, 50}, 44.5, 99);
	hour->sums[1][KEPT_LOAD][0][0] = (struct accuracy_sums){
		.n = 1 << 20, .error = INT64_C(1) << 48, .bias = -(INT64_C(1) << 48), .naive = 1};
	hour->sums[ACCURACY_SCENARIOS - 1][KEPT_METRICS - 1][HORIZONS - 1][PROFILE_COUNT - 1].n = 1;
	accuracy_encode(hour, &record);
	assert_true(buf_ok(&record));
	assert_in_range(record.len, 50, 200);
	assert_int_equal(accuracy_decode(buf_span(&record), back), 0);
	assert_memory_equal(hour, back, sizeof(*hour));
	for (size_t at = 0; at < record.len; at++) {
		record.data[at] ^= 1;
		assert_int_equal(accuracy_decode(buf_span(&record), back), -1);
		assert_int_equal(back->at_ms, 0);
		record.data[at] ^= 1;
	}
	for (size_t len = 0; len < record.len; len++)
		assert_int_equal(accuracy_decode((struct span){record.data, len}, back), -1);
	/* Times count from 1970. */
	hour->at_ms = 0;
	buf_reset(&record);
	accuracy_encode(hour, &record);
	assert_int_equal(accuracy_decode(buf_span(&record), back), 0);
	assert_memory_equal(hour, back, sizeof(*hour));
	/* Right in form, impossible in itself. */
	hour->at_ms = 1;
	buf_reset(&record);
	accuracy_encode(hour, &record);
	assert_int_equal(accuracy_decode(buf_span(&record), back), -1);
	hour->at_ms = -HOUR_MS;
	buf_reset(&record);
	accuracy_encode(hour, &record);
	assert_int_equal(accuracy_decode(buf_span(&record), back), -1);
	hour->at_ms = 0;
	hour->sums[1][KEPT_LOAD][0][0].bias--;
	buf_reset(&record);
	accuracy_encode(hour, &record);
	assert_int_equal(accuracy_decode(buf_span(&record), back), -1);
	hour->sums[1][KEPT_LOAD][0][0].bias = 0;
	hour->sums[0][0][0][0] = (struct accuracy_sums){.n = 1, .below = 1, .above = 1};
	buf_reset(&record);
	accuracy_encode(hour, &record);
	assert_int_equal(accuracy_decode(buf_span(&record), back), -1);
	buf_free(&record);
	free(hour);
	free(back);
}

/* ---- a range ---- */

static struct accuracy *new_accuracy(int64_t to_ms, int64_t range_ms)
{
	struct accuracy *accuracy = malloc(sizeof(*accuracy));

	assert_non_null(accuracy);
	accuracy_init(accuracy, to_ms, range_ms, 30000);
	return accuracy;
}

static const struct accuracy_score *memory_of(const struct accuracy *accuracy, size_t horizon)
{
	return accuracy_of(accuracy, ACCURACY_USUAL, KEPT_MEMORY, horizon, ACCURACY_ALL);
}

static double uniform(void)
{
	static uint64_t seed = 1;

	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(seed >> 11) / 9007199254740992.0;
}

/* A day of values from 0 to 100, each as likely, against a band that holds `share` of them. */
static struct accuracy *day_of(double share)
{
	struct accuracy *accuracy = new_accuracy(HOUR + 23 * HOUR_MS, DAY_MS);
	struct quantiles q = {50 - 50 * share, 50, 50 + 50 * share};

	for (int i = 0; i < 24; i++) {
		struct accuracy_hour *hour = new_hour(HOUR + i * HOUR_MS);

		for (int n = 0; n < 100; n++)
			score_one(hour, 0, n % 2 ? "ppweb1" : "ppdb1", q, 100 * uniform(),
				  100 * uniform());
		accuracy_add(accuracy, hour);
		free(hour);
	}
	return accuracy;
}

static void a_calibrated_fleet_reads_80_percent(void **state)
{
	struct accuracy *accuracy = day_of(0.8);
	const struct accuracy_score *score = memory_of(accuracy, 0);
	struct accuracy_interval interval = accuracy_interval(score);

	(void)state;
	assert_int_equal(score->sums.n, 2400);
	assert_true(interval.low < 0.8 && interval.high > 0.8);
	assert_true(interval.high - interval.low < 0.06);
	assert_true(accuracy_skill(score) > 0.2); /* 1 - 25 / 33.3 */
	assert_int_equal(accuracy_verdict(score), ACCURACY_GOOD);
	assert_int_equal(accuracy_of(accuracy, ACCURACY_USUAL, KEPT_MEMORY, 0, PROFILE_WEB)->sums.n,
			 1200);
	assert_int_equal(accuracy->records[0], 2400);
	assert_int_equal(accuracy->expected, 23 * 12);
	assert_int_equal(accuracy->slots, 24);
	for (size_t i = 0; i < 24; i++)
		assert_int_equal(score->slots[i].n, 100);
	free(accuracy);
}

static void a_band_that_holds_another_share_is_told(void **state)
{
	static const struct {
		double share;
		enum accuracy_verdict verdict;
	} rows[] = {{0.5, ACCURACY_NARROW}, {0.99, ACCURACY_WIDE}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct accuracy *accuracy = day_of(rows[i].share);
		struct accuracy_interval interval = accuracy_interval(memory_of(accuracy, 0));

		assert_true(interval.low < rows[i].share && interval.high > rows[i].share);
		assert_true(interval.low > 0.8 || interval.high < 0.8);
		assert_int_equal(accuracy_verdict(memory_of(accuracy, 0)), rows[i].verdict);
		free(accuracy);
	}
}

/* Error, then naive error, in tenths. */
static struct accuracy_score score_with(int64_t n, int64_t outside, int64_t error, int64_t naive)
{
	return (struct accuracy_score){
		.sums = {.n = n, .below = outside, .error = error, .naive = naive}};
}

static void each_verdict_has_its_limit(void **state)
{
	static const struct {
		int64_t n, outside, error, naive;
		enum accuracy_verdict verdict;
	} rows[] = {
		{99, 20, 1, 2, ACCURACY_FEW},         {100, 20, 1, 2, ACCURACY_GOOD},
		{1000, 304, 1, 2, ACCURACY_GOOD},     {1000, 306, 1, 2, ACCURACY_NARROW},
		{1000, 96, 1, 2, ACCURACY_GOOD},      {1000, 94, 1, 2, ACCURACY_WIDE},
		{100, 20, 1004, 1000, ACCURACY_GOOD}, {100, 20, 1006, 1000, ACCURACY_WORSE},
		{100, 20, 0, 0, ACCURACY_GOOD},       {100, 20, 1, 0, ACCURACY_WORSE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct accuracy_score score =
			score_with(rows[i].n, rows[i].outside, rows[i].error, rows[i].naive);

		assert_int_equal(accuracy_verdict(&score), rows[i].verdict);
	}
}

static void a_constant_fleet_has_no_skill_but_a_number(void **state)
{
	struct accuracy_score none = score_with(0, 0, 0, 0), still = score_with(200, 0, 0, 0),
			      lost = score_with(200, 0, 1, 0), best = score_with(200, 0, 0, 7);

	(void)state;
	assert_true(accuracy_skill(&still) == 0);
	assert_true(accuracy_skill(&lost) == ACCURACY_SKILL_LEAST);
	assert_true(accuracy_skill(&best) == 1);
	assert_true(isnan(accuracy_skill(&none)) && isnan(accuracy_coverage(&none)));
	assert_true(isnan(accuracy_error(&none)) && isnan(accuracy_bias(&none)));
	assert_int_equal(accuracy_percent(accuracy_coverage(&none)), ACCURACY_UNKNOWN);
	assert_true(isnan(accuracy_interval(&none).low));
}

static void add_values(struct accuracy *accuracy, int64_t at_ms, size_t horizon, int64_t n,
		       int64_t below)
{
	struct accuracy_hour *hour = new_hour(at_ms);

	hour->sums[0][KEPT_MEMORY][horizon][0] = (struct accuracy_sums){.n = n, .below = below};
	accuracy_add(accuracy, hour);
	free(hour);
}

/* Whole blocks inside or outside say as much as one value each; independent values more. */
static void values_of_one_block_count_as_dependent(void **state)
{
	struct accuracy *blocks = new_accuracy(HOUR + 23 * HOUR_MS, DAY_MS);
	struct accuracy *even = new_accuracy(HOUR + 23 * HOUR_MS, DAY_MS);
	struct accuracy_interval wide, narrow;

	(void)state;
	for (int i = 0; i < 20; i++) {
		add_values(blocks, HOUR + i * HOUR_MS, 0, 100, i % 5 ? 0 : 100);
		add_values(even, HOUR + i * HOUR_MS, 0, 100, 20);
	}
	wide = accuracy_interval(memory_of(blocks, 0));
	narrow = accuracy_interval(memory_of(even, 0));
	/* Wilson, 80 % of 2,000 / of 19, less (1.960 / 2.093)^2. */
	assert_true(fabs(narrow.low - 0.78063) < 1e-4 && fabs(narrow.high - 0.81806) < 1e-4);
	assert_true(wide.low < 0.58 && wide.high > 0.91);
	free(blocks);
	free(even);
}

/* That each value of 20 blocks was inside is 20 values. */
static void a_share_of_all_counts_blocks(void **state)
{
	struct accuracy *accuracy = new_accuracy(HOUR + 23 * HOUR_MS, DAY_MS);
	struct accuracy_interval interval;

	(void)state;
	for (int i = 0; i < 20; i++)
		add_values(accuracy, HOUR + i * HOUR_MS, 0, 100, 0);
	interval = accuracy_interval(memory_of(accuracy, 0));
	/* Wilson, all of 20, less (1.960 / 2.093)^2. */
	assert_true(fabs(interval.low - 0.82033) < 1e-4 && interval.high > 0.9999);
	free(accuracy);
}

static void a_block_is_as_long_as_the_horizon(void **state)
{
	static const int blocks[HORIZONS] = {24, 24, 12, 6, 3};
	int64_t from_ms = HOUR / (8 * HOUR_MS) * 8 * HOUR_MS;

	(void)state;
	for (size_t h = 0; h < HORIZONS; h++) {
		struct accuracy *accuracy = new_accuracy(from_ms + 23 * HOUR_MS, DAY_MS);

		for (int i = 0; i < 24; i++)
			add_values(accuracy, from_ms + i * HOUR_MS, h, 10, i % 3);
		assert_int_equal((int)memory_of(accuracy, h)->blocks, blocks[h]);
		free(accuracy);
	}
	/* A single one says nothing. */
	struct accuracy *one = new_accuracy(HOUR, DAY_MS);

	add_values(one, HOUR, 0, 1000, 1);
	assert_true(isnan(accuracy_interval(memory_of(one, 0)).high));
	add_values(one, HOUR - HOUR_MS, 0, 1000, 1);
	assert_true(accuracy_interval(memory_of(one, 0)).high > 0);
	free(one);
}

static void hours_outside_of_the_range_do_not_count(void **state)
{
	static const struct {
		int days;
		size_t slots;
		int64_t slot_ms;
	} rows[] = {{1, 24, HOUR_MS}, {7, 28, 6 * HOUR_MS}, {30, 30, DAY_MS}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct accuracy *a = new_accuracy(HOUR, rows[i].days * DAY_MS);

		assert_int_equal(a->slots, rows[i].slots);
		assert_int_equal(a->slot_ms, rows[i].slot_ms);
		assert_true(a->to_ms > HOUR && a->to_ms - a->slot_ms <= HOUR);
		assert_int_equal(a->to_ms - a->from_ms, rows[i].days * DAY_MS);
		add_values(a, a->from_ms - HOUR_MS, 0, 1, 0);
		add_values(a, a->to_ms, 0, 1, 0);
		assert_int_equal(memory_of(a, 0)->sums.n, 0);
		add_values(a, a->from_ms, 0, 1, 0);
		add_values(a, a->to_ms - HOUR_MS, 0, 1, 0);
		assert_int_equal(memory_of(a, 0)->slots[0].n, 1);
		assert_int_equal(memory_of(a, 0)->slots[a->slots - 1].n, 1);
		free(a);
	}
}

/* A range that is longer than a day, or a week, by the smallest step has the longer slots. */
static void slots_grow_with_the_range(void **state)
{
	static const struct {
		int64_t range_ms, slot_ms;
	} rows[] = {{DAY_MS + HOUR_MS, 6 * HOUR_MS}, {7 * DAY_MS + HOUR_MS, DAY_MS}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct accuracy *a = new_accuracy(HOUR, rows[i].range_ms);

		assert_int_equal(a->slot_ms, rows[i].slot_ms);
		free(a);
	}
}

/* ---- a series from outside ---- */

static void print_scores(const struct accuracy *accuracy)
{
	for (size_t h = 0; h < HORIZONS; h++) {
		const struct accuracy_score *s = memory_of(accuracy, h);
		struct accuracy_interval interval = accuracy_interval(s);

		if (s->sums.n + s->sums.absent == 0)
			continue;
		printf("%zu %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, h, s->sums.n,
		       s->sums.below, s->sums.above, s->sums.absent);
		printf(" %.12g %.12g %.12g", accuracy_error(s), accuracy_bias(s),
		       accuracy_naive(s));
		for (int q = 0; q < ACCURACY_QUANTILES; q++)
			printf(" %.12g", accuracy_pinball(s, (enum accuracy_quantile)q));
		printf(" %.12g %.12g %.12g %.12g %s\n", accuracy_coverage(s), interval.low,
		       interval.high, accuracy_skill(s),
		       accuracy_verdict_table[accuracy_verdict(s)].slug);
	}
}

/* As a commit and a page would have it. */
static void add_through_its_record(struct accuracy *accuracy, struct accuracy_hour *hour)
{
	struct accuracy_hour *back = new_hour(0);
	struct buf record;

	buf_init(&record, 1 << 20);
	accuracy_encode(hour, &record);
	if (accuracy_decode(buf_span(&record), back) != 0)
		exit(1);
	accuracy_add(accuracy, back);
	buf_free(&record);
	free(back);
	memset(hour, 0, sizeof(*hour));
}

static int score_series(int64_t days)
{
	struct accuracy *accuracy = NULL;
	struct accuracy_hour *hour = new_hour(0);
	char line[256], name[64];

	while (fgets(line, sizeof(line), stdin)) {
		int64_t at_ms, hour_ms;
		size_t horizon;
		struct quantiles q;
		double then, value;

		if (sscanf(line, "%" SCNd64 " %zu %63s %lf %lf %lf %lf %lf", &at_ms, &horizon, name,
			   &q.p10, &q.p50, &q.p90, &then, &value) != 8)
			return 1;
		hour_ms = at_ms / HOUR_MS * HOUR_MS;
		if (!accuracy)
			accuracy = new_accuracy(hour_ms + days * DAY_MS - HOUR_MS, days * DAY_MS);
		if (hour->at_ms && hour->at_ms != hour_ms)
			add_through_its_record(accuracy, hour);
		hour->at_ms = hour_ms;
		score_one(hour, horizon, name, q, then, value);
	}
	add_through_its_record(accuracy, hour);
	print_scores(accuracy);
	free(accuracy);
	free(hour);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_compared_as_printed),
		cmocka_unit_test(what_cannot_be_compared_is_counted),
		cmocka_unit_test(a_record_comes_back),
		cmocka_unit_test(a_cell_that_is_none_is_refused),
		cmocka_unit_test(a_calibrated_fleet_reads_80_percent),
		cmocka_unit_test(a_band_that_holds_another_share_is_told),
		cmocka_unit_test(each_verdict_has_its_limit),
		cmocka_unit_test(a_constant_fleet_has_no_skill_but_a_number),
		cmocka_unit_test(values_of_one_block_count_as_dependent),
		cmocka_unit_test(a_share_of_all_counts_blocks),
		cmocka_unit_test(a_block_is_as_long_as_the_horizon),
		cmocka_unit_test(hours_outside_of_the_range_do_not_count),
		cmocka_unit_test(slots_grow_with_the_range),
	};

	if (argc == 2)
		return score_series(strtol(argv[1], NULL, 10));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
