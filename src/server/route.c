/* SPDX-License-Identifier: MIT */
/* The page table and the few paths beside it that are no function of a snapshot. */
#include "config.h"
#include "server/route.h"

/* clang-format off: it would align the rows like a matrix. */
static const struct {
	const char *path;
	enum route_kind kind;
} others[] = {
	{"/api/v1/status", ROUTE_STATUS}, {"/api/v1/openapi.json", ROUTE_OPENAPI},
	{"/healthz", ROUTE_HEALTHZ},      {"/readyz", ROUTE_READYZ},
	{"/metrics", ROUTE_METRICS},      {"/metrics/fleet", ROUTE_FLEET_METRICS},
	{"/refresh", ROUTE_REFRESH},      {"/scenario", ROUTE_SCENARIO},
	{"/silence", ROUTE_SILENCE},      {"/silence-end", ROUTE_SILENCE_END},
};
/* clang-format on */

static bool is_action(enum route_kind kind)
{
	return kind >= ROUTE_REFRESH && kind <= ROUTE_SILENCE_END;
}

static struct route find_path(struct span path)
{
	static const struct span api = SPAN("/api/");
	const struct page *page = page_find_path(path);

	if (page)
		return (struct route){
			.kind = ROUTE_PAGE, .page = page, .json = page->media == MEDIA_JSON};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (span_is(path, others[i].path))
			return (struct route){.kind = others[i].kind,
					      .json = !is_action(others[i].kind)};
	return (struct route){.kind = ROUTE_NOT_FOUND,
			      .json = path.len >= api.len &&
				      memcmp(path.ptr, api.ptr, api.len) == 0};
}

struct route route_find(enum method method, struct span path)
{
	struct route route = find_path(path);
	bool post = is_action(route.kind);
	bool allowed = post ? method == METHOD_POST : method == METHOD_GET || method == METHOD_HEAD;

	/* An unknown path is 404 for every method: it has none that would be allowed. */
	if (route.kind == ROUTE_NOT_FOUND || allowed)
		return route;
	return (struct route){
		.kind = ROUTE_METHOD, .allow = post ? "POST" : "GET, HEAD", .json = route.json};
}
