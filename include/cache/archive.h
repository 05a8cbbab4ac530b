/* SPDX-License-Identifier: MIT */
/* Reads the history in Redis (redis/KEYS.md). It ends with the bucket of the snapshot that is
 * shown, so that all pages of one snapshot agree. */
#ifndef TFT_ARCHIVE_H
#define TFT_ARCHIVE_H

#include "cache/cache.h"
#include "fleet/history.h"
#include "fleet/incidents.h"
#include "fleet/recent.h"
#include "fleet/trail.h"

/*
 * Each archive_add_... adds the streams of one thing to a batch (cache_batch_read), which is read by
 * the caller; archive_fleet and the like read just that.
 */

/* The points of the range before at_ms. `h` is initialised here and freed by the caller. */
void archive_add_fleet(struct cache_batch *batch, int64_t interval_ms, int64_t at_ms,
		       enum history_range range, struct history *h);
/* Those until to_ms of a long range, which the caller has initialised. */
void archive_add_long(struct cache_batch *batch, int64_t to_ms, struct history *h);
/* 0, or -1 if the shared cache cannot be reached. `h` is initialised in either case; the caller
 * frees it. */
int archive_fleet(struct cache *cache, const struct snapshot *snap, enum history_range range,
		  struct history *h);

/* The risk of one server over a day, as points that have only `highest`. */
struct archive_server {
	struct history *h;
	struct span name;
	struct span digest; /* of the names that `index` belongs to */
	int index;          /* -1: the server was not there */
};

/* server: lives until the batch has been read, as the name does. `h` as above. */
void archive_add_server(struct cache_batch *batch, int64_t interval_ms, int64_t at_ms,
			struct span name, struct archive_server *server, struct history *h);
/* Its last 8 hours, and those of another one (empty: none), in TRAIL_POINTS parts of the batch.
 * `trail` is initialised here; the names are borrowed. */
void archive_add_trail(struct cache_batch *batch, int64_t at_ms, struct span name,
		       struct span other, struct trail *trail);
/* Both, of which Redis may refuse either. `has` is set. */
struct archive_has {
	bool history, trail;
};

void archive_server(struct cache *cache, const struct snapshot *snap, struct span name,
		    struct span other, struct history *h, struct trail *trail,
		    struct archive_has *has);

/* The last hour before a moment for a caller that knows the snapshot only after the read: the streams,
 * first that of the hours that are closed, and what takes each of their entries. */
struct archive_hour {
	struct recent_hour hour; /* begun and ended by the caller */
	struct span digest;      /* of the names that were given last */
	int64_t at_ms;           /* of the risks that were given last */
};

struct cache_stream archive_hour_closed(int64_t to_ms);
struct cache_stream archive_hour_stream(int64_t to_ms);
void archive_hour_take_closed(struct archive_hour *hour, const struct span *fields, size_t count);
void archive_hour_take(struct archive_hour *hour, int64_t at_ms, const struct span *fields,
		       size_t count);
/* The last hour of all servers, into a snapshot of now (fleet/recent.h). When the batch has been read,
 * even in vain, the caller calls recent_end. */
void archive_add_hour(struct cache_batch *batch, struct snapshot *snap, struct archive_hour *hour);

/* Incidents as they were known with the moment of that time: those open then, and those that had
 * ended in the time before. `incidents` is initialised here and freed by the caller, who sorts it
 * when the batch has been read. */
void archive_add_incidents(struct cache_batch *batch, int64_t at_ms, int64_t range_ms,
			   struct incidents *incidents);
/* The same of the snapshot, sorted. 0, or -1 as above. */
int archive_incidents(struct cache *cache, const struct snapshot *snap, int64_t range_ms,
		      struct incidents *incidents);
/* The last moment kept, and the record of the incidents that were open then. */
struct archive_last {
	int64_t at_ms;   /* 0: there is none */
	struct buf open; /* owned by the caller, who initialises it */
};

void archive_add_last(struct cache_batch *batch, struct archive_last *last);

/* The thin moment that the moment of at_ms may be written beside (moment_encode_both): the first
 * one of its window, if that is another one. */
struct archive_base {
	int64_t at_ms;     /* 0: there is none yet */
	struct buf record; /* owned by the caller, who initialises it */
};

void archive_add_base(struct cache_batch *batch, int64_t at_ms, struct archive_base *base);
/* Logs that a record of that time, or a part of it, cannot be read. */
void archive_tell_damaged(const char *what, int64_t at_ms);

#endif
