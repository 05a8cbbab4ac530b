/* SPDX-License-Identifier: MIT */
/* Lists of servers, in the order and the part that a query asks for. */
#include "config.h"
#include "pages/table.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/html.h"
#include "pages/layout.h"
#include "pages/pieces.h"
#include "fleet/accuracy.h"
#include "fleet/rules.h"
#include "fleet/heat.h"
#include "fleet/shown.h"

/* ---- rows ---- */

/* NAN: it is Healthy, or nobody knows. */
static double since_of(const struct server *s)
{
	int64_t since_ms = server_level_since(s);

	return since_ms ? (double)since_ms : NAN;
}

/* The number as printed: rows with equal printed numbers are ordered by name. */
static double sort_value(const struct server *s, const struct query *query)
{
	switch (query->sort) {
	case SORT_CPU:
		return shown(s->cpu.now);
	case SORT_CPU30:
		return shown(s->cpu.predicted);
	case SORT_DCPU:
		return shown(s->cpu.change);
	case SORT_CPU90:
		return shown(s->cpu.worst);
	case SORT_IO:
		return shown(s->iowait.now);
	case SORT_IO30:
		return shown(s->iowait.predicted);
	case SORT_DIO:
		return shown(s->iowait.change);
	case SORT_MEM:
		return shown(s->memory.now);
	case SORT_MEM30:
		return shown(s->memory.predicted);
	case SORT_DMEM:
		return shown(s->memory.change);
	case SORT_VALUE:
		return shown(heat_value(s, query->metric));
	case SORT_SINCE:
		return since_of(s);
	case SORT_NAME:
	case SORT_PROFILE:
		return 0;
	case SORT_COST:
		return cost_share(s);
	default:
		return s->risk;
	}
}

int table_compare(const struct query *query, struct sort_value a, struct sort_value b)
{
	int c = (a.number > b.number) - (a.number < b.number);

	if (isnan(a.number) != isnan(b.number))
		return isnan(a.number) ? 1 : -1;
	if (!c)
		c = span_cmp(a.text, b.text);
	return query->sort_descending ? -c : c;
}

static struct sort_value value_of_row(const struct row *row, enum sort_key sort)
{
	struct sort_value value = {row->value, SPAN("")};

	if (sort == SORT_NAME)
		value.text = row->server->name;
	if (sort == SORT_PROFILE)
		value.text = span_str(profile_table[row->server->profile].name);
	return value;
}

static int compare_rows(const void *left, const void *right, void *context)
{
	const struct row *a = left, *b = right;
	const struct query *query = context;
	int c = table_compare(query, value_of_row(a, query->sort), value_of_row(b, query->sort));

	return c ? c : span_cmp(a->server->name, b->server->name);
}

size_t table_rows(const struct view *view, size_t among, struct buf *rows, struct buf *out)
{
	struct query query = *view->query;
	size_t count;

	buf_init(rows, SNAPSHOT_SERVERS * sizeof(struct row));
	for (size_t i = 0; i < among; i++) {
		struct row row = {.server = &view->snap->servers[i]};

		if (!query_match(&query, row.server))
			continue;
		row.value = sort_value(row.server, &query);
		buf_add(rows, &row, sizeof(row));
	}
	if (!buf_ok(rows))
		buf_fail(out);
	count = rows->len / sizeof(struct row);
	if (count > 1)
		qsort_r(rows->data, count, sizeof(struct row), compare_rows, &query);
	return count;
}

void table_count(const struct view *view, struct fleet_counts *counts)
{
	struct query query = *view->query;

	query.level = -1;
	*counts = (struct fleet_counts){0};
	for (size_t i = 0; i < view->snap->count; i++)
		if (query_match(&query, &view->snap->servers[i]))
			fleet_counts_add(counts, &view->snap->servers[i], view->snap->gen_ms);
	fleet_counts_end(counts);
}

/* ---- parts ---- */

struct part table_part(const struct query *query, size_t count)
{
	size_t parts = count ? (count + TABLE_PART_ROWS - 1) / TABLE_PART_ROWS : 1;
	size_t number = (size_t)query->page < parts ? (size_t)query->page : parts;
	struct part part = {(number - 1) * TABLE_PART_ROWS, number * TABLE_PART_ROWS, count};

	if (part.last > count)
		part.last = count;
	return part;
}

/* A link to another order or part of the table, with the table's section as its fragment. */
static void put_link(const struct table *table, const struct query *query, const char *text,
		     struct buf *out)
{
	html_lit(out, "<a href=\"");
	layout_url(page_find_name(table->page), query, out);
	buf_addf(out, "#%s\">%s</a>", table->id, text);
}

static void put_part_link(const struct table *table, const struct query *query, size_t number,
			  const char *text, struct buf *out)
{
	struct query q = *query;

	q.page = (int)number;
	query_give(&q, QUERY_PAGE, number > 1);
	html_lit(out, " ");
	put_link(table, &q, text, out);
}

static void put_paging(const struct table *table, const struct part *part,
		       const struct query *query, struct buf *out)
{
	size_t number = part->first / TABLE_PART_ROWS + 1;

	if (part->count <= TABLE_PART_ROWS)
		return;
	buf_addf(out, "<p class=\"paging\">Rows %zu to %zu of %zu", part->first + 1, part->last,
		 part->count);
	if (number > 1)
		put_part_link(table, query, number - 1, "Previous", out);
	if (part->last < part->count)
		put_part_link(table, query, number + 1, "Next", out);
	html_lit(out, "</p>");
}

/* ---- columns ---- */

static bool starts_low(enum sort_key sort)
{
	return sort == SORT_NAME || sort == SORT_PROFILE || sort == SORT_REASON ||
	       sort == SORT_METRIC || sort == SORT_HORIZON || sort == SORT_OUTCOME;
}

/* A click on the current order reverses it; otherwise text starts at A, numbers at the largest. */
static void put_sort_link(const struct table *table, const struct column *column,
			  const struct query *query, struct buf *out)
{
	const struct page *page = page_find_name(table->page);
	struct query q = *query;
	bool descending = q.sort == column->sort ? !q.sort_descending : !starts_low(column->sort);

	assert(page);
	q.page = 1;
	query_give(&q, QUERY_PAGE, false);
	query_sort(&q, page->params, column->sort, descending);
	put_link(table, &q, column->title, out);
}

/* Whose forecasts a column shows; KEPT_METRICS: none. */
static enum kept_metric forecast_in(enum sort_key sort)
{
	switch (sort) {
	case SORT_CPU30:
	case SORT_CPU90:
		return KEPT_CPU;
	case SORT_IO30:
		return KEPT_IOWAIT;
	case SORT_MEM30:
		return KEPT_MEMORY;
	default:
		return KEPT_METRICS;
	}
}

static void put_column(const struct table *table, const struct column *column,
		       const struct view *view, struct buf *out)
{
	enum kept_metric forecast = forecast_in(column->sort);
	const struct query *query = view->query;

	buf_addf(out, "<th scope=\"col\"%s", column->number ? " class=\"num\"" : "");
	if (column->sort == SORT_KEYS) {
		buf_addf(out, ">%s</th>", column->title);
		return;
	}
	if (query->sort == column->sort)
		buf_addf(out, " aria-sort=\"%s\"",
			 query->sort_descending ? "descending" : "ascending");
	html_lit(out, ">");
	put_sort_link(table, column, query, out);
	if (forecast < KEPT_METRICS)
		page_trust_mark(view, forecast, out);
	html_lit(out, "</th>");
}

/* The style sheet hides their cells. */
static void put_hidden(const struct query *query, struct buf *out)
{
	for (int i = 0; i < HIDE_COLUMNS; i++)
		if (query->hidden & 1u << i)
			buf_addf(out, " no-%s", query_column_name((enum hidden_column)i));
}

void table_begin(const struct table *table, const char *caption, const struct view *view,
		 struct buf *out)
{
	buf_addf(out, "<div class=\"scroll\"><table id=\"%s-table\" class=\"%s", table->id,
		 table->kind);
	put_hidden(view->query, out);
	buf_addf(out, "\"><caption>%s</caption><thead><tr>", caption);
	for (size_t i = 0; i < TABLE_COLUMNS && table->columns[i].title; i++)
		put_column(table, &table->columns[i], view, out);
	html_lit(out, "</tr></thead><tbody>");
}

void table_end(const struct table *table, const struct part *part, const struct query *query,
	       struct buf *out)
{
	html_lit(out, "</tbody></table></div>");
	put_paging(table, part, query, out);
}

void table_number(const char *name, struct buf *out)
{
	buf_addf(out, "<td data-l=\"%s\" class=\"num\">", name);
}

void table_put_count(const char *name, int64_t count, struct buf *out)
{
	table_number(name, out);
	buf_addf(out, "%lld</td>", (long long)count);
}

double table_percent(double share)
{
	int percent = accuracy_percent(share);

	return percent == ACCURACY_UNKNOWN ? (double)NAN : percent;
}

void table_put_percent(double share, struct buf *out)
{
	int percent = accuracy_percent(share);

	if (percent == ACCURACY_UNKNOWN)
		html_lit(out, "–");
	else
		buf_addf(out, "%d%%", percent);
}
