/* replay.c - a harness as a plain program: runs it over files and folders of files.
 *
 *     fuzz_rfc3339 CORPUS... */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <string.h>

#define INPUT_MAX (1024 * 1024)

static size_t replayed;

static void replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(INPUT_MAX);
	uint8_t *exact;
	size_t size;

	if (!file || !data) {
		perror(path);
		exit(1);
	}
	size = fread(data, 1, INPUT_MAX, file);
	fclose(file);
	exact = malloc(size ? size : 1); /* so that one byte too far is seen */
	if (!exact)
		exit(1);
	memcpy(exact, data, size);
	free(data);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	replayed++;
}

static void replay(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	char name[4096];

	if (!folder) {
		replay_file(path);
		return;
	}
	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		replay(name);
	}
	closedir(folder);
}

int main(int argc, char **argv)
{
	/* As cmocka prints it: scripts/lib/totals.py counts it as one test. */
	printf("[ RUN      ] corpus\n");
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (!replayed) {
		fprintf(stderr, "no input below the folders given\n");
		return 1;
	}
	printf("[       OK ] corpus\n%zu inputs\n", replayed);
	return 0;
}
