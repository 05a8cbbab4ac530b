/* SPDX-License-Identifier: MIT */
/* The shell and the states (doc/pages.md#shell, doc/pages.md#states): what a viewer reads in
 * each of them. */
#include "config.h"

#include "assets.h"
#include "view_fixture.h"

#define SINCE_MS (GEN_MS - 123 + 30000)  /* 12:01:35 */
#define NEXT_MS  (GEN_MS - 123 + 260000) /* 12:05:25 */

#define SHOWING "Showing <a href=\"docs#word-stale\">stale</a> data from T1."

enum { WITH_DATA = 1, CACHE_OFF = 2, LAST_KNOWN = 4 };

static const struct {
	int line;
	unsigned flags;
	enum age_class age;
	enum reason reason;
	const char *state, *badge, *band; /* band NULL: none */
} states[] = {
	{__LINE__, WITH_DATA, AGE_LIVE, REASON_NONE, "live", "As of T1", NULL},
	{__LINE__, WITH_DATA, AGE_UPDATING, REASON_NONE, "updating", "As of T1", NULL},
	{__LINE__, WITH_DATA, AGE_STALE, REASON_NONE, "stale", "As of T1", SHOWING},
	{__LINE__, WITH_DATA, AGE_LIVE, REASON_CONNECT, "stale", "As of T1",
	 SHOWING " Prediction daemon: connection refused since T2. Next try due T3."},
	{__LINE__, WITH_DATA, AGE_STALE, REASON_KEY, "stale", "As of T1",
	 SHOWING " Prediction daemon refuses our API key. Next try due T3."},
	{__LINE__, WITH_DATA, AGE_STALE, REASON_LIMIT, "stale", "As of T1",
	 SHOWING " Prediction daemon limits our calls. Next try due T3."},
	{__LINE__, WITH_DATA, AGE_VERY_STALE, REASON_TIMEOUT, "very-stale", "As of T1",
	 "<strong>Data is older than 10 minutes (T1). Do not act on these numbers.</strong> "
	 "Prediction daemon: timed out since T2. Next try due T3."},
	{__LINE__, WITH_DATA, AGE_NO_DATA, REASON_STATUS_5XX, "no-data", "No data",
	 "No data since T1. Prediction daemon: answered 5xx since T2. Next try due T3."},
	{__LINE__, LAST_KNOWN, AGE_NO_DATA, REASON_NONE, "no-data", "No data", "No data since T1."},
	{__LINE__, LAST_KNOWN, AGE_NO_DATA, REASON_WARMING, "no-data", "No data",
	 "No data since T1. Prediction daemon is warming up. Next try due T3."},
	{__LINE__, 0, AGE_NO_DATA, REASON_NONE, "cold", "Collecting first data",
	 "Collecting first data."},
	{__LINE__, 0, AGE_NO_DATA, REASON_NAME, "cold", "Collecting first data",
	 "Collecting first data. Prediction daemon: name not found since T2. Next try due T3."},
	{__LINE__, 0, AGE_NO_DATA, REASON_WARMING, "warming", "Warming up", NULL},
};

/* Expands to a whole paragraph; T1, T2, T3 stand for the three times of the tests. */
static void expand(const char *text, struct buf *out)
{
	static const char *const times[] = {"12:01:05", "12:01:35", "12:05:25"};

	buf_reset(out);
	for (; *text; text++) {
		if (*text != 'T' || text[1] < '1' || text[1] > '3') {
			buf_char(out, *text);
			continue;
		}
		text++;
		buf_addf(out, "<time datetime=\"2025-11-23T%sZ\">%s UTC</time>", times[*text - '1'],
			 times[*text - '1']);
	}
	buf_addf(out, "</p>%c", '\0');
}

static void check_state(size_t i)
{
	struct fixture f;
	struct buf text;
	const char *page;

	print_message("line %d\n", states[i].line);
	fixture_fleet(&f);
	buf_init(&text, 4096);
	f.condition = (struct condition){.reason = states[i].reason, .age = states[i].age};
	if (states[i].reason != REASON_NONE) {
		f.condition.since_ms = SINCE_MS;
		f.condition.next_try_ms = NEXT_MS;
	}
	if (!(states[i].flags & WITH_DATA))
		f.view.snap = NULL;
	if (states[i].flags & LAST_KNOWN)
		f.view.last_gen_ms = GEN_MS;
	page = render(&f, "overview", "");
	buf_addf(&text, "<div id=\"state\" data-state=\"%s\" role=\"status\">%c", states[i].state,
		 0);
	assert_has(page, text.data);
	expand(states[i].badge, &text);
	assert_has(strstr(page, "id=\"badge\">"), text.data);
	if (states[i].band) {
		expand(states[i].band, &text);
		assert_has(strstr(page, "<p class=\"band\">"), text.data);
	} else {
		assert_has_not(page, "class=\"band\"");
	}
	buf_free(&text);
	fixture_free(&f);
}

static void states_read_as_specified(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		check_state(i);
}

static void limit_of_action_is_the_configured_one(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	f.condition.age = AGE_VERY_STALE;
	f.site.act_limit_ms = 60000;
	assert_has(render(&f, "overview", ""), "Data is older than 1 minute (");
	f.site.act_limit_ms = 20000;
	assert_has(render(&f, "overview", ""), "Data is older than 20 seconds (");
	fixture_free(&f);
}

static void no_number_of_the_fleet_without_data(void **unused)
{
	static const char *const pages[] = {"overview", "heatmap"};
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	f.condition.age = AGE_NO_DATA;
	for (size_t i = 0; i < 2; i++) {
		const char *page = render(&f, pages[i], "");

		assert_has_not(page, "ppml0001");
		assert_has_not(page, "class=\"value\"");
		assert_has_not(page, "data-gen-ms");
		assert_has(page, "<title>Unknown - ");
		assert_has(page, "static/favicon-unknown.");
		assert_has(page, "Asked: <code>http://127.0.0.1:8000/predictions/current</code>");
		assert_has(page, "What to check");
	}
	fixture_free(&f);
}

static void pages_without_data_reload_themselves(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_init(&f);
	f.condition.age = AGE_NO_DATA;
	assert_has(render(&f, "overview", ""), " data-reload=\"1\"></script>"
					       "<meta http-equiv=\"refresh\" content=\"1\"/>"
					       "<!-- -->");
	f.condition.reason = REASON_WARMING;
	assert_has(render(&f, "overview", ""),
		   "<meta http-equiv=\"refresh\" content=\"30\"/><!-- -->");
	fixture_free(&f);
	fixture_fleet(&f);
	assert_has_not(render(&f, "overview", ""), "http-equiv=\"refresh\"");
	assert_has(render(&f, "overview", "refresh=60"), "http-equiv=\"refresh\" content=\"60\"");
	/* Nobody is at a wall screen to ask for a refresh. */
	assert_has(render(&f, "overview", "view=kiosk"), "http-equiv=\"refresh\" content=\"30\"");
	assert_has_not(render(&f, "overview", "view=compact"), "http-equiv=\"refresh\"");
	fixture_free(&f);
}

/* What names the state without a number beside it must not be shown for longer than the state. */
static void title_icon_and_chip_follow_the_age(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	f.condition.age = AGE_STALE;
	page = render(&f, "cost", "");
	assert_has(page, "<title>Stale: (3) Imminent Failure - Cost - TFT</title>");
	assert_has(page, "Fleet <span class=\"chip sev-unknown\">Imminent Failure, stale</span>");
	assert_has(page, "href=\"" ASSET_FAVICON_UNKNOWN_SVG "\"");
	f.condition.age = AGE_VERY_STALE;
	page = render(&f, "cost", "");
	assert_has(page, "<title>Unknown - Cost - TFT</title>");
	assert_has(page, "Fleet <span class=\"chip sev-unknown\">Unknown</span>");
	assert_has(page, "href=\"" ASSET_FAVICON_UNKNOWN_SVG "\"");
	assert_has(render(&f, "badge-fleet", ""), "<title>TFT fleet: Unknown</title>");
	fixture_free(&f);
}

static void warm_up_is_a_statement_of_its_own(void **unused)
{
	static const struct {
		struct warmup warmup;
		const char *text;
	} rows[] = {
		{{false, false, 0, 0, 0, 0, GEN_MS}, "<li>Warm-up unknown.</li>"},
		{{true, true, 100, 200, 150, 0, 0}, NULL},
		{{true, true, 100, 200, 150, 0, GEN_MS}, NULL},
		{{true, false, 35, 60, 150, 0, 0},
		 "<li>The daemon is warming up: 35 % of the servers have 150 records; mean 60. "
		 "<progress max=\"100\" value=\"35\""},
	};
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		f.warmup = rows[i].warmup;
		render(&f, "overview", "");
		if (rows[i].text)
			assert_has(f.out.data, rows[i].text);
		assert_int_equal(rows[i].text != NULL, strcasestr(f.out.data, "warm") != NULL);
		assert_has(f.out.data, "ppml0001");
	}
	fixture_free(&f);
}

/* It is decided by the daemon's count, whatever its servers show: nobody knows yet what they will
 * do. */
static void stopped_feed_is_told_at_once(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	assert_has_not(render(&f, "heatmap", ""), "No new data");
	f.warmup.still_since_ms = GEN_MS + 3000;
	assert_has(render(&f, "heatmap", ""),
		   "No new data has reached the daemon since <time "
		   "datetime=\"2025-11-23T12:01:08Z\">12:01:08 UTC</time>.</p>");
	f.warmup.still_since_ms = GEN_MS;
	assert_has(render(&f, "heatmap", ""),
		   "</time>. Every server shows the values it had then.</p>");
	fixture_free(&f);
}

static void remarks_tell_what_is_missing(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	page = render(&f, "heatmap", "");
	assert_has_not(page, "could not be read");
	assert_has_not(page, "left out");
	assert_has_not(page, "Shared cache off");
	assert_has_not(page, "Alertmanager");
	assert_has_not(page, "flushed");
	f.snap->refused = 3;
	f.snap->odd_values = 1;
	f.snap->unsent = REASON_TIMEOUT;
	f.snap->unsent_ms = f.snap->gen_ms;
	f.condition.cache_off = true;
	f.condition.flushed = true;
	page = render(&f, "heatmap", "");
	assert_has(page, "<li>3 of 9 servers could not be read.</li>");
	assert_has(page, "<li>1 value left out: not possible for the metric.</li>");
	assert_has(page, "<li class=\"unsent\">No Alertmanager has taken the alerts since <time ");
	assert_has(page, "</time>: timed out.</li>");
	assert_has(page, "Shared cache off: this node fetches on its own.");
	assert_has(page, "The cache was flushed: new data are being fetched.");
	assert_has(page, "data-state=\"updating\"");
	fixture_free(&f);
}

static void shell_names_page_state_and_origin(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	page = render(&f, "heatmap", "");
	assert_has(page, "<title>(3) Imminent Failure - Heatmap - TFT</title>");
	assert_has(page, "static/favicon-critical.");
	assert_has(page, "<a href=\"heatmap\" aria-current=\"page\">Heatmap</a>");
	assert_has(page, "<a href=\"./\">Overview</a>");
	assert_int_equal(count_of(page, "aria-current=\"page\""), 1);
	assert_int_equal(count_of(page, "<h1>"), 1);
	assert_has(page,
		   " data-bucket=\"58796642\" data-gen-ms=\"1763899265123\" data-fill-ms=\"600\"");
	assert_has(page, "data changes every 30 s");
	assert_has(page, "Snapshot 2025-11-23T12:01:05.123Z");
	assert_has(page, "Prediction time 2025-11-23T13:00:59");
	assert_has(page, ">trend extrapolation</a>");
	f.snap->model = MODEL_TFT;
	assert_has(render(&f, "heatmap", ""), "Forecast: <a href=\"docs#trends\">TFT model</a>");
	fixture_free(&f);
}

/* What is unknown is omitted. */
static void footer_tells_whether_caching_works(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	page = render(&f, "overview", "");
	assert_has(page, "; the next at <time datetime=\"2025-11-23T12:01:30Z\">12:01:30 UTC</time>"
			 "</p>");
	assert_has(page,
		   "<p class=\"served\">At this snapshot: Bucket 58796642; the next begins at "
		   "<time datetime=\"2025-11-23T12:01:30Z\">12:01:30 UTC</time>. "
		   "<a href=\"advanced\">Now</a></p>");
	f.snap->served = (struct served){.fresh = 996,
					 .stale = 3,
					 .cold = 1,
					 .calls = 12,
					 .fetch_ms = 1234,
					 .bytes = 4096,
					 .budget_left = 7};
	f.view.server = &f.snap->servers[0];
	page = render(&f, "server", "");
	assert_has(page,
		   "At this snapshot: 12 calls to the prediction daemon have served 1000 requests "
		   "from viewers, 99.6% of them with current data, 3 with older data, 1 "
		   "with none. Bucket "
		   "58796642 was fetched in 1234 ms, calls left in that minute: 7; the next");
	assert_has(page, "<a href=\"../advanced\">Now</a>");
	assert_has(page, "Prediction time 2025-11-23T13:00:59 by the daemon's clock.</p>");
	f.condition.age = AGE_NO_DATA;
	assert_has_not(render(&f, "overview", ""), "class=\"served\"");
	fixture_free(&f);
}

/* What is unknown is omitted, and no figure is computed from it. */
static void a_footer_that_knows_a_part_tells_that_part(void **unused)
{
	static const struct {
		struct served served;
		const char *text; /* the text before "Bucket" */
	} cases[] = {
		{{90, 9, 1, -1, -1, -1, -1},
		 "At this snapshot: 100 requests from viewers were served, 90.0% of them with "
		 "current data, 9 with older data, 1 with none. Bucket 58796642; the next"},
		{{91, 0, 0, -1, -1, -1, -1},
		 "At this snapshot: 91 requests from viewers were served, 100.0% of them with "
		 "current data, 0 with older data, 0 with none. Bucket 58796642; the next"},
		{{0, 9, 1, -1, -1, -1, -1},
		 "At this snapshot: 10 requests from viewers were served, 0.0% of them with "
		 "current data, 9 with older data, 1 with none. Bucket 58796642; the next"},
		{{-1, 9, 1, 12, 5, 6, 7},
		 "At this snapshot: Bucket 58796642 was fetched in 5 ms, calls left in that "
		 "minute: 7; the next"},
		{{90, -1, 1, 12, -1, 6, 7},
		 "At this snapshot: Bucket 58796642, calls left in that minute: 7; the next"},
		{{90, 9, -1, 12, 5, 6, -1},
		 "At this snapshot: Bucket 58796642 was fetched in 5 ms; the next"},
		{{0, 0, 0, 12, 0, 6, 0},
		 "At this snapshot: Bucket 58796642 was fetched in 0 ms, calls left in that "
		 "minute: 0; the next"},
	};
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f.snap->served = cases[i].served;
		assert_has(render(&f, "overview", ""), cases[i].text);
	}
	fixture_free(&f);
}

static void parts_of_the_shell_keep_their_order(void **unused)
{
	static const char *const parts[] = {"class=\"skip\"",    "<header>",          "<nav ",
					    "<div id=\"state\"", "<main id=\"view\"", "<footer"};
	struct fixture f;
	const char *at;

	(void)unused;
	fixture_fleet(&f);
	at = render(&f, "overview", "");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		at = strstr(at, parts[i]);
		assert_non_null(at);
	}
	fixture_free(&f);
}

static void view_is_a_class_of_the_body(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_fleet(&f);
	assert_has(render(&f, "overview", ""), "<body>");
	assert_has(render(&f, "overview", "view=kiosk"), "<body class=\"kiosk\">");
	assert_has(render(&f, "overview", "view=compact"), "<body class=\"compact\">");
	/* Its script is only for wall screens. */
	assert_has(render(&f, "overview", "view=kiosk"), ASSET_KIOSK_JS);
	assert_has_not(render(&f, "overview", "view=compact"), ASSET_KIOSK_JS);
	fixture_free(&f);
}

static void links_keep_the_view_and_are_canonical(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	page = render(&f, "overview", "q=A%26%3C&profile=db");
	assert_has(page, "<a href=\"./?profile=db&amp;q=a%26%3C\">Refresh</a>");
	assert_has(page,
		   "<a href=\"./?profile=db&amp;q=a%26%3C&amp;refresh=30\">Reload by itself</a>");
	page = render(&f, "overview", "refresh=30");
	assert_has(page, "<a href=\"./\">Stop reloading</a>");
	fixture_free(&f);
}

static void a_wall_screen_names_its_next_page(void **unused)
{
	struct fixture f;
	const char *page;

	(void)unused;
	fixture_fleet(&f);
	page = render(&f, "overview", "view=kiosk&tabs=overview,heatmap&every=60");
	assert_has(page, " data-reload=\"60\" data-next=\"heatmap?view=kiosk&amp;"
			 "tabs=overview,heatmap&amp;every=60\"></script><meta "
			 "http-equiv=\"refresh\" content=\"60;url=heatmap?view=kiosk&amp;"
			 "tabs=overview,heatmap&amp;every=60\"/><!-- -->");
	/* The next page follows each one; the first page follows the last one, and any page that is
	 * not in the list. */
	assert_has(render(&f, "overview", "view=kiosk&tabs=overview,heatmap,top"),
		   "data-next=\"heatmap?view=kiosk");
	assert_has(render(&f, "heatmap", "view=kiosk&tabs=overview,heatmap,top"),
		   "data-next=\"top?view=kiosk");
	assert_has(render(&f, "top", "view=kiosk&tabs=overview,heatmap,top"),
		   "data-reload=\"30\" data-next=\"./?view=kiosk");
	assert_has(render(&f, "cost", "view=kiosk&tabs=heatmap,top"),
		   "data-next=\"heatmap?view=kiosk");
	assert_has(render(&f, "cost", "view=kiosk&tabs=top"), "data-next=\"top?view=kiosk");
	/* Only wall screens change pages. */
	assert_has_not(render(&f, "overview", "tabs=overview,heatmap"), "data-next");
	fixture_free(&f);
}

static void the_address_asked_is_escaped(void **unused)
{
	struct fixture f;

	(void)unused;
	fixture_init(&f);
	f.site.asked_url = "http://h/?a=1&b=<x>\"";
	f.condition.age = AGE_NO_DATA;
	assert_has(render(&f, "overview", ""), "<code>http://h/?a=1&amp;b=&lt;x&gt;&quot;/");
	fixture_free(&f);
}

static void errors_have_the_shell_and_reflect_nothing(void **unused)
{
	static const struct http_error error = {400, "Bad request", "A parameter is not valid."};
	struct buf out;

	(void)unused;
	buf_init(&out, 1u << 16);
	page_error(&error, "kiosk, compact", MEDIA_HTML, SPAN("/"), &out);
	buf_char(&out, '\0');
	assert_has(out.data, "<title>Bad request - TFT</title>");
	assert_has(out.data, "<h1>Bad request</h1><p>A parameter is not valid.</p>");
	assert_has(out.data, "<code>kiosk, compact</code>");
	assert_has(out.data, "<nav ");
	assert_has_not(out.data, "id=\"state\"");
	buf_reset(&out);
	page_error(&error, NULL, MEDIA_HTML, SPAN("/"), &out);
	buf_char(&out, '\0');
	assert_has_not(out.data, "Valid values");
	buf_free(&out);
}

static void pages_that_are_not_available_reload_themselves(void **unused)
{
	static const struct {
		int status;
		const char *path;
		bool reloads;
	} cases[] = {
		{503, "/", true},  {503, "/server/", true}, {503, "/refresh", false},
		{404, "/", false}, {500, "/top", false},
	};
	struct buf out;

	(void)unused;
	buf_init(&out, 1u << 16);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct http_error error = {cases[i].status, "Error", "Text."};

		buf_reset(&out);
		page_error(&error, NULL, MEDIA_HTML, span_str(cases[i].path), &out);
		buf_char(&out, '\0');
		assert_int_equal(strstr(out.data, "<meta http-equiv=\"refresh\" content=\"5\"/>") !=
					 NULL,
				 cases[i].reloads);
	}
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_read_as_specified),
		cmocka_unit_test(limit_of_action_is_the_configured_one),
		cmocka_unit_test(no_number_of_the_fleet_without_data),
		cmocka_unit_test(pages_without_data_reload_themselves),
		cmocka_unit_test(title_icon_and_chip_follow_the_age),
		cmocka_unit_test(warm_up_is_a_statement_of_its_own),
		cmocka_unit_test(stopped_feed_is_told_at_once),
		cmocka_unit_test(remarks_tell_what_is_missing),
		cmocka_unit_test(shell_names_page_state_and_origin),
		cmocka_unit_test(footer_tells_whether_caching_works),
		cmocka_unit_test(a_footer_that_knows_a_part_tells_that_part),
		cmocka_unit_test(parts_of_the_shell_keep_their_order),
		cmocka_unit_test(view_is_a_class_of_the_body),
		cmocka_unit_test(links_keep_the_view_and_are_canonical),
		cmocka_unit_test(a_wall_screen_names_its_next_page),
		cmocka_unit_test(the_address_asked_is_escaped),
		cmocka_unit_test(errors_have_the_shell_and_reflect_nothing),
		cmocka_unit_test(pages_that_are_not_available_reload_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
