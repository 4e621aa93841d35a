#include "draft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <grp.h>
#include <unistd.h>
#include <cmocka.h>

#define NOBODY 65534

int draft_as_nobody(struct draft *draft, int (*run)(struct draft *draft))
{
	pid_t child = fork();
	int status = -1;

	assert_true(child >= 0);
	if (!child) {
		if (!geteuid() &&
		    (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY)))
			_exit(100);
		_exit(run(draft));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}
