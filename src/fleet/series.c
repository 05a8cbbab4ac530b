/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "fleet/series.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/bytes.h"

#define SERIES_MAGIC "TFTs"

struct series *series_new(void)
{
	struct series *series = calloc(1, sizeof(*series));

	for (int m = 0; series && m < METRIC_COUNT; m++)
		series->current[m] = series->trend[m] = NAN;
	return series;
}

/* Clamps to the range of a float, for charts only; values that are compared or printed are not
 * changed. No fmin: it is a function call, and this runs for every value of an answer. */
static float bounded(double value)
{
	const double most = (double)(FLT_MAX / 4);

	value = value < most ? value : most;
	return (float)(value > -most ? value : -most);
}

void series_pack(const double *values, size_t count, struct series_list *out)
{
	double low = INFINITY, high = -INFINITY, scale;

	*out = (struct series_list){.len = (uint16_t)count};
	if (count == 0)
		return;
	for (size_t i = 0; i < count; i++) {
		low = values[i] < low ? values[i] : low;
		high = values[i] > high ? values[i] : high;
	}
	out->low = bounded(low);
	out->step = (bounded(high) - out->low) / UINT16_MAX;
	if (out->step <= 0)
		return;
	scale = 1 / (double)out->step;
	for (size_t i = 0; i < count; i++) {
		double q = ((double)bounded(values[i]) - (double)out->low) * scale + 0.5;

		out->q[i] = (uint16_t)(q < UINT16_MAX ? q : UINT16_MAX);
	}
}

double series_round(double value)
{
	return round(value * 1000) / 1000;
}

static void put_list(struct buf *out, const struct series_list *list)
{
	char q[2 * FORECAST_STEPS];

	bytes_put_int(out, list->len, 2);
	if (list->len == 0)
		return;
	bytes_put_float(out, list->low);
	bytes_put_float(out, list->step);
	for (size_t i = 0; i < list->len; i++) {
		q[2 * i] = (char)(list->q[i] & 0xff);
		q[2 * i + 1] = (char)(list->q[i] >> 8);
	}
	buf_add(out, q, 2 * (size_t)list->len);
}

static void get_list(struct bytes_reader *r, struct series_list *list)
{
	*list = (struct series_list){.len = (uint16_t)bytes_get_upto(r, 2, FORECAST_STEPS)};
	if (list->len == 0)
		return;
	list->low = bytes_get_float(r);
	list->step = bytes_get_float(r);
	for (size_t i = 0; i < list->len; i++)
		list->q[i] = (uint16_t)bytes_get_int(r, 2);
}

void series_encode(const struct series *series, struct buf *out)
{
	bytes_put_magic(out, SERIES_MAGIC, SERIES_FORMAT);
	for (int m = 0; m < METRIC_COUNT; m++) {
		bytes_put_double(out, series->current[m]);
		bytes_put_double(out, series->trend[m]);
		put_list(out, &series->p10[m]);
		put_list(out, &series->p50[m]);
		put_list(out, &series->p90[m]);
	}
}

int series_decode(struct span bytes, struct series *out)
{
	struct bytes_reader r = {.rest = bytes};

	bytes_get_magic(&r, SERIES_MAGIC, SERIES_FORMAT);
	for (int m = 0; m < METRIC_COUNT; m++) {
		out->current[m] = metric_gate((enum metric)m, bytes_get_double(&r));
		out->trend[m] = metric_gate((enum metric)m, bytes_get_double(&r));
		get_list(&r, &out->p10[m]);
		get_list(&r, &out->p50[m]);
		get_list(&r, &out->p90[m]);
	}
	return r.bad || r.rest.len != 0 ? -1 : 0;
}
