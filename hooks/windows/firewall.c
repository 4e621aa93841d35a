/* netsh advfirewall. Its words are those of every language version; its output is not, so
 * it is never read: `show rule` exits with 1 when there is none of that name. */
#include "hooks/firewall.h"

#include <stdbool.h>
#include <stdlib.h>

#include <windows.h>

#include "base/process.h"
#include "base/str.h"
#include "base/windows/wide.h"

#define NETSH_TIMEOUT_S 60
#define MAX_ARGUMENTS 16

/* Gives the path of netsh.exe: never one that is found on a search path. */
static int find_netsh(char **ret, struct err *err)
{
	wchar_t folder[MAX_PATH];
	UINT len = GetSystemDirectoryW(folder, MAX_PATH);
	char *text;

	if (!len || len >= MAX_PATH)
		return err_os(err, "find the folder of Windows");
	text = utf8_from_wide(folder);
	*ret = str_printf("%s\\netsh.exe", text);
	free(text);
	return 0;
}

/* netsh advfirewall firewall <words>. */
static int netsh(const char *const *words, struct process_result *ret, struct err *err)
{
	const char *argv[MAX_ARGUMENTS + 1] = { NULL, "advfirewall", "firewall" };
	struct process_spec spec = { .argv = argv, .timeout_s = NETSH_TIMEOUT_S };
	char *program = NULL;
	size_t n = 3;
	int rc;

	if (find_netsh(&program, err))
		return -1;
	argv[0] = program;
	while (*words && n < MAX_ARGUMENTS)
		argv[n++] = *words++;
	rc = process_run(&spec, ret, err);
	free(program);
	if (!rc && ret->timed_out)
		return err_set(err, ERR_TRANSIENT, "netsh did not end within %d s",
			       NETSH_TIMEOUT_S);
	return rc;
}

static int is_there(const char *name, bool *ret, struct err *err)
{
	const char *const words[] = { "show", "rule", name, NULL };
	struct process_result result;

	if (netsh(words, &result, err))
		return -1;
	*ret = result.exit_code == 0;
	return 0;
}

static int delete_rule(const char *rule, struct err *err)
{
	char *name = str_printf("name=%s", rule);
	const char *const words[] = { "delete", "rule", name, NULL };
	struct process_result result;
	bool there = false;
	int rc = -1;

	if (is_there(name, &there, err))
		goto out;
	if (there && (netsh(words, &result, err) || is_there(name, &there, err)))
		goto out;
	if (there)
		err_set(err, ERR_IO, "netsh exited with code %d: %s", result.exit_code,
			result.tail);
	else
		rc = 0;
out:
	free(name);
	return rc ? err_wrap(err, "remove the firewall rule '%s'", rule) : 0;
}

/* `action` is a word of netsh, and so is `program` (NULL: none). */
static int add_rule(const char *rule, unsigned port, const char *action,
		    const char *program, struct err *err)
{
	char *name = str_printf("name=%s", rule);
	char *local = str_printf("localport=%u", port);
	const char *const words[] = { "add",          "rule", name,    "dir=in", action,
				      "protocol=TCP", local,  program, NULL };
	struct process_result result;
	bool there = false;
	int rc = -1;

	if (delete_rule(rule, err) || netsh(words, &result, err))
		goto out;
	if (result.exit_code == 0 && is_there(name, &there, err))
		goto out;
	if (there)
		rc = 0;
	else
		err_set(err, ERR_IO, "netsh exited with code %d: %s", result.exit_code,
			result.tail);
out:
	free(local);
	free(name);
	return rc ? err_wrap(err, "set the firewall rule '%s'", rule) : 0;
}

int firewall_block(const char *rule, unsigned port, struct err *err)
{
	return add_rule(rule, port, "action=block", NULL, err);
}

int firewall_unblock(const char *rule, struct err *err)
{
	return delete_rule(rule, err);
}

int firewall_allow_program(const char *rule, const char *program, unsigned port,
			   struct err *err)
{
	char *word = str_printf("program=%s", program);
	int rc = add_rule(rule, port, "action=allow", word, err);

	free(word);
	return rc;
}

int firewall_forget(const char *rule, struct err *err)
{
	return delete_rule(rule, err);
}
