/* store_fixture.c - see store_fixture.h. Windows is asked here without our own code, but
 * for what removes. */
#include "tests/windows/unit/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <windows.h>
#include <wincrypt.h>
#include <sddl.h>

#include <openssl/x509.h>

#include "base/process.h"
#include "hooks/store.h"
#include "hooks/windows/windows_store.h"
#include "tests/windows/unit/tempdir.h"

#define PROVIDER L"Microsoft Enhanced RSA and AES Cryptographic Provider"
#define SHA1_BYTES 20
#define YES 0
#define NO 3

/* ---- stores and containers ------------------------------------------------ */

static HCERTSTORE open_store(const char *name)
{
	wchar_t *wide = wide_from_utf8(name);
	HCERTSTORE store = CertOpenStore(
		CERT_STORE_PROV_SYSTEM_W, 0, 0,
		CERT_SYSTEM_STORE_LOCAL_MACHINE | CERT_STORE_ENUM_ARCHIVED_FLAG, wide);

	free(wide);
	assert_non_null(store);
	return store;
}

static void close_committed(HCERTSTORE store)
{
	assert_true(CertControlStore(store, CERT_STORE_CTRL_COMMIT_FORCE_FLAG,
				     CERT_STORE_CTRL_COMMIT, NULL));
	(void)CertCloseStore(store, 0);
}

static PCCERT_CONTEXT find(HCERTSTORE store, const char *sha1)
{
	unsigned char digest[SHA1_BYTES];
	CRYPT_HASH_BLOB blob = { SHA1_BYTES, digest };

	assert_int_equal(hex_decode(sha1, digest, SHA1_BYTES), 0);
	return CertFindCertificateInStore(store, X509_ASN_ENCODING, 0,
					  CERT_FIND_SHA1_HASH, &blob, NULL);
}

static bool open_container(const char *container, DWORD flags, HCRYPTPROV *ret)
{
	wchar_t *wide = wide_from_utf8(container);
	BOOL done = CryptAcquireContextW(ret, wide, PROVIDER, PROV_RSA_AES,
					 flags | CRYPT_MACHINE_KEYSET | CRYPT_SILENT);

	free(wide);
	return done;
}

static bool has_container(const char *container)
{
	HCRYPTPROV provider;

	if (!open_container(container, 0, &provider))
		return false;
	(void)CryptReleaseContext(provider, 0);
	return true;
}

void destroy_container(const char *container)
{
	HCRYPTPROV none;

	assert_true(open_container(container, CRYPT_DELETEKEYSET, &none));
}

size_t count_containers(void)
{
	DWORD flags = CRYPT_FIRST | CRYPT_MACHINE_KEYSET, len = 1024;
	HCRYPTPROV provider = 0;
	char name[1024];
	size_t n = 0;

	assert_true(CryptAcquireContextW(&provider, NULL, PROVIDER, PROV_RSA_AES,
					 CRYPT_VERIFYCONTEXT | CRYPT_MACHINE_KEYSET));
	while (CryptGetProvParam(provider, PP_ENUMCONTAINERS, (BYTE *)name, &len,
				 flags)) {
		flags = CRYPT_NEXT | CRYPT_MACHINE_KEYSET;
		len = sizeof(name);
		n++;
	}
	(void)CryptReleaseContext(provider, 0);
	return n;
}

void fixture_make_store(const char *name)
{
	(void)CertCloseStore(open_store(name), 0);
}

void fixture_empty_store(const char *name)
{
	HCERTSTORE store = open_store(name);
	PCCERT_CONTEXT entry;

	while ((entry = CertEnumCertificatesInStore(store, NULL)) != NULL)
		assert_true(CertDeleteCertificateFromStore(entry));
	close_committed(store);
}

/* ---- the fixture ---------------------------------------------------------- */

int fixture_set_up(void **state)
{
	struct store_fixture *f = mem_calloc(1, sizeof(*f));

	f->dir = tempdir_new();
	f->records = path_join(f->dir, "imported");
	f->store = (struct store){ .type = STORE_WINDOWS,
				   .location = "LocalMachine",
				   .name = FIXTURE_STORE,
				   .records = f->records };
	f->root = testcert_ca("Unit Root");
	f->intermediate = testcert_new(&(struct testcert_spec){
		.issuer = f->root, .ca = true, .common_name = "Unit Intermediate" });
	fixture_make_store("CA");
	fixture_make_store(FIXTURE_STORE);
	fixture_empty_store(FIXTURE_STORE);
	f->containers = count_containers();
	*state = f;
	return 0;
}

static void remove_all(const struct store *store)
{
	struct strlist have = { 0 };
	struct err err;

	must(store_sweep(store, &err), &err);
	must(store_list(store, &have, &err), &err);
	for (size_t i = 0; i < have.n; i++)
		must(store_remove(store, have.items[i], NULL, &err), &err);
	strlist_clear(&have);
}

int fixture_tear_down(void **state)
{
	struct store_fixture *f = *state;

	f->store.name = FIXTURE_STORE;
	fixture_empty_store("certrenewd-unit-other");
	remove_all(&f->store);
	fixture_empty_store(FIXTURE_STORE);
	assert_int_equal(count_containers(), f->containers);
	testcert_free(f->intermediate);
	testcert_free(f->root);
	free(f->records);
	tempdir_free(f->dir);
	free(f);
	return 0;
}

/* ---- certificates --------------------------------------------------------- */

static struct issued issued_from(struct testcert *made)
{
	struct issued issued = { .made = made, .key_pem = testcert_key_pem(made) };
	char *pem = testcert_fullchain_pem(made);
	struct err err;

	must(cert_parse(pem, strlen(pem), &issued.cert, &err), &err);
	issued.material = (struct material){ .cert = issued.cert,
					     .key_pem = issued.key_pem,
					     .key_len = strlen(issued.key_pem),
					     .version = 1 };
	issued.sha1 = cert_sha1(issued.cert);
	free(pem);
	return issued;
}

static struct issued make(const struct store_fixture *f, EVP_PKEY *key, const char *type)
{
	static const char *const names[] = { "xu.example", NULL };

	return issued_from(
		testcert_new(&(struct testcert_spec){ .issuer = f->intermediate,
						      .names = names,
						      .key = key,
						      .key_type = type }));
}

struct issued issue(const struct store_fixture *f, EVP_PKEY *key)
{
	return make(f, key, "rsa-2048");
}

struct issued issue_with(const struct store_fixture *f, const char *key_type)
{
	return make(f, NULL, key_type);
}

void issued_clear(struct issued *issued)
{
	cert_free(issued->cert);
	testcert_free(issued->made);
	free(issued->key_pem);
	*issued = (struct issued){ 0 };
}

static PCCERT_CONTEXT context_of(X509 *x509)
{
	unsigned char *der = NULL;
	int len = i2d_X509(x509, &der);
	PCCERT_CONTEXT entry = CertCreateCertificateContext(X509_ASN_ENCODING, der,
							    (DWORD)len);

	OPENSSL_free(der);
	assert_non_null(entry);
	return entry;
}

static void name_container(PCCERT_CONTEXT entry, const char *container)
{
	wchar_t provider[] = PROVIDER, *name = wide_from_utf8(container);
	CRYPT_KEY_PROV_INFO info = { .pwszContainerName = name,
				     .pwszProvName = provider,
				     .dwProvType = PROV_RSA_AES,
				     .dwFlags = CRYPT_MACHINE_KEYSET,
				     .dwKeySpec = AT_KEYEXCHANGE };

	assert_true(CertSetCertificateContextProperty(entry, CERT_KEY_PROV_INFO_PROP_ID,
						      0, &info));
	free(name);
}

void add_foreign(const char *store, const struct issued *issued, const char *container)
{
	PCCERT_CONTEXT entry = context_of(issued->made->x509);
	HCERTSTORE opened = open_store(store);

	if (container)
		name_container(entry, container);
	assert_true(CertAddCertificateContextToStore(
		opened, entry, CERT_STORE_ADD_REPLACE_EXISTING, NULL));
	(void)CertFreeCertificateContext(entry);
	close_committed(opened);
}

/* ---- what Windows says ---------------------------------------------------- */

/* A property of an entry; NULL when it has none. Gives. */
static void *property_of(const char *store, const char *sha1, DWORD id)
{
	HCERTSTORE opened = open_store(store);
	PCCERT_CONTEXT entry = find(opened, sha1);
	void *bytes = NULL;
	DWORD n = 0;

	assert_non_null(entry);
	if (CertGetCertificateContextProperty(entry, id, NULL, &n)) {
		bytes = mem_calloc(1, n + 2);
		assert_true(CertGetCertificateContextProperty(entry, id, bytes, &n));
	}
	(void)CertFreeCertificateContext(entry);
	(void)CertCloseStore(opened, 0);
	return bytes;
}

char *container_of(const char *store, const char *sha1)
{
	CRYPT_KEY_PROV_INFO *info = property_of(store, sha1, CERT_KEY_PROV_INFO_PROP_ID);
	char *name = info ? utf8_from_wide(info->pwszContainerName) : str_dup("");

	assert_true(!info || info->dwFlags & CRYPT_MACHINE_KEYSET);
	free(info);
	return name;
}

char *friendly_name_of(const char *store, const char *sha1)
{
	wchar_t *wide = property_of(store, sha1, CERT_FRIENDLY_NAME_PROP_ID);
	char *name = utf8_from_wide(wide);

	free(wide);
	return name;
}

bool is_exportable(const char *container)
{
	HCRYPTPROV provider;
	HCRYPTKEY key;
	DWORD n = 0;
	BOOL done;

	assert_true(open_container(container, 0, &provider));
	assert_true(CryptGetUserKey(provider, AT_KEYEXCHANGE, &key));
	done = CryptExportKey(key, 0, PRIVATEKEYBLOB, 0, NULL, &n);
	(void)CryptDestroyKey(key);
	(void)CryptReleaseContext(provider, 0);
	return done;
}

char *sddl_of(const char *container)
{
	DWORD n = 0;
	HCRYPTPROV provider;
	wchar_t *wide = NULL;
	BYTE *bytes;
	char *text;

	assert_true(open_container(container, 0, &provider));
	assert_true(CryptGetProvParam(provider, PP_KEYSET_SEC_DESCR, NULL, &n,
				      DACL_SECURITY_INFORMATION));
	bytes = mem_calloc(1, n + 1);
	assert_true(CryptGetProvParam(provider, PP_KEYSET_SEC_DESCR, bytes, &n,
				      DACL_SECURITY_INFORMATION));
	(void)CryptReleaseContext(provider, 0);
	assert_true(ConvertSecurityDescriptorToStringSecurityDescriptorW(
		bytes, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &wide, NULL));
	text = utf8_from_wide(wide);
	LocalFree(wide);
	free(bytes);
	return text;
}

void set_sddl(const char *container, const wchar_t *sddl)
{
	PSECURITY_DESCRIPTOR descriptor = NULL;
	HCRYPTPROV provider;

	assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorW(
		sddl, SDDL_REVISION_1, &descriptor, NULL));
	assert_true(open_container(container, 0, &provider));
	(void)privilege_take(L"SeSecurityPrivilege");
	assert_true(CryptSetProvParam(provider, PP_KEYSET_SEC_DESCR, descriptor,
				      DACL_SECURITY_INFORMATION));
	privilege_drop();
	(void)CryptReleaseContext(provider, 0);
	LocalFree(descriptor);
}

/* ---- the other process ---------------------------------------------------- */

int elsewhere(const char *const *words)
{
	const char *argv[8] = { process_self_path() };
	const struct process_spec spec = { .argv = argv, .timeout_s = 60 };
	struct process_result result;
	struct err err;

	for (size_t i = 0; words[i]; i++) {
		assert_in_range(i + 2, 0, sizeof(argv) / sizeof(*argv) - 1);
		argv[i + 1] = words[i];
	}
	must(process_run(&spec, &result, &err), &err);
	free((char *)argv[0]);
	return result.exit_code;
}

static bool answers_yes(const char *const *words)
{
	int code = elsewhere(words);

	assert_true(code == YES || code == NO);
	return code == YES;
}

bool elsewhere_has_entry(const char *store, const char *sha1)
{
	return answers_yes((const char *[]){ "has-entry", store, sha1, NULL });
}

bool elsewhere_has_container(const char *container)
{
	return answers_yes((const char *[]){ "has-container", container, NULL });
}

void elsewhere_adds_and_dies(const struct store_fixture *f, const struct issued *issued,
			     const char *container)
{
	char *path = str_printf("C:\\certrenewd-unit\\%s.pem", issued->sha1);
	char *pem = testcert_pem(issued->made);
	const char *words[] = { "add-and-die", f->store.name, path, container, NULL };
	struct err err;

	put(path, pem);
	assert_int_equal(elsewhere(words), 9);
	must(file_remove(path, &err), &err);
	free(pem);
	free(path);
}

static int has_entry(const char *store, const char *sha1)
{
	HCERTSTORE opened = open_store(store);
	PCCERT_CONTEXT entry = find(opened, sha1);
	int answer = entry ? YES : NO;

	if (entry)
		(void)CertFreeCertificateContext(entry);
	(void)CertCloseStore(opened, 0);
	return answer;
}

/* Arguments are narrow here: the test's folder has an umlaut, so a path below C:\ alone
 * is handed over. */
static int add_and_die(char **argv)
{
	HCERTSTORE opened = open_store(argv[2]);
	struct cert *cert = NULL;
	PCCERT_CONTEXT entry;
	struct err err;

	must(cert_load(argv[3], &cert, &err), &err);
	entry = context_of(cert_leaf(cert));
	name_container(entry, argv[4]);
	assert_true(CertAddCertificateContextToStore(
		opened, entry, CERT_STORE_ADD_REPLACE_EXISTING, NULL));
	TerminateProcess(GetCurrentProcess(), 9);
	return 1;
}

static int prove(char **argv)
{
	struct err err;

	if (!windows_prove_key(argv[2], argv[3], &err))
		return 0;
	(void)fprintf(stderr, "%s\n", err.text);
	return 1;
}

int fixture_main(int argc, char **argv, int (*run)(void))
{
	if (argc == 4 && str_equal(argv[1], WINDOWS_PROVE_WORD))
		return prove(argv);
	if (argc == 4 && str_equal(argv[1], "has-entry"))
		return has_entry(argv[2], argv[3]);
	if (argc == 3 && str_equal(argv[1], "has-container"))
		return has_container(argv[2]) ? YES : NO;
	if (argc == 5 && str_equal(argv[1], "add-and-die"))
		return add_and_die(argv);
	return run();
}
