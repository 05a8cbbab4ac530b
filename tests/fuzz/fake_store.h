/* SPDX-License-Identifier: MIT */
/* In place of store.c: a Redis whose answers, in its protocol, are the input. */
#ifndef TFT_FAKE_STORE_H
#define TFT_FAKE_STORE_H

#include "store/store.h"

struct store *fake_store_new(struct span replies);
void fake_store_free(struct store **store);

#endif
