/* SPDX-License-Identifier: MIT */
/*
 * How a TLS connection is verified. The certificate must contain the server's name or address as
 * dialled and must be signed by a trusted authority; this cannot be switched off. Where hiredis is
 * built without TLS (0.14), tls_new fails.
 */
#ifndef TFT_TLS_H
#define TFT_TLS_H

#include "base/err.h"

struct tls;

/* PEM files; an empty name: none. */
struct tls_files {
	const char *ca;   /* of the authorities; none: the system's */
	const char *cert; /* our own, for a server that asks for one, followed by its intermediates
			     */
	const char *key;  /* of that certificate, without a passphrase */
};

/* NULL with the reason: one line, naming the setting and the file. */
struct tls *tls_new(const struct tls_files *files, struct err *err);
void tls_free(struct tls **tls);

#endif
