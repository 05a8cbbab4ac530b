/* SPDX-License-Identifier: MIT */
/*
 * The documentation (doc/pages.md#documents-and-errors). Every number comes from the tables that
 * the program itself uses, and the example is computed by the scoring function. Prose without
 * numbers is in src/text. The page is shown even without data.
 */
#include "config.h"
#include "pages/contents.h"

#include <math.h>

#include "base/fmt.h"
#include "base/html.h"
#include "fleet/accuracy.h"
#include "pages/layout.h"
#include "fleet/risk.h"
#include "fleet/rules.h"
#include "text.h"

static const char *sign(bool above)
{
	return above ? "&gt;" : "≥";
}

static void put_scope(struct buf *out)
{
	html_lit(out, TEXT_DOCS_SCOPE);
}

static void put_pages(struct buf *out)
{
	html_lit(out, TEXT_DOCS_PAGES);
}

static void put_words(struct buf *out)
{
	html_lit(out, TEXT_DOCS_WORDS);
}

/* ---- the score ---- */

/* A made-up database server under load. */
static struct server example_server(void)
{
	struct server s = {
		.name = SPAN("ppdb007"),
		.cpu = {.now = 96, .worst = 99},
		.iowait = {.now = 12, .worst = 22},
		.memory = {.now = 97, .worst = 98.5},
		.load = {.now = 7, .worst = 9},
	};

	s.profile = profile_of(s.name);
	risk_score(&s);
	return s;
}

static const char *part_name(enum component component)
{
	return risk_rule(component)->predicted ? "predicted" : "now";
}

static void put_example(struct buf *out)
{
	static const char *const columns[] = {"Component", "Value", "Points",
					      "Weight",    "Risk",  NULL};
	const struct server s = example_server();
	const double values[COMPONENT_COUNT] = {
		s.cpu.now,    s.cpu.worst,    s.iowait.now, s.iowait.worst,
		s.memory.now, s.memory.worst, s.load.now,   s.load.worst,
	};

	html_lit(out, "<p>A server named <code>");
	html_text(out, s.name);
	buf_addf(out,
		 "</code> (%s). Each component adds the points of the highest step it reaches.</p>",
		 profile_table[s.profile].name);
	layout_table_begin("From values to a risk", columns, out);
	for (int i = 0; i < COMPONENT_COUNT; i++) {
		const struct risk_rule *rule = risk_rule((enum component)i);

		buf_addf(out,
			 "<tr><th scope=\"row\">%s</th><td>%g</td><td>%d</td><td>0.%d</td><td>",
			 rule->label, values[i], s.points[i], rule->weight);
		fmt_tenths(out, rule->weight * s.points[i]);
		html_lit(out, "</td></tr>");
	}
	layout_table_end(out);
	html_lit(out, "<p>The sum is ");
	fmt_tenths(out, s.risk);
	html_lit(out, ": ");
	layout_level(level_of(s.risk), out);
	html_lit(out, "</p>");
}

static void put_steps(const struct risk_step *steps, bool above, struct buf *out)
{
	for (size_t i = 0; i < RISK_STEPS; i++)
		if (steps[i].points)
			buf_addf(out, "%s%s %g: %d", i ? "; " : "", sign(above), steps[i].limit,
				 steps[i].points);
}

static void put_rule(enum component component, const struct risk_step *steps, const char *whose,
		     struct buf *out)
{
	const struct risk_rule *rule = risk_rule(component);

	buf_addf(out, "<tr><th scope=\"row\">%s%s</th><td>%s</td><td>", rule->label, whose,
		 part_name(component));
	put_steps(steps, rule->above, out);
	html_lit(out, "</td></tr>");
}

static void put_rules(struct buf *out)
{
	static const char *const columns[] = {"Component", "Part", "Steps and their points", NULL};

	buf_addf(out,
		 "<p>Risk = 0.%d × the points of now + 0.%d × the points of predicted, at most %d. "
		 "Only the highest step of each component counts. Predicted means the worst case "
		 "of the next 30 minutes. Swap, disk, Java, network, sockets and uptime add no "
		 "points. A database fills its memory with page cache on purpose, so its limits "
		 "are wider.</p>",
		 RISK_WEIGHT_NOW, RISK_WEIGHT_PREDICTED, RISK_MAX / 10);
	layout_table_begin("Points", columns, out);
	for (int i = 0; i < COMPONENT_COUNT; i++) {
		enum component c = (enum component)i;
		const struct risk_step *others = risk_steps(c, false),
				       *database = risk_steps(c, true);

		put_rule(c, others, others == database ? "" : ", not Database", out);
		if (others != database)
			put_rule(c, database, ", Database", out);
	}
	layout_table_end(out);
}

/* ---- scales ---- */

static void put_levels(struct buf *out)
{
	static const char *const columns[] = {
		"Level", "Code", "Risk", "Alert table", "Counts as healthy", NULL};

	layout_table_begin("One scale for tables, tiles, bars and history", columns, out);
	for (int i = 0; i < LEVEL_COUNT; i++) {
		const struct level_info *level = &level_table[i];
		bool alert = level->from >= RISK_ALERT;

		html_lit(out, "<tr><th scope=\"row\">");
		layout_level((enum level)i, out);
		buf_addf(out, "</th><td>%s</td><td>", level->code);
		if (level->from)
			buf_addf(out, "≥ %d", level->from / 10);
		else
			buf_addf(out, "&lt; %d", level_table[i - 1].from / 10);
		buf_addf(out, "</td><td>%s</td><td>%s</td></tr>", alert ? "yes" : "no",
			 alert ? "no" : "yes");
	}
	layout_table_end(out);
}

static void put_mark_limit(const struct mark_info *info, enum mark mark, struct buf *out)
{
	buf_addf(out, "<td%s>", layout_mark(mark));
	if (isinf(info->limit[mark]))
		html_lit(out, "never");
	else
		buf_addf(out, "%s %g", sign(info->above), info->limit[mark]);
	html_lit(out, "</td>");
}

static void put_marks(struct buf *out)
{
	static const char *const columns[] = {"Metric", "Red", "Orange", "Yellow", NULL};

	layout_table_begin("Marks in front of a value", columns, out);
	for (int i = 0; i < MARK_KINDS; i++) {
		buf_addf(out, "<tr><th scope=\"row\">%s</th>", mark_table[i].label);
		for (int mark = MARK_RED; mark > MARK_NONE; mark--)
			put_mark_limit(&mark_table[i], (enum mark)mark, out);
		html_lit(out, "</tr>");
	}
	layout_table_end(out);
}

static void put_prefixes(enum profile profile, struct buf *out)
{
	const char *comma = "";

	for (size_t i = 0; i < PROFILE_PREFIXES; i++) {
		if (profile_prefixes[i].profile != profile)
			continue;
		buf_addf(out, "%s<code>%s</code>", comma, profile_prefixes[i].prefix);
		comma = ", ";
	}
	if (!*comma)
		html_lit(out, "anything else");
}

static void put_profiles(struct buf *out)
{
	static const char *const columns[] = {"Profile", "Name begins with", NULL};

	html_lit(out, "<p>The longest matching prefix decides; upper and lower case are the "
		      "same.</p>");
	layout_table_begin("Profiles", columns, out);
	for (int i = 0; i < PROFILE_COUNT; i++) {
		buf_addf(out, "<tr><th scope=\"row\">%s</th><td>", profile_table[i].name);
		put_prefixes((enum profile)i, out);
		html_lit(out, "</td></tr>");
	}
	layout_table_end(out);
}

static void put_columns(struct buf *out)
{
	html_lit(out, TEXT_DOCS_COLUMNS);
}

static void put_triage(struct buf *out)
{
	html_lit(out, TEXT_DOCS_TRIAGE);
}

/* ---- the whole fleet ---- */

static void put_environment(struct buf *out)
{
	static const char *const columns[] = {"Status", "When", NULL};

	html_lit(out,
		 "<p>The first line that applies decides. A share of exactly the limit is not more "
		 "than the limit.</p>");
	layout_table_begin("Environment status", columns, out);
	for (size_t i = 0; i < STATUS_RULES; i++) {
		html_lit(out, "<tr><th scope=\"row\">");
		layout_status(status_rules[i].status, out);
		buf_addf(out,
			 "</th><td>more than %u%% of the servers at risk %d or above</td></tr>",
			 10 * status_rules[i].over, level_table[status_rules[i].from].from / 10);
	}
	html_lit(out, "<tr><th scope=\"row\">");
	layout_status(STATUS_HEALTHY, out);
	html_lit(out, "</th><td>otherwise</td></tr><tr><th scope=\"row\">");
	layout_status(STATUS_UNKNOWN, out);
	html_lit(out, "</th><td>no servers</td></tr>");
	layout_table_end(out);
	buf_addf(out, "<p>“Healthy servers” are always those with a risk below %d.</p>",
		 RISK_ALERT / 10);
}

static void put_trends(struct buf *out)
{
	html_lit(out, TEXT_DOCS_TRENDS);
}

static void put_index(struct buf *out)
{
	static const char *const columns[] = {"Card", "30 minutes", "8 hours", NULL};

	html_lit(out, TEXT_DOCS_INDEX);
	layout_table_begin("Prediction card: one index above its limit is enough", columns, out);
	for (size_t i = 0; i < INDEX_RULES; i++)
		buf_addf(out,
			 "<tr><th scope=\"row\">%s</th><td>&gt; %.0f%%</td><td>&gt; "
			 "%.0f%%</td></tr>",
			 status_table[index_rules[i].status].capital, 100 * index_rules[i].over_30m,
			 100 * index_rules[i].over_8h);
	layout_table_end(out);
}

static void put_accuracy(struct buf *out)
{
	static const char *const columns[] = {"Verdict", "Meaning", NULL};
	static const char *const meanings[ACCURACY_VERDICTS] = {
		[ACCURACY_WORSE] = "the guess “no change” would have been better",
		[ACCURACY_NARROW] = "the band holds too few values: it is over-confident",
		[ACCURACY_WIDE] = "the band holds too many: it says little",
		[ACCURACY_GOOD] = "the band holds about what it should",
		[ACCURACY_FEW] = "not enough values for a verdict",
	};

	buf_addf(out,
		 "<p>Each forecast is compared with what came true 30 min to 8 h later. The sums "
		 "are kept for %d days; a verdict needs %d values. <a href=\"accuracy\">The "
		 "scores</a></p><dl><dt>Band</dt><dd>from p10 to p90 of a forecast</dd>"
		 "<dt>Coverage</dt><dd>the share of the values inside the band; %d%% is right</dd>"
		 "<dt>95%% interval</dt><dd>where the coverage would be with ever more values; all "
		 "values of an hour, or of the horizon where that is longer, count as "
		 "dependent</dd>"
		 "<dt>Median error</dt><dd>the mean distance of p50 from the value</dd>"
		 "<dt>Bias</dt><dd>the mean of p50 less the value; positive: forecasts are too "
		 "high</dd>"
		 "<dt>Skill</dt><dd>the share of the error of the naive guess “no change” that the "
		 "forecast avoids; below 0 it is worse than that guess</dd></dl>",
		 ACCURACY_DAYS, ACCURACY_ENOUGH, ACCURACY_NOMINAL);
	layout_table_begin("Verdicts, the first that applies", columns, out);
	for (int i = 0; i < ACCURACY_VERDICTS; i++)
		buf_addf(out,
			 "<tr><th scope=\"row\"><b aria-hidden=\"true\">%s</b> "
			 "%s</th><td>%s</td></tr>",
			 accuracy_verdict_table[i].glyph, accuracy_verdict_table[i].name,
			 meanings[i]);
	layout_table_end(out);
}

/* ---- reference ---- */

static void put_parameters(struct buf *out)
{
	static const char *const columns[] = {"Parameter", "Values", "Pages", NULL};

	html_lit(out, "<p>The address of a page holds everything chosen on it. A page ignores "
		      "parameters that it does not know, except those that ask for another time: "
		      "the present would be the wrong answer.</p>");
	layout_table_begin("Parameters", columns, out);
	for (int key = 0; key < QUERY_KEYS; key++) {
		const char *comma = "";

		buf_addf(out, "<tr><th scope=\"row\"><code>%s</code></th><td>",
			 query_key_name((enum query_key)key));
		html_str(out, query_key_values((enum query_key)key));
		html_lit(out, "</td><td>");
		for (size_t i = 0; i < page_count; i++) {
			if (!page_table[i].title || !(page_table[i].params & QUERY_BIT(key)))
				continue;
			buf_addf(out, "%s%s", comma, page_table[i].title);
			comma = ", ";
		}
		html_str(out, *comma ? "" : "all others");
		html_lit(out, "</td></tr>");
	}
	layout_table_end(out);
}

static void put_quick(struct buf *out)
{
	static const char *const columns[] = {"Level", "Risk", "First contact", "Response", NULL};

	layout_table_begin("What a level asks for", columns, out);
	for (int i = 0; i < LEVEL_COUNT; i++) {
		if (!alert_routes[i].recipients)
			continue;
		html_lit(out, "<tr><th scope=\"row\">");
		layout_level((enum level)i, out);
		buf_addf(out, "</th><td>≥ %d</td><td>%s</td><td>%s</td></tr>",
			 level_table[i].from / 10, alert_routes[i].recipients,
			 alert_routes[i].action);
	}
	layout_table_end(out);
}

static const struct {
	const char *id, *title;
	void (*put)(struct buf *out);
} sections[] = {
	{"scope", "What this is", put_scope},
	{"pages", "Pages", put_pages},
	{"words", "Words", put_words},
	{"example", "Worked example", put_example},
	{"rules", "Risk", put_rules},
	{"levels", "Levels", put_levels},
	{"marks", "Metric marks", put_marks},
	{"profiles", "Profiles", put_profiles},
	{"columns", "Columns", put_columns},
	{"triage", "Triage", put_triage},
	{"environment", "Environment status", put_environment},
	{"trends", "Trends and forecasts", put_trends},
	{"accuracy", "Accuracy of forecasts", put_accuracy},
	{"index", "Upstream index", put_index},
	{"parameters", "Addresses", put_parameters},
	{"quick", "Quick reference", put_quick},
};

#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

void page_docs(const struct view *view, struct buf *out)
{
	(void)view;
	html_lit(out, "<h1>Documentation</h1><ul class=\"figures\">");
	for (size_t i = 0; i < SECTIONS; i++)
		buf_addf(out, "<li><a href=\"#%s\">%s</a></li>", sections[i].id, sections[i].title);
	html_lit(out, "</ul>");
	for (size_t i = 0; i < SECTIONS; i++) {
		buf_addf(out, "<section class=\"panel\" id=\"%s\"><h2>%s</h2>", sections[i].id,
			 sections[i].title);
		sections[i].put(out);
		html_lit(out, "</section>");
	}
}
