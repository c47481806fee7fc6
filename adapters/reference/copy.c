#include "adapters/reference/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/mem.h"

#define HEAD "#titian-reference 1 "
#define HEAD_LEN (sizeof(HEAD) - 1 + 2 * BUS_SHA256_LEN + 1)

char *adapter_reference_copy_path(const char *dir, const char *topic)
{
	return bus_xasprintf("%s/%s.csv", dir ? dir : ".", topic);
}

static void put_head(struct bus_str csv, uint8_t digest[BUS_SHA256_LEN], char head[HEAD_LEN + 1])
{
	char hex[2 * BUS_SHA256_LEN + 1];

	bus_sha256(csv.p, csv.n, digest);
	bus_hex(digest, BUS_SHA256_LEN, hex);
	snprintf(head, HEAD_LEN + 1, HEAD "%s\n", hex);
}

enum bus_err adapter_reference_copy_check(const char *path, const char *text, size_t n,
					  uint8_t digest[BUS_SHA256_LEN], size_t *begin,
					  struct bus_error *err)
{
	char head[HEAD_LEN + 1];

	if (n > HEAD_LEN) {
		put_head((struct bus_str){ text + HEAD_LEN, n - HEAD_LEN }, digest, head);
		if (memcmp(text, head, HEAD_LEN) == 0) {
			*begin = HEAD_LEN;
			return BUS_OK;
		}
	}
	return bus_fail(err, BUS_EDATA,
			"%s: the copy of the reference topic is damaged: it is made anew from the bus", path);
}

static bool read_whole(const char *path, struct bus_buf *out)
{
	FILE *f = fopen(path, "re");
	char part[16384];
	size_t n;

	if (!f)
		return false;
	while ((n = fread(part, 1, sizeof(part), f)) > 0 && out->n <= ADAPTER_REFERENCE_MAX)
		bus_buf_put(out, part, n);
	fclose(f);
	return out->n <= ADAPTER_REFERENCE_MAX;
}

bool adapter_reference_copy_whole(const char *path)
{
	struct bus_buf text = { 0 };
	uint8_t digest[BUS_SHA256_LEN];
	size_t begin;
	bool whole = read_whole(path, &text) &&
		     adapter_reference_copy_check(path, text.p, text.n, digest, &begin, NULL) == BUS_OK;

	bus_buf_release(&text);
	return whole;
}

static bool write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

static bool is_same(const char *path, const char *head)
{
	char have[HEAD_LEN];
	FILE *f = fopen(path, "re");
	bool same = f && fread(have, 1, HEAD_LEN, f) == HEAD_LEN && memcmp(have, head, HEAD_LEN) == 0;

	if (f)
		fclose(f);
	return same && adapter_reference_copy_whole(path);
}

/* The folder too: after a power cut the name must lead to the new file. */
static bool sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? bus_xasprintf("%.*s", (int)(slash - path + 1), path) : bus_xstrdup(".");
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	free(dir);
	return ok;
}

enum bus_err adapter_reference_copy_write(const char *path, struct bus_str csv, bool *changed,
					  struct bus_error *err)
{
	uint8_t digest[BUS_SHA256_LEN];
	char head[HEAD_LEN + 1], *fresh;
	enum bus_err rc = BUS_OK;
	int fd;

	put_head(csv, digest, head);
	*changed = !is_same(path, head);
	if (!*changed)
		return BUS_OK;
	fresh = bus_xasprintf("%s.baru", path);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0 || !write_all(fd, head, HEAD_LEN) || !write_all(fd, csv.p, csv.n) || fsync(fd) != 0 ||
	    rename(fresh, path) != 0 || !sync_folder(path))
		rc = bus_fail(err, errno == ENOSPC ? BUS_EFULL : BUS_EIO, "cannot write '%s': %m", path);
	if (fd >= 0)
		close(fd);
	free(fresh);
	return rc;
}
