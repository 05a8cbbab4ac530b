/* SPDX-License-Identifier: MIT */
/* Times as people and programs write them (ISO 8601), whatever the host's locale and time zone. */
#ifndef TFT_ISO_H
#define TFT_ISO_H

#include <stdint.h>
#include "base/span.h"

/* 2026-11-28T06:11:00Z as milliseconds since 1970. A blank may stand for the T, seconds and a
 * fraction may be absent, and so may the time of day; without Z or an offset (+01:00, +0100) it is
 * UTC. -1: no such time, or one before 1970. */
int64_t iso_parse(struct span text);

#endif
