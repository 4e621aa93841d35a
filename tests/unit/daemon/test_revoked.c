#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "acme/key.h"
#include "daemon/revoke_reason.h"
#include "daemon/revoked.h"

static void the_newest_stays_when_there_is_no_room(void **state)
{
	char list[10] = "";

	(void)state;
	revoked_add(list, sizeof(list), "AAAA");
	revoked_add(list, sizeof(list), "BBBB");
	assert_string_equal(list, "BBBB AAAA");
	revoked_add(list, sizeof(list), "CCCC");
	assert_string_equal(list, "CCCC BBBB");
}

static void one_is_in_the_list_once(void **state)
{
	char list[64] = "";

	(void)state;
	revoked_add(list, sizeof(list), "AAAA");
	revoked_add(list, sizeof(list), "BBBB");
	revoked_add(list, sizeof(list), "AAAA");
	assert_string_equal(list, "BBBB AAAA");
	assert_true(revoked_has(list, "AAAA"));
	assert_false(revoked_has(list, "CCCC"));
}

static void nothing_is_never_revoked(void **state)
{
	(void)state;
	assert_false(revoked_has("", "AAAA"));
	assert_false(revoked_has("AAAA", ""));
}

static void a_key_is_known_by_its_public_part(void **state)
{
	char a[KEY_DIGEST_SIZE], again[KEY_DIGEST_SIZE], b[KEY_DIGEST_SIZE];
	EVP_PKEY *first = NULL, *second = NULL;
	struct err err;

	(void)state;
	assert_int_equal(key_generate("ec-p256", &first, &err), 0);
	assert_int_equal(key_generate("ec-p256", &second, &err), 0);
	assert_int_equal(key_digest(first, a), 0);
	assert_int_equal(key_digest(first, again), 0);
	assert_int_equal(key_digest(second, b), 0);
	assert_string_equal(a, again);
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(a), KEY_DIGEST_SIZE - 1);
	EVP_PKEY_free(first);
	EVP_PKEY_free(second);
}

static void a_reason_is_a_word_of_the_rfc_in_any_case(void **state)
{
	enum acme_revocation reason = REVOKE_SUPERSEDED;

	(void)state;
	assert_true(revoke_reason_of(NULL, &reason));
	assert_int_equal(reason, REVOKE_UNSPECIFIED);
	assert_true(revoke_reason_of("keycompromise", &reason));
	assert_int_equal(reason, REVOKE_KEY_COMPROMISE);
	assert_true(revoke_reason_of("cessationOfOperation", &reason));
	assert_int_equal(reason, REVOKE_CESSATION_OF_OPERATION);
	assert_false(revoke_reason_of("cACompromise", &reason)); /* not ours to say */
	assert_false(revoke_reason_of("", &reason));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_stays_when_there_is_no_room),
		cmocka_unit_test(one_is_in_the_list_once),
		cmocka_unit_test(nothing_is_never_revoked),
		cmocka_unit_test(a_key_is_known_by_its_public_part),
		cmocka_unit_test(a_reason_is_a_word_of_the_rfc_in_any_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
