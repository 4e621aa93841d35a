#include "daemon/report_foresight.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "daemon/foresight.h"
#include "daemon/foresight_dates.h"

/* ---- dates ----------------------------------------------------------------- */

static void foresee(const struct known *known, const struct issuer_config *issuer,
		    struct dates_list *ret)
{
	const struct dates_facts facts = {
		.certificate = known->config,
		.issuer = issuer,
		.lifetime_s = known_is_from(known, issuer)
				      ? cert_lifetime_s(known->version.cert)
				      : 0,
	};

	dates_foresee(&facts, known->now, ret);
}

static const struct issuer_config *acme_issuer_of(const struct known *known, size_t i)
{
	const struct issuer_config *issuer = config_issuer(known->all,
							   known->config->issuers[i]);

	return issuer && issuer->type == ISSUER_ACME ? issuer : NULL;
}

cJSON *report_dates_json(const struct known *known)
{
	cJSON *json = cJSON_CreateArray(), *date;
	char on[CLOCK_TEXT_MAX];

	for (size_t i = 0; known->config->issuers[i]; i++) {
		const struct issuer_config *issuer = acme_issuer_of(known, i);
		struct dates_list list = { 0 };

		if (issuer)
			foresee(known, issuer, &list);
		for (size_t k = 0; k < list.n; k++) {
			date = cJSON_CreateObject();
			json_set_string(date, "issuer", issuer->name);
			clock_format_rfc3339(list.items[k].on, on);
			json_set_string(date, "on", on);
			json_set_string(date, "what", list.items[k].what);
			json_set_string(date, "source", list.items[k].source);
			json_set_string(date, "breaks", list.items[k].breaks);
			cJSON_AddItemToArray(json, date);
		}
		dates_list_clear(&list);
	}
	return json;
}

static void explain_dates(const struct known *known, const struct issuer_config *issuer,
			  struct buf *out)
{
	struct dates_list list;
	char on[CLOCK_TEXT_MAX];

	foresee(known, issuer, &list);
	for (size_t i = 0; i < list.n; i++) {
		clock_format_rfc3339(list.items[i].on, on);
		buf_printf(out, "%-17s %s: %.10s %s (%s)%s%s\n", "announced",
			   issuer->name, on, list.items[i].what, list.items[i].source,
			   list.items[i].breaks ? "; this configuration does not survive "
						  "it: "
						: "",
			   list.items[i].breaks ? list.items[i].breaks : "");
	}
	dates_list_clear(&list);
}

void report_dates_print(const cJSON *dates, struct buf *out)
{
	const cJSON *date;

	cJSON_ArrayForEach (date, dates) {
		const char *breaks = json_string(date, "breaks");

		if (breaks)
			buf_printf(out, "  %-12s %.10s %s: %s\n", "announced",
				   json_string(date, "on"), json_string(date, "what"),
				   breaks);
	}
}

/* ---- the CA as it was ------------------------------------------------------- */

static cJSON *read_view(const struct known *known, const struct issuer_config *issuer,
			struct strlist *damaged)
{
	cJSON *json = NULL;
	struct err err;

	if (foresight_read(known->all->state_dir, issuer, &json, &err))
		return NULL;
	report_damage(damaged, &err);
	return json;
}

cJSON *report_ca_json(const struct known *known, const struct issuer_config *issuer,
		      struct strlist *damaged)
{
	cJSON *file = read_view(known, issuer, damaged), *json;
	const cJSON *view = cJSON_GetObjectItemCaseSensitive(file, "view"), *profile;
	cJSON *names;

	if (!cJSON_IsObject(view)) {
		cJSON_Delete(file);
		return cJSON_CreateNull();
	}
	json = cJSON_CreateObject();
	json_set_string(json, "seen_at", json_string(file, "seen_at"));
	json_set_string(json, "terms_of_service", json_string(view, "termsOfService"));
	json_set_bool(json, "renewal_info", json_string(view, "renewalInfo") != NULL);
	json_set_bool(json, "external_account_required",
		      json_bool(view, "externalAccountRequired", false));
	names = cJSON_AddArrayToObject(json, "profiles");
	cJSON_ArrayForEach (profile, cJSON_GetObjectItemCaseSensitive(view, "profiles"))
		cJSON_AddItemToArray(
			names,
			cJSON_CreateString(profile->string ? profile->string : ""));
	names = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(view, "caaIdentities"),
				true);
	cJSON_AddItemToObject(json, "caa_identities",
			      names ? names : cJSON_CreateArray());
	cJSON_Delete(file);
	return json;
}

static void puts_list(const cJSON *list, struct buf *out)
{
	const cJSON *item;
	bool any = false;

	cJSON_ArrayForEach (item, list) {
		if (!cJSON_IsString(item))
			continue;
		buf_printf(out, "%s%s", any ? ", " : "", item->valuestring);
		any = true;
	}
	if (!any)
		buf_puts(out, "none");
}

static void explain_ca(const struct known *known, const struct issuer_config *issuer,
		       struct buf *out, struct strlist *damaged)
{
	cJSON *ca = report_ca_json(known, issuer, damaged);
	const char *terms = json_string(ca, "terms_of_service");
	char seen[CLOCK_TEXT_MAX];

	if (cJSON_IsObject(ca)) {
		buf_printf(out,
			   "%-17s %s: advice when to renew (ARI): %s, profiles: ", "CA",
			   issuer->name,
			   json_bool(ca, "renewal_info", false) ? "yes" : "no");
		puts_list(cJSON_GetObjectItemCaseSensitive(ca, "profiles"), out);
		buf_puts(out, ", CAA names: ");
		puts_list(cJSON_GetObjectItemCaseSensitive(ca, "caa_identities"), out);
		buf_printf(out, ", terms: %s; seen %s\n", terms ? terms : "none",
			   report_instant(ca, "seen_at", seen));
	}
	cJSON_Delete(ca);
}

void report_foresight_explain(const struct known *known, struct buf *out,
			      struct strlist *damaged)
{
	for (size_t i = 0; known->config->issuers[i]; i++) {
		const struct issuer_config *issuer = acme_issuer_of(known, i);

		if (!issuer)
			continue;
		explain_ca(known, issuer, out, damaged);
		explain_dates(known, issuer, out);
	}
}
