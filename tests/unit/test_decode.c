/* SPDX-License-Identifier: MIT */
/* From answers to typed values: classes, odd numbers, names, readings, provenance, and the two
 * small endpoints. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fleet/compact.h"
#include "fleet/decode.h"
#include "fleet/dom.h"
#include "resident.h"

static enum reason decode_text(struct span text, struct snapshot **out)
{
	struct decode *d = decode_new();
	enum reason reason;

	assert_non_null(d);
	decode_feed(d, text.ptr, text.len);
	reason = decode_finish(d, out);
	assert_int_equal(*out != NULL, reason == REASON_NONE);
	decode_free(&d);
	assert_null(d);
	return reason;
}

/* The snapshot of {"predictions":{<members>}}. */
static struct snapshot *decode_members(const char *members)
{
	struct snapshot *snap;
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_lit(&b, "{\"predictions\":{");
	buf_span_add(&b, span_str(members));
	buf_lit(&b, "}}");
	assert_int_equal(decode_text(buf_span(&b), &snap), REASON_NONE);
	buf_free(&b);
	return snap;
}

static void same_number(double got, double want)
{
	if (isnan(got) != isnan(want) || fabs(got - want) > 1e-9)
		fail_msg("%.17g is not %.17g", got, want);
}

/* ---- classes ---- */

static void answers_have_the_class_of_the_contract(void **state)
{
	static const struct {
		const char *body;
		enum reason reason;
	} cases[] = {
		{"{\"predictions\":{\"a\":{}}}", REASON_NONE},
		{"{\"predictions\":{\"a\":{},\"b\":7}}", REASON_NONE},
		{"{\"error\":\"insufficient_data\",\"message\":\"Need at least 100 records, have "
		 "60\",\"predictions\":{}}",
		 REASON_WARMING},
		{"{\"predictions\":{},\"error\":\"insufficient_data\"}", REASON_WARMING},
		{"{\"error\":\"boom\",\"traceback\":\"File x\",\"predictions\":{}}",
		 REASON_REPORTED},
		{"{\"error\":\"boom\",\"predictions\":{\"a\":{}}}", REASON_REPORTED},
		{"{\"error\":null,\"predictions\":{\"a\":{}}}", REASON_REPORTED},
		{"{\"predictions\":{},\"alerts\":[],\"environment\":{\"incident_probability_30m\":"
		 "0.0},"
		 "\"metadata\":{\"model_type\":\"none\",\"error\":\"No data available\"}}",
		 REASON_REPORTED},
		{"{\"error\":\"x\",\"traceback\":\"y\"}", REASON_BAD},
		{"{}", REASON_BAD},
		{"{\"predictions\":null}", REASON_BAD},
		{"{\"predictions\":[]}", REASON_BAD},
		{"{\"predictions\":{\"a\":1,\"b\":[]}}", REASON_BAD},
		{"{\"predictions\":{\"a\":{}}", REASON_BAD},
		{"{\"predictions\":{\"a\":{\"cpu_idle_pct\":}}}", REASON_BAD},
		{"{\"predictions\":{\"a\":{\"x\":1,}}}", REASON_BAD},
		{"{\"predictions\":{\"a\":{\"x\":1 /* c */}}}", REASON_BAD},
		{"{\"predictions\":{\"a\":{\"x\":tru}}}", REASON_BAD},
		{"{\"predictions\":{\"a\":{\"x\":\xc3\xa9}}}", REASON_BAD},
		{"{\"predictions\":{\"a\":{\"x\":'\xc3\xa9'}}}", REASON_BAD},
		{"\xef\xbb\xbf{\"predictions\":{\"a\":{}}}", REASON_NONE},
		{"{\"error\":\"\xf0\x9f\x9f\xa2\",\"predictions\":{\"a\":{}}}", REASON_REPORTED},
		{"{\"metadata\":{\"icon\":\"\xf0\x9f\x9f\xa2\"},\"predictions\":{\"a\":{}}}",
		 REASON_NONE},
		{"{\"environment\":{\"n\":123456789012345678901234567890},\"predictions\":{\"a\":{}"
		 "}}",
		 REASON_NONE},
		{"{\"predictions\":{\"a\":{}},\"environment\":{\"prob_30m\":}}", REASON_BAD},
		{"null", REASON_BAD},
		{"[]", REASON_BAD},
		{"42", REASON_BAD},
		{"", REASON_BAD},
		{"<html><body>502</body></html>", REASON_BAD},
		{"Internal Server Error", REASON_BAD},
		/* A repeated member: the last one counts. */
		{"{\"predictions\":{\"a\":{}},\"predictions\":{}}", REASON_REPORTED},
		{"{\"predictions\":[],\"predictions\":{\"a\":{}}}", REASON_NONE},
	};
	struct snapshot *snap;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum reason reason = decode_text(span_str(cases[i].body), &snap);

		if (reason != cases[i].reason)
			fail_msg("%s is %s", cases[i].body, reason_table[reason].slug);
		snapshot_free(&snap);
	}
}

static void of_two_predictions_nothing_of_the_first_is_left(void **state)
{
	struct snapshot *snap;

	(void)state;
	assert_int_equal(
		decode_text(
			SPAN("{\"metadata\":{\"model_type\":\"TFT\",\"model_dir\":\"/m\"},"
			     "\"predictions\":{\"a\":{\"cpu_user_pct\":{\"current\":1,\"trend\":0,"
			     "\"p50\":[50]}},\"b\":7,\"c\":{\"mem_used_pct\":null}},"
			     "\"predictions\":{\"d\":{}}}"),
			&snap),
		REASON_NONE);
	assert_int_equal(snap->count, 1);
	assert_non_null(snapshot_find(snap, SPAN("d")));
	assert_int_equal(snap->refused, 0);
	assert_int_equal(snap->odd_values, 0);
	assert_int_equal(snap->model, MODEL_HEURISTIC); /* the first one had the bent forecast */
	snapshot_free(&snap);
}

static void feeding_stops_when_nothing_can_change_the_verdict(void **state)
{
	struct decode *d = decode_new();
	struct snapshot *snap;

	(void)state;
	assert_int_equal(decode_feed(d, "{\"predictions\":{\"a\":{}", 22), 0);
	assert_int_equal(decode_feed(d, "]", 1), -1);
	assert_int_equal(decode_feed(d, "}}", 2), -1);
	assert_int_equal(decode_finish(d, &snap), REASON_BAD);
	decode_free(&d);
	decode_free(&d);
}

/* ---- numbers ---- */

static void odd_values_are_absent_and_counted(void **state)
{
	static const struct {
		const char *metric;
		double now, predicted;
		unsigned odd;
	} cases[] = {
		{"{\"current\":5,\"p50\":[1,2,3,4,5,6]}", 5, 3.5, 0},
		{"{\"current\":5.25}", 5.25, 5.25, 0},
		{"{\"p50\":[1,1,1,1,1,7]}", NAN, 2, 0},
		{"{\"current\":-0.0}", 0, 0, 0},
		{"{\"current\":4.27e-05}", 4.27e-05, 4.27e-05, 0},
		{"{\"current\":150}", 100, 100, 0},
		/* Out of the metric's range. */
		{"{\"current\":1000}", 100, 100, 0},
		{"{\"current\":1000.1}", NAN, NAN, 1},
		{"{\"current\":-1000.1}", NAN, NAN, 1},
		{"{\"current\":1e300}", NAN, NAN, 1},
		{"{\"current\":5,\"p50\":[1,2,3,4,5,1.7976931348623157e308]}", 5, 5, 1},
		{"{\"current\":5,\"trend\":-1e300}", 5, 5, 1},
		/* What some version of json-c reads as an error costs only that value. */
		{"{\"current\":123456789012345678901234567890}", NAN, NAN, 1},
		{"{\"current\":5,\"p50\":[1,2,3,4,5,-123456789012345678901234567890]}", 5, 5, 1},
		{"{\"current\":5.1234567890123456789012345678}", 5.1234567890123456789,
		 5.1234567890123456789, 0},
		{"{\"current\":0.0000000000000000000000000005e28}", 5, 5, 0},
		{"{\"current\":5,\"icon\":\"\xf0\x9f\x9f\xa2 \xc3\xa9 "
		 "123456789012345678901234567890\"}",
		 5, 5, 0},
		{"{\"current\":5,\"icon\":\"\xff\xed\xa0\x80\\\\\"}", 5, 5, 0},
		{"{\"icon\":\"\\\"\xf0\x9f\x9f\xa2\\\"\",\"current\":5}", 5, 5, 0},
		{"{\"current\":\"\xf0\x9f\x9f\xa2\"}", NAN, NAN, 1},
		{"{\"current\":5,\"icon\":\"\x80\"}", 5, 5, 0},
		{"{\"current\":-3}", 0, 0, 0},
		{"{\"current\":null}", NAN, NAN, 1},
		{"{\"current\":\"12\"}", NAN, NAN, 1},
		{"{\"current\":true}", NAN, NAN, 1},
		{"{\"current\":[1]}", NAN, NAN, 1},
		{"{\"current\":NaN}", NAN, NAN, 1},
		{"{\"current\":Infinity}", NAN, NAN, 1},
		{"{\"current\":-Infinity}", NAN, NAN, 1},
		{"{\"current\":1e400}", NAN, NAN, 1},
		{"{\"current\":1180591620717411303424}", NAN, NAN, 1}, /* 2^70 */
		{"{\"current\":-1180591620717411303424}", NAN, NAN, 1},
		{"{\"current\":5,\"trend\":\"up\"}", 5, 5, 1},
		{"{\"current\":5,\"p50\":[1,2,3,4,5,\"6\"]}", 5, 5,
		 1}, /* one bad entry: the list is absent */
		{"{\"current\":5,\"p50\":[1,2,3,4,5,6,7,null]}", 5, 5, 1},
		{"{\"current\":5,\"p50\":{}}", 5, 5, 1},
		{"{\"current\":5,\"p50\":[1,2,3,4,5]}", 5, 5, 0}, /* too short for 30 minutes */
		{"{\"current\":5,\"p50\":[]}", 5, 5, 0},
		{"{\"current\":5,\"current\":6}", 6, 6, 0},
		{"{}", NAN, NAN, 0}, /* an empty metric */
		{"{\"trend\":\"x\"}", NAN, NAN, 0},
		{"7", NAN, NAN, 1},
		{"null", NAN, NAN, 1},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct snapshot *snap;
		char members[512];

		snprintf(members, sizeof(members),
			 "\"a\":{\"mem_used_pct\":%s,\"unknown_pct\":\"x\"}", cases[i].metric);
		snap = decode_members(members);
		same_number(snap->servers[0].memory.now, cases[i].now);
		same_number(snap->servers[0].memory.predicted, cases[i].predicted);
		if (snap->odd_values != cases[i].odd)
			fail_msg("%s counted %u odd values", cases[i].metric, snap->odd_values);
		snapshot_free(&snap);
	}
}

/* ---- readings ---- */

static void cpu_comes_from_idle_and_else_from_its_parts(void **state)
{
	static const struct {
		const char *metrics;
		double now, predicted, worst, best;
	} cases[] = {
		/* Idle 0 is 100 % used; quantiles swap sides. */
		{"\"cpu_idle_pct\":{\"current\":0,\"p50\":[10,20],\"p10\":[5,1],\"p90\":[60,70]}",
		 100, 85, 99, 30},
		/* Only the first six entries count. */
		{"\"cpu_idle_pct\":{\"current\":50,\"p50\":[40,40,40,40,40,40,0],\"p10\":[9,9,9,9,"
		 "9,9,0],\"p90\":[9,9,9,9,9,9,99]}",
		 50, 60, 91, 91},
		/* Clamped after the derivation. */
		{"\"cpu_idle_pct\":{\"current\":-5,\"p50\":[120],\"p10\":[-1],\"p90\":[300]}", 100,
		 0, 100, 0},
		/* Without idle: the sum of the parts that are present, even above 100. */
		{"\"cpu_user_pct\":{\"current\":30,\"p50\":[20,40],\"p10\":[1],\"p90\":[70]},"
		 "\"cpu_iowait_pct\":{\"current\":5,\"p50\":[5],\"p10\":[2],\"p90\":[60]}",
		 35, 35, 100, 3},
		/* Each value falls back independently. */
		{"\"cpu_idle_pct\":{\"p50\":[75]},\"cpu_sys_pct\":{\"current\":12,\"p50\":[1],"
		 "\"p90\":[14]}",
		 12, 25, 14, NAN},
		{"\"cpu_idle_pct\":{\"current\":20,\"p50\":[]},\"cpu_user_pct\":{\"p50\":[33]}", 80,
		 33, NAN, NAN},
		{"\"mem_used_pct\":{\"current\":1}", NAN, NAN, NAN, NAN},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct snapshot *snap;
		char members[512];

		snprintf(members, sizeof(members), "\"a\":{%s}", cases[i].metrics);
		snap = decode_members(members);
		same_number(snap->servers[0].cpu.now, cases[i].now);
		same_number(snap->servers[0].cpu.predicted, cases[i].predicted);
		same_number(snap->servers[0].cpu.worst, cases[i].worst);
		same_number(snap->servers[0].cpu.best, cases[i].best);
		snapshot_free(&snap);
	}
}

static void load_is_clamped_below_only(void **state)
{
	struct snapshot *snap = decode_members("\"a\":{\"load_average\":{\"current\":-2,\"p50\":[1,"
					       "1,1,1,1,1],\"p90\":[1,300,2,2,2,2]}}");

	(void)state;
	same_number(snap->servers[0].load.now, 0);
	same_number(snap->servers[0].load.predicted, 1);
	same_number(snap->servers[0].load.worst, 300);
	same_number(snap->servers[0].load.best, NAN);
	snapshot_free(&snap);
}

static void a_server_without_known_metrics_stays_in_the_fleet(void **state)
{
	struct snapshot *snap = decode_members("\"a\":{\"profile\":\"Database\",\"risk_score\":99},"
					       "\"b\":{\"swap_used_pct\":{\"current\":200}}");

	(void)state;
	assert_int_equal(snap->count, 2);
	assert_false(snap->servers[0].has_data);
	assert_null(snap->servers[0].series);
	assert_int_equal(snap->servers[0].risk, 0);
	assert_int_equal(snap->servers[0].profile, PROFILE_GENERIC);
	assert_true(snap->servers[1].has_data);
	same_number(snap->servers[1].swap_now, 100);
	snapshot_free(&snap);
}

/* ---- series ---- */

static void series_keep_96_steps_to_a_65535th_of_their_range(void **state)
{
	struct snapshot *snap;
	const struct series *series;
	struct buf b;
	int i;

	(void)state;
	buf_init(&b, 65536);
	buf_lit(&b, "\"a\":{\"net_in_mb_s\":{\"current\":455.5,\"trend\":-0.25,\"p90\":[7,7,7],"
		    "\"p50\":[");
	for (i = 0; i < 200; i++)
		buf_addf(&b, "%s%.6f", i ? "," : "", 1.5 * i + 0.123456);
	buf_add(&b, "]}}", 4);
	snap = decode_members(b.data);
	series = snap->servers[0].series;
	same_number(series->current[METRIC_NET_IN], 455.5);
	same_number(series->trend[METRIC_NET_IN], -0.25);
	same_number(series->current[METRIC_NET_OUT], NAN);
	assert_int_equal(series->p50[METRIC_NET_IN].len, FORECAST_STEPS);
	for (i = 0; i < FORECAST_STEPS; i++)
		assert_true(fabs(series_value(&series->p50[METRIC_NET_IN], (size_t)i) -
				 (1.5 * i + 0.123456)) < 0.002);
	assert_int_equal(series->p90[METRIC_NET_IN].len, 3);
	same_number(series_value(&series->p90[METRIC_NET_IN], 2), 7);
	assert_int_equal(series->p10[METRIC_NET_IN].len, 0);
	snapshot_free(&snap);
	buf_free(&b);
}

static void values_that_no_metric_has_do_not_reach_the_series(void **state)
{
	struct snapshot *snap =
		decode_members("\"a\":{\"net_in_mb_s\":{\"current\":1e308,\"p10\":[-1e6,1e6],"
			       "\"p50\":[-1e308,1e308,0,"
			       "5e-324],\"p90\":[1000001]},\"load_average\":{\"current\":3}}");
	const struct series *series = snap->servers[0].series;

	(void)state;
	same_number(series->current[METRIC_NET_IN], NAN);
	assert_int_equal(series->p10[METRIC_NET_IN].len, 2);
	assert_int_equal(series->p50[METRIC_NET_IN].len, 0);
	assert_int_equal(series->p90[METRIC_NET_IN].len, 0);
	same_number(series->current[METRIC_LOAD], 3);
	assert_int_equal(snap->odd_values, 3);
	snapshot_free(&snap);
}

/* Each value is finite, but their sum is not. The infinity derived from them once made the snapshot
 * unreadable. */
static void one_infinity_costs_one_value(void **state)
{
#define HUGE  "1.7976931348623157e308"
#define HUGES "[" HUGE "," HUGE "," HUGE "," HUGE "," HUGE "," HUGE "]"
	struct snapshot *back,
		*snap = decode_members("\"web01\":{\"load_average\":{\"current\":1}},"
				       "\"web02\":{\"load_average\":{\"current\":" HUGE
				       ",\"p50\":" HUGES ",\"p90\":" HUGES "},"
				       "\"mem_used_pct\":{\"current\":40}}");
	const struct server *server;
	struct buf bytes;

	(void)state;
	assert_int_equal(snap->odd_values, 3);
	buf_init(&bytes, 65536);
	compact_encode(snap, &bytes);
	back = compact_decode(buf_span(&bytes));
	assert_non_null(back);
	server = snapshot_find(back, SPAN("web02"));
	same_number(server->load.now, NAN);
	same_number(server->load.predicted, NAN);
	same_number(server->load.worst, NAN);
	same_number(server->memory.now, 40);
	same_number(snapshot_find(back, SPAN("web01"))->load.now, 1);
	snapshot_free(&back);
	snapshot_free(&snap);
	buf_free(&bytes);
}

/* ---- names ---- */

static void names_are_decoded_and_checked(void **state)
{
	static const struct {
		const char *key;  /* as written */
		const char *name; /* NULL: refused */
	} cases[] = {
		{"ppdb001", "ppdb001"},
		{"\\u0041\\n\\\"\\\\\\/", "A\n\"\\/"},
		{"\\u00e9", "\xc3\xa9"},
		{"\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
		{"\xc3\xa9", "\xc3\xa9"},
		{"\xef\xbf\xbc", "\xef\xbf\xbc"},
		{"\xf0\x90\x80\x80", "\xf0\x90\x80\x80"}, /* the first that is two escapes */
		{"\xe2\x80\xae"
		 "evil",
		 "\xe2\x80\xae"
		 "evil"}, /* U+202E: valid; escaped where it is shown */
		{"<script>", "<script>"},
		{"", NULL},
		{"a\\u0000b", NULL},
		{"\xff", NULL},
		{"\xc0\xaf", NULL},         /* overlong */
		{"\xed\xa0\x80", NULL},     /* surrogate */
		{"\xf4\x90\x80\x80", NULL}, /* above U+10FFFF */
		{"a\xc3", NULL},
		{"\\x41", NULL},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct snapshot *snap;
		char members[256];

		snprintf(members, sizeof(members), "\"%s\":{},\"z\":{}", cases[i].key);
		snap = decode_members(members);
		assert_int_equal(snap->refused, cases[i].name == NULL);
		assert_int_equal(snap->count, cases[i].name == NULL ? 1 : 2);
		if (cases[i].name != NULL && snapshot_find(snap, span_str(cases[i].name)) == NULL)
			fail_msg("%s is not found", cases[i].key);
		snapshot_free(&snap);
	}
}

static void names_have_at_most_255_bytes(void **state)
{
	char name[257], members[400];
	struct snapshot *snap;
	size_t len;

	(void)state;
	memset(name, 'n', sizeof(name));
	for (len = 255; len <= 256; len++) {
		snprintf(members, sizeof(members), "\"%.*s\":{},\"z\":{}", (int)len, name);
		snap = decode_members(members);
		assert_int_equal(snap->count, len == 255 ? 2 : 1);
		assert_int_equal(snap->refused, len == 255 ? 0 : 1);
		snapshot_free(&snap);
	}
}

static void of_equal_names_the_last_counts(void **state)
{
	struct snapshot *snap = decode_members("\"a\":{\"mem_used_pct\":{\"current\":99}},\"b\":{},"
					       "\"\\u0061\":{\"mem_used_pct\":{\"current\":7}}");

	(void)state;
	assert_int_equal(snap->count, 2);
	assert_int_equal(snap->refused, 0);
	same_number(snapshot_find(snap, SPAN("a"))->memory.now, 7);
	assert_int_equal(snapshot_find(snap, SPAN("a"))->risk, 0);
	snapshot_free(&snap);
}

/* ---- environment and metadata ---- */

static void index_falls_back_and_stays_in_range(void **state)
{
	static const struct {
		const char *environment;
		double prob_30m, prob_8h;
	} cases[] = {
		{"{\"prob_30m\":0.25,\"prob_8h\":1,\"incident_probability_30m\":0.5}", 0.25, 1},
		{"{\"incident_probability_30m\":0.0,\"incident_probability_8h\":0.5}", 0, 0.5},
		{"{\"prob_30m\":null,\"incident_probability_30m\":0.5,\"prob_8h\":\"1\"}", 0.5,
		 NAN},
		{"{\"prob_30m\":1.0001,\"prob_8h\":-0.0001}", NAN, NAN},
		{"{\"prob_30m\":97,\"prob_8h\":true}", NAN, NAN},
		{"{}", NAN, NAN},
		{"[]", NAN, NAN},
		{"null", NAN, NAN},
	};
	struct snapshot *snap;
	char body[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(body, sizeof(body), "{\"predictions\":{\"a\":{}},\"environment\":%s}",
			 cases[i].environment);
		assert_int_equal(decode_text(span_str(body), &snap), REASON_NONE);
		same_number(snap->prob_30m, cases[i].prob_30m);
		same_number(snap->prob_8h, cases[i].prob_8h);
		snapshot_free(&snap);
	}
}

static void a_model_is_believed_when_its_forecast_bends(void **state)
{
#define LINE  "\"cpu_user_pct\":{\"current\":10,\"trend\":2,\"p50\":[12,14,16]}"
#define CLIPS "\"cpu_user_pct\":{\"current\":97,\"trend\":2,\"p50\":[99,100,100]}"
#define BENDS "\"cpu_user_pct\":{\"current\":10,\"trend\":2,\"p50\":[12,14,16.1]}"
#define NOISE "\"cpu_user_pct\":{\"current\":10,\"trend\":2,\"p50\":[12,14.0000001,16]}"
#define EDGE  "\"cpu_user_pct\":{\"current\":0,\"trend\":0,\"p50\":[0.000001,0,0]}"
#define OTHER "\"cpu_sys_pct\":{\"current\":10,\"trend\":2,\"p50\":[50,14,16.1]}"
	static const struct {
		const char *metadata, *metric;
		enum model_kind model;
	} cases[] = {
		{"{\"model_type\":\"TFT\",\"model_dir\":\"/models/tft\"}", BENDS, MODEL_TFT},
		{"{\"model_type\":\"TFT\",\"model_dir\":\"/models/tft\"}", LINE, MODEL_HEURISTIC},
		{"{\"model_type\":\"TFT\",\"model_dir\":\"/models/tft\"}", CLIPS, MODEL_HEURISTIC},
		{"{\"model_type\":\"TFT\",\"model_dir\":\"/models/tft\"}", NOISE, MODEL_HEURISTIC},
		{"{\"model_type\":\"TFT\",\"model_dir\":\"/models/tft\"}", EDGE, MODEL_HEURISTIC},
		{"{\"model_type\":\"TFT\",\"model_dir\":\"/models/tft\"}", OTHER, MODEL_HEURISTIC},
		{"{\"model_type\":\"TFT\",\"model_dir\":\"none\"}", BENDS, MODEL_HEURISTIC},
		{"{\"model_type\":\"TFT\",\"model_dir\":\"\"}", BENDS, MODEL_HEURISTIC},
		{"{\"model_type\":\"TFT\",\"model_dir\":1}", BENDS, MODEL_HEURISTIC},
		{"{\"model_type\":\"heuristic\",\"model_dir\":\"/models/tft\"}", BENDS,
		 MODEL_HEURISTIC},
		{"{\"model_type\":\"TFT\"}", BENDS, MODEL_UNKNOWN},
		{"{\"model_dir\":\"/models/tft\"}", BENDS, MODEL_UNKNOWN},
		{"null", BENDS, MODEL_UNKNOWN},
	};
	struct snapshot *snap;
	char body[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(body, sizeof(body),
			 "{\"metadata\":%s,\"predictions\":{\"a\":{%s},\"b\":{" LINE "}}}",
			 cases[i].metadata, cases[i].metric);
		assert_int_equal(decode_text(span_str(body), &snap), REASON_NONE);
		assert_int_equal(snap->model, cases[i].model);
		snapshot_free(&snap);
	}
}

static void prediction_time_is_quoted_only_when_it_is_plain(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"\"2026-11-23T12:46:37.000120\"", "2026-11-23T12:46:37.000120"},
		{"\"\"", ""},
		{"\"a\\u0007b\"", ""},
		{"\"\xc3\xa9\"", ""},
		{"12", ""},
		{"\"0123456789012345678901234567890123456789\"", ""},
		{"\"012345678901234567890123456789012345678\"",
		 "012345678901234567890123456789012345678"},
	};
	struct snapshot *snap;
	char body[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(body, sizeof(body),
			 "{\"predictions\":{\"a\":{}},\"metadata\":{\"prediction_time\":%s}}",
			 cases[i].in);
		assert_int_equal(decode_text(span_str(body), &snap), REASON_NONE);
		assert_string_equal(snap->prediction_time, cases[i].out);
		snapshot_free(&snap);
	}
}

/* ---- fingerprints ---- */

static uint64_t fingerprint(const char *metrics)
{
	struct snapshot *snap;
	char members[256];
	uint64_t f;

	snprintf(members, sizeof(members), "\"a\":{%s}", metrics);
	snap = decode_members(members);
	f = snap->servers[0].fingerprint;
	snapshot_free(&snap);
	return f;
}

static void fingerprint_follows_the_current_values_alone(void **state)
{
	uint64_t f = fingerprint("\"swap_used_pct\":{\"current\":1.5,\"p50\":[1]}");

	(void)state;
	assert_true(f ==
		    fingerprint("\"swap_used_pct\":{\"trend\":3,\"current\":15e-1,\"p90\":[2]}"));
	assert_true(
		f ==
		fingerprint(
			"\"swap_used_pct\":{\"current\":1.5},\"cascade_impact\":{\"current\":1}"));
	assert_true(
		f ==
		fingerprint(
			"\"swap_used_pct\":{\"current\":1.5},\"java_cpu_pct\":{\"current\":null}"));
	assert_true(f != fingerprint("\"swap_used_pct\":{\"current\":1.5000000000000002}"));
	assert_true(
		f !=
		fingerprint(
			"\"swap_used_pct\":{\"current\":1.5},\"java_cpu_pct\":{\"current\":0}"));
	assert_true(f != fingerprint("\"java_cpu_pct\":{\"current\":1.5}"));
}

/* ---- size ---- */

static void too_many_servers_are_a_bad_answer(void **state)
{
	struct decode *d = decode_new();
	long before = resident_bytes();
	struct snapshot *snap;
	char member[64];
	int i, rc = decode_feed(d, "{\"predictions\":{", 16);

	(void)state;
	for (i = 0; rc == 0 && i < 1000000; i++)
		rc = decode_feed(d, member,
				 (size_t)snprintf(member, sizeof(member), "\"s%d\":{},", i));
	assert_int_equal(rc, -1);
	assert_int_equal(i, SNAPSHOT_SERVERS + 1);
#ifndef __SANITIZE_ADDRESS__ /* it delays the release of memory */
	assert_true(resident_bytes() - before < 32 << 20);
#else
	(void)before;
#endif
	assert_int_equal(decode_finish(d, &snap), REASON_BAD);
	decode_free(&d);
}

static void ten_thousand_unknown_metrics_do_no_harm(void **state)
{
	struct snapshot *snap;
	struct buf b;
	int i;

	(void)state;
	buf_init(&b, 1 << 20);
	buf_lit(&b, "{\"predictions\":{\"a\":{\"mem_used_pct\":{\"current\":5}");
	for (i = 0; i < 5000; i++)
		buf_addf(&b, ",\"metric_%d\":{\"current\":%d}", i, i);
	buf_lit(&b, "},\"b\":{\"mem_used_pct\":{\"current\":6}");
	for (i = 0; i < 10000; i++)
		buf_addf(&b, ",\"metric_%d\":{\"current\":%d}", i, i);
	buf_lit(&b, "}}}");
	assert_int_equal(decode_text(buf_span(&b), &snap), REASON_NONE);
	assert_int_equal(snap->count, 1);
	assert_int_equal(snap->refused, 1); /* beyond the structural caps */
	same_number(snap->servers[0].memory.now, 5);
	snapshot_free(&snap);
	buf_free(&b);
}

/* ---- the small endpoints ---- */

static void warmup_is_read_or_unknown(void **state)
{
	static const struct {
		const char *body;
		struct warmup want;
	} cases[] = {
		{"{\"running\":true,\"warmup\":{\"is_warmed_up\":false,\"progress_percent\":90,"
		 "\"threshold\":150,\"current_size\":173,"
		 "\"required_size\":150,\"message\":\"x\"}}",
		 {true, false, 90, 173, 150, 0, 0}},
		{"{\"warmup\":{\"is_warmed_up\":true,\"progress_percent\":100,\"current_size\":288,"
		 "\"required_size\":150}}",
		 {true, true, 100, 288, 150, 0, 0}},
		{"{\"warmup\":{\"is_warmed_up\":1,\"progress_percent\":100,\"current_size\":288,"
		 "\"required_size\":150}}",
		 {0}},
		{"{\"warmup\":{\"is_warmed_up\":true,\"progress_percent\":101,\"current_size\":288,"
		 "\"required_size\":150}}",
		 {0}},
		{"{\"warmup\":{\"is_warmed_up\":true,\"progress_percent\":\"100\",\"current_size\":"
		 "288,\"required_size\":150}}",
		 {0}},
		{"{\"warmup\":{\"is_warmed_up\":true,\"progress_percent\":100,\"current_size\":-1,"
		 "\"required_size\":150}}",
		 {0}},
		{"{\"warmup\":{\"is_warmed_up\":true,\"progress_percent\":100,\"current_size\":0,"
		 "\"required_size\":-1}}",
		 {0}},
		{"{\"warmup\":{\"is_warmed_up\":false,\"progress_percent\":0,\"current_size\":0,"
		 "\"required_size\":0}}",
		 {true, false, 0, 0, 0, 0, 0}},
		{"{\"warmup\":{\"is_warmed_up\":true,\"progress_percent\":101,\"current_size\":0,"
		 "\"required_size\":0}}",
		 {0}},
		{"\xef\xbb\xbf{\"icon\":\"\xf0\x9f\x9f\xa2\",\"warmup\":{\"is_warmed_up\":true,"
		 "\"progress_percent\":100,\"current_size\":288,\"required_size\":150}}",
		 {true, true, 100, 288, 150, 0, 0}},
		{"{\"warmup\":{\"is_warmed_up\":true,\"progress_percent\":100,\"current_size\":"
		 "123456789012345678901234567890,\"required_size\":150}}",
		 {0}},
		{"{\"warmup\":{\"is_warmed_up\":true}}", {0}},
		{"{\"warmup\":null}", {0}},
		{"{}", {0}},
		{"{\"warmup\":", {0}},
		{"null", {0}},
		{"", {0}},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct warmup got = {true, true, 7, 7, 7, 0, 0};

		decode_warmup(span_str(cases[i].body), &got);
		if (got.known != cases[i].want.known || got.done != cases[i].want.done ||
		    got.progress_percent != cases[i].want.progress_percent ||
		    got.current_size != cases[i].want.current_size ||
		    got.required_size != cases[i].want.required_size)
			fail_msg("%s was misread", cases[i].body);
	}
}

static void scenario_is_read_or_unknown(void **state)
{
	static const struct {
		const char *body, *name;
		int affected, fleet_size;
	} cases[] = {
		{"{\"scenario\":\"degrading\",\"affected_servers\":[\"a\"],\"total_affected\":4,"
		 "\"fleet_size\":20,\"tick_count\":254}",
		 "degrading", 4, 20},
		{"{\"scenario\":\"cascade\",\"total_affected\":2,\"fleet_size\":90}", "cascade", 2,
		 90},
		{"{\"scenario\":\"\",\"total_affected\":2,\"fleet_size\":90}", NULL, 0, 0},
		{"{\"scenario\":\"a\\u0001\",\"total_affected\":2,\"fleet_size\":90}", NULL, 0, 0},
		{"{\"scenario\":\"01234567890123456789012345678901\",\"total_affected\":2,\"fleet_"
		 "size\":90}",
		 NULL, 0, 0},
		{"{\"scenario\":7,\"total_affected\":2,\"fleet_size\":90}", NULL, 0, 0},
		{"{\"scenario\":\"critical\",\"fleet_size\":90}", NULL, 0, 0},
		{"{\"scenario\":\"critical\",\"total_affected\":2}", NULL, 0, 0},
		{"{\"scenario\":\"healthy\",\"total_affected\":0,\"fleet_size\":0}", "healthy", 0,
		 0},
		{"{\"scenario\":\"0123456789012345678901234567890\",\"total_affected\":2,\"fleet_"
		 "size\":90}",
		 "0123456789012345678901234567890", 2, 90},
		{"[]", NULL, 0, 0},
		{"Internal Server Error", NULL, 0, 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scenario got = {.configured = true,
				       .known = true,
				       .name = "old",
				       .affected = 9,
				       .fleet_size = 9};

		decode_scenario(span_str(cases[i].body), &got);
		assert_true(got.configured);
		assert_int_equal(got.known, cases[i].name != NULL);
		assert_string_equal(got.name, cases[i].name ? cases[i].name : "");
		assert_int_equal(got.affected, cases[i].affected);
		assert_int_equal(got.fleet_size, cases[i].fleet_size);
	}
}

static void affected_servers_are_sorted_and_bounded(void **state)
{
	static const char body[] =
		"{\"scenario\":\"degrading\",\"affected_servers\":[\"z\",7,\"\",\"\\u202e\",\"b\","
		"\"0123456789012345678901234567890123456789012345678901234567890123\",null,\"a\","
		"\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\",\"k\"],\"total_affected\":30,"
		"\"fleet_size\":90}";
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "z"};
	struct scenario got = {.configured = true};

	(void)state;
	decode_scenario(span_str(body), &got);
	assert_true(got.known);
	assert_int_equal(got.name_count, SCENARIO_NAMES);
	for (int i = 0; i < SCENARIO_NAMES; i++)
		assert_string_equal(got.names[i], names[i]);
	decode_scenario(SPAN("{\"scenario\":\"x\",\"affected_servers\":{},\"total_affected\":1,"
			     "\"fleet_size\":9}"),
			&got);
	assert_true(got.known);
	assert_int_equal(got.name_count, 0);
}

/* ---- two ways to read ---- */

/* Pseudo-random numbers, the same in every run. */
static uint64_t chance(unsigned below)
{
	static uint64_t state = 20;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return (state >> 33) % below;
}

static void put_odd(struct buf *out)
{
	static const char *const odd[] = {
		"null",
		"true",
		"\"7\"",
		"{}",
		"[]",
		"[[1]]",
		"{\"p50\":[1,2]}",
		"NaN",
		"Infinity",
		"-Infinity",
		"1e400",
		"-0",
		"-0.0",
		"0e0",
		"5e-324",
		"1E5",
		"1e+2",
		"9223372036854775807",
		"9223372036854775808",
		"-9223372036854775808",
		"18446744073709551616",
		"\"[1,2\"",
		"\"\\\"[\"",
		"\"\\u005b\"",
		" 1 ",
		"\t2\n",
		"1.0000000000000000000000001",
		/* not JSON, although json-c may accept it */
		"01",
		"-01",
		"+1",
		"1.",
		".5",
		"1e",
		"'x'",
		"nan",
		"-",
		"tru",
		"1 2",
		"[1,]",
		"[,1]",
		"\"\x80\"",
	};

	buf_span_add(out, span_str(odd[chance(sizeof(odd) / sizeof(odd[0]))]));
}

static void put_number(struct buf *out)
{
	static const int digits[] = {1, 3, 6, 15, 16, 17, 17, 17, 19, 25};
	double value = ((double)chance(1000000) / 7919 - 5) * (chance(4) ? 1 : 0.0001);

	buf_addf(out, "%.*g", digits[chance(10)], value);
}

static void put_list(struct buf *out, unsigned oddity)
{
	unsigned len = chance(4) ? 96 : (unsigned)chance(110);

	buf_char(out, '[');
	for (unsigned i = 0; i < len; i++) {
		if (i > 0)
			buf_span_add(out, chance(100) ? SPAN(",") : SPAN(" ,\n"));
		if (chance(100 * 96) < oddity)
			put_odd(out);
		else
			put_number(out);
	}
	buf_char(out, ']');
}

static void put_member(struct buf *out, unsigned oddity)
{
	static const char *const names[] = {"current", "trend", "p10",  "p50",
					    "p90",     "p50",   "other"};
	unsigned which = (unsigned)chance(7);

	buf_addf(out, ",\"%s\":", names[which]);
	if (chance(100) < oddity)
		put_odd(out);
	else if (which < 2)
		put_number(out);
	else
		put_list(out, oddity);
}

/* The members of a server; `other` is a member without meaning. */
static void put_server(struct buf *out, unsigned oddity, unsigned count)
{
	buf_lit(out, "{\"risk_score\":1.5");
	for (unsigned i = 0; i < count; i++) {
		buf_addf(out, ",\"%s\":", metric_table[chance(METRIC_COUNT)].wire);
		if (chance(300) < oddity) {
			put_odd(out);
			continue;
		}
		buf_lit(out, "{\"unit\":\"%\"");
		for (uint64_t members = chance(7); members > 0; members--)
			put_member(out, oddity);
		buf_char(out, '}');
	}
}

static enum reason decode_server(const struct buf *members, struct span other, struct buf *stored)
{
	struct snapshot *snap;
	enum reason reason;
	struct buf body;

	buf_init(&body, 1 << 20);
	buf_lit(&body, "{\"predictions\":{\"ppdb001\":");
	buf_span_add(&body, buf_span(members));
	buf_span_add(&body, other);
	buf_lit(&body, "}}}");
	reason = decode_text(buf_span(&body), &snap);
	buf_reset(stored);
	if (snap != NULL) {
		compact_encode(snap, stored);
		if (snap->servers[0].series != NULL)
			series_encode(snap->servers[0].series, stored);
		assert_true(buf_ok(stored));
		snapshot_free(&snap);
	}
	buf_free(&body);
	return reason;
}

/* An array that holds anything but numbers, even one that nobody reads, makes json-c read the whole
 * server; otherwise numbers.c reads the lists. Both must give the same result, to the last bit. */
static void both_ways_to_read_lists_agree(void **state)
{
	struct buf members, lists, whole;

	(void)state;
	buf_init(&members, 1 << 20);
	buf_init(&lists, 1 << 20);
	buf_init(&whole, 1 << 20);
	for (unsigned i = 0; i < 1200; i++) {
		enum reason a, b;

		buf_reset(&members);
		put_server(&members, i % 3 * 3, (unsigned)chance(12));
		a = decode_server(&members, SPAN(",\"no_metric\":0"), &lists);
		b = decode_server(&members, SPAN(",\"no_metric\":[null]"), &whole);
		if (a != b || !span_eq(buf_span(&lists), buf_span(&whole)))
			fail_msg("body %u: %s, %s: %.*s", i, reason_table[a].slug,
				 reason_table[b].slug, (int)members.len, members.data);
	}
	buf_free(&members);
	buf_free(&lists);
	buf_free(&whole);
}

/* A text that is cut within a number which json-c is not given as it is. */
static void nothing_behind_a_cut_text_is_read(void **state)
{
	static const char text[] = "[-1234567890123456789";
	struct json_tokener *tokener = dom_tokener(2);
	char *copy = malloc(strlen(text)); /* exactly, for the sanitizer */

	(void)state;
	assert_true(tokener && copy);
	memcpy(copy, text, strlen(text));
	assert_null(dom_parse(tokener, (struct span){copy, strlen(text)}));
	json_tokener_free(tokener);
	free(copy);
}

/* It is rewritten for json-c, but for what stands in quotation marks: from the first on. */
static void numbers_in_a_text_stay_as_they_are(void **state)
{
	static const char text[] = "\xc3\xa9 123456789012345678901234567890";
	struct json_tokener *tokener = dom_tokener(2);
	struct json_object *object;
	char quoted[64];

	(void)state;
	assert_non_null(tokener);
	(void)snprintf(quoted, sizeof(quoted), "\"%s\"", text);
	object = dom_parse(tokener, span_str(quoted));
	assert_true(span_is(dom_string(object), text));
	json_object_put(object);
	json_tokener_free(tokener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_many_servers_are_a_bad_answer),
		cmocka_unit_test(answers_have_the_class_of_the_contract),
		cmocka_unit_test(of_two_predictions_nothing_of_the_first_is_left),
		cmocka_unit_test(one_infinity_costs_one_value),
		cmocka_unit_test(feeding_stops_when_nothing_can_change_the_verdict),
		cmocka_unit_test(odd_values_are_absent_and_counted),
		cmocka_unit_test(cpu_comes_from_idle_and_else_from_its_parts),
		cmocka_unit_test(load_is_clamped_below_only),
		cmocka_unit_test(a_server_without_known_metrics_stays_in_the_fleet),
		cmocka_unit_test(series_keep_96_steps_to_a_65535th_of_their_range),
		cmocka_unit_test(values_that_no_metric_has_do_not_reach_the_series),
		cmocka_unit_test(names_are_decoded_and_checked),
		cmocka_unit_test(names_have_at_most_255_bytes),
		cmocka_unit_test(of_equal_names_the_last_counts),
		cmocka_unit_test(index_falls_back_and_stays_in_range),
		cmocka_unit_test(a_model_is_believed_when_its_forecast_bends),
		cmocka_unit_test(prediction_time_is_quoted_only_when_it_is_plain),
		cmocka_unit_test(fingerprint_follows_the_current_values_alone),
		cmocka_unit_test(ten_thousand_unknown_metrics_do_no_harm),
		cmocka_unit_test(both_ways_to_read_lists_agree),
		cmocka_unit_test(warmup_is_read_or_unknown),
		cmocka_unit_test(scenario_is_read_or_unknown),
		cmocka_unit_test(affected_servers_are_sorted_and_bounded),
		cmocka_unit_test(nothing_behind_a_cut_text_is_read),
		cmocka_unit_test(numbers_in_a_text_stay_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
