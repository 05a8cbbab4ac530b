/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a worker: makes the k-th of the calls that can fail fail. The test and the worker
 * share the file named by TFT_FAIL, a struct control, so one worker serves any number of k.
 *
 *	cc -shared -fPIC -o fail.so fail.c -ldl
 *
 * Calls are counted between two waits for a request, so the refresh after a response is included.
 * Allocations of libfcgi and of hiredis 0.14 are left out: without memory these libraries end the
 * process, by an assertion and by abort(). So are the strings of json-c, which does not check
 * whether it got the copy of a name.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* 8 bytes each, as the test unpacks them. */
struct control {
	int64_t fail_at;  /* the call that fails, from 1; 0: none */
	int64_t lasting;  /* 1: all later ones fail too */
	int64_t calls;    /* so far */
	int64_t failed;   /* enum call of the first one that failed, 0 none */
	int64_t rounds;   /* how often a wait for a request began */
	int64_t waiting;  /* 1 while it lasts */
	int64_t ahead_ms; /* added to the monotonic clock */
};

enum call {
	NONE,
	MALLOC,
	CALLOC,
	REALLOC,
	SOCKET,
	CONNECT,
	READ,
	WRITE,
	RECV,
	SEND,
	SENDMSG,
	SOCKETPAIR,
	SPAWN
};

static const int errors[] = {
	[MALLOC] = ENOMEM,        [CALLOC] = ENOMEM,   [REALLOC] = ENOMEM,    [SOCKET] = EMFILE,
	[CONNECT] = ECONNREFUSED, [READ] = ECONNRESET, [WRITE] = EPIPE,       [RECV] = ECONNRESET,
	[SEND] = EPIPE,           [SENDMSG] = EPIPE,   [SOCKETPAIR] = EMFILE, [SPAWN] = EAGAIN,
};

static struct control *control;
static struct {
	const char *name;
	int strings_only;
	uintptr_t start, end; /* of its code */
} aborting[] = {{"/libfcgi.so", 0, 0, 0}, {"/libhiredis.so", 0, 0, 0}, {"/libjson-c.so", 1, 0, 0}};
static int exempt; /* inside a call of one of them */

#define REAL(name)                                                                                 \
	static __typeof__(name) *real;                                                             \
	if (!real)                                                                                 \
	*(void **)&real = dlsym(RTLD_NEXT, #name)

static void note_code(const struct dl_phdr_info *info, uintptr_t *start, uintptr_t *end)
{
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
			continue;
		*start = info->dlpi_addr + p->p_vaddr;
		*end = *start + p->p_memsz;
	}
}

static int find_aborting(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)size;
	(void)unused;
	for (size_t i = 0; i < sizeof(aborting) / sizeof(aborting[0]); i++)
		if (strstr(info->dlpi_name, aborting[i].name))
			note_code(info, &aborting[i].start, &aborting[i].end);
	return 0;
}

/* Only in the worker, not in tft-fetch, which it starts. */
__attribute__((constructor)) static void attach(void)
{
	const char *path = getenv("TFT_FAIL");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *shared = fd >= 0 ? mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE,
				      MAP_SHARED, fd, 0)
			       : MAP_FAILED;

	if (shared == MAP_FAILED)
		abort();
	close(fd);
	if (strcmp(program_invocation_short_name, "tft-dashboard") != 0)
		return;
	(void)dl_iterate_phdr(find_aborting, NULL);
	control = shared;
}

/* True if this call must fail. */
static int fails(enum call call)
{
	if (!control || control->waiting || exempt)
		return 0;
	control->calls++;
	if (control->fail_at == 0 || control->calls < control->fail_at ||
	    (control->calls > control->fail_at && !control->lasting))
		return 0;
	if (control->failed == NONE)
		control->failed = call;
	errno = errors[call];
	return 1;
}

static int is_aborting(const void *caller, int string)
{
	uintptr_t at = (uintptr_t)caller;

	for (size_t i = 0; i < sizeof(aborting) / sizeof(aborting[0]); i++)
		if (at >= aborting[i].start && at < aborting[i].end)
			return string || !aborting[i].strings_only;
	return 0;
}

#define CALLER __builtin_extract_return_addr(__builtin_return_address(0))

void *malloc(size_t size)
{
	REAL(malloc);
	return !is_aborting(CALLER, 0) && fails(MALLOC) ? NULL : real(size);
}

void *calloc(size_t count, size_t size)
{
	REAL(calloc);
	return !is_aborting(CALLER, 0) && fails(CALLOC) ? NULL : real(count, size);
}

void *realloc(void *old, size_t size)
{
	REAL(realloc);
	return !is_aborting(CALLER, 0) && fails(REALLOC) ? NULL : real(old, size);
}

/* The C library allocates its memory on behalf of the caller. Sanitizers have their own version. */
char *strdup(const char *text)
{
	char *copy;

	REAL(strdup);
	exempt = is_aborting(CALLER, 1);
	copy = real(text);
	exempt = 0;
	return copy;
}

int socket(int domain, int type, int protocol)
{
	REAL(socket);
	return fails(SOCKET) ? -1 : real(domain, type, protocol);
}

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
	REAL(connect);
	return fails(CONNECT) ? -1 : real(fd, address, len);
}

ssize_t read(int fd, void *bytes, size_t len)
{
	REAL(read);
	return fails(READ) ? -1 : real(fd, bytes, len);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	REAL(write);
	return fails(WRITE) ? -1 : real(fd, bytes, len);
}

ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
	REAL(recv);
	return fails(RECV) ? -1 : real(fd, bytes, len, flags);
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
	REAL(send);
	return fails(SEND) ? -1 : real(fd, bytes, len, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	REAL(sendmsg);
	return fails(SENDMSG) ? -1 : real(fd, message, flags);
}

int socketpair(int domain, int type, int protocol, int fds[2])
{
	REAL(socketpair);
	return fails(SOCKETPAIR) ? -1 : real(domain, type, protocol, fds);
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attributes, char *const argv[], char *const env[])
{
	REAL(posix_spawn);
	return fails(SPAWN) ? errno : real(pid, path, actions, attributes, argv, env);
}

/* Waits for a request. */
int epoll_pwait(int epoll, struct epoll_event *events, int count, int ms, const sigset_t *mask)
{
	int n;

	REAL(epoll_pwait);
	control->waiting = 1;
	__atomic_add_fetch(&control->rounds, 1, __ATOMIC_SEQ_CST);
	n = real(epoll, events, count, ms, mask);
	control->waiting = 0;
	return n;
}

/* The worker remembers some things for about a second; the test does not want to wait that long. */
int clock_gettime(clockid_t id, struct timespec *now)
{
	int rc;

	REAL(clock_gettime);
	rc = real(id, now);
	if (rc == 0 && id == CLOCK_MONOTONIC && control) {
		now->tv_sec += control->ahead_ms / 1000;
		now->tv_nsec += control->ahead_ms % 1000 * 1000000;
		now->tv_sec += now->tv_nsec / 1000000000;
		now->tv_nsec %= 1000000000;
	}
	return rc;
}
