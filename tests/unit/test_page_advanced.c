/* SPDX-License-Identifier: MIT */
/* Who sees what on the operator's page, and that foreign text stays text. */
#include "config.h"

#include "fleet/diagnosis.h"
#include "view_fixture.h"

#define BUTTON_OFF " disabled=\"disabled\">"

static struct diagnosis diagnosis_of(enum role role, const char *user,
				     const struct scenario *scenario)
{
	return (struct diagnosis){.role = role,
				  .user = user,
				  .node = "web1",
				  .scenario = scenario,
				  .budget_left = -1,
				  .bucket = -1,
				  .data_bucket = -1};
}

static void a_viewer_has_no_working_button(void **state)
{
	static const struct scenario scenario = {
		.configured = true, .known = true, .name = "healthy"};
	struct diagnosis d = diagnosis_of(ROLE_VIEWER, "", &scenario);
	struct fixture f;
	const char *text;

	(void)state;
	fixture_fleet(&f);
	f.view.diagnosis = &d;
	text = render(&f, "advanced", "");
	assert_has(text, "Actions need the operator role.");
	assert_has(text, "Now: healthy");
	assert_int_equal(count_of(text, BUTTON_OFF), 5);
	assert_has(text, "value=\"cascade\" disabled=\"disabled\">Cascade</button>");
	assert_has_not(text, "id=\"notice\"");
	d.role = ROLE_OPERATOR;
	text = render(&f, "advanced", "notice=unchanged");
	assert_has_not(text, "Actions need the operator role.");
	assert_int_equal(count_of(text, BUTTON_OFF), 0);
	assert_has(text, "did not switch");
	assert_has(render(&f, "advanced", "notice=cascade"),
		   "The generator now plays the scenario cascade.");
	fixture_free(&f);
}

static void it_tells_what_became_of_the_alerts(void **state)
{
	static const struct scenario scenario;
	struct diagnosis d = diagnosis_of(ROLE_VIEWER, "", &scenario);
	struct fixture f;
	const char *text;

	(void)state;
	fixture_fleet(&f);
	f.view.diagnosis = &d;
	assert_has(render(&f, "advanced", ""), "No Alertmanager is configured: nothing is sent.");
	d.has_alertmanager = true;
	d.alerts_ms = GEN_MS;
	text = render(&f, "advanced", "");
	assert_has(text, "<dd id=\"alerts-taken\"><time ");
	assert_has_not(text, "alerts-fault");
	d.alerts_fault = "timed out";
	d.alerts_fault_ms = GEN_MS;
	assert_has(render(&f, "advanced", ""), "<dd id=\"alerts-fault\">timed out since <time ");
	assert_has(render(&f, "advanced", ""), "<dd id=\"alerts-read\">–</dd>");
	f.snap->untold = REASON_BAD;
	f.snap->untold_ms = GEN_MS;
	assert_has(render(&f, "advanced", ""), "<dd id=\"alerts-read\">–; not since <time ");
	fixture_free(&f);
}

/* Only operators see who acts here, and where the other programs are. */
static void names_and_addresses_are_for_operators(void **state)
{
	static const struct scenario scenario;
	struct diagnosis d = diagnosis_of(ROLE_VIEWER, "", &scenario);
	const struct diagnosis_setting setting = {
		.name = "redis.address", .value = "secret.example", .source = "file", .help = ""};
	struct fixture f;

	(void)state;
	d.action_count = 1;
	d.actions[0] = (struct diagnosis_action){.user = "alice", .action = "refresh"};
	d.settings = &setting;
	d.setting_count = 1;
	fixture_fleet(&f);
	f.view.diagnosis = &d;
	for (int i = 0; i < 2; i++) {
		const char *text = render(&f, "advanced", "");
		bool shown = d.role == ROLE_OPERATOR;

		assert_int_equal(strstr(text, "alice") != NULL, shown);
		assert_int_equal(strstr(text, "secret.example") != NULL, shown);
		assert_int_equal(strstr(text, f.view.site->asked_url) != NULL, shown);
		assert_has(text, shown ? "Without signing in, everyone is an operator here."
				       : "Without signing in, everyone is a viewer here.");
		assert_has(text, "Last actions");
		d.role = ROLE_OPERATOR;
	}
	fixture_free(&f);
}

static void what_is_not_known_is_a_dash(void **state)
{
	static const struct scenario scenario;
	struct diagnosis d = diagnosis_of(ROLE_OPERATOR, "alice", &scenario);
	struct fixture f;
	const char *text;

	(void)state;
	fixture_fleet(&f);
	f.view.diagnosis = &d;
	text = render(&f, "advanced", "");
	assert_has(text, "You are alice (operator).");
	assert_has(text, "No metrics generator is configured.");
	assert_has(text, "<dt>Calls left in this minute</dt><dd>–</dd>");
	assert_has(text, "<dt>Bucket now</dt><dd>–</dd>");
	assert_has(text, "<dd id=\"epoch\">–</dd>");
	assert_has_not(text, "Last actions");
	fixture_free(&f);
}

static void foreign_text_stays_text(void **state)
{
	static const struct scenario scenario = {
		.configured = true, .known = true, .name = "<script>\"&'"};
	struct diagnosis d = diagnosis_of(ROLE_OPERATOR, HOSTILE, &scenario);
	struct fixture f;
	const char *text;

	(void)state;
	d.action_count = 1;
	d.actions[0] =
		(struct diagnosis_action){.user = HOSTILE, .from = "<script>", .to = "<script>"};
	(void)snprintf(d.epoch, sizeof(d.epoch), "<script>");
	fixture_fleet(&f);
	f.view.diagnosis = &d;
	text = render(&f, "advanced", "");
	assert_has(text, "You are &lt;script&gt;");
	assert_has(text, "Now: &lt;script&gt;");
	assert_has_not(text, "<script>");
	fixture_free(&f);
}

static void the_last_call_and_the_breaker(void **state)
{
	static const struct scenario scenario = {.configured = true};
	struct diagnosis d = diagnosis_of(ROLE_VIEWER, "", &scenario);
	struct fixture f;
	const char *text;

	(void)state;
	fixture_fleet(&f);
	f.view.diagnosis = &d;
	text = render(&f, "advanced", "");
	assert_has(text, "<dd id=\"last-call\">–</dd>");
	assert_has(text, "<dd id=\"breaker\">closed</dd>");
	assert_has(text, "<p id=\"scenario\">Not known yet</p>");
	assert_has(text,
		   "<dd id=\"warmup\">complete, 100 % of the servers, 200 of 150 records</dd>");
	assert_has(text, "<dt>Redis</dt><dd>answers</dd>");
	d.count = 2;
	d.calls[0] = (struct diagnosis_call){.at_ms = GEN_MS,
					     .fetch_ms = 812,
					     .total_ms = 934,
					     .bytes = 880123,
					     .status = 200,
					     .result = "ok"};
	d.calls[1] =
		(struct diagnosis_call){.at_ms = GEN_MS - 30000, .status = 503, .result = "status"};
	text = render(&f, "advanced", "");
	assert_has(text, "<dd id=\"last-call\">ok, <time ");
	assert_has(text, "</time></td><td>ok</td><td data-l=\"HTTP status\">200</td>"
			 "<td data-l=\"Call ms\">812</td><td data-l=\"Refresh ms\">934</td>"
			 "<td data-l=\"Bytes\">880123</td></tr>");
	assert_has(text, "<td>status</td><td data-l=\"HTTP status\">503</td>");
	f.condition.reason = REASON_CONNECT;
	f.condition.since_ms = GEN_MS;
	f.condition.next_try_ms = GEN_MS + 30000;
	f.warmup.done = false;
	text = render(&f, "advanced", "");
	assert_has(text, "<dd id=\"last-call\">connection refused since <time ");
	assert_has(text, "<dd id=\"breaker\">open until <time ");
	assert_has(text, "12:01:35");
	assert_has(text, "<dd id=\"warmup\">not complete, 100 % of the servers");
	f.warmup.known = false;
	f.condition.cache_off = true;
	text = render(&f, "advanced", "");
	assert_has(text, "<dd id=\"warmup\">warm-up unknown</dd>");
	assert_has(text, "<dt>Redis</dt><dd>cannot be reached</dd>");
	f.condition.cache_refuses = "takes no writes";
	assert_has(render(&f, "advanced", ""), "<dt>Redis</dt><dd>takes no writes</dd>");
	fixture_free(&f);
}

static void a_generator_that_does_not_answer(void **state)
{
	static const struct scenario scenario = {
		.configured = true, .known = true, .name = "healthy"};
	struct diagnosis d = diagnosis_of(ROLE_OPERATOR, "alice", &scenario);
	struct fixture f;
	const char *text;

	(void)state;
	fixture_fleet(&f);
	f.view.diagnosis = &d;
	d.scenario_fault = "connection refused";
	text = render(&f, "advanced", "");
	assert_has(text,
		   "<p id=\"scenario\">The generator does not answer: connection refused</p>");
	assert_int_equal(count_of(text, BUTTON_OFF), 4); /* a refresh is still possible */
	fixture_free(&f);
}

/* As for a page rendered from a file. */
static void without_a_running_dashboard_it_says_so(void **state)
{
	struct fixture f;

	(void)state;
	fixture_fleet(&f);
	assert_has(render(&f, "advanced", ""), "Only a running dashboard");
	fixture_free(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_viewer_has_no_working_button),
		cmocka_unit_test(it_tells_what_became_of_the_alerts),
		cmocka_unit_test(names_and_addresses_are_for_operators),
		cmocka_unit_test(what_is_not_known_is_a_dash),
		cmocka_unit_test(foreign_text_stays_text),
		cmocka_unit_test(the_last_call_and_the_breaker),
		cmocka_unit_test(a_generator_that_does_not_answer),
		cmocka_unit_test(without_a_running_dashboard_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
