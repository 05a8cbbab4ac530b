/* SPDX-License-Identifier: MIT */
/*
 * The state as a small picture to embed in other sites (doc/pages.md#endpoints): a label, and a
 * word on the fill of its level (doc/pages.md#levels). The colours are set here because an embedded
 * picture has no style sheet.
 */
#include "config.h"
#include "pages/contents.h"

#include "base/fmt.h"
#include "base/html.h"
#include "fleet/verdict.h"
#include "pages/state.h"

#define HEIGHT      20
#define LETTER      7  /* width to which each one is fitted, whatever font there is */
#define PADDING     6  /* on either side of a text */
#define LABEL_MAX   48 /* letters of a name; the rest is in the title */
#define UNKNOWN     LEVEL_COUNT
#define LABEL_FILL  "#12344D"
#define LABEL_INK   "#FFFFFF"
#define OUTLINE_INK "#5B6B7A"

static const struct {
	const char *fill, *ink;
} colours[LEVEL_COUNT + 1] = {
	[LEVEL_HEALTHY] = {"#E6EEF4", "#12344D"},   [LEVEL_WATCH] = {"#FFF1A8", "#3D3300"},
	[LEVEL_DEGRADING] = {"#FFD966", "#3A2A00"}, [LEVEL_WARNING] = {"#F59317", "#2B1700"},
	[LEVEL_DANGER] = {"#C9400A", "#FFFFFF"},    [LEVEL_CRITICAL] = {"#A3101F", "#FFFFFF"},
	[LEVEL_IMMINENT] = {"#3D0210", "#FFFFFF"},  [UNKNOWN] = {"#8A94A0", "#0B0F14"},
};

static bool starts_letter(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

static size_t count_letters(struct span text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += starts_letter(text.ptr[i]);
	return n;
}

static struct span cut_letters(struct span text, size_t max)
{
	size_t i = 0, n = 0;

	for (; i < text.len; i++)
		if (starts_letter(text.ptr[i]) && n++ == max)
			break;
	return (struct span){text.ptr, i};
}

static void put_half(struct span text, size_t x, const char *fill, const char *ink, struct buf *out)
{
	size_t letters = count_letters(text), width = letters * LETTER;

	buf_addf(out,
		 "<rect x=\"%zu\" width=\"%zu\" height=\"%d\" fill=\"%s\"/>"
		 "<text x=\"%zu\" y=\"14\" textLength=\"%zu\" lengthAdjust=\"spacingAndGlyphs\" "
		 "fill=\"%s\">",
		 x, width + 2 * PADDING, HEIGHT, fill, x + PADDING, width, ink);
	html_text(out, text);
	html_lit(out, "</text>");
}

/* level: the one whose colours are used, or UNKNOWN. */
static void put_badge(struct span name, struct span word, int level, struct buf *out)
{
	struct span label = cut_letters(name, LABEL_MAX);
	size_t left = count_letters(label) * LETTER + 2 * PADDING;
	size_t width = left + count_letters(word) * LETTER + 2 * PADDING;

	buf_addf(out,
		 "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"%zu\" "
		 "height=\"%d\" font-family=\"system-ui, sans-serif\" font-size=\"12\"><title>",
		 width, HEIGHT);
	html_text(out, name);
	html_lit(out, ": ");
	html_text(out, word);
	html_lit(out, "</title>");
	put_half(label, 0, LABEL_FILL, LABEL_INK, out);
	put_half(word, left, colours[level].fill, colours[level].ink, out);
	buf_addf(out,
		 "<path d=\"M.5 .5h%zuv%dH.5z\" fill=\"none\" stroke=\"" OUTLINE_INK "\"/></svg>\n",
		 width - 1, HEIGHT - 1);
}

/* A badge shows no time, so old data lose their colour. */
static bool is_old(const struct view *view)
{
	return state_of(view) < STATE_UPDATING;
}

static void put_word(const struct view *view, struct span name, struct buf *word, int level,
		     struct buf *out)
{
	bool old = is_old(view);

	if (old)
		buf_lit(word, " (old)");
	put_badge(name, buf_span(word), old ? UNKNOWN : level, out);
}

static const struct span product = SPAN("TFT fleet");

static void put_fleet(const struct view *view, struct buf *word, struct buf *out)
{
	struct fleet_counts n;
	struct verdict verdict;

	snapshot_count_unsilenced(view->snap, &n);
	verdict = verdict_of(&n);
	buf_span_add(word, span_str(verdict_name(&verdict)));
	put_word(view, product, word, verdict.total ? (int)verdict.level : UNKNOWN, out);
}

static void put_server(const struct view *view, struct buf *word, struct buf *out)
{
	const struct server *s = view->server;
	enum level level = level_of(s->risk);
	bool silent = server_is_silent(s, view->snap->gen_ms);

	fmt_tenths(word, s->risk);
	buf_addf(word, " %s", level_table[level].name);
	if (silent)
		buf_lit(word, ", silent");
	put_word(view, s->name, word, silent ? UNKNOWN : (int)level, out);
}

void page_badge(const struct view *view, struct buf *out)
{
	struct buf word;

	buf_init(&word, 256);
	if (!state_has_data(view))
		put_badge(product, SPAN("no data"), UNKNOWN, out);
	else if (state_of(view) == STATE_VERY_STALE)
		put_badge(view->server ? view->server->name : product, SPAN("Unknown"), UNKNOWN,
			  out);
	else if (view->server)
		put_server(view, &word, out);
	else
		put_fleet(view, &word, out);
	buf_free(&word);
}
