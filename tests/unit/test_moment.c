/* SPDX-License-Identifier: MIT */
/* Records of moments: pages from them equal the pages from the snapshot; sizes; damage. */
#include "config.h"

#include "view_fixture.h"

#include "base/fmt.h"
#include "base/hash.h"
#include "fleet/compact.h"
#include "fleet/heat.h"
#include "fleet/horizons.h"
#include "fleet/moment.h"
#include "fleet/shown.h"
#include "golden.h"

#define RECORD_MAX (8u << 20)

static struct snapshot *again(const struct snapshot *snap)
{
	struct snapshot *back;
	struct buf record;

	buf_init(&record, RECORD_MAX);
	moment_encode(snap, &record);
	assert_true(buf_ok(&record));
	back = moment_decode(buf_span(&record));
	assert_non_null(back);
	buf_free(&record);
	return back;
}

/* ---- pages ---- */

static void same_text(const char *now, const char *then)
{
	size_t at = 0;

	while (now[at] && now[at] == then[at])
		at++;
	if (now[at] != then[at])
		fail_msg("after %.*s\nnow  %.80s\nthen %.80s", at > 200 ? 200 : (int)at,
			 now + (at > 200 ? at - 200 : 0), now + at, then + at);
}

/* Every page that needs only a snapshot, in orders that distinguish close values. */
static const struct {
	const char *page, *query;
} views[] = {
	{"overview", ""},
	{"overview", "sort=cpu"},
	{"overview", "sort=-cpu30"},
	{"overview", "sort=dcpu"},
	{"overview", "sort=-io&page=1"},
	{"overview", "sort=dmem&sev=watch-up"},
	{"heatmap", ""},
	{"heatmap", "metric=cpu"},
	{"heatmap", "metric=memory&group=profile"},
	{"heatmap", "metric=load&sort=value"},
	{"top", "n=20"},
	{"cost", ""},
	{"remediation", ""},
	{"alerting", ""},
	{"history", ""},
	{"badge-fleet", ""},
};

static void use(struct fixture *f, struct snapshot *snap)
{
	f->view.snap = snap;
	f->view.scenario = &snap->scenario;
}

static void drop_series(struct snapshot *snap)
{
	for (size_t i = 0; i < snap->count; i++) {
		free(snap->servers[i].series);
		snap->servers[i].series = NULL;
	}
}

static void same_pages(struct snapshot *snap)
{
	struct snapshot *back;
	struct fixture f;

	fixture_init(&f);
	drop_series(snap);
	back = again(snap);
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		char *then;

		use(&f, snap);
		then = strdup(render(&f, views[i].page, views[i].query));
		use(&f, back);
		same_text(render(&f, views[i].page, views[i].query), then);
		free(then);
	}
	snapshot_free(&back);
	fixture_free(&f);
}

static void pages_of_a_moment_are_the_pages_of_then(void **state)
{
	static const char *const answers[] = {
		"predictions_current-healthy-20",
		"predictions_current-critical-20",
		"predictions_current-healthy-90",
		"predictions_current-degrading-90",
		"predictions_current-critical_escalated-90",
		"predictions_current-critical-500",
		"predictions_synthetic-edges-68",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct snapshot *snap = golden_snapshot(answers[i]);

		snap->interval_ms = 30000;
		snap->gen_ms = GEN_MS;
		snap->bucket = GEN_MS / 30000;
		same_pages(snap);
		snapshot_free(&snap);
	}
}

static void the_page_of_every_server_too(void **state)
{
	struct snapshot *snap = golden_snapshot("predictions_current-critical-90"), *back;
	struct fixture f;

	(void)state;
	fixture_init(&f);
	snap->interval_ms = 30000;
	drop_series(snap);
	back = again(snap);
	for (size_t i = 0; i < snap->count; i++) {
		char *then;

		use(&f, snap);
		f.view.server = &snap->servers[i];
		then = strdup(render(&f, "server", ""));
		use(&f, back);
		f.view.server = &back->servers[i];
		same_text(render(&f, "server", ""), then);
		free(then);
	}
	snapshot_free(&snap);
	snapshot_free(&back);
	fixture_free(&f);
}

/* ---- values ---- */

static unsigned seed = 1;

static double any(double most)
{
	static const double near[] = {0, -0.04, 0.04, 0.05, -0.05, 0.0499, -0.0001, 0.0001};
	double limit;

	seed = seed * 1103515245 + 12345;
	limit = (seed >> 8) % (unsigned)(most + 1);
	seed = seed * 1103515245 + 12345;
	if (seed >> 28 == 0)
		return NAN;
	limit += seed >> 30 ? near[seed >> 16 & 7] : (seed >> 8 & 0xffff) / 65536.0;
	return limit < 0 ? 0 : limit > most ? most : limit;
}

static struct reading any_reading(double most)
{
	struct reading r = {any(most), any(most), any(most), NAN, NAN};

	r.change = r.predicted - r.now;
	return r;
}

static struct snapshot *any_fleet(unsigned count)
{
	struct snapshot *snap = new_snapshot();

	for (unsigned i = 0; i < count; i++) {
		char name[32];
		struct server *s;

		(void)snprintf(name, sizeof(name), "pp%s%03u", i % 3 ? "web" : "db", i);
		s = snapshot_add(snap, span_str(name));
		assert_non_null(s);
		s->profile = profile_of(span_str(name));
		s->cpu = any_reading(100);
		s->iowait = any_reading(100);
		s->memory = any_reading(100);
		s->load = any_reading(40);
		s->swap_now = any(100);
		s->has_data = i % 7 != 0;
		risk_score(s);
	}
	assert_int_equal(snapshot_seal(snap), 0);
	return snap;
}

static void same_print(double then, double now, int decimals)
{
	struct buf a, b;

	buf_init(&a, 64);
	buf_init(&b, 64);
	fmt_number(&a, then, decimals);
	fmt_number(&b, now, decimals);
	if (!span_eq(buf_span(&a), buf_span(&b)))
		fail_msg("%.17g was printed as another number: %.17g", then, now);
	buf_free(&a);
	buf_free(&b);
}

static void same_value(double then, double now)
{
	same_print(then, now, 1);
	for (int kind = MARK_KIND_CPU; kind <= MARK_KIND_LOAD; kind++)
		assert_int_equal(mark_of((enum mark_kind)kind, then),
				 mark_of((enum mark_kind)kind, now));
	assert_true(isnan(then) ? isnan(now) : shown(then) == shown(now));
}

static void same_reading(const struct reading *then, const struct reading *now)
{
	struct buf a, b;

	same_value(then->now, now->now);
	same_value(then->predicted, now->predicted);
	same_value(then->worst, now->worst);
	buf_init(&a, 64);
	buf_init(&b, 64);
	fmt_delta(&a, then->change, "%");
	fmt_delta(&b, now->change, "%");
	assert_true(span_eq(buf_span(&a), buf_span(&b)));
	buf_free(&a);
	buf_free(&b);
}

static void same_server(const struct server *then, const struct server *now)
{
	assert_true(span_eq(then->name, now->name));
	assert_int_equal(then->profile, now->profile);
	assert_int_equal(then->risk, now->risk);
	assert_int_equal(then->has_data, now->has_data);
	assert_memory_equal(then->points, now->points, sizeof(then->points));
	same_reading(&then->cpu, &now->cpu);
	same_reading(&then->iowait, &now->iowait);
	same_reading(&then->memory, &now->memory);
	same_reading(&then->load, &now->load);
	same_print(then->load.now, now->load.now, 2);
	same_value(then->swap_now, now->swap_now);
}

static void values_near_limits_keep_print_mark_and_order(void **state)
{
	(void)state;
	for (int round = 0; round < 50; round++) {
		struct snapshot *snap = any_fleet(200), *back = again(snap);

		assert_int_equal(snap->count, back->count);
		for (size_t i = 0; i < snap->count; i++)
			same_server(&snap->servers[i], &back->servers[i]);
		snapshot_free(&snap);
		snapshot_free(&back);
	}
}

static void silence_and_crossings_stay(void **state)
{
	struct snapshot *snap = any_fleet(9), *back;
	struct server *s = &snap->servers[3];

	(void)state;
	s->has_data = true;
	s->same_count = 9;
	s->same_since_ms = GEN_MS - 61500;
	s->crossings[CROSSING_MEM_USED] = (struct crossing){7, true, 98.25};
	s->crossings[CROSSING_CPU_USER] = (struct crossing){12, false, NAN};
	back = again(snap);
	assert_true(server_is_silent(&back->servers[3], GEN_MS));
	assert_int_equal(back->servers[3].same_since_ms / 1000, s->same_since_ms / 1000);
	assert_false(server_is_silent(&back->servers[4], GEN_MS));
	assert_int_equal(crossing_count(back->servers[3].crossings), 2);
	assert_int_equal(back->servers[3].crossings[CROSSING_MEM_USED].steps, 7);
	assert_true(back->servers[3].crossings[CROSSING_MEM_USED].critical);
	assert_false(back->servers[3].crossings[CROSSING_CPU_USER].critical);
	same_print(98.25, back->servers[3].crossings[CROSSING_MEM_USED].peak, 1);
	assert_int_equal(crossing_count(back->servers[4].crossings), 0);
	snapshot_free(&snap);
	snapshot_free(&back);
}

static void no_server_is_a_moment_too(void **state)
{
	struct snapshot *snap = new_snapshot(), *back;

	(void)state;
	assert_int_equal(snapshot_seal(snap), 0);
	back = again(snap);
	assert_int_equal(back->count, 0);
	assert_int_equal(back->bucket, snap->bucket);
	snapshot_free(&snap);
	snapshot_free(&back);
}

/* ---- forecasts ---- */

static void same_quantile(double then, double now)
{
	assert_true(isnan(then) ? isnan(now) : fabs(shown(then) - now) < 1e-9);
}

static void forecasts_come_back_in_tenths(void **state)
{
	static const char *const answers[] = {
		"predictions_current-healthy-20", "predictions_current-critical-90",
		"predictions_current-critical-500", "predictions_synthetic-edges-68"};

	(void)state;
	for (size_t a = 0; a < sizeof(answers) / sizeof(answers[0]); a++) {
		struct snapshot *snap = golden_snapshot(answers[a]), *back;
		struct buf record;

		snap->interval_ms = 30000;
		back = again(snap);
		buf_init(&record, RECORD_MAX);
		horizons_encode(snap, &record);
		assert_true(buf_ok(&record));
		print_message("%s: %.1f\n", answers[a], (double)record.len / (double)snap->count);
		assert_int_equal(horizons_decode(buf_span(&record), back), 0);
		for (size_t i = 0; i < snap->count; i++) {
			struct horizons then, *now = back->servers[i].horizons;

			horizons_of(&snap->servers[i], snap->model, &then);
			assert_non_null(now);
			for (int m = 0; m < KEPT_METRICS; m++) {
				same_quantile(then.now[m], now->now[m]);
				for (int h = 0; h < HORIZONS; h++) {
					same_quantile(then.at[m][h].p10, now->at[m][h].p10);
					same_quantile(then.at[m][h].p50, now->at[m][h].p50);
					same_quantile(then.at[m][h].p90, now->at[m][h].p90);
				}
			}
		}
		for (size_t at = 0; at < record.len; at += 7) {
			record.data[at] ^= 4;
			assert_int_equal(horizons_decode(buf_span(&record), back), -1);
			record.data[at] ^= 4;
		}
		buf_free(&record);
		snapshot_free(&snap);
		snapshot_free(&back);
	}
}

static void a_band_goes_through_now_and_the_horizons(void **state)
{
	struct snapshot *snap = golden_snapshot("predictions_current-healthy-20"), *back;
	struct band band, exact;
	struct buf record;

	(void)state;
	snap->interval_ms = 30000;
	back = again(snap);
	band_of_horizons(&band, &back->servers[0], KEPT_MEMORY);
	assert_int_equal(band.len, 0);
	buf_init(&record, RECORD_MAX);
	horizons_encode(snap, &record);
	assert_int_equal(horizons_decode(buf_span(&record), back), 0);
	band_of_horizons(&band, &back->servers[0], KEPT_MEMORY);
	band_of_metric(&exact, snap->servers[0].series, METRIC_MEM_USED);
	assert_int_equal(band.len, FORECAST_STEPS);
	for (int h = 0; h < HORIZONS; h++) {
		size_t i = horizon_steps[h] - 1;

		assert_true(fabs(band.median[i] - exact.median[i]) < 0.051);
		assert_true(fabs(band.high[i] - exact.high[i]) < 0.051);
	}
	assert_true(fabs(band.median[2] - (back->servers[0].memory.now + band.median[5]) / 2) <
		    1e-9);
	assert_true(band.percent);
	assert_int_equal(band.range_len, band.len);
	band_of_horizons(&band, &back->servers[0], KEPT_CPU);
	assert_true(fabs(band.median[2] - (back->servers[0].cpu.now + band.median[5]) / 2) < 1e-9);
	band_of_horizons(&band, &back->servers[0], KEPT_IOWAIT);
	assert_true(fabs(band.high[2] - (back->servers[0].iowait.now + band.high[5]) / 2) < 1e-9);
	band_of_horizons(&band, &back->servers[0], KEPT_LOAD);
	assert_true(fabs(band.low[2] - (back->servers[0].load.now + band.low[5]) / 2) < 1e-9);
	assert_false(band.percent);
	/* It ends before a horizon that is absent. */
	back->servers[0].horizons->at[KEPT_CPU][2].p10 = NAN;
	band_of_horizons(&band, &back->servers[0], KEPT_CPU);
	assert_int_equal(band.len, 12);
	buf_free(&record);
	snapshot_free(&snap);
	snapshot_free(&back);
}

/* ---- the format ---- */

/* The rules are part of the format: records were scored by them. If you change a number here,
 * introduce a new MOMENT_FORMAT, and read the old one by the old rules for as long as its records
 * are kept. */
static void the_rules_are_those_of_the_format(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, 4096);
	for (int database = 0; database < 2; database++)
		for (int c = 0; c < COMPONENT_COUNT; c++) {
			const struct risk_rule *rule = risk_rule((enum component)c, database);

			buf_addf(&text, "%d%c", rule->weight, rule->above ? '>' : '=');
			for (int i = 0; i < 4; i++) {
				assert_true(rule->steps[i].limit == rint(rule->steps[i].limit));
				buf_addf(&text, " %.0f:%d", rule->steps[i].limit,
					 rule->steps[i].points);
			}
		}
	assert_int_equal(MOMENT_FORMAT, 2);
	assert_true(hash_xxh64(buf_span(&text)) == 0x873f1debf0333ca2);
	buf_free(&text);
}

/* ---- bytes ---- */

/* Other versions read what this one stores, for as long as it is kept. A change of the bytes needs
 * a new format. */
static void bytes_are_those_of_the_format(void **state)
{
	static const struct {
		const char *answer;
		uint64_t moment, horizons, compact, series;
	} rows[] = {
		{"predictions_current-healthy-20", 0xbe68addaaee13c19, 0x0db47bca015ff5ec,
		 0x4a984c20e0db0fa4, 0x23b0f9ea1ef4ffc4},
		{"predictions_current-critical-90", 0xa8ef55471042f64a, 0x89f268001f05b850,
		 0x14066ed6c613caed, 0xb31ef378e63c4e32},
		{"predictions_synthetic-edges-68", 0x07e89e15af9b4eba, 0x8b779e992bc57faf,
		 0x08b4377d5555037c, 0x7e56fcc4d4f3a110},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct snapshot *snap = golden_snapshot(rows[i].answer);
		struct buf record;

		buf_init(&record, RECORD_MAX);
		snap->interval_ms = 30000;
		snap->bucket = 58800000;
		moment_encode(snap, &record);
		assert_int_equal(hash_xxh64(buf_span(&record)), rows[i].moment);
		buf_reset(&record);
		horizons_encode(snap, &record);
		assert_int_equal(hash_xxh64(buf_span(&record)), rows[i].horizons);
		buf_reset(&record);
		compact_encode(snap, &record);
		assert_int_equal(hash_xxh64(buf_span(&record)), rows[i].compact);
		buf_reset(&record);
		for (size_t n = 0; n < snap->count; n++)
			if (snap->servers[n].series)
				series_encode(snap->servers[n].series, &record);
		assert_int_equal(hash_xxh64(buf_span(&record)), rows[i].series);
		buf_free(&record);
		snapshot_free(&snap);
	}
}

/* The recorded answers are noise: no fleet needs more. */
static void a_server_takes_few_bytes(void **state)
{
	static const struct {
		const char *answer;
		double bytes;
	} most[] = {
		{"predictions_current-healthy-90", 20.5},
		{"predictions_current-critical-90", 20.5},
		{"predictions_current-critical-500", 19},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		struct snapshot *snap = golden_snapshot(most[i].answer);
		struct buf record;

		snap->interval_ms = 30000;
		buf_init(&record, RECORD_MAX);
		moment_encode(snap, &record);
		print_message("%s: %.1f\n", most[i].answer,
			      (double)record.len / (double)snap->count);
		assert_true((double)record.len <= most[i].bytes * (double)snap->count);
		buf_free(&record);
		snapshot_free(&snap);
	}
}

static void damaged_bytes_are_no_moment(void **state)
{
	struct snapshot *snap = any_fleet(20);
	struct buf record;

	(void)state;
	buf_init(&record, RECORD_MAX);
	moment_encode(snap, &record);
	for (size_t at = 0; at < record.len; at++) {
		record.data[at] ^= 0x10;
		assert_null(moment_decode(buf_span(&record)));
		record.data[at] ^= 0x10;
		assert_null(moment_decode((struct span){record.data, at}));
	}
	assert_null(moment_decode((struct span){NULL, 0}));
	buf_free(&record);
	snapshot_free(&snap);
}

/* With a correct checksum, every decoded value is still within the range that pages rely on. */
static void forged_bytes_are_within_range(void **state)
{
	struct snapshot *snap = any_fleet(20), *back;
	struct buf record;

	(void)state;
	buf_init(&record, RECORD_MAX);
	moment_encode(snap, &record);
	for (size_t at = 13; at < record.len; at++) {
		uint64_t sum;

		record.data[at] ^= 0x11;
		sum = hash_xxh64((struct span){record.data + 13, record.len - 13});
		for (int i = 0; i < 8; i++)
			record.data[5 + i] = (char)(sum >> 8 * i & 0xff);
		back = moment_decode(buf_span(&record));
		record.data[at] ^= 0x11;
		for (size_t i = 0; back && i < back->count; i++) {
			const struct server *s = &back->servers[i];

			assert_in_range(s->risk, 0, RISK_MAX);
			assert_in_range(s->profile, 0, PROFILE_COUNT - 1);
			assert_true(isnan(s->cpu.worst) ||
				    (s->cpu.worst >= 0 && s->cpu.worst <= 100));
			assert_true(isnan(s->load.now) || s->load.now >= 0);
		}
		snapshot_free(&back);
	}
	buf_free(&record);
	snapshot_free(&snap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_of_a_moment_are_the_pages_of_then),
		cmocka_unit_test(the_page_of_every_server_too),
		cmocka_unit_test(values_near_limits_keep_print_mark_and_order),
		cmocka_unit_test(silence_and_crossings_stay),
		cmocka_unit_test(no_server_is_a_moment_too),
		cmocka_unit_test(forecasts_come_back_in_tenths),
		cmocka_unit_test(a_band_goes_through_now_and_the_horizons),
		cmocka_unit_test(the_rules_are_those_of_the_format),
		cmocka_unit_test(bytes_are_those_of_the_format),
		cmocka_unit_test(a_server_takes_few_bytes),
		cmocka_unit_test(damaged_bytes_are_no_moment),
		cmocka_unit_test(forged_bytes_are_within_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
