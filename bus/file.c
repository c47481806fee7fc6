#include "bus/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/mem.h"

int bus_file_make(const char *path, mode_t mode)
{
	(void)unlink(path);
	return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
}

bool bus_file_write(int fd, struct bus_str text)
{
	while (text.n > 0) {
		ssize_t n = write(fd, text.p, text.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		text.p += n;
		text.n -= (size_t)n;
	}
	return true;
}

bool bus_file_sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? bus_xstrndup(path, (size_t)(slash - path) + 1) : bus_xstrdup(".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;
	int why = errno;

	if (fd >= 0)
		close(fd);
	free(folder);
	errno = why;
	return ok;
}

enum bus_err bus_file_put(const char *path, struct bus_str text, mode_t mode, enum bus_file_care care,
			  struct bus_error *err)
{
	const bool durable = care == BUS_FILE_DURABLE;
	char *draft = bus_xasprintf("%s.tmp", path);
	int fd = bus_file_make(draft, mode), why = 0;

	if (fd < 0 || !bus_file_write(fd, text) || (durable && fsync(fd) != 0))
		why = errno;
	if (fd >= 0 && close(fd) != 0 && !why)
		why = errno;
	if (!why && rename(draft, path) != 0)
		why = errno;
	if (why && fd >= 0)
		(void)unlink(draft);
	free(draft);
	if (!why && durable && !bus_file_sync_folder(path))
		why = errno;
	errno = why;
	if (!why)
		return BUS_OK;
	return bus_fail(err,
			why == ENOSPC || why == EDQUOT	? BUS_EFULL
			: why == EACCES || why == EPERM ? BUS_EDENIED
							: BUS_EIO,
			"cannot write '%s': %m", path);
}

FILE *bus_file_open(const char *path)
{
	/* O_NONBLOCK: a pipe that nobody writes to is not waited for */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	FILE *fp = NULL;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		errno = EINVAL;
	else
		fp = fdopen(fd, "r");
	if (!fp) {
		const int why = errno;

		close(fd);
		errno = why;
	}
	return fp;
}
