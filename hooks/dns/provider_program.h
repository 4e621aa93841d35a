/* provider_program.h - one provider that is a program: run with its environment. Private
 * to the rows. */
#ifndef HOOKS_DNS_PROVIDER_PROGRAM_H
#define HOOKS_DNS_PROVIDER_PROGRAM_H

#include "hooks/dns.h"

/* Runs `argv` with the provider's environment and `more` ("NAME=value", NULL-terminated,
 * may be NULL). Errors as process_run_ok(): the exit code and the program's last words.
 */
int provider_program_run(const struct dns_work *work, const char *const *argv,
			 const char *const *more, struct err *err);

/* Is there a file at `path`? ERR_CONFIG if not. */
int provider_program_check(const char *path, struct err *err);

#endif
