/* gateway/export/file.h - a view's rows as a file: one kind of file each, behind one way of writing it.
 *
 * A file is written from its first byte to its last into a sink; nothing is ever gone back to, so that a reader
 * may follow while it grows. Memory does not grow with the number of rows. Thread: a writer belongs to one.
 *
 *   CSV      RFC 4180; text that is empty is "", NULL is nothing; no cell is a formula (bus/csv.h)
 *   NDJSON   one object a line, as in pages
 *   Avro     container file (Avro specification 1.12), schema made from the view's columns
 *   XLSX     two sheets: the rows, the dictionary; all text is text
 *   Parquet  format 2.9, see parquet.h
 */
#ifndef GATEWAY_EXPORT_FILE_H
#define GATEWAY_EXPORT_FILE_H

#include "gateway/serve/format.h"

enum gw_pack { GW_PACK_NONE, GW_PACK_SNAPPY, GW_PACK_ZSTD, GW_PACK_DEFLATE };
#define GW_PACKS 4
extern const char *const gw_pack_name[GW_PACKS]; /* "none", "snappy", "zstd", "deflate" */

struct gw_sheet {			/* what a file holds; borrowed, the same as long as it is written */
	const struct gw_params *params; /* view, columns in their order, grant, excel */
	enum gw_pack pack;
	const char *as_of;  /* "2026-11-22T10:15:03+07:00": when the rows were read */
	const char *cursor; /* of the change feed: it goes on exactly after these rows */
	const char *folder; /* for files that are put together first, of mode 0700 */
};

struct gw_sink { /* where the bytes go */
	enum bus_err (*put)(void *ctx, const void *p, size_t n, struct bus_error *err);
	void *ctx;
};

struct gw_file_kind {
	const char *name, *suffix, *type;
	unsigned packs; /* bit (1 << pack): may be asked for; 0: nothing to choose */
	enum gw_pack usual;
	int64_t rows_max; /* 0: any number */
	enum bus_err (*open)(const struct gw_sheet *s, const struct gw_sink *sink, void **out,
			     struct bus_error *err);
	/* value[i] belongs to column i of the view; masks are the writer's business. BUS_EDATA: a value that this
	 * kind of file cannot hold (the message names the column, never the value). BUS_ETOOBIG: rows_max. */
	enum bus_err (*row)(void *w, const struct gw_value *value, struct bus_error *err);
	enum bus_err (*end)(void *w, struct bus_error *err); /* the rest of the file */
	void (*free)(void *w);				     /* whether ended or not */
};

extern const struct gw_file_kind gw_file_csv, gw_file_ndjson, gw_file_avro, gw_file_xlsx, gw_file_parquet;
extern const struct gw_file_kind *const gw_file_kinds[]; /* NULL-ended */

const struct gw_file_kind *gw_file_kind_named(const char *name);   /* "csv"; NULL: none of ours */
const struct gw_file_kind *gw_file_kind_typed(const char *accept); /* by Accept; NULL: none of ours */

/* Rows of a sheet's columns, cell by cell: masked as in pages, text for text and null for the rest. */
extern const struct gw_value gw_cell_masked, gw_cell_null;
static inline const struct gw_value *gw_cell(const struct gw_params *p, const struct gw_value *value,
					     size_t i)
{
	size_t c = p->column[i];

	if (p->grant.clear >> c & 1 || value[c].type == GW_NULL)
		return &value[c];
	return value[c].type == GW_TEXT ? &gw_cell_masked : &gw_cell_null;
}

/* The cell as a value of the column's declared type, for files whose columns have one: *fit is v, or made of it in
 * space. A number in a column of text becomes its digits; BUS_EDATA: nothing that keeps the value. */
enum bus_err gw_cell_fit(const struct gw_column *c, const struct gw_value *v, char space[32],
			 struct gw_value *fit, struct bus_error *err) BUS_MUSTCHECK;
/* s, or into b as well-formed UTF-8 (U+FFFD for what is none). nul: U+0000 is none either. */
struct bus_str gw_cell_text(struct bus_str s, bool nul, struct bus_buf *b);

/* The sheet's columns as JSON: [{"name","type","title":{"id","en"},"pdp","masked"...}]. */
struct bus_json_out;
void gw_sheet_columns(const struct gw_sheet *s, struct bus_json_out *j);
const char *gw_column_type_name(enum gw_type type); /* "string", "integer", ... */

#endif
