/* SPDX-License-Identifier: MIT */
/* One line of explanation, carried from where an error is detected to where it is logged. The
 * caller supplies the struct; the return value of the function that fills it says which error it
 * is. */
#ifndef TFT_ERR_H
#define TFT_ERR_H

#include <stdio.h>

struct err {
	char msg[200];
};

/* A macro, so that the compiler checks the format at the call. Long texts are cut. */
#define err_set(err, ...) ((void)snprintf((err)->msg, sizeof((err)->msg), __VA_ARGS__))

#endif
