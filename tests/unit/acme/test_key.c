#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/key.h"
#include "base/str.h"

static const char encrypted[] =
	"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
	"MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhS2TsuBIkgCwICCAAw\n"
	"DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEELVJDCsG2hFRnoG7EjucgaAEgZBJ\n"
	"UOxJv1Ugmdhb96jXlKBStup/iU76+TkXD7ZCu5x3TZz69cphzPedHkBu4ykZs/p+\n"
	"uGoAC8VT/NXaGEhZlJALbnseNSPpW0x3adK41KCeu9X11c9ADrdP6ER1EWYNX4re\n"
	"eEfURKiZUXgYKFtOJ/XR3m95jeNhT0kDmxB76b8yI+Ghx85i/h+IFzuK5jR9ppA=\n"
	"-----END ENCRYPTED PRIVATE KEY-----\n";

static void every_type_is_made_written_and_read_back(void **state)
{
	static const char *const types[] = { "rsa-2048", "rsa-3072", "rsa-4096",
					     "ec-p256", "ec-p384" };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		EVP_PKEY *key, *copy;
		struct buf pem;
		struct err err;

		buf_init_secret(&pem, 16 * 1024);
		assert_int_equal(key_generate(types[i], &key, &err), 0);
		assert_string_equal(key_type_name(key), types[i]);
		assert_int_equal(key_to_pem(key, &pem, &err), 0);
		assert_true(str_starts(buf_str(&pem), "-----BEGIN PRIVATE KEY-----\n"));
		assert_int_equal(key_from_pem(pem.data, pem.len, &copy, &err), 0);
		assert_int_equal(EVP_PKEY_eq(key, copy), 1);
		assert_string_equal(key_type_name(copy), types[i]);
		EVP_PKEY_free(key);
		EVP_PKEY_free(copy);
		buf_release(&pem);
	}
}

static void an_unknown_type_is_told_with_the_known_ones(void **state)
{
	EVP_PKEY *key = NULL;
	struct err err;

	(void)state;
	assert_int_equal(key_generate("rsa-1024", &key, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.text, "'rsa-1024' is no key type: use rsa-2048"));
	assert_int_equal(key_generate(NULL, &key, &err), -1);
	assert_null(key);
}

static void other_keys_have_no_name_of_ours(void **state)
{
	EVP_PKEY *odd = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1");
	EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	EVP_PKEY *small = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);

	(void)state;
	assert_string_equal(key_type_name(odd), "other");
	assert_string_equal(key_type_name(ed), "other");
	assert_string_equal(key_type_name(small), "other");
	assert_string_equal(key_type_name(NULL), "other");
	EVP_PKEY_free(odd);
	EVP_PKEY_free(ed);
	EVP_PKEY_free(small);
}

static void what_is_no_key_is_refused(void **state)
{
	EVP_PKEY *key = NULL;
	struct err err;

	(void)state;
	assert_int_equal(key_from_pem("rubbish", 7, &key, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_string_equal(err.text, "not a private key in PEM form");
	assert_int_equal(key_from_pem("", 0, &key, &err), -1);
	assert_null(key);
}

static void an_encrypted_key_is_refused_without_asking_for_a_passphrase(void **state)
{
	EVP_PKEY *key = NULL;
	struct err err;

	(void)state;
	assert_int_equal(key_from_pem(encrypted, strlen(encrypted), &key, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.text, "without a passphrase"));
	assert_null(key);
}

static void a_key_that_does_not_fit_its_buffer_is_an_error(void **state)
{
	struct buf pem;
	EVP_PKEY *key;
	struct err err;

	(void)state;
	buf_init_secret(&pem, 16);
	assert_int_equal(key_generate("ec-p256", &key, &err), 0);
	assert_int_equal(key_to_pem(key, &pem, &err), -1);
	assert_int_equal(err.kind, ERR_BUG);
	EVP_PKEY_free(key);
	buf_release(&pem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_is_made_written_and_read_back),
		cmocka_unit_test(an_unknown_type_is_told_with_the_known_ones),
		cmocka_unit_test(other_keys_have_no_name_of_ours),
		cmocka_unit_test(what_is_no_key_is_refused),
		cmocka_unit_test(
			an_encrypted_key_is_refused_without_asking_for_a_passphrase),
		cmocka_unit_test(a_key_that_does_not_fit_its_buffer_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
