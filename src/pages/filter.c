/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "pages/filter.h"

#include <stdio.h>

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

/* ---- levels of profiles ---- */

struct matrix {
	const struct page *page;
	const char *id;
	enum level from;
	const struct query *shown;
	struct fleet_counts profiles[PROFILE_COUNT], all;
};

static void count_servers(struct matrix *m, const struct snapshot *snap)
{
	struct query named = *m->shown;

	named.profile = named.level = -1;
	for (size_t i = 0; i < snap->count; i++) {
		const struct server *s = &snap->servers[i];

		if (!query_match(&named, s))
			continue;
		fleet_counts_add(&m->profiles[s->profile], s, snap->gen_ms);
		fleet_counts_add(&m->all, s, snap->gen_ms);
	}
	for (int i = 0; i < PROFILE_COUNT; i++)
		fleet_counts_end(&m->profiles[i]);
	fleet_counts_end(&m->all);
}

static bool is_chosen(const struct matrix *m, const struct query *q)
{
	const struct query *shown = m->shown;
	int level = shown->level < 0 ? (int)m->from : shown->level;

	return shown->profile == q->profile && level == q->level &&
	       (shown->level <= 0 || shown->level_up);
}

/* profile: -1: all. */
static void put_count(const struct matrix *m, int profile, enum level level, unsigned count,
		      struct buf *out)
{
	struct query q = *m->shown;

	html_lit(out, "<td>");
	q.profile = profile;
	q.level = (int)level;
	q.level_up = level > 0;
	query_give(&q, QUERY_PAGE, false);
	query_give(&q, QUERY_PROFILE, profile >= 0);
	query_give(&q, QUERY_SEV, level != m->from);
	if (count || is_chosen(m, &q)) {
		html_lit(out, "<a href=\"");
		layout_url(m->page, &q, out);
		buf_addf(out, "#%s\"%s>%u</a>", m->id,
			 is_chosen(m, &q) ? " aria-current=\"true\"" : "", count);
	}
	html_lit(out, "</td>");
}

static void put_counts(const struct matrix *m, int profile, const struct fleet_counts *n,
		       struct buf *out)
{
	buf_addf(out, "<tr><th scope=\"row\">%s</th>",
		 profile < 0 ? "All profiles" : profile_table[profile].name);
	for (int l = LEVEL_HEALTHY; l >= 0; l--)
		put_count(m, profile, (enum level)l, n->or_worse[l], out);
	html_lit(out, "</tr>");
}

static void put_matrix_head(struct buf *out)
{
	html_lit(out, "<div class=\"scroll\"><table class=\"matrix\"><caption>Servers at a <a "
		      "href=\"docs#levels\">level</a> or worse; blank: "
		      "none</caption><thead><tr><th scope=\"col\">Profile</th>"
		      "<th scope=\"col\">All</th>");
	for (int l = LEVEL_WATCH; l >= 0; l--)
		buf_addf(out,
			 "<th scope=\"col\"><i class=\"chip sev-%s\" data-code=\"%s\">%s"
			 "</i></th>",
			 level_table[l].slug, level_table[l].code, level_table[l].name);
	html_lit(out, "</tr></thead><tbody>");
}

void filter_matrix(const struct page *page, const char *id, enum level from,
		   const struct view *view, struct buf *out)
{
	struct matrix m = {.page = page, .id = id, .from = from, .shown = view->query};

	count_servers(&m, view->snap);
	put_matrix_head(out);
	put_counts(&m, -1, &m.all, out);
	for (int i = 0; i < PROFILE_COUNT; i++)
		if (m.profiles[i].total || view->query->profile == i)
			put_counts(&m, i, &m.profiles[i], out);
	html_lit(out, "</tbody></table></div>");
}

/* The chosen level alone. */
static void put_only(const struct page *page, const struct query *query, struct buf *out)
{
	struct query q = *query;
	char text[40];

	query_give(&q, QUERY_PAGE, false);
	q.level_up = false;
	(void)snprintf(text, sizeof(text), "Only %s", level_table[q.level].name);
	html_lit(out, " ");
	layout_link(page, &q, !query->level_up, text, out);
}

static void put_levels(const struct page *page, const struct query *query, struct buf *out)
{
	struct query q = *query;

	html_lit(out, "<p><span>Level</span> ");
	query_give(&q, QUERY_PAGE, false);
	query_give(&q, QUERY_SEV, false);
	layout_link(page, &q, query->level < 0, "All", out);
	query_give(&q, QUERY_SEV, true);
	for (q.level = 0; q.level < LEVEL_COUNT; q.level++) {
		char text[40];

		q.level_up = q.level > 0 && q.level < LEVEL_HEALTHY;
		(void)snprintf(text, sizeof(text), "%s%s", level_table[q.level].name,
			       q.level_up ? " or worse" : "");
		html_lit(out, " ");
		layout_link(page, &q, q.level == query->level && q.level_up == query->level_up,
			    text, out);
	}
	if (query->level > 0 && query->level < LEVEL_HEALTHY)
		put_only(page, query, out);
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
		buf_addf(out, "%slevel=%s%s", comma, level_table[query->level].name,
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

		if (!(query->given & ~but & ~QUERY_BIT(QUERY_ROW) & QUERY_BIT(key)))
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
		      "<input id=\"name\" type=\"search\" name=\"q\" maxlength=\"64\"");
	layout_search_text(query, out);
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
