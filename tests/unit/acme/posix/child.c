#include "child.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"

void child_start(struct child *child, const char *const *argv, char *line, size_t size)
{
	int in[2], out[2];

	if (pipe(in) || pipe(out))
		abort();
	signal(SIGPIPE, SIG_IGN);
	child->pid = fork();
	if (child->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[0]), close(in[1]), close(out[0]), close(out[1]);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	child->input = in[1];
	child->output = fdopen(out[0], "r");
	if (child->pid < 0 || !child->output || !fgets(line, (int)size, child->output)) {
		fprintf(stderr, "'%s' did not start\n", argv[0]);
		abort();
	}
	line[strcspn(line, "\n")] = '\0';
}

void child_stop(struct child *child)
{
	int status;

	close(child->input);
	fclose(child->output);
	waitpid(child->pid, &status, 0);
}

char *folder_make(void)
{
	const char *base = getenv("TMPDIR");
	char *path = str_printf("%s/acme-XXXXXX", base && *base ? base : "/tmp");

	if (!mkdtemp(path))
		abort();
	return path;
}

void folder_remove(char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		char *file = str_printf("%s/%s", path, entry->d_name);

		if (entry->d_name[0] != '.')
			unlink(file);
		free(file);
	}
	if (folder)
		closedir(folder);
	rmdir(path);
	free(path);
}
