/* winacme_system.c - no DPAPI, no task scheduler: simple-acme renews from cron here. */
#include "daemon/winacme/winacme.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CRON_FOLDER "/etc/cron.daily"

int winacme_unprotect(const void *data, size_t len, struct buf *ret, struct err *err)
{
	(void)data;
	(void)len;
	(void)ret;
	return err_set(
		err, ERR_CONFIG,
		"it is encrypted for the Windows machine that win-acme ran on, and "
		"can be opened there only");
}

char *winacme_shared_folder(void)
{
	return NULL;
}

/* "simple-acme renew (acme-v02.api.letsencrypt.org)" ->
 * "simple-acme-acme-v02_api_letsencrypt_org". Gives. */
static char *script_of(const char *task)
{
	const char *open = strstr(task, " renew (");
	char *path, *c;
	size_t n;

	if (!open)
		return str_dup(CRON_FOLDER "/");
	path = str_printf(CRON_FOLDER "/%.*s-%s", (int)(open - task), task,
			  open + strlen(" renew ("));
	n = strlen(path);
	if (n && path[n - 1] == ')')
		path[n - 1] = '\0';
	for (c = path + strlen(CRON_FOLDER "/"); *c; c++)
		if (*c == '.')
			*c = '_';
	return path;
}

/* run-parts(8) runs what is executable. */
int winacme_switch_task(const char *task, bool on, struct err *err)
{
	char *path = script_of(task);
	int rc = chmod(path, on ? 0755 : 0644);

	if (rc)
		err_os(err, "switch '%s' %s", path, on ? "on" : "off");
	free(path);
	return rc;
}
