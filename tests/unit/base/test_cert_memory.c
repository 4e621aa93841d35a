/* A certificate is read, and its chain looked at, while OpenSSL finds no memory for its
 * N-th allocation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/cert.h"
#include "tests/support/testcert.h"

enum { READ, REFUSED, SAID_TO_BE_DAMAGED, READ_WITHOUT_ITS_KEY };

static unsigned long allocations, fails_at; /* 0: none fails */

static bool fails(void)
{
	return fails_at && ++allocations == fails_at;
}

static void *take(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : malloc(size);
}

static void *again(void *old, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : realloc(old, size);
}

static void give(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	free(memory);
}

/* In a child, because our own small allocations end a program that has none. */
static int read_with_failing(unsigned long nth, const char *pem, const EVP_PKEY *key)
{
	struct cert *cert = NULL;
	struct err err = { 0 };

	allocations = 0;
	fails_at = nth;
	if (cert_parse(pem, strlen(pem), &cert, &err))
		return err.kind == ERR_CONFIG ? SAID_TO_BE_DAMAGED : REFUSED;
	fails_at = 0;
	if (!cert_matches_key(cert, key) || strlen(cert_sha1(cert)) != 40)
		return READ_WITHOUT_ITS_KEY;
	cert_free(cert);
	return allocations < nth ? READ : REFUSED;
}

static int in_child(unsigned long nth, const char *pem, const EVP_PKEY *key)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(read_with_failing(nth, pem, key));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGABRT);
		return REFUSED;
	}
	return WEXITSTATUS(status);
}

static void a_certificate_is_not_damaged_because_memory_is_out(void **state)
{
	struct testcert *ca = testcert_ca("Test CA");
	struct testcert *leaf = testcert_leaf(ca, "a.example", 0, 0);
	char *pem = testcert_pem(leaf);
	unsigned long nth = 1;
	struct cert *cert;
	struct err err;
	int end;

	(void)state;
	assert_int_equal(cert_parse(pem, strlen(pem), &cert, &err), 0); /* warm */
	cert_free(cert);
	while ((end = in_child(nth, pem, leaf->key)) != READ) {
		if (end != REFUSED)
			fail_msg("allocation %lu: %s", nth,
				 end == SAID_TO_BE_DAMAGED ? "said to be damaged"
							   : "read without its key");
		nth++;
	}
	assert_true(nth > 50);
	free(pem);
	testcert_free(leaf);
	testcert_free(ca);
}

/* In a child, as above. What one try has lost, none that comes after it makes good. */
static int look_at_chain_with_failing(unsigned long nth, const char *pem)
{
	struct cert *cert = NULL;
	struct err err = { 0 };
	int rc;

	if (cert_parse(pem, strlen(pem), &cert, &err))
		return REFUSED;
	allocations = 0;
	fails_at = nth;
	rc = cert_verify_chain(cert, NULL, false, &err);
	fails_at = 0;
	cert_free(cert);
	if (rc)
		return err.kind == ERR_CONFIG ? SAID_TO_BE_DAMAGED : REFUSED;
	return allocations < nth ? READ : REFUSED;
}

static int chain_in_child(unsigned long nth, const char *pem)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(look_at_chain_with_failing(nth, pem));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) || WTERMSIG(status) == SIGABRT);
	return WIFEXITED(status) ? WEXITSTATUS(status) : REFUSED;
}

static void a_chain_is_not_broken_because_memory_is_out(void **state)
{
	struct testcert *ca = testcert_ca("Test CA");
	struct testcert *leaf = testcert_leaf(ca, "a.example", 0, 0);
	char *one = testcert_pem(leaf), *other = testcert_pem(ca);
	size_t size = strlen(one) + strlen(other) + 1;
	char *pem = malloc(size);
	unsigned long nth = 1;
	int end;

	(void)state;
	assert_non_null(pem);
	snprintf(pem, size, "%s%s", one, other);
	while ((end = chain_in_child(nth, pem)) != READ) {
		if (end != REFUSED)
			fail_msg("allocation %lu: said to be broken", nth);
		nth++;
	}
	assert_true(nth > 20);
	free(pem);
	free(one);
	free(other);
	testcert_free(leaf);
	testcert_free(ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_is_not_damaged_because_memory_is_out),
		cmocka_unit_test(a_chain_is_not_broken_because_memory_is_out),
	};

	if (!CRYPTO_set_mem_functions(take, again, give))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
