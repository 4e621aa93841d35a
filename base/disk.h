/* disk.h - how much room a file system has left. */
#ifndef BASE_DISK_H
#define BASE_DISK_H

#include <stdint.h>

#include "base/err.h"

#define DISK_NO_LIMIT INT64_MAX

struct disk_room {
	int64_t bytes;   /* that this account may still write */
	int64_t entries; /* files and folders that may still be made; DISK_NO_LIMIT where
			    the file system does not count them */
};

/* Of the file system that `path` is on, or will be: asked of the nearest folder above it
 * that exists. ERR_IO. */
int disk_look(const char *path, struct disk_room *ret, struct err *err);

/* Fails with a sentence when less than that is left. */
int disk_check(const char *path, const struct disk_room *needed, struct err *err);

#endif
