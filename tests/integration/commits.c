/* SPDX-License-Identifier: MIT */
/*
 * Commits many buckets in little time, for test_t1670_archive.py: stores what a refresh keeps of
 * recorded answers, with the worker's own functions and scripts, but without a daemon and without
 * pages, which are most of a refresh. Redis' clock is the file CLOCK (tests/model/clock.c); each
 * bucket begins one interval after the previous one.
 *
 *	commits REDIS FINGERPRINT MEMORY CLOCK COUNT PAYLOAD...
 *
 * MEMORY is [history] memory in bytes. Each PAYLOAD, plain or gzip, is the answer of four buckets
 * in a row.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <zlib.h>

#include "cache/archive.h"
#include "cache/protocol.h"
#include "fleet/compact.h"
#include "fleet/decode.h"
#include "fleet/history.h"
#include "fleet/horizons.h"
#include "fleet/incidents.h"
#include "fleet/moment.h"

#define INTERVAL_MS  30000
#define IN_A_ROW     4
#define ANSWERS      8
#define DOCUMENT_MAX (64u << 20)
/* The tests that call this do not depend on timing, and Redis waits for a busy disk now and then. */
#define PATIENCE_MS 60000

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "commits: %s\n", what);
	exit(EXIT_FAILURE);
}

/* --- answers --- */

struct answer {
	struct buf compact, forecasts;
};

static struct snapshot *read_payload(const char *path)
{
	struct decode *decode = decode_new();
	struct snapshot *snap = NULL;
	gzFile file = gzopen(path, "rb");
	static char chunk[65536];
	int n;

	require(decode && file, path);
	while ((n = gzread(file, chunk, sizeof(chunk))) > 0)
		require(decode_feed(decode, chunk, (size_t)n) == 0, path);
	require(n == 0 && decode_finish(decode, &snap) == REASON_NONE, path);
	(void)gzclose(file);
	decode_free(&decode);
	return snap;
}

static void read_answer(const char *path, struct answer *answer)
{
	struct snapshot *snap = read_payload(path);

	buf_init(&answer->compact, DOCUMENT_MAX);
	buf_init(&answer->forecasts, DOCUMENT_MAX);
	snap->interval_ms = INTERVAL_MS;
	compact_encode(snap, &answer->compact);
	horizons_encode(snap, &answer->forecasts);
	require(buf_ok(&answer->compact) && buf_ok(&answer->forecasts), "an answer is too large");
	snapshot_free(&snap);
}

static void read_hour(struct cache *cache, struct snapshot *snap)
{
	struct cache_batch batch = {.count = 0};
	struct archive_hour hour;

	archive_add_hour(&batch, snap, &hour);
	require(cache_batch_read(cache, &batch) == 0, "no last hour");
	recent_end(&hour.hour);
}

/* As refresh.c completes it; recent: with the last hour, which is most of the work. */
static struct snapshot *complete(struct cache *cache, const struct answer *answer,
				 const struct claim *claim, const struct snapshot *previous,
				 bool recent)
{
	struct snapshot *snap = compact_decode(buf_span(&answer->compact));

	require(snap, "an answer cannot be read again");
	memcpy(snap->id, claim->token, HASH_HEX - 1);
	snap->id[HASH_HEX - 1] = '\0';
	snap->bucket = claim->bucket;
	snap->gen_ms = claim->now_ms;
	if (recent)
		read_hour(cache, snap);
	snapshot_carry(snap, previous);
	return snap;
}

/* --- one bucket --- */

struct records {
	struct buf document, history, names, risks, moment, beside, base, before, open, closed;
};

#define RECORDS (sizeof(struct records) / sizeof(struct buf))

static void reset(struct records *r)
{
	for (size_t i = 0; i < RECORDS; i++)
		buf_reset((struct buf *)r + i);
}

static void read_last(struct cache *cache, int64_t at_ms, struct records *r, struct commit *commit)
{
	struct archive_last last = {0, r->before};
	struct archive_base base = {0, r->base};
	struct cache_batch batch = {.count = 0};

	archive_add_last(&batch, &last);
	archive_add_base(&batch, at_ms, &base);
	require(cache_batch_read(cache, &batch) == 0, "no last moment");
	r->before = last.open;
	commit->seen_ms = last.at_ms;
	r->base = base.record;
	commit->beside_ms = base.at_ms;
}

static void publish(struct cache *cache, const struct claim *claim, const struct answer *answer,
		    const struct snapshot *snap, struct records *r)
{
	struct cache_document document = {.type = "application/octet-stream"};
	struct commit commit = {.snap = snap->id, .routes = {"fleet"}, .count = 1};

	reset(r);
	compact_encode(snap, &r->document);
	history_encode(snap, &r->history);
	history_encode_servers(snap, &r->names, &r->risks);
	read_last(cache, snapshot_bucket_ms(snap), r, &commit);
	moment_encode_both(snap, buf_span(&r->base), &r->moment, &r->beside);
	incidents_step(buf_span(&r->before), snap, &r->open, &r->closed);
	for (size_t i = 0; i < RECORDS; i++)
		require(buf_ok((const struct buf *)r + i), "a record is too large");
	document.body = buf_span(&r->document);
	commit.history = buf_span(&r->history);
	commit.names = buf_span(&r->names);
	commit.risks = buf_span(&r->risks);
	commit.moment = buf_span(&r->moment);
	commit.beside = buf_span(&r->beside);
	commit.forecasts = buf_span(&answer->forecasts);
	commit.open = buf_span(&r->open);
	commit.closed = buf_span(&r->closed);
	require(cache_stage(cache, claim, "fleet", snap->id, &document) == 0, "not staged");
	require(cache_commit(cache, claim, &commit) == COMMIT_OK, "not committed");
}

static int64_t *map_clock(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *page =
		fd < 0 ? MAP_FAILED
		       : mmap(NULL, sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	require(page != MAP_FAILED, path);
	return page;
}

/* An idle worker looks for new data too. A bucket that it has claimed first is left to it, and the
 * next one is ours. A refusal is remembered for 250 ms. */
static void claim_next(struct cache *cache, int64_t *now_us, struct claim *claim)
{
	static const struct timespec longer = {.tv_nsec = 300000000};
	int tries = 20;

	do {
		require(tries-- > 0, "no claim");
		*now_us += INTERVAL_MS * INT64_C(1000);
	} while (cache_claim(cache, CACHE_FLEET, claim) != CLAIM_WON &&
		 nanosleep(&longer, NULL) == 0);
}

static void fill(struct cache *cache, int64_t *now_us, long count, const struct answer *answers,
		 int kinds)
{
	struct snapshot *snap = NULL;
	struct records records;
	struct claim claim;

	for (size_t i = 0; i < RECORDS; i++)
		buf_init((struct buf *)&records + i, DOCUMENT_MAX);
	for (long i = 0; i < count; i++) {
		const struct answer *answer = &answers[i / IN_A_ROW % kinds];
		struct snapshot *previous = snap;

		claim_next(cache, now_us, &claim);
		/* Of the last one pages are looked at. */
		snap = complete(cache, answer, &claim, previous, i == 0 || i == count - 1);
		snapshot_free(&previous);
		publish(cache, &claim, answer, snap, &records);
	}
	snapshot_free(&snap);
	for (size_t i = 0; i < RECORDS; i++)
		buf_free((struct buf *)&records + i);
}

int main(int argc, char **argv)
{
	static const struct cache_group_limits group = {INTERVAL_MS, 17000, 26};
	static struct answer answers[ANSWERS];
	struct store_address address = {
		.user = "", .password = "", .sentinel_password = "", .connect_ms = PATIENCE_MS};
	struct cache_limits limits = {.group = {group, group, group, group, group},
				      .max_stale_ms = 3600000,
				      .batch_ms = PATIENCE_MS,
				      .publish_ms = PATIENCE_MS,
				      .history_points = 20160};
	struct cache_owner owner = {.prefix = "tft"};
	struct store *store;
	struct cache *cache;
	int64_t *now_us;

	require(argc > 6 && argc - 6 <= ANSWERS, "wrong arguments");
	address.where = argv[1];
	owner.upstream = argv[2];
	limits.history_memory = strtoll(argv[3], NULL, 10);
	now_us = map_clock(argv[4]);
	for (int i = 6; i < argc; i++)
		read_answer(argv[i], &answers[i - 6]);
	store = store_new(&address);
	cache = cache_new(store, &limits, &owner);
	require(cache, "no memory");
	fill(cache, now_us, strtol(argv[5], NULL, 10), answers, argc - 6);
	cache_free(&cache);
	store_free(&store);
	for (int i = 0; i < ANSWERS; i++) {
		buf_free(&answers[i].compact);
		buf_free(&answers[i].forecasts);
	}
	return EXIT_SUCCESS;
}
