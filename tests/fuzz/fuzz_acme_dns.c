/* Accounts at acme-dns servers, as a server or a file says them. */
#include "tests/fuzz/fuzz.h"

#include "hooks/dns/acme_dns_accounts.h"

static void check_member(const char *text)
{
	PROMISED(text && *text);
	for (; *text; text++)
		PROMISED(*text > ' ' && *text < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct acme_dns_account account;
	struct err err = { 0 };
	cJSON *json = NULL;

	if (json_parse(data, size, &json, &err))
		return 0;
	if (acme_dns_account_read(json, &account, &err)) {
		PROMISED(err.kind == ERR_REFUSED && err.text[0]);
	} else {
		check_member(account.fulldomain);
		check_member(account.subdomain);
		check_member(account.username);
		check_member(account.password);
		acme_dns_account_clear(&account);
	}
	cJSON_Delete(json);
	return 0;
}
