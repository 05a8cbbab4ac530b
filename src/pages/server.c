/* SPDX-License-Identifier: MIT */
/* One server (doc/pages.md#server): why it has its risk, the last and next hours of every metric, the
 * limits it will cross, another server beside it. */
#include "config.h"
#include "pages/contents.h"

#include <math.h>

#include "pages/chart.h"
#include "base/csv.h"
#include "base/fmt.h"
#include "base/html.h"
#include "fleet/band.h"
#include "pages/layout.h"
#include "pages/quantity.h"
#include "pages/pieces.h"
#include "pages/silence_form.h"

#define MINUTE_MS INT64_C(60000)

/* ---- head ---- */

struct neighbours page_neighbours(const struct snapshot *snap, const struct server *s)
{
	size_t at = (size_t)(s - snap->servers);
	struct neighbours n = {.rank = at + 1};

	if (at > 0)
		n.worse = s - 1;
	if (at + 1 < snap->count)
		n.better = s + 1;
	for (size_t i = 0; i < snap->count; i++) {
		const struct server *other = &snap->servers[i];
		int order = span_cmp(other->name, s->name);

		if (order < 0 && (!n.before || span_cmp(other->name, n.before->name) > 0))
			n.before = other;
		if (order > 0 && (!n.after || span_cmp(other->name, n.after->name) < 0))
			n.after = other;
	}
	return n;
}

static void put_neighbour(const struct view *view, const char *label, const struct server *s,
			  struct buf *out)
{
	if (!s)
		return;
	buf_addf(out, " %s ", label);
	layout_server(view->query, s->name, "", out);
}

static void put_neighbours(const struct view *view, const struct neighbours *n, struct buf *out)
{
	buf_addf(out, "<li>Rank <b>%zu</b> of %zu", n->rank, view->snap->count);
	put_neighbour(view, "<span aria-hidden=\"true\">↑</span> worse", n->worse, out);
	put_neighbour(view, "<span aria-hidden=\"true\">↓</span> better", n->better, out);
	html_lit(out, "</li><li>By name");
	put_neighbour(view, "<span aria-hidden=\"true\">←</span> previous", n->before, out);
	put_neighbour(view, "<span aria-hidden=\"true\">→</span> next", n->after, out);
	html_lit(out, "</li>");
}

static void put_risk(const struct view *view, const struct server *s, struct buf *out)
{
	html_lit(out, "<p class=\"value\">");
	fmt_tenths(out, s->risk);
	html_lit(out, " ");
	layout_level(level_of(s->risk), out);
	layout_since(s, view->snap, out);
	chart_recent(s, view->snap->interval_ms, out);
	html_lit(out, "</p>");
}

static void put_head(const struct view *view, const struct server *s,
		     const struct neighbours *neighbours, struct buf *out)
{
	html_lit(out, "<section class=\"panel\" id=\"server\"><h1>");
	html_text(out, s->name);
	html_lit(out, "</h1>");
	put_risk(view, s, out);
	chart_risk_bar(s->risk, out);
	buf_addf(out, "<ul class=\"figures\"><li><b>%s</b></li>", profile_table[s->profile].name);
	put_neighbours(view, neighbours, out);
	html_lit(out, "</ul>");
	layout_silent(s, view->snap, out);
	layout_silenced(s, view->snap, out);
	layout_downloads(page_find_name("server"), view->query, out);
	html_lit(out, "</section>");
}

/* ---- exact numbers ---- */

static double worst_of(const struct band *band)
{
	double worst = NAN;

	for (size_t i = 0; i < band->range_len; i++)
		worst = fmax(worst, band->high[i]);
	return worst;
}

static void put_number_cell(const struct server *s, enum metric metric, double value,
			    struct buf *out)
{
	buf_addf(out, "<td%s>", layout_mark(quantity_mark(s, metric, value)));
	quantity_put(metric, value, out);
	html_lit(out, "</td>");
}

static void put_number_row(const struct view *view, enum metric metric, struct buf *out)
{
	const struct server *s = view->server;
	struct quantity o = quantity_of(s, metric);
	struct band band = {.len = 0};

	if (s->series)
		band_of_metric(&band, s->series, metric);
	buf_addf(out, "<tr><th scope=\"row\">%s</th>", metric_table[metric].label);
	put_number_cell(s, metric, o.now, out);
	put_number_cell(s, metric, o.predicted, out);
	put_number_cell(s, metric, worst_of(&band), out);
	if (view->with)
		put_number_cell(view->with, metric, quantity_now(view->with, metric), out);
	html_lit(out, "</tr>");
}

static void put_numbers(const struct view *view, const struct server *s, struct buf *out)
{
	html_lit(out,
		 "<details class=\"panel\" id=\"numbers\"><summary><h2>Exact "
		 "numbers</h2></summary><div "
		 "class=\"scroll\" tabindex=\"0\"><table class=\"numbers\"><caption>p50: mean of "
		 "the next 30 "
		 "minutes; worst: highest p90</caption><thead><tr><th "
		 "scope=\"col\">Metric</th><th scope=\"col\">Now</th><th scope=\"col\">p50, 30 "
		 "min</th><th scope=\"col\">Worst in 8 h</th>");
	if (view->with) {
		html_lit(out, "<th scope=\"col\">");
		html_text(out, view->with->name);
		html_lit(out, " now</th>");
	}
	html_lit(out, "</tr></thead><tbody>");
	for (int m = 0; m < METRIC_COUNT; m++)
		if (quantity_is_listed(s, (enum metric)m))
			put_number_row(view, (enum metric)m, out);
	html_lit(out, "</tbody></table></div></details>");
}

/* ---- limit crossings ---- */

static void put_crossing(const struct view *view, const struct crossing *c,
			 enum crossing_index index, struct buf *out)
{
	enum metric metric = crossing_table[index].metric;

	buf_addf(out, "<li><b>%s</b> reaches ", metric_table[metric].label);
	quantity_put(metric, crossing_limit(c, index), out);
	buf_addf(out, " (%s) in %d min, at ", c->critical ? "critical" : "warning",
		 crossing_minutes(c));
	fmt_time_element(out, view->snap->gen_ms + crossing_minutes(c) * MINUTE_MS);
	html_lit(out, "; peak ");
	quantity_put(metric, c->peak, out);
	html_lit(out, "</li>");
}

static void put_crossings(const struct view *view, const struct server *s, struct buf *out)
{
	html_lit(out, "<section class=\"panel\" id=\"crossings\"><h2>Limit <a "
		      "href=\"../docs#word-crossing\">crossings</a></h2>");
	if (!crossing_count(s->crossings)) {
		html_lit(out, "<p>No limit crossing is forecast within one hour.</p></section>");
		return;
	}
	html_lit(out, "<ul>");
	for (int i = 0; i < CROSSINGS; i++)
		if (s->crossings[i].steps)
			put_crossing(view, &s->crossings[i], (enum crossing_index)i, out);
	html_lit(out, "</ul></section>");
}

/* ---- another server ---- */

static void put_compare_link(const struct view *view, const struct server *s, struct buf *out)
{
	struct query q = *view->query;

	if (!s || s == view->with)
		return;
	query_set_with(&q, s->name);
	html_lit(out, "<li><a href=\"");
	layout_url(page_find_name("server"), &q, out);
	html_lit(out, "\">");
	html_text(out, s->name);
	html_lit(out, "</a></li>");
}

/* The highest risk of its profile, another server's. */
static const struct server *worst_of_profile(const struct view *view)
{
	for (size_t i = 0; i < view->snap->count; i++) {
		const struct server *s = &view->snap->servers[i];

		if (s != view->server && s->profile == view->server->profile)
			return s;
	}
	return NULL;
}

static void put_compare_links(const struct view *view, const struct neighbours *n, struct buf *out)
{
	const struct server *peer = worst_of_profile(view);

	html_lit(out, "<ul class=\"legend\">");
	put_compare_link(view, peer, out);
	put_compare_link(view, n->worse != peer ? n->worse : NULL, out);
	put_compare_link(view, n->better != peer ? n->better : NULL, out);
	html_lit(out, "</ul>");
}

static void put_compared(const struct view *view, struct buf *out)
{
	const struct server *with = view->with;
	struct query q = *view->query;

	html_lit(out, "<h3>");
	layout_server(view->query, with->name, "", out);
	html_lit(out, "</h3>");
	put_risk(view, with, out);
	buf_addf(out,
		 "<ul class=\"figures\"><li><b>%s</b></li><li>Rank <b>%zu</b></li><li><a href=\"",
		 profile_table[with->profile].name, (size_t)(with - view->snap->servers) + 1);
	query_set_with(&q, SPAN(""));
	layout_url(page_find_name("server"), &q, out);
	html_lit(out, "\">End the comparison</a></li></ul>");
	layout_silent(with, view->snap, out);
	page_why(with, true, out);
}

static void put_compare(const struct view *view, const struct neighbours *neighbours,
			struct buf *out)
{
	html_lit(out, "<section class=\"panel\" id=\"compare\"><h2>Compare with</h2>");
	if (view->with)
		put_compared(view, out);
	put_compare_links(view, neighbours, out);
	buf_addf(out,
		 "<form class=\"filters\"><p><label for=\"with\">Server</label> <input id=\"with\" "
		 "name=\"with\" maxlength=\"%d\" autocomplete=\"off\" required=\"\" value=\"",
		 SNAPSHOT_NAME_MAX);
	if (view->with)
		html_text(out, view->with->name);
	html_lit(out, "\"/>");
	layout_hidden_at(view->query, out);
	html_lit(out, " <button>Compare</button></p></form></section>");
}

/* ---- the page ---- */

void page_server(const struct view *view, struct buf *out)
{
	const struct server *s = view->server;
	struct neighbours neighbours = page_neighbours(view->snap, s);

	put_head(view, s, &neighbours, out);
	html_lit(out, "<div class=\"columns wide-left\">");
	page_courses(view, out);
	html_lit(out, "<div><section class=\"panel\" id=\"why\"><h2>Why this <a "
		      "href=\"../docs#word-risk\">risk</a></h2>");
	page_why(s, true, out);
	html_lit(out, "</section>");
	put_crossings(view, s, out);
	if (!view->with)
		page_risk_history(view, out);
	put_compare(view, &neighbours, out);
	html_lit(out, "</div></div>");
	page_other_courses(view, out);
	put_numbers(view, s, out);
	/* Another server has taken its place beside the hours. */
	if (view->with)
		page_risk_history(view, out);
	page_foretold(view, out);
	silence_form_server(view, s, "../", out);
}

/* ---- CSV ---- */

void csv_server(const struct view *view, struct buf *out)
{
	const struct server *s = view->server;
	struct csv c;

	csv_init(&c, out, "metric,unit,now,predicted_30m,worst_30m,p50_8h,trend,provenance");
	for (int m = 0; s->series && m < METRIC_COUNT; m++) {
		struct quantity o = quantity_of(s, (enum metric)m);

		if (!quantity_is_listed(s, (enum metric)m))
			continue;
		csv_str(&c, metric_table[m].wire);
		csv_str(&c, metric_table[m].unit);
		csv_num(&c, o.now);
		csv_num(&c, o.predicted);
		csv_num(&c, o.worst);
		csv_num(&c, o.in_8h);
		csv_num(&c, o.trend);
		csv_str(&c, quantity_is_model(view->snap, (enum metric)m) ? "model" : "trend");
		csv_end(&c);
	}
}
