/* SPDX-License-Identifier: MIT */
/* Pages of the past (doc/pages.md#past): what they say about their moment, and where their links
 * lead. */
#include "config.h"

#include "fleet/history.h"
#include "fleet/horizons.h"
#include "pages/past.h"
#include "view_fixture.h"

#define THEN    "2025-11-23T12:01:00Z"
#define THEN_MS INT64_C(1763899260000)
#define MINUTE  INT64_C(60000)

static void add_point(struct history *day, int64_t at_ms, const char *counts)
{
	struct buf record;

	buf_init(&record, 256);
	buf_addf(&record, "1 0.5 0.6 %s 900 850 ppdb001 healthy", counts);
	history_add(day, at_ms, buf_span(&record));
	buf_free(&record);
}

/* 12:01:00, and a day with two columns: the first has its worst moment at 11:43. */
static void begin(struct fixture *f, struct history *day)
{
	fixture_fleet(f);
	history_init(day, 30000, PAST_COLUMNS * PAST_COLUMN_MS, past_strip_end(THEN_MS));
	add_point(day, THEN_MS - 20 * MINUTE, "0 0 0 0 0 0 6");
	add_point(day, THEN_MS - 18 * MINUTE, "0 2 3 0 0 0 1");
	add_point(day, THEN_MS - 17 * MINUTE, "0 1 0 0 0 0 5");
	add_point(day, THEN_MS, "0 0 0 0 0 1 5");
	f->view.day = day;
}

static void end(struct fixture *f, struct history *day)
{
	history_free(day);
	fixture_free(f);
}

static void a_page_says_which_moment_it_shows(void **unused)
{
	struct history day;
	struct fixture f;
	const char *page;

	(void)unused;
	begin(&f, &day);
	page = render(&f, "overview", "sev=watch-up&at=" THEN);
	assert_has(page, "<title>12:01 - (3) ");
	assert_has(page, "<div id=\"state\" data-state=\"past\" role=\"status\"><p id=\"badge\">"
			 "Past: <time datetime=\"" THEN "\">12:01:00 UTC</time></p>"
			 "<p class=\"band\"><strong>As it was at <time datetime=\"" THEN "\">"
			 "12:01:00 UTC, 23 November 2025</time></strong>. "
			 "<a id=\"live\" href=\"./?sev=watch-up\">Back to live</a></p>");
	/* A time between two moments that are kept. */
	page = render(&f, "overview", "at=2025-11-23T12:04:30Z");
	assert_has(page, "12:01:00 UTC, 23 November 2025</time></strong>, the newest moment kept "
			 "until 12:04:30 UTC. ");
	end(&f, &day);
}

static void nothing_of_it_reloads(void **unused)
{
	static const char *const queries[] = {"at=" THEN, "view=kiosk&at=" THEN,
					      "refresh=30&at=" THEN,
					      "view=kiosk&tabs=top,cost&at=" THEN};
	struct history day;
	struct fixture f;

	(void)unused;
	begin(&f, &day);
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		const char *page = render(&f, "heatmap", queries[i]);

		assert_has_not(page, "data-reload");
		assert_has_not(page, "http-equiv");
		assert_has_not(page, "class=\"refresh\"");
	}
	end(&f, &day);
}

static void steps_and_strip_lead_to_moments(void **unused)
{
	struct history day;
	struct fixture f;
	const char *page;

	(void)unused;
	begin(&f, &day);
	page = render(&f, "heatmap", "metric=cpu&q=%26&at=" THEN);
	assert_has(page, "<a href=\"?metric=cpu&amp;q=%26&amp;at=2025-11-22T12:01:00Z\" "
			 "data-step=\"-86400000\">−1 d</a>");
	assert_has(page, "at=2025-11-23T12:00:30Z\" data-step=\"-30000\">−30 s</a>");
	assert_has(page, "at=2025-11-23T12:01:30Z\" data-step=\"30000\">+30 s</a>");
	assert_has(page, "name=\"at\" maxlength=\"40\" value=\"" THEN "\"/>"
			 "<input type=\"hidden\" name=\"metric\" value=\"cpu\"/>"
			 "<input type=\"hidden\" name=\"q\" value=\"&amp;\"/>");
	/* A column shows its worst moment; five of six servers make it 34 high. */
	assert_has(page,
		   "<a href=\"?metric=cpu&amp;q=%26&amp;at=2025-11-23T11:43:00Z\" "
		   "tabindex=\"-1\"><title>11:43: 2 Critical, 3 Danger</title>"
		   "<rect class=\"sev-critical\" x=\"141\" y=\"6\" width=\"1\" height=\"34\"/>");
	assert_has(page, "<title>12:01: no server at Degrading or worse</title>"
			 "<rect class=\"sev-watch\" x=\"143\" y=\"35\" width=\"1\" height=\"5\"/>");
	assert_has(page, "<path class=\"here\" d=\"M143.10 0V40\"/>");
	/* There is no room for a time at the right edge: the strip ends at 12:10. */
	assert_has_not(page, ">12:00</text>");
	assert_int_equal(count_of(page, "tabindex=\"-1\"><title>"), 2);
	/* Nor for the code of the next level. */
	assert_has(page, "y=\"12\" text-anchor=\"end\">CR</text>");
	assert_int_equal(count_of(page, " y=\"12\""), 1);
	f.view.day = NULL;
	assert_has(render(&f, "heatmap", "at=" THEN), "No history is kept of the day before");
	end(&f, &day);
}

/* From the first label within the day on; none at its right end, where it would be cut. */
static void the_strip_has_a_time_each_three_hours(void **unused)
{
	static const char *const wanted[] = {">15:00<", ">18:00<", ">21:00<", ">00:00<",
					     ">03:00<", ">06:00<", ">09:00<"};
	struct history day;
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	history_init(&day, 30000, PAST_COLUMNS * PAST_COLUMN_MS,
		     past_strip_end(THEN_MS - MINUTE - 30000));
	add_point(&day, THEN_MS - MINUTE, "0 0 0 0 0 1 5"); /* the end of the last column */
	f.view.day = &day;
	page = render(&f, "heatmap", "at=2025-11-23T11:59:30Z");
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		assert_int_equal(count_of(page, wanted[i]), 1);
	assert_has(page, "<text x=\"12.50%\" y=\"70\">15:00</text>");
	assert_has(page, "<text x=\"87.50%\" y=\"70\">09:00</text>");
	assert_has_not(page, ">12:00<");
	assert_has(page, "<rect class=\"sev-watch\" x=\"143\" ");
	history_free(&day);
	fixture_free(&f);
}

/* The code of a level stands after its column, and before it where there is no room. */
static void a_code_without_room_ends_at_its_column(void **unused)
{
	static const struct {
		int column;
		const char *code;
	} rows[] = {
		{132, "<text x=\"91.67%\" y=\"12\">CR</text>"},
		{133, "<text x=\"92.36%\" y=\"12\" text-anchor=\"end\">CR</text>"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct history day;
		struct fixture f;

		fixture_fleet(&f);
		history_init(&day, 30000, PAST_COLUMNS * PAST_COLUMN_MS, past_strip_end(THEN_MS));
		add_point(&day, day.from_ms + rows[i].column * PAST_COLUMN_MS + 30000,
			  "0 2 3 0 0 0 1");
		f.view.day = &day;
		assert_has(render(&f, "heatmap", "at=" THEN), rows[i].code);
		history_free(&day);
		fixture_free(&f);
	}
}

/* As while the daemon knows no server yet. */
static void a_moment_without_servers_is_healthy(void **unused)
{
	struct history day;
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	history_init(&day, 30000, PAST_COLUMNS * PAST_COLUMN_MS, past_strip_end(THEN_MS));
	history_add(&day, THEN_MS, SPAN("1 0 0 0 0 0 0 0 0 0 0 0 - healthy"));
	f.view.day = &day;
	assert_has(render(&f, "heatmap", "at=" THEN), "<rect class=\"sev-healthy\" x=\"143\" ");
	history_free(&day);
	fixture_free(&f);
}

static void links_keep_the_moment(void **unused)
{
	struct history day;
	struct fixture f;
	const char *page;

	(void)unused;
	begin(&f, &day);
	page = render(&f, "overview", "at=" THEN);
	assert_has(page, "<a href=\"heatmap?at=" THEN "\">Heatmap</a>");
	assert_has(page, "<a href=\"docs\">Docs</a>");
	assert_has(page, "<a href=\"server/ppml0001?at=" THEN "\">ppml0001</a>");
	assert_has(page, "href=\"./?sev=imminent&amp;at=" THEN "#alerts\">");
	assert_has(page, "<a id=\"moment\" href=\"./?at=" THEN "\">Link to this moment</a>");
	page = render(&f, "cost", "at=" THEN);
	assert_has(page, "<input type=\"hidden\" name=\"at\" value=\"" THEN "\"/><p><button>");
	assert_has(page, "<a href=\"cost?at=" THEN "\">Defaults</a>");
	page = render(&f, "overview", "sort=name");
	assert_has(page, "<a id=\"moment\" href=\"./?sort=name&amp;at=" THEN "\">");
	assert_has_not(page, "id=\"moments\"");
	end(&f, &day);
}

static void the_forecast_of_a_server_is_what_is_kept_of_it(void **unused)
{
	struct horizons kept = {0};
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	f.view.server = snapshot_find(f.snap, SPAN("ppdb001"));
	page = render(&f, "server", "at=" THEN);
	assert_has(page, "No forecast is kept of this moment.");
	assert_has_not(page, "kept once in 5 minutes");
	assert_has_not(render(&f, "server", ""), "No forecast is kept");
	for (int m = 0; m < KEPT_METRICS; m++)
		for (int h = 0; h < HORIZONS; h++)
			kept.at[m][h] = (struct quantiles){10, 20, 30};
	f.snap->servers[f.view.server - f.snap->servers].horizons = &kept;
	page = render(&f, "server", "at=" THEN);
	assert_has_not(page, "No forecast is kept");
	assert_has(page, "kept once in 5 minutes, for 30 min, 1, 2, 4 and 8 h");
	assert_int_equal(count_of(page, "class=\"value ahead\" d=\"M0 "), 4);
	f.snap->servers[f.view.server - f.snap->servers].horizons = NULL;
	f.view.server = snapshot_find(f.snap, SPAN("ppetl001"));
	assert_has(render(&f, "server", "at=" THEN), "This server sends no data.");
	fixture_free(&f);
}

static void json_tells_the_moment(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	assert_has(render(&f, "api-fleet", "at=" THEN),
		   "\"at\":\"2025-11-23T12:01:00.000Z\",\"condition\":\"past\",\"detail\":null");
	assert_has(render(&f, "api-fleet", ""), "\"at\":null,\"condition\":\"ok\"");
	fixture_free(&f);
}

static void check_none(enum media media, int64_t before_ms, int64_t after_ms, const char *want)
{
	static const struct http_error error = {404, "No such moment", "Nothing."};
	struct no_moment none = {page_find_name("heatmap"), NULL, before_ms, after_ms};
	struct query query;
	struct buf out;

	query_init(&query);
	query_set_at(&query, THEN_MS);
	none.query = &query;
	buf_init(&out, 1 << 16);
	page_no_moment(&error, &none, media, &out);
	buf_char(&out, '\0');
	assert_true(buf_ok(&out));
	assert_has(out.data, want);
	buf_free(&out);
}

static void what_is_not_kept_leads_to_its_neighbours(void **unused)
{
	(void)unused;
	check_none(MEDIA_HTML, THEN_MS - MINUTE, THEN_MS + MINUTE,
		   "<li><a href=\"heatmap?at=2025-11-23T12:00:00Z\">The moment before</a> "
		   "<time datetime=\"2025-11-23T12:00:00Z\">12:00:00 UTC</time>, "
		   "23 November 2025</li>"
		   "<li><a href=\"heatmap?at=2025-11-23T12:02:00Z\">The moment after</a> ");
	check_none(MEDIA_HTML, 0, 0,
		   "<ul id=\"neighbours\"><li><a href=\"heatmap\">Live</a></li></ul>");
	check_none(MEDIA_JSON, 0, THEN_MS,
		   "\"before\":null,\"after\":\"2025-11-23T12:01:00.000Z\"}");
	check_none(MEDIA_CSV, THEN_MS, 0,
		   "\"before\":\"2025-11-23T12:01:00.000Z\",\"after\":null}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_says_which_moment_it_shows),
		cmocka_unit_test(nothing_of_it_reloads),
		cmocka_unit_test(steps_and_strip_lead_to_moments),
		cmocka_unit_test(the_strip_has_a_time_each_three_hours),
		cmocka_unit_test(a_code_without_room_ends_at_its_column),
		cmocka_unit_test(a_moment_without_servers_is_healthy),
		cmocka_unit_test(links_keep_the_moment),
		cmocka_unit_test(the_forecast_of_a_server_is_what_is_kept_of_it),
		cmocka_unit_test(json_tells_the_moment),
		cmocka_unit_test(what_is_not_kept_leads_to_its_neighbours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
