/* Parquet: rows into columns, columns into row groups, and at the end what is where. */
#include "gateway/export/parquet.h"

#include "bus/json_out.h"
#include "bus/proc.h"

struct group {
	int64_t rows, bytes, packed, begin;
	struct gw_parquet_chunk *chunk; /* one a column */
};

struct parquet {
	const struct gw_sheet *sheet;
	struct gw_parquet_out out;
	struct gw_parquet_column *column;
	size_t n;
	int64_t rows;	    /* of the file */
	int64_t group_rows; /* of the row group in hand */
	struct group *group;
	size_t n_groups;
	struct bus_buf text;
};

static void parquet_free(void *w)
{
	struct parquet *p = w;

	for (size_t g = 0; g < p->n_groups; g++) {
		for (size_t i = 0; i < p->n; i++) {
			bus_buf_release(&p->group[g].chunk[i].least);
			bus_buf_release(&p->group[g].chunk[i].greatest);
		}
		free(p->group[g].chunk);
	}
	free(p->group);
	for (size_t i = 0; i < p->n; i++)
		gw_parquet_column_release(&p->column[i]);
	free(p->column);
	gw_parquet_out_release(&p->out);
	bus_buf_release(&p->text);
	free(p);
}

static enum gw_parquet_type type_of(enum gw_type type)
{
	return type == GW_INT	 ? GW_PARQUET_INT64
	       : type == GW_REAL ? GW_PARQUET_DOUBLE
	       : type == GW_BOOL ? GW_PARQUET_BOOLEAN
				 : GW_PARQUET_BYTE_ARRAY;
}

static enum bus_err parquet_open(const struct gw_sheet *s, const struct gw_sink *sink, void **out,
				 struct bus_error *err)
{
	struct parquet *p = bus_xcalloc(1, sizeof(*p));
	enum bus_err rc;

	p->sheet = s;
	p->out.sink = *sink;
	p->out.pack = s->pack;
	p->n = s->params->n_columns;
	p->column = bus_xcalloc(p->n, sizeof(*p->column));
	for (size_t i = 0; i < p->n; i++) {
		p->column[i].shape = &s->params->view->column[s->params->column[i]];
		p->column[i].name = s->params->name[i];
		p->column[i].type = type_of(p->column[i].shape->type);
		gw_parquet_column_begin(&p->column[i]);
	}
	rc = gw_parquet_put(&p->out, BUS_STR("PAR1"), err);
	if (rc != BUS_OK) {
		parquet_free(p);
		p = NULL;
	}
	*out = p;
	return rc;
}

static enum bus_err end_group(struct parquet *p, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	struct group *g;

	if (p->group_rows == 0)
		return BUS_OK;
	p->group = bus_xrealloc(p->group, (p->n_groups + 1) * sizeof(*p->group));
	g = &p->group[p->n_groups++];
	*g = (struct group){ .rows = p->group_rows,
			     .begin = p->out.at,
			     .chunk = bus_xcalloc(p->n, sizeof(*g->chunk)) };
	for (size_t i = 0; i < p->n && rc == BUS_OK; i++) {
		rc = gw_parquet_column_write(&p->column[i], &p->out, &g->chunk[i], err);
		g->bytes += g->chunk[i].unpacked;
		g->packed += g->chunk[i].packed;
		gw_parquet_column_begin(&p->column[i]);
	}
	p->group_rows = 0;
	return rc;
}

static enum bus_err parquet_row(void *w, const struct gw_value *value, struct bus_error *err)
{
	struct parquet *p = w;
	size_t bytes = 0;
	enum bus_err rc;

	for (size_t i = 0; i < p->n; i++) {
		struct gw_value v;
		char space[32];

		rc = gw_cell_fit(p->column[i].shape, gw_cell(p->sheet->params, value, i), space, &v, err);
		if (rc != BUS_OK)
			return rc;
		if (p->column[i].type == GW_PARQUET_BYTE_ARRAY && v.type != GW_NULL)
			v.s = gw_cell_text(v.s, false, &p->text);
		gw_parquet_column_add(&p->column[i], &v);
		bytes += gw_parquet_column_bytes(&p->column[i]);
	}
	p->rows++;
	p->group_rows++;
	return p->group_rows == GW_PARQUET_ROWS || bytes >= GW_PARQUET_BYTES ? end_group(p, err) : BUS_OK;
}

/* --- the footer: FileMetaData of parquet.thrift ------------------------------------------------------- */

enum { CONVERTED_UTF8 = 0, CONVERTED_JSON = 19 };
enum { LOGICAL_STRING = 1, LOGICAL_JSON = 12 };
enum { OPTIONAL = 1 };
enum { CODEC_NONE = 0, CODEC_SNAPPY = 1, CODEC_ZSTD = 6 };

static void put_schema(const struct parquet *p, struct gw_thrift *t)
{
	gw_thrift_list(t, 2, GW_THRIFT_STRUCT, p->n + 1);
	gw_thrift_struct(t, 0);
	gw_thrift_bytes(t, 4, bus_str(p->sheet->params->view->name));
	gw_thrift_int(t, 5, GW_THRIFT_I32, (int64_t)p->n);
	gw_thrift_end(t);
	for (size_t i = 0; i < p->n; i++) {
		const struct gw_column *c = p->column[i].shape;

		gw_thrift_struct(t, 0);
		gw_thrift_int(t, 1, GW_THRIFT_I32, p->column[i].type);
		gw_thrift_int(t, 3, GW_THRIFT_I32, OPTIONAL);
		gw_thrift_bytes(t, 4, bus_str(p->column[i].name));
		if (p->column[i].type == GW_PARQUET_BYTE_ARRAY) {
			gw_thrift_int(t, 6, GW_THRIFT_I32,
				      c->type == GW_JSON ? CONVERTED_JSON : CONVERTED_UTF8);
			gw_thrift_struct(t, 10);
			gw_thrift_struct(t, c->type == GW_JSON ? LOGICAL_JSON : LOGICAL_STRING);
			gw_thrift_end(t);
			gw_thrift_end(t);
		}
		gw_thrift_end(t);
	}
}

static void put_chunk(const struct parquet *p, struct gw_thrift *t, size_t i,
		      const struct gw_parquet_chunk *c)
{
	static const int codec[GW_PACKS] = { CODEC_NONE, CODEC_SNAPPY, CODEC_ZSTD };
	const bool indexed = c->dictionary >= 0;
	static const int encoding[] = { 0 /* PLAIN */, 3 /* RLE */, 8 /* RLE_DICTIONARY */ };

	gw_thrift_struct(t, 0);
	gw_thrift_int(t, 2, GW_THRIFT_I64, c->begin);
	gw_thrift_struct(t, 3);
	gw_thrift_int(t, 1, GW_THRIFT_I32, p->column[i].type);
	gw_thrift_list(t, 2, GW_THRIFT_I32, indexed ? 3 : 2);
	for (size_t k = 0; k < (indexed ? 3 : 2); k++)
		gw_thrift_zigzag(t, encoding[k]);
	gw_thrift_list(t, 3, GW_THRIFT_BYTES, 1);
	gw_thrift_raw(t, bus_str(p->column[i].name));
	gw_thrift_int(t, 4, GW_THRIFT_I32, codec[p->out.pack]);
	gw_thrift_int(t, 5, GW_THRIFT_I64, c->values);
	gw_thrift_int(t, 6, GW_THRIFT_I64, c->unpacked);
	gw_thrift_int(t, 7, GW_THRIFT_I64, c->packed);
	gw_thrift_int(t, 9, GW_THRIFT_I64, c->data);
	if (indexed)
		gw_thrift_int(t, 11, GW_THRIFT_I64, c->dictionary);
	gw_thrift_struct(t, 12);
	gw_thrift_int(t, 3, GW_THRIFT_I64, c->nulls);
	if (c->bounded) {
		gw_thrift_bytes(t, 5, bus_buf_str(&c->greatest));
		gw_thrift_bytes(t, 6, bus_buf_str(&c->least));
	}
	gw_thrift_end(t);
	gw_thrift_end(t);
	gw_thrift_end(t);
}

static void put_groups(const struct parquet *p, struct gw_thrift *t)
{
	gw_thrift_list(t, 4, GW_THRIFT_STRUCT, p->n_groups);
	for (size_t g = 0; g < p->n_groups; g++) {
		const struct group *group = &p->group[g];

		gw_thrift_struct(t, 0);
		gw_thrift_list(t, 1, GW_THRIFT_STRUCT, p->n);
		for (size_t i = 0; i < p->n; i++)
			put_chunk(p, t, i, &group->chunk[i]);
		gw_thrift_int(t, 2, GW_THRIFT_I64, group->bytes);
		gw_thrift_int(t, 3, GW_THRIFT_I64, group->rows);
		gw_thrift_int(t, 5, GW_THRIFT_I64, group->begin);
		gw_thrift_int(t, 6, GW_THRIFT_I64, group->packed);
		gw_thrift_end(t);
	}
}

static void put_pair(struct gw_thrift *t, const char *key, const char *value)
{
	gw_thrift_struct(t, 0);
	gw_thrift_bytes(t, 1, bus_str(key));
	gw_thrift_bytes(t, 2, bus_str(value));
	gw_thrift_end(t);
}

static void put_metadata(const struct parquet *p, struct gw_thrift *t)
{
	const struct gw_view *v = p->sheet->params->view;
	struct bus_buf columns = { 0 };
	struct bus_json_out j = { .buf = &columns };

	gw_sheet_columns(p->sheet, &j);
	gw_thrift_list(t, 5, GW_THRIFT_STRUCT, 6);
	put_pair(t, "titian.view", v->name);
	put_pair(t, "titian.title.id", v->title_id ? v->title_id : v->name);
	put_pair(t, "titian.title.en", v->title_en ? v->title_en : v->title_id ? v->title_id : v->name);
	put_pair(t, "titian.columns", bus_buf_cstr(&columns));
	put_pair(t, "titian.as_of", p->sheet->as_of);
	put_pair(t, "titian.cursor", p->sheet->cursor);
	bus_buf_release(&columns);
}

static enum bus_err parquet_end(void *w, struct bus_error *err)
{
	struct parquet *p = w;
	struct bus_buf foot = { 0 };
	struct gw_thrift t = { .buf = &foot };
	enum bus_err rc = end_group(p, err);
	uint32_t n;

	if (rc != BUS_OK)
		return rc;
	gw_thrift_struct(&t, 0);
	gw_thrift_int(&t, 1, GW_THRIFT_I32, 2);
	put_schema(p, &t);
	gw_thrift_int(&t, 3, GW_THRIFT_I64, p->rows);
	put_groups(p, &t);
	put_metadata(p, &t);
	gw_thrift_bytes(&t, 6, BUS_STR("titian version " TITIAN_VERSION));
	gw_thrift_list(&t, 7, GW_THRIFT_STRUCT,
		       p->n); /* ColumnOrder: TypeDefinedOrder, so that bounds count */
	for (size_t i = 0; i < p->n; i++) {
		gw_thrift_struct(&t, 0);
		gw_thrift_struct(&t, 1);
		gw_thrift_end(&t);
		gw_thrift_end(&t);
	}
	gw_thrift_end(&t);
	n = (uint32_t)foot.n;
	for (int i = 0; i < 4; i++)
		bus_buf_putc(&foot, (char)(n >> 8 * i));
	bus_buf_puts(&foot, "PAR1");
	rc = gw_parquet_put(&p->out, bus_buf_str(&foot), err);
	bus_buf_release(&foot);
	return rc;
}

const struct gw_file_kind gw_file_parquet = {
	.name = "parquet",
	.suffix = "parquet",
	.type = "application/vnd.apache.parquet",
	.packs = 1U << GW_PACK_NONE | 1U << GW_PACK_SNAPPY | 1U << GW_PACK_ZSTD,
	.usual = GW_PACK_ZSTD,
	.open = parquet_open,
	.row = parquet_row,
	.end = parquet_end,
	.free = parquet_free,
};
