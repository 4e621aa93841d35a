/* acme_dns_accounts.h - accounts at acme-dns servers, in the file that lego and
 * acme-dns-client keep: {"a.example": {"fulldomain", "subdomain", "username", "password",
 * ...}}. Members that we do not know stay. */
#ifndef HOOKS_DNS_ACME_DNS_ACCOUNTS_H
#define HOOKS_DNS_ACME_DNS_ACCOUNTS_H

#include "base/json.h"

struct acme_dns_account {
	char *fulldomain; /* where the CNAME leads; NULL: not known */
	char *subdomain, *username, *password;
};
void acme_dns_account_clear(struct acme_dns_account *account); /* wipes the password */

/* Fills *ret from an entry of the file, or from what a server answers to a registration;
 * names of members in any case, as older versions wrote them. ERR_REFUSED when one is
 * missing or holds what cannot stand in a header or a name. Pure. */
int acme_dns_account_read(const cJSON *json, struct acme_dns_account *ret,
			  struct err *err);

/* Fills *ret with the account of `domain`. ERR_NOT_FOUND: there is none, or no file;
 * ERR_CONFIG: damaged. */
int acme_dns_account_find(const char *path, const char *domain,
			  struct acme_dns_account *ret, struct err *err);

/* Adds the account to the file, 0600, whole and synced. `json` is what the server
 * answered (borrowed): all of it is kept. The caller holds the file's lock. */
int acme_dns_account_save(const char *path, const char *domain, const cJSON *json,
			  struct err *err);

#endif
