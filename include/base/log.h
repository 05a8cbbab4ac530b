/* SPDX-License-Identifier: MIT */
/*
 * One line per event on stderr, logfmt or a JSON object: ts= level= node= pid= req= ev= and the
 * event's own fields.
 *
 *	log_event(LOG_LEVEL_WARNING, "redis_down", LOG_STR("err", why), LOG_INT("ms", 100));
 *
 * Values are quoted where needed, cut at 256 bytes, and every byte outside 0x20-0x7e is escaped, so
 * foreign text cannot forge a line. Event names and keys are literals; tft-dashboard(8) lists them.
 * Of one event at one level, 20 lines are written within 60 s and the rest are counted; its next
 * line carries repeated=N. A full or broken stderr never blocks or stops the program; the next line
 * that gets through carries dropped=N. errno is preserved.
 */
#ifndef TFT_LOG_H
#define TFT_LOG_H

#include <stddef.h>
#include <stdint.h>
#include "base/span.h"

enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };
enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_field {
	const char *key;  /* NULL ends the list */
	struct span text; /* used when text.ptr is not NULL */
	int64_t number;
};

/* An empty span is an empty value, even if it points nowhere. */
#define LOG_SPAN(key, s) ((struct log_field){(key), {(s).ptr ? (s).ptr : "", (s).len}, 0})
#define LOG_STR(key, s)  ((struct log_field){(key), span_str(s), 0})
#define LOG_INT(key, n)  ((struct log_field){(key), {NULL, 0}, (n)})

/* Until it is called, only errors are written. `node` is not copied. */
void log_init(enum log_level level, enum log_format format, const char *node);
/* The request id of the following lines; empty span for none. Copied (at most 64 bytes). */
void log_request(struct span id);
void log_fields(enum log_level level, const char *event, const struct log_field *fields);

/* A line of ev=audit at level info: who did what. Always written, never just counted. */
void log_audit_fields(const struct log_field *fields);

#define log_event(level, event, ...)                                                               \
	log_fields((level), (event), (const struct log_field[]){__VA_ARGS__, {NULL, {NULL, 0}, 0}})
#define log_audit(...)                                                                             \
	log_audit_fields((const struct log_field[]){__VA_ARGS__, {NULL, {NULL, 0}, 0}})

#endif
