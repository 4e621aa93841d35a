#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "config/system.h"
#include "daemon/written.h"

static const struct issuer_config issuers[] = {
	{ .name = "ca", .type = ISSUER_ACME },
	{ .name = "none", .type = ISSUER_NONE },
};
static const char *const by_ca[] = { "ca", NULL };
static const char *const by_nobody[] = { "none", NULL };

static struct written_list of_target(const struct target *target,
				     const char *const *names)
{
	const struct certificate_config certificate = {
		.name = "shop",
		.issuers = names,
		.targets = target,
		.n_targets = 1,
	};
	const struct config config = {
		.issuers = issuers,
		.n_issuers = 2,
		.certificates = &certificate,
		.n_certificates = 1,
	};
	struct written_list list = { 0 };

	written_by(&config, &list);
	return list;
}

static const struct written *find(const struct written_list *list, const char *path)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->items[i].path, path))
			return &list->items[i];
	return NULL;
}

static void a_directory_store_writes_the_folder_that_its_link_is_in(void **state)
{
	const struct target target = {
		.name = "nginx",
		.store = { .type = STORE_DIRECTORY, .path = "/etc/certrenewd/live/shop" },
	};
	struct written_list list = of_target(&target, by_ca);

	(void)state;
	assert_int_equal(list.n, 1);
	assert_string_equal(list.items[0].path, "/etc/certrenewd/live");
	assert_true(list.items[0].folder);
	assert_string_equal(list.items[0].whom, "shop: nginx");
	written_clear(&list);
}

static void
an_application_writes_its_files_and_the_settings_that_a_fallback_returns(void **state)
{
	static const char *const settings[] = { "/srv/xu/conf/server*", NULL };
	const struct target target = {
		.name = "xu",
		.install_dir = "/srv/xu",
		.tls_json = "/srv/xu/config/servers/tls.json",
		.listener_json = "/srv/xu/listener.json",
		.settings = settings,
	};
	struct written_list list = of_target(&target, by_ca);

	(void)state;
	assert_false(find(&list, "/srv/xu/config/servers/tls.json")->folder);
	assert_false(find(&list, "/srv/xu/listener.json")->folder);
	assert_true(find(&list, "/srv/xu/config")->folder);
	assert_true(find(&list, "/srv/xu/conf")->folder);
	assert_int_equal(list.n, 4);
	written_clear(&list);
}

static void what_programs_say_that_they_change_is_written_once(void **state)
{
	static const char *const argv[] = { "/bin/x", NULL };
	static const char *const changes[] = { "/srv/app/app.conf", NULL };
	const struct program program = { .argv = argv, .changes = changes };
	const struct target target = {
		.name = "app",
		.store = { .type = STORE_FILES, .key = "/srv/app/key.pem" },
		.programs = &program,
		.n_programs = 1,
		.service = { .command = program },
		.before_fallback = program,
	};
	struct written_list list = of_target(&target, by_ca);

	(void)state;
	assert_int_equal(list.n, 2);
	assert_non_null(find(&list, "/srv/app/key.pem"));
	assert_non_null(find(&list, "/srv/app/app.conf"));
	written_clear(&list);
}

static void a_certificate_that_is_only_watched_writes_nothing(void **state)
{
	const struct target target = {
		.name = "app",
		.store = { .type = STORE_FILES, .key = "/srv/app/key.pem" },
	};
	struct written_list list = of_target(&target, by_nobody);

	(void)state;
	assert_int_equal(list.n, 0);
	written_clear(&list);
}

static void the_webroot_and_the_log_file_are_written(void **state)
{
	const struct challenge challenge = { .webroot = "/var/www/shop" };
	const struct certificate_config certificate = {
		.name = "shop",
		.issuers = by_ca,
		.challenges = &challenge,
		.n_challenges = 1,
	};
	const struct config config = {
		.log_file = "/var/log/certrenewd/log",
		.issuers = issuers,
		.n_issuers = 2,
		.certificates = &certificate,
		.n_certificates = 1,
	};
	struct written_list list = { 0 };

	(void)state;
	written_by(&config, &list);
	assert_true(find(&list, "/var/www/shop")->folder);
	assert_false(find(&list, "/var/log/certrenewd/log")->folder);
	assert_int_equal(list.n, 2);
	written_clear(&list);
}

static void the_state_directory_is_written_where_it_is_not_the_usual_one(void **state)
{
	char *usual = system_default_state_dir();
	struct config config = { .state_dir = "/srv/crd/state" };
	struct written_list list = { 0 };

	(void)state;
	written_by(&config, &list);
	assert_int_equal(list.n, 1);
	assert_true(find(&list, "/srv/crd/state")->folder);
	assert_string_equal(list.items[0].whom, "state_dir");
	written_clear(&list);
	config.state_dir = usual;
	written_by(&config, &list);
	assert_int_equal(list.n, 0);
	written_clear(&list);
	free(usual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_store_writes_the_folder_that_its_link_is_in),
		cmocka_unit_test(
			an_application_writes_its_files_and_the_settings_that_a_fallback_returns),
		cmocka_unit_test(what_programs_say_that_they_change_is_written_once),
		cmocka_unit_test(a_certificate_that_is_only_watched_writes_nothing),
		cmocka_unit_test(the_webroot_and_the_log_file_are_written),
		cmocka_unit_test(
			the_state_directory_is_written_where_it_is_not_the_usual_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
