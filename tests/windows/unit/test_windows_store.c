/* test_windows_store.c - certificates into the Windows store, and what a death at any
 * point leaves to the next import. Removing stands in test_windows_remove.c, who may read
 * a key in test_windows_access.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "hooks/store.h"
#include "hooks/windows/windows_store.h"
#include "hooks/windows/windows_store_parts.h"
#include "tests/windows/unit/store_fixture.h"
#include "tests/windows/unit/tempdir.h"

static void bring_in(const struct store_fixture *f, const struct issued *issued)
{
	struct err err;

	must(store_import(&f->store, &issued->material, &err), &err);
}

/* In this process and in another one. */
static void signs(const struct store_fixture *f, const struct issued *issued)
{
	struct err err;

	must(store_signs(&f->store, issued->sha1, &err), &err);
	must(store_prove(&f->store, &issued->material, &err), &err);
}

static void lists(const struct store_fixture *f, const char *expected)
{
	struct strlist have = { 0 };
	char *all = str_dup(""), *longer;
	struct err err;

	must(store_list(&f->store, &have, &err), &err);
	for (size_t i = 0; i < have.n; i++) {
		longer = str_printf("%s%s%s", all, i ? " " : "", have.items[i]);
		free(all);
		all = longer;
	}
	assert_string_equal(all, expected);
	free(all);
	strlist_clear(&have);
}

/* ---- importing ------------------------------------------------------------ */

static void two_in_a_row_have_containers_of_their_own_and_both_sign(void **state)
{
	const struct store_fixture *f = *state;
	struct issued first = issue(f, NULL), second = issue(f, NULL);
	char *both = str_printf("%s %s", first.sha1, second.sha1), *one, *two;

	bring_in(f, &first);
	bring_in(f, &second);
	one = container_of(FIXTURE_STORE, first.sha1);
	two = container_of(FIXTURE_STORE, second.sha1);
	assert_true(one[0] == '{' && two[0] == '{');
	assert_string_not_equal(one, two);
	assert_int_equal(count_containers(), f->containers + 2);
	signs(f, &first);
	signs(f, &second);
	lists(f, both);
	free(one);
	free(two);
	free(both);
	issued_clear(&first);
	issued_clear(&second);
}

static void importing_again_changes_nothing(void **state)
{
	const struct store_fixture *f = *state;
	struct issued issued = issue(f, NULL);
	char *before, *after;

	bring_in(f, &issued);
	before = container_of(FIXTURE_STORE, issued.sha1);
	bring_in(f, &issued);
	after = container_of(FIXTURE_STORE, issued.sha1);
	assert_string_equal(before, after);
	assert_int_equal(count_containers(), f->containers + 1);
	free(before);
	free(after);
	issued_clear(&issued);
}

static void a_key_leaves_its_container_only_where_it_may(void **state)
{
	struct store_fixture *f = *state;
	struct issued kept = issue(f, NULL), given = issue(f, NULL);
	char *one, *two;

	bring_in(f, &kept);
	f->store.exportable = true;
	bring_in(f, &given);
	one = container_of(FIXTURE_STORE, kept.sha1);
	two = container_of(FIXTURE_STORE, given.sha1);
	assert_false(is_exportable(one));
	assert_true(is_exportable(two));
	free(one);
	free(two);
	issued_clear(&kept);
	issued_clear(&given);
}

static void the_friendly_name_is_ours_or_as_written(void **state)
{
	struct store_fixture *f = *state;
	struct issued first = issue(f, NULL), second = issue(f, NULL);
	char *name;

	bring_in(f, &first);
	name = friendly_name_of(FIXTURE_STORE, first.sha1);
	assert_true(!strncmp(name, "xu.example 20", 13));
	assert_non_null(strstr(name, "(certrenewd)"));
	free(name);
	f->store.friendly_name = "Verbindung f\xc3\xbcr SAP";
	bring_in(f, &second);
	name = friendly_name_of(FIXTURE_STORE, second.sha1);
	assert_string_equal(name, "Verbindung f\xc3\xbcr SAP");
	free(name);
	issued_clear(&first);
	issued_clear(&second);
}

static void intermediates_go_to_ca_and_roots_nowhere(void **state)
{
	const struct store_fixture *f = *state;
	struct issued issued = issue(f, NULL);
	char *root = testcert_thumbprint(f->root);
	char *intermediate = testcert_thumbprint(f->intermediate);
	char *leaf = testcert_pem(issued.made), *ca = testcert_pem(f->intermediate);
	char *anchor = testcert_pem(f->root), *whole;
	struct err err;

	cert_free(issued.cert);
	whole = str_printf("%s%s%s", leaf, ca, anchor); /* a CA that sends its root */
	must(cert_parse(whole, strlen(whole), &issued.cert, &err), &err);
	issued.material.cert = issued.cert;
	issued.sha1 = cert_sha1(issued.cert);
	assert_false(elsewhere_has_entry("CA", intermediate));
	bring_in(f, &issued);
	assert_true(elsewhere_has_entry("CA", intermediate));
	assert_false(elsewhere_has_entry("CA", root));
	assert_false(elsewhere_has_entry("Root", root));
	assert_false(elsewhere_has_entry(FIXTURE_STORE, intermediate));
	free(whole);
	free(anchor);
	free(ca);
	free(leaf);
	free(intermediate);
	free(root);
	issued_clear(&issued);
}

static void other_stores_of_the_machine_serve_as_well(void **state)
{
	struct store_fixture *f = *state;
	struct issued issued = issue(f, NULL);
	struct err err;

	fixture_make_store("WebHosting");
	f->store.name = "WebHosting";
	bring_in(f, &issued);
	signs(f, &issued);
	assert_true(elsewhere_has_entry("WebHosting", issued.sha1));
	assert_false(elsewhere_has_entry(FIXTURE_STORE, issued.sha1));
	lists(f, issued.sha1);
	must(store_remove(&f->store, issued.sha1, NULL, &err), &err);
	lists(f, "");
	issued_clear(&issued);
}

static void a_store_that_is_not_there_is_named(void **state)
{
	struct store_fixture *f = *state;
	struct issued issued = issue(f, NULL);
	struct err err;

	f->store.name = "certrenewd-no-such-store";
	assert_int_equal(store_import(&f->store, &issued.material, &err), -1);
	assert_says(&err, "'LocalMachine\\certrenewd-no-such-store'");
	assert_int_equal(store_check(&f->store, &(struct service){ 0 }, &err), -1);
	f->store.name = FIXTURE_STORE;
	must(store_check(&f->store, &(struct service){ 0 }, &err), &err);
	issued_clear(&issued);
}

/* ---- keys ----------------------------------------------------------------- */

static void a_key_that_is_kept_stays_in_its_container(void **state)
{
	const struct store_fixture *f = *state;
	struct issued first = issue(f, NULL), second = issue(f, first.made->key);
	char *one, *two, *list, *was;

	bring_in(f, &first);
	one = container_of(FIXTURE_STORE, first.sha1);
	set_sddl(one, L"D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GR;;;S-1-5-80-1-2-3-4-5)");
	was = sddl_of(one);
	bring_in(f, &second);
	two = container_of(FIXTURE_STORE, second.sha1);
	list = sddl_of(two);
	assert_string_equal(one, two);
	assert_string_equal(list, was);
	assert_int_equal(count_containers(), f->containers + 1);
	signs(f, &first);
	signs(f, &second);
	free(was);
	free(list);
	free(one);
	free(two);
	issued_clear(&first);
	issued_clear(&second);
}

static void without_its_key_an_entry_is_enough_and_nothing_else(void **state)
{
	const struct store_fixture *f = *state;
	struct issued there = issue(f, NULL), lost = issue(f, NULL);
	struct err err;

	bring_in(f, &there);
	there.material.key_pem = NULL;
	bring_in(f, &there);
	lost.material.key_pem = NULL;
	assert_int_equal(store_import(&f->store, &lost.material, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "is lost");
	assert_says(&err, "renew NAME --force");
	issued_clear(&there);
	issued_clear(&lost);
}

static void an_entry_that_somebody_deleted_finds_its_key_again(void **state)
{
	const struct store_fixture *f = *state;
	struct issued issued = issue(f, NULL);
	char *before, *after;

	bring_in(f, &issued);
	before = container_of(FIXTURE_STORE, issued.sha1);
	fixture_empty_store(FIXTURE_STORE);
	issued.material.key_pem = NULL; /* it is in its container only */
	bring_in(f, &issued);
	after = container_of(FIXTURE_STORE, issued.sha1);
	assert_string_equal(before, after);
	signs(f, &issued);
	free(before);
	free(after);
	issued_clear(&issued);
}

static void an_ec_key_is_refused_without_experimental(void **state)
{
	const struct store_fixture *f = *state;
	struct issued issued = issue_with(f, "ec-p256");
	struct err err;

	assert_int_equal(store_import(&f->store, &issued.material, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "experimental: yes");
	assert_says(&err, "rsa-2048");
	assert_false(elsewhere_has_entry(FIXTURE_STORE, issued.sha1));
	lists(f, "");
	issued_clear(&issued);
}

static void larger_keys_are_taken_apart_as_well(void **state)
{
	const struct store_fixture *f = *state;
	struct issued issued = issue_with(f, "rsa-3072");

	bring_in(f, &issued);
	signs(f, &issued);
	issued_clear(&issued);
}

/* ---- the proof ------------------------------------------------------------ */

static void another_process_says_what_is_wrong(void **state)
{
	const struct store_fixture *f = *state;
	struct issued issued = issue(f, NULL), other = issue(f, NULL);
	char *container;
	struct err err;

	assert_int_equal(store_prove(&f->store, &issued.material, &err), -1);
	assert_says(&err, "has no entry");
	bring_in(f, &issued);
	container = container_of(FIXTURE_STORE, issued.sha1);
	add_foreign(FIXTURE_STORE, &other, container); /* somebody else's key */
	assert_int_equal(store_prove(&f->store, &other.material, &err), -1);
	assert_says(&err, "does not belong to certificate");
	assert_says(&err, other.sha1);
	destroy_container(container);
	assert_int_equal(store_prove(&f->store, &issued.material, &err), -1);
	assert_says(&err, "open the key container");
	assert_int_equal(windows_prove_key("My", issued.sha1, &err), -1);
	assert_says(&err, "'My' is no store: LocalMachine\\My");
	free(container);
	issued_clear(&issued);
	issued_clear(&other);
}

/* ---- what happens if we die here? ----------------------------------------- */

/* The record alone, naming a container; what it names is given. */
static char *die_after_record(const struct store_fixture *f, const struct issued *issued)
{
	struct record record = { 0 };
	char *container;
	struct err err;

	must(key_container_name(&container, &err), &err);
	key_place_for(issued->made->key, container, &record.place);
	must(record_write(&f->store, issued->sha1, &record, &err), &err);
	record_clear(&record);
	return container;
}

static char *die_after_container(const struct store_fixture *f,
				 const struct issued *issued)
{
	char *container = die_after_record(f, issued);
	struct key_place place;
	struct err err;

	key_place_for(issued->made->key, container, &place);
	must(key_create(&place, issued->made->key, false, &err), &err);
	key_place_clear(&place);
	return container;
}

/* Brings it in once more; it is in the container that was named, and in no other. */
static void heals(const struct store_fixture *f, struct issued *issued, char *container)
{
	char *now;

	bring_in(f, issued);
	now = container_of(FIXTURE_STORE, issued->sha1);
	assert_string_equal(now, container);
	assert_int_equal(count_containers(), f->containers + 1);
	signs(f, issued);
	lists(f, issued->sha1);
	free(now);
	free(container);
	issued_clear(issued);
}

static void dead_after_the_record_the_next_import_heals(void **state)
{
	const struct store_fixture *f = *state;
	struct issued issued = issue(f, NULL);
	char *container = die_after_record(f, &issued);

	assert_int_equal(count_containers(), f->containers);
	lists(f, ""); /* no version as long as no entry is there */
	heals(f, &issued, container);
}

static void dead_after_the_container_the_next_import_heals(void **state)
{
	const struct store_fixture *f = *state;
	struct issued issued = issue(f, NULL);
	char *container = die_after_container(f, &issued);

	lists(f, "");
	heals(f, &issued, container);
}

/* A container without a key, as a death between making and filling it leaves. */
static void dead_in_the_middle_of_the_container_the_next_import_heals(void **state)
{
	const struct store_fixture *f = *state;
	struct issued issued = issue(f, NULL), other = issue(f, NULL);
	char *container = die_after_record(f, &issued);
	struct key_place place;
	struct err err;

	key_place_for(other.made->key, container, &place);
	must(key_create(&place, other.made->key, false, &err), &err);
	key_place_clear(&place);
	issued_clear(&other);
	heals(f, &issued, container);
}

static void dead_before_the_commit_the_next_import_heals(void **state)
{
	const struct store_fixture *f = *state;
	struct issued issued = issue(f, NULL);
	char *container = die_after_container(f, &issued);

	elsewhere_adds_and_dies(f, &issued, container);
	heals(f, &issued, container);
}

static void an_entry_whose_container_is_gone_gets_a_new_key(void **state)
{
	const struct store_fixture *f = *state;
	struct issued issued = issue(f, NULL);
	char *container;

	bring_in(f, &issued);
	container = container_of(FIXTURE_STORE, issued.sha1);
	destroy_container(container);
	heals(f, &issued, container);
}

/* The record is there before the container: no key is ever without a name. */
static void a_sweep_removes_what_runs_that_died_have_left(void **state)
{
	const struct store_fixture *f = *state;
	struct issued one = issue(f, NULL), two = issue(f, NULL), whole = issue(f, NULL);
	char *first = die_after_record(f, &one), *second = die_after_container(f, &two);
	struct err err;

	bring_in(f, &whole);
	must(store_sweep(&f->store, &err), &err);
	assert_false(elsewhere_has_container(second));
	assert_int_equal(count_containers(), f->containers + 1);
	signs(f, &whole);
	lists(f, whole.sha1);
	assert_int_equal(record_read(&f->store, one.sha1, &(struct record){ 0 }, &err),
			 -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	free(first);
	free(second);
	issued_clear(&one);
	issued_clear(&two);
	issued_clear(&whole);
}

static void a_record_that_is_damaged_stops_no_renewal(void **state)
{
	const struct store_fixture *f = *state;
	struct issued old = issue(f, NULL), issued = issue(f, NULL);
	char *container, *name = str_printf("%s-certrenewd_unit.json", old.sha1);
	char *path = path_join(f->records, name);
	struct err err;

	bring_in(f, &old);
	container = container_of(FIXTURE_STORE, old.sha1);
	put(path, "{\"contai");
	bring_in(f, &issued);
	signs(f, &issued);
	assert_int_equal(store_remove(&f->store, old.sha1, NULL, &err), -1);
	assert_says(&err, name);
	must(file_remove(path, &err), &err);
	destroy_container(container);
	free(container);
	free(path);
	free(name);
	issued_clear(&old);
	issued_clear(&issued);
}

#define TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

static int run(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_in_a_row_have_containers_of_their_own_and_both_sign),
		TEST(importing_again_changes_nothing),
		TEST(a_key_leaves_its_container_only_where_it_may),
		TEST(the_friendly_name_is_ours_or_as_written),
		TEST(intermediates_go_to_ca_and_roots_nowhere),
		TEST(other_stores_of_the_machine_serve_as_well),
		TEST(a_store_that_is_not_there_is_named),
		TEST(a_key_that_is_kept_stays_in_its_container),
		TEST(without_its_key_an_entry_is_enough_and_nothing_else),
		TEST(an_entry_that_somebody_deleted_finds_its_key_again),
		TEST(an_ec_key_is_refused_without_experimental),
		TEST(larger_keys_are_taken_apart_as_well),
		TEST(another_process_says_what_is_wrong),
		TEST(dead_after_the_record_the_next_import_heals),
		TEST(dead_after_the_container_the_next_import_heals),
		TEST(dead_in_the_middle_of_the_container_the_next_import_heals),
		TEST(dead_before_the_commit_the_next_import_heals),
		TEST(an_entry_whose_container_is_gone_gets_a_new_key),
		TEST(a_sweep_removes_what_runs_that_died_have_left),
		TEST(a_record_that_is_damaged_stops_no_renewal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
	return fixture_main(argc, argv, run);
}
