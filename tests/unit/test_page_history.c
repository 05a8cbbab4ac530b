/* SPDX-License-Identifier: MIT */
/* The history page, its JSON and its CSV (doc/pages.md#history, doc/rules.md#history). */
#include "config.h"

#include <stdint.h>

#include "pages/chart_lines.h"
#include "pages/pieces.h"
#include "view_fixture.h"

#define END (GEN_MS / 30000 * 30000) /* 2025-11-23T12:01:00Z */
#define NOTHING                                                                                    \
	"No history yet. One point is stored at every refresh (30 s), even when nobody is "        \
	"looking."

struct page_fixture {
	struct fixture f;
	struct history h;
};

static void begin(struct page_fixture *p, enum history_range range)
{
	fixture_fleet(&p->f);
	history_init(&p->h, 30000, history_range_ms(range), END);
	p->f.view.history = &p->h;
}

static void end(struct page_fixture *p)
{
	history_free(&p->h);
	fixture_free(&p->f);
}

static void add(struct page_fixture *p, int64_t before_end_ms, const char *record)
{
	size_t count = history_count(&p->h);

	history_add(&p->h, END - before_end_ms, span_str(record));
	assert_int_equal(history_count(&p->h), count + 1);
}

/* Four points, a gap of two minutes, a change of scenario, one absent value. */
static void add_some(struct page_fixture *p)
{
	add(p, 180000, "1 0.5 0.25 0 0 0 1 1 2 6 3100 650 ppdb001 healthy");
	add(p, 60000, "1 0.8975 1 0 1 0 0 1 2 6 3500 850 %3Cppml%26%3E degrading");
	add(p, 30000, "1 - 1 0 0 0 0 1 3 6 2500 550 ppdb001 degrading");
	add(p, 0, "1 0.07 1 0 0 0 0 1 3 6 2500 550 ppdb001 degrading");
}

static void without_points_the_page_says_when_one_comes(void **state)
{
	struct page_fixture p;
	const char *page;

	(void)state;
	begin(&p, HISTORY_30M);
	page = render(&p.f, "history", "metric=prob_30m");
	assert_has(page, NOTHING);
	assert_has_not(page, "<svg class=\"lines\"");
	assert_has_not(page, "id=\"statistics\"");
	end(&p);
}

static void without_redis_the_page_says_that_nothing_is_lost(void **state)
{
	struct page_fixture p;
	const char *page;

	(void)state;
	begin(&p, HISTORY_30M);
	p.f.view.history = NULL;
	page = render(&p.f, "history", "metric=prob_30m");
	assert_has(
		page,
		"History is kept in the shared cache, which cannot be reached. Nothing is lost.");
	assert_has_not(page, "No history yet");
	assert_has(render(&p.f, "api-history", ""), "\"points\":null,\"stats\":null");
	assert_string_equal(render(&p.f, "history-csv", ""), "\xef\xbb\xbf"
							     "timestamp,value\r\n");
	end(&p);
}

static void points_without_the_metric_are_not_no_history(void **state)
{
	struct page_fixture p;
	const char *page;

	(void)state;
	begin(&p, HISTORY_30M);
	add(&p, 0, "1 - 0.5 0 0 0 0 0 0 1 0 0 a -");
	page = render(&p.f, "history", "metric=prob_30m");
	assert_has(page, "No value of this metric in this range.");
	assert_has_not(page, "No history yet");
	assert_has(render(&p.f, "history", "metric=prob_8h"), "<svg class=\"lines\"");
	end(&p);
}

static void one_point_is_a_dot_at_the_right_edge(void **state)
{
	struct page_fixture p;
	const char *page;

	(void)state;
	begin(&p, HISTORY_30M);
	add(&p, 0, "1 0.75 0.5 0 0 0 0 0 0 1 0 0 a -");
	page = render(&p.f, "history", "metric=prob_30m");
	assert_has(page, "<path class=\"dot value\" d=\"M1000 250h0\">");
	assert_has(page, "Points <b>1</b>");
	assert_has(page, "Gaps <b>0</b>");
	end(&p);
}

static void figures_have_one_decimal(void **state)
{
	struct page_fixture p;
	const char *page;

	(void)state;
	begin(&p, HISTORY_30M);
	add_some(&p);
	page = render(&p.f, "history", "metric=prob_30m");
	assert_has(page, "Current <b>7.0%</b>");
	assert_has(page, "Average <b>48.9%</b>"); /* (50 + 89.75 + 7) / 3 */
	assert_has(page, "Minimum <b>7.0%</b>");
	assert_has(page, "Maximum <b>89.8%</b> at <time datetime=\"2025-11-23T12:00:00Z\">12:00:00 "
			 "UTC</time>");
	assert_has(page, "Points <b>3</b>");
	assert_has(page, "Gaps <b>2</b>");
	end(&p);
}

static void gaps_are_not_joined_by_a_line(void **state)
{
	struct page_fixture p;
	const char *page;

	(void)state;
	begin(&p, HISTORY_30M);
	add_some(&p);
	/* Each value stands alone: the path has three starts and no line. */
	page = render(&p.f, "history", "metric=prob_30m");
	assert_has(page, "<path class=\"value\" d=\"M900 500M966 102M1000 930\">");
	/* With a value in place of the absent one, the last three form a line. */
	page = render(&p.f, "history", "metric=prob_8h");
	assert_has(page, "<path class=\"value\" d=\"M900 750M966 0L983 0L1000 0\">");
	end(&p);
}

/* For a week, a column has forty points: the line passes the highest and lowest of them and ends at
 * the last. */
static void the_description_tells_where_the_lines_end(void **state)
{
	struct page_fixture p;
	const char *page;

	(void)state;
	begin(&p, HISTORY_7D);
	add(&p, 30000, "1 0.84 0 1 0 0 0 0 0 9 3100 840 ppdb001 healthy");
	add(&p, 0, "1 0 0 0 0 0 0 0 0 10 0 0 ppdb001 healthy");
	page = render(&p.f, "history", "metric=prob_30m");
	assert_has(page, "; last value 0.0%, maximum 84.0% at 12:00:30 UTC</desc>");
	assert_has(page, "<path class=\"value\" d=\"M1000 580L1000 1000\">");
	page = render(&p.f, "history", "metric=risk");
	assert_has(page, "; mean of the fleet: last value 0.0, maximum 31.0 at 12:00:30 UTC; "
			 "highest server: last value 0.0, maximum 84.0 at 12:00:30 UTC</desc>");
	assert_has(page, "<path class=\"peak\" d=\"M1000 160L1000 1000\">");
	page = render(&p.f, "history", "metric=levels");
	assert_has(page, "; at last 0 Imminent Failure, 0 Critical, 0 Danger, 0 Warning, "
			 "0 Degrading, 0 Watch, 10 Healthy, most with risk 50 or more 1.0 at "
			 "12:00:30 UTC</desc>");
	end(&p);
}

/* The sanitizer sees a label that points where the names no longer are. */
static void marks_may_have_long_names(void **state)
{
	struct page_fixture p;
	char record[400], name[251];

	(void)state;
	begin(&p, HISTORY_30M);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 8; i >= 0; i--) {
		name[0] = (char)('a' + i);
		(void)snprintf(record, sizeof(record),
			       "1 0.5 0.25 0 0 0 1 1 2 6 3100 650 ppdb001 %s", name);
		add(&p, i * INT64_C(30000), record);
	}
	assert_int_equal(count_of(render(&p.f, "history", "metric=risk"), name), 1);
	name[0] = 'h';
	assert_int_equal(count_of(p.f.out.data, name), 1);
	end(&p);
}

static void a_change_of_scenario_is_a_labelled_mark(void **state)
{
	struct page_fixture p;
	const char *page;

	(void)state;
	begin(&p, HISTORY_30M);
	add_some(&p);
	page = render(&p.f, "history", "metric=prob_30m");
	assert_int_equal(count_of(page, "<line "), 1);
	assert_has(page, "<line x1=\"96.6%\" x2=\"96.6%\" y2=\"90%\"/><text x=\"96.6%\" y=\"6%\" "
			 "class=\"end\">degrading</text>");
	end(&p);
	begin(&p, HISTORY_30M);
	add(&p, 240000, "1 0.5 0.25 0 0 0 1 1 2 6 3100 650 ppdb001 critical");
	add_some(&p);
	page = render(&p.f, "history", "metric=prob_30m");
	assert_has(page, ">degrading</text>");
	assert_has(page, ">healthy</text>");
	end(&p);
	/* That it is not known is no change. */
	begin(&p, HISTORY_30M);
	add(&p, 90000, "1 0.5 0.25 0 0 0 1 1 2 6 3100 650 ppdb001 ");
	add(&p, 60000, "1 0.5 0.25 0 0 0 1 1 2 6 3100 650 ppdb001 critical");
	add(&p, 30000, "1 0.5 0.25 0 0 0 1 1 2 6 3100 650 ppdb001 ");
	assert_int_equal(count_of(render(&p.f, "history", "metric=prob_30m"), "<line "), 0);
	end(&p);
}

/* A time within less than a day needs no date. */
static void times_of_a_day_have_their_date(void **state)
{
	struct page_fixture p;

	(void)state;
	begin(&p, HISTORY_8H);
	add_some(&p);
	assert_has(render(&p.f, "history", "metric=prob_30m"), "\">12:00:00 UTC</time>");
	end(&p);
	begin(&p, HISTORY_1D);
	add_some(&p);
	assert_has(render(&p.f, "history", "metric=prob_30m"), "\">2025-11-23 12:00:00 UTC</time>");
	end(&p);
}

/* The dashboard never writes such a record, but another program with access to Redis may. */
static void names_that_are_far_too_long_are_left_out(void **state)
{
	struct page_fixture p;
	struct buf record;
	const char *page;

	(void)state;
	begin(&p, HISTORY_30M);
	buf_init(&record, 20000);
	add(&p, 30000, "1 0.5 0.25 0 0 0 1 1 2 6 3100 650 ppdb001 healthy");
	buf_lit(&record, "1 0.5 0.25 0 0 0 1 1 2 6 3100 650 ");
	for (int i = 0; i < 9000; i++)
		buf_char(&record, i == 4500 ? ' ' : 'x');
	buf_char(&record, '\0');
	add(&p, 0, record.data);
	page = render(&p.f, "history", "metric=risk");
	assert_has(page, "Points <b>2</b>");
	assert_has_not(page, "xxxx");
	assert_int_equal(count_of(page, "<line "), 0);
	buf_free(&record);
	end(&p);
}

static void the_mean_of_the_fleet_never_hides_the_highest_server(void **state)
{
	struct page_fixture p;
	const char *page;

	(void)state;
	begin(&p, HISTORY_30M);
	add_some(&p);
	page = render(&p.f, "history", "metric=risk");
	assert_has(page, "Mean of the fleet:");
	assert_has(page, "Current <b>25.0</b>");
	assert_has(page, "Highest server <b>85.0</b> &lt;ppml&amp;&gt; at ");
	assert_has(page, "<path class=\"peak\" d=\"M900 350M966 150L983 450L1000 450\">");
	assert_has(page, "<path class=\"value\" d=\"M900 690M966 650L983 750L1000 750\">");
	assert_has(page, "<td>85.0 &lt;ppml&amp;&gt;</td>");
	assert_has_not(page, "<ppml");
	end(&p);
}

static void levels_are_stacked_with_the_worst_at_the_bottom(void **state)
{
	struct page_fixture p;
	const char *page, *healthy, *degrading, *critical;

	(void)state;
	begin(&p, HISTORY_30M);
	add_some(&p);
	page = render(&p.f, "history", "metric=levels");
	healthy = strstr(page, "<path class=\"sev-healthy\"");
	degrading = strstr(page, "<path class=\"sev-degrading\"");
	critical = strstr(page, "<path class=\"sev-critical\"");
	assert_true(healthy && degrading && critical && healthy < degrading &&
		    degrading < critical);
	/* A level that no server ever had is not drawn. */
	assert_has_not(page, "<path class=\"sev-imminent\"");
	/* 10 servers on a scale of 12; the whole fleet is the top of "healthy". */
	assert_has(page, "<path class=\"sev-healthy\" d=\"M898 1000V167H900V1000ZM964 "
			 "1000V167H1000V1000Z\">");
	assert_has(page, "<text y=\"0%\" dy=\"12\">12</text>");
	assert_has(page, "Servers with risk 50 or more:");
	assert_has(page, "Watch <b>3</b>");
	end(&p);
}

static void the_scale_of_levels_ends_at_a_round_number(void **state)
{
	static const struct {
		int servers, top;
	} rows[] = {{0, 4},   {1, 4},   {4, 4},     {5, 8},     {40, 40},     {41, 60},
		    {60, 60}, {61, 80}, {400, 400}, {401, 600}, {1000, 1000}, {1001, 1200}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct page_fixture p;
		char record[100], wanted[64];

		begin(&p, HISTORY_30M);
		(void)snprintf(record, sizeof(record),
			       "1 0.5 0.25 0 0 0 0 0 0 %d 0 0 ppdb001 healthy", rows[i].servers);
		add(&p, 0, record);
		(void)snprintf(wanted, sizeof(wanted), "<text y=\"0%%\" dy=\"12\">%d</text>",
			       rows[i].top);
		assert_has(render(&p.f, "history", "metric=levels"), wanted);
		end(&p);
	}
}

/* 7 days: 20,160 points are drawn as 500, and no extreme is lost. */
static void a_week_is_drawn_small_with_its_extremes(void **state)
{
	struct page_fixture p;
	const char *page;

	(void)state;
	begin(&p, HISTORY_7D);
	for (int64_t i = 20159; i >= 0; i--)
		add(&p, i * 30000,
		    i == 7000 ? "1 0.999 - 0 0 0 0 0 0 1 0 0 a -"
			      : "1 0.5 - 0 0 0 0 0 0 1 0 0 a -");
	page = render(&p.f, "history", "metric=prob_30m&range=7d");
	assert_has(page, "Maximum <b>99.9%</b> at <time "
			 "datetime=\"2025-11-21T01:41:00Z\">2025-11-21 01:41:00 UTC</time>");
	assert_has(page, "<path class=\"envelope value\"");
	assert_has(page, " 1L"); /* the peak of the envelope: 99.9 % is at 1 of 1000 */
	assert_has(page, "Points <b>20160</b>");
	assert_int_equal(count_of(page, "<tr>"), 61);
	assert_true(strlen(page) < 40 * 1024);
	end(&p);
}

static void links_are_canonical_and_mark_what_is_shown(void **state)
{
	struct page_fixture p;
	const char *page;

	(void)state;
	begin(&p, HISTORY_8H);
	page = render(&p.f, "history", "range=8h&metric=risk");
	assert_has(page,
		   "<a href=\"history?metric=prob_30m&amp;range=8h\">Incident index 30 min</a>");
	assert_has(
		page,
		"<a href=\"history?metric=risk&amp;range=8h\" aria-current=\"true\">8 hours</a>");
	assert_has(page, "<a href=\"history?metric=risk\">30 minutes</a>");
	assert_has(page, "<a href=\"history?metric=risk&amp;range=8h&amp;format=csv\">CSV</a>");
	assert_has(page, "<a href=\"history?metric=risk&amp;range=8h&amp;format=json\">JSON</a>");
	end(&p);
}

/* The charts are stacked, share their times, and have their own scales. */
static void without_a_metric_all_curves_are_small_multiples(void **state)
{
	static const char *const titles[] = {"Incident index 30 min", "Incident index 8 h",
					     "Fleet health", "Servers by level",
					     "Risk of the worst server"};
	struct page_fixture p;
	const char *page;

	(void)state;
	begin(&p, HISTORY_30M);
	add_some(&p);
	page = render(&p.f, "history", "");
	assert_int_equal(count_of(page, "<figure class=\"curve\">"), 5);
	assert_int_equal(count_of(page, "<svg class=\"lines\""), 5);
	for (size_t i = 0; i < 5; i++)
		assert_has(page, titles[i]);
	assert_has(page, "<a href=\"history?metric=levels\">Servers by level</a>");
	/* 80 to 90 % on a scale from 80 to 90; two decimals where they are needed. */
	assert_has(page, ">80%</text>");
	assert_has(page, "<a href=\"history?scale=full\">0 to 100</a>");
	/* At 12:00:00 one of ten is at Critical and two are at Warning or worse: no incident; */
	assert_has(page, "Warning or worse (0 times)");
	assert_has(page, "<tr><th scope=\"row\">Servers with risk 50 or more</th><td>1.0</td>");
	page = render(&p.f, "history", "scale=full");
	assert_int_equal(count_of(page, ">100%</text>"), 3);
	assert_has(page, "<path class=\"sev-healthy\"");
	end(&p);
}

/* Points of one line are joined; a gap begins another one; a point between two gaps is a dot. */
static void a_line_has_its_envelope_and_its_gaps(void **state)
{
	static const struct chart_frame frame = {.from_ms = 0, .to_ms = 1000, .base = 0, .top = 10};
	const struct chart_point points[] = {
		{100, 1, 2, 3, false}, {200, 2, 3, 4, true}, {400, 5, 5, 5, false},
		{600, 1, 1, 1, false}, {700, 2, 2, 9, true},
	};
	const struct chart_series series = {"value", "Name", points,
					    sizeof(points) / sizeof(points[0])};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	chart_line(&frame, &series, &out);
	buf_char(&out, '\0');
	assert_string_equal(
		out.data,
		"<path class=\"envelope value\" d=\"M100 700L200 600L200 800L100 900Z"
		"M400 500L400 500ZM600 900L700 100L700 800L600 900Z\"><title>Name</title></path>"
		"<path class=\"value\" d=\"M100 800L200 700M400 500M600 900L700 800\">"
		"<title>Name</title></path>"
		"<path class=\"dot value\" d=\"M400 500h0\"><title>Name</title></path>");
	buf_free(&out);
}

/* At most seven of them, at round times. */
static void times_below_a_chart_are_round(void **state)
{
	static const struct {
		enum history_range range;
		const char *name, *first, *second;
		size_t count;
	} rows[] = {
		{HISTORY_30M, "30m", ">11:35<", ">11:40<", 6},
		{HISTORY_1H, "1h", ">11:10<", ">11:20<", 6},
		{HISTORY_8H, "8h", ">06:00<", ">08:00<", 4},
		{HISTORY_1D, "1d", ">16:00<", ">20:00<", 6},
		{HISTORY_7D, "7d", ">17 Nov<", ">18 Nov<", 7},
		{HISTORY_30D, "30d", ">29 Oct<", "> 3 Nov<", 6},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct page_fixture p;
		const char *page;
		char query[32];

		begin(&p, rows[i].range);
		add_some(&p);
		(void)snprintf(query, sizeof(query), "metric=risk&range=%s", rows[i].name);
		page = render(&p.f, "history", query);
		assert_int_equal(count_of(page, "y=\"99%\""), rows[i].count);
		assert_has(page, rows[i].first);
		assert_has(page, rows[i].second);
		end(&p);
	}
}

/* The smallest of the round scales that holds all values; none ends above 100. */
static void a_scale_fits_its_values(void **state)
{
	static const struct {
		double low, high;
		const char *base, *top;
	} rows[] = {
		{0.99, 0.9975, ">99%<", ">100%<"}, {0.986, 0.997, ">98%<", ">100%<"},
		{0.5, 0.51, ">50%<", ">51%<"},     {0.5, 0.515, ">50%<", ">52%<"},
		{0.51, 0.55, ">51%<", ">55%<"},    {0.01, 1, ">25%<", ">100%<"},
		{0.8, 0.9, ">80%<", ">90%<"},      {0.79, 0.91, ">75%<", ">95%<"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct page_fixture p;
		char record[100];
		const char *page;

		begin(&p, HISTORY_30M);
		(void)snprintf(record, sizeof(record), "1 %g - 0 0 0 0 0 0 6 0 0 ppdb001 healthy",
			       rows[i].low);
		add(&p, 30000, record);
		(void)snprintf(record, sizeof(record), "1 %g - 0 0 0 0 0 0 6 0 0 ppdb001 healthy",
			       rows[i].high);
		add(&p, 0, record);
		page = strstr(render(&p.f, "history", ""), "<figure class=\"curve\">");
		assert_non_null(page);
		*strstr(p.f.out.data, "</figure>") = '\0';
		assert_has(page, rows[i].base);
		assert_has(page, rows[i].top);
		end(&p);
	}
}

static void incidents_are_bands_on_every_curve(void **state)
{
	struct page_fixture p;
	const char *page;

	(void)state;
	begin(&p, HISTORY_30M);
	add(&p, 900000, "1 0.5 0.25 0 4 0 0 0 0 6 3100 850 a healthy");
	/* Two buckets between them: the same incident; three: another one. */
	add(&p, 810000, "1 0.5 0.25 0 4 0 0 0 0 6 3100 850 a healthy");
	add(&p, 690000, "1 0.5 0.25 0 4 0 0 0 0 6 3100 850 a healthy");
	add(&p, 600000, "1 0.5 0.25 0 0 0 0 0 0 10 3100 50 a healthy");
	add(&p, 0, "1 0.5 0.25 0 2 0 0 0 0 8 3100 850 a healthy"); /* Warning, not Critical */
	page = render(&p.f, "history", "");
	assert_has(page, "Warning or worse (3 times)");
	assert_int_equal(count_of(page, "<path class=\"incident\""), 5);
	assert_has(page, "d=\"M983 0H1000V1000H983ZM600 0H616V1000H600ZM483 0H550V1000H483Z\">");
	end(&p);
}

static void values_of_the_heatmap_are_refused(void **state)
{
	const struct page *history = page_find_name("history"),
			  *heatmap = page_find_name("heatmap");
	enum query_key bad;
	struct query q;

	(void)state;
	query_init(&q);
	assert_int_equal(query_parse(&q, span_str("metric=cpu"), history->params, &bad), -1);
	assert_string_equal(query_key_values(bad), "prob_30m, prob_8h, fleet_health, risk, levels");
	assert_int_equal(query_parse(&q, span_str("metric=levels"), heatmap->params, &bad), -1);
	assert_string_equal(query_key_values(bad), "risk, cpu, memory, load");
	assert_int_equal(query_parse(&q, span_str("range=2h"), history->params, &bad), -1);
	assert_string_equal(query_key_name(bad), "range");
}

static void json_has_every_point_and_null_for_absent(void **state)
{
	struct page_fixture p;

	(void)state;
	begin(&p, HISTORY_30M);
	add_some(&p);
	assert_has(
		render(&p.f, "api-history", ""),
		"\"metric\":\"prob_30m\",\"range\":\"30m\",\"points\":[[1763899080,50],[1763899200,"
		"89.75],"
		"[1763899230,null],[1763899260,7]],\"stats\":{\"current\":7,\"average\":48.9166");
	assert_has(render(&p.f, "api-history", "metric=fleet_health"),
		   "[1763899080,80],[1763899200,80],[1763899230,90]");
	assert_has(render(&p.f, "api-history", "metric=risk"),
		   "[1763899200,35,85,\"\\u003cppml\\u0026\\u003e\"]");
	assert_has(render(&p.f, "api-history", "metric=levels"), "[1763899200,2,0,1,0,0,1,2,6]");
	end(&p);
}

static void csv_is_unrounded_in_utc(void **state)
{
	struct page_fixture p;

	(void)state;
	begin(&p, HISTORY_30M);
	add_some(&p);
	assert_string_equal(render(&p.f, "history-csv", ""), "\xef\xbb\xbf"
							     "timestamp,value\r\n"
							     "2025-11-23T11:58:00Z,50\r\n"
							     "2025-11-23T12:00:00Z,89.75\r\n"
							     "2025-11-23T12:00:30Z,\r\n"
							     "2025-11-23T12:01:00Z,7\r\n");
	assert_has(render(&p.f, "history-csv", "metric=levels"),
		   "\r\n2025-11-23T12:00:00Z,2,0,1,0,0,1,2,6\r\n");
	assert_has(render(&p.f, "history-csv", "metric=risk"),
		   "\r\n2025-11-23T11:58:00Z,31,65,ppdb001\r\n");
	end(&p);
}

static void the_server_page_shows_the_risk_of_a_day(void **state)
{
	struct page_fixture p;
	struct buf out;

	(void)state;
	begin(&p, HISTORY_1D);
	buf_init(&out, 1u << 20);
	for (int i = 39; i >= 0; i--)
		history_add_server(&p.h, END - i * INT64_C(30000), span_str("00m8"),
				   1); /* 22 * 36 + 8: risk 80.0 */
	page_risk_history(&p.f.view, &out);
	buf_char(&out, '\0');
	assert_has(out.data, "maximum 80.0");
	assert_has(out.data, "L1000 200\"><title>Risk</title></path></svg>");
	buf_reset(&out);
	p.f.view.history = NULL;
	page_risk_history(&p.f.view, &out);
	assert_int_equal(out.len, 0);
	buf_free(&out);
	end(&p);
}

/* ---- whole texts ---- */

static void assert_whole(struct page_fixture *p, const char *page, const char *query,
			 const char *file)
{
	const char *text = render(&p->f, page, query), *from = strstr(text, "<main"), *to;

	if (!from) {
		assert_expected(file, span_str(text));
		return;
	}
	from = strchr(from, '>') + 1;
	to = strstr(from, "</main>");
	assert_non_null(to);
	assert_expected(file, (struct span){from, (size_t)(to - from)});
}

static void whole_texts_are_as_expected(void **state)
{
	struct page_fixture p;

	(void)state;
	begin(&p, HISTORY_30M);
	add_some(&p);
	assert_whole(&p, "history", "", "history.html");
	assert_whole(&p, "history", "metric=risk", "history-risk.html");
	assert_whole(&p, "history", "metric=levels", "history-levels.html");
	assert_whole(&p, "api-history", "metric=levels", "api-history.json");
	assert_whole(&p, "history-csv", "metric=levels", "history.csv");
	end(&p);
}

/* A label closer to the edge would be moved onto the next one. */
static void a_time_is_told_where_its_label_fits(void **state)
{
	static const struct {
		int64_t from_ms;
		bool told;
	} rows[] = {{-39, false}, {-40, true}, {-41, true}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct chart_frame frame = {.title = "t",
					    .desc = span_str("d"),
					    .unit = "%",
					    .from_ms = rows[i].from_ms * 600,
					    .to_ms = (rows[i].from_ms + 1000) * 600,
					    .top = 100};
		struct buf out;

		buf_init(&out, 1 << 16);
		chart_begin(&frame, &out);
		chart_end(&frame, NULL, 0, &out);
		buf_char(&out, '\0');
		assert_int_equal(strstr(out.data, ">00:00<") != NULL, rows[i].told);
		buf_free(&out);
	}
}

/* Every value has its step; equal ones share one. */
static void an_area_has_a_step_for_each_value(void **state)
{
	static const struct chart_frame frame = {.from_ms = 0, .to_ms = 1000, .base = 0, .top = 10};
	const struct chart_point points[] = {
		{100, 1, 1, 1, false}, {200, 2, 2, 2, true}, {300, 3, 3, 3, true},
		{400, 3, 3, 3, true},  {500, 1, 1, 1, true},
	};
	const struct chart_series series = {"value", "Name", points,
					    sizeof(points) / sizeof(points[0])};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	chart_area(&frame, &series, &out);
	buf_char(&out, '\0');
	assert_has(out.data, "d=\"M98 1000V900H100V800H200V700H400V900H500V1000Z\"");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_points_the_page_says_when_one_comes),
		cmocka_unit_test(without_redis_the_page_says_that_nothing_is_lost),
		cmocka_unit_test(points_without_the_metric_are_not_no_history),
		cmocka_unit_test(one_point_is_a_dot_at_the_right_edge),
		cmocka_unit_test(figures_have_one_decimal),
		cmocka_unit_test(gaps_are_not_joined_by_a_line),
		cmocka_unit_test(the_description_tells_where_the_lines_end),
		cmocka_unit_test(marks_may_have_long_names),
		cmocka_unit_test(a_change_of_scenario_is_a_labelled_mark),
		cmocka_unit_test(times_of_a_day_have_their_date),
		cmocka_unit_test(names_that_are_far_too_long_are_left_out),
		cmocka_unit_test(the_mean_of_the_fleet_never_hides_the_highest_server),
		cmocka_unit_test(levels_are_stacked_with_the_worst_at_the_bottom),
		cmocka_unit_test(the_scale_of_levels_ends_at_a_round_number),
		cmocka_unit_test(a_week_is_drawn_small_with_its_extremes),
		cmocka_unit_test(links_are_canonical_and_mark_what_is_shown),
		cmocka_unit_test(without_a_metric_all_curves_are_small_multiples),
		cmocka_unit_test(a_line_has_its_envelope_and_its_gaps),
		cmocka_unit_test(times_below_a_chart_are_round),
		cmocka_unit_test(a_scale_fits_its_values),
		cmocka_unit_test(incidents_are_bands_on_every_curve),
		cmocka_unit_test(values_of_the_heatmap_are_refused),
		cmocka_unit_test(json_has_every_point_and_null_for_absent),
		cmocka_unit_test(csv_is_unrounded_in_utc),
		cmocka_unit_test(the_server_page_shows_the_risk_of_a_day),
		cmocka_unit_test(whole_texts_are_as_expected),
		cmocka_unit_test(a_time_is_told_where_its_label_fits),
		cmocka_unit_test(an_area_has_a_step_for_each_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
