/* SPDX-License-Identifier: MIT */
/*
 * What a connection by TLS is checked with. The server's name or address, as it was dialled, must be
 * in its certificate, and an authority must vouch for that; there is no way to switch this off.
 * Where hiredis comes without TLS (0.14), tls_new refuses.
 */
#ifndef TFT_TLS_H
#define TFT_TLS_H

#include "base/err.h"

struct tls;

/* PEM files; an empty name: none. */
struct tls_files {
	const char *ca;   /* of the authorities; none: the system's */
	const char *cert; /* of ours, for a server that wants one, then those between it and the
			     authority */
	const char *key;  /* of that certificate, without a passphrase */
};

/* NULL with the reason: one line, naming the setting and the file. */
struct tls *tls_new(const struct tls_files *files, struct err *err);
void tls_free(struct tls **tls);

#endif
