#include "hooks/observe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "base/files.h"
#include "hooks/plan.h"
#include "hooks/store.h"

#define LOOK_TIMEOUT_S 5
#define KEY_MAX_BYTES (64 * 1024)

static void problem(struct target_view *view, const char *text)
{
	if (!view->files_problem[0])
		snprintf(view->files_problem, sizeof(view->files_problem), "%.*s",
			 (int)sizeof(view->files_problem) - 1, text);
}

static void look_at_tls_json(const struct target *target, struct target_view *view)
{
	struct file_facts facts;
	struct err err;

	view->has_tls_json = target->tls_json != NULL;
	if (!target->tls_json)
		return;
	if (file_inspect(target->tls_json, &facts, &err)) {
		problem(view, err.text);
		view->tls_json_present = true; /* nobody has seen that it is gone */
		return;
	}
	view->tls_json_present = facts.type != FILE_ABSENT;
	if (plan_named(target, view->tls_json_sha1, &view->tls_enabled, &err))
		problem(view, err.text);
}

static int load_key(const char *path, EVP_PKEY **ret, struct err *err)
{
	struct buf pem;
	BIO *bio = NULL;
	int rc = -1;

	buf_init_secret(&pem, KEY_MAX_BYTES);
	if (file_read(path, &pem, err))
		goto out;
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	*ret = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	if (!*ret) {
		err_openssl(err, "'%s' is no private key", path);
		goto out;
	}
	rc = 0;
out:
	BIO_free(bio);
	buf_release(&pem);
	return rc;
}

/* Signs and verifies a few bytes: a key that merely parses proves nothing. */
static bool key_signs(EVP_PKEY *key)
{
	static const unsigned char text[] = "does this key sign?";
	EVP_MD_CTX *ctx = EVP_MD_CTX_new(), *check = EVP_MD_CTX_new();
	unsigned char signature[1024];
	size_t len = sizeof(signature);
	bool ok;

	ok = ctx && check &&
	     EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	     EVP_DigestSign(ctx, signature, &len, text, sizeof(text)) == 1 &&
	     EVP_DigestVerifyInit(check, NULL, EVP_sha256(), NULL, key) == 1 &&
	     EVP_DigestVerify(check, signature, len, text, sizeof(text)) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_MD_CTX_free(check);
	return ok;
}

static bool pair_works(const char *key_path, const char *cert_path, struct err *err)
{
	struct cert *cert = NULL;
	EVP_PKEY *key = NULL;
	bool works = false;

	if (load_key(key_path, &key, err) || cert_load(cert_path, &cert, err))
		goto out;
	works = cert_matches_key(cert, key) && key_signs(key);
	if (!works)
		err_set(err, ERR_CONFIG, "the key '%s' does not work for '%s'", key_path,
			cert_path);
out:
	cert_free(cert);
	EVP_PKEY_free(key);
	return works;
}

/* A store that points at nothing: what tls.json names, or the newest of ours. */
static void look_at_entry(const struct target *target, struct target_view *view)
{
	const struct store *store = &target->store;
	struct strlist have = { 0 };
	struct cert *cert = NULL;
	const char *sha1 = view->tls_json_sha1;
	struct err err = { 0 };

	if (!target->tls_json && store_list(store, &have, &err))
		problem(view, err.text);
	if (!target->tls_json && have.n)
		sha1 = have.items[have.n - 1];
	if (!sha1[0])
		goto out;
	if (store_find(store, sha1, &cert, &err)) {
		problem(view, err.text);
		goto out;
	}
	str_copy(view->store_sha1, sizeof(view->store_sha1), cert_sha1(cert));
	view->key_usable = !store_signs(store, cert_sha1(cert), &err) &&
			   !store_check_access(store, &target->service, cert_sha1(cert),
					       &err);
	if (!view->key_usable)
		problem(view, err.text);
out:
	cert_free(cert);
	strlist_clear(&have);
}

static void look_at_store(const struct store *store, struct target_view *view)
{
	char *current = NULL, *key, *cert;
	struct err err;

	if (store_current(store, &current, &err)) {
		problem(view, err.text);
		return;
	}
	if (!current)
		return;
	snprintf(view->store_sha1, sizeof(view->store_sha1), "%s", current);
	free(current);
	if (store->type == STORE_DIRECTORY) {
		key = path_join(store->path, "key.pem");
		cert = path_join(store->path, "cert.pem");
	} else {
		key = str_dup(store->key);
		cert = str_dup(store->cert ? store->cert : store->fullchain);
	}
	view->key_usable = key && cert && pair_works(key, cert, &err);
	if (key && cert && !view->key_usable)
		problem(view, err.text);
	free(cert);
	free(key);
}

void observe_tls_json(const struct target *target, struct target_view *ret)
{
	*ret = (struct target_view){ 0 };
	look_at_tls_json(target, ret);
}

void observe_files(const struct target *target, struct target_view *ret)
{
	struct err err;

	observe_tls_json(target, ret);
	if (store_points(&target->store))
		look_at_store(&target->store, ret);
	else if (store_keeps_versions(&target->store))
		look_at_entry(target, ret);
	if (service_inspect(&target->service, &ret->service, &err)) {
		ret->service = SERVICE_IS_UNKNOWN;
		problem(ret, err.text);
	}
}

bool observe_current_key(const struct target *target, struct err *why)
{
	struct target_view view = { 0 };

	if (store_points(&target->store))
		look_at_store(&target->store, &view);
	if (!view.key_usable)
		err_set(why, ERR_CONFIG, "%s", view.files_problem);
	return view.key_usable;
}

void observe_endpoints(const struct target *target, const struct cancel *cancel,
		       struct target_view *view)
{
	free(view->endpoints);
	view->n_endpoints = target->n_verify;
	view->endpoints = mem_calloc(target->n_verify + 1, sizeof(*view->endpoints));
	for (size_t i = 0; i < target->n_verify; i++)
		probe_endpoint(&target->verify[i], LOOK_TIMEOUT_S, cancel,
			       &view->endpoints[i]);
}

void target_view_clear(struct target_view *view)
{
	free(view->endpoints);
	*view = (struct target_view){ 0 };
}
