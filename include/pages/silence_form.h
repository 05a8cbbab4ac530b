/* SPDX-License-Identifier: MIT */
/* Forms that silence alerts and end silences (doc/pages.md#silences). They are the same for
 * everybody: who may send one is decided when it comes. */
#ifndef TFT_SILENCE_FORM_H
#define TFT_SILENCE_FORM_H

#include "pages/view.h"

/* A form acts: never inside a foreign frame (view=compact), not about the past, and only where
 * alerts are sent. */
bool silence_form_is_shown(const struct view *view);
/* Each shows nothing where that is so. root: relative path to the root, as "../". */
void silence_form_server(const struct view *view, const struct server *server, const char *root,
			 struct buf *out);
/* For the servers of the query's profile and part of a name; nothing without either. */
void silence_form_chosen(const struct view *view, struct buf *out);
/* A button. id: letters, digits and hyphens. */
void silence_form_end(const struct view *view, struct span id, struct buf *out);

#endif
