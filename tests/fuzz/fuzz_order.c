/* Orders and authorizations. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "acme/authorization.h"
#include "acme/order.h"
#include "acme/url.h"
#include "base/json.h"
#include "base/str.h"

static void read_order(const cJSON *json)
{
	struct order order;
	struct err err;

	if (order_parse(json, &order, &err))
		return;
	PROMISED(!order.finalize || url_is_https(order.finalize));
	PROMISED(!order.certificate || url_is_https(order.certificate));
	for (size_t i = 0; i < order.authorizations.n; i++)
		PROMISED(url_is_https(order.authorizations.items[i]));
	order_release(&order);
}

/* http-01 cannot prove a wildcard. */
static bool no_wildcard(void *ctx, const char *identifier)
{
	(void)ctx;
	return identifier[0] != '*';
}

static void check_proof(const struct authorization *authorization)
{
	const struct strlist *domains = &authorization->issuer_domains;

	PROMISED(url_is_https(authorization->challenge_url));
	if (str_equal(authorization->solver->type, "dns-persist-01")) {
		PROMISED(!authorization->token && domains->n >= 1 && domains->n <= 10);
	} else {
		PROMISED(token_is_usable(authorization->token) && !domains->n);
	}
}

static void read_authorization(const cJSON *json, struct solvers solvers)
{
	struct authorization authorization;
	struct err err = { 0 };

	if (authorization_parse(json, solvers, &authorization, &err)) {
		PROMISED(err.kind == ERR_REFUSED && err.text[0]);
		PROMISED(!strpbrk(err.text, "\n\r\033"));
		return;
	}
	PROMISED(*authorization.identifier && authorization.offered);
	PROMISED(!strpbrk(authorization.identifier, "\n\r\033"));
	PROMISED(!strpbrk(authorization.offered, "\n\r\033"));
	PROMISED(!authorization.presented && !authorization.key_authorization);
	if (authorization.solver)
		check_proof(&authorization);
	else
		PROMISED(!authorization.challenge_url && !authorization.token);
	authorization_release(&authorization);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct acme_solver solvers[] = {
		{ .type = "http-01", .suits = no_wildcard },
		{ .type = "dns-01" },
		{ .type = "tls-alpn-01", .suits = no_wildcard },
		{ .type = "dns-persist-01" },
	};
	cJSON *json = NULL;
	struct err err;

	if (json_parse(data, size, &json, &err))
		return 0;
	read_order(json);
	for (size_t i = 0; i < 4; i++) /* all of them, and the last ones */
		read_authorization(json, (struct solvers){ solvers + i, 4 - i });
	read_authorization(json, (struct solvers){ 0 });
	cJSON_Delete(json);
	return 0;
}
