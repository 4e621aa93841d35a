/* dns_probe.c - hooks/dns.h and hooks/resolver.h by hand, so that a real name server can
 * be put against them.
 *
 *     dns_probe VERB NAME=VALUE...
 *
 * Verbs: present, withdraw, check (an update of `server`, see settings), txt, follow,
 * zone, caa, await (questions about `name`). Prints what it is told, one a line. Exit 0,
 * or 1 with "KIND: sentence" on standard error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <signal.h>

#include "base/clock.h"
#include "base/str.h"
#include "hooks/dns.h"
#include "hooks/resolver.h"

enum setting {
	SERVER,
	KEY,
	ALGORITHM,
	SECRET,
	ZONE,
	DOMAIN,
	RECORD,
	VALUE,
	NAME,
	RESOLVERS, /* separated by commas */
	TRUST,     /* a PEM file */
	TIMEOUT,   /* seconds */
	CLOCK,     /* how many seconds ours is ahead */
	N_SETTINGS,
};

static const char *const names[N_SETTINGS] = {
	[SERVER] = "server",       [KEY] = "key",     [ALGORITHM] = "algorithm",
	[SECRET] = "secret",       [ZONE] = "zone",   [DOMAIN] = "domain",
	[RECORD] = "record",       [VALUE] = "value", [NAME] = "name",
	[RESOLVERS] = "resolvers", [TRUST] = "trust", [TIMEOUT] = "timeout",
	[CLOCK] = "clock",
};

static int64_t ahead_s;

int64_t __real_clock_wall(void);
int64_t __wrap_clock_wall(void);

int64_t __wrap_clock_wall(void)
{
	return __real_clock_wall() + ahead_s;
}

struct probe {
	const char *settings[N_SETTINGS];
	struct strlist resolvers;
	struct resolver *resolver;
};

static int64_t timeout_s(const struct probe *probe)
{
	const char *text = probe->settings[TIMEOUT];

	return text ? strtol(text, NULL, 10) : 5;
}

/* ---- updates ------------------------------------------------------------- */

static struct dns_provider provider_of(const struct probe *probe)
{
	const char *const *settings = probe->settings;
	const char *secret = settings[SECRET];
	struct dns_provider provider = { .name = "ours",
					 .type = DNS_RFC2136,
					 .ttl_s = 60,
					 .timeout_s = timeout_s(probe),
					 .zone = settings[ZONE],
					 .server = settings[SERVER],
					 .tsig_key = settings[KEY] };

	if (settings[ALGORITHM] && strcmp(settings[ALGORITHM], "hmac-sha512") == 0)
		provider.tsig_algorithm = TSIG_HMAC_SHA512;
	if (secret)
		provider.tsig_secret = (struct secret){ secret, strlen(secret),
							"'secret'" };
	return provider;
}

typedef int change(const struct dns_work *work, const struct dns_answer *answer,
		   struct err *err);

static int apply(const struct probe *probe, change *changing, struct err *err)
{
	const struct dns_provider provider = provider_of(probe);
	const struct dns_work work = { .provider = &provider,
				       .resolver = probe->resolver };
	const struct dns_answer answer = { .domain = probe->settings[DOMAIN],
					   .record = probe->settings[RECORD],
					   .value = probe->settings[VALUE] };

	return changing(&work, &answer, err);
}

static int present(const struct probe *probe, struct err *err)
{
	return apply(probe, dns_present, err);
}

static int withdraw(const struct probe *probe, struct err *err)
{
	return apply(probe, dns_withdraw, err);
}

static int check(const struct probe *probe, struct err *err)
{
	const struct dns_provider provider = provider_of(probe);
	const struct dns_work work = { .provider = &provider,
				       .resolver = probe->resolver };

	return dns_check(&work, probe->settings[DOMAIN], err);
}

/* ---- questions ----------------------------------------------------------- */

static void print_all(struct strlist *list)
{
	for (size_t i = 0; i < list->n; i++)
		puts(list->items[i]);
	strlist_clear(list);
}

static int txt(const struct probe *probe, struct err *err)
{
	struct strlist values = { 0 };
	int rc = resolver_txt(probe->resolver, probe->settings[NAME], &values, err);

	print_all(&values);
	return rc;
}

static int follow(const struct probe *probe, struct err *err)
{
	char *name;

	if (resolver_follow(probe->resolver, probe->settings[NAME], &name, err))
		return -1;
	puts(name);
	free(name);
	return 0;
}

static int zone(const struct probe *probe, struct err *err)
{
	struct strlist servers = { 0 };
	char *name;

	if (resolver_zone(probe->resolver, probe->settings[NAME], &name, &servers, err))
		return -1;
	puts(name);
	print_all(&servers);
	free(name);
	return 0;
}

static int caa(const struct probe *probe, struct err *err)
{
	struct caa_set set = { 0 };

	if (resolver_caa(probe->resolver, probe->settings[NAME], &set, err))
		return -1;
	printf("at %s\n", set.at ? set.at : "nowhere");
	for (size_t i = 0; i < set.n; i++)
		printf("%s%s %s\n", set.items[i].critical ? "critical " : "",
		       set.items[i].tag, set.items[i].value);
	caa_set_clear(&set);
	return 0;
}

static int await(const struct probe *probe, struct err *err)
{
	return resolver_await(probe->resolver, probe->settings[NAME],
			      probe->settings[VALUE], timeout_s(probe), err);
}

/* ---- the program --------------------------------------------------------- */

static const struct verb {
	const char *name;
	int (*run)(const struct probe *probe, struct err *err);
} verbs[] = {
	{ "present", present }, { "withdraw", withdraw }, { "check", check },
	{ "txt", txt },         { "follow", follow },     { "zone", zone },
	{ "caa", caa },         { "await", await },
};

static int set(struct probe *probe, const char *argument)
{
	for (size_t i = 0; i < N_SETTINGS; i++) {
		size_t len = strlen(names[i]);

		if (str_starts(argument, names[i]) && argument[len] == '=') {
			probe->settings[i] = argument + len + 1;
			return 0;
		}
	}
	fprintf(stderr, "usage: dns_probe VERB NAME=VALUE..., not '%s'\n", argument);
	return -1;
}

static int open_resolver(struct probe *probe, struct err *err)
{
	const char *at = probe->settings[RESOLVERS];
	struct resolver_options options = { .ca_bundle = probe->settings[TRUST],
					    .timeout_s = timeout_s(probe) };

	while (at && *at) {
		size_t len = strcspn(at, ",");
		char *server = str_ndup(at, len);

		strlist_add(&probe->resolvers, server);
		free(server);
		at += len + (at[len] == ',');
	}
	options.servers = (const char *const *)probe->resolvers.items;
	return resolver_new(&options, NULL, &probe->resolver, err);
}

static int run(const struct verb *verb, struct probe *probe, struct err *err)
{
	int rc = -1;

	if (!open_resolver(probe, err))
		rc = verb->run(probe, err);
	resolver_free(probe->resolver);
	strlist_clear(&probe->resolvers);
	if (rc)
		fprintf(stderr, "%s: %s\n", err_kind_name(err->kind), err->text);
	return rc ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct probe probe = { 0 };
	struct err err = { 0 };

	signal(SIGPIPE, SIG_IGN);
	for (int i = 2; i < argc; i++)
		if (set(&probe, argv[i]))
			return 2;
	if (probe.settings[CLOCK])
		ahead_s = strtol(probe.settings[CLOCK], NULL, 10);
	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(verbs[i].name, argv[1]) == 0)
			return run(&verbs[i], &probe, &err);
	fputs("usage: dns_probe VERB NAME=VALUE...\n", stderr);
	return 2;
}
