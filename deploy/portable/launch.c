/* titian-adapter of a portable folder: starts the program beside it with the loader and the libraries beside it, and nothing
 * of the system's. Linked statically, so that it runs where there is no library at all. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The folder of this program; where /proc is not mounted, as it was called. */
static int folder(const char *called, char *out, size_t n)
{
	ssize_t got = readlink("/proc/self/exe", out, n - 1);
	char *slash;

	if (got > 0)
		out[got] = '\0';
	else if (strchr(called, '/') && strlen(called) < n)
		strcpy(out, called);
	else
		return -1;
	slash = strrchr(out, '/');
	if (!slash)
		return -1;
	*slash = '\0';
	return 0;
}

int main(int argc, char **argv)
{
	static char dir[PATH_MAX], loader[PATH_MAX + 32], lib[PATH_MAX + 32], program[PATH_MAX + 32];
	const char *before[] = { loader, "--library-path", lib, "--argv0", argv[0], program };
	const size_t n = sizeof(before) / sizeof(before[0]);
	char **words = calloc((size_t)argc + n, sizeof(*words));

	if (!words || argc < 1 || folder(argv[0], dir, sizeof(dir)) != 0) {
		fprintf(stderr, "titian-adapter: cannot tell its own folder; call it with its path\n");
		return 1;
	}
	snprintf(loader, sizeof(loader), "%s/lib/ld.so", dir);
	snprintf(lib, sizeof(lib), "%s/lib", dir);
	snprintf(program, sizeof(program), "%s/lib/titian-adapter", dir);
	memcpy(words, before, sizeof(before));
	memcpy(words + n, argv + 1, (size_t)argc * sizeof(*words)); /* with the NULL at its end */
	execv(loader, words);
	fprintf(stderr, "titian-adapter: cannot start '%s': %s\n", loader, strerror(errno));
	return 1;
}
