/* SPDX-License-Identifier: MIT */
/* The page table, the frame that turns a row of it into a document, and the lists of servers that
 * pages share. */
#include "config.h"
#include "pages.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "html.h"
#include "layout.h"

#define VIEW_PARAMS                                                                                \
	(QUERY_BIT(QUERY_VIEW) | QUERY_BIT(QUERY_TABS) | QUERY_BIT(QUERY_EVERY) |                  \
	 QUERY_BIT(QUERY_REFRESH))
#define HISTORY_PARAMS (QUERY_BIT(QUERY_HISTORY) | QUERY_BIT(QUERY_RANGE))
#define LIST_PARAMS                                                                                \
	(QUERY_BIT(QUERY_PROFILE) | QUERY_BIT(QUERY_SEV) | QUERY_BIT(QUERY_SORT) |                 \
	 QUERY_BIT(QUERY_Q))
#define COST_PARAMS                                                                                \
	(QUERY_BIT(QUERY_COST_PER_HOUR) | QUERY_BIT(QUERY_AVG_HOURS) |                             \
	 QUERY_BIT(QUERY_PREVENTION_PCT) | QUERY_BIT(QUERY_PROJECT_COST))

#define TOP_PARAMS (QUERY_BIT(QUERY_PROFILE) | QUERY_BIT(QUERY_N))

/* clang-format off: it would align the rows like a matrix. */
const struct page page_table[] = {
	{
		.name = "overview",
		.path = "/",
		.title = "Overview",
		.media = MEDIA_HTML,
		.stored = true,
		.params =
			LIST_PARAMS | VIEW_PARAMS | QUERY_BIT(QUERY_PAGE) | QUERY_BIT(QUERY_FORMAT),
		.content = page_overview,
		.json = "api-alerts",
		.csv = "overview-csv",
	},
	{
		.name = "heatmap",
		.path = "/heatmap",
		.title = "Heatmap",
		.media = MEDIA_HTML,
		.stored = true,
		.params = LIST_PARAMS | VIEW_PARAMS | QUERY_BIT(QUERY_METRIC) |
			  QUERY_BIT(QUERY_GROUP) | QUERY_BIT(QUERY_FORMAT),
		.content = page_heatmap,
		.json = "api-heatmap",
		.csv = "heatmap-csv",
	},
	{
		.name = "top",
		.path = "/top",
		.title = "Top",
		.media = MEDIA_HTML,
		.stored = true,
		.params = TOP_PARAMS | VIEW_PARAMS | QUERY_BIT(QUERY_FORMAT),
		.content = page_top,
		.needs = PAGE_TOP_SERIES,
		.json = "api-top",
		.csv = "top-csv",
	},
	{
		.name = "server",
		.path = "/server/",
		.title = "Server",
		.media = MEDIA_HTML,
		.params = VIEW_PARAMS | QUERY_BIT(QUERY_FORMAT),
		.content = page_server,
		.needs = PAGE_SERVER | PAGE_HISTORY,
		.json = "api-server",
		.csv = "server-csv",
	},
	{
		.name = "history",
		.path = "/history",
		.title = "History",
		.media = MEDIA_HTML,
		.params = HISTORY_PARAMS | VIEW_PARAMS | QUERY_BIT(QUERY_FORMAT),
		.content = page_history,
		.needs = PAGE_HISTORY,
		.json = "api-history",
		.csv = "history-csv",
	},
	{
		.name = "cost",
		.path = "/cost",
		.title = "Cost",
		.media = MEDIA_HTML,
		.stored = true,
		.params = COST_PARAMS | VIEW_PARAMS | QUERY_BIT(QUERY_FORMAT),
		.content = page_cost,
		.json = "api-cost",
		.csv = "cost-csv",
	},
	{
		.name = "remediation",
		.path = "/remediation",
		.title = "Remediation",
		.media = MEDIA_HTML,
		.stored = true,
		.params = VIEW_PARAMS | QUERY_BIT(QUERY_FORMAT),
		.content = page_remediation,
		.json = "api-remediation",
		.csv = "remediation-csv",
	},
	{
		.name = "alerting",
		.path = "/alerting",
		.title = "Alerting",
		.media = MEDIA_HTML,
		.stored = true,
		.params = VIEW_PARAMS | QUERY_BIT(QUERY_FORMAT),
		.content = page_alerting,
		.json = "api-alerting",
		.csv = "alerting-csv",
	},
	{
		.name = "advanced",
		.path = "/advanced",
		.title = "Advanced",
		.media = MEDIA_HTML,
		.params = VIEW_PARAMS | QUERY_BIT(QUERY_NOTICE),
		.content = page_advanced,
		.needs = PAGE_DIAGNOSIS,
		.standalone = true,
	},
	{
		.name = "docs",
		.path = "/docs",
		.title = "Docs",
		.media = MEDIA_HTML,
		.stored = true,
		.params = VIEW_PARAMS,
		.content = page_docs,
		.standalone = true,
	},
	{
		.name = "roadmap",
		.path = "/roadmap",
		.title = "Roadmap",
		.media = MEDIA_HTML,
		.stored = true,
		.params = VIEW_PARAMS,
		.content = page_roadmap,
		.standalone = true,
	},
	{
		.name = "api-fleet", /* "fleet" alone is the compact snapshot's key */
		.path = "/api/v1/fleet",
		.media = MEDIA_JSON,
		.stored = true,
		.content = api_fleet,
	},
	{
		.name = "api-alerts",
		.path = "/api/v1/alerts",
		.media = MEDIA_JSON,
		.stored = true,
		.params = LIST_PARAMS,
		.content = api_alerts,
	},
	{
		.name = "api-heatmap",
		.path = "/api/v1/heatmap",
		.media = MEDIA_JSON,
		.stored = true,
		.params = LIST_PARAMS | QUERY_BIT(QUERY_METRIC),
		.content = api_heatmap,
	},
	{
		.name = "api-top",
		.path = "/api/v1/top",
		.media = MEDIA_JSON,
		.stored = true,
		.params = TOP_PARAMS,
		.content = api_top,
		.needs = PAGE_TOP_SERIES,
	},
	{
		.name = "api-server",
		.path = "/api/v1/servers/",
		.media = MEDIA_JSON,
		.content = api_server,
		.needs = PAGE_SERVER,
	},
	{
		.name = "api-history",
		.path = "/api/v1/history",
		.media = MEDIA_JSON,
		.params = HISTORY_PARAMS,
		.content = api_history,
		.needs = PAGE_HISTORY,
	},
	{
		.name = "api-cost",
		.path = "/api/v1/cost",
		.media = MEDIA_JSON,
		.stored = true,
		.params = COST_PARAMS,
		.content = api_cost,
	},
	{
		.name = "api-remediation",
		.path = "/api/v1/remediation",
		.media = MEDIA_JSON,
		.stored = true,
		.content = api_remediation,
	},
	{
		.name = "api-alerting",
		.path = "/api/v1/alerting",
		.media = MEDIA_JSON,
		.stored = true,
		.content = api_alerting,
	},
	{
		.name = "overview-csv",
		.media = MEDIA_CSV,
		.params = LIST_PARAMS,
		.content = csv_overview,
	},
	{
		.name = "heatmap-csv",
		.media = MEDIA_CSV,
		.params = LIST_PARAMS | QUERY_BIT(QUERY_METRIC),
		.content = csv_heatmap,
	},
	{
		.name = "top-csv",
		.media = MEDIA_CSV,
		.params = TOP_PARAMS,
		.content = csv_top,
	},
	{
		.name = "server-csv",
		.media = MEDIA_CSV,
		.content = csv_server,
		.needs = PAGE_SERVER,
	},
	{
		.name = "history-csv",
		.media = MEDIA_CSV,
		.params = HISTORY_PARAMS,
		.content = csv_history,
		.needs = PAGE_HISTORY,
	},
	{
		.name = "cost-csv",
		.media = MEDIA_CSV,
		.params = COST_PARAMS,
		.content = csv_cost,
	},
	{
		.name = "remediation-csv",
		.media = MEDIA_CSV,
		.content = csv_remediation,
	},
	{
		.name = "alerting-csv",
		.media = MEDIA_CSV,
		.content = csv_alerting,
	},
};
/* clang-format on */

const size_t page_count = sizeof(page_table) / sizeof(page_table[0]);

const struct page *page_find_name(const char *name)
{
	for (size_t i = 0; i < page_count; i++)
		if (strcmp(page_table[i].name, name) == 0)
			return &page_table[i];
	return NULL;
}

static bool leads_to(const struct page *page, struct span path)
{
	struct span own = span_str(page->path);

	if ((page->needs & PAGE_SERVER) && path.len > own.len)
		path.len = own.len;
	return span_eq(path, own);
}

const struct page *page_find_path(struct span path)
{
	for (size_t i = 0; i < page_count; i++)
		if (page_table[i].path && leads_to(&page_table[i], path))
			return &page_table[i];
	return NULL;
}

static void render_html(const struct page *page, const struct view *view, struct buf *out)
{
	layout_begin(page, view, out);
	if (layout_has_data(view) || page->standalone)
		page->content(view, out);
	else
		layout_no_data(view, out);
	layout_end(view, out);
}

static void render_json(const struct page *page, const struct view *view, struct buf *out)
{
	struct json j;

	json_init(&j, out);
	json_object(&j, NULL);
	api_common(view, &j);
	if (layout_has_data(view))
		page->content(view, out);
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
		if (layout_has_data(view))
			page->content(view, out);
		break;
	}
}

void page_error(const struct http_error *error, const char *hint, enum media media,
		struct span path, struct buf *out)
{
	if (media == MEDIA_HTML)
		layout_error(error, hint, path, out);
	else
		api_error(error, hint, out);
}

double page_heat(const struct server *server, enum heat_metric metric)
{
	switch (metric) {
	case HEAT_CPU:
		return server->cpu.worst;
	case HEAT_MEMORY:
		return server->memory.worst;
	case HEAT_LOAD:
		return server->load.worst;
	case HEAT_RISK:
	case HEAT_METRICS:
		break;
	}
	return server->risk / 10.0;
}

static double sort_value(const struct server *s, enum sort_key sort, enum heat_metric metric)
{
	switch (sort) {
	case SORT_CPU:
		return s->cpu.now;
	case SORT_CPU30:
		return s->cpu.predicted;
	case SORT_DCPU:
		return s->cpu.predicted - s->cpu.now;
	case SORT_IO:
		return s->iowait.now;
	case SORT_IO30:
		return s->iowait.predicted;
	case SORT_DIO:
		return s->iowait.predicted - s->iowait.now;
	case SORT_MEM:
		return s->memory.now;
	case SORT_MEM30:
		return s->memory.predicted;
	case SORT_DMEM:
		return s->memory.predicted - s->memory.now;
	case SORT_VALUE:
		return page_heat(s, metric);
	case SORT_NAME:
	case SORT_PROFILE:
		return 0;
	case SORT_RISK:
	case SORT_KEYS:
		break;
	}
	return s->risk;
}

struct order {
	enum sort_key sort;
	bool descending;
};

static int compare_keys(const struct row *a, const struct row *b, enum sort_key sort)
{
	switch (sort) {
	case SORT_NAME:
		return span_cmp(a->server->name, b->server->name);
	case SORT_PROFILE:
		return strcmp(profile_table[a->server->profile].name,
			      profile_table[b->server->profile].name);
	default:
		return (a->value > b->value) - (a->value < b->value);
	}
}

static int compare_rows(const void *left, const void *right, void *context)
{
	const struct row *a = left, *b = right;
	const struct order *order = context;
	int c;

	if (isnan(a->value) != isnan(b->value))
		return isnan(a->value) ? 1 : -1;
	c = compare_keys(a, b, order->sort);
	if (order->descending)
		c = -c;
	return c ? c : span_cmp(a->server->name, b->server->name);
}

size_t page_rows(const struct view *view, int min_risk, enum sort_key sort, bool descending,
		 struct buf *rows, struct buf *out)
{
	const struct snapshot *snap = view->snap;
	struct order order = {sort, descending};
	size_t count;

	buf_init(rows, SNAPSHOT_SERVERS * sizeof(struct row));
	for (size_t i = 0; i < snap->count; i++) {
		struct row row = {.server = &snap->servers[i]};

		if (row.server->risk < min_risk || !query_match(view->query, row.server))
			continue;
		row.value = sort_value(row.server, sort, view->query->metric);
		buf_add(rows, &row, sizeof(row));
	}
	if (!buf_ok(rows))
		buf_reserve(out, SIZE_MAX);
	count = rows->len / sizeof(struct row);
	if (count > 1)
		qsort_r(rows->data, count, sizeof(struct row), compare_rows, &order);
	return count;
}

size_t page_alerts(const struct view *view, struct buf *rows, struct buf *out)
{
	const struct query *q = view->query;

	return page_rows(view, q->level < 0 ? RISK_ALERT : 0, q->sort, q->sort_descending, rows,
			 out);
}
