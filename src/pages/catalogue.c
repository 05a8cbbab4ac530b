/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "pages/catalogue.h"

#include <assert.h>
#include <string.h>

#include "pages/api.h"
#include "pages/contents.h"
#include "base/fmt.h"
#include "base/html.h"
#include "pages/layout.h"
#include "pages/past.h"
#include "pages/state.h"

struct content {
	const char *name; /* of the page */
	/* HTML: the content of <main>. JSON: the members after the common ones. CSV, SVG: the whole
	 * document. The view has a snapshot, unless the page is standalone. */
	void (*put)(const struct view *view, struct buf *out);
	/* Shows the page's form again when a value in it is not valid; NULL: no form. */
	void (*form)(const struct bad_value *bad, struct buf *out);
};

static const struct content contents[] = {
	{"overview", page_overview, NULL},
	{"heatmap", page_heatmap, NULL},
	{"top", page_top, NULL},
	{"server", page_server, NULL},
	{"history", page_history, NULL},
	{"incidents", page_incidents, NULL},
	{"changes", page_changes, NULL},
	{"accuracy", page_accuracy, NULL},
	{"cost", page_cost, page_cost_form},
	{"remediation", page_remediation, NULL},
	{"alerting", page_alerting, NULL},
	{"advanced", page_advanced, NULL},
	{"docs", page_docs, NULL},
	{"roadmap", page_roadmap, NULL},
	{"api-fleet", api_fleet, NULL},
	{"api-alerts", api_alerts, NULL},
	{"api-heatmap", api_heatmap, NULL},
	{"api-top", api_top, NULL},
	{"api-server", api_server, NULL},
	{"api-history", api_history, NULL},
	{"api-incidents", api_incidents, NULL},
	{"api-changes", api_changes, NULL},
	{"api-accuracy", api_accuracy, NULL},
	{"api-cost", api_cost, NULL},
	{"api-remediation", api_remediation, NULL},
	{"api-alerting", api_alerting, NULL},
	{"badge-fleet", page_badge, NULL},
	{"badge-server", page_badge, NULL},
	{"overview-csv", csv_overview, NULL},
	{"heatmap-csv", csv_heatmap, NULL},
	{"top-csv", csv_top, NULL},
	{"server-csv", csv_server, NULL},
	{"history-csv", csv_history, NULL},
	{"incidents-csv", csv_incidents, NULL},
	{"changes-csv", csv_changes, NULL},
	{"accuracy-csv", csv_accuracy, NULL},
	{"cost-csv", csv_cost, NULL},
	{"remediation-csv", csv_remediation, NULL},
	{"alerting-csv", csv_alerting, NULL},
};

static const struct content *content_of(const struct page *page)
{
	size_t i = 0;

	while (strcmp(contents[i].name, page->name) != 0)
		i++;
	assert(i < sizeof(contents) / sizeof(contents[0]));
	return &contents[i];
}

static void render_html(const struct page *page, const struct view *view, struct buf *out)
{
	layout_begin(page, view, out);
	if (view->at_ms)
		past_put(view, out);
	if (state_has_data(view) || page->standalone)
		content_of(page)->put(view, out);
	else
		state_no_data(view, out);
	layout_end(page, view, out);
}

static void render_json(const struct page *page, const struct view *view, struct buf *out)
{
	struct json j;

	json_init(&j, out);
	json_object(&j, NULL);
	api_common(view, &j);
	if (state_has_data(view))
		content_of(page)->put(view, out);
	json_end(&j);
}

void page_render(const struct page *page, const struct view *view, struct buf *out)
{
	switch (page->media) {
	case MEDIA_HTML:
		render_html(page, view, out);
		break;
	case MEDIA_JSON:
		render_json(page, view, out);
		break;
	case MEDIA_CSV:
	case MEDIA_SVG:
		if (state_has_data(view) || page->standalone)
			content_of(page)->put(view, out);
		break;
	}
}

void page_error(const struct http_error *error, const char *hint, enum media media,
		struct span path, struct buf *out)
{
	if (media == MEDIA_JSON) {
		api_error(error, NULL, hint, out);
		return;
	}
	layout_error_begin(error, path, out);
	if (hint) {
		buf_addf(out, "<p>%s: <code>", error->status == 400 ? "Valid values" : "It said");
		html_str(out, hint);
		html_lit(out, "</code></p>");
	}
	layout_error_end(path, out);
}

/* A neighbour of a moment that is not kept, as a link. */
static void put_neighbour(const struct no_moment *none, const char *text, int64_t at_ms,
			  struct buf *out)
{
	struct query q = *none->query;

	if (!at_ms)
		return;
	query_set_at(&q, at_ms);
	html_lit(out, "<li>");
	layout_link(none->page, &q, false, text, out);
	html_lit(out, " ");
	fmt_time_element(out, at_ms);
	html_lit(out, ", ");
	fmt_date(out, at_ms);
	html_lit(out, "</li>");
}

void page_no_moment(const struct http_error *error, const struct no_moment *none, enum media media,
		    struct buf *out)
{
	struct query live = *none->query;

	if (media != MEDIA_HTML) {
		api_no_moment(error, none, out);
		return;
	}
	layout_error_begin(error, span_str(none->page->path), out);
	html_lit(out, "<ul id=\"neighbours\">");
	put_neighbour(none, "The moment before", none->before_ms, out);
	put_neighbour(none, "The moment after", none->after_ms, out);
	html_lit(out, "<li>");
	query_set_at(&live, 0);
	layout_link(none->page, &live, false, "Live", out);
	html_lit(out, "</li></ul>");
	layout_error_end(span_str(none->page->path), out);
}

void page_bad_value(const struct http_error *error, const struct bad_value *bad, enum media media,
		    struct buf *out)
{
	const char *name = query_key_name(bad->key), *values = query_key_values(bad->key);
	struct span path = span_str(bad->page->path);

	if (media == MEDIA_JSON) {
		api_error(error, name, values, out);
		return;
	}
	layout_error_begin(error, path, out);
	buf_addf(out, "<p>Valid values of <code>%s</code>: <code>%s</code></p>", name, values);
	if (content_of(bad->page)->form)
		content_of(bad->page)->form(bad, out);
	layout_error_end(path, out);
}
