/* SPDX-License-Identifier: MIT */
/*
 * Columns as in moment.c. Each horizon is twice as far away as the previous one. The guess: a
 * median continues its trend from the present value; a band grows with the square root of time and is as wide below as
 * above. The difference from the guess is small, unless a percentage has reached its limit.
 */
#include "config.h"
#include "fleet/horizons.h"

#include <math.h>
#include <stdlib.h>

#include "base/pack.h"
#include "base/rice.h"
#include "fleet/names.h"
#include "fleet/shown.h"

#define MAGIC        "TFTh"
#define NAMES_MAX    ((size_t)SNAPSHOT_SERVERS * (SNAPSHOT_NAME_MAX + 2) + 4 + 1 + SCENARIO_MAX)
#define SCENARIO_MAX (sizeof(((struct forecasts *)NULL)->scenario))

const size_t horizon_steps[HORIZONS] = {6, 12, 24, 48, 96};

enum quantile { MEDIAN, HIGH, LOW, QUANTILES }; /* in the order of the guesses */

#define COLUMNS (KEPT_METRICS * HORIZONS * QUANTILES)
/* Of the mask of what a server lacks: metrics at a horizon, then present values. */
#define NOW_BIT (COLUMNS / QUANTILES)

/* ---- values ---- */

static struct quantiles quantiles_of(const struct series *series, enum kept_metric metric, size_t i)
{
	static const enum metric metrics[KEPT_METRICS] = {[KEPT_MEMORY] = METRIC_MEM_USED,
							  [KEPT_IOWAIT] = METRIC_CPU_IOWAIT,
							  [KEPT_LOAD] = METRIC_LOAD,
							  [KEPT_CPU_USER] = METRIC_CPU_USER};

	return metric == KEPT_CPU ? quantiles_of_cpu(series, i)
				  : quantiles_of_metric(series, metrics[metric], i);
}

/* All three, or none. */
static struct quantiles whole(struct quantiles q)
{
	static const struct quantiles absent = {NAN, NAN, NAN};

	return isnan(q.p10 + q.p50 + q.p90) ? absent : q;
}

static double user_now(const struct series *series)
{
	double now = series ? series->current[METRIC_CPU_USER] : NAN;

	return now > 0 ? fmin(100, now) : now < 0 ? 0 : now;
}

double kept_now(const struct server *server, enum kept_metric metric)
{
	switch (metric) {
	case KEPT_CPU:
		return server->cpu.now;
	case KEPT_MEMORY:
		return server->memory.now;
	case KEPT_IOWAIT:
		return server->iowait.now;
	case KEPT_LOAD:
		return server->load.now;
	default:
		return user_now(server->series);
	}
}

void horizons_of(const struct server *server, enum model_kind model, struct horizons *out)
{
	static const struct quantiles absent = {NAN, NAN, NAN};

	for (int m = 0; m < KEPT_METRICS; m++) {
		bool known = server->series && (m != KEPT_CPU_USER || model == MODEL_TFT);

		out->now[m] = known ? kept_now(server, (enum kept_metric)m) : (double)NAN;
		for (int h = 0; h < HORIZONS; h++)
			out->at[m][h] =
				known ? whole(quantiles_of(server->series, (enum kept_metric)m,
							   horizon_steps[h] - 1))
				      : absent;
	}
}

static double *value_at(struct horizons *horizons, size_t column)
{
	struct quantiles *q =
		&horizons->at[column / QUANTILES / HORIZONS][column / QUANTILES % HORIZONS];

	switch (column % QUANTILES) {
	case MEDIAN:
		return &q->p50;
	case HIGH:
		return &q->p90;
	default:
		return &q->p10;
	}
}

/* ---- guesses ---- */

/* All columns of one server, in tenths, 0 where absent. */
struct line {
	int32_t now[KEPT_METRICS];
	int32_t units[COLUMNS];
};

static int32_t within(size_t column, int64_t units)
{
	if (units < 0)
		return 0;
	return column / QUANTILES / HORIZONS != KEPT_LOAD && units > 1000 ? 1000 : (int32_t)units;
}

/* The quantile `back` horizons earlier. */
static int64_t unit(const struct line *line, size_t column, enum quantile quantile, size_t back)
{
	return line->units[column - column % QUANTILES + quantile - back * QUANTILES];
}

/* The wider side of the previous horizon's band, times the square root of 2. */
static int64_t grown_band(const struct line *line, size_t column, size_t horizon)
{
	int64_t above, below, half;

	if (horizon == 0)
		return 0;
	above = unit(line, column, HIGH, 1) - unit(line, column, MEDIAN, 1);
	below = unit(line, column, MEDIAN, 1) - unit(line, column, LOW, 1);
	half = above > below ? above : below;
	return half * 181 / 128;
}

/* The previous median, and its distance from the one before, as much as time has doubled. */
static int64_t continued(const struct line *line, size_t column, size_t horizon)
{
	int64_t now = line->now[column / QUANTILES / HORIZONS], median;

	if (horizon == 0)
		return now;
	median = unit(line, column, MEDIAN, 1);
	if (horizon == 1)
		return 2 * median - now;
	return median + 2 * (median - unit(line, column, MEDIAN, 2));
}

static int32_t guess(const struct line *line, size_t column)
{
	size_t horizon = column / QUANTILES % HORIZONS;
	int64_t median = unit(line, column, MEDIAN, 0), band = grown_band(line, column, horizon),
		above;

	switch (column % QUANTILES) {
	case MEDIAN:
		return within(column, continued(line, column, horizon));
	case HIGH:
		return within(column, median + band);
	default:
		above = unit(line, column, HIGH, 0) - median;
		return within(column, median - (above > band ? above : band));
	}
}

/* ---- writing ---- */

static int32_t absent_of(struct horizons *horizons)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < NOW_BIT; i++)
		if (isnan(*value_at(horizons, i * QUANTILES)))
			mask |= 1u << i;
	for (size_t m = 0; m < KEPT_METRICS; m++)
		if (isnan(horizons->now[m]))
			mask |= 1u << (NOW_BIT + m);
	return (int32_t)mask;
}

static int32_t tenths(double value)
{
	return isnan(value) ? 0 : (int32_t)lround(shown(value) * 10);
}

static void fill(struct horizons *horizons, struct line *line)
{
	for (size_t m = 0; m < KEPT_METRICS; m++)
		line->now[m] = tenths(horizons->now[m]);
	for (size_t c = 0; c < COLUMNS; c++)
		line->units[c] = tenths(*value_at(horizons, c));
}

static void put_masks(const struct snapshot *s, const struct server *const *servers,
		      struct line *lines, int32_t *column, struct buf *out)
{
	int32_t before = 0;

	for (size_t i = 0; i < s->count; i++) {
		struct horizons horizons;
		int32_t absent;

		horizons_of(servers[i], s->model, &horizons);
		absent = absent_of(&horizons);
		column[i] = absent ^ before;
		before = absent;
		fill(&horizons, &lines[i]);
	}
	rice_put(out, column, s->count);
}

static void put_columns(const struct line *lines, size_t count, int32_t *column, struct buf *out)
{
	for (size_t m = 0; m < KEPT_METRICS; m++) {
		for (size_t i = 0; i < count; i++)
			column[i] = lines[i].now[m];
		rice_put(out, column, count);
	}
	for (size_t c = 0; c < COLUMNS; c++) {
		for (size_t i = 0; i < count; i++)
			column[i] = rice_residual(lines[i].units[c], guess(&lines[i], c));
		rice_put(out, column, count);
	}
}

static void put_names(const struct snapshot *s, const struct server *const *servers,
		      struct buf *out)
{
	struct buf names;

	buf_init(&names, NAMES_MAX);
	bytes_put_text(&names, s->scenario.known ? span_str(s->scenario.name) : SPAN(""));
	bytes_put_int(&names, s->count, 4);
	names_put(servers, s->count, &names);
	if (!buf_ok(&names))
		buf_fail(out);
	pack_put(buf_span(&names), out);
	buf_free(&names);
}

static void put_body(const struct snapshot *s, const struct server *const *servers, struct buf *out)
{
	struct line *lines = calloc(s->count + 1, sizeof(*lines));
	int32_t *column = calloc(s->count + 1, sizeof(*column));

	if (lines && column && (servers || !s->count)) {
		put_names(s, servers, out);
		put_masks(s, servers, lines, column, out);
		put_columns(lines, s->count, column, out);
	} else {
		buf_fail(out);
	}
	free(lines);
	free(column);
}

void horizons_encode(const struct snapshot *s, struct buf *out)
{
	const struct server **servers = snapshot_by_name(s);
	struct buf body;

	buf_init(&body, out->max);
	put_body(s, servers, &body);
	pack_seal(MAGIC, HORIZONS_FORMAT, &body, out);
	buf_free(&body);
	free(servers);
}

/* ---- reading ---- */

static void get_names(struct bytes_reader *r, struct forecasts *out)
{
	struct bytes_reader inner;
	struct buf names;

	buf_init(&names, NAMES_MAX);
	pack_get(r, &names);
	inner = (struct bytes_reader){.rest = buf_span(&names), .bad = r->bad};
	bytes_get_text(&inner, out->scenario, sizeof(out->scenario));
	names_get(&inner, out->names, (size_t)bytes_get_upto(&inner, 4, SNAPSHOT_SERVERS));
	r->bad = inner.bad || inner.rest.len > 0;
	buf_free(&names);
}

static void get_columns(struct bytes_reader *r, struct line *lines, int32_t *absent,
			int32_t *column, size_t count)
{
	rice_get(r, absent, count);
	for (size_t i = 1; i < count; i++)
		absent[i] ^= absent[i - 1];
	for (size_t m = 0; m < KEPT_METRICS; m++) {
		rice_get(r, column, count);
		for (size_t i = 0; i < count; i++)
			lines[i].now[m] = column[i];
	}
	for (size_t c = 0; c < COLUMNS; c++) {
		rice_get(r, column, count);
		for (size_t i = 0; i < count; i++)
			lines[i].units[c] = rice_value(column[i], guess(&lines[i], c));
	}
}

static double value_of(int32_t units, int32_t absent, size_t bit)
{
	double value = units / 10.0;

	return (uint32_t)absent >> bit & 1 || value < 0 || value > METRIC_LOAD_MOST ? (double)NAN
										    : value;
}

static void set_values(struct horizons *horizons, const struct line *line, int32_t absent)
{
	for (size_t m = 0; m < KEPT_METRICS; m++)
		horizons->now[m] = value_of(line->now[m], absent, NOW_BIT + m);
	for (size_t c = 0; c < COLUMNS; c++)
		*value_at(horizons, c) = value_of(line->units[c], absent, c / QUANTILES);
}

static void get_values(struct bytes_reader *r, struct forecasts *out, size_t count)
{
	struct line *lines = calloc(count + 1, sizeof(*lines));
	int32_t *columns = calloc(2 * (count + 1), sizeof(*columns));

	out->of = calloc(count + 1, sizeof(*out->of));
	r->bad |= !lines || !columns || !out->of;
	if (!r->bad)
		get_columns(r, lines, columns, columns + count + 1, count);
	for (size_t i = 0; i < count && !r->bad; i++)
		set_values(&out->of[i], &lines[i], columns[i]);
	free(lines);
	free(columns);
}

int forecasts_decode(struct span bytes, struct forecasts *out)
{
	struct bytes_reader r = pack_open(bytes, MAGIC, HORIZONS_FORMAT);
	size_t count;

	*out = (struct forecasts){.names = snapshot_new()};
	if (!out->names)
		return -1;
	get_names(&r, out);
	/* Without a risk they stay in order of their names. */
	count = out->names->count;
	r.bad |= snapshot_seal(out->names) != 0 || out->names->count != count;
	if (!r.bad)
		get_values(&r, out, count);
	r.bad |= r.rest.len > 0;
	if (r.bad)
		forecasts_free(out);
	return r.bad ? -1 : 0;
}

void forecasts_free(struct forecasts *forecasts)
{
	snapshot_free(&forecasts->names);
	free(forecasts->of);
	*forecasts = (struct forecasts){0};
}

static struct horizons *copy_of(const struct horizons *horizons)
{
	struct horizons *copy = malloc(sizeof(*copy));

	if (copy)
		*copy = *horizons;
	return copy;
}

/* Both lists are ordered by name. */
static void hand_out(const struct forecasts *made, struct snapshot *s)
{
	const struct server **servers = snapshot_by_name(s);
	const struct snapshot *names = made->names;
	size_t k = 0;

	for (size_t i = 0; servers && i < s->count; i++) {
		struct server *server = &s->servers[servers[i] - s->servers];

		while (k < names->count && span_cmp(names->servers[k].name, server->name) < 0)
			k++;
		if (k < names->count && span_eq(names->servers[k].name, server->name) &&
		    !server->horizons)
			server->horizons = copy_of(&made->of[k]);
	}
	free(servers);
}

int horizons_decode(struct span bytes, struct snapshot *s)
{
	struct forecasts made;

	if (forecasts_decode(bytes, &made) != 0)
		return -1;
	hand_out(&made, s);
	forecasts_free(&made);
	return 0;
}

/* ---- a band ---- */

static double between(double from, double to, size_t part, size_t whole)
{
	return from + (to - from) * (double)part / (double)whole;
}

void band_of_horizons(struct band *band, const struct server *server, enum kept_metric metric)
{
	double now = kept_now(server, metric);
	struct quantiles before = {now, now, now};
	size_t from = 0;

	*band = (struct band){.percent = metric != KEPT_LOAD};
	for (int h = 0; server->horizons && h < HORIZONS; h++) {
		struct quantiles q = server->horizons->at[metric][h];
		size_t whole = horizon_steps[h] - from;

		if (isnan(before.p50 + q.p10 + q.p50 + q.p90))
			break;
		for (size_t i = 1; i <= whole; i++, band->len++) {
			band->low[band->len] = between(before.p10, q.p10, i, whole);
			band->median[band->len] = between(before.p50, q.p50, i, whole);
			band->high[band->len] = between(before.p90, q.p90, i, whole);
		}
		from = horizon_steps[h];
		before = q;
	}
	band->range_len = band->len;
}
