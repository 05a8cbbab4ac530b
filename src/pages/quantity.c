/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "pages/quantity.h"

#include <math.h>

#include "base/fmt.h"
#include "fleet/band.h"
#include "fleet/horizons.h"

bool quantity_is_model(const struct snapshot *snap, enum metric metric)
{
	return metric == METRIC_CPU_USER && snap->model == MODEL_TFT;
}

/* The readings of the alert table are exact; a stored list is rounded to 16 bits. */
static const struct reading *exact_reading(const struct server *s, enum metric metric)
{
	switch (metric) {
	case METRIC_CPU_IOWAIT:
		return &s->iowait;
	case METRIC_MEM_USED:
		return &s->memory;
	case METRIC_LOAD:
		return &s->load;
	default:
		return NULL;
	}
}

static double kept_other(const struct server *s, enum metric metric)
{
	for (size_t o = 0; s->horizons && o < OTHER_METRICS; o++)
		if (other_metrics[o] == metric)
			return s->horizons->other[o];
	return NAN;
}

static double clamped(double value, enum metric metric)
{
	return metric_table[metric].percent && !isnan(value) ? fmax(0, fmin(100, value)) : value;
}

double quantity_now(const struct server *s, enum metric metric)
{
	const struct reading *exact = exact_reading(s, metric);
	double now = s->series ? s->series->current[metric] : kept_other(s, metric);

	return exact ? exact->now : clamped(now, metric);
}

/* The greatest of the next half hour. */
static double worst_of(const struct series_list *p90)
{
	double worst = 0;

	for (size_t i = 0; i < FORECAST_30M; i++)
		worst = fmax(worst, series_value(p90, i));
	return series_round(worst);
}

/* What the forecast says beyond the present value. */
static void add_forecast(const struct series *series, enum metric metric, struct quantity *o)
{
	struct band band;
	double sum = 0;

	band_of_metric(&band, series, metric);
	o->trend = series->trend[metric];
	o->predicted = o->worst = o->now;
	if (band.len == FORECAST_STEPS)
		o->in_8h = series_round(band.median[FORECAST_STEPS - 1]);
	for (size_t i = 0; i < FORECAST_30M; i++)
		sum += band.median[i];
	if (band.len >= FORECAST_30M)
		o->predicted = series_round(sum / FORECAST_30M);
	if (series->p90[metric].len >= FORECAST_30M)
		o->worst = clamped(worst_of(&series->p90[metric]), metric);
}

struct quantity quantity_of(const struct server *s, enum metric metric)
{
	const struct reading *exact = exact_reading(s, metric);
	struct quantity o = {quantity_now(s, metric), NAN, NAN, NAN, NAN};

	if (s->series)
		add_forecast(s->series, metric, &o);
	if (exact) {
		o.predicted = exact->predicted;
		o.worst = exact->worst;
	}
	return o;
}

static bool is_sent(const struct series *series, enum metric metric)
{
	return !isnan(series->current[metric]) || series->p50[metric].len > 0;
}

/* The fifteenth metric is optional and listed only if it was sent. */
bool quantity_is_listed(const struct server *s, enum metric metric)
{
	if (metric != METRIC_CASCADE_IMPACT)
		return true;
	return s->series ? is_sent(s->series, metric) : !isnan(kept_other(s, metric));
}

void quantity_put(enum metric metric, double value, struct buf *out)
{
	const struct metric_info *info = &metric_table[metric];

	if (info->percent)
		fmt_percent(out, value);
	else
		fmt_number(out, value, 1);
	if (!info->percent && info->unit[0] && !isnan(value))
		buf_addf(out, " %s", info->unit);
}

enum mark quantity_mark(const struct server *s, enum metric metric, double value)
{
	switch (metric) {
	case METRIC_CPU_IOWAIT:
		return mark_of(MARK_KIND_IOWAIT, value);
	case METRIC_MEM_USED:
		return mark_of(server_memory_kind(s), value);
	case METRIC_SWAP_USED:
		return mark_of(MARK_KIND_SWAP, value);
	case METRIC_LOAD:
		return mark_of(MARK_KIND_LOAD, value);
	default:
		return MARK_NONE;
	}
}
