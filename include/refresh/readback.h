/* SPDX-License-Identifier: MIT */
/*
 * Reads back what an Alertmanager knows of our fleet (doc/rules.md#silences): once per bucket over
 * all hosts, by the winner of CACHE_ALERTMANAGER, who stores it as the record of
 * fleet/alertmanager.h. The next commit shows it. While it cannot be read, the last record stays,
 * and the breaker of the group says why.
 */
#ifndef TFT_READBACK_H
#define TFT_READBACK_H

#include "refresh/alerts.h"

#define READBACK_ROUTE      "alertmanager"
#define READBACK_ANSWER_MAX (4 << 20) /* bytes of each of its answers */

/* From this Alertmanager, unless it has been read in this bucket. */
void readback_take(const struct alerting *alerting, size_t member);
/* The same even if it has: something has just been changed there. */
void readback_again(const struct alerting *alerting, size_t member);

#endif
