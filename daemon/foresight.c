/* foresight.c - two views of a directory, compared by a table: one row a member. */
#include "daemon/foresight.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"

#define TEXT_SHOWN 300 /* of what the CA says, which may be long */
#define LIST_MAX ((size_t)4 * 1024)

void foresight_add(struct foresight_changes *changes, enum severity severity, char *what,
		   const char *todo)
{
	changes->items = mem_realloc(changes->items,
				     (changes->n + 1) * sizeof(*changes->items));
	changes->items[changes->n++] = (struct foresight_change){ severity, what, todo };
}

void foresight_changes_clear(struct foresight_changes *changes)
{
	for (size_t i = 0; i < changes->n; i++)
		free(changes->items[i].what);
	free(changes->items);
	*changes = (struct foresight_changes){ 0 };
}

/* ---- texts: an address, the terms ------------------------------------------------ */

#define HARMLESS                                                                         \
	{                                                                                \
		SEVERITY_NOTICE, "nothing: its directory is read anew"                   \
	}
#define SILENT                                                                           \
	{                                                                                \
		SEVERITY_NOTICE, NULL                                                    \
	}

struct meaning {
	enum severity severity;
	const char *todo;
};

static const struct text_member {
	const char *name, *words;
	struct meaning changed, gone, appeared;
} texts[] = {
	{ "newNonce", "address for nonces", HARMLESS, HARMLESS, HARMLESS },
	{ "newAccount", "address for accounts", HARMLESS, HARMLESS, HARMLESS },
	{ "newOrder", "address for orders", HARMLESS, HARMLESS, HARMLESS },
	{ "revokeCert",
	  "address for revocations",
	  HARMLESS,
	  { SEVERITY_WARNING, "ask the CA how a certificate is revoked there now" },
	  SILENT },
	{ "keyChange",
	  "address for a change of the account's key",
	  HARMLESS,
	  { SEVERITY_WARNING, "`account rotate-key` does not work there any more" },
	  SILENT },
	{ "renewalInfo",
	  "advice when to renew (ARI)",
	  HARMLESS,
	  { SEVERITY_WARNING,
	    "'renew.at' alone decides now, and renewals count in the CA's limits" },
	  SILENT },
	{ "termsOfService",
	  "terms of service",
	  { SEVERITY_WARNING,
	    "read them: 'agree_to_terms: yes' agrees to them too, and the CA may refuse "
	    "orders until somebody has" },
	  SILENT,
	  { SEVERITY_WARNING,
	    "read them: new accounts need 'agree_to_terms: yes' now" } },
	{ "website", "website", SILENT, SILENT, SILENT },
};

#define N_TEXTS (sizeof(texts) / sizeof(*texts))

static void compare_text(const struct text_member *member, const cJSON *before,
			 const cJSON *now, struct foresight_changes *changes)
{
	const char *old = json_string(before, member->name);
	const char *new = json_string(now, member->name);

	if (str_equal(old, new))
		return;
	if (old && new)
		foresight_add(changes, member->changed.severity,
			      str_printf("its %s changed: '%.*s' -> '%.*s'",
					 member->words, TEXT_SHOWN, old, TEXT_SHOWN, new),
			      member->changed.todo);
	else if (old)
		foresight_add(changes, member->gone.severity,
			      str_printf("it has no %s any more; it was '%.*s'",
					 member->words, TEXT_SHOWN, old),
			      member->gone.todo);
	else
		foresight_add(changes, member->appeared.severity,
			      str_printf("it has a new %s: '%.*s'", member->words,
					 TEXT_SHOWN, new),
			      member->appeared.todo);
}

/* ---- the others ------------------------------------------------------------------- */

#define EAB "externalAccountRequired"
#define CAA "caaIdentities"
#define PROFILES "profiles"

static void compare_eab(const cJSON *before, const cJSON *now,
			struct foresight_changes *changes)
{
	bool old = json_bool(before, EAB, false), new = json_bool(now, EAB, false);

	if (!old && new)
		foresight_add(changes, SEVERITY_WARNING,
			      str_dup("it wants an external account binding (EAB) of new "
				      "accounts now"),
			      "the account that is there goes on; a new one will need "
			      "'eab: {key_id: ..., hmac_key: ...}'");
	if (old && !new)
		foresight_add(changes, SEVERITY_NOTICE,
			      str_dup("it wants no external account binding (EAB) any "
				      "more"),
			      NULL);
}

/* "a, b": the strings of an array, the names of an object. Gives. */
static char *joined(const cJSON *list)
{
	const cJSON *item;
	struct buf out;
	char *text;

	buf_init(&out, LIST_MAX);
	cJSON_ArrayForEach (item, list) {
		const char *word = item->string ? item->string
						: cJSON_GetStringValue(item);

		if (word && out.len + strlen(word) + 3 < LIST_MAX)
			buf_printf(&out, "%s%s", out.len ? ", " : "", word);
	}
	text = str_dup(out.len ? buf_str(&out) : "none");
	buf_release(&out);
	return text;
}

static void compare_caa(const cJSON *before, const cJSON *now,
			struct foresight_changes *changes)
{
	char *old = joined(cJSON_GetObjectItemCaseSensitive(before, CAA));
	char *new = joined(cJSON_GetObjectItemCaseSensitive(now, CAA));

	if (strcmp(old, new) != 0)
		foresight_add(changes, SEVERITY_WARNING,
			      str_printf("its names in CAA records changed: %s -> %s",
					 old, new),
			      "a domain with CAA records must name one of them, or it "
			      "refuses");
	free(old);
	free(new);
}

/* The certificates that ask for a profile: "'a', 'b'". Gives; NULL: none does. */
static char *who_uses(const char *profile, const struct foresight_use *uses, size_t n)
{
	struct buf out;
	char *text;

	buf_init(&out, LIST_MAX);
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(uses[i].profile, profile) &&
		    out.len + strlen(uses[i].certificate) + 5 < LIST_MAX)
			buf_printf(&out, "%s'%s'", out.len ? ", " : "",
				   uses[i].certificate);
	}
	text = out.len ? str_dup(buf_str(&out)) : NULL;
	buf_release(&out);
	return text;
}

static void profile_gone(const cJSON *profile, const cJSON *now,
			 const struct foresight_use *uses, size_t n,
			 struct foresight_changes *changes)
{
	char *left = joined(now), *who = who_uses(profile->string, uses, n);

	if (who)
		foresight_add(changes, SEVERITY_CRITICAL,
			      str_printf("the profile '%s' is gone, which %s asks for; "
					 "there is: %s",
					 profile->string, who, left),
			      "choose another 'profile:' before the next renewal; a "
			      "required one is not ordered, else the CA's default is");
	else
		foresight_add(changes, SEVERITY_NOTICE,
			      str_printf("the profile '%s' is gone; there is: %s",
					 profile->string, left),
			      NULL);
	free(who);
	free(left);
}

static void compare_profiles(const cJSON *before, const cJSON *now,
			     const struct foresight_use *uses, size_t n,
			     struct foresight_changes *changes)
{
	const cJSON *old = cJSON_GetObjectItemCaseSensitive(before, PROFILES), *each;
	const cJSON *new = cJSON_GetObjectItemCaseSensitive(now, PROFILES);

	if (!cJSON_IsObject(old))
		return; /* the file is a hint, and people have editors */
	cJSON_ArrayForEach (each, old) {
		const char *text = cJSON_GetStringValue(each);

		if (!cJSON_GetObjectItemCaseSensitive(new, each->string))
			profile_gone(each, new, uses, n, changes);
		else if (!str_equal(text, json_string(new, each->string)))
			foresight_add(changes, SEVERITY_NOTICE,
				      str_printf("it says something new of its profile "
						 "'%s': '%.*s' -> '%.*s'",
						 each->string, TEXT_SHOWN,
						 text ? text : "", TEXT_SHOWN,
						 json_string(new, each->string)),
				      NULL);
	}
	cJSON_ArrayForEach (each, new) {
		const char *text = cJSON_GetStringValue(each);

		if (!cJSON_GetObjectItemCaseSensitive(old, each->string))
			foresight_add(changes, SEVERITY_NOTICE,
				      str_printf("it has a new profile '%s': '%.*s'",
						 each->string, TEXT_SHOWN,
						 text ? text : ""),
				      NULL);
	}
}

void foresight_compare(const cJSON *before, const cJSON *now,
		       const struct foresight_use *uses, size_t n_uses,
		       struct foresight_changes *changes)
{
	if (!before)
		return;
	for (size_t i = 0; i < N_TEXTS; i++)
		compare_text(&texts[i], before, now, changes);
	compare_eab(before, now, changes);
	compare_caa(before, now, changes);
	compare_profiles(before, now, uses, n_uses, changes);
}

/* ---- the view --------------------------------------------------------------------- */

cJSON *foresight_view(const struct acme_directory *directory)
{
	const char *const values[] = {
		directory->new_nonce,        directory->new_account,
		directory->new_order,        directory->revoke_cert,
		directory->key_change,       directory->renewal_info,
		directory->terms_of_service, directory->website,
	};
	cJSON *view = cJSON_CreateObject(), *list;

	_Static_assert(sizeof(values) / sizeof(*values) == N_TEXTS, "in their order");
	for (size_t i = 0; i < N_TEXTS; i++)
		json_set_string(view, texts[i].name, values[i]);
	json_set_bool(view, EAB, directory->external_account_required);
	list = cJSON_AddArrayToObject(view, CAA);
	for (size_t i = 0; i < directory->caa_identities.n; i++) {
		if (!cJSON_AddItemToArray(
			    list, cJSON_CreateString(directory->caa_identities.items[i])))
			abort();
	}
	list = cJSON_AddObjectToObject(view, PROFILES);
	for (size_t i = 0; i < directory->profiles.n; i++)
		json_set_string(list, directory->profiles.items[i],
				directory->profile_texts.items[i]);
	return view;
}
