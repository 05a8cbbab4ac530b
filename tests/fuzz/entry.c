/* SPDX-License-Identifier: MIT */
/*
 * The records that are read back from Redis. The first byte chooses: a compact snapshot, the series
 * of a server, points of the history, or the risks of a server. What cannot be right is refused;
 * what is taken is in its ranges and can be stored again unchanged. Pages of it: stored.c.
 */
#include "config.h"

#include "fleet/compact.h"
#include "fuzz.h"
#include "records.h"
#include "fleet/series.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const kinds[])(struct span) = {
		fuzz_snapshot,
		fuzz_series,
		fuzz_history,
		fuzz_risks,
	};
	struct span input = {(const char *)data, size};

	kinds[fuzz_byte(&input) % (sizeof(kinds) / sizeof(kinds[0]))](input);
	return 0;
}
