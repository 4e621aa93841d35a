/* persist.c - what dns-persist-01 wants published (draft-ietf-acme-dns-persist): a TXT
 * record in the issue-value syntax of CAA (RFC 8659 4.2). Pure. */
#include "acme/acme.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

#define RECORD_MAX 4096
#define BLANK " \t"

char *acme_persist_record(const char *issuer_domain, const char *account_url,
			  bool wildcard, int64_t persist_until)
{
	char *until = persist_until ? str_printf("; persistUntil=%lld",
						 (long long)persist_until)
				    : str_dup("");
	char *text = str_printf("%s; accounturi=%s%s%s", issuer_domain, account_url,
				wildcard ? "; policy=wildcard" : "", until);

	free(until);
	return text;
}

/* Cuts the next part at ';' off *rest, without blanks around it; NULL at the end. */
static char *next_part(char **rest)
{
	char *part = *rest, *end;
	size_t len;

	if (!part)
		return NULL;
	end = strchr(part, ';');
	*rest = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	part += strspn(part, BLANK);
	len = strlen(part);
	while (len && strchr(BLANK, part[len - 1]))
		part[--len] = '\0';
	return part;
}

struct persist {
	const char *account_url;
	bool account_matches, wildcard, broken;
	bool seen_account, seen_policy, seen_until;
	int64_t until;
};

static bool parse_until(const char *text, int64_t *ret)
{
	int64_t value = 0;
	size_t len = strlen(text);

	if (len < 1 || len > 15 || strspn(text, "0123456789") != len)
		return false;
	for (; *text; text++)
		value = value * 10 + (*text - '0');
	*ret = value;
	return true;
}

/* RFC 8659 4.2: letters, digits and inner hyphens. */
static bool is_tag(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789-");

	return len > 0 && !text[len] && text[0] != '-' && text[len - 1] != '-';
}

/* RFC 8659 4.2: what can be seen, without blanks inside. ';' has ended it before. */
static bool is_value(const char *text)
{
	for (; *text; text++) {
		if (*text <= ' ' || *text > '~')
			return false;
	}
	return true;
}

/* Parameters are unique; those that nobody knows are ignored. */
static void take_parameter(char *part, struct persist *record)
{
	char *value = strchr(part, '=');
	size_t len;

	if (!value) {
		record->broken = true;
		return;
	}
	*value++ = '\0';
	value += strspn(value, BLANK);
	len = strlen(part);
	while (len && strchr(BLANK, part[len - 1]))
		part[--len] = '\0';
	if (!is_tag(part) || !is_value(value)) {
		record->broken = true;
	} else if (str_equal_nocase(part, "accounturi")) {
		record->broken = record->broken || record->seen_account;
		record->seen_account = true;
		record->account_matches = str_equal(value, record->account_url);
	} else if (str_equal_nocase(part, "policy")) {
		record->broken = record->broken || record->seen_policy;
		record->seen_policy = true;
		record->wildcard = str_equal_nocase(value, "wildcard");
	} else if (str_equal_nocase(part, "persistuntil")) {
		record->broken = record->broken || record->seen_until ||
				 !parse_until(value, &record->until);
		record->seen_until = true;
	}
}

static bool names_issuer(char *name, const char *const *issuer_domains)
{
	size_t len = strlen(name);

	if (len && name[len - 1] == '.')
		name[len - 1] = '\0';
	for (; *issuer_domains; issuer_domains++) {
		if (str_equal_nocase(name, *issuer_domains))
			return true;
	}
	return false;
}

bool acme_persist_matches(const char *text, const char *const *issuer_domains,
			  const char *account_url, int64_t *ret_until, bool *ret_wildcard)
{
	struct persist record = { .account_url = account_url, .until = CLOCK_NEVER };
	char *copy, *rest, *part;
	bool ours;

	if (!account_url || strlen(text) > RECORD_MAX)
		return false;
	rest = copy = str_dup(text);
	ours = names_issuer(next_part(&rest), issuer_domains);
	while (ours && (part = next_part(&rest)))
		take_parameter(part, &record);
	free(copy);
	if (!ours || record.broken || !record.account_matches)
		return false;
	*ret_until = record.until;
	*ret_wildcard = record.wildcard;
	return true;
}
