/* gateway/export/parquet.h - the inside of the Parquet writer. Source: apache/parquet-format 2.9: README.md (layout),
 * Encodings.md (PLAIN, RLE_DICTIONARY, RLE for levels), parquet.thrift (metadata), LogicalTypes.md.
 *
 *   file       "PAR1", row groups, footer, its length, "PAR1"
 *   row group  at most GW_PARQUET_ROWS rows and GW_PARQUET_BYTES bytes: what a writer holds in memory
 *   column     a dictionary page, if it pays, then data pages (version 1) of about GW_PARQUET_PAGE bytes, each with
 *              its CRC-32; least and greatest value and the number of nulls
 *
 * All columns may be null; levels of definition are 0 and 1, nothing is repeated. Thread: a writer belongs to one.
 */
#ifndef GATEWAY_EXPORT_PARQUET_H
#define GATEWAY_EXPORT_PARQUET_H

#include "gateway/export/file.h"
#include "gateway/export/thrift.h"

#define GW_PARQUET_ROWS 122880
#define GW_PARQUET_BYTES ((size_t)64 * 1024 * 1024)
#define GW_PARQUET_PAGE ((size_t)1024 * 1024)
#define GW_PARQUET_PAGE_ROWS 20000

enum gw_parquet_type {
	GW_PARQUET_BOOLEAN = 0,
	GW_PARQUET_INT64 = 2,
	GW_PARQUET_DOUBLE = 5,
	GW_PARQUET_BYTE_ARRAY = 6
};

struct
    gw_parquet_mark { /* where a page ends: so many rows, values, bytes of values from the row group's start */
	size_t rows, values, bytes;
};

struct gw_parquet_column {
	const struct gw_column *shape;
	const char *name; /* in the file */
	enum gw_parquet_type type;
	/* of the row group in hand */
	struct bus_buf level; /* a byte a row: 1 there is a value, 0 null */
	size_t values;
	struct bus_buf
	    plain; /* values, PLAIN (a boolean takes a byte here); with a dictionary: its entries */
	bool dictionary;
	struct bus_buf index; /* uint32_t a value, into the dictionary */
	struct bus_buf entry; /* size_t an entry: where it begins in plain */
	uint32_t *slot;	      /* entry + 1, or 0; by hash */
	size_t slots;	      /* a power of two */
	struct gw_parquet_mark *mark;
	size_t n_marks, cap_marks;
	struct bus_buf least, greatest; /* PLAIN, without the length; when there are values */
};

struct gw_parquet_chunk {	  /* a column in a row group, as the footer tells of it */
	int64_t begin;		  /* of its first page */
	int64_t dictionary, data; /* offsets of pages; dictionary -1: none */
	int64_t packed, unpacked; /* bytes, headers of pages included */
	int64_t values, nulls;
	bool bounded;
	struct bus_buf least, greatest; /* when bounded */
};

/* parquet_column.c */
void gw_parquet_column_begin(struct gw_parquet_column *c);			   /* a new row group */
void gw_parquet_column_add(struct gw_parquet_column *c, const struct gw_value *v); /* as declared, or NULL */
size_t gw_parquet_column_bytes(const struct gw_parquet_column *c);
void gw_parquet_column_release(struct gw_parquet_column *c);

/* parquet_page.c */
struct gw_parquet_out {
	struct gw_sink sink;
	int64_t at; /* bytes written */
	enum gw_pack pack;
	void *zstd; /* ZSTD_CCtx */
	struct bus_buf body, packed, head;
};
enum bus_err gw_parquet_put(struct gw_parquet_out *o, struct bus_str s, struct bus_error *err) BUS_MUSTCHECK;
/* The column's pages; *chunk is what to remember of them. */
enum bus_err gw_parquet_column_write(struct gw_parquet_column *c, struct gw_parquet_out *o,
				     struct gw_parquet_chunk *chunk, struct bus_error *err) BUS_MUSTCHECK;
void gw_parquet_out_release(struct gw_parquet_out *o);

#endif
