/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "pages/silence_form.h"

#include "base/fmt.h"
#include "base/html.h"
#include "fleet/silences.h"

#define NAMES_MAX 20

bool silence_form_is_shown(const struct view *view)
{
	return view->site->sends_alerts && !view->at_ms && view->query->view == VIEW_FULL;
}

static void put_begin(const char *root, struct buf *out)
{
	html_lit(out, "<details class=\"silence\"><summary>Silence or acknowledge</summary>"
		      "<form method=\"post\" action=\"");
	html_str(out, root);
	html_lit(out, "silence\"><p>");
}

static void put_end(struct buf *out)
{
	buf_addf(out,
		 " Operators only. Numbers and places stay; Alertmanager tells nobody.</p>"
		 "<label>For <select name=\"hours\"><option value=\"1\">1 hour</option>"
		 "<option value=\"4\">4 hours</option><option value=\"8\">8 hours</option>"
		 "<option value=\"24\">24 hours</option></select></label> "
		 "<label>or until <input name=\"ends\" maxlength=\"30\" autocomplete=\"off\" "
		 "placeholder=\"2026-11-28 14:00 UTC\" "
		 "pattern=\"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].*\"/></label> "
		 "<label>Comment <input name=\"comment\" required=\"\" maxlength=\"%d\"/></label> "
		 "<button>Silence</button></form></details>",
		 SILENCE_TEXT_MAX);
}

/* Browsers change line breaks in a value, so the name is percent-encoded in it. */
void silence_form_server(const struct view *view, const struct server *server, const char *root,
			 struct buf *out)
{
	if (!silence_form_is_shown(view))
		return;
	put_begin(root, out);
	html_lit(out, "<input type=\"hidden\" name=\"server\" value=\"");
	html_url(out, server->name);
	html_lit(out, "\"/>All alerts of <b>");
	html_text(out, server->name);
	html_lit(out, "</b>.");
	put_end(out);
}

/* ---- chosen servers ---- */

static void put_field(const struct query *query, enum query_key key, struct buf *out)
{
	struct buf value;

	if (!(query->given & QUERY_BIT(key)))
		return;
	buf_init(&value, 4096);
	if (key == QUERY_Q)
		buf_span_add(&value, span_str(query->q));
	else
		query_write_value(query, key, &value);
	if (!buf_ok(&value))
		buf_fail(out);
	buf_addf(out, "<input type=\"hidden\" name=\"%s\" value=\"", query_key_name(key));
	html_text(out, buf_span(&value));
	html_lit(out, "\"/>");
	buf_free(&value);
}

static void put_scope(const struct query *query, struct buf *out)
{
	html_lit(out, "All alerts of every server");
	if (query->profile >= 0)
		buf_addf(out, " of profile <b>%s</b>", profile_table[query->profile].name);
	if (query->q[0]) {
		html_lit(out, " whose name contains <b>");
		html_text(out, span_str(query->q));
		html_lit(out, "</b>");
	}
	html_lit(out, ", at any level, also of those that come later.");
}

static void put_covered(const struct snapshot *snap, const struct query *query, struct buf *out)
{
	unsigned count = 0;

	html_lit(out, " Now:");
	for (size_t i = 0; i < snap->count; i++) {
		if (!query_match(query, &snap->servers[i]) || count++ >= NAMES_MAX)
			continue;
		html_str(out, count > 1 ? ", " : " ");
		html_text(out, snap->servers[i].name);
	}
	if (count > NAMES_MAX)
		buf_addf(out, " and %u more", count - NAMES_MAX);
	html_str(out, count ? "." : " none.");
}

void silence_form_chosen(const struct view *view, struct buf *out)
{
	struct query query = *view->query;

	if (!silence_form_is_shown(view) ||
	    !(query.given & (QUERY_BIT(QUERY_PROFILE) | QUERY_BIT(QUERY_Q))))
		return;
	query.level = -1;
	put_begin("", out);
	put_field(&query, QUERY_PROFILE, out);
	put_field(&query, QUERY_Q, out);
	put_scope(&query, out);
	put_covered(view->snap, &query, out);
	put_end(out);
}

/* ---- the end ---- */

void silence_form_end(const struct view *view, struct span id, struct buf *out)
{
	if (!silence_form_is_shown(view))
		return;
	html_lit(out, "<form method=\"post\" action=\"silence-end\"><button name=\"id\" value=\"");
	html_text(out, id);
	html_lit(out, "\">End</button></form>");
}
