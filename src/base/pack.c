/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "base/pack.h"

#include <zlib.h>

#include "base/hash.h"

#define LEVEL          6
#define CHECKSUM_BYTES 8
#define BARE_BYTES     3            /* of a length */
#define BARE           (-MAX_WBITS) /* no head, no checksum */
#define MEMORY         8            /* of deflate, its default */
#define WINDOW         (1u << MAX_WBITS)

void pack_seal(const char *magic, int format, const struct buf *body, struct buf *out)
{
	if (!buf_ok(body))
		buf_fail(out);
	bytes_put_magic(out, magic, format);
	bytes_put_int(out, hash_xxh64(buf_span(body)), CHECKSUM_BYTES);
	buf_span_add(out, buf_span(body));
}

struct bytes_reader pack_open(struct span record, const char *magic, int format)
{
	struct bytes_reader r = {.rest = record};
	uint64_t checksum;

	bytes_get_magic(&r, magic, format);
	checksum = bytes_get_int(&r, CHECKSUM_BYTES);
	r.bad |= checksum != hash_xxh64(r.rest);
	return r;
}

void pack_put(struct span part, struct buf *out)
{
	uLongf len = compressBound(part.len);
	struct buf packed;
	char *room;

	buf_init(&packed, len);
	room = buf_reserve(&packed, len);
	if (!room ||
	    compress2((Bytef *)room, &len, (const Bytef *)part.ptr, part.len, LEVEL) != Z_OK) {
		buf_fail(out);
	} else {
		bytes_put_int(out, part.len, 4);
		bytes_put_int(out, len, 4);
		buf_add(out, room, len);
	}
	buf_free(&packed);
}

void pack_get(struct bytes_reader *r, struct buf *part)
{
	uLongf len = (uLongf)bytes_get_upto(r, 4, part->max);
	struct span packed = bytes_get(r, (size_t)bytes_get_upto(r, 4, r->rest.len));
	char *room = r->bad ? NULL : buf_reserve(part, len);

	if (!room || uncompress((Bytef *)room, &len, (const Bytef *)packed.ptr, packed.len) != Z_OK)
		r->bad = true;
	else
		buf_grew(part, len);
}

/* The end of the base, which is all that fits. */
static struct span window_of(struct span base)
{
	if (base.len <= WINDOW)
		return base;
	return (struct span){base.ptr + (base.len - WINDOW), WINDOW};
}

static void set_input(z_stream *z, struct span in, char *out, uLongf room)
{
	z->next_in = (z_const Bytef *)(uintptr_t)in.ptr;
	z->avail_in = (uInt)in.len;
	z->next_out = (Bytef *)out;
	z->avail_out = (uInt)room;
}

/* False: no memory. *len: the room, then the length. */
static bool deflate_bare(struct span part, struct span base, char *out, uLongf *len)
{
	z_stream z = {0};
	bool done;

	if (deflateInit2(&z, LEVEL, Z_DEFLATED, BARE, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	if (base.len)
		(void)deflateSetDictionary(&z, (const Bytef *)base.ptr, (uInt)base.len);
	set_input(&z, part, out, *len);
	done = deflate(&z, Z_FINISH) == Z_STREAM_END;
	*len = z.total_out;
	(void)deflateEnd(&z);
	return done;
}

static bool inflate_bare(struct span packed, struct span base, char *out, uLongf len)
{
	z_stream z = {0};
	bool done;

	if (inflateInit2(&z, BARE) != Z_OK)
		return false;
	if (base.len)
		(void)inflateSetDictionary(&z, (const Bytef *)base.ptr, (uInt)base.len);
	set_input(&z, packed, out, len);
	done = inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_in == 0 && z.total_out == len;
	(void)inflateEnd(&z);
	return done;
}

void pack_put_bare(struct span part, struct span base, struct buf *out)
{
	uLongf len = compressBound(part.len);
	struct buf packed;
	char *room;

	buf_init(&packed, len);
	room = buf_reserve(&packed, len);
	if (!room || !deflate_bare(part, window_of(base), room, &len)) {
		buf_fail(out);
	} else {
		bytes_put_int(out, part.len, BARE_BYTES);
		bytes_put_int(out, len, BARE_BYTES);
		buf_add(out, room, len);
	}
	buf_free(&packed);
}

void pack_get_bare(struct bytes_reader *r, struct span base, struct buf *part)
{
	uLongf len = (uLongf)bytes_get_upto(r, BARE_BYTES, part->max);
	struct span packed = bytes_get(r, (size_t)bytes_get_upto(r, BARE_BYTES, r->rest.len));
	char *room = r->bad ? NULL : buf_reserve(part, len ? len : 1);

	if (!room || !inflate_bare(packed, window_of(base), room, len))
		r->bad = true;
	else
		buf_grew(part, len);
}
