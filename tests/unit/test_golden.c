/* SPDX-License-Identifier: MIT */
/*
 * All recorded answers against the expected values (doc/rules.md#expected-values) and
 * doc/rules.md#spot-check. The answers are fed in pieces of odd sizes, so every cut between chunks
 * occurs somewhere.
 */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <zlib.h>

#include "fleet/decode.h"
#include "fleet/level.h"
#include "fleet/risk.h"
#include "fleet/snapshot.h"

#define CRITICAL_20 "predictions_current-critical-20"
#define HEALTHY_500 "golden-predictions_current-healthy-500"

struct row {
	const char *payload;
	const char *golden; /* of the payload of this name; NULL: section 21 only */
	/* Section 21. */
	unsigned total, healthy, alerts, level[LEVEL_COUNT], high, medium;
	enum status status, card;
	const char *worst;
	int worst_risk;
	/* Deliberate differences (doc/rules.md#expected-values): status D1, places in the alert
	 * order D5, heatmap tiles D10, absent values D14. */
	bool other_status;
	unsigned other_places, other_tiles, absent;
};

#define OCTOBER(name) "predictions_current-" name, "predictions_current-" name

/* clang-format off */
static const struct row rows[] = {
	{OCTOBER("healthy-20"),
	 20, 19, 1, {1, 0, 0, 0, 0, 3, 16}, 1, 0,
	 STATUS_HEALTHY, STATUS_CRITICAL, "ppetl002", 1000, false, 0, 0, 0},
	{OCTOBER("degrading-20"),
	 20, 18, 2, {1, 0, 0, 0, 1, 4, 14}, 1, 3,
	 STATUS_HEALTHY, STATUS_CRITICAL, "ppdb002", 1000, false, 0, 0, 0},
	{OCTOBER("critical_escalated-20"),
	 20, 16, 4, {0, 0, 2, 1, 1, 7, 9}, 2, 5,
	 STATUS_CAUTION, STATUS_CRITICAL, "ppml0002", 751, false, 0, 0, 0},
	{OCTOBER("critical-20"),
	 20, 18, 2, {0, 1, 1, 0, 0, 9, 9}, 2, 2,
	 STATUS_HEALTHY, STATUS_CRITICAL, "ppml0001", 800, false, 0, 0, 0},
	{OCTOBER("short_history-20"),
	 20, 13, 7, {3, 0, 1, 0, 3, 3, 10}, 4, 5,
	 STATUS_WARNING, STATUS_CRITICAL, "ppdb001", 1000, false, 0, 0, 0},
	{OCTOBER("healthy-90"),
	 90, 74, 16, {5, 2, 2, 5, 2, 19, 55}, 9, 16,
	 STATUS_CAUTION, STATUS_CRITICAL, "ppetl002", 1000, false, 0, 0, 0},
	{OCTOBER("degrading-90"),
	 90, 76, 14, {5, 1, 4, 1, 3, 19, 57}, 10, 12,
	 STATUS_CAUTION, STATUS_CRITICAL, "ppetl002", 1000, false, 0, 0, 0},
	{OCTOBER("critical_escalated-90"),
	 90, 69, 21, {2, 3, 5, 3, 8, 30, 39}, 10, 24,
	 STATUS_CAUTION, STATUS_CRITICAL, "ppdb015", 1000, false, 0, 0, 0},
	{OCTOBER("critical-90"),
	 90, 70, 20, {4, 2, 1, 3, 10, 21, 49}, 7, 21,
	 STATUS_CAUTION, STATUS_CRITICAL, "ppdb011", 1000, false, 0, 0, 0},
	{OCTOBER("critical-500"),
	 499, 383, 116, {26, 15, 19, 19, 37, 125, 258}, 60, 98,
	 STATUS_CAUTION, STATUS_CRITICAL, "ppdb001", 1000, false, 4, 0, 0},
	{"in-between/predictions_current-healthy-20", "predictions_current-healthy-20",
	 20, 19, 1, {1, 0, 0, 0, 0, 3, 16}, 1, 0,
	 STATUS_HEALTHY, STATUS_CRITICAL, "ppetl002", 1000, false, 0, 0, 0},
	{"in-between/predictions_current-critical-20", CRITICAL_20,
	 20, 18, 2, {0, 1, 1, 0, 0, 9, 9}, 2, 2,
	 STATUS_HEALTHY, STATUS_CRITICAL, "ppml0001", 800, false, 0, 0, 0},
	{"latest/predictions_current-healthy-20", NULL,
	 20, 18, 2, {0, 0, 1, 0, 1, 4, 14}, 1, 2,
	 STATUS_HEALTHY, STATUS_CRITICAL, "ppetl002", 710, false, 0, 0, 0},
	{"latest/predictions_current-critical-20", NULL,
	 20, 15, 5, {2, 0, 0, 0, 3, 7, 8}, 2, 4,
	 STATUS_CAUTION, STATUS_CRITICAL, "ppetl002", 1000, false, 0, 0, 0},
	{"predictions_synthetic-edges-68", "predictions_synthetic-edges-68",
	 68, 61, 7, {2, 1, 0, 1, 3, 8, 53}, 3, 7,
	 STATUS_CAUTION, STATUS_WARNING, "ppgen-int", 1000, true, 0, 7, 8},
};
/* clang-format on */

/* ---- files ---- */

static gzFile open_data(const char *name)
{
	const char *srcdir = getenv("srcdir");
	char path[512];
	gzFile file;

	snprintf(path, sizeof(path), "%s/tests/data/payloads/%s.json.gz", srcdir ? srcdir : ".",
		 name);
	file = gzopen(path, "rb");
	if (file == NULL)
		fail_msg("cannot open %s", path);
	return file;
}

static struct snapshot *decode_file(const char *name)
{
	static const unsigned sizes[] = {1, 7, 4093, 65521, 2, 16381};
	struct decode *d = decode_new();
	struct snapshot *snap = NULL;
	gzFile file = open_data(name);
	char chunk[65536];
	unsigned turn = 0;
	int n;

	assert_non_null(d);
	while ((n = gzread(file, chunk, sizes[turn++ % 6])) > 0)
		assert_int_equal(decode_feed(d, chunk, (size_t)n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(decode_finish(d, &snap), REASON_NONE);
	assert_non_null(snap);
	gzclose(file);
	decode_free(&d);
	return snap;
}

static struct json_object *read_golden(const char *prefix, const char *name)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object = NULL;
	char path[256], chunk[65536];
	gzFile file;
	int n;

	snprintf(path, sizeof(path), "%s%s", prefix, name);
	file = open_data(path);
	while ((n = gzread(file, chunk, sizeof(chunk))) > 0)
		object = json_tokener_parse_ex(tokener, chunk, n);
	assert_non_null(object);
	gzclose(file);
	json_tokener_free(tokener);
	return object;
}

static struct json_object *get(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("the expected values have no %s", key);
	return value;
}

static double get_number(struct json_object *object, const char *key)
{
	return json_object_get_double(get(object, key));
}

static const char *get_text(struct json_object *object, const char *key)
{
	return json_object_get_string(get(object, key));
}

/* ---- servers ---- */

static bool is_near(double ours, double golden, double relative)
{
	return fabs(ours - golden) <= relative * fmax(1, fabs(golden));
}

/* Equal, or absent where the original has 0 (D14). */
static void check_value(const char *server, const char *what, double ours, double golden,
			unsigned *absent)
{
	if (isnan(ours)) {
		assert_true(golden == 0);
		(*absent)++;
	} else if (!is_near(ours, golden, 1e-9)) {
		fail_msg("%s: %s is %.12g, expected %.12g", server, what, ours, golden);
	}
}

static const char *mark_text(enum mark mark)
{
	static const char *const texts[] = {"", "🟡", "🟠", "🔴"};

	return texts[mark];
}

static void check_marks(const struct server *server, struct json_object *golden)
{
	struct json_object *marks = get(golden, "indicators_now");
	bool database = server->profile == PROFILE_DATABASE;

	/* D8: the expected mark dates from before idle 0 counted as 100 % used. */
	if (!(server->cpu.now == 100 && get_text(marks, "cpu")[0] == '\0'))
		assert_string_equal(mark_text(mark_of(MARK_KIND_CPU, server->cpu.now)),
				    get_text(marks, "cpu"));
	assert_string_equal(mark_text(mark_of(MARK_KIND_IOWAIT, server->iowait.now)),
			    get_text(marks, "iowait"));
	assert_string_equal(mark_text(mark_of(database ? MARK_KIND_MEMORY_DB : MARK_KIND_MEMORY,
					      server->memory.now)),
			    get_text(marks, "memory"));
}

static unsigned count_other_tiles(const struct server *server, struct json_object *golden)
{
	struct json_object *tiles = get(golden, "heatmap");

	return !is_near(server->cpu.worst, get_number(tiles, "CPU (p90)"), 1e-6) +
	       !is_near(server->memory.worst, get_number(tiles, "Memory (p90)"), 1e-6) +
	       !is_near(server->load.worst, get_number(tiles, "Load Avg (p90)"), 1e-6);
}

static void check_server(const struct server *server, struct json_object *golden, unsigned *absent)
{
	struct json_object *cpu = get(golden, "cpu_used"), *wait = get(golden, "iowait"),
			   *memory = get(golden, "memory");
	char name[SNAPSHOT_NAME_MAX + 1];

	snprintf(name, sizeof(name), "%.*s", (int)server->name.len, server->name.ptr);
	assert_int_equal(server->risk, lround(10 * get_number(golden, "risk_fixed")));
	assert_string_equal(level_table[level_of(server->risk)].name,
			    get_text(golden, "level7_fixed"));
	check_value(name, "CPU now", server->cpu.now, get_number(cpu, "current_fixed"), absent);
	check_value(name, "CPU median", server->cpu.predicted, get_number(cpu, "p50"), absent);
	check_value(name, "CPU worst", server->cpu.worst, get_number(cpu, "p90_fixed"), absent);
	check_value(name, "CPU best", server->cpu.best, get_number(cpu, "p10_fixed"), absent);
	check_value(name, "I/O wait now", server->iowait.now, get_number(wait, "current"), absent);
	check_value(name, "I/O wait predicted", server->iowait.predicted,
		    get_number(wait, "p50_30m"), absent);
	check_value(name, "memory now", server->memory.now, get_number(memory, "current"), absent);
	check_value(name, "memory predicted", server->memory.predicted,
		    get_number(memory, "p50_30m"), absent);
	check_marks(server, golden);
}

static void check_servers(const struct row *row, const struct snapshot *snap,
			  struct json_object *golden)
{
	struct json_object *servers = get(golden, "servers");
	unsigned absent = 0, tiles = 0;

	assert_int_equal(json_object_object_length(servers), snap->count);
	json_object_object_foreach(servers, name, expected)
	{
		const struct server *server = snapshot_find(snap, span_str(name));

		assert_non_null(server);
		check_server(server, expected, &absent);
		tiles += count_other_tiles(server, expected);
	}
	assert_int_equal(absent, row->absent);
	assert_int_equal(tiles, row->other_tiles);
}

/* ---- the fleet ---- */

static enum status fleet_status(const struct snapshot *snap)
{
	struct fleet_counts counts;

	snapshot_count(snap, &counts);
	return status_of_fleet(counts.total, counts.or_worse);
}

static void check_counts(const struct snapshot *snap, struct json_object *fixed)
{
	struct json_object *levels = get(fixed, "count_by_level7");
	struct fleet_counts counts;
	char text[32];
	int l;

	snapshot_count(snap, &counts);
	for (l = 0; l < LEVEL_COUNT; l++)
		assert_int_equal(counts.level[l],
				 json_object_get_int(get(levels, level_table[l].name)));
	snprintf(text, sizeof(text), "%u/%u", counts.healthy, counts.total);
	assert_string_equal(text, get_text(fixed, "fleet_healthy"));
	assert_int_equal(counts.or_worse[LEVEL_DEGRADING],
			 json_object_get_int(get(fixed, "alert_count")));
}

/* Counts servers whose place in an expected order differs from ours. */
static unsigned count_other_places(const struct snapshot *snap, struct json_object *order)
{
	size_t i, n = json_object_array_length(order);
	unsigned other = 0;

	assert_true(n <= snap->count);
	for (i = 0; i < n; i++) {
		struct json_object *name = json_object_array_get_idx(order, i);

		other += !span_is(snap->servers[i].name, json_object_get_string(name));
	}
	return other;
}

static void check_index(const struct snapshot *snap, struct json_object *fixed)
{
	struct json_object *metrics = get(fixed, "overview_metrics_in_order");
	const double values[] = {snap->prob_30m, snap->prob_8h};
	size_t i;

	for (i = 0; i < 2; i++) {
		struct json_object *metric = json_object_array_get_idx(metrics, 1 + i);
		char text[32];

		snprintf(text, sizeof(text), "%.1f%%", 100 * values[i]);
		assert_string_equal(text,
				    json_object_get_string(json_object_array_get_idx(metric, 1)));
	}
	assert_string_equal(status_table[status_of_index(snap->prob_30m, snap->prob_8h)].capital,
			    get_text(fixed, "predicted_status"));
}

/* The cell ends with the value; the mark precedes it. */
static void check_cell(struct json_object *row, const char *column, double value, enum mark mark)
{
	char text[32];

	snprintf(text, sizeof(text), "%s%.1f%%", mark_text(mark), value);
	assert_string_equal(text, get_text(row, column));
}

static void check_alert_row(const struct snapshot *snap, struct json_object *row)
{
	const struct server *s = snapshot_find(snap, span_str(get_text(row, "Server")));
	enum mark_kind memory;

	assert_non_null(s);
	memory = s->profile == PROFILE_DATABASE ? MARK_KIND_MEMORY_DB : MARK_KIND_MEMORY;
	assert_string_equal(level_table[level_of(s->risk)].name, get_text(row, "Priority"));
	if (s->cpu.now < 100)
		check_cell(row, "CPU Now", s->cpu.now, mark_of(MARK_KIND_CPU, s->cpu.now));
	check_cell(row, "CPU Predicted (30m)", s->cpu.predicted,
		   mark_of(MARK_KIND_CPU, s->cpu.predicted));
	check_cell(row, "I/O Wait Now", s->iowait.now, mark_of(MARK_KIND_IOWAIT, s->iowait.now));
	check_cell(row, "I/O Wait Predicted (30m)", s->iowait.predicted,
		   mark_of(MARK_KIND_IOWAIT, s->iowait.predicted));
	check_cell(row, "Mem Now", s->memory.now, mark_of(memory, s->memory.now));
	check_cell(row, "Mem Predicted (30m)", s->memory.predicted,
		   mark_of(memory, s->memory.predicted));
}

static void check_fleet(const struct row *row, const struct snapshot *snap,
			struct json_object *fixed)
{
	struct json_object *alerts = get(fixed, "alert_rows_as_rendered");
	const char *status = get_text(get(fixed, "environment_status"), "text");
	size_t i;

	check_counts(snap, fixed);
	check_index(snap, fixed);
	assert_int_equal(strcmp(status_table[fleet_status(snap)].name, status) != 0,
			 row->other_status);
	assert_int_equal(count_other_places(snap, get(fixed, "alert_order_numeric_then_name")),
			 row->other_places);
	for (i = 0; i < json_object_array_length(alerts); i++)
		check_alert_row(snap, json_object_array_get_idx(alerts, i));
}

static void check_spot(const struct row *row, const struct snapshot *snap)
{
	struct fleet_counts counts;
	unsigned high = 0, medium = 0;
	size_t i;

	snapshot_count(snap, &counts);
	for (i = 0; i < snap->count; i++) {
		high += snap->servers[i].risk >= RISK_HIGH;
		medium += snap->servers[i].risk >= 400 && snap->servers[i].risk < RISK_HIGH;
	}
	assert_int_equal(counts.total, row->total);
	assert_int_equal(counts.healthy, row->healthy);
	assert_int_equal(counts.or_worse[LEVEL_DEGRADING], row->alerts);
	assert_memory_equal(counts.level, row->level, sizeof(counts.level));
	assert_int_equal(high, row->high);
	assert_int_equal(medium, row->medium);
	assert_int_equal(fleet_status(snap), row->status);
	assert_int_equal(status_of_index(snap->prob_30m, snap->prob_8h), row->card);
	assert_true(span_is(snap->servers[0].name, row->worst));
	assert_int_equal(snap->servers[0].risk, row->worst_risk);
}

static void check_payload(void **state)
{
	const struct row *row = *state;
	struct snapshot *snap = decode_file(row->payload);
	struct json_object *golden;

	check_spot(row, snap);
	assert_int_equal(snap->refused, 0);
	if (row->golden != NULL) {
		golden = read_golden("golden-", row->golden);
		check_servers(row, snap, golden);
		check_fleet(row, snap, get(golden, "fixed"));
		json_object_put(golden);
	}
	snapshot_free(&snap);
}

/* ---- section 21, the two columns ---- */

static void check_top(const char *payload, const char *const names[5], const int risks[5])
{
	struct snapshot *snap = decode_file(payload);
	size_t i;

	for (i = 0; i < 5; i++) {
		assert_true(span_is(snap->servers[i].name, names[i]));
		assert_int_equal(snap->servers[i].risk, risks[i]);
	}
	snapshot_free(&snap);
}

static void top_five_are_those_of_the_spot_check(void **state)
{
	static const char *const names_20[] = {"ppml0001", "ppml0002", "ppweb008", "ppdb001",
					       "ppetl001"};
	static const char *const names_90[] = {"ppdb011", "ppdb008", "ppetl003", "ppetl006",
					       "ppetl007"};

	(void)state;
	check_top(CRITICAL_20, names_20, (const int[]){800, 730, 471, 416, 396});
	check_top("predictions_current-critical-90", names_90,
		  (const int[]){1000, 996, 991, 991, 891});
}

static void activity_is_that_of_the_spot_check(void **state)
{
	static const struct {
		const char *name;
		double activity;
	} expected[] = {{"ppetl001", 47.96},
			{"ppml0002", 47.18},
			{"ppweb005", 46.52},
			{"ppml0001", 45.67},
			{"ppdb002", 44.10}};
	struct snapshot *snap = decode_file(CRITICAL_20);
	size_t i, k;

	(void)state;
	for (i = 0; i < 5; i++) {
		const struct server *server = snapshot_find(snap, span_str(expected[i].name));
		size_t busier = 0;

		/* Computed from the printed values, each of which may be half a tenth off. */
		assert_true(fabs(risk_activity(server) - expected[i].activity) < 0.05);
		for (k = 0; k < snap->count; k++)
			busier += risk_activity(&snap->servers[k]) > risk_activity(server);
		assert_int_equal(busier, i);
	}
	snapshot_free(&snap);
}

static unsigned sum_points(const struct server *server, int weight)
{
	unsigned sum = 0;
	int c;

	for (c = 0; c < COMPONENT_COUNT; c++)
		if (risk_rule((enum component)c)->weight == weight)
			sum += server->points[c];
	return sum;
}

static void points_are_those_of_the_spot_check(void **state)
{
	struct snapshot *snap = decode_file(CRITICAL_20);

	(void)state;
	assert_int_equal(sum_points(&snap->servers[0], 7), 80);
	assert_int_equal(sum_points(&snap->servers[0], 3), 80);
	snapshot_free(&snap);
	snap = decode_file("predictions_current-critical-90");
	assert_int_equal(sum_points(&snap->servers[0], 7), 115);
	assert_int_equal(sum_points(&snap->servers[0], 3), 87);
	snapshot_free(&snap);
}

/* ---- expected values without a payload ---- */

static void fleet_of_500_orders_and_counts_from_its_scores(void **state)
{
	struct json_object *golden = read_golden("", HEALTHY_500), *fixed = get(golden, "fixed");
	struct snapshot *snap = snapshot_new();

	(void)state;
	json_object_object_foreach(get(fixed, "risk"), name, risk)
		snapshot_add(snap, span_str(name))
			->risk = (int)lround(10 * json_object_get_double(risk));
	assert_int_equal(snapshot_seal(snap), 0);
	assert_int_equal(snap->count, 500);
	check_counts(snap, fixed);
	assert_string_equal(status_table[fleet_status(snap)].name,
			    get_text(get(fixed, "environment_status"), "text"));
	assert_int_equal(count_other_places(snap, get(fixed, "alert_order_numeric_then_name")), 2);
	assert_int_equal(count_other_places(snap, get(fixed, "risk_order_desc_then_name")), 13);
	snapshot_free(&snap);
	json_object_put(golden);
}

/* 260 of 264 agree; four become Caution (D1), because all their servers at 50-59 count. */
static void status_cases_agree_but_for_caution(void **state)
{
	struct json_object *golden = read_golden("", "golden-fleet_status-cases"),
			   *cases = get(golden, "cases");
	size_t i, n = json_object_array_length(cases);
	unsigned caution = 0;

	(void)state;
	assert_int_equal(n, 264);
	for (i = 0; i < n; i++) {
		struct json_object *item = json_object_array_get_idx(cases, i);
		unsigned c = (unsigned)json_object_get_int(get(item, "risk_ge_80"));
		unsigned u = c + (unsigned)json_object_get_int(get(item, "risk_60_79"));
		unsigned d = u + (unsigned)json_object_get_int(get(item, "risk_50_59"));
		const unsigned or_worse[LEVEL_COUNT] = {
			[LEVEL_CRITICAL] = c, [LEVEL_WARNING] = u, [LEVEL_DEGRADING] = d};
		enum status status = status_of_fleet(
			(unsigned)json_object_get_int(get(item, "total")), or_worse);

		if (strcmp(status_table[status].name, get_text(item, "status")) == 0)
			continue;
		assert_int_equal(status, STATUS_CAUTION);
		assert_string_equal(get_text(item, "status"), "Healthy");
		assert_int_equal(u, 0);
		caution++;
	}
	assert_int_equal(caution, 4);
	json_object_put(golden);
}

#define ROWS (sizeof(rows) / sizeof(rows[0]))

int main(void)
{
	const struct CMUnitTest fixed_tests[] = {
		cmocka_unit_test(top_five_are_those_of_the_spot_check),
		cmocka_unit_test(activity_is_that_of_the_spot_check),
		cmocka_unit_test(points_are_those_of_the_spot_check),
		cmocka_unit_test(fleet_of_500_orders_and_counts_from_its_scores),
		cmocka_unit_test(status_cases_agree_but_for_caution),
	};
	struct CMUnitTest payload_tests[ROWS];
	struct row copies[ROWS];
	size_t i;
	int failed;

	memcpy(copies, rows, sizeof(rows));
	for (i = 0; i < ROWS; i++)
		payload_tests[i] =
			(struct CMUnitTest){rows[i].payload, check_payload, NULL, NULL, &copies[i]};
	failed = cmocka_run_group_tests_name("payloads", payload_tests, NULL, NULL);
	return failed + cmocka_run_group_tests_name("fixed values", fixed_tests, NULL, NULL);
}
