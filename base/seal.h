/* seal.h - secrets at rest: what lies on our disk is of no use on another machine, and to
 * nobody here but us. Twin files.
 *
 * POSIX: the bytes themselves; mode 0600 in a 0700 folder is their protection there.
 * Windows: DPAPI in machine scope, with an entropy of ours that only SYSTEM and
 * Administrators can read (HKLM\SOFTWARE\certrenewd), because machine scope alone would
 * let every local account open them. */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Is sealing more than keeping the bytes? Then a key is worth removing from disk once its
 * store has it. */
bool seal_protects(void);

/* Appends the sealed form of `data` to `ret`. */
int seal(const void *data, size_t len, struct buf *ret, struct err *err);

/* Appends what was sealed to `ret`, a secret buffer. ERR_CONFIG when it was sealed on
 * another machine or is damaged, ERR_DENIED for who is no administrator. */
int unseal(const void *data, size_t len, struct buf *ret, struct err *err);

#endif
