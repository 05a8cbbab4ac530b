/* SPDX-License-Identifier: MIT */
/* The state of the fleet in words (doc/pages.md#sentence): what is wrong, where, since when, what
 * comes next, how sure that is. A function of snapshot, comparison and scores alone. */
#ifndef TFT_SENTENCE_H
#define TFT_SENTENCE_H

#include "pages/view.h"

enum sentence_form { SENTENCE_TEXT, SENTENCE_HTML };

/* Requires data. Plain text, not escaped, or HTML with links. Without view->since nothing is said
 * of the change, without view->accuracy nothing of how sure forecasts are. */
void sentence_put(const struct view *view, enum sentence_form form, struct buf *out);

/* "memory reaches its critical limit (98%) in about 5 min" */
void sentence_crossing(const struct crossing *crossing, enum crossing_index index, struct buf *out);
/* What adds most to the risk: "I/O wait is at 32.0%", "CPU may reach 99.5% within 30 min"; nothing
 * if nothing adds to it. */
void sentence_reason(const struct server *server, struct buf *out);
/* " since 06:05:00 UTC", how long the server has been at its level or a worse one; nothing if that
 * is unknown. */
void sentence_since(const struct server *server, const struct snapshot *snap, struct buf *out);

#endif
