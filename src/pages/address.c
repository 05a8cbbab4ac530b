/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "pages/address.h"

#include <string.h>

#define VIEW_PARAMS                                                                                \
	(QUERY_BIT(QUERY_VIEW) | QUERY_BIT(QUERY_TABS) | QUERY_BIT(QUERY_EVERY) |                  \
	 QUERY_BIT(QUERY_REFRESH))
#define AT             QUERY_BIT(QUERY_AT)
#define HISTORY_PARAMS (QUERY_BIT(QUERY_HISTORY) | QUERY_BIT(QUERY_RANGE))
#define CHANGES_PARAMS                                                                             \
	(QUERY_BIT(QUERY_PROFILE) | QUERY_BIT(QUERY_SEV) | QUERY_BIT(QUERY_Q) |                    \
	 QUERY_BIT(QUERY_SINCE))
#define LIST_PARAMS                                                                                \
	(QUERY_BIT(QUERY_PROFILE) | QUERY_BIT(QUERY_SEV) | QUERY_BIT(QUERY_SORT) |                 \
	 QUERY_BIT(QUERY_Q))
#define COST_PARAMS                                                                                \
	(QUERY_BIT(QUERY_COST_PER_HOUR) | QUERY_BIT(QUERY_AVG_HOURS) |                             \
	 QUERY_BIT(QUERY_PREVENTION_PCT) | QUERY_BIT(QUERY_PROJECT_COST))

/* The tables of the plans are paged; their JSON and CSV have all rows. */
#define PART_PARAMS (QUERY_BIT(QUERY_SORT) | QUERY_BIT(QUERY_PAGE))

#define INCIDENT_PARAMS                                                                            \
	(QUERY_BIT(QUERY_PROFILE) | QUERY_BIT(QUERY_SEV) | QUERY_BIT(QUERY_PERIOD) |               \
	 QUERY_BIT(QUERY_SORT) | QUERY_BIT(QUERY_Q))

#define ACCURACY_PARAMS                                                                            \
	(QUERY_BIT(QUERY_PROFILE) | QUERY_BIT(QUERY_KEPT) | QUERY_BIT(QUERY_HORIZON) |             \
	 QUERY_BIT(QUERY_SORT) | QUERY_BIT(QUERY_PERIOD))

#define TOP_PARAMS (QUERY_BIT(QUERY_PROFILE) | QUERY_BIT(QUERY_N))

/* clang-format off: it would align the rows like a matrix. */
const struct page page_table[] = {
	{
		.name = "overview",
		.path = "/",
		.title = "Overview",
		.media = MEDIA_HTML,
		.stored = true,
		.params = AT | LIST_PARAMS | VIEW_PARAMS | QUERY_BIT(QUERY_PAGE) |
			  QUERY_BIT(QUERY_HIDE) | QUERY_BIT(QUERY_ROW) | QUERY_BIT(QUERY_FORMAT) |
			  QUERY_BIT(QUERY_SINCE),
		.needs = PAGE_SINCE | PAGE_SINCE_NEAR | PAGE_ACCURACY | PAGE_TOP_SERIES |
			 PAGE_NO_CALL,
		.json = "api-alerts",
		.csv = "overview-csv",
	},
	{
		.name = "heatmap",
		.path = "/heatmap",
		.title = "Heatmap",
		.media = MEDIA_HTML,
		.stored = true,
		.params = AT | LIST_PARAMS | VIEW_PARAMS | QUERY_BIT(QUERY_METRIC) |
			  QUERY_BIT(QUERY_GROUP) | QUERY_BIT(QUERY_PAGE) | QUERY_BIT(QUERY_FORMAT),
		.needs = PAGE_ACCURACY | PAGE_FIND,
		.json = "api-heatmap",
		.csv = "heatmap-csv",
	},
	{
		.name = "top",
		.path = "/top",
		.title = "Top",
		.media = MEDIA_HTML,
		.stored = true,
		.params = AT | TOP_PARAMS | VIEW_PARAMS | QUERY_BIT(QUERY_FORMAT),
		.needs = PAGE_TOP_SERIES | PAGE_ACCURACY,
		.cursor = true,
		.json = "api-top",
		.csv = "top-csv",
	},
	{
		.name = "server",
		.path = "/server/",
		.title = "Server",
		.media = MEDIA_HTML,
		.params = AT | VIEW_PARAMS | QUERY_BIT(QUERY_FORMAT) | QUERY_BIT(QUERY_WITH),
		.needs = PAGE_SERVER | PAGE_HISTORY | PAGE_ACCURACY,
		.cursor = true,
		.json = "api-server",
		.csv = "server-csv",
	},
	{
		.name = "history",
		.path = "/history",
		.title = "History",
		.media = MEDIA_HTML,
		.params = AT | HISTORY_PARAMS | QUERY_BIT(QUERY_SCALE) | VIEW_PARAMS |
			  QUERY_BIT(QUERY_FORMAT),
		.needs = PAGE_HISTORY,
		.cursor = true,
		.json = "api-history",
		.csv = "history-csv",
	},
	{
		.name = "incidents",
		.path = "/incidents",
		.title = "Incidents",
		.media = MEDIA_HTML,
		.params = AT | INCIDENT_PARAMS | VIEW_PARAMS | QUERY_BIT(QUERY_PAGE) |
			  QUERY_BIT(QUERY_FORMAT),
		.needs = PAGE_INCIDENTS,
		.json = "api-incidents",
		.csv = "incidents-csv",
	},
	{
		.name = "changes",
		.path = "/changes",
		.title = "Changes",
		.media = MEDIA_HTML,
		.params = AT | CHANGES_PARAMS | VIEW_PARAMS | QUERY_BIT(QUERY_PAGE) |
			  QUERY_BIT(QUERY_FORMAT),
		.needs = PAGE_SINCE,
		.json = "api-changes",
		.csv = "changes-csv",
	},
	{
		.name = "accuracy",
		.path = "/accuracy",
		.title = "Forecasts",
		.media = MEDIA_HTML,
		.params = AT | ACCURACY_PARAMS | VIEW_PARAMS | QUERY_BIT(QUERY_FORMAT),
		.needs = PAGE_ACCURACY | PAGE_WARNINGS,
		.cursor = true,
		.json = "api-accuracy",
		.csv = "accuracy-csv",
	},
	{
		.name = "cost",
		.path = "/cost",
		.title = "Cost",
		.media = MEDIA_HTML,
		.params = AT | COST_PARAMS | PART_PARAMS | VIEW_PARAMS | QUERY_BIT(QUERY_FORMAT),
		.needs = PAGE_HISTORY | PAGE_WEEK,
		.json = "api-cost",
		.csv = "cost-csv",
	},
	{
		.name = "remediation",
		.path = "/remediation",
		.title = "Remediation",
		.media = MEDIA_HTML,
		.stored = true,
		.params = AT | PART_PARAMS | VIEW_PARAMS | QUERY_BIT(QUERY_FORMAT),
		.needs = PAGE_ACCURACY,
		.json = "api-remediation",
		.csv = "remediation-csv",
	},
	{
		.name = "alerting",
		.path = "/alerting",
		.title = "Alerting",
		.media = MEDIA_HTML,
		.stored = true,
		.params = AT | PART_PARAMS | VIEW_PARAMS | QUERY_BIT(QUERY_FORMAT),
		.json = "api-alerting",
		.csv = "alerting-csv",
	},
	{
		.name = "advanced",
		.path = "/advanced",
		.title = "Advanced",
		.media = MEDIA_HTML,
		.params = VIEW_PARAMS | QUERY_BIT(QUERY_NOTICE),
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
		.standalone = true,
	},
	{
		.name = "roadmap",
		.path = "/roadmap",
		.title = "Roadmap",
		.media = MEDIA_HTML,
		.stored = true,
		.params = VIEW_PARAMS,
		.standalone = true,
	},
	{
		.name = "api-fleet", /* "fleet" alone is the compact snapshot's key */
		.path = "/api/v1/fleet",
		.media = MEDIA_JSON,
		.stored = true,
		.params = AT,
		.needs = PAGE_SINCE | PAGE_SINCE_NEAR | PAGE_ACCURACY,
	},
	{
		.name = "api-alerts",
		.path = "/api/v1/alerts",
		.media = MEDIA_JSON,
		.stored = true,
		.params = AT | LIST_PARAMS,
	},
	{
		.name = "api-heatmap",
		.path = "/api/v1/heatmap",
		.media = MEDIA_JSON,
		.stored = true,
		.params = AT | LIST_PARAMS | QUERY_BIT(QUERY_METRIC),
	},
	{
		.name = "api-top",
		.path = "/api/v1/top",
		.media = MEDIA_JSON,
		.stored = true,
		.params = AT | TOP_PARAMS,
		.needs = PAGE_TOP_SERIES,
	},
	{
		.name = "api-server",
		.path = "/api/v1/servers/",
		.media = MEDIA_JSON,
		.params = AT,
		.needs = PAGE_SERVER,
	},
	{
		.name = "api-history",
		.path = "/api/v1/history",
		.media = MEDIA_JSON,
		.params = AT | HISTORY_PARAMS,
		.needs = PAGE_HISTORY,
	},
	{
		.name = "api-incidents",
		.path = "/api/v1/incidents",
		.media = MEDIA_JSON,
		.params = AT | INCIDENT_PARAMS,
		.needs = PAGE_INCIDENTS,
	},
	{
		.name = "api-changes",
		.path = "/api/v1/changes",
		.media = MEDIA_JSON,
		.params = AT | CHANGES_PARAMS,
		.needs = PAGE_SINCE,
	},
	{
		.name = "api-accuracy",
		.path = "/api/v1/accuracy",
		.media = MEDIA_JSON,
		.params = AT | ACCURACY_PARAMS,
		.needs = PAGE_ACCURACY | PAGE_WARNINGS,
	},
	{
		.name = "api-cost",
		.path = "/api/v1/cost",
		.media = MEDIA_JSON,
		.stored = true,
		.params = AT | COST_PARAMS | QUERY_BIT(QUERY_SORT),
	},
	{
		.name = "api-remediation",
		.path = "/api/v1/remediation",
		.media = MEDIA_JSON,
		.stored = true,
		.params = AT | QUERY_BIT(QUERY_SORT),
	},
	{
		.name = "api-alerting",
		.path = "/api/v1/alerting",
		.media = MEDIA_JSON,
		.stored = true,
		.params = AT | QUERY_BIT(QUERY_SORT),
	},
	{
		.name = "badge-fleet", /* before badge-server: it wins over a server of that name */
		.path = "/badge/fleet.svg",
		.media = MEDIA_SVG,
		.stored = true,
		.standalone = true,
	},
	{
		.name = "badge-server",
		.path = "/badge/",
		.suffix = ".svg",
		.media = MEDIA_SVG,
		.needs = PAGE_SERVER,
		.standalone = true,
	},
	{
		.name = "overview-csv",
		.media = MEDIA_CSV,
		.params = AT | LIST_PARAMS,
	},
	{
		.name = "heatmap-csv",
		.media = MEDIA_CSV,
		.params = AT | LIST_PARAMS | QUERY_BIT(QUERY_METRIC),
	},
	{
		.name = "top-csv",
		.media = MEDIA_CSV,
		.params = AT | TOP_PARAMS,
	},
	{
		.name = "server-csv",
		.media = MEDIA_CSV,
		.params = AT,
		.needs = PAGE_SERVER,
	},
	{
		.name = "history-csv",
		.media = MEDIA_CSV,
		.params = AT | HISTORY_PARAMS,
		.needs = PAGE_HISTORY,
	},
	{
		.name = "incidents-csv",
		.media = MEDIA_CSV,
		.params = AT | INCIDENT_PARAMS,
		.needs = PAGE_INCIDENTS,
	},
	{
		.name = "changes-csv",
		.media = MEDIA_CSV,
		.params = AT | CHANGES_PARAMS,
		.needs = PAGE_SINCE,
	},
	{
		.name = "accuracy-csv",
		.media = MEDIA_CSV,
		.params = AT | ACCURACY_PARAMS,
		.needs = PAGE_ACCURACY | PAGE_WARNINGS,
	},
	{
		.name = "cost-csv",
		.media = MEDIA_CSV,
		.params = AT | COST_PARAMS,
	},
	{
		.name = "remediation-csv",
		.media = MEDIA_CSV,
		.params = AT | QUERY_BIT(QUERY_SORT),
	},
	{
		.name = "alerting-csv",
		.media = MEDIA_CSV,
		.params = AT | QUERY_BIT(QUERY_SORT),
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

static struct span suffix_of(const struct page *page)
{
	return page->suffix ? span_str(page->suffix) : (struct span){"", 0};
}

static bool leads_to(const struct page *page, struct span path)
{
	struct span own = span_str(page->path), suffix = suffix_of(page);

	if (!(page->needs & PAGE_SERVER))
		return span_eq(path, own);
	return path.len >= own.len + suffix.len && span_eq((struct span){path.ptr, own.len}, own) &&
	       span_eq((struct span){path.ptr + path.len - suffix.len, suffix.len}, suffix);
}

struct span page_server_name(const struct page *page, struct span path)
{
	size_t own = strlen(page->path);

	return (struct span){path.ptr + own, path.len - own - suffix_of(page).len};
}

const struct page *page_find_path(struct span path)
{
	for (size_t i = 0; i < page_count; i++)
		if (page_table[i].path && leads_to(&page_table[i], path))
			return &page_table[i];
	return NULL;
}
