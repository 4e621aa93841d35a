/* A key that cannot be read because memory is short is not a damaged one: whoever is told
 * that it is throws an account away. OpenSSL gets its memory from us here, each attempt
 * has a process of its own (what OpenSSL has half set up stays half set up), and one that
 * crashes in OpenSSL has at least said nothing wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "acme/key.h"

#define FIRST 60        /* allocations that set OpenSSL up: each is tried */
#define STEP 211        /* then every so many-th */
#define TRIED_MAX 20000 /* allocations of one attempt */

enum verdict { READ, NOT_NOW, DAMAGED, PAST };

static struct {
	long served;   /* allocations so far */
	long fails_at; /* this one finds no memory; 0: none */
	bool lasting;  /* nor do those that follow */
} memory;

static bool is_out(void)
{
	memory.served++;
	if (!memory.fails_at)
		return false;
	return memory.lasting ? memory.served >= memory.fails_at
			      : memory.served == memory.fails_at;
}

static void *give(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return is_out() ? NULL : malloc(size);
}

static void *give_again(void *old, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return is_out() ? NULL : realloc(old, size);
}

static void take(void *old, const char *file, int line)
{
	(void)file;
	(void)line;
	free(old);
}

/* The first thing that a fresh process does with OpenSSL. */
static enum verdict read_one(const char *pem, struct err *err)
{
	EVP_PKEY *key = NULL;

	memory.served = 0;
	if (!key_from_pem(pem, strlen(pem), &key, err))
		return memory.served < memory.fails_at ? PAST : READ;
	return err->kind == ERR_CONFIG ? DAMAGED : NOT_NOW;
}

/* In a process of its own. A crash says nothing: as NOT_NOW. */
static enum verdict verdict_of(const char *pem, long fails_at, bool lasting)
{
	struct err err;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		signal(SIGSEGV, SIG_DFL); /* cmocka's are for its own process */
		signal(SIGABRT, SIG_DFL);
		memory.fails_at = fails_at;
		memory.lasting = lasting;
		fclose(stderr); /* a sanitizer describes crashes at length */
		_exit(read_one(pem, &err));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) > PAST)
		return NOT_NOW;
	return (enum verdict)WEXITSTATUS(status);
}

/* Made by another process: this one must not have used OpenSSL yet. */
static void make_pem(const char *type, char *ret_pem, size_t size)
{
	int ends[2];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		EVP_PKEY *key;
		struct buf pem;
		struct err err;

		buf_init_secret(&pem, size);
		if (key_generate(type, &key, &err) || key_to_pem(key, &pem, &err))
			_exit(1);
		_exit(write(ends[1], pem.data, pem.len) != (ssize_t)pem.len);
	}
	close(ends[1]);
	n = read(ends[0], ret_pem, size - 1);
	assert_true(n > 0);
	ret_pem[n] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void try_all(const char *type, bool lasting)
{
	int counts[PAST + 1] = { 0 };
	enum verdict verdict = READ;
	char pem[4096];

	make_pem(type, pem, sizeof(pem));
	for (long n = 1; n < TRIED_MAX && verdict != PAST;
	     n += n < FIRST && !lasting ? 1 : STEP) {
		verdict = verdict_of(pem, n, lasting);
		if (verdict == DAMAGED)
			print_message("allocation %ld\n", n);
		counts[verdict]++;
	}
	print_message("%s: read %d, not now %d\n", type, counts[READ], counts[NOT_NOW]);
	assert_int_equal(counts[DAMAGED], 0);
	assert_int_equal(counts[PAST], 1);
	assert_true(counts[NOT_NOW] > 0);
}

static void no_lack_of_memory_makes_a_good_key_a_damaged_one(void **state)
{
	(void)state;
	try_all("ec-p256", false);
	try_all("rsa-2048", false);
}

static void nor_does_one_that_lasts(void **state)
{
	(void)state;
	try_all("ec-p256", true);
}

static void it_is_said_that_nothing_is_known_of_the_key(void **state)
{
	EVP_PKEY *key = NULL;
	struct err err = { 0 };

	(void)state;
	/* once it has all that it sets up it does not crash */
	assert_int_equal(key_from_pem("rubbish", 7, &key, &err), -1);
	memory.fails_at = memory.served + 1;
	memory.lasting = true;
	assert_int_equal(key_from_pem("rubbish", 7, &key, &err), -1);
	memory.fails_at = 0;
	assert_int_equal(err.kind, ERR_IO);
	assert_string_equal(err.text,
			    "OpenSSL can read no private key at the moment: there is too "
			    "little memory, say");
	assert_int_equal(key_from_pem("rubbish", 7, &key, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_lack_of_memory_makes_a_good_key_a_damaged_one),
		cmocka_unit_test(nor_does_one_that_lasts),
		cmocka_unit_test(it_is_said_that_nothing_is_known_of_the_key),
	};

	if (!CRYPTO_set_mem_functions(give, give_again, take))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
