/* SPDX-License-Identifier: MIT */
/* The JSON of the fleet (doc/pages.md#endpoints): shapes, absent values, conditions, escaping.
 * json-c is the independent reader. */
#include "config.h"

#include "view_fixture.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>

static json_object *parse(const char *text)
{
	enum json_tokener_error error;
	json_object *object = json_tokener_parse_verbose(text, &error);

	if (!object)
		fail_msg("%s in:\n%s", json_tokener_error_desc(error), text);
	return object;
}

static void whole_answers_are_as_expected(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	assert_expected("api-fleet.json", span_str(render(&f, "api-fleet", "")));
	assert_expected("api-alerts.json", span_str(render(&f, "api-alerts", "")));
	fixture_free(&f);
}

static void answers_are_json(void **unused)
{
	static const char *const common[] = {"bucket", "interval_s", "generated_at", "condition",
					     "detail"};
	static const char *const routes[] = {"api-fleet", "api-alerts"};
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	for (int i = 0; i < 4; i++) {
		json_object *object;

		f.view.snap = i < 2 ? f.snap : NULL;
		f.condition.age = i < 2 ? AGE_LIVE : AGE_NO_DATA;
		object = parse(render(&f, routes[i % 2], ""));
		for (size_t k = 0; k < sizeof(common) / sizeof(common[0]); k++)
			assert_true(json_object_object_get_ex(object, common[k], NULL));
		json_object_put(object);
	}
	fixture_free(&f);
}

static void conditions_are_words_of_a_closed_list(void **unused)
{
	static const struct {
		enum age_class age;
		enum reason reason;
		bool data;
		const char *text;
	} rows[] = {
		{AGE_LIVE, REASON_NONE, true, "\"condition\":\"ok\",\"detail\":null"},
		{AGE_STALE, REASON_CONNECT, true,
		 "\"condition\":\"upstream-error\",\"detail\":\"connection refused\""},
		{AGE_STALE, REASON_KEY, true,
		 "\"condition\":\"refused\",\"detail\":\"refuses our API key\""},
		{AGE_VERY_STALE, REASON_LIMIT, true,
		 "\"condition\":\"rate-limited\",\"detail\":\"limits our calls\""},
		{AGE_LIVE, REASON_BAD, true,
		 "\"condition\":\"bad-answer\",\"detail\":\"answer not understood\""},
		{AGE_NO_DATA, REASON_NONE, true, "\"condition\":\"no-data\",\"detail\":null"},
		{AGE_NO_DATA, REASON_WARMING, false,
		 "\"condition\":\"warming\",\"detail\":\"is warming up\""},
		{AGE_LIVE, REASON_NONE, false, "\"condition\":\"no-data\",\"detail\":null"},
	};
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *text;

		f.condition = (struct condition){.age = rows[i].age, .reason = rows[i].reason};
		f.view.snap = rows[i].data ? f.snap : NULL;
		text = render(&f, "api-fleet", "");
		assert_has(text, rows[i].text);
		assert_true((rows[i].data && rows[i].age != AGE_NO_DATA) ==
			    (strstr(text, "\"servers\":") != NULL));
	}
	fixture_free(&f);
}

static void absent_values_are_null(void **unused)
{
	struct fixture f;
	const char *text;

	(void)unused;
	fixture_fleet(&f);
	f.snap->prob_30m = NAN;
	f.snap->prediction_time[0] = '\0';
	f.snap->model = MODEL_UNKNOWN;
	text = render(&f, "api-fleet", "");
	assert_has(text, "\"model\":\"unknown\",\"prediction_time\":null");
	assert_has(text, "\"prob_30m\":null,\"prob_8h\":1,\"predicted_status\":null");
	assert_has(text,
		   "{\"name\":\"ppetl001\",\"profile\":\"ETL/"
		   "Ingest\",\"risk\":0.0,\"level\":\"Healthy\","
		   "\"cpu\":{\"now\":null,\"p10_30m\":null,\"p50_30m\":null,\"p90_30m\":null},"
		   "\"iowait\":{\"now\":null,\"p50_30m\":null},\"memory\":{\"now\":null,\"p50_"
		   "30m\":null},"
		   "\"swap\":{\"now\":null},\"load\":{\"now\":null},"
		   "\"heatmap\":{\"risk\":0.0,\"cpu\":null,\"memory\":null,\"load\":null},"
		   "\"level_since\":null,\"level_since_at_least\":false,\"silent_since\":null}");
	assert_has_not(text, "nan");
	fixture_free(&f);
}

static void hostile_names_survive_and_stay_strings(void **unused)
{
	struct fixture f;
	json_object *object, *servers;
	const char *text;
	bool found = false;

	(void)unused;
	fixture_fleet(&f);
	text = render(&f, "api-fleet", "");
	assert_has_not(text, "<");
	object = parse(text);
	assert_true(json_object_object_get_ex(object, "servers", &servers));
	for (size_t i = 0; i < json_object_array_length(servers); i++) {
		json_object *server = json_object_array_get_idx(servers, i);

		found |= !strcmp(json_object_get_string(json_object_object_get(server, "name")),
				 HOSTILE);
	}
	assert_true(found);
	json_object_put(object);
	fixture_free(&f);
}

static void silence_has_a_beginning(void **unused)
{
	static const char *const routes[] = {"api-fleet", "api-alerts", "api-heatmap", "api-top"};
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	f.snap->servers[0].same_count = 3;
	f.snap->servers[0].same_since_ms = GEN_MS - 60000;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		const char *text = render(&f, routes[i], "");

		assert_int_equal(count_of(text, "\"silent_since\":\"2025-11-23T12:00:05.123Z\""),
				 1);
		assert_true(count_of(text, "\"silent_since\":null") >= 2);
	}
	fixture_free(&f);
}

static void alerts_follow_filter_and_order(void **unused)
{
	struct fixture f;
	const char *text;

	(void)unused;
	fixture_fleet(&f);
	assert_has(render(&f, "api-alerts", "profile=db"),
		   "\"count\":1,\"alerts\":[{\"server\":\"ppdb001\"");
	text = render(&f, "api-alerts", "sort=name");
	assert_has(text, "\"count\":3,\"alerts\":[{\"server\":\"ppdb001\"");
	assert_has(text, "\"memory\":{\"now\":98.5,\"predicted\":98,\"delta\":-0.5}");
	assert_has(render(&f, "api-alerts", "profile=risk"), "\"count\":0,\"alerts\":[]}");
	fixture_free(&f);
}

static void errors_are_problem_documents(void **unused)
{
	static const struct http_error error = {400, "Bad request", "A parameter is not valid."};
	struct buf out;

	(void)unused;
	buf_init(&out, 4096);
	page_error(&error, "a, b", MEDIA_JSON, SPAN("/"), &out);
	buf_char(&out, '\0');
	assert_string_equal(out.data,
			    "{\"title\":\"Bad request\",\"status\":400,\"detail\":\"A parameter is "
			    "not valid.\",\"valid_values\":\"a, b\"}");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_answers_are_as_expected),
		cmocka_unit_test(answers_are_json),
		cmocka_unit_test(conditions_are_words_of_a_closed_list),
		cmocka_unit_test(absent_values_are_null),
		cmocka_unit_test(hostile_names_survive_and_stay_strings),
		cmocka_unit_test(silence_has_a_beginning),
		cmocka_unit_test(alerts_follow_filter_and_order),
		cmocka_unit_test(errors_are_problem_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
