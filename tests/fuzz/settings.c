/* SPDX-License-Identifier: MIT */
/* The configuration file (settings.h) is refused with one line of explanation, or accepted; then
 * the effective values, written as a file, give the same values again. */
#include "config.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "settings.h"

/* A regular file in memory, without access for others, as a file with secrets must be. */
static const char *as_file(struct span text)
{
	static char path[32];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("settings", MFD_CLOEXEC);
		REQUIRE(fd >= 0 && fchmod(fd, 0600) == 0);
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	REQUIRE(ftruncate(fd, 0) == 0);
	REQUIRE(pwrite(fd, text.ptr, text.len, 0) == (ssize_t)text.len);
	return path;
}

/* A secret is masked and keeps its built-in value. */
static void write_rows(const struct diagnosis_setting *rows, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		const char *dot = strchr(rows[i].name, '.');

		REQUIRE(dot);
		if (strcmp(rows[i].value, "***") == 0)
			continue;
		buf_addf(out, "[%.*s]\n%s=%s\n", (int)(dot - rows[i].name), rows[i].name, dot + 1,
			 rows[i].value);
	}
	REQUIRE(buf_ok(out));
}

static void check_again(const struct settings *settings)
{
	static struct diagnosis_setting once[SETTINGS_MAX], twice[SETTINGS_MAX];
	static struct settings again;
	size_t count = settings_describe(settings, once);
	struct buf text;
	struct err err;

	buf_init(&text, 1 << 16);
	write_rows(once, count, &text);
	if (settings_load(&again, as_file(buf_span(&text)), &err) != 0) {
		/* The last line had no newline, and the added one was too much. */
		REQUIRE(strstr(err.msg, "line too long"));
		buf_free(&text);
		return;
	}
	REQUIRE(settings_describe(&again, twice) == count);
	for (size_t i = 0; i < count; i++)
		REQUIRE(strcmp(once[i].value, twice[i].value) == 0 ||
			strcmp(once[i].value, "***") == 0);
	buf_free(&text);
}

static void check_values(const struct settings *s)
{
	REQUIRE(s->interval_ms >= 5000 && s->act_limit_ms <= s->max_stale_ms);
	REQUIRE(strncmp(s->daemon_url, "http://", 7) == 0 ||
		strncmp(s->daemon_url, "https://", 8) == 0);
	REQUIRE(!strpbrk(s->daemon_url, "@?# ") && *s->node && *s->redis);
	REQUIRE(s->daemon_url[strlen(s->daemon_url) - 1] != '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct settings settings;
	struct err err = {""};

	if (settings_load(&settings, as_file((struct span){(const char *)data, size}), &err) == 0) {
		check_values(&settings);
		check_again(&settings);
	} else {
		REQUIRE(*err.msg && !strpbrk(err.msg, "\r\n"));
	}
	return 0;
}
