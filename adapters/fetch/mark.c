#include "adapters/fetch/mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/file.h"
#include "bus/json.h"
#include "bus/json_out.h"

#define MARK_MAX ((size_t)512 * 1024) /* 10,000 files of a folder are 200 KB */
#define FEED_IN_NAME 70		      /* bytes of the feed that stand at least in a fetched file's name */

static char *path_of(const char *dir, const char *feed)
{
	return bus_xasprintf("%s/.%s.mark", dir, feed);
}

/* Others may write into the folder: a mark of theirs would say what is fetched, and which file is removed. */
static bool ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022);
}

static enum bus_err read_all(const char *path, struct bus_buf *out, struct bus_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = -1;

	if (fd < 0)
		return bus_fail(err, errno == ENOENT ? BUS_ENOENT : BUS_EIO, "cannot open '%s': %m", path);
	if (!ours(fd)) {
		close(fd);
		return bus_fail(err, BUS_EDENIED,
				"'%s' was not written by this adapter, or others may write to it", path);
	}
	bus_buf_reserve(out, MARK_MAX);
	while (out->n < MARK_MAX && (n = read(fd, out->p + out->n, MARK_MAX - out->n)) > 0)
		out->n += (size_t)n;
	close(fd);
	return n < 0 ? bus_fail(err, BUS_EIO, "cannot read '%s': %m", path) : BUS_OK;
}

/* A name that fetch.c gives: nothing else in done/ is removed by it, and nothing elsewhere. */
static bool is_name(const struct bus_json *v, const char *feed)
{
	size_t n = strnlen(feed, FEED_IN_NAME);

	return v && v->type == BUS_JSON_STRING && v->text.n > n && v->text.n < 256 &&
	       memcmp(v->text.p, feed, n) == 0 && !memchr(v->text.p, '/', v->text.n);
}

static void take(const struct bus_json *root, const char *feed, struct adapter_mark *m)
{
	const struct bus_json *when = bus_json_get(root, "when_ms"), *file = bus_json_get(root, "file"),
			      *mark = bus_json_get(root, "mark");

	if (!when || bus_json_int(when, &m->when_ms))
		m->when_ms = 0;
	if (is_name(file, feed))
		snprintf(m->file, sizeof(m->file), "%.*s", (int)file->text.n, file->text.p);
	if (mark && mark->type == BUS_JSON_STRING)
		bus_buf_put(&m->mark, mark->text.p, mark->text.n);
}

enum bus_err adapter_mark_load(const char *dir, const char *feed, struct adapter_mark *m,
			       struct bus_error *err)
{
	struct bus_arena *arena = bus_arena_new(MARK_MAX * 4);
	char *path = path_of(dir, feed);
	struct bus_buf text = { 0 };
	struct bus_json *root;
	struct bus_error why;
	enum bus_err rc;

	*m = (struct adapter_mark){ 0 };
	rc = read_all(path, &text, err);
	if (!rc) {
		rc = bus_json_parse(bus_buf_str(&text), NULL, arena, &root, &why);
		if (!rc)
			take(root, feed, m);
		else
			rc = bus_fail(err, rc, "%s: %s", path, why.text);
	}
	bus_buf_release(&text);
	bus_arena_free(&arena);
	free(path);
	return rc;
}

enum bus_err adapter_mark_save(const char *dir, const char *feed, const struct adapter_mark *m,
			       struct bus_error *err)
{
	char *path = path_of(dir, feed);
	struct bus_buf text = { 0 };
	struct bus_json_out j = { .buf = &text };
	enum bus_err rc;

	bus_json_object(&j);
	bus_json_int_member(&j, "when_ms", m->when_ms);
	bus_json_text_member(&j, "file", m->file);
	bus_json_key(&j, "mark");
	bus_json_put_str(&j, bus_buf_str(&m->mark));
	bus_json_object_end(&j);
	bus_buf_putc(&text, '\n');
	rc = bus_file_put(path, bus_buf_str(&text), 0600, BUS_FILE_DURABLE, err);
	bus_buf_release(&text);
	free(path);
	return rc;
}

void adapter_mark_release(struct adapter_mark *m)
{
	bus_buf_release(&m->mark);
}
