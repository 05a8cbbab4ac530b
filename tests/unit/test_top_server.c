/* SPDX-License-Identifier: MIT */
/* The pages about single servers (doc/pages.md#top, doc/pages.md#server), forecast charts, limit
 * crossings, links from below the root. */
#include "config.h"

#include "pages/chart_band.h"
#include "fleet/compact.h"
#include "pages/pieces.h"
#include "pages/quantity.h"
#include "view_fixture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- forecasts to work with ---- */

/* value(i) = from + by * i; exact in the packed form if `by` is 0 or the list has two values. */
static void set_list(struct series_list *list, double from, double by, size_t len)
{
	*list = (struct series_list){.low = (float)fmin(from, from + by * (double)(len - 1)),
				     .len = (uint16_t)len};
	list->step = (float)(fabs(by) * (double)(len - 1) / UINT16_MAX);
	for (size_t i = 0; i < len; i++)
		list->q[i] = (uint16_t)lround((double)(by < 0 ? len - 1 - i : i) * UINT16_MAX /
					      (double)(len > 1 ? len - 1 : 1));
}

static void set_metric(struct series *series, enum metric metric, double now, double by)
{
	series->current[metric] = now;
	series->trend[metric] = by;
	set_list(&series->p10[metric], now - 5, by, FORECAST_STEPS);
	set_list(&series->p50[metric], now, by, FORECAST_STEPS);
	set_list(&series->p90[metric], now + 5, by, FORECAST_STEPS);
}

static struct series *new_series(void)
{
	struct series *series = calloc(1, sizeof(*series));

	assert_non_null(series);
	for (int m = 0; m < METRIC_COUNT; m++)
		series->current[m] = series->trend[m] = NAN;
	set_metric(series, METRIC_CPU_USER, 60, 0);
	set_metric(series, METRIC_CPU_IDLE, 40, -0.24);
	set_metric(series, METRIC_LOAD, 5, 0.125);
	series->current[METRIC_UPTIME_DAYS] = 12;
	return series;
}

/* The fleet, forecasts of its first server, and the view of that server's page. */
static void fixture_server(struct fixture *f)
{
	fixture_fleet(f);
	f->snap->servers[0].series = new_series();
	f->view.server = &f->snap->servers[0];
}

/* ---- limit crossings ---- */

static const struct {
	enum metric metric;
	double now;
	double p50[14];
	size_t len;
	enum crossing_index index;
	unsigned steps;
	bool critical;
	double peak;
} crossing_cases[] = {
	{METRIC_CPU_USER, 0, {84.999}, 1, CROSSING_CPU_USER, 0, false, 84.999},
	{METRIC_CPU_USER, 0, {80, 85, 94.9}, 3, CROSSING_CPU_USER, 2, false, 94.9},
	/* The worse limit is reported, with the time when it is reached. */
	{METRIC_CPU_USER, 0, {86, 90, 95, 93}, 4, CROSSING_CPU_USER, 3, true, 95},
	{METRIC_MEM_USED, 97.9, {98}, 1, CROSSING_MEM_USED, 1, true, 98},
	{METRIC_MEM_USED, NAN, {90, 97.9}, 2, CROSSING_MEM_USED, 1, false, 97.9},
	{METRIC_CPU_IOWAIT, 19.9, {20}, 1, CROSSING_IOWAIT, 1, false, 20},
	{METRIC_SWAP_USED, 0, {0, 50}, 2, CROSSING_SWAP_USED, 2, true, 50},
	{METRIC_DISK_USAGE, 0, {85}, 1, CROSSING_DISK_USAGE, 1, false, 85},
	/* A limit that has been crossed already is not forecast; the next worse limit is, with its
	 * time. */
	{METRIC_MEM_USED, 94.9, {95, 95.1}, 2, CROSSING_MEM_USED, 0, false, 95.1},
	{METRIC_MEM_USED, 90, {90}, 1, CROSSING_MEM_USED, 0, false, 90},
	{METRIC_MEM_USED, 94.9, {95, 98}, 2, CROSSING_MEM_USED, 2, true, 98},
	{METRIC_MEM_USED, 99, {98.5, 97}, 2, CROSSING_MEM_USED, 0, false, 98.5},
	{METRIC_MEM_USED, 99, {89, 91}, 2, CROSSING_MEM_USED, 2, false, 91},
	/* One hour is twelve steps. */
	{METRIC_DISK_USAGE,
	 0,
	 {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 85},
	 12,
	 CROSSING_DISK_USAGE,
	 12,
	 false,
	 85},
	{METRIC_DISK_USAGE,
	 0,
	 {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 99},
	 13,
	 CROSSING_DISK_USAGE,
	 0,
	 false,
	 0},
};

static void crossings_follow_the_limits_of_the_daemon(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT(crossing_cases); i++) {
		struct crossing got[CROSSINGS] = {0};
		const struct crossing *c = &got[crossing_cases[i].index];

		crossing_find(got, crossing_cases[i].metric, crossing_cases[i].now,
			      crossing_cases[i].p50, crossing_cases[i].len);
		assert_int_equal(c->steps, crossing_cases[i].steps);
		assert_true(c->peak == crossing_cases[i].peak);
		assert_int_equal(crossing_count(got), crossing_cases[i].steps > 0);
		if (c->steps)
			assert_int_equal(c->critical, crossing_cases[i].critical);
	}
}

static void metrics_without_limits_or_values_cross_nothing(void **unused)
{
	static const double high[] = {1000, 1000};
	struct crossing got[CROSSINGS] = {0};

	(void)unused;
	crossing_find(got, METRIC_JAVA_CPU, 0, high, 2);
	crossing_find(got, METRIC_MEM_USED, 0, high, 0);
	assert_int_equal(crossing_count(got), 0);
}

static void crossings_survive_the_compact_form(void **unused)
{
	struct fixture f;
	struct snapshot *back;
	struct crossing *c;

	(void)unused;
	fixture_fleet(&f);
	c = f.snap->servers[1].crossings;
	c[CROSSING_IOWAIT] = (struct crossing){12, true, 34.5};
	c[CROSSING_DISK_USAGE] = (struct crossing){1, false, 86.25};
	compact_encode(f.snap, &f.out);
	back = compact_decode(buf_span(&f.out));
	assert_non_null(back);
	assert_int_equal(crossing_count(back->servers[0].crossings), 0);
	assert_int_equal(crossing_count(back->servers[1].crossings), 2);
	c = back->servers[1].crossings;
	assert_true(c[CROSSING_IOWAIT].critical && !c[CROSSING_DISK_USAGE].critical);
	assert_int_equal(crossing_minutes(&c[CROSSING_IOWAIT]), 60);
	assert_true(c[CROSSING_DISK_USAGE].peak == 86.25);
	snapshot_free(&back);
	fixture_free(&f);
}

static void overview_tells_crossings(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	assert_has(render(&f, "overview", ""),
		   "No <a href=\"docs#word-limit\">limit</a> will be crossed within one "
		   "hour, if the trend holds");
	f.snap->servers[1].crossings[CROSSING_IOWAIT] = (struct crossing){3, true, 34.5};
	f.snap->servers[1].crossings[CROSSING_DISK_USAGE] = (struct crossing){1, false, 86.25};
	assert_has(render(&f, "overview", ""),
		   "1 server will cross a <a href=\"docs#word-limit\">limit</a> within one hour");
	assert_has(
		f.out.data,
		"<li><span class=\"chip sev-danger\">Danger</span> <a "
		"href=\"server/ppdb001\">ppdb001</a>: the disk reaches its warning limit (85%) "
		"in about 5 min, peak 86.2%; I/O wait reaches its critical limit (30%) in about 15 "
		"min, peak 34.5%</li></ul>");
	fixture_free(&f);
}

/* ---- bands ---- */

static void cpu_used_is_what_idle_leaves(void **unused)
{
	struct series *series = new_series();
	struct band band;

	(void)unused;
	/* Little idle means much used: p10 of idle is the upper edge. */
	set_list(&series->p10[METRIC_CPU_IDLE], 30, 0, FORECAST_STEPS);
	set_list(&series->p50[METRIC_CPU_IDLE], 40, 0, FORECAST_STEPS);
	set_list(&series->p90[METRIC_CPU_IDLE], 110, 0, FORECAST_STEPS);
	band_of_cpu(&band, series);
	assert_int_equal(band.len, FORECAST_STEPS);
	assert_int_equal(band.range_len, FORECAST_STEPS);
	assert_true(band.median[0] == 60 && band.high[95] == 70 && band.low[95] == 0);
	/* Crossed quantiles are swapped. */
	set_list(&series->p10[METRIC_CPU_IDLE], 50, 0, FORECAST_STEPS);
	set_list(&series->p90[METRIC_CPU_IDLE], 20, 0, FORECAST_STEPS);
	band_of_cpu(&band, series);
	assert_true(band.low[7] == 50 && band.high[7] == 80);
	free(series);
}

static void a_band_is_as_long_as_its_shortest_list(void **unused)
{
	struct series *series = new_series();
	struct band band;

	(void)unused;
	set_list(&series->p90[METRIC_LOAD], 6, 0, 10);
	band_of_metric(&band, series, METRIC_LOAD);
	assert_int_equal(band.len, FORECAST_STEPS);
	assert_int_equal(band.range_len, 10);
	assert_true(band.high[9] == 6 && isnan(band.high[10]) && isnan(band.low[10]));
	assert_false(band.percent);
	free(series);
}

/* Of less than half an hour nothing is said of half an hour. */
static void half_an_hour_is_predicted_from_half_an_hour_on(void **unused)
{
	struct series *series = new_series();
	const struct server server = {.series = series};
	struct quantity q;

	(void)unused;
	for (size_t len = FORECAST_30M - 1; len <= FORECAST_30M; len++) {
		set_list(&series->p50[METRIC_SWAP_USED], 10, 2, len);
		set_list(&series->p90[METRIC_SWAP_USED], 30, 2, len);
		series->current[METRIC_SWAP_USED] = 7;
		q = quantity_of(&server, METRIC_SWAP_USED);
		assert_true(q.now == 7);
		assert_float_equal(q.predicted, len < FORECAST_30M ? 7 : 15, 0.01);
		assert_float_equal(q.worst, len < FORECAST_30M ? 7 : 40, 0.01);
	}
	/* Nor does it say anything of what comes after it. */
	set_list(&series->p50[METRIC_SWAP_USED], 10, 2, FORECAST_STEPS);
	set_list(&series->p90[METRIC_SWAP_USED], 30, 0.5, FORECAST_STEPS);
	q = quantity_of(&server, METRIC_SWAP_USED);
	assert_float_equal(q.predicted, 15, 0.01);
	assert_float_equal(q.worst, 32.5, 0.01);
	free(series);
}

static const char *draw(struct fixture *f, const struct band *band, const char *unit)
{
	struct band_chart chart = {"CPU used", unit, "trend extrapolation", {90, 70}, band};

	buf_reset(&f->out);
	chart_band(&chart, &f->out);
	assert_true(buf_ok(&f->out));
	buf_char(&f->out, '\0');
	return f->out.data;
}

static void a_chart_says_what_it_shows(void **unused)
{
	struct series *series = new_series();
	struct fixture f;
	struct band band;
	const char *chart;

	(void)unused;
	fixture_init(&f);
	band_of_cpu(&band, series); /* 60 to 82.8, band +- 5 */
	chart = draw(&f, &band, "%");
	assert_has(chart, "data-top=\"100\" data-unit=\"%\"><title>CPU used, next 8 hours</title>"
			  "<desc>Median 60.0% in 5 min, 82.8% in 480 min, maximum 82.8% in 480 "
			  "min; p90 up to 87.8%</desc>");
	assert_has(chart, "<line x1=\"30\" x2=\"30\" y2=\"200\"/>");
	assert_has(chart, "y=\"10%\">90</text>");
	assert_has(chart, "y=\"30%\">70</text>");
	assert_has(chart, ">30 min</text>");
	assert_has(chart, "d=\"M5 80l"); /* 60 % is 80 units below the top */
	assert_has(chart, "M0 20h480M0 60h480");
	assert_has(
		chart,
		"<tr><th scope=\"row\">480 min</th><td>77.8</td><td>82.8</td><td>87.8</td></tr>");
	assert_int_equal(count_of(chart, "<tr>"), 1 + 1 + FORECAST_STEPS / 24);
	fixture_free(&f);
	free(series);
}

static void an_axis_without_percent_ends_at_a_round_number(void **unused)
{
	struct series *series = new_series();
	struct fixture f;
	struct band band;

	(void)unused;
	fixture_init(&f);
	band_of_metric(&band, series, METRIC_LOAD); /* up to 21.875; with the limits up to 90 */
	assert_has(draw(&f, &band, ""), "class=\"top\" x=\"0\" y=\"0\">100</text>");
	assert_has(f.out.data, "maximum 16.9 in 480 min; p90 up to 21.9</desc>");
	fixture_free(&f);
	free(series);
}

static void an_absent_forecast_is_no_empty_chart(void **unused)
{
	static const struct band none;
	struct fixture f;

	(void)unused;
	fixture_init(&f);
	assert_string_equal(draw(&f, &none, "%"),
			    "<p class=\"note\">There is no forecast of CPU used.</p>");
	fixture_free(&f);
}

/* Every step has another slope: no two can be merged. */
static void the_worst_chart_keeps_its_budget(void **unused)
{
	struct band band = {.len = FORECAST_STEPS, .range_len = FORECAST_STEPS, .percent = true};
	const char *svg, *end;
	struct fixture f;

	(void)unused;
	fixture_init(&f);
	for (size_t i = 0; i < FORECAST_STEPS; i++) {
		band.low[i] = i % 2 ? 10 : 22.5;
		band.median[i] = i % 2 ? 50 : 56.5;
		band.high[i] = i % 2 ? 80 : 94.5;
	}
	svg = strstr(draw(&f, &band, "%"), "<svg");
	end = strstr(svg, "</svg><figcaption>");
	assert_non_null(end);
	if (end - svg > 2300)
		fail_msg("%td bytes", end - svg);
	fixture_free(&f);
}

/* ---- the top page ---- */

static const struct {
	const char *page, *query, *has, *has_not;
} texts[] = {
	{"top", "",
	 "<h2>1. ppml0001 – 100.0 <span class=\"chip sev-imminent\">Imminent Failure (IM)</span>",
	 NULL},
	{"top", "", "id=\"srv-ppml0001\" open=\"\">", "id=\"srv-ppdb001\" open"},
	{"top", "", "id=\"srv-&lt;script&gt;", "id=\"srv-ppetl001\""}, /* five of six */
	{"top", "n=6", "id=\"srv-ppetl001\"", NULL},
	{"top", "profile=db", "<h2>1. ppdb001", "ppml0001"},
	{"top", "profile=risk", "No servers match profile=Risk Analytics.",
	 "<details class=\"panel"},
	{"top", "n=10&profile=db", "href=\"top?profile=db&amp;n=20\"", NULL},
	/* 60 + 60 now, 30 + 30 predicted: 84 + 18 = 102 */
	{"top", "", "<th scope=\"row\">CPU now</th><td>99.0%</td><td>60</td><td>42.0</td>", NULL},
	{"top", "", "0.7 × 120 + 0.3 × 60, at most 100</td><td>100.0</td>", NULL},
	{"top", "profile=generic", "No rule adds to its risk.", "Why"},
	{"top", "profile=etl", "This server sends no data.", NULL},
	{"top", "", "<th scope=\"row\">Load</th><td>5.0</td><td>5.0</td><td>0.0</td>", NULL},
	{"top", "profile=db", "2 metrics predicted to rise", NULL},
	{"top", "profile=web", "<h2>1. ppweb001", "predicted to rise"},
	{"top", "", "<a href=\"server/ppdb001\">ppdb001</a>", "href=\"../"},
	{"top", "", "<title>CPU used, next 8 hours</title>", NULL},
	{"server", "", "<p class=\"value\">100.0 <span class=\"chip sev-imminent\">", NULL},
	{"server", "",
	 "<li>Rank <b>1</b> of 6 <span aria-hidden=\"true\">↓</span> better <a "
	 "href=\"ppdb001\">ppdb001</a></li><li>By name <span aria-hidden=\"true\">←</span> "
	 "previous <a href=\"ppetl001\">ppetl001</a> <span aria-hidden=\"true\">→</span> next <a "
	 "href=\"ppweb001\">ppweb001</a></li>",
	 "worse"},
	/* 60 now add 42, 60 more as much, then 30 and 30 predicted 9 each, of which 2 are too many. */
	{"server", "", "<rect class=\"\" x=\"0\" width=\"420\"", NULL},
	{"server", "", "<rect class=\"predicted\" x=\"420\" width=\"90\"", NULL},
	{"server", "", "<rect class=\"\" x=\"510\" width=\"420\"", NULL},
	{"server", "", "<rect class=\"predicted\" x=\"930\" width=\"70\"", NULL},
	{"server", "", "<rect class=\"total\" x=\"0\" width=\"1000\"", NULL},
	{"top", "", "Why: the rules", "class=\"step\""},
	/* CPU used 60 now, 90 in 480 minutes; its band never fills the plot. */
	{"server", "",
	 "<title>CPU used, last and next 8 hours</title><desc>99.0% now; median up to 82.8% in 480 "
	 "min</desc>",
	 "says nothing"},
	{"server", "", "in the shared cache, which cannot be reached.", NULL},
	{"server", "", "<a href=\"../heatmap\">Heatmap</a>", "href=\"heatmap"},
	{"server", "", "<a href=\"../\">Overview</a>", "href=\"static/"},
	{"server", "", "<form action=\"../heatmap\"", "href=\"./\""},
	{"server", "", "href=\"../static/style.", NULL},
	{"server", "", "href=\"?format=csv\"", NULL},
	{"server", "refresh=60", "content=\"60\"", NULL},
	{"server", "", "- ppml0001 - TFT</title>", NULL},
	{"server", "",
	 "<th scope=\"row\">CPU user</th><td>60.0%</td><td>60.0%</td><td>65.0%</td></tr>", NULL},
	{"server", "", "<th scope=\"row\">Load</th><td>5.0</td>",
	 "Cascade impact"}, /* as in the alert table */
	{"server", "", "<figure id=\"course-load\">", "id=\"chart-load_average\""},
	{"server", "", "<figure id=\"chart-java_cpu_pct\">", "id=\"chart-cpu_idle_pct\""},
	{"server", "", "No limit crossing is forecast within one hour.", "TFT model"},
	{"api-server", "", "\"name\":\"ppml0001\",\"profile\":\"ML Compute\",\"risk\":100.0,",
	 "java_cpu_pct"},
	{"api-server", "",
	 "\"cpu_user_pct\":{\"unit\":\"%\",\"current\":60,\"trend\":0,\"p10\":[55,55,", NULL},
	{"api-server", "", "60],\"p90\":[65,", NULL},
	/* What is known but not forecast. */
	{"api-server", "",
	 "\"uptime_days\":{\"unit\":\"days\",\"current\":12,\"trend\":null,\"p10\":[],\"p50\":[],"
	 "\"p90\":[],",
	 NULL},
	{"api-server", "", "\"provenance\":\"trend\"", "\"provenance\":\"model\""},
	{"api-server", "", "\"crossings\":[]", NULL},
	{"api-top", "", "\"n\":5,\"servers\":[{\"rank\":1,\"server\":\"ppml0001\"", "ppetl001"},
	{"api-top", "", "{\"component\":\"CPU now\",\"value\":99,\"points\":60,\"adds\":42.0}",
	 NULL},
	{"api-top", "", "\"cpu_8h\":{\"p10\":[55,", NULL},
	{"api-top", "profile=db", "\"cpu_8h\":{\"p10\":[],\"p50\":[],\"p90\":[]", "ppml0001"},
	{"api-heatmap", "metric=load",
	 "\"metric\":\"load\",\"stats\":{\"min\":1,\"average\":4.2,\"max\":5,", NULL},
	{"api-heatmap", "metric=load",
	 "{\"server\":\"ppetl001\",\"profile\":\"ETL/"
	 "Ingest\",\"level\":\"Healthy\",\"value\":null,\"silent_since\":null}]",
	 NULL},
	{"api-heatmap", "profile=db", "\"standard_deviation\":null", "ppml0001"},
	{"top-csv", "",
	 "rank,server,profile,risk,level,component,value,points,time\r\n1,ppml0001,ML "
	 "Compute,100.0,Imminent Failure,CPU now,99,60,2025-11-23T12:01:00Z\r\n",
	 NULL},
	{"top-csv", "profile=etl",
	 "1,ppetl001,ETL/Ingest,0.0,Healthy,CPU now,,0,2025-11-23T12:01:00Z\r\n", NULL},
	{"server-csv", "",
	 "metric,unit,now,predicted_30m,worst_30m,p50_8h,trend,provenance\r\ncpu_user_pct,%,60,60,"
	 "65,60,0,trend\r\n",
	 NULL},
	{"server-csv", "", "java_cpu_pct,%,,,,,,trend\r\n", "cascade_impact"},
};

static void pages_say_what_the_rules_give(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_server(&f);
	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *page;

		f.view.server = strstr(texts[i].page, "server") ? &f.snap->servers[0] : NULL;
		page = render(&f, texts[i].page, texts[i].query);
		assert_has(page, texts[i].has);
		if (texts[i].has_not)
			assert_has_not(page, texts[i].has_not);
	}
	fixture_free(&f);
}

/* The page shows one digit, the API what there is. */
static void an_average_of_the_api_is_exact(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	for (size_t i = 0; i < f.snap->count; i++)
		f.snap->servers[i].cpu.worst = 60.04;
	assert_has(render(&f, "api-heatmap", "metric=cpu"), "\"average\":60.04");
	fixture_free(&f);
}

static void what_a_moment_keeps_besides_has_its_place(void **unused)
{
	struct horizons horizons;
	struct server server = {.horizons = &horizons};

	(void)unused;
	for (size_t o = 0; o < OTHER_METRICS; o++)
		horizons.other[o] = (double)o + 1;
	for (size_t o = 0; o < OTHER_METRICS; o++)
		assert_true(quantity_now(&server, other_metrics[o]) == (double)o + 1);
}

static void a_calm_fleet_says_so_before_its_cards(void **unused)
{
	struct snapshot *snap = new_snapshot();
	struct fixture f;

	(void)unused;
	fixture_init(&f);
	add_sample(snap, "ppgen001", &fleet[4]);
	fixture_use(&f, snap);
	assert_has(render(&f, "top", ""), "<p class=\"calm\">No server is above Healthy.</p>");
	assert_has(f.out.data, "<h2>1. ppgen001");
	fixture_free(&f);
	fixture_fleet(&f);
	assert_has_not(render(&f, "top", ""), "No server is above Healthy");
	fixture_free(&f);
}

static void a_model_is_named_only_for_what_it_made(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_server(&f);
	f.snap->model = MODEL_TFT;
	assert_int_equal(count_of(render(&f, "server", ""), "<small>TFT model</small>"), 1);
	assert_has(f.out.data,
		   "<b>CPU user</b> <b>60.0%</b> <small>TFT model</small></figcaption>");
	assert_has(f.out.data, "Forecasts: trend extrapolation.");
	assert_int_equal(count_of(render(&f, "api-server", ""), "\"provenance\":\"model\""), 1);
	fixture_free(&f);
}

static void half_an_hour_of_forecast_is_enough_for_what_is_said_of_it(void **unused)
{
	struct fixture f;
	struct series *series;

	(void)unused;
	fixture_server(&f);
	series = f.snap->servers[0].series;
	for (size_t len = FORECAST_30M; len > FORECAST_30M - 2; len--) {
		series->p10[METRIC_CPU_USER].len = series->p50[METRIC_CPU_USER].len = (uint16_t)len;
		series->p90[METRIC_CPU_USER].len = (uint16_t)len;
		assert_has(render(&f, "server-csv", ""),
			   len == FORECAST_30M ? "cpu_user_pct,%,60,60,65,,0,trend\r\n"
					       : "cpu_user_pct,%,60,60,60,,0,trend\r\n");
	}
	fixture_free(&f);
}

/* Forecasts that the cache has lost do not make a server one without data. */
static void a_lost_forecast_is_told(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	f.view.server = &f.snap->servers[1];
	assert_has(render(&f, "server", ""), "The stored forecast of this server cannot be read.");
	assert_has(f.out.data, "0.7 × 90 + 0.3 × 45</td><td>76.5</td>");
	assert_has(f.out.data, "worse <a href=\"ppml0001\">ppml0001</a>");
	assert_has(render(&f, "api-server", ""), "\"metrics\":{}}");
	assert_string_equal(render(&f, "server-csv", ""),
			    "\xef\xbb\xbf"
			    "metric,unit,now,predicted_30m,worst_30m,p50_8h,trend,provenance\r\n");
	fixture_free(&f);
}

static void crossings_stand_on_the_page_of_their_server(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_server(&f);
	f.snap->servers[0].crossings[CROSSING_MEM_USED] = (struct crossing){4, true, 99.5};
	assert_has(render(&f, "server", ""),
		   "<li><b>Memory</b> reaches 98.0% (critical) in 20 min, at <time "
		   "datetime=\"2025-11-23T12:21:05Z\">12:21:05 UTC</time>; peak 99.5%</li>");
	assert_has(render(&f, "api-server", ""), "\"crossings\":[{\"metric\":\"mem_used_pct\","
						 "\"severity\":\"critical\",\"limit\":98,"
						 "\"minutes\":20,\"peak\":99.5}]");
	fixture_free(&f);
}

/* 95 of 96 steps end before the eight hours do. */
static void what_is_in_8_hours_takes_all_of_them(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_server(&f);
	set_list(&f.snap->servers[0].series->p50[METRIC_CPU_USER], 60, 0, FORECAST_STEPS - 1);
	assert_has(render(&f, "server-csv", ""), "\r\ncpu_user_pct,%,60,60,65,,0,trend\r\n");
	assert_has(f.out.data, "\r\nload_average,,");
	set_list(&f.snap->servers[0].series->p50[METRIC_CPU_USER], 60, 0, FORECAST_STEPS);
	assert_has(render(&f, "server-csv", ""), "\r\ncpu_user_pct,%,60,60,65,60,0,trend\r\n");
	fixture_free(&f);
}

/* ---- limit crossings of the fleet ---- */

static void the_first_30_servers_tell_their_crossings(void **unused)
{
	(void)unused;
	for (unsigned n = 30; n <= 31; n++) {
		struct snapshot *snap = new_snapshot();
		struct fixture f;
		char name[16];

		fixture_init(&f);
		for (unsigned i = 0; i < n; i++) {
			(void)snprintf(name, sizeof(name), "s%02u", i);
			add_sample(snap, name, &fleet[0]);
			snap->servers[i].crossings[CROSSING_MEM_USED] =
				(struct crossing){4, true, 99.5};
		}
		fixture_use(&f, snap);
		render(&f, "overview", "");
		assert_int_equal(count_of(f.out.data, "memory reaches its critical limit (98%) in "
						      "about 20 min, peak 99.5%"),
				 30);
		assert_int_equal(count_of(f.out.data, "Only the first 30 servers"), n > 30);
		(void)snprintf(name, sizeof(name), "<h2>%u servers", n);
		assert_has(f.out.data, name);
		fixture_free(&f);
	}
}

/* ---- links ---- */

static const struct {
	const char *name, *link; /* link NULL: none */
} names[] = {
	{"ppdb001", "<a href=\"server/ppdb001\">ppdb001</a>"},
	{"a b?#:", "<a href=\"server/a%20b%3F%23%3A\">a b?#:</a>"},
	{"<i>", "<a href=\"server/%3Ci%3E\">&lt;i&gt;</a>"},
	{"...", "<a href=\"server/...\">...</a>"},
	/* A browser treats these as path steps, encoded or not; nginx decodes the slash. */
	{".", NULL},
	{"..", NULL},
	{"a/../b", NULL},
};

static void names_are_linked_where_a_browser_can_follow(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct snapshot *snap = new_snapshot();
		struct fixture f;

		fixture_init(&f);
		add_sample(snap, names[i].name, &fleet[0]);
		fixture_use(&f, snap);
		render(&f, "heatmap", "");
		assert_has(f.out.data, names[i].link ? names[i].link : "<span>");
		if (!names[i].link)
			assert_has_not(f.out.data, "href=\"server/");
		assert_int_equal(count_of(render(&f, "overview", ""), "href=\"server/"),
				 names[i].link ? 4 : 0); /* sentence, case, its next step, row */
		fixture_free(&f);
	}
}

static const struct {
	const char *path, *style, *overview;
} places[] = {
	{"/nothing", "href=\"static/style.", "<p><a href=\"./\">Overview</a></p>"},
	{"/server/", "href=\"../static/style.", "<p><a href=\"../\">Overview</a></p>"},
	{"/a/b/c", "href=\"../../static/style.", "<p><a href=\"../../\">Overview</a></p>"},
	{"", "href=\"static/style.", "<p><a href=\"./\">Overview</a></p>"},
	{"/1/2/3/4/5/6/7/8/9/0/", "href=\"../../../../../../../../static/style.", "Overview"},
};

static void error_pages_lead_back_from_everywhere(void **unused)
{
	static const struct http_error error = {404, "Not found", "Nothing."};
	struct fixture f;

	(void)unused;
	fixture_init(&f);
	for (size_t i = 0; i < COUNT(places); i++) {
		buf_reset(&f.out);
		page_error(&error, NULL, MEDIA_HTML, span_str(places[i].path), &f.out);
		buf_char(&f.out, '\0');
		assert_has(f.out.data, places[i].style);
		assert_has(f.out.data, places[i].overview);
	}
	fixture_free(&f);
}

static void a_path_below_server_is_the_page_of_one(void **unused)
{
	(void)unused;
	assert_ptr_equal(page_find_path(SPAN("/server/ppdb001")), page_find_name("server"));
	assert_ptr_equal(page_find_path(SPAN("/server/a/b")), page_find_name("server"));
	assert_ptr_equal(page_find_path(SPAN("/api/v1/servers/x")), page_find_name("api-server"));
	assert_null(page_find_path(SPAN("/server")));
	assert_null(page_find_path(SPAN("/top/x")));
}

/* ---- whole texts ---- */

/* The content of <main>. */
static void assert_main(struct fixture *f, const char *page, const char *file)
{
	const char *from = strstr(render(f, page, ""), "<main"), *to;

	assert_non_null(from);
	from = strchr(from, '>') + 1;
	to = strstr(from, "</main>");
	assert_non_null(to);
	assert_expected(file, (struct span){from, (size_t)(to - from)});
}

static void assert_all(struct fixture *f, const char *page, const char *file)
{
	render(f, page, "");
	assert_expected(file, (struct span){f->out.data, f->out.len - 1});
}

static void whole_texts_are_as_expected(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_server(&f);
	assert_main(&f, "server", "server.html");
	assert_all(&f, "api-server", "api-server.json");
	assert_all(&f, "server-csv", "server.csv");
	assert_all(&f, "badge-server", "badge-server.svg");
	f.view.server = NULL;
	assert_main(&f, "top", "top.html");
	assert_all(&f, "api-top", "api-top.json");
	fixture_free(&f);
}

/* By risk and by name; the first and the last have one less. */
static void each_server_has_its_neighbours(void **unused)
{
	static const struct {
		const char *name, *worse, *better, *before, *after;
	} rows[] = {
		{"ppml0001", NULL, "ppdb001", "ppetl001", "ppweb001"},
		{"ppdb001", "ppml0001", "ppweb001", "ppcon01", "ppetl001"},
		{"ppweb001", "ppdb001", "ppcon01", "ppml0001", NULL},
		{"ppcon01", "ppweb001", HOSTILE, HOSTILE, "ppdb001"},
		{HOSTILE, "ppcon01", "ppetl001", NULL, "ppcon01"},
		{"ppetl001", HOSTILE, NULL, "ppdb001", "ppml0001"},
	};
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct server *s = &f.snap->servers[i];
		struct neighbours n = page_neighbours(f.snap, s);
		const struct server *found[] = {s, n.worse, n.better, n.before, n.after};
		const char *const wanted[] = {rows[i].name, rows[i].worse, rows[i].better,
					      rows[i].before, rows[i].after};

		assert_int_equal(n.rank, i + 1);
		for (size_t k = 0; k < COUNT(wanted); k++)
			if (wanted[k] ? !found[k] || !span_is(found[k]->name, wanted[k])
				      : found[k] != NULL)
				fail_msg("row %zu, %zu", i, k);
	}
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crossings_follow_the_limits_of_the_daemon),
		cmocka_unit_test(metrics_without_limits_or_values_cross_nothing),
		cmocka_unit_test(crossings_survive_the_compact_form),
		cmocka_unit_test(overview_tells_crossings),
		cmocka_unit_test(cpu_used_is_what_idle_leaves),
		cmocka_unit_test(a_band_is_as_long_as_its_shortest_list),
		cmocka_unit_test(half_an_hour_is_predicted_from_half_an_hour_on),
		cmocka_unit_test(a_chart_says_what_it_shows),
		cmocka_unit_test(an_axis_without_percent_ends_at_a_round_number),
		cmocka_unit_test(an_absent_forecast_is_no_empty_chart),
		cmocka_unit_test(the_worst_chart_keeps_its_budget),
		cmocka_unit_test(each_server_has_its_neighbours),
		cmocka_unit_test(pages_say_what_the_rules_give),
		cmocka_unit_test(an_average_of_the_api_is_exact),
		cmocka_unit_test(what_a_moment_keeps_besides_has_its_place),
		cmocka_unit_test(a_calm_fleet_says_so_before_its_cards),
		cmocka_unit_test(a_model_is_named_only_for_what_it_made),
		cmocka_unit_test(half_an_hour_of_forecast_is_enough_for_what_is_said_of_it),
		cmocka_unit_test(a_lost_forecast_is_told),
		cmocka_unit_test(crossings_stand_on_the_page_of_their_server),
		cmocka_unit_test(what_is_in_8_hours_takes_all_of_them),
		cmocka_unit_test(the_first_30_servers_tell_their_crossings),
		cmocka_unit_test(names_are_linked_where_a_browser_can_follow),
		cmocka_unit_test(error_pages_lead_back_from_everywhere),
		cmocka_unit_test(a_path_below_server_is_the_page_of_one),
		cmocka_unit_test(whole_texts_are_as_expected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
