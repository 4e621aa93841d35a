/* alloc.c - the N-th allocation that a library makes finds no memory. For LD_PRELOAD.
 *
 * An allocation belongs to the library whose code asked for it: libcrypto, libcurl and
 * the others of `watched[]`; the product's own and libc's are served as ever. Where it
 * was made is the calls on its stack, from the library up to the one in our program.
 *
 *     ALLOC_LOG    a file that gets a line for each place when it is first seen, "call
 *                  PLACE STACK", and "fired PLACE STACK" for the one that failed. PLACE
 * is a number, the same in every run of the same build; STACK is "library +offset" from
 * the inside to the outside ALLOC_PLACE  this place ALLOC_NTH    its N-th allocation,
 * from 1 */
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#define MAX_FRAMES 48 /* that are looked at */
#define KEPT_FRAMES 6 /* of a library, that make a place */
#define MAX_RANGES 256
#define MAX_PLACES 65536
#define PROGRAM "program"

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);

/* What we offer instead of the C library's: strdup() is one because libc calls its own
 * malloc() for it. */
void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *old, size_t size);
char *strdup(const char *text);
char *strndup(const char *text, size_t len);

static const char *const watched[] = {
	"libcrypto",    "libssl",        "libcurl",   "libcjson",   "libyaml",
	"libuv",        "libmicrohttpd", "libcares",  "libsystemd", "libidn2",
	"libunistring", "libnghttp2",    "libgnutls",
};

struct range { /* code of one object */
	uintptr_t base, from, to;
	char name[24];
	bool watched;
};

struct stack {
	size_t n;
	char text[512];
	uint64_t place;
};

static struct {
	struct range ranges[MAX_RANGES];
	atomic_uint n_ranges;
	atomic_bool on;
	const char *log;
	uint64_t place; /* 0: none, everything is served */
	unsigned long nth;
	atomic_ulong count;
	_Atomic uint64_t seen[MAX_PLACES];
} state;

static _Thread_local bool inside;

/* ---- whose code is it? --------------------------------------------------- */

static void name_of(const char *path, char *name, size_t len)
{
	const char *base = strrchr(path, '/');
	size_t n;

	base = !*path ? PROGRAM : base ? base + 1 : path;
	n = strcspn(base, ".-");
	snprintf(name, len, "%.*s", (int)n, base);
}

static int add_object(struct dl_phdr_info *info, size_t size, void *ctx)
{
	size_t i, k;

	(void)size;
	(void)ctx;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		unsigned n = atomic_load(&state.n_ranges);
		struct range *range = &state.ranges[n];

		if (part->p_type != PT_LOAD || !(part->p_flags & PF_X) || n == MAX_RANGES)
			continue;
		range->base = info->dlpi_addr;
		range->from = info->dlpi_addr + part->p_vaddr;
		range->to = range->from + part->p_memsz;
		name_of(info->dlpi_name, range->name, sizeof(range->name));
		for (k = 0; k < sizeof(watched) / sizeof(watched[0]); k++)
			range->watched |= !strcmp(range->name, watched[k]);
		atomic_store(&state.n_ranges, n + 1);
	}
	return 0;
}

static const struct range *range_of(uintptr_t address)
{
	unsigned i, n = atomic_load(&state.n_ranges);

	for (i = 0; i < n; i++)
		if (address >= state.ranges[i].from && address < state.ranges[i].to)
			return &state.ranges[i];
	return NULL;
}

/* ---- where on its stack -------------------------------------------------- */

struct walk {
	struct stack *stack;
	size_t n_kept, left;
};

static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *ctx)
{
	struct walk *walk = ctx;
	uintptr_t address = _Unwind_GetIP(context);
	const struct range *range = range_of(address);
	struct stack *stack = walk->stack;
	bool ours = range && !strcmp(range->name, PROGRAM);

	if (!walk->left--)
		return _URC_END_OF_STACK;
	if (!range || !strcmp(range->name, "liballoc_faults") ||
	    !(range->watched || ours))
		return _URC_NO_REASON;
	if (ours || walk->n_kept++ < KEPT_FRAMES) {
		uint64_t offset = address - range->base;
		size_t at = strlen(stack->text);
		const char *c;

		for (c = range->name; *c; c++)
			stack->place = (stack->place ^ (uint64_t)*c) * 0x100000001b3;
		stack->place = (stack->place ^ offset) * 0x100000001b3;
		snprintf(stack->text + at, sizeof(stack->text) - at, " %s+%llx",
			 range->name, (unsigned long long)offset);
	}
	return ours ? _URC_END_OF_STACK : _URC_NO_REASON;
}

static void look(struct stack *stack)
{
	struct walk walk = { stack, 0, MAX_FRAMES };

	stack->text[0] = '\0';
	stack->place = 0xcbf29ce484222325;
	_Unwind_Backtrace(step, &walk);
	stack->place |= 1; /* 0 is none */
}

/* ---- writing it down ----------------------------------------------------- */

static void note(const char *what, const struct stack *stack)
{
	char line[640];
	int fd, len;

	if (!state.log)
		return;
	fd = open(state.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	len = snprintf(line, sizeof(line), "%s %llx%s\n", what,
		       (unsigned long long)stack->place, stack->text);
	if (fd < 0 || write(fd, line, (size_t)len) != len)
		abort();
	close(fd);
}

static bool is_new(uint64_t place)
{
	size_t i, at = place % MAX_PLACES;

	for (i = 0; i < MAX_PLACES; i++, at = (at + 1) % MAX_PLACES) {
		uint64_t none = 0;

		if (atomic_compare_exchange_strong(&state.seen[at], &none, place))
			return true;
		if (none == place)
			return false;
	}
	return false;
}

/* Does the allocation that `caller` asks for fail? */
static bool fails(const void *caller)
{
	const struct range *range;
	struct stack stack;
	bool fired;

	if (!atomic_load(&state.on) || inside)
		return false;
	range = range_of((uintptr_t)caller);
	if (!range || !range->watched)
		return false;
	inside = true;
	look(&stack);
	fired = state.place == stack.place &&
		atomic_fetch_add(&state.count, 1) + 1 == state.nth;
	if (fired)
		note("fired", &stack);
	else if (!state.place && is_new(stack.place))
		note("call", &stack);
	inside = false;
	return fired;
}

/* Who gave libc what it crashed with: the first address on the stack that is not its own.
 */
static const struct range *caller_of(const ucontext_t *where, uintptr_t *ret_address)
{
	const uintptr_t *words = (const uintptr_t *)where->uc_mcontext.gregs[REG_RSP];
	const struct range *range;

	for (size_t i = 0; i < MAX_FRAMES; i++) {
		range = range_of(words[i]);
		if (range && strcmp(range->name, "libc") != 0) {
			*ret_address = words[i];
			return range;
		}
	}
	return NULL;
}

/* Then the crash takes its course. */
static void on_crash(int number, siginfo_t *info, void *context)
{
	const ucontext_t *where = context;
	uintptr_t address = (uintptr_t)where->uc_mcontext.gregs[REG_RIP];
	const struct range *range = range_of(address);
	struct stack stack = { .place = 0 };

	(void)info;
	if (range && !strcmp(range->name, "libc"))
		range = caller_of(where, &address);
	if (range)
		snprintf(stack.text, sizeof(stack.text), " %s+%llx", range->name,
			 (unsigned long long)(address - range->base));
	note("crashed", &stack);
	(void)signal(number, SIG_DFL);
}

static void watch_for_crashes(void)
{
	struct sigaction action = { .sa_sigaction = on_crash, .sa_flags = SA_SIGINFO };

	if (sigaction(SIGSEGV, &action, NULL) || sigaction(SIGBUS, &action, NULL))
		abort();
}

__attribute__((constructor)) static void begin(void)
{
	const char *place = getenv("ALLOC_PLACE"), *nth = getenv("ALLOC_NTH");
	struct stack warm; /* the unwinder allocates when it is first used */

	state.log = getenv("ALLOC_LOG");
	state.place = place ? strtoull(place, NULL, 16) : 0;
	state.nth = nth ? strtoul(nth, NULL, 10) : 1;
	inside = true;
	dl_iterate_phdr(add_object, NULL);
	look(&warm);
	inside = false;
	if (state.log)
		watch_for_crashes();
	atomic_store(&state.on, state.log != NULL || state.place != 0);
}

/* ---- instead of the C library's ------------------------------------------- */

void *malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

char *strndup(const char *text, size_t len)
{
	size_t n = strnlen(text, len);
	char *copy = fails(__builtin_return_address(0)) ? NULL : __libc_malloc(n + 1);

	if (copy) {
		memcpy(copy, text, n);
		copy[n] = '\0';
	}
	return copy;
}

char *strdup(const char *text)
{
	size_t n = strlen(text);
	char *copy = fails(__builtin_return_address(0)) ? NULL : __libc_malloc(n + 1);

	if (copy)
		memcpy(copy, text, n + 1);
	return copy;
}
