/* SPDX-License-Identifier: MIT */
/* Alerts from bucket to bucket: when they fire and when they are over; their record; what is sent. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "base/bytes.h"
#include "fleet/compact.h"
#include "fleet/firing.h"
#include "pages/alert_json.h"

#define SECOND   INT64_C(1000)
#define MINUTE   (60 * SECOND)
#define INTERVAL (30 * SECOND)
#define FIRST    INT64_C(1764000000000)

/* A fleet whose servers the test sets bucket by bucket. */
static struct {
	struct firing_rules rules;
	struct firing_outage outage; /* of the next step */
	int64_t bucket;
	struct snapshot *snap, *previous; /* the next one, and the one before */
	struct firings firings;           /* after the last step */
} run;

static int begin(void **state)
{
	(void)state;
	memset(&run, 0, sizeof(run));
	run.rules = (struct firing_rules){LEVEL_DANGER, 2, 10 * MINUTE};
	run.bucket = FIRST / INTERVAL;
	run.snap = snapshot_new();
	firings_init(&run.firings);
	return run.snap ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	snapshot_free(&run.snap);
	snapshot_free(&run.previous);
	firings_free(&run.firings);
	return 0;
}

static struct server *has(const char *name, int risk)
{
	struct server *s = snapshot_add(run.snap, span_str(name));

	s->risk = risk;
	s->has_data = true;
	s->fingerprint = (uint64_t)run.bucket;
	return s;
}

/* So many that nobody alone is the environment. */
static void has_healthy(void)
{
	char name[32];

	for (int i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof(name), "well%02d", i);
		has(name, 100);
	}
}

/* Carried through Redis to the next worker. */
static void step(void)
{
	struct span none = {NULL, 0};
	struct buf stored;

	run.snap->bucket = run.bucket;
	run.snap->interval_ms = INTERVAL;
	run.snap->gen_ms = run.bucket++ * INTERVAL + 123;
	assert_int_equal(snapshot_seal(run.snap), 0);
	snapshot_carry(run.snap, run.previous);
	firing_step(run.previous ? buf_span(&run.previous->firing) : none, &run.rules, &run.outage,
		    run.snap);
	run.outage = (struct firing_outage){0};
	snapshot_free(&run.previous);
	buf_init(&stored, 1 << 24);
	compact_encode(run.snap, &stored);
	run.previous = compact_decode(buf_span(&stored));
	assert_non_null(run.previous);
	buf_free(&stored);
	snapshot_free(&run.snap);
	run.snap = snapshot_new();
	firings_free(&run.firings);
	firings_read(&run.firings, buf_span(&run.previous->firing));
}

static void step_with(const char *name, int risk)
{
	has_healthy();
	if (risk)
		has(name, risk);
	step();
}

/* All that fires (+) or is over (-), in one line: "+danger db1 60". The number is since when, or
 * until when, in seconds after the first bucket. */
static const char *told(void)
{
	static char text[2000];
	const struct firing *f = firings_list(&run.firings);
	size_t at = 0;

	*text = '\0';
	for (size_t i = 0; i < firings_count(&run.firings); i++) {
		struct span name = firing_name(&run.firings, &f[i]);

		if (f[i].phase != FIRING_PENDING)
			at += (size_t)snprintf(
				text + at, sizeof(text) - at, "%s%c%d %s %.*s %lld", at ? ", " : "",
				f[i].phase == FIRING_ON ? '+' : '-', f[i].kind,
				level_table[f[i].severity].slug, (int)name.len, name.ptr,
				(long long)((f[i].phase == FIRING_ON ? f[i].from_ms : f[i].to_ms) -
					    FIRST) /
					SECOND);
	}
	return text;
}

static void test_it_fires_in_the_second_bucket_and_is_over_after_two_without(void **state)
{
	(void)state;
	step_with("db1", 720);
	assert_string_equal(told(), "");
	step_with("db1", 740);
	assert_string_equal(told(), "+0 danger db1 0");
	step_with("db1", 100);
	assert_string_equal(told(), "+0 danger db1 0");
	step_with("db1", 100);
	assert_string_equal(told(), "-0 danger db1 60");
}

static void test_it_neither_fires_nor_ends_while_levels_change_from_bucket_to_bucket(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		step_with("db1", i % 2 ? 100 : 720);
		assert_string_equal(told(), "");
	}
	step_with("db1", 720);
	step_with("db1", 720);
	assert_string_equal(told(), "+0 danger db1 180");
	for (int i = 0; i < 6; i++) {
		step_with("db1", i % 2 ? 720 : 100);
		assert_string_equal(told(), "+0 danger db1 180");
	}
}

static void test_each_level_is_an_alert_of_its_own(void **state)
{
	(void)state;
	step_with("db1", 720);
	step_with("db1", 950);
	step_with("db1", 950);
	assert_string_equal(told(), "+0 imminent db1 30, +0 critical db1 30, +0 danger db1 0");
	step_with("db1", 720);
	step_with("db1", 720);
	assert_string_equal(told(), "-0 imminent db1 90, -0 critical db1 90, +0 danger db1 0");
}

static void test_milder_levels_fire_if_they_are_asked_for(void **state)
{
	(void)state;
	run.rules.from = LEVEL_WATCH;
	run.rules.after = 1;
	step_with("db1", 350);
	assert_string_equal(told(), "+0 watch db1 0");
}

static void test_the_end_is_told_for_five_minutes(void **state)
{
	(void)state;
	run.rules.after = 1;
	step_with("db1", 720);
	for (int i = 0; i < 10; i++) {
		step_with("db1", 100);
		assert_string_equal(told(), "-0 danger db1 30");
	}
	step_with("db1", 100);
	assert_string_equal(told(), "");
}

static void test_a_server_that_is_gone_is_over(void **state)
{
	(void)state;
	step_with("db1", 720);
	step_with("db1", 720);
	step_with("db1", 0);
	step_with("db1", 0);
	assert_string_equal(told(), "-0 danger db1 60");
	step_with("db1", 720);
	step_with("db1", 720);
	assert_string_equal(told(), "+0 danger db1 120");
}

/* A flush has the same bucket made once more. */
static void test_a_bucket_that_is_made_twice_counts_once(void **state)
{
	(void)state;
	step_with("db1", 720);
	run.bucket--;
	step_with("db1", 720);
	assert_string_equal(told(), "");
	step_with("db1", 720);
	assert_string_equal(told(), "+0 danger db1 0");
}

static void test_the_environment(void **state)
{
	(void)state;
	run.rules.after = 1;
	for (int i = 0; i < 5; i++)
		has(i ? "a" : "b", 100);
	has("hot", 850);
	step();
	assert_string_equal(told(), "+0 critical hot 0, +0 danger hot 0, +4 critical  0, "
				    "+4 warning  0");
}

static void test_the_environment_at_warning(void **state)
{
	(void)state;
	run.rules.after = 1;
	run.rules.from = LEVEL_IMMINENT;
	has("a", 100);
	has("b", 100);
	has("e", 100);
	has("c", 720);
	has("d", 720);
	step();
	assert_string_equal(told(), "+4 warning  0");
}

static void cross(struct server *server, uint8_t steps, bool critical)
{
	server->crossings[CROSSING_MEM_USED] = (struct crossing){steps, critical, 99};
}

static void test_limits_that_the_forecast_crosses_soon(void **state)
{
	(void)state;
	run.rules.after = 1;
	cross(has("late", 100), 7, true);
	cross(has("soon", 100), 6, true);
	cross(has("warn", 100), 1, false);
	step();
	assert_string_equal(told(), "+1 critical soon 0, +1 warning soon 0, +1 warning warn 0");
}

/* Those of one server by their limits, whichever was seen first. */
static void test_several_crossings_of_one_server(void **state)
{
	(void)state;
	run.rules.after = 1;
	for (int i = 0; i < 3; i++) {
		struct server *server = has("x", 100);

		for (int k = 0; k < CROSSINGS; k++)
			server->crossings[k] =
				(struct crossing){(uint8_t)(i != 1 || k % 2), false, 99};
		has_healthy();
		step();
		for (size_t k = 1; k < firings_count(&run.firings); k++)
			assert_true(firings_list(&run.firings)[k - 1].part <
				    firings_list(&run.firings)[k].part);
	}
	assert_int_equal(firings_count(&run.firings), CROSSINGS);
}

static void test_silent_servers_and_a_silent_feed(void **state)
{
	(void)state;
	run.rules.after = 1;
	for (int i = 0; i < 4; i++) {
		has("mute", 100)->fingerprint = 7;
		has("other", 100);
		step();
	}
	assert_string_equal(told(), "+2 warning mute 0");
	run.snap->warmup.still_since_ms = FIRST + 50 * SECOND;
	has("mute", 100)->fingerprint = 8;
	step();
	assert_string_equal(told(), "-2 warning mute 120, +3 critical  50");
}

/* They are told as over, because nobody else knows that they were. */
static void test_an_outage_that_has_ended(void **state)
{
	(void)state;
	run.bucket += 100;
	run.outage = (struct firing_outage){.data_ms = FIRST, .key_ms = FIRST + MINUTE};
	step_with("db1", 0);
	assert_string_equal(told(), "-5 critical  3000, -6 critical  3000");
	step_with("db1", 0);
	run.outage = (struct firing_outage){.data_ms = run.previous->gen_ms};
	step_with("db1", 0);
	assert_string_equal(told(), "-5 critical  3000, -6 critical  3000");
	run.bucket += 100;
	run.outage = (struct firing_outage){.data_ms = run.previous->gen_ms};
	step_with("db1", 0);
	assert_string_equal(told(), "-5 critical  6090");
}

static void without_data(int64_t now_ms, int64_t key_ms)
{
	struct firing_outage outage = {.data_ms = run.previous->gen_ms, .key_ms = key_ms};

	firings_free(&run.firings);
	firing_without_data(run.previous, &run.rules, &outage, now_ms, &run.firings);
}

static void test_while_no_data_come(void **state)
{
	(void)state;
	step_with("db1", 720);
	step_with("db1", 720);
	without_data(FIRST + 5 * MINUTE, 0);
	assert_string_equal(told(), "+0 danger db1 0");
	without_data(FIRST + 5 * MINUTE, FIRST + MINUTE);
	assert_string_equal(told(), "+0 danger db1 0, +6 critical  60");
	/* Nobody should act on them any more. */
	without_data(FIRST + 20 * MINUTE, 0);
	assert_string_equal(told(), "+5 critical  630");
}

static void read_record(struct span record)
{
	firings_free(&run.firings);
	firings_read(&run.firings, record);
}

static void test_a_damaged_record_has_no_alerts(void **state)
{
	char bytes[512];
	size_t len;

	(void)state;
	run.rules.after = 1;
	step_with("db1", 950);
	len = run.previous->firing.len;
	assert_in_range(len, 60, sizeof(bytes));
	memcpy(bytes, run.previous->firing.data, len);
	read_record((struct span){bytes, len});
	assert_int_equal(firings_count(&run.firings), 3);
	for (size_t cut = 1; cut < 20; cut++) {
		read_record((struct span){bytes, len - cut});
		assert_int_equal(firings_count(&run.firings), 0);
	}
	for (size_t i = 0; i < len; i++) {
		bytes[i] = (char)~bytes[i];
		read_record((struct span){bytes, len});
		bytes[i] = (char)~bytes[i];
	}
}

/* Of a stranger: twice the same, out of order, of the future. */
static void test_a_strange_record(void **state)
{
	struct buf record;

	(void)state;
	run.rules.after = 1;
	step_with("db1", 720);
	buf_init(&record, 4096);
	buf_span_add(&record, buf_span(&run.previous->firing));
	buf_add(&record, run.previous->firing.data + 5, run.previous->firing.len - 5);
	buf_reset(&run.previous->firing);
	buf_span_add(&run.previous->firing, buf_span(&record));
	step_with("db1", 720);
	assert_string_equal(told(), "+0 danger db1 0");
	run.bucket -= 100;
	step_with("db1", 720);
	assert_string_equal(told(), "+0 danger db1 -2940");
	buf_free(&record);
}

/* One entry, as another program may write it. */
static struct span entry_of(struct buf *out, const uint8_t numbers[4], const int64_t times_ms[3],
			    const char *name)
{
	buf_reset(out);
	bytes_put_magic(out, "TFTw", 1);
	for (int i = 0; i < 4; i++)
		bytes_put_int(out, numbers[i], 1);
	for (int i = 0; i < 3; i++)
		bytes_put_int(out, (uint64_t)times_ms[i], 6);
	bytes_put_text(out, span_str(name));
	return buf_span(out);
}

static void test_an_entry_that_cannot_be(void **state)
{
	static const int64_t times_ms[3];
	static const struct {
		uint8_t numbers[4];
		const char *name;
		size_t count;
	} rows[] = {
		{{FIRING_RISK, LEVEL_WATCH, 0, FIRING_OVER}, "a", 1},
		{{FIRING_RISK, LEVEL_WATCH + 1, 0, FIRING_ON}, "a", 0},
		{{FIRING_RISK, LEVEL_WATCH, 0, FIRING_PHASES}, "a", 0},
		{{FIRING_CROSSING, LEVEL_WARNING, CROSSINGS - 1, FIRING_ON}, "a", 1},
		{{FIRING_CROSSING, LEVEL_WARNING, CROSSINGS, FIRING_ON}, "a", 0},
		{{FIRING_SILENT, LEVEL_WARNING, 0, FIRING_ON}, "a", 1},
		{{FIRING_SILENT, LEVEL_WARNING, 0, FIRING_ON}, "", 0},
		{{FIRING_SILENT, LEVEL_WARNING, 0, FIRING_ON}, "\xff", 0},
		{{FIRING_FEED, LEVEL_CRITICAL, 0, FIRING_ON}, "", 1},
		{{FIRING_FEED, LEVEL_CRITICAL, 0, FIRING_ON}, "a", 0},
		{{FIRING_KINDS - 1, LEVEL_CRITICAL, 0, FIRING_ON}, "", 1},
		{{FIRING_KINDS, LEVEL_CRITICAL, 0, FIRING_ON}, "", 0},
	};
	struct buf record;

	(void)state;
	buf_init(&record, 4096);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		read_record(entry_of(&record, rows[i].numbers, times_ms, rows[i].name));
		if (firings_count(&run.firings) != rows[i].count)
			fail_msg("row %zu", i);
	}
	buf_free(&record);
}

/* What another clock, which was ahead, has seen is forgotten: it begins anew. */
static void test_an_entry_of_the_future(void **state)
{
	static const uint8_t on[] = {FIRING_RISK, LEVEL_DANGER, 0, FIRING_ON},
			     over[] = {FIRING_RISK, LEVEL_DANGER, 0, FIRING_OVER};
	static const struct {
		const uint8_t *numbers;
		int64_t first_ms, to_ms; /* after the bucket */
		int risk;
		const char *told;
	} rows[] = {
		{on, 0, -FIRST, 720, "+0 danger db1 0"},
		{on, 1, -FIRST, 720, ""},
		{over, -MINUTE, 0, 100, "-0 danger db1 0"},
		{over, -MINUTE, 1, 100, ""},
	};
	struct buf record;

	(void)state;
	buf_init(&record, 4096);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const int64_t times_ms[] = {FIRST, FIRST + rows[i].first_ms, FIRST + rows[i].to_ms};

		step_with("db1", 100);
		run.bucket = FIRST / INTERVAL;
		buf_reset(&run.previous->firing);
		buf_span_add(&run.previous->firing,
			     entry_of(&record, rows[i].numbers, times_ms, "db1"));
		step_with("db1", rows[i].risk);
		assert_string_equal(told(), rows[i].told);
	}
	buf_free(&record);
}

/* Whatever their risk. */
static void test_they_stand_in_the_order_of_their_names(void **state)
{
	(void)state;
	run.rules.after = 1;
	has_healthy();
	has("b", 790);
	has("a", 720);
	step();
	assert_string_equal(told(), "+0 danger a 0, +0 danger b 0");
}

/* --- what is sent --- */

static struct json_object *sent; /* the last array */

static struct json_object *send(const char *url, const struct accuracy *accuracy)
{
	struct alert_post post = {.fleet = "north",
				  .public_url = url,
				  .firings = &run.firings,
				  .snap = run.previous,
				  .accuracy = accuracy,
				  .fault = "prediction daemon: timed out",
				  .now_ms = FIRST,
				  .interval_ms = run.previous->interval_ms};
	struct buf out;
	size_t count;

	buf_init(&out, 1 << 20);
	count = alert_json(&post, &out);
	assert_true(buf_ok(&out));
	buf_char(&out, '\0');
	json_object_put(sent);
	sent = json_tokener_parse(out.data);
	assert_non_null(sent);
	assert_int_equal(json_object_array_length(sent), count);
	buf_free(&out);
	return count ? json_object_array_get_idx(sent, 0) : NULL;
}

static const char *text_of(struct json_object *alert, const char *group, const char *key)
{
	struct json_object *found = alert;

	if (group)
		found = json_object_object_get(alert, group);
	found = json_object_object_get(found, key);
	return found ? json_object_get_string(found) : "(none)";
}

static int end_sent(void **state)
{
	json_object_put(sent);
	sent = NULL;
	return end(state);
}

static void test_an_alert_as_it_is_sent(void **state)
{
	struct json_object *alert;
	struct server *server;

	(void)state;
	run.rules.after = 1;
	has_healthy();
	server = has("ppdb \"1\"\\x", 720);
	server->cpu = (struct reading){97.5, 98.5, 99, NAN, 1};
	server->points[COMPONENT_CPU_NOW] = 40;
	step();
	alert = send("https://dash.example/fleet", NULL);
	assert_string_equal(text_of(alert, "labels", "alertname"), "TftServerRisk");
	assert_string_equal(text_of(alert, "labels", "severity"), "danger");
	assert_string_equal(text_of(alert, "labels", "fleet"), "north");
	assert_string_equal(text_of(alert, "labels", "server"), "ppdb \"1\"\\x");
	assert_string_equal(text_of(alert, "labels", "profile"), "db");
	assert_string_equal(text_of(alert, "annotations", "summary"),
			    "ppdb \"1\"\\x is at risk 72.0 (Danger), Danger or worse since "
			    "16:00:00 UTC");
	assert_string_equal(text_of(alert, "annotations", "since"), "2025-11-24T16:00:00Z");
	assert_string_equal(text_of(alert, "annotations", "rules"), "CPU now 97.5 adds 28.0");
	assert_string_equal(text_of(alert, "annotations", "forecast"),
			    "CPU 97.5% now, 98.5% in 30 min, I/O wait –% now, –% in 30 min, "
			    "memory –% now, –% in 30 min, load – now, – in 30 min");
	assert_string_equal(text_of(alert, "annotations", "accuracy"), "(none)");
	assert_string_equal(text_of(alert, "annotations", "cause"), "(none)");
	assert_string_equal(text_of(alert, NULL, "generatorURL"),
			    "https://dash.example/fleet/server/ppdb%20%221%22%5Cx"
			    "?at=2025-11-24T16:00:00Z");
	assert_string_equal(text_of(alert, NULL, "startsAt"), "2025-11-24T16:00:00.000Z");
	assert_string_equal(text_of(alert, NULL, "endsAt"), "2025-11-24T16:03:00.000Z");
	/* Four intervals, if that is longer. */
	run.previous->interval_ms = 60000;
	alert = send("https://dash.example/fleet", NULL);
	assert_string_equal(text_of(alert, NULL, "endsAt"), "2025-11-24T16:04:00.000Z");
}

static void test_without_an_address_there_is_no_link(void **state)
{
	struct json_object *alert;

	(void)state;
	run.rules.after = 1;
	step_with("db1", 720);
	alert = send("", NULL);
	assert_string_equal(text_of(alert, NULL, "generatorURL"), "(none)");
	assert_string_equal(text_of(alert, "annotations", "link"), "(none)");
}

/* No browser follows a link to them. */
static void test_a_server_without_a_page(void **state)
{
	(void)state;
	run.rules.after = 1;
	step_with("a/b", 720);
	assert_string_equal(text_of(send("http://d", NULL), NULL, "generatorURL"),
			    "http://d/?at=2025-11-24T16:00:00Z");
}

static void test_what_is_over_has_its_true_end(void **state)
{
	struct json_object *alert;

	(void)state;
	step_with("db1", 720);
	step_with("db1", 720);
	step_with("db1", 100);
	step_with("db1", 100);
	alert = send("", NULL);
	assert_string_equal(text_of(alert, NULL, "endsAt"), "2025-11-24T16:01:00.000Z");
	assert_string_equal(text_of(alert, "annotations", "summary"), "db1 is below Danger");
	assert_string_equal(text_of(alert, "annotations", "rules"), "(none)");
}

/* Its forecasts are old. */
static void test_a_silent_server_has_no_forecast(void **state)
{
	struct json_object *alert;

	(void)state;
	run.rules.after = 1;
	for (int i = 0; i < 10; i++) {
		has_healthy();
		has("db1", 100)->fingerprint = 7;
		step();
	}
	alert = send("", NULL);
	assert_string_equal(text_of(alert, "labels", "alertname"), "TftServerSilent");
	assert_string_equal(text_of(alert, "annotations", "rules"), "(none)");
	assert_string_equal(text_of(alert, "annotations", "forecast"), "(none)");
}

static void test_how_good_such_forecasts_were(void **state)
{
	struct accuracy *accuracy = calloc(1, sizeof(*accuracy));
	struct accuracy_score *score =
		&accuracy->score[ACCURACY_USUAL][KEPT_CPU][0][PROFILE_DATABASE];

	(void)state;
	score->sums = (struct accuracy_sums){.n = 200, .below = 20, .above = 20, .error = 5000};
	run.rules.after = 1;
	step_with("ppdb001", 720);
	assert_string_equal(
		text_of(send("", accuracy), "annotations", "accuracy"),
		"of the last day's 30-minute CPU forecasts for Database servers 80% fell inside "
		"the band that should hold 80%; the mean error was 2.5%");
	score->sums.n = 99;
	assert_string_equal(text_of(send("", accuracy), "annotations", "accuracy"), "(none)");
	free(accuracy);
}

static void assert_summary(size_t i, const char *name, const char *severity, const char *summary)
{
	struct json_object *alert = json_object_array_get_idx(sent, i);

	assert_string_equal(text_of(alert, "labels", "alertname"), name);
	assert_string_equal(text_of(alert, "labels", "severity"), severity);
	assert_string_equal(text_of(alert, "annotations", "summary"), summary);
}

static void test_every_kind_says_what_it_is(void **state)
{
	(void)state;
	run.rules.after = 1;
	run.rules.from = LEVEL_CRITICAL;
	for (int i = 0; i < 4; i++) {
		cross(has("mem", 100), 4, false);
		has("mute", 850)->fingerprint = 7;
		run.snap->warmup.still_since_ms = FIRST;
		step();
	}
	firing_add_own(&run.firings, FIRING_DATA, FIRST);
	firing_add_own(&run.firings, FIRING_KEY, FIRST);
	firing_add_own(&run.firings, FIRING_REDIS, FIRST);
	send("http://d", NULL);
	assert_int_equal(json_object_array_length(sent), 9);
	assert_summary(1, "TftForecastCrossing", "warning",
		       "mem: Memory is forecast to reach 90% in 20 min");
	assert_string_equal(text_of(json_object_array_get_idx(sent, 1), "labels", "metric"),
			    "mem_used_pct");
	assert_summary(2, "TftServerSilent", "warning", "mute sends nothing new");
	assert_summary(3, "TftFeedSilent", "critical", "No new data has reached the daemon");
	assert_summary(4, "TftEnvironment", "critical",
		       "The environment is Critical: 1 of 2 servers Critical or worse");
	assert_summary(6, "TftNoData", "critical", "The dashboard has no new data");
	assert_string_equal(text_of(json_object_array_get_idx(sent, 6), "annotations", "cause"),
			    "prediction daemon: timed out");
	assert_summary(7, "TftKeyRefused", "critical",
		       "The prediction daemon refuses the dashboard's API key");
	assert_summary(8, "TftCacheOff", "danger", "The shared cache of the dashboard is off");
	assert_string_equal(text_of(json_object_array_get_idx(sent, 8), NULL, "generatorURL"),
			    "http://d/");
}

#define TEST(f)      cmocka_unit_test_setup_teardown(f, begin, end)
#define TEST_SENT(f) cmocka_unit_test_setup_teardown(f, begin, end_sent)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_it_fires_in_the_second_bucket_and_is_over_after_two_without),
		TEST(test_it_neither_fires_nor_ends_while_levels_change_from_bucket_to_bucket),
		TEST(test_each_level_is_an_alert_of_its_own),
		TEST(test_milder_levels_fire_if_they_are_asked_for),
		TEST(test_the_end_is_told_for_five_minutes),
		TEST(test_a_server_that_is_gone_is_over),
		TEST(test_a_bucket_that_is_made_twice_counts_once),
		TEST(test_they_stand_in_the_order_of_their_names),
		TEST(test_the_environment),
		TEST(test_the_environment_at_warning),
		TEST(test_limits_that_the_forecast_crosses_soon),
		TEST(test_several_crossings_of_one_server),
		TEST(test_silent_servers_and_a_silent_feed),
		TEST(test_an_outage_that_has_ended),
		TEST(test_while_no_data_come),
		TEST(test_a_damaged_record_has_no_alerts),
		TEST(test_a_strange_record),
		TEST(test_an_entry_that_cannot_be),
		TEST(test_an_entry_of_the_future),
		TEST_SENT(test_an_alert_as_it_is_sent),
		TEST_SENT(test_a_silent_server_has_no_forecast),
		TEST_SENT(test_without_an_address_there_is_no_link),
		TEST_SENT(test_a_server_without_a_page),
		TEST_SENT(test_what_is_over_has_its_true_end),
		TEST_SENT(test_how_good_such_forecasts_were),
		TEST_SENT(test_every_kind_says_what_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
