/* SPDX-License-Identifier: MIT */
/*
 * A line is built in memory that is allocated once, so that events can be logged even when memory
 * has run out. It is written by one write(2) of at most PIPE_BUF bytes, so that lines of workers
 * that share a pipe never mix.
 */
#include "config.h"
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fmt.h"

#define VALUE_MAX   256 /* bytes as written */
#define REQUEST_MAX 64
#define EVENTS      64 /* more than there are events; if it fills up, the oldest window is reused */
#define WINDOW_MS   60000
#define BURST       20 /* lines of one event in one window */

/* How often one event at one level was written and left out in its window. */
struct rate {
	const char *event; /* NULL: this one and all after it are free */
	enum log_level level;
	int64_t since_ms;
	uint64_t written, repeated;
};

static struct {
	enum log_level level;
	enum log_format format;
	const char *node;
	char request[REQUEST_MAX];
	size_t request_len;
	struct buf line;
	uint64_t dropped; /* lines lost since stderr last accepted one */
	struct rate rates[EVENTS];
} logger = {.level = LOG_LEVEL_ERROR, .node = "", .line.max = PIPE_BUF};

void log_init(enum log_level level, enum log_format format, const char *node)
{
	logger.level = level;
	logger.format = format;
	logger.node = node;
	buf_reset(&logger.line);
	buf_reserve(&logger.line, PIPE_BUF);
}

void log_request(struct span id)
{
	logger.request_len = id.len < REQUEST_MAX ? id.len : REQUEST_MAX;
	if (logger.request_len > 0)
		memcpy(logger.request, id.ptr, logger.request_len);
}

static struct rate *find_rate(enum log_level level, const char *event, int64_t now_ms)
{
	struct rate *spare = logger.rates;

	for (struct rate *r = logger.rates; r < logger.rates + EVENTS; r++) {
		if (!r->event) {
			spare = r;
			break;
		}
		if (r->level == level && strcmp(r->event, event) == 0)
			return r;
		if (r->since_ms < spare->since_ms)
			spare = r;
	}
	*spare = (struct rate){.event = event, .level = level, .since_ms = now_ms};
	return spare;
}

static bool admit(struct rate *rate, int64_t now_ms)
{
	if (now_ms - rate->since_ms >= WINDOW_MS) {
		rate->since_ms = now_ms;
		rate->written = 0;
	}
	if (rate->written >= BURST) {
		rate->repeated++;
		return false;
	}
	rate->written++;
	return true;
}

static bool needs_quotes(struct span text)
{
	if (logger.format == LOG_FORMAT_JSON)
		return true;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c <= 0x20 || c >= 0x7f || c == '"' || c == '=' || c == '\\')
			return true;
	}
	return text.len == 0;
}

static void put_byte(struct buf *line, char c)
{
	static const char *const escapes[] = {
		[LOG_FORMAT_LOGFMT] = "\\x",
		[LOG_FORMAT_JSON] = "\\u00",
	};

	if (c < 0x20 || c >= 0x7f) {
		buf_addf(line, "%s%02x", escapes[logger.format], (unsigned char)c);
	} else {
		if (c == '"' || c == '\\')
			buf_char(line, '\\');
		buf_char(line, c);
	}
}

/* What stands before a value. */
static void put_key(struct buf *line, const char *key)
{
	if (logger.format == LOG_FORMAT_JSON)
		buf_addf(line, "%c\"%s\":", line->len > 0 ? ',' : '{', key);
	else
		buf_addf(line, "%s%s=", line->len > 0 ? " " : "", key);
}

static void put_quote(struct buf *line, bool quotes)
{
	if (quotes)
		buf_char(line, '"');
}

static void put_text(struct buf *line, const char *key, struct span text)
{
	bool quotes = needs_quotes(text);
	size_t end;

	put_key(line, key);
	put_quote(line, quotes);
	end = line->len + VALUE_MAX;
	for (size_t i = 0; i < text.len && line->len < end; i++)
		put_byte(line, text.ptr[i]);
	put_quote(line, quotes);
}

static void put_number(struct buf *line, const char *key, int64_t number)
{
	put_key(line, key);
	buf_addf(line, "%" PRId64, number);
}

static void put_time(struct buf *line)
{
	put_key(line, "ts");
	put_quote(line, logger.format == LOG_FORMAT_JSON);
	fmt_iso(line, clock_wall_ms());
	put_quote(line, logger.format == LOG_FORMAT_JSON);
}

static void put_head(struct buf *line, enum log_level level, const char *event)
{
	static const char *const names[] = {
		[LOG_LEVEL_ERROR] = "error",
		[LOG_LEVEL_WARNING] = "warning",
		[LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_DEBUG] = "debug",
	};

	put_time(line);
	put_text(line, "level", span_str(names[level]));
	put_text(line, "node", span_str(logger.node));
	put_number(line, "pid", getpid());
	put_text(line, "req", (struct span){logger.request, logger.request_len});
	put_text(line, "ev", span_str(event));
}

static void put_fields(struct buf *line, const struct log_field *fields)
{
	for (const struct log_field *f = fields; f->key; f++) {
		if (f->text.ptr)
			put_text(line, f->key, f->text);
		else
			put_number(line, f->key, f->number);
	}
}

static void put_count(struct buf *line, const char *key, uint64_t count)
{
	if (count > 0)
		put_number(line, key, (int64_t)count);
}

/*
 * The supervisor shares stderr, so O_NONBLOCK must not be set on it. Instead, poll a pipe or socket
 * before writing. If it has no reader, poll reports an error beside POLLOUT; writing would only
 * raise SIGPIPE.
 */
static bool write_line(const struct buf *line)
{
	struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};

	if (!buf_ok(line) || poll(&fd, 1, 0) != 1 || fd.revents != POLLOUT)
		return false;
	return write(fd.fd, line->data, line->len) == (ssize_t)line->len;
}

static void emit(struct rate *rate, const struct log_field *fields)
{
	struct buf *line = &logger.line;

	buf_reset(line);
	put_head(line, rate->level, rate->event);
	put_fields(line, fields);
	put_count(line, "repeated", rate->repeated);
	put_count(line, "dropped", logger.dropped);
	buf_addf(line, "%s\n", logger.format == LOG_FORMAT_JSON ? "}" : "");
	if (write_line(line)) {
		rate->repeated = 0;
		logger.dropped = 0;
	} else {
		logger.dropped++;
	}
}

void log_fields(enum log_level level, const char *event, const struct log_field *fields)
{
	int saved_errno = errno;
	int64_t now_ms = clock_mono_ms();
	struct rate *rate;

	if (level > logger.level)
		return;
	rate = find_rate(level, event, now_ms);
	if (admit(rate, now_ms))
		emit(rate, fields);
	errno = saved_errno;
}

void log_audit_fields(const struct log_field *fields)
{
	struct rate once = {.event = "audit", .level = LOG_LEVEL_INFO};
	int saved_errno = errno;

	emit(&once, fields);
	errno = saved_errno;
}
