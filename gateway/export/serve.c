/* A file, or a part of it, to a reader: whole once it is whole, along with it while it grows. RFC 9110, 13 and 14;
 * RFC 9530. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "bus/base64.h"
#include "gateway/export/range.h"
#include "gateway/export/work.h"
#include "gateway/serve/promise.h"

#define PIECE ((size_t)128 * 1024)

/* --- reading along ------------------------------------------------------------------------------------- */

static enum bus_http_more follow(void *state, struct bus_buf *out)
{
	struct gw_follower *f = state;
	struct gw_export *x = f->export;
	enum gw_export_state now;
	int64_t left;
	ssize_t n;

	pthread_mutex_lock(&x->all->lock);
	left = x->bytes - f->at;
	now = x->state;
	pthread_mutex_unlock(&x->all->lock);
	if (now == GW_EXPORT_FAILED || now == GW_EXPORT_CANCELLED)
		return BUS_HTTP_ABORT; /* the reader must see that this is not the end */
	if (left == 0)
		return now == GW_EXPORT_DONE ? BUS_HTTP_END : BUS_HTTP_PARK;
	bus_buf_reserve(out, PIECE);
	do
		n = pread(x->fd, out->p + out->n, left < (int64_t)PIECE ? (size_t)left : PIECE, f->at);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return BUS_HTTP_ABORT;
	out->n += (size_t)n;
	f->at += n;
	return BUS_HTTP_MORE;
}

static void unfollow(void *state)
{
	struct gw_follower *f = state, **at;
	struct gw_export *x = f->export;

	pthread_mutex_lock(&x->all->lock);
	for (at = &x->followers; *at && *at != f; at = &(*at)->next)
		;
	if (*at)
		*at = f->next;
	pthread_mutex_unlock(&x->all->lock);
	gw_export_unref(&x);
	free(f);
}

/* --- the answer --------------------------------------------------------------------------------------- */

static void put_head(struct gw_export *x, struct bus_http_request *req)
{
	struct bus_buf b = { 0 };

	bus_http_set(req, "Titian-Cursor", x->cursor);
	gw_promise_headers(x->all->api, req, x->view, x->seq);
	bus_buf_printf(&b, "attachment; filename=\"%s.%s\"", x->view->name, gw_export_suffix(x));
	bus_http_set(req, "Content-Disposition", bus_buf_cstr(&b));
	bus_buf_reset(&b);
	bus_buf_printf(&b, "\"%s\"", x->id);
	bus_http_set(req, "ETag", bus_buf_cstr(&b));
	bus_http_set(req, "Accept-Ranges", "bytes");
	bus_http_set(req, "Cache-Control", "private, no-cache");
	bus_buf_release(&b);
}

static void put_digest(const struct gw_export *x, struct bus_http_request *req, const char *name)
{
	struct bus_buf b = { 0 };

	bus_buf_puts(&b, "sha-256=:");
	bus_base64_put((struct bus_str){ (const char *)x->digest, sizeof(x->digest) }, &b);
	bus_buf_putc(&b, ':');
	bus_http_set(req, name, bus_buf_cstr(&b));
	bus_buf_release(&b);
}

/* Of a file that is done: it changes no more. */
static void answer_file(struct gw_export *x, struct bus_http_request *req)
{
	const char *if_range = bus_http_header(req, "If-Range"), *range = bus_http_header(req, "Range"),
		   *none = bus_http_header(req, "If-None-Match");
	int64_t from = 0, n = x->bytes;
	char text[80];
	int status = 200, fd;

	put_head(x, req);
	if (none && strstr(none, x->id)) {
		bus_http_reply(req, 304, NULL, NULL);
		return;
	}
	put_digest(x, req, "Repr-Digest");
	if (if_range && (strlen(if_range) != GW_EXPORT_ID_LEN + 2 || !strstr(if_range, x->id)))
		range = NULL;
	switch (gw_range_of(range, x->bytes, &from, &n)) {
	case GW_RANGE_OUTSIDE:
		snprintf(text, sizeof(text), "bytes */%" PRId64, x->bytes);
		bus_http_set(req, "Content-Range", text);
		gw_problem(req, "range-invalid", NULL, NULL);
		return;
	case GW_RANGE_PART:
		status = 206;
		snprintf(text, sizeof(text), "bytes %" PRId64 "-%" PRId64 "/%" PRId64, from, from + n - 1,
			 x->bytes);
		bus_http_set(req, "Content-Range", text);
		break;
	case GW_RANGE_WHOLE:
		put_digest(x, req, "Content-Digest");
		break;
	}
	fd = fcntl(x->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		gw_problem(req, "unavailable", NULL, NULL);
	else
		bus_http_file(req, status, gw_export_type(x), fd, from, n);
}

static void refuse(const struct gw_export *x, struct bus_http_request *req)
{
	if (x->hint && strcmp(x->hint, GW_EXPORT_AS_JOB) == 0)
		bus_http_set(req, "Retry-After", "5");
	gw_problem(req, x->problem, x->why[0] ? x->why : NULL, x->hint);
}

void gw_export_answer(struct gw_export *x, struct bus_http_request *req)
{
	struct gw_exports *all = x->all;
	struct gw_follower *f;
	enum gw_export_state now;

	pthread_mutex_lock(&all->lock);
	now = x->state;
	if (now == GW_EXPORT_RUNNING && x->cut && !all->stopping) {
		f = bus_xcalloc(1, sizeof(*f));
		f->export = x;
		f->next = x->followers;
		x->followers = f;
		x->refs++;
		put_head(x, req);
		f->stream = bus_http_stream(req, 200, gw_export_type(x), follow, unfollow, f);
		pthread_mutex_unlock(&all->lock);
		return;
	}
	pthread_mutex_unlock(&all->lock);
	if (now == GW_EXPORT_DONE)
		answer_file(x, req);
	else if (now == GW_EXPORT_FAILED)
		refuse(x, req);
	else
		gw_problem(req, "unavailable", NULL, NULL);
}

static void let_go(void *attached)
{
	struct gw_export *x = attached;

	gw_export_unref(&x);
}

void gw_export_await(struct gw_export *x, struct bus_http_request *req, bool end)
{
	struct gw_exports *all = x->all;
	struct gw_waiter *w;

	bus_http_attach(req, x, let_go);
	pthread_mutex_lock(&all->lock);
	if (gw_export_waits(x, end) && !all->stopping) {
		w = bus_xcalloc(1, sizeof(*w));
		*w = (struct gw_waiter){ .ticket = bus_http_defer(req), .end = end, .next = x->waiters };
		x->waiters = w;
		pthread_mutex_unlock(&all->lock);
		return;
	}
	pthread_mutex_unlock(&all->lock);
	gw_export_answer(x, req);
}
