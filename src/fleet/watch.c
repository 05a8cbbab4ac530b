/* SPDX-License-Identifier: MIT */
/* The step of the warnings: the old record is read and the new one written server by server. */
#include "config.h"
#include "fleet/watch.h"

#include <math.h>
#include <stdlib.h>

#include "base/pack.h"
#include "fleet/accuracy.h"
#include "fleet/risk.h"

#define MAGIC    "TFTo"
#define BODY_MAX (16u << 20)
#define TIME_MAX INT64_C(1000000000000000)

/* ---- a server and a limit ---- */

static double value_of(const struct server *server, const struct warning_limit *limit)
{
	/* The component that is about now comes before the one that is predicted. */
	if (limit->kind == WARNING_RISK)
		return risk_value(server, (enum component)(limit->index - 1));
	return server->series ? server->series->current[crossing_table[limit->index].metric]
			      : (double)NAN;
}

enum watch_seen watch_see(const struct server *server, size_t limit)
{
	bool above;
	double at = warning_limit_of(limit, server->profile == PROFILE_DATABASE, &above);
	double value = value_of(server, &warning_limits[limit]);

	if (isnan(value))
		return WATCH_NOTHING;
	return value > at || (!above && value == at) ? WATCH_AT : WATCH_BELOW;
}

bool watch_warns(const struct server *server, size_t limit)
{
	const struct warning_limit *l = &warning_limits[limit];
	const struct crossing *crossing;

	if (l->kind == WARNING_RISK)
		return server->points[l->index] > 0;
	crossing = &server->crossings[l->index];
	/* One that is critical is on its way through the limit of a warning. */
	return crossing->steps > 0 && (crossing->critical || l->kind == WARNING_WARNING);
}

/* ---- what is known of them ---- */

enum mode {
	UNKNOWN,
	BELOW,  /* in the bucket of the record */
	WARNED, /* and since when */
	AT,     /* and when last */
};

struct watch {
	enum mode mode;
	int64_t ms;
};

/* Of one server. */
struct watches {
	struct watch of[WARNING_LIMITS];
	struct span name;
};

/* ---- the record ---- */

static unsigned set_of(const struct watches *watches, enum mode mode)
{
	unsigned set = 0;

	for (unsigned l = 0; l < WARNING_LIMITS; l++)
		set |= (unsigned)(watches->of[l].mode == mode) << l;
	return set;
}

static void put_watches(const struct watches *watches, int64_t at_ms, struct buf *out)
{
	unsigned warned = set_of(watches, WARNED), at = set_of(watches, AT);
	unsigned known = set_of(watches, BELOW) | warned | at;

	if (!known)
		return;
	bytes_put_text(out, watches->name);
	bytes_put_int(out, known, 2);
	bytes_put_int(out, warned, 2);
	bytes_put_int(out, at, 2);
	for (unsigned l = 0; l < WARNING_LIMITS; l++)
		if ((warned | at) >> l & 1)
			bytes_put_varint(out, at_ms - watches->of[l].ms);
}

static struct watch get_watch(struct bytes_reader *r, int64_t at_ms, bool warned, bool at)
{
	int64_t ago;

	if (!warned && !at)
		return (struct watch){BELOW, 0};
	ago = bytes_get_varint(r);
	r->bad |= (warned && at) || ago < 0 || ago > at_ms;
	return (struct watch){warned ? WARNED : AT, at_ms - ago};
}

static void get_watches(struct bytes_reader *r, int64_t at_ms, struct watches *watches)
{
	unsigned all = (1u << WARNING_LIMITS) - 1, known, warned, at;
	size_t len = (size_t)bytes_get_upto(r, 1, SNAPSHOT_NAME_MAX);

	*watches = (struct watches){.name = bytes_get(r, len)};
	known = (unsigned)bytes_get_upto(r, 2, all);
	warned = (unsigned)bytes_get_upto(r, 2, all);
	at = (unsigned)bytes_get_upto(r, 2, all);
	r->bad |= ((warned | at) & ~known) != 0;
	for (unsigned l = 0; l < WARNING_LIMITS && !r->bad; l++)
		if (known >> l & 1)
			watches->of[l] = get_watch(r, at_ms, warned >> l & 1, at >> l & 1);
}

/* ---- the step of one server and limit ---- */

struct run {
	struct watch_step *step;
	struct bytes_reader before;
	struct watches next; /* of the old record; an empty name: it is over */
	int64_t last_ms;     /* of the old record */
	int64_t now_ms;
	struct buf body;
};

struct subject {
	struct span name;
	enum profile profile;
	size_t limit;
};

static void tell(struct run *run, struct subject who, enum warning_outcome outcome,
		 int64_t warned_ms)
{
	struct warning_sums *sums = &run->step->hour->sums[who.limit][who.profile];
	struct warning_event event = {.outcome = outcome,
				      .limit = who.limit,
				      .profile = who.profile,
				      .warned_ms = warned_ms};

	sums->outcomes[outcome]++;
	if (outcome == WARNING_HIT)
		sums->leads[(run->now_ms - warned_ms) / 60000]++;
	if (run->step->outcomes++ < WARNINGS_TOLD)
		warnings_put_line(&event, who.name, run->step->told);
}

/* Whether the warning is open no longer. */
static bool settle(struct run *run, struct subject who, int64_t warned_ms, enum watch_seen seen)
{
	int64_t over_ms = run->now_ms - warned_ms - horizon_ms(warning_horizon(who.limit));

	if (over_ms >= ACCURACY_LATE_MS)
		tell(run, who, WARNING_LOST, warned_ms);
	else if (seen == WATCH_AT)
		tell(run, who, WARNING_HIT, warned_ms);
	else if (seen == WATCH_BELOW && over_ms >= 0)
		tell(run, who, WARNING_FALSE, warned_ms);
	else
		return false;
	return true;
}

/* A limit that was reached a horizon after the server was last seen could not be warned of. */
static void count_miss(struct run *run, struct subject who)
{
	if (run->now_ms - run->last_ms <= horizon_ms(warning_horizon(who.limit)))
		tell(run, who, WARNING_MISS, 0);
}

static struct watch go_on(struct run *run, struct subject who, struct watch was,
			  enum watch_seen seen, bool warns)
{
	bool near = was.mode == AT && run->now_ms - was.ms < WATCH_AWAY_MS;

	if (was.mode == WARNED && settle(run, who, was.ms, seen))
		was.mode = UNKNOWN;
	if (was.mode == BELOW && seen == WATCH_AT)
		count_miss(run, who);
	if (seen == WATCH_AT)
		return (struct watch){AT, run->now_ms};
	if (was.mode == WARNED || near)
		return was;
	if (seen == WATCH_NOTHING)
		return (struct watch){UNKNOWN, 0};
	return warns ? (struct watch){WARNED, run->now_ms} : (struct watch){BELOW, 0};
}

/* ---- all servers ---- */

/* server: NULL, or silent: nothing is known of it. */
static void go_on_server(struct run *run, struct watches *watches, const struct server *server)
{
	bool mute = !server || server_is_silent(server, run->step->snap->gen_ms);

	struct subject who = {watches->name, profile_of(watches->name), 0};

	for (; who.limit < WARNING_LIMITS; who.limit++) {
		enum watch_seen seen = mute ? WATCH_NOTHING : watch_see(server, who.limit);
		bool warns = seen == WATCH_BELOW && watch_warns(server, who.limit);

		watches->of[who.limit] = go_on(run, who, watches->of[who.limit], seen, warns);
	}
	put_watches(watches, run->now_ms, &run->body);
}

/* Names must rise, or the record is not ours. */
static void read_next(struct run *run)
{
	struct span last = run->next.name;

	run->next = (struct watches){.name = {NULL, 0}};
	if (run->before.bad || run->before.rest.len == 0)
		return;
	get_watches(&run->before, run->last_ms, &run->next);
	run->before.bad |= span_cmp(run->next.name, last) <= 0;
}

static bool has_next(const struct run *run)
{
	return run->next.name.len > 0 && !run->before.bad;
}

/* Those that come before the server are not there any more. */
static void step_server(struct run *run, const struct server *server)
{
	struct watches watches = {.name = server->name};

	while (has_next(run) && span_cmp(run->next.name, server->name) < 0) {
		go_on_server(run, &run->next, NULL);
		read_next(run);
	}
	if (has_next(run) && span_eq(run->next.name, server->name)) {
		watches = run->next;
		read_next(run);
	}
	go_on_server(run, &watches, server);
}

static void step_all(struct run *run)
{
	const struct snapshot *snap = run->step->snap;
	const struct server **servers = snapshot_by_name(snap);

	if (!servers && snap->count)
		buf_fail(&run->body);
	for (size_t i = 0; servers && i < snap->count; i++)
		step_server(run, servers[i]);
	while (has_next(run)) {
		go_on_server(run, &run->next, NULL);
		read_next(run);
	}
	free(servers);
}

/* One from the future is of a clock that has been set back. */
static void open_before(struct run *run)
{
	if (!run->step->before.len)
		return;
	run->before = pack_open(run->step->before, MAGIC, WATCH_FORMAT);
	run->last_ms = (int64_t)bytes_get_int(&run->before, 8);
	run->before.bad |= run->last_ms < 0 || run->last_ms > TIME_MAX;
	if (run->last_ms >= run->now_ms)
		run->before.rest.len = 0;
	read_next(run);
}

int watch_step(struct watch_step *step)
{
	struct run run = {.step = step, .now_ms = snapshot_bucket_ms(step->snap)};

	step->outcomes = 0;
	buf_init(&run.body, BODY_MAX);
	bytes_put_int(&run.body, (uint64_t)run.now_ms, 8);
	open_before(&run);
	step_all(&run);
	pack_seal(MAGIC, WATCH_FORMAT, &run.body, step->after);
	buf_free(&run.body);
	return run.before.bad ? -1 : 0;
}
