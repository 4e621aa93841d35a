/* Orders and authorizations. */
#include "tests/fuzz/fuzz.h"

#include "acme/authorization.h"
#include "acme/order.h"
#include "acme/url.h"
#include "base/json.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cJSON *json = NULL;
	struct err err;

	if (json_parse(data, size, &json, &err))
		return 0;
	read_order(json);
	cJSON_Delete(json);
	return 0;
}
