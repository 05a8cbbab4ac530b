/* SPDX-License-Identifier: MIT */
/* The whole chain of a refresh, the small groups, and a worker without Redis, over a Redis and
 * daemons that answer what the test wants. */
#include "config.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "alerting_fixture.h"
#include "base/log.h"
#include "cache_fixture.h"
#include "captured.h"
#include "fleet/compact.h"
#include "fleet/horizons.h"
#include "fleet/silenced.h"
#include "golden.h"
#include "refresh/local.h"
#include "refresh/readback.h"
#include "refresh/refresh.h"
#include "refresh/upstream_status.h"

#define SECOND  INT64_C(1000)
#define MINUTE  (60 * SECOND)
#define TOKEN   "0123456789abcdef0123456789abcdef"
#define HEALTHY "predictions_current-healthy-20.json.gz"

static const struct site site = {30000, 600000, 3600000, "http://daemon:8000", NULL, false};
static struct upstream *upstream;
static struct metrics *metrics;
static struct refresh refresh;
static struct claim claim;

static int open_all(void **state)
{
	if (open_cache(state) != 0)
		return -1;
	fetch_begin();
	upstream = upstream_new(&fake_upstream);
	metrics = metrics_new("web1");
	refresh = (struct refresh){cache, upstream, metrics, &site, true, NULL};
	redis_on_array("EVALSHA", "ok", "58800000", "hist-new");
	redis_on_array("EVALSHA 8", "won", "58800000", "1764000015123", "e1");
	redis_on("XADD", "+OK\r\n");
	redis_on("XRANGE tfthist:accuracy", "*0\r\n");
	redis_on("XREVRANGE tfthist:full", "*0\r\n");
	redis_on("XREVRANGE tfthist:warnings", "*0\r\n");
	redis_on("XREVRANGE tfthist:watch", "*0\r\n");
	redis_on("XREVRANGE tfthist:accuracy", "*0\r\n");
	redis_on("XREVRANGE tfthist:forecasts", "*0\r\n");
	redis_on("SET", "+OK\r\n");
	redis_on("DEL", ":1\r\n");
	redis_on("HSTRLEN", ":100\r\n");
	fetch_answers("predictions", HEALTHY);
	fetch_answers("status", "status-warmed_up-20.json");
	fetch_answers("scenario", "scenario_status-degrading-20.json");
	fetch_says("set", "0 200 0 -");
	claim = (struct claim){.group = CACHE_FLEET,
			       .token = TOKEN,
			       .epoch = "e1",
			       .bucket = BUCKET,
			       .now_ms = NOW_MS,
			       .mono_ms = clock_mono_ms(),
			       .leased_ms = clock_mono_ms()};
	return 0;
}

static int close_all(void **state)
{
	metrics_free(&metrics);
	upstream_free(&upstream);
	return close_cache(state);
}

static void assert_part(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in\n%.6000s", part, text);
}

static void assert_no_part(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" in\n%.6000s", part, text);
}

/* --- a refresh --- */

static void assert_staged(const char *heard, const char *route)
{
	char begin[120];

	(void)snprintf(begin, sizeof(begin), "EVALSHA 1 tft:s:" TOKEN ":%s 30000 ", route);
	assert_part(heard, begin);
	(void)snprintf(begin, sizeof(begin), " tft:%s:58800000 ", route);
	assert_part(heard, begin);
}

static void test_a_refresh_publishes_every_page(void **state)
{
	const char *heard;

	(void)state;
	refresh_fleet(&refresh, &claim);
	heard = redis_heard();
	assert_part(heard, "EVALSHA 1 tft:lock:fleet " TOKEN "|58800000|e1 17000\n");
	for (size_t i = 0; i < page_count; i++)
		if (page_table[i].stored)
			assert_staged(heard, page_table[i].name);
	assert_staged(heard, "series");
	assert_staged(heard, "fleet");
	/* One batch: the last hour, what the overview compares with (15 minutes before the bucket), the
	 * scores of the last day, the last moment and the watch that was left with it. */
	assert_part(heard, "XRANGE tfthist:risk 1763996400000 1763999999999\n"
			   "XREVRANGE tfthist:full 1763999100000 1763998800001 COUNT 1\n"
			   "XREVRANGE tfthist:thin 1763999100000 1763998500001 COUNT 1\n"
			   "XREVRANGE tfthist:thin 1763999999999 1764000000000 COUNT 1\n"
			   "XRANGE tfthist:accuracy 1763917200000 1763999999999\n"
			   "XREVRANGE tfthist:full 9223372036854775807 0 COUNT 1\n"
			   "XREVRANGE tfthist:warnings 1764000000000 1764000000000 COUNT 1\n"
			   "XREVRANGE tfthist:watch 9223372036854775807 0 COUNT 1\n");
	assert_part(heard, " warnings  told  outcomes 1000 watch TFTo\1");
	assert_part(heard, " bucket 58800000 epoch e1 gen 1764000015123 snap 0123456789abcdef "
			   "interval 30000 ttl 3600000 old_ttl 60000 fill 0 record 1 ");
	assert_part(heard, "EVALSHA 1 tft:calls:fleet 1764000015123 200 ");
	assert_part(heard, " ok 20 86400000\n");
	metrics_flush(metrics, cache);
	heard = redis_heard();
	assert_part(heard, "cache_fills_total{group=\"fleet\",result=\"ok\"} 1 ");
	assert_part(heard, "upstream_requests_total{endpoint=\"predictions\",code=\"200\"} 1 ");
	assert_part(heard, "_count{step=\"fetch\"} 1 ");
	assert_part(heard, "_count{step=\"stage\"} 1 ");
	assert_part(heard, "_count{step=\"commit\"} 1");
}

/* That nothing is kept is not the same as that nobody knows. */
static void test_the_overview_tells_whether_there_is_an_earlier_moment(void **state)
{
	(void)state;
	redis_on("XRANGE", "*0\r\n");
	redis_on("XREVRANGE", "*0\r\n");
	refresh_fleet(&refresh, &claim);
	assert_part(redis_heard(), "No earlier moment is kept yet.");
	redis_on("XREVRANGE", "-LOADING\r\n");
	claim.bucket++;
	refresh_fleet(&refresh, &claim);
	assert_part(redis_heard(),
		    "Earlier moments are in the shared cache, which cannot be reached.");
}

/* The recorded fleet has one server at Danger or worse. An incident last seen three buckets ago has
 * ended; one seen two buckets ago may continue. */
static void test_a_refresh_takes_incidents_a_step_further(void **state)
{
	(void)state;
	redis_on("XRANGE tfthist:risk", "*0\r\n");
	redis_on("XREVRANGE", "*0\r\n");
	redis_on("XREVRANGE tfthist:full",
		 "*1\r\n*2\r\n$15\r\n1763999970000-0\r\n*4\r\n$1\r\nm\r\n$1\r\nx\r\n$1\r\no\r\n"
		 "$79\r\n1 s 1763999880000 30000 0 0 1 800 0 0 a\n"
		 "1 s 1763999880000 60000 0 0 1 800 0 0 b\r\n");
	refresh_fleet(&refresh, &claim);
	assert_part(redis_heard(),
		    " seen 1763999970000 open 1 s 1763999880000 60000 0 0 1 800 0 0 b\n"
		    "1 s 1764000000000 0 0 0 4 1000 4 0 ppetl002 closed 1 s 1763999880000 30000 0 "
		    "60000 1 800 0 0 a ended 10000 ");
}

/* The scores that the commit was given. */
static void take_scores(struct accuracy_hour *hour)
{
	const char *record = memmem(redis.heard.data, redis.heard.len, " accuracy TFTa", 14), *end;

	assert_non_null(record);
	record += strlen(" accuracy ");
	end = memmem(record, (size_t)(redis.heard.data + redis.heard.len - record), " scored ", 8);
	assert_non_null(end);
	assert_int_equal(accuracy_decode((struct span){record, (size_t)(end - record)}, hour), 0);
}

/* Those made a horizon before a time after the last moment, up to now. */
static void test_forecasts_that_are_due_are_read_and_scored(void **state)
{
	struct snapshot *then = golden_snapshot("predictions_current-healthy-20");
	struct buf record, wire;
	struct accuracy_hour hour;
	const char *heard;

	(void)state;
	redis_on("XRANGE tfthist:risk", "*0\r\n");
	redis_on("XREVRANGE tfthist:thin", "*0\r\n");
	redis_on("XREVRANGE tfthist:full",
		 "*1\r\n*2\r\n$15\r\n1763999970000-0\r\n*2\r\n$1\r\nm\r\n$1\r\nx\r\n");
	buf_init(&record, 1 << 20);
	buf_init(&wire, 1 << 20);
	horizons_encode(then, &record);
	buf_addf(&wire, "*1\r\n*2\r\n$15\r\n1763996400000-0\r\n*2\r\n$1\r\nf\r\n$%zu\r\n",
		 record.len);
	buf_span_add(&wire, buf_span(&record));
	buf_lit(&wire, "\r\n");
	redis_on_span("XREVRANGE tfthist:forecasts 1763996400000 1763996370001", buf_span(&wire));
	refresh_fleet(&refresh, &claim);
	take_scores(&hour);
	assert_int_equal(hour.records[1], 1); /* made an hour ago */
	assert_int_equal(hour.sums[ACCURACY_USUAL][KEPT_CPU][1][profile_of(SPAN("ppetl001"))].n, 2);
	heard = redis_heard();
	assert_part(heard, "XREVRANGE tfthist:accuracy 1764000000000 1764000000000 COUNT 1\n"
			   "XREVRANGE tfthist:forecasts 1763998200000 1763998170001 COUNT 1\n"
			   "XREVRANGE tfthist:forecasts 1763996400000 1763996370001 COUNT 1\n"
			   "XREVRANGE tfthist:forecasts 1763992800000 1763992770001 COUNT 1\n"
			   "XREVRANGE tfthist:forecasts 1763985600000 1763985570001 COUNT 1\n"
			   "XREVRANGE tfthist:forecasts 1763971200000 1763971170001 COUNT 1\n");
	assert_part(heard, " accuracy TFTa");
	/* After a gap: those due for less than half a step. */
	redis_on("XREVRANGE tfthist:full",
		 "*1\r\n*2\r\n$15\r\n1763999700000-0\r\n*2\r\n$1\r\nm\r\n$1\r\nx\r\n");
	refresh_fleet(&refresh, &claim);
	assert_part(redis_heard(),
		    "XREVRANGE tfthist:forecasts 1763998200000 1763998050001 COUNT 1\n");
	buf_free(&record);
	buf_free(&wire);
	snapshot_free(&then);
}

/* The commit keeps the open incidents as they are. */
static void test_without_an_answer_no_step_is_taken(void **state)
{
	(void)state;
	redis_on("XREVRANGE tfthist:full", "-ERR no\r\n");
	refresh_fleet(&refresh, &claim);
	assert_part(redis_heard(), " seen -1 ");
}

/* The digests of warm-up and scenario. */
/* Nothing is said of scores that cannot be read. */
static void test_scores_that_redis_refuses(void **state)
{
	(void)state;
	redis_on("XRANGE tfthist:accuracy", "-WRONGTYPE no stream\r\n");
	refresh_fleet(&refresh, &claim);
	assert_no_part(redis_heard(), "Too few forecasts have come true");
	redis_on("XRANGE tfthist:accuracy", "*0\r\n");
	refresh_fleet(&refresh, &claim);
	assert_part(redis_heard(), "Too few forecasts have come true");
}

/* Another call was made in this minute, and one before it. */
static void test_pages_tell_how_many_calls_are_left(void **state)
{
	const char *heard;

	(void)state;
	redis_on_array("LRANGE tft:budget:fleet", "1764000014123", "1763999900000");
	redis_on("LRANGE tft:calls:fleet", "*0\r\n");
	redis_on("LRANGE tft:actions", "*0\r\n");
	redis_on("GET tft:epoch:fleet", "$2\r\ne1\r\n");
	redis_on_array("HGETALL tft:nodes", "tft_dashboard_cache_requests_total{result=\"stale\"}",
		       "4");
	refresh_fleet(&refresh, &claim);
	heard = redis_heard();
	assert_part(heard, ", calls left in that minute: 25");
	assert_part(heard, "0% of them with current data, 4 with older data, 0 with none.");
}

static void test_pages_repeat_the_small_groups(void **state)
{
	struct upstream_status said = {
		.warmup = {.known = true, .done = true},
		.scenario = {.known = true, .name = "degrading", .affected = 4, .fleet_size = 20}};
	static const char *const names[] = {"ppml0002", "ppweb001", "ppweb002", "ppweb006"};
	char status[HASH_HEX], scenario[HASH_HEX], says[100];
	const char *heard;

	(void)state;
	said.scenario.name_count = 4;
	for (int i = 0; i < 4; i++)
		(void)snprintf(said.scenario.names[i], sizeof(said.scenario.names[i]), "%s",
			       names[i]);
	upstream_status_digest(&said, CACHE_STATUS, status);
	upstream_status_digest(&said, CACHE_SCENARIO, scenario);
	refresh_fleet(&refresh, &claim);
	heard = redis_heard();
	(void)snprintf(says, sizeof(says), " says %s %s body <!DOCTYPE html>", status, scenario);
	assert_part(heard, says);
	assert_part(heard, " says  body {");
	(void)snprintf(says, sizeof(says), "EVALSHA 1 tft:said 60000 status 1764000015123 %s\n",
		       status);
	assert_part(heard, says);
	(void)snprintf(says, sizeof(says), "EVALSHA 1 tft:said 60000 scenario 1764000015123 %s\n",
		       scenario);
	assert_part(heard, says);
}

static void test_a_call_that_fails_opens_the_breaker(void **state)
{
	const char *heard;

	(void)state;
	fetch_says("predictions", "15 429 4000 -");
	refresh_fleet(&refresh, &claim);
	heard = redis_heard();
	assert_part(heard, "EVALSHA 2 tft:brk:fleet tft:lock:fleet " TOKEN
			   "|58800000|e1 30000 60000 4000 ");
	assert_part(heard, "EVALSHA 1 tft:calls:fleet 1764000015123 429 ");
	assert_no_part(heard, "tft:s:" TOKEN);
	metrics_flush(metrics, cache);
	heard = redis_heard();
	assert_part(heard, "code=\"429\"} 1 ");
	assert_part(heard, "_count{step=\"fetch\"} 1");
	assert_no_part(heard, "step=\"stage\"");
}

static void test_what_cannot_be_staged_fails(void **state)
{
	const char *heard;

	(void)state;
	redis_on("EVALSHA 1 tft:s:" TOKEN ":fleet ", "-OOM no memory\r\n");
	refresh_fleet(&refresh, &claim);
	heard = redis_heard();
	assert_part(heard, "EVALSHA 2 tft:brk:fleet");
	assert_part(heard, " internal 1\n");
	assert_no_part(heard, "tft:overview:58800000");
	redis_on("EVALSHA 1 tft:s:" TOKEN ":series ", "-OOM no memory\r\n");
	refresh_fleet(&refresh, &claim);
	assert_no_part(redis_heard(), ":fleet 30000 fmt");
	redis_on("EVALSHA 1 tft:s:" TOKEN ":overview ", "-OOM no memory\r\n");
	refresh_fleet(&refresh, &claim);
	assert_no_part(redis_heard(), ":series 30000");
}

static void test_a_commit_that_is_refused(void **state)
{
	const char *heard;

	(void)state;
	redis_on("EVALSHA 8", "$-1\r\n"); /* the small groups are not requested */
	redis_on_array("EVALSHA", "flushed", "58800000");
	redis_on_array("EVALSHA 1", "ok");
	refresh_fleet(&refresh, &claim);
	heard = redis_heard();
	assert_part(heard, " flushed 20 86400000\n");
	assert_no_part(heard, "EVALSHA 2 ");
	redis_on("EVALSHA", "-OOM no memory\r\n");
	redis_on_array("EVALSHA 1", "ok");
	refresh_fleet(&refresh, &claim);
	heard = redis_heard();
	assert_part(heard, "EVALSHA 2 tft:brk:fleet");
	assert_part(heard, " redis-down 20 86400000\n");
}

static void test_a_lease_that_is_lost_ends_the_refresh(void **state)
{
	const char *heard;

	(void)state;
	redis_on_array("EVALSHA 1 tft:lock:fleet", "lost");
	refresh_fleet(&refresh, &claim);
	heard = redis_heard();
	assert_part(heard, " lost 20 86400000\n");
	assert_no_part(heard, "tft:s:" TOKEN);
	assert_no_part(fetch_orders(), "predictions");
	metrics_flush(metrics, cache);
	assert_no_part(redis_heard(), "endpoint=\"predictions\"");
}

/* --- alerts --- */

/* From now on there are two Alertmanagers, which answer that. */
static void has_alertmanagers(const char *answer)
{
	alerting_begin(&refresh, &upstream, "http://a:9093,http://b:9093", 2);
	fetch_says("alerts", answer);
	alerting_answers();
}

static size_t count_of(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)); text++)
		n++;
	return n;
}

/* In steps of 50 servers, between which other commands have their turn. */
static void test_forecasts_of_many_servers_are_staged_in_parts(void **state)
{
	const char *heard;

	(void)state;
	fetch_answers("predictions", "predictions_current-healthy-90.json.gz");
	refresh_fleet(&refresh, &claim);
	heard = redis_heard();
	assert_int_equal(count_of(heard, "EVALSHA 1 tft:s:" TOKEN ":series "), 2);
	assert_int_equal(count_of(heard, " TFTs\3"), 90);
}

/* As many as their list has room for: the sanitizer sees one more. */
static void test_the_last_part_ends_with_the_fleet(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, 65536);
	for (int i = 0; i < 64; i++)
		buf_addf(&text,
			 "%s\"s%02d\":{\"load_average\":{\"current\":1,\"trend\":0,\"p10\":[1],"
			 "\"p50\":[1],\"p90\":[1]}}",
			 i ? "," : "{\"predictions\":{", i);
	buf_lit(&text, "}}");
	buf_char(&text, '\0');
	assert_true(buf_ok(&text));
	fetch_answers_text("predictions", "0 200", text.data);
	refresh_fleet(&refresh, &claim);
	assert_int_equal(count_of(redis_heard(), " TFTs\3"), 64);
	fetch_forget();
	buf_free(&text);
}

/* The recorded fleet has one server at Danger or worse. */
static void test_alerts_are_sent_after_the_commit(void **state)
{
	const char *orders, *heard;

	(void)state;
	has_alertmanagers("0 200 0 -");
	refresh_fleet(&refresh, &claim);
	orders = fetch_orders();
	assert_int_equal(count_of(orders, "/api/v2/alerts "), 2);
	assert_int_equal(count_of(orders, "post=[{\"labels\":{\"alertname\":\"TftServerRisk\","
					  "\"severity\":\"imminent\",\"fleet\":\"north\","
					  "\"server\":\"ppetl002\",\"profile\":\"etl\"}"),
			 2);
	heard = redis_heard();
	assert_part(heard, "EVALSHA 8 tft:cur:alerts tft:lock:alerts ");
	assert_part(heard, "{\"sent\":");
	assert_no_part(heard, "EVALSHA 2 tft:brk:alerts tft:lock:alerts ");
	assert_true(strstr(heard, "EVALSHA 8 tft:cur:alerts ") >
		    strstr(heard, " ok 20 86400000\n"));
	metrics_flush(metrics, cache);
	assert_part(redis_heard(), "alert_posts_total{result=\"ok\"} 2 ");
}

static void test_alerts_that_nobody_takes_are_due_again_in_the_next_bucket(void **state)
{
	const char *heard;

	(void)state;
	has_alertmanagers("3 0 0 -");
	refresh_fleet(&refresh, &claim);
	heard = redis_heard();
	assert_part(heard, "EVALSHA 2 tft:brk:alerts tft:lock:alerts ");
	/* No back-off. */
	assert_part(heard, " 30000 60000 0 timed-out 0\n");
	assert_no_part(heard, "{\"sent\":");
}

static void test_another_worker_has_sent_the_alerts_of_this_bucket(void **state)
{
	(void)state;
	has_alertmanagers("0 200 0 -");
	redis_on_array("EVALSHA 8", "fresh", "58800000", "1764000015123", "e1");
	refresh_fleet(&refresh, &claim);
	assert_no_part(fetch_orders(), "/api/v2/alerts");
}

static void test_what_an_alertmanager_knows_is_read_after_the_post(void **state)
{
	const char *orders, *heard;

	(void)state;
	has_alertmanagers("0 200 0 -");
	refresh_fleet(&refresh, &claim);
	orders = fetch_orders();
	assert_part(orders, "http://a:9093/api/v2/alerts?filter=fleet%3D%22north%22 key= post= ");
	assert_part(orders, "http://a:9093/api/v2/silences key= post= ");
	assert_part(orders, "http://a:9093/api/v2/status key= post= ca= 1000 5000 70000\n");
	assert_int_equal(count_of(orders, "/api/v2/silences"), 1);
	heard = redis_heard();
	assert_true(strstr(heard, "EVALSHA 8 tft:cur:alertmanager tft:lock:alertmanager ") >
		    strstr(heard, "EVALSHA 8 tft:cur:alerts "));
	assert_part(heard, " body TFTr\1");
	assert_no_part(heard, "EVALSHA 2 tft:brk:alertmanager ");
	metrics_flush(metrics, cache);
	assert_part(redis_heard(), "alert_reads_total{result=\"ok\"} 1 ");
}

static void test_what_cannot_be_read_is_read_again_in_the_next_bucket(void **state)
{
	const char *heard;

	(void)state;
	has_alertmanagers("0 200 0 -");
	fetch_says("silences", "3 0 0 -");
	refresh_fleet(&refresh, &claim);
	heard = redis_heard();
	assert_part(heard, "EVALSHA 2 tft:brk:alertmanager tft:lock:alertmanager ");
	assert_part(heard, " 30000 60000 0 timed-out 0\n");
	assert_no_part(heard, "EVALSHA 2 tft:brk:alerts ");
	assert_no_part(heard, "TFTr");
	fetch_says("silences", "0 200 0 -");
	log_init(LOG_LEVEL_WARNING, LOG_FORMAT_LOGFMT, "web1");
	capture_start();
	readback_again(refresh.alerting, 1);
	assert_part(capture_end(),
		    " ev=alertmanager_unread alertmanager=2 result=not-understood\n");
	alerting_answers();
	capture_start();
	readback_again(refresh.alerting, 1);
	assert_string_equal(capture_end(), "");
	log_init(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, "web1");
	assert_part(fetch_orders(), "http://b:9093/api/v2/silences ");
	assert_part(redis_heard(), " not-understood 0\n");
	metrics_flush(metrics, cache);
	assert_part(redis_heard(), "alert_reads_total{result=\"not-understood\"} 1 ");
}

/* What was read in the bucket before; while nothing can be read, what the snapshot before has. */
static void test_pages_show_what_was_read_last(void **state)
{
	const struct silence silence = {
		.id = SPAN("1"),
		.author = SPAN("ann"),
		.comment = SPAN("swap"),
		.until_ms = NOW_MS + 60000,
		.matcher_count = 1,
		.matchers = {{SPAN("server"), SPAN("ppetl002"), false, true}}};
	const struct alertmanager head = {.read_ms = NOW_MS, .silences = {NULL, 1}};
	struct buf list, record, bytes;
	struct snapshot *before;
	const char *heard;

	(void)state;
	buf_init(&list, 1 << 20);
	buf_init(&record, 1 << 20);
	buf_init(&bytes, 1 << 20);
	silence_put(&silence, &list);
	alertmanager_put(&head, buf_span(&list), (struct span){NULL, 0}, &record);
	has_alertmanagers("0 200 0 -");
	redis_on_array("HMGET tft:cur:alertmanager", "58799999", "e1", "1763999985123", "-", "0");
	redis_on_entry("HMGET tft:alertmanager:58799999", "alertmanager", "-", buf_span(&record),
		       "");
	refresh_fleet(&refresh, &claim);
	assert_part(redis_heard(), "silenced until <time ");

	before = golden_snapshot("predictions_current-healthy-20");
	before->bucket = BUCKET - 1;
	before->interval_ms = 30000;
	before->gen_ms = NOW_MS - 30000;
	silenced_take(before, buf_span(&record));
	compact_encode(before, &bytes);
	redis_on("HMGET tft:alertmanager:58799999", "*0\r\n");
	redis_on_pointer("58799999", "e1", NOW_MS - 30000, "s0");
	redis_on_entry("HMGET tft:fleet:58799999", "fleet", "s0", buf_span(&bytes), "");
	redis_on_array("HMGET tft:brk:alertmanager", "timed-out", "1763999900000", "1764000020000");
	refresh_fleet(&refresh, &claim);
	heard = redis_heard();
	assert_part(heard, "silenced until <time ");
	assert_part(heard, "Silences cannot be read from the Alertmanager since ");
	snapshot_free(&before);
	buf_free(&list);
	buf_free(&record);
	buf_free(&bytes);
}

static void test_who_fails_tells_of_it(void **state)
{
	(void)state;
	has_alertmanagers("0 200 0 -");
	fetch_says("predictions", "13 403 60000 -");
	refresh_fleet(&refresh, &claim);
	assert_int_equal(count_of(fetch_orders(), "/api/v2/alerts "), 2);
}

/* What fired with the last data is told with it. */
static void test_who_fails_goes_on_with_what_fired(void **state)
{
	static const struct firing_rules rules = {LEVEL_DANGER, 1, 600000};
	struct snapshot *before = golden_snapshot("predictions_current-healthy-20");
	struct firing_outage outage = {0, 0};
	struct buf bytes;

	(void)state;
	buf_init(&bytes, 1 << 20);
	before->bucket = BUCKET - 1;
	before->interval_ms = 30000;
	before->gen_ms = NOW_MS - 30000;
	firing_step((struct span){NULL, 0}, &rules, &outage, before);
	compact_encode(before, &bytes);
	has_alertmanagers("0 200 0 -");
	redis_on_pointer("58799999", "e1", NOW_MS - 30000, "s0");
	redis_on_entry("HMGET tft:fleet:58799999", "fleet", "s0", buf_span(&bytes), "");
	alerts_repeat(refresh.alerting);
	assert_part(fetch_orders(), "\"alertname\":\"TftServerRisk\"");
	snapshot_free(&before);
	buf_free(&bytes);
}

static void test_without_redis_a_host_sends_what_it_has(void **state)
{
	const char *orders;

	(void)state;
	has_alertmanagers("0 200 0 -");
	redis_heard();
	alerts_alone(refresh.alerting, NULL, "cannot be reached", NOW_MS);
	orders = fetch_orders();
	assert_int_equal(count_of(orders, "\"alertname\":\"TftCacheOff\""), 2);
	assert_part(orders, "\"cause\":\"Redis cannot be reached\"");
	assert_string_equal(redis_heard(), "");
}

static void test_a_worker_that_was_stopped_does_not_call(void **state)
{
	(void)state;
	redis_on("EVALSHA 1 tft:lock:fleet", "-LOADING it\r\n");
	claim.leased_ms -= 1800;
	refresh_fleet(&refresh, &claim);
	assert_part(redis_heard(), " too-late 20 86400000\n");
	assert_no_part(fetch_orders(), "predictions");
}

/* Its values have been those of the previous snapshot for a long time. */
static void test_silent_servers_are_told_from_the_snapshot_before(void **state)
{
	struct snapshot *before = golden_snapshot("predictions_current-healthy-20");
	struct buf bytes;

	(void)state;
	before->bucket = BUCKET - 1;
	before->interval_ms = 30000;
	before->gen_ms = NOW_MS - 30000;
	for (size_t i = 0; i < before->count; i++) {
		before->servers[i].same_count = 100;
		before->servers[i].same_since_ms = NOW_MS - 3600000;
	}
	buf_init(&bytes, 1 << 20);
	compact_encode(before, &bytes);
	redis_on_pointer("58799999", "e1", NOW_MS - 30000, "s0");
	redis_on_entry("HMGET tft:fleet:58799999", "fleet", "s0", buf_span(&bytes), "");
	refresh_fleet(&refresh, &claim);
	assert_part(redis_heard(), "20 servers <a href=\"docs#word-silent\">silent</a>");
	snapshot_free(&before);
	buf_free(&bytes);
}

/* --- the small groups --- */

static void on_document(const char *group, const char *body, int64_t gen_ms)
{
	bool status = strcmp(group, "status") == 0;
	char gen[24];

	(void)snprintf(gen, sizeof(gen), "%lld", (long long)gen_ms);
	redis_on_array(status ? "HMGET tft:cur:status" : "HMGET tft:cur:scenario", "882000007",
		       "e1", gen, "-", "0");
	redis_on("GET tft:epoch:", "$2\r\ne1\r\n");
	redis_on_entry(status ? "HMGET tft:status:882000007" : "HMGET tft:scenario:882000007",
		       group, "-", span_str(body), "");
}

#define WARM                                                                                       \
	"{\"tick_count\":5,\"warmup\":{\"is_warmed_up\":true,\"progress_percent\":100,"            \
	"\"current_size\":200,\"required_size\":150}}"
#define PLAYED                                                                                     \
	"{\"scenario\":\"critical\",\"affected_servers\":[],\"total_affected\":0,\"fleet_size\":"  \
	"9}"

static void test_what_is_stored_of_the_small_groups(void **state)
{
	struct upstream_status s;

	(void)state;
	on_document("status", WARM, NOW_MS - 60000);
	on_document("scenario", PLAYED, NOW_MS - 60000);
	upstream_status_read(cache, true, &s);
	assert_true(s.warmup.known && s.warmup.done);
	assert_int_equal(s.warmup.at_ms, NOW_MS - 60000);
	assert_true(s.scenario.configured && s.scenario.known);
	assert_string_equal(s.scenario.name, "critical");
	assert_int_equal(s.scenario.at_ms, NOW_MS - 60000);
	assert_int_equal(s.scenario_reason, REASON_NONE);
	redis_heard();
	upstream_status_read(cache, false, &s);
	assert_no_part(redis_heard(), "cur:scenario");
	assert_false(s.scenario.configured);
	/* Older than a minute. */
	on_document("status", WARM, NOW_MS - 60001);
	redis_on_array("HMGET tft:brk:scenario", "connection-refused", "1", "2");
	upstream_status_read(cache, true, &s);
	assert_false(s.warmup.known);
	assert_false(s.scenario.known);
	assert_int_equal(s.scenario_reason, REASON_CONNECT);
	assert_string_equal(fetch_orders(), "");
}

static void test_only_what_is_stale_is_asked_for(void **state)
{
	struct upstream_status s;

	(void)state;
	on_document("status", WARM, NOW_MS - 1000);
	on_document("scenario", PLAYED, NOW_MS - 1000);
	upstream_status_renew(cache, upstream, true, &s);
	assert_string_equal(fetch_orders(), "");
	assert_string_equal(s.scenario.name, "critical");
	redis_on_array("HMGET tft:cur:scenario", "882000006", "e1", "1764000014000", "-", "0");
	upstream_status_renew(cache, upstream, true, &s);
	assert_string_equal(fetch_orders(), "4 http://generator:8001/scenario/status key= post= "
					    "ca=/ca.pem 1000 1500 60001\n");
	assert_string_equal(s.scenario.name, "degrading");
	assert_int_equal(s.scenario.at_ms, NOW_MS);
	/* Another worker holds the claim. */
	redis_on_array("EVALSHA 8", "busy", "882000007", "1764000015123", "e1", "900");
	upstream_status_renew(cache, upstream, true, &s);
	assert_string_equal(fetch_orders(), "");
}

static void test_an_answer_of_the_status_is_stored_with_its_ticks(void **state)
{
	struct upstream_status s;
	const char *heard;

	(void)state;
	upstream_status_renew(cache, upstream, false, &s);
	heard = redis_heard();
	assert_part(heard, ":status 30000 fmt 1 build - snap - route status gen 1764000015123 type "
			   "application/json ");
	assert_part(heard,
		    ",\"ticks\":{\"since\":0,\"seen\":1764000015123,\"still\":0,\"period\":0}}");
	assert_part(heard, "EVALSHA 19 tft:cur:status ");
	assert_part(heard, "EVALSHA 1 tft:said 60000 status ");
	/* The daemon answers: an attempt at the predictions may succeed. */
	assert_part(heard, "EVALSHA 1 tft:brk:fleet connection-refused name-not-found\n");
	assert_true(s.warmup.known);
	assert_int_equal(s.warmup.at_ms, NOW_MS);
}

/* The feed has not begun yet, which is a count as well. */
static void test_the_first_tick_is_counted_from_none(void **state)
{
	struct upstream_status s;

	(void)state;
	fetch_answers_text("status", "0 200",
			   "{\"warmup\":{\"is_warmed_up\":false,\"progress_percent\":0,"
			   "\"current_size\":0,\"required_size\":150},\"tick_count\":0}");
	upstream_status_renew(cache, upstream, false, &s);
	assert_part(redis_heard(), "\"tick_count\":0,\"ticks\":{\"since\":0,");
	fetch_forget();
}

static void test_a_feed_that_stands_still(void **state)
{
	struct upstream_status s;
	static const char body[] =
		"{\"tick_count\":189,\"warmup\":{\"is_warmed_up\":true,\"progress_percent\":100,"
		"\"current_size\":200,\"required_size\":150},\"ticks\":{\"since\":1764000000000,"
		"\"seen\":1764000005123,\"still\":5000,\"period\":1000}}";

	(void)state;
	/* 10 s of silence count as two intervals. */
	on_document("status", body, NOW_MS - 10000);
	redis_on_array("HMGET tft:cur:status", "882000006", "e1", "1764000005123", "-", "0");
	redis_on_entry("HMGET tft:status:882000006", "status", "-", span_str(body), "");
	upstream_status_read(cache, false, &s);
	assert_int_equal(s.warmup.still_since_ms, 0);
	upstream_status_renew(cache, upstream, false, &s);
	assert_int_equal(s.warmup.still_since_ms, 1764000000000);
	assert_part(redis_heard(), "\"still\":9000,\"period\":1000}}");
}

static void test_a_daemon_that_infers_is_silent_and_what_was_known_stays(void **state)
{
	struct upstream_status s;
	const char *heard;

	(void)state;
	on_document("status", WARM, NOW_MS - 3000);
	redis_on_array("HMGET tft:cur:status", "882000006", "e1", "1764000012123", "-", "0");
	redis_on_entry("HMGET tft:status:882000006", "status", "-", span_str(WARM), "");
	fetch_says("status", "3 0 0 -");
	upstream_status_renew(cache, upstream, false, &s);
	heard = redis_heard();
	assert_true(s.warmup.known);
	assert_no_part(heard, "EVALSHA 2 ");
	assert_no_part(heard, "tft:said 60000");
}

static void test_a_small_group_that_fails_is_unknown(void **state)
{
	struct upstream_status s;
	const char *heard;

	(void)state;
	fetch_says("status", "2 0 0 -");
	fetch_says("scenario", "3 0 0 -");
	upstream_status_renew(cache, upstream, true, &s);
	heard = redis_heard();
	assert_part(heard, "EVALSHA 2 tft:brk:status tft:lock:status ");
	assert_part(heard, " 2000 60000 0 connection-refused 1\n");
	assert_part(heard, "EVALSHA 1 tft:said 60000 status 1764000015123 -\n");
	assert_part(heard, " 2000 60000 0 timed-out 1\n");
	assert_part(heard, "EVALSHA 1 tft:said 60000 scenario 1764000015123 -\n");
	assert_false(s.warmup.known);
	assert_false(s.scenario.known);
	assert_true(s.scenario.configured);
	/* What was known of it until then goes, and the other one stays. */
	on_document("status", WARM, NOW_MS - 3000);
	on_document("scenario", PLAYED, NOW_MS - 1000);
	redis_on_array("HMGET tft:cur:status", "882000006", "e1", "1764000012123", "-", "0");
	redis_on_entry("HMGET tft:status:882000006", "status", "-", span_str(WARM), "");
	upstream_status_read(cache, true, &s);
	assert_true(s.warmup.known && s.scenario.known);
	upstream_status_renew(cache, upstream, true, &s);
	assert_false(s.warmup.known);
	assert_true(s.scenario.known);
	/* An answer without content. */
	fetch_says("status", "0 200 0 /dev/null");
	upstream_status_renew(cache, upstream, false, &s);
	assert_part(redis_heard(), " 2000 60000 0 not-understood 1\n");
}

static void test_a_commit_of_a_small_group_that_is_refused_says_nothing(void **state)
{
	struct upstream_status s;

	(void)state;
	redis_on_array("EVALSHA 19", "flushed", "882000007");
	upstream_status_renew(cache, upstream, true, &s);
	assert_no_part(redis_heard(), "tft:said 60000");
}

static void test_the_scenario_is_confirmed_whoever_asks(void **state)
{
	struct scenario after;
	const char *heard;

	(void)state;
	upstream_status_confirm_scenario(cache, upstream, &after);
	heard = redis_heard();
	assert_part(heard, "SET tft:epoch:scenario ");
	assert_part(heard, "EVALSHA 19 tft:cur:scenario ");
	assert_string_equal(after.name, "degrading");
	assert_true(after.configured);
	redis_on_array("EVALSHA 8", "busy", "882000007", "1764000015123", "e1", "900");
	upstream_status_confirm_scenario(cache, upstream, &after);
	assert_no_part(redis_heard(), "EVALSHA 19 ");
	assert_string_equal(after.name, "degrading");
	fetch_says("scenario", "2 0 0 -");
	upstream_status_confirm_scenario(cache, upstream, &after);
	assert_false(after.known);
	assert_true(after.configured);
}

static void test_equal_digests_say_equal_words(void **state)
{
	struct upstream_status a = {.warmup = {.known = true, .done = true},
				    .scenario = {.known = true, .name = "degrading"}},
			       b = a;
	char x[HASH_HEX], y[HASH_HEX];

	(void)state;
#define DIFFER(group, is)                                                                          \
	upstream_status_digest(&a, (group), x);                                                    \
	upstream_status_digest(&b, (group), y);                                                    \
	assert_int_equal(strcmp(x, y) != 0, (is))
	b.warmup.current_size = 7; /* not reported once it has warmed up */
	DIFFER(CACHE_STATUS, false);
	a.warmup.done = b.warmup.done = false;
	DIFFER(CACHE_STATUS, true);
	b.warmup.current_size = 0;
	b.warmup.still_since_ms = 5;
	DIFFER(CACHE_STATUS, true);
	b.scenario.affected = 1;
	DIFFER(CACHE_SCENARIO, true);
	a.scenario.affected = 1;
	b.scenario.name_count = a.scenario.name_count = 1;
	(void)snprintf(a.scenario.names[0], sizeof(a.scenario.names[0]), "%s", "a");
	(void)snprintf(b.scenario.names[0], sizeof(b.scenario.names[0]), "%s", "b");
	DIFFER(CACHE_SCENARIO, true);
	b.scenario = a.scenario;
	a.scenario.affected = b.scenario.affected = SCENARIO_NAMES;
	a.scenario.name_count = b.scenario.name_count = SCENARIO_NAMES;
	b.scenario.at_ms = NOW_MS; /* asked at another time */
	DIFFER(CACHE_SCENARIO, false);
	(void)snprintf(b.scenario.names[SCENARIO_NAMES - 1], sizeof(b.scenario.names[0]), "b");
	DIFFER(CACHE_SCENARIO, true);
	/* It names only some of the affected servers, and it does not matter which. */
	a.scenario.affected = b.scenario.affected = SCENARIO_NAMES + 1;
	DIFFER(CACHE_SCENARIO, false);
	b.scenario.known = b.warmup.known = false;
	upstream_status_digest(&b, CACHE_STATUS, y);
	assert_string_equal(y, "-");
	upstream_status_digest(&b, CACHE_SCENARIO, y);
	assert_string_equal(y, "-");
}

static void test_both_are_asked_without_a_cache(void **state)
{
	struct upstream_status s;

	(void)state;
	upstream_status_fetch(upstream, true, &s);
	assert_true(s.warmup.known && s.scenario.known);
	assert_int_equal(s.warmup.at_ms, 0);
	fetch_orders();
	upstream_status_fetch(upstream, false, &s);
	assert_true(s.warmup.known);
	assert_false(s.scenario.known);
	assert_no_part(fetch_orders(), "scenario");
	fetch_says("status", "2 0 0 -");
	upstream_status_fetch(upstream, true, &s);
	assert_false(s.warmup.known);
	assert_true(s.scenario.known);
}

/* --- a worker without Redis --- */

static char host_path[] = "/tmp/tft-host-XXXXXX"; /* of a directory */

static void remove_socket(void)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/sock", host_path);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/sock.calls", host_path);
	(void)unlink(path);
}

/* A listen socket with a path, as the workers of a host share one. */
static int listen_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	remove_socket();
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/sock", host_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static struct local_config config = {.interval_ms = 30000,
				     .workers = 3,
				     .workers_total = 6,
				     .calls_per_minute = 26,
				     .scenario_configured = true};

/* How long until it is due again, at most 20 minutes; 0: at once. */
static int64_t time_due(struct local *local)
{
	int64_t ms = 0;

	while (!local_due(local) && ms < 20 * MINUTE) {
		pass_ms(100);
		ms += 100;
	}
	return ms;
}

static void test_a_worker_alone_keeps_its_own_snapshot(void **state)
{
	struct condition condition = {0};
	const struct snapshot *snap;
	struct local *local;
	int64_t began = clock_wall_ms();

	(void)state;
	config.host_fd = listen_socket();
	local = local_new(&config);
	assert_true(local_due(local));
	assert_null(local_snapshot(local));
	local_refresh(local, upstream);
	snap = local_snapshot(local);
	assert_non_null(snap);
	assert_int_equal(snap->count, 20);
	assert_int_equal(snap->gen_ms, began);
	assert_int_equal(snap->bucket, began / 30000);
	assert_int_equal(snap->interval_ms, 30000);
	assert_int_equal(strlen(snap->id), 16);
	assert_true(snap->warmup.known && snap->scenario.known);
	assert_in_range(snap->served.bytes, 100000, 5000000);
	assert_int_equal(local_age_ms(local), 0);
	local_condition(local, &condition);
	assert_int_equal(condition.reason, REASON_NONE);
	assert_in_range(condition.next_try_ms - clock_wall_ms(), 30000, 36000);
	assert_in_range(time_due(local), 30000, 36000);
	local_drop(local);
	assert_null(local_snapshot(local));
	local_free(&local);
	(void)close(config.host_fd);
}

/* Hysteresis is its own: it fires with the second snapshot, and as long as it is there. */
static void test_a_worker_alone_goes_on_with_the_alerts(void **state)
{
	static const struct firing_rules rules = {LEVEL_DANGER, 2, 600000};
	static const size_t told[] = {0, 1, 1};
	struct local_config c = config;
	struct local *local;

	(void)state;
	has_alertmanagers("0 200 0 -");
	c.host_fd = listen_socket();
	c.firing_rules = &rules;
	local = local_new(&c);
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		local_refresh(local, upstream);
		fetch_orders();
		alerts_alone(refresh.alerting, local_snapshot(local), "cannot be reached", NOW_MS);
		assert_int_equal(count_of(fetch_orders(), "\"severity\":\"danger\",\"fleet\":"
							  "\"north\",\"server\""),
				 2 * told[i]); /* to either Alertmanager */
		(void)time_due(local);
	}
	local_free(&local);
	(void)close(c.host_fd);
}

/* All workers of a host together. */
static void test_a_host_alone_tells_once_an_interval(void **state)
{
	struct local *first, *second;
	int next_fd;

	(void)state;
	config.host_fd = listen_socket();
	next_fd = dup(config.host_fd);
	(void)close(next_fd);
	first = local_new(&config);
	second = local_new(&config);
	for (int i = 0; i < 2; i++) {
		assert_true(local_alerts_due(first));
		assert_true(local_take_alerts(first));
		assert_false(local_take_alerts(second));
		assert_false(local_alerts_due(first));
		pass_ms(30000);
	}
	local_free(&first);
	local_free(&second);
	assert_int_equal(dup(config.host_fd), next_fd); /* none is left open */
	(void)close(next_fd);
	(void)close(config.host_fd);
}

static void test_failures_in_a_row_wait_longer(void **state)
{
	static const int64_t waits[] = {30000, 60000, 60000, 60000};
	struct condition condition = {0};
	struct local *local;
	int64_t since = 0;

	(void)state;
	config.host_fd = listen_socket();
	local = local_new(&config);
	fetch_says("predictions", "2 0 0 -");
	for (size_t i = 0; i < 4; i++) {
		local_refresh(local, upstream);
		local_condition(local, &condition);
		assert_int_equal(condition.reason, REASON_CONNECT);
		if (i == 0)
			since = condition.since_ms;
		assert_int_equal(condition.since_ms, since);
		assert_in_range(time_due(local), waits[i], waits[i] * 12 / 10 + 100);
	}
	fetch_says("predictions", "15 429 300000 -");
	local_refresh(local, upstream);
	assert_in_range(time_due(local), 300000, 300100);
	local_condition(local, &condition);
	assert_true(condition.since_ms > since);
	/* An answer that is not a fault does not count. */
	fetch_answers("predictions", HEALTHY);
	local_refresh(local, upstream);
	assert_in_range(time_due(local), 30000, 36100);
	fetch_says("predictions", "2 0 0 -");
	local_refresh(local, upstream);
	assert_in_range(time_due(local), 30000, 36100);
	local_free(&local);
	(void)close(config.host_fd);
}

/* All workers together keep within the budget. */
static void test_each_worker_has_its_share_of_the_budget(void **state)
{
	static const struct {
		int64_t workers, calls, ms;
	} rows[] = {{1, 26, 30000},   {13, 26, 30000},  {14, 26, 60000}, {26, 26, 60000},
		    {27, 26, 120000}, {52, 26, 120000}, {53, 26, 180000}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct local_config c = config;
		struct local *local;

		c.host_fd = listen_socket();
		c.workers = 1;
		c.workers_total = rows[i].workers;
		c.calls_per_minute = rows[i].calls;
		local = local_new(&c);
		local_refresh(local, upstream);
		assert_in_range(time_due(local), rows[i].ms, rows[i].ms * 12 / 10 + 100);
		local_free(&local);
		(void)close(c.host_fd);
	}
}

/* A new worker sees the calls of its predecessors. */
static void test_a_host_makes_its_share_of_calls_and_no_more(void **state)
{
	struct local_config c = config;

	(void)state;
	c.host_fd = listen_socket();
	for (int i = 0; i < 4; i++) {
		struct local *local = local_new(&c);

		local_refresh(local, upstream);
		assert_int_equal(local_snapshot(local) != NULL, i < 3);
		if (i == 3) /* checks again soon */
			assert_int_equal(time_due(local), 1000);
		local_free(&local);
	}
	pass_ms(MINUTE);
	fetch_orders();

	struct local *local = local_new(&c);

	local_refresh(local, upstream);
	assert_part(fetch_orders(), "predictions");
	local_free(&local);
	(void)close(c.host_fd);
}

static void test_without_a_file_a_worker_begins_late(void **state)
{
	struct local_config c = config;
	struct local *local;

	(void)state;
	c.host_fd = -1;
	local = local_new(&c);
	assert_in_range(time_due(local), 30000, 36100);
	local_free(&local);
}

static void test_a_snapshot_of_the_shared_cache_is_kept(void **state)
{
	struct snapshot *snap = snapshot_new();
	struct local *local;
	struct buf bytes;

	(void)state;
	snap->gen_ms = NOW_MS;
	snap->interval_ms = 30000;
	assert_non_null(snapshot_add(snap, SPAN("a")));
	assert_int_equal(snapshot_seal(snap), 0);
	buf_init(&bytes, 1 << 20);
	compact_encode(snap, &bytes);
	config.host_fd = listen_socket();
	local = local_new(&config);
	assert_false(local_has(local, "s1"));
	local_keep(local, "s1", buf_span(&bytes), 4000);
	assert_true(local_has(local, "s1"));
	assert_int_equal(local_age_ms(local), 4000);
	/* Neither an older snapshot nor one of the same age replaces it. */
	local_keep(local, "s2", buf_span(&bytes), 4000);
	assert_false(local_has(local, "s2"));
	/* It counts like one's own: no call until it is old. */
	assert_int_equal(time_due(local), 26000);
	assert_int_equal(local_snapshot(local)->count, 1);
	assert_non_null(local_snapshot(local));
	local_keep(local, "s3", buf_span(&bytes), 29999);
	assert_true(local_has(local, "s3"));
	local_drop(local);
	assert_false(local_has(local, "s3"));
	assert_null(local_snapshot(local));
	local_free(&local);
	(void)close(config.host_fd);
	snapshot_free(&snap);
	buf_free(&bytes);
}

/* --- the lease of a long call --- */

/* The first extension, before the call, fails; the clock stands still. */
static size_t extended_while_bytes_arrive(int64_t leased_ms_ago)
{
	redis_on("EVALSHA 1 tft:lock:fleet", "-LOADING it\r\n");
	redis_once();
	claim.leased_ms = clock_mono_ms() - leased_ms_ago;
	refresh_fleet(&refresh, &claim);
	return count_of(redis_heard(), "EVALSHA 1 tft:lock:fleet") - 1;
}

static void test_bytes_extend_the_lease_once_a_second(void **state)
{
	(void)state;
	assert_int_equal(extended_while_bytes_arrive(999), 0);
	assert_int_equal(extended_while_bytes_arrive(1000), 1);
	/* The daemon refuses: there are no bytes. */
	fetch_says("predictions", "15 429 4000 -");
	assert_int_equal(extended_while_bytes_arrive(1000), 0);
}

static void test_a_lease_lost_during_the_call_ends_it(void **state)
{
	const char *heard;

	(void)state;
	redis_on_array("EVALSHA 1 tft:lock:fleet", "lost");
	redis_on("EVALSHA 1 tft:lock:fleet", "-LOADING it\r\n");
	redis_once();
	claim.leased_ms = clock_mono_ms() - 1000;
	refresh_fleet(&refresh, &claim);
	heard = redis_heard();
	assert_part(heard, " lost 20 86400000\n");
	assert_no_part(heard, "tft:s:" TOKEN);
	assert_no_part(heard, "EVALSHA 2 tft:brk");
	assert_part(fetch_orders(), "predictions");
}

/* --- what the operator is told --- */

static const char *log_of_a_refresh(void)
{
	const char *log;

	log_init(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, "web1");
	capture_start();
	refresh_fleet(&refresh, &claim);
	log = capture_end();
	log_init(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, "web1");
	return log;
}

static void test_a_refresh_is_one_line_of_the_log(void **state)
{
	const char *log;

	(void)state;
	log = log_of_a_refresh();
	assert_part(log, " level=info ");
	assert_part(log, " ev=refresh bucket=58800000 result=ok status=200 bytes=");
	assert_part(log, " fetch_ms=0 total_ms=0 servers=20\n");
	assert_no_part(log, "damaged");
	fetch_says("predictions", "15 429 4000 -");
	log = log_of_a_refresh();
	assert_part(log, " level=warning ");
	assert_part(log,
		    " ev=refresh_failed bucket=58800000 result=not-understood status=429 bytes=0 ");
	assert_part(log, " servers=0\n");
	assert_no_part(log, " ev=refresh ");
}

static void test_damaged_incidents_are_told(void **state)
{
	(void)state;
	redis_on("XRANGE tfthist:risk", "*0\r\n");
	redis_on("XREVRANGE", "*0\r\n");
	redis_on("XREVRANGE tfthist:full",
		 "*1\r\n*2\r\n$15\r\n1763999970000-0\r\n*4\r\n$1\r\nm\r\n$1\r\nx\r\n$1\r\no\r\n"
		 "$8\r\nnonsense\r\n");
	assert_part(log_of_a_refresh(), " ev=moment_damaged record=incidents at=1763999970000\n");
}

static void test_a_damaged_hour_of_warnings_is_told(void **state)
{
	(void)state;
	redis_on("XREVRANGE tfthist:warnings",
		 "*1\r\n*2\r\n$15\r\n1763999970000-0\r\n*2\r\n$1\r\nw\r\n$8\r\nnonsense\r\n");
	assert_part(log_of_a_refresh(), " ev=moment_damaged record=warnings at=1763999970000\n");
}

/* The clock stands still, so each step takes 0 s. */
static void test_the_duration_of_each_step_is_counted(void **state)
{
	const char *heard;

	(void)state;
	refresh_fleet(&refresh, &claim);
	redis_heard();
	metrics_flush(metrics, cache);
	heard = redis_heard();
	assert_part(heard, "_sum{step=\"fetch\"} 0");
	assert_part(heard, "_sum{step=\"stage\"} 0");
	assert_part(heard, "_sum{step=\"commit\"} 0");
}

/* Without a last moment, nobody knows which forecasts have come due. */
static void test_the_first_moment_scores_nothing(void **state)
{
	const char *heard;

	(void)state;
	refresh_fleet(&refresh, &claim);
	heard = redis_heard();
	assert_part(heard, " seen 0 ");
	assert_no_part(heard, "XREVRANGE tfthist:forecasts ");
	assert_no_part(heard, "XREVRANGE tfthist:accuracy ");
}

/* Workers without Redis call at times that are spread over a fifth of the interval. */
static void test_workers_without_redis_spread(void **state)
{
	static const int64_t late_ms[] = {0, 3000, 5999};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct local *local = local_new(&config);

		clock_us += 6000 - clock_us % 6000 + late_ms[i];
		local_refresh(local, upstream);
		pass_ms(30000 + late_ms[i] - 1);
		assert_false(local_due(local));
		pass_ms(1);
		assert_true(local_due(local));
		local_free(&local);
	}
}

/* tft-fetch hands an answer over in pieces of 9000 bytes. */
static void test_a_long_answer_of_a_small_group_is_read_whole(void **state)
{
	char path[] = "/tmp/tft-status-XXXXXX", script[64];
	struct upstream_status s;
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");

	(void)state;
	assert_non_null(file);
	(void)fprintf(file,
		      "{\"tick_count\":5,%*s\"warmup\":{\"is_warmed_up\":true,"
		      "\"progress_percent\":100,\"current_size\":200,\"required_size\":150}}",
		      30000, "");
	assert_int_equal(fclose(file), 0);
	(void)snprintf(script, sizeof(script), "0 200 0 %s", path);
	fetch_says("status", script);
	upstream_status_renew(cache, upstream, false, &s);
	assert_true(s.warmup.known && s.warmup.done);
	assert_int_equal(unlink(path), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_all, close_all)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_a_refresh_publishes_every_page),
		TEST(test_scores_that_redis_refuses),
		TEST(test_pages_tell_how_many_calls_are_left),
		TEST(test_pages_repeat_the_small_groups),
		TEST(test_the_overview_tells_whether_there_is_an_earlier_moment),
		TEST(test_a_refresh_takes_incidents_a_step_further),
		TEST(test_forecasts_that_are_due_are_read_and_scored),
		TEST(test_without_an_answer_no_step_is_taken),
		TEST(test_a_call_that_fails_opens_the_breaker),
		TEST(test_what_cannot_be_staged_fails),
		TEST(test_forecasts_of_many_servers_are_staged_in_parts),
		TEST(test_the_last_part_ends_with_the_fleet),
		TEST(test_a_commit_that_is_refused),
		TEST(test_a_lease_that_is_lost_ends_the_refresh),
		TEST(test_alerts_are_sent_after_the_commit),
		TEST(test_alerts_that_nobody_takes_are_due_again_in_the_next_bucket),
		TEST(test_another_worker_has_sent_the_alerts_of_this_bucket),
		TEST(test_what_an_alertmanager_knows_is_read_after_the_post),
		TEST(test_what_cannot_be_read_is_read_again_in_the_next_bucket),
		TEST(test_pages_show_what_was_read_last),
		TEST(test_who_fails_tells_of_it),
		TEST(test_who_fails_goes_on_with_what_fired),
		TEST(test_without_redis_a_host_sends_what_it_has),
		TEST(test_a_worker_that_was_stopped_does_not_call),
		TEST(test_silent_servers_are_told_from_the_snapshot_before),
		TEST(test_what_is_stored_of_the_small_groups),
		TEST(test_only_what_is_stale_is_asked_for),
		TEST(test_an_answer_of_the_status_is_stored_with_its_ticks),
		TEST(test_the_first_tick_is_counted_from_none),
		TEST(test_a_feed_that_stands_still),
		TEST(test_a_daemon_that_infers_is_silent_and_what_was_known_stays),
		TEST(test_a_small_group_that_fails_is_unknown),
		TEST(test_a_commit_of_a_small_group_that_is_refused_says_nothing),
		TEST(test_the_scenario_is_confirmed_whoever_asks),
		TEST(test_equal_digests_say_equal_words),
		TEST(test_both_are_asked_without_a_cache),
		TEST(test_a_worker_alone_keeps_its_own_snapshot),
		TEST(test_a_worker_alone_goes_on_with_the_alerts),
		TEST(test_a_host_alone_tells_once_an_interval),
		TEST(test_failures_in_a_row_wait_longer),
		TEST(test_each_worker_has_its_share_of_the_budget),
		TEST(test_a_host_makes_its_share_of_calls_and_no_more),
		TEST(test_without_a_file_a_worker_begins_late),
		TEST(test_a_snapshot_of_the_shared_cache_is_kept),
		TEST(test_bytes_extend_the_lease_once_a_second),
		TEST(test_a_lease_lost_during_the_call_ends_it),
		TEST(test_a_refresh_is_one_line_of_the_log),
		TEST(test_damaged_incidents_are_told),
		TEST(test_a_damaged_hour_of_warnings_is_told),
		TEST(test_the_duration_of_each_step_is_counted),
		TEST(test_the_first_moment_scores_nothing),
		TEST(test_workers_without_redis_spread),
		TEST(test_a_long_answer_of_a_small_group_is_read_whole),
	};
	int failed;

	if (fake_fetch_runs(argc, argv))
		return 0;
	assert_non_null(mkdtemp(host_path));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	remove_socket();
	(void)rmdir(host_path);
	(void)unlink(orders_path);
	return failed;
}
