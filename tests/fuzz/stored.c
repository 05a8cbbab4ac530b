/* SPDX-License-Identifier: MIT */
/*
 * What viewers get of data that are read back from Redis. The first byte chooses: a compact
 * snapshot, the series of a server, records of the history, the answers to a whole request,
 * incidents, a moment of the past, or the forecasts kept of it. Every page made from them is
 * intact. For the records themselves see entry.c.
 */
#include "config.h"

#include "cache/archive.h"
#include "fleet/compact.h"
#include "fleet/horizons.h"
#include "fleet/incidents.h"
#include "fleet/moment.h"
#include "fake_store.h"
#include "fuzz.h"
#include "records.h"
#include "server/serve.h"

static const struct site site = {FUZZ_INTERVAL_MS,        600000, 3600000,
				 "http://127.0.0.1:8000", NULL,   false};

/* Each page uses the parts that it knows. */
static const char *const queries[] = {
	"",
	"view=kiosk&refresh=5&tabs=overview,top",
	"view=compact&sort=-name&q=%3Cfz",
	"profile=db&sev=watch-up&page=2",
	"metric=levels&range=7d",
	"group=profile&sort=name",
	"n=20&metric=cpu&sort=-dmem",
	"cost_per_hour=0.01&avg_hours=99&prevention_pct=50",
};

static void choose_query(struct query *q, const struct page *page, unsigned choice)
{
	struct span raw = span_str(queries[choice % (sizeof(queries) / sizeof(queries[0]))]);
	enum query_key bad;

	query_init(q);
	/* A value of another page's key of the same name may be refused; the result then has what
	 * came before it. */
	(void)query_parse(q, raw, page->params, &bad);
}

static void check_page(const struct page *page, const struct view *view)
{
	struct buf out;

	buf_init(&out, 32u << 20);
	page_render(page, view, &out);
	REQUIRE(buf_ok(&out));
	fuzz_check_document(page->media, buf_span(&out));
	buf_free(&out);
}

/* --- compact snapshots --- */

/* Two bytes choose the page and its condition; the rest is the snapshot. */
static void fuzz_snapshot(struct span input)
{
	const struct page *page = &page_table[fuzz_byte(&input) % page_count];
	unsigned choice = fuzz_byte(&input);
	struct snapshot *snap = compact_decode(input);
	struct condition condition = {.reason = choice % REASON_COUNT,
				      .since_ms = FUZZ_GEN_MS,
				      .next_try_ms = FUZZ_GEN_MS + FUZZ_INTERVAL_MS,
				      .age = choice % AGE_NO_DATA,
				      .flushed = choice & 1};
	struct query query;
	struct site other = site;
	struct view view = {.site = &other, .snap = snap, .condition = &condition, .query = &query};

	other.sends_alerts = choice & 2;
	if (!snap)
		return;
	choose_query(&query, page, choice);
	view.warmup = &snap->warmup;
	view.scenario = &snap->scenario;
	view.server = snap->count ? &snap->servers[0] : NULL;
	/* These need more than a snapshot. */
	if (!(page->needs & PAGE_DIAGNOSIS) && (view.server || !(page->needs & PAGE_SERVER)))
		check_page(page, &view);
	snapshot_free(&snap);
}

/* --- the series of one server --- */

static struct snapshot *make_snapshot(struct series *series)
{
	struct snapshot *snap = snapshot_new();
	struct server *server = snap ? snapshot_add(snap, SPAN("<fz a=\" fz=\"'&")) : NULL;

	REQUIRE(server);
	server->series = series;
	server->has_data = true;
	REQUIRE(snapshot_seal(snap) == 0);
	snap->gen_ms = FUZZ_GEN_MS;
	snap->interval_ms = FUZZ_INTERVAL_MS;
	snap->bucket = FUZZ_GEN_MS / FUZZ_INTERVAL_MS;
	return snap;
}

/* more: what the page needs besides the snapshot. */
static void show(struct snapshot *snap, const char *const *pages, size_t count, struct view more,
		 unsigned choice)
{
	static const struct condition plain;
	const struct page *page = page_find_name(pages[choice % count]);
	struct query query;
	struct view view = more;

	REQUIRE(page);
	choose_query(&query, page, choice);
	query.at_ms = more.at_ms;
	view.site = &site;
	view.snap = snap;
	view.condition = &plain;
	view.query = &query;
	view.warmup = &snap->warmup;
	view.scenario = &snap->scenario;
	view.server = snap->count ? &snap->servers[0] : NULL;
	check_page(page, &view);
}

#define SHOW(snap, pages, more, choice)                                                            \
	show((snap), (pages), sizeof(pages) / sizeof((pages)[0]), (more), (choice))

static void fuzz_series(struct span input)
{
	static const char *const pages[] = {"server", "top", "api-server", "server-csv", "api-top"};
	unsigned choice = fuzz_byte(&input);
	struct series *series = calloc(1, sizeof(*series));
	struct snapshot *snap;

	REQUIRE(series);
	if (series_decode(input, series) != 0) {
		free(series);
		return;
	}
	snap = make_snapshot(series);
	SHOW(snap, pages, (struct view){0}, choice);
	snapshot_free(&snap);
}

/* --- history --- */

static void fuzz_history(struct span input)
{
	static const char *const pages[] = {"history", "api-history", "history-csv"};
	unsigned choice = fuzz_byte(&input);
	struct snapshot *snap = make_snapshot(NULL);
	struct history h;

	fuzz_read_history(&h, choice, input);
	SHOW(snap, pages, (struct view){.history = &h}, choice);
	history_free(&h);
	snapshot_free(&snap);
}

static void fuzz_risks(struct span input)
{
	static const char *const pages[] = {"server", "api-server"};
	unsigned choice = fuzz_byte(&input);
	struct snapshot *snap = make_snapshot(NULL);
	struct history h;

	fuzz_read_risks(&h, choice, snap->servers[0].name, input);
	SHOW(snap, pages, (struct view){.history = &h}, choice);
	history_free(&h);
	snapshot_free(&snap);
}

/* --- incidents --- */

static void fuzz_incidents(struct span input)
{
	static const char *const pages[] = {"incidents", "api-incidents", "incidents-csv"};
	unsigned choice = fuzz_byte(&input);
	struct snapshot *snap = make_snapshot(NULL);
	struct incidents incidents;

	incidents_init(&incidents);
	(void)incidents_add(&incidents, input);
	incidents_sort(&incidents);
	SHOW(snap, pages, ((struct view){.incidents = &incidents}), choice);
	incidents_free(&incidents);
	snapshot_free(&snap);
}

/* --- pages of the past --- */

static void fuzz_moment(struct span input)
{
	static const char *const pages[] = {"overview",     "heatmap",     "top",
					    "changes",      "api-fleet",   "api-changes",
					    "overview-csv", "changes-csv", "remediation"};
	unsigned choice = fuzz_byte(&input);
	struct snapshot *snap = fuzz_read_moment(input), *now = make_snapshot(NULL);
	struct since since = {.asked_ms = FUZZ_GEN_MS - FUZZ_INTERVAL_MS};

	since.then = snap;
	if (snap) {
		SHOW(snap, pages, ((struct view){.at_ms = FUZZ_GEN_MS, .since = &since}), choice);
		SHOW(now, pages, (struct view){.since = &since}, choice);
	}
	snapshot_free(&snap);
	snapshot_free(&now);
}

static void fuzz_horizons(struct span input)
{
	static const char *const pages[] = {"server", "top", "api-server", "api-top", "server-csv"};
	unsigned choice = fuzz_byte(&input);
	struct snapshot *snap = make_snapshot(NULL);

	(void)fuzz_read_horizons(input, snap);
	SHOW(snap, pages, (struct view){.at_ms = FUZZ_GEN_MS}, choice);
	snapshot_free(&snap);
}

/* --- whole requests --- */

static const char *const paths[] = {
	"/",
	"/heatmap",
	"/top",
	"/server/<fz a=\" fz=\"'&",
	"/history",
	"/changes",
	"/cost",
	"/remediation",
	"/alerting",
	"/advanced",
	"/docs",
	"/api/v1/fleet",
	"/api/v1/alerts",
	"/api/v1/servers/ppml0001",
	"/api/v1/history",
	"/api/v1/status",
	"/readyz",
	"/metrics",
	"/metrics/fleet",
};

static const struct cache_limits limits = {
	.group = {{FUZZ_INTERVAL_MS, 17000, 26},
		  {2000, 4000, 40},
		  {2000, 3000, 40},
		  {FUZZ_INTERVAL_MS, 4000, 40},
		  {FUZZ_INTERVAL_MS, 4000, 40}},
	.max_stale_ms = 3600000,
	.batch_ms = 100,
	.publish_ms = 2000,
	.history_points = 20160,
	.history_memory = 256 << 20,
};

static void make_request(struct request *request, struct span *input)
{
	const char *path = paths[fuzz_byte(input) % (sizeof(paths) / sizeof(paths[0]))];
	unsigned choice = fuzz_byte(input);

	*request = (struct request){.method = METHOD_GET};
	request->path_len = strlen(path);
	memcpy(request->path, path, request->path_len);
	request->query_len = strlen(queries[choice % 8]);
	memcpy(request->query, queries[choice % 8], request->query_len);
	(void)snprintf(request->remote_user, sizeof(request->remote_user), "<fz\" fz=\"");
}

/* A document from Redis is sent as it was stored, so its content proves nothing; one rendered here
 * does. */
static void check_response(const struct response *r)
{
	struct buf head;

	buf_init(&head, 1 << 16);
	response_head(r, "node", SPAN("0123"), 0, &head);
	REQUIRE(buf_ok(&head));
	buf_free(&head);
	if (r->render_us < 0 || r->gzip || !r->body.len)
		return;
	if (!r->type || strcmp(r->type, page_type(MEDIA_HTML)) == 0)
		fuzz_check_document(MEDIA_HTML, r->body);
	else if (strcmp(r->type, page_type(MEDIA_JSON)) == 0)
		fuzz_check_document(MEDIA_JSON, r->body);
	else if (strcmp(r->type, page_type(MEDIA_CSV)) == 0)
		fuzz_check_document(MEDIA_CSV, r->body);
}

/* Two bytes choose path and query; the rest is Redis' answer. */
static void fuzz_serve(struct span input)
{
	static struct request request;
	static struct settings settings = {
		.node = "node", .fleet_metrics = 1, .interval_ms = FUZZ_INTERVAL_MS};
	static const struct local_config local_config = {.interval_ms = FUZZ_INTERVAL_MS,
							 .workers = 1,
							 .workers_total = 1,
							 .calls_per_minute = 26,
							 .host_fd = -1};
	static const struct cache_owner owner = {"tft", "0123456789abcdef"};
	struct response response;
	struct store *store;
	struct refresh refresh = {.site = &site, .scenario_configured = true};
	struct serve_config config = {.refresh = &refresh,
				      .settings = &settings,
				      .limits = &limits,
				      .act_limit_ms = 600000};
	struct local *local = local_new(&local_config);
	struct serve *serve;

	make_request(&request, &input);
	store = fake_store_new(input);
	refresh.cache = cache_new(store, &limits, &owner);
	refresh.metrics = metrics_new("node");
	serve = serve_new(&config, local);
	REQUIRE(local && refresh.cache && refresh.metrics && serve);
	serve_request(serve, &request, &response);
	check_response(&response);
	serve_free(&serve);
	metrics_free(&refresh.metrics);
	cache_free(&refresh.cache);
	local_free(&local);
	fake_store_free(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const kinds[])(struct span) = {
		fuzz_snapshot, fuzz_series,    fuzz_history, fuzz_risks,
		fuzz_serve,    fuzz_incidents, fuzz_moment,  fuzz_horizons,
	};
	struct span input = {(const char *)data, size};

	kinds[fuzz_byte(&input) % (sizeof(kinds) / sizeof(kinds[0]))](input);
	return 0;
}
