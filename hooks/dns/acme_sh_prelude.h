/* acme_sh_prelude.h - acme_sh_prelude.sh as a string; CMake makes the .c file of it. */
#ifndef HOOKS_DNS_ACME_SH_PRELUDE_H
#define HOOKS_DNS_ACME_SH_PRELUDE_H

extern const char acme_sh_prelude[];

#endif
