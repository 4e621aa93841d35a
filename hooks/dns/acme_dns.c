/* acme_dns.c - an acme-dns server: _acme-challenge is a CNAME to a name of its own, where
 * it takes texts from one account. It keeps the last two of an account and removes none.
 *
 * Without an account in the configuration every domain gets one of its own, kept in a
 * file, which is written before the account is used: what is lost there could be replaced
 * only by the operator, who would have to change his CNAME. */
#include "hooks/dns/provider.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "hooks/dns/acme_dns_accounts.h"
#include "hooks/dns/provider_http.h"
#include "hooks/dns/provider_lock.h"
#include "hooks/resolver.h"

#define WHO "the acme-dns server"

/* ---- asking -------------------------------------------------------------- */

/* Performs one request and fills *ret, whose status is one of success. */
static int ask(const struct dns_work *work, const struct http_request *form,
	       const char *path, struct http_response *ret, struct err *err)
{
	const char *base = work->provider->url;
	char *url = provider_http_url(base, path);
	struct http_request request = *form;
	struct http_client *client = NULL;
	int rc = -1;

	request.url = url;
	request.body_len = request.body ? strlen(request.body) : 0;
	if (provider_http_open(work, base, &client, err) ||
	    http_client_perform(client, &request, ret, err))
		goto out;
	rc = provider_http_judge(ret, WHO, err);
	if (rc) {
		err_wrap(err, "%s '%s'", request.method, url);
		http_response_release(ret);
	}
out:
	http_client_free(client);
	free(url);
	return rc;
}

/* Any answer is one: only newer servers know /health. */
static int answers(const struct dns_work *work, struct err *err)
{
	char *url = provider_http_url(work->provider->url, "/health");
	const struct http_request request = { .method = "GET", .url = url };
	struct http_response response = { 0 };
	struct http_client *client = NULL;
	int rc = -1;

	if (!provider_http_open(work, url, &client, err))
		rc = http_client_perform(client, &request, &response, err);
	if (!rc)
		http_response_release(&response);
	http_client_free(client);
	free(url);
	return rc;
}

/* ---- accounts ------------------------------------------------------------ */

/* Registers, keeps the account in the file, then fills *ret. */
static int register_domain(const struct dns_work *work, const char *domain,
			   struct acme_dns_account *ret, struct err *err)
{
	static const char *const headers[] = { "Content-Type: application/json", NULL };
	const struct http_request request = { .method = "POST",
					      .headers = headers,
					      .body = "{}" };
	struct acme_dns_account account = { 0 };
	struct http_response response = { 0 };
	cJSON *json = NULL;
	int rc = -1;

	if (ask(work, &request, "/register", &response, err))
		return err_wrap(err, "register '%s'", domain);
	if (json_parse(response.body.data, response.body.len, &json, err) ||
	    acme_dns_account_read(json, &account, err)) {
		err->kind = ERR_REFUSED;
		err_wrap(err, "register '%s': " WHO " answered with what is no account",
			 domain);
		goto out;
	}
	json_set_string(json, "server_url", work->provider->url);
	if (acme_dns_account_save(work->provider->accounts, domain, json, err)) {
		err_wrap(err, "keep the account of '%s'", domain);
		goto out;
	}
	*ret = account;
	account = (struct acme_dns_account){ 0 };
	rc = 0;
out:
	acme_dns_account_clear(&account);
	cJSON_Delete(json);
	http_response_release(&response);
	return rc;
}

/* The account that the configuration names, or that of `domain`; made if need be. */
static int account_of(const struct dns_work *work, const char *domain,
		      struct acme_dns_account *ret, struct err *err)
{
	const struct dns_provider *provider = work->provider;
	struct file_lock *lock = NULL;
	int rc;

	if (provider->username) {
		*ret = (struct acme_dns_account){
			.subdomain = str_dup(provider->subdomain),
			.username = str_dup(provider->username),
			.password = str_dup(provider->password.bytes)
		};
		return 0;
	}
	if (provider_lock(work, provider->accounts, &lock, err))
		return -1;
	rc = acme_dns_account_find(provider->accounts, domain, ret, err);
	if (rc && err->kind == ERR_NOT_FOUND)
		rc = register_domain(work, domain, ret, err);
	file_lock_release(lock);
	return rc;
}

/* ---- the delegation ------------------------------------------------------ */

/* Gives where the CNAME has to lead, in words where only the server knows it. */
static char *target_of(const struct acme_dns_account *account)
{
	return account->fulldomain ? str_dup(account->fulldomain)
				   : str_printf("%s.<domain of the acme-dns server>",
						account->subdomain);
}

static bool leads_there(const struct acme_dns_account *account, const char *record)
{
	size_t len = strlen(account->subdomain);

	if (account->fulldomain)
		return str_equal_nocase(account->fulldomain, record);
	return strlen(record) > len && record[len] == '.' &&
	       strncmp(account->subdomain, record, len) == 0;
}

static int check_delegation(const struct dns_work *work, const char *domain,
			    const struct acme_dns_account *account, const char *record,
			    struct err *err)
{
	char *name = str_printf("_acme-challenge.%s", domain), *target;

	if (!leads_there(account, record)) {
		target = target_of(account);
		err_set(err, ERR_CONFIG,
			"'%s' does not lead to our account at '%s' (%s%s%s): make the "
			"record '%s. CNAME %s.' once; if it is there and only our "
			"resolvers do not see it, name '%s' as the challenge's alias",
			name, work->provider->url,
			str_equal_nocase(name, record) ? "it is no CNAME" : "but to '",
			str_equal_nocase(name, record) ? "" : record,
			str_equal_nocase(name, record) ? "" : "'", name, target, target);
		free(target);
	}
	free(name);
	return leads_there(account, record) ? 0 : -1;
}

/* ---- the row ------------------------------------------------------------- */

static int update(const struct dns_work *work, const struct acme_dns_account *account,
		  const char *value, struct err *err)
{
	char *user = str_printf("X-Api-User: %s", account->username);
	char *key = str_printf("X-Api-Key: %s", account->password), *body;
	const char *headers[] = { "Content-Type: application/json", user, key, NULL };
	struct http_request request = { .method = "POST", .headers = headers };
	struct http_response response = { 0 };
	cJSON *json = cJSON_CreateObject();
	int rc;

	json_set_string(json, "subdomain", account->subdomain);
	json_set_string(json, "txt", value);
	request.body = body = json_print(json);
	rc = ask(work, &request, "/update", &response, err);
	if (!rc)
		http_response_release(&response);
	else
		str_hide(err->text, account->password, strlen(account->password));
	if (rc && err->kind == ERR_CONFIG && account->fulldomain)
		err_wrap(err,
			 "our account is not accepted: if the server has forgotten it, "
			 "remove it from '%s' to have another one registered",
			 work->provider->accounts);
	cJSON_Delete(json);
	free(body);
	free(user);
	str_free_secret(key);
	return rc;
}

static int present(const struct dns_work *work, const struct dns_answer *answer,
		   struct err *err)
{
	struct acme_dns_account account = { 0 };
	int rc = -1;

	if (account_of(work, answer->domain, &account, err))
		return -1;
	if (!check_delegation(work, answer->domain, &account, answer->record, err))
		rc = update(work, &account, answer->value, err);
	acme_dns_account_clear(&account);
	return rc;
}

static int withdraw(const struct dns_work *work, const struct dns_answer *answer,
		    struct err *err)
{
	(void)work, (void)answer, (void)err;
	return 0; /* the next two values push it out */
}

/* Gives where the record goes. */
static int follow(const struct dns_work *work, const char *domain,
		  const struct acme_dns_account *account, char **ret_record,
		  struct err *err)
{
	char *name = str_printf("_acme-challenge.%s", domain), *target;
	int rc = 0;

	if (work->alias)
		*ret_record = str_dup(work->alias);
	else
		rc = resolver_follow(work->resolver, name, ret_record, err);
	if (rc) {
		target = target_of(account);
		err_wrap(err,
			 "it cannot be seen whether '%s' leads to our account (if it "
			 "does, name '%s' as the challenge's alias)",
			 name, target);
		free(target);
	}
	free(name);
	return rc;
}

static int check(const struct dns_work *work, const char *domain, struct err *err)
{
	struct acme_dns_account account = { 0 };
	char *record = NULL;
	int rc = -1;

	if (answers(work, err) || account_of(work, domain, &account, err) ||
	    follow(work, domain, &account, &record, err))
		goto out;
	rc = check_delegation(work, domain, &account, record, err);
out:
	acme_dns_account_clear(&account);
	free(record);
	return rc;
}

static int delegation(const struct dns_work *work, const char *domain, char **ret_name,
		      char **ret_target, struct err *err)
{
	struct acme_dns_account account = { 0 };

	if (account_of(work, domain, &account, err))
		return -1;
	*ret_name = str_printf("_acme-challenge.%s", domain);
	*ret_target = target_of(&account);
	acme_dns_account_clear(&account);
	return 0;
}

const struct dns_provider_kind dns_acme_dns = {
	.present = present, .withdraw = withdraw, .check = check, .delegation = delegation
};
