/* SPDX-License-Identifier: MIT */
/* The fleet for Prometheus: each series, absent values, names of every kind. */
#include "config.h"

#include "view_fixture.h"

#include "pages/fleet_metrics.h"

static const char *text_of(struct buf *out)
{
	assert_true(buf_ok(out));
	buf_char(out, '\0');
	return out->data;
}

static struct snapshot *small_fleet(void)
{
	static const struct sample samples[] = {
		{"ppml0001", {99, 97.125, 99.5}, ABSENT, {99, 98.5, 99}, {5, 5, 5}, 12.25},
		{"a\\b\"c\nd\x01é", ABSENT, ABSENT, ABSENT, ABSENT, NAN},
	};
	struct snapshot *snap = new_snapshot();
	struct server *silent;

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		add_sample(snap, samples[i].name, &samples[i]);
	silent = &snap->servers[0];
	silent->same_since_ms = GEN_MS - 2000500;
	silent->same_count = 4;
	silent->crossings[CROSSING_MEM_USED] = (struct crossing){.steps = 3, .peak = 93};
	silent->crossings[CROSSING_DISK_USAGE] =
		(struct crossing){.steps = 12, .critical = true, .peak = 99};
	snap->prob_8h = NAN;
	assert_int_equal(snapshot_seal(snap), 0);
	return snap;
}

static void every_series_is_as_documented(void **state)
{
	static const char expected[] =
		"# HELP tft_server_risk Risk of the server, 0 to 100.\n"
		"# TYPE tft_server_risk gauge\n"
		"tft_server_risk{server=\"ppml0001\",profile=\"ml\"} 100.0\n"
		"tft_server_risk{server=\"a\\\\b\\\"c\\nd\x01é\",profile=\"generic\"} 0.0\n"
		"# HELP tft_server_level Level of the server: 0 healthy, 1 watch, 2 degrading, 3 "
		"warning, 4 danger, 5 critical, 6 imminent.\n"
		"# TYPE tft_server_level gauge\n"
		"tft_server_level{server=\"ppml0001\",profile=\"ml\"} 6\n"
		"tft_server_level{server=\"a\\\\b\\\"c\\nd\x01é\",profile=\"generic\"} 0\n"
		"# HELP tft_server_value Value of the server: now, forecast for the next 30 min, "
		"worst case.\n"
		"# TYPE tft_server_value gauge\n"
		"tft_server_value{server=\"ppml0001\",metric=\"cpu\",when=\"now\"} 99.00\n"
		"tft_server_value{server=\"ppml0001\",metric=\"cpu\",when=\"p50_30m\"} 97.12\n"
		"tft_server_value{server=\"ppml0001\",metric=\"cpu\",when=\"worst_30m\"} 99.50\n"
		"tft_server_value{server=\"ppml0001\",metric=\"memory\",when=\"now\"} 99.00\n"
		"tft_server_value{server=\"ppml0001\",metric=\"memory\",when=\"p50_30m\"} 98.50\n"
		"tft_server_value{server=\"ppml0001\",metric=\"memory\",when=\"worst_30m\"} 99.00\n"
		"tft_server_value{server=\"ppml0001\",metric=\"load\",when=\"now\"} 5.00\n"
		"tft_server_value{server=\"ppml0001\",metric=\"load\",when=\"p50_30m\"} 5.00\n"
		"tft_server_value{server=\"ppml0001\",metric=\"load\",when=\"worst_30m\"} 5.00\n"
		"tft_server_value{server=\"ppml0001\",metric=\"swap\",when=\"now\"} 12.25\n"
		"# HELP tft_server_crossing_seconds Time until the forecast reaches a limit, where "
		"it does so within the hour.\n"
		"# TYPE tft_server_crossing_seconds gauge\n"
		"tft_server_crossing_seconds{server=\"ppml0001\",metric=\"mem_used_pct\",limit="
		"\"warning\"} 900\n"
		"tft_server_crossing_seconds{server=\"ppml0001\",metric=\"disk_usage_pct\",limit="
		"\"critical\"} 3600\n"
		"# HELP tft_server_silent_seconds For how long a silent server has sent nothing "
		"new; 0 for the others.\n"
		"# TYPE tft_server_silent_seconds gauge\n"
		"tft_server_silent_seconds{server=\"ppml0001\"} 2000\n"
		"tft_server_silent_seconds{server=\"a\\\\b\\\"c\\nd\x01é\"} 0\n"
		"# HELP tft_servers Servers at each level.\n"
		"# TYPE tft_servers gauge\n"
		"tft_servers{level=\"imminent\"} 1\n"
		"tft_servers{level=\"critical\"} 0\n"
		"tft_servers{level=\"danger\"} 0\n"
		"tft_servers{level=\"warning\"} 0\n"
		"tft_servers{level=\"degrading\"} 0\n"
		"tft_servers{level=\"watch\"} 0\n"
		"tft_servers{level=\"healthy\"} 1\n"
		"# HELP tft_environment_status Status of the environment: 0 unknown, 1 healthy, 2 "
		"caution, 3 warning, 4 critical.\n"
		"# TYPE tft_environment_status gauge\n"
		"tft_environment_status 4\n"
		"# HELP tft_incident_index Incident index of the daemon, 0 to 1.\n"
		"# TYPE tft_incident_index gauge\n"
		"tft_incident_index{horizon=\"30m\"} 0.8970\n";
	struct snapshot *snap = small_fleet();
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 20);
	fleet_metrics_values(snap, &out);
	assert_string_equal(text_of(&out), expected);
	buf_free(&out);
	snapshot_free(&snap);
}

static void the_time_has_milliseconds(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 20);
	fleet_metrics_time(1763899265007, &out);
	assert_string_equal(text_of(&out),
			    "# HELP tft_snapshot_timestamp_seconds When the data were "
			    "requested.\n"
			    "# TYPE tft_snapshot_timestamp_seconds gauge\n"
			    "tft_snapshot_timestamp_seconds 1763899265.007\n");
	buf_free(&out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_series_is_as_documented),
		cmocka_unit_test(the_time_has_milliseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
