/* faultdriver.c - runs a program and counts what it and its children change; at the N-th
 * change the program dies, or the system refuses.
 *
 *     faultdriver record LOG [--leave NAME]... -- PROGRAM [ARG]...
 *     faultdriver inject FAULT N LOG [--leave NAME]... -- PROGRAM [ARG]...
 *     faultdriver cut kill N LOG [--leave NAME]... -- PROGRAM [ARG]...
 *
 * FAULT: kill (SIGKILL of PROGRAM as the N-th call is entered; its children live on, as
 * they would), eio, enospc, eacces, eintr, emfile (the call is not made and fails so).
 * One counter runs over all threads and children. A child whose program is called NAME is
 * left alone from its exec on: a service that stays. When call N cannot meet the fault,
 * the next one that can meets it.
 *
 * LOG gets a line a call, its fields separated by tabs: number, thread, program's name,
 * "own" or "foreign", call, faults that it can meet, result, target, other path, number
 * argument, offset, addresses in PROGRAM, written bytes; in `inject` only the call that
 * the fault met, in `cut` all up to it, without addresses. The last line is `end COUNT
 * EXIT-CODE FIRED`; COUNT ends with the call that failed. Exits as PROGRAM did, with 128
 * + signal when a signal ended it, 125 when the driver itself failed. */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#include "tests/fault/driver/calls.h"
#include "tests/fault/driver/callsite.h"

#define MAX_THREADS 512
#define MAX_LEFT 8
#define FAILED 125
#define DATA_MAX_BYTES 262144
#define OPTIONS                                                                          \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |              \
	 PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

struct thread {
	pid_t tid;  /* 0: free */
	bool own;   /* runs PROGRAM's file */
	int code;   /* the call under way is to fail so; 0: no */
	char *line; /* of the log, up to the result; NULL: the call does not count */
	char *rest;
};

struct driver {
	struct thread threads[MAX_THREADS];
	pid_t program;
	char file[4096]; /* its executable */
	const char *left[MAX_LEFT];
	size_t n_left;
	unsigned fault; /* 0: record */
	bool cut;
	uint64_t nth, count;
	bool fired, ended;
	bool answered; /* the call has failed: what comes now is nobody's matter */
	int status;
	FILE *log;
	struct callsites *known;
};

static void fail(const char *what)
{
	fprintf(stderr, "faultdriver: %s: %s\n", what, strerror(errno));
	exit(FAILED);
}

/* ---- the threads that are traced ----------------------------------------- */

static void exe_of(pid_t tid, char to[4096])
{
	char name[64];
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/%d/exe", (int)tid);
	n = readlink(name, to, 4095);
	to[n < 0 ? 0 : n] = '\0';
}

static struct thread *thread_of(struct driver *d, pid_t tid)
{
	struct thread *slot = NULL;
	char exe[4096];

	for (size_t i = 0; i < MAX_THREADS; i++) {
		if (d->threads[i].tid == tid)
			return &d->threads[i];
		if (!d->threads[i].tid && !slot)
			slot = &d->threads[i];
	}
	if (!slot) {
		errno = EMFILE;
		fail("too many threads");
	}
	exe_of(tid, exe);
	*slot = (struct thread){ .tid = tid, .own = !strcmp(exe, d->file) };
	return slot;
}

/* The line of a call that has a result, or never gets one. */
static void finish_line(struct driver *d, struct thread *thread, const char *result)
{
	if (thread->line)
		fprintf(d->log, "%s\t%s\t%s\n", thread->line, result, thread->rest);
	free(thread->line);
	free(thread->rest);
	thread->line = thread->rest = NULL;
}

static void forget(struct driver *d, pid_t tid)
{
	for (size_t i = 0; i < MAX_THREADS; i++) {
		if (d->threads[i].tid != tid)
			continue;
		finish_line(d, &d->threads[i], "?");
		d->threads[i] = (struct thread){ 0 };
	}
}

/* ---- one call ------------------------------------------------------------ */

static void print_faults(FILE *out, unsigned faults)
{
	static const char *const words[] = { "kill",   "eio",   "enospc",
					     "eacces", "eintr", "emfile" };
	const char *comma = "";

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!(faults & fault_of(words[i])))
			continue;
		fprintf(out, "%s%s", comma, words[i]);
		comma = ",";
	}
}

/* Paths without what separates fields and lines. */
static void print_path(FILE *out, const char *path)
{
	for (; *path; path++)
		fputc(*path == '\t' || *path == '\n' ? '?' : *path, out);
}

static void comm_of(pid_t tid, char to[64])
{
	char name[64];
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%d/comm", (int)tid);
	file = fopen(name, "re");
	if (!file || !fgets(to, 64, file))
		snprintf(to, 64, "?");
	to[strcspn(to, "\n")] = '\0';
	if (file)
		fclose(file);
}

static void begin_line(struct driver *d, struct thread *thread, const struct call *call)
{
	size_t size;
	FILE *out = open_memstream(&thread->line, &size);
	char comm[64];

	comm_of(thread->tid, comm);
	fprintf(out, "%" PRIu64 "\t%d\t%s\t%s\t%s\t", d->count, (int)thread->tid, comm,
		thread->own ? "own" : "foreign", call->name);
	print_faults(out, call->faults);
	fclose(out);
	out = open_memstream(&thread->rest, &size);
	print_path(out, call->target);
	fputc('\t', out);
	print_path(out, call->other);
	fprintf(out, "\t%" PRIu64 "\t%" PRIu64 "\t", call->number, call->offset);
	if (thread->own && (!d->cut || d->fired))
		callsite_print(d->known, out, thread->tid);
	fputc('\t', out);
	if (!d->fault || d->cut)
		call_print_data(out, thread->tid, call, DATA_MAX_BYTES);
	fclose(out);
}

/* The kernel makes no call with this number; what it answers is replaced at the exit. */
static void skip_call(pid_t tid)
{
	struct user_regs_struct regs;
	struct iovec io = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &io))
		fail("read registers");
	regs.orig_rax = (unsigned long long)-1;
	if (ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &io))
		fail("write registers");
}

static void answer(pid_t tid, int code)
{
	struct user_regs_struct regs;
	struct iovec io = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &io))
		return;
	regs.rax = (unsigned long long)-code;
	(void)ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &io);
}

static void strike(struct driver *d, struct thread *thread, const struct call *call)
{
	d->fired = true;
	begin_line(d, thread, call);
	if (d->fault == FAULT_KILL) {
		(void)kill(d->program, SIGKILL);
		return;
	}
	thread->code = fault_errno(d->fault);
	skip_call(thread->tid);
}

static void entered(struct driver *d, struct thread *thread,
		    const struct ptrace_syscall_info *info)
{
	uint64_t args[6];
	struct call call;

	memcpy(args, info->entry.args, sizeof(args));
	if (!call_read(thread->tid, info->entry.nr, args, !thread->own, &call))
		return;
	if (!thread->own)
		call.faults &=
			FAULT_KILL; /* what other programs meet is not our matter */
	d->count++;
	if (!d->fired && d->fault && d->count >= d->nth && (call.faults & d->fault))
		strike(d, thread, &call);
	else if (!d->fault || (d->cut && !d->fired))
		begin_line(d, thread, &call);
}

static void left_call(struct driver *d, struct thread *thread,
		      const struct ptrace_syscall_info *info)
{
	char result[32];

	if (thread->code) {
		answer(thread->tid, thread->code);
		snprintf(result, sizeof(result), "%d", -thread->code);
		d->answered = true;
	} else {
		snprintf(result, sizeof(result), "%" PRId64, (int64_t)info->exit.rval);
	}
	thread->code = 0;
	finish_line(d, thread, result);
}

static void at_call(struct driver *d, struct thread *thread)
{
	struct ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread->tid, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		entered(d, thread, &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		left_call(d, thread, &info);
}

/* ---- events -------------------------------------------------------------- */

static bool is_left(const struct driver *d, const char *exe)
{
	const char *slash = strrchr(exe, '/');

	for (size_t i = 0; slash && i < d->n_left; i++)
		if (!strcmp(slash + 1, d->left[i]))
			return true;
	return false;
}

/* True: it is not ours to follow any more. */
static bool at_exec(struct driver *d, struct thread *thread)
{
	char exe[4096];

	exe_of(thread->tid, exe);
	if (!d->file[0])
		memcpy(d->file, exe, sizeof(exe));
	thread->own = !strcmp(exe, d->file);
	if (!is_left(d, exe))
		return false;
	(void)ptrace(PTRACE_DETACH, thread->tid, NULL, 0);
	forget(d, thread->tid);
	return true;
}

/* A child is traced from its first moment, and has to be known from then on: one that we
 * had not heard of when we end would be killed with us, though it is to live on. */
static void meet_child(struct driver *d, pid_t tid, int event)
{
	unsigned long child;

	if ((event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
	     event == PTRACE_EVENT_CLONE) &&
	    !ptrace(PTRACE_GETEVENTMSG, tid, NULL, &child))
		(void)thread_of(d, (pid_t)child);
}

static void go_on(const struct thread *thread, int signal)
{
	(void)ptrace(PTRACE_SYSCALL, thread->tid, NULL, signal);
}

static void stopped(struct driver *d, pid_t tid, int status)
{
	struct thread *thread = thread_of(d, tid);
	int signal = WSTOPSIG(status), event = status >> 16;

	if (signal == (SIGTRAP | 0x80)) {
		at_call(d, thread);
		go_on(thread, 0);
	} else if (event == PTRACE_EVENT_STOP) {
		if (signal == SIGTRAP)
			go_on(thread, 0);
		else
			(void)ptrace(PTRACE_LISTEN, tid, NULL, 0);
	} else if (event == PTRACE_EVENT_EXEC) {
		if (!at_exec(d, thread))
			go_on(thread, 0);
	} else if (event) {
		meet_child(d, tid, event);
		go_on(thread, 0);
	} else {
		go_on(thread, signal);
	}
}

static void ended(struct driver *d, pid_t tid, int status)
{
	forget(d, tid);
	if (tid != d->program)
		return;
	d->ended = true;
	d->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void let_one_go(struct driver *d, struct thread *thread, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;

	meet_child(d, thread->tid, event);
	if (signal == (SIGTRAP | 0x80) && thread->code)
		at_call(d, thread);
	if (signal == (SIGTRAP | 0x80) || event)
		signal = 0;
	(void)ptrace(PTRACE_DETACH, thread->tid, NULL, signal);
	forget(d, thread->tid);
}

/* Children that outlive the program go on untraced, and so does the program itself once
 * its call has failed, which is quicker: each is let go when it stops for us, in whatever
 * order, because one that waits for its own child (vfork) stops after it. One that is let
 * go can have made another one just before. Returns when the program has ended, too. */
static void let_go(struct driver *d)
{
	int status;
	pid_t tid;

	for (size_t i = 0; i < MAX_THREADS; i++)
		if (d->threads[i].tid)
			(void)ptrace(PTRACE_INTERRUPT, d->threads[i].tid, NULL, NULL);
	for (;;) {
		tid = waitpid(-1, &status, __WALL);
		if (tid < 0 && errno != EINTR)
			return;
		if (tid > 0 && WIFSTOPPED(status))
			let_one_go(d, thread_of(d, tid), status);
		else if (tid > 0)
			ended(d, tid, status);
	}
}

static void follow(struct driver *d)
{
	int status;
	pid_t tid;

	while (!d->ended && !d->answered) {
		tid = waitpid(-1, &status, __WALL);
		if (tid < 0 && errno == EINTR)
			continue;
		if (tid < 0)
			fail("wait");
		if (WIFSTOPPED(status))
			stopped(d, tid, status);
		else
			ended(d, tid, status);
	}
	let_go(d);
	for (size_t i = 0; i < MAX_THREADS; i++)
		finish_line(d, &d->threads[i], "?");
	fprintf(d->log, "end\t%" PRIu64 "\t%d\t%d\n", d->count, d->status, d->fired);
}

static void begin(struct driver *d, char **argv)
{
	int status;

	d->program = fork();
	if (d->program < 0)
		fail("fork");
	if (!d->program) {
		(void)raise(SIGSTOP);
		execv(argv[0], argv);
		fprintf(stderr, "faultdriver: '%s': %s\n", argv[0], strerror(errno));
		_exit(FAILED);
	}
	if (waitpid(d->program, &status, WUNTRACED) != d->program ||
	    ptrace(PTRACE_SEIZE, d->program, NULL, OPTIONS))
		fail("trace");
	(void)kill(d->program, SIGCONT);
}

/* ---- the command line ---------------------------------------------------- */

static int usage(void)
{
	fputs("usage: faultdriver record LOG [--leave NAME]... -- PROGRAM [ARG]...\n"
	      "       faultdriver inject FAULT N LOG [--leave NAME]... -- PROGRAM "
	      "[ARG]...\n"
	      "       faultdriver cut kill N LOG [--leave NAME]... -- PROGRAM [ARG]...\n",
	      stderr);
	return FAILED;
}

int main(int argc, char **argv)
{
	static struct driver driver;
	struct driver *d = &driver;
	bool inject = argc > 4 && strcmp(argv[1], "record") != 0;
	int i = inject ? 5 : 3;

	if (argc < 4 || (inject && strcmp(argv[1], "inject") && strcmp(argv[1], "cut")))
		return usage();
	d->cut = !strcmp(argv[1], "cut");
	if (inject) {
		d->fault = fault_of(argv[2]);
		d->nth = strtoull(argv[3], NULL, 10);
		if (!d->fault || !d->nth)
			return usage();
	}
	for (; i + 1 < argc && !strcmp(argv[i], "--leave") && d->n_left < MAX_LEFT;
	     i += 2)
		d->left[d->n_left++] = argv[i + 1];
	if (i + 1 >= argc || strcmp(argv[i], "--") != 0)
		return usage();
	d->log = fopen(argv[inject ? 4 : 2], "we");
	if (!d->log)
		fail(argv[inject ? 4 : 2]);
	d->known = callsites_new();
	if (!d->known)
		fail("libunwind");
	begin(d, argv + i + 1);
	follow(d);
	fclose(d->log);
	return d->status;
}
