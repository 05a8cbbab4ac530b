/* SPDX-License-Identifier: MIT */
/* How good the forecasts were, as page, sentence, JSON and CSV (doc/pages.md#forecasts). */
#include "config.h"

#include "fleet/accuracy.h"
#include "view_fixture.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)
#define NOON_MS INT64_C(1763899200000) /* 2025-11-23T12:00:00Z */

struct scored {
	struct fixture f;
	struct accuracy accuracy;
	struct accuracy_hour hour;
};

/* Of 60 values of an hour; horizons: 0 is 30 min. */
static const struct made {
	enum accuracy_scenario scenario;
	enum kept_metric metric;
	size_t horizon;
	enum profile profile;
	struct accuracy_sums sums;
} made[] = {
	{ACCURACY_USUAL,
	 KEPT_CPU,
	 0,
	 PROFILE_WEB,
	 {60, 8, 9, 2640, 600, 3000, {12000, 13200, 9000}, 2, 1}},
	{ACCURACY_USUAL, KEPT_CPU, 1, PROFILE_WEB, {60, 18, 21, 2700, -900, 3000, {0}, 0, 0}},
	{ACCURACY_USUAL, KEPT_MEMORY, 1, PROFILE_WEB, {60, 0, 1, 60, 0, 120, {0}, 0, 0}},
	{ACCURACY_USUAL, KEPT_IOWAIT, 0, PROFILE_WEB, {60, 6, 6, 900, 0, 600, {0}, 0, 0}},
	{ACCURACY_USUAL, KEPT_LOAD, 4, PROFILE_WEB, {60, 6, 6, 60, 30, 60, {0}, 0, 0}},
	{ACCURACY_USUAL, KEPT_CPU_USER, 0, PROFILE_WEB, {20, 2, 2, 60, 30, 60, {0}, 0, 0}},
	{ACCURACY_USUAL, KEPT_CPU, 0, PROFILE_DATABASE, {20, 3, 3, 880, 200, 1000, {0}, 0, 0}},
	{ACCURACY_CHANGED, KEPT_CPU, 0, PROFILE_WEB, {60, 20, 20, 6000, 3000, 3000, {0}, 0, 0}},
};

/* Three hours, one of them differently, and one between them without values. */
static void scored_init(struct scored *s, int64_t range_ms, int hours)
{
	fixture_fleet(&s->f);
	accuracy_init(&s->accuracy, NOON_MS + 60000, range_ms, 30000);
	for (int i = hours; i > 0; i--) {
		memset(&s->hour, 0, sizeof(s->hour));
		s->hour.at_ms = NOON_MS - i * HOUR_MS;
		for (int h = 0; h < HORIZONS; h++)
			s->hour.records[h] = 12;
		for (size_t k = 0; i != 2 && k < sizeof(made) / sizeof(made[0]); k++) {
			const struct made *m = &made[k];

			s->hour.sums[m->scenario][m->metric][m->horizon][m->profile] = m->sums;
		}
		s->hour.sums[0][KEPT_CPU][0][PROFILE_WEB].below += i;
		if (i == 2)
			s->hour.sums[0][KEPT_CPU][0][PROFILE_WEB].below = 0;
		accuracy_add(&s->accuracy, &s->hour);
	}
	s->f.view.accuracy = &s->accuracy;
}

static struct scored *scored_new(int64_t range_ms, int hours)
{
	struct scored *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	scored_init(s, range_ms, hours);
	return s;
}

static void scored_free(struct scored *s)
{
	fixture_free(&s->f);
	free(s);
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
	struct scored *s = scored_new(DAY_MS, 4);

	(void)unused;
	assert_expected("accuracy.html", visible(render(&s->f, "accuracy", "")));
	render(&s->f, "api-accuracy", "");
	s->f.out.len--;
	assert_expected("api-accuracy.json", buf_span(&s->f.out));
	render(&s->f, "accuracy-csv", "");
	s->f.out.len--;
	assert_expected("accuracy.csv", buf_span(&s->f.out));
	scored_free(s);
}

static const char *order(const char *page, const char *first, const char *then)
{
	const char *at = strstr(page, first);

	assert_non_null(at);
	at = strstr(at, then);
	assert_non_null(at);
	return at;
}

static void the_worst_comes_first_with_its_mark(void **unused)
{
	struct scored *s = scored_new(DAY_MS, 4);
	const char *page, *row;

	(void)unused;
	page = render(&s->f, "accuracy", "");
	row = order(page, "✗</b> worse than naive", "◀</b> too narrow");
	row = order(row, "◀</b> too narrow", "▶</b> too wide");
	row = order(row, "▶</b> too wide", "✓</b> trustworthy");
	row = order(row, "✓</b> trustworthy", "…</b> too few");
	assert_non_null(row);
	/* All cells that were forecast, and that with a changed scenario below. */
	assert_int_equal(count_of(page, "<td data-l=\"Verdict\">"), 4 * HORIZONS + 1 + 1);
	order(page, "id=\"scenario-changed\"", "worse than naive");
	scored_free(s);
}

static void a_sentence_says_it(void **unused)
{
	struct scored *s = scored_new(DAY_MS, 4);

	(void)unused;
	assert_has(render(&s->f, "accuracy", ""),
		   "<p id=\"summary\"><b>Of the last day’s 30-minute CPU forecasts 68% fell inside "
		   "the band that should hold 80%; they beat “no change” by 12%.</b></p>");
	assert_has(render(&s->f, "accuracy", "metric=iowait"),
		   "Of the last day’s 30-minute I/O wait forecasts 80% fell inside the band that "
		   "should hold 80%; they are worse than “no change” by 50%.</b>");
	assert_has(render(&s->f, "accuracy", "metric=load&horizon=8h&profile=web&range=7d"),
		   "Of the last 7 days’ 8-hour load forecasts for Web API servers 80% fell inside "
		   "the band that should hold 80%; they are as good as “no change”.</b>");
	assert_has(render(&s->f, "accuracy", "profile=db"),
		   "<b>Not enough yet: 60 of 100 values of the 30-minute CPU forecasts.</b>");
	scored_free(s);
}

static void a_naive_guess_without_error_is_not_divided_by(void **unused)
{
	struct scored *s = scored_new(DAY_MS, 0);

	(void)unused;
	s->hour.at_ms = NOON_MS;
	s->hour.sums[0][KEPT_CPU][0][PROFILE_WEB] =
		(struct accuracy_sums){.n = 100, .error = 5, .naive = 0};
	accuracy_add(&s->accuracy, &s->hour);
	assert_has(render(&s->f, "accuracy", ""), "they are far worse than “no change”.");
	scored_free(s);
}

static void filters_choose_cells_and_keep_each_other(void **unused)
{
	struct scored *s = scored_new(DAY_MS, 4);
	const char *page;

	(void)unused;
	page = render(&s->f, "accuracy", "metric=memory&horizon=1h");
	assert_int_equal(count_of(page, "<td data-l=\"Verdict\">"), 1);
	assert_int_equal(count_of(page, "<figure"), 1);
	assert_has(page, "Coverage over time, 1-hour forecasts");
	assert_has(page, "<a href=\"accuracy?profile=db&amp;metric=memory&amp;horizon=1h\">");
	assert_has(page, "<a href=\"accuracy?horizon=1h\">All</a>");
	assert_has(page, "<a href=\"accuracy?metric=memory\">All</a>");
	assert_has(page, "<a href=\"accuracy?metric=memory&amp;horizon=1h&amp;range=7d\">7 days");
	assert_has(page, "href=\"accuracy?metric=memory&amp;horizon=1h&amp;format=csv\"");
	page = render(&s->f, "api-accuracy", "profile=db&metric=cpu&horizon=30m");
	assert_has(page, "\"profile\":\"Database\"");
	assert_int_equal(count_of(page, "\"verdict\""), 1);
	assert_has(page, "\"n\":60,\"below\":9,\"above\":9,");
	assert_int_equal(count_of(render(&s->f, "accuracy-csv", "horizon=8h"), "\n"), 5);
	scored_free(s);
}

static void links_of_the_past_keep_its_moment(void **unused)
{
	struct scored *s = scored_new(DAY_MS, 4);

	(void)unused;
	assert_has(render(&s->f, "accuracy", "at=2025-11-23T12:01:00Z"),
		   "<a href=\"accuracy?horizon=30m&amp;at=2025-11-23T12:01:00Z\">30 min</a>");
	assert_has(render(&s->f, "overview", "at=2025-11-23T12:01:00Z"),
		   "<a href=\"accuracy?at=2025-11-23T12:01:00Z\">Of the last day’s");
	scored_free(s);
}

static void without_values_the_page_says_so(void **unused)
{
	struct scored *s = scored_new(30 * DAY_MS, 0);
	const char *page;

	(void)unused;
	page = render(&s->f, "accuracy", "range=30d");
	assert_has(page, "Not enough yet: 0 of 100 values of the 30-minute CPU forecasts.");
	assert_has(page, "Nothing has been compared in this range.");
	assert_has(page, "<th scope=\"row\">30 min</th><td>8496</td><td>0</td><td>8496</td>");
	assert_int_equal(count_of(page, "No value in this range."), KEPT_METRICS - 1);
	page = render(&s->f, "accuracy", "metric=cpu_user");
	assert_has(page, "Nothing has been compared in this range.");
	assert_int_equal(count_of(page, "No value in this range."), 1);
	page = render(&s->f, "api-accuracy", "horizon=30m&metric=cpu");
	assert_has(page, "\"n\":0,\"below\":0,\"above\":0,\"silent\":0,\"absent\":0,\"coverage\":"
			 "null,\"coverage_low\":null,\"coverage_high\":null,\"error\":null,");
	assert_has(page, "\"verdict\":\"too-few\"");
	assert_has(page, "\"slots\":[]");
	scored_free(s);
}

static void without_the_shared_cache_nothing_is_claimed(void **unused)
{
	struct scored *s = scored_new(DAY_MS, 4);
	const char *page;

	(void)unused;
	s->f.view.accuracy = NULL;
	page = render(&s->f, "accuracy", "");
	assert_has(page, "Scores are kept in the shared cache, which cannot be reached. Nothing is "
			 "lost.");
	assert_has_not(page, "id=\"summary\"");
	assert_has(render(&s->f, "api-accuracy", ""), "\"range\":\"1d\",\"profile\":null,\"from\":"
						      "null,\"to\":null,\"slot_s\":null,"
						      "\"records\":null,\"scores\":null}");
	assert_int_equal(count_of(render(&s->f, "accuracy-csv", ""), "\n"), 1);
	assert_has_not(render(&s->f, "overview", ""), "id=\"forecasts\"");
	scored_free(s);
}

static void the_overview_tells_it_once_there_are_enough(void **unused)
{
	struct scored *s = scored_new(DAY_MS, 4);

	(void)unused;
	assert_has(render(&s->f, "overview", ""),
		   "<p class=\"note\" id=\"forecasts\"><a href=\"accuracy\">Of the last day’s "
		   "30-minute CPU forecasts 68% fell inside the band that should hold 80%; they "
		   "beat “no change” by 12%.</a></p>");
	/* Filters of the list do not change it. */
	assert_has(render(&s->f, "overview", "profile=db&sort=name"),
		   "<a href=\"accuracy\">Of the last day’s 30-minute CPU forecasts 68%");
	fixture_free(&s->f);
	scored_init(s, DAY_MS, 1);
	assert_has_not(render(&s->f, "overview", ""), "id=\"forecasts\"");
	scored_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_texts_are_as_expected),
		cmocka_unit_test(the_worst_comes_first_with_its_mark),
		cmocka_unit_test(a_sentence_says_it),
		cmocka_unit_test(a_naive_guess_without_error_is_not_divided_by),
		cmocka_unit_test(filters_choose_cells_and_keep_each_other),
		cmocka_unit_test(links_of_the_past_keep_its_moment),
		cmocka_unit_test(without_values_the_page_says_so),
		cmocka_unit_test(without_the_shared_cache_nothing_is_claimed),
		cmocka_unit_test(the_overview_tells_it_once_there_are_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
