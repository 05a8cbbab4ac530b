/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "fleet/changes.h"

#include <stdlib.h>

#include "fleet/risk.h"

#define CHANGES_MAX (2 * (size_t)SNAPSHOT_SERVERS + 2)

const struct change_info change_table[CHANGE_KINDS] = {
	[CHANGE_ENVIRONMENT] = {"environment", "environment status"},
	[CHANGE_SCENARIO] = {"scenario", "scenario"},
	[CHANGE_TOGETHER] = {"together", "rose together"},
	[CHANGE_ENTERED] = {"entered", "entered the alert table"},
	[CHANGE_ROSE] = {"rose", "rose to a worse level"},
	[CHANGE_SILENT] = {"silent", "fell silent"},
	[CHANGE_VANISHED] = {"vanished", "vanished"},
	[CHANGE_LEFT] = {"left", "left the alert table"},
	[CHANGE_FELL] = {"fell", "fell to a better level"},
	[CHANGE_BACK] = {"back", "reported again"},
	[CHANGE_APPEARED] = {"appeared", "appeared"},
	[CHANGE_MOVED] = {"moved", "moved"},
};

const char *const cause_names[CAUSES] = {
	[CAUSE_CPU] = "CPU",
	[CAUSE_IOWAIT] = "I/O wait",
	[CAUSE_MEMORY] = "Memory",
	[CAUSE_LOAD] = "Load",
};

/* Components stand in pairs, now and predicted, in the order of the causes. */
static enum cause cause_of_component(int component)
{
	return (enum cause)(component / 2);
}

/* ---- one server ---- */

/* What is compared of a server at one moment. */
struct side {
	bool there, alert, silent;
	int risk;
	enum level level;
};

static struct side side_of(const struct server *server, int64_t gen_ms)
{
	if (!server)
		return (struct side){.level = LEVEL_HEALTHY};
	return (struct side){.there = true,
			     .alert = server->risk >= RISK_ALERT,
			     .silent = server_is_silent(server, gen_ms),
			     .risk = server->risk,
			     .level = level_of(server->risk)};
}

static bool has_entered(const struct side *then, const struct side *now)
{
	return now->alert && !then->alert;
}

static bool has_risen(const struct side *then, const struct side *now)
{
	return then->there && now->level < then->level;
}

static bool is_silent(const struct side *then, const struct side *now)
{
	return now->silent && !then->silent;
}

static bool has_vanished(const struct side *then, const struct side *now)
{
	(void)then;
	return !now->there;
}

static bool has_left(const struct side *then, const struct side *now)
{
	return then->alert && !now->alert;
}

static bool has_fallen(const struct side *then, const struct side *now)
{
	return now->level > then->level;
}

static bool is_back(const struct side *then, const struct side *now)
{
	return then->silent && !now->silent;
}

static bool has_appeared(const struct side *then, const struct side *now)
{
	(void)now;
	return !then->there;
}

static bool has_moved(const struct side *then, const struct side *now)
{
	return abs(now->risk - then->risk) >= CHANGES_MOVED;
}

/* A server has the first change that holds. They are ordered by importance. */
static const struct {
	enum change_kind kind;
	bool (*holds)(const struct side *then, const struct side *now);
} rules[] = {
	{CHANGE_ENTERED, has_entered}, {CHANGE_ROSE, has_risen},
	{CHANGE_SILENT, is_silent},    {CHANGE_VANISHED, has_vanished},
	{CHANGE_LEFT, has_left},       {CHANGE_FELL, has_fallen},
	{CHANGE_BACK, is_back},        {CHANGE_APPEARED, has_appeared},
	{CHANGE_MOVED, has_moved},
};

/* CHANGE_KINDS: none. */
static enum change_kind kind_of(const struct side *then, const struct side *now)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].holds(then, now))
			return rules[i].kind;
	return CHANGE_KINDS;
}

int change_of_risk(const struct change *change)
{
	return (change->now ? change->now->risk : 0) - (change->then ? change->then->risk : 0);
}

static enum cause cause_of(const struct change *change)
{
	int grown[CAUSES] = {0}, most = 0;

	if (!change->now || change_of_risk(change) <= 0)
		return CAUSE_NONE;
	for (int c = 0; c < COMPONENT_COUNT; c++) {
		int before = change->then ? change->then->points[c] : 0;

		grown[cause_of_component(c)] +=
			risk_rule((enum component)c)->weight * (change->now->points[c] - before);
	}
	for (int c = 1; c < CAUSES; c++)
		if (grown[c] > grown[most])
			most = c;
	return (enum cause)most;
}

static bool is_rise(const struct change *change)
{
	return change->kind == CHANGE_ENTERED || change->kind == CHANGE_ROSE;
}

/* 0: it may have been at its level before anything is known of it. */
static int64_t time_of_rise(const struct snapshot *snap, const struct server *server)
{
	int64_t since_ms = server_level_since(server);

	return since_ms > snap->watched_from_ms ? since_ms : 0;
}

/* ---- the list ---- */

static void add(struct changes *changes, struct change change)
{
	buf_add(&changes->list, &change, sizeof(change));
}

static void add_server(struct changes *changes, const struct server *then, const struct server *now)
{
	struct side before = side_of(then, changes->then->gen_ms);
	struct side after = side_of(now, changes->now->gen_ms);
	struct change change = {.kind = kind_of(&before, &after), .then = then, .now = now};

	if (change.kind == CHANGE_KINDS)
		return;
	change.cause = cause_of(&change);
	if (is_rise(&change))
		change.rose_ms = time_of_rise(changes->now, now);
	add(changes, change);
}

enum status changes_status(const struct snapshot *snap)
{
	struct fleet_counts n;

	snapshot_count(snap, &n);
	return status_of_fleet(n.total, n.or_worse);
}

static bool is_told(const struct scenario *scenario)
{
	return scenario->configured && scenario->known;
}

static void add_fleet(struct changes *changes)
{
	const struct snapshot *then = changes->then, *now = changes->now;

	if (changes_status(then) != changes_status(now))
		add(changes, (struct change){.kind = CHANGE_ENVIRONMENT, .cause = CAUSE_NONE});
	if (is_told(&then->scenario) && is_told(&now->scenario) &&
	    strcmp(then->scenario.name, now->scenario.name) != 0)
		add(changes, (struct change){.kind = CHANGE_SCENARIO, .cause = CAUSE_NONE});
}

struct choice {
	change_match match;
	const void *ctx;
};

static bool is_chosen(const struct choice *choice, const struct server *server)
{
	return server && (!choice->match || choice->match(choice->ctx, server));
}

/* Both sides are ordered by name: a merge of two sorted lists. */
static void join(struct changes *changes, const struct server *const *then,
		 const struct server *const *now, const struct choice *choice)
{
	size_t i = 0, j = 0, then_count = then ? changes->then->count : 0,
	       now_count = now ? changes->now->count : 0;

	while (i < then_count || j < now_count) {
		int order = i == then_count  ? 1
			    : j == now_count ? -1
					     : span_cmp(then[i]->name, now[j]->name);
		const struct server *before = order <= 0 ? then[i++] : NULL;
		const struct server *after = order >= 0 ? now[j++] : NULL;

		if (is_chosen(choice, before) || is_chosen(choice, after))
			add_server(changes, before, after);
	}
}

static int join_servers(struct changes *changes, const struct choice *choice)
{
	const struct server **then = snapshot_by_name(changes->then);
	const struct server **now = snapshot_by_name(changes->now);
	bool whole = (then || !changes->then->count) && (now || !changes->now->count);

	if (whole)
		join(changes, then, now, choice);
	free(then);
	free(now);
	return whole && buf_ok(&changes->list) ? 0 : -1;
}

static size_t count_of(const struct changes *changes)
{
	return changes->list.len / sizeof(struct change);
}

static struct change *list_of(const struct changes *changes)
{
	return (struct change *)changes->list.data;
}

/* ---- order ---- */

/* Changes of a kind are ordered by size if the risk went down or only moved, else by the risk. */
static int weight_of(const struct change *change)
{
	if (change->kind == CHANGE_LEFT || change->kind == CHANGE_FELL ||
	    change->kind == CHANGE_MOVED)
		return abs(change_of_risk(change));
	return change_server(change)->risk;
}

static int by_size(const struct change *a, const struct change *b)
{
	int difference;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (!change_server(a))
		return 0;
	difference = weight_of(b) - weight_of(a);
	return difference ? difference : span_cmp(change_server(a)->name, change_server(b)->name);
}

static enum change_kind told_as(const struct change *change)
{
	return change->group ? CHANGE_TOGETHER : change->kind;
}

static int by_importance(const void *left, const void *right)
{
	const struct change *a = left, *b = right;

	if (told_as(a) != told_as(b))
		return told_as(a) < told_as(b) ? -1 : 1;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return by_size(a, b);
}

/* Rises first. */
static int by_time(const void *left, const void *right)
{
	const struct change *a = left, *b = right;

	if (is_rise(a) != is_rise(b))
		return is_rise(a) ? -1 : 1;
	return (a->rose_ms > b->rose_ms) - (a->rose_ms < b->rose_ms);
}

static void sort(struct changes *changes, int (*order)(const void *left, const void *right))
{
	if (count_of(changes) > 1)
		qsort(changes->list.data, count_of(changes), sizeof(struct change), order);
}

/* ---- together ---- */

/* Number of changes by cause and by profile. */
struct tally {
	int cause[CAUSES], profile[PROFILE_COUNT];
};

/* by: 1 or -1; 0: it does not count. */
static void count_in(struct tally *tally, const struct change *change, int by)
{
	tally->profile[change_server(change)->profile] += by;
	if (change->cause != CAUSE_NONE)
		tally->cause[change->cause] += by;
}

/* Index of the largest, the first of equals. */
static int most_of(const int *counts, int n)
{
	int most = 0;

	for (int i = 1; i < n; i++)
		if (counts[i] > counts[most])
			most = i;
	return most;
}

/* Rises that have something in common. */
struct common {
	int count;
	bool by_profile; /* else by cause */
	int which;
	int64_t to_ms; /* the last of them */
};

/* Of equal ones a cause comes first. */
static struct common largest_of(const struct tally *tally, int64_t to_ms)
{
	int cause = most_of(tally->cause, CAUSES);
	int profile = most_of(tally->profile, PROFILE_COUNT);

	if (tally->profile[profile] > tally->cause[cause])
		return (struct common){tally->profile[profile], true, profile, to_ms};
	return (struct common){tally->cause[cause], false, cause, to_ms};
}

static bool is_larger(const struct common *a, const struct common *b)
{
	return a->count > b->count || (a->count == b->count && !a->by_profile && b->by_profile);
}

/* The largest of all rises within CHANGES_WITHIN_MS of each other that are in no group yet. They are
 * ordered by time, and those of an unknown time are together. */
static struct common find_common(const struct change *rise, size_t count)
{
	struct common most = {0}, here;
	struct tally window = {0};
	size_t first = 0;

	for (size_t i = 0; i < count; i++) {
		count_in(&window, &rise[i], !rise[i].group);
		for (; rise[i].rose_ms - rise[first].rose_ms > CHANGES_WITHIN_MS; first++)
			count_in(&window, &rise[first], -!rise[first].group);
		if (i + 1 < count && rise[i + 1].rose_ms == rise[i].rose_ms)
			continue;
		here = largest_of(&window, rise[i].rose_ms);
		if (is_larger(&here, &most))
			most = here;
	}
	return most;
}

static bool is_in(const struct common *common, const struct change *rise)
{
	int64_t before_ms = common->to_ms - rise->rose_ms;
	int which = common->by_profile ? (int)rise->now->profile : (int)rise->cause;

	return !rise->group && which == common->which && before_ms >= 0 &&
	       before_ms <= CHANGES_WITHIN_MS;
}

static size_t count_rises(const struct changes *changes)
{
	size_t n = 0;

	while (n < count_of(changes) && is_rise(&list_of(changes)[n]))
		n++;
	return n;
}

/* The largest group first, then the largest of the rest. */
static void group_rises(struct changes *changes)
{
	size_t count = count_rises(changes);
	struct change *rise = list_of(changes);
	struct common common = find_common(rise, count);

	for (unsigned group = 1; common.count >= CHANGES_TOGETHER; group++) {
		for (size_t i = 0; i < count; i++)
			if (is_in(&common, &rise[i]))
				rise[i].group = group;
		common = find_common(rise, count);
	}
}

/* ---- lines ---- */

/* The line of the changes [first, first + count). */
static void add_line(struct changes *changes, size_t first, size_t count)
{
	const struct change *change = list_of(changes) + first;
	struct change_line line = {.kind = told_as(change), .first = first, .count = count};
	struct tally tally = {0};

	line.from_ms = line.to_ms = change->rose_ms;
	for (size_t i = 0; i < count && change_server(change); i++) {
		count_in(&tally, &change[i], 1);
		if (change[i].rose_ms < line.from_ms)
			line.from_ms = change[i].rose_ms;
		if (change[i].rose_ms > line.to_ms)
			line.to_ms = change[i].rose_ms;
	}
	line.profile = (enum profile)most_of(tally.profile, PROFILE_COUNT);
	line.of_profile = (unsigned)tally.profile[line.profile];
	line.cause = (enum cause)most_of(tally.cause, CAUSES);
	line.of_cause = (unsigned)tally.cause[line.cause];
	line.by_profile = line.kind == CHANGE_TOGETHER && line.of_cause < count;
	buf_add(&changes->lines, &line, sizeof(line));
}

static bool share_a_line(const struct change *a, const struct change *b)
{
	return told_as(a) == told_as(b) && a->group == b->group;
}

/* How many changes from `first` on share a line: those of one group or kind. Other rises and servers
 * that only moved do not. */
static size_t run_length(const struct changes *changes, size_t first)
{
	const struct change *list = list_of(changes);
	enum change_kind kind = told_as(&list[first]);
	size_t end = first + 1;

	if (kind == CHANGE_ENTERED || kind == CHANGE_ROSE || kind == CHANGE_MOVED)
		return 1;
	while (end < count_of(changes) && share_a_line(&list[first], &list[end]))
		end++;
	return end - first >= CHANGES_TOGETHER ? end - first : 1;
}

/* Servers that only moved come last. */
static void make_lines(struct changes *changes)
{
	size_t moved = 0, run;

	for (size_t i = 0; i < count_of(changes) && moved < CHANGES_MOVERS; i += run) {
		run = run_length(changes, i);
		add_line(changes, i, run);
		moved += list_of(changes)[i].kind == CHANGE_MOVED;
	}
}

int changes_find(const struct snapshot *then, const struct snapshot *now, change_match match,
		 const void *ctx, struct changes *changes)
{
	struct choice choice = {match, ctx};

	*changes = (struct changes){.then = then, .now = now};
	buf_init(&changes->list, CHANGES_MAX * sizeof(struct change));
	buf_init(&changes->lines, CHANGES_MAX * sizeof(struct change_line));
	if (!match)
		add_fleet(changes);
	if (join_servers(changes, &choice) != 0)
		return -1;
	sort(changes, by_time);
	group_rises(changes);
	sort(changes, by_importance);
	make_lines(changes);
	return buf_ok(&changes->lines) ? 0 : -1;
}

void changes_free(struct changes *changes)
{
	buf_free(&changes->list);
	buf_free(&changes->lines);
}
