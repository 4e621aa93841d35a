#include "hooks/programs.h"

#include <stdlib.h>
#include <string.h>

#include "base/process.h"
#include "hooks/firewall.h"

int program_run(const struct program *program, const struct deployment *deployment,
		const struct target *target, struct err *err)
{
	struct strlist env = { 0 };
	struct process_spec spec = {
		.argv = program->argv,
		.timeout_s = program->timeout_s,
		.cancel = deployment->cancel,
	};
	char *text;
	int rc;

	if (!program->argv || !program->argv[0])
		return 0;
	text = str_printf("CERTRENEWD_TARGET=%s", target->name);
	strlist_add(&env, text);
	free(text);
	if (deployment->material) {
		text = str_printf("CERTRENEWD_THUMBPRINT=%s",
				  cert_sha1(deployment->material->cert));
		strlist_add(&env, text);
		free(text);
	}
	if (target->store.type == STORE_DIRECTORY) {
		text = str_printf("CERTRENEWD_STORE=%s", target->store.path);
		strlist_add(&env, text);
		free(text);
	}
	spec.env = (const char *const *)env.items;
	rc = process_run_ok(&spec, err);
	strlist_clear(&env);
	return rc;
}

/* ---- the guard ----------------------------------------------------------- */

static char *rule_of(const struct target *target)
{
	return str_printf("certrenewd: plain HTTP of %s", target->name);
}

/* The port behind the last colon of "127.0.0.1:1337"; 0: there is none. */
static unsigned port_of(const char *http)
{
	const char *colon = http ? strrchr(http, ':') : NULL;
	unsigned long port = colon ? strtoul(colon + 1, NULL, 10) : 0;

	return port <= 65535 ? (unsigned)port : 0;
}

bool guard_exists(const struct target *target)
{
	return target->firewall_guard || target->before_fallback.argv;
}

int guard_on(const struct deployment *deployment, const struct target *target,
	     struct err *err)
{
	unsigned port = port_of(target->http);
	char *rule;
	int rc;

	if (!target->firewall_guard)
		return program_run(&target->before_fallback, deployment, target, err);
	if (!port)
		return err_set(err, ERR_CONFIG,
			       "'http:' names no port that could be blocked");
	rule = rule_of(target);
	rc = firewall_block(rule, port, err);
	free(rule);
	return rc;
}

int guard_off(const struct deployment *deployment, const struct target *target,
	      struct err *err)
{
	char *rule;
	int rc = 0;

	if (target->firewall_guard) {
		rule = rule_of(target);
		rc = firewall_unblock(rule, err);
		free(rule);
	}
	return rc ? -1 : program_run(&target->after_fallback, deployment, target, err);
}
