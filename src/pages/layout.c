/* SPDX-License-Identifier: MIT */
/* The shell of every page. Apart from div#state, which state.c writes, it is a function of snapshot
 * and query. */
#include "config.h"
#include "pages/layout.h"

#include <inttypes.h>

#include "assets.h"
#include "build_id.h"
#include "base/fmt.h"
#include "base/html.h"
#include "fleet/verdict.h"
#include "pages/state.h"

#define PRODUCT "TFT"
#define DAY_MS  INT64_C(86400000)

/* The verdict (fleet/verdict.h) as the title, the icon and the header chip show it: without servers
 * that are silenced. They depend on the age: a stale verdict keeps its word but loses its colour; one
 * that is too old to act on is unknown. */
struct fleet_state {
	struct verdict verdict; /* unknown: without servers */
	bool stale;
};

static struct fleet_state fleet_state(const struct view *view)
{
	struct fleet_counts n;

	if (!state_has_data(view) || state_of(view) == STATE_VERY_STALE)
		return (struct fleet_state){.stale = false};
	snapshot_count_unsilenced(view->snap, &n);
	return (struct fleet_state){verdict_of(&n), state_of(view) == STATE_STALE};
}

/* ---- pieces ---- */

/* The relative path from an address to the root: "../" for every level below it. */
static const char *to_root(struct span path)
{
	static const char up[] = "../../../../../../../../";
	size_t left = sizeof(up) - 1;

	for (size_t i = 1; i < path.len && left > 0; i++)
		if (path.ptr[i] == '/')
			left -= 3;
	return up + left;
}

/* An empty reference would mean the page itself. */
static void put_path(const char *root, const char *path, struct buf *out)
{
	html_str(out, root);
	html_str(out, path[1] ? path + 1 : root[0] ? "" : "./");
}

void layout_url(const struct page *page, const struct query *query, struct buf *out)
{
	struct buf text;

	buf_init(&text, 1024);
	buf_lit(&text, "?");
	query_write(query, &text);
	if (!buf_ok(&text))
		buf_fail(out);
	/* Only the server page links to itself: "?..." alone keeps its path. */
	if (!(page->needs & PAGE_SERVER))
		put_path("", page->path, out);
	if (text.len > 1 || (page->needs & PAGE_SERVER))
		html_text(out, buf_span(&text));
	buf_free(&text);
}

void layout_at(const struct query *query, const char *mark, struct buf *out)
{
	if (!(query->given & QUERY_BIT(QUERY_AT)))
		return;
	buf_addf(out, "%s%s=", mark, query_key_name(QUERY_AT));
	query_write_value(query, QUERY_AT, out);
}

void layout_hidden_at(const struct query *query, struct buf *out)
{
	if (!(query->given & QUERY_BIT(QUERY_AT)))
		return;
	buf_addf(out, "<input type=\"hidden\" name=\"%s\" value=\"", query_key_name(QUERY_AT));
	query_write_value(query, QUERY_AT, out);
	html_lit(out, "\"/>");
}

void layout_search_text(const struct query *query, struct buf *out)
{
	if (query && query->q[0]) {
		html_lit(out, " value=\"");
		html_str(out, query->q);
		html_lit(out, "\"");
	}
	html_lit(out, "/>");
}

void layout_link(const struct page *page, const struct query *query, bool current, const char *text,
		 struct buf *out)
{
	html_lit(out, "<a href=\"");
	layout_url(page, query, out);
	buf_addf(out, "\"%s>", current ? " aria-current=\"true\"" : "");
	html_str(out, text);
	html_lit(out, "</a>");
}

static void put_format(const struct page *page, const struct query *query, enum format format,
		       const char *text, struct buf *out)
{
	struct query q = *query;

	/* A file has all rows and columns. */
	q.given &= ~(QUERY_BIT(QUERY_PAGE) | QUERY_BIT(QUERY_HIDE) | QUERY_BIT(QUERY_ROW));
	q.format = format;
	query_give(&q, QUERY_FORMAT, true);
	html_lit(out, " ");
	layout_link(page, &q, false, text, out);
}

void layout_downloads(const struct page *page, const struct query *query, struct buf *out)
{
	html_lit(out, "<p class=\"downloads\">Download");
	if (page->csv)
		put_format(page, query, FORMAT_CSV, "CSV", out);
	if (page->json)
		put_format(page, query, FORMAT_JSON, "JSON", out);
	html_lit(out, "</p>");
}

void layout_table_begin(const char *caption, const char *const *columns, struct buf *out)
{
	buf_addf(out,
		 "<div class=\"scroll\"><table class=\"plan\"><caption>%s</caption><thead><tr>",
		 caption);
	for (; *columns; columns++)
		buf_addf(out, "<th scope=\"col\">%s</th>", *columns);
	html_lit(out, "</tr></thead><tbody>");
}

void layout_table_end(struct buf *out)
{
	html_lit(out, "</tbody></table></div>");
}

void layout_level(enum level level, struct buf *out)
{
	buf_addf(out, "<span class=\"chip sev-%s\">%s</span>", level_table[level].slug,
		 level_table[level].name);
}

void layout_status(enum status status, struct buf *out)
{
	buf_addf(out, "<span class=\"chip sev-%s\">%s</span>", status_table[status].slug,
		 status_table[status].name);
}

const char *layout_mark(enum mark mark)
{
	static const char *const attributes[] = {
		[MARK_NONE] = "",
		[MARK_YELLOW] = " class=\"mark yellow\"",
		[MARK_ORANGE] = " class=\"mark orange\"",
		[MARK_RED] = " class=\"mark red\"",
	};

	return attributes[mark];
}

/* A browser takes "." and ".." for path steps, even encoded, and nginx decodes an encoded slash. */
bool layout_has_page(struct span name)
{
	return !span_is(name, ".") && !span_is(name, "..") && !memchr(name.ptr, '/', name.len);
}

void layout_server(const struct query *query, struct span name, const char *folder, struct buf *out)
{
	bool linked = layout_has_page(name);

	if (linked) {
		html_lit(out, "<a href=\"");
		html_str(out, folder);
		html_url(out, name);
		layout_at(query, "?", out);
		html_lit(out, "\">");
	} else {
		html_lit(out, "<span>");
	}
	html_text(out, name);
	buf_span_add(out, linked ? SPAN("</a>") : SPAN("</span>"));
}

void layout_silent(const struct server *server, const struct snapshot *snap, struct buf *out)
{
	if (!server_is_silent(server, snap->gen_ms))
		return;
	html_lit(out, " <small class=\"silent\">silent since ");
	fmt_time(out, server->same_since_ms);
	html_lit(out, "</small>");
}

void layout_silence(const struct silence *silence, const struct snapshot *snap, struct buf *out)
{
	html_lit(out, "<small class=\"silenced\">silenced until ");
	if (silence->until_ms - snap->gen_ms < DAY_MS)
		fmt_time_element(out, silence->until_ms);
	else
		fmt_day_element(out, silence->until_ms);
	html_lit(out, " by ");
	html_text(out, silence->author);
	html_lit(out, ": ");
	html_text(out, silence->comment);
	html_lit(out, "</small>");
}

void layout_silenced(const struct server *server, const struct snapshot *snap, struct buf *out)
{
	if (!server->silence)
		return;
	html_lit(out, " ");
	layout_silence(server->silence, snap, out);
}

void layout_since(const struct server *server, const struct snapshot *snap, struct buf *out)
{
	int64_t since_ms = server_level_since(server), now_ms = snapshot_bucket_ms(snap);

	if (!since_ms)
		return;
	html_lit(out, " <small>");
	html_str(out, since_ms <= snap->watched_from_ms ? "at least since " : "since ");
	fmt_time_before(out, since_ms, now_ms);
	if (now_ms > since_ms) {
		html_lit(out, ", ");
		fmt_duration(out, now_ms - since_ms);
	}
	html_lit(out, "</small>");
}

void layout_upper(const char *word, struct buf *out)
{
	for (; *word; word++) {
		char c = *word >= 'a' && *word <= 'z' ? (char)(*word - 'a' + 'A') : *word;

		html_text(out, (struct span){&c, 1});
	}
}

/* ---- the shell ---- */

/* NULL: unknown. */
static const char *favicon(const struct verdict *verdict)
{
	if (!verdict || !verdict->total)
		return ASSET_FAVICON_UNKNOWN_SVG;
	if (verdict->level <= LEVEL_CRITICAL)
		return ASSET_FAVICON_CRITICAL_SVG;
	return verdict->level <= LEVEL_DEGRADING ? ASSET_FAVICON_WARNING_SVG : ASSET_FAVICON_OK_SVG;
}

/* The last word of a page may change column widths and line breaks, so a half-painted page would
 * shift when the rest arrives. Pages are small, so the first paint waits for the end. */
static void head_links(const char *root, const char *icon, struct buf *out)
{
	buf_addf(out,
		 "<link rel=\"expect\" href=\"#end\" blocking=\"render\"/>"
		 "<link rel=\"stylesheet\" href=\"%s" ASSET_STYLE_CSS "\"/>"
		 "<link rel=\"icon\" type=\"image/svg+xml\" href=\"%s%s\" "
		 "data-old=\"%s" ASSET_FAVICON_UNKNOWN_SVG "\"/>",
		 root, root, icon, root);
}

/* Up to the attributes of start.js. */
static void head_open(const char *root, const char *attributes, struct buf *out)
{
	html_lit(out, "<!DOCTYPE html>\n<html lang=\"en\"");
	buf_span_add(out, span_str(attributes));
	html_lit(out, "><head><meta charset=\"utf-8\"/>"
		      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>");
	buf_addf(out, "<script src=\"%s" ASSET_START_JS "\"", root);
}

static bool has_tabs(const struct query *query)
{
	return query->view == VIEW_KIOSK && query->tab_count > 0;
}

/* Seconds until the page reloads itself: without data always, with data on a wall screen or where
 * the URL asks for it. 0: never. */
static int64_t reload_s(const struct page *active, const struct view *view)
{
	if (view->at_ms)
		return 0;
	if (has_tabs(view->query))
		return view->query->every_s;
	/* A reload would interrupt someone reading the text. */
	if (active->standalone && !state_has_data(view))
		return 0;
	if (state_of(view) == STATE_COLD)
		return 1;
	if (view->query->given & QUERY_BIT(QUERY_REFRESH))
		return view->query->refresh_s;
	return !state_has_data(view) || view->query->view == VIEW_KIOSK
		       ? view->site->interval_ms / 1000
		       : 0;
}

/* Most first visits are to the overview, so it needs only one style sheet and one script. The
 * interactive charts are large and loaded only by pages that have them. app.js loads the modules told.js, where a
 * viewer wants to be told, and help.js, upon its key. */
static void assets(const struct page *active, const struct view *view, struct buf *out)
{
	const char *root = to_root(span_str(active->path));

	if (active->path[1] || view->query->view != VIEW_FULL)
		buf_addf(out, "<link rel=\"stylesheet\" href=\"%s" ASSET_PAGES_CSS "\"/>", root);
	buf_addf(out,
		 "<script defer=\"\" src=\"%s" ASSET_APP_JS "\" data-told=\"%s" ASSET_TOLD_JS
		 "\" data-help=\"%s" ASSET_HELP_JS "\"></script>",
		 root, root, root);
	if (view->query->view == VIEW_KIOSK)
		buf_addf(out, "<script defer=\"\" src=\"%s" ASSET_KIOSK_JS "\"></script>", root);
	if (active->cursor)
		buf_addf(out, "<script defer=\"\" src=\"%s" ASSET_CURSOR_JS "\"></script>", root);
	if (active->needs & PAGE_HISTORY)
		buf_addf(out,
			 "<link rel=\"stylesheet\" href=\"%s" ASSET_CHARTS_CSS "\"/>"
			 "<script defer=\"\" src=\"%s" ASSET_CHARTS_JS "\"></script>",
			 root, root);
	if (view->at_ms)
		buf_addf(out,
			 "<link rel=\"stylesheet\" href=\"%s" ASSET_PAST_CSS "\"/>"
			 "<script defer=\"\" src=\"%s" ASSET_PAST_JS "\"></script>",
			 root, root);
}

/* The address of the next page of a rotating wall screen. */
static void put_next_tab(const struct page *active, const struct query *query, struct buf *out)
{
	struct query next;
	int i = 0;

	while (i < query->tab_count && strcmp(query_tab_name(query->tabs[i]), active->name) != 0)
		i++;
	/* A page that is not in the list is followed by the first one. */
	i = i + 1 < query->tab_count ? i + 1 : 0;
	query_init(&next);
	next.given = query->given &
		     (QUERY_BIT(QUERY_VIEW) | QUERY_BIT(QUERY_TABS) | QUERY_BIT(QUERY_EVERY));
	next.view = query->view;
	memcpy(next.tabs, query->tabs, sizeof(next.tabs));
	next.tab_count = query->tab_count;
	next.every_s = query->every_s;
	html_str(out, to_root(span_str(active->path)));
	layout_url(page_find_name(query_tab_name(query->tabs[i])), &next, out);
}

/* Closes the element of start.js and schedules the reload. The other scripts refresh without
 * leaving the page. Where they do not run, start.js reloads. Without any script, the browser does,
 * by the <meta> element; start.js makes that element a part of the comment that ends here. */
static void put_reload(const struct page *active, const struct view *view, struct buf *out)
{
	int64_t seconds = reload_s(active, view);
	bool tabs = has_tabs(view->query);

	if (!seconds) {
		html_lit(out, "></script>");
		return;
	}
	buf_addf(out, " data-reload=\"%" PRId64 "\"", seconds);
	if (tabs) {
		html_lit(out, " data-next=\"");
		put_next_tab(active, view->query, out);
		html_lit(out, "\"");
	}
	buf_addf(out, "></script><meta http-equiv=\"refresh\" content=\"%" PRId64, seconds);
	if (tabs) {
		html_lit(out, ";url=");
		put_next_tab(active, view->query, out);
	}
	html_lit(out, "\"/><!-- -->");
}

static void put_title(const struct page *active, const struct view *view, struct fleet_state fleet,
		      struct buf *out)
{
	html_lit(out, "<title>");
	if (view->at_ms) {
		fmt_minute(out, view->snap->bucket * view->snap->interval_ms);
		html_lit(out, " - ");
	}
	if (fleet.stale)
		html_lit(out, "Stale: ");
	if (fleet.verdict.alerts)
		buf_addf(out, "(%u) ", fleet.verdict.alerts);
	buf_addf(out, "%s - ", verdict_name(&fleet.verdict));
	html_text(out, view->server ? view->server->name : span_str(active->title));
	html_lit(out, " - " PRODUCT "</title>");
}

static void head(const struct page *active, const struct view *view, struct fleet_state fleet,
		 struct buf *out)
{
	const char *root = to_root(span_str(active->path));

	head_open(root, view->query->view == VIEW_KIOSK ? " data-view=\"kiosk\"" : "", out);
	put_reload(active, view, out);
	head_links(root, favicon(fleet.stale ? NULL : &fleet.verdict), out);
	assets(active, view, out);
	put_title(active, view, fleet, out);
	html_lit(out, "</head>");
}

/* query: of the shown page, whose moment the others keep; NULL: none. */
static void navigation(const struct page *active, const struct query *query, const char *root,
		       struct buf *out)
{
	html_lit(out, "<nav aria-label=\"Pages\"><ul>");
	for (size_t i = 0; i < page_count; i++) {
		const struct page *page = &page_table[i];

		if (!page->title || (page->needs & PAGE_SERVER))
			continue;
		html_lit(out, "<li><a href=\"");
		put_path(root, page->path, out);
		if (query && (page->params & QUERY_BIT(QUERY_AT)))
			layout_at(query, "?", out);
		buf_addf(out, "\"%s>%s</a></li>", page == active ? " aria-current=\"page\"" : "",
			 page->title);
	}
	buf_addf(out, "</ul><form action=\"%sheatmap\" role=\"search\">", root);
	html_lit(out, "<label for=\"find\">Find server</label>"
		      "<input id=\"find\" type=\"search\" name=\"q\" maxlength=\"64\"");
	layout_search_text(query, out);
	if (query)
		layout_hidden_at(query, out);
	html_lit(out, "<button>Find</button></form></nav>");
}

/* "Refresh" is a plain link to the same view. Without scripts the page can only reload itself. */
static void refresh_menu(const struct page *active, const struct view *view, struct buf *out)
{
	struct query other = *view->query;
	bool on = (other.given & QUERY_BIT(QUERY_REFRESH)) && other.refresh_s > 0;

	if (view->at_ms)
		return;
	html_lit(out, "<p class=\"refresh\">");
	layout_link(active, view->query, false, "Refresh", out);
	other.refresh_s = on ? 0 : (int)(view->site->interval_ms / 1000);
	query_give(&other, QUERY_REFRESH, !on);
	html_lit(out, " ");
	layout_link(active, &other, false, on ? "Stop reloading" : "Reload by itself", out);
	buf_addf(out,
		 " <span class=\"controls\"></span> <small>data changes every %" PRId64
		 " s</small></p>",
		 view->site->interval_ms / 1000);
}

static void put_verdict(struct fleet_state fleet, struct buf *out)
{
	buf_addf(out, "<span class=\"chip sev-%s\">%s%s</span>",
		 fleet.stale ? status_table[STATUS_UNKNOWN].slug : verdict_slug(&fleet.verdict),
		 verdict_name(&fleet.verdict), fleet.stale ? ", stale" : "");
	if (fleet.verdict.alerts)
		buf_addf(out, " <small>%u of %u</small>", fleet.verdict.count, fleet.verdict.total);
}

static void header(const struct page *active, const struct view *view, struct fleet_state fleet,
		   struct buf *out)
{
	static const char *const body_class[] = {
		[VIEW_FULL] = "",
		[VIEW_KIOSK] = " class=\"kiosk\"",
		[VIEW_COMPACT] = " class=\"compact\"",
	};

	buf_addf(out, "<body%s>", body_class[view->query->view]);
	html_lit(out, "<a class=\"skip\" href=\"#view\">Skip to content</a>"
		      "<header><p class=\"product\">" PRODUCT " <span>fleet risk</span></p>"
		      "<p class=\"environment\"><a href=\"");
	put_path(to_root(span_str(active->path)), "/", out);
	layout_at(view->query, "?", out);
	html_lit(out, "\">Fleet ");
	put_verdict(fleet, out);
	html_lit(out, "</a></p>");
	refresh_menu(active, view, out);
	html_lit(out, "</header>");
}

/* The address of the same view without its moment. */
static void put_live(const struct page *active, const struct view *view, struct buf *out)
{
	struct query live = *view->query;

	query_set_at(&live, 0);
	layout_url(active, &live, out);
}

static void put_state(const struct page *active, const struct view *view, struct buf *out)
{
	struct buf live;

	buf_init(&live, 4096);
	put_live(active, view, &live);
	if (!buf_ok(&live))
		buf_fail(out);
	state_put(view, to_root(span_str(active->path)), buf_span(&live), out);
	buf_free(&live);
}

void layout_begin(const struct page *active, const struct view *view, struct buf *out)
{
	struct fleet_state fleet = fleet_state(view);

	head(active, view, fleet, out);
	header(active, view, fleet, out);
	navigation(active, view->query, to_root(span_str(active->path)), out);
	put_state(active, view, out);
	buf_addf(out, "<main id=\"view\" tabindex=\"-1\" data-interval-ms=\"%" PRId64 "\"",
		 view->site->interval_ms);
	if (state_has_data(view))
		buf_addf(out,
			 " data-act-ms=\"%" PRId64 "\" data-max-ms=\"%" PRId64
			 "\" data-bucket=\"%" PRId64 "\" data-gen-ms=\"%" PRId64
			 "\" data-fill-ms=\"%" PRId64 "\"",
			 view->site->act_limit_ms, view->site->max_stale_ms, view->snap->bucket,
			 view->snap->gen_ms, view->snap->fill_ms);
	html_lit(out, ">");
}

/* How requests found the shared cache. */
static void put_hits(const struct served *served, struct buf *out)
{
	int64_t all = served->fresh + served->stale + served->cold;

	if (served->fresh < 0 || served->stale < 0 || served->cold < 0 || all == 0)
		return;
	if (served->calls >= 0)
		buf_addf(out,
			 "%" PRId64 " calls to the prediction daemon have served %" PRId64
			 " requests from viewers, ",
			 served->calls, all);
	else
		buf_addf(out, "%" PRId64 " requests from viewers were served, ", all);
	fmt_percent(out, 100.0 * (double)served->fresh / (double)all);
	buf_addf(out,
		 " of them with current data, %" PRId64 " with older data, %" PRId64 " with none. ",
		 served->stale, served->cold);
}

/* "Is caching working?" The numbers are those of the time of the snapshot, so that every host shows
 * the same; a link leads to the current ones. */
static void put_served(const struct snapshot *snap, const char *root, struct buf *out)
{
	const struct served *served = &snap->served;

	html_lit(out, "<p class=\"served\">At this snapshot: ");
	put_hits(served, out);
	buf_addf(out, "Bucket %" PRId64, snap->bucket);
	if (served->fetch_ms >= 0)
		buf_addf(out, " was fetched in %" PRId64 " ms", served->fetch_ms);
	if (served->budget_left >= 0)
		buf_addf(out, ", calls left in that minute: %" PRId64, served->budget_left);
	html_lit(out, "; the next begins at ");
	fmt_time_element(out, (snap->bucket + 1) * snap->interval_ms);
	buf_addf(out, ". <a href=\"%sadvanced\">Now</a></p>", root);
}

/* What a viewer wants to know: from when, until when, forecast how. */
static void put_data(const struct snapshot *snap, const char *root, struct buf *out)
{
	html_lit(out, "<p>Data of ");
	fmt_time_element(out, snap->gen_ms);
	html_lit(out, ", ");
	fmt_date(out, snap->gen_ms);
	html_lit(out, "; the next at ");
	fmt_time_element(out, (snap->bucket + 1) * snap->interval_ms);
	buf_addf(out, "</p><p>Forecast: <a href=\"%sdocs#trends\">%s</a></p>", root,
		 snap->model == MODEL_TFT ? "TFT model" : "trend extrapolation");
}

static void put_operators(const struct snapshot *snap, const char *root, struct buf *out)
{
	html_lit(out, "<details><summary>For operators</summary><p>Snapshot ");
	fmt_iso(out, snap->gen_ms);
	html_lit(out, ". Prediction time ");
	html_str(out, snap->prediction_time[0] ? snap->prediction_time : "–");
	/* As the daemon wrote it, usually without a time zone. */
	if (snap->prediction_time[0])
		html_lit(out, " by the daemon's clock");
	html_lit(out, ".</p>");
	put_served(snap, root, out);
	html_lit(out, "</details>");
}

static void footer_end(struct buf *out)
{
	html_lit(out, "<p>tft-dashboard " PACKAGE_VERSION " build " BUILD_ID
		      "</p></footer></body></html>\n");
}

/* The same view for ever: of a page of the past its own address. */
static void put_moment_link(const struct page *active, const struct view *view, struct buf *out)
{
	struct query then = *view->query;

	if (!(active->params & QUERY_BIT(QUERY_AT)))
		return;
	if (!view->at_ms)
		query_set_at(&then, view->snap->bucket * view->snap->interval_ms);
	html_lit(out, "<a id=\"moment\" href=\"");
	layout_url(active, &then, out);
	html_lit(out, "\">Link to this moment</a>");
}

void layout_end(const struct page *active, const struct view *view, struct buf *out)
{
	const char *root = to_root(span_str(active->path));

	html_lit(out, "</main><footer id=\"end\">");
	if (state_has_data(view)) {
		put_data(view->snap, root, out);
		put_moment_link(active, view, out);
		put_operators(view->snap, root, out);
	}
	footer_end(out);
}

/* ---- errors ---- */

void layout_error_begin(const struct http_error *error, struct span path, struct buf *out)
{
	const char *root = to_root(path);

	head_open(root, "", out);
	html_lit(out, "></script>");
	head_links(root, favicon(NULL), out);
	/* A wall screen has no user to try again. Only for pages: actions answer no GET. */
	if (error->status == 503 && page_find_path(path))
		html_lit(out, "<meta http-equiv=\"refresh\" content=\"5\"/>");
	html_lit(out, "<title>");
	html_str(out, error->title);
	html_lit(out,
		 " - " PRODUCT "</title></head><body>"
		 "<a class=\"skip\" href=\"#view\">Skip to content</a>"
		 "<header><p class=\"product\">" PRODUCT " <span>fleet risk</span></p></header>");
	navigation(NULL, NULL, root, out);
	html_lit(out, "<main id=\"view\" tabindex=\"-1\"><section class=\"help\"><h1>");
	html_str(out, error->title);
	html_lit(out, "</h1><p>");
	html_str(out, error->text);
	html_lit(out, "</p>");
}

void layout_error_end(struct span path, struct buf *out)
{
	const char *root = to_root(path);

	html_lit(out, "<p><a href=\"");
	put_path(root, "/", out);
	html_lit(out, "\">Overview</a></p></section></main><footer id=\"end\">");
	footer_end(out);
}
