#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

#include "base/http_client.h"
#include "hooks/http01.h"
#include "tests/unit/base/tempdir.h"

struct world {
	struct http01 *http01;
	struct http_client *client;
	char listen[32], other[32]; /* two free places on loopback */
};

static void find_place(char *out, size_t size)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	snprintf(out, size, "127.0.0.1:%u", ntohs(address.sin_port));
}

static int set_up(void **state)
{
	struct http_client_options options = { .timeout_s = 5, .allow_plain = true };
	struct world *w = mem_calloc(1, sizeof(*w));
	struct err err;

	w->http01 = http01_new();
	assert_int_equal(http_client_new(&options, NULL, &w->client, &err), 0);
	find_place(w->listen, sizeof(w->listen));
	find_place(w->other, sizeof(w->other));
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	http_client_free(w->client);
	http01_free(w->http01);
	free(w);
	return 0;
}

/* The status of a GET, with the body checked; 0 when nobody listens. */
static long fetch(struct world *w, const char *listen, const char *path, const char *body)
{
	char *url = str_printf("http://%s%s", listen, path);
	struct http_request request = { .method = "GET", .url = url };
	struct http_response response = { 0 };
	struct err err = { 0 };
	long status = 0;

	if (!http_client_perform(w->client, &request, &response, &err)) {
		status = response.status;
		if (body)
			assert_string_equal(buf_str(&response.body), body);
		http_response_release(&response);
	}
	free(url);
	return status;
}

static void serve(struct world *w, const char *listen, const char *token,
		  const char *key_authorization)
{
	struct err err;

	if (http01_serve(w->http01, listen, token, key_authorization, &err))
		fail_msg("%s", err.text);
}

#define CHALLENGE "/.well-known/acme-challenge/"

static void several_tokens_are_served_at_once_and_nothing_else(void **state)
{
	struct world *w = *state;

	serve(w, w->listen, "one", "one.thumb");
	serve(w, w->listen, "two", "two.thumb");
	assert_int_equal(fetch(w, w->listen, CHALLENGE "one", "one.thumb"), 200);
	assert_int_equal(fetch(w, w->listen, CHALLENGE "two", "two.thumb"), 200);
	assert_int_equal(fetch(w, w->listen, CHALLENGE "three", NULL), 404);
	assert_int_equal(fetch(w, w->listen, CHALLENGE, NULL), 404);
	assert_int_equal(fetch(w, w->listen, "/one", NULL), 404);
	assert_int_equal(fetch(w, w->listen, "/", NULL), 404);
}

static void nothing_is_bound_without_a_live_token(void **state)
{
	struct world *w = *state;

	assert_int_equal(fetch(w, w->listen, "/", NULL), 0);
	serve(w, w->listen, "one", "1");
	serve(w, w->listen, "two", "2");
	http01_withdraw(w->http01, w->listen, "one");
	assert_int_equal(fetch(w, w->listen, CHALLENGE "one", NULL), 404);
	assert_int_equal(fetch(w, w->listen, CHALLENGE "two", "2"), 200);
	http01_withdraw(w->http01, w->listen, "never");
	assert_int_equal(fetch(w, w->listen, CHALLENGE "two", "2"), 200);
	http01_withdraw(w->http01, w->listen, "two");
	assert_int_equal(fetch(w, w->listen, CHALLENGE "two", NULL), 0);
	http01_withdraw(w->http01, w->listen, "two");
}

static void addresses_are_served_independently(void **state)
{
	struct world *w = *state;

	serve(w, w->listen, "one", "1");
	serve(w, w->other, "two", "2");
	assert_int_equal(fetch(w, w->listen, CHALLENGE "one", "1"), 200);
	assert_int_equal(fetch(w, w->other, CHALLENGE "one", NULL), 404);
	assert_int_equal(fetch(w, w->other, CHALLENGE "two", "2"), 200);
	http01_withdraw(w->http01, w->listen, "one");
	assert_int_equal(fetch(w, w->listen, "/", NULL), 0);
	assert_int_equal(fetch(w, w->other, CHALLENGE "two", "2"), 200);
}

static void the_newest_answer_for_a_token_counts(void **state)
{
	struct world *w = *state;

	serve(w, w->listen, "one", "old");
	serve(w, w->listen, "one", "new");
	assert_int_equal(fetch(w, w->listen, CHALLENGE "one", "new"), 200);
	http01_withdraw(w->http01, w->listen, "one");
	assert_int_equal(fetch(w, w->listen, "/", NULL), 0);
}

static void a_port_that_is_taken_is_named(void **state)
{
	struct world *w = *state;
	struct http01 *second = http01_new();
	struct err err = { 0 };

	assert_int_equal(http01_check(w->http01, w->listen, &err), 0);
	assert_int_equal(fetch(w, w->listen, "/", NULL), 0);
	serve(w, w->listen, "one", "1");
	assert_int_equal(http01_check(w->http01, w->listen, &err), 0);
	assert_int_equal(fetch(w, w->listen, CHALLENGE "one", "1"), 200);

	assert_int_equal(http01_check(second, w->listen, &err), -1);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	assert_says(&err, strrchr(w->listen, ':') + 1);
	assert_says(&err, "is taken");
	assert_int_equal(http01_serve(second, w->listen, "x", "y", &err), -1);
	assert_says(&err, "is taken");
	assert_int_equal(http01_serve(second, "nowhere", "x", "y", &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	http01_free(second);
}

struct worker {
	struct world *world;
	pthread_t thread;
	char name[16];
	int failures;
};

static void *serve_and_withdraw(void *arg)
{
	struct worker *worker = arg;
	struct err err;

	for (int i = 0; i < 20; i++) {
		worker->failures += http01_serve(worker->world->http01,
						 worker->world->listen, worker->name, "x",
						 &err) != 0;
		http01_withdraw(worker->world->http01, worker->world->listen,
				worker->name);
	}
	return NULL;
}

static void workers_share_one_responder(void **state)
{
	struct world *w = *state;
	struct worker workers[4];

	for (size_t i = 0; i < 4; i++) {
		workers[i] = (struct worker){ .world = w };
		snprintf(workers[i].name, sizeof(workers[i].name), "token%zu", i);
		assert_int_equal(pthread_create(&workers[i].thread, NULL,
						serve_and_withdraw, &workers[i]),
				 0);
	}
	for (size_t i = 0; i < 4; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].failures, 0);
	}
	assert_int_equal(fetch(w, w->listen, "/", NULL), 0);
	http01_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(several_tokens_are_served_at_once_and_nothing_else),
		TEST(nothing_is_bound_without_a_live_token),
		TEST(addresses_are_served_independently),
		TEST(the_newest_answer_for_a_token_counts),
		TEST(a_port_that_is_taken_is_named),
		TEST(workers_share_one_responder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
