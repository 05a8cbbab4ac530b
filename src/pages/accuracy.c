/* SPDX-License-Identifier: MIT */
/* How good the forecasts were (doc/pages.md#forecasts): a sentence, a table of scores, a line over
 * time for each metric. All numbers are those of fleet/accuracy.c. */
#include "config.h"
#include "pages/contents.h"

#include <math.h>
#include <stdlib.h>

#include "base/fmt.h"
#include "base/html.h"
#include "fleet/shown.h"
#include "pages/curve.h"
#include "pages/filter.h"
#include "pages/layout.h"
#include "pages/pieces.h"

static size_t group_of(const struct query *query)
{
	return query->profile < 0 ? ACCURACY_ALL : (size_t)query->profile;
}

/* ---- the cells ---- */

/* How far a cell is from what it should be, in percent; the more, the worse. */
static int badness(const struct accuracy_cell *cell)
{
	switch (cell->verdict) {
	case ACCURACY_FEW:
		return 0;
	case ACCURACY_WORSE:
		return -accuracy_percent(accuracy_skill(cell->score));
	default:
		return abs(accuracy_percent(accuracy_coverage(cell->score)) - ACCURACY_NOMINAL);
	}
}

static int compare_cells(const void *left, const void *right)
{
	const struct accuracy_cell *a = left, *b = right;

	if (a->verdict != b->verdict)
		return a->verdict < b->verdict ? -1 : 1;
	if (badness(a) != badness(b))
		return badness(a) > badness(b) ? -1 : 1;
	if (a->metric != b->metric)
		return a->metric < b->metric ? -1 : 1;
	return a->horizon < b->horizon ? -1 : 1;
}

/* As printed; 0: the order is that of another table. */
static double value_of(const struct accuracy_cell *cell, enum sort_key sort)
{
	switch (sort) {
	case SORT_METRIC:
		return cell->metric;
	case SORT_HORIZON:
		return (double)cell->horizon;
	case SORT_COVERAGE:
		return table_percent(accuracy_coverage(cell->score));
	case SORT_INTERVAL:
		return table_percent(accuracy_interval(cell->score).low);
	case SORT_VALUES:
		return (double)cell->score->sums.n;
	case SORT_ERROR:
		return shown(accuracy_error(cell->score));
	case SORT_BIAS:
		return shown(accuracy_bias(cell->score));
	case SORT_SKILL:
		return table_percent(accuracy_skill(cell->score));
	case SORT_SILENT:
		return (double)cell->score->sums.silent;
	case SORT_ABSENT:
		return (double)cell->score->sums.absent;
	case SORT_VERDICT:
		return -(double)cell->verdict;
	default:
		return 0;
	}
}

static int compare_chosen(const void *left, const void *right, void *context)
{
	const struct query *query = context;
	int c = table_compare(query, (struct sort_value){value_of(left, query->sort), SPAN("")},
			      (struct sort_value){value_of(right, query->sort), SPAN("")});

	return c ? c : compare_cells(left, right);
}

/* CPU user is forecast only by a model. */
static bool was_forecast(enum kept_metric metric, const struct accuracy_score *score)
{
	const struct accuracy_sums *sums = &score->sums;

	return metric != KEPT_CPU_USER || sums->n || sums->silent || sums->absent;
}

static bool is_wanted(const struct query *query, int metric, int horizon)
{
	return (query->kept < 0 || query->kept == metric) &&
	       (query->horizon < 0 || query->horizon == horizon);
}

size_t page_accuracy_cells(const struct view *view, enum accuracy_scenario scenario,
			   struct accuracy_cell cells[ACCURACY_CELLS_MAX])
{
	struct query query = *view->query;
	size_t count = 0;

	for (int i = 0; i < ACCURACY_CELLS_MAX; i++) {
		enum kept_metric metric = (enum kept_metric)(i / HORIZONS);
		int horizon = i % HORIZONS;
		const struct accuracy_score *score = accuracy_of(view->accuracy, scenario, metric,
								 (size_t)horizon, group_of(&query));

		if (is_wanted(&query, (int)metric, horizon) &&
		    (scenario == ACCURACY_USUAL ? was_forecast(metric, score) : score->sums.n > 0))
			cells[count++] = (struct accuracy_cell){metric, (size_t)horizon, score,
								accuracy_verdict(score)};
	}
	qsort_r(cells, count, sizeof(cells[0]), compare_chosen, &query);
	return count;
}

/* ---- the sentence ---- */

static const char *const metric_words[KEPT_METRICS] = {
	[KEPT_CPU] = "CPU",   [KEPT_MEMORY] = "memory",     [KEPT_IOWAIT] = "I/O wait",
	[KEPT_LOAD] = "load", [KEPT_CPU_USER] = "CPU user",
};
static const char *const horizon_words[HORIZONS] = {
	"30-minute", "1-hour", "2-hour", "4-hour", "8-hour",
};
static const char *const period_words[PERIODS] = {
	[PERIOD_1D] = "day’s", [PERIOD_7D] = "7 days’", [PERIOD_30D] = "30 days’"};

static void put_skill(const struct accuracy_score *score, struct buf *out)
{
	double skill = accuracy_skill(score);
	int percent = accuracy_percent(skill);

	if (percent > 0)
		buf_addf(out, "they beat “no change” by %d%%.", percent);
	else if (percent == 0)
		html_lit(out, "they are as good as “no change”.");
	else if (skill > ACCURACY_SKILL_LEAST)
		buf_addf(out, "they are worse than “no change” by %d%%.", -percent);
	else
		html_lit(out, "they are far worse than “no change”.");
}

static void put_sentence(const struct query *query, enum kept_metric metric, size_t horizon,
			 const struct accuracy_score *score, struct buf *out)
{
	buf_addf(out, "Of the last %s %s %s forecasts", period_words[query->period],
		 horizon_words[horizon], metric_words[metric]);
	if (query->profile >= 0)
		buf_addf(out, " for %s servers", profile_table[query->profile].name);
	buf_addf(out, " %d%% fell inside the band that should hold %d%%; ",
		 accuracy_percent(accuracy_coverage(score)), ACCURACY_NOMINAL);
	put_skill(score, out);
}

/* What the query leaves open: CPU, 30 min. */
static enum kept_metric metric_of(const struct query *query)
{
	return query->kept < 0 ? KEPT_CPU : (enum kept_metric)query->kept;
}

static size_t horizon_of(const struct query *query)
{
	return query->horizon < 0 ? 0 : (size_t)query->horizon;
}

static void put_summary(const struct view *view, struct buf *out)
{
	const struct query *query = view->query;
	enum kept_metric metric = metric_of(query);
	size_t horizon = horizon_of(query);
	const struct accuracy_score *score =
		accuracy_of(view->accuracy, ACCURACY_USUAL, metric, horizon, group_of(query));

	html_lit(out, "<p id=\"summary\"><b>");
	if (accuracy_verdict(score) == ACCURACY_FEW)
		buf_addf(out, "Not enough yet: %lld of %d values of the %s %s forecasts.",
			 (long long)score->sums.n, ACCURACY_ENOUGH, horizon_words[horizon],
			 metric_words[metric]);
	else
		put_sentence(query, metric, horizon, score, out);
	html_lit(out, "</b></p>");
}

/* ---- controls ---- */

static void put_metrics(const struct page *page, const struct query *query, struct buf *out)
{
	struct query q = *query;

	html_lit(out, "<p><span>Metric</span> ");
	query_give(&q, QUERY_KEPT, false);
	layout_link(page, &q, query->kept < 0, "All", out);
	query_give(&q, QUERY_KEPT, true);
	for (q.kept = 0; q.kept < KEPT_METRICS; q.kept++) {
		html_lit(out, " ");
		layout_link(page, &q, q.kept == query->kept, accuracy_metric_table[q.kept].name,
			    out);
	}
	html_lit(out, "</p>");
}

static void put_horizons(const struct page *page, const struct query *query, struct buf *out)
{
	struct query q = *query;

	html_lit(out, "<p><span>Horizon</span> ");
	query_give(&q, QUERY_HORIZON, false);
	layout_link(page, &q, query->horizon < 0, "All", out);
	query_give(&q, QUERY_HORIZON, true);
	for (q.horizon = 0; q.horizon < HORIZONS; q.horizon++) {
		html_lit(out, " ");
		layout_link(page, &q, q.horizon == query->horizon,
			    accuracy_horizon_table[q.horizon].name, out);
	}
	html_lit(out, "</p>");
}

static void put_controls(const struct query *query, struct buf *out)
{
	const struct page *page = page_find_name("accuracy");

	html_lit(out, "<div class=\"filters\">");
	put_metrics(page, query, out);
	put_horizons(page, query, out);
	filter_profiles(page, query, out);
	filter_periods(page, query, out);
	html_lit(out, "</div>");
	layout_downloads(page, query, out);
}

/* ---- the table ---- */

static const struct table usual_table = {
	"accuracy",
	"scores",
	"plan wide",
	{
		{"Metric", SORT_METRIC, false},
		{"Horizon", SORT_HORIZON, false},
		{"Verdict", SORT_VERDICT, false},
		{"Coverage", SORT_COVERAGE, true},
		{"95% interval", SORT_INTERVAL, true},
		{"Values", SORT_VALUES, true},
		{"Median error", SORT_ERROR, true},
		{"Bias", SORT_BIAS, true},
		{"Skill", SORT_SKILL, true},
		{"Silent", SORT_SILENT, true},
		{"Absent", SORT_ABSENT, true},
	},
};

static void put_interval(const struct accuracy_score *score, struct buf *out)
{
	struct accuracy_interval interval = accuracy_interval(score);

	table_put_percent(interval.low, out);
	if (accuracy_percent(interval.low) == ACCURACY_UNKNOWN)
		return;
	html_lit(out, " to ");
	table_put_percent(interval.high, out);
}

static void put_coverage(const struct accuracy_score *score, struct buf *out)
{
	table_number("Coverage", out);
	table_put_percent(accuracy_coverage(score), out);
	html_lit(out, "</td>");
	table_number("95% interval", out);
	put_interval(score, out);
	html_lit(out, "</td>");
	table_put_count("Values", score->sums.n, out);
}

static void put_errors(const struct accuracy_score *score, const char *unit, struct buf *out)
{
	table_number("Median error", out);
	curve_value(accuracy_error(score), unit, out);
	html_lit(out, "</td>");
	table_number("Bias", out);
	fmt_delta(out, accuracy_bias(score), unit);
	html_lit(out, "</td>");
	table_number("Skill", out);
	table_put_percent(accuracy_skill(score), out);
	html_lit(out, "</td>");
}

static void put_row(const struct accuracy_cell *cell, struct buf *out)
{
	const struct accuracy_metric_info *metric = &accuracy_metric_table[cell->metric];
	const struct accuracy_verdict_info *verdict = &accuracy_verdict_table[cell->verdict];

	buf_addf(out,
		 "<tr><th scope=\"row\">%s <small>%s</small></th><td data-l=\"Horizon\">%s</td>"
		 "<td data-l=\"Verdict\"><span><b aria-hidden=\"true\">%s</b> %s</span></td>",
		 metric->name, metric->provenance, accuracy_horizon_table[cell->horizon].name,
		 verdict->glyph, verdict->name);
	put_coverage(cell->score, out);
	put_errors(cell->score, metric->unit, out);
	table_put_count("Silent", cell->score->sums.silent, out);
	table_put_count("Absent", cell->score->sums.absent, out);
	html_lit(out, "</tr>");
}

static void put_table(const struct table *table, const struct view *view,
		      const struct accuracy_cell *cells, size_t count, struct buf *out)
{
	struct part all = {0, count, count};

	table_begin(table,
		    view->query->given & QUERY_BIT(QUERY_SORT)
			    ? "Ordered by the column with the arrow"
			    : "Worst first",
		    view, out);
	for (size_t i = 0; i < count; i++)
		put_row(&cells[i], out);
	table_end(table, &all, view->query, out);
}

static bool is_empty(const struct accuracy_cell *cells, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct accuracy_sums *sums = &cells[i].score->sums;

		if (sums->n || sums->silent || sums->absent)
			return false;
	}
	return true;
}

static void put_scores(const struct view *view, struct buf *out)
{
	struct accuracy_cell cells[ACCURACY_CELLS_MAX];
	size_t count = page_accuracy_cells(view, ACCURACY_USUAL, cells);

	if (is_empty(cells, count)) {
		html_lit(out, "<p class=\"empty\">Nothing has been compared in this range. A "
			      "forecast is compared when its time has come: the first ones 30 min "
			      "after they were made.</p>");
		return;
	}
	put_table(&usual_table, view, cells, count, out);
	buf_addf(out,
		 "<p class=\"note\">Coverage: the share of the values inside the band from p10 to "
		 "p90; %d%% is right. The interval takes all values of an hour, or of the horizon "
		 "where that is longer, as dependent. Skill: the share of the error of “no change” "
		 "that the forecast avoids. <a href=\"docs#accuracy\">How it is worked out</a></p>",
		 ACCURACY_NOMINAL);
}

/* ---- what was left out ---- */

static void put_records(const struct accuracy *accuracy, size_t horizon, struct buf *out)
{
	int64_t records = accuracy->records[horizon];
	int64_t missing = accuracy->expected - records;

	buf_addf(out, "<tr><th scope=\"row\">%s</th><td>%lld</td><td>%lld</td><td>%lld</td></tr>",
		 accuracy_horizon_table[horizon].name, (long long)accuracy->expected,
		 (long long)records, (long long)(missing > 0 ? missing : 0));
}

static void put_left_out(const struct view *view, struct buf *out)
{
	static const char *const columns[] = {"Horizon", "Possible", "Compared", "Missing", NULL};

	html_lit(out, "<section class=\"panel\" id=\"left-out\"><h2>What was left out</h2>"
		      "<p>Silent: servers without news when the forecast came true. Absent: "
		      "servers without a value or a forecast, then or now. Missing: nothing was "
		      "kept or fetched at the time.</p>");
	layout_table_begin("Forecasts of the whole fleet, one in 5 minutes at most", columns, out);
	for (size_t h = 0; h < HORIZONS; h++)
		if (is_wanted(view->query, view->query->kept, (int)h))
			put_records(view->accuracy, h, out);
	layout_table_end(out);
	html_lit(out, "</section>");
}

/* ---- the same table where the scenario changed ---- */

static void put_changed(const struct view *view, struct buf *out)
{
	struct accuracy_cell cells[ACCURACY_CELLS_MAX];
	size_t count = page_accuracy_cells(view, ACCURACY_CHANGED, cells);
	struct table table = usual_table;

	if (!count)
		return;
	table.id = "scenario-changed";
	html_lit(out, "<section class=\"panel\" id=\"scenario-changed\"><h2>While the scenario "
		      "changed</h2><p>Another scenario played when these forecasts were made than "
		      "when they came true. They are in none of the numbers above.</p>");
	put_table(&table, view, cells, count, out);
	html_lit(out, "</section>");
}

/* ---- lines over time ---- */

/* The middle of a slot. */
static int64_t slot_at(const struct accuracy *accuracy, size_t slot)
{
	return accuracy->from_ms + (int64_t)slot * accuracy->slot_ms + accuracy->slot_ms / 2;
}

static size_t find_points(const struct accuracy *accuracy, const struct accuracy_score *score,
			  struct chart_point points[ACCURACY_SLOTS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < accuracy->slots; i++) {
		double value = 100 * accuracy_slot_coverage(&score->slots[i]);

		if (score->slots[i].n)
			points[count++] = (struct chart_point){slot_at(accuracy, i), value, value,
							       value, i && score->slots[i - 1].n};
	}
	return count;
}

static void describe(const struct accuracy *accuracy, const struct chart_point *points,
		     size_t count, struct buf *out)
{
	const struct chart_point *least = points;

	for (size_t i = 1; i < count; i++)
		if (points[i].value < least->value)
			least = &points[i];
	fmt_iso_seconds(out, accuracy->from_ms);
	buf_lit(out, " to ");
	fmt_iso_seconds(out, accuracy->to_ms);
	buf_addf(out, "; the band should hold %d%%; last value ", ACCURACY_NOMINAL);
	curve_value(points[count - 1].value, "%", out);
	buf_lit(out, ", minimum ");
	curve_value(least->value, "%", out);
	buf_lit(out, " at ");
	fmt_iso_seconds(out, least->at_ms);
}

static void draw(const struct accuracy *accuracy, const char *title,
		 const struct chart_point *points, size_t count, struct buf *out)
{
	struct chart_frame frame = {.title = title,
				    .from_ms = accuracy->from_ms,
				    .to_ms = accuracy->to_ms,
				    .top = 100,
				    .unit = "%"};
	double nominal = ACCURACY_NOMINAL;
	struct chart_point ends[] = {{frame.from_ms, nominal, nominal, nominal, false},
				     {frame.to_ms, nominal, nominal, nominal, true}};
	struct buf desc;

	buf_init(&desc, 1024);
	describe(accuracy, points, count, &desc);
	frame.desc = buf_span(&desc);
	frame.names[0] = (struct chart_name){"held", points[count - 1].value};
	frame.names[1] = (struct chart_name){"should hold", nominal};
	chart_begin(&frame, out);
	chart_line(&frame, &(struct chart_series){"nominal", "should hold", ends, 2}, out);
	chart_line(&frame, &(struct chart_series){"value", "held", points, count}, out);
	chart_end(&frame, NULL, 0, out);
	buf_free(&desc);
}

static void put_line(const struct view *view, enum kept_metric metric,
		     const struct accuracy_score *score, struct buf *out)
{
	const char *title = accuracy_metric_table[metric].name;
	struct chart_point points[ACCURACY_SLOTS_MAX];
	size_t count = find_points(view->accuracy, score, points);
	struct query q = *view->query;

	if (!count)
		return;
	q.kept = (int)metric;
	query_give(&q, QUERY_KEPT, true);
	html_lit(out, "<figure class=\"curve\"><figcaption>");
	layout_link(page_find_name("accuracy"), &q, false, title, out);
	html_lit(out, "</figcaption>");
	draw(view->accuracy, title, points, count, out);
	html_lit(out, "</figure>");
}

static const struct accuracy_score *line_of(const struct view *view, int metric)
{
	return accuracy_of(view->accuracy, ACCURACY_USUAL, (enum kept_metric)metric,
			   horizon_of(view->query), group_of(view->query));
}

static bool has_line(const struct view *view)
{
	const struct query *query = view->query;

	for (int m = 0; m < KEPT_METRICS; m++)
		if ((query->kept < 0 || query->kept == m) && line_of(view, m)->sums.n)
			return true;
	return false;
}

static void put_lines(const struct view *view, struct buf *out)
{
	const struct query *query = view->query;

	buf_addf(out,
		 "<section class=\"panel\" id=\"reliability\"><h2>Coverage over time, %s "
		 "forecasts</h2>",
		 horizon_words[horizon_of(query)]);
	if (!has_line(view)) {
		buf_addf(out,
			 "<p class=\"empty\">Not enough yet: a curve needs forecasts for %s that "
			 "have come true in this range.</p></section>",
			 accuracy_horizon_table[horizon_of(query)].name);
		return;
	}
	for (int m = 0; m < KEPT_METRICS; m++)
		if (query->kept < 0 || query->kept == m)
			put_line(view, (enum kept_metric)m, line_of(view, m), out);
	html_lit(out, "</section>");
}

/* ---- the page ---- */

void page_accuracy(const struct view *view, struct buf *out)
{
	html_lit(out, "<h1>Forecasts</h1>");
	put_controls(view->query, out);
	buf_addf(out,
		 "<section class=\"panel\" id=\"scores\"><h2>Forecasts that came true, last "
		 "%s</h2>",
		 filter_period(view->query->period));
	if (!view->accuracy) {
		html_lit(out,
			 "<p class=\"empty\">Scores are kept in the shared cache, which cannot "
			 "be reached. Nothing is lost.</p></section>");
		return;
	}
	put_summary(view, out);
	put_scores(view, out);
	html_lit(out, "</section>");
	put_lines(view, out);
	if (view->warnings)
		page_warnings(view, out);
	put_changed(view, out);
	put_left_out(view, out);
}
