/* What Theobald's applications have beside tls.json. */
#include "tests/unit/hooks/deploy_world.h"

#include <unistd.h>

#include "hooks/idle.h"
#include "hooks/settings.h"

#define GENERAL "config/server/general.json"

static void write_text(const char *path, const char *text)
{
	struct err err;
	char *folder = path_parent(path);

	assert_int_equal(dir_make(folder, FILE_PUBLIC, &err), 0);
	assert_int_equal(file_replace(path, text, strlen(text), FILE_PUBLIC, &err), 0);
	free(folder);
}

static char *lower_case(const char *text)
{
	char *copy = str_dup(text);

	for (char *c = copy; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + 32);
	return copy;
}

/* An odd but valid document that names `sha1` twice. */
static char *general_of(const char *sha1)
{
	char *small = lower_case(sha1);
	char *text = str_printf("\xEF\xBB\xBF{\r\n\t\"port\": 1.50e3,\r\n\t\"a\": \"%s\","
				"\r\n\t\"b\": [\"%s\"],\"%s\": \"x%s\"}\r\n",
				sha1, small, sha1, sha1);

	free(small);
	return text;
}

static char *expected_of(const char *old, const char *new)
{
	char *small = lower_case(new);
	char *text = str_printf("\xEF\xBB\xBF{\r\n\t\"port\": 1.50e3,\r\n\t\"a\": \"%s\","
				"\r\n\t\"b\": [\"%s\"],\"%s\": \"x%s\"}\r\n",
				new, small, old, old);

	free(small);
	return text;
}

struct product {
	char *pattern, *general, *before;
	const char *settings[2];
};

static struct product product_new(struct world *w)
{
	struct product product = { 0 };

	product.pattern = path_join(w->apps[0].dir, "config/server*");
	product.general = path_join(w->apps[0].dir, GENERAL);
	product.before = general_of(cert_sha1(w->a.cert));
	write_text(product.general, product.before);
	return product;
}

static void product_use(struct world *w, struct product *product)
{
	product->settings[0] = product->pattern;
	w->targets[0].settings = product->settings;
}

static void product_free(struct product *product)
{
	free(product->pattern);
	free(product->general);
	free(product->before);
}

static void assert_file_says(const char *path, const char *text)
{
	char *bytes = bytes_of(path);

	assert_non_null(bytes);
	assert_string_equal(bytes, text);
	free(bytes);
}

static void other_settings_name_the_new_certificate_and_keep_their_bytes(void **state)
{
	struct world *w = *state;
	struct product product = product_new(w);
	char *expected = expected_of(cert_sha1(w->a.cert), cert_sha1(w->b.cert));

	product_use(w, &product);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_file_says(product.general, expected);
	assert_int_equal(w->outcome.targets[0].notes.n, 1);
	assert_contains(w->outcome.targets[0].notes.items[0],
			"named the old certificate and names the new one now");
	free(expected);
	product_free(&product);
}

static void a_rollback_puts_other_settings_back(void **state)
{
	struct world *w = *state;
	struct product product = product_new(w);
	char *how = str_printf("{\"refuse\": \"not today\", \"except\": \"%s\"}",
			       cert_sha1(w->a.cert));

	product_use(w, &product);
	app_misbehaves(&w->apps[0], how);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_ROLLED_BACK, "not today");
	assert_file_says(product.general, product.before);
	free(how);
	product_free(&product);
}

static void what_is_no_json_is_left_alone_and_noted(void **state)
{
	struct world *w = *state;
	struct product product = product_new(w);
	char *text = str_printf("{ \"broken\": \"%s\", ", cert_sha1(w->a.cert));

	product_use(w, &product);
	write_text(product.general, text);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_file_says(product.general, text);
	assert_contains(w->outcome.targets[0].notes.items[0], "is left alone");
	free(text);
	product_free(&product);
}

static void programs_get_the_words_of_win_acme_one_argument_each(void **state)
{
	struct world *w = *state;
	char *body = str_printf("printf '%%s|' \"$@\" > \"${0%%/*}/said\"");
	char *path = script(w, "step", body), *said = in_world(w, "said"), *expected;
	const char *argv[] = { path,  "{OldCertThumbprint} {CertThumbprint}",
			       "{5}", "{certthumbprint}{8}",
			       "{2}", "{RenewalId}-{StoreType}",
			       NULL };
	const struct program step = { argv, NULL, 10 };
	const char *name = path_base(w->folder);

	w->targets[0].programs = &step;
	w->targets[0].n_programs = 1;
	assert_int_equal(run(w), 0);
	expected = str_printf("%s %s|%s|{certthumbprint}{8}||%s-PemFiles|",
			      cert_sha1(w->a.cert), cert_sha1(w->b.cert),
			      cert_sha1(w->b.cert), name);
	assert_file_says(said, expected);
	free(expected);
	free(said);
	free(path);
	free(body);
}

static int enter(struct world *w)
{
	w->deployment.material = NULL;
	return fallback_enter(&w->deployment, &w->targets[0], NULL, &w->err);
}

/* Gives the product's own listener.json, said to be open. */
static char *open_listener(struct world *w, char **ret_path)
{
	char *path = path_join(w->apps[0].dir, "listener.json"), *text = bytes_of(path);
	char *at = strstr(text, "\"Localhost\""), *open;

	assert_non_null(at);
	open = str_printf("%.*s\"Any\"%s", (int)(at - text), text,
			  at + strlen("\"Localhost\""));
	write_text(path, open);
	free(text);
	*ret_path = path;
	return open;
}

static void plain_http_is_for_the_machine_itself_and_the_mode_comes_back(void **state)
{
	struct world *w = *state;
	char *path, *open = open_listener(w, &path), *during;

	w->targets[0].listener_json = path;
	assert_int_equal(enter(w), 0);
	during = bytes_of(path);
	assert_contains(during, "\"Localhost\"");
	w->deployment.material = &w->b.material;
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_file_says(path, open);
	free(during);
	free(open);
	free(path);
}

static void an_operators_own_listener_json_stays(void **state)
{
	struct world *w = *state;
	char *path, *open = open_listener(w, &path), *theirs, *during;

	w->targets[0].listener_json = path;
	assert_int_equal(enter(w), 0);
	during = bytes_of(path);
	theirs = str_printf("%s\n\n", during);
	write_text(path, theirs);
	w->deployment.material = &w->b.material;
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_file_says(path, theirs);
	free(theirs);
	free(during);
	free(open);
	free(path);
}

static void the_built_in_guard_is_for_windows_and_nothing_is_done_without_it(void **state)
{
	struct world *w = *state;

	w->targets[0].firewall_guard = true;
	assert_int_equal(enter(w), -1);
	assert_contains(w->err.text, "Windows only");
	assert_serves(&w->apps[0], &w->a);
}

static void an_application_that_cannot_be_asked_is_not_waited_for(void **state)
{
	struct world *w = *state;
	char *url = str_printf("https://%s", w->apps[0].listener_connect);

	w->targets[0].wait_idle = (struct wait_idle){ url, 60 };
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_contains(w->outcome.targets[0].notes.items[0], "not waited for");
	free(url);
}

static enum idle_state judge(const char *answer)
{
	char why[128] = "";

	return idle_judge(answer, strlen(answer), why, sizeof(why));
}

static void a_running_extraction_is_found_in_broken_json_too(void **state)
{
	(void)state;
	assert_int_equal(judge("HTTP/1.1 200 OK\r\n\r\n{\"extractions\":[{\"runs\":"
			       "[{\"state\" : \"Running\"}]}]"),
			 IDLE_BUSY);
	assert_int_equal(judge("HTTP/1.0 200 OK\r\n\r\n{\"extractions\":[{\"runs\":"
			       "[{\"state\":\"FinishedNoErrors\"}]}]"),
			 IDLE_FREE);
}

static void other_answers_say_nothing(void **state)
{
	(void)state;
	assert_int_equal(judge("HTTP/1.1 401 Unauthorized\r\n\r\n\"state\":\"Running\""),
			 IDLE_UNKNOWN);
	assert_int_equal(judge("HTTP/1.1 404 Not Found\r\n\r\n"), IDLE_UNKNOWN);
	assert_int_equal(judge("HTTP/1.1 200 OK\r\n\r\nhello"), IDLE_UNKNOWN);
	assert_int_equal(judge("SSH-2.0"), IDLE_UNKNOWN);
	assert_int_equal(judge(""), IDLE_UNKNOWN);
}

static void an_answer_with_a_zero_byte_says_nothing(void **state)
{
	static const char answer[] = "HTTP/1.\r\n\r\n\0 200 and more";
	char why[128] = "";

	(void)state;
	assert_int_equal(idle_judge(answer, sizeof(answer), why, sizeof(why)),
			 IDLE_UNKNOWN);
	assert_string_equal(why, "its answer is not HTTP");
}

static void an_old_thumbprint_that_is_none_is_no_argument(void **state)
{
	struct world *w = *state;
	char *body = str_printf("printf '%%s|' \"$@\" > \"${0%%/*}/said\"");
	char *path = script(w, "step", body), *said = in_world(w, "said");
	const char *argv[] = { path, "old={OldCertThumbprint}", NULL };
	const struct program step = { argv, NULL, 10 };

	write_text(w->apps[0].tls_json, "{\"tlsEnabled\": true, \"certificate\": "
					"{\"thumbprint\": \"\\\"& calc &\\\"\"}}");
	w->targets[0].programs = &step;
	w->targets[0].n_programs = 1;
	assert_int_equal(run(w), 0);
	assert_file_says(said, "old=|");
	free(said);
	free(path);
	free(body);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest products[] = {
		TEST(other_settings_name_the_new_certificate_and_keep_their_bytes),
		TEST(a_rollback_puts_other_settings_back),
		TEST(what_is_no_json_is_left_alone_and_noted),
		TEST(programs_get_the_words_of_win_acme_one_argument_each),
		TEST(plain_http_is_for_the_machine_itself_and_the_mode_comes_back),
		TEST(an_operators_own_listener_json_stays),
		TEST(the_built_in_guard_is_for_windows_and_nothing_is_done_without_it),
		TEST(an_application_that_cannot_be_asked_is_not_waited_for),
		cmocka_unit_test(a_running_extraction_is_found_in_broken_json_too),
		cmocka_unit_test(other_answers_say_nothing),
		cmocka_unit_test(an_answer_with_a_zero_byte_says_nothing),
		TEST(an_old_thumbprint_that_is_none_is_no_argument),
	};

	return cmocka_run_group_tests(products, NULL, NULL);
}
