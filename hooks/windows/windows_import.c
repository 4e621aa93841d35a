/* windows_import.c - a certificate and its key into the Windows store.
 *
 * What happens if we die here? Record, container, entry, in this order: a container is
 * always named by a record, an entry always finds its key. The next import of the same
 * certificate uses the container if its key is whole, else makes it anew under the same
 * name; what is not imported again is swept when the certificate after it retires it. */
#include "hooks/windows/windows_store_parts.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "base/clock.h"

#define DATE_CHARS 10

/* ---- what is there already ----------------------------------------------- */

/* Is the entry there, with a key that signs for it? */
static bool entry_works(HCERTSTORE store, const struct cert *cert, struct err *why)
{
	PCCERT_CONTEXT entry = entry_find(store, cert_sha1(cert));
	struct key_place place = { 0 };
	bool works;

	if (!entry) {
		err_set(why, ERR_NOT_FOUND, "%s is not in the store", cert_sha1(cert));
		return false;
	}
	works = !entry_key_place(entry, &place, why) && !key_proves(&place, cert, why);
	key_place_clear(&place);
	CertFreeCertificateContext(entry);
	return works;
}

/* An earlier entry of ours with the same key. Gives *ret. */
static bool find_same_key(const struct store *store, const struct cert *cert,
			  struct key_place *ret)
{
	struct strlist have = { 0 };
	bool found = false;
	struct err ignored;

	(void)record_list(store, &have, &ignored);
	for (size_t i = have.n; i-- > 0 && !found;) {
		struct record record = { 0 };

		if (str_equal(have.items[i], cert_sha1(cert)) ||
		    record_read(store, have.items[i], &record, &ignored))
			continue;
		if (!key_proves(&record.place, cert, &ignored)) {
			*ret = record.place;
			record.place = (struct key_place){ 0 };
			found = true;
		}
		record_clear(&record);
	}
	strlist_clear(&have);
	return found;
}

/* ---- the key ------------------------------------------------------------- */

static int read_key(const struct material *material, EVP_PKEY **ret, struct err *err)
{
	BIO *bio = BIO_new_mem_buf(material->key_pem, (int)material->key_len);

	*ret = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	return *ret ? 0 : err_openssl(err, "read the certificate's private key");
}

static int check_kind(const struct store *store, const EVP_PKEY *key, struct err *err)
{
	if (EVP_PKEY_is_a(key, "RSA"))
		return 0;
	if (!EVP_PKEY_is_a(key, "EC"))
		return err_set(err, ERR_CONFIG,
			       "the Windows store takes RSA and EC keys only");
	if (!store->experimental)
		return err_set(err, ERR_CONFIG,
			       "EC keys in the Windows store are not proven yet: use "
			       "`key: {type: rsa-2048}`, or set `experimental: yes` in "
			       "the store");
	return 0;
}

/* Writes the record, then makes the container that it names. */
static int make_container(const struct store *store, const struct material *material,
			  struct record *record, struct err *err)
{
	EVP_PKEY *key = NULL;
	char *name = NULL;
	int rc = -1;

	if (read_key(material, &key, err) || check_kind(store, key, err))
		goto out;
	if (!record->place.container) {
		if (key_container_name(&name, err))
			goto out;
		key_place_for(key, name, &record->place);
		if (record_write(store, cert_sha1(material->cert), record, err))
			goto out;
	} else if (key_delete(&record->place, err)) {
		goto out; /* half made by a run that died */
	}
	rc = key_create(&record->place, key, store->exportable, err);
out:
	free(name);
	EVP_PKEY_free(key);
	return rc;
}

/* Is the broken container that a record names still somebody else's key? */
static int forget_shared(const struct store *store, const char *sha1,
			 struct record *record, struct err *err)
{
	char *other = NULL;

	if (!record->place.container)
		return 0;
	if (entry_others_with(&record->place, store, sha1, &other, err))
		return -1;
	if (other || record->adopted)
		record_clear(record);
	free(other);
	return 0;
}

/* Gives *ret: a record whose container holds the certificate's key. */
static int find_or_make_key(const struct store *store, const struct material *material,
			    struct record *ret, struct err *err)
{
	const char *sha1 = cert_sha1(material->cert);
	struct err why;

	if (!record_read(store, sha1, ret, &why)) {
		if (!key_proves(&ret->place, material->cert, &why))
			return 0;
	} else if (find_same_key(store, material->cert, &ret->place)) {
		return record_write(store, sha1, ret, err);
	}
	if (!material->key_pem)
		return err_set(err, ERR_CONFIG,
			       "the key of %s is lost: it was in the Windows store only, "
			       "and is not there any more: order a new certificate with "
			       "`certrenewd renew NAME --force`",
			       sha1);
	if (forget_shared(store, sha1, ret, err))
		return -1;
	return make_container(store, material, ret, err);
}

/* ---- the entry ----------------------------------------------------------- */

/* "xu.example.com 2026-11-21 (certrenewd)". Gives. */
static char *friendly_name(const struct store *store, const struct cert *cert)
{
	const char *const *names = cert_names(cert);
	char date[CLOCK_TEXT_MAX];

	if (store->friendly_name)
		return str_dup(store->friendly_name);
	clock_format_rfc3339(clock_wall(), date);
	return str_printf("%s %.*s (certrenewd)", names[0] ? names[0] : "certificate",
			  DATE_CHARS, date);
}

/* Roots are never added: whom this machine trusts is not ours to say. */
static int add_intermediates(const struct store *store, const struct cert *cert,
			     struct err *err)
{
	STACK_OF(X509) *chain = cert_chain(cert);
	HCERTSTORE ca;
	int rc = 0;

	if (entry_store_open(store->location, "CA", ENTRY_MAKE, &ca, err))
		return -1;
	for (int i = 0; !rc && i < sk_X509_num(chain); i++) {
		X509 *x509 = sk_X509_value(chain, i);
		struct cert *one = cert_from_x509(x509, NULL);
		PCCERT_CONTEXT there = entry_find(ca, cert_sha1(one));
		bool root = X509_NAME_cmp(X509_get_subject_name(x509),
					  X509_get_issuer_name(x509)) == 0;

		if (!there && !root)
			rc = entry_add(ca, x509, NULL, NULL, err);
		if (there)
			CertFreeCertificateContext(there);
		cert_free(one);
	}
	(void)CertCloseStore(ca, 0);
	return rc;
}

static int import_entry(const struct store *store, HCERTSTORE opened,
			const struct material *material, struct err *err)
{
	struct record record = { 0 };
	char *name = NULL;
	struct err why;
	int rc = -1;

	if (entry_works(opened, material->cert, &why))
		return 0;
	if (find_or_make_key(store, material, &record, err))
		goto out;
	name = friendly_name(store, material->cert);
	rc = entry_add(opened, cert_leaf(material->cert), &record.place, name, err);
out:
	free(name);
	record_clear(&record);
	return rc;
}

int windows_import(const struct store *store, const struct material *material,
		   struct err *err)
{
	HCERTSTORE opened = NULL;
	int rc = -1;

	if (entry_store_open(store->location, store->name, ENTRY_WRITE, &opened, err))
		goto out;
	if (import_entry(store, opened, material, err) ||
	    add_intermediates(store, material->cert, err))
		goto out;
	rc = 0;
out:
	if (opened)
		(void)CertCloseStore(opened, 0);
	return rc ? err_wrap(err, "import into '%s\\%s'", store->location, store->name)
		  : 0;
}

bool windows_has_key(const struct store *store, const struct cert *cert)
{
	struct record record = { 0 };
	struct err ignored;
	bool has = !record_read(store, cert_sha1(cert), &record, &ignored) &&
		   !key_proves(&record.place, cert, &ignored);

	if (!has) {
		record_clear(&record);
		has = find_same_key(store, cert, &record.place);
	}
	record_clear(&record);
	return has;
}

int windows_adopt(const struct store *store, const char *sha1, struct err *err)
{
	struct record record = { 0 };
	PCCERT_CONTEXT entry = NULL;
	HCERTSTORE opened;
	int rc = -1;

	if (!record_read(store, sha1, &record, err)) { /* it is ours already */
		record_clear(&record);
		return 0;
	}
	if (entry_store_open(store->location, store->name, ENTRY_READ, &opened, err))
		return -1;
	entry = entry_find(opened, sha1);
	if (!entry) {
		err_set(err, ERR_NOT_FOUND, "'%s\\%s' has no entry %s", store->location,
			store->name, sha1);
		goto out;
	}
	record.adopted = true;
	if (entry_key_place(entry, &record.place, err) ||
	    record_write(store, sha1, &record, err))
		goto out;
	rc = 0;
out:
	record_clear(&record);
	if (entry)
		CertFreeCertificateContext(entry);
	(void)CertCloseStore(opened, 0);
	return rc;
}
