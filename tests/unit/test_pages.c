/* SPDX-License-Identifier: MIT */
/* Overview and heatmap (doc/pages.md#overview, doc/pages.md#heatmap): wording, order, filters,
 * paging, escaping, and the whole text of the main states. */
#include "config.h"

#include "pages/table.h"
#include "view_fixture.h"

/* ---- whole texts ---- */

/* From the state to the end of <main>: head and footer contain the build. */
static struct span visible(const char *page)
{
	const char *from = strstr(page, "<div id=\"state\"");
	const char *to = strstr(page, "</main>");

	assert_true(from && to && from < to);
	return (struct span){from, (size_t)(to - from)};
}

static const struct {
	const char *file, *page, *query;
	enum age_class age;
	enum reason reason;
} texts[] = {
	{"overview.html", "overview", "", AGE_LIVE, REASON_NONE},
	{"overview-stale.html", "overview", "", AGE_STALE, REASON_CONNECT},
	{"overview-filtered.html", "overview", "profile=db&sort=name", AGE_LIVE, REASON_NONE},
	{"overview-cold.html", "overview", "", AGE_NO_DATA, REASON_NONE},
	{"heatmap.html", "heatmap", "", AGE_LIVE, REASON_NONE},
	{"docs.html", "docs", "", AGE_LIVE, REASON_NONE},
	{"heatmap-memory.html", "heatmap", "metric=memory&group=profile", AGE_LIVE, REASON_NONE},
};

static void whole_texts_are_as_expected(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fixture f;

		fixture_fleet(&f);
		f.condition = (struct condition){.age = texts[i].age, .reason = texts[i].reason};
		if (texts[i].age == AGE_NO_DATA)
			f.view.snap = NULL;
		assert_expected(texts[i].file, visible(render(&f, texts[i].page, texts[i].query)));
		fixture_free(&f);
	}
}

/* Equal views give equal bytes, whatever was rendered before and whatever the order in which the
 * servers arrived. */
static void rendering_is_deterministic(void **unused)
{
	static const char *const names[] = {"overview", "heatmap", "api-fleet", "api-alerts"};
	struct fixture one, two;
	struct snapshot *snap = new_snapshot();

	(void)unused;
	fixture_fleet(&one);
	fixture_init(&two);
	for (size_t i = FLEET; i-- > 0;)
		add_sample(snap, fleet[i].name, &fleet[i]);
	fixture_use(&two, snap);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		render(&one, "heatmap", "metric=cpu");
		assert_string_equal(render(&one, names[i], ""), render(&two, names[i], ""));
	}
	fixture_free(&one);
	fixture_free(&two);
}

/* ---- the table of pages ---- */

static void rows_of_the_page_table_are_sound(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < page_count; i++) {
		const struct page *page = &page_table[i];
		char path[64];

		assert_true(strlen(page->name) >= 1 && strlen(page->name) <= 32);
		assert_int_equal(strspn(page->name, "abcdefghijklmnopqrstuvwxyz0123456789-"),
				 strlen(page->name));
		assert_ptr_equal(page_find_name(page->name), page);
		if (page->path) {
			(void)snprintf(path, sizeof(path), "%s%s", page->path,
				       page->suffix ? page->suffix : "");
			assert_ptr_equal(page_find_path(span_str(path)), page);
		}
		assert_true((page->media == MEDIA_HTML) == (page->title != NULL));
		if (page->json) {
			assert_non_null(page_find_name(page->json));
			assert_true(page->params & QUERY_BIT(QUERY_FORMAT));
		}
	}
	assert_null(page_find_name("nothing"));
	assert_null(page_find_path(SPAN("/heatmap/")));
}

static void names_are_found_in_paths(void **unused)
{
	static const struct {
		const char *path, *page, *name; /* page NULL: none */
	} rows[] = {
		{"/server/a.b", "server", "a.b"},
		{"/badge/a.svg", "badge-server", "a"},
		{"/badge/a.svg.svg", "badge-server", "a.svg"},
		{"/badge/.svg", "badge-server", ""},
		{"/badge/fleet.svg", "badge-fleet", NULL},
		{"/badge/a.png", NULL, NULL},
		{"/badge/svg", NULL, NULL},
		{"/badge/", NULL, NULL},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct page *page = page_find_path(span_str(rows[i].path));

		print_message("%s\n", rows[i].path);
		assert_ptr_equal(page, rows[i].page ? page_find_name(rows[i].page) : NULL);
		if (rows[i].name)
			assert_true(span_is(page_server_name(page, span_str(rows[i].path)),
					    rows[i].name));
	}
}

/* ---- badges ---- */

static void badges_tell_level_and_age(void **unused)
{
	struct fixture f;
	const char *svg;

	(void)unused;
	fixture_fleet(&f);
	svg = render(&f, "badge-fleet", "");
	assert_has(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"");
	assert_has(svg, "<title>TFT fleet: Imminent Failure</title>");
	assert_has(svg, "fill=\"#3D0210\"");
	f.view.server = &f.snap->servers[0];
	svg = render(&f, "badge-server", "");
	assert_has(svg, "<title>ppml0001: 100.0 Imminent Failure</title>");
	assert_has(svg, "fill=\"#3D0210\"");
	/* With old data, and for silent servers, they keep their words but lose their colour. */
	f.condition.age = AGE_STALE;
	svg = render(&f, "badge-server", "");
	assert_has(svg, "<title>ppml0001: 100.0 Imminent Failure (old)</title>");
	assert_has_not(svg, "#3D0210");
	f.condition.age = AGE_LIVE;
	f.snap->servers[0].same_count = 3;
	f.snap->servers[0].same_since_ms = GEN_MS - 60000;
	svg = render(&f, "badge-server", "");
	assert_has(svg, "100.0 Imminent Failure, silent</title>");
	assert_has_not(svg, "#3D0210");
	f.condition.age = AGE_NO_DATA;
	assert_has(render(&f, "badge-fleet", ""), "<title>TFT fleet: no data</title>");
	assert_has_not(render(&f, "badge-server", ""), "ppml0001");
	fixture_free(&f);
}

static void badges_keep_hostile_and_long_names_in(void **unused)
{
	struct snapshot *snap = new_snapshot();
	char name[SNAPSHOT_NAME_MAX + 1];
	struct fixture f;
	const char *svg;

	(void)unused;
	for (size_t i = 0; i + 1 < sizeof(name); i += 2)
		memcpy(name + i, "é", 2);
	name[SNAPSHOT_NAME_MAX - 1] = '\0';
	fixture_init(&f);
	add_sample(snap, HOSTILE, &fleet[0]);
	add_sample(snap, name, &fleet[3]);
	fixture_use(&f, snap);
	f.view.server = &snap->servers[0];
	svg = render(&f, "badge-server", "");
	assert_has(svg, "<title>&lt;script&gt;&quot;&amp;&#39;&lt;/td&gt;: 100.0");
	assert_has_not(svg, "<script>");
	/* 48 letters of two bytes, each 7 wide, and 6 on either side. */
	f.view.server = &snap->servers[1];
	svg = render(&f, "badge-server", "");
	assert_has(svg, "<rect x=\"0\" width=\"348\" height=\"20\"");
	assert_has(svg, "ééé</text><rect x=\"348\"");
	assert_has_not(svg, "\xef\xbf\xbd");
	fixture_free(&f);
}

/* ---- pieces ---- */

#define MANY 450

/* Servers named s000 and so on, not in the order of their names (13 divides no count of these
 * tests); the first `alerts` by name are at 51.0. */
static void fixture_many(struct fixture *f, unsigned count, unsigned alerts)
{
	struct snapshot *snap = new_snapshot();
	char name[16];

	fixture_init(f);
	for (unsigned i = 0; i < count; i++) {
		unsigned number = i * 13 % count;

		(void)snprintf(name, sizeof(name), "s%03u", number);
		add_sample(snap, name, &fleet[number < alerts ? 2 : 4]);
	}
	fixture_use(f, snap);
}

static void has_in_order(const char *text, const char *const *pieces)
{
	for (; *pieces; pieces++) {
		const char *at = strstr(text, *pieces);

		if (!at)
			fail_msg("\"%s\" is not in:\n%s", *pieces, text);
		text = at;
	}
}

static void alert_rows_come_in_the_asked_order(void **unused)
{
	static const struct {
		const char *query;
		const char *order[5];
	} rows[] = {
		{"", {"\"srv-ppml0001\"", "\"srv-ppdb001\"", "\"srv-ppweb001\"", NULL}},
		{"sort=risk", {"\"srv-ppweb001\"", "\"srv-ppdb001\"", "\"srv-ppml0001\"", NULL}},
		{"sort=name", {"\"srv-ppdb001\"", "\"srv-ppml0001\"", "\"srv-ppweb001\"", NULL}},
		{"sort=-name", {"\"srv-ppweb001\"", "\"srv-ppml0001\"", "\"srv-ppdb001\"", NULL}},
		{"sort=profile", {"\"srv-ppdb001\"", "\"srv-ppml0001\"", "\"srv-ppweb001\"", NULL}},
		{"sort=cpu", {"\"srv-ppdb001\"", "\"srv-ppweb001\"", "\"srv-ppml0001\"", NULL}},
		{"sort=dcpu", {"\"srv-ppml0001\"", "\"srv-ppweb001\"", "\"srv-ppdb001\"", NULL}},
		{"sort=-cpu30", {"\"srv-ppml0001\"", "\"srv-ppweb001\"", "\"srv-ppdb001\"", NULL}},
		{"sort=mem30", {"\"srv-ppdb001\"", "\"srv-ppml0001\"", "\"srv-ppweb001\"", NULL}},
		{"sort=-dmem", {"\"srv-ppweb001\"", "\"srv-ppdb001\"", "\"srv-ppml0001\"", NULL}},
		/* Absent values last, in both directions. */
		{"sort=io30", {"\"srv-ppweb001\"", "\"srv-ppdb001\"", "\"srv-ppml0001\"", NULL}},
		{"sort=-dio", {"\"srv-ppdb001\"", "\"srv-ppweb001\"", "\"srv-ppml0001\"", NULL}},
		{"sort=io", {"\"srv-ppweb001\"", "\"srv-ppdb001\"", "\"srv-ppml0001\"", NULL}},
		{"sort=-io", {"\"srv-ppdb001\"", "\"srv-ppweb001\"", "\"srv-ppml0001\"", NULL}},
		/* Equal values by name, in a descending order as well. */
		{"sort=-mem", {"\"srv-ppml0001\"", "\"srv-ppweb001\"", "\"srv-ppdb001\"", NULL}},
	};
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		has_in_order(render(&f, "overview", rows[i].query), rows[i].order);
	fixture_free(&f);
}

static void sort_links_turn_the_shown_order_round(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	page = render(&f, "overview", "");
	assert_has(page, "aria-sort=\"descending\"><a href=\"./?sort=risk#alerts\">Risk</a>");
	assert_has(page, "<th scope=\"col\"><a href=\"./?sort=-cpu#alerts\">CPU Now</a>");
	assert_has(page, "<th scope=\"col\"><a href=\"./?sort=name#alerts\">Server</a>");
	page = render(&f, "overview", "sort=name&profile=db");
	assert_has(page,
		   "aria-sort=\"ascending\"><a href=\"./?profile=db&amp;sort=-name#alerts\">");
	assert_has(page, "<a href=\"./?profile=db#alerts\">Risk</a>");
	assert_int_equal(count_of(page, "aria-sort"), 1);
	fixture_free(&f);
}

static void cells_carry_marks_and_formats(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	page = render(&f, "overview", "");
	assert_has(
		page,
		"<tr id=\"srv-ppdb001\"><td class=\"chip sev-danger\">Danger</td>"
		"<th scope=\"row\"><a "
		"href=\"server/ppdb001\">ppdb001</a></th><td>Database</td>"
		"<td><a href=\"./?row=ppdb001#srv-ppdb001\">76.5</a></td>"
		"<td>40.0%</td><td>42.5%</td><td>↑ +2.5%</td>"
		"<td class=\"mark red\">32.0%</td><td class=\"mark red\">34.0%</td><td>↑ +2.0%</td>"
		"<td class=\"mark orange\">98.5%</td><td class=\"mark orange\">98.0%</td>"
		"<td>↓ -0.5%</td></tr>");
	assert_has(page, "<td class=\"mark red\">99.0%</td><td class=\"mark orange\">97.0%</td>"
			 "<td>↓ -2.0%</td><td>–</td><td>–</td><td>–</td>");
	fixture_free(&f);
}

static const struct {
	const char *query, *has, *has_not;
} filters[] = {
	{"", "Alerts: 3 of 6 servers", "Clear filters"},
	{"profile=db", "\"srv-ppdb001\"", "\"srv-ppml0001\""},
	{"profile=db", "3 alerts, 1 row shown, 2 hidden by filter", NULL},
	{"profile=db", "Shown: profile=Database. <a href=\"./#alerts\">Clear filters</a>", NULL},
	{"sev=danger", "\"srv-ppdb001\"", "\"srv-ppml0001\""},
	{"sev=danger-up", "\"srv-ppml0001\"", "\"srv-ppweb001\""},
	{"sev=danger-up", "level=Danger or worse", NULL},
	/* A level below the table's limit is shown on request. */
	{"sev=watch", "\"srv-ppcon01\"", "\"srv-ppdb001\""},
	{"sev=watch", "3 alerts, 1 row shown, 3 hidden by filter", NULL},
	{"sev=healthy",
	 "<th scope=\"row\"><a href=\"server/ppetl001\">ppetl001</a> <small>no data</small></th>",
	 NULL},
	{"q=DB0", "\"srv-ppdb001\"", "\"srv-ppml0001\""},
	{"profile=risk&sev=danger", "No servers match profile=Risk Analytics, level=Danger.",
	 "<table id=\"alerts-table\""},
	{"q=zzz", "No servers match the name searched for.", "zzz."},
};

static void filters_choose_rows(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		const char *page = render(&f, "overview", filters[i].query);

		assert_has(page, filters[i].has);
		if (filters[i].has_not)
			assert_has_not(strstr(page, "id=\"alerts\""), filters[i].has_not);
	}
	fixture_free(&f);
}

static void long_tables_have_pages_of_100(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_many(&f, MANY, MANY);
	page = render(&f, "overview", "");
	assert_int_equal(count_of(page, "<tr id="), 100);
	assert_has(page, "Rows 1 to 100 of 450 <a href=\"./?page=2#alerts\">Next</a></p>");
	assert_has(page, "450 alerts, 100 rows shown, 0 hidden by filter");
	page = render(&f, "overview", "page=2&sort=name");
	assert_has(page, "\"srv-s100\"");
	assert_has(page, "<a href=\"./?sort=name#alerts\">Previous</a> <a "
			 "href=\"./?sort=name&amp;page=3#alerts\">Next</a>");
	assert_has(page, "<a href=\"./?sort=-name#alerts\">Server</a>");
	page = render(&f, "overview", "page=50");
	assert_int_equal(count_of(page, "<tr id="), 50);
	assert_has(page, "Rows 401 to 450 of 450");
	fixture_free(&f);
}

/* All tiles are there; the table below them has parts, and opens if a part is requested. */
static void heatmap_table_has_orders_and_parts(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_many(&f, MANY, 1);
	page = render(&f, "heatmap", "metric=cpu");
	assert_int_equal(count_of(page, "<li id=\"srv-"), MANY);
	page = strstr(page, "<details id=\"data\">");
	assert_int_equal(count_of(page, "<tr><th scope=\"row\">"), 100);
	assert_has(page, "<details id=\"data\"><summary>");
	assert_has(page, "<th scope=\"col\" aria-sort=\"ascending\">"
			 "<a href=\"heatmap?metric=cpu&amp;sort=-name#data\">Server</a></th>");
	assert_has(page, "<a href=\"heatmap?metric=cpu&amp;page=2#data\">Next</a>");
	page = render(&f, "heatmap", "sort=-name&page=5");
	assert_int_equal(count_of(page, "<li id=\"srv-"), MANY);
	page = strstr(page, "<details id=\"data\" open=\"\"><summary>");
	assert_has(page, "\"server/s049\"");
	assert_has(page, "\"server/s000\"");
	assert_int_equal(count_of(page, "<tr><th scope=\"row\">"), 50);
	fixture_free(&f);
}

/* A link keeps all other choices except the part: another list may have fewer parts. */
static void filters_keep_the_other_choices(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	page = render(&f, "heatmap",
		      "metric=load&group=profile&sev=watch-up&q=PP&sort=-value&page=2");
	assert_has(page, "<a href=\"heatmap?profile=db&amp;sev=watch-up&amp;metric=load&amp;"
			 "group=profile&amp;sort=-value&amp;q=pp#heat\">1</a>");
	assert_has(page, "<a href=\"heatmap?sev=danger-up&amp;metric=load&amp;group=profile&amp;"
			 "sort=-value&amp;q=pp#heat\">2</a>");
	assert_has(
		page,
		"Shown: level=Watch or worse, the name searched for. <a href=\""
		"heatmap?metric=load&amp;group=profile&amp;sort=-value#heat\">Clear filters</a>");
	assert_has(page, "<input type=\"hidden\" name=\"sev\" value=\"watch-up\"/>"
			 "<input type=\"hidden\" name=\"metric\" value=\"load\"/>"
			 "<input type=\"hidden\" name=\"group\" value=\"profile\"/>"
			 "<input type=\"hidden\" name=\"sort\" value=\"-value\"/><button>");
	/* The link to the present view keeps the part. */
	*strstr(f.out.data, "</main>") = '\0';
	assert_has_not(strstr(page, "id=\"heat\""), "page=2");
	fixture_free(&f);
}

static void the_busiest_five_come_in_order(void **unused)
{
	static const char *const order[] = {"\">g<", "\">f<", "\">e<", "\">a<", "\">d<", NULL};
	struct snapshot *snap = new_snapshot();
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_init(&f);
	for (int i = 0; i < 7; i++) {
		double cpu = 20 + i + (i == 0) * 3;
		struct sample sample = {"", {cpu, cpu, cpu}, {1, 1, 1}, {20, 20, 20}, {1, 1, 1}, 0};

		add_sample(snap, (const char[]){(char)('a' + i), '\0'}, &sample);
	}
	fixture_use(&f, snap);
	page = strstr(render(&f, "overview", ""), "Busiest five by activity");
	assert_non_null(page);
	*strstr(f.out.data, "</main>") = '\0';
	has_in_order(page, order);
	assert_has_not(page, "\">c<");
	assert_has_not(page, "\">b<");
	fixture_free(&f);
}

static void summary_adds_up(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	page = render(&f, "overview", "");
	/* One verdict leads, at the top. */
	assert_has_not(page, "Assessment");
	assert_has_not(page, "act now");
	/* ppdb001 by CPU +2.5; ppml0001 by CPU -2; ppweb001 by memory -0.1 although CPU rises by
	 * 0.02. */
	assert_has(
		page,
		"<li><b>1</b> worsening</li><li><b>2</b> improving</li><li><b>0</b> steady</li>");
	fixture_free(&f);
}

/* servers[0..2] have risk 100, 76.5 (at least 60) and 51; the others are healthy. */
static void status_names_the_share_that_decided(void **unused)
{
	static const struct {
		unsigned counts[3], total;
		const char *text;
	} rows[] = {
		{{4, 0, 0},
		 10,
		 "Critical</span> 4 of 10 servers (40.0%) Critical or "
		 "worse; limit 30%"},
		{{3, 3, 0},
		 10,
		 "Critical</span> 6 of 10 servers (60.0%) at Warning or "
		 "worse; limit 50%"},
		{{3, 0, 0},
		 10,
		 "Warning</span> 3 of 10 servers (30.0%) Critical or "
		 "worse; limit 10%"},
		{{1, 3, 0},
		 10,
		 "Warning</span> 4 of 10 servers (40.0%) at Warning or "
		 "worse; limit 30%"},
		{{0, 0, 2},
		 10,
		 "Caution</span> 2 of 10 servers (20.0%) at risk 50 or "
		 "above; limit 10%"},
		{{1, 0, 0},
		 10,
		 "Healthy</span> 1 of 10 servers (10.0%) at risk 50 or "
		 "above; limit 10%"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct snapshot *snap = new_snapshot();
		struct fixture f;
		char name[16];
		unsigned n = 0;

		fixture_init(&f);
		for (unsigned kind = 0; kind < 3; kind++)
			for (unsigned k = 0; k < rows[i].counts[kind]; k++) {
				(void)snprintf(name, sizeof(name), kind == 1 ? "ppdb%u" : "s%u",
					       n++);
				add_sample(snap, name, &fleet[kind]);
			}
		for (; n < rows[i].total; n++) {
			(void)snprintf(name, sizeof(name), "s%u", n);
			add_sample(snap, name, &fleet[4]);
		}
		fixture_use(&f, snap);
		assert_has(render(&f, "overview", ""), rows[i].text);
		fixture_free(&f);
	}
}

static void an_absent_index_is_a_dash(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	page = render(&f, "overview", "");
	assert_has(page, "89.7% for 30 minutes, 100.0% for 8 hours");
	assert_has(page, "Fleet: 3/6 healthy (risk below 50)");
	f.snap->prob_8h = NAN;
	page = render(&f, "overview", "");
	assert_has(page, "89.7% for 30 minutes, – for 8 hours");
	assert_has(page, "<dt>Predicted</dt><dd><b>UNKNOWN</b>");
	fixture_free(&f);
}

/* A server that is in the fleet is a link to its page. */
static void affected_servers_are_named(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	f.snap->scenario =
		(struct scenario){true, true, "degrading", 5, 6, 2, {"<gone>", "ppdb001"}, 0};
	assert_has(render(&f, "overview", ""),
		   "<small>5 of 6 servers affected: &lt;gone&gt;, <a "
		   "href=\"server/ppdb001\">ppdb001</a> and 3 more</small>");
	f.snap->scenario.affected = 2;
	assert_has(render(&f, "overview", ""), "href=\"server/ppdb001\">ppdb001</a></small>");
	fixture_free(&f);
}

static void insight_compares_scenario_and_index(void **unused)
{
	static const struct {
		struct scenario scenario;
		double index;
		const char *has;
	} rows[] = {
		{{true, true, "healthy", 0, 6, 0, {""}, 0},
		 0.9,
		 "The index alone warns: the fleet is reported healthy, the index reads 90.0% for "
		 "30 "
		 "minutes, 90.0% for 8 hours."},
		{{true, true, "degrading", 2, 6, 0, {""}, 0},
		 0.9,
		 "<b>DEGRADING</b> <small>2 of 6 servers affected"},
		{{true, true, "degrading", 2, 6, 0, {""}, 0},
		 0.9,
		 "<p class=\"insight confirmed\">Confirmed"},
		{{true, true, "healthy", 0, 6, 0, {""}, 0},
		 0.1,
		 "<p class=\"insight stable\">All stable"},
		{{true, true, "degrading", 2, 6, 0, {""}, 0}, 0.1, NULL},
		{{true, true, "healthy", 0, 6, 0, {""}, 0}, 0.3, NULL},
		{{true, false, "", 0, 0, 0, {""}, 0}, 0.9, "Scenario source unreachable"},
		{{false, false, "", 0, 0, 0, {""}, 0}, 0.9, "No scenario source configured"},
	};
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *page;

		f.snap->scenario = rows[i].scenario;
		f.snap->prob_30m = f.snap->prob_8h = rows[i].index;
		page = render(&f, "overview", "");
		if (rows[i].has)
			assert_has(page, rows[i].has);
		if (!rows[i].has || !rows[i].scenario.known)
			assert_has_not(page, "class=\"insight");
	}
	fixture_free(&f);
}

static void a_difference_of_index_and_status_is_explained(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_fleet(&f); /* at Warning */
	f.snap->scenario = (struct scenario){true, true, "healthy", 0, 6, 0, {""}, 0};
	f.snap->prob_30m = f.snap->prob_8h = 0.9;
	assert_has(render(&f, "overview", ""), "The environment status is Warning");
	f.snap->prob_30m = f.snap->prob_8h = 0.5;
	assert_has(render(&f, "overview", ""), "The index alone warns");
	assert_has_not(f.out.data, "The environment status is");
	fixture_free(&f);
}

/* Of those that the filters let through, the five worst that need attention. */
static void cases_are_the_worst_five(void **unused)
{
	static const char *const order[] = {"id=\"case-s000\"", "id=\"case-s001\"",
					    "id=\"case-s004\"", NULL};
	struct fixture f;

	(void)unused;
	fixture_many(&f, 20, 12);
	has_in_order(render(&f, "overview", ""), order);
	assert_int_equal(count_of(f.out.data, "<li id=\"case-"), 5);
	assert_has(f.out.data, "<a href=\"server/s000\">why and forecast</a></p>");
	assert_int_equal(count_of(render(&f, "overview", "q=s01"), "<li id=\"case-"), 2);
	assert_has_not(render(&f, "overview", "q=s019"), "<ol class=\"cases\">");
	fixture_free(&f);
}

/* Names come from the daemon: they are encoded, and stay in the path. */
static void a_runbook_is_linked_where_there_is_one(void **unused)
{
	struct snapshot *snap = new_snapshot();
	struct fixture f;

	(void)unused;
	fixture_init(&f);
	add_sample(snap, "ppdb/0 \"1\"&x", &fleet[0]);
	fixture_use(&f, snap);
	assert_has_not(render(&f, "overview", ""), "runbook");
	f.site.runbook_url = "https://wiki.example/{profile}/{server}?a=1&b={server}#{other}";
	assert_has(
		render(&f, "overview", ""),
		" · <a rel=\"noopener\" href=\"https://wiki.example/db/ppdb%2F0%20%221%22%26x?a=1"
		"&amp;b=ppdb%2F0%20%221%22%26x#{other}\">runbook</a></p>");
	fixture_free(&f);
}

static void the_strip_has_a_cell_for_each_server(void **unused)
{
	struct fixture f;
	const char *strip;

	(void)unused;
	fixture_many(&f, 131, 70);
	strip = strstr(render(&f, "overview", ""), "<ul class=\"strip\">");
	assert_non_null(strip);
	*strstr(f.out.data, "<section class=\"panel\" id=\"alerts\"") = '\0';
	assert_has(strip, "<a href=\"heatmap?profile=generic\">Generic</a> <svg class=\"cells\" "
			  "width=\"300\" height=\"50\" viewBox=\"0 0 300 50\"");
	assert_int_equal(count_of(strip, "h8v8h-8z"), 131);
	assert_has(strip, "M90 20h8v8h-8z\"/><path class=\"sev-healthy\" d=\"M100 20h8");
	assert_has(strip, "<small>131, 70 Degrading</small>");
	fixture_free(&f);
}

static void crossings_come_by_the_time_that_is_left(void **unused)
{
	static const char *const order[] = {"\">s002<", "\">s001<", "\">s000<", "\">s003<", NULL};
	static const uint8_t steps[] = {6, 4, 1, 6};
	struct fixture f;
	char *list;

	(void)unused;
	fixture_many(&f, 20, 12);
	for (size_t i = 0; i < 4; i++)
		f.snap->servers[i].crossings[CROSSING_IOWAIT] =
			(struct crossing){steps[i], i == 1, 99};
	(void)render(&f, "overview", "");
	list = strstr(f.out.data, "id=\"crossings\"");
	*strstr(list, "</section>") = '\0';
	has_in_order(list, order);
	assert_has(list, "<h2>4 servers will cross a ");
	assert_has(list, "I/O wait reaches its critical limit (");
	assert_has(list, "in about 5 min, peak 99.0%</li>");
	fixture_free(&f);
}

static void a_sum_says_whether_it_is_limited(void **unused)
{
	static const struct {
		struct sample sample;
		const char *sum;
	} rows[] = {
		{{"x", {99, 99, 99}, {30, 1, 1}, {90, 1, 1}, {1, 1, 1}, 0},
		 "0.7 × 130 + 0.3 × 30</td><td>100.0</td>"},
		{{"x", {99, 99, 99}, {30, 10, 10}, {90, 1, 1}, {1, 1, 1}, 0},
		 "0.7 × 130 + 0.3 × 38, at most 100</td><td>100.0</td>"},
		/* Of one kind alone. */
		{{"x", {99, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, 0},
		 "0.7 × 60 + 0.3 × 0</td><td>42.0</td>"},
		{{"x", {1, 99, 99}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, 0},
		 "0.7 × 0 + 0.3 × 30</td><td>9.0</td>"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct snapshot *snap = new_snapshot();
		struct fixture f;

		fixture_init(&f);
		add_sample(snap, "x", &rows[i].sample);
		fixture_use(&f, snap);
		f.view.server = &snap->servers[0];
		assert_has(render(&f, "server", ""), rows[i].sum);
		fixture_free(&f);
	}
}

/* The worst of its profile, and its neighbours in the list, each once. */
static void a_server_is_compared_with_its_like_and_its_neighbours(void **unused)
{
	static const struct {
		size_t server;
		const char *links;
	} rows[] = {
		{0, "ppdb002 "}, /* has none above it; the one below is the worst of its profile */
		{1, "ppdb001 ppml003 "},  /* the worst of its profile is above it */
		{2, "ppdb002 ppweb004 "}, /* the only one of its profile */
		{3, "ppml003 "},
	};
	static const char *const names[] = {"ppdb001", "ppdb002", "ppml003", "ppweb004"};
	static const struct sample samples[] = {
		{"", {99, 99, 99}, {35, 35, 35}, {20, 20, 20}, {1, 1, 1}, 0},
		{"", {99, 99, 99}, {20, 20, 20}, {20, 20, 20}, {1, 1, 1}, 0},
		{"", {99, 99, 99}, {1, 1, 1}, {20, 20, 20}, {1, 1, 1}, 0},
		{"", {20, 20, 20}, {1, 1, 1}, {20, 20, 20}, {1, 1, 1}, 0},
	};
	struct snapshot *snap = new_snapshot();
	struct fixture f;

	(void)unused;
	fixture_init(&f);
	for (size_t i = 0; i < 4; i++)
		add_sample(snap, names[i], &samples[i]);
	fixture_use(&f, snap);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char links[100] = "", *list, *name;

		f.view.server = &f.snap->servers[rows[i].server];
		(void)render(&f, "server", "");
		list = strstr(strstr(f.out.data, "id=\"compare\""), "<ul class=\"legend\">");
		*strstr(list, "</ul>") = '\0';
		while ((name = strstr(list, "?with="))) {
			list = name + strcspn(name, "\"");
			(void)snprintf(links + strlen(links), sizeof(links) - strlen(links),
				       "%.*s ", (int)(list - name) - 6, name + 6);
		}
		assert_string_equal(links, rows[i].links);
	}
	fixture_free(&f);
}

/* Eight are open, thirty are listed. */
static void a_long_list_of_crossings_is_folded(void **unused)
{
	static const struct {
		unsigned servers;
		const char *more; /* NULL: all are open */
		bool cut;
	} rows[] = {{8, NULL, false},
		    {9, "<summary>1 more</summary>", false},
		    {30, "<summary>22 more</summary>", false},
		    {31, "<summary>23 more</summary>", true}};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *list, *end;
		struct fixture f;

		fixture_many(&f, rows[i].servers, 0);
		for (size_t k = 0; k < f.snap->count; k++)
			f.snap->servers[k].crossings[CROSSING_DISK_USAGE] =
				(struct crossing){12, false, 88};
		list = strstr(render(&f, "overview", ""), "<ul class=\"crossings\">");
		assert_non_null(list);
		end = strstr(list, "</section>");
		f.out.data[end - f.out.data] = '\0';
		assert_int_equal(count_of(list, "<li>"), rows[i].cut ? 30 : rows[i].servers);
		assert_int_equal(count_of(list, "in about 60 min, peak 88.0%"),
				 rows[i].cut ? 30 : rows[i].servers);
		if (rows[i].more)
			assert_has(list, rows[i].more);
		assert_int_equal(count_of(list, "<details>"), rows[i].more != NULL);
		assert_int_equal(count_of(list, "</details>"), rows[i].more != NULL);
		assert_int_equal(count_of(list, "Only the first 30 servers"), rows[i].cut);
		fixture_free(&f);
	}
}

static void calm_fleet_shows_the_busiest_five(void **unused)
{
	/* Activity: c 45.5, a and b 36.75, d 20.1, e 11.95, f 0. */
	static const struct sample calm[] = {
		{"f", ABSENT, ABSENT, ABSENT, ABSENT, NAN},
		{"e", {20, 20, 20}, {1, 1, 1}, {20, 20, 20}, {1, 1, 1}, 6},
		{"b", {50, 50, 50}, {4, 4, 4}, {80, 80, 80}, {2.5, 2.5, 2.5}, 5},
		{"a", {50, 50, 50}, {4, 4, 4}, {80, 80, 80}, {2.5, 2.5, 2.5}, 5},
		{"d", {20, 20, 20}, {1, 1, 1}, {50, 50, 50}, {2.5, 2.5, 2.5}, 11},
		{"c", {91, 91, 89}, {4, 4, 4}, {80, 80, 80}, {2.5, 2.5, 2.5}, 5},
	};
	static const char *const order[] = {"\"srv-c\"", "\"srv-a\"", "\"srv-b\"",
					    "\"srv-d\"", "\"srv-e\"", NULL};
	struct snapshot *snap = new_snapshot();
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_init(&f);
	for (size_t i = 0; i < sizeof(calm) / sizeof(calm[0]); i++)
		add_sample(snap, calm[i].name, &calm[i]);
	fixture_use(&f, snap);
	page = render(&f, "overview", "");
	assert_has(page, "<h2>No alerts. The busiest servers</h2>");
	assert_int_equal(count_of(page, "<tr id="), 5);
	has_in_order(page, order);
	assert_has(page,
		   "<td class=\"mark yellow\">91.0%</td><td>80.0%</td><td>4.0%</td><td>5.0%</td>"
		   "<td>2.5</td></tr>");
	assert_has_not(page, "(0)");
	/* Of those that the filters let through. */
	assert_int_equal(count_of(render(&f, "overview", "q=c"), "<tr id="), 1);
	assert_has(render(&f, "overview", "profile=db"), "No servers match profile=Database.");
	/* If a level is requested, the table is shown. */
	assert_has(render(&f, "overview", "sev=healthy"), "<table id=\"alerts-table\"");
	fixture_free(&f);
}

static void of_equal_values_the_first_is_named(void **unused)
{
	struct snapshot *snap = new_snapshot();
	struct fixture f;

	(void)unused;
	fixture_init(&f);
	add_sample(snap, "b", &fleet[3]);
	add_sample(snap, "a", &fleet[3]);
	fixture_use(&f, snap);
	assert_has(render(&f, "heatmap", "metric=cpu"), "Maximum <b>10.0</b> a</li>");
	fixture_free(&f);
}

/* Of more than 180 servers a tile has no room for text; one that is silent says so in words. */
static void tiles_of_a_large_fleet_are_small(void **unused)
{
	(void)unused;
	for (int servers = 180; servers <= 181; servers++) {
		struct snapshot *snap = new_snapshot();
		struct fixture f;
		const char *page;
		char name[16];

		fixture_init(&f);
		for (int i = 0; i < servers; i++) {
			(void)snprintf(name, sizeof(name), "ppweb%03d", i);
			add_sample(snap, name, &fleet[3]);
		}
		fixture_use(&f, snap);
		f.snap->servers[0].same_since_ms = GEN_MS - 60000;
		f.snap->servers[0].same_count = 9;
		page = render(&f, "heatmap", "");
		assert_int_equal(count_of(page, "<ul class=\"tiles small "), servers == 181);
		assert_int_equal(count_of(page, "WT silent") > 0, servers == 181);
		fixture_free(&f);
	}
}

static void silent_servers_are_marked(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	assert_has_not(render(&f, "overview", ""), "silent");
	f.snap->servers[0].same_count = 3;
	f.snap->servers[0].same_since_ms = GEN_MS - 123 - 60000;
	assert_has(render(&f, "overview", ""),
		   "ppml0001</a> <small class=\"silent\">silent since 12:00:05 UTC</small></th>");
	assert_has(f.out.data, "1 server <a href=\"docs#word-silent\">silent</a>");
	assert_has(render(&f, "heatmap", ""),
		   "<li id=\"srv-ppml0001\" class=\"sev-imminent silent\" data-tip");
	fixture_free(&f);
}

/* A server without values says nothing about the others. The sentence names when the last one fell
 * silent. */
static void silence_of_all_servers_is_told_in_a_sentence(void **unused)
{
	static const char sentence[] = "No new data has reached the daemon since <time";
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	for (size_t i = 0; i < FLEET; i++) {
		f.snap->servers[i].same_count = 3;
		f.snap->servers[i].same_since_ms = GEN_MS - 123 - 70000;
	}
	f.snap->servers[2].same_since_ms += 10000;
	assert_has(render(&f, "overview", ""), sentence);
	assert_has(f.out.data, ">12:00:05 UTC</time>. Every server shows the values it had then.");
	assert_has(render(&f, "cost", ""), sentence);
	f.snap->servers[1].same_count = 2;
	assert_has_not(render(&f, "overview", ""), sentence);
	f.snap->count = 0;
	assert_has_not(render(&f, "overview", ""), sentence);
	f.snap->count = FLEET;
	fixture_free(&f);
}

static void hostile_names_stay_text(void **unused)
{
	static const char *const pages[][2] = {{"overview", "sev=healthy"}, {"heatmap", ""}};
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	for (size_t i = 0; i < 2; i++) {
		const char *page = render(&f, pages[i][0], pages[i][1]);

		assert_has(page, "id=\"srv-&lt;script&gt;&quot;&amp;&#39;&lt;/td&gt;\"");
		assert_has_not(page, "<script>"); /* the dashboard's own have a src */
		assert_has_not(page, "\"&'");
	}
	fixture_free(&f);
}

/* ---- heatmap ---- */

static void heatmap_shades_and_orders_by_metric(void **unused)
{
	static const struct {
		const char *query;
		const char *order[4];
	} rows[] = {
		{"sort=-value",
		 {"\"srv-ppml0001\" class=\"sev-imminent\"", "\"srv-ppdb001\" class=\"sev-danger\"",
		  "\"srv-ppetl001\" class=\"sev-healthy\"", NULL}},
		{"", {"\"srv-ppcon01\"", "\"srv-ppdb001\"", "\"srv-ppetl001\"", NULL}},
		{"metric=cpu&sort=-value",
		 {"\"srv-ppml0001\" class=\"shade-3\"", "\"srv-ppdb001\" class=\"shade-1\"",
		  "\"srv-ppetl001\" class=\"sev-unknown\"", NULL}},
		{"metric=load&sort=-value",
		 {"\"srv-ppcon01\" class=\"shade-0\"", "\"srv-&lt;script",
		  "\"srv-ppetl001\" class=\"sev-unknown\"", NULL}},
		{"group=profile",
		 {"<h3>ML Compute</h3>", "<h3>Database</h3>", "<h3>Generic</h3>", NULL}},
	};
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		has_in_order(render(&f, "heatmap", rows[i].query), rows[i].order);
	assert_has_not(render(&f, "heatmap", "group=profile"), "<h3>Risk Analytics</h3>");
	fixture_free(&f);
}

static void heatmap_statistics_name_the_maximum(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	/* Worst memory of five servers: 99, 98, 99.5, 96, 20. */
	assert_has(
		render(&f, "heatmap", "metric=memory"),
		"<li>Minimum <b>20.0</b></li><li>Average <b>82.5</b></li><li>Maximum <b>99.5</b> "
		"ppweb001</li><li>Standard deviation <b>35.0</b></li>");
	assert_has(render(&f, "heatmap", "metric=memory&q=ppdb"),
		   "Standard deviation not defined for one server");
	assert_has_not(render(&f, "heatmap", "metric=memory&q=ppetl"), "Standard deviation");
	assert_has(render(&f, "heatmap", "q=nothing"), "No servers match");
	fixture_free(&f);
}

/* Each size is for as many tiles as its name says. Above 50 servers they are grouped by profile. */
static void tiles_are_as_large_as_their_number_allows(void **unused)
{
	static const struct {
		size_t servers;
		const char *css;
	} rows[] = {
		{24, "n24"},         {25, "n60"},         {50, "n60"},         {51, "n60"},
		{60, "n60"},         {61, "n84"},         {84, "n84"},         {85, "n108"},
		{108, "n108"},       {109, "n180"},       {180, "n180"},       {181, "small n270"},
		{270, "small n270"}, {271, "small n500"}, {500, "small n500"}, {501, "small n1000"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f;
		char css[64];

		fixture_many(&f, (int)rows[i].servers, 1);
		(void)snprintf(css, sizeof(css), "<ul class=\"tiles %s\">", rows[i].css);
		assert_has(render(&f, "heatmap", ""), css);
		assert_int_equal(strstr(f.out.data, "<li class=\"group\">") != NULL,
				 rows[i].servers > 50);
		fixture_free(&f);
	}
}

/* The lines of 100 rows would be too many elements. */
static void a_half_of_the_rows_has_lines(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_many(&f, 170, 170);
	for (size_t i = 0; i < f.snap->count; i++)
		memset(f.snap->servers[i].recent.most, 51, sizeof(f.snap->servers[i].recent.most));
	assert_int_equal(count_of(render(&f, "heatmap", ""), "<svg class=\"line\""), 50);
	assert_int_equal(count_of(render(&f, "heatmap", "page=2"), "<svg class=\"line\""), 50);
	assert_int_equal(count_of(render(&f, "overview", ""), "<svg class=\"line\""), 50);
	assert_int_equal(count_of(render(&f, "overview", "page=2"), "<svg class=\"line\""), 50);
	fixture_free(&f);
}

/* A limit belongs to the lighter shade. */
static void shades_begin_above_their_limits(void **unused)
{
	static const struct {
		const char *query;
		double value;
		int shade;
	} rows[] = {
		{"metric=cpu", 90.1, 3},  {"metric=cpu", 90, 2},    {"metric=cpu", 70.1, 2},
		{"metric=cpu", 70, 1},    {"metric=cpu", 50.1, 1},  {"metric=cpu", 50, 0},
		{"metric=load", 12.1, 3}, {"metric=load", 12, 2},   {"metric=load", 8.1, 2},
		{"metric=load", 8, 1},    {"metric=load", 6.1, 1},  {"metric=load", 6, 0},
		{"metric=memory", 91, 3}, {"metric=memory", 90, 2}, {"metric=memory", 70, 1},
		{"metric=memory", 50, 0}, {"metric=memory", 51, 1}, {"metric=memory", 71, 2},
	};
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct server *s = &f.snap->servers[0];
		char tile[64];

		s->cpu.worst = s->memory.worst = s->load.worst = rows[i].value;
		(void)snprintf(tile, sizeof(tile), "<li id=\"srv-ppml0001\" class=\"shade-%d\"",
			       rows[i].shade);
		assert_has(render(&f, "heatmap", rows[i].query), tile);
	}
	fixture_free(&f);
}

/* Its level is compared with that of 15 minutes ago. */
static void a_tile_says_that_its_level_has_changed(void **unused)
{
	static const struct {
		uint8_t then; /* risk and 1; 0: nobody knows */
		const char *css, *words;
	} rows[] = {
		{0, "sev-degrading\"", ", Web API\""},
		{51, "sev-degrading\"", ", Web API\""},
		{50, "sev-degrading rose\"", ", Web API, 15 min ago Watch\""},
		{61, "sev-degrading fell\"", ", Web API, 15 min ago Warning\""},
	};
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct server *s = &f.snap->servers[2];
		char tile[64];

		s->recent.most[RECENT_SLOTS - 1 - 5] = rows[i].then;
		(void)snprintf(tile, sizeof(tile), "<li id=\"srv-ppweb001\" class=\"%s",
			       rows[i].css);
		assert_has(render(&f, "heatmap", ""), tile);
		assert_has(f.out.data, rows[i].words);
	}
	fixture_free(&f);
}

static void large_fleets_get_small_tiles(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_many(&f, 181, 181);
	assert_has(render(&f, "heatmap", ""),
		   "data-code=\"DG\"><a href=\"server/s000\">s000</a> 51.0 DG</li>");
	fixture_free(&f);
}

/* ---- limits ---- */

static void a_small_ceiling_fails_the_document(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	f.view.server = &f.view.snap->servers[0];
	for (size_t i = 0; i < page_count; i++) {
		for (size_t max = 1; max < 20000; max += 97) {
			struct buf small;

			buf_init(&small, max);
			page_render(&page_table[i], &f.view, &small);
			assert_true(!buf_ok(&small) || small.len <= max);
			buf_free(&small);
		}
	}
	fixture_free(&f);
}

static void large_fleets_stay_within_the_budgets(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_many(&f, 90, 90);
	(void)render(&f, "overview", "");
	assert_true(f.out.len <= 48 * 1024);
	fixture_free(&f);
	fixture_many(&f, 500, 150);
	assert_true(count_elements(render(&f, "overview", "")) <= 3000);
	assert_true(count_elements(render(&f, "heatmap", "")) <= 3000);
	fixture_free(&f);
}

/* What every viewer asks for is rendered once per bucket. */
static void the_pages_that_a_refresh_stores(void **unused)
{
	struct buf names;

	(void)unused;
	buf_init(&names, 4096);
	for (size_t i = 0; i < page_count; i++)
		if (page_table[i].stored)
			buf_addf(&names, "%s ", page_table[i].name);
	buf_char(&names, '\0');
	assert_string_equal(names.data,
			    "overview heatmap top remediation alerting docs roadmap api-fleet "
			    "api-alerts api-heatmap api-top api-cost api-remediation api-alerting "
			    "badge-fleet ");
	buf_free(&names);
}

/* ---- the edges of tables, filters and trends ---- */

static void a_table_of_100_rows_has_one_part(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_many(&f, 100, 100);
	page = render(&f, "overview", "");
	assert_int_equal(count_of(page, "<tr id="), 100);
	assert_has_not(page, "class=\"paging\"");
	fixture_free(&f);
	fixture_many(&f, 200, 200);
	assert_has(render(&f, "overview", "page=2"), "Rows 101 to 200 of 200");
	assert_has_not(f.out.data, ">Next</a>");
	assert_has(render(&f, "overview", "page=3"), "Rows 101 to 200 of 200");
	fixture_free(&f);
}

static void every_filter_says_what_it_shows(void **unused)
{
	struct fixture f;
	char query[64], words[100];

	(void)unused;
	fixture_fleet(&f);
	for (int p = 0; p < PROFILE_COUNT; p++) {
		(void)snprintf(query, sizeof(query), "profile=%s", profile_table[p].slug);
		(void)snprintf(words, sizeof(words), "Shown: profile=%s. ", profile_table[p].name);
		assert_has(render(&f, "overview", query), words);
	}
	for (int l = 0; l < LEVEL_COUNT; l++) {
		(void)snprintf(query, sizeof(query), "sev=%s", level_table[l].slug);
		(void)snprintf(words, sizeof(words), "Shown: level=%s. ", level_table[l].name);
		assert_has(render(&f, "overview", query), words);
	}
	fixture_free(&f);
}

/* 0.05 is the least that is told as 0.1. */
static void a_trend_begins_where_it_is_told(void **unused)
{
	static const struct {
		double cpu, memory;
		const char *trend;
	} rows[] = {
		{0.05, 0, "<b>1</b> worsening</li><li><b>0</b> improving</li><li><b>0</b> steady"},
		{0, 0.05, "<b>1</b> worsening</li><li><b>0</b> improving</li><li><b>0</b> steady"},
		{-0.05, 0, "<b>0</b> worsening</li><li><b>1</b> improving</li><li><b>0</b> steady"},
		{0, -0.05, "<b>0</b> worsening</li><li><b>1</b> improving</li><li><b>0</b> steady"},
		{0.049, 0.049,
		 "<b>0</b> worsening</li><li><b>0</b> improving</li><li><b>1</b> steady"},
		{-0.049, NAN,
		 "<b>0</b> worsening</li><li><b>0</b> improving</li><li><b>1</b> steady"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct snapshot *snap = new_snapshot();
		struct fixture f;

		fixture_init(&f);
		add_sample(snap, fleet[0].name, &fleet[0]);
		snap->servers[0].cpu.change = rows[i].cpu;
		snap->servers[0].memory.change = rows[i].memory;
		fixture_use(&f, snap);
		assert_has(render(&f, "overview", ""), rows[i].trend);
		fixture_free(&f);
	}
}

static void the_choice_of_the_worst_is_marked(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	assert_has(render(&f, "overview", "sev=imminent"),
		   "<a href=\"./?sev=imminent#alerts\" aria-current=\"true\">1</a>");
	fixture_free(&f);
}

/* Others need not load what draws them. */
static void pages_of_history_bring_what_draws_it(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	assert_has(render(&f, "history", ""), "static/charts.");
	assert_has_not(render(&f, "overview", ""), "static/charts.");
	/* The first page that most people see needs the least. */
	assert_has_not(f.out.data, "static/pages.");
	assert_has(render(&f, "overview", "view=kiosk"), "static/pages.");
	assert_has(render(&f, "heatmap", ""), "static/pages.");
	fixture_free(&f);
}

/* Links to another choice lead to its first part. */
static void another_choice_begins_anew(void **unused)
{
	static const char *const rows[][3] = {
		{"overview", "profile=db&page=2", "<a href=\"./?profile=ml#alerts\">1</a>"},
		{"heatmap", "profile=db&page=2", "<a href=\"heatmap?profile=ml#heat\">1</a>"},
		{"incidents", "page=2&sev=danger-up",
		 "<a href=\"incidents?sev=danger-up&amp;range=7d\">7 days</a>"},
		{"incidents", "page=2&sev=danger-up",
		 "<a href=\"incidents?profile=ml&amp;sev=danger-up\">ML Compute</a>"},
		{"incidents", "page=2&sev=danger-up",
		 "<a href=\"incidents?sev=critical-up\">Critical or worse</a>"},
		{"incidents", "page=2&sev=danger-up",
		 "<a href=\"incidents?sev=danger\">Only Danger</a>"},
	};
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_has(render(&f, rows[i][0], rows[i][1]), rows[i][2]);
	fixture_free(&f);
}

/* Of the two in the table only. */
static void trends_are_counted(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	f.snap->servers[0].cpu.change = 5;
	f.snap->servers[1].cpu.change = f.snap->servers[2].cpu.change = -5;
	f.snap->servers[2].risk = 100;
	f.snap->servers[0].memory.change = f.snap->servers[1].memory.change = 0;
	assert_has(
		render(&f, "overview", ""),
		"<li><b>1</b> worsening</li><li><b>1</b> improving</li><li><b>0</b> steady</li>");
	f.snap->servers[1].cpu.change = 0;
	assert_has(
		render(&f, "overview", ""),
		"<li><b>1</b> worsening</li><li><b>0</b> improving</li><li><b>1</b> steady</li>");
	fixture_free(&f);
}

/* What is told of alerts begins with exactly 50.0. */
static void a_server_at_the_limit_is_an_alert(void **unused)
{
	struct snapshot *snap = new_snapshot();
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_init(&f);
	for (size_t i = 0; i < FLEET; i++)
		add_sample(snap, fleet[i].name, &fleet[i]);
	add_sample(snap, "edge", &fleet[4]);
	snap->servers[FLEET].risk = RISK_ALERT;
	fixture_use(&f, snap);
	page = render(&f, "overview", "q=edge");
	assert_has(page, "<li id=\"case-edge\">");
	assert_has(page, "<tr id=\"srv-edge\">");
	assert_has(page,
		   "<b>0</b> worsening</li><li><b>0</b> improving</li><li><b>1</b> steady</li>");
	assert_has(page, "4 alerts, 1 row shown, 3 hidden by filter");
	fixture_free(&f);
	/* Alone it turns the icon. */
	fixture_init(&f);
	snap = new_snapshot();
	add_sample(snap, "edge", &fleet[4]);
	snap->servers[0].risk = RISK_ALERT;
	fixture_use(&f, snap);
	assert_has(render(&f, "overview", ""), "href=\"static/favicon-warning.");
	fixture_free(&f);
}

/* Those of the part that is shown. */
static void a_part_tells_its_rows(void **unused)
{
	struct snapshot *snap = new_snapshot();
	struct fixture f;

	(void)unused;
	fixture_init(&f);
	for (int i = 0; i < 105; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "n%03d", i);
		add_sample(snap, name, &fleet[1]);
	}
	fixture_use(&f, snap);
	assert_has(render(&f, "overview", "page=2"),
		   "105 alerts, 5 rows shown, 0 hidden by filter");
	fixture_free(&f);
}

static void parts_have_a_hundred_rows(void **unused)
{
	static const struct {
		size_t count;
		int page;
		struct part part;
	} rows[] = {
		{0, 1, {0, 0, 0}},         {0, 2, {0, 0, 0}},         {1, 1, {0, 1, 1}},
		{100, 1, {0, 100, 100}},   {100, 2, {0, 100, 100}},   {101, 1, {0, 100, 101}},
		{101, 2, {100, 101, 101}}, {101, 3, {100, 101, 101}}, {200, 3, {100, 200, 200}}};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct query query;
		struct part part;

		query_init(&query);
		query.page = rows[i].page;
		part = table_part(&query, rows[i].count);
		assert_memory_equal(&part, &rows[i].part, sizeof(part));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_choice_of_the_worst_is_marked),
		cmocka_unit_test(pages_of_history_bring_what_draws_it),
		cmocka_unit_test(another_choice_begins_anew),
		cmocka_unit_test(parts_have_a_hundred_rows),
		cmocka_unit_test(a_part_tells_its_rows),
		cmocka_unit_test(a_server_at_the_limit_is_an_alert),
		cmocka_unit_test(trends_are_counted),
		cmocka_unit_test(whole_texts_are_as_expected),
		cmocka_unit_test(rendering_is_deterministic),
		cmocka_unit_test(rows_of_the_page_table_are_sound),
		cmocka_unit_test(names_are_found_in_paths),
		cmocka_unit_test(badges_tell_level_and_age),
		cmocka_unit_test(badges_keep_hostile_and_long_names_in),
		cmocka_unit_test(alert_rows_come_in_the_asked_order),
		cmocka_unit_test(sort_links_turn_the_shown_order_round),
		cmocka_unit_test(cells_carry_marks_and_formats),
		cmocka_unit_test(filters_choose_rows),
		cmocka_unit_test(long_tables_have_pages_of_100),
		cmocka_unit_test(heatmap_table_has_orders_and_parts),
		cmocka_unit_test(filters_keep_the_other_choices),
		cmocka_unit_test(the_busiest_five_come_in_order),
		cmocka_unit_test(summary_adds_up),
		cmocka_unit_test(status_names_the_share_that_decided),
		cmocka_unit_test(an_absent_index_is_a_dash),
		cmocka_unit_test(affected_servers_are_named),
		cmocka_unit_test(insight_compares_scenario_and_index),
		cmocka_unit_test(a_difference_of_index_and_status_is_explained),
		cmocka_unit_test(cases_are_the_worst_five),
		cmocka_unit_test(a_runbook_is_linked_where_there_is_one),
		cmocka_unit_test(the_strip_has_a_cell_for_each_server),
		cmocka_unit_test(a_sum_says_whether_it_is_limited),
		cmocka_unit_test(a_server_is_compared_with_its_like_and_its_neighbours),
		cmocka_unit_test(crossings_come_by_the_time_that_is_left),
		cmocka_unit_test(a_long_list_of_crossings_is_folded),
		cmocka_unit_test(calm_fleet_shows_the_busiest_five),
		cmocka_unit_test(of_equal_values_the_first_is_named),
		cmocka_unit_test(tiles_of_a_large_fleet_are_small),
		cmocka_unit_test(silent_servers_are_marked),
		cmocka_unit_test(silence_of_all_servers_is_told_in_a_sentence),
		cmocka_unit_test(hostile_names_stay_text),
		cmocka_unit_test(heatmap_shades_and_orders_by_metric),
		cmocka_unit_test(heatmap_statistics_name_the_maximum),
		cmocka_unit_test(tiles_are_as_large_as_their_number_allows),
		cmocka_unit_test(a_half_of_the_rows_has_lines),
		cmocka_unit_test(shades_begin_above_their_limits),
		cmocka_unit_test(a_tile_says_that_its_level_has_changed),
		cmocka_unit_test(large_fleets_get_small_tiles),
		cmocka_unit_test(a_small_ceiling_fails_the_document),
		cmocka_unit_test(large_fleets_stay_within_the_budgets),
		cmocka_unit_test(the_pages_that_a_refresh_stores),
		cmocka_unit_test(a_table_of_100_rows_has_one_part),
		cmocka_unit_test(every_filter_says_what_it_shows),
		cmocka_unit_test(a_trend_begins_where_it_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
