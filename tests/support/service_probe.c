/* service_probe.c - base/service.h by hand, so that a real systemd can be put against it.
 *
 *     service_probe inspect UNIT            prints the state's name
 *     service_probe check UNIT              is it there, and may we restart it?
 *     service_probe restart|reload|start UNIT [TIMEOUT_S]
 *
 * Exit 0, or 1 with "KIND: sentence" on standard error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/service.h"

static int inspect(const struct service *service, struct err *err)
{
	enum service_state state;

	if (service_inspect(service, &state, err))
		return -1;
	puts(service_state_name(state));
	return 0;
}

static int check(const struct service *service, struct err *err)
{
	return service_check(service, err);
}

static int act(const struct service *service, struct err *err)
{
	return service_apply(service, NULL, err);
}

static int start(const struct service *service, struct err *err)
{
	return service_start(service, NULL, err);
}

static const struct verb {
	const char *name;
	enum service_action action;
	int (*run)(const struct service *service, struct err *err);
} verbs[] = {
	{ "inspect", SERVICE_RESTART, inspect }, { "check", SERVICE_RESTART, check },
	{ "restart", SERVICE_RESTART, act },     { "reload", SERVICE_RELOAD, act },
	{ "start", SERVICE_RESTART, start },
};

int main(int argc, char **argv)
{
	struct service service = { .kind = SERVICE_SYSTEMD, .timeout_s = 10 };
	struct err err = { 0 };
	size_t i;

	if (argc < 3) {
		fputs("usage: service_probe inspect|check|restart|reload|start UNIT "
		      "[TIMEOUT_S]\n",
		      stderr);
		return 2;
	}
	service.name = argv[2];
	if (argc > 3)
		service.timeout_s = strtol(argv[3], NULL, 10);
	for (i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (strcmp(verbs[i].name, argv[1]) != 0)
			continue;
		service.action = verbs[i].action;
		if (verbs[i].run(&service, &err) == 0)
			return 0;
		fprintf(stderr, "%s: %s\n", err_kind_name(err.kind), err.text);
		return 1;
	}
	fprintf(stderr, "unknown verb '%s'\n", argv[1]);
	return 2;
}
