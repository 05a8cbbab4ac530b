/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "fleet/outlook.h"

#include <math.h>

#include "fleet/band.h"
#include "fleet/horizons.h"
#include "fleet/risk.h"

enum { SCORED = KEPT_LOAD + 1 };

static const enum metric wire[SCORED] = {
	[KEPT_MEMORY] = METRIC_MEM_USED,
	[KEPT_IOWAIT] = METRIC_CPU_IOWAIT,
	[KEPT_LOAD] = METRIC_LOAD,
};

static void find_band(const struct server *server, enum kept_metric metric, struct band *band)
{
	if (!server->series)
		band_of_horizons(band, server, metric);
	else if (metric == KEPT_CPU)
		band_of_cpu(band, server->series);
	else
		band_of_metric(band, server->series, wire[metric]);
}

/* Steps that all metrics with a forecast have. */
static size_t common_length(const struct band bands[SCORED])
{
	size_t len = 0;

	for (int m = 0; m < SCORED; m++) {
		size_t own = bands[m].range_len;

		if (own && (!len || own < len))
			len = own;
	}
	return len < OUTLOOK_STEPS ? len : OUTLOOK_STEPS;
}

/* The highest p90 of the 30 minutes from step i on. */
static double worst_from(const struct band *band, size_t i)
{
	double worst = NAN;

	for (size_t k = i; k < band->range_len && k < i + FORECAST_30M; k++)
		worst = fmax(worst, band->high[k]);
	return worst;
}

static struct reading *reading_of(struct server *server, int metric)
{
	struct reading *const readings[SCORED] = {
		[KEPT_CPU] = &server->cpu,
		[KEPT_MEMORY] = &server->memory,
		[KEPT_IOWAIT] = &server->iowait,
		[KEPT_LOAD] = &server->load,
	};

	return readings[metric];
}

enum edge { LOW, MEDIAN, HIGH };

/* The score with the values of step i; a metric without a forecast stays as it is. */
static int risk_at(const struct server *server, const struct band bands[SCORED], size_t i,
		   enum edge edge)
{
	struct server then = *server;

	for (int m = 0; m < SCORED; m++) {
		const struct band *band = &bands[m];
		const double *const edges[] = {band->low, band->median, band->high};

		if (!band->range_len)
			continue;
		reading_of(&then, m)->now = edges[edge][i];
		reading_of(&then, m)->worst = worst_from(band, i);
	}
	risk_score(&then);
	return then.risk;
}

void outlook_of(const struct server *server, struct outlook *out)
{
	struct band bands[SCORED];

	for (int m = 0; m < SCORED; m++)
		find_band(server, (enum kept_metric)m, &bands[m]);
	*out = (struct outlook){.len = common_length(bands)};
	out->sure = out->len;
	for (size_t i = out->len; i-- > 0;) {
		out->low[i] = risk_at(server, bands, i, LOW);
		out->median[i] = risk_at(server, bands, i, MEDIAN);
		out->high[i] = risk_at(server, bands, i, HIGH);
		if (out->high[i] - out->low[i] >= OUTLOOK_VAGUE)
			out->sure = i;
	}
}
