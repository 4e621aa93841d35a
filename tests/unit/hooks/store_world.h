/* store_world.h - a store in a temporary folder and two certificates for it. Header only:
 * tests are single files. */
#ifndef TESTS_UNIT_HOOKS_STORE_WORLD_H
#define TESTS_UNIT_HOOKS_STORE_WORLD_H

#include <sys/stat.h>

#include "hooks/access.h"
#include "hooks/store.h"
#include "tests/support/testcert.h"
#include "tests/unit/base/tempdir.h"

#define DAY INT64_C(86400)
#define NOW INT64_C(1795000000)

/* A certificate with its key, as the transaction hands it over. */
struct sample {
	struct testcert *leaf;
	struct cert *cert;
	char *key_pem;
	struct material material;
};

static inline struct sample sample_of(struct testcert *leaf)
{
	struct sample sample = { .leaf = leaf };
	char *pem = testcert_fullchain_pem(leaf);
	struct err err;

	assert_int_equal(cert_parse(pem, strlen(pem), &sample.cert, &err), 0);
	sample.key_pem = testcert_key_pem(leaf);
	sample.material = (struct material){ .cert = sample.cert,
					     .key_pem = sample.key_pem,
					     .key_len = strlen(sample.key_pem),
					     .version = 1 };
	free(pem);
	return sample;
}

static inline struct sample sample_new(const char *host, const char *key_type)
{
	struct testcert *root = testcert_ca("Test Root");
	struct testcert *ca = testcert_new(&(struct testcert_spec){
		.issuer = root, .ca = true, .common_name = "Test CA" });
	struct testcert *leaf = testcert_new(
		&(struct testcert_spec){ .issuer = ca,
					 .names = (const char *[]){ host, NULL },
					 .key_type = key_type,
					 .not_before_at = NOW,
					 .not_after_at = NOW + 90 * DAY });

	testcert_free(root);
	testcert_free(ca);
	return sample_of(leaf);
}

static inline void sample_clear(struct sample *sample)
{
	cert_free(sample->cert);
	free(sample->key_pem);
	testcert_free(sample->leaf);
}

struct world {
	char *dir, *path;
	struct store store;
	struct sample a, b;
};

static inline int set_up(void **state)
{
	struct world *w = mem_calloc(1, sizeof(*w));

	w->dir = tempdir_new();
	w->path = path_join(w->dir, "shop");
	w->store = (struct store){ .type = STORE_DIRECTORY, .path = w->path };
	w->a = sample_new("a.example", NULL);
	w->b = sample_new("b.example", "rsa-2048");
	*state = w;
	return 0;
}

static inline int tear_down(void **state)
{
	struct world *w = *state;

	sample_clear(&w->a);
	sample_clear(&w->b);
	free(w->path);
	tempdir_free(w->dir);
	free(w);
	return 0;
}

/* "<dir>/shop.versions/<sha1>/<name>". Gives. */
static inline char *inside(const struct world *w, const struct sample *sample,
			   const char *name)
{
	return str_printf("%s.versions/%s%s%s", w->path, cert_sha1(sample->cert),
			  *name ? "/" : "", name);
}

static inline void must_import(const struct world *w, const struct sample *sample)
{
	struct err err;

	if (store_import(&w->store, &sample->material, &err))
		fail_msg("%s", err.text);
}

static inline void must_point(const struct world *w, const struct sample *sample)
{
	struct change_list list = { 0 };
	struct err err;

	if (store_plan(&w->store, &sample->material, &list, &err))
		fail_msg("%s", err.text);
	for (size_t i = 0; i < list.n; i++) {
		if (change_apply(&list.items[i], NULL, &err))
			fail_msg("%s", err.text);
		assert_true(change_is_applied(&list.items[i]));
	}
	change_list_clear(&list);
}

static inline void assert_fails(int rc, const struct err *err, enum err_kind kind,
				const char *part)
{
	assert_int_equal(rc, -1);
	if (err->kind != kind)
		fail_msg("it is '%s': %s", err_kind_name(err->kind), err->text);
	assert_says(err, part);
}

static inline void assert_access(const char *path, const char *owner, const char *group,
				 uint32_t mode)
{
	struct err err;

	if (access_check(path, owner, group, mode, &err))
		fail_msg("%s", err.text);
}

static inline ino_t inode(const char *path)
{
	struct stat facts;

	assert_int_equal(stat(path, &facts), 0);
	return facts.st_ino;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
