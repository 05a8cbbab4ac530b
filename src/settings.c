/* SPDX-License-Identifier: MIT */
/*
 * Everything is in two tables: what the types mean, and the options. A new option is one row, one
 * member of struct settings and one entry in the manual and the example file
 * (tests/hygiene/test_options.py compares them).
 */
#include "config.h"
#include "settings.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "store/sentinel.h"

#define DEFAULT_FILE TFT_SYSCONFDIR "/tft-dashboard/tft-dashboard.conf"
#define FILE_BYTES   65536
#define SECRET_BYTES 4096

/* --- types --- */

struct unit {
	const char *suffix;
	int64_t factor;
};

/* clang-format off */
/* From large to small; last the meaning of a plain number. */
static const struct unit durations[] = {
	{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {"", 1000}, {NULL, 0},
};
static const struct unit sizes[] = {
	{"g", 1 << 30}, {"m", 1 << 20}, {"k", 1 << 10}, {"", 1}, {NULL, 0},
};
static const struct unit integers[] = {
	{"", 1}, {NULL, 0},
};
/* clang-format on */

static const char *const flags[] = {"off", "on", NULL};
/* By enum role. */
static const char *const roles[] = {"viewer", "operator", NULL};
/* By enum log_level. */
static const char *const levels[] = {"error", "warning", "info", "debug", NULL};
/* By enum log_format. */
static const char *const formats[] = {"logfmt", "json", NULL};

static bool check_url(char *text);
static bool check_address(char *text);
static bool check_node(char *text);
static bool check_users(char *text);
static bool check_origin(char *text);

enum type {
	TEXT,
	SECRET,
	URL,
	ORIGIN,
	ADDRESS,
	NODE,
	USERS,
	DURATION,
	SIZE,
	INTEGER,
	FLAG,
	ROLE,
	LEVEL,
	FORMAT
};

/*
 * A type is one of three kinds: number with units, word of a list, text with an optional check,
 * which may normalize it in place.
 */
/* clang-format off */
static const struct {
	const struct unit *units;
	const char *const *words;
	bool (*check)(char *text);
	const char *expected; /* NULL: the range says it */
} types[] = {
	[TEXT]     = {NULL, NULL, NULL, "printable text"},
	[SECRET]   = {NULL, NULL, NULL, "printable text"},
	[URL]      = {NULL, NULL, check_url, "http(s)://host:port, no user, query or fragment"},
	[ORIGIN]   = {NULL, NULL, check_origin, "http(s)://host or http(s)://host:port"},
	[ADDRESS]  = {NULL, NULL, check_address,
		      "unix:/absolute/path, address:port or sentinel:address:port,.../name"},
	[NODE]     = {NULL, NULL, check_node, "letters, digits, dots, hyphens, underscores"},
	[USERS]    = {NULL, NULL, check_users, "names separated by commas"},
	[DURATION] = {durations, NULL, NULL, NULL},
	[SIZE]     = {sizes, NULL, NULL, NULL},
	[INTEGER]  = {integers, NULL, NULL, NULL},
	[FLAG]     = {NULL, flags, NULL, "on or off"},
	[ROLE]     = {NULL, roles, NULL, "viewer or operator"},
	[LEVEL]    = {NULL, levels, NULL, "error, warning, info or debug"},
	[FORMAT]   = {NULL, formats, NULL, "logfmt or json"},
};
/* clang-format on */

/* --- options --- */

/* min and max bound a number's value and a text's length. A secret may also come from a file that
 * is named by KEY_file or ENV_FILE. */
struct option {
	const char *section, *key, *env;
	enum type type;
	size_t offset;
	int64_t min, max;
	const char *initial, *help;
};

#define AT(member) offsetof(struct settings, member)
/* From one byte, or from none, to all that fits. */
#define SOME(member) AT(member), 1, sizeof(((struct settings *)NULL)->member) - 1
#define ANY(member)  AT(member), 0, sizeof(((struct settings *)NULL)->member) - 1
#define SECONDS      INT64_C(1000)
#define MINUTES      (60 * SECONDS)
#define HOURS        (60 * MINUTES)
#define MEBI         (INT64_C(1) << 20)

/* clang-format off */
static const struct option options[] = {
	{"upstream", "daemon_url", "TFT_DAEMON_URL", URL, SOME(daemon_url),
	 "http://127.0.0.1:8000", "base URL of the inference daemon"},
	{"upstream", "generator_url", "TFT_GENERATOR_URL", URL, ANY(generator_url),
	 "", "base URL of the metrics generator; empty: no scenario is shown"},
	{"upstream", "api_key", "TFT_API_KEY", SECRET, ANY(api_key),
	 "", "key that the inference daemon asks for"},
	{"upstream", "timeout", NULL, DURATION, AT(timeout_ms), SECONDS, MINUTES,
	 "15s", "longest time for one predictions call"},
	{"upstream", "connect_timeout", NULL, DURATION, AT(connect_ms), 10, 10 * SECONDS,
	 "1s", "longest time to connect to either daemon"},
	{"upstream", "status_timeout", NULL, DURATION, AT(status_timeout_ms), 10, 10 * SECONDS,
	 "2s", "longest time for one status call"},
	{"upstream", "scenario_timeout", NULL, DURATION, AT(scenario_timeout_ms), 10, 1500,
	 "1s", "longest time for one scenario call"},
	{"upstream", "max_body", NULL, SIZE, AT(max_body), MEBI, 1024 * MEBI,
	 "64m", "largest predictions answer"},
	{"cache", "interval", "TFT_REFRESH_INTERVAL", DURATION,
	 AT(interval_ms), 5 * SECONDS, 5 * MINUTES, "30s",
	 "time between two predictions calls of all workers and hosts together"},
	{"cache", "status_interval", NULL, DURATION, AT(status_interval_ms), SECONDS, MINUTES,
	 "2s", "time between two status calls, and two scenario calls"},
	{"cache", "act_limit", NULL, DURATION, AT(act_limit_ms), MINUTES, HOURS,
	 "10m", "age from which pages say that nobody should act on them"},
	{"cache", "max_stale", NULL, DURATION, AT(max_stale_ms), MINUTES, 24 * HOURS,
	 "1h", "age from which data is not shown any more"},
	{"cache", "calls_per_minute", NULL, INTEGER, AT(calls_per_minute), 1, 28,
	 "26", "most predictions calls in any minute, all workers and hosts together"},
	{"cache", "idle_tick", NULL, FLAG, AT(idle_tick), 0, 1,
	 "on", "refresh at the start of every interval, also when nobody looks"},
	{"cache", "history_points", NULL, INTEGER, AT(history_points), 100, 1000000,
	 "20160", "points of history that are kept, one per interval"},
	{"redis", "address", "TFT_REDIS", ADDRESS, SOME(redis),
	 "127.0.0.1:6379", "the shared Redis: unix:/path, address:port or sentinel:address:port,.../name"},
	{"redis", "user", "TFT_REDIS_USER", TEXT, ANY(redis_user),
	 "", "ACL user; empty: the default user"},
	{"redis", "password", "TFT_REDIS_PASSWORD", SECRET, ANY(redis_password),
	 "", "password of that user; empty: no authentication"},
	{"redis", "connect_timeout", NULL, DURATION, AT(redis_connect_ms), 5, 100,
	 "50ms", "longest time to connect"},
	{"redis", "batch_timeout", NULL, DURATION, AT(redis_batch_ms), 10, 200,
	 "100ms", "longest time that one request waits for Redis"},
	{"redis", "publish_timeout", NULL, DURATION, AT(redis_publish_ms), 100, 10 * SECONDS,
	 "2s", "longest time to store a new set of pages"},
	{"server", "node", "TFT_NODE", NODE, ANY(node),
	 "", "name of this host in headers and log; empty: the host name"},
	{"server", "workers_total", "TFT_WORKERS", INTEGER, AT(workers_total), 1, 1000,
	 "6", "workers of all hosts that share one address towards the inference daemon"},
	{"ui", "frame_origin", "TFT_FRAME_ORIGIN", ORIGIN, ANY(frame_origin),
	 "", "origin of the pages that may embed the compact view; empty: none may"},
	{"auth", "operators", "TFT_OPERATORS", USERS, ANY(operators),
	 "", "users who may act, as the web server authenticates them, separated by commas"},
	{"auth", "anonymous", "TFT_ANONYMOUS", ROLE, AT(anonymous), 0, 1,
	 "viewer", "role of those who are not authenticated: viewer or operator"},
	{"auth", "origin", "TFT_AUTH_ORIGIN", ORIGIN, ANY(origin),
	 "", "scheme and host of the dashboard as browsers see it; empty: not known"},
	{"log", "level", "TFT_LOG_LEVEL", LEVEL, AT(log_level), 0, 3,
	 "warning", "error, warning, info or debug"},
	{"log", "format", "TFT_LOG_FORMAT", FORMAT, AT(log_format), 0, 1,
	 "logfmt", "one line per event: logfmt or json"},
};
/* clang-format on */

#define OPTIONS (sizeof(options) / sizeof(options[0]))
_Static_assert(OPTIONS <= SETTINGS_MAX, "struct settings has a source for every option");
_Static_assert(sizeof(((struct diagnosis_setting *)NULL)->value) == SETTING_TEXT_MAX,
	       "every value fits");

/* --- checks of texts --- */

#define ALPHANUMERIC "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

static const char *skip_scheme(const char *url)
{
	static const struct span schemes[] = {SPAN("http://"), SPAN("https://")};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncmp(url, schemes[i].ptr, schemes[i].len) == 0)
			return url + schemes[i].len;
	return NULL;
}

static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	long port = digits > 0 && digits <= 5 ? strtol(text, NULL, 10) : 0;

	return text[digits] == '\0' && port >= 1 && port <= 65535;
}

static bool is_name(const char *text)
{
	return strspn(text, "-._" ALPHANUMERIC) == strlen(text);
}

/* The end of a host name, an address or [an IPv6 address]; NULL: there is none. */
static const char *skip_host(const char *text)
{
	bool bracket = *text == '[';
	const char *from = text + bracket;
	size_t len = strspn(from, bracket ? ".:0123456789ABCDEFabcdef" : "-._" ALPHANUMERIC);

	if (len == 0 || (bracket && from[len] != ']'))
		return NULL;
	return from + len + bracket;
}

static bool is_port_and_path(const char *text)
{
	char port[6] = "";
	size_t len = 0;

	if (*text == ':') {
		len = strcspn(++text, "/");
		(void)snprintf(port, sizeof(port), "%.*s", (int)len, text);
		if (len >= sizeof(port) || !is_port(port))
			return false;
	}
	text += len;
	return *text == '\0' ||
	       (*text == '/' && strspn(text, "/-._~%" ALPHANUMERIC) == strlen(text));
}

/* User, query and fragment cannot be without their marks, and those are in no part of it. */
static bool is_url(const char *text)
{
	const char *host = skip_scheme(text), *rest = host ? skip_host(host) : NULL;

	return rest && is_port_and_path(rest);
}

static bool check_url(char *text)
{
	size_t len = strlen(text);

	if (len > 0 && !is_url(text))
		return false;
	/* Paths are appended, each with its own slash. */
	while (len > 0 && text[len - 1] == '/')
		text[--len] = '\0';
	return true;
}

/* An IPv6 address has colons of its own; the last one is the port's: ::1:6379. */
static bool is_host_and_port(const char *text)
{
	const char *colon = strrchr(text, ':');

	return colon && colon > text && strspn(text, "-.:" ALPHANUMERIC) == strlen(text) &&
	       is_port(colon + 1);
}

static bool check_sentinels(const struct sentinel *sentinel)
{
	char host[SENTINEL_HOST_MAX];

	for (size_t i = 0; sentinel_host(sentinel, i, host); i++)
		if (!is_host_and_port(host))
			return false;
	return sentinel->name.len && is_name(sentinel->name.ptr);
}

static bool check_address(char *text)
{
	struct sentinel sentinel;

	if (strncmp(text, "unix:", 5) == 0)
		return text[5] == '/' &&
		       strlen(text + 5) < sizeof(((struct sockaddr_un *)NULL)->sun_path);
	return sentinel_split(&sentinel, text) ? check_sentinels(&sentinel)
					       : is_host_and_port(text);
}

static bool check_node(char *text)
{
	return is_name(text);
}

/* Blanks around the commas go. */
static bool check_users(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++)
		if (*from != ' ')
			*to++ = *from;
	*to = '\0';
	return *text != ',' && !strstr(text, ",,") && (to == text || to[-1] != ',');
}

/* As a browser serializes it: lower case, no path. */
static bool check_origin(char *text)
{
	const char *host;

	if (!check_url(text))
		return false;
	for (char *c = text; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	host = skip_scheme(text);
	return !host || !strchr(host, '/');
}

/* --- values --- */

static int64_t *number_at(struct settings *s, const struct option *o)
{
	return (int64_t *)(void *)((char *)s + o->offset);
}

static int64_t number_of(const struct settings *s, const struct option *o)
{
	return *(const int64_t *)(const void *)((const char *)s + o->offset);
}

static const char *text_of(const struct settings *s, const struct option *o)
{
	return (const char *)s + o->offset;
}

static bool parse_number(const char *text, const struct unit *units, int64_t *value)
{
	size_t digits = strspn(text, "0123456789");

	/* Nine digits times the largest factor stay below the limit of the type. */
	if (digits == 0 || digits > 9)
		return false;
	while (units->suffix && strcmp(units->suffix, text + digits) != 0)
		units++;
	if (!units->suffix)
		return false;
	*value = (int64_t)strtoll(text, NULL, 10) * units->factor;
	return true;
}

/* In the largest unit that gives a whole number. */
static void format_number(int64_t value, const struct unit *units, char text[32])
{
	while (value % units->factor != 0)
		units++;
	(void)snprintf(text, 32, "%" PRId64 "%s", value / units->factor, units->suffix);
}

static int set_number(struct settings *s, const struct option *o, const char *text, struct err *err)
{
	const struct unit *units = types[o->type].units;
	char low[32], high[32];
	int64_t value;

	if (parse_number(text, units, &value) && value >= o->min && value <= o->max) {
		*number_at(s, o) = value;
		return 0;
	}
	format_number(o->min, units, low);
	format_number(o->max, units, high);
	err_set(err, "%s.%s: expected %s to %s", o->section, o->key, low, high);
	return -1;
}

static int set_word(struct settings *s, const struct option *o, const char *text, struct err *err)
{
	const char *const *words = types[o->type].words;

	for (int64_t i = 0; words[i]; i++) {
		if (strcmp(words[i], text) == 0) {
			*number_at(s, o) = i;
			return 0;
		}
	}
	err_set(err, "%s.%s: expected %s", o->section, o->key, types[o->type].expected);
	return -1;
}

static int set_text(struct settings *s, const struct option *o, const char *text, struct err *err)
{
	char *value = (char *)s + o->offset;
	size_t len = strlen(text);

	if (len < (size_t)o->min || len > (size_t)o->max) {
		err_set(err, "%s.%s: expected %" PRId64 " to %" PRId64 " bytes", o->section, o->key,
			o->min, o->max);
		return -1;
	}
	memcpy(value, text, len + 1);
	if (!is_printable(value) || (types[o->type].check && !types[o->type].check(value))) {
		err_set(err, "%s.%s: expected %s", o->section, o->key, types[o->type].expected);
		return -1;
	}
	return 0;
}

static int set_value(struct settings *s, const struct option *o, const char *text, struct err *err)
{
	if (types[o->type].units)
		return set_number(s, o, text, err);
	if (types[o->type].words)
		return set_word(s, o, text, err);
	return set_text(s, o, text, err);
}

/* --- files --- */

/* Puts the file and a NUL into *out; 0, or -1 with errno. EFBIG: above the buffer's ceiling. */
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

/* 0 with the file's text and its mode, or -1 with errno. Only regular files: a FIFO would wait for
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
		err_set(err, "%s.%s: its file is open to others (mode %04o)", o->section, o->key,
			(unsigned)mode);
	else if (strlen(text) == 0)
		err_set(err, "%s.%s: its file is empty", o->section, o->key);
	else if (!text_only || strpbrk(text, "\r\n"))
		err_set(err, "%s.%s: its file has more than one line", o->section, o->key);
	else
		return set_value(s, o, text, err);
	return -1;
}

static int read_secret(struct settings *s, const struct option *o, const char *path,
		       struct err *err)
{
	struct buf file;
	mode_t mode = 0;
	int rc = -1;

	buf_init(&file, SECRET_BYTES + 4096);
	if (read_file(path, &file, &mode) != 0)
		err_set(err, "%s.%s: %s: %s", o->section, o->key,
			is_printable(path) ? path : "its file", strerror(errno));
	else
		rc = set_secret(s, o, &file, mode, err);
	buf_free(&file);
	return rc;
}

/* --- the configuration file --- */

/* libinih reports only the number of the first line in error, so the reader counts, and the first
 * explanation is kept. */
struct parser {
	struct settings *settings;
	struct err *err;
	const char *path;
	const char *next, *end; /* what is not read yet */
	mode_t mode;
	int line;
	int error_line; /* 0: none */
};

static void fail_at(struct parser *p, const char *why)
{
	if (p->error_line != 0)
		return;
	p->error_line = p->line;
	err_set(p->err, "%s:%d: %s", p->path, p->line, why);
}

/* fgets over the file's text. A line longer than libinih's buffer would come in two pieces, the
 * second taken for a line of its own. */
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
	return line;
}

static const struct option *find_option(const char *section, const char *key, bool *from_file)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option *o = &options[i];
		size_t len = strlen(o->key);

		if (strcmp(section, o->section) != 0 || strncmp(key, o->key, len) != 0)
			continue;
		*from_file = o->type == SECRET && strcmp(key + len, "_file") == 0;
		if (key[len] == '\0' || *from_file)
			return o;
	}
	return NULL;
}

static int take_line(struct parser *p, const struct option *o, const char *value, bool from_file,
		     struct err *err)
{
	uint8_t *source = &p->settings->source[o - options];

	/* A line that begins with a blank is a continuation for libinih and comes here as the same
	 * key again. */
	if (*source == SETTING_FILE) {
		err_set(err, "%s.%s is given twice (or this line begins with a blank)", o->section,
			o->key);
		return -1;
	}
	*source = SETTING_FILE;
	if (from_file)
		return read_secret(p->settings, o, value, err);
	if (o->type == SECRET && *value && (p->mode & 07)) {
		err_set(err, "%s.%s: a file with a secret must not be open to others (mode %04o)",
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

	if (!o)
		err_set(&why, "no option of this name in section [%.32s]",
			is_printable(section) ? section : "");
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

/* NULL when not set. An empty value is none: unit files and shells cannot always unset. */
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
	const char *path = o->type == SECRET ? env_value(o->env, "_FILE") : NULL;
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
	if (*s->node)
		return 0;
	if (gethostname(s->node, sizeof(s->node)) == 0 && *s->node && check_node(s->node))
		return 0;
	err_set(err, "server.node: the host name will not do, set one of %s", types[NODE].expected);
	return -1;
}

int settings_load(struct settings *s, const char *path, struct err *err)
{
	load_builtin(s);
	if (load_file(s, path, err) != 0 || load_env(s, err) != 0 || name_node(s, err) != 0)
		return -1;
	if (s->act_limit_ms <= s->max_stale_ms)
		return 0;
	err_set(err, "cache.act_limit: expected no more than cache.max_stale");
	return -1;
}

/* --- printing --- */

static void format_value(const struct settings *s, const struct option *o,
			 char text[SETTING_TEXT_MAX])
{
	char number[32];
	const char *value = number;

	if (types[o->type].units)
		format_number(number_of(s, o), types[o->type].units, number);
	else if (types[o->type].words)
		value = types[o->type].words[number_of(s, o)];
	else if (o->type == SECRET)
		value = *text_of(s, o) ? "***" : "";
	else
		value = text_of(s, o);
	(void)snprintf(text, SETTING_TEXT_MAX, "%s", value);
}

size_t settings_describe(const struct settings *s, struct diagnosis_setting rows[SETTINGS_MAX])
{
	static const char *const sources[] = {
		[SETTING_BUILTIN] = "default", [SETTING_FILE] = "file", [SETTING_ENV] = "env"};

	for (size_t i = 0; i < OPTIONS; i++) {
		(void)snprintf(rows[i].name, sizeof(rows[i].name), "%s.%s", options[i].section,
			       options[i].key);
		format_value(s, &options[i], rows[i].value);
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
