/* SPDX-License-Identifier: MIT */
/* Role generator: reports and sets the scenario. Setting critical works but is answered with a 500,
 * as recorded. */
#include "config.h"
#include "generator.h"

#include "body.h"
#include "fleet.h"
#include "wait.h"

enum { NAMES_MAX = 10 };

/* The current fleet and tick. */
static bool load_fleet(const struct daemon *d, struct fleet *f, int64_t *tick)
{
	struct state s;

	if (!state_read(d->state_fd, &s))
		return false;
	fleet_init(f, &s);
	*tick = state_tick(&s, wait_wall_ms());
	return true;
}

static const char *scenario_name(const struct fleet *f)
{
	return state_scenario_name(state_now(&f->state)->scenario);
}

/* At most ten names; the start of the list changes from tick to tick. */
static void put_affected(struct text *t, const struct fleet *f, int64_t tick)
{
	const bool *hit = f->hit[f->state.phase_count - 1];
	int shown = 0;

	text_str(t, "[");
	for (int i = 0; i < f->size && shown < NAMES_MAX; i++) {
		int server = (int)((tick + i) % f->size);

		if (hit[server])
			text_fmt(t, "%s\"%s\"", shown++ ? "," : "", f->name[server]);
	}
	text_str(t, "]");
}

static bool answer_scenario(struct daemon *d, const struct request *rq, struct reply *rp)
{
	struct fleet f;
	int64_t tick;

	(void)rq;
	if (!load_fleet(d, &f, &tick))
		return false;
	text_fmt(&rp->body, "{\"scenario\":\"%s\",\"affected_servers\":", scenario_name(&f));
	put_affected(&rp->body, &f, tick);
	text_fmt(&rp->body, ",\"total_affected\":%d,\"fleet_size\":%d,\"tick_count\":%lld}",
		 fleet_affected(&f), f.size, (long long)tick);
	return true;
}

static bool answer_status(struct daemon *d, const struct request *rq, struct reply *rp)
{
	struct fleet f;
	int64_t tick;

	(void)rq;
	if (!load_fleet(d, &f, &tick))
		return false;
	text_fmt(&rp->body,
		 "{\"running\":true,\"scenario\":\"%s\",\"tick_count\":%lld,\"fleet_size\":%d,"
		 "\"affected_servers\":%d,\"inference_url\":\"http://127.0.0.1:8000\"}",
		 scenario_name(&f), (long long)tick, f.size, fleet_affected(&f));
	return true;
}

static bool answer_root(struct daemon *d, const struct request *rq, struct reply *rp)
{
	struct fleet f;
	int64_t tick;

	(void)rq;
	if (!load_fleet(d, &f, &tick))
		return false;
	text_fmt(&rp->body,
		 "{\"service\":\"Metrics Generator "
		 "Daemon\",\"version\":\"2.0\",\"status\":\"running\","
		 "\"scenario\":\"%s\",\"fleet_size\":%d,\"endpoints\":{"
		 "\"set_scenario\":\"POST /scenario/set\",\"scenario_status\":\"GET "
		 "/scenario/status\","
		 "\"status\":\"GET /status\"}}",
		 scenario_name(&f), f.size);
	return true;
}

/* Sets it under the lock; *old is the previous scenario. */
static bool switch_scenario(const struct daemon *d, enum scenario scenario, enum scenario *old)
{
	struct state s;

	if (!state_lock(d->state_fd, &s))
		return false;
	*old = (enum scenario)state_now(&s)->scenario;
	state_set_scenario(&s, scenario, state_tick(&s, wait_wall_ms()));
	return state_save(d->state_fd, &s);
}

static bool set_scenario(struct daemon *d, enum scenario scenario, struct reply *rp)
{
	enum scenario old;
	struct fleet f;
	int64_t tick;

	if (!switch_scenario(d, scenario, &old) || !load_fleet(d, &f, &tick))
		return false;
	if (scenario == SCENARIO_CRITICAL) {
		rp->status = 500;
		return true;
	}
	text_fmt(&rp->body,
		 "{\"status\":\"success\",\"old_scenario\":\"%s\",\"new_scenario\":\"%s\","
		 "\"affected_servers\":%d,\"tick_count\":%lld}",
		 state_scenario_name(old), state_scenario_name(scenario), fleet_affected(&f),
		 (long long)tick);
	return true;
}

static void refuse_name(const char *name, struct reply *rp)
{
	struct text message = {0};

	text_str(&message, "Invalid scenario: ");
	text_str(&message, name);
	text_str(&rp->body, "{\"status\":\"error\",\"message\":");
	text_json(&rp->body, message.data, message.len);
	text_str(&rp->body, "}");
	rp->body.failed |= message.failed;
	text_free(&message);
}

/* The validator converts numbers to text; other types are errors. NULL with a complete 422. */
static const char *scenario_field(struct json_object *body, struct reply *rp)
{
	struct json_object *field = body_field(body, "scenario", rp);

	switch (json_object_get_type(field)) {
	case json_type_string:
	case json_type_int:
	case json_type_double:
		return json_object_get_string(field);
	case json_type_null:
		return NULL;
	default:
		body_refuse(rp, ",\"scenario\"", "str type expected", "type_error.str");
		return NULL;
	}
}

static bool answer_set(struct daemon *d, const struct request *rq, struct reply *rp)
{
	struct json_object *body = body_object(rq, rp);
	const char *name = body ? scenario_field(body, rp) : NULL;
	enum scenario scenario;
	bool done = true;

	if (name) {
		scenario = state_scenario_find(name);
		if (scenario == SCENARIO_COUNT)
			refuse_name(name, rp);
		else
			done = set_scenario(d, scenario, rp);
	}
	json_object_put(body);
	return done;
}

/* clang-format off */
const struct route generator_routes[] = {
	{"/",                    "GET",  false, 0, answer_root},
	{"/status",              "GET",  false, 0, answer_status},
	{"/scenario/status",     "GET",  false, 0, answer_scenario},
	{"/scenario/set",        "POST", false, 0, answer_set},
	{NULL,                   NULL,   false, 0, NULL},
};
/* clang-format on */
