/* SPDX-License-Identifier: MIT */
/* What changed (doc/pages.md#changes, doc/rules.md#changes): the page, and the panel of the
 * overview. */
#include "config.h"
#include "pages/contents.h"

#include "base/fmt.h"
#include "base/html.h"
#include "pages/filter.h"
#include "pages/layout.h"
#include "pages/pieces.h"

#define PANEL_LINES 6
#define FOLD_NAMES  50 /* of one line; JSON and CSV have all */
#define PANEL_NAMES 10
#define COLUMNS     7

static const char unreachable[] = "Earlier moments are in the shared cache, which cannot be "
				  "reached. Nothing is lost.";

/* ---- what is compared ---- */

static bool passes(const void *query, const struct server *server)
{
	return query_match(query, server);
}

static bool has_filter(const struct query *query)
{
	return query->profile >= 0 || query->level >= 0 || query->q[0];
}

bool page_find_changes(const struct view *view, bool filtered, struct changes *changes,
		       struct buf *out)
{
	const struct since *since = view->since;
	change_match match = filtered && has_filter(view->query) ? passes : NULL;

	*changes = (struct changes){0};
	if (!since || !since->then)
		return false;
	if (changes_find(since->then, view->snap, match, view->query, changes) == 0)
		return true;
	buf_fail(out);
	return false;
}

/* ---- words ---- */

static const char *server_s(size_t count)
{
	return fmt_plural((unsigned)count);
}

/* ", 4 of them Database" of a group of more than these. */
static void put_share(const char *of, const char *name, unsigned part, size_t count,
		      struct buf *out)
{
	if (part < 2)
		return;
	if (part == count)
		buf_addf(out, ", all of them%s %s", of, name);
	else
		buf_addf(out, ", %u of them%s %s", part, of, name);
}

static void put_when(const struct change_line *line, int64_t now_ms, struct buf *out)
{
	if (!line->from_ms)
		return;
	buf_addf(out, " %s ", line->from_ms < line->to_ms ? "between" : "at");
	fmt_time_before(out, line->from_ms, now_ms);
	if (line->from_ms == line->to_ms)
		return;
	buf_lit(out, " and ");
	fmt_time_before(out, line->to_ms, now_ms);
}

static void put_together(const struct change_line *line, int64_t now_ms, struct buf *out)
{
	const char *profile = profile_table[line->profile].name;

	if (line->by_profile) {
		buf_addf(out, "Risk rose on %zu %s servers", line->count, profile);
		put_when(line, now_ms, out);
		put_share(" by", cause_names[line->cause], line->of_cause, line->count, out);
	} else {
		buf_addf(out, "%s rose on %zu servers", cause_names[line->cause], line->count);
		put_when(line, now_ms, out);
		put_share("", profile, line->of_profile, line->count, out);
	}
}

static void put_statuses(const struct changes *changes, struct buf *out)
{
	buf_addf(out, "Environment status: %s, was %s",
		 status_table[changes_status(changes->now)].name,
		 status_table[changes_status(changes->then)].name);
}

void page_change_words(const struct changes *changes, const struct change_line *line,
		       struct buf *out)
{
	switch (line->kind) {
	case CHANGE_ENVIRONMENT:
		put_statuses(changes, out);
		break;
	case CHANGE_SCENARIO:
		buf_addf(out, "Scenario: %s, was %s", changes->now->scenario.name,
			 changes->then->scenario.name);
		break;
	case CHANGE_TOGETHER:
		put_together(line, snapshot_bucket_ms(changes->now), out);
		break;
	default:
		if (line->count == 1) {
			buf_span_add(out, change_server(changes_of(changes, line, 0))->name);
			buf_addf(out, " %s", change_table[line->kind].words);
			break;
		}
		buf_addf(out, "%zu server%s %s", line->count, server_s(line->count),
			 change_table[line->kind].words);
		put_share("", profile_table[line->profile].name, line->of_profile, line->count,
			  out);
	}
}

/* The words as text of the page: names come from the daemon. */
static void put_words(const struct changes *changes, const struct change_line *line,
		      struct buf *out)
{
	struct buf words;

	buf_init(&words, 1024);
	page_change_words(changes, line, &words);
	if (!buf_ok(&words))
		buf_fail(out);
	html_text(out, buf_span(&words));
	buf_free(&words);
}

/* ---- one server ---- */

static void put_side(const struct server *server, struct buf *out)
{
	if (!server) {
		html_lit(out, "not there");
		return;
	}
	layout_level(level_of(server->risk), out);
	html_lit(out, " ");
	fmt_tenths(out, server->risk);
}

/* A server that is gone links to its page of then. */
static void put_name(const struct view *view, const struct change *change, struct buf *out)
{
	struct query q = *view->query;

	if (!change->now)
		query_set_at(&q, snapshot_bucket_ms(view->since->then));
	layout_server(&q, change_server(change)->name, "server/", out);
}

/* "ppdb001 Watch 34.0, now Danger 76.5" */
static void put_short(const struct view *view, const struct change *change, struct buf *out)
{
	put_name(view, change, out);
	html_lit(out, " ");
	put_side(change->then, out);
	html_lit(out, ", now ");
	put_side(change->now, out);
}

/* The servers of a line, folded under its words. */
static void put_folded(const struct view *view, const struct changes *changes,
		       const struct change_line *line, size_t names, struct buf *out)
{
	html_lit(out, "<details><summary>");
	put_words(changes, line, out);
	html_lit(out, "</summary><ul>");
	for (size_t i = 0; i < line->count && i < names; i++) {
		html_lit(out, "<li>");
		put_short(view, changes_of(changes, line, i), out);
		html_lit(out, "</li>");
	}
	if (line->count > names)
		buf_addf(out, "<li>and %zu more</li>", line->count - names);
	html_lit(out, "</ul></details>");
}

/* ---- the panel ---- */

static void put_panel_line(const struct view *view, const struct changes *changes,
			   const struct change_line *line, struct buf *out)
{
	const struct change *change = changes_of(changes, line, 0);

	html_lit(out, "<li>");
	if (!change_server(change)) {
		put_words(changes, line, out);
	} else if (line->count > 1) {
		put_folded(view, changes, line, PANEL_NAMES, out);
	} else {
		put_name(view, change, out);
		buf_addf(out, " %s: ", change_table[line->kind].words);
		put_side(change->then, out);
		html_lit(out, ", now ");
		put_side(change->now, out);
	}
	html_lit(out, "</li>");
}

/* The choice of the viewer if that moment is kept, else the moment that is compared. */
static struct query compared(const struct view *view)
{
	const struct snapshot *then = view->since ? view->since->then : NULL;
	struct query q;

	query_init(&q);
	q.given = view->query->given & (QUERY_BIT(QUERY_SINCE) | QUERY_BIT(QUERY_AT));
	q.at_ms = view->query->at_ms;
	q.since_span_ms = view->query->since_span_ms;
	q.since_at_ms = view->query->since_at_ms;
	if (then && snapshot_bucket_ms(then) != view->since->asked_ms)
		query_set_since(&q, snapshot_bucket_ms(then));
	return q;
}

static void put_title(const struct query *q, struct buf *out)
{
	const char *words = query_since_words(q);

	html_lit(out, "<section class=\"panel\" id=\"changes\"><h2>Changed ");
	if (words) {
		buf_addf(out, "in the last %s</h2>", words);
		return;
	}
	html_lit(out, "since ");
	fmt_day_element(out, q->since_at_ms);
	html_lit(out, "</h2>");
}

/* The way to all of them. */
static void put_rest(const struct query *q, size_t count, struct buf *out)
{
	html_lit(out, "<p><a href=\"");
	layout_url(page_find_name("changes"), q, out);
	if (count > PANEL_LINES)
		buf_addf(out, "\">and %zu more</a></p>", count - PANEL_LINES);
	else
		html_lit(out, "\">then and now</a></p>");
}

/* In place of a list. */
static void put_calm(const struct view *view, bool found, struct buf *out)
{
	if (found)
		html_lit(out, "<li>No important changes.</li>");
	else if (view->since)
		html_lit(out, "<li>No earlier moment is kept yet.</li>");
	else
		buf_addf(out, "<li>%s</li>", unreachable);
}

void page_change_panel(const struct view *view, struct buf *out)
{
	struct query q = compared(view);
	struct changes changes;
	bool found = page_find_changes(view, false, &changes, out);
	size_t count = changes_lines(&changes);

	put_title(&q, out);
	html_lit(out, "<ul class=\"changed\">");
	for (size_t i = 0; i < count && i < PANEL_LINES; i++)
		put_panel_line(view, &changes, changes_line(&changes, i), out);
	if (!count)
		put_calm(view, found, out);
	html_lit(out, "</ul>");
	put_rest(&q, count, out);
	html_lit(out, "</section>");
	changes_free(&changes);
}

/* ---- the page: what is chosen ---- */

static void put_spans(const struct page *page, const struct query *query, struct buf *out)
{
	struct query q = *query;

	html_lit(out, "<p><span>Last</span>");
	query_give(&q, QUERY_PAGE, false);
	for (size_t i = 0; query_choose_since(&q, i); i++) {
		html_lit(out, " ");
		layout_link(page, &q, q.since_span_ms == query->since_span_ms,
			    query_since_words(&q), out);
	}
	html_lit(out, "</p>");
}

static void put_form(const struct page *page, const struct query *query, struct buf *out)
{
	struct query bare = {.given = 0};

	html_lit(out, "<form action=\"");
	layout_url(page, &bare, out);
	html_lit(out, "\"><label for=\"since\">Since (UTC)</label>"
		      "<input id=\"since\" name=\"since\" placeholder=\"2026-11-28 06:00\"/>");
	filter_hidden(query, QUERY_BIT(QUERY_SINCE) | QUERY_BIT(QUERY_PAGE), out);
	html_lit(out, "<button>Compare</button></form>");
}

static void put_choices(const struct page *page, const struct query *query, struct buf *out)
{
	html_lit(out, "<div class=\"filters\">");
	put_spans(page, query, out);
	put_form(page, query, out);
	filter_servers(page, "changes", query, out);
	html_lit(out, "</div>");
	layout_downloads(page, query, out);
}

/* ---- the page: the list ---- */

static const struct table change_rows = {
	"changes",
	"changes",
	"plan",
	{
		{"Change", SORT_KEYS, false},
		{"Server", SORT_KEYS, false},
		{"Profile", SORT_KEYS, false},
		{"Then", SORT_KEYS, false},
		{"Now", SORT_KEYS, false},
		{"Risk", SORT_KEYS, false},
		{"By", SORT_KEYS, false},
	},
};

static void put_server_cells(const struct view *view, const struct change *change, struct buf *out)
{
	html_lit(out, "<th scope=\"row\">");
	put_name(view, change, out);
	buf_addf(out, "</th><td>%s</td><td>", profile_table[change_server(change)->profile].name);
	put_side(change->then, out);
	html_lit(out, "</td><td>");
	put_side(change->now, out);
	html_lit(out, "</td><td>");
	fmt_change(out, change_of_risk(change) / 10.0, "");
	buf_addf(out, "</td><td>%s</td>",
		 change->cause == CAUSE_NONE ? "" : cause_names[change->cause]);
}

static void put_row(const struct view *view, const struct changes *changes,
		    const struct change_line *line, struct buf *out)
{
	const struct change *change = changes_of(changes, line, 0);

	buf_addf(out, "<tr><td>%s</td>", change_table[line->kind].words);
	if (change_server(change) && line->count == 1) {
		put_server_cells(view, change, out);
	} else {
		buf_addf(out, "<td colspan=\"%d\">", COLUMNS - 1);
		if (line->count > 1)
			put_folded(view, changes, line, FOLD_NAMES, out);
		else
			put_words(changes, line, out);
		html_lit(out, "</td>");
	}
	html_lit(out, "</tr>");
}

static void put_list(const struct view *view, const struct changes *changes, struct buf *out)
{
	struct part part = table_part(view->query, changes_lines(changes));

	if (!part.count) {
		html_lit(out, "<p class=\"empty\">No important changes.</p>");
		return;
	}
	table_begin(&change_rows, "The most important first", view, out);
	for (size_t i = part.first; i < part.last; i++)
		put_row(view, changes, changes_line(changes, i), out);
	table_end(&change_rows, &part, view->query, out);
}

/* ---- the page: two moments side by side ---- */

struct figures {
	const struct snapshot *snap;
	struct fleet_counts n;
};

static void put_status(const struct figures *f, struct buf *out)
{
	layout_status(status_of_fleet(f->n.total, f->n.or_worse), out);
}

static void put_index_30m(const struct figures *f, struct buf *out)
{
	fmt_percent(out, 100 * f->snap->prob_30m);
}

static void put_index_8h(const struct figures *f, struct buf *out)
{
	fmt_percent(out, 100 * f->snap->prob_8h);
}

static void put_scenario(const struct figures *f, struct buf *out)
{
	const struct scenario *s = &f->snap->scenario;

	html_str(out, s->configured && s->known ? s->name : "–");
}

static void put_alerts(const struct figures *f, struct buf *out)
{
	buf_addf(out, "%u of %u servers", f->n.or_worse[LEVEL_DEGRADING], f->n.total);
}

static void put_silent(const struct figures *f, struct buf *out)
{
	buf_addf(out, "%u", f->n.silent);
}

static const struct {
	const char *title;
	void (*put)(const struct figures *f, struct buf *out);
} figure_rows[] = {
	{"Environment", put_status},
	{"Scenario", put_scenario},
	{"Incident index, 30 min", put_index_30m},
	{"Incident index, 8 h", put_index_8h},
	{"Risk 50 or above", put_alerts},
	{"<a href=\"docs#word-silent\">Silent</a>", put_silent},
};

static void put_both(const struct figures both[2], const char *title, int row, struct buf *out)
{
	buf_addf(out, "<tr><th scope=\"row\">%s</th>", title);
	for (int i = 0; i < 2; i++) {
		html_lit(out, "<td>");
		if (row < 0)
			buf_addf(out, "%u", both[i].n.level[row + LEVEL_COUNT]);
		else
			figure_rows[row].put(&both[i], out);
		html_lit(out, "</td>");
	}
	html_lit(out, "</tr>");
}

/* A moment, as a link to the overview of then. */
static void put_moment(const struct snapshot *snap, struct buf *out)
{
	struct query q;

	query_init(&q);
	query_set_at(&q, snapshot_bucket_ms(snap));
	html_lit(out, "<a href=\"");
	layout_url(page_find_name("overview"), &q, out);
	html_lit(out, "\">");
	fmt_iso_seconds(out, snapshot_bucket_ms(snap));
	html_lit(out, "</a>");
}

static void put_moments(const struct changes *changes, struct buf *out)
{
	struct figures both[2] = {{.snap = changes->then}, {.snap = changes->now}};

	html_lit(out, "<section class=\"panel\" id=\"then-now\"><h2>Then and now</h2>"
		      "<div class=\"scroll\"><table class=\"plan\"><thead><tr><td></td>");
	for (int i = 0; i < 2; i++) {
		snapshot_count(both[i].snap, &both[i].n);
		html_lit(out, "<th scope=\"col\">");
		put_moment(both[i].snap, out);
		html_lit(out, "</th>");
	}
	html_lit(out, "</tr></thead><tbody>");
	for (size_t i = 0; i < sizeof(figure_rows) / sizeof(figure_rows[0]); i++)
		put_both(both, figure_rows[i].title, (int)i, out);
	for (int l = 0; l < LEVEL_COUNT; l++)
		put_both(both, level_table[l].name, l - LEVEL_COUNT, out);
	html_lit(out, "</tbody></table></div></section>");
}

/* ---- the page ---- */

static void put_nearest(const struct view *view, const char *which, int64_t at_ms, struct buf *out)
{
	struct query q = *view->query;

	if (!at_ms)
		return;
	query_set_since(&q, at_ms);
	buf_addf(out, " The nearest %s: <a href=\"", which);
	layout_url(page_find_name("changes"), &q, out);
	html_lit(out, "\">");
	fmt_iso_seconds(out, at_ms);
	html_lit(out, "</a>.");
}

/* Why there is nothing to compare with. */
static void put_nothing(const struct view *view, struct buf *out)
{
	html_lit(out, "<p class=\"empty\">");
	if (!view->since) {
		buf_addf(out, "%s</p>", unreachable);
		return;
	}
	html_lit(out, "Nothing is kept of ");
	fmt_iso_seconds(out, view->since->asked_ms);
	html_lit(out, ".");
	put_nearest(view, "before", view->since->before_ms, out);
	put_nearest(view, "after", view->since->after_ms, out);
	html_lit(out, "</p>");
}

void page_changes(const struct view *view, struct buf *out)
{
	struct changes changes;
	bool found = page_find_changes(view, true, &changes, out);

	html_lit(out, "<h1>Changes</h1>");
	put_choices(page_find_name("changes"), view->query, out);
	put_title(view->query, out);
	if (found)
		put_list(view, &changes, out);
	else
		put_nothing(view, out);
	html_lit(out, "</section>");
	if (found)
		put_moments(&changes, out);
	changes_free(&changes);
}
