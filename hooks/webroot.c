/* webroot.c - http-01 through the files of the server that keeps port 80.
 *
 * A folder that we made carries our marker, so that withdrawing the last token can take
 * it away again, whoever of us made it and however long ago; a folder without the marker
 * is the operator's and stays. */
#include "hooks/http01.h"

#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/files.h"
#include "base/str.h"

#define WELL_KNOWN ".well-known"
#define CHALLENGES "acme-challenge"
#define MARKER ".certrenewd"
#define TOKEN_MAX 256
#define TOKEN_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* The two folders below a webroot. Release with folders_release(). */
struct folders {
	char *well_known, *challenges;
};

static struct folders folders_of(const char *webroot)
{
	struct folders folders = { .well_known = path_join(webroot, WELL_KNOWN) };

	folders.challenges = path_join(folders.well_known, CHALLENGES);
	return folders;
}

static void folders_release(struct folders *folders)
{
	free(folders->well_known);
	free(folders->challenges);
}

static int check_token(const char *token, struct err *err)
{
	size_t len = strlen(token);

	if (!len || len > TOKEN_MAX || strspn(token, TOKEN_ALPHABET) != len)
		return err_set(
			err, ERR_REFUSED,
			"the CA's token is not base64url, so no file is made of it");
	return 0;
}

static int check_webroot(const char *webroot, struct err *err)
{
	struct file_facts facts;
	char *real = NULL;
	int rc = -1;

	if (file_resolve_trusted(webroot, &real, err) || file_inspect(real, &facts, err))
		goto out;
	if (facts.type != FILE_DIRECTORY) {
		err_set(err, ERR_CONFIG,
			"webroot '%s' is not there: make the folder, or "
			"name the one that your web server serves",
			webroot);
		goto out;
	}
	rc = 0;
out:
	free(real);
	return rc;
}

static int look(const char *path, bool *ret_there, struct err *err)
{
	struct file_facts facts;

	if (file_inspect(path, &facts, err))
		return -1;
	*ret_there = facts.type != FILE_ABSENT;
	return 0;
}

/* Makes the folder (and its owner the folder above's) with our marker in it. */
static int make_folder(const char *folder, struct err *err)
{
	char *marker;
	bool there;
	int rc;

	if (look(folder, &there, err))
		return -1;
	if (there)
		return 0;
	marker = path_join(folder, MARKER);
	rc = file_replace_keeping(marker, "", 0, FILE_PUBLIC, err);
	free(marker);
	return rc;
}

/* Removes a folder that holds nothing but our marker. Whatever stands in the way (a token
 * of another order, say) is a reason to leave it. */
static void remove_made(const char *folder)
{
	char *marker = path_join(folder, MARKER);
	struct strlist names = { 0 };
	struct err err;
	uv_fs_t request;

	if (!dir_list(folder, &names, &err) && names.n == 1 &&
	    str_equal(names.items[0], MARKER) && !file_remove(marker, &err)) {
		uv_fs_rmdir(NULL, &request, folder, NULL);
		uv_fs_req_cleanup(&request);
	}
	strlist_clear(&names);
	free(marker);
}

static int write_token(const struct folders *folders, const char *token,
		       const char *key_authorization, struct err *err)
{
	char *path = path_join(folders->challenges, token);
	int rc = -1;

	if (make_folder(folders->well_known, err) ||
	    make_folder(folders->challenges, err))
		goto out;
	rc = file_replace_keeping(path, key_authorization, strlen(key_authorization),
				  FILE_PUBLIC, err);
out:
	free(path);
	return rc;
}

int webroot_serve(const char *webroot, const char *token, const char *key_authorization,
		  struct err *err)
{
	struct folders folders;
	int rc;

	if (check_token(token, err) || check_webroot(webroot, err))
		return -1;
	folders = folders_of(webroot);
	rc = write_token(&folders, token, key_authorization, err);
	/* Another order may just have taken its empty folders away. */
	if (rc && err->kind == ERR_NOT_FOUND)
		rc = write_token(&folders, token, key_authorization, err);
	folders_release(&folders);
	return rc;
}

int webroot_withdraw(const char *webroot, const char *token, struct err *err)
{
	struct folders folders;
	char *path, *real = NULL;
	bool there;
	int rc = -1;

	if (check_token(token, err))
		return -1;
	folders = folders_of(webroot);
	path = path_join(folders.challenges, token);
	if (look(folders.challenges, &there, err))
		goto out; /* it may be there: whoever withdraws it tries again */
	if (!there) {
		rc = 0;
		goto out;
	}
	if (file_resolve_trusted(folders.challenges, &real, err) ||
	    file_remove(path, err))
		goto out;
	remove_made(folders.challenges);
	remove_made(folders.well_known);
	rc = 0;
out:
	free(path);
	free(real);
	folders_release(&folders);
	return rc;
}

int webroot_check(const char *webroot, struct err *err)
{
	struct folders folders;
	char *path;
	int rc;

	if (check_webroot(webroot, err))
		return -1;
	folders = folders_of(webroot);
	path = path_join(folders.challenges, "certrenewd-check");
	rc = file_check_replaceable(path, err);
	free(path);
	folders_release(&folders);
	return rc;
}
