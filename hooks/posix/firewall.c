/* Firewalls of POSIX systems are many; the operator's program knows which. */
#include "hooks/firewall.h"

static int not_here(const char *rule, struct err *err)
{
	return err_set(err, ERR_CONFIG,
		       "the rule '%s' cannot be set: the built-in firewall guard exists "
		       "on Windows only; let `before_fallback` run a program",
		       rule);
}

int firewall_block(const char *rule, unsigned port, struct err *err)
{
	(void)port;
	return not_here(rule, err);
}

int firewall_unblock(const char *rule, struct err *err)
{
	return not_here(rule, err);
}

int firewall_allow_program(const char *rule, const char *program, unsigned port,
			   struct err *err)
{
	(void)program;
	(void)port;
	return not_here(rule, err);
}

int firewall_forget(const char *rule, struct err *err)
{
	return not_here(rule, err);
}
