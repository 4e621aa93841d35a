/* tool.h - what the tests under Wine ask Windows directly: a second opinion about stores,
 * key containers and access lists, sharing no code with certrenewd.
 *
 *     tool.c        the commands
 *     tool_store.c  entries of LocalMachine stores
 *     tool_key.c    key containers and their access lists
 *     tool_other.c  files held open, arguments echoed, secrets protected
 *
 * Answers are JSON or one word on standard output; the exit code is 0, or 1 with a
 * sentence on standard error. */
#ifndef TESTS_WINDOWS_TOOL_H
#define TESTS_WINDOWS_TOOL_H

#include <stdbool.h>
#include <windows.h>

#include <wincrypt.h>

#define TOOL_PROVIDER L"Microsoft Enhanced RSA and AES Cryptographic Provider"

/* Says what failed with GetLastError(); gives 1, the exit code. */
int tool_fail(const char *what);

/* UTF-8 of a wide text, "" of NULL. Gives. */
char *tool_utf8(const wchar_t *text);

/* A file's bytes with a NUL behind them; *ret_len may be NULL. Gives, NULL: unreadable.
 */
char *tool_read(const wchar_t *path, size_t *ret_len);

/* Opens LocalMachine\`name`. */
HCERTSTORE tool_open_store(const wchar_t *name);

/* The entry of that thumbprint (archived ones too); NULL: none. */
PCCERT_CONTEXT tool_find(HCERTSTORE store, const wchar_t *thumbprint);

/* The entry's CERT_KEY_PROV_INFO; NULL: no key. Gives. */
CRYPT_KEY_PROV_INFO *tool_provider(PCCERT_CONTEXT cert);

/* Each takes the arguments behind its name and gives the exit code. */
int tool_list(wchar_t **argv);        /* STORE */
int tool_import(wchar_t **argv);      /* STORE CERT_PEM KEY_PEM CONTAINER */
int tool_add(wchar_t **argv);         /* STORE CERT_PEM: without a key */
int tool_remove(wchar_t **argv);      /* STORE THUMBPRINT: the entry, not its key */
int tool_clear(wchar_t **argv);       /* STORE: every entry with its key */
int tool_sign(wchar_t **argv);        /* STORE THUMBPRINT */
int tool_exists(wchar_t **argv);      /* CONTAINER: "yes" or "no" */
int tool_containers(wchar_t **argv);  /* all of the machine, as a list */
int tool_dacl(wchar_t **argv);        /* CONTAINER: as SDDL */
int tool_set_dacl(wchar_t **argv);    /* CONTAINER SDDL */
int tool_delete_key(wchar_t **argv);  /* CONTAINER */
int tool_delete_keys(wchar_t **argv); /* every container of the machine */
int tool_hold(wchar_t **argv);        /* PATH MILLISECONDS: open without sharing */
/* NAME MILLISECONDS: its handle kept open. */
int tool_hold_service(wchar_t **argv);
int tool_echo(wchar_t **argv);    /* OUT ARGS...: they and CERTRENEWD_* to a file */
int tool_protect(wchar_t **argv); /* FILE: by DPAPI, for the machine, as base64 */

#endif
