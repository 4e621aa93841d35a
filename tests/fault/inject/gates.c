/* gates.c - one gate a row: hands the call on as it came, or answers for the function. In
 * assembler, because a gate must not care what a function's arguments are. */
#include "tests/fault/inject/seam.h"

#define SEAM(group, name, err_arg) ROW(group, name, err_arg, -1, false)
#define SEAM_VALUE(group, name, value) ROW(group, name, -1, value, false)
#define SEAM_KILL(group, name) ROW(group, name, -1, 0, true)

#define ROW(group, name, err_arg, value, kill_only)                                      \
	extern const struct seam_row seam_row_##name;                                    \
	const struct seam_row seam_row_##name = { #group, #name, err_arg, value,         \
						  kill_only };
#include "tests/fault/inject/rows.h"
#ifdef _WIN32
#include "tests/fault/inject/rows_windows.h"
#else
#include "tests/fault/inject/rows_posix.h"
#endif
#undef ROW

/* The gate itself: the registers that hold arguments are kept while seam_enter() thinks.
 * At its beginning lie on the stack: the row, the return address of the call. r11 has the
 * function. 216 and 152 keep the stack aligned to 16. */
#ifdef _WIN32
#define THE_FUNCTION(name) "lea __real_" #name "(%rip), %r11\n"
__asm__(".text\n"
	"seam_gate:\n"
	"push %rbp\n"
	"mov %rsp, %rbp\n"
	"sub $152, %rsp\n"
	"mov %rcx, 32(%rsp)\n"
	"mov %rdx, 40(%rsp)\n"
	"mov %r8, 48(%rsp)\n"
	"mov %r9, 56(%rsp)\n"
	"mov %r11, 64(%rsp)\n"
	"movups %xmm0, 80(%rsp)\n"
	"movups %xmm1, 96(%rsp)\n"
	"movups %xmm2, 112(%rsp)\n"
	"movups %xmm3, 128(%rsp)\n"
	"mov 8(%rbp), %rcx\n"
	"lea 16(%rbp), %rdx\n"
	"lea 32(%rsp), %r8\n"
	"lea 72(%rsp), %r9\n"
	"call seam_enter\n"
	"test %al, %al\n"
	"jne 1f\n"
	"mov 32(%rsp), %rcx\n"
	"mov 40(%rsp), %rdx\n"
	"mov 48(%rsp), %r8\n"
	"mov 56(%rsp), %r9\n"
	"mov 64(%rsp), %r11\n"
	"movups 80(%rsp), %xmm0\n"
	"movups 96(%rsp), %xmm1\n"
	"movups 112(%rsp), %xmm2\n"
	"movups 128(%rsp), %xmm3\n"
	"mov %rbp, %rsp\n"
	"pop %rbp\n"
	"lea 8(%rsp), %rsp\n"
	"jmp *%r11\n"
	"1:\n"
	"mov 72(%rsp), %rax\n"
	"mov %rbp, %rsp\n"
	"pop %rbp\n"
	"lea 8(%rsp), %rsp\n"
	"ret\n");
#else
#define THE_FUNCTION(name) "mov __real_" #name "@GOTPCREL(%rip), %r11\n"
__asm__(".text\n"
	"seam_gate:\n"
	"push %rbp\n"
	"mov %rsp, %rbp\n"
	"sub $216, %rsp\n"
	"mov %rdi, 0(%rsp)\n"
	"mov %rsi, 8(%rsp)\n"
	"mov %rdx, 16(%rsp)\n"
	"mov %rcx, 24(%rsp)\n"
	"mov %r8, 32(%rsp)\n"
	"mov %r9, 40(%rsp)\n"
	"mov %rax, 48(%rsp)\n"
	"mov %r11, 56(%rsp)\n"
	"movups %xmm0, 80(%rsp)\n"
	"movups %xmm1, 96(%rsp)\n"
	"movups %xmm2, 112(%rsp)\n"
	"movups %xmm3, 128(%rsp)\n"
	"movups %xmm4, 144(%rsp)\n"
	"movups %xmm5, 160(%rsp)\n"
	"movups %xmm6, 176(%rsp)\n"
	"movups %xmm7, 192(%rsp)\n"
	"mov 8(%rbp), %rdi\n"
	"lea 16(%rbp), %rsi\n"
	"mov %rsp, %rdx\n"
	"lea 64(%rsp), %rcx\n"
	"call seam_enter\n"
	"test %al, %al\n"
	"jne 1f\n"
	"mov 0(%rsp), %rdi\n"
	"mov 8(%rsp), %rsi\n"
	"mov 16(%rsp), %rdx\n"
	"mov 24(%rsp), %rcx\n"
	"mov 32(%rsp), %r8\n"
	"mov 40(%rsp), %r9\n"
	"mov 48(%rsp), %rax\n"
	"mov 56(%rsp), %r11\n"
	"movups 80(%rsp), %xmm0\n"
	"movups 96(%rsp), %xmm1\n"
	"movups 112(%rsp), %xmm2\n"
	"movups 128(%rsp), %xmm3\n"
	"movups 144(%rsp), %xmm4\n"
	"movups 160(%rsp), %xmm5\n"
	"movups 176(%rsp), %xmm6\n"
	"movups 192(%rsp), %xmm7\n"
	"mov %rbp, %rsp\n"
	"pop %rbp\n"
	"lea 8(%rsp), %rsp\n"
	"jmp *%r11\n"
	"1:\n"
	"mov 64(%rsp), %rax\n"
	"mov %rbp, %rsp\n"
	"pop %rbp\n"
	"lea 8(%rsp), %rsp\n"
	"ret\n"
	".section .note.GNU-stack,\"\",@progbits\n"
	".text\n");
#endif

#define ROW(group, name, err_arg, value, kill_only)                                      \
	__asm__(".globl __wrap_" #name "\n"                                              \
		"__wrap_" #name ":\n"                                                    \
		"lea seam_row_" #name "(%rip), %r11\n"                                   \
		"push %r11\n" THE_FUNCTION(name) "jmp seam_gate\n");
#include "tests/fault/inject/rows.h"
#ifdef _WIN32
#include "tests/fault/inject/rows_windows.h"
#else
#include "tests/fault/inject/rows_posix.h"
#endif
