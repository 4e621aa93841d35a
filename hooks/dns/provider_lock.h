/* provider_lock.h - one at a time at a file that several workers change. Private to the
 * rows. */
#ifndef HOOKS_DNS_PROVIDER_LOCK_H
#define HOOKS_DNS_PROVIDER_LOCK_H

#include "base/files.h"
#include "hooks/dns.h"

/* Takes "<path>.lock", waiting as long as the provider may take; makes the folder when it
 * is missing. Gives *ret (file_lock_release()). ERR_TRANSIENT when another keeps it. */
int provider_lock(const struct dns_work *work, const char *path, struct file_lock **ret,
		  struct err *err);

#endif
