/* SPDX-License-Identifier: MIT */
/*
 * Cuts a predictions answer into server objects, one at a time, while it arrives, so that memory
 * does not grow with the fleet. It checks the structural limits and the brackets, strings and
 * separators of the top two levels; the member callback checks what is inside an object.
 *
 *	scan = scan_new(member, ctx);
 *	while (rc == SCAN_OK && receive(&bytes, &len))
 *		rc = scan_feed(scan, bytes, len);
 *	rc = scan_finish(scan);    // SCAN_OK: one JSON object, and only white space after it
 *	scan_free(&scan);
 */
#ifndef TFT_SCAN_H
#define TFT_SCAN_H

#include "base/span.h"

enum scan_result {
	SCAN_OK,
	SCAN_BAD,     /* malformed, or not a JSON object at the top */
	SCAN_STOPPED, /* also when the callback asked to stop */
};

enum scan_section {
	SCAN_TOP,        /* a top-level member that is kept: error, environment, metadata */
	SCAN_SERVER,     /* a member of `predictions` whose value is an object within the limits */
	SCAN_REFUSED,    /* a member of `predictions` that is not an object or exceeds the limits;
			    text is empty */
	SCAN_PREDICTIONS /* `predictions` itself was found; text is "{" for an object, else empty */
};

#define SCAN_OBJECT_MAX   (1 << 20) /* bytes of one server object */
#define SCAN_OBJECT_DEPTH 8
#define SCAN_OBJECT_MARKS 16384 /* { [ and , in one server object; a real one has about 4,100 */
#define SCAN_TOP_MAX      65536 /* bytes of a kept top-level member; more is SCAN_BAD */
#define SCAN_KEY_MAX      2048  /* bytes of a key as written; a longer one refuses its server */

struct scan;

/* key: the raw text between the quotes, escapes not decoded. Both spans are valid only during the
 * call. Return nonzero to stop. */
typedef int (*scan_member)(void *ctx, enum scan_section section, struct span key, struct span text);

struct scan *scan_new(scan_member member, void *ctx);
void scan_free(struct scan **scan);
enum scan_result scan_feed(struct scan *scan, const char *bytes, size_t len);
enum scan_result scan_finish(struct scan *scan);

#endif
