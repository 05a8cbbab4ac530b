/* SPDX-License-Identifier: MIT */
/* The answer of /api/v1/status: warm-up, scenario, condition and cache are separate statements,
 * each of which may be unknown. */
#include "config.h"

#include "view_fixture.h"

#include "pages/api.h"

static void status_tells_each_part_apart(void **unused)
{
	struct scenario scenario = {true, true, "critical", 5, 20, 2, {"ppdb001", "ppweb002"}, 0};
	struct diagnosis diagnosis = {
		.count = 1,
		.calls = {{.result = "ok",
			   .status = 200,
			   .at_ms = GEN_MS,
			   .fetch_ms = 300,
			   .total_ms = 320,
			   .bytes = 900710}},
		.budget_left = 25,
		.fresh = 4,
		.stale = 3,
		.cold = 2,
		.down = 1,
	};
	struct fixture f;
	struct api_status status;

	(void)unused;
	fixture_init(&f);
	f.condition = (struct condition){.reason = REASON_CONNECT,
					 .age = AGE_NO_DATA,
					 .since_ms = GEN_MS,
					 .next_try_ms = GEN_MS + 1000};
	status = (struct api_status){.site = &f.site,
				     .condition = &f.condition,
				     .warmup = &f.warmup,
				     .scenario = &scenario,
				     .diagnosis = &diagnosis,
				     .redis_up = true,
				     .bucket = 7};
	api_status(&status, &f.out);
	buf_char(&f.out, '\0');
	assert_string_equal(
		f.out.data,
		"{\"bucket\":null,\"interval_s\":30,\"generated_at\":null,\"at\":null,"
		"\"condition\":\"no-"
		"data\","
		"\"detail\":\"connection "
		"refused\",\"warmup\":{\"known\":true,\"is_warmed_up\":true,"
		"\"progress_percent\":100,\"current_size\":200,\"required_size\":150,"
		"\"asked_at\":null},"
		"\"scenario\":{\"scenario\":\"critical\",\"total_affected\":5,\"fleet_size\":20,"
		"\"affected_servers\":[\"ppdb001\",\"ppweb002\"],\"asked_at\":null},"
		"\"upstream\":{\"fleet\":{\"condition\":\"no-data\",\"detail\":\"connection "
		"refused\","
		"\"since\":\"2025-11-23T12:01:05.123Z\",\"next_try\":\"2025-11-23T12:01:06.123Z\","
		"\"budget_left\":25,\"last_call\":{\"at\":\"2025-11-23T12:01:05.123Z\",\"result\":"
		"\"ok\","
		"\"status\":200,\"fetch_ms\":300,\"total_ms\":320,\"bytes\":900710}},"
		"\"feed\":{\"silent_since\":null}},"
		"\"cache\":{\"redis\":\"up\",\"bucket\":7,\"interval_s\":30,\"next_bucket\":null,"
		"\"node_requests\":{\"fresh\":4,\"stale\":3,\"cold\":2,\"down\":1}}}");
	buf_reset(&f.out);
	diagnosis.budget_left = 0;
	api_status(&status, &f.out);
	buf_char(&f.out, '\0');
	assert_has(f.out.data, "\"budget_left\":0,");
	scenario.known = false;
	f.warmup.known = false;
	status.redis_up = false;
	buf_reset(&f.out);
	api_status(&status, &f.out);
	buf_char(&f.out, '\0');
	assert_has(f.out.data, "\"warmup\":{\"known\":false},\"scenario\":null,");
	assert_has(f.out.data, "\"redis\":\"down\"");
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_tells_each_part_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
