/* SPDX-License-Identifier: MIT */
/*
 * The commands of a batch, encoded for Redis, and their replies in the same order. The commands are
 * formatted here and not by hiredis, which allocates for each of them.
 */
#ifndef TFT_BATCH_H
#define TFT_BATCH_H

#include <hiredis/hiredis.h>
#include "base/buf.h"

#define BATCH_COMMANDS_MAX 128

struct batch {
	struct buf out;
	size_t starts[BATCH_COMMANDS_MAX]; /* of each command in `out` */
	size_t commands;                   /* may exceed the limit: then the batch is refused */
	const redisReply *replies[BATCH_COMMANDS_MAX];
	size_t answered;
	size_t too_large; /* of the replies */
};

void batch_init(struct batch *batch, size_t max_bytes);
void batch_free(struct batch *batch);
/* Empties it; keeps the memory of the commands. */
void batch_reset(struct batch *batch);
/* Begins a command with this many arguments, which are added next. */
void batch_command(struct batch *batch, size_t argc);
void batch_args(struct batch *batch, size_t argc, const struct span *argv);
/* False: more commands or bytes than a batch has. */
bool batch_ok(const struct batch *batch);
/* The commands that have no reply yet. */
struct span batch_unanswered(const struct batch *batch);
bool batch_is_answered(const struct batch *batch);
void batch_answer(struct batch *batch, const redisReply *reply);
/* Stands in for a reply that was too large to be taken. */
void batch_answer_too_large(struct batch *batch);
bool batch_is_too_large(const struct batch *batch, size_t i);

#endif
