/* SPDX-License-Identifier: MIT */
/* The roadmap (doc/pages.md#documents-and-errors): only prose, shown even without data. */
#include "config.h"
#include "pages/contents.h"

#include "base/html.h"
#include "text.h"

void page_roadmap(const struct view *view, struct buf *out)
{
	(void)view;
	html_lit(out, TEXT_ROADMAP);
}
