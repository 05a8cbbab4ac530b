/* SPDX-License-Identifier: MIT */
/* How good the forecasts were, as page, sentence, JSON and CSV (doc/pages.md#forecasts). */
#include "config.h"

#include "fleet/accuracy.h"
#include "fleet/warnings.h"
#include "view_fixture.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)
#define NOON_MS INT64_C(1763899200000) /* 2025-11-23T12:00:00Z */

struct scored {
	struct fixture f;
	struct accuracy accuracy;
	struct accuracy_hour hour;
	struct warnings warnings;
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

/* What came of warnings in each hour: of the CPU of Web API servers, and of the memory of databases. */
static void add_warnings(struct warnings *w, int64_t hour_ms)
{
	struct warnings_hour hour = {.at_ms = hour_ms};

	hour.sums[0][PROFILE_WEB] = (struct warning_sums){{3, 1, 2, 0}, {[4] = 2, [20] = 1}};
	hour.sums[2][PROFILE_DATABASE] = (struct warning_sums){{0, 1, 0, 1}, {0}};
	hour.sums[11][PROFILE_WEB] = (struct warning_sums){{0, 0, 1, 0}, {0}};
	warnings_add_hour(w, &hour);
}

static const char *const outcomes[] = {
	"1 0 0 2 1763895300000 ppweb001",
	"1 1 2 1 0 ppdb001",
	"1 2 11 2 1763894700000 pp%20web",
	"1 3 2 1 1763895300000 ppdb001",
};

static void warned_init(struct scored *s, int hours)
{
	warnings_init(&s->warnings, s->accuracy.from_ms, s->accuracy.to_ms);
	for (int i = hours; i > 0; i--)
		add_warnings(&s->warnings, NOON_MS - i * HOUR_MS);
	for (int i = 0; hours && i < 4; i++)
		assert_int_equal(warnings_add_line(&s->warnings, NOON_MS - 60000 * (4 - i),
						   span_str(outcomes[i])),
				 0);
	s->f.view.warnings = &s->warnings;
}

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
	warned_init(s, hours);
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
	warnings_free(&s->warnings);
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

static void columns_order_the_scores(void **unused)
{
	struct scored *s = scored_new(DAY_MS, 4);
	const char *row;

	(void)unused;
	row = strstr(render(&s->f, "accuracy", "sort=-horizon"), "<tbody>");
	assert_non_null(row);
	row = order(row, "<td data-l=\"Horizon\">8 h</td>", "<td data-l=\"Horizon\">4 h</td>");
	order(row, "<td data-l=\"Horizon\">1 h</td>", "<td data-l=\"Horizon\">30 min</td>");
	row = strstr(render(&s->f, "accuracy", "sort=metric"), "<tbody>");
	order(row, "<th scope=\"row\">CPU", "<th scope=\"row\">Load");
	/* A cell without a value is last in both directions. */
	for (int i = 0; i < 2; i++) {
		row = strstr(render(&s->f, "accuracy", i ? "sort=-coverage" : "sort=coverage"),
			     "<tbody>");
		order(row, "<td data-l=\"Coverage\" class=\"num\">80%",
		      "<td data-l=\"Coverage\" class=\"num\">–");
	}
	assert_has(
		s->f.out.data,
		"aria-sort=\"descending\"><a href=\"accuracy?sort=coverage#scores\">Coverage</a>");
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
	assert_has_not(s->f.out.data, "ML Compute servers");
	s->hour = (struct accuracy_hour){.at_ms = NOON_MS};
	s->hour.sums[0][KEPT_CPU][0][PROFILE_ML] =
		(struct accuracy_sums){.n = 100, .error = 5, .naive = 10};
	accuracy_add(&s->accuracy, &s->hour);
	assert_has(render(&s->f, "accuracy", "profile=ml"),
		   "30-minute CPU forecasts for ML Compute servers 100% fell inside ");
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
	assert_has(render(&s->f, "api-accuracy", "profile=db"), "\"ppdb001\"");
	assert_has_not(render(&s->f, "api-accuracy", "profile=ml"), "\"ppdb001\"");
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
		   "href=\"accuracy?at=2025-11-23T12:01:00Z\">30-minute CPU forecasts held");
	scored_free(s);
}

/* That another metric has one is not its curve. */
static void a_metric_without_values_has_no_curve(void **unused)
{
	struct scored *s = scored_new(DAY_MS, 4);
	const char *page;

	(void)unused;
	page = render(&s->f, "accuracy", "horizon=8h");
	assert_int_equal(count_of(page, "<figure"), 1);
	page = render(&s->f, "accuracy", "horizon=8h&metric=cpu");
	assert_int_equal(count_of(page, "<figure"), 0);
	assert_has(page, "a curve needs forecasts for 8 h that");
	scored_free(s);
}

/* Thirty points, with the sanitizer behind the last. */
static void the_line_of_a_month_is_whole(void **unused)
{
	struct scored *s = scored_new(30 * DAY_MS, 4);

	(void)unused;
	assert_int_equal(s->accuracy.slots, ACCURACY_SLOTS_MAX);
	assert_true(count_of(render(&s->f, "accuracy", "range=30d"), "<figure") > 0);
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
	assert_int_equal(count_of(page, "<figure"), 0);
	assert_has(page,
		   "Not enough yet: a curve needs forecasts for 30 min that have come true in "
		   "this range.</p>");
	assert_has(page, "Not enough yet: no warning has been settled in this range");
	page = render(&s->f, "accuracy", "metric=cpu_user&horizon=8h");
	assert_has(page, "Nothing has been compared in this range.");
	assert_has(page, "a curve needs forecasts for 8 h that");
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
	s->f.view.warnings = NULL;
	page = render(&s->f, "accuracy", "");
	assert_has(page, "Scores are kept in the shared cache, which cannot be reached. Nothing is "
			 "lost.");
	assert_has_not(page, "id=\"summary\"");
	assert_has(render(&s->f, "api-accuracy", ""), "\"range\":\"1d\",\"profile\":null,\"from\":"
						      "null,\"to\":null,\"slot_s\":null,"
						      "\"records\":null,\"scores\":null,"
						      "\"warnings\":null,\"outcomes\":null}");
	assert_int_equal(count_of(render(&s->f, "accuracy-csv", ""), "\n"), 1);
	assert_has_not(render(&s->f, "overview", ""), "id=\"forecasts\"");
	s->f.view.accuracy = &s->accuracy;
	assert_has(render(&s->f, "api-accuracy", ""), "\"scores\":null,\"warnings\":null,");
	scored_free(s);
}

static void the_overview_tells_it_once_there_are_enough(void **unused)
{
	struct scored *s = scored_new(DAY_MS, 4);

	(void)unused;
	assert_has(render(&s->f, "overview", ""),
		   "<a id=\"forecasts\" href=\"accuracy\">30-minute CPU forecasts held 68% of the "
		   "time; they should hold 80%.</a></p>");
	/* Filters of the list do not change it. */
	assert_has(render(&s->f, "overview", "profile=db&sort=name"),
		   "href=\"accuracy\">30-minute CPU forecasts held 68% of the time");
	fixture_free(&s->f);
	warnings_free(&s->warnings);
	scored_init(s, DAY_MS, 1);
	assert_has(render(&s->f, "overview", ""),
		   "href=\"accuracy\">Too few forecasts have come true yet to say how sure they "
		   "are.</a>");
	scored_free(s);
}

/* CPU user is forecast only by a model. Where it was, but nothing could be compared, it is shown. */
static void what_was_forecast_in_vain_has_its_row(void **unused)
{
	static const struct accuracy_sums vain[] = {{.silent = 3}, {.absent = 3}, {.n = 3}};

	(void)unused;
	for (size_t i = 0; i < sizeof(vain) / sizeof(vain[0]); i++) {
		struct scored *s = scored_new(DAY_MS, 0);

		assert_int_equal(count_of(render(&s->f, "accuracy", "metric=cpu_user&horizon=1h"),
					  "<td data-l=\"Verdict\">"),
				 0);
		memset(&s->hour, 0, sizeof(s->hour));
		s->hour.at_ms = NOON_MS - HOUR_MS;
		s->hour.sums[0][KEPT_CPU_USER][1][PROFILE_WEB] = vain[i];
		accuracy_add(&s->accuracy, &s->hour);
		assert_int_equal(count_of(render(&s->f, "accuracy", "metric=cpu_user&horizon=1h"),
					  "<td data-l=\"Verdict\">"),
				 1);
		scored_free(s);
	}
}

static void the_line_tells_its_minimum(void **unused)
{
	static const int64_t below[][3] = {{50, 10, 20}, {10, 50, 20}, {10, 20, 50}, {50, 50, 20}};
	static const char *const told[] = {
		"last value 80.0%, minimum 50.0% at 2025-11-23T09:30:00Z",
		"last value 80.0%, minimum 50.0% at 2025-11-23T10:30:00Z",
		"last value 50.0%, minimum 50.0% at 2025-11-23T11:30:00Z",
		"last value 80.0%, minimum 50.0% at 2025-11-23T09:30:00Z"};

	(void)unused;
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		struct scored *s = scored_new(DAY_MS, 0);

		for (int h = 0; h < 3; h++) {
			memset(&s->hour, 0, sizeof(s->hour));
			s->hour.at_ms = NOON_MS - (3 - h) * HOUR_MS;
			s->hour.sums[0][KEPT_MEMORY][0][PROFILE_WEB].n = 100;
			s->hour.sums[0][KEPT_MEMORY][0][PROFILE_WEB].below = below[i][h];
			accuracy_add(&s->accuracy, &s->hour);
		}
		assert_has(render(&s->f, "accuracy", "metric=memory&horizon=30m"), told[i]);
		scored_free(s);
	}
}

static void predicted_columns_have_their_verdict(void **unused)
{
	struct scored *s = scored_new(DAY_MS, 4);
	const char *page;

	(void)unused;
	page = render(&s->f, "overview", "");
	assert_has(page, "<p class=\"note\" id=\"trust\"><a href=\"accuracy\">Last day’s 30-minute "
			 "forecasts</a>: CPU used <span title=\"CPU used, forecasts for 30 min, "
			 "all servers, last "
			 "day: 240 values; the band from p10 to p90 should hold 80%\"><b "
			 "aria-hidden=\"true\">◀</b> too narrow, band held 68% of 80%</span>; I/O "
			 "wait <span");
	assert_has(page, "✗</b> worse than naive, band held 80% of 80%</span>; Memory");
	assert_has(page, "…</b> not enough yet: 0 of 100</span></p>");
	/* In the heads glyph and word, the share in the title. */
	assert_has(page, ">CPU Predicted (30m)</a> <small title=\"band held 68% of 80%, last "
			 "day\"><b aria-hidden=\"true\">◀</b> too narrow</small></th>");
	assert_has(page, ">Mem Predicted (30m)</a> <small title=\"not enough yet: 0 of 100, last "
			 "day\"><b aria-hidden=\"true\">…</b> too few</small></th>");
	assert_int_equal(count_of(page, "</a> <small title"), 3);
	assert_int_equal(count_of(render(&s->f, "remediation", ""), "</a> <small title"), 1);
	assert_int_equal(count_of(render(&s->f, "top", ""), "of 80%</span>"), 2);
	assert_has(render(&s->f, "remediation", ""), "forecasts</a>: CPU used <span title");
	assert_has(render(&s->f, "heatmap", "metric=cpu"), "forecasts</a>: CPU used <span title");
	assert_has_not(render(&s->f, "heatmap", ""), "id=\"trust\"");
	assert_has(render(&s->f, "top", "at=2025-11-23T12:01:00Z"),
		   "id=\"trust\"><a href=\"accuracy?at=2025-11-23T12:01:00Z\">");
	s->f.view.accuracy = NULL;
	assert_has_not(render(&s->f, "top", ""), "id=\"trust\"");
	assert_has_not(render(&s->f, "overview", ""), "</a> <small title");
	scored_free(s);
}

/* Above each band: those of the server's profile. */
static void bands_have_their_verdict(void **unused)
{
	struct scored *s = scored_new(DAY_MS, 4);
	const char *page;

	(void)unused;
	s->f.view.server = snapshot_find(s->f.snap, SPAN("ppweb001"));
	page = render(&s->f, "server", "");
	assert_has(page, "<small>30 min: <span title=\"CPU used, forecasts for 30 min, Web API, "
			 "last day: 180 values; the band from p10 to p90 should hold 80%\"><b "
			 "aria-hidden=\"true\">◀</b> too narrow, band held 67% of 80%</span>, last "
			 "day</small>");
	assert_has(page,
		   "<small>30 min: <span title=\"Memory, forecasts for 30 min, all servers, ");
	assert_has(page, "…</b> not enough yet: 0 of 100</span>, last day</small>");
	s->f.view.accuracy = NULL;
	assert_has_not(render(&s->f, "server", ""), "<small>30 min: ");
	scored_free(s);
}

static void warnings_have_their_shares_and_links(void **unused)
{
	struct scored *s = scored_new(DAY_MS, 4);
	const char *page, *row;

	(void)unused;
	page = render(&s->f, "accuracy", "");
	row = order(page, "<table id=\"warnings-table\"",
		    "CPU used ≥ 90% <small>predicted risk</small></th><td data-l=\"Horizon\">30 "
		    "min</td>"
		    "<td data-l=\"Came true\" class=\"num\">12</td>"
		    "<td data-l=\"Missed\" class=\"num\">4</td>"
		    "<td data-l=\"False alarms\" class=\"num\">8</td>"
		    "<td data-l=\"Precision\" class=\"num\">60%</td>"
		    "<td data-l=\"Recall\" class=\"num\">75%</td>"
		    "<td data-l=\"Median lead\" class=\"num\">4 min</td>");
	row = order(row, "Memory ≥ 95%, Database ≥ 98% <small>predicted risk", "Swap ≥ 50%");
	/* The newest first, with links to the warning and to what came of it. */
	row = order(row, "<table id=\"outcomes-table\"", "…</b> not known");
	row = order(row, "○</b> false alarm", "✗</b> missed");
	row = order(row, "<a href=\"server/ppweb001?at=2025-11-23T11:56:00Z\">", "✓</b> came true");
	row = order(row, "<a href=\"server/ppweb001?at=2025-11-23T10:55:00Z\">", "1 h 1 min");
	assert_non_null(row);
	page = render(&s->f, "accuracy", "profile=db");
	assert_has(page, "<th scope=\"row\">Memory ≥ 98% <small>predicted risk");
	assert_int_equal(count_of(page, "data-l=\"Came true\""), 1);
	assert_int_equal(count_of(page, "data-l=\"Outcome\""), 2);
	page = render(&s->f, "accuracy", "horizon=1h");
	assert_int_equal(count_of(page, "data-l=\"Came true\""), 1);
	page = render(&s->f, "accuracy", "metric=load");
	assert_has(page, "Not enough yet: no warning has been settled in this range");
	page = render(&s->f, "api-accuracy", "metric=cpu");
	assert_has(page, "\"warnings\":[{\"metric\":\"cpu\",\"kind\":\"risk\",\"limit\":90,"
			 "\"horizon\":\"30m\",\"hits\":12,\"misses\":4,\"false_alarms\":8,"
			 "\"unknown\":0,\"precision\":0.6,\"recall\":0.75,\"lead_min\":4}],");
	scored_free(s);
}

static void columns_order_warnings_and_outcomes(void **unused)
{
	static const struct {
		const char *query, *table, *first, *then, *last;
	} orders[] = {
		{"sort=-misses", "warnings", "CPU used ≥", "Memory ≥", "Swap ≥"},
		{"sort=misses", "warnings", "Swap ≥", "CPU used ≥", "Memory ≥"},
		{"sort=false", "warnings", "Memory ≥", "Swap ≥", "CPU used ≥"},
		/* Swap has no recall: it comes last in both directions. */
		{"sort=recall", "warnings", "Memory ≥", "CPU used ≥", "Swap ≥"},
		{"sort=-recall", "warnings", "CPU used ≥", "Memory ≥", "Swap ≥"},
		{"sort=settled", "outcomes", "came true", "missed", "not known"},
		{"sort=-outcome", "outcomes", "not known", "false alarm", "came true"},
		/* One was warned of at no time. */
		{"sort=warned", "outcomes", "false alarm", "not known", "missed"},
		{"sort=lead", "outcomes", "came true", "not known", "missed"},
		{"sort=-hits", "outcomes", "not known", "false alarm", "came true"},
	};
	struct scored *s = scored_new(DAY_MS, 4);

	(void)unused;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		const char *table =
			strstr(render(&s->f, "accuracy", orders[i].query),
			       orders[i].table[0] == 'w' ? "<table id=\"warnings-table\""
							 : "<table id=\"outcomes-table\"");

		table = order(strstr(table, "<tbody>"), orders[i].first, orders[i].then);
		assert_non_null(strstr(table, orders[i].last));
	}
	assert_has(render(&s->f, "accuracy", "sort=-hits"),
		   "aria-sort=\"descending\"><a href=\"accuracy?sort=hits#warnings\">Came true");
	assert_non_null(order(render(&s->f, "api-accuracy", "sort=misses"), "\"metric\":\"swap\"",
			      "\"metric\":\"memory\",\"kind\":\"risk\""));
	scored_free(s);
}

static void the_newest_hundred_outcomes_are_told(void **unused)
{
	struct scored *s = scored_new(DAY_MS, 4);

	(void)unused;
	for (int i = 0; i < WARNINGS_TOLD; i++)
		assert_int_equal(
			warnings_add_line(&s->warnings, NOON_MS + i, SPAN("1 1 2 1 0 newer")), 0);
	assert_int_equal(count_of(render(&s->f, "accuracy", ""), "data-l=\"Outcome\""),
			 WARNINGS_TOLD);
	assert_int_equal(count_of(s->f.out.data, ">newer<"), WARNINGS_TOLD);
	scored_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_texts_are_as_expected),
		cmocka_unit_test(the_worst_comes_first_with_its_mark),
		cmocka_unit_test(columns_order_the_scores),
		cmocka_unit_test(a_sentence_says_it),
		cmocka_unit_test(a_naive_guess_without_error_is_not_divided_by),
		cmocka_unit_test(filters_choose_cells_and_keep_each_other),
		cmocka_unit_test(links_of_the_past_keep_its_moment),
		cmocka_unit_test(a_metric_without_values_has_no_curve),
		cmocka_unit_test(the_line_of_a_month_is_whole),
		cmocka_unit_test(without_values_the_page_says_so),
		cmocka_unit_test(without_the_shared_cache_nothing_is_claimed),
		cmocka_unit_test(the_overview_tells_it_once_there_are_enough),
		cmocka_unit_test(what_was_forecast_in_vain_has_its_row),
		cmocka_unit_test(the_line_tells_its_minimum),
		cmocka_unit_test(predicted_columns_have_their_verdict),
		cmocka_unit_test(bands_have_their_verdict),
		cmocka_unit_test(warnings_have_their_shares_and_links),
		cmocka_unit_test(columns_order_warnings_and_outcomes),
		cmocka_unit_test(the_newest_hundred_outcomes_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
