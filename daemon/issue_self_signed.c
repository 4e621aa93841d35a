/* issue_self_signed.c - signed with its own key, at once: for test systems. */
#include "daemon/issue.h"

#include "acme/self_signed.h"
#include "base/clock.h"

int issue_self_signed(struct attempt *attempt, struct err *err)
{
	const struct certificate_config *certificate = attempt->pass->certificate;
	struct self_signed_request request = {
		.names = certificate->hosts,
		.common_name = certificate->common_name,
		.lifetime_s = attempt->issuer->lifetime_s,
	};

	if (issue_prepare_key(attempt, err))
		return -1;
	request.key = attempt->key;
	request.now = clock_wall();
	return self_signed_make(&request, &attempt->pem, err);
}
