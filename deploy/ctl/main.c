#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "deploy/ctl/ctl.h"

/* `titian adapter ...` is titian-adapter's own command line, for who looks for it here: the program beside
 * this one, or the one on the PATH. */
static int run_adapter(char **argv)
{
	static const char name[] = "titian-adapter";
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof(name));
	char *slash;

	if (n > 0) {
		path[n] = '\0';
		slash = strrchr(path, '/');
		memcpy(slash + 1, name, sizeof(name));
		execv(path, argv);
	}
	execvp(name, argv);
	ctl_complain("%s: %s", name, strerror(errno));
	return CTL_NOT_FOUND;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "adapter") == 0)
		return run_adapter(argv + 1);
	/* Beside the adapter alone: what only opens rows with the key is a command of ours. */
	if (argc > 2 && strcmp(argv[1], "quarantine") == 0 && argv[2][0] != '-' && strcmp(argv[2], "open") != 0)
		return run_adapter(argv);
	return ctl_main(argc, argv);
}
