/* SPDX-License-Identifier: MIT */
/* The planning pages, the texts and their JSON and CSV forms: what a reader sees. */
#include "config.h"

#include "fleet/history.h"
#include "fleet/rules.h"
#include "fleet/silenced.h"
#include "view_fixture.h"

/* The content only: the shell has its own tests. */
static struct span content_of(const char *document)
{
	const char *begin = strstr(document, "<h1>"), *end = strstr(document, "</main>");

	if (!begin)
		return span_str(document);
	assert_non_null(end);
	return (struct span){begin, (size_t)(end - begin)};
}

static void whole_texts_are_as_expected(void **unused)
{
	static const struct {
		const char *page, *query, *file;
	} texts[] = {
		{"cost", "", "cost.html"},
		{"remediation", "", "remediation.html"},
		{"alerting", "", "alerting.html"},
		{"api-cost", "", "api-cost.json"},
		{"api-remediation", "", "api-remediation.json"},
		{"api-alerting", "", "api-alerting.json"},
		{"overview-csv", "", "overview.csv"},
		{"heatmap-csv", "", "heatmap.csv"},
		{"cost-csv", "", "cost.csv"},
		{"remediation-csv", "", "remediation.csv"},
		{"alerting-csv", "", "alerting.csv"},
		{"top-csv", "", "top.csv"},
		{"api-heatmap", "", "api-heatmap.json"},
		{"badge-fleet", "", "badge-fleet.svg"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fixture f;

		fixture_fleet(&f);
		assert_expected(texts[i].file,
				content_of(render(&f, texts[i].page, texts[i].query)));
		fixture_free(&f);
	}
}

/* ---- cost ---- */

static void cost_uses_the_numbers_of_the_address(void **unused)
{
	struct fixture f;
	const char *text;

	(void)unused;
	fixture_fleet(&f);
	text = render(&f, "cost",
		      "cost_per_hour=1000.5&avg_hours=2&prevention_pct=50&project_cost=0");
	/* 2 high, 1 medium: 2.3 incidents at $2,001, half of which are prevented. */
	assert_has(text, "<p class=\"value\">$2,300</p>");
	assert_has(text, "(2 high + 0.3 × 1 medium) × 50%");
	assert_has(text, "(2 h at $1,000)");
	assert_has(text, "value=\"1000.5\"");
	assert_has(text, "<p class=\"value\">0.0</p><p class=\"note\">project $0 / (30 × daily)");
	assert_has(text, "href=\"cost?format=csv&amp;cost_per_hour=1000.5&amp;avg_hours=2&amp;"
			 "prevention_pct=50&amp;project_cost=0\"");
	fixture_free(&f);
}

static void zero_is_shown_as_zero_without_payback(void **unused)
{
	struct fixture f;
	const char *text;

	(void)unused;
	fixture_fleet(&f);
	text = render(&f, "cost", "avg_hours=0");
	assert_has(text,
		   "name=\"avg_hours\" min=\"0\" max=\"1000000000000\" step=\"0.5\" value=\"0\"");
	assert_has(text, "no payback");
	assert_has_not(text, "First year");
	text = render(&f, "api-cost", "avg_hours=0");
	assert_has(text, "\"avg_hours\":0,");
	assert_has(text, "\"months_to_roi\":null,\"first_year_net\":null");
	assert_has(render(&f, "cost-csv", "avg_hours=0"), "months_to_roi,,months\r\n");
	fixture_free(&f);
}

static void numbers_outside_their_range_are_refused(void **unused)
{
	static const struct {
		const char *query;
		enum query_key key;
	} cases[] = {
		{"cost_per_hour=-1", QUERY_COST_PER_HOUR},
		{"cost_per_hour=1000000000000.01", QUERY_COST_PER_HOUR},
		{"cost_per_hour=1e4", QUERY_COST_PER_HOUR},
		{"cost_per_hour=0x10", QUERY_COST_PER_HOUR},
		{"cost_per_hour=nan", QUERY_COST_PER_HOUR},
		{"cost_per_hour=99999999999999999999999999", QUERY_COST_PER_HOUR},
		{"avg_hours=1.", QUERY_AVG_HOURS},
		{"avg_hours=.5", QUERY_AVG_HOURS},
		{"avg_hours=1.234", QUERY_AVG_HOURS},
		{"avg_hours=1.2.3", QUERY_AVG_HOURS},
		{"avg_hours=%2B1", QUERY_AVG_HOURS},
		{"prevention_pct=49.99", QUERY_PREVENTION_PCT},
		{"prevention_pct=100.01", QUERY_PREVENTION_PCT},
		{"project_cost=12,5", QUERY_PROJECT_COST},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum query_key bad = QUERY_KEYS;
		struct query q;

		query_init(&q);
		assert_int_equal(query_parse(&q, span_str(cases[i].query),
					     page_find_name("cost")->params, &bad),
				 -1);
		assert_int_equal(bad, cases[i].key);
	}
	assert_has(query_key_values(QUERY_PREVENTION_PCT), "50 to 100");
	assert_has(query_key_values(QUERY_AVG_HOURS), "0 to 1000000000000");
}

#define COST_END_MS (GEN_MS / 3600000 * 3600000)

/* A point an hour for so many hours of a day. */
static void add_day(struct history *h, int day, int hours, const char *record)
{
	for (int i = hours; i-- > 0;)
		history_add(h, COST_END_MS - (24 * day + i) * INT64_C(3600000), span_str(record));
}

static void cost_is_a_range_over_measured_days(void **unused)
{
	struct history h;
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	history_init(&h, 3600000, history_range_ms(HISTORY_7D), COST_END_MS);
	f.view.history = &h;
	assert_has(render(&f, "cost", ""),
		   "No day has been measured yet, which takes 12 hours: the figures are those of "
		   "now.");
	assert_has_not(f.out.data, "id=\"days\"");
	/* 9 at Danger, for less than half a day; 4; 1 at Warning; 2 at Danger and 1 at Degrading. */
	add_day(&h, 3, 11, "1 0 0 0 0 9 0 0 0 1 7000 700 a -");
	add_day(&h, 2, 12, "1 0 0 0 0 4 0 0 0 6 3000 700 a -");
	add_day(&h, 1, 24, "1 0 0 0 0 0 1 0 3 6 1000 600 a -");
	add_day(&h, 0, 24, "1 0 0 1 0 1 0 1 3 4 3000 950 a -");
	page = render(&f, "cost", "");
	assert_has(page, "The ranges are those of the 3 of the last 7 days that were measured");
	assert_has(page,
		   "<p class=\"value\">0.3 to 3.4</p><p class=\"note\">now 2.0: (2 high + 0.3 "
		   "× 1 medium) × 85%</p>");
	assert_has(page, "<p class=\"value\">$32,000 to $430,000</p>");
	assert_has(page, "<p class=\"value\">0.0 to 0.3</p>");
	assert_has(page,
		   "<th scope=\"row\">24 h to 23 November 2025</th><td "
		   "data-l=\"Measured\">24.0 h</td><td data-l=\"High\" class=\"num\">2.0</td><td "
		   "data-l=\"Medium\" class=\"num\">1.0</td>");
	assert_has(page, "<th scope=\"row\">24 h to 20 November 2025</th><td "
			 "data-l=\"Measured\">11.0 h, left out</td>");
	assert_int_equal(count_of(page, "24 h to "), 4);
	assert_has(page, "Hypothetical: no outage was measured");
	assert_has_not(page, "annual");
	/* One weight, in the sum, in the table and in the JSON. */
	assert_has(page, "class=\"num\">0.3</td>");
	assert_has(render(&f, "api-cost", ""), "\"potential_cost\":37500}");
	f.view.history = NULL;
	assert_has(render(&f, "cost", ""),
		   "The days before are in the shared cache, which cannot be reached: the figures "
		   "are those of now.");
	history_free(&h);
	fixture_free(&f);
}

/* The counters, the rows and the bands of approval tell the same. */
static void a_remedy_is_told_with_who_would_approve_it(void **unused)
{
	static const struct {
		int risk;
		const char *who;
	} rows[] = {{499, "automatic, logged"},
		    {500, "automatic after 30 s unless stopped"},
		    {699, "automatic after 30 s unless stopped"},
		    {700, "senior engineer"},
		    {850, "senior engineer"},
		    {851, "director, or automatic outside working hours"},
		    {1000, "director, or automatic outside working hours"}};
	struct fixture f;
	const char *page;

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(approval_of(rows[i].risk)->who, rows[i].who);
	fixture_fleet(&f);
	page = render(&f, "remediation", "");
	assert_has(page, "<li><b>2</b> actions would be proposed</li>");
	assert_has(page, "<li><b>1</b> to be approved: senior engineer</li><li><b>1</b> to be "
			 "approved: director, or automatic outside working hours</li></ul>");
	assert_has(page, "<td data-l=\"Approval\">senior engineer</td>");
	assert_has(page, "Every action would be reversible for ");
	assert_has_not(page, "queued");
	fixture_free(&f);
}

static void numbers_on_their_limits_are_taken(void **unused)
{
	static const struct {
		const char *query, *canonical;
	} cases[] = {
		{"cost_per_hour=1000000000000", "cost_per_hour=1000000000000"},
		{"cost_per_hour=999999999999.99", "cost_per_hour=999999999999.99"},
		{"cost_per_hour=0000", "cost_per_hour=0"},
		{"cost_per_hour=50000.00", ""},
		{"avg_hours=0.01", "avg_hours=0.01"},
		{"avg_hours=", ""},
		{"prevention_pct=50", "prevention_pct=50"},
		{"project_cost=0&prevention_pct=100.0", "prevention_pct=100&project_cost=0"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum query_key bad;
		struct query q;
		struct buf text;

		query_init(&q);
		buf_init(&text, 1024);
		assert_int_equal(query_parse(&q, span_str(cases[i].query),
					     page_find_name("cost")->params, &bad),
				 0);
		query_write(&q, &text);
		assert_true(span_is(buf_span(&text), cases[i].canonical));
		buf_free(&text);
	}
}

/* ---- fleets without anything to plan ---- */

static void calm_fleet_plans_nothing(void **unused)
{
	struct snapshot *snap = new_snapshot();
	struct fixture f;

	(void)unused;
	fixture_init(&f);
	snap->prob_30m = snap->prob_8h = 0.1;
	add_sample(snap, "ppcon01", &fleet[3]);
	fixture_use(&f, snap);
	assert_has(render(&f, "cost", ""),
		   "No server is at risk 50 or above; there is nothing to prevent now.");
	assert_has(render(&f, "remediation", ""),
		   "Nothing would trigger: no server is at risk 70 or above");
	assert_has(render(&f, "alerting", ""), "Nobody would be told.");
	assert_has(
		render(&f, "api-alerting", ""),
		"\"counters\":{\"Imminent Failure\":0,\"Critical\":0,\"Danger\":0,\"Warning\":0},"
		"\"rows\":[]");
	assert_string_equal(
		render(&f, "overview-csv", ""),
		"\xef\xbb\xbf"
		"priority,server,profile,risk,cpu_now,cpu_predicted_30m,cpu_delta,"
		"iowait_now,iowait_predicted_30m,iowait_delta,mem_now,mem_predicted_30m,"
		"mem_delta,since,time\r\n");
	fixture_free(&f);
}

static void plans_say_that_nothing_is_done(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	assert_has(render(&f, "remediation", ""), "Plan only. This dashboard executes nothing.");
	assert_has(render(&f, "alerting", ""), "Nothing is sent: no Alertmanager is configured.");
	f.site.sends_alerts = true;
	assert_has(render(&f, "alerting", ""), "Alerts are sent to Alertmanager, whose own routes");
	fixture_free(&f);
}

/* ---- what an Alertmanager does ---- */

#define HOUR INT64_C(3600000)

/* Takes the two lists. */
static void has_told(struct fixture *f, const struct alertmanager *head, struct buf *silences,
		     struct buf *alerts)
{
	struct buf record;

	buf_init(&record, 1 << 20);
	alertmanager_put(head, buf_span(silences), buf_span(alerts), &record);
	silenced_take(f->snap, buf_span(&record));
	silenced_mark(f->snap);
	f->site.sends_alerts = true;
	buf_free(silences);
	buf_free(alerts);
	buf_free(&record);
}

/* The worst server is silenced by its name, and another one by an expression. */
static void tell(struct fixture *f)
{
	const struct silence silences[] = {
		{.id = SPAN("1-a"),
		 .author = SPAN("ann <b>"),
		 .comment = SPAN("disk \"swap\" & more"),
		 .until_ms = GEN_MS + HOUR,
		 .is_ours = true,
		 .matcher_count = 1,
		 .matchers = {{SPAN("server"), SPAN("ppml0001"), false, true}}},
		{.id = SPAN("2"),
		 .from_ms = GEN_MS + HOUR,
		 .until_ms = GEN_MS + 48 * HOUR,
		 .matcher_count = 1,
		 .matchers = {{SPAN("server"), SPAN("pp<.*"), true, false}}},
	};
	const struct told_alert alerts[] = {
		{.name = SPAN("TftServerRisk"),
		 .server = SPAN("ppml0001"),
		 .severity = LEVEL_IMMINENT,
		 .receivers = SPAN("on-call, <team>"),
		 .from_ms = GEN_MS - HOUR,
		 .is_silenced = true},
		{.name = SPAN("TftForecastCrossing"),
		 .server = SPAN(HOSTILE),
		 .metric = SPAN("mem_used_pct"),
		 .severity = LEVEL_WARNING,
		 .is_inhibited = true},
		{.name = SPAN("TftEnvironment"), .severity = LEVEL_CRITICAL},
	};
	const struct alertmanager head = {.read_ms = GEN_MS,
					  .version = SPAN("0.25.0"),
					  .cluster = SPAN("ready"),
					  .peers = 3,
					  .alert_count = 3,
					  .silences = {NULL, 2},
					  .alerts_left_out = 7};
	struct buf listed, firing;

	buf_init(&listed, 1 << 16);
	buf_init(&firing, 1 << 16);
	silence_put(&silences[0], &listed);
	silence_put(&silences[1], &listed);
	alertmanager_put_alert(&alerts[0], 1, &firing);
	alertmanager_put_alert(&alerts[1], 0, &firing);
	alertmanager_put_alert(&alerts[2], 0, &firing);
	has_told(f, &head, &listed, &firing);
}

static void the_page_tells_what_an_alertmanager_does(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	tell(&f);
	page = render(&f, "alerting", "");
	assert_has(page, "Alertmanager 0.25.0, cluster of 3 ready, as of <time ");
	assert_has(page, "on-call, &lt;team&gt;");
	assert_has(page, "by ann &lt;b&gt;: disk &quot;swap&quot; &amp; more</small>");
	assert_has(page, "held back by a more severe one");
	assert_has(page, "<a href=\"server/ppml0001\">ppml0001</a></td><td data-l=\"Since\">");
	assert_has(page, " <small>mem_used_pct</small>");
	assert_has(page, ">TftEnvironment</th><td data-l=\"Server\">–</td>");
	assert_has(page, "passed on");
	assert_has(page, "7 left out: too many, too long or not understood.");
	assert_has(page, "<tr id=\"silence-1-a\"><td>active</td>");
	assert_has(page, "<tr id=\"silence-2\"><td>pending</td>");
	assert_has(page, "<code>server!~&quot;pp&lt;.*&quot;</code>");
	assert_has_not(page, "Who would be told now");
	f.snap->untold = REASON_TIMEOUT;
	f.snap->untold_ms = GEN_MS;
	page = render(&f, "alerting", "");
	assert_has(page, "It cannot be read since <time ");
	assert_has(page,
		   "<li class=\"untold\">Silences cannot be read from the Alertmanager since ");
	fixture_free(&f);
}

/* So many alerts and as many silences. */
static void tell_many(struct fixture *f, size_t count)
{
	struct alertmanager head = {
		.read_ms = GEN_MS, .alert_count = count, .silences = {NULL, count}};
	struct buf listed, firing;

	buf_init(&listed, 1 << 20);
	buf_init(&firing, 1 << 20);
	for (size_t i = 0; i < count; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "n%zu", i);
		silence_put(&(struct silence){.id = span_str(name), .until_ms = GEN_MS + HOUR},
			    &listed);
		alertmanager_put_alert(&(struct told_alert){.name = span_str(name)}, 0, &firing);
	}
	has_told(f, &head, &listed, &firing);
}

static void each_table_has_a_hundred_rows(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	tell_many(&f, 100);
	page = render(&f, "alerting", "");
	assert_int_equal(count_of(page, "<td data-l=\"Receivers\">"), 100);
	assert_int_equal(count_of(page, "<tr id=\"silence-"), 100);
	assert_has_not(page, " more: <a href=\"api/v1/alerting\">");
	tell_many(&f, 101);
	page = render(&f, "alerting", "");
	assert_int_equal(count_of(page, "<td data-l=\"Receivers\">"), 100);
	assert_int_equal(count_of(page, "<tr id=\"silence-"), 100);
	assert_int_equal(count_of(page, ">1 more: <a href=\"api/v1/alerting\">"), 2);
	fixture_free(&f);
}

/* Only these: xa, xb ... */
static void has_servers(struct fixture *f, int count)
{
	struct snapshot *snap = new_snapshot();

	snapshot_free(&f->snap);
	for (int i = 0; i < count; i++)
		add_sample(snap, (const char[]){'x', (char)('a' + i), '\0'}, &fleet[1]);
	fixture_use(f, snap);
}

/* Before they are silenced, the page names those that are there. */
static void chosen_servers_can_be_silenced(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	assert_has_not(render(&f, "overview", "profile=ml"), "class=\"silence\"");
	f.site.sends_alerts = true;
	page = render(&f, "overview", "profile=ml");
	assert_has(page,
		   "<form method=\"post\" action=\"silence\"><p>"
		   "<input type=\"hidden\" name=\"profile\" value=\"ml\"/>"
		   "All alerts of every server of profile <b>ML Compute</b>, at any level, also of "
		   "those that come later. Now: ppml0001. Operators only.");
	page = render(&f, "overview", "q=pP%26x&profile=db");
	assert_has(page, "<input type=\"hidden\" name=\"q\" value=\"pp&amp;x\"/>");
	assert_has(page, " whose name contains <b>pp&amp;x</b>, at any level,");
	assert_has(page, " Now: none. ");
	assert_has(render(&f, "overview", "q=pp&sev=critical-up"),
		   " Now: ppml0001, ppdb001, ppweb001, ppcon01, ppetl001. ");
	assert_int_equal(count_of(render(&f, "overview", ""), "All alerts of every server"), 0);
	has_servers(&f, 21);
	assert_has(render(&f, "overview", "q=x"), ", xs, xt and 1 more.");
	assert_has(render(&f, "overview", "q=xa"), " Now: xa. ");
	has_servers(&f, 20);
	assert_has(render(&f, "overview", "q=x"), ", xs, xt. ");
	fixture_free(&f);
}

static void the_api_tells_what_an_alertmanager_does(void **unused)
{
	struct fixture f;
	const char *text;

	(void)unused;
	fixture_fleet(&f);
	assert_has(render(&f, "api-alerting", ""), "\"alertmanager\":null}");
	tell(&f);
	text = render(&f, "api-alerting", "");
	assert_has(text, "\"fault\":null,\"fault_since\":null,\"version\":\"0.25.0\","
			 "\"cluster\":\"ready\",\"peers\":3,\"alerts\":[{\"alertname\":"
			 "\"TftServerRisk\",\"severity\":\"Imminent Failure\","
			 "\"server\":\"ppml0001\",\"metric\":null,");
	assert_has(text, "\"state\":\"silenced\",\"silence\":\"1-a\"}");
	assert_has(text, "\"state\":\"inhibited\",\"silence\":null}");
	assert_has(text,
		   "\"alertname\":\"TftEnvironment\",\"severity\":\"Critical\",\"server\":null,"
		   "\"metric\":null,\"since\":null,\"receivers\":\"\",\"state\":\"active\",");
	assert_has(text, "\"matchers\":[{\"label\":\"server\",\"value\":\"ppml0001\","
			 "\"is_regex\":false,\"is_equal\":true}]}");
	assert_has(text, "\"alerts_left_out\":7,");
	assert_has(render(&f, "api-alerts", ""),
		   "\"silenced_until\":\"2025-11-23T13:01:05.123Z\"}");
	fixture_free(&f);
}

static void a_silenced_server_keeps_its_place_and_does_not_lead(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	assert_has(render(&f, "overview", ""), "<title>(3) Imminent Failure - ");
	assert_has_not(render(&f, "overview", ""), "silenced");
	tell(&f);
	page = render(&f, "overview", "");
	assert_has(page, "<title>(2) Danger - ");
	assert_has(page,
		   "<tr id=\"srv-ppml0001\" data-silenced=\"\"><td class=\"chip sev-imminent\">");
	assert_has(page,
		   "silenced until <time datetime=\"2025-11-23T13:01:05Z\">13:01:05 UTC</time> "
		   "by ann &lt;b&gt;: disk &quot;swap&quot; &amp; more</small>");
	assert_has(page, "3 of 6 servers need attention");
	assert_has(page, "1 is silenced.");
	assert_has(page, "<li id=\"case-ppml0001\">");
	assert_has(render(&f, "badge-fleet", ""), ">Danger</text>");
	f.view.server = &f.snap->servers[0];
	assert_has(render(&f, "server", ""), "silenced until <time ");
	fixture_free(&f);
}

/* ---- hostile names ---- */

static void names_are_escaped_in_every_form(void **unused)
{
	static const char *const pages[] = {"cost", "remediation", "alerting"};
	struct snapshot *snap = new_snapshot();
	struct fixture f;
	const char *text;

	(void)unused;
	fixture_init(&f);
	add_sample(snap, HOSTILE, &fleet[0]);
	add_sample(snap, "=cmd,\"x\"", &fleet[0]);
	fixture_use(&f, snap);
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		text = render(&f, pages[i], "");
		assert_has_not(text, "<script>");
		assert_has(text, "id=\"srv-&lt;script&gt;&quot;&amp;&#39;&lt;/td&gt;\"");
	}
	assert_has(render(&f, "api-remediation", ""), "\\u003cscript\\u003e\\\"\\u0026'");
	text = render(&f, "remediation-csv", "");
	assert_has(text, "\r\n\"'=cmd,\"\"x\"\"\",Generic,");
	assert_has(text, "\r\n\"<script>\"\"&'</td>\",Generic,");
	assert_has(render(&f, "heatmap-csv", ""), "\r\n\"'=cmd,\"\"x\"\"\",Generic,");
	fixture_free(&f);
}

/* ---- filters and order of the CSV forms ---- */

static void csv_has_the_rows_of_the_page_in_its_order(void **unused)
{
	struct fixture f;
	const char *text;

	(void)unused;
	fixture_fleet(&f);
	text = render(&f, "overview-csv", "sort=name");
	assert_true(strstr(text, "ppdb001") < strstr(text, "ppml0001"));
	text = render(&f, "overview-csv", "profile=db");
	assert_has(text, "ppdb001");
	assert_has_not(text, "ppml0001");
	text = render(&f, "heatmap-csv", "metric=cpu");
	assert_has(text,
		   "\r\nppml0001,ML Compute,Imminent Failure,cpu,99.5,2025-11-23T12:01:00Z\r\n");
	assert_has(text, "\r\nppetl001,ETL/Ingest,Healthy,cpu,,2025-11-23T12:01:00Z\r\n");
	assert_true(strstr(text, "ppml0001") < strstr(text, "ppdb001"));
	fixture_free(&f);
}

/* The error is at its field; the other fields keep what was typed, in either order. */
static void a_bad_number_brings_the_form_back(void **unused)
{
	static const struct http_error error = {400, "Bad request", "A value is not valid."};
	static const char *const queries[] = {"cost_per_hour=7000&prevention_pct=zoz%3Cb%3E",
					      "prevention_pct=zoz%3Cb%3E&cost_per_hour=7000"};
	struct query query;
	struct bad_value bad = {page_find_name("cost"), &query, QUERY_KEYS};
	struct buf out;

	(void)unused;
	buf_init(&out, 1u << 16);
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		query_init(&query);
		assert_int_equal(
			query_parse(&query, span_str(queries[i]), bad.page->params, &bad.key), -1);
		buf_reset(&out);
		page_bad_value(&error, &bad, MEDIA_HTML, &out);
		buf_char(&out, '\0');
		assert_has(out.data,
			   "<h1>Bad request</h1><p>A value is not valid.</p><p>Valid values of "
			   "<code>prevention_pct</code>: <code>number from 50 to 100 with");
		assert_has(out.data, " value=\"7000\" aria-describedby=\"cost_per_hour-range\"/>");
		assert_has(out.data,
			   " value=\"85\" aria-invalid=\"true\" "
			   "aria-describedby=\"prevention_pct-error\"/><small class=\"error\" "
			   "id=\"prevention_pct-error\">The value sent is not a number from 50 to "
			   "100 ");
		assert_int_equal(count_of(out.data, "aria-invalid"), 1);
		assert_has_not(out.data, "zoz");
		buf_reset(&out);
		page_bad_value(&error, &bad, MEDIA_JSON, &out);
		buf_char(&out, '\0');
		assert_has(out.data, "\"parameter\":\"prevention_pct\",\"valid_values\":\"number");
	}
	buf_free(&out);
}

/* ---- order and parts ---- */

static void plans_come_in_the_asked_order(void **unused)
{
	/* In the fixture, ppml0001 has risk 100.0 and worst CPU 99.5, ppdb001 76.5 and 60. */
	static const struct {
		const char *page, *query, *first, *second;
	} rows[] = {
		{"remediation", "", "ppml0001", "ppdb001"},
		{"remediation", "sort=name", "ppdb001", "ppml0001"},
		{"remediation", "sort=cpu90", "ppdb001", "ppml0001"},
		{"remediation", "sort=-cpu90", "ppml0001", "ppdb001"},
		{"api-remediation", "sort=risk", "ppdb001", "ppml0001"},
		{"remediation-csv", "sort=profile", "ppdb001", "ppml0001"},
		{"alerting", "", "Environment", "ppml0001"},
		{"alerting", "sort=name", "Environment", "ppdb001"},
		{"alerting", "sort=name", "ppdb001", "ppml0001"},
		{"api-alerting", "sort=risk", "ppdb001", "ppml0001"},
		{"alerting-csv", "sort=profile", "ppdb001", "ppml0001"},
		{"cost", "", "ppml0001", "ppweb001"},
		{"cost", "sort=cost", "ppweb001", "ppdb001"},
		/* Equal costs by name, in both directions. */
		{"cost", "sort=-cost", "ppdb001", "ppml0001"},
		{"api-cost", "sort=cost", "ppdb001", "ppml0001"},
	};
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *text = render(&f, rows[i].page, rows[i].query);
		const char *first = strstr(text, rows[i].first);

		print_message("%s?%s\n", rows[i].page, rows[i].query);
		assert_non_null(first);
		assert_non_null(strstr(first, rows[i].second));
	}
	fixture_free(&f);
}

static void plans_link_to_their_orders(void **unused)
{
	struct fixture f;
	const char *text;

	(void)unused;
	fixture_fleet(&f);
	text = render(&f, "remediation", "sort=-cpu90");
	assert_has(text, "<th scope=\"col\" class=\"num\" aria-sort=\"descending\">"
			 "<a href=\"remediation?sort=cpu90#plan\">Predicted CPU</a></th>");
	assert_has(text, "<a href=\"remediation#plan\">Risk</a>");
	assert_has(text, "href=\"remediation?sort=-cpu90&amp;format=csv\"");
	assert_int_equal(count_of(text, "aria-sort"), 1);
	text = render(&f, "cost", "avg_hours=3&sort=name");
	assert_has(text, "<a href=\"cost?sort=-cost&amp;avg_hours=3#at-risk\">Counts as, incidents "
			 "a day</a>");
	assert_has(text,
		   "aria-sort=\"ascending\"><a href=\"cost?sort=-name&amp;avg_hours=3#at-risk\">");
	fixture_free(&f);
}

static void long_plans_have_parts(void **unused)
{
	static const struct {
		const char *page;
		size_t rows; /* one of those in the alerting plan is the environment */
	} plans[] = {{"remediation", 450}, {"alerting", 451}, {"cost", 450}};
	struct snapshot *snap = new_snapshot();
	char text[64];
	struct fixture f;

	(void)unused;
	fixture_init(&f);
	for (unsigned i = 0; i < 450; i++) {
		(void)snprintf(text, sizeof(text), "s%03u", i);
		add_sample(snap, text, &fleet[0]);
	}
	fixture_use(&f, snap);
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		const char *page = render(&f, plans[i].page, "page=5");

		(void)snprintf(text, sizeof(text), "Rows 401 to %zu of %zu ", plans[i].rows,
			       plans[i].rows);
		assert_has(page, text);
		assert_int_equal(count_of(page, "<tr id="), plans[i].rows - 400);
		assert_int_equal(count_of(render(&f, plans[i].page, ""), "<tr id="), 100);
	}
	assert_int_equal(count_of(render(&f, "remediation-csv", ""), "\r\n"), 451);
	fixture_free(&f);
}

/* ---- texts ---- */

static void texts_are_shown_without_data(void **unused)
{
	static const char *const pages[] = {"docs", "roadmap"};
	struct fixture f;

	(void)unused;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct span with, without;
		char *copy;

		fixture_fleet(&f);
		with = content_of(render(&f, pages[i], ""));
		copy = malloc(with.len);
		memcpy(copy, with.ptr, with.len);
		with.ptr = copy;
		fixture_free(&f);
		fixture_init(&f);
		f.condition.age = AGE_NO_DATA;
		without = content_of(render(&f, pages[i], ""));
		assert_true(span_eq(with, without));
		assert_has_not(f.out.data, "http-equiv");
		assert_true(with.len > 2000);
		free(copy);
		fixture_free(&f);
	}
}

static void plans_without_data_tell_no_numbers(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_init(&f);
	f.condition.age = AGE_NO_DATA;
	assert_has(render(&f, "cost", ""), "<h1>Collecting first data</h1>");
	assert_int_equal(content_of(render(&f, "cost-csv", "")).len, 0);
	assert_has_not(render(&f, "api-cost", ""), "annual");
	fixture_free(&f);
}

/* Each number of doc/rules.md#risk to doc/rules.md#marks, once, as readers see it. */
static void documentation_prints_the_limits(void **unused)
{
	static const char *const pieces[] = {
		"<th scope=\"row\">CPU now</th><td>now</td><td>≥ 98: 60; ≥ 95: 40; ≥ 90: 20</td>",
		"<th scope=\"row\">I/O wait now</th><td>now</td><td>≥ 30: 50; ≥ 20: 30; ≥ 10: 15; "
		"≥ 5: 5</td>",
		"<th scope=\"row\">Memory now, Database</th><td>now</td><td>≥ 98: 40; ≥ 95: "
		"15</td>",
		"<th scope=\"row\">Load predicted</th><td>predicted</td><td>&gt; 12: 12; &gt; 8: "
		"8</td>",
		"Risk = 0.7 × the points of now + 0.3 × the points of predicted, at most 100",
		"Imminent Failure</span></th><td>IM</td><td>≥ 90</td><td>yes</td><td>no</td>",
		"Degrading</span></th><td>DG</td><td>≥ 50</td><td>yes</td><td>no</td>",
		"Healthy</span></th><td>OK</td><td>&lt; 30</td><td>no</td><td>yes</td>",
		"more than 30% of the servers at risk 80 or above",
		"more than 50% of the servers at risk 60 or above",
		"more than 10% of the servers at risk 50 or above",
		"<th scope=\"row\">CRITICAL</th><td>&gt; 70%</td><td>&gt; 85%</td>",
		"<th scope=\"row\">Memory, Database</th><td class=\"mark red\">never</td>",
		"<th scope=\"row\">Load</th><td class=\"mark red\">&gt; 12</td>",
		"<code>ppetl</code>, <code>ppdi</code>, <code>ppkafka</code>",
		"The sum is 74.4:",
	};
	struct fixture f;
	const char *text;

	(void)unused;
	fixture_fleet(&f);
	text = render(&f, "docs", "");
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		assert_has(text, pieces[i]);
	for (int key = 0; key < QUERY_KEYS; key++)
		assert_has(text, query_key_values((enum query_key)key));
	fixture_free(&f);
}

static void every_form_of_a_page_exists(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < page_count; i++) {
		const struct page *page = &page_table[i];

		if (page->json)
			assert_int_equal(page_find_name(page->json)->media, MEDIA_JSON);
		if (page->csv)
			assert_int_equal(page_find_name(page->csv)->media, MEDIA_CSV);
		if (page->json || page->csv)
			assert_true(page->params & QUERY_BIT(QUERY_FORMAT));
		assert_true(page->path || page->media == MEDIA_CSV);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_texts_are_as_expected),
		cmocka_unit_test(cost_uses_the_numbers_of_the_address),
		cmocka_unit_test(zero_is_shown_as_zero_without_payback),
		cmocka_unit_test(numbers_outside_their_range_are_refused),
		cmocka_unit_test(cost_is_a_range_over_measured_days),
		cmocka_unit_test(a_remedy_is_told_with_who_would_approve_it),
		cmocka_unit_test(numbers_on_their_limits_are_taken),
		cmocka_unit_test(calm_fleet_plans_nothing),
		cmocka_unit_test(plans_say_that_nothing_is_done),
		cmocka_unit_test(the_page_tells_what_an_alertmanager_does),
		cmocka_unit_test(each_table_has_a_hundred_rows),
		cmocka_unit_test(chosen_servers_can_be_silenced),
		cmocka_unit_test(the_api_tells_what_an_alertmanager_does),
		cmocka_unit_test(a_silenced_server_keeps_its_place_and_does_not_lead),
		cmocka_unit_test(names_are_escaped_in_every_form),
		cmocka_unit_test(a_bad_number_brings_the_form_back),
		cmocka_unit_test(plans_come_in_the_asked_order),
		cmocka_unit_test(plans_link_to_their_orders),
		cmocka_unit_test(long_plans_have_parts),
		cmocka_unit_test(csv_has_the_rows_of_the_page_in_its_order),
		cmocka_unit_test(texts_are_shown_without_data),
		cmocka_unit_test(plans_without_data_tell_no_numbers),
		cmocka_unit_test(documentation_prints_the_limits),
		cmocka_unit_test(every_form_of_a_page_exists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
