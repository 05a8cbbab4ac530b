/* SPDX-License-Identifier: MIT */
/* Records as in the FastCGI specification 1.0, sections 3.3, 5.3 and 5.5. */
#include "config.h"
#include "server/records.h"

#include <errno.h>
#include <fastcgi.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define RECORDS 16 /* of one write */

/* What follows the last byte: STDOUT is closed, the request is complete. */
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

/* The first `len` bytes of *from as a piece; they are taken from it. */
static struct iovec take(struct span *from, size_t len)
{
	struct iovec piece = {(void *)(uintptr_t)from->ptr, len < from->len ? len : from->len};

	from->ptr += piece.iov_len;
	from->len -= piece.iov_len;
	return piece;
}

/* All of it; a signal while the peer does not read is the end, as everywhere in libfcgi. */
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
