/* cmd_service.c - service install|uninstall: everything that makes the program a service
 * of this machine, and its way back. Keys and state are never touched. */
#include "daemon/windows/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include "base/files.h"
#include "base/windows/wide.h"
#include "config/system.h"
#include "daemon/windows/administrator.h"
#include "daemon/windows/own_folder.h"
#include "daemon/windows/own_service.h"
#include "daemon/windows/registration.h"
#include "daemon/windows/watch_task.h"
#include "hooks/firewall.h"

#define PATH_MAX_CHARS 32768

/* http.sys takes what comes in for us, and it is no program: "System" is what the
 * firewall calls it, as in the rule of IIS. */
#define FIREWALL_RULE "certrenewd: http-01 answers"
#define FIREWALL_PROGRAM "System"
#define FIREWALL_PORT 80

/* Gives the absolute path of our own program. */
static char *own_program(void)
{
	wchar_t *wide = mem_calloc(PATH_MAX_CHARS, sizeof(*wide));
	char *program;

	(void)GetModuleFileNameW(NULL, wide, PATH_MAX_CHARS);
	program = path_from_wide(wide);
	free(wide);
	return program;
}

static char *absolute(const char *path)
{
	wchar_t *wide = wide_path(path);
	char *text = path_from_wide(wide);

	free(wide);
	return text;
}

/* The folder of the configuration, and those of the state and the log in it. */
static int make_folders(struct err *err)
{
	static const char *const below[] = { "state", "logs" };
	char *config = system_default_config(), *folder = path_parent(config);
	int rc = own_folder_make(folder, err);

	for (size_t i = 0; !rc && i < sizeof(below) / sizeof(*below); i++) {
		char *path = path_join(folder, below[i]);

		rc = own_folder_make(path, err);
		free(path);
	}
	if (!rc)
		printf("folder '%s': SYSTEM and Administrators only\n", folder);
	free(folder);
	free(config);
	return rc;
}

static int install_service(const char *program, const char *config_given, struct err *err)
{
	char *config = absolute(config_given), *line;
	struct strlist notes = { 0 };
	int rc;

	line = str_printf("\"%s\" --config \"%s\" run --service", program, config);
	rc = own_service_install(line, &notes, err);
	if (!rc)
		printf("service 'certrenewd': %s\n", line);
	for (size_t i = 0; i < notes.n; i++)
		printf("  note: %s\n", notes.items[i]);
	strlist_clear(&notes);
	free(line);
	free(config);
	return rc;
}

/* A service that anybody may exchange makes anybody SYSTEM. */
static int check_program(const char *program, struct err *err)
{
	if (file_check_trusted(program, err))
		return err_wrap(err, "the service would run as SYSTEM what others could "
				     "exchange: put the program below Program Files");
	return 0;
}

/* Best effort: where the firewall is off, or another one, netsh fails. */
static void open_port(void)
{
	struct err err;

	if (firewall_allow_program(FIREWALL_RULE, FIREWALL_PROGRAM, FIREWALL_PORT, &err))
		printf("  note: %s; port %d must be reachable for http-01\n", err.text,
		       FIREWALL_PORT);
	else
		printf("firewall: port %d is open for http-01\n", FIREWALL_PORT);
}

static void close_port(void)
{
	struct err err;

	if (firewall_forget(FIREWALL_RULE, &err))
		printf("  note: %s\n", err.text);
}

/* Best effort: the service does its work without somebody who watches it. */
static void schedule_watch(const char *program, const char *config_given)
{
	char *config = absolute(config_given), *usual = system_default_config();
	char *folder = path_parent(usual);
	struct err err;

	if (watch_task_install(program, config, folder, &err))
		printf("  note: %s; nobody tells when the service is dead\n", err.text);
	else
		puts("scheduled task 'certrenewd watch': every ten minutes");
	free(folder);
	free(usual);
	free(config);
}

static void forget_watch(void)
{
	struct err err;

	if (watch_task_remove(&err))
		printf("  note: %s\n", err.text);
}

static int install(const struct options *options, const char *program, struct err *err)
{
	if (check_program(program, err) || make_folders(err) ||
	    install_service(program, options->config, err) ||
	    registration_add(program, err))
		return -1;
	puts("Event Log source 'certrenewd': registered");
	open_port();
	schedule_watch(program, options->config);
	puts("start it: net start certrenewd");
	return 0;
}

static int uninstall(const char *program, struct err *err)
{
	bool was = false;

	if (own_service_remove(&was, err) || registration_remove(program, err))
		return -1;
	close_port();
	forget_watch();
	puts(was ? "service 'certrenewd': removed; configuration, keys and state are kept"
		 : "service 'certrenewd': was not installed");
	return 0;
}

enum exit_code command_service(const struct options *options)
{
	char *program = own_program();
	struct err err;
	int rc = administrator_check(&err);

	if (rc)
		;
	else if (str_equal(options->args[0], "install"))
		rc = install(options, program, &err);
	else if (str_equal(options->args[0], "uninstall"))
		rc = uninstall(program, &err);
	else
		rc = err_set(&err, ERR_CONFIG,
			     "'%s' is neither install nor uninstall: usage: certrenewd "
			     "service install|uninstall",
			     options->args[0]);
	free(program);
	return rc ? command_fail(&err) : EXIT_CODE_DONE;
}
