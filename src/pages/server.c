/* SPDX-License-Identifier: MIT */
/* One server (doc/pages.md#server): why it has its risk, every metric with its forecast, the
 * limits it will cross. */
#include "config.h"
#include "pages/contents.h"

#include <math.h>

#include "pages/chart.h"
#include "pages/chart_band.h"
#include "base/csv.h"
#include "base/fmt.h"
#include "base/html.h"
#include "pages/layout.h"
#include "fleet/horizons.h"
#include "fleet/risk.h"
#include "pages/pieces.h"

#define TREND_MIN  0.05 /* the smallest difference that is a rise */
#define RISING_MIN 2    /* rising metrics that trigger the note */

static const char extrapolated[] = "trend extrapolation";
/* Once in five minutes, so they may be a little older than the moment. */
static const char kept[] =
	"trend extrapolation; kept once in 5 minutes, for 30 min, 1, 2, 4 and 8 h";

static const char *provenance(const struct snapshot *snap, enum metric metric)
{
	return metric == METRIC_CPU_USER && snap->model == MODEL_TFT ? "TFT model" : extrapolated;
}

/* ---- pieces shared with the top page ---- */

static void put_value(enum component component, double value, struct buf *out)
{
	if (component == COMPONENT_LOAD_NOW || component == COMPONENT_LOAD_PREDICTED)
		fmt_number(out, value, 1);
	else
		fmt_percent(out, value);
}

static void put_rule(const struct server *s, enum component component, struct buf *out)
{
	const struct risk_rule *rule = risk_rule(component, s->profile == PROFILE_DATABASE);

	buf_addf(out, "<tr><th scope=\"row\">%s</th><td>", rule->label);
	put_value(component, risk_value(s, component), out);
	buf_addf(out, "</td><td>%d</td><td>", s->points[component]);
	fmt_tenths(out, rule->weight * s->points[component]);
	html_lit(out, "</td></tr>");
}

void page_why(const struct server *s, struct buf *out)
{
	int points[2] = {0}; /* now, predicted */

	for (int i = 0; i < COMPONENT_COUNT; i++)
		points[risk_rule((enum component)i, false)->predicted] += s->points[i];
	if (!points[0] && !points[1]) {
		html_lit(out, "<p class=\"note\">No rule adds to its risk.</p>");
		return;
	}
	html_lit(out,
		 "<div class=\"scroll\"><table class=\"numbers\"><caption>Why: the rules that add "
		 "to its risk; predicted "
		 "is the worst of the next 30 minutes</caption><thead><tr>"
		 "<th scope=\"col\">Rule</th><th scope=\"col\">Value</th>"
		 "<th scope=\"col\">Points</th><th scope=\"col\">Adds</th></tr></thead><tbody>");
	for (int i = 0; i < COMPONENT_COUNT; i++)
		if (s->points[i])
			put_rule(s, (enum component)i, out);
	buf_addf(out,
		 "</tbody><tfoot><tr><th scope=\"row\">Risk</th>"
		 "<td colspan=\"2\">0.%d × %d + 0.%d × %d%s</td><td>",
		 RISK_WEIGHT_NOW, points[0], RISK_WEIGHT_PREDICTED, points[1],
		 RISK_WEIGHT_NOW * points[0] + RISK_WEIGHT_PREDICTED * points[1] > RISK_MAX
			 ? ", at most 100"
			 : "");
	fmt_tenths(out, s->risk);
	html_lit(out, "</td></tr></tfoot></table></div>");
}

static void put_reading(const char *label, enum mark_kind kind, const struct reading *r,
			struct buf *out)
{
	const double values[] = {r->now, r->predicted};

	buf_addf(out, "<tr><th scope=\"row\">%s</th>", label);
	for (int i = 0; i < 2; i++) {
		buf_addf(out, "<td%s>", layout_mark(mark_of(kind, values[i])));
		if (kind == MARK_KIND_LOAD)
			fmt_number(out, values[i], 1);
		else
			fmt_percent(out, values[i]);
		html_lit(out, "</td>");
	}
	html_lit(out, "<td>");
	fmt_delta(out, r->change, kind == MARK_KIND_LOAD ? "" : "%");
	html_lit(out, "</td></tr>");
}

/* Absent differences are NaN and compare false. */
static int count_rising(const struct server *s)
{
	const struct reading *readings[] = {&s->cpu, &s->iowait, &s->memory, &s->load};
	int n = 0;

	for (int i = 0; i < 4; i++)
		n += readings[i]->change >= TREND_MIN;
	return n;
}

void page_readings(const struct server *s, struct buf *out)
{
	int rising = count_rising(s);

	html_lit(out, "<div class=\"scroll\"><table class=\"numbers\"><caption>Now and in 30 "
		      "minutes; trend extrapolation"
		      "</caption><thead><tr><th scope=\"col\">Metric</th><th scope=\"col\">Now</th>"
		      "<th scope=\"col\">Predicted (30m)</th><th "
		      "scope=\"col\">Δ</th></tr></thead><tbody>");
	put_reading("CPU used", MARK_KIND_CPU, &s->cpu, out);
	put_reading("I/O wait", MARK_KIND_IOWAIT, &s->iowait, out);
	put_reading("Memory", server_memory_kind(s), &s->memory, out);
	put_reading("Load", MARK_KIND_LOAD, &s->load, out);
	html_lit(out, "</tbody></table></div>");
	if (rising >= RISING_MIN)
		buf_addf(out, "<p class=\"rising\">%d metrics predicted to rise</p>", rising);
}

static void put_no_forecast(const struct view *view, const struct server *s, struct buf *out)
{
	if (!s->has_data)
		html_lit(out, "This server sends no data.");
	else if (view->at_ms)
		html_lit(out, "No forecast is kept of this moment.");
	else
		html_lit(out, "The stored forecast of this server cannot be read.");
}

void page_cpu_forecast(const struct view *view, const struct server *s, struct buf *out)
{
	struct band band;
	struct band_chart chart = {
		"CPU used", "%", s->series ? extrapolated : kept, {90, 70}, &band};

	if (!s->series && !s->horizons) {
		html_lit(out, "<p class=\"note\">");
		put_no_forecast(view, s, out);
		html_lit(out, "</p>");
		return;
	}
	if (s->series)
		band_of_cpu(&band, s->series);
	else
		band_of_horizons(&band, s, KEPT_CPU);
	chart_band(&chart, out);
}

/* ---- head ---- */

static void put_neighbour(const struct view *view, const char *label, const struct server *s,
			  struct buf *out)
{
	buf_addf(out, "<li>%s ", label);
	layout_server(view->query, s->name, "", out);
	html_lit(out, "</li>");
}

static void put_head(const struct view *view, const struct server *s, struct buf *out)
{
	const struct snapshot *snap = view->snap;
	size_t rank = (size_t)(s - snap->servers);

	html_lit(out, "<section class=\"panel\" id=\"server\"><h1>");
	html_text(out, s->name);
	html_lit(out, "</h1><p class=\"value\">");
	fmt_tenths(out, s->risk);
	html_lit(out, " ");
	layout_level(level_of(s->risk), out);
	layout_since(s, snap, out);
	chart_recent(s, snap->interval_ms, out);
	html_lit(out, "</p>");
	chart_risk_bar(s->risk, out);
	buf_addf(out, "<ul class=\"figures\"><li><b>%s</b></li><li>Rank <b>%zu</b> of %zu</li>",
		 profile_table[s->profile].name, rank + 1, snap->count);
	if (rank > 0)
		put_neighbour(view, "Previous", s - 1, out);
	if (rank + 1 < snap->count)
		put_neighbour(view, "Next", s + 1, out);
	html_lit(out, "</ul>");
	layout_silent(s, snap, out);
	layout_downloads(page_find_name("server"), view->query, out);
	html_lit(out, "</section>");
}

/* ---- the metrics ---- */

/* The present and predicted values of one metric (doc/rules.md#other-metrics); NaN: absent. */
struct outlook {
	double now, predicted, worst, in_8h, trend;
};

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

static struct outlook outlook_of(const struct server *s, enum metric metric)
{
	const struct reading *exact = exact_reading(s, metric);
	struct outlook o = {.now = s->series->current[metric], .trend = s->series->trend[metric]};
	struct band band;
	double sum = 0, worst = 0;

	band_of_metric(&band, s->series, metric);
	if (metric_table[metric].percent && !isnan(o.now))
		o.now = fmax(0, fmin(100, o.now));
	o.predicted = o.worst = o.now;
	o.in_8h = band.len == FORECAST_STEPS ? series_round(band.median[FORECAST_STEPS - 1]) : NAN;
	for (size_t i = 0; i < FORECAST_30M; i++) {
		sum += band.median[i];
		worst = fmax(worst, band.high[i]);
	}
	if (band.len >= FORECAST_30M)
		o.predicted = series_round(sum / FORECAST_30M);
	if (s->series->p90[metric].len >= FORECAST_30M)
		o.worst = series_round(worst);
	if (exact) {
		o.now = exact->now;
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
static bool is_listed(const struct series *series, enum metric metric)
{
	return metric != METRIC_CASCADE_IMPACT || is_sent(series, metric);
}

static void put_quantity(double value, enum metric metric, struct buf *out)
{
	const struct metric_info *info = &metric_table[metric];

	if (info->percent)
		fmt_percent(out, value);
	else
		fmt_number(out, value, 1);
	if (!info->percent && info->unit[0] && !isnan(value))
		buf_addf(out, " %s", info->unit);
}

static enum mark mark_of_metric(const struct server *s, enum metric metric, double value)
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

static void put_marked(const struct server *s, enum metric metric, double value, struct buf *out)
{
	buf_addf(out, "<td%s>", layout_mark(mark_of_metric(s, metric, value)));
	put_quantity(value, metric, out);
	html_lit(out, "</td>");
}

static void put_metric(const struct view *view, const struct server *s, enum metric metric,
		       struct buf *out)
{
	struct outlook o = outlook_of(s, metric);
	struct band band;

	band_of_metric(&band, s->series, metric);
	buf_addf(out, "<tr><th scope=\"row\">%s</th>", metric_table[metric].label);
	put_marked(s, metric, o.now, out);
	put_marked(s, metric, o.predicted, out);
	put_marked(s, metric, o.worst, out);
	put_marked(s, metric, o.in_8h, out);
	html_lit(out, "<td>");
	if (o.trend > 0)
		html_lit(out, "+");
	fmt_number(out, o.trend, 3);
	html_lit(out, "</td><td>");
	chart_spark(&band, out);
	buf_addf(out, "</td><td>%s</td></tr>", provenance(view->snap, metric));
}

static void put_metrics(const struct view *view, const struct server *s, struct buf *out)
{
	html_lit(out,
		 "<section class=\"panel\" id=\"metrics\"><h2>Metrics</h2><div class=\"scroll\">"
		 "<table class=\"numbers\"><caption>Every metric with its forecast; the trend is "
		 "the "
		 "daemon's own number</caption><thead><tr><th scope=\"col\">Metric</th>"
		 "<th scope=\"col\">Now</th><th scope=\"col\">Predicted (30m)</th>"
		 "<th scope=\"col\">Worst (30m)</th><th scope=\"col\">In 8 h</th>"
		 "<th scope=\"col\">Trend</th><th scope=\"col\">8 h</th>"
		 "<th scope=\"col\">Forecast</th></tr></thead><tbody>");
	for (int m = 0; m < METRIC_COUNT; m++)
		if (is_listed(s->series, (enum metric)m))
			put_metric(view, s, (enum metric)m, out);
	html_lit(out, "</tbody></table></div></section>");
}

/* ---- the other charts ---- */

/* The daemon's own limits, the limits of the load marks, or none. */
static void find_limits(enum metric metric, double limits[BAND_LIMITS])
{
	limits[0] = limits[1] = NAN;
	for (int i = 0; i < CROSSINGS; i++) {
		if (crossing_table[i].metric != metric)
			continue;
		limits[0] = crossing_table[i].critical;
		limits[1] = crossing_table[i].warning;
	}
	if (metric == METRIC_LOAD) {
		limits[0] = mark_table[MARK_KIND_LOAD].limit[MARK_RED];
		limits[1] = mark_table[MARK_KIND_LOAD].limit[MARK_ORANGE];
	}
}

static void put_chart(const struct view *view, const struct server *s, enum metric metric,
		      struct buf *out)
{
	const struct metric_info *info = &metric_table[metric];
	struct band band;
	struct band_chart chart = {.title = info->label,
				   .unit = info->unit,
				   .provenance = provenance(view->snap, metric),
				   .band = &band};

	find_limits(metric, chart.limits);
	band_of_metric(&band, s->series, metric);
	buf_addf(out, "<div id=\"chart-%s\">", info->wire);
	chart_band(&chart, out);
	html_lit(out, "</div>");
}

static void put_charts(const struct view *view, const struct server *s, struct buf *out)
{
	html_lit(out, "<details class=\"panel\" id=\"charts\"><summary>Forecast charts of all "
		      "metrics</summary><div class=\"columns\">");
	for (int m = 0; m < METRIC_COUNT; m++)
		if (is_listed(s->series, (enum metric)m))
			put_chart(view, s, (enum metric)m, out);
	html_lit(out, "</div></details>");
}

static void put_kept_chart(const struct server *s, enum kept_metric which, enum metric metric,
			   struct buf *out)
{
	struct band band;
	struct band_chart chart = {.title = metric_table[metric].label,
				   .unit = metric_table[metric].unit,
				   .provenance = kept,
				   .band = &band};

	find_limits(metric, chart.limits);
	band_of_horizons(&band, s, which);
	html_lit(out, "<div>");
	chart_band(&chart, out);
	html_lit(out, "</div>");
}

/* Of the past: those that are kept. */
static void put_kept_charts(const struct server *s, struct buf *out)
{
	if (!s->horizons)
		return;
	html_lit(out, "<details class=\"panel\" id=\"charts\"><summary>Forecast charts of other "
		      "metrics</summary><div class=\"columns\">");
	put_kept_chart(s, KEPT_MEMORY, METRIC_MEM_USED, out);
	put_kept_chart(s, KEPT_IOWAIT, METRIC_CPU_IOWAIT, out);
	put_kept_chart(s, KEPT_LOAD, METRIC_LOAD, out);
	html_lit(out, "</div></details>");
}

/* ---- limit crossings ---- */

static void put_crossing(const struct crossing *c, enum crossing_index index, struct buf *out)
{
	enum metric metric = crossing_table[index].metric;

	buf_addf(out, "<tr><th scope=\"row\">%s</th><td>%d min</td><td>",
		 metric_table[metric].label, crossing_minutes(c));
	put_quantity(crossing_limit(c, index), metric, out);
	html_lit(out, "</td><td>");
	put_quantity(c->peak, metric, out);
	buf_addf(out, "</td><td>%s</td></tr>", c->critical ? "critical" : "warning");
}

static void put_crossings(const struct server *s, struct buf *out)
{
	html_lit(out, "<section class=\"panel\" id=\"crossings\"><h2>Limit crossings</h2>");
	if (!crossing_count(s->crossings)) {
		html_lit(out, "<p>No limit crossing is forecast within one hour.</p></section>");
		return;
	}
	html_lit(out,
		 "<div class=\"scroll\"><table class=\"numbers\"><caption>Medians that reach a "
		 "limit "
		 "of the daemon within one hour</caption><thead><tr><th scope=\"col\">Metric</th>"
		 "<th scope=\"col\">Reached in</th><th scope=\"col\">Limit</th>"
		 "<th scope=\"col\">Peak</th><th scope=\"col\">Severity</th></tr></thead><tbody>");
	for (int i = 0; i < CROSSINGS; i++)
		if (s->crossings[i].steps)
			put_crossing(&s->crossings[i], (enum crossing_index)i, out);
	html_lit(out, "</tbody></table></div></section>");
}

void page_server(const struct view *view, struct buf *out)
{
	const struct server *s = view->server;

	put_head(view, s, out);
	html_lit(out, "<div class=\"columns\"><section class=\"panel\" id=\"why\"><h2>Risk</h2>");
	page_why(s, out);
	page_readings(s, out);
	html_lit(out, "</section><div><section class=\"panel\" id=\"cpu\"><h2>CPU used, next 8 "
		      "hours</h2>");
	page_cpu_forecast(view, s, out);
	html_lit(out, "</section>");
	put_crossings(s, out);
	html_lit(out, "</div></div>");
	page_risk_history(view, out);
	page_foretold(view, out);
	put_kept_charts(s, out);
	if (!s->series)
		return;
	put_metrics(view, s, out);
	put_charts(view, s, out);
}

/* ---- CSV ---- */

void csv_server(const struct view *view, struct buf *out)
{
	const struct server *s = view->server;
	struct csv c;

	csv_init(&c, out, "metric,unit,now,predicted_30m,worst_30m,p50_8h,trend,provenance");
	for (int m = 0; s->series && m < METRIC_COUNT; m++) {
		struct outlook o = outlook_of(s, (enum metric)m);

		if (!is_listed(s->series, (enum metric)m))
			continue;
		csv_str(&c, metric_table[m].wire);
		csv_str(&c, metric_table[m].unit);
		csv_num(&c, o.now);
		csv_num(&c, o.predicted);
		csv_num(&c, o.worst);
		csv_num(&c, o.in_8h);
		csv_num(&c, o.trend);
		csv_str(&c,
			provenance(view->snap, (enum metric)m) == extrapolated ? "trend" : "model");
		csv_end(&c);
	}
}
