/* SPDX-License-Identifier: MIT */
/* Query strings: their meaning, refusals, and canonical form. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pages/query.h"
#include "fleet/snapshot.h"

/* The keys of the fleet pages; a page allows one meaning of `metric`, never both. */
#define ALL                                                                                        \
	(QUERY_BIT(QUERY_PROFILE) | QUERY_BIT(QUERY_SEV) | QUERY_BIT(QUERY_METRIC) |               \
	 QUERY_BIT(QUERY_GROUP) | QUERY_BIT(QUERY_SORT) | QUERY_BIT(QUERY_HIDE) |                  \
	 QUERY_BIT(QUERY_N) | QUERY_BIT(QUERY_ROW) | QUERY_BIT(QUERY_PAGE) |                       \
	 QUERY_BIT(QUERY_VIEW) | QUERY_BIT(QUERY_FORMAT) | QUERY_BIT(QUERY_Q) |                    \
	 QUERY_BIT(QUERY_TABS) | QUERY_BIT(QUERY_EVERY) | QUERY_BIT(QUERY_REFRESH))
#define OVERVIEW (ALL & ~(QUERY_BIT(QUERY_METRIC) | QUERY_BIT(QUERY_GROUP)))
#define TOP      (QUERY_BIT(QUERY_PROFILE) | QUERY_BIT(QUERY_N))
#define HEATMAP  (ALL & ~QUERY_BIT(QUERY_PAGE))
#define PLAIN    (QUERY_BIT(QUERY_VIEW) | QUERY_BIT(QUERY_REFRESH))
#define THEN     (PLAIN | QUERY_BIT(QUERY_PROFILE) | QUERY_BIT(QUERY_AT))
#define SINCE    (PLAIN | QUERY_BIT(QUERY_PROFILE) | QUERY_BIT(QUERY_SINCE) | QUERY_BIT(QUERY_AT))
#define SCORES                                                                                     \
	(PLAIN | QUERY_BIT(QUERY_PROFILE) | QUERY_BIT(QUERY_KEPT) | QUERY_BIT(QUERY_HORIZON) |     \
	 QUERY_BIT(QUERY_SORT) | QUERY_BIT(QUERY_PERIOD))
#define INCIDENTS (PLAIN | QUERY_BIT(QUERY_SORT) | QUERY_BIT(QUERY_PERIOD))
#define OTHER     QUERY_BIT(QUERY_WITH)
#define SCREEN    (QUERY_BIT(QUERY_VIEW) | QUERY_BIT(QUERY_TABS) | QUERY_BIT(QUERY_EVERY))

/* From a copy of exactly that length, so that ASan sees a read beyond it. */
static int parse(struct query *q, const char *raw, unsigned allowed, enum query_key *bad)
{
	size_t len = strlen(raw);
	char *copy = malloc(len ? len : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, raw, len);
	query_init(q);
	rc = query_parse(q, (struct span){copy, len}, allowed, bad);
	free(copy);
	return rc;
}

static void check_canonical(const char *raw, unsigned allowed, const char *want)
{
	enum query_key bad;
	struct query q, again;
	struct buf out;
	char text[256];

	if (parse(&q, raw, allowed, &bad) != 0)
		fail_msg("%s was refused", raw);
	buf_init(&out, sizeof(text));
	query_write(&q, &out);
	if (!span_is(buf_span(&out), want))
		fail_msg("%s became %.*s", raw, (int)out.len, out.data);
	/* The canonical form means the same. */
	snprintf(text, sizeof(text), "%.*s", (int)out.len, out.data ? out.data : "");
	assert_int_equal(parse(&again, text, allowed, &bad), 0);
	assert_int_equal(again.given, q.given);
	buf_reset(&out);
	query_write(&again, &out);
	assert_true(span_is(buf_span(&out), want));
	buf_free(&out);
}

static void the_canonical_form_orders_and_drops(void **state)
{
	static const struct {
		unsigned allowed;
		const char *raw, *canonical;
	} cases[] = {
		{OVERVIEW, "", ""},
		{OVERVIEW, "&&=&=x&", ""},
		{OVERVIEW, "profile=db", "profile=db"},
		{OVERVIEW, "sev=critical-up&profile=generic", "profile=generic&sev=critical-up"},
		{OVERVIEW, "refresh=30&q=DB&format=json&view=kiosk&page=3&sort=cpu&sev=watch",
		 "sev=watch&sort=cpu&page=3&view=kiosk&format=json&q=db&refresh=30"},
		/* Defaults. */
		{OVERVIEW, "page=1&refresh=0", ""},
		{HEATMAP, "metric=risk&sort=name", ""},
		{OVERVIEW, "sort=-risk", ""},
		{OVERVIEW, "sort=-value", "sort=-value"},
		{HEATMAP, "sort=-value&group=none", "group=none&sort=-value"},
		{HEATMAP, "sort=-risk", "sort=-risk"},
		{OVERVIEW, "sort=risk", "sort=risk"},
		{OVERVIEW, "profile=&sev=&sort=&page=&view=&format=&q=&refresh=", ""},
		{OVERVIEW, "profile", ""},
		/* Unknown keys, keys of other pages, keys in another case. */
		{OVERVIEW, "x=1&PROFILE=db&profile2=db&metric=bogus&group=bogus", ""},
		{PLAIN, "profile=bogus&page=bogus&sort=bogus&view=compact", "view=compact"},
		{PLAIN, "BUCKET=1&att=1&=1", ""},
		/* Of repeated keys the first counts, even if it has the default value. */
		{OVERVIEW, "profile=db&profile=web", "profile=db"},
		{OVERVIEW, "page=1&page=bogus", ""},
		/* Percent signs. */
		{OVERVIEW, "profile=%64b", "profile=db"},
		{OVERVIEW, "q=a%2fb+c%20d%26%3D", "q=a%2Fb%20c%20d%26%3D"},
		{OVERVIEW, "q=100%25&x=%", "q=100%25"},
		{OVERVIEW, "q=%zz%4", "q=%25zz%254"},
		{OVERVIEW, "q=a=b", "q=a%3Db"},
		{OVERVIEW, "q=%C3%89", "q=%C3%89"},
		/* Refresh alone is clamped. */
		{PLAIN, "refresh=1", "refresh=5"},
		{PLAIN, "refresh=5", "refresh=5"},
		{PLAIN, "refresh=300", "refresh=300"},
		{PLAIN, "refresh=99999999999999999999", "refresh=300"},
		{OVERVIEW, "page=200", "page=200"},
		{ALL, "row=PP%20%26&hide=mem,cpu,mem", "hide=cpu,mem&row=PP%20%26"},
		{TOP, "n=20&profile=db", "profile=db&n=20"},
		{TOP, "n=5&sev=bogus", ""},
		{TOP, "n=6", "n=6"},
		/* Moments, in every spelling. */
		{THEN, "at=2026-11-28T06:11:00Z&profile=db", "profile=db&at=2026-11-28T06:11:00Z"},
		{THEN, "at=1795846260", "at=2026-11-28T06:11:00Z"},
		{THEN, "at=1795846260000", "at=2026-11-28T06:11:00Z"},
		{THEN, "at=1795846260500", "at=2026-11-28T06:11:00.500Z"},
		{THEN, "at=2026-11-28T06%3A11%3A00.000Z", "at=2026-11-28T06:11:00Z"},
		{THEN, "at=2026-11-28+06:11", "at=2026-11-28T06:11:00Z"},
		{THEN, "at=2026-11-28T07:11:00+01:00", "at=2026-11-28T06:11:00Z"},
		{THEN, "at=2026-11-27T22:11:00.5-0800", "at=2026-11-28T06:11:00.500Z"},
		{THEN, "at=2026-11-28t06:11z", "at=2026-11-28T06:11:00Z"},
		{THEN, "at=2026-11-28T06:11:00,25Z", "at=2026-11-28T06:11:00.250Z"},
		{THEN, "at=2026-11-28T06:11:59.9999Z", "at=2026-11-28T06:11:59.999Z"},
		{THEN, "at=946684800", "at=2000-01-01T00:00:00Z"},
		{THEN, "at=253402300799999", "at=9999-12-31T23:59:59.999Z"},
		{THEN, "at=99999999999",
		 "at=5138-11-16T09:46:39Z"}, /* the last second of 11 digits */
		{THEN, "at=2024-02-29", "at=2024-02-29T00:00:00Z"},
		{THEN, "at=&refresh=30", "refresh=30"},
		/* What to compare with. */
		{SINCE, "since=15m", ""},
		{SINCE, "since=8h&profile=db", "profile=db&since=8h"},
		{SINCE, "at=1795846260&since=1795842660",
		 "since=2026-11-28T05:11:00Z&at=2026-11-28T06:11:00Z"},
		{SINCE, "since=2026-11-28+06:11", "since=2026-11-28T06:11:00Z"},
		{SINCE, "since=24h&since=1h", "since=24h"},
		/* Scores of forecasts. */
		{SCORES, "range=7d&horizon=2h&metric=cpu_user&profile=db",
		 "profile=db&metric=cpu_user&horizon=2h&range=7d"},
		{SCORES, "metric=cpu&horizon=30m&range=1d", "metric=cpu&horizon=30m"},
		{SCORES, "metric=&horizon=&range=", ""},
		{SCORES, "range=7d&sort=skill", "sort=skill&range=7d"},
		{SCORES, "sort=-verdict", ""},
		{INCIDENTS, "sort=-duration", "sort=-duration"},
		{INCIDENTS, "sort=-to&range=7d", "range=7d"},
		{INCIDENTS, "sort=-risk", "sort=-risk"},
		/* Wall screens. */
		{SCREEN, "every=60&tabs=top,overview,top&view=kiosk",
		 "view=kiosk&tabs=top,overview,top&every=60"},
		{SCREEN, "tabs=heatmap%2Ccost&every=30", "tabs=heatmap,cost"},
		{SCREEN, "tabs=top,top,top,top,top,top,top,top,top&every=10",
		 "tabs=top,top,top,top,top,top,top,top,top&every=10"},
		{SCREEN, "every=300", "every=300"},
		{OTHER, "with=PPweb1%20%26", "with=PPweb1%20%26"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_canonical(cases[i].raw, cases[i].allowed, cases[i].canonical);
}

static void bad_values_are_refused_by_key(void **state)
{
#define TEXT_65 "q=01234567890123456789012345678901234567890123456789012345678901234"
	static const struct {
		const char *raw;
		enum query_key bad;
	} cases[] = {
		{"profile=Database", QUERY_PROFILE},
		{"profile=DB", QUERY_PROFILE},
		{"profile=db%20", QUERY_PROFILE},
		{"profile=db%00", QUERY_PROFILE},
		{"profile=%zz", QUERY_PROFILE},
		{"sev=critical-down", QUERY_SEV},
		{"sev=-up", QUERY_SEV},
		{"sev=critical-up-up", QUERY_SEV},
		{"sev=crit", QUERY_SEV},
		{"metric=disk", QUERY_METRIC},
		{"group=level", QUERY_GROUP},
		{"sort=--risk", QUERY_SORT},
		{"sort=-", QUERY_SORT},
		{"sort=Risk", QUERY_SORT},
		{"sort=+risk", QUERY_SORT},
		{"n=4", QUERY_N},
		{"n=21", QUERY_N},
		{"n=+5", QUERY_N},
		{"n=4294967301", QUERY_N},
		{"page=0", QUERY_PAGE},
		{"page=201", QUERY_PAGE},
		{"hide=risk", QUERY_HIDE},
		{"hide=cpu,,mem", QUERY_HIDE},
		{"page=-1", QUERY_PAGE},
		{"page=%2B1", QUERY_PAGE},
		{"page=+1", QUERY_PAGE},
		{"page=0x1", QUERY_PAGE},
		{"page=1e9", QUERY_PAGE},
		{"page=1.5", QUERY_PAGE},
		{"page=1%20", QUERY_PAGE},
		{"page=4294967297", QUERY_PAGE},
		{"view=full", QUERY_VIEW},
		{"format=html", QUERY_FORMAT},
		{"format=xml", QUERY_FORMAT},
		{"refresh=-1", QUERY_REFRESH},
		{"refresh=fast", QUERY_REFRESH},
		{"tabs=,", QUERY_TABS},
		{"tabs=advanced", QUERY_TABS},
		{"tabs=top,top,top,top,top,top,top,top,top,top", QUERY_TABS},
		{"every=9", QUERY_EVERY},
		{"every=301", QUERY_EVERY},
		{TEXT_65, QUERY_Q},
		{"q=%ff", QUERY_Q},
		{"q=%C0%AF", QUERY_Q},
		{"q=a%00b", QUERY_Q},
		{"q=%0d%0a", QUERY_Q},
		{"q=%E2%80%AE", QUERY_Q},
		{"page=2&sev=x&profile=y", QUERY_SEV}, /* the first bad one */
		/* A page that shows the present must not seem to answer for another time. */
		{"bucket=58800000", QUERY_TIME},
		{"bucket=", QUERY_TIME},
		{"sort=name&from=2025-01-01", QUERY_TIME},
	};
	struct query q;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum query_key bad = QUERY_KEYS;

		if (parse(&q, cases[i].raw, ALL, &bad) != -1)
			fail_msg("%s was taken", cases[i].raw);
		assert_int_equal(bad, cases[i].bad);
	}
}

static void what_is_no_moment_is_refused(void **state)
{
	static const char *const cases[] = {
		"at=x",
		"at=0",
		"at=946684799",
		"at=-1",
		"at=1795846260.5",
		"at=99999999999999999",
		"at=2026-02-29",
		"at=2026-13-01",
		"at=2026-11-28T24:00",
		"at=2026-11-28T06:60",
		"at=2026-11-28T06:11:60Z",
		"at=2026-11-28T06:11:00.Z",
		"at=2026-11-28T06:11:00ZZ",
		"at=2026-11-28T06:11:00+1",
		"at=2026-11-28T",
		"at=2026-11-28T06",
		"at=1999-12-31T23:59:59Z",
		"at=20261128",
		"at=2026-11-28x06:11",
		"at=2026-11-28T06:11x",
		"at=2026-11-28T06:11:00+24:00",
		"at=2026-11-28T06:11:00+01:60",
		"at=2026-11-31",
		"at=2026-11-00",
		"at=2026-00-10",
		"at=2026-11-28T06:11:00Z%00",
	};
	struct query q;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum query_key bad = QUERY_KEYS;

		if (parse(&q, cases[i], THEN, &bad) != -1 || bad != QUERY_AT)
			fail_msg("%s was taken", cases[i]);
		assert_int_equal(q.at_ms, 0);
	}
}

static void spans_and_moments_can_be_compared_with(void **state)
{
	static const char *const bad[] = {"since=2h", "since=15", "since=8H", "since=yesterday"};
	struct query q;
	enum query_key key;

	(void)state;
	assert_int_equal(parse(&q, "", SINCE, &key), 0);
	assert_int_equal(query_since_ms(&q, 1795846260000), 1795845360000);
	assert_string_equal(query_since_words(&q), "15 minutes");
	assert_int_equal(parse(&q, "since=1h", SINCE, &key), 0);
	assert_int_equal(query_since_ms(&q, 1795846260000), 1795842660000);
	assert_int_equal(parse(&q, "since=1795842660", SINCE, &key), 0);
	assert_int_equal(query_since_ms(&q, 1795846260000), 1795842660000);
	assert_null(query_since_words(&q));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(&q, bad[i], SINCE, &key) != -1 || key != QUERY_SINCE)
			fail_msg("%s was taken", bad[i]);
		assert_int_equal(q.since_span_ms, QUERY_SINCE_MS);
	}
	/* On pages that compare nothing, `since` would ask for another time. */
	assert_int_equal(parse(&q, "since=1h", PLAIN, &key), -1);
	assert_int_equal(key, QUERY_TIME);
}

static void a_search_text_has_up_to_64_characters(void **state)
{
	enum query_key bad;
	struct query q;
	char four[64 * 12 + 1], raw[1024];

	(void)state;
	for (size_t i = 0; i < 64; i++)
		(void)snprintf(four + 12 * i, 13, "%s", "%F0%9F%98%80");
	assert_int_equal(
		parse(&q, "q=%410123456789012345678901234567890123456789012345678901234567%C3%89",
		      ALL, &bad),
		0);
	assert_int_equal(strlen(q.q), 61);
	assert_int_equal(q.q[0], 'a');
	assert_int_equal(parse(&q,
			       "q=0123456789012345678901234567890123456789012345678901234567890123",
			       ALL, &bad),
			 0);
	assert_int_equal(strlen(q.q), 64);
	/* It counts characters of one to four bytes. */
	(void)snprintf(raw, sizeof(raw), "q=%.*s", 64 * 12, four);
	assert_int_equal(parse(&q, raw, ALL, &bad), 0);
	assert_int_equal(strlen(q.q), 256);
	(void)snprintf(raw, sizeof(raw), "q=%.*sa", 64 * 12, four);
	assert_int_equal(parse(&q, raw, ALL, &bad), -1);
	assert_int_equal(
		parse(&q, "q=01234567890123456789012345678901234567890123456789012345678901234",
		      ALL, &bad),
		-1);
}

/* As long as a name can be: whatever is longer is the name of no server. */
static void a_server_to_compare_with_has_a_name(void **state)
{
	static const char *const bad[] = {"with=a%00b", "with=%ff", "with=a%C3"};
	char raw[5 + SNAPSHOT_NAME_MAX + 2];
	enum query_key key;
	struct query q;

	(void)state;
	memset(raw, 'a', sizeof(raw));
	memcpy(raw, "with=", 5);
	raw[sizeof(raw) - 1] = '\0';
	assert_int_equal(parse(&q, raw, OTHER, &key), -1);
	assert_int_equal(key, QUERY_WITH);
	raw[sizeof(raw) - 2] = '\0';
	assert_int_equal(parse(&q, raw, OTHER, &key), 0);
	assert_int_equal(query_with(&q).len, SNAPSHOT_NAME_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(&q, bad[i], OTHER, &key), -1);
		assert_int_equal(q.given, 0);
	}
}

/* "a, b, c": each word is a valid value, so the help text is correct. */
static unsigned check_words(enum query_key key, const char *prefix, const char *suffix)
{
	const char *at = query_key_values(key);
	unsigned words = 0;

	while (at != NULL && strncmp(at, "each", 4) != 0) {
		const char *end = strstr(at, ", ");
		enum query_key bad;
		struct query q;
		char raw[128];

		snprintf(raw, sizeof(raw), "%s=%s%.*s%s", query_key_name(key), prefix,
			 (int)(end ? (size_t)(end - at) : strlen(at)), at, suffix);
		if (parse(&q, raw, ALL, &bad) != 0)
			fail_msg("%s is not valid", raw);
		words++;
		at = end ? end + 2 : NULL;
	}
	return words;
}

static void help_texts_name_all_valid_values(void **state)
{
	int k;

	(void)state;
	assert_int_equal(check_words(QUERY_PROFILE, "", ""), PROFILE_COUNT);
	assert_int_equal(check_words(QUERY_SEV, "", ""), LEVEL_COUNT);
	assert_int_equal(check_words(QUERY_SEV, "", "-up"), LEVEL_COUNT);
	assert_int_equal(check_words(QUERY_METRIC, "", ""), HEAT_METRICS);
	assert_int_equal(check_words(QUERY_GROUP, "", ""), 2);
	assert_int_equal(check_words(QUERY_SORT, "", ""), SORT_FROM);
	assert_int_equal(check_words(QUERY_SORT, "-", ""), SORT_FROM);
	assert_int_equal(check_words(QUERY_VIEW, "", ""), 2);
	assert_int_equal(check_words(QUERY_FORMAT, "", ""), 2);
	for (k = 0; k < QUERY_KEYS; k++)
		assert_true(query_key_values((enum query_key)k)[0] != '\0');
}

static void values_arrive_typed(void **state)
{
	enum query_key bad;
	struct query q;

	(void)state;
	assert_int_equal(
		parse(&q,
		      "profile=db&sev=danger-up&metric=load&group=profile&sort=-dcpu&hide=io&n=12"
		      "&page=7&view=kiosk&format=csv&q=Ab&row=x&tabs=top,cost"
		      "&every=45&refresh=60",
		      ALL, &bad),
		0);
	assert_int_equal(q.given, ALL);
	assert_int_equal(q.profile, PROFILE_DATABASE);
	assert_int_equal(q.level, LEVEL_DANGER);
	assert_true(q.level_up);
	assert_int_equal(q.metric, HEAT_LOAD);
	assert_int_equal(q.group, GROUP_PROFILE);
	assert_int_equal(q.sort, SORT_DCPU);
	assert_int_equal(q.hidden, 1u << HIDE_IO);
	assert_string_equal(q.row, "x");
	assert_true(q.sort_descending);
	assert_int_equal(q.n, 12);
	assert_int_equal(q.page, 7);
	assert_int_equal(q.view, VIEW_KIOSK);
	assert_int_equal(q.format, FORMAT_CSV);
	assert_string_equal(q.q, "ab");
	assert_int_equal(q.tab_count, 2);
	assert_string_equal(query_tab_name(q.tabs[1]), "cost");
	assert_int_equal(q.every_s, 45);
	assert_int_equal(q.refresh_s, 60);
}

/* Each list has its own columns. */
static void a_column_of_another_list_is_refused(void **state)
{
	static const struct {
		unsigned allowed;
		const char *raw;
	} cases[] = {
		{OVERVIEW, "sort=duration"}, {HEATMAP, "sort=-skill"}, {INCIDENTS, "sort=cpu"},
		{INCIDENTS, "sort=verdict"}, {SCORES, "sort=risk"},    {SCORES, "sort=since"},
	};
	enum query_key bad;
	struct query q;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bad = QUERY_KEYS;
		assert_int_equal(parse(&q, cases[i].raw, cases[i].allowed, &bad), -1);
		assert_int_equal(bad, QUERY_SORT);
	}
}

static void sort_holds_the_default_of_the_page(void **state)
{
	enum query_key bad;
	struct query q;

	(void)state;
	assert_int_equal(parse(&q, "", OVERVIEW, &bad), 0);
	assert_int_equal(q.sort, SORT_RISK);
	assert_true(q.sort_descending);
	assert_int_equal(parse(&q, "", HEATMAP, &bad), 0);
	assert_int_equal(q.sort, SORT_NAME);
	assert_false(q.sort_descending);
	assert_int_equal(parse(&q, "", HEATMAP & ~QUERY_BIT(QUERY_GROUP), &bad), 0);
	assert_int_equal(q.sort, SORT_VALUE);
	assert_true(q.sort_descending);
}

static void servers_are_matched_by_profile_level_and_name(void **state)
{
	static const struct {
		const char *raw;
		bool match;
	} cases[] = {
		{"", true},
		{"profile=db", true},
		{"profile=web", false},
		{"profile=ml", false}, /* the first */
		{"sev=critical", true},
		{"sev=critical-up", true},
		{"sev=imminent-up", false},
		{"sev=danger", false},
		{"sev=imminent", false},
		{"sev=danger-up", true},
		{"sev=healthy-up", true},
		{"q=PDB0", true},
		{"q=ppdb0017", true},
		{"q=ppdb00177", false},
		{"q=17", true},
		{"q=web", false},
		{"profile=db&sev=critical&q=db", true},
		{"profile=db&sev=watch&q=db", false},
	};
	struct server server = {.name = SPAN("PPdb0017"), .profile = PROFILE_DATABASE, .risk = 850};
	enum query_key bad;
	struct query q;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(&q, cases[i].raw, OVERVIEW, &bad), 0);
		if (query_match(&q, &server) != cases[i].match)
			fail_msg("%s", cases[i].raw);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_canonical_form_orders_and_drops),
		cmocka_unit_test(bad_values_are_refused_by_key),
		cmocka_unit_test(what_is_no_moment_is_refused),
		cmocka_unit_test(spans_and_moments_can_be_compared_with),
		cmocka_unit_test(a_search_text_has_up_to_64_characters),
		cmocka_unit_test(a_server_to_compare_with_has_a_name),
		cmocka_unit_test(help_texts_name_all_valid_values),
		cmocka_unit_test(values_arrive_typed),
		cmocka_unit_test(a_column_of_another_list_is_refused),
		cmocka_unit_test(sort_holds_the_default_of_the_page),
		cmocka_unit_test(servers_are_matched_by_profile_level_and_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
