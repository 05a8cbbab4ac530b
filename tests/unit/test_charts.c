/* SPDX-License-Identifier: MIT */
/* Every drawing with values at its edges, compared with tests/expect/charts.txt: its name, then its
 * elements, one a line. */
#include "config.h"

#include "fleet/trail.h"
#include "pages/chart.h"
#include "pages/chart_band.h"
#include "pages/chart_course.h"
#include "pages/chart_lines.h"
#include "view_fixture.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define MINUTE    INT64_C(60000)
#define HOUR      (60 * MINUTE)
#define NOON      INT64_C(1764072000000) /* 2025-11-25T12:00:00Z */

static struct buf drawing, all;

/* What has been drawn since the last call. */
static void named(const char *name, int which)
{
	buf_addf(&all, "== %s %d", name, which);
	for (size_t i = 0; i < drawing.len; i++) {
		if (drawing.data[i] == '<')
			buf_char(&all, '\n');
		buf_char(&all, drawing.data[i]);
	}
	buf_char(&all, '\n');
	assert_true(buf_ok(&drawing));
	buf_reset(&drawing);
}

/* ---- the last and the next hours ---- */

static struct trail trail;
static double past[TRAIL_POINTS], short_past[TRAIL_POINTS];

/* Points at the longest distance that is joined, and farther apart; the last is before the plot. */
static void set_past(void)
{
	trail_init(&trail, NOON, SPAN("a"), SPAN(""));
	for (size_t i = 0; i < TRAIL_POINTS; i++) {
		bool gone = i == 3 || i == 6 || i == 7 || i == 20 || i == 25 || i == 26;

		trail.made_ms[i] = NOON - trail_ago_ms(i) - (i + 1 == TRAIL_POINTS ? 140000 : 0);
		past[i] = gone ? NAN : 30 + 1.55 * (double)i;
		short_past[i] = i < 9 ? 7.04 - 0.5 * (double)i : NAN;
	}
	for (size_t h = 0; h < HORIZONS; h++)
		for (size_t k = 0; k < HORIZONS; k++) {
			double median = 40 + 5 * (double)h + 2 * (double)k;

			trail.of[0].made[h][k][KEPT_MEMORY] =
				(struct quantiles){median - 9.5, median, median + 7.25};
		}
	trail.of[0].made[2][1][KEPT_MEMORY].p50 = NAN;
	trail.of[0].made[1][0][KEPT_MEMORY].p50 = NAN;
}

/* From `from` on by `step`, the band `width` wide at first and wider by `grows` a step. */
static struct band band_of(size_t len, size_t range_len, double from, double step, double width,
			   double grows)
{
	struct band band = {.len = len, .range_len = range_len};

	for (size_t i = 0; i < len; i++) {
		double wide = (width + grows * (double)i) / 2;

		band.median[i] = from + step * (double)i;
		band.low[i] = fmax(0, band.median[i] - wide);
		band.high[i] = band.median[i] + wide;
	}
	return band;
}

static void draw_courses(void)
{
	static struct course_line other;
	struct course courses[] = {
		{.title = "Memory",
		 .unit = "%",
		 .percent = true,
		 .line = {47.35, past, band_of(96, 96, 48, 0.5, 2, 0.1)},
		 .limits = {90, 70},
		 .trail = &trail,
		 .kept = KEPT_MEMORY},
		{.title = "Load",
		 .unit = "",
		 .line = {1.25, short_past, band_of(96, 90, 1, 0.02, 0.5, 0.05)},
		 .with = &other,
		 .limits = {8, NAN},
		 .trail = &trail,
		 .kept = KEPT_METRICS},
		{.title = "Wide",
		 .unit = "%",
		 .percent = true,
		 .line = {50, NULL, band_of(96, 96, 50, 0, 10, 2)},
		 .limits = {NAN, NAN},
		 .kept = KEPT_METRICS},
		{.title = "Short",
		 .unit = "MB/s",
		 .line = {NAN, NULL, band_of(30, 11, 0.03, 0.001, 0.01, 0)},
		 .limits = {NAN, 0.035},
		 .kept = KEPT_METRICS},
		{.title = "Shorter",
		 .unit = "d",
		 .line = {0.04, NULL, band_of(3, 1, 25, -1, 0, 0)},
		 .limits = {NAN, NAN},
		 .kept = KEPT_METRICS},
		{.title = "Nothing", .unit = "", .line = {NAN, NULL, {0}}, .limits = {NAN, NAN}},
	};

	set_past();
	other = (struct course_line){0.5, past, band_of(96, 96, 12, -0.1, 1, 0)};
	for (size_t i = 0; i < LENGTH(courses); i++)
		for (int size = COURSE_LARGE; size <= COURSE_SMALL; size++) {
			chart_course(&courses[i], (enum course_size)size, &drawing);
			named(courses[i].title, size);
		}
}

/* ---- a forecast ---- */

static void draw_bands(void)
{
	const struct band bands[] = {
		band_of(96, 96, 60, 0.4, 5, 0.1), band_of(30, 20, 1.5, 0.25, 1, 0),
		band_of(6, 2, 0.07, 0, 0.01, 0),  band_of(5, 1, 3, -0.5, 1, 0),
		band_of(1, 0, 0, 0, 0, 0),
	};
	static const double limits[][BAND_LIMITS] = {{90, 70}, {8, NAN}, {NAN, NAN}, {NAN, 2.5}};

	for (size_t i = 0; i < LENGTH(bands); i++) {
		struct band band = bands[i];
		struct band_chart chart = {.title = "CPU used",
					   .unit = i == 0   ? "%"
						   : i == 1 ? "MB/s"
							    : "",
					   .provenance = "trend extrapolation",
					   .band = &band};

		memcpy(chart.limits, limits[i % LENGTH(limits)], sizeof(chart.limits));
		band.percent = i == 0;
		chart_band(&chart, &drawing);
		named("band", (int)i);
	}
}

/* ---- a history ---- */

static void draw_frames(void)
{
	static const int64_t ranges[] = {HOUR / 2,  HOUR,       8 * HOUR,
					 24 * HOUR, 168 * HOUR, 720 * HOUR};

	for (size_t i = 0; i < LENGTH(ranges); i++) {
		struct chart_frame frame = {.title = "Index",
					    .desc = SPAN("a & b"),
					    .from_ms = NOON - ranges[i],
					    .to_ms = NOON,
					    .base = i % 2 ? 0 : 75,
					    .top = i % 2 ? 10 : 100,
					    .unit = i % 2 ? "" : "%"};
		struct chart_mark marks[5];
		const struct chart_span spans[] = {
			{NOON - 2 * ranges[i], NOON - ranges[i] / 2}, /* begins before the plot */
			{NOON - ranges[i] / 4,
			 NOON - ranges[i] / 4}, /* so short that it is a line */
			{NOON - ranges[i] / 8, NOON + ranges[i]},
		};

		for (size_t m = 0; m < LENGTH(marks); m++)
			marks[m] = (struct chart_mark){
				NOON - ranges[i] + (int64_t)m * ranges[i] / 4, SPAN("<x>")};
		marks[1].at_ms = NOON - ranges[i] + ranges[i] * 40 / 1000;
		marks[3].at_ms = NOON - ranges[i] * 40 / 1000;
		chart_begin(&frame, &drawing);
		chart_bands(&frame, spans, LENGTH(spans), "Warning", &drawing);
		chart_bands(&frame, spans, 0, "none", &drawing);
		chart_end(&frame, marks, LENGTH(marks), &drawing);
		named("frame", (int)i);
	}
}

static void draw_lines(void)
{
	static const struct chart_frame frame = {
		.from_ms = 0, .to_ms = 2000, .base = 10, .top = 20};
	static const struct chart_point plain[] = {
		{0, 12, 12, 12, true},  {7, 13, 13, 13, true},    {1000, 13, 13, 13, true},
		{1400, 5, 5, 5, false}, {1500, 25, 25, 25, true}, {2000, 20, 20, 20, false}};
	static const struct chart_point wide[] = {
		{4, 10, 11, 12, false}, {500, 12, 12, 12, true}, {600, 14, 15, 19, false}};
	static const struct chart_series series[] = {
		{"value", "Plain", plain, LENGTH(plain)},
		{"value", "Wide", wide, LENGTH(wide)},
		{"value", "Last", plain + 3, 2},
		{"value", "Third", plain + 1, 1},
		{"value", "None", NULL, 0},
	};

	for (size_t i = 0; i < LENGTH(series); i++) {
		chart_line(&frame, &series[i], &drawing);
		named("line", (int)i);
		chart_area(&frame, &series[i], &drawing);
		named("area", (int)i);
	}
}

/* ---- risk ---- */

static void set_list(struct series_list *list, size_t len, double from, double to)
{
	double values[FORECAST_STEPS];

	for (size_t i = 0; i < len; i++)
		values[i] = from + (to - from) * (double)i / (double)len;
	series_pack(values, len, list);
}

/* Memory rises; the band is the wider the farther. */
static void set_forecast(struct server *server, struct series *series, size_t len, double low)
{
	*series = (struct series){0};
	server->series = series;
	set_list(&series->p10[METRIC_MEM_USED], len, 90, low);
	set_list(&series->p50[METRIC_MEM_USED], len, 90, 99);
	set_list(&series->p90[METRIC_MEM_USED], len, 95, 99.5);
	set_list(&series->p10[METRIC_LOAD], len, 9, low / 10);
	set_list(&series->p50[METRIC_LOAD], len, 9, 10);
	set_list(&series->p90[METRIC_LOAD], len, 9, 16);
}

/* The risk of 0, 35, 80 and 100 in some slots of the last hour. */
static void set_recent(struct server *server, size_t from)
{
	static const uint8_t risks[] = {1, 36, 81, 101, 96};

	memset(&server->recent, 0, sizeof(server->recent));
	for (size_t i = from; i < RECENT_SLOTS; i++)
		server->recent.most[i] = i % 7 == 4 || i % 7 == 5 ? 0 : risks[i % LENGTH(risks)];
	server->recent.least = 1;
}

static void draw_hours(void)
{
	/* Up to 72 s one slot may be between two points, from 144 s two, and so on. */
	static const int64_t intervals[] = {1000, 71999, 72000, 144000, 215999, 3600000};
	static const struct {
		size_t len, from;
		double low;
	} rows[] = {{96, 0, 85}, {24, 18, 80}, {23, 19, 0}, {6, 20, 90}, {5, 20, 90}, {0, 12, 0}};
	struct server server = {.cpu = {55, 55, 55, 55, 0},
				.iowait = {2, 2, 2, 2, 0},
				.memory = {88, 88, 88, 88, 0},
				.load = {3, 3, 3, 3, 0},
				.swap_now = 0,
				.has_data = true};
	struct series series;

	risk_score(&server);
	set_recent(&server, 0);
	for (size_t i = 0; i < LENGTH(intervals); i++) {
		chart_recent(&server, intervals[i], &drawing);
		named("recent", (int)i);
	}
	for (size_t i = 0; i < LENGTH(rows); i++) {
		set_recent(&server, rows[i].from);
		set_forecast(&server, &series, rows[i].len, rows[i].low);
		chart_outlook(&server, 144000, &drawing);
		named("outlook", (int)i);
	}
	for (int risk = 0; risk <= RISK_MAX; risk += 250) {
		chart_risk_bar(risk, &drawing);
		named("bar", risk);
	}
}

static void draw_cells(void)
{
	static const unsigned levels[][LEVEL_COUNT] = {
		{0}, {1}, {0, 0, 29, 0, 0, 0, 1}, {10, 0, 0, 0, 0, 0, 21}, {0, 31, 0, 2, 30, 0, 2}};

	for (size_t i = 0; i < LENGTH(levels); i++) {
		chart_cells(levels[i], &drawing);
		named("cells", (int)i);
	}
}

static void drawings_are_as_expected(void **unused)
{
	(void)unused;
	buf_init(&drawing, 1 << 20);
	buf_init(&all, 1 << 20);
	draw_courses();
	draw_bands();
	draw_frames();
	draw_lines();
	draw_hours();
	draw_cells();
	assert_true(buf_ok(&all));
	assert_expected("charts.txt", buf_span(&all));
	buf_free(&drawing);
	buf_free(&all);
}

static void nothing_follows_the_end_of_a_forecast(void **unused)
{
	static const double values[] = {7, 8};
	struct series *series = series_new();
	struct quantiles q;

	(void)unused;
	series_pack(values, 2, &series->p50[METRIC_LOAD]);
	q = quantiles_of_metric(series, METRIC_LOAD, 1);
	assert_float_equal(q.p50, 8, 1e-3);
	q = quantiles_of_metric(series, METRIC_LOAD, 2);
	assert_true(isnan(q.p50));
	free(series);
}

/* 1, 2, 5 and 10 of each size. */
static void an_axis_ends_with_a_round_number(void **unused)
{
	static const double rows[][2] = {{0, 1},     {NAN, 1},   {1, 1},     {1.1, 2}, {2, 2},
					 {2.1, 5},   {5, 5},     {5.1, 10},  {10, 10}, {11, 20},
					 {200, 200}, {0.5, 0.5}, {0.06, 0.1}};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_float_equal(chart_ceiling(rows[i][0]), rows[i][1], 1e-12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_follows_the_end_of_a_forecast),
		cmocka_unit_test(an_axis_ends_with_a_round_number),
		cmocka_unit_test(drawings_are_as_expected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
