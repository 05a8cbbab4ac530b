/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "pages/filter.h"

#include "base/html.h"
#include "pages/layout.h"

#define CHOICES (QUERY_BIT(QUERY_PROFILE) | QUERY_BIT(QUERY_SEV) | QUERY_BIT(QUERY_Q))

void filter_profiles(const struct page *page, const struct query *query, struct buf *out)
{
	struct query q = *query;

	html_lit(out, "<p><span>Profile</span> ");
	query_give(&q, QUERY_PAGE, false);
	query_give(&q, QUERY_PROFILE, false);
	layout_link(page, &q, query->profile < 0, "All", out);
	query_give(&q, QUERY_PROFILE, true);
	for (q.profile = 0; q.profile < PROFILE_COUNT; q.profile++) {
		html_lit(out, " ");
		layout_link(page, &q, q.profile == query->profile, profile_table[q.profile].name,
			    out);
	}
	html_lit(out, "</p>");
}

static const char *const period_titles[PERIODS] = {
	[PERIOD_1D] = "1 day", [PERIOD_7D] = "7 days", [PERIOD_30D] = "30 days"};

const char *filter_period(enum period period)
{
	return period_titles[period];
}

void filter_periods(const struct page *page, const struct query *query, struct buf *out)
{
	struct query q = *query;

	query_give(&q, QUERY_PAGE, false);
	html_lit(out, "<p><span>Range</span>");
	for (int i = 0; i < PERIODS; i++) {
		q.period = (enum period)i;
		query_give(&q, QUERY_PERIOD, i != PERIOD_1D);
		html_lit(out, " ");
		layout_link(page, &q, q.period == query->period, period_titles[i], out);
	}
	html_lit(out, "</p>");
}

static void put_levels(const struct page *page, const struct query *query, struct buf *out)
{
	struct query q = *query;

	html_lit(out, "<p><span>Severity</span> ");
	query_give(&q, QUERY_PAGE, false);
	query_give(&q, QUERY_SEV, false);
	layout_link(page, &q, query->level < 0, "All", out);
	query_give(&q, QUERY_SEV, true);
	q.level_up = false;
	for (q.level = 0; q.level < LEVEL_COUNT; q.level++) {
		html_lit(out, " ");
		layout_link(page, &q, q.level == query->level && !query->level_up,
			    level_table[q.level].name, out);
	}
	html_lit(out, "</p>");
}

static void put_words(const struct query *query, struct buf *out)
{
	const char *comma = "";

	if (query->profile >= 0) {
		html_lit(out, "profile=");
		html_str(out, profile_table[query->profile].name);
		comma = ", ";
	}
	if (query->level >= 0) {
		buf_addf(out, "%sseverity=%s%s", comma, level_table[query->level].name,
			 query->level_up ? " or worse" : "");
		comma = ", ";
	}
	/* Free text from a URL is not echoed. */
	if (query->q[0])
		buf_addf(out, "%sthe name searched for", comma);
}

void filter_hidden(const struct query *query, unsigned but, struct buf *out)
{
	for (int k = 0; k < QUERY_KEYS; k++) {
		enum query_key key = (enum query_key)k;

		if (!(query->given & ~but & QUERY_BIT(key)))
			continue;
		buf_addf(out, "<input type=\"hidden\" name=\"%s\" value=\"", query_key_name(key));
		if (key == QUERY_Q)
			html_str(out, query->q);
		else
			query_write_value(query, key, out);
		html_lit(out, "\"/>");
	}
}

static void put_chosen(const struct page *page, const char *id, const struct query *query,
		       struct buf *out)
{
	struct query q = *query;

	html_lit(out, "<p class=\"chosen\">Shown: ");
	put_words(query, out);
	html_lit(out, ". <a href=\"");
	q.given &= ~(CHOICES | QUERY_BIT(QUERY_PAGE));
	layout_url(page, &q, out);
	buf_addf(out, "#%s\">Clear filters</a></p>", id);
}

void filter_name(const struct page *page, const char *id, const struct query *query,
		 struct buf *out)
{
	struct query bare = {.given = 0};

	html_lit(out, "<form action=\"");
	layout_url(page, &bare, out);
	html_lit(out, "\"><label for=\"name\">Name contains</label>"
		      "<input id=\"name\" type=\"search\" name=\"q\" maxlength=\"64\"/>");
	filter_hidden(query, QUERY_BIT(QUERY_Q) | QUERY_BIT(QUERY_PAGE), out);
	html_lit(out, "<button>Filter</button></form>");
	if (query->given & CHOICES)
		put_chosen(page, id, query, out);
}

void filter_servers(const struct page *page, const char *id, const struct query *query,
		    struct buf *out)
{
	filter_profiles(page, query, out);
	put_levels(page, query, out);
	filter_name(page, id, query, out);
}

void filter_nothing(const struct query *query, struct buf *out)
{
	html_lit(out, "<p class=\"empty\">No servers match ");
	put_words(query, out);
	html_lit(out, ".</p>");
}
