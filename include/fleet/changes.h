/* SPDX-License-Identifier: MIT */
/*
 * What is different between two moments of the fleet (doc/rules.md#changes): a list ordered by
 * importance with one change for a server, and lines for servers that have something in common.
 * Pure.
 *
 *	changes_find(then, now, NULL, NULL, &changes);   // borrows both
 *	for (size_t i = 0; i < changes_lines(&changes); i++)
 *		tell(changes_line(&changes, i));
 *	changes_free(&changes);
 */
#ifndef TFT_CHANGES_H
#define TFT_CHANGES_H

#include "fleet/snapshot.h"

#define CHANGES_MOVERS   10 /* at most so many servers that only moved are in the list */
#define CHANGES_MOVED    50 /* tenths of risk: less is no change */
#define CHANGES_TOGETHER 3  /* so many servers with something in common share a line */
/* Servers that rose together did so within this time of each other. */
#define CHANGES_WITHIN_MS 300000

/* Ordered by importance: the whole fleet, for the worse, for the better, the rest. */
enum change_kind {
	CHANGE_ENVIRONMENT, /* its status */
	CHANGE_SCENARIO,
	CHANGE_TOGETHER, /* of a line: servers that entered or rose by the same cause or in one
			    profile */
	CHANGE_ENTERED,  /* the alert table */
	CHANGE_ROSE,     /* to a worse level */
	CHANGE_SILENT,
	CHANGE_VANISHED,
	CHANGE_LEFT, /* the alert table */
	CHANGE_FELL, /* to a better level */
	CHANGE_BACK, /* it was silent */
	CHANGE_APPEARED,
	CHANGE_MOVED, /* by CHANGES_MOVED or more within a level */
	CHANGE_KINDS
};

struct change_info {
	const char *slug;  /* entered: JSON, CSV */
	const char *words; /* entered the alert table: after a name or "3 servers" */
};

extern const struct change_info change_table[CHANGE_KINDS];

/* What a risk rose by: the metric whose points grew most. */
enum cause { CAUSE_CPU, CAUSE_IOWAIT, CAUSE_MEMORY, CAUSE_LOAD, CAUSES, CAUSE_NONE = CAUSES };

extern const char *const cause_names[CAUSES]; /* I/O wait */

struct change {
	enum change_kind kind;           /* never CHANGE_TOGETHER */
	const struct server *then, *now; /* NULL: it was not there; both NULL: the whole fleet */
	enum cause cause;                /* CAUSE_NONE: its risk did not rise */
	int64_t rose_ms; /* the bucket in which it rose to its level; 0: unknown, or no rise */
	unsigned group;  /* that rose together, by size, from 1 on; 0: none */
};

/* One or several changes that follow each other in the list. */
struct change_line {
	enum change_kind kind;
	size_t first, count;
	/* Several: the most frequent profile and its number, of equal ones the first of the table;
	 * CHANGE_TOGETHER: the same for causes. */
	enum profile profile;
	enum cause cause;
	unsigned of_profile, of_cause;
	bool by_profile;        /* CHANGE_TOGETHER: all have the profile; else all have the cause */
	int64_t from_ms, to_ms; /* the first and the last rise; 0: unknown, or no rises */
};

struct changes {
	const struct snapshot *then, *now; /* borrowed */
	struct buf list;                   /* owned; struct change */
	struct buf lines;                  /* owned; struct change_line */
};

/* A server is in the list if `match` accepts it as it was or as it is. NULL: all are, and so are
 * the changes of the whole fleet. */
typedef bool (*change_match)(const void *ctx, const struct server *server);

/* 0, or -1 when memory ended. Free `changes` in both cases, before the snapshots. */
int changes_find(const struct snapshot *then, const struct snapshot *now, change_match match,
		 const void *ctx, struct changes *changes);
void changes_free(struct changes *changes);

static inline size_t changes_lines(const struct changes *changes)
{
	return changes->lines.len / sizeof(struct change_line);
}

static inline const struct change_line *changes_line(const struct changes *changes, size_t i)
{
	return (const struct change_line *)changes->lines.data + i;
}

/* The i-th change of a line. */
static inline const struct change *changes_of(const struct changes *changes,
					      const struct change_line *line, size_t i)
{
	return (const struct change *)changes->list.data + line->first + i;
}

/* The server as it is, else as it was; NULL: the whole fleet changed. */
static inline const struct server *change_server(const struct change *change)
{
	return change->now ? change->now : change->then;
}

/* By how much the risk is higher, in tenths. A server that is not there counts as risk 0. */
int change_of_risk(const struct change *change);
enum status changes_status(const struct snapshot *snap);

#endif
