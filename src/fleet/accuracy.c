/* SPDX-License-Identifier: MIT */
/*
 * The interval: the band holds a share p = sum x / sum n of all values, summed over B blocks of time
 * with n values each, x of them inside. Values of one block count as dependent, so the variance of
 * this ratio is that of a cluster sample (Cochran 1977):
 *
 *	v = B / (B - 1) * sum (x - p n)^2 / (sum n)^2
 *
 * It is as large as that of p (1 - p) / v independent values, and the interval is Wilson's of so many,
 * less the factor of Student's t with B - 1 degrees (Korn and Graubard 1998).
 */
#include "config.h"
#include "fleet/accuracy.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/pack.h"
#include "fleet/shown.h"

#define MAGIC    "TFTa"
#define BODY_MAX (1u << 20)
#define HOUR_MS  INT64_C(3600000)
#define STEP_MS  INT64_C(300000) /* of the forecasts that are kept */

const struct accuracy_metric_info accuracy_metric_table[KEPT_METRICS] = {
	[KEPT_CPU] = {"CPU used", "cpu", "%", "trend"},
	[KEPT_MEMORY] = {"Memory", "memory", "%", "trend"},
	[KEPT_IOWAIT] = {"I/O wait", "iowait", "%", "trend"},
	[KEPT_LOAD] = {"Load", "load", "", "trend"},
	[KEPT_CPU_USER] = {"CPU user", "cpu_user", "%", "model"},
};

const struct accuracy_horizon_info accuracy_horizon_table[HORIZONS] = {
	{"30 min", "30m"}, {"1 h", "1h"}, {"2 h", "2h"}, {"4 h", "4h"}, {"8 h", "8h"},
};

const struct accuracy_verdict_info accuracy_verdict_table[ACCURACY_VERDICTS] = {
	[ACCURACY_WORSE] = {"worse than naive", "worse-than-naive", "\u2717"},
	[ACCURACY_NARROW] = {"too narrow", "too-narrow", "\u25c0"},
	[ACCURACY_WIDE] = {"too wide", "too-wide", "\u25b6"},
	[ACCURACY_GOOD] = {"trustworthy", "trustworthy", "\u2713"},
	[ACCURACY_FEW] = {"too few", "too-few", "\u2026"},
};

/* ---- scoring ---- */

static int64_t tenths(double value)
{
	return lround(shown(value) * 10);
}

/* The quantile loss (Gneiting and Raftery 2007) of `tenth` tenths, in hundredths. */
static int64_t pinball(int tenth, int64_t value, int64_t forecast)
{
	int64_t above = value - forecast;

	return above >= 0 ? tenth * above : (tenth - 10) * above;
}

static void compare(struct accuracy_sums *sums, const struct forecast_tenths *then, int64_t value)
{
	sums->n++;
	sums->below += value < then->p10;
	sums->above += value > then->p90;
	sums->error += llabs(then->p50 - value);
	sums->bias += then->p50 - value;
	sums->naive += llabs(then->now - value);
	sums->pinball[ACCURACY_P10] += pinball(1, value, then->p10);
	sums->pinball[ACCURACY_P50] += pinball(5, value, then->p50);
	sums->pinball[ACCURACY_P90] += pinball(9, value, then->p90);
}

/* What came true for server i of the forecasts; NULL: it is not there any more. */
struct outcome {
	const struct server *server;
	bool silent;
};

static void score_metric(struct accuracy_sums *sums, const struct forecasts *then, size_t i,
			 enum kept_metric metric, size_t horizon, struct outcome outcome)
{
	double value = outcome.server ? kept_now(outcome.server, metric) : (double)NAN;
	struct forecast_tenths forecast;

	if (metric == KEPT_CPU_USER && !forecasts_has(then, i, metric, horizon))
		return; /* no model made one */
	if (outcome.silent)
		sums->silent++;
	else if (isnan(value) || !forecasts_get(then, i, metric, horizon, &forecast))
		sums->absent++;
	else
		compare(sums, &forecast, tenths(value));
}

static enum accuracy_scenario scenario_since(const struct forecasts *then,
					     const struct snapshot *now)
{
	bool told = then->scenario[0] && now->scenario.known && now->scenario.name[0];

	return told && strcmp(then->scenario, now->scenario.name) != 0 ? ACCURACY_CHANGED
								       : ACCURACY_USUAL;
}

static void score_server(struct accuracy_hour *hour, enum accuracy_scenario scenario,
			 const struct forecasts *then, size_t i, size_t horizon,
			 struct outcome outcome)
{
	enum profile profile = profile_of(then->names->servers[i].name);

	for (int m = 0; m < KEPT_METRICS; m++)
		score_metric(&hour->sums[scenario][m][horizon][profile], then, i,
			     (enum kept_metric)m, horizon, outcome);
}

/* Both lists are ordered by name. */
void accuracy_score(struct accuracy_hour *hour, const struct forecasts *then, size_t horizon,
		    const struct snapshot *now)
{
	const struct server **servers = snapshot_by_name(now);
	enum accuracy_scenario scenario = scenario_since(then, now);
	size_t count = servers ? now->count : 0;

	for (size_t i = 0, k = 0; i < then->names->count; i++) {
		struct span name = then->names->servers[i].name;
		struct outcome outcome = {0};

		while (k < count && span_cmp(servers[k]->name, name) < 0)
			k++;
		if (k < count && span_eq(servers[k]->name, name))
			outcome = (struct outcome){servers[k],
						   server_is_silent(servers[k], now->gen_ms)};
		score_server(hour, scenario, then, i, horizon, outcome);
	}
	hour->records[horizon]++;
	free(servers);
}

/* ---- the record ---- */

#define SUMS  (sizeof(struct accuracy_sums) / sizeof(int64_t))
#define CELLS (sizeof(((struct accuracy_hour *)NULL)->sums) / sizeof(struct accuracy_sums))

static_assert(CELLS < UINT16_MAX, "the number of a cell has two bytes");

static struct accuracy_sums *cell(struct accuracy_hour *hour, size_t i)
{
	return &hour->sums[0][0][0][0] + i;
}

static bool is_empty(const struct accuracy_sums *sums)
{
	return !sums->n && !sums->silent && !sums->absent;
}

static void put_cells(const struct accuracy_hour *hour, struct buf *out)
{
	const struct accuracy_sums *sums = &hour->sums[0][0][0][0];

	for (size_t i = 0; i < CELLS; i++) {
		const int64_t *numbers = (const int64_t *)&sums[i];

		if (is_empty(&sums[i]))
			continue;
		bytes_put_int(out, i, 2);
		for (size_t k = 0; k < SUMS; k++)
			bytes_put_varint(out, numbers[k]);
	}
}

void accuracy_encode(const struct accuracy_hour *hour, struct buf *out)
{
	struct buf body;

	buf_init(&body, BODY_MAX);
	bytes_put_int(&body, (uint64_t)hour->at_ms, 8);
	for (size_t h = 0; h < HORIZONS; h++)
		bytes_put_varint(&body, hour->records[h]);
	put_cells(hour, &body);
	pack_seal(MAGIC, ACCURACY_FORMAT, &body, out);
	buf_free(&body);
}

/* Sums beyond this do not come from us, and adding thousands of smaller ones cannot overflow. */
#define SUM_MOST (INT64_C(1) << 48)

static int64_t get_sum(struct bytes_reader *r)
{
	int64_t sum = bytes_get_varint(r);

	r->bad |= sum > SUM_MOST || sum < -SUM_MOST;
	return sum;
}

static bool is_possible(const struct accuracy_sums *sums)
{
	return sums->n >= 0 && sums->below >= 0 && sums->above >= 0 &&
	       sums->below + sums->above <= sums->n && sums->error >= 0 && sums->naive >= 0;
}

static void get_cells(struct bytes_reader *r, struct accuracy_hour *hour)
{
	while (r->rest.len > 0 && !r->bad) {
		struct accuracy_sums *sums = cell(hour, (size_t)bytes_get_upto(r, 2, CELLS - 1));

		for (size_t k = 0; k < SUMS; k++)
			((int64_t *)sums)[k] = get_sum(r);
		r->bad |= !is_possible(sums);
	}
}

int accuracy_decode(struct span bytes, struct accuracy_hour *hour)
{
	struct bytes_reader r = pack_open(bytes, MAGIC, ACCURACY_FORMAT);

	memset(hour, 0, sizeof(*hour));
	hour->at_ms = (int64_t)bytes_get_int(&r, 8);
	for (size_t h = 0; h < HORIZONS; h++)
		hour->records[h] = get_sum(&r);
	get_cells(&r, hour);
	r.bad |= hour->at_ms < 0 || hour->at_ms > SUM_MOST || hour->at_ms % HOUR_MS != 0;
	if (r.bad)
		memset(hour, 0, sizeof(*hour));
	return r.bad ? -1 : 0;
}

/* ---- a range ---- */

static int64_t slot_of(int64_t range_ms)
{
	if (range_ms <= 24 * HOUR_MS)
		return HOUR_MS;
	return range_ms <= 7 * 24 * HOUR_MS ? 6 * HOUR_MS : 24 * HOUR_MS;
}

void accuracy_init(struct accuracy *accuracy, int64_t to_ms, int64_t range_ms, int64_t interval_ms)
{
	int64_t slot_ms = slot_of(range_ms),
		spacing = interval_ms > STEP_MS ? interval_ms : STEP_MS;

	memset(accuracy, 0, sizeof(*accuracy));
	accuracy->slot_ms = slot_ms;
	accuracy->slots = (size_t)(range_ms / slot_ms);
	accuracy->to_ms = (to_ms / slot_ms + 1) * slot_ms;
	accuracy->from_ms = accuracy->to_ms - range_ms;
	accuracy->expected = (to_ms - accuracy->from_ms) / spacing;
}

static int64_t inside(const struct accuracy_sums *sums)
{
	return sums->n - sums->below - sums->above;
}

static void add_sums(struct accuracy_sums *to, const struct accuracy_sums *from)
{
	int64_t *sum = (int64_t *)to;
	const int64_t *more = (const int64_t *)from;

	for (size_t k = 0; k < SUMS; k++)
		sum[k] += more[k];
}

static void add_slot(struct accuracy_slot *slot, const struct accuracy_sums *sums)
{
	slot->n += sums->n;
	slot->inside += inside(sums);
	slot->error += sums->error;
	slot->naive += sums->naive;
}

/* Adds (sign 1) or removes (-1) the last block. */
static void count_block(struct accuracy_score *score, int sign)
{
	double n = (double)score->block_n, x = (double)score->block_inside;

	if (score->block_n == 0)
		return;
	score->blocks += sign;
	score->squares_n += sign * n * n;
	score->squares_inside += sign * x * x;
	score->products += sign * n * x;
}

/* block: the number of the block that the values belong to. */
static void add_block(struct accuracy_score *score, int64_t block, const struct accuracy_sums *sums)
{
	if (block == score->block)
		count_block(score, -1);
	else
		score->block_n = score->block_inside = 0;
	score->block = block;
	score->block_n += sums->n;
	score->block_inside += inside(sums);
	count_block(score, 1);
}

static int64_t block_ms(size_t horizon)
{
	int64_t ms = horizon_ms(horizon);

	return ms > HOUR_MS ? ms : HOUR_MS;
}

static void add_cell(struct accuracy_score *score, const struct accuracy_sums *sums, int64_t block,
		     size_t slot)
{
	add_sums(&score->sums, sums);
	add_slot(&score->slots[slot], sums);
	add_block(score, block, sums);
}

void accuracy_add(struct accuracy *accuracy, const struct accuracy_hour *hour)
{
	size_t slot = (size_t)((hour->at_ms - accuracy->from_ms) / accuracy->slot_ms);
	const struct accuracy_sums *sums = &hour->sums[0][0][0][0];

	if (hour->at_ms < accuracy->from_ms || hour->at_ms >= accuracy->to_ms)
		return;
	for (size_t h = 0; h < HORIZONS; h++)
		accuracy->records[h] += hour->records[h];
	for (size_t i = 0; i < CELLS; i++) {
		size_t profile = i % PROFILE_COUNT, horizon = i / PROFILE_COUNT % HORIZONS;
		struct accuracy_score *scores = (&accuracy->score[0][0][0])[i / PROFILE_COUNT];
		int64_t block = hour->at_ms / block_ms(horizon);

		if (is_empty(&sums[i]))
			continue;
		add_cell(&scores[profile], &sums[i], block, slot);
		add_cell(&scores[ACCURACY_ALL], &sums[i], block, slot);
	}
}

const struct accuracy_score *accuracy_of(const struct accuracy *accuracy,
					 enum accuracy_scenario scenario, enum kept_metric metric,
					 size_t horizon, size_t group)
{
	return &accuracy->score[scenario][metric][horizon][group];
}

/* ---- what follows from the sums ---- */

static double ratio(double part, double whole)
{
	return whole > 0 ? part / whole : (double)NAN;
}

double accuracy_coverage(const struct accuracy_score *score)
{
	return ratio((double)inside(&score->sums), (double)score->sums.n);
}

double accuracy_slot_coverage(const struct accuracy_slot *slot)
{
	return ratio((double)slot->inside, (double)slot->n);
}

/* The 97.5 % quantile of Student's t; beyond 30 degrees of freedom that of the normal distribution,
 * the last entry. */
static double student(double degrees)
{
	static const double t[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
				   2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
				   2.110,  2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
				   2.060,  2.056, 2.052, 2.048, 2.045, 2.042, 1.960};

	return t[(size_t)fmin(degrees - 1, sizeof(t) / sizeof(t[0]) - 1)];
}

static double variance(const struct accuracy_score *score, double p)
{
	double n = (double)score->sums.n, blocks = score->blocks;
	double squares = score->squares_inside - 2 * p * score->products + p * p * score->squares_n;

	return blocks / (blocks - 1) * fmax(0, squares) / (n * n);
}

/* So many independent values would be as certain. A share of 0 or 1 has no variance: then each block
 * counts as one value. */
static double effective(const struct accuracy_score *score, double p)
{
	double v = variance(score, p), z = student(INFINITY), t = student(score->blocks - 1);
	double n = p * (1 - p) > 0 ? fmin((double)score->sums.n, p * (1 - p) / v) : score->blocks;

	return n * (z / t) * (z / t);
}

struct accuracy_interval accuracy_interval(const struct accuracy_score *score)
{
	double p = accuracy_coverage(score), z = student(INFINITY), n, middle, half;

	if (!(score->blocks >= 2))
		return (struct accuracy_interval){NAN, NAN};
	n = effective(score, p);
	middle = (p + z * z / (2 * n)) / (1 + z * z / n);
	half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
	return (struct accuracy_interval){fmax(0, middle - half), fmin(1, middle + half)};
}

double accuracy_error(const struct accuracy_score *score)
{
	return ratio((double)score->sums.error / 10, (double)score->sums.n);
}

double accuracy_bias(const struct accuracy_score *score)
{
	return ratio((double)score->sums.bias / 10, (double)score->sums.n);
}

double accuracy_naive(const struct accuracy_score *score)
{
	return ratio((double)score->sums.naive / 10, (double)score->sums.n);
}

double accuracy_pinball(const struct accuracy_score *score, enum accuracy_quantile quantile)
{
	return ratio((double)score->sums.pinball[quantile] / 100, (double)score->sums.n);
}

double accuracy_skill(const struct accuracy_score *score)
{
	double error = (double)score->sums.error, naive = (double)score->sums.naive;

	if (score->sums.n == 0)
		return NAN;
	if (error <= 0)
		return naive > 0 ? 1 : 0;
	return fmax(ACCURACY_SKILL_LEAST, 1 - error / naive);
}

int accuracy_percent(double share)
{
	return isnan(share) ? ACCURACY_UNKNOWN : (int)lround(100 * share);
}

#define NARROW_BELOW 70
#define WIDE_ABOVE   90

enum accuracy_verdict accuracy_verdict(const struct accuracy_score *score)
{
	int coverage = accuracy_percent(accuracy_coverage(score));

	if (score->sums.n < ACCURACY_ENOUGH)
		return ACCURACY_FEW;
	if (accuracy_percent(accuracy_skill(score)) < 0)
		return ACCURACY_WORSE;
	if (coverage < NARROW_BELOW)
		return ACCURACY_NARROW;
	return coverage > WIDE_ABOVE ? ACCURACY_WIDE : ACCURACY_GOOD;
}
