/* placeholders.h - what win-acme's scripts are told, for programs that were written for
 * it: {5} or {CertThumbprint} in an argument, exact and case-sensitive.
 *
 * Each argument is expanded by itself and stays one argument, whatever is put into it;
 * an unknown {word} stays as it is. There is no PFX file: {1} {2} {6} and their names are
 * empty. Of the certificate before only its thumbprint is known for sure; its common name
 * is found while its store or ours still has it. Internal to hooks/. */
#ifndef HOOKS_PLACEHOLDERS_H
#define HOOKS_PLACEHOLDERS_H

#include "base/str.h"
#include "hooks/transaction.h"

/* Appends the arguments of `argv` (NULL-terminated, NULL: none) to `ret`, expanded for
 * this member's deployment; argv[0], the program, as it is. */
void placeholders_expand(const struct member *member, const char *const *argv,
			 struct strlist *ret);

#endif
