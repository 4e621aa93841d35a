#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/err.h"

static void a_failure_is_one_sentence_with_the_cause_last(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(err_set(&err, ERR_REFUSED, "rateLimited: %s", "too many"), -1);
	assert_int_equal(err_wrap(&err, "finalize %s", "order"), -1);
	assert_int_equal(err_wrap(&err, "renew '%s'", "xu"), -1);
	assert_string_equal(err.text,
			    "renew 'xu': finalize order: rateLimited: too many");
	assert_int_equal(err.kind, ERR_REFUSED);
}

static void a_context_that_does_not_fit_is_dropped_and_the_cause_stays(void **state)
{
	struct err err = { 0 };
	char cause[sizeof(err.text) - 8];

	(void)state;
	memset(cause, 'c', sizeof(cause) - 1);
	cause[sizeof(cause) - 1] = '\0';
	err_set(&err, ERR_IO, "%s", cause);
	err_wrap(&err, "abcdef"); /* with ": " exactly the room that is left */
	assert_memory_equal(err.text, "abcdef: ccc", 11);
	err_wrap(&err, "x");
	assert_memory_equal(err.text, "abcdef: ccc", 11);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void a_sentence_too_long_is_cut_inside_the_struct(void **state)
{
	struct err err = { 0 };
	char text[2 * sizeof(err.text)];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, ERR_IO, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void a_new_failure_may_quote_the_old_one_and_forgets_its_advice(void **state)
{
	struct err err = { 0 };

	(void)state;
	err_set(&err, ERR_TRANSIENT, "busy");
	err.retry_after_s = 60;
	err_wrap(&err, "order");
	assert_int_equal(err.retry_after_s, 60);
	err_set(&err, ERR_CONFIG, "gave up after '%s'", err.text);
	assert_string_equal(err.text, "gave up after 'order: busy'");
	assert_int_equal(err.retry_after_s, 0);
}

static void what_the_system_said_decides_the_kind(void **state)
{
	struct err err = { 0 };

	(void)state;
	errno = ENOENT;
	assert_int_equal(err_os(&err, "open '%s'", "/x"), -1);
	assert_string_equal(err.text, "open '/x': No such file or directory");
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	errno = EACCES;
	err_os(&err, "open '/x'");
	assert_int_equal(err.kind, ERR_DENIED);
	errno = EPERM;
	err_os(&err, "open '/x'");
	assert_int_equal(err.kind, ERR_DENIED);
	errno = ENOSPC;
	err_os(&err, "write '/x'");
	assert_int_equal(err.kind, ERR_IO);
	assert_string_equal(err.text, "write '/x': No space left on device");
}

static void openssl_is_quoted_with_its_first_reason_and_its_queue_emptied(void **state)
{
	struct err err = { 0 };

	(void)state;
	ERR_clear_error();
	ERR_raise(ERR_LIB_PEM, PEM_R_BAD_PASSWORD_READ);
	ERR_raise(ERR_LIB_PEM, PEM_R_NO_START_LINE);
	assert_int_equal(err_openssl(&err, "read '%s'", "k.pem"), -1);
	assert_string_equal(err.text, "read 'k.pem': bad password read");
	assert_int_equal(err.kind, ERR_IO);
	assert_int_equal(ERR_peek_error(), 0);
}

static void openssl_quotes_the_system_and_admits_silence(void **state)
{
	struct err err = { 0 };
	BIO *bio;

	(void)state;
	ERR_clear_error();
	err_openssl(&err, "sign");
	assert_string_equal(err.text, "sign: OpenSSL gave no reason");
	bio = BIO_new_file("/nonexistent/file", "r");
	assert_null(bio);
	err_openssl(&err, "load");
	assert_string_equal(err.text, "load: No such file or directory");
}

static void every_kind_has_a_name_of_its_own(void **state)
{
	(void)state;
	assert_string_equal(err_kind_name(ERR_NONE), "none");
	assert_string_equal(err_kind_name(ERR_TRANSIENT), "transient");
	assert_string_equal(err_kind_name(ERR_BUG), "bug");
	for (int a = ERR_NONE; a <= ERR_BUG; a++) {
		for (int b = a + 1; b <= ERR_BUG; b++)
			assert_string_not_equal(err_kind_name(a), err_kind_name(b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_is_one_sentence_with_the_cause_last),
		cmocka_unit_test(
			a_context_that_does_not_fit_is_dropped_and_the_cause_stays),
		cmocka_unit_test(a_sentence_too_long_is_cut_inside_the_struct),
		cmocka_unit_test(
			a_new_failure_may_quote_the_old_one_and_forgets_its_advice),
		cmocka_unit_test(what_the_system_said_decides_the_kind),
		cmocka_unit_test(
			openssl_is_quoted_with_its_first_reason_and_its_queue_emptied),
		cmocka_unit_test(openssl_quotes_the_system_and_admits_silence),
		cmocka_unit_test(every_kind_has_a_name_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
