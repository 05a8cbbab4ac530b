/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "render.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/clock.h"
#include "fleet/decode.h"

/* zlib's gzFile reads plain files as well. */
static int feed_file(const char *file, struct decode *decode, struct err *err)
{
	char bytes[65536];
	gzFile in = gzopen(file, "rb");
	int n = 0;

	if (!in) {
		err_set(err, "%s: %s", file, errno ? strerror(errno) : "out of memory");
		return -1;
	}
	while ((n = gzread(in, bytes, sizeof(bytes))) > 0 &&
	       decode_feed(decode, bytes, (size_t)n) == 0)
		;
	(void)gzclose(in);
	if (n >= 0)
		return 0;
	err_set(err, "%s: cannot be read", file);
	return -1;
}

static struct snapshot *load(const char *file, struct err *err)
{
	struct decode *decode = decode_new();
	struct snapshot *snap = NULL;
	enum reason reason;

	if (!decode) {
		err_set(err, "out of memory");
		return NULL;
	}
	if (feed_file(file, decode, err) == 0) {
		reason = decode_finish(decode, &snap);
		if (reason != REASON_NONE)
			err_set(err, "%s: %s", file, reason_table[reason].text);
	}
	decode_free(&decode);
	return snap;
}

static void date(struct snapshot *snap, int64_t interval_ms)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");

	snap->gen_ms = epoch ? (int64_t)strtoll(epoch, NULL, 10) * 1000 : clock_wall_ms();
	snap->interval_ms = interval_ms;
	snap->bucket = snap->gen_ms / interval_ms;
}

/* NAME of server/NAME. */
static int find_server(const struct page *page, struct span name, const struct snapshot *snap,
		       const struct server **server, struct err *err)
{
	if (!(page->needs & PAGE_SERVER))
		return 0;
	*server = snapshot_find(snap, name);
	if (*server)
		return 0;
	err_set(err, "there is no such server");
	return -1;
}

static int render(const struct site *site, const struct page *page, struct span name,
		  struct span raw, const struct snapshot *snap, struct buf *out, struct err *err)
{
	static const struct condition plain;
	struct query query;
	struct view view = {.site = site,
			    .snap = snap,
			    .condition = &plain,
			    .query = &query,
			    .warmup = &snap->warmup,
			    .scenario = &snap->scenario};
	enum query_key bad;

	if (find_server(page, name, snap, &view.server, err) != 0)
		return -1;
	query_init(&query);
	if (query_parse(&query, raw, page->params, &bad) != 0) {
		err_set(err, "%s: %s", query_key_name(bad), query_key_values(bad));
		return -1;
	}
	page_render(page, &view, out);
	if (buf_ok(out))
		return 0;
	err_set(err, "out of memory");
	return -1;
}

int render_file(const struct site *site, const char *name, const char *file, struct buf *out,
		struct err *err)
{
	size_t end = strcspn(name, "?"), len = strcspn(name, "/?");
	struct span raw = name[end] ? span_str(name + end + 1) : (struct span){NULL, 0};
	struct span server = {name + len + (len < end), end - len - (len < end)};
	const struct page *page = NULL;
	struct snapshot *snap;
	int rc;

	for (size_t i = 0; i < page_count; i++)
		if (span_eq(span_str(page_table[i].name), (struct span){name, len}))
			page = &page_table[i];
	if (!page) {
		err_set(err, "there is no page '%.*s'", (int)len, name);
		return -1;
	}
	snap = load(file, err);
	if (!snap)
		return -1;
	date(snap, site->interval_ms);
	rc = render(site, page, server, raw, snap, out, err);
	snapshot_free(&snap);
	return rc;
}
