#include "bus/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static enum bus_err take_line(const char *path, const char *p, size_t n, struct bus_buf *out,
			      struct bus_error *err)
{
	size_t len = 0;

	while (len < n && p[len] != '\n' && !(p[len] == '\r' && len + 1 < n && p[len + 1] == '\n')) {
		if ((unsigned char)p[len] < ' ' || p[len] == 0x7f)
			return bus_fail(err, BUS_EINVAL, "'%s' holds a control character", path);
		len++;
	}
	if (len == 0 || len > BUS_SECRET_MAX)
		return bus_fail(err, BUS_EINVAL, "the first line of '%s' must hold 1 to %d bytes", path,
				BUS_SECRET_MAX);
	bus_buf_put(out, p, len);
	return BUS_OK;
}

enum bus_err bus_secret_load(const char *path, struct bus_buf *out, struct bus_error *err)
{
	char text[BUS_SECRET_MAX + 2];
	struct stat st;
	enum bus_err rc;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return bus_fail(err, errno == ENOENT ? BUS_ENOENT : BUS_EIO, "cannot open '%s': %m", path);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		rc = bus_fail(err, BUS_EINVAL, "'%s' is not a plain file", path);
	else if (st.st_mode & 007)
		rc = bus_fail(err, BUS_EINVAL,
			      "'%s' holds a secret and has mode %04o, everybody may see it; run: "
			      "chmod 600 '%s'",
			      path, st.st_mode & 07777U, path);
	else if ((n = read(fd, text, sizeof(text))) < 0)
		rc = bus_fail(err, BUS_EIO, "cannot read '%s': %m", path);
	else
		rc = take_line(path, text, (size_t)n, out, err);
	explicit_bzero(text, sizeof(text));
	close(fd);
	return rc;
}

void bus_secret_release(struct bus_buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	bus_buf_release(b);
}
