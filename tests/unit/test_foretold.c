/* SPDX-License-Identifier: MIT */
/* What was forecast for now (doc/pages.md#server): which forecasts, and the section that shows them. */
#include "config.h"

#include "fleet/foretold.h"
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

	server->series = series_new();
	set_quantiles(server->series, METRIC_CPU_IDLE, 2, 5, 10);
	set_quantiles(server->series, METRIC_MEM_USED, 95, 97, 99);
	set_quantiles(server->series, METRIC_LOAD, 6, 7, 8);
	assert_int_equal(snapshot_seal(snap), 0);
	buf_init(&record, 1 << 20);
	horizons_encode(snap, &record);
	snapshot_free(&snap);
	return record;
}

static int take(struct foretold *foretold, int64_t made_ms)
{
	struct buf record = record_of("ppml0001");
	int rc = foretold_take(foretold, made_ms, buf_span(&record));

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
			struct foretold foretold;

			foretold_init(&foretold, NOW_MS, SPAN("ppml0001"));
			assert_int_equal(take(&foretold, made_ms), 0);
			assert_int_equal(foretold.made_ms[h], cases[i].taken ? made_ms : 0);
			assert_int_equal(!isnan(foretold.value[h][KEPT_MEMORY].p50),
					 cases[i].taken);
		}
}

static void the_limits_of_a_band_are_inside_as_printed(void **unused)
{
	static const struct {
		struct quantiles band;
		double value;
		enum foretold_fit fit;
	} cases[] = {
		{{10, 50, 90}, 10, FORETOLD_INSIDE},     {{10, 50, 90}, 9.96, FORETOLD_INSIDE},
		{{10, 50, 90}, 9.94, FORETOLD_BELOW},    {{10, 50, 90}, 90, FORETOLD_INSIDE},
		{{10, 50, 90}, 90.04, FORETOLD_INSIDE},  {{10, 50, 90}, 90.06, FORETOLD_ABOVE},
		{{7.1, 7.1, 7.1}, 7.1, FORETOLD_INSIDE}, {{10, 50, 90}, NAN, FORETOLD_ABSENT},
		{{NAN, NAN, NAN}, 50, FORETOLD_ABSENT},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(foretold_fit(&cases[i].band, cases[i].value), cases[i].fit);
}

static void another_record_is_refused(void **unused)
{
	struct foretold foretold;

	(void)unused;
	foretold_init(&foretold, NOW_MS, SPAN("ppml0001"));
	assert_int_equal(foretold_take(&foretold, NOW_MS - 30 * MINUTE, SPAN("x")), -1);
	assert_int_equal(foretold.made_ms[0], 0);
}

/* ---- the section ---- */

static const char *section(struct fixture *f, const struct foretold *foretold)
{
	f->view.foretold = foretold;
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
	struct foretold foretold;
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	f.view.server = &f.snap->servers[0];
	foretold_init(&foretold, NOW_MS, SPAN("ppml0001"));
	take(&foretold, NOW_MS - 31 * MINUTE);
	take(&foretold, NOW_MS - 60 * MINUTE);
	take(&foretold, NOW_MS - 480 * MINUTE);
	assert_int_equal(foretold_take(&foretold, NOW_MS - 121 * MINUTE, buf_span(&other)), 0);
	section(&f, &foretold);
	f.out.len--;
	assert_expected("foretold.html", buf_span(&f.out));
	/* The page of the server has it. */
	assert_has(render(&f, "server", ""), "<section class=\"panel\" id=\"foretold\">");
	buf_free(&other);
	fixture_free(&f);
}

static void without_any_forecast_it_says_so(void **unused)
{
	struct foretold foretold;
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	f.view.server = &f.snap->servers[1];
	foretold_init(&foretold, NOW_MS, SPAN("ppml0001"));
	assert_has(section(&f, &foretold), "<p>No forecast for this time is kept.</p>");
	assert_string_equal(section(&f, NULL), "");
	fixture_free(&f);
}

static void the_link_keeps_profile_and_moment(void **unused)
{
	struct foretold foretold;
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	f.view.server = &f.snap->servers[1];
	foretold_init(&foretold, NOW_MS, SPAN("ppml0001"));
	f.view.foretold = &foretold;
	assert_has(render(&f, "server", "at=2025-11-23T12:01:00Z"),
		   "<a href=\"../accuracy?profile=db&amp;at=2025-11-23T12:01:00Z\">");
	fixture_free(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_nearest_forecast_is_at_most_half_a_step_away),
		cmocka_unit_test(the_limits_of_a_band_are_inside_as_printed),
		cmocka_unit_test(another_record_is_refused),
		cmocka_unit_test(each_horizon_is_a_row),
		cmocka_unit_test(without_any_forecast_it_says_so),
		cmocka_unit_test(the_link_keeps_profile_and_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
