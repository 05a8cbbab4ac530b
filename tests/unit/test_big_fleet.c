/* SPDX-License-Identifier: MIT */
/* Every row of the page table with 1,000 servers: few enough elements for a browser, few enough
 * bytes to transfer (doc/limits.md#budgets). */
#include "config.h"

#include "base/gzip.h"
#include "view_fixture.h"

#define SERVERS     1000
#define NODES       3000
#define PACKED_PAGE (60 * 1024)
/* JSON and CSV have all rows and all numbers in full length. */
#define PACKED_DATA (200 * 1024)

/* The same numbers in every run; 0 <= number < 100, with the digits that upstream sends. */
static double number(void)
{
	static uint32_t state = 1;

	state = state * 1664525 + 1013904223;
	return (double)(state >> 8) / (1 << 24) * 100;
}

/* Some of every kind; nearly every forecast crosses some limit, as in the recorded ones. */
static struct sample usual_sample(void)
{
	double cpu = number(), io = number() * 0.35, memory = number(), load = number() * 0.08;

	return (struct sample){.cpu = {cpu, cpu + 1.25, cpu + 4},
			       .iowait = {io, io - 0.5, io + 2},
			       .memory = {memory, memory + 0.01, memory + 1},
			       .load = {load, load + 0.1, load + 2},
			       .swap = number()};
}

static struct sample worst_sample(void)
{
	double more = number() / 50;

	return (struct sample){.cpu = {98 + more, 99, 100},
			       .iowait = {30 + more, 31, 32},
			       .memory = {98 + more, 99, 100},
			       .load = {13 + more, 14, 15},
			       .swap = 50 + more};
}

static void set_list(struct series_list *list)
{
	list->low = 0;
	list->step = 0.001f;
	list->len = FORECAST_STEPS;
	for (size_t i = 0; i < FORECAST_STEPS; i++)
		list->q[i] = (uint16_t)(number() * 655);
}

static struct series *any_series(void)
{
	struct series *series = calloc(1, sizeof(*series));

	assert_non_null(series);
	for (int m = 0; m < METRIC_COUNT; m++) {
		series->current[m] = number();
		series->trend[m] = number() - 50;
		set_list(&series->p10[m]);
		set_list(&series->p50[m]);
		set_list(&series->p90[m]);
	}
	return series;
}

/* Realistic names of every profile. */
static void name_server(unsigned i, char name[SNAPSHOT_NAME_MAX])
{
	static const char *const prefixes[] = {"ppml",  "ppdb",   "ppweb", "ppcon",
					       "ppetl", "pprisk", "ppgen"};

	(void)snprintf(name, SNAPSHOT_NAME_MAX, "%s%04u.prod.example.net", prefixes[i % 7], i);
}

static void fixture_big(struct fixture *f, struct sample (*sample_of)(void))
{
	struct snapshot *snap = new_snapshot();
	char name[SNAPSHOT_NAME_MAX];

	fixture_init(f);
	for (unsigned i = 0; i < SERVERS; i++) {
		struct sample sample = sample_of();
		struct server *s;

		name_server(i, name);
		add_sample(snap, name, &sample);
		s = &snap->servers[i];
		for (int k = 0; k < CROSSINGS; k++)
			s->crossings[k] = (struct crossing){.steps = (uint8_t)(i % 13),
							    .critical = i % 2,
							    .peak = 85 + number() / 10};
	}
	fixture_use(f, snap);
	for (size_t i = 0; i < QUERY_N_MAX; i++)
		snap->servers[i].series = any_series();
	f->view.server = &snap->servers[0];
}

static size_t packed_len(const char *text)
{
	struct buf packed;
	size_t len;

	buf_init(&packed, 8u << 20);
	assert_int_equal(gzip_compress(span_str(text), GZIP_STORED, &packed), 0);
	len = packed.len;
	buf_free(&packed);
	return len;
}

/* Above the general rule: 20 cards for which every rule fires do not depend on the size of the fleet. */
static size_t most_nodes(const char *name)
{
	return strcmp(name, "top") == 0 ? NODES + 200 : NODES;
}

static void check(struct fixture *f, const char *name, const char *query)
{
	const struct page *page = page_find_name(name);
	const char *text = render(f, name, query);
	size_t packed = packed_len(text), nodes = count_elements(text);

	print_message("%s?%s: %zu bytes, %zu packed", name, query, strlen(text), packed);
	assert_true(packed <= (page->media == MEDIA_HTML ? PACKED_PAGE : PACKED_DATA));
	if (page->media == MEDIA_HTML) {
		print_message(", %zu elements", nodes);
		assert_true(nodes <= most_nodes(name));
	}
	print_message("\n");
}

static void check_all(struct sample (*sample_of)(void))
{
	static const char *const more[][2] = {
		{"overview", "page=2&sort=dmem"},
		{"overview", "sev=healthy-up&page=5"},
		{"heatmap", "metric=cpu&group=profile&page=5"},
		{"top", "n=20"},
		{"cost", "page=2"},
		{"remediation", "sort=name&page=3"},
	};
	struct fixture f;

	fixture_big(&f, sample_of);
	for (size_t i = 0; i < page_count; i++)
		check(&f, page_table[i].name, "");
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		check(&f, more[i][0], more[i][1]);
	fixture_free(&f);
}

static void a_silence_names_the_first_twenty(void **unused)
{
	struct fixture f;
	char more[40];

	(void)unused;
	fixture_big(&f, usual_sample);
	f.site.sends_alerts = true;
	(void)snprintf(more, sizeof(more), " and %zu more.", f.snap->count - 20);
	assert_has(render(&f, "overview", "q=p"), more);
	fixture_free(&f);
}

static void a_usual_fleet_stays_within_the_budgets(void **unused)
{
	(void)unused;
	check_all(usual_sample);
}

static void a_critical_fleet_stays_within_the_budgets(void **unused)
{
	(void)unused;
	check_all(worst_sample);
}

/* A server that is not on the first page can be found: search covers all servers. */
static void every_alert_can_be_found(void **unused)
{
	struct fixture f;
	char name[SNAPSHOT_NAME_MAX], piece[SNAPSHOT_NAME_MAX + 32];

	(void)unused;
	fixture_big(&f, worst_sample);
	for (unsigned i = 0; i < SERVERS; i += 37) {
		const char *text;

		name_server(i, name);
		(void)snprintf(piece, sizeof(piece), "q=%s", name);
		text = strstr(render(&f, "overview", piece), "id=\"alerts\"");
		(void)snprintf(piece, sizeof(piece), "<tr id=\"srv-%s\">", name);
		assert_has(text, piece);
		assert_int_equal(count_of(text, "<tr id="), 1);
	}
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_silence_names_the_first_twenty),
		cmocka_unit_test(a_usual_fleet_stays_within_the_budgets),
		cmocka_unit_test(a_critical_fleet_stays_within_the_budgets),
		cmocka_unit_test(every_alert_can_be_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
