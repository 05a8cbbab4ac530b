/* SPDX-License-Identifier: MIT */
/*
 * TLS through hiredis' binding to OpenSSL. The binding checks no names, so the SSL object it gets
 * is set up here to do so. The handshake begins when TCP has connected and never blocks.
 */
#include "config.h"
#include "store/tls.h"
#include "store/transport.h"

#ifdef HAVE_HIREDIS_SSL

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct tls {
	SSL_CTX *context;
};

/* --- the files --- */

static const char *reason(unsigned long code)
{
	const char *text = ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
						  : ERR_reason_error_string(code);

	return text ? text : "unknown error";
}

/* The first error has the cause, such as a missing file; later ones are about PEM. */
static int blame(struct err *err, const char *setting, const char *file)
{
	err_set(err, "redis.%s: %s: %s", setting, file, reason(ERR_peek_error()));
	return -1;
}

/* There is nobody to type a passphrase. */
static int no_passphrase(char *to, int size, int writing, void *data)
{
	(void)to;
	(void)size;
	(void)writing;
	(void)data;
	return -1;
}

static int use_authorities(SSL_CTX *context, const char *file, struct err *err)
{
	if (!*file)
		SSL_CTX_set_default_verify_paths(context);
	else if (SSL_CTX_load_verify_file(context, file) != 1)
		return blame(err, "ca_file", file);
	return 0;
}

static int use_certificate(SSL_CTX *context, const struct tls_files *files, struct err *err)
{
	if (!*files->cert && !*files->key)
		return 0;
	if (!*files->cert || !*files->key) {
		err_set(err,
			"redis.cert_file and redis.key_file: one is of no use without the other");
		return -1;
	}
	if (SSL_CTX_use_certificate_chain_file(context, files->cert) != 1)
		return blame(err, "cert_file", files->cert);
	if (SSL_CTX_use_PrivateKey_file(context, files->key, SSL_FILETYPE_PEM) != 1)
		return blame(err, "key_file", files->key);
	return 0;
}

static int set_up(SSL_CTX *context, const struct tls_files *files, struct err *err)
{
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	if (use_authorities(context, files->ca, err) != 0)
		return -1;
	return use_certificate(context, files, err);
}

struct tls *tls_new(const struct tls_files *files, struct err *err)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	err_set(err, "redis: TLS: out of memory");
	ERR_clear_error();
	if (tls)
		tls->context = SSL_CTX_new(TLS_client_method());
	if (!tls || !tls->context || set_up(tls->context, files, err) != 0)
		tls_free(&tls);
	return tls;
}

void tls_free(struct tls **tls)
{
	if (*tls)
		SSL_CTX_free((*tls)->context);
	free(*tls);
	*tls = NULL;
}

/* --- the row --- */

/* What the certificate must contain: an address, or a name, which is also sent to the server (SNI).
 * A copy, because a macro of OpenSSL casts const away. */
static bool expect(SSL *ssl, struct endpoint to)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (X509_VERIFY_PARAM_set1_ip_asc(param, to.host) == 1)
		return true;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, to.host, 0) == 1 &&
	       SSL_set_tlsext_host_name(ssl, to.host) == 1;
}

static void close_tls(struct link *link)
{
	transport_close(link);
	SSL_free(link->ssl);
	link->ssl = NULL;
}

static int open_tls(struct link *link, const struct endpoint *to, struct err *err)
{
	if (transport_connect_tcp(link, to, err) != 0)
		return -1;
	ERR_clear_error();
	link->ssl = SSL_new(link->tls->context);
	if (link->ssl && expect(link->ssl, *to))
		return 0;
	err_set(err, "TLS: %s", reason(ERR_peek_last_error()));
	close_tls(link);
	return -1;
}

static int explain(const struct link *link, int code, const char *what, struct err *err)
{
	int error = errno;
	long verdict = SSL_get_verify_result(link->ssl);

	if (verdict != X509_V_OK)
		err_set(err, "certificate: %s", X509_verify_cert_error_string(verdict));
	else if (code == SSL_ERROR_SSL)
		err_set(err, "%s: TLS: %s", what, reason(ERR_peek_last_error()));
	else
		err_set(err, "%s: %s", what,
			code == SSL_ERROR_SYSCALL && error ? strerror(error) : "connection closed");
	return -1;
}

/* What OpenSSL waits for; -1 with the reason. */
static int wants(const struct link *link, int rc, const char *what, struct err *err)
{
	int code = SSL_get_error(link->ssl, rc);

	if (code == SSL_ERROR_WANT_READ)
		return POLLIN;
	if (code == SSL_ERROR_WANT_WRITE)
		return POLLOUT;
	return explain(link, code, what, err);
}

/* On success hiredis frees the object with the connection; on failure it takes nothing. A nearby
 * server may have answered already, so this call may complete the handshake or fail it. */
static int begin(struct link *link, struct err *err)
{
	if (transport_check(link, err) != 0)
		return -1;
	SSL_up_ref(link->ssl);
	if (redisInitiateSSL(link->redis, link->ssl) == REDIS_OK)
		return 0;
	(void)explain(link, SSL_get_error(link->ssl, -1), "handshake", err);
	SSL_free(link->ssl);
	return -1;
}

static int shake(struct link *link, struct err *err)
{
	int rc;

	if (!SSL_get_wbio(link->ssl) && begin(link, err) != 0)
		return -1;
	ERR_clear_error();
	rc = SSL_do_handshake(link->ssl);
	return rc == 1 ? 0 : wants(link, rc, "handshake", err);
}

/* Never waits: the wait that the store does then has a deadline. */
static ssize_t receive(struct link *link, char *to, size_t len, bool may_wait, struct err *err)
{
	size_t n = 0;
	int rc;

	(void)may_wait;
	ERR_clear_error();
	rc = SSL_read_ex(link->ssl, to, len, &n);
	if (rc != 1 && wants(link, rc, "receive", err) < 0)
		return -1;
	return (ssize_t)n;
}

static ssize_t transmit(struct link *link, const char *from, size_t len, struct err *err)
{
	size_t n = 0;
	int rc;

	ERR_clear_error();
	rc = SSL_write_ex(link->ssl, from, len, &n);
	if (rc != 1 && wants(link, rc, "send", err) < 0)
		return -1;
	return (ssize_t)n;
}

/* What was decrypted already is in no socket. */
static int wait_tls(struct link *link, short events, int64_t ms, struct err *err)
{
	if ((events & POLLIN) && SSL_pending(link->ssl) > 0)
		return 1;
	return transport_wait(link, events, ms, err);
}

/* Readable bytes need not be an answer: they may be session tickets. */
static bool is_quiet(struct link *link)
{
	char byte;
	size_t n;
	int rc;

	ERR_clear_error();
	rc = SSL_peek_ex(link->ssl, &byte, 1, &n);
	return rc != 1 && SSL_get_error(link->ssl, rc) == SSL_ERROR_WANT_READ;
}

const struct transport transport_tls = {
	open_tls, shake, receive, transmit, wait_tls, is_quiet, close_tls,
};

#else

struct tls *tls_new(const struct tls_files *files, struct err *err)
{
	(void)files;
	err_set(err,
		"redis: this build cannot speak TLS (its hiredis has none, as that of Debian 12): "
		"use a tunnel, or build on Debian 13");
	return NULL;
}

void tls_free(struct tls **tls)
{
	(void)tls;
}

/* Never asked: there is no struct tls. */
const struct transport transport_tls = {NULL, NULL, NULL, NULL, NULL, NULL, NULL};

#endif
