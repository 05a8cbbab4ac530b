/* SPDX-License-Identifier: MIT */
/* What a test writes to stderr: the log. */
#ifndef TFT_CAPTURED_H
#define TFT_CAPTURED_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
	int ends[2]; /* the pipe in place of stderr */
	int real_stderr;
} captured;

static inline void capture_start(void)
{
	assert_int_equal(pipe2(captured.ends, O_CLOEXEC), 0);
	assert_return_code(fcntl(captured.ends[0], F_SETFL, O_NONBLOCK), errno);
	captured.real_stderr = dup(STDERR_FILENO);
	dup2(captured.ends[1], STDERR_FILENO);
}

/* What was written since capture_start, as a string. */
static inline const char *capture_end(void)
{
	static char text[65536 + 1];
	ssize_t len;

	dup2(captured.real_stderr, STDERR_FILENO);
	close(captured.real_stderr);
	close(captured.ends[1]);
	len = read(captured.ends[0], text, sizeof(text) - 1);
	close(captured.ends[0]);
	assert_true(len >= 0);
	text[len] = '\0';
	return text;
}

#endif
