/* mend.c - versions in the state directory that were damaged: set aside with an event,
 * and where the store still has the certificate that is deployed, taken back from there,
 * so that a bad block costs no order. */
#include "daemon/pass.h"

#include <stdlib.h>
#include <string.h>

#include "acme/key.h"
#include "base/files.h"
#include "daemon/state_file.h"

#define KEY_MAX_BYTES ((size_t)64 * 1024)

static void set_aside(struct pass *pass, int64_t n, struct err *err)
{
	char *path = str_printf("%s/versions/%lld", pass->folder, (long long)n);

	(void)state_file_set_aside(path, err);
	pass_tell(pass, EVENT_STATE_DAMAGED, NULL, err->text, NULL);
	free(path);
}

/* Returns how many were set aside. */
static size_t set_damaged_aside(struct pass *pass)
{
	struct version version;
	int64_t *numbers = NULL;
	size_t n = 0, damaged = 0;
	struct err err;

	if (versions_list(pass->folder, &numbers, &n, &err))
		return 0;
	for (size_t i = 0; i < n; i++) {
		/* An older one may be half deleted: pruning goes on, nobody needs it. */
		if (pass->state.exists && numbers[i] < pass->state.version)
			continue;
		/* This one has just been read. */
		if (pass->have_current && numbers[i] == pass->current.n)
			continue;
		if (!version_load(pass->folder, numbers[i], &version, &err)) {
			version_clear(&version);
		} else if (err.kind == ERR_CONFIG) {
			set_aside(pass, numbers[i], &err);
			damaged++;
		}
	}
	free(numbers);
	return damaged;
}

/* Where the application's own key and chain lie. Gives both, NULL where there are none.
 */
static void store_files(const struct store *store, char **ret_key, char **ret_chain)
{
	*ret_key = *ret_chain = NULL;
	if (store->type == STORE_DIRECTORY) {
		*ret_key = path_join(store->path, "key.pem");
		*ret_chain = path_join(store->path, "fullchain.pem");
	} else if (store->type == STORE_FILES) {
		*ret_key = str_dup(store->key);
		*ret_chain = str_dup(store->fullchain);
	}
}

static int read_store(const struct store *store, EVP_PKEY **ret_key,
		      struct cert **ret_cert, struct err *err)
{
	char *key_path, *chain_path;
	struct buf pem;
	int rc = -1;

	buf_init_secret(&pem, KEY_MAX_BYTES);
	store_files(store, &key_path, &chain_path);
	if (!key_path || !chain_path)
		goto out;
	if (file_read(key_path, &pem, err) ||
	    key_from_pem(pem.data, pem.len, ret_key, err) ||
	    cert_load(chain_path, ret_cert, err))
		goto out;
	rc = 0;
out:
	buf_release(&pem);
	free(key_path);
	free(chain_path);
	return rc;
}

/* Taking it back may have died between key and chain: then the key is there. */
static int keep_key(const struct pass *pass, const EVP_PKEY *key, struct err *err)
{
	struct version half;
	bool there = false;

	if (!version_load(pass->folder, pass->state.version, &half, err)) {
		there = half.key && EVP_PKEY_eq(half.key, key) == 1;
		version_clear(&half);
	}
	return there ? 0 : version_create(pass->folder, pass->state.version, key, err);
}

/* Only what the journal says is deployed, with a key that is its own. */
static int take_back(struct pass *pass, const struct store *store, struct err *err)
{
	struct cert *cert = NULL;
	EVP_PKEY *key = NULL;
	char *chain = NULL;
	int rc = -1;

	if (read_store(store, &key, &cert, err) ||
	    !str_equal(cert_sha1(cert), pass->state.sha1) ||
	    !cert_matches_key(cert, key) || keep_key(pass, key, err))
		goto out;
	chain = cert_fullchain_pem(cert);
	rc = version_complete(pass->folder, pass->state.version, chain, err);
out:
	free(chain);
	cert_free(cert);
	EVP_PKEY_free(key);
	return rc;
}

static bool deployed_version_is_lost(const struct pass *pass)
{
	return pass->state.exists &&
	       (!pass->have_current || pass->current.n < pass->state.version);
}

int pass_mend(struct pass *pass, struct err *err)
{
	if (set_damaged_aside(pass) && pass_reload(pass, err))
		return -1;
	/* Also when a pass that died has set it aside. */
	for (size_t i = 0; i < pass->certificate->n_targets; i++) {
		const struct target *target = &pass->certificate->targets[i];
		struct err ignored;

		if (!deployed_version_is_lost(pass))
			break;
		if (take_back(pass, &target->store, &ignored))
			continue;
		pass_note(pass, "mend",
			  "certificate and key are back from the store of "
			  "'%s'",
			  target->name);
		if (pass_reload(pass, err))
			return -1;
	}
	return 0;
}
