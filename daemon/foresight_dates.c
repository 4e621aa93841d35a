/* foresight_dates.c - the dated table. What a shorter lifetime does to a configuration:
 * foresight_checks.c. */
#include "daemon/foresight_dates.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "daemon/foresight_checks.h"

#define HOUR_S INT64_C(3600)
#define DAY_S INT64_C(86400)

/* ---- who is who -------------------------------------------------------------- */

enum { /* bits */
       LETS_ENCRYPT = 1 << 0,
       GOOGLE = 1 << 1,
       ZEROSSL = 1 << 2,
       DIGICERT = 1 << 3,
       OTHER_FREE = 1 << 4,
       OTHER = 1 << 5,
       PUBLIC = (1 << 6) - 1, /* bound to the CA/Browser Forum's requirements */
};

static const struct public_ca {
	unsigned bit;
	const char *host, *name;
} cas[] = {
	{ LETS_ENCRYPT, "acme-v02.api.letsencrypt.org", "Let's Encrypt" },
	{ GOOGLE, "dv.acme-v02.api.pki.goog", "Google Trust Services" },
	{ ZEROSSL, "acme.zerossl.com", "ZeroSSL" },
	{ DIGICERT, "one.digicert.com", "DigiCert" },
	{ OTHER_FREE, "acme.ssl.com", "SSL.com" },
	{ OTHER_FREE, "acme-api.actalis.com", "Actalis" },
	{ OTHER, "acme.sectigo.com", "Sectigo" },
	{ OTHER, "emea.acme.atlas.globalsign.com", "GlobalSign" },
};

static const struct public_ca *ca_of(const char *directory)
{
	const char *host = directory ? strstr(directory, "://") : NULL;
	const struct public_ca *found = NULL;
	char *copy;

	if (!host)
		return NULL;
	host += 3;
	copy = str_ndup(host, strcspn(host, ":/?#"));
	for (size_t i = 0; i < sizeof(cas) / sizeof(*cas) && !found; i++) {
		if (str_equal_nocase(copy, cas[i].host))
			found = &cas[i];
	}
	free(copy);
	return found;
}

/* ---- the table: what is announced ---------------------------------------------- */

enum kind { LIFETIME, REUSE, CLIENT_AUTH };

#define LE_2025 "Let's Encrypt, 2025-12-02"
#define LE_PROFILES "Let's Encrypt, profiles, 2026-07-14"
#define BR "CA/Browser Forum, Baseline Requirements"

static const struct row {
	const char *id, *on;
	unsigned cas;
	enum kind kind;
	const char *profile; /* NULL: every one */
	int64_t value_s;
	const char *source;
} rows[] = {
	{ "zerossl-client-auth", "2025-10-15", ZEROSSL, CLIENT_AUTH, NULL, 0,
	  "caddy #7320" },
	{ "google-client-auth", "2025-11-01", GOOGLE, CLIENT_AUTH, NULL, 0,
	  "acme.sh #6610" },
	{ "cab-200d", "2026-03-15", PUBLIC, LIFETIME, NULL, 200 * DAY_S, BR },
	{ "le-tlsserver-45d", "2026-05-13", LETS_ENCRYPT, LIFETIME, "tlsserver",
	  45 * DAY_S, LE_2025 },
	{ "le-client-auth", "2026-07-08", LETS_ENCRYPT, CLIENT_AUTH, NULL, 0,
	  LE_PROFILES },
	{ "free-client-auth", "2026-07-08", OTHER_FREE, CLIENT_AUTH, NULL, 0,
	  "no free public CA has had them since Let's Encrypt's tlsclient ended" },
	{ "le-classic-64d", "2027-02-10", LETS_ENCRYPT, LIFETIME, "classic", 64 * DAY_S,
	  LE_2025 },
	{ "le-reuse-10d", "2027-02-10", LETS_ENCRYPT, REUSE, "classic", 10 * DAY_S,
	  LE_2025 },
	{ "digicert-client-auth", "2027-03-01", DIGICERT, CLIENT_AUTH, NULL, 0,
	  "zowe #4783" },
	{ "cab-100d", "2027-03-15", PUBLIC, LIFETIME, NULL, 100 * DAY_S, BR },
	{ "cab-reuse-100d", "2027-03-15", PUBLIC & ~LETS_ENCRYPT, REUSE, NULL,
	  100 * DAY_S, BR },
	{ "le-classic-45d", "2028-02-16", LETS_ENCRYPT, LIFETIME, "classic", 45 * DAY_S,
	  LE_2025 },
	{ "le-reuse-7h", "2028-02-16", LETS_ENCRYPT, REUSE, "classic", 7 * HOUR_S,
	  LE_2025 },
	{ "cab-47d", "2029-03-15", PUBLIC, LIFETIME, NULL, 47 * DAY_S, BR },
	{ "cab-reuse-10d", "2029-03-15", PUBLIC & ~LETS_ENCRYPT, REUSE, NULL, 10 * DAY_S,
	  BR },
};

#define N_ROWS (sizeof(rows) / sizeof(*rows))

/* What Let's Encrypt gives before any of the dates. */
static const struct {
	const char *profile;
	int64_t lifetime_s;
} lets_encrypt[] = {
	{ "classic", 90 * DAY_S },
	{ "tlsserver", 90 * DAY_S },
	{ "shortlived", 160 * HOUR_S },
};

static int64_t instant_of(const struct row *row)
{
	char *text = str_printf("%sT00:00:00Z", row->on);
	int64_t at = 0;

	(void)clock_parse_rfc3339(text, &at);
	free(text);
	return at;
}

/* ---- lifetimes ------------------------------------------------------------------ */

struct place { /* what is known of certificate and CA */
	const struct dates_facts *facts;
	const struct public_ca *ca;
	const char *profile;
};

static bool concerns(const struct row *row, const struct place *place)
{
	return row->cas & place->ca->bit &&
	       (!row->profile || str_equal(row->profile, place->profile));
}

/* Of one that is ordered on the day that begins at `at`; 0: not known. */
static int64_t lifetime_at(const struct place *place, int64_t at)
{
	int64_t lifetime_s = place->facts->lifetime_s;

	for (size_t i = 0; i < sizeof(lets_encrypt) / sizeof(*lets_encrypt); i++) {
		if (place->ca->bit == LETS_ENCRYPT &&
		    str_equal(lets_encrypt[i].profile, place->profile))
			lifetime_s = lets_encrypt[i].lifetime_s;
	}
	for (size_t i = 0; i < N_ROWS; i++) {
		if (rows[i].kind == LIFETIME && concerns(&rows[i], place) &&
		    instant_of(&rows[i]) <= at &&
		    (!lifetime_s || rows[i].value_s < lifetime_s))
			lifetime_s = rows[i].value_s;
	}
	return lifetime_s;
}

/* ---- findings --------------------------------------------------------------------- */

static void add(struct dates_list *list, struct dates_finding finding)
{
	list->items = mem_realloc(list->items, (list->n + 1) * sizeof(*list->items));
	list->items[list->n++] = finding;
}

static struct dates_finding begin(const struct row *row)
{
	return (struct dates_finding){ .id = row->id,
				       .on = instant_of(row),
				       .source = row->source };
}

static void foresee_lifetime(const struct row *row, const struct place *place,
			     struct dates_list *list)
{
	struct dates_finding finding = begin(row);
	int64_t before_s = lifetime_at(place, finding.on - 1);
	int64_t after_s = lifetime_at(place, finding.on);
	char before[CLOCK_TEXT_MAX], after[CLOCK_TEXT_MAX];

	if (before_s && after_s >= before_s)
		return; /* it is shorter already */
	clock_format_duration(after_s, after);
	clock_format_duration(before_s, before);
	finding.what = before_s ? str_printf("%s: certificates of %s instead of %s",
					     place->ca->name, after, before)
				: str_printf("%s: certificates of %s at most",
					     place->ca->name, after);
	finding.breaks = foresight_checks(place->facts->certificate, after_s);
	add(list, finding);
}

static void foresee_reuse(const struct row *row, const struct place *place,
			  struct dates_list *list)
{
	struct dates_finding finding = begin(row);
	char length[CLOCK_TEXT_MAX];

	clock_format_duration(row->value_s, length);
	finding.what = str_printf("%s: a validated name counts for %s only, then it is "
				  "proven anew",
				  place->ca->name, length);
	add(list, finding);
}

static void foresee_client_auth(const struct row *row, const struct place *place,
				struct dates_list *list)
{
	struct dates_finding finding = begin(row);

	if (!(place->facts->certificate->require & REQUIRE_CLIENT_AUTH) ||
	    (row->cas == GOOGLE &&
	     strstr(place->facts->issuer->directory, "client_auth=true")))
		return;
	finding.what = str_printf("%s: no certificates for clients (clientAuth)",
				  place->ca->name);
	finding.breaks = str_dup(
		"'require: [clientAuth]' refuses every certificate from there; take this "
		"one from a private CA, or leave clientAuth out where nobody needs it");
	add(list, finding);
}

static void (*const foresee[])(const struct row *row, const struct place *place,
			       struct dates_list *list) = {
	[LIFETIME] = foresee_lifetime,
	[REUSE] = foresee_reuse,
	[CLIENT_AUTH] = foresee_client_auth,
};

static void finding_release(struct dates_finding *finding)
{
	free(finding->what);
	free(finding->breaks);
}

void dates_list_clear(struct dates_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		finding_release(&list->items[i]);
	free(list->items);
	*list = (struct dates_list){ 0 };
}

/* What is past matters where it is in force and breaks something. */
static bool counts(const struct row *row, const struct place *place, int64_t now)
{
	int64_t on = instant_of(row);

	if (on > now || row->kind == CLIENT_AUTH)
		return true;
	return row->kind == LIFETIME &&
	       lifetime_at(place, on) == lifetime_at(place, now) &&
	       lifetime_at(place, on - 1) != lifetime_at(place, on);
}

static void drop_harmless_past(struct dates_list *list, int64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i].on > now || list->items[i].breaks)
			list->items[kept++] = list->items[i];
		else
			finding_release(&list->items[i]);
	}
	list->n = kept;
}

void dates_foresee(const struct dates_facts *facts, int64_t now, struct dates_list *ret)
{
	struct place place = { .facts = facts,
			       .ca = ca_of(facts->issuer->directory),
			       .profile = facts->certificate->profile };

	*ret = (struct dates_list){ 0 };
	if (!place.ca)
		return;
	if (!place.profile && place.ca->bit == LETS_ENCRYPT)
		place.profile = "classic";
	for (size_t i = 0; i < N_ROWS; i++) {
		if (concerns(&rows[i], &place) && counts(&rows[i], &place, now))
			foresee[rows[i].kind](&rows[i], &place, ret);
	}
	drop_harmless_past(ret, now);
}

enum dates_step dates_step(int64_t on, int64_t now)
{
	static const struct {
		int64_t days;
		enum dates_step step;
	} steps[] = {
		{ 0, DATES_REACHED },
		{ 7, DATES_7_DAYS },
		{ 30, DATES_30_DAYS },
		{ 90, DATES_90_DAYS },
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		if (on - now <= steps[i].days * DAY_S)
			return steps[i].step;
	}
	return DATES_FAR;
}
