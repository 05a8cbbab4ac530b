/* SPDX-License-Identifier: MIT */
/* How new data are written to Redis, and how a failure is recorded. */
#include "config.h"

#include "base/log.h"
#include "cache_fixture.h"
#include "captured.h"

#define TOKEN "0123456789abcdef0123456789abcdef"
#define LOCK  TOKEN "|58800000|e1"

static struct claim claim;

static int open_claim(void **state)
{
	if (open_cache(state) != 0)
		return -1;
	claim = (struct claim){.group = CACHE_FLEET,
			       .token = TOKEN,
			       .epoch = "e1",
			       .bucket = BUCKET,
			       .now_ms = NOW_MS};
	return 0;
}

/* --- staging --- */

static void test_a_document_is_put_aside(void **state)
{
	struct cache_document document = {
		.body = SPAN("<p>"), .type = "text/html", .is_page = true, .digests = SPAN("a b")};
	char crc[HASH_HEX], gcrc[HASH_HEX], heard[600];
	int n;

	(void)state;
	hash_hex(hash_xxh64(SPAN("<p>")), crc);
	hash_hex(hash_xxh64(SPAN("packed")), gcrc);
	redis_on_array("EVALSHA 1", "ok");
	assert_int_equal(cache_stage(cache, &claim, "overview", "s1", &document), 0);
	n = snprintf(heard, sizeof(heard),
		     "EVALSHA 1 tft:s:" TOKEN ":overview 30000 fmt 1 build " BUILD_ID
		     " snap s1 route overview gen 1764000015123 type text/html etag %s says a b "
		     "body <p> len 3 crc %s",
		     crc, crc);
	(void)snprintf(heard + n, sizeof(heard) - (size_t)n, "\n");
	assert_string_equal(redis_heard(), heard);
	document.gzip = SPAN("packed");
	assert_int_equal(cache_stage(cache, &claim, "overview", "s1", &document), 0);
	(void)snprintf(heard + n, sizeof(heard) - (size_t)n, " gzip packed glen 6 gcrc %s\n", gcrc);
	assert_string_equal(redis_heard(), heard);
	document.is_page = false;
	assert_int_equal(cache_stage(cache, &claim, "fleet", "s1", &document), 0);
	assert_non_null(strstr(redis_heard(), " build - "));
	redis_on("EVALSHA 1", "-OOM command not allowed\r\n");
	assert_int_equal(cache_stage(cache, &claim, "overview", "s1", &document), -1);
}

static void test_fields_are_put_aside(void **state)
{
	static struct span pairs[122];

	(void)state;
	redis_on_array("EVALSHA 1", "ok");
	pairs[0] = SPAN("a");
	pairs[1] = SPAN("1");
	assert_int_equal(cache_stage_fields(cache, &claim, "series", 2, pairs), 0);
	assert_string_equal(redis_heard(), "EVALSHA 1 tft:s:" TOKEN ":series 30000 a 1\n");
	for (size_t i = 0; i < 122; i++)
		pairs[i] = SPAN("x");
	assert_int_equal(cache_stage_fields(cache, &claim, "series", 120, pairs), 0);
	assert_int_equal(strlen(redis_heard()),
			 strlen("EVALSHA 1 tft:s:" TOKEN ":series 30000\n") + 240);
	assert_int_equal(cache_stage_fields(cache, &claim, "series", 121, pairs), -1);
	assert_string_equal(redis_heard(), "");
	redis_on("EVALSHA 1", "-OOM command not allowed\r\n");
	assert_int_equal(cache_stage_fields(cache, &claim, "series", 2, pairs), -1);
}

/* A writer keeps trying where a reader gives up: for publish_ms, every 50 ms. */
static void test_a_writer_is_patient(void **state)
{
	struct cache_document document = {.body = SPAN("x"), .type = "text/html"};
	int64_t began;

	(void)state;
	redis_reset();
	began = clock_mono_ms();
	assert_int_equal(cache_stage(cache, &claim, "overview", "s1", &document), -1);
	assert_int_equal(clock_mono_ms() - began, 2000);
	assert_true(cache_is_behind(cache) == false);
}

/* --- commit --- */

static struct commit commit = {.snap = "s1",
			       .routes = {"overview", "fleet"},
			       .count = 2,
			       .fill_ms = 700,
			       .history = {"rec", 3},
			       .names = {"nam", 3},
			       .risks = {"ris", 3},
			       .moment = {"mom", 3},
			       .beside = {"bes", 3},
			       .beside_ms = 1763999700000,
			       .forecasts = {"fore", 4},
			       .seen_ms = 1763999970000,
			       .open = {"op", 2},
			       .closed = {"cl", 2},
			       .accuracy = {"acc", 3},
			       .warnings = {"warn", 4},
			       .told = {"told", 4},
			       .watch = {"wat", 3}};

static void test_a_commit_tells_everything_by_name(void **state)
{
	(void)state;
	redis_on_array("EVALSHA 21", "ok", "58800000", "hist-new");
	assert_int_equal(cache_commit(cache, &claim, &commit), COMMIT_OK);
	assert_string_equal(
		redis_heard(),
		"EVALSHA 21 tft:cur:fleet tft:lock:fleet tft:brk:fleet tft:epoch:fleet "
		"tfthist:fleet tfthist:hours tfthist:risk tfthist:upstream "
		"tfthist:full tfthist:thin tfthist:forecasts tfthist:incidents tfthist:accuracy "
		"tfthist:riskhours tfthist:warnings tfthist:outcomes tfthist:watch "
		"tft:s:" TOKEN ":overview tft:s:" TOKEN ":fleet "
		"tft:overview:58800000 tft:fleet:58800000 "
		"entries 2 lock " LOCK " bucket 58800000 epoch e1 gen 1764000015123 snap s1 "
		"interval 30000 ttl 3600000 old_ttl 60000 fill 700 record rec points 20160 "
		"names nam risks ris kept 2678400000 bytes 33554432 "
		"upstream 0123456789abcdef seen 1763999970000 open op closed cl ended 10000 "
		"accuracy acc scored 2592000000 warnings warn told told outcomes 1000 watch wat "
		"moment mom beside bes beside_ms 1763999700000 forecasts fore "
		"full_kept 2592000000 thin_kept 2592300000 window 300000\n");
}

/* What a moment takes: its record, and the incidents that are open then. */
static void test_large_moments_are_kept_for_less_time(void **state)
{
	struct commit large = commit;
	static char mom[20000], open[20000];

	(void)state;
	redis_on_array("EVALSHA 21", "ok", "58800000", "hist-new");
	large.moment = (struct span){mom, sizeof(mom)};
	large.open = (struct span){open, sizeof(open)};
	assert_int_equal(cache_commit(cache, &claim, &large), COMMIT_OK);
	/* 128 MB of 40,064 bytes, one for each 5 minutes. */
	assert_non_null(strstr(redis_heard(), " thin_kept 1005000000 "));
}

static void test_without_a_record_there_is_no_history(void **state)
{
	struct commit without = commit;

	(void)state;
	without.history.len = 0;
	redis_on_array("EVALSHA 21", "ok", "58800000", "hist-none");
	assert_int_equal(cache_commit(cache, &claim, &without), COMMIT_OK);
	assert_non_null(strstr(redis_heard(), " points 0 "));
}

static void test_all_answers_to_a_commit(void **state)
{
	static const struct {
		const char *word;
		enum commit_result result;
	} rows[] = {
		{"ok", COMMIT_OK},   {"flushed", COMMIT_FLUSHED}, {"missing", COMMIT_MISSING},
		{"old", COMMIT_OLD}, {"lost", COMMIT_LOST},       {"nonsense", COMMIT_DOWN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		redis_on_array("EVALSHA 21", rows[i].word, "58800000", "hist-dup");
		if (cache_commit(cache, &claim, &commit) != rows[i].result)
			fail_msg("%s", rows[i].word);
	}
	/* The data are visible, though the history is not. */
	redis_on_array("EVALSHA 21", "ok", "58800000", "hist-failed", "OOM");
	assert_int_equal(cache_commit(cache, &claim, &commit), COMMIT_OK);
	redis_on("EVALSHA 21", "-READONLY no\r\n");
	assert_int_equal(cache_commit(cache, &claim, &commit), COMMIT_DOWN);
	pass_ms(60000);
	redis_on_array("EVALSHA 21", "foreign", "fedcba9876543210");
	assert_int_equal(cache_commit(cache, &claim, &commit), COMMIT_FOREIGN);
	assert_true(cache_is_foreign(cache));
}

static void test_what_became_of_the_history_is_logged(void **state)
{
	static const struct {
		const char *result, *why, *line;
	} rows[] = {
		{"hist-new", "", ""},
		{"hist-dup", "", " ev=history_repeated bucket=58800000\n"},
		{"hist-ahead", "1764003600000-0",
		 " ev=history_ahead bucket=58800000 newest=1764003600000-0\n"},
		{"hist-failed", "OOM", " ev=history_failed bucket=58800000 err=OOM\n"},
	};

	(void)state;
	log_init(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, "web1");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *log;

		redis_on_array("EVALSHA 21", "ok", "58800000", rows[i].result, rows[i].why);
		capture_start();
		(void)cache_commit(cache, &claim, &commit);
		log = capture_end();
		if (!strstr(log, rows[i].line) || (!rows[i].line[0] && log[0]))
			fail_msg("%s: %s", rows[i].result, log);
	}
	log_init(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, "web1");
}

/* The first answer was lost, but the data were committed. */
static void test_a_repeated_commit_is_done(void **state)
{
	(void)state;
	redis_on_pointer("58800000", "e1", GEN_MS, "s1");
	redis_on_array("EVALSHA 21", "lost", "58800000");
	assert_int_equal(cache_commit(cache, &claim, &commit), COMMIT_OK);
	redis_on_array("EVALSHA 21", "old", "58800000");
	assert_int_equal(cache_commit(cache, &claim, &commit), COMMIT_OK);
	redis_on_pointer("58800000", "e1", GEN_MS, "s2");
	assert_int_equal(cache_commit(cache, &claim, &commit), COMMIT_OLD);
	redis_on_pointer("58800000", "e1", GEN_MS, "s1");
	redis_on_array("EVALSHA 21", "flushed", "58800000");
	assert_int_equal(cache_commit(cache, &claim, &commit), COMMIT_FLUSHED);
}

/* --- failures and small writes --- */

static void test_a_failure_is_told(void **state)
{
	(void)state;
	redis_on_array("EVALSHA 2", "ok");
	cache_fail(cache, &claim, REASON_CONNECT, 0);
	assert_string_equal(redis_heard(), "EVALSHA 2 tft:brk:fleet tft:lock:fleet " LOCK
					   " 30000 60000 0 connection-refused 1\n");
	cache_fail(cache, &claim, REASON_WARMING, 4000);
	assert_string_equal(redis_heard(), "EVALSHA 2 tft:brk:fleet tft:lock:fleet " LOCK
					   " 30000 60000 4000 warming-up 0\n");
	assert_false(cache_is_behind(cache));
}

static void test_a_failure_that_redis_did_not_hear_is_told_later(void **state)
{
	(void)state;
	redis_on("EVALSHA 2", "");
	cache_fail(cache, &claim, REASON_CONNECT, 4000);
	assert_true(cache_is_behind(cache));
	pass_ms(2000);
	redis_on_array("EVALSHA 2", "ok");
	redis_heard();
	cache_catch_up(cache);
	assert_string_equal(redis_heard(), "EVALSHA 2 tft:brk:fleet tft:lock:fleet " LOCK
					   " 30000 60000 4000 connection-refused 1\n");
	assert_false(cache_is_behind(cache));
	cache_catch_up(cache);
	assert_string_equal(redis_heard(), "");
	/* A refusal is an answer. */
	redis_on("EVALSHA 2", "-READONLY no\r\n");
	cache_fail(cache, &claim, REASON_CONNECT, 0);
	assert_false(cache_is_behind(cache));
}

static void test_the_breaker_lets_one_through(void **state)
{
	struct claim another;

	(void)state;
	redis_on_array("EVALSHA 8", "open", "58800000", "1764000015123", "e1", "9000");
	assert_int_equal(cache_claim(cache, CACHE_FLEET, &another), CLAIM_OPEN);
	redis_heard();
	redis_on_array("EVALSHA 1", "ok");
	cache_reopen(cache, CACHE_FLEET);
	assert_string_equal(redis_heard(),
			    "EVALSHA 1 tft:brk:fleet connection-refused name-not-found\n");
	redis_on_array("EVALSHA 8", "won", "58800000", "1764000015123", "e1");
	assert_int_equal(cache_claim(cache, CACHE_FLEET, &another), CLAIM_WON);
}

static void test_a_small_group_says_something(void **state)
{
	(void)state;
	claim.group = CACHE_STATUS;
	redis_on_array("EVALSHA 1", "ok");
	cache_publish_digest(cache, &claim, "abcd");
	assert_string_equal(redis_heard(), "EVALSHA 1 tft:said 60000 status 1764000015123 abcd\n");
	/* Another program has stored another type there. */
	redis_on("EVALSHA 1", "-WRONGTYPE no hash\r\n");
	redis_on("DEL", ":1\r\n");
	cache_publish_digest(cache, &claim, "abcd");
	assert_non_null(strstr(redis_heard(), "\nDEL tft:said\n"));
	redis_on("EVALSHA 1", "");
	cache_publish_digest(cache, &claim, "abcd");
	assert_null(strstr(redis_heard(), "DEL"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_claim, close_cache)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_a_document_is_put_aside),
		TEST(test_fields_are_put_aside),
		TEST(test_a_writer_is_patient),
		TEST(test_a_commit_tells_everything_by_name),
		TEST(test_large_moments_are_kept_for_less_time),
		TEST(test_without_a_record_there_is_no_history),
		TEST(test_all_answers_to_a_commit),
		TEST(test_what_became_of_the_history_is_logged),
		TEST(test_a_repeated_commit_is_done),
		TEST(test_a_failure_is_told),
		TEST(test_a_failure_that_redis_did_not_hear_is_told_later),
		TEST(test_the_breaker_lets_one_through),
		TEST(test_a_small_group_says_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
