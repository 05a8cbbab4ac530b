/* SPDX-License-Identifier: MIT */
/* What changed, as JSON and CSV. */
#include "config.h"
#include "pages/contents.h"

#include "base/csv.h"
#include "base/json.h"
#include "pages/api.h"
#include "pages/pieces.h"

/* ---- JSON ---- */

static void put_side(const struct server *server, const char *key, struct json *j)
{
	if (!server) {
		json_null(j, key);
		return;
	}
	json_object(j, key);
	json_cstr(j, "level", level_table[level_of(server->risk)].name);
	json_tenths(j, "risk", server->risk);
	json_end(j);
}

static void put_change(const struct change *change, struct json *j)
{
	json_object(j, NULL);
	json_str(j, "server", change_server(change)->name);
	json_cstr(j, "profile", profile_table[change_server(change)->profile].name);
	json_cstr(j, "change", change_table[change->kind].slug);
	put_side(change->then, "then", j);
	put_side(change->now, "now", j);
	json_cstr(j, "by", change->cause == CAUSE_NONE ? NULL : cause_names[change->cause]);
	api_time(j, "rose_at", change->rose_ms);
	json_end(j);
}

static void put_line(const struct changes *changes, const struct change_line *line, struct json *j)
{
	struct buf words;

	buf_init(&words, 1024);
	page_change_words(changes, line, &words);
	json_object(j, NULL);
	json_cstr(j, "change", change_table[line->kind].slug);
	json_str(j, "text", buf_span(&words));
	json_array(j, "servers");
	for (size_t i = 0; i < line->count; i++)
		if (change_server(changes_of(changes, line, i)))
			put_change(changes_of(changes, line, i), j);
	json_end(j);
	json_end(j);
	buf_free(&words);
}

static void put_lines(const struct changes *changes, struct json *j)
{
	json_array(j, "changes");
	for (size_t i = 0; i < changes_lines(changes); i++)
		put_line(changes, changes_line(changes, i), j);
	json_end(j);
}

/* What was asked for, what it is compared with, and where nothing is kept of that, what is. */
static void put_moments(const struct since *since, struct json *j)
{
	api_time(j, "asked_since", since ? since->asked_ms : 0);
	api_time(j, "since", since && since->then ? snapshot_bucket_ms(since->then) : 0);
	api_time(j, "nearest_before", since ? since->before_ms : 0);
	api_time(j, "nearest_after", since ? since->after_ms : 0);
}

void api_changes(const struct view *view, struct buf *out)
{
	struct changes changes;
	struct json j;

	json_resume(&j, out);
	put_moments(view->since, &j);
	if (page_find_changes(view, true, &changes, out))
		put_lines(&changes, &j);
	else
		json_null(&j, "changes");
	changes_free(&changes);
}

/* ---- CSV ---- */

static void put_cells(const struct server *server, struct csv *c)
{
	csv_str(c, server ? level_table[level_of(server->risk)].name : "");
	if (server)
		csv_tenths(c, server->risk);
	else
		csv_str(c, "");
}

static void put_row(const struct change *change, struct span words, struct csv *c)
{
	csv_str(c, change_table[change->kind].slug);
	csv_text(c, change_server(change)->name);
	csv_str(c, profile_table[change_server(change)->profile].name);
	put_cells(change->then, c);
	put_cells(change->now, c);
	csv_str(c, change->cause == CAUSE_NONE ? "" : cause_names[change->cause]);
	csv_time(c, change->rose_ms);
	csv_text(c, words);
	csv_end(c);
}

static void put_fleet_row(enum change_kind kind, const char *then, const char *now,
			  struct span words, struct csv *c)
{
	const char *const cells[] = {change_table[kind].slug, "", "", then, "", now, "", "", ""};

	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		csv_str(c, cells[i]);
	csv_text(c, words);
	csv_end(c);
}

static void put_rows(const struct changes *changes, const struct change_line *line,
		     struct span words, struct csv *c)
{
	const struct snapshot *then = changes->then, *now = changes->now;

	if (line->kind == CHANGE_ENVIRONMENT)
		put_fleet_row(line->kind, status_table[changes_status(then)].name,
			      status_table[changes_status(now)].name, words, c);
	else if (line->kind == CHANGE_SCENARIO)
		put_fleet_row(line->kind, then->scenario.name, now->scenario.name, words, c);
	else
		for (size_t i = 0; i < line->count; i++)
			put_row(changes_of(changes, line, i), words, c);
}

void csv_changes(const struct view *view, struct buf *out)
{
	struct changes changes;
	struct buf words;
	struct csv c;

	csv_init(&c, out, "change,server,profile,then,risk_then,now,risk_now,by,rose_at,told_as");
	buf_init(&words, 1024);
	if (page_find_changes(view, true, &changes, out))
		for (size_t i = 0; i < changes_lines(&changes); i++) {
			buf_reset(&words);
			page_change_words(&changes, changes_line(&changes, i), &words);
			put_rows(&changes, changes_line(&changes, i), buf_span(&words), &c);
		}
	buf_free(&words);
	changes_free(&changes);
}
