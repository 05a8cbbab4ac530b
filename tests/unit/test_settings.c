/* SPDX-License-Identifier: MIT */
/* Files, environment and built-in values; settings.c is compiled in with another default path and
 * host name. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "paths.h"
#undef TFT_SYSCONFDIR
#define TFT_SYSCONFDIR "etc" /* below the test's directory */

static const char *host_name;

static int fake_gethostname(char *name, size_t size)
{
	if (strlen(host_name) >= size)
		return -1;
	(void)snprintf(name, size, "%s", host_name);
	return 0;
}

#define gethostname fake_gethostname
#include "../../src/settings.c"
#undef gethostname

#include <cmocka.h>

#include "base/log.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static struct settings settings;
static struct err err;
static char directory[] = "/tmp/tft-settings-XXXXXX";

static void write_bytes(const char *name, const char *bytes, size_t len, mode_t mode)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(name, mode), 0);
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	write_bytes(name, text, strlen(text), mode);
}

static int load_text(const char *text)
{
	write_file("t.conf", text, 0640);
	return settings_load(&settings, "t.conf", &err);
}

static void assert_loads(const char *text)
{
	if (load_text(text) != 0)
		fail_msg("%s\nrefused: %s", text, err.msg);
}

/* The whole explanation is compared: the operator gets nothing else. */
static void assert_refused(const char *text, const char *why)
{
	if (load_text(text) == 0)
		fail_msg("%s\nloaded", text);
	assert_string_equal(err.msg, why);
}

static int clean(void **state)
{
	(void)state;
	assert_int_equal(clearenv(), 0);
	host_name = "web1";
	memset(&settings, 0x5a, sizeof(settings));
	(void)snprintf(err.msg, sizeof(err.msg), "no error was told");
	return 0;
}

static void test_built_in_values(void **state)
{
	(void)state;
	assert_int_equal(settings_load(&settings, NULL, &err), 0);
	assert_string_equal(settings.daemon_url, "http://127.0.0.1:8000");
	assert_string_equal(settings.generator_url, "");
	assert_string_equal(settings.api_key, "");
	assert_int_equal(settings.timeout_ms, 15000);
	assert_int_equal(settings.connect_ms, 1000);
	assert_int_equal(settings.status_timeout_ms, 2000);
	assert_int_equal(settings.scenario_timeout_ms, 1000);
	assert_int_equal(settings.max_body, 64 << 20);
	assert_int_equal(settings.interval_ms, 30000);
	assert_int_equal(settings.status_interval_ms, 2000);
	assert_int_equal(settings.act_limit_ms, 600000);
	assert_int_equal(settings.max_stale_ms, 3600000);
	assert_int_equal(settings.calls_per_minute, 26);
	assert_int_equal(settings.idle_tick, 1);
	assert_int_equal(settings.history_points, 20160);
	assert_string_equal(settings.redis, "127.0.0.1:6379");
	assert_int_equal(settings.redis_connect_ms, 50);
	assert_int_equal(settings.redis_batch_ms, 100);
	assert_int_equal(settings.redis_publish_ms, 2000);
	assert_string_equal(settings.node, "web1");
	assert_int_equal(settings.workers, 6);
	assert_int_equal(settings.workers_total, 0);
	assert_int_equal(settings.log_level, LOG_LEVEL_WARNING);
	assert_string_equal(settings.operators, "");
	assert_int_equal(settings.anonymous, ROLE_VIEWER);
	assert_string_equal(settings.origin, "");
}

static void test_the_default_file_is_read_when_it_is_there(void **state)
{
	(void)state;
	assert_int_equal(mkdir("etc", 0700), 0);
	assert_int_equal(mkdir("etc/tft-dashboard", 0700), 0);
	write_file("etc/tft-dashboard/tft-dashboard.conf", "[server]\nnode = default-file\n", 0644);
	assert_int_equal(settings_load(&settings, NULL, &err), 0);
	assert_string_equal(settings.node, "default-file");
	assert_int_equal(unlink("etc/tft-dashboard/tft-dashboard.conf"), 0);
	/* It is there but cannot be read, which is no reason to run with other settings. */
	assert_int_equal(mkdir("etc/tft-dashboard/tft-dashboard.conf", 0700), 0);
	assert_int_equal(settings_load(&settings, NULL, &err), -1);
	assert_string_equal(err.msg, "etc/tft-dashboard/tft-dashboard.conf: Is a directory");
	assert_int_equal(rmdir("etc/tft-dashboard/tft-dashboard.conf"), 0);
	assert_int_equal(rmdir("etc/tft-dashboard"), 0);
	assert_int_equal(rmdir("etc"), 0);
}

static void test_a_named_file_must_be_a_readable_text_file(void **state)
{
	(void)state;
	assert_int_equal(settings_load(&settings, "absent.conf", &err), -1);
	assert_string_equal(err.msg, "absent.conf: No such file or directory");
	assert_int_equal(settings_load(&settings, "/tmp", &err), -1);
	assert_string_equal(err.msg, "/tmp: Is a directory");
	assert_int_equal(settings_load(&settings, "/dev/zero", &err), -1);
	assert_string_equal(err.msg, "/dev/zero: Operation not supported");
	write_bytes("t.conf", "[log]\n\0level = info\n", 20, 0644);
	assert_int_equal(settings_load(&settings, "t.conf", &err), -1);
	assert_string_equal(err.msg, "t.conf: not a text file");
}

static void test_a_huge_file_is_refused(void **state)
{
	static char big[200000];

	(void)state;
	memset(big, '\n', sizeof(big));
	write_bytes("t.conf", big, sizeof(big), 0644);
	errno = 0;
	assert_int_equal(settings_load(&settings, "t.conf", &err), -1);
	assert_string_equal(err.msg, "t.conf: File too large");
	/* One that cannot be read is not called large. */
	assert_int_equal(settings_load(&settings, "/proc/self/mem", &err), -1);
	assert_string_equal(err.msg, "/proc/self/mem: Input/output error");
}

static void test_nobody_need_act_on_less_than_is_shown(void **state)
{
	(void)state;
	assert_loads("[cache]\nact_limit = 30m\nmax_stale = 30m\n");
	assert_int_equal(settings.act_limit_ms, settings.max_stale_ms);
}

static void test_a_whole_file(void **state)
{
	(void)state;
	assert_loads("# comment\n"
		     "; another\n"
		     "\n"
		     "[upstream]\r\n"
		     "daemon_url = https://tft.example:8443/base/ ; and why\n"
		     "generator_url=http://[::1]:8001\n"
		     "api_key = a=b:c#d\n"
		     "timeout : 1m\n"
		     "[cache]\n"
		     "interval = 5\n"
		     "act_limit = 90s\n"
		     "idle_tick = off\n"
		     "[redis]\n"
		     "address = unix:/run/tft/redis.sock\n"
		     "user = tft\n"
		     "password =\n"
		     "connect_timeout = 20ms\n"
		     "[log]\n"
		     "level = debug");
	assert_string_equal(settings.daemon_url, "https://tft.example:8443/base");
	assert_string_equal(settings.generator_url, "http://[::1]:8001");
	assert_string_equal(settings.api_key, "a=b:c#d");
	assert_int_equal(settings.timeout_ms, 60000);
	assert_int_equal(settings.interval_ms, 5000);
	assert_int_equal(settings.act_limit_ms, 90000);
	assert_int_equal(settings.idle_tick, 0);
	assert_string_equal(settings.redis, "unix:/run/tft/redis.sock");
	assert_string_equal(settings.redis_user, "tft");
	assert_string_equal(settings.redis_password, "");
	assert_int_equal(settings.redis_connect_ms, 20);
	assert_int_equal(settings.log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(settings.max_stale_ms, 3600000);
}

static void test_an_error_tells_its_line(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"[cache]\ninterval = 4s\n",
		 "t.conf:2: cache.interval: expected 5s to 5m"},
		{"\n\n[cache]\nintervall = 30s\n",
		 "t.conf:4: no option of this name in section [cache]"},
		{"interval = 30s\n",
		 "t.conf:1: this line stands before the first [section]"},
		{"[log]\ninterval = 30s\n",
		 "t.conf:2: no option of this name in section [log]"},
		{"[\x1b[2J]\nx = y\n",
		 "t.conf:2: no option of this name in section []"},
		{"[log]\nlevel_file = x\n",
		 "t.conf:2: no option of this name in section [log]"},
		{"[upstream]\napi_key_fil = x\n",
		 "t.conf:2: no option of this name in section [upstream]"},
		{"[cache]\ninterval\n",
		 "t.conf:2: expected [section] or key = value"},
		{"[cache\ninterval = 30s\n",
		 "t.conf:1: expected [section] or key = value"},
		{"[log]\nbroken\nlevel = loud\n",
		 "t.conf:2: expected [section] or key = value"},
		{"[log]\nlevel = loud\nbroken\n",
		 "t.conf:2: log.level: expected error, warning, info or debug"},
		{"[log]\nlevel = loud\ncolour = red\n",
		 "t.conf:2: log.level: expected error, warning, info or debug"},
		{"[log]\nlevel = info\n[log]\nlevel = info\n",
		 "t.conf:4: log.level is given twice (or this line begins with a blank)"},
		{"[log]\nlevel = info\n  debug\n",
		 "t.conf:3: log.level is given twice (or this line begins with a blank)"},
		{"[cache]\nact_limit = 1h\nmax_stale = 30m\n",
		 "cache.act_limit: expected no more than cache.max_stale"},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_refused(rows[i].text, rows[i].why);
}

static void test_an_overlong_line_is_an_error_and_not_two_lines(void **state)
{
	char text[512];

	(void)state;
	/* The longest line that libinih accepts has 198 bytes and its end. */
	(void)snprintf(text, sizeof(text), "[log]\n# %0196d\nlevel = info\n", 0);
	assert_loads(text);
	(void)snprintf(text, sizeof(text), "[log]\n# %0197d\nlevel = info\n", 0);
	assert_refused(text, "t.conf:2: line too long");
	/* If it were cut, the second piece would be an option. */
	(void)snprintf(text, sizeof(text), "[log]\n#%0198dlevel = info\n", 0);
	assert_refused(text, "t.conf:2: line too long");
}

static void test_numbers(void **state)
{
	static const struct {
		const char *key, *value;
		int64_t expected; /* -1: refused */
	} rows[] = {
		{"interval", "5", 5000},
		{"interval", "300", 300000},
		{"interval", "5000ms", 5000},
		{"interval", "007s", 7000},
		{"interval", "5m", 300000},
		{"interval", "4999ms", -1},
		{"interval", "301", -1},
		{"interval", "1h", -1},
		{"interval", "0", -1},
		{"interval", "-30", -1},
		{"interval", "+30", -1},
		{"interval", "30 s", -1},
		{"interval", "30S", -1},
		{"interval", "30.5", -1},
		{"interval", "0x1e", -1},
		{"interval", "1e1", -1},
		{"interval", "30d", -1},
		{"interval", "s", -1},
		{"interval", "", -1},
		{"interval", "nan", -1},
		{"interval", "999999999h", -1},
		{"interval", "18446744073709551646", -1}, /* 2^64 + 30 */
		{"calls_per_minute", "28", 28},
		{"calls_per_minute", "29", -1},
		{"calls_per_minute", "0", -1},
		{"calls_per_minute", "26k", -1},
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		bool interval = strcmp(rows[i].key, "interval") == 0;

		(void)snprintf(text, sizeof(text), "[cache]\n%s = %s\n", rows[i].key,
			       rows[i].value);
		if (rows[i].expected < 0) {
			assert_refused(
				text,
				interval ? "t.conf:2: cache.interval: expected 5s to 5m"
					 : "t.conf:2: cache.calls_per_minute: expected 1 to 28");
			continue;
		}
		assert_loads(text);
		assert_int_equal(interval ? settings.interval_ms : settings.calls_per_minute,
				 rows[i].expected);
	}
}

static void test_sizes(void **state)
{
	static const struct {
		const char *value;
		int64_t expected;
	} rows[] = {
		{"64m", 64 << 20},
		{"1g", 1 << 30},
		{"2048k", 2 << 20},
		{"1048576", 1 << 20},
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		(void)snprintf(text, sizeof(text), "[upstream]\nmax_body = %s\n", rows[i].value);
		assert_loads(text);
		assert_int_equal(settings.max_body, rows[i].expected);
	}
	assert_refused("[upstream]\nmax_body = 1048575\n",
		       "t.conf:2: upstream.max_body: expected 1m to 1g");
	assert_refused("[upstream]\nmax_body = 2g\n",
		       "t.conf:2: upstream.max_body: expected 1m to 1g");
	assert_refused("[upstream]\nmax_body = 5s\n",
		       "t.conf:2: upstream.max_body: expected 1m to 1g");
}

static void test_urls(void **state)
{
	static const struct {
		const char *value, *expected; /* NULL: refused */
	} rows[] = {
		{"http://10.0.0.1:8000", "http://10.0.0.1:8000"},
		{"http://daemon", "http://daemon"},
		{"https://gw.example/tft//", "https://gw.example/tft"},
		{"http://[fe80::1]:8000/", "http://[fe80::1]:8000"},
		{"ftp://daemon", NULL},
		{"file:///etc/passwd", NULL},
		{"redis://127.0.0.1:6379", NULL},
		{"HTTP://daemon", NULL},
		{"daemon:8000", NULL},
		{"//daemon", NULL},
		{"http://", NULL},
		{"http:///path", NULL},
		{"http://user@daemon", NULL},
		{"http://user:secret@daemon", NULL},
		{"http://@daemon", NULL},
		{"http://daemon?x=1", NULL},
		{"http://daemon?", NULL},
		{"http://daemon#x", NULL},
		{"http://dae mon", NULL},
		{"http://daemon:99999", NULL},
		{"http://daemon:port", NULL},
		{"http://daemon:", NULL},
		{"http://daemon:0/", NULL},
		{"http://daemon:123456", NULL},
		{"http://daemon\\path", NULL},
		{"http://[::1", NULL},
		{"http://[::1]8000", NULL},
		{"http://[daemon]", NULL},
		{"http://[]", NULL},
		{"http://daemon\x7f", NULL},
		{"http://d\xc3\xa4mon", NULL},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		int rc;

		assert_int_equal(setenv("TFT_DAEMON_URL", rows[i].value, 1), 0);
		rc = settings_load(&settings, NULL, &err);
		if ((rc == 0) != (rows[i].expected != NULL))
			fail_msg("%s: %d", rows[i].value, rc);
		if (rc == 0)
			assert_string_equal(settings.daemon_url, rows[i].expected);
	}
	assert_string_equal(err.msg, "TFT_DAEMON_URL: upstream.daemon_url: expected "
				     "http(s)://host:port, no user, query or fragment");
	assert_int_equal(unsetenv("TFT_DAEMON_URL"), 0);
	assert_loads("[upstream]\ngenerator_url =\n");
	assert_refused("[upstream]\ndaemon_url =\n",
		       "t.conf:2: upstream.daemon_url: expected 1 to 511 bytes");
}

static void test_alertmanagers(void **state)
{
	static const struct {
		const char *value, *expected; /* NULL: refused */
	} rows[] = {
		{"http://a:9093", "http://a:9093"},
		{"http://a:9093/ ,https://b/am// , http://[::1]:9093",
		 "http://a:9093,https://b/am,http://[::1]:9093"},
		{"http://a,http://b,http://c,http://d", "http://a,http://b,http://c,http://d"},
		{"http://a,http://b,http://c,http://d,http://e", NULL},
		{"http://a,,http://b", NULL},
		{"http://a,b", NULL},
		{"a:9093", NULL},
		{"http://user:secret@a", NULL},
		{"http://a?x=1", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int rc;

		assert_int_equal(setenv("TFT_ALERTMANAGER", rows[i].value, 1), 0);
		rc = settings_load(&settings, NULL, &err);
		if ((rc == 0) != (rows[i].expected != NULL))
			fail_msg("%s: %d", rows[i].value, rc);
		if (rc == 0)
			assert_string_equal(settings.alertmanagers, rows[i].expected);
	}
	assert_int_equal(unsetenv("TFT_ALERTMANAGER"), 0);
	assert_loads("[alert]\nfrom = watch\nafter = 1\n");
	assert_int_equal(settings.alert_from, 5);
	assert_loads("[alert]\n");
	assert_int_equal(settings.alert_from, 2);
	assert_int_equal(settings.alert_after, 2);
	assert_refused("[alert]\nfrom = healthy\n",
		       "t.conf:2: alert.from: expected imminent, critical, danger, warning, "
		       "degrading or watch");
}

static void test_redis_addresses(void **state)
{
	static const struct {
		const char *value;
		bool good;
	} rows[] = {
		{"unix:/run/redis.sock", true},
		{"unix:/srv/zo\xc3\xab/my run/redis.sock", true},
		{"unix:/srv/zo\xeb/redis.sock", false},
		{"unix:/run/\x1b[2J", false},
		{"127.0.0.1:6379", true},
		{"::1:6379", true},
		{"redis.example:65535", true},
		{"redis_1:6379", true},
		{"[::1]:6379", true},
		{"[::1]", false},
		{"[redis]:6379", false},
		{"rediss://@redis.example:6379", false},
		{"rediss://a:b@redis.example:6379", false},
		{"rediss://redis.example", false},
		{"rediss:redis.example:6379", false},
		{"unix:run/redis.sock", false},
		{"unix:", false},
		{"/run/redis.sock", false},
		{"127.0.0.1", false},
		{":6379", false},
		{"127.0.0.1:", false},
		{"127.0.0.1:0", false},
		{"127.0.0.1:65536", false},
		{"127.0.0.1:6379x", false},
		{"127.0.0.1:+6379", false},
		{"redis://127.0.0.1:6379", false},
		{"user@127.0.0.1:6379", false},
		{"a b:6379", false},
		{"sentinel:127.0.0.1:26379/tft", true},
		{"sentinel:127.0.0.1:1,::1:2,c.example:3/my-primary_1.0", true},
		{"sentinel:6379", false},
		{"sentinel:127.0.0.1:26379", false},
		{"sentinel:127.0.0.1:26379/", false},
		{"sentinel:127.0.0.1:26379/a b", false},
		{"sentinel:127.0.0.1:26379/a/b", false},
		{"sentinel:127.0.0.1:26379/a/3", true},
		{"sentinel:127.0.0.1:26379/3", true}, /* a name */
		{"127.0.0.1:6379/3", true},
		{"127.0.0.1:6379/", false},
		{"127.0.0.1:6379/-1", false},
		{"127.0.0.1:6379/x", false},
		{"127.0.0.1:6379/123456", false},
		{"unix:/run/redis.sock/15", true},
		{"unix:3", false},
		{"sentinel:/tft", false},
		{"sentinel:127.0.0.1/tft", false},
		{"sentinel:127.0.0.1:26379,/tft", false},
		{"sentinel:,127.0.0.1:26379/tft", false},
		{"sentinel:127.0.0.1:1,,127.0.0.1:2/tft", false},
		{"sentinel:unix:/run/redis.sock/tft", false},
		{"sentinel:[::1]:1,sentinel_2:2/tft", true},
		{"rediss-sentinel://a:1,b:2", false},
		{"rediss-sentinel://a:1,b:2/tft", true},
		{"rediss-sentinel://tft@a:1,[::1]:2/tft/3", true},
		{"rediss://10.0.0.5:6379", true},
		{"rediss://tft@redis.example:6379/3", true},
		{"rediss://[::1]:6379", true},
		{"rediss://tft:secret@a:6379", false},
		{"rediss://@a:6379", false},
		{"rediss://a", false},
		{"rediss://a:1,b:2", false},
		{"rediss:10.0.0.5:6379", false},
		{"127.0.0.1:1,127.0.0.1:2", false},
	};
	char path[160];

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_int_equal(setenv("TFT_REDIS", rows[i].value, 1), 0);
		if ((settings_load(&settings, NULL, &err) == 0) != rows[i].good)
			fail_msg("%s", rows[i].value);
	}
	/* A socket path has at most 107 bytes. */
	(void)snprintf(path, sizeof(path), "unix:/%0106d", 0);
	assert_int_equal(setenv("TFT_REDIS", path, 1), 0);
	assert_int_equal(settings_load(&settings, NULL, &err), 0);
	(void)snprintf(path, sizeof(path), "unix:/%0107d", 0);
	assert_int_equal(setenv("TFT_REDIS", path, 1), 0);
	assert_int_equal(settings_load(&settings, NULL, &err), -1);
	assert_string_equal(err.msg,
			    "TFT_REDIS: redis.address: expected a form of tft-dashboard.conf(5), "
			    "as unix:/path, address:port/NUMBER or rediss://address:port");
}

static void test_a_prefix_is_short_and_never_taken_for_a_history(void **state)
{
	static const struct {
		const char *value;
		bool good;
	} rows[] = {
		{"tft", true},
		{"fleet-b", true},
		{"0", true},
		{"abcdefghijklmnop", true},
		{"abcdefghijklmnopq", false},
		{"Tft", false},
		{"a:b", false},
		{"a b", false},
		{"a*", false},
		{"tfthist", false},
		{"hist", false},
		{"history", true},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_int_equal(setenv("TFT_REDIS_PREFIX", rows[i].value, 1), 0);
		if ((settings_load(&settings, NULL, &err) == 0) != rows[i].good)
			fail_msg("%s", rows[i].value);
	}
	assert_int_equal(setenv("TFT_REDIS_PREFIX", "A", 1), 0);
	assert_int_equal(settings_load(&settings, NULL, &err), -1);
	assert_string_equal(err.msg,
			    "TFT_REDIS_PREFIX: redis.prefix: expected 1 to 16 small letters, "
			    "digits and hyphens, not ending in \"hist\"");
}

static void fingerprint(const char *fleet, const char *url, const char *key, char out[HASH_HEX])
{
	assert_int_equal(setenv("TFT_FLEET", fleet, 1), 0);
	assert_int_equal(setenv("TFT_DAEMON_URL", url, 1), 0);
	assert_int_equal(setenv("TFT_API_KEY", key, 1), 0);
	assert_int_equal(settings_load(&settings, NULL, &err), 0);
	memcpy(out, settings.fingerprint, HASH_HEX);
}

static void test_a_fleet_is_told_by_its_name_or_its_daemon_and_by_no_key(void **state)
{
	char a[HASH_HEX], b[HASH_HEX];

	(void)state;
	fingerprint("", "http://10.0.0.5:8000", "one", a);
	fingerprint("", "http://10.0.0.5:8000/", "two", b);
	assert_string_equal(a, b);
	assert_int_equal(strspn(a, "0123456789abcdef"), 16);
	fingerprint("", "http://10.0.0.6:8000", "one", b);
	assert_string_not_equal(a, b);
	fingerprint("plant", "http://10.0.0.5:8000", "one", a);
	fingerprint("plant", "http://other:8000", "one", b);
	assert_string_equal(a, b);
	fingerprint("", "http://plant", "one", b);
	assert_string_not_equal(a, b);
}

static void test_the_environment_comes_before_the_file(void **state)
{
	static const char file[] =
		"[cache]\ninterval = 60\n[log]\nlevel = error\n[server]\nnode = file\n";

	(void)state;
	assert_int_equal(setenv("TFT_REFRESH_INTERVAL", "10", 1), 0);
	assert_int_equal(setenv("TFT_LOG_LEVEL", "info", 1), 0);
	assert_int_equal(setenv("TFT_NODE", "", 1), 0);
	assert_int_equal(setenv("TFT_WORKERS", "12", 1), 0);
	assert_int_equal(setenv("TFT_PORT", "not ours", 1), 0);
	assert_loads(file);
	assert_int_equal(settings.interval_ms, 10000);
	assert_int_equal(settings.log_level, LOG_LEVEL_INFO);
	assert_string_equal(settings.node, "file");
	assert_int_equal(settings.workers, 12);
}

static void test_a_bad_variable_is_named(void **state)
{
	(void)state;
	assert_int_equal(setenv("TFT_REFRESH_INTERVAL", "4", 1), 0);
	assert_int_equal(settings_load(&settings, NULL, &err), -1);
	assert_string_equal(err.msg, "TFT_REFRESH_INTERVAL: cache.interval: expected 5s to 5m");
}

static void test_the_node_is_a_plain_name(void **state)
{
	static const char *const bad[] = {"a b", "a\r\nX: y", "\xc3\xa4", "a/b", "a\"b"};

	(void)state;
	for (size_t i = 0; i < LENGTH(bad); i++) {
		assert_int_equal(setenv("TFT_NODE", bad[i], 1), 0);
		assert_int_equal(settings_load(&settings, NULL, &err), -1);
		assert_int_equal(unsetenv("TFT_NODE"), 0);
		host_name = bad[i];
		assert_int_equal(settings_load(&settings, NULL, &err), -1);
		assert_string_equal(err.msg, "server.node: the host name will not do, set one of "
					     "letters, digits, dots, hyphens, underscores");
	}
	assert_loads("[server]\nnode = web-2.example_x\n");
	assert_string_equal(settings.node, "web-2.example_x");
	host_name = "h";
	assert_loads("");
	assert_string_equal(settings.node, "h");
}

static void test_hosts_are_names_as_nginx_passes_them_on(void **state)
{
	static const char *const bad[] = {",",         "a,",    "a b",  "a:80", "http://a",
					  "\"a\"",     "a.,b",  "*.a",  "a/",   "[::1",
					  "j\xc3\xb6", "a, ,b", "a,b\n"};

	(void)state;
	for (size_t i = 0; i < LENGTH(bad); i++) {
		assert_int_equal(setenv("TFT_HOSTS", bad[i], 1), 0);
		assert_int_equal(settings_load(&settings, NULL, &err), -1);
		assert_string_equal(err.msg, "TFT_HOSTS: ui.hosts: expected host names separated "
					     "by commas, without ports");
	}
	assert_int_equal(unsetenv("TFT_HOSTS"), 0);
	assert_loads("[ui]\nhosts = Dash.Example , dash_2,[2001:DB8::1]\n");
	assert_string_equal(settings.hosts, "dash.example,dash_2,[2001:db8::1]");
	assert_loads("[ui]\nhosts =\n");
	assert_string_equal(settings.hosts, "");
}

static void test_users_are_a_list_of_names(void **state)
{
	static const char *const bad[] = {",",     "a,",          ",a",  "a,,b",
					  "a, ,b", "\"anna\", b", "'a'", "j\xc3\xb6rg"};

	(void)state;
	for (size_t i = 0; i < LENGTH(bad); i++) {
		assert_int_equal(setenv("TFT_OPERATORS", bad[i], 1), 0);
		assert_int_equal(settings_load(&settings, NULL, &err), -1);
		assert_string_equal(err.msg, "TFT_OPERATORS: auth.operators: expected names "
					     "separated by commas, without quotes");
	}
	assert_int_equal(unsetenv("TFT_OPERATORS"), 0);
	assert_loads("[auth]\noperators = alice, b.ob , carol@example\n");
	assert_string_equal(settings.operators, "alice,b.ob,carol@example");
	assert_loads("[auth]\noperators =  jane doe  ,bob\n");
	assert_string_equal(settings.operators, "jane doe,bob");
	assert_loads("[auth]\noperators =\n");
	assert_string_equal(settings.operators, "");
}

static void test_an_origin_is_what_a_browser_would_send(void **state)
{
	static const char *const bad[] = {"example.org", "https://",    "ftp://a",
					  "https://a/b", "https://u@a", "null"};

	(void)state;
	for (size_t i = 0; i < LENGTH(bad); i++) {
		assert_int_equal(setenv("TFT_AUTH_ORIGIN", bad[i], 1), 0);
		assert_int_equal(settings_load(&settings, NULL, &err), -1);
		assert_string_equal(err.msg, "TFT_AUTH_ORIGIN: auth.origin: expected "
					     "http(s)://host or http(s)://host:port");
	}
	assert_int_equal(unsetenv("TFT_AUTH_ORIGIN"), 0);
	assert_loads("[auth]\norigin = https://Dashboard.Example:8443/\n");
	assert_string_equal(settings.origin, "https://dashboard.example:8443");
}

/* What is filled in stays behind the host. */
static void test_a_runbook_is_a_page_of_the_web(void **state)
{
	static const char *const good[] = {
		"https://wiki.example/runbooks/{profile}?server={server}#top",
		"http://[::1]:8080/{server}", "https://wiki.example/"};
	static const char *const bad[] = {"https://wiki.example",         "https://{server}/",
					  "https://wiki{server}/",        "https://wiki:{server}/",
					  "https://u@wiki.example/",      "ftp://wiki.example/",
					  "javascript:alert(1)//",        "//wiki.example/",
					  "https://wiki.example/\"x",     "https://wiki.example/ x",
					  "https://wiki.example/\xc3\xa9"};

	(void)state;
	for (size_t i = 0; i < LENGTH(good); i++) {
		assert_int_equal(setenv("TFT_RUNBOOK_URL", good[i], 1), 0);
		assert_loads("");
		assert_string_equal(settings.runbook_url, good[i]);
	}
	for (size_t i = 0; i < LENGTH(bad); i++) {
		assert_int_equal(setenv("TFT_RUNBOOK_URL", bad[i], 1), 0);
		assert_int_equal(settings_load(&settings, NULL, &err), -1);
		assert_string_equal(err.msg, "TFT_RUNBOOK_URL: ui.runbook_url: expected "
					     "http(s)://host/path, ASCII without blanks and "
					     "quotes");
	}
}

static void test_secrets_from_files(void **state)
{
	static const struct {
		const char *content;
		mode_t mode;
		const char *why; /* NULL: the secret is "s3cret" */
	} rows[] = {
		{"s3cret", 0600, NULL},
		{"s3cret\n", 0640, NULL},
		{" \t s3cret \r\n\n", 0400, NULL},
		{"s3cret", 0644, "its file is open to others (mode 0644, wanted 0640 or 0600)"},
		{"s3cret", 0602, "its file is open to others (mode 0602, wanted 0640 or 0600)"},
		{"", 0600, "its file is empty"},
		{" \n\t\n", 0600, "its file is empty"},
		{"s3cret\nmore\n", 0600, "its file has more than one line"},
		{"s3\033cret", 0600, "expected printable ASCII"},
		{"s3\303\251cret", 0600, "expected printable ASCII"},
		{"s3\177cret", 0600, "expected printable ASCII"},
	};
	char why[256];

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		write_file("secret", rows[i].content, rows[i].mode);
		assert_int_equal(setenv("TFT_API_KEY_FILE", "secret", 1), 0);
		if (!rows[i].why) {
			assert_int_equal(settings_load(&settings, NULL, &err), 0);
			assert_string_equal(settings.api_key, "s3cret");
		} else {
			assert_int_equal(settings_load(&settings, NULL, &err), -1);
			(void)snprintf(why, sizeof(why), "TFT_API_KEY_FILE: upstream.api_key: %s",
				       rows[i].why);
			assert_string_equal(err.msg, why);
		}
		assert_int_equal(unsetenv("TFT_API_KEY_FILE"), 0);
		if (!rows[i].why) {
			assert_loads("[redis]\npassword_file = secret\n[upstream]\napi_key_file = "
				     "secret\n");
			assert_string_equal(settings.redis_password, "s3cret");
			assert_string_equal(settings.api_key, "s3cret");
		} else {
			(void)snprintf(why, sizeof(why), "t.conf:2: redis.password: %s",
				       rows[i].why);
			assert_refused("[redis]\npassword_file = secret\n", why);
		}
		assert_int_equal(unlink("secret"), 0);
	}
}

static void test_a_secret_has_one_place(void **state)
{
	(void)state;
	assert_refused("[upstream]\napi_key_file = absent\n",
		       "t.conf:2: upstream.api_key: absent: No such file or directory");
	/* This goes to a terminal. */
	assert_refused("[upstream]\napi_key_file = a\x1b[2J\n",
		       "t.conf:2: upstream.api_key: its file: No such file or directory");
	write_file("secret", "from-file", 0600);
	assert_refused(
		"[upstream]\napi_key = a\napi_key_file = secret\n",
		"t.conf:3: upstream.api_key is given twice (or this line begins with a blank)");
	assert_int_equal(setenv("TFT_REDIS_PASSWORD_FILE", "secret", 1), 0);
	assert_loads("[redis]\npassword = other\n");
	assert_string_equal(settings.redis_password, "from-file");
	assert_int_equal(setenv("TFT_REDIS_PASSWORD", "also", 1), 0);
	assert_int_equal(settings_load(&settings, NULL, &err), -1);
	assert_string_equal(err.msg, "TFT_REDIS_PASSWORD_FILE: TFT_REDIS_PASSWORD is set as well");
	assert_int_equal(unlink("secret"), 0);
}

static void test_a_file_with_a_secret_is_closed_to_others(void **state)
{
	(void)state;
	write_file("open.conf", "[upstream]\napi_key = s3cret\n", 0644);
	assert_int_equal(settings_load(&settings, "open.conf", &err), -1);
	assert_string_equal(err.msg, "open.conf:2: upstream.api_key: a file with a secret must not "
				     "be open to others (mode 0644, wanted 0640 or 0600)");
	write_file("open.conf", "[upstream]\napi_key =\n", 0644);
	assert_int_equal(settings_load(&settings, "open.conf", &err), 0);
	assert_int_equal(unlink("open.conf"), 0);
}

/* A blank followed by a semicolon begins a comment, even if the operator meant it as part of the
 * password. */
static void test_a_secret_that_may_be_cut_is_told(void **state)
{
	static const struct {
		const char *text, *secret;
		bool told;
	} rows[] = {
		{"[redis]\npassword = abc ;def\n", "abc", true},
		{"[redis]\npassword = abc\t;def\n", "abc", true},
		{"[redis]\npassword = abc;def\n", "abc;def", false},
		{"[redis]\npassword = abc\nuser = tft ; the default\n", "abc", false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_loads(rows[i].text);
		assert_string_equal(settings.redis_password, rows[i].secret);
		assert_string_equal(settings.warning.msg,
				    rows[i].told
					    ? "t.conf:2: redis.password ends before \" ;\", the "
					      "rest is a comment; a secret with it goes into a "
					      "file: password_file"
					    : "");
	}
}

static void test_a_secret_that_may_not_be_read_says_for_whom(void **state)
{
	char why[256];

	(void)state;
	if (geteuid() != 0)
		skip();
	write_file("secret", "s3cret", 0600);
	assert_int_equal(chmod(".", 0755), 0);
	assert_int_equal(setenv("TFT_API_KEY_FILE", "secret", 1), 0);
	assert_int_equal(seteuid(33), 0);
	assert_int_equal(settings_load(&settings, NULL, &err), -1);
	assert_int_equal(seteuid(0), 0);
	(void)snprintf(why, sizeof(why),
		       "TFT_API_KEY_FILE: upstream.api_key: secret: user 33 may not read it (mode "
		       "0600, owner 0:0; wanted 0640, group %u)",
		       (unsigned)getegid());
	assert_string_equal(err.msg, why);
	assert_int_equal(unlink("secret"), 0);
}

static void test_overlong_texts_are_refused_and_not_cut(void **state)
{
	char value[1024];

	(void)state;
	(void)snprintf(value, sizeof(value), "%0511d", 0);
	assert_int_equal(setenv("TFT_API_KEY", value, 1), 0);
	assert_int_equal(settings_load(&settings, NULL, &err), 0);
	assert_string_equal(settings.api_key, value);
	(void)snprintf(value, sizeof(value), "%0512d", 0);
	assert_int_equal(setenv("TFT_API_KEY", value, 1), 0);
	assert_int_equal(settings_load(&settings, NULL, &err), -1);
	assert_string_equal(err.msg, "TFT_API_KEY: upstream.api_key: expected 0 to 511 bytes");
}

/* The line of -T that begins with `start`. */
static void assert_printed(const char *start)
{
	struct diagnosis_setting rows[SETTINGS_MAX];
	size_t lines = 0;
	struct buf out;
	char line[256];

	buf_init(&out, 65536);
	buf_char(&out, '\n');
	settings_print(&settings, &out);
	buf_char(&out, '\0');
	assert_true(buf_ok(&out));
	(void)snprintf(line, sizeof(line), "\n%s", start);
	if (!strstr(out.data, line))
		fail_msg("no line \"%s\" in%s", start, out.data);
	assert_null(strstr(out.data, "s3cret"));
	for (const char *c = out.data; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 1 + settings_describe(&settings, rows)); /* the first is ours */
	buf_free(&out);
}

static void test_print_names_values_and_sources_but_no_secret(void **state)
{
	static const char *const lines[] = {
		"upstream.daemon_url = http://127.0.0.1:8000    # default: ",
		"upstream.api_key = ***    # file: ",
		"upstream.timeout = 1500ms    # file: ",
		"upstream.max_body = 64m    # default: ",
		"cache.interval = 2m    # env: ",
		"cache.act_limit = 10m    # default: ",
		"cache.max_stale = 1h    # default: ",
		"cache.idle_tick = off    # file: ",
		"cache.history_points = 20160    # default: ",
		"redis.password =     # default: ",
		"server.node = web1    # default: ",
		"log.level = warning    # default: ",
	};

	(void)state;
	assert_int_equal(setenv("TFT_REFRESH_INTERVAL", "120", 1), 0);
	assert_loads("[upstream]\napi_key = s3cret\ntimeout = 1500ms\n[cache]\nidle_tick = off\n");
	for (size_t i = 0; i < LENGTH(lines); i++)
		assert_printed(lines[i]);
}

static int enter_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int leave_directory(void **state)
{
	(void)state;
	(void)unlink("t.conf");
	return chdir("/") == 0 && rmdir(directory) == 0 ? 0 : -1;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_built_in_values, clean),
		cmocka_unit_test_setup(test_the_default_file_is_read_when_it_is_there, clean),
		cmocka_unit_test_setup(test_a_named_file_must_be_a_readable_text_file, clean),
		cmocka_unit_test_setup(test_a_huge_file_is_refused, clean),
		cmocka_unit_test_setup(test_nobody_need_act_on_less_than_is_shown, clean),
		cmocka_unit_test_setup(test_a_whole_file, clean),
		cmocka_unit_test_setup(test_an_error_tells_its_line, clean),
		cmocka_unit_test_setup(test_an_overlong_line_is_an_error_and_not_two_lines, clean),
		cmocka_unit_test_setup(test_numbers, clean),
		cmocka_unit_test_setup(test_sizes, clean),
		cmocka_unit_test_setup(test_urls, clean),
		cmocka_unit_test_setup(test_redis_addresses, clean),
		cmocka_unit_test_setup(test_alertmanagers, clean),
		cmocka_unit_test_setup(test_a_prefix_is_short_and_never_taken_for_a_history, clean),
		cmocka_unit_test_setup(test_a_fleet_is_told_by_its_name_or_its_daemon_and_by_no_key,
				       clean),
		cmocka_unit_test_setup(test_the_environment_comes_before_the_file, clean),
		cmocka_unit_test_setup(test_a_bad_variable_is_named, clean),
		cmocka_unit_test_setup(test_the_node_is_a_plain_name, clean),
		cmocka_unit_test_setup(test_hosts_are_names_as_nginx_passes_them_on, clean),
		cmocka_unit_test_setup(test_users_are_a_list_of_names, clean),
		cmocka_unit_test_setup(test_an_origin_is_what_a_browser_would_send, clean),
		cmocka_unit_test_setup(test_a_runbook_is_a_page_of_the_web, clean),
		cmocka_unit_test_setup(test_secrets_from_files, clean),
		cmocka_unit_test_setup(test_a_secret_has_one_place, clean),
		cmocka_unit_test_setup(test_a_file_with_a_secret_is_closed_to_others, clean),
		cmocka_unit_test_setup(test_a_secret_that_may_be_cut_is_told, clean),
		cmocka_unit_test_setup(test_a_secret_that_may_not_be_read_says_for_whom, clean),
		cmocka_unit_test_setup(test_overlong_texts_are_refused_and_not_cut, clean),
		cmocka_unit_test_setup(test_print_names_values_and_sources_but_no_secret, clean),
	};

	return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
