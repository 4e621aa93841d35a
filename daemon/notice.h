/* notice.h - hears at once when somebody changes the files of an application: libuv's
 * change notification (inotify, ReadDirectoryChangesW) on the folders in which they lie.
 *
 * Folders and not files, because files are replaced by renaming. Only a hint to look: who
 * hears nothing (a network share, no watch left to be had) finds out with the next
 * inspection. The list of folders is made by a worker, because it reads the disk;
 * everything else belongs to the loop's thread. */
#ifndef DAEMON_NOTICE_H
#define DAEMON_NOTICE_H

#include <stdint.h>

#include <uv.h>

#include "base/str.h"
#include "config/config.h"

/* ---- which folders (notice_folders.c) ------------------------------------ */

struct notice_folder {
	char *path;
	struct strlist names; /* that matter: "tls.json", "*.json"; none: every name */
};

struct notice_folders {
	struct notice_folder *items;
	size_t n;
};

#define NOTICE_FOLDERS_MAX 64

/* The folders of a certificate's files as they are now, at most NOTICE_FOLDERS_MAX. */
void notice_folders_find(const struct certificate_config *certificate,
			 struct notice_folders *ret);
void notice_folders_clear(struct notice_folders *folders);

/* Does a change of `name` (NULL: not known) in this folder matter? Pure. */
bool notice_matters(const struct notice_folder *folder, const char *name);

/* When to look after a change, in ms from now: 2 s, so that whoever writes several files
 * is done; twice as long each time where looks follow each other within a minute, at most
 * 5 minutes. `gap_ms` is the last of them (0: none), `since_ms` the time since then.
 * Pure.
 */
int64_t notice_gap(int64_t gap_ms, int64_t since_ms);

/* ---- listening ----------------------------------------------------------- */

struct notice;

/* Something of that certificate's has changed. On the loop's thread. */
typedef void notice_changed(void *ctx, const char *certificate);

/* Gives. Keeps loop and ctx until notice_close(). */
struct notice *notice_new(uv_loop_t *uv, notice_changed *changed, void *ctx);

/* From now on these are the folders of that certificate; takes their contents. What is
 * the same stays, and goes on listening. */
void notice_follow(struct notice *notice, const char *certificate,
		   struct notice_folders *folders);

/* Stops listening for every certificate that the configuration does not have. */
void notice_keep_only(struct notice *notice, const struct config *config);

/* Once a minute: folders that were not there may be there now. */
void notice_retry(struct notice *notice);

/* Ends all of it; notice_free() when the loop has run once more. NULL is fine. */
void notice_close(struct notice *notice);
void notice_free(struct notice *notice);

#endif
