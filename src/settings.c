/* SPDX-License-Identifier: MIT */
/*
 * The table of options, and how it is filled: built-in values, file, environment. value.c knows the
 * types. A new option is one row, one member of struct settings, and one entry each in the manual
 * and the example file (tests/hygiene/test_options.py compares them).
 */
#include "config.h"
#include "settings.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "paths.h"
#include "value.h"

#define DEFAULT_FILE TFT_SYSCONFDIR "/tft-dashboard/tft-dashboard.conf"
#define FILE_BYTES   65536
#define SECRET_BYTES 4096
#define SECRET_MODE  "0640 or 0600"

/* --- options --- */

/* A secret may also come from a file that is named by KEY_file or ENV_FILE. */
struct option {
	const char *section, *key, *env;
	enum value_type type;
	size_t offset;
	struct value_range range;
	const char *initial, *help;
};

#define AT(member) offsetof(struct settings, member)
/* At least one byte (SOME) or none (ANY), up to what fits. */
#define FITS(member) (sizeof(((struct settings *)NULL)->member) - 1)
#define SOME(member)                                                                               \
	AT(member),                                                                                \
	{                                                                                          \
		1, FITS(member)                                                                    \
	}
#define ANY(member)                                                                                \
	AT(member),                                                                                \
	{                                                                                          \
		0, FITS(member)                                                                    \
	}
#define SECONDS INT64_C(1000)
#define MINUTES (60 * SECONDS)
#define HOURS   (60 * MINUTES)
#define MEBI    (INT64_C(1) << 20)

/* clang-format off */
static const struct option options[] = {
	{"upstream", "daemon_url", "TFT_DAEMON_URL", VALUE_URL, SOME(daemon_url),
	 "http://127.0.0.1:8000", "base URL of the inference daemon"},
	{"upstream", "fleet", "TFT_FLEET", VALUE_NODE, ANY(fleet),
	 "", "name of the fleet, the same on all its hosts; empty: the daemon's address identifies it"},
	{"upstream", "generator_url", "TFT_GENERATOR_URL", VALUE_URL, ANY(generator_url),
	 "", "base URL of the metrics generator; empty: no scenario is shown"},
	{"upstream", "api_key", "TFT_API_KEY", VALUE_SECRET, ANY(api_key),
	 "", "key that the inference daemon asks for"},
	{"upstream", "ca_file", "TFT_CA_FILE", VALUE_PATH, ANY(ca_file),
	 "", "PEM file of the authorities that https URLs are checked with; empty: the system's"},
	{"upstream", "timeout", NULL, VALUE_DURATION, AT(timeout_ms), {SECONDS, MINUTES},
	 "15s", "longest time for one predictions call"},
	{"upstream", "connect_timeout", NULL, VALUE_DURATION, AT(connect_ms), {10, 10 * SECONDS},
	 "1s", "longest time to connect to either daemon"},
	{"upstream", "status_timeout", NULL, VALUE_DURATION, AT(status_timeout_ms), {10, 10 * SECONDS},
	 "2s", "longest time for one status call"},
	{"upstream", "scenario_timeout", NULL, VALUE_DURATION, AT(scenario_timeout_ms), {10, 1500},
	 "1s", "longest time for one scenario call"},
	{"upstream", "max_body", NULL, VALUE_SIZE, AT(max_body), {MEBI, 1024 * MEBI},
	 "64m", "largest predictions answer"},
	{"cache", "interval", "TFT_REFRESH_INTERVAL", VALUE_DURATION,
	 AT(interval_ms), {5 * SECONDS, 5 * MINUTES}, "30s",
	 "time between two predictions calls of all workers and hosts together"},
	{"cache", "status_interval", NULL, VALUE_DURATION, AT(status_interval_ms), {SECONDS, MINUTES},
	 "2s", "time between two status calls, and two scenario calls"},
	{"cache", "act_limit", NULL, VALUE_DURATION, AT(act_limit_ms), {MINUTES, HOURS},
	 "10m", "age from which pages say that nobody should act on them"},
	{"cache", "max_stale", NULL, VALUE_DURATION, AT(max_stale_ms), {MINUTES, 24 * HOURS},
	 "1h", "age from which data is not shown any more"},
	{"cache", "calls_per_minute", NULL, VALUE_INTEGER, AT(calls_per_minute), {1, 28},
	 "26", "most predictions calls in any minute, all workers and hosts together"},
	{"cache", "idle_tick", NULL, VALUE_FLAG, AT(idle_tick), {0, 1},
	 "on", "refresh at the start of every interval, also when nobody looks"},
	{"cache", "history_points", NULL, VALUE_INTEGER, AT(history_points), {100, 1000000},
	 "20160", "points of history that are kept, one per interval"},
	{"history", "memory", "TFT_HISTORY_MEMORY", VALUE_SIZE, AT(history_memory), {16 * MEBI, 65536 * MEBI},
	 "256m", "memory of Redis for the pages of the past: a day of every interval, or as much more as has room in it"},
	{"redis", "address", "TFT_REDIS", VALUE_ADDRESS, SOME(redis),
	 "127.0.0.1:6379", "the shared Redis: unix:/path, address:port or sentinel:address:port,.../name, by TLS rediss://address:port or rediss-sentinel://address:port,.../name, then /NUMBER for a database"},
	{"redis", "prefix", "TFT_REDIS_PREFIX", VALUE_PREFIX, SOME(redis_prefix),
	 "tft", "what all keys begin with: another one for each fleet on the same Redis"},
	{"redis", "user", "TFT_REDIS_USER", VALUE_TEXT, ANY(redis_user),
	 "", "ACL user; empty: the default user"},
	{"redis", "password", "TFT_REDIS_PASSWORD", VALUE_SECRET, ANY(redis_password),
	 "", "password of that user; empty: no authentication"},
	{"redis", "sentinel_password", "TFT_REDIS_SENTINEL_PASSWORD", VALUE_SECRET, ANY(sentinel_password),
	 "", "password that the sentinels ask for; empty: none"},
	{"redis", "ca_file", "TFT_REDIS_CA_FILE", VALUE_PATH, ANY(redis_ca_file),
	 "", "PEM file of the authorities that certificates of Redis are checked with; empty: the system's"},
	{"redis", "cert_file", "TFT_REDIS_CERT_FILE", VALUE_PATH, ANY(redis_cert_file),
	 "", "PEM file of our own certificate, where Redis asks for one; empty: none"},
	{"redis", "key_file", "TFT_REDIS_KEY_FILE", VALUE_PATH, ANY(redis_key_file),
	 "", "PEM file of its key, without a passphrase"},
	{"redis", "connect_timeout", NULL, VALUE_DURATION, AT(redis_connect_ms), {5, 100},
	 "50ms", "longest time to connect"},
	{"redis", "batch_timeout", NULL, VALUE_DURATION, AT(redis_batch_ms), {10, 200},
	 "100ms", "longest time that one request waits for Redis"},
	{"redis", "publish_timeout", NULL, VALUE_DURATION, AT(redis_publish_ms), {100, 10 * SECONDS},
	 "2s", "longest time to store a new set of pages"},
	{"server", "node", "TFT_NODE", VALUE_NODE, ANY(node),
	 "", "name of this host in headers and log; empty: the host name"},
	{"server", "workers", "TFT_WORKERS", VALUE_INTEGER, AT(workers), {1, 1000},
	 "6", "workers of this host"},
	{"server", "workers_total", "TFT_WORKERS_TOTAL", VALUE_INTEGER, AT(workers_total), {0, 1000},
	 "0", "workers behind one address towards the inference daemon; 0: of this host alone"},
	{"ui", "frame_origin", "TFT_FRAME_ORIGIN", VALUE_ORIGIN, ANY(frame_origin),
	 "", "origin of the pages that may embed the compact view; empty: none may"},
	{"ui", "hosts", "TFT_HOSTS", VALUE_HOSTS, ANY(hosts),
	 "", "names under which the dashboard answers, separated by commas; empty: any"},
	{"ui", "fleet_metrics", "TFT_FLEET_METRICS", VALUE_FLAG, AT(fleet_metrics), {0, 1},
	 "off", "the fleet for Prometheus, at /metrics/fleet"},
	{"ui", "runbook_url", "TFT_RUNBOOK_URL", VALUE_LINK, ANY(runbook_url),
	 "", "address of the runbook of a server, with {server} and {profile}; empty: none"},
	{"ui", "public_url", "TFT_PUBLIC_URL", VALUE_URL, ANY(public_url),
	 "", "URL of the dashboard as browsers see it, for the links in alerts; empty: alerts have none"},
	{"auth", "operators", "TFT_OPERATORS", VALUE_USERS, ANY(operators),
	 "", "users who may act, as the web server authenticates them, separated by commas"},
	{"auth", "anonymous", "TFT_ANONYMOUS", VALUE_ROLE, AT(anonymous), {0, 1},
	 "viewer", "role of those who are not authenticated: viewer or operator"},
	{"auth", "origin", "TFT_AUTH_ORIGIN", VALUE_ORIGIN, ANY(origin),
	 "", "scheme and host of the dashboard as browsers see it; empty: not known"},
	{"alert", "alertmanager", "TFT_ALERTMANAGER", VALUE_URLS, ANY(alertmanagers),
	 "", "base URLs of the Alertmanagers that alerts are sent to, separated by commas; empty: nothing is sent"},
	{"alert", "from", "TFT_ALERT_FROM", VALUE_SEVERITY, AT(alert_from), {0, 5},
	 "danger", "mildest level of a server that is an alert: imminent, critical, danger, warning, degrading or watch"},
	{"alert", "after", "TFT_ALERT_AFTER", VALUE_INTEGER, AT(alert_after), {1, 20},
	 "2", "intervals that a condition has to last until it fires, and to be gone until it is over"},
	{"alert", "authentication", "TFT_ALERT_AUTHENTICATION", VALUE_SECRET, ANY(alert_authentication),
	 "", "what the Alertmanagers ask for: user:password, or Bearer and a token; empty: nothing"},
	{"alert", "ca_file", "TFT_ALERT_CA_FILE", VALUE_PATH, ANY(alert_ca_file),
	 "", "PEM file of the authorities that https URLs of Alertmanagers are checked with; empty: the system's"},
	{"log", "level", "TFT_LOG_LEVEL", VALUE_LEVEL, AT(log_level), {0, 3},
	 "warning", "error, warning, info or debug"},
	{"log", "format", "TFT_LOG_FORMAT", VALUE_FORMAT, AT(log_format), {0, 1},
	 "logfmt", "one line per event: logfmt or json"},
};
/* clang-format on */

#define OPTIONS (sizeof(options) / sizeof(options[0]))
static_assert(OPTIONS <= SETTINGS_MAX, "struct settings has a source for every option");
static_assert(sizeof(((struct diagnosis_setting *)NULL)->value) == SETTING_TEXT_MAX,
	      "every value fits");

/* --- values --- */

static int set_value(struct settings *s, const struct option *o, const char *text, struct err *err)
{
	struct err why;

	if (value_read(o->type, o->range, text, (char *)s + o->offset, &why) == 0)
		return 0;
	err_set(err, "%s.%s: %.120s", o->section, o->key, why.msg);
	return -1;
}

/* --- files --- */

/* Reads the file and a NUL into *out; 0, or -1 with errno. EFBIG: above the buffer's ceiling. */
static int read_fd(int fd, struct buf *out)
{
	for (;;) {
		char *room = buf_reserve(out, 4096);
		ssize_t n = room ? read(fd, room, 4096) : 0;

		if (!room)
			errno = EFBIG;
		if (!room || (n < 0 && errno != EINTR))
			return -1;
		if (n == 0)
			break;
		if (n > 0)
			buf_grew(out, (size_t)n);
	}
	buf_char(out, '\0');
	return buf_ok(out) ? 0 : -1;
}

/* 0 with the file's text and mode, or -1 with errno. Only regular files: a FIFO would block for
 * ever. */
static int read_file(const char *path, struct buf *out, mode_t *mode)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int rc = -1, saved;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0) {
		*mode = st.st_mode & 07777;
		errno = S_ISDIR(st.st_mode) ? EISDIR : ENOTSUP;
		if (S_ISREG(st.st_mode))
			rc = read_fd(fd, out);
	}
	saved = errno;
	(void)close(fd);
	errno = saved;
	return rc;
}

/* Cuts blanks and line ends off both ends, in place. */
static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

static int set_secret(struct settings *s, const struct option *o, struct buf *file, mode_t mode,
		      struct err *err)
{
	bool text_only = strlen(file->data) + 1 == file->len;
	char *text = trim(file->data);

	if (mode & 07)
		err_set(err,
			"%s.%s: its file is open to others (mode %04o, wanted " SECRET_MODE ")",
			o->section, o->key, (unsigned)mode);
	else if (strlen(text) == 0)
		err_set(err, "%s.%s: its file is empty", o->section, o->key);
	else if (!text_only || strpbrk(text, "\r\n"))
		err_set(err, "%s.%s: its file has more than one line", o->section, o->key);
	else
		return set_value(s, o, text, err);
	return -1;
}

/* Explains why an existing file cannot be read, and by which user. */
static void explain_access(const struct option *o, const char *path, struct err *err)
{
	struct stat st;

	if (errno != EACCES || stat(path, &st) != 0)
		err_set(err, "%s.%s: %s: %s", o->section, o->key, path, strerror(errno));
	else
		err_set(err,
			"%s.%s: %.80s: user %u may not read it (mode %04o, owner %u:%u; wanted "
			"0640, group %u)",
			o->section, o->key, path, (unsigned)geteuid(), (unsigned)st.st_mode & 07777,
			(unsigned)st.st_uid, (unsigned)st.st_gid, (unsigned)getegid());
}

static int read_secret(struct settings *s, const struct option *o, const char *path,
		       struct err *err)
{
	struct buf file;
	mode_t mode = 0;
	int rc = -1;

	buf_init(&file, SECRET_BYTES + 4096);
	if (read_file(path, &file, &mode) == 0)
		rc = set_secret(s, o, &file, mode, err);
	else if (value_is_plain(path))
		explain_access(o, path, err);
	else
		err_set(err, "%s.%s: its file: %s", o->section, o->key, strerror(errno));
	buf_free(&file);
	return rc;
}

/* --- the configuration file --- */

/* libinih reports only the number of the first bad line, so the reader counts lines and keeps the
 * first explanation. */
struct parser {
	struct settings *settings;
	struct err *err;
	const char *path;
	const char *next, *end; /* what is not read yet */
	mode_t mode;
	int line;
	int error_line; /* 0: none */
	bool comment;   /* this line may have one behind its value */
};

static void fail_at(struct parser *p, const char *why)
{
	if (p->error_line != 0)
		return;
	p->error_line = p->line;
	err_set(p->err, "%s:%d: %s", p->path, p->line, why);
}

/* fgets over the file's text. A line longer than libinih's buffer would be split in two, and the
 * second piece taken for a separate line. */
static char *next_line(char *line, int size, void *ctx)
{
	struct parser *p = ctx;
	size_t left = (size_t)(p->end - p->next);
	const char *newline = left > 0 ? memchr(p->next, '\n', left) : NULL;
	size_t len = newline ? (size_t)(newline + 1 - p->next) : left;

	if (len == 0)
		return NULL;
	p->line++;
	if (len >= (size_t)size) {
		fail_at(p, "line too long");
		return NULL;
	}
	memcpy(line, p->next, len);
	line[len] = '\0';
	p->next += len;
	p->comment = strstr(line, " ;") || strstr(line, "\t;");
	return line;
}

static const struct option *find_option(const char *section, const char *key, bool *from_file)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option *o = &options[i];
		size_t len = strlen(o->key);

		if (strcmp(section, o->section) != 0 || strncmp(key, o->key, len) != 0)
			continue;
		*from_file = o->type == VALUE_SECRET && strcmp(key + len, "_file") == 0;
		if (key[len] == '\0' || *from_file)
			return o;
	}
	return NULL;
}

/* libinih takes ` ;` for the start of a comment, which silently cuts a secret. */
static void warn_of_comment(struct parser *p, const struct option *o)
{
	if (p->comment && o->type == VALUE_SECRET)
		err_set(&p->settings->warning,
			"%s:%d: %s.%s ends before \" ;\", the rest is a comment; a secret with it "
			"goes "
			"into a file: %s_file",
			p->path, p->line, o->section, o->key, o->key);
}

static int take_line(struct parser *p, const struct option *o, const char *value, bool from_file,
		     struct err *err)
{
	uint8_t *source = &p->settings->source[o - options];

	/* libinih treats an indented line as a continuation and reports it as the same key again.
	 * */
	if (*source == SETTING_FILE) {
		err_set(err, "%s.%s is given twice (or this line begins with a blank)", o->section,
			o->key);
		return -1;
	}
	*source = SETTING_FILE;
	if (from_file)
		return read_secret(p->settings, o, value, err);
	warn_of_comment(p, o);
	if (o->type == VALUE_SECRET && *value && (p->mode & 07)) {
		err_set(err,
			"%s.%s: a file with a secret must not be open to others (mode %04o, "
			"wanted " SECRET_MODE ")",
			o->section, o->key, (unsigned)p->mode);
		return -1;
	}
	return set_value(p->settings, o, value, err);
}

/* Of libinih; 0 is an error there. */
static int on_line(void *ctx, const char *section, const char *key, const char *value)
{
	struct parser *p = ctx;
	bool from_file = false;
	const struct option *o = find_option(section, key, &from_file);
	struct err why;

	if (!*section)
		err_set(&why, "this line stands before the first [section]");
	else if (!o)
		err_set(&why, "no option of this name in section [%.32s]",
			value_is_plain(section) ? section : "");
	else if (take_line(p, o, value, from_file, &why) == 0)
		return 1;
	fail_at(p, why.msg);
	return 0;
}

static int parse_file(struct parser *p, const struct buf *file)
{
	int first;

	p->next = file->data;
	p->end = file->data + file->len - 1;
	if (memchr(p->next, '\0', (size_t)(p->end - p->next))) {
		err_set(p->err, "%s: not a text file", p->path);
		return -1;
	}
	first = ini_parse_stream(next_line, p, on_line, p);
	if (first == 0 && p->error_line == 0)
		return 0;
	if (first < 0)
		err_set(p->err, "%s: out of memory", p->path);
	else if (first > 0 && first != p->error_line)
		err_set(p->err, "%s:%d: expected [section] or key = value", p->path, first);
	return -1;
}

static int load_file(struct settings *s, const char *path, struct err *err)
{
	struct parser p = {.settings = s, .err = err, .path = path ? path : DEFAULT_FILE};
	struct buf file;
	int rc = -1;

	buf_init(&file, FILE_BYTES + 4096);
	if (read_file(p.path, &file, &p.mode) == 0)
		rc = parse_file(&p, &file);
	else if (!path && errno == ENOENT)
		rc = 0;
	else
		err_set(err, "%s: %s", p.path, strerror(errno));
	buf_free(&file);
	return rc;
}

/* --- environment and built-in values --- */

/* NULL when not set. An empty value counts as not set: unit files and shells cannot always unset a
 * variable. */
static const char *env_value(const char *name, const char *suffix)
{
	char full[64];
	const char *value;

	(void)snprintf(full, sizeof(full), "%s%s", name, suffix);
	value = getenv(full);
	return value && *value ? value : NULL;
}

static int load_env_option(struct settings *s, const struct option *o, struct err *err)
{
	const char *value = o->env ? env_value(o->env, "") : NULL;
	const char *path = o->type == VALUE_SECRET ? env_value(o->env, "_FILE") : NULL;
	struct err why;

	if (!value && !path)
		return 0;
	s->source[o - options] = SETTING_ENV;
	if (value && path)
		err_set(&why, "%s is set as well", o->env);
	else if ((path ? read_secret(s, o, path, &why) : set_value(s, o, value, &why)) == 0)
		return 0;
	err_set(err, "%s%s: %.160s", o->env, path ? "_FILE" : "", why.msg);
	return -1;
}

static int load_env(struct settings *s, struct err *err)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (load_env_option(s, &options[i], err) != 0)
			return -1;
	return 0;
}

static void load_builtin(struct settings *s)
{
	struct err err;

	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < OPTIONS; i++) {
		int rc = set_value(s, &options[i], options[i].initial, &err);

		assert(rc == 0);
		(void)rc;
	}
}

static int name_node(struct settings *s, struct err *err)
{
	char host[sizeof(s->node)];
	struct err why;

	if (*s->node)
		return 0;
	if (gethostname(host, sizeof(host)) == 0 &&
	    value_read(VALUE_NODE, (struct value_range){1, FITS(node)}, host, s->node, &why) == 0)
		return 0;
	err_set(err, "server.node: the host name will not do, set one of %s",
		value_expected(VALUE_NODE));
	return -1;
}

/* With a prefix, so that a name never has the fingerprint of an address. */
static void take_fingerprint(struct settings *s)
{
	char text[SETTING_TEXT_MAX + 32];

	(void)snprintf(text, sizeof(text), "tft-dashboard %s %s", *s->fleet ? "fleet" : "daemon",
		       *s->fleet ? s->fleet : s->daemon_url);
	hash_hex(hash_xxh64(span_str(text)), s->fingerprint);
}

int settings_load(struct settings *s, const char *path, struct err *err)
{
	load_builtin(s);
	if (load_file(s, path, err) != 0 || load_env(s, err) != 0 || name_node(s, err) != 0)
		return -1;
	take_fingerprint(s);
	if (s->act_limit_ms <= s->max_stale_ms)
		return 0;
	err_set(err, "cache.act_limit: expected no more than cache.max_stale");
	return -1;
}

/* --- printing --- */

size_t settings_describe(const struct settings *s, struct diagnosis_setting rows[SETTINGS_MAX])
{
	static const char *const sources[] = {
		[SETTING_BUILTIN] = "default", [SETTING_FILE] = "file", [SETTING_ENV] = "env"};

	for (size_t i = 0; i < OPTIONS; i++) {
		(void)snprintf(rows[i].name, sizeof(rows[i].name), "%s.%s", options[i].section,
			       options[i].key);
		value_write(options[i].type, (const char *)s + options[i].offset, rows[i].value,
			    sizeof(rows[i].value));
		rows[i].source = sources[s->source[i]];
		rows[i].help = options[i].help;
	}
	return OPTIONS;
}

void settings_print(const struct settings *s, struct buf *out)
{
	struct diagnosis_setting rows[SETTINGS_MAX];
	size_t count = settings_describe(s, rows);

	for (size_t i = 0; i < count; i++)
		buf_addf(out, "%s = %s    # %s: %s\n", rows[i].name, rows[i].value, rows[i].source,
			 rows[i].help);
}
