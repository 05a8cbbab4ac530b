/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "pages/chart_band.h"

#include <math.h>

#include "base/fmt.h"
#include "base/html.h"
#include "pages/pen.h"

#define STEP_MIN    5
#define WIDTH       (FORECAST_STEPS * STEP_MIN) /* one unit is one minute */
#define HEIGHT      200
#define LABEL_STEPS 24 /* a part as long has room for words */
#define TABLE_STEP  24 /* two hours: twenty charts must stay under 3,000 elements */

/* ---- the drawing ---- */

static double highest(const struct band *band)
{
	double top = 0;

	for (size_t i = 0; i < band->len; i++)
		top = fmax(top, band->median[i]);
	for (size_t i = 0; i < band->range_len; i++)
		top = fmax(top, band->high[i]);
	return top;
}

double chart_ceiling(double most)
{
	double scale;

	if (!(most > 0))
		return 1;
	scale = pow(10, floor(log10(most)));
	return scale * (most <= scale ? 1 : most <= 2 * scale ? 2 : most <= 5 * scale ? 5 : 10);
}

/* The upper end of the axis, not below any value or limit. */
static double axis_top(const struct band_chart *chart)
{
	double top = highest(chart->band);

	for (int i = 0; i < BAND_LIMITS; i++)
		top = fmax(top, chart->limits[i]);
	return chart->band->percent ? 100 : chart_ceiling(top);
}

static int y_of(double value, double top)
{
	return HEIGHT - (int)lround(value / top * HEIGHT);
}

/* Of the steps from..to, both included: along the upper edge and back along the lower one. */
static void put_range(const struct band *band, size_t from, size_t to, const char *css,
		      const char *name, double top, struct buf *out)
{
	struct pen pen = {.out = out};

	if (to <= from)
		return;
	buf_addf(out, "<path class=\"%s\" d=\"", css);
	pen_move(&pen, (int)(from + 1) * STEP_MIN, y_of(band->high[from], top));
	for (size_t i = from + 1; i <= to; i++)
		pen_line(&pen, (int)(i + 1) * STEP_MIN, y_of(band->high[i], top));
	for (size_t i = to + 1; i-- > from;)
		pen_line(&pen, (int)(i + 1) * STEP_MIN, y_of(band->low[i], top));
	pen_lift(&pen);
	buf_addf(out, "z\">%s</path>", name);
}

/* Paler, and without a name that static/cursor.js would read values for, where it says nothing. */
static void put_ranges(const struct band *band, double top, struct buf *out)
{
	size_t vague = band_vague(band, top), last = band->range_len - 1;

	if (band->range_len < 2)
		return;
	put_range(band, 0, vague < last ? vague : last, "envelope", "<title>p10 to p90</title>",
		  top, out);
	put_range(band, vague, last, "vague", "", top, out);
}

static void put_median(const struct band *band, double top, struct buf *out)
{
	struct pen pen = {.out = out};

	html_lit(out, "<path class=\"value\" d=\"");
	pen_move(&pen, STEP_MIN, y_of(band->median[0], top));
	for (size_t i = 1; i < band->len; i++)
		pen_line(&pen, (int)(i + 1) * STEP_MIN, y_of(band->median[i], top));
	pen_lift(&pen);
	html_lit(out, "\"><title>median</title></path>");
}

static void put_limits(const struct band_chart *chart, double top, struct buf *out)
{
	html_lit(out, "<path class=\"peak\" d=\"");
	for (int i = 0; i < BAND_LIMITS; i++)
		if (!isnan(chart->limits[i]))
			buf_addf(out, "M0 %dh%d", y_of(chart->limits[i], top), WIDTH);
	buf_addf(out, "\"/><line x1=\"%d\" x2=\"%d\" y2=\"%d\"/></svg>", FORECAST_30M * STEP_MIN,
		 FORECAST_30M * STEP_MIN, HEIGHT);
}

/* Positions in percent of the plot, which the nested drawing fills. */
static void put_labels(const struct band_chart *chart, double top, struct buf *out)
{
	for (int i = 0; i < BAND_LIMITS; i++) {
		if (isnan(chart->limits[i]))
			continue;
		buf_addf(out, "<text class=\"end over\" x=\"100%%\" y=\"%d%%\">",
			 y_of(chart->limits[i], top) / 2);
		fmt_scale(out, chart->limits[i]);
		html_lit(out, "</text>");
	}
	html_lit(out, "<text class=\"top\" x=\"0\" y=\"0\">");
	fmt_scale(out, top);
	html_lit(out, "</text><text class=\"soon\" x=\"6%\" y=\"100%\">30 min</text>"
		      "<text x=\"0\" y=\"100%\">0</text>");
	for (int hour = 4; hour <= 8; hour += 4)
		buf_addf(out, "<text class=\"%s\" x=\"%d%%\" y=\"100%%\">%d h</text>",
			 hour == 8 ? "end" : "middle", hour * 100 / 8, hour);
}

static void put_value(double value, const struct band_chart *chart, struct buf *out)
{
	fmt_number(out, value, 1);
	if (chart->unit[0])
		buf_addf(out, "%s%s", chart->band->percent ? "" : " ", chart->unit);
}

/* Where there is room for it. */
static void put_vague_words(const struct band *band, double top, struct buf *out)
{
	size_t vague = band_vague(band, top);

	if (band->range_len - vague >= LABEL_STEPS)
		buf_addf(out,
			 "<text class=\"middle says\" x=\"%zu%%\" y=\"50%%\">the forecast says "
			 "nothing here</text>",
			 (vague + band->range_len) * 50 / FORECAST_STEPS);
}

static void put_words(const struct band_chart *chart, double top, struct buf *out)
{
	const struct band *band = chart->band;
	size_t at = 0;

	for (size_t i = 1; i < band->len; i++)
		if (band->median[i] > band->median[at])
			at = i;
	buf_addf(out, "<title>%s, next 8 hours</title><desc>Median ", chart->title);
	put_value(band->median[0], chart, out);
	buf_addf(out, " in %d min, ", STEP_MIN);
	put_value(band->median[band->len - 1], chart, out);
	buf_addf(out, " in %zu min, maximum ", band->len * STEP_MIN);
	put_value(band->median[at], chart, out);
	buf_addf(out, " in %zu min", (at + 1) * STEP_MIN);
	if (band->range_len > 0) {
		html_lit(out, "; p90 up to ");
		put_value(highest(band), chart, out);
	}
	if (band_vague(band, top) < band->range_len)
		buf_addf(out, "; from %zu min on the band is as wide as the plot",
			 (band_vague(band, top) + 1) * STEP_MIN);
	html_lit(out, "</desc>");
}

static void put_drawing(const struct band_chart *chart, struct buf *out)
{
	double top = axis_top(chart);

	buf_addf(out, "<svg class=\"lines fan\" role=\"img\" data-top=\"%g\" data-unit=\"%s\">",
		 top, chart->unit);
	put_words(chart, top, out);
	buf_addf(out, "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\">", WIDTH, HEIGHT);
	put_ranges(chart->band, top, out);
	put_median(chart->band, top, out);
	put_limits(chart, top, out);
	put_labels(chart, top, out);
	put_vague_words(chart->band, top, out);
	html_lit(out, "</svg>");
}

/* ---- the same as a table ---- */

static void put_row(const struct band_chart *chart, size_t i, struct buf *out)
{
	const struct band *band = chart->band;
	bool ranged = i < band->range_len;

	buf_addf(out, "<tr><th scope=\"row\">%zu min</th><td>", (i + 1) * STEP_MIN);
	fmt_number(out, ranged ? band->low[i] : NAN, 1);
	html_lit(out, "</td><td>");
	fmt_number(out, band->median[i], 1);
	html_lit(out, "</td><td>");
	fmt_number(out, ranged ? band->high[i] : NAN, 1);
	html_lit(out, "</td></tr>");
}

static void put_table(const struct band_chart *chart, struct buf *out)
{
	buf_addf(out,
		 "<details><summary>Data table</summary><table class=\"numbers\"><caption>%s%s%s, "
		 "in 30 minutes and every two hours</caption><thead><tr><th scope=\"col\">In</th>"
		 "<th scope=\"col\">p10</th><th scope=\"col\">Median</th>"
		 "<th scope=\"col\">p90</th></tr></thead><tbody>",
		 chart->title, chart->unit[0] ? ", " : "", chart->unit);
	if (chart->band->len >= FORECAST_30M)
		put_row(chart, FORECAST_30M - 1, out);
	for (size_t i = TABLE_STEP - 1; i < chart->band->len; i += TABLE_STEP)
		put_row(chart, i, out);
	html_lit(out, "</tbody></table></details>");
}

void chart_band(const struct band_chart *chart, struct buf *out)
{
	if (!chart->band->len) {
		html_lit(out, "<p class=\"note\">There is no forecast of ");
		html_str(out, chart->title);
		html_lit(out, ".</p>");
		return;
	}
	html_lit(out, "<figure>");
	put_drawing(chart, out);
	buf_addf(out, "<figcaption>%s, median and p10 to p90; %s</figcaption>", chart->title,
		 chart->provenance);
	put_table(chart, out);
	html_lit(out, "</figure>");
}
