/* SPDX-License-Identifier: MIT */
/* The shell around every page (doc/pages.md#shell) and recurring pieces. */
#ifndef TFT_LAYOUT_H
#define TFT_LAYOUT_H

#include "pages/view.h"

/* Doctype to the start of <main>. active: the row of the shown page. */
void layout_begin(const struct page *active, const struct view *view, struct buf *out);
void layout_end(const struct page *active, const struct view *view, struct buf *out);
/* An error document, up to the text of the error and from there to its end: the shell without state
 * and fleet. path: the requested path; links are relative to it. A page that is temporarily
 * unavailable reloads itself. */
void layout_error_begin(const struct http_error *error, struct span path, struct buf *out);
void layout_error_end(struct span path, struct buf *out);

/* The canonical URL of a page with a query, relative to the root and escaped for an attribute. For
 * the server page, relative to that page itself. */
void layout_url(const struct page *page, const struct query *query, struct buf *out);
/* Whether a browser can follow a link to the page of a server of this name. */
bool layout_has_page(struct span name);
/* The name of a server, as a link to its page at the moment of the query, unless no browser could
 * follow it. folder: the relative path to these pages: "server/" from the root, "" from one of
 * them. */
void layout_server(const struct query *query, struct span name, const char *folder,
		   struct buf *out);
/* The moment of a query, if it has one: as the end of a link behind `mark`, "?" or "&amp;", and as
 * a hidden field of a form. */
void layout_at(const struct query *query, const char *mark, struct buf *out);
void layout_hidden_at(const struct query *query, struct buf *out);
/* The end of a search field, with the text that was searched for. */
void layout_search_text(const struct query *query, struct buf *out);
/* A link to layout_url; `current` marks the view that is shown. text: a literal, not escaped. */
void layout_link(const struct page *page, const struct query *query, bool current, const char *text,
		 struct buf *out);

/* Links to the same view in the page's other formats. */
void layout_downloads(const struct page *page, const struct query *query, struct buf *out);

/* A table of text with a caption. columns: the titles, terminated by NULL. */
void layout_table_begin(const char *caption, const char *const *columns, struct buf *out);
void layout_table_end(struct buf *out);

/* Severity chip: the level's name on its fill; the glyph comes from the class. */
void layout_level(enum level level, struct buf *out);
void layout_status(enum status status, struct buf *out);
/* Class attribute of a metric's cell for its mark (doc/rules.md#marks), with a leading space; empty
 * for MARK_NONE. The style sheet draws the glyph and its word for screen readers: an element per
 * mark would double the nodes of a long table. */
const char *layout_mark(enum mark mark);
/* "silent since", for servers whose values no longer change; nothing for the others. */
void layout_silent(const struct server *server, const struct snapshot *snap, struct buf *out);
/* "silenced until 14:00:00 UTC by ann: disk swap"; and the same for a server that is, else
 * nothing. */
void layout_silence(const struct silence *silence, const struct snapshot *snap, struct buf *out);
void layout_silenced(const struct server *server, const struct snapshot *snap, struct buf *out);
/* "since 06:05:00 UTC, 12 min": how long the server has been at its level or a worse one, as of the
 * snapshot. Nothing if it is Healthy, or if that is unknown. */
void layout_since(const struct server *server, const struct snapshot *snap, struct buf *out);
/* A literal word in capitals. */
void layout_upper(const char *word, struct buf *out);

#endif
