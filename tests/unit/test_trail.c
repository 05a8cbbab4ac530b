/* SPDX-License-Identifier: MIT */
/* The last and next hours of a server (doc/pages.md#server): what is read of the past, the charts,
 * what was forecast for now. */
#include "config.h"

#include "base/pack.h"
#include "fleet/trail.h"
#include "pages/chart_band.h"
#include "pages/chart_course.h"
#include "pages/pieces.h"
#include "view_fixture.h"

#define MINUTE INT64_C(60000)
#define NOW_MS (GEN_MS / 30000 * INT64_C(30000))

static void set_quantiles(struct series *series, enum metric metric, double p10, double p50,
			  double p90)
{
	double low[FORECAST_STEPS], median[FORECAST_STEPS], high[FORECAST_STEPS];

	for (size_t i = 0; i < FORECAST_STEPS; i++) {
		low[i] = p10;
		median[i] = p50;
		high[i] = p90;
	}
	series_pack(low, FORECAST_STEPS, &series->p10[metric]);
	series_pack(median, FORECAST_STEPS, &series->p50[metric]);
	series_pack(high, FORECAST_STEPS, &series->p90[metric]);
}

/* Of CPU used 90 to 98, of memory 95 to 99, of load 6 to 8; of I/O wait none. */
static struct buf record_of(const char *name)
{
	struct snapshot *snap = snapshot_new();
	struct server *server = snapshot_add(snap, span_str(name));
	struct buf record;

	server->memory.now = 98;
	server->series = series_new();
	server->series->current[METRIC_DISK_USAGE] = 61.25;
	set_quantiles(server->series, METRIC_CPU_IDLE, 2, 5, 10);
	set_quantiles(server->series, METRIC_MEM_USED, 95, 97, 99);
	set_quantiles(server->series, METRIC_LOAD, 6, 7, 8);
	assert_int_equal(snapshot_seal(snap), 0);
	buf_init(&record, 1 << 20);
	horizons_encode(snap, &record);
	snapshot_free(&snap);
	return record;
}

static int take(struct trail *trail, int64_t made_ms)
{
	struct buf record = record_of("ppml0001");
	int rc = trail_take(trail, made_ms, buf_span(&record));

	buf_free(&record);
	return rc;
}

static void the_nearest_forecast_is_at_most_half_a_step_away(void **unused)
{
	static const struct {
		int64_t off_ms;
		bool taken;
	} cases[] = {{-150000, false}, {-149999, true}, {0, true}, {150000, true}, {150001, false}};
	static const int64_t minutes[HORIZONS] = {30, 60, 120, 240, 480};

	(void)unused;
	for (size_t h = 0; h < HORIZONS; h++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			int64_t made_ms = NOW_MS - minutes[h] * MINUTE + cases[i].off_ms;
			struct trail trail;

			trail_init(&trail, NOW_MS, SPAN("ppml0001"), SPAN(""));
			assert_int_equal(take(&trail, made_ms), 0);
			assert_int_equal(trail.made_ms[trail_point(h)],
					 cases[i].taken ? made_ms : 0);
			assert_int_equal(!isnan(trail.of[0].made[h][h][KEPT_MEMORY].p50),
					 cases[i].taken);
		}
}

static void the_limits_of_a_band_are_inside_as_printed(void **unused)
{
	static const struct {
		struct quantiles band;
		double value;
		enum trail_fit fit;
	} cases[] = {
		{{10, 50, 90}, 10, TRAIL_INSIDE},     {{10, 50, 90}, 9.96, TRAIL_INSIDE},
		{{10, 50, 90}, 9.94, TRAIL_BELOW},    {{10, 50, 90}, 90, TRAIL_INSIDE},
		{{10, 50, 90}, 90.04, TRAIL_INSIDE},  {{10, 50, 90}, 90.06, TRAIL_ABOVE},
		{{7.1, 7.1, 7.1}, 7.1, TRAIL_INSIDE}, {{10, 50, 90}, NAN, TRAIL_ABSENT},
		{{NAN, NAN, NAN}, 50, TRAIL_ABSENT},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(trail_fit(&cases[i].band, cases[i].value), cases[i].fit);
}

static void another_record_is_refused(void **unused)
{
	struct trail trail;

	(void)unused;
	trail_init(&trail, NOW_MS, SPAN("ppml0001"), SPAN(""));
	assert_int_equal(trail_take(&trail, NOW_MS - 30 * MINUTE, SPAN("x")), -1);
	assert_int_equal(trail.made_ms[trail_point(0)], 0);
}

/* ---- values ---- */

/* All points but those from..to. */
static void take_all(struct trail *trail, struct span other, size_t from, size_t to)
{
	trail_init(trail, NOW_MS, SPAN("ppml0001"), other);
	for (size_t i = 0; i < TRAIL_POINTS; i++)
		if (i < from || i > to)
			assert_int_equal(take(trail, NOW_MS - trail_ago_ms(i)), 0);
}

static void the_last_hour_is_finer(void **unused)
{
	static const int minutes[HORIZONS] = {30, 60, 120, 240, 480};
	int64_t ago_ms = 0;

	(void)unused;
	for (size_t i = 0; i < TRAIL_POINTS; i++) {
		ago_ms += (i < 12 ? 5 : 15) * MINUTE;
		assert_int_equal(trail_ago_ms(i), ago_ms);
	}
	assert_int_equal(ago_ms, 480 * MINUTE);
	for (size_t h = 0; h < HORIZONS; h++)
		assert_int_equal(trail_ago_ms(trail_point(h)), minutes[h] * MINUTE);
}

static void a_record_brings_the_values_of_its_time(void **unused)
{
	struct trail trail;

	(void)unused;
	trail_init(&trail, NOW_MS, SPAN("none"), SPAN("ppml0001"));
	take(&trail, NOW_MS - 15 * MINUTE);
	for (int s = 0; s < TRAIL_SERVERS; s++) {
		const struct trail_server *server = &trail.of[s];
		bool there = s == 1;

		assert_int_equal(server->values[METRIC_MEM_USED][2] == 98, there);
		assert_int_equal(fabs(server->values[METRIC_DISK_USAGE][2] - 61.25) <= 0.05, there);
		assert_int_equal(server->soon[KEPT_MEMORY][2].p90 == 99, there);
		assert_true(isnan(server->values[TRAIL_CPU_USED][2]));
		assert_true(isnan(server->values[METRIC_MEM_USED][1]));
	}
}

/* 30 and 35 minutes ago, ... 60, then every 15: 35 forecasts came true within these hours. */
static void forecasts_of_these_hours_are_scored(void **unused)
{
	struct trail_score score;
	struct trail trail;

	(void)unused;
	take_all(&trail, SPAN(""), TRAIL_POINTS, TRAIL_POINTS);
	/* What stands beside its values is of another metric. */
	trail.of[0].values[METRIC_MEM_USED + 1][0] = 50;
	score = trail_score(&trail.of[0], KEPT_MEMORY, 98);
	assert_int_equal(score.count, 35);
	assert_int_equal(score.held, 35);
	assert_float_equal(score.error, 1, 1e-9);
	score = trail_score(&trail.of[0], KEPT_MEMORY, 27);
	assert_int_equal(score.held, 34);
	assert_float_equal(score.error, (34 + 70) / 35.0, 1e-9);
	assert_int_equal(trail_score(&trail.of[0], KEPT_MEMORY, NAN).count, 34);
	score = trail_score(&trail.of[0], KEPT_IOWAIT, 5);
	assert_int_equal(score.count, 0);
	assert_true(isnan(score.error));
}

/* ---- the chart ---- */

static const char *draw(struct fixture *f, const struct course *course, enum course_size size)
{
	buf_reset(&f->out);
	chart_course(course, size, &f->out);
	assert_true(buf_ok(&f->out));
	buf_char(&f->out, '\0');
	return f->out.data;
}

/* From 10 around 50 to `width` around 50, at step `from`. */
static struct course course_of(size_t from, double width)
{
	struct course course = {.title = "Memory",
				.unit = "%",
				.percent = true,
				.line = {.now = 50},
				.limits = {NAN, NAN},
				.kept = KEPT_METRICS};
	struct band *band = &course.line.forecast;

	band->len = band->range_len = FORECAST_STEPS;
	for (size_t i = 0; i < FORECAST_STEPS; i++) {
		band->median[i] = 50;
		band->low[i] = 50 - (i < from ? 10 : width) / 2;
		band->high[i] = 50 + (i < from ? 10 : width) / 2;
	}
	return course;
}

static void a_band_as_wide_as_the_plot_says_nothing(void **unused)
{
	static const struct {
		size_t from;
		double width;
		bool vague, words;
	} cases[] = {
		{24, 80, true, true},  {24, 79.9, false, false}, {0, 100, true, true},
		{71, 90, true, true},  {72, 90, true, false},  /* there is no room for the words */
		{84, 90, true, false}, {85, 90, false, false}, /* less than an hour of it */
	};
	struct fixture f;

	(void)unused;
	fixture_init(&f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct course course = course_of(cases[i].from, cases[i].width);

		draw(&f, &course, COURSE_LARGE);
		assert_int_equal(band_vague(&course.line.forecast, 100),
				 cases[i].vague ? cases[i].from : FORECAST_STEPS);
		assert_int_equal(count_of(f.out.data, "class=\"vague\""), cases[i].vague);
		assert_int_equal(count_of(f.out.data, "the forecast says nothing here"),
				 cases[i].words);
		assert_int_equal(count_of(f.out.data, "the band is as wide as the plot"),
				 cases[i].vague);
	}
	fixture_free(&f);
}

/* The same for the chart of the next 8 hours. */
static void a_band_of_the_next_hours_fades(void **unused)
{
	static const struct {
		size_t from;
		double width;
		int vague, surely, words;
	} cases[] = {{24, 80, 1, 1, 1},
		     {24, 79.9, 0, 1, 0},
		     {0, 100, 1, 0, 1},
		     {73, 90, 1, 1, 0},
		     {85, 90, 0, 1, 0}};
	struct fixture f;

	(void)unused;
	fixture_init(&f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct band band = course_of(cases[i].from, cases[i].width).line.forecast;
		struct band_chart chart = {"CPU used", "%", "trend", {NAN, NAN}, &band};

		band.percent = true;
		buf_reset(&f.out);
		chart_band(&chart, &f.out);
		buf_char(&f.out, '\0');
		assert_int_equal(count_of(f.out.data, "class=\"vague\""), cases[i].vague);
		assert_int_equal(count_of(f.out.data, "class=\"envelope\""), cases[i].surely);
		assert_int_equal(count_of(f.out.data, "the forecast says nothing here"),
				 cases[i].words);
		if (cases[i].from == 24) { /* in the middle of 25 % to 100 % */
			assert_int_equal(count_of(f.out.data, "x=\"62%\" y=\"50%\">the forecast"),
					 cases[i].words);
			assert_int_equal(count_of(f.out.data, "; from 125 min on the band is as"),
					 cases[i].vague);
		}
		assert_int_equal(count_of(f.out.data, "the band is as wide as the plot"),
				 cases[i].vague);
	}
	fixture_free(&f);
}

static void a_limit_is_reached_from_below(void **unused)
{
	struct course course = course_of(0, 10);
	struct course_line *line = &course.line;
	struct fixture f;

	(void)unused;
	fixture_init(&f);
	line->forecast.median[11] = 90;
	assert_int_equal(course_reaches(line, 90), 60);
	assert_int_equal(course_reaches(line, 90.1), 0);
	assert_int_equal(course_reaches(line, NAN), 0);
	course.limits[0] = 90;
	course.limits[1] = 40;
	assert_int_equal(count_of(draw(&f, &course, COURSE_LAST), "reached\" d=\"M60 100h0"), 1);
	assert_int_equal(count_of(f.out.data, "class=\"dot reached\""), 1);
	assert_has(f.out.data, "y=\"10.0%\">90</text>");
	assert_has(f.out.data, "y=\"100%\">−8 h</text>");
	assert_has(f.out.data, "x=\"50.0%\" y=\"100%\">now</text>");
	/* It is there already, or it is not known where it is. */
	line->now = 90;
	assert_int_equal(course_reaches(line, 90), 0);
	line->now = NAN;
	assert_int_equal(course_reaches(line, 90), 0);
	fixture_free(&f);
}

static void nothing_is_known_of_it(void **unused)
{
	struct course course = {.title = "Load",
				.unit = "",
				.line = {.now = NAN},
				.limits = {NAN, NAN},
				.kept = KEPT_METRICS};
	struct fixture f;

	(void)unused;
	fixture_init(&f);
	assert_has(draw(&f, &course, COURSE_SMALL), "<desc>– now</desc>");
	assert_has_not(f.out.data, "nan");
	assert_has_not(f.out.data, "envelope");
	course.line.now = 0;
	assert_has(draw(&f, &course, COURSE_LARGE), "data-top=\"1\"");
	assert_has(f.out.data, "class=\"value\" d=\"M0 1000h0\"");
	fixture_free(&f);
}

/* ---- the page ---- */

static void fixture_trail(struct fixture *f, const struct trail *trail)
{
	fixture_fleet(f);
	f->view.server = &f->snap->servers[0];
	f->view.trail = trail;
}

static void the_page_shows_what_was_and_what_was_forecast(void **unused)
{
	struct trail trail;
	struct fixture f;

	(void)unused;
	take_all(&trail, SPAN(""), TRAIL_POINTS, TRAIL_POINTS);
	fixture_trail(&f, &trail);
	render(&f, "server", "");
	assert_has(f.out.data,
		   "<title>Memory, last and next 8 hours</title><desc>99.0% now; last 8 "
		   "hours 98.0% to 99.0%</desc>");
	/* From 8 hours ago on at 98 %, then to the present 99 %. */
	assert_has(f.out.data, "<path class=\"value\" d=\"M-480 20l 420 0 55 0 5-10\">");
	/* The forecasts of 30 min and 1 h ago: 97 %. */
	assert_has(f.out.data, "<path class=\"made\" d=\"M-30 20l 30 10M-60 20l 30 10 30 0");
	assert_has(f.out.data,
		   "<small>30 min: this server: 35 of 35 in 8 h, median error 1.0%</small>");
	assert_has(f.out.data, "Past values: every 5 minutes in the last hour, every 15 before.");
	fixture_free(&f);
}

static void a_gap_of_the_past_is_not_joined(void **unused)
{
	struct trail trail;
	struct fixture f;

	(void)unused;
	take_all(&trail, SPAN(""), 13, 14); /* 90 and 105 minutes ago */
	fixture_trail(&f, &trail);
	render(&f, "server", "");
	assert_has(f.out.data,
		   "<path class=\"value\" d=\"M-480 20l 360 0M-75 20l 15 0 55 0 5-10\">");
	fixture_free(&f);
}

static void before_anything_is_kept_there_is_the_present(void **unused)
{
	struct trail trail;
	struct fixture f;

	(void)unused;
	trail_init(&trail, NOW_MS, SPAN("ppml0001"), SPAN(""));
	fixture_trail(&f, &trail);
	render(&f, "server", "");
	assert_has(f.out.data, "<path class=\"value\" d=\"M0 10h0\">");
	assert_has(f.out.data, "<path class=\"made\" d=\"\"/>");
	assert_has_not(f.out.data, "of 0 held");
	fixture_free(&f);
}

static void another_server_stands_beside_it(void **unused)
{
	struct trail trail;
	struct fixture f;

	(void)unused;
	take_all(&trail, SPAN("ppdb001"), TRAIL_POINTS, TRAIL_POINTS);
	fixture_trail(&f, &trail);
	render(&f, "server", "");
	assert_has_not(f.out.data, "class=\"other\"");
	assert_has(f.out.data, "<li><a href=\"?with=ppdb001\">ppdb001</a></li>");
	assert_has(f.out.data, "<input id=\"with\" name=\"with\"");
	f.view.with = &f.snap->servers[1];
	render(&f, "server", "with=ppdb001&at=2025-11-23T12:01:00Z");
	assert_has(f.out.data, "<i>ppdb001</i> 98.5%");
	assert_has(f.out.data, "<h3><a href=\"ppdb001?at=2025-11-23T12:01:00Z\">ppdb001</a></h3>");
	assert_has(f.out.data, "<li>Rank <b>2</b></li><li><a href=\"?at=2025-11-23T12:01:00Z\">"
			       "End the comparison</a>");
	assert_has(f.out.data, "<th scope=\"col\">ppdb001 now</th>");
	assert_has(f.out.data, "0.7 × 90 + 0.3 × 45</td><td>76.5</td>");
	assert_has_not(f.out.data, "<li><a href=\"?with=ppdb001");
	/* All charts have its line: four, and ten small ones. */
	assert_int_equal(count_of(f.out.data, "class=\"other\" d="), 14);
	fixture_free(&f);
}

/* It takes the place of the day of risk, which is then below. */
static void the_day_of_risk_makes_room(void **unused)
{
	struct history day;
	struct trail trail;
	struct fixture f;
	const char *at;

	(void)unused;
	trail_init(&trail, NOW_MS, SPAN("ppml0001"), SPAN(""));
	fixture_trail(&f, &trail);
	history_init(&day, 30000, INT64_C(86400000), NOW_MS);
	f.view.history = &day;
	render(&f, "server", "");
	at = strstr(f.out.data, "id=\"risk-history\"");
	assert_non_null(at);
	assert_non_null(strstr(at, "id=\"compare\""));
	f.view.with = &f.snap->servers[1];
	render(&f, "server", "with=ppdb001");
	at = strstr(f.out.data, "id=\"numbers\"");
	assert_non_null(at);
	assert_non_null(strstr(at, "id=\"risk-history\""));
	history_free(&day);
	fixture_free(&f);
}

/* ---- the section ---- */

static const char *section(struct fixture *f, const struct trail *trail)
{
	f->view.trail = trail;
	buf_reset(&f->out);
	page_foretold(&f->view, &f->out);
	assert_true(buf_ok(&f->out));
	buf_char(&f->out, '\0');
	return f->out.data;
}

/* 4 h before nothing is kept; 2 h before the server was not there. */
static void each_horizon_is_a_row(void **unused)
{
	struct buf other = record_of("ppml0002");
	struct trail trail;
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	f.view.server = &f.snap->servers[0];
	trail_init(&trail, NOW_MS, SPAN("ppml0001"), SPAN(""));
	take(&trail, NOW_MS - 31 * MINUTE);
	take(&trail, NOW_MS - 60 * MINUTE);
	take(&trail, NOW_MS - 480 * MINUTE);
	assert_int_equal(trail_take(&trail, NOW_MS - 121 * MINUTE, buf_span(&other)), 0);
	section(&f, &trail);
	f.out.len--;
	assert_expected("foretold.html", buf_span(&f.out));
	/* The page of the server has it. */
	assert_has(render(&f, "server", ""), "<details class=\"panel\" id=\"foretold\">");
	buf_free(&other);
	fixture_free(&f);
}

static void without_any_forecast_it_says_so(void **unused)
{
	struct trail trail;
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	f.view.server = &f.snap->servers[1];
	trail_init(&trail, NOW_MS, SPAN("ppml0001"), SPAN(""));
	assert_has(section(&f, &trail), "<p>No forecast for this time is kept.</p>");
	assert_string_equal(section(&f, NULL), "");
	fixture_free(&f);
}

static void the_link_keeps_profile_and_moment(void **unused)
{
	struct trail trail;
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	f.view.server = &f.snap->servers[1];
	trail_init(&trail, NOW_MS, SPAN("ppml0001"), SPAN(""));
	f.view.trail = &trail;
	assert_has(render(&f, "server", "at=2025-11-23T12:01:00Z"),
		   "<a href=\"../accuracy?profile=db&amp;at=2025-11-23T12:01:00Z\">");
	fixture_free(&f);
}

/* With a correct checksum, but names that are cut, or followed by something. */
static void forged_names_are_refused(void **unused)
{
	struct buf record = record_of("ppml0001"), forged, body;
	struct forecasts made;

	(void)unused;
	buf_init(&body, 1 << 20);
	buf_init(&forged, 1 << 20);
	for (int i = -1; i <= 1; i++) {
		struct bytes_reader r = pack_open(buf_span(&record), "TFTh", HORIZONS_FORMAT);
		struct buf names;

		buf_init(&names, 1 << 20);
		pack_get_bare(&r, (struct span){NULL, 0}, &names);
		assert_false(r.bad);
		buf_char(&names, 'x');
		names.len -= (size_t)(1 - i); /* one less, as it was, one more */
		buf_reset(&body);
		buf_reset(&forged);
		pack_put_bare(buf_span(&names), (struct span){NULL, 0}, &body);
		buf_span_add(&body, r.rest);
		pack_seal("TFTh", HORIZONS_FORMAT, &body, &forged);
		assert_int_equal(forecasts_decode(buf_span(&forged), SPAN(""), HORIZONS, &made),
				 i == 0 ? 0 : -1);
		if (i == 0)
			forecasts_free(&made);
		buf_free(&names);
	}
	buf_free(&body);
	buf_free(&forged);
	buf_free(&record);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_hour_is_finer),
		cmocka_unit_test(a_record_brings_the_values_of_its_time),
		cmocka_unit_test(forecasts_of_these_hours_are_scored),
		cmocka_unit_test(a_band_as_wide_as_the_plot_says_nothing),
		cmocka_unit_test(a_band_of_the_next_hours_fades),
		cmocka_unit_test(a_limit_is_reached_from_below),
		cmocka_unit_test(nothing_is_known_of_it),
		cmocka_unit_test(the_page_shows_what_was_and_what_was_forecast),
		cmocka_unit_test(a_gap_of_the_past_is_not_joined),
		cmocka_unit_test(before_anything_is_kept_there_is_the_present),
		cmocka_unit_test(another_server_stands_beside_it),
		cmocka_unit_test(the_day_of_risk_makes_room),
		cmocka_unit_test(the_nearest_forecast_is_at_most_half_a_step_away),
		cmocka_unit_test(the_limits_of_a_band_are_inside_as_printed),
		cmocka_unit_test(another_record_is_refused),
		cmocka_unit_test(each_horizon_is_a_row),
		cmocka_unit_test(without_any_forecast_it_says_so),
		cmocka_unit_test(the_link_keeps_profile_and_moment),
		cmocka_unit_test(forged_names_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
