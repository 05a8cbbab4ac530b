/* SPDX-License-Identifier: MIT */
/*
 * The program as a shell sees it: options, exit codes, messages. The test starts its own program
 * again, under the name of the dashboard, from a directory with a tft-fetch.
 */
#include "config.h"

int dashboard_main(int argc, char **argv);
#define main dashboard_main
#include "../../src/main.c"
#undef main

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"

#define PROGRAM "tft-dashboard"

static char directory[64];

static char *in_directory(const char *name)
{
	static char paths[4][128];
	static int turn;
	char *path = paths[turn++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

static void put_file(const char *name, const char *text)
{
	FILE *file = fopen(in_directory(name), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void copy_program(void)
{
	static char bytes[65536];
	FILE *from = fopen("/proc/self/exe", "r"), *to = fopen(in_directory(PROGRAM), "w");
	size_t n;

	assert_true(from && to);
	while ((n = fread(bytes, 1, sizeof(bytes), from)) > 0)
		assert_int_equal(fwrite(bytes, 1, n, to), n);
	assert_int_equal(fclose(to), 0);
	(void)fclose(from);
	assert_int_equal(chmod(in_directory(PROGRAM), 0755), 0);
}

static int open_directory(void **state)
{
	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/tft-main.XXXXXX");
	assert_non_null(mkdtemp(directory));
	copy_program();
	put_file("tft-fetch", "");
	put_file("conf", "");
	put_file("err", "");
	return chmod(in_directory("tft-fetch"), 0755);
}

static int close_directory(void **state)
{
	static const char *const names[] = {PROGRAM, "tft-fetch", "conf",      "out",
					    "err",   "fcgi",      "fcgi.calls"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(in_directory(names[i]));
	return rmdir(directory);
}

/* --- one run --- */

static char said[1 << 16], complained[4096]; /* on both outputs */

static void read_back(const char *name, char *to, size_t size)
{
	FILE *file = fopen(in_directory(name), "r");

	assert_non_null(file);
	to[fread(to, 1, size - 1, file)] = '\0';
	(void)fclose(file);
}

static void redirect(const char *name, int fd)
{
	int file = open(in_directory(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (file < 0 || dup2(file, fd) != fd)
		_exit(99);
}

/* input: -1 none. words: the options, up to a NULL. */
static pid_t start(int input, const char *const *words)
{
	char *argv[8] = {strdup(PROGRAM)};
	pid_t pid = fork();

	if (pid != 0) {
		free(argv[0]);
		return pid;
	}
	for (size_t i = 0; words[i]; i++)
		argv[i + 1] = strdup(words[i]);
	redirect("out", STDOUT_FILENO);
	redirect("err", STDERR_FILENO);
	if (input < 0)
		input = open("/dev/null", O_RDONLY);
	if (dup2(input, STDIN_FILENO) == STDIN_FILENO)
		(void)execv(in_directory(PROGRAM), argv);
	_exit(98);
}

static int end_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	read_back("out", said, sizeof(said));
	read_back("err", complained, sizeof(complained));
	return WEXITSTATUS(status);
}

#define WORDS(...)                                                                                 \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}
#define RUN(...) end_of(start(-1, WORDS(__VA_ARGS__)))
#define CONF     "-c", in_directory("conf")

static void assert_starts(const char *text, const char *start_)
{
	if (strncmp(text, start_, strlen(start_)) != 0)
		fail_msg("\"%.300s\" does not start with \"%s\"", text, start_);
}

static void assert_part(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in \"%.900s\"", part, text);
}

/* --- tests --- */

static void test_version_and_help(void **state)
{
	static const char version[] = "tft-dashboard " PACKAGE_VERSION " (build " BUILD_ID ")\n";

	(void)state;
	assert_int_equal(RUN("--version"), 0);
	assert_string_equal(said, version);
	assert_int_equal(RUN("-V"), 0);
	assert_string_equal(said, version);
	assert_int_equal(RUN("--help"), 0);
	assert_string_equal(said, usage);
	assert_string_equal(complained, "");
	assert_int_equal(RUN("-h"), 0);
	assert_string_equal(said, usage);
}

static void test_wrong_usage(void **state)
{
	(void)state;
	assert_int_equal(RUN("-V", "more"), 2);
	assert_string_equal(complained, usage);
	assert_int_equal(RUN("--nonsense"), 2);
	assert_part(complained, usage);
	assert_int_equal(RUN("-c"), 2);
	assert_int_equal(RUN("--render", "overview"), 2);
	assert_int_equal(RUN("-t", "--snapshot", "file"), 2);
	assert_string_equal(said, "");
}

static void test_a_check(void **state)
{
	(void)state;
	assert_int_equal(RUN(CONF, "-t"), 0);
	assert_string_equal(said, "");
	assert_string_equal(complained, "");
	assert_int_equal(RUN("--config", in_directory("conf"), "--check"), 0);
	put_file("conf", "[cache]\ninterval = never\n");
	assert_int_equal(RUN(CONF, "--check"), EX_CONFIG);
	assert_starts(complained, "tft-dashboard: /tmp/tft-main.");
	assert_part(complained, "/conf:2: ");
	put_file("conf", "[redis]\npassword = abc ;def\n");
	assert_int_equal(chmod(in_directory("conf"), 0600), 0);
	assert_int_equal(RUN(CONF, "--check"), 0);
	assert_part(complained, "tft-dashboard: warning: ");
	assert_part(complained, "redis.password ends before");
}

static void test_what_a_check_misses(void **state)
{
	char text[300];

	(void)state;
	(void)snprintf(text, sizeof(text), "[upstream]\nca_file = %s\n", in_directory("nowhere"));
	put_file("conf", text);
	assert_int_equal(RUN(CONF, "--check"), EX_CONFIG);
	assert_starts(complained, "tft-dashboard: upstream.ca_file: /tmp/tft-main.");
	assert_part(complained, "/nowhere: No such file or directory\n");
	(void)snprintf(text, sizeof(text), "[upstream]\nca_file = %s\n", in_directory("conf"));
	put_file("conf", text);
	assert_int_equal(RUN(CONF, "--check"), 0);
	put_file("conf", "[redis]\naddress = rediss://redis.example:6379\n");
#ifdef HAVE_HIREDIS_SSL
	assert_int_equal(RUN(CONF, "--check"), 0);
#else
	assert_int_equal(RUN(CONF, "--check"), EX_CONFIG);
	assert_part(complained, "tft-dashboard: redis: this build cannot speak TLS");
#endif
	put_file("conf", "");
	assert_int_equal(unlink(in_directory("tft-fetch")), 0);
	if (access(TFT_LIBEXECDIR "/tft-fetch", X_OK) == 0)
		return; /* it is installed here */
	assert_int_equal(RUN(CONF, "--check"), EX_CONFIG);
	assert_string_equal(complained, "tft-dashboard: " TFT_LIBEXECDIR
					"/tft-fetch: No such file or directory\n");
}

static void test_what_it_prints(void **state)
{
	(void)state;
	put_file("conf", "[cache]\ninterval = 20s\n");
	assert_int_equal(RUN(CONF, "-T"), 0);
	assert_part(said, "interval = 20s");
	assert_int_equal(RUN(CONF, "--print-config"), 0);
	assert_part(said, "interval = 20s");
	assert_int_equal(RUN(CONF, "--fingerprint"), 0);
	assert_int_equal(strlen(said), 17);
	assert_int_equal(strspn(said, "0123456789abcdef"), 16);
}

static void test_a_page_from_a_file(void **state)
{
	const char *srcdir = getenv("srcdir");
	char payload[512];

	(void)state;
	(void)snprintf(payload, sizeof(payload),
		       "%s/tests/data/payloads/predictions_current-healthy-20.json.gz",
		       srcdir ? srcdir : ".");
	assert_int_equal(RUN(CONF, "--render", "api-fleet", "--snapshot", payload), 0);
	assert_starts(said, "{\"");
	assert_int_equal(RUN(CONF, "--render", "nowhere", "--snapshot", payload), EX_DATAERR);
	assert_string_equal(complained, "tft-dashboard: there is no page 'nowhere'\n");
	assert_string_equal(said, "");
}

/* adopt.lua is not given half a fingerprint. */
static void test_what_cannot_be_printed_is_a_failure(void **state)
{
	static const char *const words[] = {"-V", "-h", "--print-config", "--fingerprint"};

	(void)state;
	(void)unlink(in_directory("out"));
	assert_int_equal(symlink("/dev/full", in_directory("out")), 0);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		assert_int_equal(RUN(CONF, words[i]), EXIT_FAILURE);
		assert_string_equal(complained, "tft-dashboard: standard output: No space left on "
						"device\n");
	}
}

/* A supervisor would start it again at once. */
static void test_what_cannot_start_fails_slowly(void **state)
{
	int64_t began = clock_mono_ms();

	(void)state;
	assert_int_equal(RUN(CONF), EXIT_USAGE);
	assert_starts(complained, "tft-dashboard: standard input is not a listening socket");
	assert_true(clock_mono_ms() - began >= 1000);
	put_file("conf", "nonsense\n");
	began = clock_mono_ms();
	assert_int_equal(RUN(CONF), EX_CONFIG);
	assert_true(clock_mono_ms() - began >= 1000);
}

/* --- the worker --- */

static int listen_here(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", in_directory("fcgi"));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

/* Waits for a line of its log. */
static void await_line(const char *line)
{
	int64_t deadline = clock_mono_ms() + 20000;

	do {
		read_back("err", complained, sizeof(complained));
		if (strstr(complained, line))
			return;
		(void)usleep(2000);
	} while (clock_mono_ms() < deadline);
	fail_msg("no \"%s\" in \"%s\"", line, complained);
}

static void assert_no_core(pid_t pid)
{
	char path[64], text[4096];
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
	file = fopen(path, "r");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	(void)fclose(file);
	assert_part(text, "Max core file size        0                    0 ");
}

static void test_a_worker_runs_until_it_is_told_to_stop(void **state)
{
	int fd = listen_here();
	pid_t pid;

	(void)state;
	put_file("conf", "[redis]\naddress = unix:/nowhere/redis.sock\n[server]\nnode = "
			 "web1\n[log]\nlevel = info\n");
	pid = start(fd, WORDS(CONF));
	(void)close(fd);
	await_line("ev=start version=" PACKAGE_VERSION " build=" BUILD_ID "\n");
	await_line("ev=redis_down"); /* by now it handles signals */
	assert_part(complained, "node=web1");
	assert_no_core(pid);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(end_of(pid), 0);
	assert_part(complained, "ev=stop code=0\n");
}

/* --- the parts of a worker --- */

/* The lease covers the longest call under it. */
static void test_the_lease_covers_every_call(void **state)
{
	struct settings s = {.interval_ms = 30000,
			     .timeout_ms = 12000,
			     .status_timeout_ms = 3000,
			     .scenario_timeout_ms = 2000,
			     .status_interval_ms = 2000,
			     .calls_per_minute = 26};
	struct cache_limits limits = make_limits(&s);

	(void)state;
	assert_int_equal(limits.group[CACHE_FLEET].lease_ms, 12000 + PROTOCOL_LEASE_REST_MS);
	assert_int_equal(limits.group[CACHE_STATUS].lease_ms, 3000 + PROTOCOL_LEASE_REST_MS);
	assert_int_equal(limits.group[CACHE_SCENARIO].lease_ms, 3000 + PROTOCOL_LEASE_REST_MS);
	s.scenario_timeout_ms = 14000;
	limits = make_limits(&s);
	assert_int_equal(limits.group[CACHE_FLEET].lease_ms, 14000 + PROTOCOL_LEASE_REST_MS);
	assert_int_equal(limits.group[CACHE_STATUS].lease_ms, 14000 + PROTOCOL_LEASE_REST_MS);
	assert_int_equal(limits.group[CACHE_FLEET].interval_ms, 30000);
	assert_int_equal(limits.group[CACHE_ALERTS].interval_ms, 30000);
	assert_int_equal(limits.group[CACHE_ALERTMANAGER].interval_ms, 30000);
	assert_int_equal(limits.group[CACHE_STATUS].interval_ms, 2000);
	assert_int_equal(limits.group[CACHE_FLEET].calls, s.calls_per_minute);
	for (int group = CACHE_FLEET + 1; group < CACHE_GROUPS; group++)
		assert_int_equal(limits.group[group].calls, 40);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_directory, close_directory)

/* Or another worker would begin the same refresh before it is over. */
static void test_a_lease_is_longer_than_its_calls(void **state)
{
	struct settings s = {
		.timeout_ms = 9000, .status_timeout_ms = 1000, .scenario_timeout_ms = 2000};
	struct cache_limits limits;

	(void)state;
	limits = make_limits(&s);
	assert_int_equal(limits.group[CACHE_FLEET].lease_ms, 9000 + PROTOCOL_LEASE_REST_MS);
	assert_int_equal(limits.group[CACHE_STATUS].lease_ms, 2000 + PROTOCOL_LEASE_REST_MS);
	assert_int_equal(limits.group[CACHE_SCENARIO].lease_ms, 2000 + PROTOCOL_LEASE_REST_MS);
	assert_int_equal(limits.group[CACHE_ALERTS].lease_ms, ALERTS_MS + PROTOCOL_LEASE_REST_MS);
	assert_int_equal(limits.group[CACHE_ALERTMANAGER].lease_ms,
			 ALERTS_MS + PROTOCOL_LEASE_REST_MS);
	/* The small groups are asked for under the lease of the fleet. */
	s.status_timeout_ms = 12000;
	limits = make_limits(&s);
	assert_int_equal(limits.group[CACHE_FLEET].lease_ms, 12000 + PROTOCOL_LEASE_REST_MS);
	assert_int_equal(limits.group[CACHE_STATUS].lease_ms, 12000 + PROTOCOL_LEASE_REST_MS);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_version_and_help),
		TEST(test_wrong_usage),
		TEST(test_a_check),
		TEST(test_what_a_check_misses),
		TEST(test_what_it_prints),
		TEST(test_what_cannot_be_printed_is_a_failure),
		TEST(test_a_page_from_a_file),
		TEST(test_what_cannot_start_fails_slowly),
		TEST(test_a_worker_runs_until_it_is_told_to_stop),
		cmocka_unit_test(test_a_lease_is_longer_than_its_calls),
		cmocka_unit_test(test_the_lease_covers_every_call),
	};
	const char *name = strrchr(argv[0], '/');

	if (strcmp(name ? name + 1 : argv[0], PROGRAM) == 0)
		return dashboard_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
