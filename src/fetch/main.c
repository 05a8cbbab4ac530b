/* SPDX-License-Identifier: MIT */
/* tft-fetch: one call of a daemon for a worker (include/fetch.h). */
#include "config.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "transfer.h"

static bool read_all(void *to, size_t len)
{
	char *at = to;

	while (len) {
		ssize_t n = read(STDIN_FILENO, at, len);

		if (n == 0 || (n < 0 && errno != EINTR))
			return false;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* Fails when the worker has gone: SIGPIPE is ignored, as in the worker. */
static bool write_all(const void *from, size_t len)
{
	const char *at = from;

	while (len) {
		ssize_t n = write(STDOUT_FILENO, at, len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return true;
}

static int send_piece(const char *bytes, size_t len)
{
	fetch_length length = (fetch_length)len;

	/* The length 0 is the end. */
	if (len == 0)
		return 0;
	return write_all(&length, sizeof(length)) && write_all(bytes, len) ? 0 : -1;
}

static bool send_outcome(const struct fetch_outcome *outcome)
{
	static const fetch_length end = 0;

	return write_all(&end, sizeof(end)) && write_all(outcome, sizeof(*outcome));
}

/* The next text, copied to *at and followed by a NUL. */
static const char *read_text(char **at, size_t len)
{
	char *text = *at;

	if (!read_all(text, len))
		return NULL;
	text[len] = '\0';
	*at += len + 1;
	return text;
}

/* In memory of its own, which main frees. */
static const char *read_post(char **post, size_t len)
{
	char *at = *post = malloc(len + 1);

	return at ? read_text(&at, len) : NULL;
}

/* The other texts lie in `texts`. */
static bool read_order(struct transfer_order *order, char texts[FETCH_TEXT_MAX + FETCH_TEXTS],
		       char **post)
{
	struct fetch_order o;

	if (!read_all(&o, sizeof(o)) || o.version != FETCH_VERSION ||
	    (uint64_t)o.url_len + o.key_len + o.auth_len + o.ca_len > FETCH_TEXT_MAX ||
	    o.post_len > FETCH_POST_MAX)
		return false;
	*order = (struct transfer_order){.connect_ms = o.connect_ms,
					 .timeout_ms = o.timeout_ms,
					 .max_body = o.max_body,
					 .is_delete = o.is_delete,
					 .any_body = o.any_body};
	order->url = read_text(&texts, o.url_len);
	order->key = order->url ? read_text(&texts, o.key_len) : NULL;
	order->auth = order->key ? read_text(&texts, o.auth_len) : NULL;
	order->ca_file = order->auth ? read_text(&texts, o.ca_len) : NULL;
	order->post = order->ca_file ? read_post(post, o.post_len) : NULL;
	return order->post;
}

static int transfer(const struct transfer_order *order)
{
	struct fetch_outcome outcome;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return EX_OSERR;
	transfer_run(order, STDIN_FILENO, send_piece, &outcome);
	curl_global_cleanup();
	return send_outcome(&outcome) ? EXIT_SUCCESS : EX_IOERR;
}

int main(void)
{
	static char texts[FETCH_TEXT_MAX + FETCH_TEXTS];
	struct transfer_order order;
	char *post = NULL;
	int status;

	/* Our memory holds the API key, like the worker's. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	status = read_order(&order, texts, &post) ? transfer(&order) : EX_USAGE;
	free(post);
	return status;
}
