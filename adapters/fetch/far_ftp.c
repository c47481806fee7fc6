/* A far folder by SFTP or FTP. Both are asked for names, then file by file for size and time: a line of `ls -l` has no exact
 * time, and servers write it each in their own way. */
#include "adapters/fetch/far.h"

static enum bus_err ftp_open(const struct adapter_far_conf *conf, void **far, struct bus_error *err)
{
	struct bus_folder *f = NULL;
	enum bus_err rc = bus_folder_open(&conf->folder, &f, err);

	*far = f;
	return rc;
}

static enum bus_err ftp_list(void *far, struct adapter_far_list *out, struct bus_error *err)
{
	struct bus_buf names = { 0 };
	enum bus_err rc = bus_folder_names(far, &names, err);

	for (size_t at = 0; !rc && at < names.n;) {
		const char *line = names.p + at, *end = memchr(line, '\n', names.n - at);
		size_t n = end ? (size_t)(end - line) : names.n - at;

		at += n + 1;
		if (n > 0 && line[n - 1] == '\r')
			n--;
		if (n > 0)
			rc = adapter_far_add(out, (struct bus_str){ line, n }, -1, -1, err);
	}
	bus_buf_release(&names);
	return rc;
}

static enum bus_err ftp_look(void *far, struct adapter_far_file *file, struct bus_error *err)
{
	return bus_folder_look(far, file->name, &file->size, &file->mtime, err);
}

static enum bus_err ftp_get(void *far, const char *name, int64_t offset,
			    enum bus_err (*take)(void *ctx, const void *p, size_t n, struct bus_error *err),
			    void *ctx, struct bus_error *err)
{
	return bus_folder_get(far, name, offset, take, ctx, err);
}

static enum bus_err ftp_remove(void *far, const char *name, struct bus_error *err)
{
	return bus_folder_remove(far, name, err);
}

static enum bus_err ftp_move(void *far, const char *name, const char *folder, const char *as,
			     struct bus_error *err)
{
	return bus_folder_move(far, name, folder, as, err);
}

static void ftp_close(void *far)
{
	struct bus_folder *f = far;

	bus_folder_close(&f);
}

const struct adapter_far_kind adapter_far_ftp = {
	.open = ftp_open,
	.list = ftp_list,
	.look = ftp_look,
	.get = ftp_get,
	.remove = ftp_remove,
	.move = ftp_move,
	.close = ftp_close,
};
