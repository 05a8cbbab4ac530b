/* SPDX-License-Identifier: MIT */
/* The history and the stored forecasts, as they are read back from Redis. */
#include "config.h"

#include <math.h>

#include "base/log.h"
#include "cache/accuracy.h"
#include "cache/archive.h"
#include "cache/forecast_store.h"
#include "cache/warnings.h"
#include "cache_fixture.h"
#include "captured.h"

#define HOUR   INT64_C(3600000)
#define END    (BUCKET * INT64_C(30000)) /* 1764000000000 = 490000 h */
#define RECORD "1 0.07 - 1 0 0 0 0 1 1 1471 1000 ppml0001 degrading"

static struct snapshot *snap;
static struct history history;
static struct trail trail;
static struct archive_has has;

static int open_archive(void **state)
{
	snap = snapshot_new();
	snap->bucket = BUCKET;
	snap->interval_ms = 30000;
	return open_cache(state);
}

static int close_archive(void **state)
{
	snapshot_free(&snap);
	return close_cache(state);
}

static void put_text(struct buf *out, const char *text)
{
	put_string(out, span_str(text));
}

/* Begins an entry of that many fields and values. */
static void begin_entry(struct buf *out, int64_t ms, size_t count)
{
	char id[32];

	(void)snprintf(id, sizeof(id), "%lld-0", (long long)ms);
	buf_lit(out, "*2\r\n");
	put_text(out, id);
	buf_addf(out, "*%zu\r\n", count);
}

/* Adds an entry to a stream. */
static void put_entry(struct buf *out, int64_t ms, const char *const *fields, size_t count)
{
	begin_entry(out, ms, count);
	for (size_t i = 0; i < count; i++)
		put_text(out, fields[i]);
}

static void on_entries(const char *begins, size_t count, const struct buf *entries)
{
	struct buf wire;

	buf_init(&wire, 1 << 20);
	buf_addf(&wire, "*%zu\r\n", count);
	buf_span_add(&wire, buf_span(entries));
	redis_on_span(begins, buf_span(&wire));
	buf_free(&wire);
}

static void test_up_to_8_hours_are_points(void **state)
{
	static const char *const fields[] = {"r", RECORD};
	struct buf entries;

	(void)state;
	buf_init(&entries, 1 << 20);
	put_entry(&entries, END - 60000, fields, 2);
	put_entry(&entries, END - 30000, fields, 1);
	put_entry(&entries, END, fields, 2);
	on_entries("XRANGE tfthist:fleet", 3, &entries);
	assert_int_equal(archive_fleet(cache, snap, HISTORY_8H, &history), 0);
	assert_string_equal(redis_heard(), "XRANGE tfthist:fleet 1763971200000 1764000000000\n");
	assert_int_equal(history_count(&history), 2);
	assert_int_equal(history_points(&history)[0].at_ms, END - 60000);
	assert_int_equal(history_points(&history)[1].at_ms, END);
	assert_true(history_points(&history)[1].prob_30m == 0.07);
	history_free(&history);
	buf_free(&entries);
}

static void test_a_day_is_hours_and_the_points_of_the_last_two(void **state)
{
	static const char *const fields[] = {"r", RECORD};
	char lines[400];
	const char *const hour[] = {"r", lines};
	struct buf entries;

	(void)state;
	(void)snprintf(lines, sizeof(lines),
		       "%lld " RECORD "\nx " RECORD "\n%lld\n%lld-" RECORD "\n%lld " RECORD,
		       (long long)(END - 5 * HOUR), (long long)(END - 5 * HOUR + 30000),
		       (long long)(END - 5 * HOUR + 60000), (long long)(END - 5 * HOUR + 90000));
	buf_init(&entries, 1 << 20);
	put_entry(&entries, END - 5 * HOUR, hour, 2);
	on_entries("XRANGE tfthist:hours", 1, &entries);
	buf_reset(&entries);
	put_entry(&entries, END - HOUR, fields, 2);
	put_entry(&entries, END, fields, 2);
	on_entries("XRANGE tfthist:fleet", 2, &entries);
	assert_int_equal(archive_fleet(cache, snap, HISTORY_1D, &history), 0);
	assert_string_equal(redis_heard(), "XRANGE tfthist:hours 1763913600000 1763996399999\n"
					   "XRANGE tfthist:fleet 1763996400000 1764000000000\n");
	assert_int_equal(history_count(&history), 4);
	assert_int_equal(history_points(&history)[0].at_ms, END - 5 * HOUR);
	assert_int_equal(history_points(&history)[1].at_ms, END - 5 * HOUR + 90000);
	assert_int_equal(history_points(&history)[2].at_ms, END - HOUR);
	assert_int_equal(history_points(&history)[3].at_ms, END);
	history_free(&history);
	buf_free(&entries);
}

/* In the middle of an hour: the previous hour may not be closed yet. */
static void test_the_hours_end_where_the_points_begin(void **state)
{
	(void)state;
	snap->bucket += 90; /* 45 min */
	redis_on("XRANGE", "*0\r\n");
	assert_int_equal(archive_fleet(cache, snap, HISTORY_7D, &history), 0);
	assert_string_equal(redis_heard(), "XRANGE tfthist:hours 1763395200000 1763996399999\n"
					   "XRANGE tfthist:fleet 1763996400000 1764002700000\n");
	assert_int_equal(history_count(&history), 0);
	history_free(&history);
}

/* The last hour every 5 minutes, 7 hours every 15: half a step around each. */
static void assert_heard_trail(void)
{
	struct buf want;

	buf_init(&want, 1 << 16);
	buf_lit(&want, "XRANGE tfthist:riskhours 1763913600000 1764000000000\n"
		       "XRANGE tfthist:risk 1763996400000 1764000000000\n");
	for (int minutes = 5; minutes <= 480; minutes += minutes < 60 ? 5 : 15)
		buf_addf(&want, "XREVRANGE tfthist:forecasts %lld %lld COUNT 1\n",
			 (long long)(END - minutes * 60000 + 150000),
			 (long long)(END - minutes * 60000 - 149999));
	buf_char(&want, '\0');
	assert_string_equal(redis_heard(), want.data);
	buf_free(&want);
}

static void test_the_risk_of_one_server(void **state)
{
	static const char *const named[] = {"s", "d1", "r", "010203", "n", "a b c"},
				 *const same[] = {"s", "d1", "r", "04050a"},
				 *const other[] = {"s", "d2", "r", "060708"},
				 *const half[] = {"s", "d1", "r"}, *const without[] = {"s", "d3",
										       "r", "0909",
										       "n", "a c"};
	static const double highest[] = {0.2, 0.5};
	struct buf entries;

	(void)state;
	buf_init(&entries, 1 << 20);
	put_entry(&entries, END - 180000, same, 4); /* whose names are not known yet */
	put_entry(&entries, END - 150000, named, 6);
	put_entry(&entries, END - 120000, same, 4);
	put_entry(&entries, END - 90000, other, 4);
	put_entry(&entries, END - 60000, half, 3);
	put_entry(&entries, END - 30000, without, 6);
	redis_on("XRANGE tfthist:riskhours", "*0\r\n");
	on_entries("XRANGE tfthist:risk ", 6, &entries);
	redis_on("XREVRANGE tfthist:forecasts", "*0\r\n");
	archive_server(cache, snap, SPAN("b"), SPAN(""), &history, &trail, &has);
	assert_true(has.history && has.trail);
	assert_heard_trail();
	assert_int_equal(history_count(&history), 2);
	for (size_t i = 0; i < 2; i++)
		assert_float_equal(history_points(&history)[i].highest, highest[i], 1e-9);
	assert_int_equal(history_points(&history)[0].at_ms, END - 150000);
	history_free(&history);
	/* Also for the first of the names. */
	archive_server(cache, snap, SPAN("a"), SPAN(""), &history, &trail, &has);
	assert_true(has.history && has.trail);
	assert_int_equal(history_count(&history), 3);
	history_free(&history);
	buf_free(&entries);
}

/* What is in the hours may be among the points again. */
static void test_the_risk_of_one_server_by_hours(void **state)
{
	static const double highest[] = {0.2, 0.5, 0.7, 0.8, 0.9};
	char before[200], after[200], other[200], unnamed[200];
	const char *const hours[][6] = {{"s", "d1", "r", before, "n", "a b c"},
					{"s", "d3", "r", other, "n", "a c"},
					{"s", "d1", "r", after, "n", "a b c"},
					{"s", "d1", "r", unnamed}};
	static const char *const again[] = {"s", "d1", "r", "999999", "n", "a b c"},
				 *const same[] = {"s", "d1", "r", "08090a"};
	struct buf entries;

	(void)state;
	(void)snprintf(before, sizeof(before), "%lld 010203\n%lld 04050a\nx\n",
		       (long long)(END - 2 * HOUR), (long long)(END - 2 * HOUR + 30000));
	(void)snprintf(other, sizeof(other), "%lld 0606", (long long)(END - 2 * HOUR + 60000));
	(void)snprintf(after, sizeof(after), "%lld 060708", (long long)(END - HOUR));
	(void)snprintf(unnamed, sizeof(unnamed), "%lld 060808", (long long)(END - HOUR + 30000));
	buf_init(&entries, 1 << 20);
	put_entry(&entries, END - 2 * HOUR, hours[0], 6);
	put_entry(&entries, END - 2 * HOUR, hours[1], 6);
	put_entry(&entries, END - HOUR, hours[2], 6);
	put_entry(&entries, END - HOUR, hours[2], 3);
	put_entry(&entries, END - HOUR, hours[3], 4);
	on_entries("XRANGE tfthist:riskhours", 5, &entries);
	buf_reset(&entries);
	put_entry(&entries, END - HOUR, again, 6);
	put_entry(&entries, END - 30000, same, 4);
	on_entries("XRANGE tfthist:risk ", 2, &entries);
	redis_on("XREVRANGE tfthist:forecasts", "*0\r\n");
	archive_server(cache, snap, SPAN("b"), SPAN(""), &history, &trail, &has);
	assert_true(has.history);
	assert_int_equal(history_count(&history), 5);
	for (size_t i = 0; i < 5; i++)
		assert_float_equal(history_points(&history)[i].highest, highest[i], 1e-9);
	assert_int_equal(history_points(&history)[2].at_ms, END - HOUR);
	history_free(&history);
	buf_free(&entries);
}

/* The forecasts of the fleet, with one of its servers. */
static struct buf made_forecasts(void)
{
	static const double value[FORECAST_STEPS] = {7.5, 7.5, 7.5, 7.5, 7.5, 7.5};
	struct snapshot *then = snapshot_new();
	struct server *server = snapshot_add(then, SPAN("b"));
	struct buf record;

	server->series = series_new();
	series_pack(value, FORECAST_STEPS, &server->series->p10[METRIC_LOAD]);
	series_pack(value, FORECAST_STEPS, &server->series->p50[METRIC_LOAD]);
	series_pack(value, FORECAST_STEPS, &server->series->p90[METRIC_LOAD]);
	assert_int_equal(snapshot_seal(then), 0);
	buf_init(&record, 1 << 20);
	horizons_encode(then, &record);
	snapshot_free(&then);
	return record;
}

static void on_forecasts(const char *begins, int64_t made_ms, struct span record)
{
	struct buf entries;

	buf_init(&entries, 1 << 20);
	buf_addf(&entries, "*2\r\n$15\r\n%lld-0\r\n*2\r\n", (long long)made_ms);
	put_text(&entries, "f");
	put_string(&entries, record);
	on_entries(begins, 1, &entries);
	buf_free(&entries);
}

static void test_what_was_forecast_comes_with_the_risk_of_a_server(void **state)
{
	struct buf record = made_forecasts();
	const char *log;

	(void)state;
	redis_on("XRANGE tfthist:risk", "*0\r\n");
	redis_on("XREVRANGE tfthist:forecasts", "*0\r\n");
	on_forecasts("XREVRANGE tfthist:forecasts 1763998350000", END - HOUR / 2,
		     buf_span(&record));
	on_forecasts("XREVRANGE tfthist:forecasts 1763996550000", END - HOUR, SPAN("damaged"));
	log_init(LOG_LEVEL_WARNING, LOG_FORMAT_LOGFMT, "web1");
	capture_start();
	archive_server(cache, snap, SPAN("b"), SPAN(""), &history, &trail, &has);
	log = capture_end();
	log_init(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, "web1");
	assert_non_null(strstr(log, " ev=moment_damaged record=forecasts at=1763996400000\n"));
	assert_ptr_equal(strchr(log, '\n'), strrchr(log, '\n')); /* and no other */
	assert_true(has.history && has.trail);
	assert_int_equal(trail.at_ms, END);
	assert_int_equal(trail.made_ms[trail_point(0)], END - HOUR / 2);
	assert_true(trail.of[0].made[0][0][KEPT_LOAD].p50 == 7.5);
	for (size_t h = 1; h < HORIZONS; h++)
		assert_int_equal(trail.made_ms[trail_point(h)], 0);
	assert_true(trail.of[0].soon[KEPT_LOAD][trail_point(0)].p50 == 7.5);
	history_free(&history);
	buf_free(&record);
}

/* A stream whose clock went astray gives forecasts of which even the last horizon is long over. */
static void test_what_is_long_over_is_not_scored(void **state)
{
	struct buf record = made_forecasts(), scores;

	(void)state;
	buf_init(&scores, 1 << 20);
	redis_on("XREVRANGE", "*0\r\n");
	on_forecasts("XREVRANGE tfthist:forecasts", END - 10 * HOUR, buf_span(&record));
	accuracy_step(cache, snap, END - 30000, &scores);
	assert_int_equal(scores.len, 0);
	on_forecasts("XREVRANGE tfthist:forecasts", END - HOUR / 2, buf_span(&record));
	accuracy_step(cache, snap, END - 30000, &scores);
	assert_true(scores.len > 0);
	buf_free(&record);
	buf_free(&scores);
}

static void test_a_stream_that_cannot_be_read(void **state)
{
	(void)state;
	redis_on("XRANGE", "*0\r\n");
	redis_on("XREVRANGE", "*0\r\n");
	redis_on("XRANGE tfthist:fleet", "-WRONGTYPE no stream\r\n");
	assert_int_equal(archive_fleet(cache, snap, HISTORY_1D, &history), -1);
	history_free(&history);
	archive_server(cache, snap, SPAN("a"), SPAN(""), &history, &trail, &has);
	assert_true(has.history && has.trail);
	history_free(&history);
	redis_on("XREVRANGE", "-WRONGTYPE no stream\r\n");
	archive_server(cache, snap, SPAN("a"), SPAN(""), &history, &trail, &has);
	assert_true(has.history && !has.trail);
	history_free(&history);
	redis_on("XREVRANGE", "*0\r\n");
	redis_on("XRANGE", "+OK\r\n");
	archive_server(cache, snap, SPAN("a"), SPAN(""), &history, &trail, &has);
	assert_true(!has.history && has.trail);
	history_free(&history);
	assert_int_equal(archive_fleet(cache, snap, HISTORY_1H, &history), -1);
	history_free(&history);
	/* Malformed entries are skipped. */
	redis_on("XRANGE", "*4\r\n+x\r\n*0\r\n*1\r\n$4\r\n12-0\r\n*2\r\n$2\r\n-0\r\n*0\r\n");
	assert_int_equal(archive_fleet(cache, snap, HISTORY_1H, &history), 0);
	assert_int_equal(history_count(&history), 0);
	history_free(&history);
}

/* More than the deadline of a page's batch, which is 100 ms. */
static void test_a_history_may_take_longer(void **state)
{
	int64_t began = clock_mono_ms();

	(void)state;
	redis_on("XRANGE", "");
	assert_int_equal(archive_fleet(cache, snap, HISTORY_1H, &history), -1);
	assert_int_equal(clock_mono_ms() - began, 300);
	history_free(&history);
	redis_heard();
	assert_int_equal(archive_fleet(cache, snap, HISTORY_1H, &history), -1);
	assert_string_equal(redis_heard(), "");
	history_free(&history);
}

/* --- forecasts --- */

static struct cache_state data = {.data_bucket = BUCKET, .snap = "s1"};

static struct buf encoded(double cpu)
{
	struct series *series = series_new();
	struct buf out;

	series->current[0] = cpu;
	buf_init(&out, 1 << 20);
	series_encode(series, &out);
	free(series);
	return out;
}

static void add_server(const char *name, int risk)
{
	struct server *s = snapshot_add(snap, span_str(name));

	s->has_data = true;
	s->risk = risk;
}

static void test_the_forecasts_of_a_server(void **state)
{
	struct buf bytes = encoded(42);

	(void)state;
	add_server("a", 500);
	assert_int_equal(snapshot_seal(snap), 0);
	redis_on_spans("HMGET tft:series:58800000",
		       (const struct span[]){SPAN("s1"), buf_span(&bytes)}, 2);
	forecast_store_servers(cache, &data, snap, &snap->servers[0], NULL);
	assert_string_equal(redis_heard(), "HMGET tft:series:58800000  a\n");
	assert_non_null(snap->servers[0].series);
	assert_true(snap->servers[0].series->current[0] == 42);
	/* Forecasts of another snapshot, damaged ones, absent ones. */
	redis_on_spans("HMGET tft:series:58800000",
		       (const struct span[]){SPAN("s2"), buf_span(&bytes)}, 2);
	forecast_store_servers(cache, &data, snap, &snap->servers[0], NULL);
	assert_null(snap->servers[0].series);
	redis_on_array("HMGET tft:series:58800000", "s1", "damaged");
	forecast_store_servers(cache, &data, snap, &snap->servers[0], NULL);
	assert_null(snap->servers[0].series);
	redis_on_array("HMGET tft:series:58800000", "s1", NULL);
	forecast_store_servers(cache, &data, snap, &snap->servers[0], NULL);
	assert_null(snap->servers[0].series);
	buf_free(&bytes);
}

static void test_the_forecasts_of_the_top_page(void **state)
{
	struct buf first = encoded(1), second = encoded(2);
	struct query query;
	enum query_key bad;

	(void)state;
	add_server("web1", 500);
	add_server("db1", 400);
	add_server("web2", 300);
	add_server("web3", 200);
	assert_int_equal(snapshot_seal(snap), 0);
	query_init(&query);
	assert_int_equal(query_parse(&query, SPAN("q=web"), ~0u, &bad), 0);
	query.n = 2;
	redis_on_spans("HMGET tft:series:58800000",
		       (const struct span[]){SPAN("s1"), buf_span(&first), buf_span(&second)}, 3);
	forecast_store_top(cache, &data, snap, &query);
	assert_string_equal(redis_heard(), "HMGET tft:series:58800000  web1 web2\n");
	assert_true(snap->servers[0].series->current[0] == 1);
	assert_null(snap->servers[1].series);
	assert_true(snap->servers[2].series->current[0] == 2);
	assert_null(snap->servers[3].series);
	/* No server matches: no forecast is read. */
	assert_int_equal(query_parse(&query, SPAN("q=mail"), ~0u, &bad), 0);
	forecast_store_top(cache, &data, snap, &query);
	assert_string_equal(redis_heard(), "");
	buf_free(&first);
	buf_free(&second);
}

static void read_hour(void)
{
	struct cache_batch batch = {.count = 0};
	struct archive_hour hour;

	archive_add_hour(&batch, snap, &hour);
	(void)cache_batch_read(cache, &batch);
	recent_end(&hour.hour);
}

/* Reads from the start of the hour in which the last hour began, where the names are stored. */
static void test_the_last_hour_of_all_servers(void **state)
{
	static const char *const named[] = {"s", "d1", "r", "28h8", "n", "a b"},
				 *const same[] = {"s", "d1", "r", "ri28"},
				 *const other[] = {"s", "d2", "r", "riri"};
	struct buf entries;

	(void)state;
	add_server("a", 850);
	add_server("b", 500);
	assert_int_equal(snapshot_seal(snap), 0);
	snap->bucket += 30; /* a quarter past */
	buf_init(&entries, 1 << 20);
	put_entry(&entries, END - 600000, same, 4); /* whose names are not known yet */
	put_entry(&entries, END, named, 6);
	put_entry(&entries, END + 300000, other, 4);
	put_entry(&entries, END + 600000, same, 4);
	on_entries("XRANGE tfthist:risk", 4, &entries);
	read_hour();
	assert_string_equal(redis_heard(), "XRANGE tfthist:risk 1763996400000 1764000899999\n");
	snapshot_carry(snap, NULL);
	assert_int_equal(snap->watched_from_ms, END);
	assert_int_equal(server_level_since(snapshot_find(snap, SPAN("a"))), END + 600000);
	assert_int_equal(server_level_since(snapshot_find(snap, SPAN("b"))), END + 900000);
	assert_int_equal(snapshot_find(snap, SPAN("a"))->recent.least, 9);
	/* It is gone: the snapshot's own value stays. */
	redis_on("XRANGE", "-ERR\r\n");
	read_hour();
	assert_int_equal(snapshot_find(snap, SPAN("a"))->recent.least, 86);
	assert_int_equal(snapshot_find(snap, SPAN("a"))->recent.most[RECENT_SLOTS - 3], 0);
	buf_free(&entries);
}

/* --- incidents --- */

#define OPEN  "1 s 1763999400000 600000 0 0 1 900 0 0 open1"
#define OTHER "1 s 1763999400000 600000 0 0 1 900 0 0 other1"
#define ENDED "1 s 1763990000000 60000 0 90000 1 800 0 0 ended1"

static void assert_incident(const struct incidents *incidents, size_t i, const char *name)
{
	struct span found = incident_name(incidents, &incidents_list(incidents)[i]);

	if (!span_eq(found, span_str(name)))
		fail_msg("%.*s is not %s", (int)found.len, found.ptr, name);
}

static void test_incidents_are_those_open_then_and_those_that_ended_before(void **state)
{
	static const char *const full[] = {"m", "record", "o", OPEN}, *const thin[] = {"t", "x",
										       "o", OTHER};
	static const char *const ended[] = {"i", ENDED}, *const unknown[] = {"z", ENDED};
	struct incidents incidents;
	struct buf entries;

	(void)state;
	buf_init(&entries, 1 << 20);
	put_entry(&entries, END, full, 4);
	on_entries("XRANGE tfthist:full", 1, &entries);
	buf_reset(&entries);
	put_entry(&entries, END, thin, 4);
	on_entries("XRANGE tfthist:thin", 1, &entries);
	buf_reset(&entries);
	put_entry(&entries, END - HOUR, ended, 2);
	put_entry(&entries, END - HOUR + 1, ended, 1);
	put_entry(&entries, END - HOUR + 2, unknown, 2);
	on_entries("XRANGE tfthist:incidents", 3, &entries);
	assert_int_equal(archive_incidents(cache, snap, 24 * HOUR, &incidents), 0);
	assert_string_equal(redis_heard(),
			    "XRANGE tfthist:full 1764000000000 1764000000000\n"
			    "XRANGE tfthist:thin 1764000000000 1764000000000\n"
			    "XRANGE tfthist:incidents 1763913600000 1764000000000\n");
	assert_int_equal(incidents_count(&incidents), 2);
	assert_incident(&incidents, 0, "open1");
	assert_incident(&incidents, 1, "ended1");
	incidents_free(&incidents);
	/* Where only thin moments are kept. */
	redis_on("XRANGE tfthist:full", "*0\r\n");
	assert_int_equal(archive_incidents(cache, snap, 24 * HOUR, &incidents), 0);
	assert_int_equal(incidents_count(&incidents), 2);
	assert_incident(&incidents, 0, "other1");
	incidents_free(&incidents);
	redis_on("XRANGE tfthist:incidents", "-ERR\r\n");
	assert_int_equal(archive_incidents(cache, snap, 24 * HOUR, &incidents), -1);
	incidents_free(&incidents);
	buf_free(&entries);
}

/* -1: Redis does not tell. */
static int64_t read_last(struct buf *open)
{
	struct archive_last last = {0, *open};
	struct cache_batch batch = {.count = 0};
	int rc;

	archive_add_last(&batch, &last);
	rc = cache_batch_read(cache, &batch);
	*open = last.open;
	return rc == 0 ? last.at_ms : -1;
}

static void test_those_of_the_last_commit_are_still_open(void **state)
{
	static const char *const full[] = {"m", "record", "o", OPEN}, *const none[] = {"m",
										       "record"};
	struct buf entries, open;

	(void)state;
	buf_init(&open, 65536);
	buf_init(&entries, 65536);
	put_entry(&entries, END - 30000, full, 4);
	on_entries("XREVRANGE tfthist:full", 1, &entries);
	assert_int_equal(read_last(&open), END - 30000);
	assert_true(span_is(buf_span(&open), OPEN));
	buf_reset(&open);
	buf_reset(&entries);
	put_entry(&entries, END, none, 2);
	on_entries("XREVRANGE tfthist:full", 1, &entries);
	assert_int_equal(read_last(&open), END);
	assert_int_equal(open.len, 0);
	redis_on("XREVRANGE tfthist:full", "*0\r\n");
	assert_int_equal(read_last(&open), 0);
	redis_on("XREVRANGE tfthist:full", "-ERR\r\n");
	assert_int_equal(read_last(&open), -1);
	buf_free(&entries);
	buf_free(&open);
}

/* --- scores of forecasts, outcomes of warnings --- */

/* Adds an entry of one field, and frees the record. */
static void put_record(struct buf *entries, int64_t ms, const char *field, struct buf *record)
{
	begin_entry(entries, ms, 2);
	put_text(entries, field);
	put_string(entries, buf_span(record));
	buf_free(record);
}

static void put_scores(struct buf *entries, int64_t ms, int64_t n, bool damaged)
{
	struct accuracy_hour hour = {.at_ms = ms / HOUR * HOUR};
	struct buf record;

	hour.sums[0][KEPT_LOAD][0][PROFILE_ML].n = n;
	buf_init(&record, 65536);
	accuracy_encode(&hour, &record);
	record.data[record.len - 1] ^= damaged;
	put_record(entries, ms, "a", &record);
}

static void put_outcomes(struct buf *entries, int64_t ms, int64_t misses)
{
	static struct warnings_hour hour;
	struct buf record;

	hour.at_ms = ms / HOUR * HOUR;
	hour.sums[0][PROFILE_ML].outcomes[WARNING_MISS] = misses;
	buf_init(&record, 65536);
	warnings_encode(&hour, &record);
	put_record(entries, ms, "w", &record);
}

static void test_the_last_scores_of_each_hour_count(void **state)
{
	static struct accuracy accuracy;
	struct buf entries;

	(void)state;
	buf_init(&entries, 65536);
	put_scores(&entries, END - 3 * HOUR + 1000, 5, false);
	put_scores(&entries, END - 3 * HOUR + 2000, 7, false);
	put_outcomes(&entries, END - 3 * HOUR + 3000, 100); /* not theirs */
	put_scores(&entries, END - 2 * HOUR, 100, true);
	put_scores(&entries, END - HOUR, 1, false);
	put_scores(&entries, END - 1000, 30, false);
	on_entries("XRANGE tfthist:accuracy", 6, &entries);
	assert_int_equal(accuracy_read(cache, END, 24 * HOUR, &accuracy), 0);
	assert_string_equal(redis_heard(), "XRANGE tfthist:accuracy 1763917200000 1763999999999\n");
	assert_int_equal(accuracy_of(&accuracy, ACCURACY_USUAL, KEPT_LOAD, 0, ACCURACY_ALL)->sums.n,
			 37);
	redis_on("XRANGE tfthist:accuracy", "-ERR\r\n");
	assert_int_equal(accuracy_read(cache, END, 24 * HOUR, &accuracy), -1);
	assert_int_equal(accuracy_of(&accuracy, ACCURACY_USUAL, KEPT_LOAD, 0, ACCURACY_ALL)->sums.n,
			 0);
	buf_free(&entries);
}

static void test_the_last_outcomes_of_each_hour_count(void **state)
{
	static struct warnings warnings;
	struct cache_batch batch = {.count = 0};
	struct warnings_range range;
	struct buf entries;

	(void)state;
	buf_init(&entries, 65536);
	put_outcomes(&entries, END - 2 * HOUR + 1000, 5);
	put_outcomes(&entries, END - 2 * HOUR + 2000, 7);
	put_scores(&entries, END - 2 * HOUR + 3000, 100, false); /* not theirs */
	put_outcomes(&entries, END - HOUR, 1);
	put_outcomes(&entries, END - 1000, 30);
	on_entries("XRANGE tfthist:warnings", 5, &entries);
	redis_on("XRANGE tfthist:outcomes", "*0\r\n");
	warnings_batch_add(&batch, END - 3 * HOUR, END, &warnings, &range);
	assert_int_equal(cache_batch_read(cache, &batch), 0);
	assert_string_equal(redis_heard(), "XRANGE tfthist:warnings 1763989200000 1763999999999\n"
					   "XRANGE tfthist:outcomes 1763989200000 1763999999999\n");
	warnings_batch_take(&range);
	assert_int_equal(warnings.sums[0][WARNINGS_ALL].outcomes[WARNING_MISS], 37);
	warnings_free(&warnings);
	buf_free(&entries);
}

/* In the middle of an hour. */
static void test_outcomes_belong_to_the_hour_of_their_bucket(void **state)
{
	struct warnings_last last = {.hour = {.at_ms = 0}};
	struct warnings_records records;

	(void)state;
	buf_init(&last.watch, 1 << 16);
	buf_init(&records.hour, 1 << 16);
	buf_init(&records.told, 1 << 16);
	buf_init(&records.watch, 1 << 16);
	snap->bucket += 90; /* 45 min */
	assert_int_equal(snapshot_seal(snap), 0);
	warnings_step(&last, snap, &records);
	assert_int_equal(last.hour.at_ms, END);
	assert_true(buf_ok(&records.watch));
	assert_int_equal(records.hour.len, 0);
	buf_free(&last.watch);
	buf_free(&records.told);
	buf_free(&records.watch);
}

/* Another program has written an entry with more fields than any of ours has. */
static void test_an_entry_of_many_fields(void **state)
{
	static const char *const fields[] = {"r", RECORD, "a", "b", "c", "d",
					     "e", "f",    "g", "h", "i", "j"};
	struct buf entries;

	(void)state;
	for (size_t count = 7; count <= 12; count++) {
		buf_init(&entries, 1 << 20);
		put_entry(&entries, END, fields, count);
		on_entries("XRANGE tfthist:fleet", 1, &entries);
		assert_int_equal(archive_fleet(cache, snap, HISTORY_8H, &history), 0);
		assert_int_equal(history_count(&history), 1);
		history_free(&history);
		buf_free(&entries);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_archive, close_archive)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_up_to_8_hours_are_points),
		TEST(test_a_day_is_hours_and_the_points_of_the_last_two),
		TEST(test_the_hours_end_where_the_points_begin),
		TEST(test_the_risk_of_one_server),
		TEST(test_the_risk_of_one_server_by_hours),
		TEST(test_what_was_forecast_comes_with_the_risk_of_a_server),
		TEST(test_what_is_long_over_is_not_scored),
		TEST(test_a_stream_that_cannot_be_read),
		TEST(test_a_history_may_take_longer),
		TEST(test_the_forecasts_of_a_server),
		TEST(test_the_forecasts_of_the_top_page),
		TEST(test_the_last_hour_of_all_servers),
		TEST(test_incidents_are_those_open_then_and_those_that_ended_before),
		TEST(test_those_of_the_last_commit_are_still_open),
		TEST(test_the_last_scores_of_each_hour_count),
		TEST(test_the_last_outcomes_of_each_hour_count),
		TEST(test_outcomes_belong_to_the_hour_of_their_bucket),
		TEST(test_an_entry_of_many_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
