/* SPDX-License-Identifier: MIT */
/* The verdict that leads, the sentence in every state, and the outlook of a server
 * (doc/pages.md#sentence, doc/rules.md#verdict, doc/rules.md#outlook). */
#include "config.h"

#include "view_fixture.h"

#include "fleet/accuracy.h"
#include "fleet/outlook.h"
#include "fleet/verdict.h"
#include "pages/chart.h"
#include "pages/sentence.h"

/* ---- the verdict ---- */

static void the_worse_of_server_and_share_leads(void **unused)
{
	/* Levels worst first. */
	static const struct {
		unsigned level[LEVEL_COUNT];
		const char *name, *slug;
		unsigned count, alerts;
		bool share;
	} rows[] = {
		{{0, 0, 0, 0, 0, 0, 0}, "Unknown", "unknown", 0, 0, false},
		{{0, 0, 0, 0, 0, 0, 9}, "Healthy", "healthy", 9, 0, false},
		/* Watch counts as healthy. */
		{{0, 0, 0, 0, 0, 5, 4}, "Healthy", "healthy", 4, 0, false},
		/* One of a thousand leads, although the environment is Healthy. */
		{{0, 1, 0, 0, 0, 0, 999}, "Critical", "critical", 1, 1, false},
		{{4, 2, 0, 0, 10, 0, 84}, "Imminent Failure", "imminent", 4, 16, false},
		{{0, 0, 0, 0, 1, 0, 99}, "Degrading", "degrading", 1, 1, false},
		/* Caution is as bad as Degrading: then servers lead. */
		{{0, 0, 0, 0, 50, 0, 50}, "Degrading", "degrading", 50, 50, false},
		/* More than half at Warning: the environment is Critical, no server is. */
		{{0, 0, 1, 55, 4, 0, 40}, "Critical", "critical", 56, 60, true},
		{{0, 0, 0, 31, 9, 0, 60}, "Warning", "warning", 31, 40, false},
		{{0, 31, 0, 0, 0, 0, 69}, "Critical", "critical", 31, 31, false},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fleet_counts n = {0};
		struct verdict v;

		for (int l = 0; l < LEVEL_COUNT; l++) {
			n.total += rows[i].level[l];
			n.level[l] = rows[i].level[l];
			n.or_worse[l] = n.total;
		}
		v = verdict_of(&n);
		print_message("%zu\n", i);
		assert_string_equal(verdict_name(&v), rows[i].name);
		assert_string_equal(verdict_slug(&v), rows[i].slug);
		assert_int_equal(v.count, rows[i].count);
		assert_int_equal(v.alerts, rows[i].alerts);
		assert_int_equal(v.share != NULL, rows[i].share);
	}
}

/* ---- the sentence ---- */

/* Servers s00 and so on with these risks; `rest` more at 0. */
static struct snapshot *fleet_of(const int *risks, unsigned rest)
{
	struct snapshot *snap = new_snapshot();
	unsigned n = 0;
	char name[16];

	for (; *risks || rest; risks += *risks > 0) {
		(void)snprintf(name, sizeof(name), "s%02u", n++);
		add_sample(snap, name, &fleet[*risks ? 1 : 4]);
		snap->servers[snap->count - 1].risk = *risks;
		rest -= !*risks;
	}
	return snap;
}

static void assert_says(struct fixture *f, const char *want)
{
	buf_reset(&f->out);
	sentence_put(&f->view, SENTENCE_TEXT, &f->out);
	buf_char(&f->out, '\0');
	assert_string_equal(f->out.data, want);
}

#define SINCE_MS (GEN_MS - GEN_MS % 60000 - 360000) /* 11:55:00 */

static const struct {
	int risks[6];
	unsigned rest;
	int crossing; /* minutes until memory of s00 crosses its critical limit; 0: it does not */
	const char *says;
} states[] = {
	{{0}, 0, 0, "There are no servers in the answer."},
	{{0}, 1, 0, "The only server is healthy."},
	{{0}, 90, 0, "All 90 servers are healthy."},
	{{434, 301},
	 88,
	 0,
	 "All 90 servers are healthy, 2 on Watch; the highest risk is 43.4, s00."},
	{{812},
	 89,
	 0,
	 "1 of 90 servers needs attention: s00 Critical since 11:55:00 UTC, memory is at "
	 "98.5%."},
	{{812, 512},
	 88,
	 5,
	 "2 of 90 servers need attention: s00 Critical since 11:55:00 UTC, memory reaches its "
	 "critical limit (98%) in about 5 min."},
	{{500},
	 0,
	 0,
	 "1 of 1 server needs attention: s00 Degrading since 11:55:00 UTC, memory is at 98.5%."},
	{{920, 910, 512},
	 97,
	 0,
	 "3 of 100 servers need attention, 2 at Imminent Failure: s00 and s01. s00 since 11:55:00 "
	 "UTC: memory is at 98.5%."},
	{{920, 910, 905, 901},
	 96,
	 20,
	 "4 of 100 servers need attention, all at Imminent Failure: s00, s01, s02 and 1 more. s00 "
	 "since 11:55:00 UTC: memory reaches its critical limit (98%) in about 20 min."},
	{{650, 640, 620, 520},
	 1,
	 0,
	 "4 of 5 servers need attention, 3 of them at Warning or worse, which is more than 50% of "
	 "the fleet: s00, s01 and s02. s00 since 11:55:00 UTC: memory is at 98.5%."},
};

static void every_state_has_its_words(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct snapshot *snap = fleet_of(states[i].risks, states[i].rest);
		struct fixture f;

		fixture_init(&f);
		fixture_use(&f, snap);
		for (size_t k = 0; k < snap->count; k++)
			server_note_level(&snap->servers[k], level_of(snap->servers[k].risk),
					  SINCE_MS);
		if (states[i].crossing)
			snap->servers[0].crossings[CROSSING_MEM_USED] =
				(struct crossing){(uint8_t)(states[i].crossing / 5), true, 99};
		assert_says(&f, states[i].says);
		fixture_free(&f);
	}
}

static void a_beginning_that_was_not_seen_is_at_least(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_init(&f);
	fixture_use(&f, fleet_of((const int[]){812, 0}, 1));
	assert_says(&f, "1 of 2 servers needs attention: s00 Critical, memory is at 98.5%.");
	server_note_level(&f.snap->servers[0], LEVEL_CRITICAL, SINCE_MS);
	f.snap->watched_from_ms = SINCE_MS;
	assert_says(&f, "1 of 2 servers needs attention: s00 Critical at least since 11:55:00 UTC, "
			"memory is at 98.5%.");
	fixture_free(&f);
}

static void reasons_are_told_as_what_they_are(void **unused)
{
	static const struct {
		struct sample sample;
		const char *says;
	} rows[] = {
		{{"", {99, 99, 99}, {1, 1, 1}, {20, 20, 20}, {1, 1, 1}, 0}, "CPU is at 99.0%"},
		{{"", {20, 99, 99.5}, {1, 1, 1}, {20, 20, 20}, {1, 1, 1}, 0},
		 "CPU may reach 99.5% within 30 min"},
		{{"", {20, 20, 20}, {1, 1, 1}, {20, 20, 20}, {13.9, 13, 13}, 0}, "load is at 13.9"},
		{{"", {20, 20, 20}, {1, 1, 1}, {96, 90, 90}, {1, 1, 1}, 0}, "memory is at 96.0%"},
		{{"", {20, 20, 20}, {1, 1, 1}, {20, 20, 20}, {1, 1, 1}, 0}, ""},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct snapshot *snap = new_snapshot();
		struct buf out;

		add_sample(snap, "s", &rows[i].sample);
		buf_init(&out, 1024);
		sentence_reason(&snap->servers[0], &out);
		buf_char(&out, '\0');
		assert_string_equal(out.data, rows[i].says);
		buf_free(&out);
		snapshot_free(&snap);
	}
}

/* The snapshot of 15 minutes before with so many alerts; NULL: no such moment is kept. */
static void the_change_is_told(void **unused)
{
	static const struct {
		const int now[4], then[4];
		const char *says;
	} rows[] = {
		{{812, 512, 511}, {812}, " 2 more than 15 min ago."},
		{{812}, {812, 512, 511}, " 2 fewer than 15 min ago."},
		{{812}, {512}, " As many as 15 min ago."},
		{{0}, {512}, "All 9 servers are healthy. 1 fewer than 15 min ago."},
		{{0}, {0}, "All 9 servers are healthy."},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f;
		struct snapshot *then = fleet_of(rows[i].then, 9);
		struct since since = {.then = then};

		assert_int_equal(snapshot_seal(then), 0);
		fixture_init(&f);
		fixture_use(&f, fleet_of(rows[i].now, 9));
		then->bucket = f.snap->bucket - 30;
		f.view.since = &since;
		buf_reset(&f.out);
		sentence_put(&f.view, SENTENCE_TEXT, &f.out);
		buf_char(&f.out, '\0');
		assert_true(f.out.len > strlen(rows[i].says));
		assert_string_equal(f.out.data + f.out.len - 1 - strlen(rows[i].says),
				    rows[i].says);
		since.then = NULL;
		buf_reset(&f.out);
		sentence_put(&f.view, SENTENCE_TEXT, &f.out);
		buf_char(&f.out, '\0');
		assert_has_not(f.out.data, " ago");
		snapshot_free(&then);
		fixture_free(&f);
	}
}

static void how_sure_forecasts_are_is_told(void **unused)
{
	/* Of 100 values: below the band, above it; errors of the forecast and of "no change". */
	static const struct {
		int64_t n, below, above, error, naive;
		const char *says;
	} rows[] = {
		{99, 0, 0, 10, 20,
		 " Too few forecasts have come true yet to say how sure they are."},
		{100, 10, 11, 20, 10,
		 " 30-minute CPU forecasts held 79% of the time, and “no change” would have been a "
		 "better guess."},
		{100, 20, 11, 10, 20,
		 " 30-minute CPU forecasts held 69% of the time; they should hold 80%."},
		{100, 5, 4, 10, 20,
		 " 30-minute CPU forecasts held 91% of the time, more than the 80% they should: "
		 "their bands say little."},
		{100, 10, 8, 10, 20,
		 " 30-minute CPU forecasts held 82% of the time, about the 80% they should."},
	};
	struct accuracy *accuracy = calloc(1, sizeof(*accuracy));
	struct accuracy_sums *sums;
	struct fixture f;

	(void)unused;
	assert_non_null(accuracy);
	sums = &accuracy->score[ACCURACY_USUAL][KEPT_CPU][0][ACCURACY_ALL].sums;
	fixture_init(&f);
	fixture_use(&f, fleet_of((const int[]){0}, 2));
	f.view.accuracy = accuracy;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char want[256];

		*sums = (struct accuracy_sums){.n = rows[i].n,
					       .below = rows[i].below,
					       .above = rows[i].above,
					       .error = rows[i].error,
					       .naive = rows[i].naive};
		(void)snprintf(want, sizeof(want), "All 2 servers are healthy.%s", rows[i].says);
		assert_says(&f, want);
	}
	free(accuracy);
	fixture_free(&f);
}

/* Title, chip, icon, badge, sentence and API: one thousand servers with one Critical. */
static void everything_tells_the_same(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_init(&f);
	fixture_use(&f, fleet_of((const int[]){812, 0}, 999));
	page = render(&f, "overview", "");
	assert_has(page, "<title>(1) Critical - Overview - TFT</title>");
	assert_has(page, "static/favicon-critical.");
	assert_has(page, "Fleet <span class=\"chip sev-critical\">Critical</span> <small>1 of 1000"
			 "</small></a></p>");
	assert_has(
		page,
		"<p id=\"sentence\"><span class=\"chip sev-critical\">Critical</span> <span "
		"class=\"says\">1 of 1000 servers needs attention: <a href=\"server/s00\">s00</a> "
		"Critical, ");
	/* The other word stands beside it, with why it differs. */
	assert_has(page,
		   "<span class=\"chip sev-healthy\">Healthy</span> 1 of 1000 servers (0.1%) "
		   "at risk 50 or above; limit 10%. It looks at shares of the fleet, the word "
		   "above at its worst servers.</p>");
	assert_has(render(&f, "badge-fleet", ""), "<title>TFT fleet: Critical</title>");
	assert_has(render(&f, "api-fleet", ""),
		   "\"verdict\":\"Critical\",\"sentence\":\"1 of 1000 servers needs attention: s00 "
		   "Critical, memory is at 98.5%.\"");
	fixture_free(&f);
}

static void names_are_escaped(void **unused)
{
	struct snapshot *snap = new_snapshot();
	struct fixture f;

	(void)unused;
	fixture_init(&f);
	add_sample(snap, HOSTILE, &fleet[0]);
	fixture_use(&f, snap);
	assert_has_not(render(&f, "overview", ""), "<script>\"");
	assert_has(f.out.data,
		   ">&lt;script&gt;&quot;&amp;&#39;&lt;/td&gt;</span> Imminent Failure");
	assert_has_not(render(&f, "api-fleet", ""), "<script>");
	fixture_free(&f);
}

/* Old data do not read as the present. */
static void an_old_sentence_has_its_time(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	assert_has_not(render(&f, "overview", ""), "As of <time datetime=\"2025-11-23T12:01:05Z\">"
						   "12:01:05 UTC</time>:</b>");
	for (f.condition.age = AGE_STALE; f.condition.age <= AGE_VERY_STALE; f.condition.age++)
		assert_has(
			render(&f, "overview", ""),
			"<b id=\"as-of\">As of <time datetime=\"2025-11-23T12:01:05Z\">12:01:05 "
			"UTC</time>:</b> <span class=\"chip sev-imminent\">Imminent Failure</span> "
			"<span class=\"says\">3 of 6 servers need attention");
	fixture_free(&f);
}

/* ---- the outlook ---- */

static struct server *with_forecast(struct snapshot *snap)
{
	struct server *s;

	add_sample(snap, "s", &fleet[4]);
	s = &snap->servers[0];
	s->series = series_new();
	assert_non_null(s->series);
	return s;
}

static void put_list(struct series_list *list, double first, double last, size_t len)
{
	double values[FORECAST_STEPS];

	for (size_t i = 0; i < len; i++)
		values[i] =
			len > 1 ? first + (last - first) * (double)i / (double)(len - 1) : first;
	series_pack(values, len, list);
}

static void an_outlook_is_the_score_of_the_forecast(void **unused)
{
	struct snapshot *snap = new_snapshot();
	struct server *s = with_forecast(snap);
	struct outlook o;

	(void)unused;
	outlook_of(s, &o);
	assert_int_equal(o.len, 0);
	/* Memory at 99 %: 60 points now and 30 for the worst case; at 96 %: 40 and 30. */
	put_list(&s->series->p10[METRIC_MEM_USED], 50, 50, 40);
	put_list(&s->series->p50[METRIC_MEM_USED], 96, 96, 40);
	put_list(&s->series->p90[METRIC_MEM_USED], 99, 99, 40);
	outlook_of(s, &o);
	assert_int_equal(o.len, OUTLOOK_STEPS);
	assert_int_equal(o.low[0], 3 * 30);
	assert_int_equal(o.median[0], 7 * 40 + 3 * 30);
	assert_int_equal(o.high[OUTLOOK_STEPS - 1], 7 * 60 + 3 * 30);
	assert_int_equal(o.sure, OUTLOOK_STEPS);
	snapshot_free(&snap);
}

/* A band of half the scale says nothing, and it is drawn so. */
static void an_outlook_ends_where_it_says_nothing(void **unused)
{
	struct snapshot *snap = new_snapshot();
	struct server *s = with_forecast(snap);
	struct outlook o;
	struct buf out;

	(void)unused;
	put_list(&s->series->p10[METRIC_MEM_USED], 99, 0, 24);
	put_list(&s->series->p50[METRIC_MEM_USED], 99, 99, 24);
	put_list(&s->series->p90[METRIC_MEM_USED], 99, 99, 24);
	put_list(&s->series->p10[METRIC_CPU_IDLE], 0, 0, 24);
	put_list(&s->series->p50[METRIC_CPU_IDLE], 0, 0, 24);
	put_list(&s->series->p90[METRIC_CPU_IDLE], 0, 100, 24);
	outlook_of(s, &o);
	assert_int_equal(o.len, 24);
	assert_in_range(o.sure, 1, 4);
	assert_true(o.high[o.sure] - o.low[o.sure] >= OUTLOOK_VAGUE);
	assert_true(o.high[o.sure - 1] - o.low[o.sure - 1] < OUTLOOK_VAGUE);
	buf_init(&out, 65536);
	chart_outlook(s, 30000, &out);
	buf_char(&out, '\0');
	assert_has(out.data, "<path class=\"range vague\" d=\"M");
	assert_has(out.data, " min on it says nothing\">");
	assert_has_not(out.data, "in 1 h");
	buf_free(&out);
	snapshot_free(&snap);
}

static void a_chart_has_what_is_known(void **unused)
{
	struct snapshot *snap = new_snapshot();
	struct server *s;
	struct buf out;

	(void)unused;
	add_sample(snap, "s", &fleet[0]);
	s = &snap->servers[0];
	buf_init(&out, 65536);
	chart_outlook(s, 30000, &out);
	assert_int_equal(out.len, 0);
	s->recent.most[18] = 81;
	s->recent.most[19] = 101;
	s->recent.least = 71;
	chart_outlook(s, 30000, &out);
	buf_char(&out, '\0');
	assert_has(out.data, "aria-label=\"risk over the last hour 70 to 100, now 100\">");
	assert_has(out.data, "<path class=\"known\" d=\"M57 10L60 0\"/></svg>");
	assert_has_not(out.data, "expected");
	buf_free(&out);
	snapshot_free(&snap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_worse_of_server_and_share_leads),
		cmocka_unit_test(every_state_has_its_words),
		cmocka_unit_test(a_beginning_that_was_not_seen_is_at_least),
		cmocka_unit_test(reasons_are_told_as_what_they_are),
		cmocka_unit_test(the_change_is_told),
		cmocka_unit_test(how_sure_forecasts_are_is_told),
		cmocka_unit_test(everything_tells_the_same),
		cmocka_unit_test(names_are_escaped),
		cmocka_unit_test(an_old_sentence_has_its_time),
		cmocka_unit_test(an_outlook_is_the_score_of_the_forecast),
		cmocka_unit_test(an_outlook_ends_where_it_says_nothing),
		cmocka_unit_test(a_chart_has_what_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
