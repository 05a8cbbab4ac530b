/* SPDX-License-Identifier: MIT */
/*
 * What a refresh costs, by the size of the fleet: CPU of its steps and peak memory, beside
 * json_tokener_parse of the same body. Each run is a separate child, and the two kinds alternate,
 * so that neither has a warmer or a quieter machine than the other.
 *
 *	refresh [-n ROUNDS] [-r REDIS] PAYLOAD.json.gz     the table
 *	refresh -o SERVERS ... PAYLOAD.json.gz             its part for a fleet of this size
 *	refresh -s SERVERS PAYLOAD.json.gz                 one run of the steps, for a profiler
 *
 * PAYLOAD is a recorded predictions answer, predictions_current-critical-500.json.gz of
 * tests/data/payloads; its servers are repeated under further names for larger fleets.
 * REDIS is unix:/path or host:port of an empty Redis; with it the whole chain runs as well, from a
 * claim to the commit, with the answer fetched over HTTP.
 */
#include "config.h"

#include <json-c/json.h>
#include <math.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/clock.h"
#include "cache/warnings.h"
#include "fleet/accuracy.h"
#include "fleet/compact.h"
#include "fleet/decode.h"
#include "fleet/firing.h"
#include "fleet/horizons.h"
#include "fleet/moment.h"
#include "base/gzip.h"
#include "pages/alert_json.h"
#include "pages/catalogue.h"
#include "refresh/refresh.h"
#include "fleet/risk.h"
#include "fleet/scan.h"

#define ROUNDS_MAX   99
#define DOCUMENT_MAX (16u << 20)
#define BODY_MAX     (256u << 20)
#define CHUNK        16384 /* what libcurl hands over at a time */

enum step {
	JSON_C,
	DECODE,
	SCORE,
	RENDER,
	COMPRESS,
	ENCODE,
	ARCHIVE,
	ACCURACY,
	WARNINGS,
	ALERTS,
	MOMENT,
	CHAIN,
	CHAIN_WALL,
	STEPS
};

static const char *const step_names[STEPS] = {
	"json-c",   "decode",   "(score)", "render",          "compress", "encode",     "archive",
	"accuracy", "warnings", "alerts",  "(a moment read)", "chain",    "chain, wall"};

/* The result that a child sends to its parent. */
struct result {
	double ms[STEPS];
	double rss_mb, idle_mb;           /* peak, and at the end */
	double stored_mb;                 /* documents and series as they are staged */
	double moment, beside, forecasts; /* bytes of the archive's records, of each server */
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* --- the body --- */

struct servers {
	int out;
	int number, limit; /* index of the next server to write; number of servers */
};

static void put(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n <= 0)
			die("write");
		bytes += n;
		len -= (size_t)n;
	}
}

static int put_server(void *ctx, enum scan_section section, struct span key, struct span text)
{
	struct servers *servers = ctx;
	char name[SCAN_KEY_MAX + 32];
	int len;

	if (section != SCAN_SERVER)
		return 0;
	if (servers->number == servers->limit)
		return -1;
	len = snprintf(name, sizeof(name), "%s\"%.*s-%d\":", servers->number ? "," : "",
		       (int)key.len, key.ptr, servers->number);
	put(servers->out, name, (size_t)len);
	put(servers->out, text.ptr, text.len);
	servers->number++;
	return 0;
}

static void read_payload(const char *path, struct buf *body)
{
	gzFile file = gzopen(path, "rb");
	char chunk[65536];
	int n;

	if (file == NULL)
		die(path);
	buf_init(body, BODY_MAX);
	while ((n = gzread(file, chunk, sizeof(chunk))) > 0)
		buf_add(body, chunk, (size_t)n);
	gzclose(file);
	if (n < 0 || !buf_ok(body))
		die(path);
}

/* The list of alerts follows the servers. Nobody reads it, but it must be scanned: as many of them
 * as there are servers. */
static void put_tail(int fd, struct span tail, int count)
{
	static const char end[] = "],\"environment\":";
	const char *rest = memmem(tail.ptr, tail.len, end, sizeof(end) - 1), *cut;

	if (rest == NULL)
		die("the payload has no environment after its alerts");
	cut = tail.ptr + (size_t)(rest - tail.ptr) * (size_t)(count < 500 ? count : 500) / 500;
	cut = memchr(cut, '}', (size_t)(rest - cut));
	put(fd, tail.ptr, (size_t)((cut ? cut + 1 : rest) - tail.ptr));
	put(fd, rest, (size_t)(tail.ptr + tail.len - rest));
}

/* The recorded answer with another number of servers. */
static void write_body(const char *path, int count, int fd)
{
	static const char after[] = "},\"alerts\":";
	struct servers servers = {.out = fd, .limit = count};
	struct buf body;
	const char *tail;

	read_payload(path, &body);
	tail = memmem(body.data, body.len, after, sizeof(after) - 1);
	if (tail == NULL)
		die("the payload has no alerts after its predictions");
	put(fd, "{\"predictions\":{", 16);
	while (servers.number < count) {
		struct scan *scan = scan_new(put_server, &servers);

		if (scan == NULL)
			die("scan_new");
		(void)scan_feed(scan, body.data, body.len);
		scan_free(&scan);
	}
	put_tail(fd, (struct span){tail, (size_t)(body.data + body.len - tail)}, count);
}

/* --- the steps --- */

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double since(double *then)
{
	double now = cpu_ms(), took = now - *then;

	*then = now;
	return took;
}

/* The bytes come from a file, so that reading them takes as long as receiving them. */
static struct snapshot *decode(int fd)
{
	struct decode *d = decode_new();
	struct snapshot *snap = NULL;
	char chunk[CHUNK];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		if (decode_feed(d, chunk, (size_t)n) != 0)
			break;
	if (decode_finish(d, &snap) != REASON_NONE)
		exit(1);
	decode_free(&d);
	snap->interval_ms = 30000;
	snap->gen_ms = INT64_C(1763899265123);
	return snap;
}

static void render(const struct page *page, const struct snapshot *snap, struct buf *out)
{
	static const struct site site = {30000, 120000, 900000, "http://127.0.0.1:8000",
					 NULL,  false};
	static const struct condition plain;
	struct query query;
	struct view view = {.site = &site,
			    .snap = snap,
			    .condition = &plain,
			    .query = &query,
			    .warmup = &snap->warmup,
			    .scenario = &snap->scenario};

	query_init(&query);
	buf_reset(out);
	page_render(page, &view, out);
	if (!buf_ok(out))
		exit(1);
}

static void render_all(const struct snapshot *snap, struct result *result)
{
	struct buf body, gzip;
	double then = cpu_ms();

	buf_init(&body, DOCUMENT_MAX);
	buf_init(&gzip, DOCUMENT_MAX);
	for (size_t i = 0; i < page_count; i++) {
		if (!page_table[i].stored)
			continue;
		render(&page_table[i], snap, &body);
		result->ms[RENDER] += since(&then);
		buf_reset(&gzip);
		if (gzip_compress(buf_span(&body), GZIP_STORED, &gzip) != 0)
			exit(1);
		result->ms[COMPRESS] += since(&then);
		result->stored_mb += (double)(body.len + gzip.len) / 1e6;
	}
	buf_free(&body);
	buf_free(&gzip);
}

static void encode_all(const struct snapshot *snap, struct result *result)
{
	struct buf out;

	buf_init(&out, DOCUMENT_MAX);
	compact_encode(snap, &out);
	result->stored_mb += (double)out.len / 1e6;
	for (size_t i = 0; i < snap->count; i++) {
		if (i % 50 == 0) /* as refresh stages them */
			buf_reset(&out);
		series_encode(snap->servers[i].series, &out);
		result->stored_mb += (double)out.len / 1e6 * (i % 50 == 49 || i + 1 == snap->count);
	}
	if (!buf_ok(&out))
		exit(1);
	buf_free(&out);
}

/* Those of all horizons, which come due in one bucket of ten. */
static void score_forecasts(const struct snapshot *snap, struct span record, struct result *result)
{
	static struct accuracy_hour hour;
	struct forecasts made;
	struct buf out;
	double then = cpu_ms();

	buf_init(&out, DOCUMENT_MAX);
	for (size_t h = 0; h < HORIZONS; h++) {
		if (forecasts_decode(record, (struct span){NULL, 0}, h + 1, &made) != 0)
			exit(1);
		accuracy_score(&hour, &made, h, snap);
		forecasts_free(&made);
	}
	accuracy_encode(&hour, &out);
	result->ms[ACCURACY] = since(&then);
	buf_free(&out);
}

/* A step from the watch of the bucket before, which the first call makes. */
static void step_warnings(const struct snapshot *snap, struct warnings_last *last)
{
	struct warnings_records records;

	buf_init(&records.hour, DOCUMENT_MAX);
	buf_init(&records.told, DOCUMENT_MAX);
	buf_init(&records.watch, DOCUMENT_MAX);
	warnings_step(last, snap, &records);
	buf_reset(&last->watch);
	buf_span_add(&last->watch, buf_span(&records.watch));
	buf_free(&records.hour);
	buf_free(&records.told);
	buf_free(&records.watch);
}

static void warn(const struct snapshot *snap, struct result *result)
{
	static struct warnings_last last;
	double then;

	buf_init(&last.watch, DOCUMENT_MAX);
	step_warnings(snap, &last);
	then = cpu_ms();
	step_warnings(snap, &last);
	result->ms[WARNINGS] = since(&then);
	buf_free(&last.watch);
}

/* The step from the bucket before, and what is sent. */
static void alert(struct snapshot *snap, struct result *result)
{
	static const struct firing_rules rules = {LEVEL_DANGER, 1, 600000};
	static const struct firing_outage none;
	struct firings firings;
	struct alert_post post = {.fleet = "bench",
				  .public_url = "https://dash.example",
				  .firings = &firings,
				  .snap = snap,
				  .now_ms = snap->gen_ms,
				  .interval_ms = snap->interval_ms};
	struct buf before, out;
	double then;

	firing_step((struct span){NULL, 0}, &rules, &none, snap);
	before = snap->firing;
	buf_init(&snap->firing, before.max);
	buf_init(&out, DOCUMENT_MAX);
	then = cpu_ms();
	firing_step(buf_span(&before), &rules, &none, snap);
	firings_init(&firings);
	firings_read(&firings, buf_span(&snap->firing));
	if (alert_json(&post, &out) == 0 || !buf_ok(&out))
		exit(1);
	result->ms[ALERTS] = since(&then);
	firings_free(&firings);
	buf_free(&before);
	buf_free(&out);
}

/* What the history stores of it, and reading one such record. */
static void archive(const struct snapshot *snap, struct result *result)
{
	struct buf moment, beside, forecasts;
	struct snapshot *again;
	double then;

	buf_init(&moment, DOCUMENT_MAX);
	buf_init(&beside, DOCUMENT_MAX);
	buf_init(&forecasts, DOCUMENT_MAX);
	then = cpu_ms();
	moment_encode_both(snap, SPAN(""), &moment, &beside);
	horizons_encode(snap, &forecasts);
	result->ms[ARCHIVE] = since(&then);
	again = moment_decode(buf_span(&beside), buf_span(&moment));
	result->ms[MOMENT] = since(&then);
	if (!again)
		exit(1);
	result->moment = (double)moment.len / (double)snap->count;
	result->beside = (double)beside.len / (double)snap->count;
	result->forecasts = (double)forecasts.len / (double)snap->count;
	score_forecasts(snap, buf_span(&forecasts), result);
	snapshot_free(&again);
	buf_free(&moment);
	buf_free(&beside);
	buf_free(&forecasts);
}

static void refresh(int fd, struct result *result)
{
	double then = cpu_ms();
	struct snapshot *snap = decode(fd);

	result->ms[DECODE] = since(&then);
	for (size_t i = 0; i < snap->count; i++)
		risk_score(&snap->servers[i]); /* once more: decode includes it */
	result->ms[SCORE] = since(&then);
	render_all(snap, result);
	then = cpu_ms();
	encode_all(snap, result);
	result->ms[ENCODE] = since(&then);
	archive(snap, result);
	warn(snap, result);
	alert(snap, result);
	snapshot_free(&snap);
}

/* --- the whole chain --- */

static const char *redis_address;
static int daemon_port;

/* A daemon without a model: the body for predictions, 404 for everything else, for ever. */
static void answer(int listener, int body_fd)
{
	static const char missing[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
	char request[4096], head[200];
	off_t len = lseek(body_fd, 0, SEEK_END);

	for (;;) {
		int fd = accept(listener, NULL, NULL);
		ssize_t n = read(fd, request, sizeof(request) - 1);
		off_t at = 0;

		request[n > 0 ? n : 0] = '\0';
		if (strstr(request, "GET /predictions/") == NULL) {
			put(fd, missing, sizeof(missing) - 1);
		} else {
			put(fd, head,
			    (size_t)snprintf(head, sizeof(head),
					     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
					     "Content-Length: %lld\r\n\r\n",
					     (long long)len));
			while (at < len && sendfile(fd, body_fd, &at, (size_t)(len - at)) > 0)
				;
		}
		close(fd);
	}
}

static pid_t start_daemon(int body_fd)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(here);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	pid_t pid;

	if (bind(listener, (const struct sockaddr *)&here, len) != 0 || listen(listener, 8) != 0 ||
	    getsockname(listener, (struct sockaddr *)&here, &len) != 0 || (pid = fork()) < 0)
		die("the daemon's socket");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		answer(listener, body_fd);
	}
	daemon_port = ntohs(here.sin_port);
	close(listener);
	return pid;
}

static double now_rss_mb(void)
{
	long size = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file == NULL || fscanf(file, "%ld %ld", &size, &resident) != 2)
		die("statm");
	(void)fclose(file);
	return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

static void whole_chain(int fd, struct result *result)
{
	char url[64];
	const struct store_address address = {.where = redis_address,
					      .user = "",
					      .password = "",
					      .sentinel_password = "",
					      .connect_ms = 1000};
	const struct cache_group_limits always = {10, 20000, 100000};
	const struct cache_limits limits = {.group = {always, always, always, always, always},
					    .max_stale_ms = 900000,
					    .batch_ms = 1000,
					    .publish_ms = 5000,
					    .history_points = 20160,
					    .history_memory = 256 << 20};
	const struct upstream_config config = {.daemon_url = url,
					       .generator_url = "",
					       .api_key = "",
					       .connect_ms = 1000,
					       .timeout_ms = {15000, 2000, 1000, 1000},
					       .max_body = {BODY_MAX, 65536, 65536, 65536}};
	const struct site site = {10, 120000, 900000, url, NULL, false};
	static const struct cache_owner owner = {"tft", "0123456789abcdef"};
	struct store *store = store_new(&address);
	struct refresh refresh = {.cache = cache_new(store, &limits, &owner),
				  .upstream = upstream_new(&config),
				  .metrics = metrics_new("bench"),
				  .site = &site};
	struct cache_read read;
	struct claim claim;
	double then = cpu_ms();
	int64_t wall = clock_mono_us();

	(void)fd;
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d", daemon_port);
	if (cache_claim(refresh.cache, CACHE_FLEET, &claim) != CLAIM_WON)
		die("no claim: is this Redis in use?");
	refresh_fleet(&refresh, &claim);
	result->ms[CHAIN] = since(&then);
	result->ms[CHAIN_WALL] = (double)(clock_mono_us() - wall) / 1e3;
	result->idle_mb = now_rss_mb();
	(void)cache_read(refresh.cache, CACHE_FLEET, "overview", true, &read);
	if (!read.found || read.state.data_bucket != claim.bucket)
		die("nothing was committed");
}

static void parse_dom(int fd, struct result *result)
{
	off_t len = lseek(fd, 0, SEEK_END);
	char *text = malloc((size_t)len + 1);
	struct json_object *dom;
	double then;

	if (text == NULL || pread(fd, text, (size_t)len, 0) != len)
		die("pread");
	text[len] = '\0';
	then = cpu_ms();
	dom = json_tokener_parse(text);
	result->ms[JSON_C] = since(&then);
	if (dom == NULL)
		exit(1);
}

/* --- children --- */

static double own_rss_mb(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_maxrss / 1024;
}

/* Runs one of the two in a child, which has its own memory and allocator. */
static struct result in_child(void (*run)(int fd, struct result *result), int fd)
{
	struct result result = {0};
	int pipes[2], status;
	pid_t pid;

	if (pipe(pipes) != 0 || (pid = fork()) < 0)
		die("fork");
	if (pid == 0) {
		(void)lseek(fd, 0, SEEK_SET);
		run(fd, &result);
		result.rss_mb = own_rss_mb();
		put(pipes[1], (const char *)&result, sizeof(result));
		_exit(0);
	}
	close(pipes[1]);
	if (read(pipes[0], &result, sizeof(result)) != sizeof(result))
		die("child");
	close(pipes[0]);
	(void)waitpid(pid, &status, 0);
	return result;
}

static int body_of(const char *path, int servers)
{
	int status, fd = memfd_create("body", 0);
	pid_t pid = fork();

	if (fd < 0 || pid < 0)
		die("memfd_create");
	if (pid == 0) {
		write_body(path, servers, fd);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0)
		exit(1);
	return fd;
}

/* --- the table --- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct spread {
	double low, median, high;
};

static struct spread spread_of(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), by_value);
	return (struct spread){values[0], values[count / 2], values[count - 1]};
}

static double total_of(const struct result *r)
{
	double sum = 0;

	for (int step = DECODE; step <= ALERTS; step++)
		sum += step == SCORE ? 0 : r->ms[step];
	return sum;
}

static void print_row(const char *name, double *values, int count)
{
	struct spread s = spread_of(values, count);

	printf("  %-15s %8.1f ms   (%.1f to %.1f)\n", name, s.median, s.low, s.high);
}

/* One row of the table for each kind of child. */
static void run_round(int fd, struct result *r, double *dom_mb, double *chain_mb)
{
	struct result dom = in_child(parse_dom, fd), chain = {0};

	*r = in_child(refresh, fd);
	if (redis_address != NULL)
		chain = in_child(whole_chain, fd);
	r->ms[JSON_C] = dom.ms[JSON_C];
	r->ms[CHAIN] = chain.ms[CHAIN];
	r->ms[CHAIN_WALL] = chain.ms[CHAIN_WALL];
	r->idle_mb = chain.idle_mb;
	*dom_mb = dom.rss_mb;
	*chain_mb = chain.rss_mb;
}

static void measure(const char *path, int servers, int rounds)
{
	double values[STEPS][ROUNDS_MAX], totals[ROUNDS_MAX], ratios[ROUNDS_MAX];
	double dom_mb = 0, chain_mb = 0;
	int fd = body_of(path, servers);
	pid_t daemon = redis_address ? start_daemon(fd) : 0;
	struct result r;

	for (int i = 0; i < rounds; i++) {
		run_round(fd, &r, &dom_mb, &chain_mb);
		for (int step = 0; step < STEPS; step++)
			values[step][i] = r.ms[step];
		totals[i] = total_of(&r);
		ratios[i] = totals[i] / r.ms[JSON_C];
	}
	printf("%d servers, body %.1f MB, staged %.1f MB; peak RSS %.1f MB, json-c %.0f MB\n",
	       servers, (double)lseek(fd, 0, SEEK_END) / 1e6, r.stored_mb, r.rss_mb, dom_mb);
	for (int step = 0; step < (redis_address ? STEPS : CHAIN); step++)
		print_row(step_names[step], values[step], rounds);
	if (redis_address != NULL)
		printf("  chain: peak RSS %.1f MB, at the end %.1f MB\n", chain_mb, r.idle_mb);
	/* Of ten buckets of 30 s one is kept with its names and forecasts, nine beside it. */
	printf("  archive: %.1f bytes a server and bucket: a tenth of %.1f and of %.1f of its "
	       "forecasts, nine tenths of %.1f\n",
	       r.moment / 10 + r.forecasts / 10 + 0.9 * r.beside, r.moment, r.forecasts, r.beside);
	print_row("refresh", totals, rounds);
	printf("  refresh / json-c: %.2f\n", spread_of(ratios, rounds).median);
	fflush(stdout);
	close(fd);
	if (daemon > 0) {
		(void)kill(daemon, SIGKILL);
		(void)waitpid(daemon, NULL, 0);
	}
}

static int run_once(const char *path, int servers)
{
	struct result r = {0};
	int fd = body_of(path, servers);

	(void)lseek(fd, 0, SEEK_SET);
	refresh(fd, &r);
	return 0;
}

int main(int argc, char **argv)
{
	static const int sizes[] = {20, 90, 500, 1000};
	long rounds = 5, only = 0, once = 0;
	int option;

	while ((option = getopt(argc, argv, "n:o:r:s:")) != -1) {
		if (option == 'n')
			rounds = strtol(optarg, NULL, 10);
		else if (option == 'o')
			only = strtol(optarg, NULL, 10);
		else if (option == 'r')
			redis_address = optarg;
		else if (option == 's')
			once = strtol(optarg, NULL, 10);
		else
			optind = argc;
	}
	if (argc - optind != 1 || rounds < 1 || rounds > ROUNDS_MAX) {
		fputs("usage: refresh [-n ROUNDS] [-o|-s SERVERS] [-r REDIS] PAYLOAD.json.gz\n",
		      stderr);
		return 2;
	}
	if (once > 0)
		return run_once(argv[optind], (int)once);
	if (only > 0)
		measure(argv[optind], (int)only, (int)rounds);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && only == 0; i++)
		measure(argv[optind], sizes[i], (int)rounds);
	return 0;
}
