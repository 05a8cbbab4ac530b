/* SPDX-License-Identifier: MIT */
/* The scores of forecasts as JSON and CSV (doc/pages.md#endpoints, doc/pages.md#data-formats),
 * unrounded. */
#include "config.h"
#include "pages/api.h"
#include "pages/contents.h"

#include "base/csv.h"
#include "pages/pieces.h"

static const char *const scenario_names[ACCURACY_SCENARIOS] = {
	[ACCURACY_USUAL] = "usual", [ACCURACY_CHANGED] = "changed"};

/* NULL: all profiles. */
static const char *profile_name(const struct query *query)
{
	return query->profile < 0 ? NULL : profile_table[query->profile].name;
}

/* ---- JSON ---- */

static void put_coverage(const struct accuracy_score *score, struct json *j)
{
	struct accuracy_interval interval = accuracy_interval(score);

	json_num(j, "coverage", accuracy_coverage(score));
	json_num(j, "coverage_low", interval.low);
	json_num(j, "coverage_high", interval.high);
}

static void put_errors(const struct accuracy_score *score, struct json *j)
{
	json_num(j, "error", accuracy_error(score));
	json_num(j, "bias", accuracy_bias(score));
	json_num(j, "naive_error", accuracy_naive(score));
	json_num(j, "skill", accuracy_skill(score));
	json_object(j, "pinball");
	json_num(j, "p10", accuracy_pinball(score, ACCURACY_P10));
	json_num(j, "p50", accuracy_pinball(score, ACCURACY_P50));
	json_num(j, "p90", accuracy_pinball(score, ACCURACY_P90));
	json_end(j);
}

static void put_slots(const struct accuracy *accuracy, const struct accuracy_score *score,
		      struct json *j)
{
	json_array(j, "slots");
	for (size_t i = 0; i < accuracy->slots; i++) {
		const struct accuracy_slot *slot = &score->slots[i];

		if (!slot->n)
			continue;
		json_array(j, NULL);
		json_int(j, NULL, (accuracy->from_ms + (int64_t)i * accuracy->slot_ms) / 1000);
		json_int(j, NULL, slot->n);
		json_num(j, NULL, accuracy_slot_coverage(slot));
		json_end(j);
	}
	json_end(j);
}

static void put_score(const struct view *view, enum accuracy_scenario scenario,
		      const struct accuracy_cell *cell, struct json *j)
{
	const struct accuracy_metric_info *metric = &accuracy_metric_table[cell->metric];
	const struct accuracy_sums *sums = &cell->score->sums;

	json_object(j, NULL);
	json_cstr(j, "metric", metric->slug);
	json_cstr(j, "horizon", accuracy_horizon_table[cell->horizon].slug);
	json_cstr(j, "scenario", scenario_names[scenario]);
	json_cstr(j, "provenance", metric->provenance);
	json_cstr(j, "verdict", accuracy_verdict_table[cell->verdict].slug);
	json_int(j, "n", sums->n);
	json_int(j, "below", sums->below);
	json_int(j, "above", sums->above);
	json_int(j, "silent", sums->silent);
	json_int(j, "absent", sums->absent);
	put_coverage(cell->score, j);
	put_errors(cell->score, j);
	put_slots(view->accuracy, cell->score, j);
	json_end(j);
}

static void put_scores(const struct view *view, struct json *j)
{
	struct accuracy_cell cells[ACCURACY_CELLS_MAX];

	json_array(j, "scores");
	for (int s = 0; s < ACCURACY_SCENARIOS; s++) {
		enum accuracy_scenario scenario = (enum accuracy_scenario)s;
		size_t count = page_accuracy_cells(view, scenario, cells);

		for (size_t i = 0; i < count; i++)
			put_score(view, scenario, &cells[i], j);
	}
	json_end(j);
}

static void put_records(const struct accuracy *accuracy, struct json *j)
{
	json_array(j, "records");
	for (size_t h = 0; h < HORIZONS; h++) {
		json_object(j, NULL);
		json_cstr(j, "horizon", accuracy_horizon_table[h].slug);
		json_int(j, "possible", accuracy->expected);
		json_int(j, "compared", accuracy->records[h]);
		json_end(j);
	}
	json_end(j);
}

/* ---- warnings ---- */

static void put_limit(const struct view *view, size_t limit, struct json *j)
{
	const struct warning_limit *l = &warning_limits[limit];
	bool above;

	json_cstr(j, "metric", l->slug);
	json_cstr(j, "kind", warning_kind_names[l->kind]);
	json_num(j, "limit",
		 warning_limit_of(limit, view->query->profile == PROFILE_DATABASE, &above));
	json_cstr(j, "horizon", accuracy_horizon_table[warning_horizon(limit)].slug);
}

static void put_warning(const struct view *view, size_t limit, struct json *j)
{
	const struct warning_sums *sums = page_warning_sums(view, limit);

	json_object(j, NULL);
	put_limit(view, limit, j);
	json_int(j, "hits", sums->outcomes[WARNING_HIT]);
	json_int(j, "misses", sums->outcomes[WARNING_MISS]);
	json_int(j, "false_alarms", sums->outcomes[WARNING_FALSE]);
	json_int(j, "unknown", sums->outcomes[WARNING_LOST]);
	json_num(j, "precision", warning_precision(sums));
	json_num(j, "recall", warning_recall(sums));
	json_num(j, "lead_min", warning_lead(sums));
	json_end(j);
}

static void put_warnings(const struct view *view, struct json *j)
{
	size_t limits[WARNING_LIMITS], count = page_warning_limits(view, limits);

	json_array(j, "warnings");
	for (size_t i = 0; i < count; i++)
		put_warning(view, limits[i], j);
	json_end(j);
}

static void put_outcome(const struct view *view, const struct warning_event *event, struct json *j)
{
	const struct warning_limit *l = &warning_limits[event->limit];
	bool above;

	json_object(j, NULL);
	api_time(j, "at", event->at_ms);
	json_cstr(j, "outcome", warning_outcome_table[event->outcome].slug);
	json_str(j, "server", warning_name(view->warnings, event));
	json_cstr(j, "profile", profile_table[event->profile].name);
	json_cstr(j, "metric", l->slug);
	json_cstr(j, "kind", warning_kind_names[l->kind]);
	json_num(j, "limit",
		 warning_limit_of(event->limit, event->profile == PROFILE_DATABASE, &above));
	if (event->warned_ms)
		api_time(j, "warned_at", event->warned_ms);
	else
		json_null(j, "warned_at");
	json_end(j);
}

static void put_outcomes(const struct view *view, struct json *j)
{
	const struct warning_event *events[WARNINGS_TOLD];
	size_t count = page_warning_events(view, events);

	json_array(j, "outcomes");
	for (size_t i = 0; i < count; i++)
		put_outcome(view, events[i], j);
	json_end(j);
}

/* ---- the document ---- */

static void put_all(const struct view *view, struct json *j)
{
	api_time(j, "from", view->accuracy->from_ms);
	api_time(j, "to", view->accuracy->to_ms);
	json_int(j, "slot_s", view->accuracy->slot_ms / 1000);
	put_records(view->accuracy, j);
	put_scores(view, j);
	put_warnings(view, j);
	put_outcomes(view, j);
}

void api_accuracy(const struct view *view, struct buf *out)
{
	struct json j;

	json_resume(&j, out);
	json_cstr(&j, "range", query_period_name(view->query->period));
	json_cstr(&j, "profile", profile_name(view->query));
	if (view->accuracy && view->warnings) {
		put_all(view, &j);
		return;
	}
	/* Not known is not the same as none. */
	json_null(&j, "from");
	json_null(&j, "to");
	json_null(&j, "slot_s");
	json_null(&j, "records");
	json_null(&j, "scores");
	json_null(&j, "warnings");
	json_null(&j, "outcomes");
}

/* ---- CSV ---- */

/* After metric, horizon and profile the columns of a score, then those of a warning. */
#define SCORE_COLUMNS   20
#define WARNING_COLUMNS 9

static void put_blank(struct csv *c, int columns)
{
	while (columns-- > 0)
		csv_str(c, "");
}

static void put_counts(const struct accuracy_sums *sums, struct csv *c)
{
	csv_num(c, (double)sums->n);
	csv_num(c, (double)sums->below);
	csv_num(c, (double)sums->above);
	csv_num(c, (double)sums->silent);
	csv_num(c, (double)sums->absent);
}

static void put_numbers(const struct accuracy_score *score, struct csv *c)
{
	struct accuracy_interval interval = accuracy_interval(score);

	csv_num(c, accuracy_coverage(score));
	csv_num(c, interval.low);
	csv_num(c, interval.high);
	csv_num(c, accuracy_error(score));
	csv_num(c, accuracy_bias(score));
	csv_num(c, accuracy_naive(score));
	csv_num(c, accuracy_skill(score));
	for (int q = 0; q < ACCURACY_QUANTILES; q++)
		csv_num(c, accuracy_pinball(score, (enum accuracy_quantile)q));
}

static void put_row(const struct view *view, enum accuracy_scenario scenario,
		    const struct accuracy_cell *cell, struct csv *c)
{
	const struct accuracy_metric_info *metric = &accuracy_metric_table[cell->metric];
	const char *profile = profile_name(view->query);

	csv_str(c, metric->slug);
	csv_str(c, accuracy_horizon_table[cell->horizon].slug);
	csv_str(c, profile ? profile : "");
	csv_str(c, scenario_names[scenario]);
	csv_str(c, metric->provenance);
	csv_str(c, accuracy_verdict_table[cell->verdict].slug);
	put_counts(&cell->score->sums, c);
	put_numbers(cell->score, c);
	csv_num(c, (double)view->accuracy->expected);
	csv_num(c, (double)view->accuracy->records[cell->horizon]);
	put_blank(c, WARNING_COLUMNS);
	csv_end(c);
}

/* A row of another kind: the columns of the scores are empty. */
static void put_warning_row(const struct view *view, size_t limit, struct csv *c)
{
	const struct warning_limit *l = &warning_limits[limit];
	const struct warning_sums *sums = page_warning_sums(view, limit);
	const char *profile = profile_name(view->query);
	bool above;

	csv_str(c, l->slug);
	csv_str(c, accuracy_horizon_table[warning_horizon(limit)].slug);
	csv_str(c, profile ? profile : "");
	put_blank(c, SCORE_COLUMNS);
	csv_str(c, warning_kind_names[l->kind]);
	csv_num(c, warning_limit_of(limit, view->query->profile == PROFILE_DATABASE, &above));
	for (int i = 0; i < WARNING_OUTCOMES; i++)
		csv_num(c, (double)sums->outcomes[i]);
	csv_num(c, warning_precision(sums));
	csv_num(c, warning_recall(sums));
	csv_num(c, warning_lead(sums));
	csv_end(c);
}

void csv_accuracy(const struct view *view, struct buf *out)
{
	struct accuracy_cell cells[ACCURACY_CELLS_MAX];
	size_t limits[WARNING_LIMITS], count;
	struct csv c;

	csv_init(&c, out,
		 "metric,horizon,profile,scenario,provenance,verdict,n,below,above,silent,absent,"
		 "coverage,coverage_low,coverage_high,error,bias,naive_error,skill,"
		 "pinball_p10,pinball_p50,pinball_p90,possible,compared,kind,limit,hits,misses,"
		 "false_alarms,unknown,precision,recall,lead_min");
	for (int s = 0; view->accuracy && s < ACCURACY_SCENARIOS; s++) {
		enum accuracy_scenario scenario = (enum accuracy_scenario)s;

		count = page_accuracy_cells(view, scenario, cells);
		for (size_t i = 0; i < count; i++)
			put_row(view, scenario, &cells[i], &c);
	}
	count = view->warnings ? page_warning_limits(view, limits) : 0;
	for (size_t i = 0; i < count; i++)
		put_warning_row(view, limits[i], &c);
}
