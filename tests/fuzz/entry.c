/* SPDX-License-Identifier: MIT */
/*
 * The records that are read back from Redis. The first byte chooses: a compact snapshot, the series
 * of a server, points of the history, the risks of a server, a moment or kept forecasts, whose
 * packed part is given unpacked, or incidents. Impossible records are refused; accepted values are
 * in their ranges and can be stored again unchanged. For pages made from them see stored.c.
 */
#include "config.h"

#include <math.h>

#include "fleet/compact.h"
#include "fleet/horizons.h"
#include "fleet/incidents.h"
#include "fleet/moment.h"
#include "fuzz.h"
#include "records.h"
#include "fleet/series.h"
#include "base/text.h"
#include "base/utf8.h"

/* --- compact snapshots --- */

static void check_stored(const struct snapshot *snap)
{
	struct snapshot *again;
	struct buf once, twice;

	buf_init(&once, 1 << 24);
	buf_init(&twice, 1 << 24);
	compact_encode(snap, &once);
	again = compact_decode(buf_span(&once));
	REQUIRE(again);
	compact_encode(again, &twice);
	REQUIRE(span_eq(buf_span(&once), buf_span(&twice)));
	snapshot_free(&again);
	buf_free(&once);
	buf_free(&twice);
}

static void check_servers(const struct snapshot *snap)
{
	for (size_t i = 0; i < snap->count; i++) {
		const struct server *s = &snap->servers[i];

		REQUIRE(s->name.len > 0 && s->name.len <= SNAPSHOT_NAME_MAX && utf8_valid(s->name));
		REQUIRE(s->risk >= 0 && s->risk <= RISK_MAX);
		REQUIRE(snapshot_find(snap, s->name) == s);
	}
}

static void fuzz_snapshot(struct span input)
{
	struct snapshot *snap = compact_decode(input);

	if (!snap)
		return;
	check_servers(snap);
	check_stored(snap);
	snapshot_free(&snap);
}

/* --- the series of one server --- */

static void check_series(const struct series *series)
{
	struct series again;
	struct buf once, twice;

	buf_init(&once, 1 << 20);
	buf_init(&twice, 1 << 20);
	series_encode(series, &once);
	REQUIRE(series_decode(buf_span(&once), &again) == 0);
	series_encode(&again, &twice);
	REQUIRE(span_eq(buf_span(&once), buf_span(&twice)));
	buf_free(&once);
	buf_free(&twice);
}

static void fuzz_series(struct span input)
{
	struct series series;

	if (series_decode(input, &series) == 0)
		check_series(&series);
}

/* --- history --- */

static void check_history(const struct history *h, enum history_metric metric)
{
	static struct history_column columns[HISTORY_COLUMNS];
	size_t n = history_thin(h, metric, columns, HISTORY_COLUMNS);
	struct history_stats stats;

	history_stats(h, metric, &stats);
	REQUIRE(stats.points <= history_count(h) && n <= HISTORY_COLUMNS && n <= history_count(h));
	REQUIRE(stats.points == 0 || (stats.min <= stats.max && stats.peak));
	for (size_t i = 0; i < n; i++) {
		REQUIRE(columns[i].min <= columns[i].max && columns[i].peak);
		REQUIRE(i == 0 || columns[i - 1].at_ms < columns[i].at_ms);
	}
}

static void add_names(const struct history *h)
{
	struct buf name;

	buf_init(&name, 1 << 20);
	for (size_t i = 0; i < history_count(h); i++) {
		history_name(h, history_points(h)[i].worst, &name);
		history_name(h, history_points(h)[i].scenario, &name);
	}
	REQUIRE(buf_ok(&name));
	buf_free(&name);
}

static void check_metrics(const struct history *h)
{
	for (int metric = 0; metric <= HISTORY_HIGHEST; metric++)
		check_history(h, (enum history_metric)metric);
	add_names(h);
}

static void fuzz_history(struct span input)
{
	unsigned choice = fuzz_byte(&input);
	struct history h;

	fuzz_read_history(&h, choice, input);
	check_metrics(&h);
	history_free(&h);
}

static void fuzz_risks(struct span input)
{
	unsigned choice = fuzz_byte(&input);
	struct history h;

	fuzz_read_risks(&h, choice, SPAN("ppml0001"), input);
	check_metrics(&h);
	history_free(&h);
}

/* --- moments and kept forecasts --- */

static void check_percent(double value)
{
	REQUIRE(isnan(value) || (value >= 0 && value <= 100));
}

/* What was read is written unchanged: the second record equals the third. */
static void check_kept(const struct snapshot *snap)
{
	struct snapshot *again, *once_more;
	struct buf second, third;

	buf_init(&second, 1 << 24);
	buf_init(&third, 1 << 24);
	moment_encode(snap, &second);
	again = moment_decode(buf_span(&second), (struct span){NULL, 0});
	REQUIRE(again && again->count == snap->count);
	moment_encode(again, &third);
	once_more = moment_decode(buf_span(&third), (struct span){NULL, 0});
	REQUIRE(once_more);
	for (size_t i = 0; i < snap->count; i++)
		REQUIRE(span_eq(again->servers[i].name, once_more->servers[i].name) &&
			again->servers[i].risk == once_more->servers[i].risk);
	snapshot_free(&again);
	snapshot_free(&once_more);
	buf_free(&second);
	buf_free(&third);
}

static void fuzz_moment(struct span input)
{
	struct snapshot *snap = fuzz_read_moment(input);

	if (snap) {
		check_servers(snap);
		for (size_t i = 0; i < snap->count; i++) {
			check_percent(snap->servers[i].cpu.worst);
			check_percent(snap->servers[i].memory.now);
			check_percent(snap->servers[i].swap_now);
		}
		check_kept(snap);
		snapshot_free(&snap);
	}
}

static void fuzz_horizons(struct span input)
{
	struct snapshot *snap = snapshot_new();

	REQUIRE(snap && snapshot_add(snap, SPAN("a")) && snapshot_add(snap, SPAN("ppml0001")) &&
		snapshot_seal(snap) == 0);
	if (fuzz_read_horizons(input, snap) == 0)
		for (size_t i = 0; i < snap->count; i++)
			for (int h = 0; snap->servers[i].horizons && h < HORIZONS; h++) {
				double p50 = snap->servers[i].horizons->at[KEPT_LOAD][h].p50;

				REQUIRE(isnan(p50) || (p50 >= 0 && p50 <= METRIC_LOAD_MOST));
			}
	snapshot_free(&snap);
}

/* --- incidents --- */

static void check_incident(const struct incidents *incidents, const struct incident *i)
{
	REQUIRE(i->from_ms >= 0 && i->from_ms <= i->peak_ms && i->peak_ms <= i->last_ms);
	REQUIRE(i->to_ms == 0 || i->to_ms >= i->last_ms);
	REQUIRE(i->risk >= 0 && i->risk <= RISK_MAX && i->rule <= COMPONENT_COUNT);
	REQUIRE(i->servers <= SNAPSHOT_SERVERS && i->profile < PROFILE_COUNT);
	REQUIRE(!i->environment || i->status >= STATUS_WARNING);
	REQUIRE(i->environment || incident_name(incidents, i).len > 0);
	REQUIRE(incident_name(incidents, i).len <= SNAPSHOT_NAME_MAX);
}

/* Every line is an incident or is counted as damaged. */
static size_t check_incidents(struct span record)
{
	size_t lines = 0, damaged, count;
	struct incidents incidents;

	for (struct span rest = record; rest.len; lines++)
		(void)text_cut(&rest, '\n');
	incidents_init(&incidents);
	damaged = incidents_add(&incidents, record);
	count = incidents_count(&incidents);
	REQUIRE(damaged + count == lines);
	for (size_t i = 0; i < count; i++)
		check_incident(&incidents, &incidents_list(&incidents)[i]);
	incidents_sort(&incidents);
	incidents_free(&incidents);
	return damaged;
}

/* Two servers a minute after the previous step; the first byte chooses their risks. */
static struct snapshot *make_step(unsigned choice, int64_t bucket)
{
	struct snapshot *snap = snapshot_new();
	struct server *server;

	REQUIRE(snap && (server = snapshot_add(snap, SPAN("ppml0001"))));
	server->risk = (int)(choice % 16) * 60;
	REQUIRE((server = snapshot_add(snap, SPAN("<fz a=\" fz=\"'&"))));
	server->risk = (int)(choice / 16) * 60;
	REQUIRE(snapshot_seal(snap) == 0);
	snap->interval_ms = FUZZ_INTERVAL_MS;
	snap->bucket = bucket;
	return snap;
}

/* Everything that a step writes can be read: what continues is open, what it ends has ended. */
static void fuzz_incidents(struct span input)
{
	struct snapshot *snap = make_step(fuzz_byte(&input), FUZZ_GEN_MS / FUZZ_INTERVAL_MS);
	size_t damaged = check_incidents(input);
	struct buf next, again, closed;

	buf_init(&next, 1 << 24);
	buf_init(&again, 1 << 24);
	buf_init(&closed, 1 << 24);
	REQUIRE(incidents_step(input, snap, &next, &closed) == damaged);
	REQUIRE(buf_ok(&next) && buf_ok(&closed));
	snap->bucket++;
	REQUIRE(incidents_step(buf_span(&next), snap, &again, &closed) == 0);
	REQUIRE(check_incidents(buf_span(&again)) == 0 && check_incidents(buf_span(&closed)) == 0);
	snapshot_free(&snap);
	buf_free(&next);
	buf_free(&again);
	buf_free(&closed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const kinds[])(struct span) = {
		fuzz_snapshot, fuzz_series,   fuzz_history,   fuzz_risks,
		fuzz_moment,   fuzz_horizons, fuzz_incidents,
	};
	struct span input = {(const char *)data, size};

	kinds[fuzz_byte(&input) % (sizeof(kinds) / sizeof(kinds[0]))](input);
	return 0;
}
