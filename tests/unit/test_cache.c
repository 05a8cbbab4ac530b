/* SPDX-License-Identifier: MIT */
/* What a worker reads from the shared cache, which worker refreshes, and what a worker remembers of
 * a Redis that failed. */
#include "config.h"

#include "base/log.h"
#include "cache/key.h"
#include "cache_fixture.h"
#include "captured.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static struct cache_read page;

static enum cache_verdict look(const char *route)
{
	return cache_read(cache, CACHE_FLEET, route, false, &page);
}

/* --- the pointer --- */

static void test_a_pointer_of_this_bucket_and_epoch_is_fresh(void **state)
{
	(void)state;
	redis_on_pointer("58800000", "e1", GEN_MS, "s1");
	assert_int_equal(look(NULL), CACHE_FRESH);
	assert_string_equal(redis_heard(),
			    "TIME\n"
			    "HMGET tft:cur:fleet bucket epoch gen snap fill upstream\n"
			    "GET tft:epoch:fleet\n"
			    "HMGET tft:brk:fleet code since open_until\n"
			    "HMGET tft:said status scenario\n");
	assert_int_equal(page.state.verdict, CACHE_FRESH);
	assert_int_equal(page.state.now_ms, NOW_MS);
	assert_int_equal(page.state.bucket, BUCKET);
	assert_int_equal(page.state.data_bucket, BUCKET);
	assert_int_equal(page.state.gen_ms, GEN_MS);
	assert_int_equal(page.state.fill_ms, 600);
	assert_string_equal(page.state.snap, "s1");
	assert_false(page.state.flushed);
	assert_int_equal(page.state.reason, REASON_NONE);
	assert_false(page.found);
}

static void test_a_pointer_that_is_older_or_flushed_is_stale(void **state)
{
	(void)state;
	redis_on_pointer("58799999", "e1", GEN_MS, "s1");
	assert_int_equal(look(NULL), CACHE_STALE);
	assert_false(page.state.flushed);
	redis_on_pointer("58800000", "e0", GEN_MS, "s1");
	assert_int_equal(look(NULL), CACHE_STALE);
	assert_true(page.state.flushed);
	redis_on("GET tft:epoch:fleet", "$-1\r\n");
	redis_on_array("HMGET tft:cur:fleet", "58800000", "", "1764000010000", "s1", "0");
	assert_int_equal(look(NULL), CACHE_STALE);
	assert_true(page.state.flushed);
}

static void test_data_may_be_shown_for_max_stale_and_no_longer(void **state)
{
	(void)state;
	redis_on_pointer("58799880", "e1", NOW_MS - 3600000, "s1");
	assert_int_equal(look(NULL), CACHE_STALE);
	redis_on_pointer("58799880", "e1", NOW_MS - 3600001, "s1");
	assert_int_equal(look(NULL), CACHE_COLD);
}

static void test_half_a_pointer_is_none(void **state)
{
	static const char *const pointers[][5] = {
		{NULL, "e1", "1764000010000", "s1", "0"},
		{"x", "e1", "1764000010000", "s1", "0"},
		{"58800000", "e1", NULL, "s1", "0"},
		{"58800000", "e1", "-1", "s1", "0"},
		{"58800000", "e1", "1764000010000", NULL, "0"},
		{"58800000", "e1", "1764000010000", "12345678901234567", "0"},
	};

	(void)state;
	redis_on_pointer("58800000", "e1", GEN_MS, "1234567890123456");
	assert_int_equal(look(NULL), CACHE_FRESH);
	for (size_t i = 0; i < LENGTH(pointers); i++) {
		redis_on_texts("HMGET tft:cur:fleet", pointers[i], 5);
		if (look(NULL) != CACHE_COLD)
			fail_msg("pointer %zu", i);
		assert_int_equal(page.state.data_bucket, -1);
	}
}

/* The data of another fleet are shown to nobody. A value that is not a fingerprint is ignored. */
static void test_the_pointer_of_another_fleet(void **state)
{
	(void)state;
	redis_on_array("HMGET tft:cur:fleet", "58800000", "e1", "1764000010000", "s1", "0",
		       "0123456789abcdee");
	assert_int_equal(look(NULL), CACHE_DOWN);
	assert_true(cache_is_foreign(cache));
	redis_heard();
	pass_ms(999);
	assert_int_equal(look(NULL), CACHE_DOWN);
	assert_string_equal(redis_heard(), "");
	pass_ms(1);
	redis_on_array("HMGET tft:cur:fleet", "58800000", "e1", "1764000010000", "s1", "0",
		       "0123456789abcdef");
	redis_on("GET tft:epoch:fleet", "$2\r\ne1\r\n");
	assert_int_equal(look(NULL), CACHE_FRESH);
	assert_false(cache_is_foreign(cache));
	redis_on_array("HMGET tft:cur:fleet", "58800000", "e1", "1764000010000", "s1", "0", "x");
	assert_int_equal(look(NULL), CACHE_FRESH);
}

/* Data as old as the clock itself are old, but not absent. */
static void test_the_first_bucket_counts(void **state)
{
	(void)state;
	redis_on_time(10);
	redis_on_array("HMGET tft:cur:fleet", "0", "e1", "0", "s1", "0");
	redis_on("GET tft:epoch:fleet", "$2\r\ne1\r\n");
	assert_int_equal(look(NULL), CACHE_FRESH);
}

static void test_the_breaker_is_told(void **state)
{
	(void)state;
	redis_on_array("HMGET tft:brk:fleet", "connection-refused", "1763999990000",
		       "1764000020000");
	assert_int_equal(look(NULL), CACHE_COLD);
	assert_int_equal(page.state.reason, REASON_CONNECT);
	assert_int_equal(page.state.since_ms, 1763999990000);
	assert_int_equal(page.state.next_try_ms, 1764000020000);
}

/* --- the clock --- */

static void test_redis_clock_is_asked_once_a_second(void **state)
{
	(void)state;
	assert_int_equal(cache_ms_to(cache, 30000), -1);
	look(NULL);
	assert_int_equal(cache_ms_to(cache, 30000), 30000 - NOW_MS % 30000);
	redis_heard();
	pass_ms(999);
	look(NULL);
	assert_null(strstr(redis_heard(), "TIME"));
	assert_int_equal(page.state.now_ms, NOW_MS + 999);
	assert_int_equal(cache_ms_to(cache, 30000), 30000 - (NOW_MS + 999) % 30000);
	pass_ms(1);
	look(NULL);
	assert_non_null(strstr(redis_heard(), "TIME"));
	assert_int_equal(page.state.now_ms, NOW_MS);
}

static void test_a_clock_that_says_nothing_is_no_redis(void **state)
{
	(void)state;
	redis_on_array("TIME", "x", "0");
	assert_int_equal(look(NULL), CACHE_DOWN);
	pass_ms(2000);
	redis_on_array("TIME", "1764000015", NULL);
	assert_int_equal(look(NULL), CACHE_DOWN);
	pass_ms(2000);
	redis_on_array("TIME", "0", "0");
	assert_int_equal(look(NULL), CACHE_COLD);
	assert_int_equal(page.state.now_ms, 0);
}

/* --- entries --- */

#define PAGE "HMGET tft:overview:58800000"

static void test_an_entry_of_the_snapshot(void **state)
{
	(void)state;
	redis_on_pointer("58800000", "e1", GEN_MS, "s1");
	redis_on_entry(PAGE, "overview", "s1", SPAN("<p>"), "a b");
	redis_on("HSTRLEN", ":3\r\n");
	look("overview");
	/* The pointer was not known yet. */
	assert_non_null(strstr(redis_heard(),
			       "\nHMGET tft:said status scenario\n"
			       "HSTRLEN tft:overview:58800000 body\n" PAGE
			       " fmt build snap route type etag says body len crc\n"));
	assert_true(page.found);
	assert_true(span_is(page.entry.body, "<p>"));
	assert_true(span_is(page.entry.type, "text/html"));
	assert_true(span_is(page.entry.digests, "a b"));
	assert_string_equal(page.entry.etag, "0123");
	assert_false(page.entry.gzip);
	/* Now it is: one round trip. */
	look("overview");
	assert_string_equal(redis_heard(),
			    "HMGET tft:cur:fleet bucket epoch gen snap fill upstream\n"
			    "GET tft:epoch:fleet\n"
			    "HMGET tft:brk:fleet code since open_until\n"
			    "HMGET tft:said status scenario\n" PAGE
			    " fmt build snap route type etag says body len crc\n");
	assert_true(page.found);
	assert_true(span_is(page.entry.body, "<p>"));
}

static void test_the_gzip_form(void **state)
{
	(void)state;
	redis_on_pointer("58800000", "e1", GEN_MS, "s1");
	redis_on_entry(PAGE, "overview", "s1", SPAN("packed"), "");
	redis_on("HSTRLEN", ":3\r\n");
	cache_read(cache, CACHE_FLEET, "overview", true, &page);
	assert_non_null(strstr(redis_heard(),
			       "HSTRLEN tft:overview:58800000 gzip\n" PAGE
			       " fmt build snap route type etag says gzip glen gcrc\n"));
	assert_true(page.found && page.entry.gzip);
}

static void test_an_entry_that_is_not_what_it_must_be_is_a_miss(void **state)
{
	char crc[HASH_HEX];

	(void)state;
	hash_hex(hash_xxh64(SPAN("<p>")), crc);

	const char *good[] = {"1",    BUILD_ID, "s1",  "overview", "text/html",
			      "0123", "",       "<p>", "3",        crc};
	const struct {
		size_t field;
		const char *value;
	} faults[] = {
		{0, NULL},     {0, "2"},   {1, "another"},
		{1, NULL},     {2, "s2"},  {2, NULL},
		{3, "alerts"}, {3, NULL},  {5, "12345678901234567"},
		{7, NULL},     {7, "<b>"}, {8, "4"},
		{8, NULL},     {9, "0"},   {9, NULL},
	};

	redis_on_pointer("58800000", "e1", GEN_MS, "s1");
	redis_on("HSTRLEN", ":3\r\n");
	redis_on_texts(PAGE, good, 10);
	look("overview");
	assert_true(page.found);
	for (size_t i = 0; i < LENGTH(faults); i++) {
		const char *bad[10];

		memcpy(bad, good, sizeof(bad));
		bad[faults[i].field] = faults[i].value;
		redis_on_texts(PAGE, bad, 10);
		if (look("overview") != CACHE_FRESH || page.found)
			fail_msg("fault %zu", i);
	}
	/* Data are the same for every build. */
	good[1] = "-";
	redis_on_texts(PAGE, good, 10);
	look("overview");
	assert_true(page.found);
	redis_on(PAGE, "-WRONGTYPE no hash\r\n");
	look("overview");
	assert_false(page.found);
}

static void test_a_giant_is_not_asked_for(void **state)
{
	(void)state;
	redis_on_pointer("58800000", "e1", GEN_MS, "s1");
	redis_on_entry(PAGE, "overview", "s1", SPAN("<p>"), "");
	redis_on("HSTRLEN", ":33554432\r\n");
	look("overview");
	assert_true(page.found);
	redis_on_pointer("58800001", "e1", GEN_MS, "s1");
	redis_on_entry("HMGET tft:overview:58800001", "overview", "s1", SPAN("<p>"), "");
	redis_on("HSTRLEN", ":33554433\r\n");
	look("overview");
	assert_false(page.found);
}

/* Larger than any value of ours: the store refuses it when its length arrives. */
#define GIANT "$33554433\r\n"

static void assert_removed(const char *heard)
{
	redis_heard();
	cache_heal(cache);
	assert_string_equal(redis_heard(), heard);
	cache_heal(cache); /* once */
	assert_string_equal(redis_heard(), "");
}

static void test_a_giant_is_removed_by_whoever_meets_it(void **state)
{
	static const struct {
		const char *command, *heard;
	} giants[] = {
		{"HMGET tft:cur:fleet", "UNLINK tft:cur:fleet\n"},
		{"GET tft:epoch:fleet", "UNLINK tft:epoch:fleet\n"},
		{"HMGET tft:brk:fleet", "UNLINK tft:brk:fleet\n"},
		{"HMGET tft:said", "UNLINK tft:said\n"},
		{PAGE, "UNLINK tft:overview:58800000\n"},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(giants); i++) {
		redis_reset();
		redis_on_nothing();
		redis_on_pointer("58800000", "e1", GEN_MS, "s1");
		redis_on_entry(PAGE, "overview", "s1", SPAN("<p>"), "");
		redis_on("HSTRLEN", ":3\r\n");
		look("overview");
		assert_true(page.found);
		assert_removed("");
		redis_on(giants[i].command, GIANT);
		look("overview");
		assert_true(page.state.verdict != CACHE_DOWN);
		/* The clock is asked as well. */
		assert_removed(giants[i].heard);
		pass_ms(1000);
		look("overview");
		assert_removed(giants[i].heard);
	}
}

static void test_other_reads_meet_giants_too(void **state)
{
	struct cache_entry entry;
	struct span values[1];

	(void)state;
	redis_on_pointer("58800000", "e1", GEN_MS, "s1");
	redis_on("HSTRLEN", ":3\r\n");
	look(NULL);
	redis_on("HMGET tft:fleet:58800000", GIANT);
	assert_int_equal(cache_read_more(cache, &page.state, "fleet", false, &entry), -1);
	assert_removed("UNLINK tft:fleet:58800000\n");
	redis_on_array("HMGET tft:series:58800000", "s1", "x", NULL, "z");
	cache_fields(cache, &page.state, "series", 1, (struct span[]){SPAN("a")}, values);
	assert_true(span_is(values[0], "x"));
	redis_on_array("HMGET tft:series:58800000", "s2", "x");
	cache_fields(cache, &page.state, "series", 1, (struct span[]){SPAN("a")}, values);
	assert_null(values[0].ptr);
	redis_on("HMGET tft:series:58800000", GIANT);
	cache_fields(cache, &page.state, "series", 1, (struct span[]){SPAN("a")}, values);
	assert_null(values[0].ptr);
	assert_removed("UNLINK tft:series:58800000\n");
}

static void test_a_giant_stays_until_redis_takes_its_removal(void **state)
{
	(void)state;
	redis_on_pointer("58800000", "e1", GEN_MS, "s1");
	redis_on("GET tft:epoch:fleet", GIANT);
	redis_on("UNLINK", "");
	look(NULL);
	redis_heard();
	cache_heal(cache);
	assert_string_equal(redis_heard(), "UNLINK tft:epoch:fleet\n");
	cache_heal(cache); /* Redis is down */
	assert_string_equal(redis_heard(), "");
	redis_on("UNLINK", ":1\r\n");
	pass_ms(5000);
	assert_removed("UNLINK tft:epoch:fleet\n");
}

/* A value that Redis copies until after the deadline is found by its size. */
static void test_after_a_deadline_sizes_are_asked_for_first(void **state)
{
	static const char sizes[] = "MEMORY USAGE tft:cur:fleet SAMPLES 0\n"
				    "MEMORY USAGE tft:epoch:fleet SAMPLES 0\n"
				    "MEMORY USAGE tft:brk:fleet SAMPLES 0\n"
				    "MEMORY USAGE tft:said SAMPLES 0\n"
				    "MEMORY USAGE tft:overview:58800000 SAMPLES 0\n"
				    "UNLINK tft:overview:58800000\n"
				    "TIME\nHMGET tft:cur:fleet";
	const char *heard;

	(void)state;
	redis_on_pointer("58800000", "e1", GEN_MS, "s1");
	redis_on_entry(PAGE, "overview", "s1", SPAN("<p>"), "");
	redis_on("HSTRLEN", ":3\r\n");
	look("overview");
	redis_on(PAGE, "");
	assert_int_equal(look("overview"), CACHE_DOWN);
	pass_ms(5000);
	redis_on("MEMORY USAGE", ":33554432\r\n");
	redis_on("MEMORY USAGE tft:overview:58800000", ":33554433\r\n");
	redis_on_entry(PAGE, "overview", "s1", SPAN("<p>"), "");
	redis_heard();
	look("overview");
	heard = redis_heard();
	assert_ptr_equal(strstr(heard, sizes), heard);
	assert_true(page.found);
	look("overview"); /* in time again */
	assert_null(strstr(redis_heard(), "MEMORY"));
	/* The largest that can be read is read. */
	redis_on(PAGE, "");
	assert_int_equal(look("overview"), CACHE_DOWN);
	pass_ms(5000);
	redis_on("MEMORY USAGE tft:overview:58800000", ":33554432\r\n");
	redis_on_entry(PAGE, "overview", "s1", SPAN("<p>"), "");
	redis_heard();
	look("overview");
	assert_null(strstr(redis_heard(), "UNLINK"));
	/* Nothing is read while the sizes are late. */
	redis_on(PAGE, "");
	assert_int_equal(look("overview"), CACHE_DOWN);
	pass_ms(5000);
	redis_on("MEMORY USAGE", "");
	redis_heard();
	assert_int_equal(look("overview"), CACHE_DOWN);
	assert_null(strstr(redis_heard(), "HMGET"));
	pass_ms(60000);
	assert_int_equal(look("overview"), CACHE_DOWN);
	assert_non_null(strstr(redis_heard(), "MEMORY"));
}

static void test_before_a_pointer_is_known_its_entry_is_not_measured(void **state)
{
	(void)state;
	redis_on("HMGET tft:cur:fleet", "");
	assert_int_equal(look("overview"), CACHE_DOWN);
	pass_ms(5000);
	redis_on_nothing();
	redis_on("MEMORY USAGE", ":1\r\n");
	redis_heard();
	assert_int_equal(look("overview"), CACHE_COLD);
	assert_null(strstr(redis_heard(), "overview"));
}

static void test_a_further_route_is_of_the_same_snapshot(void **state)
{
	struct cache_entry entry;

	(void)state;
	redis_on_pointer("58800000", "e1", GEN_MS, "s1");
	redis_on("HSTRLEN", ":3\r\n");
	look(NULL);
	redis_on_entry("HMGET tft:fleet:58800000", "fleet", "s1", SPAN("abc"), "");
	assert_int_equal(cache_read_more(cache, &page.state, "fleet", false, &entry), 0);
	assert_true(span_is(entry.body, "abc"));
	redis_on_entry("HMGET tft:fleet:58800000", "fleet", "s2", SPAN("abc"), "");
	assert_int_equal(cache_read_more(cache, &page.state, "fleet", false, &entry), -1);
}

static void test_the_bucket_before_is_shown_as_what_it_is(void **state)
{
	struct cache_entry entry;

	(void)state;
	redis_on_pointer("58800000", "e1", GEN_MS, "s1");
	redis_on("HSTRLEN", ":3\r\n");
	look(NULL);
	assert_int_equal(cache_read_previous(cache, &page.state, "fleet", &entry), -1);
	assert_int_equal(page.state.data_bucket, BUCKET);
	assert_string_equal(page.state.snap, "s1");
	redis_on_entry(
		"HMGET tft:fleet:58799999", "fleet",
		"a name that is longer than the name of a snapshot of ours can ever be, whoever "
		"has written it",
		SPAN("abc"), "");
	assert_int_equal(cache_read_previous(cache, &page.state, "fleet", &entry), -1);
	redis_on_entry("HMGET tft:fleet:58799999", "top", "s0", SPAN("abc"), "");
	assert_int_equal(cache_read_previous(cache, &page.state, "fleet", &entry), -1);
	redis_on("HMGET tft:fleet:58799999", "*-1\r\n");
	assert_int_equal(cache_read_previous(cache, &page.state, "fleet", &entry), -1);
	assert_int_equal(page.state.data_bucket, BUCKET);
	assert_string_equal(page.state.snap, "s1");
	redis_on_entry("HMGET tft:fleet:58799999", "fleet", "s0", SPAN("abc"), "");
	assert_int_equal(cache_read_previous(cache, &page.state, "fleet", &entry), 0);
	assert_true(span_is(entry.body, "abc"));
	assert_int_equal(page.state.data_bucket, BUCKET - 1);
	assert_string_equal(page.state.snap, "s0");
}

static void test_requests_that_come_together_ask_once(void **state)
{
	static const struct cache_lookup lookups[] = {{"overview", false}, {"alerts", true}};

	(void)state;
	redis_on_pointer("58800000", "e1", GEN_MS, "s1");
	redis_on("HSTRLEN", ":3\r\n");
	redis_on_entry(PAGE, "overview", "s1", SPAN("<p>"), "");
	redis_on_entry("HMGET tft:alerts:58800000", "alerts", "s1", SPAN("<i>"), "");
	look("overview");
	redis_heard();
	cache_prefetch(cache, CACHE_FLEET, lookups, 2);
	assert_non_null(strstr(redis_heard(), "HMGET tft:alerts:58800000"));
	cache_read(cache, CACHE_FLEET, "alerts", true, &page);
	assert_true(page.found && span_is(page.entry.body, "<i>"));
	look("overview");
	assert_true(page.found && span_is(page.entry.body, "<p>"));
	assert_int_equal(look(NULL), CACHE_FRESH);
	assert_string_equal(redis_heard(), "");
	/* In another form it was not asked for. */
	cache_read(cache, CACHE_FLEET, "overview", true, &page);
	assert_string_not_equal(redis_heard(), "");
	cache_prefetch(cache, CACHE_FLEET, lookups, 2);
	cache_read(cache, CACHE_STATUS, NULL, false, &page);
	assert_non_null(strstr(redis_heard(), "tft:cur:status"));
	cache_prefetch(cache, CACHE_FLEET, lookups, 2);
	cache_prefetch_end(cache);
	redis_heard();
	look("overview");
	assert_string_not_equal(redis_heard(), "");
}

/* --- the small groups --- */

static void test_what_was_said_holds_for_a_minute(void **state)
{
	char now[40], old[40];

	(void)state;
	(void)snprintf(now, sizeof(now), "%lld abcd", (long long)NOW_MS - 60000);
	(void)snprintf(old, sizeof(old), "%lld abcd", (long long)NOW_MS - 60001);
	redis_on_array("HMGET tft:said", now, old);
	look(NULL);
	assert_int_equal(page.state.digests[CACHE_STATUS].at_ms, NOW_MS - 60000);
	assert_string_equal(page.state.digests[CACHE_STATUS].digest, "abcd");
	assert_int_equal(page.state.digests[CACHE_SCENARIO].at_ms, -1);
	assert_string_equal(page.state.digests[CACHE_SCENARIO].digest, "-");
	redis_on_array("HMGET tft:said", "1764000015123", "1764000015123 12345678901234567");
	look(NULL);
	assert_int_equal(page.state.digests[CACHE_STATUS].at_ms, -1);
	assert_int_equal(page.state.digests[CACHE_SCENARIO].at_ms, -1);
	redis_on_array("HMGET tft:said", " abcd", "x abcd");
	look(NULL);
	assert_int_equal(page.state.digests[CACHE_STATUS].at_ms, -1);
	assert_int_equal(page.state.digests[CACHE_SCENARIO].at_ms, -1);
}

static void test_a_page_that_repeats_what_is_said_now(void **state)
{
	static const struct {
		const char *digests;
		bool so;
	} rows[] = {
		{"", true},    {"aa bb", true}, {"aa b", false},   {"ab bb", false},
		{"aa", false}, {"a bb", false}, {"aa  bb", false}, {"aa bb  ", false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct cache_read read = {.entry.digests = span_str(rows[i].digests)};

		(void)snprintf(read.state.digests[CACHE_STATUS].digest,
			       sizeof(read.state.digests[CACHE_STATUS].digest), "%s", "aa");
		(void)snprintf(read.state.digests[CACHE_SCENARIO].digest,
			       sizeof(read.state.digests[CACHE_SCENARIO].digest), "%s", "bb");
		if (cache_entry_is_current(&read) != rows[i].so)
			fail_msg("\"%s\"", rows[i].digests);
	}
}

/* --- a Redis that fails --- */

/* For how long the worker now leaves Redis alone. */
static int64_t time_down(void)
{
	int64_t ms = 0;

	assert_int_equal(look(NULL), CACHE_DOWN);
	for (redis_heard(); look(NULL) == CACHE_DOWN && !*redis_heard(); ms += 5)
		pass_ms(5);
	return ms;
}

static void test_a_silent_redis_is_left_alone_longer_each_time(void **state)
{
	static const int64_t about[] = {100, 200, 400, 800, 1000, 1000};
	int64_t ms = 0, before = clock_mono_ms();

	(void)state;
	redis_reset();
	assert_int_equal(look(NULL), CACHE_DOWN);
	assert_int_equal(clock_mono_ms() - before, 100); /* batch_ms */
	for (size_t i = 0; i < LENGTH(about); i++) {
		for (ms = 0; *redis_heard() || clock_mono_ms() < before; ms += 5)
			;
		for (ms = 0; !*redis_heard() && ms < 5000; ms += 5) {
			pass_ms(5);
			look(NULL);
		}
		if (ms < about[i] * 8 / 10 || ms > about[i] * 12 / 10 + 5)
			fail_msg("%lld ms instead of %lld", (long long)ms, (long long)about[i]);
	}
	/* After one answer, the next failure counts as the first again. */
	redis_on_nothing();
	pass_ms(2000);
	assert_int_equal(look(NULL), CACHE_COLD);
	redis_reset();
	assert_in_range(time_down(), 80, 125);
}

static void test_an_error_that_is_no_wrong_type_is_no_redis(void **state)
{
	(void)state;
	redis_on("GET tft:epoch:fleet", "-WRONGTYPE no string\r\n");
	assert_int_equal(look(NULL), CACHE_COLD);
	redis_on("HMGET tft:said", "-NOPERM no\r\n");
	assert_int_equal(look(NULL), CACHE_DOWN);
	pass_ms(2000);
	redis_on_array("HMGET tft:said", NULL, NULL);
	redis_on("TIME", "-LOADING it\r\n");
	assert_int_equal(look(NULL), CACHE_DOWN);
}

static struct {
	int64_t count, us, reconnected;
} batches;

static void count_batch(void *ctx, int64_t us, bool reconnected)
{
	(void)ctx;
	batches.count++;
	batches.us = us;
	batches.reconnected += reconnected;
}

static void test_batches_are_watched(void **state)
{
	(void)state;
	memset(&batches, 0, sizeof(batches));
	cache_watch(cache, count_batch, NULL);
	look(NULL);
	assert_int_equal(batches.count, 1);
	assert_int_equal(batches.reconnected, 0);
	store_close(store);
	look(NULL);
	assert_int_equal(batches.reconnected, 1);
	redis_reset();
	look(NULL);
	assert_int_equal(batches.count, 3);
	assert_int_equal(batches.us, 100000);
	pass_ms(2000);
	cache_flush(cache, &(int64_t){0});
	assert_int_equal(batches.count, 4);
}

/* --- claims --- */

static struct claim claim;

static enum claim_result try_claim(void)
{
	return cache_claim(cache, CACHE_FLEET, &claim);
}

static void test_a_claim_that_is_won(void **state)
{
	char heard[400];

	(void)state;
	redis_on_array("EVALSHA 8", "won", "58800000", "1764000015123", "e1");
	assert_int_equal(try_claim(), CLAIM_WON);
	assert_int_equal(claim.group, CACHE_FLEET);
	assert_int_equal(claim.bucket, BUCKET);
	assert_int_equal(claim.now_ms, NOW_MS);
	assert_int_equal(claim.mono_ms, clock_mono_ms());
	assert_int_equal(claim.leased_ms, clock_mono_ms());
	assert_string_equal(claim.epoch, "e1");
	assert_int_equal(strlen(claim.token), 32);
	(void)snprintf(
		heard, sizeof(heard),
		"EVALSHA 8 tft:cur:fleet tft:lock:fleet tft:brk:fleet tft:budget:fleet "
		"tft:epoch:fleet tfthist:upstream tft:cur:fleet tft:s:%s:trial %s 17000 30000 "
		"26 60000 31 0123456789abcdef\n",
		claim.token, claim.token);
	assert_string_equal(redis_heard(), heard);
	/* The holder may claim again at once. */
	assert_int_equal(try_claim(), CLAIM_WON);
	assert_string_not_equal(redis_heard(), "");
}

static void test_a_refusal_is_remembered_for_a_moment(void **state)
{
	static const struct {
		const char *word, *wait;
		enum claim_result result;
		int64_t ms;
	} rows[] = {
		{"busy", "9000", CLAIM_BUSY, 250},     {"open", "9000", CLAIM_OPEN, 250},
		{"budget", "9000", CLAIM_BUDGET, 250}, {"busy", "100", CLAIM_BUSY, 100},
		{"nonsense", "9000", CLAIM_DOWN, 250},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		redis_on_array("EVALSHA 8", rows[i].word, "58800000", "1764000015123", "e1",
			       rows[i].wait);
		assert_int_equal(try_claim(), rows[i].result);
		redis_heard();
		pass_ms(rows[i].ms - 1);
		assert_int_equal(try_claim(), rows[i].result);
		assert_string_equal(redis_heard(), "");
		pass_ms(1);
		assert_int_equal(try_claim(), rows[i].result);
		assert_string_not_equal(redis_heard(), "");
		pass_ms(1000);
	}
	redis_on_array("EVALSHA 8", "fresh", "58800000", "1764000015123", "e1");
	assert_int_equal(try_claim(), CLAIM_FRESH);
	redis_heard();
	assert_int_equal(try_claim(), CLAIM_FRESH);
	assert_string_not_equal(redis_heard(), "");
}

/* What a page says of a Redis that answers but refuses writes. */
static void test_a_redis_that_takes_nothing_is_named(void **state)
{
	static const struct {
		const char *error, *words;
	} rows[] = {
		{"-READONLY You\r\n", "is a read-only replica"},
		{"-OOM command\r\n", "has no memory left"},
		{"-NOPERM this\r\n", "does not permit it"},
		{"-ERR The user executing the script can't run this command or subcommand "
		 "script: 1, on @user_script:2.\r\n",
		 "does not permit it"},
		{"-ERR ACL failure in script: User tft has no permissions to run the 'pexpire' "
		 "command script: 1, on @user_script:2.\r\n",
		 "does not permit it"},
		{"-ERR unknown command 'EVALSHA', with args beginning with: \r\n",
		 "lacks a command that a refresh needs"},
		{"-ERR other\r\n", "refuses what a refresh needs"},
	};
	static const char *const others[] = {"busy", "open", "budget", "fresh"};
	int64_t ms;

	(void)state;
	assert_null(cache_refusal(cache, &ms));
	for (size_t i = 0; i < LENGTH(rows); i++) {
		redis_on("EVALSHA 8", rows[i].error);
		assert_int_equal(try_claim(), CLAIM_DOWN);
		assert_string_equal(cache_refusal(cache, &ms), rows[i].words);
		assert_int_equal(ms, i * 1000);
		pass_ms(1000);
	}
	/* A claim that finds another holder, or nothing to do, has not reached the refused
	 * command. */
	for (size_t i = 0; i < LENGTH(others); i++) {
		redis_on_array("EVALSHA 8", others[i], "58800000", "1764000015123", "e1", "100");
		(void)try_claim();
		assert_non_null(cache_refusal(cache, &ms));
		pass_ms(1000);
	}
	/* The refused command succeeds. */
	redis_on_array("EVALSHA 8", "won", "58800000", "1764000015123", "e1");
	assert_int_equal(try_claim(), CLAIM_WON);
	assert_null(cache_refusal(cache, &ms));
}

/* Another worker succeeded: data newer than the refusal have arrived. Older data do not end it. */
static void test_newer_data_end_what_was_refused(void **state)
{
	int64_t ms;

	(void)state;
	redis_on("EVALSHA 8", "-READONLY You\r\n");
	assert_int_equal(try_claim(), CLAIM_DOWN);
	pass_ms(1000);
	redis_on_pointer("58800000", "e1", NOW_MS - 1000, "s1");
	look(NULL);
	assert_non_null(cache_refusal(cache, &ms));
	redis_on_pointer("58800000", "e1", NOW_MS - 999, "s2");
	look(NULL);
	assert_null(cache_refusal(cache, &ms));
}

static void test_fresh_data_end_a_refusal(void **state)
{
	(void)state;
	redis_on_array("EVALSHA 8", "busy", "58800000", "1764000015123", "e1", "9000");
	assert_int_equal(try_claim(), CLAIM_BUSY);
	redis_on_pointer("58799999", "e1", GEN_MS, "s1");
	look(NULL);
	redis_on_array("EVALSHA 8", "won", "58800000", "1764000015123", "e1");
	assert_int_equal(try_claim(), CLAIM_BUSY);
	redis_on_pointer("58800000", "e1", GEN_MS, "s1");
	assert_int_equal(look(NULL), CACHE_FRESH);
	assert_int_equal(try_claim(), CLAIM_WON);
}

static void test_a_claim_without_a_good_answer(void **state)
{
	(void)state;
	redis_on("EVALSHA 8", "-READONLY no\r\n");
	assert_int_equal(try_claim(), CLAIM_DOWN);
	pass_ms(1000);
	redis_on_array("EVALSHA 8", "won", "58800000", "1764000015123",
		       "12345678901234567890123456789012");
	assert_int_equal(try_claim(), CLAIM_DOWN);
	pass_ms(1000);
	redis_on_array("EVALSHA 8", "won", "58800000", "1764000015123",
		       "1234567890123456789012345678901");
	assert_int_equal(try_claim(), CLAIM_WON);
}

static void win(void)
{
	redis_on_array("EVALSHA 8", "won", "58800000", "1764000015123", "e1");
	assert_int_equal(try_claim(), CLAIM_WON);
	redis_heard();
}

static void test_a_call_may_begin_for_a_moment(void **state)
{
	(void)state;
	win();
	pass_ms(1799);
	assert_true(cache_claim_in_time(&claim));
	pass_ms(1);
	assert_false(cache_claim_in_time(&claim));
}

static void test_a_lease_begins_anew(void **state)
{
	char heard[200];

	(void)state;
	win();
	redis_on_array("EVALSHA 1", "ok");
	pass_ms(1800);
	assert_int_equal(cache_extend(cache, &claim), LEASE_RENEWED);
	(void)snprintf(heard, sizeof(heard), "EVALSHA 1 tft:lock:fleet %s|58800000|e1 17000\n",
		       claim.token);
	assert_string_equal(redis_heard(), heard);
	assert_true(cache_claim_in_time(&claim));
	redis_on_array("EVALSHA 1", "lost");
	assert_int_equal(cache_extend(cache, &claim), LEASE_LOST);
	redis_on("EVALSHA 1", "-READONLY no\r\n");
	assert_int_equal(cache_extend(cache, &claim), LEASE_KEPT);
	redis_on_array("EVALSHA 1", "ok");
	pass_ms(17000 - 1800);
	assert_int_equal(cache_extend(cache, &claim), LEASE_RENEWED);
	redis_heard();
	pass_ms(1);
	assert_int_equal(cache_extend(cache, &claim), LEASE_KEPT);
	assert_string_equal(redis_heard(), "");
}

static void test_a_flush(void **state)
{
	int64_t wait_ms = 7;

	(void)state;
	redis_on_array("EVALSHA 0", "ok");
	assert_int_equal(cache_flush(cache, &wait_ms), FLUSH_OK);
	assert_int_equal(wait_ms, 0);
	redis_on_array("EVALSHA 0", "limited", "4200");
	assert_int_equal(cache_flush(cache, &wait_ms), FLUSH_LIMITED);
	assert_int_equal(wait_ms, 4200);
	redis_on("EVALSHA 0", "-READONLY no\r\n");
	assert_int_equal(cache_flush(cache, &wait_ms), FLUSH_DOWN);
	assert_int_equal(wait_ms, 0);
}

/* The next claim is not answered with the earlier refusal. */
static void test_one_group_is_out_of_date(void **state)
{
	const char *heard;

	(void)state;
	redis_on_array("EVALSHA 8", "busy", "58800000", "1764000015123", "e1", "9000");
	assert_int_equal(try_claim(), CLAIM_BUSY);
	redis_on("SET ", "+OK\r\n");
	redis_on("DEL ", ":1\r\n");
	redis_heard();
	cache_outdate(cache, CACHE_FLEET);
	heard = redis_heard();
	assert_int_equal(strncmp(heard, "SET tft:epoch:fleet 1764", 24), 0);
	assert_non_null(strstr(heard, "\nDEL tft:lock:fleet\n"));
	win();
	/* No request is sent to a Redis that is down. */
	redis_reset();
	look(NULL);
	redis_heard();
	cache_outdate(cache, CACHE_FLEET);
	assert_string_equal(redis_heard(), "");
}

/* --- keys and lookups of the largest size --- */

/* Nobody configures such a name; a key of another length would be another key, but none overflows. */
static void test_a_key_that_is_too_long_is_cut(void **state)
{
	char name[300];
	struct key key;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	key = key_node(cache, name);
	assert_int_equal(strlen(key.text), sizeof(key.text) - 1);
	assert_int_equal(strncmp(key.text, "tft:node:nnn", 12), 0);
	key = key_make("%s", name);
	assert_int_equal(strlen(key.text), sizeof(key.text) - 1);
}

static void test_as_many_requests_as_come_together(void **state)
{
	static const struct cache_lookup lookups[CACHE_LOOKUPS_MAX] = {
		{"a", false}, {"b", false}, {"c", false}, {"d", false},
		{"e", false}, {"f", false}, {"g", false}, {"h", false}};
	const char *at;

	(void)state;
	redis_on_pointer("58800000", "e1", GEN_MS, "s1");
	redis_on("HSTRLEN", ":3\r\n");
	look("overview"); /* from now on the bucket is known */
	redis_on("HMGET tft:h:58800000", GIANT);
	redis_heard();
	cache_prefetch(cache, CACHE_FLEET, lookups, CACHE_LOOKUPS_MAX);
	at = redis_heard();
	for (size_t i = 0; i < CACHE_LOOKUPS_MAX; i++) {
		char command[40];

		(void)snprintf(command, sizeof(command), "HMGET tft:%s:58800000", lookups[i].route);
		at = strstr(at, command);
		assert_non_null(at);
	}
	assert_removed("UNLINK tft:h:58800000\n");
}

/* --- what is logged --- */

/* How many lines of this event are logged by looks at 0, 30 s, and this time after that. */
static size_t lines_of(const char *event, int64_t then_ms)
{
	const int64_t passed[] = {0, 30000, then_ms};
	const char *text;
	size_t n = 0;

	log_init(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, "web1");
	capture_start();
	for (size_t i = 0; i < LENGTH(passed); i++) {
		pass_ms(passed[i]);
		look(NULL);
	}
	text = capture_end();
	log_init(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, "web1");
	for (; (text = strstr(text, event)); text++)
		n++;
	return n;
}

static void test_a_lasting_condition_is_logged_once_a_minute(void **state)
{
	static const char foreign[] = " ev=cache_foreign prefix=tft ours=0123456789abcdef "
				      "theirs=0123456789abcdee\n",
			  refused[] = " ev=redis_refused err=\"NOPERM no\"\n";

	(void)state;
	redis_on_array("HMGET tft:cur:fleet", "58800000", "e1", "1764000010000", "s1", "0",
		       "0123456789abcdee");
	assert_int_equal(lines_of(foreign, 29999), 1);
	pass_ms(1000);
	assert_int_equal(lines_of(foreign, 1000), 1);
	redis_on_nothing();
	redis_on("HMGET tft:said", "-NOPERM no\r\n");
	pass_ms(1000);
	assert_int_equal(lines_of(refused, 30000), 2);
	redis_on_array("HMGET tft:said", NULL, NULL);
	pass_ms(2000);
	look(NULL);
	assert_int_equal(lines_of("ev=", 30000), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_cache, close_cache)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_a_pointer_of_this_bucket_and_epoch_is_fresh),
		TEST(test_a_pointer_that_is_older_or_flushed_is_stale),
		TEST(test_data_may_be_shown_for_max_stale_and_no_longer),
		TEST(test_half_a_pointer_is_none),
		TEST(test_the_pointer_of_another_fleet),
		TEST(test_the_first_bucket_counts),
		TEST(test_the_breaker_is_told),
		TEST(test_redis_clock_is_asked_once_a_second),
		TEST(test_a_clock_that_says_nothing_is_no_redis),
		TEST(test_an_entry_of_the_snapshot),
		TEST(test_the_gzip_form),
		TEST(test_an_entry_that_is_not_what_it_must_be_is_a_miss),
		TEST(test_a_giant_is_not_asked_for),
		TEST(test_a_giant_is_removed_by_whoever_meets_it),
		TEST(test_other_reads_meet_giants_too),
		TEST(test_a_giant_stays_until_redis_takes_its_removal),
		TEST(test_after_a_deadline_sizes_are_asked_for_first),
		TEST(test_before_a_pointer_is_known_its_entry_is_not_measured),
		TEST(test_a_further_route_is_of_the_same_snapshot),
		TEST(test_the_bucket_before_is_shown_as_what_it_is),
		TEST(test_requests_that_come_together_ask_once),
		TEST(test_what_was_said_holds_for_a_minute),
		TEST(test_a_page_that_repeats_what_is_said_now),
		TEST(test_a_silent_redis_is_left_alone_longer_each_time),
		TEST(test_an_error_that_is_no_wrong_type_is_no_redis),
		TEST(test_batches_are_watched),
		TEST(test_a_claim_that_is_won),
		TEST(test_a_refusal_is_remembered_for_a_moment),
		TEST(test_a_redis_that_takes_nothing_is_named),
		TEST(test_newer_data_end_what_was_refused),
		TEST(test_fresh_data_end_a_refusal),
		TEST(test_a_claim_without_a_good_answer),
		TEST(test_a_call_may_begin_for_a_moment),
		TEST(test_a_lease_begins_anew),
		TEST(test_a_flush),
		TEST(test_one_group_is_out_of_date),
		TEST(test_a_key_that_is_too_long_is_cut),
		TEST(test_as_many_requests_as_come_together),
		TEST(test_a_lasting_condition_is_logged_once_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
