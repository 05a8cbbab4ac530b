/* SPDX-License-Identifier: MIT */
/* Cost, remediation and alerting of all recorded answers against the expected values
 * (doc/rules.md#expected-values: equal except for D11 to D13, D16). */
#include "config.h"

#include <math.h>

#include "golden.h"

#include "base/fmt.h"
#include "fleet/rules.h"

struct row {
	const char *payload;
	const char *golden; /* expected values of the payload of this name; NULL: section 21 only */
	/* Section 21. */
	unsigned high, medium;
	const char *daily;
	unsigned queued, autonomous, manual;
	/* Section 20.3. At-risk table (D11): rows, rows in other places, servers that are not in
	 * the expected table. */
	unsigned at_risk, at_risk_places, at_risk_members;
	/* Remediation (D12): rows in other places, profile names, predicted CPU; autonomous ones of
	 * the original. */
	unsigned plan_places, plan_names, plan_cpu, plan_autonomous;
	/* Alerting (D13): rows in other places, types. */
	unsigned alert_places, alert_types;
};

#define OCTOBER(name) "predictions_current-" name, "predictions_current-" name

static const struct row rows[] = {
	{OCTOBER("healthy-20"), 1, 0, "$106,250", 1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1},
	{OCTOBER("degrading-20"), 1, 1, "$138,125", 1, 1, 0, 2, 0, 0, 0, 0, 1, 1, 0, 0},
	{OCTOBER("critical_escalated-20"), 2, 2, "$276,250", 2, 1, 1, 4, 0, 0, 0, 2, 2, 1, 0, 1},
	{OCTOBER("critical-20"), 2, 0, "$212,500", 2, 2, 0, 2, 0, 0, 0, 2, 2, 2, 0, 0},
	{OCTOBER("short_history-20"), 4, 3, "$520,625", 4, 4, 0, 7, 6, 0, 4, 2, 4, 4, 4, 1},
	{OCTOBER("healthy-90"), 9, 7, "$1,179,375", 9, 8, 1, 14, 11, 0, 9, 6, 9, 7, 9, 1},
	{OCTOBER("degrading-90"), 10, 4, "$1,190,000", 10, 8, 2, 14, 11, 0, 10, 6, 10, 8, 10, 4},
	{OCTOBER("critical_escalated-90"), 10, 11, "$1,413,125", 10, 8, 2, 15, 12, 2, 10, 4, 10, 5,
	 10, 2},
	{OCTOBER("critical-90"), 7, 13, "$1,158,125", 7, 3, 4, 12, 10, 1, 6, 4, 7, 3, 6, 4},
	{OCTOBER("healthy-500"), 44, 44, "$6,077,500", 44, 36, 8, 49, 47, 4, 42, 28, 44, 32, 42,
	 10},
	{OCTOBER("critical-500"), 60, 56, "$8,160,000", 60, 44, 16, 65, 62, 3, 59, 33, 60, 37, 59,
	 16},
	{"in-between/predictions_current-healthy-20", "predictions_current-healthy-20", 1, 0,
	 "$106,250", 1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1},
	{"in-between/predictions_current-critical-20", "predictions_current-critical-20", 2, 0,
	 "$212,500", 2, 2, 0, 2, 0, 0, 0, 2, 2, 2, 0, 0},
	{"latest/predictions_current-healthy-20", NULL, 1, 1, "$138,125", 1, 0, 1, 2, 0, 0, 0, 0, 0,
	 0, 0, 0},
	{"latest/predictions_current-critical-20", NULL, 2, 3, "$308,125", 2, 0, 2, 5, 0, 0, 0, 0,
	 0, 0, 0, 0},
	{"predictions_synthetic-edges-68", "predictions_synthetic-edges-68", 3, 4, "$446,250", 3, 1,
	 2, 7, 5, 0, 2, 0, 3, 0, 2, 0},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* Its payload is not recorded: names and scores come from the expected values, without CPU. */
static struct snapshot *snapshot_of_scores(struct json_object *fixed)
{
	struct json_object *metrics = golden_get(fixed, "overview_metrics_in_order");
	struct json_object *index = json_object_array_get_idx(metrics, 1);
	struct snapshot *snap = snapshot_new();

	assert_non_null(snap);
	json_object_object_foreach(golden_get(fixed, "risk"), name, risk)
	{
		struct server *s = snapshot_add(snap, span_str(name));

		s->risk = (int)lround(10 * json_object_get_double(risk));
		s->profile = profile_of(span_str(name));
		s->cpu.worst = (double)NAN;
	}
	snap->prob_30m =
		strtod(json_object_get_string(json_object_array_get_idx(index, 1)), NULL) / 100;
	snap->prob_8h = snap->prob_30m;
	assert_int_equal(snapshot_seal(snap), 0);
	return snap;
}

static void assert_text(void (*format)(struct buf *, double), double value, const char *expected)
{
	struct buf text;

	buf_init(&text, 256);
	format(&text, value);
	buf_char(&text, '\0');
	assert_string_equal(text.data, expected);
	buf_free(&text);
}

static bool is_near(double ours, double golden)
{
	return fabs(ours - golden) <= 1e-9 * fmax(1, fabs(golden));
}

/* ---- cost ---- */

static struct cost cost_by_default(const struct snapshot *snap)
{
	double inputs[COST_INPUTS];
	struct cost cost;

	for (int i = 0; i < COST_INPUTS; i++)
		inputs[i] = cost_input_table[i].standard;
	cost_of(snap, inputs, &cost);
	return cost;
}

static void assert_figure(const struct cost *cost, enum cost_figure figure, double expected)
{
	if (!is_near(cost->figure[figure], expected))
		fail_msg("%s is %.12g", cost_figure_table[figure].name, cost->figure[figure]);
}

static void check_figures(const struct cost *cost, struct json_object *golden)
{
	struct json_object *inputs = golden_get(golden, "inputs");
	double left_out, prevented;

	for (int i = 0; i < COST_INPUTS; i++)
		assert_true(cost_input_table[i].standard ==
			    golden_number(inputs, cost_input_table[i].name));
	assert_figure(cost, COST_HIGH, golden_number(golden, "high_risk"));
	assert_figure(cost, COST_PER_INCIDENT, golden_number(golden, "cost_per_incident"));
	/* The original's medium servers begin at risk 40 (D16): those from 40 to 50 are taken out. */
	left_out = 0.3 * 0.85 * (golden_number(golden, "medium_risk") - cost->figure[COST_MEDIUM]);
	prevented = golden_number(golden, "incidents_prevented") - left_out;
	assert_figure(cost, COST_PREVENTED, prevented);
	assert_figure(cost, COST_DAILY, prevented * cost->figure[COST_PER_INCIDENT]);
	assert_figure(cost, COST_MONTHLY, 30 * cost->figure[COST_DAILY]);
	assert_figure(cost, COST_ANNUAL, 365 * cost->figure[COST_DAILY]);
}

/* Rank of the server in the snapshot; count when there is none. */
static size_t rank_of(const struct snapshot *snap, const char *name)
{
	size_t i = 0;

	while (i < snap->count && !span_is(snap->servers[i].name, name))
		i++;
	return i;
}

/* The original's words for the two classes are levels of its own. */
static void check_at_risk_row(const struct cost *cost, const struct server *s,
			      struct json_object *golden)
{
	bool high = strcmp(golden_text(golden, "Risk Level"), "Critical") == 0;

	assert_int_equal(s->risk, lround(10 * golden_number(golden, "Risk Score")));
	assert_string_equal(cost_class(s), high ? "High" : "Medium");
	/* The original's share of a medium one is another than its weight (D16). */
	if (high)
		assert_text(fmt_money, cost_of_server(cost, s),
			    golden_text(golden, "Potential Cost if Incident"));
}

static void check_at_risk(const struct row *row, const struct snapshot *snap,
			  const struct cost *cost, struct json_object *table)
{
	size_t n = json_object_array_length(table), place = 0;
	unsigned places = 0, members = 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *golden = json_object_array_get_idx(table, i);
		size_t rank = rank_of(snap, golden_text(golden, "Server"));

		assert_true(rank < snap->count);
		if (snap->servers[rank].risk < RISK_ALERT)
			continue; /* D16 */
		check_at_risk_row(cost, &snap->servers[rank], golden);
		places += rank != place++;
		members += rank >= cost->at_risk;
	}
	assert_int_equal(places, row->at_risk_places);
	assert_int_equal(members, row->at_risk_members);
}

/* ---- remediation ---- */

/* The original's "4 minutes" and "Immediate" are "4 min" and "immediate". */
static void check_time(const char *ours, const char *golden)
{
	if (strcmp(golden, "Immediate") == 0)
		assert_string_equal(ours, "immediate");
	else
		assert_int_equal(strtol(ours, NULL, 10), strtol(golden, NULL, 10));
}

static void check_remediation(const struct row *row, const struct snapshot *snap,
			      struct json_object *golden)
{
	struct json_object *table = golden_get(golden, "rows");
	struct json_object *metrics = golden_get(golden, "metrics");
	unsigned places = 0, names = 0, cpu = 0;
	size_t n = json_object_array_length(table);

	assert_int_equal(golden_number(metrics, "Actions Queued"), row->queued);
	assert_int_equal(golden_number(metrics, "Autonomous Actions"), row->plan_autonomous);
	assert_int_equal(n, row->queued);
	for (size_t i = 0; i < n; i++) {
		struct json_object *expected = json_object_array_get_idx(table, i);
		size_t rank = rank_of(snap, golden_text(expected, "Server"));
		const struct server *s = &snap->servers[rank];

		assert_true(rank < n);
		assert_int_equal(s->risk, lround(10 * golden_number(expected, "Risk Score")));
		check_time(remedy_table[s->profile].time, golden_text(expected, "ETA"));
		places += rank != i;
		names += strcmp(profile_table[s->profile].name, golden_text(expected, "Profile")) !=
			 0;
		/* The original always shows 0.0 %, because it reads a field that does not exist. */
		cpu += isnan(s->cpu.worst) ||
		       s->cpu.worst != strtod(golden_text(expected, "Predicted CPU (p90)"), NULL);
	}
	assert_int_equal(places, row->plan_places);
	assert_int_equal(names, row->plan_names);
	assert_int_equal(cpu, row->plan_cpu);
}

/* ---- alerting ---- */

/* The original puts a coloured circle before the word. */
static bool is_word(const char *golden, const char *word)
{
	const char *space = strchr(golden, ' ');

	return space && strcmp(space + 1, word) == 0;
}

/* The place of a subject among our alerts. */
static size_t find_alert(const struct snapshot *snap, const char *subject, struct alert *alert)
{
	size_t i = 0;

	for (; alert_at(snap, i, alert); i++)
		if (alert->server ? span_is(alert->server->name, subject)
				  : strcmp(subject, "environment") == 0)
			break;
	return i;
}

static void check_alerts(const struct row *row, const struct snapshot *snap,
			 struct json_object *table)
{
	size_t n = json_object_array_length(table);
	unsigned places = 0, types = 0;
	char text[ALERT_TEXT];
	struct alert alert;

	for (size_t i = 0; i < n; i++) {
		struct json_object *golden = json_object_array_get_idx(table, i);
		size_t place = find_alert(snap, golden_text(golden, "Subject"), &alert);

		assert_true(place < n);
		assert_true(
			is_word(golden_text(golden, "Severity"), level_table[alert.level].name));
		places += place != i;
		types += !span_is(alert_type(&alert, text), golden_text(golden, "Type"));
	}
	assert_false(alert_at(snap, n, &alert));
	assert_int_equal(places, row->alert_places);
	assert_int_equal(types, row->alert_types);
}

static void check_alert_counts(const struct snapshot *snap, struct json_object *metrics)
{
	unsigned count[LEVEL_COUNT], checked = 0;

	alert_count(snap, count);
	json_object_object_foreach(metrics, name, expected)
	{
		for (int i = 0; i <= LEVEL_WARNING; i++) {
			if (!is_word(name, level_table[i].name))
				continue;
			assert_int_equal(count[i], json_object_get_int(expected));
			checked++;
		}
	}
	assert_int_equal(checked, LEVEL_WARNING + 1);
}

/* ---- all together ---- */

static void check_spot(const struct row *row, const struct snapshot *snap, const struct cost *cost)
{
	struct remedy_count count;

	remedy_count(snap, &count);
	assert_true(cost->figure[COST_HIGH] == row->high);
	assert_true(cost->figure[COST_MEDIUM] == row->medium);
	assert_text(fmt_money, cost->figure[COST_DAILY], row->daily);
	assert_int_equal(cost->at_risk, row->at_risk);
	assert_int_equal(count.queued, row->queued);
	assert_int_equal(count.autonomous, row->autonomous);
	assert_int_equal(count.manual, row->manual);
}

static void check_row(void **state)
{
	const struct row *row = *state;
	struct json_object *values = row->golden ? golden_values(row->golden) : NULL;
	struct json_object *fixed = values ? golden_get(values, "fixed") : NULL;
	struct snapshot *snap = strstr(row->payload, "healthy-500") ? snapshot_of_scores(fixed)
								    : golden_snapshot(row->payload);
	const struct cost cost = cost_by_default(snap);

	check_spot(row, snap, &cost);
	if (fixed) {
		check_figures(&cost, golden_get(fixed, "cost"));
		check_at_risk(row, snap, &cost,
			      golden_get(golden_get(fixed, "cost"), "at_risk_table"));
		check_remediation(row, snap, golden_get(fixed, "remediation"));
		check_alerts(row, snap, golden_get(golden_get(fixed, "alerting"), "rows"));
		check_alert_counts(snap, golden_get(golden_get(fixed, "alerting"), "metrics"));
	}
	snapshot_free(&snap);
	json_object_put(values);
}

int main(void)
{
	struct CMUnitTest tests[ROWS];
	struct row copies[ROWS];

	memcpy(copies, rows, sizeof(rows));
	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){rows[i].payload, check_row, NULL, NULL, &copies[i]};
	return cmocka_run_group_tests_name("plans of the recorded answers", tests, NULL, NULL);
}
