/* SPDX-License-Identifier: MIT */
#ifndef DEMO_GENERATOR_H
#define DEMO_GENERATOR_H

#include "serve.h"

/* The metrics generator's control interface (contract 10). Ends with path NULL. */
extern const struct route generator_routes[];

#endif
