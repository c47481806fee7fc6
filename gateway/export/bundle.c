/* A bundle: one reading of the view into one or several files, what is said of them, all of it in a ZIP (libzip). */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <zip.h>

#include "gateway/export/package.h"

#define PARTS_MAX 2000
#define VALUE_MAX 60 /* characters of a value in a file's name */
#define CHUNK ((size_t)256 * 1024)
#define ROWS_BETWEEN_TELLS 4096

struct bundle {
	struct gw_export *x;
	struct gw_sheet sheet;
	struct gw_part *part;
	size_t n;
	void *writer; /* of the last part */
	int fd;
	struct bus_sha256_stream *digest;
	int64_t rows, held;   /* bytes of parts */
	struct bus_buf value; /* of the column it is split by, in the part in hand */
	bool null;
};

static enum bus_err to_part(void *ctx, const void *bytes, size_t n, struct bus_error *err)
{
	struct bundle *b = ctx;
	enum bus_err rc = gw_export_write(b->fd, b->digest, bytes, n, err);

	if (rc != BUS_OK)
		return rc;
	b->part[b->n - 1].bytes += (int64_t)n;
	b->held += (int64_t)n;
	return gw_export_held(b->x, (int64_t)n, err);
}

/* Lower case: two names that differ in nothing else are one on some systems. */
static bool fits_a_name(const struct bundle *b)
{
	for (size_t i = 0; i < b->value.n; i++) {
		char c = b->value.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
			return false;
	}
	return !b->null && b->value.n > 0 && b->value.n <= VALUE_MAX;
}

/* "data/penduduk.csv", "data/penduduk-147101.csv"; a value that makes no name gets the file's number. */
static char *name_of(const struct bundle *b)
{
	struct bus_buf name = { 0 };

	bus_buf_printf(&name, "data/%s", b->x->view->name);
	if (b->x->split >= 0 && fits_a_name(b))
		bus_buf_printf(&name, "-%.*s", (int)b->value.n, b->value.p);
	else if (b->x->split >= 0)
		bus_buf_printf(&name, "--%zu", b->n + 1); /* no value that fits has a - */
	bus_buf_printf(&name, ".%s", b->x->kind->suffix);
	return bus_buf_take(&name, NULL);
}

static enum bus_err begin_part(struct bundle *b, struct bus_error *err)
{
	const struct gw_sink sink = { .put = to_part, .ctx = b };
	struct gw_part *part;

	if (b->n == PARTS_MAX)
		return bus_fail(err, BUS_ETOOBIG, "split: more than %d files", PARTS_MAX);
	b->part = bus_xrealloc(b->part, (b->n + 1) * sizeof(*b->part));
	part = &b->part[b->n];
	*part =
	    (struct gw_part){ .path = bus_xasprintf("%s/%s.%zu.part", b->x->all->work_dir, b->x->id, b->n),
			      .name = name_of(b),
			      .value = b->x->split >= 0 && !b->null ? bus_xstrdup(bus_buf_cstr(&b->value))
								    : NULL };
	b->n++;
	b->fd = open(part->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (b->fd < 0)
		return bus_fail(err, BUS_EIO, "cannot make a file in '%s': %m", b->x->all->work_dir);
	b->digest = bus_sha256_new();
	return b->x->kind->open(&b->sheet, &sink, &b->writer, err);
}

static enum bus_err end_part(struct bundle *b, struct bus_error *err)
{
	uint8_t digest[BUS_SHA256_LEN];
	enum bus_err rc = b->x->kind->end(b->writer, err);

	b->x->kind->free(b->writer);
	b->writer = NULL;
	bus_sha256_end(&b->digest, digest);
	bus_hex(digest, sizeof(digest), b->part[b->n - 1].sha256);
	if (close(b->fd) != 0 && rc == BUS_OK)
		rc = bus_fail(err, BUS_EIO, "cannot write an export: %m");
	b->fd = -1;
	return rc;
}

static enum bus_err on_cut(void *ctx, int64_t seq, struct bus_error *err)
{
	struct bundle *b = ctx;
	struct gw_export *x = b->x;

	if (!x->view->dated && x->params.query.n_filters == 0 && !x->params.query.rows && !x->limited)
		x->expected = gw_view_rows(x->all->api->engine, x->view);
	gw_export_cut(x, seq);
	b->sheet = gw_export_sheet(x);
	return x->split < 0 ? begin_part(b, err) : BUS_OK;
}

static void put_text(const struct gw_value *v, struct bus_buf *out)
{
	if (v->type == GW_REAL)
		bus_buf_printf(out, "%.17g", v->r);
	else if (v->type == GW_INT || v->type == GW_BOOL)
		bus_buf_printf(out, "%lld", (long long)v->i);
	else if (v->type != GW_NULL)
		bus_buf_put(out, v->s.p, v->s.n);
}

/* The rows of one value come together. */
static enum bus_err turn_over(struct bundle *b, const struct gw_value *v, struct bus_error *err)
{
	struct bus_buf text = { 0 };
	enum bus_err rc = BUS_OK;

	put_text(v, &text);
	if (b->writer && b->null == (v->type == GW_NULL) &&
	    bus_str_eq(bus_buf_str(&text), bus_buf_str(&b->value))) {
		bus_buf_release(&text);
		return BUS_OK;
	}
	bus_buf_release(&b->value);
	b->value = text;
	b->null = v->type == GW_NULL;
	if (b->writer)
		rc = end_part(b, err);
	return rc == BUS_OK ? begin_part(b, err) : rc;
}

static enum bus_err on_row(void *ctx, const struct gw_value *value, struct bus_error *err)
{
	struct bundle *b = ctx;
	enum bus_err rc = b->x->split >= 0 ? turn_over(b, &value[b->x->split], err) : BUS_OK;

	if (rc != BUS_OK)
		return rc;
	b->part[b->n - 1].rows++;
	if (++b->rows % ROWS_BETWEEN_TELLS == 0)
		__atomic_store_n(&b->x->rows, b->rows, __ATOMIC_RELAXED);
	return b->x->kind->row(b->writer, value, err);
}

static enum bus_err read_view(struct bundle *b, struct bus_error *err)
{
	struct gw_scan scan = gw_export_scan(b->x);
	struct gw_order order[GW_ORDER_MAX + 1] = { { .column = b->x->split } };
	enum bus_err rc;

	if (b->x->split >= 0) {
		for (size_t i = 0; i < scan.query.n_order; i++)
			order[i + 1] = scan.query.order[i];
		scan.query.order = order;
		scan.query.n_order++;
	}
	rc = gw_scan(gw_reader_of(b->x->all->api->engine), &scan, on_cut, on_row, b, err);
	/* No rows, and yet a bundle has a file: its columns are an answer. */
	if (rc == BUS_OK && !b->writer)
		rc = begin_part(b, err);
	if (rc == BUS_OK)
		rc = end_part(b, err);
	__atomic_store_n(&b->x->rows, b->rows, __ATOMIC_RELAXED);
	return rc;
}

/* --- the ZIP ------------------------------------------------------------------------------------------ */

static enum bus_err zip_failed(zip_t *z, struct bus_error *err)
{
	return bus_fail(err, BUS_EIO, "cannot write the bundle: %s", zip_error_strerror(zip_get_error(z)));
}

static enum bus_err add(zip_t *z, const char *name, zip_source_t *s, bool pack, struct bus_error *err)
{
	zip_int64_t i = s ? zip_file_add(z, name, s, ZIP_FL_ENC_UTF_8) : -1;

	if (i < 0) {
		zip_source_free(s);
		return zip_failed(z, err);
	}
	/* Parquet, Avro and XLSX are packed in themselves. */
	if (zip_set_file_compression(z, (zip_uint64_t)i, pack ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 1) != 0)
		return zip_failed(z, err);
	return BUS_OK;
}

static enum bus_err add_text(zip_t *z, const char *name, const struct bus_buf *b, struct bus_error *err)
{
	return add(z, name, zip_source_buffer(z, b->p, b->n, 0), true, err);
}

static void put_sum_of(const struct bus_buf *b, const char *name, struct bus_buf *sums)
{
	char hex[2 * BUS_SHA256_LEN + 1];
	uint8_t digest[BUS_SHA256_LEN];

	bus_sha256(b->p, b->n, digest);
	bus_hex(digest, sizeof(digest), hex);
	gw_package_sum(hex, name, sums);
}

static int stopped(zip_t *z, void *x)
{
	(void)z;
	return ((struct gw_export *)x)->stop;
}

struct said { /* what stands beside the data; lives until the archive is written */
	struct bus_buf package, readme, sums, signature, key;
};

static void say(struct bundle *b, struct said *s)
{
	uint8_t signature[BUS_ED25519_SIGNATURE_LEN];

	gw_package_json(b->x, b->part, b->n, &s->package);
	gw_package_readme(b->x, &s->readme);
	for (size_t i = 0; i < b->n; i++)
		gw_package_sum(b->part[i].sha256, b->part[i].name, &s->sums);
	put_sum_of(&s->package, "datapackage.json", &s->sums);
	put_sum_of(&s->readme, "README.txt", &s->sums);
	bus_ed25519_sign(b->x->all->key, s->sums.p, s->sums.n, signature);
	bus_buf_put(&s->signature, signature, sizeof(signature));
	gw_package_key(b->x->all, &s->key);
}

static enum bus_err write_zip(struct bundle *b, struct bus_error *err)
{
	const bool pack = b->x->kind == &gw_file_csv || b->x->kind == &gw_file_ndjson;
	struct said s = { 0 };
	int code;
	zip_t *z = zip_open(b->x->path, ZIP_CREATE | ZIP_TRUNCATE, &code);
	enum bus_err rc = z ? BUS_OK : bus_fail(err, BUS_EIO, "cannot begin the bundle: error %d", code);

	if (rc != BUS_OK)
		return rc;
	say(b, &s);
	zip_register_cancel_callback_with_state(z, stopped, NULL, b->x);
	rc = add_text(z, "datapackage.json", &s.package, err);
	if (rc == BUS_OK)
		rc = add_text(z, "README.txt", &s.readme, err);
	for (size_t i = 0; i < b->n && rc == BUS_OK; i++)
		rc = add(z, b->part[i].name, zip_source_file(z, b->part[i].path, 0, -1), pack, err);
	if (rc == BUS_OK)
		rc = add_text(z, "SHA256SUMS", &s.sums, err);
	if (rc == BUS_OK)
		rc = add_text(z, "SHA256SUMS.sig", &s.signature, err);
	if (rc == BUS_OK)
		rc = add_text(z, "titian-exports.pem", &s.key, err);
	if (rc == BUS_OK && zip_close(z) == 0)
		z = NULL;
	else if (rc == BUS_OK)
		rc = b->x->stop ? bus_fail(err, BUS_ESTOPPED, "stopped") : zip_failed(z, err);
	if (z)
		zip_discard(z);
	bus_buf_release(&s.package);
	bus_buf_release(&s.readme);
	bus_buf_release(&s.sums);
	bus_buf_release(&s.signature);
	bus_buf_release(&s.key);
	return rc;
}

/* The library has put a file of its own in the place of ours. */
static enum bus_err take_zip(struct bundle *b, struct bus_error *err)
{
	struct bus_sha256_stream *digest = bus_sha256_new();
	char *chunk = bus_xmalloc(CHUNK);
	enum bus_err rc = BUS_OK;
	ssize_t n = -1;

	close(b->x->fd);
	b->x->fd = open(b->x->path, O_RDONLY | O_CLOEXEC);
	while (b->x->fd >= 0 && rc == BUS_OK && (n = read(b->x->fd, chunk, CHUNK)) > 0) {
		bus_sha256_add(digest, chunk, (size_t)n);
		rc = gw_export_grown(b->x, (size_t)n, err);
	}
	if (rc == BUS_OK && n < 0)
		rc = bus_fail(err, BUS_EIO, "cannot read the bundle: %m");
	bus_sha256_end(&digest, b->x->digest);
	free(chunk);
	return rc;
}

enum bus_err gw_export_bundle(struct gw_export *x, struct bus_error *err)
{
	struct bundle b = { .x = x, .fd = -1 };
	uint8_t digest[BUS_SHA256_LEN];
	enum bus_err rc = read_view(&b, err);

	if (rc == BUS_OK)
		rc = write_zip(&b, err);
	if (b.writer)
		x->kind->free(b.writer);
	if (b.digest)
		bus_sha256_end(&b.digest, digest);
	if (b.fd >= 0)
		close(b.fd);
	for (size_t i = 0; i < b.n; i++) {
		unlink(b.part[i].path);
		free(b.part[i].path);
		free(b.part[i].name);
		free(b.part[i].value);
	}
	free(b.part);
	bus_buf_release(&b.value);
	if (gw_export_held(x, -b.held, NULL) != BUS_OK || rc != BUS_OK)
		return rc != BUS_OK ? rc : bus_fail(err, BUS_EFULL, "no room for this export");
	return take_zip(&b, err);
}
