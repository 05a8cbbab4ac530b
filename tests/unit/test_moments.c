/* SPDX-License-Identifier: MIT */
/* Which moment a time leads to, and how long moments are kept. */
#include "config.h"

#include "cache/archive.h"
#include "cache/moments.h"
#include "cache/retention.h"
#include "cache_fixture.h"
#include "fleet/horizons.h"
#include "fleet/moment.h"

#define AT      (BUCKET * INT64_C(30000))
#define DAY     INT64_C(86400000)
#define WITHIN  "1763999700001 "
#define AT_TEXT "1764000000000 "
#define BASES   "1763999400001 " /* from where on what a moment is beside is looked for */

static struct buf record;

static int open_moments(void **state)
{
	struct snapshot *snap = snapshot_new();

	snap->bucket = BUCKET;
	snap->interval_ms = 30000;
	assert_non_null(snapshot_add(snap, SPAN("a")));
	assert_int_equal(snapshot_seal(snap), 0);
	buf_init(&record, 65536);
	moment_encode(snap, &record);
	snapshot_free(&snap);
	return open_cache(state);
}

static int close_moments(void **state)
{
	buf_free(&record);
	return close_cache(state);
}

static void on_moments(int64_t full_ms, int64_t thin_ms)
{
	redis_on_stream("XREVRANGE tfthist:full", full_ms, "m", buf_span(&record));
	redis_on_stream("XREVRANGE tfthist:thin", thin_ms, "t", buf_span(&record));
}

static void found(int64_t full_ms, int64_t thin_ms)
{
	struct moment moment;

	on_moments(full_ms, thin_ms);
	assert_int_equal(moments_read(cache, AT, false, &moment), MOMENT_FOUND);
	assert_int_equal(moment.snap->bucket, BUCKET);
	snapshot_free(&moment.snap);
	assert_string_equal(redis_heard(), "XREVRANGE tfthist:full " AT_TEXT WITHIN "COUNT 1\n"
					   "XREVRANGE tfthist:thin " AT_TEXT BASES "COUNT 1\n");
}

static void test_a_moment_is_one_round_trip(void **state)
{
	(void)state;
	found(AT, AT - 120000);
	found(AT - 29999, 0);
	found(0, AT - 299999); /* the only ones that are kept */
}

/* Two risks of the only server: 620 five minutes before, 990 after the moment. */
static void on_risks(void)
{
	char wire[300];

	(void)snprintf(
		wire, sizeof(wire),
		"*2\r\n*2\r\n$15\r\n%lld-0\r\n*6\r\n$1\r\ns\r\n$2\r\nd1\r\n$1\r\nr\r\n$2\r\nh8\r\n$"
		"1\r\nn\r\n$1\r\na\r\n"
		"*2\r\n$15\r\n%lld-0\r\n*4\r\n$1\r\ns\r\n$2\r\nd1\r\n$1\r\nr\r\n$2\r\nri\r\n",
		(long long)AT - 300000, (long long)AT + 30000);
	redis_on("XRANGE tfthist:risk ", wire);
}

#define POINT "1 0.5 0.5 0 1 0 0 0 0 1 900 850 ppdb001 healthy"

/* Of a later bucket, in the same window. */
static struct buf record_beside(void)
{
	struct snapshot *snap = snapshot_new();
	struct buf alone, beside;

	snap->bucket = BUCKET + 5;
	snap->interval_ms = 30000;
	assert_non_null(snapshot_add(snap, SPAN("a")));
	assert_int_equal(snapshot_seal(snap), 0);
	buf_init(&alone, 65536);
	buf_init(&beside, 65536);
	moment_encode_both(snap, buf_span(&record), &alone, &beside);
	buf_free(&alone);
	assert_true(buf_ok(&beside) && beside.len > 0 && beside.len < record.len);
	snapshot_free(&snap);
	return beside;
}

static int64_t bucket_at(int64_t at_ms)
{
	struct moment moment;
	int64_t bucket = 0;

	if (moments_read(cache, at_ms, false, &moment) == MOMENT_FOUND)
		bucket = moment.snap->bucket;
	snapshot_free(&moment.snap);
	return bucket;
}

static void test_a_moment_beside_the_thin_one_of_its_window(void **state)
{
	struct buf beside = record_beside();

	(void)state;
	redis_on_stream("XREVRANGE tfthist:full", AT + 150000, "m", buf_span(&beside));
	redis_on_stream("XREVRANGE tfthist:thin", AT, "t", buf_span(&record));
	assert_int_equal(bucket_at(AT + 150000), BUCKET + 5);
	assert_int_equal(bucket_at(AT + 179999), BUCKET + 5);
	/* Written when nobody had seen the thin one. */
	redis_on_stream("XREVRANGE tfthist:full", AT + 150000, "m", buf_span(&record));
	assert_int_equal(bucket_at(AT + 150000), BUCKET);
	/* The first of its window. */
	redis_on_stream("XREVRANGE tfthist:full", AT, "m", SPAN(""));
	assert_int_equal(bucket_at(AT), BUCKET);
	buf_free(&beside);
}

static void test_without_what_it_is_beside_a_moment_is_a_gap(void **state)
{
	struct buf beside = record_beside();

	(void)state;
	redis_on_stream("XREVRANGE tfthist:full", AT + 150000, "m", buf_span(&beside));
	redis_on_stream("XREVRANGE tfthist:thin", AT - 300000, "t", buf_span(&record));
	redis_on("XRANGE", "*0\r\n");
	assert_int_equal(bucket_at(AT + 150000), 0);
	redis_on_stream("XREVRANGE tfthist:thin", AT, "t", SPAN("damaged"));
	assert_int_equal(bucket_at(AT + 150000), 0);
	redis_on_stream("XREVRANGE tfthist:full", AT, "m", SPAN(""));
	redis_on_stream("XREVRANGE tfthist:thin", AT - 30000, "t", buf_span(&record));
	assert_int_equal(bucket_at(AT), 0);
	buf_free(&beside);
}

static void test_the_day_before_comes_in_the_same_round_trip(void **state)
{
	static const char hour[] = "1763992800030 " POINT "\n1763992830000 " POINT;
	struct cache_batch batch = {.count = 0};
	struct moment_search search;
	struct moment moment;
	struct history day;

	(void)state;
	redis_on_stream("XRANGE tfthist:hours", 1763992800000, "d", span_str(hour));
	redis_on_stream("XRANGE tfthist:fleet", AT - 30000, "d", SPAN(POINT));
	on_moments(AT, 0);
	on_risks();
	history_init(&day, 30000, DAY, AT + 300000);
	moments_add(&batch, AT, MOMENT_LINES, &search);
	archive_add_long(&batch, AT, &day);
	assert_int_equal(moments_take(cache, cache_batch_read(cache, &batch), &search, &moment),
			 MOMENT_FOUND);
	assert_int_equal(redis.batches, 1);
	assert_int_equal(history_count(&day), 3);
	assert_int_equal(history_points(&day)[0].at_ms, 1763992800030);
	assert_int_equal(history_points(&day)[2].at_ms, AT - 30000);
	assert_string_equal(redis_heard(), "XREVRANGE tfthist:full " AT_TEXT WITHIN "COUNT 1\n"
					   "XREVRANGE tfthist:thin " AT_TEXT BASES "COUNT 1\n"
					   "XRANGE tfthist:riskhours 1763996400000 1764000000000\n"
					   "XRANGE tfthist:risk 1763996400000 1764000000000\n"
					   "XRANGE tfthist:hours 1763913600000 1763996399999\n"
					   "XRANGE tfthist:fleet 1763996400000 1764000000000\n");
	/* The line of its server, without what came after the moment. */
	assert_int_equal(moment.snap->servers[0].recent.most[RECENT_SLOTS - 2], 63);
	assert_int_equal(moment.snap->servers[0].recent.least, 1);
	snapshot_free(&moment.snap);
	history_free(&day);
}

/* Names are given once, also in the hour that has been closed: 800 ten minutes before the moment. */
static void test_the_hour_that_has_been_closed(void **state)
{
	struct cache_batch batch = {.count = 0};
	struct moment_search search;
	struct moment moment;
	char wire[400];
	size_t found = 0;

	(void)state;
	(void)snprintf(
		wire, sizeof(wire),
		"*2\r\n*2\r\n$15\r\n1763996400000-0\r\n*6\r\n$1\r\ns\r\n$2\r\nd1\r\n$1\r\nr\r\n"
		"$16\r\n%lld 00\r\n$1\r\nn\r\n$1\r\na\r\n"
		"*2\r\n$15\r\n1763996400000-1\r\n*4\r\n$1\r\ns\r\n$2\r\nd1\r\n$1\r\nr\r\n"
		"$16\r\n%lld m8\r\n",
		(long long)AT - 1200000, (long long)AT - 600000);
	redis_on("XRANGE tfthist:riskhours", wire);
	redis_on("XRANGE tfthist:risk ", "*0\r\n");
	on_moments(AT, 0);
	moments_add(&batch, AT, MOMENT_LINES, &search);
	assert_int_equal(moments_take(cache, cache_batch_read(cache, &batch), &search, &moment),
			 MOMENT_FOUND);
	for (size_t i = 0; i < RECENT_SLOTS; i++)
		found += moment.snap->servers[0].recent.most[i] == 81;
	assert_int_equal(found, 1);
	assert_int_equal(moment.snap->servers[0].recent.least, 1);
	snapshot_free(&moment.snap);
}

static void assert_heard_after(int64_t ms)
{
	const char *heard = redis_heard();

	for (int i = 0; i < 2; i++) {
		char command[96];

		(void)snprintf(command, sizeof(command), "XRANGE tfthist:%s %lld %lld COUNT 1\n",
			       i ? "thin" : "full", (long long)ms, (long long)INT64_MAX);
		assert_non_null(strstr(heard, command));
	}
}

static void test_a_gap_has_neighbours(void **state)
{
	struct moment moment;

	(void)state;
	redis_on_stream("XRANGE tfthist:full", AT + 90000, "m", buf_span(&record));
	redis_on_stream("XRANGE tfthist:thin", AT + 300000, "t", buf_span(&record));
	on_moments(AT - 30000, AT - 120000);
	assert_int_equal(moments_read(cache, AT, false, &moment), MOMENT_NONE);
	assert_null(moment.snap);
	assert_int_equal(moment.before_ms, AT - 30000);
	assert_int_equal(moment.after_ms, AT + 90000);
	assert_heard_after(AT + 1);
	redis_on_stream("XRANGE tfthist:full", 0, "m", buf_span(&record));
	redis_on_stream("XRANGE tfthist:thin", 0, "t", buf_span(&record));
	on_moments(0, 0);
	assert_int_equal(moments_read(cache, AT, false, &moment), MOMENT_NONE);
	assert_int_equal(redis.batches, 4); /* two each */
	assert_int_equal(moment.before_ms, 0);
	assert_int_equal(moment.after_ms, 0);
}

static void near(int64_t before_ms, int64_t after_ms, int64_t end_ms, enum moment_result wanted)
{
	struct cache_batch batch = {.count = 0};
	struct moment_search search;
	struct moment moment;
	int rc;

	redis_on_stream("XRANGE tfthist:full", after_ms, "m", buf_span(&record));
	redis_on_stream("XRANGE tfthist:thin", 0, "t", buf_span(&record));
	on_moments(before_ms, 0);
	moments_add(&batch, AT, 0, &search);
	rc = cache_batch_read(cache, &batch);
	assert_int_equal(moments_take_near(cache, rc, end_ms, &search, &moment), wanted);
	snapshot_free(&moment.snap);
}

/* The command that finally reads the moment names its time. */
static void test_the_nearest_moment_stands_in(void **state)
{
	(void)state;
	near(AT - 60000, AT + 90000, AT + DAY, MOMENT_FOUND);
	assert_non_null(strstr(redis_heard(), "XREVRANGE tfthist:full 1763999940000 "));
	/* The later one is nearer, but Redis answers with the earlier one, so it is not found. */
	near(AT - 120000, AT + 90000, AT + DAY, MOMENT_NONE);
	assert_non_null(strstr(redis_heard(), "XREVRANGE tfthist:full 1764000090000 "));
	near(AT - 90000, AT + 90000, AT + DAY, MOMENT_NONE);
	assert_non_null(strstr(redis_heard(), "XREVRANGE tfthist:full 1764000090000 "));
	/* It is not before the moment that is shown. */
	near(AT - 120000, AT + 90000, AT + 90000, MOMENT_FOUND);
	assert_non_null(strstr(redis_heard(), "XREVRANGE tfthist:full 1763999880000 "));
	near(0, AT + 90000, AT + 90000, MOMENT_NONE);
	assert_null(strstr(redis_heard(), "XREVRANGE tfthist:full 1764000090000 "));
}

static void test_a_damaged_record_is_a_gap(void **state)
{
	struct moment moment;

	(void)state;
	record.data[record.len - 1] ^= 1;
	redis_on_stream("XRANGE", 0, "m", buf_span(&record));
	on_moments(AT, 0);
	assert_int_equal(moments_read(cache, AT, false, &moment), MOMENT_NONE);
	assert_null(moment.snap);
}

static struct buf forecasts_of(const char *name)
{
	struct snapshot *snap = snapshot_new();
	struct buf bytes;

	assert_non_null(snapshot_add(snap, span_str(name)));
	assert_int_equal(snapshot_seal(snap), 0);
	buf_init(&bytes, 65536);
	horizons_encode(snap, &bytes);
	snapshot_free(&snap);
	return bytes;
}

/* A record of one server. */
static void use_server(const char *name)
{
	struct snapshot *snap = snapshot_new();

	snap->bucket = BUCKET;
	snap->interval_ms = 30000;
	assert_non_null(snapshot_add(snap, span_str(name)));
	assert_int_equal(snapshot_seal(snap), 0);
	buf_reset(&record);
	moment_encode(snap, &record);
	snapshot_free(&snap);
}

static void test_forecasts_come_with_the_moment(void **state)
{
	struct buf forecasts = forecasts_of("ppml0001");
	struct moment moment;

	(void)state;
	use_server("ppml0001");
	on_moments(AT, 0);
	redis_on_stream("XREVRANGE tfthist:forecasts", AT - 120000, "f", buf_span(&forecasts));
	assert_int_equal(moments_read(cache, AT, true, &moment), MOMENT_FOUND);
	assert_non_null(moment.snap->servers[0].horizons);
	snapshot_free(&moment.snap);
	forecasts.data[forecasts.len - 1] ^= 1;
	redis_on_stream("XREVRANGE tfthist:forecasts", AT - 120000, "f", buf_span(&forecasts));
	assert_int_equal(moments_read(cache, AT, true, &moment), MOMENT_FOUND);
	assert_null(moment.snap->servers[0].horizons);
	snapshot_free(&moment.snap);
	assert_int_equal(moments_read(cache, AT, false, &moment), MOMENT_FOUND);
	assert_null(moment.snap->servers[0].horizons);
	snapshot_free(&moment.snap);
	buf_free(&forecasts);
}

static struct snapshot *servers_of(size_t count)
{
	struct snapshot *snap = snapshot_new();
	char name[16];

	snap->bucket = BUCKET;
	snap->interval_ms = 30000;
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "ppml%04zu", i);
		assert_non_null(snapshot_add(snap, span_str(name)));
	}
	assert_int_equal(snapshot_seal(snap), 0);
	return snap;
}

/* The first, the last and the one between them whose forecasts a page of these servers decodes. */
static void decoded(struct span name, struct span other, bool first, bool between, bool last)
{
	struct cache_batch batch = {.count = 0};
	struct moment_search search;
	struct moment moment;
	int rc;

	moments_add(&batch, AT, MOMENT_FORECASTS, &search);
	search.name = name;
	search.other = other;
	rc = cache_batch_read(cache, &batch);
	assert_int_equal(moments_take(cache, rc, &search, &moment), MOMENT_FOUND);
	assert_int_equal(moment.snap->servers[0].horizons != NULL, first);
	assert_int_equal(moment.snap->servers[100].horizons != NULL, between);
	assert_int_equal(moment.snap->servers[199].horizons != NULL, last);
	snapshot_free(&moment.snap);
}

static void test_of_one_server_or_two_no_other_forecasts_are_read(void **state)
{
	struct snapshot *snap = servers_of(200);
	struct buf forecasts;

	(void)state;
	buf_init(&forecasts, 1 << 20);
	horizons_encode(snap, &forecasts);
	buf_reset(&record);
	moment_encode(snap, &record);
	snapshot_free(&snap);
	on_moments(AT, 0);
	redis_on_stream("XREVRANGE tfthist:forecasts", AT, "f", buf_span(&forecasts));
	decoded(SPAN(""), SPAN(""), true, true, true);
	decoded(SPAN("ppml0000"), SPAN(""), true, false, false);
	decoded(SPAN("ppml0000"), SPAN("ppml0199"), true, false, true);
	decoded(SPAN("gone"), SPAN("ppml0199"), false, false, true);
	buf_free(&forecasts);
}

static void test_without_redis_there_is_none(void **state)
{
	struct moment moment;

	(void)state;
	assert_int_equal(moments_read(cache, AT, false, &moment), MOMENT_DOWN);
	assert_null(moment.snap);
}

/* For how many days a fleet with records of this size is kept. */
static void kept(int64_t memory, size_t moment, size_t forecasts, double full, double thin)
{
	struct retention r =
		retention_of(memory, 30000, &(struct retention_lengths){moment, moment, forecasts});

	assert_true((double)r.full_ms / DAY > full - 0.05 && (double)r.full_ms / DAY < full + 0.05);
	assert_true((double)r.thin_ms / DAY > thin - 0.05 && (double)r.thin_ms / DAY < thin + 0.05);
	assert_int_equal(r.risks_ms, r.full_ms + DAY);
	assert_true(r.thin_ms >= r.full_ms + PROTOCOL_THIN_MS);
	assert_int_equal(r.risks_bytes, memory / 8);
}

static void test_what_is_kept_follows_from_memory_and_sizes(void **state)
{
	(void)state;
	kept(256 << 20, 400, 400, 30, 30);         /* 20 servers */
	kept(256 << 20, 1800, 3000, 30, 30);       /* 90 */
	kept(256 << 20, 20000, 40000, 1.45, 23.2); /* 1,000 */
	kept(256 << 20, 100000, 1, 1, 4.7);
	kept(16 << 20, 1800, 3000, 1, 15.6);
	kept(INT64_C(4) << 30, 20000, 40000, 30, 30);
	assert_true(retention_of(256 << 20, 30000, &(struct retention_lengths){10000, 20000, 1})
			    .full_ms > 2 * DAY);
}

static void test_long_intervals_and_no_record(void **state)
{
	static const struct retention_lengths none = {0}, large = {1000000, 1000000, 0};

	(void)state;
	assert_int_equal(retention_of(256 << 20, 300000, &none).full_ms, 30 * DAY);
	assert_int_equal(retention_of(16 << 20, 300000, &large).full_ms, DAY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_moment_is_one_round_trip, open_moments,
						close_moments),
		cmocka_unit_test_setup_teardown(test_a_moment_beside_the_thin_one_of_its_window,
						open_moments, close_moments),
		cmocka_unit_test_setup_teardown(test_without_what_it_is_beside_a_moment_is_a_gap,
						open_moments, close_moments),
		cmocka_unit_test_setup_teardown(test_the_day_before_comes_in_the_same_round_trip,
						open_moments, close_moments),
		cmocka_unit_test_setup_teardown(test_the_hour_that_has_been_closed, open_moments,
						close_moments),
		cmocka_unit_test_setup_teardown(test_a_gap_has_neighbours, open_moments,
						close_moments),
		cmocka_unit_test_setup_teardown(test_the_nearest_moment_stands_in, open_moments,
						close_moments),
		cmocka_unit_test_setup_teardown(test_a_damaged_record_is_a_gap, open_moments,
						close_moments),
		cmocka_unit_test_setup_teardown(test_forecasts_come_with_the_moment, open_moments,
						close_moments),
		cmocka_unit_test_setup_teardown(
			test_of_one_server_or_two_no_other_forecasts_are_read, open_moments,
			close_moments),
		cmocka_unit_test_setup_teardown(test_without_redis_there_is_none, open_moments,
						close_moments),
		cmocka_unit_test(test_what_is_kept_follows_from_memory_and_sizes),
		cmocka_unit_test(test_long_intervals_and_no_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
