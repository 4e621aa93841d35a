/* One certificate, RFC 8555 7.4 from top to bottom. */
#include <stdlib.h>
#include <string.h>

#include "acme/account.h"
#include "acme/acme.h"
#include "acme/answer.h"
#include "acme/authorize.h"
#include "acme/chains.h"
#include "acme/csr.h"
#include "acme/order.h"
#include "base/clock.h"
#include "base/json.h"

#define FINALIZE_TRIES 5
#define ORDER_TIMEOUT_S 300
#define CHAIN_MAX (256 * 1024)
#define PEM_CHAIN "application/pem-certificate-chain"

static char *finalize_payload(const char *csr)
{
	cJSON *json = cJSON_CreateObject();
	char *text;

	json_set_string(json, "csr", csr);
	text = json_print(json);
	cJSON_Delete(json);
	return text;
}

/* Sends the CSR. A CA that answers orderNotReady to an order that it called ready is
 * asked again in a moment. */
static int send_csr(struct order_run *run, const char *payload, struct err *err)
{
	const struct session_request request = { .url = run->order.finalize,
						 .payload = payload };
	struct http_response response = { 0 };
	bool not_ready;
	int rc = -1;

	if (account_exchange(run->session, &request, &response, err))
		return -1;
	not_ready = answer_is_problem(&response, "orderNotReady");
	run->order.profile_refused = answer_is_problem(&response, "invalidProfile");
	if (not_ready)
		rc = answer_check(&response, err) ? 1 : 0;
	else if (answer_check(&response, err) == 0)
		rc = order_adopt(run, &response, err);
	http_response_release(&response);
	return rc;
}

static int finalize_ready(struct order_run *run, struct err *err)
{
	const struct acme_request *request = run->request;
	const struct acme_record *record = &request->record;
	char *csr = NULL, *payload = NULL;
	int rc = -1;

	if (!run->order.finalize)
		return err_set(err, ERR_REFUSED, "the CA's order names no finalize URL");
	if (!request->csr &&
	    csr_make(request->key, request->names, request->common_name, &csr, err))
		return -1;
	payload = finalize_payload(request->csr ? request->csr : csr);
	free(csr);
	if (record->before_finalize && record->before_finalize(record->ctx, err))
		goto out;
	for (unsigned try = 0; run->order.status == STATUS_READY; try++) {
		rc = send_csr(run, payload, err);
		if (rc <= 0 || try + 1 == FINALIZE_TRIES)
			break;
		if ((rc = order_poll(run, try, err)))
			break;
	}
out:
	free(payload);
	return rc ? -1 : 0;
}

static int finalize(struct order_run *run, struct err *err)
{
	if (run->order.status == STATUS_READY) {
		order_progress(run, "finalize", run->order.url);
		if (finalize_ready(run, err))
			return err_wrap(err, "finalize the order");
	}
	for (unsigned attempt = 0;
	     run->order.status == STATUS_PROCESSING || run->order.status == STATUS_READY;
	     attempt++) {
		if (order_poll(run, attempt, err))
			return err_wrap(err, "wait for the certificate");
	}
	if (run->order.status == STATUS_VALID)
		return 0;
	order_fail(run, err);
	return err_wrap(err, "finalize the order");
}

/* RFC 8555 7.4.2. Gives the parsed chain too, so that it is known to be one. */
static int fetch_chain(struct order_run *run, struct http_response *response,
		       struct cert **ret_cert, struct err *err)
{
	const struct session_request request = { .url = run->order.certificate,
						 .payload = "",
						 .accept = PEM_CHAIN };
	const char *type;

	if (account_exchange(run->session, &request, response, err) ||
	    answer_check(response, err))
		return -1;
	if (cert_parse(buf_str(&response->body), response->body.len, ret_cert, err) == 0)
		return 0;
	type = http_header(response, "content-type");
	err->kind = ERR_TRANSIENT;
	err_wrap(err, "answered %ld with %.60s, not a PEM chain", response->status,
		 type ? type : "no content type");
	str_make_printable(err->text);
	return -1;
}

static int download(struct order_run *run, struct err *err)
{
	struct http_response response = { 0 };
	struct cert *cert = NULL;
	int rc = -1;

	if (!run->order.certificate) {
		err_set(err, ERR_REFUSED,
			"the CA's valid order names no certificate URL");
		goto out;
	}
	order_progress(run, "download", run->order.certificate);
	if (fetch_chain(run, &response, &cert, err))
		goto out;
	if (!cert_matches_key(cert, run->request->key)) {
		err_set(err, ERR_REFUSED,
			"the certificate of order '%s' is for another key",
			run->order.url);
		goto out;
	}
	rc = chains_choose(run, &response, cert, err);
out:
	cert_free(cert);
	http_response_release(&response);
	return rc ? err_wrap(err, "download the certificate") : 0;
}

void acme_result_init(struct acme_result *result)
{
	*result = (struct acme_result){ 0 };
	buf_init(&result->pem, CHAIN_MAX);
}

void acme_result_clear(struct acme_result *result)
{
	buf_release(&result->pem);
	strlist_clear(&result->challenged);
	strlist_clear(&result->chains);
	strlist_clear(&result->notes);
}

static int bring_home(struct order_run *run, struct err *err)
{
	return authorize(run, err) || finalize(run, err) || download(run, err) ? -1 : 0;
}

int acme_obtain(struct acme_session *session, const struct acme_request *request,
		struct acme_result *result, struct err *err)
{
	int64_t timeout_s = session->issuer->order_timeout_s;
	struct order_run run = { .session = session,
				 .request = request,
				 .result = result };
	int rc = -1;

	if (timeout_s <= 0)
		timeout_s = ORDER_TIMEOUT_S;
	run.timeout_s = timeout_s;
	run.deadline_ms = clock_mono_ms() + timeout_s * 1000;
	if (order_open(&run, err))
		goto out;
	do
		rc = bring_home(&run, err);
	while (rc && order_again_without_profile(&run, err));
out:
	order_release(&run.order);
	return rc;
}
