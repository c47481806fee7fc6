/* One export: the rows of a view into a file. */
#include <errno.h>
#include <unistd.h>

#include "bus/clock.h"
#include "gateway/export/work.h"

#define WAIT_MS 20000	   /* of a job, for a view to come to rest */
#define DEADLINE_MS 600000 /* of one reading of a view */
#define ROWS_BETWEEN_TELLS 4096

const char *gw_export_suffix(const struct gw_export *x)
{
	return x->bundle ? "zip" : x->kind->suffix;
}

const char *gw_export_type(const struct gw_export *x)
{
	return x->bundle ? "application/zip" : x->kind->type;
}

struct gw_sheet gw_export_sheet(struct gw_export *x)
{
	return (struct gw_sheet){ .params = &x->params,
				  .pack = x->pack,
				  .as_of = x->as_of,
				  .cursor = x->cursor,
				  .folder = x->all->work_dir };
}

/* Who waits at the end of a connection sees nothing meanwhile: he is to hear why soon. */
static int64_t patience(const struct gw_export *x)
{
	const int64_t left = x->asked_ms + x->all->patience_ms - bus_clock_mono_ms();

	return x->job ? WAIT_MS : left > 0 ? left : 0;
}

struct gw_scan gw_export_scan(const struct gw_export *x)
{
	return (struct gw_scan){ .query = x->params.query,
				 .all = !x->limited,
				 .wait_ms = (int)patience(x),
				 .deadline_ms = DEADLINE_MS,
				 .stop = &x->stop };
}

enum bus_err gw_export_write(int fd, struct bus_sha256_stream *digest, const char *bytes, size_t n,
			     struct bus_error *err)
{
	bus_sha256_add(digest, bytes, n);
	while (n > 0) {
		ssize_t k = write(fd, bytes, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return bus_fail(err, errno == ENOSPC ? BUS_EFULL : BUS_EIO,
					"cannot write an export: %m");
		bytes += k;
		n -= (size_t)k;
	}
	return BUS_OK;
}

struct run {
	struct gw_export *x;
	struct gw_sheet sheet;
	struct bus_sha256_stream *digest;
	void *writer;
	int64_t rows;
};

static enum bus_err to_file(void *ctx, const void *bytes, size_t n, struct bus_error *err)
{
	struct run *r = ctx;
	enum bus_err rc = gw_export_write(r->x->fd, r->digest, bytes, n, err);

	return rc == BUS_OK ? gw_export_grown(r->x, n, err) : rc;
}

static enum bus_err on_cut(void *ctx, int64_t seq, struct bus_error *err)
{
	struct run *r = ctx;
	const struct gw_sink sink = { .put = to_file, .ctx = r };

	if (!r->x->view->dated && r->x->params.query.n_filters == 0 && !r->x->params.query.rows &&
	    !r->x->limited) {
		r->x->expected = gw_view_rows(r->x->all->api->engine, r->x->view);
		if (r->x->kind->rows_max && r->x->expected > r->x->kind->rows_max)
			return bus_fail(err, BUS_ETOOBIG, "a file of this kind ends after %lld rows",
					(long long)r->x->kind->rows_max);
	}
	gw_export_cut(r->x, seq);
	r->sheet = gw_export_sheet(r->x);
	return r->x->kind->open(&r->sheet, &sink, &r->writer, err);
}

static enum bus_err on_row(void *ctx, const struct gw_value *value, struct bus_error *err)
{
	struct run *r = ctx;

	if (++r->rows % ROWS_BETWEEN_TELLS == 0)
		__atomic_store_n(&r->x->rows, r->rows, __ATOMIC_RELAXED);
	return r->x->kind->row(r->writer, value, err);
}

enum bus_err gw_export_run(struct gw_export *x, struct bus_error *err)
{
	const struct gw_scan scan = gw_export_scan(x);
	struct run r = { .x = x, .digest = bus_sha256_new() };
	enum bus_err rc = gw_scan(gw_reader_of(x->all->api->engine), &scan, on_cut, on_row, &r, err);

	if (rc == BUS_OK)
		rc = x->kind->end(r.writer, err);
	__atomic_store_n(&x->rows, r.rows, __ATOMIC_RELAXED);
	if (r.writer)
		x->kind->free(r.writer);
	bus_sha256_end(&r.digest, x->digest);
	return rc;
}
