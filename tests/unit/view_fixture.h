/* SPDX-License-Identifier: MIT */
/* A small fleet built by hand, and what a view of it needs. Every test starts from its own copy. */
#ifndef TFT_VIEW_FIXTURE_H
#define TFT_VIEW_FIXTURE_H

#include <assert.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pages/catalogue.h"
#include "fleet/risk.h"

#define GEN_MS 1763899265123 /* 2025-11-23T12:01:05.123Z */

struct fixture {
	struct site site;
	struct condition condition;
	struct query query;
	struct warmup warmup;
	struct snapshot *snap;
	struct view view;
	struct buf out;
};

/* Readings in the order now, predicted, worst. */
struct sample {
	const char *name;
	double cpu[3], iowait[3], memory[3], load[3];
	double swap;
};

#define ABSENT                                                                                     \
	{                                                                                          \
		NAN, NAN, NAN                                                                      \
	}
#define HOSTILE "<script>\"&'</td>"

/* One server of every kind: 100.0, 76.5, 51.0, 34.0, 0.0 with a hostile name, 0.0 without data. */
static const struct sample fleet[] = {
	{"ppml0001", {99, 97, 99.5}, ABSENT, {99, 98.5, 99}, {5, 5, 5}, 12.25},
	{"ppdb001", {40, 42.5, 60}, {32, 34, 35}, {98.5, 98, 98}, {5, 5, 5}, 0},
	{"ppweb001", {50, 50.02, 60}, {1, 1, 1}, {99, 98.9, 99.5}, {5, 5, 5}, 0},
	{"ppcon01", {10, 10, 10}, {1, 1, 1}, {96, 96, 96}, {5.5, 5, 5}, 0},
	{HOSTILE, {20, 20, 20}, {1, 1, 1}, {20, 20, 20}, {1, 1, 1}, 0},
	{"ppetl001", ABSENT, ABSENT, ABSENT, ABSENT, NAN},
};

#define FLEET (sizeof(fleet) / sizeof(fleet[0]))

static inline struct reading reading_of(const double v[3])
{
	return (struct reading){
		.now = v[0], .predicted = v[1], .worst = v[2], .best = v[0], .change = v[1] - v[0]};
}

static inline void add_sample(struct snapshot *snap, const char *name, const struct sample *sample)
{
	struct server *s = snapshot_add(snap, span_str(name));

	assert_non_null(s);
	s->profile = profile_of(span_str(name));
	s->cpu = reading_of(sample->cpu);
	s->iowait = reading_of(sample->iowait);
	s->memory = reading_of(sample->memory);
	s->load = reading_of(sample->load);
	s->swap_now = sample->swap;
	s->has_data = !isnan(sample->cpu[0]);
	risk_score(s);
}

static inline struct snapshot *new_snapshot(void)
{
	struct snapshot *snap = snapshot_new();

	assert_non_null(snap);
	snap->bucket = GEN_MS / 30000;
	snap->interval_ms = 30000;
	snap->gen_ms = GEN_MS;
	snap->fill_ms = 600;
	snap->model = MODEL_HEURISTIC;
	snap->prob_30m = 0.897;
	snap->prob_8h = 1;
	snap->scenario = (struct scenario){.configured = true,
					   .known = true,
					   .name = "healthy",
					   .affected = 0,
					   .fleet_size = 6};
	(void)snprintf(snap->prediction_time, sizeof(snap->prediction_time), "2025-11-23T13:00:59");
	return snap;
}

/* No snapshot yet: cold. */
static inline void fixture_init(struct fixture *f)
{
	static const struct scenario no_scenario;

	*f = (struct fixture){
		.site = {30000, 600000, 3600000, "http://127.0.0.1:8000", NULL, false},
		.warmup = {true, true, 100, 200, 150, 0, 0},
	};
	query_init(&f->query);
	f->view = (struct view){.site = &f->site,
				.condition = &f->condition,
				.query = &f->query,
				.warmup = &f->warmup,
				.scenario = &no_scenario};
	buf_init(&f->out, 8u << 20);
}

static inline void fixture_use(struct fixture *f, struct snapshot *snap)
{
	assert_int_equal(snapshot_seal(snap), 0);
	f->snap = snap;
	f->view.snap = snap;
	f->view.scenario = &snap->scenario;
}

static inline void fixture_fleet(struct fixture *f)
{
	struct snapshot *snap = new_snapshot();

	fixture_init(f);
	for (size_t i = 0; i < FLEET; i++)
		add_sample(snap, fleet[i].name, &fleet[i]);
	fixture_use(f, snap);
}

static inline void fixture_free(struct fixture *f)
{
	snapshot_free(&f->snap);
	buf_free(&f->out);
}

/* The document as a C string; valid until the next render. */
static inline const char *render(struct fixture *f, const char *name, const char *query)
{
	const struct page *page = page_find_name(name);
	enum query_key bad;

	assert_non_null(page);
	query_init(&f->query);
	assert_int_equal(query_parse(&f->query, span_str(query), page->params, &bad), 0);
	f->view.at_ms = f->query.at_ms;
	buf_reset(&f->out);
	page_render(page, &f->view, &f->out);
	assert_true(buf_ok(&f->out));
	buf_char(&f->out, '\0');
	return f->out.data;
}

static inline void assert_has(const char *text, const char *piece)
{
	if (!strstr(text, piece))
		fail_msg("\"%s\" is not in:\n%s", piece, text);
}

static inline void assert_has_not(const char *text, const char *piece)
{
	if (strstr(text, piece))
		fail_msg("\"%s\" is in:\n%s", piece, text);
}

static inline size_t count_of(const char *text, const char *piece)
{
	size_t n = 0;

	for (; (text = strstr(text, piece)); text += strlen(piece))
		n++;
	return n;
}

static inline void read_file(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");
	char block[4096];
	size_t n;

	if (!file)
		return;
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		buf_add(out, block, n);
	(void)fclose(file);
}

static inline void write_file(const char *path, struct span text)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(text.ptr, 1, text.len, file) != text.len || fclose(file) != 0)
		fail_msg("cannot write %s", path);
}

/* Counts start tags. Text contains none: it is escaped. */
static inline size_t count_elements(const char *page)
{
	size_t n = 0;

	for (; (page = strchr(page, '<')); page++)
		n += page[1] >= 'a' && page[1] <= 'z';
	return n;
}

/*
 * Compares with tests/expect/NAME byte for byte. A difference leaves the text in NAME.got and
 * prints how to accept it; TFT_ACCEPT=1 accepts everything.
 */
static inline void assert_expected(const char *name, struct span got)
{
	const char *srcdir = getenv("srcdir");
	char path[512], got_path[128];
	struct buf want;

	(void)snprintf(path, sizeof(path), "%s/tests/expect/%s", srcdir ? srcdir : ".", name);
	if (getenv("TFT_ACCEPT"))
		write_file(path, got);
	buf_init(&want, 8u << 20);
	read_file(path, &want);
	if (!span_eq(buf_span(&want), got)) {
		(void)snprintf(got_path, sizeof(got_path), "%s.got", name);
		write_file(got_path, got);
		buf_free(&want);
		fail_msg("%s differs; if the new text is right: cp %s %s", name, got_path, path);
	}
	buf_free(&want);
}

#endif
