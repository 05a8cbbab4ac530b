/* SPDX-License-Identifier: MIT */
/* What operators do with the table of alerts: count, choose, order, hide, open. */
#include "config.h"

#include "view_fixture.h"

static void the_matrix_counts_what_its_links_show(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	page = render(&f, "overview", "");
	/* All, Watch or worse, ... Imminent Failure. */
	assert_has(page, "<th scope=\"row\">Database</th>"
			 "<td><a href=\"./?profile=db&amp;sev=healthy-up#alerts\">1</a></td>"
			 "<td><a href=\"./?profile=db&amp;sev=watch-up#alerts\">1</a></td>"
			 "<td><a href=\"./?profile=db#alerts\">1</a></td>"
			 "<td><a href=\"./?profile=db&amp;sev=warning-up#alerts\">1</a></td>"
			 "<td><a href=\"./?profile=db&amp;sev=danger-up#alerts\">1</a></td>"
			 "<td></td><td></td></tr>");
	assert_has(page, "<th scope=\"row\">All profiles</th>"
			 "<td><a href=\"./?sev=healthy-up#alerts\">6</a></td>"
			 "<td><a href=\"./?sev=watch-up#alerts\">4</a></td>"
			 "<td><a href=\"./#alerts\" aria-current=\"true\">3</a></td>");
	assert_has_not(page, "<th scope=\"row\">Risk Analytics</th>");
	/* A search counts what it finds; the order and the moment stay. */
	page = render(&f, "overview", "sort=-mem&q=ppdb&at=2025-11-23T12:01:00Z");
	assert_has(page, "<th scope=\"row\">All profiles</th><td><a href=\"./?sev=healthy-up&amp;"
			 "sort=-mem&amp;q=ppdb&amp;at=2025-11-23T12:01:00Z#alerts\">1</a></td>");
	assert_has_not(page, "<th scope=\"row\">Web API</th>");
	page = render(&f, "heatmap", "profile=db&sev=watch-up");
	assert_has(page, "<a href=\"heatmap?profile=db&amp;sev=watch-up#heat\" "
			 "aria-current=\"true\">1</a>");
	assert_has(page, "<td><a href=\"heatmap?profile=db#heat\">1</a></td>");
	fixture_free(&f);
}

static void what_is_said_follows_the_filter(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	page = render(&f, "overview", "profile=db");
	assert_has(page, "<h2>Alerts: 1 of 1 servers chosen</h2>");
	assert_has(page, "<b>1</b> worsening</li><li><b>0</b> improving</li>");
	page = render(&f, "overview", "profile=etl");
	assert_has(page, "<h2>Alerts: 0 of 1 servers chosen</h2>");
	assert_has_not(page, "worsening");
	assert_has(page, "3 alerts, 0 rows shown, 3 hidden by filter");
	fixture_free(&f);
}

static void columns_are_hidden_by_links(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	assert_has(render(&f, "overview", ""),
		   "<a href=\"./?hide=io\" aria-current=\"true\">I/O wait</a>");
	page = render(&f, "overview", "hide=cpu,io&sort=name");
	assert_has(page, "<table id=\"alerts-table\" class=\"alerts no-cpu no-io\">");
	assert_has(page, "<a href=\"./?sort=name&amp;hide=io\">CPU</a>");
	assert_has(page, "<a href=\"./?sort=name&amp;hide=cpu,io,mem\" "
			 "aria-current=\"true\">Memory</a>");
	assert_has(page, "<a href=\"./?sort=-name&amp;hide=cpu,io#alerts\">Server</a>");
	fixture_free(&f);
}

static void a_risk_opens_its_reasons(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	assert_has_not(render(&f, "overview", ""), "class=\"details\"");
	page = render(&f, "overview", "sort=name&row=ppdb001");
	assert_int_equal(count_of(page, "class=\"details\""), 1);
	assert_has(page, "<a href=\"./?sort=name#srv-ppdb001\" aria-expanded=\"true\">76.5</a>");
	page = strstr(page, "<tr id=\"why-ppdb001\" class=\"details\">");
	assert_non_null(page);
	assert_has(page, "Why: the rules that add to its risk");
	assert_has(page, "Predicted (30m)");
	assert_has(page, "<a href=\"changes?q=ppdb001\">changes</a>");
	/* A form asks for another list. */
	assert_has_not(page, "name=\"row\"");
	assert_has_not(render(&f, "overview", "row=nobody"), "class=\"details\"");
	fixture_free(&f);
}

static void rows_come_by_how_long_they_have_been_so(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	server_note_level(&f.snap->servers[0], LEVEL_IMMINENT, GEN_MS - 60000);
	server_note_level(&f.snap->servers[1], LEVEL_DANGER, GEN_MS - 600000);
	/* Of the third nobody knows: last in both directions. */
	page = strstr(render(&f, "overview", "sort=since"), "id=\"alerts-table\"");
	assert_true(strstr(page, "srv-ppdb001") < strstr(page, "srv-ppml0001"));
	assert_true(strstr(page, "srv-ppml0001") < strstr(page, "srv-ppweb001"));
	assert_has(page, "aria-sort=\"ascending\"><a href=\"./?sort=-since#alerts\">Level, since");
	page = strstr(render(&f, "overview", "sort=-since"), "id=\"alerts-table\"");
	assert_true(strstr(page, "srv-ppml0001") < strstr(page, "srv-ppdb001"));
	assert_true(strstr(page, "srv-ppdb001") < strstr(page, "srv-ppweb001"));
	fixture_free(&f);
}

static void a_search_keeps_its_text(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	page = render(&f, "heatmap", "q=%22%3E%3Cb%3E");
	assert_has(page, "<input id=\"find\" type=\"search\" name=\"q\" maxlength=\"64\" "
			 "value=\"&quot;&gt;&lt;b&gt;\"/>");
	assert_has(page, "<input id=\"name\" type=\"search\" name=\"q\" maxlength=\"64\" "
			 "value=\"&quot;&gt;&lt;b&gt;\"/>");
	assert_has_not(render(&f, "heatmap", ""), "value=\"\"");
	fixture_free(&f);
}

/* The first and the last of 15 minutes ago: recent.h. */
static void changed_tiles_are_outlined(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	/* ppml0001, ppdb001, ppweb001: 100.0, 76.5, 51.0. */
	f.snap->servers[0].recent.most[RECENT_SLOTS - 6] = 1 + 62;
	f.snap->servers[1].recent.most[RECENT_SLOTS - 6] = 1 + 99;
	f.snap->servers[2].recent.most[RECENT_SLOTS - 6] = 1 + 59;
	page = render(&f, "heatmap", "");
	assert_has(page, "<li id=\"srv-ppml0001\" class=\"sev-imminent rose\" data-tip=\"ppml0001 "
			 "100.0 Imminent Failure, ML Compute, 15 min ago Warning\">");
	assert_has(page, "<li id=\"srv-ppdb001\" class=\"sev-danger fell\" data-tip=\"ppdb001 76.5 "
			 "Danger, Database, 15 min ago Imminent Failure\">");
	assert_has(page, "<li id=\"srv-ppweb001\" class=\"sev-degrading\" data-tip=\"ppweb001 51.0 "
			 "Degrading, Web API\">");
	fixture_free(&f);
}

static void use_servers(struct fixture *f, int servers)
{
	struct snapshot *snap = new_snapshot();
	char name[16];

	fixture_init(f);
	for (int i = 0; i < servers; i++) {
		(void)snprintf(name, sizeof(name), "%s%03d", i % 2 ? "ppweb" : "ppdb", i);
		add_sample(snap, name, &fleet[i % 3]);
	}
	fixture_use(f, snap);
}

static void large_fleets_are_grouped_until_it_is_chosen_otherwise(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	use_servers(&f, 50);
	page = render(&f, "heatmap", "");
	assert_has_not(page, "<h3>Database</h3>");
	assert_has(page, "<a href=\"heatmap\" aria-current=\"true\">None</a> "
			 "<a href=\"heatmap?group=profile\">Profile</a>");
	fixture_free(&f);
	use_servers(&f, 51);
	page = render(&f, "heatmap", "");
	assert_has(page, "<h3>Database</h3>");
	assert_has(page, "<a href=\"heatmap?group=none\">None</a> "
			 "<a href=\"heatmap\" aria-current=\"true\">Profile</a>");
	assert_has_not(render(&f, "heatmap", "group=none"), "<h3>Database</h3>");
	fixture_free(&f);
}

/* A click must not hit another server because values have changed. */
static void tiles_keep_their_places(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	for (int turn = 0; turn < 2; turn++) {
		page = render(&f, "heatmap", "");
		assert_true(strstr(page, "srv-ppcon01") < strstr(page, "srv-ppdb001"));
		assert_true(strstr(page, "srv-ppdb001") < strstr(page, "srv-ppml0001"));
		for (size_t i = 0; i < f.snap->count; i++)
			f.snap->servers[i].risk = (int)(100 * i);
	}
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_matrix_counts_what_its_links_show),
		cmocka_unit_test(what_is_said_follows_the_filter),
		cmocka_unit_test(columns_are_hidden_by_links),
		cmocka_unit_test(a_risk_opens_its_reasons),
		cmocka_unit_test(rows_come_by_how_long_they_have_been_so),
		cmocka_unit_test(a_search_keeps_its_text),
		cmocka_unit_test(changed_tiles_are_outlined),
		cmocka_unit_test(large_fleets_are_grouped_until_it_is_chosen_otherwise),
		cmocka_unit_test(tiles_keep_their_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
