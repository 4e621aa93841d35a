#include "daemon/progress.h"

#include <stdio.h>

#include "daemon/system.h"

void progress_print(const char *step, const char *target, const char *text)
{
	bool colour = system_stdout_is_terminal();

	printf("  %s%-11s%s %s%s%s\n", colour ? "\033[36m" : "", step ? step : "",
	       colour ? "\033[0m" : "", target ? target : "", target ? ": " : "",
	       text ? text : "");
	(void)fflush(stdout);
}
