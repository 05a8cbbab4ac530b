/* SPDX-License-Identifier: MIT */
/* How far predicted values can be trusted, beside them: the verdict on the forecasts of the last
 * day (doc/rules.md#accuracy). */
#include "config.h"
#include "pages/pieces.h"

#include "base/html.h"
#include "pages/layout.h"

/* "band held 71% of 80%", "not enough yet: 12 of 100" */
static void put_share(const struct accuracy_score *score, struct buf *out)
{
	if (accuracy_verdict(score) == ACCURACY_FEW)
		buf_addf(out, "not enough yet: %lld of %d", (long long)score->sums.n,
			 ACCURACY_ENOUGH);
	else
		buf_addf(out, "band held %d%% of %d%%", accuracy_percent(accuracy_coverage(score)),
			 ACCURACY_NOMINAL);
}

static void put_mark(const struct accuracy_score *score, struct buf *out)
{
	enum accuracy_verdict verdict = accuracy_verdict(score);
	const struct accuracy_verdict_info *info = &accuracy_verdict_table[verdict];

	buf_addf(out, "<b aria-hidden=\"true\">%s</b> ", info->glyph);
	if (verdict != ACCURACY_FEW)
		buf_addf(out, "%s, ", info->name);
	put_share(score, out);
}

void page_trust(const struct view *view, enum kept_metric metric, size_t horizon, size_t group,
		struct buf *out)
{
	const struct accuracy_score *score =
		accuracy_of(view->accuracy, ACCURACY_USUAL, metric, horizon, group);

	buf_addf(out,
		 "<span title=\"%s, forecasts for %s, %s, last day: %lld values; the band from p10 "
		 "to p90 should hold %d%%\">",
		 accuracy_metric_table[metric].name, accuracy_horizon_table[horizon].name,
		 group == ACCURACY_ALL ? "all servers" : profile_table[group].name,
		 (long long)score->sums.n, ACCURACY_NOMINAL);
	put_mark(score, out);
	html_lit(out, "</span>");
}

void page_trust_mark(const struct view *view, enum kept_metric metric, struct buf *out)
{
	const struct accuracy_verdict_info *info;
	const struct accuracy_score *score;

	if (!view->accuracy)
		return;
	score = accuracy_of(view->accuracy, ACCURACY_USUAL, metric, 0, ACCURACY_ALL);
	info = &accuracy_verdict_table[accuracy_verdict(score)];
	html_lit(out, " <small title=\"");
	put_share(score, out);
	buf_addf(out, ", last day\"><b aria-hidden=\"true\">%s</b> %s</small>", info->glyph,
		 info->name);
}

void page_trust_line(const struct view *view, const enum kept_metric *metrics, size_t count,
		     struct buf *out)
{
	struct query whole;

	if (!view->accuracy)
		return;
	query_init(&whole);
	query_set_at(&whole, view->query->at_ms);
	html_lit(out, "<p class=\"note\" id=\"trust\"><a href=\"");
	layout_url(page_find_name("accuracy"), &whole, out);
	html_lit(out, "\">Last day’s 30-minute forecasts</a>");
	for (size_t i = 0; i < count; i++) {
		buf_addf(out, "%s%s ", i ? "; " : ": ", accuracy_metric_table[metrics[i]].name);
		page_trust(view, metrics[i], 0, ACCURACY_ALL, out);
	}
	html_lit(out, "</p>");
}
