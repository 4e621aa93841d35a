#include "hooks/caa.h"

#include <stdlib.h>
#include <string.h>

#include "base/identifier.h"
#include "base/str.h"

#define BLANK " \t"

/* One issue or issuewild record against the question. */
struct verdict {
	bool named;                 /* the CA, ... */
	bool account_ok, method_ok; /* ... and what the record asks of us */
	bool malformed;
};

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, BLANK);
	len = strlen(text);
	while (len && strchr(BLANK, text[len - 1]))
		text[--len] = '\0';
	return text;
}

static bool list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list) {
		size_t n = strcspn(list, ",");

		if (n == len && !strncmp(list, word, n))
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

/* RFC 8657 3, 4. Unknown parameters are the CA's own. */
static void take_parameter(char *part, const struct caa_question *question,
			   struct verdict *verdict)
{
	char *value = strchr(part, '=');

	part = trim(part);
	if (!*part)
		return;
	if (!value) {
		verdict->malformed = true;
		return;
	}
	*value++ = '\0';
	part = trim(part);
	value = trim(value);
	if (str_equal_nocase(part, "accounturi"))
		verdict->account_ok = question->account_url
					      ? str_equal(value, question->account_url)
					      : verdict->account_ok;
	else if (str_equal_nocase(part, "validationmethods"))
		verdict->method_ok = list_has(value, question->method);
}

static bool is_issuer(const char *name, const char *const *issuer_domains)
{
	for (; *issuer_domains; issuer_domains++)
		if (str_equal_nocase(name, *issuer_domains))
			return true;
	return false;
}

/* RFC 8659 4.2: issuer-domain-name *(";" parameter). */
static struct verdict judge(const char *text, const struct caa_question *question)
{
	struct verdict verdict = { .account_ok = true, .method_ok = true };
	char *copy = str_dup(text), *part = copy, *next = strchr(copy, ';');

	if (next)
		*next++ = '\0';
	verdict.named = is_issuer(trim(part), question->issuer_domains);
	while (verdict.named && next) {
		part = next;
		next = strchr(part, ';');
		if (next)
			*next++ = '\0';
		take_parameter(part, question, &verdict);
	}
	free(copy);
	return verdict;
}

static bool has_tag(const struct caa_set *set, const char *tag)
{
	for (size_t i = 0; i < set->n; i++)
		if (str_equal_nocase(set->items[i].tag, tag))
			return true;
	return false;
}

static bool is_known(const char *tag)
{
	static const char *const known[] = { "issue",        "issuewild",    "iodef",
					     "contactemail", "contactphone", "issuemail",
					     "issuevmc" };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (str_equal_nocase(tag, known[i]))
			return true;
	return false;
}

static const struct caa_record *unknown_critical(const struct caa_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->items[i].critical && !is_known(set->items[i].tag))
			return &set->items[i];
	return NULL;
}

/* What the records lack, in words; what to publish depends on which it is. */
static int refuse(const struct caa_set *set, const struct caa_question *question,
		  const char *tag, const struct verdict *nearest, struct err *err)
{
	const char *ca = question->issuer_domains[0];

	if (nearest && nearest->malformed)
		return err_set(err, ERR_REFUSED,
			       "the CAA record '%s' of '%s' at '%s' is malformed, so the "
			       "CA must not issue: a parameter is written name=value",
			       tag, ca, set->at);
	if (nearest && !nearest->account_ok)
		return err_set(err, ERR_REFUSED,
			       "CAA at '%s' lets '%s' issue for another account only: "
			       "publish '%s \"%s; accounturi=%s\"' or drop accounturi",
			       set->at, ca, tag, ca, question->account_url);
	if (nearest && !nearest->method_ok)
		return err_set(
			err, ERR_REFUSED,
			"CAA at '%s' lets '%s' issue by other validationmethods "
			"than %s only: add %s there, or choose a challenge that is "
			"listed",
			set->at, ca, question->method, question->method);
	return err_set(err, ERR_REFUSED,
		       "CAA at '%s' forbids '%s' to issue for '%s': publish "
		       "'%s CAA 0 %s \"%s\"' there, or leave this CA out of 'issuers'",
		       set->at, ca, question->identifier, set->at, tag, ca);
}

int caa_check(const struct caa_set *set, const struct caa_question *question,
	      struct err *err)
{
	bool wildcard = identifier_kind(question->identifier) == IDENTIFIER_WILDCARD;
	const char *tag = wildcard && has_tag(set, "issuewild") ? "issuewild" : "issue";
	const struct caa_record *critical = unknown_critical(set);
	struct verdict nearest = { 0 };
	bool near = false;

	if (!set->n || !question->issuer_domains || !question->issuer_domains[0])
		return 0;
	if (critical)
		return err_set(
			err, ERR_REFUSED,
			"'%s' has a critical CAA property '%.60s' that is not known "
			"here, and a CA must not issue if it does not know it",
			set->at, critical->tag);
	if (!has_tag(set, tag))
		return 0;
	for (size_t i = 0; i < set->n; i++) {
		struct verdict verdict;

		if (!str_equal_nocase(set->items[i].tag, tag))
			continue;
		verdict = judge(set->items[i].value, question);
		if (!verdict.named)
			continue;
		if (!verdict.malformed && verdict.account_ok && verdict.method_ok)
			return 0;
		nearest = verdict;
		near = true;
	}
	return refuse(set, question, tag, near ? &nearest : NULL, err);
}
