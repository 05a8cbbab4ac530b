/* SPDX-License-Identifier: MIT */
/* Options, start-up, exit codes. */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "build_id.h"
#include "cache/cache.h"
#include "refresh/local.h"
#include "refresh/readback.h"
#include "base/log.h"
#include "paths.h"
#include "server/loop.h"
#include "cache/metrics.h"
#include "render.h"
#include "settings.h"
#include "store/address.h"
#include "store/tls.h"

#define EXIT_USAGE  2
#define EXIT_ACCEPT 3
#define ALERTS_MS   2000 /* longest time for one call of an Alertmanager */

struct options {
	enum {
		MODE_RUN,
		MODE_CHECK,
		MODE_PRINT,
		MODE_VERSION,
		MODE_HELP,
		MODE_FINGERPRINT,
		MODE_RENDER
	} mode;
	const char *config, *page, *snapshot;
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"check", no_argument, NULL, 't'},
	{"print-config", no_argument, NULL, 'T'},
	{"fingerprint", no_argument, NULL, 'f'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{"render", required_argument, NULL, 'r'},
	{"snapshot", required_argument, NULL, 's'},
	{NULL, 0, NULL, 0},
};

static const char usage[] =
	"usage: tft-dashboard [-c FILE] [-t | -T | --fingerprint | -V | -h]\n"
	"       tft-dashboard [-c FILE] --render PAGE --snapshot FILE\n"
	"\n"
	"A FastCGI worker: serves requests from a listening socket on standard input.\n"
	"\n"
	"  -c, --config FILE    read this configuration file\n"
	"  -t, --check          check the configuration and exit\n"
	"  -T, --print-config   print the effective configuration, secrets masked, and exit\n"
	"      --fingerprint    print the fingerprint of the fleet, for adopt.lua, and exit\n"
	"  -V, --version        print the version and exit\n"
	"  -h, --help           print this text and exit\n"
	"      --render PAGE    print one page, made from a predictions answer in a file\n"
	"      --snapshot FILE  that file; JSON, gzip'd or not\n";

/* 0, or -1 for a usage error that getopt has already reported. */
static int parse_options(int argc, char **argv, struct options *o)
{
	int c;

	*o = (struct options){.mode = MODE_RUN};
	while ((c = getopt_long(argc, argv, "c:tTVh", long_options, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 't':
			o->mode = MODE_CHECK;
			break;
		case 'T':
			o->mode = MODE_PRINT;
			break;
		case 'V':
			o->mode = MODE_VERSION;
			break;
		case 'h':
			o->mode = MODE_HELP;
			break;
		case 'f':
			o->mode = MODE_FINGERPRINT;
			break;
		case 'r':
			o->mode = MODE_RENDER;
			o->page = optarg;
			break;
		case 's':
			o->snapshot = optarg;
			break;
		default:
			return -1;
		}
	}
	return optind == argc && !o->page == !o->snapshot ? 0 : -1;
}

/* A full disk may be noticed as late as by the flush. */
static int end_print(bool printed)
{
	if (printed && fflush(stdout) == 0)
		return EXIT_SUCCESS;
	(void)fprintf(stderr, "tft-dashboard: standard output: %s\n", strerror(errno));
	return EXIT_FAILURE;
}

static int print(const struct buf *text)
{
	return end_print(buf_ok(text) && fwrite(text->data, 1, text->len, stdout) == text->len);
}

static int print_config(const struct settings *settings)
{
	struct buf out;
	int rc;

	buf_init(&out, 1 << 20);
	settings_print(settings, &out);
	rc = print(&out);
	buf_free(&out);
	return rc;
}

static struct site make_site(const struct settings *settings)
{
	return (struct site){
		.interval_ms = settings->interval_ms,
		.act_limit_ms = settings->act_limit_ms,
		.max_stale_ms = settings->max_stale_ms,
		.asked_url = settings->daemon_url,
		.runbook_url = settings->runbook_url,
		.sends_alerts = *settings->alertmanagers != '\0',
	};
}

static int render_page(const struct settings *settings, const struct options *o)
{
	struct site site = make_site(settings);
	struct err err;
	struct buf out;
	int rc = EX_DATAERR;

	buf_init(&out, 64u << 20);
	if (render_file(&site, o->page, o->snapshot, &out, &err) == 0)
		rc = print(&out);
	else
		(void)fprintf(stderr, "tft-dashboard: %s\n", err.msg);
	buf_free(&out);
	return rc;
}

/* --- the worker --- */

static char fetcher[PATH_MAX];

/* Looks beside this program (a build tree), then where it is installed. false: it cannot be run. */
static bool find_fetcher(void)
{
	static const char name[] = "tft-fetch";
	ssize_t len = readlink("/proc/self/exe", fetcher, sizeof(fetcher) - sizeof(name));

	while (len > 0 && fetcher[len - 1] != '/')
		len--;
	if (len > 0) {
		memcpy(fetcher + len, name, sizeof(name));
		if (access(fetcher, X_OK) == 0)
			return true;
	}
	(void)snprintf(fetcher, sizeof(fetcher), "%s/%s", TFT_LIBEXECDIR, name);
	return access(fetcher, X_OK) == 0;
}

static struct cache_limits make_limits(const struct settings *s)
{
	/* Warm-up and scenario are requested under the fleet's lease, before the predictions, so
	 * the lease covers the longest of these calls (doc/limits.md#time). */
	int64_t small = s->status_timeout_ms > s->scenario_timeout_ms ? s->status_timeout_ms
								      : s->scenario_timeout_ms;
	int64_t longest = s->timeout_ms > small ? s->timeout_ms : small;

	return (struct cache_limits){
		.group =
			{
				[CACHE_FLEET] = {s->interval_ms, longest + PROTOCOL_LEASE_REST_MS,
						 s->calls_per_minute},
				[CACHE_STATUS] = {s->status_interval_ms,
						  small + PROTOCOL_LEASE_REST_MS, 40},
				[CACHE_SCENARIO] = {s->status_interval_ms,
						    small + PROTOCOL_LEASE_REST_MS, 40},
				[CACHE_ALERTS] = {s->interval_ms,
						  ALERTS_MS + PROTOCOL_LEASE_REST_MS, 40},
				[CACHE_ALERTMANAGER] = {s->interval_ms,
							ALERTS_MS + PROTOCOL_LEASE_REST_MS, 40},
			},
		.max_stale_ms = s->max_stale_ms,
		.batch_ms = s->redis_batch_ms,
		.publish_ms = s->redis_publish_ms,
		.history_points = s->history_points,
		.history_memory = s->history_memory,
	};
}

/* Of an answer that has only a few numbers. */
#define SMALL_BODY 65536

static struct upstream_config make_upstream(const struct settings *s)
{
	struct upstream_config config = {
		.fetcher = fetcher,
		.daemon_url = s->daemon_url,
		.generator_url = s->generator_url,
		.api_key = s->api_key,
		.ca_file = s->ca_file,
		.alertmanagers = s->alertmanagers,
		.alert_auth = s->alert_authentication,
		.alert_ca_file = s->alert_ca_file,
		.connect_ms = s->connect_ms,
		.timeout_ms = {[UPSTREAM_PREDICTIONS] = s->timeout_ms,
			       [UPSTREAM_STATUS] = s->status_timeout_ms,
			       [UPSTREAM_SCENARIO] = s->scenario_timeout_ms,
			       [UPSTREAM_SCENARIO_SET] = s->scenario_timeout_ms},
		.max_body = {[UPSTREAM_PREDICTIONS] = s->max_body,
			     [UPSTREAM_ALERTS_TOLD] = READBACK_ANSWER_MAX,
			     [UPSTREAM_SILENCES_TOLD] = READBACK_ANSWER_MAX,
			     [UPSTREAM_ALERTMANAGER_STATUS] = READBACK_ANSWER_MAX},
	};

	for (int e = 0; e < UPSTREAM_ENDPOINTS; e++) {
		if (!config.timeout_ms[e])
			config.timeout_ms[e] = ALERTS_MS;
		if (!config.max_body[e])
			config.max_body[e] = SMALL_BODY;
	}
	return config;
}

static size_t count_members(const char *list)
{
	size_t count = *list != '\0';

	for (; *list; list++)
		count += *list == ',';
	return count;
}

/* Without a name a fleet is known by its daemon, as in Redis. */
static struct alerting make_alerting(const struct settings *s, struct cache *cache,
				     struct upstream *upstream, struct metrics *metrics)
{
	const char *fleet = *s->fleet ? s->fleet : s->daemon_url;

	return (struct alerting){
		.cache = cache,
		.upstream = upstream,
		.metrics = metrics,
		.alertmanagers = count_members(s->alertmanagers),
		.rules = {.from = (enum level)s->alert_from,
			  .after = s->alert_after,
			  .act_limit_ms = s->act_limit_ms},
		.interval_ms = s->interval_ms,
		.fleet = fleet,
		.public_url = s->public_url,
	};
}

static struct local_config make_local(const struct settings *s, const struct alerting *alerting)
{
	return (struct local_config){
		.interval_ms = s->interval_ms,
		.workers = s->workers,
		.workers_total = s->workers_total > s->workers ? s->workers_total : s->workers,
		.calls_per_minute = s->calls_per_minute,
		.scenario_configured = *s->generator_url != '\0',
		.firing_rules = alerting->alertmanagers ? &alerting->rules : NULL,
		.host_fd = STDIN_FILENO,
	};
}

static int run_worker(const struct settings *s, const struct tls *tls)
{
	const struct store_address address = {.where = s->redis,
					      .user = s->redis_user,
					      .password = s->redis_password,
					      .sentinel_password = s->sentinel_password,
					      .tls = tls,
					      .connect_ms = s->redis_connect_ms};
	const struct cache_limits limits = make_limits(s);
	const struct cache_owner owner = {.prefix = s->redis_prefix, .upstream = s->fingerprint};
	const struct upstream_config upstream_config = make_upstream(s);
	const struct site site = make_site(s);
	struct store *store = store_new(&address);
	struct cache *cache = store ? cache_new(store, &limits, &owner) : NULL;
	struct upstream *upstream = upstream_new(&upstream_config);
	struct metrics *metrics = metrics_new(s->node);
	const struct alerting alerting = make_alerting(s, cache, upstream, metrics);
	const struct local_config local_config = make_local(s, &alerting);
	struct local *local = local_new(&local_config);
	const struct refresh refresh = {.cache = cache,
					.upstream = upstream,
					.metrics = metrics,
					.site = &site,
					.scenario_configured = local_config.scenario_configured,
					.alerting = &alerting};
	const struct serve_config serve_config = {.refresh = &refresh,
						  .settings = s,
						  .limits = &limits,
						  .act_limit_ms = s->act_limit_ms,
						  .idle_tick = s->idle_tick};
	struct serve *serve = NULL;
	int rc = EXIT_FAILURE;

	if (cache && metrics)
		cache_watch(cache, metrics_batch, metrics);
	if (metrics)
		metrics_count(metrics, METRICS_WORKER_STARTS, "version=\"" PACKAGE_VERSION "\"");
	if (cache && upstream && metrics && local)
		serve = serve_new(&serve_config, local);
	if (serve)
		rc = loop_run(serve, STDIN_FILENO, s->node) == LOOP_STOPPED ? EXIT_SUCCESS
									    : EXIT_ACCEPT;
	serve_free(&serve);
	local_free(&local);
	metrics_free(&metrics);
	upstream_free(&upstream);
	cache_free(&cache);
	store_free(&store);
	return rc;
}

/* A supervisor restarts a dead worker at once: one that cannot start must not cause a busy loop. */
static int delay_failure(int rc)
{
	static const struct timespec second = {.tv_sec = 1};

	if (rc != EXIT_SUCCESS)
		(void)nanosleep(&second, NULL);
	return rc;
}

/* Secrets are in our memory: keep them out of core files and away from other programs of our user.
 * */
static void keep_secrets(void)
{
	static const struct rlimit none = {0, 0};

	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
}

static int start_worker(const struct settings *settings, const struct tls *tls)
{
	int rc;

	keep_secrets();
	log_init((enum log_level)settings->log_level, (enum log_format)settings->log_format,
		 settings->node);
	log_event(LOG_LEVEL_INFO, "start", LOG_STR("version", PACKAGE_VERSION),
		  LOG_STR("build", BUILD_ID));
	rc = run_worker(settings, tls);
	log_event(LOG_LEVEL_INFO, "stop", LOG_INT("code", rc));
	return rc;
}

/* Started by hand, a worker has a terminal as its input and would wait there for ever. */
static bool has_listener(void)
{
	int listens = 0;
	socklen_t size = sizeof(listens);

	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens)
		return true;
	(void)fputs("tft-dashboard: standard input is not a listening socket: start workers with "
		    "systemd, tft-spawn(8) or spawn-fcgi(1)\n",
		    stderr);
	return false;
}

static bool has_fetcher(void)
{
	if (find_fetcher())
		return true;
	(void)fprintf(stderr, "tft-dashboard: %s: %s\n", fetcher, strerror(errno));
	return false;
}

static bool can_read(const char *option, const char *file)
{
	if (!*file || access(file, R_OK) == 0)
		return true;
	(void)fprintf(stderr, "tft-dashboard: %s: %s: %s\n", option, file, strerror(errno));
	return false;
}

/* Sets up TLS if the address needs it, else NULL. false: that failed. */
static bool make_tls(const struct settings *settings, struct tls **tls)
{
	const struct tls_files files = {.ca = settings->redis_ca_file,
					.cert = settings->redis_cert_file,
					.key = settings->redis_key_file};
	struct address address;
	struct err err;

	*tls = NULL;
	if (!address_parse(&address, settings->redis) || address.kind != ADDRESS_TLS)
		return true;
	*tls = tls_new(&files, &err);
	if (!*tls)
		(void)fprintf(stderr, "tft-dashboard: %s\n", err.msg);
	return *tls != NULL;
}

static bool has_all(const struct settings *settings, struct tls **tls)
{
	return has_fetcher() && can_read("upstream.ca_file", settings->ca_file) &&
	       can_read("alert.ca_file", settings->alert_ca_file) && make_tls(settings, tls);
}

static int check(const struct settings *settings)
{
	struct tls *tls;

	if (!has_all(settings, &tls))
		return EX_CONFIG;
	tls_free(&tls);
	if (*settings->warning.msg)
		(void)fprintf(stderr, "tft-dashboard: warning: %s\n", settings->warning.msg);
	return EXIT_SUCCESS;
}

static int run(const struct settings *settings)
{
	struct tls *tls;
	int rc;

	if (!has_all(settings, &tls))
		return EX_CONFIG;
	rc = has_listener() ? start_worker(settings, tls) : EXIT_USAGE;
	tls_free(&tls);
	return rc;
}

static int act(const struct options *o, const struct settings *settings)
{
	switch (o->mode) {
	case MODE_PRINT:
		return print_config(settings);
	case MODE_FINGERPRINT:
		return end_print(puts(settings->fingerprint) != EOF);
	case MODE_RENDER:
		return render_page(settings, o);
	case MODE_CHECK:
		return check(settings);
	default:
		return delay_failure(run(settings));
	}
}

int main(int argc, char **argv)
{
	static struct settings settings;
	struct options o;
	struct err err;

	if (parse_options(argc, argv, &o) != 0) {
		(void)fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (o.mode == MODE_VERSION)
		return end_print(
			printf("tft-dashboard %s (build %s)\n", PACKAGE_VERSION, BUILD_ID) > 0);
	if (o.mode == MODE_HELP)
		return end_print(fputs(usage, stdout) != EOF);
	if (settings_load(&settings, o.config, &err) != 0) {
		(void)fprintf(stderr, "tft-dashboard: %s\n", err.msg);
		return o.mode == MODE_RUN ? delay_failure(EX_CONFIG) : EX_CONFIG;
	}
	return act(&o, &settings);
}
