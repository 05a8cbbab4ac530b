/* SPDX-License-Identifier: MIT */
/*
 * The limits that several parts of the protocol share (doc/cache.md). Scripts get them as
 * arguments, and tests/model reads them from here, so each is defined once.
 */
#ifndef TFT_PROTOCOL_H
#define TFT_PROTOCOL_H

#define PROTOCOL_WINDOW_MS     60000 /* of the call budget */
#define PROTOCOL_LEASE_REST_MS 2000 /* of a lease, beside the longest call: render, stage, commit */
#define PROTOCOL_START_MS      1800 /* into a lease: a call that begins later could outlive it */
#define PROTOCOL_BACKOFF_MS    60000  /* longest wait after failures in a row */
#define PROTOCOL_STAGED_MS     30000  /* life of what is staged and not yet committed */
#define PROTOCOL_THIN_MS       300000 /* of each such time one moment is kept for longer */
#define PROTOCOL_EPOCH_BYTES   31     /* longest epoch; a longer one is a stranger's */

#endif
