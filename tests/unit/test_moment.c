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

static void encode_beside(const struct snapshot *snap, struct span record, struct buf *out)
{
	struct buf alone;

	buf_init(&alone, RECORD_MAX);
	moment_encode_both(snap, record, &alone, out);
	buf_free(&alone);
}

/* Alone and beside itself it is the same. */
static struct snapshot *again(const struct snapshot *snap)
{
	struct snapshot *alone, *back;
	struct buf record, beside;

	buf_init(&record, RECORD_MAX);
	buf_init(&beside, RECORD_MAX);
	moment_encode_both(snap, SPAN(""), &record, &beside);
	assert_true(buf_ok(&record) && buf_ok(&beside) && beside.len > 0);
	alone = moment_decode(buf_span(&record), (struct span){NULL, 0});
	back = moment_decode(buf_span(&beside), buf_span(&record));
	assert_non_null(alone);
	assert_non_null(back);
	assert_int_equal(alone->count, back->count);
	for (size_t i = 0; i < back->count; i++) {
		assert_true(span_eq(alone->servers[i].name, back->servers[i].name));
		assert_int_equal(alone->servers[i].risk, back->servers[i].risk);
	}
	snapshot_free(&alone);
	buf_free(&record);
	buf_free(&beside);
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

/* Sockets and days are whole. */
static void same_other(double then, double now, enum metric metric)
{
	double step = strstr(metric_table[metric].wire, "_wait") || metric == METRIC_UPTIME_DAYS
			      ? 1
			      : 0.1;

	assert_true(isnan(then) ? isnan(now) : fabs(then - now) <= step / 2 + 1e-9);
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
		snap->servers[0].load.now = METRIC_LOAD_MOST;
		back = again(snap);
		buf_init(&record, RECORD_MAX);
		horizons_encode(snap, &record);
		assert_true(buf_ok(&record));
		print_message("%s: %.1f\n", answers[a], (double)record.len / (double)snap->count);
		assert_int_equal(horizons_decode(buf_span(&record), SPAN(""), back), 0);
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
			for (int o = 0; o < OTHER_METRICS; o++)
				same_other(then.other[o], now->other[o], other_metrics[o]);
		}
		for (size_t at = 0; at < record.len; at += 7) {
			record.data[at] ^= 4;
			assert_int_equal(horizons_decode(buf_span(&record), SPAN(""), back), -1);
			record.data[at] ^= 4;
		}
		buf_free(&record);
		snapshot_free(&snap);
		snapshot_free(&back);
	}
}

/* A page of one server reads 40 records: of each only a small part, however large the fleet is. */
static void one_server_is_read_without_the_fleet(void **state)
{
	struct snapshot *snap = golden_snapshot("predictions_current-critical-500");
	struct forecasts all, one;
	struct buf record;

	(void)state;
	buf_init(&record, RECORD_MAX);
	snap->scenario.known = true;
	(void)snprintf(snap->scenario.name, sizeof(snap->scenario.name), "night ~1");
	horizons_encode(snap, &record);
	assert_int_equal(forecasts_decode(buf_span(&record), SPAN(""), HORIZONS, &all), 0);
	assert_int_equal(all.names->count, snap->count);
	assert_string_equal(all.scenario, "night ~1");
	for (size_t i = 0; i < all.names->count; i++) {
		struct span name = all.names->servers[i].name;
		const struct server *found;
		size_t k;

		assert_int_equal(forecasts_decode(buf_span(&record), name, HORIZONS, &one), 0);
		assert_in_range(one.names->count, 1, 24);
		found = snapshot_find(one.names, name);
		assert_non_null(found);
		k = (size_t)(found - one.names->servers);
		for (int m = 0; m < KEPT_METRICS; m++) {
			same_quantile(forecasts_now(&all, i, (enum kept_metric)m),
				      forecasts_now(&one, k, (enum kept_metric)m));
			same_quantile(
				forecasts_quantiles(&all, i, (enum kept_metric)m, HORIZONS - 1).p90,
				forecasts_quantiles(&one, k, (enum kept_metric)m, HORIZONS - 1)
					.p90);
		}
		same_other(forecasts_other(&all, i, 0), forecasts_other(&one, k, 0),
			   METRIC_CPU_USER);
		forecasts_free(&one);
	}
	assert_int_equal(forecasts_decode(buf_span(&record), SPAN("nobody"), HORIZONS, &one), 0);
	assert_int_equal(one.names->count, 0);
	forecasts_free(&one);
	forecasts_free(&all);
	buf_free(&record);
	snapshot_free(&snap);
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
	assert_int_equal(horizons_decode(buf_span(&record), SPAN(""), back), 0);
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
	/* In a straight line from one to the next. */
	back->servers[0].cpu.now = 10;
	back->servers[0].horizons->at[KEPT_CPU][0] = (struct quantiles){16, 22, 40};
	back->servers[0].horizons->at[KEPT_CPU][1] = (struct quantiles){4, 34, 100};
	band_of_horizons(&band, &back->servers[0], KEPT_CPU);
	assert_true(band.low[0] == 11 && band.median[0] == 12 && band.high[0] == 15);
	assert_true(band.low[5] == 16 && band.median[5] == 22 && band.high[5] == 40);
	assert_true(band.low[8] == 10 && band.median[8] == 28 && band.high[8] == 70);
	assert_true(band.low[11] == 4 && band.median[11] == 34 && band.high[11] == 100);
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
			const struct risk_rule *rule = risk_rule((enum component)c);
			const struct risk_step *steps = risk_steps((enum component)c, database);

			buf_addf(&text, "%d%c", rule->weight, rule->above ? '>' : '=');
			for (int i = 0; i < 4; i++) {
				assert_true(steps[i].limit == rint(steps[i].limit));
				buf_addf(&text, " %.0f:%d", steps[i].limit, steps[i].points);
			}
		}
	assert_int_equal(MOMENT_FORMAT, 3);
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
		{"predictions_current-healthy-20", 0x004091842017afd3, 0x8732901f5c719686,
		 0x38725ca031c72378, 0x23b0f9ea1ef4ffc4},
		{"predictions_current-critical-90", 0x279570e9f5a6b8c1, 0xaf92ddf2ffbdce63,
		 0x60416176f3a525ee, 0xb31ef378e63c4e32},
		{"predictions_synthetic-edges-68", 0xedbb5e94a501b27a, 0x9b675a7aac4e0d3e,
		 0x0572f0d10b2300f8, 0x7e56fcc4d4f3a110},
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

/* Of ten buckets of 30 s one is kept alone and with its forecasts, the others beside it. */
static double bytes_of_a_server(struct snapshot *snap)
{
	struct buf alone, beside, forecasts;
	double bytes;

	buf_init(&alone, RECORD_MAX);
	buf_init(&beside, RECORD_MAX);
	buf_init(&forecasts, RECORD_MAX);
	snap->interval_ms = 30000;
	snap->gen_ms = INT64_C(1763899265123);
	horizons_encode(snap, &forecasts);
	moment_encode(snap, &alone);
	snap->gen_ms += 30017;
	snap->bucket++;
	snap->prob_30m = 0.0731;
	encode_beside(snap, buf_span(&alone), &beside);
	bytes = (double)alone.len / 10 + 0.9 * (double)beside.len + (double)forecasts.len / 10;
	buf_free(&alone);
	buf_free(&beside);
	buf_free(&forecasts);
	return bytes / (double)snap->count;
}

/* The recorded answers are noise: no fleet needs more. */
static void a_server_takes_few_bytes(void **state)
{
	static const struct {
		const char *answer;
		double bytes;
	} most[] = {
		/* 1.1 of them are the other metrics' present values. */
		{"predictions_current-healthy-90", 21.4},
		{"predictions_current-critical-90", 21.4},
		{"predictions_current-critical-500", 20.5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		struct snapshot *snap = golden_snapshot(most[i].answer);
		double bytes = bytes_of_a_server(snap);

		print_message("%s: %.1f\n", most[i].answer, bytes);
		assert_true(bytes <= most[i].bytes);
		snapshot_free(&snap);
	}
}

/* Names of their own, and other servers than the earlier moment had. */
static void a_moment_needs_the_one_it_is_beside(void **state)
{
	struct snapshot *then = any_fleet(20), *now = any_fleet(30), *back;
	struct buf base, other, beside;

	(void)state;
	buf_init(&base, RECORD_MAX);
	buf_init(&other, RECORD_MAX);
	buf_init(&beside, RECORD_MAX);
	moment_encode(then, &base);
	moment_encode_both(now, buf_span(&base), &other, &beside);
	back = moment_decode(buf_span(&beside), buf_span(&base));
	assert_int_equal(back->count, now->count);
	snapshot_free(&back);
	assert_null(moment_decode(buf_span(&beside), buf_span(&other)));
	assert_null(moment_decode(buf_span(&beside), buf_span(&beside)));
	assert_null(moment_decode(buf_span(&beside), (struct span){NULL, 0}));
	back = moment_decode(buf_span(&other), buf_span(&base)); /* it is beside none */
	assert_int_equal(back->count, now->count);
	snapshot_free(&back);
	buf_reset(&other);
	encode_beside(now, buf_span(&beside), &other);
	encode_beside(now, SPAN("damaged"), &other);
	assert_true(buf_ok(&other) && other.len == 0);
	for (size_t at = 0; at < beside.len; at++) {
		beside.data[at] ^= 0x10;
		assert_null(moment_decode(buf_span(&beside), buf_span(&base)));
		beside.data[at] ^= 0x10;
	}
	buf_free(&base);
	buf_free(&other);
	buf_free(&beside);
	snapshot_free(&then);
	snapshot_free(&now);
}

static struct buf kept_before(const char *name)
{
	struct buf record;
	char path[200], chunk[4096];
	size_t n;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/tests/data/records/%s", getenv("srcdir"), name);
	file = fopen(path, "rb");
	assert_non_null(file);
	buf_init(&record, RECORD_MAX);
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(&record, chunk, n);
	(void)fclose(file);
	return record;
}

/* Format 2, as it was written of this answer. */
static void a_record_of_the_format_before_is_read(void **state)
{
	struct snapshot *snap = golden_snapshot("predictions_synthetic-edges-68");
	struct buf moment = kept_before("moment-2-edges-68"),
		   forecasts = kept_before("forecasts-2-edges-68"), now, then;
	struct snapshot *old = moment_decode(buf_span(&moment), (struct span){NULL, 0}), *new;

	(void)state;
	assert_non_null(old);
	assert_int_equal(horizons_decode(buf_span(&forecasts), SPAN(""), old), 0);
	snap->interval_ms = 30000;
	snap->bucket = 58800000;
	new = again(snap);
	buf_init(&now, RECORD_MAX);
	horizons_encode(snap, &now);
	assert_int_equal(horizons_decode(buf_span(&now), SPAN(""), new), 0);
	buf_reset(&now);
	buf_init(&then, RECORD_MAX);
	compact_encode(new, &now);
	compact_encode(old, &then);
	assert_true(span_eq(buf_span(&now), buf_span(&then)));
	for (size_t i = 0; i < old->count; i++) {
		const struct horizons *a = old->servers[i].horizons, *b = new->servers[i].horizons;

		assert_true(!a == !b);
		if (a)
			assert_memory_equal(a, b, offsetof(struct horizons, other));
		for (size_t o = 0; a && o < OTHER_METRICS; o++)
			assert_true(isnan(a->other[o])); /* they came with format 3 */
	}
	snapshot_free(&snap);
	snapshot_free(&old);
	snapshot_free(&new);
	buf_free(&moment);
	buf_free(&forecasts);
	buf_free(&now);
	buf_free(&then);
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
		assert_null(moment_decode(buf_span(&record), (struct span){NULL, 0}));
		record.data[at] ^= 0x10;
		assert_null(moment_decode((struct span){record.data, at}, (struct span){NULL, 0}));
	}
	assert_null(moment_decode((struct span){NULL, 0}, (struct span){NULL, 0}));
	buf_free(&record);
	snapshot_free(&snap);
}

/* ---- what another program may have written ---- */

enum spoilt {
	STEPS,
	CRITICAL_STEPS,
	SILENT_SINCE,
	LEVEL_SINCE,
	PROFILE_NUMBER,
	NAMES,
	PROGRESS,
	SCENARIO_COUNT,
	BUCKET_NUMBER,
	GEN,
	SERVED
};

/* A fleet of two servers in bucket 100 of 30 s, the first at a level that has a since. */
static struct snapshot *spoilt(enum spoilt what, int64_t value)
{
	struct snapshot *snap = new_snapshot();
	struct server *s;

	snap->bucket = 100;
	snap->gen_ms = 100 * 30000;
	add_sample(snap, "a", &fleet[0]);
	add_sample(snap, "b", &fleet[4]);
	assert_int_equal(snapshot_seal(snap), 0);
	s = &snap->servers[0];
	if (what == STEPS || what == CRITICAL_STEPS)
		s->crossings[0] = (struct crossing){(uint8_t)value, what == CRITICAL_STEPS, 50};
	if (what == SILENT_SINCE) {
		s->same_count = 9;
		s->same_since_ms = value;
	}
	if (what == LEVEL_SINCE)
		s->level_since_ms[level_of(s->risk)] = value;
	if (what == PROFILE_NUMBER)
		s->profile = (enum profile)value;
	if (what == NAMES)
		s->name.len = (size_t)value;
	if (what == PROGRESS)
		snap->warmup.progress_percent = (int)value;
	if (what == SCENARIO_COUNT)
		snap->scenario.affected = (int)value;
	if (what == BUCKET_NUMBER)
		snap->bucket = value;
	if (what == GEN)
		snap->gen_ms = value;
	if (what == SERVED)
		snap->served.calls = value;
	return snap;
}

/* The writer takes what it is given; the reader does not. */
static void what_no_fleet_can_be_is_refused(void **state)
{
	static const struct {
		enum spoilt what;
		int64_t value;
		bool good;
	} rows[] = {
		{STEPS, CROSSING_STEPS, true},
		{STEPS, CROSSING_STEPS + 1, false},
		{CRITICAL_STEPS, CROSSING_STEPS, true},
		{CRITICAL_STEPS, CROSSING_STEPS + 1, false},
		{SILENT_SINCE, 0, true},
		{SILENT_SINCE, -1000, false},
		{LEVEL_SINCE, 30000, true}, /* the first bucket */
		{LEVEL_SINCE, 29999, false},
		{LEVEL_SINCE, 100 * 30000, true},
		{PROFILE_NUMBER, PROFILE_COUNT - 1, true},
		{PROFILE_NUMBER, PROFILE_COUNT, false},
		{NAMES, 0, false},
		{PROGRESS, 100, true},
		{PROGRESS, 101, false},
		{PROGRESS, -1, false},
		{SCENARIO_COUNT, INT32_MAX, true},
		{SCENARIO_COUNT, -1, false},
		{BUCKET_NUMBER, (INT64_C(1) << 48) / 30000 - 1, true},
		{BUCKET_NUMBER, (INT64_C(1) << 48) / 30000, false},
		{BUCKET_NUMBER, -1, false},
		{GEN, (INT64_C(1) << 48) - 1, true},
		{GEN, INT64_C(1) << 48, false},
		{SERVED, -1, true}, /* not known */
		{SERVED, -2, false},
		{SERVED, (INT64_C(1) << 48) - 1, true},
		{SERVED, INT64_C(1) << 48, false},
	};
	struct buf record;

	(void)state;
	buf_init(&record, RECORD_MAX);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct snapshot *snap = spoilt(rows[i].what, rows[i].value), *back;

		buf_reset(&record);
		moment_encode(snap, &record);
		assert_true(buf_ok(&record));
		back = moment_decode(buf_span(&record), (struct span){NULL, 0});
		if ((back != NULL) != rows[i].good)
			fail_msg("row %zu", i);
		snapshot_free(&back);
		snapshot_free(&snap);
	}
	buf_free(&record);
}

/* A value beyond its metric's range is absent, whoever wrote it. */
static void values_beyond_their_range_are_absent(void **state)
{
	static const struct {
		double written, most;
		bool there;
	} rows[] = {{100, 100, true},
		    {100.1, 100, false},
		    {METRIC_LOAD_MOST, METRIC_LOAD_MOST, true},
		    {METRIC_LOAD_MOST + 1, METRIC_LOAD_MOST, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct snapshot *snap = spoilt(GEN, 100 * 30000), *back;
		struct server *s = &snap->servers[1], *then;
		bool load = rows[i].most > 100, there = rows[i].there;
		struct reading r = {rows[i].written, rows[i].written, rows[i].written, NAN,
				    -rows[i].written};

		if (load)
			s->load = r;
		else
			s->cpu = s->memory = s->iowait = r;
		s->swap_now = load ? 0 : rows[i].written;
		s->crossings[0] = (struct crossing){3, false, load ? 50 : rows[i].written};
		if (there) /* the reader works the risk out again */
			risk_score(s);
		back = again(snap);
		then = &back->servers[span_eq(back->servers[0].name, s->name) ? 0 : 1];
		r = load ? then->load : then->cpu;
		assert_int_equal(!isnan(r.now), there);
		assert_int_equal(!isnan(r.worst), there);
		assert_int_equal(!isnan(r.change), there);
		assert_int_equal(!isnan(load ? r.now : then->memory.predicted), there);
		assert_int_equal(!isnan(load ? r.now : then->iowait.now), there);
		assert_int_equal(!isnan(then->swap_now), load || there);
		assert_int_equal(!isnan(then->crossings[0].peak), load || there);
		snapshot_free(&snap);
		snapshot_free(&back);
	}
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
		back = moment_decode(buf_span(&record), (struct span){NULL, 0});
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
		cmocka_unit_test(one_server_is_read_without_the_fleet),
		cmocka_unit_test(a_band_goes_through_now_and_the_horizons),
		cmocka_unit_test(the_rules_are_those_of_the_format),
		cmocka_unit_test(bytes_are_those_of_the_format),
		cmocka_unit_test(a_server_takes_few_bytes),
		cmocka_unit_test(a_moment_needs_the_one_it_is_beside),
		cmocka_unit_test(a_record_of_the_format_before_is_read),
		cmocka_unit_test(damaged_bytes_are_no_moment),
		cmocka_unit_test(what_no_fleet_can_be_is_refused),
		cmocka_unit_test(values_beyond_their_range_are_absent),
		cmocka_unit_test(forged_bytes_are_within_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
