#include "adapters/fetch/haul.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define WRITE_AT ((size_t)256 * 1024)

struct adapter_haul {
	char *dir, *path, *file;
	const char *ending;
	int fd;
	struct bus_buf out, mark;
	uint64_t rows, bytes;
	bool kept, accepted, more;
};

static enum bus_err trouble(const struct adapter_haul *h, const char *what, struct bus_error *err)
{
	return bus_fail(err, errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? BUS_EFULL : BUS_EIO,
			"cannot %s '%s': %m", what, h->path);
}

enum bus_err adapter_haul_open(const char *dir, const char *feed, struct adapter_haul **out,
			       struct bus_error *err)
{
	struct adapter_haul *h = bus_xcalloc(1, sizeof(*h));

	*out = NULL;
	h->dir = bus_xstrdup(dir);
	h->path = bus_xasprintf("%s/.%s.ambil", dir, feed);
	/* What lies there is left from a killed adapter, or is a pipe or a file of somebody who waits for what is fetched. */
	(void)unlink(h->path);
	h->fd = open(h->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (h->fd < 0) {
		enum bus_err rc = trouble(h, "write", err);

		adapter_haul_close(&h);
		return rc;
	}
	*out = h;
	return BUS_OK;
}

static enum bus_err flush(struct adapter_haul *h, struct bus_error *err)
{
	for (size_t at = 0; at < h->out.n;) {
		ssize_t n = write(h->fd, h->out.p + at, h->out.n - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return trouble(h, "write", err);
		at += (size_t)n;
	}
	bus_buf_reset(&h->out);
	return BUS_OK;
}

enum bus_err adapter_haul_put(struct adapter_haul *h, struct bus_str bytes, struct bus_error *err)
{
	bus_buf_put(&h->out, bytes.p, bytes.n);
	h->bytes += bytes.n;
	return h->out.n < WRITE_AT ? BUS_OK : flush(h, err);
}

void adapter_haul_row(struct adapter_haul *h)
{
	h->rows++;
}

uint64_t adapter_haul_rows(const struct adapter_haul *h)
{
	return h->rows;
}

uint64_t adapter_haul_bytes(const struct adapter_haul *h)
{
	return h->bytes;
}

void adapter_haul_mark(struct adapter_haul *h, struct bus_str mark)
{
	bus_buf_reset(&h->mark);
	bus_buf_put(&h->mark, mark.p, mark.n);
}

struct bus_str adapter_haul_marked(const struct adapter_haul *h)
{
	return bus_buf_str(&h->mark);
}

void adapter_haul_file(struct adapter_haul *h, const char *name)
{
	free(h->file);
	h->file = bus_xstrdup(name);
	h->rows = 1;
	h->more = true;
}

void adapter_haul_more(struct adapter_haul *h)
{
	h->more = true;
}

bool adapter_haul_has_more(const struct adapter_haul *h)
{
	return h->more;
}

const char *adapter_haul_file_name(const struct adapter_haul *h)
{
	return h->file;
}

void adapter_haul_end_in(struct adapter_haul *h, const char *ending)
{
	h->ending = ending;
}

const char *adapter_haul_ending(const struct adapter_haul *h)
{
	return h->ending;
}

void adapter_haul_set_accepted(struct adapter_haul *h, bool accepted)
{
	h->accepted = accepted;
}

bool adapter_haul_accepted(const struct adapter_haul *h)
{
	return h->accepted;
}

static enum bus_err sync_folder(const struct adapter_haul *h, struct bus_error *err)
{
	int fd = open(h->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum bus_err rc = fd < 0 || fsync(fd) != 0 ? trouble(h, "bring to disk the folder of", err) : BUS_OK;

	if (fd >= 0)
		close(fd);
	return rc;
}

enum bus_err adapter_haul_keep(struct adapter_haul *h, const char *name, struct bus_error *err)
{
	char *path = bus_xasprintf("%s/%s", h->dir, name);
	enum bus_err rc = flush(h, err);

	if (!rc && fsync(h->fd) != 0)
		rc = trouble(h, "bring to disk", err);
	if (!rc && renameat2(AT_FDCWD, h->path, AT_FDCWD, path, RENAME_NOREPLACE) != 0)
		rc = errno == EEXIST ? bus_fail(err, BUS_ECONFLICT, "'%s' is there already", path)
				     : trouble(h, "rename", err);
	free(path);
	if (rc)
		return rc;
	h->kept = true;
	return sync_folder(h, err);
}

void adapter_haul_close(struct adapter_haul **hp)
{
	struct adapter_haul *h = *hp;

	if (!h)
		return;
	if (h->fd >= 0)
		close(h->fd);
	if (h->fd >= 0 && !h->kept)
		unlink(h->path);
	bus_buf_release(&h->out);
	bus_buf_release(&h->mark);
	free(h->path);
	free(h->file);
	free(h->dir);
	free(h);
	*hp = NULL;
}
