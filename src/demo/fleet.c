/* SPDX-License-Identifier: MIT */
/*
 * The simulation. A level is built up in this order: baseline of the profile, factor of the server,
 * strain of the busy servers, daily wave, ramp of the scenario. Noise is added last, so that a ramp
 * is never a perfectly straight line.
 */
#include "config.h"
#include "fleet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS 86400000
#define TWO_PI 6.283185307179586
#define NONE   (-1.0) /* in a target table: this metric does not follow */

enum { NOISE_TICKS = 18, STRAIN_TICKS = 480, BUSY_ONE_IN = 12 };

/* The purpose of a number drawn from the hash: keeps the draws independent of each other. */
enum draw {
	DRAW_FACTOR,
	DRAW_SMOOTH,
	DRAW_JITTER,
	DRAW_AFFECTED,
	DRAW_BUSY,
	DRAW_SPREAD,
	DRAW_PHASE,
	DRAW_LOSS
};

/* Further rows of the strain table: critical after degrading, and, in a cascade, the servers that
 * wait for the databases where it begins. */
enum { ESCALATED = SCENARIO_COUNT, DOWNSTREAM };

enum { CASCADE_SOURCES = 2 };

enum kind { WEB, ML, DATABASE, ETL, RISK, GENERIC, CONDUCTOR, KINDS };

/* clang-format off */
static const struct {
	const char *prefix;
	int digits;
	int share_pct, at_most;
	double base[METRICS]; /* idle follows from the other CPU shares */
} kinds[KINDS] = {
	/* columns of base: usr sys io - java mem swap disk in out back front load uptime */
	[WEB]       = {"ppweb", 3, 28, FLEET_MAX,
		       {24, 6, 1.5, 0, 18, 48, 1.5, 42, 55, 80,  8, 14, 2.2, 26}},
	[ML]        = {"ppml", 4, 22, FLEET_MAX,
		       {42, 5, 2.0, 0,  4, 58, 2.0, 52, 22,  9,  3,  2, 3.4, 27}},
	[DATABASE]  = {"ppdb", 3, 17, FLEET_MAX,
		       {30, 8, 3.0, 0,  3, 66, 2.5, 61, 38, 44, 12,  3, 3.2, 29}},
	[ETL]       = {"ppetl", 3, 11, FLEET_MAX,
		       {34, 8, 2.6, 0, 38, 54, 3.0, 57, 74, 60,  5,  2, 3.3, 26}},
	[RISK]      = {"pprisk", 3, 9, FLEET_MAX,
		       {38, 5, 1.2, 0, 44, 56, 2.0, 36, 12,  6,  4,  2, 3.0, 27}},
	[GENERIC]   = {"ppgen", 3, 7, 10,
		       {18, 4, 1.5, 0,  8, 40, 1.0, 38,  6,  5,  3,  3, 1.6, 28}},
	[CONDUCTOR] = {"ppcon", 2, 6, FLEET_MAX,
		       {14, 4, 1.0, 0, 20, 42, 1.2, 33,  9,  7,  6,  6, 1.3, 28}},
};

static const struct {
	const char *name;
	double smooth, jitter; /* noise, half width, in units of the metric ... */
	double relative;       /* ... plus this share of the level for both */
	double daily;          /* share of the level that the daily wave moves */
	double spread;         /* how much targets differ between servers, share of the target */
	double ceiling;
	bool whole;
} metrics[METRICS] = {
	[CPU_USER]         = {"cpu_user_pct",      8.0, 5.0, 0.00,  0.10, 0.03, 100, false},
	[CPU_SYS]          = {"cpu_sys_pct",       3.0, 2.0, 0.00,  0.05, 0.10, 100, false},
	[CPU_IOWAIT]       = {"cpu_iowait_pct",    1.4, 0.8, 0.00,  0.05, 0.10, 100, false},
	[CPU_IDLE]         = {"cpu_idle_pct",      5.0, 3.0, 0.00, -0.05, 0.35, 100, false},
	[JAVA_CPU]         = {"java_cpu_pct",     12.0, 8.0, 0.00,  0.10, 0.05, 100, false},
	[MEM_USED]         = {"mem_used_pct",      2.5, 1.5, 0.00,  0.02, 0.02, 100, false},
	[SWAP_USED]        = {"swap_used_pct",     1.6, 1.0, 0.00,  0.00, 0.20, 100, false},
	[DISK_USAGE]       = {"disk_usage_pct",    4.0, 2.0, 0.00,  0.00, 0.00, 100, false},
	[NET_IN]           = {"net_in_mb_s",       0.0, 0.0, 0.40,  0.15, 0.10, HUGE_VAL, false},
	[NET_OUT]          = {"net_out_mb_s",      0.0, 0.0, 0.40,  0.15, 0.10, HUGE_VAL, false},
	[BACK_CLOSE_WAIT]  = {"back_close_wait",   2.5, 2.0, 0.25,  0.10, 0.20, HUGE_VAL, true},
	[FRONT_CLOSE_WAIT] = {"front_close_wait",  2.5, 2.0, 0.25,  0.10, 0.20, HUGE_VAL, true},
	[LOAD_AVERAGE]     = {"load_average",      1.0, 0.6, 0.00,  0.08, 0.08, HUGE_VAL, false},
	[UPTIME_DAYS]      = {"uptime_days",       0.0, 0.0, 0.00,  0.00, 0.00, 30, true},
};

/* The targets of a strained server. User, memory and database I/O wait:
 * doc/upstream.md#scenarios. */
static const struct strain {
	double target[METRICS];
	double database_iowait;
	int ramp_ticks;
	int affected_pct;
} strains[] = {
	[SCENARIO_HEALTHY] = { /* the busy servers */
		{73, 12,  6, 7, 70, 91,  9, NONE, NONE, NONE, 22, 24,  9.4, NONE}, 10,  1,  0},
	[SCENARIO_DEGRADING] = {
		{75, 12,  8, 4, 76, 80, 12, NONE, NONE, NONE, 34, 32, 10.5, NONE}, 18, 60, 20},
	[SCENARIO_CRITICAL] = {
		{90,  7,  9, 2, 90, 93, 22, NONE, NONE, NONE, 70, 52, 13.5, NONE}, 35, 24, 25},
	[SCENARIO_CASCADE] = {
		{95,  5, 12, 1, 94, 92, 24, NONE, NONE, NONE, 80, 60, 14.5, NONE}, 45, 24, 0},
	[DOWNSTREAM] = {
		{62, 10, 12, 8, 74, 78, 10, NONE, NONE, NONE, 90, 70, 10.0, NONE}, 12, 24, 0},
	[ESCALATED] = {
		{92,  6, 12, 1, 94, 95, 27, NONE, NONE, NONE, 90, 60, 15.0, NONE}, 40, 12, 20},
};
/* clang-format on */

static const struct strain *strain_of(const struct phase *p)
{
	return &strains[p->escalated ? ESCALATED : p->scenario];
}

/* The strain on the server in phase k; NULL: none. */
static const struct strain *strain_on(const struct fleet *f, int64_t k, int server)
{
	static const bool waits[KINDS] = {
		[WEB] = true, [ETL] = true, [RISK] = true, [CONDUCTOR] = true};
	const struct phase *p = &f->state.phases[k];

	if (f->hit[k][server])
		return strain_of(p);
	return p->scenario == SCENARIO_CASCADE && waits[f->kind[server]] ? &strains[DOWNSTREAM]
									 : NULL;
}

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static uint64_t hash(const struct fleet *f, enum draw what, int server, uint64_t a, uint64_t b)
{
	uint64_t x = mix(f->state.seed ^ (uint64_t)what << 56 ^ (uint64_t)server);

	return mix(mix(x ^ a) ^ b);
}

/* -1 ... 1 */
static double swing(uint64_t h)
{
	return (double)(h >> 11) * 0x1p-52 - 1;
}

static double smooth_noise(const struct fleet *f, int server, enum metric m, int64_t tick)
{
	uint64_t cell = (uint64_t)tick / NOISE_TICKS;
	double from = swing(hash(f, DRAW_SMOOTH, server, m, cell));
	double to = swing(hash(f, DRAW_SMOOTH, server, m, cell + 1));
	double x = (double)((uint64_t)tick % NOISE_TICKS) / NOISE_TICKS;

	return from + (to - from) * x * x * (3 - 2 * x);
}

static double wave(const struct fleet *f, int server, int64_t tick, int64_t period, int what)
{
	double own = swing(hash(f, DRAW_PHASE, server, (uint64_t)what, 0));

	return sin(TWO_PI * ((double)(tick % period) / (double)period + own / 2));
}

static double target(const struct fleet *f, const struct strain *s, int server, enum metric m)
{
	double own = swing(hash(f, DRAW_SPREAD, server, m, 0));
	double mean = s->target[m];

	if (m == CPU_IOWAIT && f->kind[server] == DATABASE)
		mean = s->database_iowait;
	return mean == NONE ? NONE : mean * (1 + own * metrics[m].spread);
}

static double base_line(const struct fleet *f, int server, enum metric m)
{
	const double *base = kinds[f->kind[server]].base;
	double own = 1 + 0.2 * swing(hash(f, DRAW_FACTOR, server, m, 0));

	if (m == CPU_IDLE)
		return 100 - base_line(f, server, CPU_USER) - base_line(f, server, CPU_SYS) -
		       base_line(f, server, CPU_IOWAIT);
	return base[m] * own;
}

/* The level without any scenario. */
static double natural(const struct fleet *f, int server, enum metric m, int64_t tick)
{
	int64_t day = DAY_MS / f->state.tick_ms > 0 ? DAY_MS / f->state.tick_ms : 1;
	double level = base_line(f, server, m);
	double strained = target(f, &strains[SCENARIO_HEALTHY], server, m);

	level *= 1 + metrics[m].daily * wave(f, server, tick, day, 0);
	if (f->busy[server] && strained != NONE)
		level +=
			(strained - level) * (0.93 + 0.07 * wave(f, server, tick, STRAIN_TICKS, 1));
	return level;
}

/* The level in phase k; an escalated phase starts from the level of the previous one. */
static double in_phase(const struct fleet *f, int64_t k, int server, enum metric m, int64_t tick,
		       double level)
{
	const struct phase *p = &f->state.phases[k];
	const struct strain *strain = strain_on(f, k, server);
	double goal = strain ? target(f, strain, server, m) : NONE;
	double ramp;

	if (goal == NONE)
		return level;
	ramp = fmin(fmax((double)(tick - p->since) / strain->ramp_ticks, 0), 1);
	if (p->escalated && k > 0)
		level = in_phase(f, k - 1, server, m, p->since, level);
	return level + (goal - level) * ramp;
}

static int64_t phase_at(const struct fleet *f, int64_t tick)
{
	int64_t k = f->state.phase_count - 1;

	while (k > 0 && f->state.phases[k].since > tick)
		k--;
	return k;
}

double fleet_sample(const struct fleet *f, int server, enum metric m, int64_t tick)
{
	double level = in_phase(f, phase_at(f, tick), server, m, tick, natural(f, server, m, tick));
	double jitter = swing(hash(f, DRAW_JITTER, server, m, (uint64_t)tick));

	level += smooth_noise(f, server, m, tick) *
		 (metrics[m].smooth + metrics[m].relative * level);
	level += jitter * (metrics[m].jitter + metrics[m].relative * level);
	level = fmin(fmax(level, 0), metrics[m].ceiling);
	return metrics[m].whole ? rint(level) : rint(level * 100) / 100;
}

/* Shares in whole servers, at least one each. Generic servers above the cap become ML, and the
 * remainder of the fleet is web. */
static void count_kinds(int size, int count[KINDS])
{
	int left = size;

	for (int k = 0; k < KINDS; k++) {
		count[k] = size * kinds[k].share_pct / 100;
		if (count[k] < 1)
			count[k] = 1;
		if (count[k] > kinds[k].at_most) {
			count[ML] += count[k] - kinds[k].at_most;
			left -= count[k] - kinds[k].at_most;
			count[k] = kinds[k].at_most;
		}
		left -= count[k];
	}
	count[WEB] += left;
}

static void name_servers(struct fleet *f)
{
	int count[KINDS] = {0};
	int server = 0;

	count_kinds(f->size, count);
	for (int k = 0; k < KINDS; k++) {
		for (int i = 1; i <= count[k]; i++, server++) {
			f->kind[server] = (unsigned char)k;
			snprintf(f->name[server], sizeof f->name[server], "%s%0*d", kinds[k].prefix,
				 kinds[k].digits, i);
		}
	}
}

struct ticket {
	uint64_t lot;
	int server;
};

static int by_lot(const void *a, const void *b)
{
	const struct ticket *x = a, *y = b;

	return (x->lot > y->lot) - (x->lot < y->lot);
}

/* Marks `count` randomly drawn servers of one kind, or of all kinds (KINDS). */
static void draw_servers(const struct fleet *f, enum draw what, uint64_t draw, enum kind kind,
			 int count, bool *marks)
{
	struct ticket tickets[FLEET_MAX];
	int n = 0;

	for (int i = 0; i < f->size; i++)
		if (kind == KINDS || f->kind[i] == kind)
			tickets[n++] = (struct ticket){hash(f, what, i, draw, 0), i};
	qsort(tickets, (size_t)n, sizeof *tickets, by_lot);
	for (int i = 0; i < count && i < n; i++)
		marks[tickets[i].server] = true;
}

static void draw_affected(const struct fleet *f, const struct phase *p, bool *marks)
{
	if (p->scenario == SCENARIO_CASCADE)
		draw_servers(f, DRAW_AFFECTED, p->draw, DATABASE, CASCADE_SOURCES, marks);
	else
		draw_servers(f, DRAW_AFFECTED, p->draw, KINDS,
			     f->size * strain_of(p)->affected_pct / 100, marks);
}

void fleet_init(struct fleet *f, const struct state *s)
{
	memset(f, 0, sizeof *f);
	f->state = *s;
	f->size = (int)s->servers;
	name_servers(f);
	draw_servers(f, DRAW_BUSY, 0, KINDS, 1 + f->size / BUSY_ONE_IN, f->busy);
	for (int64_t k = 0; k < s->phase_count; k++)
		draw_affected(f, &s->phases[k], f->hit[k]);
}

const char *fleet_metric_name(enum metric m)
{
	return metrics[m].name;
}

int fleet_affected(const struct fleet *f)
{
	int n = 0;

	for (int i = 0; i < f->size; i++)
		n += f->hit[f->state.phase_count - 1][i];
	return n;
}

int64_t fleet_records(const struct fleet *f, int server, int64_t tick)
{
	int64_t loss_permille = (int64_t)(hash(f, DRAW_LOSS, server, 0, 0) % 70);

	return tick - tick * loss_permille / 1000;
}
