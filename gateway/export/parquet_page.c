/* Pages of a column: levels, values or indexes, packed, with a header before each. */
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#include "gateway/export/parquet.h"

#define BOUND_MAX 64 /* bytes; a longer least or greatest value is not told */

enum { DATA_PAGE = 0, DICTIONARY_PAGE = 2 };
enum { PLAIN = 0, RLE = 3, RLE_DICTIONARY = 8 };

enum bus_err gw_parquet_put(struct gw_parquet_out *o, struct bus_str s, struct bus_error *err)
{
	o->at += (int64_t)s.n;
	return o->sink.put(o->sink.ctx, s.p, s.n, err);
}

void gw_parquet_out_release(struct gw_parquet_out *o)
{
	ZSTD_freeCCtx(o->zstd);
	bus_buf_release(&o->body);
	bus_buf_release(&o->packed);
	bus_buf_release(&o->head);
}

static enum bus_err pack(struct gw_parquet_out *o, struct bus_error *err)
{
	size_t n;

	bus_buf_reset(&o->packed);
	if (o->pack == GW_PACK_SNAPPY) {
		n = snappy_max_compressed_length(o->body.n);
		bus_buf_reserve(&o->packed, n);
		if (snappy_compress(o->body.p, o->body.n, o->packed.p, &n) != SNAPPY_OK)
			return bus_fail(err, BUS_EDATA, "cannot pack a page");
	} else {
		if (!o->zstd && !(o->zstd = ZSTD_createCCtx()))
			return bus_fail(err, BUS_EFULL, "no memory to pack a page");
		bus_buf_reserve(&o->packed, ZSTD_compressBound(o->body.n));
		n = ZSTD_compressCCtx(o->zstd, o->packed.p, o->packed.cap, o->body.p, o->body.n,
				      ZSTD_CLEVEL_DEFAULT);
		if (ZSTD_isError(n))
			return bus_fail(err, BUS_EDATA, "cannot pack a page: %s", ZSTD_getErrorName(n));
	}
	o->packed.n = n;
	return BUS_OK;
}

/* The page in o->body. */
static enum bus_err put_page(struct gw_parquet_out *o, int kind, size_t values, int encoding,
			     struct gw_parquet_chunk *chunk, struct bus_error *err)
{
	struct gw_thrift t = { .buf = &o->head };
	struct bus_str page = bus_buf_str(&o->body);
	enum bus_err rc;

	if (o->pack != GW_PACK_NONE) {
		rc = pack(o, err);
		if (rc != BUS_OK)
			return rc;
		page = bus_buf_str(&o->packed);
	}
	bus_buf_reset(&o->head);
	gw_thrift_struct(&t, 0);
	gw_thrift_int(&t, 1, GW_THRIFT_I32, kind);
	gw_thrift_int(&t, 2, GW_THRIFT_I32, (int64_t)o->body.n);
	gw_thrift_int(&t, 3, GW_THRIFT_I32, (int64_t)page.n);
	gw_thrift_int(&t, 4, GW_THRIFT_I32,
		      (int32_t)crc32(0, (const unsigned char *)page.p, (unsigned)page.n));
	gw_thrift_struct(&t, kind == DATA_PAGE ? 5 : 7);
	gw_thrift_int(&t, 1, GW_THRIFT_I32, (int64_t)values);
	gw_thrift_int(&t, 2, GW_THRIFT_I32, encoding);
	if (kind == DATA_PAGE) {
		gw_thrift_int(&t, 3, GW_THRIFT_I32, RLE);
		gw_thrift_int(&t, 4, GW_THRIFT_I32, RLE);
	}
	gw_thrift_end(&t);
	gw_thrift_end(&t);
	chunk->packed += (int64_t)(o->head.n + page.n);
	chunk->unpacked += (int64_t)(o->head.n + o->body.n);
	rc = gw_parquet_put(o, bus_buf_str(&o->head), err);
	return rc == BUS_OK ? gw_parquet_put(o, page, err) : rc;
}

static void put_u32(struct bus_buf *b, size_t at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		b->p[at + (size_t)i] = (char)(v >> 8 * i);
}

/* One run of n numbers of so many bits each, eight together (Encodings.md, "Run Length Encoding / Bit-Packing
 * Hybrid"). */
struct bits {
	struct bus_buf *b;
	uint64_t held;
	int n_held;
};

static void run_begin(struct bits *x, size_t n)
{
	struct gw_thrift t = { .buf = x->b };

	gw_thrift_varint(&t, (n + 7) / 8 << 1 | 1);
}

static void run_add(struct bits *x, uint32_t v, int width)
{
	x->held |= (uint64_t)v << x->n_held;
	for (x->n_held += width; x->n_held >= 8; x->n_held -= 8) {
		bus_buf_putc(x->b, (char)x->held);
		x->held >>= 8;
	}
}

static void run_end(struct bits *x, size_t n, int width)
{
	for (; n % 8; n++)
		run_add(x, 0, width);
	if (x->n_held > 0) /* booleans only: a run ends on a byte */
		bus_buf_putc(x->b, (char)x->held);
}

static void put_levels(struct bus_buf *b, const char *level, size_t n, size_t values)
{
	struct gw_thrift t = { .buf = b };
	struct bits x = { .b = b };
	size_t at = b->n;

	bus_buf_put(b, "\0\0\0\0", 4);
	if (values == n || values == 0) {
		gw_thrift_varint(&t, n << 1);
		bus_buf_putc(b, values == n);
	} else {
		run_begin(&x, n);
		for (size_t i = 0; i < n; i++)
			run_add(&x, (uint32_t)level[i], 1);
		run_end(&x, n, 1);
	}
	put_u32(b, at, (uint32_t)(b->n - at - 4));
}

static int width_of(size_t entries)
{
	int width = 1;

	while (entries > (size_t)1 << width)
		width++;
	return width;
}

static void put_indexes(struct bus_buf *b, const struct gw_parquet_column *c, size_t from, size_t to)
{
	int width = width_of(c->entry.n / sizeof(size_t));
	struct bits x = { .b = b };

	bus_buf_putc(b, (char)width);
	run_begin(&x, to - from);
	for (size_t i = from; i < to; i++) {
		uint32_t index;

		memcpy(&index, c->index.p + i * sizeof(index), sizeof(index));
		run_add(&x, index, width);
	}
	run_end(&x, to - from, width);
}

static void put_booleans(struct bus_buf *b, const char *value, size_t n)
{
	struct bits x = { .b = b };

	for (size_t i = 0; i < n; i++)
		run_add(&x, (uint32_t)value[i], 1);
	run_end(&x, n, 1);
}

/* Zero has two signs, and who looks for the one must find the other. */
static void widen_zero(struct bus_buf *b, double zero)
{
	double x;

	memcpy(&x, b->p, sizeof(x));
	if (x == 0)
		memcpy(b->p, &zero, sizeof(zero));
}

static void keep_bounds(const struct gw_parquet_column *c, struct gw_parquet_chunk *chunk)
{
	chunk->bounded = c->values > 0 && c->least.n <= BOUND_MAX && c->greatest.n <= BOUND_MAX &&
			 (c->type == GW_PARQUET_BYTE_ARRAY || c->least.n > 0); /* else: all of them NaN */
	if (!chunk->bounded)
		return;
	bus_buf_put(&chunk->least, c->least.p, c->least.n);
	bus_buf_put(&chunk->greatest, c->greatest.p, c->greatest.n);
	if (c->type == GW_PARQUET_DOUBLE) {
		widen_zero(&chunk->least, -0.0);
		widen_zero(&chunk->greatest, 0.0);
	}
}

enum bus_err gw_parquet_column_write(struct gw_parquet_column *c, struct gw_parquet_out *o,
				     struct gw_parquet_chunk *chunk, struct bus_error *err)
{
	struct gw_parquet_mark from = { 0 };
	enum bus_err rc = BUS_OK;
	bool indexed = c->dictionary && c->values > 0;

	*chunk = (struct gw_parquet_chunk){ .begin = o->at,
					    .dictionary = -1,
					    .values = (int64_t)c->level.n,
					    .nulls = (int64_t)(c->level.n - c->values) };
	if (indexed) {
		bus_buf_reset(&o->body);
		bus_buf_put(&o->body, c->plain.p, c->plain.n);
		chunk->dictionary = o->at;
		rc = put_page(o, DICTIONARY_PAGE, c->entry.n / sizeof(size_t), PLAIN, chunk, err);
	}
	chunk->data = o->at;
	for (size_t i = 0; i <= c->n_marks && rc == BUS_OK; i++) {
		struct gw_parquet_mark to =
		    i < c->n_marks ? c->mark[i]
				   : (struct gw_parquet_mark){ c->level.n, c->values, c->plain.n };

		if (to.rows == from.rows)
			continue;
		bus_buf_reset(&o->body);
		put_levels(&o->body, c->level.p + from.rows, to.rows - from.rows, to.values - from.values);
		if (indexed)
			put_indexes(&o->body, c, from.values, to.values);
		else if (c->type == GW_PARQUET_BOOLEAN)
			put_booleans(&o->body, c->plain.p + from.values, to.values - from.values);
		else
			bus_buf_put(&o->body, c->plain.p + from.bytes, to.bytes - from.bytes);
		rc =
		    put_page(o, DATA_PAGE, to.rows - from.rows, indexed ? RLE_DICTIONARY : PLAIN, chunk, err);
		from = to;
	}
	keep_bounds(c, chunk);
	return rc;
}
