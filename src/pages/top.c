/* SPDX-License-Identifier: MIT */
/* The servers with the highest risks, one card each (doc/pages.md#top, doc/rules.md#top). */
#include "config.h"
#include "pages/contents.h"

#include <stdio.h>

#include "pages/chart.h"
#include "base/csv.h"
#include "pages/filter.h"
#include "base/fmt.h"
#include "base/html.h"
#include "pages/layout.h"
#include "fleet/risk.h"
#include "pages/pieces.h"

static void put_count_links(const struct view *view, const struct page *page, struct buf *out)
{
	static const int counts[] = {QUERY_N_DEFAULT, 10, QUERY_N_MAX};
	struct query q = *view->query;

	html_lit(out, "<p><span>Servers</span>");
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		char text[8];

		q.n = counts[i];
		query_give(&q, QUERY_N, i > 0);
		(void)snprintf(text, sizeof(text), "%d", q.n);
		html_lit(out, " ");
		layout_link(page, &q, q.n == view->query->n, text, out);
	}
	html_lit(out, "</p>");
}

static void put_controls(const struct view *view, struct buf *out)
{
	const struct page *page = page_find_name("top");

	html_lit(out, "<div class=\"filters\">");
	put_count_links(view, page, out);
	filter_profiles(page, view->query, out);
	html_lit(out, "</div>");
}

static void put_head(const struct view *view, const struct server *s, size_t rank, struct buf *out)
{
	const struct level_info *level = &level_table[level_of(s->risk)];

	buf_addf(out, "<summary><h2>%zu. ", rank);
	html_text(out, s->name);
	html_lit(out, " – ");
	fmt_tenths(out, s->risk);
	buf_addf(out, " <span class=\"chip sev-%s\">%s (%s)</span>", level->slug, level->name,
		 level->code);
	layout_silent(s, view->snap, out);
	html_lit(out, "</h2></summary>");
}

static void put_card(const struct view *view, const struct server *s, size_t rank, struct buf *out)
{
	html_lit(out, "<details class=\"panel server\" id=\"srv-");
	html_text(out, s->name);
	buf_addf(out, "\"%s>", rank == 1 ? " open=\"\"" : "");
	put_head(view, s, rank, out);
	chart_risk_bar(s->risk, out);
	buf_addf(out, "<p class=\"note\">%s, page of ", profile_table[s->profile].name);
	layout_server(view->query, s->name, "server/", out);
	html_lit(out, "</p><div class=\"columns\"><div>");
	page_why(s, false, out);
	page_readings(s, out);
	html_lit(out, "</div>");
	page_cpu_forecast(view, s, out);
	html_lit(out, "</div></details>");
}

static size_t put_cards(const struct view *view, struct buf *out)
{
	const struct snapshot *snap = view->snap;
	size_t rank = 0;

	for (size_t i = 0; i < snap->count && rank < (size_t)view->query->n; i++)
		if (query_match(view->query, &snap->servers[i]))
			put_card(view, &snap->servers[i], ++rank, out);
	return rank;
}

void page_top(const struct view *view, struct buf *out)
{
	static const enum kept_metric predicted[] = {KEPT_CPU, KEPT_IOWAIT, KEPT_MEMORY, KEPT_LOAD};
	const struct snapshot *snap = view->snap;

	html_lit(out, "<h1>Servers with the highest risk</h1>");
	put_controls(view, out);
	page_trust_line(view, predicted, sizeof(predicted) / sizeof(predicted[0]), out);
	if (snap->count && snap->servers[0].risk < level_table[LEVEL_WATCH].from)
		html_lit(out, "<p class=\"calm\">No server is above Healthy.</p>");
	if (!put_cards(view, out))
		filter_nothing(view->query, out);
	layout_downloads(page_find_name("top"), view->query, out);
}

static void put_component(struct csv *c, const struct snapshot *snap, const struct server *s,
			  size_t rank, enum component component)
{
	csv_num(c, (double)rank);
	csv_text(c, s->name);
	csv_str(c, profile_table[s->profile].name);
	csv_tenths(c, s->risk);
	csv_str(c, level_table[level_of(s->risk)].name);
	csv_str(c, risk_rule(component)->label);
	csv_num(c, risk_value(s, component));
	csv_num(c, s->points[component]);
	csv_time(c, snapshot_bucket_ms(snap));
	csv_end(c);
}

void csv_top(const struct view *view, struct buf *out)
{
	const struct snapshot *snap = view->snap;
	size_t rank = 0;
	struct csv c;

	csv_init(&c, out, "rank,server,profile,risk,level,component,value,points,time");
	for (size_t i = 0; i < snap->count && rank < (size_t)view->query->n; i++) {
		if (!query_match(view->query, &snap->servers[i]))
			continue;
		rank++;
		for (int k = 0; k < COMPONENT_COUNT; k++)
			put_component(&c, snap, &snap->servers[i], rank, (enum component)k);
	}
}
