/* SPDX-License-Identifier: MIT */
/* Whether data still reach the daemon, judged only by its count of batches. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fleet/decode.h"

#define T0  1764000000000
#define GAP 4000

/* Looks every 2 s, from `from` to `to` (s), at a count that grows by one every period_s. Returns
 * when a standstill was first reported; 0: never. */
static int64_t watch(struct ticks *t, int from, int to, int period_s)
{
	for (int s = from; s <= to; s += 2) {
		ticks_see(t, 100 + (period_s ? s / period_s : 0), T0 + s * 1000, GAP);
		if (ticks_still_since(t))
			return s;
	}
	return 0;
}

static void feed_of_any_period_is_no_standstill(void **state)
{
	static const int periods[] = {1, 2, 3, 5, 7, 10, 30, 60};

	(void)state;
	for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++) {
		struct ticks t = {0};

		assert_int_equal(watch(&t, 0, 600, periods[i]), 0);
	}
}

/* The batches of a feed of 5 s end at 100 s: seen then, and reported 8 s later. */
static void standstill_is_told_within_ten_seconds(void **state)
{
	struct ticks t = {0};

	(void)state;
	assert_int_equal(watch(&t, 0, 100, 5), 0);
	for (int s = 102; s <= 110 && !ticks_still_since(&t); s += 2)
		ticks_see(&t, 120, T0 + s * 1000, GAP);
	assert_int_equal(t.seen_ms, T0 + 108000);
	assert_int_equal(ticks_still_since(&t), T0 + 100000);
	ticks_see(&t, 121, T0 + 200000, GAP);
	assert_int_equal(ticks_still_since(&t), 0);
	assert_int_equal(t.since_ms, T0 + 200000);
}

/* One outage does not delay the report of the next one. */
static void outage_is_no_usual_time(void **state)
{
	struct ticks t = {0};
	int64_t before;

	(void)state;
	(void)watch(&t, 0, 100, 5);
	before = t.period_ms;
	assert_in_range(before, 4000, 6000);
	ticks_see(&t, 121, T0 + 3600000, GAP);
	assert_in_range(t.period_ms, before, before * 5 / 4);
}

static void feed_that_becomes_slow_is_learnt(void **state)
{
	struct ticks t = {0};

	(void)state;
	(void)watch(&t, 0, 100, 5);
	for (int i = 1; i <= 20; i++)
		ticks_see(&t, 120 + i, T0 + 100000 + i * 60000, GAP);
	assert_in_range(t.period_ms, 50000, 60000);
}

/* The daemon does not answer while it computes; the next answer may come before the batch that
 * waited. */
static void time_without_answer_counts_little(void **state)
{
	struct ticks t = {0};

	(void)state;
	(void)watch(&t, 0, 100, 5);
	ticks_see(&t, 120, T0 + 102000, GAP);
	ticks_see(&t, 120, T0 + 112000, GAP);
	assert_int_equal(t.still_ms, 2000 + GAP);
	assert_int_equal(ticks_still_since(&t), 0);
}

static void what_has_never_moved_tells_nothing(void **state)
{
	struct ticks t = {0};

	(void)state;
	assert_int_equal(watch(&t, 0, 600, 0), 0);
	/* Nor does the first change: nobody knows when the batch before it came. */
	ticks_see(&t, 101, T0 + 602000, GAP);
	assert_int_equal(t.period_ms, 0);
	assert_int_equal(watch(&t, 604, 700, 0), 0);
}

static void daemon_that_was_started_again_begins_anew(void **state)
{
	struct ticks t = {0};
	int64_t period;

	(void)state;
	(void)watch(&t, 0, 100, 5);
	period = t.period_ms;
	ticks_see(&t, 3, T0 + 102000, GAP);
	assert_int_equal(t.since_ms, T0 + 102000);
	assert_int_equal(t.still_ms, 0);
	assert_int_equal(t.period_ms, period);
}

static void clock_that_goes_back_is_no_standstill(void **state)
{
	struct ticks t = {0};

	(void)state;
	(void)watch(&t, 0, 100, 5);
	ticks_see(&t, 120, T0 - 3600000, GAP);
	assert_int_equal(t.still_ms, 0);
	ticks_see(&t, 121, T0 - 3595000, GAP);
	assert_true(t.period_ms > 0);
}

static void assert_read(const char *body, struct ticks want)
{
	struct ticks got = {7, 7, 7, 7, 7};

	decode_ticks(span_str(body), &got);
	assert_memory_equal(&got, &want, sizeof(got));
}

static void written_is_read_and_the_answer_stays(void **state)
{
	static const struct ticks t = {173, T0, T0 + 2000, 2000, 5000};
	static const char body[] =
		"{\"tick_count\":173,\"ticks\":7,\"warmup\":{\"is_warmed_up\":true,"
		"\"progress_percent\":100,\"current_size\":173,\"required_size\":150}} \n";
	struct warmup warmup;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	ticks_write(&t, span_str(body), &out);
	buf_char(&out, '\0');
	assert_read(out.data, t);
	decode_warmup(span_str(out.data), &warmup);
	assert_true(warmup.known && warmup.done);
	buf_free(&out);
}

/* Below 2^48: sums of them cannot overflow. */
static void the_largest_count_is_read(void **state)
{
	(void)state;
	assert_read("{\"tick_count\":281474976710655,\"ticks\":{\"since\":1,\"seen\":2,\"still\":0,"
		    "\"period\":0}}",
		    (struct ticks){281474976710655, 1, 2, 0, 0});
	assert_read("{\"tick_count\":281474976710656,\"ticks\":{\"since\":1,\"seen\":2,\"still\":0,"
		    "\"period\":0}}",
		    (struct ticks){0});
}

static void what_is_not_ours_reads_as_never_seen(void **state)
{
	static const char *const bodies[] = {
		"",
		"{}",
		"{\"tick_count\":3}",
		"{\"tick_count\":3,\"ticks\":{\"since\":1,\"seen\":1,\"still\":1}}",
		"{\"tick_count\":-3,\"ticks\":{\"since\":1,\"seen\":1,\"still\":1,\"period\":1}}",
		"{\"tick_count\":3,\"ticks\":{\"seen\":1,\"still\":1,\"period\":1}}",
		"{\"tick_count\":3,\"ticks\":{\"since\":1,\"still\":1,\"period\":1}}",
		"{\"tick_count\":3,\"ticks\":{\"since\":1,\"seen\":1,\"period\":1}}",
		"{\"tick_count\":3,\"ticks\":{\"since\":1,\"seen\":1,\"still\":1,\"period\":-1}}",
		"{\"tick_count\":3,\"ticks\":{\"since\":1,\"seen\":1,\"still\":1,\"period\":1e300}"
		"}",
		"{\"ticks\":{\"since\":1,\"seen\":1,\"still\":1,\"period\":1}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_read(bodies[i], (struct ticks){0});
	assert_int_equal(decode_tick_count(SPAN("{\"tick_count\":0}")), 0);
	assert_int_equal(decode_tick_count(SPAN("{\"tick_count\":\"7\"}")), -1);
	assert_int_equal(decode_tick_count(SPAN("{\"tick_count\":-7}")), -1);
	assert_int_equal(decode_tick_count(SPAN("{}")), -1);
}

/* Two counts of one moment say nothing about the time between batches. */
static void no_time_between_two_counts_is_no_period(void **state)
{
	struct ticks t = {0};

	(void)state;
	for (int i = 0; i < 3; i++)
		ticks_see(&t, 100 + i, T0 + i * 5000, GAP);
	assert_int_equal(t.period_ms, 5000);
	ticks_see(&t, 103, T0 + 10000, GAP);
	assert_int_equal(t.period_ms, 5000);
	ticks_see(&t, 105, T0 + 20000, GAP);
	assert_int_equal(t.period_ms, 5000);
}

/* A batch is late after 1.4 periods. */
static void a_batch_is_late_at_its_time(void **state)
{
	struct ticks t = {.count = 7, .since_ms = T0, .seen_ms = T0, .period_ms = 10000};

	(void)state;
	t.still_ms = 13999;
	assert_int_equal(ticks_still_since(&t), 0);
	t.still_ms = 14000;
	assert_int_equal(ticks_still_since(&t), T0);
	/* Never before 6 s. */
	t.period_ms = 1000;
	t.still_ms = 5999;
	assert_int_equal(ticks_still_since(&t), 0);
	t.still_ms = 6000;
	assert_int_equal(ticks_still_since(&t), T0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(feed_of_any_period_is_no_standstill),
		cmocka_unit_test(standstill_is_told_within_ten_seconds),
		cmocka_unit_test(outage_is_no_usual_time),
		cmocka_unit_test(feed_that_becomes_slow_is_learnt),
		cmocka_unit_test(time_without_answer_counts_little),
		cmocka_unit_test(what_has_never_moved_tells_nothing),
		cmocka_unit_test(daemon_that_was_started_again_begins_anew),
		cmocka_unit_test(clock_that_goes_back_is_no_standstill),
		cmocka_unit_test(written_is_read_and_the_answer_stays),
		cmocka_unit_test(the_largest_count_is_read),
		cmocka_unit_test(what_is_not_ours_reads_as_never_seen),
		cmocka_unit_test(no_time_between_two_counts_is_no_period),
		cmocka_unit_test(a_batch_is_late_at_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
