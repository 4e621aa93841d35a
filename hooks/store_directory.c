/* store_directory.c - the directory store: importing, pointing, listing, removing
 * versions. What a version must look like stands in store_prove.c, the files store in
 * store_files.c.
 *
 * The container `<path>.versions` belongs to us alone and is never given away: nobody can
 * swap a folder under our hands. A version is built in it under a name of ours, given its
 * access last, and renamed. A removal renames first, so that a half-removed version is
 * never found under its thumbprint. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "hooks/access.h"
#include "hooks/store_kind.h"
#include "hooks/store_parts.h"

#define NEW_PREFIX ".certrenewd-new-"
#define OLD_PREFIX ".certrenewd-old-"

static uint32_t folder_mode(const struct store *store)
{
	return store->group ? 0750 : 0700;
}

static bool is_leftover(const void *ctx, const char *name)
{
	(void)ctx;
	return str_starts(name, NEW_PREFIX) || str_starts(name, OLD_PREFIX);
}

/* Leftovers of a run that died: keys among them, so away with all of them. */
static int sweep(const char *container, struct err *err)
{
	const struct dir_leftovers leftovers = { .is = is_leftover, .folders = true };

	return dir_sweep(container, &leftovers, err);
}

/* Inserts by the number that each version got at its import. */
static void add_in_order(const struct store *store, struct strlist *list,
			 const char *name, int64_t sequence)
{
	size_t at;

	strlist_add(list, name);
	for (at = list->n - 1; at > 0; at--) {
		char *folder = store_version(store, list->items[at - 1]);
		int64_t before = store_sequence(folder);
		char *moved = list->items[at];

		free(folder);
		if (before <= sequence)
			break;
		list->items[at] = list->items[at - 1];
		list->items[at - 1] = moved;
	}
}

/* Adds the version that this folder is, if it is one of ours. */
static int add_version(const struct store *store, const char *name,
		       struct strlist *ret_sha1, struct err *err)
{
	char *folder = store_version(store, name);
	bool ours = false;
	int rc = store_is_ours(folder, &ours, err);

	if (!rc && ours)
		add_in_order(store, ret_sha1, name, store_sequence(folder));
	free(folder);
	return rc;
}

static int directory_list(const struct store *store, struct strlist *ret_sha1,
			  struct err *err)
{
	struct strlist names = { 0 };
	char *container;
	int rc = 0;

	container = store_container(store);
	if (dir_list(container, &names, err))
		rc = err->kind == ERR_NOT_FOUND ? 0 : -1;
	for (size_t i = 0; i < names.n && !rc; i++)
		if (store_is_version_name(names.items[i]))
			rc = add_version(store, names.items[i], ret_sha1, err);
	if (rc)
		strlist_clear(ret_sha1);
	strlist_clear(&names);
	free(container);
	return rc;
}

static int next_sequence(const struct store *store, int64_t *ret, struct err *err)
{
	struct strlist versions = { 0 };
	int64_t highest = 0;

	if (directory_list(store, &versions, err))
		return -1;
	for (size_t i = 0; i < versions.n; i++) {
		char *folder = store_version(store, versions.items[i]);
		int64_t sequence = store_sequence(folder);

		if (sequence > highest)
			highest = sequence;
		free(folder);
	}
	strlist_clear(&versions);
	*ret = highest + 1;
	return 0;
}

static int write_part(const struct store *store, const char *folder, enum store_part part,
		      const struct material *material, struct err *err)
{
	char *path = path_join(folder, store_part_name(part));
	uint32_t mode = part == PART_KEY ? store_key_mode(store) : STORE_CERT_MODE;
	struct buf bytes;
	int rc = -1;

	store_part_bytes(part, material, &bytes);
	if (file_replace(path, buf_str(&bytes), bytes.len, store_part_audience(part),
			 err))
		goto out;
	if (file_set_access(path, store->owner, store->group, mode, err))
		goto out;
	rc = 0;
out:
	buf_release(&bytes);
	free(path);
	return rc;
}

static int build(const struct store *store, const char *folder,
		 const struct material *material, struct err *err)
{
	int64_t sequence;

	if (next_sequence(store, &sequence, err) || dir_make(folder, FILE_SECRET, err) ||
	    store_mark(folder, sequence, err))
		return -1;
	for (int part = 0; part < PARTS; part++) {
		if (write_part(store, folder, (enum store_part)part, material, err))
			return -1;
	}
	return file_set_access(folder, store->owner, store->group, folder_mode(store),
			       err);
}

/* A version of ours that is in use may be damaged: what is right in it stays, and each
 * file that is not is replaced where it is, so that at no moment less is there than
 * before. */
static int repair(const struct store *store, const char *folder,
		  const struct material *material, struct err *err)
{
	struct err damage;

	for (int part = 0; part < PARTS; part++) {
		if (store_prove_part(store, folder, (enum store_part)part, material,
				     &damage) &&
		    write_part(store, folder, (enum store_part)part, material, err))
			return -1;
	}
	return file_set_access(folder, store->owner, store->group, folder_mode(store),
			       err);
}

/* Fails when somebody else's folder has the name. */
static int look_at_existing(const char *folder, bool *ret_exists, struct err *err)
{
	struct file_facts facts;
	bool ours = false;

	if (file_inspect(folder, &facts, err))
		return -1;
	*ret_exists = facts.type != FILE_ABSENT;
	if (facts.type == FILE_DIRECTORY && store_is_ours(folder, &ours, err))
		return -1;
	if (*ret_exists && !ours)
		return err_set(err, ERR_CONFIG,
			       "'%s' is there and certrenewd did not make it: move it "
			       "away or choose another path",
			       folder);
	return 0;
}

static int import_version(const struct store *store, const char *container,
			  const struct material *material, struct err *err)
{
	const char *sha1 = cert_sha1(material->cert);
	char *folder = store_version(store, sha1);
	char *built = str_printf("%s/" NEW_PREFIX "%s", container, sha1);
	struct err damage;
	bool exists;
	int rc = -1;

	if (look_at_existing(folder, &exists, err))
		goto out;
	if (!exists)
		rc = build(store, built, material, err) ? -1
							: file_rename(built, folder, err);
	else if (store_prove_folder(store, folder, material, &damage))
		rc = repair(store, folder, material, err);
	else
		rc = 0;
out:
	free(folder);
	free(built);
	return rc;
}

static int directory_import(const struct store *store, const struct material *material,
			    struct err *err)
{
	char *container, *real = NULL;
	int rc = -1;

	container = store_container(store);
	if (file_resolve_trusted(container, &real, err))
		goto out;
	if (dir_make(container, FILE_PUBLIC, err) || sweep(container, err))
		goto out;
	if (import_version(store, container, material, err))
		goto out;
	rc = 0;
out:
	free(container);
	free(real);
	return rc ? err_wrap(err, "import into '%s'", store->path) : 0;
}

static int directory_sweep(const struct store *store, struct err *err)
{
	char *container = store_container(store);
	int rc = sweep(container, err);

	free(container);
	return rc ? err_wrap(err, "sweep '%s'", store->path) : 0;
}

static int directory_plan(const struct store *store, const struct material *material,
			  struct change_list *list, struct err *err)
{
	struct change *change;
	char *sha1;

	if (store_link_read(store, &sha1, err))
		return -1;
	free(sha1);
	change = change_add(list, CHANGE_LINK, store->path, FILE_PUBLIC);
	change->link_target = store_link_target(store, cert_sha1(material->cert));
	return 0;
}

static char *upper_case(const char *sha1)
{
	char *copy = str_dup(sha1);

	for (char *c = copy; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return copy;
}

/* Removes a version that is ours and not the current one. */
static int remove_version(const struct store *store, const char *sha1, const char *folder,
			  struct err *err)
{
	char *current = NULL, *aside = NULL;
	int rc = -1;

	if (store_link_read(store, &current, err))
		goto out;
	if (str_equal(current, sha1)) {
		err_set(err, ERR_REFUSED,
			"'%s' is in use: '%s' points to it; deploy another version first",
			folder, store->path);
		goto out;
	}
	aside = str_printf("%s.versions/" OLD_PREFIX "%s", store->path, sha1);
	if (tree_remove(aside, err) || file_rename(folder, aside, err) ||
	    tree_remove(aside, err))
		goto out;
	rc = 0;
out:
	free(current);
	free(aside);
	return rc;
}

static int directory_remove(const struct store *store, const char *sha1,
			    bool *ret_foreign, struct err *err)
{
	char *name = upper_case(sha1), *folder = NULL;
	struct file_facts facts;
	bool ours = false;
	int rc = -1;

	if (!store_is_version_name(name)) {
		err_set(err, ERR_BUG, "'%s' is no thumbprint", sha1);
		goto out;
	}
	folder = store_version(store, name);
	if (file_inspect(folder, &facts, err))
		goto out;
	if (facts.type == FILE_DIRECTORY && store_is_ours(folder, &ours, err))
		goto out;
	if (ours && remove_version(store, name, folder, err))
		goto out;
	*ret_foreign = facts.type != FILE_ABSENT && !ours;
	rc = 0;
out:
	free(name);
	free(folder);
	return rc;
}

static int directory_current(const struct store *store, char **ret_sha1, struct err *err)
{
	char *named = NULL, *folder = NULL, *path = NULL;
	struct cert *cert = NULL;
	int rc = -1;

	*ret_sha1 = NULL;
	if (store_link_read(store, &named, err))
		goto out;
	if (named) {
		folder = store_version(store, named);
		path = path_join(folder, store_part_name(PART_CERT));
		if (cert_load(path, &cert, err)) {
			err_wrap(err, "'%s' names a version that cannot be used",
				 store->path);
			goto out;
		}
		*ret_sha1 = str_dup(cert_sha1(cert));
	}
	rc = 0;
out:
	free(named);
	free(folder);
	free(path);
	cert_free(cert);
	return rc;
}

static int directory_check(const struct store *store, struct err *err)
{
	char *container = NULL, *probe = NULL, *sha1 = NULL;
	int rc = -1;

	if (store_link_read(store, &sha1, err))
		goto out;
	container = store_container(store);
	probe = path_join(container, NEW_PREFIX "check");
	if (file_check_replaceable(probe, err))
		goto out;
	/* The link lies beside the container, in a folder that must be writable too. */
	free(probe);
	probe = str_printf("%s.certrenewd-check", store->path);
	if (file_check_replaceable(probe, err))
		goto out;
	rc = 0;
out:
	free(container);
	free(probe);
	free(sha1);
	return rc;
}

static int directory_find(const struct store *store, const char *sha1, struct cert **ret,
			  struct err *err)
{
	char *folder = store_version(store, sha1);
	char *path = path_join(folder, store_part_name(PART_CERT));
	int rc = cert_load(path, ret, err);

	free(path);
	free(folder);
	return rc;
}

const struct store_kind store_directory = {
	.points = true,
	.import = directory_import,
	.prove = store_directory_prove,
	.plan = directory_plan,
	.remove = directory_remove,
	.sweep = directory_sweep,
	.list = directory_list,
	.current = directory_current,
	.find = directory_find,
	.check = directory_check,
};
