#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "daemon/prove.h"
#include "daemon/responders.h"
#include "hooks/tls_alpn01.h"
#include "tests/unit/hooks/tls_client.h"

struct order { /* of one certificate, on a worker of its own */
	struct pass pass;
	struct provers all;
	struct prover prover;
	struct acme_challenge challenge;
};

struct world {
	struct responders responders;
	struct pipeline_input in;
	struct challenge way;
	char listen[32];
};

static void world_open(struct world *w)
{
	unsigned port;

	*w = (struct world){ .responders = { .tls_alpn01 = tls_alpn01_new() } };
	close(take_port(&port));
	snprintf(w->listen, sizeof(w->listen), "127.0.0.1:%u", port);
	w->way = (struct challenge){ .type = TLS_ALPN_01, .listen = w->listen };
	w->in.responders = &w->responders;
}

static void order_open(struct order *order, struct world *w, const char *token,
		       const char *key_authorization)
{
	*order = (struct order){
		.pass = { .in = &w->in },
		.challenge = { .type = "tls-alpn-01",
			       .identifier = "one.example",
			       .token = token,
			       .key_authorization = key_authorization },
	};
	order->all.pass = &order->pass;
	order->prover = (struct prover){ .all = &order->all,
					 .challenge = &w->way,
					 .type = &prove_tls_alpn };
}

static int show(struct order *order)
{
	struct err err;

	return prove_tls_alpn.present(&order->prover, &order->challenge, &err);
}

/* acme/ calls it after an answer that could not be shown, too. */
static void take_away(struct order *order)
{
	prove_tls_alpn.cleanup(&order->prover, &order->challenge);
}

static void an_order_that_comes_second_takes_nothing_of_the_first_away(void **state)
{
	struct order first, second;
	struct world w;

	(void)state;
	world_open(&w);
	order_open(&first, &w, "t1", "t1.key");
	order_open(&second, &w, "t2", "t2.key");
	assert_int_equal(show(&first), 0);
	assert_int_equal(show(&second), -1);
	take_away(&second);
	assert_int_equal(show(&second), -1); /* the first is still there */
	take_away(&second);
	take_away(&first);
	assert_int_equal(show(&second), 0);
	take_away(&second);
	assert_int_equal(second.prover.shown.n, 0);
	challenge_record_clear(&first.prover.shown);
	challenge_record_clear(&second.prover.shown);
	tls_alpn01_free(w.responders.tls_alpn01);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_order_that_comes_second_takes_nothing_of_the_first_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
