/* SPDX-License-Identifier: MIT */
/*
 * Columns as in moment.c, but of groups of servers, so that a page of one server needs to read only
 * its group in each of the records of 8 hours. Each horizon is twice as far away as the previous one. The guess: a
 * median continues its trend from the present value; a band grows with the square root of time and is as wide below as
 * above. The difference from the guess is small, unless a percentage has reached its limit.
 */
#include "config.h"
#include "fleet/horizons.h"

#include <math.h>
#include <stdlib.h>

#include "base/pack.h"
#include "base/range.h"
#include "fleet/names.h"
#include "fleet/shown.h"

#define MAGIC        "TFTh"
#define NAMES_MAX    ((size_t)SNAPSHOT_SERVERS * (SNAPSHOT_NAME_MAX + 2) + 4 + 1 + SCENARIO_MAX)
#define SCENARIO_MAX (sizeof(((struct forecasts *)NULL)->scenario))

#define STEP_MS INT64_C(300000)

const size_t horizon_steps[HORIZONS] = {6, 12, 24, 48, 96};

const enum metric other_metrics[OTHER_METRICS] = {
	METRIC_CPU_USER,         METRIC_CPU_SYS,     METRIC_JAVA_CPU,       METRIC_SWAP_USED,
	METRIC_DISK_USAGE,       METRIC_NET_IN,      METRIC_NET_OUT,        METRIC_BACK_CLOSE_WAIT,
	METRIC_FRONT_CLOSE_WAIT, METRIC_UPTIME_DAYS, METRIC_CASCADE_IMPACT,
};

int64_t horizon_ms(size_t horizon)
{
	return (int64_t)horizon_steps[horizon] * STEP_MS;
}

enum quantile { MEDIAN, HIGH, LOW, QUANTILES }; /* in the order of the guesses */

/* A column has a value of each server. Those of the nearer horizons come first, so that the farther
 * ones need not be read. */
#define COLUMNS (HORIZONS * KEPT_METRICS * QUANTILES)
/* The present values come before all of them. */
#define OTHER_ROW(other) (KEPT_METRICS + (other))
#define FIRST_ROW        (KEPT_METRICS + OTHER_METRICS)
#define ROWS             (FIRST_ROW + COLUMNS)
/* Of the mask of what a server lacks: a bit for each metric at a horizon, then the present values. */
#define NOW_BIT (HORIZONS * KEPT_METRICS)

static size_t row_of(size_t metric, size_t horizon, enum quantile quantile)
{
	return FIRST_ROW + (horizon * KEPT_METRICS + metric) * QUANTILES + quantile;
}

static size_t bit_of(size_t metric, size_t horizon)
{
	return horizon * KEPT_METRICS + metric;
}

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

/* As it is shown: clamped like a forecast. */
static double clamped_now(const struct series *series, enum metric metric)
{
	double now = series ? series->current[metric] : NAN;

	if (isnan(now) || now < 0)
		return isnan(now) ? now : 0;
	return metric_table[metric].percent ? fmin(100, now) : now;
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
		return clamped_now(server->series, METRIC_CPU_USER);
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
	for (size_t o = 0; o < OTHER_METRICS; o++)
		out->other[o] = clamped_now(server->series, other_metrics[o]);
}

/* ---- guesses ---- */

/* All values of the servers of a group in tenths, 0 where absent, row by row. */
struct table {
	size_t count, stride;
	int32_t *units; /* ROWS x stride */
};

static int32_t *row(const struct table *t, size_t i)
{
	return t->units + i * t->stride;
}

#define GROUP        24 /* servers; fewer cost bytes, as each column of each group begins anew */
#define GROUP_LENGTH 4

struct part {
	size_t first, count;
};

static size_t groups_of(size_t count)
{
	return (count + GROUP - 1) / GROUP;
}

/* Groups of about the same size. */
static struct part part_of(size_t count, size_t group, size_t groups)
{
	size_t first = count * group / groups;

	return (struct part){first, count * (group + 1) / groups - first};
}

static int32_t within(size_t metric, int64_t units)
{
	if (units < 0)
		return 0;
	return metric != KEPT_LOAD && units > 1000 ? 1000 : (int32_t)units;
}

/* What the guesses of one metric at one horizon are made of. */
struct hints {
	const int32_t *median, *high;                     /* of this horizon */
	const int32_t *before, *high_before, *low_before; /* of the one before; NULL: none */
	const int32_t *earlier;                           /* the median before that */
	const int32_t *now;
};

static struct hints hints_of(const struct table *t, size_t metric, size_t horizon)
{
	struct hints h = {.median = row(t, row_of(metric, horizon, MEDIAN)),
			  .high = row(t, row_of(metric, horizon, HIGH)),
			  .now = row(t, metric)};

	if (horizon > 0) {
		h.before = row(t, row_of(metric, horizon - 1, MEDIAN));
		h.high_before = row(t, row_of(metric, horizon - 1, HIGH));
		h.low_before = row(t, row_of(metric, horizon - 1, LOW));
	}
	if (horizon > 1)
		h.earlier = row(t, row_of(metric, horizon - 2, MEDIAN));
	return h;
}

/* The wider side of the previous horizon's band, times the square root of 2. */
static int64_t grown_band(const struct hints *h, size_t i)
{
	int64_t above, below, half;

	if (!h->before)
		return 0;
	above = (int64_t)h->high_before[i] - h->before[i];
	below = (int64_t)h->before[i] - h->low_before[i];
	half = above > below ? above : below;
	return half * 181 / 128;
}

/* The previous median, and its distance from the one before, as much as time has doubled. */
static int64_t continued(const struct hints *h, size_t i)
{
	if (!h->before)
		return h->now[i];
	if (!h->earlier)
		return 2 * (int64_t)h->before[i] - h->now[i];
	return 3 * (int64_t)h->before[i] - 2 * (int64_t)h->earlier[i];
}

static int32_t guess(const struct hints *h, size_t metric, enum quantile quantile, size_t i)
{
	int64_t band, above;

	if (quantile == MEDIAN)
		return within(metric, continued(h, i));
	band = grown_band(h, i);
	if (quantile == HIGH)
		return within(metric, h->median[i] + band);
	above = (int64_t)h->high[i] - h->median[i];
	return within(metric, h->median[i] - (above > band ? above : band));
}

/* ---- writing ---- */

static int32_t tenths(double value)
{
	return isnan(value) ? 0 : (int32_t)lround(shown(value) * 10);
}

/* Counts are whole, days are enough. */
static int other_scale(size_t other)
{
	switch (other_metrics[other]) {
	case METRIC_BACK_CLOSE_WAIT:
	case METRIC_FRONT_CLOSE_WAIT:
	case METRIC_UPTIME_DAYS:
		return 1;
	default:
		return 10;
	}
}

/* In units of the scale, plus 1; 0: absent. */
static int32_t other_units(double value, size_t other)
{
	return isnan(value) ? 0 : (int32_t)lround(value * other_scale(other)) + 1;
}

static void fill_metric(const struct horizons *horizons, size_t m, const struct table *t, size_t i,
			uint32_t *absent)
{
	row(t, m)[i] = tenths(horizons->now[m]);
	if (isnan(horizons->now[m]))
		*absent |= 1u << (NOW_BIT + m);
	for (size_t h = 0; h < HORIZONS; h++) {
		const struct quantiles *q = &horizons->at[m][h];

		row(t, row_of(m, h, MEDIAN))[i] = tenths(q->p50);
		row(t, row_of(m, h, HIGH))[i] = tenths(q->p90);
		row(t, row_of(m, h, LOW))[i] = tenths(q->p10);
		if (isnan(q->p50))
			*absent |= 1u << bit_of(m, h);
	}
}

static void put_masks(const struct server *const *servers, enum model_kind model,
		      const struct table *t, int32_t *column, struct range_writer *out)
{
	uint32_t before = 0;

	for (size_t i = 0; i < t->count; i++) {
		struct horizons horizons;
		uint32_t absent = 0;

		horizons_of(servers[i], model, &horizons);
		for (size_t m = 0; m < KEPT_METRICS; m++)
			fill_metric(&horizons, m, t, i, &absent);
		for (size_t o = 0; o < OTHER_METRICS; o++)
			row(t, OTHER_ROW(o))[i] = other_units(horizons.other[o], o);
		column[i] = (int32_t)(absent ^ before);
		before = absent;
	}
	range_put(out, column, t->count);
}

static void put_column(const struct table *t, size_t metric, size_t horizon, enum quantile quantile,
		       int32_t *column, struct range_writer *out)
{
	const int32_t *values = row(t, row_of(metric, horizon, quantile));
	struct hints hints = hints_of(t, metric, horizon);

	for (size_t i = 0; i < t->count; i++)
		column[i] = range_residual(values[i], guess(&hints, metric, quantile, i));
	range_put(out, column, t->count);
}

/* Each less that of the server before, which mostly has the same profile. */
static void put_other(const struct table *t, size_t other, int32_t *column,
		      struct range_writer *out)
{
	const int32_t *values = row(t, OTHER_ROW(other));

	for (size_t i = 0; i < t->count; i++)
		column[i] = range_residual(values[i], i ? values[i - 1] : 0);
	range_put(out, column, t->count);
}

static void put_columns(const struct table *t, int32_t *column, struct range_writer *out)
{
	for (size_t m = 0; m < KEPT_METRICS; m++)
		range_put(out, row(t, m), t->count);
	for (size_t o = 0; o < OTHER_METRICS; o++)
		put_other(t, o, column, out);
	for (size_t h = 0; h < HORIZONS; h++)
		for (size_t m = 0; m < KEPT_METRICS; m++)
			for (int q = 0; q < QUANTILES; q++)
				put_column(t, m, h, (enum quantile)q, column, out);
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
	pack_put_bare(buf_span(&names), (struct span){NULL, 0}, out);
	buf_free(&names);
}

static void put_group(const struct server *const *servers, size_t count, enum model_kind model,
		      struct buf *out)
{
	struct table t = {count, count, calloc(count, ROWS * sizeof(int32_t))};
	int32_t *column = calloc(count, sizeof(*column));
	struct range_writer w;
	struct buf group;

	buf_init(&group, out->max);
	if (t.units && column) {
		range_begin(&w, &group);
		put_masks(servers, model, &t, column, &w);
		put_columns(&t, column, &w);
		range_end(&w);
	} else {
		buf_fail(&group);
	}
	if (!buf_ok(&group))
		buf_fail(out);
	bytes_put_int(out, group.len, GROUP_LENGTH);
	buf_span_add(out, buf_span(&group));
	buf_free(&group);
	free(t.units);
	free(column);
}

static void put_body(const struct snapshot *s, const struct server *const *servers, struct buf *out)
{
	put_names(s, servers, out);
	for (size_t g = 0; g < groups_of(s->count); g++) {
		struct part part = part_of(s->count, g, groups_of(s->count));

		put_group(servers + part.first, part.count, s->model, out);
	}
}

void horizons_encode(const struct snapshot *s, struct buf *out)
{
	const struct server **servers = snapshot_by_name(s);
	struct buf body;

	buf_init(&body, out->max);
	if (servers || !s->count)
		put_body(s, servers, &body);
	else
		buf_fail(&body);
	pack_seal(MAGIC, HORIZONS_FORMAT, &body, out);
	buf_free(&body);
	free(servers);
}

/* ---- reading ---- */

/* What is read of a record: some of its groups, and the servers in them. */
struct choice {
	size_t count, groups; /* all */
	size_t from, to;      /* groups: those before `to` */
	struct part servers;
};

static struct choice choose(struct bytes_reader names, struct span name, size_t count,
			    size_t groups)
{
	struct choice all = {count, groups, 0, groups, {0, count}};
	size_t i = name.len ? names_find(&names, name, count) : 0;

	for (size_t g = 0; name.len && g < groups; g++) {
		struct part part = part_of(count, g, groups);

		if (i - part.first < part.count)
			return (struct choice){count, groups, g, g + 1, part};
	}
	return name.len ? (struct choice){count, groups, 0, 0, {0, 0}} : all;
}

static struct choice get_names(struct bytes_reader *r, bool older, struct span name,
			       struct forecasts *out)
{
	struct bytes_reader inner;
	struct choice choice;
	struct buf names;
	size_t count;

	buf_init(&names, NAMES_MAX);
	if (older)
		pack_get(r, &names);
	else
		pack_get_bare(r, (struct span){NULL, 0}, &names);
	inner = (struct bytes_reader){.rest = buf_span(&names), .bad = r->bad};
	bytes_get_text(&inner, out->scenario, sizeof(out->scenario));
	count = (size_t)bytes_get_upto(&inner, 4, SNAPSHOT_SERVERS);
	choice = choose(inner, name, count, older ? 1 : groups_of(count));
	names_get(&inner, out->names, choice.servers.first, choice.servers.count);
	r->bad = inner.bad || (!name.len && inner.rest.len > 0);
	buf_free(&names);
	return choice;
}

static void get_column(struct range_reader *in, const struct table *t, size_t metric,
		       size_t horizon, enum quantile quantile)
{
	int32_t *values = row(t, row_of(metric, horizon, quantile));
	struct hints hints = hints_of(t, metric, horizon);

	range_get(in, values, t->count);
	for (size_t i = 0; i < t->count; i++)
		values[i] = range_value(values[i], guess(&hints, metric, quantile, i));
}

/* The format before has none of them. */
static void get_other(struct range_reader *in, const struct table *t, size_t other)
{
	int32_t *values = row(t, OTHER_ROW(other));

	if (in->rice) {
		memset(values, 0, t->count * sizeof(*values));
		return;
	}
	range_get(in, values, t->count);
	for (size_t i = 1; i < t->count; i++)
		values[i] = range_value(values[i], values[i - 1]);
}

static struct table table_of(const struct forecasts *f)
{
	return (struct table){f->names->count, f->names->count, f->absent + f->names->count};
}

static void get_columns(struct range_reader *in, const struct table *t, int32_t *absent,
			size_t horizons)
{
	range_get(in, absent, t->count);
	for (size_t i = 1; i < t->count; i++)
		absent[i] ^= absent[i - 1];
	for (size_t m = 0; m < KEPT_METRICS; m++)
		range_get(in, row(t, m), t->count);
	for (size_t o = 0; o < OTHER_METRICS; o++)
		get_other(in, t, o);
	for (size_t h = 0; h < horizons; h++)
		for (size_t m = 0; m < KEPT_METRICS; m++)
			for (int q = 0; q < QUANTILES; q++)
				get_column(in, t, m, h, (enum quantile)q);
}

/* A group's bytes. The format before has but one, without its length. */
static struct bytes_reader next_group(struct bytes_reader *r, bool older)
{
	size_t len = older ? r->rest.len : (size_t)bytes_get_int(r, GROUP_LENGTH);
	struct span bytes = bytes_get(r, len);

	return (struct bytes_reader){.rest = bytes, .bad = r->bad};
}

/* part: of the servers that are read. */
static void get_group(struct bytes_reader *r, bool older, const struct forecasts *f,
		      struct part part)
{
	struct bytes_reader group = next_group(r, older);
	struct range_reader in = {.r = &group, .rice = older};
	struct table t = table_of(f);

	t.units += part.first;
	t.count = part.count;
	if (!older)
		range_open(&in, &group);
	if (!group.bad)
		get_columns(&in, &t, f->absent + part.first, f->horizons);
	r->bad |= group.bad || (f->horizons == HORIZONS && group.rest.len > 0);
}

static void get_groups(struct bytes_reader *r, bool older, const struct choice *choice,
		       const struct forecasts *f)
{
	for (size_t g = 0; g < choice->from; g++)
		(void)next_group(r, older);
	for (size_t g = choice->from; g < choice->to && !r->bad; g++) {
		struct part part = part_of(choice->count, g, choice->groups);

		part.first -= choice->servers.first;
		get_group(r, older, f, part);
	}
	r->bad |= choice->to == choice->groups && r->rest.len > 0;
}

static bool is_older(struct span record)
{
	return record.len >= sizeof(MAGIC) &&
	       record.ptr[sizeof(MAGIC) - 1] == HORIZONS_FORMAT_BEFORE;
}

int forecasts_decode(struct span bytes, struct span name, size_t horizons, struct forecasts *out)
{
	bool older = is_older(bytes);
	struct bytes_reader r =
		pack_open(bytes, MAGIC, older ? HORIZONS_FORMAT_BEFORE : HORIZONS_FORMAT);
	struct choice choice;

	*out = (struct forecasts){.names = snapshot_new(), .horizons = horizons};
	if (!out->names)
		return -1;
	choice = get_names(&r, older, name, out);
	/* Without a risk their order is that of their names. */
	r.bad |= snapshot_reseal(out->names) != 0;
	out->absent = malloc((out->names->count + 1) * (1 + ROWS) * sizeof(*out->absent));
	r.bad |= !out->absent;
	if (!r.bad)
		get_groups(&r, older, &choice, out);
	if (r.bad)
		forecasts_free(out);
	return r.bad ? -1 : 0;
}

void forecasts_free(struct forecasts *forecasts)
{
	snapshot_free(&forecasts->names);
	free(forecasts->absent);
	*forecasts = (struct forecasts){0};
}

static bool is_value(int32_t units)
{
	return units >= 0 && units <= METRIC_LOAD_MOST * 10;
}

static bool has_now(const struct forecasts *f, size_t i, size_t metric)
{
	struct table t = table_of(f);

	return !((uint32_t)f->absent[i] >> (NOW_BIT + metric) & 1) && is_value(row(&t, metric)[i]);
}

bool forecasts_has(const struct forecasts *f, size_t i, enum kept_metric metric, size_t horizon)
{
	struct table t = table_of(f);

	return !((uint32_t)f->absent[i] >> bit_of(metric, horizon) & 1) &&
	       is_value(row(&t, row_of(metric, horizon, MEDIAN))[i]) &&
	       is_value(row(&t, row_of(metric, horizon, HIGH))[i]) &&
	       is_value(row(&t, row_of(metric, horizon, LOW))[i]);
}

bool forecasts_get(const struct forecasts *f, size_t i, enum kept_metric metric, size_t horizon,
		   struct forecast_tenths *out)
{
	struct table t = table_of(f);

	if (!forecasts_has(f, i, metric, horizon) || !has_now(f, i, metric))
		return false;
	*out = (struct forecast_tenths){.now = row(&t, metric)[i],
					.p50 = row(&t, row_of(metric, horizon, MEDIAN))[i],
					.p90 = row(&t, row_of(metric, horizon, HIGH))[i],
					.p10 = row(&t, row_of(metric, horizon, LOW))[i]};
	return true;
}

struct quantiles forecasts_quantiles(const struct forecasts *f, size_t i, enum kept_metric metric,
				     size_t horizon)
{
	struct table t = table_of(f);

	if (!forecasts_has(f, i, metric, horizon))
		return (struct quantiles){NAN, NAN, NAN};
	return (struct quantiles){.p10 = row(&t, row_of(metric, horizon, LOW))[i] / 10.0,
				  .p50 = row(&t, row_of(metric, horizon, MEDIAN))[i] / 10.0,
				  .p90 = row(&t, row_of(metric, horizon, HIGH))[i] / 10.0};
}

double forecasts_now(const struct forecasts *f, size_t i, enum kept_metric metric)
{
	struct table t = table_of(f);

	return has_now(f, i, metric) ? row(&t, metric)[i] / 10.0 : (double)NAN;
}

double forecasts_other(const struct forecasts *f, size_t i, size_t other)
{
	struct table t = table_of(f);
	int32_t units = row(&t, OTHER_ROW(other))[i];

	return units > 0
		       ? metric_gate(other_metrics[other], (units - 1) / (double)other_scale(other))
		       : (double)NAN;
}

static struct horizons *horizons_from(const struct forecasts *f, size_t i)
{
	struct horizons *horizons = malloc(sizeof(*horizons));

	if (!horizons)
		return NULL;
	for (size_t m = 0; m < KEPT_METRICS; m++) {
		horizons->now[m] = forecasts_now(f, i, (enum kept_metric)m);
		for (size_t h = 0; h < HORIZONS; h++)
			horizons->at[m][h] = forecasts_quantiles(f, i, (enum kept_metric)m, h);
	}
	for (size_t o = 0; o < OTHER_METRICS; o++)
		horizons->other[o] = forecasts_other(f, i, o);
	return horizons;
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
			server->horizons = horizons_from(made, k);
	}
	free(servers);
}

int horizons_decode(struct span bytes, struct span name, struct snapshot *s)
{
	struct forecasts made;

	if (forecasts_decode(bytes, name, HORIZONS, &made) != 0)
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
