/* SPDX-License-Identifier: MIT */
/* Reading the history. */
#include "config.h"
#include "cache/cache.h"

#include <assert.h>

#include "cache/redis.h"
#include "cache/key.h"
#include "base/log.h"
#include "base/text.h"
#include "store/reply.h"

#define STREAM_FIELDS 8 /* names and values read from one entry */

static void take_stream_entry(const redisReply *reply, cache_entry_fn entry, void *ctx)
{
	struct span fields[STREAM_FIELDS], id = reply_field(reply, 0);
	const redisReply *list;
	size_t n;

	if (id.len < 3 || reply->elements < 2)
		return;
	list = reply->element[1];
	for (n = 0; n < STREAM_FIELDS && reply_field(list, n).ptr; n++)
		fields[n] = reply_field(list, n);
	/* Behind it stands the sequence number. */
	entry(ctx, reply_decimal(text_cut(&id, '-')), fields, n);
}

static int take_stream(struct cache *cache, const redisReply *reply, cache_entry_fn entry,
		       void *ctx)
{
	if (reply->type != REDIS_REPLY_ARRAY) {
		cache_note_refusal(cache, REFUSED_HISTORY, refusal_text(reply));
		return -1;
	}
	for (size_t i = 0; i < reply->elements; i++)
		take_stream_entry(reply->element[i], entry, ctx);
	return 0;
}

static void queue_stream(struct cache *cache, const struct cache_stream *stream)
{
	struct key from = key_decimal(stream->from_ms), to = key_decimal(stream->to_ms),
		   key = key_history(cache, stream->name);

	switch (stream->pick) {
	case CACHE_ALL:
		store_cmd(cache->store, SPAN("XRANGE"), KEY(key), KEY(from), KEY(to));
		break;
	case CACHE_OLDEST:
		store_cmd(cache->store, SPAN("XRANGE"), KEY(key), KEY(from), KEY(to), SPAN("COUNT"),
			  SPAN("1"));
		break;
	case CACHE_NEWEST:
		store_cmd(cache->store, SPAN("XREVRANGE"), KEY(key), KEY(to), KEY(from),
			  SPAN("COUNT"), SPAN("1"));
		break;
	}
}

void cache_batch_add(struct cache_batch *batch, struct cache_stream stream, cache_entry_fn entry,
		     void *ctx)
{
	assert(batch->count < CACHE_BATCH_MAX);
	batch->parts[batch->count++] =
		(struct cache_batch_part){stream, entry, ctx, batch->refused};
}

static int take_part(struct cache *cache, const struct cache_batch_part *part,
		     const redisReply *reply)
{
	if (take_stream(cache, reply, part->entry, part->ctx) == 0)
		return 0;
	if (!part->refused)
		return -1;
	*part->refused = true;
	return 0;
}

int cache_batch_read(struct cache *cache, const struct cache_batch *batch)
{
	int rc = 0;

	if (cache_is_down(cache))
		return -1;
	for (size_t i = 0; i < batch->count; i++)
		queue_stream(cache, &batch->parts[i].stream);
	/* A day of a large fleet is several megabytes, more than the deadline of a page's batch
	 * allows for. */
	if (cache_run_for(cache, 3 * cache->limits->batch_ms) != STORE_OK)
		return -1;
	for (size_t i = 0; i < batch->count && rc == 0; i++)
		rc = take_part(cache, &batch->parts[i], store_reply(cache->store, i));
	return rc;
}

int cache_read_streams(struct cache *cache, const struct cache_stream *streams, size_t count,
		       cache_entry_fn entry, void *ctx)
{
	struct cache_batch batch = {.count = 0};

	for (size_t i = 0; i < count; i++)
		cache_batch_add(&batch, streams[i], entry, ctx);
	return cache_batch_read(cache, &batch);
}
