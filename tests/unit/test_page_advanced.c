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
		cmocka_unit_test(names_and_addresses_are_for_operators),
		cmocka_unit_test(what_is_not_known_is_a_dash),
		cmocka_unit_test(foreign_text_stays_text),
		cmocka_unit_test(without_a_running_dashboard_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
