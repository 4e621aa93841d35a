#include "daemon/resolve.h"

#include <stdlib.h>

#include "base/str.h"

struct caa_answer { /* about one name */
	char *name;
	struct caa_set set;
	struct err err; /* kind ERR_NONE: `set` is what there is */
};

struct resolving {
	struct resolver *resolver;
	struct caa_answer *caa;
	size_t n_caa;
	struct err silent; /* kind ERR_NONE: the DNS answers, as far as we know */
};

int resolve_open(struct pass *pass, struct resolver **ret, struct err *err)
{
	const struct resolver_options options = {
		.servers = pass->in->config->resolvers,
	};

	if (!pass->resolving)
		pass->resolving = mem_calloc(1, sizeof(*pass->resolving));
	if (!pass->resolving->resolver &&
	    resolver_new(&options, pass->in->cancel, &pass->resolving->resolver, err))
		return -1;
	*ret = pass->resolving->resolver;
	return 0;
}

static struct caa_answer *ask_caa(struct pass *pass, struct resolver *resolver,
				  const char *name)
{
	struct resolving *resolving = pass->resolving;
	struct caa_answer answer = { .name = str_dup(name) };

	if (resolving->silent.kind != ERR_NONE)
		answer.err = resolving->silent;
	else if (resolver_caa(resolver, name, &answer.set, &answer.err) == 0)
		answer.err.kind = ERR_NONE;
	else if (answer.err.kind == ERR_TRANSIENT)
		resolving->silent = answer.err;
	resolving->caa = mem_realloc(resolving->caa,
				     (resolving->n_caa + 1) * sizeof(*resolving->caa));
	resolving->caa[resolving->n_caa] = answer;
	return &resolving->caa[resolving->n_caa++];
}

int resolve_caa(struct pass *pass, const char *name, const struct caa_set **ret,
		struct err *err)
{
	struct caa_answer *answer = NULL;
	struct resolver *resolver;

	if (resolve_open(pass, &resolver, err))
		return -1;
	for (size_t i = 0; i < pass->resolving->n_caa && !answer; i++)
		if (str_equal(pass->resolving->caa[i].name, name))
			answer = &pass->resolving->caa[i];
	if (!answer)
		answer = ask_caa(pass, resolver, name);
	if (answer->err.kind != ERR_NONE) {
		*err = answer->err;
		return -1;
	}
	*ret = &answer->set;
	return 0;
}

void resolve_close(struct pass *pass)
{
	struct resolving *resolving = pass->resolving;

	if (!resolving)
		return;
	for (size_t i = 0; i < resolving->n_caa; i++) {
		free(resolving->caa[i].name);
		caa_set_clear(&resolving->caa[i].set);
	}
	free(resolving->caa);
	resolver_free(resolving->resolver);
	free(resolving);
	pass->resolving = NULL;
}
