/* SPDX-License-Identifier: MIT */
/* Reads the history in Redis (redis/KEYS.md). It ends with the bucket of the snapshot that is
 * shown, so that all pages of one snapshot agree. */
#ifndef TFT_ARCHIVE_H
#define TFT_ARCHIVE_H

#include "cache/cache.h"
#include "fleet/history.h"
#include "fleet/incidents.h"
#include "fleet/recent.h"

#define ARCHIVE_STREAMS 2

/* A long range, to be read with cache_read_streams together with something else: its streams end at
 * to_ms, and its entries, which come in their order, are given to archive_take. */
struct archive_range {
	struct history *h;
	int64_t points_from_ms;
};
void archive_streams(struct archive_range *range, int64_t to_ms,
		     struct cache_stream streams[ARCHIVE_STREAMS]);
void archive_take(struct archive_range *range, int64_t at_ms, struct span record);

/* 0, or -1 if the shared cache cannot be reached. `h` is initialised in either case; the caller
 * frees it. */
int archive_fleet(struct cache *cache, const struct snapshot *snap, enum history_range range,
		  struct history *h);
/* The risk of one server over a day, as points that have only `highest`. */
int archive_server(struct cache *cache, const struct snapshot *snap, struct span name,
		   struct history *h);

/* The last hour before a moment for a caller that reads more in the same round trip: the stream,
 * and what takes each of its entries. */
struct archive_hour {
	struct recent_hour hour; /* begun and ended by the caller */
	struct span digest;      /* of the names that were given last */
};

struct cache_stream archive_hour_stream(int64_t to_ms);
void archive_hour_take(struct archive_hour *hour, int64_t at_ms, const struct span *fields,
		       size_t count);
/* The last hour of all servers, into the snapshot (fleet/recent.h). One round trip; nothing is
 * known when the shared cache cannot be reached. */
void archive_recent(struct cache *cache, struct snapshot *snap);

/* Incidents as they were known with the snapshot: those open then, and those that had ended in the
 * time before. One round trip. 0, or -1 as above; `incidents` is initialised here in any case and
 * freed by the caller. */
int archive_incidents(struct cache *cache, const struct snapshot *snap, int64_t range_ms,
		      struct incidents *incidents);
/* The record of those open at the last moment kept, appended to `open`, and that moment's time; 0:
 * there is none, -1: Redis does not tell. */
int64_t archive_open_incidents(struct cache *cache, struct buf *open);
/* Logs that a record of that time, or a part of it, cannot be read. */
void archive_tell_damaged(const char *what, int64_t at_ms);

#endif
