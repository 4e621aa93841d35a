/* seam.c - counts the calls of a site, writes them down, and says which one fails. */
#include "tests/fault/inject/seam.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <windows.h>
#else
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#endif

#include "base/err.h"

#ifdef _WIN32
#define ARGS_IN_REGS 4
#define STACK_BEFORE_ARGS 5 /* return address, four slots of the callee's */
extern const char __ImageBase[];
#define PROGRAM __ImageBase
#else
#define ARGS_IN_REGS 6
#define STACK_BEFORE_ARGS 1
extern const char __executable_start[];
#define PROGRAM __executable_start
#endif

static struct {
	atomic_int
		begun; /* 0: nobody read the environment yet, 1: somebody does, 2: done */
	bool armed, last;
	uintptr_t site;
	unsigned long nth;
	const char *name, *kind, *log;
	atomic_ulong count;
} seam;

static void begin(void)
{
	const char *site = getenv("SEAM_SITE"), *nth = getenv("SEAM_NTH");
	int nobody = 0;

	if (!atomic_compare_exchange_strong(&seam.begun, &nobody, 1)) {
		while (atomic_load(&seam.begun) != 2)
			;
		return;
	}
	seam.log = getenv("SEAM_LOG");
	seam.name = getenv("SEAM_NAME");
	seam.kind = getenv("SEAM_KIND");
	seam.last = getenv("SEAM_LAST") != NULL;
	seam.site = site ? (uintptr_t)strtoull(site, NULL, 16) : 0;
	seam.nth = nth ? strtoul(nth, NULL, 10) : 1;
	seam.armed = site && seam.kind;
	atomic_store(&seam.begun, 2);
}

#ifdef _WIN32

static void append(const char *line)
{
	HANDLE file = CreateFileA(seam.log, FILE_APPEND_DATA,
				  FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_ALWAYS,
				  0, NULL);
	DWORD last = GetLastError(), written;

	if (file == INVALID_HANDLE_VALUE)
		abort();
	if (!WriteFile(file, line, (DWORD)strlen(line), &written, NULL))
		abort();
	CloseHandle(file);
	SetLastError(last);
}

static void die(void)
{
	TerminateProcess(GetCurrentProcess(), 137);
}

#else

static void append(const char *line)
{
	int fd = open(seam.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		abort();
	close(fd);
}

static void die(void)
{
	kill(getpid(), SIGKILL);
}

#endif

static void note(const char *what, const struct seam_row *row, uintptr_t site)
{
	char line[160];

	if (!seam.log)
		return;
	snprintf(line, sizeof(line), "%s %s %llx\n", what, row->name,
		 (unsigned long long)site);
	append(line);
}

static bool is_due(const struct seam_row *row, uintptr_t site)
{
	unsigned long count;

	if (!seam.armed || site != seam.site ||
	    (seam.name && strcmp(seam.name, row->name) != 0))
		return false;
	count = atomic_fetch_add(&seam.count, 1) + 1;
	return count == seam.nth || (seam.last && count > seam.nth);
}

/* A function that fails says why, as it would to an operator. */
static void explain(struct err *err)
{
	if (!strcmp(seam.kind, "denied"))
		err_set(err, ERR_DENIED, "Permission denied (a fault of the tests)");
	else if (!strcmp(seam.kind, "transient"))
		err_set(err, ERR_TRANSIENT, "no answer in time (a fault of the tests)");
	else
		err_set(err, ERR_IO, "No space left on device (a fault of the tests)");
}

bool seam_enter(const struct seam_row *row, const uintptr_t *caller,
		const uintptr_t *regs, intptr_t *ret_value)
{
	uintptr_t site;

	if (atomic_load(&seam.begun) != 2)
		begin();
	if (!seam.log && !seam.armed)
		return false;
	site = *caller - (uintptr_t)PROGRAM;
	if (!is_due(row, site)) {
		if (!seam.armed)
			note("call", row, site);
		return false;
	}
	note("fired", row, site);
	if (!strcmp(seam.kind, "kill"))
		die();
	if (row->err_arg >= ARGS_IN_REGS)
		explain((struct err *)
				caller[STACK_BEFORE_ARGS + row->err_arg - ARGS_IN_REGS]);
	else if (row->err_arg >= 0)
		explain((struct err *)regs[row->err_arg]);
	*ret_value = row->value;
	return !row->kill_only;
}
