/* scm.h - the service control manager, where more is asked than base/service.h says. */
#ifndef BASE_WINDOWS_SCM_H
#define BASE_WINDOWS_SCM_H

#include <windows.h>

#include "base/err.h"
#include "base/target.h"

/* The key name of the one service whose program lies below `folder` (case does not
 * matter, arguments and quotes of the image path neither). Gives *ret_name.
 * ERR_NOT_FOUND when there is none, ERR_CONFIG with their names when there are several.
 */
int scm_find_below(const char *folder, char **ret_name, struct err *err);

/* The account that the service is set up to run as: "LocalSystem", "NT SERVICE\name",
 * "DOMAIN\name". Gives *ret_account. ERR_NOT_FOUND without a service, ERR_CONFIG for one
 * that is none of the SCM's. */
int scm_account(const struct service *service, char **ret_account, struct err *err);

/* Opens manager and service with these rights; scm_close() both ways. */
struct scm_service {
	SC_HANDLE manager, handle;
	char *name; /* key name */
};
int scm_open(const struct service *service, DWORD rights, struct scm_service *ret,
	     struct err *err);
void scm_close(struct scm_service *service);

/* Writes what an exit code of a service means: "exit code 1067: The process terminated
 * unexpectedly", "exit code 3 of its own". Gives. */
char *scm_exit_text(const SERVICE_STATUS_PROCESS *status);

#endif
