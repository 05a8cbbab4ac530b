/* SPDX-License-Identifier: MIT */
/* What changed, as page, panel, JSON and CSV (doc/pages.md#changes). */
#include "config.h"

#include "fleet/moment.h"
#include "view_fixture.h"

struct changed {
	struct fixture f;
	struct snapshot *then;
	struct since since;
};

/* Fifteen minutes before, ppdb001 was calm, ppweb002 was there, and ppcon01 was not. */
static void changed_init(struct changed *c)
{
	struct snapshot *then = new_snapshot();
	static const struct sample calm = {"", {20, 20, 20}, {1, 1, 1}, {20, 20, 20}, {1, 1, 1}, 0};

	fixture_fleet(&c->f);
	then->gen_ms -= 900000;
	then->bucket -= 30;
	(void)snprintf(then->scenario.name, sizeof(then->scenario.name), "<cascade>");
	for (size_t i = 0; i < FLEET; i++)
		if (strcmp(fleet[i].name, "ppcon01") != 0)
			add_sample(then, fleet[i].name,
				   strcmp(fleet[i].name, "ppdb001") == 0 ? &calm : &fleet[i]);
	add_sample(then, "ppweb002", &calm);
	assert_int_equal(snapshot_seal(then), 0);
	c->then = then;
	for (size_t i = 0; i < c->f.snap->count; i++)
		if (span_is(c->f.snap->servers[i].name, "ppdb001"))
			server_note_level(&c->f.snap->servers[i], LEVEL_DANGER,
					  snapshot_bucket_ms(c->f.snap) - 330000);
	c->since = (struct since){.then = then, .asked_ms = snapshot_bucket_ms(then)};
	c->f.view.since = &c->since;
}

static void changed_free(struct changed *c)
{
	snapshot_free(&c->then);
	fixture_free(&c->f);
}

static struct span visible(const char *page)
{
	const char *from = strstr(page, "<main"), *to = strstr(page, "</main>");

	assert_true(from && to);
	from = strchr(from, '>') + 1;
	return (struct span){from, (size_t)(to - from)};
}

static void whole_texts_are_as_expected(void **unused)
{
	struct changed c;

	(void)unused;
	changed_init(&c);
	assert_expected("changes.html", visible(render(&c.f, "changes", "")));
	render(&c.f, "api-changes", "");
	c.f.out.len--;
	assert_expected("api-changes.json", buf_span(&c.f.out));
	render(&c.f, "changes-csv", "");
	c.f.out.len--;
	assert_expected("changes.csv", buf_span(&c.f.out));
	changed_free(&c);
}

static void the_overview_tells_the_most_important(void **unused)
{
	struct changed c;
	const char *page;

	(void)unused;
	changed_init(&c);
	page = render(&c.f, "overview", "");
	assert_has(page, "<section class=\"panel\" id=\"changes\"><h2>Changed in the last 15 "
			 "minutes</h2><ul class=\"changed\">");
	assert_has(page, "</ul><p><a href=\"changes\">then and now</a></p></section>");
	assert_has(page, "<li>Scenario: healthy, was &lt;cascade&gt;</li>");
	assert_has(page,
		   "<li><a href=\"server/ppdb001\">ppdb001</a> entered the alert table: <span "
		   "class=\"chip sev-healthy\">Healthy</span> 0.0, now <span class=\"chip "
		   "sev-danger\">Danger</span> 76.5</li>");
	/* The page of a server that is gone is one of the past. */
	assert_has(page, "<li><a href=\"server/ppweb002?at=2025-11-23T11:46:00Z\">ppweb002</a> "
			 "vanished: ");
	changed_free(&c);
}

static void add_new(struct snapshot *snap, int n)
{
	for (int i = 0; i < n; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "ppnew%02d", i);
		add_sample(
			snap, name,
			&(struct sample){"", {91, 91, 91}, {1, 1, 1}, {20, 20, 20}, {1, 1, 1}, 0});
	}
}

/* A line folds up to ten names. */
static void a_fold_has_ten_names(void **unused)
{
	struct snapshot *now = new_snapshot();
	struct changed c;
	const char *page;

	(void)unused;
	changed_init(&c);
	snapshot_free(&c.f.snap);
	add_new(now, 12);
	fixture_use(&c.f, now);
	page = render(&c.f, "overview", "");
	assert_has(page, "12 servers appeared, all of them Generic</summary>");
	assert_has(page, "<li>and 2 more</li></ul></details>");
	assert_has_not(page, "ppnew10</a> not there");
	changed_free(&c);
}

/* Of one server nothing is said: it is no share. */
static void a_fold_tells_what_most_of_it_are(void **unused)
{
	static const struct {
		const char *second;
		bool two;
	} rows[] = {{"ppdb012", true}, {"ppetl12", false}};
	static const struct sample busy = {"", {91, 91, 91}, {1, 1, 1}, {20, 20, 20}, {1, 1, 1}, 0};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct snapshot *now = new_snapshot();
		struct changed c;
		const char *page;

		changed_init(&c);
		snapshot_free(&c.f.snap);
		add_sample(now, "ppdb011", &busy);
		add_sample(now, rows[i].second, &busy);
		add_sample(now, "ppml011", &busy);
		fixture_use(&c.f, now);
		page = render(&c.f, "changes", "");
		assert_int_equal(count_of(page, "3 servers appeared"), 1);
		assert_int_equal(count_of(page, "appeared, "), rows[i].two);
		assert_int_equal(count_of(page, "appeared, 2 of them Database"), rows[i].two);
		changed_free(&c);
	}
}

/* The overview after so many servers have become worse. */
static const char *overview_of_moved(struct changed *c, int count)
{
	struct snapshot *then = new_snapshot(), *now = new_snapshot();
	static const struct sample calm = {"", {20, 20, 20}, {1, 1, 1}, {20, 20, 20}, {1, 1, 1}, 0},
				   bad = {"", {91, 91, 91}, {1, 1, 1}, {20, 20, 20}, {1, 1, 1}, 0};

	snapshot_free(&c->f.snap);
	snapshot_free(&c->then);
	for (int i = 0; i < count; i++) {
		const char name[] = {'x', (char)('a' + i), '\0'};

		add_sample(then, name, &calm);
		add_sample(now, name, &bad);
	}
	assert_int_equal(snapshot_seal(then), 0);
	fixture_use(&c->f, now);
	c->since.then = c->then = then;
	return render(&c->f, "overview", "");
}

static void only_six_lines_are_on_the_overview(void **unused)
{
	struct changed c;
	const char *page;

	(void)unused;
	changed_init(&c);
	page = overview_of_moved(&c, 9);
	assert_int_equal(count_of(page, " moved: "), 6);
	/* The moment differs from the requested one, so the link names it. */
	assert_has(page, "Changed since <time datetime=\"2025-11-23T12:01:00Z\">");
	assert_has(page, "<a href=\"changes?since=2025-11-23T12:01:00Z\">and 3 more</a>");
	page = overview_of_moved(&c, 6);
	assert_int_equal(count_of(page, " moved: "), 6);
	assert_has(page, "<a href=\"changes?since=2025-11-23T12:01:00Z\">then and now</a>");
	changed_free(&c);
}

static void without_a_moment_the_panel_says_so(void **unused)
{
	struct changed c;

	(void)unused;
	changed_init(&c);
	c.since.then = NULL;
	assert_has(render(&c.f, "overview", ""), "<li>No earlier moment is kept yet.</li>");
	c.f.view.since = NULL;
	assert_has(render(&c.f, "overview", ""),
		   "<li>Earlier moments are in the shared cache, which cannot be reached. "
		   "Nothing is lost.</li>");
	c.since.then = c.f.snap;
	c.f.view.since = &c.since;
	assert_has(render(&c.f, "overview", ""), "<li>No important changes.</li>");
	changed_free(&c);
}

static void filters_apply(void **unused)
{
	struct changed c;
	const char *page;

	(void)unused;
	changed_init(&c);
	page = render(&c.f, "changes", "profile=db");
	assert_has(page, "ppdb001</a></th>");
	assert_has_not(page, "<td>vanished</td>");
	/* A change of the whole fleet is not a change of a database. */
	assert_has_not(page, "Scenario: ");
	page = render(&c.f, "changes", "sev=danger");
	assert_has(page, "ppdb001</a></th>");
	assert_has_not(page, "ppcon01</a></th>");
	assert_has(render(&c.f, "changes", "sev=imminent"), "No important changes.");
	assert_has(render(&c.f, "api-changes", "q=con"), "\"server\":\"ppcon01\"");
	changed_free(&c);
}

static void choices_keep_the_others(void **unused)
{
	struct changed c;
	const char *page;

	(void)unused;
	changed_init(&c);
	page = render(&c.f, "changes", "profile=db&since=8h");
	assert_has(page, "<h2>Changed in the last 8 hours</h2>");
	assert_has(page, "<a href=\"changes?profile=db\">15 minutes</a>");
	assert_has(page,
		   "<a href=\"changes?profile=db&amp;since=8h\" aria-current=\"true\">8 hours</a>");
	assert_has(page, "<a href=\"changes?profile=web&amp;since=8h\">Web API</a>");
	assert_has(page, "<input type=\"hidden\" name=\"since\" value=\"8h\"/><button>Filter");
	assert_has(page, "<input type=\"hidden\" name=\"profile\" value=\"db\"/><button>Compare");
	assert_has(render(&c.f, "api-changes", ""), "\"server\":\"ppcon01\"");
	assert_has_not(render(&c.f, "api-changes", "profile=db"), "\"server\":\"ppcon01\"");
	assert_has(render(&c.f, "changes-csv", ""), ",ppcon01,");
	assert_has_not(render(&c.f, "changes-csv", "profile=db"), ",ppcon01,");
	page = render(&c.f, "changes", "since=2025-11-23T06:00:00Z");
	assert_has(page, "<h2>Changed since <time datetime=\"2025-11-23T06:00:00Z\">2025-11-23 "
			 "06:00:00 UTC</time></h2>");
	changed_free(&c);
}

static void a_page_of_the_past_keeps_its_moment(void **unused)
{
	struct changed c;
	const char *page;

	(void)unused;
	changed_init(&c);
	page = render(&c.f, "changes", "at=2025-11-23T12:01:00Z&since=1h");
	assert_has(page, "<a href=\"server/ppdb001?at=2025-11-23T12:01:00Z\">ppdb001</a></th>");
	assert_has(page, "<a href=\"changes?since=8h&amp;at=2025-11-23T12:01:00Z\">8 hours</a>");
	assert_has(page, "<th scope=\"col\"><a href=\"./?at=2025-11-23T11:46:00Z\">");
	page = render(&c.f, "overview", "at=2025-11-23T12:01:00Z");
	assert_has(page, "<a href=\"changes?at=2025-11-23T12:01:00Z\">then and now</a>");
	changed_free(&c);
}

static void a_moment_that_is_not_kept_is_said(void **unused)
{
	struct changed c;
	const char *page;

	(void)unused;
	changed_init(&c);
	c.since = (struct since){.asked_ms = snapshot_bucket_ms(c.then),
				 .before_ms = 1763895600000,
				 .after_ms = 1763899000000};
	page = render(&c.f, "changes", "profile=db");
	assert_has(page, "Nothing is kept of 2025-11-23T11:46:00Z. The nearest before: <a "
			 "href=\"changes?profile=db&amp;since=2025-11-23T11:00:00Z\">2025-11-23T11:"
			 "00:00Z</a>.");
	assert_has(page, " The nearest after: <a "
			 "href=\"changes?profile=db&amp;since=2025-11-23T11:56:40Z\">");
	assert_has_not(page, "id=\"then-now\"");
	assert_has(render(&c.f, "api-changes", ""),
		   "\"asked_since\":\"2025-11-23T11:46:00.000Z\",\"since\":null,"
		   "\"nearest_before\":\"2025-11-23T11:00:00.000Z\",\"nearest_after\":"
		   "\"2025-11-23T11:56:40.000Z\",\"changes\":null}");
	c.f.view.since = NULL;
	assert_has(render(&c.f, "changes", ""), "which cannot be reached. Nothing is lost.");
	assert_has(render(&c.f, "api-changes", ""), "\"asked_since\":null,\"since\":null,");
	changed_free(&c);
}

/* The record of a moment gives the same text as the snapshot it was made from. */
static void a_moment_that_was_kept_gives_the_same(void **unused)
{
	struct changed c;
	struct snapshot *kept;
	struct buf record;
	char *page;

	(void)unused;
	changed_init(&c);
	page = strdup(render(&c.f, "changes", ""));
	buf_init(&record, 1 << 20);
	moment_encode(c.then, &record);
	kept = moment_decode(buf_span(&record), (struct span){NULL, 0});
	assert_non_null(kept);
	c.since.then = kept;
	assert_string_equal(render(&c.f, "changes", ""), page);
	free(page);
	buf_free(&record);
	snapshot_free(&kept);
	changed_free(&c);
}

static void a_long_fold_names_the_first(void **unused)
{
	struct changed c;
	struct snapshot *now = new_snapshot(), *then = new_snapshot();
	static const struct sample hot = {"",           {99, 99, 99}, {35, 35, 35},
					  {20, 20, 20}, {1, 1, 1},    0};
	char name[16];
	const char *page;

	(void)unused;
	changed_init(&c);
	snapshot_free(&c.f.snap);
	snapshot_free(&c.then);
	for (int i = 0; i < 70; i++) {
		(void)snprintf(name, sizeof(name), "x%02d", i);
		add_sample(then, name, &fleet[5]);
		add_sample(now, name, &hot);
	}
	assert_int_equal(snapshot_seal(then), 0);
	for (int i = 0; i < 70; i++)
		server_note_level(&now->servers[i], LEVEL_IMMINENT,
				  snapshot_bucket_ms(now) - (i ? 120000 : 0));
	fixture_use(&c.f, now);
	c.since.then = c.then = then;
	page = render(&c.f, "changes", "");
	assert_has(page,
		   "CPU rose on 70 servers between 11:59:00 UTC and 12:01:00 UTC, all of them "
		   "Generic</summary>");
	assert_has(page, "<li>and 20 more</li>");
	assert_has(render(&c.f, "overview", ""),
		   "<summary>CPU rose on 70 servers between 11:59:00 UTC");
	assert_has(render(&c.f, "changes-csv", ""),
		   "93.5,CPU,2025-11-23T12:01:00Z,\"CPU rose on 70 servers between");
	page = render(&c.f, "api-changes", "");
	assert_has(page, "\"rose_at\":\"2025-11-23T11:59:00.000Z\"");
	assert_int_equal(count_of(page, "\"change\":\"entered\""), 70);
	changed_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_texts_are_as_expected),
		cmocka_unit_test(the_overview_tells_the_most_important),
		cmocka_unit_test(a_fold_has_ten_names),
		cmocka_unit_test(a_fold_tells_what_most_of_it_are),
		cmocka_unit_test(only_six_lines_are_on_the_overview),
		cmocka_unit_test(without_a_moment_the_panel_says_so),
		cmocka_unit_test(filters_apply),
		cmocka_unit_test(choices_keep_the_others),
		cmocka_unit_test(a_page_of_the_past_keeps_its_moment),
		cmocka_unit_test(a_moment_that_is_not_kept_is_said),
		cmocka_unit_test(a_moment_that_was_kept_gives_the_same),
		cmocka_unit_test(a_long_fold_names_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
