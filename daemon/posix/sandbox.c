#include "daemon/posix/sandbox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/files.h"
#include "daemon/written.h"

#define OWN_DEPTH 2 /* "/srv" is the system's, "/srv/shop" somebody's */

static char *real(const char *path)
{
	char *found = realpath(path, NULL);
	char *copy = found ? str_dup(found) : NULL;

	free(found);
	return copy;
}

/* Gives the real path of the folder that is written for a place. Not there yet: of the
 * nearest one above, and *ret_missing. */
static char *folder_of(const struct written *written, bool *ret_missing)
{
	char *at = real(written->path), *up, *found;

	*ret_missing = false;
	if (at && written->folder)
		return at;
	if (!at)
		at = str_dup(written->path);
	if (!written->folder) {
		up = path_parent(at);
		free(at);
		at = up;
	}
	while (!(found = real(at))) {
		*ret_missing = true;
		up = path_parent(at);
		free(at);
		at = up;
	}
	free(at);
	return found;
}

static int depth(const char *path)
{
	int n = 0;

	for (; *path; path++)
		n += *path == '/' && path[1];
	return n;
}

/* Gives the folder below "/" that does not belong to root, or NULL. */
static char *of_another_account(const char *folder)
{
	char *at = str_dup(folder), *up, *found = NULL;
	struct stat st;

	for (; !found && strcmp(at, "/") != 0; at = up) {
		if (!stat(at, &st) && st.st_uid != 0)
			found = str_dup(at);
		up = path_parent(at);
		free(at);
	}
	free(at);
	return found;
}

static bool in_a_home(const char *folder)
{
	static const char *const homes[] = { "/home/", "/root/", "/run/user/" };
	char *slashed = str_printf("%s/", folder);
	bool is = false;

	for (size_t i = 0; i < sizeof(homes) / sizeof(*homes); i++)
		is = is || str_starts(slashed, homes[i]);
	free(slashed);
	return is;
}

/* A path as systemd reads it: quoted, its specifiers doubled. */
static void put_path(struct buf *ret, const char *path)
{
	buf_puts(ret, "ReadWritePaths=\"-");
	for (; *path; path++) {
		if (*path == '%')
			buf_puts(ret, "%%");
		else if (*path == '"' || *path == '\\')
			buf_printf(ret, "\\%c", *path);
		else if ((unsigned char)*path < ' ')
			buf_printf(ret, "\\x%02x", (unsigned)*path);
		else
			buf_printf(ret, "%c", *path);
	}
	buf_puts(ret, "\"\n");
}

struct needs { /* of the whole configuration */
	struct strlist folders;
	bool others_files, homes;
};

static void put_folder(struct needs *needs, const struct written *written,
		       const char *folder, bool missing, struct buf *ret)
{
	char *foreign;

	if (strlist_has(&needs->folders, folder))
		return;
	strlist_add(&needs->folders, folder);
	buf_printf(ret, "# %s\n", written->whom);
	if (missing)
		buf_printf(ret,
			   "# '%s' is not there yet: make it and print this again "
			   "to open less\n",
			   written->path);
	foreign = of_another_account(folder);
	if (foreign)
		buf_printf(ret, "# '%s' is not root's\n", foreign);
	needs->others_files |= foreign != NULL;
	needs->homes |= in_a_home(folder);
	put_path(ret, folder);
	free(foreign);
}

static void put_rights(const struct needs *needs, struct buf *ret)
{
	if (needs->others_files)
		buf_puts(ret, "# files of other accounts\n"
			      "CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_FOWNER\n");
	if (needs->homes)
		buf_puts(ret, "# a folder in a home\nProtectHome=no\n");
}

/* The watcher keeps its memory in the state directory, and writes nowhere else. */
static bool is_written_by(const struct written *written, const struct config *config,
			  enum sandbox_unit unit)
{
	return unit == SANDBOX_DAEMON || !strcmp(written->path, config->state_dir);
}

static void put_head(const struct written_list *list, const struct config *config,
		     enum sandbox_unit unit, struct buf *ret)
{
	bool elsewhere = false;

	for (size_t i = 0; i < list->n; i++)
		elsewhere = elsewhere ||
			    is_written_by(&list->items[i], config, SANDBOX_WATCHER);
	if (unit == SANDBOX_DAEMON)
		buf_printf(ret,
			   "# What the configuration has the service write; printed by "
			   "`certrenewd sandbox`.\n%s[Service]\n",
			   elsewhere ? "# certrenewd-watch.service needs a drop-in too: "
				       "`certrenewd sandbox watch`.\n"
				     : "");
	else if (elsewhere)
		buf_puts(ret, "# Where certrenewd-watch.service remembers; printed by "
			      "`certrenewd sandbox watch`.\n[Service]\n");
	else
		buf_puts(ret, "# certrenewd-watch.service needs no drop-in: the state is "
			      "where its unit has it.\n");
}

int sandbox_drop_in(const struct config *config, enum sandbox_unit unit, struct buf *ret,
		    struct err *err)
{
	struct written_list list = { 0 };
	struct needs needs = { 0 };
	int rc = 0;

	written_by(config, &list);
	put_head(&list, config, unit, ret);
	for (size_t i = 0; i < list.n && !rc; i++) {
		bool missing;
		char *folder;

		if (!is_written_by(&list.items[i], config, unit))
			continue;
		folder = folder_of(&list.items[i], &missing);
		if (missing && depth(folder) < OWN_DEPTH)
			rc = err_set(err, ERR_NOT_FOUND,
				     "%s: nothing of '%s' is there, and all of '%s' "
				     "would have to be opened: make its folder first",
				     list.items[i].whom, list.items[i].path, folder);
		else
			put_folder(&needs, &list.items[i], folder, missing, ret);
		free(folder);
	}
	put_rights(&needs, ret);
	strlist_clear(&needs.folders);
	written_clear(&list);
	return rc;
}

void sandbox_closed(const struct config *config, struct strlist *ret)
{
	struct written_list list = { 0 };
	struct statvfs facts;

	written_by(config, &list);
	for (size_t i = 0; i < list.n; i++) {
		bool missing;
		char *folder = folder_of(&list.items[i], &missing), *sentence;

		if (!statvfs(folder, &facts) && (facts.f_flag & ST_RDONLY)) {
			sentence = str_printf(
				"%s: '%s' is read-only for this process; where that is "
				"the unit's sandbox: "
				"mkdir -p /etc/systemd/system/certrenewd.service.d, "
				"certrenewd sandbox "
				">/etc/systemd/system/certrenewd.service.d/paths.conf, "
				"systemctl daemon-reload, and restart it",
				list.items[i].whom, folder);
			if (!strlist_has(ret, sentence))
				strlist_add(ret, sentence);
			free(sentence);
		}
		free(folder);
	}
	written_clear(&list);
}
