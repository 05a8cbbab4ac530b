/* SPDX-License-Identifier: MIT */
/* Runs a target over files without libFuzzer: the given ones, or its kept corpus. */
#include "config.h"

#include <dirent.h>
#include <libgen.h>

#include "fuzz.h"

static void replay(const char *path)
{
	static uint8_t bytes[1 << 20];
	FILE *file = fopen(path, "rb");
	uint8_t *copy;
	size_t len;

	REQUIRE(file);
	len = fread(bytes, 1, sizeof(bytes), file);
	REQUIRE(feof(file) && fclose(file) == 0);
	/* Of exactly this size, so that a sanitizer sees a read beyond it. */
	copy = malloc(len + !len);
	REQUIRE(copy);
	memcpy(copy, bytes, len);
	(void)LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static int replay_corpus(const char *name)
{
	const char *srcdir = getenv("srcdir");
	const struct dirent *entry;
	char path[4096];
	int count = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".", name);
	dir = opendir(path);
	REQUIRE(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s/%s",
			       srcdir ? srcdir : ".", name, entry->d_name);
		replay(path);
		count++;
	}
	(void)closedir(dir);
	return count;
}

int main(int argc, char **argv)
{
	int count = argc - 1;

	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (argc == 1)
		count = replay_corpus(basename(argv[0]));
	(void)printf("%d inputs replayed\n", count);
	return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
