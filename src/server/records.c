/* SPDX-License-Identifier: MIT */
/* Records as in the FastCGI specification 1.0, sections 3.3, 5.3 and 5.5. */
#include "config.h"
#include "server/records.h"

#include <errno.h>
#include <fastcgi.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define RECORDS 16 /* of one write */

/* The final records: STDOUT is closed, the request is complete. */
struct ending {
	FCGI_Header eof;
	FCGI_EndRequestRecord end;
};

static FCGI_Header header(int type, int request_id, size_t len)
{
	return (FCGI_Header){
		.version = FCGI_VERSION_1,
		.type = (unsigned char)type,
		.requestIdB1 = (unsigned char)(request_id >> 8),
		.requestIdB0 = (unsigned char)request_id,
		.contentLengthB1 = (unsigned char)(len >> 8),
		.contentLengthB0 = (unsigned char)len,
	};
}

/* Takes the first `len` bytes off *from. */
static struct iovec take(struct span *from, size_t len)
{
	struct iovec piece = {(void *)(uintptr_t)from->ptr, len < from->len ? len : from->len};

	from->ptr += piece.iov_len;
	from->len -= piece.iov_len;
	return piece;
}

/* --- what comes --- */

static size_t big_endian(const char *bytes, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n = n << 8 | (unsigned char)bytes[i];
	return n;
}

static struct span skip(struct span bytes, size_t len)
{
	return (struct span){bytes.ptr + len, bytes.len - len};
}

/* One byte, or four of which the first has its highest bit set. */
static bool take_length(struct span *bytes, size_t *len)
{
	size_t size = bytes->len && (*bytes->ptr & 0x80) ? 4 : 1;

	if (bytes->len < size)
		return false;
	*len = big_endian(bytes->ptr, size) & 0x7fffffff;
	*bytes = skip(*bytes, size);
	return true;
}

/* The lengths of all names and values must end exactly where the parameters do. */
static bool are_pairs(struct span params)
{
	while (params.len > 0) {
		size_t name, value;

		if (!take_length(&params, &name) || !take_length(&params, &value) ||
		    name > params.len || value > params.len - name)
			return false;
		params = skip(params, name + value);
	}
	return true;
}

struct record {
	int version, type;
	size_t id;
	struct span content;
};

/* false: incomplete. */
static bool take_record(struct span *bytes, struct record *record)
{
	size_t content, padding;

	if (bytes->len < FCGI_HEADER_LEN)
		return false;
	content = big_endian(bytes->ptr + 4, 2);
	padding = big_endian(bytes->ptr + 6, 1);
	if (bytes->len - FCGI_HEADER_LEN < content + padding)
		return false;
	*record = (struct record){
		.version = bytes->ptr[0],
		.type = bytes->ptr[1],
		.id = big_endian(bytes->ptr + 2, 2),
		.content = {bytes->ptr + FCGI_HEADER_LEN, content},
	};
	*bytes = skip(*bytes, FCGI_HEADER_LEN + content + padding);
	return true;
}

/* The content of all records of one type up to the empty one that ends them, moved together. */
static enum records_state take_stream(struct span *bytes, int type, size_t id, struct span *content)
{
	struct record record;
	char *end = NULL;

	*content = (struct span){NULL, 0};
	while (take_record(bytes, &record)) {
		if (record.version != FCGI_VERSION_1 || record.type != type || record.id != id)
			return RECORDS_BAD;
		if (record.content.len == 0)
			return RECORDS_WHOLE;
		if (!end)
			content->ptr = end = (char *)(uintptr_t)record.content.ptr;
		memmove(end, record.content.ptr, record.content.len);
		end += record.content.len;
		content->len += record.content.len;
	}
	return RECORDS_HALF;
}

enum records_state records_check(char *bytes, size_t len)
{
	struct span rest = {bytes, len}, params, body;
	struct record begin;
	enum records_state state;

	if (!take_record(&rest, &begin))
		return RECORDS_HALF;
	if (begin.version != FCGI_VERSION_1 || begin.type != FCGI_BEGIN_REQUEST ||
	    begin.content.len != sizeof(FCGI_BeginRequestBody) || begin.id == 0 ||
	    big_endian(begin.content.ptr, 2) != FCGI_RESPONDER)
		return RECORDS_BAD;
	state = take_stream(&rest, FCGI_PARAMS, begin.id, &params);
	if (state == RECORDS_WHOLE && !are_pairs(params))
		return RECORDS_BAD;
	return state == RECORDS_WHOLE ? take_stream(&rest, FCGI_STDIN, begin.id, &body) : state;
}

/* --- what goes --- */

/* Writes all of it; a signal while the peer does not read ends it, as everywhere in libfcgi. */
static int send_pieces(int fd, struct iovec *pieces, size_t count)
{
	struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};

	for (;;) {
		ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);

		if (n < 0)
			return -1;
		for (; message.msg_iovlen && (size_t)n >= message.msg_iov->iov_len;
		     message.msg_iovlen--)
			n -= (ssize_t)message.msg_iov++->iov_len;
		if (!message.msg_iovlen)
			return 0;
		message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + n;
		message.msg_iov->iov_len -= (size_t)n;
	}
}

int records_send(int fd, int request_id, struct span head, struct span body)
{
	struct ending ending = {
		.eof = header(FCGI_STDOUT, request_id, 0),
		.end = {.header =
				header(FCGI_END_REQUEST, request_id, sizeof(FCGI_EndRequestBody))},
	};

	do {
		FCGI_Header records[RECORDS];
		struct iovec pieces[3 * RECORDS + 1];
		size_t n = 0;

		for (int i = 0; i < RECORDS && head.len + body.len > 0; i++, n += 3) {
			pieces[n] = (struct iovec){&records[i], sizeof(records[i])};
			pieces[n + 1] = take(&head, FCGI_MAX_LENGTH);
			pieces[n + 2] = take(&body, FCGI_MAX_LENGTH - pieces[n + 1].iov_len);
			records[i] = header(FCGI_STDOUT, request_id,
					    pieces[n + 1].iov_len + pieces[n + 2].iov_len);
		}
		if (head.len + body.len == 0)
			pieces[n++] = (struct iovec){&ending, sizeof(ending)};
		if (send_pieces(fd, pieces, n) != 0)
			return -1;
	} while (head.len + body.len > 0);
	return 0;
}
