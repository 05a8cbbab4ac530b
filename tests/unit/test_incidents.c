/* SPDX-License-Identifier: MIT */
/* Incidents from bucket to bucket: beginning, peak, gaps, end; their record; their page, JSON and
 * CSV. */
#include "config.h"

#include <time.h>

#include "fleet/incidents.h"
#include "view_fixture.h"

#define SECOND   INT64_C(1000)
#define INTERVAL (30 * SECOND)

/* The episodes of a fleet whose risks the test sets bucket by bucket. */
struct run {
	struct buf open, ended; /* all that have ended, one after the other */
	int64_t bucket;
	struct snapshot *snap; /* the next one */
};

static void begin(struct run *r)
{
	*r = (struct run){.bucket = 100};
	buf_init(&r->open, 64u << 20);
	buf_init(&r->ended, 64u << 20);
}

static void end(struct run *r)
{
	buf_free(&r->open);
	buf_free(&r->ended);
}

/* Adds a server to the next bucket. */
static void has(struct run *r, const char *name, int risk)
{
	struct server *s;

	if (!r->snap)
		r->snap = snapshot_new();
	s = snapshot_add(r->snap, span_str(name));
	s->profile = profile_of(span_str(name));
	s->risk = risk;
	s->points[COMPONENT_CPU_NOW] = 40;
	s->points[COMPONENT_MEMORY_PREDICTED] = 90;
}

/* Adds this many healthy servers, so that the environment is well. */
static void has_healthy(struct run *r, int count)
{
	char name[32];

	for (int i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "well%03d", i);
		has(r, name, 100);
	}
}

static void step(struct run *r)
{
	struct buf next, ended;

	if (!r->snap)
		r->snap = snapshot_new();
	r->snap->bucket = r->bucket++;
	r->snap->interval_ms = INTERVAL;
	assert_int_equal(snapshot_seal(r->snap), 0);
	buf_init(&next, r->open.max);
	buf_init(&ended, r->open.max);
	incidents_step(buf_span(&r->open), r->snap, &next, &ended);
	assert_true(buf_ok(&next) && buf_ok(&ended));
	buf_free(&r->open);
	r->open = next;
	if (r->ended.len && ended.len)
		buf_char(&r->ended, '\n');
	buf_span_add(&r->ended, buf_span(&ended));
	buf_free(&ended);
	snapshot_free(&r->snap);
}

/* A bucket in which one of many servers has this risk. */
static void one(struct run *r, int risk)
{
	has(r, "ppdb1", risk);
	has_healthy(r, 30);
	step(r);
}

static void assert_open(const struct run *r, const char *record)
{
	char text[4096];

	(void)snprintf(text, sizeof(text), "%.*s", (int)r->open.len,
		       r->open.data ? r->open.data : "");
	assert_string_equal(text, record);
}

static void assert_ended(const struct run *r, const char *record)
{
	char text[4096];

	(void)snprintf(text, sizeof(text), "%.*s", (int)r->ended.len,
		       r->ended.data ? r->ended.data : "");
	assert_string_equal(text, record);
}

static void begins_at_danger_and_has_its_peak(void **state)
{
	struct run r;

	(void)state;
	begin(&r);
	one(&r, 699);
	assert_open(&r, "");
	one(&r, 700);
	assert_open(&r, "1 s 3030000 0 0 0 1 700 0 0 ppdb1");
	one(&r, 950);
	one(&r, 950);
	one(&r, 720);
	assert_open(&r, "1 s 3030000 90000 30000 0 1 950 0 0 ppdb1");
	assert_ended(&r, "");
	end(&r);
}

/* 40 points now outweigh 90 predicted ones, which count 3 tenths: 280 against 270. */
static void its_reason_is_the_rule_that_adds_most(void **state)
{
	struct run r;

	(void)state;
	begin(&r);
	has(&r, "a", 800);
	r.snap->servers[0].points[COMPONENT_MEMORY_PREDICTED] = 94;
	has_healthy(&r, 30);
	step(&r);
	assert_open(&r, "1 s 3000000 0 0 0 6 800 5 0 a");
	end(&r);
}

/* The server is below the bound, or missing, for `low` buckets. */
static void gap(int low, bool missing, const char *open, const char *ended)
{
	struct run r;

	begin(&r);
	one(&r, 800);
	for (int i = 0; i < low; i++) {
		if (missing)
			r.bucket++;
		else
			one(&r, 500);
	}
	one(&r, 750);
	assert_open(&r, open);
	assert_ended(&r, ended);
	end(&r);
}

static void gaps_of_two_buckets_join(void **state)
{
	static const char *const ended = "1 s 3000000 0 0 30000 1 800 0 0 ppdb1";

	(void)state;
	for (int missing = 0; missing < 2; missing++) {
		gap(1, missing, "1 s 3000000 60000 0 0 1 800 0 0 ppdb1", "");
		gap(2, missing, "1 s 3000000 90000 0 0 1 800 0 0 ppdb1", "");
		gap(3, missing, "1 s 3120000 0 0 0 1 750 0 0 ppdb1", ended);
		gap(4, missing, "1 s 3150000 0 0 0 1 750 0 0 ppdb1", ended);
	}
}

/* An incident ends with its last bucket, which is known two buckets later. */
static void ends_once(void **state)
{
	struct run r;

	(void)state;
	begin(&r);
	one(&r, 800);
	one(&r, 800);
	one(&r, 100);
	one(&r, 100);
	assert_open(&r, "1 s 3000000 30000 0 0 1 800 0 0 ppdb1");
	assert_ended(&r, "");
	one(&r, 100);
	assert_open(&r, "");
	assert_ended(&r, "1 s 3000000 30000 0 60000 1 800 0 0 ppdb1");
	one(&r, 100);
	assert_ended(&r, "1 s 3000000 30000 0 60000 1 800 0 0 ppdb1");
	end(&r);
}

static void a_server_that_vanishes_is_below(void **state)
{
	struct run r;

	(void)state;
	begin(&r);
	one(&r, 800);
	for (int i = 0; i < 3; i++) {
		has_healthy(&r, 30);
		step(&r);
	}
	assert_open(&r, "");
	assert_ended(&r, "1 s 3000000 0 0 30000 1 800 0 0 ppdb1");
	end(&r);
}

/* Two of four servers are Critical, so the environment has an incident as well. Its peak is the
 * bucket with most of them, then the one with the highest risk. */
static void the_environment_has_its_own(void **state)
{
	struct run r;

	(void)state;
	begin(&r);
	has(&r, "ppml1", 650);
	has_healthy(&r, 2);
	step(&r);
	assert_open(&r, "1 e 3000000 0 0 0 3 650 0 0 ppml1");
	has(&r, "ppml1", 650);
	has(&r, "a b", 850);
	has_healthy(&r, 2);
	step(&r);
	assert_open(&r, "1 e 3000000 30000 30000 0 3 850 0 1 a%20b\n"
			"1 s 3030000 0 0 0 6 850 0 0 a%20b");
	has(&r, "ppml1", 810);
	has(&r, "a b", 820);
	has_healthy(&r, 2);
	step(&r);
	assert_open(&r, "1 e 3000000 60000 60000 0 4 820 0 2 a%20b\n"
			"1 s 3030000 30000 0 0 6 850 0 0 a%20b\n"
			"1 s 3060000 0 0 0 0 810 0 0 ppml1");
	for (int i = 0; i < 3; i++) {
		has_healthy(&r, 4);
		step(&r);
	}
	assert_open(&r, "");
	assert_ended(&r, "1 e 3000000 60000 60000 90000 4 820 0 2 a%20b\n"
			 "1 s 3030000 30000 0 60000 6 850 0 0 a%20b\n"
			 "1 s 3060000 0 0 30000 0 810 0 0 ppml1");
	end(&r);
}

/* A line that cannot be read is forgotten; no incident is open twice, or since a future time. */
static void a_damaged_record_forgets_only(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"2 s 2970000 0 0 0 1 700 0 0 ppdb1",
		"1 x 2970000 0 0 0 1 700 0 0 ppdb1",
		"1 s - 0 0 0 1 700 0 0 ppdb1",
		"1 s 2970000 0 30000 0 1 700 0 0 ppdb1",
		"1 s 2970000 0 0 0 7 700 0 0 ppdb1",
		"1 s 2970000 0 0 0 1 1001 0 0 ppdb1",
		"1 s 2970000 0 0 0 1 700 9 0 ppdb1",
		"1 s 2970000 0 0 0 1 700 0 20001 ppdb1",
		"1 s 2970000 0 0 0 1 700 0 0 ",
		"1 s 2970000 0 0 0 1 700 0 0",
		"1 s 2970000 0 0 0 1 700 0 0 %ff",
		"1 e 2970000 0 0 0 2 700 0 0 ppdb1",
		"1 e 2970000 0 0 0 5 700 0 0 ppdb1",
		"1 s 2970000 0 0 30000 1 700 0 0 ppdb1",
		"1 s 3000000 0 0 0 1 700 0 0 ppdb1",
		"1 s 2970000 30000 0 0 1 700 0 0 ppdb1",
		"1 s 1000000000000001 0 0 0 1 700 0 0 ppdb1",
		"1 s 99999999999999999999999 0 0 0 1 700 0 0 ppdb1",
	};
	struct run r;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(&r);
		buf_span_add(&r.open, span_str(bad[i]));
		one(&r, 800);
		assert_open(&r, "1 s 3000000 0 0 0 1 800 0 0 ppdb1");
		assert_ended(&r, "");
		end(&r);
	}
	begin(&r);
	buf_lit(&r.open, "1 s 2970000 0 0 0 1 700 0 0 ppdb1\n1 s 2940000 30000 0 0 1 710 0 0 "
			 "ppdb1\n1 s 2970000 0 0 0 1 700 0 0 a");
	one(&r, 800);
	assert_open(&r, "1 s 2970000 0 0 0 1 700 0 0 a\n1 s 2940000 60000 60000 0 1 800 0 0 ppdb1");
	end(&r);
	begin(&r);
	buf_lit(&r.open,
		"1 s 2940000 30000 0 0 1 710 0 0 ppdb1\n1 s 2970000 0 0 0 1 700 0 0 ppdb1");
	one(&r, 800);
	assert_open(&r, "1 s 2940000 60000 60000 0 1 800 0 0 ppdb1");
	end(&r);
}

static void damaged_lines_are_counted(void **state)
{
	struct incidents incidents;
	struct run r;
	struct buf next, ended;

	(void)state;
	incidents_init(&incidents);
	assert_int_equal(incidents_add(&incidents, SPAN("x\n\n1 s 2970000 0 0 0 1 700 0 0 a")), 2);
	assert_int_equal(incidents_count(&incidents), 1);
	incidents_free(&incidents);

	begin(&r);
	buf_init(&next, 4096);
	buf_init(&ended, 4096);
	r.snap = snapshot_new();
	r.snap->interval_ms = INTERVAL;
	assert_int_equal(snapshot_seal(r.snap), 0);
	assert_int_equal(incidents_step(SPAN("nonsense"), r.snap, &next, &ended), 1);
	assert_int_equal(incidents_step(SPAN(""), r.snap, &next, &ended), 0);
	snapshot_free(&r.snap);
	buf_free(&next);
	buf_free(&ended);
	end(&r);
}

static void a_name_is_any_bytes(void **state)
{
	struct incidents incidents;
	struct run r;

	(void)state;
	begin(&r);
	has(&r, HOSTILE " \n%", 800);
	has_healthy(&r, 30);
	step(&r);
	incidents_init(&incidents);
	incidents_add(&incidents, buf_span(&r.open));
	assert_int_equal(incidents_count(&incidents), 1);
	assert_true(span_is(incident_name(&incidents, incidents_list(&incidents)), HOSTILE " \n%"));
	incidents_free(&incidents);
	end(&r);
}

/* All 5,000 begin, continue, and end in one bucket each. */
static void many_at_once(void **state)
{
	char name[32];
	struct incidents incidents;
	struct run r;

	(void)state;
	begin(&r);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 5000; i++) {
			(void)snprintf(name, sizeof(name), "server%05d", i * 7 % 5000);
			has(&r, name, round < 2 ? 800 + round : 0);
		}
		step(&r);
	}
	assert_open(&r, "");
	incidents_init(&incidents);
	incidents_add(&incidents, buf_span(&r.ended));
	assert_int_equal(incidents_count(&incidents), 5001);
	for (size_t i = 0; i < 5001; i++) {
		const struct incident *incident = &incidents_list(&incidents)[i];

		assert_int_equal(incident->environment, i == 0);
		assert_int_equal(incident->to_ms - incident->from_ms, 2 * INTERVAL);
		assert_int_equal(incident->risk, 801);
	}
	incidents_free(&incidents);
	end(&r);
}

/* --- page, JSON, CSV --- */

struct page_fixture {
	struct fixture f;
	struct incidents incidents;
};

static void begin_page(struct page_fixture *p, const char *record)
{
	fixture_fleet(&p->f);
	incidents_init(&p->incidents);
	incidents_add(&p->incidents, span_str(record));
	incidents_sort(&p->incidents);
	p->f.view.incidents = &p->incidents;
}

static void end_page(struct page_fixture *p)
{
	incidents_free(&p->incidents);
	fixture_free(&p->f);
}

/* Ended ones of two servers; the environment and a hostile name are open. */
static const char *const some =
	"1 s 1763884860000 60000 30000 90000 2 870 2 0 ppweb1\n"
	"1 s 1763884800000 60000 30000 90000 1 910 8 0 ppdb1\n"
	"1 e 1763899200000 60000 30000 0 4 930 4 3 ppml0001\n"
	"1 s 1763899140000 120000 0 0 6 705 0 0 %3Cscript%3E%22&'%3C%2Ftd%3E";

static void open_ones_come_first_then_the_newest(void **state)
{
	struct page_fixture p;
	const char *page, *at;

	(void)state;
	begin_page(&p, some);
	page = render(&p.f, "incidents", "");
	assert_has(page, "<li>Open <b>2</b></li><li>Ended <b>2</b></li>");
	at = strstr(page, "<th scope=\"row\">Environment</th><td data-l=\"Profile\">–</td>"
			  "<td data-l=\"From\"><a href=\"./?at=2025-11-23T12:00:00Z\">");
	assert_non_null(at);
	assert_has(at, "<b>open</b></td><td data-l=\"Duration\" class=\"num\">1 min</td>");
	assert_has(at,
		   "<a href=\"./?at=2025-11-23T12:00:30Z\">"
		   "<time datetime=\"2025-11-23T12:00:30Z\">2025-11-23 12:00:30 UTC</time></a>");
	assert_has(at, "Memory now, worst <a href=\"server/ppml0001\">ppml0001</a></td>"
		       "<td data-l=\"Critical or worse\" class=\"num\">3</td>");
	at = strstr(at, "&lt;script&gt;");
	assert_non_null(at);
	/* Its last bucket has a moment; the incident ended at the end of that bucket. */
	at = strstr(at, "server/ppweb1?at=2025-11-23T08:02:00Z\">"
			"<time datetime=\"2025-11-23T08:02:30Z\">");
	assert_non_null(at);
	assert_non_null(strstr(at, "server/ppdb1\""));
	assert_has_not(page, HOSTILE);
	end_page(&p);
}

static void filters_choose(void **state)
{
	struct page_fixture p;
	const char *page;

	(void)state;
	begin_page(&p, some);
	page = render(&p.f, "incidents", "profile=db");
	assert_int_equal(count_of(page, "<tr><th scope=\"row\">"), 1);
	assert_has(page, "<th scope=\"row\"><a href=\"server/ppdb1\">");
	page = render(&p.f, "incidents", "sev=critical");
	assert_int_equal(count_of(page, "<tr><th scope=\"row\">"), 2);
	page = render(&p.f, "incidents", "sev=critical-up");
	assert_int_equal(count_of(page, "<tr><th scope=\"row\">"), 3);
	page = render(&p.f, "incidents", "q=ppd");
	assert_int_equal(count_of(page, "<tr><th scope=\"row\">"), 1);
	page = render(&p.f, "incidents", "q=nothing&range=7d");
	assert_has(page, "No incidents match.");
	assert_has(page, "Incidents, last 7 days");
	end_page(&p);
}

/* What is absent comes last, what is equal stays in its order. The files have the same order as the page. */
static void columns_order_the_list(void **state)
{
#define ENVIRONMENT "\nenvironment,"
	static const struct {
		const char *query, *rows[4];
	} cases[] = {
		{"", {ENVIRONMENT, "script", "ppweb1", "ppdb1"}},
		{"sort=to", {"ppdb1", "ppweb1", ENVIRONMENT, "script"}},
		{"sort=-risk", {ENVIRONMENT, "ppdb1", "ppweb1", "script"}},
		{"sort=from", {"ppdb1", "ppweb1", "script", ENVIRONMENT}},
		{"sort=-at", {ENVIRONMENT, "script", "ppweb1", "ppdb1"}},
		{"sort=-duration", {"script", "ppweb1", "ppdb1", ENVIRONMENT}},
		{"sort=profile", {"ppdb1", "script", "ppweb1", ENVIRONMENT}},
		{"sort=-profile", {"ppweb1", "script", "ppdb1", ENVIRONMENT}},
		{"sort=servers", {ENVIRONMENT, "script", "ppweb1", "ppdb1"}},
	};
	struct page_fixture p;

	(void)state;
	begin_page(&p, some);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *at = render(&p.f, "incidents-csv", cases[i].query);

		for (int k = 0; k < 4; k++) {
			/* The worst server of the environment stands at the end of its row. */
			at = at ? strstr(at, cases[i].rows[k]) : NULL;
			if (!at)
				fail_msg("%s: %s is not row %d", cases[i].query, cases[i].rows[k],
					 k);
		}
	}
	/* Also two. */
	for (int up = 0; up < 2; up++) {
		const char *rows =
			render(&p.f, "incidents-csv", up ? "q=pp&sort=from" : "q=pp&sort=-from");

		assert_int_equal(count_of(rows, "\r\n"), 3);
		assert_int_equal(strstr(rows, "ppdb1") < strstr(rows, "ppweb1"), up);
	}
	assert_has(render(&p.f, "incidents", "sort=-risk&range=7d"),
		   "<th scope=\"col\" class=\"num\" aria-sort=\"descending\">"
		   "<a href=\"incidents?sort=risk&amp;range=7d#incidents\">Risk</a></th>");
	assert_has(p.f.out.data, "<li>Open <b>2</b></li><li>Ended <b>2</b></li>");
	assert_has(p.f.out.data,
		   "<a href=\"incidents?sort=reason&amp;range=7d#incidents\">Reason</a>");
	end_page(&p);
}

static void without_any_the_page_says_so(void **state)
{
	struct page_fixture p;

	(void)state;
	begin_page(&p, "");
	assert_has(render(&p.f, "incidents", "sort=from"), "No incidents in this time.");
	assert_has(render(&p.f, "incidents", ""), "No incidents in this time.");
	assert_has(render(&p.f, "api-incidents", ""), "\"range\":\"1d\",\"incidents\":[]");
	p.f.view.incidents = NULL;
	assert_has(render(&p.f, "incidents", ""), "Nothing is lost.");
	assert_has(render(&p.f, "api-incidents", ""), "\"incidents\":null");
	assert_int_equal(count_of(render(&p.f, "incidents-csv", ""), "\n"), 1);
	end_page(&p);
}

static void a_long_list_has_parts(void **state)
{
	struct page_fixture p;
	const char *page;

	(void)state;
	begin_page(&p, "");
	for (int i = 0; i < 201; i++)
		incidents_add(&p.incidents, SPAN("1 s 1763884800000 0 0 30000 1 900 0 0 ppdb1"));
	page = render(&p.f, "incidents", "page=3");
	assert_has(page, "Rows 201 to 201 of 201");
	assert_int_equal(count_of(page, "<tr><th scope=\"row\">"), 1);
	assert_int_equal(count_of(render(&p.f, "incidents-csv", ""), "\n"), 202);
	end_page(&p);
}

static void json_and_csv_say_the_same(void **state)
{
	struct page_fixture p;
	const char *text;

	(void)state;
	begin_page(&p, some);
	text = render(&p.f, "api-incidents", "");
	assert_has(text, "{\"kind\":\"environment\",\"server\":null,\"profile\":null,"
			 "\"from\":\"2025-11-23T12:00:00.000Z\",\"to\":null,\"duration_s\":60,"
			 "\"peak\":{\"at\":\"2025-11-23T12:00:30.000Z\",\"level\":\"Critical\","
			 "\"risk\":93.0,\"reason\":\"Memory now\",\"server\":\"ppml0001\","
			 "\"critical_or_worse\":3}}");
	assert_has(text,
		   "{\"kind\":\"server\",\"server\":\"ppdb1\",\"profile\":\"Database\","
		   "\"from\":\"2025-11-23T08:00:00.000Z\",\"to\":\"2025-11-23T08:01:30.000Z\","
		   "\"duration_s\":90,\"peak\":{\"at\":\"2025-11-23T08:00:30.000Z\","
		   "\"level\":\"Imminent Failure\",\"risk\":91.0,\"reason\":null,"
		   "\"server\":\"ppdb1\",\"critical_or_worse\":null}}");
	text = render(&p.f, "incidents-csv", "");
	assert_has(text, "environment,,,2025-11-23T12:00:00Z,,60,Critical,93.0,"
			 "2025-11-23T12:00:30Z,Memory now,ppml0001,3\r\n");
	assert_has(text, "server,ppdb1,Database,2025-11-23T08:00:00Z,2025-11-23T08:01:30Z,90,"
			 "Imminent Failure,91.0,2025-11-23T08:00:30Z,,ppdb1,\r\n");
	end_page(&p);
}

static void reads_lines(const char *record, size_t count)
{
	struct incidents incidents;

	incidents_init(&incidents);
	incidents_add(&incidents, span_str(record));
	if (incidents_count(&incidents) != count)
		fail_msg("%zu of %s", incidents_count(&incidents), record);
	incidents_free(&incidents);
}

static void a_line_that_cannot_be_is_skipped(void **state)
{
	static const char *const good[] = {
		"1 s 1000 60 30 90 1 800 0 0 a",   "1 s 1000 60 60 60 0 0 0 0 a",
		"1 s 0 0 0 0 1 1000 0 0 a",        "1 s 1000 60 30 90 1 800 0 0 %20",
		"1 e 1000 60 30 90 3 800 0 7 ppa", "1 e 1000 60 30 90 4 800 0 20000 ",
	};
	static const char *const bad[] = {
		"2 s 1000 60 30 90 1 800 0 0 a", "1 x 1000 60 30 90 1 800 0 0 a",
		"1 s x 60 30 90 1 800 0 0 a",    "1 s 1000 x 30 90 1 800 0 0 a",
		"1 s 1000 60 x 90 1 800 0 0 a",  "1 s 1000 60 61 90 1 800 0 0 a",
		"1 s 1000 60 30 x 1 800 0 0 a",  "1 s 1000 60 30 59 1 800 0 0 a",
		"1 s 1000 60 30 90 x 800 0 0 a", "1 s 1000 60 30 90 99 800 0 0 a",
		"1 s 1000 60 30 90 1 x 0 0 a",   "1 s 1000 60 30 90 1 1001 0 0 a",
		"1 s 1000 60 30 90 1 800 x 0 a", "1 s 1000 60 30 90 1 800 99 0 a",
		"1 s 1000 60 30 90 1 800 0 x a", "1 s 1000 60 30 90 1 800 0 20001 a",
		"1 s 1000 60 30 90 1 800 0 0 ",  "1 s 1000 60 30 90 1 800 0 0",
		"1 e 1000 60 30 90 2 800 0 7 a", "1 e 1000 60 30 90 5 800 0 7 a",
	};
	static const char start[] = "1 s 1000 60 30 90 1 800 0 0 ";
	char line[sizeof(start) + SNAPSHOT_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		reads_lines(good[i], 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		reads_lines(bad[i], 0);
	memset(line, 'a', sizeof(line));
	memcpy(line, start, sizeof(start) - 1);
	line[sizeof(line) - 1] = '\0';
	reads_lines(line, 0);
	line[sizeof(line) - 2] = '\0';
	reads_lines(line, 1);
	reads_lines("1 s 1000 60 30 90 1 800 0 0 a\nnonsense\n1 s 1000 60 30 90 1 800 0 0 b", 2);
}

/* As risk is added up in the order of the rules. */
static void of_two_equal_reasons_the_first_is_told(void **state)
{
	struct run r;

	(void)state;
	begin(&r);
	has(&r, "a", 800);
	memset(r.snap->servers[0].points, 0, sizeof(r.snap->servers[0].points));
	r.snap->servers[0].points[COMPONENT_CPU_NOW] = 40;
	r.snap->servers[0].points[COMPONENT_MEMORY_NOW] = 40;
	has_healthy(&r, 30);
	step(&r);
	assert_open(&r, "1 s 3000000 0 0 0 6 800 0 0 a");
	end(&r);
}

static void assert_servers_in_order(const char *record, const char *const names[3])
{
	struct page_fixture p;
	const char *at;

	begin_page(&p, record);
	at = render(&p.f, "incidents-csv", "");
	for (int i = 0; i < 3; i++) {
		at = strstr(at, names[i]);
		assert_non_null(at);
	}
	end_page(&p);
}

/* Of those that are open, or ended together, the one that began last comes first; then by name. */
static void those_that_end_together_are_sorted_by_beginning_and_name(void **state)
{
	(void)state;
	assert_servers_in_order("1 s 1763884800000 60000 30000 90000 2 870 2 0 old\n"
				"1 s 1763884830000 30000 0 60000 2 870 2 0 newer-b\n"
				"1 s 1763884830000 30000 0 60000 2 870 2 0 newer-a",
				(const char *const[]){"newer-a", "newer-b", "old"});
	assert_servers_in_order("1 s 1763884800000 60000 30000 0 2 870 2 0 old\n"
				"1 s 1763884830000 30000 0 0 2 870 2 0 newer-b\n"
				"1 s 1763884830000 30000 0 0 2 870 2 0 newer-a",
				(const char *const[]){"newer-a", "newer-b", "old"});
}

static void whole_texts_are_as_expected(void **state)
{
	struct page_fixture p;
	const char *from, *to;

	(void)state;
	begin_page(&p, some);
	from = strchr(strstr(render(&p.f, "incidents", ""), "<main"), '>') + 1;
	to = strstr(from, "</main>");
	assert_non_null(to);
	assert_expected("incidents.html", (struct span){from, (size_t)(to - from)});
	assert_expected("incidents.csv", span_str(render(&p.f, "incidents-csv", "")));
	assert_expected("api-incidents.json", span_str(render(&p.f, "api-incidents", "")));
	end_page(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_at_danger_and_has_its_peak),
		cmocka_unit_test(its_reason_is_the_rule_that_adds_most),
		cmocka_unit_test(gaps_of_two_buckets_join),
		cmocka_unit_test(ends_once),
		cmocka_unit_test(a_server_that_vanishes_is_below),
		cmocka_unit_test(the_environment_has_its_own),
		cmocka_unit_test(a_damaged_record_forgets_only),
		cmocka_unit_test(a_line_that_cannot_be_is_skipped),
		cmocka_unit_test(damaged_lines_are_counted),
		cmocka_unit_test(a_name_is_any_bytes),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(open_ones_come_first_then_the_newest),
		cmocka_unit_test(filters_choose),
		cmocka_unit_test(columns_order_the_list),
		cmocka_unit_test(without_any_the_page_says_so),
		cmocka_unit_test(a_long_list_has_parts),
		cmocka_unit_test(json_and_csv_say_the_same),
		cmocka_unit_test(of_two_equal_reasons_the_first_is_told),
		cmocka_unit_test(those_that_end_together_are_sorted_by_beginning_and_name),
		cmocka_unit_test(whole_texts_are_as_expected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
