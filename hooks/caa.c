/* caa.c - one record after the other against the question; the nearest miss becomes the
 * sentence. */
#include "hooks/caa.h"

#include <stdlib.h>
#include <string.h>

#include "base/identifier.h"
#include "base/str.h"

#define BLANKS " \t"

/* What a record says to us; what comes later is nearer to a yes. */
enum verdict {
	FOR_ANOTHER,   /* names another CA, or nobody */
	MALFORMED,     /* cannot be read: authorises nobody (RFC 8659 4.2) */
	OTHER_ACCOUNT, /* our CA, but another account (RFC 8657 3) */
	OTHER_METHOD,  /* our CA, but not by that challenge (RFC 8657 4) */
	ALLOWS,
};

/* ---- reading a value ----------------------------------------------------- */

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, BLANKS);
	len = strlen(text);
	while (len && strchr(BLANKS, text[len - 1]))
		text[--len] = '\0';
	return text;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Letters and digits, hyphens only between them; `dots`: several such labels. */
static bool is_word(const char *text, bool dots)
{
	char before = '.';

	for (; *text; before = *text++) {
		if (is_alnum(*text))
			continue;
		if (*text == '-' ? before == '.'
				 : *text != '.' || !dots || !is_alnum(before))
			return false;
	}
	return is_alnum(before);
}

static bool is_printed(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

struct parameters {
	const char *accounturi, *methods; /* borrowed; NULL: none */
};

/* "tag = value"; one that the record has twice can be satisfied by nobody. */
static bool take_parameter(char *text, struct parameters *parameters)
{
	char *value = strchr(text, '='), *tag;
	const char **slot = NULL;

	if (!value)
		return false;
	*value++ = '\0';
	tag = trim(text);
	value = trim(value);
	if (!is_word(tag, false) || !is_printed(value))
		return false;
	if (str_equal_nocase(tag, "accounturi"))
		slot = &parameters->accounturi;
	else if (str_equal_nocase(tag, "validationmethods"))
		slot = &parameters->methods;
	if (slot && *slot)
		return false;
	if (slot)
		*slot = value;
	return true;
}

/* Splits at semicolons; the one at the end may be followed by nothing. */
static bool take_parameters(char *text, struct parameters *parameters)
{
	while (text) {
		char *next = strchr(text, ';');

		if (next)
			*next++ = '\0';
		text = trim(text);
		if (*text ? !take_parameter(text, parameters) : next != NULL)
			return false;
		text = next;
	}
	return true;
}

/* ---- judging ------------------------------------------------------------- */

static bool is_ours(const char *domain, const char *const *issuer_domains)
{
	for (; *issuer_domains; issuer_domains++)
		if (str_equal_nocase(domain, *issuer_domains))
			return true;
	return false;
}

static bool has_method(const char *methods, const char *method)
{
	size_t len = strlen(method);

	for (;;) {
		size_t n = strcspn(methods, ",");

		if (n == len && strncmp(methods, method, n) == 0)
			return true;
		if (!methods[n])
			return false;
		methods += n + 1;
	}
}

static enum verdict judge_parameters(const struct parameters *parameters,
				     const struct caa_question *question)
{
	if (parameters->accounturi && question->account_url &&
	    strcmp(parameters->accounturi, question->account_url) != 0)
		return OTHER_ACCOUNT;
	if (parameters->methods && !has_method(parameters->methods, question->method))
		return OTHER_METHOD;
	return ALLOWS;
}

/* RFC 8659 4.2: [issuer-domain-name] [";" parameters]. */
static enum verdict judge(const char *value, const struct caa_question *question)
{
	struct parameters parameters = { 0 };
	char *copy = str_dup(value), *rest = strchr(copy, ';'), *domain;
	enum verdict verdict = FOR_ANOTHER;

	if (rest)
		*rest++ = '\0';
	domain = trim(copy);
	if (*domain && !is_word(domain, true))
		verdict = MALFORMED;
	else if (is_ours(domain, question->issuer_domains))
		verdict = take_parameters(rest, &parameters)
				  ? judge_parameters(&parameters, question)
				  : MALFORMED;
	free(copy);
	return verdict;
}

/* ---- the set ------------------------------------------------------------- */

static const struct caa_record *find(const struct caa_set *set, const char *tag)
{
	for (size_t i = 0; i < set->n; i++)
		if (str_equal_nocase(set->items[i].tag, tag))
			return &set->items[i];
	return NULL;
}

/* Tags that CAs know, and that have no say here. */
static bool is_known(const char *tag)
{
	static const char *const known[] = { "issue", "issuewild", "iodef", "issuemail" };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (str_equal_nocase(tag, known[i]))
			return true;
	return false;
}

static const struct caa_record *find_unknown_critical(const struct caa_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->items[i].critical && !is_known(set->items[i].tag))
			return &set->items[i];
	return NULL;
}

/* ---- sentences ----------------------------------------------------------- */

/* What stands there, with whom it comes from in mind. */
static char *shown(const struct caa_record *record)
{
	char *text = str_printf("%.40s \"%.160s\"", record->tag, record->value);

	str_make_printable(text);
	return text;
}

static int forbid_critical(const struct caa_set *set, const struct caa_record *record,
			   struct err *err)
{
	char *text = shown(record);

	err_set(err, ERR_REFUSED,
		"the CAA record '%s' at '%s' is critical and of a kind that CAs do not "
		"know, so none may issue: remove it, or publish it with flags 0",
		text, set->at);
	free(text);
	return -1;
}

static int forbid(const struct caa_set *set, const struct caa_record *record,
		  enum verdict verdict, const struct caa_question *question,
		  struct err *err)
{
	const char *ca = question->issuer_domains[0], *account = question->account_url;
	const char *tag = record->tag, *at = set->at;
	char *text = shown(record);

	switch (verdict) {
	case OTHER_ACCOUNT:
		err_set(err, ERR_REFUSED,
			"the CAA record '%s' at '%s' lets '%s' issue for '%s' to another "
			"account only; ours is '%s': publish '%s. CAA 0 %s \"%s; "
			"accounturi=%s\"' beside it",
			text, at, ca, question->identifier, account, at, tag, ca,
			account);
		break;
	case OTHER_METHOD:
		err_set(err, ERR_REFUSED,
			"the CAA record '%s' at '%s' does not let '%s' issue for '%s' by "
			"%s: add %s to its validationmethods, or use a challenge that it "
			"lists",
			text, at, ca, question->identifier, question->method,
			question->method);
		break;
	case MALFORMED:
		err_set(err, ERR_REFUSED,
			"the CAA record '%s' at '%s' is malformed and lets nobody issue "
			"for '%s': publish '%s. CAA 0 %s \"%s\"' in its place",
			text, at, question->identifier, at, tag, ca);
		break;
	default:
		err_set(err, ERR_REFUSED,
			"the CAA record '%s' at '%s' does not let '%s' issue for '%s': "
			"publish '%s. CAA 0 %s \"%s\"' beside it, or use another issuer",
			text, at, ca, question->identifier, at, tag, ca);
	}
	free(text);
	return -1;
}

int caa_check(const struct caa_set *set, const struct caa_question *question,
	      struct err *err)
{
	bool wildcard = identifier_kind(question->identifier) == IDENTIFIER_WILDCARD;
	const char *tag = wildcard && find(set, "issuewild") ? "issuewild" : "issue";
	const struct caa_record *nearest = find(set, tag), *critical;
	enum verdict best = FOR_ANOTHER, verdict;

	if (!question->issuer_domains || !question->issuer_domains[0])
		return 0;
	critical = find_unknown_critical(set);
	if (critical)
		return forbid_critical(set, critical, err);
	if (!nearest)
		return 0;
	for (size_t i = 0; i < set->n; i++) {
		if (!str_equal_nocase(set->items[i].tag, tag))
			continue;
		verdict = judge(set->items[i].value, question);
		if (verdict == ALLOWS)
			return 0;
		if (verdict > best) {
			best = verdict;
			nearest = &set->items[i];
		}
	}
	return forbid(set, nearest, best, question, err);
}
