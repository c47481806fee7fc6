/* A far folder by WebDAV (RFC 4918): Nextcloud, SharePoint, IIS, Apache. */
#include <stdio.h>

#include "adapters/fetch/webdav.h"
#include "bus/client.h"
#include "bus/percent.h"

#define CALL_MS 60000

struct dav {
	struct adapter_far_conf conf;
	struct bus_client *client;
	struct bus_buf folder, url;
	int64_t skip; /* bytes of an answer that was not cut as asked */
	enum bus_err (*take)(void *ctx, const void *p, size_t n, struct bus_error *err);
	void *take_ctx;
};

static void dav_close(void *far)
{
	struct dav *d = far;

	bus_client_close(&d->client);
	bus_buf_release(&d->folder);
	bus_buf_release(&d->url);
	free(d);
}

static enum bus_err dav_open(const struct adapter_far_conf *conf, void **far, struct bus_error *err)
{
	struct dav *d = bus_xcalloc(1, sizeof(*d));
	const struct bus_client_conf client = { .ca = conf->folder.ca,
						.certificate = conf->certificate,
						.key = conf->folder.key,
						.user = conf->folder.user,
						.password_file = conf->folder.password_file,
						.token_file = conf->token_file,
						.insecure = conf->folder.insecure };
	const char *url = conf->folder.url;
	enum bus_err rc = bus_client_open(&client, &d->client, err);

	*far = NULL;
	d->conf = *conf;
	bus_buf_puts(&d->folder, url);
	if (url[strlen(url) - 1] != '/')
		bus_buf_putc(&d->folder, '/');
	if (rc)
		dav_close(d);
	else
		*far = d;
	return rc;
}

static const char *address(struct dav *d, const char *folder, const char *name)
{
	bus_buf_reset(&d->url);
	bus_buf_put(&d->url, d->folder.p, d->folder.n);
	bus_percent_put(&d->url, bus_str(folder));
	if (folder[0])
		bus_buf_putc(&d->url, '/');
	bus_percent_put(&d->url, bus_str(name));
	return bus_buf_cstr(&d->url);
}

static enum bus_err refused(int status, const char *what, struct bus_error *err)
{
	if (status == 401 || status == 403)
		return bus_fail(
		    err, BUS_EDENIED,
		    "%s: the server answers %d: look at user, password or token, and their rights", what,
		    status);
	if (status == 404)
		return bus_fail(err, BUS_ENOENT, "%s: not there (404)", what);
	if (status == 412)
		return bus_fail(err, BUS_EEXIST, "%s: a file of that name is there already", what);
	if (status == 405 || status == 501)
		return bus_fail(err, BUS_EINVAL,
				"%s: the server answers %d: that address is no WebDAV folder", what, status);
	return bus_fail(err, status / 100 == 5 || status == 429 ? BUS_EIO : BUS_EINVAL,
			"%s: the server answers %d%s", what, status,
			status / 100 == 3 ? "; it leads elsewhere: put the new address into the mapping"
					  : "");
}

static enum bus_err call(struct dav *d, struct bus_client_call *c, const char *what, int *status,
			 struct bus_buf *answer, struct bus_error *err)
{
	enum bus_err rc;

	c->go_on = d->conf.folder.go_on;
	c->ctx = d->conf.folder.ctx;
	rc = bus_client_call(d->client, c, status, answer, err);
	return rc ? rc : *status / 100 == 2 ? BUS_OK : refused(*status, what, err);
}

static enum bus_err dav_list(void *far, struct adapter_far_list *out, struct bus_error *err)
{
	static const char *const header[] = { "Depth: 1", NULL };
	struct dav *d = far;
	struct bus_client_call c = { .method = "PROPFIND",
				     .url = bus_buf_cstr(&d->folder),
				     .type = "application/xml; charset=utf-8",
				     .body = bus_str(adapter_webdav_ask),
				     .header = header,
				     .timeout_ms = CALL_MS };
	struct bus_buf answer = { 0 };
	int status;
	enum bus_err rc = call(d, &c, "the folder", &status, &answer, err);

	if (!rc)
		rc = adapter_webdav_read(bus_buf_str(&answer), out, err);
	bus_buf_release(&answer);
	return rc;
}

static enum bus_err dav_look(void *far, struct adapter_far_file *file, struct bus_error *err)
{
	struct dav *d = far;
	static const char *const header[] = { "Depth: 0", NULL };
	struct bus_client_call c = { .method = "PROPFIND",
				     .url = address(d, "", file->name),
				     .type = "application/xml; charset=utf-8",
				     .body = bus_str(adapter_webdav_ask),
				     .header = header,
				     .timeout_ms = CALL_MS };
	struct adapter_far_list one = { 0 };
	struct bus_buf answer = { 0 };
	int status;
	enum bus_err rc;

	rc = call(d, &c, "a file", &status, &answer, err);
	if (!rc)
		rc = adapter_webdav_read(bus_buf_str(&answer), &one, err);
	if (!rc && one.n != 1)
		rc = bus_fail(err, BUS_ENOENT, "a file: not there");
	if (!rc) {
		file->size = one.file[0].size;
		file->mtime = one.file[0].mtime;
	}
	adapter_far_release(&one);
	bus_buf_release(&answer);
	return rc;
}

static enum bus_err take(void *ctx, int status, const void *p, size_t n, struct bus_error *err)
{
	struct dav *d = ctx;
	size_t over = 0;

	if (status != 206 && d->skip > 0) { /* it does not give parts: what is here already is passed over */
		over = (int64_t)n < d->skip ? n : (size_t)d->skip;
		d->skip -= (int64_t)over;
	}
	return n > over ? d->take(d->take_ctx, (const char *)p + over, n - over, err) : BUS_OK;
}

static enum bus_err dav_get(void *far, const char *name, int64_t offset,
			    enum bus_err (*to)(void *ctx, const void *p, size_t n, struct bus_error *err),
			    void *ctx, struct bus_error *err)
{
	struct dav *d = far;
	char range[64];
	const char *header[] = { offset > 0 ? range : NULL, NULL };
	struct bus_client_call c = {
		.method = "GET", .url = address(d, "", name), .header = header, .take = take, .take_ctx = d
	};
	struct bus_buf answer = { 0 };
	int status;
	enum bus_err rc;

	snprintf(range, sizeof(range), "Range: bytes=%lld-", (long long)offset);
	d->skip = offset;
	d->take = to;
	d->take_ctx = ctx;
	rc = call(d, &c, "a file", &status, &answer, err);
	bus_buf_release(&answer);
	return rc;
}

static enum bus_err dav_remove(void *far, const char *name, struct bus_error *err)
{
	struct dav *d = far;
	struct bus_client_call c = { .method = "DELETE", .url = address(d, "", name), .timeout_ms = CALL_MS };
	struct bus_buf answer = { 0 };
	int status;
	enum bus_err rc = call(d, &c, "cannot remove a file there", &status, &answer, err);

	bus_buf_release(&answer);
	return rc;
}

static enum bus_err dav_move(void *far, const char *name, const char *folder, const char *as,
			     struct bus_error *err)
{
	struct dav *d = far;
	char *to = bus_xasprintf("Destination: %s", address(d, folder, as));
	const char *header[] = { to, "Overwrite: F", NULL };
	struct bus_client_call c = {
		.method = "MOVE", .url = address(d, "", name), .header = header, .timeout_ms = CALL_MS
	};
	struct bus_buf answer = { 0 };
	int status;
	enum bus_err rc = call(d, &c, "cannot move a file there", &status, &answer, err);

	bus_buf_release(&answer);
	free(to);
	return rc;
}

const struct adapter_far_kind adapter_far_dav = {
	.open = dav_open,
	.list = dav_list,
	.look = dav_look,
	.get = dav_get,
	.remove = dav_remove,
	.move = dav_move,
	.close = dav_close,
};
