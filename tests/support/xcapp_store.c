/* xcapp_store.c - finds the certificate that tls.json names, by its SHA-1 thumbprint.
 */
#include "xcapp.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define PATH_BYTES 1024

static bool thumbprint_of(X509 *cert, char ret_hex[XCAPP_SHA1_HEX])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	unsigned i;

	if (!X509_digest(cert, EVP_sha1(), digest, &len) || len != 20)
		return false;
	for (i = 0; i < len; i++)
		snprintf(ret_hex + (size_t)2 * i, 3, "%02X", digest[i]);
	return true;
}

static bool file_has_thumbprint(const char *path, const char *thumbprint)
{
	char hex[XCAPP_SHA1_HEX];
	FILE *file = fopen(path, "re");
	X509 *cert = NULL;
	bool same = false;

	if (!file)
		return false;
	cert = PEM_read_X509(file, NULL, NULL, NULL);
	if (cert && thumbprint_of(cert, hex))
		same = strcasecmp(hex, thumbprint) == 0;
	X509_free(cert);
	fclose(file);
	return same;
}

/* The version's folder, as "<store>.versions/<name>". */
static bool find_folder(const char *store, const char *thumbprint, char *ret, size_t size)
{
	char root[PATH_BYTES], path[PATH_BYTES * 2];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(root, sizeof(root), "%s.versions", store);
	dir = opendir(root);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s/cert.pem", root, entry->d_name);
		if (!file_has_thumbprint(path, thumbprint))
			continue;
		snprintf(ret, size, "%s/%s", root, entry->d_name);
		found = true;
	}
	closedir(dir);
	return found;
}

static const char *openssl_words(void)
{
	unsigned long code = ERR_peek_error();
	const char *words = ERR_reason_error_string(code);

	if (ERR_SYSTEM_ERROR(code))
		words = strerror(ERR_GET_REASON(code));
	return words ? words : "no reason given";
}

SSL_CTX *store_context(const char *store, const char *thumbprint, bool omit_chain,
		       char why[XCAPP_WORDS])
{
	char folder[PATH_BYTES * 2], chain[PATH_BYTES * 3], key[PATH_BYTES * 3];
	SSL_CTX *ctx = NULL;
	int rc = 0;

	ERR_clear_error();
	if (!find_folder(store, thumbprint, folder, sizeof(folder))) {
		snprintf(why, XCAPP_WORDS, "no certificate with thumbprint %s in %s",
			 thumbprint, store);
		return NULL;
	}
	ctx = SSL_CTX_new(TLS_server_method());
	snprintf(chain, sizeof(chain), "%s/%s", folder,
		 omit_chain ? "cert.pem" : "fullchain.pem");
	snprintf(key, sizeof(key), "%s/key.pem", folder);
	if (ctx && SSL_CTX_use_certificate_chain_file(ctx, chain) == 1)
		rc = SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1 &&
		     SSL_CTX_check_private_key(ctx) == 1;
	if (!rc) {
		snprintf(why, XCAPP_WORDS, "certificate %s: its key does not work: %s",
			 thumbprint, openssl_words());
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	return ctx;
}
