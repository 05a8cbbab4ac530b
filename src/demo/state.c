/* SPDX-License-Identifier: MIT */
/* The state file. flock serializes the two processes; a lock ends with the process that holds
 * it. */
#include "config.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[8] = "tftdemo1";
static const char *const names[SCENARIO_COUNT] = {"healthy", "degrading", "critical", "cascade"};

struct state state_fresh(uint64_t seed, int64_t servers, int64_t tick_ms, int64_t start_ms)
{
	struct state s = {
		.seed = seed,
		.start_ms = start_ms,
		.tick_ms = tick_ms,
		.servers = servers,
		.phase_count = 1,
	};

	memcpy(s.magic, magic, sizeof magic);
	return s;
}

static bool unlock(int fd, bool ok)
{
	int saved = errno;

	flock(fd, LOCK_UN);
	errno = saved;
	return ok;
}

static bool read_whole(int fd, struct state *s)
{
	ssize_t n = pread(fd, s, sizeof *s, 0);

	if (n >= 0 && n != (ssize_t)sizeof *s)
		errno = EINVAL;
	return n == (ssize_t)sizeof *s;
}

static bool write_whole(int fd, const struct state *s)
{
	ssize_t n = pwrite(fd, s, sizeof *s, 0);

	if (n >= 0 && n != (ssize_t)sizeof *s)
		errno = ENOSPC;
	return n == (ssize_t)sizeof *s;
}

static bool fits(const struct state *s, const struct state *wanted)
{
	return memcmp(s->magic, magic, sizeof magic) == 0 && s->seed == wanted->seed &&
	       s->servers == wanted->servers && s->tick_ms == wanted->tick_ms &&
	       s->phase_count >= 1 && s->phase_count <= STATE_PHASES;
}

/* Under the lock: the first process finds an empty file and fills it. */
static bool fill_or_check(int fd, const struct state *wanted)
{
	struct state found;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	if (st.st_size == 0)
		return write_whole(fd, wanted);
	if (!read_whole(fd, &found))
		return false;
	if (!fits(&found, wanted)) {
		errno = EINVAL;
		return false;
	}
	return true;
}

int state_open(const char *path, const struct state *wanted)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX) == 0 && unlock(fd, fill_or_check(fd, wanted)))
		return fd;
	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

bool state_read(int fd, struct state *s)
{
	return flock(fd, LOCK_SH) == 0 && unlock(fd, read_whole(fd, s));
}

bool state_lock(int fd, struct state *s)
{
	if (flock(fd, LOCK_EX) != 0)
		return false;
	return read_whole(fd, s) || unlock(fd, false);
}

bool state_save(int fd, const struct state *s)
{
	return unlock(fd, write_whole(fd, s));
}

int64_t state_tick(const struct state *s, int64_t wall_ms)
{
	return wall_ms > s->start_ms ? (wall_ms - s->start_ms) / s->tick_ms : 0;
}

const struct phase *state_now(const struct state *s)
{
	return &s->phases[s->phase_count - 1];
}

void state_set_scenario(struct state *s, enum scenario scenario, int64_t tick)
{
	struct phase next = {.since = tick, .scenario = scenario};

	if (scenario == SCENARIO_CRITICAL && state_now(s)->scenario == SCENARIO_DEGRADING) {
		next.escalated = 1;
		next.draw = state_now(s)->draw;
	} else {
		next.draw = ++s->draws;
	}
	if (s->phase_count == STATE_PHASES) {
		memmove(s->phases, s->phases + 1, sizeof s->phases - sizeof *s->phases);
		s->phase_count--;
	}
	s->phases[s->phase_count++] = next;
}

const char *state_scenario_name(int scenario)
{
	return names[scenario];
}

enum scenario state_scenario_find(const char *name)
{
	int i = 0;

	while (i < SCENARIO_COUNT && strcmp(names[i], name) != 0)
		i++;
	return (enum scenario)i;
}
