/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "base/pack.h"

#include <zlib.h>

#include "base/hash.h"

#define LEVEL          6
#define CHECKSUM_BYTES 8

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
