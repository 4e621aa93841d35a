/* windows_store_parts.h - what the files of the Windows store share: entries, the places
 * of keys, keys themselves, our records, and who else uses an entry. Private to them.
 *
 * An entry (certificate) names the place of its key: provider and container. The key is
 * reached through that place only, never through the entry (Wine forgets the machine flag
 * there). Two kinds of provider: CAPI (RSA; `type` not 0) and CNG (`type` 0). */
#ifndef HOOKS_WINDOWS_STORE_PARTS_H
#define HOOKS_WINDOWS_STORE_PARTS_H

#include <stdbool.h>
#include <stdint.h>
#include <windows.h>
#include <wincrypt.h>
/* wincrypt.h names things like OpenSSL does: the headers below undo that. */

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/cert.h"
#include "base/err.h"
#include "base/str.h"
#include "base/target.h"
#include "hooks/material.h"

/* ---- where a key lives (windows_key.c) ----------------------------------- */

struct key_place {
	char *container, *provider;
	DWORD type; /* PROV_RSA_AES, ...; 0: CNG */
	DWORD spec; /* AT_KEYEXCHANGE, AT_SIGNATURE; CNG: 0 */
	bool machine;
};
/* Frees the names. NULL names are fine. */
void key_place_clear(struct key_place *place);

/* The place of a new key of ours: RSA in CAPI, EC in CNG. Gives *ret. */
void key_place_for(const EVP_PKEY *key, const char *container, struct key_place *ret);

/* Do both name the same key? */
bool key_place_is_same(const struct key_place *a, const struct key_place *b);

/* Gives a name that no container has: "{GUID}". */
int key_container_name(char **ret, struct err *err);

/* Makes the container with this key in it. */
int key_create(const struct key_place *place, const EVP_PKEY *key, bool exportable,
	       struct err *err);

/* Removes the container with its key. Gone is success. */
int key_delete(const struct key_place *place, struct err *err);

/* Signs the SHA-256 digest of `text` and verifies it by the certificate. */
int key_proves(const struct key_place *place, const struct cert *cert, struct err *err);

/* Reads and writes the key's access list. Gives *ret, free(): a self-relative
 * descriptor. */
int key_security_get(const struct key_place *place, PSECURITY_DESCRIPTOR *ret,
		     struct err *err);
/* The descriptor is self-relative. */
int key_security_set(const struct key_place *place, PSECURITY_DESCRIPTOR descriptor,
		     struct err *err);

/* ---- the two kinds (windows_capi.c, windows_cng.c) ----------------------- */

/* key_create(): RSA, from a PRIVATEKEYBLOB; EC, from a BCRYPT_ECCPRIVATE_BLOB. */
int capi_create(const struct key_place *place, const EVP_PKEY *key, bool exportable,
		struct err *err);
/* The same with CNG. */
int cng_create(const struct key_place *place, const EVP_PKEY *key, bool exportable,
	       struct err *err);

/* key_delete(). */
int capi_delete(const struct key_place *place, struct err *err);
/* The same with CNG. */
int cng_delete(const struct key_place *place, struct err *err);

/* key_security_get(). */
int capi_security_get(const struct key_place *place, PSECURITY_DESCRIPTOR *ret,
		      struct err *err);
/* The same with CNG. */
int cng_security_get(const struct key_place *place, PSECURITY_DESCRIPTOR *ret,
		     struct err *err);

/* key_security_set(). */
int capi_security_set(const struct key_place *place, PSECURITY_DESCRIPTOR descriptor,
		      struct err *err);
/* The same with CNG. */
int cng_security_set(const struct key_place *place, PSECURITY_DESCRIPTOR descriptor,
		     struct err *err);

/* Signs the SHA-256 digest of `text`; appends the signature as OpenSSL reads it. */
int capi_sign(const struct key_place *place, const void *text, size_t len,
	      struct buf *ret, struct err *err);
/* Signs a SHA-256 digest and appends the signature: `rsa` with PKCS #1 padding, else r
 * and s side by side. */
int cng_sign(const struct key_place *place, bool rsa, const unsigned char digest[32],
	     struct buf *ret, struct err *err);

/* ---- entries (windows_entry.c) ------------------------------------------- */

enum entry_open { ENTRY_READ, ENTRY_WRITE, ENTRY_MAKE }; /* MAKE: the store too */

/* Opens a system store: "LocalMachine", "My". CertCloseStore(). */
int entry_store_open(const char *location, const char *name, enum entry_open how,
		     HCERTSTORE *ret, struct err *err);

/* Writes the store's changes now: Wine keeps some of them only then. */
int entry_store_commit(HCERTSTORE store, struct err *err);

/* The entry with this thumbprint, archived ones too. CertFreeCertificateContext(); NULL
 * when there is none. */
PCCERT_CONTEXT entry_find(HCERTSTORE store, const char *sha1);

/* What the entry is. Gives *ret. */
int entry_cert(PCCERT_CONTEXT entry, struct cert **ret, struct err *err);

/* Where its key is. Gives *ret. ERR_CONFIG when the store knows no key for it. */
int entry_key_place(PCCERT_CONTEXT entry, struct key_place *ret, struct err *err);

/* Adds the certificate, or replaces its entry, with the place of its key (NULL: none)
 * and a name for people (NULL: none). Committed. */
int entry_add(HCERTSTORE store, X509 *x509, const struct key_place *place,
	      const char *friendly_name, struct err *err);

/* Deletes the entry, committed. Gone is success. */
int entry_delete(HCERTSTORE store, const char *sha1, struct err *err);

/* Hides it. */
int entry_archive(HCERTSTORE store, const char *sha1, struct err *err);

/* Gives who else among the machine's entries has this key: "'My' AB12..."; NULL: nobody.
 * The entry `sha1` of the store `name` itself does not count. ERR_IO when a store cannot
 * be looked through. */
int entry_others_with(const struct key_place *place, const struct store *store,
		      const char *sha1, char **ret, struct err *err);

/* ---- records (windows_record.c) ------------------------------------------ */

struct record {                 /* one file of store->records: an entry that is ours */
	struct key_place place; /* written before the container is made */
	int64_t sequence, imported_at;
	bool adopted; /* made by another program whose work we took over */
};
/* Frees what it holds. */
void record_clear(struct record *record);

/* ERR_NOT_FOUND: the entry is not ours. ERR_CONFIG: damaged. Gives *ret. */
int record_read(const struct store *store, const char *sha1, struct record *ret,
		struct err *err);

/* Writes it, synced; sequence 0 becomes the next one. */
int record_write(const struct store *store, const char *sha1, struct record *record,
		 struct err *err);
/* Removes it, synced. Gone is success. */
int record_remove(const struct store *store, const char *sha1, struct err *err);

/* Appends the thumbprints with a record of this store, oldest import first. */
int record_list(const struct store *store, struct strlist *ret, struct err *err);

/* ---- who uses an entry (windows_bindings.c) ------------------------------ */

/* Gives what on this machine is set up with this thumbprint ("Remote Desktop", "http.sys
 * 0.0.0.0:443"); NULL: nothing that we know of. ERR_DENIED when we may not ask. */
int bindings_using(const char *sha1, char **ret, struct err *err);

/* ---- access (windows_access.c): rows of the kind ------------------------- */

/* As in hooks/store.h: store_grant(), store_check_access(), and the accounts alone. */
int windows_grant(const struct store *store, const struct service *service,
		  const char *sha1, const char *old_sha1, struct err *err);
/* The look alone. */
int windows_check_access(const struct store *store, const struct service *service,
			 const char *sha1, struct err *err);
/* Are the accounts known? */
int windows_check_accounts(const struct store *store, const struct service *service,
			   struct err *err);

/* ---- import and removal (windows_import.c, windows_remove.c) ------------- */

/* As in hooks/store.h. */
int windows_import(const struct store *store, const struct material *material,
		   struct err *err);
/* store_has_key(). */
bool windows_has_key(const struct store *store, const struct cert *cert);
/* store_adopt(). */
int windows_adopt(const struct store *store, const char *sha1, struct err *err);
/* store_remove(). */
int windows_remove(const struct store *store, const char *sha1, bool *ret_foreign,
		   struct err *err);
/* store_archive(). */
int windows_archive(const struct store *store, const char *sha1, bool *ret_archived,
		    struct err *err);
/* store_sweep(). */
int windows_sweep(const struct store *store, struct err *err);

#endif
