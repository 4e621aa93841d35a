#include "hooks/programs.h"

#include <stdlib.h>

#include "base/process.h"

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
