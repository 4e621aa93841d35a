/* callsite.c - by libunwind, because libraries keep no frame pointers. */
#include "tests/fault/driver/callsite.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libunwind-ptrace.h>

#define MAX_FRAMES 64

struct image {
	uint64_t base, end; /* where the executable lies in memory */
};

struct callsites {
	unw_addr_space_t space; /* with a cache of its own */
};

struct callsites *callsites_new(void)
{
	struct callsites *known = calloc(1, sizeof(*known));

	if (!known)
		return NULL;
	known->space = unw_create_addr_space(&_UPT_accessors, 0);
	if (!known->space || unw_set_caching_policy(known->space, UNW_CACHE_GLOBAL)) {
		free(known);
		return NULL;
	}
	return known;
}

static struct image image_of(pid_t tid)
{
	char name[64], exe[4096], line[4400];
	struct image image = { 0, 0 };
	uint64_t from, to;
	FILE *maps;
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/%d/exe", (int)tid);
	n = readlink(name, exe, sizeof(exe) - 1);
	exe[n < 0 ? 0 : n] = '\0';
	snprintf(name, sizeof(name), "/proc/%d/maps", (int)tid);
	maps = fopen(name, "re");
	while (n > 0 && maps && fgets(line, sizeof(line), maps)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strchr(line, '/') || strcmp(strchr(line, '/'), exe) != 0 ||
		    sscanf(line, "%" SCNx64 "-%" SCNx64, &from, &to) != 2)
			continue;
		if (!image.base)
			image.base = from;
		image.end = to;
	}
	if (maps)
		fclose(maps);
	return image;
}

void callsite_print(struct callsites *known, FILE *out, pid_t tid)
{
	struct image image = image_of(tid);
	void *thread = _UPT_create(tid);
	const char *comma = "";
	unw_cursor_t cursor;
	unw_word_t ip;
	int i;

	if (!thread || unw_init_remote(&cursor, known->space, thread))
		goto out;
	for (i = 0; i < MAX_FRAMES && unw_step(&cursor) > 0; i++) {
		if (unw_get_reg(&cursor, UNW_REG_IP, &ip))
			break;
		if (ip <= image.base || ip > image.end)
			continue;
		/* the call, not what follows it */
		fprintf(out, "%s%" PRIx64, comma, (uint64_t)ip - 1 - image.base);
		comma = ",";
	}
out:
	if (thread)
		_UPT_destroy(thread);
}
