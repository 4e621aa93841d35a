#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "daemon/foresight_checks.h"
#include "daemon/foresight_dates.h"

#define DAY(n) ((int64_t)(n)*86400)
#define EVERY_DAY 0x7f

static const struct issuer_config lets_encrypt = {
	.name = "le",
	.type = ISSUER_ACME,
	.directory = "https://acme-v02.api.letsencrypt.org/directory",
};

static int64_t on(const char *date)
{
	char *text = str_printf("%sT00:00:00Z", date);
	int64_t at;

	assert_int_equal(clock_parse_rfc3339(text, &at), 0);
	free(text);
	return at;
}

static struct certificate_config good(void)
{
	return (struct certificate_config){ .name = "a", .follow_ari = true };
}

static struct certificate_config with_renew_at(int64_t days)
{
	struct certificate_config certificate = good();

	certificate.renew_at.kind = RENEW_DURATION;
	certificate.renew_at.duration_s = DAY(days);
	return certificate;
}

static struct dates_list foresee_at(const struct certificate_config *certificate,
				    const struct issuer_config *issuer,
				    int64_t lifetime_days, const char *now)
{
	struct dates_facts facts = { .certificate = certificate,
				     .issuer = issuer,
				     .lifetime_s = DAY(lifetime_days) };
	struct dates_list list;

	dates_foresee(&facts, on(now), &list);
	return list;
}

static const struct dates_finding *find(const struct dates_list *list, const char *id)
{
	for (size_t i = 0; i < list->n; i++) {
		if (!strcmp(list->items[i].id, id))
			return &list->items[i];
	}
	return NULL;
}

static void assert_finds(const struct dates_list *list, const char *id, const char *date,
			 const char *what, const char *breaks)
{
	const struct dates_finding *finding = find(list, id);

	if (!finding)
		fail_msg("no finding '%s'", id);
	assert_int_equal(finding->on, on(date));
	assert_string_equal(finding->what, what);
	if (!breaks)
		assert_null(finding->breaks);
	else if (!finding->breaks || !strstr(finding->breaks, breaks))
		fail_msg("'%s' is not in: %s", breaks, finding->breaks);
	assert_non_null(finding->source);
}

static void assert_ids(const struct dates_list *list, const char *ids)
{
	char *found = str_dup("");

	for (size_t i = 0; i < list->n; i++) {
		char *more = str_printf("%s%s%s", found, i ? " " : "", list->items[i].id);

		free(found);
		found = more;
		assert_true(i == 0 || list->items[i - 1].on <= list->items[i].on);
	}
	assert_string_equal(found, ids);
	free(found);
}

static void the_defaults_survive_every_date_of_lets_encrypt(void **state)
{
	struct certificate_config certificate = good();
	struct dates_list list = foresee_at(&certificate, &lets_encrypt, 90,
					    "2026-11-21");

	(void)state;
	assert_ids(&list, "le-classic-64d le-reuse-10d le-classic-45d le-reuse-7h");
	assert_finds(&list, "le-classic-64d", "2027-02-10",
		     "Let's Encrypt: certificates of 64 d instead of 90 d", NULL);
	assert_finds(&list, "le-classic-45d", "2028-02-16",
		     "Let's Encrypt: certificates of 45 d instead of 64 d", NULL);
	assert_finds(&list, "le-reuse-7h", "2028-02-16",
		     "Let's Encrypt: a validated name counts for 7 h only, then it is "
		     "proven anew",
		     NULL);
	dates_list_clear(&list);
}

static void renew_at_30_days_breaks_with_45(void **state)
{
	struct certificate_config certificate = with_renew_at(30);
	struct dates_list list = foresee_at(&certificate, &lets_encrypt, 90,
					    "2026-11-21");

	(void)state;
	assert_null(find(&list, "le-classic-64d")->breaks);
	assert_string_equal(find(&list, "le-classic-45d")->breaks,
			    "'renew.at: 30 d' renews every 15 d; write 'renew.at: 1/3'");
	dates_list_clear(&list);
}

static void renew_at_of_the_whole_lifetime_is_said_to_be_ignored(void **state)
{
	struct certificate_config certificate = with_renew_at(60);
	struct dates_list list = foresee_at(&certificate, &lets_encrypt, 90,
					    "2026-11-21");

	(void)state;
	assert_finds(&list, "le-classic-64d", "2027-02-10",
		     "Let's Encrypt: certificates of 64 d instead of 90 d",
		     "'renew.at: 60 d' renews every 4 d");
	assert_finds(&list, "le-classic-45d", "2028-02-16",
		     "Let's Encrypt: certificates of 45 d instead of 64 d",
		     "'renew.at: 60 d' is the whole lifetime: it is ignored");
	dates_list_clear(&list);
}

static void what_is_in_force_is_told_as_long_as_it_breaks_something(void **state)
{
	struct certificate_config certificate = with_renew_at(30);
	struct dates_list list;

	(void)state;
	certificate.profile = "tlsserver";
	list = foresee_at(&certificate, &lets_encrypt, 45, "2026-11-21");
	assert_ids(&list, "le-tlsserver-45d");
	assert_finds(&list, "le-tlsserver-45d", "2026-05-13",
		     "Let's Encrypt: certificates of 45 d instead of 90 d",
		     "renews every 15 d");
	dates_list_clear(&list);

	certificate.profile = NULL;
	list = foresee_at(&certificate, &lets_encrypt, 45, "2028-03-01");
	assert_ids(&list, "le-classic-45d");
	dates_list_clear(&list);

	certificate = good();
	list = foresee_at(&certificate, &lets_encrypt, 45, "2028-03-01");
	assert_ids(&list, "");
	dates_list_clear(&list);
}

static void client_auth_is_gone_at_public_cas(void **state)
{
	static const struct {
		const char *directory, *date;
		bool gone;
	} rows[] = {
		{ "https://acme-v02.api.letsencrypt.org/directory", "2026-07-08", true },
		{ "https://acme.zerossl.com/v2/DV90", "2025-10-15", true },
		{ "https://dv.acme-v02.api.pki.goog/directory", "2025-11-01", true },
		{ "https://dv.acme-v02.api.pki.goog/directory?client_auth=true", NULL,
		  false },
		{ "https://one.digicert.com/mpki/api/v1/acme/v2/directory", "2027-03-01",
		  true },
		{ "https://acme.ssl.com/sslcom-dv-rsa", "2026-07-08", true },
		{ "https://ca.corp.example/directory", NULL, false },
	};
	struct certificate_config certificate = good();

	(void)state;
	certificate.require = REQUIRE_CLIENT_AUTH;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct issuer_config issuer = { .name = "ca",
						.type = ISSUER_ACME,
						.directory = rows[i].directory };
		struct dates_list list = foresee_at(&certificate, &issuer, 90,
						    "2026-11-21");
		const struct dates_finding *finding = NULL;

		for (size_t k = 0; k < list.n; k++) {
			if (strstr(list.items[k].what, "clientAuth"))
				finding = &list.items[k];
		}
		assert_int_equal(finding != NULL, rows[i].gone);
		if (finding) {
			assert_int_equal(finding->on, on(rows[i].date));
			assert_non_null(strstr(finding->breaks,
					       "'require: [clientAuth]' refuses every "
					       "certificate from there"));
		}
		dates_list_clear(&list);
	}
}

static void who_requires_no_client_auth_hears_nothing_of_it(void **state)
{
	struct certificate_config certificate = good();
	struct dates_list list = foresee_at(&certificate, &lets_encrypt, 90,
					    "2026-06-01");

	(void)state;
	assert_null(find(&list, "le-client-auth"));
	dates_list_clear(&list);
}

static void other_public_cas_follow_the_browser_forum(void **state)
{
	const struct issuer_config sectigo = {
		.name = "sectigo",
		.type = ISSUER_ACME,
		.directory = "https://acme.sectigo.com/v2/OV"
	};
	struct certificate_config certificate = good();
	struct dates_list list;

	(void)state;
	certificate.lifetime_s = DAY(199);
	list = foresee_at(&certificate, &sectigo, 199, "2026-11-21");
	assert_ids(&list, "cab-100d cab-reuse-100d cab-47d cab-reuse-10d");
	assert_finds(&list, "cab-100d", "2027-03-15",
		     "Sectigo: certificates of 100 d instead of 199 d",
		     "'lifetime: 199 d' is more than the CA gives; ask for 100 d or "
		     "less");
	assert_finds(&list, "cab-47d", "2029-03-15",
		     "Sectigo: certificates of 47 d instead of 100 d",
		     "ask for 47 d or less");
	dates_list_clear(&list);
}

static void nothing_is_said_of_a_private_ca(void **state)
{
	const struct issuer_config corp = { .name = "corp",
					    .type = ISSUER_ACME,
					    .directory = "https://ca.corp.example/dir" };
	const struct issuer_config store = { .name = "store", .type = ISSUER_STORE };
	struct certificate_config certificate = with_renew_at(300);
	struct dates_list list = foresee_at(&certificate, &corp, 365, "2026-11-21");

	(void)state;
	assert_int_equal(list.n, 0);
	list = foresee_at(&certificate, &store, 365, "2026-11-21");
	assert_int_equal(list.n, 0);
}

static void assert_breaks(const struct certificate_config *certificate, int64_t days,
			  const char *part)
{
	char *text = foresight_checks(certificate, DAY(days));

	if (!part && text)
		fail_msg("unexpected: %s", text);
	if (part && (!text || !strstr(text, part)))
		fail_msg("'%s' is not in: %s", part, text ? text : "(nothing)");
	free(text);
}

static void no_ari_breaks_with_short_lifetimes(void **state)
{
	struct certificate_config certificate = good();

	(void)state;
	certificate.follow_ari = false;
	assert_breaks(&certificate, 64, NULL);
	assert_breaks(&certificate, 47, "'renew.follow_ari: no'");
}

static void an_operators_csr_has_to_be_served_often(void **state)
{
	struct certificate_config certificate = good();

	(void)state;
	certificate.csr = "/x.csr";
	assert_breaks(&certificate, 90, NULL);
	assert_breaks(&certificate, 45,
		      "'csr:' leaves the key with somebody else: every 30 d");
}

static void retiring_slower_than_renewing_piles_up(void **state)
{
	const struct target target = { .name = "nginx", .retire_after_s = DAY(31) };
	struct certificate_config certificate = good();

	(void)state;
	certificate.targets = &target;
	certificate.n_targets = 1;
	assert_breaks(&certificate, 90, NULL);
	assert_breaks(&certificate, 45,
		      "'retire.after: 31 d' of target 'nginx' is longer than the 30 d "
		      "between renewals");
}

static void a_window_a_week_is_too_rare_for_what_lives_six_days(void **state)
{
	const struct window weekly = { .days = 1, .begin_s = 0, .end_s = 3600 };
	const struct window nightly = { .days = EVERY_DAY, .begin_s = 0, .end_s = 3600 };
	struct target target = { .name = "xu", .windows = &weekly, .n_windows = 1 };
	struct certificate_config certificate = good();

	(void)state;
	certificate.targets = &target;
	certificate.n_targets = 1;
	assert_breaks(&certificate, 45, NULL);
	assert_breaks(&certificate, 6,
		      "'maintenance_window' of target 'xu' may be 7 d away when only 3 d "
		      "are left");
	target.windows = &nightly;
	assert_breaks(&certificate, 6, NULL);
}

static void the_longest_wait_for_a_window_goes_round_the_week(void **state)
{
	const struct window weekend = { .days = 0x60, .begin_s = 79200, .end_s = 14400 };
	const struct window never = { .days = 0 };

	(void)state;
	assert_int_equal(foresight_longest_wait(NULL, 0), 0);
	assert_int_equal(foresight_longest_wait(&weekend, 1), DAY(6));
	assert_true(foresight_longest_wait(&never, 1) == CLOCK_NEVER);
}

static void several_breaks_are_all_said(void **state)
{
	struct certificate_config certificate = with_renew_at(30);

	(void)state;
	certificate.follow_ari = false;
	certificate.lifetime_s = DAY(90);
	assert_breaks(&certificate, 45, "write 'renew.at: 1/3'; 'lifetime: 90 d' is");
	assert_breaks(&certificate, 45, "; 'renew.follow_ari: no'");
}

static void a_date_is_told_at_90_30_7_days_and_on_it(void **state)
{
	const int64_t at = on("2027-02-10");

	(void)state;
	assert_int_equal(dates_step(at, at - DAY(90) - 1), DATES_FAR);
	assert_int_equal(dates_step(at, at - DAY(90)), DATES_90_DAYS);
	assert_int_equal(dates_step(at, at - DAY(30) - 1), DATES_90_DAYS);
	assert_int_equal(dates_step(at, at - DAY(30)), DATES_30_DAYS);
	assert_int_equal(dates_step(at, at - DAY(7)), DATES_7_DAYS);
	assert_int_equal(dates_step(at, at - 1), DATES_7_DAYS);
	assert_int_equal(dates_step(at, at), DATES_REACHED);
	assert_int_equal(dates_step(at, at + DAY(900)), DATES_REACHED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_survive_every_date_of_lets_encrypt),
		cmocka_unit_test(renew_at_30_days_breaks_with_45),
		cmocka_unit_test(renew_at_of_the_whole_lifetime_is_said_to_be_ignored),
		cmocka_unit_test(what_is_in_force_is_told_as_long_as_it_breaks_something),
		cmocka_unit_test(client_auth_is_gone_at_public_cas),
		cmocka_unit_test(who_requires_no_client_auth_hears_nothing_of_it),
		cmocka_unit_test(other_public_cas_follow_the_browser_forum),
		cmocka_unit_test(nothing_is_said_of_a_private_ca),
		cmocka_unit_test(no_ari_breaks_with_short_lifetimes),
		cmocka_unit_test(an_operators_csr_has_to_be_served_often),
		cmocka_unit_test(retiring_slower_than_renewing_piles_up),
		cmocka_unit_test(a_window_a_week_is_too_rare_for_what_lives_six_days),
		cmocka_unit_test(the_longest_wait_for_a_window_goes_round_the_week),
		cmocka_unit_test(several_breaks_are_all_said),
		cmocka_unit_test(a_date_is_told_at_90_30_7_days_and_on_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
