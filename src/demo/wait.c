/* SPDX-License-Identifier: MIT */
/*
 * Time and signals. The stop signals are blocked except inside ppoll: libfcgi takes an interrupted
 * read or write for a broken connection, so no signal may arrive while it works.
 */
#include "config.h"
#include "wait.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

static volatile sig_atomic_t stopped;
static sigset_t open_mask;

static void on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

void wait_init(void)
{
	static const int stop_signals[] = {SIGTERM, SIGINT, SIGHUP};
	struct sigaction act = {.sa_handler = on_stop};
	sigset_t blocked;

	sigemptyset(&blocked);
	sigemptyset(&act.sa_mask);
	for (size_t i = 0; i < sizeof stop_signals / sizeof *stop_signals; i++) {
		sigaddset(&blocked, stop_signals[i]);
		sigaction(stop_signals[i], &act, NULL);
	}
	/* libfcgi installs a handler for USR1: block that signal, too. */
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, &open_mask);
	for (size_t i = 0; i < sizeof stop_signals / sizeof *stop_signals; i++)
		sigdelset(&open_mask, stop_signals[i]);
	sigaddset(&open_mask, SIGUSR1);
}

bool wait_for(int fd, short events, int64_t ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	struct pollfd pfd = {.fd = fd, .events = events};

	if (!stopped)
		ppoll(&pfd, fd >= 0, ms < 0 ? NULL : &left, &open_mask);
	return !stopped;
}

bool wait_go_on(void)
{
	return wait_for(-1, 0, 0);
}

static int64_t now_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t wait_monotonic_ms(void)
{
	return now_ms(CLOCK_MONOTONIC);
}

int64_t wait_wall_ms(void)
{
	return now_ms(CLOCK_REALTIME);
}
