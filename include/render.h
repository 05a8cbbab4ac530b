/* SPDX-License-Identifier: MIT */
/* tft-dashboard --render PAGE --snapshot FILE: renders one page from a predictions answer in a
 * file, without any server. */
#ifndef TFT_RENDER_H
#define TFT_RENDER_H

#include "base/err.h"
#include "pages/catalogue.h"

/* page: a name of the page table, for the page of a server followed by /NAME, optionally with
 * ?query. file: JSON, gzip'd or not. The data's time is SOURCE_DATE_EPOCH where that is set, else
 * now. 0, or -1 with *err filled. */
int render_file(const struct site *site, const char *page, const char *file, struct buf *out,
		struct err *err);

#endif
