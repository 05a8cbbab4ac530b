/* SPDX-License-Identifier: MIT */
/* Steps in time and the strip of a day. A link is a query without a path, so it stays on the page.
 * Nothing here knows the present, so the bytes of a moment never change. */
#include "config.h"
#include "pages/past.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/fmt.h"
#include "base/html.h"
#include "fleet/history.h"
#include "pages/filter.h"

#define SECOND 1000
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

#define STRIP_HEIGHT  40 /* of a column with all servers at Degrading or worse */
#define STRIP_LEAST   5  /* and without any */
#define LABEL_COLUMNS 12 /* room of a level's code */
#define LABEL_HOURS   3  /* between two times below the strip */

/* The same view at another moment. */
static void put_link(const struct query *query, int64_t at_ms, struct buf *out)
{
	struct query q = *query;
	struct buf text;

	query_set_at(&q, at_ms);
	buf_init(&text, 4096);
	query_write(&q, &text);
	if (!buf_ok(&text))
		buf_fail(out);
	html_lit(out, "<a href=\"?");
	html_text(out, buf_span(&text));
	html_lit(out, "\"");
	buf_free(&text);
}

/* ---- steps ---- */

static void put_step(const struct view *view, int64_t step_ms, const char *text, struct buf *out)
{
	int64_t interval = view->site->interval_ms;
	int64_t at_ms = (view->at_ms + step_ms) / interval * interval;

	html_lit(out, " ");
	put_link(view->query, at_ms, out);
	buf_addf(out, " data-step=\"%" PRId64 "\">%s</a>", step_ms, text);
}

static void put_bucket_step(const struct view *view, int sign, struct buf *out)
{
	int64_t interval = view->site->interval_ms;
	char text[32];

	(void)snprintf(text, sizeof(text), "%s%" PRId64 " s", sign < 0 ? "−" : "+",
		       interval / SECOND);
	put_step(view, sign * interval, text, out);
}

static void put_steps(const struct view *view, struct buf *out)
{
	html_lit(out, "<p class=\"steps\">");
	put_step(view, -DAY, "−1 d", out);
	put_step(view, -HOUR, "−1 h", out);
	put_step(view, -5 * MINUTE, "−5 min", out);
	put_bucket_step(view, -1, out);
	put_bucket_step(view, 1, out);
	put_step(view, 5 * MINUTE, "+5 min", out);
	put_step(view, HOUR, "+1 h", out);
	put_step(view, DAY, "+1 d", out);
	html_lit(out, "</p>");
}

static void put_form(const struct view *view, struct buf *out)
{
	html_lit(out, "<form><label for=\"at\">Time (UTC)</label>"
		      "<input id=\"at\" name=\"at\" maxlength=\"40\" value=\"");
	query_write_value(view->query, QUERY_AT, out);
	html_lit(out, "\"/>");
	filter_hidden(view->query, QUERY_BIT(QUERY_AT) | QUERY_BIT(QUERY_PAGE), out);
	html_lit(out, "<button>Go</button></form>");
}

/* ---- the strip ---- */

static enum level worst_level(const struct history_point *p)
{
	int level = 0;

	while (level < LEVEL_HEALTHY && !p->level[level])
		level++;
	return (enum level)level;
}

/* "05:50: 2 Critical, 3 Danger" */
static void put_words(const struct history_point *p, struct buf *out)
{
	const char *comma = ": ";

	fmt_minute(out, p->at_ms);
	for (int level = 0; level <= LEVEL_DEGRADING; level++) {
		if (!p->level[level])
			continue;
		buf_addf(out, "%s%u %s", comma, p->level[level], level_table[level].name);
		comma = ", ";
	}
	if (!history_or_worse(p, LEVEL_DEGRADING))
		html_lit(out, ": no server at Degrading or worse");
}

static int64_t column_of(const struct history *day, int64_t at_ms)
{
	return (at_ms - day->from_ms - 1) / PAST_COLUMN_MS;
}

/* A column shows its worst moment and links to it. */
static void put_column(const struct view *view, const struct history_column *c, struct buf *out)
{
	const struct history_point *p = c->peak;
	unsigned all = history_or_worse(p, LEVEL_HEALTHY);
	unsigned high = history_or_worse(p, LEVEL_DEGRADING);
	unsigned height = STRIP_LEAST + (all ? (STRIP_HEIGHT - STRIP_LEAST) * high / all : 0);

	put_link(view->query, p->at_ms, out);
	html_lit(out, " tabindex=\"-1\"><title>");
	put_words(p, out);
	buf_addf(out,
		 "</title><rect class=\"sev-%s\" x=\"%" PRId64
		 "\" y=\"%u\" width=\"1\" height=\"%u\"/></a>",
		 level_table[worst_level(p)].slug, column_of(view->day, c->at_ms),
		 STRIP_HEIGHT - height, height);
}

/* At the right edge of a phone there is no room after a column. */
static void put_text(double column, int y, const char *text, struct buf *out)
{
	bool last = column > PAST_COLUMNS - LABEL_COLUMNS;

	buf_addf(out, "<text x=\"%.2f%%\" y=\"%d\"%s>%s</text>", 100 * column / PAST_COLUMNS, y,
		 last ? " text-anchor=\"end\"" : "", text);
}

/* The code of a level where it begins, if there is room: for those who see no colour. */
static void put_codes(const struct view *view, const struct history_column *columns, size_t count,
		      struct buf *out)
{
	int64_t free_from = 0;
	int before = -1;

	for (size_t i = 0; i < count; i++) {
		int64_t column = column_of(view->day, columns[i].at_ms);
		enum level level = worst_level(columns[i].peak);

		if ((int)level == before || column < free_from)
			continue;
		put_text((double)column, 12, level_table[level].code, out);
		before = (int)level;
		free_from = column + LABEL_COLUMNS;
	}
}

static void put_hours(const struct history *day, struct buf *out)
{
	int64_t step = LABEL_HOURS * HOUR;
	struct buf text;

	buf_init(&text, 64);
	/* A time at the right edge would be printed over the one before, on a phone. */
	for (int64_t t = (day->from_ms / step + 1) * step;
	     t < day->to_ms - LABEL_COLUMNS * PAST_COLUMN_MS; t += step) {
		buf_reset(&text);
		fmt_minute(&text, t);
		buf_char(&text, '\0');
		if (buf_ok(&text))
			put_text((double)(t - day->from_ms) / PAST_COLUMN_MS, 70, text.data, out);
	}
	buf_free(&text);
}

static void put_strip(const struct view *view, struct buf *out)
{
	struct history_column columns[PAST_COLUMNS];
	size_t count =
		view->day ? history_thin(view->day, HISTORY_LEVELS, columns, PAST_COLUMNS) : 0;

	if (!count) {
		html_lit(out, "<p class=\"note\">No history is kept of the day before this "
			      "moment.</p>");
		return;
	}
	html_lit(out, "<svg id=\"strip\" role=\"group\" aria-label=\"The 24 hours before: worst "
		      "level and share of servers at Degrading or worse, by ten minutes\">"
		      "<svg y=\"16\" height=\"40\" viewBox=\"0 0 144 40\" "
		      "preserveAspectRatio=\"none\">");
	for (size_t i = 0; i < count; i++)
		put_column(view, &columns[i], out);
	buf_addf(out, "<path class=\"here\" d=\"M%.2f 0V%d\"/></svg>",
		 (double)(view->at_ms - view->day->from_ms) / PAST_COLUMN_MS, STRIP_HEIGHT);
	put_codes(view, columns, count, out);
	put_hours(view->day, out);
	html_lit(out, "</svg>");
}

void past_put(const struct view *view, struct buf *out)
{
	html_lit(out, "<section class=\"panel\" id=\"moments\" aria-label=\"Moving in time\">");
	put_steps(view, out);
	put_form(view, out);
	if (view->incomplete)
		html_lit(out, "<p class=\"note\">Part of what belongs to this moment cannot be "
			      "read.</p>");
	put_strip(view, out);
	html_lit(out, "</section>");
}
