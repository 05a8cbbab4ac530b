/* SPDX-License-Identifier: MIT */
/*
 * The silences that an Alertmanager has, as it told them last (doc/rules.md#silences): those that
 * can concern our alerts. Pure.
 *
 * Texts are valid UTF-8 of any characters, cut at a whole character, and borrowed from the record
 * that the list was read from (fleet/alertmanager.h): of a snapshot, they live as long as it does.
 */
#ifndef TFT_SILENCES_H
#define TFT_SILENCES_H

#include "base/bytes.h"
#include "fleet/level.h"

#define SILENCES_ALERT "TftServerRisk" /* the alert that tells of the risk of a server */

#define SILENCES_MAX     1000 /* of a list; the rest is counted and left out */
#define SILENCE_MATCHERS 8    /* of one silence; one with more is left out, and counted */
#define SILENCE_ID_MAX   64   /* bytes; those of Alertmanager have 36 */
#define SILENCE_TEXT_MAX 240  /* bytes of author and comment; longer ones are cut */

/* Alertmanager's: label = value, != value, =~ or !~ an expression. */
struct silence_matcher {
	struct span label, value; /* at most 255 bytes each, never cut */
	bool is_regex, is_equal;
};

struct silence {
	struct span id; /* letters, digits and hyphens */
	struct span author, comment;
	int64_t from_ms, until_ms; /* it is active from the first up to the second */
	/* A matcher demands the label `fleet` of ours, so it silences nobody else's alerts. Others
	 * are foreign: they are shown, and nobody ends them here. */
	bool is_ours;
	size_t matcher_count; /* 1..SILENCE_MATCHERS */
	struct silence_matcher matchers[SILENCE_MATCHERS];
};

/* In Alertmanager's order: active ones, the next to end first; pending ones; ended ones, the last
 * to have ended first. */
struct silences {
	struct silence *list; /* owned; NULL if there are none */
	size_t count;
};

/* What TftServerRisk says of a server, but for the fleet, which is ours. */
struct silence_subject {
	struct span server;
	enum profile profile;
	enum level severity;
};

enum silence_state { SILENCE_PENDING, SILENCE_ACTIVE, SILENCE_ENDED };

void silences_free(struct silences *silences);
enum silence_state silence_state_at(const struct silence *silence, int64_t at_ms);
/* pending, active, ended */
extern const char *const silence_state_names[];
/* NULL if there is none. */
/* Letters, digits and hyphens: it becomes a part of addresses. */
bool silence_is_id(struct span id);
const struct silence *silences_by_id(const struct silences *silences, struct span id);
/* Of the silences that are active then and whose matchers are all plain the one that covers the
 * subject for the longest; NULL: there is none. Regular expressions are Alertmanager's own
 * (RE2): about those its alerts tell (fleet/silenced.h). */
const struct silence *silences_covering(const struct silences *silences,
					const struct silence_subject *subject, int64_t at_ms);

/* The stored form of one, whose texts are within the limits; and back, where the texts stay in the
 * bytes that were read. */
void silence_put(const struct silence *silence, struct buf *out);
void silence_get(struct bytes_reader *r, struct silence *silence);

#endif
