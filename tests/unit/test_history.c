/* SPDX-License-Identifier: MIT */
/* Records of the history, gaps, statistics, columns. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "guard.h"
#include "fleet/history.h"

#define INTERVAL 30000
#define END      INT64_C(1763899260000)

static struct snapshot *three_servers(void)
{
	static const struct {
		const char *name;
		int risk;
	} servers[] = {{"b <2>", 471}, {"ppml0001", 1000}, {"a", 0}};
	struct snapshot *snap = snapshot_new();

	assert_non_null(snap);
	for (size_t i = 0; i < 3; i++)
		snapshot_add(snap, span_str(servers[i].name))->risk = servers[i].risk;
	assert_int_equal(snapshot_seal(snap), 0);
	snap->prob_30m = 0.07;
	snap->prob_8h = NAN;
	snap->scenario = (struct scenario){.configured = true, .known = true, .name = "degrading"};
	return snap;
}

static void assert_text(struct span text, const char *expected)
{
	assert_int_equal(text.len, strlen(expected));
	assert_memory_equal(text.ptr, expected, text.len);
}

static void assert_name(const struct history *h, struct history_text name, const char *expected)
{
	struct buf text;

	buf_init(&text, 1024);
	history_name(h, name, &text);
	assert_text(buf_span(&text), expected);
	buf_free(&text);
}

/* A point with one value; the others are fixed; NaN is absent. */
static void add(struct history *h, int64_t at_ms, double prob_30m)
{
	char record[128];

	if (isnan(prob_30m))
		(void)snprintf(record, sizeof(record), "1 - 0.5 0 0 0 0 0 0 1 0 0 a healthy");
	else
		(void)snprintf(record, sizeof(record), "1 %.17g 0.5 0 0 0 0 0 0 1 0 0 a healthy",
			       prob_30m);
	history_add(h, at_ms, span_str(record));
}

static void a_record_can_be_read_by_people(void **state)
{
	struct snapshot *snap = three_servers();
	struct buf record;

	(void)state;
	buf_init(&record, 1024);
	history_encode(snap, &record);
	assert_text(buf_span(&record), "1 0.07 - 1 0 0 0 0 1 1 1471 1000 ppml0001 degrading");
	buf_free(&record);
	snapshot_free(&snap);
}

static void a_record_reads_back_as_it_was(void **state)
{
	struct snapshot *snap = three_servers();
	const struct history_point *p;
	struct history h;
	struct buf record;

	(void)state;
	buf_init(&record, 1024);
	snap->servers[0].risk = 899;
	history_encode(snap, &record);
	history_init(&h, INTERVAL, 60000, END);
	history_add(&h, END, buf_span(&record));
	assert_int_equal(history_count(&h), 1);
	p = history_points(&h);
	assert_int_equal(p->at_ms, END);
	assert_true(p->prob_30m == 0.07);
	assert_true(isnan(p->prob_8h));
	assert_int_equal(p->level[LEVEL_CRITICAL], 1);
	assert_int_equal(p->level[LEVEL_WATCH], 1);
	assert_int_equal(p->level[LEVEL_HEALTHY], 1);
	assert_float_equal(p->mean, 137.0 / 3, 1e-9);
	assert_float_equal(p->highest, 89.9, 1e-9);
	assert_name(&h, p->worst, "ppml0001");
	assert_name(&h, p->scenario, "degrading");
	history_free(&h);
	buf_free(&record);
	snapshot_free(&snap);
}

static void names_of_any_bytes_read_back(void **state)
{
	static const char name[] = "a b%20\"<\xc3\xa4>";
	struct snapshot *snap = snapshot_new();
	struct history h;
	struct buf record, names, risks;

	(void)state;
	buf_init(&record, 1024);
	buf_init(&names, 1024);
	buf_init(&risks, 1024);
	assert_non_null(snapshot_add(snap, span_str(name)));
	assert_non_null(snapshot_add(snap, span_str("a")));
	assert_int_equal(snapshot_seal(snap), 0);
	snap->servers[1].risk = 123; /* the second one in order of name */
	history_encode_servers(snap, &names, &risks);
	assert_int_equal(history_find_server(buf_span(&names), span_str("a")), 0);
	assert_int_equal(history_find_server(buf_span(&names), span_str(name)), 1);
	assert_int_equal(history_find_server(buf_span(&names), span_str("a b")), -1);
	assert_int_equal(history_find_server((struct span){NULL, 0}, span_str("a")), -1);
	history_init(&h, INTERVAL, 60000, END);
	history_add_server(&h, END, buf_span(&risks), 1);
	assert_float_equal(history_value(history_points(&h), HISTORY_HIGHEST), 12.3, 1e-9);
	history_free(&h);

	snap->servers[0].name = span_str(name);
	history_encode(snap, &record);
	history_init(&h, INTERVAL, 60000, END);
	history_add(&h, END, buf_span(&record));
	assert_name(&h, history_points(&h)->worst, name);
	history_free(&h);
	buf_free(&record);
	buf_free(&names);
	buf_free(&risks);
	snapshot_free(&snap);
}

static void every_risk_fits_two_characters(void **state)
{
	struct snapshot *snap = snapshot_new();
	struct history h;
	struct buf names, risks;

	(void)state;
	assert_non_null(snapshot_add(snap, span_str("a")));
	assert_int_equal(snapshot_seal(snap), 0);
	buf_init(&names, 1024);
	buf_init(&risks, 1024);
	for (int risk = 0; risk <= RISK_MAX; risk++) {
		snap->servers[0].risk = risk;
		buf_reset(&names);
		buf_reset(&risks);
		history_encode_servers(snap, &names, &risks);
		assert_int_equal(risks.len, 2);
		history_init(&h, INTERVAL, 60000, END);
		history_add_server(&h, END, buf_span(&risks), 0);
		assert_int_equal(lround(history_points(&h)->highest * 10), risk);
		history_free(&h);
	}
	buf_free(&names);
	buf_free(&risks);
	snapshot_free(&snap);
}

static void bad_records_become_gaps(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"-",
		"1",
		"2 0.5 0.5 0 0 0 0 0 0 1 0 0 a healthy",
		"1 0.5 0.5 0 0 0 0 0 0 1 0",
		"1 1.5 0.5 0 0 0 0 0 0 1 0 0 a healthy",
		"1 -0.5 0.5 0 0 0 0 0 0 1 0 0 a healthy",
		"1 nan 0.5 0 0 0 0 0 0 1 0 0 a healthy",
		"1 inf 0.5 0 0 0 0 0 0 1 0 0 a healthy",
		"1 0.5x 0.5 0 0 0 0 0 0 1 0 0 a healthy",
		"1 0.5 0.5 0 0 0 0 0 0 -1 0 0 a healthy",
		"1 0.5 0.5 0 0 0 0 0 0 9999999 0 0 a healthy",
		"1 0.5 0.5 0 0 0 0 0 0 1 0 1001 a healthy",
		"1 0.5 0.5 0 0 0 0 0 0 1 1001 0 a healthy",
		"1  0.5 0.5 0 0 0 0 0 0 1 0 0 a healthy",
		"1 0.00000000000000000000000000000000001 0.5 0 0 0 0 0 0 1 0 0 a healthy",
		"1 0.000000000000000000000000000001 0.5 0 0 0 0 0 0 1 0 0 a healthy",
	};
	static const char *const good[] = {
		"1 0.00000000000000000000000000001 0.5 0 0 0 0 0 0 1 0 0 a healthy",
		"1 1 0 0 0 0 0 0 0 1 0 0 a healthy",
		"1 0.5 0.5 0 0 0 0 0 0 999999 0 0 a healthy",
		"1 0.5 0.5 0 0 0 0 0 0 1 1000 1000 a healthy",
	};
	struct history h;

	(void)state;
	history_init(&h, INTERVAL, 60000, END);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct span record = guard_copy(span_str(bad[i]));

		history_add(&h, END, record);
		guard_free(record);
		if (history_count(&h))
			fail_msg("taken: %s", bad[i]);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		history_add(&h, END - 10 + (int64_t)i, span_str(good[i]));
		if (history_count(&h) != i + 1)
			fail_msg("not taken: %s", good[i]);
	}
	history_free(&h);
}

static void every_cut_of_a_record_is_read_without_harm(void **state)
{
	static const char whole[] = "1 0.07 - 1 0 0 0 0 1 1 1471 1000 ppml%200001 degrading";
	size_t taken = 0;

	(void)state;
	for (size_t len = 0; len < sizeof(whole); len++) {
		struct span record = guard_copy((struct span){whole, len});
		struct history h;

		history_init(&h, INTERVAL, 60000, END);
		history_add(&h, END, record);
		taken += history_count(&h);
		history_free(&h);
		guard_free(record);
	}
	/* If all numbers are present, a name may be cut or missing; "1 1000" cut to "1 100" is a
	 * number, too. */
	assert_true(taken > 0 && taken < 30);
}

static void only_points_of_the_range_in_their_order_are_taken(void **state)
{
	struct history h;

	(void)state;
	history_init(&h, INTERVAL, 60000, END);
	add(&h, END - 60000, 0.1); /* the range is open here */
	add(&h, END - 59999, 0.2);
	add(&h, END - 59999, 0.3);
	add(&h, END - 59999 - 1, 0.4);
	add(&h, END, 0.5);
	add(&h, END + 1, 0.6);
	assert_int_equal(history_count(&h), 2);
	assert_float_equal(history_points(&h)[0].prob_30m, 0.2, 1e-12);
	assert_float_equal(history_points(&h)[1].prob_30m, 0.5, 1e-12);
	history_free(&h);
}

static void a_server_outside_its_record_gives_no_point(void **state)
{
	static const char *const bad[] = {"", "0", "rt", "A0", "0-", "zz"};
	struct history h;

	(void)state;
	history_init(&h, INTERVAL, 60000, END);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct span risks = guard_copy(span_str(bad[i]));

		history_add_server(&h, END, risks, 0);
		guard_free(risks);
	}
	history_add_server(&h, END, span_str("0000"), 2);
	assert_int_equal(history_count(&h), 0);
	history_add_server(&h, END, span_str("00rs"), 1);
	assert_float_equal(history_points(&h)->highest, 100, 1e-12);
	history_free(&h);
}

static void values_are_those_of_the_rules(void **state)
{
	struct history h;
	const struct history_point *p;

	(void)state;
	history_init(&h, INTERVAL, 60000, END);
	history_add(&h, END, span_str("1 0.5 0.25 1 2 3 4 5 6 9 15000 995 a healthy"));
	p = history_points(&h);
	assert_float_equal(history_value(p, HISTORY_PROB_30M), 50, 1e-12);
	assert_float_equal(history_value(p, HISTORY_PROB_8H), 25, 1e-12);
	assert_float_equal(history_value(p, HISTORY_HEALTH), 50, 1e-12); /* 15 of 30 below 50 */
	assert_float_equal(history_value(p, HISTORY_RISK), 50, 1e-12);
	assert_float_equal(history_value(p, HISTORY_LEVELS), 15, 1e-12);
	assert_float_equal(history_value(p, HISTORY_HIGHEST), 99.5, 1e-12);
	history_free(&h);
}

static void a_fleet_without_servers_has_absent_values(void **state)
{
	struct snapshot *snap = snapshot_new();
	struct history h;
	struct buf record;

	(void)state;
	buf_init(&record, 1024);
	snap->prob_30m = snap->prob_8h = NAN;
	assert_int_equal(snapshot_seal(snap), 0);
	history_encode(snap, &record);
	history_init(&h, INTERVAL, 60000, END);
	history_add(&h, END, buf_span(&record));
	assert_int_equal(history_count(&h), 1);
	for (int metric = 0; metric <= HISTORY_HIGHEST; metric++)
		if (metric != HISTORY_LEVELS)
			assert_true(isnan(
				history_value(history_points(&h), (enum history_metric)metric)));
	assert_int_equal(history_points(&h)->worst.len, 0);
	history_free(&h);
	buf_free(&record);
	snapshot_free(&snap);
}

static void a_gap_is_more_than_two_and_a_half_intervals(void **state)
{
	static const struct {
		int64_t distance;
		size_t gaps;
	} cases[] = {{30000, 0}, {60000, 0}, {75000, 0}, {75001, 1}, {90000, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct history_column columns[HISTORY_COLUMNS];
		struct history_stats stats;
		struct history h;

		history_init(&h, INTERVAL, 1800000, END);
		add(&h, END - cases[i].distance, 0.5);
		add(&h, END, 0.5);
		history_stats(&h, HISTORY_PROB_30M, &stats);
		assert_int_equal(stats.gaps, cases[i].gaps);
		assert_int_equal(history_thin(&h, HISTORY_PROB_30M, columns, HISTORY_COLUMNS), 2);
		assert_false(columns[0].joined);
		assert_int_equal(columns[1].joined, !cases[i].gaps);
		history_free(&h);
	}
}

static void an_absent_value_breaks_the_line(void **state)
{
	struct history_column columns[HISTORY_COLUMNS];
	struct history_stats stats;
	struct history h;

	(void)state;
	history_init(&h, INTERVAL, 1800000, END);
	add(&h, END - 60000, 0.25);
	add(&h, END - 30000, NAN);
	add(&h, END, 0.75);
	history_stats(&h, HISTORY_PROB_30M, &stats);
	assert_int_equal(stats.points, 2);
	assert_int_equal(stats.gaps, 1);
	assert_int_equal(history_thin(&h, HISTORY_PROB_30M, columns, HISTORY_COLUMNS), 2);
	assert_false(columns[1].joined);
	/* The same points have another metric in all of them. */
	history_stats(&h, HISTORY_PROB_8H, &stats);
	assert_int_equal(stats.points, 3);
	assert_int_equal(stats.gaps, 0);
	history_free(&h);
}

static void statistics_leave_absent_values_out(void **state)
{
	struct history_stats stats;
	struct history h;

	(void)state;
	history_init(&h, INTERVAL, 1800000, END);
	history_stats(&h, HISTORY_PROB_30M, &stats);
	assert_int_equal(stats.points, 0);
	assert_true(isnan(stats.current) && isnan(stats.average) && isnan(stats.min) &&
		    isnan(stats.max));
	assert_null(stats.peak);

	add(&h, END - 90000, 0.5);
	add(&h, END - 60000, 1);
	add(&h, END - 30000, 0);
	history_stats(&h, HISTORY_PROB_30M, &stats);
	assert_float_equal(stats.current, 0, 1e-12);
	assert_float_equal(stats.average, 50, 1e-12);
	assert_float_equal(stats.min, 0, 1e-12);
	assert_float_equal(stats.max, 100, 1e-12);
	assert_int_equal(stats.peak->at_ms, END - 60000);

	/* "Current" is the last point, not the last value that is present. */
	add(&h, END, NAN);
	history_stats(&h, HISTORY_PROB_30M, &stats);
	assert_true(isnan(stats.current));
	assert_int_equal(stats.points, 3);
	assert_float_equal(stats.average, 50, 1e-12);
	history_free(&h);
}

/* Of equal values the first is the peak. */
static void the_peak_is_the_first_moment_of_the_highest_value(void **state)
{
	struct history_stats stats;
	struct history h;

	(void)state;
	history_init(&h, INTERVAL, 1800000, END);
	add(&h, END - 90000, 0.5);
	add(&h, END - 60000, 0.75);
	add(&h, END - 30000, 0.75);
	history_stats(&h, HISTORY_PROB_30M, &stats);
	assert_int_equal(stats.peak->at_ms, END - 60000);
	history_free(&h);
}

/* A month has a point in two minutes, the first that is kept; other ranges have all. */
static void a_month_has_a_point_in_two_minutes(void **state)
{
	static const struct {
		enum history_range range;
		int64_t interval_ms;
		size_t points;
	} rows[] = {{HISTORY_30D, 30000, 3},
		    {HISTORY_30D, 119999, 3},
		    {HISTORY_30D, 120000, 10},
		    {HISTORY_7D, 30000, 10}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct history h;

		history_init(&h, rows[i].interval_ms, 1800000, END);
		history_thin_out(&h, rows[i].range);
		/* END is 60 s after a step of two minutes. */
		for (int64_t at = END - 270000; at <= END; at += 30000)
			add(&h, at, 0.5);
		assert_int_equal(history_count(&h), rows[i].points);
		assert_int_equal(h.interval_ms, rows[i].points == 3 ? 120000 : rows[i].interval_ms);
		history_free(&h);
	}
}

/* A range excludes its start and includes its end. */
static void each_column_has_its_part_of_the_range(void **state)
{
	static const struct {
		int64_t after_ms[2];
		size_t columns;
	} rows[] = {
		{{1, 100}, 1}, {{100, 101}, 2}, {{101, 200}, 1}, {{900, 901}, 2}, {{901, 1000}, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct history_column columns[10];
		struct history h;

		history_init(&h, INTERVAL, 1000, END);
		add(&h, END - 1000 + rows[i].after_ms[0], 0.25);
		add(&h, END - 1000 + rows[i].after_ms[1], 0.75);
		if (history_thin(&h, HISTORY_PROB_30M, columns, 10) != rows[i].columns)
			fail_msg("row %zu", i);
		assert_float_equal(columns[0].mean, rows[i].columns == 1 ? 50 : 25, 1e-12);
		assert_float_equal(columns[0].last, rows[i].columns == 1 ? 75 : 25, 1e-12);
		history_free(&h);
	}
}

/* 7 days at 30 s: one spike up, one down, of one point each. */
static void columns_keep_the_extremes(void **state)
{
	struct history_column columns[HISTORY_COLUMNS];
	int64_t week = history_range_ms(HISTORY_7D);
	double sum = 0, min = INFINITY, max = -INFINITY;
	size_t count;
	struct history h;

	(void)state;
	history_init(&h, INTERVAL, week, END);
	for (int64_t at = END - week + INTERVAL, i = 0; at <= END; at += INTERVAL, i++)
		add(&h, at, i == 7777 ? 0.999 : i == 12345 ? 0.001 : 0.5);
	assert_int_equal(history_count(&h), 20160);
	count = history_thin(&h, HISTORY_PROB_30M, columns, HISTORY_COLUMNS);
	assert_int_equal(count, HISTORY_COLUMNS);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(columns[i].joined, i > 0);
		assert_true(columns[i].min <= columns[i].mean && columns[i].mean <= columns[i].max);
		assert_true(i == 0 || columns[i].at_ms > columns[i - 1].at_ms);
		min = fmin(min, columns[i].min);
		max = fmax(max, columns[i].max);
		sum += columns[i].mean;
	}
	assert_float_equal(min, 0.1, 1e-9);
	assert_float_equal(max, 99.9, 1e-9);
	assert_float_equal(sum / HISTORY_COLUMNS, 50, 0.01);
	assert_int_equal(columns[count - 1].at_ms, END);
	history_free(&h);
}

static void a_column_of_levels_is_its_worst_moment(void **state)
{
	struct history_column column;
	struct history h;

	(void)state;
	history_init(&h, INTERVAL, 1800000, END);
	history_add(&h, END - 90000, span_str("1 - - 0 0 0 0 9 0 1 0 0 - -")); /* more alerts ... */
	history_add(&h, END - 60000,
		    span_str("1 - - 1 0 0 0 0 0 9 0 0 - -")); /* ... but this is imminent */
	history_add(&h, END - 30000, span_str("1 - - 0 9 0 0 0 0 1 0 0 - -"));
	assert_int_equal(history_thin(&h, HISTORY_LEVELS, &column, 1), 1);
	assert_int_equal(column.peak->at_ms, END - 60000);
	assert_float_equal(column.max, 9, 1e-12);
	history_free(&h);
}

static void the_words_of_the_parameters(void **state)
{
	(void)state;
	assert_string_equal(history_metric_words[HISTORY_HEALTH], "fleet_health");
	assert_string_equal(history_range_words[HISTORY_7D], "7d");
	assert_int_equal(history_range_ms(HISTORY_30M), 1800000);
	assert_int_equal(history_range_ms(HISTORY_1H), 3600000);
	assert_int_equal(history_range_ms(HISTORY_8H), 28800000);
	assert_int_equal(history_range_ms(HISTORY_1D), 86400000);
	assert_int_equal(history_range_ms(HISTORY_7D), INT64_C(604800000));
}

/* Of equal moments a column has the first. */
static void a_column_of_equal_levels_is_its_first_moment(void **state)
{
	struct history_column column;
	struct history h;

	(void)state;
	history_init(&h, 30000, 300000, 300000);
	history_add(&h, 30000, SPAN("1 0.5 0.5 0 0 1 0 0 0 1 0 0 a -"));
	history_add(&h, 60000, SPAN("1 0.5 0.5 0 0 1 0 0 0 1 0 0 a -"));
	assert_int_equal(history_count(&h), 2);
	assert_int_equal(history_thin(&h, HISTORY_LEVELS, &column, 1), 1);
	assert_int_equal(column.peak->at_ms, 30000);
	history_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_can_be_read_by_people),
		cmocka_unit_test(a_record_reads_back_as_it_was),
		cmocka_unit_test(names_of_any_bytes_read_back),
		cmocka_unit_test(every_risk_fits_two_characters),
		cmocka_unit_test(bad_records_become_gaps),
		cmocka_unit_test(every_cut_of_a_record_is_read_without_harm),
		cmocka_unit_test(only_points_of_the_range_in_their_order_are_taken),
		cmocka_unit_test(a_server_outside_its_record_gives_no_point),
		cmocka_unit_test(values_are_those_of_the_rules),
		cmocka_unit_test(a_fleet_without_servers_has_absent_values),
		cmocka_unit_test(a_gap_is_more_than_two_and_a_half_intervals),
		cmocka_unit_test(an_absent_value_breaks_the_line),
		cmocka_unit_test(statistics_leave_absent_values_out),
		cmocka_unit_test(the_peak_is_the_first_moment_of_the_highest_value),
		cmocka_unit_test(a_month_has_a_point_in_two_minutes),
		cmocka_unit_test(each_column_has_its_part_of_the_range),
		cmocka_unit_test(columns_keep_the_extremes),
		cmocka_unit_test(a_column_of_levels_is_its_worst_moment),
		cmocka_unit_test(the_words_of_the_parameters),
		cmocka_unit_test(a_column_of_equal_levels_is_its_first_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
