/* SPDX-License-Identifier: MIT */
/* What operators did: a line in the log, an entry in the list that all hosts share, a counter. */
#ifndef TFT_AUDIT_H
#define TFT_AUDIT_H

#include "base/log.h"
#include "fleet/diagnosis.h"
#include "refresh/refresh.h"
#include "server/request.h"

#define AUDIT_DETAILS_MAX 8

/* A record without a result yet; from and to are "-". action: at most 15 bytes, no blanks. */
struct diagnosis_action audit_begin(const char *action, const struct request *request);
/* Fills in one field of the record, whose fields are separated by spaces: the text if it is one
 * word of printable ASCII that fits, else "-". */
void audit_word(char *to, size_t size, const char *text);
/* details: further fields of the line in the log, at most AUDIT_DETAILS_MAX, ended by a key of
 * NULL; NULL: none. */
void audit_end(const struct refresh *refresh, const struct request *request,
	       struct diagnosis_action *done, const char *result, const struct log_field *details);

#endif
