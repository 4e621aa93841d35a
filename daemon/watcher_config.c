#include "daemon/watcher_config.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/files.h"
#include "config/system.h"
#include "daemon/system.h"

#define DIGEST_CHARS 16
#define FILE_MAX_BYTES ((size_t)256 * 1024)

/* Gives the copy's name: one for each file, so that none stands for another. */
static char *copy_path(const char *state_dir, const char *path)
{
	unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
	char hex[2 * EVP_MAX_MD_SIZE + 1];

	if (EVP_Digest(path, strlen(path), digest, NULL, EVP_sha256(), NULL) != 1)
		abort();
	hex_encode(digest, DIGEST_CHARS / 2, false, hex);
	return str_printf("%s/watcher/config-%s.yaml", state_dir, hex);
}

/* The one before, which has to name the state directory that it lies in. */
static int load_copy(const char *path, const struct config **ret, struct err *err)
{
	char *state_dir = config_state_dir_named(path);
	char *absolute = system_absolute_path(path);
	char *copy = copy_path(state_dir, absolute);
	struct config_report report = { 0 };
	const struct config *config = NULL;
	int rc = system_become_owner_of(state_dir, err);

	if (rc)
		goto out;
	rc = config_load_to_watch(path, copy, &config, &report);
	if (!rc && str_equal(config->state_dir, state_dir)) {
		*ret = config;
		config = NULL;
		goto out;
	}
	rc = err_set(err, ERR_CONFIG,
		     "nobody is told: no earlier configuration that could be used is "
		     "kept in '%s/watcher'",
		     state_dir);
out:
	config_free(config);
	config_report_clear(&report);
	free(copy);
	free(absolute);
	free(state_dir);
	return rc;
}

int watcher_config_load(const char *path, const struct config **ret,
			struct strlist *refused, struct err *err)
{
	struct config_report report = { 0 };
	int rc = config_load_to_watch(path, NULL, ret, &report);

	for (size_t i = 0; i < report.errors.n; i++)
		strlist_add(refused, report.errors.items[i]);
	config_report_clear(&report);
	return rc ? load_copy(path, ret, err) : 0;
}

int watcher_config_keep(const struct config *config, struct err *err)
{
	char *copy = copy_path(config->state_dir, config->path);
	const struct secret *text = &config->text;
	struct err ignored;
	struct buf kept;
	int rc = 0;

	buf_init_secret(&kept, FILE_MAX_BYTES);
	if (file_read(copy, &kept, &ignored) || kept.len != text->len ||
	    memcmp(kept.data, text->bytes, kept.len) != 0)
		rc = file_replace(copy, text->bytes, text->len, FILE_SECRET, err);
	buf_release(&kept);
	free(copy);
	return rc;
}
