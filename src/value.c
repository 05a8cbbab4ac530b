/* SPDX-License-Identifier: MIT */
/* Checks of texts, the types, reading and writing a value; in this order. */
#include "config.h"
#include "value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "store/address.h"

/* --- checks of texts --- */

#define ALPHANUMERIC "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

bool value_is_plain(const char *text)
{
	struct span s = {text, strlen(text)};
	uint32_t character;
	size_t len;

	for (size_t at = 0; at < s.len; at += len) {
		len = utf8_next(s, at, &character);
		if (len == 0 || utf8_is_hidden(character))
			return false;
	}
	return true;
}

static bool check_ascii(char *text)
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

static bool is_name(const char *text)
{
	return strspn(text, "-._" ALPHANUMERIC) == strlen(text);
}

/* Where the port ends, or the text itself if there is none; NULL: malformed. */
static const char *skip_port(const char *text)
{
	size_t len = *text == ':' ? strcspn(text + 1, "/") : 0;

	if (*text != ':')
		return text;
	return hostport_port((struct span){text + 1, len}) ? text + 1 + len : NULL;
}

static bool is_path(const char *text)
{
	return *text == '\0' ||
	       (*text == '/' && strspn(text, "/-._~%" ALPHANUMERIC) == strlen(text));
}

/* User, query and fragment need their marks, and no part of a valid URL here contains those. */
static bool is_url(const char *text)
{
	const char *host = skip_scheme(text), *rest;
	size_t len = host ? hostport_host_len(span_str(host)) : 0;

	rest = len ? skip_port(host + len) : NULL;
	return rest && is_path(rest);
}

/* Paths are appended, each with its own slash. */
static size_t without_slashes(const char *text, size_t len)
{
	while (len > 0 && text[len - 1] == '/')
		len--;
	return len;
}

static bool check_url(char *text)
{
	if (*text && !is_url(text))
		return false;
	text[without_slashes(text, strlen(text))] = '\0';
	return true;
}

/* A page of another site, for viewers. */
static bool check_link(char *text)
{
	const char *host = skip_scheme(text), *rest;
	size_t len = host ? hostport_host_len(span_str(host)) : 0;

	if (!*text)
		return true;
	/* What is filled in must not become a part of the host. */
	rest = len ? skip_port(host + len) : NULL;
	return rest && *rest == '/' && check_ascii(text) && !strpbrk(text, " \"'<>\\");
}

static bool check_address(char *text)
{
	struct address address;

	return value_is_plain(text) && address_parse(&address, text);
}

static bool check_path(char *text)
{
	return *text == '\0' || (*text == '/' && value_is_plain(text));
}

/* History keys begin with the prefix and "hist:", so a prefix that ends in "hist" would collide. */
static bool check_prefix(char *text)
{
	size_t len = strlen(text);

	return strspn(text, "-0123456789abcdefghijklmnopqrstuvwxyz") == len &&
	       (len < 4 || strcmp(text + len - 4, "hist") != 0);
}

static bool check_node(char *text)
{
	return is_name(text);
}

static char *cut_blanks(const char *text, char *end)
{
	while (end > text && end[-1] == ' ')
		end--;
	return end;
}

/* Blanks around commas are dropped; a blank inside a member belongs to it. */
static bool check_list(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from == ',')
			to = cut_blanks(text, to);
		if (*from != ' ' || (to > text && to[-1] != ','))
			*to++ = *from;
	}
	to = cut_blanks(text, to);
	*to = '\0';
	return *text != ',' && !strstr(text, ",,") && (to == text || to[-1] != ',');
}

#define URLS_MAX 4

/* Each as above; between them is a comma. */
static bool check_urls(char *text)
{
	char *to = text;
	size_t count = 0;

	if (!check_list(text))
		return false;
	for (char *from = text; *from; count++) {
		size_t len = strcspn(from, ",");
		bool more = from[len] == ',';

		from[len] = '\0';
		if (!is_url(from) || count == URLS_MAX)
			return false;
		memmove(to, from, len);
		to += without_slashes(to, len);
		if (more)
			*to++ = ',';
		from += len + more;
	}
	*to = '\0';
	return true;
}

/* Quotes would be part of the name, and nobody is called "anna" with quotes. */
static bool check_users(char *text)
{
	return !strpbrk(text, "\"'") && check_ascii(text) && check_list(text);
}

static void make_lower(char *text)
{
	for (; *text; text++)
		*text = text_lower(*text);
}

/* As nginx passes them: lower case, no port, no trailing dot. */
static bool check_hosts(char *text)
{
	struct span rest;

	if (!check_list(text))
		return false;
	make_lower(text);
	for (rest = span_str(text); rest.len > 0;) {
		struct span host = text_cut(&rest, ',');

		if (hostport_host_len(host) != host.len || host.ptr[host.len - 1] == '.')
			return false;
	}
	return true;
}

/* As a browser serializes it: lower case, no path. */
static bool check_origin(char *text)
{
	const char *host;

	if (!check_url(text))
		return false;
	make_lower(text);
	host = skip_scheme(text);
	return !host || !strchr(host, '/');
}

/* --- types --- */

struct unit {
	const char *suffix;
	int64_t factor;
};

/* clang-format off */
/* From large to small; the last row is the meaning of a plain number. */
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
/* By enum level. */
static const char *const severities[] = {"imminent",  "critical", "danger", "warning",
					 "degrading", "watch",    NULL};
/* By enum log_level. */
static const char *const levels[] = {"error", "warning", "info", "debug", NULL};
/* By enum log_format. */
static const char *const formats[] = {"logfmt", "json", NULL};

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
	[VALUE_TEXT]     = {NULL, NULL, check_ascii, "printable ASCII"},
	[VALUE_SECRET]   = {NULL, NULL, check_ascii, "printable ASCII"},
	[VALUE_URL]      = {NULL, NULL, check_url, "http(s)://host:port, no user, query or fragment"},
	[VALUE_LINK]     = {NULL, NULL, check_link, "http(s)://host/path, ASCII without blanks and quotes"},
	[VALUE_URLS]     = {NULL, NULL, check_urls,
		      "at most four http(s)://host:port, separated by commas"},
	[VALUE_PATH]     = {NULL, NULL, check_path, "an absolute path"},
	[VALUE_ORIGIN]   = {NULL, NULL, check_origin, "http(s)://host or http(s)://host:port"},
	[VALUE_ADDRESS]  = {NULL, NULL, check_address,
		      "a form of tft-dashboard.conf(5), as unix:/path, address:port/NUMBER or "
		      "rediss://address:port"},
	[VALUE_PREFIX]   = {NULL, NULL, check_prefix,
		      "1 to 16 small letters, digits and hyphens, not ending in \"hist\""},
	[VALUE_NODE]     = {NULL, NULL, check_node, "letters, digits, dots, hyphens, underscores"},
	[VALUE_USERS]    = {NULL, NULL, check_users, "names separated by commas, without quotes"},
	[VALUE_HOSTS]    = {NULL, NULL, check_hosts, "host names separated by commas, without ports"},
	[VALUE_DURATION] = {durations, NULL, NULL, NULL},
	[VALUE_SIZE]     = {sizes, NULL, NULL, NULL},
	[VALUE_INTEGER]  = {integers, NULL, NULL, NULL},
	[VALUE_FLAG]     = {NULL, flags, NULL, "on or off"},
	[VALUE_ROLE]     = {NULL, roles, NULL, "viewer or operator"},
	[VALUE_SEVERITY] = {NULL, severities, NULL,
		      "imminent, critical, danger, warning, degrading or watch"},
	[VALUE_LEVEL]    = {NULL, levels, NULL, "error, warning, info or debug"},
	[VALUE_FORMAT]   = {NULL, formats, NULL, "logfmt or json"},
};
/* clang-format on */

/* --- reading and writing --- */

static bool parse_number(const char *text, const struct unit *units, int64_t *value)
{
	size_t digits = strspn(text, "0123456789");

	/* Nine digits times the largest factor cannot overflow. */
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
static void format_number(int64_t value, const struct unit *units, char *text, size_t size)
{
	while (value % units->factor != 0)
		units++;
	(void)snprintf(text, size, "%" PRId64 "%s", value / units->factor, units->suffix);
}

static int read_number(const struct unit *units, struct value_range range, const char *text,
		       int64_t *value, struct err *why)
{
	char low[32], high[32];

	if (parse_number(text, units, value) && *value >= range.min && *value <= range.max)
		return 0;
	format_number(range.min, units, low, sizeof(low));
	format_number(range.max, units, high, sizeof(high));
	err_set(why, "expected %s to %s", low, high);
	return -1;
}

static int read_word(enum value_type type, const char *text, int64_t *value, struct err *why)
{
	const char *const *words = types[type].words;

	for (*value = 0; words[*value]; ++*value)
		if (strcmp(words[*value], text) == 0)
			return 0;
	err_set(why, "expected %s", types[type].expected);
	return -1;
}

static int read_text(enum value_type type, struct value_range range, const char *text, char *value,
		     struct err *why)
{
	size_t len = strlen(text);

	if (len < (size_t)range.min || len > (size_t)range.max) {
		err_set(why, "expected %" PRId64 " to %" PRId64 " bytes", range.min, range.max);
		return -1;
	}
	memcpy(value, text, len + 1);
	if (types[type].check(value))
		return 0;
	err_set(why, "expected %s", types[type].expected);
	return -1;
}

int value_read(enum value_type type, struct value_range range, const char *text, void *at,
	       struct err *why)
{
	if (types[type].units)
		return read_number(types[type].units, range, text, at, why);
	if (types[type].words)
		return read_word(type, text, at, why);
	return read_text(type, range, text, at, why);
}

void value_write(enum value_type type, const void *at, char *text, size_t size)
{
	const char *value = at;

	if (types[type].units) {
		format_number(*(const int64_t *)at, types[type].units, text, size);
		return;
	}
	if (types[type].words)
		value = types[type].words[*(const int64_t *)at];
	else if (type == VALUE_SECRET)
		value = *value ? "***" : "";
	(void)snprintf(text, size, "%s", value);
}

const char *value_expected(enum value_type type)
{
	return types[type].expected;
}
