/* SPDX-License-Identifier: MIT */
/*
 * tft-demo-daemon simulates the inference daemon or the metrics generator, so that the dashboard
 * can be shown and tested without them. spawn-fcgi starts it with the listening socket on
 * descriptor 0, one process per role: the real daemons also answer one request at a time.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fleet.h"
#include "generator.h"
#include "inference.h"
#include "state.h"
#include "wait.h"

enum { LISTEN_FD = 0, ACCEPT_PAUSE_MS = 50, WARM_TICKS = 300 };
enum { EXIT_OK = 0, EXIT_RUNTIME = 1, EXIT_USAGE = 2, EXIT_ACCEPT = 3, EXIT_CONFIG = 78 };

struct options {
	const char *role, *state;
	long servers, seed, latency_ms, tick_ms, rate_limit;
	bool warm;
};

/* Options with a number. getopt_long's index finds the row, as both tables begin with the same
 * rows. */
static const struct {
	const char *name;
	size_t offset;
	long min, max;
} numbers[] = {
	{"servers", offsetof(struct options, servers), FLEET_MIN, FLEET_MAX},
	{"seed", offsetof(struct options, seed), 0, 2147483647},
	{"latency-ms", offsetof(struct options, latency_ms), 0, 600000},
	{"tick-ms", offsetof(struct options, tick_ms), 10, 3600000},
	{"rate-limit", offsetof(struct options, rate_limit), 0, 1000000},
};

static const struct option long_options[] = {
	{"servers", required_argument, NULL, 0},
	{"seed", required_argument, NULL, 0},
	{"latency-ms", required_argument, NULL, 0},
	{"tick-ms", required_argument, NULL, 0},
	{"rate-limit", required_argument, NULL, 0},
	{"role", required_argument, NULL, 'r'},
	{"state", required_argument, NULL, 's'},
	{"warm", no_argument, NULL, 'w'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const char usage[] =
	"usage: tft-demo-daemon --role inference|generator --state FILE [options]\n"
	"  --servers N       servers of the fleet, 7 to 1000 (20)\n"
	"  --seed S          another seed is another fleet (42)\n"
	"  --tick-ms T       time between two records of a server (5000)\n"
	"  --warm            start with 300 ticks of history\n"
	"  --latency-ms M    least duration of an inference (300)\n"
	"  --rate-limit N    calls per minute and client, 0 for no limit (0)\n"
	"  -V, --version     print the version\n"
	"  -h, --help        print this text\n"
	"The FastCGI socket is descriptor 0. TFT_API_KEY in the environment: callers need this "
	"key.\n";

static bool set_number(struct options *o, int row, const char *text)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < numbers[row].min || value > numbers[row].max) {
		fprintf(stderr, "tft-demo-daemon: --%s needs a number from %ld to %ld\n",
			numbers[row].name, numbers[row].min, numbers[row].max);
		return false;
	}
	memcpy((char *)o + numbers[row].offset, &value, sizeof value);
	return true;
}

static _Noreturn void print_and_exit(const char *text)
{
	fputs(text, stdout);
	exit(EXIT_OK);
}

static bool parse_options(struct options *o, int argc, char **argv)
{
	int c, row;

	while ((c = getopt_long(argc, argv, "Vh", long_options, &row)) != -1) {
		switch (c) {
		case 0:
			if (!set_number(o, row, optarg))
				return false;
			break;
		case 'r':
			o->role = optarg;
			break;
		case 's':
			o->state = optarg;
			break;
		case 'w':
			o->warm = true;
			break;
		case 'V':
			print_and_exit("tft-demo-daemon " PACKAGE_VERSION "\n");
		case 'h':
			print_and_exit(usage);
		default:
			return false;
		}
	}
	return optind == argc && o->role && o->state;
}

static const struct route *routes_of(const char *role)
{
	if (strcmp(role, "inference") == 0)
		return inference_routes;
	return strcmp(role, "generator") == 0 ? generator_routes : NULL;
}

/* An exit code. */
static int open_state(struct daemon *d, const struct options *o)
{
	int64_t past_ms = o->warm ? WARM_TICKS * (int64_t)o->tick_ms : 0;
	struct state fresh =
		state_fresh((uint64_t)o->seed, o->servers, o->tick_ms, wait_wall_ms() - past_ms);

	d->state_fd = state_open(o->state, &fresh);
	if (d->state_fd >= 0)
		return EXIT_OK;
	if (errno == EINVAL) {
		fprintf(stderr,
			"tft-demo-daemon: %s belongs to another fleet: remove it, or give its "
			"--servers, --seed and --tick-ms\n",
			o->state);
		return EXIT_CONFIG;
	}
	fprintf(stderr, "tft-demo-daemon: %s: %s\n", o->state, strerror(errno));
	return EXIT_RUNTIME;
}

static bool open_socket(FCGX_Request *fcgi)
{
	int accepting = 0;
	socklen_t len = sizeof accepting;

	if (getsockopt(LISTEN_FD, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &len) != 0 || !accepting) {
		fputs("tft-demo-daemon: descriptor 0 is not a listening socket\n", stderr);
		return false;
	}
	/* How long libfcgi waits for a client that sends nothing, or does not close. */
	setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", "200", 0);
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "200", 0);
	/* A connection may be gone before accept, which must not wait for the next one. */
	return fcntl(LISTEN_FD, F_SETFL, O_NONBLOCK) == 0 && FCGX_Init() == 0 &&
	       FCGX_InitRequest(fcgi, LISTEN_FD, FCGI_FAIL_ACCEPT_ON_INTR) == 0;
}

/* Returns an exit code. The first test is needed when the listening socket is always ready. */
static int serve_all(struct daemon *d, FCGX_Request *fcgi)
{
	while (wait_go_on() && wait_for(LISTEN_FD, POLLIN, -1)) {
		int rc = FCGX_Accept_r(fcgi);

		if (rc == 0) {
			/* An incomplete answer is not flushed: its client may never read it. */
			if (!serve_request(d, fcgi) && !wait_go_on())
				break;
			FCGX_Finish_r(fcgi);
		} else if (rc == -EMFILE || rc == -ENFILE) {
			wait_for(-1, 0, ACCEPT_PAUSE_MS);
		} else if (rc != -EAGAIN && rc != -EINTR) {
			return EXIT_ACCEPT;
		}
	}
	FCGX_Free(fcgi, 1);
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	struct options o = {.servers = 20, .seed = 42, .latency_ms = 300, .tick_ms = 5000};
	static struct daemon d;
	FCGX_Request fcgi;
	int rc;

	if (!parse_options(&o, argc, argv) || !(d.routes = routes_of(o.role))) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	d.api_key = getenv("TFT_API_KEY");
	if (d.api_key && !*d.api_key)
		d.api_key = NULL;
	d.latency_ms = (int)o.latency_ms;
	d.rate_limit = (int)o.rate_limit;
	rc = open_state(&d, &o);
	if (rc != EXIT_OK)
		return rc;
	wait_init();
	return open_socket(&fcgi) ? serve_all(&d, &fcgi) : EXIT_RUNTIME;
}
