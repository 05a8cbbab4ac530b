/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "scene.h"

#include "archive.h"
#include "clock.h"
#include "compact.h"
#include "metrics.h"
#include "supply.h"

#define GRACE_MS 3000 /* Redis away for less: nginx shows its copies, nobody fetches alone yet */

static void judge_condition(const struct sources *sources, struct scene *scene, int64_t gen_ms,
			    int64_t fill_ms)
{
	struct age_limits limits = {
		.interval_ms = sources->config->limits->group[CACHE_FLEET].interval_ms,
		.act_limit_ms = sources->config->act_limit_ms,
		.max_stale_ms = sources->config->limits->max_stale_ms,
	};

	scene->condition.age = condition_age(&limits, scene->now_ms - gen_ms, fill_ms);
}

static void from_cache(const struct sources *sources, struct scene *scene)
{
	const struct cache_state *state = &scene->read.state;

	scene->now_ms = state->now_ms;
	scene->condition = (struct condition){.reason = state->reason,
					      .since_ms = state->since_ms,
					      .next_try_ms = state->next_try_ms,
					      .flushed = state->flushed};
	if (state->verdict == CACHE_COLD)
		scene->condition.age = AGE_NO_DATA;
	else
		judge_condition(sources, scene, state->gen_ms, state->fill_ms);
}

/* Redis is away: this worker's own snapshot, if it has one that may still be shown. */
static void from_local(struct sources *sources, struct scene *scene)
{
	scene->now_ms = clock_wall_ms();
	scene->snap = local_snapshot(sources->local);
	local_condition(sources->local, &scene->condition);
	if (scene->snap)
		judge_condition(sources, scene, scene->snap->gen_ms, scene->snap->fill_ms);
	else
		scene->condition.age = AGE_NO_DATA;
	if (scene->condition.age == AGE_NO_DATA)
		scene->snap = NULL;
}

bool scene_in_grace(const struct sources *sources)
{
	return clock_mono_ms() - sources->down_since_ms < GRACE_MS;
}

/* Keeps account of how long Redis has been away, and of what this worker does about it after the
 * request. */
static void note_redis(struct sources *sources, enum cache_verdict verdict)
{
	if (verdict != CACHE_DOWN) {
		/* A Redis that came back empty has nothing better yet. */
		if (verdict != CACHE_COLD)
			local_drop(sources->local);
		sources->down_since_ms = 0;
		sources->dues.local = false;
		return;
	}
	if (!sources->down_since_ms)
		sources->down_since_ms = clock_mono_ms();
	sources->dues.local = !scene_in_grace(sources) && local_due(sources->local);
}

void scene_look(struct sources *sources, struct scene *scene, const char *route, bool gzip)
{
	enum cache_verdict verdict =
		cache_read(sources->cache, CACHE_FLEET, route, gzip, &scene->read);

	metrics_verdict(sources->config->refresh->metrics, verdict);
	note_redis(sources, verdict);
	if (verdict == CACHE_DOWN || (verdict == CACHE_COLD && local_snapshot(sources->local)))
		from_local(sources, scene);
	else
		from_cache(sources, scene);
	if (scene->request)
		scene->redis_us = clock_mono_us() - scene->request->came_us;
}

void scene_claim(struct sources *sources, struct scene *scene)
{
	enum cache_verdict verdict = scene->read.state.verdict;

	scene->claim = CLAIM_FRESH;
	if (verdict != CACHE_STALE && verdict != CACHE_COLD)
		return;
	/* Won for a request that came with this one. */
	if (sources->dues.claimed) {
		scene->claim = CLAIM_BUSY;
		return;
	}
	scene->claim = cache_claim(sources->cache, CACHE_FLEET, &sources->dues.claim);
	sources->dues.claimed = scene->claim == CLAIM_WON;
}

/* The compact snapshot that the state names; NULL: there is none that can be used. */
static struct snapshot *read_named(struct sources *sources, const struct cache_state *state)
{
	struct cache_entry entry;

	if (cache_read_more(sources->cache, state, "fleet", false, &entry) != 0)
		return NULL;
	return compact_decode(entry.body);
}

/* A commit between the look at the pointer and the one at the entry has replaced the entry. True:
 * the pointer that goes with it is in the scene now. */
static bool look_again(struct sources *sources, struct scene *scene)
{
	struct cache_read again;
	enum cache_verdict verdict = cache_read(sources->cache, CACHE_FLEET, NULL, false, &again);

	if (verdict == CACHE_DOWN || verdict == CACHE_COLD ||
	    strcmp(again.state.snap, scene->read.state.snap) == 0)
		return false;
	scene->read.state = again.state;
	from_cache(sources, scene);
	return true;
}

/* That of the bucket before, with its own age. */
static struct snapshot *read_previous(struct sources *sources, struct scene *scene)
{
	struct cache_state *state = &scene->read.state;
	struct cache_entry entry;
	struct snapshot *snap;

	if (cache_read_previous(sources->cache, state, "fleet", &entry) != 0)
		return NULL;
	snap = compact_decode(entry.body);
	if (!snap)
		return NULL;
	state->verdict = CACHE_STALE;
	state->gen_ms = snap->gen_ms;
	state->fill_ms = snap->fill_ms;
	judge_condition(sources, scene, state->gen_ms, state->fill_ms);
	return snap;
}

static struct snapshot *read_snapshot(struct sources *sources, struct scene *scene)
{
	struct snapshot *snap = read_named(sources, &scene->read.state);

	if (!snap && look_again(sources, scene))
		snap = read_named(sources, &scene->read.state);
	return snap ? snap : read_previous(sources, scene);
}

void scene_load_snapshot(struct sources *sources, struct scene *scene)
{
	if (scene->read.state.verdict == CACHE_DOWN || scene->condition.cache_off ||
	    scene->condition.age == AGE_NO_DATA)
		return;
	scene->decoded = read_snapshot(sources, scene);
	scene->snap = scene->decoded;
	if (!scene->snap)
		scene->condition.age = AGE_NO_DATA;
}

bool scene_load_server(struct sources *sources, struct scene *scene)
{
	const struct cache_state *state = &scene->read.state;
	unsigned needs = scene->snap ? scene->page->needs : 0;

	if ((needs & PAGE_TOP_SERIES) && scene->decoded)
		supply_top(sources->cache, state, scene->decoded, &scene->query);
	if (!(needs & PAGE_SERVER))
		return true;
	scene->server = snapshot_find(scene->snap, scene->name);
	if (scene->server && scene->decoded)
		supply_server(sources->cache, state,
			      &scene->decoded->servers[scene->server - scene->snap->servers]);
	return scene->server;
}

/* Without the shared cache there is none, and the page says so. */
void scene_load_history(struct sources *sources, struct scene *scene)
{
	int64_t began = clock_mono_us();
	int rc;

	if (!scene->snap || !(scene->page->needs & PAGE_HISTORY) ||
	    scene->read.state.verdict == CACHE_DOWN)
		return;
	if (scene->server)
		rc = archive_server(sources->cache, scene->snap, scene->name, &scene->history);
	else
		rc = archive_fleet(sources->cache, scene->snap, scene->query.range,
				   &scene->history);
	scene->has_history = rc == 0;
	scene->redis_us += clock_mono_us() - began;
}

void scene_load_vitals(struct sources *sources, struct scene *scene)
{
	bool configured = sources->config->refresh->scenario_configured;

	if (scene->read.state.verdict == CACHE_DOWN)
		scene->vitals.scenario.configured = configured;
	else
		vitals_read(sources->cache, configured, &scene->vitals, sources->dues.vitals);
}

void scene_diagnose(struct sources *sources, const struct scene *scene, struct diagnosis *diagnosis)
{
	int64_t interval = sources->config->limits->group[CACHE_FLEET].interval_ms;

	(void)cache_diagnose(sources->cache, CACHE_FLEET, diagnosis);
	metrics_diagnose(sources->config->refresh->metrics, sources->cache, diagnosis);
	diagnosis->next_bucket_ms = (scene->now_ms / interval + 1) * interval;
	if (scene->read.state.verdict == CACHE_DOWN)
		return;
	diagnosis->bucket = scene->read.state.bucket;
	diagnosis->data_bucket = scene->read.state.data_bucket;
}

void scene_free(struct scene *scene)
{
	history_free(&scene->history);
	snapshot_free(&scene->decoded);
}
